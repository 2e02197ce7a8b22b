#include "money/brake.h"

int64_t brake_limit(const struct conf *conf, struct fg_str provider)
{
    return fg_eq(provider, BRAKE_ALL) ? conf->brake_hour_micro : conf->brake_provider_hour_micro;
}

bool brake_is_set(const struct conf *conf)
{
    return conf->brake_hour_micro || conf->brake_provider_hour_micro;
}

enum fg_code brake_spending(struct fg_ctx *cx, struct db *db, struct spending *out)
{
    static const struct db_col cols[] = { COL(struct spent, provider), COL(struct spent, micro) };
    return DB_ALL(cx, db, SQL_SPENT, DB_ARGS(DB(cx->now_us - BRAKE_HOUR_US)), DB_COLS(cols), &out->row, &out->n);
}

int64_t brake_spent(const struct spending *s, struct fg_str provider)
{
    int64_t micro = 0;
    for (size_t i = 0; i < s->n; i++)
        if (fg_eq(provider, BRAKE_ALL) || fg_eq(s->row[i].provider, provider))
            micro += s->row[i].micro;
    return micro;
}

enum fg_code brake_until(struct fg_ctx *cx, struct db *db, struct fg_str provider, int64_t micro, int64_t *out_us)
{
    static const struct db_col cols[] = { { DB_TAG_I64, 0 } };
    struct fg_str of = fg_eq(provider, BRAKE_ALL) ? FG_NONE : provider;
    int64_t from_us = 0;
    bool found;
    enum fg_code rc = db_one(cx, db, SQL_SPENT_FROM, DB_ARGS(DB(cx->now_us - BRAKE_HOUR_US), DB(of), DB(of), DB(micro)),
                             DB_COLS(cols), &from_us, &found);
    if (rc == FG_OK)
        *out_us = found ? from_us + BRAKE_HOUR_US : cx->now_us;
    return rc;
}

enum fg_code brakes_read(struct fg_ctx *cx, struct db *db, const struct conf *conf, struct brakes *out)
{
    static const struct db_col cols[] = { COL(struct braked, provider), COL(struct braked, until_us) };
    struct braked *row = NULL;
    size_t n = 0;
    enum fg_code rc = FG_OK;
    if (brake_is_set(conf))
        rc = DB_ALL(cx, db, SQL_BRAKES, DB_ARGS(DB(cx->now_us)), DB_COLS(cols), &row, &n);
    if (rc == FG_OK)
        *out = (struct brakes){ row, n };
    return rc;
}

int64_t brakes_until(const struct brakes *b, struct fg_str provider, int64_t now_us)
{
    int64_t until_us = 0;
    for (size_t i = 0; b && i < b->n; i++)
        if ((fg_eq(b->row[i].provider, provider) || fg_eq(b->row[i].provider, BRAKE_ALL)) &&
            b->row[i].until_us > now_us && b->row[i].until_us > until_us)
            until_us = b->row[i].until_us;
    return until_us;
}
