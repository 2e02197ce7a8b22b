#include "notify/endpoint.h"

#include "base/arena.h"
#include "base/id.h"
#include "io/hash.h"

#define SECRET_BYTES 32
#define AGAIN_BATCH 1000

const char *endpoint_end_name(enum endpoint_end e)
{
    switch (e) {
    case ENDPOINT_BY_OWNER:
        return "owner";
    case ENDPOINT_GONE:
        return "gone";
    case ENDPOINT_FAILING:
        return "failing";
    case ENDPOINT_LIVE:
        break;
    }
    return NULL;
}

/* In the order of ENDPOINT_SELECT (sql/statements.def). */
static const struct db_col endpoint_cols[] = {
    COL(struct endpoint, id),          COL(struct endpoint, account_id), COL(struct endpoint, public_id),
    COL(struct endpoint, url),         COL(struct endpoint, events),     COL(struct endpoint, description),
    COL(struct endpoint, created_us),  COL(struct endpoint, failing_since_us),
    COL(struct endpoint, disabled_us), COL(struct endpoint, disabled_reason),
};

static enum fg_code look_up(struct fg_ctx *cx, struct db *db, enum db_sql sql, struct fg_str id, struct db_args args,
                            struct endpoint *out)
{
    bool found = false;
    enum fg_code rc = FG_OK;
    if (id_valid(id, NOTIFY_ENDPOINT_ID)) /* what is no id may not be ASCII either */
        rc = db_one(cx, db, sql, args, DB_COLS(endpoint_cols), out, &found);
    if (rc == FG_OK && !found)
        rc = fg_fail(cx, FG_NOT_FOUND, "No such endpoint.");
    return rc;
}

enum fg_code endpoint_read(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str id, struct endpoint *out)
{
    return look_up(cx, db, SQL_WEBHOOK_ENDPOINT, id, DB_ARGS(DB(id), DB(account_id)), out);
}

static enum fg_code lock(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str id, struct endpoint *out)
{
    return look_up(cx, db, SQL_WEBHOOK_ENDPOINT_LOCK, id, DB_ARGS(DB(id), DB(account_id)), out);
}

enum fg_code endpoint_any(struct fg_ctx *cx, struct db *db, struct fg_str id, struct endpoint *out)
{
    return look_up(cx, db, SQL_WEBHOOK_ENDPOINT_ANY, id, DB_ARGS(DB(id)), out);
}

enum fg_code endpoint_list(struct fg_ctx *cx, struct db *db, int64_t account_id, struct endpoint **row, size_t *n)
{
    return DB_ALL(cx, db, SQL_WEBHOOK_ENDPOINTS, DB_ARGS(DB(account_id)), DB_COLS(endpoint_cols), row, n);
}

/* ---- secrets ---- */

static enum fg_code secret_put(struct fg_ctx *cx, struct db *db, int64_t account_id, int64_t endpoint_id,
                               struct endpoint_secret *out)
{
    char raw[SECRET_BYTES];
    cx->env->random(cx->env->self, raw, sizeof raw);
    struct fg_str text = hash_base64(cx->mem, (struct fg_str){ raw, sizeof raw });
    explicit_bzero(raw, sizeof raw);
    *out = (struct endpoint_secret){ arena_fmt(cx->mem, "whsec_%.*s", FG_P(text)), cx->now_us, 0 };
    return db_run(cx, db, SQL_WEBHOOK_SECRET_PUT,
                  DB_ARGS(DB(account_id), endpoint_id ? DB(endpoint_id) : DB_NULL, DB(out->secret), DB(cx->now_us)));
}

static enum fg_code secrets_of(struct fg_ctx *cx, struct db *db, int64_t account_id, int64_t endpoint_id,
                               struct endpoint_secret **row, size_t *n)
{
    static const struct db_col cols[] = { COL(struct endpoint_secret, secret), COL(struct endpoint_secret, created_us),
                                          COL(struct endpoint_secret, expires_us) };
    return DB_ALL(cx, db, SQL_WEBHOOK_SECRETS,
                  DB_ARGS(DB(account_id), endpoint_id ? DB(endpoint_id) : DB_NULL, DB(cx->now_us),
                          DB((int)ENDPOINT_SECRETS_MAX)),
                  DB_COLS(cols), row, n);
}

enum fg_code endpoint_callbacks_ready(struct fg_ctx *cx, struct db *db, int64_t account_id)
{
    struct endpoint_secret *row, made;
    size_t n;
    enum fg_code rc = secrets_of(cx, db, account_id, 0, &row, &n);
    return rc == FG_OK && n == 0 ? secret_put(cx, db, account_id, 0, &made) : rc;
}

