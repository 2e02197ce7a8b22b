#include "io/sigv4.h"

#include "base/arena.h"
#include "base/time.h"

#define TEXT_MAX (64 * FG_KIB)
#define ALGORITHM "AWS4-HMAC-SHA256"
#define UNSIGNED FG_LIT("UNSIGNED-PAYLOAD")

static void add(struct sigv4_pair *list, unsigned *n, struct fg_str name, struct fg_str value)
{
    FG_ASSERT(*n < SIGV4_PAIRS_MAX);
    list[(*n)++] = (struct sigv4_pair){ name, value };
}

void sigv4_param(struct sigv4_call *c, struct fg_str name, struct fg_str value)
{
    add(c->param, &c->param_n, name, value);
}

void sigv4_header(struct sigv4_call *c, struct fg_str name, struct fg_str value)
{
    add(c->header, &c->header_n, name, value);
}

static struct fg_str escaped(struct fg_ctx *cx, struct fg_str s)
{
    struct sb b = sb_in(cx->mem, TEXT_MAX);
    sb_add_escaped(&b, s);
    FG_ASSERT(!b.bad);
    return sb_str(&b);
}

/* In the order of their bytes, a shorter one first. */
static int compare(struct fg_str a, struct fg_str b)
{
    int way = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
    return way ? way : (a.n > b.n) - (a.n < b.n);
}

static int compare_pairs(const void *a, const void *b)
{
    const struct sigv4_pair *x = a, *y = b;
    int way = compare(x->name, y->name);
    return way ? way : compare(x->value, y->value);
}

static void add_path(struct sb *b, struct fg_ctx *cx, struct fg_str path)
{
    FG_ASSERT(path.n && path.p[0] == '/');
    for (size_t i = 0; i < path.n;) {
        size_t from = i;
        while (i < path.n && path.p[i] != '/')
            i++;
        sb_add(b, escaped(cx, (struct fg_str){ path.p + from, i - from }));
        if (i < path.n)
            sb_add_c(b, path.p[i++]);
    }
}

/* Sorted as encoded, which is another order than that of what was encoded. */
static void add_query(struct sb *b, struct fg_ctx *cx, const struct sigv4_call *c)
{
    struct sigv4_pair p[SIGV4_PAIRS_MAX];
    for (unsigned i = 0; i < c->param_n; i++)
        p[i] = (struct sigv4_pair){ escaped(cx, c->param[i].name), escaped(cx, c->param[i].value) };
    qsort(p, c->param_n, sizeof *p, compare_pairs);
    for (unsigned i = 0; i < c->param_n; i++)
        sb_addf(b, "%s%.*s=%.*s", i ? "&" : "", FG_P(p[i].name), FG_P(p[i].value));
}

struct fg_str sigv4_target(struct fg_ctx *cx, const struct sigv4_call *c)
{
    struct sb b = sb_in(cx->mem, TEXT_MAX);
    add_path(&b, cx, c->path);
    if (c->param_n) {
        sb_add_c(&b, '?');
        add_query(&b, cx, c);
    }
    FG_ASSERT(!b.bad);
    return sb_str(&b);
}

struct signing {
    struct fg_str date, scope, names; /* names: of the signed headers */
    struct sigv4_pair header[SIGV4_PAIRS_MAX + 2];
    unsigned header_n;
};

static struct signing signing_of(struct fg_ctx *cx, const struct sigv4_key *key, const struct sigv4_call *c,
                                 int64_t at_us, bool dated)
{
    struct signing s = { .header_n = c->header_n };
    struct fg_str iso = time_iso(cx->mem, at_us); /* 2026-11-22T21:57:26.123Z */
    struct sb names = sb_in(cx->mem, TEXT_MAX);
    s.date = arena_fmt(cx->mem, "%.4s%.2s%.2sT%.2s%.2s%.2sZ", iso.p, iso.p + 5, iso.p + 8, iso.p + 11, iso.p + 14,
                       iso.p + 17);
    s.scope = arena_fmt(cx->mem, "%.8s/%.*s/%.*s/aws4_request", s.date.p, FG_P(key->region), FG_P(key->service));
    memcpy(s.header, c->header, c->header_n * sizeof *s.header);
    s.header[s.header_n++] = (struct sigv4_pair){ FG_LIT("host"), c->host };
    if (dated)
        s.header[s.header_n++] = (struct sigv4_pair){ FG_LIT("x-amz-date"), s.date };
    qsort(s.header, s.header_n, sizeof *s.header, compare_pairs);
    for (unsigned i = 0; i < s.header_n; i++)
        sb_addf(&names, "%s%.*s", i ? ";" : "", FG_P(s.header[i].name));
    s.names = sb_str(&names);
    return s;
}

