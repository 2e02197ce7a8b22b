/* The catalogue's file: providers, then routes and substitutes over all models. */
#include "provider/catalogue_parts.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/scan.h"
#include "base/time.h"

#define URL_MAX 1024
#define ATTEMPTS_DEFAULT 3

/* ---- tools ---- */

enum fg_code cat_wrong(struct cat_reader *r, const char *path, const char *fmt, ...)
{
    char words[FG_ERR_TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(words, sizeof words, fmt, ap);
    va_end(ap);
    return fg_fail(r->cx, FG_CONFIG, "%s: %s: %s", r->file, path[0] ? path : "/", words);
}

const char *cat_down(struct cat_reader *r, const char *path, struct fg_str key)
{
    return arena_fmt(r->cx->mem, "%s/%.*s", path, FG_P(key)).p;
}

bool cat_name_ok(struct fg_str s, size_t max)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) && (!c || !strchr("-_.", c)))
            return false;
    }
    return s.n > 0 && s.n <= max;
}

struct fg_str cat_text(const struct js *v, const char *key)
{
    struct fg_str s;
    return js_str(js_get(v, key), &s) ? s : FG_NONE;
}

int64_t cat_number(const struct js *v, const char *key, int64_t absent)
{
    int64_t n;
    return js_i64(js_get(v, key), &n) ? n : absent;
}

bool cat_bool(const struct js *v, const char *key)
{
    bool b;
    return js_bool(js_get(v, key), &b) && b;
}

int cat_word(const struct js *v, const char *key, const char *const *words)
{
    struct fg_str s = cat_text(v, key);
    for (int i = 0; s.p && words[i]; i++)
        if (fg_eq(s, fg_str_c(words[i])))
            return i;
    return 0;
}

enum fg_code cat_day(struct cat_reader *r, const char *path, const struct js *v, const char *key, int64_t *us)
{
    struct fg_str s = cat_text(v, key);
    *us = 0;
    if (s.p && (s.n != 10 || !time_parse_iso(arena_fmt(r->cx->mem, "%.*sT00:00:00Z", FG_P(s)), us)))
        return cat_wrong(r, cat_down(r, path, fg_str_c(key)), "must be a day like 2027-01-31");
    return FG_OK;
}

/* ---- where a provider is ---- */

static enum fg_code read_url(struct cat_reader *r, const char *path, const struct js *urls, const char *key,
                             struct fg_str *out)
{
    struct fg_str url = cat_text(urls, key);
    const char *at = cat_down(r, path, fg_str_c(key));
    if (!url.p)
        return FG_OK;
    if (scan_lit(&url, FG_LIT("{public_url}")))
        url = arena_fmt(r->keep, "%.*s%.*s", FG_P(r->conf->server_public_url), FG_P(url));
    struct fg_str host = url;
    if (!scan_lit(&host, FG_LIT("https://")) && !scan_lit(&host, FG_LIT("http://")))
        return cat_wrong(r, at, "must begin with https://, http:// or {public_url}");
    if (host.n == 0 || host.p[0] == '/' || host.p[0] == ':')
        return cat_wrong(r, at, "has no host");
    if (url.n > URL_MAX || url.p[url.n - 1] == '/')
        return cat_wrong(r, at, "is too long or ends in a slash");
    for (size_t i = 0; i < url.n; i++)
        if ((unsigned char)url.p[i] <= ' ' || url.p[i] == 0x7f || strchr("?#{}\\@%", url.p[i]))
            return cat_wrong(r, at, "has characters that it must not have");
    *out = url;
    return FG_OK;
}

/* "api.x.net", "*.x.net", "127.0.0.1:8188" */
static bool host_ok(struct fg_str s)
{
    (void)scan_lit(&s, FG_LIT("*."));
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) && (!c || !strchr(".-:", c)))
            return false;
    }
    return s.n > 0 && s.p[0] != '.';
}

static enum fg_code read_hosts(struct cat_reader *r, const char *path, const struct js *list, bool any_too,
                               struct fg_str out[PROVIDER_HOSTS_MAX], unsigned *n)
{
    for (size_t i = 0; i < js_len(list); i++) {
        struct fg_str s = FG_NONE;
        (void)js_str(js_at(list, i), &s);
        if (!host_ok(s) && !(any_too && FG_IS(s, "*")))
            return cat_wrong(r, arena_fmt(r->cx->mem, "%s/%zu", path, i).p,
                             "must be a host in lower case like api.example.com or *.example.com%s",
                             any_too ? ", or *" : "");
        out[(*n)++] = s;
    }
    return FG_OK;
}

