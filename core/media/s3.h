/* A bucket of an S3-compatible service as a store: the object's key is the file's name. As media/store.h says, nothing
 * blocks and done is called once. A request that brings no answer, or one that promises better, is repeated after a
 * pause, S3_TRIES times and S3_SPARE in all of an operation, then it is FG_IO with what was heard in cx->err.cause.
 * Every body goes out with its SHA-256, signed: what arrives otherwise is refused by the service. */
#ifndef FG_MEDIA_S3_H
#define FG_MEDIA_S3_H

#include "media/store.h"

#define S3_TRIES 4
#define S3_SPARE 8
#define S3_PARTS_MAX 10000 /* S3's own limit */

/* [s3] names a bucket (base/conf.c has seen to the rest). */
bool s3_is_set_up(const struct conf *conf);
/* What requests go to: "https://bucket.host" or "https://host/bucket". */
struct fg_str s3_base(struct fg_ctx *cx, const struct conf *conf);

void s3_put(struct fg_ctx *cx, const struct store *st, struct spool *t, struct fg_str owner, const char *suffix,
            struct stored *out, store_done *done, void *arg);
void s3_get(struct fg_ctx *cx, const struct store *st, struct fg_str name, const char *suffix, struct spool *out,
            store_done *done, void *arg);
void s3_remove(struct fg_ctx *cx, const struct store *st, struct fg_str name, store_done *done, void *arg);
void s3_keep_only(struct fg_ctx *cx, const struct store *st, struct fg_str owner, const struct stored *keep, size_t keep_n,
                  store_done *done, void *arg);
/* Gives up uploads of ours in parts that were begun before that time, some S3_STALE_MAX at once: nobody can be at work on
 * them, and the service keeps (and bills) their parts until told. *n: how many. */
#define S3_STALE_MAX 100
void s3_tidy(struct fg_ctx *cx, const struct store *st, int64_t before_us, int64_t *n, store_done *done, void *arg);

/* A link to the file, the same for a quarter of its life (media/link.h). FG_IO: no name. */
enum fg_code s3_link(struct fg_ctx *cx, const struct conf *conf, struct fg_str name, const struct serve_how *how,
                     struct fg_str *out) FG_MUST_CHECK;

#endif
