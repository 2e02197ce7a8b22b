/* Outgoing webhooks on their way: whose turn it is, the POST, and what came of it.
 *
 * Each place has a queue (lane) of its own, and only so many of its deliveries are under way at once: one that answers
 * slowly holds its own places and nobody else's. Claims are leases like those of other due work; what a turn of the
 * loop has heard is written in one transaction, guarded by the lease. A sweeper that dies leaves the lease to end:
 * the message is told again. */
#include "base/arena.h"
#include "base/fault.h"
#include "base/log.h"
#include "notify/deliver.h"
#include "notify/endpoint.h"
#include "sweeper/sweep.h"

#define IN_ALL_MAX 256
#define OF_LANE_MAX 4
#define OF_ACCOUNT_MAX 32
#define LANES_MAX 512                        /* that are remembered: in use, or resting */
#define LEASE_SPARE_US (10 * FG_US_PER_S)    /* beyond the time that an answer may take */
#define LOOK_US (20 * FG_US_PER_MS)          /* between two looks at the queues */
#define BEHIND_US FG_US_PER_S                /* for one that stands behind an untried one; that wakes it sooner */
#define CRASHES_MAX 4                        /* tries of which nothing is known, beyond the regular ones */
#define DAY_US (86400 * FG_US_PER_S)

/* In the order of SQL_WEBHOOK_CLAIMED. */
struct parcel {
    int64_t id;
    struct fg_str message_id, payload;
    int64_t account_id, endpoint_id; /* endpoint_id 0: a job's own URL */
    struct fg_str url;
    int64_t lane, tries, attempt_n, job_id, last_at_us, failing_since_us;
    bool live;                    /* nobody has disabled or deleted the endpoint */
    struct fg_str secrets;
    bool behind;                  /* an untried one before it */
};
static const struct db_col parcel_cols[] = {
    COL(struct parcel, id),         COL(struct parcel, message_id), COL(struct parcel, payload),
    COL(struct parcel, account_id), COL(struct parcel, endpoint_id), COL(struct parcel, url),
    COL(struct parcel, lane),       COL(struct parcel, tries),      COL(struct parcel, attempt_n),
    COL(struct parcel, job_id),     COL(struct parcel, last_at_us), COL(struct parcel, failing_since_us),
    COL(struct parcel, live),       COL(struct parcel, secrets),    COL(struct parcel, behind),
};

/* One under way; its memory is its own. */
struct sending {
    struct fg_ctx cx;
    struct deliveries *of;
    struct sending *next;
    struct parcel p;
    char owner[SWEEP_OWNER_LEN];
    int64_t begun_mono_us, took_ms;
    bool heard;                   /* verdict, status and excerpt are set, and are to be written */
    struct deliver_verdict verdict;
    int status;
    struct fg_str excerpt;
    bool mine, disabled;          /* found while writing: the lease held; its endpoint was disabled */
};

struct lane_use {
    int64_t lane, account_id;
    unsigned n;                   /* under way */
    int64_t rest_until_us;
};

struct deliveries {
    struct sweeper *s;
    struct sending *list;
    unsigned n;
    struct lane_use lane[LANES_MAX];
    unsigned lane_n;
    unsigned first;               /* where the next round begins: no account is always the first */
    int64_t next_purge_us;        /* monotonic */
};

struct deliveries *deliveries_open(struct sweeper *s)
{
    struct deliveries *d = calloc(1, sizeof *d);
    if (!d)
        abort();
    d->s = s;
    return d;
}

static void sending_free(struct sending *g)
{
    arena_free(g->cx.mem);
    free(g);
}

void deliveries_close(struct deliveries *d)
{
    while (d && d->list) {
        struct sending *g = d->list;
        d->list = g->next;
        sending_free(g);
    }
    free(d);
}

unsigned deliveries_n(const struct deliveries *d)
{
    return d->n;
}

/* ---- queues ---- */

static struct lane_use *lane_find(struct deliveries *d, int64_t account_id, int64_t lane)
{
    for (unsigned i = 0; i < d->lane_n; i++)
        if (d->lane[i].lane == lane && d->lane[i].account_id == account_id)
            return &d->lane[i];
    return NULL;
}

