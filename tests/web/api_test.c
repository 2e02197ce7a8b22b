/* The API as its clients see it: jobs, answers that may be repeated, lists, and what a problem
 * looks like. */
#include "base/arena.h"
#include "job/job.h"
#include "web/web_world.h"

#define GOOD "{\"prompt\":\"a red kite\",\"aspectRatio\":\"16:9\",\"duration\":5}"

static struct fg_str path_of(struct web_world *w, struct fg_str id, const char *rest)
{
    return arena_fmt(w->cx->mem, "/v1/jobs/%.*s%s", FG_P(id), rest);
}

static bool names_field(struct web_world *w, const char *path)
{
    const struct js *errors = js_get(web_json(w), "errors");
    for (size_t i = 0; i < js_len(errors); i++) {
        struct fg_str have, code, detail;
        if (js_str(js_get(js_at(errors, i), "path"), &have) && fg_eq(have, fg_str_c(path)))
            return js_str(js_get(js_at(errors, i), "code"), &code) && code.n &&
                   js_str(js_get(js_at(errors, i), "detail"), &detail) && detail.n;
    }
    return false;
}

TEST(a_good_request_becomes_a_job)
{
    struct web_world w;
    web_begin(&w);
    struct fg_str id = web_new_job(&w);
    CHECK_STR(web_got(&w, "Location"), path_of(&w, id, ""), "where to look");
    CHECK_IS(web_text(&w, "status"), "pending", "not started");
    CHECK_IS(web_text(&w, "stage"), "waiting", "for its turn");
    CHECK_IS(web_text(&w, "resolution"), "480p", "the model's default");
    CHECK(web_number(&w, "pollAfterMs") > 0, "and when to look");
    CHECK_I64(web_call(&w, "GET", path_of(&w, id, ""), NULL), 200, "read");
    CHECK_IS(web_text(&w, "prompt"), "a red kite", "the same job");
    CHECK_I64(web_call(&w, "GET", path_of(&w, id, "/events"), NULL), 200, "its timeline");
    CHECK_I64(web_data_n(&w), 1, "began");
    CHECK_IS(web_data_text(&w, 0, "type"), "created", "with its creation");
    CHECK_IS(web_data_text(&w, 0, "requestId"), "req-1", "by this request");
    web_end(&w, 0);
}

TEST(every_bad_field_is_named_at_once)
{
    static const char *const path[] = { "/prompt", "/aspectRatio", "/duration", "/imageUrl",
                                        "/seed",   "/userId",      "/metadata", "/deadlineSeconds",
                                        "/colour" };
    struct web_world w;
    web_begin(&w);
    int status = web_call(
        &w, "POST", FG_LIT("/v1/jobs"),
        "{\"prompt\":\"  \",\"aspectRatio\":\"4:3\",\"duration\":11,\"imageUrl\":\"ftp://x\","
        "\"seed\":\"one\",\"userId\":7,\"metadata\":[],\"deadlineSeconds\":1,\"colour\":1}");
    CHECK_I64(status, 400, "refused");
    CHECK_IS(w.resp.content_type, "application/problem+json", "as a problem");
    CHECK_IS(web_text(&w, "type"), "/problems/#invalid_request", "type");
    CHECK_IS(web_text(&w, "code"), "invalid_request", "code");
    CHECK_I64(web_number(&w, "status"), 400, "status");
    CHECK_IS(web_text(&w, "instance"), "/v1/jobs", "instance");
    CHECK_IS(web_text(&w, "requestId"), "req-1", "request id");
    CHECK(web_text(&w, "title").n && web_text(&w, "detail").n, "words");
    CHECK(!web_got(&w, "Retry-After").p, "no use repeating");
    for (size_t i = 0; i < FG_LEN(path); i++)
        CHECK(names_field(&w, path[i]), path[i]);
    CHECK_I64(js_len(js_get(web_json(&w), "errors")), FG_LEN(path), "and nothing else");
    web_end(&w, 0);
}

