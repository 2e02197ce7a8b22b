#!/bin/bash
# The private stack: everything filmgate is, in one folder, in the foreground, until Ctrl-C. `make run` and the tests
# start it. Nothing outside VAR is touched, no TCP port but PORT on the loopback address is opened.
#
#   nginx/stack.sh         start, say when ready, tell what happens, stop all on SIGINT, SIGTERM or a part's death
#   nginx/stack.sh conf    only write VAR/conf/ and check it (no secrets are kept over)
#
# PORT (8080) VAR (var) BUILD (build); API_PROCS UPLOAD_PROCS HOOK_PROCS STUDIO_PROCS (processes per pool); FCGI_TIMEOUT_S (30:
# how long nginx waits for a handler). For the fault tests, RESPAWN=1: a dead sweeper, studio worker or database is
# started again, RESPAWN=ask: any dead part is once VAR/run/PART.again is there; MARIADB_ARGS: more options for it.
# PROVIDERS=sim: every provider of the catalogue, pretended by tests/fakes/providers, with SIM_ARGS for it;
# CATALOGUE: another file than ours; RECEIVERS: origins on this machine that webhooks may go to; SWEEPERS (1).
# RULES: another file of rules for prompts than ours; empty: none.
# FILMGATE_S3_* and FILMGATE_MEDIA_STORE and _DELIVER: a bucket (README.md); S3_CACHE (10g): of it, on our disk;
# S3_RESOLVER: the name server that nginx finds it by (that of /etc/resolv.conf).
# FILMGATE_SECTION_KEY overrides any configuration key in every program.
set -euo pipefail
umask 027
shopt -u patsub_replacement

TREE=$(cd "$(dirname "$0")/.." && pwd)
PORT=${PORT:-8080}
VAR=${VAR:-$TREE/var}
BUILD=${BUILD:-build}
BIN=$(cd "$TREE" && realpath -m "$BUILD")
API_PROCS=${API_PROCS:-8} UPLOAD_PROCS=${UPLOAD_PROCS:-2} HOOK_PROCS=${HOOK_PROCS:-4} STUDIO_PROCS=${STUDIO_PROCS:-2}
FCGI_TIMEOUT_S=${FCGI_TIMEOUT_S:-30} HOOK_TIMEOUT_S=15 # both longer than db.io_timeout_s
UPLOAD_MAX=$((${FILMGATE_MEDIA_UPLOAD_BYTES:-20971520} + 65536)) # media.upload_bytes, and what a form has around them
PROVIDERS=${PROVIDERS:-studio} SIM_ARGS=${SIM_ARGS:-} SWEEPERS=${SWEEPERS:-1} S3_CACHE=${S3_CACHE:-10g}
CATALOGUE=${CATALOGUE:-$TREE/core/provider/catalogue.json}
RULES=${RULES-$TREE/core/moderate/rules.txt}
URL=http://127.0.0.1:$PORT
ORIGINS="$URL ${RECEIVERS:-}" # that may be on this machine
PATH=$PATH:/usr/sbin:/sbin
# From a shell that has read demo.env; for clients, not for our programs.
unset FILMGATE_URL FILMGATE_KEY FILMGATE_ADMIN_KEY

. "$TREE/nginx/stack-lib.sh"

prepare_folder
take_s3
case ${1:-run} in
conf)
    write_secrets
    write_conf
    "${RUN_AS[@]}" nginx -t -q -p "$VAR" -c "$VAR/conf/nginx.conf" -e stderr
    exit
    ;;
run) ;;
*)
    echo "usage: $0 [run|conf]" >&2
    exit 2
    ;;
esac

one_per_folder
# A test fills the disk by a limit on the size of files: of that a write should fail, and nobody die.
[ "${RESPAWN:-}" != ask ] || trap '' XFSZ
# Only noted: leaving from inside a trap would keep SIGCHLD blocked while the parts are stopped.
trap 'ASKED_TO_STOP=1' INT TERM HUP
trap stop_all EXIT

if (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; then
    die "port $PORT is taken; choose another: PORT=8081 make run"
fi
say "filmgate starts in $VAR$([ "$AS" = root ] && echo ' (as root: www-data cannot reach this folder)')"
write_secrets
[ "$PROVIDERS" != sim ] || start_simulator
write_conf
create_database

write_owner_sql
start_one mariadb "$(command -v mariadbd)" --no-defaults --user="$AS" --datadir="$VAR/db" --socket="$VAR/run/mariadb.sock" \
    --pid-file="$VAR/run/mariadbd.pid" --tmpdir="$VAR/tmp" --init-file="$VAR/conf/owner.sql" \
    --skip-networking --skip-name-resolve --performance-schema=OFF --local-infile=OFF \
    --innodb-flush-log-at-trx-commit=1 --innodb-log-file-size=64M --innodb-buffer-pool-size=128M \
    --max-connections=300 ${MARIADB_ARGS:-}
until_true 60 "the database" mariadb-admin --no-defaults --socket="$VAR/run/mariadb.sock" -s ping
[ -n "${RESPAWN:-}" ] || rm -f "$VAR/conf/owner.sql" # read at each start

owner migrate --web-password-file "$VAR/conf/web.password" --sweeper-password-file \
    "$VAR/conf/sweeper.password" --studio-password-file "$VAR/conf/studio.password" \
    >>"$VAR/log/migrate.log" 2>&1 || die_with_log "the migration failed" migrate
create_demo

start_pool api "$API_PROCS" web filmgate-api
start_pool upload "$UPLOAD_PROCS" web filmgate-api
start_pool hook "$HOOK_PROCS" web filmgate-hook
start_pool studio "$STUDIO_PROCS" studio filmgate-studio
FILMGATE_CONF=$VAR/conf/studio.ini start_one studio-worker "$BIN/filmgate-studio" --worker
start nginx nginx -p "$VAR" -c "$VAR/conf/nginx.conf" -e stderr
for ((n = 1; n <= SWEEPERS; n++)); do
    FILMGATE_CONF=$VAR/conf/sweeper.ini start_one "sweeper${n#1}" "$BIN/filmgate-sweeper"
done
until_true 60 "the whole ($URL/readyz)" curl -fsS -o /dev/null "$URL/readyz"
until_true 10 "the page" curl -fsS -o /dev/null "$URL/"

write_demo_env
touch "$VAR/run/ready"
welcome
follow_logs

while :; do
    look_for_the_dead
    start_again
    pause 0.25
done
