#!/usr/bin/env bash
# Brings a cluster of three containers up, with the image's last stage and docker-compose.gitops.yml as they are, and a
# Git server in a fourth; deploys, approves, kills and disconnects containers, and takes everything down again. Needs
# Docker, docker-compose (1.29 or 2), Go, git and jq, and no registry: the images are built from scratch.
set -euo pipefail
cd "$(dirname "$0")/../.."

project=honua-test-$$
work=$(mktemp -d)
export HONUA_IMAGE=$project-honua GIT_IMAGE=$project-git GIT_ROOT=$work/git
export HONUA_REPOSITORY=http://git:8080/config.git HONUA_POLL_SECONDS=1
export HONUA_SECRETS=$work/secrets HONUA_DATA=$work/data
export NODE1_HTTP=0 NODE2_HTTP=0 NODE3_HTTP=0 NODE1_GRPC=0 NODE2_GRPC=0 NODE3_GRPC=0
if docker compose version >/dev/null 2>&1; then compose=(docker compose); else compose=(docker-compose); fi
compose+=(-p "$project" -f deploy/docker/docker-compose.gitops.yml -f deploy/docker/testing/docker-compose.test.yml)

source deploy/testing.sh
finish() {
  local code=$?
  if ((code != 0)); then
    echo "FAILED; the ends of the logs:" >&2
    "${compose[@]}" logs --tail=15 >&2 || true
  fi
  "${compose[@]}" down -v --remove-orphans -t 5 >/dev/null 2>&1 || true
  docker rmi -f "$HONUA_IMAGE" "$GIT_IMAGE" >/dev/null 2>&1 || true
  rm -rf "$work"
  exit "$code"
}
trap finish EXIT

container() { "${compose[@]}" ps -q "$1"; }
healthy() { [[ $(docker inspect -f '{{.State.Health.Status}}' "$(container "$1")") == healthy ]]; }
# honua NODE ARGS…: the command line as the operator, from a container of its own beside the nodes.
honua() {
  local via=$1
  shift
  docker run --rm --network "${project}_cluster" -v "$work/operator:/run/operator:ro" "$HONUA_IMAGE" "$@" \
    --address "$via.cluster:7700" --ca /run/operator/ca.pem --cert /run/operator/operator.pem --key /run/operator/operator.key
}
collections() { docker exec "$(container "$1")" /usr/local/bin/honua health ready -o json; }
serves() { # serves NODE COMMIT: the node serves what the commit holds
  honua "$1" environment show production --stale -o json >"$work/env.json" &&
    [[ $(jq -r .deployedCommit "$work/env.json") == "$2" ]] &&
    collections "$1" | jq -e '.environments[0] | .servedIndex > 0 and .servedIndex == .activeIndex' >/dev/null
}
leader() { honua "$1" cluster status -o json | jq -er .leaderId; }
commit() { # commit TITLE: a change of a title; prints its commit
  sed -i "s/\"title\": \"[^\"]*\"/\"title\": \"$1\"/" "$work/config/environments/production/metadata.json"
  git -C "$work/config" commit -qam "$1"
  git -C "$work/config" push -q origin HEAD:main
  git -C "$work/config" rev-parse HEAD
}
approved() { # approved NODE COMMIT: whatever awaits approval is approved, until the commit is served
  local id
  for id in $(honua "$1" deployment list -o json | jq -r '.deployments[] | select(.state == "AwaitingApproval") | .id'); do
    honua "$1" deployment approve "$id" --async || true
  done
  serves "$1" "$2"
}

say "images"
VERSION="test" deploy/docker/rootfs.sh "$work/honua"
sed -n '/^FROM scratch/,$p' deploy/docker/Dockerfile | sed 's|--from=build ||; s|/rootfs/|.|' >"$work/honua.Dockerfile"
docker build -q -t "$HONUA_IMAGE" -f "$work/honua.Dockerfile" "$work/honua"
mkdir -p "$work"/gitfs/{usr/bin,usr/lib/git-core,etc,tmp}
CGO_ENABLED=0 go build -o "$work/gitfs/gitserver" ./deploy/docker/testing/gitserver
cp "$(command -v git)" "$work/gitfs/usr/bin/"
cp "$(git --exec-path)/git-http-backend" "$work/gitfs/usr/lib/git-core/"
ldd "$(command -v git)" "$(git --exec-path)/git-http-backend" | grep -oE '/[^ ():]+\.so[^ ]*' | sort -u | while read -r library; do
  cp -L --parents "$library" "$work/gitfs/"
