/* The ledger: twice is impossible, and the audit finds what somebody planted. */
#include "cli/migrations.h"
#include "job/job.h"
#include "money/ledger.h"
#include "store/db_server.h"
#include "t.h"

#define ACCOUNT 1
#define USD FG_LIT("USD")

struct place {
    struct t_world w;
    struct conf conf;
    struct db *db;
    struct db *web;
};

static void script(struct place *p, struct fg_str sql)
{
    CHECK_CODE(&p->w.cx, db_script(&p->w.cx, p->db, sql), FG_OK);
}

static void place_begin(struct place *p)
{
    size_t applied;
    db_server_start();
    db_server_begin(&p->w, &p->conf);
    CHECK_CODE(&p->w.cx, migrate(&p->w.cx, &p->conf, migrations, migration_n, &applied), FG_OK);
    CHECK_CODE(&p->w.cx, db_open(&p->w.cx, &p->db, &p->conf, DB_CLI), FG_OK);
    CHECK_CODE(&p->w.cx, db_open(&p->w.cx, &p->web, &p->conf, DB_WEB), FG_OK);
    script(
        p,
        FG_LIT(
            "INSERT INTO account (id, public_id, name, created_us) VALUES (1, 'acct_1', 'a', 1);"
            "INSERT INTO account_use (account_id) VALUES (1)"));
}

static void place_end(struct place *p)
{
    db_close(p->db);
    db_close(p->web);
    t_end(&p->w, 0);
}

static void add_job(struct place *p, int64_t id, enum job_state state)
{
    bool over = job_terminal(state);
    script(
        p,
        arena_fmt(
            p->w.cx.mem,
            "INSERT INTO job (id, public_id, account_id, state, stage, version, provider, model, "
            "prompt, "
            "aspect_ratio, duration_s, resolution, price_micro, currency, request_id, created_us, "
            "updated_us, deadline_us, finished_us, error_code, charged) VALUES (%lld, 'job_%lld', 1, %d, "
            "%d, 1, "
            "'studio', 'studio-1', 'p', '16:9', 5, '480p', 100, 'USD', 'r', 1, 1, 1, %s, %s, %d)",
            (long long)id, (long long)id, state, over ? 0 : 1, over ? "2" : "NULL",
            state == JOB_FAILED || state == JOB_EXPIRED ? "'canceled'" : "NULL", state == JOB_SUCCEEDED));
}

static struct account_use used(struct place *p)
{
    struct terms t;
    struct account_use u;
    CHECK_CODE(&p->w.cx, terms_read(&p->w.cx, p->db, ACCOUNT, &t), FG_OK);
    CHECK_CODE(&p->w.cx, use_read(&p->w.cx, p->db, ACCOUNT, &t, FG_NONE, &u), FG_OK);
    return u;
}

static enum fg_code add(struct place *p, int64_t job, enum ledger_kind kind, int64_t amount)
{
    struct ledger_job j = { job, ACCOUNT, amount, p->w.cx.now_us, USD };
    struct account_use u = used(p);
    return kind == LEDGER_HOLD ? ledger_hold(&p->w.cx, p->db, &j, &u) : ledger_end(&p->w.cx, p->db, &j, kind);
}

static struct ledger_audit audit(struct place *p)
{
    struct ledger_audit a = { .open_without_hold = -1 };
    CHECK_CODE(&p->w.cx, ledger_check(&p->w.cx, p->db, &a), FG_OK);
    return a;
}

static void check_audit(struct place *p, struct ledger_audit want, const char *why)
{
    struct ledger_audit got = audit(p);
    CHECK_I64(got.open_without_hold, want.open_without_hold, why);
    CHECK_I64(got.terminal_without_end, want.terminal_without_end, why);
    CHECK_I64(got.amounts_differ, want.amounts_differ, why);
    CHECK_I64(got.charged_unfinished, want.charged_unfinished, why);
}

