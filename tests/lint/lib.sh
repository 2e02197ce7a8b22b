# Sourced by the lint scripts: findings are collected per check, and told as TAP.
set -u
cd "$(dirname "$0")/../.." || exit 2
LINT_FAILED=0

# check "words": standard input is a list of findings; empty is good.
check() {
    local findings
    findings=$(cat)
    if [ -z "$findings" ]; then
        echo "ok - $1"
    else
        echo "not ok - $1"
        printf '%s\n' "$findings" | sed 's/^/    /'
        LINT_FAILED=1
    fi
}

finish() { exit $LINT_FAILED; }

# Our own files, also those not yet committed; without git (an unpacked archive) whatever is there.
our_files() {
    git ls-files -co --exclude-standard 2>/dev/null | while read -r f; do [ ! -e "$f" ] || echo "$f"; done |
        grep . || find . -type f -not -path './build*' -not -path './var/*' -not -path '*/node_modules/*' \
            -not -path './.git/*' | sed 's|^\./||'
}
