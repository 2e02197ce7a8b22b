#include "sweeper/sweep.h"

#include <errno.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/log.h"
#include "base/sb.h"
#include "io/hash.h"
#include "job/wake.h"
#include "money/quote.h"

#define UPKEEP_US (5 * FG_US_PER_S)
#define IDEMPOTENCY_KEPT_US (48 * 3600 * FG_US_PER_S)
#define STRANGE_KEPT_US (7 * 24 * 3600 * FG_US_PER_S) /* forged callbacks, and such of no job of ours */
#define IDLE_MIN_US (2 * FG_US_PER_MS)

typedef void duty(struct task *t);
static duty *const duties[DUE_KIND_N] = {
    [DUE_DISPATCH] = duty_dispatch, [DUE_RESOLVE] = duty_resolve,   [DUE_POLL] = duty_poll,
    [DUE_INGEST] = duty_ingest,     [DUE_DEADLINE] = duty_deadline, [DUE_ERASE] = duty_erase,
    [DUE_SENDING] = duty_sending,   [DUE_MODERATE] = duty_moderate,
};

enum fg_code sweeper_open(struct fg_ctx *cx, struct sweeper *s, const struct conf *conf,
                          const struct catalogue *catalogue, const uint8_t *pepper)
{
    *s = (struct sweeper){ .cx = { .mem = arena_new() } };
    s->wire = wire_open();
    clock_open(&s->clock, cx->env, &clock_sweeper);
    s->cx.env = &s->clock.env;
    s->env = (struct job_env){ .conf = conf, .catalogue = catalogue_hold(catalogue), .pepper = pepper, .wake_fd = -1 };
    ctx_tick(&s->cx);
    struct fg_str id = id_new(cx, FG_LIT("sweeper_"));
    memcpy(s->name, id.p, id.n);
    enum fg_code rc = db_open(cx, &s->env.db, conf, DB_SWEEPER);
    if (rc != FG_OK && rc != FG_DB_LOST) /* away is no reason to die: the first pass tries again */
        return rc;
    s->deliveries = deliveries_open(s);
    s->bucket = bucket_open(s);
    rc = rules_load(cx, conf, &s->rules);
    if (rc == FG_OK)
        rc = moderation_configure(cx, conf, &s->sites);
    if (rc == FG_OK)
        rc = disk_open(cx, conf);
    if (rc == FG_OK)
        rc = fetcher_open(cx, &s->fetcher, conf);
    s->store = (struct store){ conf, s->fetcher };
    return rc;
}

static void task_free(struct task *t)
{
    wire_leave(t);
    if (t->child.pid > 0)
        (void)child_end(&t->child);
    checking_drop(t);
    if (t->kind == DUE_INGEST) {
        ingest_drop(t);
        t->s->ingest_n--;
    }
    if (t->kind == DUE_MODERATE)
        t->s->check_n--;
    reference_drop(t);
    t->s->task_n--;
    catalogue_drop(t->catalogue);
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
    deliveries_close(s->deliveries);
    bucket_close(s->bucket);
    if (s->env.db)
        db_close(s->env.db);
    if (s->env.catalogue)
        catalogue_drop(s->env.catalogue);
    rules_drop(s->rules);
    wire_close(s->wire);
    arena_free(s->cx.mem);
}

/* ---- claiming ---- */

struct task *task_new(struct sweeper *s, enum due_kind kind, const char *owner)
{
    struct task *t = calloc(1, sizeof *t);
    if (!t)
        abort();
    t->cx = (struct fg_ctx){ .mem = arena_new(), .env = s->cx.env };
    ctx_tick(&t->cx);
    t->cx.request_id = id_new(&t->cx, FG_LIT("sweep_"));
    t->s = s;
    t->kind = kind;
    t->lease_mono_us = INT64_MAX;
    if (owner) {
        memcpy(t->owner, owner, SWEEP_OWNER_LEN);
        t->lease_mono_us = ctx_mono_us(&t->cx) + s->env.conf->sweeper_lease_s * FG_US_PER_S / 3;
    }
    t->catalogue = catalogue_hold(s->env.catalogue);
    t->video.fd = t->poster.fd = -1;
    t->next = s->tasks;
    s->tasks = t;
    s->task_n++;
    if (kind == DUE_INGEST)
        s->ingest_n++;
    if (kind == DUE_MODERATE)
        s->check_n++;
    return t;
}

