#include "provider/adapter.h"

#include "base/arena.h"
#include "base/scan.h"
#include "base/time.h"
#include "base/utf8.h"

#define PATH_STEP_MAX 64
#define SECONDS_MAX 86400

/* ---- calls ---- */

enum fg_code adapter_call(struct fg_ctx *cx, const struct provider *p, const struct provider_site *site,
                          const char *method, const struct sb *url, struct fetch_call *out)
{
    if (url->bad)
        return fg_fail(cx, FG_TOO_LARGE, "provider url over %zu bytes", url->max);
    *out = fetch_call_init(method, sb_str(url));
    if (p->authorize && site->key.n)
        p->authorize(cx, site, out);
    return FG_OK;
}

enum fg_code adapter_call_at(struct fg_ctx *cx, const struct provider *p, const struct provider_site *site,
                             const char *method, struct fg_str path, struct fetch_call *out)
{
    struct sb url = sb_in(cx->mem, ADAPTER_URL_MAX);
    sb_add(&url, site->base_url);
    sb_add(&url, path);
    return adapter_call(cx, p, site, method, &url, out);
}

enum fg_code adapter_call_on(struct fg_ctx *cx, const struct provider *p, const struct provider_site *site,
                             const char *method, const char *path, struct fg_str last, struct fetch_call *out)
{
    struct sb url = sb_in(cx->mem, ADAPTER_URL_MAX);
    sb_add(&url, site->base_url);
    sb_add(&url, fg_str_c(path));
    sb_add_escaped(&url, last);
    return adapter_call(cx, p, site, method, &url, out);
}

enum fg_code adapter_body(struct fg_ctx *cx, const struct sb *body, struct fetch_call *out)
{
    if (body->bad)
        return fg_fail(cx, FG_TOO_LARGE, "provider request over %zu bytes", body->max);
    out->body = sb_str(body);
    fetch_add_header(out, FG_LIT("Content-Type"), FG_LIT("application/json"));
    return FG_OK;
}

enum fg_code adapter_submit(struct fg_ctx *cx, const struct provider *p, const struct provider_site *site,
                            const char *path, struct fg_str last, const struct sb *body, struct fetch_call *out)
{
    enum fg_code rc = adapter_call_on(cx, p, site, "POST", path, last, out);
    if (rc == FG_OK)
        rc = adapter_body(cx, body, out);
    if (rc == FG_OK)
        out->once = true;
    return rc;
}

void adapter_authorization(struct fg_ctx *cx, const char *scheme, struct fg_str key, struct fetch_call *out)
{
    out->secret = (struct fetch_header){ FG_LIT("Authorization"),
                                         arena_fmt(cx->mem, "%s %.*s", scheme, FG_P(key)) };
}

/* ---- parameters ---- */

static struct fg_str number(struct fg_ctx *cx, int64_t v)
{
    return arena_fmt(cx->mem, "%lld", (long long)v);
}

/* As ours; FG_NONE: the spec does not have it. */
static struct fg_str plain(struct fg_ctx *cx, const struct gen_spec *spec, enum gen_param p)
{
    switch (p) {
    case PARAM_PROMPT:
        return spec->prompt;
    case PARAM_IMAGE:
        return adapter_image(cx, spec);
    case PARAM_RATIO:
        return spec->aspect_ratio;
    case PARAM_RESOLUTION:
        return spec->resolution;
    case PARAM_DURATION:
        return number(cx, spec->duration_s);
    case PARAM_SEED:
        return spec->has_seed ? number(cx, spec->seed) : FG_NONE;
    case PARAM_AUDIO:
        return spec->audio == AUDIO_ANY ? FG_NONE : spec->audio == AUDIO_ON ? FG_LIT("true") : FG_LIT("false");
    case PARAM_NEGATIVE:
        return spec->negative;
    case PARAM_WIDTH:
        return spec->width ? number(cx, spec->width) : FG_NONE;
    case PARAM_HEIGHT:
        return spec->height ? number(cx, spec->height) : FG_NONE;
    case PARAM_REF:
        return spec->client_ref;
    }
    return FG_NONE;
}

