/* filmgate report storage */
#include <stdio.h>

#include "base/time.h"
#include "cli/cli.h"
#include "media/forecast.h"

#define SHOWN 50

static void print_row(const struct forecast *f, const char *kind, struct fg_str account, int64_t bytes, int64_t before)
{
    printf("%-10s %-36.*s %16lld", kind, FG_P(account), (long long)bytes);
    if (f->days)
        printf(" %+16lld", (long long)forecast_per_day(f, bytes, before));
    printf("\n");
}

static void print_forecast(struct fg_ctx *cx, const struct conf *conf, const struct forecast *f)
{
    printf("%-10s %-36s %16s %16s\n", "", "account", "bytes", f->days ? "a day" : "");
    for (size_t i = 0; i < f->top_n; i++)
        print_row(f, storage_kind_name(f->top[i].kind), f->top[i].account, f->top[i].bytes, f->top[i].before);
    for (int kind = 1; kind < STORAGE_KIND_N; kind++)
        print_row(f, storage_kind_name(kind), FG_LIT("(all)"), f->bytes[kind], f->before[kind]);
    if (f->free_bytes >= 0)
        printf("free below %.*s: %lld bytes\n", FG_P(conf->media_root), (long long)f->free_bytes);
    if (!f->days)
        printf("how it grows shows tomorrow\n");
    else if (!f->full_us)
        printf("by the last %lld days it will not be full\n", (long long)f->days);
    else
        printf("full on %.10s at the rate of the last %lld days\n", time_iso(cx->mem, f->full_us).p, (long long)f->days);
}

enum fg_code cli_report_storage(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct forecast f;
    struct db *db;
    (void)argc, (void)argv;
    enum fg_code rc = cli_db(cx, conf, &db);
    if (rc != FG_OK)
        return rc;
    rc = forecast_read(cx, db, conf, SHOWN, &f);
    if (rc == FG_OK)
        print_forecast(cx, conf, &f);
    db_close(db);
    return rc;
}
