/* filmgate account: what it may and has used, its money and its entries */
#include <stdio.h>

#include "base/arena.h"
#include "base/time.h"
#include "cli/cli.h"
#include "job/action.h"
#include "money/ledger.h"

#define LIST_MAX INT64_C(500)
#define ENTRIES_SHOWN INT64_C(50)

/* ---- looking ---- */

struct list_row {
    struct fg_str public_id, name, plan, currency;
    int64_t balance_micro;
};
static const struct db_col list_cols[] = { COL(struct list_row, public_id), COL(struct list_row, name),
                                           COL(struct list_row, plan), COL(struct list_row, currency),
                                           COL(struct list_row, balance_micro) };

enum fg_code cli_account_list(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct db *db;
    struct list_row *row;
    size_t n;
    (void)argc, (void)argv;
    enum fg_code rc = cli_db(cx, conf, &db);
    if (rc != FG_OK)
        return rc;
    rc = DB_ALL(cx, db, SQL_ACCOUNT_LIST, DB_ARGS(DB(LIST_MAX)), DB_COLS(list_cols), &row, &n);
    for (size_t i = 0; rc == FG_OK && i < n; i++)
        printf("%.*s  %-16.*s %18.*s  %.*s\n", FG_P(row[i].public_id), FG_P(row[i].plan),
               FG_P(cli_money(cx, row[i].balance_micro, row[i].currency)), FG_P(cli_quoted(cx, row[i].name)));
    db_close(db);
    return rc;
}

static void show_limit(struct fg_ctx *cx, const struct use_left *l)
{
    printf("  %-22s %lld of %lld", l->name, (long long)l->used, (long long)l->max);
    if (l->free_us)
        printf(", free again %.*s", FG_P(time_iso(cx->mem, l->free_us)));
    printf("\n");
}

static void show(struct fg_ctx *cx, const char *account, const struct terms *t, const struct account_use *u)
{
    struct use_left left[USE_LEFT_MAX];
    printf("%s\n  %-22s %.*s\n  %-22s %.*s\n", account, "plan", FG_P(t->plan.name), "balance",
           FG_P(cli_money(cx, u->balance_micro, t->currency)));
    printf("  %-22s %.*s\n", "credit limit", FG_P(t->credit_limit_micro < 0 ? FG_LIT("none: it pays later")
                                                 : cli_money(cx, t->credit_limit_micro, t->currency)));
    printf("  %-22s %lld\n  %-22s %lld\n", "jobs not ended", (long long)u->outstanding_n, "bytes kept",
           (long long)u->storage_bytes);
    printf("  %-22s %.*s\n  %-22s %.*s\n", "spent or held today", FG_P(cli_money(cx, u->day_micro, t->currency)),
           "and this month (UTC)", FG_P(cli_money(cx, u->month_micro, t->currency)));
    for (unsigned i = 0, n = use_left(t, u, left); i < n; i++)
        show_limit(cx, &left[i]);
}

enum fg_code cli_account_show(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct db *db;
    struct terms t;
    struct account_use u;
    int64_t id;
    (void)argc;
    enum fg_code rc = cli_db_account(cx, conf, argv[0], &db, &id);
    if (rc != FG_OK)
        return rc;
    rc = terms_read(cx, db, id, &t);
    if (rc == FG_OK)
        rc = use_read(cx, db, id, &t, FG_NONE, &u);
    if (rc == FG_OK)
        show(cx, argv[0], &t, &u);
    db_close(db);
    return rc;
}

struct entry_row {
    int64_t id, at_us;
    int kind;
    int64_t amount_micro;
    struct fg_str currency, job, reference, note;
};
static const struct db_col entry_cols[] = { COL(struct entry_row, id), COL(struct entry_row, at_us),
                                            COL(struct entry_row, kind), COL(struct entry_row, amount_micro),
                                            COL(struct entry_row, currency), COL(struct entry_row, job),
                                            COL(struct entry_row, reference), COL(struct entry_row, note) };