/* The columns of SQL_DUE_CLAIMED: a row of due work, its job, its attempt. */
static struct db_cols work_cols(void)
{
    static struct db_col col[2 + 64];
    static unsigned n;
    if (n)
        return (struct db_cols){ col, n };
    FG_ASSERT(2 + job_row.n + attempt_row.n <= FG_LEN(col));
    col[n++] = (struct db_col)COL(struct work, due_id);
    col[n++] = (struct db_col)COL(struct work, tries);
    for (unsigned i = 0; i < job_row.n; i++)
        col[n++] = (struct db_col){ job_row.v[i].tag, job_row.v[i].at + offsetof(struct work, job) };
    for (unsigned i = 0; i < attempt_row.n; i++)
        col[n++] = (struct db_col){ attempt_row.v[i].tag, attempt_row.v[i].at + offsetof(struct work, attempt) };
    return (struct db_cols){ col, n };
}

/* The batch was read into the pass's memory; a task outlives that. */
static void take_work(struct task *t, const struct work *row, struct db_cols cols)
{
    t->work = *row;
    for (unsigned i = 0; i < cols.n; i++) {
        struct fg_str *s = (struct fg_str *)(void *)((char *)&t->work + cols.v[i].at);
        if (cols.v[i].tag == DB_TAG_STR && s->p)
            *s = arena_str(t->cx.mem, *s);
    }
}

/* The operator took out what this work needs: to ask about what is there, the provider; to submit, the model too. */
static bool not_in_catalogue(const struct task *t)
{
    int stage = t->work.job.stage;
    if (t->kind == DUE_ERASE || t->kind == DUE_SENDING || t->kind == DUE_MODERATE)
        return false;
    return !t->provider || !t->adapter || (stage == STAGE_WAITING && !t->model);
}

static void start(struct sweeper *s, enum due_kind kind, const struct work *row, struct db_cols cols, const char *owner)
{
    struct task *t = task_new(s, kind, owner);
    take_work(t, row, cols);
    struct job *j = &t->work.job;
    const struct attempt *a = &t->work.attempt;
    t->provider = catalogue_provider(t->catalogue, j->provider);
    t->model = catalogue_model(t->catalogue, j->model);
    t->adapter = a->id ? provider_by_name(a->adapter) : t->model ? t->model->adapter : NULL;
    if (not_in_catalogue(t)) {
        fg_log(&t->cx, LOG_ERROR, "sweep.not_in_catalogue", LOG_S("job", j->public_id), LOG_S("provider", j->provider),
               LOG_S("model", j->model));
        if (kind == DUE_DEADLINE)
            deadline_unasked(t);
        else
            task_later(t, t->cx.now_us + 60 * FG_US_PER_S, t->work.tries);
        return;
    }
    duties[kind](t);
}

