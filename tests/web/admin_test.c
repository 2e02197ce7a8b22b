/* /v1/admin/jobs: who may look, and what a bad question is told. */
#include "base/arena.h"
#include "web/web_world.h"

TEST(jobs_of_everybody_are_for_operators_alone)
{
    struct web_world w;
    web_begin(&w);
    struct fg_str id = web_new_job(&w), one = arena_fmt(w.cx->mem, "/v1/admin/jobs/%.*s", FG_P(id));
    static const enum role roles[] = { ROLE_APP, ROLE_USER };
    for (size_t i = 0; i < FG_LEN(roles); i++) {
        w.key = web_new_key(&w, w.account, roles[i], roles[i] == ROLE_USER ? "ann" : NULL);
        CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/admin/jobs"), NULL), 403, "the list");
        CHECK_I64(web_call(&w, "GET", one, NULL), 403, "one");
        CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/admin/overview"), NULL), 403, "the overview");
    }
    w.key = FG_NONE;
    CHECK_I64(web_call(&w, "GET", one, NULL), 401, "nobody");
    w.key = web_new_key(&w, w.account, ROLE_ADMIN, NULL);
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/admin/jobs?q=sky&status=pending&limit=5"), NULL), 200, "the list");
    CHECK_IS(web_got(&w, "Cache-Control"), "no-store", "not for caches");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/admin/overview"), NULL), 200, "the overview");
    CHECK_I64(web_call(&w, "GET", one, NULL), 200, "one");
    CHECK(js_type(js_get(web_json(&w), "timeline")) == JS_ARRAY, "with its timeline");
    CHECK(!web_got(&w, "Content-Disposition").p, "to look at");
    CHECK_I64(web_call(&w, "GET", arena_fmt(w.cx->mem, "%.*s?download=1", FG_P(one)), NULL), 200, "to keep");
    CHECK_STR(web_got(&w, "Content-Disposition"),
              arena_fmt(w.cx->mem, "attachment; filename=\"filmgate-%.*s.json\"", FG_P(id)), "as a file");
    web_end(&w, 0);
}

TEST(a_bad_question_is_told_what_is_wrong_with_it)
{
    struct web_world w;
    static const char *const bad[] = { "status=done",  "stage=x",    "createdAfter=now", "createdBefore=2026", "limit=0",
                                       "limit=101",    "cursor=-1",  "q=",               "errorCode=%C3%A4",   "nosuch=1",
                                       "provider=%00", "model=a%20b" };
    web_begin(&w);
    w.key = web_new_key(&w, w.account, ROLE_ADMIN, NULL);
    for (size_t i = 0; i < FG_LEN(bad); i++) {
        CHECK_I64(web_call(&w, "GET", arena_fmt(w.cx->mem, "/v1/admin/jobs?%s", bad[i]), NULL), 400, bad[i]);
        CHECK_IS(web_text(&w, "code"), "invalid_request", bad[i]);
    }
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/admin/jobs/job_nobody"), NULL), 404, "there is none");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/admin/jobs/job_nobody?download=2"), NULL), 400, "no such way to keep it");
    web_end(&w, 0);
}

/* ---- acting ---- */

static int act_on(struct web_world *w, struct fg_str id, const char *body)
{
    return web_call(w, "POST", arena_fmt(w->cx->mem, "/v1/admin/jobs/%.*s/actions", FG_P(id)), body);
}

