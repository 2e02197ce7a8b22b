/* Outgoing webhooks (Standard Webhooks 1.0.0): the words, and the outbox that a job's transaction writes to.
 *
 *   job_move ── notify_add ──► message + deliveries ── sweeper ──► POST, signed with all live secrets ──► log
 *
 * At least once: what is committed with the job's move is told until it is taken, or until the tries are used up.
 * Order: a delivery does not go out before every earlier one of its job to the same place has been tried once; after
 * that each retries on its own, and data.sequence (it only grows within a job) says which is newer. */
#ifndef FG_NOTIFY_NOTIFY_H
#define FG_NOTIFY_NOTIFY_H

#include "io/db.h"

#define NOTIFY_URL_MAX 2048
#define NOTIFY_PAYLOAD_MAX 20000 /* bytes; the specification's advice */
#define NOTIFY_EXCERPT_MAX 500   /* bytes of an answer that the log keeps */
#define NOTIFY_MISSED_US (30 * 86400 * FG_US_PER_S)

#define NOTIFY_ENDPOINT_ID FG_LIT("we_")
#define NOTIFY_MESSAGE_ID FG_LIT("msg_") /* the webhook-id: no full stop in it, or the signed text is ambiguous */
#define NOTIFY_DELIVERY_ID FG_LIT("dlv_")

/* A number is a bit of webhook_endpoint.events: never renumber. A test goes out to whoever asked for it. */
#define NOTIFY_TYPES(X)                                                                        \
    X(QUEUED, 0, "job.queued") X(PROCESSING, 1, "job.processing") X(SUCCEEDED, 2, "job.succeeded") \
    X(FAILED, 3, "job.failed") X(EXPIRED, 4, "job.expired") X(DELETED, 5, "job.deleted")          \
    X(TEST, 6, "webhook.test")
enum notify_type {
#define X(sym, n, text) NOTIFY_##sym = n,
    NOTIFY_TYPES(X)
#undef X
};
#define NOTIFY_TYPE_N 7

const char *notify_type_name(enum notify_type t);
/* Of those that can be subscribed to. */
bool notify_type_by_name(struct fg_str name, enum notify_type *out);

/* A job as its followers are told of it. FG_NONE and 0 are null. Links to its file are not in it: they expire. */
struct notify_event {
    enum notify_type type;
    int64_t account_id, job_id;
    struct fg_str callback_url;   /* the job's own; FG_NONE: none */
    int sequence;                 /* the job's version */
    struct fg_str id, user_id, status, stage, provider, model, route, error_code, error_message, metadata;
    int64_t price_micro;
    struct fg_str currency;
    bool charged;
    int64_t created_us, started_us, finished_us, deleted_us;
};

/* {"type","timestamp","data":{…}}, at most NOTIFY_PAYLOAD_MAX bytes: metadata that would not fit is left out. at_us:
 * when it happened. Pure. */
struct fg_str notify_payload(struct fg_ctx *cx, const struct notify_event *e, int64_t at_us);

/* Inside the transaction of the event: one message and a delivery for each endpoint that wants it and for the job's
 * own URL. Of an endpoint that is disabled, NOTIFY_MISSED_US at most, it is canceled already: not told, but there to be
 * asked for once the endpoint is back. Costs one short read when nobody wants it. FG_DB_*. */
enum fg_code notify_add(struct fg_ctx *cx, struct db *db, const struct notify_event *e) FG_MUST_CHECK;

/* Inside a transaction: takes the metadata out of what the log has of an erased job, told or not. */
enum fg_code notify_redact(struct fg_ctx *cx, struct db *db, int64_t job_id) FG_MUST_CHECK;

/* The same of its user, who gets another name. */
enum fg_code notify_rename_user(struct fg_ctx *cx, struct db *db, int64_t job_id, struct fg_str user) FG_MUST_CHECK;

/* The queue of a place: nobody in another one waits for it. An endpoint has its own; jobs' own URLs share one per
 * account and origin. Two that meet by chance only share a queue. */
int64_t notify_lane_of_endpoint(int64_t endpoint_id);
int64_t notify_lane_of_url(int64_t account_id, struct fg_str url);

/* NULL, or what is wrong with a URL to be told at, in words for its owner: https and public (by what can be seen of
 * it; the address is looked at again whenever a connection is made), ASCII, not too long. Leaves cx->err alone. */
const char *notify_url_wrong(struct fg_ctx *cx, const struct conf *conf, struct fg_str url);

#endif
