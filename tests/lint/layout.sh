#!/bin/bash
# The tree: what stands at the top, how long a file may be, what no file may contain.
. "$(dirname "$0")/lib.sh"

our_files | cut -d/ -f1 | sort -u | grep -v -x -E \
    'core|fcgi|sql|nginx|tests|www|Makefile|README\.md|LICENSE|\.gitignore|\.clang-format|\.ci' |
    check "nothing at the top but the fixed list"

code() { our_files | grep -E '\.(c|h|sh|sql|def|mjs|js|css|html|in|inc|service)$|^Makefile$'; }

code | grep -E '\.(c|h)$' | while read -r file; do
    lines=$(wc -l <"$file")
    [ "$lines" -le 600 ] || echo "$file: $lines lines"
done | check "no file over 600 lines"

code | xargs grep -n -E '[[:blank:]]+$' | head -n 20 | check "no blanks at line ends"
our_files | grep -E '\.(c|h|def)$' | xargs grep -n -P '\t' | head -n 20 | check "no tabs in C"
code | xargs grep -n -w -E 'TO[D]O|FIX[M]E|XX[X]' | head -n 20 | check "nothing left for later"
our_files | xargs grep -n -I -E '/wor[k]/|registry\.npm[j]s|"resolve[d]": *"http' | head -n 20 |
    check "no path of a machine, no registry's host"
for script in $(our_files | grep '\.sh$') .ci/run; do
    bash -n "$script" 2>&1
done | check "every script parses"
finish
