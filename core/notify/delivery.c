#include "notify/delivery.h"

#include "base/id.h"

#define LIST_DEFAULT 20

static const char *const state_names[] = {
    [DELIVERY_PENDING] = "pending",
    [DELIVERY_DELIVERED] = "delivered",
    [DELIVERY_FAILED] = "failed",
    [DELIVERY_CANCELED] = "canceled",
};

const char *delivery_state_name(enum delivery_state s)
{
    return s >= DELIVERY_PENDING && s <= DELIVERY_CANCELED ? state_names[s] : "unknown";
}

bool delivery_state_by_name(struct fg_str name, enum delivery_state *out)
{
    for (unsigned i = DELIVERY_PENDING; i <= DELIVERY_CANCELED; i++)
        if (fg_eq(name, fg_str_c(state_names[i]))) {
            *out = (enum delivery_state)i;
            return true;
        }
    return false;
}

/* ---- writing ---- */

static struct db_bind or_null(int64_t id)
{
    return id ? DB(id) : DB_NULL;
}

enum fg_code message_put(struct fg_ctx *cx, struct db *db, const struct notify_event *e, int64_t *id)
{
    enum fg_code rc = db_run(cx, db, SQL_WEBHOOK_MESSAGE_PUT,
                             DB_ARGS(DB(id_new(cx, NOTIFY_MESSAGE_ID)), DB(e->account_id), or_null(e->job_id),
                                     DB(e->sequence), DB((int)e->type), DB(cx->now_us),
                                     DB(notify_payload(cx, e, cx->now_us))));
    if (rc == FG_OK)
        *id = db->insert_id;
    return rc;
}

enum fg_code delivery_put(struct fg_ctx *cx, struct db *db, int64_t message_id, const struct notify_event *e,
                          int64_t endpoint_id, struct fg_str url, enum delivery_state state, struct fg_str *id)
{
    int64_t lane = endpoint_id ? notify_lane_of_endpoint(endpoint_id) : notify_lane_of_url(e->account_id, url);
    struct fg_str mine = id_new(cx, NOTIFY_DELIVERY_ID);
    if (id)
        *id = mine;
    return db_run(cx, db, SQL_WEBHOOK_DELIVERY_PUT,
                  DB_ARGS(DB(mine), DB(message_id), DB(e->account_id), or_null(endpoint_id), or_null(e->job_id), DB(url),
                          DB(lane), DB((int)state), DB(cx->now_us), DB(cx->now_us)));
}

/* ---- the log ---- */

/* In the order of DELIVERY_COLUMNS (sql/statements.def). */
static const struct db_col delivery_cols[] = {
    COL(struct delivery, id),         COL(struct delivery, public_id),      COL(struct delivery, message_id),
    COL(struct delivery, type),       COL(struct delivery, job),            COL(struct delivery, endpoint),
    COL(struct delivery, url),        COL(struct delivery, sequence),       COL(struct delivery, state),
    COL(struct delivery, tries),      COL(struct delivery, attempt_n),      COL(struct delivery, due_us),
    COL(struct delivery, created_us), COL(struct delivery, redelivered_us), COL(struct delivery, last_at_us),
    COL(struct delivery, last_status), COL(struct delivery, last_excerpt),
};

/* The row's id of a public one that a filter names; 0 when the filter is not given. */
static enum fg_code place(struct fg_ctx *cx, struct db *db, enum db_sql sql, int64_t account_id, struct fg_str public_id,
                          struct fg_str prefix, const char *what, int64_t *id)
{
    static const struct db_col cols[] = { { DB_TAG_I64, 0 } };
    bool found = false;
    *id = 0;
    if (!public_id.p)
        return FG_OK;
    enum fg_code rc = FG_OK;
    if (id_valid(public_id, prefix))
        rc = db_one(cx, db, sql, DB_ARGS(DB(public_id), DB(account_id)), DB_COLS(cols), id, &found);
    if (rc != FG_OK || found)
        return rc;
    fg_fields_clear(cx);
    fg_field(cx, what, "value", "It names nothing here.");
    return fg_fields_check(cx);
}

