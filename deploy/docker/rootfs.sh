#!/usr/bin/env bash
# Builds the content of the image into a folder, with the Go toolchain at hand: rootfs.sh DIR.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$1

mkdir -p "$root"/usr/local/bin "$root"/etc/honua "$root"/etc/ssl/certs "$root"/tmp \
  "$root"/var/honua/{.ssh,gitops-repo,deployments,approvals,cluster,data}
chmod 0700 "$root"/var/honua "$root"/var/honua/*
chmod 1777 "$root"/tmp
info=github.com/honua-io/honua-gitops/internal/buildinfo
CGO_ENABLED=0 go build -trimpath \
  -ldflags "-s -w -X $info.version=${VERSION:-dev} -X $info.commit=${COMMIT:-unknown} -X $info.date=${DATE:-unknown}" \
  -o "$root/usr/local/bin/honua" ./cmd/honua
# HTTPS to a Git host needs the authorities that everybody trusts.
if [[ -e /etc/ssl/certs/ca-certificates.crt ]]; then
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
fi
printf 'honua:x:65532:65532:Honua GitOps:/var/honua:/sbin/nologin\n' >"$root/etc/passwd"
printf 'honua:x:65532:\n' >"$root/etc/group"
