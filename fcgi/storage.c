/* Of /metrics: what is kept, how it grows, and when the disk is full. */
#include "handlers.h"
#include "media/forecast.h"

#define TOP 20 /* accounts and kinds that have a series of their own */

static void head(struct sb *b, const char *name, const char *help)
{
    sb_addf(b, "# HELP filmgate_%s %s\n# TYPE filmgate_%s gauge\n", name, help, name);
}

enum fg_code storage_metrics(struct fg_ctx *cx, struct web_app *app, struct sb *b)
{
    struct forecast f;
    enum fg_code rc = forecast_read(cx, app->db, app->conf, TOP, &f);
    if (rc != FG_OK)
        return rc;
    head(b, "storage_kept_bytes", "Bytes that are kept, by kind.");
    for (int kind = 1; kind < STORAGE_KIND_N; kind++)
        sb_addf(b, "filmgate_storage_kept_bytes{kind=\"%s\"} %lld\n", storage_kind_name(kind),
                (long long)f.bytes[kind]);
    head(b, "storage_account_bytes", "The same of the accounts that keep most.");
    for (size_t i = 0; i < f.top_n; i++)
        sb_addf(b, "filmgate_storage_account_bytes{account=\"%.*s\",kind=\"%s\"} %lld\n",
                FG_P(f.top[i].account), storage_kind_name(f.top[i].kind), (long long)f.top[i].bytes);
    head(b, "storage_growth_bytes_per_day", "How that grows, by the last seven days.");
    for (int kind = 1; kind < STORAGE_KIND_N; kind++)
        sb_addf(b, "filmgate_storage_growth_bytes_per_day{kind=\"%s\"} %lld\n",
                storage_kind_name(kind),
                (long long)forecast_per_day(&f, f.bytes[kind], f.before[kind]));
    if (f.free_bytes >= 0) {
        head(b, "storage_free_bytes", "Free on the disk below media.root.");
        sb_addf(b, "filmgate_storage_free_bytes %lld\n", (long long)f.free_bytes);
    }
    if (f.full_us) {
        head(b, "storage_full_in_seconds", "Until that is full at this rate; absent: not at this rate.");
        sb_addf(b, "filmgate_storage_full_in_seconds %lld\n",
                (long long)((f.full_us - cx->now_us) / FG_US_PER_S));
    }
    return FG_OK;
}
