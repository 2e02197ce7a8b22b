/* Into the bucket and out of it again (media/s3.h). */
#include "media/s3.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/sb.h"
#include "base/scan.h"
#include "io/file.h"
#include "io/xml.h"
#include "media/key.h"
#include "media/s3_call.h"

#define HASH_HEADER FG_LIT("x-amz-meta-blake2b") /* of the whole file: an ETag is no hash that one could count on */
#define ETAG_MAX 256
#define UPLOAD_ID_MAX 1024

static enum fg_code failed(struct fg_ctx *cx, const char *what)
{
    int error = errno;
    (void)fg_fail(cx, FG_IO, "The file store did not work");
    return fg_cause(cx, "%s: %s", what, strerror(error));
}

/* ---- put ---- */

struct putting {
    struct s3_op op;
    struct spool *spool;
    struct stored *out;
    struct fg_str name, hash, upload_id;
    int64_t bytes, part_bytes;
    unsigned part_n, sent_n; /* parts in all, and there by now */
    struct fg_str *etag;     /* of each */
    struct fg_err err;       /* what it failed for, while we clear up */
};

static struct putting *putting_of(struct s3_op *op)
{
    return (struct putting *)(void *)op; /* its first member */
}

static void put_over(struct putting *p)
{
    spool_drop(p->spool);
    *p->out = (struct stored){ STORE_S3, p->name };
    p->op.done(p->op.arg, FG_OK);
}

static void cleared(struct s3_op *op, const struct fetch_reply *r)
{
    struct putting *p = putting_of(op);
    (void)r; /* where even this fails, s3_tidy and the audit find what is left */
    op->cx->err = p->err;
    op->done(op->arg, p->err.code);
}

/* An answer that was lost may have been a yes. */
static void clear_object(struct s3_op *op, const struct fetch_reply *r)
{
    struct s3_ask a = s3_ask("DELETE", putting_of(op)->name);
    (void)r;
    s3_send(op, &a, cleared);
}

/* cx->err says what happened. Nothing may stay that nobody knows of. */
static void put_failed(struct putting *p)
{
    p->err = p->op.cx->err;
    p->op.spare = 1;
    if (!p->upload_id.n) {
        clear_object(&p->op, NULL);
        return;
    }
    struct s3_ask a = s3_ask("DELETE", p->name);
    s3_param(&a, FG_LIT("uploadId"), p->upload_id);
    s3_send(&p->op, &a, clear_object);
}

static void put_whole(struct s3_op *op, const struct fetch_reply *r)
{
    struct putting *p = putting_of(op);
    if (s3_is(r, 200)) {
        put_over(p);
        return;
    }
    (void)s3_failed(op, r);
    put_failed(p);
}

static void measured(struct s3_op *op, const struct fetch_reply *r)
{
    struct putting *p = putting_of(op);
    int64_t n = -1;
    if (!s3_is(r, 200)) {
        (void)s3_failed(op, r);
        put_failed(p);
    } else if (!scan_all_i64(fetch_reply_header(r, FG_LIT("content-length")), 0, INT64_MAX, &n) || n != p->bytes) {
        (void)fg_fail(op->cx, FG_IO, "The file store did not work");
        (void)fg_cause(op->cx, "s3 %.*s: put together it has %lld bytes", FG_P(p->name), (long long)n);
        put_failed(p);
    } else {
        put_over(p);
    }
}

/* 404, no such upload: an earlier try that brought no answer may have done it. The object itself will tell. */
static void completed(struct s3_op *op, const struct fetch_reply *r)
{
    struct putting *p = putting_of(op);
    if (!s3_is(r, 200) && r->status != 404) {
        (void)s3_failed(op, r);
        put_failed(p);
        return;
    }
    struct s3_ask a = s3_ask("HEAD", p->name);
    s3_send(op, &a, measured);
}

static void complete(struct putting *p)
{
    struct sb b = sb_in(p->op.cx->mem, S3_PARTS_MAX * (ETAG_MAX + 64));
    sb_add(&b, FG_LIT("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"));
    for (unsigned i = 0; i < p->part_n; i++)
        sb_addf(&b, "<Part><PartNumber>%u</PartNumber><ETag>%.*s</ETag></Part>", i + 1, FG_P(p->etag[i]));
    sb_add(&b, FG_LIT("</CompleteMultipartUpload>"));
    FG_ASSERT(!b.bad);
    struct s3_ask a = s3_ask("POST", p->name);
    s3_param(&a, FG_LIT("uploadId"), p->upload_id);
    a.body = sb_str(&b);
    s3_header(&a, FG_LIT("content-type"), FG_LIT("application/xml"));
    s3_send(&p->op, &a, completed);
}

