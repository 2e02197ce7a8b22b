# The functions of stack.sh. Reads TREE, PORT, VAR, BIN, URL and the *_PROCS; sets AS and VAR (see prepare_folder).

declare -A NAME_OF=() # pid -> part
declare -A PID_OF=()
declare -A COMMAND_OF=() # part -> how it was started
FOLLOWER=
SHORT=
ASKED_TO_STOP=

say() { printf '%s\n' "$*"; }

die() {
    say "filmgate: $*" >&2
    exit 1
}

die_with_log() { # words, part
    say "filmgate: $1; the last lines of $VAR/log/$2.log:" >&2
    tail -n 15 "$VAR/log/$2.log" 2>/dev/null | sed 's/^/    /' >&2
    exit 1
}

die_of() { # pid, exit status
    local name=${NAME_OF[$1]} how="exit status $2"
    [ "$2" -le 128 ] || how="signal $(kill -l $(($2 - 128)) 2>/dev/null || echo $(($2 - 128)))"
    wipe_session "$1"
    unset "NAME_OF[$1]" "PID_OF[$name]"
    if [ "${RESPAWN:-}" = ask ]; then
        rm -f "$VAR/run/$name.pid"
        return
    fi
    die_with_log "$name died ($how), stopping the rest" "$name"
}

# ---- the folder ----

# As root the parts run as www-data, if that user can reach both program and folder.
can_run_as_www_data() {
    chmod a+x "$VAR" "$VAR/conf" 2>/dev/null
    chown www-data "$VAR/tmp"
    setpriv --reuid=www-data --regid=www-data --init-groups --no-new-privs /bin/sh -c \
        'test -r "$1/www/index.html" -o -r "$1/nginx/limits.inc" && test -r "$1/core/provider/catalogue.json" &&
         test -w "$2/tmp" && { test ! -e "$3" || test -x "$3/"; }' sh "$TREE" "$VAR" "$BIN" 2>/dev/null
}

