/* The /v1/moderations format of OpenAI and of those who copy it, with or without flags. */
#include "moderate/service_parts.h"

#include "base/arena.h"
#include "base/utf8.h"

#define TEXT_MAX 30000
/* Always blocked from here on, in thousandths: nobody may set it higher. */
#define MINORS "sexual/minors"
#define MINORS_MILLI 100

/* No harm in them: advice on health, money, law, and personal data. Those who name one in their limits mean it. */
static const char *const harmless[] = { "health", "financial", "law", "pii" };

/* ---- calls ---- */

static enum fg_code call(struct fg_ctx *cx, const struct moderation_site *site, const struct sb *body,
                         struct fetch_call *out)
{
    struct sb url = sb_in(cx->mem, SERVICE_URL_MAX);
    sb_add(&url, site->url);
    enum fg_code rc = service_call(site, cx, &url, body, out);
    if (rc == FG_OK)
        out->secret = (struct fetch_header){ FG_LIT("Authorization"),
                                             arena_fmt(cx->mem, "Bearer %.*s", FG_P(site->key)) };
    return rc;
}

/* A list of strings, which those copies know too that take no parts. */
static enum fg_code text_call(struct fg_ctx *cx, const struct moderation_site *site, struct fg_str text,
                              struct fetch_call *out)
{
    enum fg_code rc = service_text_ok(cx, site, text);
    if (rc != FG_OK)
        return rc;
    struct sb body = sb_in(cx->mem, SERVICE_TEXT_BODY_MAX);
    struct jw w = jw_on(&body);
    jw_open(&w, NULL);
    jw_str(&w, "model", site->model);
    jw_open_array(&w, "input");
    jw_str(&w, NULL, text);
    jw_close_array(&w);
    jw_close(&w);
    return call(cx, site, &body, out);
}

static enum fg_code image_call(struct fg_ctx *cx, const struct moderation_site *site,
                               const struct moderation_image *image, struct fetch_call *out)
{
    enum fg_code rc = service_image_ok(cx, site, image);
    if (rc != FG_OK)
        return rc;
    struct sb url = sb_in(cx->mem, SERVICE_IMAGE_BODY_MAX), body = sb_in(cx->mem, SERVICE_IMAGE_BODY_MAX);
    sb_addf(&url, "data:%.*s;base64,", FG_P(image->type));
    sb_add(&url, hash_base64(cx->mem, image->bytes));
    struct jw w = jw_on(&body);
    jw_open(&w, NULL);
    jw_str(&w, "model", site->model);
    jw_open_array(&w, "input");
    jw_open(&w, NULL);
    jw_str(&w, "type", FG_LIT("image_url"));
    jw_open(&w, "image_url");
    jw_str(&w, "url", sb_str(&url));
    jw_close(&w);
    jw_close(&w);
    jw_close_array(&w);
    jw_close(&w);
    body.bad |= url.bad;
    return call(cx, site, &body, out);
}

/* ---- answers ---- */

/* Millionths; -1: no score. What is over 1 is as bad as 1. */
static int64_t micro_of(struct fg_ctx *cx, const struct js *v)
{
    struct fg_str digits;
    if (!js_number_text(v, &digits))
        return -1;
    double score = strtod(arena_cstr(cx->mem, digits), NULL);
    return score <= 0 ? 0 : score >= 1 ? 1000000 : (int64_t)(score * 1e6 + 0.5);
}

static bool is_harmless(struct fg_str name)
{
    for (size_t i = 0; i < FG_LEN(harmless); i++)
        if (fg_eq(name, fg_str_c(harmless[i])))
            return true;
    return false;
}

/* A category that is named in neither list goes by its flag. */
static enum verdict_kind judge(const struct moderation_site *site, struct fg_str name, bool flag, int64_t micro)
{
    int64_t block = service_limit(&site->block, name), review = service_limit(&site->review, name);
    bool named = block >= 0 || review >= 0;
    if (FG_IS(name, MINORS) && (block < 0 || block > MINORS_MILLI))
        block = MINORS_MILLI;
    enum verdict_kind kind = service_by_limits(block, review, micro);
    if (kind == VERDICT_ALLOW && flag && !named && !is_harmless(name))
        kind = VERDICT_BLOCK;
    return kind;
}