TEST(what_is_refused_before_the_fields)
{
    static char big[JOB_BODY_MAX + 2];
    static const struct {
        const char *body, *type;
        int status;
        const char *code, *why;
    } row[] = {
        { "{", "application/json", 400, "invalid_json", "cut off" },
        { "{\"prompt\":1,\"prompt\":2}", "application/json", 400, "invalid_json", "a key twice" },
        { "{\"prompt\":\"\xff\"}", "application/json", 400, "invalid_json", "no UTF-8" },
        { "{\"prompt\":\"\\u0000\"}", "application/json", 400, "invalid_json", "NUL" },
        { "[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]", "application/json", 400, "invalid_json",
          "depth" },
        { "", "application/json", 400, "invalid_json", "nothing" },
        { "[]", "application/json", 400, "invalid_request", "no object" },
        { GOOD, "text/plain", 415, "unsupported_media_type", "type" },
        { GOOD, NULL, 415, "unsupported_media_type", "no type" },
        { GOOD, "application/jsonx", 415, "unsupported_media_type", "nearly" },
        { GOOD, "Application/JSON ;charset=utf-8", 202, NULL, "case and parameters do not matter" },
        { big, "application/json", 413, "too_large", "size" },
    };
    struct web_world w;
    web_begin(&w);
    memset(big, ' ', sizeof big - 1);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct web_req req = web_request("POST", FG_LIT("/v1/jobs"), w.key, fg_str_c(row[i].body));
        req.content_type = fg_str_c(row[i].type);
        CHECK_I64(web_send(&w, &req), row[i].status, row[i].why);
        if (row[i].code)
            CHECK_STR(web_text(&w, "code"), fg_str_c(row[i].code), row[i].why);
    }
    (void)web_call(&w, "POST", FG_LIT("/v1/jobs"), "{\"prompt\":\"a\",\"prompt\":\"b\"}");
    CHECK(strstr(arena_cstr(w.cx->mem, web_text(&w, "detail")), "\"prompt\""), "which key came twice");
    web_end(&w, 0);
}

static int create_with_key(struct web_world *w, const char *idempotency, const char *body)
{
    struct web_req req = web_request("POST", FG_LIT("/v1/jobs"), w->key, fg_str_c(body));
    req.header[WEB_IDEMPOTENCY_KEY] = fg_str_c(idempotency);
    return web_send(w, &req);
}

TEST(an_idempotency_key_makes_one_job)
{
    struct web_world w;
    web_begin(&w);
    CHECK_I64(create_with_key(&w, "k1", GOOD), 202, "first");
    CHECK(!web_got(&w, "Idempotency-Replayed").p, "is new");
    struct fg_str first = sb_str(&w.resp.body);
    t_advance(&w.t, 60 * FG_US_PER_S);
    CHECK_I64(create_with_key(&w, "k1", GOOD), 202, "again");
    CHECK_STR(sb_str(&w.resp.body), first, "the first answer, byte by byte");
    CHECK_IS(web_got(&w, "Idempotency-Replayed"), "true", "and says so");
    CHECK_I64(create_with_key(&w, "k1", "{}"), 422, "another body");
    CHECK_IS(web_text(&w, "code"), "idempotency_key_reused", "is a mistake");
    CHECK_I64(create_with_key(&w, "k1 ", GOOD), 400, "a blank in it");
    CHECK_I64(create_with_key(&w, "", GOOD), 400, "an empty one");
    struct web_req twice = web_request("POST", FG_LIT("/v1/jobs"), w.key, FG_LIT(GOOD));
    twice.header[WEB_IDEMPOTENCY_KEY] = FG_LIT("k9");
    twice.header_twice[WEB_IDEMPOTENCY_KEY] = true;
    CHECK_I64(web_send(&w, &twice), 400, "two of them");
    CHECK_IS(web_text(&w, "code"), "bad_header", "two of them");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/jobs"), NULL), 200, "list");
    CHECK_I64(web_data_n(&w), 1, "one job came of all that");
    web_end(&w, 0);
}

/* Another process is in its transaction with the same key: its row is written and not committed. */
TEST(a_request_in_flight_with_the_same_key_is_told)
{
    struct web_world w;
    web_begin(&w);
    CHECK_I64(create_with_key(&w, "k1", GOOD), 202, "first");
    web_script(&w,
               "CREATE TEMPORARY TABLE kept AS SELECT * FROM idempotency; DELETE FROM idempotency;"
               "START TRANSACTION; INSERT INTO idempotency SELECT * FROM kept");
    CHECK_I64(create_with_key(&w, "k1", GOOD), 409, "in flight");
    CHECK_IS(web_text(&w, "code"), "idempotency_in_flight", "in flight");
    CHECK(web_got(&w, "Retry-After").n, "worth repeating");
    web_script(&w, "COMMIT");
    CHECK_I64(create_with_key(&w, "k1", GOOD), 202, "answered meanwhile");
    CHECK_IS(web_got(&w, "Idempotency-Replayed"), "true", "by the first");
    web_end(&w, 0);
}