/* It goes into XML of ours. */
static bool is_etag(struct fg_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 127 || strchr("<>&", s.p[i]))
            return false;
    return s.n > 0 && s.n <= ETAG_MAX;
}

static void send_part(struct putting *p);

static void part_sent(struct s3_op *op, const struct fetch_reply *r)
{
    struct putting *p = putting_of(op);
    struct fg_str etag = fetch_reply_header(r, FG_LIT("etag"));
    if (!s3_is(r, 200) || !is_etag(etag)) {
        (void)s3_failed(op, r);
        put_failed(p);
        return;
    }
    p->etag[p->sent_n++] = arena_str(op->cx->mem, etag);
    if (p->sent_n < p->part_n)
        send_part(p);
    else
        complete(p);
}

static void send_part(struct putting *p)
{
    int64_t at = p->sent_n * p->part_bytes, left = p->bytes - at;
    struct s3_ask a = s3_ask("PUT", p->name);
    s3_param(&a, FG_LIT("partNumber"), arena_fmt(p->op.cx->mem, "%u", p->sent_n + 1));
    s3_param(&a, FG_LIT("uploadId"), p->upload_id);
    a.body_fd = p->spool->fd;
    a.body_at = at;
    a.body_n = left < p->part_bytes ? left : p->part_bytes;
    s3_send(&p->op, &a, part_sent);
}

static void on_created(void *arg, const char *path, struct fg_str text)
{
    struct putting *p = arg;
    if (!strcmp(path, "/InitiateMultipartUploadResult/UploadId") && text.n <= UPLOAD_ID_MAX)
        p->upload_id = arena_str(p->op.cx->mem, text);
}

static void created(struct s3_op *op, const struct fetch_reply *r)
{
    struct putting *p = putting_of(op);
    if (s3_is(r, 200) && xml_read(op->cx, r->body, on_created, p) == FG_OK && p->upload_id.n) {
        send_part(p);
        return;
    }
    (void)s3_failed(op, r);
    put_failed(p);
}

static enum fg_code measure(struct putting *p)
{
    struct stat st;
    uint8_t hash[HASH_LEN];
    if (fstat(p->spool->fd, &st) < 0 || !hash_file(p->spool->fd, hash))
        return failed(p->op.cx, p->spool->path.p);
    p->hash = hash_hex(p->op.cx->mem, hash, sizeof hash);
    p->bytes = st.st_size;
    p->part_n = (unsigned)((p->bytes + p->part_bytes - 1) / p->part_bytes);
    return FG_OK;
}

static void put_at_once(struct putting *p)
{
    struct s3_ask a = s3_ask("PUT", p->name);
    a.body_fd = p->spool->fd;
    a.body_n = p->bytes;
    s3_header(&a, HASH_HEADER, p->hash);
    s3_send(&p->op, &a, put_whole);
}

static void put_in_parts(struct putting *p)
{
    struct s3_ask a = s3_ask("POST", p->name);
    p->etag = arena_array(p->op.cx->mem, struct fg_str, p->part_n);
    s3_param(&a, FG_LIT("uploads"), FG_LIT(""));
    s3_header(&a, HASH_HEADER, p->hash);
    s3_send(&p->op, &a, created);
}

void s3_put(struct fg_ctx *cx, const struct store *st, struct spool *t, struct fg_str owner, const char *suffix,
            struct stored *out, store_done *done, void *arg)
{
    struct putting *p = arena_new_of(cx->mem, struct putting);
    *p = (struct putting){ .op = s3_op(cx, st, done, arg), .spool = t, .out = out, .part_bytes = st->conf->s3_part_bytes };
    p->name = key_new(cx, owner, suffix);
    enum fg_code rc = measure(p);
    if (rc == FG_OK && p->part_n > S3_PARTS_MAX) {
        rc = fg_fail(cx, FG_IO, "The file store did not work");
        (void)fg_cause(cx, "over %d parts of [s3] part_bytes", S3_PARTS_MAX);
    }
    if (rc != FG_OK)
        done(arg, rc);
    else if (p->part_n <= 1)
        put_at_once(p);
    else
        put_in_parts(p);
}

/* ---- get ---- */

