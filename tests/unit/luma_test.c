/* Luma's two services: recorded examples as rows, every state, every failure code. */
#include "adapter_kit.h"
#include "adapter_torture.h"

#define DATA "tests/data/providers/luma/"

static const struct provider_site site = {
    .name = { "luma", 4 },
    .base_url = { "https://api.lumalabs.ai/dream-machine/v1", 40 },
    .key = { "luma-secret", 11 },
};
static const struct provider_site agents = {
    .name = { "luma_agents", 11 },
    .base_url = { "https://agents.lumalabs.ai/v1", 29 },
    .key = { "luma-api-secret", 15 },
};
static const struct remote_ref job = { .id = { "d1968551-6113-4b46-b567-09210c2e79b0", 36 } };
static const struct remote_ref agents_job = { .id = { "0d3f9a52-1d5b-4b8e-8f0e-6f4a5d1c2b3a", 36 } };

static struct fetch_reply of_file(struct t_world *w, int status, const char *path)
{
    struct fetch_reply r = answer(status, "");
    r.body = t_file(&w->cx, path);
    return r;
}

/* ---- calls ---- */

TEST(the_recorded_dream_machine_request)
{
    struct t_world w;
    struct fetch_call c;
    struct gen_wire wire = { .param[PARAM_DURATION] = { .suffix = FG_LIT("s") } };
    struct gen_spec spec = kite("ray-2", &wire);
    t_begin(&w);
    spec.duration_s = 5;
    spec.has_seed = true; /* it has none, and no negative prompt */
    spec.negative = FG_LIT("blur");
    spec.callback_url = FG_LIT("https://gw.example/cb/luma/j_7Qx");
    CHECK_CODE(&w.cx, provider_luma.submit_call(&w.cx, &site, &spec, &c), FG_OK);
    CHECK_IS(fg_str_c(c.method), "POST", "a submit");
    CHECK_IS(c.url, "https://api.lumalabs.ai/dream-machine/v1/generations/video", "its place");
    CHECK_IS(c.body,
             "{\"model\":\"ray-2\",\"prompt\":\"a red kite over dunes\",\"aspect_ratio\":\"16:9\","
             "\"duration\":\"5s\",\"resolution\":\"720p\",\"callback_url\":\"https://gw.example/cb/luma/j_7Qx\"}",
             "as documented");
    CHECK_IS(c.secret.value, "Bearer luma-secret", "the key is the secret header");
    CHECK(c.once, "it costs money: never repeated by the transport");
    spec.callback_url = spec.aspect_ratio = FG_NONE;
    spec.image_url = FG_LIT("https://x.example/a.png");
    wire = (struct gen_wire){ .fixed = parsed(&w.cx, "{\"loop\":false,\"concepts\":[{\"key\":\"pan\"}]}") };
    CHECK_CODE(&w.cx, provider_luma.submit_call(&w.cx, &site, &spec, &c), FG_OK);
    CHECK_IS(c.body,
             "{\"model\":\"ray-2\",\"prompt\":\"a red kite over dunes\",\"duration\":\"5s\",\"resolution\":\"720p\","
             "\"keyframes\":{\"frame0\":{\"type\":\"image\",\"url\":\"https://x.example/a.png\"}},"
             "\"loop\":false,\"concepts\":[{\"key\":\"pan\"}]}",
             "from a picture; a duration has its unit, whoever writes it");
    t_end(&w, 0);
}

