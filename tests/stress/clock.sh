#!/usr/bin/env bash
# A clock that jumps under the real program: by libfaketime (Debian package `faketime`).
# Usage: tests/stress/clock.sh [PROGRAM]
set -euo pipefail
program=${1:-target/debug/gannet}
library=$(ls /usr/lib/*/faketime/libfaketime.so.1 2>/dev/null | head -1 || true)
[ -n "$library" ] || { echo "clock.sh: skipped: libfaketime is not there (apt-get install faketime)"; exit 0; }

home=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$home"' EXIT
mkdir "$home/served"
echo one >"$home/served/a"
python3 -u -m http.server 0 --bind 127.0.0.1 --directory "$home/served" >"$home/server.log" 2>&1 &
server=$!
until port=$(grep -o 'port [0-9]*' "$home/server.log" | cut -d' ' -f2) && [ -n "$port" ]; do :; done
export HOME=$home GANNET_DATA_DIR=$home/data GANNET_CONFIG=$home/config.toml
: >"$GANNET_CONFIG"

requests() { grep -c '"GET /a' "$home/server.log" || true; }
# Runs the program by a clock that is off by $1.
at() {
  local off=$1; shift
  LD_PRELOAD=$library FAKETIME=$off FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1 "$program" "$@"
}
fail() { echo "clock.sh: $*"; exit 1; }

"$program" add "http://127.0.0.1:$port/a" 1h --allow-http --allow-private >/dev/null
"$program" --worker-only

# One pass by a wrong clock, either way: by the right one the source is tried again within its interval of 1 h, and an hour.
hour=0
for off in 2 30 8760 60000 -2 -8760 -60000; do
  hour=$((hour + 4))
  at "$(printf %+dh $((hour + off)))" --worker-only
  before=$(requests)
  # As cron does, each hour.
  for later in 0 1 2; do at "$(printf %+dh $((hour + later)))" --worker-only; done
  [ "$(requests)" -gt "$before" ] || fail "after a pass by a clock off by $off h the source is not tried within 2 h"
done
"$program" log --json | grep -q times.mended || fail "no event says that times were mended"

# A worker that stays, whose clock is set back by a year while it sleeps: it wakes within a minute or two.
clock=$home/clock
echo '+400d' >"$clock"
before=$(requests)
LD_PRELOAD=$library FAKETIME_TIMESTAMP_FILE=$clock FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 \
  DONT_FAKE_MONOTONIC=1 "$program" --worker-only --loop >"$home/worker.log" 2>&1 &
worker=$!
for _ in $(seq 100); do [ "$(requests)" -gt "$before" ] && break; sleep 0.1; done
[ "$(requests)" -gt "$before" ] || fail "the worker that stays does not begin"
sleep 2
before=$(requests)
echo '+0d' >"$clock"
for _ in $(seq 150); do [ "$(requests)" -gt "$before" ] && break; sleep 1; done
kill "$worker"; wait "$worker" || true
[ "$(requests)" -gt "$before" ] || fail "a worker that stays sleeps on after its clock was set back"
echo "clock.sh: good"
