#!/bin/bash
# What the product does beside what this machine can do at best, in one run: a stack of its own with 50,000 jobs of
# 200 accounts (300 in all), and interleaved rounds of each case and of its ceilings. Prints a table, writes var/bench.json.
#
# BUILD (build); QUICK=1 (short and few rounds); CONNECTIONS (32); PROCS (8: handlers, as well as processes of each
# ceiling); ROUNDS and SECONDS_EACH override what QUICK chooses; OUT (var/bench.json). polls.sh, which comes first, is the
# sweeper's part; it also runs alone. ONLY=callbacks, ONLY=creates, ONLY=media: these alone.
set -euo pipefail
cd "$(dirname "$0")/../.."
TREE=$PWD
export BUILD=${BUILD:-build}
CONNECTIONS=${CONNECTIONS:-32} PROCS=${PROCS:-8} OUT=${OUT:-var/bench.json}
ROUNDS=${ROUNDS:-$([ -n "${QUICK:-}" ] && echo 2 || echo 5)}
SECONDS_EACH=${SECONDS_EACH:-$([ -n "${QUICK:-}" ] && echo 1 || echo 3)}
MANY=256 CALLBACKS=200 # a second
CALLBACK_SECONDS=${CALLBACK_SECONDS:-$([ -n "${QUICK:-}" ] && echo 5 || echo 20)}
BODY='{"prompt":"a paper boat on a quiet lake at dawn, take ################","aspectRatio":"16:9","duration":5}'
BIN=$TREE/$BUILD
TOOLS=$BIN/tests/bench
PATH=$PATH:/usr/sbin:/sbin
HZ=$(getconf CLK_TCK)

. nginx/stack-lib.sh
. tests/wait.sh

free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

DIR=$(mktemp -d /tmp/fgb.XXXXXX)
chmod 711 "$DIR"
VAR=$DIR/var PORT=$(free_port)
STACK='' EMPTY='' SWEEPER=''

# The sweeper never ran since the jobs were made, and must not begin now: thousands of them wait to be rendered.
stop() {
    trap '' INT TERM
    trap - EXIT
    set +e
    [ -z "$EMPTY" ] || kill "$EMPTY" 2>/dev/null
    [ -z "$STACK" ] || kill "$STACK" 2>/dev/null
    [ -z "$SWEEPER" ] || kill -KILL "$SWEEPER" 2>/dev/null
    wait $EMPTY $STACK 2>/dev/null
    rm -rf "$DIR"
}
trap 'exit 1' INT TERM
trap stop EXIT

start_stack() {
    PORT=$PORT VAR=$VAR API_PROCS=$PROCS nginx/stack.sh >"$DIR/out" 2>&1 &
    STACK=$!
    stack_is_up "$STACK" "$VAR" "$DIR/out"
    prepare_folder
    . "$VAR/conf/secrets"
    SWEEPER=$(<"$VAR/run/sweeper.pid")
    kill -STOP "$SWEEPER"
}

sql() { # user
    MYSQL_PWD=$OWNER_PASSWORD mariadb --no-defaults -u "$1" -S "$VAR/run/mariadb.sock" --skip-column-names -B filmgate
}

fill() {
    # All of it fits, as it would on a machine that is meant for it; ceilings and product share it.
    echo 'SET GLOBAL innodb_buffer_pool_size = 1 << 30;' | sql root
    sql fg_owner <tests/bench/fill.sql >/dev/null
    owner audit ledger >"$DIR/audit" || { cat "$DIR/audit" >&2; die "the made-up jobs do not balance"; }
    echo "SELECT public_id FROM account WHERE name LIKE 'bench %'" | sql fg_owner >"$DIR/accounts"
    export -f owner
    export VAR BIN
    # shellcheck disable=SC2016
    xargs -P 2 -I ACCOUNT bash -c 'echo ACCOUNT $(owner key create ACCOUNT --role app --label bench |
        grep -o "fgk_[0-9A-Za-z]*")' <"$DIR/accounts" >"$DIR/keys"
}

