/* What is in the bucket, what goes out of it, and links into it (media/s3.h). */
#include "base/arena.h"
#include "base/time.h"
#include "io/xml.h"
#include "media/link.h"
#include "media/key.h"
#include "media/s3_call.h"

#define PAGES_MAX 100 /* of a thousand: no owner has so many files */
#define TOKEN_MAX 4096

bool s3_is_set_up(const struct conf *conf)
{
    return conf->s3_bucket.n > 0;
}

struct fg_str s3_base(struct fg_ctx *cx, const struct conf *conf)
{
    struct s3_place p = s3_place(cx, conf);
    return arena_fmt(cx->mem, "%.*s://%.*s%.*s", FG_P(p.scheme), FG_P(p.host), (int)p.path.n - 1, p.path.p);
}

/* ---- one file ---- */

static bool gone(const struct fetch_reply *r)
{
    return s3_is(r, 204) || s3_is(r, 200) || (r->end == FETCH_ANSWERED && r->status == 404);
}

static void removed(struct s3_op *op, const struct fetch_reply *r)
{
    op->done(op->arg, gone(r) ? FG_OK : s3_failed(op, r));
}

void s3_remove(struct fg_ctx *cx, const struct store *st, struct fg_str name, store_done *done, void *arg)
{
    struct s3_op *op = arena_new_of(cx->mem, struct s3_op);
    *op = s3_op(cx, st, done, arg);
    enum fg_code rc = key_check(cx, name);
    if (rc != FG_OK) {
        done(arg, rc);
        return;
    }
    struct s3_ask a = s3_ask("DELETE", name);
    s3_send(op, &a, removed);
}

/* ---- all of an owner ---- */

struct item {
    struct item *next;
    struct fg_str key, upload_id;
    int64_t begun_us;
};

struct listing {
    struct s3_op op;
    struct item *first, now; /* what is to go; what is being read */
    struct fg_str prefix, token;
    bool more;
    int pages;
    struct fg_str keep[STORE_KEEP_MAX];
    int64_t before_us, *n;
};

static struct listing *listing_of(struct s3_op *op)
{
    return (struct listing *)(void *)op; /* its first member */
}

static void push(struct listing *l, struct item i)
{
    struct item *copy = arena_new_of(l->op.cx->mem, struct item);
    *copy = i;
    copy->next = l->first;
    l->first = copy;
}

static void on_key(struct listing *l, struct fg_str key)
{
    bool kept = !fg_starts(key, l->prefix) || !key_valid(key);
    for (size_t i = 0; i < FG_LEN(l->keep); i++)
        kept = kept || fg_eq(key, l->keep[i]);
    if (!kept)
        push(l, (struct item){ .key = arena_str(l->op.cx->mem, key) });
}

static void on_listed(void *arg, const char *path, struct fg_str text)
{
    struct listing *l = arg;
    if (!strcmp(path, "/ListBucketResult/Contents/Key"))
        on_key(l, text);
    else if (!strcmp(path, "/ListBucketResult/IsTruncated"))
        l->more = FG_IS(text, "true");
    else if (!strcmp(path, "/ListBucketResult/NextContinuationToken"))
        l->token = arena_str(l->op.cx->mem, text);
}

static void list_page(struct listing *l);
static void next_item(struct listing *l);

static void item_gone(struct s3_op *op, const struct fetch_reply *r)
{
    struct listing *l = listing_of(op);
    if (!gone(r)) {
        op->done(op->arg, s3_failed(op, r));
        return;
    }
    if (l->n)
        ++*l->n;
    next_item(l);
}

static void next_item(struct listing *l)
{
    struct item *i = l->first;
    if (!i) {
        l->op.done(l->op.arg, FG_OK);
        return;
    }
    l->first = i->next;
    struct s3_ask a = s3_ask("DELETE", i->key);
    if (i->upload_id.p)
        s3_param(&a, FG_LIT("uploadId"), i->upload_id);
    s3_send(&l->op, &a, item_gone);
}

static void page_came(struct s3_op *op, const struct fetch_reply *r)
{
    struct listing *l = listing_of(op);
    l->more = false;
    enum fg_code rc = s3_is(r, 200) ? xml_read(op->cx, r->body, on_listed, l) : s3_failed(op, r);
    if (rc == FG_INVALID_REQUEST) { /* somebody else's mistake, not a client's */
        (void)fg_fail(op->cx, FG_IO, "The file store did not work");
        rc = fg_cause(op->cx, "s3 list %.*s: what came is no list", FG_P(l->prefix));
    }
    if (rc != FG_OK)
        op->done(op->arg, rc);
    else if (l->more && l->token.n && ++l->pages < PAGES_MAX)
        list_page(l);
    else
        next_item(l);
}

