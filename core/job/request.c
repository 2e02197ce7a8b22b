#include "job/request.h"

#include "base/arena.h"
#include "base/id.h"
#include "base/scan.h"
#include "base/utf8.h"
#include "io/json.h"
#include "job/offer.h"
#include "job/upload.h"
#include "notify/notify.h"

#define RATIOS_SHOWN 120
#define SEED_MAX INT64_C(4294967295)

/* What the fields said, before the catalogue has been asked; n == 0 or 0: not given or wrong. */
struct fields {
    struct job_request *out;
    const struct job_env *env;
    const struct identity *who;
    struct fg_str provider, model, quote, upload;
};

typedef void read_field(struct fg_ctx *cx, struct fields *f, const struct js *v, const char *path);

static bool text(struct fg_ctx *cx, const struct js *v, const char *path, size_t max, struct fg_str *out)
{
    struct fg_str s;
    if (!js_str(v, &s)) {
        fg_field(cx, path, "type", "must be a string");
        return false;
    }
    if (utf8_count(s) > max) {
        fg_field(cx, path, "length", "must have at most %zu characters", max);
        return false;
    }
    *out = s;
    return true;
}

static bool number(struct fg_ctx *cx, const struct js *v, const char *path, int64_t min, int64_t max,
                   int64_t *out)
{
    int64_t n;
    if (!js_i64(v, &n)) {
        fg_field(cx, path, "type", "must be a whole number");
        return false;
    }
    if (n < min || n > max) {
        fg_field(cx, path, "range", "must be from %lld to %lld", (long long)min, (long long)max);
        return false;
    }
    *out = n;
    return true;
}

static void read_prompt(struct fg_ctx *cx, struct fields *f, const struct js *v, const char *path)
{
    struct fg_str s;
    if (!js_str(v, &s)) {
        fg_field(cx, path, "type", "must be a string");
        return;
    }
    s = utf8_trim(s);
    size_t n = utf8_count(s);
    if (n < 1 || n > JOB_PROMPT_MAX)
        fg_field(cx, path, "length", "must have 1 to %d characters after trimming; it has %zu",
                 JOB_PROMPT_MAX, n);
    else
        f->out->prompt = s;
}

static bool has(struct fg_str list, struct fg_str word)
{
    struct fg_str one;
    while (scan_until(&list, ' ', &one))
        if (fg_eq(one, word))
            return true;
    return false;
}

/* Some model makes it; have gets all ratios that there are. */
static bool ratio_known(const struct catalogue *c, struct fg_str ratio, struct sb *have)
{
    for (unsigned i = 0; i < c->model_n; i++)
        for (unsigned k = 0; k < c->model[i].size_n; k++) {
            struct fg_str one = c->model[i].size[k].aspect_ratio;
            if (fg_eq(one, ratio))
                return true;
            if (has(sb_str(have), one))
                continue;
            sb_add(have, have->n ? FG_LIT(" ") : FG_NONE);
            sb_add(have, one);
        }
    return false;
}

static void read_ratio(struct fg_ctx *cx, struct fields *f, const struct js *v, const char *path)
{
    struct fg_str s;
    struct sb have = sb_in(cx->mem, RATIOS_SHOWN);
    if (!js_str(v, &s))
        fg_field(cx, path, "type", "must be a string");
    else if (ratio_known(f->env->catalogue, s, &have))
        f->out->aspect_ratio = s;
    else
        fg_field(cx, path, "value", "must be one of: %s", have.bad ? "those of GET /v1/models" : sb_cstr(&have));
}

static void read_duration(struct fg_ctx *cx, struct fields *f, const struct js *v, const char *path)
{
    number(cx, v, path, 1, CATALOGUE_SECONDS_MAX, &f->out->duration_s);
}

static void read_resolution(struct fg_ctx *cx, struct fields *f, const struct js *v, const char *path)
{
    text(cx, v, path, 8, &f->out->resolution);
}

static bool url_ok(struct fg_str s)
{
    struct fg_str rest = s;
    if (!scan_lit(&rest, FG_LIT("https://")) && !scan_lit(&rest, FG_LIT("http://")))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == '\\' || s.p[i] == 0x7f)
            return false;
    struct fg_str host;
    return scan_until(&rest, '/', &host) && host.n && !memchr(host.p, '@', host.n);
}

static void read_image(struct fg_ctx *cx, struct fields *f, const struct js *v, const char *path)
{
    struct fg_str s;
    if (!text(cx, v, path, JOB_URL_MAX, &s))
        return;
    if (url_ok(s))
        f->out->image_url = s;
    else
        fg_field(cx, path, "format", "must be an http or https URL without a user name in it");
}

static void read_upload(struct fg_ctx *cx, struct fields *f, const struct js *v, const char *path)
{
    struct fg_str s;
    if (!js_str(v, &s))
        fg_field(cx, path, "type", "must be a string");
    else if (!id_valid(s, UPLOAD_ID))
        fg_field(cx, path, "value", "is not an upload of this account");
    else
        f->upload = s;
}

