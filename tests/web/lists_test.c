/* Lists of jobs as a person asks for them: by state, by words, with what comes next and whose fault an end is. */
#include "base/arena.h"
#include "base/time.h"
#include "job/job.h"
#include "web/web_world.h"

static struct fg_str new_job(struct web_world *w, const char *prompt)
{
    struct fg_str body = arena_fmt(w->cx->mem, "{\"prompt\":\"%s\",\"aspectRatio\":\"16:9\",\"duration\":5,\"allowDuplicate\":true}", prompt);
    CHECK_I64(web_call(w, "POST", FG_LIT("/v1/jobs"), body.p), 202, prompt);
    t_advance(&w->t, FG_US_PER_S);
    return web_text(w, "id");
}

/* As if it had ended so. */
static void end_job(struct web_world *w, struct fg_str id, enum job_state state, const char *code)
{
    web_script(w, arena_fmt(w->cx->mem,
                            "UPDATE job SET state = %d, stage = 0, error_code = '%s', finished_us = updated_us, version = version + 1 "
                            "WHERE public_id = '%.*s'; DELETE FROM due WHERE job_id = (SELECT id FROM job WHERE public_id = '%.*s')",
                            (int)state, code, FG_P(id), FG_P(id)).p);
}

/* Follows the cursor to the end: the ids' places in id[], as letters. */
static struct fg_str walk(struct web_world *w, const char *query, int limit, const struct fg_str *id, size_t n)
{
    struct sb seen = sb_in(w->cx->mem, 200);
    struct fg_str cursor = FG_NONE;
    do {
        CHECK_I64(web_call(w, "GET", cursor.p ? arena_fmt(w->cx->mem, "/v1/jobs?limit=%d&%s&cursor=%.*s", limit, query, FG_P(cursor))
                                              : arena_fmt(w->cx->mem, "/v1/jobs?limit=%d&%s", limit, query), NULL), 200, query);
        for (size_t i = 0; i < web_data_n(w); i++)
            for (size_t k = 0; k < n; k++)
                if (fg_eq(web_data_text(w, i, "id"), id[k]))
                    sb_add_c(&seen, (char)('a' + k));
        cursor = web_text(w, "nextCursor");
    } while (cursor.p);
    return sb_str(&seen);
}

TEST(states_filter_alone_and_together_and_no_page_loses_any)
{
    struct web_world w;
    struct fg_str id[8];
    web_begin(&w);
    for (size_t i = 0; i < FG_LEN(id); i++)
        id[i] = new_job(&w, "a red kite");
    web_finish_job(&w, id[1]);
    web_finish_job(&w, id[4]);
    end_job(&w, id[2], JOB_FAILED, "provider_failed");
    end_job(&w, id[5], JOB_EXPIRED, "deadline_exceeded");
    end_job(&w, id[6], JOB_FAILED, "canceled");
    static const struct { const char *query, *want; } row[] = {
        { "status=succeeded", "eb" },
        { "status=failed,expired", "gfc" },
        { "status=running", "hda" },
        { "status=finished", "gfecb" },
        { "status=succeeded,running", "hedba" },
        { "status=running,finished", "hgfedcba" },
        { "status=queued", "" },
    };
    for (size_t i = 0; i < FG_LEN(row); i++)
        for (int limit = 1; limit <= 9; limit += 2)
            CHECK_STR(walk(&w, row[i].query, limit, id, FG_LEN(id)), fg_str_c(row[i].want), row[i].query);
    web_end(&w, 0);
}

