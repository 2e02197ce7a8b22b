/* Who may ask: keys, page sessions, and what another site's page must not be able to do with them.
 */
#include "base/arena.h"
#include "web/web_world.h"

#define FIVE_SECONDS (5 * FG_US_PER_S)

static struct fg_str cookie_of(struct web_world *w)
{
    struct fg_str set = web_got(w, "Set-Cookie");
    const char *end = memchr(set.p, ';', set.n);
    CHECK(end != NULL, "a cookie with attributes");
    return (struct fg_str){ set.p, (size_t)(end - set.p) };
}

static struct fg_str sign_in(struct web_world *w)
{
    struct fg_str body = arena_fmt(w->cx->mem, "{\"key\":\"%.*s\"}", FG_P(w->key));
    struct web_req req = web_request("POST", FG_LIT("/v1/sessions"), FG_NONE, body);
    CHECK_I64(web_send(w, &req), 201, "sign in");
    return cookie_of(w);
}

static struct web_req with_cookie(const char *method, const char *target, struct fg_str cookie)
{
    struct web_req req = web_request(method, fg_str_c(target), FG_NONE, FG_NONE);
    req.header[WEB_COOKIE] = cookie;
    return req;
}

TEST(who_is_not_let_in)
{
    static const struct {
        const char *authorization, *why;
    } row[] = {
        { NULL, "nothing" },
        { "", "empty" },
        { "Bearer", "no key" },
        { "Bearer ", "no key" },
        { "Basic Zm9vOmJhcg==", "another scheme" },
        { "Bearer fgk_00000000000000000000000000", "a key that nobody has" },
        { "Bearer fgk_0'; DROP TABLE job; --", "nonsense" },
    };
    struct web_world w;
    web_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct web_req req = web_request("GET", FG_LIT("/v1/me"), FG_NONE, FG_NONE);
        req.header[WEB_AUTHORIZATION] = fg_str_c(row[i].authorization);
        CHECK_I64(web_send(&w, &req), 401, row[i].why);
        CHECK_IS(web_got(&w, "WWW-Authenticate"), "Bearer", row[i].why);
        CHECK_IS(web_text(&w, "code"), "unauthorized", row[i].why);
    }
    struct web_req twice = web_request("GET", FG_LIT("/v1/me"), w.key, FG_NONE);
    twice.header_twice[WEB_AUTHORIZATION] = true;
    CHECK_I64(web_send(&w, &twice), 400, "two keys");
    web_end(&w, 0);
}

/* Prepared statements that the server has run for anybody, the one that reads this not counted.
 * Scripts are none. */
static int64_t executed(struct web_world *w)
{
    static int64_t own;
    struct health {
        int64_t version, at_us;
    } row;
    static const struct db_col cols[] = { COL(struct health, version), COL(struct health, at_us) };
    bool found;
    web_script(w, "REPLACE INTO heartbeat SELECT 'sweeper-count', variable_value FROM "
                  "information_schema.global_status WHERE variable_name = 'COM_STMT_EXECUTE'");
    CHECK_CODE(w->cx, db_one(w->cx, w->cli, SQL_HEALTH, DB_NO_ARGS, DB_COLS(cols), &row, &found),
               FG_OK);
    return row.at_us - own++;
}

TEST(a_known_key_costs_no_query_and_a_revoked_one_ends_in_five_seconds)
{
    struct web_world w;
    struct key_row *keys;
    size_t n;
    web_begin(&w);
    struct fg_str path = arena_fmt(w.cx->mem, "/v1/jobs/%.*s", FG_P(web_new_job(&w)));
    int64_t before = executed(&w);
    CHECK_I64(web_call(&w, "GET", path, NULL), 200, "a key that was seen just now");
    CHECK_I64(executed(&w) - before, 1, "one query, for the job");
    t_advance(&w.t, FIVE_SECONDS);
    before = executed(&w);
    CHECK_I64(web_call(&w, "GET", path, NULL), 200, "a key that was seen long ago");
    CHECK_I64(executed(&w) - before, 2, "is looked up again");
    CHECK_CODE(w.cx, key_list(w.cx, w.cli, w.account, &keys, &n), FG_OK);
    CHECK_CODE(w.cx, key_revoke(w.cx, w.cli, w.account, keys[0].id), FG_OK);
    t_advance(&w.t, FIVE_SECONDS);
    CHECK_I64(web_call(&w, "GET", path, NULL), 401, "revoked");
    web_end(&w, 0);
}

