/* Kling's old surface: recorded examples as rows, the vectors of its token, jobs of either kind. */
#include "adapter_kit.h"
#include "adapter_torture.h"

#define DATA "tests/data/providers/kling/"
#define ID "831045678901234567"
#define REF "5b1c1a0e-3c0f-4a53-9f0e-2f7f1f1b2c3d"

static const struct provider_site site = {
    .name = { "kling", 5 },
    .base_url = { "https://api-singapore.klingai.com", 33 },
    .key = { "kl-secret", 9 },
};
static const struct remote_ref ref = { .id = { ID, 18 } };

static struct provider_site with_pair(struct fg_str access_key, struct fg_str secret)
{
    struct provider_site s = site;
    s.key = access_key;
    s.key_secret = secret;
    return s;
}

static struct fetch_reply of_file(struct t_world *w, int status, const char *path)
{
    struct fetch_reply r = answer(status, "");
    r.body = t_file(&w->cx, path);
    return r;
}

#define CODE(n) "{\"code\":" n ",\"message\":\"m\",\"request_id\":\"r\"}"
#define OLD(rest) "{\"code\":0,\"data\":{\"task_id\":\"" ID "\"," rest "}}"

TEST(the_old_requests)
{
    struct t_world w;
    struct fetch_call c;
    t_begin(&w);
    struct gen_wire wire = { .fixed = parsed(&w.cx, "{\"cfg_scale\":0.5}") };
    struct gen_spec spec = kite("kling-v2-6", &wire);
    spec.duration_s = 5;
    spec.negative = FG_LIT("blur");
    spec.audio = AUDIO_ON;
    spec.callback_url = FG_LIT("https://gw.example/cb/kling/j_7Qx");
    CHECK_CODE(&w.cx, provider_kling_legacy.submit_call(&w.cx, &site, &spec, &c), FG_OK);
    CHECK_IS(c.url, "https://api-singapore.klingai.com/v1/videos/text2video", "by what it starts from");
    CHECK_IS(c.body,
             "{\"model_name\":\"kling-v2-6\",\"prompt\":\"a red kite over dunes\",\"negative_prompt\":\"blur\","
             "\"duration\":\"5\",\"aspect_ratio\":\"16:9\",\"sound\":\"on\",\"cfg_scale\":0.5,"
             "\"callback_url\":\"https://gw.example/cb/kling/j_7Qx\",\"external_task_id\":\"" REF "\"}",
             "the duration is a text; no mode where the catalogue spells none");
    CHECK(c.once, "it costs money");
    wire = (struct gen_wire){ .param[PARAM_RESOLUTION] = {
        .name = FG_LIT("mode"), .values = parsed(&w.cx, "{\"720p\":\"std\",\"1080p\":\"pro\"}") } };
    spec.negative = spec.callback_url = FG_NONE;
    spec.audio = AUDIO_OFF;
    spec.image_url = FG_LIT("https://x.example/a.png");
    CHECK_CODE(&w.cx, provider_kling_legacy.submit_call(&w.cx, &site, &spec, &c), FG_OK);
    CHECK_IS(c.url, "https://api-singapore.klingai.com/v1/videos/image2video", "by what it starts from");
    CHECK_IS(c.body,
             "{\"model_name\":\"kling-v2-6\",\"prompt\":\"a red kite over dunes\","
             "\"image\":\"https://x.example/a.png\",\"mode\":\"std\",\"duration\":\"5\",\"sound\":\"off\","
             "\"external_task_id\":\"" REF "\"}",
             "no ratio beside a picture");
    t_end(&w, 0);
}

