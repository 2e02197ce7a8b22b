#include "auth.h"
#include "base/arena.h"
#include "handlers.h"
#include "io/json.h"
#include "limits.h"

#define KEY_MAX 200

static bool cookie_is_secure(const struct conf *conf)
{
    if (FG_IS(conf->server_cookie_secure, "auto"))
        return fg_starts(conf->server_public_url, FG_LIT("https://"));
    return !FG_IS(conf->server_cookie_secure, "no");
}

static void set_cookie(struct fg_ctx *cx, const struct web_app *app, struct web_resp *resp,
                       struct fg_str token, int64_t life_s)
{
    web_header(
        cx, resp, "Set-Cookie",
        arena_fmt(cx->mem, AUTH_COOKIE "=%.*s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Strict%s",
                  FG_P(token), (long long)life_s, cookie_is_secure(app->conf) ? "; Secure" : ""));
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
}

static const char *role_name(enum role role)
{
    switch (role) {
    case ROLE_APP:
        return "app";
    case ROLE_USER:
        return "user";
    case ROLE_ADMIN:
        return "admin";
    case ROLE_NONE:
        break;
    }
    return "none";
}

static void add_identity(struct jw *w, const struct identity *who)
{
    jw_str(w, "account", fg_str_c(who->account));
    jw_str(w, "role", fg_str_c(role_name(who->role)));
    jw_str(w, "userId", who->user_id[0] ? fg_str_c(who->user_id) : FG_NONE);
}

static enum fg_code read_key(struct fg_ctx *cx, struct fg_str body, struct fg_str *key)
{
    const struct js *root, *value;
    struct fg_str name;
    enum fg_code rc = js_parse(cx, body, &root);
    if (rc != FG_OK)
        return rc;
    fg_fields_clear(cx);
    if (js_type(root) != JS_OBJECT)
        fg_field(cx, "", "type", "The body must be an object.");
    for (size_t it = 0; js_next(root, &it, &name, &value);)
        if (!FG_IS(name, "key"))
            fg_field(cx, arena_fmt(cx->mem, "/%.*s", FG_P(name)).p, "unknown",
                     "There is no such field.");
    if (!js_get(root, "key"))
        fg_field(cx, "/key", "required", "The API key is missing.");
    else if (!js_str(js_get(root, "key"), key))
        fg_field(cx, "/key", "type", "It must be a string.");
    else if (key->n == 0 || key->n > KEY_MAX)
        fg_field(cx, "/key", "length", "It must have 1 to %d bytes.", KEY_MAX);
    return fg_fields_check(cx);
}

enum fg_code sessions_create(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                             struct web_resp *resp)
{
    struct fg_str key, token;
    struct identity who;
    int64_t life_us = app->conf->auth_session_hours * 3600 * FG_US_PER_S, expires_us;
    enum fg_code rc = read_key(cx, req->body, &key);
    if (rc == FG_OK)
        rc = account_by_key(cx, app->db, app->keys, app->pepper, key, &who);
    if (rc == FG_OK)
        rc = session_create(cx, app->db, app->pepper, who.key_id, life_us, &token, &expires_us);
    if (rc != FG_OK)
        return rc;
    resp->status = 201;
    set_cookie(cx, app, resp, token, life_us / FG_US_PER_S);
    struct jw w = jw_on(&resp->body);
    jw_open(&w, NULL);
    add_identity(&w, &who);
    jw_time(&w, "expiresAt", expires_us);
    jw_close(&w);
    return FG_OK;
}

/* Fine without a session, too: afterwards there is none, which is what was asked. */
enum fg_code sessions_end(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                          struct web_resp *resp)
{
    struct fg_str token = auth_cookie(req);
    enum fg_code rc = FG_OK;
    if (token.p && token.n <= KEY_MAX)
        rc = session_end(cx, app->db, app->keys, app->pepper, token);
    if (rc != FG_OK)
        return rc;
    resp->status = 204;
    set_cookie(cx, app, resp, FG_LIT(""), 0);
    return FG_OK;
}

static enum fg_code add_money(struct fg_ctx *cx, struct web_app *app, const struct identity *who, struct jw *w)
{
    struct terms t;
    struct account_use u;
    struct fg_str user = who->role == ROLE_USER ? fg_str_c(who->user_id) : FG_NONE;
    enum fg_code rc = terms_read(cx, app->db, who->account_id, &t);
    if (rc == FG_OK)
        rc = use_read(cx, app->db, who->account_id, &t, user, &u);
    if (rc != FG_OK)
        return rc;
    limits_add_plan(w, &t.plan);
    limits_add(w, who, &t, &u);
    limits_add_balance(w, who, &t, &u);
    jw_str(w, "currency", t.currency);
    return FG_OK;
}

enum fg_code sessions_me(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                         struct web_resp *resp)
{
    struct jw w = jw_on(&resp->body);
    jw_open(&w, NULL);
    add_identity(&w, &req->who);
    enum fg_code rc = add_money(cx, app, &req->who, &w);
    if (rc == FG_OK && req->who.role != ROLE_USER)
        rc = webhooks_add_me(cx, app, req, &w);
    jw_close(&w);
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    return rc;
}
