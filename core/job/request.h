/* The body of POST /v1/jobs, decoded and checked against limits and catalogue. */
#ifndef FG_JOB_REQUEST_H
#define FG_JOB_REQUEST_H

#include "job/job.h"

struct job_request {
    struct fg_str route;          /* what the model was chosen from; FG_NONE: a model was named */
    const struct cat_model *model;
    struct fg_str replaces;       /* the retired model that it stands for; FG_NONE: none */
    const struct cat_size *size;  /* NULL: the picture decides the ratio */
    struct fg_str prompt;         /* trimmed */
    struct fg_str aspect_ratio, resolution;
    int64_t duration_s;
    struct fg_str image_url, user_id, metadata; /* FG_NONE: none; metadata is JSON text */
    struct fg_str callback_url;   /* FG_NONE: none */
    bool has_seed;
    int64_t seed;
    enum audio audio;             /* as wished */
    struct fg_str negative;       /* trimmed; FG_NONE: none */
    struct fg_str ignored;        /* what the model leaves out: names of fields, by commas; FG_NONE: nothing */
    int64_t price_micro;
    struct fg_str currency;
    int64_t deadline_s;
};

/* Decodes the body, then chooses: the first model of the route that is set up, alive and fits. All bad fields at once
 * (FG_INVALID_REQUEST); when only one model could serve, what it cannot do is told by field, else by model at "/model".
 * FG_INVALID_JSON. */
enum fg_code job_request_read(struct fg_ctx *cx, const struct job_env *env, const struct identity *who,
                              struct fg_str body, struct job_request *out) FG_MUST_CHECK;

#endif
