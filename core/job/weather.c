#include "job/job.h"

static const struct db_col cols[] = {
    COL(struct model_weather, model),         COL(struct model_weather, n),
    COL(struct model_weather, good_n),        COL(struct model_weather, start_p50_ms),
    COL(struct model_weather, start_p90_ms),  COL(struct model_weather, finish_p50_ms),
    COL(struct model_weather, finish_p90_ms), COL(struct model_weather, computed_us),
};

enum fg_code weather_read(struct fg_ctx *cx, struct db *db, struct weather *out)
{
    struct model_weather *row;
    size_t n;
    enum fg_code rc = DB_ALL(cx, db, SQL_WEATHER, DB_NO_ARGS, DB_COLS(cols), &row, &n);
    if (rc == FG_OK)
        *out = (struct weather){ row, n };
    return rc;
}

const struct model_weather *weather_of(const struct weather *w, struct fg_str model)
{
    for (size_t i = 0; w && i < w->n; i++)
        if (fg_eq(w->row[i].model, model))
            return &w->row[i];
    return NULL;
}
