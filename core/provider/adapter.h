/* What the adapters share: building calls, reading answers, sorting failures. Not for anybody else. */
#ifndef FG_PROVIDER_ADAPTER_H
#define FG_PROVIDER_ADAPTER_H

#include "base/sb.h"
#include "io/json.h"
#include "provider/provider.h"

#define ADAPTER_URL_MAX 4096
#define ADAPTER_BODY_MAX (64 * FG_KIB)
#define ADAPTER_IMAGE_BODY_MAX (24 * FG_MIB) /* with an image inside */
#define ADAPTER_WORDS_MAX 200
#define ADAPTER_WORD_MAX 40

/* ---- calls ---- */

/* A call with the key in it, or FG_TOO_LARGE when url.bad. */
enum fg_code adapter_call(struct fg_ctx *cx, const struct provider *p, const struct provider_site *site,
                          const char *method, const struct sb *url, struct fetch_call *out) FG_MUST_CHECK;
/* The same for base + path; path as it stands (escape what is data). */
enum fg_code adapter_call_at(struct fg_ctx *cx, const struct provider *p, const struct provider_site *site,
                             const char *method, struct fg_str path, struct fetch_call *out) FG_MUST_CHECK;
/* The same for base + path + last, which is data and gets escaped: one segment, or one value of the query. */
enum fg_code adapter_call_on(struct fg_ctx *cx, const struct provider *p, const struct provider_site *site,
                             const char *method, const char *path, struct fg_str last,
                             struct fetch_call *out) FG_MUST_CHECK;
/* A whole submit: POST of a JSON body there, once. */
enum fg_code adapter_submit(struct fg_ctx *cx, const struct provider *p, const struct provider_site *site,
                            const char *path, struct fg_str last, const struct sb *body,
                            struct fetch_call *out) FG_MUST_CHECK;
/* Gives the call a JSON body; FG_TOO_LARGE when body.bad. A submit sets out->once itself. */
enum fg_code adapter_body(struct fg_ctx *cx, const struct sb *body, struct fetch_call *out) FG_MUST_CHECK;
/* "Authorization: <scheme> <key>". */
void adapter_authorization(struct fg_ctx *cx, const char *scheme, struct fg_str key, struct fetch_call *out);

/* ---- parameters as the catalogue spells them ---- */

/* The value of a parameter as text in the provider's spelling (its values map, frames and suffix applied), whether or not
 * the catalogue names the parameter; FG_NONE when the spec does not have it. */
struct fg_str adapter_value(struct fg_ctx *cx, const struct gen_spec *spec, enum gen_param p);
/* Whether the spec has a value for it and the model a name, and so adapter_write writes it. */
bool adapter_has(const struct gen_spec *spec, enum gen_param p);
/* Writes one parameter as a member under the catalogue's name; nothing when there is none. */
void adapter_write(struct fg_ctx *cx, struct jw *w, const struct gen_spec *spec, enum gen_param p);
/* Writes all that the catalogue names, in the order of enum gen_param, then the fixed members. */
void adapter_write_all(struct fg_ctx *cx, struct jw *w, const struct gen_spec *spec);
/* The fixed members alone. */
void adapter_write_fixed(struct jw *w, const struct gen_spec *spec);
/* The image as a data URL ("data:image/png;base64,…") or its URL, whichever the spec has. */
struct fg_str adapter_image(struct fg_ctx *cx, const struct gen_spec *spec);

/* ---- answers ---- */

bool adapter_ok(const struct fetch_reply *r);       /* answered with 2xx */
/* NULL when the body is no JSON: every getter then finds nothing. */
const struct js *adapter_json(struct fg_ctx *cx, const struct fetch_reply *r);
/* A member somewhere below: adapter_at(v, "data.task.id"); NULL when absent. Digits step into arrays. */
const struct js *adapter_at(const struct js *v, const char *path);
/* The text there, or FG_NONE. adapter_id also takes a whole number, as text. */
struct fg_str adapter_text(const struct js *v, const char *path);
struct fg_str adapter_id(struct fg_ctx *cx, const struct js *v, const char *path);
/* 0 when it is absent or no whole number. */
int64_t adapter_i64(const struct js *v, const char *path);
/* ISO 8601 with offset or Z, in microseconds; 0 when it is none. */
int64_t adapter_time(const struct js *v, const char *path);
/* A Unix time that counts per_s to the second (1, 1000), in microseconds; 0 when it is none, or beyond the year 9999. */
int64_t adapter_unix(const struct js *v, const char *path, int64_t per_s);
/* A length as the vendors spell it: 8, "8", "8s"; 0 when it is none of them. */
int64_t adapter_seconds(const struct js *v, const char *path);

