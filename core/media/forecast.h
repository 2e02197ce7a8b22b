/* What is kept, how it grows, and when the disk is full at this rate: from the days that the sweeper writes down. */
#ifndef FG_MEDIA_FORECAST_H
#define FG_MEDIA_FORECAST_H

#include "io/db.h"

#define FORECAST_DAYS 7

enum storage_kind { STORAGE_OUTPUTS = 1, STORAGE_UPLOADS = 2 };
#define STORAGE_KIND_N 3
const char *storage_kind_name(int kind);

struct storage_row {
    struct fg_str account;
    int kind;                     /* enum storage_kind */
    int64_t bytes, before;        /* now, and days before */
};
struct forecast {
    int64_t days;                 /* that growth is measured over, FORECAST_DAYS at most; 0: not known yet */
    int64_t bytes[STORAGE_KIND_N], before[STORAGE_KIND_N]; /* of all accounts, by kind */
    int64_t free_bytes;           /* of the disk below media.root; -1: cannot be told */
    int64_t full_us;              /* 0: not at this rate, or it cannot be told */
    struct storage_row *top;      /* the largest */
    size_t top_n;
};
enum fg_code forecast_read(struct fg_ctx *cx, struct db *db, const struct conf *conf, int64_t top_max, struct forecast *out) FG_MUST_CHECK;
/* Bytes that are added in a day. */
int64_t forecast_per_day(const struct forecast *f, int64_t bytes, int64_t before);
/* When so many bytes are full that grow so; 0: never, or in more than a hundred years. Pure. */
int64_t forecast_full_us(int64_t now_us, int64_t free_bytes, int64_t per_day);

#endif
