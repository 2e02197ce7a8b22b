#!/bin/bash
# Tables that live apart agree with each other.
. "$(dirname "$0")/lib.sh"

slugs() {
    sed -n -E 's/^E\([^"]*"([a-z_]+)".*/\1/p' core/base/errors.def
    sed -n -E 's/^R\([A-Z_]+, *"([a-z_]+)".*/\1/p' core/job/reasons.def
}
[ "$(slugs | wc -l)" -gt 20 ] || echo "not ok - the tables of slugs can be read"

slugs | while read -r slug; do
    grep -q "id=\"$slug\"" www/problems/index.html || echo "$slug"
done | check "every error code is explained at www/problems/"

grep -o '/problems/#[a-z_]*' nginx/*.inc nginx/*.in | sed 's/.*#//' | sort -u | while read -r slug; do
    slugs | grep -qx "$slug" || echo "$slug"
done | check "nginx knows no error code that the product does not"

names() { sed -n -E 's/^S\(([A-Z0-9_]+),.*/\1/p' sql/statements.def; }
names | while read -r name; do
    grep -r -q -w "SQL_$name" core fcgi || echo "$name"
done | check "every statement is used"

names | sort | uniq -d | check "no statement twice"

tables() { sed -n -E 's/^CREATE TABLE ([a-z_]+).*/\1/p' sql/migrations/*.sql; }
tables | while read -r table; do
    grep -q -w "$table" sql/grants.sql || echo "$table"
done | check "every table has its grants"
finish
