#include "provider/catalogue.h"

#include <errno.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/scan.h"
#include "io/json.h"

#define FILE_MAX (256 * FG_KIB)
#define NAME_MAX_PROVIDER 32
#define NAME_MAX_MODEL 64
#define NAME_MAX_SHORT 8 /* ratio and resolution: as wide as their columns */
#define URL_MAX 1024
#define SIDE_MIN 16
#define SIDE_MAX 8192
#define RATIO_OFF_PERCENT 3

struct reader {
    struct fg_ctx *cx;
    const struct conf *conf;
    struct catalogue *c;           /* being filled */
    const struct catalogue *final; /* where it will be: pointers between its parts go there */
};

struct member;
typedef enum fg_code read_fn(struct reader *r, const char *path, const struct js *v,
                             const struct member *m, void *into);

/* One member of an object. read gets the object's own struct. */
struct member {
    const char *key;
    read_fn *read;
    size_t at;        /* of the value in the struct, for the plain readers */
    int64_t min, max; /* of numbers; of the length of texts */
    bool optional;
};

static enum fg_code wrong(struct reader *r, const char *path, const char *words)
{
    return fg_fail(r->cx, FG_CONFIG, "%.*s: %s: %s", FG_P(r->conf->catalogue_file),
                   path[0] ? path : "/", words);
}

static const char *down(struct reader *r, const char *path, struct fg_str key)
{
    return arena_fmt(r->cx->mem, "%s/%.*s", path, FG_P(key)).p;
}

static const struct member *member_named(const struct member *m, struct fg_str key)
{
    for (; m->key; m++)
        if (fg_eq(key, fg_str_c(m->key)))
            return m;
    return NULL;
}

/* Reads an object by its table, which an empty entry ends: nothing unknown, nothing missing. */
static enum fg_code read_members(struct reader *r, const char *path, const struct js *v,
                                 const struct member *table, void *into)
{
    struct fg_str key;
    const struct js *value;
    size_t it = 0;
    if (js_type(v) != JS_OBJECT)
        return wrong(r, path, "must be an object");
    while (js_next(v, &it, &key, &value))
        if (!member_named(table, key))
            return wrong(r, down(r, path, key), "unknown key");
    for (const struct member *m = table; m->key; m++) {
        const char *at = down(r, path, fg_str_c(m->key));
        value = js_get(v, m->key);
        if (!value && m->optional)
            continue;
        if (!value)
            return wrong(r, at, "is required");
        enum fg_code rc = m->read(r, at, value, m, into);
        if (rc != FG_OK)
            return rc;
    }
    return FG_OK;
}

static enum fg_code read_text(struct reader *r, const char *path, const struct js *v,
                              const struct member *m, void *into)
{
    struct fg_str s;
    if (!js_str(v, &s))
        return wrong(r, path, "must be a text");
    if ((int64_t)s.n < m->min || (int64_t)s.n > m->max)
        return wrong(r, path,
                     arena_fmt(r->cx->mem, "must have %lld to %lld bytes", (long long)m->min,
                               (long long)m->max)
                         .p);
    *(struct fg_str *)(void *)((char *)into + m->at) = s;
    return FG_OK;
}

static enum fg_code read_number(struct reader *r, const char *path, const struct js *v,
                                const struct member *m, void *into)
{
    int64_t n;
    if (!js_i64(v, &n) || n < m->min || n > m->max)
        return wrong(r, path,
                     arena_fmt(r->cx->mem, "must be a whole number from %lld to %lld",
                               (long long)m->min, (long long)m->max)
                         .p);
    *(int64_t *)(void *)((char *)into + m->at) = n;
    return FG_OK;
}

static enum fg_code read_bool(struct reader *r, const char *path, const struct js *v,
                              const struct member *m, void *into)
{
    bool b;
    if (!js_bool(v, &b))
        return wrong(r, path, "must be true or false");
    *(bool *)((char *)into + m->at) = b;
    return FG_OK;
}

