/* filmgate catalogue check */
#include "provider/catalogue.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/sb.h"
#include "cli/cli.h"

#define SOON_US (30 * 86400 * FG_US_PER_S)
#define WORDS_MAX 4000

static void warn(struct fg_str name, const char *words)
{
    printf("warning: %.*s %s\n", FG_P(name), words);
}

static unsigned models_of(const struct catalogue *c, const struct cat_provider *p)
{
    unsigned n = 0;
    for (unsigned i = 0; i < c->model_n; i++)
        n += c->model[i].provider == p;
    return n;
}

static void show_providers(const struct catalogue *c)
{
    printf("%-16s %-14s %-10s %6s %5s  %s\n", "PROVIDER", "ADAPTER", "SET UP", "MODELS", "JOBS", "URL");
    for (unsigned i = 0; i < c->provider_n; i++) {
        const struct cat_provider *p = &c->provider[i];
        printf("%-16.*s %-14s %-10s %6u %5lld  %.*s\n", FG_P(p->name), p->adapter->name, p->set_up ? "yes" : "no",
               models_of(c, p), (long long)p->concurrency, FG_P(p->site.base_url));
    }
}

static struct fg_str seconds(struct fg_ctx *cx, const struct cat_model *m)
{
    struct sb b = sb_in(cx->mem, WORDS_MAX);
    for (int s = 1, from = 0; s <= CATALOGUE_SECONDS_MAX + 1; s++) {
        bool takes = s <= CATALOGUE_SECONDS_MAX && (m->durations >> s & 1);
        if (takes && !from)
            from = s;
        if (takes || !from)
            continue;
        sb_addf(&b, b.n ? ",%d" : "%d", from);
        if (s - 1 > from)
            sb_addf(&b, "-%d", s - 1);
        from = 0;
    }
    return sb_str(&b);
}

static struct fg_str retirement(struct fg_ctx *cx, const struct cat_model *m)
{
    if (!m->retires_us)
        return FG_LIT("-");
    struct fg_str day = catalogue_date(cx, m->retires_us);
    if (!m->substitute.n)
        return day;
    return arena_fmt(cx->mem, "%.*s, then %.*s", FG_P(day), FG_P(m->substitute));
}

/* The default resolution's, silent where that is a choice. */
static struct fg_str price(struct fg_ctx *cx, const struct cat_price *p, struct fg_str resolution)
{
    long long micro = (long long)catalogue_price(p, resolution, 1, AUDIO_ANY);
    return arena_fmt(cx->mem, "%lld.%06lld %.*s/%s", micro / 1000000, micro % 1000000, FG_P(p->currency),
                     p->per_clip ? "clip" : "s");
}

static void show_models(struct fg_ctx *cx, const struct catalogue *c)
{
    printf("\n%-30s %-12s %-10s %-11s %-18s %s\n", "MODEL", "PROVIDER", "SECONDS", "RESOLUTION", "PRICE", "RETIRES");
    for (unsigned i = 0; i < c->model_n; i++) {
        const struct cat_model *m = &c->model[i];
        printf("%-30.*s %-12.*s %-10.*s %-11.*s %-18.*s %.*s\n", FG_P(m->name), FG_P(m->provider->name),
               FG_P(seconds(cx, m)), FG_P(m->default_resolution), FG_P(price(cx, &m->price, m->default_resolution)),
               FG_P(retirement(cx, m)));
    }
}

static void show_routes(const struct catalogue *c)
{
    printf("\n%-16s %s\n", "ROUTE", "MODELS, IN ORDER; IN BRACKETS WHAT IS NOT SET UP");
    for (unsigned i = 0; i < c->route_n; i++) {
        const struct cat_route *r = &c->route[i];
        printf("%-16.*s", FG_P(r->name));
        for (unsigned k = 0; k < r->model_n; k++)
            printf(r->model[k]->provider->set_up ? " %.*s" : " (%.*s)", FG_P(r->model[k]->name));
        printf("%s\n", r == c->default_route ? "   <- default" : "");
    }
}

static bool signs_callbacks(const struct provider *a)
{
    return a->verify == VERIFY_STANDARD;
}

static void warn_of_providers(const struct catalogue *c)
{
    for (unsigned i = 0; i < c->provider_n; i++) {
        const struct cat_provider *p = &c->provider[i];
        if (!p->set_up)
            continue;
        if (!p->site.key.n && !p->adapter->no_key)
            warn(p->name, "is set up without a key in this configuration");
        if (p->callbacks && signs_callbacks(p->adapter) && !p->site.webhook_secrets.n)
            warn(p->name, "has no webhook_secrets in this configuration: its callbacks cannot be verified");
    }
}

static void warn_of_models(struct fg_ctx *cx, const struct catalogue *c)
{
    for (unsigned i = 0; i < c->model_n; i++) {
        const struct cat_model *m = &c->model[i];
        const char *day = arena_cstr(cx->mem, retirement(cx, m));
        if (catalogue_retired(m, cx->now_us))
            warn(m->name, arena_fmt(cx->mem, "is retired: %s", day).p);
        else if (m->retires_us && m->retires_us - cx->now_us <= SOON_US)
            warn(m->name, arena_fmt(cx->mem, "retires soon: %s", day).p);
    }
}

static bool serves(struct fg_ctx *cx, const struct cat_route *r)
{
    for (unsigned i = 0; i < r->model_n; i++)
        if (r->model[i]->provider->set_up && !catalogue_retired(r->model[i], cx->now_us))
            return true;
    return false;
}

enum fg_code cli_catalogue_check(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct conf with = *conf;
    const struct catalogue *c;
    if (argc > 0)
        with.catalogue_file = fg_str_c(argv[0]);
    enum fg_code rc = catalogue_load(cx, &with, &c);
    if (rc != FG_OK)
        return rc;
    show_providers(c);
    show_models(cx, c);
    show_routes(c);
    printf("\n");
    warn_of_providers(c);
    warn_of_models(cx, c);
    for (unsigned i = 0; i < c->route_n; i++)
        if (!serves(cx, &c->route[i]))
            warn(c->route[i].name, "is a route without any model that is set up and alive");
    printf("%.*s is in order: %u providers, %u models, %u routes\n", FG_P(with.catalogue_file), c->provider_n,
           c->model_n, c->route_n);
    catalogue_drop(c);
    return FG_OK;
}
