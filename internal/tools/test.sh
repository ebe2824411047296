#!/usr/bin/env bash
# Runs every test with the race detector. The detector needs cgo and so a C
# compiler; without one the tests still run, and this says so where it is seen.
set -euo pipefail
cd "$(dirname "$0")/../.."

race=(-race)
if ! command -v "$(go env CC | cut -d' ' -f1)" >/dev/null || [[ ${CGO_ENABLED:-1} == 0 ]]; then
  race=()
  warning='WARNING: no C compiler (or CGO_ENABLED=0): the tests run WITHOUT the race detector. Install gcc.'
  printf '\n%s\n\n' "$warning" >&2
  trap 'printf "\n%s\n" "$warning" >&2' EXIT
else
  export CGO_ENABLED=1
fi
# vet is the linter's, which runs it over everything; what the next format brings is in a build of its own, and the
# simulation of clusters in which only some nodes have it.
go test -vet=off -timeout "${TEST_TIMEOUT:-10m}" -tags honua_next_format "$@" ./fsm ./test/sim
go test "${race[@]}" -vet=off -timeout "${TEST_TIMEOUT:-10m}" "$@" ./...
