/* POST /v1/quotes and quoteId: what a price is made of, how long and for what it is held, and that it is taken once. */
#include <fcntl.h>
#include <unistd.h>

#include "app.h"
#include "base/arena.h"
#include "base/time.h"
#include "web/web_world.h"

#define QUOTE_S 600 /* limits.quote_s */

struct place {
    struct web_world w;
    char catalogue[96]; /* a copy that tests may change */
};

static void write_catalogue(struct place *p, struct fg_str text)
{
    int fd = open(p->catalogue, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n && close(fd) == 0, p->catalogue);
    t_advance(&p->w.t, 2 * FG_US_PER_S); /* it is looked at once a second */
    app_renew(p->w.cx, p->w.app);
}

/* The shipped one, with one thing put in another's place. */
static void change_catalogue(struct place *p, const char *from, const char *to)
{
    struct fg_str text = t_file(p->w.cx, "core/provider/catalogue.json");
    struct sb b = sb_in(p->w.cx->mem, text.n + 4096);
    const char *at = strstr(text.p, from);
    CHECK(at, from);
    sb_add(&b, (struct fg_str){ text.p, (size_t)(at - text.p) });
    sb_add(&b, fg_str_c(to));
    sb_add(&b, fg_str_c(at + strlen(from)));
    write_catalogue(p, sb_str(&b));
}

static void place_begin(struct place *p)
{
    web_begin(&p->w);
    (void)snprintf(p->catalogue, sizeof p->catalogue, "%s/catalogue.json", db_server_dir());
    p->w.conf.provider[p->w.conf.provider_n++] =
        (struct conf_provider){ .name = FG_LIT("kling"), .key = FG_LIT("a"), .key_secret = FG_LIT("b") };
    p->w.conf.catalogue_file = fg_str_c(p->catalogue);
    write_catalogue(p, t_file(p->w.cx, "core/provider/catalogue.json"));
}

static const char *body_of(struct place *p, const char *more)
{
    return arena_fmt(p->w.cx->mem, "{\"prompt\":\"a red kite\",\"aspectRatio\":\"16:9\"%s}", more).p;
}

#define USUAL ",\"duration\":5,\"model\":\"studio-1\""

static struct fg_str quote(struct place *p, const char *more)
{
    CHECK_I64(web_call(&p->w, "POST", FG_LIT("/v1/quotes"), body_of(p, more)), 200, more);
    return web_text(&p->w, "id");
}

/* The status of a job of that quote; FG_NONE: of none. */
static int create(struct place *p, const char *more, struct fg_str id)
{
    struct fg_str with = id.p ? arena_fmt(p->w.cx->mem, "%s,\"quoteId\":\"%.*s\"", more, FG_P(id)) : fg_str_c(more);
    return web_call(&p->w, "POST", FG_LIT("/v1/jobs"), body_of(p, with.p));
}

static int create_with_key(struct place *p, const char *key, const char *more, struct fg_str id)
{
    struct fg_str with = arena_fmt(p->w.cx->mem, "%s,\"quoteId\":\"%.*s\"", more, FG_P(id));
    struct web_req req = web_request("POST", FG_LIT("/v1/jobs"), p->w.key, fg_str_c(body_of(p, with.p)));
    req.header[WEB_IDEMPOTENCY_KEY] = fg_str_c(key);
    return web_send(&p->w, &req);
}

static void check_problem(struct place *p, int status, const char *code, const char *path, const char *why)
{
    CHECK_I64(p->w.resp.status, status, why);
    CHECK_STR(web_text(&p->w, "code"), fg_str_c(code), why);
    const struct js *errors = js_get(web_json(&p->w), "errors");
    struct fg_str got = FG_NONE;
    (void)js_str(js_get(js_at(errors, 0), "path"), &got);
    CHECK_STR(got, path ? fg_str_c(path) : FG_NONE, why);
    CHECK_I64(js_len(errors), path ? 1 : 0, why);
}