/* There are more places than deliveries under way: one that only rests can go. */
static struct lane_use *lane_of(struct deliveries *d, int64_t account_id, int64_t lane)
{
    struct lane_use *u = lane_find(d, account_id, lane);
    if (u)
        return u;
    if (d->lane_n < LANES_MAX) {
        u = &d->lane[d->lane_n++];
    } else {
        for (unsigned i = 0; i < d->lane_n; i++)
            if (d->lane[i].n == 0 && (!u || d->lane[i].rest_until_us < u->rest_until_us))
                u = &d->lane[i];
        FG_ASSERT(u);
    }
    *u = (struct lane_use){ .lane = lane, .account_id = account_id };
    return u;
}

static void lanes_tidy(struct deliveries *d, int64_t now_us)
{
    for (unsigned i = 0; i < d->lane_n;)
        if (d->lane[i].n == 0 && d->lane[i].rest_until_us <= now_us)
            d->lane[i] = d->lane[--d->lane_n];
        else
            i++;
}

static unsigned room_in(struct deliveries *d, int64_t account_id, int64_t lane, int64_t now_us)
{
    const struct lane_use *u = lane_find(d, account_id, lane);
    unsigned of_account = 0, room = OF_LANE_MAX;
    for (unsigned i = 0; i < d->lane_n; i++)
        if (d->lane[i].account_id == account_id)
            of_account += d->lane[i].n;
    if (u && u->rest_until_us > now_us)
        return 0;
    if (u)
        room -= u->n;
    if (room > OF_ACCOUNT_MAX - of_account)
        room = OF_ACCOUNT_MAX - of_account;
    return room < IN_ALL_MAX - d->n ? room : IN_ALL_MAX - d->n;
}

/* ---- sending ---- */

static void answered(void *arg, const struct fetch_reply *reply)
{
    struct sending *g = arg;
    FG_CRASH_POINT("deliver.answered");
    ctx_tick(&g->cx); /* a network call ends the instant */
    g->took_ms = (ctx_mono_us(&g->cx) - g->begun_mono_us) / FG_US_PER_MS;
    g->verdict = deliver_judge(&g->cx, reply, g->p.tries);
    g->status = reply->status;
    g->excerpt = deliver_excerpt(&g->cx, reply);
    g->heard = true;
}

static void copy_texts(struct parcel *p, struct arena *mem)
{
    for (size_t i = 0; i < FG_LEN(parcel_cols); i++) {
        struct fg_str *s = (struct fg_str *)(void *)((char *)p + parcel_cols[i].at);
        if (parcel_cols[i].tag == DB_TAG_STR && s->p)
            *s = arena_str(mem, *s);
    }
}

static struct sending *sending_new(struct deliveries *d, const struct parcel *p, const char *owner)
{
    struct sending *g = calloc(1, sizeof *g);
    if (!g)
        abort();
    g->cx = (struct fg_ctx){ .mem = arena_new(), .env = d->s->cx.env };
    ctx_tick(&g->cx);
    g->cx.request_id = arena_str(g->cx.mem, p->message_id);
    g->of = d;
    g->p = *p;
    copy_texts(&g->p, g->cx.mem);
    memcpy(g->owner, owner, SWEEP_OWNER_LEN);
    g->begun_mono_us = ctx_mono_us(&g->cx);
    g->next = d->list;
    d->list = g;
    return g;
}

/* What cannot be sent is a try like any other: it shows in the log, and ends some day. */
static void post(struct deliveries *d, const struct parcel *p, const char *owner)
{
    struct sending *g = sending_new(d, p, owner);
    struct deliver_letter letter = { g->p.message_id, g->p.url, g->p.payload, g->p.secrets };
    struct fetch_call call;
    if (deliver_call(&g->cx, d->s->env.conf, &letter, &call) != FG_OK) {
        struct fetch_reply none = { .end = FETCH_NOT_SENT, .words = fg_str_c(g->cx.err.detail) };
        answered(g, &none);
        return;
    }
    FG_CRASH_POINT("deliver.before_send");
    fetch_start(d->s->fetcher, &call, answered, g);
}

