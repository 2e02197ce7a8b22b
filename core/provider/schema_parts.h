/* Inside the schema checker: what schema.c (does a value fit?) and schema_check.c (is it a schema?) share. */
#ifndef FG_PROVIDER_SCHEMA_PARTS_H
#define FG_PROVIDER_SCHEMA_PARTS_H

#include "provider/schema.h"

#define SCHEMA_PATH_SHOWN 160 /* bytes of a path in a message */

/* A place in a value or in a schema, from itself upwards: on the stack, and written out only once
 * something is wrong. NULL is the top. */
struct at {
    const struct at *up;
    struct fg_str key; /* p NULL: index counts */
    size_t index, depth;
};

struct fault {
    size_t depth;
    struct fg_str path;
    char words[FG_ERR_TEXT_MAX - SCHEMA_PATH_SHOWN];
};

struct walk {
    struct fg_ctx *cx;
    const struct js *root; /* the whole schema: $ref looks in its $defs */
    unsigned depth;        /* of subschemas being applied */
    size_t steps;          /* subschemas applied */
    struct fault fault;
    bool stopped;          /* no verdict on the value: no other form needs to be tried */
};

/* What may stand behind a keyword. */
enum shape {
    SHAPE_ANY,
    SHAPE_TEXT,
    SHAPE_FLAG,
    SHAPE_WHOLE,
    SHAPE_COUNT,
    SHAPE_DIALECT,
    SHAPE_TYPE,
    SHAPE_VALUES,
    SHAPE_KEYS,
    SHAPE_SCHEMA,
    SHAPE_SCHEMA_OR_FLAG,
    SHAPE_SCHEMAS,
    SHAPE_FORMS,
    SHAPE_NAME_RULES,
    SHAPE_REF,
};

/* Whether the keyword, which schema has, holds for v; else the fault is in w. */
struct keyword;
typedef bool holds_fn(struct walk *w, const struct at *at, const struct keyword *k, const struct js *schema,
                      const struct js *v);

/* The one table is in schema.c: a keyword that is known is one that is looked at. */
struct keyword {
    const char *name;
    enum shape shape;
    holds_fn *holds; /* NULL: it says nothing about a value by itself */
    bool top_only;
    enum js_type of; /* of limits: values of other types pass */
    bool most;       /* an upper limit; of forms: not more than one may fit */
    const char *unit;
};
const struct keyword *schema_keyword(struct fg_str name); /* NULL: unknown */

struct at schema_member(const struct at *up, struct fg_str key);
struct at schema_item(const struct at *up, size_t i);
/* Notes the fault; returns false. */
bool schema_wrong(struct walk *w, const struct at *at, const char *fmt, ...) FG_PRINTF(3, 4);
/* The fault as an error; before: in front of the path, top: the path of the top. */
enum fg_code schema_report(struct walk *w, const char *before, const char *top);

/* "type" is one name or a list of them: the i-th, NULL after the last. */
const struct js *schema_type_at(const struct js *arg, size_t i);
/* What a type is to people ("a text") and to us; NULL: no such type. */
struct type_name {
    const char *name;
    enum js_type type;
    const char *words;
};
const struct type_name *schema_type(const struct js *name);
/* The schema that "$ref" means; NULL when it is not there. */
const struct js *schema_referred(const struct walk *w, const struct js *ref);
/* Index of the first item that was there before; the length when there is none. Quadratic. */
size_t schema_repeated(const struct js *list);

#endif
