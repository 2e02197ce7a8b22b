/* Both generations of MiniMax: recorded examples as rows, every code of its table, the challenge of its callbacks. */
#include "adapter_kit.h"
#include "adapter_torture.h"

#define DATA "tests/data/providers/minimax/"

static const struct provider_site site = {
    .name = { "minimax", 7 },
    .base_url = { "https://api.minimax.io", 22 },
    .key = { "mm-secret", 9 },
};
static const struct remote_ref v1_job = { .id = { "106916112212032", 15 } };
static const struct remote_ref v2_job = { .id = { "424342342342", 12 } };

static struct fetch_reply of_file(struct t_world *w, int status, const char *path)
{
    struct fetch_reply r = answer(status, "");
    r.body = t_file(&w->cx, path);
    return r;
}

/* ---- calls ---- */

TEST(the_recorded_v1_request)
{
    struct t_world w;
    struct fetch_call c;
    t_begin(&w);
    struct gen_wire wire = { .param[PARAM_RESOLUTION] = { .values = parsed(&w.cx, "{\"720p\":\"768P\"}") } };
    struct gen_spec spec = kite("MiniMax-Hailuo-2.3", &wire);
    spec.duration_s = 6;
    spec.has_seed = true; /* it has none, and no ratio */
    spec.callback_url = FG_LIT("https://gw.example/cb/minimax/j_7Qx");
    CHECK_CODE(&w.cx, provider_minimax.submit_call(&w.cx, &site, &spec, &c), FG_OK);
    CHECK_IS(fg_str_c(c.method), "POST", "a submit");
    CHECK_IS(c.url, "https://api.minimax.io/v1/video_generation", "its place");
    CHECK_IS(c.body,
             "{\"model\":\"MiniMax-Hailuo-2.3\",\"prompt\":\"a red kite over dunes\",\"duration\":6,"
             "\"resolution\":\"768P\",\"callback_url\":\"https://gw.example/cb/minimax/j_7Qx\"}",
             "as documented");
    CHECK_IS(c.secret.value, "Bearer mm-secret", "the key is the secret header");
    CHECK(c.once, "it costs money: never repeated by the transport");
    spec.callback_url = FG_NONE;
    spec.image_url = FG_LIT("https://x.example/a.png");
    wire.fixed = parsed(&w.cx, "{\"prompt_optimizer\":false,\"aigc_watermark\":false}");
    CHECK_CODE(&w.cx, provider_minimax.submit_call(&w.cx, &site, &spec, &c), FG_OK);
    CHECK_IS(c.body,
             "{\"model\":\"MiniMax-Hailuo-2.3\",\"prompt\":\"a red kite over dunes\","
             "\"first_frame_image\":\"https://x.example/a.png\",\"duration\":6,\"resolution\":\"768P\","
             "\"prompt_optimizer\":false,\"aigc_watermark\":false}",
             "with a picture, and what the catalogue adds");
    t_end(&w, 0);
}

TEST(the_recorded_v2_request)
{
    struct t_world w;
    struct fetch_call c;
    t_begin(&w);
    struct gen_wire wire = { .param[PARAM_RESOLUTION] = { .values = parsed(&w.cx, "{\"720p\":\"768P\"}") } };
    struct gen_spec spec = kite("MiniMax-H3", &wire);
    spec.duration_s = 5;
    CHECK_CODE(&w.cx, provider_minimax_v2.submit_call(&w.cx, &site, &spec, &c), FG_OK);
    CHECK_IS(c.url, "https://api.minimax.io/v2/video_generation", "its place");
    CHECK_IS(c.body,
             "{\"model\":\"MiniMax-H3\",\"content\":[{\"type\":\"text\",\"text\":\"a red kite over dunes\"}],"
             "\"resolution\":\"768P\",\"duration\":5,\"ratio\":\"16:9\"}",
             "as documented");
    CHECK(c.once, "it costs money");
    spec.callback_url = FG_LIT("https://gw.example/cb/minimax/j_7Qx");
    spec.image_url = FG_LIT("https://x.example/a.png");
    wire.fixed = parsed(&w.cx, "{\"aigc_watermark\":false}");
    CHECK_CODE(&w.cx, provider_minimax_v2.submit_call(&w.cx, &site, &spec, &c), FG_OK);
    CHECK_IS(c.body,
             "{\"model\":\"MiniMax-H3\",\"content\":[{\"type\":\"text\",\"text\":\"a red kite over dunes\"},"
             "{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://x.example/a.png\"},\"role\":\"first_frame\"}],"
             "\"resolution\":\"768P\",\"duration\":5,\"aigc_watermark\":false,"
             "\"callback_url\":\"https://gw.example/cb/minimax/j_7Qx\"}",
             "the picture decides the ratio");
    spec.image_url = spec.aspect_ratio = FG_NONE;
    CHECK_CODE(&w.cx, provider_minimax_v2.submit_call(&w.cx, &site, &spec, &c), FG_INVALID_REQUEST);
    CHECK(strstr(w.cx.err.detail, "aspect ratio"), "nothing decides it, and it says so");
    spec.aspect_ratio = FG_LIT("adaptive");
    CHECK_CODE(&w.cx, provider_minimax_v2.submit_call(&w.cx, &site, &spec, &c), FG_INVALID_REQUEST);
    t_end(&w, 0);
}