static bool is_name(struct fg_str s, size_t max, const char *besides)
{
    if (s.n == 0 || s.n > max)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) && (!c || !strchr(besides, c)))
            return false;
    }
    return true;
}

/* ---- a model ---- */

static enum fg_code read_durations(struct reader *r, const char *path, const struct js *v,
                                   const struct member *m, void *into)
{
    static const struct member table[] = {
        { "min", read_number, offsetof(struct cat_model, min_s), 1, 120, false },
        { "max", read_number, offsetof(struct cat_model, max_s), 1, 120, false },
        { 0 },
    };
    struct cat_model *model = into;
    (void)m;
    enum fg_code rc = read_members(r, path, v, table, into);
    if (rc == FG_OK && model->min_s > model->max_s)
        rc = wrong(r, path, "min is over max");
    return rc;
}

static bool pair(struct fg_str s, char between, uint64_t max, int64_t *a, int64_t *b)
{
    uint64_t x, y;
    if (!scan_u64(&s, max, &x) || !scan_char(&s, between) || !scan_all_u64(s, max, &y) || !x || !y)
        return false;
    *a = (int64_t)x;
    *b = (int64_t)y;
    return true;
}

static enum fg_code read_size(struct reader *r, const char *path, const struct js *v,
                              struct cat_model *model, const struct cat_size *of)
{
    struct cat_size s = *of;
    struct fg_str text;
    int64_t across, up;
    if (model->size_n == FG_LEN(model->size))
        return wrong(r, path, "too many sizes");
    if (!is_name(s.resolution, NAME_MAX_SHORT, ""))
        return wrong(r, path, "is no name of a resolution");
    if (!pair(s.aspect_ratio, ':', 99, &across, &up) || s.aspect_ratio.n > NAME_MAX_SHORT)
        return wrong(r, path, "is below no aspect ratio like 16:9");
    if (!js_str(v, &text) || !pair(text, 'x', SIDE_MAX, &s.width, &s.height) ||
        s.width < SIDE_MIN || s.height < SIDE_MIN || s.width % 2 || s.height % 2)
        return wrong(r, path, "must be two even numbers like 1280x720");
    int64_t off = s.width * up - s.height * across;
    if ((off < 0 ? -off : off) * 100 > s.height * across * RATIO_OFF_PERCENT)
        return wrong(r, path, "does not have that aspect ratio");
    model->size[model->size_n++] = s;
    return FG_OK;
}

static enum fg_code read_sizes(struct reader *r, const char *path, const struct js *v,
                               const struct member *m, void *into)
{
    struct cat_size s = { 0 };
    const struct js *list, *size;
    (void)m;
    if (js_type(v) != JS_OBJECT || js_len(v) == 0)
        return wrong(r, path, "must be an object of aspect ratios");
    for (size_t it = 0; js_next(v, &it, &s.aspect_ratio, &list);) {
        const char *ratio_path = down(r, path, s.aspect_ratio);
        if (js_type(list) != JS_OBJECT || js_len(list) == 0)
            return wrong(r, ratio_path, "must be an object of resolutions");
        for (size_t at = 0; js_next(list, &at, &s.resolution, &size);) {
            enum fg_code rc = read_size(r, down(r, ratio_path, s.resolution), size, into, &s);
            if (rc != FG_OK)
                return rc;
        }
    }
    return FG_OK;
}

static enum fg_code read_currency(struct reader *r, const char *path, const struct js *v,
                                  const struct member *m, void *into)
{
    struct fg_str s;
    (void)m;
    if (!js_str(v, &s) || s.n != 3)
        return wrong(r, path, "must be three capital letters");
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 'A' || s.p[i] > 'Z')
            return wrong(r, path, "must be three capital letters");
    ((struct cat_model *)into)->currency = s;
    return FG_OK;
}

static enum fg_code read_price(struct reader *r, const char *path, const struct js *v,
                               const struct member *m, void *into)
{
    static const struct member table[] = {
        { "microPerSecond", read_number, offsetof(struct cat_model, price_micro_per_s), 0,
          1000000000, false },
        { "currency", read_currency, 0, 0, 0, false },
        { 0 },
    };
    (void)m;
    return read_members(r, path, v, table, into);
}

