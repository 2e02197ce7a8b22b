/* What a model of the catalogue can serve, and why not. */
#include "provider/catalogue.h"

#include "base/arena.h"
#include "base/sb.h"
#include "base/time.h"

#define DATE_LEN 10
#define WORDS_MAX 400

bool catalogue_retired(const struct cat_model *m, int64_t now_us)
{
    return m->retires_us && now_us >= m->retires_us;
}

struct fg_str catalogue_date(struct fg_ctx *cx, int64_t us)
{
    struct fg_str s = time_iso(cx->mem, us);
    s.n = DATE_LEN;
    return s;
}

/* With a picture, the ratio is the picture's. */
static bool picture_decides(const struct cat_model *m, const struct cat_wish *w)
{
    return w->image && m->image != CAT_NONE && m->image_decides_ratio;
}

static struct fg_str resolution(const struct cat_model *m, const struct cat_wish *w)
{
    return w->resolution.n ? w->resolution : m->default_resolution;
}

/* ---- each thing that can speak against it: words, or NULL ---- */

static const char *is_retired(struct fg_ctx *cx, const struct cat_model *m, const struct cat_wish *w)
{
    (void)w;
    if (!catalogue_retired(m, cx->now_us))
        return NULL;
    return arena_fmt(cx->mem, "was retired on %.*s", FG_P(catalogue_date(cx, m->retires_us))).p;
}

static const char *is_not_set_up(struct fg_ctx *cx, const struct cat_model *m, const struct cat_wish *w)
{
    (void)cx, (void)w;
    return m->provider->set_up ? NULL : "is not set up here";
}

static const char *prompt_is_long(struct fg_ctx *cx, const struct cat_model *m, const struct cat_wish *w)
{
    if (w->prompt_chars <= m->prompt_max)
        return NULL;
    return arena_fmt(cx->mem, "takes a prompt of at most %lld characters", (long long)m->prompt_max).p;
}

static bool has_ratio(const struct cat_model *m, struct fg_str ratio)
{
    for (unsigned i = 0; i < m->size_n; i++)
        if (fg_eq(m->size[i].aspect_ratio, ratio))
            return true;
    return false;
}

static bool has_resolution(const struct cat_model *m, struct fg_str name)
{
    for (unsigned i = 0; i < m->size_n; i++)
        if (fg_eq(m->size[i].resolution, name))
            return true;
    return false;
}

static const char *lacks_ratio(struct fg_ctx *cx, const struct cat_model *m, const struct cat_wish *w)
{
    if (!w->aspect_ratio.n || picture_decides(m, w) || has_ratio(m, w->aspect_ratio))
        return NULL;
    return arena_fmt(cx->mem, "does not make %.*s", FG_P(w->aspect_ratio)).p;
}

static const char *lacks_resolution(struct fg_ctx *cx, const struct cat_model *m, const struct cat_wish *w)
{
    struct fg_str res = resolution(m, w);
    bool any_ratio = !w->aspect_ratio.n || picture_decides(m, w) || !has_ratio(m, w->aspect_ratio);
    if (any_ratio)
        return has_resolution(m, res) ? NULL : arena_fmt(cx->mem, "does not make %.*s", FG_P(res)).p;
    if (catalogue_size(m, w->aspect_ratio, res))
        return NULL;
    return arena_fmt(cx->mem, "does not make %.*s in %.*s", FG_P(res), FG_P(w->aspect_ratio)).p;
}

static bool takes(const struct cat_model *m, int64_t seconds)
{
    return seconds >= 0 && seconds <= CATALOGUE_SECONDS_MAX && (m->durations >> seconds & 1);
}

/* "takes 5 to 10 seconds", "takes 4, 6 or 8 seconds" */
static const char *duration_words(struct fg_ctx *cx, const struct cat_model *m)
{
    struct sb b = sb_in(cx->mem, WORDS_MAX);
    int first = -1, last = -1, n = 0, told = 0;
    for (int s = 0; s <= CATALOGUE_SECONDS_MAX; s++)
        if (takes(m, s)) {
            first = first < 0 ? s : first;
            last = s;
            n++;
        }
    if (n > 2 && last - first == n - 1)
        return arena_fmt(cx->mem, "takes %d to %d seconds", first, last).p;
    sb_add(&b, FG_LIT("takes "));
    for (int s = first; s <= last; s++)
        if (takes(m, s)) {
            sb_addf(&b, "%s%d", told == 0 ? "" : told == n - 1 ? " or " : ", ", s);
            told++;
        }
    sb_add(&b, n == 1 && first == 1 ? FG_LIT(" second") : FG_LIT(" seconds"));
    return sb_cstr(&b);
}

