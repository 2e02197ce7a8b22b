/* One model of the catalogue's file: what it takes and costs. */
#include "provider/catalogue_parts.h"

#include "base/arena.h"
#include "base/scan.h"

#define PROMPT_MAX_DEFAULT 1000
#define SHORT_MAX 8 /* of ratio and resolution: as wide as their columns */
#define SIDE_MIN 16
#define SIDE_MAX 8192
#define RATIO_PART_MAX 99
#define RATIO_OFF_PERCENT 3

/* [4, 6, 8] or {"min": 5, "max": 10} */
static enum fg_code read_durations(struct cat_reader *r, const char *path, const struct js *v, struct cat_model *m)
{
    const struct js *list = js_get(v, "durations");
    int64_t s;
    for (size_t i = 0; js_type(list) == JS_ARRAY && i < js_len(list); i++)
        if (js_i64(js_at(list, i), &s))
            m->durations |= UINT64_C(1) << s;
    if (js_type(list) == JS_OBJECT)
        for (s = cat_number(list, "min", 1); s <= cat_number(list, "max", 0); s++)
            m->durations |= UINT64_C(1) << s;
    return m->durations ? FG_OK : cat_wrong(r, CAT_DOWN(r, path, "durations"), "min is over max");
}

/* ---- sizes ---- */

static bool pair(struct fg_str s, char between, uint64_t max, int64_t *a, int64_t *b)
{
    uint64_t x, y;
    if (!scan_u64(&s, max, &x) || !scan_char(&s, between) || !scan_all_u64(s, max, &y) || !x || !y)
        return false;
    *a = (int64_t)x;
    *b = (int64_t)y;
    return true;
}

/* v: "1280x720", or null where the provider does not promise pixels. */
static enum fg_code read_size(struct cat_reader *r, const char *path, const struct js *v, struct cat_size size,
                              struct cat_model *m)
{
    struct fg_str text;
    int64_t across, up;
    if (m->size_n == CATALOGUE_SIZES_MAX)
        return cat_wrong(r, path, "is over %d sizes", CATALOGUE_SIZES_MAX);
    if (!cat_name_ok(size.resolution, SHORT_MAX))
        return cat_wrong(r, path, "is no name of a resolution like 720p");
    if (!pair(size.aspect_ratio, ':', RATIO_PART_MAX, &across, &up) || size.aspect_ratio.n > SHORT_MAX)
        return cat_wrong(r, path, "is below no aspect ratio like 16:9");
    if (js_str(v, &text)) {
        if (!pair(text, 'x', SIDE_MAX, &size.width, &size.height) || size.width < SIDE_MIN ||
            size.height < SIDE_MIN || size.width % 2 || size.height % 2)
            return cat_wrong(r, path, "must be two even numbers like 1280x720");
        int64_t off = size.width * up - size.height * across;
        if ((off < 0 ? -off : off) * 100 > size.height * across * RATIO_OFF_PERCENT)
            return cat_wrong(r, path, "does not have that aspect ratio");
    } else if (m->adapter->pixels) {
        return cat_wrong(r, path, "must be pixels like 1280x720: the adapter %s asks for them", m->adapter->name);
    }
    m->size[m->size_n++] = size;
    return FG_OK;
}

static enum fg_code read_sizes(struct cat_reader *r, const char *path, const struct js *v, struct cat_model *m)
{
    struct cat_size s = { 0 };
    const char *at = CAT_DOWN(r, path, "sizes");
    const struct js *below, *size;
    for (size_t it = 0; js_next(js_get(v, "sizes"), &it, &s.aspect_ratio, &below);) {
        const char *at_ratio = cat_down(r, at, s.aspect_ratio);
        for (size_t k = 0; js_next(below, &k, &s.resolution, &size);) {
            enum fg_code rc = read_size(r, cat_down(r, at_ratio, s.resolution), size, s, m);
            if (rc != FG_OK)
                return rc;
        }
    }
    m->default_resolution = cat_text(v, "defaultResolution");
    for (unsigned i = 0; i < m->size_n; i++)
        if (!catalogue_size(m, m->size[i].aspect_ratio, m->default_resolution))
            return cat_wrong(r, CAT_DOWN(r, path, "defaultResolution"), "is not there for %.*s",
                             FG_P(m->size[i].aspect_ratio));
    return FG_OK;
}

