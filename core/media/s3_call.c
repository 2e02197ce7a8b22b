#include "media/s3_call.h"

#include <errno.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/scan.h"
#include "io/file.h"
#include "io/xml.h"

#define FIRST_PAUSE_MS 100
#define PAUSE_MAX_MS 10000
#define WORD_MAX 100
#define NO_BODY FG_LIT("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")

struct s3_ask s3_ask(const char *method, struct fg_str key)
{
    return (struct s3_ask){ .method = method, .key = key, .body_fd = -1, .to_fd = -1, .max_bytes = 4 * (int64_t)FG_MIB };
}

static void add(struct sigv4_pair *list, unsigned *n, struct fg_str name, struct fg_str value)
{
    FG_ASSERT(*n < S3_ASK_PAIRS_MAX);
    list[(*n)++] = (struct sigv4_pair){ name, value };
}

void s3_param(struct s3_ask *a, struct fg_str name, struct fg_str value)
{
    add(a->param, &a->param_n, name, value);
}

void s3_header(struct s3_ask *a, struct fg_str name, struct fg_str value)
{
    add(a->header, &a->header_n, name, value);
}

static void free_scratch(void *arg)
{
    arena_free(arg);
}

struct s3_op s3_op(struct fg_ctx *cx, const struct store *st, store_done *done, void *arg)
{
    struct s3_op op = { .cx = cx, .st = st, .done = done, .arg = arg, .scratch = arena_new(), .spare = S3_SPARE };
    arena_defer(cx->mem, free_scratch, op.scratch);
    return op;
}

struct s3_place s3_place(struct fg_ctx *cx, const struct conf *conf)
{
    struct s3_place p = { .path = FG_LIT("/") };
    struct fg_str rest = conf->s3_endpoint;
    const char *end = rest.n ? strstr(rest.p, "://") : NULL;
    FG_ASSERT(end); /* base/conf.c has looked */
    p.scheme = (struct fg_str){ rest.p, (size_t)(end - rest.p) };
    rest.n -= p.scheme.n + 3;
    rest.p = end + 3;
    FG_ASSERT(scan_until(&rest, '/', &p.host));
    if (FG_IS(conf->s3_address, "host"))
        p.host = arena_fmt(cx->mem, "%.*s.%.*s", FG_P(conf->s3_bucket), FG_P(p.host));
    else
        p.path = arena_fmt(cx->mem, "/%.*s/", FG_P(conf->s3_bucket));
    return p;
}

struct sigv4_key s3_key(const struct conf *conf)
{
    return (struct sigv4_key){ conf->s3_access_key, conf->s3_secret_key, conf->s3_region, FG_LIT("s3") };
}

/* ---- what an answer says ---- */

struct words {
    char code[WORD_MAX + 1], message[WORD_MAX + 1];
};

static void keep_word(char *to, struct fg_str text)
{
    size_t n = text.n < WORD_MAX ? text.n : WORD_MAX;
    memcpy(to, text.p, n);
    to[n] = '\0';
}

static void on_element(void *arg, const char *path, struct fg_str text)
{
    struct words *w = arg;
    if (!strcmp(path, "/Error/Code"))
        keep_word(w->code, text);
    else if (!strcmp(path, "/Error/Message"))
        keep_word(w->message, text);
}

/* Empty when it is no error's. */
static struct words words_of(const struct fetch_reply *r)
{
    struct words w = { .code = "" };
    struct arena *mem = arena_new();
    struct fg_ctx cx = { .mem = mem }; /* what is no XML is no error's either */
    if (r->end == FETCH_ANSWERED && r->body.n)
        (void)(xml_read(&cx, r->body, on_element, &w) == FG_OK);
    arena_free(mem);
    return w;
}

bool s3_is(const struct fetch_reply *r, int status)
{
    /* CompleteMultipartUpload says 200 before it has begun, and tells what came of it in the body. */
    return r->end == FETCH_ANSWERED && r->status == status && !words_of(r).code[0];
}

enum fg_code s3_failed(struct s3_op *op, const struct fetch_reply *r)
{
    struct words w = words_of(r);
    (void)fg_fail(op->cx, FG_IO, "The file store did not work");
    if (r->end == FETCH_LOCAL_IO)
        return fg_cause(op->cx, "s3 %s %.*s: %s", op->ask.method, FG_P(op->ask.key), strerror(r->local_errno));
    if (r->end != FETCH_ANSWERED)
        return fg_cause(op->cx, "s3 %s %.*s: %.*s", op->ask.method, FG_P(op->ask.key), FG_P(r->words));
    return fg_cause(op->cx, "s3 %s %.*s: %d %s %s", op->ask.method, FG_P(op->ask.key), r->status, w.code, w.message);
}

