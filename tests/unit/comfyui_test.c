/* ComfyUI: where a job is by queue and history, which file is ours, how a job is stopped, how a lost one is
 * found. */
#include "adapter_kit.h"
#include "provider/adapter.h"

#define BASE "http://127.0.0.1:8188"
#define ID "5b1c1a0e-3c0f-4a53-9f0e-2f7f1f1b2c3d"
#define VIEW BASE "/view?filename=" ID "_00001_.mp4&subfolder=fg&type=output"

static const struct provider *const comfy = &provider_comfyui;
static const struct provider_site site = { .name = { "comfyui", 7 }, .base_url = { BASE, sizeof BASE - 1 } };
static const struct provider_site behind_proxy = {
    .name = { "comfyui", 7 }, .base_url = { BASE, sizeof BASE - 1 }, .key = { "proxy-key", 9 }
};
static const struct remote_ref ref = { .id = { ID, sizeof ID - 1 } };

TEST(it_is_found_and_what_it_can_do_is_said)
{
    CHECK(provider_by_name(FG_LIT("comfyui")) == comfy, "by its name");
    CHECK_I64(comfy->verify, VERIFY_NONE, "nothing comes by itself");
    CHECK(!comfy->callback_read, "no callbacks");
    CHECK_I64(comfy->image_by, IMAGE_BY_UPLOAD, "pictures are taken there first");
    CHECK_I64(comfy->cancel_when, CANCEL_WHEN_QUEUED | CANCEL_WHEN_RUNNING, "both can be stopped");
    CHECK(comfy->no_key && !comfy->cancel_deletes, "no key needed, files stay");
}

/* ---- poll ---- */

/* Asks on, with these answers, as long as the adapter wants to. file NULL: too large to be read. *asked: how
 * often. */
static struct poll_reply look(struct t_world *w, const struct provider_site *at, const char *const file[4],
                              int *asked)
{
    struct poll_reply got = { .note = FG_NONE };
    struct fetch_call c;
    for (int step = 0; step < PROVIDER_STEPS_MAX; step++) {
        struct fetch_reply r = { .end = FETCH_TOO_LARGE, .words = FG_LIT("too large") };
        struct fg_str note = got.note;
        if (file[step])
            r = file[step][0] == '{' ? answer(200, file[step]) : recorded(&w->cx, 200, file[step]);
        CHECK_CODE(&w->cx, comfy->poll_call(&w->cx, at, &ref, step, note, &c), FG_OK);
        CHECK_STR(c.url, step % 2 ? FG_LIT(BASE "/history/" ID) : FG_LIT(BASE "/queue"),
                  "the queue before the history");
        comfy->poll_reply(&w->cx, at, &ref, step, note, &r, &got);
        *asked = step + 1;
        if (!got.again)
            return got;
        CHECK(!got.understood, "not the whole answer");
    }
    CHECK(false, "it asks for ever");
    return got;
}

#define QUEUE(what) "comfyui/queue_" what ".json"
#define HISTORY(what) "comfyui/history_" what ".json"

