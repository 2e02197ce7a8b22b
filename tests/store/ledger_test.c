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
    CHECK_CODE(&p->w.cx, db_open(&p->w.cx, &p->db, &p->conf, DB_SWEEPER), FG_OK);
    script(
        p,
        FG_LIT(
            "INSERT INTO account (id, public_id, name, created_us) VALUES (1, 'acct_1', 'a', 1)"));
}

static void place_end(struct place *p)
{
    db_close(p->db);
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

static enum fg_code add(struct place *p, int64_t job, enum ledger_kind kind, int64_t amount)
{
    return ledger_add(&p->w.cx, p->db, ACCOUNT, job, kind, amount, USD);
}

static struct ledger_audit audit(struct place *p)
{
    struct ledger_audit a = { -1, -1, -1, -1 };
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
    check_audit(&p, (struct ledger_audit){ 0 }, "all in order");
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
        { "running without a hold", JOB_PENDING, NULL, { 1, 0, 0, 0 } },
        { "running with an end",
          JOB_PENDING,
          "(7,0,1,1,100,'USD',1),(7,1,1,3,100,'USD',1)",
          { 1, 0, 0, 0 } },
        { "ended without anything", JOB_FAILED, NULL, { 0, 1, 0, 0 } },
        { "ended without an end", JOB_SUCCEEDED, "(7,0,1,1,100,'USD',1)", { 0, 1, 0, 0 } },
        { "ended without a hold", JOB_FAILED, "(7,1,1,3,100,'USD',1)", { 0, 1, 1, 0 } },
        { "another amount",
          JOB_SUCCEEDED,
          "(7,0,1,1,100,'USD',1),(7,1,1,2,99,'USD',1)",
          { 0, 0, 1, 0 } },
        { "another currency",
          JOB_SUCCEEDED,
          "(7,0,1,1,100,'USD',1),(7,1,1,2,100,'EUR',1)",
          { 0, 0, 1, 0 } },
        { "charged for nothing",
          JOB_EXPIRED,
          "(7,0,1,1,100,'USD',1),(7,1,1,2,100,'USD',1)",
          { 0, 0, 0, 1 } },
        { "charged while running",
          JOB_PENDING,
          "(7,0,1,1,100,'USD',1),(7,1,1,2,100,'USD',1)",
          { 1, 0, 0, 1 } },
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