TEST(what_is_done_to_a_job_is_answered_and_can_be_read)
{
    struct web_world w;
    web_begin(&w);
    struct fg_str id = web_new_job(&w);
    CHECK_I64(act_on(&w, id, "{\"action\":\"cancel\",\"reason\":\"she called\"}"), 403, "not with an app's key");
    web_holds(&w, "(SELECT COUNT(*) FROM operator_action) = 0", "nothing of it");
    struct fg_str app = w.key;
    w.key = web_new_key(&w, w.account, ROLE_ADMIN, NULL);
    CHECK_I64(act_on(&w, id, "{\"action\":\"cancel\",\"reason\":\"  she called \"}"), 200, "done");
    CHECK_IS(web_got(&w, "Cache-Control"), "no-store", "not for caches");
    CHECK_IS(web_text(&w, "outcome"), "done", "so it says");
    struct fg_str word = FG_NONE;
    CHECK(js_str(js_get(js_get(web_json(&w), "job"), "errorCode"), &word) && FG_IS(word, "canceled"), "the job as it is now");
    const struct js *record = js_get(web_json(&w), "action");
    CHECK(js_str(js_get(record, "reason"), &word) && FG_IS(word, "she called"), "without white space around it");
    CHECK(js_str(js_get(record, "actor"), &word) && fg_starts(word, w.account), "who it was");
    CHECK_I64(act_on(&w, id, "{\"action\":\"cancel\",\"reason\":\"once more\"}"), 409, "refused");
    CHECK_IS(web_text(&w, "code"), "job_finished", "why");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/admin/actions?limit=1"), NULL), 200, "the records");
    CHECK_I64(web_data_n(&w), 1, "one at a time");
    CHECK_IS(web_data_text(&w, 0, "outcome"), "job_finished", "the newest first, refusals too");
    struct fg_str cursor = web_text(&w, "nextCursor");
    CHECK_I64(web_call(&w, "GET", arena_fmt(w.cx->mem, "/v1/admin/actions?cursor=%.*s&jobId=%.*s&account=%.*s", FG_P(cursor),
                                            FG_P(id), FG_P(w.account)), NULL), 200, "the next");
    CHECK_I64(web_data_n(&w), 1, "and the last");
    CHECK_STR(web_data_text(&w, 0, "jobId"), id, "whose");
    CHECK_STR(web_data_text(&w, 0, "accountId"), w.account, "of whom");
    CHECK(!web_text(&w, "nextCursor").p, "no more");
    w.key = app;
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/admin/actions"), NULL), 403, "for operators");
    CHECK_I64(web_call(&w, "GET", arena_fmt(w.cx->mem, "/v1/jobs/%.*s/events", FG_P(id)), NULL), 200, "its owner");
    CHECK_IS(web_data_text(&w, 1, "type"), "operator", "sees that somebody did something");
    CHECK(!strstr(sb_cstr(&w.resp.body), "she called"), "not why");
    web_end(&w, 0);
}

