/* Catalogues for tests: a temporary file, and a text with one thing replaced. */
#ifndef FG_TESTS_UNIT_CATALOGUE_KIT_H
#define FG_TESTS_UNIT_CATALOGUE_KIT_H

#include <stdio.h>
#include <unistd.h>

#include "base/sb.h"
#include "provider/catalogue.h"
#include "t.h"

#define KIT_PATH_MAX 64

/* The text (NUL-terminated, as t_file gives it) with the first "from" replaced. */
static inline struct fg_str kit_with(struct fg_ctx *cx, struct fg_str text, const char *from, const char *to)
{
    const char *at = strstr(text.p, from);
    CHECK(at != NULL, from);
    struct fg_str before = { text.p, (size_t)(at - text.p) };
    return arena_fmt(cx->mem, "%.*s%s%s", FG_P(before), to, at + strlen(from));
}

static inline void kit_write(const char *path, struct fg_str text)
{
    FILE *f = fopen(path, "we");
    CHECK(f && fwrite(text.p, 1, text.n, f) == text.n && fclose(f) == 0, path);
}

/* A new file of that text; unlink it. */
static inline void kit_file(char path[KIT_PATH_MAX], struct fg_str text)
{
    (void)snprintf(path, KIT_PATH_MAX, "/tmp/fg-catalogue-XXXXXX");
    int fd = mkstemp(path);
    CHECK(fd >= 0 && close(fd) == 0, "a temporary file");
    kit_write(path, text);
}

static inline enum fg_code kit_load(struct fg_ctx *cx, struct conf *conf, struct fg_str text,
                                    const struct catalogue **out)
{
    char path[KIT_PATH_MAX];
    kit_file(path, text);
    conf->catalogue_file = arena_str(cx->mem, fg_str_c(path));
    enum fg_code rc = catalogue_load(cx, conf, out);
    unlink(path);
    return rc;
}

#endif