struct fg_str adapter_value(struct fg_ctx *cx, const struct gen_spec *spec, enum gen_param p)
{
    const struct spelling *s = &spec->wire->param[p];
    struct fg_str v = plain(cx, spec, p), theirs;
    if (!v.p)
        return FG_NONE;
    if (p == PARAM_DURATION && s->fps)
        v = number(cx, spec->duration_s * s->fps + s->more_frames);
    if (s->values && js_str(js_get(s->values, arena_cstr(cx->mem, v)), &theirs))
        v = theirs;
    return s->suffix.n ? arena_fmt(cx->mem, "%.*s%.*s", FG_P(v), FG_P(s->suffix)) : v;
}

bool adapter_has(const struct gen_spec *spec, enum gen_param p)
{
    if (spec->wire->param[p].name.n == 0)
        return false;
    switch (p) {
    case PARAM_IMAGE:
        return spec->image_url.p || spec->image_bytes.p || spec->image_name.p;
    case PARAM_RATIO:
        return spec->aspect_ratio.p != NULL;
    case PARAM_SEED:
        return spec->has_seed;
    case PARAM_AUDIO:
        return spec->audio != AUDIO_ANY;
    case PARAM_NEGATIVE:
        return spec->negative.p != NULL;
    case PARAM_WIDTH:
    case PARAM_HEIGHT:
        return spec->width > 0;
    case PARAM_PROMPT:
    case PARAM_RESOLUTION:
    case PARAM_DURATION:
    case PARAM_REF:
        break;
    }
    return true;
}

void adapter_write(struct fg_ctx *cx, struct jw *w, const struct gen_spec *spec, enum gen_param p)
{
    const struct spelling *s = &spec->wire->param[p];
    if (!adapter_has(spec, p))
        return;
    const char *name = arena_cstr(cx->mem, s->name);
    struct fg_str v = adapter_value(cx, spec, p);
    switch (s->as) {
    case SPELL_TEXT:
        jw_str(w, name, v);
        return;
    case SPELL_NUMBER:
    case SPELL_BOOL:
        jw_raw(w, name, v);
        return;
    }
}

void adapter_write_fixed(struct jw *w, const struct gen_spec *spec)
{
    struct fg_str key;
    const struct js *v;
    for (size_t it = 0; js_next(spec->wire->fixed, &it, &key, &v);) {
        jw_key(w, key);
        js_write(w->b, v);
        w->comma = true;
    }
}

void adapter_write_all(struct fg_ctx *cx, struct jw *w, const struct gen_spec *spec)
{
    for (int p = 0; p < PARAM_N; p++)
        adapter_write(cx, w, spec, (enum gen_param)p);
    adapter_write_fixed(w, spec);
}

struct fg_str adapter_image(struct fg_ctx *cx, const struct gen_spec *spec)
{
    if (spec->image_name.p)
        return spec->image_name;
    if (!spec->image_bytes.p)
        return spec->image_url;
    struct fg_str text = hash_base64(cx->mem, spec->image_bytes);
    struct sb b = sb_in(cx->mem, text.n + 100);
    sb_addf(&b, "data:%.*s;base64,", FG_P(spec->image_type));
    sb_add(&b, text);
    return sb_str(&b);
}

/* ---- answers ---- */

bool adapter_ok(const struct fetch_reply *r)
{
    return r->end == FETCH_ANSWERED && r->status >= 200 && r->status < 300;
}

const struct js *adapter_json(struct fg_ctx *cx, const struct fetch_reply *r)
{
    const struct js *v = NULL;
    return r->end == FETCH_ANSWERED && r->body.n && js_parse(cx, r->body, &v) == FG_OK ? v : NULL;
}

const struct js *adapter_at(const struct js *v, const char *path)
{
    char step[PATH_STEP_MAX];
    uint64_t i;
    for (struct fg_str rest = fg_str_c(path), name; v && scan_until(&rest, '.', &name);) {
        FG_ASSERT(name.n < sizeof step); /* paths are literals */
        memcpy(step, name.p, name.n);
        step[name.n] = '\0';
        if (js_type(v) == JS_ARRAY)
            v = scan_all_u64(name, PROVIDER_ROWS_MAX, &i) && i < js_len(v) ? js_at(v, i) : NULL;
        else
            v = js_get(v, step);
    }
    return v;
}

