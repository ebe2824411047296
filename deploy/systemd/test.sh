#!/usr/bin/env bash
# Installs three hosts with systemd as the documentation says, word for word, as an operator who has sudo: the blocks of the
# pages that are marked `console systemd NAME` are run from there. Then kills nodes, stops them, takes their room away,
# restarts them, and takes everything down again. Hosts are containers in which systemd is the first process. Needs root,
# Docker, Go, git, jq and debootstrap with a Debian mirror. HONUA_TEST_ROOT names a tar file that keeps the root from one
# run to the next; SUITE another release than bookworm, MIRROR another mirror.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec </dev/null

project=honua-systemd-$$
image=$project-host network=$project
work=$(mktemp -d)
nodes=(node1 node2 node3)

source deploy/testing.sh
fail() { echo "test.sh: $*" >&2; return 1; }
finish() {
  local code=$? host
  if ((code != 0)); then
    echo "FAILED; the ends of the journals:" >&2
    for host in "${nodes[@]}"; do
      docker exec "$project-$host" sh -c 'systemctl status honua -n 0; journalctl -u honua -n 25 --no-pager' >&2 || true
    done
  fi
  for host in git operator "${nodes[@]}"; do docker rm -f -v "$project-$host" >/dev/null 2>&1 || true; done
  docker network rm "$network" >/dev/null 2>&1 || true
  docker rmi -f "$image" >/dev/null 2>&1 || true
  rm -rf "$work"
  exit "$code"
}
trap finish EXIT

# as USER HOST COMMANDS: commands for a shell on a host.
as() { timeout 300 docker exec -i -u "$1" -w / "$project-$2" bash -euo pipefail -c "$3"; }
root() { as root "$@"; }
# An operator is in the checkout; the one whose machine is no node has an identity.
admin() { as admin "$1" "cd ~/honua-gitops; $2"; }
operator() { admin operator "$(documented 'systemd operator' | grep '^export'); $1"; }

