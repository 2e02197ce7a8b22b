/* What the tests of the adapters share: an answer, a header, a spec. */
#ifndef FG_TESTS_ADAPTER_KIT_H
#define FG_TESTS_ADAPTER_KIT_H

#include "base/sb.h"
#include "io/json.h"
#include "provider/provider.h"
#include "t.h"

static inline struct fetch_reply answer(int status, const char *body)
{
    return (struct fetch_reply){ .end = FETCH_ANSWERED, .status = status, .body = fg_str_c(body) };
}

/* An answer of the fact sheets: a file of tests/data/providers, in the arena. */
static inline struct fetch_reply recorded(struct fg_ctx *cx, int status, const char *name)
{
    struct fg_str path = arena_fmt(cx->mem, "tests/data/providers/%s", name);
    return (struct fetch_reply){ .end = FETCH_ANSWERED, .status = status, .body = t_file(cx, path.p) };
}

static inline void add_header(struct fetch_reply *r, const char *name, const char *value)
{
    if (name)
        r->header[r->header_n++] = (struct fetch_header){ fg_str_c(name), fg_str_c(value) };
}

static inline struct fg_str header_of(const struct fetch_call *c, struct fg_str name)
{
    for (unsigned i = 0; i < c->header_n; i++)
        if (fg_eq_nocase(c->header[i].name, name))
            return c->header[i].value;
    return FG_NONE;
}

static inline const struct js *parsed(struct fg_ctx *cx, const char *text)
{
    const struct js *v = NULL;
    CHECK_CODE(cx, js_parse(cx, fg_str_c(text), &v), FG_OK);
    return v;
}

/* The kite of the fact sheets: 8 s, 16:9, 720p. wire must outlive it. */
static inline struct gen_spec kite(const char *model, const struct gen_wire *wire)
{
    return (struct gen_spec){
        .model = fg_str_c(model),
        .wire = wire,
        .prompt = FG_LIT("a red kite over dunes"),
        .aspect_ratio = FG_LIT("16:9"),
        .resolution = FG_LIT("720p"),
        .width = 1280,
        .height = 720,
        .duration_s = 8,
        .client_ref = FG_LIT("5b1c1a0e-3c0f-4a53-9f0e-2f7f1f1b2c3d"),
    };
}

#endif
