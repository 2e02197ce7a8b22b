/* A recorded answer, cut at every byte and with every byte damaged, through all that an adapter reads: nothing of it may
 * lead to an unusable id, a "done" without a file or words that are too long. */
#ifndef FG_TESTS_ADAPTER_TORTURE_H
#define FG_TESTS_ADAPTER_TORTURE_H

#include "adapter_kit.h"

static inline bool usable(struct fg_str id)
{
    return id.n > 0 && id.n <= PROVIDER_ID_MAX && !memchr(id.p, ' ', id.n) && !memchr(id.p, '\n', id.n);
}

static inline void read_poll(const struct poll_reply *got)
{
    CHECK(got->words.n <= 200, "words are short");
    CHECK(got->progress >= -1 && got->progress <= 100, "a percentage");
    CHECK(!got->understood || got->state != REMOTE_DONE || got->output_url.n, "done has a file");
    CHECK(!got->understood || got->state != REMOTE_FAILED || got->reason != REASON_NONE, "failures have a reason");
    CHECK(!got->again || !got->understood, "not an answer yet");
}

static inline void read_list(struct fg_ctx *cx, const struct provider *p, const struct provider_site *site,
                             const struct list_ask *ask, const struct fetch_reply *r)
{
    struct list_reply list;
    p->list_reply(cx, site, ask, r, &list);
    for (size_t i = 0; i < list.n; i++) {
        CHECK(usable(list.row[i].id), "rows have ids");
        CHECK(list.row[i].created_us >= 0, "and times");
    }
    CHECK(!list.more || list.cursor.n, "another page has a cursor");
    CHECK(list.understood || (!list.n && !list.more && !list.whole), "nothing comes of nothing");
}

/* True when the body was good JSON. */
static inline bool read_all(struct fg_ctx *cx, const struct provider *p, const struct provider_site *site,
                            struct fg_str body)
{
    struct fetch_reply r = { .end = FETCH_ANSWERED, .status = 200, .body = body };
    struct remote_ref ref = { .id = FG_LIT("831045678901234567") };
    struct list_ask all = { .page = 0 }, one = { .client_ref = kite("m", NULL).client_ref };
    struct submit_reply submit;
    struct poll_reply poll;
    struct callback_note note;
    const struct js *v;
    bool good = js_parse(cx, body, &v) == FG_OK;
    p->submit_reply(cx, site, &r, &submit);
    CHECK(submit.outcome != SUBMIT_ACCEPTED || usable(submit.id), "accepted has an id");
    CHECK(submit.words.n <= 200, "words are short");
    CHECK(good || submit.outcome == SUBMIT_UNKNOWN, "half an answer proves nothing");
    for (int step = 0; step < PROVIDER_STEPS_MAX; step++) {
        p->poll_reply(cx, site, &ref, step, FG_LIT("1"), &r, &poll);
        read_poll(&poll);
        CHECK(good || (!poll.understood && !poll.again), "half an answer is no news");
    }
    if (p->list_reply) {
        read_list(cx, p, site, &all, &r);
        read_list(cx, p, site, &one, &r);
    }
    if (p->cancel_reply)
        CHECK(good || p->cancel_reply(cx, &r) != CANCEL_DONE, "nor a cancel");
    struct callback_headers h = { .webhook_id = FG_NONE };
    if (p->callback_read && p->callback_read(cx, &h, body, &note) == FG_OK) {
        CHECK(good && (usable(note.remote_id) || note.answer.n), "an event is about something");
        read_poll(&note.news);
    }
    return good;
}

static inline void torture(struct t_world *w, const struct provider *p, const struct provider_site *site,
                           const char *path)
{
    static const char damage[] = "\"}[,0\xff";
    struct fg_str file = t_file(&w->cx, path);
    char *text = malloc(file.n), *damaged = malloc(file.n);
    CHECK(text && damaged, "memory");
    memcpy(text, file.p, file.n);
    struct fg_str whole = { text, file.n };
    CHECK(read_all(&w->cx, p, site, whole), path);
    while (whole.n && (text[whole.n - 1] == '\n' || text[whole.n - 1] == ' '))
        whole.n--;
    for (size_t n = 0; n < whole.n; n++) {
        arena_reset(w->cx.mem);
        CHECK(!read_all(&w->cx, p, site, (struct fg_str){ text, n }), "a part is no JSON");
    }
    for (size_t i = 0; i < whole.n; i++)
        for (size_t d = 0; d + 1 < sizeof damage; d++) {
            arena_reset(w->cx.mem);
            memcpy(damaged, text, whole.n);
            damaged[i] = damage[d];
            (void)read_all(&w->cx, p, site, (struct fg_str){ damaged, whole.n });
        }
    free(damaged);
    free(text);
}

#endif
