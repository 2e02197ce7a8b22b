/* fal: what it says besides submit and poll: cancels, its history, callbacks. */
#include "adapter_kit.h"

#define ID "764cabcf-b745-4b3e-ae38-1200304cf45b"
#define QUEUE "https://queue.fal.run"
#define DETAIL(type) "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"m\",\"type\":\"" type "\"}]}"
#define PLATFORM(type) "{\"detail\":\"m\",\"error_type\":\"" type "\"}"
#define NOT_UNDERSTOOD (-1)

static const struct provider *const fal = &provider_fal;
static const struct provider_site site = {
    .name = { "fal", 3 },
    .base_url = { QUEUE, sizeof QUEUE - 1 },
    .history_url = { "https://api.fal.ai/v1", 21 },
    .key = { "key_xxx", 7 },
};

TEST(cancel_answers)
{
    static const struct {
        const char *file;
        int status;
        enum cancel_outcome want;
    } row[] = {
        { "fal/cancel_requested.json", 202, CANCEL_ASKED },
        { "fal/cancel_completed.json", 400, CANCEL_TOO_LATE },
        { "fal/cancel_not_found.json", 404, CANCEL_TOO_LATE },
        { "fal/cancel_completed.json", 500, CANCEL_UNKNOWN },
        { "fal/disconnected.json", 400, CANCEL_UNKNOWN },
        { "fal/disconnected.json", 404, CANCEL_UNKNOWN },
        { "fal/locked.json", 403, CANCEL_UNKNOWN },
        { "fal/gateway.json", 429, CANCEL_UNKNOWN },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = recorded(&w.cx, row[i].status, row[i].file);
        CHECK_I64(fal->cancel_reply(&w.cx, &r), row[i].want, row[i].file);
    }
    struct fetch_reply r = { .end = FETCH_UNKNOWN };
    CHECK_I64(fal->cancel_reply(&w.cx, &r), CANCEL_UNKNOWN, "no answer");
    t_end(&w, 0);
}

TEST(its_history_is_asked_by_endpoint)
{
    struct t_world w;
    struct fetch_call c;
    t_begin(&w);
    struct list_ask ask = { .model = FG_LIT("fal-ai/veo3.1/fast"),
                            .since_us = w.cx.now_us,
                            .until_us = w.cx.now_us + 90 * FG_US_PER_S };
    CHECK_CODE(&w.cx, fal->list_call(&w.cx, &site, &ask, &c), FG_OK);
    CHECK_IS(c.url,
             "https://api.fal.ai/v1/models/requests/by-endpoint?endpoint_id=fal-ai%2Fveo3.1%2Ffast"
             "&start=2030-01-01T00%3A00%3A00.000Z&end=2030-01-01T00%3A01%3A30.000Z&expand=payloads&limit=100",
             "on the platform's host");
    CHECK_IS(c.secret.value, "Key key_xxx", "with the key");
    ask.cursor = FG_LIT("b2Z=&x");
    struct provider_site one = site;
    one.history_url = FG_NONE;
    CHECK_CODE(&w.cx, fal->list_call(&w.cx, &one, &ask, &c), FG_OK);
    CHECK(fg_starts(c.url, FG_LIT(QUEUE "/models/requests/by-endpoint?")), "or on the only one");
    CHECK(c.url.n > 18 && fg_eq((struct fg_str){ c.url.p + c.url.n - 18, 18 }, FG_LIT("&cursor=b2Z%3D%26x")),
          "and from where the page before ended");
    t_end(&w, 0);
}

