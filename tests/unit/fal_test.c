/* fal: the fact sheet's examples as rows, every status word, error type and HTTP status. */
#include "adapter_kit.h"
#include "provider/adapter.h"

#define ID "764cabcf-b745-4b3e-ae38-1200304cf45b"
#define QUEUE "https://queue.fal.run"
#define REQUEST QUEUE "/fal-ai/veo3.1/requests/" ID

static const struct provider *const fal = &provider_fal;
static const struct provider_site site = {
    .name = { "fal", 3 },
    .base_url = { QUEUE, sizeof QUEUE - 1 },
    .history_url = { "https://api.fal.ai/v1", 21 },
    .key = { "key_xxx", 7 },
};

static struct remote_ref ref_of(const char *model)
{
    return (struct remote_ref){ .id = FG_LIT(ID), .model = fg_str_c(model) };
}

static struct submit_reply submit(struct fg_ctx *cx, const struct fetch_reply *r)
{
    struct submit_reply got;
    fal->submit_reply(cx, &site, r, &got);
    return got;
}

static struct poll_reply poll(struct fg_ctx *cx, int step, const char *note, const struct fetch_reply *r)
{
    struct remote_ref ref = ref_of("fal-ai/veo3.1/fast");
    struct poll_reply got;
    fal->poll_reply(cx, &site, &ref, step, fg_str_c(note), r, &got);
    return got;
}

TEST(it_is_found_and_what_it_can_do_is_said)
{
    CHECK(provider_by_name(FG_LIT("fal")) == fal, "by its name");
    CHECK_I64(fal->verify, VERIFY_FAL, "a signature of its own");
    CHECK_I64(fal->cancel_when, CANCEL_WHEN_QUEUED | CANCEL_WHEN_RUNNING, "best effort");
    CHECK(!fal->cancel_deletes && !fal->no_key, "nothing is deleted; a key it must be");
}

/* ---- submit ---- */

static struct gen_wire veo(void)
{
    struct gen_wire wire = { 0 };
    wire.param[PARAM_PROMPT].name = FG_LIT("prompt");
    wire.param[PARAM_IMAGE].name = FG_LIT("image_url");
    wire.param[PARAM_RATIO].name = FG_LIT("aspect_ratio");
    wire.param[PARAM_DURATION] = (struct spelling){ .name = FG_LIT("duration"), .suffix = FG_LIT("s") };
    wire.param[PARAM_RESOLUTION].name = FG_LIT("resolution");
    wire.param[PARAM_AUDIO] = (struct spelling){ .name = FG_LIT("generate_audio"), .as = SPELL_BOOL };
    wire.param[PARAM_SEED] = (struct spelling){ .name = FG_LIT("seed"), .as = SPELL_NUMBER };
    return wire;
}

TEST(the_recorded_request)
{
    struct t_world w;
    struct fetch_call c;
    struct gen_wire wire = veo();
    struct gen_spec spec = kite("fal-ai/veo3.1/fast", &wire);
    t_begin(&w);
    spec.has_seed = true;
    spec.seed = 42;
    spec.audio = AUDIO_ON;
    spec.callback_url = FG_LIT("https://gw.example/cb/fal/j_7Qx");
    CHECK_CODE(&w.cx, fal->submit_call(&w.cx, &site, &spec, &c), FG_OK);
    CHECK_IS(fg_str_c(c.method), "POST", "a submit");
    CHECK_IS(c.url, QUEUE "/fal-ai/veo3.1/fast?fal_webhook=https%3A%2F%2Fgw.example%2Fcb%2Ffal%2Fj_7Qx",
             "the model is the path");
    CHECK_IS(c.body,
             "{\"prompt\":\"a red kite over dunes\",\"aspect_ratio\":\"16:9\",\"resolution\":\"720p\","
             "\"duration\":\"8s\",\"seed\":42,\"generate_audio\":true}",
             "the input is the body");
    CHECK_IS(c.secret.name, "Authorization", "the key is the secret header");
    CHECK_IS(c.secret.value, "Key key_xxx", "and not as a bearer");
    CHECK_IS(header_of(&c, FG_LIT("Content-Type")), "application/json", "JSON");
    CHECK_I64(c.header_n, 1, "nothing about retries, storage or lifetimes");
    CHECK(c.once, "it costs money: never repeated by the transport");
    t_end(&w, 0);
}

