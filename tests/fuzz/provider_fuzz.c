/* Whatever a service answers: every adapter reads it without harm, and what it makes of it can be relied
 * upon. First byte: the adapter. Second: the function, and above it the step of a poll or the page of a list.
 * Third: the end and the HTTP status. The rest is the body. tests/fuzz/provider.sh builds it, makes such
 * files of the recorded answers and runs it. */
#include "base/arena.h"
#include "base/env.h"
#include "base/time.h"
#include "base/utf8.h"
#include "provider/adapter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* provider.sh has them in the same order. */
static const char *const names[] = {
    "openai", "fal",   "replicate",    "runway",  "luma",       "luma_agents",
    "veo",    "kling", "kling_legacy", "minimax", "minimax_v2", "comfyui",
};

enum function { F_SUBMIT, F_POLL, F_LIST, F_CANCEL, F_CALLBACK, F_UPLOAD };
#define FUNCTION_N 6

static const int statuses[] = { 200, 201, 202, 204, 302, 400, 401, 402, 403, 404,
                                408, 409, 410, 422, 429, 499, 500, 502, 503, 504 };

/* 2030-01-01 */
#define NOW_US INT64_C(1893456000000000)

static const struct provider_site site = {
    .name = { "site", 4 },
    .base_url = { "https://api.example", 19 },
    .history_url = { "https://history.example/v1", 26 },
    .key = { "key", 3 },
    .key_secret = { "secret", 6 },
    .host = { { "*.host.example", 14 } },
    .host_n = 1,
    .extras = true,
};

#define HOLDS(x) ((x) ? (void)0 : abort())

static bool good_words(struct fg_str s)
{
    return s.n <= ADAPTER_WORDS_MAX && utf8_count(s) != SIZE_MAX;
}

/* Nobody else's host sees the key. */
static void check_call(enum fg_code rc, const struct fetch_call *c)
{
    HOLDS(rc == FG_OK || rc == FG_TOO_LARGE || rc == FG_INVALID_REQUEST);
    if (rc == FG_OK)
        HOLDS(site_knows(&site, c->url));
}

static void check_calls(struct fg_ctx *cx, const struct provider *p, const struct remote_ref *ref)
{
    struct fetch_call c;
    for (int step = 0; step < PROVIDER_STEPS_MAX; step++)
        check_call(p->poll_call(cx, &site, ref, step, FG_NONE, &c), &c);
    if (p->cancel_when & CANCEL_WHEN_QUEUED)
        check_call(p->cancel_call(cx, &site, ref, REMOTE_QUEUED, &c), &c);
    if (p->cancel_when & CANCEL_WHEN_RUNNING)
        check_call(p->cancel_call(cx, &site, ref, REMOTE_RUNNING, &c), &c);
}

static void fuzz_submit(struct fg_ctx *cx, const struct provider *p, const struct fetch_reply *r)
{
    struct submit_reply got;
    p->submit_reply(cx, &site, r, &got);
    HOLDS(good_words(got.words) && got.retry_after_s >= 0 && got.park_s >= 0 && got.cost_micro >= 0);
    if (got.outcome != SUBMIT_ACCEPTED) {
        HOLDS(!got.id.p && (got.outcome != SUBMIT_REFUSED || got.reason != REASON_NONE));
        return;
    }
    HOLDS(adapter_ok(r) && adapter_id_ok(got.id) && got.links.n <= PROVIDER_LINKS_MAX);
    struct remote_ref ref = { .id = got.id, .links = got.links, .model = FG_LIT("a/b/c") };
    check_calls(cx, p, &ref);
}

static void check_news(const struct poll_reply *got)
{
    HOLDS(good_words(got->words) && utf8_count(got->unknown_word) != SIZE_MAX);
    HOLDS(got->progress >= -1 && got->progress <= 100 && got->queue_position >= -1);
    HOLDS(got->poll_after_ms >= 0 && got->cost_micro >= 0);
    HOLDS(!got->understood || !got->again);
    HOLDS(!got->understood || got->state != REMOTE_FAILED || got->reason != REASON_NONE);
    HOLDS(!got->output_url.n || (got->understood && got->state == REMOTE_DONE));
}

static void fuzz_poll(struct fg_ctx *cx, const struct provider *p, const struct fetch_reply *r, int step)
{
    struct remote_ref ref = { .id = FG_LIT("831045678901234567"), .model = FG_LIT("a/b/c") };
    struct poll_reply got;
    struct fetch_call c;
    p->poll_reply(cx, &site, &ref, step, step ? FG_LIT("1") : FG_NONE, r, &got);
    check_news(&got);
    HOLDS(!got.understood || got.state != REMOTE_DONE ||
          got.output_url.n); /* a callback may leave it to the poll */
    if (got.again)
        check_call(p->poll_call(cx, &site, &ref, step + 1, got.note, &c), &c);
}

