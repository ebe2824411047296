#!/usr/bin/env bash
# Restarts all nodes of a cluster, or those that are named, one after another: the leader last, each only when the one
# before is ready, has caught up and the cluster has its quorum. It ends at the first that is not, and says why.
#
#   HONUA_ADDRESS=10.0.0.1:7700,10.0.0.2:7700,10.0.0.3:7700 deploy/rolling-restart.sh
#   deploy/rolling-restart.sh --binary bin/honua            # an upgrade: installs the program on each node first
#   deploy/rolling-restart.sh --command './restart.sh "$HONUA_NODE"' node2 node3
#
# Without --command, nodes are systemd units that are reached over ssh, as root or by sudo without a password. Access to
# the cluster is that of honua: HONUA_ADDRESS, HONUA_CA, HONUA_CERT, HONUA_KEY, HONUA_TOKEN.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: rolling-restart.sh [flags] [NODE…]

  --command COMMAND   restarts one node: a command for sh, with HONUA_NODE and HONUA_HOST set
                      (ssh HONUA_HOST sudo systemctl restart honua)
  --unit NAME         the systemd unit (honua)
  --user NAME         who ssh logs in as (whoever runs this)
  --binary FILE       install this program as /usr/local/bin/honua on each node before it is restarted
  --within DURATION   how long a node may take (2m)
  --honua FILE        the honua program to use here (honua)
TEXT
}

die() { echo "rolling-restart.sh: $*" >&2; exit 1; }

command='' unit=honua user='' binary='' within=2m honua=honua nodes=()
while (($#)); do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --command | --unit | --user | --binary | --within | --honua)
      (($# > 1)) || die "$1 needs a value"
      printf -v "${1#--}" %s "$2"; shift 2 ;;
    -*) usage >&2; die "unknown flag: $1" ;;
    *) nodes+=("$1"); shift ;;
  esac
done
command -v "$honua" >/dev/null || die "there is no program $honua: name it with --honua"
[[ -z $command || -z $binary ]] || die 'with --command, have the command install the program'

if [[ -z $command ]]; then
  target='${HONUA_HOST}'
  [[ -z $user ]] || target="$user@$target"
  if [[ -n $binary ]]; then
    [[ -x $binary ]] || die "no program at $binary: run make build, or name it with --binary"
    export ROLLING_BINARY=$binary
    # Put beside its place and renamed: the program that runs is never written to.
    command="ssh \"$target\" 'sudo install -m 0755 /dev/stdin /usr/local/bin/honua.new && sudo mv /usr/local/bin/honua.new /usr/local/bin/honua' < \"\$ROLLING_BINARY\" && "
  fi
  command+="ssh \"$target\" sudo systemctl restart $unit"
fi
exec "$honua" cluster rolling-restart --within "$within" --command "$command" "${nodes[@]}"
