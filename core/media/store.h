/* Where files are kept for good: the folder of this machine (disk.h) or a bucket (s3.h). A row says which has its file, so
 * that files can move from one to the other while all runs; new ones go where media.store says. Nothing in the first half
 * blocks: done is called once, perhaps before the call returns, with a code whose words are in cx->err; the call must be
 * the last thing that its caller does. cx, the conf and the fetcher must live until then. */
#ifndef FG_MEDIA_STORE_H
#define FG_MEDIA_STORE_H

#include "io/fetch.h"
#include "media/disk.h"

/* Stored in rows: never renumber. */
enum store_kind { STORE_DISK = 0, STORE_S3 = 1 };

struct store {
    const struct conf *conf;
    struct fetcher *fetcher;      /* of the caller's loop */
};

struct stored {
    int kind;                     /* enum store_kind */
    struct fg_str name;           /* "ab/job_…-….mp4"; in the bucket the object's key */
};

/* Where new files go. */
enum store_kind store_kind(const struct conf *conf);

typedef void store_done(void *arg, enum fg_code rc);

/* Puts a spooled file in its place for good; owner is a job's or an upload's id. *out is set before done, in cx's memory.
 * FG_IO: it is not there, and the spooled file still is. */
void store_put(struct fg_ctx *cx, const struct store *st, struct spool *t, struct fg_str owner, const char *suffix,
               struct stored *out, store_done *done, void *arg);
/* The same, into that store. */
void store_put_into(struct fg_ctx *cx, const struct store *st, enum store_kind kind, struct spool *t, struct fg_str owner,
                    const char *suffix, struct stored *out, store_done *done, void *arg);
/* Absent is fine. FG_IO. */
void store_remove(struct fg_ctx *cx, const struct store *st, const struct stored *what, store_done *done, void *arg);
/* Removes every file of the owner but these (at most STORE_KEEP_MAX), in each store that is set up: what a crash between
 * put and commit left. FG_IO. */
#define STORE_KEEP_MAX 2
void store_keep_only(struct fg_ctx *cx, const struct store *st, struct fg_str owner, const struct stored *keep,
                     size_t keep_n, store_done *done, void *arg);
/* For audits, which may wait: the files that a store has whose owners' ids begin with these two characters, by name.
 * FG_IO; FG_INVALID_REQUEST: this kind of store cannot be listed. */
enum fg_code store_list(struct fg_ctx *cx, const struct store *st, enum store_kind kind, struct fg_str shard,
                        struct disk_file **out, size_t *n) FG_MUST_CHECK;
/* A spooled copy of a stored file, for programs that want one. FG_NOT_FOUND, FG_IO. */
void store_get(struct fg_ctx *cx, const struct store *st, const struct stored *what, const char *suffix,
               struct spool *out, store_done *done, void *arg);

/* The same for callers without a loop (handlers, the operator's command): waited for, at most limit_ms; over that FG_IO.
 * What touches the disk alone opens no connection. */
enum fg_code store_put_now(struct fg_ctx *cx, const struct conf *conf, int64_t limit_ms, struct spool *t,
                           struct fg_str owner, const char *suffix, struct stored *out) FG_MUST_CHECK;
enum fg_code store_put_into_now(struct fg_ctx *cx, const struct conf *conf, int64_t limit_ms, enum store_kind kind,
                                struct spool *t, struct fg_str owner, const char *suffix,
                                struct stored *out) FG_MUST_CHECK;
/* Removes what that store has of the owner. */
enum fg_code store_clear_now(struct fg_ctx *cx, const struct conf *conf, int64_t limit_ms, enum store_kind kind,
                             struct fg_str owner) FG_MUST_CHECK;
enum fg_code store_remove_now(struct fg_ctx *cx, const struct conf *conf, int64_t limit_ms,
                              const struct stored *what) FG_MUST_CHECK;
enum fg_code store_get_now(struct fg_ctx *cx, const struct conf *conf, int64_t limit_ms, const struct stored *what,
                           const char *suffix, struct spool *out) FG_MUST_CHECK;

/* How whoever may have a file gets it. */
struct serve_how {
    struct fg_str content_type, disposition; /* as the headers of the answer */
    int64_t ttl_s;                           /* life of a link into the bucket, at most seven days */
    bool head;                               /* the request is HEAD: such a link fits one method only */
};
struct serve_to {
    struct fg_str accel;    /* X-Accel-Redirect, or… */
    struct fg_str location; /* …a redirect (302) to this; the other one is FG_NONE */
};
/* Makes no call. FG_IO when a row names a store that is not set up, or what is no name. */
enum fg_code store_serve(struct fg_ctx *cx, const struct conf *conf, const struct stored *what,
                         const struct serve_how *how, struct serve_to *out) FG_MUST_CHECK;

#endif
