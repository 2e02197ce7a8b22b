#include "auth.h"

#include "base/scan.h"

#define TOKEN_MAX 200

static struct fg_str without_spaces(struct fg_str s)
{
    while (s.n && *s.p == ' ')
        s = (struct fg_str){ s.p + 1, s.n - 1 };
    while (s.n && s.p[s.n - 1] == ' ')
        s.n--;
    return s;
}

struct fg_str auth_cookie(const struct web_req *req)
{
    struct fg_str rest = req->header[WEB_COOKIE], pair;
    while (rest.n && scan_until(&rest, ';', &pair)) {
        pair = without_spaces(pair);
        if (scan_lit(&pair, FG_LIT(AUTH_COOKIE "=")) && pair.n)
            return pair;
    }
    return FG_NONE;
}

/* FG_NONE: not of the form "Bearer key". */
static struct fg_str bearer_key(struct fg_str header)
{
    struct fg_str scheme;
    if (!scan_until(&header, ' ', &scheme) || !fg_eq_nocase(scheme, FG_LIT("bearer")))
        return FG_NONE;
    header = without_spaces(header);
    return header.n && header.n <= TOKEN_MAX ? header : FG_NONE;
}

static bool changes_nothing(struct fg_str method)
{
    return FG_IS(method, "GET") || FG_IS(method, "HEAD");
}

enum fg_code auth_same_origin(struct fg_ctx *cx, const struct web_app *app,
                              const struct web_req *req)
{
    struct fg_str site = req->header[WEB_SEC_FETCH_SITE], origin = req->header[WEB_ORIGIN];
    bool ours;
    if (site.p) /* "none": the person typed the address */
        ours = FG_IS(site, "same-origin") || FG_IS(site, "none");
    else if (origin.p)
        ours = fg_eq(origin, app->conf->server_public_url);
    else
        ours = !auth_cookie(req).p;
    if (ours)
        return FG_OK;
    return fg_fail(cx, FG_FORBIDDEN,
                   "A session may only be used by this server's own page; "
                   "programs send an API key.");
}

static enum fg_code who_asks(struct fg_ctx *cx, struct web_app *app, struct web_req *req)
{
    struct fg_str header = req->header[WEB_AUTHORIZATION];
    if (header.p) {
        struct fg_str key = bearer_key(header);
        if (!key.p)
            return fg_fail(cx, FG_UNAUTHORIZED, "Authorization must be: Bearer and an API key.");
        return account_by_key(cx, app->db, app->keys, app->pepper, key, &req->who);
    }
    struct fg_str token = auth_cookie(req);
    if (!token.p || token.n > TOKEN_MAX)
        return fg_fail(cx, FG_UNAUTHORIZED,
                       "Send an API key (Authorization: Bearer fgk_...) or sign in.");
    if (!changes_nothing(req->method)) {
        enum fg_code rc = auth_same_origin(cx, app, req);
        if (rc != FG_OK)
            return rc;
    }
    return account_by_session(cx, app->db, app->keys, app->pepper, token, &req->who);
}

enum fg_code auth_identify(struct fg_ctx *cx, struct web_app *app, struct web_req *req, int kind)
{
    FG_ASSERT(kind == AUTH_KEY || kind == AUTH_APP || kind == AUTH_ADMIN);
    enum fg_code rc = who_asks(cx, app, req);
    if (rc == FG_OK && kind == AUTH_APP && req->who.role == ROLE_USER)
        rc = fg_fail(cx, FG_FORBIDDEN, "A user's key may not do that; it takes the account's own.");
    if (rc == FG_OK && kind == AUTH_ADMIN && req->who.role != ROLE_ADMIN)
        rc = fg_fail(cx, FG_FORBIDDEN, "This takes a key with the role admin.");
    return rc;
}
