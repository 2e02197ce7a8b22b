/* Every limit through the handlers: what it says, that nothing was made for it, and when it is free again. */
#include "app.h"
#include "base/arena.h"
#include "base/time.h"
#include "web/web_world.h"

#define USUAL ",\"duration\":5"
#define ANN USUAL ",\"userId\":\"ann\""
#define DAY (86400 * FG_US_PER_S)

static int create(struct web_world *w, const char *more)
{
    return web_call(w, "POST", FG_LIT("/v1/jobs"),
                    arena_fmt(w->cx->mem, "{\"prompt\":\"a red kite\",\"aspectRatio\":\"16:9\"%s}", more).p);
}

static int create_with_key(struct web_world *w, const char *key, const char *more)
{
    struct web_req req = web_request("POST", FG_LIT("/v1/jobs"), w->key,
                                     arena_fmt(w->cx->mem, "{\"prompt\":\"a red kite\",\"aspectRatio\":\"16:9\"%s}", more));
    req.header[WEB_IDEMPOTENCY_KEY] = fg_str_c(key);
    return web_send(w, &req);
}

#define ROWS "(SELECT COUNT(*) FROM job) + (SELECT COUNT(*) FROM ledger) + (SELECT COUNT(*) FROM due) + " \
             "(SELECT COUNT(*) FROM job_event) + (SELECT COUNT(*) FROM idempotency)"

/* What a refusal may not change: rows of any kind, and what the account has used. */
static void remember(struct web_world *w)
{
    web_script(w, "CREATE OR REPLACE TEMPORARY TABLE before_it AS SELECT " ROWS " n, u.* FROM account_use u WHERE "
                  "account_id = 1");
}

static void check_nothing_happened(struct web_world *w, const char *why)
{
    web_holds(w, "EXISTS (SELECT 1 FROM before_it b JOIN account_use u ON u.account_id = 1 AND u.balance_micro = "
                 "b.balance_micro AND u.outstanding_n = b.outstanding_n AND u.minute_n = b.minute_n AND u.day_n = b.day_n "
                 "AND u.day_micro = b.day_micro AND u.month_micro = b.month_micro WHERE b.n = " ROWS ")", why);
}

static const struct {
    const char *set;                /* of plan, account or account_use */
    int before;                     /* jobs that are accepted first */
    const char *more;               /* of them and of the one that is refused */
    int status;
    const char *code, *limit;
    int64_t max, current;
    const char *free_at, *retry_after, *policy, *rate;
} refusals[] = {
    { "UPDATE plan SET minute_max = 2", 2, USUAL, 429, "rate_limited", "jobsPerMinute", 2, 2, "2030-01-01T00:01:00.000Z",
      "60", "\"jobsPerMinute\";q=2;w=60", "\"jobsPerMinute\";r=0;t=60" },
    { "UPDATE plan SET day_max = 3", 3, USUAL, 429, "rate_limited", "jobsPerDay", 3, 3, "2030-01-02T00:00:00.000Z",
      "86400", "\"jobsPerDay\";q=3;w=86400", "\"jobsPerDay\";r=0;t=86400" },
    { "UPDATE plan SET outstanding_max = 1", 1, USUAL, 429, "job_limit", "outstandingJobs", 1, 1, NULL, "2", NULL, NULL },
    { "UPDATE plan SET user_outstanding_max = 1", 1, ANN, 429, "job_limit", "outstandingJobsOfUser", 1, 1, NULL, "2", NULL,
      NULL },
    { "UPDATE plan SET day_micro = 29999", 2, USUAL, 429, "budget_exceeded", "budgetPerDay", 29999, 20000,
      "2030-01-02T00:00:00.000Z", "86400", NULL, NULL },
    { "UPDATE plan SET month_micro = 19999", 1, USUAL, 429, "budget_exceeded", "budgetPerMonth", 19999, 10000,
      "2030-02-01T00:00:00.000Z", "2678400", NULL, NULL },
    { "UPDATE account SET credit_limit_micro = 0", 0, USUAL, 402, "balance_too_low", "balance", 0, 0, NULL, NULL, NULL,
      NULL },
    { "UPDATE account SET credit_limit_micro = 15000", 1, USUAL, 402, "balance_too_low", "balance", 15000, -10000, NULL,
      NULL, NULL, NULL },
    { "UPDATE plan SET storage_bytes = 1000; UPDATE account_use SET storage_bytes = 1000", 0, USUAL, 409, "storage_limit",
      "storageBytes", 1000, 1000, NULL, NULL, NULL, NULL },
};