TEST(an_etag_saves_the_body)
{
    struct web_world w;
    web_begin(&w);
    struct fg_str path = path_of(&w, web_new_job(&w), "");
    CHECK_I64(web_call(&w, "GET", path, NULL), 200, "first look");
    struct fg_str etag = web_got(&w, "ETag");
    CHECK(etag.n > 4 && fg_starts(etag, FG_LIT("W/\"")), "a weak tag");
    const struct {
        struct fg_str sent;
        int status;
        const char *why;
    } row[] = {
        { etag, 304, "the same" },
        { { etag.p + 2, etag.n - 2 }, 304, "the same, as a strong one" },
        { arena_fmt(w.cx->mem, "W/\"x\" ,  %.*s", FG_P(etag)), 304, "one of two" },
        { FG_LIT("*"), 304, "anything" },
        { FG_LIT("\"other\""), 200, "another" },
        { FG_LIT(""), 200, "nothing" },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct web_req req = web_request("GET", path, w.key, FG_NONE);
        req.header[WEB_IF_NONE_MATCH] = row[i].sent;
        CHECK_I64(web_send(&w, &req), row[i].status, row[i].why);
        CHECK_STR(web_got(&w, "ETag"), etag, "told in both cases");
        CHECK_I64(w.resp.body.n == 0, row[i].status == 304, "a body only when it is new");
    }
    web_end(&w, 0);
}

TEST(an_etag_changes_with_the_job_and_with_its_links)
{
    struct web_world w;
    web_begin(&w);
    struct fg_str id = web_new_job(&w), path = path_of(&w, id, "");
    (void)web_call(&w, "GET", path, NULL);
    struct fg_str waiting = web_got(&w, "ETag");
    web_finish_job(&w, id);
    (void)web_call(&w, "GET", path, NULL);
    struct fg_str done = web_got(&w, "ETag"), link = web_text(&w, "outputUrl");
    CHECK(!fg_eq(waiting, done), "a new version");
    CHECK(link.n, "with a link");
    t_advance(&w.t, w.conf.media_link_ttl_s * FG_US_PER_S);
    (void)web_call(&w, "GET", path, NULL);
    CHECK(!fg_eq(web_got(&w, "ETag"), done), "links that ran out are new ones");
    CHECK(!fg_eq(web_text(&w, "outputUrl"), link), "links that ran out are new ones");
    web_end(&w, 0);
}

TEST(lists_page_filter_and_tell_changes)
{
    struct web_world w;
    struct fg_str id[5];
    web_begin(&w);
    for (size_t i = 0; i < FG_LEN(id); i++) {
        id[i] = web_new_job(&w);
        t_advance(&w.t, 30 * FG_US_PER_S);
    }
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/jobs?limit=3"), NULL), 200, "newest");
    CHECK_I64(web_data_n(&w), 3, "as many as asked");
    CHECK_STR(web_data_text(&w, 0, "id"), id[4], "newest first");
    struct fg_str since = web_text(&w, "changedSince");
    struct fg_str next =
        arena_fmt(w.cx->mem, "/v1/jobs?limit=3&cursor=%.*s", FG_P(web_text(&w, "nextCursor")));
    CHECK_I64(web_call(&w, "GET", next, NULL), 200, "the rest");
    CHECK_I64(web_data_n(&w), 2, "the rest");
    CHECK_STR(web_data_text(&w, 1, "id"), id[0], "oldest last");
    CHECK(!web_text(&w, "nextCursor").p, "no more");
    t_advance(&w.t, 60 * FG_US_PER_S);
    struct fg_str changes = arena_fmt(w.cx->mem, "/v1/jobs?changedSince=%.*s", FG_P(since));
    web_finish_job(&w, id[1]);
    CHECK_I64(web_call(&w, "GET", changes, NULL), 200, "what moved");
    bool told = false;
    for (size_t i = 0; i < web_data_n(&w); i++)
        told = told || fg_eq(web_data_text(&w, i, "id"), id[1]);
    CHECK(told && web_data_n(&w) <= 2, "the one that moved, and hardly more");
    CHECK(web_text(&w, "changedSince").n, "what to ask with next");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/jobs?status=succeeded"), NULL), 200, "by status");
    CHECK_I64(web_data_n(&w), 1, "by status");
    CHECK_STR(web_data_text(&w, 0, "id"), id[1], "by status");
    web_end(&w, 0);
}

TEST(bad_list_parameters_are_named)
{
    static const struct {
        const char *target, *field;
    } row[] = {
        { "/v1/jobs?limit=0", "limit" },
        { "/v1/jobs?limit=101", "limit" },
        { "/v1/jobs?limit=ten", "limit" },
        { "/v1/jobs?status=done", "status" },
        { "/v1/jobs?changedSince=1", "changedSince" },
        { "/v1/jobs?cursor=", "cursor" },
        { "/v1/jobs?limit=1&limit=2", "limit" },
        { "/v1/jobs?staus=failed", "staus" },
        { "/v1/jobs?userId=%ff", "userId" },
    };
    struct web_world w;
    web_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        CHECK_I64(web_call(&w, "GET", fg_str_c(row[i].target), NULL), 400, row[i].target);
        CHECK(names_field(&w, row[i].field), row[i].target);
    }
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/jobs?cursor=job_x"), NULL), 400,
              "a cursor that is not ours");
    struct sb longest = sb_in(w.cx->mem, 2000);
    sb_add(&longest, FG_LIT("/v1/jobs?userId="));
    for (int i = 0; i < JOB_USER_MAX; i++)
        sb_add(&longest, FG_LIT("%C3%A9"));
    CHECK_I64(web_call(&w, "GET", sb_str(&longest), NULL), 200, "any userId that a job may have");
    sb_add(&longest, FG_LIT("x"));
    CHECK_I64(web_call(&w, "GET", sb_str(&longest), NULL), 400, "and no longer one");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/jobs?changedSince=9999-12-31T23:59:59.999999Z"), NULL), 200,
              "the last moment there is");
    web_end(&w, 0);
}