struct tally {
    const struct moderation_site *site;
    struct verdict *out;
    int64_t micro;   /* the score of the worst */
    bool any;        /* something was said */
    bool up;         /* a category has its flag up */
};

static void count(struct fg_ctx *cx, struct tally *t, struct fg_str name, bool flag, int64_t micro)
{
    enum verdict_kind kind = judge(t->site, name, flag, micro);
    if (kind == VERDICT_ALLOW || kind < t->out->kind || (kind == t->out->kind && micro <= t->micro))
        return;
    t->out->kind = kind;
    t->out->category = service_category(cx, name);
    if (!t->out->category.n)
        t->out->category = FG_LIT("other");
    t->micro = micro;
}

/* Names, flags and scores of one result. A flag may be null, or absent like a score. */
static void read_result(struct fg_ctx *cx, struct tally *t, const struct js *result)
{
    const struct js *flags = js_get(result, "categories"), *scores = js_get(result, "category_scores"), *v;
    struct fg_str name;
    bool flag, flagged = false;
    t->up = false;
    for (size_t it = 0; js_next(flags, &it, &name, &v);) {
        int64_t micro = micro_of(cx, js_get(scores, arena_cstr(cx->mem, name)));
        flag = false;
        t->any |= js_bool(v, &flag);
        t->up |= flag;
        count(cx, t, name, flag, micro);
    }
    for (size_t it = 0; js_next(scores, &it, &name, &v);) {
        int64_t micro = micro_of(cx, v);
        t->any |= micro >= 0;
        count(cx, t, name, false, micro);
    }
    t->any |= js_bool(js_get(result, "flagged"), &flagged);
    if (flagged && !t->up && t->out->kind < VERDICT_BLOCK) { /* for a reason that it does not tell */
        t->out->kind = VERDICT_BLOCK;
        t->out->category = FG_LIT("flagged");
    }
}

/* As given, as far as there is room. */
static struct fg_str scores_of(struct fg_ctx *cx, const struct js *results)
{
    const struct js *scores = js_get(js_at(results, 0), "category_scores"), *v;
    struct sb b = sb_in(cx->mem, VERDICT_SCORES_MAX);
    struct jw w = jw_on(&b);
    struct fg_str name, digits;
    jw_open(&w, NULL);
    for (size_t it = 0; js_next(scores, &it, &name, &v);)
        if (js_number_text(v, &digits) && service_category(cx, name).n &&
            b.n + name.n + digits.n + 8 < VERDICT_SCORES_MAX) { /* quotes, colon, comma, the end */
            jw_key(&w, name);
            jw_raw(&w, NULL, digits);
        }
    jw_close(&w);
    return b.n > 2 ? sb_str(&b) : FG_NONE;
}

static void reply(struct fg_ctx *cx, const struct moderation_site *site, const struct fetch_reply *r,
                  struct verdict *out)
{
    const struct js *body = service_answer(cx, r, out), *results = js_get(body, "results");
    struct fg_str id;
    if (!body)
        return;
    *out = (struct verdict){ .kind = VERDICT_ALLOW };
    struct tally t = { .site = site, .out = out, .micro = -1 };
    for (size_t i = 0; js_type(results) == JS_ARRAY && i < js_len(results); i++)
        read_result(cx, &t, js_at(results, i));
    if (!t.any) {
        service_nonsense(out, FG_LIT("an answer without a result"));
        return;
    }
    out->scores = scores_of(cx, results);
    if (js_str(js_get(body, "id"), &id))
        out->ref = arena_str(cx->mem, utf8_cut(id, VERDICT_REF_MAX));
    if (out->kind != VERDICT_ALLOW)
        out->words = arena_fmt(cx->mem, "openai: %.*s %lld/1000", FG_P(out->category), (long long)t.micro / 1000);
}

const struct moderation_service moderation_openai = {
    .name = "openai",
    .score_max_milli = 1000,
    .images = true,
    .text_max = TEXT_MAX,
    .image_bytes_max = 20 * 1000 * 1000,
    .side_min = 1,
    .text_call = text_call,
    .image_call = image_call,
    .reply = reply,
};
