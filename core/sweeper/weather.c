/* How each model has done lately, and what it cost: worked out from the attempts of the last day, and kept where handlers
 * read it. */
#include "base/arena.h"
#include "base/log.h"
#include "money/cost.h"
#include "sweeper/sweep.h"

#define PERIOD_US (24 * 3600 * FG_US_PER_S)
#define PAUSE_US (60 * FG_US_PER_S)
#define FORGET_US (7 * 24 * 3600 * FG_US_PER_S)
#define ENOUGH 5 /* attempts; fewer say nothing */

struct model_row {
    struct fg_str model;
};
static const struct db_col model_cols[] = { COL(struct model_row, model) };

struct past {
    int ended; /* enum attempt_outcome */
    int64_t accepted_us, started_us, ended_us;
};
static const struct db_col past_cols[] = { COL(struct past, ended), COL(struct past, accepted_us),
                                           COL(struct past, started_us), COL(struct past, ended_us) };

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* 0 when there are too few. Sorts them. */
static int64_t percentile(int64_t *v, size_t n, unsigned percent)
{
    if (n < ENOUGH)
        return 0;
    qsort(v, n, sizeof *v, by_size);
    return v[(n - 1) * percent / 100];
}

static enum fg_code compute_one(struct sweeper *s, struct fg_str model)
{
    struct past *row;
    size_t n, start_n = 0, finish_n = 0;
    enum fg_code rc = DB_ALL(&s->cx, s->env.db, SQL_WEATHER_ROWS, DB_ARGS(DB(model), DB(s->cx.now_us - PERIOD_US)),
                             DB_COLS(past_cols), &row, &n);
    if (rc != FG_OK)
        return rc;
    int64_t *start = arena_array(s->cx.mem, int64_t, n + 1), *finish = arena_array(s->cx.mem, int64_t, n + 1);
    for (size_t i = 0; i < n; i++) {
        if (row[i].started_us && row[i].accepted_us)
            start[start_n++] = (row[i].started_us - row[i].accepted_us) / FG_US_PER_MS;
        if (row[i].ended == ATTEMPT_GOOD && row[i].accepted_us)
            finish[finish_n++] = (row[i].ended_us - row[i].accepted_us) / FG_US_PER_MS;
    }
    size_t good_n = 0;
    for (size_t i = 0; i < n; i++)
        good_n += row[i].ended == ATTEMPT_GOOD;
    struct db_bind v[] = {
        DB((int64_t)n), DB((int64_t)good_n),
        DB_TIME(percentile(start, start_n, 50)), DB_TIME(percentile(start, start_n, 90)),
        DB_TIME(percentile(finish, finish_n, 50)), DB_TIME(percentile(finish, finish_n, 90)), DB(s->cx.now_us),
    };
    return db_run(&s->cx, s->env.db, SQL_WEATHER_PUT,
                  DB_ARGS(DB(model), v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[0], v[1], v[2], v[3], v[4], v[5], v[6]));
}

void weather_compute(struct sweeper *s)
{
    int64_t mono = ctx_mono_us(&s->cx);
    struct model_row *row;
    size_t n = 0;
    if (mono < s->next_weather_us)
        return;
    s->next_weather_us = mono + PAUSE_US;
    enum fg_code rc = DB_ALL(&s->cx, s->env.db, SQL_WEATHER_MODELS, DB_ARGS(DB(s->cx.now_us - PERIOD_US)),
                             DB_COLS(model_cols), &row, &n);
    for (size_t i = 0; rc == FG_OK && i < n; i++)
        rc = compute_one(s, row[i].model);
    if (rc == FG_OK)
        rc = db_run(&s->cx, s->env.db, SQL_WEATHER_PURGE, DB_ARGS(DB(s->cx.now_us - FORGET_US)));
    if (rc == FG_OK)
        rc = cost_keep(&s->cx, s->env.db);
    if (rc != FG_OK)
        sweep_failed(s, rc, "weather.failed", fg_str_c(s->name));
}
