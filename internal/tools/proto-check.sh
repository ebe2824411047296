#!/usr/bin/env bash
# Generates the protobuf code into a temporary directory and compares it with
# what is committed. Nothing in the working tree is touched.
set -euo pipefail
cd "$(dirname "$0")/../.."

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
go tool -modfile=internal/tools/buf/go.mod buf generate --output "$tmp"

generated() { (cd "$1" && find proto -name '*.pb.go' | LC_ALL=C sort); }
if ! diff <(generated .) <(generated "$tmp"); then
  echo "the set of generated files differs (<: committed, >: expected); run 'make proto'" >&2
  exit 1
fi
generated . | while read -r f; do
  diff -u "$f" "$tmp/$f" || { echo "$f is out of date; run 'make proto'" >&2; exit 1; }
done
echo "generated protobuf code is up to date"