TEST(other_calls)
{
    struct t_world w;
    struct fetch_call c;
    struct remote_ref odd = { .id = FG_LIT("1&x=../2") };
    struct list_ask ask = { .page = 0 };
    char *huge = calloc(1, 70000);
    t_begin(&w);
    CHECK_CODE(&w.cx, provider_minimax.poll_call(&w.cx, &site, &odd, 0, FG_NONE, &c), FG_OK);
    CHECK_IS(c.url, "https://api.minimax.io/v1/query/video_generation?task_id=1%26x%3D..%2F2", "an id is one value");
    CHECK(!c.once && !c.body.p, "a poll may be repeated");
    CHECK_CODE(&w.cx, provider_minimax.poll_call(&w.cx, &site, &v1_job, 1, FG_LIT("205258526306433"), &c), FG_OK);
    CHECK_IS(c.url, "https://api.minimax.io/v1/files/retrieve?file_id=205258526306433", "the second question");
    CHECK_CODE(&w.cx, provider_minimax_v2.poll_call(&w.cx, &site, &odd, 0, FG_NONE, &c), FG_OK);
    CHECK_IS(c.url, "https://api.minimax.io/v2/query/video_generation/1%26x%3D..%2F2", "one segment");
    CHECK_CODE(&w.cx, provider_minimax_v2.list_call(&w.cx, &site, &ask, &c), FG_OK);
    CHECK_IS(c.url, "https://api.minimax.io/v2/query/video_generation?page_num=1&page_size=20", "the newest");
    ask.page = 2;
    CHECK_CODE(&w.cx, provider_minimax_v2.list_call(&w.cx, &site, &ask, &c), FG_OK);
    CHECK_IS(c.url, "https://api.minimax.io/v2/query/video_generation?page_num=3&page_size=20", "further on");
    CHECK_CODE(&w.cx, provider_minimax_v2.cancel_call(&w.cx, &site, &v2_job, REMOTE_QUEUED, &c), FG_OK);
    CHECK_IS(fg_str_c(c.method), "DELETE", "a cancel, as long as it waits");
    CHECK_IS(c.url, "https://api.minimax.io/v2/video_generation/424342342342", "the job");
    CHECK(c.once, "a second one would do something else");
    CHECK(provider_minimax.cancel_when == 0 && !provider_minimax.list_call, "v1 has neither");
    CHECK(provider_minimax_v2.cancel_when == CANCEL_WHEN_QUEUED && provider_minimax_v2.cancel_deletes,
          "once it has ended, the same call deletes");
    struct gen_wire wire = { .fixed = NULL };
    struct gen_spec spec = kite("MiniMax-H3", &wire);
    memset(huge, 'a', 69999);
    spec.prompt = fg_str_c(huge);
    CHECK_CODE(&w.cx, provider_minimax.submit_call(&w.cx, &site, &spec, &c), FG_TOO_LARGE);
    CHECK_CODE(&w.cx, provider_minimax_v2.submit_call(&w.cx, &site, &spec, &c), FG_TOO_LARGE);
    free(huge);
    t_end(&w, 0);
}

/* ---- submits ---- */

#define CODE(n) "{\"task_id\":\"\",\"base_resp\":{\"status_code\":" n ",\"status_msg\":\"m\"}}"
#define ERROR(type, message) "{\"type\":\"error\",\"error\":{\"type\":\"" type "\",\"message\":\"" message "\"}}"