/* ---- claiming ---- */

static enum fg_code not_sent(struct deliveries *d, const struct parcel *p, const char *owner)
{
    struct sweeper *s = d->s;
    struct fg_str me = { owner, SWEEP_OWNER_LEN };
    if (p->behind && p->live)
        return db_run(&s->cx, s->env.db, SQL_WEBHOOK_PUT_BACK, DB_ARGS(DB(s->cx.now_us + BEHIND_US), DB(p->id), DB(me)));
    int state = p->live ? DELIVERY_FAILED : DELIVERY_CANCELED;
    return db_run(&s->cx, s->env.db, SQL_WEBHOOK_UNTRIED, DB_ARGS(DB(state), DB(p->id), DB(me)));
}

/* What was claimed and did not go out had its place reserved, too. */
static void recount(struct deliveries *d)
{
    d->n = 0;
    for (unsigned i = 0; i < d->lane_n; i++)
        d->lane[i].n = 0;
    for (struct sending *g = d->list; g; g = g->next) {
        lane_of(d, g->p.account_id, g->p.lane)->n++;
        d->n++;
    }
}

static void take(struct deliveries *d, const char *owner)
{
    struct sweeper *s = d->s;
    struct fg_str me = { owner, SWEEP_OWNER_LEN };
    struct parcel *p;
    size_t n;
    enum fg_code rc = DB_ALL(&s->cx, s->env.db, SQL_WEBHOOK_CLAIMED, DB_ARGS(DB(s->cx.now_us), DB(me)),
                             DB_COLS(parcel_cols), &p, &n);
    for (size_t i = 0; i < n && rc == FG_OK; i++)
        if (p[i].live && !p[i].behind && p[i].tries <= DELIVER_TRIES_MAX + CRASHES_MAX)
            post(d, &p[i], owner);
        else
            rc = not_sent(d, &p[i], owner);
    if (rc != FG_OK)
        sweep_failed(s, rc, "deliver.claim_failed", fg_str_c(s->name)); /* the leases bring them back */
    recount(d);
}

struct turn {
    int64_t account_id, lane, due_us;
};
static const struct db_col turn_cols[] = { COL(struct turn, account_id), COL(struct turn, lane),
                                           COL(struct turn, due_us) };

/* Claims from each queue what there is room for; true when that was something. *again_us: until a rest is over. */
static bool claim(struct deliveries *d, const struct turn *t, size_t n, const char *owner, int64_t *again_us)
{
    struct sweeper *s = d->s;
    struct fg_str me = { owner, SWEEP_OWNER_LEN };
    int64_t now = s->cx.now_us, lease = now + s->env.conf->webhook_timeout_s * FG_US_PER_S + LEASE_SPARE_US;
    unsigned before = d->n;
    for (size_t i = 0; i < n && d->n < IN_ALL_MAX; i++) {
        const struct turn *q = &t[(i + d->first) % n];
        unsigned room = room_in(d, q->account_id, q->lane, now);
        const struct lane_use *u = room ? NULL : lane_find(d, q->account_id, q->lane);
        if (u && u->rest_until_us > now && u->rest_until_us - now < *again_us)
            *again_us = u->rest_until_us - now;
        if (room == 0)
            continue;
        enum fg_code rc = db_run(&s->cx, s->env.db, SQL_WEBHOOK_CLAIM,
                                 DB_ARGS(DB(q->account_id), DB(q->lane), DB(now), DB(room), DB(me), DB(lease)));
        if (rc != FG_OK) {
            sweep_failed(s, rc, "deliver.claim_failed", fg_str_c(s->name));
            break;
        }
        lane_of(d, q->account_id, q->lane)->n += (unsigned)s->env.db->affected;
        d->n += (unsigned)s->env.db->affected;
    }
    d->first++;
    return d->n > before;
}

