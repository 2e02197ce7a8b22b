#!/bin/bash
# Starts one stack on a free port in a folder of its own and runs node:test over the given files, or all. Files that all start
# stacks of their own ("new Stack") need no other.
# They find it through FILMGATE_URL, FILMGATE_KEY, FILMGATE_ADMIN_KEY, FILMGATE_VAR, FILMGATE_STUDIO_URL,
# FILMGATE_STUDIO_KEY, FILMGATE_WEBHOOK_SECRET (the studio's) and FILMGATE_STUDIO_HOOK (where they may listen). Pictures of the
# pages are kept in FILMGATE_SHOTS (var/shots).
set -u
cd "$(dirname "$0")/../.." || exit 2
. tests/wait.sh
export BUILD=${BUILD:-build}
[ $# -gt 0 ] || set -- tests/e2e/*.test.mjs

export FILMGATE_SHOTS=${FILMGATE_SHOTS:-$PWD/var/shots}
mkdir -p "$FILMGATE_SHOTS"
# The page's own limits are the tests': a hanging one must not hang everything.
judge() { timeout 900 node --test --test-reporter=tap "$@"; }
if [ -z "$(grep -L 'new Stack(' "$@")" ]; then
    judge "$@"
    exit
fi

dir=$(mktemp -d /tmp/fge.XXXXXX)
chmod 755 "$dir"
export FILMGATE_VAR=$dir/var
# Two ports: the second is for a test that receives callbacks itself.
read -r port hook < <(node -e 'const net = require("net"), all = [0, 0].map(() => net.createServer().listen(0, "127.0.0.1"));
    setImmediate(() => { console.log(...all.map((s) => s.address().port)); all.forEach((s) => s.close()); })')

# A short patience with handlers, so that a test of it need not be patient.
FILMGATE_FETCH_LOCAL_ORIGINS="http://127.0.0.1:$port http://127.0.0.1:$hook" \
    PORT=$port VAR=$FILMGATE_VAR FCGI_TIMEOUT_S=4 nginx/stack.sh >"$dir/out" 2>&1 &
stack=$!
stop() {
    kill "$stack" 2>/dev/null
    wait "$stack"
    ended=$?
    rm -rf "$dir"
}
trap 'stop; exit 1' INT TERM

if ! stack_is_up "$stack" "$FILMGATE_VAR" "$dir/out"; then
    echo "not ok - the stack starts"
    stop
    exit 1
fi
set -a
. "$FILMGATE_VAR/demo.env"
FILMGATE_STUDIO_URL=$FILMGATE_URL/studio/v1
FILMGATE_STUDIO_KEY=$(sed -n 's/^STUDIO_KEY=//p' "$FILMGATE_VAR/conf/secrets")
FILMGATE_WEBHOOK_SECRET=$(sed -n 's/^STUDIO_WEBHOOK=//p' "$FILMGATE_VAR/conf/secrets")
FILMGATE_STUDIO_HOOK=http://127.0.0.1:$hook
set +a

judge "$@"
status=$?
if [ $status -ne 0 ]; then
    echo "the stack said:"
    tail -n 20 "$dir/out"
    tail -q -n 5 "$FILMGATE_VAR"/log/{api,hook,studio,studio-worker,sweeper,nginx}.log
fi
stop
if [ "$ended" -ne 0 ]; then
    echo "the stack ended with exit status $ended"
    status=1
fi
exit $status