/* A user's key may not: what goes there is signed with the account's secret. */
static void read_callback(struct fg_ctx *cx, struct fields *f, const struct js *v, const char *path)
{
    struct fg_str s;
    const char *wrong;
    if (!text(cx, v, path, JOB_URL_MAX, &s))
        return;
    if (f->who->role == ROLE_USER)
        fg_field(cx, path, "value", "only a key of the account itself may set it");
    else if ((wrong = notify_url_wrong(cx, f->env->conf, s)))
        fg_field(cx, path, "value", "is refused: %s", wrong);
    else
        f->out->callback_url = s;
}

static void read_provider(struct fg_ctx *cx, struct fields *f, const struct js *v, const char *path)
{
    text(cx, v, path, 32, &f->provider);
}

static void read_model(struct fg_ctx *cx, struct fields *f, const struct js *v, const char *path)
{
    text(cx, v, path, 64, &f->model);
}

static void read_seed(struct fg_ctx *cx, struct fields *f, const struct js *v, const char *path)
{
    f->out->has_seed = number(cx, v, path, 0, SEED_MAX, &f->out->seed);
}

static void read_audio(struct fg_ctx *cx, struct fields *f, const struct js *v, const char *path)
{
    bool on;
    if (js_bool(v, &on))
        f->out->audio = on ? AUDIO_ON : AUDIO_OFF;
    else
        fg_field(cx, path, "type", "must be true or false");
}

static void read_negative(struct fg_ctx *cx, struct fields *f, const struct js *v, const char *path)
{
    struct fg_str s;
    if (!text(cx, v, path, JOB_PROMPT_MAX, &s))
        return;
    s = utf8_trim(s);
    f->out->negative = s.n ? s : FG_NONE;
}

static void read_user(struct fg_ctx *cx, struct fields *f, const struct js *v, const char *path)
{
    struct fg_str s;
    if (!text(cx, v, path, JOB_USER_MAX, &s))
        return;
    if (s.n == 0)
        fg_field(cx, path, "length", "must not be empty");
    else if (f->who->role == ROLE_USER && !fg_eq(s, fg_str_c(f->who->user_id)))
        fg_field(cx, path, "value", "this key may only create jobs of its own user");
    else
        f->out->user_id = s;
}

static void read_metadata(struct fg_ctx *cx, struct fields *f, const struct js *v, const char *path)
{
    if (js_type(v) != JS_OBJECT) {
        fg_field(cx, path, "type", "must be an object");
        return;
    }
    if (js_len(v) > JOB_METADATA_KEYS) {
        fg_field(cx, path, "length", "must have at most %d keys", JOB_METADATA_KEYS);
        return;
    }
    size_t it = 0;
    struct fg_str key, value;
    const struct js *member;
    bool ok = true;
    while (js_next(v, &it, &key, &member)) {
        const char *at = arena_fmt(cx->mem, "%s/%.*s", path, FG_P(utf8_cut(key, 100))).p;
        if (key.n == 0 || utf8_count(key) > JOB_METADATA_KEY_MAX) {
            fg_field(cx, path, "length", "keys must have 1 to %d characters", JOB_METADATA_KEY_MAX);
            ok = false;
        } else {
            ok = text(cx, member, at, JOB_METADATA_VALUE_MAX, &value) && ok;
        }
    }
    struct sb b = sb_in(cx->mem, JOB_METADATA_JSON_MAX);
    js_write(&b, v);
    if (ok && b.bad)
        fg_field(cx, path, "length", "must fit into %d bytes", JOB_METADATA_JSON_MAX);
    else if (ok)
        f->out->metadata = sb_str(&b);
}

static void read_allow(struct fg_ctx *cx, struct fields *f, const struct js *v, const char *path)
{
    if (js_bool(v, &f->out->allow_duplicate))
        f->out->ask_duplicate = !f->out->allow_duplicate;
    else
        fg_field(cx, path, "type", "must be true or false");
}

static void read_quote_id(struct fg_ctx *cx, struct fields *f, const struct js *v, const char *path)
{
    struct fg_str s;
    if (!js_str(v, &s))
        fg_field(cx, path, "type", "must be a string");
    else if (!id_valid(s, QUOTE_ID))
        fg_field(cx, path, "value", "is not a quote of this account");
    else
        f->quote = s;
}

static void read_deadline(struct fg_ctx *cx, struct fields *f, const struct js *v, const char *path)
{
    number(cx, v, path, JOB_DEADLINE_MIN_S, JOB_DEADLINE_MAX_S, &f->out->deadline_s);
}

static void read_retain(struct fg_ctx *cx, struct fields *f, const struct js *v, const char *path)
{
    number(cx, v, path, 1, JOB_RETAIN_MAX_DAYS, &f->out->keep_days);
}

