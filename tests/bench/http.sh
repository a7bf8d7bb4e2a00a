#!/usr/bin/env bash
# Measures `gannet serve` with wrk (64 connections): published files of 4 KiB in turn with nginx over the same folder, a page
# of 100 out of 100,000 sources, and one source.
#
# Needs nginx, wrk, curl, openssl, python3.
#
#   GANNET     the program to measure; without it, `cargo build --release` makes it
#   BENCH_DIR  a folder on the disk to measure on; default /var/tmp
#   RUNS=5  SECONDS_EACH=5  SOURCES=100000
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/origin.sh"
. "$here/service.sh"
origin_need nginx wrk curl openssl python3

RUNS=${RUNS:-5} SECONDS_EACH=${SECONDS_EACH:-5} SOURCES=${SOURCES:-100000}
if [ -z "${GANNET:-}" ]; then
    (cd "$here/../.." && cargo build --release --locked)
    GANNET=${CARGO_TARGET_DIR:-$here/../../target}/release/gannet
fi
GANNET=$(realpath "$GANNET")

service_work http

# One published file of 4 KiB, which nginx serves as well, and many sources that are not fetched.
head -c 3072 /dev/urandom | base64 -w 0 >"$work/www/file.txt"
nginx=127.0.0.1:$(python3 "$here/measure.py" free-port)
printf 'listen %s;\nlocation /files/ { alias %s/data/published/; }\n' "$nginx" "$work" >"$work/more.conf"
origin_start "$work" "$work/www" "$work/more.conf"
printf '[fetch]\nca_file = "%s"\n' "$CA_FILE" >"$work/config.toml"
gannet=("$GANNET" --config "$work/config.toml" --data-dir "$work/data")
"${gannet[@]}" add "$ORIGIN_URL/file.txt" --allow-private >/dev/null
"${gannet[@]}" --worker-only
awk -v count="$SOURCES" 'BEGIN {
    for (i = 1; i < count; i++) printf "[[source]]\naddress = \"https://example.org/%d\"\nname = \"s%06d\"\nenabled = false\n", i, i
}' >"$work/sources.toml"
"${gannet[@]}" apply "$work/sources.toml" >/dev/null
file=files/$(cd "$work/data/published" && find . -type f | sed 's/^\.\///')

service_start "${gannet[@]}"
base=$SERVICE_URL
cmp <(curl -sf "http://$nginx/$file") <(curl -sf "$base/$file")

load() { # URL: prints requests a second and the 99th percentile in ms
    wrk --threads 2 --connections 64 --duration "${SECONDS_EACH}s" --latency "$1" | awk '
        function ms(text) { return text ~ /us$/ ? text / 1000 : text ~ /ms$/ ? text + 0 : text * 1000 }
        /Non-2xx/ { print "errors: " $0 > "/dev/stderr"; exit 1 }
        $1 == "99%" { p99 = ms($2) }
        $1 == "Requests/sec:" { print $2, p99 }'
}

for run in $(seq "$RUNS"); do
    echo "files-nginx $(load "http://$nginx/$file")"
    echo "files-gannet $(load "$base/$file")"
    echo "list $(load "$base/api/v1/sources?limit=100")"
    echo "source $(load "$base/api/v1/sources/2")"
done | tee "$work/results"
python3 - "$work/results" <<'SUMMARY'
import statistics, sys
runs = {}
for line in open(sys.argv[1]):
    name, rate, p99 = line.split()
    runs.setdefault(name, []).append((float(rate), float(p99)))
rate = {name: statistics.median(one[0] for one in all) for name, all in runs.items()}
p99 = {name: statistics.median(one[1] for one in all) for name, all in runs.items()}
print(f"files of 4 KiB: gannet {rate['files-gannet']:.0f}/s, nginx {rate['files-nginx']:.0f}/s, ratio {rate['files-gannet'] / rate['files-nginx']:.2f}")
print(f"page of 100 sources: {rate['list']:.0f}/s, p99 {p99['list']:.1f} ms")
print(f"one source: {rate['source']:.0f}/s, p99 {p99['source']:.1f} ms")
SUMMARY
