/* Kling's new surface, and what both share: recorded examples as rows, every code of its table. */
#include "adapter_kit.h"
#include "adapter_torture.h"
#include "base/utf8.h"

#define DATA "tests/data/providers/kling/"
#define ID "831045678901234567"
#define REF "5b1c1a0e-3c0f-4a53-9f0e-2f7f1f1b2c3d"

static const struct provider_site site = {
    .name = { "kling", 5 },
    .base_url = { "https://api-singapore.klingai.com", 33 },
    .key = { "kl-secret", 9 },
};
static const struct remote_ref ref = { .id = { ID, 18 } };

static struct fetch_reply of_file(struct t_world *w, int status, const char *path)
{
    struct fetch_reply r = answer(status, "");
    r.body = t_file(&w->cx, path);
    return r;
}

/* ---- calls ---- */

TEST(the_recorded_text_request)
{
    struct t_world w;
    struct fetch_call c;
    t_begin(&w);
    struct gen_wire wire = { .fixed = parsed(&w.cx, "{\"multi_shot\":false}") };
    struct gen_spec spec = kite("kling-3.0", &wire);
    spec.duration_s = 5;
    spec.audio = AUDIO_OFF;
    spec.has_seed = true; /* no model has one */
    spec.callback_url = FG_LIT("https://gw.example/cb/kling/j_7Qx");
    CHECK_CODE(&w.cx, provider_kling.submit_call(&w.cx, &site, &spec, &c), FG_OK);
    CHECK_IS(fg_str_c(c.method), "POST", "a submit");
    CHECK_IS(c.url, "https://api-singapore.klingai.com/text-to-video/kling-3.0", "the model is in the path");
    CHECK_IS(c.body,
             "{\"prompt\":\"a red kite over dunes\",\"settings\":{\"resolution\":\"720p\",\"aspect_ratio\":\"16:9\","
             "\"duration\":5,\"audio\":\"off\",\"multi_shot\":false},\"options\":{\"external_task_id\":\"" REF
             "\",\"callback_url\":\"https://gw.example/cb/kling/j_7Qx\"}}",
             "as documented; the duration is a number");
    CHECK_IS(c.secret.name, "Authorization", "the key is the secret header");
    CHECK_IS(c.secret.value, "Bearer kl-secret", "as a bearer");
    CHECK_IS(header_of(&c, FG_LIT("Content-Type")), "application/json", "JSON");
    CHECK(c.once, "it costs money: never repeated by the transport");
    t_end(&w, 0);
}

TEST(the_picture_goes_as_a_url_and_decides_the_ratio)
{
    struct t_world w;
    struct fetch_call c;
    struct gen_wire wire = { .fixed = NULL };
    struct gen_spec spec = kite("kling/3 0", &wire);
    t_begin(&w);
    spec.duration_s = 10;
    spec.audio = AUDIO_ON;
    spec.image_url = FG_LIT("https://x.example/a.png");
    CHECK_CODE(&w.cx, provider_kling.submit_call(&w.cx, &site, &spec, &c), FG_OK);
    CHECK_IS(c.url, "https://api-singapore.klingai.com/image-to-video/kling%2F3%200", "a model is one segment");
    CHECK_IS(c.body,
             "{\"contents\":[{\"type\":\"prompt\",\"text\":\"a red kite over dunes\"},"
             "{\"type\":\"first_frame\",\"url\":\"https://x.example/a.png\"}],"
             "\"settings\":{\"resolution\":\"720p\",\"duration\":10,\"audio\":\"native\"},"
             "\"options\":{\"external_task_id\":\"" REF "\"}}",
             "no ratio, no callback");
    spec.audio = AUDIO_ANY; /* turbo: always has sound and no such field */
    wire.fixed = parsed(&w.cx, "{\"multi_shot\":false,\"x\":[1,\"a\"]}");
    wire.param[PARAM_RESOLUTION].values = parsed(&w.cx, "{\"720p\":\"1080p\"}");
    CHECK_CODE(&w.cx, provider_kling.submit_call(&w.cx, &site, &spec, &c), FG_OK);
    CHECK(strstr(c.body.p, "\"settings\":{\"resolution\":\"1080p\",\"duration\":10,\"multi_shot\":false,\"x\":[1,\"a\"]}"),
          "spelled by the catalogue; fixed members have commas between them");
    t_end(&w, 0);
}