static const struct member model_table[] = {
    { "remote", read_text, offsetof(struct cat_model, remote), 1, 255, false },
    { "durations", read_durations, 0, 0, 0, false },
    { "sizes", read_sizes, 0, 0, 0, false },
    { "defaultResolution", read_text, offsetof(struct cat_model, default_resolution), 1,
      NAME_MAX_SHORT, false },
    { "image", read_bool, offsetof(struct cat_model, image), 0, 0, false },
    { "seed", read_bool, offsetof(struct cat_model, seed), 0, 0, false },
    { "price", read_price, 0, 0, 0, false },
    { 0 },
};

static enum fg_code read_model(struct reader *r, const char *path, struct fg_str name,
                               const struct js *v, const struct cat_provider *p)
{
    if (r->c->model_n == CATALOGUE_MODELS_MAX)
        return wrong(r, path, "too many models");
    if (!is_name(name, NAME_MAX_MODEL, "ABCDEFGHIJKLMNOPQRSTUVWXYZ._-"))
        return wrong(r, path, "is no name of a model");
    struct cat_model *model = &r->c->model[r->c->model_n];
    enum fg_code rc = read_members(r, path, v, model_table, model);
    if (rc != FG_OK)
        return rc;
    for (unsigned i = 0; i < model->size_n; i++)
        if (!catalogue_size(model, model->size[i].aspect_ratio, model->default_resolution))
            return wrong(r, down(r, path, FG_LIT("defaultResolution")),
                         "is not there for every aspect ratio");
    model->name = name;
    model->provider = r->final->provider + (p - r->c->provider);
    r->c->model_n++;
    return FG_OK;
}

static enum fg_code read_models(struct reader *r, const char *path, const struct js *v,
                                const struct member *m, void *into)
{
    struct fg_str name;
    const struct js *model;
    (void)m;
    if (js_type(v) != JS_OBJECT || js_len(v) == 0)
        return wrong(r, path, "must be an object of models");
    for (size_t it = 0; js_next(v, &it, &name, &model);) {
        enum fg_code rc = read_model(r, down(r, path, name), name, model, into);
        if (rc != FG_OK)
            return rc;
    }
    return FG_OK;
}

/* ---- a provider ---- */

static enum fg_code read_adapter(struct reader *r, const char *path, const struct js *v,
                                 const struct member *m, void *into)
{
    struct fg_str name;
    struct cat_provider *p = into;
    (void)m;
    if (!js_str(v, &name) || !(p->adapter = provider_by_name(name)))
        return wrong(r, path, "is no adapter of this program");
    return FG_OK;
}

static enum fg_code read_base_url(struct reader *r, const char *path, const struct js *v,
                                  const struct member *m, void *into)
{
    struct fg_str url;
    (void)m;
    if (!js_str(v, &url))
        return wrong(r, path, "must be a text");
    if (scan_lit(&url, FG_LIT("{public_url}")))
        url = arena_fmt(r->cx->mem, "%.*s%.*s", FG_P(r->conf->server_public_url), FG_P(url));
    if (!fg_starts(url, FG_LIT("https://")) && !fg_starts(url, FG_LIT("http://")))
        return wrong(r, path, "must begin with https://, http:// or {public_url}");
    if (url.n > URL_MAX || url.p[url.n - 1] == '/')
        return wrong(r, path, "is too long or ends in a slash");
    for (size_t i = 0; i < url.n; i++)
        if ((unsigned char)url.p[i] <= ' ' || url.p[i] == 0x7f || strchr("?#{}\\@", url.p[i]))
            return wrong(r, path, "has characters that a base URL must not have");
    ((struct cat_provider *)into)->site.base_url = url;
    return FG_OK;
}

