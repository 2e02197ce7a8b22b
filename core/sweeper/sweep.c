#include "sweeper/sweep.h"

#include <errno.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/log.h"
#include "job/wake.h"

#define UPKEEP_US (5 * FG_US_PER_S)
#define IDEMPOTENCY_KEPT_US (48 * 3600 * FG_US_PER_S)
#define IDLE_MIN_US (2 * FG_US_PER_MS)

typedef void duty(struct task *t);
static duty *const duties[DUE_KIND_N] = {
    [DUE_DISPATCH] = duty_dispatch, [DUE_RESOLVE] = duty_resolve,   [DUE_POLL] = duty_poll,
    [DUE_INGEST] = duty_ingest,     [DUE_DEADLINE] = duty_deadline, [DUE_ERASE] = duty_erase,
};

enum fg_code sweeper_open(struct fg_ctx *cx, struct sweeper *s, const struct conf *conf,
                          const struct catalogue *catalogue, const uint8_t *pepper)
{
    *s = (struct sweeper){ .cx = { .mem = arena_new(), .env = cx->env } };
    s->env = (struct job_env){ .conf = conf, .catalogue = catalogue, .pepper = pepper, .wake_fd = -1 };
    ctx_tick(&s->cx);
    struct fg_str id = id_new(cx, FG_LIT("sweeper_"));
    memcpy(s->name, id.p, id.n);
    enum fg_code rc = db_open(cx, &s->env.db, conf, DB_SWEEPER);
    if (rc != FG_OK && rc != FG_DB_LOST) /* away is no reason to die: the first pass tries again */
        return rc;
    rc = store_open(cx, conf);
    return rc == FG_OK ? fetcher_open(cx, &s->fetcher, conf) : rc;
}

static void task_free(struct task *t)
{
    if (t->child.pid > 0)
        (void)child_end(&t->child);
    if (t->kind == DUE_INGEST) {
        ingest_drop(t);
        t->s->ingest_n--;
    }
    t->s->task_n--;
    arena_free(t->cx.mem);
    free(t);
}

void sweeper_close(struct sweeper *s)
{
    if (s->fetcher)
        fetcher_close(s->fetcher);
    while (s->tasks) {
        struct task *t = s->tasks;
        s->tasks = t->next;
        task_free(t);
    }
    if (s->env.db)
        db_close(s->env.db);
    arena_free(s->cx.mem);
}

/* ---- claiming ---- */

static struct task *task_new(struct sweeper *s, enum due_kind kind, const char *owner)
{
    struct task *t = calloc(1, sizeof *t);
    if (!t)
        abort();
    t->cx = (struct fg_ctx){ .mem = arena_new(), .env = s->cx.env };
    ctx_tick(&t->cx);
    t->cx.request_id = id_new(&t->cx, FG_LIT("sweep_"));
    t->s = s;
    t->kind = kind;
    memcpy(t->owner, owner, SWEEP_OWNER_LEN);
    t->lease_mono_us = ctx_mono_us(&t->cx) + s->env.conf->sweeper_lease_s * FG_US_PER_S / 3;
    t->video.fd = t->poster.fd = -1;
    t->next = s->tasks;
    s->tasks = t;
    s->task_n++;
    if (kind == DUE_INGEST)
        s->ingest_n++;
    return t;
}

struct claimed {
    int64_t due_id, job_id, tries;
};
static const struct db_col claimed_cols[] = { COL(struct claimed, due_id), COL(struct claimed, job_id),
                                              COL(struct claimed, tries) };

/* The operator took out what this work needs: to ask about what is there, the provider; to submit, the model too. */
static bool not_in_catalogue(const struct task *t)
{
    int stage = t->work.job.stage;
    bool submits = stage == STAGE_WAITING || stage == STAGE_SUBMIT_UNKNOWN;
    if (t->kind == DUE_ERASE || stage == STAGE_SUBMITTING)
        return false;
    return !t->provider || (submits && !t->model);
}

static void start(struct sweeper *s, enum due_kind kind, const struct claimed *row, const char *owner)
{
    struct task *t = task_new(s, kind, owner);
    enum fg_code rc = job_by_id(&t->cx, s->env.db, row->job_id, &t->work.job);
    t->work.due_id = row->due_id;
    t->work.tries = row->tries;
    if (!task_ok(t, rc, "sweep.read_failed")) {
        task_end(t);
        return;
    }
    t->provider = catalogue_provider(s->env.catalogue, t->work.job.provider);
    t->model = catalogue_model(s->env.catalogue, t->work.job.provider, t->work.job.model);
    if (not_in_catalogue(t)) {
        fg_log(&t->cx, LOG_ERROR, "sweep.not_in_catalogue", LOG_S("job", t->work.job.public_id),
               LOG_S("provider", t->work.job.provider), LOG_S("model", t->work.job.model));
        if (kind == DUE_DEADLINE)
            deadline_unasked(t);
        else
            task_later(t, t->cx.now_us + 60 * FG_US_PER_S, t->work.tries);
        return;
    }
    duties[kind](t);
}