int64_t sweep_claim(struct sweeper *s, enum due_kind kind, int64_t limit, struct fg_str ids)
{
    char owner[SWEEP_OWNER_LEN];
    struct work *row;
    size_t n;
    int64_t lease_us = s->cx.now_us + s->env.conf->sweeper_lease_s * FG_US_PER_S;
    s->cx.env->random(s->cx.env->self, owner, sizeof owner);
    struct fg_str me = { owner, sizeof owner };
    enum fg_code rc =
        ids.p ? db_run(&s->cx, s->env.db, SQL_DUE_CLAIM_THESE,
                       DB_ARGS(DB(ids), DB(me), DB(lease_us), DB((int)kind), DB(s->cx.now_us)))
              : db_run(&s->cx, s->env.db, SQL_DUE_CLAIM,
                       DB_ARGS(DB((int)kind), DB(s->cx.now_us), DB(limit), DB(me), DB(lease_us)));
    if (rc == FG_OK && s->env.db->affected == 0)
        return 0;
    if (rc == FG_OK || rc == FG_DB_UNSURE) /* without an answer: what is under this name was claimed */
        rc = DB_ALL(&s->cx, s->env.db, SQL_DUE_CLAIMED, DB_ARGS(DB(me)), work_cols(), &row, &n);
    if (rc != FG_OK) {
        sweep_failed(s, rc, "sweep.claim_failed", s->cx.request_id);
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        start(s, kind, &row[i], work_cols(), owner);
    return (int64_t)n;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* How many share the providers' rates with us. */
static enum fg_code count_sweepers(struct sweeper *s)
{
    static const struct db_col cols[] = { { DB_TAG_I64, 0 } };
    int64_t n = 1;
    bool found;
    enum fg_code rc = db_one(&s->cx, s->env.db, SQL_SWEEPERS, DB_ARGS(DB(s->cx.now_us - 6 * UPKEEP_US)), DB_COLS(cols),
                             &n, &found);
    if (rc == FG_OK)
        s->traffic.sweepers = n > 0 ? n : 1;
    return rc;
}

static void upkeep(struct sweeper *s)
{
    int64_t mono = ctx_mono_us(&s->cx);
    if (mono < s->next_upkeep_us)
        return;
    s->next_upkeep_us = mono + UPKEEP_US;
    struct db *db = s->env.db;
    int64_t floor_us = clock_floor_us(&s->clock);
    enum fg_code rc = db_run(&s->cx, db, SQL_HEARTBEAT,
                             DB_ARGS(DB(fg_str_c(s->name)), DB(s->cx.now_us), DB(s->cx.now_us)));
    if (rc == FG_OK)
        rc = db_run(&s->cx, db, SQL_HEARTBEAT_PURGE, DB_ARGS(DB(s->cx.now_us - 3600 * FG_US_PER_S)));
    if (rc == FG_OK)
        rc = db_run(&s->cx, db, SQL_IDEMPOTENCY_PURGE, DB_ARGS(DB(floor_us - IDEMPOTENCY_KEPT_US)));
    if (rc == FG_OK)
        rc = db_run(&s->cx, db, SQL_QUOTE_PURGE, DB_ARGS(DB(floor_us - QUOTE_KEPT_US)));
    if (rc == FG_OK)
        rc = db_run(&s->cx, db, SQL_SESSION_PURGE, DB_ARGS(DB(s->cx.now_us)));
    if (rc == FG_OK)
        rc = db_run(&s->cx, db, SQL_STORAGE_WAIT_PURGE, DB_NO_ARGS);
    if (rc == FG_OK)
        rc = db_run(&s->cx, db, SQL_SHARE_PURGE, DB_ARGS(DB(floor_us)));
    if (rc == FG_OK)
        rc = db_run(&s->cx, db, SQL_RECEIPT_PURGE, DB_ARGS(DB(floor_us - STRANGE_KEPT_US)));
    if (rc == FG_OK)
        rc = moderate_purge(s);
    if (rc == FG_OK)
        rc = count_sweepers(s);
    if (rc == FG_OK)
        rc = spool_tidy(&s->cx, s->env.conf, floor_us);
    if (rc == FG_OK && !s->draining)
        rc = bucket_tidy(s);
    if (rc == FG_OK && !s->draining)
        rc = books_look(s);
    if (rc != FG_OK)
        sweep_failed(s, rc, "sweep.upkeep_failed", fg_str_c(s->name));
    if (rc == FG_OK && !s->draining) {
        keys_refresh(s);
        weather_compute(s);
        uploads_look(s);
        deliveries_purge(s->deliveries);
    }
}

/* A new catalogue is for what begins; what runs holds the one it began with. */
static void renew_catalogue(struct sweeper *s)
{
    int64_t mono = ctx_mono_us(&s->cx);
    bool changed;
    if (mono < s->next_catalogue_us)
        return;
    s->next_catalogue_us = mono + FG_US_PER_S;
    moderate_renew(s);
    if (catalogue_renew(&s->cx, s->env.conf, &s->env.catalogue, &changed) != FG_OK)
        log_err(&s->cx, "sweep.catalogue_refused", fg_str_c(s->name));
    else if (changed)
        fg_log(&s->cx, LOG_INFO, "catalogue.renewed", LOG_I("models", s->env.catalogue->model_n));
}

/* How many rows of a kind may be claimed now. */
static int64_t room_for(struct sweeper *s, enum due_kind kind)
{
    int64_t room = least(s->env.conf->sweeper_batch, sweep_room(s));
    if (kind == DUE_INGEST)
        room = least(room, SWEEP_INGESTS_MAX - (int64_t)s->ingest_n);
    if (kind == DUE_MODERATE)
        room = least(room, SWEEP_CHECKS_MAX - (int64_t)s->check_n);
    return room;
}

struct next_row {
    int64_t at[DUE_KIND_N - 1];
    int64_t delivery_us;
};
static const struct db_col next_cols[] = {
    COL(struct next_row, at[0]), COL(struct next_row, at[1]), COL(struct next_row, at[2]),
    COL(struct next_row, at[3]), COL(struct next_row, at[4]), COL(struct next_row, at[5]),
    COL(struct next_row, at[6]), COL(struct next_row, at[7]), COL(struct next_row, delivery_us),
};

/* Claims of one kind what there is room for; the time until more of it is due. */
static int64_t pass_kind(struct sweeper *s, enum due_kind kind, int64_t at)
{
    if (at == 0)
        return INT64_MAX;
    if (at > s->cx.now_us)
        return at - s->cx.now_us;
    if (kind == DUE_DISPATCH)
        return slots_give(s);
    int64_t room = room_for(s, kind); /* none: whatever ends frees some, and wakes us */
    return room > 0 && sweep_claim(s, kind, room, FG_NONE) == room ? IDLE_MIN_US : INT64_MAX;
}

/* ---- the clock ---- */

/* What waits in memory, beside what the books hold. */
static void shift(struct sweeper *s, int64_t us)
{
    for (unsigned i = 0; i < s->later_n; i++)
        s->later[i].due_us += us;
    for (struct task *t = s->tasks; t; t = t->next) {
        t->work.job.deadline_us += us;
        t->work.attempt.jumped_us += us;
    }
    traffic_shift(&s->traffic, us);
    deliveries_shift(s->deliveries, us);
    s->look_now = true;
}

/* False while a jump is being settled: nothing may begin, and no answer be taken, by a time that is about to change. */
static bool clock_stands(struct sweeper *s)
{
    int64_t moved_us;
    bool stands = clock_turn(&s->cx, &s->clock, s->env.db, &moved_us);
    if (moved_us)
        shift(s, moved_us);
    return stands;
}

int64_t sweep_pass(struct sweeper *s)
{
    if (!clock_stands(s))
        return CLOCK_NAP_US;
    int64_t mono = ctx_mono_us(&s->cx), wait = s->env.conf->sweeper_tick_ms * FG_US_PER_MS;
    if (mono < s->away_until_us)
        return s->away_until_us - mono;
    if (!s->look_now && mono < s->look_mono_us)
        return s->look_mono_us - mono;
    s->look_now = false;
    arena_reset(s->cx.mem);
    ctx_tick(&s->cx);
    s->cx.request_id = id_new(&s->cx, FG_LIT("pass_"));
    give_back(s);
    upkeep(s);
    renew_catalogue(s);
    if (!sweep_away(s))
        traffic_load(&s->cx, s->env.db, &s->traffic, s->env.catalogue);
    struct next_row next = { .delivery_us = 0 };
    bool found;
    enum fg_code rc = FG_OK;
    bool looks = !s->draining && !sweep_away(s);
    if (looks)
        rc = db_one(&s->cx, s->env.db, SQL_DUE_NEXT, DB_NO_ARGS, DB_COLS(next_cols), &next, &found);
    if (rc != FG_OK)
        sweep_failed(s, rc, "sweep.next_failed", fg_str_c(s->name));
    looks = looks && rc == FG_OK;
    for (unsigned kind = DUE_DISPATCH; kind < DUE_KIND_N && looks && !sweep_away(s); kind++)
        wait = least(wait, pass_kind(s, (enum due_kind)kind, next.at[kind - 1]));
    if (looks && !sweep_away(s))
        wait = least(wait, deliveries_pass(s->deliveries, next.delivery_us));
    if (!s->draining && !sweep_away(s))
        wait = least(wait, retention_pass(s));
    sweep_went_well(s);
    mono = ctx_mono_us(&s->cx);
    if (wait < IDLE_MIN_US || s->look_now) /* what has ended within the pass may have made more due */
        wait = IDLE_MIN_US;
    if (mono + wait < s->away_until_us)
        wait = s->away_until_us - mono;
    s->look_mono_us = mono + wait;
    return wait;
}

bool sweep_busy(const struct sweeper *s)
{
    return s->task_n || deliveries_n(s->deliveries);
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
    if (mono < t->lease_mono_us || mono < t->s->away_until_us)
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

/* Calls whose turn in their provider's rate has come; the time until the next one's, at most max_us. */
static int64_t begin_calls(struct sweeper *s, int64_t max_us)
{
    int64_t mono = ctx_mono_us(&s->cx);
    for (struct task *t = s->tasks; t; t = t->next) {
        if (t->ended || !t->call_mono_us)
            continue;
        if (t->call_mono_us <= mono)
            task_call_now(t);
        else
            max_us = least(max_us, t->call_mono_us - mono);
    }
    return max_us;
}

void sweep_wait(struct sweeper *s, int wake_fd, int stop_fd, int64_t max_us)
{
    struct pollfd p[3 + 2 * (SWEEP_INGESTS_MAX + SWEEP_CHECKS_MAX)];
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
    max_us = begin_calls(s, max_us);
    int64_t fetch_us = fetcher_timeout_us(s->fetcher);
    if (fetch_us >= 0)
        max_us = least(max_us, fetch_us);
    max_us = least(max_us, give_back_in_us(s));
    (void)poll(p, n, (int)((max_us + 999) / 1000));
    if (!clock_stands(s)) {
        (void)poll(NULL, 0, (int)(CLOCK_NAP_US / FG_US_PER_MS));
        return;
    }
    char hint[64];
    while (wake_fd >= 0 && read(wake_fd, hint, sizeof hint) > 0)
        s->look_now = true;
    fetcher_turn(s->fetcher);
    deliveries_settle(s->deliveries);
    for (struct task *t = s->tasks; t; t = t->next) {
        if (!t->ended && t->child.pid > 0)
            check_child(t);
        if (!t->ended)
            renew(t);
    }
    tasks_retry(s);
    reap(s);
    give_back(s);
}
