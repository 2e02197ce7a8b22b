# JSON log lines in, short lines for a person out: warnings, errors and whatever happens to a job. sed because it
# does not sit on its input (-u), as Debian's awk does.
/^\{/ {
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
