#!/bin/bash
# Arrows point down only (see README.md): who may include what, and who may see an outside library.
. "$(dirname "$0")/lib.sh"

# layer: what it may include, as prefixes of the path after core/ (or fcgi/). First fit counts.
rules() {
    cat <<'END'
core/base/               base/
core/io/                 io/ base/
core/provider/catalogue  provider/ io/json.h base/
core/provider/route.     provider/ base/
core/provider/match.     provider/ base/
core/provider/schema     provider/schema io/json.h base/
core/provider/comfyui    provider/comfyui.h provider/provider.h provider/adapter.h io/json.h io/fetch.h base/
core/provider/           provider/provider.h provider/adapter.h provider/verify.h io/json.h io/hash.h io/fetch.h base/
core/account/            account/ io/ base/
core/money/              money/ io/ base/
core/moderate/           moderate/ io/ base/
core/media/              media/ io/ base/
core/notify/             notify/ io/ base/
core/job/                job/ account/ money/ moderate/ media/ notify/ provider/ io/ base/
core/sweeper/            sweeper/ job/ account/ money/ moderate/ media/ notify/ provider/ io/ base/
core/cli/                cli/ job/ account/ money/ moderate/ media/ notify/ provider/ io/ base/
fcgi/                    fcgi job/ account/ money/ moderate/ media/ notify/ provider/ io/ base/
END
}

includes() { # file
    sed -n -E 's/^[[:space:]]*#[[:space:]]*include[[:space:]]+"([^"]*)".*/\1/p' "$1"
}

allowed() { # file, include, prefixes…
    local file=$1 include=$2 prefix
    shift 2
    for prefix in "$@"; do
        case $prefix in
        fcgi) [ ! -e "fcgi/$include" ] || return 0 ;;
        *) case $include in "$prefix"*) return 0 ;; esac ;;
        esac
    done
    case $file:$include in
    core/io/db.h:../sql/statements.def | core/io/db*.c:../sql/statements.def) return 0 ;;
    esac
    return 1
}

sources() { our_files | grep -E '^(core|fcgi)/.*\.(c|h|def)$'; }

sources | while read -r file; do
    while read -r layer prefixes; do
        case $file in "$layer"*) break ;; esac
        prefixes=
    done < <(rules)
    includes "$file" | while read -r include; do
        # shellcheck disable=SC2086
        allowed "$file" "$include" $prefixes || echo "$file includes \"$include\""
    done
done | check "includes point down only"

# Each outside library is one door.
while read -r pattern header; do
    sources | grep -v -E "$pattern" | while read -r file; do
        grep -H -n -E "^[[:space:]]*#[[:space:]]*include[[:space:]]+<$header" "$file"
    done
done <<'END' | check "each outside library has one door"
^core/io/db[a-z_]*\.[ch]$          (mariadb/)?mysql\.h|(mariadb/)?errmsg\.h|(mariadb/)?mysqld_error\.h
^core/io/(fetch[a-z_]*|transfer|address)\.[ch]$  curl/
^core/io/json[a-z_]*\.[ch]$        json|json-c/
^core/io/hash[a-z_]*\.[ch]$        blake2|openssl/
^core/io/xml\.c$                   expat\.h
^core/base/conf\.c$                ini\.h
^core/moderate/normalise\.c$       unicode/
^fcgi/fcgx\.c$                     fcgi
END

sources | grep '\.c$' | while read -r file; do
    own=${file%.c}.h
    [ -e "$own" ] || continue
    short=${own#core/}
    short=${short#fcgi/}
    first=$(includes "$file" | head -n 1)
    # The inside header of a module in several files (io/fetch_parts.h) includes the outer one first.
    case $first in "$short" | "${own##*/}" | "${short%.h}_"*) continue ;; esac
    echo "$file: first is \"$first\", not \"$short\""
done | check "a file includes its own header first"

sources | while read -r file; do
    case $file in core/io/db*) ;; *) grep -H -n 'statements\.def"' "$file" ;; esac
done | check "only io/db reads sql/statements.def"
finish