static const struct {
    const char *why;
    int status;
    const char *body;
    enum submit_outcome outcome;
    enum remote_reason reason;
} submits[] = {
    { "unknown", 200, CODE("1000"), SUBMIT_UNKNOWN, REASON_FAILED },
    { "timeout: it may have taken effect", 200, CODE("1001"), SUBMIT_UNKNOWN, REASON_FAILED },
    { "rate", 200, CODE("1002"), SUBMIT_NOT_SENT, REASON_BUSY },
    { "not authorised", 200, CODE("1004"), SUBMIT_REFUSED, REASON_AUTH },
    { "balance", 200, CODE("1008"), SUBMIT_REFUSED, REASON_CREDIT },
    { "internal", 200, CODE("1024"), SUBMIT_UNKNOWN, REASON_FAILED },
    { "input", 200, CODE("1026"), SUBMIT_REFUSED, REASON_CONTENT },
    { "output", 200, CODE("1027"), SUBMIT_REFUSED, REASON_CONTENT_OUT },
    { "downstream", 200, CODE("1033"), SUBMIT_UNKNOWN, REASON_FAILED },
    { "tokens", 200, CODE("1039"), SUBMIT_REFUSED, REASON_REFUSED },
    { "concurrency", 200, CODE("1041"), SUBMIT_NOT_SENT, REASON_BUSY },
    { "parameters", 200, CODE("2013"), SUBMIT_REFUSED, REASON_REFUSED },
    { "identity", 200, CODE("2038"), SUBMIT_REFUSED, REASON_AUTH },
    { "growth of the rate", 200, CODE("2045"), SUBMIT_NOT_SENT, REASON_BUSY },
    { "invalid key", 200, CODE("2049"), SUBMIT_REFUSED, REASON_AUTH },
    { "the plan's window", 200, CODE("2056"), SUBMIT_REFUSED, REASON_PARK },
    { "a code that we do not know", 200, CODE("1999"), SUBMIT_UNKNOWN, REASON_FAILED },
    { "a code beside an id", 200, "{\"task_id\":\"1\",\"base_resp\":{\"status_code\":1026}}", SUBMIT_REFUSED,
      REASON_CONTENT },
    { "a code with a real status", 429, CODE("1008"), SUBMIT_REFUSED, REASON_CREDIT },
    { "a 5xx with any code proves nothing", 500, CODE("1002"), SUBMIT_UNKNOWN, REASON_FAILED },
    { "no id", 200, CODE("0"), SUBMIT_UNKNOWN, REASON_NONSENSE },
    { "no JSON", 200, "<html>", SUBMIT_UNKNOWN, REASON_NONSENSE },
    { "nothing", 200, "", SUBMIT_UNKNOWN, REASON_NONSENSE },
    { "an array", 200, "[]", SUBMIT_UNKNOWN, REASON_NONSENSE },
    { "an id that would climb", 200, "{\"task_id\":\"..\"}", SUBMIT_UNKNOWN, REASON_NONSENSE },
    { "an id beyond 53 bits", 200, "{\"task_id\":9007199254740993}", SUBMIT_ACCEPTED, REASON_NONE },
    { "bad request", 400, ERROR("invalid_request_error", "bad ratio"), SUBMIT_REFUSED, REASON_REFUSED },
    { "sensitive", 400, ERROR("invalid_request_error", "input new_sensitive"), SUBMIT_REFUSED, REASON_CONTENT },
    { "sensitive", 422, ERROR("x", "Input Sensitive"), SUBMIT_REFUSED, REASON_CONTENT },
    { "case-sensitive key", 401, ERROR("authorized_error", "sensitive"), SUBMIT_REFUSED, REASON_AUTH },
    { "key", 401, ERROR("authorized_error", "m"), SUBMIT_REFUSED, REASON_AUTH },
    { "money", 402, "", SUBMIT_REFUSED, REASON_CREDIT },
    { "money is not rate", 429, ERROR("insufficient_balance_error", "m"), SUBMIT_REFUSED, REASON_CREDIT },
    { "rate", 429, ERROR("rate_limit_error", "m"), SUBMIT_NOT_SENT, REASON_BUSY },
    { "rate, in other words", 429, ERROR("rate_limit_error", "time-sensitive"), SUBMIT_NOT_SENT, REASON_BUSY },
    { "an error with HTTP 200", 200, ERROR("x", "m"), SUBMIT_UNKNOWN, REASON_NONSENSE },
    { "internal", 500, ERROR("server_error", "m"), SUBMIT_UNKNOWN, REASON_FAILED },
    { "overloaded", 503, "", SUBMIT_UNKNOWN, REASON_FAILED },
    { "a redirect was not followed", 302, "", SUBMIT_UNKNOWN, REASON_FAILED },
};

TEST(submit_answers)
{
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(submits); i++) {
        struct fetch_reply r = answer(submits[i].status, submits[i].body);
        struct submit_reply got;
        provider_minimax.submit_reply(&w.cx, &site, &r, &got);
        CHECK_I64(got.outcome, submits[i].outcome, submits[i].why);
        CHECK_I64(got.reason, submits[i].reason, submits[i].why);
        CHECK((got.outcome == SUBMIT_ACCEPTED) == (got.id.p != NULL), submits[i].why);
        CHECK((got.outcome == SUBMIT_ACCEPTED) == (got.words.n == 0), submits[i].why);
        CHECK_I64(got.park_s, 0, "it does not say how long");
    }
    t_end(&w, 0);
}

