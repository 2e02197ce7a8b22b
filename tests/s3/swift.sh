#!/usr/bin/env bash
# OpenStack Swift with its S3 interface, all four servers on loopback: swift.sh DIR PORT. Takes PORT to PORT + 3, keeps
# everything in DIR, says "ready" when it answers, and ends when its standard input does.
# Account "test", access key test:tester, secret testing. The rings are of one device and one replica.
set -eu
dir=$1 port=$2
PATH=$PATH:/usr/sbin:/sbin
me=$(id -un)
mkdir -p "$dir"/{conf,node/disk}
[ -r /etc/swift/swift.conf ] || { echo "swift.sh: /etc/swift/swift.conf is not there for $me" >&2; exit 1; }

# The builder's own commands take a second each.
/usr/bin/python3 - "$dir/conf" "$port" <<'END'
import sys
from swift.common.ring import RingBuilder
conf, port = sys.argv[1], int(sys.argv[2])
for i, ring in enumerate(('object', 'container', 'account')):
    b = RingBuilder(2, 1, 0)
    b.add_dev({'id': 0, 'region': 1, 'zone': 1, 'weight': 1.0, 'ip': '127.0.0.1', 'port': port + 1 + i,
               'replication_ip': '127.0.0.1', 'replication_port': port + 1 + i, 'device': 'disk', 'meta': ''})
    b.rebalance()
    b.get_ring().save(f'{conf}/{ring}.ring.gz')
END

common() { # port
    cat <<END
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $1
workers = 0
user = $me
swift_dir = $dir/conf
devices = $dir/node
mount_check = false
log_address = $dir/no-syslog
log_level = ERROR
fallocate_reserve = 0
END
}
i=0
for kind in object container account; do
    i=$((i + 1))
    {
        common $((port + i))
        printf '[pipeline:main]\npipeline = %s-server\n[app:%s-server]\nuse = egg:swift#%s\n' $kind $kind $kind
    } >"$dir/conf/$kind.conf"
done
{
    common "$port"
    cat <<'END'
[pipeline:main]
pipeline = catch_errors cache s3api tempauth bulk slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
error_suppression_limit = 100000
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
min_segment_size = 5242880
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
END
} >"$dir/conf/proxy.conf"

pids=()
for kind in object container account proxy; do
    setpriv --pdeathsig TERM "swift-$kind-server" "$dir/conf/$kind.conf" >"$dir/$kind.log" 2>&1 </dev/null &
    pids+=($!)
done
trap 'kill "${pids[@]}" 2>/dev/null || true' EXIT
for kind in 0 1 2 3; do
    until (: <"/dev/tcp/127.0.0.1/$((port + kind))") 2>/dev/null; do
        for pid in "${pids[@]}"; do
            kill -0 "$pid" 2>/dev/null || { tail -n 5 "$dir"/*.log >&2; exit 1; }
        done
        sleep 0.1
    done
done
echo ready
read -r _ || true