TEST(requests_that_cannot_be_made)
{
    struct t_world w;
    struct fetch_call c;
    struct gen_wire wire = { .fixed = NULL };
    struct gen_spec spec = kite("kling-3.0", &wire);
    struct provider_site pair = site;
    pair.key_secret = FG_LIT("sk");
    t_begin(&w);
    CHECK_CODE(&w.cx, provider_kling.submit_call(&w.cx, &pair, &spec, &c), FG_INVALID_REQUEST);
    CHECK(strstr(w.cx.err.detail, "whole API keys"), "and says why");
    char *huge = calloc(1, 70000);
    memset(huge, 'a', 69999);
    spec.prompt = fg_str_c(huge);
    CHECK_CODE(&w.cx, provider_kling.submit_call(&w.cx, &site, &spec, &c), FG_TOO_LARGE);
    free(huge);
    t_end(&w, 0);
}

TEST(polls_and_lists_are_asked_for)
{
    struct t_world w;
    struct fetch_call c;
    struct remote_ref odd = { .id = FG_LIT("a,b/../c?d") };
    struct list_ask one = { .client_ref = FG_LIT(REF) };
    struct list_ask window = { .since_us = 1767225600123456, .until_us = 1767225700000000 };
    t_begin(&w);
    CHECK_CODE(&w.cx, provider_kling.poll_call(&w.cx, &site, &odd, 0, FG_NONE, &c), FG_OK);
    CHECK_IS(c.url, "https://api-singapore.klingai.com/tasks?task_ids=a%2Cb%2F..%2Fc%3Fd", "an id is one value");
    CHECK(!c.once && !c.body.p, "a poll may be repeated");
    CHECK_CODE(&w.cx, provider_kling.list_call(&w.cx, &site, &one, &c), FG_OK);
    CHECK_IS(c.url, "https://api-singapore.klingai.com/tasks?external_task_ids=" REF, "exactly that one");
    CHECK_CODE(&w.cx, provider_kling.list_call(&w.cx, &site, &window, &c), FG_OK);
    CHECK_IS(fg_str_c(c.method), "POST", "the window goes in a body");
    CHECK_IS(c.url, "https://api-singapore.klingai.com/tasks", "the same place");
    CHECK_IS(c.body, "{\"start_time\":1767225600123,\"end_time\":1767225700001,\"cursor\":\"\",\"limit\":500}",
             "milliseconds, never less than the window");
    CHECK(!c.once, "it only reads");
    window.cursor = FG_LIT("c\"2");
    CHECK_CODE(&w.cx, provider_kling.list_call(&w.cx, &site, &window, &c), FG_OK);
    CHECK(strstr(c.body.p, "\"cursor\":\"c\\\"2\""), "the page before's");
    t_end(&w, 0);
}

/* ---- submits ---- */

#define CODE(n) "{\"code\":" n ",\"message\":\"m\",\"request_id\":\"r\"}"

