/* FastCGI in and out: a record stream to web_req, web_resp to a record stream. Nobody else includes
 * fcgiapp.h. The parameters read are those of nginx/fastcgi.inc. */
#ifndef FG_FCGI_FCGX_H
#define FG_FCGI_FCGX_H

#include "web.h"

struct fcgx; /* the one request slot of a process */

/* NULL when descriptor 0 is no listening socket. Makes it non-blocking. Free with fcgx_close. */
struct fcgx *fcgx_open(void);
void fcgx_close(struct fcgx *f);

enum fcgx_turn {
    FCGX_REQUEST, /* one is in hand: fcgx_read, fcgx_answer, fcgx_end */
    FCGX_NOTHING, /* a sibling took it */
    FCGX_BROKEN,  /* errno says why */
};
enum fcgx_turn fcgx_accept(struct fcgx *f);

/* Everything but the body, which req->read_body fetches. Strings live until fcgx_end. Also sets
 * cx->request_id. */
void fcgx_read(struct fg_ctx *cx, struct fcgx *f, struct web_req *req);
void fcgx_answer(struct fg_ctx *cx, struct fcgx *f, const struct web_resp *resp);

/* The one place where a request ends: reads what is left of the body and closes the connection, so
 * that no byte of this request can be taken for the next one. */
void fcgx_end(struct fcgx *f);

#endif
