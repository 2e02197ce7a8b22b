/* filmgate-sweeper [--conf FILE] [--once]: signals, loop, sleep. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/log.h"
#include "job/wake.h"
#include "sweeper/sweep.h"

#define DRAIN_US (30 * FG_US_PER_S)

static int stop_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    (void)signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool stopped(int fd)
{
    struct signalfd_siginfo info;
    return read(fd, &info, sizeof info) == (ssize_t)sizeof info;
}

/* Runs until told to stop, then lets what is under way finish: a second signal, or 30 s, cuts that short. */
static void loop(struct sweeper *s, int wake_fd, int stop_fd)
{
    int64_t drain_end = 0;
    while (!s->draining || (sweep_busy(s) && ctx_mono_us(&s->cx) < drain_end)) {
        int64_t idle_us = sweep_pass(s);
        sweep_wait(s, wake_fd, stop_fd, idle_us);
        if (!stopped(stop_fd))
            continue;
        if (s->draining)
            break;
        s->draining = true;
        drain_end = ctx_mono_us(&s->cx) + DRAIN_US;
        fg_log(&s->cx, LOG_INFO, "sweeper.draining", LOG_I("tasks", s->task_n));
    }
}

/* As many files as one run unlinks afterwards. */
#define ONCE_RETENTION_TURNS 10

/* Nobody comes by before the next run: more than one turn of what is old. */
static void retain(struct sweeper *s, int stop_fd)
{
    for (int i = 1; i < ONCE_RETENTION_TURNS && !sweep_away(s) && !stopped(stop_fd); i++) {
        int64_t wait_us = retention_pass(s);
        if (wait_us >= FG_US_PER_S)
            return;
        sweep_wait(s, -1, stop_fd, wait_us);
    }
}

static void once(struct sweeper *s, int stop_fd)
{
    (void)sweep_pass(s);
    while (clock_holds(&s->cx, &s->clock) && !stopped(stop_fd)) { /* the next run would find the same jump */
        sweep_wait(s, -1, stop_fd, CLOCK_NAP_US);
        (void)sweep_pass(s);
    }
    retain(s, stop_fd);
    s->draining = true;
    while (sweep_busy(s) && !stopped(stop_fd))
        sweep_wait(s, -1, stop_fd, FG_US_PER_S);
}

static enum fg_code run(struct fg_ctx *cx, const char *conf_path, bool just_once)
{
    static struct conf conf;
    const struct catalogue *catalogue = NULL;
    static struct sweeper s;
    uint8_t pepper[HASH_LEN];
    enum fg_code rc = conf_load(cx, &conf, conf_path);
    if (rc == FG_OK)
        rc = child_jail_open(cx, &conf);
    if (rc == FG_OK)
        rc = catalogue_load(cx, &conf, &catalogue);
    if (rc == FG_OK)
        rc = account_pepper(cx, &conf, pepper);
    if (rc == FG_OK)
        rc = sweeper_open(cx, &s, &conf, catalogue, pepper);
    int stop_fd = stop_signals();
    if (rc == FG_OK && stop_fd < 0)
        rc = fg_fail(cx, FG_INTERNAL, "signalfd: %s", strerror(errno));
    if (rc == FG_OK && just_once) {
        once(&s, stop_fd);
    } else if (rc == FG_OK) {
        int wake_fd = wake_listen(cx, &conf);
        fg_log(cx, LOG_INFO, "sweeper.started", LOG_S("name", fg_str_c(s.name)));
        loop(&s, wake_fd, stop_fd);
        fg_log(cx, LOG_INFO, "sweeper.stopped", LOG_I("left", s.task_n));
    }
    if (s.cx.mem)
        sweeper_close(&s);
    catalogue_drop(catalogue);
    return rc;
}

int main(int argc, char **argv)
{
    struct fg_ctx cx = { .mem = arena_new(), .env = env_real() };
    const char *conf_path = NULL;
    bool just_once = false, usage = false;
    ctx_tick(&cx);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--once") == 0)
            just_once = true;
        else if (strcmp(argv[i], "--conf") == 0 && i + 1 < argc)
            conf_path = argv[++i];
        else
            usage = true;
    }
    if (usage) {
        fprintf(stderr, "usage: filmgate-sweeper [--conf FILE] [--once]\n");
        return 2;
    }
    enum fg_code rc = run(&cx, conf_path, just_once);
    if (rc != FG_OK)
        log_err(&cx, "sweeper.failed", FG_NONE);
    arena_free(cx.mem);
    return rc == FG_OK ? 0 : 1;
}
