#include "job/policy.h"
#include "job/request.h"
#include "job/store.h"
#include "t.h"

TEST(only_the_drawn_transitions_exist)
{
    static const struct { enum job_stage from; enum job_event ev; enum job_state state; enum job_stage to; } drawn[] = {
        { STAGE_WAITING, EV_CLAIM, JOB_PENDING, STAGE_SUBMITTING },
        { STAGE_WAITING, EV_PROGRESS, JOB_PENDING, STAGE_WAITING },
        { STAGE_WAITING, EV_FAILED, JOB_FAILED, STAGE_DONE },
        { STAGE_WAITING, EV_DEADLINE, JOB_EXPIRED, STAGE_DONE },
        { STAGE_WAITING, EV_CANCELED, JOB_FAILED, STAGE_DONE },
        { STAGE_WAITING, EV_REROUTED, JOB_PENDING, STAGE_WAITING },
        { STAGE_SUBMITTING, EV_REROUTED, JOB_PENDING, STAGE_WAITING },
        { STAGE_SUBMIT_UNKNOWN, EV_REROUTED, JOB_PENDING, STAGE_WAITING },
        { STAGE_SUBMITTING, EV_ACCEPTED, JOB_QUEUED, STAGE_AT_PROVIDER },
        { STAGE_SUBMITTING, EV_NOT_SENT, JOB_PENDING, STAGE_WAITING },
        { STAGE_SUBMITTING, EV_UNKNOWN, JOB_PENDING, STAGE_SUBMIT_UNKNOWN },
        { STAGE_SUBMITTING, EV_FAILED, JOB_FAILED, STAGE_DONE },
        { STAGE_SUBMIT_UNKNOWN, EV_ACCEPTED, JOB_QUEUED, STAGE_AT_PROVIDER },
        { STAGE_SUBMIT_UNKNOWN, EV_NOT_ACCEPTED, JOB_PENDING, STAGE_WAITING },
        { STAGE_SUBMIT_UNKNOWN, EV_FAILED, JOB_FAILED, STAGE_DONE },
        { STAGE_SUBMIT_UNKNOWN, EV_DEADLINE, JOB_EXPIRED, STAGE_DONE },
        { STAGE_AT_PROVIDER, EV_STARTED, JOB_PROCESSING, STAGE_RENDERING },
        { STAGE_AT_PROVIDER, EV_PROGRESS, JOB_QUEUED, STAGE_AT_PROVIDER },
        { STAGE_AT_PROVIDER, EV_OUTPUT, JOB_PROCESSING, STAGE_STORING },
        { STAGE_AT_PROVIDER, EV_FAILED, JOB_FAILED, STAGE_DONE },
        { STAGE_AT_PROVIDER, EV_DEADLINE, JOB_EXPIRED, STAGE_DONE },
        { STAGE_RENDERING, EV_PROGRESS, JOB_PROCESSING, STAGE_RENDERING },
        { STAGE_RENDERING, EV_OUTPUT, JOB_PROCESSING, STAGE_STORING },
        { STAGE_RENDERING, EV_FAILED, JOB_FAILED, STAGE_DONE },
        { STAGE_RENDERING, EV_DEADLINE, JOB_EXPIRED, STAGE_DONE },
        { STAGE_STORING, EV_STORED, JOB_SUCCEEDED, STAGE_DONE },
        { STAGE_STORING, EV_FAILED, JOB_FAILED, STAGE_DONE },
        { STAGE_MODERATING, EV_CLEARED, JOB_PENDING, STAGE_WAITING },
        { STAGE_MODERATING, EV_HELD, JOB_PENDING, STAGE_IN_REVIEW },
        { STAGE_MODERATING, EV_FAILED, JOB_FAILED, STAGE_DONE },
        { STAGE_MODERATING, EV_DEADLINE, JOB_EXPIRED, STAGE_DONE },
        { STAGE_MODERATING, EV_CANCELED, JOB_FAILED, STAGE_DONE },
        { STAGE_IN_REVIEW, EV_CLEARED, JOB_PENDING, STAGE_WAITING },
        { STAGE_IN_REVIEW, EV_FAILED, JOB_FAILED, STAGE_DONE },
        { STAGE_IN_REVIEW, EV_DEADLINE, JOB_EXPIRED, STAGE_DONE },
        { STAGE_IN_REVIEW, EV_CANCELED, JOB_FAILED, STAGE_DONE },
    };
    size_t allowed = 0;
    for (unsigned from = STAGE_DONE; from <= STAGE_IN_REVIEW; from++)
        for (unsigned ev = 0; ev < JOB_EVENT_N; ev++) {
            struct job_place to;
            if (!job_next((enum job_stage)from, (enum job_event)ev, &to))
                continue;
            allowed++;
            size_t i = 0;
            while (i < FG_LEN(drawn) && (drawn[i].from != from || drawn[i].ev != ev))
                i++;
            CHECK(i < FG_LEN(drawn), job_event_name((enum job_event)ev));
            CHECK_I64(to.state, drawn[i].state, job_event_name((enum job_event)ev));
            CHECK_I64(to.stage, drawn[i].to, job_event_name((enum job_event)ev));
        }
    CHECK_I64(allowed, FG_LEN(drawn), "none is missing");
}

