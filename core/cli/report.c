/* filmgate report */
#include <stdio.h>

#include "base/time.h"
#include "cli/cli.h"
#include "money/cost.h"

#define DAY_US (24 * 3600 * FG_US_PER_S)
#define GIB 1073741824.0

static const char *words_of(struct fg_str outcome)
{
    static const struct {
        const char *name, *words;
    } known[] = {
#define O(name, words) { #name, words },
        COST_OUTCOMES(O)
#undef O
    };
    for (size_t i = 0; i < FG_LEN(known); i++)
        if (fg_eq(outcome, fg_str_c(known[i].name)))
            return known[i].words;
    return "";
}

static void print_row(struct fg_ctx *cx, struct fg_str name, int64_t n, int64_t micro, struct fg_str currency,
                      const char *words)
{
    printf("  %-14.*s %10lld %20.*s  %s\n", FG_P(name), (long long)n, FG_P(cli_money(cx, micro, currency)), words);
}

/* The sums of a currency: what it cost, what was charged, and what is left. */
static void print_currency(struct fg_ctx *cx, const struct cost *c, struct fg_str currency)
{
    struct cost_row cost = { 0 }, charged = { 0 };
    for (size_t i = 0; i < c->n; i++)
        if (fg_eq(c->row[i].currency, currency)) {
            const struct cost_row *r = &c->row[i];
            print_row(cx, r->outcome, r->n, r->micro, currency, words_of(r->outcome));
            cost.n += r->n;
            cost.micro += r->micro;
        }
    for (size_t i = 0; i < c->charged_n; i++)
        if (fg_eq(c->charged[i].currency, currency))
            charged = c->charged[i];
    print_row(cx, FG_LIT("cost"), cost.n, cost.micro, currency, "all attempts");
    print_row(cx, FG_LIT(COST_CHARGED), charged.n, charged.micro, currency, "to accounts, for jobs");
    print_row(cx, FG_LIT("margin"), charged.n, charged.micro - cost.micro, currency, "charged less cost");
}

/* Each currency once, where it is first met. */
static bool is_first(const struct cost *c, size_t at)
{
    const struct cost_row *r = at < c->n ? &c->row[at] : &c->charged[at - c->n];
    for (size_t i = 0; i < at; i++)
        if (fg_eq(r->currency, (i < c->n ? &c->row[i] : &c->charged[i - c->n])->currency))
            return false;
    return true;
}

static void print_report(struct fg_ctx *cx, const struct cost *c, const struct cost_storage *s)
{
    for (size_t i = 0; i < c->n + c->charged_n; i++)
        if (is_first(c, i))
            print_currency(cx, c, i < c->n ? c->row[i].currency : c->charged[i - c->n].currency);
    printf("  %-14s %10.2f GiB now; in this time it cost %.*s\n", "storage", (double)s->bytes / GIB,
           FG_P(cli_money(cx, s->micro, FG_LIT("by storage.gib_month_micro"))));
    printf("%lld attempts, %lld micro-units\n", (long long)c->attempt_n, (long long)c->attempt_micro);
}

static enum fg_code report(struct fg_ctx *cx, struct db *db, const struct conf *conf, int64_t from_us, int64_t to_us)
{
    struct cost c;
    struct cost_storage s;
    enum fg_code rc = cost_read(cx, db, from_us, to_us, &c);
    if (rc == FG_OK)
        rc = cost_storage(cx, db, from_us, to_us, conf->storage_gib_month_micro, &s);
    if (rc != FG_OK)
        return rc;
    printf("from %.*s to %.*s\n", FG_P(time_iso(cx->mem, from_us)), FG_P(time_iso(cx->mem, to_us)));
    print_report(cx, &c, &s);
    return cost_reconcile(cx, &c);
}

static bool read_time(const char *text, int64_t *us)
{
    return !text || time_parse_iso(fg_str_c(text), us);
}

enum fg_code cli_report_cost(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    const char *from = cli_option(argc, argv, "--from"), *to = cli_option(argc, argv, "--to");
    struct db *db;
    int64_t from_us = 0, to_us = 0;
    if (!read_time(from, &from_us) || !read_time(to, &to_us))
        return fg_fail(cx, FG_INVALID_REQUEST, "A time is written as 2030-01-31T00:00:00Z");
    enum fg_code rc = cli_db(cx, conf, &db);
    if (rc != FG_OK)
        return rc;
    to_us = to ? to_us : cx->now_us + 1;
    from_us = from ? from_us : to_us - DAY_US;
    if (from_us >= to_us)
        rc = fg_fail(cx, FG_INVALID_REQUEST, "--from must be before --to");
    if (rc == FG_OK)
        rc = report(cx, db, conf, from_us, to_us);
    db_close(db);
    return rc;
}