TEST(a_hold_and_one_end_and_nothing_twice)
{
    struct place p;
    place_begin(&p);
    struct fg_ctx *cx = &p.w.cx;
    add_job(&p, 1, JOB_PENDING);
    CHECK_CODE(cx, add(&p, 1, LEDGER_HOLD, 100), FG_OK);
    CHECK_CODE(cx, add(&p, 1, LEDGER_HOLD, 100), FG_DB_DUPLICATE);
    CHECK_CODE(cx, add(&p, 1, LEDGER_SETTLE, 100), FG_OK);
    CHECK_CODE(cx, add(&p, 1, LEDGER_SETTLE, 100), FG_DB_DUPLICATE);
    CHECK_CODE(cx, add(&p, 1, LEDGER_RELEASE, 100), FG_DB_DUPLICATE);
    place_end(&p);
}

TEST(the_audit_of_sound_books_finds_nothing)
{
    static const struct {
        enum job_state state;
        enum ledger_kind end; /* 0: none yet */
    } row[] = {
        { JOB_PENDING, 0 },
        { JOB_SUCCEEDED, LEDGER_SETTLE },
        { JOB_FAILED, LEDGER_RELEASE },
        { JOB_EXPIRED, LEDGER_RELEASE },
    };
    struct place p;
    place_begin(&p);
    check_audit(&p, (struct ledger_audit){ 0 }, "no jobs at all");
    for (size_t i = 0; i < FG_LEN(row); i++) {
        int64_t job = (int64_t)i + 1;
        add_job(&p, job, row[i].state);
        CHECK_CODE(&p.w.cx, add(&p, job, LEDGER_HOLD, 100), FG_OK);
        if (row[i].end)
            CHECK_CODE(&p.w.cx, add(&p, job, row[i].end, 100), FG_OK);
    }
    struct ledger_audit a = audit(&p);
    CHECK_I64(ledger_broken(&a), 0, "all in order");
    CHECK_I64(a.account_n, 0, "nobody is named");
    place_end(&p);
}

TEST(the_audit_finds_planted_errors)
{
    static const struct {
        const char *why;
        enum job_state state;
        const char
            *plant; /* values of ledger rows: job, side, account, kind, amount, currency, at */
        struct ledger_audit want;
    } row[] = {
        { "running without a hold", JOB_PENDING, NULL, { .open_without_hold = 1 } },
        { "running with an end",
          JOB_PENDING,
          "(7,0,1,1,100,'USD',1),(7,1,1,3,100,'USD',1)",
          { .open_without_hold = 1 } },
        { "ended without anything", JOB_FAILED, NULL, { .terminal_without_end = 1 } },
        { "ended without an end", JOB_SUCCEEDED, "(7,0,1,1,100,'USD',1)", { .terminal_without_end = 1 } },
        { "ended without a hold", JOB_FAILED, "(7,1,1,3,100,'USD',1)", { .terminal_without_end = 1, .amounts_differ = 1 } },
        { "another amount",
          JOB_SUCCEEDED,
          "(7,0,1,1,100,'USD',1),(7,1,1,2,99,'USD',1)",
          { .amounts_differ = 1 } },
        { "another currency",
          JOB_SUCCEEDED,
          "(7,0,1,1,100,'USD',1),(7,1,1,2,100,'EUR',1)",
          { .amounts_differ = 1 } },
        { "charged for nothing",
          JOB_EXPIRED,
          "(7,0,1,1,100,'USD',1),(7,1,1,2,100,'USD',1)",
          { .charged_unfinished = 1 } },
        { "charged while running",
          JOB_PENDING,
          "(7,0,1,1,100,'USD',1),(7,1,1,2,100,'USD',1)",
          { .open_without_hold = 1, .charged_unfinished = 1 } },
    };
    struct place p;
    place_begin(&p);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        script(&p, FG_LIT("DELETE FROM ledger; DELETE FROM job"));
        add_job(&p, 7, row[i].state);
        if (row[i].plant)
            script(&p,
                   arena_fmt(p.w.cx.mem,
                             "INSERT INTO ledger (job_id, side, account_id, kind, amount_micro, "
                             "currency, at_us) VALUES %s",
                             row[i].plant));
        check_audit(&p, row[i].want, row[i].why);
    }
    place_end(&p);
}

