/* The route table: one row per method and path. Preconditions are columns, checked before the
 * handler runs: route (404, 405 with Allow), auth, repeated headers (400), size (413), content type
 * (415).
 *
 *     static const struct route route[] = {
 *         { "POST", "/v1/jobs",      post_job, AUTH_KEY, 64 * FG_KIB, ROUTE_JSON },
 *         { "GET",  "/v1/jobs/{id}", get_job,  AUTH_KEY, 0, 0 },
 *     };
 *     static const struct route_table table = { route, FG_LEN(route) };
 */
#ifndef FG_FCGI_ROUTES_H
#define FG_FCGI_ROUTES_H

#include "web.h"

/* Decodes, makes one core call, encodes. It sets resp->status (200 when it does not) and appends to
 * resp->body; or returns core's code unchanged, with cx->err set. It never picks a status for an
 * error. */
typedef enum fg_code route_handler(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                                   struct web_resp *resp);

enum route_flag {
    ROUTE_JSON = 1, /* a body is required and must say application/json */
    ROUTE_SAME_ORIGIN =
        2, /* a browser on another site may not send this, whatever the auth column says */
    ROUTE_SECRET_PATH = 4, /* a segment is a secret: afterwards req->path is the pattern */
};

struct route {
    const char *method; /* "GET" answers HEAD too */
    const char
        *pattern; /* "{…}" matches one path segment of 1 byte or more, into req->arg in order */
    route_handler *handler;
    int auth;        /* AUTH_NONE (0), or what the program's app->authorize knows */
    size_t max_body; /* bytes; 0: a body is not looked at */
    unsigned flags;  /* enum route_flag */
};

struct route_table {
    const struct route *route;
    size_t n;
};

#define AUTH_NONE 0 /* app->authorize is not called */

/* The two tables of filmgate-api and filmgate-hook. */
extern const struct route_table routes_api, routes_hook;

/* The row for a method and path, or NULL: then cx->err says 404 or 405 and *allow, for a 405, which
 * methods there are. req->arg is set. */
const struct route *route_find(struct fg_ctx *cx, const struct route_table *table,
                               struct web_req *req, struct fg_str *allow);

#endif
