#!/usr/bin/env bash
# Fetches the same files from one nginx over HTTPS with curl, wget2 and gannet in turn, and prints medians and ratios:
# a first fetch, a re-check of what is unchanged, and a first fetch of large files; and gannet's re-check with 1 % changed
# in turn with its own without.
#
# Needs nginx, curl, wget2, openssl, python3; GNU time for exact peak memory. Only ratios within one run count.
#
#   GANNET     the program to measure; without it, `cargo build --release` makes it; `none` measures the peers alone
#   BEFORE     another build of it, of an earlier commit say, which is measured in turn as `before`
#   BENCH_DIR  a folder on the disk to measure on; default /var/tmp
#   RUNS=5 (an even number with BEFORE, which then comes first as often)  FILES=10000  BIG_FILES=50  BIG_MIB=20
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/origin.sh"
origin_need nginx curl wget2 openssl python3

RUNS=${RUNS:-5} FILES=${FILES:-10000} BIG_FILES=${BIG_FILES:-50} BIG_MIB=${BIG_MIB:-20}
if [ -z "${GANNET:-}" ]; then
    (cd "$here/../.." && cargo build --release --locked)
    GANNET=${CARGO_TARGET_DIR:-$here/../../target}/release/gannet
fi
[ "$GANNET" = none ] || GANNET=$(realpath "$GANNET")
BEFORE=${BEFORE:-}
[ -z "$BEFORE" ] || BEFORE=$(realpath "$BEFORE")

work=$(mktemp -d "${BENCH_DIR:-/var/tmp}/gannet-bench.XXXXXX")
trap 'origin_stop; rm -rf "$work"' EXIT
results=$work/results.jsonl
# Nothing of the operator's own configuration, data or logs is touched.
export HOME=$work/home XDG_CONFIG_HOME=$work/home/config XDG_DATA_HOME=$work/home/data XDG_STATE_HOME=$work/home/state
mkdir -p "$HOME"

measure() { # CASE TOOL COMMAND…
    local case=$1 tool=$2
    shift 2
    # What an earlier run left to be written is not this one's to pay.
    sync
    if ! python3 "$here/measure.py" run "$results" "$case" "$tool" -- "$@" >>"$work/output.log" 2>"$work/stderr.log"; then
        cat "$work/stderr.log" >&2
        return 1
    fi
}

# Prints a curl configuration: each file of a list with its output, its ETag saved, and compared when ETAGS is `compare`.
curl_config() { # FOLDER ETAGS
    python3 - "$ORIGIN_URL" "$work" "$CA_FILE" "$1" "$2" <<'PYTHON'
import os, sys
url, work, ca_file, folder, etags = sys.argv[1:]
for number, name in enumerate(sorted(os.listdir(f"{work}/www/{folder}"))):
    if number:
        print("next")
    print(f'url = "{url}/{folder}/{name}"\noutput = "{work}/curl/{name}"\ncacert = "{ca_file}"')
    # To a folder of its own: rewriting the file that is compared makes some file systems flush it, which curl should not pay.
    print(f'etag-save = "{work}/curl-etags-new/{name}"')
    if etags == "compare":
        print(f'etag-compare = "{work}/curl-etags/{name}"')
PYTHON
}

# What a turn no longer needs goes at the end: ext4 searches long for inodes while many were deleted a moment ago.
put_away() { # FOLDER
    [ ! -e "$1" ] || mv "$1" "$work/old/$(ls "$work/old" | wc -l)"
}

with_curl() { # CASE FOLDER first|again
    if [ "$3" = first ]; then
        put_away "$work/curl"
        mkdir -p "$work/curl" "$work/curl-etags-new"
        measure "$1" curl curl -sS -Z --parallel-max 16 -K "$work/$2-first.curl"
    else
        measure "$1" curl curl -sS -Z --parallel-max 16 -K "$work/$2-again.curl"
    fi
    put_away "$work/curl-etags"
    mv "$work/curl-etags-new" "$work/curl-etags"
    mkdir "$work/curl-etags-new"
}

with_wget2() { # CASE FOLDER first|again
    if [ "$3" = first ]; then
        put_away "$work/wget2"
        mkdir -p "$work/wget2"
    fi
    measure "$1" wget2 wget2 -q -N -i "$work/$2.list" --max-threads=5 --ca-certificate="$CA_FILE" -P "$work/wget2" \
        --no-hsts --no-hpkp --no-ocsp --no-ocsp-file --no-robots
}