static const struct {
    const char *why;
    int status;
    const char *body;
    enum submit_outcome outcome;
    enum remote_reason reason;
} submits[] = {
    { "key", 401, CODE("1000"), SUBMIT_REFUSED, REASON_AUTH },
    { "no key", 401, CODE("1001"), SUBMIT_REFUSED, REASON_AUTH },
    { "bad key", 401, CODE("1002"), SUBMIT_REFUSED, REASON_AUTH },
    { "not yet valid", 401, CODE("1003"), SUBMIT_REFUSED, REASON_AUTH },
    { "expired", 401, CODE("1004"), SUBMIT_REFUSED, REASON_AUTH },
    { "account", 429, CODE("1100"), SUBMIT_REFUSED, REASON_CREDIT },
    { "arrears", 429, CODE("1101"), SUBMIT_REFUSED, REASON_CREDIT },
    { "pack used up", 429, CODE("1102"), SUBMIT_REFUSED, REASON_CREDIT },
    { "no permission", 403, CODE("1103"), SUBMIT_REFUSED, REASON_REFUSED },
    { "parameter", 400, CODE("1200"), SUBMIT_REFUSED, REASON_REFUSED },
    { "parameter", 400, CODE("1201"), SUBMIT_REFUSED, REASON_REFUSED },
    { "reference taken", 400, "{\"code\":1201,\"message\":\"duplicate external id\"}", SUBMIT_UNKNOWN, REASON_NONE },
    { "those words elsewhere", 400, "{\"code\":1200,\"message\":\"already exists\"}", SUBMIT_REFUSED,
      REASON_REFUSED },
    { "method", 404, CODE("1202"), SUBMIT_REFUSED, REASON_REFUSED },
    { "model", 404, CODE("1203"), SUBMIT_REFUSED, REASON_REFUSED },
    { "policy", 400, CODE("1300"), SUBMIT_REFUSED, REASON_CONTENT },
    { "content", 400, CODE("1301"), SUBMIT_REFUSED, REASON_CONTENT },
    { "rate", 429, CODE("1302"), SUBMIT_NOT_SENT, REASON_BUSY },
    { "concurrency", 429, CODE("1303"), SUBMIT_NOT_SENT, REASON_BUSY },
    { "IP", 429, CODE("1304"), SUBMIT_REFUSED, REASON_AUTH },
    { "internal", 500, CODE("5000"), SUBMIT_UNKNOWN, REASON_FAILED },
    { "maintenance", 503, CODE("5001"), SUBMIT_NOT_SENT, REASON_BUSY },
    { "it timed out", 504, CODE("5002"), SUBMIT_UNKNOWN, REASON_FAILED },
    { "a code on HTTP 200 is an error", 200, CODE("1301"), SUBMIT_REFUSED, REASON_CONTENT },
    { "also this one", 200, CODE("5002"), SUBMIT_UNKNOWN, REASON_FAILED },
    { "an unknown code on HTTP 200", 200, CODE("1999"), SUBMIT_UNKNOWN, REASON_FAILED },
    { "an unknown code", 400, CODE("1999"), SUBMIT_REFUSED, REASON_REFUSED },
    { "429 without a code", 429, "", SUBMIT_NOT_SENT, REASON_BUSY },
    { "a 5xx with another's code proves nothing", 500, CODE("1301"), SUBMIT_UNKNOWN, REASON_FAILED },
    { "nor does it here", 502, CODE("5001"), SUBMIT_UNKNOWN, REASON_FAILED },
    { "a 503 of somebody else", 503, "<html>", SUBMIT_UNKNOWN, REASON_FAILED },
    { "gateway", 504, "", SUBMIT_UNKNOWN, REASON_FAILED },
    { "request timeout", 408, "", SUBMIT_UNKNOWN, REASON_BUSY },
    { "a redirect was not followed", 307, "", SUBMIT_UNKNOWN, REASON_FAILED },
    { "no code", 200, "{\"data\":{\"id\":\"1\",\"task_id\":\"1\"}}", SUBMIT_UNKNOWN, REASON_NONSENSE },
    { "code as text", 200, "{\"code\":\"0\",\"data\":{\"id\":\"1\",\"task_id\":\"1\"}}", SUBMIT_UNKNOWN,
      REASON_NONSENSE },
    { "no id", 200, "{\"code\":0,\"data\":{}}", SUBMIT_UNKNOWN, REASON_NONSENSE },
    { "an id that would climb", 200, "{\"code\":0,\"data\":{\"id\":\"..\",\"task_id\":\"..\"}}", SUBMIT_UNKNOWN,
      REASON_NONSENSE },
    { "no data", 200, "{\"code\":0,\"data\":null}", SUBMIT_UNKNOWN, REASON_NONSENSE },
    { "data as list", 200, "{\"code\":0,\"data\":[{\"id\":\"1\",\"task_id\":\"1\"}]}", SUBMIT_UNKNOWN,
      REASON_NONSENSE },
    { "no JSON", 200, "<html>", SUBMIT_UNKNOWN, REASON_NONSENSE },
    { "nothing", 204, "", SUBMIT_UNKNOWN, REASON_NONSENSE },
    { "an id that is a number", 200, "{\"code\":0,\"data\":{\"id\":831,\"task_id\":831}}", SUBMIT_ACCEPTED,
      REASON_NONE },
};

