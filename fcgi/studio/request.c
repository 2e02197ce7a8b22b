#include "studio/request.h"

#include "base/arena.h"
#include "base/scan.h"
#include "base/utf8.h"
#include "io/fetch.h"
#include "io/hash.h"
#include "io/json.h"
#include "form.h"

#define SIDE_MIN 64
#define SIDE_MAX 1920
#define SECONDS_MAX 20
#define SEED_MAX UINT32_MAX
#define URL_MAX 2048
#define METADATA_KEYS_MAX 16
#define METADATA_KEY_MAX 64
#define METADATA_VALUE_MAX 512
#define METADATA_BYTES_MAX (60 * FG_KIB)

struct decode {
    struct fg_ctx *cx;
    const struct conf *conf;
    struct request *r;
    struct sb metadata;
    unsigned metadata_n;
};

const char *request_image_type(struct fg_str b)
{
    if (fg_starts(b, FG_LIT("\x89PNG\r\n\x1a\n")))
        return "png";
    if (fg_starts(b, FG_LIT("\xff\xd8\xff")))
        return "jpg";
    if (b.n > 16 && memcmp(b.p, "RIFF", 4) == 0 && memcmp(b.p + 8, "WEBPVP8", 7) == 0)
        return "webp";
    return NULL;
}

static void invalid(struct decode *d, const char *param, const char *why)
{
    fg_field(d->cx, param, "invalid_value", "Invalid value for '%s': %s.", param, why);
}

/* ---- one setter per field; each gets clean text ---- */

static void set_prompt(struct decode *d, struct fg_str v)
{
    size_t n = utf8_count(v);
    if (utf8_trim(v).n == 0)
        invalid(d, "prompt", "it must not be empty");
    else if (n > REQUEST_PROMPT_MAX)
        invalid(d, "prompt", "it must have at most 32000 characters");
    d->r->video.prompt = v;
}

static void set_model(struct decode *d, struct fg_str v)
{
    if (!FG_IS(v, "studio-1"))
        fg_field(d->cx, "model", "model_not_found", "The only model here is 'studio-1'.");
    d->r->video.model = FG_LIT("studio-1");
}

static void set_seconds(struct decode *d, struct fg_str v)
{
    uint64_t s = 0;
    if (!scan_all_u64(v, SECONDS_MAX, &s) || s < 1)
        invalid(d, "seconds", "expected \"1\" to \"20\"");
    d->r->video.seconds = (int)s;
}

static void set_size(struct decode *d, struct fg_str v)
{
    uint64_t w, h;
    if (!scan_u64(&v, SIDE_MAX, &w) || !scan_char(&v, 'x') || !scan_all_u64(v, SIDE_MAX, &h) ||
        w < SIDE_MIN || h < SIDE_MIN || w % 2 || h % 2) {
        invalid(d, "size", "expected WIDTHxHEIGHT, both even and between 64 and 1920");
        return;
    }
    d->r->video.width = (int)w;
    d->r->video.height = (int)h;
}

static void set_seed(struct decode *d, struct fg_str v)
{
    uint64_t seed = 0;
    if (!scan_all_u64(v, SEED_MAX, &seed))
        invalid(d, "seed", "expected a whole number from 0 to 4294967295");
    d->r->video.seed = (int64_t)seed;
}

/* Printable ASCII and within the address rules of fetch.h. */
static bool url_ok(struct decode *d, struct fg_str v, bool plain_http)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] <= ' ' || v.p[i] > '~')
            return false;
    return v.n <= URL_MAX && fetch_check_url(d->cx, d->conf, v, plain_http) == FG_OK;
}

static void set_webhook_url(struct decode *d, struct fg_str v)
{
    struct fg_err kept = d->cx->err; /* the check of a URL speaks through the same error */
    bool ok = url_ok(d, v, false);
    d->cx->err = kept;
    if (d->conf->studio_webhook_secret.n == 0)
        invalid(d, "webhook_url", "this server has no secret to sign callbacks with");
    else if (!ok)
        invalid(d, "webhook_url", "expected a URL that may be called, of at most 2048 characters");
    d->r->video.webhook_url = v;
}

static void set_image(struct decode *d, struct fg_str bytes)
{
    d->r->image = bytes;
    d->r->image_type = request_image_type(bytes);
    if (bytes.n > REQUEST_IMAGE_MAX)
        invalid(d, "input_reference", "the image must have at most 8 MiB");
    else if (!d->r->image_type)
        invalid(d, "input_reference", "expected a PNG, JPEG or WebP image");
}

