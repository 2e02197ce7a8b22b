/* GET /v1/usage: what was charged and what is held, told apart as asked. */
#include "base/arena.h"
#include "web/web_world.h"

/* As the sweeper ends it, with 2 (settled) or 3 (released) in the books. */
static void book_end(struct web_world *w, struct fg_str id, int kind)
{
    web_script(w, arena_fmt(w->cx->mem, "INSERT INTO ledger (job_id, side, account_id, kind, amount_micro, currency, at_us) SELECT id, 1, account_id, %d, price_micro, currency, "
                            "created_us FROM job WHERE public_id = '%.*s'", kind, FG_P(id)).p);
}

static struct fg_str done_job(struct web_world *w)
{
    struct fg_str id = web_new_job(w);
    web_finish_job(w, id);
    book_end(w, id, 2);
    return id;
}

/* Account 1: two jobs of its own (one ended well, one under way), one of ann's that failed, one of a month ago.
 * Account 2: a job that nobody of account 1 may count. The world's clock stands at 2030-01-01. */
static void fill(struct web_world *w)
{
    (void)done_job(w);
    CHECK_I64(web_call(w, "POST", FG_LIT("/v1/jobs"),
                       "{\"prompt\":\"a fish\",\"aspectRatio\":\"16:9\",\"duration\":7,\"userId\":\"ann\"}"), 202,
              "under way");
    CHECK_I64(web_call(w, "POST", FG_LIT("/v1/jobs"),
                       "{\"prompt\":\"a fish\",\"aspectRatio\":\"16:9\",\"duration\":6,\"userId\":\"b\\\"b\"}"), 202,
              "to fail");
    struct fg_str failed = web_text(w, "id");
    web_script(w, arena_fmt(w->cx->mem, "UPDATE job SET state = 5, stage = 0, finished_us = created_us, error_code = "
                            "'provider_failed', version = version + 1 WHERE public_id = '%.*s'", FG_P(failed)).p);
    book_end(w, failed, 3);
    struct fg_str old = done_job(w);
    web_script(w, arena_fmt(w->cx->mem, "UPDATE job SET created_us = created_us - 86400000000 * 31 "
                            "WHERE public_id = '%.*s'; UPDATE ledger l JOIN job j ON j.id = l.job_id SET "
                            "l.at_us = j.created_us WHERE j.public_id = '%.*s'", FG_P(old), FG_P(old)).p);
    struct fg_str other, key, mine = w->key;
    CHECK_CODE(w->cx, account_create(w->cx, w->cli, FG_LIT("other"), &other), FG_OK);
    key = web_new_key(w, other, ROLE_APP, NULL);
    w->key = key;
    (void)web_new_job(w);
    w->key = mine;
}

static void check_rows(struct web_world *w, const char *query, const char *want)
{
    struct sb b = sb_in(w->cx->mem, 64 * FG_KIB);
    CHECK_I64(web_call(w, "GET", arena_fmt(w->cx->mem, "/v1/usage%s", query), NULL), 200, query);
    js_write(&b, js_get(web_json(w), "data"));
    CHECK_STR(sb_str(&b), fg_str_c(want), query);
}

#define LAST_MONTH "{\"day\":\"2029-12-01\",\"jobs\":1,\"succeeded\":1,\"failed\":0,\"canceled\":0,\"expired\":0,\"seconds\":5," \
                   "\"chargedMicro\":10000,\"heldMicro\":0,\"currency\":\"USD\"}"
#define TODAY "{\"day\":\"2030-01-01\",\"jobs\":3,\"succeeded\":1,\"failed\":1,\"canceled\":0,\"expired\":0,\"seconds\":5," \
              "\"chargedMicro\":10000,\"heldMicro\":14000,\"currency\":\"USD\"}"
#define ALL "{\"jobs\":4,\"succeeded\":2,\"failed\":1,\"canceled\":0,\"expired\":0,\"seconds\":10,\"chargedMicro\":20000," \
            "\"heldMicro\":14000,\"currency\":\"USD\"}"
#define ANN "{\"userId\":\"ann\",\"jobs\":1,\"succeeded\":0,\"failed\":0,\"canceled\":0,\"expired\":0,\"seconds\":0," \
            "\"chargedMicro\":0,\"heldMicro\":14000,\"currency\":\"USD\"}"