TEST(another_accounts_job_is_not_there)
{
    static const struct {
        const char *method, *rest;
    } row[] = { { "GET", "" }, { "GET", "/events" }, { "POST", "/cancel" }, { "DELETE", "" } };
    struct web_world w;
    struct fg_str other;
    web_begin(&w);
    struct fg_str id = web_new_job(&w);
    CHECK_CODE(w.cx, account_create(w.cx, w.cli, FG_LIT("Other"), &other), FG_OK);
    struct fg_str keys[] = { web_new_key(&w, other, ROLE_APP, NULL),
                             web_new_key(&w, w.account, ROLE_USER, "somebody else") };
    for (size_t k = 0; k < FG_LEN(keys); k++)
        for (size_t i = 0; i < FG_LEN(row); i++) {
            struct web_req req =
                web_request(row[i].method, path_of(&w, id, row[i].rest), keys[k], FG_NONE);
            CHECK_I64(web_send(&w, &req), 404, row[i].rest);
        }
    struct web_req list = web_request("GET", FG_LIT("/v1/jobs"), keys[0], FG_NONE);
    CHECK_I64(web_send(&w, &list), 200, "its own list");
    CHECK_I64(web_data_n(&w), 0, "is empty");
    web_end(&w, 0);
}

TEST(cancel_and_delete)
{
    struct web_world w;
    web_begin(&w);
    struct fg_str id = web_new_job(&w);
    CHECK_I64(web_call(&w, "DELETE", path_of(&w, id, ""), NULL), 409, "not while it runs");
    CHECK_IS(web_text(&w, "code"), "job_not_finished", "not while it runs");
    CHECK_I64(web_call(&w, "POST", path_of(&w, id, "/cancel"), NULL), 200, "cancel");
    CHECK_IS(web_text(&w, "status"), "failed", "final at once");
    CHECK_IS(web_text(&w, "errorCode"), "canceled", "and why");
    CHECK_I64(web_call(&w, "POST", path_of(&w, id, "/cancel"), NULL), 200, "who had no answer asks again");
    CHECK_IS(web_text(&w, "errorCode"), "canceled", "the same answer");
    for (int i = 0; i < 2; i++) {
        CHECK_I64(web_call(&w, "DELETE", path_of(&w, id, ""), NULL), 204, "delete, and once more");
        CHECK_I64(w.resp.body.n, 0, "no body");
    }
    CHECK_I64(web_call(&w, "GET", path_of(&w, id, ""), NULL), 200, "what is left");
    CHECK(!web_text(&w, "prompt").p && web_text(&w, "deletedAt").n, "has no words");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/jobs"), NULL), 200, "list");
    CHECK_I64(web_data_n(&w), 0, "does not show it");
    web_end(&w, 0);
}

TEST(methods_and_paths)
{
    static const struct {
        const char *method, *target;
        int status;
        const char *allow;
    } row[] = {
        { "PUT", "/v1/jobs", 405, "GET, HEAD, POST" },
        { "PATCH", "/v1/jobs/job_x", 405, "GET, HEAD, DELETE" },
        { "GET", "/v1/sessions", 405, "POST, DELETE" },
        { "GET", "/v1/jobs/", 404, NULL },
        { "GET", "/v1/jobs//events", 404, NULL },
        { "GET", "/v1/jobs/job_x/y", 404, NULL },
        { "GET", "", 404, NULL },
        { "GET", "/v1/jobs/job_x", 404, NULL },
        { "HEAD", "/v1/jobs", 200, NULL },
        { "HEAD", "/healthz", 200, NULL },
        { "HEAD", "/v1/jobs/job_x", 404, NULL },
    };
    struct web_world w;
    web_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        CHECK_I64(web_call(&w, row[i].method, fg_str_c(row[i].target), NULL), row[i].status,
                  row[i].target);
        CHECK_STR(web_got(&w, "Allow"), fg_str_c(row[i].allow), row[i].target);
        if (strcmp(row[i].method, "HEAD") == 0)
            CHECK_I64(w.resp.body.n, 0, "HEAD has no body");
    }
    web_end(&w, 0);
}
