#include "media/forecast.h"

#include <sys/statvfs.h>

#include "base/arena.h"

#define DAY_US (86400 * FG_US_PER_S)
#define DAYS_MAX 36500

const char *storage_kind_name(int kind)
{
    return kind == STORAGE_OUTPUTS ? "outputs" : kind == STORAGE_UPLOADS ? "uploads" : "unknown";
}

int64_t forecast_per_day(const struct forecast *f, int64_t bytes, int64_t before)
{
    return f->days ? (bytes - before) / f->days : 0;
}

int64_t forecast_full_us(int64_t now_us, int64_t free_bytes, int64_t per_day)
{
    if (per_day <= 0 || free_bytes < 0 || free_bytes / per_day > DAYS_MAX)
        return 0;
    int64_t whole = free_bytes / per_day, rest = free_bytes % per_day;
    return now_us + whole * DAY_US + (int64_t)((double)rest / (double)per_day * (double)DAY_US);
}

static int64_t free_below(struct fg_ctx *cx, const struct conf *conf)
{
    struct statvfs v;
    if (statvfs(arena_cstr(cx->mem, conf->media_root), &v) < 0)
        return -1;
    return (int64_t)v.f_bavail * (int64_t)v.f_frsize;
}

struct days {
    int64_t first, last;
};
static const struct db_col days_cols[] = { COL(struct days, first), COL(struct days, last) };
struct kind_row {
    int kind;
    int64_t bytes, before;
};
static const struct db_col kind_cols[] = { COL(struct kind_row, kind), COL(struct kind_row, bytes), COL(struct kind_row, before) };
static const struct db_col top_cols[] = { COL(struct storage_row, account), COL(struct storage_row, kind),
                                          COL(struct storage_row, bytes), COL(struct storage_row, before) };

enum fg_code forecast_read(struct fg_ctx *cx, struct db *db, const struct conf *conf, int64_t top_max, struct forecast *out)
{
    struct days d = { 0, 0 };
    struct kind_row *row = NULL;
    size_t n = 0;
    bool found;
    int64_t per_day = 0;
    *out = (struct forecast){ .free_bytes = free_below(cx, conf) };
    enum fg_code rc = db_one(cx, db, SQL_STORAGE_DAYS, DB_ARGS(DB(cx->now_us / DAY_US - FORECAST_DAYS)), DB_COLS(days_cols), &d,
                             &found);
    if (rc == FG_OK)
        rc = DB_ALL(cx, db, SQL_STORAGE_KINDS, DB_ARGS(DB(d.last), DB(d.first), DB(d.first), DB(d.last)), DB_COLS(kind_cols), &row, &n);
    if (rc == FG_OK)
        rc = DB_ALL(cx, db, SQL_STORAGE_TOP, DB_ARGS(DB(d.first), DB(d.last), DB(top_max)), DB_COLS(top_cols), &out->top, &out->top_n);
    if (rc != FG_OK)
        return rc;
    out->days = d.last - d.first;
    for (size_t i = 0; i < n; i++)
        if (row[i].kind > 0 && row[i].kind < STORAGE_KIND_N) {
            out->bytes[row[i].kind] = row[i].bytes;
            out->before[row[i].kind] = row[i].before;
            per_day += forecast_per_day(out, row[i].bytes, row[i].before);
        }
    if (FG_IS(conf->media_store, "disk"))
        out->full_us = forecast_full_us(cx->now_us, out->free_bytes, per_day);
    return FG_OK;
}