int64_t deliveries_pass(struct deliveries *d, int64_t due_us)
{
    struct sweeper *s = d->s;
    struct turn *t;
    size_t n;
    char owner[SWEEP_OWNER_LEN];
    int64_t mono = ctx_mono_us(&s->cx), again_us = INT64_MAX;
    if (due_us == 0 || d->n >= IN_ALL_MAX) /* whatever ends makes room, and wakes us */
        return INT64_MAX;
    if (due_us > s->cx.now_us)
        return due_us - s->cx.now_us;
    if (mono < s->next_deliver_us)
        return s->next_deliver_us - mono;
    s->next_deliver_us = mono + LOOK_US;
    lanes_tidy(d, s->cx.now_us);
    enum fg_code rc = DB_ALL(&s->cx, s->env.db, SQL_WEBHOOK_LANES, DB_ARGS(DB(s->cx.now_us)), DB_COLS(turn_cols),
                             &t, &n);
    if (rc != FG_OK) {
        sweep_failed(s, rc, "deliver.look_failed", fg_str_c(s->name));
        return INT64_MAX;
    }
    s->cx.env->random(s->cx.env->self, owner, sizeof owner);
    if (!claim(d, t, n, owner, &again_us))
        return again_us;
    take(d, owner);
    return LOOK_US; /* a queue may have more than was claimed, and what was put back frees a place */
}

/* ---- writing down ---- */

/* The endpoint's row comes last: who holds it holds nothing that another needs before it. */
static enum fg_code tell_endpoint(struct fg_ctx *cx, struct db *db, struct sending *g)
{
    const struct parcel *p = &g->p;
    int64_t days = g->of->s->env.conf->webhook_failing_days;
    if (!p->endpoint_id)
        return FG_OK;
    if (g->verdict.works)
        return db_run(cx, db, SQL_WEBHOOK_ENDPOINT_WORKS, DB_ARGS(DB(p->endpoint_id)));
    if (g->verdict.gone)
        return endpoint_end(cx, db, p->endpoint_id, ENDPOINT_GONE, INT64_MAX, &g->disabled);
    if (!p->failing_since_us)
        return db_run(cx, db, SQL_WEBHOOK_ENDPOINT_FAILS, DB_ARGS(DB(g->cx.now_us), DB(p->endpoint_id)));
    if (p->failing_since_us > g->cx.now_us - days * DAY_US)
        return FG_OK;
    return endpoint_end(cx, db, p->endpoint_id, ENDPOINT_FAILING, g->cx.now_us - days * DAY_US, &g->disabled);
}

static enum fg_code log_try(struct fg_ctx *cx, struct db *db, const struct sending *g)
{
    int64_t n = g->p.attempt_n + 1;
    struct db_bind status = g->status ? DB(g->status) : DB_NULL;
    enum fg_code rc = db_run(cx, db, SQL_WEBHOOK_ATTEMPT_PUT,
                             DB_ARGS(DB(g->p.id), DB(n), DB(g->cx.now_us), DB(g->took_ms), status, DB(g->excerpt)));
    if (rc == FG_OK && n > DELIVERY_ATTEMPTS_KEPT)
        rc = db_run(cx, db, SQL_WEBHOOK_ATTEMPT_DROP, DB_ARGS(DB(g->p.id), DB(n - DELIVERY_ATTEMPTS_KEPT)));
    return rc;
}

static enum fg_code write_one(struct fg_ctx *cx, struct db *db, struct sending *g)
{
    const struct parcel *p = &g->p;
    int64_t now = g->cx.now_us, due = now + g->verdict.pause_us;
    struct fg_str me = { g->owner, SWEEP_OWNER_LEN };
    struct db_bind status = g->status ? DB(g->status) : DB_NULL;
    g->disabled = false;
    enum fg_code rc = db_run(cx, db, SQL_WEBHOOK_TRIED,
                             DB_ARGS(DB((int)g->verdict.state), DB(due), DB(p->attempt_n + 1), DB(now), status,
                                     DB(g->excerpt), DB(p->id), DB(me)));
    g->mine = rc == FG_OK && db->affected == 1;
    if (!g->mine) /* its lease had ended: whoever has it now tells again, and writes that down */
        return rc;
    rc = log_try(cx, db, g);
    if (rc == FG_OK && !p->last_at_us && p->job_id)
        rc = db_run(cx, db, SQL_WEBHOOK_NEXT_OF_JOB, DB_ARGS(DB(now), DB(p->job_id), DB(p->lane), DB(now)));
    return rc == FG_OK ? tell_endpoint(cx, db, g) : rc;
}

