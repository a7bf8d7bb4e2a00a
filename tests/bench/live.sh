#!/usr/bin/env bash
# Measures the live feed: the time from a commit to 2,000 clients, and a pass over files that are unchanged while 500
# clients follow, in turn with one that nobody follows. Bars: 99 of 100 events within 100 ms, and 1.25 times the time.
#
# Those 500 clients, which are on other machines as a rule, run with the lowest priority here: what they have not read yet
# waits in the sockets. They offer compression, as browsers do. At the end each of them must have received every event.
#
# Needs nginx, curl, openssl, python3.
#
#   GANNET, LIVE  the program and the clients (`cargo bench --no-run --bench live` makes them) to measure with; without
#                 them, `cargo bench` makes both
#   BENCH_DIR     a folder on the disk to measure on; default /var/tmp
#   SOURCES=10000  CLIENTS=500  RUNS=3
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/origin.sh"
. "$here/service.sh"
origin_need nginx curl openssl python3

SOURCES=${SOURCES:-10000} CLIENTS=${CLIENTS:-500} RUNS=${RUNS:-3}
if [ -z "${GANNET:-}" ] || [ -z "${LIVE:-}" ]; then
    made=$(cd "$here/../.." && cargo build --release --locked && cargo bench --locked --no-run --bench live --message-format=json)
    LIVE=$(python3 -c 'import json, sys
for line in sys.stdin:
    made = json.loads(line)
    if made.get("executable") and made["target"]["name"] == "live": print(made["executable"])' <<<"$made")
    GANNET=${CARGO_TARGET_DIR:-$here/../../target}/release/gannet
fi
GANNET=$(realpath "$GANNET")
"$LIVE" measure "$GANNET"

service_work live
ulimit -n "$(ulimit -Hn)"

python3 "$here/files.py" small "$work/www/files" "$SOURCES" 512
origin_start "$work" "$work/www"
printf '[fetch]\nca_file = "%s"\nper_host = 64\ntotal = 64\n' "$CA_FILE" >"$work/config.toml"
gannet=("$GANNET" --config "$work/config.toml" --data-dir "$work/data")
python3 "$here/files.py" sources "$ORIGIN_URL" "$work/www/files" 7d >"$work/sources.toml"
"${gannet[@]}" apply "$work/sources.toml" >/dev/null
"${gannet[@]}" --worker-only >/dev/null
service_start "${gannet[@]}"
address=${SERVICE_URL#http://}

pass() { # NAME: times a pass over all sources
    python3 "$here/files.py" due "$work/data/gannet.db"
    local begun ended
    begun=$(date +%s%N)
    "${gannet[@]}" --worker-only >/dev/null
    ended=$(date +%s%N)
    echo "$1 $(((ended - begun) / 1000000))"
}

for _ in $(seq "$RUNS"); do
    pass alone
    # The service reads its events meanwhile: the first clients would get the last of them.
    sleep 1
    mkfifo "$work/hold"
    nice -n 19 "$LIVE" follow "$address" "$CLIENTS" <"$work/hold" >"$work/follow.log" &
    follow=$!
    exec 7>"$work/hold"
    until grep -q follow "$work/follow.log"; do kill -0 "$follow"; sleep 0.1; done
    pass followed
    exec 7>&-
    wait "$follow"
    cat "$work/follow.log" >&2
    rm "$work/hold"
done | tee "$work/results"
python3 - "$work/results" "$CLIENTS" "$SOURCES" <<'SUMMARY'
import statistics, sys
runs = {}
for line in open(sys.argv[1]):
    name, ms = line.split()
    runs.setdefault(name, []).append(int(ms))
alone, followed = (statistics.median(runs[name]) for name in ("alone", "followed"))
print(f"a pass over {sys.argv[3]} files: {alone} ms, {followed} ms while {sys.argv[2]} clients of low priority follow, ratio {followed / alone:.2f}")
SUMMARY
