#!/usr/bin/env bash
# Installs or updates one Honua node on a Linux host with systemd: user, directories, program, unit, and a first
# configuration if there is none. It starts nothing and overwrites no configuration, so it can be run again.
#
#   sudo deploy/install.sh --repository git@github.com:your-org/honua-config.git --environment production
#   sudo deploy/install.sh --repository … --node node1 --advertise 10.0.0.1 --peers 10.0.0.1,10.0.0.2,10.0.0.3
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: install.sh [flags]

  --repository URL     Git repository of the configuration; needed for a first configuration
  --branch NAME        branch to watch (main)
  --environment NAME   environment to serve (production)
  --node ID            this node's name (the host's name)
  --advertise HOST     name or address by which the other nodes reach this one
  --peers HOST,HOST,…  all nodes of the cluster, this one included; without it, a cluster of one
  --binary FILE        the program (bin/honua of this checkout)
  --root DIR           install below DIR instead of /
TEXT
}

die() { echo "install.sh: $*" >&2; exit 1; }

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root='' repository='' branch=main environment=production advertise='' peers=''
node=$(hostname) binary=$here/../bin/honua
while (($#)); do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --repository | --branch | --environment | --node | --advertise | --peers | --binary | --root)
      (($# > 1)) || die "$1 needs a value"
      printf -v "${1#--}" %s "$2"; shift 2 ;;
    *) usage >&2; die "unknown argument: $1" ;;
  esac
done
((EUID == 0)) || die 'run it as root'
[[ -x $binary ]] || die "no program at $binary: run make build, or name it with --binary"
for value in "$repository" "$branch" "$environment" "$node" "$advertise" "$peers"; do
  [[ $value != *[\"\\[:cntrl:]]* ]] || die "a value has a quote, a backslash or a control character: $value"
done

# The user, known by number below --root, where names of this host mean nothing.
install -d -m 0755 "$root/etc" "$root/usr/local/bin" "$root/etc/systemd/system"
if ! grep -qs '^honua:' "$root/etc/passwd"; then
  systemd-sysusers ${root:+--root="$root"} - <"$here/systemd/honua.sysusers"
fi
owner=$(awk -F: '$1 == "honua" { print $3 ":" $4 }' "$root/etc/passwd")
[[ -n $owner ]] || die 'the user honua was not created'

own() { # own MODE DIRECTORY…
  local mode=$1; shift
  install -d -m "$mode" -o "${owner%:*}" -g "${owner#*:}" "$@"
}
own 0700 "$root"/var/honua "$root"/var/honua/{.ssh,gitops-repo,deployments,approvals,cluster,data}
install -d -m 0750 -o 0 -g "${owner#*:}" "$root/etc/honua" "$root/etc/honua/tls"

# Replaced by a rename: the program may be running.
install -m 0755 "$binary" "$root/usr/local/bin/.honua.new"
mv -f "$root/usr/local/bin/.honua.new" "$root/usr/local/bin/honua"
install -m 0644 "$here/systemd/honua.service" "$root/etc/systemd/system/honua.service"

quoted() { # quoted SUFFIX HOST,HOST,… : "HOST:SUFFIX", …
  local out='' host
  for host in ${2//,/ }; do out+="${out:+, }\"$host:$1\""; done
  printf %s "$out"
}
cluster() {
  if [[ -z $peers ]]; then
    printf '    "RaftAddress": "127.0.0.1:7701",\n    "GossipAddress": "127.0.0.1:7702"\n'
    return
  fi
  local count
  count=$(tr ',' '\n' <<<"$peers" | grep -c .)
  printf '    "AdvertiseHost": "%s",\n    "BootstrapExpect": %d,\n    "Join": [%s],\n' "$advertise" "$count" "$(quoted 7702 "$peers")"
  printf '    // 32 random bytes in base64, the same on every node: head -c 32 /dev/urandom | base64 > gossip.key\n'
  # shellcheck disable=SC2016 # the node expands it
  printf '    "GossipKey": "${file:/etc/honua/tls/gossip.key}",\n'
  printf '    "Tls": { "CaFile": "/etc/honua/tls/ca.pem", "CertFile": "/etc/honua/tls/node.pem", "KeyFile": "/etc/honua/tls/node.key" }\n'
}
settings() {
  local grpc=:7700
  [[ -n $peers ]] || grpc=127.0.0.1:7700
  cat <<JSON
// A Honua node; docs/configuration.md has every key. Check it: sudo -u honua honua config check $1
{
  "GitOps": {
    "RepositoryUrl": "$repository",
    "RepositoryPath": "/var/honua/gitops-repo",
    "StateDirectory": "/var/honua/deployments",
    "ApprovalDirectory": "/var/honua/approvals",
    "Credentials": { "SshKeyFile": "", "SshKnownHostsFile": "" },
    "Watcher": { "Branch": "$branch", "Environment": "$environment", "PollIntervalSeconds": 30 }
  },
  "Registry": { "DataDirectory": "/var/honua/data" },
  "Cluster": {
    "NodeId": "$node",
    "DataDirectory": "/var/honua/cluster",
$(cluster)
  },
  "Api": { "GrpcAddress": "$grpc", "HttpAddress": ":5000" },
  "Serilog": { "MinimumLevel": { "Default": "Information" } }
}
JSON
}
file=/etc/honua/appsettings.Production.json
if [[ -e $root$file ]]; then
  echo "kept $file"
elif [[ -n $repository ]]; then
  [[ -z $peers || -n $advertise ]] || die '--peers needs --advertise'
  settings "$file" >"$root$file.new"
  chmod 0640 "$root$file.new"
  chown "0:${owner#*:}" "$root$file.new"
  mv "$root$file.new" "$root$file"
  echo "wrote $file"
else
  echo "no $file yet: write it, or run this again with --repository"
fi
if [[ ! -e $root/etc/honua/honua.env ]]; then
  install -m 0600 /dev/null "$root/etc/honua/honua.env"
fi

if [[ -z $root ]]; then
  systemctl daemon-reload
fi
cat <<TEXT
installed $("$binary" version 2>/dev/null | head -n 1)
next: sudo -u honua honua config check --git $file
      sudo systemctl enable --now honua     (after an update: sudo systemctl restart honua)
      sudo journalctl -u honua -f
TEXT
