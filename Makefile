# Honua GitOps. Everything here needs Go and git only, unless its line says more.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

BIN     := bin/honua
TOOLS   := internal/tools
BUF     := go tool -modfile=$(TOOLS)/buf/go.mod buf
LINTER  := go tool -modfile=$(TOOLS)/lint/go.mod golangci-lint

# What `make test` and friends may be told: SEEDS=100000 FROM=1 make sim, DEV_FLAGS='--nodes 5' make run.
SEEDS      ?= 20000
FROM       ?= 1
LOSSES     ?= 5000
FUZZTIME   ?= 10s
BENCHCOUNT ?= 6
BENCH_FLAGS ?=
DEV_FLAGS  ?=
CHAOS_FLAGS ?=
SOAK_MINUTES ?= 180
ROUNDS     ?= 10
CORRUPTIONS ?= 600
LEADERS    ?= 120
PARTITIONS ?= 20

INFO    := github.com/honua-io/honua-gitops/internal/buildinfo
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  := $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
DATE    := $(shell git log -1 --format=%cI 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X $(INFO).version=$(VERSION) -X $(INFO).commit=$(COMMIT) -X $(INFO).date=$(DATE)

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | while IFS=$$'\t' read -r t h; do printf '  %-14s %s\n' "$$t" "$$h"; done

.PHONY: run
run: ## build honua and run a three-node cluster on this machine (DEV_FLAGS=…)
	@echo "building $(BIN); from nothing this takes a minute or two"
	@$(MAKE) --no-print-directory --silent build
	@exec $(BIN) dev $(DEV_FLAGS)

.PHONY: dev-postgis
dev-postgis: ## run PostgreSQL with PostGIS and sample cities on port 15432, for DEV_FLAGS=--postgis; Debian packages needed
	@go run ./test/postgres/dev .honua-postgis

.PHONY: build
build: ## build the static binary bin/honua
	@mkdir -p $(dir $(BIN))
	CGO_ENABLED=0 bash $(TOOLS)/build.sh -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/honua

.PHONY: test
test: ## every test with the race detector, then the bulk of simulation and leader losses without it (SEEDS=…, LOSSES=…)
	@bash $(TOOLS)/test.sh
	@$(MAKE) --no-print-directory sim losses

.PHONY: sim
sim: ## the deterministic simulation over SEEDS seeds from FROM on, without the race detector; with two builds: TAGS=honua_next_format
	go test -count=1 -timeout=0 $(if $(TAGS),-tags $(TAGS)) ./test/sim -run '^TestSeeds$$' -from=$(FROM) -seeds=$(SEEDS)

.PHONY: losses
losses: ## clusters in one process that lose LOSSES leaders, without the race detector; FROM is the first cluster's seed
	go test -count=1 -timeout=0 ./cluster -run '^TestLeaderLosses$$' -losses=$(LOSSES) -losses-from=$(FROM) -v | grep -v '^ *\(=== \|--- PASS: TestLeaderLosses/\)'

.PHONY: test-system
test-system: ## tests that need root and Debian packages; a missing capability fails them (LEADERS=…, PARTITIONS=…)
	go test -count=1 -tags system ./test/system -timeout 30m -parallel 3 -leader-kills $(LEADERS) -partitions $(PARTITIONS)
	go test -count=1 -tags system ./test/system/postgis ./test/faults
	go test -count=1 -tags system -run 'OnPostGIS|OfTheRegistry' ./api/ogc

.PHONY: chaos
chaos: ## ten minutes of kills, partitions, power losses and the like on real clusters, checked offline; needs root (CHAOS_FLAGS='--seed 7')
	CGO_ENABLED=0 go run ./test/chaos/cmd/honua-chaos run $(CHAOS_FLAGS)

.PHONY: soak
soak: ## chaos for hours, with three nodes and with five; needs root (SOAK_MINUTES=…)
	CGO_ENABLED=0 go run ./test/chaos/cmd/honua-chaos run --minutes $(SOAK_MINUTES) --nodes 3 $(CHAOS_FLAGS)
	CGO_ENABLED=0 go run ./test/chaos/cmd/honua-chaos run --minutes $(SOAK_MINUTES) --nodes 5 $(CHAOS_FLAGS)

.PHONY: chaos-planted
chaos-planted: ## plant one defect after the other and see that chaos finds it; needs root (CHAOS_FLAGS='--only vote')
	CGO_ENABLED=0 go run ./test/chaos/cmd/honua-chaos planted $(CHAOS_FLAGS)

.PHONY: test-rolling
test-rolling: ## restart three nodes one after another, ROUNDS times, under 20 writes and 200 reads a second
	go test -count=1 -run '^TestRollingRestartUnderLoad$$' -timeout 30m ./test/recovery -v -rounds $(ROUNDS)

.PHONY: test-swaps
test-swaps: ## 100 clients read from PostGIS while 200 commits are deployed; Debian packages needed
	go test -count=1 -tags system -run '^TestDeploymentsUnderLoad$$' -timeout 30m ./test/system -deployments 200

.PHONY: corruptions
corruptions: ## damage CORRUPTIONS files of the nodes of a running cluster, one after the other; Debian packages needed
	go test -count=1 -tags system -run '^TestCorruptions$$' -timeout 0 ./test/system -v -corruptions $(CORRUPTIONS) | grep -v '^ *\(=== \|--- the end\)'

.PHONY: test-docker
test-docker: ## a cluster of containers, deployed to, killed and cut off; needs Docker, docker-compose and jq
	deploy/docker/test.sh

.PHONY: test-systemd
test-systemd: ## a cluster on three hosts with systemd, installed by the docs, killed and out of room; needs root, Docker, debootstrap and jq
	deploy/systemd/test.sh

.PHONY: test-kubernetes
test-kubernetes: ## render the Kubernetes manifests and check them against the API's types
	cd deploy/kubernetes/checks && go vet ./... && go test -count=1 ./...

.PHONY: bench
bench: ## measure real clusters on this machine; about 15 minutes, results in dist/bench (BENCH_FLAGS='-run failover -n 20')
	go run ./test/bench $(BENCH_FLAGS)

.PHONY: bench-go
bench-go: ## the packages' own benchmarks, summarised by benchstat (BENCHCOUNT=…)
	@out=$$(mktemp); trap 'rm -f "$$out"' EXIT; \
	go test -run '^$$' -bench . -benchmem -count=$(BENCHCOUNT) ./... | tee "$$out"; \
	go tool -modfile=$(TOOLS)/go.mod benchstat "$$out"

.PHONY: bench-compare
bench-compare: ## compare dist/bench/results.txt with an earlier one (BASE=…)
	@test -n '$(BASE)' || { echo 'name the earlier results: make bench-compare BASE=old/results.txt' >&2; exit 1; }
	go tool -modfile=$(TOOLS)/go.mod benchstat '$(BASE)' dist/bench/results.txt

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME
	@bash $(TOOLS)/fuzz.sh $(FUZZTIME)

.PHONY: lint
lint: ## golangci-lint (with its gofmt check) and buf lint
	$(LINTER) run ./...
	$(BUF) lint

.PHONY: proto
proto: ## generate the Go beside proto/honua/gitops/v1
	$(BUF) lint
	$(BUF) generate

.PHONY: proto-check
proto-check: ## fail when the committed generated code is not what proto would write
	@bash $(TOOLS)/proto-check.sh

.PHONY: tidy-check
tidy-check: ## fail when go.mod or go.sum of the program, or of the manifests' checks that build on it, is not tidy
	go mod tidy -diff
	cd deploy/kubernetes/checks && go mod tidy -diff

.PHONY: sbom
sbom: build ## write what bin/honua is built from to dist/honua.spdx.json, and check the licences
	@mkdir -p dist
	cd $(TOOLS) && go run ./sbom -check -o $(CURDIR)/dist/honua.spdx.json $(CURDIR)/$(BIN)

.PHONY: clean
clean: ## remove what was built
	rm -rf bin dist
