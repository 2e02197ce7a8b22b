/* How long a video is kept, as it is asked for and shown; DELETE /v1/users/{userId}. */
#include "base/arena.h"
#include "web/web_world.h"

static int create(struct web_world *w, const char *more)
{
    return web_call(w, "POST", FG_LIT("/v1/jobs"),
                    arena_fmt(w->cx->mem, "{\"prompt\":\"a red kite\",\"aspectRatio\":\"16:9\",\"duration\":5%s}", more).p);
}

TEST(retain_days_within_the_plan)
{
    static const struct {
        const char *more, *code;
        int status;
    } row[] = {
        { ",\"retainDays\":0", "invalid_request", 400 },      { ",\"retainDays\":36501", "invalid_request", 400 },
        { ",\"retainDays\":\"5\"", "invalid_request", 400 },  { ",\"retainDays\":1.5", "invalid_request", 400 },
        { ",\"retainDays\":31", "plan_limit", 403 },
    };
    struct web_world w;
    web_begin(&w);
    web_script(&w, "UPDATE plan SET output_days = 30");
    for (size_t i = 0; i < FG_LEN(row); i++) {
        CHECK_I64(create(&w, row[i].more), row[i].status, row[i].more);
        CHECK_STR(web_text(&w, "code"), fg_str_c(row[i].code), row[i].more);
        struct fg_str path = FG_NONE;
        CHECK(js_str(js_get(js_at(js_get(web_json(&w), "errors"), 0), "path"), &path), row[i].more);
        CHECK_IS(path, "/retainDays", row[i].more);
    }
    CHECK_I64(create(&w, ",\"retainDays\":30"), 202, "as long as the plan");
    CHECK_I64(web_number(&w, "retainDays"), 30, "shown");
    CHECK(js_type(js_get(web_json(&w), "expiresAt")) == JS_NULL, "nothing is stored yet");
    CHECK_I64(create(&w, ",\"retainDays\":null,\"allowDuplicate\":true"), 202, "none");
    CHECK(js_type(js_get(web_json(&w), "retainDays")) == JS_NULL, "as the plan says");
    web_end(&w, 0);
}

TEST(when_it_expires)
{
    struct web_world w;
    web_begin(&w);
    CHECK_I64(create(&w, ""), 202, "made");
    struct fg_str id = arena_str(w.cx->mem, web_text(&w, "id"));
    web_script(&w, "UPDATE job SET state = 4, stage = 0, finished_us = 1, output_state = 1, expires_us = 1893542400000000, "
                   "version = 2");
    CHECK_I64(web_call(&w, "GET", arena_fmt(w.cx->mem, "/v1/jobs/%.*s", FG_P(id)), NULL), 200, "read");
    CHECK_IS(web_text(&w, "expiresAt"), "2030-01-02T00:00:00.000Z", "said");
    web_script(&w, "UPDATE job SET output_state = 2, version = 3");
    CHECK_I64(web_call(&w, "GET", arena_fmt(w.cx->mem, "/v1/jobs/%.*s", FG_P(id)), NULL), 200, "read");
    CHECK(js_type(js_get(web_json(&w), "expiresAt")) == JS_NULL, "it has gone");
    web_script(&w, "UPDATE job SET output_state = 1");
    web_script(&w, "INSERT INTO legal_hold (account_id, reason, placed_by, since_us) VALUES (1, 'r', 'b', 1)");
    CHECK_I64(web_call(&w, "DELETE", arena_fmt(w.cx->mem, "/v1/jobs/%.*s", FG_P(id)), NULL), 409, "held");
    CHECK_IS(web_text(&w, "code"), "legal_hold", "in words");
    web_end(&w, 0);
}

TEST(a_user_is_erased_by_its_app_alone)
{
    struct web_world w;
    web_begin(&w);
    CHECK_I64(web_call(&w, "DELETE", FG_LIT("/v1/users/anna"), NULL), 202, "taken");
    struct fg_str id = arena_str(w.cx->mem, web_text(&w, "id"));
    CHECK(fg_starts(id, FG_LIT("era_")), "its id");
    CHECK_IS(web_text(&w, "userId"), "anna", "whose");
    CHECK_I64(web_number(&w, "jobsErased"), 0, "so far");
    CHECK_I64(web_call(&w, "DELETE", FG_LIT("/v1/users/anna"), NULL), 202, "again");
    CHECK_STR(web_text(&w, "id"), id, "the same");
    web_holds(&w, "(SELECT COUNT(*) FROM erasure WHERE user_id = 'anna' AND account_id = 1) = 1", "once");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/users/anna"), NULL), 405, "that is all there is");
    web_script(&w, "INSERT INTO legal_hold (account_id, user_id, reason, placed_by, since_us) VALUES (1, 'bob', 'r', 'b', 1)");
    CHECK_I64(web_call(&w, "DELETE", FG_LIT("/v1/users/bob"), NULL), 409, "held");
    CHECK_IS(web_text(&w, "code"), "legal_hold", "in words");
    w.key = web_new_key(&w, w.account, ROLE_USER, "anna");
    CHECK_I64(web_call(&w, "DELETE", FG_LIT("/v1/users/anna"), NULL), 403, "not by a user");
    web_end(&w, 0);
}
