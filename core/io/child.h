/* The one way to start another program: limited (prlimit), without our descriptors, standard input from
 * /dev/null, environment reduced to PATH and LC_ALL. A child that inherited the database socket would keep our
 * row locks alive after our death. */
#ifndef FG_IO_CHILD_H
#define FG_IO_CHILD_H

#include <sys/types.h>

#include "base/conf.h"

#define CHILD_ARGS_MAX 64
#define CHILD_OUT_MAX (64 * FG_KIB)

/* What shuts a child in that reads foreign bytes, beside its limits; a set of these. */
enum child_jail {
    CHILD_NO_NET = 1,     /* a network of its own, with nobody in it */
    CHILD_OWN_SPACE = 2,  /* that, by way of a user namespace: where we are not root, or not fully */
    CHILD_NOBODY = 4,     /* another user without any rights; only when we are root */
};

struct child_call {
    const char *argv[CHILD_ARGS_MAX]; /* NULL-terminated; argv[0] is an absolute path */
    const char *dir;                  /* working directory or NULL */
    int64_t cpu_s, wall_ms;           /* 0: 60 s each */
    int64_t memory_bytes;             /* address space; 0: 2 GiB */
    int64_t file_bytes;               /* largest file it may write; 0: none at all */
    unsigned jail;                    /* conf->jail; 0: none */
};

struct child {
    pid_t pid;
    int pidfd;    /* readable when it has ended; close-on-exec; for epoll */
    int out_fd;   /* its standard output, non-blocking; readable, then EOF */
    int err_fd;   /* its standard error, likewise */
    int64_t end_mono_us; /* its wall-clock limit */
    int status;          /* what child_end returned, for the next time it is asked */
};

/* Tries what of a jail this machine lets us have, and keeps it in conf->jail. Once, when a program starts; without it
 * there is no jail. FG_CONFIG when media.jail says that there must be one, and there can be none; with "auto" that is a
 * warning in the log. */
enum fg_code child_jail_open(struct fg_ctx *cx, struct conf *conf) FG_MUST_CHECK;
/* A file that a child of this jail is to read or write becomes its user's, until it is returned: then it is ours again,
 * with mode 0640, whatever was made of it. Nothing to do in a jail that has no other user. FG_IO. */
enum fg_code child_lend(struct fg_ctx *cx, unsigned jail, int fd) FG_MUST_CHECK;
/* The same to be read only. */
enum fg_code child_show(struct fg_ctx *cx, unsigned jail, int fd) FG_MUST_CHECK;
enum fg_code child_return(struct fg_ctx *cx, unsigned jail, int fd) FG_MUST_CHECK;
/* The name of this file for argv, its folder becoming the call's: folders above that need not let the child in. */
const char *child_file(struct fg_ctx *cx, struct child_call *call, const char *path);

/* Starts it in its own process group. FG_IO when it cannot be started. */
enum fg_code child_start(struct fg_ctx *cx, const struct child_call *call, struct child *out) FG_MUST_CHECK;
/* Kills the group if it still runs, reaps, closes the descriptors. Returns the wait status. Idempotent. */
int child_end(struct child *c);

/* Starts, collects standard output (at most CHILD_OUT_MAX; the rest is read and dropped), waits.
 * FG_TIMED_OUT when the wall limit passed, FG_IO when it did not exit 0 (cause: the end of its standard error).
 * Blocks: not for event loops. */
enum fg_code child_run(struct fg_ctx *cx, const struct child_call *call, struct fg_str *output) FG_MUST_CHECK;
/* The same, but that any end of its own is FG_OK: with its wait status. */
enum fg_code child_run_any(struct fg_ctx *cx, const struct child_call *call, struct fg_str *output, int *status)
    FG_MUST_CHECK;

#endif