# Lists are of the first hundred accounts, new jobs of the 200 others: so a list stays as long as it was. One of these is
# hot: it has requests of its own.
write_requests() {
    local since
    since=$(date -u -d '30 minutes ago' +%Y-%m-%dT%H:%M:%S.000Z)
    echo "SELECT a.public_id, j.public_id, a.id FROM job j JOIN account a ON a.id = j.account_id
          WHERE a.name LIKE 'bench %' ORDER BY RAND(7)" | sql fg_owner |
        awk -v dir="$DIR" -v since="$since" '
            NR == FNR { key[$1] = $2; next }
            { print "GET /v1/jobs/" $2, key[$1] >(dir "/status"); print $2 >(dir "/ids") }
            !($1 in seen) { seen[$1] = $3; if (!first || $3 < first) first = $3 }
            END {
                for (account in key)
                    if (account in seen && seen[account] < first + 100)
                        print "GET /v1/jobs?changedSince=" since, key[account] >(dir "/list")
                    else
                        print "POST /v1/jobs", key[account] >(dir "/create")
                print first + 100, first + 299 >(dir "/range")
            }' "$DIR/keys" -
    read -r FIRST LAST <"$DIR/range"
    head -n 1 "$DIR/create" >"$DIR/hot"
    head -n 4000 "$DIR/status" >"$DIR/sample"
    sed 's|/v1/|/bench/|' "$DIR/status" >"$DIR/empty-status"
    sed 's|/v1/|/bench/|' "$DIR/list" >"$DIR/empty-list"
    echo "SELECT CONCAT('/hooks/studio/', a.callback_token,
              ' {\"type\":\"video.completed\",\"data\":{\"id\":\"', a.provider_job_id, '\"}}')
          FROM attempt a JOIN job j ON j.id = a.job_id WHERE j.state = 3 ORDER BY RAND(7)" | sql fg_owner |
        awk -v n=$((CALLBACKS * CALLBACK_SECONDS)) '{ line[NR] = $0 } END { while (i < n) print line[i++ % NR + 1] }' \
            >"$DIR/callbacks"
    sed 's|^|/bench|' "$DIR/callbacks" >"$DIR/empty-callbacks"
}

bytes_of() { # one line of a file of requests
    local path key
    read -r _ path key _ < <(head -n 1 "$1")
    curl -fsS -o /dev/null -w '%{size_download}' -H "Authorization: Bearer $key" "http://127.0.0.1:$PORT$path"
}

