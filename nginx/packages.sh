#!/bin/bash
# Installs the Debian packages that are missing, and only those. Which: `run` to build and run, `test` for the
# tests too. "package?command" is satisfied by the command, wherever it came from.
set -euo pipefail

RUN="gcc make libc6-dev pkg-config?pkg-config libmariadb-dev libcurl4-openssl-dev libjson-c-dev libb2-dev
     libssl-dev libinih-dev libexpat1-dev libicu-dev libvips-tools?vipsthumbnail libfcgi-dev nginx-light?nginx mariadb-server?mariadbd mariadb-client?mariadb-admin
     spawn-fcgi multiwatch ffmpeg?ffmpeg fonts-dejavu-core curl?curl procps?pkill"
TEST="libcmocka-dev libjansson-dev nodejs?node npm?npm chromium?chromium git?git
      swift-proxy swift-account swift-container swift-object"

PATH=$PATH:/usr/sbin:/sbin

installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing() {
    local entry
    for entry in "$@"; do
        if [[ $entry == *\?* ]]; then
            command -v "${entry#*\?}" >/dev/null || echo "${entry%\?*}"
        else
            installed "$entry" || echo "$entry"
        fi
    done
}

# apt starts what it installs. These packages are for a private stack: nothing of them may run by itself, now or
# after the next boot. A service that was there before is not touched.
without_services() {
    local policy=/usr/sbin/policy-rc.d mine=
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | "${ROOT[@]}" tee $policy >/dev/null
        "${ROOT[@]}" chmod 755 $policy
        mine=1
    fi
    local status=0
    RUNLEVEL=1 "$@" || status=$?
    [ -z "$mine" ] || "${ROOT[@]}" rm -f $policy
    return $status
}

install() {
    local log
    log=$(mktemp)
    local apt=("${ROOT[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -q -y)
    if ! { "${apt[@]}" update && without_services "${apt[@]}" install --no-install-recommends "$@"; } \
            </dev/null >"$log" 2>&1; then
        tail -20 "$log" >&2
        rm -f "$log"
        echo "packages: could not install: $*" >&2
        return 1
    fi
    rm -f "$log"
    if [ -d /run/systemd/system ]; then
        case " $* " in *" nginx-light "*) "${ROOT[@]}" systemctl -q disable nginx.service || true ;; esac
        case " $* " in *" mariadb-server "*) "${ROOT[@]}" systemctl -q disable mariadb.service || true ;; esac
    fi
}

[ "${PROVIDERS:-}" != sim ] || RUN="$RUN nodejs?node"
case ${1:-run} in
run) read -r -d '' -a want <<<"$RUN" || true ;;
test) read -r -d '' -a want <<<"$RUN $TEST" || true ;;
*) echo "usage: $0 [run|test]" >&2; exit 2 ;;
esac

mapfile -t need < <(missing "${want[@]}")
[ ${#need[@]} -gt 0 ] || exit 0

ROOT=()
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "packages: missing ${need[*]}; install them as root, or install sudo" >&2
        exit 1
    }
    ROOT=(sudo)
fi
echo "installing ${need[*]}"
install "${need[@]}"