static int64_t number_of(const struct js *object, const char *member)
{
    int64_t n = INT64_MIN;
    (void)js_i64(js_get(object, member), &n);
    return n;
}

TEST(the_parts_are_the_price)
{
    static const struct {
        const char *more;
        int margin_bp;
        int64_t price;
        const char *parts[3];
        int64_t unit[2], amount[3];
    } row[] = {
        { USUAL, 0, 10000, { "model" }, { 2000 }, { 10000 } },
        { USUAL, 1250, 11250, { "model", "margin" }, { 2000 }, { 10000, 1250 } },
        { USUAL, 1, 10001, { "model", "margin" }, { 2000 }, { 10000, 1 } }, /* exactly one */
        { ",\"duration\":7,\"model\":\"studio-1\"", 1, 14002, { "model", "margin" }, { 2000 }, { 14000, 2 } }, /* 1.4 */
        { ",\"duration\":5,\"model\":\"kling-3.0\",\"resolution\":\"1080p\"", 0, 560000, { "model" }, { 112000 },
          { 560000 } },
        { ",\"duration\":5,\"model\":\"kling-3.0\",\"resolution\":\"1080p\",\"audio\":true", 333, 867972,
          { "model", "audio", "margin" }, { 112000, 56000 }, { 560000, 280000, 27972 } },
    };
    struct place p;
    place_begin(&p);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        web_script(&p.w, arena_fmt(p.w.cx->mem, "UPDATE plan SET margin_bp = %d", row[i].margin_bp).p);
        (void)quote(&p, row[i].more);
        CHECK_I64(web_number(&p.w, "priceMicro"), row[i].price, row[i].more);
        const struct js *parts = js_get(web_json(&p.w), "parts");
        int64_t sum = 0;
        for (size_t k = 0; k < js_len(parts); k++) {
            const struct js *part = js_at(parts, k);
            struct fg_str name;
            CHECK(k < 3 && row[i].parts[k] && js_str(js_get(part, "name"), &name), row[i].more);
            CHECK_STR(name, fg_str_c(row[i].parts[k]), row[i].more);
            CHECK_I64(number_of(part, "amountMicro"), row[i].amount[k], row[i].more);
            if (!FG_IS(name, "margin"))
                CHECK_I64(number_of(part, "unitMicro"), row[i].unit[k], row[i].more);
            sum += number_of(part, "amountMicro");
        }
        CHECK_I64(sum, row[i].price, "nothing is hidden");
        CHECK_I64(create(&p, row[i].more, FG_NONE), 202, "and a job at that moment");
        CHECK_I64(web_number(&p.w, "priceMicro"), row[i].price, "costs just that");
    }
    web_end(&p.w, 0);
}

TEST(a_price_is_held_whatever_becomes_of_the_list)
{
    struct place p;
    place_begin(&p);
    struct fg_str id = quote(&p, USUAL), late = quote(&p, USUAL);
    CHECK_STR(web_text(&p.w, "expiresAt"), FG_LIT("2030-01-01T00:10:02.000Z"), "ten minutes");
    web_script(&p.w, "UPDATE plan SET margin_bp = 10000");
    change_catalogue(&p, "\"micro\": 2000", "\"micro\": 7000");
    (void)quote(&p, USUAL);
    CHECK_I64(web_number(&p.w, "priceMicro"), 70000, "what it costs now");
    CHECK_I64(create(&p, USUAL, id), 202, "of the quote");
    CHECK_I64(web_number(&p.w, "priceMicro"), 10000, "what it cost then");
    web_holds(&p.w, "(SELECT amount_micro FROM ledger WHERE kind = 1) = 10000", "and that is held");
    web_holds(&p.w, "(SELECT day_micro FROM account_use) = 10000", "of the budget too");
    CHECK_I64(create(&p, USUAL, FG_NONE), 202, "of none");
    CHECK_I64(web_number(&p.w, "priceMicro"), 70000, "what it costs now");
    t_advance(&p.w.t, (QUOTE_S - 3) * FG_US_PER_S);
    CHECK_I64(create(&p, USUAL, late), 202, "the last second");
    web_end(&p.w, 0);
}