TEST(states_have_names_that_read_back)
{
    for (unsigned s = JOB_PENDING; s <= JOB_EXPIRED; s++) {
        enum job_state back;
        CHECK(job_state_by_name(fg_str_c(job_state_name((enum job_state)s)), &back) && back == s, "round trip");
    }
    enum job_state none;
    CHECK(!job_state_by_name(FG_LIT("done"), &none), "not a state");
    CHECK(job_reason_by_slug(FG_LIT("canceled")) == job_reason_info(JOB_R_CANCELED), "a reason by its slug");
    CHECK(!job_reason_by_slug(FG_LIT("")), "no reason has no slug");
}

TEST(pauses_double_then_hold_and_keep_to_what_was_asked)
{
    struct t_world w;
    t_begin(&w);
    static const struct { int64_t n, low_s, high_s; } row[] = {
        { 1, 0, 2 }, { 2, 1, 3 }, { 5, 12, 20 }, { 7, 45, 75 }, { 4000000000, 45, 75 },
    };
    for (size_t i = 0; i < FG_LEN(row); i++)
        for (int k = 0; k < 20; k++) {
            int64_t us = policy_resubmit_us(&w.cx, row[i].n, 0);
            CHECK(us >= row[i].low_s * FG_US_PER_S && us <= row[i].high_s * FG_US_PER_S, "doubles, then holds");
        }
    CHECK(policy_resubmit_us(&w.cx, 1, 120) == 120 * FG_US_PER_S, "Retry-After is a lower bound");
    CHECK(policy_resubmit_us(&w.cx, 1, INT64_MAX) == 3600 * FG_US_PER_S, "but not a sentence for life");
    t_end(&w, 0);
}

TEST(polls_stretch_with_age_and_slow_down_where_a_callback_is_expected)
{
    struct t_world w;
    t_begin(&w);
    struct conf c = { .sweeper_first_poll_ms = 5000, .sweeper_callback_poll_ms = 60000 };
    static const struct { int64_t age_s; bool callbacks; int64_t no_news, wish_ms, want_s; const char *why; } row[] = {
        { 0, false, 0, 0, 5, "the first" },        { 59, false, 0, 0, 5, "within a minute" },
        { 60, false, 0, 0, 10, "after a minute" }, { 600, false, 0, 0, 30, "after ten" },
        { 0, true, 0, 0, 60, "callback expected" }, { 0, false, 0, 20000, 20, "the provider's wish" },
        { 0, false, 0, INT64_MAX, 3600, "a wish has an end" },
    };
    for (size_t i = 0; i < FG_LEN(row); i++)
        CHECK_I64(policy_poll_us(&w.cx, &c, &(struct cat_provider){ .callbacks = row[i].callbacks },
                                 row[i].age_s * FG_US_PER_S, row[i].no_news,
                                 row[i].wish_ms) / FG_US_PER_S, row[i].want_s, row[i].why);
    CHECK(policy_poll_us(&w.cx, &c, NULL, 0, 10, 0) >= 90 * FG_US_PER_S, "trouble slows it down");
    t_end(&w, 0);
}

/* A catalogue of one model with limits narrower than the API's. */
static struct catalogue catalogue;
static struct conf conf = { .sweeper_deadline_s = 3600 };
static const uint8_t pepper[HASH_LEN];
static const struct job_env env = { .conf = &conf, .catalogue = &catalogue, .pepper = pepper };
static const struct identity app = { .account_id = 1, .role = ROLE_APP };
static const struct identity user = { .account_id = 1, .role = ROLE_USER, .user_id = "anna" };

static enum fg_code read_body(struct t_world *w, const struct identity *who, struct fg_str body,
                              struct job_request *out)
{
    catalogue = (struct catalogue){ .provider_n = 1, .model_n = 1, .route_n = 1 };
    catalogue.provider[0] = (struct cat_provider){ .name = FG_LIT("studio"), .set_up = true };
    catalogue.model[0] = (struct cat_model){
        .name = FG_LIT("m1"), .remote = FG_LIT("m1"), .provider = &catalogue.provider[0], .durations = 0x1e0,
        .size = { { FG_LIT("16:9"), FG_LIT("480p"), 854, 480 }, { FG_LIT("1:1"), FG_LIT("720p"), 720, 720 } },
        .size_n = 2, .default_resolution = FG_LIT("480p"), .prompt_max = 1000,
        .price = { .currency = FG_LIT("USD"), .by = { { FG_LIT("480p"), 10, 10 } }, .by_n = 1 },
    };
    catalogue.route[0] = (struct cat_route){ FG_LIT("main"), { &catalogue.model[0] }, 1 };
    catalogue.default_route = &catalogue.route[0];
    static const struct job_bounds anything = { .terms.currency = { "USD", 3 } };
    return job_request_read(&w->cx, &env, who, &anything, body, out);
}

