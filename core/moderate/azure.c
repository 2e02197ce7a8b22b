/* Azure AI Content Safety: severities of four categories, and no verdict of its own. */
#include "moderate/service_parts.h"

#include "base/arena.h"

#define TEXT_MAX 10000
#define SEVERITY_MAX 7
#define VERSION "?api-version=2023-10-01"

static const char *const categories[] = { "Hate", "SelfHarm", "Sexual", "Violence", NULL };

/* ---- calls ---- */

static enum fg_code call(struct fg_ctx *cx, const struct moderation_site *site, const char *path, const struct sb *body,
                         struct fetch_call *out)
{
    struct sb url = sb_in(cx->mem, SERVICE_URL_MAX);
    struct fg_str base = site->url;
    while (base.n && base.p[base.n - 1] == '/')
        base.n--;
    sb_add(&url, base);
    sb_add(&url, fg_str_c(path));
    enum fg_code rc = service_call(site, cx, &url, body, out);
    if (rc == FG_OK)
        out->secret = (struct fetch_header){ FG_LIT("Ocp-Apim-Subscription-Key"), site->key };
    return rc;
}

static void write_categories(struct jw *w)
{
    jw_open_array(w, "categories");
    for (const char *const *c = categories; *c; c++)
        jw_str(w, NULL, fg_str_c(*c));
    jw_close_array(w);
    jw_str(w, "outputType", FG_LIT("FourSeverityLevels"));
}

static enum fg_code text_call(struct fg_ctx *cx, const struct moderation_site *site, struct fg_str text,
                              struct fetch_call *out)
{
    enum fg_code rc = service_text_ok(cx, site, text);
    if (rc != FG_OK)
        return rc;
    struct sb body = sb_in(cx->mem, SERVICE_TEXT_BODY_MAX);
    struct jw w = jw_on(&body);
    jw_open(&w, NULL);
    jw_str(&w, "text", text);
    write_categories(&w);
    jw_close(&w);
    return call(cx, site, "/contentsafety/text:analyze" VERSION, &body, out);
}

static enum fg_code image_call(struct fg_ctx *cx, const struct moderation_site *site,
                               const struct moderation_image *image, struct fetch_call *out)
{
    enum fg_code rc = service_image_ok(cx, site, image);
    if (rc != FG_OK)
        return rc;
    struct sb body = sb_in(cx->mem, SERVICE_IMAGE_BODY_MAX);
    struct jw w = jw_on(&body);
    jw_open(&w, NULL);
    jw_open(&w, "image");
    jw_str(&w, "content", hash_base64(cx->mem, image->bytes));
    jw_close(&w);
    write_categories(&w);
    jw_close(&w);
    return call(cx, site, "/contentsafety/image:analyze" VERSION, &body, out);
}

/* ---- answers ---- */

#define ALL_SEEN 15u /* a bit for each category */

/* -1: not one of them. */
static int index_of(struct fg_str name)
{
    for (int i = 0; categories[i]; i++)
        if (fg_eq(name, fg_str_c(categories[i])))
            return i;
    return -1;
}

struct tally {
    struct verdict *out;
    struct jw scores;
    unsigned seen;
    int64_t worst;   /* severity */
};

static void count(const struct moderation_site *site, const struct js *v, struct tally *t)
{
    struct fg_str name;
    int64_t severity;
    if (!js_str(js_get(v, "category"), &name) || !js_i64(js_get(v, "severity"), &severity))
        return;
    int i = index_of(name);
    if (i < 0 || t->seen >> i & 1 || severity < 0 || severity > SEVERITY_MAX)
        return;
    t->seen |= 1u << i;
    jw_i64(&t->scores, categories[i], severity);
    enum verdict_kind kind = service_by_limits(service_limit(&site->block, name), service_limit(&site->review, name),
                                               severity * 1000000);
    if (kind > t->out->kind || (kind == t->out->kind && kind != VERDICT_ALLOW && severity > t->worst)) {
        t->out->kind = kind;
        t->out->category = fg_str_c(categories[i]);
        t->worst = severity;
    }
}

static void reply(struct fg_ctx *cx, const struct moderation_site *site, const struct fetch_reply *r,
                  struct verdict *out)
{
    const struct js *body = service_answer(cx, r, out), *analysis = js_get(body, "categoriesAnalysis");
    if (!body)
        return;
    *out = (struct verdict){ .kind = VERDICT_ALLOW };
    struct sb scores = sb_in(cx->mem, VERDICT_SCORES_MAX);
    struct tally t = { .out = out, .scores = jw_on(&scores) };
    jw_open(&t.scores, NULL);
    for (size_t i = 0; js_type(analysis) == JS_ARRAY && i < js_len(analysis); i++)
        count(site, js_at(analysis, i), &t);
    jw_close(&t.scores);
    if (t.seen != ALL_SEEN) {
        service_nonsense(out, FG_LIT("an answer without all four severities"));
        return;
    }
    out->scores = sb_str(&scores);
    if (out->kind != VERDICT_ALLOW)
        out->words = arena_fmt(cx->mem, "azure: %.*s %lld", FG_P(out->category), (long long)t.worst);
}

const struct moderation_service moderation_azure = {
    .name = "azure",
    .categories = categories,
    .score_max_milli = SEVERITY_MAX * 1000,
    .images = true,
    .text_max = TEXT_MAX,
    .image_bytes_max = 4 * FG_MIB,
    .side_min = 50,
    .side_max = 2048,
    .text_call = text_call,
    .image_call = image_call,
    .reply = reply,
};