TEST(the_model_of_a_route_is_held)
{
    static const char fast[] = ",\"duration\":5,\"model\":\"fast\"", open[] = ",\"duration\":5";
    struct place p;
    place_begin(&p);
    struct fg_str named = quote(&p, fast), unnamed = quote(&p, open), by_model = quote(&p, USUAL);
    CHECK_I64(create(&p, open, by_model), 202, "the quote says which");
    CHECK_IS(web_text(&p.w, "model"), "studio-1", "not the route's first");
    CHECK(!web_text(&p.w, "route").p, "and no route may pass it on");
    change_catalogue(&p, "\"kling-2.5-turbo\", ", ""); /* no longer of the route */
    CHECK_I64(create(&p, fast, named), 202, "named");
    CHECK_IS(web_text(&p.w, "model"), "kling-2.5-turbo", "what was quoted");
    CHECK_IS(web_text(&p.w, "route"), "fast", "its route");
    CHECK_I64(create(&p, open, unnamed), 202, "not named");
    CHECK_IS(web_text(&p.w, "model"), "kling-2.5-turbo", "what was quoted");
    CHECK_I64(create(&p, open, FG_NONE), 202, "without a quote");
    CHECK_IS(web_text(&p.w, "model"), "studio-1", "the route as it is now");
    web_end(&p.w, 0);
}

TEST(what_cannot_be_made_any_more_is_told)
{
    static const char turbo[] = ",\"duration\":5,\"model\":\"kling-2.5-turbo\"", open[] = ",\"duration\":5";
    struct place p;
    place_begin(&p);
    struct fg_str id = quote(&p, turbo), gone = quote(&p, ",\"duration\":5,\"model\":\"kling-2.6\"");
    web_script(&p.w, "UPDATE plan SET models = 'studio-1'");
    (void)create(&p, open, id);
    check_problem(&p, 403, "plan_limit", "/model", "the plan forbids it by now");
    web_script(&p.w, "UPDATE plan SET models = NULL, durations = '6,7'");
    (void)create(&p, open, id);
    check_problem(&p, 403, "plan_limit", "/duration", "or its length");
    web_script(&p.w, "UPDATE plan SET durations = NULL; UPDATE account SET currency = 'EUR'");
    (void)create(&p, open, id);
    check_problem(&p, 403, "plan_limit", "/model", "or the account pays otherwise");
    web_script(&p.w, "UPDATE account SET currency = 'USD'");
    change_catalogue(&p, "\"kling-2.6\": {", "\"kling-2.6b\": {");
    (void)create(&p, open, gone);
    check_problem(&p, 400, "invalid_request", "/quoteId", "it is not in the catalogue");
    p.w.conf.provider[p.w.conf.provider_n - 1].disabled = true;
    change_catalogue(&p, "\"concurrency\": 8", "\"concurrency\": 9");
    (void)create(&p, open, id);
    check_problem(&p, 400, "invalid_request", "/model", "its provider is switched off");
    web_holds(&p.w, "NOT EXISTS (SELECT 1 FROM job) AND NOT EXISTS (SELECT 1 FROM quote WHERE job_id IS NOT NULL)",
              "nothing made, none taken");
    web_end(&p.w, 0);
}