TEST(submit_answers)
{
    static const struct provider *const both[] = { &provider_kling, &provider_kling_legacy };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(submits) * FG_LEN(both); i++) {
        const struct provider *p = both[i % FG_LEN(both)];
        size_t at = i / FG_LEN(both);
        struct fetch_reply r = answer(submits[at].status, submits[at].body);
        struct submit_reply got;
        p->submit_reply(&w.cx, &site, &r, &got);
        CHECK_I64(got.outcome, submits[at].outcome, submits[at].why);
        CHECK_I64(got.reason, submits[at].reason, submits[at].why);
        CHECK((got.outcome == SUBMIT_ACCEPTED) == (got.id.p != NULL), submits[at].why);
        CHECK((got.outcome == SUBMIT_ACCEPTED) == (got.words.n == 0), submits[at].why);
    }
    t_end(&w, 0);
}

TEST(recorded_submit_answers)
{
    struct t_world w;
    struct submit_reply got;
    t_begin(&w);
    struct fetch_reply r = of_file(&w, 200, DATA "submit.json");
    provider_kling.submit_reply(&w.cx, &site, &r, &got);
    CHECK_I64(got.outcome, SUBMIT_ACCEPTED, "accepted");
    CHECK_IS(got.id, ID, "the id");
    r = of_file(&w, 400, DATA "taken.json");
    provider_kling.submit_reply(&w.cx, &site, &r, &got);
    CHECK_I64(got.outcome, SUBMIT_UNKNOWN, "it took effect: to be looked up");
    CHECK_IS(got.words, "HTTP 400 1201: external_task_id " REF " already exists", "and why");
    r = of_file(&w, 429, DATA "concurrency.json");
    add_header(&r, "retry-after", "3");
    provider_kling.submit_reply(&w.cx, &site, &r, &got);
    CHECK_I64(got.outcome, SUBMIT_NOT_SENT, "refused before anything was taken");
    CHECK_I64(got.retry_after_s, 3, "none is documented, but one would be heard");
    r = answer(401, "{\"code\":1002,\"message\":\"bad key kl-secret\"}");
    provider_kling.submit_reply(&w.cx, &site, &r, &got);
    CHECK_IS(got.words, "HTTP 401 1002", "their message may repeat the key");
    r = (struct fetch_reply){ .end = FETCH_UNKNOWN, .words = FG_LIT("why") };
    provider_kling.submit_reply(&w.cx, &site, &r, &got);
    CHECK_I64(got.outcome, SUBMIT_UNKNOWN, "never answered");
    CHECK_IS(got.words, "why", "the transport's words are kept");
    t_end(&w, 0);
}

/* ---- polls ---- */

#define TASK(rest) "{\"code\":0,\"data\":[{\"id\":\"" ID "\"," rest "}]}"