# Two files of the store: by a signed link, and as nginx sends a file that is anybody's. A large one, in which the handler's
# part fades, and one of the size of a poster, in which it does not.
write_media() {
    local size id key url
    mkdir -p "$VAR/media/be"
    for size in large:20000000 small:100000; do
        read -r id key < <(awk -v skip="$([ "${size%%:*}" = large ] && echo 1 || echo 2)" 'NR == skip { sub(".*/", "", $2); print $2, $3 }' "$DIR/status")
        head -c "${size#*:}" /dev/urandom >"$VAR/media/be/${size%%:*}.mp4"
        echo "UPDATE job SET state = 4, stage = 0, output_state = 1, finished_us = IFNULL(finished_us, created_us), error_code = NULL
                WHERE public_id = '$id';
              REPLACE INTO output (job_id, video_file, poster_file, bytes, digest, width, height, duration_ms, stored_us)
                SELECT id, 'be/${size%%:*}.mp4', 'be/none.jpg', ${size#*:}, REPEAT('d', 32), 640, 360, 5000, created_us
                FROM job WHERE public_id = '$id'" | sql fg_owner
        url=$(curl -fsS -H "Authorization: Bearer $key" "http://127.0.0.1:$PORT/v1/jobs/$id" | grep -o '"outputUrl":"[^"]*"' | cut -d '"' -f 4)
        echo "GET /media/${url#*/media/} x" >"$DIR/link-${size%%:*}"
        echo "GET /bench-file/be/${size%%:*}.mp4 x" >"$DIR/file-${size%%:*}"
    done
    chown -R --reference="$VAR/media" "$VAR/media/be"
}

# The same place in nginx, and a pool that answers by itself. Limits on callers would be all that is measured: both
# are counted by them still, but never refused.
start_empty() {
    local conf=$VAR/conf/nginx.conf workers
    BENCH_STATUS_BYTES=$(bytes_of "$DIR/status")
    BENCH_LIST_BYTES=$(bytes_of "$DIR/list")
    export BENCH_STATUS_BYTES BENCH_LIST_BYTES
    start_pool empty "$PROCS" web tests/bench/empty
    EMPTY=$!
    sed -i 's/rate=[0-9]*r/rate=1000000r/' "$VAR/conf/limits.inc"
    awk '/^        location \/v1\/ / { here = 1 }
         { print }
         here { sub(/\/v1\//, "/bench/"); sub(/api\.sock/, "empty.sock"); copy = copy $0 "\n" }
         here && /^        }/ { here = 0; printf "%s", copy
             print "        location /bench-file/ {\n            alias \"'"$VAR"'/media/\";\n            include headers.inc;\n        }" }' \
        "$conf" >"$conf.new"
    cat "$conf.new" >"$conf"
    workers=$(pids_of nginx | paste -s -d ,)
    kill -HUP "$(<"$VAR/run/nginx.pid")"
    # The workers of before hang up on kept connections: those must not be ours.
    wait_for 20 "the empty handler answers" empty_answers "$workers"
}

empty_answers() { # the workers of before
    ! ps -p "$1" && curl -fsS "http://127.0.0.1:$PORT/bench/jobs/x"
}

pids_of() { # part
    if [ "$1" = mariadb ]; then cat "$VAR/run/mariadb.pid"; else pgrep -P "$(<"$VAR/run/$1.pid")"; fi
}

cpu_ms() { # part
    local pid
    for pid in $(pids_of "$1"); do cat "/proc/$pid/stat" 2>/dev/null || true; done |
        awk -v hz="$HZ" '{ sub(/.*\) /, ""); t += $12 + $13 } END { printf "%d", t * 1000 / hz }'
}

# One line per measurement: what, its figures, and the CPU milliseconds of the parts.
measure() { # name, pool, file of requests, connections, expected status, body…
    local name=$1 pool=$2 file=$3 connections=$4 status=$5 handlers nginx database figures
    shift 5
    handlers=$(cpu_ms "$pool") nginx=$(cpu_ms nginx) database=$(cpu_ms mariadb)
    figures=$("$TOOLS/load" "$PORT" "$connections" "$SECONDS_EACH" "$status" "$@" <"$DIR/$file")
    echo "name=$name $figures handlerMs=$(($(cpu_ms "$pool") - handlers)) nginxMs=$(($(cpu_ms nginx) - nginx))" \
        "databaseMs=$(($(cpu_ms mariadb) - database))" >>"$DIR/results"
}

ceiling() { # name, arguments of raw…
    local name=$1 database figures
    shift
    database=$(cpu_ms mariadb)
    figures=$(FILMGATE_CONF=$VAR/conf/web.ini "$TOOLS/raw" "$1" "$PROCS" "$SECONDS_EACH" "${@:2}" 2>"$DIR/log") || {
        tail -n 5 "$DIR/log" >&2
        die "no figures of $name"
    }
    echo "name=$name $figures databaseMs=$(($(cpu_ms mariadb) - database))" >>"$DIR/results"
}

# Genuine ones of jobs in flight, at a steady rate and each an event of its own; the sweeper, which they would wake, stands.
callbacks() { # name, pool, file of webhooks
    SECONDS_EACH=$CALLBACK_SECONDS measure "$1" "$2" "$3" "$CONNECTIONS" 200 "@$CALLBACKS" "$STUDIO_WEBHOOK"
}

# Each was kept as genuine and of a job in flight: none was a duplicate, or too late to matter.
check_callbacks() {
    local n
    n=$(echo 'SELECT COUNT(*) FROM callback_receipt WHERE verdict = 1 AND is_signed' | sql fg_owner)
    [ "$n" = $((ROUNDS * CALLBACKS * CALLBACK_SECONDS)) ] || die "$n callbacks were taken"
}

round() {
    "$TOOLS/load" "$PORT" 8 learn <"$DIR/sample" >"$DIR/unchanged"
    sed 's|/v1/|/bench/|' "$DIR/unchanged" >"$DIR/empty-unchanged"
    measure status api status "$CONNECTIONS" 200
    measure empty-status empty empty-status "$CONNECTIONS" 200
    measure unchanged api unchanged "$CONNECTIONS" 304
    measure empty-unchanged empty empty-unchanged "$CONNECTIONS" 304
    measure list api list "$CONNECTIONS" 200
    measure empty-list empty empty-list "$CONNECTIONS" 200
    ceiling joined joined <"$DIR/ids"
    ceiling plain plain <"$DIR/ids"
}

media() {
    local size
    for size in large small; do
        measure "link-$size" api "link-$size" 8 200
        measure "file-$size" api "file-$size" 8 200
    done
}

# Neither holds up the other's next part by what the first left to be flushed: they take turns.
creates() {
    measure create api create "$CONNECTIONS" 202 "$BODY"
    ceiling commit commit "$FIRST" "$LAST"
    ceiling create-alone create "$FIRST" "$LAST"
    measure hot api hot "$CONNECTIONS" 202 "$BODY"
    ceiling hot-commit commit "$FIRST" "$FIRST"
}

private_kb() {
    local pid
    for pid in $(pids_of api); do awk '/^Private_/ { kb += $2 } END { print kb }' "/proc/$pid/smaps_rollup"; done |
        sort -n | tail -n 1
}

[ -n "${ONLY:-}" ] || OUT=$(dirname "$OUT")/bench-polls.json tests/bench/polls.sh
echo "starting a stack, filling it with 50,000 jobs"
start_stack
fill
write_requests
write_media
start_empty
echo "$ROUNDS rounds, $SECONDS_EACH s each, $CONNECTIONS connections, $PROCS processes, answers of" \
    "$BENCH_STATUS_BYTES bytes (status) and $BENCH_LIST_BYTES (list); load average $(cut -d ' ' -f 1-3 /proc/loadavg)"
SECONDS_EACH=1 measure warm api status "$CONNECTIONS" 200
for ((i = 0; i < ROUNDS; i++)); do
    if [ "${ONLY:-callbacks}" = callbacks ]; then
        callbacks callback hook callbacks
        callbacks empty-callback empty empty-callbacks
    fi
    [ -n "${ONLY:-}" ] || round
    [ "${ONLY:-media}" != media ] || media
    [ "${ONLY:-creates}" != creates ] || creates
done
if [ -z "${ONLY:-}" ]; then
    measure many api status "$MANY" 200
    measure empty-many empty empty-status "$MANY" 200
fi
[ "${ONLY:-callbacks}" != callbacks ] || check_callbacks
mkdir -p "$(dirname "$OUT")"
awk -v only="${ONLY:-}" -v callbacks="$CALLBACKS" -v private="$(private_kb)" -v many="$MANY" -v json="$OUT" -f tests/bench/report.awk "$DIR/results"