done
printf 'FROM scratch\nCOPY . /\nENTRYPOINT ["/gitserver", ":8080", "/usr/lib/git-core/git-http-backend", "/srv/git"]\n' >"$work/git.Dockerfile"
docker build -q -t "$GIT_IMAGE" -f "$work/git.Dockerfile" "$work/gitfs"
docker image inspect -f 'honua: {{.Size}} bytes, user {{.Config.User}}' "$HONUA_IMAGE"

say "repository and secrets"
"$work/honua/usr/local/bin/honua" init "$work/config" >/dev/null
mkdir -p "$work/git" "$work/data" "$work/operator"
cp internal/scaffold/cities.geojson "$work/data/"
chmod -R a+rX "$work"
git init -q --bare -b main "$work/git/config.git"
git -C "$work/config" remote add origin "$work/git/config.git"
git -C "$work/config" push -q origin HEAD:main
go run ./deploy/docker/mksecrets "$work/secrets"
cp "$work"/secrets/{ca.pem,operator.pem,operator.key} "$work/operator/"
chown -R 65532:65532 "$work/operator"
chmod 0755 "$work"

say "three nodes and a Git server"
"${compose[@]}" config -q
"${compose[@]}" up -d --no-build git node1 node2 node3
eventually 'the nodes have a leader' leader node1
first=$(git -C "$work/config" rev-parse HEAD)
for node in node1 node2 node3; do eventually "$node serves the first commit" approved "$node" "$first"; done
for node in node1 node2 node3; do eventually "$node is healthy, says Docker" healthy "$node"; done
id=$(container node1)
[[ $(docker inspect -f '{{.HostConfig.ReadonlyRootfs}} {{.Config.User}} {{.HostConfig.CapDrop}}' "$id") == 'true 65532:65532 [ALL]' ]]

say "a commit, approved and served by all"
next=$(commit 'Towns')
for node in node1 node2 node3; do eventually "$node serves $next" approved "$node" "$next"; done

say "the leader is killed"
old=$(leader node1)
others=(node1 node2 node3)
others=("${others[@]/$old/}")
read -r -a others <<<"${others[*]}"
docker kill -s KILL "$(container "$old")" >/dev/null
next=$(commit 'Villages')
for node in "${others[@]}"; do eventually "$node serves $next without $old" approved "$node" "$next"; done
docker start "$(docker ps -aqf "label=com.docker.compose.project=$project" -f "label=com.docker.compose.service=$old")" >/dev/null
eventually "$old is back and serves $next" serves "$old" "$next"

say "a node is cut off"
lead=$(leader node1)
for cut in node1 node2 node3; do [[ $cut == "$lead" ]] || break; done
index=$(collections "$cut" | jq '.environments[0].servedIndex')
docker network disconnect "${project}_cluster" "$(container "$cut")"
next=$(commit 'Hamlets')
eventually "$lead serves $next without $cut" approved "$lead" "$next"
[[ $(collections "$cut" | jq '.environments[0].servedIndex') == "$index" ]]
collections "$cut" | jq -e '.ready' >/dev/null && ok "$cut goes on serving activation $index"
docker network connect --alias "$cut.cluster" --alias "$cut" "${project}_cluster" "$(container "$cut")"
eventually "$cut is back and serves $next" serves "$cut" "$next"

say "Git is down"
"${compose[@]}" stop -t 1 git
for node in node1 node2 node3; do eventually "$node is ready without Git" collections "$node"; done
honua node1 deployment rollback -e production --reason 'a drill without Git'
"${compose[@]}" start git

say "stopped in order"
"${compose[@]}" stop -t 15 node1 node2 node3
for node in node1 node2 node3; do
  id=$(docker ps -aqf "label=com.docker.compose.project=$project" -f "label=com.docker.compose.service=$node")
  [[ $(docker inspect -f '{{.State.ExitCode}}' "$id") == 0 ]] || { echo "$node did not stop in order" >&2; exit 1; }
done
say "done"
