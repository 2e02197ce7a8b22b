/* The operator's commands in process, with what they print. */
#ifndef FG_TESTS_CLI_KIT_H
#define FG_TESTS_CLI_KIT_H

#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "store/job_world.h"

#define CLI_ARGS_MAX 12

/* Standard output of one command, in the arena; args end with NULL. */
static inline enum fg_code cli_run(struct job_world *w, cli_fn *fn, const char **out, const char *const *args)
{
    const char *path = arena_fmt(w->cx->mem, "%s/out", db_server_dir()).p;
    char *argv[CLI_ARGS_MAX];
    int n = 0;
    for (; args[n]; n++)
        argv[n] = arena_cstr(w->cx->mem, fg_str_c(args[n]));
    struct fg_str request_id = w->cx->request_id;
    (void)fflush(stdout);
    int before = dup(STDOUT_FILENO);
    CHECK(before >= 0 && freopen(path, "w", stdout) != NULL, path);
    enum fg_code rc = fn(w->cx, &w->conf, n, argv);
    (void)fflush(stdout);
    CHECK(dup2(before, STDOUT_FILENO) >= 0 && close(before) == 0, "back");
    *out = arena_cstr(w->cx->mem, t_file(w->cx, path));
    w->cx->request_id = request_id;
    w->cx->now_us = w->t.utc_us;
    return rc;
}

#define RUN(w, fn, out, ...) cli_run((w), (fn), (out), (const char *const[]){ __VA_ARGS__, NULL })

#endif