TEST(history_gives_rows)
{
    struct t_world w;
    struct list_ask ask = { .model = FG_LIT("fal-ai/veo3.1/fast") };
    struct list_reply got;
    t_begin(&w);
    struct fetch_reply r = recorded(&w.cx, 200, "fal/history.json");
    fal->list_reply(&w.cx, &site, &ask, &r, &got);
    CHECK(got.understood && got.n == 2, "two requests");
    CHECK_IS(got.row[0].id, ID, "the id");
    CHECK_I64(got.row[0].created_us, w.cx.now_us + 10250 * FG_US_PER_MS, "when it was sent");
    CHECK_IS(got.row[0].model, "fal-ai/veo3.1/fast", "the endpoint is the model");
    CHECK_IS(got.row[0].prompt, "a red kite over dunes", "from its input");
    CHECK(got.row[0].has_seed && got.row[0].seed == 42, "from its input");
    CHECK_I64(got.row[0].duration_s, 8, "of the video, not of the run");
    CHECK(!got.row[0].links.p && !got.row[0].callback_url.p && !got.row[0].client_ref.p,
          "not repeated there");
    CHECK(!got.row[1].has_seed && got.row[1].duration_s == 0, "not asked for");
    CHECK(got.more && !got.whole, "more to come; who still runs is not there");
    CHECK_IS(got.cursor, "b2Zmc2V0PTI=", "from here");
    t_end(&w, 0);
}

TEST(other_histories)
{
    static const struct {
        const char *why;
        int status;
        const char *body;
        bool understood;
        size_t n;
        bool more;
    } row[] = {
        { "empty", 200, "{\"items\":[],\"next_cursor\":null,\"has_more\":false}", true, 0, false },
        { "more of nothing known", 200, "{\"items\":[],\"next_cursor\":null,\"has_more\":true}", true, 0,
          false },
        { "a cursor without more", 200, "{\"items\":[],\"next_cursor\":\"a\",\"has_more\":false}", true, 0,
          false },
        { "a number as cursor", 200, "{\"items\":[],\"next_cursor\":7,\"has_more\":true}", true, 0, true },
        { "unusable ids", 200, "{\"items\":[{\"request_id\":\"..\"},{\"request_id\":1},{},7]}", true, 0,
          false },
        { "no input kept", 200, "{\"items\":[{\"request_id\":\"r\",\"json_input\":null,\"sent_at\":1}]}",
          true, 1, false },
        { "no list in it", 200, "{\"items\":{}}", false, 0, false },
        { "no JSON", 200, "<html>", false, 0, false },
        { "not for this key", 403, "{\"items\":[]}", false, 0, false },
        { "5xx", 500, "{\"items\":[]}", false, 0, false },
    };
    struct t_world w;
    struct list_ask ask = { .model = FG_LIT("fal-ai/veo3.1/fast") };
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = answer(row[i].status, row[i].body);
        struct list_reply got;
        fal->list_reply(&w.cx, &site, &ask, &r, &got);
        CHECK_I64(got.understood, row[i].understood, row[i].why);
        CHECK_I64(got.n, row[i].n, row[i].why);
        CHECK_I64(got.more, row[i].more, row[i].why);
        CHECK(!got.whole, row[i].why);
    }
    t_end(&w, 0);
}

#define CALLBACK_ID "11111111-2222-3333-4444-555555555555"

TEST(a_callback_is_about_its_header)
{
    static const struct {
        const char *why, *header, *body;
        enum fg_code want;
        const char *id;
    } row[] = {
        { "both ids", "r1", "{\"request_id\":\"r1\",\"gateway_request_id\":\"g1\"}", FG_OK, "g1" },
        { "one id", "r1", "{\"request_id\":\"r1\"}", FG_OK, "r1" },
        { "one id, and null", "r1", "{\"request_id\":\"r1\",\"gateway_request_id\":null}", FG_OK, "r1" },
        { "another's", "r2", "{\"request_id\":\"r1\"}", FG_BAD_SIGNATURE, NULL },
        { "the gateway's is not signed", "g1", "{\"request_id\":\"r1\",\"gateway_request_id\":\"g1\"}",
          FG_BAD_SIGNATURE, NULL },
        { "no header", NULL, "{\"request_id\":\"r1\"}", FG_BAD_SIGNATURE, NULL },
        { "no id", "r1", "{\"gateway_request_id\":\"r1\"}", FG_INVALID_REQUEST, NULL },
        { "empty on both sides", "", "{\"request_id\":\"\"}", FG_INVALID_REQUEST, NULL },
        { "an id that would climb", "..", "{\"request_id\":\"..\"}", FG_INVALID_REQUEST, NULL },
        { "the other one would", "r1", "{\"request_id\":\"r1\",\"gateway_request_id\":\"a/../b\"}",
          FG_INVALID_REQUEST, NULL },
        { "a number", "7", "{\"request_id\":7}", FG_INVALID_REQUEST, NULL },
        { "an array", "r1", "[]", FG_INVALID_REQUEST, NULL },
        { "no JSON", "r1", "{'request_id':1}", FG_INVALID_JSON, NULL },
        { "nothing", "r1", "", FG_INVALID_JSON, NULL },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct callback_headers h = { .fal_request_id = fg_str_c(row[i].header) };
        struct callback_note got = { 0 };
        CHECK_CODE(&w.cx, fal->callback_read(&w.cx, &h, fg_str_c(row[i].body), &got), row[i].want);
        CHECK_STR(got.remote_id, fg_str_c(row[i].id), row[i].why);
        CHECK_STR(got.event_id, row[i].want == FG_OK ? FG_LIT("r1") : FG_NONE, row[i].why);
        CHECK(!got.token.p && !got.answer.p && !got.news.understood, row[i].why);
    }
    t_end(&w, 0);
}

