# Sourced by scripts that start things: waiting for a condition, with a limit.

wait_for() { # seconds, words, command…
    local end=$((SECONDS + $1)) words=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$end" ]; then
            echo "not in time: $words" >&2
            return 1
        fi
        sleep 0.05
    done
}

ready_or_dead() { [ -e "$2/run/ready" ] || ! kill -0 "$1"; }

# Of a stack that has just been started. False: it is not up, and it was told why.
stack_is_up() { # its pid, its folder, the file with what it says
    wait_for 120 "the stack is ready" ready_or_dead "$1" "$2" && [ -e "$2/run/ready" ] && return
    cat "$3" >&2
    return 1
}
