#!/bin/bash
# One sweeper with 10,000 jobs in flight at the simulator: how many polls it makes beside a bare loop of libcurl that
# asks the same, what that costs, how much memory it takes, and how late polls are when a steady 1,000 a second are
# due. A stack of its own; prints a table, writes var/bench-polls.json.
#
# BUILD (build); QUICK=1 (short and few rounds); JOBS (10000); ROUNDS and SECONDS_EACH override what QUICK chooses; OUT
# (var/bench-polls.json). BESIDE=PROGRAM: a filmgate-sweeper of another build, which takes turns with ours and has our
# schema: what a change costs is seen so. KEEP=FILE: what was measured, a line each. FILMGATE_SECTION_KEY is for the
# sweeper: FILMGATE_SWEEPER_BATCH=250 claims more at once.
set -euo pipefail
cd "$(dirname "$0")/../.."
TREE=$PWD
export BUILD=${BUILD:-build}
JOBS=${JOBS:-10000} OUT=${OUT:-var/bench-polls.json}
ROUNDS=${ROUNDS:-$([ -n "${QUICK:-}" ] && echo 1 || echo 3)}
SECONDS_EACH=${SECONDS_EACH:-$([ -n "${QUICK:-}" ] && echo 4 || echo 10)}
CONNECTIONS=64 # about as many as the sweeper uses with a batch of 50
PERIOD_S=10    # of the steady polls
BIN=$TREE/$BUILD
TOOLS=$BIN/tests/bench
PATH=$PATH:/usr/sbin:/sbin
HZ=$(getconf CLK_TCK)

. nginx/stack-lib.sh
. tests/wait.sh

DIR=$(mktemp -d /tmp/fgp.XXXXXX)
chmod 711 "$DIR"
VAR=$DIR/var
STACK='' IDLE='' SWEEPER=''

stop() {
    trap '' INT TERM
    trap - EXIT
    set +e
    [ -z "$SWEEPER" ] || kill -KILL "$SWEEPER" 2>/dev/null
    [ -z "$STACK" ] || kill "$STACK" 2>/dev/null
    [ -z "$IDLE" ] || kill -KILL "$IDLE" 2>/dev/null
    wait $SWEEPER $STACK 2>/dev/null
    rm -rf "$DIR"
}
trap 'exit 1' INT TERM
trap stop EXIT

free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

# The stack's own sweeper stands still: ours has other pauses, and is alone.
start_stack() {
    PORT=$(free_port) VAR=$VAR API_PROCS=1 PROVIDERS=sim SIM_ARGS=--quiet CATALOGUE=$TREE/tests/bench/polls.json \
        nginx/stack.sh >"$DIR/out" 2>&1 &
    STACK=$!
    stack_is_up "$STACK" "$VAR" "$DIR/out"
    prepare_folder
    . "$VAR/conf/secrets"
    FAR=$(<"$VAR/run/providers.url")
    IDLE=$(<"$VAR/run/sweeper.pid")
    kill -STOP "$IDLE"
}

sql() { # user
    MYSQL_PWD=$OWNER_PASSWORD mariadb --no-defaults -u "$1" -S "$VAR/run/mariadb.sock" --skip-column-names -B filmgate
}

# They are accepted at the far side first, whose ids the rows then name.
fill() {
    echo 'SET GLOBAL innodb_buffer_pool_size = 1 << 30;' | sql root
    curl -fsS -H 'Authorization: Bearer sim-openai' -H 'Content-Type: application/json' \
        -d '{"prompt":"a paper boat [sim:stuck]"}' "$FAR/openai/v1/videos?n=[1-$JOBS]" |
        grep -o 'video_[0-9a-f]\{40\}' >"$DIR/ids"
    [ "$(wc -l <"$DIR/ids")" = "$JOBS" ] || die "the far side did not take $JOBS jobs"
    {
        echo 'CREATE TEMPORARY TABLE far_id (n INT NOT NULL AUTO_INCREMENT PRIMARY KEY, id VARCHAR(64) NOT NULL);'
        sed "s/.*/('&')/; \$!s/\$/,/; 1s/^/INSERT INTO far_id (id) VALUES /; \$s/\$/;/" "$DIR/ids"
        cat tests/bench/polls.sql
        echo 'CREATE TABLE bench_seen (job_id BIGINT NOT NULL, due_us BIGINT NOT NULL, PRIMARY KEY (job_id, due_us));'
    } | sql fg_owner >/dev/null
    sed "s|^|$FAR/openai/v1/videos/|" "$DIR/ids" >"$DIR/urls"
    owner audit ledger >"$DIR/audit" || { cat "$DIR/audit" >&2; die "the made-up jobs do not balance"; }
}

# Every poll comes due in the seconds to come, evenly; jobs are as good as new, for older ones are polled less often.
make_due() { # seconds from now, over how many seconds
    sql fg_owner <<END
SET @now = CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED) + $1 * 1000000, @n = 0;
UPDATE job SET created_us = @now WHERE provider = 'bench';
UPDATE attempt SET created_us = @now WHERE provider = 'bench';
UPDATE due SET owner = NULL, tries = 0, due_us = @now + (@n := @n + 1) * $2 * 1000000 DIV $JOBS WHERE kind = 3;
TRUNCATE bench_seen;
END
}

