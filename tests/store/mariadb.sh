#!/bin/sh
# A private MariaDB for tests: no TCP, its own socket, nobody else's data.
#   mariadb.sh template BUILD        makes BUILD/mariadb-template unless it is there
#   mariadb.sh run   BUILD DIR       copies the template to DIR/data unless it is there, becomes the server
#   mariadb.sh start BUILD DIR       the same in the background; prints the socket once it answers
#   mariadb.sh stop  DIR             ends it by its process id, and waits
# DIR must be short: a socket's path has at most 107 bytes.
set -eu

if [ "$(id -u)" = 0 ]; then as_root=--user=root; else as_root=; fi

template() {
    mkdir -p "$1"
    (
        flock 9
        [ -d "$1/mariadb-template" ] && exit
        rm -rf "$1/mariadb-template.new"
        if ! mariadb-install-db --no-defaults $as_root --datadir="$1/mariadb-template.new" \
            --auth-root-authentication-method=normal --skip-test-db --innodb-log-file-size=4M \
            >"$1/mariadb-template.log" 2>&1; then
            cat "$1/mariadb-template.log" >&2
            exit 1
        fi
        mv "$1/mariadb-template.new" "$1/mariadb-template"
    ) 9>"$1/mariadb-template.lock"
}

run() {
    template "$1"
    mkdir -p -m 700 "$2"
    [ -d "$2/data" ] || cp -a "$1/mariadb-template" "$2/data"
    # The data dies with the test: it need not survive a loss of power, only of the process.
    exec mariadbd --no-defaults $as_root --datadir="$2/data" --socket="$2/s" --pid-file="$2/pid" \
        --log-error="$2/log" --skip-networking --skip-name-resolve --performance-schema=OFF \
        --innodb-log-file-size=4M --innodb-buffer-pool-size=32M --innodb-flush-method=nosync
}

start() {
    (run "$1" "$2") >/dev/null 2>&1 9>&- &
    pid=$!
    until mariadb-admin --no-defaults --socket="$2/s" -u root ping >/dev/null 2>&1; do
        if ! kill -0 "$pid" 2>/dev/null; then
            echo "mariadbd did not start; its log:" >&2
            tail -20 "$2/log" >&2
            exit 1
        fi
        sleep 0.05
    done
    echo "$2/s"
}

stop() {
    pid=$(cat "$1/pid" 2>/dev/null) || return 0
    kill "$pid" 2>/dev/null || return 0
    while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
}

command=$1
shift
"$command" "$@"
