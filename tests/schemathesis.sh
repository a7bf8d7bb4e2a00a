#!/usr/bin/env bash
# Tries the API with requests made from its own description, right and wrong ones: schemathesis with every check and phase
# against a running service with a small store. Fails when a check finds something.
#
# Needs nginx, curl, openssl, python3, and schemathesis (`pip install schemathesis==4.32.5`).
#
#   GANNET         the program to try; without it, `cargo build` makes it
#   SCHEMATHESIS   the command; default `schemathesis`
#   EXAMPLES=300   cases per operation and phase
#   KEEP=1         leave the working folder behind
#   MAX_SECONDS=   time for all phases; without it, each phase ends with its cases
#   Arguments are passed on to schemathesis, such as `--include-path /api/v1/sources` or `--seed 1`.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
SCHEMATHESIS=${SCHEMATHESIS:-schemathesis}
. "$here/bench/origin.sh"
origin_need nginx curl openssl python3 "$SCHEMATHESIS"
if [ -z "${GANNET:-}" ]; then
    (cd "$here/.." && cargo build --locked)
    GANNET=${CARGO_TARGET_DIR:-$here/../target}/debug/gannet
fi
GANNET=$(realpath "$GANNET")

work=$(mktemp -d "${TMPDIR:-/var/tmp}/gannet-schemathesis.XXXXXX")
service=
finish() {
    [ -z "$service" ] || kill "$service" 2>/dev/null || true
    origin_stop
    if [ -n "${KEEP:-}" ]; then printf 'kept: %s\n' "$work"; else rm -rf "$work"; fi
}
trap finish EXIT
export HOME=$work/home XDG_CONFIG_HOME=$work/home/config XDG_DATA_HOME=$work/home/data XDG_STATE_HOME=$work/home/state
mkdir -p "$HOME" "$work/www"
chmod 755 "$work"

# A store with something of everything: versions that differ, a failed fetch, a verifier that people answer for, a set.
origin_start "$work" "$work/www"
cat >"$work/config.toml" <<CONFIG
[fetch]
ca_file = "$CA_FILE"
max_tries = 1
[http]
read = "users"
allowed_secrets = ["PASSWORD"]
[[verifier]]
name = "legal"
sources = ["tag:judged"]
external = true
[[verifier]]
name = "agree"
scope = "set"
sources = ["tag:rates"]
command = ["true"]
[[verifier]]
name = "counsel"
scope = "set"
sources = ["tag:rates"]
external = true
CONFIG
gannet=("$GANNET" --config "$work/config.toml" --data-dir "$work/data")
"${gannet[@]}" add "$ORIGIN_URL/prices.csv" --allow-private --name prices.csv --tag judged >/dev/null
"${gannet[@]}" add "$ORIGIN_URL/rates.json" --allow-private --name rates.json --tag rates >/dev/null
"${gannet[@]}" add "$ORIGIN_URL/missing.txt" --allow-private --name missing.txt >/dev/null
for content in 1 2 3; do
    echo "a,$content" >"$work/www/prices.csv"
    echo "{\"a\": $content}" >"$work/www/rates.json"
    "${gannet[@]}" fetch '*' >/dev/null 2>&1 || true
done
token=$("${gannet[@]}" token create schemathesis --role operator 2>/dev/null)

"${gannet[@]}" serve --no-worker --listen 127.0.0.1:0 2>"$work/serve.log" &
service=$!
until url=$(sed -n 's/.* at \(http:[^ ]*\)\/$/\1/p' "$work/serve.log") && [ -n "$url" ]; do
    kill -0 "$service"
    sleep 0.1
done
cd "$work"
export SCHEMATHESIS_HOOKS=schemathesis_formats PYTHONPATH=$here/schemathesis PYTHONDONTWRITEBYTECODE=1
"$SCHEMATHESIS" --config-file "$here/schemathesis/schemathesis.toml" run "$url/api/openapi.json" --checks all \
    --max-examples "${EXAMPLES:-300}" ${MAX_SECONDS:+--max-time "$MAX_SECONDS"} --header "Authorization: Bearer $token" "$@"
kill -0 "$service"
curl -sf "$url/readyz"