TEST(a_bad_order_is_told_what_is_wrong_with_it)
{
    static const struct {
        const char *body, *path;
    } bad[] = {
        { "{\"reason\":\"why not\"}", "/action" },
        { "{\"action\":\"burn\",\"reason\":\"why not\"}", "/action" },
        { "{\"action\":\"cancel\"}", "/reason" },
        { "{\"action\":\"cancel\",\"reason\":\" no   \"}", "/reason" },
        { "{\"action\":\"cancel\",\"reason\":7}", "/reason" },
        { "{\"action\":\"cancel\",\"reason\":\"why not\",\"amountMicro\":5}", "/amountMicro" },
        { "{\"action\":\"resolve\",\"reason\":\"why not\"}", "/accepted" },
        { "{\"action\":\"resolve\",\"reason\":\"why not\",\"accepted\":\"a b\"}", "/accepted" },
        { "{\"action\":\"adjust\",\"reason\":\"why not\",\"reference\":\"r\"}", "/amountMicro" },
        { "{\"action\":\"adjust\",\"reason\":\"why not\",\"reference\":\"r\",\"amountMicro\":0}", "/amountMicro" },
        { "{\"action\":\"adjust\",\"reason\":\"why not\",\"reference\":\"a b\",\"amountMicro\":1}", "/reference" },
        { "{\"action\":\"redeliver\",\"reason\":\"why not\",\"deliveryId\":\"x\"}", "/deliveryId" },
        { "{\"action\":\"hold\",\"reason\":\"why not\",\"more\":1}", "/more" },
    };
    struct web_world w;
    web_begin(&w);
    struct fg_str id = web_new_job(&w), path = FG_NONE;
    w.key = web_new_key(&w, w.account, ROLE_ADMIN, NULL);
    for (size_t i = 0; i < FG_LEN(bad); i++) {
        CHECK_I64(act_on(&w, id, bad[i].body), 400, bad[i].body);
        const struct js *first = js_at(js_get(web_json(&w), "errors"), 0);
        CHECK(js_str(js_get(first, "path"), &path) && fg_eq(path, fg_str_c(bad[i].path)), bad[i].body);
    }
    struct sb b = sb_in(w.cx->mem, 2000);
    sb_add(&b, FG_LIT("{\"action\":\"hold\",\"reason\":\""));
    for (int i = 0; i < 500; i++)
        sb_add(&b, FG_LIT("ä"));
    struct fg_str longest = sb_str(&b);
    CHECK_I64(act_on(&w, id, arena_fmt(w.cx->mem, "%.*sx\"}", FG_P(longest)).p), 400, "one too many");
    CHECK_I64(act_on(&w, id, arena_fmt(w.cx->mem, "%.*s\"}", FG_P(longest)).p), 200, "the longest reason");
    CHECK_I64(act_on(&w, FG_LIT("job_nobody"), "{\"action\":\"hold\",\"reason\":\"why not\"}"), 404, "no such job");
    CHECK_I64(act_on(&w, id, "[]"), 400, "no object");
    web_holds(&w, "(SELECT COUNT(*) FROM operator_action) = 1", "none of these was anything to record");
    static const char *const lost[] = { "account=x", "jobId=7", "cursor=0", "limit=0", "limit=101", "who=me" };
    for (size_t i = 0; i < FG_LEN(lost); i++)
        CHECK_I64(web_call(&w, "GET", arena_fmt(w.cx->mem, "/v1/admin/actions?%s", lost[i]), NULL), 400, lost[i]);
    web_end(&w, 0);
}

TEST(money_is_adjusted_once_per_reference)
{
    struct web_world w;
    bool entered = true;
    web_begin(&w);
    struct fg_str id = web_new_job(&w);
    w.key = web_new_key(&w, w.account, ROLE_ADMIN, NULL);
    web_script(&w, "UPDATE account_use SET balance_micro = 0");
    for (int i = 0; i < 2; i++) {
        CHECK_I64(act_on(&w, id, "{\"action\":\"adjust\",\"reason\":\"it was our fault\",\"amountMicro\":2500000,"
                                 "\"reference\":\"case-7\"}"), 200, "twice is fine");
        CHECK(js_bool(js_get(js_get(js_get(web_json(&w), "action"), "data"), "entered"), &entered) && entered == !i, "and once");
    }
    web_holds(&w, "(SELECT MAX(balance_micro) FROM account_use) = 2500000", "entered once");
    CHECK_I64(act_on(&w, id, "{\"action\":\"adjust\",\"reason\":\"a slip\",\"amountMicro\":-1,\"reference\":\"case-7\"}"), 409,
              "another amount");
    CHECK_IS(web_text(&w, "code"), "conflict", "under the same reference");
    web_holds(&w, "(SELECT COUNT(*) FROM operator_action WHERE action = 'adjust') = 3", "all of it is recorded");
    web_holds(&w, "(SELECT COUNT(*) FROM operator_action WHERE outcome = 'conflict' AND data LIKE '%case-7%') = 1", "with what");
    web_end(&w, 0);
}

