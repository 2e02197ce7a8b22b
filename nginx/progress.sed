# JSON log lines in, short lines for a person out: warnings, errors and whatever happens to a job. sed because it
# does not sit on its input (-u), as Debian's awk does.
/^\{/ {
    # Of the access log only what begins or moves a job.
    s/^\{"at":"[^T]*T([0-9:]{8}).*"requestId":"([0-9a-f]*)".*"method":"POST","path":"\/v1\/jobs","status":202,.*/  \1  job created  request=\2/
    s/^\{"at":"[^T]*T([0-9:]{8}).*"path":"\/hooks\/","status":([0-9]*),.*/  \1  provider called back  status=\2/
    t
    /"level":"(warn|error)"|"event":"(job|submit|ingest|studio\.video)/! d
    s/^\{"at":"[^T]*T([0-9:]{8})[^"]*","level":"([a-z]*)","event":"([^"]*)",?/  \1  \2  \3  /
    s/,?"requestId":"[^"]*"//
    s/\}$//
    s/,"([A-Za-z]+)":/  \1=/g
    s/"([A-Za-z]+)":/\1=/
    s/^(  [0-9:]+)  info/\1/
    b
}
/\[(error|crit|alert|emerg)\]|\[ERROR\]|Sanitizer/! d
s/^/  /
