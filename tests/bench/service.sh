# The service over a folder of its own, on a free port of loopback. Sourced by its benchmarks, after origin.sh.
#
#   service_work NAME       makes the folder `work`, where nothing of the operator's own is touched; it, the service and the
#                           origin end with the script
#   service_start GANNET…   starts the program's service without a worker. Sets SERVICE_URL

SERVICE_PID=

service_work() {
    work=$(mktemp -d "${BENCH_DIR:-/var/tmp}/gannet-$1.XXXXXX")
    trap service_finish EXIT
    export HOME=$work/home XDG_CONFIG_HOME=$work/home/config XDG_DATA_HOME=$work/home/data XDG_STATE_HOME=$work/home/state
    mkdir -p "$HOME" "$work/www"
    chmod 755 "$work"
}

service_finish() {
    [ -z "$SERVICE_PID" ] || kill "$SERVICE_PID" 2>/dev/null || true
    origin_stop
    rm -rf "$work"
}

service_start() {
    "$@" serve --no-worker --listen 127.0.0.1:0 2>"$work/serve.log" &
    SERVICE_PID=$!
    until SERVICE_URL=$(sed -n 's/.* at \(http:[^ ]*\)\/$/\1/p' "$work/serve.log") && [ -n "$SERVICE_URL" ]; do
        kill -0 "$SERVICE_PID"
        sleep 0.1
    done
}
