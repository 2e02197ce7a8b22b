#include "limits.h"

#include "base/scan.h"

void limits_add(struct jw *w, const struct identity *who, const struct terms *t, const struct account_use *u)
{
    struct use_left left[USE_LEFT_MAX];
    unsigned n = use_left(t, u, left);
    jw_open_array(w, "limits");
    for (unsigned i = 0; i < n; i++) {
        if (who->role == ROLE_USER && strcmp(left[i].name, USE_OF_USER) != 0)
            continue;
        jw_open(w, NULL);
        jw_str(w, "name", fg_str_c(left[i].name));
        jw_i64(w, "max", left[i].max);
        jw_i64(w, "used", left[i].used);
        jw_time(w, "freeAt", left[i].free_us);
        jw_close(w);
    }
    jw_close_array(w);
}

static void add_number(struct jw *w, const char *key, int64_t n)
{
    if (n == PLAN_NO_LIMIT)
        jw_null(w, key);
    else
        jw_i64(w, key, n);
}

void limits_add_balance(struct jw *w, const struct identity *who, const struct terms *t, const struct account_use *u)
{
    if (who->role == ROLE_USER)
        return;
    jw_i64(w, "balanceMicro", u->balance_micro);
    add_number(w, "creditLimitMicro", t->credit_limit_micro);
}

static void add_words(struct jw *w, const char *key, struct fg_str list)
{
    struct fg_str word;
    if (!list.p) {
        jw_null(w, key);
        return;
    }
    jw_open_array(w, key);
    while (scan_until(&list, ',', &word))
        jw_str(w, NULL, word);
    jw_close_array(w);
}

static void add_seconds(struct jw *w, const char *key, struct fg_str list)
{
    struct fg_str word;
    int64_t n;
    if (!list.p) {
        jw_null(w, key);
        return;
    }
    jw_open_array(w, key);
    while (scan_until(&list, ',', &word))
        if (scan_all_i64(word, 0, INT64_MAX, &n))
            jw_i64(w, NULL, n);
    jw_close_array(w);
}

void limits_add_plan(struct jw *w, const struct plan *p)
{
    jw_open(w, "plan");
    jw_str(w, "name", p->name);
    add_seconds(w, "durations", p->durations);
    add_words(w, "resolutions", p->resolutions);
    add_words(w, "models", p->models);
    jw_str(w, "defaultResolution", p->default_resolution);
    add_number(w, "uploadBytes", p->upload_bytes);
    jw_open(w, "retentionDays");
    add_number(w, "outputs", p->output_days);
    add_number(w, "uploads", p->upload_days);
    add_number(w, "prompts", p->prompt_days);
    jw_close(w);
    jw_close(w);
}