TEST(where_a_job_is)
{
    static const struct {
        const char *why, *file[4];
        int asked;
        bool understood;
        enum remote_state state;
        enum remote_reason reason;
        int64_t position;
    } row[] = {
        { "in line", { QUEUE("pending") }, 1, true, REMOTE_QUEUED, REASON_NONE, 2 },
        { "running", { QUEUE("running") }, 1, true, REMOTE_RUNNING, REASON_NONE, -1 },
        { "done", { QUEUE("others"), HISTORY("done") }, 2, true, REMOTE_DONE, REASON_NONE, -1 },
        { "done, with Python's numbers", { QUEUE("empty"), HISTORY("nan") },
          2, true, REMOTE_DONE, REASON_NONE, -1 },
        { "failed", { QUEUE("empty"), HISTORY("error") }, 2, true, REMOTE_FAILED, REASON_REFUSED, -1 },
        { "no memory", { QUEUE("empty"), HISTORY("memory") }, 2, true, REMOTE_FAILED, REASON_FAILED, -1 },
        { "stopped", { QUEUE("empty"), HISTORY("interrupted") },
          2, true, REMOTE_FAILED, REASON_CANCELED, -1 },
        { "seen the second time", { QUEUE("empty"), HISTORY("none"), QUEUE("running") },
          3, true, REMOTE_RUNNING, REASON_NONE, -1 },
        { "done the second time", { QUEUE("empty"), HISTORY("none"), QUEUE("empty"), HISTORY("done") },
          4, true, REMOTE_DONE, REASON_NONE, -1 },
        { "lost", { QUEUE("others"), HISTORY("none"), QUEUE("others"), HISTORY("none") },
          4, true, REMOTE_GONE, REASON_NONE, -1 },
        { "a queue too large, but done", { NULL, HISTORY("done") }, 2, true, REMOTE_DONE, REASON_NONE, -1 },
        { "a queue too large, not done", { NULL, HISTORY("none") }, 2, false, 0, REASON_FAILED, -1 },
        { "no queue, but done", { "{}", HISTORY("done") }, 2, true, REMOTE_DONE, REASON_NONE, -1 },
        { "half a queue, not done", { "{\"queue_running\":[]}", HISTORY("none") },
          2, false, 0, REASON_FAILED, -1 },
        { "the second one too large", { QUEUE("empty"), HISTORY("none"), NULL, HISTORY("none") },
          4, false, 0, REASON_FAILED, -1 },
        { "an odd queue", { "{\"queue_running\":[1,[],[1,2],[1,[]]],\"queue_pending\":[{}]}", HISTORY("done") },
          2, true, REMOTE_DONE, REASON_NONE, -1 },
        { "an odd entry", { QUEUE("empty"), "{\"" ID "\":7}" }, 2, false, 0, REASON_NONSENSE, -1 },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        int asked;
        struct poll_reply got = look(&w, &site, row[i].file, &asked);
        CHECK_I64(asked, row[i].asked, row[i].why);
        CHECK_I64(got.understood, row[i].understood, row[i].why);
        CHECK_I64(got.state, row[i].state, row[i].why);
        CHECK_I64(got.reason, row[i].reason, row[i].why);
        CHECK_I64(got.queue_position, row[i].position, row[i].why);
        CHECK_I64(got.progress, -1, "it does not tell");
        CHECK(got.state == REMOTE_FAILED ? got.words.n > 0 : true, row[i].why);
        arena_reset(w.cx.mem);
    }
    t_end(&w, 0);
}

TEST(what_is_told_of_a_failure)
{
    static const char *const file[] = { QUEUE("empty"), HISTORY("error"), NULL, NULL };
    struct t_world w;
    int asked;
    t_begin(&w);
    CHECK_IS(look(&w, &site, file, &asked).words, "ValueError: shapes do not fit",
             "no traceback: it has paths");
    t_end(&w, 0);
}

#define ENTRY(outputs, rest) "{\"" ID "\":{\"outputs\":" outputs rest "}}"
#define FILE_OF(name, folder, type) \
    "{\"filename\":\"" name "\",\"subfolder\":\"" folder "\",\"type\":\"" type "\"}"

static struct poll_reply history(struct fg_ctx *cx, const struct provider_site *at, const char *body)
{
    struct fetch_reply r = answer(200, body);
    struct poll_reply got;
    comfy->poll_reply(cx, at, &ref, 1, FG_NONE, &r, &got);
    return got;
}