/* The endpoint that an id names; id 0 for the account's callbacks. */
static enum fg_code owner_of(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str id,
                             struct endpoint *out)
{
    *out = (struct endpoint){ .account_id = account_id };
    if (fg_eq(id, ENDPOINT_CALLBACKS))
        return endpoint_callbacks_ready(cx, db, account_id);
    return endpoint_read(cx, db, account_id, id, out);
}

enum fg_code endpoint_secrets(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str id,
                              struct endpoint_secret **row, size_t *n)
{
    struct endpoint e;
    enum fg_code rc = owner_of(cx, db, account_id, id, &e);
    return rc == FG_OK ? secrets_of(cx, db, account_id, e.id, row, n) : rc;
}

struct rotation {
    struct endpoint e;
    int64_t old_until_us;
    struct endpoint_secret made;
};

static enum fg_code rotate_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct rotation *r = arg;
    enum fg_code rc = db_run(cx, db, SQL_WEBHOOK_SECRETS_END,
                             DB_ARGS(DB(r->old_until_us), DB(r->e.account_id), r->e.id ? DB(r->e.id) : DB_NULL,
                                     DB(r->old_until_us)));
    return rc == FG_OK ? secret_put(cx, db, r->e.account_id, r->e.id, &r->made) : rc;
}

enum fg_code endpoint_rotate(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str id, int64_t grace_s,
                             struct endpoint_secret *out)
{
    struct rotation r = { .old_until_us = cx->now_us + grace_s * FG_US_PER_S };
    enum fg_code rc = owner_of(cx, db, account_id, id, &r.e);
    if (rc == FG_OK)
        rc = db_tx(cx, db, rotate_body, &r);
    if (rc == FG_OK)
        *out = r.made;
    return rc;
}

/* ---- create, change, end ---- */

struct making {
    int64_t account_id;
    struct fg_str id;
    const struct endpoint_wish *wish;
    struct endpoint_secret secret;
};

static enum fg_code create_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct making *m = arg;
    const struct endpoint_wish *w = m->wish;
    int64_t off_us = w->disabled ? cx->now_us : 0;
    enum fg_code rc = db_run(cx, db, SQL_WEBHOOK_ENDPOINT_ADD,
                             DB_ARGS(DB(m->id), DB(m->account_id), DB(w->url), DB(w->events),
                                     DB(w->description.p ? w->description : FG_LIT("")), DB(cx->now_us), DB_TIME(off_us),
                                     DB((int)(w->disabled ? ENDPOINT_BY_OWNER : ENDPOINT_LIVE)), DB(m->account_id),
                                     DB((int)ENDPOINTS_MAX)));
    if (rc == FG_OK && db->affected != 1)
        return fg_fail(cx, FG_ENDPOINT_LIMIT, "An account has at most %d endpoints.", ENDPOINTS_MAX);
    return rc == FG_OK ? secret_put(cx, db, m->account_id, db->insert_id, &m->secret) : rc;
}

enum fg_code endpoint_create(struct fg_ctx *cx, struct db *db, int64_t account_id, const struct endpoint_wish *wish,
                             struct endpoint *out, struct endpoint_secret *secret)
{
    FG_ASSERT(wish->has_url);
    struct making m = { .account_id = account_id, .id = id_new(cx, NOTIFY_ENDPOINT_ID), .wish = wish };
    enum fg_code rc = db_tx(cx, db, create_body, &m);
    if (rc == FG_OK)
        rc = endpoint_read(cx, db, account_id, m.id, out);
    if (rc == FG_OK)
        *secret = m.secret;
    return rc;
}

static enum fg_code cancel_waiting(struct fg_ctx *cx, struct db *db, int64_t endpoint_id)
{
    return db_run(cx, db, SQL_WEBHOOK_CANCEL, DB_ARGS(DB(endpoint_id)));
}

struct change {
    int64_t account_id;
    struct fg_str id;
    const struct endpoint_wish *wish;
    struct endpoint e;
};

static void apply(struct endpoint *e, const struct endpoint_wish *w, int64_t now_us)
{
    if (w->has_url)
        e->url = w->url;
    if (w->has_events)
        e->events = w->events;
    if (w->has_description)
        e->description = w->description.p ? w->description : FG_LIT("");
    if (!w->has_disabled)
        return;
    if (!w->disabled) {
        e->disabled_us = e->failing_since_us = 0;
        e->disabled_reason = ENDPOINT_LIVE;
    } else if (!e->disabled_us) {
        e->disabled_us = now_us;
        e->disabled_reason = ENDPOINT_BY_OWNER;
    }
}

