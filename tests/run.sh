#!/bin/bash
# Runs test programs and adds up: cmocka programs, scripts that speak TAP (tests/lint), and files for node:test, those of
# tests/e2e each with a stack of its own (tests/e2e/run.sh). One line per program, what it said only when it failed; at
# the end the first reason of each that failed, and one closing line. LANES programs at a time (3: they wait, most of the
# time), but for those that want the machine for themselves.
#
#   tests/run.sh PROGRAM…      "asan:PROGRAM" gives the program another name in the list
set -u
cd "$(dirname "$0")/.." || exit 2
export CMOCKA_MESSAGE_OUTPUT=STDOUT
# Many tests create the same job again and again; those of the window set it themselves.
export FILMGATE_LIMITS_DUPLICATE_WINDOW_S=0
LANES=${LANES:-3}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

count() { grep -c -E -- "$1" "$out" || true; }
number() { sed -n -E "s/$1/\1/p" "$out" | tail -n 1; }

# Sets ok and bad. A test that began and did not end, or never began because the program died, has failed.
add_up() {
    local all
    if grep -q '^\[==========\].*Running [0-9]* test' "$out"; then
        ok=$(count '^\[       OK \] ')
        all=$(number '^\[==========\].*Running ([0-9]+) test.*')
        bad=$((all - ok))
    elif grep -q '^# tests [0-9]' "$out"; then
        ok=$(number '^# pass ([0-9]+)')
        all=$(number '^# tests ([0-9]+)')
        bad=$((all - ok))
    else
        ok=$(count '^ok ')
        bad=$(count '^not ok ')
    fi
    [ "$bad" -ge 0 ] || bad=1
    # Whatever it counted itself: a program that ends badly, or tests nothing, has failed.
    if [ "$1" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
    if [ $((ok + bad)) -eq 0 ]; then bad=1; fi
}

# What failed first: what comes after it is often of its making.
reason() {
    grep -m 1 -A 20 -E "$said|^ *not ok " "$out" | grep -m 2 -E "$said|^ *not ok |^ *error: " | tr -s '\n ' ' ' | cut -c 1-400
}
said='^(core|fcgi|tests)/[a-z0-9_/]+\.[ch]:[0-9]+: '

start() { # program
    case $1 in
    tests/fault/*.test.mjs) # over the programs that are built with FG_FAULT
        BUILD=${FAULT_BUILD:-build-fault} timeout 600 node --test --test-reporter=tap "$1" ;;
    tests/fakes/* | tests/providers/*.test.mjs | tests/s3/*.test.mjs) node --test --test-reporter=tap "$1" ;;
    */money_page.test.mjs) FILMGATE_LIMITS_DUPLICATE_WINDOW_S=30 tests/e2e/run.sh "$1" ;;
    *.test.mjs) tests/e2e/run.sh "$1" ;;
    *) "./$1" ;;
    esac
}

# In a process of its own: what it found out is in $dir/NUMBER.* when it ends.
run() { # number, item
    local out=$dir/$1.out program=${2#asan:} name begin status seconds ok bad
    name=${program#build*/tests/}
    name=${name#tests/}
    [ "$2" = "$program" ] || name="$name (sanitized)"
    begin=${EPOCHREALTIME/./}
    start "$program" </dev/null >"$out" 2>&1
    status=$?
    seconds=$(((${EPOCHREALTIME/./} - begin) / 100000))
    add_up $status
    {
        if [ "$bad" -eq 0 ]; then
            printf 'ok      %-36s %4d tests %4d.%d s\n' "$name" "$ok" $((seconds / 10)) $((seconds % 10))
        else
            # What a sanitizer lists of a test that was cut off may be long: the reason stands above it.
            grep -v -E '^\[( RUN  |       OK )' "$out" | awk '
                { line[NR] = $0 }
                END { for (i = 1; i <= NR; i++) if (i <= 100 || i > NR - 100) print "        " line[i] }'
            printf 'FAILED  %-36s %4d tests, %d of them failed (exit status %d)\n' "$name" $((ok + bad)) "$bad" $status
            printf '%s: %s\n' "$name" "$(reason)" >"$dir/$1.why"
        fi
    } >"$dir/$1.told"
    rm -f "$out"
    echo "$ok $bad" >"$dir/$1.sum"
}

# What measures time, and what takes the whole machine.
alone() {
    case $1 in
    tests/e2e/api.test.mjs | tests/e2e/many_jobs_page.test.mjs | tests/fakes/*) return 0 ;;
    tests/fault/database.test.mjs | tests/fault/chaos.sh) return 0 ;;
    *) return 1 ;;
    esac
}

passed=0 failed=0 next=0
# What has ended is told in the order of the list.
tell() {
    local ok bad
    while [ -e "$dir/$next.sum" ]; do
        cat "$dir/$next.told"
        read -r ok bad <"$dir/$next.sum"
        passed=$((passed + ok))
        failed=$((failed + bad))
        next=$((next + 1))
    done
}

n=0 running=0
for item in "$@"; do
    most=$LANES
    if alone "$item"; then most=1; fi
    while [ "$running" -ge "$most" ]; do
        wait -n
        running=$((running - 1))
        tell
    done
    run "$n" "$item" &
    n=$((n + 1))
    running=$((running + 1))
    if [ "$most" -eq 1 ]; then
        wait
        running=0
        tell
    fi
done
wait
tell
# One that did not even come to a sum has failed.
failed=$((failed + n - next))

# Once more where a reader of the end alone finds it.
cat "$dir"/*.why 2>/dev/null
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