TEST(which_file_it_is)
{
    static const struct {
        const char *why, *body, *url; /* NULL: failed, as nonsense */
    } row[] = {
        { "no status counts as completed",
          ENTRY("{\"9\":{\"images\":[" FILE_OF("a.mp4", "", "output") "]}}", ""),
          "/view?filename=a.mp4&subfolder=&type=output" },
        { "under another key",
          ENTRY("{\"9\":{\"x\":7,\"video\":[" FILE_OF("a.webm", "v", "output") "]}}", ""),
          "/view?filename=a.webm&subfolder=v&type=output" },
        { "escaped", ENTRY("{\"9\":{\"images\":[" FILE_OF("a b&c=\\u00e9.mp4", "../x", "out?") "]}}", ""),
          "/view?filename=a%20b%26c%3D%C3%A9.mp4&subfolder=..%2Fx&type=out%3F" },
        { "the rest left out", ENTRY("{\"9\":{\"images\":[{\"filename\":\"a.mp4\"}]}}", ""),
          "/view?filename=a.mp4&subfolder=&type=output" },
        { "not the temporary one",
          ENTRY("{\"9\":{\"images\":[" FILE_OF("a.mp4", "", "temp") "," FILE_OF("b.mp4", "", "output") "]}}",
                ""),
          "/view?filename=b.mp4&subfolder=&type=output" },
        { "ours before a stranger's",
          ENTRY("{\"8\":{\"images\":[" FILE_OF("a.mp4", "", "output") "]},\"9\":{\"gifs\":["
                FILE_OF(ID "_1.avi", "fg", "output") "]}}", ""),
          "/view?filename=" ID "_1.avi&subfolder=fg&type=output" },
        { "the film before its picture",
          ENTRY("{\"9\":{\"images\":[" FILE_OF(ID "_1.png", "fg", "output") ","
                FILE_OF(ID "_1.MP4", "fg", "output") "]}}", ""),
          "/view?filename=" ID "_1.MP4&subfolder=fg&type=output" },
        { "the first of equals",
          ENTRY("{\"8\":{\"images\":[" FILE_OF("a.mp4", "", "output") ","
                FILE_OF("b.mp4", "", "output") "]}}", ""),
          "/view?filename=a.mp4&subfolder=&type=output" },
        { "another status word",
          ENTRY("{\"9\":{\"images\":[" FILE_OF("a.mp4", "", "output") "]}}",
                ",\"status\":{\"status_str\":\"new\"}"),
          "/view?filename=a.mp4&subfolder=&type=output" },
        { "no outputs", ENTRY("{}", ""), NULL },
        { "odd ones",
          ENTRY("{\"9\":[],\"8\":{\"images\":{},\"a\":[7,{},{\"filename\":7},{\"filename\":\"\"}]}}", ""),
          NULL },
        { "only a temporary one", ENTRY("{\"9\":{\"images\":[" FILE_OF("a.png", "", "temp") "]}}", ""),
          NULL },
        { "nothing at all", "{\"" ID "\":{}}", NULL },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct poll_reply got = history(&w.cx, &site, row[i].body);
        CHECK(got.understood, row[i].why);
        CHECK_I64(got.state, row[i].url ? REMOTE_DONE : REMOTE_FAILED, row[i].why);
        CHECK_I64(got.reason, row[i].url ? REASON_NONE : REASON_NONSENSE, row[i].why);
        CHECK_STR(got.output_url, row[i].url ? arena_fmt(w.cx.mem, BASE "%s", row[i].url) : FG_NONE,
                  row[i].why);
        CHECK_I64(got.output_key, KEY_NEVER, "there is none");
    }
    struct fg_str endless =
        arena_fmt(w.cx.mem, ENTRY("{\"9\":{\"images\":[" FILE_OF("%05000d.mp4", "", "output") "]}}", ""), 0);
    CHECK_I64(history(&w.cx, &site, endless.p).reason, REASON_NONSENSE, "a name without end");
    struct fetch_reply done = recorded(&w.cx, 200, HISTORY("done"));
    struct poll_reply got = history(&w.cx, &behind_proxy, done.body.p);
    CHECK_IS(got.output_url, VIEW, "the recorded one");
    CHECK_I64(got.output_key, KEY_ALWAYS, "the proxy wants its key for files too");
    t_end(&w, 0);
}

#define ERROR(messages) ENTRY("{}", ",\"status\":{\"status_str\":\"error\",\"messages\":" messages "}")