TEST(a_session_is_a_careful_cookie)
{
    static const struct {
        const char *secure, *url;
        bool want;
    } row[] = {
        { "auto", "http://127.0.0.1:8080", false },
        { "auto", "https://film.example", true },
        { "yes", "http://127.0.0.1:8080", true },
        { "no", "https://film.example", false },
    };
    struct web_world w;
    web_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        w.conf.server_cookie_secure = fg_str_c(row[i].secure);
        w.conf.server_public_url = fg_str_c(row[i].url);
        struct fg_str cookie = sign_in(&w);
        const char *set = arena_cstr(w.cx->mem, web_got(&w, "Set-Cookie"));
        CHECK(strstr(set, "; HttpOnly") && strstr(set, "; SameSite=Strict") &&
                  strstr(set, "; Path=/;"),
              set);
        CHECK(strstr(set, "; Max-Age=86400") != NULL, set);
        CHECK_I64(strstr(set, "; Secure") != NULL, row[i].want, set);
        CHECK_STR(web_text(&w, "account"), w.account, "whose");
        CHECK_IS(web_text(&w, "role"), "app", "as what");
        struct fg_str both = arena_fmt(w.cx->mem, "theme=dark; %.*s", FG_P(cookie));
        struct web_req me = with_cookie("GET", "/v1/me", both);
        CHECK_I64(web_send(&w, &me), 200, "the cookie is enough to read");
    }
    web_end(&w, 0);
}

TEST(sessions_end)
{
    struct web_world w;
    web_begin(&w);
    struct fg_str cookie = sign_in(&w);
    struct web_req out = with_cookie("DELETE", "/v1/sessions", cookie);
    out.header[WEB_SEC_FETCH_SITE] = FG_LIT("same-origin");
    CHECK_I64(web_send(&w, &out), 204, "sign out");
    CHECK(
        strstr(arena_cstr(w.cx->mem, web_got(&w, "Set-Cookie")), "fg_session=; Path=/; Max-Age=0"),
        "cleared");
    struct web_req me = with_cookie("GET", "/v1/me", cookie);
    CHECK_I64(web_send(&w, &me), 401, "it is over");
    struct web_req none = web_request("DELETE", FG_LIT("/v1/sessions"), FG_NONE, FG_NONE);
    CHECK_I64(web_send(&w, &none), 204, "there was none: fine");
    cookie = sign_in(&w);
    t_advance(&w.t, (w.conf.auth_session_hours * 3600 + 1) * FG_US_PER_S);
    me = with_cookie("GET", "/v1/me", cookie);
    CHECK_I64(web_send(&w, &me), 401, "its time is over");
    web_end(&w, 0);
}

TEST(bad_sign_ins)
{
    static const struct {
        const char *body;
        int status;
    } row[] = {
        { "{\"key\":\"fgk_00000000000000000000000000\"}", 401 },
        { "{\"key\":\"\"}", 400 },
        { "{\"key\":7}", 400 },
        { "{}", 400 },
        { "[]", 400 },
        { "x", 400 },
        { "{\"key\":\"k\",\"user\":\"u\"}", 400 },
    };
    struct web_world w;
    web_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct web_req req =
            web_request("POST", FG_LIT("/v1/sessions"), FG_NONE, fg_str_c(row[i].body));
        CHECK_I64(web_send(&w, &req), row[i].status, row[i].body);
        CHECK(!web_got(&w, "Set-Cookie").p, row[i].body);
    }
    web_end(&w, 0);
}

TEST(another_sites_page_cannot_use_the_session)
{
    static const struct {
        const char *site, *origin;
        bool ok;
        const char *why;
    } row[] = {
        { "same-origin", NULL, true, "our own page" },
        { "same-origin", "https://other.example", true, "the browser's word is the better one" },
        { "none", NULL, true, "typed by the person" },
        { "cross-site", NULL, false, "another site" },
        { "same-site", NULL, false, "a neighbour" },
        { "cross-site", "http://127.0.0.1:8080", false, "another site that lies about its origin" },
        { NULL, "http://127.0.0.1:8080", true, "an older browser on our page" },
        { NULL, "https://other.example", false, "an older browser elsewhere" },
        { NULL, "null", false, "a sandboxed page" },
        { NULL, NULL, false, "nobody says" },
    };
    struct web_world w;
    web_begin(&w);
    struct fg_str cookie = sign_in(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct web_req req = with_cookie("POST", "/v1/jobs", cookie);
        req.body = FG_LIT("{\"prompt\":\"a\",\"aspectRatio\":\"1:1\",\"duration\":5}");
        req.content_type = FG_LIT("application/json");
        req.header[WEB_SEC_FETCH_SITE] = fg_str_c(row[i].site);
        req.header[WEB_ORIGIN] = fg_str_c(row[i].origin);
        CHECK_I64(web_send(&w, &req), row[i].ok ? 202 : 403, row[i].why);
        struct web_req out = with_cookie("DELETE", "/v1/sessions", cookie);
        out.header[WEB_SEC_FETCH_SITE] = fg_str_c(row[i].site);
        out.header[WEB_ORIGIN] = fg_str_c(row[i].origin);
        CHECK_I64(web_send(&w, &out), row[i].ok ? 204 : 403, row[i].why);
        if (row[i].ok)
            cookie = sign_in(&w);
        struct web_req key = web_request("POST", FG_LIT("/v1/jobs"), w.key, req.body);
        key.header[WEB_ORIGIN] = FG_LIT("https://other.example");
        CHECK_I64(web_send(&w, &key), 202, "a key is sent on purpose, from anywhere");
    }
    web_end(&w, 0);
}
