/* One JSON line per event on standard error: {"at","level","event",fields…,"requestId"}. Values are
 * escaped; secrets never come here. A function logs or returns its error, never both. */
#ifndef FG_BASE_LOG_H
#define FG_BASE_LOG_H

#include "base/ctx.h"

enum log_level { LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
    const char *name;
    struct fg_str s;  /* used when is_int is false */
    int64_t i;
    bool is_int;
};

#define LOG_S(name, str) ((struct log_field){ (name), (str), 0, false })
#define LOG_I(name, num) ((struct log_field){ (name), FG_NONE, (int64_t)(num), true })

/* fg_log(cx, LOG_INFO, "job.moved", LOG_S("job", id), LOG_I("version", 3)); at least one field. */
#define fg_log(cx, level, event, ...)                                                     \
    log_write((cx), (level), (event), (struct log_field[]){ __VA_ARGS__ },                \
              sizeof((struct log_field[]){ __VA_ARGS__ }) / sizeof(struct log_field))

void log_write(struct fg_ctx *cx, enum log_level level, const char *event,
               const struct log_field *field, size_t n);

/* The error in cx->err with its cause, once, at the edge. Level by code: 5xx error, others info. */
void log_err(struct fg_ctx *cx, const char *event, struct fg_str subject);

#endif
