# Medians of run.sh's measurements ("name=status perSecond=… p50Ms=…", one line each) as a table, and as JSON in the
# file `json`. Fails when an answer was wrong or never came.

function median(key,    n, list, i, j, t) {
    n = count[key]
    if (!n)
        return 0
    for (i = 1; i <= n; i++) {
        t = value[key, i]
        for (j = i - 1; j >= 1 && list[j] > t; j--)
            list[j + 1] = list[j]
        list[j + 1] = t
    }
    return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}

function add(key, v) { value[key, ++count[key]] = v }

# What is left when each request must also be one read: both use up the same processors.
function both(a, b) { return a && b ? 1 / (1 / a + 1 / b) : 0 }

function row(title, of, name, best, target,    mine, ratio, reached) {
    mine = median(name ".perSecond")
    ratio = best ? mine / best : 0
    reached = target ? sprintf("%s %.2f", ratio >= target ? "reached" : "BELOW", target) : ""
    printf "%-17s %9.0f  %-22s %9.0f  %5.2f  %7.2f %7.2f  %7.0f %6.0f %6.0f  %s\n", title, mine, of, best, ratio,
        median(name ".p50Ms"), median(name ".p99Ms"), median(name ".handlerMs"), median(name ".nginxMs"),
        median(name ".databaseMs"), reached
    cases = cases sprintf("%s\n  {\"name\":\"%s of %s\",\"perSecond\":%.1f,\"ceilingPerSecond\":%.1f,\"ratio\":%.3f," \
        "\"p50Ms\":%.3f,\"p99Ms\":%.3f,\"cpuMsPer1k\":%.1f,\"privateMb\":%.2f}", cases == "" ? "" : ",", title, of, mine,
        best, ratio, median(name ".p50Ms"), median(name ".p99Ms"), median(name ".handlerMs"), private / 1024)
}

# At a rate that both hold: what counts is how long each takes.
function paced(    mine, best) {
    mine = median("callback.p99Ms")
    best = median("empty-callback.p99Ms")
    printf "callbacks, %d/s: median %.2f ms, p99 %.2f, slowest %.2f, CPU ms per 1,000 %.0f + %.0f + %.0f; " \
        "empty handler: %.2f, %.2f, %.2f; p99 %.1f times as long\n", callbacks, median("callback.p50Ms"), mine,
        median("callback.maxMs"), median("callback.handlerMs"), median("callback.nginxMs"), median("callback.databaseMs"),
        median("empty-callback.p50Ms"), best, median("empty-callback.maxMs"), best ? mine / best : 0
    verdict("p99 of callbacks", mine, "ms", 20)
    cases = cases sprintf("%s\n  {\"name\":\"callbacks of empty handler\",\"perSecond\":%.1f,\"p50Ms\":%.3f," \
        "\"p99Ms\":%.3f,\"emptyP50Ms\":%.3f,\"emptyP99Ms\":%.3f}", cases == "" ? "" : ",",
        median("callback.perSecond"), median("callback.p50Ms"), mine, median("empty-callback.p50Ms"), best)
}

function verdict(words, got, unit, limit) {
    printf "%-42s %7.2f %s  %s %d\n", words, got, unit, got < limit ? "reached, under" : "NOT UNDER", limit
}

{
    name = substr($1, 6)
    delete field
    for (i = 2; i <= NF; i++) {
        at = index($i, "=")
        field[substr($i, 1, at - 1)] = substr($i, at + 1) + 0
    }
    for (f in field)
        if (f ~ /^(handler|nginx|database)Ms$/)
            add(name "." f, field["requests"] ? field[f] * 1000 / field["requests"] : 0)
        else
            add(name "." f, field[f])
    if (field["errors"]) {
        bad += field["errors"]
        printf "%s: %d answers were wrong or never came\n", name, field["errors"]
    }
}

# The creates of one account go one after the other: each has its row from its first look at the limits until its COMMIT.
function creates(    hot) {
    row("create", "raw commit, same rows", "create", median("commit.perSecond"), 0.5)
    row("create, no web", "raw commit, same rows", "create-alone", median("commit.perSecond"), 0.5)
    hot = median("hot.perSecond")
    row("create, one hot", "raw commit, one account", "hot", median("hot-commit.perSecond"), 0)
    printf "one hot account: a create has its row for %.2f ms, from the look at its limits to the COMMIT, and the next waits; " \
        "nobody else does\n", hot ? 1000 / hot : 0
}

function media() {
    row("signed link, 20 MB", "the same as a file", "link-large", median("file-large.perSecond"), 0.9)
    row("signed link, 100 KB", "the same as a file", "link-small", median("file-small.perSecond"), 0)
}

END {
    if (only != "creates" && only != "media")
        paced()
    if (only == "callbacks") {
        printf "{\"cases\":[%s\n]}\n", cases >json
        exit bad > 0
    }
    printf "%-17s %9s  %-22s %9s  %5s  %7s %7s  %22s\n", "", "", "", "", "", "", "", "CPU ms per 1,000 of"
    printf "%-17s %9s  %-22s %9s  %5s  %7s %7s  %7s %6s %6s\n", "", "per s", "ceiling", "per s", "ratio", "p50 ms",
        "p99 ms", "handler", "nginx", "db"
    if (only == "creates") {
        creates()
        verdict("p99 of creates", median("create.p99Ms"), "ms", 20)
        printf "{\"cases\":[%s\n]}\n", cases >json
        exit bad > 0
    }
    if (only == "media") {
        media()
        printf "{\"cases\":[%s\n]}\n", cases >json
        exit bad > 0
    }
    empty = median("empty-status.perSecond")
    joined = median("joined.perSecond")
    row("status poll 200", "empty handler", "status", empty, 0.65)
    row("status poll 200", "raw read, joined", "status", joined, 0)
    row("status poll 200", "raw read, one table", "status", median("plain.perSecond"), 0)
    row("status poll 200", "empty handler + joined", "status", both(empty, joined), 0)
    row("status poll 304", "empty handler", "unchanged", median("empty-unchanged.perSecond"), 0.7)
    row("changedSince list", "empty handler", "list", median("empty-list.perSecond"), 0)
    creates()
    media()
    row("at " many " connections", "empty handler", "many", median("empty-many.perSecond"), 0)
    printf "%d connections: slowest answer %.0f ms, fewest on one connection %d of %d on average, errors %d\n", many,
        median("many.maxMs"), median("many.least"), median("many.requests") / many, median("many.errors")
    verdict("p99 of status polls 200", median("status.p99Ms"), "ms", 20)
    verdict("p99 of status polls 304", median("unchanged.p99Ms"), "ms", 20)
    verdict("p99 of creates", median("create.p99Ms"), "ms", 20)
    verdict("private memory of the largest handler", private / 1024, "MB", 8)
    printf "{\"cases\":[%s\n]}\n", cases >json
    exit bad > 0
}