static bool may_help(const struct fetch_reply *r)
{
    static const char *const later[] = { "RequestTimeout", "OperationAborted", "InternalError", "SlowDown",
                                         "ServiceUnavailable", "BadDigest", "XAmzContentSHA256Mismatch" };
    if (r->end == FETCH_NOT_SENT || r->end == FETCH_UNKNOWN)
        return true;
    if (r->end != FETCH_ANSWERED || r->status == 404)
        return false;
    if (r->status >= 500 || r->status == 429 || r->status == 408)
        return true;
    struct words w = words_of(r);
    for (size_t i = 0; i < FG_LEN(later); i++)
        if (!strcmp(w.code, later[i]))
            return true;
    return false;
}

/* ---- the request ---- */

static void begin(struct s3_op *op, int64_t delay_ms);

static void heard(void *arg, const struct fetch_reply *r)
{
    struct s3_op *op = arg;
    ctx_tick(op->cx); /* a network call ends the instant */
    if (!may_help(r) || op->tries >= S3_TRIES || op->spare <= 0) {
        op->heard(op, r);
        return;
    }
    int64_t pause_ms = (int64_t)FIRST_PAUSE_MS << op->tries, asked_ms = fetch_retry_after_s(op->cx, r) * 1000;
    uint16_t dice;
    op->cx->env->random(op->cx->env->self, &dice, sizeof dice);
    pause_ms += pause_ms * dice / UINT16_MAX;
    pause_ms = asked_ms > pause_ms ? asked_ms : pause_ms;
    op->spare--;
    begin(op, pause_ms < PAUSE_MAX_MS ? pause_ms : PAUSE_MAX_MS);
}

/* What an earlier try has written is not what this one brings. */
static bool rewound(const struct s3_ask *a)
{
    return a->to_fd < 0 || (file_truncate(a->to_fd, a->to_at) && lseek(a->to_fd, a->to_at, SEEK_SET) == a->to_at);
}

static void begin(struct s3_op *op, int64_t delay_ms)
{
    const struct conf *conf = op->st->conf;
    const struct s3_ask *a = &op->ask;
    struct fg_ctx cx = *op->cx; /* the same instant, the memory of one request */
    cx.mem = op->scratch;
    struct s3_place place = s3_place(&cx, conf);
    struct sigv4_call sign = { .method = a->method, .host = place.host };
    struct sigv4_key key = s3_key(conf);
    struct sigv4_proof proof;
    sign.path = arena_fmt(cx.mem, "%.*s%.*s", FG_P(place.path), FG_P(a->key));
    for (unsigned i = 0; i < a->param_n; i++)
        sigv4_param(&sign, a->param[i].name, a->param[i].value);
    struct fetch_call call =
        fetch_call_init(a->method, arena_fmt(cx.mem, "%.*s://%.*s%.*s", FG_P(place.scheme), FG_P(place.host),
                                             FG_P(sigv4_target(&cx, &sign))));
    for (unsigned i = 0; i < a->header_n; i++) {
        sigv4_header(&sign, a->header[i].name, a->header[i].value);
        fetch_add_header(&call, a->header[i].name, a->header[i].value);
    }
    sigv4_header(&sign, FG_LIT("x-amz-content-sha256"), op->payload);
    /* It is signed as of when it goes out. */
    sigv4_sign(&cx, &key, &sign, op->payload, cx.now_us + delay_ms * FG_US_PER_MS, &proof);
    fetch_add_header(&call, FG_LIT("x-amz-content-sha256"), op->payload);
    fetch_add_header(&call, FG_LIT("x-amz-date"), proof.date);
    call.secret = (struct fetch_header){ FG_LIT("Authorization"), proof.authorization };
    call.body = a->body;
    call.body_fd = a->body_fd;
    call.body_at = a->body_at;
    call.body_n = a->body_n;
    call.to_fd = a->to_fd;
    call.max_bytes = a->max_bytes;
    call.timeout_ms = conf->s3_timeout_s * 1000;
    call.delay_ms = delay_ms;
    op->tries++;
    bool ready = rewound(a);
    if (ready)
        fetch_start(op->st->fetcher, &call, heard, op);
    arena_reset(op->scratch);
    if (!ready)
        op->heard(op, &(struct fetch_reply){ .end = FETCH_LOCAL_IO, .local_errno = errno });
}

void s3_send(struct s3_op *op, const struct s3_ask *a, s3_heard *then)
{
    uint8_t sha[HASH_LEN];
    op->ask = *a;
    op->heard = then;
    op->tries = 0;
    op->payload = NO_BODY;
    if (a->body.p)
        hash_sha256(a->body, sha);
    else if (a->body_fd >= 0 && !hash_file_sha256(a->body_fd, a->body_at, a->body_n, sha)) {
        then(op, &(struct fetch_reply){ .end = FETCH_LOCAL_IO, .local_errno = errno });
        return;
    }
    if (a->body.p || a->body_fd >= 0)
        op->payload = hash_hex(op->cx->mem, sha, sizeof sha);
    begin(op, 0);
}