TEST(a_quote_is_for_just_this_kind_of_job)
{
    static const struct {
        const char *quoted, *wanted, *path;
    } row[] = {
        { USUAL, ",\"duration\":5,\"model\":\"kling-3.0\"", "/model" },
        { USUAL, ",\"duration\":5,\"model\":\"fast\"", "/model" },
        { USUAL, ",\"duration\":5,\"model\":\"nobody-1\"", "/model" },
        { ",\"duration\":5,\"model\":\"fast\"", ",\"duration\":5,\"model\":\"best\"", "/model" },
        { USUAL, ",\"duration\":5,\"provider\":\"kling\"", "/provider" },
        { USUAL, ",\"duration\":6,\"model\":\"studio-1\"", "/duration" },
        { USUAL, USUAL ",\"resolution\":\"720p\"", "/resolution" },
        { ",\"duration\":5,\"model\":\"kling-3.0\"", ",\"duration\":5,\"model\":\"kling-3.0\",\"audio\":true", "/audio" },
        { USUAL, USUAL ",\"userId\":\"ann\"", "/userId" },
        { USUAL ",\"userId\":\"ann\"", USUAL, "/userId" },
        { USUAL ",\"userId\":\"ann\"", USUAL ",\"userId\":\"bob\"", "/userId" },
    };
    struct place p;
    place_begin(&p);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fg_str id = quote(&p, row[i].quoted);
        (void)create(&p, row[i].wanted, id);
        check_problem(&p, 422, "quote_mismatch", row[i].path, row[i].wanted);
        CHECK_I64(create(&p, row[i].quoted, id), 202, "it is not lost for that");
    }
    struct fg_str id = quote(&p, USUAL ",\"resolution\":\"360p\"");
    CHECK_I64(create(&p, USUAL, id), 202, "what is left open");
    CHECK_IS(web_text(&p.w, "resolution"), "360p", "the quote fills");
    web_end(&p.w, 0);
}

TEST(a_quote_is_good_for_one_job)
{
    struct place p;
    place_begin(&p);
    struct fg_str id = quote(&p, USUAL), first, other = quote(&p, USUAL);
    CHECK_I64(create_with_key(&p, "one", USUAL, id), 202, "taken");
    first = web_text(&p.w, "id");
    (void)create(&p, USUAL, id);
    check_problem(&p, 409, "quote_used", NULL, "a second");
    CHECK_STR(web_text(&p.w, "jobId"), first, "which has it");
    CHECK_STR(web_text(&p.w, "createdAt"), time_iso(p.w.cx->mem, p.w.t.utc_us), "since when");
    CHECK_STR(web_got(&p.w, "Location"), arena_fmt(p.w.cx->mem, "/v1/jobs/%.*s", FG_P(first)), "where it is");
    CHECK_I64(create_with_key(&p, "two", USUAL, id), 409, "under another key");
    CHECK_I64(create_with_key(&p, "one", USUAL, id), 202, "the same request again");
    CHECK_IS(web_got(&p.w, "Idempotency-Replayed"), "true", "is no second use");
    CHECK_STR(web_text(&p.w, "id"), first, "the same job");
    t_advance(&p.w.t, (QUOTE_S + 1) * FG_US_PER_S);
    CHECK_I64(create_with_key(&p, "one", USUAL, id), 202, "long after, too");
    (void)create(&p, USUAL, id);
    check_problem(&p, 409, "quote_used", NULL, "used says more than expired");
    (void)create(&p, USUAL, other);
    check_problem(&p, 410, "quote_expired", NULL, "of one that nobody used");
    web_holds(&p.w, "(SELECT COUNT(*) FROM job) = 1", "one job");
    web_holds(&p.w, "(SELECT COUNT(*) FROM ledger) = 1", "one hold");
    web_end(&p.w, 0);
}

