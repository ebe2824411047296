#!/usr/bin/env bash
# Installs the Debian packages that the tests in this folder need. Needs root and a network.
set -euo pipefail

packages=(
  git make curl jq openssl openssh-server openssh-client prometheus systemd util-linux mount e2fsprogs strace iproute2 nftables
  postgresql-15 postgresql-15-postgis-3
)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive
# The tests start servers of their own: the package need not make one on the standard port.
mkdir -p /etc/postgresql-common/createcluster.d
echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/honua.conf
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}"
