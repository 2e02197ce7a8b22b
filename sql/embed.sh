#!/bin/sh
# Writes C with the migrations and the grants as bytes, so that the program carries its own schema.
set -eu
LC_ALL=C
cd "$(dirname "$0")"

bytes() {
    printf 'static const unsigned char %s[] = {\n' "$1"
    od -An -v -tu1 "$2" | sed 's/  */,/g; s/^,//; s/$/,/'
    printf '};\n'
}

echo '#include "cli/migrations.h"'
last=
for f in migrations/*.sql; do
    name=${f##*/}
    case $name in
    [0-9][0-9][0-9][0-9]_*.sql) ;;
    *) echo "sql/$f: not NNNN_name.sql" >&2; exit 1 ;;
    esac
    version=${name%%_*}
    if [ "$version" = "$last" ]; then
        echo "sql/$f: a second migration $version" >&2
        exit 1
    fi
    last=$version
    bytes "m$version" "$f"
    list="${list-}    { \"$name\", { (const char *)m$version, sizeof m$version } },
"
done
bytes grants grants.sql
printf 'const struct migration migrations[] = {\n%s};\n' "$list"
echo 'const size_t migration_n = sizeof migrations / sizeof migrations[0];'
echo 'const struct fg_str grants_sql = { (const char *)grants, sizeof grants };'
