/* GET /v1/models: the catalogue as those see it who choose from it, and the rules that a request is checked with. What
 * providers call things, and what they take from us, is not in it. */
#include "handlers.h"
#include "io/json.h"
#include "job/request.h"
#include "media/image.h"

static void add_durations(struct jw *w, const struct cat_model *m)
{
    jw_open_array(w, "durations");
    for (int s = 1; s <= CATALOGUE_SECONDS_MAX; s++)
        if (m->durations >> s & 1)
            jw_i64(w, NULL, s);
    jw_close_array(w);
}

static void add_pixels(struct jw *w, const char *key, int64_t n)
{
    if (n)
        jw_i64(w, key, n);
    else
        jw_null(w, key);
}

static void add_sizes(struct jw *w, const struct cat_model *m)
{
    jw_open_array(w, "sizes");
    for (unsigned i = 0; i < m->size_n; i++) {
        jw_open(w, NULL);
        jw_str(w, "aspectRatio", m->size[i].aspect_ratio);
        jw_str(w, "resolution", m->size[i].resolution);
        add_pixels(w, "width", m->size[i].width);
        add_pixels(w, "height", m->size[i].height);
        jw_close(w);
    }
    jw_close_array(w);
    jw_str(w, "defaultResolution", m->default_resolution);
}

static void add_pricing(struct jw *w, const struct cat_price *p)
{
    jw_open(w, "pricing");
    jw_str(w, "currency", p->currency);
    jw_str(w, "per", p->per_clip ? FG_LIT("clip") : FG_LIT("second"));
    jw_open_array(w, "byResolution");
    for (unsigned i = 0; i < p->by_n; i++) {
        jw_open(w, NULL);
        jw_str(w, "resolution", p->by[i].resolution);
        jw_i64(w, "micro", p->by[i].micro);
        jw_i64(w, "audioMicro", p->by[i].audio_micro);
        jw_close(w);
    }
    jw_close_array(w);
    jw_close(w);
}

static void add_model(struct fg_ctx *cx, struct jw *w, const struct cat_model *m)
{
    static const char *const image[] = {
        [CAT_NONE] = "none", [CAT_OPTIONAL] = "optional", [CAT_REQUIRED] = "required"
    };
    static const char *const audio[] = {
        [CAT_SILENT] = "none", [CAT_AUDIO_CHOICE] = "choice", [CAT_AUDIO_ALWAYS] = "always"
    };
    struct cat_wish anything = { .image = m->image == CAT_REQUIRED };
    const char *why = catalogue_unfit(cx, m, &anything);
    jw_open(w, NULL);
    jw_str(w, "name", m->name);
    jw_str(w, "provider", m->provider->name);
    jw_bool(w, "available", !why);
    jw_str(w, "why", fg_str_c(why));
    add_durations(w, m);
    add_sizes(w, m);
    jw_i64(w, "promptMax", m->prompt_max);
    jw_str(w, "image", fg_str_c(image[m->image]));
    jw_bool(w, "imageDecidesRatio", m->image_decides_ratio);
    jw_bool(w, "seed", m->seed);
    jw_str(w, "audio", fg_str_c(audio[m->audio]));
    jw_bool(w, "negativePrompt", m->negative);
    add_pricing(w, &m->price);
    jw_str(w, "retiresOn", m->retires_us ? catalogue_date(cx, m->retires_us) : FG_NONE);
    jw_str(w, "substitute", m->substitute);
    jw_close(w);
}

static void add_route(struct jw *w, const struct cat_route *route)
{
    jw_open(w, NULL);
    jw_str(w, "name", route->name);
    jw_open_array(w, "models");
    for (unsigned i = 0; i < route->model_n; i++)
        jw_str(w, NULL, route->model[i]->name);
    jw_close_array(w);
    jw_close(w);
}

/* ---- rules ---- */

static void add_bounds(struct jw *w, const struct job_field *f)
{
    if (f->kind == JOB_FIELD_TEXT)
        jw_bool(w, "trimmed", f->trimmed);
    if (f->kind == JOB_FIELD_NUMBER || (f->kind == JOB_FIELD_TEXT && f->max)) {
        jw_i64(w, "min", f->min);
        jw_i64(w, "max", f->max);
    }
}

static void add_fields(struct jw *w)
{
    static const char *const types[] = {
        [JOB_FIELD_TEXT] = "string", [JOB_FIELD_NUMBER] = "integer", [JOB_FIELD_BOOLEAN] = "boolean",
        [JOB_FIELD_OBJECT] = "object"
    };
    const struct job_field *f;
    jw_open(w, "fields");
    for (size_t i = 0; (f = job_field_at(i)); i++) {
        jw_open(w, f->name);
        jw_str(w, "type", fg_str_c(types[f->kind]));
        jw_bool(w, "required", f->required);
        add_bounds(w, f);
        jw_close(w);
    }
    jw_close(w);
    jw_open(w, "metadata");
    jw_i64(w, "maxKeys", JOB_METADATA_KEYS);
    jw_i64(w, "maxKeyCharacters", JOB_METADATA_KEY_MAX);
    jw_i64(w, "maxValueCharacters", JOB_METADATA_VALUE_MAX);
    jw_i64(w, "maxBytes", JOB_METADATA_JSON_MAX);
    jw_close(w);
}

static void add_upload(struct jw *w, const struct conf *conf)
{
    jw_open(w, "upload");
    jw_open_array(w, "types");
    for (int type = IMAGE_OTHER + 1; image_mime((enum image_type)type).n; type++)
        jw_str(w, NULL, image_mime((enum image_type)type));
    jw_close_array(w);
    jw_i64(w, "maxBytes", conf->media_upload_bytes);
    jw_i64(w, "maxPixels", conf->media_upload_pixels);
    jw_i64(w, "maxSide", IMAGE_SIDE_MAX);
    jw_i64(w, "minSide", conf->media_upload_side_min);
    jw_i64(w, "keptSide", conf->media_upload_side);
    jw_i64(w, "keptHours", conf->media_upload_hours);
    jw_close(w);
}

static void add_rules(struct jw *w, const struct conf *conf)
{
    jw_open(w, "rules");
    add_fields(w);
    add_upload(w, conf);
    jw_close(w);
}

enum fg_code models_list(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    (void)req;
    const struct catalogue *c = app->catalogue;
    struct jw w = jw_on(&resp->body);
    jw_open(&w, NULL);
    jw_open_array(&w, "data");
    for (unsigned i = 0; i < c->model_n; i++)
        add_model(cx, &w, &c->model[i]);
    jw_close_array(&w);
    jw_open_array(&w, "routes");
    for (unsigned i = 0; i < c->route_n; i++)
        add_route(&w, &c->route[i]);
    jw_close_array(&w);
    jw_str(&w, "defaultRoute", c->default_route->name);
    add_rules(&w, app->conf);
    jw_close(&w);
    web_header(cx, resp, "Cache-Control", FG_LIT("private, max-age=60"));
    return FG_OK;
}