TEST(a_quote_is_its_owners)
{
    struct place p;
    place_begin(&p);
    struct fg_str mine = p.w.key, of_ann = quote(&p, USUAL ",\"userId\":\"ann\""), of_all = quote(&p, USUAL), other;
    CHECK_CODE(p.w.cx, account_create(p.w.cx, p.w.cli, FG_LIT("other"), &other), FG_OK);
    p.w.key = web_new_key(&p.w, other, ROLE_APP, NULL);
    (void)create(&p, USUAL, of_all);
    check_problem(&p, 400, "invalid_request", "/quoteId", "another account");
    p.w.key = web_new_key(&p.w, p.w.account, ROLE_USER, "bob");
    (void)create(&p, USUAL, of_all);
    check_problem(&p, 400, "invalid_request", "/quoteId", "a user and the account's");
    (void)create(&p, USUAL, of_ann);
    check_problem(&p, 400, "invalid_request", "/quoteId", "another user's");
    p.w.key = web_new_key(&p.w, p.w.account, ROLE_USER, "ann");
    CHECK_I64(create(&p, USUAL, of_ann), 202, "hers");
    p.w.key = mine;
    (void)create(&p, USUAL, FG_LIT("quote_00000000000000000000000000"));
    check_problem(&p, 400, "invalid_request", "/quoteId", "nobody's");
    (void)create(&p, USUAL, FG_LIT("q"));
    check_problem(&p, 400, "invalid_request", "/quoteId", "of no such form");
    (void)create(&p, USUAL ",\"quoteId\":7", FG_NONE);
    check_problem(&p, 400, "invalid_request", "/quoteId", "no text");
    (void)web_call(&p.w, "POST", FG_LIT("/v1/quotes"),
                   body_of(&p, arena_fmt(p.w.cx->mem, USUAL ",\"quoteId\":\"%.*s\"", FG_P(of_all)).p));
    check_problem(&p, 400, "invalid_request", "/quoteId", "a quote of a quote");
    web_end(&p.w, 0);
}

TEST(a_quote_shows_limits_and_refuses_for_none)
{
    static const struct {
        const char *set, *refusal;
    } row[] = {
        { "UPDATE plan SET day_micro = 10000", NULL },
        { "UPDATE plan SET day_micro = 9999", "budget_exceeded" },
        { "UPDATE plan SET day_micro = NULL, minute_max = 0", "rate_limited" },
        { "UPDATE plan SET minute_max = NULL, outstanding_max = 0", "job_limit" },
        { "UPDATE plan SET outstanding_max = NULL, storage_bytes = 0", "storage_limit" },
        { "UPDATE plan SET storage_bytes = NULL; UPDATE account SET credit_limit_micro = 9999", "balance_too_low" },
        { "UPDATE account SET credit_limit_micro = 10000", NULL },
    };
    struct place p;
    place_begin(&p);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        web_script(&p.w, row[i].set);
        (void)quote(&p, USUAL);
        CHECK_STR(web_text(&p.w, "refusal"), row[i].refusal ? fg_str_c(row[i].refusal) : FG_NONE, row[i].set);
    }
    CHECK_I64(web_number(&p.w, "balanceMicro"), 0, "of an account with a credit");
    CHECK_I64(web_number(&p.w, "creditLimitMicro"), 10000, "how far it goes");
    web_holds(&p.w, "(SELECT minute_n + day_n + day_micro + outstanding_n - balance_micro FROM account_use) = 0",
              "nothing is held for a quote");
    web_script(&p.w, "UPDATE plan SET minute_max = 3, day_micro = 50000, user_outstanding_max = 2");
    CHECK_I64(create(&p, USUAL, FG_NONE), 202, "one");
    (void)quote(&p, USUAL ",\"userId\":\"ann\"");
    struct sb b = sb_in(p.w.cx->mem, 4096);
    js_write(&b, js_get(web_json(&p.w), "limits"));
    CHECK_IS(sb_str(&b),
             "[{\"name\":\"jobsPerMinute\",\"max\":3,\"used\":1,\"freeAt\":\"2030-01-01T00:01:00.000Z\"},"
             "{\"name\":\"outstandingJobsOfUser\",\"max\":2,\"used\":0,\"freeAt\":null},"
             "{\"name\":\"budgetPerDay\",\"max\":50000,\"used\":10000,\"freeAt\":\"2030-01-02T00:00:00.000Z\"}]",
             "what there is, and when it is free");
    p.w.key = web_new_key(&p.w, p.w.account, ROLE_USER, "ann");
    (void)quote(&p, USUAL);
    b = sb_in(p.w.cx->mem, 4096);
    js_write(&b, js_get(web_json(&p.w), "limits"));
    CHECK_IS(sb_str(&b), "[{\"name\":\"outstandingJobsOfUser\",\"max\":2,\"used\":0,\"freeAt\":null}]", "a user's own");
    CHECK_I64(js_type(js_get(web_json(&p.w), "balanceMicro")), JS_NULL, "not the account's");
    web_script(&p.w, "UPDATE plan SET resolutions = '480p'");
    CHECK_I64(web_call(&p.w, "POST", FG_LIT("/v1/quotes"), body_of(&p, USUAL ",\"resolution\":\"720p\"")), 403,
              "what the plan forbids is no job, and no quote");
    web_end(&p.w, 0);
}

