#include "moderate/service.h"

#include "base/arena.h"
#include "base/scan.h"
#include "base/utf8.h"
#include "moderate/service_parts.h"

#define REPLY_MAX (256 * FG_KIB)
#define RETRY_AFTER_MAX_S 3600
#define ERROR_CODE_MAX 60
#define URL_MAX 1000
#define MODEL_MAX 100

static const struct moderation_service *const services[] = { &moderation_openai, &moderation_azure };

const struct moderation_service *moderation_service(struct fg_str name)
{
    for (size_t i = 0; i < FG_LEN(services); i++)
        if (fg_eq(name, fg_str_c(services[i]->name)))
            return services[i];
    return NULL;
}

/* ---- configuration ---- */

/* "0.25" or "4", up to max, in thousandths. */
static bool scan_milli(struct fg_str s, int64_t max, int64_t *milli)
{
    uint64_t whole, part = 0;
    size_t digits = 0;
    if (!scan_u64(&s, (uint64_t)max / 1000, &whole))
        return false;
    if (scan_char(&s, '.')) {
        for (; s.n && s.p[0] >= '0' && s.p[0] <= '9' && digits < 3; digits++, s.p++, s.n--)
            part = part * 10 + (uint64_t)(s.p[0] - '0');
        if (digits == 0)
            return false;
    }
    for (; digits < 3; digits++)
        part *= 10;
    *milli = (int64_t)(whole * 1000 + part);
    return s.n == 0 && *milli > 0 && *milli <= max;
}

static bool knows(const struct moderation_service *s, struct fg_str category)
{
    if (!s->categories)
        return true;
    for (const char *const *c = s->categories; *c; c++)
        if (fg_eq(category, fg_str_c(*c)))
            return true;
    return false;
}

static enum fg_code read_limit(struct fg_ctx *cx, const struct moderation_service *s, const char *key,
                               struct fg_str word, struct moderation_limits *out)
{
    struct fg_str name = FG_NONE, rest = word;
    int64_t milli;
    (void)scan_until(&rest, '=', &name);
    if (!service_category(cx, name).n || !scan_milli(rest, s->score_max_milli, &milli))
        return fg_fail(cx, FG_CONFIG, "moderation.%s_%s: \"%.*s\" is not as CATEGORY=SCORE with a score up to %lld",
                       s->name, key, FG_P(word), (long long)s->score_max_milli / 1000);
    if (!knows(s, name))
        return fg_fail(cx, FG_CONFIG, "moderation.%s_%s: there is no category %.*s", s->name, key, FG_P(name));
    if (service_limit(out, name) >= 0)
        return fg_fail(cx, FG_CONFIG, "moderation.%s_%s: %.*s is there twice", s->name, key, FG_P(name));
    if (out->n == MODERATION_LIMITS_MAX)
        return fg_fail(cx, FG_CONFIG, "moderation.%s_%s: more than %d", s->name, key, MODERATION_LIMITS_MAX);
    out->at[out->n++] = (struct moderation_limit){ name, milli };
    return FG_OK;
}

static enum fg_code read_limits(struct fg_ctx *cx, const struct moderation_service *s, const char *key,
                                struct fg_str list, struct moderation_limits *out)
{
    struct fg_str word;
    enum fg_code rc = FG_OK;
    while (rc == FG_OK && scan_until(&list, ' ', &word))
        if (word.n)
            rc = read_limit(cx, s, key, word, out);
    return rc;
}

/* The keys of one service, as they stand in the configuration. */
struct keys {
    struct fg_str url, key, model, block, review;
    bool needs_model;
};

static struct keys keys_of(const struct conf *c, const struct moderation_service *s)
{
    if (s == &moderation_openai)
        return (struct keys){ c->moderation_openai_url,   c->moderation_openai_key,    c->moderation_openai_model,
                              c->moderation_openai_block, c->moderation_openai_review, true };
    return (struct keys){ c->moderation_azure_url,   c->moderation_azure_key,    FG_NONE,
                          c->moderation_azure_block, c->moderation_azure_review, false };
}