static int64_t number_of(const struct js *object, const char *member)
{
    int64_t n = INT64_MIN;
    (void)js_i64(js_get(object, member), &n);
    return n;
}

static void check_header(struct web_world *w, const char *name, const char *want, const char *why)
{
    CHECK_STR(web_got(w, name), want ? fg_str_c(want) : FG_NONE, why);
}

static void refused(size_t i)
{
    struct web_world w;
    const char *why = refusals[i].set;
    struct fg_str name, free_at = FG_NONE;
    web_begin(&w);
    web_script(&w, why);
    for (int k = 0; k < refusals[i].before; k++)
        CHECK_I64(create(&w, refusals[i].more), 202, why);
    remember(&w);
    CHECK_I64(create(&w, refusals[i].more), refusals[i].status, why);
    CHECK_STR(web_text(&w, "code"), fg_str_c(refusals[i].code), why);
    const struct js *limit = js_get(web_json(&w), "limit");
    CHECK(js_str(js_get(limit, "name"), &name), why);
    CHECK_STR(name, fg_str_c(refusals[i].limit), why);
    CHECK_I64(number_of(limit, "max"), refusals[i].max, why);
    CHECK_I64(number_of(limit, "current"), refusals[i].current, why);
    (void)js_str(js_get(limit, "freeAt"), &free_at);
    CHECK_STR(free_at, refusals[i].free_at ? fg_str_c(refusals[i].free_at) : FG_NONE, why);
    check_header(&w, "Retry-After", refusals[i].retry_after, why);
    check_header(&w, "RateLimit-Policy", refusals[i].policy, why);
    check_header(&w, "RateLimit", refusals[i].rate, why);
    check_nothing_happened(&w, why);
    CHECK_I64(create_with_key(&w, "k", refusals[i].more), refusals[i].status, "a key opens no door");
    check_nothing_happened(&w, "and is not kept");
    web_end(&w, 0);
}

TEST(every_limit_says_which_how_much_and_until_when)
{
    for (size_t i = 0; i < FG_LEN(refusals); i++)
        refused(i);
}

TEST(an_accepted_job_tells_what_is_left_of_the_rates)
{
    struct web_world w;
    web_begin(&w);
    CHECK_I64(create(&w, USUAL), 202, "without limits");
    check_header(&w, "RateLimit", NULL, "nothing is told");
    web_script(&w, "UPDATE plan SET minute_max = 5, day_max = 9, day_micro = 1000000");
    t_advance(&w.t, 18 * FG_US_PER_S + 1);
    CHECK_I64(create(&w, USUAL), 202, "the second");
    check_header(&w, "RateLimit-Policy", "\"jobsPerMinute\";q=5;w=60, \"jobsPerDay\";q=9;w=86400", "rates alone");
    check_header(&w, "RateLimit", "\"jobsPerMinute\";r=3;t=42, \"jobsPerDay\";r=7;t=86382", "with this one");
    web_end(&w, 0);
}

TEST(what_the_plan_does_not_include_is_told_by_field)
{
    static const struct {
        const char *set, *more, *path;
    } row[] = {
        { "UPDATE plan SET durations = '5,6'", ",\"duration\":7", "/duration" },
        { "UPDATE plan SET durations = NULL, resolutions = '360p'", USUAL ",\"resolution\":\"720p\"", "/resolution" },
        { "UPDATE plan SET resolutions = '4k'", USUAL, "/resolution" },
        { "UPDATE plan SET resolutions = NULL, models = 'kling-3.0'", USUAL, "/model" },
        { "UPDATE plan SET models = NULL; UPDATE account SET currency = 'EUR'", USUAL, "/model" },
    };
    struct web_world w;
    web_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fg_str path = FG_NONE, code = FG_NONE;
        web_script(&w, row[i].set);
        remember(&w);
        CHECK_I64(create(&w, row[i].more), 403, row[i].set);
        CHECK_IS(web_text(&w, "code"), "plan_limit", row[i].set);
        const struct js *errors = js_get(web_json(&w), "errors");
        CHECK_I64(js_len(errors), 1, row[i].set);
        (void)js_str(js_get(js_at(errors, 0), "path"), &path);
        (void)js_str(js_get(js_at(errors, 0), "code"), &code);
        CHECK_STR(path, fg_str_c(row[i].path), row[i].set);
        CHECK_IS(code, "plan", row[i].set);
        check_nothing_happened(&w, row[i].set);
    }
    web_script(&w, "UPDATE account SET currency = 'USD'; UPDATE plan SET durations = '5', resolutions = '480p', "
                   "models = 'studio-1'");
    CHECK_I64(create(&w, USUAL), 202, "just what it includes");
    web_end(&w, 0);
}

