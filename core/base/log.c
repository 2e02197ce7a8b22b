#include "base/log.h"

#include "base/arena.h"
#include "base/sb.h"
#include "base/time.h"

#define LOG_LINE_MAX (8 * FG_KIB)

static const char *const level_name[] = { "info", "warn", "error" };

void log_write(struct fg_ctx *cx, enum log_level level, const char *event,
               const struct log_field *field, size_t n)
{
    struct sb b = sb_in(cx->mem, LOG_LINE_MAX);
    sb_add(&b, FG_LIT("{\"at\":\""));
    time_add_iso(&b, cx->env->utc_us(cx->env->self));
    sb_addf(&b, "\",\"level\":\"%s\",\"event\":", level_name[level]);
    sb_add_json(&b, fg_str_c(event));
    for (size_t i = 0; i < n; i++) {
        sb_add_c(&b, ',');
        sb_add_json(&b, fg_str_c(field[i].name));
        sb_add_c(&b, ':');
        if (field[i].is_int)
            sb_add_i64(&b, field[i].i);
        else if (!field[i].s.p)
            sb_add(&b, FG_LIT("null"));
        else
            sb_add_json(&b, field[i].s);
    }
    if (cx->request_id.n) {
        sb_add(&b, FG_LIT(",\"requestId\":"));
        sb_add_json(&b, cx->request_id);
    }
    sb_add_c(&b, '}');
    if (b.bad)
        cx->env->log(cx->env->self, FG_LIT("{\"level\":\"warn\",\"event\":\"log.line_too_long\"}"));
    else
        cx->env->log(cx->env->self, sb_str(&b));
}

void log_err(struct fg_ctx *cx, const char *event, struct fg_str subject)
{
    const struct fg_err_info *info = fg_err_info(cx->err.code);
    enum log_level level = info->http >= 500 ? LOG_ERROR : LOG_INFO;
    fg_log(cx, level, event, LOG_S("code", fg_str_c(info->slug)), LOG_S("subject", subject),
           LOG_S("detail", fg_str_c(cx->err.detail)), LOG_S("cause", fg_str_c(cx->err.cause)));
}