static void fuzz_list(struct fg_ctx *cx, const struct provider *p, const struct fetch_reply *r, int page)
{
    struct list_ask ask = {
        .model = FG_LIT("a/b"),
        .client_ref = FG_LIT("5b1c1a0e-3c0f-4a53-9f0e-2f7f1f1b2c3d"),
        .since_us = NOW_US,
        .until_us = NOW_US + FG_US_PER_S,
        .page = page,
    };
    struct list_reply got;
    struct fetch_call c;
    if (!p->list_reply)
        return;
    p->list_reply(cx, &site, &ask, r, &got);
    HOLDS(got.understood || (!got.n && !got.more && !got.whole));
    HOLDS(got.n <= PROVIDER_ROWS_MAX && (!got.more || got.cursor.n));
    for (size_t i = 0; i < got.n; i++) {
        const struct remote_row *row = &got.row[i];
        HOLDS(adapter_id_ok(row->id) && row->created_us <= TIME_MAX_US);
        check_calls(cx, p, &(struct remote_ref){ .id = row->id, .links = row->links, .model = ask.model });
    }
    if (got.more) {
        ask.cursor = got.cursor;
        ask.page++;
        check_call(p->list_call(cx, &site, &ask, &c), &c);
    }
}

static void fuzz_callback(struct fg_ctx *cx, const struct provider *p, struct fg_str body)
{
    struct callback_headers h = { .webhook_id = FG_LIT("msg_1") };
    struct callback_note got;
    const struct js *v;
    if (!p->callback_read)
        return;
    if (js_parse(cx, body, &v) == FG_OK) /* fal's is signed, and has to be the body's */
        h.fal_request_id = adapter_text(v, "request_id");
    enum fg_code rc = p->callback_read(cx, &h, body, &got);
    HOLDS(rc == FG_OK || rc == FG_INVALID_JSON || rc == FG_INVALID_REQUEST || rc == FG_BAD_SIGNATURE);
    if (rc != FG_OK)
        return;
    HOLDS(!got.remote_id.p || adapter_id_ok(got.remote_id));
    HOLDS(!got.answer.p || js_parse(cx, got.answer, &v) == FG_OK);
    check_news(&got.news);
}

static void fuzz_upload(struct fg_ctx *cx, const struct provider *p, const struct fetch_reply *r)
{
    struct fg_str name;
    if (!p->upload_reply)
        return;
    p->upload_reply(cx, r, &name);
    HOLDS(!name.p || (adapter_ok(r) && name.n > 0));
}

static void no_log(void *self, struct fg_str line)
{
    (void)self, (void)line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct fg_env env = { .log = no_log };
    if (size < 3)
        return 0;
    const struct provider *p = provider_by_name(fg_str_c(names[data[0] % FG_LEN(names)]));
    if (!p)
        return 0;
    struct fg_ctx cx = { .mem = arena_new(), .env = &env, .now_us = NOW_US };
    struct fetch_reply r = { .end = FETCH_ANSWERED, .status = statuses[(data[2] & 0x7f) % FG_LEN(statuses)] };
    r.body = (struct fg_str){ (const char *)data + 3, size - 3 };
    r.header[r.header_n++] = (struct fetch_header){ FG_LIT("retry-after"), FG_LIT("5") };
    if (data[2] & 0x80)
        r = (struct fetch_reply){ .end = FETCH_UNKNOWN, .words = r.body };
    int upper = data[1] / FUNCTION_N % PROVIDER_STEPS_MAX;
    switch ((enum function)(data[1] % FUNCTION_N)) {
    case F_SUBMIT:
        fuzz_submit(&cx, p, &r);
        break;
    case F_POLL:
        fuzz_poll(&cx, p, &r, upper);
        break;
    case F_LIST:
        fuzz_list(&cx, p, &r, upper);
        break;
    case F_CANCEL:
        if (p->cancel_reply)
            HOLDS((unsigned)p->cancel_reply(&cx, &r) <= CANCEL_UNKNOWN);
        break;
    case F_CALLBACK:
        fuzz_callback(&cx, p, r.body);
        break;
    case F_UPLOAD:
        fuzz_upload(&cx, p, &r);
        break;
    }
    arena_free(cx.mem);
    return 0;
}