static struct fg_str digest_hex(struct fg_ctx *cx, struct fg_str text)
{
    uint8_t d[HASH_LEN];
    hash_sha256(text, d);
    return hash_hex(cx->mem, d, sizeof d);
}

static struct fg_str text_to_sign(struct fg_ctx *cx, const struct signing *s, const struct sigv4_call *c,
                                  struct fg_str payload)
{
    struct sb b = sb_in(cx->mem, TEXT_MAX);
    sb_addf(&b, "%s\n", c->method);
    add_path(&b, cx, c->path);
    sb_add_c(&b, '\n');
    add_query(&b, cx, c);
    sb_add_c(&b, '\n');
    for (unsigned i = 0; i < s->header_n; i++)
        sb_addf(&b, "%.*s:%.*s\n", FG_P(s->header[i].name), FG_P(s->header[i].value));
    sb_addf(&b, "\n%.*s\n%.*s", FG_P(s->names), FG_P(payload));
    FG_ASSERT(!b.bad);
    struct fg_str request = digest_hex(cx, sb_str(&b));
    return arena_fmt(cx->mem, ALGORITHM "\n%.*s\n%.*s\n%.*s", FG_P(s->date), FG_P(s->scope), FG_P(request));
}

static struct fg_str signature(struct fg_ctx *cx, const struct sigv4_key *key, const struct signing *s,
                               struct fg_str text)
{
    const struct fg_str step[] = { { s->date.p, 8 }, key->region, key->service, FG_LIT("aws4_request"), text };
    uint8_t mac[HASH_LEN], next[HASH_LEN];
    struct fg_str first = arena_fmt(cx->mem, "AWS4%.*s", FG_P(key->secret));
    hash_hmac_sha256(first, step[0], mac);
    for (size_t i = 1; i < FG_LEN(step); i++) {
        hash_hmac_sha256(hash_bytes(mac), step[i], next);
        memcpy(mac, next, sizeof mac);
    }
    struct fg_str hex = hash_hex(cx->mem, mac, sizeof mac);
    explicit_bzero(mac, sizeof mac);
    explicit_bzero(next, sizeof next);
    return hex;
}

void sigv4_sign(struct fg_ctx *cx, const struct sigv4_key *key, const struct sigv4_call *c, struct fg_str payload,
                int64_t at_us, struct sigv4_proof *out)
{
    struct signing s = signing_of(cx, key, c, at_us, true);
    struct fg_str sig = signature(cx, key, &s, text_to_sign(cx, &s, c, payload));
    out->date = s.date;
    out->authorization =
        arena_fmt(cx->mem, ALGORITHM " Credential=%.*s/%.*s, SignedHeaders=%.*s, Signature=%.*s", FG_P(key->access),
                  FG_P(s.scope), FG_P(s.names), FG_P(sig));
}

struct fg_str sigv4_presign(struct fg_ctx *cx, const struct sigv4_key *key, const struct sigv4_call *c, int64_t at_us,
                            int64_t ttl_s)
{
    struct sigv4_call link = *c;
    struct signing s = signing_of(cx, key, c, at_us, false);
    FG_ASSERT(ttl_s > 0 && ttl_s <= SIGV4_TTL_MAX_S);
    sigv4_param(&link, FG_LIT("X-Amz-Algorithm"), FG_LIT(ALGORITHM));
    sigv4_param(&link, FG_LIT("X-Amz-Credential"), arena_fmt(cx->mem, "%.*s/%.*s", FG_P(key->access), FG_P(s.scope)));
    sigv4_param(&link, FG_LIT("X-Amz-Date"), s.date);
    sigv4_param(&link, FG_LIT("X-Amz-Expires"), arena_fmt(cx->mem, "%lld", (long long)ttl_s));
    sigv4_param(&link, FG_LIT("X-Amz-SignedHeaders"), s.names);
    struct fg_str sig = signature(cx, key, &s, text_to_sign(cx, &s, &link, UNSIGNED));
    /* The signature is not part of what is signed, and comes last. */
    return arena_fmt(cx->mem, "%.*s&X-Amz-Signature=%.*s", FG_P(sigv4_target(cx, &link)), FG_P(sig));
}