TEST(the_recorded_agents_request)
{
    struct t_world w;
    struct fetch_call c;
    t_begin(&w);
    struct gen_wire wire = { .fixed = parsed(&w.cx, "{\"loop\":false}") };
    struct gen_spec spec = kite("ray-3.2", &wire);
    spec.duration_s = 5;
    spec.image_url = FG_LIT("https://gw.example/in/1.png");
    spec.callback_url = FG_LIT("https://gw.example/cb/luma/j_7Qx");
    CHECK_CODE(&w.cx, provider_luma_agents.submit_call(&w.cx, &agents, &spec, &c), FG_OK);
    CHECK_IS(c.url, "https://agents.lumalabs.ai/v1/generations", "its place");
    CHECK_IS(c.body,
             "{\"model\":\"ray-3.2\",\"type\":\"video\",\"prompt\":\"a red kite over dunes\",\"aspect_ratio\":\"16:9\","
             "\"video\":{\"resolution\":\"720p\",\"duration\":\"5s\",\"loop\":false,"
             "\"start_frame\":{\"url\":\"https://gw.example/in/1.png\"}}}",
             "as documented: no callback");
    CHECK_IS(c.secret.value, "Bearer luma-api-secret", "a key of its own");
    CHECK(c.once, "it costs money");
    spec.duration_s = 10;
    CHECK_CODE(&w.cx, provider_luma_agents.submit_call(&w.cx, &agents, &spec, &c), FG_INVALID_REQUEST);
    CHECK(strstr(w.cx.err.detail, "picture"), "and says why");
    spec.image_url = FG_NONE;
    CHECK_CODE(&w.cx, provider_luma_agents.submit_call(&w.cx, &agents, &spec, &c), FG_OK);
    CHECK(strstr(c.body.p, "\"video\":{\"resolution\":\"720p\",\"duration\":\"10s\",\"loop\":false}}"),
          "without a picture it may");
    t_end(&w, 0);
}

TEST(other_calls)
{
    struct t_world w;
    struct fetch_call c;
    struct remote_ref odd = { .id = FG_LIT("a/../b?c") };
    struct list_ask ask = { .page = 0 };
    struct gen_wire wire = { .fixed = NULL };
    struct gen_spec spec = kite("ray-2", &wire);
    char *huge = calloc(1, 70000);
    t_begin(&w);
    CHECK_CODE(&w.cx, provider_luma.poll_call(&w.cx, &site, &odd, 0, FG_NONE, &c), FG_OK);
    CHECK_IS(c.url, "https://api.lumalabs.ai/dream-machine/v1/generations/a%2F..%2Fb%3Fc", "an id is one segment");
    CHECK(!c.once && !c.body.p, "a poll may be repeated");
    CHECK_CODE(&w.cx, provider_luma_agents.poll_call(&w.cx, &agents, &odd, 0, FG_NONE, &c), FG_OK);
    CHECK_IS(c.url, "https://agents.lumalabs.ai/v1/generations/a%2F..%2Fb%3Fc", "of either");
    CHECK_IS(c.secret.value, "Bearer luma-api-secret", "with its key");
    CHECK_CODE(&w.cx, provider_luma.list_call(&w.cx, &site, &ask, &c), FG_OK);
    CHECK_IS(c.url, "https://api.lumalabs.ai/dream-machine/v1/generations?limit=100&offset=0", "the first page");
    ask.cursor = FG_LIT("200");
    CHECK_CODE(&w.cx, provider_luma.list_call(&w.cx, &site, &ask, &c), FG_OK);
    CHECK_IS(c.url, "https://api.lumalabs.ai/dream-machine/v1/generations?limit=100&offset=200", "further on");
    CHECK_CODE(&w.cx, provider_luma.cancel_call(&w.cx, &site, &job, REMOTE_RUNNING, &c), FG_OK);
    CHECK_IS(fg_str_c(c.method), "DELETE", "a cancel");
    CHECK_IS(c.url, "https://api.lumalabs.ai/dream-machine/v1/generations/d1968551-6113-4b46-b567-09210c2e79b0",
             "the job");
    memset(huge, 'a', 69999);
    spec.prompt = fg_str_c(huge);
    CHECK_CODE(&w.cx, provider_luma.submit_call(&w.cx, &site, &spec, &c), FG_TOO_LARGE);
    CHECK_CODE(&w.cx, provider_luma_agents.submit_call(&w.cx, &agents, &spec, &c), FG_TOO_LARGE);
    free(huge);
    t_end(&w, 0);
}

TEST(what_each_can_do)
{
    CHECK(provider_by_name(FG_LIT("luma")) == &provider_luma, "found by name");
    CHECK(provider_by_name(FG_LIT("luma_agents")) == &provider_luma_agents, "found by name");
    CHECK(provider_luma.cancel_when == (CANCEL_WHEN_QUEUED | CANCEL_WHEN_RUNNING) && provider_luma.cancel_deletes,
          "a delete of one that has finished removes it");
    CHECK(provider_luma.verify == VERIFY_NONE, "callbacks are unsigned");
    CHECK(!provider_luma_agents.callback_read && !provider_luma_agents.list_call &&
              provider_luma_agents.cancel_when == 0,
          "none of these are known of Agents");
}

