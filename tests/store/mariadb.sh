#!/bin/sh
# A private MariaDB for tests: no TCP, its own socket, nobody else's data.
#   mariadb.sh template BUILD        makes BUILD/mariadb-template unless it is there
#   mariadb.sh run   BUILD DIR       copies the template to DIR/data unless it is there, becomes the server
# DIR must be short: a socket's path has at most 107 bytes.
set -eu

if [ "$(id -u)" = 0 ]; then as_root=--user=root; else as_root=; fi

# A server that starts deletes whatever looks like a temporary table in its folder for those, and another that works with
# one of them dies of it: each has a folder of its own.
template() {
    mkdir -p "$1" "$1/mariadb-tmp"
    (
        flock 9
        [ -d "$1/mariadb-template" ] && exit
        rm -rf "$1/mariadb-template.new"
        if ! TMPDIR="$1/mariadb-tmp" mariadb-install-db --no-defaults $as_root --datadir="$1/mariadb-template.new" \
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
    mkdir -p -m 700 "$2" "$2/tmp"
    [ -d "$2/data" ] || cp -a "$1/mariadb-template" "$2/data"
    # The data dies with the test: it need not survive a loss of power, only of the process.
    exec mariadbd --no-defaults $as_root --datadir="$2/data" --socket="$2/s" --pid-file="$2/pid" \
        --tmpdir="$2/tmp" --log-error="$2/log.err" --skip-networking --skip-name-resolve --performance-schema=OFF \
        --innodb-log-file-size=4M --innodb-buffer-pool-size=32M --innodb-flush-method=nosync \
        --max-prepared-stmt-count=65536
}

command=$1
shift
"$command" "$@"
