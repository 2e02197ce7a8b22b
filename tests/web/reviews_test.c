/* /v1/admin/reviews: who may see and decide, and how. */
#include "base/arena.h"
#include "job/moderation.h"
#include "web/web_world.h"

#define DECISION(w, id) arena_fmt((w)->cx->mem, "/v1/admin/reviews/%.*s/decision", FG_P(id))

/* As the sweeper leaves a job that our rules want looked at. */
static struct fg_str held_job(struct web_world *w)
{
    struct fg_str id = web_new_job(w);
    web_script(w, arena_fmt(w->cx->mem,
        "UPDATE job SET stage = 8, version = version + 1 WHERE public_id = '%.*s';"
        "DELETE d FROM due d JOIN job j ON j.id = d.job_id WHERE j.public_id = '%.*s' AND d.kind <> 5;"
        "INSERT INTO review (job_id, state, target, checker, category, left_us, held_us, until_us) SELECT id, 1, 'prompt', "
        "'rules', 'weapons', 3600000000, created_us, deadline_us FROM job WHERE public_id = '%.*s';"
        "INSERT INTO moderation (job_id, target, checker, verdict, category, rule, scores, cached, at_us) SELECT id, 'prompt', "
        "'rules', 2, 'weapons', 'the phrase', '{\"violence\":0.6}', 0, created_us FROM job WHERE public_id = '%.*s'",
        FG_P(id), FG_P(id), FG_P(id), FG_P(id)).p);
    return id;
}

static void as(struct web_world *w, enum role role)
{
    w->key = web_new_key(w, w->account, role, role == ROLE_USER ? "ann" : NULL);
}

TEST(reviews_are_for_operators_alone)
{
    struct web_world w;
    web_begin(&w);
    struct fg_str id = held_job(&w), one = arena_fmt(w.cx->mem, "/v1/admin/reviews/%.*s", FG_P(id));
    for (int i = 0; i < 2; i++) {
        if (i)
            as(&w, ROLE_USER);
        CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/admin/reviews"), NULL), 403, "the list");
        CHECK_I64(web_call(&w, "GET", one, NULL), 403, "one");
        CHECK_I64(web_call(&w, "POST", DECISION(&w, id), "{\"decision\":\"pass\"}"), 403, "a decision");
    }
    w.key = FG_NONE;
    CHECK_I64(web_call(&w, "GET", one, NULL), 401, "nobody");
    web_holds(&w, "(SELECT COUNT(*) FROM review WHERE state = 1) = 1", "and nothing was decided");
    web_end(&w, 0);
}

TEST(an_operator_sees_held_jobs_of_every_account_and_decides)
{
    struct web_world w;
    struct fg_str other;
    web_begin(&w);
    struct fg_str first = held_job(&w);
    CHECK_CODE(w.cx, account_create(w.cx, w.cli, FG_LIT("operators"), &other), FG_OK);
    struct fg_str second = held_job(&w), mine = w.key;
    w.key = web_new_key(&w, other, ROLE_ADMIN, NULL);
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/admin/reviews"), NULL), 200, "the list");
    CHECK_I64(web_data_n(&w), 2, "both");
    CHECK_STR(web_data_text(&w, 0, "jobId"), first, "the oldest first");
    CHECK_I64(web_call(&w, "GET", arena_fmt(w.cx->mem, "/v1/admin/reviews/%.*s", FG_P(first)), NULL), 200, "one");
    const struct js *check = js_at(js_get(web_json(&w), "checks"), 0);
    struct fg_str rule, prompt;
    CHECK(js_str(js_get(check, "rule"), &rule) && FG_IS(rule, "the phrase"), "which rule");
    CHECK(js_get(js_get(check, "scores"), "violence") != NULL, "its scores");
    CHECK(js_str(js_get(js_get(web_json(&w), "job"), "prompt"), &prompt) && prompt.n > 0, "and what it is about");
    CHECK_I64(web_call(&w, "POST", DECISION(&w, first), "{\"decision\":\"pass\",\"note\":\"a toy\"}"), 200, "passed");
    CHECK_STR(web_text(&w, "state"), FG_LIT("passed"), "it says");
    CHECK_STR(web_text(&w, "note"), FG_LIT("a toy"), "and why");
    CHECK_I64(web_call(&w, "POST", DECISION(&w, first), "{\"decision\":\"block\"}"), 409, "the first decision stands");
    CHECK_STR(web_text(&w, "code"), FG_LIT("review_decided"), "in words");
    CHECK_I64(web_call(&w, "POST", DECISION(&w, second), "{\"decision\":\"block\"}"), 200, "blocked");
    web_holds(&w, "(SELECT GROUP_CONCAT(stage, error_code) FROM job WHERE error_code IS NOT NULL) = '0blocked_prompt'", "an end");
    web_holds(&w, "(SELECT COUNT(*) FROM due WHERE kind = 1) = 1", "and one that goes on");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/admin/reviews?status=open"), NULL), 200, "the list");
    CHECK_I64(web_data_n(&w), 0, "is empty");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/admin/reviews?status=decided"), NULL), 200, "the other list");
    CHECK_I64(web_data_n(&w), 2, "has both");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/admin/reviews?status=all"), NULL), 400, "there is no such list");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/admin/reviews/job_00000000000000000000000000"), NULL), 404, "no such job");
    w.key = mine;
    CHECK_I64(web_call(&w, "GET", arena_fmt(w.cx->mem, "/v1/jobs/%.*s", FG_P(second)), NULL), 200, "its owner");
    struct fg_str input;
    CHECK(js_str(js_get(js_get(web_json(&w), "error"), "input"), &input) && FG_IS(input, "prompt"), "knows what");
    CHECK_I64(web_call(&w, "GET", arena_fmt(w.cx->mem, "/v1/jobs/%.*s/events", FG_P(second)), NULL), 200, "its timeline");
    CHECK(!strstr(sb_cstr(&w.resp.body), "phrase"), "and never the rule");
    web_end(&w, 0);
}

TEST(a_decision_is_one_of_two)
{
    static const char *const bad[] = { "{}", "[]", "{\"decision\":\"maybe\"}", "{\"decision\":true}",
                                       "{\"decision\":\"pass\",\"note\":1}", "{\"decision\":\"pass\",\"why\":\"x\"}" };
    struct web_world w;
    web_begin(&w);
    struct fg_str id = held_job(&w);
    as(&w, ROLE_ADMIN);
    for (size_t i = 0; i < FG_LEN(bad); i++)
        CHECK_I64(web_call(&w, "POST", DECISION(&w, id), bad[i]), 400, bad[i]);
    web_holds(&w, "(SELECT COUNT(*) FROM review WHERE state = 1) = 1", "nothing was decided");
    web_end(&w, 0);
}

TEST(metrics_tell_verdicts_and_services)
{
    struct web_world w;
    web_begin(&w);
    (void)held_job(&w);
    web_script(&w, "INSERT INTO moderation_tally VALUES ('rules', 3, 7); INSERT INTO moderation_service VALUES "
                   "('openai', 1, 1)");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/metrics"), NULL), 200, "metrics");
    const char *text = sb_cstr(&w.resp.body);
    CHECK(strstr(text, "filmgate_moderation_verdicts{checker=\"rules\",verdict=\"block\"} 7\n"), "verdicts");
    CHECK(strstr(text, "filmgate_moderation_service_away_seconds{service=\"openai\",refused=\"yes\"} "), "services");
    CHECK(strstr(text, "filmgate_jobs_in_flight{status=\"pending\",stage=\"in_review\"} 1\n"), "held jobs");
    web_end(&w, 0);
}
