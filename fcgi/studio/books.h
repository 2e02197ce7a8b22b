/* The embedded provider's books: videos with their leases, callbacks to make. The only file that
 * runs the STUDIO_* statements. */
#ifndef FG_STUDIO_BOOKS_H
#define FG_STUDIO_BOOKS_H

#include "io/db.h"
#include "job/clock.h"

#define BOOKS_OWNER 16
#define BOOKS_LIST_MAX 100
#define BOOKS_CLAIM_MAX 16

/* The pool follows the worker when the clock jumps. */
extern const struct clock_books books_clock_pool, books_clock_worker;

/*  queued --claim--> in_progress --finish--> completed | failed --delete--> deleted
 *    ^------ lease over or released ---'
 * completed, failed and deleted rows are forgotten when expires_us has passed. */
enum video_state {
    VIDEO_QUEUED = 1,
    VIDEO_IN_PROGRESS = 2,
    VIDEO_COMPLETED = 3,
    VIDEO_FAILED = 4,
    VIDEO_DELETED = 5,
};

struct video {
    int64_t id;
    struct fg_str public_id; /* video_… */
    int state, progress;     /* enum video_state; 0..100 */
    struct fg_str model, prompt;
    int seconds, width, height;
    int64_t seed;
    struct fg_str image_file;  /* below <studio.dir>/images; NULL: none */
    struct fg_str image_url;   /* the worker has to fetch it; NULL: none */
    struct fg_str metadata;    /* JSON object; NULL: none */
    struct fg_str webhook_url; /* NULL: none */
    struct fg_str error_code, error_message;
    int tries; /* how often it was claimed */
    int64_t created_us, completed_us, expires_us;
};

/* Inserts one queued video (id, state and times are not read). When its idempotency key (may be
 * NULL) is in the books already, *v becomes the first video and *is_new false (FG_GONE when that
 * was deleted). */
enum fg_code books_create(struct fg_ctx *cx, struct db *db, struct fg_str idempotency,
                          struct video *v, bool *is_new) FG_MUST_CHECK;

/* Not deleted, not expired; else FG_NOT_FOUND. */
enum fg_code books_get(struct fg_ctx *cx, struct db *db, struct fg_str public_id,
                       struct video *v) FG_MUST_CHECK;

/* At most limit (<= BOOKS_LIST_MAX) videos, newest first or (ascending) oldest first, behind the
 * one named after (NULL: from the start; FG_INVALID_REQUEST on "after" when there is none such).
 * *more: there are others behind. */
enum fg_code books_list(struct fg_ctx *cx, struct db *db, struct fg_str after, bool ascending,
                        unsigned limit, struct video **v, size_t *n, bool *more) FG_MUST_CHECK;

/* A finished one only: FG_JOB_NOT_FINISHED otherwise. */
enum fg_code books_delete(struct fg_ctx *cx, struct db *db, struct fg_str public_id) FG_MUST_CHECK;

/* ---- the worker's side; owner: BOOKS_OWNER random bytes, new for each claim ---- */

/* Puts back what a dead worker left, then takes up to max queued videos, oldest first. */
enum fg_code books_claim(struct fg_ctx *cx, struct db *db, struct fg_str owner, unsigned max,
                         int64_t lease_until_us, struct video **v, size_t *n) FG_MUST_CHECK;
/* Progress and a longer lease. *ours false: somebody else has it by now. */
enum fg_code books_beat(struct fg_ctx *cx, struct db *db, int64_t id, struct fg_str owner,
                        int progress, int64_t lease_until_us, bool *ours) FG_MUST_CHECK;
/* Back into the queue at once; the try does not count. */
enum fg_code books_release(struct fg_ctx *cx, struct db *db, int64_t id,
                           struct fg_str owner) FG_MUST_CHECK;

/* How a render ended: error_code NULL is success. One transaction with the callback's row
 * (webhook_url NULL: none). Repeating it after FG_DB_UNSURE is harmless. */
struct video_end {
    struct fg_str owner, error_code, error_message, webhook_url;
    int64_t expires_us;
};
enum fg_code books_finish(struct fg_ctx *cx, struct db *db, const struct video *v,
                          const struct video_end *end) FG_MUST_CHECK;

/* Up to 50 whose time is over. Their files go first, then books_forget: a crash between repeats
 * harmlessly. */
enum fg_code books_expired(struct fg_ctx *cx, struct db *db, struct video **v,
                           size_t *n) FG_MUST_CHECK;
enum fg_code books_forget(struct fg_ctx *cx, struct db *db, int64_t id) FG_MUST_CHECK;

struct delivery {
    int64_t id;
    struct fg_str event_id, url, body;
    int64_t due_us; /* the end of the claim, which also proves that it is still ours */
    int tries;      /* this one included */
};
/* Takes up to max callbacks that are due, each until until_us. */
enum fg_code books_tell_claim(struct fg_ctx *cx, struct db *db, unsigned max, int64_t until_us,
                              struct delivery **d, size_t *n) FG_MUST_CHECK;
enum fg_code books_tell_later(struct fg_ctx *cx, struct db *db, const struct delivery *d,
                              int64_t due_us) FG_MUST_CHECK;
/* Told, or given up. */
enum fg_code books_tell_done(struct fg_ctx *cx, struct db *db, int64_t id) FG_MUST_CHECK;

#endif