TEST(the_audit_finds_planted_errors_of_accounts)
{
    static const struct {
        const char *why, *plant;
        struct ledger_audit want; /* of the account rules */
    } row[] = {
        { "nothing", "DO 0", { 0 } },
        { "a balance", "UPDATE account_use SET balance_micro = balance_micro + 1", { .balance_differs = 1 } },
        { "running jobs", "UPDATE account_use SET outstanding_n = 2", { .outstanding_differs = 1 } },
        { "bytes", "UPDATE account_use SET storage_bytes = 8", { .storage_differs = 1 } },
        { "a file that is gone", "UPDATE output SET deleted_us = 1", { .storage_differs = 1 } },
        { "more in the day", "UPDATE account_use SET day_micro = day_micro + 1", { .day_differs = 1 } },
        { "less in the day", "UPDATE account_use SET day_micro = day_micro - 1", { .day_differs = 1 } },
        { "more in the month", "UPDATE account_use SET month_micro = month_micro + 1", { .month_differs = 1 } },
        { "less in the month", "UPDATE account_use SET month_micro = month_micro - 1", { .month_differs = 1 } },
        { "another currency", "UPDATE account SET currency = 'EUR'", { .currency_differs = 1 } },
        { "an entry behind its back",
          "INSERT INTO ledger (account_id, kind, amount_micro, currency, at_us) VALUES (1, 5, 7, 'EUR', 1)",
          { .balance_differs = 1, .currency_differs = 1 } },
        { "no row at all", "DELETE FROM account_use",
          { .balance_differs = 1, .outstanding_differs = 1, .storage_differs = 1, .day_differs = 1, .month_differs = 1 } },
        { "a clock that went back", "INSERT INTO ledger (job_id, side, account_id, kind, amount_micro, currency, at_us) "
          "SELECT 3, 0, 1, 1, 5, 'USD', day_us - 1 FROM account_use; UPDATE account_use SET day_micro = day_micro + 5, "
          "month_micro = month_micro + 5, balance_micro = balance_micro - 5", { 0 } },
        { "a clock that was ahead", "INSERT INTO ledger (job_id, side, account_id, kind, amount_micro, currency, at_us) "
          "SELECT 3, 0, 1, 1, 5, 'USD', day_us + 40 * 86400000000 FROM account_use; UPDATE account_use SET day_micro = 1, "
          "month_micro = 1, balance_micro = balance_micro - 5", { 0 } },
    };
    struct place p;
    place_begin(&p);
    add_job(&p, 1, JOB_PENDING);
    add_job(&p, 2, JOB_SUCCEEDED);
    CHECK_CODE(&p.w.cx, add(&p, 1, LEDGER_HOLD, 100), FG_OK);
    CHECK_CODE(&p.w.cx, add(&p, 2, LEDGER_HOLD, 50), FG_OK);
    CHECK_CODE(&p.w.cx, add(&p, 2, LEDGER_SETTLE, 50), FG_OK);
    CHECK_CODE(&p.w.cx, ledger_storage(&p.w.cx, p.web, ACCOUNT, 9), FG_OK);
    add_job(&p, 3, JOB_SUCCEEDED);
    script(&p, FG_LIT("INSERT INTO output (job_id, video_file, poster_file, bytes, digest, width, height, duration_ms, "
                      "stored_us) VALUES (2, 'v', 'p', 9, REPEAT('d', 32), 1, 1, 1, 1)"));
    for (size_t i = 0; i < FG_LEN(row); i++) {
        script(&p, FG_LIT("CREATE TABLE kept_use AS SELECT * FROM account_use; CREATE TABLE kept_entry AS SELECT * FROM ledger"));
        script(&p, fg_str_c(row[i].plant));
        struct ledger_audit got = audit(&p);
#define L(name, words) CHECK_I64(got.name, row[i].want.name, row[i].why);
        LEDGER_ACCOUNT_RULES(L)
#undef L
        CHECK(!strcmp(got.accounts, ledger_broken(&row[i].want) ? "acct_1" : ""), row[i].why);
        script(&p, FG_LIT("DELETE FROM ledger; INSERT INTO ledger SELECT * FROM kept_entry; DROP TABLE kept_entry;"
                          "DELETE FROM account_use; INSERT INTO account_use SELECT * FROM kept_use; DROP TABLE kept_use;"
                          "UPDATE account SET currency = 'USD'; UPDATE output SET deleted_us = NULL"));
    }
    place_end(&p);
}