TEST(words_are_looked_for_in_any_case_all_of_them)
{
    struct web_world w;
    struct fg_str id[6];
    static const char *const prompt[] = { "A lighthouse in a STORM", "a storm over the sea", "Ein Schiff im Sturm, größer als alle",
                                          "100% cotton_sheets \\\\ in the wind", "\xf0\x9f\x8e\xac a film about a lighthouse",
                                          "\xf0\x9f\x8c\x8a waves" };
    web_begin(&w);
    for (size_t i = 0; i < FG_LEN(id); i++)
        id[i] = new_job(&w, prompt[i]);
    static const struct { const char *query, *want; } row[] = {
        { "q=storm", "ba" },
        { "q=Storm+LIGHTHOUSE", "a" },
        { "q=light%20house", "ea" },
        { "q=lighthouses", "" },
        { "q=light", "ea" },
        { "q=GR%C3%96SSER", "c" }, /* as German writes a sharp s in capitals */
        { "q=GR%C3%96%C3%9FER", "c" },
        { "q=%25", "d" },
        { "q=_", "d" },
        { "q=%5C", "d" },
        { "q=%F0%9F%8E%AC", "e" },
        { "q=a+a+a+a+a+a+a+a", "fecba" },
    };
    for (size_t i = 0; i < FG_LEN(row); i++)
        for (int limit = 1; limit <= 3; limit++)
            CHECK_STR(walk(&w, row[i].query, limit, id, FG_LEN(id)), fg_str_c(row[i].want), row[i].query);
    web_finish_job(&w, id[0]);
    CHECK_IS(walk(&w, "q=storm&status=running", 5, id, FG_LEN(id)), "b", "words and states");
    CHECK(!web_text(&w, "searchedBackTo").p, "all of them have been looked at");
    web_script(&w, "UPDATE job SET deleted_us = 1, prompt = NULL WHERE prompt LIKE 'a storm%'");
    CHECK_IS(walk(&w, "q=storm", 5, id, FG_LEN(id)), "a", "what is deleted is not found");
    web_end(&w, 0);
}

TEST(a_search_looks_at_so_many_and_says_how_far_it_came)
{
    struct web_world w;
    web_begin(&w);
    struct fg_str id = new_job(&w, "a needle in the hay");
    web_script(&w, arena_fmt(w.cx->mem,
                             "INSERT INTO job (public_id, account_id, state, stage, version, provider, model, prompt, aspect_ratio, "
                             "duration_s, resolution, price_micro, currency, request_id, created_us, updated_us, finished_us, deadline_us, "
                             "error_code) SELECT CONCAT('job_', LPAD(s.seq, 26, '0')), j.account_id, 5, 0, 1, j.provider, j.model, 'hay', "
                             "j.aspect_ratio, 5, j.resolution, 1, 'USD', 'r', j.created_us + s.seq, 1, 1, 1, 'canceled' "
                             "FROM job j JOIN seq_1_to_%d s", JOB_SEARCH_ROWS).p);
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/jobs?q=needle"), NULL), 200, "the newest");
    CHECK_I64(web_data_n(&w), 0, "it is not among these");
    struct fg_str back = web_text(&w, "searchedBackTo"), next = web_text(&w, "nextCursor");
    CHECK(back.p && next.p, "but that is not the end");
    CHECK_I64(web_call(&w, "GET", arena_fmt(w.cx->mem, "/v1/jobs?q=needle&cursor=%.*s", FG_P(next)), NULL), 200, "the rest");
    CHECK_I64(web_data_n(&w), 1, "there it is");
    CHECK_STR(web_data_text(&w, 0, "id"), id, "there it is");
    CHECK(!web_text(&w, "nextCursor").p && !web_text(&w, "searchedBackTo").p, "and that was all");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/jobs?q=hay&limit=2"), NULL), 200, "more than a page");
    CHECK(web_text(&w, "searchedBackTo").p && web_data_n(&w) == 2, "then it has come to the last one it shows");
    web_end(&w, 0);
}

TEST(a_search_shows_a_user_its_own)
{
    struct web_world w;
    web_begin(&w);
    (void)new_job(&w, "a kite of the app");
    struct fg_str app = w.key;
    w.key = web_new_key(&w, w.account, ROLE_USER, "anna");
    struct fg_str id = new_job(&w, "a kite of anna");
    CHECK_IS(walk(&w, "q=kite", 5, &id, 1), "a", "her own");
    CHECK_I64(web_data_n(&w), 1, "and no other");
    w.key = app;
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/jobs?q=kite&userId=bob"), NULL), 200, "of a user");
    CHECK_I64(web_data_n(&w), 0, "who has none");
    web_end(&w, 0);
}

TEST(bad_filters_are_refused)
{
    static const char *const bad[] = { "status=", "status=,", "status=failed,,expired", "status=done", "status=failed,done",
                                       "status=Failed", "q=", "q=+", "q=1+2+3+4+5+6+7+8+9" };
    struct web_world w;
    web_begin(&w);
    for (size_t i = 0; i < FG_LEN(bad); i++)
        CHECK_I64(web_call(&w, "GET", arena_fmt(w.cx->mem, "/v1/jobs?%s", bad[i]), NULL), 400, bad[i]);
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/jobs?q=a&changedSince=2026-01-01T00:00:00Z"), NULL), 400, "changes are not searched");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/jobs?status=running&changedSince=2026-01-01T00:00:00Z"), NULL), 400, "nor filtered");
    struct sb longest = sb_in(w.cx->mem, 400);
    sb_add(&longest, FG_LIT("/v1/jobs?q="));
    for (int i = 0; i < JOB_WORDS_CHARS; i++)
        sb_add_c(&longest, 'x');
    CHECK_I64(web_call(&w, "GET", sb_str(&longest), NULL), 200, "the longest");
    sb_add_c(&longest, 'x');
    CHECK_I64(web_call(&w, "GET", sb_str(&longest), NULL), 400, "and one more");
    web_end(&w, 0);
}

