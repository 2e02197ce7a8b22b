#include "studio/worker.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "studio/deliver.h"
#include "studio/drawing.h"
#include "studio/files.h"
#include "studio/poke.h"

#define TICK_US FG_US_PER_S
#define FORGET_US (60 * FG_US_PER_S)

struct worker {
    struct fg_ctx cx; /* of the turn */
    struct clock clock;
    const struct conf *conf;
    struct font font;
    struct db *db;
    struct fetcher *fetcher;
    struct drawing_world world;
    struct deliver deliver;
    struct drawing *drawing[BOOKS_CLAIM_MAX];
    unsigned drawing_n;
    int signal_fd, poke_fd;
    int64_t look_mono_us, forget_mono_us; /* when to look for work, for what is to be forgotten */
};

/* Takes as much as there are free places. */
static enum fg_code claim(struct worker *w)
{
    unsigned places = (unsigned)w->conf->studio_renders;
    uint8_t random[BOOKS_OWNER];
    struct video *v;
    size_t n;
    if (w->drawing_n >= places)
        return FG_OK;
    w->cx.env->random(w->cx.env->self, random, sizeof random);
    struct fg_str owner = { (const char *)random, sizeof random };
    enum fg_code rc = books_claim(&w->cx, w->db, owner, places - w->drawing_n,
                                  w->cx.now_us + DRAWING_LEASE_US, &v, &n);
    for (size_t i = 0; rc == FG_OK && i < n; i++)
        w->drawing[w->drawing_n++] = drawing_new(&w->world, &v[i], owner);
    return rc;
}

/* What is over has made room: true. */
static bool step_all(struct worker *w)
{
    unsigned kept = 0, n = w->drawing_n;
    for (unsigned i = 0; i < n; i++)
        if (drawing_step(w->drawing[i]))
            w->drawing[kept++] = w->drawing[i];
    w->drawing_n = kept;
    return kept < n;
}

/* Files first: a crash in between leaves a row that leads here again. */
static enum fg_code forget(struct worker *w)
{
    struct video *v;
    size_t n;
    enum fg_code rc = books_expired(&w->cx, w->db, &v, &n);
    for (size_t i = 0; rc == FG_OK && i < n; i++) {
        rc = files_forget(&w->cx, w->conf, &v[i]);
        if (rc == FG_OK)
            rc = books_forget(&w->cx, w->db, v[i].id);
    }
    files_sweep_images(&w->cx, w->conf,
                       clock_floor_us(&w->clock) - w->conf->studio_keep_hours * 3600 * FG_US_PER_S);
    return rc;
}

static void look(struct worker *w)
{
    enum fg_code rc = claim(w);
    if (rc == FG_OK)
        rc = deliver_due(&w->deliver);
    if (rc == FG_OK && ctx_mono_us(&w->cx) >= w->forget_mono_us) {
        w->forget_mono_us = ctx_mono_us(&w->cx) + FORGET_US;
        rc = forget(w);
    }
    if (rc != FG_OK)
        log_err(&w->cx, "studio.look", FG_NONE);
    w->look_mono_us = ctx_mono_us(&w->cx) + TICK_US;
}

/* Sleeps until there is something to do; false when told to stop. */
static bool wait_for_work(struct worker *w)
{
    struct pollfd fds[3 + BOOKS_CLAIM_MAX * DRAWING_FDS];
    nfds_t n = 0;
    int64_t wake = w->look_mono_us, fetch_us = fetcher_timeout_us(w->fetcher),
            now = ctx_mono_us(&w->cx);
    fds[n++] = (struct pollfd){ .fd = w->signal_fd, .events = POLLIN };
    fds[n++] = (struct pollfd){ .fd = w->poke_fd, .events = POLLIN };
    fds[n++] = (struct pollfd){ .fd = fetcher_fd(w->fetcher), .events = POLLIN };
    for (unsigned i = 0; i < w->drawing_n; i++)
        n += drawing_watch(w->drawing[i], fds + n, &wake);
    if (fetch_us >= 0 && now + fetch_us < wake)
        wake = now + fetch_us;
    int64_t ms = wake > now ? (wake - now + 999) / FG_US_PER_MS : 0;
    (void)poll(fds, n, (int)ms);
    return !(fds[0].revents & POLLIN);
}