/* The URLs at these paths (the list ends with NULL) as the text for submit_reply.links; what is not there, or no URL by
 * its bytes, leaves its place empty. */
struct fg_str adapter_links(struct fg_ctx *cx, const struct js *v, const char *const *path);
/* The i-th of them, when the key may go there; else FG_NONE: build it from the id. */
struct fg_str adapter_link(const struct provider_site *site, struct fg_str links, unsigned i);

/* Goes into URLs and columns later: 1..PROVIDER_ID_MAX bytes, no blanks, no control bytes, not "." or "..", and no
 * segment of it either. */
bool adapter_id_ok(struct fg_str id);
/* At most max bytes, never in the middle of a character. */
struct fg_str adapter_clip(struct fg_str s, size_t max);
/* "HTTP 422 code: message", clipped; the message is left out with REASON_AUTH (it may repeat the key). */
struct fg_str adapter_words(struct fg_ctx *cx, int status, enum remote_reason reason, struct fg_str code,
                            struct fg_str message);
/* Any of the words in the text, whatever their case. The list ends with NULL. */
bool adapter_says(struct fg_str text, const char *const *word);

struct word_state {
    const char *word;
    enum remote_state state;
};
/* Sets out->understood and state by a status word, whatever its case; one that is not in the table (it ends with NULL) means still
 * running, and is told in unknown_word. */
void adapter_state(struct fg_ctx *cx, struct poll_reply *out, struct fg_str word, const struct word_state *table);

struct code_reason {
    const char *code;             /* matched whole, whatever its case; with a "*" at the end: as a prefix */
    enum remote_reason reason;
};
/* REASON_NONE when the table (it ends with NULL) does not have it. */
enum remote_reason adapter_reason(struct fg_str code, const struct code_reason *table);

/* ---- failures ---- */

/* What a submit that was answered with something other than success means, by its HTTP status: 401, 403 auth; 402 credit;
 * 408, 409, 425 and 5xx unknown; 429 not sent, busy; other 4xx refused. A reason that the adapter read from the body (not
 * REASON_NONE) is stronger than the status, for 4xx: BUSY makes it not sent, any other refused. */
void adapter_submit_failed(struct fg_ctx *cx, const struct fetch_reply *r, enum remote_reason reason,
                           struct fg_str code, struct fg_str message, struct submit_reply *out);
/* Of services with numbered codes of their own, which may come with HTTP 200 too. */
struct coded_end {
    int64_t code;                 /* 0 ends the table */
    int status;                   /* the HTTP status that is documented for it */
    enum submit_outcome outcome;
    enum remote_reason reason;
};
/* NULL when the table does not have it. */
const struct coded_end *adapter_coded(int64_t code, const struct coded_end *table);
/* Like adapter_submit_failed, but end (may be NULL) decides; with a 5xx only when that is the very status documented. A
 * success whose code is not known proves nothing: unknown. */
void adapter_submit_coded(struct fg_ctx *cx, const struct fetch_reply *r, const struct coded_end *end,
                          struct fg_str code, struct fg_str message, struct submit_reply *out);
/* Accepted when the id is usable; else unknown and nonsense. links may be FG_NONE. */
void adapter_accepted(struct fg_ctx *cx, struct fg_str id, struct fg_str links, struct submit_reply *out);
/* A poll that was not answered, or not with 2xx: no news, but for 404 and 410: gone. Fills all of *out. */
void adapter_poll_failed(struct fg_ctx *cx, const struct fetch_reply *r, enum remote_reason reason,
                         struct fg_str code, struct fg_str message, struct poll_reply *out);
/* An empty poll_reply with its -1s. */
struct poll_reply adapter_no_news(void);
/* Sets state failed with its reason and words. */
void adapter_failed(struct fg_ctx *cx, struct poll_reply *out, enum remote_reason reason, struct fg_str code,
                    struct fg_str message);
/* Of lists whose order is not documented: newest first as far as this page shows, and its end is before the window. */
bool adapter_past_window(const struct list_reply *page, int64_t since_us);
/* Sets state done with the file there; no url: failed, as nonsense. Hosts are checked by the caller of the adapter. */
void adapter_done(struct fg_ctx *cx, struct poll_reply *out, struct fg_str url, enum key_use key);

#endif