static enum fg_code configure_one(struct fg_ctx *cx, const struct conf *conf, const struct moderation_service *s,
                                  struct moderation_site *out)
{
    struct keys k = keys_of(conf, s);
    if (!k.url.n || !k.key.n || (k.needs_model && !k.model.n))
        return fg_fail(cx, FG_CONFIG, "moderation.services names %s, but moderation.%s_%s is not set", s->name, s->name,
                       !k.url.n ? "url" : !k.key.n ? "key" : "model");
    if (k.url.n > URL_MAX || k.model.n > MODEL_MAX)
        return fg_fail(cx, FG_CONFIG, "moderation.%s_url or its model is too long", s->name);
    *out = (struct moderation_site){ .service = s, .url = k.url, .key = k.key, .model = k.model,
                                     .timeout_ms = conf->moderation_timeout_ms };
    if (fetch_check_url(cx, conf, k.url, false) != FG_OK) {
        struct fg_str words = arena_str(cx->mem, fg_str_c(cx->err.detail));
        return fg_fail(cx, FG_CONFIG, "moderation.%s_url: %.*s", s->name, FG_P(words));
    }
    enum fg_code rc = read_limits(cx, s, "block", k.block, &out->block);
    return rc == FG_OK ? read_limits(cx, s, "review", k.review, &out->review) : rc;
}

static bool has(const struct moderation_sites *sites, const struct moderation_service *s)
{
    for (unsigned i = 0; i < sites->n; i++)
        if (sites->site[i].service == s)
            return true;
    return false;
}

enum fg_code moderation_configure(struct fg_ctx *cx, const struct conf *conf, struct moderation_sites *out)
{
    struct moderation_sites got = { .n = 0 };
    struct fg_str list = conf->moderation_services, word;
    while (scan_until(&list, ',', &word)) {
        word = utf8_trim(word);
        const struct moderation_service *s = moderation_service(word);
        if (!s)
            return fg_fail(cx, FG_CONFIG, "moderation.services: \"%.*s\" is none; there are openai and azure",
                           FG_P(word));
        if (has(&got, s))
            return fg_fail(cx, FG_CONFIG, "moderation.services: %s is there twice", s->name);
        enum fg_code rc = configure_one(cx, conf, s, &got.site[got.n]);
        if (rc != FG_OK)
            return rc;
        got.n++;
    }
    *out = got;
    return FG_OK;
}

static void add_limits(struct sb *b, const char *name, const struct moderation_limits *l)
{
    sb_addf(b, "%s:", name);
    for (unsigned i = 0; i < l->n; i++)
        sb_addf(b, "%.*s=%lld ", FG_P(l->at[i].category), (long long)l->at[i].milli);
}

void moderation_policy(struct fg_ctx *cx, const struct moderation_site *site, uint8_t out[HASH_LEN])
{
    struct sb b = sb_in(cx->mem, 2 * SERVICE_URL_MAX + 4 * MODERATION_LIMITS_MAX * VERDICT_CATEGORY_MAX);
    sb_addf(&b, "%s %zu:%.*s %zu:%.*s ", site->service->name, site->url.n, FG_P(site->url), site->model.n,
            FG_P(site->model));
    add_limits(&b, "block", &site->block);
    add_limits(&b, "review", &site->review);
    FG_ASSERT(!b.bad);
    hash_plain(sb_str(&b), out);
}

/* ---- calls ---- */

bool moderation_takes_image(const struct moderation_service *s, const struct moderation_image *image)
{
    int64_t small = image->width < image->height ? image->width : image->height;
    int64_t large = image->width < image->height ? image->height : image->width;
    return s->images && image->bytes.n > 0 && image->bytes.n <= s->image_bytes_max && small >= s->side_min &&
           (!s->side_max || large <= s->side_max);
}

enum fg_code service_image_ok(struct fg_ctx *cx, const struct moderation_site *site,
                              const struct moderation_image *image)
{
    if (moderation_takes_image(site->service, image))
        return FG_OK;
    return fg_fail(cx, FG_TOO_LARGE, "%s does not take a picture of %zu bytes and %lldx%lld pixels",
                   site->service->name, image->bytes.n, (long long)image->width, (long long)image->height);
}

enum fg_code service_text_ok(struct fg_ctx *cx, const struct moderation_site *site, struct fg_str text)
{
    size_t n = text.n <= 4 * site->service->text_max ? utf8_count(text) : SIZE_MAX;
    if (n <= site->service->text_max)
        return FG_OK;
    return fg_fail(cx, FG_TOO_LARGE, "%s takes a text of %zu characters", site->service->name, site->service->text_max);
}