static enum fg_code read_key_ref(struct reader *r, const char *path, const struct js *v,
                                 const struct member *m, void *into)
{
    struct fg_str name;
    struct cat_provider *p = into;
    (void)m;
    if (!js_str(v, &name) || !is_name(name, NAME_MAX_PROVIDER, "_"))
        return wrong(r, path, "must name a section [provider.NAME] of the configuration");
    /* A program that calls nobody may do without keys; doctor tells when they are missing. */
    const struct conf_provider *secrets = conf_provider(r->conf, name);
    if (secrets) {
        p->site.key = secrets->key;
        p->site.webhook_secrets = secrets->webhook_secrets;
    }
    return FG_OK;
}

/* Index of v among the words, or -1. */
static int choice(const struct js *v, const char *const *word, int n)
{
    struct fg_str s;
    for (int i = 0; js_str(v, &s) && i < n; i++)
        if (fg_eq(s, fg_str_c(word[i])))
            return i;
    return -1;
}

static enum fg_code read_by(struct reader *r, const char *path, const struct js *v,
                            const struct member *m, void *into)
{
    static const char *const word[] = {
        [UNKNOWN_BY_WAITING] = "waiting", [UNKNOWN_BY_LIST] = "list", [UNKNOWN_BY_REPLAY] = "replay"
    };
    int by = choice(v, word, FG_LEN(word));
    (void)m;
    if (by < 0)
        return wrong(r, path, "must be waiting, list or replay");
    ((struct cat_provider *)into)->unknown_by = (enum unknown_by)by;
    return FG_OK;
}

static enum fg_code read_then(struct reader *r, const char *path, const struct js *v,
                              const struct member *m, void *into)
{
    static const char *const word[] = { [UNKNOWN_FAIL] = "fail", [UNKNOWN_RESUBMIT] = "resubmit" };
    int then = choice(v, word, FG_LEN(word));
    (void)m;
    if (then < 0)
        return wrong(r, path, "must be fail or resubmit");
    ((struct cat_provider *)into)->unknown_then = (enum unknown_then)then;
    return FG_OK;
}

static enum fg_code read_unknown(struct reader *r, const char *path, const struct js *v,
                                 const struct member *m, void *into)
{
    static const struct member table[] = {
        { "by", read_by, 0, 0, 0, false },
        { "waitSeconds", read_number, offsetof(struct cat_provider, unknown_wait_s), 1, 86400,
          false },
        { "then", read_then, 0, 0, 0, false },
        { 0 },
    };
    (void)m;
    return read_members(r, path, v, table, into);
}

static const struct member provider_table[] = {
    { "adapter", read_adapter, 0, 0, 0, false },
    { "baseUrl", read_base_url, 0, 0, 0, false },
    { "keyRef", read_key_ref, 0, 0, 0, false },
    { "extras", read_bool, offsetof(struct cat_provider, site.extras), 0, 0, true },
    { "callbacks", read_bool, offsetof(struct cat_provider, callbacks), 0, 0, false },
    { "concurrency", read_number, offsetof(struct cat_provider, concurrency), 1, 10000, false },
    { "attemptsMax", read_number, offsetof(struct cat_provider, attempts_max), 1, 20, false },
    { "outputLifeSeconds", read_number, offsetof(struct cat_provider, output_life_s), 60, 31536000,
      false },
    { "unknown", read_unknown, 0, 0, 0, false },
    { "models", read_models, 0, 0, 0, false },
    { 0 },
};

static enum fg_code check_provider(struct reader *r, const char *path, const struct cat_provider *p)
{
    const char *by = down(r, path, FG_LIT("unknown/by"));
    if (p->unknown_by == UNKNOWN_BY_LIST && !p->adapter->find_call)
        return wrong(r, by, "this adapter has no list to look in");
    /* Without the header a repeated submit is simply a second, paid one. */
    if (p->unknown_by == UNKNOWN_BY_REPLAY && !p->site.extras)
        return wrong(r, by, "replay needs extras, which carry the Idempotency-Key");
    if (p->callbacks && !p->adapter->callback_read)
        return wrong(r, down(r, path, FG_LIT("callbacks")), "this adapter has no callbacks");
    return FG_OK;
}