static enum fg_code read_site(struct cat_reader *r, const char *path, const struct js *v, struct provider_site *site)
{
    const struct js *urls = js_get(v, "urls");
    const char *at = CAT_DOWN(r, path, "urls");
    enum fg_code rc = read_url(r, at, urls, "base", &site->base_url);
    if (rc == FG_OK)
        rc = read_url(r, at, urls, "history", &site->history_url);
    if (rc == FG_OK)
        rc = read_url(r, at, urls, "jwks", &site->jwks_url);
    if (rc == FG_OK)
        rc = read_hosts(r, CAT_DOWN(r, path, "hosts"), js_get(v, "hosts"), false, site->host, &site->host_n);
    if (rc == FG_OK)
        rc = read_hosts(r, CAT_DOWN(r, path, "outputHosts"), js_get(v, "outputHosts"), true, site->output_host,
                        &site->output_host_n);
    site->extras = cat_bool(v, "extras");
    return rc;
}

/* ---- a provider ---- */

static enum fg_code read_keys(struct cat_reader *r, const char *path, const struct js *v, struct cat_provider *p)
{
    struct fg_str name = cat_text(v, "keyRef");
    const struct conf_provider *section = conf_provider(r->conf, name);
    if (!cat_name_ok(name, CAT_PROVIDER_NAME_MAX))
        return cat_wrong(r, CAT_DOWN(r, path, "keyRef"), "must name a section [provider.NAME] of the configuration");
    if (!section)
        return FG_OK;
    p->set_up = !section->disabled;
    p->site.key = section->key;
    p->site.key_secret = section->key_secret;
    p->site.webhook_secrets = section->webhook_secrets;
    return FG_OK;
}

static void read_limits(const struct js *v, struct cat_provider *p)
{
    static const char *const by[] = {
        [UNKNOWN_BY_WAITING] = "waiting", [UNKNOWN_BY_LIST] = "list", [UNKNOWN_BY_REPLAY] = "replay", NULL
    };
    static const char *const then[] = { [UNKNOWN_FAIL] = "fail", [UNKNOWN_RESUBMIT] = "resubmit", NULL };
    const struct js *unknown = js_get(v, "unknown"), *poll = js_get(v, "poll");
    p->callbacks = cat_bool(v, "callbacks");
    p->concurrency = cat_number(v, "concurrency", 1);
    p->calls_per_minute = cat_number(v, "callsPerMinute", 0);
    p->submits_per_minute = cat_number(v, "submitsPerMinute", 0);
    p->attempts_max = cat_number(v, "attemptsMax", ATTEMPTS_DEFAULT);
    p->poll_ms = cat_number(poll, "seconds", 0) * 1000;
    p->callback_poll_ms = cat_number(poll, "callbackSeconds", 0) * 1000;
    p->unknown_by = (enum unknown_by)cat_word(unknown, "by", by);
    p->unknown_then = (enum unknown_then)cat_word(unknown, "then", then);
    p->unknown_wait_s = cat_number(unknown, "waitSeconds", 0);
}

/* What a provider promises, each adapter of its models must be able to keep. */
static enum fg_code check_adapter(struct cat_reader *r, const char *path, const struct cat_provider *p,
                                  const struct provider *a)
{
    if (p->unknown_by == UNKNOWN_BY_LIST && !a->list_call)
        return cat_wrong(r, CAT_DOWN(r, path, "unknown/by"), "the adapter %s has no list to look in", a->name);
    /* Elsewhere a repeated submit is simply a second, paid one. */
    if (p->unknown_by == UNKNOWN_BY_REPLAY && !a->replays && !p->site.extras)
        return cat_wrong(r, CAT_DOWN(r, path, "unknown/by"), "the adapter %s cannot repeat a submit without extras",
                         a->name);
    if (p->callbacks && !a->callback_read)
        return cat_wrong(r, CAT_DOWN(r, path, "callbacks"), "the adapter %s has no callbacks", a->name);
    bool by_jwks = a->verify == VERIFY_FAL || a->verify == VERIFY_GOOGLE;
    if (p->callbacks && by_jwks && !p->site.jwks_url.n)
        return cat_wrong(r, CAT_DOWN(r, path, "urls/jwks"),
                         "is required: callbacks of the adapter %s are signed with those keys", a->name);
    return FG_OK;
}