# documented MARK: the commands of the pages' blocks that have this mark.
documented() {
  awk -v mark="console $1" '
    { line = $0; sub(/^ +/, "", line) }
    line == "```" mark { inside = 1; next }
    line ~ /^```/ { inside = going = 0 }
    inside && (going || sub(/^\$ /, "", line)) { print line; going = line ~ /\\$/ }
  ' docs/*.md | grep . || fail "no page has a block marked console $1"
}
# run HOST MARK [SED]: what the documentation says under a mark, on a host, as its operator types it.
run() {
  local commands
  commands=$(documented "$2" | sed "${3:-}")
  echo "$2" >>"$work/ran"
  sed "s/^/$1\$ /" <<<"$commands"
  if [[ $1 == operator && $2 != 'systemd certificates' ]]; then operator "$commands"; else admin "$1" "$commands"; fi >"$work/said" 2>&1 || {
    cat "$work/said" >&2
    fail "$1: the commands marked console $2 failed"
  }
  ok "$2, on $1"
}
here() { # here HOST: what makes node1's commands those of another host
  echo "s/node1/$1/g; s/--advertise 10\\.0\\.0\\.1/--advertise 10.0.0.${1#node}/"
}

# of HOST PROPERTY: what systemd says of the unit.
of() { root "$1" "systemctl show honua -p $2 --value"; }
is() { [[ $(of "$1" "$2") == "$3" ]] || fail "$1: $2 is $(of "$1" "$2"), not $3"; }
logged() { root "$1" "journalctl -u honua -o cat --no-pager ${2:+--after-cursor '$2'}" | grep -E "$3"; }
cursor() { root "$1" 'journalctl -n 0 --show-cursor -q' | sed -n 's/^-- cursor: //p'; }
status() { of "$1" StatusText | grep -E "$2"; }
restarted_often() { (($(of "$1" NRestarts) >= $2)); }
alone() { serves "$1" "$2" && operator 'honua cluster status -o json' | jq -e '.hasQuorum and (.servers | length == 1)'; }
led_without() { local now; now=$(leader) && [[ $now != "$1" ]]; }
stop() { # stop HOST: in order, within ten seconds
  local begun=$SECONDS
  root "$1" 'systemctl stop honua'
  ((SECONDS - begun <= 10)) || fail "$1 took $((SECONDS - begun)) s to stop"
  is "$1" Result success
  is "$1" ExecMainStatus 0
  ok "$1 stopped within $((SECONDS - begun)) s"
}
# confined HOST: the kernel holds what the unit asks for against the process itself.
confined() {
  local status
  status=$(root "$1" "grep -E '^(Uid|NoNewPrivs|Seccomp|Cap...):' /proc/$(of "$1" MainPID)/status" | tr -s '[:space:]' ' ')
  for want in 'NoNewPrivs: 1' 'Seccomp: 2' 'CapPrm: 0000000000000000' 'CapEff: 0000000000000000' 'CapBnd: 0000000000000000'; do
    [[ $status == *"$want"* ]] || fail "the process has not $want: $status"
  done
  ok "the process of $1 has no capabilities, a filter of system calls, and can get none"
}
# probe HOST USER WANT: what a shell in the service's place succeeds in. As root without capabilities it is the sandbox that
# denies, not the owner of the files.
probe() {
  local said
  root "$1" "cat >/etc/probe.sh
    sed -e 's/^Type=.*/Type=oneshot/; s/^User=.*/User=$2/; s/^Group=.*/Group=$2/; s|^ExecStart=.*|ExecStart=/bin/sh /etc/probe.sh|' \
      -e '/^\(Restart\|RestartSec\|WatchdogSec\|NotifyAccess\|ExecReload\)=/d' /etc/systemd/system/honua.service >/run/systemd/system/probe-$2.service
    systemctl daemon-reload; systemctl start probe-$2" <deploy/systemd/testing/probe.sh
  said=$(root "$1" "journalctl -u probe-$2 -o cat --no-pager _COMM=sh + _COMM=find
    rm -f /run/systemd/system/probe-$2.service /etc/probe.sh; systemctl daemon-reload" | sort -u | paste -sd ,)
  [[ $said == "$3" ]] || fail "in the place of the service $2: ${said:-nothing}"
  ok "in the place of the service $2: ${3:-nothing}"
}
restarted() { # restarted HOST BEFORE: systemd has started the unit again since it had been started that often
  (($(of "$1" NRestarts) > $2)) && is "$1" ActiveState active
}
serves() { # serves HOST COMMIT: the node serves what the commit holds
  local address="10.0.0.${1#node}:7700"
  operator "honua environment show production --stale -o json --address $address" | jq -e --arg c "$2" '.deployedCommit == $c' &&
    root "$1" 'curl -fsS http://127.0.0.1:5000/health/ready' | jq -e '.environments[0] | .servedIndex > 0 and .servedIndex == .activeIndex'
}
approved() { # approved COMMIT [HOST…]: whatever awaits approval is approved, until all or these nodes serve the commit
  local commit=$1 id node
  shift
  (($#)) || set -- "${nodes[@]}"
  for id in $(operator 'honua deployment list -o json' | jq -r '.deployments[] | select(.state == "AwaitingApproval") | .id'); do
    operator "honua deployment approve $id --async" || true
  done
  for node in "$@"; do serves "$node" "$commit" || return; done
}
leader() { operator 'honua cluster status -o json' | jq -er .leaderId; }
well() { operator 'honua cluster status -o json' | jq -e '.hasQuorum and (.servers | length == 3 and all(.healthy and .voter))'; }
follower() { local lead node; lead=$(leader); for node in "${nodes[@]}"; do [[ $node == "$lead" ]] || { echo "$node"; return; }; done; }
commit() { # commit TITLE: a change of a title; prints its commit
  as git git "rm -rf /tmp/config && git clone -q /home/git/your-org/honua-config.git /tmp/config && cd /tmp/config &&
    sed -i 's/\"title\": \"[^\"]*\"/\"title\": \"$1\"/' environments/production/metadata.json &&
    git -c user.name=Ada -c user.email=ada@example.com commit -qam '$1' && git push -q origin HEAD:main && git rev-parse HEAD"
}

# host NAME ADDRESS FLAGS…: a container with systemd as its first process, in a cgroup of its own.
host() {
  local name=$1 address=$2
  shift 2
  docker run -d --name "$project-$name" --hostname "$name" --network "$network" --ip "$address" \
    --cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined --cgroupns=private \
    -e container=docker --stop-signal SIGRTMIN+3 --tmpfs /run --tmpfs /tmp "$@" "$image" >/dev/null
}
running() { root "$1" 'systemctl is-system-running' | grep -qx running; }

say 'hosts'
for program in docker go git jq debootstrap; do command -v "$program" >/dev/null || fail "there is no $program on this machine"; done
tarball=${HONUA_TEST_ROOT:-$work/root.tar}
[[ -e $tarball ]] || deploy/systemd/testing/root.sh "$tarball"
docker import -c 'CMD ["/bin/sh", "-c", "umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup /sys/fs/cgroup && exec /lib/systemd/systemd"]' \
  "$tarball" "$image" >/dev/null
# The addresses are the documentation's. The bridge gets none of them, so that this machine goes on reaching its own 10.0.0.1.
docker network create --internal --subnet 10.0.0.0/24 --gateway 10.0.0.254 -o com.docker.network.bridge.inhibit_ipv4=true "$network" >/dev/null
host git 10.0.0.8 --network-alias github.com
host operator 10.0.0.9
host node1 10.0.0.1 -v /var/honua
host node2 10.0.0.2 -v /var/honua
# The one that runs out of room.
host node3 10.0.0.3 --tmpfs /var/honua:size=256m
for name in git operator "${nodes[@]}"; do eventually "systemd runs on $name" running "$name"; done
root node1 'systemctl --version | head -n 1'

say 'program and checkout'
documented 'systemd build' | bash -euo pipefail
echo 'systemd build' >>"$work/ran"
for name in operator "${nodes[@]}"; do
  docker exec "$project-$name" install -d -o admin -g admin /home/admin/honua-gitops
  tar -c bin/honua deploy/install.sh deploy/rolling-restart.sh deploy/systemd | docker exec -i -u admin "$project-$name" tar -xC /home/admin/honua-gitops
done
run operator 'systemd certificates'
operator 'ssh-keygen -q -t ed25519 -N "" -f ~/.ssh/id_ed25519; ssh-keyscan 10.0.0.1 10.0.0.2 10.0.0.3 > ~/.ssh/known_hosts; cat ~/.ssh/id_ed25519.pub' >"$work/operator.pub" 2>/dev/null
for name in "${nodes[@]}"; do
  operator "tar -c pki/ca.pem pki/gossip.key pki/$name.pem pki/$name.key" | admin "$name" 'tar -x'
  admin "$name" 'mkdir -m 700 -p ~/.ssh && cat > ~/.ssh/authorized_keys' <"$work/operator.pub"
done

say 'the repository'
operator 'honua init config >/dev/null && tar -c config' | as git git 'cd /home/git && tar -x && mkdir -m 700 .ssh your-org && git clone -q --bare config your-org/honua-config.git'

say 'three nodes, as the runbook has them'
for name in "${nodes[@]}"; do
  run "$name" 'systemd install' "$(here "$name")"
  root "$name" 'cat /var/honua/.ssh/id_ed25519.pub' | root git 'cat >> /home/git/.ssh/authorized_keys; chown -R git: /home/git/.ssh'
  root "$name" 'echo GitOps__Watcher__PollIntervalSeconds=2 >> /etc/honua/honua.env'
  root "$name" 'install -o honua -m 600 /dev/stdin /var/honua/data/cities.geojson' <internal/scaffold/cities.geojson
done
for name in "${nodes[@]}"; do
  run "$name" 'systemd start'
  is "$name" Type notify
  is "$name" ActiveState active
  is "$name" UnitFileState enabled
done
eventually 'the nodes have a leader' leader
eventually 'the leader has the settings of honua.env' logged "$(leader)" '' 'every 2 seconds'
run operator 'systemd operator'
first=$(commit Towns)
eventually "all serve $first" approved "$first"
for name in "${nodes[@]}"; do
  eventually "systemctl status of $name says what it serves" status "$name" '^serving production \(activation [0-9]+\); leader node'
done
eventually 'all is well' well

say 'hardening'
root node1 'systemd-analyze security honua --no-pager --threshold=20' | tail -n 1
confined node1
probe node1 honua '/tmp,/var/tmp,writes to /var/honua'
probe node1 root ''

say 'reload'
pid=$(of node1 MainPID) from=$(cursor node1)
root node1 "sed -i 's/\"Information\"/\"Debug\"/' /etc/honua/appsettings.Production.json"
run node1 'systemd reload'
eventually 'node1 read its log levels again' logged node1 "$from" '^\[Information\] .*log levels were read again'
eventually 'node1 logs at Debug' logged node1 "$from" '^\[Debug\] '
root node1 "sed -i 's/\"Debug\"/\"Information\"/' /etc/honua/appsettings.Production.json"
run node1 'systemd reload'
is node1 MainPID "$pid"
is node1 ActiveState active
run node1 'systemd journal'

say 'a leader is killed'
old=$(leader) restarts=$(of "$(leader)" NRestarts) from=$(cursor "$(leader)")
root "$old" 'systemctl kill --kill-whom=main -s KILL honua'
eventually "$old is started again" restarted "$old" "$restarts"
logged "$old" "$from" 'status=9/KILL' >/dev/null
next=$(commit Villages)
eventually "all serve $next" approved "$next"
eventually 'all is well' well

say 'a place for backups'
root node1 'echo Backup__Directory=/srv/honua-backups >> /etc/honua/honua.env'
run node1 'systemd drop-in'
eventually 'node1 saves backups there' root node1 'ls /srv/honua-backups/*.snap'
admin node1 'sudo deploy/install.sh' >/dev/null
root node1 'cat /etc/systemd/system/honua.service.d/override.conf' >/dev/null
eventually 'all is well' well

say 'a node that hangs'
name=$(follower)
root "$name" 'mkdir -p /etc/systemd/system/honua.service.d
  printf "[Service]\nWatchdogSec=6s\n" >/etc/systemd/system/honua.service.d/watchdog.conf; systemctl daemon-reload; systemctl restart honua'
is "$name" WatchdogUSec 6s
eventually 'all is well' well
restarts=$(of "$name" NRestarts) from=$(cursor "$name")
root "$name" 'systemctl kill --kill-whom=main -s STOP honua'
eventually "the watchdog of $name ends it, and it is started again" restarted "$name" "$restarts"
logged "$name" "$from" 'Watchdog timeout' >/dev/null
root "$name" 'rm /etc/systemd/system/honua.service.d/watchdog.conf; systemctl daemon-reload; systemctl restart honua'
is "$name" WatchdogUSec 1min
eventually 'all is well' well

say 'a full disk'
restarts=$(of node3 NRestarts) from=$(cursor node3)
root node3 'fill=$(df --output=avail -B1 /var/honua | tail -n 1); fallocate -l "$fill" /var/honua/fill'
next=$(commit Hamlets)
eventually "node1 and node2 serve $next without node3" approved "$next" node1 node2
eventually 'node3 says why it ends' logged node3 "$from" 'no space left on device'
eventually 'node3 was started seven times' restarted_often node3 $((restarts + 7))
[[ $(of node3 ActiveState) != failed ]] || fail 'systemd gave node3 up'
root node3 'rm /var/honua/fill'
eventually "node3 goes on by itself and serves $next" serves node3 "$next"
eventually 'all is well' well

say 'stopped in order'
old=$(leader)
stop "$old"
eventually 'the others have a leader' led_without "$old"
root "$old" 'systemctl start honua'
is "$old" ActiveState active
eventually 'all is well' well

say 'restarted one after another'
operator 'printf "#!/bin/sh\nssh \"\$HONUA_HOST\" sudo systemctl restart honua\n" >restart.sh; chmod +x restart.sh'
declare -A before
for name in "${nodes[@]}"; do before[$name]=$(of "$name" MainPID); done
run operator rolling
for name in "${nodes[@]}"; do [[ $(of "$name" MainPID) != "${before[$name]}" ]] || fail "$name was not restarted"; done
eventually 'all is well' well

say 'a damaged disk'
run node2 repair
eventually 'all is well' well
eventually "node2 serves $next" serves node2 "$next"

say 'a majority is lost for good'
for name in "${nodes[@]}"; do root "$name" 'systemctl stop honua'; done
run node1 'systemd recover' <<<yes
eventually "node1 serves $next alone" alone node1 "$next"
for name in node2 node3; do run "$name" repair; done
eventually 'all is well' well
for name in "${nodes[@]}"; do eventually "$name serves $next" serves "$name" "$next"; done

say 'what a stopped node has for whoever helps'
root node2 'systemctl stop honua'
run node2 'systemd bundle'
root node2 'systemctl start honua'
eventually 'all is well' well

say 'a host is restarted'
docker restart -t 30 "$project-node1" >/dev/null
eventually 'systemd runs on node1' running node1
eventually "node1 is back by itself and serves $next" serves node1 "$next"
eventually 'all is well' well

say 'stopped on all hosts'
for name in "${nodes[@]}"; do
  stop "$name"
  others=$(root "$name" 'find /var/honua -not -user honua')
  [[ -z $others ]] || fail "$name: not the node's any more: $others"
done
grep -oh '^ *```console systemd.*' docs/*.md | sed 's/.*console //' | sort -u | while read -r mark; do
  grep -qx "$mark" "$work/ran" || fail "nothing here runs the blocks marked console $mark"
done
say "done: $checks checks, ${SECONDS}s"
