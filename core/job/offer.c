#include "job/offer.h"

#include "base/arena.h"
#include "base/utf8.h"
#include "provider/route.h"

struct asked {
    const struct catalogue *catalogue;
    struct fg_str provider, model; /* FG_NONE: not named */
    struct job_request *out;
};

/* Those that may serve, in order of preference, as a route of their own. */
struct choice {
    struct cat_route route;
    const struct cat_model *named; /* the one model of the request, before anything took its place; NULL: a route's */
};

static void add_candidate(struct cat_route *to, const struct cat_model *m)
{
    for (unsigned i = 0; i < to->model_n; i++)
        if (to->model[i] == m)
            return;
    to->model[to->model_n++] = m;
}

/* Models of the route as they stand today, of the wanted provider. Those that nobody could use here are left out unless
 * there are no others: then they say why. */
static void add_candidates(struct fg_ctx *cx, const struct asked *f, const struct cat_route *from,
                           struct cat_route *to)
{
    for (int others = 0; others < 2 && to->model_n == 0; others++)
        for (unsigned i = 0; i < from->model_n; i++) {
            const struct cat_model *m = route_today(cx, f->catalogue, from->model[i]);
            bool alive = m && m->provider->set_up;
            if (!m)
                m = from->model[i];
            if ((alive || others) && (!f->provider.n || fg_eq(m->provider->name, f->provider)))
                add_candidate(to, m);
        }
}

/* False: the request names what is not there, and has been told. */
static bool read_choice(struct fg_ctx *cx, const struct asked *f, struct choice *out)
{
    const struct catalogue *c = f->catalogue;
    const struct cat_route *route = f->model.n ? catalogue_route(c, f->model) : c->default_route;
    const struct cat_model *named = f->model.n ? catalogue_model(c, f->model) : NULL;
    struct cat_route of_one = { .model = { named }, .model_n = 1 };
    *out = (struct choice){ .named = named };
    if (f->provider.n && !catalogue_provider(c, f->provider)) {
        fg_field(cx, "/provider", "value", "is not a provider here");
        return false;
    }
    if (!route && !named) {
        fg_field(cx, "/model", "value", "is neither a model nor a route here");
        return false;
    }
    if (!named)
        f->out->route = route->name;
    add_candidates(cx, f, named ? &of_one : route, &out->route);
    if (out->route.model_n == 0)
        fg_field(cx, named ? "/model" : "/provider", "value",
                 named ? "is not a model of that provider" : "has no model in the route %.*s", FG_P(f->out->route));
    return out->route.model_n > 0;
}

static bool has_image(const struct job_request *r)
{
    return r->upload.n || r->image_url.n;
}

/* What is wrong in itself has been told, and is not looked at again. */
static struct cat_wish wish_of(const struct job_request *r)
{
    return (struct cat_wish){
        .aspect_ratio = r->aspect_ratio,
        .resolution = r->resolution,
        .duration_s = r->duration_s,
        .prompt_chars = (int64_t)utf8_count(r->prompt),
        .image = has_image(r),
        .seed = r->has_seed,
        .negative = r->negative.n > 0,
        .audio = r->audio,
    };
}

/* One model: by field. "a was retired on 2026-09-15; b takes no reference image" */
static void refuse_by_field(struct fg_ctx *cx, const struct choice *ch, const struct cat_wish *w)
{
    struct cat_misfit misfit[CATALOGUE_MISFITS_MAX];
    const struct cat_model *m = ch->route.model[0];
    const char *before = "";
    if (ch->named && ch->named != m)
        before = arena_fmt(cx->mem, "%.*s %s; ", FG_P(ch->named->name), catalogue_unfit(cx, ch->named, w)).p;
    unsigned n = catalogue_misfits(cx, m, w, misfit);
    for (unsigned i = 0; i < n; i++)
        fg_field(cx, misfit[i].path, misfit[i].code, "%s%.*s %s", before, FG_P(m->name), misfit[i].words);
}

static void refuse_by_model(struct fg_ctx *cx, const struct cat_route *route, const struct cat_wish *w)
{
    for (unsigned i = 0; i < route->model_n; i++)
        fg_field(cx, "/model", "unsupported", "%.*s: %s", FG_P(route->model[i]->name),
                 catalogue_unfit(cx, route->model[i], w));
}

/* ---- within the plan ---- */

static bool has_size(const struct cat_model *m, const struct job_request *r, struct fg_str resolution)
{
    for (unsigned i = 0; i < m->size_n; i++)
        if (fg_eq(m->size[i].resolution, resolution) &&
            (fg_eq(m->size[i].aspect_ratio, r->aspect_ratio) || (has_image(r) && m->image_decides_ratio)))
            return true;
    return false;
}