/* False while a jump is being settled. */
static bool clock_stands(struct worker *w)
{
    int64_t moved_us;
    bool stands = clock_turn(&w->cx, &w->clock, w->db, &moved_us);
    if (moved_us)
        deliver_shift(&w->deliver, moved_us);
    if (!stands)
        (void)poll(NULL, 0, (int)(CLOCK_NAP_US / FG_US_PER_MS));
    return stands;
}

static void turn(struct worker *w)
{
    if (!clock_stands(w))
        return;
    ctx_tick(&w->cx);
    fetcher_turn(w->fetcher);
    if (poke_take(w->poke_fd) || ctx_mono_us(&w->cx) >= w->look_mono_us)
        look(w);
    while (step_all(w)) /* a place is free and a callback is due: at once, not at the next tick */
        look(w);
    arena_reset(w->cx.mem);
}

static int stop_signals(void)
{
    sigset_t set;
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    sigemptyset(&set);
    sigemptyset(&ignore.sa_mask);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    FG_ASSERT(sigaction(SIGPIPE, &ignore, NULL) == 0 && sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static enum fg_code open_all(struct fg_ctx *boot, struct worker *w)
{
    enum fg_code rc = files_setup(boot, w->conf);
    if (rc == FG_OK && w->conf->studio_webhook_url.n && !w->conf->studio_webhook_secret.n)
        rc = fg_fail(boot, FG_CONFIG, "studio.webhook_url needs studio.webhook_secret");
    if (rc == FG_OK)
        rc = font_open(boot, &w->font, w->conf->studio_font);
    if (rc == FG_OK)
        rc = fetcher_open(boot, &w->fetcher, w->conf);
    if (rc == FG_OK)
        rc = db_open(boot, &w->db, w->conf, DB_STUDIO);
    if (rc == FG_DB_LOST) { /* each turn tries again */
        log_err(boot, "studio.database_away", FG_NONE);
        rc = FG_OK;
    }
    return rc;
}

static void close_all(struct worker *w)
{
    fetcher_close(w->fetcher); /* before the drawings: a fetch may hold one's address */
    ctx_tick(&w->cx);
    for (unsigned i = 0; i < w->drawing_n; i++)
        drawing_stop(w->drawing[i]);
    db_close(w->db);
    if (w->poke_fd >= 0)
        close(w->poke_fd);
    if (w->signal_fd >= 0)
        close(w->signal_fd);
    arena_free(w->cx.mem);
}

int worker_run(struct fg_ctx *boot, const struct conf *conf)
{
    struct worker *w = arena_new_of(boot->mem, struct worker);
    clock_open(&w->clock, boot->env, &books_clock_worker);
    w->cx = (struct fg_ctx){ .mem = arena_new(), .env = &w->clock.env };
    w->conf = conf;
    w->poke_fd = -1;
    w->signal_fd = stop_signals();
    int status = 1;
    if (open_all(boot, w) == FG_OK) {
        w->poke_fd = poke_listen(boot, conf);
        w->world = (struct drawing_world){ &w->cx, w->db, w->fetcher, conf, &w->font };
        w->deliver =
            (struct deliver){ .cx = &w->cx, .db = w->db, .fetcher = w->fetcher, .conf = conf };
        fg_log(boot, LOG_INFO, "studio.worker_started", LOG_I("renders", conf->studio_renders));
        do
            turn(w);
        while (wait_for_work(w));
        status = 0;
    } else {
        log_err(boot, "studio.cannot_start", FG_LIT("worker"));
    }
    close_all(w);
    return status;
}