enum fg_code service_call(const struct moderation_site *site, struct fg_ctx *cx, const struct sb *url,
                          const struct sb *body, struct fetch_call *out)
{
    if (url->bad || body->bad)
        return fg_fail(cx, FG_TOO_LARGE, "A request to %s is too large", site->service->name);
    *out = fetch_call_init("POST", sb_str(url));
    fetch_add_header(out, FG_LIT("Content-Type"), FG_LIT("application/json"));
    out->body = sb_str(body);
    out->timeout_ms = site->timeout_ms;
    out->max_bytes = REPLY_MAX;
    return FG_OK;
}

/* ---- answers ---- */

void service_nonsense(struct verdict *out, struct fg_str words)
{
    *out = (struct verdict){ .kind = VERDICT_ERROR, .words = words };
}

/* What each status means besides "not now". */
static const struct {
    int status;
    bool operator_error, refused;
} statuses[] = {
    { 400, false, true }, { 413, false, true }, { 415, false, true }, { 422, false, true },
    { 401, true, false }, { 402, true, false }, { 403, true, false }, { 404, true, false }, { 405, true, false },
};

static struct fg_str text_of(const struct js *v, const char *key)
{
    struct fg_str s;
    return js_str(js_get(v, key), &s) ? s : FG_NONE;
}

/* {"error":{"code","message"}}, of both. The message of a refused key may repeat it. */
static void failed(struct fg_ctx *cx, const struct fetch_reply *r, const struct js *body, struct verdict *out)
{
    const struct js *error = js_get(body, "error");
    struct fg_str code = utf8_cut(text_of(error, "code"), ERROR_CODE_MAX), message = text_of(error, "message");
    int64_t after_s = fetch_retry_after_s(cx, r);
    *out = (struct verdict){ .kind = VERDICT_ERROR,
                             .retry_after_s = after_s < RETRY_AFTER_MAX_S ? after_s : RETRY_AFTER_MAX_S };
    for (size_t i = 0; i < FG_LEN(statuses); i++)
        if (r->status == statuses[i].status) {
            out->operator_error = statuses[i].operator_error;
            out->refused = statuses[i].refused;
        }
    out->operator_error |= FG_IS(code, "insufficient_quota");
    if (out->operator_error)
        message = FG_NONE;
    out->words = utf8_cut(arena_fmt(cx->mem, "HTTP %d %.*s%s%.*s", r->status, FG_P(code), message.n ? ": " : "",
                                    FG_P(utf8_cut(message, VERDICT_WORDS_MAX))), VERDICT_WORDS_MAX);
}

/* What libcurl says need not be UTF-8. */
static struct fg_str valid(struct fg_str s)
{
    return utf8_count(s) == SIZE_MAX ? FG_LIT("no answer") : utf8_cut(s, VERDICT_WORDS_MAX);
}

const struct js *service_answer(struct fg_ctx *cx, const struct fetch_reply *r, struct verdict *out)
{
    const struct js *body = NULL;
    if (r->end != FETCH_ANSWERED) {
        service_nonsense(out, arena_str(cx->mem, r->words.n ? valid(r->words) : FG_LIT("no answer")));
        return NULL;
    }
    if (js_parse(cx, r->body, &body) != FG_OK)
        body = NULL;
    if (r->status < 200 || r->status > 299) {
        failed(cx, r, body, out);
        return NULL;
    }
    if (js_type(body) == JS_OBJECT)
        return body;
    service_nonsense(out, FG_LIT("an answer that is no JSON object"));
    return NULL;
}

struct fg_str service_category(struct fg_ctx *cx, struct fg_str name)
{
    static const char others[] = "/-_. ";
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            !memchr(others, c, sizeof others - 1))
            return FG_NONE;
    }
    return name.n && name.n <= VERDICT_CATEGORY_MAX ? arena_str(cx->mem, name) : FG_NONE;
}

int64_t service_limit(const struct moderation_limits *l, struct fg_str category)
{
    for (unsigned i = 0; i < l->n; i++)
        if (fg_eq(l->at[i].category, category))
            return l->at[i].milli;
    return -1;
}

enum verdict_kind service_by_limits(int64_t block_milli, int64_t review_milli, int64_t micro)
{
    if (block_milli >= 0 && micro >= block_milli * 1000)
        return VERDICT_BLOCK;
    return review_milli >= 0 && micro >= review_milli * 1000 ? VERDICT_REVIEW : VERDICT_ALLOW;
}