TEST(failures_that_say_little)
{
    static const struct {
        const char *body;
        enum remote_reason reason;
    } row[] = {
        { ERROR("[]"), REASON_FAILED },
        { ERROR("{}"), REASON_FAILED },
        { ERROR("[7,[],[\"execution_error\"]]"), REASON_FAILED },
        { ERROR("[[\"execution_error\",{}]]"), REASON_REFUSED },
        { ERROR("[[\"execution_error\",{\"exception_type\":\"torch.cuda.OutOfMemoryError\"}]]"),
          REASON_FAILED },
        { ERROR("[[\"execution_interrupted\"],[\"execution_error\",{}]]"), REASON_CANCELED },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct poll_reply got = history(&w.cx, &site, row[i].body);
        CHECK_I64(got.state, REMOTE_FAILED, row[i].body);
        CHECK_I64(got.reason, row[i].reason, row[i].body);
    }
    t_end(&w, 0);
}

TEST(polls_that_fail)
{
    static const struct {
        enum fetch_end end;
        int status;
        enum remote_reason reason;
    } row[] = {
        { FETCH_ANSWERED, 401, REASON_AUTH },     { FETCH_ANSWERED, 403, REASON_AUTH },
        { FETCH_ANSWERED, 404, REASON_NONSENSE }, { FETCH_ANSWERED, 410, REASON_NONSENSE },
        { FETCH_ANSWERED, 500, REASON_FAILED },   { FETCH_ANSWERED, 502, REASON_FAILED },
        { FETCH_UNKNOWN, 0, REASON_FAILED },      { FETCH_NOT_SENT, 0, REASON_FAILED },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++)
        for (int step = 0; step < PROVIDER_STEPS_MAX; step++) {
            struct fetch_reply r = answer(row[i].status, "404: Not Found");
            struct poll_reply got;
            r.end = row[i].end;
            comfy->poll_reply(&w.cx, &site, &ref, step, FG_NONE, &r, &got);
            CHECK(!got.understood && !got.again, "no news: a lost job is told by {}");
            CHECK_I64(got.reason, row[i].reason, "by status");
        }
    t_end(&w, 0);
}

/* ---- cancel ---- */

TEST(cancels)
{
    static const struct {
        enum remote_state seen;
        const char *url, *body;
        bool once;
    } row[] = {
        { REMOTE_QUEUED, BASE "/queue", "{\"delete\":[\"" ID "\"]}", false },
        { REMOTE_RUNNING, BASE "/interrupt", "{\"prompt_id\":\"" ID "\"}", true },
    };
    struct t_world w;
    struct fetch_call c;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        CHECK_CODE(&w.cx, comfy->cancel_call(&w.cx, &behind_proxy, &ref, row[i].seen, &c), FG_OK);
        CHECK_IS(fg_str_c(c.method), "POST", row[i].url);
        CHECK_STR(c.url, fg_str_c(row[i].url), "by what was seen");
        CHECK_STR(c.body, fg_str_c(row[i].body), "ours alone");
        CHECK_I64(c.once, row[i].once, "a second interrupt could hit a stranger's job");
        CHECK_IS(c.secret.value, "Bearer proxy-key", "the proxy's key");
    }
    struct fetch_reply ok = answer(200, ""), bad = answer(500, ""), none = { .end = FETCH_UNKNOWN };
    CHECK_I64(comfy->cancel_reply(&w.cx, &ok), CANCEL_ASKED,
              "it says so whether or not there was such a job");
    CHECK_I64(comfy->cancel_reply(&w.cx, &bad), CANCEL_UNKNOWN, "ask again");
    CHECK_I64(comfy->cancel_reply(&w.cx, &none), CANCEL_UNKNOWN, "ask again");
    t_end(&w, 0);
}

/* ---- a lost submit ---- */

