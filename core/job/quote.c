#include "job/quote.h"

#include "base/id.h"

static struct quote quote_of(struct fg_ctx *cx, const struct job_env *env, const struct identity *who,
                             const struct job_request *r)
{
    return (struct quote){
        .public_id = id_new(cx, QUOTE_ID),
        .account_id = who->account_id,
        .user_id = r->user_id,
        .route = r->route,
        .model = r->model->name,
        .resolution = r->resolution,
        .duration_s = (int)r->duration_s,
        .audio = (int)r->audio,
        .price_micro = r->price_micro,
        .currency = r->currency,
        .created_us = cx->now_us,
        .expires_us = cx->now_us + env->conf->limits_quote_s * FG_US_PER_S,
    };
}

enum fg_code job_quote(struct fg_ctx *cx, struct job_env *env, const struct identity *who, struct fg_str body,
                       struct job_quote *out)
{
    struct job_request *r = &out->req;
    struct job_bounds bounds;
    enum fg_code rc = job_bounds_read(cx, env, who, &bounds);
    if (rc == FG_OK)
        rc = job_request_read(cx, env, who, &bounds, body, r);
    if (rc == FG_OK && r->quote.public_id.p) {
        fg_fields_clear(cx);
        fg_field(cx, "/quoteId", "unsupported", "is for jobs: a quote is not made from another");
        rc = fg_fields_check(cx);
    }
    if (rc == FG_OK)
        rc = use_read(cx, env->db, who->account_id, &r->terms, r->user_id, &out->use);
    if (rc != FG_OK)
        return rc;
    out->refusal = use_check(cx, &r->terms, &out->use, r->price_micro);
    out->part_n = offer_parts(r, out->part);
    out->quote = quote_of(cx, env, who, r);
    return quote_create(cx, env->db, &out->quote);
}