TEST(me_tells_plan_limits_and_balance)
{
    struct place p;
    place_begin(&p);
    CHECK_I64(web_call(&p.w, "GET", FG_LIT("/v1/me"), NULL), 200, "of the default plan");
    struct sb b = sb_in(p.w.cx->mem, 4096);
    js_write(&b, js_get(web_json(&p.w), "plan"));
    CHECK_IS(sb_str(&b), "{\"name\":\"default\",\"durations\":null,\"resolutions\":null,\"models\":null,"
                         "\"defaultResolution\":null,\"uploadBytes\":null,\"retentionDays\":{\"outputs\":null,\"uploads\":null,"
                         "\"prompts\":null}}", "everything is allowed");
    CHECK_I64(js_len(js_get(web_json(&p.w), "limits")), 0, "no limits");
    CHECK_I64(js_type(js_get(web_json(&p.w), "creditLimitMicro")), JS_NULL, "it pays later");
    CHECK_IS(web_text(&p.w, "currency"), "USD", "in");
    web_script(&p.w, "UPDATE plan SET durations = '5,10', resolutions = '360p,480p', models = 'studio-1,fast', "
                     "default_resolution = '360p', output_days = 7, user_outstanding_max = 2, outstanding_max = 9;"
                     "UPDATE account SET credit_limit_micro = 20000");
    CHECK_I64(create(&p, ",\"duration\":5,\"userId\":\"ann\"", FG_NONE), 202, "one");
    CHECK_I64(web_call(&p.w, "GET", FG_LIT("/v1/me"), NULL), 200, "of this one");
    b = sb_in(p.w.cx->mem, 4096);
    js_write(&b, web_json(&p.w));
    CHECK(strstr(sb_cstr(&b), "\"plan\":{\"name\":\"default\",\"durations\":[5,10],\"resolutions\":[\"360p\",\"480p\"],"
                              "\"models\":[\"studio-1\",\"fast\"],\"defaultResolution\":\"360p\",\"uploadBytes\":null,\"retentionDays\":"
                              "{\"outputs\":7,\"uploads\":null,\"prompts\":null}},\"limits\":[{\"name\":"
                              "\"outstandingJobs\",\"max\":9,\"used\":1,\"freeAt\":null}],\"balanceMicro\":-10000,"
                              "\"creditLimitMicro\":20000,\"currency\":\"USD\""), sb_cstr(&b));
    p.w.key = web_new_key(&p.w, p.w.account, ROLE_USER, "ann");
    CHECK_I64(web_call(&p.w, "GET", FG_LIT("/v1/me"), NULL), 200, "of a user");
    b = sb_in(p.w.cx->mem, 4096);
    js_write(&b, js_get(web_json(&p.w), "limits"));
    CHECK_IS(sb_str(&b), "[{\"name\":\"outstandingJobsOfUser\",\"max\":2,\"used\":1,\"freeAt\":null}]", "her own");
    CHECK(!js_get(web_json(&p.w), "balanceMicro") && !js_get(web_json(&p.w), "creditLimitMicro"), "no more");
    CHECK_I64(js_type(js_get(web_json(&p.w), "plan")), JS_OBJECT, "the plan is everybody's");
    web_end(&p.w, 0);
}
