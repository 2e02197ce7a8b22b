/* The handlers of the two route tables: decode, one core call, encode. See route_handler in
 * routes.h. */
#ifndef FG_FCGI_HANDLERS_H
#define FG_FCGI_HANDLERS_H

#include "job/job.h"
#include "routes.h"

/* jobs.c */
route_handler jobs_create, jobs_list, jobs_get, jobs_events, jobs_cancel, jobs_erase;
/* media.c, hooks.c */
route_handler media_get, hooks_post;
/* sessions.c */
route_handler sessions_create, sessions_end, sessions_me;
/* meta.c */
route_handler meta_health, meta_ready, meta_metrics, meta_models;

static inline struct job_env web_job_env(const struct web_app *app)
{
    return (struct job_env){ app->db, app->conf, app->catalogue, app->pepper, app->wake_fd };
}

/* True when one of the tags of an If-None-Match names etag (W/"…"), compared weakly: nginx turns a
 * strong tag weak when it compresses. */
bool jobs_etag_matches(struct fg_str if_none_match, struct fg_str etag);

#endif
