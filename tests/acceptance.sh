#!/usr/bin/env bash
# The whole job over a shell: 50 sources of several kinds at a local nginx, five passes while files change, and every claim
# held against the files themselves. Prints the commands and what they say; ends with 1 on any mismatch.
#
# Needs nginx, curl, openssl, python3 3.11.
#
#   GANNET  the program; without it, `cargo build --release` makes it
#   KEEP=1  leave the working folder behind
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/bench/origin.sh"
origin_need nginx curl openssl python3

if [ -z "${GANNET:-}" ]; then
    (cd "$here/.." && cargo build --release --locked)
    GANNET=${CARGO_TARGET_DIR:-$here/../target}/release/gannet
fi
GANNET=$(realpath "$GANNET")
work=$(mktemp -d "${TMPDIR:-/var/tmp}/gannet-acceptance.XXXXXX")
stalling_pid=
finish() {
    origin_stop
    if [ -n "$stalling_pid" ]; then kill "$stalling_pid" 2>/dev/null || true; fi
    if [ -n "${KEEP:-}" ]; then printf 'kept: %s\n' "$work"; else rm -rf "$work"; fi
}
trap finish EXIT

# Nothing of the operator's own configuration, data or logs is touched.
export HOME=$work/home XDG_CONFIG_HOME=$work/home/config XDG_DATA_HOME=$work/home/data XDG_STATE_HOME=$work/home/state
mkdir -p "$HOME"
export ACCEPTANCE_TOKEN=a-token-that-must-never-be-seen
command=("$GANNET" --config "$work/config.toml" --data-dir "$work/data")
wrong=0

# Runs gannet and shows command and output, cut to a few lines. The exit code must be CODE.
try() { # CODE ARGUMENT…
    local expected=$1 code=0
    shift
    printf '\n$ gannet%s\n' "$(printf ' %q' "$@")"
    "${command[@]}" "$@" >"$work/stdout" 2>"$work/stderr" || code=$?
    head -n "${LINES_SHOWN:-6}" "$work/stdout" "$work/stderr" | grep -v -e '^==>' -e '^$' | cut -c 1-160 || true
    if [ "$code" -ne "$expected" ]; then
        printf 'MISMATCH exit code %s, expected %s\n' "$code" "$expected"
        wrong=1
    fi
}

must() { # WHAT COMMAND…
    local what=$1
    shift
    if "$@"; then printf '  holds: %s\n' "$what"; else
        printf 'MISMATCH %s\n' "$what"
        wrong=1
    fi
}

printf '== the origin\n'
cat >"$work/locations.conf" <<'CONF'
location = /loop { return 302 /loop; }
# Only who shows the token gets it.
location = /notes-12.txt {
    if ($http_authorization != "Bearer a-token-that-must-never-be-seen") { return 403; }
}
CONF
python3 "$here/acceptance/files.py" 1 "$work"
origin_start "$work" "$work/www" "$work/locations.conf"
stalling_port=$(python3 "$here/bench/measure.py" free-port)
python3 "$here/acceptance/stalling_server.py" "$work/origin/leaf.pem" "$work/origin/leaf.key" "$stalling_port" &
stalling_pid=$!
printf '  %s, and https://127.0.0.1:%s that never answers\n' "$ORIGIN_URL" "$stalling_port"

cat >"$work/check-prices.sh" <<'SH'
#!/bin/sh
# Every price is above zero.
awk -F, 'NR > 1 && $2 + 0 <= 0 { print "line " NR ": " $0; bad = 1 } END { exit bad }' "$1"
SH
cat >"$work/config.toml" <<CONF
[fetch]
ca_file = "$CA_FILE"
read_timeout = "3s"
max_tries = 1

[[verifier]]
name = "not-html"
sources = ["*"]
builtin = "not-html"

[[verifier]]
name = "json"
sources = ["*.json"]
builtin = "json"

[[verifier]]
name = "prices"
sources = ["tag:prices"]
command = ["/bin/sh", "$work/check-prices.sh", "{path}"]
timeout = "30s"
CONF

printf '\n== what is refused\n'
LINES_SHOWN=2
try 2 add "$ORIGIN_URL/notes-01.txt" 30m
try 2 add "$ORIGIN_URL/notes-01.txt" 0h
try 2 add ftp://127.0.0.1/notes-01.txt
try 2 add notes-01.txt
try 2 add 'https://joe:secret@127.0.0.1/notes-01.txt'

printf '\n== 50 sources\n'
for name in $(python3 -c 'import json, sys; print(*json.load(open(sys.argv[1])))' "$work/expected.json"); do
    address=$ORIGIN_URL/$name more=()
    case $name in
        stalled.txt) address=https://127.0.0.1:$stalling_port/$name ;;
        notes-12.txt) more=(--header 'Authorization: Bearer ${ACCEPTANCE_TOKEN}') ;;
        *.csv) more=(--tag prices) ;;
    esac
    try 0 add "$address" 1h --name "$name" --allow-private "${more[@]}" >"$work/added"
    case $name in *01.* | notes-12.txt | stalled.txt) cat "$work/added" ;; esac
    if grep -q MISMATCH "$work/added"; then cat "$work/added"; fi
done
try 2 add "$ORIGIN_URL/notes-02.txt" 1h --name other --allow-private

LINES_SHOWN=6
for pass in 1 2 3 4 5; do
    printf '\n== pass %s\n' "$pass"
    # The origin's files of the first pass are there since it started. A pass with failures ends with 1.
    if [ "$pass" -eq 1 ]; then
        try 1 --worker-only --json
    else
        python3 "$here/acceptance/files.py" "$pass" "$work"
        try 1 fetch '*' --json
    fi
    must "the summary of pass $pass" python3 "$here/acceptance/check.py" summary "$work" "$pass" <"$work/stdout"
done

printf '\n== what is told\n'
LINES_SHOWN=12
try 0 list
try 0 history negative.csv
try 0 history missing.txt
try 0 history loop
try 0 history stalled.txt
try 0 show broken.json
try 0 diff prices-03.csv~1 prices-03.csv
try 0 log --source error-page.txt
try 0 verify prices-01.csv

printf '\n== what holds\n'
must 'attempts, versions byte for byte, verdicts, published files, events' \
    python3 "$here/acceptance/check.py" state "$work" "${command[@]}"
must 'the log file has lines of JSON' python3 - "$work/data/log" <<'PYTHON'
import json, pathlib, sys
files = [path for path in pathlib.Path(sys.argv[1]).rglob("*") if path.is_file()]
lines = [line for path in files for line in path.read_text("utf-8").splitlines()]
for line in lines:
    json.loads(line)
print(f"  {len(lines)} lines in {len(files)} file(s)")
sys.exit(not lines)
PYTHON
no_secret() { ! grep -rqF "$ACCEPTANCE_TOKEN" "$work/data" "$work/home"; }
must 'the secret is in no file that gannet wrote' no_secret

if [ "$wrong" -ne 0 ]; then
    printf '\nnot accepted\n'
    exit 1
fi
printf '\naccepted\n'
