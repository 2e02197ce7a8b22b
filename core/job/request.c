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

/* What the fields said, before the catalogue has been asked; n == 0 or 0: not given or wrong. */
struct fields {
    struct job_request *out;
    const struct job_env *env;
    const struct identity *who;
    struct fg_str provider, model, quote, upload;
};

struct row;
typedef void read_field(struct fg_ctx *cx, struct fields *f, const struct js *v, const struct row *row);

struct row {
    struct job_field field;
    const char *path;
    read_field *read;
};

static bool bounded(struct fg_ctx *cx, const struct js *v, const char *path, size_t max, struct fg_str *out)
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

static bool text(struct fg_ctx *cx, const struct js *v, const struct row *row, struct fg_str *out)
{
    return bounded(cx, v, row->path, (size_t)row->field.max, out);
}

static bool number(struct fg_ctx *cx, const struct js *v, const struct row *row, int64_t *out)
{
    const struct job_field *is = &row->field;
    int64_t n;
    if (!js_i64(v, &n)) {
        fg_field(cx, row->path, "type", "must be a whole number");
        return false;
    }
    if (n < is->min || n > is->max) {
        fg_field(cx, row->path, "range", "must be from %lld to %lld", (long long)is->min, (long long)is->max);
        return false;
    }
    *out = n;
    return true;
}

