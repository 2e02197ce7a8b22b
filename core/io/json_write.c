#include "base/time.h"
#include "io/json.h"

struct jw jw_on(struct sb *b)
{
    return (struct jw){ b, false };
}

static struct sb *lead(struct jw *w, const char *key)
{
    if (w->comma)
        sb_add_c(w->b, ',');
    w->comma = true;
    if (key) {
        sb_add_c(w->b, '"');
        sb_add(w->b, fg_str_c(key));
        sb_add(w->b, FG_LIT("\":"));
    }
    return w->b;
}

void jw_open(struct jw *w, const char *key)
{
    sb_add_c(lead(w, key), '{');
    w->comma = false;
}

void jw_open_array(struct jw *w, const char *key)
{
    sb_add_c(lead(w, key), '[');
    w->comma = false;
}

void jw_close(struct jw *w)
{
    sb_add_c(w->b, '}');
    w->comma = true;
}

void jw_close_array(struct jw *w)
{
    sb_add_c(w->b, ']');
    w->comma = true;
}

void jw_str(struct jw *w, const char *key, struct fg_str v)
{
    if (!v.p)
        jw_null(w, key);
    else
        sb_add_json(lead(w, key), v);
}

void jw_i64(struct jw *w, const char *key, int64_t v)
{
    sb_add_i64(lead(w, key), v);
}

void jw_bool(struct jw *w, const char *key, bool v)
{
    sb_add(lead(w, key), v ? FG_LIT("true") : FG_LIT("false"));
}

void jw_null(struct jw *w, const char *key)
{
    sb_add(lead(w, key), FG_LIT("null"));
}

void jw_time(struct jw *w, const char *key, int64_t us)
{
    jw_str(w, key, us ? time_iso(w->b->mem, us) : FG_NONE);
}

void jw_raw(struct jw *w, const char *key, struct fg_str json)
{
    sb_add(lead(w, key), json.p ? json : FG_LIT("null"));
}

void jw_key(struct jw *w, struct fg_str key)
{
    sb_add_json(lead(w, NULL), key);
    sb_add_c(w->b, ':');
    w->comma = false;
}
