/* Parameters of a query string by a table: one row per name. */
#ifndef FG_FCGI_QUERY_H
#define FG_FCGI_QUERY_H

#include "web.h"

/* Reads text into the handler's own struct and says in words what is wrong with it, or NULL. */
struct query_param {
    const char *name;
    const char *(*read)(struct fg_str text, void *into);
};

/* All that is wrong at once, a misspelt name too: a filter that is ignored would answer with
 * everything. FG_INVALID_REQUEST. */
enum fg_code query_read(struct fg_ctx *cx, const struct web_req *req,
                        const struct query_param *param, size_t n, void *into) FG_MUST_CHECK;

#endif
