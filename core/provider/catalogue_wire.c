/* How a model of the catalogue's file spells its parameters. What it promises, and only the catalogue could name, and does
 * not, would be dropped without a word: that is refused here. */
#include "provider/catalogue_parts.h"

#include "base/arena.h"
#include "base/scan.h"

static const struct {
    const char *name;
    enum spell_as as; /* unless the catalogue says otherwise */
} params[PARAM_N] = {
    [PARAM_PROMPT] = { "prompt", SPELL_TEXT },      [PARAM_IMAGE] = { "image", SPELL_TEXT },
    [PARAM_RATIO] = { "aspectRatio", SPELL_TEXT },  [PARAM_RESOLUTION] = { "resolution", SPELL_TEXT },
    [PARAM_DURATION] = { "duration", SPELL_NUMBER }, [PARAM_SEED] = { "seed", SPELL_NUMBER },
    [PARAM_AUDIO] = { "audio", SPELL_BOOL },        [PARAM_NEGATIVE] = { "negativePrompt", SPELL_TEXT },
    [PARAM_WIDTH] = { "width", SPELL_NUMBER },      [PARAM_HEIGHT] = { "height", SPELL_NUMBER },
    [PARAM_REF] = { "clientRef", SPELL_TEXT },
};

/* "name", or an object of it with more. */
static enum fg_code read_spelling(struct cat_reader *r, const char *path, const struct js *v, enum gen_param p,
                                  struct spelling *out)
{
    static const char *const as[] = {
        [SPELL_TEXT] = "text", [SPELL_NUMBER] = "number", [SPELL_BOOL] = "bool", NULL
    };
    *out = (struct spelling){ .as = params[p].as };
    if (js_str(v, &out->name))
        return FG_OK;
    out->name = cat_text(v, "name");
    out->suffix = cat_text(v, "suffix");
    out->fps = cat_number(v, "fps", 0);
    out->more_frames = cat_number(v, "moreFrames", 0);
    out->values = js_get(v, "values");
    if (js_get(v, "as"))
        out->as = (enum spell_as)cat_word(v, "as", as);
    else if (out->suffix.n || out->values)
        out->as = SPELL_TEXT;
    if (out->suffix.n && out->as != SPELL_TEXT)
        return cat_wrong(r, CAT_DOWN(r, path, "suffix"), "makes a text, so \"as\" must be text");
    if ((out->fps || out->more_frames) && p != PARAM_DURATION)
        return cat_wrong(r, path, "only a duration can be in frames");
    if (out->more_frames && !out->fps)
        return cat_wrong(r, CAT_DOWN(r, path, "moreFrames"), "needs fps");
    return FG_OK;
}

/* ---- nothing promised may be lost ---- */

static bool named(const struct cat_model *m, enum gen_param p)
{
    return m->wire.param[p].name.n > 0;
}

static bool by_pixels(const struct cat_model *m)
{
    return named(m, PARAM_WIDTH) && named(m, PARAM_HEIGHT);
}

static bool many_durations(const struct cat_model *m)
{
    return (m->durations & (m->durations - 1)) != 0;
}

static bool many_resolutions(const struct cat_model *m)
{
    for (unsigned i = 1; i < m->size_n; i++)
        if (!fg_eq(m->size[i].resolution, m->size[0].resolution))
            return true;
    return false;
}

static bool many_ratios(const struct cat_model *m)
{
    for (unsigned i = 1; i < m->size_n; i++)
        if (!fg_eq(m->size[i].aspect_ratio, m->size[0].aspect_ratio))
            return true;
    return false;
}