static const struct {
    const char *why;
    int status;
    const char *body;
    bool understood;
    enum remote_state state;
    enum remote_reason reason;
    const char *url, *unknown;
} polls[] = {
    { "waits", 200, TASK("\"status\":\"submitted\""), true, REMOTE_QUEUED, REASON_NONE, NULL, NULL },
    { "runs", 200, TASK("\"status\":\"processing\""), true, REMOTE_RUNNING, REASON_NONE, NULL,
      NULL },
    { "a new word", 200, TASK("\"status\":\"dozing\""), true, REMOTE_RUNNING, REASON_NONE, NULL,
      "dozing" },
    { "failed", 200, TASK("\"status\":\"failed\",\"message\":\"Generation failed\""), true,
      REMOTE_FAILED, REASON_FAILED, NULL, NULL },
    { "moderated", 200,
      TASK("\"status\":\"failed\",\"message\":\"Failure to pass the Risk Control system\""), true, REMOTE_FAILED,
      REASON_CONTENT_OUT, NULL, NULL },
    { "done", 200,
      TASK("\"status\":\"succeeded\",\"outputs\":[{\"type\":\"image\",\"url\":\"https://x/i\"},"
           "{\"type\":\"video\",\"url\":\"https://x/v\"}]"),
      true, REMOTE_DONE, REASON_NONE, "https://x/v", NULL },
    { "done, without a file", 200, TASK("\"status\":\"succeeded\",\"outputs\":[]"), true,
      REMOTE_FAILED, REASON_NONSENSE, NULL, NULL },
    { "done, without outputs", 200, TASK("\"status\":\"succeeded\""), true, REMOTE_FAILED,
      REASON_NONSENSE, NULL, NULL },
    { "done, 30 days ago to the millisecond", 200,
      TASK("\"status\":\"succeeded\",\"update_time\":1890864000000,\"outputs\":[{\"url\":\"https://x/v\"}]"), true,
      REMOTE_DONE, REASON_NONE, "https://x/v", NULL },
    { "done, and no longer kept", 200,
      TASK("\"status\":\"succeeded\",\"update_time\":1890863999999,\"outputs\":[{\"url\":\"https://x/v\"}]"), true,
      REMOTE_GONE, REASON_NONE, NULL, NULL },
    { "beyond all times", 200,
      TASK("\"status\":\"succeeded\",\"update_time\":9223372036854775807,\"outputs\":[{\"url\":\"https://x/v\"}]"),
      true, REMOTE_DONE, REASON_NONE, "https://x/v", NULL },
    { "unknown", 200, "{\"code\":0,\"data\":[]}", true, REMOTE_GONE, REASON_NONE, NULL, NULL },
    { "unknown", 404, CODE("1203"), true, REMOTE_GONE, REASON_NONE, NULL, NULL },
    { "unknown, with 200", 200, CODE("1203"), true, REMOTE_GONE, REASON_NONE, NULL, NULL },
    { "another's", 200, "{\"code\":0,\"data\":[{\"id\":\"1\",\"status\":\"failed\"}]}", false,
      REMOTE_QUEUED, REASON_NONSENSE, NULL, NULL },
    { "no list", 200, "{\"code\":0,\"data\":{\"id\":\"" ID "\",\"status\":\"failed\"}}", false,
      REMOTE_QUEUED, REASON_NONSENSE, NULL, NULL },
    { "no status", 200, TASK("\"x\":1"), false, REMOTE_QUEUED, REASON_NONSENSE, NULL, NULL },
    { "status as number", 200, TASK("\"status\":1"), false, REMOTE_QUEUED, REASON_NONSENSE, NULL,
      NULL },
    { "no code", 200, "{\"data\":[]}", false, REMOTE_QUEUED, REASON_NONSENSE, NULL, NULL },
    { "no JSON", 200, "<html>", false, REMOTE_QUEUED, REASON_NONSENSE, NULL, NULL },
    { "busy", 429, CODE("1302"), false, REMOTE_QUEUED, REASON_BUSY, NULL, NULL },
    { "pack", 429, CODE("1102"), false, REMOTE_QUEUED, REASON_CREDIT, NULL, NULL },
    { "key", 401, CODE("1000"), false, REMOTE_QUEUED, REASON_AUTH, NULL, NULL },
    { "5xx", 500, CODE("5000"), false, REMOTE_QUEUED, REASON_FAILED, NULL, NULL },
};

TEST(poll_answers)
{
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(polls); i++) {
        struct fetch_reply r = answer(polls[i].status, polls[i].body);
        struct poll_reply got;
        provider_kling.poll_reply(&w.cx, &site, &ref, 0, FG_NONE, &r, &got);
        CHECK_I64(got.understood, polls[i].understood, polls[i].why);
        CHECK_I64(got.state, polls[i].state, polls[i].why);
        CHECK_I64(got.reason, polls[i].reason, polls[i].why);
        CHECK_STR(got.output_url, fg_str_c(polls[i].url), polls[i].why);
        CHECK_I64(got.output_key, KEY_NEVER, "the links are signed: no key goes along");
        CHECK_STR(got.unknown_word, fg_str_c(polls[i].unknown), polls[i].why);
        CHECK(!got.again && got.progress == -1 && got.queue_position == -1, "none of these");
    }
    t_end(&w, 0);
}