with_gannet() { # CASE FOLDER first|again
    [ "$GANNET" = none ] || one_gannet gannet "$GANNET" "$@"
}

with_before() { # CASE FOLDER first|again
    [ -z "$BEFORE" ] || one_gannet before "$BEFORE" "$@"
}

one_gannet() { # TOOL PROGRAM CASE FOLDER first|again
    local tool=$1 data=$work/$1
    local gannet=("$2" --config "$work/config.toml" --data-dir "$data")
    shift 2
    if [ "$3" = first ]; then
        put_away "$data"
        "${gannet[@]}" apply "$work/$2.toml" >>"$work/output.log"
    else
        python3 "$here/files.py" due "$data/gannet.db"
    fi
    measure "$1" "$tool" "${gannet[@]}" --worker-only --json
}

in_turn() { # CASE FOLDER first|again
    with_curl "$@"
    with_wget2 "$@"
    # Whichever build comes second finds the origin's files and the program's pages warm: they take turns at being first.
    turn=$((turn + 1))
    if [ $((turn % 2)) -eq 0 ]; then
        with_before "$@"
        with_gannet "$@"
    else
        with_gannet "$@"
        with_before "$@"
    fi
}
turn=0

printf 'making %s files of 4 KiB and %s of %s MiB in %s\n' "$FILES" "$BIG_FILES" "$BIG_MIB" "$work"
mkdir -p "$work/www" "$work/old"
python3 "$here/files.py" small "$work/www/small" "$FILES"
python3 "$here/files.py" big "$work/www/big" "$BIG_FILES" "$BIG_MIB"
origin_start "$work" "$work/www"
for folder in small big; do
    python3 "$here/files.py" sources "$ORIGIN_URL" "$work/www/$folder" 7d >"$work/$folder.toml"
    sed -n 's/^address = "\(.*\)"$/\1/p' "$work/$folder.toml" >"$work/$folder.list"
    curl_config "$folder" save >"$work/$folder-first.curl"
    curl_config "$folder" compare >"$work/$folder-again.curl"
done
# As many at once as curl has: with 64, the handshakes of the others cost more than they bring.
printf '[fetch]\nca_file = "%s"\nper_host = 16\ntotal = 16\n' "$CA_FILE" >"$work/config.toml"

first="$FILES files of 4 KiB, first"
unchanged="$FILES files of 4 KiB, all unchanged"
own="$FILES files of 4 KiB, all unchanged, beside those with 1 % changed"
changed="$FILES files of 4 KiB, 1 % changed"
large="$BIG_FILES files of $BIG_MIB MiB, first"

# The first of each is a warm-up.
in_turn warm-up small first
for _ in $(seq "$RUNS"); do in_turn "$first" small first; done
in_turn warm-up small again
for _ in $(seq "$RUNS"); do in_turn "$unchanged" small again; done
# What changes cost is compared with our own re-check alone, in turn with that, and as many files are written before that.
# A replaced file keeps a second name, as what a turn no longer needs does: an hour lies between two passes in earnest.
mkdir "$work/beside"
cp -r "$work/www/small" "$work/beside/small"
own_turn() { # CASE FOLDER TURN
    [ "$GANNET" != none ] || return 0
    python3 "$here/files.py" change "$2/small" 1 "$3"
    cp -al "$work/gannet/published" "$work/old/$(ls "$work/old" | wc -l)"
    with_gannet "$1" small again
}
for turn in $(seq "$RUNS"); do
    own_turn "$own" "$work/beside" "$turn"
    own_turn "$changed" "$work/www" "$turn"
done
in_turn warm-up small again
check() { # every file that a tool holds is the origin's
    [ "$(ls "$work/$1" | wc -l)" -eq "$FILES" ] && diff -rq "$work/www/small" "$work/$1"
}
check curl
check wget2
# Each re-check was conditional: curl holds an ETag of every file.
[ "$(find "$work/curl-etags" -type f -size +0 | wc -l)" -eq "$FILES" ]
if [ "$GANNET" != none ]; then diff -rq "$work/www/small" "$work"/gannet/published/*/small; fi
for _ in $(seq "$RUNS"); do in_turn "$large" big first; done

grep -v '"warm-up"' "$results" >"$work/counted.jsonl"
python3 "$here/measure.py" report "$work/counted.jsonl"
if [ "$GANNET" != none ]; then
    python3 "$here/measure.py" compare "$work/counted.jsonl" gannet "$changed" "$own"
    printf '\nwhat gannet said last:\n'
    tail -n 12 "$work/output.log"
fi
