#!/usr/bin/env bash
# Makes the root of a Debian host with systemd, an SSH server, and an operator who has sudo: root.sh TAR. SUITE names
# another release than bookworm, MIRROR another mirror.
set -euo pipefail
tarball=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dir=$work/root

debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,sudo,openssh-server,openssh-client,git,curl,procps \
  "${SUITE:-bookworm}" "$dir" ${MIRROR:+"$MIRROR"} >"$work/log" || {
  tail -n 20 "$work/log" >&2
  exit 1
}
# git is whom the Git host's SSH server lets in.
for user in admin git; do chroot "$dir" useradd -m -s /bin/bash "$user"; done
echo 'admin ALL=(ALL) NOPASSWD: ALL' >"$dir/etc/sudoers.d/admin"
rm -rf "$dir"/var/cache/apt/archives/*.deb "$dir"/var/lib/apt/lists/* "$dir"/usr/share/{doc,man,locale}/*
tar -C "$dir" --numeric-owner -cf "$tarball" .