static struct fg_str cheapest(const struct plan *p, const struct cat_model *m, const struct job_request *r)
{
    struct fg_str best = FG_NONE;
    int64_t best_micro = INT64_MAX;
    for (unsigned i = 0; i < m->price.by_n; i++) {
        struct fg_str one = m->price.by[i].resolution;
        int64_t micro = catalogue_price(&m->price, one, r->duration_s, r->audio);
        if (micro >= 0 && micro < best_micro && plan_allows(p->resolutions, one) && has_size(m, r, one)) {
            best = one;
            best_micro = micro;
        }
    }
    return best;
}

/* The one asked for; else the plan's, the model's, or the cheapest that the plan has. FG_NONE: the plan has none. */
static struct fg_str resolution_of(const struct cat_model *m, const struct job_request *r)
{
    const struct plan *p = &r->terms.plan;
    if (r->resolution.n)
        return plan_allows(p->resolutions, r->resolution) ? r->resolution : FG_NONE;
    if (p->default_resolution.n && has_size(m, r, p->default_resolution) &&
        plan_allows(p->resolutions, p->default_resolution))
        return p->default_resolution;
    if (plan_allows(p->resolutions, m->default_resolution))
        return m->default_resolution;
    return cheapest(p, m, r);
}

static bool in_plan(void *arg, const struct cat_model *m)
{
    const struct job_request *r = arg;
    return plan_allows(r->terms.plan.models, m->name) && resolution_of(m, r).n > 0;
}

struct not_braked {
    struct job_request *r;
    int64_t now_us;
};

static bool in_plan_and_not_braked(void *arg, const struct cat_model *m)
{
    const struct not_braked *b = arg;
    return in_plan(b->r, m) && !brakes_until(&b->r->brakes, m->provider->name, b->now_us);
}

static void complete(struct fg_ctx *cx, const struct cat_model *m, const struct cat_wish *w, struct job_request *r)
{
    struct fg_str resolution = resolution_of(m, r);
    r->model = m;
    r->ignored = catalogue_ignored(cx, m, w);
    if (!r->resolution.n)
        r->resolution = resolution.n ? resolution : m->default_resolution;
    if (!(w->image && m->image_decides_ratio))
        r->size = catalogue_size(m, r->aspect_ratio, r->resolution);
    r->base_micro = catalogue_price(&m->price, r->resolution, r->duration_s, r->audio);
    r->currency = r->quote.public_id.p ? r->quote.currency : m->price.currency;
}

/* ---- with a quote ---- */

/* A request that names no model leaves it to the quote. A route was chosen from by the quote, and is not asked again. */
static bool names_quoted(struct fg_ctx *cx, const struct asked *f)
{
    const struct quote *q = &f->out->quote;
    if (!f->model.n || fg_eq(f->model, q->model) || fg_eq(f->model, q->route))
        return true;
    const struct cat_model *m = route_today(cx, f->catalogue, catalogue_model(f->catalogue, f->model));
    return m && fg_eq(m->name, q->model);
}

static bool names_its_provider(const struct asked *f)
{
    const struct cat_model *m = catalogue_model(f->catalogue, f->out->quote.model);
    return !f->provider.n || !m || fg_eq(m->provider->name, f->provider);
}

static void add_mismatch(struct fg_ctx *cx, const char *path, struct fg_str quoted)
{
    fg_field(cx, path, "quote", "is not what the quote is for: %.*s", FG_P(quoted));
}

enum fg_code offer_match(struct fg_ctx *cx, const struct catalogue *c, struct fg_str provider, struct fg_str model,
                         struct job_request *r)
{
    static const char *const sound[] = { [AUDIO_ANY] = "either", [AUDIO_OFF] = "false", [AUDIO_ON] = "true" };
    const struct quote *q = &r->quote;
    struct asked f = { c, provider, model, r };
    enum fg_code rc = quote_alive(cx, q);
    if (rc != FG_OK)
        return rc;
    fg_fields_clear(cx);
    if (!names_quoted(cx, &f))
        add_mismatch(cx, "/model", q->model);
    if (!names_its_provider(&f))
        add_mismatch(cx, "/provider", q->model);
    if (r->resolution.n && !fg_eq(r->resolution, q->resolution))
        add_mismatch(cx, "/resolution", q->resolution);
    if (r->duration_s != q->duration_s)
        add_mismatch(cx, "/duration", arena_fmt(cx->mem, "%d", q->duration_s));
    if ((int)r->audio != q->audio)
        add_mismatch(cx, "/audio", fg_str_c(sound[q->audio]));
    if (!fg_eq(r->user_id, q->user_id))
        add_mismatch(cx, "/userId", q->user_id.p ? q->user_id : FG_LIT("the account itself"));
    r->resolution = q->resolution;
    return fg_fields_as(cx, FG_QUOTE_MISMATCH, "The quote is for another kind of job; see errors.");
}