TEST(what_a_callback_tells)
{
    static const struct {
        const char *why, *body; /* or a file */
        int state;
        enum remote_reason reason;
        const char *url;
    } row[] = {
        { "the recorded success", "fal/callback_ok.json", REMOTE_DONE, REASON_NONE,
          "https://v3.fal.media/files/x/out.mp4" },
        { "could not be written", "fal/callback_payload_error.json", NOT_UNDERSTOOD, REASON_NONE, NULL },
        { "moderated",
          "{\"request_id\":\"" CALLBACK_ID
          "\",\"status\":\"ERROR\",\"payload\":" DETAIL("content_policy_violation") "}",
          REMOTE_FAILED, REASON_CONTENT, NULL },
        { "the platform's",
          "{\"request_id\":\"" CALLBACK_ID
          "\",\"status\":\"ERROR\",\"payload\":" PLATFORM("request_timeout") "}",
          REMOTE_FAILED, REASON_EXPIRED, NULL },
        { "a type of tomorrow",
          "{\"request_id\":\"" CALLBACK_ID "\",\"status\":\"ERROR\",\"payload\":" DETAIL("too_windy") "}",
          NOT_UNDERSTOOD, REASON_NONE, NULL },
        { "no payload", "{\"request_id\":\"" CALLBACK_ID "\",\"status\":\"ERROR\",\"error\":\"boom\"}",
          NOT_UNDERSTOOD, REASON_NONE, NULL },
        { "an error with a file",
          "{\"request_id\":\"" CALLBACK_ID "\",\"status\":\"ERROR\",\"payload\":"
          "{\"video\":{\"url\":\"https://v3.fal.media/x\"}}}",
          NOT_UNDERSTOOD, REASON_NONE, NULL },
        { "no status", "{\"request_id\":\"" CALLBACK_ID "\"}", NOT_UNDERSTOOD, REASON_NONE, NULL },
    };
    struct t_world w;
    struct callback_headers h = { .fal_request_id = FG_LIT(CALLBACK_ID) };
    struct callback_note got;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fg_str body = fg_str_c(row[i].body);
        if (fg_starts(body, FG_LIT("fal/")))
            body = recorded(&w.cx, 0, row[i].body).body;
        CHECK_CODE(&w.cx, fal->callback_read(&w.cx, &h, body, &got), FG_OK);
        CHECK_I64(got.news.understood ? (int)got.news.state : NOT_UNDERSTOOD, row[i].state, row[i].why);
        CHECK_I64(got.news.reason, row[i].reason, row[i].why);
        CHECK_STR(got.news.output_url, fg_str_c(row[i].url), row[i].why);
        CHECK(got.news.progress == -1 && got.news.queue_position == -1, "not reported");
    }
    h.fal_request_id = FG_LIT("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee");
    CHECK_CODE(&w.cx, fal->callback_read(&w.cx, &h, recorded(&w.cx, 0, "fal/callback_error.json").body, &got),
               FG_OK);
    CHECK_I64(got.news.reason, REASON_CONTENT, "the recorded failure");
    CHECK_IS(got.news.words, "content_policy_violation: flagged", "in its words");
    t_end(&w, 0);
}
