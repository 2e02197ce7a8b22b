#!/bin/sh
# nginx/fastcgi.inc sends exactly the parameters that fcgi/fcgx.c reads, and no header by hand.
set -eu
cd "$(dirname "$0")/../.."
sent=$(sed -n 's/^ *fastcgi_param  *\([A-Z_]*\) .*/\1/p' nginx/fastcgi.inc | sort)
read=$(grep -o '"[A-Z][A-Z_]*"' fcgi/fcgx.c | tr -d '"' | sort -u)
if [ "$sent" != "$read" ]; then
    printf 'nginx/fastcgi.inc sends:\n%s\nfcgi/fcgx.c reads:\n%s\n' "$sent" "$read" >&2
    exit 1
fi
if grep -o '"HTTP_[^"]*"' fcgi/web.h | sort | uniq -d | grep .; then
    echo 'fcgi/web.h lists a header twice' >&2
    exit 1
fi
grep -q '^ *fastcgi_pass_request_headers on;' nginx/fastcgi.inc
echo 'ok - nginx/fastcgi.inc sends what fcgi/fcgx.c reads'
