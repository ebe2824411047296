#!/usr/bin/env bash
# Runs every fuzz target of the module for a while: fuzz.sh [TIME, default 10s].
# Go fuzzes one target of one package at a time, so this lists them itself.
set -euo pipefail
cd "$(dirname "$0")/../.."
time=${1:-10s}

count=0
while IFS=: read -r file target; do
  printf '\n%s (%s, %s)\n' "$target" "$(dirname "$file")" "$time"
  go test "./$(dirname "$file")" -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 1s
  count=$((count + 1))
done < <(git ls-files -co --exclude-standard '*_test.go' | sort -u |
  xargs -r grep -oHE '^func Fuzz[A-Za-z0-9_]+' | sed 's/:func /:/')
printf '\n%d fuzz targets, no failure\n' "$count"