TEST(jobs_count_where_they_were_made)
{
    static const struct { const char *query, *want; } row[] = {
        { "", "[" TODAY "]" }, /* this month */
        { "?from=2029-12-01", "[" TODAY "," LAST_MONTH "]" },
        { "?from=2029-12-01&to=2030-01-01", "[" LAST_MONTH "]" },
        { "?from=2029-12-01T00:00:00Z&to=2029-12-02T00:00:00Z", "[" LAST_MONTH "]" },
        { "?from=2029-12-02&to=2030-01-01", "[]" },
        { "?from=2029-12-01&groupBy=", "[" ALL "]" },
        { "?groupBy=userId&userId=ann", "[" ANN "]" },
        { "?groupBy=model&userId=nobody", "[]" },
    };
    struct web_world w;
    web_begin(&w);
    fill(&w);
    for (size_t i = 0; i < FG_LEN(row); i++)
        check_rows(&w, row[i].query, row[i].want);
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/usage?groupBy=userId,model,day"), NULL), 200, "all three");
    CHECK_I64(web_data_n(&w), 3, "one each");
    CHECK(!web_data_text(&w, 0, "userId").p, "the account itself first");
    CHECK_IS(web_data_text(&w, 1, "userId"), "ann", "then by name");
    CHECK_IS(web_data_text(&w, 1, "model"), "studio-1", "its model");
    web_end(&w, 0);
}

TEST(a_user_sees_what_is_the_users)
{
    struct web_world w;
    web_begin(&w);
    fill(&w);
    w.key = web_new_key(&w, w.account, ROLE_USER, "ann");
    check_rows(&w, "?groupBy=userId", "[" ANN "]");
    check_rows(&w, "?groupBy=userId&userId=b%22b", "[" ANN "]");
    web_end(&w, 0);
}

TEST(what_was_stopped_is_told_apart)
{
    struct web_world w;
    web_begin(&w);
    fill(&w);
    web_script(&w, "UPDATE job SET error_code = 'canceled', version = version + 1 WHERE error_code = 'provider_failed'");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/usage?groupBy="), NULL), 200, "all");
    CHECK(strstr(arena_cstr(w.cx->mem, sb_str(&w.resp.body)), "\"failed\":1,\"canceled\":1,") != NULL, "of the failed");
    web_end(&w, 0);
}

TEST(csv_is_for_those_who_do_sums_elsewhere)
{
    struct web_world w;
    web_begin(&w);
    fill(&w);
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/usage?format=csv&groupBy=userId,day"), NULL), 200, "csv");
    CHECK_IS(w.resp.content_type, "text/csv; charset=utf-8; header=present", "its type");
    CHECK_IS(web_got(&w, "Content-Disposition"), "attachment; filename=\"usage.csv\"", "a file");
    CHECK_IS(sb_str(&w.resp.body),
             "day,model,userId,jobs,succeeded,failed,canceled,expired,seconds,chargedMicro,heldMicro,currency\r\n"
             "2030-01-01,\"\",\"\",1,1,0,0,0,5,10000,0,USD\r\n"
             "2030-01-01,\"\",\"ann\",1,0,0,0,0,0,0,14000,USD\r\n"
             "2030-01-01,\"\",\"b\"\"b\",1,0,1,0,0,0,0,0,USD\r\n", "quotes are doubled");
    web_end(&w, 0);
}

TEST(what_cannot_be_answered_is_told)
{
    static const char *const row[] = {
        "?from=yesterday", "?to=2030-02-30", "?groupBy=provider", "?groupBy=day,day", "?format=xml", "?userId=",
        "?from=2030-01-02&to=2030-01-01", "?from=2028-01-01", "?to=2029-12-31", "?frm=2030-01-01",
    };
    struct web_world w;
    web_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        CHECK_I64(web_call(&w, "GET", arena_fmt(w.cx->mem, "/v1/usage%s", row[i]), NULL), 400, row[i]);
        CHECK_IS(web_text(&w, "code"), "invalid_request", row[i]);
        CHECK_I64(js_len(js_get(web_json(&w), "errors")), 1, row[i]);
    }
    struct web_req req = web_request("GET", FG_LIT("/v1/usage"), FG_NONE, FG_NONE);
    CHECK_I64(web_send(&w, &req), 401, "nobody");
    /* 3001 users of one day */
    web_script(&w, "INSERT INTO job (public_id, account_id, user_id, state, stage, version, provider, model, prompt, "
                   "aspect_ratio, duration_s, resolution, price_micro, currency, request_id, created_us, updated_us, "
                   "deadline_us) SELECT CONCAT('job_many', seq), 1, CONCAT('u', seq), 1, 2, 1, 'studio', 'studio-1', "
                   "'p', '16:9', 5, '480p', 1, 'USD', 'r', 1893456000000000, 1, 1 FROM seq_1_to_3001;"
                   "INSERT INTO ledger (job_id, side, account_id, kind, amount_micro, currency, at_us) SELECT id, 0, account_id, 1, 1, 'USD', created_us FROM job");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/usage?groupBy=userId"), NULL), 400, "too many rows are none");
    CHECK_I64(web_call(&w, "GET", FG_LIT("/v1/usage"), NULL), 200, "fewer groups");
    web_end(&w, 0);
}