TEST(recorded_submit_answers)
{
    struct t_world w;
    struct submit_reply got;
    t_begin(&w);
    struct fetch_reply r = of_file(&w, 200, DATA "v1_submit.json");
    provider_minimax.submit_reply(&w.cx, &site, &r, &got);
    CHECK_IS(got.id, "106916112212032", "v1's id");
    r = of_file(&w, 200, DATA "v2_submit.json");
    provider_minimax_v2.submit_reply(&w.cx, &site, &r, &got);
    CHECK_IS(got.id, "424342342342", "v2's id");
    r = of_file(&w, 200, DATA "v1_balance.json");
    provider_minimax.submit_reply(&w.cx, &site, &r, &got);
    CHECK_IS(got.words, "HTTP 200 1008: insufficient balance", "why");
    r = answer(200, CODE("2056"));
    add_header(&r, "retry-after", "60");
    provider_minimax.submit_reply(&w.cx, &site, &r, &got);
    CHECK_I64(got.park_s, 60, "none is documented, but one would be heard");
    r = answer(200, "{\"base_resp\":{\"status_code\":2049,\"status_msg\":\"invalid api key mm-secret\"}}");
    provider_minimax.submit_reply(&w.cx, &site, &r, &got);
    CHECK_IS(got.words, "HTTP 200 2049", "their message may repeat the key");
    r = (struct fetch_reply){ .end = FETCH_NOT_SENT, .words = FG_LIT("why") };
    provider_minimax.submit_reply(&w.cx, &site, &r, &got);
    CHECK_I64(got.outcome, SUBMIT_NOT_SENT, "never sent");
    CHECK_IS(got.words, "why", "the transport's words are kept");
    t_end(&w, 0);
}

/* ---- polls ---- */

#define V1(status, code) \
    "{\"task_id\":\"106916112212032\",\"status\":\"" status "\",\"file_id\":\"\"," \
    "\"base_resp\":{\"status_code\":" code ",\"status_msg\":\"m\"}}"
#define V2(rest) "{\"task\":{\"id\":\"424342342342\"," rest "}}"

