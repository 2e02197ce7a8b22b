# What polls.sh measured ("name=bare perSecond=… cpuMs=…", one line each; the mean of several) as a table, and as JSON
# in the file `json`. Fails when an answer was wrong.

function mean(key) { return count[key] ? sum[key] / count[key] : 0 }

function per_1000(name, what) { return 1000 * sum[name "." what] / sum[name ".requests"] }

function row(words, name, ratio_n, ratio_cpu) {
    printf "%-22s %9.0f  %5s  %8.0f  %5s  %8s %9.0f\n", words, mean(name ".perSecond"), ratio_n,
        per_1000(name, "cpuMs"), ratio_cpu,
        name == "bare" ? "" : sprintf("%.0f", per_1000(name, "databaseMs")), per_1000(name, "farMs")
}

function verdict(words, got, unit, below, limit) {
    good = below ? got < limit : got >= limit
    printf "%-44s %9.2f %-3s %s %g\n", words, got, unit, good ? "reached," : "NOT REACHED,", limit
}

{
    name = substr($1, 6)
    for (i = 2; i <= NF; i++) {
        at = index($i, "=")
        key = name "." substr($i, 1, at - 1)
        v = substr($i, at + 1) + 0
        sum[key] += v
        count[key]++
        if (v > most[key])
            most[key] = v
    }
}

END {
    speed = mean("sweeper.perSecond") / mean("bare.perSecond")
    cpu = per_1000("bare", "cpuMs") / per_1000("sweeper", "cpuMs")
    printf "%-22s %9s  %5s  %8s  %5s  %8s %9s\n", "", "", "", "", "CPU ms per 1,000 polls", "", ""
    printf "%-22s %9s  %5s  %8s  %5s  %8s %9s\n", "", "polls/s", "ratio", "own", "ratio", "database", "simulator"
    row("bare libcurl loop", "bare", "", "")
    row("sweeper at its limit", "sweeper", sprintf("%.2f", speed), sprintf("%.2f", cpu))
    if (count["beside.perSecond"]) {
        row("the other sweeper", "beside", "", "")
        printf "ours beside the other: %.3f of its polls per second, %.3f of its CPU and %.3f of the database's a poll, " \
            "%.1f MB beside %.1f\n", mean("sweeper.perSecond") / mean("beside.perSecond"),
            per_1000("sweeper", "cpuMs") / per_1000("beside", "cpuMs"),
            per_1000("sweeper", "databaseMs") / per_1000("beside", "databaseMs"), most["sweeper.rssKb"] / 1024,
            most["beside.rssKb"] / 1024
    }
    row("sweeper, steady", "steady", "", "")
    printf "%d jobs in flight, %d sockets of the sweeper; lateness of %d polls, answer included: median %.0f ms, " \
        "slowest %.0f ms\n", jobs, most["sweeper.connections"], sum["late.requests"], mean("late.p50Ms"),
        most["late.maxMs"]
    verdict("polls per second, of the bare loop's", speed, "", 0, 0.5)
    verdict("polls per CPU, of the bare loop's", cpu, "", 0, 0.5)
    verdict("resident memory of the sweeper", most["sweeper.rssKb"] / 1024, "MB", 1, 128)
    verdict("p99 of lateness at " rate " polls/s", most["late.p99Ms"], "ms", 1, 1000)
    verdict("polls per second then", mean("steady.perSecond"), "", 0, 0.98 * rate)
    printf "{\"jobs\":%d,\"pollsPerSecond\":%.1f,\"barePollsPerSecond\":%.1f,\"ratio\":%.3f,\"cpuMsPer1k\":%.1f," \
        "\"bareCpuMsPer1k\":%.1f,\"databaseMsPer1k\":%.1f,\"residentMb\":%.1f,\"steadyPerSecond\":%.1f," \
        "\"lateP50Ms\":%.1f,\"lateP99Ms\":%.1f,\"lateMaxMs\":%.1f}\n", jobs, mean("sweeper.perSecond"),
        mean("bare.perSecond"), speed, per_1000("sweeper", "cpuMs"), per_1000("bare", "cpuMs"),
        per_1000("sweeper", "databaseMs"), most["sweeper.rssKb"] / 1024, mean("steady.perSecond"),
        mean("late.p50Ms"), most["late.p99Ms"], most["late.maxMs"] >json
    if (sum["bare.errors"])
        printf "%d answers to the bare loop were wrong\n", sum["bare.errors"]
    exit sum["bare.errors"] > 0
}