static enum fg_code check_named(struct cat_reader *r, const char *path, const struct cat_model *m)
{
    bool ratio_lost = many_ratios(m) && !(m->image == CAT_REQUIRED && m->image_decides_ratio);
    const bool promised[PARAM_N] = {
        [PARAM_PROMPT] = true,
        [PARAM_IMAGE] = m->image != CAT_NONE,
        [PARAM_RATIO] = ratio_lost && !by_pixels(m),
        [PARAM_RESOLUTION] = many_resolutions(m) && !by_pixels(m),
        [PARAM_DURATION] = many_durations(m),
        [PARAM_SEED] = m->seed,
        [PARAM_AUDIO] = m->audio == CAT_AUDIO_CHOICE,
        [PARAM_NEGATIVE] = m->negative,
    };
    for (int p = 0; p < PARAM_N; p++)
        if (promised[p] && m->adapter->by_name & PARAM_BIT(p) && !named(m, (enum gen_param)p))
            return cat_wrong(r, cat_down(r, path, fg_str_c(params[p].name)),
                             "needs a name: the model takes it, and the adapter %s sends it by that", m->adapter->name);
    return FG_OK;
}

static enum fg_code check_pixels(struct cat_reader *r, const char *path, const struct cat_model *m)
{
    bool asked = named(m, PARAM_WIDTH) || named(m, PARAM_HEIGHT);
    for (unsigned i = 0; asked && i < m->size_n; i++)
        if (!m->size[i].width)
            return cat_wrong(r, arena_fmt(r->cx->mem, "%s/sizes/%.*s/%.*s", path, FG_P(m->size[i].aspect_ratio),
                                          FG_P(m->size[i].resolution)).p,
                             "must be pixels like 1280x720: width or height is a parameter");
    return FG_OK;
}

/* ---- a workflow has the places that the parameters name ---- */

static bool has_place(const struct cat_reader *r, const struct js *workflow, struct fg_str place)
{
    struct fg_str step;
    const struct js *v = workflow;
    while (v && scan_until(&place, '.', &step))
        v = js_get(v, arena_cstr(r->cx->mem, step));
    return v != NULL;
}

static enum fg_code check_workflow(struct cat_reader *r, const char *path, const char *at_params,
                                   const struct cat_model *m)
{
    if (!m->wire.workflow)
        return cat_wrong(r, CAT_DOWN(r, path, "workflow"), "is required by the adapter %s", m->adapter->name);
    for (int p = 0; p < PARAM_N; p++)
        if (named(m, (enum gen_param)p) && !has_place(r, m->wire.workflow, m->wire.param[p].name))
            return cat_wrong(r, cat_down(r, at_params, fg_str_c(params[p].name)), "%.*s is nowhere in the workflow",
                             FG_P(m->wire.param[p].name));
    if (m->wire.output_node.n && !has_place(r, m->wire.workflow, m->wire.output_node))
        return cat_wrong(r, CAT_DOWN(r, path, "outputNode"), "is no node of the workflow");
    return FG_OK;
}

enum fg_code cat_read_wire(struct cat_reader *r, const char *path, const struct js *v, struct cat_model *m)
{
    static const char *const of_workflows[] = { "workflow", "outputNode" };
    const struct js *given = js_get(v, "parameters");
    const char *at = CAT_DOWN(r, path, "parameters");
    enum fg_code rc = FG_OK;
    m->wire.fixed = js_get(v, "fixed");
    m->wire.workflow = js_get(v, "workflow");
    m->wire.output_node = cat_text(v, "outputNode");
    for (int p = 0; rc == FG_OK && p < PARAM_N; p++) {
        const struct js *spelling = js_get(given, params[p].name);
        if (spelling)
            rc = read_spelling(r, cat_down(r, at, fg_str_c(params[p].name)), spelling, (enum gen_param)p,
                               &m->wire.param[p]);
    }
    if (rc == FG_OK)
        rc = check_named(r, at, m);
    if (rc == FG_OK)
        rc = check_pixels(r, path, m);
    if (rc == FG_OK && m->adapter->workflow)
        return check_workflow(r, path, at, m);
    for (size_t i = 0; rc == FG_OK && i < FG_LEN(of_workflows); i++)
        if (js_get(v, of_workflows[i]))
            rc = cat_wrong(r, cat_down(r, path, fg_str_c(of_workflows[i])), "the adapter %s has no use for it",
                           m->adapter->name);
    return rc;
}