static const struct poll_row {
    const struct provider *p;
    const char *why;
    int step, status;
    const char *body;
    bool understood;
    enum remote_state state;
    enum remote_reason reason;
    const char *url, *unknown;
} polls[] = {
    { &provider_minimax, "prepares", 0, 200, V1("Preparing", "0"), true, REMOTE_QUEUED, REASON_NONE, NULL, NULL },
    { &provider_minimax, "waits", 0, 200, V1("Queueing", "0"), true, REMOTE_QUEUED, REASON_NONE, NULL, NULL },
    { &provider_minimax, "runs", 0, 200, V1("Processing", "0"), true, REMOTE_RUNNING, REASON_NONE, NULL, NULL },
    { &provider_minimax, "a new word", 0, 200, V1("Dozing", "0"), true, REMOTE_RUNNING, REASON_NONE, NULL, "Dozing" },
    { &provider_minimax, "failed", 0, 200, V1("Fail", "0"), true, REMOTE_FAILED, REASON_FAILED, NULL, NULL },
    { &provider_minimax, "failed, of its own", 0, 200, V1("Fail", "1024"), true, REMOTE_FAILED, REASON_FAILED, NULL,
      NULL },
    { &provider_minimax, "prompt", 0, 200, V1("Fail", "1026"), true, REMOTE_FAILED, REASON_CONTENT, NULL, NULL },
    { &provider_minimax, "result", 0, 200, V1("Fail", "1027"), true, REMOTE_FAILED, REASON_CONTENT_OUT, NULL, NULL },
    { &provider_minimax, "result, without a word", 0, 200, V1("", "1027"), true, REMOTE_FAILED, REASON_CONTENT_OUT,
      NULL, NULL },
    { &provider_minimax, "done, without a file", 0, 200, V1("Success", "0"), true, REMOTE_FAILED, REASON_NONSENSE,
      NULL, NULL },
    { &provider_minimax, "busy", 0, 200, V1("", "1002"), false, REMOTE_QUEUED, REASON_BUSY, NULL, NULL },
    { &provider_minimax, "key", 0, 200, V1("", "1004"), false, REMOTE_QUEUED, REASON_AUTH, NULL, NULL },
    { &provider_minimax, "forgotten", 0, 200,
      "{\"base_resp\":{\"status_code\":2013,\"status_msg\":\"invalid task_id\"}}", true, REMOTE_GONE, REASON_NONE, NULL,
      NULL },
    { &provider_minimax, "another parameter", 0, 200, V1("", "2013"), false, REMOTE_QUEUED, REASON_REFUSED, NULL,
      NULL },
    { &provider_minimax, "another's", 0, 200, "{\"task_id\":\"1\",\"status\":\"Fail\"}", false, REMOTE_QUEUED,
      REASON_NONSENSE, NULL, NULL },
    { &provider_minimax, "no status", 0, 200, V1("", "0"), false, REMOTE_QUEUED, REASON_NONSENSE, NULL, NULL },
    { &provider_minimax, "no JSON", 0, 200, "<html>", false, REMOTE_QUEUED, REASON_NONSENSE, NULL, NULL },
    { &provider_minimax, "5xx", 0, 500, V1("Fail", "0"), false, REMOTE_QUEUED, REASON_FAILED, NULL, NULL },
    { &provider_minimax, "the file", 1, 200,
      "{\"file\":{\"file_id\":1,\"download_url\":\"https://x/v\"},\"base_resp\":{\"status_code\":0}}", true, REMOTE_DONE,
      REASON_NONE, "https://x/v", NULL },
    { &provider_minimax, "no link any more", 1, 200, "{\"file\":{\"download_url\":\"\"}}", true, REMOTE_GONE,
      REASON_NONE, NULL, NULL },
    { &provider_minimax, "no such file", 1, 200, CODE("2013"), true, REMOTE_GONE, REASON_NONE, NULL, NULL },
    { &provider_minimax, "no such file", 1, 404, "", true, REMOTE_GONE, REASON_NONE, NULL, NULL },
    { &provider_minimax, "busy", 1, 200, CODE("1002"), false, REMOTE_QUEUED, REASON_BUSY, NULL, NULL },
    { &provider_minimax, "5xx", 1, 502, "", false, REMOTE_QUEUED, REASON_FAILED, NULL, NULL },
    { &provider_minimax, "no JSON", 1, 200, "<html>", false, REMOTE_QUEUED, REASON_NONSENSE, NULL, NULL },
    { &provider_minimax_v2, "waits", 0, 200, V2("\"status\":\"queued\""), true, REMOTE_QUEUED, REASON_NONE, NULL,
      NULL },
    { &provider_minimax_v2, "runs", 0, 200, V2("\"status\":\"running\",\"error\":null"), true, REMOTE_RUNNING,
      REASON_NONE, NULL, NULL },
    { &provider_minimax_v2, "a new word", 0, 200, V2("\"status\":\"dozing\""), true, REMOTE_RUNNING, REASON_NONE,
      NULL, "dozing" },
    { &provider_minimax_v2, "done, without a file", 0, 200, V2("\"status\":\"succeeded\",\"content\":null"), true,
      REMOTE_FAILED, REASON_NONSENSE, NULL, NULL },
    { &provider_minimax_v2, "failed", 0, 200, V2("\"status\":\"failed\",\"error\":{\"code\":\"1033\"}"), true,
      REMOTE_FAILED, REASON_FAILED, NULL, NULL },
    { &provider_minimax_v2, "failed, unsaid", 0, 200, V2("\"status\":\"failed\",\"error\":null"), true, REMOTE_FAILED,
      REASON_FAILED, NULL, NULL },
    { &provider_minimax_v2, "a code that is none", 0, 200, V2("\"status\":\"failed\",\"error\":{\"code\":\"0\"}"), true,
      REMOTE_FAILED, REASON_FAILED, NULL, NULL },
    { &provider_minimax_v2, "result", 0, 200, V2("\"status\":\"failed\",\"error\":{\"code\":1027}"), true,
      REMOTE_FAILED, REASON_CONTENT_OUT, NULL, NULL },
    { &provider_minimax_v2, "canceled", 0, 200, V2("\"status\":\"cancelled\""), true, REMOTE_FAILED, REASON_CANCELED,
      NULL, NULL },
    { &provider_minimax_v2, "expired", 0, 200, V2("\"status\":\"expired\""), true, REMOTE_GONE, REASON_NONE, NULL,
      NULL },
    { &provider_minimax_v2, "gone", 0, 404, "", true, REMOTE_GONE, REASON_NONE, NULL, NULL },
    { &provider_minimax_v2, "another's", 0, 200, "{\"task\":{\"id\":\"1\",\"status\":\"failed\"}}", false,
      REMOTE_QUEUED, REASON_NONSENSE, NULL, NULL },
    { &provider_minimax_v2, "another error", 0, 400, ERROR("x", "m"), false, REMOTE_QUEUED, REASON_FAILED, NULL,
      NULL },
    { &provider_minimax_v2, "rate", 0, 429, ERROR("rate_limit_error", "m"), false, REMOTE_QUEUED, REASON_BUSY, NULL,
      NULL },
    { &provider_minimax_v2, "those words of a gateway", 0, 502, ERROR("x", "invalid task_id"), false, REMOTE_QUEUED,
      REASON_FAILED, NULL, NULL },
    { &provider_minimax_v2, "no task", 0, 200, "{}", false, REMOTE_QUEUED, REASON_NONSENSE, NULL, NULL },
    { &provider_minimax_v2, "task is a list", 0, 200, "{\"task\":[]}", false, REMOTE_QUEUED, REASON_NONSENSE, NULL,
      NULL },
};

TEST(poll_answers)
{
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(polls); i++) {
        const struct poll_row *row = &polls[i];
        struct fetch_reply r = answer(row->status, row->body);
        struct poll_reply got;
        row->p->poll_reply(&w.cx, &site, row->p == &provider_minimax ? &v1_job : &v2_job, row->step, FG_LIT("1"), &r,
                           &got);
        CHECK_I64(got.understood, row->understood, row->why);
        CHECK_I64(got.state, row->state, row->why);
        CHECK_I64(got.reason, row->reason, row->why);
        CHECK_STR(got.output_url, fg_str_c(row->url), row->why);
        CHECK_I64(got.output_key, KEY_NEVER, "no key goes along");
        CHECK_STR(got.unknown_word, fg_str_c(row->unknown), row->why);
        CHECK(!got.again && got.progress == -1 && got.queue_position == -1, "none of these");
    }
    t_end(&w, 0);
}