TEST(a_good_request_is_read_and_completed_from_the_catalogue)
{
    struct t_world w;
    struct job_request r;
    t_begin(&w);
    CHECK_CODE(&w.cx, read_body(&w, &app, FG_LIT("{\"prompt\":\"  a \\ud83c\\udfac \\u05e9\\u05dc\\u05d5\\u05dd \",\"aspectRatio\":\"16:9\","
        "\"duration\":5,\"imageUrl\":null,\"metadata\":{\"k\":\"v\"},\"userId\":\"u\",\"deadlineSeconds\":60}"), &r), FG_OK);
    CHECK_IS(r.prompt, "a \xf0\x9f\x8e\xac \xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", "trimmed, all scripts");
    CHECK_IS(r.resolution, "480p", "the model's default");
    CHECK_I64(r.size->width, 854, "its pixels");
    CHECK_IS(r.route, "main", "the default route");
    CHECK_I64(r.price_micro, 50, "five seconds");
    CHECK_IS(r.currency, "USD", "");
    CHECK(r.audio == AUDIO_ANY && !r.negative.p && !r.ignored.p && !r.replaces.p, "nothing else was wished for");
    CHECK_IS(r.metadata, "{\"k\":\"v\"}", "kept as given");
    CHECK_I64(r.deadline_s, 60, "its own deadline");
    CHECK(!r.has_seed && !r.image_url.p, "null is not given");
    CHECK_CODE(&w.cx, read_body(&w, &user, FG_LIT("{\"prompt\":\"x\",\"aspectRatio\":\"16:9\",\"duration\":5}"), &r), FG_OK);
    CHECK_IS(r.user_id, "anna", "a user key's jobs are its user's");
    t_end(&w, 0);
}

TEST(each_bad_field_is_named)
{
#define OK_FIELDS "\"prompt\":\"x\",\"aspectRatio\":\"16:9\",\"duration\":5"
    static const struct { const char *body, *path, *code; } row[] = {
        { "{\"aspectRatio\":\"16:9\",\"duration\":5}", "/prompt", "required" },
        { "{\"prompt\":null,\"aspectRatio\":\"16:9\",\"duration\":5}", "/prompt", "required" },
        { "{\"prompt\":\" \\t\\u00a0\",\"aspectRatio\":\"16:9\",\"duration\":5}", "/prompt", "length" },
        { "{\"prompt\":5,\"aspectRatio\":\"16:9\",\"duration\":5}", "/prompt", "type" },
        { "{\"prompt\":\"x\",\"aspectRatio\":\"4:3\",\"duration\":5}", "/aspectRatio", "value" },
        { "{\"prompt\":\"x\",\"aspectRatio\":\"16:9 \",\"duration\":5}", "/aspectRatio", "value" },
        { "{\"prompt\":\"x\",\"aspectRatio\":1,\"duration\":5}", "/aspectRatio", "type" },
        { "{\"prompt\":\"x\",\"aspectRatio\":\"16:9\",\"duration\":4}", "/duration", "range" },
        { "{\"prompt\":\"x\",\"aspectRatio\":\"16:9\",\"duration\":11}", "/duration", "range" },
        { "{\"prompt\":\"x\",\"aspectRatio\":\"16:9\",\"duration\":9}", "/duration", "range" },
        { "{\"prompt\":\"x\",\"aspectRatio\":\"16:9\",\"duration\":0}", "/duration", "range" },
        { "{\"prompt\":\"x\",\"aspectRatio\":\"16:9\",\"duration\":64}", "/duration", "range" },
        { "{\"prompt\":\"x\",\"aspectRatio\":\"16:9\",\"duration\":5.0}", "/duration", "type" },
        { "{\"prompt\":\"x\",\"aspectRatio\":\"16:9\",\"duration\":\"5\"}", "/duration", "type" },
        { "{" OK_FIELDS ",\"resolution\":\"720p\"}", "/resolution", "value" },
        { "{" OK_FIELDS ",\"resolution\":true}", "/resolution", "type" },
        { "{" OK_FIELDS ",\"imageUrl\":\"ftp://x/y\"}", "/imageUrl", "format" },
        { "{" OK_FIELDS ",\"imageUrl\":\"http://u@h/y\"}", "/imageUrl", "format" },
        { "{" OK_FIELDS ",\"imageUrl\":\"http:///y\"}", "/imageUrl", "format" },
        { "{" OK_FIELDS ",\"imageUrl\":\"https://h/a b\"}", "/imageUrl", "format" },
        { "{" OK_FIELDS ",\"imageUrl\":\"https://h/a\"}", "/imageUrl", "unsupported" },
        { "{" OK_FIELDS ",\"audio\":true}", "/audio", "unsupported" },
        { "{" OK_FIELDS ",\"audio\":\"yes\"}", "/audio", "type" },
        { "{" OK_FIELDS ",\"negativePrompt\":[]}", "/negativePrompt", "type" },
        { "{" OK_FIELDS ",\"seed\":-1}", "/seed", "range" },
        { "{" OK_FIELDS ",\"seed\":4294967296}", "/seed", "range" },
        { "{" OK_FIELDS ",\"provider\":\"nobody\"}", "/provider", "value" },
        { "{" OK_FIELDS ",\"model\":\"m2\"}", "/model", "value" },
        { "{" OK_FIELDS ",\"userId\":\"\"}", "/userId", "length" },
        { "{" OK_FIELDS ",\"metadata\":[]}", "/metadata", "type" },
        { "{" OK_FIELDS ",\"metadata\":{\"a\":1}}", "/metadata/a", "type" },
        { "{" OK_FIELDS ",\"metadata\":{\"\":\"x\"}}", "/metadata", "length" },
        { "{" OK_FIELDS ",\"deadlineSeconds\":9}", "/deadlineSeconds", "range" },
        { "{" OK_FIELDS ",\"prompts\":\"x\"}", "/prompts", "unknown" },
    };
    struct t_world w;
    struct job_request r;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        CHECK(read_body(&w, &app, fg_str_c(row[i].body), &r) == FG_INVALID_REQUEST, row[i].body);
        CHECK_I64(w.cx.err.field_n, 1, row[i].body);
        CHECK_STR(fg_str_c(w.cx.err.field[0].path), fg_str_c(row[i].path), row[i].body);
        CHECK_STR(fg_str_c(w.cx.err.field[0].code), fg_str_c(row[i].code), row[i].body);
    }
    t_end(&w, 0);
}