/* Returns how many were claimed. */
static int64_t claim(struct sweeper *s, enum due_kind kind, int64_t limit)
{
    char owner[SWEEP_OWNER_LEN];
    struct claimed *row;
    size_t n;
    int64_t lease_us = s->cx.now_us + s->env.conf->sweeper_lease_s * FG_US_PER_S;
    s->cx.env->random(s->cx.env->self, owner, sizeof owner);
    struct fg_str me = { owner, sizeof owner };
    enum fg_code rc = db_run(&s->cx, s->env.db, SQL_DUE_CLAIM,
                             DB_ARGS(DB((int)kind), DB(s->cx.now_us), DB(limit), DB(me), DB(lease_us)));
    if (rc == FG_OK && s->env.db->affected == 0)
        return 0;
    if (rc == FG_OK)
        rc = DB_ALL(&s->cx, s->env.db, SQL_DUE_CLAIMED, DB_ARGS(DB(me)), DB_COLS(claimed_cols), &row, &n);
    if (rc != FG_OK) {
        log_err(&s->cx, "sweep.claim_failed", s->cx.request_id);
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        start(s, kind, &row[i], owner);
    return (int64_t)n;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* How many new submits the providers have room for. A soft limit: two sweepers may pass it by a few. */
static int64_t dispatch_room(struct sweeper *s)
{
    int64_t room = 0, used;
    bool found;
    static const struct db_col cols[] = { { DB_TAG_I64, 0 } };
    const struct catalogue *c = s->env.catalogue;
    for (unsigned i = 0; i < c->provider_n; i++) {
        enum fg_code rc = db_one(&s->cx, s->env.db, SQL_IN_FLIGHT, DB_ARGS(DB(c->provider[i].name)),
                                 DB_COLS(cols), &used, &found);
        if (rc != FG_OK) {
            log_err(&s->cx, "sweep.room_failed", c->provider[i].name);
            return 0;
        }
        if (used < c->provider[i].concurrency)
            room += c->provider[i].concurrency - used;
    }
    return room;
}

static void upkeep(struct sweeper *s)
{
    int64_t mono = ctx_mono_us(&s->cx);
    if (mono < s->next_upkeep_us)
        return;
    s->next_upkeep_us = mono + UPKEEP_US;
    struct db *db = s->env.db;
    enum fg_code rc = db_run(&s->cx, db, SQL_HEARTBEAT,
                             DB_ARGS(DB(fg_str_c(s->name)), DB(s->cx.now_us), DB(s->cx.now_us)));
    if (rc == FG_OK)
        rc = db_run(&s->cx, db, SQL_HEARTBEAT_PURGE, DB_ARGS(DB(s->cx.now_us - 3600 * FG_US_PER_S)));
    if (rc == FG_OK)
        rc = db_run(&s->cx, db, SQL_IDEMPOTENCY_PURGE, DB_ARGS(DB(s->cx.now_us - IDEMPOTENCY_KEPT_US)));
    if (rc == FG_OK)
        rc = db_run(&s->cx, db, SQL_SESSION_PURGE, DB_ARGS(DB(s->cx.now_us)));
    if (rc == FG_OK)
        rc = store_tidy(&s->cx, s->env.conf);
    if (rc != FG_OK)
        log_err(&s->cx, "sweep.upkeep_failed", fg_str_c(s->name));
}

/* How many rows of a kind may be claimed now. */
static int64_t room_for(struct sweeper *s, enum due_kind kind)
{
    int64_t room = least(s->env.conf->sweeper_batch, SWEEP_TASKS_MAX - (int64_t)s->task_n);
    if (kind == DUE_DISPATCH && room > 0)
        room = least(room, dispatch_room(s));
    if (kind == DUE_INGEST)
        room = least(room, SWEEP_INGESTS_MAX - (int64_t)s->ingest_n);
    return room;
}

struct next_row {
    int64_t at[DUE_KIND_N - 1];
};
static const struct db_col next_cols[] = {
    COL(struct next_row, at[0]), COL(struct next_row, at[1]), COL(struct next_row, at[2]),
    COL(struct next_row, at[3]), COL(struct next_row, at[4]), COL(struct next_row, at[5]),
};

int64_t sweep_pass(struct sweeper *s)
{
    arena_reset(s->cx.mem);
    ctx_tick(&s->cx);
    s->cx.request_id = id_new(&s->cx, FG_LIT("pass_"));
    upkeep(s);
    int64_t wait = s->env.conf->sweeper_tick_ms * FG_US_PER_MS;
    struct next_row next;
    bool found;
    if (s->draining)
        return wait;
    if (db_one(&s->cx, s->env.db, SQL_DUE_NEXT, DB_NO_ARGS, DB_COLS(next_cols), &next, &found) != FG_OK) {
        log_err(&s->cx, "sweep.next_failed", fg_str_c(s->name));
        return wait;
    }
    for (unsigned kind = DUE_DISPATCH; kind < DUE_KIND_N; kind++) {
        int64_t at = next.at[kind - 1];
        if (at > s->cx.now_us)
            wait = least(wait, at - s->cx.now_us);
        if (at == 0 || at > s->cx.now_us)
            continue;
        int64_t room = room_for(s, (enum due_kind)kind); /* none: whatever ends frees some, and wakes us */
        if (room <= 0 && kind == DUE_DISPATCH)
            queue_tell(s);
        if (room > 0 && claim(s, (enum due_kind)kind, room) == room)
            wait = IDLE_MIN_US;
    }
    return wait < IDLE_MIN_US ? IDLE_MIN_US : wait;
}

/* ---- waiting ---- */

static void read_child(struct task *t)
{
    char buf[4096];
    ssize_t n;
    while ((n = read(t->child.out_fd, buf, sizeof buf)) > 0)
        if (!t->child_out.bad)
            sb_add(&t->child_out, (struct fg_str){ buf, (size_t)n });
    t->child_silent = n == 0;
    while ((n = read(t->child.err_fd, buf, sizeof buf)) > 0)
        ; /* a full pipe would stop it; its words are not worth keeping */
}

static void check_child(struct task *t)
{
    read_child(t);
    siginfo_t info = { 0 };
    bool over = waitid(P_PIDFD, (id_t)t->child.pidfd, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid;
    if (!over && ctx_mono_us(&t->cx) < t->child.end_mono_us)
        return;
    read_child(t);
    int status = child_end(&t->child);
    t->child.pid = 0;
    ctx_tick(&t->cx);
    t->child_done(t, status);
}

/* A long download outlives its first lease; one that was taken over meanwhile notices at its guard. */
static void renew(struct task *t)
{
    int64_t mono = ctx_mono_us(&t->cx), lease = t->s->env.conf->sweeper_lease_s * FG_US_PER_S;
    if (mono < t->lease_mono_us)
        return;
    t->lease_mono_us = mono + lease / 3;
    struct fg_str me = { t->owner, SWEEP_OWNER_LEN };
    enum fg_code rc = db_run(&t->cx, t->s->env.db, SQL_DUE_RENEW,
                             DB_ARGS(DB(t->cx.env->utc_us(t->cx.env->self) + lease), DB(t->work.due_id), DB(me)));
    (void)task_ok(t, rc, "sweep.renew_failed");
}

static void reap(struct sweeper *s)
{
    for (struct task **at = &s->tasks; *at;) {
        struct task *t = *at;
        if (!t->ended) {
            at = &t->next;
            continue;
        }
        *at = t->next;
        task_free(t);
    }
}

/* What a turn has given back, in one transaction: a commit per unchanged poll would be most of our work. */
static enum fg_code give_back_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    const struct sweeper *s = arg;
    enum fg_code rc = FG_OK;
    for (unsigned i = 0; i < s->later_n && rc == FG_OK; i++) {
        const struct later *l = &s->later[i];
        struct fg_str owner = { l->owner, SWEEP_OWNER_LEN };
        rc = db_run(cx, db, SQL_DUE_LATER, DB_ARGS(DB(l->due_us), DB(l->tries), DB(l->due_id), DB(owner)));
    }
    return rc;
}

static void give_back(struct sweeper *s)
{
    if (s->later_n && db_tx(&s->cx, s->env.db, give_back_body, s) != FG_OK)
        log_err(&s->cx, "sweep.give_back_failed", fg_str_c(s->name)); /* the leases bring them back */
    s->later_n = 0;
}

void sweep_wait(struct sweeper *s, int wake_fd, int stop_fd, int64_t max_us)
{
    struct pollfd p[3 + 2 * SWEEP_INGESTS_MAX];
    nfds_t n = 0;
    p[n++] = (struct pollfd){ fetcher_fd(s->fetcher), POLLIN, 0 };
    p[n++] = (struct pollfd){ wake_fd, POLLIN, 0 };
    p[n++] = (struct pollfd){ stop_fd, POLLIN, 0 };
    for (struct task *t = s->tasks; t; t = t->next)
        if (t->child.pid > 0) {
            FG_ASSERT(n + 2 <= FG_LEN(p));
            p[n++] = (struct pollfd){ t->child.pidfd, POLLIN, 0 };
            p[n++] = (struct pollfd){ t->child_silent ? -1 : t->child.out_fd, POLLIN, 0 };
        }
    int64_t fetch_us = fetcher_timeout_us(s->fetcher);
    if (fetch_us >= 0)
        max_us = least(max_us, fetch_us);
    (void)poll(p, n, (int)((max_us + 999) / 1000));
    char hint[64];
    while (wake_fd >= 0 && read(wake_fd, hint, sizeof hint) > 0)
        ;
    fetcher_turn(s->fetcher);
    for (struct task *t = s->tasks; t; t = t->next) {
        if (!t->ended && t->child.pid > 0)
            check_child(t);
        if (!t->ended)
            renew(t);
    }
    reap(s);
    give_back(s);
}
