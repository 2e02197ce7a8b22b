/* The queue of deliveries and their log. Rows here belong to one account; another's is FG_NOT_FOUND. */
#ifndef FG_NOTIFY_DELIVERY_H
#define FG_NOTIFY_DELIVERY_H

#include "notify/notify.h"

#define DELIVERY_LIST_MAX 100
#define DELIVERY_ATTEMPTS_KEPT 20 /* of one delivery, the newest */

/* Stored, never renumber. */
enum delivery_state {
    DELIVERY_PENDING = 1,
    DELIVERY_DELIVERED = 2,
    DELIVERY_FAILED = 3,   /* the tries are used up */
    DELIVERY_CANCELED = 4, /* its endpoint was disabled or deleted before, or disabled when it happened */
};
const char *delivery_state_name(enum delivery_state s);
bool delivery_state_by_name(struct fg_str name, enum delivery_state *out);

/* ---- writing; inside a transaction ---- */

/* The message of an event; what it says is frozen here. */
enum fg_code message_put(struct fg_ctx *cx, struct db *db, const struct notify_event *e, int64_t *id) FG_MUST_CHECK;
/* One place that is to be told: an endpoint, or (endpoint_id 0) a URL. Pending: due at once; canceled: kept, to be asked
 * for. id: its public one; may be NULL. */
enum fg_code delivery_put(struct fg_ctx *cx, struct db *db, int64_t message_id, const struct notify_event *e,
                          int64_t endpoint_id, struct fg_str url, enum delivery_state state,
                          struct fg_str *id) FG_MUST_CHECK;

/* ---- the log ---- */

struct delivery {
    int64_t id;
    struct fg_str public_id, message_id; /* message_id: the webhook-id */
    int type;                     /* enum notify_type */
    struct fg_str job, endpoint;  /* public ids; FG_NONE: of no job; of a job's own URL */
    struct fg_str url;
    int sequence, state, tries, attempt_n;
    int64_t due_us, created_us, redelivered_us, last_at_us;
    int last_status;              /* 0: no answer, last_excerpt says why */
    struct fg_str last_excerpt;
};

struct delivery_query {
    int limit;                    /* 1..DELIVERY_LIST_MAX; 0: 20 */
    struct fg_str cursor, endpoint, job; /* public ids; FG_NONE: any */
    enum delivery_state state;    /* 0: any */
};
struct delivery_list {
    struct delivery *row;         /* newest first */
    size_t n;
    struct fg_str next_cursor;    /* FG_NONE: that was all */
};
/* A cursor, endpoint or job that there is not: FG_INVALID_REQUEST. */
enum fg_code delivery_list(struct fg_ctx *cx, struct db *db, int64_t account_id, const struct delivery_query *q,
                           struct delivery_list *out) FG_MUST_CHECK;

struct delivery_attempt {
    int n;
    int64_t at_us, took_ms;
    int status;
    struct fg_str excerpt;
};
/* payload: the body as it goes out. attempts: oldest first. */
struct delivery_detail {
    struct delivery d;
    struct fg_str payload;
    struct delivery_attempt *attempt;
    size_t attempt_n;
};
enum fg_code delivery_read(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str id,
                           struct delivery_detail *out) FG_MUST_CHECK;

/* Due now, with all its tries before it, under the same webhook-id; one that is on its way is left alone.
 * FG_ENDPOINT_DISABLED when its endpoint is disabled or deleted. */
enum fg_code delivery_again(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str id,
                            struct delivery_detail *out) FG_MUST_CHECK;

#endif
