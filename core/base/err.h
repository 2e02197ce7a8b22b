/* Every error of the product in one list (errors.def); a returned code, details in the context. */
#ifndef FG_BASE_ERR_H
#define FG_BASE_ERR_H

#define FG_MUST_CHECK __attribute__((warn_unused_result))
#define FG_PRINTF(f, a) __attribute__((format(printf, f, a)))

#define FG_ERR_TEXT_MAX 256
#define FG_ERR_FIELDS_MAX 32

enum fg_code {
    FG_OK = 0,
#define E(sym, http, retry, slug, title) FG_##sym,
#include "base/errors.def"
#undef E
};

/* NEVER: the same request will fail again. LATER: nothing happened, repeat after a pause.
 * UNSURE: it may have happened; read before repeating. */
enum fg_retry { FG_RETRY_NEVER, FG_RETRY_LATER, FG_RETRY_UNSURE };

struct fg_err_info {
    int http;
    enum fg_retry retry;
    const char *slug;   /* the stable "code" of a problem; also the anchor in www/problems */
    const char *title;
};

/* One broken field of a request. Strings live in the arena or are literals. */
struct fg_err_field {
    const char *path;   /* JSON pointer, "/duration", or the parameter's name */
    const char *code;   /* required, type, range, length, unknown, duplicate, format */
    const char *detail; /* one sentence for people */
};

/* The limit that a request would have broken. name NULL: the error is of no limit. */
struct fg_err_limit {
    const char *name;
    long long max, current;
    long long free_us;  /* microseconds since 1970 UTC, when it is free again; 0: not by time alone */
    long long window_s; /* of a rate; 0: it is none */
};

struct fg_err {
    enum fg_code code;
    char detail[FG_ERR_TEXT_MAX]; /* a client may read it */
    char cause[FG_ERR_TEXT_MAX];  /* for the log only */
    int retry_after_s;            /* 0: the table's default */
    const char *job;              /* public id of the job that the error is about; NULL: none */
    long long job_us;             /* when that job was created, microseconds since 1970 UTC */
    struct fg_err_limit limit;
    unsigned field_n;
    struct fg_err_field field[FG_ERR_FIELDS_MAX];
};

struct fg_ctx;

/* Never NULL; FG_OK has an entry too. */
const struct fg_err_info *fg_err_info(enum fg_code code);

/* Sets cx->err (detail from the format, cause and fields cleared) and returns the code. A detail that
 * does not fit is cut: it is words for people. */
enum fg_code fg_fail(struct fg_ctx *cx, enum fg_code code, const char *fmt, ...) FG_PRINTF(3, 4);

/* Adds what only the log may say to the error just set. Returns cx->err.code. */
enum fg_code fg_cause(struct fg_ctx *cx, const char *fmt, ...) FG_PRINTF(2, 3);

/* Adds the limit to the error just set, with the pause until it is free. Returns cx->err.code. */
enum fg_code fg_limit(struct fg_ctx *cx, const struct fg_err_limit *limit);

/* Collects one bad field; all of them are reported at once. Beyond FG_ERR_FIELDS_MAX they are dropped
 * (the client has plenty to mend). Call fg_fields_clear() first, fg_fields_check() last. */
void fg_fields_clear(struct fg_ctx *cx);
void fg_field(struct fg_ctx *cx, const char *path, const char *code, const char *fmt, ...)
    FG_PRINTF(4, 5);
/* FG_OK when no field was collected, else FG_INVALID_REQUEST with a summary as detail. */
enum fg_code fg_fields_check(struct fg_ctx *cx) FG_MUST_CHECK;
/* The same with another code and detail. */
enum fg_code fg_fields_as(struct fg_ctx *cx, enum fg_code code, const char *detail) FG_MUST_CHECK;

/* Our own mistakes stop the process, in release too. Nothing that a client, a provider or a row
 * contains may reach one. */
#define FG_ASSERT(x) ((x) ? (void)0 : fg_assert_failed(__FILE__, __LINE__, #x))
_Noreturn void fg_assert_failed(const char *file, int line, const char *what);

#endif
