#!/bin/bash
# Side effects go through the doors of core/io, where a fault test can count them and let each go wrong (base/fault.h):
# one that does not fails here, and so cannot be left out of tests/fault.
. "$(dirname "$0")/lib.sh"

doors='^core/io/(db|db_link|fetch|transfer|file|child)\.c$'
calls='(open|openat|creat|fopen|freopen|write|writev|pwrite|fsync|fdatasync|rename|renameat|unlink|unlinkat|remove|link'
calls+='|linkat|symlink|mkdir|mkdirat|rmdir|truncate|ftruncate|fallocate|chmod|fchmod|chown|utimensat|mkstemp|sendfile'
calls+='|copy_file_range|send|sendto|sendmsg|connect|posix_spawnp?|fork|execl?v?p?e?|system|popen)'

# What is let through, each with the reason why no test need let it fail.
allowed() {
    grep -v -E \
        -e '^core/base/(env|fault)\.c:' \
        -e '^core/job/wake\.c:' \
        -e '^(core/[a-z]+|fcgi)/[a-z_]+\.c:[0-9]+:.*\b(fopen\([^,]*, "re"\)|open\([^,]*, O_RDONLY)' \
        -e '^fcgi/studio/'
    # env: the log. fault: this very thing. wake: a hint, which may be lost. Reading changes nothing. The studio is a
    # provider: what it loses is what providers lose.
}

our_files | grep -E '^(core|fcgi)/.*\.c$' | grep -v -E "$doors" | xargs grep -H -n -E "(^|[^a-z_>.])$calls\(" |
    grep -v -E ':[0-9]+: *(static|/\*|\*)' | allowed | check "side effects go through the doors"

# A door without the question is none.
for door in db fetch file child; do
    grep -q 'fault_next(' "core/io/$door.c" || echo "core/io/$door.c does not ask fault_next"
done | check "each door asks what becomes of an effect"

awk '/^[a-z].*\)$/ { name = $0; asks = 0 } /fault_next\(/ { asks = 1 }
     /^}/ { if (name ~ /^(int|bool) file_/ && !asks) print name }' core/io/file.c |
    check "each change to a file asks"
finish
