#!/bin/bash
# Every header compiles alone, with the build's own flags (CHECK_CC comes from the Makefile).
. "$(dirname "$0")/lib.sh"
: "${CHECK_CC:=gcc -std=c17 -D_DEFAULT_SOURCE -Icore}"

our_files | grep -E '^(core|fcgi|tests)/.*\.h$' | grep -v 'core/base/banned\.h' | while read -r header; do
    flags='' cc=$CHECK_CC
    case $header in fcgi/*) flags=-Ifcgi ;; tests/*) flags="-Itests -Ifcgi" ;; esac
    # mysql.h says strcpy in its macros: it comes before base/banned.h.
    case $header in core/io/db_*) cc=${CHECK_CC/-include/-include mysql.h -include} ;; esac
    # shellcheck disable=SC2086
    printf '#include "%s"\n' "$header" | $cc $flags -I. -fsyntax-only -x c - 2>&1 | head -n 5
done | check "every header compiles alone"
finish