static enum fg_code update_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct change *c = arg;
    struct endpoint *e = &c->e;
    enum fg_code rc = lock(cx, db, c->account_id, c->id, e);
    if (rc != FG_OK)
        return rc;
    bool was = e->disabled_us != 0;
    apply(e, c->wish, cx->now_us);
    rc = db_run(cx, db, SQL_WEBHOOK_ENDPOINT_CHANGE,
                DB_ARGS(DB(e->url), DB(e->events), DB(e->description), DB_TIME(e->failing_since_us),
                        DB_TIME(e->disabled_us), DB(e->disabled_reason), DB(e->id)));
    return rc == FG_OK && e->disabled_us && !was ? cancel_waiting(cx, db, e->id) : rc;
}

enum fg_code endpoint_update(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str id,
                             const struct endpoint_wish *wish, struct endpoint *out)
{
    struct change c = { .account_id = account_id, .id = id, .wish = wish };
    enum fg_code rc = db_tx(cx, db, update_body, &c);
    if (rc == FG_OK)
        *out = c.e;
    return rc;
}

static enum fg_code delete_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct change *c = arg;
    enum fg_code rc = lock(cx, db, c->account_id, c->id, &c->e);
    if (rc == FG_OK)
        rc = db_run(cx, db, SQL_WEBHOOK_ENDPOINT_DELETE, DB_ARGS(DB(cx->now_us), DB(c->e.id)));
    if (rc == FG_OK)
        rc = db_run(cx, db, SQL_WEBHOOK_SECRETS_DROP, DB_ARGS(DB(c->account_id), DB(c->e.id)));
    return rc == FG_OK ? cancel_waiting(cx, db, c->e.id) : rc;
}

enum fg_code endpoint_delete(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str id)
{
    struct change c = { .account_id = account_id, .id = id };
    return db_tx(cx, db, delete_body, &c);
}

enum fg_code endpoint_end(struct fg_ctx *cx, struct db *db, int64_t endpoint_id, enum endpoint_end why, int64_t since_us,
                          bool *did)
{
    enum fg_code rc = db_run(cx, db, SQL_WEBHOOK_ENDPOINT_END,
                             DB_ARGS(DB(cx->now_us), DB((int)why), DB(endpoint_id), DB(since_us)));
    *did = rc == FG_OK && db->affected == 1;
    return *did ? cancel_waiting(cx, db, endpoint_id) : rc;
}

/* ---- deliveries of one endpoint ---- */

static enum fg_code must_be_live(struct fg_ctx *cx, const struct endpoint *e)
{
    return e->disabled_us ? fg_fail(cx, FG_ENDPOINT_DISABLED, "This endpoint is disabled: enable it first.") : FG_OK;
}

struct testing {
    struct endpoint e;
    struct fg_str id;
};

static enum fg_code test_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct testing *t = arg;
    struct notify_event e = { .type = NOTIFY_TEST, .account_id = t->e.account_id };
    int64_t message_id;
    enum fg_code rc = message_put(cx, db, &e, &message_id);
    return rc == FG_OK ? delivery_put(cx, db, message_id, &e, t->e.id, FG_NONE, DELIVERY_PENDING, &t->id) : rc;
}

enum fg_code endpoint_test(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str id,
                           struct delivery_detail *out)
{
    struct testing t;
    enum fg_code rc = endpoint_read(cx, db, account_id, id, &t.e);
    if (rc == FG_OK)
        rc = must_be_live(cx, &t.e);
    if (rc == FG_OK)
        rc = db_tx(cx, db, test_body, &t);
    return rc == FG_OK ? delivery_read(cx, db, account_id, t.id, out) : rc;
}

/* In batches, each on its own: a row that is due again is out of the next one's reach. */
enum fg_code endpoint_again(struct fg_ctx *cx, struct db *db, const struct endpoint *e, int64_t since_us, bool all,
                            int64_t *n, bool *more)
{
    enum fg_code rc = must_be_live(cx, e);
    *n = 0;
    *more = true;
    while (rc == FG_OK && *more && *n < ENDPOINT_AGAIN_MAX) {
        rc = db_run(cx, db, SQL_WEBHOOK_AGAIN_SINCE,
                    DB_ARGS(DB(cx->now_us), DB(cx->now_us), DB(e->id), DB(since_us), DB(all), DB(cx->now_us),
                            DB((int)AGAIN_BATCH)));
        if (rc == FG_OK)
            *n += (int64_t)db->affected;
        *more = rc == FG_OK && db->affected == AGAIN_BATCH;
    }
    return rc;
}
