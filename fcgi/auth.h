/* Who is asking: an API key in Authorization, or the page's session cookie. */
#ifndef FG_FCGI_AUTH_H
#define FG_FCGI_AUTH_H

#include "web.h"

#define AUTH_COOKIE "fg_session"

enum auth_kind { /* the auth column; 0 is AUTH_NONE of routes.h */
    AUTH_KEY = 1, /* a key or a session */
    AUTH_APP = 2, /* the same, but not of one user: the account's own affairs */
    AUTH_ADMIN = 3, /* an operator's: every account's affairs */
};

/* A web_auth. Authorization wins over the cookie. With the cookie, a method that changes something
 * must come from our own page (FG_FORBIDDEN): the browser adds the cookie whoever asks.
 * FG_UNAUTHORIZED, FG_FORBIDDEN, FG_DB_*. */
enum fg_code auth_identify(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                           int kind) FG_MUST_CHECK;

/* The session token of the cookie, or FG_NONE. */
struct fg_str auth_cookie(const struct web_req *req);

/* FG_FORBIDDEN when a browser says, by Sec-Fetch-Site or Origin, that another site asks; with a
 * session cookie also when it says nothing. */
enum fg_code auth_same_origin(struct fg_ctx *cx, const struct web_app *app,
                              const struct web_req *req) FG_MUST_CHECK;

#endif