struct getting {
    struct s3_op op;
    const char *suffix;
    struct spool *out, spool;
    struct fg_str name, etag, hash;
    int64_t bytes, at;
};

static struct getting *getting_of(struct s3_op *op)
{
    return (struct getting *)(void *)op; /* its first member */
}

static void get_failed(struct getting *g, enum fg_code rc)
{
    spool_drop(&g->spool);
    g->op.done(g->op.arg, rc);
}

static void get_over(struct getting *g)
{
    uint8_t hash[HASH_LEN];
    enum fg_code rc = FG_OK;
    if (!hash_file(g->spool.fd, hash) || lseek(g->spool.fd, 0, SEEK_SET) != 0)
        rc = failed(g->op.cx, g->spool.path.p);
    else if (g->hash.p && !fg_eq(g->hash, hash_hex(g->op.cx->mem, hash, sizeof hash))) {
        (void)fg_fail(g->op.cx, FG_IO, "The file store did not work");
        rc = fg_cause(g->op.cx, "s3 %.*s: not what was put there", FG_P(g->name));
    }
    if (rc != FG_OK) {
        get_failed(g, rc);
        return;
    }
    *g->out = g->spool;
    g->op.done(g->op.arg, FG_OK);
}

static void get_part(struct getting *g);

static void part_came(struct s3_op *op, const struct fetch_reply *r)
{
    struct getting *g = getting_of(op);
    bool whole = op->ask.to_at == 0 && op->ask.max_bytes == g->bytes; /* it may have left out what changes nothing */
    if (r->end != FETCH_ANSWERED || (r->status != 206 && !(whole && r->status == 200)) ||
        r->body_bytes != op->ask.max_bytes) {
        get_failed(g, s3_failed(op, r));
        return;
    }
    g->at += r->body_bytes;
    if (g->at < g->bytes)
        get_part(g);
    else
        get_over(g);
}

/* In parts, so that each has a time limit that fits it, and a lost connection costs one. */
static void get_part(struct getting *g)
{
    const struct conf *conf = g->op.st->conf;
    int64_t left = g->bytes - g->at;
    struct s3_ask a = s3_ask("GET", g->name);
    a.to_fd = g->spool.fd;
    a.to_at = g->at;
    a.max_bytes = left < conf->s3_part_bytes ? left : conf->s3_part_bytes;
    s3_header(&a, FG_LIT("if-match"), g->etag);
    s3_header(&a, FG_LIT("range"), arena_fmt(g->op.cx->mem, "bytes=%lld-%lld", (long long)g->at,
                                             (long long)(g->at + a.max_bytes - 1)));
    s3_send(&g->op, &a, part_came);
}

static void found(struct s3_op *op, const struct fetch_reply *r)
{
    struct getting *g = getting_of(op);
    struct fg_ctx *cx = op->cx;
    if (r->end == FETCH_ANSWERED && r->status == 404) {
        get_failed(g, fg_fail(cx, FG_NOT_FOUND, "The file is not there."));
        return;
    }
    struct fg_str etag = fetch_reply_header(r, FG_LIT("etag")), hash = fetch_reply_header(r, HASH_HEADER);
    if (!s3_is(r, 200) || !is_etag(etag) ||
        !scan_all_i64(fetch_reply_header(r, FG_LIT("content-length")), 0, INT64_MAX, &g->bytes)) {
        get_failed(g, s3_failed(op, r));
        return;
    }
    g->etag = arena_str(cx->mem, etag);
    g->hash = hash.p ? arena_str(cx->mem, hash) : FG_NONE;
    enum fg_code rc = spool_new(cx, op->st->conf, g->suffix, &g->spool);
    if (rc != FG_OK)
        get_failed(g, rc);
    else if (g->bytes > 0)
        get_part(g);
    else
        get_over(g);
}

void s3_get(struct fg_ctx *cx, const struct store *st, struct fg_str name, const char *suffix, struct spool *out,
            store_done *done, void *arg)
{
    struct getting *g = arena_new_of(cx->mem, struct getting);
    *g = (struct getting){ .op = s3_op(cx, st, done, arg), .suffix = suffix, .out = out, .spool.fd = -1, .name = name };
    enum fg_code rc = key_check(cx, name);
    if (rc != FG_OK) {
        done(arg, rc);
        return;
    }
    struct s3_ask a = s3_ask("HEAD", name);
    s3_send(&g->op, &a, found);
}