start_sweeper() { # milliseconds between two polls of a job, program
    FILMGATE_CONF=$VAR/conf/sweeper.ini FILMGATE_SWEEPER_WAKE_SOCKET='' FILMGATE_SWEEPER_FIRST_POLL_MS=$1 \
        setsid "${RUN_AS[@]}" "${2:-$BIN/filmgate-sweeper}" >>"$DIR/sweeper.log" 2>&1 &
    SWEEPER=$!
}

stop_sweeper() {
    kill "$SWEEPER"
    wait "$SWEEPER" || { tail "$DIR/sweeper.log" >&2; die "the sweeper did not end well"; }
    SWEEPER=''
}

polls_so_far() {
    curl -fsS "$FAR/_sim/books?prompt=none" | grep -o '"poll":[0-9]*' | grep -o '[0-9]*$' || echo 0
}

cpu_ms() { # pid
    awk -v hz="$HZ" '{ sub(/.*\) /, ""); printf "%d", ($12 + $13) * 1000 / hz }' "/proc/$1/stat"
}

now_ms() { date +%s%3N; }

has_polled() { [ "$(polls_so_far)" -ge "$1" ]; }

# Polls, CPU of the parts and time, since the counts of before.
parts() { echo "$(polls_so_far) $(now_ms) $(cpu_ms "$SWEEPER") $(cpu_ms "$(<"$VAR/run/mariadb.pid")") \
$(cpu_ms "$(<"$VAR/run/providers.pid")")"; }

between() { # name, before, after
    awk -v name="$1" '{ n = $6 - $1
        printf "name=%s requests=%d perSecond=%.1f cpuMs=%d databaseMs=%d farMs=%d\n", name, n, n * 1000 / ($7 - $2),
            $8 - $3, $9 - $4, $10 - $5 }' <<<"$2 $3"
}

# At its limit: everything is due again before it has been asked. What it learns of each job at first, it has learned.
at_the_limit() { # name, program
    local before after
    make_due 0 0
    local warm=$(($(polls_so_far) + JOBS + JOBS / 10))
    start_sweeper 100 "$2"
    wait_for 60 "the sweeper has asked for all" has_polled "$warm"
    before=$(parts)
    sleep "$SECONDS_EACH"
    after=$(parts)
    echo "$(between "$1" "$before" "$after") rssKb=$(awk '/^VmRSS/ { print $2 }' "/proc/$SWEEPER/status")" \
        "connections=$(find "/proc/$SWEEPER/fd" -lname 'socket:*' | wc -l)" >>"$DIR/results"
    stop_sweeper
}

bare() {
    local far=$(<"$VAR/run/providers.pid") before figures
    before=$(cpu_ms "$far")
    figures=$("$TOOLS/polls" "$CONNECTIONS" "$SECONDS_EACH" sim-openai <"$DIR/urls")
    echo "name=bare $figures farMs=$(($(cpu_ms "$far") - before))" >>"$DIR/results"
}

# When each poll was due, and when the one before it was answered, is seen from the due rows: the next time is the
# answer's and the period. A row stays as it is for most of the period, so none is missed.
steady() {
    local before after i
    make_due 2 "$PERIOD_S"
    echo 'INSERT INTO bench_seen SELECT job_id, due_us FROM due WHERE kind = 3;' | sql fg_owner
    local first=$(($(polls_so_far) + 1))
    start_sweeper $((PERIOD_S * 1000))
    wait_for 30 "the first poll is due" has_polled "$first"
    before=$(parts)
    for ((i = 0; i < (SECONDS_EACH + PERIOD_S) / 2; i++)); do
        sleep 2
        echo 'SET SESSION tx_isolation = "READ-COMMITTED"; -- else it locks what it reads
              INSERT INTO bench_seen SELECT d.job_id, d.due_us FROM due d
              LEFT JOIN bench_seen s ON s.job_id = d.job_id AND s.due_us = d.due_us
              WHERE d.kind = 3 AND d.owner IS NULL AND s.job_id IS NULL;' | sql fg_owner
    done
    after=$(parts)
    between steady "$before" "$after" >>"$DIR/results"
    stop_sweeper
    echo "SELECT (late_us - $PERIOD_S * 1000000) / 1000 FROM (SELECT due_us - LAG(due_us) OVER (PARTITION BY job_id
          ORDER BY due_us) AS late_us FROM bench_seen) t WHERE late_us IS NOT NULL ORDER BY 1" | sql fg_owner |
        awk '{ late[NR] = $1 }
             END { printf "name=late requests=%d p50Ms=%.1f p99Ms=%.1f maxMs=%.1f\n", NR, late[int((NR + 1) / 2)],
                       late[int(NR * 0.99)], late[NR] }' >>"$DIR/results"
}

echo "starting a stack, $JOBS jobs in flight at the simulator"
start_stack
fill
for ((r = 0; r < ROUNDS; r++)); do
    bare
    at_the_limit sweeper "$BIN/filmgate-sweeper"
    [ -z "${BESIDE:-}" ] || at_the_limit beside "$BESIDE"
done
steady
! grep '"level":"error"' "$DIR/sweeper.log" | head -n 5 | grep . >&2 || die "the sweeper had errors"
[ -z "${KEEP:-}" ] || cp "$DIR/results" "$KEEP"
mkdir -p "$(dirname "$OUT")"
awk -v json="$OUT" -v jobs="$JOBS" -v rate=$((JOBS / PERIOD_S)) -f tests/bench/polls.awk "$DIR/results"