static struct fg_str next_check(struct web_world *w, struct fg_str id)
{
    CHECK_I64(web_call(w, "GET", arena_fmt(w->cx->mem, "/v1/jobs/%.*s", FG_P(id)), NULL), 200, "the job");
    return web_text(w, "nextCheckAt");
}

TEST(the_next_look_is_told_and_makes_no_new_version)
{
    struct web_world w;
    web_begin(&w);
    struct fg_str id = new_job(&w, "a red kite"), now;
    struct fg_str path = arena_fmt(w.cx->mem, "/v1/jobs/%.*s", FG_P(id));
    int64_t later_us = w.t.utc_us + 90 * FG_US_PER_S;
    web_script(&w, arena_fmt(w.cx->mem, "UPDATE due SET due_us = %lld WHERE kind <> 5", (long long)later_us).p);
    CHECK_STR(next_check(&w, id), time_iso(w.cx->mem, later_us), "when its work is due");
    struct fg_str tag = web_got(&w, "ETag");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/jobs?status=running"), NULL), 200, "a list");
    CHECK_STR(web_data_text(&w, 0, "nextCheckAt"), time_iso(w.cx->mem, later_us), "tells it too");
    web_script(&w, arena_fmt(w.cx->mem, "UPDATE due SET due_us = %lld WHERE kind <> 5", (long long)later_us + 5 * FG_US_PER_S).p);
    struct web_req req = web_request("GET", path, w.key, FG_NONE);
    req.header[WEB_IF_NONE_MATCH] = tag;
    CHECK_I64(web_send(&w, &req), 304, "another time is no news");
    web_script(&w, "UPDATE due SET due_us = 1 WHERE kind <> 5");
    now = next_check(&w, id);
    CHECK_STR(now, time_iso(w.cx->mem, w.t.utc_us), "what is overdue: now");
    web_script(&w, arena_fmt(w.cx->mem, "UPDATE due SET due_us = %lld, owner = REPEAT('x', 16) WHERE kind <> 5", (long long)later_us).p);
    CHECK_STR(next_check(&w, id), now, "and so what is claimed, whenever its lease ends");
    web_script(&w, "DELETE FROM due WHERE kind <> 5");
    CHECK(!next_check(&w, id).p, "a person has to act: not known");
    web_finish_job(&w, id);
    CHECK(!next_check(&w, id).p, "it has ended");
    web_end(&w, 0);
}

TEST(whose_fault_it_is_comes_from_the_table_of_reasons)
{
    static const struct { const char *code, *fault; } row[] = {
        { "blocked_prompt", "request" }, { "image_unreachable", "request" }, { "provider_failed", "provider" },
        { "provider_credit", "service" }, { "review_expired", "service" }, { "canceled", "" },
    };
    struct web_world w;
    web_begin(&w);
    struct fg_str id = new_job(&w, "a red kite"), fault = FG_NONE;
    for (size_t i = 0; i <= FG_LEN(row); i++) {
        const char *code = i < FG_LEN(row) ? row[i].code : "deadline_exceeded";
        end_job(&w, id, i < FG_LEN(row) ? JOB_FAILED : JOB_EXPIRED, code);
        (void)next_check(&w, id);
        bool told = js_str(js_get(js_get(web_json(&w), "error"), "fault"), &fault);
        if (i < FG_LEN(row))
            CHECK_STR(told ? fault : FG_LIT(""), fg_str_c(row[i].fault), code);
    }
    CHECK_IS(fault, "service", "it waited in our own line until its time was over");
    web_script(&w, "UPDATE job SET attempt_n = 1");
    (void)next_check(&w, id);
    CHECK(js_str(js_get(js_get(web_json(&w), "error"), "fault"), &fault), "once it was submitted");
    CHECK_IS(fault, "provider", "it waited for the provider");
    web_end(&w, 0);
}