TEST(limits_are_free_again_when_they_said)
{
    static const struct {
        const char *set;
        int64_t after_us;
    } row[] = {
        { "UPDATE plan SET minute_max = 1", 60 * FG_US_PER_S },
        { "UPDATE plan SET day_max = 1", DAY },
        { "UPDATE plan SET day_micro = 10000", DAY },
        { "UPDATE plan SET month_micro = 10000", 31 * DAY },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct web_world w;
        web_begin(&w);
        web_script(&w, row[i].set);
        CHECK_I64(create(&w, USUAL), 202, row[i].set);
        t_advance(&w.t, row[i].after_us - 1);
        CHECK_I64(create(&w, USUAL), 429, "a microsecond before");
        check_header(&w, "Retry-After", "1", row[i].set);
        t_advance(&w.t, 1);
        CHECK_I64(create(&w, USUAL), 202, row[i].set);
        CHECK_I64(create(&w, USUAL), 429, "and full again");
        web_end(&w, 0);
    }
}

TEST(a_job_that_ends_for_nothing_gives_back_what_it_held)
{
    static const char *const row[] = {
        "UPDATE plan SET day_micro = 10000", "UPDATE plan SET month_micro = 10000", "UPDATE plan SET outstanding_max = 1",
        "UPDATE plan SET user_outstanding_max = 1", "UPDATE account SET credit_limit_micro = 10000",
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct web_world w;
        web_begin(&w);
        web_script(&w, row[i]);
        CHECK_I64(create(&w, ANN), 202, row[i]);
        struct fg_str id = web_text(&w, "id");
        CHECK(create(&w, ANN) >= 400, row[i]);
        CHECK_I64(web_call(&w, "POST", arena_fmt(w.cx->mem, "/v1/jobs/%.*s/cancel", FG_P(id)), NULL), 200, row[i]);
        CHECK_IS(web_text(&w, "status"), "failed", "nobody had begun it");
        CHECK_I64(create(&w, ANN), 202, row[i]);
        web_holds(&w, "(SELECT balance_micro = -10000 AND day_micro = 10000 AND month_micro = 10000 AND outstanding_n = 1 "
                      "AND minute_n = 2 FROM account_use)", "held once; both were jobs of this minute");
        web_end(&w, 0);
    }
}

TEST(the_limit_of_a_user_is_of_each_user)
{
    struct web_world w;
    web_begin(&w);
    web_script(&w, "UPDATE plan SET user_outstanding_max = 1");
    CHECK_I64(create(&w, ANN), 202, "ann");
    CHECK_I64(create(&w, ANN), 429, "ann again");
    CHECK_I64(create(&w, USUAL ",\"userId\":\"bob\""), 202, "bob");
    CHECK_I64(create(&w, USUAL), 202, "nobody's");
    CHECK_I64(create(&w, USUAL), 202, "are not counted so");
    w.key = web_new_key(&w, w.account, ROLE_USER, "bob");
    CHECK_I64(create(&w, USUAL), 429, "bob by his own key");
    web_end(&w, 0);
}

TEST(a_user_is_not_told_what_the_account_may_spend)
{
    static const struct {
        const char *set, *code, *limit;
        bool figures;
    } row[] = {
        { "UPDATE plan SET day_micro = 1234", "budget_exceeded", "budgetPerDay", false },
        { "UPDATE plan SET day_micro = NULL; UPDATE account SET credit_limit_micro = 1234", "balance_too_low", "balance",
          false },
        { "UPDATE account SET credit_limit_micro = NULL; UPDATE plan SET user_outstanding_max = 0", "job_limit",
          "outstandingJobsOfUser", true },
    };
    struct web_world w;
    web_begin(&w);
    w.key = web_new_key(&w, w.account, ROLE_USER, "ann");
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fg_str name = FG_NONE;
        web_script(&w, row[i].set);
        CHECK(create(&w, USUAL) >= 400, row[i].set);
        CHECK_STR(web_text(&w, "code"), fg_str_c(row[i].code), row[i].set);
        const struct js *limit = js_get(web_json(&w), "limit");
        CHECK(js_str(js_get(limit, "name"), &name) && fg_eq(name, fg_str_c(row[i].limit)), row[i].set);
        CHECK(!js_get(limit, "max") == !row[i].figures && !js_get(limit, "current") == !row[i].figures, row[i].set);
        CHECK(!strstr(sb_cstr(&w.resp.body), "1234"), "nor in words");
    }
    web_end(&w, 0);
}

