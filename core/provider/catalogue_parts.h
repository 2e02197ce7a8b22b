/* Inside of the catalogue, for its own files: the reader of the JSON form. The schema has been held against the file
 * before, so shapes, types and ranges of numbers are what it says; here is checked what it cannot say. */
#ifndef FG_PROVIDER_CATALOGUE_PARTS_H
#define FG_PROVIDER_CATALOGUE_PARTS_H

#include "io/json.h"
#include "provider/catalogue.h"

struct cat_reader {
    struct fg_ctx *cx;        /* errors, and memory for the time of reading */
    struct arena *keep;       /* the catalogue's own, which the JSON tree lives in too */
    const struct conf *conf;
    struct catalogue *c;      /* being filled, in its final place: its parts may point to each other */
    const char *file;
};

/* "FILE: PATH: words" as FG_CONFIG. path "" is the top. */
enum fg_code cat_wrong(struct cat_reader *r, const char *path, const char *fmt, ...) FG_PRINTF(3, 4);
/* path + "/" + key, for errors. */
const char *cat_down(struct cat_reader *r, const char *path, struct fg_str key);
#define CAT_DOWN(r, path, key) cat_down((r), (path), FG_LIT(key))

/* Names: a-z, 0-9, "-", "_" and "."; they stand in columns, URLs and sections. */
#define CAT_NAME_MAX 64
#define CAT_PROVIDER_NAME_MAX 32
bool cat_name_ok(struct fg_str s, size_t max);

/* Members that the schema has made sure of, or defaults where it lets them be absent. */
struct fg_str cat_text(const struct js *v, const char *key);                 /* FG_NONE */
int64_t cat_number(const struct js *v, const char *key, int64_t absent);
bool cat_bool(const struct js *v, const char *key);                          /* false */
/* Index of the text among the words, which NULL ends; absent: 0. */
int cat_word(const struct js *v, const char *key, const char *const *words);
/* "2027-01-31" as UTC midnight; absent: 0. */
enum fg_code cat_day(struct cat_reader *r, const char *path, const struct js *v, const char *key, int64_t *us)
    FG_MUST_CHECK;

/* catalogue_read.c: the whole file's tree into r->c. */
enum fg_code cat_read(struct cat_reader *r, const struct js *root) FG_MUST_CHECK;
/* catalogue_model.c: one model of a provider whose own members are set. */
enum fg_code cat_read_model(struct cat_reader *r, const char *path, const struct js *v, const struct cat_provider *p,
                            struct cat_model *m) FG_MUST_CHECK;
/* catalogue_wire.c: how a model spells its parameters; the rest of *m is set. */
enum fg_code cat_read_wire(struct cat_reader *r, const char *path, const struct js *v, struct cat_model *m)
    FG_MUST_CHECK;

#endif