static enum fg_code read_models(struct cat_reader *r, const char *path, const struct js *v, struct cat_provider *p)
{
    const char *in = CAT_DOWN(r, path, "models");
    struct fg_str name;
    const struct js *value;
    for (size_t it = 0; js_next(js_get(v, "models"), &it, &name, &value);) {
        const char *at = cat_down(r, in, name);
        if (r->c->model_n == CATALOGUE_MODELS_MAX)
            return cat_wrong(r, at, "is over %d models", CATALOGUE_MODELS_MAX);
        if (!cat_name_ok(name, CAT_NAME_MAX))
            return cat_wrong(r, at, "is no name of a model: a-z, 0-9, \"-\", \"_\" and \".\" only");
        if (catalogue_model(r->c, name))
            return cat_wrong(r, at, "is the name of another provider's model too");
        struct cat_model *m = &r->c->model[r->c->model_n];
        m->name = name;
        enum fg_code rc = cat_read_model(r, at, value, p, m);
        if (rc == FG_OK)
            rc = check_adapter(r, path, p, m->adapter);
        if (rc != FG_OK)
            return rc;
        if (!m->output_life_s)
            m->output_life_s = cat_number(v, "outputLifeSeconds", 0);
        if (!m->output_life_s)
            return cat_wrong(r, CAT_DOWN(r, at, "outputLifeSeconds"), "is required, here or of the provider");
        r->c->model_n++;
    }
    return FG_OK;
}

static enum fg_code read_provider(struct cat_reader *r, const char *path, struct fg_str name, const struct js *v)
{
    if (r->c->provider_n == CONF_PROVIDERS_MAX)
        return cat_wrong(r, path, "is over %d providers", CONF_PROVIDERS_MAX);
    if (!cat_name_ok(name, CAT_PROVIDER_NAME_MAX))
        return cat_wrong(r, path, "is no name of a provider: a-z, 0-9, \"-\", \"_\" and \".\" only");
    struct cat_provider *p = &r->c->provider[r->c->provider_n++];
    p->name = p->site.name = name;
    p->adapter = provider_by_name(cat_text(v, "adapter"));
    if (!p->adapter)
        return cat_wrong(r, CAT_DOWN(r, path, "adapter"), "is no adapter of this program");
    read_limits(v, p);
    enum fg_code rc = read_site(r, path, v, &p->site);
    if (rc == FG_OK)
        rc = read_keys(r, path, v, p);
    return rc == FG_OK ? read_models(r, path, v, p) : rc;
}

/* ---- over all models ---- */

/* What takes a place lives longer: so there are no circles, and the last of a chain is alive or the chain is over. */
static enum fg_code check_substitute(struct cat_reader *r, const struct cat_model *m)
{
    const struct cat_model *s = catalogue_model(r->c, m->substitute);
    const char *at = arena_fmt(r->cx->mem, "/providers/%.*s/models/%.*s/substitute", FG_P(m->provider->name),
                               FG_P(m->name)).p;
    if (!m->substitute.p)
        return FG_OK;
    if (!m->retires_us)
        return cat_wrong(r, at, "needs retiresOn");
    if (!s)
        return cat_wrong(r, at, "is no model of any provider");
    if (s->retires_us && s->retires_us <= m->retires_us)
        return cat_wrong(r, at, "%.*s does not outlive it", FG_P(s->name));
    return FG_OK;
}

static enum fg_code read_route(struct cat_reader *r, const char *path, struct fg_str name, const struct js *list)
{
    if (r->c->route_n == CATALOGUE_ROUTES_MAX)
        return cat_wrong(r, path, "is over %d routes", CATALOGUE_ROUTES_MAX);
    if (!cat_name_ok(name, CAT_PROVIDER_NAME_MAX))
        return cat_wrong(r, path, "is no name of a route: a-z, 0-9, \"-\", \"_\" and \".\" only");
    if (catalogue_model(r->c, name))
        return cat_wrong(r, path, "is the name of a model too");
    struct cat_route *route = &r->c->route[r->c->route_n++];
    route->name = name;
    for (size_t i = 0; i < js_len(list); i++) {
        struct fg_str model = FG_NONE;
        (void)js_str(js_at(list, i), &model);
        const struct cat_model *m = catalogue_model(r->c, model);
        if (!m)
            return cat_wrong(r, arena_fmt(r->cx->mem, "%s/%zu", path, i).p, "is no model of any provider");
        route->model[route->model_n++] = m;
    }
    return FG_OK;
}

enum fg_code cat_read(struct cat_reader *r, const struct js *root)
{
    struct fg_str name;
    const struct js *v;
    enum fg_code rc = FG_OK;
    for (size_t it = 0; rc == FG_OK && js_next(js_get(root, "providers"), &it, &name, &v);)
        rc = read_provider(r, cat_down(r, "/providers", name), name, v);
    for (unsigned i = 0; rc == FG_OK && i < r->c->model_n; i++)
        rc = check_substitute(r, &r->c->model[i]);
    for (size_t it = 0; rc == FG_OK && js_next(js_get(root, "routes"), &it, &name, &v);)
        rc = read_route(r, cat_down(r, "/routes", name), name, v);
    if (rc != FG_OK)
        return rc;
    r->c->default_route = catalogue_route(r->c, cat_text(root, "defaultRoute"));
    return r->c->default_route ? FG_OK : cat_wrong(r, "/defaultRoute", "is no route of this catalogue");
}