/* ---- price and cost ---- */

/* A number for all, or one by resolution, of which "*" is every other; -1: neither has it. */
static int64_t micro_of(const struct js *v, struct fg_str resolution, struct arena *mem)
{
    int64_t n;
    if (js_i64(v, &n) || js_i64(js_get(v, arena_cstr(mem, resolution)), &n) || js_i64(js_get(v, "*"), &n))
        return n;
    return -1;
}

static bool has_price(const struct cat_price *p, struct fg_str resolution)
{
    return catalogue_price(p, resolution, 1, AUDIO_ANY) >= 0;
}

/* One entry for each resolution of the model. */
static enum fg_code read_micro(struct cat_reader *r, const char *path, const struct js *v, const struct cat_model *m,
                               struct cat_price *p)
{
    const struct js *micro = js_get(v, "micro"), *audio = js_get(v, "audioMicro");
    for (unsigned i = 0; i < m->size_n; i++) {
        struct fg_str res = m->size[i].resolution;
        if (has_price(p, res))
            continue;
        if (p->by_n == CATALOGUE_PRICES_MAX)
            return cat_wrong(r, path, "is over %d resolutions", CATALOGUE_PRICES_MAX);
        int64_t plain = micro_of(micro, res, r->cx->mem);
        int64_t loud = audio ? micro_of(audio, res, r->cx->mem) : plain;
        if (plain < 0 || loud < 0)
            return cat_wrong(r, cat_down(r, path, plain < 0 ? FG_LIT("micro") : FG_LIT("audioMicro")),
                             "has no entry for %.*s", FG_P(res));
        p->by[p->by_n].resolution = res;
        p->by[p->by_n].micro = plain;
        p->by[p->by_n++].audio_micro = loud;
    }
    return FG_OK;
}

/* A price for a resolution that the model does not have is a slip of the pen. */
static enum fg_code check_micro(struct cat_reader *r, const char *path, const struct js *v, const char *key,
                                const struct cat_price *p)
{
    const char *at = cat_down(r, path, fg_str_c(key));
    struct fg_str res;
    const struct js *value;
    for (size_t it = 0; js_next(js_get(v, key), &it, &res, &value);)
        if (!FG_IS(res, "*") && !has_price(p, res))
            return cat_wrong(r, cat_down(r, at, res), "is no resolution of the model");
    return FG_OK;
}

static enum fg_code read_price(struct cat_reader *r, const char *path, const struct js *v, const struct cat_model *m,
                               struct cat_price *p)
{
    static const char *const per[] = { "second", "clip", NULL };
    int64_t day;
    p->per_clip = cat_word(v, "per", per) == 1;
    p->currency = cat_text(v, "currency");
    p->as_of = cat_text(v, "asOf");
    p->source = cat_text(v, "source");
    for (size_t i = 0; i < p->currency.n; i++)
        if (p->currency.p[i] < 'A' || p->currency.p[i] > 'Z')
            return cat_wrong(r, CAT_DOWN(r, path, "currency"), "must be three capital letters");
    if (js_get(v, "audioMicro") && m->audio != CAT_AUDIO_CHOICE)
        return cat_wrong(r, CAT_DOWN(r, path, "audioMicro"), "is for models that leave the choice of sound");
    enum fg_code rc = cat_day(r, path, v, "asOf", &day);
    if (rc == FG_OK)
        rc = read_micro(r, path, v, m, p);
    if (rc == FG_OK)
        rc = check_micro(r, path, v, "micro", p);
    if (rc == FG_OK)
        rc = check_micro(r, path, v, "audioMicro", p);
    return rc;
}

/* Who names no resolution has not asked for the dearest: where there is a choice, it is another. */
static enum fg_code check_default(struct cat_reader *r, const char *path, const struct cat_model *m)
{
    int64_t dearest = 0, cheapest = INT64_MAX, usual = catalogue_price(&m->price, m->default_resolution, 1, AUDIO_ANY);
    for (unsigned i = 0; i < m->price.by_n; i++) {
        int64_t micro = m->price.by[i].micro;
        dearest = micro > dearest ? micro : dearest;
        cheapest = micro < cheapest ? micro : cheapest;
    }
    if (cheapest < dearest && usual == dearest)
        return cat_wrong(r, CAT_DOWN(r, path, "defaultResolution"), "must not be the dearest where there is a choice");
    return FG_OK;
}