TEST(recorded_poll_answers)
{
    struct t_world w;
    struct poll_reply got;
    t_begin(&w);
    struct fetch_reply r = of_file(&w, 200, DATA "succeeded.json");
    provider_kling.poll_reply(&w.cx, &site, &ref, 0, FG_NONE, &r, &got);
    CHECK_I64(got.state, REMOTE_DONE, "done");
    CHECK_IS(got.output_url, "https://cdn.klingai.example/x.mp4?sign=a%2Fb", "the file");
    r = of_file(&w, 200, DATA "unknown_task.json");
    provider_kling.poll_reply(&w.cx, &site, &ref, 0, FG_NONE, &r, &got);
    CHECK_I64(got.state, REMOTE_GONE, "forgotten");
    r = (struct fetch_reply){ .end = FETCH_UNKNOWN, .words = FG_LIT("why") };
    provider_kling.poll_reply(&w.cx, &site, &ref, 0, FG_NONE, &r, &got);
    CHECK(!got.understood, "no answer is no news");
    CHECK_IS(got.words, "why", "but why");
    t_end(&w, 0);
}

/* ---- lists ---- */

TEST(a_reference_finds_its_job_exactly)
{
    static const struct {
        const char *why;
        int status;
        const char *body;
        bool understood;
        size_t n;
    } row[] = {
        { "it is there", 200, TASK("\"external_id\":\"" REF "\",\"create_time\":1767225600123"), true, 1 },
        { "it is not", 200, "{\"code\":0,\"data\":[]}", true, 0 },
        { "an answer about others", 200, TASK("\"external_id\":\"fg_2\""), false, 0 },
        { "one that does not say", 200, TASK("\"status\":\"submitted\""), false, 0 },
        { "an unusable id", 200, "{\"code\":0,\"data\":[{\"id\":\"..\",\"external_id\":\"" REF "\"}]}", false, 0 },
        { "no list", 200, "{\"code\":0,\"data\":null}", false, 0 },
        { "not found at all", 404, CODE("1202"), false, 0 },
        { "busy", 429, CODE("1302"), false, 0 },
        { "busy, with 200", 200, CODE("1302"), false, 0 },
        { "no JSON", 200, "<html>", false, 0 },
    };
    struct list_ask ask = { .client_ref = FG_LIT(REF) };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = answer(row[i].status, row[i].body);
        struct list_reply got;
        provider_kling.list_reply(&w.cx, &site, &ask, &r, &got);
        CHECK_I64(got.understood, row[i].understood, row[i].why);
        CHECK_I64(got.whole, row[i].understood, "what it says is the whole truth");
        CHECK_I64(got.n, row[i].n, row[i].why);
        CHECK(!got.more, "one page");
        if (got.n) {
            CHECK_IS(got.row[0].id, ID, "the id");
            CHECK_IS(got.row[0].client_ref, REF, "ours");
            CHECK_I64(got.row[0].created_us, 1767225600123000, "milliseconds");
        }
    }
    t_end(&w, 0);
}

TEST(a_window_is_read_page_by_page)
{
    struct list_ask ask = { .since_us = 1767225600000000, .until_us = 1767225700000000 };
    struct t_world w;
    struct list_reply got;
    t_begin(&w);
    struct fetch_reply r = of_file(&w, 200, DATA "window.json");
    provider_kling.list_reply(&w.cx, &site, &ask, &r, &got);
    CHECK(got.understood && got.whole && got.more, "another page");
    CHECK_IS(got.cursor, "c-2", "by its cursor");
    CHECK_I64(got.n, 2, "both rows");
    CHECK_IS(got.row[0].client_ref, REF, "ours");
    CHECK(!got.row[1].client_ref.p, "somebody else's");
    CHECK_I64(got.row[1].created_us, 1767225601123000, "milliseconds");
    r = answer(200, "{\"code\":0,\"data\":{\"result\":[],\"next_cursor\":\"\",\"has_more\":false}}");
    provider_kling.list_reply(&w.cx, &site, &ask, &r, &got);
    CHECK(got.understood && got.whole && !got.more && got.n == 0, "empty is an answer");
    r = answer(200, "{\"code\":0,\"data\":{\"result\":[],\"has_more\":true}}");
    provider_kling.list_reply(&w.cx, &site, &ask, &r, &got);
    CHECK(got.understood && !got.whole && !got.more, "more without a way to it");
    r = answer(200, "{\"code\":0,\"data\":[]}");
    provider_kling.list_reply(&w.cx, &site, &ask, &r, &got);
    CHECK(!got.understood, "that is the other answer");
    t_end(&w, 0);
}

