#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/ctx.h"

static const struct fg_err_info table[] = {
    [FG_OK] = { 200, FG_RETRY_NEVER, "ok", "OK" },
#define E(sym, http, retry, slug, title) [FG_##sym] = { http, FG_RETRY_##retry, slug, title },
#include "base/errors.def"
#undef E
};

const struct fg_err_info *fg_err_info(enum fg_code code)
{
    FG_ASSERT((size_t)code < FG_LEN(table));
    return &table[code];
}

enum fg_code fg_fail(struct fg_ctx *cx, enum fg_code code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    cx->err.code = code;
    cx->err.cause[0] = '\0';
    cx->err.retry_after_s = 0;
    cx->err.field_n = 0;
    cx->err.job = NULL;
    cx->err.job_us = 0;
    cx->err.limit = (struct fg_err_limit){ 0 };
    (void)vsnprintf(cx->err.detail, sizeof cx->err.detail, fmt, ap);
    va_end(ap);
    return code;
}

enum fg_code fg_cause(struct fg_ctx *cx, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(cx->err.cause, sizeof cx->err.cause, fmt, ap);
    va_end(ap);
    return cx->err.code;
}

enum fg_code fg_limit(struct fg_ctx *cx, const struct fg_err_limit *limit)
{
    int64_t pause_us = limit->free_us - cx->now_us;
    cx->err.limit = *limit;
    if (limit->free_us && pause_us > 0)
        cx->err.retry_after_s = (int)((pause_us + FG_US_PER_S - 1) / FG_US_PER_S);
    return cx->err.code;
}

void fg_fields_clear(struct fg_ctx *cx)
{
    cx->err.field_n = 0;
}

void fg_field(struct fg_ctx *cx, const char *path, const char *code, const char *fmt, ...)
{
    if (cx->err.field_n == FG_ERR_FIELDS_MAX)
        return;
    char text[FG_ERR_TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    cx->err.field[cx->err.field_n++] = (struct fg_err_field){
        .path = arena_cstr(cx->mem, fg_str_c(path)),
        .code = code,
        .detail = arena_cstr(cx->mem, fg_str_c(text)),
    };
}

enum fg_code fg_fields_as(struct fg_ctx *cx, enum fg_code code, const char *detail)
{
    unsigned n = cx->err.field_n;
    if (n == 0)
        return FG_OK;
    (void)fg_fail(cx, code, "%s", detail);
    cx->err.field_n = n; /* fg_fail cleared it */
    return code;
}

enum fg_code fg_fields_check(struct fg_ctx *cx)
{
    unsigned n = cx->err.field_n;
    return fg_fields_as(cx, FG_INVALID_REQUEST,
                        arena_fmt(cx->mem, "%u field%s wrong; see errors.", n, n == 1 ? " is" : "s are").p);
}

_Noreturn void fg_assert_failed(const char *file, int line, const char *what)
{
    fprintf(stderr, "{\"level\":\"fatal\",\"event\":\"assert\",\"at\":\"%s:%d\"}\n%s\n", file, line, what);
    abort();
}