/* Of what has been matched there is one candidate. False: it has gone, and the request has been told. */
static bool read_quoted(struct fg_ctx *cx, const struct asked *f, struct choice *out)
{
    const struct quote *q = &f->out->quote;
    const struct cat_model *m = catalogue_model(f->catalogue, q->model);
    if (!m) {
        fg_field(cx, "/quoteId", "unsupported", "is for %.*s, which is not made here any more", FG_P(q->model));
        return false;
    }
    *out = (struct choice){ .route = { .model = { m }, .model_n = 1 } };
    out->named = f->model.n ? catalogue_model(f->catalogue, f->model) : NULL;
    f->out->route = q->route;
    return true;
}

void offer_choose(struct fg_ctx *cx, const struct catalogue *c, struct fg_str provider, struct fg_str model,
                  struct job_request *r)
{
    struct asked f = { c, provider, model, r };
    struct choice ch;
    struct cat_wish w = wish_of(r);
    if (r->quote.public_id.p ? !read_quoted(cx, &f, &ch) : !read_choice(cx, &f, &ch))
        return;
    struct not_braked free = { r, cx->now_us };
    const struct cat_model *m = route_pick(cx, c, &ch.route, &w, in_plan_and_not_braked, &free);
    if (!m)
        m = route_pick(cx, c, &ch.route, &w, in_plan, r);
    if (!m) /* what only the plan is against is told when all else is right */
        m = route_pick(cx, c, &ch.route, &w, NULL, NULL);
    if (m) {
        complete(cx, m, &w, r);
        if (ch.named && ch.named != m)
            r->replaces = ch.named->name;
    } else if (ch.route.model_n == 1) {
        refuse_by_field(cx, &ch, &w);
    } else {
        refuse_by_model(cx, &ch.route, &w);
    }
}

/* What the plan is against, by field. */
static void check_plan(struct fg_ctx *cx, const struct job_request *r)
{
    const struct plan *p = &r->terms.plan;
    if (!plan_allows_seconds(p, r->duration_s))
        fg_field(cx, "/duration", "plan", "%lld seconds are not in the plan; these are: %.*s", (long long)r->duration_s,
                 FG_P(p->durations));
    if (!plan_allows(p->resolutions, r->resolution))
        fg_field(cx, "/resolution", "plan", "%.*s is not in the plan; these are: %.*s", FG_P(r->resolution),
                 FG_P(p->resolutions));
    if (p->output_days > 0 && r->keep_days > p->output_days)
        fg_field(cx, "/retainDays", "plan", "the plan keeps files for %lld days", (long long)p->output_days);
    if (!plan_allows(p->models, r->model->name))
        fg_field(cx, "/model", "plan", "%.*s is not in the plan; these are: %.*s", FG_P(r->model->name),
                 FG_P(p->models));
    if (!fg_eq(r->currency, r->terms.currency))
        fg_field(cx, "/model", "plan", "%.*s is priced in %.*s; this account pays in %.*s", FG_P(r->model->name),
                 FG_P(r->currency), FG_P(r->terms.currency));
}

static void take_fingerprint(const uint8_t pepper[HASH_LEN], struct fg_str provider, struct fg_str model,
                             struct job_request *r)
{
    int64_t number[] = { r->duration_s, r->has_seed, r->seed, r->audio };
    HASH_KEYED(pepper, HASH_INTENT, r->fingerprint, r->user_id, r->prompt, r->negative, r->aspect_ratio, r->resolution,
               r->image_url, r->upload, r->metadata, r->callback_url, provider, model,
               ((struct fg_str){ (const char *)number, sizeof number }));
}

enum fg_code offer_price(struct fg_ctx *cx, const uint8_t pepper[HASH_LEN], struct fg_str provider, struct fg_str model,
                         struct job_request *r)
{
    fg_fields_clear(cx);
    check_plan(cx, r);
    enum fg_code rc = fg_fields_as(cx, FG_PLAN_LIMIT, "The account's plan does not include this; see errors.");
    if (r->quote.public_id.p)
        r->price_micro = r->quote.price_micro;
    else if (rc == FG_OK && !plan_price(&r->terms.plan, r->base_micro, &r->price_micro))
        rc = fg_fail(cx, FG_INTERNAL, "The price does not fit.");
    if (rc == FG_OK)
        take_fingerprint(pepper, provider, model, r);
    return rc;
}

unsigned offer_parts(const struct job_request *r, struct offer_part out[OFFER_PARTS_MAX])
{
    const struct cat_price *p = &r->model->price;
    const char *unit = p->per_clip ? "clip" : "second";
    int64_t quantity = p->per_clip ? 1 : r->duration_s;
    int64_t plain = catalogue_price(p, r->resolution, 1, AUDIO_OFF);
    int64_t extra = catalogue_price(p, r->resolution, 1, r->audio) - plain, margin = r->price_micro - r->base_micro;
    unsigned n = 0;
    out[n++] = (struct offer_part){ "model", unit, quantity, plain, plain * quantity };
    if (extra)
        out[n++] = (struct offer_part){ "audio", unit, quantity, extra, extra * quantity };
    if (margin)
        out[n++] = (struct offer_part){ "margin", NULL, 1, margin, margin };
    return n;
}