TEST(a_v1_result_takes_a_second_question)
{
    static const char *const ids[] = { "\"205258526306433\"", "205258526306433" };
    struct t_world w;
    struct poll_reply got;
    t_begin(&w);
    struct fetch_reply r = of_file(&w, 200, DATA "v1_success.json");
    provider_minimax.poll_reply(&w.cx, &site, &v1_job, 0, FG_NONE, &r, &got);
    CHECK(got.again && !got.understood, "done is not the whole answer");
    CHECK_IS(got.note, "205258526306433", "the file's id, for the next question");
    r = of_file(&w, 200, DATA "v1_file.json");
    provider_minimax.poll_reply(&w.cx, &site, &v1_job, 1, got.note, &r, &got);
    CHECK(!got.again && got.state == REMOTE_DONE, "that is all");
    CHECK_IS(got.output_url, "https://cdn.minimax.example/output_aigc.mp4?sign=1", "the file");
    for (size_t i = 0; i < FG_LEN(ids); i++) {
        r = answer(200, "");
        r.body = arena_fmt(w.cx.mem, "{\"status\":\"success\",\"file_id\":%s}", ids[i]);
        provider_minimax.poll_reply(&w.cx, &site, &v1_job, 0, FG_NONE, &r, &got);
        CHECK_IS(got.note, "205258526306433", "text or number");
    }
    r = of_file(&w, 200, DATA "v1_processing.json");
    provider_minimax.poll_reply(&w.cx, &site, &v1_job, 0, FG_NONE, &r, &got);
    CHECK(got.understood && got.state == REMOTE_RUNNING && !got.again, "still at it");
    t_end(&w, 0);
}

TEST(recorded_v2_poll_answers)
{
    struct t_world w;
    struct poll_reply got;
    t_begin(&w);
    struct fetch_reply r = of_file(&w, 200, DATA "v2_succeeded.json");
    provider_minimax_v2.poll_reply(&w.cx, &site, &v2_job, 0, FG_NONE, &r, &got);
    CHECK_I64(got.state, REMOTE_DONE, "done");
    CHECK_IS(got.output_url, "https://cdn.minimax.example/x.mp4", "the file");
    r = of_file(&w, 200, DATA "v2_failed.json");
    provider_minimax_v2.poll_reply(&w.cx, &site, &v2_job, 0, FG_NONE, &r, &got);
    CHECK_I64(got.reason, REASON_CONTENT, "the prompt");
    CHECK_IS(got.words, "1026: input sensitive", "in their words");
    r = of_file(&w, 400, DATA "v2_error.json");
    provider_minimax_v2.poll_reply(&w.cx, &site, &v2_job, 0, FG_NONE, &r, &got);
    CHECK_I64(got.state, REMOTE_GONE, "older than seven days");
    CHECK_IS(got.words, "HTTP 400 invalid_request_error: invalid task_id", "in their words");
    t_end(&w, 0);
}

/* ---- cancels and lists ---- */

TEST(cancel_answers)
{
    static const struct {
        const char *why;
        int status;
        const char *body;
        enum cancel_outcome want;
    } row[] = {
        { "canceled", 200, "{\"task_id\":\"1\",\"action\":\"cancelled\"}", CANCEL_DONE },
        { "canceled, as a verb", 200, "{\"action\":\"Cancel\"}", CANCEL_DONE },
        { "deleted: it had ended", 200, "{\"action\":\"deleted\"}", CANCEL_DELETED },
        { "deleted, as a verb", 200, "{\"action\":\"delete\"}", CANCEL_DELETED },
        { "it does not say", 200, "{\"task_id\":\"1\"}", CANCEL_ASKED },
        { "nothing", 204, "", CANCEL_ASKED },
        { "a code", 200, CODE("1002"), CANCEL_UNKNOWN },
        { "running", 400, ERROR("x", "task is running"), CANCEL_TOO_LATE },
        { "running", 409, "", CANCEL_TOO_LATE },
        { "not there", 404, "", CANCEL_TOO_LATE },
        { "key", 401, "", CANCEL_UNKNOWN },
        { "rate", 429, "", CANCEL_UNKNOWN },
        { "5xx", 500, "", CANCEL_UNKNOWN },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = answer(row[i].status, row[i].body);
        CHECK_I64(provider_minimax_v2.cancel_reply(&w.cx, &r), row[i].want, row[i].why);
    }
    struct fetch_reply r = { .end = FETCH_UNKNOWN };
    CHECK_I64(provider_minimax_v2.cancel_reply(&w.cx, &r), CANCEL_UNKNOWN, "no answer");
    t_end(&w, 0);
}