/* Both pages, as far as they are wanted. */
static struct list_reply look_up(struct t_world *w, const char *queue, const char *history_file, int *pages)
{
    struct list_ask ask = { .client_ref = ref.id };
    struct list_reply got = { 0 };
    struct fetch_call c;
    const char *const file[] = { queue, history_file };
    for (*pages = 0; *pages < 2;) {
        struct fetch_reply r = { .end = FETCH_TOO_LARGE };
        ask.page = *pages;
        if (file[ask.page])
            r = recorded(&w->cx, 200, file[ask.page]);
        CHECK_CODE(&w->cx, comfy->list_call(&w->cx, &site, &ask, &c), FG_OK);
        CHECK_STR(c.url, ask.page ? FG_LIT(BASE "/history/" ID) : FG_LIT(BASE "/queue"), "the queue first");
        comfy->list_reply(&w->cx, &site, &ask, &r, &got);
        ++*pages;
        if (!got.more)
            return got;
        CHECK(got.understood && got.n == 0 && got.cursor.n, "one page more");
        ask.cursor = got.cursor;
    }
    CHECK(false, "no third page");
    return got;
}

TEST(a_lost_submit_is_looked_up)
{
    static const struct {
        const char *why, *queue, *history;
        int pages;
        bool understood, found, whole;
    } row[] = {
        { "in line", QUEUE("pending"), NULL, 1, true, true, true },
        { "running", QUEUE("running"), NULL, 1, true, true, true },
        { "done", QUEUE("others"), HISTORY("done"), 2, true, true, true },
        { "done, with Python's numbers", QUEUE("empty"), HISTORY("nan"), 2, true, true, true },
        { "failed", QUEUE("empty"), HISTORY("error"), 2, true, true, true },
        { "never came", QUEUE("others"), HISTORY("none"), 2, true, false, true },
        { "perhaps in a queue too large", NULL, HISTORY("none"), 2, true, false, false },
        { "a queue too large, but done", NULL, HISTORY("done"), 2, true, true, true },
        { "history too large", QUEUE("empty"), NULL, 2, false, false, false },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        int pages;
        struct list_reply got = look_up(&w, row[i].queue, row[i].history, &pages);
        CHECK_I64(pages, row[i].pages, row[i].why);
        CHECK_I64(got.understood, row[i].understood, row[i].why);
        CHECK_I64(got.n, row[i].found, row[i].why);
        CHECK_I64(got.whole, row[i].whole, row[i].why);
        if (got.n) {
            CHECK_STR(got.row[0].id, ref.id, "by the id");
            CHECK_STR(got.row[0].client_ref, ref.id, "that we gave it");
        }
        arena_reset(w.cx.mem);
    }
    t_end(&w, 0);
}

TEST(look_ups_that_fail)
{
    struct t_world w;
    struct list_reply got;
    struct fetch_call c;
    t_begin(&w);
    for (int page = 0; page < 2; page++)
        for (int status = 401; status <= 502; status += 101) {
            struct list_ask ask = { .client_ref = ref.id,
                                    .page = page,
                                    .cursor = page ? FG_LIT("read") : FG_NONE };
            struct fetch_reply r = answer(status, "{}");
            comfy->list_reply(&w.cx, &site, &ask, &r, &got);
            CHECK(!got.understood && !got.more && !got.whole && !got.n, "nothing is known");
        }
    struct list_ask all = { .client_ref = FG_NONE };
    CHECK_CODE(&w.cx, comfy->list_call(&w.cx, &site, &all, &c), FG_INVALID_REQUEST);
    t_end(&w, 0);
}

TEST(half_an_answer_is_none)
{
    static const char *const file[] = { HISTORY("done"), HISTORY("nan"), QUEUE("pending") };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(file); i++) {
        struct fetch_reply r = recorded(&w.cx, 200, file[i]);
        for (size_t n = r.body.n - 2; n > 0; n--) { /* the last byte is a line feed */
            struct poll_reply got;
            r.body.n = n;
            comfy->poll_reply(&w.cx, &site, &ref, 1, FG_NONE, &r, &got);
            CHECK(!got.understood && !got.again, file[i]);
            comfy->poll_reply(&w.cx, &site, &ref, 0, FG_NONE, &r, &got);
            CHECK(!got.understood && got.again && FG_IS(got.note, "unread"), file[i]);
        }
    }
    t_end(&w, 0);
}
