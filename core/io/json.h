/* JSON in: scanned for strict RFC 8259 first (json-c in strict mode is not strict), then typed getters that
 * never coerce. JSON out: a writer onto a bounded builder. Nobody else includes json-c. */
#ifndef FG_IO_JSON_H
#define FG_IO_JSON_H

#include "base/sb.h"

#define JSON_DEPTH_MAX 16              /* arrays and objects inside one another */
#define JSON_NUMBER_MAX 128            /* characters of one number */
#define JSON_VALUES_MAX 100000         /* in one text: json-c needs many bytes for each */
#define JSON_TEXT_MAX (8 * FG_MIB)

enum js_type { JS_NULL, JS_BOOL, JS_NUMBER, JS_STRING, JS_ARRAY, JS_OBJECT };

struct js; /* a value; owned by the arena of the parse */

/* What json-c would take and the RFC (or we) would not: bad UTF-8, control bytes, lone surrogates, NUL, single
 * quotes, NaN, numbers beyond RFC grammar or (integers) int64, depth over JSON_DEPTH_MAX, duplicate keys,
 * trailing bytes; and what passes the limits above. Time: linear in the text (keys: n log n).
 * Returns NULL when the text is good, else words with the byte offset (a literal or arena). */
const char *js_scan(struct fg_ctx *cx, struct fg_str text);

/* js_scan, then json-c. FG_INVALID_JSON with words. The tree lives until the arena is reset. */
enum fg_code js_parse(struct fg_ctx *cx, struct fg_str text, const struct js **out) FG_MUST_CHECK;

enum js_type js_type(const struct js *v); /* NULL pointer: JS_NULL */
/* Member of an object or NULL when absent or not an object; a JSON null is a value of type JS_NULL (not NULL). */
const struct js *js_get(const struct js *v, const char *key);
size_t js_len(const struct js *v); /* members of an array or object */
const struct js *js_at(const struct js *array, size_t i);
/* Members in order of appearance; false at the end. Start with *it = 0. A NUL ends the key. */
bool js_next(const struct js *object, size_t *it, struct fg_str *key, const struct js **value);

/* True and *out only if v has that very type. A NUL ends the text, and none is in it. Numbers: js_i64 takes
 * integers without fraction and exponent. */
bool js_str(const struct js *v, struct fg_str *out);
bool js_i64(const struct js *v, int64_t *out);
bool js_bool(const struct js *v, bool *out);
/* The number's digits as they stood in the text (money never becomes a double); only -0 becomes 0. */
bool js_number_text(const struct js *v, struct fg_str *out);
/* The value written compactly again (metadata kept as given). */
void js_write(struct sb *b, const struct js *v);

/* The writer. It puts the commas; keys are C literals. sb.bad tells of overflow, at the end. */
struct jw {
    struct sb *b;
    bool comma;
};
struct jw jw_on(struct sb *b);
void jw_open(struct jw *w, const char *key);       /* {   key NULL: no key (array element or top) */
void jw_open_array(struct jw *w, const char *key); /* [ */
void jw_close(struct jw *w);                       /* } */
void jw_close_array(struct jw *w);                 /* ] */
void jw_str(struct jw *w, const char *key, struct fg_str v);  /* null when v.p is NULL */
void jw_i64(struct jw *w, const char *key, int64_t v);
void jw_bool(struct jw *w, const char *key, bool v);
void jw_null(struct jw *w, const char *key);
void jw_time(struct jw *w, const char *key, int64_t us);      /* ISO 8601; null when 0 */
void jw_raw(struct jw *w, const char *key, struct fg_str json); /* already JSON; null when p is NULL */
/* A key that is data (metadata): escaped. */
void jw_key(struct jw *w, struct fg_str key);      /* then one jw_*(w, NULL, …) for its value */

#endif