static void list_page(struct listing *l)
{
    struct s3_ask a = s3_ask("GET", FG_NONE);
    s3_param(&a, FG_LIT("list-type"), FG_LIT("2"));
    s3_param(&a, FG_LIT("prefix"), l->prefix);
    if (l->token.n)
        s3_param(&a, FG_LIT("continuation-token"), l->token);
    s3_send(&l->op, &a, page_came);
}

void s3_keep_only(struct fg_ctx *cx, const struct store *st, struct fg_str owner, const struct stored *keep, size_t keep_n,
                  store_done *done, void *arg)
{
    struct listing *l = arena_new_of(cx->mem, struct listing);
    *l = (struct listing){ .op = s3_op(cx, st, done, arg), .prefix = key_prefix(cx, owner) };
    FG_ASSERT(keep_n <= STORE_KEEP_MAX);
    for (size_t i = 0; i < keep_n; i++)
        l->keep[i] = keep[i].name;
    list_page(l);
}

/* ---- uploads that nobody ends ---- */

/* "2026-11-22T21:57:26.000Z"; Swift's has no fraction, which is fine too. */
static void on_upload(void *arg, const char *path, struct fg_str text)
{
    struct listing *l = arg;
    struct arena *mem = l->op.cx->mem;
    if (!strcmp(path, "/ListMultipartUploadsResult/Upload/Key"))
        l->now.key = arena_str(mem, text);
    else if (!strcmp(path, "/ListMultipartUploadsResult/Upload/UploadId"))
        l->now.upload_id = arena_str(mem, text);
    else if (!strcmp(path, "/ListMultipartUploadsResult/Upload/Initiated") && !time_parse_iso(text, &l->now.begun_us))
        l->now.begun_us = INT64_MAX;
    if (strcmp(path, "/ListMultipartUploadsResult/Upload"))
        return;
    if (key_valid(l->now.key) && l->now.upload_id.n && l->now.begun_us < l->before_us)
        push(l, l->now);
    l->now = (struct item){ .begun_us = INT64_MAX };
}

static void uploads_came(struct s3_op *op, const struct fetch_reply *r)
{
    struct listing *l = listing_of(op);
    /* A service that cannot list them has to see to them itself. */
    if (r->end == FETCH_ANSWERED && (r->status == 501 || r->status == 405))
        op->done(op->arg, FG_OK);
    else if (!s3_is(r, 200) || xml_read(op->cx, r->body, on_upload, l) != FG_OK)
        op->done(op->arg, s3_failed(op, r));
    else
        next_item(l);
}

void s3_tidy(struct fg_ctx *cx, const struct store *st, int64_t before_us, int64_t *n, store_done *done, void *arg)
{
    struct listing *l = arena_new_of(cx->mem, struct listing);
    *l = (struct listing){ .op = s3_op(cx, st, done, arg), .now.begun_us = INT64_MAX, .before_us = before_us, .n = n };
    struct s3_ask a = s3_ask("GET", FG_NONE);
    s3_param(&a, FG_LIT("uploads"), FG_LIT(""));
    s3_param(&a, FG_LIT("max-uploads"), arena_fmt(cx->mem, "%d", S3_STALE_MAX));
    s3_send(&l->op, &a, uploads_came);
}

/* ---- links ---- */

enum fg_code s3_link(struct fg_ctx *cx, const struct conf *conf, struct fg_str name, const struct serve_how *how,
                     struct fg_str *out)
{
    enum fg_code rc = key_check(cx, name);
    if (rc != FG_OK)
        return rc;
    struct s3_place place = s3_place(cx, conf);
    struct sigv4_key key = s3_key(conf);
    struct sigv4_call c = { .method = how->head ? "HEAD" : "GET", .host = place.host };
    int64_t life_us = how->ttl_s * FG_US_PER_S;
    c.path = arena_fmt(cx->mem, "%.*s%.*s", FG_P(place.path), FG_P(name));
    if (how->content_type.n)
        sigv4_param(&c, FG_LIT("response-content-type"), how->content_type);
    if (how->disposition.n)
        sigv4_param(&c, FG_LIT("response-content-disposition"), how->disposition);
    struct fg_str target =
        sigv4_presign(cx, &key, &c, link_expiry_us(cx->now_us, life_us) - life_us, how->ttl_s);
    *out = arena_fmt(cx->mem, "%.*s://%.*s%.*s", FG_P(place.scheme), FG_P(place.host), FG_P(target));
    return FG_OK;
}
