#!/usr/bin/env bash
# Runs go build with the given arguments and shows progress: from nothing it
# downloads some hundred modules and compiles for a minute or two, silently.
set -euo pipefail
go build -v "$@" 2>&1 | awk '
  /^go: downloading /  { if (++modules % 20 == 0) { print "  downloaded " modules " modules"; fflush() } next }
  /^[^ :]+$/           { if (++packages % 50 == 0) { print "  compiled " packages " packages"; fflush() } next }
                       { print; fflush() }'
