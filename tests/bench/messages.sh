#!/usr/bin/env bash
# Measures messages that are pushed over HTTP, each answered when it is durable, in turn with the peers on the same disk: at 16
# clients PostgreSQL's commits of one row, at 64 clients Redis's XADD with `appendfsync always`. Then 1,000 messages a request, the
# time from a POST to a WebSocket at 1,000 messages a second, and the longest time from the queue to the store.
#
# Bars: 0.7 of PostgreSQL, 0.3 of Redis, 100,000 messages a second, 99 of 100 at the WebSocket within 10 ms, and in the store
# within 1 s.
#
# Needs wrk, curl, python3, PostgreSQL (initdb, postgres, pgbench) and redis-server with redis-benchmark; a peer that is not
# there is left out, and said.
#
#   GANNET     the program to measure; without it, `cargo build --release` makes it
#   BENCH_DIR  a folder on the disk to measure on; default /var/tmp
#   RUNS=3  SECONDS_EACH=5
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/origin.sh"
. "$here/service.sh"
origin_need wrk curl python3

RUNS=${RUNS:-3} SECONDS_EACH=${SECONDS_EACH:-5}
if [ -z "${GANNET:-}" ]; then
    (cd "$here/../.." && cargo build --release --locked)
    GANNET=${CARGO_TARGET_DIR:-$here/../../target}/release/gannet
fi
GANNET=$(realpath "$GANNET")
service_work messages

# The peers, each in the folder.
postgres_pid= redis_pid=
peers_finish() {
    for pid in $postgres_pid $redis_pid; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    service_finish
}
trap peers_finish EXIT
initdb=$(command -v initdb || ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | tail -1 || true)
pg_bin=$(dirname "$(readlink -f "${initdb:-/none}")")
# PostgreSQL does not run as root.
as_user() { if [ "$(id -u)" = 0 ]; then exec setpriv --reuid postgres --regid postgres --clear-groups "$@"; else exec "$@"; fi; }
if [ -x "$pg_bin/initdb" ]; then
    mkdir "$work/postgres"
    [ "$(id -u)" != 0 ] || chown postgres "$work/postgres"
    (as_user "$pg_bin/initdb" -D "$work/postgres/data" -U bench --auth trust >/dev/null)
    pg_port=$(python3 "$here/measure.py" free-port)
    (as_user "$pg_bin/postgres" -D "$work/postgres/data" -p "$pg_port" -h 127.0.0.1 -k "$work/postgres" \
        >"$work/postgres.log" 2>&1) &
    postgres_pid=$!
    until "$pg_bin/psql" -h 127.0.0.1 -p "$pg_port" -U bench -d postgres -qc \
        'CREATE TABLE message (id bigserial PRIMARY KEY, body text NOT NULL)' 2>/dev/null; do
        kill -0 "$postgres_pid"
        sleep 0.2
    done
    echo "INSERT INTO message (body) VALUES ('{\"device\": \"rooms/17/window\", \"degrees\": 21.5, \"at\": \"2026-01-01T00:00:00Z\", \"note\": \"a reading of common length\"}');" >"$work/insert.sql"
else
    echo "PostgreSQL is left out: no initdb"
fi
if command -v redis-benchmark >/dev/null; then
    redis_port=$(python3 "$here/measure.py" free-port)
    mkdir "$work/redis"
    redis-server --port "$redis_port" --bind 127.0.0.1 --dir "$work/redis" --appendonly yes --appendfsync always \
        --save '' >"$work/redis.log" 2>&1 &
    redis_pid=$!
    until redis-cli -p "$redis_port" ping >/dev/null 2>&1; do
        kill -0 "$redis_pid"
        sleep 0.1
    done
else
    echo "Redis is left out: no redis-benchmark"
fi

gannet=("$GANNET" --data-dir "$work/data")
"${gannet[@]}" add https://example.org/a >/dev/null
"${gannet[@]}" disable a >/dev/null
TOKEN=$("${gannet[@]}" token create bench --role ingest 2>/dev/null)
export TOKEN
# With the worker, which persists them.
"${gannet[@]}" serve --listen 127.0.0.1:0 2>"$work/serve.log" &
SERVICE_PID=$!
until SERVICE_URL=$(sed -n 's/.* at \(http:[^ ]*\)\/$/\1/p' "$work/serve.log") && [ -n "$SERVICE_URL" ]; do
    kill -0 "$SERVICE_PID"
    sleep 0.1
done

push() { # NAME CLIENTS LINES: messages a second
    LINES=$3 wrk --threads 2 --connections "$2" --duration "${SECONDS_EACH}s" --latency --script "$here/messages.lua" \
        "$SERVICE_URL/api/v1/messages" 2>&1 >/dev/null |
        awk -v name="$1" -v each="$(($3 > 0 ? $3 : 1))" '$1 == "rate" { print name, $2 * each, $4 }'
}

empty() { # Waits until everything is persisted.
    until curl -sf "$SERVICE_URL/api/v1/queues" | python3 -c 'import json, sys
sys.exit(any(queue["depth"] for queue in json.load(sys.stdin)["queues"]))'; do sleep 0.2; done
}

for run in $(seq "$RUNS"); do
    if [ -n "$postgres_pid" ]; then
        "$pg_bin/pgbench" -h 127.0.0.1 -p "$pg_port" -U bench -n -c 16 -j 2 -T "$SECONDS_EACH" -M prepared \
            -f "$work/insert.sql" postgres 2>/dev/null | awk '/^tps/ { print "postgres", $3, 0 }'
    fi
    push gannet-16 16 0
    empty
    if [ -n "$redis_pid" ]; then
        redis-benchmark -p "$redis_port" -c 64 -n $((SECONDS_EACH * 15000)) --csv \
            XADD stream '*' body "$(sed -n "s/^local message = '\(.*\)'/\1/p" "$here/messages.lua")" |
            awk -F'","' 'END { gsub(/"/, "", $2); print "redis", $2, 0 }'
    fi
    push gannet-64 64 0
    empty
    push lines 4 1000
    empty
done | tee "$work/results"
lag=$(curl -sf "$SERVICE_URL/api/v1/queues" | python3 -c 'import json, sys
print(max(rate["lag_ms"] for queue in json.load(sys.stdin)["queues"] for rate in queue["rates"]))')
memory=$(awk '/^VmHWM/ { print int($2 / 1024) }' "/proc/$SERVICE_PID/status")
python3 "$here/push_to_socket.py" "${SERVICE_URL#http://}" "$TOKEN" | tee -a "$work/results"
python3 - "$work/results" "$lag" "$memory" <<'SUMMARY'
import statistics, sys
runs, failed = {}, 0
for line in open(sys.argv[1]):
    name, *values = line.split()
    if name == "socket:":
        print(line.strip())
        continue
    runs.setdefault(name, []).append(float(values[0]))
    failed += int(float(values[1]))
rate = {name: statistics.median(all) for name, all in runs.items()}
for ours, peer in [("gannet-16", "postgres"), ("gannet-64", "redis")]:
    ratio = f", {peer} {rate[peer]:.0f}/s, ratio {rate[ours] / rate[peer]:.2f}" if peer in rate else ""
    print(f"{ours}: {rate[ours]:.0f}/s{ratio}")
print(f"1,000 messages a request: {rate['lines']:.0f} messages/s")
print(f"longest time from the queue to the store: {sys.argv[2]} ms; most memory of the service: {sys.argv[3]} MiB; requests refused: {failed}")
SUMMARY
