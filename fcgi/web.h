/* A request and its answer as plain values: handlers see these, never FastCGI, so tests need no
 * socket. */
#ifndef FG_FCGI_WEB_H
#define FG_FCGI_WEB_H

#include "account/account.h"
#include "base/conf.h"
#include "base/sb.h"
#include "io/db.h"
#include "provider/catalogue.h"

#define WEB_ARGS_MAX 4
#define WEB_HEADERS_MAX 16
#define WEB_ANSWER_MAX (4 * FG_MIB)

/* Request headers that are read; every other one is ignored. */
#define WEB_HEADER_LIST(X)                         \
    X(AUTHORIZATION, "HTTP_AUTHORIZATION")         \
    X(COOKIE, "HTTP_COOKIE")                       \
    X(IDEMPOTENCY_KEY, "HTTP_IDEMPOTENCY_KEY")     \
    X(IF_NONE_MATCH, "HTTP_IF_NONE_MATCH")         \
    X(ORIGIN, "HTTP_ORIGIN")                       \
    X(SEC_FETCH_SITE, "HTTP_SEC_FETCH_SITE")       \
    X(RANGE, "HTTP_RANGE")                         \
    X(WEBHOOK_ID, "HTTP_WEBHOOK_ID")               \
    X(WEBHOOK_TIMESTAMP, "HTTP_WEBHOOK_TIMESTAMP") \
    X(WEBHOOK_SIGNATURE, "HTTP_WEBHOOK_SIGNATURE") \
    X(FAL_REQUEST_ID, "HTTP_X_FAL_WEBHOOK_REQUEST_ID") \
    X(FAL_USER_ID, "HTTP_X_FAL_WEBHOOK_USER_ID") \
    X(FAL_TIMESTAMP, "HTTP_X_FAL_WEBHOOK_TIMESTAMP") \
    X(FAL_SIGNATURE, "HTTP_X_FAL_WEBHOOK_SIGNATURE")

enum web_header_name {
#define X(sym, param) WEB_##sym,
    WEB_HEADER_LIST(X)
#undef X
};
#define WEB_HEADER_N (WEB_FAL_SIGNATURE + 1)

struct web_req {
    struct fg_str method, path, query; /* path: decoded by nginx's $document_uri; query raw */
    struct fg_str content_type, remote_addr;
    struct fg_str header[WEB_HEADER_N]; /* FG_NONE when absent */
    bool header_twice[WEB_HEADER_N];    /* it came more than once */
    struct fg_str arg[WEB_ARGS_MAX];    /* what the route's {…} matched */
    struct identity who;                /* set when the route needs a key */

    /* The body: whole when the handler runs. It is read only after route, auth and size were
     * checked. */
    struct fg_str body;
    int64_t body_bytes; /* as announced; -1: the announcement was no number */
    /* Reads body_bytes into body; false: the client went away. NULL: body was set by the caller. */
    bool (*read_body)(struct fg_ctx *cx, struct web_req *req);
    void *source; /* of read_body */
    /* Where nginx has put the body instead, of locations that ask for it; else empty. From nginx alone: what a client
     * sends has names of its own. */
    struct fg_str body_file;
};

struct web_header {
    struct fg_str name, value;
};

struct web_resp {
    int status;                 /* 0: the client went away, nothing is to be answered */
    struct fg_str content_type; /* default application/json */
    struct web_header header[WEB_HEADERS_MAX];
    unsigned header_n;
    struct sb body; /* routes.c empties it for HEAD, 204 and 304 */
};

struct route_table;
struct weather;
struct brakes;
struct clock;
struct web_app;

/* Who asks: sets req->who, or refuses. kind is the route's auth column (the program's own enum). */
typedef enum fg_code web_auth(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                              int kind);
/* The only writer of error bodies: the error in cx->err as a whole answer. May overwrite what the
 * handler had put into *resp. */
typedef void web_error(struct fg_ctx *cx, const struct web_app *app, const struct web_req *req,
                       enum fg_code code, struct web_resp *resp);

/* What every handler of a process shares. */
struct web_app {
    const char *program;              /* "api", "hook", "studio" */
    const struct route_table *routes; /* see routes.h */
    web_auth *authorize;
    web_error *error;
    const struct conf *conf;
    struct db *db;
    struct clock *clock;               /* what its requests go by; NULL: the environment as it is */
    const struct catalogue *catalogue; /* NULL in the studio; another one after app_renew */
    int64_t catalogue_look_us;         /* monotonic: when its file is looked at again */
    const struct weather *weather;     /* how models have done lately; NULL: not known */
    struct arena *weather_mem;         /* where that stands */
    int64_t weather_look_us;           /* monotonic: when it is read again */
    const struct brakes *brakes;       /* who is at the operator's brake; NULL: not known */
    struct arena *brakes_mem;
    int64_t brakes_look_us;
    struct account_cache *keys;        /* NULL in the studio */
    int wake_fd;                       /* datagram socket to the sweeper, or -1 */
    uint8_t pepper[HASH_LEN];
    void *own; /* whatever else the program's handlers need */
};

/* Adds a header; the value is copied into the request's arena. Bad bytes (CR, LF) are our own
 * mistake. */
void web_header(struct fg_ctx *cx, struct web_resp *resp, const char *name, struct fg_str value);

/* Finds the route, checks its preconditions, runs the handler, turns an error into app->error's
 * body. Always leaves a whole answer in *resp (status 0: none is wanted). */
void web_answer(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp);

#endif
