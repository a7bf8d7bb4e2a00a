# An HTTPS origin on loopback: nginx with a certificate authority of its own. Sourced by the benchmarks and by
# tests/acceptance.sh; it serves nothing on another address.
#
#   origin_need PROGRAM…          ends the script, with what to install, when one is missing
#   origin_start WORK ROOT [FILE] serves the folder ROOT; FILE holds more lines for its `server` block.
#                                 Sets ORIGIN_URL and CA_FILE; keys, configuration and logs go to WORK/origin
#   origin_stop                   ends it, by its process id

ORIGIN_PID=

origin_need() {
    local program missing=()
    for program in "$@"; do
        command -v "$program" >/dev/null || missing+=("$program")
    done
    [ ${#missing[@]} -eq 0 ] && return
    printf '%s: missing: %s\n' "$0" "${missing[*]}" >&2
    printf 'on Debian: apt-get install nginx-light curl wget2 openssl python3 time\n' >&2
    exit 3
}

origin_certificates() {
    local dir=$1
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj '/CN=test authority' \
        -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign' \
        -keyout "$dir/ca.key" -out "$dir/ca.pem" 2>>"$dir/openssl.log"
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj '/CN=test origin' \
        -keyout "$dir/leaf.key" -out "$dir/leaf.csr" 2>>"$dir/openssl.log"
    printf '%s\n' 'subjectAltName=IP:127.0.0.1,DNS:localhost' 'basicConstraints=CA:FALSE' \
        'keyUsage=critical,digitalSignature' 'extendedKeyUsage=serverAuth' >"$dir/leaf.ext"
    openssl x509 -req -in "$dir/leaf.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -set_serial 1 -days 30 \
        -extfile "$dir/leaf.ext" -out "$dir/leaf.pem" 2>>"$dir/openssl.log"
}

origin_start() {
    local dir=$1/origin root=$2 more=${3:-} port
    mkdir -p "$dir/tmp"
    origin_certificates "$dir"
    port=$(python3 "$(dirname "${BASH_SOURCE[0]}")/measure.py" free-port)
    cat >"$dir/nginx.conf" <<CONF
daemon off;
user $(id -un) $(id -gn);
worker_processes 2;
pid $dir/nginx.pid;
error_log $dir/error.log warn;
events { worker_connections 1024; }
http {
    types {
        text/plain txt;
        text/csv csv;
        text/html html;
        application/json json;
    }
    default_type application/octet-stream;
    access_log off;
    sendfile on;
    keepalive_requests 1000000;
    client_body_temp_path $dir/tmp/body;
    proxy_temp_path $dir/tmp/proxy;
    fastcgi_temp_path $dir/tmp/fastcgi;
    uwsgi_temp_path $dir/tmp/uwsgi;
    scgi_temp_path $dir/tmp/scgi;
    server {
        listen 127.0.0.1:$port ssl backlog=1024;
        server_name localhost;
        ssl_certificate $dir/leaf.pem;
        ssl_certificate_key $dir/leaf.key;
        root $root;
        $([ -z "$more" ] || cat "$more")
    }
}
CONF
    nginx -p "$dir" -c "$dir/nginx.conf" 2>>"$dir/stderr.log" &
    ORIGIN_PID=$!
    ORIGIN_URL=https://127.0.0.1:$port
    CA_FILE=$dir/ca.pem
    if ! curl -s --cacert "$CA_FILE" --retry 50 --retry-delay 0 --retry-connrefused --retry-max-time 20 -o /dev/null \
        "$ORIGIN_URL/"; then
        cat "$dir/stderr.log" "$dir/error.log" >&2
        return 1
    fi
}

origin_stop() {
    [ -n "$ORIGIN_PID" ] || return 0
    kill "$ORIGIN_PID" 2>/dev/null || true
    wait "$ORIGIN_PID" 2>/dev/null || true
    ORIGIN_PID=
}