static const char *lacks_duration(struct fg_ctx *cx, const struct cat_model *m, const struct cat_wish *w)
{
    return !w->duration_s || takes(m, w->duration_s) ? NULL : duration_words(cx, m);
}

static const char *takes_no_image(struct fg_ctx *cx, const struct cat_model *m, const struct cat_wish *w)
{
    (void)cx;
    return w->image && m->image == CAT_NONE ? "takes no reference image" : NULL;
}

static const char *needs_image(struct fg_ctx *cx, const struct cat_model *m, const struct cat_wish *w)
{
    (void)cx;
    return !w->image && m->image == CAT_REQUIRED ? "needs a reference image" : NULL;
}

static const char *is_silent(struct fg_ctx *cx, const struct cat_model *m, const struct cat_wish *w)
{
    (void)cx;
    return w->audio == AUDIO_ON && m->audio == CAT_SILENT ? "makes no sound" : NULL;
}

static const struct {
    const char *path, *code;
    const char *(*against)(struct fg_ctx *cx, const struct cat_model *m, const struct cat_wish *w);
} checks[] = {
    { "/model", "unsupported", is_retired },
    { "/model", "unsupported", is_not_set_up },
    { "/prompt", "length", prompt_is_long },
    { "/aspectRatio", "value", lacks_ratio },
    { "/resolution", "value", lacks_resolution },
    { "/duration", "range", lacks_duration },
    { "/imageUrl", "unsupported", takes_no_image },
    { "/imageUrl", "required", needs_image },
    { "/audio", "unsupported", is_silent },
};
/* A picture cannot be too many and missing. */
_Static_assert(FG_LEN(checks) - 1 <= CATALOGUE_MISFITS_MAX, "room for all misfits");

unsigned catalogue_misfits(struct fg_ctx *cx, const struct cat_model *m, const struct cat_wish *w,
                           struct cat_misfit out[CATALOGUE_MISFITS_MAX])
{
    unsigned n = 0;
    for (size_t i = 0; i < FG_LEN(checks); i++) {
        const char *words = checks[i].against(cx, m, w);
        if (words)
            out[n++] = (struct cat_misfit){ checks[i].path, checks[i].code, words };
    }
    return n;
}

const char *catalogue_unfit(struct fg_ctx *cx, const struct cat_model *m, const struct cat_wish *w)
{
    struct cat_misfit misfit[CATALOGUE_MISFITS_MAX];
    return catalogue_misfits(cx, m, w, misfit) ? misfit[0].words : NULL;
}

struct fg_str catalogue_ignored(struct fg_ctx *cx, const struct cat_model *m, const struct cat_wish *w)
{
    const struct {
        const char *field;
        bool ignored;
    } row[] = {
        { "aspectRatio", w->aspect_ratio.n && picture_decides(m, w) },
        { "seed", w->seed && !m->seed },
        { "audio", w->audio == AUDIO_OFF && m->audio == CAT_AUDIO_ALWAYS },
        { "negativePrompt", w->negative && !m->negative },
    };
    struct sb b = sb_in(cx->mem, WORDS_MAX);
    for (size_t i = 0; i < FG_LEN(row); i++)
        if (row[i].ignored)
            sb_addf(&b, "%s%s", b.n ? "," : "", row[i].field);
    return b.n ? sb_str(&b) : FG_NONE;
}

/* ---- what is asked of it, and what that costs ---- */

const struct cat_size *catalogue_size(const struct cat_model *m, struct fg_str ratio, struct fg_str name)
{
    for (unsigned i = 0; i < m->size_n; i++)
        if (fg_eq(m->size[i].aspect_ratio, ratio) && fg_eq(m->size[i].resolution, name))
            return &m->size[i];
    return NULL;
}

struct fg_str catalogue_remote(const struct cat_model *m, bool image)
{
    return image ? m->remote_image : m->remote;
}

enum audio catalogue_audio(const struct cat_model *m, enum audio wished)
{
    if (m->audio != CAT_AUDIO_CHOICE)
        return AUDIO_ANY;
    return wished == AUDIO_ON ? AUDIO_ON : AUDIO_OFF;
}

int64_t catalogue_price(const struct cat_price *p, struct fg_str name, int64_t duration_s, enum audio audio)
{
    for (unsigned i = 0; i < p->by_n; i++)
        if (fg_eq(p->by[i].resolution, name)) {
            int64_t micro = audio == AUDIO_ON ? p->by[i].audio_micro : p->by[i].micro;
            return p->per_clip ? micro : micro * duration_s;
        }
    return -1;
}