/* Without a cost of its own the price is the cost. */
static enum fg_code read_money(struct cat_reader *r, const char *path, const struct js *v, struct cat_model *m)
{
    const struct js *cost = js_get(v, "cost");
    enum fg_code rc = read_price(r, CAT_DOWN(r, path, "price"), js_get(v, "price"), m, &m->price);
    if (rc != FG_OK)
        return rc;
    if (!cost) {
        m->cost = m->price;
        return FG_OK;
    }
    rc = read_price(r, CAT_DOWN(r, path, "cost"), cost, m, &m->cost);
    if (rc == FG_OK && !fg_eq(m->cost.currency, m->price.currency))
        rc = cat_wrong(r, CAT_DOWN(r, path, "cost/currency"), "must be the price's");
    return rc;
}

/* ---- the model ---- */

static void read_abilities(const struct js *v, struct cat_model *m)
{
    static const char *const image[] = {
        [CAT_NONE] = "none", [CAT_OPTIONAL] = "optional", [CAT_REQUIRED] = "required", NULL
    };
    static const char *const audio[] = {
        [CAT_SILENT] = "none", [CAT_AUDIO_CHOICE] = "choice", [CAT_AUDIO_ALWAYS] = "always", NULL
    };
    m->remote = m->remote_image = cat_text(v, "remote");
    if (js_get(v, "remoteImage"))
        m->remote_image = cat_text(v, "remoteImage");
    m->prompt_max = cat_number(v, "promptMax", PROMPT_MAX_DEFAULT);
    m->image = (enum cat_need)cat_word(v, "image", image);
    m->image_decides_ratio = cat_bool(v, "imageDecidesRatio");
    m->seed = cat_bool(v, "seed");
    m->negative = cat_bool(v, "negativePrompt");
    m->audio = (enum cat_audio)cat_word(v, "audio", audio);
    m->concurrency = cat_number(v, "concurrency", 0);
    m->output_life_s = cat_number(v, "outputLifeSeconds", 0);
    m->substitute = cat_text(v, "substitute");
}

static enum fg_code check_image(struct cat_reader *r, const char *path, const struct js *v, const struct cat_model *m)
{
    static const char *const needs_one[] = { "remoteImage", "imageDecidesRatio" };
    for (size_t i = 0; m->image == CAT_NONE && i < FG_LEN(needs_one); i++)
        if (js_get(v, needs_one[i]))
            return cat_wrong(r, cat_down(r, path, fg_str_c(needs_one[i])), "is for models that take an image");
    if (m->image != CAT_NONE && m->adapter->image_by == IMAGE_BY_UPLOAD && !m->adapter->upload_call)
        return cat_wrong(r, CAT_DOWN(r, path, "image"), "the adapter %s cannot hand one over", m->adapter->name);
    return FG_OK;
}

enum fg_code cat_read_model(struct cat_reader *r, const char *path, const struct js *v, const struct cat_provider *p,
                            struct cat_model *m)
{
    m->provider = p;
    m->adapter = js_get(v, "adapter") ? provider_by_name(cat_text(v, "adapter")) : p->adapter;
    if (!m->adapter)
        return cat_wrong(r, CAT_DOWN(r, path, "adapter"), "is no adapter of this program");
    read_abilities(v, m);
    enum fg_code rc = check_image(r, path, v, m);
    if (rc == FG_OK)
        rc = read_durations(r, path, v, m);
    if (rc == FG_OK)
        rc = read_sizes(r, path, v, m);
    if (rc == FG_OK)
        rc = read_money(r, path, v, m);
    if (rc == FG_OK)
        rc = check_default(r, path, m);
    if (rc == FG_OK)
        rc = cat_day(r, path, v, "retiresOn", &m->retires_us);
    return rc == FG_OK ? cat_read_wire(r, path, v, m) : rc;
}