/* Made by other programs (see the fact sheet); the plain base64 alphabet, padding or a decoded secret fail. */
TEST(tokens_of_a_pair_of_keys)
{
    static const struct {
        const char *access_key, *secret;
        int64_t now_s;
        const char *want;
    } row[] = {
        { "AKtest0000000000000000000000001", "SKtest0000000000000000000000001", 1767225600,
          "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
          "eyJpc3MiOiJBS3Rlc3QwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAxIiwiZXhwIjoxNzY3MjI3NDAwLCJuYmYiOjE3NjcyMjU1OTV9."
          "qjml2X_0tClMtZ-AYbVEkrcIbQknToctVqD3KwBw0io" },
        { "ak-example", "sk-example-+/=~", 1700000000,
          "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
          "eyJpc3MiOiJhay1leGFtcGxlIiwiZXhwIjoxNzAwMDAxODAwLCJuYmYiOjE2OTk5OTk5OTV9."
          "SAhi5f0JaJZNhxuJfXd7KKiDlPTTnWIMyNtkUS8p8Ow" },
        { "A1B2C3D4E5F60718293A4B5C6D7E8F90", "00112233445566778899aabbccddeeff", 1782864000,
          "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
          "eyJpc3MiOiJBMUIyQzNENEU1RjYwNzE4MjkzQTRCNUM2RDdFOEY5MCIsImV4cCI6MTc4Mjg2NTgwMCwibmJmIjoxNzgyODYzOTk1fQ."
          "dNCqWTZgvsVMZo2O5G4-asDfDUixqASfTitv508PsNo" },
    };
    struct t_world w;
    struct fetch_call c;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct provider_site pair = with_pair(fg_str_c(row[i].access_key), fg_str_c(row[i].secret));
        w.cx.now_us = row[i].now_s * FG_US_PER_S + 999999;
        CHECK_CODE(&w.cx, provider_kling_legacy.poll_call(&w.cx, &pair, &ref, 0, FG_NONE, &c), FG_OK);
        CHECK_STR(c.secret.value, fg_str_c(row[i].want), row[i].access_key);
    }
    CHECK_CODE(&w.cx, provider_kling_legacy.poll_call(&w.cx, &site, &ref, 0, FG_NONE, &c), FG_OK);
    CHECK_IS(c.secret.value, "Bearer kl-secret", "a whole key goes as it is");
    t_end(&w, 0);
}

TEST(lookups_are_asked_for)
{
    struct list_ask ask = { .page = 0 };
    struct t_world w;
    struct fetch_call c;
    t_begin(&w);
    CHECK_CODE(&w.cx, provider_kling_legacy.list_call(&w.cx, &site, &ask, &c), FG_INVALID_REQUEST);
    CHECK(strstr(w.cx.err.detail, "reference"), "it has no list of a window");
    ask.client_ref = FG_LIT(REF);
    CHECK_CODE(&w.cx, provider_kling_legacy.list_call(&w.cx, &site, &ask, &c), FG_OK);
    CHECK_IS(c.url, "https://api-singapore.klingai.com/v1/videos/text2video/" REF, "our reference as the id");
    ask.page = 1;
    CHECK_CODE(&w.cx, provider_kling_legacy.list_call(&w.cx, &site, &ask, &c), FG_OK);
    CHECK_IS(c.url, "https://api-singapore.klingai.com/v1/videos/image2video/" REF, "the other kind");
    t_end(&w, 0);
}

TEST(submits_are_read_like_the_new_ones)
{
    struct t_world w;
    struct submit_reply got;
    t_begin(&w);
    struct fetch_reply r = of_file(&w, 200, DATA "legacy_submit.json");
    provider_kling_legacy.submit_reply(&w.cx, &site, &r, &got);
    CHECK_I64(got.outcome, SUBMIT_ACCEPTED, "accepted");
    CHECK_IS(got.id, ID, "the id");
    CHECK(!got.links.p, "the answer does not tell its kind");
    r = of_file(&w, 200, DATA "submit.json");
    provider_kling_legacy.submit_reply(&w.cx, &site, &r, &got);
    CHECK_I64(got.outcome, SUBMIT_UNKNOWN, "the other surface names it differently");
    t_end(&w, 0);
}