static enum fg_code write_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct deliveries *d = arg;
    enum fg_code rc = FG_OK;
    for (struct sending *g = d->list; g && rc == FG_OK; g = g->next)
        if (g->heard)
            rc = write_one(cx, db, g);
    return rc;
}

static void tell_log(struct sending *g)
{
    struct fg_ctx *cx = &g->cx;
    fg_log(cx, LOG_INFO, "deliver.tried", LOG_S("message", g->p.message_id), LOG_I("endpoint", g->p.endpoint_id),
           LOG_S("state", fg_str_c(delivery_state_name(g->verdict.state))), LOG_I("try", g->p.tries),
           LOG_I("status", g->status), LOG_I("ms", g->took_ms));
    if (g->disabled)
        fg_log(cx, LOG_WARN, "deliver.endpoint_disabled", LOG_I("endpoint", g->p.endpoint_id),
               LOG_I("account", g->p.account_id));
}

static void forget_heard(struct deliveries *d, bool written)
{
    for (struct sending **at = &d->list; *at;) {
        struct sending *g = *at;
        if (!g->heard) {
            at = &g->next;
            continue;
        }
        if (written && g->mine)
            tell_log(g);
        struct lane_use *u = lane_of(d, g->p.account_id, g->p.lane);
        if (g->verdict.slow_us && g->cx.now_us + g->verdict.slow_us > u->rest_until_us)
            u->rest_until_us = g->cx.now_us + g->verdict.slow_us;
        *at = g->next;
        sending_free(g);
    }
    recount(d);
}

void deliveries_settle(struct deliveries *d)
{
    struct sweeper *s = d->s;
    bool any = false;
    for (struct sending *g = d->list; g && !any; g = g->next)
        any = g->heard;
    if (!any || sweep_away(s))
        return;
    enum fg_code rc = db_tx(&s->cx, s->env.db, write_body, d);
    bool written = rc == FG_OK;
    if (written)
        FG_CRASH_POINT("deliver.recorded");
    else
        sweep_failed(s, rc, "deliver.record_failed", fg_str_c(s->name));
    if (db_no_help(rc)) /* once more later: what was written, or is another's by now, is let alone */
        return;
    forget_heard(d, written); /* those that were not written are told again when their leases end */
    s->look_now = true;
}

void deliveries_shift(struct deliveries *d, int64_t us)
{
    for (unsigned i = 0; i < d->lane_n; i++)
        d->lane[i].rest_until_us += us;
}

/* ---- upkeep ---- */

void deliveries_purge(struct deliveries *d)
{
    struct sweeper *s = d->s;
    int64_t mono = ctx_mono_us(&s->cx), old_us = clock_floor_us(&s->clock) - s->env.conf->webhook_keep_days * DAY_US;
    if (mono < d->next_purge_us)
        return;
    d->next_purge_us = mono + 60 * FG_US_PER_S;
    enum fg_code rc = db_run(&s->cx, s->env.db, SQL_WEBHOOK_PURGE, DB_ARGS(DB(old_us)));
    if (rc == FG_OK && s->env.db->affected) /* there may be more: go on at the next upkeep */
        d->next_purge_us = mono;
    if (rc == FG_OK)
        rc = db_run(&s->cx, s->env.db, SQL_WEBHOOK_SECRET_PURGE, DB_ARGS(DB(s->cx.now_us)));
    if (rc == FG_OK)
        rc = db_run(&s->cx, s->env.db, SQL_WEBHOOK_ENDPOINT_PURGE, DB_ARGS(DB(old_us)));
    if (rc != FG_OK)
        sweep_failed(s, rc, "deliver.purge_failed", fg_str_c(s->name));
}
