#include "provider/catalogue.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "provider/catalogue_parts.h"
#include "provider/schema.h"

#define FILE_MAX FG_MIB

extern const struct fg_str catalogue_schema; /* catalogue.schema.json, by the build */

/* Which file, and which version of it: enough to see that it was replaced or edited. All zero: none. */
struct seen {
    int64_t mtime_ns, size;
    uint64_t inode;
};

struct cat_store {
    struct arena *mem;
    unsigned holders;
    struct seen seen; /* the newest version that was looked at, good or bad */
};

static struct seen seen_of(const struct stat *st)
{
    return (struct seen){ (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec, (int64_t)st->st_size,
                          (uint64_t)st->st_ino };
}

static bool same(const struct seen *a, const struct seen *b)
{
    return a->mtime_ns == b->mtime_ns && a->size == b->size && a->inode == b->inode;
}

static enum fg_code read_file(struct fg_ctx *cx, const char *path, struct fg_str *text, struct seen *seen)
{
    struct stat st;
    FILE *f = fopen(path, "re");
    if (!f)
        return fg_fail(cx, FG_CONFIG, "%s: %s", path, strerror(errno));
    char *p = arena_get(cx->mem, FILE_MAX);
    bool bad = fstat(fileno(f), &st) != 0;
    size_t n = bad ? 0 : fread(p, 1, FILE_MAX, f);
    bad = bad || ferror(f) != 0;
    fclose(f);
    if (bad || n == FILE_MAX)
        return fg_fail(cx, FG_CONFIG, "%s: cannot be read, or has %zu bytes or more", path, FILE_MAX);
    *seen = seen_of(&st);
    *text = (struct fg_str){ p, n };
    return FG_OK;
}

/* Puts the file in front of an error without it. */
static enum fg_code in_file(struct fg_ctx *cx, const char *path)
{
    struct fg_str words = arena_str(cx->mem, fg_str_c(cx->err.detail));
    return fg_fail(cx, FG_CONFIG, "%s: %.*s", path, FG_P(words));
}

/* The tree lives as long as the catalogue; what is read on the way, as long as the caller's memory. */
static enum fg_code parse(struct fg_ctx *cx, struct arena *keep, const char *path, struct fg_str text,
                          const struct js **out)
{
    struct fg_ctx inner = { .mem = keep, .env = cx->env };
    const struct js *schema;
    if (js_parse(&inner, text, out) != FG_OK)
        return fg_fail(cx, FG_CONFIG, "%s: %s", path, inner.err.detail);
    FG_ASSERT(js_parse(cx, catalogue_schema, &schema) == FG_OK);
    return schema_validate(cx, schema, *out) == FG_OK ? FG_OK : in_file(cx, path);
}

static enum fg_code load(struct fg_ctx *cx, const struct conf *conf, struct seen *seen, const struct catalogue **out)
{
    const char *path = arena_cstr(cx->mem, conf->catalogue_file);
    struct fg_str text;
    const struct js *root;
    *seen = (struct seen){ 0 };
    enum fg_code rc = read_file(cx, path, &text, seen);
    if (rc != FG_OK)
        return rc;
    struct arena *mem = arena_new();
    struct cat_reader r = { cx, mem, conf, arena_new_of(mem, struct catalogue), path };
    rc = parse(cx, mem, path, text, &root);
    if (rc == FG_OK)
        rc = cat_read(&r, root);
    if (rc != FG_OK) {
        arena_free(mem);
        return rc;
    }
    r.c->store = arena_new_of(mem, struct cat_store);
    *r.c->store = (struct cat_store){ mem, 1, *seen };
    *out = r.c;
    return FG_OK;
}

enum fg_code catalogue_load(struct fg_ctx *cx, const struct conf *conf, const struct catalogue **out)
{
    struct seen seen;
    return load(cx, conf, &seen, out);
}

const struct catalogue *catalogue_hold(const struct catalogue *c)
{
    c->store->holders++;
    return c;
}

void catalogue_drop(const struct catalogue *c)
{
    if (c && --c->store->holders == 0)
        arena_free(c->store->mem);
}

enum fg_code catalogue_renew(struct fg_ctx *cx, const struct conf *conf, const struct catalogue **c, bool *changed)
{
    struct seen now = { 0 };
    struct stat st;
    const struct catalogue *fresh;
    *changed = false;
    if (stat(arena_cstr(cx->mem, conf->catalogue_file), &st) == 0)
        now = seen_of(&st);
    if (same(&now, &(*c)->store->seen))
        return FG_OK;
    enum fg_code rc = load(cx, conf, &now, &fresh);
    if (rc != FG_OK) {
        (*c)->store->seen = now;
        return rc;
    }
    catalogue_drop(*c);
    *c = fresh;
    *changed = true;
    return FG_OK;
}

const struct cat_provider *catalogue_provider(const struct catalogue *c, struct fg_str name)
{
    for (unsigned i = 0; i < c->provider_n; i++)
        if (fg_eq(c->provider[i].name, name))
            return &c->provider[i];
    return NULL;
}

const struct cat_model *catalogue_model(const struct catalogue *c, struct fg_str name)
{
    for (unsigned i = 0; i < c->model_n; i++)
        if (fg_eq(c->model[i].name, name))
            return &c->model[i];
    return NULL;
}

const struct cat_route *catalogue_route(const struct catalogue *c, struct fg_str name)
{
    for (unsigned i = 0; i < c->route_n; i++)
        if (fg_eq(c->route[i].name, name))
            return &c->route[i];
    return NULL;
}