TEST(every_model_spells_its_own_input)
{
    struct t_world w;
    struct fetch_call c;
    struct gen_wire wire = { 0 };
    struct gen_spec spec = kite("fal-ai/wan/v2.2-a14b/text to?video", &wire);
    t_begin(&w);
    CHECK_CODE(&w.cx, fal->submit_call(&w.cx, &site, &spec, &c), FG_OK);
    CHECK_IS(c.url, QUEUE "/fal-ai/wan/v2.2-a14b/text%20to%3Fvideo", "each segment is escaped, none is lost");
    CHECK_IS(c.body, "{}", "what the catalogue does not name is not sent");

    wire.param[PARAM_PROMPT].name = FG_LIT("prompt");
    wire.param[PARAM_IMAGE].name = FG_LIT("start_image_url");
    wire.param[PARAM_DURATION] =
        (struct spelling){ .name = FG_LIT("num_frames"), .as = SPELL_NUMBER, .fps = 16, .more_frames = 1 };
    wire.param[PARAM_NEGATIVE].name = FG_LIT("negative_prompt");
    wire.param[PARAM_RESOLUTION] =
        (struct spelling){ .name = FG_LIT("resolution"), .values = parsed(&w.cx, "{\"720p\":\"580p\"}") };
    wire.fixed = parsed(&w.cx, "{\"frames_per_second\":16,\"enable_safety_checker\":true}");
    spec.image_url = FG_LIT("https://gw.example/in/1.png");
    spec.negative = FG_LIT("rain \"and\" snow");
    CHECK_CODE(&w.cx, fal->submit_call(&w.cx, &site, &spec, &c), FG_OK);
    CHECK_IS(c.body,
             "{\"prompt\":\"a red kite over dunes\",\"start_image_url\":\"https://gw.example/in/1.png\","
             "\"resolution\":\"580p\",\"num_frames\":129,\"negative_prompt\":\"rain \\\"and\\\" snow\","
             "\"frames_per_second\":16,\"enable_safety_checker\":true}",
             "names, frames, values and fixed members of the catalogue");
    t_end(&w, 0);
}

TEST(a_request_has_its_bounds)
{
    struct t_world w;
    struct fetch_call c;
    struct gen_wire wire = veo();
    struct gen_spec spec = kite("fal-ai/veo3.1/fast", &wire);
    t_begin(&w);
    char *huge = arena_get(w.cx.mem, ADAPTER_BODY_MAX + 1);
    memset(huge, 'a', ADAPTER_BODY_MAX);
    spec.prompt = (struct fg_str){ huge, ADAPTER_BODY_MAX };
    CHECK_CODE(&w.cx, fal->submit_call(&w.cx, &site, &spec, &c), FG_TOO_LARGE);
    spec.prompt = FG_LIT("x");
    spec.callback_url = (struct fg_str){ huge, ADAPTER_URL_MAX };
    CHECK_CODE(&w.cx, fal->submit_call(&w.cx, &site, &spec, &c), FG_TOO_LARGE);
    t_end(&w, 0);
}

TEST(an_accepted_request_keeps_its_links)
{
    struct t_world w;
    t_begin(&w);
    struct fetch_reply r = recorded(&w.cx, 200, "fal/submitted.json");
    struct submit_reply got = submit(&w.cx, &r);
    CHECK_I64(got.outcome, SUBMIT_ACCEPTED, "200");
    CHECK_IS(got.id, ID, "the id");
    CHECK_IS(got.links, REQUEST "/status\n" REQUEST "\n" REQUEST "/cancel", "as they were given");

    r = answer(200, "{\"request_id\":\"r\",\"status_url\":7,\"response_url\":\"https://q/a b\"}");
    got = submit(&w.cx, &r);
    CHECK_I64(got.outcome, SUBMIT_ACCEPTED, "links are no condition");
    CHECK_IS(got.links, "\n\n", "what is no URL is not kept");

    char *huge = arena_get(w.cx.mem, PROVIDER_LINKS_MAX + 1);
    memset(huge, 'a', PROVIDER_LINKS_MAX);
    r = answer(200, arena_fmt(w.cx.mem, "{\"request_id\":\"r\",\"status_url\":\"%s\"}", huge).p);
    got = submit(&w.cx, &r);
    CHECK_I64(got.outcome, SUBMIT_ACCEPTED, "nor is their length");
    CHECK(!got.links.p, "too long to keep: they are built");
    t_end(&w, 0);
}