static const struct {
    const char *name, *path;
    bool required;
    read_field *read;
} table[] = {
    { "prompt", "/prompt", true, read_prompt },
    { "aspectRatio", "/aspectRatio", true, read_ratio },
    { "duration", "/duration", true, read_duration },
    { "resolution", "/resolution", false, read_resolution },
    { "imageUrl", "/imageUrl", false, read_image },
    { "uploadId", "/uploadId", false, read_upload },
    { "callbackUrl", "/callbackUrl", false, read_callback },
    { "provider", "/provider", false, read_provider },
    { "model", "/model", false, read_model },
    { "seed", "/seed", false, read_seed },
    { "audio", "/audio", false, read_audio },
    { "negativePrompt", "/negativePrompt", false, read_negative },
    { "userId", "/userId", false, read_user },
    { "metadata", "/metadata", false, read_metadata },
    { "allowDuplicate", "/allowDuplicate", false, read_allow },
    { "quoteId", "/quoteId", false, read_quote_id },
    { "deadlineSeconds", "/deadlineSeconds", false, read_deadline },
    { "retainDays", "/retainDays", false, read_retain },
};

static void read_members(struct fg_ctx *cx, struct fields *f, const struct js *body)
{
    size_t it = 0;
    struct fg_str key;
    const struct js *v;
    while (js_next(body, &it, &key, &v)) {
        size_t i = 0;
        while (i < FG_LEN(table) && !fg_eq(key, fg_str_c(table[i].name)))
            i++;
        if (i == FG_LEN(table))
            fg_field(cx, arena_fmt(cx->mem, "/%.*s", FG_P(utf8_cut(key, 100))).p, "unknown",
                     "is not a field of a job");
        else if (js_type(v) != JS_NULL) /* null is "not given" */
            table[i].read(cx, f, v, table[i].path);
        else if (table[i].required)
            fg_field(cx, table[i].path, "required", "must be given");
    }
    for (size_t i = 0; i < FG_LEN(table); i++)
        if (table[i].required && !js_get(body, table[i].name))
            fg_field(cx, table[i].path, "required", "must be given");
}

/* Another account's, and for a user's key another user's, is none. */
static enum fg_code find_quote(struct fg_ctx *cx, const struct fields *f)
{
    struct quote q;
    bool found;
    enum fg_code rc = quote_find(cx, f->env->db, f->who->account_id, f->quote, &q, &found);
    if (rc != FG_OK)
        return rc;
    if (found && (f->who->role != ROLE_USER || fg_eq(q.user_id, fg_str_c(f->who->user_id))))
        f->out->quote = q;
    else
        fg_field(cx, "/quoteId", "value", "is not a quote of this account");
    return FG_OK;
}

/* The same of an upload, and one that is gone. */
static enum fg_code find_upload(struct fg_ctx *cx, const struct fields *f)
{
    struct upload u;
    enum fg_code rc = upload_read(cx, f->env, f->who, f->upload, &u);
    if (rc == FG_NOT_FOUND || rc == FG_GONE) {
        fg_field(cx, "/uploadId", "value", rc == FG_GONE ? "has been deleted" : "is not an upload of this account");
        return FG_OK;
    }
    if (rc == FG_OK)
        f->out->upload = u.public_id;
    return rc;
}

enum fg_code job_bounds_read(struct fg_ctx *cx, const struct job_env *env, const struct identity *who,
                             struct job_bounds *out)
{
    enum fg_code rc = terms_read(cx, env->db, who->account_id, &out->terms);
    return rc == FG_OK ? brakes_read(cx, env->db, env->conf, &out->brakes) : rc;
}

enum fg_code job_request_read(struct fg_ctx *cx, const struct job_env *env, const struct identity *who,
                              const struct job_bounds *bounds, struct fg_str body, struct job_request *out)
{
    const struct js *v;
    enum fg_code rc = js_parse(cx, body, &v);
    if (rc != FG_OK)
        return rc;
    if (js_type(v) != JS_OBJECT)
        return fg_fail(cx, FG_INVALID_REQUEST, "The body must be a JSON object.");
    *out = (struct job_request){ .deadline_s = env->conf->sweeper_deadline_s, .terms = bounds->terms,
                                 .brakes = bounds->brakes };
    if (who->role == ROLE_USER)
        out->user_id = arena_str(cx->mem, fg_str_c(who->user_id));
    struct fields f = { .out = out, .env = env, .who = who };
    fg_fields_clear(cx);
    read_members(cx, &f, v);
    if (f.upload.p && out->image_url.p)
        fg_field(cx, "/uploadId", "value", "cannot be given beside imageUrl");
    else if (f.upload.p)
        rc = find_upload(cx, &f);
    if (rc == FG_OK && f.quote.p)
        rc = find_quote(cx, &f);
    /* Of what is wrong in itself no quote needs to be told. */
    if (rc == FG_OK && out->quote.public_id.p && cx->err.field_n == 0)
        rc = offer_match(cx, env->catalogue, f.provider, f.model, out);
    if (rc != FG_OK)
        return rc;
    offer_choose(cx, env->catalogue, f.provider, f.model, out);
    rc = fg_fields_check(cx);
    return rc == FG_OK ? offer_price(cx, env->pepper, f.provider, f.model, out) : rc;
}