static void set_image_url(struct decode *d, struct fg_str v)
{
    if (fg_starts(v, FG_LIT("data:"))) {
        struct fg_str head, bytes, rest = v;
        if (!scan_until(&rest, ',', &head) || head.n < 7 ||
            memcmp(head.p + head.n - 7, ";base64", 7) != 0 ||
            !hash_unbase64(d->cx->mem, rest, &bytes))
            invalid(d, "input_reference.image_url", "the data URL is not valid base64");
        else
            set_image(d, bytes);
        return;
    }
    struct fg_err kept = d->cx->err;
    bool ok = url_ok(d, v, true);
    d->cx->err = kept;
    if (!ok)
        fg_field(d->cx, "input_reference.image_url", "image_unreachable",
                 "The input_reference must be a data URL, or a public http or https URL.");
    d->r->video.image_url = v;
}

static void add_metadata(struct decode *d, struct fg_str key, struct fg_str value)
{
    if (utf8_count(key) > METADATA_KEY_MAX || key.n == 0 ||
        utf8_count(value) > METADATA_VALUE_MAX || ++d->metadata_n > METADATA_KEYS_MAX) {
        invalid(d, "metadata",
                "at most 16 pairs, keys of 1 to 64 and values of up to 512 characters");
        return;
    }
    sb_add_c(&d->metadata, d->metadata_n == 1 ? '{' : ',');
    sb_add_json(&d->metadata, key);
    sb_add_c(&d->metadata, ':');
    sb_add_json(&d->metadata, value);
}

enum field_kind { TEXT, NUMBER, METADATA, REFERENCE };

static const struct field {
    const char *name;
    enum field_kind kind;
    void (*set)(struct decode *d, struct fg_str v);
} fields[] = {
    { "prompt", TEXT, set_prompt },           { "model", TEXT, set_model },
    { "seconds", TEXT, set_seconds },         { "size", TEXT, set_size },
    { "webhook_url", TEXT, set_webhook_url }, { "seed", NUMBER, set_seed },
    { "metadata", METADATA, NULL },           { "input_reference", REFERENCE, set_image_url },
};

static const struct field *field_named(struct decode *d, struct fg_str name)
{
    for (size_t i = 0; i < FG_LEN(fields); i++)
        if (fg_eq(name, fg_str_c(fields[i].name)))
            return &fields[i];
    char *copy = arena_cstr(d->cx->mem, (struct fg_str){ name.p, name.n < 64 ? name.n : 64 });
    fg_field(d->cx, copy, "unknown_parameter", "Unknown parameter: '%s'.", copy);
    return NULL;
}

/* ---- JSON ---- */

static void wrong_type(struct decode *d, const char *param, const char *want)
{
    fg_field(d->cx, param, "invalid_type", "Invalid type for '%s': expected %s.", param, want);
}

static void json_metadata(struct decode *d, const struct js *v)
{
    struct fg_str key, text;
    const struct js *value;
    size_t it = 0;
    if (js_type(v) != JS_OBJECT) {
        wrong_type(d, "metadata", "an object of strings");
        return;
    }
    while (js_next(v, &it, &key, &value))
        if (js_str(value, &text))
            add_metadata(d, key, text);
        else
            wrong_type(d, "metadata", "an object of strings");
}

static void json_reference(struct decode *d, const struct js *v)
{
    struct fg_str url;
    if (js_type(v) != JS_OBJECT || js_len(v) != 1 || !js_str(js_get(v, "image_url"), &url))
        wrong_type(d, "input_reference", "an object with image_url");
    else
        set_image_url(d, url);
}

static void json_field(struct decode *d, const struct field *f, const struct js *v)
{
    struct fg_str text;
    if (f->kind == METADATA)
        json_metadata(d, v);
    else if (f->kind == REFERENCE)
        json_reference(d, v);
    else if (f->kind == NUMBER ? js_number_text(v, &text) : js_str(v, &text))
        f->set(d, text);
    else
        wrong_type(d, f->name, f->kind == NUMBER ? "a number" : "a string");
}

static enum fg_code decode_json(struct decode *d, struct fg_str body)
{
    const struct js *top, *value;
    struct fg_str key;
    size_t it = 0;
    enum fg_code rc = js_parse(d->cx, body, &top);
    if (rc != FG_OK)
        return rc;
    if (js_type(top) != JS_OBJECT)
        return fg_fail(d->cx, FG_INVALID_JSON, "The body must be a JSON object.");
    fg_fields_clear(d->cx);
    while (js_next(top, &it, &key, &value)) {
        const struct field *f = field_named(d, key);
        if (f && js_type(value) != JS_NULL) /* null says "not given", as the SDKs write it */
            json_field(d, f, value);
    }
    return FG_OK;
}

