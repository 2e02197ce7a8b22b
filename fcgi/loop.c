#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "app.h"
#include "base/arena.h"
#include "base/log.h"
#include "fcgx.h"
#include "job/clock.h"

#define SLOW_US (500 * FG_US_PER_MS)

static volatile sig_atomic_t stopping;

static void on_stop(int sig)
{
    (void)sig;
    stopping = 1;
}

/* Signals are blocked always and open only while waiting: one that came in the middle of a read
 * would cut the body short without an error, and one between check and wait would be lost. */
static void block_signals(sigset_t *while_waiting)
{
    static const int stops[] = { SIGTERM, SIGUSR1, SIGUSR2 };
    struct sigaction stop = { .sa_handler = on_stop }, ignore = { .sa_handler = SIG_IGN };
    sigset_t all;
    sigemptyset(&all);
    sigemptyset(&stop.sa_mask);
    sigemptyset(&ignore.sa_mask);
    sigaddset(&all, SIGHUP);
    sigaddset(&all, SIGCHLD);
    for (size_t i = 0; i < FG_LEN(stops); i++)
        sigaddset(&all, stops[i]);
    FG_ASSERT(sigprocmask(SIG_BLOCK, &all, while_waiting) == 0);
    for (size_t i = 0; i < FG_LEN(stops); i++) {
        sigdelset(while_waiting, stops[i]);
        FG_ASSERT(sigaction(stops[i], &stop, NULL) == 0);
    }
    sigaddset(while_waiting, SIGHUP);
    sigaddset(while_waiting, SIGCHLD);
    FG_ASSERT(sigaction(SIGPIPE, &ignore, NULL) == 0);
}

static void tell_when_slow(struct fg_ctx *cx, const struct web_req *req,
                           const struct web_resp *resp, int64_t began_us)
{
    int64_t took_us = ctx_mono_us(cx) - began_us;
    if (took_us <= SLOW_US)
        return;
    fg_log(cx, LOG_WARN, "web.slow", LOG_S("method", req->method), LOG_S("path", req->path),
           LOG_I("status", resp->status), LOG_I("ms", took_us / FG_US_PER_MS),
           LOG_S("account", fg_str_c(req->who.account)));
}

static void serve(struct fg_ctx *cx, struct web_app *app, struct fcgx *f)
{
    int64_t began_us = ctx_mono_us(cx);
    struct web_req req;
    struct web_resp resp;
    app_tick(cx, app);
    app_renew(cx, app);
    fcgx_read(cx, f, &req);
    web_answer(cx, app, &req, &resp);
    fcgx_answer(cx, f, &resp);
    tell_when_slow(cx, &req, &resp, began_us);
    fcgx_end(f);
    cx->request_id = FG_NONE;
    arena_reset(cx->mem);
}

/* EPOLLEXCLUSIVE wakes one of the waiting siblings, not all of them. */
static int watch_listener(void)
{
    int ep = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event ev = { .events = EPOLLIN | EPOLLEXCLUSIVE };
    if (ep >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, 0, &ev) != 0) {
        close(ep);
        return -1;
    }
    return ep;
}

static int broken(struct fg_ctx *cx, const char *event)
{
    fg_log(cx, LOG_ERROR, event, LOG_S("cause", fg_str_c(strerror(errno))));
    return 1;
}

int web_loop(struct fg_ctx *boot, struct web_app *app)
{
    struct fcgx *f = fcgx_open(); /* before our signals: libfcgi installs handlers of its own */
    if (!f)
        return broken(boot, "web.no_listener");
    sigset_t while_waiting;
    block_signals(&while_waiting);
    int rc = 0, ep = watch_listener();
    if (ep < 0)
        rc = broken(boot, "web.no_epoll");
    struct fg_ctx cx = { .mem = arena_new(), .env = app->clock ? &app->clock->env : boot->env };
    while (rc == 0 && !stopping) {
        struct epoll_event ev;
        if (epoll_pwait(ep, &ev, 1, -1, &while_waiting) < 1)
            continue;
        enum fcgx_turn turn = fcgx_accept(f);
        if (turn == FCGX_REQUEST)
            serve(&cx, app, f);
        else if (turn == FCGX_BROKEN)
            rc = broken(boot, "web.accept");
    }
    arena_free(cx.mem);
    if (ep >= 0)
        close(ep);
    fcgx_close(f);
    return rc;
}