struct fg_str adapter_text(const struct js *v, const char *path)
{
    struct fg_str s;
    return js_str(adapter_at(v, path), &s) ? s : FG_NONE;
}

struct fg_str adapter_id(struct fg_ctx *cx, const struct js *v, const char *path)
{
    struct fg_str s;
    const struct js *at = adapter_at(v, path);
    if (js_str(at, &s))
        return s;
    int64_t n;
    return js_i64(at, &n) ? number(cx, n) : FG_NONE;
}

int64_t adapter_i64(const struct js *v, const char *path)
{
    int64_t n;
    return js_i64(adapter_at(v, path), &n) ? n : 0;
}

/* "+02:00" as seconds east; "Z" as 0. */
static bool offset_s(struct fg_str s, int64_t *out)
{
    uint64_t h, m;
    bool west = fg_starts(s, FG_LIT("-"));
    *out = 0;
    if (FG_IS(s, "Z"))
        return true;
    if (s.n != 6 || (!west && s.p[0] != '+') || s.p[3] != ':')
        return false;
    for (size_t i = 1; i < 6; i++)
        if (i != 3 && (s.p[i] < '0' || s.p[i] > '9'))
            return false;
    h = (uint64_t)(s.p[1] - '0') * 10 + (uint64_t)(s.p[2] - '0');
    m = (uint64_t)(s.p[4] - '0') * 10 + (uint64_t)(s.p[5] - '0');
    *out = (int64_t)(h * 3600 + m * 60) * (west ? -1 : 1);
    return h < 24 && m < 60;
}