prepare_folder() {
    mkdir -p "$VAR"
    VAR=$(cd "$VAR" && pwd)
    # A Unix socket's path has 107 bytes; the longest of ours takes 30 of them.
    if [ ${#VAR} -gt 77 ]; then
        SHORT=$(mktemp -d /tmp/filmgate.XXXXXX)
        chmod 711 "$SHORT"
        ln -s "$VAR" "$SHORT/v"
        VAR=$SHORT/v
        trap 'rm -rf "$SHORT"' EXIT
    fi
    mkdir -p "$VAR"/{conf,db,run,tmp,media,studio,log}
    AS=$(id -un)
    RUN_AS=(setpriv --pdeathsig TERM)
    if [ "$AS" = root ] && id www-data >/dev/null 2>&1 && can_run_as_www_data; then
        AS=www-data
        RUN_AS=(setpriv --reuid=www-data --regid=www-data --init-groups --no-new-privs --pdeathsig TERM)
    fi
    if [ "$(id -u)" = 0 ]; then
        local part
        for part in db run tmp media studio log; do
            [ "$(stat -c %U "$VAR/$part")" = "$AS" ] || chown -R "$AS:" "$VAR/$part"
        done
        chgrp "$(id -gn "$AS")" "$VAR/conf"
    fi
}

# Two stacks in one folder would be two servers on one data directory.
one_per_folder() {
    exec 9>"$VAR/run/lock"
    flock -n 9 || {
        say "filmgate: another stack runs in $VAR" >&2
        exit 1
    }
    rm -f "$VAR"/run/*.sock "$VAR"/run/*.pid "$VAR/run/ready"
    rm -rf "$VAR/tmp/body" # pictures on their way when an nginx was killed
    rm -f "$VAR/run/pause"
    mkfifo -m 600 "$VAR/run/pause"
    exec 8<>"$VAR/run/pause"
    # What a part says at its death should not be looked for among the lines of earlier runs.
    local log
    for log in "$VAR"/log/*.log; do
        [ ! -e "$log" ] || mv -f "$log" "$log.before"
    done
}

random_hex() { od -An -v -N "$1" -tx1 /dev/urandom | tr -d ' \n'; }

# Made once and kept: a new pepper would void every key and link. The studio is somebody else's service in all
# but place, so it gets its own pepper, not ours.
write_secrets() {
    local file=$VAR/conf/secrets
    if [ ! -e "$file" ]; then
        {
            echo "PEPPER=$(random_hex 32)"
            echo "STUDIO_PEPPER=$(random_hex 32)"
            echo "STUDIO_KEY=sk-studio-$(random_hex 24)"
            echo "STUDIO_WEBHOOK=whsec_$(head -c 32 /dev/urandom | base64 -w 0)"
            for part in owner web sweeper studio; do
                echo "${part^^}_PASSWORD=$(random_hex 24)"
            done
        } >"$file.new"
        chmod 600 "$file.new"
        mv "$file.new" "$file"
    fi
    . "$file"
}

# One configuration per program: each holds only the secrets that its program needs.
write_ini() { # name, database user, password, pepper
    cat <<END
[server]
public_url = $URL
[db]
socket = $VAR/run/mariadb.sock
name = filmgate
user = $2
password = $3
[auth]
pepper = $4
[media]
root = $VAR/media
$([ "$1" = studio ] || printf '%s[s3]\n%s' "$MEDIA_INI" "$S3_INI")
[catalogue]
file = $CATALOGUE
[moderation]
rules = $RULES
[fetch]
local_origins = $ORIGINS
END
    [ "$1" = studio ] || [ "$PROVIDERS" != sim ] || cat "$VAR/run/providers.ini"
    case $1 in
    web | owner)
        printf '[sweeper]\nwake_socket = %s\n' "$VAR/run/wake.sock"
        printf '[provider.studio]\nwebhook_secrets = %s\n' "$STUDIO_WEBHOOK"
        [ "$1" = web ] || printf 'key = %s\n' "$STUDIO_KEY" # the operator audits it
        ;;
    sweeper)
        printf '[sweeper]\nwake_socket = %s\n' "$VAR/run/wake.sock"
        # The studio is on this machine: look often, so that its progress is seen while it renders.
        printf 'first_poll_ms = 500\ncallback_poll_ms = 500\n'
        printf '[provider.studio]\nkey = %s\n' "$STUDIO_KEY"
        ;;
    studio)
        printf '[studio]\napi_key = %s\nwebhook_secret = %s\ndir = %s\n' "$STUDIO_KEY" "$STUDIO_WEBHOOK" \
            "$VAR/studio"
        ;;
    esac
}

# The bucket, where the environment names one. Its secret is for the programs that use it: from here on no other sees it.
MEDIA_INI= S3_INI= S3_BASE= S3_ORIGIN= DELIVER=${FILMGATE_MEDIA_DELIVER:-redirect}
take_s3() {
    local key name base=${FILMGATE_S3_ENDPOINT:-} bucket=${FILMGATE_S3_BUCKET:-}
    for key in store deliver; do
        name=FILMGATE_MEDIA_${key^^}
        [ -z "${!name:-}" ] || MEDIA_INI+="$key = ${!name}"$'\n'
        unset "$name"
    done
    for key in endpoint region bucket access_key secret_key address part_bytes timeout_s; do
        name=FILMGATE_S3_${key^^}
        [ -z "${!name:-}" ] || S3_INI+="$key = ${!name}"$'\n'
        [ "$key" = address ] && [ "${!name:-path}" = host ] && base=${base/'://'/"://$bucket."}
        unset "$name"
    done
    [ -n "$S3_INI" ] || return 0
    S3_ORIGIN=$base S3_BASE=$base
    [[ $S3_INI == *'address = host'* ]] || S3_BASE=$base/$bucket
    [[ $base != http://* ]] || ORIGINS+=" $base"
}

# What nginx asks for the address of the bucket's host, which changes while it runs. An address in digits needs none.
s3_resolver() {
    local found
    found=${S3_RESOLVER:-$(sed -n 's/^nameserver[ \t]*\([0-9.]*\)$/\1/p' /etc/resolv.conf 2>/dev/null | head -n 1)}
    [ -z "$found" ] || printf 'resolver %s;' "$found"
}

# Sets cache and location: what nginx.conf gets for a bucket that it delivers from.
s3_conf() {
    cache= location=
    [ -n "$S3_BASE" ] && [ "$DELIVER" = proxy ] || return 0
    cache="proxy_cache_path \"$VAR/tmp/s3\" levels=1:2 keys_zone=s3:10m max_size=$S3_CACHE inactive=1h use_temp_path=off;
    map \$http_range \$s3_seek {
        \"bytes=0-\" \"\";
        default \$http_range;
    }
    map \$http_if_range \$s3_range {
        \"\" \$s3_seek;
        default \"\";
    }"
    location=$(<"$TREE/nginx/s3.conf.in")
    location=${location//@BASE@/"$S3_BASE"}
    location=${location//@RESOLVER@/"$(s3_resolver)"}
}

private_file() { # path, mode; standard input is the content
    local new=$1.new
    cat >"$new"
    chmod "$2" "$new"
    [ "$(id -u)" != 0 ] || chgrp "$(id -gn "$AS")" "$new"
    mv "$new" "$1"
}

write_conf() {
    write_ini web fg_web "$WEB_PASSWORD" "$PEPPER" | private_file "$VAR/conf/web.ini" 640
    write_ini sweeper fg_sweeper "$SWEEPER_PASSWORD" "$PEPPER" | private_file "$VAR/conf/sweeper.ini" 640
    write_ini studio fg_studio "$STUDIO_PASSWORD" "$STUDIO_PEPPER" | private_file "$VAR/conf/studio.ini" 640
    write_ini owner fg_owner "$OWNER_PASSWORD" "$PEPPER" | private_file "$VAR/conf/owner.ini" 600
    printf '%s' "$WEB_PASSWORD" | private_file "$VAR/conf/web.password" 600
    printf '%s' "$SWEEPER_PASSWORD" | private_file "$VAR/conf/sweeper.password" 600
    printf '%s' "$STUDIO_PASSWORD" | private_file "$VAR/conf/studio.password" 600
    local text user=''
    [ "$AS" != root ] || user='user root root;'
    text=$(<"$TREE/nginx/filmgate.conf.in")
    text=${text//@USER@/"$user"}
    text=${text//@VAR@/"$VAR"}
    text=${text//@WWW@/"$TREE/www"}
    text=${text//@PORT@/"$PORT"}
    text=${text//@TIMEOUT@/"$FCGI_TIMEOUT_S"}
    text=${text//@UPLOAD_MAX@/"$UPLOAD_MAX"}
    text=${text//@HOOK_TIMEOUT@/"$((FCGI_TIMEOUT_S < HOOK_TIMEOUT_S ? FCGI_TIMEOUT_S : HOOK_TIMEOUT_S))"}
    local cache location
    s3_conf
    text=${text//@S3CACHE@/"$cache"}
    text=${text//@S3@/"$location"}
    printf '%s\n' "$text" | private_file "$VAR/conf/nginx.conf" 640
    cp "$TREE"/nginx/*.inc "$VAR/conf/"
    # Where a browser is sent to the bucket, the page must be allowed to follow.
    [ -z "$S3_ORIGIN" ] || [ "$DELIVER" != redirect ] ||
        sed -i "s#\(img-src\|media-src\) 'self'#& $S3_ORIGIN#g" "$VAR/conf/headers.inc"
    chmod 644 "$VAR"/conf/*.inc
}

# ---- the database ----

create_database() {
    [ ! -d "$VAR/db/mysql" ] || return 0
    say "creating a database"
    # Built beside and renamed: an interrupted first start leaves nothing half made.
    rm -rf "$VAR/db" "$VAR/tmp/db"
    # TMPDIR: in a common /tmp one server removes another's temporary tables, and its system tables stay unfinished.
    TMPDIR=$VAR/tmp "${RUN_AS[@]}" mariadb-install-db --no-defaults --user="$AS" --datadir="$VAR/tmp/db" \
        --auth-root-authentication-method=normal --skip-test-db --innodb-log-file-size=64M \
        >"$VAR/log/install-db.log" 2>&1 8>&- 9>&- ||
        die_with_log "the database could not be created" install-db
    mv "$VAR/tmp/db" "$VAR/db"
    rm -f "$VAR/demo.env"
}

# Run by the server itself before it takes connections, at each start: so the passwords are always those of
# conf/secrets, and root, who may do everything, has one too.
write_owner_sql() {
    private_file "$VAR/conf/owner.sql" 640 <<END
ALTER USER root@localhost IDENTIFIED BY '$OWNER_PASSWORD';
CREATE DATABASE IF NOT EXISTS filmgate CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE USER IF NOT EXISTS fg_owner@localhost;
ALTER USER fg_owner@localhost IDENTIFIED BY '$OWNER_PASSWORD';
GRANT ALL PRIVILEGES ON filmgate.* TO fg_owner@localhost WITH GRANT OPTION;
GRANT CREATE USER ON *.* TO fg_owner@localhost;
END
}

owner() { FILMGATE_CONF=$VAR/conf/owner.ini "$BIN/filmgate" "$@" 8>&- 9>&-; }

# An account, an app key and an admin key, once; they are shown nowhere else.
create_demo() {
    FILMGATE_KEY='' FILMGATE_ADMIN_KEY=''
    [ ! -e "$VAR/demo.env" ] || . "$VAR/demo.env"
    [ -z "$FILMGATE_KEY" ] || [ -z "$FILMGATE_ADMIN_KEY" ] || return 0
    local account
    account=$(owner account create demo 2>>"$VAR/log/migrate.log" | grep -o 'acct_[0-9A-Za-z]*') ||
        die_with_log "no demo account" migrate
    FILMGATE_KEY=$(owner key create "$account" --role app --label demo 2>>"$VAR/log/migrate.log" |
        grep -o 'fgk_[0-9A-Za-z]*') || die_with_log "no demo key" migrate
    FILMGATE_ADMIN_KEY=$(owner key create "$account" --role admin --label demo-admin \
        2>>"$VAR/log/migrate.log" | grep -o 'fgk_[0-9A-Za-z]*') || die_with_log "no admin key" migrate
    write_demo_env
}

write_demo_env() {
    private_file "$VAR/demo.env" 600 <<END
FILMGATE_URL=$URL
FILMGATE_KEY=$FILMGATE_KEY
FILMGATE_ADMIN_KEY=$FILMGATE_ADMIN_KEY
END
}

# ---- parts ----

# Each part leads a session of its own: a Ctrl-C in the terminal reaches only us, who stop them in order. Should
# we be killed, the kernel sends them SIGTERM.
start() { # name, program, arguments…
    local name=$1
    shift
    COMMAND_OF[$name]="FILMGATE_CONF=$(printf '%q ' "${FILMGATE_CONF:-}" start "$name" "$@")"
    (
        exec 8>&- 9>&-
        exec setsid "${RUN_AS[@]}" "$@"
    ) </dev/null >>"$VAR/log/$name.log" 2>&1 &
    NAME_OF[$!]=$name
    PID_OF[$name]=$!
    echo $! >"$VAR/run/$name.pid"
}

# A part that the fault tests kill on purpose is started again; in every other run its death ends the stack.
start_one() { # name, program, arguments…
    local name=$1 again=()
    shift
    [ "${RESPAWN:-}" != 1 ] || again=(/usr/bin/multiwatch -f 1 -r 1000000 -t 100 -s TERM --)
    start "$name" "${again[@]}" "$@"
}

# multiwatch gives up on a pool after three deaths in ten seconds unless told otherwise.
start_pool() { # name, processes, configuration, program
    FILMGATE_CONF=$VAR/conf/$3.ini start "$1" spawn-fcgi -s "$VAR/run/$1.sock" -M 0660 -b 1024 -n -- \
        /usr/bin/multiwatch -f "$2" -r 1000000 -t 100 -s TERM -- "$BIN/$4"
}

# A wait that starts no process; a signal's trap runs during it.
pause() { read -r -t "$1" -u 8 || true; }

# A zombie is dead: bash reaps its children when it pleases, and `kill -0` calls them alive until then.
alive() { # pid
    local stat
    # Not $(<file): a missing file ends the whole script there, whatever follows.
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    stat=${stat##*) }
    [ "${stat%% *}" != Z ]
}

# Not `wait -n`: it misses a part that died while something else was waited for. (Bash has its own words about a
# killed child, hence 2>/dev/null.)
look_for_the_dead() {
    local pid status
    [ -z "$ASKED_TO_STOP" ] || exit 0
    for pid in "${!NAME_OF[@]}"; do
        alive "$pid" && continue
        wait "$pid" 2>/dev/null && status=0 || status=$?
        die_of "$pid" "$status"
    done
}

# What a test has killed and wants back.
start_again() {
    local name
    [ "${RESPAWN:-}" = ask ] || return 0
    for name in "${!COMMAND_OF[@]}"; do
        [ -e "$VAR/run/$name.again" ] && [ -z "${PID_OF[$name]:-}" ] || continue
        rm -f "$VAR/run/$name.again"
        eval "${COMMAND_OF[$name]}"
    done
}

# Waits for a command to succeed; a part that died meanwhile, or the time limit, is the end.
until_true() { # seconds, words, command…
    local end=$((SECONDS + $1)) words=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        look_for_the_dead
        [ $SECONDS -lt $end ] || give_up "$words"
        pause 0.1
    done
}

give_up() { # words
    local name
    say "filmgate: $1 did not get ready in time; the last lines of each part:" >&2
    for name in "${!PID_OF[@]}"; do
        say "  $name" >&2
        tail -n 5 "$VAR/log/$name.log" 2>/dev/null | sed 's/^/    /' >&2
    done
    exit 1
}

# What a part left behind: workers of a killed nginx, handlers of a killed pool, a render of a killed worker.
wipe_session() { pkill -KILL -s "$1" 2>/dev/null || true; }

stop_part() { # name, signal, seconds
    local pid=${PID_OF[$1]:-} end=$((SECONDS + $3))
    [ -n "$pid" ] || return 0
    kill "-$2" "$pid" 2>/dev/null || true
    while alive "$pid"; do
        if [ $SECONDS -ge $end ]; then
            say "  $1 did not stop in $3 s and is killed" >&2
            kill -KILL "$pid" 2>/dev/null || true
            break
        fi
        pause 0.05
    done
    wipe_session "$pid"
    rm -f "$VAR/run/$1.pid"
}

stop_all() {
    local status=$?
    trap '' INT TERM HUP
    trap - EXIT
    set +e
    [ ${#PID_OF[@]} -eq 0 ] || say "filmgate stops"
    rm -f "$VAR/run/ready"
    stop_part nginx QUIT 5
    stop_part api TERM 10
    stop_part upload TERM 10
    stop_part hook TERM 10
    stop_part studio TERM 10
    local n
    for ((n = 1; n <= SWEEPERS; n++)); do
        stop_part "sweeper${n#1}" TERM 25
    done
    stop_part studio-worker TERM 10
    stop_part mariadb TERM 60
    stop_part providers TERM 5
    [ -z "$FOLLOWER" ] || pkill -TERM -s "$FOLLOWER" || true
    [ -z "$SHORT" ] || rm -rf "$SHORT"
    exit $status
}

# The far side, pretended. It writes the catalogue that leads to it, and what it takes for keys.
start_simulator() {
    command -v node >/dev/null || die "PROVIDERS=sim needs node"
    # shellcheck disable=SC2086
    start providers node "$TREE/tests/fakes/providers/main.mjs" --port 0 --catalogue "$CATALOGUE" \
        --write-catalogue "$VAR/run/catalogue.json" --write-conf "$VAR/run/providers.ini" \
        --hook-base "$URL/hooks" --books "$VAR/log/books.jsonl" $SIM_ARGS
    until_true 20 "the pretended providers" grep -q ^ready "$VAR/log/providers.log"
    local sim
    sim=$(sed -n 's/^ready //p' "$VAR/log/providers.log")
    CATALOGUE=$VAR/run/catalogue.json
    ORIGINS="$ORIGINS $sim"
    echo "$sim" >"$VAR/run/providers.url"
}

# ---- words for the person in front ----

welcome() {
    cat <<END

  filmgate is ready      $URL
  sign in with the key   $FILMGATE_KEY
  (also in $VAR/demo.env, with an admin key)

  curl -s $URL/v1/jobs -H 'Authorization: Bearer $FILMGATE_KEY' -H 'Content-Type: application/json' \\
    -d '{"prompt":"a paper boat on a quiet lake at dawn","aspectRatio":"16:9","duration":5}'

  Ctrl-C stops everything; what happens:

END
}

# New log lines in short human form: every warning and error, and what happens to jobs.
follow_logs() {
    local files=() name
    for name in api upload hook studio studio-worker sweeper mariadb nginx; do
        files+=("$VAR/log/$name.log")
    done
    (
        exec 8>&- 9>&-
        exec setsid /bin/bash -c \
            'sed=$1 pid=$2; shift 2; tail -q -n 0 -F --pid="$pid" "$@" 2>/dev/null | sed -u -E -f "$sed"' sh \
            "$TREE/nginx/progress.sed" $$ "${files[@]}"
    ) </dev/null &
    FOLLOWER=$!
}
