# What the tests of the forms of deployment share, to be sourced by bash; $work is a folder for what commands say.

checks=0

say() { printf '\n--- %s\n' "$*"; }
ok() { checks=$((checks + 1)); echo "ok: $*"; }

eventually() { # eventually WHAT COMMAND…: the command succeeds within two minutes
  local what=$1 end=$((SECONDS + 120))
  shift
  until "$@" >"$work/out" 2>&1; do
    if ((SECONDS > end)); then
      echo "never: $what" >&2
      cat "$work/out" >&2
      return 1
    fi
    sleep 1
  done
  ok "$what"
}
