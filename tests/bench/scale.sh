#!/usr/bin/env bash
# Measures gannet with many sources: a first pass, a re-check, and `--worker-only` with nothing due, each with its peak
# memory. There is no peer here: the figures are held against the bars of the project.
#
# Needs nginx, curl, openssl, python3; GNU time for exact peak memory.
#
#   GANNET     the program to measure; without it, `cargo build --release` makes it
#   BEFORE     another build of it, of an earlier commit say, which is measured in turn as `before`
#   BENCH_DIR  a folder on the disk to measure on; default /var/tmp
#   SOURCES='10000 100000'  RUNS=3 (re-checks)  IDLE_RUNS=21 (passes with nothing due)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/origin.sh"
origin_need nginx curl openssl python3

SOURCES=${SOURCES:-10000 100000} RUNS=${RUNS:-3} IDLE_RUNS=${IDLE_RUNS:-21}
if [ -z "${GANNET:-}" ]; then
    (cd "$here/../.." && cargo build --release --locked)
    GANNET=${CARGO_TARGET_DIR:-$here/../../target}/release/gannet
fi
GANNET=$(realpath "$GANNET")
BEFORE=${BEFORE:-}
[ -z "$BEFORE" ] || BEFORE=$(realpath "$BEFORE")

work=$(mktemp -d "${BENCH_DIR:-/var/tmp}/gannet-scale.XXXXXX")
trap 'origin_stop; rm -rf "$work"' EXIT
results=$work/results.jsonl
export HOME=$work/home XDG_CONFIG_HOME=$work/home/config XDG_DATA_HOME=$work/home/data XDG_STATE_HOME=$work/home/state
mkdir -p "$HOME" "$work/www"

gannet() { # SOURCES ARGUMENT…
    local count=$1
    shift
    "$GANNET" --config "$work/config.toml" --data-dir "$work/data-$count" "$@"
}

measure() { # CASE SOURCES ARGUMENT…
    one gannet "$GANNET" "data" "$@"
    [ -z "$BEFORE" ] || one before "$BEFORE" "before" "$@"
}

one() { # TOOL PROGRAM FOLDER CASE SOURCES ARGUMENT…
    local tool=$1 program=$2 folder=$work/$3-$5 case=$4
    shift 5
    python3 "$here/measure.py" run "$results" "$case" "$tool" -- \
        "$program" --config "$work/config.toml" --data-dir "$folder" "$@" >>"$work/output.log"
}

due() { # SOURCES
    python3 "$here/files.py" due "$work/data-$1/gannet.db"
    [ -z "$BEFORE" ] || python3 "$here/files.py" due "$work/before-$1/gannet.db"
}

for count in $SOURCES; do
    printf 'making %s files of 512 bytes in %s\n' "$count" "$work"
    python3 "$here/files.py" small "$work/www/$count" "$count" 512
done
origin_start "$work" "$work/www"
printf '[fetch]\nca_file = "%s"\nper_host = 64\ntotal = 64\n' "$CA_FILE" >"$work/config.toml"

for count in $SOURCES; do
    python3 "$here/files.py" sources "$ORIGIN_URL" "$work/www/$count" 7d >"$work/$count.toml"
    measure "$count sources: apply" "$count" apply "$work/$count.toml"
    # So much is printed by the plan that the log is emptied.
    : >"$work/output.log"
    measure "$count sources: first pass" "$count" --worker-only --json
    for _ in $(seq "$RUNS"); do
        due "$count"
        measure "$count sources: re-check, all unchanged" "$count" --worker-only --json
    done
    for _ in $(seq "$IDLE_RUNS"); do
        measure "$count sources: nothing due" "$count" --worker-only
    done
    gannet "$count" list --json | python3 -c '
import json, sys
count = int(sys.argv[1])
good = [row for row in json.load(sys.stdin) if row["version_id"] and row["failures"] == 0]
sys.exit(None if len(good) == count else f"{len(good)} of {count} sources have a version")
' "$count"
done

python3 "$here/measure.py" report "$results"
