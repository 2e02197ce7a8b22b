/* RFC 9457 bodies. The only writer of error answers of the API and the hooks; a web_error of web.h.
 */
#ifndef FG_FCGI_PROBLEM_H
#define FG_FCGI_PROBLEM_H

#include "money/use.h"
#include "web.h"

/* Status, title and type ("/problems/#slug", a page of www/problems) come from base/errors.def,
 * detail and errors[] from cx->err; Retry-After where repeating may help. Drops what the handler
 * had put into *resp. */
void problem_write(struct fg_ctx *cx, const struct web_app *app, const struct web_req *req,
                   enum fg_code code, struct web_resp *resp);

/* RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10) of those limits that are
 * rates; none: no headers. */
void problem_rates(struct fg_ctx *cx, struct web_resp *resp, const struct use_left *limit, unsigned n);

#endif