#define DETAIL(type) "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"m\",\"type\":\"" type "\"}]}"
#define PLATFORM(type) "{\"detail\":\"m\",\"error_type\":\"" type "\"}"
#define LOCKED "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing"

TEST(submit_answers)
{
    static const struct {
        const char *why;
        int status;
        const char *body, *header, *value;
        enum submit_outcome outcome;
        enum remote_reason reason;
        int64_t retry_after_s;
    } row[] = {
        { "no id", 200, "{\"status\":\"IN_QUEUE\"}", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
        { "an id that would climb", 200, "{\"request_id\":\"../x\"}", NULL, NULL, SUBMIT_UNKNOWN,
          REASON_NONSENSE, 0 },
        { "an id that is a number", 200, "{\"request_id\":7}", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE,
          0 },
        { "truncated", 200, "{\"request_id\":\"764cab", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
        { "an array", 200, "[]", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
        { "no body", 200, "", NULL, NULL, SUBMIT_UNKNOWN, REASON_NONSENSE, 0 },
        { "client fault", 400, PLATFORM("bad_request"), NULL, NULL, SUBMIT_REFUSED, REASON_REFUSED, 0 },
        { "validation", 422, DETAIL("missing"), NULL, NULL, SUBMIT_REFUSED, REASON_REFUSED, 0 },
        { "validation without a type", 422, "{\"detail\":[]}", NULL, NULL, SUBMIT_REFUSED, REASON_REFUSED,
          0 },
        { "moderation", 422, DETAIL("content_policy_violation"), NULL, NULL, SUBMIT_REFUSED, REASON_CONTENT,
          0 },
        { "picture", 422, DETAIL("file_download_error"), NULL, NULL, SUBMIT_REFUSED, REASON_IMAGE, 0 },
        { "key", 401, "{\"detail\":\"m\"}", NULL, NULL, SUBMIT_REFUSED, REASON_AUTH, 0 },
        { "no money is a 403", 403, "{\"detail\":\"" LOCKED "\"}", NULL, NULL, SUBMIT_REFUSED, REASON_CREDIT,
          0 },
        { "another 403", 403, "{\"detail\":\"User is locked.\"}", NULL, NULL, SUBMIT_REFUSED, REASON_AUTH,
          0 },
        { "the words count in a 403 alone", 422, "{\"detail\":\"" LOCKED "\"}", NULL, NULL, SUBMIT_REFUSED,
          REASON_REFUSED, 0 },
        { "no such app", 404, "{\"detail\":\"m\"}", NULL, NULL, SUBMIT_REFUSED, REASON_REFUSED, 0 },
        { "burst", 429, "", NULL, NULL, SUBMIT_NOT_SENT, REASON_BUSY, 0 },
        { "burst with a wish", 429, "", "retry-after", "7", SUBMIT_NOT_SENT, REASON_BUSY, 7 },
        { "request timeout", 408, "", NULL, NULL, SUBMIT_UNKNOWN, REASON_BUSY, 0 },
        { "conflict", 409, "", NULL, NULL, SUBMIT_UNKNOWN, REASON_BUSY, 0 },
        { "500", 500, PLATFORM("internal_error"), NULL, NULL, SUBMIT_UNKNOWN, REASON_FAILED, 0 },
        { "502", 502, "<html>", NULL, NULL, SUBMIT_UNKNOWN, REASON_FAILED, 0 },
        { "503 proves nothing", 503, PLATFORM("runner_scheduling_failure"), "retry-after", "7",
          SUBMIT_UNKNOWN, REASON_FAILED, 0 },
        { "nor does a typed 5xx", 503, DETAIL("content_policy_violation"), NULL, NULL, SUBMIT_UNKNOWN,
          REASON_FAILED, 0 },
        { "504", 504, PLATFORM("request_timeout"), NULL, NULL, SUBMIT_UNKNOWN, REASON_FAILED, 0 },
        { "something ran and was stopped", 499, PLATFORM("client_cancelled"), NULL, NULL, SUBMIT_UNKNOWN,
          REASON_FAILED, 0 },
        { "the same without words", 499, "", NULL, NULL, SUBMIT_UNKNOWN, REASON_FAILED, 0 },
        { "a run's error as 4xx", 424, PLATFORM("runner_disconnected"), NULL, NULL, SUBMIT_UNKNOWN,
          REASON_FAILED, 0 },
        { "its type in the header", 400, "", "x-fal-error-type", "client_disconnected", SUBMIT_UNKNOWN,
          REASON_FAILED, 0 },
        { "a redirect was not followed", 307, "", NULL, NULL, SUBMIT_UNKNOWN, REASON_FAILED, 0 },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = answer(row[i].status, row[i].body);
        add_header(&r, row[i].header, row[i].value);
        struct submit_reply got = submit(&w.cx, &r);
        CHECK_I64(got.outcome, row[i].outcome, row[i].why);
        CHECK_I64(got.reason, row[i].reason, row[i].why);
        CHECK_I64(got.retry_after_s, row[i].retry_after_s, row[i].why);
        CHECK(!got.id.p && got.words.n > 0, row[i].why);
    }
    struct fetch_reply r = { .end = FETCH_UNKNOWN, .words = FG_LIT("timeout") };
    CHECK_I64(submit(&w.cx, &r).outcome, SUBMIT_UNKNOWN, "bytes went out");
    r.end = FETCH_NOT_SENT;
    CHECK_I64(submit(&w.cx, &r).outcome, SUBMIT_NOT_SENT, "none did");
    t_end(&w, 0);
}

TEST(three_shapes_of_an_error)
{
    static const struct {
        const char *file;
        int status;
        const char *words;
    } row[] = {
        { "fal/policy.json", 422,
          "HTTP 422 content_policy_violation: The content could not be processed because it contained "
          "material "
          "flagged by a content checker." },
        { "fal/disconnected.json", 503, "HTTP 503 runner_disconnected: The runner went away" },
        { "fal/gateway.json", 429, "HTTP 429: Too many requests" },
        { "fal/locked.json", 403, "HTTP 403: " LOCKED },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = recorded(&w.cx, row[i].status, row[i].file);
        CHECK_STR(submit(&w.cx, &r).words, fg_str_c(row[i].words), row[i].file);
    }
    t_end(&w, 0);
}

/* ---- poll ---- */

TEST(links_are_followed_where_the_key_may_go)
{
    static const char *const given =
        QUEUE "/a/b/requests/1/status?x=1\n" QUEUE "/a/b/requests/1\n" QUEUE "/c";
    static const char *const foreign = "https://evil.example/s\nhttps://queue.fal.run@evil.example/\n"
                                       "http://queue.fal.run/c";
    static const struct {
        const char *why, *model, *links;
        int step; /* 2: cancel */
        const char *want;
    } row[] = {
        { "status, as given", "fal-ai/veo3.1/fast", given, 0, QUEUE "/a/b/requests/1/status?x=1" },
        { "result, as given", "fal-ai/veo3.1/fast", given, 1, QUEUE "/a/b/requests/1" },
        { "cancel, as given", "fal-ai/veo3.1/fast", given, 2, QUEUE "/c" },
        { "another host", "fal-ai/veo3.1/fast", foreign, 0, REQUEST "/status" },
        { "another host behind a user", "fal-ai/veo3.1/fast", foreign, 1, REQUEST },
        { "in clear", "fal-ai/veo3.1/fast", foreign, 2, REQUEST "/cancel" },
        { "lost", "fal-ai/veo3.1/fast", NULL, 0, REQUEST "/status" },
        { "lost", "fal-ai/veo3.1/fast", NULL, 1, REQUEST },
        { "lost", "fal-ai/veo3.1/fast", NULL, 2, REQUEST "/cancel" },
        { "left empty", "fal-ai/veo3.1", "\n\n", 1, REQUEST },
        { "two segments and no more", "fal-ai/wan/v2.2-a14b/text-to-video", NULL, 1,
          QUEUE "/fal-ai/wan/requests/" ID },
        { "three of a workflow", "workflows/us/kites/fast", NULL, 1,
          QUEUE "/workflows/us/kites/requests/" ID },
        { "three of comfy", "comfy/us/kites", NULL, 1, QUEUE "/comfy/us/kites/requests/" ID },
    };
    struct t_world w;
    struct fetch_call c;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct remote_ref ref = ref_of(row[i].model);
        ref.links = fg_str_c(row[i].links);
        CHECK_CODE(&w.cx,
                   row[i].step == 2 ? fal->cancel_call(&w.cx, &site, &ref, REMOTE_RUNNING, &c)
                                    : fal->poll_call(&w.cx, &site, &ref, row[i].step, FG_NONE, &c),
                   FG_OK);
        CHECK_STR(c.url, fg_str_c(row[i].want), row[i].why);
        CHECK_STR(fg_str_c(c.method), row[i].step == 2 ? FG_LIT("PUT") : FG_LIT("GET"), row[i].why);
        CHECK_IS(c.secret.value, "Key key_xxx", row[i].why);
        CHECK(!c.once && !c.body.p, row[i].why);
    }
    struct remote_ref odd = ref_of("fal-ai/veo3.1");
    odd.id = FG_LIT("a/../b?c");
    CHECK_CODE(&w.cx, fal->poll_call(&w.cx, &site, &odd, 0, FG_NONE, &c), FG_OK);
    CHECK_IS(c.url, QUEUE "/fal-ai/veo3.1/requests/a%2F..%2Fb%3Fc/status", "an id is one segment");
    t_end(&w, 0);
}

TEST(status_answers)
{
    static const struct {
        const char *why;
        int status;
        const char *body; /* or a file */
        enum remote_state state;
        int64_t queue_position;
        bool again;
        const char *note, *unknown;
    } row[] = {
        { "waiting", 202, "fal/in_queue.json", REMOTE_QUEUED, 3, false, NULL, NULL },
        { "as submitted", 200, "fal/submitted.json", REMOTE_QUEUED, 0, false, NULL, NULL },
        { "running", 202, "fal/in_progress.json", REMOTE_RUNNING, -1, false, NULL, NULL },
        { "ended", 200, "fal/completed.json", 0, -1, true, NULL, NULL },
        { "ended badly", 200, "fal/completed_error.json", 0, -1, true, "runner_scheduling_failure", NULL },
        { "without a type", 200, "{\"status\":\"COMPLETED\",\"error\":\"boom\"}", 0, -1, true, "error",
          NULL },
        { "no error", 200, "{\"status\":\"COMPLETED\",\"error\":null}", 0, -1, true, NULL, NULL },
        { "a position out of place", 202, "{\"status\":\"IN_PROGRESS\",\"queue_position\":3}", REMOTE_RUNNING,
          -1, false, NULL, NULL },
        { "no position", 202, "{\"status\":\"IN_QUEUE\",\"queue_position\":-2}", REMOTE_QUEUED, -1, false,
          NULL, NULL },
        { "202 says enough", 202, "", REMOTE_RUNNING, -1, false, NULL, NULL },
        { "a new word", 200, "{\"status\":\"RESTING\"}", REMOTE_RUNNING, -1, false, NULL, "RESTING" },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = fg_starts(fg_str_c(row[i].body), FG_LIT("fal/"))
                                   ? recorded(&w.cx, row[i].status, row[i].body)
                                   : answer(row[i].status, row[i].body);
        struct poll_reply got = poll(&w.cx, 0, NULL, &r);
        CHECK_I64(got.understood, !row[i].again, row[i].why);
        CHECK(row[i].again || got.state == row[i].state, row[i].why);
        CHECK_I64(got.queue_position, row[i].queue_position, row[i].why);
        CHECK_I64(got.progress, -1, "fal has no percentage");
        CHECK_I64(got.again, row[i].again, row[i].why);
        CHECK_STR(got.note, fg_str_c(row[i].note), row[i].why);
        CHECK_STR(got.unknown_word, fg_str_c(row[i].unknown), row[i].why);
    }
    t_end(&w, 0);
}

TEST(status_without_news)
{
    static const struct {
        const char *why;
        enum fetch_end end;
        int status;
        const char *body;
        enum remote_reason reason;
    } row[] = {
        { "timeout", FETCH_UNKNOWN, 0, "", REASON_FAILED },
        { "5xx", FETCH_ANSWERED, 500, PLATFORM("internal_error"), REASON_FAILED },
        { "busy", FETCH_ANSWERED, 429, "", REASON_BUSY },
        { "key", FETCH_ANSWERED, 401, "", REASON_AUTH },
        { "money", FETCH_ANSWERED, 403, "{\"detail\":\"" LOCKED "\"}", REASON_CREDIT },
        { "no status", FETCH_ANSWERED, 200, "{\"request_id\":\"x\"}", REASON_NONSENSE },
        { "status is a number", FETCH_ANSWERED, 200, "{\"status\":1}", REASON_NONSENSE },
        { "truncated", FETCH_ANSWERED, 200, "{\"status\":\"COMPL", REASON_NONSENSE },
        { "no object", FETCH_ANSWERED, 200, "[\"COMPLETED\"]", REASON_NONSENSE },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = answer(row[i].status, row[i].body);
        r.end = row[i].end;
        struct poll_reply got = poll(&w.cx, 0, NULL, &r);
        CHECK(!got.understood && !got.again, row[i].why);
        CHECK_I64(got.reason, row[i].reason, row[i].why);
    }
    struct fetch_reply r = answer(404, "{\"detail\":\"Not found\"}");
    CHECK_I64(poll(&w.cx, 0, NULL, &r).state, REMOTE_GONE, "unknown there");
    t_end(&w, 0);
}

TEST(a_result_is_the_file)
{
    struct t_world w;
    t_begin(&w);
    struct fetch_reply r = recorded(&w.cx, 200, "fal/result.json");
    struct poll_reply got = poll(&w.cx, 1, NULL, &r);
    CHECK(got.understood && got.state == REMOTE_DONE && !got.again, "the end");
    CHECK_IS(got.output_url, "https://v3.fal.media/files/x/out.mp4", "the file");
    CHECK_I64(got.output_key, KEY_NEVER, "it is public");

    static const struct {
        const char *why, *body;
        bool understood;
    } bad[] = {
        { "no video", "{\"seed\":42}", true },
        { "another shape", "{\"video\":\"https://v3.fal.media/x.mp4\"}", true },
        { "no text", "{\"video\":{\"url\":7}}", true },
        { "empty", "{\"video\":{\"url\":\"\"}}", true },
        { "truncated", "{\"video\":{\"url\":\"https://v3.f", false },
        { "nothing", "", false },
    };
    for (size_t i = 0; i < FG_LEN(bad); i++) {
        r = answer(200, bad[i].body);
        got = poll(&w.cx, 1, NULL, &r);
        CHECK_I64(got.understood, bad[i].understood, bad[i].why);
        CHECK_I64(got.reason, REASON_NONSENSE, bad[i].why);
        CHECK(!got.output_url.p && (!got.understood || got.state == REMOTE_FAILED), bad[i].why);
    }
    t_end(&w, 0);
}

#define ENDED REMOTE_FAILED
#define NOT_UNDERSTOOD (-1)

TEST(results_that_failed)
{
    static const struct {
        const char *why;
        int status;
        const char *body, *note;
        int state; /* NOT_UNDERSTOOD: no news */
        enum remote_reason reason;
    } row[] = {
        { "still at it", 400, "{\"detail\":\"Request is still in progress\"}", NULL, REMOTE_RUNNING,
          REASON_NONE },
        { "client fault", 400, PLATFORM("bad_request"), NULL, ENDED, REASON_REFUSED },
        { "client fault without a type", 400, "{\"detail\":\"m\"}", NULL, ENDED, REASON_REFUSED },
        { "missing", 422, DETAIL("missing"), NULL, ENDED, REASON_REFUSED },
        { "value_error", 422, DETAIL("value_error"), NULL, ENDED, REASON_REFUSED },
        { "image_too_large", 422, DETAIL("image_too_large"), NULL, ENDED, REASON_REFUSED },
        { "image_too_small", 422, DETAIL("image_too_small"), NULL, ENDED, REASON_REFUSED },
        { "file_too_large", 422, DETAIL("file_too_large"), NULL, ENDED, REASON_REFUSED },
        { "no picture", 422, DETAIL("unsupported_image_format"), NULL, ENDED, REASON_IMAGE },
        { "no sound", 422, DETAIL("unsupported_audio_format"), NULL, ENDED, REASON_REFUSED },
        { "a type of tomorrow", 422, DETAIL("too_windy"), NULL, ENDED, REASON_REFUSED },
        { "no type at all", 422, "", NULL, ENDED, REASON_REFUSED },
        { "moderation", 422, DETAIL("content_policy_violation"), NULL, ENDED, REASON_CONTENT },
        { "moderation of the picture", 422,
          "{\"detail\":[{\"loc\":[\"body\",\"image_url\"],\"type\":\"content_policy_violation\"}]}", NULL, ENDED,
          REASON_CONTENT_IMAGE },
        { "moderation of the words", 422,
          "{\"detail\":[{\"loc\":[\"body\",\"prompt\"],\"type\":\"content_policy_violation\"}]}", NULL, ENDED,
          REASON_CONTENT },
        { "held back", 422, DETAIL("no_media_generated"), NULL, ENDED, REASON_CONTENT_OUT },
        { "picture", 422, DETAIL("file_download_error"), NULL, ENDED, REASON_IMAGE },
        { "upstream", 422, DETAIL("generation_timeout"), NULL, ENDED, REASON_FAILED },
        { "upstream", 502, DETAIL("downstream_service_error"), NULL, ENDED, REASON_FAILED },
        { "upstream", 503, DETAIL("downstream_service_unavailable"), NULL, ENDED, REASON_FAILED },
        { "platform", 500, PLATFORM("internal_error"), NULL, ENDED, REASON_FAILED },
        { "platform", 500, PLATFORM("runner_server_error"), NULL, ENDED, REASON_FAILED },
        { "platform", 502, PLATFORM("runner_incomplete_response"), NULL, ENDED, REASON_FAILED },
        { "platform", 503, PLATFORM("runner_scheduling_failure"), NULL, ENDED, REASON_FAILED },
        { "platform", 503, PLATFORM("runner_connection_timeout"), NULL, ENDED, REASON_FAILED },
        { "platform", 503, PLATFORM("runner_disconnected"), NULL, ENDED, REASON_FAILED },
        { "platform", 503, PLATFORM("runner_connection_refused"), NULL, ENDED, REASON_FAILED },
        { "platform", 503, PLATFORM("runner_connection_error"), NULL, ENDED, REASON_FAILED },
        { "platform", 504, PLATFORM("startup_timeout"), NULL, ENDED, REASON_FAILED },
        { "start deadline", 504, PLATFORM("request_timeout"), NULL, ENDED, REASON_EXPIRED },
        { "cancelled", 499, PLATFORM("client_cancelled"), NULL, ENDED, REASON_CANCELED },
        { "cancelled", 499, PLATFORM("client_disconnected"), NULL, ENDED, REASON_CANCELED },
        { "cancelled without a type", 499, "", NULL, ENDED, REASON_CANCELED },
        { "the worst of several", 422,
          "{\"detail\":[{\"type\":\"missing\"},{\"type\":\"content_policy_violation\"}]}", NULL, ENDED,
          REASON_CONTENT },
        { "a proxy's 502", 502, "<html>", NULL, NOT_UNDERSTOOD, REASON_FAILED },
        { "a gateway's 503", 503, "{\"error\":{\"message\":\"m\",\"code\":503}}", NULL, NOT_UNDERSTOOD,
          REASON_FAILED },
        { "502 of a job that failed", 502, "<html>", "error", ENDED, REASON_FAILED },
        { "504 of a job whose type is known", 504, "", "request_timeout", ENDED, REASON_EXPIRED },
        { "a proxy's 408", 408, "", NULL, NOT_UNDERSTOOD, REASON_BUSY },
        { "busy, whatever the job", 429, "", "error", NOT_UNDERSTOOD, REASON_BUSY },
        { "key, whatever the job", 401, "", "error", NOT_UNDERSTOOD, REASON_AUTH },
        { "money", 403, "{\"detail\":\"" LOCKED "\"}", NULL, NOT_UNDERSTOOD, REASON_CREDIT },
        { "not kept", 404, "{\"detail\":\"m\"}", NULL, REMOTE_GONE, REASON_NONE },
        { "a redirect", 302, PLATFORM("internal_error"), NULL, NOT_UNDERSTOOD, REASON_FAILED },
        { "202 is not the end", 202, "{}", NULL, REMOTE_RUNNING, REASON_NONE },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = answer(row[i].status, row[i].body);
        struct poll_reply got = poll(&w.cx, 1, row[i].note, &r);
        CHECK_I64(got.understood ? (int)got.state : NOT_UNDERSTOOD, row[i].state, row[i].why);
        if (row[i].state != REMOTE_RUNNING)
            CHECK_I64(got.reason, row[i].reason, row[i].why);
        CHECK(!got.again && !got.output_url.p && !got.charged, row[i].why);
    }
    struct fetch_reply r = { .end = FETCH_UNKNOWN, .words = FG_LIT("timeout") };
    CHECK(!poll(&w.cx, 1, "error", &r).understood, "nor is a result that did not come");
    t_end(&w, 0);
}

TEST(headers_of_a_failed_result)
{
    static const struct {
        const char *why;
        int status;
        const char *body, *header, *value;
        int state;
        enum remote_reason reason;
    } row[] = {
        { "our own limit", 504, "", "x-fal-request-timeout-type", "user", ENDED, REASON_EXPIRED },
        { "not ours", 504, "", "x-fal-request-timeout-type", "server", NOT_UNDERSTOOD, REASON_FAILED },
        { "the type again", 503, "", "x-fal-error-type", "runner_disconnected", ENDED, REASON_FAILED },
        { "no use to repeat it", 500, PLATFORM("internal_error"), "x-fal-retryable", "false", ENDED,
          REASON_REFUSED },
        { "worth it", 422, DETAIL("missing"), "x-fal-retryable", "true", ENDED, REASON_FAILED },
        { "by its newer name", 422, DETAIL("missing"), "x-fal-needs-retry", "true", ENDED, REASON_FAILED },
        { "as it is", 500, PLATFORM("internal_error"), "x-fal-retryable", "true", ENDED, REASON_FAILED },
        { "never for content", 422, DETAIL("content_policy_violation"), "x-fal-retryable", "true", ENDED,
          REASON_CONTENT },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = answer(row[i].status, row[i].body);
        add_header(&r, row[i].header, row[i].value);
        struct poll_reply got = poll(&w.cx, 1, NULL, &r);
        CHECK_I64(got.understood ? (int)got.state : NOT_UNDERSTOOD, row[i].state, row[i].why);
        CHECK_I64(got.reason, row[i].reason, row[i].why);
    }
    struct fetch_reply r = recorded(&w.cx, 422, "fal/download.json");
    CHECK_IS(poll(&w.cx, 1, NULL, &r).words, "file_download_error: Failed to download the file",
             "and the words");
    t_end(&w, 0);
}