/* ---- callbacks ---- */

TEST(callbacks_are_read)
{
    static const struct {
        const char *why, *body;
        enum fg_code want;
        bool news;
    } row[] = {
        { "a task", "{\"id\":\"1\",\"status\":\"processing\"}", FG_OK, true },
        { "a task without news", "{\"id\":\"1\"}", FG_OK, false },
        { "an id that is a number", "{\"id\":1,\"status\":\"processing\"}", FG_OK, true },
        { "no id", "{\"status\":\"processing\"}", FG_INVALID_REQUEST, false },
        { "bad id", "{\"id\":\"a b\",\"status\":\"processing\"}", FG_INVALID_REQUEST, false },
        { "the other surface's", "{\"task_id\":\"1\"}", FG_INVALID_REQUEST, false },
        { "an array", "[]", FG_INVALID_REQUEST, false },
        { "no JSON", "{'id':1}", FG_INVALID_JSON, false },
        { "nothing", "", FG_INVALID_JSON, false },
    };
    struct callback_headers h = { .webhook_id = FG_LIT("msg_1") };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct callback_note got = { .news = { .understood = false } };
        CHECK_CODE(&w.cx, provider_kling.callback_read(&w.cx, &h, fg_str_c(row[i].body), &got), row[i].want);
        CHECK_STR(got.remote_id, row[i].want == FG_OK ? FG_LIT("1") : FG_NONE, row[i].why);
        CHECK_STR(got.event_id, row[i].want == FG_OK ? FG_LIT("msg_1") : FG_NONE, row[i].why);
        CHECK_I64(got.news.understood, row[i].news, row[i].why);
        CHECK(!got.token.p && !got.answer.p, "the path has the token");
    }
    t_end(&w, 0);
}

TEST(recorded_callbacks)
{
    struct callback_headers none = { .webhook_id = FG_NONE };
    struct t_world w;
    struct callback_note got;
    t_begin(&w);
    CHECK_I64(provider_kling.verify, VERIFY_STANDARD_IF_SECRET, "signed once a secret was made");
    CHECK_CODE(&w.cx, provider_kling.callback_read(&w.cx, &none, t_file(&w.cx, DATA "callback.json"), &got), FG_OK);
    CHECK_IS(got.remote_id, ID, "the id");
    CHECK(!got.event_id.p, "no header, no event id");
    CHECK_I64(got.news.state, REMOTE_RUNNING, "it runs");
    t_end(&w, 0);
}

/* ---- all of it ---- */

TEST(damaged_answers_lead_nowhere)
{
    static const char *const file[] = { DATA "submit.json", DATA "succeeded.json", DATA "taken.json",
                                        DATA "window.json", DATA "callback.json" };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(file); i++)
        torture(&w, &provider_kling, &site, file[i]);
    t_end(&w, 0);
}

TEST(long_words_are_cut_between_characters)
{
    struct t_world w;
    struct submit_reply got;
    t_begin(&w);
    struct sb b = sb_in(w.cx.mem, 2000);
    sb_add(&b, FG_LIT("{\"code\":1200,\"message\":\""));
    for (int i = 0; i < 300; i++)
        sb_add(&b, FG_LIT("\xc3\xa9"));
    sb_add(&b, FG_LIT("\"}"));
    struct fetch_reply r = answer(400, sb_cstr(&b));
    provider_kling.submit_reply(&w.cx, &site, &r, &got);
    CHECK(got.words.n == 200 || got.words.n == 199, "cut, not dropped");
    CHECK(utf8_count(got.words) != SIZE_MAX, "and still text");
    t_end(&w, 0);
}

TEST(both_are_found_by_name)
{
    CHECK(provider_by_name(FG_LIT("kling")) == &provider_kling, "the new one");
    CHECK(provider_by_name(FG_LIT("kling_legacy")) == &provider_kling_legacy, "the old one");
    CHECK(provider_kling.cancel_when == 0 && !provider_kling.cancel_call, "once accepted, a task runs to its end");
}
