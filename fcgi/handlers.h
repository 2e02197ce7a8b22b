/* The handlers of the two route tables: decode, one core call, encode. See route_handler in
 * routes.h. */
#ifndef FG_FCGI_HANDLERS_H
#define FG_FCGI_HANDLERS_H

#include "job/job.h"
#include "routes.h"

/* jobs.c */
route_handler jobs_create, jobs_list, jobs_get, jobs_events, jobs_cancel, jobs_retry, jobs_erase;
/* uploads.c */
route_handler uploads_create, uploads_get, uploads_delete;
/* Of /media/{id}/{part}, where the id is an upload's. */
enum fg_code uploads_media(struct fg_ctx *cx, const struct web_app *app, const struct web_req *req,
                           struct web_resp *resp) FG_MUST_CHECK;
/* media.c, hooks.c */
route_handler media_get, media_shared, hooks_post;
/* shares.c */
route_handler shares_create, shares_list, shares_revoke, shares_see;
/* sessions.c */
route_handler sessions_create, sessions_end, sessions_me;
/* webhooks.c, deliveries.c */
route_handler webhooks_list, webhooks_create, webhooks_get, webhooks_change, webhooks_delete;
route_handler webhooks_secret, webhooks_rotate, webhooks_test, webhooks_redeliver;
route_handler deliveries_list, deliveries_get, deliveries_redeliver;
/* models.c, status.c, quotes.c, usage.c */
route_handler models_list, status_get, quotes_create, usage_get;
/* admin_jobs.c */
route_handler admin_jobs, admin_job;
/* admin_act.c */
route_handler admin_job_act, admin_provider_act, admin_actions;
/* admin_overview.c */
route_handler admin_overview;
/* reviews.c */
route_handler reviews_list_get, reviews_get, reviews_decide;
/* users.c */
route_handler users_erase;
/* meta.c */
route_handler meta_health, meta_ready, meta_metrics;

/* Of /metrics: what /v1/status says of providers and models. */
enum fg_code status_metrics(struct fg_ctx *cx, struct web_app *app, struct sb *b) FG_MUST_CHECK;

/* The same: what is kept, and for how long there is room. */
enum fg_code storage_metrics(struct fg_ctx *cx, struct web_app *app, struct sb *b) FG_MUST_CHECK;

static inline struct job_env web_job_env(const struct web_app *app)
{
    return (struct job_env){ app->db, app->conf, app->catalogue, app->pepper, app->wake_fd,
                             app->weather, app->clock, app->brakes };
}

/* "webhooks" of GET /v1/me: which endpoints are disabled, and which are about to be. */
struct jw;
enum fg_code webhooks_add_me(struct fg_ctx *cx, const struct web_app *app, const struct web_req *req,
                             struct jw *w) FG_MUST_CHECK;
/* A delivery with its payload and every try. */
struct delivery_detail;
void deliveries_detail_json(struct sb *b, const struct delivery_detail *d);

/* True when one of the tags of an If-None-Match names etag (W/"…"), compared weakly: nginx turns a
 * strong tag weak when it compresses. */
bool jobs_etag_matches(struct fg_str if_none_match, struct fg_str etag);

#endif