TEST(the_list_tells_little)
{
    struct list_ask ask = { .since_us = 1767225600000000 };
    struct t_world w;
    struct list_reply got;
    t_begin(&w);
    struct fetch_reply r = of_file(&w, 200, DATA "v2_list.json");
    provider_minimax_v2.list_reply(&w.cx, &site, &ask, &r, &got);
    CHECK(got.understood && !got.more && !got.whole, "what is not there proves nothing");
    CHECK_I64(got.n, 2, "both");
    CHECK_IS(got.row[1].id, "424342342342", "the id");
    CHECK_IS(got.row[1].model, "MiniMax-H3", "the model");
    CHECK_I64(got.row[1].created_us, 1767225600000000, "seconds");
    CHECK_I64(got.row[1].duration_s, 5, "the duration");
    CHECK(!got.row[1].prompt.p && !got.row[1].callback_url.p && !got.row[1].client_ref.p, "nothing better");
    r = answer(200, "{\"data\":[{\"id\":\"..\"},{\"id\":7,\"created_at\":9223372036854775807}]}");
    provider_minimax_v2.list_reply(&w.cx, &site, &ask, &r, &got);
    CHECK(got.n == 1 && got.row[0].created_us == 0, "unusable ids and times are left out");
    r = answer(200, "{\"items\":{}}");
    provider_minimax_v2.list_reply(&w.cx, &site, &ask, &r, &got);
    CHECK(!got.understood, "no list");
    r = answer(500, "{\"items\":[]}");
    provider_minimax_v2.list_reply(&w.cx, &site, &ask, &r, &got);
    CHECK(!got.understood, "trouble");
    t_end(&w, 0);
}

TEST(pages_of_the_list)
{
    static const struct {
        const char *why;
        int rows;
        int64_t first_s, step_s;
        bool more;
    } row[] = {
        { "a full page inside the window", 20, 1767225700, -1, true },
        { "a full page that goes beyond it", 20, 1767225601, -1, false },
        { "oldest first: the end is not near", 20, 1767225000, 1, true },
        { "all alike", 20, 1767225000, 0, true },
        { "a page that is not full", 19, 1767225700, -1, false },
    };
    struct list_ask ask = { .since_us = 1767225600000000, .page = 1 };
    struct t_world w;
    struct list_reply got;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct sb b = sb_in(w.cx.mem, 4096);
        sb_add(&b, FG_LIT("{\"tasks\":["));
        for (int k = 0; k < row[i].rows; k++)
            sb_addf(&b, "%s{\"id\":\"%d\",\"created_at\":%lld}", k ? "," : "", k,
                    (long long)(row[i].first_s + k * row[i].step_s));
        sb_add(&b, FG_LIT("]}"));
        struct fetch_reply r = answer(200, sb_cstr(&b));
        provider_minimax_v2.list_reply(&w.cx, &site, &ask, &r, &got);
        CHECK_I64(got.n, row[i].rows, row[i].why);
        CHECK_I64(got.more, row[i].more, row[i].why);
        CHECK_STR(got.cursor, row[i].more ? FG_LIT("3") : FG_NONE, "the next page");
    }
    t_end(&w, 0);
}

/* ---- callbacks ---- */

TEST(a_challenge_is_echoed)
{
    static const struct {
        const char *why, *body;
        enum fg_code want;
        const char *answer;
    } row[] = {
        { "short", "{\"challenge\":\"c7b2\"}", FG_OK, "{\"challenge\":\"c7b2\"}" },
        { "escaped again", "{\"challenge\":\"a\\\"\\\\</script>\\u0041 ~\"}", FG_OK,
          "{\"challenge\":\"a\\\"\\\\</script>A ~\"}" },
        { "empty", "{\"challenge\":\"\"}", FG_INVALID_REQUEST, NULL },
        { "a line feed", "{\"challenge\":\"a\\nb\"}", FG_INVALID_REQUEST, NULL },
        { "not ASCII", "{\"challenge\":\"\xc3\xa9\"}", FG_INVALID_REQUEST, NULL },
        { "delete", "{\"challenge\":\"\\u007f\"}", FG_INVALID_REQUEST, NULL },
        { "a number", "{\"challenge\":7}", FG_INVALID_REQUEST, NULL },
        { "null", "{\"challenge\":null}", FG_INVALID_REQUEST, NULL },
    };
    struct callback_headers h = { .webhook_id = FG_NONE };
    static const struct provider *const both[] = { &provider_minimax, &provider_minimax_v2 };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row) * FG_LEN(both); i++) {
        struct callback_note got = { .answer = FG_NONE };
        const struct provider *p = both[i % FG_LEN(both)];
        size_t at = i / FG_LEN(both);
        CHECK_CODE(&w.cx, p->callback_read(&w.cx, &h, fg_str_c(row[at].body), &got), row[at].want);
        CHECK_STR(got.answer, fg_str_c(row[at].answer), row[at].why);
        CHECK(!got.remote_id.p && !got.news.understood && !got.news.again, "it is about no job");
    }
    t_end(&w, 0);
}

