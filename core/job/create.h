/* The one door through which jobs are made: a request of the API, or the wish of a job that was there before. */
#ifndef FG_JOB_CREATE_H
#define FG_JOB_CREATE_H

#include "job/job.h"

struct create_order {
    const struct identity *who;   /* whose it will be, and with whose rights it is checked */
    struct fg_str key;            /* Idempotency-Key; FG_NONE: none */
    struct fg_str intent;         /* what a key stands for; the body too, unless one is written */
    struct fg_str retry_of;       /* public id, for the timeline; FG_NONE: of none */
    bool hide_callback;           /* callbackUrl is not the asker's business */
    void *arg;                    /* of these two, which may be NULL */
    /* The body of the request, when the key has not been used before. */
    enum fg_code (*write)(struct fg_ctx *cx, struct job_env *env, void *arg, struct fg_str *body);
    /* First in the transaction, as a db_body is; id: the new job's. */
    enum fg_code (*first)(struct fg_ctx *cx, struct db *db, void *arg, struct fg_str id);
};
/* Codes as job_create's, and what write and first give. */
enum fg_code create_run(struct fg_ctx *cx, struct job_env *env, const struct create_order *o,
                        struct job_answer *out) FG_MUST_CHECK;

/* A finished job once more, in its account's and user's name: its wish is written as a request, and checked as one. key FG_NONE:
 * none; with one, the same key for another job is FG_IDEMPOTENCY_REUSED. once: refused when the same was asked for a moment
 * ago (FG_DUPLICATE_REQUEST). arg, first: as above. FG_JOB_NOT_FINISHED, FG_PROMPT_DELETED, and what job_create gives. */
struct retry_order {
    const struct job *job;
    const char *user;             /* whose key asks, of a user's; else "" */
    struct fg_str key;
    bool once;
    void *arg;
    enum fg_code (*first)(struct fg_ctx *cx, struct db *db, void *arg, struct fg_str id);
};
enum fg_code retry_run(struct fg_ctx *cx, struct job_env *env, const struct retry_order *o, struct job_answer *out) FG_MUST_CHECK;

#endif