TEST(the_audit_goes_through_all_accounts)
{
    struct place p;
    place_begin(&p);
    script(&p, FG_LIT("INSERT INTO account (id, public_id, name, created_us) SELECT seq, CONCAT('acct_', seq), 'n', 1 FROM "
                      "seq_2_to_41; INSERT INTO account_use (account_id, balance_micro) SELECT seq, seq IN (2, 20, 21, 22, 41) "
                      "FROM seq_2_to_41"));
    struct ledger_audit a = audit(&p);
    CHECK_I64(a.balance_differs, 5, "each once");
    CHECK(!strcmp(a.accounts, "acct_2 acct_20 acct_21 acct_22"), a.accounts);
    place_end(&p);
}

/* Books of before there were rows of what an account has used. The first job is of a month before. */
TEST(the_migration_leaves_sound_books)
{
    struct place p;
    size_t applied;
    db_server_start();
    db_server_begin(&p.w, &p.conf);
    struct fg_ctx *cx = &p.w.cx;
    size_t before = 0;
    while (strcmp(migrations[before].name, "0006_money.sql") != 0)
        before++;
    CHECK_CODE(cx, migrate(cx, &p.conf, migrations, before, &applied), FG_OK);
    CHECK_CODE(cx, db_open(cx, &p.db, &p.conf, DB_MIGRATE), FG_OK);
    script(&p, FG_LIT("INSERT INTO account (id, public_id, name, created_us) VALUES (1, 'acct_1', 'a', 1), (2, 'acct_2', 'b', 1)"));
    static const enum job_state state[] = { JOB_SUCCEEDED, JOB_SUCCEEDED, JOB_FAILED, JOB_PENDING };
    static const int64_t at_us[] = { 1700000000000000, 1893456000000000, 1893456000000001, 1893456000000002 };
    for (size_t i = 0; i < FG_LEN(state); i++) {
        add_job(&p, (int64_t)i + 1, state[i]);
        script(&p, arena_fmt(cx->mem, "UPDATE job SET created_us = %lld WHERE id = %zu", (long long)at_us[i], i + 1));
        script(&p, arena_fmt(cx->mem, "INSERT INTO ledger VALUES (%zu, 0, 1, 1, 100, 'EUR', %lld)", i + 1,
                             (long long)at_us[i]));
        if (job_terminal(state[i]))
            script(&p, arena_fmt(cx->mem, "INSERT INTO ledger VALUES (%zu, 1, 1, %d, 100, 'EUR', %lld)", i + 1,
                                 state[i] == JOB_SUCCEEDED ? 2 : 3, (long long)at_us[i] + 5));
    }
    script(&p, FG_LIT("INSERT INTO output (job_id, video_file, poster_file, bytes, digest, width, height, duration_ms, "
                      "stored_us) VALUES (2, 'v', 'p', 9, REPEAT('d', 32), 1, 1, 1, 1)"));
    db_close(p.db);
    CHECK_CODE(cx, migrate(cx, &p.conf, migrations, migration_n, &applied), FG_OK);
    CHECK_CODE(cx, db_open(cx, &p.db, &p.conf, DB_CLI), FG_OK);
    CHECK_CODE(cx, db_open(cx, &p.web, &p.conf, DB_WEB), FG_OK);
    struct ledger_audit a = audit(&p);
    CHECK_I64(ledger_broken(&a), 0, a.accounts);
    struct account_use u = used(&p);
    CHECK_I64(u.balance_micro, -300, "two charged, one held");
    CHECK_I64(u.day_micro, 200, "of the last day");
    CHECK_I64(u.day_n, 3, "and how many");
    CHECK_I64(u.month_us, INT64_C(1893456000000000), "its month");
    p.w.cx.now_us = at_us[3];
    CHECK_CODE(cx, add(&p, 4, LEDGER_RELEASE, 100), FG_OK);
    CHECK_I64(used(&p).day_micro, 100, "given back to the day it was taken from");
    place_end(&p);
}