/* ---- multipart: nested values come as metadata[key] and input_reference[image_url] ---- */

static bool clean_text(struct fg_str v)
{
    return utf8_count(v) != SIZE_MAX && (v.n == 0 || !memchr(v.p, '\0', v.n));
}

/* name[inner] */
static bool inner_name(struct fg_str name, struct fg_str outer, struct fg_str *inner)
{
    if (!scan_lit(&name, outer) || !scan_char(&name, '[') || name.n < 1 ||
        name.p[name.n - 1] != ']')
        return false;
    *inner = (struct fg_str){ name.p, name.n - 1 };
    return true;
}

static void form_field(struct decode *d, const struct form_part *p)
{
    struct fg_str inner;
    if (p->filename.p && FG_IS(p->name, "input_reference")) {
        set_image(d, p->value);
    } else if (!clean_text(p->value) || !clean_text(p->name)) {
        fg_field(d->cx, "", "invalid_value", "A field of the form is not valid UTF-8.");
    } else if (inner_name(p->name, FG_LIT("metadata"), &inner)) {
        add_metadata(d, inner, p->value);
    } else if (inner_name(p->name, FG_LIT("input_reference"), &inner) &&
               FG_IS(inner, "image_url")) {
        set_image_url(d, p->value);
    } else {
        const struct field *f = field_named(d, p->name);
        if (f && f->kind <= NUMBER)
            f->set(d, p->value);
        else if (f)
            wrong_type(d, f->name,
                       f->kind == METADATA ? "metadata[key] fields" : "a file or [image_url]");
    }
}

static enum fg_code decode_form(struct decode *d, struct fg_str boundary, struct fg_str body)
{
    struct form_part part[FORM_PARTS_MAX];
    size_t n;
    enum fg_code rc = form_parse(d->cx, boundary, body, part, &n);
    if (rc != FG_OK)
        return rc;
    fg_fields_clear(d->cx);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++)
            if (fg_eq(part[i].name, part[j].name)) {
                char *name = arena_cstr(d->cx->mem, part[i].name);
                fg_field(d->cx, name, "duplicate_parameter",
                         "A field of the form was given twice.");
            }
        form_field(d, &part[i]);
    }
    return FG_OK;
}

/* "application/json" with or without parameters. */
static bool says_json(struct fg_str content_type)
{
    struct fg_str type;
    if (!scan_until(&content_type, ';', &type))
        return false;
    while (type.n && type.p[type.n - 1] == ' ')
        type.n--;
    return fg_eq_nocase(type, FG_LIT("application/json"));
}

static int64_t draw_seed(struct fg_ctx *cx)
{
    uint32_t seed;
    cx->env->random(cx->env->self, &seed, sizeof seed);
    return seed;
}

static bool complained(const struct fg_ctx *cx, const char *param)
{
    for (unsigned i = 0; i < cx->err.field_n; i++)
        if (strcmp(cx->err.field[i].path, param) == 0)
            return true;
    return false;
}

enum fg_code request_decode(struct fg_ctx *cx, const struct conf *conf, struct fg_str content_type,
                            struct fg_str body, struct request *out)
{
    struct request r = { .video = { .model = FG_LIT("studio-1"),
                                    .seconds = 4,
                                    .width = 720,
                                    .height = 1280,
                                    .seed = draw_seed(cx) } };
    struct decode d = { cx, conf, &r, sb_in(cx->mem, METADATA_BYTES_MAX), 0 };
    struct fg_str boundary;
    enum fg_code rc;
    if (form_boundary(content_type, &boundary))
        rc = decode_form(&d, boundary, body);
    else if (says_json(content_type))
        rc = decode_json(&d, body);
    else
        rc =
            fg_fail(cx, FG_MEDIA_TYPE, "The body must be application/json or multipart/form-data.");
    if (rc != FG_OK)
        return rc;
    if (!r.video.prompt.p && !complained(cx, "prompt"))
        fg_field(cx, "prompt", "missing_required_parameter",
                 "Missing required parameter: 'prompt'.");
    if (r.image.p && r.video.image_url.p)
        invalid(&d, "input_reference", "give one image only");
    rc = fg_fields_check(cx);
    if (rc != FG_OK)
        return rc;
    if (d.metadata_n) {
        sb_add_c(&d.metadata, '}');
        r.video.metadata = sb_str(&d.metadata);
    }
    *out = r;
    return FG_OK;
}
