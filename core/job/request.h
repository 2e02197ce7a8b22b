/* The body of POST /v1/jobs, decoded and checked against limits and catalogue. */
#ifndef FG_JOB_REQUEST_H
#define FG_JOB_REQUEST_H

#include "io/hash.h"
#include "job/job.h"
#include "money/brake.h"
#include "money/plan.h"
#include "money/quote.h"

/* What a field may be: as it is checked, and as GET /v1/models tells it. */
enum job_field_kind { JOB_FIELD_TEXT, JOB_FIELD_NUMBER, JOB_FIELD_BOOLEAN, JOB_FIELD_OBJECT };
struct job_field {
    const char *name;
    enum job_field_kind kind;
    bool required;
    bool trimmed;                 /* its characters are counted without white space around them */
    int64_t min, max;             /* a number's; a text's in characters. max 0: it has none of its own */
};
/* All there are, in order; NULL: i is one too many. */
const struct job_field *job_field_at(size_t i);

struct job_request {
    struct fg_str route;          /* what the model was chosen from; FG_NONE: a model was named */
    const struct cat_model *model;
    struct fg_str replaces;       /* the retired model that it stands for; FG_NONE: none */
    const struct cat_size *size;  /* NULL: the picture decides the ratio */
    struct fg_str prompt;         /* trimmed */
    struct fg_str aspect_ratio, resolution;
    int64_t duration_s;
    struct fg_str image_url, user_id, metadata; /* FG_NONE: none; metadata is JSON text */
    struct fg_str upload;         /* public id of an upload that is the reference image; never beside image_url */
    int64_t keep_days;            /* 0: as the plan says */
    struct fg_str callback_url;   /* FG_NONE: none */
    bool has_seed;
    int64_t seed;
    enum audio audio;             /* as wished */
    struct fg_str negative;       /* trimmed; FG_NONE: none */
    struct fg_str ignored;        /* what the model leaves out: names of fields, by commas; FG_NONE: nothing */
    int64_t base_micro;           /* the catalogue's price */
    int64_t price_micro;          /* the account's: with its plan's margin */
    struct fg_str currency;
    int64_t deadline_s;
    bool allow_duplicate;
    bool ask_duplicate;           /* allowDuplicate: false was said: then a key does not stand for another intent */
    struct quote quote;           /* whose model and price it is to have; public_id FG_NONE: none */
    struct terms terms;           /* of the account, as they are now */
    struct brakes brakes;         /* likewise: who is at the operator's brake */
    uint8_t fingerprint[HASH_LEN]; /* of what is asked for, normalised, and by which user */
};

/* What the account's plan and the operator's budget leave to choose from, now. */
struct job_bounds {
    struct terms terms;
    struct brakes brakes;
};
enum fg_code job_bounds_read(struct fg_ctx *cx, const struct job_env *env, const struct identity *who,
                             struct job_bounds *out) FG_MUST_CHECK;

/* Pure, but that a quote which the body names is looked up. Decodes the body, then chooses within the bounds: the first
 * model of the route that is set up, alive and fits, and rather one that is not at the operator's brake; or the quote's.
 * All bad fields at once
 * (FG_INVALID_REQUEST); when only one model could serve, what it cannot do is told by field, else by model at "/model".
 * FG_INVALID_JSON. What the account's plan does not include is FG_PLAN_LIMIT, by field. With a quote: FG_QUOTE_EXPIRED,
 * FG_QUOTE_MISMATCH by field; whether it has been used shows when it is taken (quote_take). */
enum fg_code job_request_read(struct fg_ctx *cx, const struct job_env *env, const struct identity *who,
                              const struct job_bounds *bounds, struct fg_str body, struct job_request *out) FG_MUST_CHECK;

#endif
