/* The body of POST /v1/jobs, decoded and checked against limits and catalogue. */
#ifndef FG_JOB_REQUEST_H
#define FG_JOB_REQUEST_H

#include "job/job.h"

struct job_request {
    const struct cat_model *model;
    const struct cat_size *size;
    struct fg_str prompt;         /* trimmed */
    struct fg_str aspect_ratio, resolution;
    int64_t duration_s;
    struct fg_str image_url, user_id, metadata; /* FG_NONE: none; metadata is JSON text */
    bool has_seed;
    int64_t seed;
    int64_t deadline_s;
};

/* All bad fields at once (FG_INVALID_REQUEST); FG_INVALID_JSON. */
enum fg_code job_request_read(struct fg_ctx *cx, const struct job_env *env, const struct identity *who,
                              struct fg_str body, struct job_request *out) FG_MUST_CHECK;

#endif
