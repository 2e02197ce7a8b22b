/* The one way to start another program: limited (prlimit), without our descriptors, standard input from
 * /dev/null, environment reduced to PATH and LC_ALL. A child that inherited the database socket would keep our
 * row locks alive after our death. */
#ifndef FG_IO_CHILD_H
#define FG_IO_CHILD_H

#include <sys/types.h>

#include "base/ctx.h"

#define CHILD_ARGS_MAX 64
#define CHILD_OUT_MAX (64 * FG_KIB)

struct child_call {
    const char *argv[CHILD_ARGS_MAX]; /* NULL-terminated; argv[0] is an absolute path */
    const char *dir;                  /* working directory or NULL */
    int64_t cpu_s, wall_ms;           /* 0: 60 s each */
    int64_t memory_bytes;             /* address space; 0: 2 GiB */
    int64_t file_bytes;               /* largest file it may write; 0: none at all */
};

struct child {
    pid_t pid;
    int pidfd;    /* readable when it has ended; close-on-exec; for epoll */
    int out_fd;   /* its standard output, non-blocking; readable, then EOF */
    int err_fd;   /* its standard error, likewise */
    int64_t end_mono_us; /* its wall-clock limit */
    int status;          /* what child_end returned, for the next time it is asked */
};

/* Starts it in its own process group. FG_IO when it cannot be started. */
enum fg_code child_start(struct fg_ctx *cx, const struct child_call *call, struct child *out) FG_MUST_CHECK;
/* Kills the group if it still runs, reaps, closes the descriptors. Returns the wait status. Idempotent. */
int child_end(struct child *c);

/* Starts, collects standard output (at most CHILD_OUT_MAX; the rest is read and dropped), waits.
 * FG_TIMED_OUT when the wall limit passed, FG_IO when it did not exit 0 (cause: the end of its standard error).
 * Blocks: not for event loops. */
enum fg_code child_run(struct fg_ctx *cx, const struct child_call *call, struct fg_str *output) FG_MUST_CHECK;

#endif