static void print_entry(struct fg_ctx *cx, const struct entry_row *e)
{
    static const char *const kind[] = { [LEDGER_HOLD] = "hold", [LEDGER_SETTLE] = "settle", [LEDGER_RELEASE] = "release",
                                        [LEDGER_ADJUST] = "adjust", [LEDGER_TOPUP] = "topup" };
    bool known = e->kind >= LEDGER_HOLD && e->kind <= LEDGER_TOPUP;
    printf("%-8lld %.*s  %-7s %16.*s  %.*s%.*s  %.*s\n", (long long)e->id, FG_P(time_iso(cx->mem, e->at_us)),
           known ? kind[e->kind] : "?", FG_P(cli_money(cx, e->amount_micro, e->currency)), FG_P(e->job),
           FG_P(e->reference), FG_P(cli_quoted(cx, e->note)));
}

enum fg_code cli_account_ledger(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct db *db;
    struct entry_row *row;
    int64_t id;
    size_t n;
    (void)argc;
    enum fg_code rc = cli_db_account(cx, conf, argv[0], &db, &id);
    if (rc != FG_OK)
        return rc;
    rc = DB_ALL(cx, db, SQL_LEDGER_NEWEST, DB_ARGS(DB(id), DB(ENTRIES_SHOWN)), DB_COLS(entry_cols), &row, &n);
    for (size_t i = 0; rc == FG_OK && i < n; i++)
        print_entry(cx, &row[i]);
    db_close(db);
    return rc;
}

/* ---- entering ---- */

static enum fg_code wrong_amount(struct fg_ctx *cx, const char *text)
{
    return fg_fail(cx, FG_INVALID_REQUEST, "%s is no amount: whole micro-units, or with a point as in 12.50 whole units "
                   "of the currency", text);
}

static enum fg_code enter(struct fg_ctx *cx, const struct conf *conf, enum ledger_kind kind, int argc, char **argv)
{
    struct ledger_entry e = { .kind = kind, .reference = fg_str_c(cli_option(argc, argv, "--reference")),
                              .note = fg_str_c(cli_option(argc, argv, "--note")) };
    struct action a = { .actor = ACTION_OPERATOR, .reason = e.note,
                        .action = kind == LEDGER_TOPUP ? FG_LIT("topup") : FG_LIT("adjust") };
    struct db *db;
    struct terms t;
    struct account_use u;
    bool entered;
    if (!e.reference.n || (kind == LEDGER_ADJUST && !e.note.n))
        return fg_fail(cx, FG_INVALID_REQUEST, "--reference is needed, so that nothing is entered twice%s",
                       kind == LEDGER_ADJUST ? ", and --note, to say why" : "");
    if (!cli_amount(fg_str_c(argv[1]), &e.amount_micro))
        return wrong_amount(cx, argv[1]);
    enum fg_code rc = cli_db_account(cx, conf, argv[0], &db, &e.account_id);
    if (rc != FG_OK)
        return rc;
    a.account_id = e.account_id;
    rc = action_enter(cx, db, &a, &e, &entered);
    if (rc == FG_OK)
        rc = terms_read(cx, db, e.account_id, &t);
    if (rc == FG_OK)
        rc = use_read(cx, db, e.account_id, &t, FG_NONE, &u);
    if (rc == FG_OK)
        printf("%s: %.*s; the balance is %.*s\n", entered ? "entered" : "had been entered before",
               FG_P(cli_money(cx, e.amount_micro, t.currency)), FG_P(cli_money(cx, u.balance_micro, t.currency)));
    db_close(db);
    return rc;
}

enum fg_code cli_account_topup(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    return enter(cx, conf, LEDGER_TOPUP, argc, argv);
}

enum fg_code cli_account_adjust(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    return enter(cx, conf, LEDGER_ADJUST, argc, argv);
}

enum fg_code cli_account_credit(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct db *db;
    int64_t id, micro = PLAN_NO_LIMIT;
    (void)argc;
    if (strcmp(argv[1], "none") != 0 && (!cli_amount(fg_str_c(argv[1]), &micro) || micro < 0 || micro > MONEY_MAX))
        return wrong_amount(cx, argv[1]);
    enum fg_code rc = cli_db_account(cx, conf, argv[0], &db, &id);
    if (rc != FG_OK)
        return rc;
    rc = db_run(cx, db, SQL_CREDIT_PUT, DB_ARGS(DB(micro), DB(id)));
    if (rc == FG_OK)
        printf("%s %.*s\n", argv[0], FG_P(micro < 0 ? FG_LIT("pays later, whatever it comes to")
                                         : arena_fmt(cx->mem, "may owe up to %.*s",
                                                     FG_P(cli_money(cx, micro, FG_LIT("of its currency"))))));
    db_close(db);
    return rc;
}