enum fg_code delivery_list(struct fg_ctx *cx, struct db *db, int64_t account_id, const struct delivery_query *q,
                           struct delivery_list *out)
{
    int limit = q->limit ? q->limit : LIST_DEFAULT;
    int64_t before, endpoint, job;
    enum fg_code rc = place(cx, db, SQL_WEBHOOK_DELIVERY_PLACE, account_id, q->cursor, NOTIFY_DELIVERY_ID, "cursor",
                            &before);
    if (rc == FG_OK)
        rc = place(cx, db, SQL_WEBHOOK_ENDPOINT_PLACE, account_id, q->endpoint, NOTIFY_ENDPOINT_ID, "endpoint",
                   &endpoint);
    if (rc == FG_OK)
        rc = place(cx, db, SQL_JOB_ID_OF, account_id, q->job, FG_LIT("job_"), "job", &job);
    if (rc != FG_OK)
        return rc;
    struct db_bind e = or_null(endpoint), j = or_null(job), s = or_null(q->state);
    *out = (struct delivery_list){ 0 };
    rc = DB_ALL(cx, db, SQL_WEBHOOK_DELIVERY_LIST,
                DB_ARGS(DB(account_id), DB(before ? before : INT64_MAX), e, e, j, j, s, s, DB(limit)),
                DB_COLS(delivery_cols), &out->row, &out->n);
    if (rc == FG_OK && out->n == (size_t)limit)
        out->next_cursor = out->row[out->n - 1].public_id;
    return rc;
}

static enum fg_code read_attempts(struct fg_ctx *cx, struct db *db, struct delivery_detail *out)
{
    static const struct db_col cols[] = {
        COL(struct delivery_attempt, n),      COL(struct delivery_attempt, at_us),
        COL(struct delivery_attempt, took_ms), COL(struct delivery_attempt, status),
        COL(struct delivery_attempt, excerpt),
    };
    struct { struct fg_str payload; } row = { FG_NONE };
    static const struct db_col payload_cols[] = { { DB_TAG_STR, 0 } };
    bool found;
    enum fg_code rc = db_one(cx, db, SQL_WEBHOOK_PAYLOAD, DB_ARGS(DB(out->d.message_id)), DB_COLS(payload_cols), &row,
                             &found);
    if (rc == FG_OK)
        rc = DB_ALL(cx, db, SQL_WEBHOOK_ATTEMPTS, DB_ARGS(DB(out->d.id)), DB_COLS(cols), &out->attempt,
                    &out->attempt_n);
    out->payload = row.payload;
    return rc;
}

enum fg_code delivery_read(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str id,
                           struct delivery_detail *out)
{
    bool found = false;
    enum fg_code rc = FG_OK;
    *out = (struct delivery_detail){ .attempt_n = 0 };
    if (id_valid(id, NOTIFY_DELIVERY_ID))
        rc = db_one(cx, db, SQL_WEBHOOK_DELIVERY, DB_ARGS(DB(id), DB(account_id)), DB_COLS(delivery_cols), &out->d,
                    &found);
    if (rc == FG_OK && !found)
        rc = fg_fail(cx, FG_NOT_FOUND, "No such delivery.");
    return rc == FG_OK ? read_attempts(cx, db, out) : rc;
}

enum fg_code delivery_again(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str id,
                            struct delivery_detail *out)
{
    struct { bool live; } row = { false };
    static const struct db_col cols[] = { { DB_TAG_BOOL, 0 } };
    bool found;
    enum fg_code rc = delivery_read(cx, db, account_id, id, out);
    if (rc == FG_OK)
        rc = db_one(cx, db, SQL_WEBHOOK_DELIVERY_LIVE, DB_ARGS(DB(out->d.id)), DB_COLS(cols), &row, &found);
    if (rc == FG_OK && !row.live)
        return fg_fail(cx, FG_ENDPOINT_DISABLED, "Its endpoint is disabled or has been deleted.");
    if (rc == FG_OK)
        rc = db_run(cx, db, SQL_WEBHOOK_AGAIN, DB_ARGS(DB(cx->now_us), DB(cx->now_us), DB(out->d.id)));
    return rc == FG_OK ? delivery_read(cx, db, account_id, id, out) : rc;
}