TEST(a_challenge_has_a_limit)
{
    struct callback_headers h = { .webhook_id = FG_NONE };
    struct t_world w;
    t_begin(&w);
    for (int n = 256; n <= 257; n++) {
        struct callback_note got = { .answer = FG_NONE };
        struct sb b = sb_in(w.cx.mem, 2000);
        sb_add(&b, FG_LIT("{\"challenge\":\""));
        for (int i = 0; i < n; i++)
            sb_add(&b, FG_LIT("\\\\"));
        sb_add(&b, FG_LIT("\"}"));
        CHECK_CODE(&w.cx, provider_minimax.callback_read(&w.cx, &h, sb_str(&b), &got),
                   n == 256 ? FG_OK : FG_INVALID_REQUEST);
        CHECK_STR(got.answer, n == 256 ? sb_str(&b) : FG_NONE, "the same, or nothing");
    }
    t_end(&w, 0);
}

TEST(callbacks_are_read)
{
    static const struct {
        const struct provider *p;
        const char *why, *body;
        enum fg_code want;
        bool understood;
        enum remote_state state;
    } row[] = {
        { &provider_minimax, "runs", "{\"task_id\":\"1\",\"status\":\"processing\"}", FG_OK, true, REMOTE_RUNNING },
        { &provider_minimax, "failed", "{\"task_id\":1,\"status\":\"failed\"}", FG_OK, true, REMOTE_FAILED },
        { &provider_minimax, "done: it takes a question",
          "{\"task_id\":\"1\",\"status\":\"success\",\"file_id\":\"2\"}", FG_OK, false, REMOTE_QUEUED },
        { &provider_minimax, "no news", "{\"task_id\":\"1\"}", FG_OK, false, REMOTE_QUEUED },
        { &provider_minimax_v2, "a task inside", "{\"task\":{\"id\":\"1\",\"status\":\"running\"}}", FG_OK, true,
          REMOTE_RUNNING },
        { &provider_minimax_v2, "a task itself", "{\"id\":\"1\",\"status\":\"queued\"}", FG_OK, true, REMOTE_QUEUED },
        { &provider_minimax_v2, "as v1 names it", "{\"task_id\":\"1\",\"status\":\"failed\"}", FG_OK, true,
          REMOTE_FAILED },
        { &provider_minimax_v2, "no task", "{\"status\":\"failed\"}", FG_INVALID_REQUEST, false, REMOTE_QUEUED },
        { &provider_minimax, "bad id", "{\"task_id\":\"a b\"}", FG_INVALID_REQUEST, false, REMOTE_QUEUED },
        { &provider_minimax, "an array", "[]", FG_INVALID_REQUEST, false, REMOTE_QUEUED },
        { &provider_minimax, "no JSON", "task_id=1", FG_INVALID_JSON, false, REMOTE_QUEUED },
        { &provider_minimax, "nothing", "", FG_INVALID_JSON, false, REMOTE_QUEUED },
    };
    struct callback_headers h = { .webhook_id = FG_LIT("msg_1") };
    struct t_world w;
    t_begin(&w);
    CHECK(provider_minimax.verify == VERIFY_NONE && provider_minimax_v2.verify == VERIFY_NONE, "nothing is signed");
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct callback_note got = { .news = { .understood = false } };
        CHECK_CODE(&w.cx, row[i].p->callback_read(&w.cx, &h, fg_str_c(row[i].body), &got), row[i].want);
        CHECK_STR(got.remote_id, row[i].want == FG_OK ? FG_LIT("1") : FG_NONE, row[i].why);
        CHECK_I64(got.news.understood, row[i].understood, row[i].why);
        CHECK_I64(got.news.state, row[i].state, row[i].why);
        CHECK(!got.news.again && !got.answer.p && !got.event_id.p, "a hint, no more");
    }
    t_end(&w, 0);
}

TEST(damaged_answers_lead_nowhere)
{
    static const struct {
        const struct provider *p;
        const char *file;
    } row[] = {
        { &provider_minimax, DATA "v1_submit.json" },      { &provider_minimax, DATA "v1_processing.json" },
        { &provider_minimax, DATA "v1_success.json" },     { &provider_minimax, DATA "v1_file.json" },
        { &provider_minimax, DATA "v1_callback.json" },    { &provider_minimax, DATA "challenge.json" },
        { &provider_minimax_v2, DATA "v2_submit.json" },   { &provider_minimax_v2, DATA "v2_succeeded.json" },
        { &provider_minimax_v2, DATA "v2_failed.json" },   { &provider_minimax_v2, DATA "v2_error.json" },
        { &provider_minimax_v2, DATA "v2_list.json" },     { &provider_minimax_v2, DATA "v2_cancelled.json" },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++)
        torture(&w, row[i].p, &site, row[i].file);
    t_end(&w, 0);
}

TEST(both_are_found_by_name)
{
    CHECK(provider_by_name(FG_LIT("minimax")) == &provider_minimax, "v1");
    CHECK(provider_by_name(FG_LIT("minimax_v2")) == &provider_minimax_v2, "v2");
}