static enum fg_code read_providers(struct reader *r, const char *path, const struct js *v,
                                   const struct member *m, void *into)
{
    const struct js *value;
    struct fg_str name;
    (void)m, (void)into;
    if (js_type(v) != JS_OBJECT || js_len(v) == 0)
        return wrong(r, path, "must be an object of providers");
    for (size_t it = 0; js_next(v, &it, &name, &value);) {
        const char *at = down(r, path, name);
        if (r->c->provider_n == CONF_PROVIDERS_MAX)
            return wrong(r, at, "too many providers");
        if (!is_name(name, NAME_MAX_PROVIDER, "_"))
            return wrong(r, at, "is no name of a provider");
        struct cat_provider *p = &r->c->provider[r->c->provider_n++];
        p->name = p->site.name = name;
        enum fg_code rc = read_members(r, at, value, provider_table, p);
        if (rc == FG_OK)
            rc = check_provider(r, at, p);
        if (rc != FG_OK)
            return rc;
    }
    return FG_OK;
}

struct top {
    struct fg_str default_model;
};

static const struct member top_table[] = {
    { "defaultModel", read_text, offsetof(struct top, default_model), 1, NAME_MAX_MODEL, false },
    { "providers", read_providers, 0, 0, 0, false },
    { 0 },
};

static enum fg_code read_file(struct fg_ctx *cx, const char *path, struct fg_str *out)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return fg_fail(cx, FG_CONFIG, "%s: %s", path, strerror(errno));
    char *p = arena_get(cx->mem, FILE_MAX);
    size_t n = fread(p, 1, FILE_MAX, f);
    bool bad = ferror(f) != 0;
    fclose(f);
    if (bad || n == FILE_MAX)
        return fg_fail(cx, FG_CONFIG, "%s: cannot be read, or has %zu bytes or more", path,
                       FILE_MAX);
    *out = (struct fg_str){ p, n };
    return FG_OK;
}

enum fg_code catalogue_load(struct fg_ctx *cx, const struct conf *conf, struct catalogue *out)
{
    struct reader r = { cx, conf, arena_new_of(cx->mem, struct catalogue), out };
    const char *path = arena_cstr(cx->mem, conf->catalogue_file);
    const struct js *v;
    struct fg_str text;
    struct top top;
    enum fg_code rc = read_file(cx, path, &text);
    if (rc == FG_OK && js_parse(cx, text, &v) != FG_OK) {
        struct fg_str why = arena_str(cx->mem, fg_str_c(cx->err.detail));
        rc = fg_fail(cx, FG_CONFIG, "%s: %.*s", path, FG_P(why));
    }
    if (rc == FG_OK)
        rc = read_members(&r, "", v, top_table, &top);
    if (rc != FG_OK)
        return rc;
    const struct cat_model *model = catalogue_model(r.c, FG_NONE, top.default_model);
    if (!model)
        return wrong(&r, "/defaultModel", "is no model of any provider");
    r.c->default_model = out->model + (model - r.c->model);
    *out = *r.c;
    return FG_OK;
}

const struct cat_provider *catalogue_provider(const struct catalogue *c, struct fg_str name)
{
    for (unsigned i = 0; i < c->provider_n; i++)
        if (fg_eq(c->provider[i].name, name))
            return &c->provider[i];
    return NULL;
}

const struct cat_model *catalogue_model(const struct catalogue *c, struct fg_str provider,
                                        struct fg_str name)
{
    for (unsigned i = 0; i < c->model_n; i++)
        if (fg_eq(c->model[i].name, name) &&
            (!provider.p || fg_eq(c->model[i].provider->name, provider)))
            return &c->model[i];
    return NULL;
}

const struct cat_size *catalogue_size(const struct cat_model *m, struct fg_str ratio,
                                      struct fg_str resolution)
{
    for (unsigned i = 0; i < m->size_n; i++)
        if (fg_eq(m->size[i].aspect_ratio, ratio) && fg_eq(m->size[i].resolution, resolution))
            return &m->size[i];
    return NULL;
}
