/* Uploads: pictures that jobs may name as their reference image. Each is ours: made anew from what was sent or fetched, at
 * a size that is bounded, without what cameras write beside it. Kept once per account and user. */
#ifndef FG_JOB_UPLOAD_H
#define FG_JOB_UPLOAD_H

#include "base/time.h"
#include "job/job.h"
#include "media/image.h"
#include "media/link.h"
#include "media/store.h"

#define UPLOAD_ID FG_LIT("upl_") /* prefix of public ids */

/* A row. deleted_us 0: it may be used. */
struct upload {
    int64_t id;
    struct fg_str public_id;
    int64_t account_id;
    struct fg_str user_id;       /* FG_NONE: of the account itself */
    int type;                    /* enum image_type */
    int64_t width, height, bytes;
    struct fg_str etag;          /* HASH_LEN bytes: of our file */
    struct fg_str file, thumb_file;
    int store;                   /* enum store_kind */
    int64_t created_us, expires_us, deleted_us;
};

#define UPLOAD_KEPT_US TIME_MAX_US /* expires_us of one that is kept for good */

/* One that may be used, whoever it belongs to. FG_NOT_FOUND: there is none, or it has been deleted. */
enum fg_code upload_by_id(struct fg_ctx *cx, struct db *db, struct fg_str id, struct upload *out) FG_MUST_CHECK;

/* ---- use cases of the API ---- */

/* A picture as it was sent (of this user, where the key is the account's). The same one again is the same upload: *made is
 * false. Runs programs, and so takes a while. FG_TOO_LARGE, FG_PLAN_LIMIT, FG_STORAGE_LIMIT, FG_IMAGE_TYPE,
 * FG_IMAGE_INVALID, FG_IO, FG_DB_*: whatever it is, the same call may be repeated. */
enum fg_code upload_create(struct fg_ctx *cx, struct job_env *env, const struct identity *who,
                           struct fg_str user_id, struct fg_str bytes, struct upload *out, bool *made) FG_MUST_CHECK;
/* FG_NOT_FOUND also for another account's (and, for a user key, another user's); FG_GONE with the date. */
enum fg_code upload_read(struct fg_ctx *cx, const struct job_env *env, const struct identity *who, struct fg_str id,
                         struct upload *out) FG_MUST_CHECK;
/* From here on nobody gets it; its files go soon after. FG_UPLOAD_IN_USE while a job that has not ended names it. Twice is
 * fine. */
enum fg_code upload_delete(struct fg_ctx *cx, struct job_env *env, const struct identity *who, struct fg_str id)
    FG_MUST_CHECK;
/* Whoever follows a link to its files need not be signed in. FG_LINK_INVALID; FG_GONE with the date. */
struct upload_link {
    struct fg_str id;
    enum media_part part;
    struct fg_str exp, sig;
};
enum fg_code upload_follow(struct fg_ctx *cx, struct db *db, const uint8_t *pepper, const struct upload_link *link,
                           struct upload *out) FG_MUST_CHECK;
/* As the API shows it. */
void upload_json(struct fg_ctx *cx, const struct job_env *env, const struct upload *u, struct sb *b);

/* ---- what a job does with one ---- */

/* Whether it may be named in a job of this key. */
bool upload_is_of(const struct upload *u, const struct identity *who);
/* How long a job keeps its upload. */
int64_t upload_until_us(const struct plan *p, int64_t deadline_us);
/* Inside a transaction: it is there, and stays so long at least. Locks the account's row, as everything that changes an
 * upload does, so that none goes while a job begins to need it. FG_NOT_FOUND. */
enum fg_code upload_use(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str id, int64_t until_us)
    FG_MUST_CHECK;

/* ---- how one is made: first its row, which is taken for deleted until the files are in their place. So whoever dies in
 * between leaves nothing that is not tidied up ---- */

struct upload_new {
    struct upload row;
    uint8_t digest[HASH_LEN];    /* of what was sent, and who keeps it */
    uint8_t etag[HASH_LEN];
    struct stored image, thumb;
};
/* sent: plain hash of the bytes as they came. */
void upload_digest(const uint8_t pepper[HASH_LEN], int64_t account_id, struct fg_str user_id, const uint8_t sent[HASH_LEN],
                   uint8_t out[HASH_LEN]);
enum fg_code upload_by_digest(struct fg_ctx *cx, struct db *db, const uint8_t digest[HASH_LEN], struct upload *out,
                              bool *found) FG_MUST_CHECK;
/* Size and hash of the file as it was made anew. FG_IO. */
enum fg_code upload_measure(struct fg_ctx *cx, int fd, struct upload_new *n) FG_MUST_CHECK;
/* A row with the id that its files are put under. FG_DB_UNSURE: begin again, with another. */
enum fg_code upload_reserve(struct fg_ctx *cx, struct db *db, struct upload_new *n) FG_MUST_CHECK;
/* Inside a transaction: it is there. FG_DB_DUPLICATE: somebody else was faster with the same picture. */
enum fg_code upload_keep(struct fg_ctx *cx, struct db *db, struct upload_new *n, int64_t expires_us) FG_MUST_CHECK;
/* It came to nothing: its files may go now. */
enum fg_code upload_abandon(struct fg_ctx *cx, struct db *db, const struct upload_new *n) FG_MUST_CHECK;

/* ---- what the sweeper does ---- */

/* Marks some that nobody has used in time, or no longer, and no legal hold keeps; how many. floor_us: clock_floor_us. */
enum fg_code upload_expire(struct fg_ctx *cx, struct db *db, int64_t floor_us, size_t *n) FG_MUST_CHECK;
/* Some whose files may go; then, once they have. */
enum fg_code upload_deleted(struct fg_ctx *cx, struct db *db, struct upload **rows, size_t *n) FG_MUST_CHECK;
enum fg_code upload_removed(struct fg_ctx *cx, struct db *db, int64_t id) FG_MUST_CHECK;

/* The picture of an upload, from the store into cx's memory. done as the store's: the last thing that the caller does.
 * FG_NOT_FOUND: it has been deleted; FG_IO and FG_DB_*: perhaps another time. */
struct upload_image {
    struct fg_str bytes, type;   /* "image/png" */
    struct fg_str etag;          /* HASH_LEN bytes: the same for the same picture */
};
void upload_image_get(struct fg_ctx *cx, struct db *db, const struct store *st, struct fg_str id,
                      struct upload_image *out, store_done *done, void *arg);

#endif