static const struct {
    const char *why;
    int status;
    const char *body;
    bool understood;
    enum remote_state state;
    enum remote_reason reason;
    const char *url;
} polls[] = {
    { "waits", 200, OLD("\"task_status\":\"submitted\""), true, REMOTE_QUEUED, REASON_NONE,
      NULL },
    { "runs", 200, OLD("\"task_status\":\"processing\""), true, REMOTE_RUNNING, REASON_NONE,
      NULL },
    { "done", 200,
      OLD("\"task_status\":\"succeed\",\"task_result\":{\"videos\":[{\"id\":\"1\",\"url\":\"https://x/v\"}]}"), true,
      REMOTE_DONE, REASON_NONE, "https://x/v" },
    { "moderated", 200,
      OLD("\"task_status\":\"failed\",\"task_status_msg\":\"risk control\""), true, REMOTE_FAILED,
      REASON_CONTENT_OUT, NULL },
    { "another's", 200, "{\"code\":0,\"data\":{\"task_id\":\"1\",\"task_status\":\"failed\"}}",
      false, REMOTE_QUEUED, REASON_NONSENSE, NULL },
    { "a list", 200, "{\"code\":0,\"data\":[]}", false, REMOTE_QUEUED, REASON_NONSENSE, NULL },
};

TEST(poll_answers)
{
    struct t_world w;
    struct poll_reply got;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(polls); i++) {
        struct fetch_reply r = answer(polls[i].status, polls[i].body);
        provider_kling_legacy.poll_reply(&w.cx, &site, &ref, 0, FG_NONE, &r, &got);
        CHECK_I64(got.understood, polls[i].understood, polls[i].why);
        CHECK_I64(got.state, polls[i].state, polls[i].why);
        CHECK_I64(got.reason, polls[i].reason, polls[i].why);
        CHECK_STR(got.output_url, fg_str_c(polls[i].url), polls[i].why);
        CHECK(!got.again, "the whole answer");
    }
    struct fetch_reply r = of_file(&w, 200, DATA "legacy_succeed.json");
    provider_kling_legacy.poll_reply(&w.cx, &site, &ref, 0, FG_NONE, &r, &got);
    CHECK_IS(got.output_url, "https://cdn.klingai.example/x.mp4", "the recorded file");
    t_end(&w, 0);
}

TEST(an_old_job_of_unknown_kind_is_asked_for_in_both)
{
    struct t_world w;
    struct fetch_call c;
    struct poll_reply got;
    struct remote_ref known = { .id = ref.id, .links = FG_LIT("image2video") };
    struct remote_ref odd = { .id = ref.id, .links = FG_LIT("../../account") };
    t_begin(&w);
    CHECK_CODE(&w.cx, provider_kling_legacy.poll_call(&w.cx, &site, &ref, 0, FG_NONE, &c), FG_OK);
    CHECK_IS(c.url, "https://api-singapore.klingai.com/v1/videos/text2video/" ID, "the first kind");
    struct fetch_reply r = answer(404, CODE("1203"));
    provider_kling_legacy.poll_reply(&w.cx, &site, &ref, 0, FG_NONE, &r, &got);
    CHECK(got.again && !got.understood, "not there is not the whole answer");
    CHECK_CODE(&w.cx, provider_kling_legacy.poll_call(&w.cx, &site, &ref, 1, got.note, &c), FG_OK);
    CHECK_IS(c.url, "https://api-singapore.klingai.com/v1/videos/image2video/" ID, "the other kind");
    provider_kling_legacy.poll_reply(&w.cx, &site, &ref, 1, got.note, &r, &got);
    CHECK(!got.again && got.understood && got.state == REMOTE_GONE, "in neither: gone");
    r = answer(500, CODE("5000"));
    provider_kling_legacy.poll_reply(&w.cx, &site, &ref, 0, FG_NONE, &r, &got);
    CHECK(!got.again && !got.understood, "trouble is no reason to go on");
    r = answer(404, CODE("1203"));
    CHECK_CODE(&w.cx, provider_kling_legacy.poll_call(&w.cx, &site, &known, 0, FG_NONE, &c), FG_OK);
    CHECK_IS(c.url, "https://api-singapore.klingai.com/v1/videos/image2video/" ID, "its kind was kept");
    provider_kling_legacy.poll_reply(&w.cx, &site, &known, 0, FG_NONE, &r, &got);
    CHECK(!got.again && got.state == REMOTE_GONE, "one question is enough");
    CHECK_CODE(&w.cx, provider_kling_legacy.poll_call(&w.cx, &site, &odd, 0, FG_NONE, &c), FG_OK);
    CHECK_IS(c.url, "https://api-singapore.klingai.com/v1/videos/text2video/" ID, "nothing else is believed");
    t_end(&w, 0);
}