/* first: the job's id, and when it was created. */
static void check_duplicate(struct web_world *w, struct fg_str first, int64_t created_us, const char *why)
{
    CHECK_I64(w->resp.status, 409, why);
    CHECK_IS(web_text(w, "code"), "duplicate_request", why);
    CHECK_STR(web_text(w, "jobId"), first, why);
    CHECK_STR(web_text(w, "createdAt"), time_iso(w->cx->mem, created_us), why);
    CHECK_STR(web_got(w, "Location"), arena_fmt(w->cx->mem, "/v1/jobs/%.*s", FG_P(first)), why);
}

TEST(the_same_wish_twice_is_asked_about)
{
    static const struct {
        const char *more, *why;
    } passes[] = {
        { USUAL ",\"allowDuplicate\":true", "said to be meant" },
        { ANN, "another user" },
        { ",\"duration\":6", "another length" },
        { USUAL ",\"resolution\":\"360p\"", "another resolution" },
        { USUAL ",\"seed\":1", "a seed" },
        { USUAL ",\"metadata\":{\"n\":\"1\"}", "other metadata" },
        { USUAL ",\"model\":\"studio-1\"", "named, not chosen" },
    };
    struct web_world w;
    web_begin(&w);
    w.conf.limits_duplicate_window_s = 30;
    struct fg_str first = web_new_job(&w);
    int64_t at_us = w.t.utc_us;
    remember(&w);
    t_advance(&w.t, 12 * FG_US_PER_S);
    (void)create(&w, USUAL);
    check_duplicate(&w, first, at_us, "just the same");
    (void)web_call(&w, "POST", FG_LIT("/v1/jobs"), "{ \"duration\": 5, \"prompt\": \" a red kite \", \"resolution\": \"480p\", "
                                                   "\"aspectRatio\": \"16:9\", \"seed\": null, \"deadlineSeconds\": 99 }");
    check_duplicate(&w, first, at_us, "in other words");
    (void)create_with_key(&w, "k0", USUAL ",\"allowDuplicate\":false");
    check_duplicate(&w, first, at_us, "a key does not say that it is meant, where that is asked");
    CHECK_I64(web_call(&w, "POST", FG_LIT("/v1/quotes"), "{\"prompt\":\"a red kite\",\"aspectRatio\":\"16:9\",\"duration\":5}"),
              200, "a quote is no second wish");
    struct fg_str quote = arena_fmt(w.cx->mem, USUAL ",\"quoteId\":\"%.*s\"", FG_P(web_text(&w, "id")));
    (void)create(&w, quote.p);
    check_duplicate(&w, first, at_us, "nor is it another wish for having a quote");
    check_nothing_happened(&w, "four times nothing");
    for (size_t i = 0; i < FG_LEN(passes); i++)
        CHECK_I64(create(&w, passes[i].more), 202, passes[i].why);
    CHECK_I64(web_call(&w, "POST", FG_LIT("/v1/jobs"), "{\"prompt\":\"a blue kite\",\"aspectRatio\":\"16:9\",\"duration\":5}"),
              202, "another prompt");
    CHECK_I64(create_with_key(&w, "k1", USUAL), 202, "a key says that it is meant");
    CHECK_I64(create(&w, quote.p), 409, "the quote waits");
    t_advance(&w.t, 30 * FG_US_PER_S + 1);
    CHECK_I64(create(&w, quote.p), 202, "after the window");
    web_end(&w, 0);
}

/* The repeat of a request is no second wish, though it asks to be looked at as one. */
TEST(a_replay_wins_over_a_duplicate)
{
    struct web_world w;
    web_begin(&w);
    w.conf.limits_duplicate_window_s = 30;
    CHECK_I64(create_with_key(&w, "k", USUAL ",\"allowDuplicate\":false"), 202, "first");
    struct fg_str id = web_text(&w, "id");
    CHECK_I64(create_with_key(&w, "k", USUAL ",\"allowDuplicate\":false"), 202, "repeated");
    CHECK_STR(web_text(&w, "id"), id, "the same job");
    CHECK_I64(create_with_key(&w, "l", USUAL ",\"allowDuplicate\":false"), 409, "pressed again");
    CHECK_I64(create_with_key(&w, "l", USUAL ",\"allowDuplicate\":true"), 202, "and meant, with the same key");
    web_end(&w, 0);
}

