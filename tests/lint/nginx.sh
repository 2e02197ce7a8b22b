#!/bin/bash
# nginx takes the configuration that the stack renders, and no location drops the common headers.
. "$(dirname "$0")/lib.sh"
dir=$(mktemp -d /tmp/fglint.XXXXXX)
chmod 755 "$dir"
trap 'rm -rf "$dir"' EXIT

VAR=$dir/var PORT=18999 nginx/stack.sh conf 2>&1 | check "nginx -t finds nothing to say"

# add_header in a location drops all inherited ones.
awk '/^ *location/ { at = $0; has = 0; adds = 0 }
     /include (headers|problem).inc/ { has = 1 }
     /add_header/ { adds = 1 }
     /^ *}/ { if (adds && !has) print FILENAME ": " at; adds = 0 }' nginx/errors.inc nginx/filmgate.conf.in |
    grep -v '@e416' | check "a location that adds a header includes the common ones"

for word in @PORT@ @VAR@ @WWW@ @TIMEOUT@ @HOOK_TIMEOUT@ @UPLOAD_MAX@; do
    grep -q "$word" nginx/filmgate.conf.in || echo "$word"
done | check "the template has its words"
grep -o '@[A-Z_]\+@' "$dir/var/conf/nginx.conf" | check "no word is left unfilled"
grep -n -E 'fastcgi_keep_conn +on|\$(request_time|msec|connection_time|tcpinfo)' nginx/fastcgi.inc \
    nginx/filmgate.conf.in | grep -v log_format | grep -E 'keep_conn|fastcgi_param' |
    check "no kept FastCGI connections, none of the variables that overflow"
finish