TEST(a_provider_is_switched_and_shown)
{
    struct web_world w;
    bool paused = false;
    static const struct fg_str path = { "/v1/admin/providers/studio/actions", 34 };
    web_begin(&w);
    CHECK_I64(web_call(&w, "POST", path, "{\"action\":\"pause\",\"reason\":\"it burns\"}"), 403, "for operators");
    w.key = web_new_key(&w, w.account, ROLE_ADMIN, NULL);
    CHECK_I64(web_call(&w, "POST", path, "{\"action\":\"pause\",\"reason\":\"it burns\"}"), 200, "paused");
    CHECK_IS(web_got(&w, "Cache-Control"), "no-store", "not for caches");
    const struct js *provider = js_get(web_json(&w), "provider");
    CHECK(js_bool(js_get(provider, "paused"), &paused) && paused, "so it says");
    CHECK(js_type(js_get(provider, "history")) == JS_ARRAY, "as in the overview");
    web_script(&w, "UPDATE provider_state SET breaker = 1, breaker_us = 9, opened_n = 3");
    CHECK_I64(web_call(&w, "POST", path, "{\"action\":\"close_breaker\",\"reason\":\"it is well again\"}"), 200, "closed");
    web_holds(&w, "(SELECT breaker + opened_n FROM provider_state) = 0", "forgotten");
    web_holds(&w, "(SELECT paused_us FROM provider_state) IS NOT NULL", "and no more than that");
    CHECK_I64(web_call(&w, "POST", path, "{\"action\":\"resume\",\"reason\":\"it is well again\"}"), 200, "resumed");
    web_holds(&w, "(SELECT paused_us FROM provider_state) IS NULL", "jobs again");
    web_holds(&w, "(SELECT COUNT(*) FROM operator_action WHERE subject = 'studio' AND outcome = 'done') = 3", "recorded");
    CHECK_I64(web_call(&w, "POST", path, "{\"action\":\"stop\",\"reason\":\"it burns\",\"x\":1}"), 400, "no such switch");
    CHECK_I64((int64_t)js_len(js_get(web_json(&w), "errors")), 2, "all that is wrong");
    CHECK_I64(web_call(&w, "POST", FG_LIT("/v1/admin/providers/n%C3%A4/actions"), "{\"action\":\"pause\",\"reason\":\"it burns\"}"),
              404, "no such provider");
    web_end(&w, 0);
}

TEST(a_finished_job_is_tried_again_by_its_owner)
{
    struct web_world w;
    web_begin(&w);
    struct fg_str id = web_new_job(&w), again = arena_fmt(w.cx->mem, "/v1/jobs/%.*s/retry", FG_P(id));
    CHECK_I64(web_call(&w, "POST", again, NULL), 409, "it has not ended");
    CHECK_IS(web_text(&w, "code"), "job_not_finished", "so it says");
    web_finish_job(&w, id);
    struct fg_str made[2];
    for (int i = 0; i < 2; i++) {
        struct web_req req = web_request("POST", again, w.key, FG_NONE);
        req.header[WEB_IDEMPOTENCY_KEY] = FG_LIT("again-1");
        CHECK_I64(web_send(&w, &req), 202, "a new job");
        made[i] = arena_str(w.cx->mem, web_text(&w, "id"));
        CHECK_STR(web_got(&w, "Location"), arena_fmt(w.cx->mem, "/v1/jobs/%.*s", FG_P(made[i])), "where");
        CHECK(!web_got(&w, "Idempotency-Replayed").p == !i, "the second time told again");
    }
    CHECK_STR(made[1], made[0], "one key, one job");
    CHECK(!fg_eq(made[0], id), "not the old one");
    CHECK_I64(web_call(&w, "GET", arena_fmt(w.cx->mem, "/v1/jobs/%.*s/events", FG_P(made[0])), NULL), 200, "its beginning");
    CHECK(strstr(sb_cstr(&w.resp.body), id.p) != NULL, "names the old one");
    struct web_req other = web_request("POST", arena_fmt(w.cx->mem, "/v1/jobs/%.*s/retry", FG_P(made[0])), w.key, FG_NONE);
    other.header[WEB_IDEMPOTENCY_KEY] = FG_LIT("again-1");
    CHECK_I64(web_send(&w, &other), 422, "the key is of another wish");
    web_end(&w, 0);
}
