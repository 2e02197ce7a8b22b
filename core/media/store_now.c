/* The store for callers without a loop (media/store.h). */
#include <poll.h>

#include "media/s3.h"
#include "media/store.h"

struct waiting {
    struct fg_ctx *cx;
    struct store st;
    int64_t until_us; /* monotonic */
    enum fg_code rc;
    bool over;
};

static void over(void *arg, enum fg_code rc)
{
    struct waiting *w = arg;
    w->rc = rc;
    w->over = true;
}

/* What touches the disk alone is over at once, and wants no fetcher. */
static enum fg_code begin(struct waiting *w, struct fg_ctx *cx, const struct conf *conf, int64_t limit_ms, bool remote)
{
    *w = (struct waiting){ .cx = cx, .st.conf = conf, .until_us = ctx_mono_us(cx) + limit_ms * FG_US_PER_MS };
    return remote ? fetcher_open(cx, &w->st.fetcher, conf) : FG_OK;
}

static enum fg_code finish(struct waiting *w)
{
    while (!w->over) {
        int64_t left_ms = (w->until_us - ctx_mono_us(w->cx)) / FG_US_PER_MS;
        struct pollfd p = { .fd = fetcher_fd(w->st.fetcher), .events = POLLIN };
        if (left_ms <= 0) {
            w->rc = fg_fail(w->cx, FG_IO, "The file store did not answer in time");
            break;
        }
        if (fetcher_timeout_us(w->st.fetcher) != 0)
            (void)poll(&p, 1, left_ms < 1000 ? (int)left_ms : 1000); /* interrupted or not: look, and look at the time */
        fetcher_turn(w->st.fetcher);
    }
    fetcher_close(w->st.fetcher);
    return w->rc;
}

static bool is_far(const struct stored *what)
{
    return what->kind != STORE_DISK;
}

enum fg_code store_put_now(struct fg_ctx *cx, const struct conf *conf, int64_t limit_ms, struct spool *t,
                           struct fg_str owner, const char *suffix, struct stored *out)
{
    return store_put_into_now(cx, conf, limit_ms, store_kind(conf), t, owner, suffix, out);
}

enum fg_code store_put_into_now(struct fg_ctx *cx, const struct conf *conf, int64_t limit_ms, enum store_kind kind,
                                struct spool *t, struct fg_str owner, const char *suffix, struct stored *out)
{
    struct waiting w;
    enum fg_code rc = begin(&w, cx, conf, limit_ms, kind != STORE_DISK);
    if (rc != FG_OK)
        return rc;
    store_put_into(cx, &w.st, kind, t, owner, suffix, out, over, &w);
    return finish(&w);
}

enum fg_code store_clear_now(struct fg_ctx *cx, const struct conf *conf, int64_t limit_ms, enum store_kind kind,
                             struct fg_str owner)
{
    struct waiting w;
    if (kind == STORE_DISK)
        return disk_keep_only(cx, conf, owner, FG_NONE, FG_NONE);
    enum fg_code rc = begin(&w, cx, conf, limit_ms, true);
    if (rc != FG_OK)
        return rc;
    s3_keep_only(cx, &w.st, owner, NULL, 0, over, &w);
    return finish(&w);
}

enum fg_code store_remove_now(struct fg_ctx *cx, const struct conf *conf, int64_t limit_ms, const struct stored *what)
{
    struct waiting w;
    enum fg_code rc = begin(&w, cx, conf, limit_ms, is_far(what));
    if (rc != FG_OK)
        return rc;
    store_remove(cx, &w.st, what, over, &w);
    return finish(&w);
}

enum fg_code store_get_now(struct fg_ctx *cx, const struct conf *conf, int64_t limit_ms, const struct stored *what,
                           const char *suffix, struct spool *out)
{
    struct waiting w;
    enum fg_code rc = begin(&w, cx, conf, limit_ms, is_far(what));
    if (rc != FG_OK)
        return rc;
    store_get(cx, &w.st, what, suffix, out, over, &w);
    return finish(&w);
}
