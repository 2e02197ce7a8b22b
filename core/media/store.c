#include "media/store.h"

#include "base/arena.h"
#include "media/s3.h"

static enum fg_code not_set_up(struct fg_ctx *cx, const struct stored *what)
{
    (void)fg_fail(cx, FG_IO, "The file store did not work");
    return fg_cause(cx, "%.*s is in a store (%d) that is not set up", FG_P(what->name), what->kind);
}

static bool in_bucket(const struct conf *conf, const struct stored *what)
{
    return what->kind == STORE_S3 && s3_is_set_up(conf);
}

enum store_kind store_kind(const struct conf *conf)
{
    return FG_IS(conf->media_store, "s3") ? STORE_S3 : STORE_DISK;
}

void store_put(struct fg_ctx *cx, const struct store *st, struct spool *t, struct fg_str owner, const char *suffix,
               struct stored *out, store_done *done, void *arg)
{
    store_put_into(cx, st, store_kind(st->conf), t, owner, suffix, out, done, arg);
}

void store_put_into(struct fg_ctx *cx, const struct store *st, enum store_kind kind, struct spool *t, struct fg_str owner,
                    const char *suffix, struct stored *out, store_done *done, void *arg)
{
    if (kind == STORE_S3) {
        s3_put(cx, st, t, owner, suffix, out, done, arg);
        return;
    }
    *out = (struct stored){ .kind = STORE_DISK };
    done(arg, disk_put(cx, st->conf, t, owner, suffix, &out->name));
}

void store_remove(struct fg_ctx *cx, const struct store *st, const struct stored *what, store_done *done, void *arg)
{
    if (in_bucket(st->conf, what))
        s3_remove(cx, st, what->name, done, arg);
    else if (what->kind == STORE_DISK)
        done(arg, disk_remove(cx, st->conf, what->name));
    else
        done(arg, not_set_up(cx, what));
}

void store_keep_only(struct fg_ctx *cx, const struct store *st, struct fg_str owner, const struct stored *keep,
                     size_t keep_n, store_done *done, void *arg)
{
    struct fg_str name[STORE_KEEP_MAX] = { 0 };
    FG_ASSERT(keep_n <= STORE_KEEP_MAX);
    for (size_t i = 0; i < keep_n; i++)
        name[i] = keep[i].name;
    enum fg_code rc = disk_keep_only(cx, st->conf, owner, name[0], name[1]);
    if (rc == FG_OK && s3_is_set_up(st->conf))
        s3_keep_only(cx, st, owner, keep, keep_n, done, arg);
    else
        done(arg, rc);
}

void store_get(struct fg_ctx *cx, const struct store *st, const struct stored *what, const char *suffix,
               struct spool *out, store_done *done, void *arg)
{
    if (in_bucket(st->conf, what))
        s3_get(cx, st, what->name, suffix, out, done, arg);
    else if (what->kind == STORE_DISK)
        done(arg, disk_get(cx, st->conf, what->name, suffix, out));
    else
        done(arg, not_set_up(cx, what));
}

enum fg_code store_serve(struct fg_ctx *cx, const struct conf *conf, const struct stored *what,
                         const struct serve_how *how, struct serve_to *out)
{
    if (what->kind == STORE_DISK) {
        *out = (struct serve_to){ .accel = arena_fmt(cx->mem, "/_store/%.*s", FG_P(what->name)) };
        return FG_OK;
    }
    if (!in_bucket(conf, what))
        return not_set_up(cx, what);
    struct serve_how link = *how;
    bool proxy = FG_IS(conf->media_deliver, "proxy");
    if (proxy)
        link.head = false; /* nginx asks with GET, for its cache */
    struct fg_str url;
    enum fg_code rc = s3_link(cx, conf, what->name, &link, &url);
    if (rc != FG_OK)
        return rc;
    /* nginx (nginx/s3.sh) knows where the bucket is, and takes the name and the signature from here. */
    if (proxy)
        *out = (struct serve_to){ .accel = arena_fmt(cx->mem, "/_s3/%.*s%s", FG_P(what->name), strchr(url.p, '?')) };
    else
        *out = (struct serve_to){ .location = url };
    return FG_OK;
}

enum fg_code store_list(struct fg_ctx *cx, const struct store *st, enum store_kind kind, struct fg_str shard,
                        struct disk_file **out, size_t *n)
{
    if (kind != STORE_DISK)
        return fg_fail(cx, FG_INVALID_REQUEST, "This store cannot be listed");
    return disk_list(cx, st->conf, shard, out, n);
}
