#include "base/conf.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/sb.h"
#include "base/scan.h"

enum type { TEXT, NUMBER };
enum secrecy { PUBLIC, SECRET };

struct key {
    const char *section, *name;
    enum type type;
    enum secrecy secrecy;
    const char *def;
    int64_t number, min, max;
    const char *choices; /* space separated; NULL: any text */
    size_t at;           /* offset in struct conf */
};

static const struct key keys[] = {
#define T(sec, key, def, secrecy, words) \
    { #sec, #key, TEXT, secrecy, def, 0, 0, 0, NULL, offsetof(struct conf, sec##_##key) },
#define I(sec, key, def, min, max, words) \
    { #sec, #key, NUMBER, PUBLIC, "", def, min, max, NULL, offsetof(struct conf, sec##_##key) },
#define W(sec, key, def, choices, words) \
    { #sec, #key, TEXT, PUBLIC, def, 0, 0, 0, choices, offsetof(struct conf, sec##_##key) },
#include "base/conf.def"
#undef T
#undef I
#undef W
};

static struct fg_str *text_of(struct conf *c, const struct key *k)
{
    return (struct fg_str *)(void *)((char *)c + k->at);
}

static int64_t *number_of(struct conf *c, const struct key *k)
{
    return (int64_t *)(void *)((char *)c + k->at);
}

static bool is_choice(const char *choices, struct fg_str v)
{
    struct fg_str rest = fg_str_c(choices), one;
    while (scan_until(&rest, ' ', &one))
        if (fg_eq(one, v))
            return true;
    return false;
}

/* Returns NULL or what is wrong, in words. */
static const char *set(struct fg_ctx *cx, struct conf *c, const struct key *k, struct fg_str v)
{
    if (k->type == TEXT) {
        if (k->choices && !is_choice(k->choices, v))
            return arena_fmt(cx->mem, "must be one of: %s", k->choices).p;
        *text_of(c, k) = arena_str(cx->mem, v);
        return NULL;
    }
    int64_t n;
    if (!scan_all_i64(v, k->min, k->max, &n))
        return arena_fmt(cx->mem, "must be a whole number from %lld to %lld", (long long)k->min,
                         (long long)k->max).p;
    *number_of(c, k) = n;
    return NULL;
}

static struct conf_provider *provider_slot(struct conf *c, struct fg_str name)
{
    for (unsigned i = 0; i < c->provider_n; i++)
        if (fg_eq(c->provider[i].name, name))
            return &c->provider[i];
    if (c->provider_n == CONF_PROVIDERS_MAX)
        return NULL;
    c->provider[c->provider_n].name = name;
    return &c->provider[c->provider_n++];
}

/* The keys of a provider's section that hold a secret. */
static const struct {
    const char *name;
    size_t at; /* offset in struct conf_provider */
} provider_secrets[] = {
    { "key", offsetof(struct conf_provider, key) },
    { "webhook_secrets", offsetof(struct conf_provider, webhook_secrets) },
    { "key_secret", offsetof(struct conf_provider, key_secret) },
};

static struct fg_str *secret_of(struct conf_provider *p, size_t i)
{
    return (struct fg_str *)(void *)((char *)p + provider_secrets[i].at);
}

static const char *set_enabled(struct conf_provider *p, struct fg_str v)
{
    if (!FG_IS(v, "yes") && !FG_IS(v, "no"))
        return "must be one of: yes no";
    p->disabled = FG_IS(v, "no");
    return NULL;
}

static const char *set_provider(struct fg_ctx *cx, struct conf *c, struct fg_str name,
                                struct fg_str key, struct fg_str v)
{
    struct conf_provider *p = provider_slot(c, arena_str(cx->mem, name));
    if (!p)
        return "too many providers";
    if (FG_IS(key, "enabled"))
        return set_enabled(p, v);
    for (size_t i = 0; i < FG_LEN(provider_secrets); i++)
        if (fg_eq(key, fg_str_c(provider_secrets[i].name))) {
            *secret_of(p, i) = arena_str(cx->mem, v);
            return NULL;
        }
    return "unknown key";
}

struct reading {
    struct fg_ctx *cx;
    struct conf *c;
    const char *wrong; /* of the first error, in words */
    struct fg_str at;  /* and the key it is about */
};

static const char *set_named(struct fg_ctx *cx, struct conf *c, struct fg_str section,
                             struct fg_str name, struct fg_str v)
{
    struct fg_str provider = section;
    if (scan_lit(&provider, FG_LIT("provider.")))
        return set_provider(cx, c, provider, name, v);
    for (size_t i = 0; i < FG_LEN(keys); i++)
        if (fg_eq(section, fg_str_c(keys[i].section)) && fg_eq(name, fg_str_c(keys[i].name)))
            return set(cx, c, &keys[i], v);
    return "unknown key";
}

static int on_key(void *arg, const char *section, const char *name, const char *value)
{
    struct reading *r = arg;
    const char *wrong = set_named(r->cx, r->c, fg_str_c(section), fg_str_c(name), fg_str_c(value));
    if (wrong && !r->wrong) {
        r->wrong = wrong;
        r->at = arena_fmt(r->cx->mem, "[%s] %s", section, name);
    }
    return wrong == NULL;
}

static enum fg_code from_file(struct fg_ctx *cx, struct conf *out, const char *path)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return fg_fail(cx, FG_CONFIG, "%s: %s", path, strerror(errno));
    struct reading r = { .cx = cx, .c = out };
    int line = ini_parse_file(f, on_key, &r);
    fclose(f);
    if (line == 0)
        return FG_OK;
    if (r.wrong)
        return fg_fail(cx, FG_CONFIG, "%s:%d: %.*s: %s", path, line, FG_P(r.at), r.wrong);
    return fg_fail(cx, FG_CONFIG, "%s:%d: not a line of the form key = value", path, line);
}

static struct fg_str env_name(struct fg_ctx *cx, const char *section, const char *name)
{
    struct fg_str s = arena_fmt(cx->mem, "FILMGATE_%s_%s", section, name);
    char *p = arena_cstr(cx->mem, s);
    for (size_t i = 0; i < s.n; i++)
        if (p[i] >= 'a' && p[i] <= 'z')
            p[i] = (char)(p[i] - 'a' + 'A');
    return (struct fg_str){ p, s.n };
}

static enum fg_code from_environment(struct fg_ctx *cx, struct conf *out)
{
    for (size_t i = 0; i < FG_LEN(keys); i++) {
        const char *name = env_name(cx, keys[i].section, keys[i].name).p;
        const char *v = getenv(name);
        const char *wrong = v ? set(cx, out, &keys[i], fg_str_c(v)) : NULL;
        if (wrong)
            return fg_fail(cx, FG_CONFIG, "environment %s: %s", name, wrong);
    }
    for (unsigned i = 0; i < out->provider_n; i++) {
        const char *section = arena_fmt(cx->mem, "provider_%.*s", FG_P(out->provider[i].name)).p;
        const char *name = env_name(cx, section, "enabled").p, *v = getenv(name);
        const char *wrong = v ? set_enabled(&out->provider[i], fg_str_c(v)) : NULL;
        if (wrong)
            return fg_fail(cx, FG_CONFIG, "environment %s: %s", name, wrong);
        for (size_t k = 0; k < FG_LEN(provider_secrets); k++)
            if ((v = getenv(env_name(cx, section, provider_secrets[k].name).p)))
                *secret_of(&out->provider[i], k) = arena_str(cx->mem, fg_str_c(v));
    }
    return FG_OK;
}

static bool is_bucket(struct fg_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-' || s.p[i] == '.'))
            return false;
    return s.n >= 3 && s.n <= 63;
}

/* A scheme and a host, no path: what is signed is the bucket's. */
static bool is_endpoint(struct fg_str s)
{
    if (!scan_lit(&s, FG_LIT("https://")) && !scan_lit(&s, FG_LIT("http://")))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || strchr("/?#@\\\"'", s.p[i]))
            return false;
    return s.n > 0;
}

/* Also while files are kept on disk: some may be in the bucket still. */
static const char *s3_wrong(const struct conf *c)
{
    if (!c->s3_bucket.n && !c->s3_endpoint.n && !FG_IS(c->media_store, "s3"))
        return NULL;
    if (!is_endpoint(c->s3_endpoint))
        return "endpoint must be like https://host, without a path";
    if (!is_bucket(c->s3_bucket))
        return "bucket must be a bucket's name";
    if (!c->s3_access_key.n || !c->s3_secret_key.n || !c->s3_region.n)
        return "access_key, secret_key and region are required";
    return NULL;
}

enum fg_code conf_load(struct fg_ctx *cx, struct conf *out, const char *path)
{
    *out = (struct conf){ 0 };
    for (size_t i = 0; i < FG_LEN(keys); i++) {
        if (keys[i].type == TEXT)
            *text_of(out, &keys[i]) = fg_str_c(keys[i].def);
        else
            *number_of(out, &keys[i]) = keys[i].number;
    }
    if (!path)
        path = getenv("FILMGATE_CONF");
    enum fg_code rc = path ? from_file(cx, out, path) : FG_OK;
    if (rc == FG_OK)
        rc = from_environment(cx, out);
    if (rc != FG_OK)
        return rc;
    for (size_t i = 0; i < FG_LEN(keys); i++)
        if (keys[i].type == TEXT && !text_of(out, &keys[i])->p)
            return fg_fail(cx, FG_CONFIG, "%s: [%s] %s is required", path ? path : "configuration",
                           keys[i].section, keys[i].name);
    if (out->sweeper_submit_timeout_s >= out->sweeper_lease_s ||
        out->sweeper_call_timeout_s >= out->sweeper_lease_s)
        return fg_fail(cx, FG_CONFIG, "%s: [sweeper] lease_s must be over submit_timeout_s and call_timeout_s",
                       path ? path : "configuration");
    const char *wrong = s3_wrong(out);
    if (wrong)
        return fg_fail(cx, FG_CONFIG, "%s: [s3] %s", path ? path : "configuration", wrong);
    return FG_OK;
}

const struct conf_provider *conf_provider(const struct conf *c, struct fg_str name)
{
    for (unsigned i = 0; i < c->provider_n; i++)
        if (fg_eq(c->provider[i].name, name))
            return &c->provider[i];
    return NULL;
}

static const char *whether_set(struct fg_str secret)
{
    return secret.n ? "(set)" : "(not set)";
}

struct fg_str conf_show(struct fg_ctx *cx, const struct conf *c)
{
    struct sb b = sb_in(cx->mem, 64 * FG_KIB);
    for (size_t i = 0; i < FG_LEN(keys); i++) {
        const struct key *k = &keys[i];
        const void *at = (const char *)c + k->at;
        sb_addf(&b, "%s.%s = ", k->section, k->name);
        if (k->type == NUMBER)
            sb_add_i64(&b, *(const int64_t *)at);
        else if (k->secrecy == SECRET)
            sb_add(&b, fg_str_c(whether_set(*(const struct fg_str *)at)));
        else
            sb_add(&b, *(const struct fg_str *)at);
        sb_add_c(&b, '\n');
    }
    for (unsigned i = 0; i < c->provider_n; i++) {
        struct conf_provider p = c->provider[i];
        sb_addf(&b, "provider.%.*s.enabled = %s\n", FG_P(p.name), p.disabled ? "no" : "yes");
        for (size_t k = 0; k < FG_LEN(provider_secrets); k++)
            sb_addf(&b, "provider.%.*s.%s = %s\n", FG_P(p.name), provider_secrets[k].name,
                    whether_set(*secret_of(&p, k)));
    }
    return sb_str(&b);
}