/* Between the look for a first answer and the lock, another process commits the same request. */
static struct web_world *racing;
static void (*dice)(void *self, void *buf, size_t n);
static void commit_meanwhile(void *self, void *buf, size_t n)
{
    struct web_world *w = racing;
    racing = NULL;
    if (w)
        web_script(w, "INSERT INTO idempotency SELECT * FROM kept");
    dice(self, buf, n);
}

TEST(who_was_a_moment_too_late_hears_the_first_answer)
{
    static const struct {
        const char *set, *more, *why;
    } row[] = {
        { "UPDATE plan SET outstanding_max = 1", USUAL, "a limit that the first reached" },
        { "DO 0", USUAL ",\"allowDuplicate\":false", "the first is its duplicate" },
        { "DO 0", NULL, "the first has its quote" },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct web_world w;
        web_begin(&w);
        w.conf.limits_duplicate_window_s = 30;
        web_script(&w, row[i].set);
        const char *more = row[i].more;
        if (!more) {
            CHECK_I64(web_call(&w, "POST", FG_LIT("/v1/quotes"),
                               "{\"prompt\":\"x\",\"aspectRatio\":\"16:9\",\"duration\":5}"), 200, row[i].why);
            more = arena_fmt(w.cx->mem, USUAL ",\"quoteId\":\"%.*s\"", FG_P(web_text(&w, "id"))).p;
        }
        CHECK_I64(create_with_key(&w, "k", more), 202, "the first");
        struct fg_str id = web_text(&w, "id");
        web_script(&w, "CREATE TEMPORARY TABLE kept AS SELECT * FROM idempotency; DELETE FROM idempotency");
        remember(&w);
        CHECK(create_with_key(&w, "k", more) >= 400, "it is refused for what it is");
        check_nothing_happened(&w, row[i].why);
        racing = &w;
        dice = w.t.env.random;
        w.t.env.random = commit_meanwhile;
        CHECK_I64(create_with_key(&w, "k", more), 202, row[i].why);
        CHECK(!racing, "the first was committed in between");
        CHECK_STR(web_text(&w, "id"), id, "the first's answer");
        CHECK_IS(web_got(&w, "Idempotency-Replayed"), "true", row[i].why);
        web_end(&w, 0);
    }
}

TEST(who_names_no_resolution_gets_the_plans_the_models_or_the_cheapest)
{
    static const struct {
        const char *set, *model, *want, *why;
    } row[] = {
        { "DO 0", "studio-1", "480p", "the model's" },
        { "UPDATE plan SET default_resolution = '720p'", "studio-1", "720p", "the plan's" },
        { "DO 0", "luma-ray-3.2", "720p", "the plan's, of another" },
        { "UPDATE plan SET default_resolution = '360p'", "luma-ray-3.2", "720p", "one that the model has not" },
        { "UPDATE plan SET resolutions = '540p,1080p'", "luma-ray-3.2", "540p", "the cheapest that the plan has" },
        { "UPDATE plan SET resolutions = '1080p'", "luma-ray-3.2", "1080p", "the only one" },
        { "UPDATE plan SET resolutions = '1080p,720p'", "luma-ray-3.2", "720p", "the model's, which the plan has" },
        { "UPDATE plan SET resolutions = '720p'", "studio-1", "720p", "the plan's own default is not in it" },
    };
    struct web_world w;
    web_begin(&w);
    w.conf.provider[w.conf.provider_n++] = (struct conf_provider){ .name = FG_LIT("luma_agents"), .key = FG_LIT("k") };
    catalogue_drop(w.app->catalogue);
    CHECK_CODE(w.cx, catalogue_load(w.cx, &w.conf, &w.app->catalogue), FG_OK);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        web_script(&w, row[i].set);
        CHECK_I64(create(&w, arena_fmt(w.cx->mem, USUAL ",\"model\":\"%s\"", row[i].model).p), 202, row[i].why);
        CHECK_STR(web_text(&w, "resolution"), fg_str_c(row[i].want), row[i].why);
    }
    web_end(&w, 0);
}
