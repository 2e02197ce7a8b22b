/* Every night the ledger is proved against the jobs and the accounts. What is found is told, and never mended: somebody
 * has to look. */
#include "base/log.h"
#include "sweeper/sweep.h"

#define DAY_US (86400 * FG_US_PER_S)
#define NIGHT_US (3 * 3600 * FG_US_PER_S)      /* UTC, after midnight */
#define TAKE_OVER_US (3600 * FG_US_PER_S)      /* from a sweeper that did not come to the end */
#define PART 2000                              /* jobs in one statement */
#define TURN_US (50 * FG_US_PER_MS)            /* of every upkeep: calls under way are not kept waiting */

static enum fg_code begin(struct sweeper *s)
{
    int64_t now = s->cx.now_us, night = (now - NIGHT_US) / DAY_US * DAY_US + NIGHT_US;
    enum fg_code rc = db_run(&s->cx, s->env.db, SQL_LEDGER_AUDIT_BEGIN,
                             DB_ARGS(DB(now), DB(night), DB(night), DB(now - TAKE_OVER_US)));
    if (rc == FG_OK && s->env.db->affected == 1) {
        s->books = (struct ledger_walk){ 0 };
        s->books_open = true;
    }
    return rc;
}

static enum fg_code end(struct sweeper *s)
{
    const struct ledger_audit *a = &s->books.sum;
    int64_t broken = ledger_broken(a);
    enum fg_code rc = db_run(&s->cx, s->env.db, SQL_LEDGER_AUDIT_END, DB_ARGS(DB(s->cx.now_us), DB(broken)));
    if (rc != FG_OK)
        return rc;
    s->books_open = false;
    fg_log(&s->cx, broken ? LOG_ERROR : LOG_INFO, broken ? "ledger.broken" : "ledger.proved",
           LOG_I("newestJob", s->books.newest), LOG_I("openWithoutHold", a->open_without_hold),
           LOG_I("terminalWithoutEnd", a->terminal_without_end), LOG_I("amountsDiffer", a->amounts_differ),
           LOG_I("chargedUnfinished", a->charged_unfinished), LOG_I("balanceDiffers", a->balance_differs),
           LOG_I("outstandingDiffers", a->outstanding_differs), LOG_I("storageDiffers", a->storage_differs),
           LOG_I("dayDiffers", a->day_differs), LOG_I("monthDiffers", a->month_differs),
           LOG_I("currencyDiffers", a->currency_differs), LOG_S("accounts", fg_str_c(a->accounts)));
    return FG_OK;
}

enum fg_code books_look(struct sweeper *s)
{
    int64_t until = ctx_mono_us(&s->cx) + TURN_US;
    enum fg_code rc = s->books_open ? FG_OK : begin(s);
    while (rc == FG_OK && s->books_open && !s->books.over && ctx_mono_us(&s->cx) < until)
        rc = ledger_walk(&s->cx, s->env.db, &s->books, PART);
    return rc == FG_OK && s->books_open && s->books.over ? end(s) : rc;
}