TEST(all_bad_fields_are_named_at_once)
{
    struct t_world w;
    struct job_request r;
    t_begin(&w);
    CHECK_CODE(&w.cx, read_body(&w, &app, FG_LIT("{\"prompt\":\"\",\"aspectRatio\":\"5:4\",\"duration\":99,\"seed\":\"x\",\"extra\":1}"), &r),
               FG_INVALID_REQUEST);
    CHECK_I64(w.cx.err.field_n, 5, "five mistakes, five entries");
    CHECK_CODE(&w.cx, read_body(&w, &app, FG_LIT("[]"), &r), FG_INVALID_REQUEST);
    CHECK_CODE(&w.cx, read_body(&w, &app, FG_LIT("{\"prompt\":\"a\",\"prompt\":\"b\"}"), &r), FG_INVALID_JSON);
    CHECK_CODE(&w.cx, read_body(&w, &app, FG_LIT("{\"prompt\":\"\\u0000\"}"), &r), FG_INVALID_JSON);
    CHECK_CODE(&w.cx, read_body(&w, &app, FG_LIT(""), &r), FG_INVALID_JSON);
    t_end(&w, 0);
}

TEST(a_prompt_is_counted_in_code_points)
{
    struct t_world w;
    struct job_request r;
    t_begin(&w);
    for (int n = 1000; n <= 1001; n++) {
        struct sb b = sb_in(w.cx.mem, 10000);
        sb_add(&b, FG_LIT("{\"aspectRatio\":\"16:9\",\"duration\":5,\"prompt\":\" "));
        for (int i = 0; i < n; i++)
            sb_add(&b, FG_LIT("\xf0\x9f\x8e\xac"));
        sb_add(&b, FG_LIT(" \"}"));
        CHECK((read_body(&w, &app, sb_str(&b), &r) == FG_OK) == (n == 1000), "1000 four-byte characters fit");
    }
    t_end(&w, 0);
}

TEST(a_video_that_is_forgotten_sooner_is_fetched_sooner)
{
    static const struct { int64_t life_s, ahead_s; } row[] = { { 3600, 60 }, { 0, 60 }, { 36000, 6 }, { 86400, 2 }, { 2592000, 0 } };
    const int64_t now_us = 1000 * FG_US_PER_S;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct cat_model m = { .output_life_s = row[i].life_s };
        CHECK_I64((now_us - policy_ingest_due_us(now_us, &m)) / FG_US_PER_S, row[i].ahead_s, "ahead of others");
    }
    CHECK_I64(policy_ingest_due_us(now_us, NULL), now_us - 60 * FG_US_PER_S, "of an unknown one nothing is known");
}
