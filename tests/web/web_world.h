/* A handler process without a socket: requests go through routes and handlers to a private MariaDB.
 */
#ifndef FG_TESTS_WEB_WORLD_H
#define FG_TESTS_WEB_WORLD_H

#include "io/json.h"
#include "store/db_server.h"
#include "web.h"

struct web_world {
    struct t_world t;
    struct fg_ctx *cx; /* of t */
    struct conf conf;
    struct db *cli, *script; /* the operator's statements; one that prepares none */
    struct web_app *app;     /* the API's routes; set app->routes for the hooks' */
    struct fg_str account, key;
    struct web_resp resp; /* the last answer */
};

/* A migrated schema with one account and an app key. */
void web_begin(struct web_world *w);
void web_end(struct web_world *w, unsigned expected_error_lines);

/* A request as a program would send it: with the key (FG_NONE: without one), and as
 * application/json when there is a body. target: path, then perhaps "?" and a query. */
struct web_req web_request(const char *method, struct fg_str target, struct fg_str key,
                           struct fg_str body);
/* Sends it, keeps the answer in w->resp, returns the status. */
int web_send(struct web_world *w, struct web_req *req);
/* Both, with the world's key. body NULL: none. */
int web_call(struct web_world *w, const char *method, struct fg_str target, const char *body);

/* Of the last answer; FG_NONE when there is no such header. */
struct fg_str web_got(const struct web_world *w, const char *header);
const struct js *web_json(struct web_world *w);
/* A text member of the last answer's object; FG_NONE when it is null or absent. */
struct fg_str web_text(struct web_world *w, const char *member);
int64_t web_number(struct web_world *w, const char *member);
size_t web_data_n(struct web_world *w);
/* A text member of data[i]. */
struct fg_str web_data_text(struct web_world *w, size_t i, const char *member);

void web_script(struct web_world *w, const char *sql);
/* An SQL condition over the rows: "(SELECT COUNT(*) FROM job) = 1". */
void web_holds(struct web_world *w, const char *condition, const char *why);
struct fg_str web_new_key(struct web_world *w, struct fg_str account, enum role role,
                          const char *user);
/* Creates a job with a good body; its id. */
struct fg_str web_new_job(struct web_world *w);
/* As the sweeper leaves a job that went well, with files. */
void web_finish_job(struct web_world *w, struct fg_str id);

#endif