TEST(an_old_reference_is_looked_up_in_both_kinds)
{
    struct list_ask ask = { .client_ref = FG_LIT(REF) };
    struct t_world w;
    struct list_reply got;
    t_begin(&w);
    struct fetch_reply r = answer(404, CODE("1203"));
    provider_kling_legacy.list_reply(&w.cx, &site, &ask, &r, &got);
    CHECK(got.understood && got.more && got.n == 0, "not among the first kind");
    ask.page = 1;
    ask.cursor = got.cursor;
    provider_kling_legacy.list_reply(&w.cx, &site, &ask, &r, &got);
    CHECK(got.understood && got.whole && !got.more && got.n == 0, "nor among the other: not there");
    r = of_file(&w, 200, DATA "legacy_succeed.json");
    provider_kling_legacy.list_reply(&w.cx, &site, &ask, &r, &got);
    CHECK(got.understood && got.whole && !got.more && got.n == 1, "there it is");
    CHECK_IS(got.row[0].id, ID, "its id");
    CHECK_IS(got.row[0].client_ref, REF, "ours");
    CHECK_IS(got.row[0].links, "image2video", "where it was found is kept");
    CHECK_I64(got.row[0].created_us, 1893455900123000, "milliseconds");
    r = of_file(&w, 200, DATA "legacy_submit.json");
    provider_kling_legacy.list_reply(&w.cx, &site, &ask, &r, &got);
    CHECK_IS(got.row[0].client_ref, REF, "not repeated: the question named it");
    r = answer(200, OLD("\"task_info\":{\"external_task_id\":\"fg_2\"}"));
    provider_kling_legacy.list_reply(&w.cx, &site, &ask, &r, &got);
    CHECK(!got.understood, "an answer about another");
    r = answer(404, "<html>");
    provider_kling_legacy.list_reply(&w.cx, &site, &ask, &r, &got);
    CHECK(!got.understood, "somebody else's 404 proves nothing");
    r = of_file(&w, 200, DATA "legacy_succeed.json");
    ask.client_ref = FG_NONE;
    provider_kling_legacy.list_reply(&w.cx, &site, &ask, &r, &got);
    CHECK(!got.understood, "nothing was asked");
    t_end(&w, 0);
}

TEST(callbacks_are_read)
{
    struct callback_headers h = { .webhook_id = FG_LIT("msg_1") };
    struct t_world w;
    struct callback_note got;
    t_begin(&w);
    CHECK_I64(provider_kling_legacy.verify, VERIFY_STANDARD_IF_SECRET, "signed once a secret was made");
    CHECK_CODE(&w.cx,
               provider_kling_legacy.callback_read(&w.cx, &h, t_file(&w.cx, DATA "legacy_callback.json"), &got),
               FG_OK);
    CHECK_IS(got.remote_id, ID, "the id");
    CHECK_IS(got.event_id, "msg_1", "the event");
    CHECK_I64(got.news.state, REMOTE_FAILED, "it failed");
    CHECK_I64(got.news.reason, REASON_CONTENT_OUT, "because of what came out");
    CHECK_CODE(&w.cx, provider_kling_legacy.callback_read(&w.cx, &h, FG_LIT("{\"id\":\"1\"}"), &got),
               FG_INVALID_REQUEST);
    t_end(&w, 0);
}

TEST(damaged_answers_lead_nowhere)
{
    static const char *const file[] = { DATA "legacy_submit.json", DATA "legacy_succeed.json",
                                        DATA "legacy_callback.json" };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(file); i++)
        torture(&w, &provider_kling_legacy, &site, file[i]);
    t_end(&w, 0);
}
