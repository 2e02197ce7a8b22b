/* Where an account wants to be told, and the secrets that it is signed with. Endpoints of another account, and
 * deleted ones, are FG_NOT_FOUND. */
#ifndef FG_NOTIFY_ENDPOINT_H
#define FG_NOTIFY_ENDPOINT_H

#include "notify/delivery.h"

#define ENDPOINTS_MAX 20               /* of one account */
#define ENDPOINT_DESCRIPTION_MAX 200   /* code points */
#define ENDPOINT_SECRETS_MAX 5         /* that sign: the newest of those that are not over */
#define ENDPOINT_GRACE_S 86400         /* how long the old secret goes on signing, when nothing else is said */
#define ENDPOINT_GRACE_MAX_S (7 * 86400)
#define ENDPOINT_AGAIN_MAX 50000       /* deliveries that one request makes due again */

/* In place of an endpoint's id: the account's own secret, for what jobs' callback URLs are told. */
#define ENDPOINT_CALLBACKS FG_LIT("callbacks")

/* Why an endpoint is not told; stored, never renumber. */
enum endpoint_end {
    ENDPOINT_LIVE = 0,
    ENDPOINT_BY_OWNER = 1,
    ENDPOINT_GONE = 2,     /* it answered 410 */
    ENDPOINT_FAILING = 3,  /* every try has failed for webhook.failing_days */
};
/* NULL for a live one. */
const char *endpoint_end_name(enum endpoint_end e);

struct endpoint {
    int64_t id, account_id;
    struct fg_str public_id, url;
    int events;                   /* bits of enum notify_type; 0: all */
    struct fg_str description;
    int64_t created_us, failing_since_us, disabled_us;
    int disabled_reason;          /* enum endpoint_end */
};

/* What its owner wants of it; checked before (URL by notify_url_wrong, lengths). */
struct endpoint_wish {
    bool has_url, has_events, has_description, has_disabled;
    struct fg_str url, description;
    int events;
    bool disabled;
};

struct endpoint_secret {
    struct fg_str secret;         /* whsec_ and base64 of 32 bytes */
    int64_t created_us, expires_us; /* expires_us 0: none */
};

/* wish->has_url is a must. FG_ENDPOINT_LIMIT. */
enum fg_code endpoint_create(struct fg_ctx *cx, struct db *db, int64_t account_id, const struct endpoint_wish *wish,
                             struct endpoint *out, struct endpoint_secret *secret) FG_MUST_CHECK;
enum fg_code endpoint_read(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str id,
                           struct endpoint *out) FG_MUST_CHECK;
/* Whoever's it is: for the operator. */
enum fg_code endpoint_any(struct fg_ctx *cx, struct db *db, struct fg_str id, struct endpoint *out) FG_MUST_CHECK;
/* All of them, oldest first. */
enum fg_code endpoint_list(struct fg_ctx *cx, struct db *db, int64_t account_id, struct endpoint **row,
                           size_t *n) FG_MUST_CHECK;
/* Disabling cancels what was waiting to go there; enabling starts with a clean slate. */
enum fg_code endpoint_update(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str id,
                             const struct endpoint_wish *wish, struct endpoint *out) FG_MUST_CHECK;
enum fg_code endpoint_delete(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str id) FG_MUST_CHECK;

/* Those that sign now, newest first. id: an endpoint's, or ENDPOINT_CALLBACKS (made at first use). */
enum fg_code endpoint_secrets(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str id,
                              struct endpoint_secret **row, size_t *n) FG_MUST_CHECK;
/* A new secret; the others go on signing beside it for grace_s more. */
enum fg_code endpoint_rotate(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str id, int64_t grace_s,
                             struct endpoint_secret *out) FG_MUST_CHECK;
/* Makes sure that the account has the secret of ENDPOINT_CALLBACKS. In a transaction or outside. Two at once may each
 * make one: then both sign. */
enum fg_code endpoint_callbacks_ready(struct fg_ctx *cx, struct db *db, int64_t account_id) FG_MUST_CHECK;

/* Puts a webhook.test into its queue. FG_ENDPOINT_DISABLED. */
enum fg_code endpoint_test(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str id,
                           struct delivery_detail *out) FG_MUST_CHECK;
/* Everything since then that did not get there (all: what did, too) is due again, under its old webhook-id. *more:
 * ENDPOINT_AGAIN_MAX of them were, and there are others. FG_ENDPOINT_DISABLED. */
enum fg_code endpoint_again(struct fg_ctx *cx, struct db *db, const struct endpoint *e, int64_t since_us, bool all,
                            int64_t *n, bool *more) FG_MUST_CHECK;

/* Inside a transaction, for the sweeper: disables it unless it is, and cancels what waits. since_us: only if it has
 * failed since then or longer; INT64_MAX: whatever it did. *did: it was disabled by this. */
enum fg_code endpoint_end(struct fg_ctx *cx, struct db *db, int64_t endpoint_id, enum endpoint_end why,
                          int64_t since_us, bool *did) FG_MUST_CHECK;

#endif