static void read_prompt(struct fg_ctx *cx, struct fields *f, const struct js *v, const struct row *row)
{
    struct fg_str s;
    if (!js_str(v, &s)) {
        fg_field(cx, row->path, "type", "must be a string");
        return;
    }
    s = utf8_trim(s);
    size_t n = utf8_count(s);
    if (n < (size_t)row->field.min || n > (size_t)row->field.max)
        fg_field(cx, row->path, "length", "must have %lld to %lld characters after trimming; it has %zu",
                 (long long)row->field.min, (long long)row->field.max, n);
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

static void read_ratio(struct fg_ctx *cx, struct fields *f, const struct js *v, const struct row *row)
{
    struct fg_str s;
    struct sb have = sb_in(cx->mem, RATIOS_SHOWN);
    if (!js_str(v, &s))
        fg_field(cx, row->path, "type", "must be a string");
    else if (ratio_known(f->env->catalogue, s, &have))
        f->out->aspect_ratio = s;
    else
        fg_field(cx, row->path, "value", "must be one of: %s", have.bad ? "those of GET /v1/models" : sb_cstr(&have));
}

static void read_duration(struct fg_ctx *cx, struct fields *f, const struct js *v, const struct row *row)
{
    number(cx, v, row, &f->out->duration_s);
}

static void read_resolution(struct fg_ctx *cx, struct fields *f, const struct js *v, const struct row *row)
{
    text(cx, v, row, &f->out->resolution);
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

static void read_image(struct fg_ctx *cx, struct fields *f, const struct js *v, const struct row *row)
{
    struct fg_str s;
    if (!text(cx, v, row, &s))
        return;
    if (url_ok(s))
        f->out->image_url = s;
    else
        fg_field(cx, row->path, "format", "must be an http or https URL without a user name in it");
}

static void read_upload(struct fg_ctx *cx, struct fields *f, const struct js *v, const struct row *row)
{
    struct fg_str s;
    if (!js_str(v, &s))
        fg_field(cx, row->path, "type", "must be a string");
    else if (!id_valid(s, UPLOAD_ID))
        fg_field(cx, row->path, "value", "is not an upload of this account");
    else
        f->upload = s;
}

/* A user's key may not: what goes there is signed with the account's secret. */
static void read_callback(struct fg_ctx *cx, struct fields *f, const struct js *v, const struct row *row)
{
    struct fg_str s;
    const char *wrong;
    if (!text(cx, v, row, &s))
        return;
    if (f->who->role == ROLE_USER)
        fg_field(cx, row->path, "value", "only a key of the account itself may set it");
    else if ((wrong = notify_url_wrong(cx, f->env->conf, s)))
        fg_field(cx, row->path, "value", "is refused: %s", wrong);
    else
        f->out->callback_url = s;
}

static void read_provider(struct fg_ctx *cx, struct fields *f, const struct js *v, const struct row *row)
{
    text(cx, v, row, &f->provider);
}

static void read_model(struct fg_ctx *cx, struct fields *f, const struct js *v, const struct row *row)
{
    text(cx, v, row, &f->model);
}

static void read_seed(struct fg_ctx *cx, struct fields *f, const struct js *v, const struct row *row)
{
    f->out->has_seed = number(cx, v, row, &f->out->seed);
}

static void read_audio(struct fg_ctx *cx, struct fields *f, const struct js *v, const struct row *row)
{
    bool on;
    if (js_bool(v, &on))
        f->out->audio = on ? AUDIO_ON : AUDIO_OFF;
    else
        fg_field(cx, row->path, "type", "must be true or false");
}

static void read_negative(struct fg_ctx *cx, struct fields *f, const struct js *v, const struct row *row)
{
    struct fg_str s;
    if (!text(cx, v, row, &s))
        return;
    s = utf8_trim(s);
    f->out->negative = s.n ? s : FG_NONE;
}

static void read_user(struct fg_ctx *cx, struct fields *f, const struct js *v, const struct row *row)
{
    struct fg_str s;
    if (!text(cx, v, row, &s))
        return;
    if (s.n < (size_t)row->field.min)
        fg_field(cx, row->path, "length", "must not be empty");
    else if (f->who->role == ROLE_USER && !fg_eq(s, fg_str_c(f->who->user_id)))
        fg_field(cx, row->path, "value", "this key may only create jobs of its own user");
    else
        f->out->user_id = s;
}

static void read_metadata(struct fg_ctx *cx, struct fields *f, const struct js *v, const struct row *row)
{
    if (js_type(v) != JS_OBJECT) {
        fg_field(cx, row->path, "type", "must be an object");
        return;
    }
    if (js_len(v) > JOB_METADATA_KEYS) {
        fg_field(cx, row->path, "length", "must have at most %d keys", JOB_METADATA_KEYS);
        return;
    }
    size_t it = 0;
    struct fg_str key, value;
    const struct js *member;
    bool ok = true;
    while (js_next(v, &it, &key, &member)) {
        const char *at = arena_fmt(cx->mem, "%s/%.*s", row->path, FG_P(utf8_cut(key, 100))).p;
        if (key.n == 0 || utf8_count(key) > JOB_METADATA_KEY_MAX) {
            fg_field(cx, row->path, "length", "keys must have 1 to %d characters", JOB_METADATA_KEY_MAX);
            ok = false;
        } else {
            ok = bounded(cx, member, at, JOB_METADATA_VALUE_MAX, &value) && ok;
        }
    }
    struct sb b = sb_in(cx->mem, JOB_METADATA_JSON_MAX);
    js_write(&b, v);
    if (ok && b.bad)
        fg_field(cx, row->path, "length", "must fit into %d bytes", JOB_METADATA_JSON_MAX);
    else if (ok)
        f->out->metadata = sb_str(&b);
}

static void read_allow(struct fg_ctx *cx, struct fields *f, const struct js *v, const struct row *row)
{
    if (js_bool(v, &f->out->allow_duplicate))
        f->out->ask_duplicate = !f->out->allow_duplicate;
    else
        fg_field(cx, row->path, "type", "must be true or false");
}

static void read_quote_id(struct fg_ctx *cx, struct fields *f, const struct js *v, const struct row *row)
{
    struct fg_str s;
    if (!js_str(v, &s))
        fg_field(cx, row->path, "type", "must be a string");
    else if (!id_valid(s, QUOTE_ID))
        fg_field(cx, row->path, "value", "is not a quote of this account");
    else
        f->quote = s;
}

static void read_deadline(struct fg_ctx *cx, struct fields *f, const struct js *v, const struct row *row)
{
    number(cx, v, row, &f->out->deadline_s);
}

static void read_retain(struct fg_ctx *cx, struct fields *f, const struct js *v, const struct row *row)
{
    number(cx, v, row, &f->out->keep_days);
}

#define TEXT(name, least, most) { name, JOB_FIELD_TEXT, false, false, least, most }, "/" name
#define NUMBER(name, least, most) { name, JOB_FIELD_NUMBER, false, false, least, most }, "/" name
#define YES_OR_NO(name) { name, JOB_FIELD_BOOLEAN, false, false, 0, 0 }, "/" name

static const struct row table[] = {
    { { "prompt", JOB_FIELD_TEXT, true, true, 1, JOB_PROMPT_MAX }, "/prompt", read_prompt },
    { { "aspectRatio", JOB_FIELD_TEXT, true, false, 0, 0 }, "/aspectRatio", read_ratio },
    { { "duration", JOB_FIELD_NUMBER, true, false, 1, CATALOGUE_SECONDS_MAX }, "/duration", read_duration },
    { TEXT("resolution", 0, 8), read_resolution },
    { TEXT("imageUrl", 0, JOB_URL_MAX), read_image },
    { TEXT("uploadId", 0, 0), read_upload },
    { TEXT("callbackUrl", 0, JOB_URL_MAX), read_callback },
    { TEXT("provider", 0, 32), read_provider },
    { TEXT("model", 0, 64), read_model },
    { NUMBER("seed", 0, JOB_SEED_MAX), read_seed },
    { YES_OR_NO("audio"), read_audio },
    { TEXT("negativePrompt", 0, JOB_PROMPT_MAX), read_negative },
    { TEXT("userId", 1, JOB_USER_MAX), read_user },
    { { "metadata", JOB_FIELD_OBJECT, false, false, 0, 0 }, "/metadata", read_metadata },
    { YES_OR_NO("allowDuplicate"), read_allow },
    { TEXT("quoteId", 0, 0), read_quote_id },
    { NUMBER("deadlineSeconds", JOB_DEADLINE_MIN_S, JOB_DEADLINE_MAX_S), read_deadline },
    { NUMBER("retainDays", 1, JOB_RETAIN_MAX_DAYS), read_retain },
};

#undef TEXT
#undef NUMBER
#undef YES_OR_NO

const struct job_field *job_field_at(size_t i)
{
    return i < FG_LEN(table) ? &table[i].field : NULL;
}

static void read_members(struct fg_ctx *cx, struct fields *f, const struct js *body)
{
    size_t it = 0;
    struct fg_str key;
    const struct js *v;
    while (js_next(body, &it, &key, &v)) {
        size_t i = 0;
        while (i < FG_LEN(table) && !fg_eq(key, fg_str_c(table[i].field.name)))
            i++;
        if (i == FG_LEN(table))
            fg_field(cx, arena_fmt(cx->mem, "/%.*s", FG_P(utf8_cut(key, 100))).p, "unknown",
                     "is not a field of a job");
        else if (js_type(v) != JS_NULL) /* null is "not given" */
            table[i].read(cx, f, v, &table[i]);
        else if (table[i].field.required)
            fg_field(cx, table[i].path, "required", "must be given");
    }
    for (size_t i = 0; i < FG_LEN(table); i++)
        if (table[i].field.required && !js_get(body, table[i].field.name))
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