/* ---- submits ---- */

#define DETAIL(text) "{\"detail\":\"" text "\"}"

static const struct {
    const char *why;
    int status;
    const char *body, *header, *value;
    enum submit_outcome outcome;
    enum remote_reason reason;
    int64_t retry_after_s;
} submits[] = {
    { "bad input", 400, DETAIL("no"), NULL, NULL, SUBMIT_REFUSED, REASON_REFUSED, 0 },
    { "moderated", 400, DETAIL("Advanced Moderation failed"), NULL, NULL, SUBMIT_REFUSED, REASON_CONTENT, 0 },
    { "moderated", 422, DETAIL("against our policy"), NULL, NULL, SUBMIT_REFUSED, REASON_CONTENT, 0 },
    { "low credit as text", 400, DETAIL("Insufficient Credits"), NULL, NULL, SUBMIT_REFUSED, REASON_CREDIT, 0 },
    { "key", 401, DETAIL("Not authenticated"), NULL, NULL, SUBMIT_REFUSED, REASON_AUTH, 0 },
    { "key, in other words", 401, DETAIL("bad credit-ials"), NULL, NULL, SUBMIT_REFUSED, REASON_AUTH, 0 },
    { "key", 403, "", NULL, NULL, SUBMIT_REFUSED, REASON_AUTH, 0 },
    { "balance", 402, "", NULL, NULL, SUBMIT_REFUSED, REASON_CREDIT, 0 },
    { "too large", 413, "", NULL, NULL, SUBMIT_REFUSED, REASON_REFUSED, 0 },
    { "unprocessable", 422, "{\"detail\":[]}", NULL, NULL, SUBMIT_REFUSED, REASON_REFUSED, 0 },
    { "rate", 429, DETAIL("Too many requests, see our policy"), "retry-after", "7", SUBMIT_NOT_SENT, REASON_BUSY, 7 },
    { "concurrency", 429, "", NULL, NULL, SUBMIT_NOT_SENT, REASON_BUSY, 0 },
    { "upstream", 502, "", NULL, NULL, SUBMIT_UNKNOWN, REASON_FAILED, 0 },
    { "load", 503, "", NULL, NULL, SUBMIT_UNKNOWN, REASON_FAILED, 0 },
    { "a 5xx with any words proves nothing", 500, DETAIL("moderation"), NULL, NULL, SUBMIT_UNKNOWN, REASON_FAILED,
      0 },
    { "request timeout", 408, "", NULL, NULL, SUBMIT_UNKNOWN, REASON_BUSY, 0 },
    { "conflict", 409, "", NULL, NULL, SUBMIT_UNKNOWN, REASON_BUSY, 0 },
    { "a redirect was not followed", 301, "", NULL, NULL, SUBMIT_UNKNOWN, REASON_FAILED, 0 },
    { "no id", 201, "{\"state\":\"queued\"}", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
    { "an id that is a number", 201, "{\"id\":7}", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
    { "an id that would climb", 201, "{\"id\":\"a/../b\"}", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
    { "no JSON", 201, "<html>", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
    { "nothing", 204, "", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
    { "200 is as good as 201", 200, "{\"id\":\"x\"}", NULL, NULL, SUBMIT_ACCEPTED, REASON_NONE, 0 },
};

TEST(submit_answers)
{
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(submits); i++) {
        struct fetch_reply r = answer(submits[i].status, submits[i].body);
        struct submit_reply got;
        add_header(&r, submits[i].header, submits[i].value);
        provider_luma.submit_reply(&w.cx, &site, &r, &got);
        CHECK_I64(got.outcome, submits[i].outcome, submits[i].why);
        CHECK_I64(got.reason, submits[i].reason, submits[i].why);
        CHECK_I64(got.retry_after_s, submits[i].retry_after_s, submits[i].why);
        CHECK((got.outcome == SUBMIT_ACCEPTED) == (got.id.p != NULL), submits[i].why);
        CHECK((got.outcome == SUBMIT_ACCEPTED) == (got.words.n == 0), submits[i].why);
    }
    t_end(&w, 0);
}

TEST(recorded_submit_answers)
{
    struct t_world w;
    struct submit_reply got;
    t_begin(&w);
    struct fetch_reply r = of_file(&w, 201, DATA "submit.json");
    provider_luma.submit_reply(&w.cx, &site, &r, &got);
    CHECK_STR(got.id, job.id, "the id");
    r = of_file(&w, 201, DATA "agents_submit.json");
    provider_luma_agents.submit_reply(&w.cx, &agents, &r, &got);
    CHECK_STR(got.id, agents_job.id, "the id");
    r = of_file(&w, 400, DATA "detail.json");
    provider_luma.submit_reply(&w.cx, &site, &r, &got);
    CHECK_I64(got.reason, REASON_CONTENT, "moderated at the door");
    CHECK_IS(got.words, "HTTP 400: Advanced moderation failed", "in their words");
    r = of_file(&w, 422, DATA "invalid.json");
    provider_luma.submit_reply(&w.cx, &site, &r, &got);
    CHECK_I64(got.reason, REASON_REFUSED, "what was sent is not searched for words");
    CHECK_IS(got.words, "HTTP 422: Input should be '5s' or '9s'", "the first fault");
    r = (struct fetch_reply){ .end = FETCH_UNKNOWN, .words = FG_LIT("why") };
    provider_luma.submit_reply(&w.cx, &site, &r, &got);
    CHECK_I64(got.outcome, SUBMIT_UNKNOWN, "never answered");
    CHECK_IS(got.words, "why", "the transport's words are kept");
    t_end(&w, 0);
}

/* ---- polls ---- */

#define STATE(state, rest) "{\"state\":\"" state "\"" rest "}"
#define FAILED(code, why) STATE("failed", ",\"failure_code\":" code ",\"failure_reason\":" why)

static const struct {
    const char *why;
    int status;
    const char *body;
    bool understood;
    enum remote_state state;
    enum remote_reason reason;
    const char *url, *unknown;
} polls[] = {
    { "waits", 200, STATE("queued", ""), true, REMOTE_QUEUED, REASON_NONE, NULL, NULL },
    { "runs", 200, STATE("dreaming", ",\"assets\":null"), true, REMOTE_RUNNING, REASON_NONE, NULL, NULL },
    { "runs", 200, STATE("processing", ",\"output\":[]"), true, REMOTE_RUNNING, REASON_NONE, NULL, NULL },
    { "a new word", 200, STATE("dozing", ""), true, REMOTE_RUNNING, REASON_NONE, NULL, "dozing" },
    { "done", 200, STATE("completed", ",\"assets\":{\"video\":\"https://x/v\"}"), true, REMOTE_DONE, REASON_NONE,
      "https://x/v", NULL },
    { "done", 200, STATE("completed", ",\"output\":[{\"url\":\"https://x/v\"}]"), true, REMOTE_DONE, REASON_NONE,
      "https://x/v", NULL },
    { "done, without a file", 200, STATE("completed", ",\"assets\":{\"image\":\"https://x/i\"},\"output\":[]"), true,
      REMOTE_FAILED, REASON_NONSENSE, NULL, NULL },
    { "failed", 200, STATE("failed", ",\"failure_reason\":null"), true, REMOTE_FAILED, REASON_FAILED, NULL, NULL },
    { "failed, in words", 200, FAILED("null", "\"GPU trouble\""), true, REMOTE_FAILED, REASON_FAILED, NULL, NULL },
    { "moderated, in words", 200, FAILED("null", "\"Prompt was MODERATED\""), true, REMOTE_FAILED, REASON_CONTENT,
      NULL, NULL },
    { "policy", 200, FAILED("null", "\"violates our policy\""), true, REMOTE_FAILED, REASON_CONTENT, NULL, NULL },
    { "moderated", 200, FAILED("\"content_moderated\"", "null"), true, REMOTE_FAILED, REASON_CONTENT, NULL, NULL },
    { "its own", 200, FAILED("\"generation_failed\"", "\"policy\""), true, REMOTE_FAILED, REASON_FAILED, NULL, NULL },
    { "budget", 200, FAILED("\"budget_exhausted\"", "null"), true, REMOTE_FAILED, REASON_CREDIT, NULL, NULL },
    { "no output", 200, FAILED("\"output_not_found\"", "null"), true, REMOTE_FAILED, REASON_FAILED, NULL, NULL },
    { "size", 200, FAILED("\"image_too_large\"", "null"), true, REMOTE_FAILED, REASON_IMAGE, NULL, NULL },
    { "format", 200, FAILED("\"unsupported_format\"", "null"), true, REMOTE_FAILED, REASON_IMAGE, NULL, NULL },
    { "corrupt", 200, FAILED("\"corrupt_input\"", "null"), true, REMOTE_FAILED, REASON_IMAGE, NULL, NULL },
    { "request", 200, FAILED("\"invalid_request\"", "null"), true, REMOTE_FAILED, REASON_REFUSED, NULL, NULL },
    { "a new code", 200, FAILED("\"bored\"", "\"m\""), true, REMOTE_FAILED, REASON_FAILED, NULL, NULL },
    { "gone", 404, DETAIL("Not found"), true, REMOTE_GONE, REASON_NONE, NULL, NULL },
    { "gone", 410, "", true, REMOTE_GONE, REASON_NONE, NULL, NULL },
    { "another's", 200, "{\"id\":\"x\",\"state\":\"failed\"}", false, REMOTE_QUEUED, REASON_NONSENSE, NULL, NULL },
    { "no state", 200, "{}", false, REMOTE_QUEUED, REASON_NONSENSE, NULL, NULL },
    { "state as number", 200, "{\"state\":1}", false, REMOTE_QUEUED, REASON_NONSENSE, NULL, NULL },
    { "no JSON", 200, "<html>", false, REMOTE_QUEUED, REASON_NONSENSE, NULL, NULL },
    { "key", 401, "", false, REMOTE_QUEUED, REASON_AUTH, NULL, NULL },
    { "rate", 429, "", false, REMOTE_QUEUED, REASON_BUSY, NULL, NULL },
    { "5xx", 503, STATE("failed", ""), false, REMOTE_QUEUED, REASON_FAILED, NULL, NULL },
};

TEST(poll_answers)
{
    static const struct provider *const both[] = { &provider_luma, &provider_luma_agents };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(polls) * FG_LEN(both); i++) {
        size_t at = i / FG_LEN(both);
        struct fetch_reply r = answer(polls[at].status, polls[at].body);
        struct poll_reply got;
        both[i % FG_LEN(both)]->poll_reply(&w.cx, &site, &job, 0, FG_NONE, &r, &got);
        CHECK_I64(got.understood, polls[at].understood, polls[at].why);
        CHECK_I64(got.state, polls[at].state, polls[at].why);
        CHECK_I64(got.reason, polls[at].reason, polls[at].why);
        CHECK_STR(got.output_url, fg_str_c(polls[at].url), polls[at].why);
        CHECK_I64(got.output_key, KEY_NEVER, "no key goes along");
        CHECK_STR(got.unknown_word, fg_str_c(polls[at].unknown), polls[at].why);
        CHECK(!got.again && got.progress == -1 && got.queue_position == -1, "none of these");
    }
    t_end(&w, 0);
}

TEST(recorded_poll_answers)
{
    struct t_world w;
    struct poll_reply got;
    t_begin(&w);
    struct fetch_reply r = of_file(&w, 200, DATA "completed.json");
    provider_luma.poll_reply(&w.cx, &site, &job, 0, FG_NONE, &r, &got);
    CHECK_IS(got.output_url, "https://storage.cdn-luma.example/x.mp4", "the video, not the picture");
    r = of_file(&w, 200, DATA "agents_completed.json");
    provider_luma_agents.poll_reply(&w.cx, &agents, &agents_job, 0, FG_NONE, &r, &got);
    CHECK_IS(got.output_url, "https://agents-cdn.example/x.mp4?sig=1", "the file");
    r = of_file(&w, 200, DATA "agents_failed.json");
    provider_luma_agents.poll_reply(&w.cx, &agents, &agents_job, 0, FG_NONE, &r, &got);
    CHECK_I64(got.reason, REASON_CONTENT, "moderated");
    CHECK_IS(got.words, "content_moderated: The content was moderated", "in their words");
    t_end(&w, 0);
}

/* ---- cancels and lists ---- */

TEST(cancel_answers)
{
    static const struct {
        int status;
        enum cancel_outcome want;
        const char *why;
    } row[] = {
        { 204, CANCEL_ASKED, "whether it stops one that runs is not known" },
        { 200, CANCEL_ASKED, "the same" },
        { 404, CANCEL_ASKED, "a first call took it away, perhaps" },
        { 410, CANCEL_ASKED, "the same" },
        { 400, CANCEL_TOO_LATE, "refused" },
        { 409, CANCEL_TOO_LATE, "refused" },
        { 422, CANCEL_TOO_LATE, "refused" },
        { 401, CANCEL_UNKNOWN, "key" },
        { 429, CANCEL_UNKNOWN, "rate" },
        { 500, CANCEL_UNKNOWN, "trouble" },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = answer(row[i].status, "");
        CHECK_I64(provider_luma.cancel_reply(&w.cx, &r), row[i].want, row[i].why);
    }
    struct fetch_reply r = { .end = FETCH_UNKNOWN };
    CHECK_I64(provider_luma.cancel_reply(&w.cx, &r), CANCEL_UNKNOWN, "no answer");
    t_end(&w, 0);
}

TEST(the_list_repeats_the_request)
{
    struct list_ask ask = { .since_us = 1767225600000000, .cursor = FG_LIT("200") };
    struct t_world w;
    struct list_reply got;
    t_begin(&w);
    struct fetch_reply r = of_file(&w, 200, DATA "list.json");
    provider_luma.list_reply(&w.cx, &site, &ask, &r, &got);
    CHECK(got.understood && got.whole && got.more, "another page");
    CHECK_IS(got.cursor, "202", "behind these");
    CHECK_I64(got.n, 2, "both");
    CHECK_STR(got.row[1].id, job.id, "the id");
    CHECK_IS(got.row[1].callback_url, "https://gw.example/cb/luma/j_7Qx", "ours, exactly");
    CHECK_IS(got.row[1].prompt, "a red kite over dunes", "the prompt");
    CHECK_IS(got.row[1].model, "ray-2", "the model");
    CHECK_I64(got.row[1].duration_s, 5, "the duration");
    CHECK_I64(got.row[1].created_us, 1767225600000000, "the time");
    CHECK_I64(got.row[0].created_us, 1767225660123456, "with an offset and microseconds");
    CHECK(!got.row[0].callback_url.p, "somebody else's");
    ask.since_us = 1767225600000001;
    provider_luma.list_reply(&w.cx, &site, &ask, &r, &got);
    CHECK(got.understood && !got.more && !got.cursor.p, "the page goes beyond the window");
    t_end(&w, 0);
}

TEST(odd_lists)
{
    static const struct {
        const char *why;
        int status;
        const char *body;
        bool understood;
        size_t n;
        bool more;
    } row[] = {
        { "empty", 200, "{\"generations\":[],\"has_more\":false}", true, 0, false },
        { "more of nothing", 200, "{\"generations\":[],\"has_more\":true}", true, 0, false },
        { "oldest first: the end is not near", 200,
          "{\"generations\":[{\"id\":\"a\",\"created_at\":\"2025-01-01T00:00:00Z\"},"
          "{\"id\":\"b\",\"created_at\":\"2025-01-02T00:00:00Z\"}],\"has_more\":true}",
          true, 2, true },
        { "unusable ids", 200, "{\"generations\":[{\"id\":\"..\"},{\"id\":null},{\"id\":\"a\"},7],\"has_more\":true}",
          true, 1, true },
        { "a number for the flag", 200, "{\"generations\":[{\"id\":\"a\"}],\"has_more\":1}", true, 1, false },
        { "no list in it", 200, "{\"generations\":{}}", false, 0, false },
        { "server error", 500, "{\"generations\":[]}", false, 0, false },
        { "no JSON", 200, "<html>", false, 0, false },
    };
    static const char *const durations[] = { "\"x\"", "\"5sx\"", "\"99999s\"", "null" };
    struct list_ask ask = { .since_us = 1767225600000000 };
    struct t_world w;
    struct list_reply got;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = answer(row[i].status, row[i].body);
        provider_luma.list_reply(&w.cx, &site, &ask, &r, &got);
        CHECK_I64(got.understood, row[i].understood, row[i].why);
        CHECK_I64(got.n, row[i].n, row[i].why);
        CHECK_I64(got.more, row[i].more, row[i].why);
        CHECK((got.cursor.n > 0) == row[i].more, row[i].why);
    }
    for (size_t i = 0; i < FG_LEN(durations); i++) {
        struct fetch_reply r = answer(200, "");
        r.body = arena_fmt(w.cx.mem, "{\"generations\":[{\"id\":\"a\",\"request\":{\"model\":\"ray-2\",\"duration\":%s}}]}",
                           durations[i]);
        provider_luma.list_reply(&w.cx, &site, &ask, &r, &got);
        CHECK_I64(got.row[0].duration_s, 0, durations[i]);
        CHECK_IS(got.row[0].model, "ray-2", "from the request, where it stands alone");
    }
    t_end(&w, 0);
}

/* ---- callbacks ---- */

TEST(callbacks_are_read)
{
    static const struct {
        const char *why, *body;
        enum fg_code want;
        bool understood;
        enum remote_state state;
    } row[] = {
        { "runs", "{\"id\":\"1\",\"state\":\"dreaming\"}", FG_OK, true, REMOTE_RUNNING },
        { "failed", "{\"id\":\"1\",\"state\":\"failed\",\"failure_reason\":\"m\"}", FG_OK, true, REMOTE_FAILED },
        { "done", "{\"id\":\"1\",\"state\":\"completed\",\"assets\":{\"video\":\"https://x/v\"}}", FG_OK, true,
          REMOTE_DONE },
        { "no news", "{\"id\":\"1\"}", FG_OK, false, REMOTE_QUEUED },
        { "no id", "{\"state\":\"failed\"}", FG_INVALID_REQUEST, false, REMOTE_QUEUED },
        { "bad id", "{\"id\":\"a b\",\"state\":\"failed\"}", FG_INVALID_REQUEST, false, REMOTE_QUEUED },
        { "an array", "[]", FG_INVALID_REQUEST, false, REMOTE_QUEUED },
        { "no JSON", "{'id':1}", FG_INVALID_JSON, false, REMOTE_QUEUED },
        { "nothing", "", FG_INVALID_JSON, false, REMOTE_QUEUED },
    };
    struct callback_headers h = { .webhook_id = FG_LIT("msg_1") };
    struct t_world w;
    struct callback_note got;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        got = (struct callback_note){ .news = { .understood = false } };
        CHECK_CODE(&w.cx, provider_luma.callback_read(&w.cx, &h, fg_str_c(row[i].body), &got), row[i].want);
        CHECK_STR(got.remote_id, row[i].want == FG_OK ? FG_LIT("1") : FG_NONE, row[i].why);
        CHECK_I64(got.news.understood, row[i].understood, row[i].why);
        CHECK_I64(got.news.state, row[i].state, row[i].why);
        CHECK(!got.event_id.p && !got.token.p && !got.answer.p, "it has none of these");
    }
    CHECK_CODE(&w.cx, provider_luma.callback_read(&w.cx, &h, t_file(&w.cx, DATA "completed.json"), &got), FG_OK);
    CHECK_STR(got.remote_id, job.id, "the recorded one");
    t_end(&w, 0);
}

TEST(damaged_answers_lead_nowhere)
{
    static const char *const file[] = { DATA "submit.json", DATA "completed.json", DATA "list.json",
                                        DATA "detail.json", DATA "invalid.json" };
    static const char *const agents_file[] = { DATA "agents_submit.json", DATA "agents_completed.json",
                                               DATA "agents_failed.json" };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(file); i++)
        torture(&w, &provider_luma, &site, file[i]);
    for (size_t i = 0; i < FG_LEN(agents_file); i++)
        torture(&w, &provider_luma_agents, &agents, agents_file[i]);
    t_end(&w, 0);
}