/* Vendors write more digits, and other offsets, than we do. */
int64_t adapter_time(const struct js *v, const char *path)
{
    struct fg_str s = adapter_text(v, path);
    char plain[32] = "";
    size_t n = 19, digits = n;
    int64_t us, east_s;
    if (s.n < n + 1)
        return 0;
    if (s.p[n] == '.')
        for (digits = n + 1; digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9';)
            digits++;
    n = digits > 26 ? 26 : digits;
    memcpy(plain, s.p, n);
    plain[n] = 'Z';
    if (!time_parse_iso((struct fg_str){ plain, n + 1 }, &us) ||
        !offset_s((struct fg_str){ s.p + digits, s.n - digits }, &east_s))
        return 0;
    return us - east_s * FG_US_PER_S;
}

int64_t adapter_unix(const struct js *v, const char *path, int64_t per_s)
{
    int64_t n = adapter_i64(v, path), us = FG_US_PER_S / per_s;
    return n > 0 && n <= TIME_MAX_US / us ? n * us : 0;
}

int64_t adapter_seconds(const struct js *v, const char *path)
{
    struct fg_str text = adapter_text(v, path);
    int64_t n = adapter_i64(v, path);
    uint64_t s;
    if (scan_u64(&text, SECONDS_MAX, &s))
        return text.n == 0 || FG_IS(text, "s") ? (int64_t)s : 0;
    return n > 0 && n <= SECONDS_MAX ? n : 0;
}

/* No blanks and no control bytes: one word. */
static bool is_word(struct fg_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
            return false;
    return true;
}

struct fg_str adapter_links(struct fg_ctx *cx, const struct js *v, const char *const *path)
{
    struct sb b = sb_in(cx->mem, PROVIDER_LINKS_MAX);
    for (; *path; path++) {
        struct fg_str url = adapter_text(v, *path);
        if (is_word(url))
            sb_add(&b, url);
        if (path[1])
            sb_add_c(&b, '\n');
    }
    return b.bad ? FG_NONE : sb_str(&b);
}

struct fg_str adapter_link(const struct provider_site *site, struct fg_str links, unsigned i)
{
    struct fg_str url;
    while (scan_until(&links, '\n', &url))
        if (i-- == 0)
            return site_knows(site, url) ? url : FG_NONE;
    return FG_NONE;
}

bool adapter_id_ok(struct fg_str id)
{
    if (id.n == 0 || id.n > PROVIDER_ID_MAX || !is_word(id))
        return false;
    for (struct fg_str rest = id, part; scan_until(&rest, '/', &part);)
        if (FG_IS(part, ".") || FG_IS(part, ".."))
            return false;
    return true;
}

struct fg_str adapter_clip(struct fg_str s, size_t max)
{
    size_t n = 0, len;
    while (n < s.n && (len = utf8_len(s.p + n, s.n - n)) > 0 && n + len <= max)
        n += len;
    return (struct fg_str){ s.p, n };
}

struct fg_str adapter_words(struct fg_ctx *cx, int status, enum remote_reason reason, struct fg_str code,
                            struct fg_str message)
{
    if (status == 401 || reason == REASON_AUTH)
        message = FG_NONE;
    return adapter_clip(arena_fmt(cx->mem, "HTTP %d%s%.*s%s%.*s", status, code.n ? " " : "",
                                  FG_P(adapter_clip(code, ADAPTER_WORD_MAX)), message.n ? ": " : "",
                                  FG_P(message)),
                        ADAPTER_WORDS_MAX);
}

bool adapter_says(struct fg_str text, const char *const *word)
{
    for (; *word; word++) {
        size_t n = strlen(*word);
        for (size_t i = 0; i + n <= text.n; i++)
            if (fg_eq_nocase((struct fg_str){ text.p + i, n }, (struct fg_str){ *word, n }))
                return true;
    }
    return false;
}

void adapter_state(struct fg_ctx *cx, struct poll_reply *out, struct fg_str word, const struct word_state *table)
{
    out->understood = true;
    for (; table->word; table++)
        if (fg_eq_nocase(word, fg_str_c(table->word))) {
            out->state = table->state;
            return;
        }
    out->state = REMOTE_RUNNING;
    out->unknown_word = arena_str(cx->mem, adapter_clip(word, ADAPTER_WORD_MAX));
}

enum remote_reason adapter_reason(struct fg_str code, const struct code_reason *table)
{
    for (; table->code; table++) {
        struct fg_str want = fg_str_c(table->code);
        bool prefix = want.p[want.n - 1] == '*';
        struct fg_str have = code;
        if (prefix)
            want.n--;
        if (prefix && have.n > want.n)
            have.n = want.n;
        if (fg_eq_nocase(have, want))
            return table->reason;
    }
    return REASON_NONE;
}

/* ---- failures ---- */

static const struct {
    int status;
    enum submit_outcome outcome;
    enum remote_reason reason;
} statuses[] = {
    { 401, SUBMIT_REFUSED, REASON_AUTH },  { 402, SUBMIT_REFUSED, REASON_CREDIT },
    { 403, SUBMIT_REFUSED, REASON_AUTH },  { 408, SUBMIT_UNKNOWN, REASON_BUSY },
    { 409, SUBMIT_UNKNOWN, REASON_BUSY },  { 425, SUBMIT_UNKNOWN, REASON_BUSY },
    { 429, SUBMIT_NOT_SENT, REASON_BUSY },
};

static void add_wait_and_words(struct fg_ctx *cx, const struct fetch_reply *r, struct fg_str code,
                               struct fg_str message, struct submit_reply *out)
{
    if (out->outcome == SUBMIT_NOT_SENT || out->reason == REASON_PARK)
        out->retry_after_s = fetch_retry_after_s(cx, r);
    if (out->reason == REASON_PARK)
        out->park_s = out->retry_after_s;
    out->words = adapter_words(cx, r->status, out->reason, code, message);
}

void adapter_submit_failed(struct fg_ctx *cx, const struct fetch_reply *r, enum remote_reason reason,
                           struct fg_str code, struct fg_str message, struct submit_reply *out)
{
    /* 4xx is a final answer; anything else proves nothing. */
    bool final = r->status >= 400 && r->status < 500;
    *out = (struct submit_reply){ .outcome = final ? SUBMIT_REFUSED : SUBMIT_UNKNOWN,
                                  .reason = final ? REASON_REFUSED : REASON_FAILED };
    for (size_t i = 0; i < FG_LEN(statuses); i++)
        if (r->status == statuses[i].status) {
            out->outcome = statuses[i].outcome;
            out->reason = statuses[i].reason;
        }
    if (final && reason != REASON_NONE) {
        out->outcome = reason == REASON_BUSY ? SUBMIT_NOT_SENT : SUBMIT_REFUSED;
        out->reason = reason;
    }
    add_wait_and_words(cx, r, code, message, out);
}

const struct coded_end *adapter_coded(int64_t code, const struct coded_end *table)
{
    for (; table->code; table++)
        if (table->code == code)
            return table;
    return NULL;
}

void adapter_submit_coded(struct fg_ctx *cx, const struct fetch_reply *r, const struct coded_end *end,
                          struct fg_str code, struct fg_str message, struct submit_reply *out)
{
    bool believed = end && (r->status < 500 || r->status == end->status);
    adapter_submit_failed(cx, r, REASON_NONE, code, message, out);
    if (!believed)
        return;
    *out = (struct submit_reply){ .outcome = end->outcome, .reason = end->reason };
    add_wait_and_words(cx, r, code, message, out);
}

void adapter_accepted(struct fg_ctx *cx, struct fg_str id, struct fg_str links, struct submit_reply *out)
{
    if (!adapter_id_ok(id)) {
        *out = (struct submit_reply){ .outcome = SUBMIT_UNKNOWN, .reason = REASON_NONSENSE,
                                      .words = FG_LIT("accepted without a usable id") };
        return;
    }
    if (links.n > PROVIDER_LINKS_MAX)
        links = FG_NONE;
    *out = (struct submit_reply){ .outcome = SUBMIT_ACCEPTED, .id = arena_str(cx->mem, id),
                                  .links = links.p ? arena_str(cx->mem, links) : FG_NONE };
}

struct poll_reply adapter_no_news(void)
{
    return (struct poll_reply){ .progress = -1, .queue_position = -1 };
}

void adapter_poll_failed(struct fg_ctx *cx, const struct fetch_reply *r, enum remote_reason reason,
                         struct fg_str code, struct fg_str message, struct poll_reply *out)
{
    *out = adapter_no_news();
    out->reason = REASON_FAILED;
    if (r->end != FETCH_ANSWERED) {
        out->words = arena_str(cx->mem, adapter_clip(r->words, ADAPTER_WORDS_MAX));
        return;
    }
    for (size_t i = 0; i < FG_LEN(statuses); i++)
        if (r->status == statuses[i].status)
            out->reason = statuses[i].reason;
    if (reason != REASON_NONE)
        out->reason = reason;
    out->poll_after_ms = fetch_retry_after_s(cx, r) * 1000;
    out->words = adapter_words(cx, r->status, out->reason, code, message);
    if (r->status == 404 || r->status == 410) {
        out->understood = true;
        out->state = REMOTE_GONE;
        out->reason = REASON_NONE;
    }
}

void adapter_failed(struct fg_ctx *cx, struct poll_reply *out, enum remote_reason reason, struct fg_str code,
                    struct fg_str message)
{
    out->understood = true;
    out->state = REMOTE_FAILED;
    out->reason = reason;
    out->words = adapter_clip(arena_fmt(cx->mem, "%.*s%s%.*s", FG_P(adapter_clip(code, ADAPTER_WORD_MAX)),
                                        code.n && message.n ? ": " : "", FG_P(message)),
                              ADAPTER_WORDS_MAX);
}

void adapter_done(struct fg_ctx *cx, struct poll_reply *out, struct fg_str url, enum key_use key)
{
    if (!url.n) {
        adapter_failed(cx, out, REASON_NONSENSE, FG_NONE, FG_LIT("done, but without a file"));
        return;
    }
    out->understood = true;
    out->state = REMOTE_DONE;
    out->output_url = arena_str(cx->mem, url);
    out->output_key = key;
}

bool adapter_past_window(const struct list_reply *page, int64_t since_us)
{
    if (page->n == 0)
        return false;
    int64_t first_us = page->row[0].created_us, last_us = page->row[page->n - 1].created_us;
    return last_us > 0 && last_us < first_us && last_us < since_us;
}
