#!/bin/bash
# Runs test programs one after the other and adds up: cmocka programs, scripts that speak TAP (tests/lint), and files
# for node:test, those of tests/e2e each with a stack of its own (tests/e2e/run.sh). One line per program, what it said
# only when it failed, and one closing line.
#
#   tests/run.sh PROGRAM…      "asan:PROGRAM" gives the program another name in the list
set -u
cd "$(dirname "$0")/.." || exit 2
export CMOCKA_MESSAGE_OUTPUT=STDOUT
passed=0 failed=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT

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

for item in "$@"; do
    program=${item#asan:}
    name=${program#build*/tests/}
    name=${name#tests/}
    [ "$item" = "$program" ] || name="$name (sanitized)"
    begin=${EPOCHREALTIME/./}
    case $program in
    tests/fakes/* | tests/providers/*.test.mjs) node --test --test-reporter=tap "$program" </dev/null >"$out" 2>&1 ;;
    *.test.mjs) tests/e2e/run.sh "$program" </dev/null >"$out" 2>&1 ;;
    *) "./$program" </dev/null >"$out" 2>&1 ;;
    esac
    status=$?
    seconds=$(((${EPOCHREALTIME/./} - begin) / 100000))
    add_up $status
    passed=$((passed + ok))
    failed=$((failed + bad))
    if [ "$bad" -eq 0 ]; then
        printf 'ok      %-36s %4d tests %4d.%d s\n' "$name" "$ok" $((seconds / 10)) $((seconds % 10))
    else
        grep -v -E '^\[( RUN  |       OK )' "$out" | tail -n 150 | sed 's/^/        /'
        printf 'FAILED  %-36s %4d tests, %d of them failed (exit status %d)\n' "$name" $((ok + bad)) "$bad" $status
    fi
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