/* reasons.def and the statement's text say the same of who pays. */
TEST(a_charge_for_a_failure_is_as_the_table_says)
{
    struct place p;
    place_begin(&p);
    for (int r = JOB_R_NONE + 1; r < JOB_REASON_N; r++) {
        const struct job_reason_info *why = job_reason_info((enum job_reason)r);
        add_job(&p, r, JOB_FAILED);
        script(&p, arena_fmt(p.w.cx.mem, "UPDATE job SET error_code = '%s', charged = 1 WHERE id = %d", why->slug, r));
        CHECK_CODE(&p.w.cx, add(&p, r, LEDGER_HOLD, 100), FG_OK);
        CHECK_CODE(&p.w.cx, add(&p, r, LEDGER_SETTLE, 100), FG_OK);
        CHECK_I64(audit(&p).charged_unfinished, !why->charged, why->slug);
        script(&p, arena_fmt(p.w.cx.mem, "UPDATE job SET charged = 0 WHERE id = %d", r));
        script(&p, arena_fmt(p.w.cx.mem, "UPDATE ledger SET kind = 3 WHERE side = 1 AND job_id = %d", r));
    }
    place_end(&p);
}

TEST(the_audit_goes_through_all_of_a_long_table)
{
    struct place p;
    place_begin(&p);
    static const int64_t ids[] = { 1, 20000, 20001, 40000, 123456 };
    for (size_t i = 0; i < FG_LEN(ids); i++)
        add_job(&p, ids[i], JOB_PENDING);
    check_audit(&p, (struct ledger_audit){ .open_without_hold = FG_LEN(ids) }, "each once");
    place_end(&p);
}

/* A job of another window, be it one that a clock's mistake made, gives back only to the balance. */
TEST(what_is_released_goes_back_to_where_it_was_taken)
{
#define DAY_US INT64_C(86400000000)
#define TODAY (INT64_C(1893456000000000) + 9 * DAY_US) /* 2030-01-10 */
    static const struct {
        const char *why;
        int64_t created_us;
        bool day, month;
    } row[] = {
        { "today", TODAY, true, true },
        { "today, at last", TODAY + DAY_US - 1, true, true },
        { "yesterday", TODAY - 1, false, true },
        { "last month", TODAY - 9 * DAY_US - 1, false, false },
        { "years ahead", TODAY + 3650 * DAY_US, false, false },
    };
    struct place p;
    struct terms t;
    struct account_use u;
    place_begin(&p);
    p.w.cx.now_us = TODAY;
    CHECK_CODE(&p.w.cx, terms_read(&p.w.cx, p.db, ACCOUNT, &t), FG_OK);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct ledger_job j = { (int64_t)i + 1, ACCOUNT, 100, row[i].created_us, USD };
        add_job(&p, j.job_id, JOB_PENDING);
        script(&p, arena_fmt(p.w.cx.mem, "UPDATE account_use SET balance_micro = -500, day_us = %lld, month_us = %lld, "
                                         "day_micro = 300, month_micro = 500", (long long)TODAY,
                             (long long)(TODAY - 9 * DAY_US)));
        CHECK_CODE(&p.w.cx, ledger_end(&p.w.cx, p.db, &j, LEDGER_RELEASE), FG_OK);
        CHECK_CODE(&p.w.cx, use_read(&p.w.cx, p.db, ACCOUNT, &t, FG_NONE, &u), FG_OK);
        CHECK_I64(u.balance_micro, -400, row[i].why);
        CHECK_I64(u.day_micro, row[i].day ? 200 : 300, row[i].why);
        CHECK_I64(u.month_micro, row[i].month ? 400 : 500, row[i].why);
    }
    place_end(&p);
}
