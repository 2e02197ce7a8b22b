/* filmgate migrate: forward only, once each, two at once, and never over a record that does not fit. */
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/migrations.h"
#include "money/ledger.h"
#include "store/db_server.h"

struct place {
    struct t_world w;
    struct fg_ctx *cx;
    struct conf conf;
};

static void place_begin(struct place *p)
{
    db_server_start();
    db_server_begin(&p->w, &p->conf);
    p->cx = &p->w.cx;
}

static void script(struct place *p, const char *sql)
{
    struct db *db;
    CHECK_CODE(p->cx, db_open(p->cx, &db, &p->conf, DB_MIGRATE), FG_OK);
    CHECK_CODE(p->cx, db_script(p->cx, db, fg_str_c(sql)), FG_OK);
    db_close(db);
}

/* The table of migrations itself, then one of the test's. */
static enum fg_code migrate_two(struct place *p, const char *name, const char *text, size_t *applied)
{
    struct migration list[] = { migrations[0], { name, fg_str_c(text) } };
    return migrate(p->cx, &p->conf, list, FG_LEN(list), applied);
}

TEST(a_second_time_changes_nothing)
{
    struct place p;
    size_t applied = 0;
    place_begin(&p);
    CHECK_CODE(p.cx, migrate(p.cx, &p.conf, migrations, migration_n, &applied), FG_OK);
    CHECK_I64(applied, migration_n, "all of them");
    CHECK_CODE(p.cx, migrate(p.cx, &p.conf, migrations, migration_n, &applied), FG_OK);
    CHECK_I64(applied, 0, "none of them");
    struct migration more[2] = { migrations[0], { "0001_x.sql", FG_LIT("CREATE TABLE x (n INT)") } };
    p.conf.db_name = FG_LIT("grows");
    CHECK_CODE(p.cx, migrate(p.cx, &p.conf, more, 1, &applied), FG_OK);
    CHECK_CODE(p.cx, migrate(p.cx, &p.conf, more, 2, &applied), FG_OK);
    CHECK_I64(applied, 1, "only the new one");
    script(&p, "INSERT INTO x VALUES (1)");
    t_end(&p.w, 0);
}

TEST(several_at_once_apply_each_once)
{
    enum { SIDES = 4 };
    struct place p;
    pid_t side[SIDES];
    size_t sum = 0;
    place_begin(&p);
    for (int i = 0; i < SIDES; i++) {
        side[i] = fork();
        if (side[i] == 0) {
            size_t applied;
            bool ok = migrate(p.cx, &p.conf, migrations, migration_n, &applied) == FG_OK;
            _exit(ok ? (int)applied : 200);
        }
    }
    for (int i = 0; i < SIDES; i++) {
        int status;
        CHECK(waitpid(side[i], &status, 0) == side[i] && WIFEXITED(status) && WEXITSTATUS(status) < 200,
              "every one succeeds");
        sum += (size_t)WEXITSTATUS(status);
    }
    CHECK_I64(sum, migration_n, "each migration was applied by exactly one of them");
    t_end(&p.w, 0);
}

TEST(a_record_that_does_not_fit_is_refused_by_name)
{
    static const struct {
        const char *name, *text, *words;
    } row[] = {
        { "0001_x.sql", "CREATE TABLE x (n BIGINT)", "0001_x.sql is not what was applied" },
        { "0001_x.sql", "CREATE TABLE x (n INT) ", "0001_x.sql is not what was applied" },
        { "0001_y.sql", "CREATE TABLE x (n INT)", "0001_y.sql is not what was applied as 0001_x.sql" },
        { "0002_z.sql", "CREATE TABLE z (n INT)", "0002_z.sql is not in the database, but 0001_x.sql is" },
        { "0000_a.sql", "CREATE TABLE a (n INT)", "0000_a.sql is not in the database, but 0001_x.sql is" },
    };
    struct place p;
    size_t applied;
    place_begin(&p);
    CHECK_CODE(p.cx, migrate_two(&p, "0001_x.sql", "CREATE TABLE x (n INT)", &applied), FG_OK);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        CHECK_CODE(p.cx, migrate_two(&p, row[i].name, row[i].text, &applied), FG_CONFIG);
        CHECK(strstr(p.cx->err.detail, row[i].words), row[i].words);
    }
    CHECK_CODE(p.cx, migrate(p.cx, &p.conf, migrations, 1, &applied), FG_CONFIG);
    CHECK(strstr(p.cx->err.detail, "has migration 0001_x.sql"), "a program older than the schema");
    t_end(&p.w, 0);
}

TEST(one_that_stopped_half_way_is_seen)
{
    struct place p;
    size_t applied;
    place_begin(&p);
    CHECK_CODE(p.cx, migrate_two(&p, "0001_x.sql", "CREATE TABLE x (n INT); CREATE TABLE x (n INT)", &applied),
               FG_CONFIG);
    CHECK(strstr(p.cx->err.detail, "0001_x.sql stopped: statement 2"), "says where");
    const char *good = "CREATE TABLE x (n INT); CREATE TABLE y (n INT)";
    CHECK_CODE(p.cx, migrate_two(&p, "0001_x.sql", "CREATE TABLE x (n INT); CREATE TABLE x (n INT)", &applied),
               FG_CONFIG);
    CHECK(strstr(p.cx->err.detail, "never finished"), "and goes no further");
    script(&p, "DROP TABLE x; DELETE FROM schema_migration WHERE version = 1");
    CHECK_CODE(p.cx, migrate_two(&p, "0001_x.sql", good, &applied), FG_OK);
    CHECK_I64(applied, 1, "after it was mended by hand");
    t_end(&p.w, 0);
}

TEST(names_and_options_that_cannot_be)
{
    const struct {
        const char *name;
        char *argv[2];
        int argc;
        enum fg_code want;
    } row[] = {
        { "a`b", { NULL }, 0, FG_CONFIG },
        { "", { NULL }, 0, FG_CONFIG },
        { "fine", { (char[]){ "--what" }, NULL }, 1, FG_INVALID_REQUEST },
        { "fine", { (char[]){ "--web-password-file" }, NULL }, 1, FG_INVALID_REQUEST },
        { "fine", { (char[]){ "--web-password-file" }, (char[]){ "/nowhere" } }, 2, FG_CONFIG },
        { "fine", { (char[]){ "--web-password-file" }, (char[]){ "/dev/null" } }, 2, FG_CONFIG },
    };
    struct place p;
    place_begin(&p);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        char *argv[] = { row[i].argv[0], row[i].argv[1] };
        p.conf.db_name = fg_str_c(row[i].name);
        CHECK_CODE(p.cx, cli_migrate(p.cx, &p.conf, row[i].argc, argv), row[i].want);
    }
    t_end(&p.w, 0);
}

/* ---- what a migration makes of what was there ---- */

#define DAY_US (86400 * FG_US_PER_S)
#define TODAY (INT64_C(1893456000) * FG_US_PER_S + 9 * DAY_US) /* 2030-01-10 */

static size_t before(const char *name)
{
    size_t n = 0;
    while (n < migration_n && strcmp(migrations[n].name, name) != 0)
        n++;
    return n;
}

/* A job with its hold, as 0005 has them; end 0: it runs. */
static void add_job(struct place *p, int id, int64_t created_us, int end)
{
    script(p, arena_fmt(p->cx->mem,
        "INSERT INTO job (id, public_id, account_id, state, stage, version, provider, model, prompt, aspect_ratio, duration_s, "
        "resolution, price_micro, currency, request_id, created_us, updated_us, deadline_us, finished_us, error_code, charged) "
        "VALUES (%d, 'job_%d', 1, %d, %d, 1, 'studio', 'studio-1', 'p', '16:9', 5, '480p', 100, 'USD', 'r', %lld, 1, 1, %s, "
        "%s, %d); INSERT INTO ledger (job_id, side, account_id, kind, amount_micro, currency, at_us) "
        "VALUES (%d, 0, 1, 1, 100, 'USD', 1)%s",
        id, id, end == LEDGER_SETTLE ? 4 : end ? 5 : 1, end ? 0 : 1, (long long)created_us, end ? "2" : "NULL",
        end == LEDGER_RELEASE ? "'canceled'" : "NULL", end == LEDGER_SETTLE, id,
        end ? arena_fmt(p->cx->mem, ", (%d, 1, 1, %d, 100, 'USD', 2)", id, end).p : "").p);
}

/* What ran before there were windows gives back what it holds in them, and nothing else. */
TEST(jobs_of_before_the_limits_are_counted_and_can_end)
{
    struct place p;
    struct db *db;
    struct account_use u;
    struct terms t;
    size_t applied;
    place_begin(&p);
    CHECK_CODE(p.cx, migrate(p.cx, &p.conf, migrations, before("0006_money.sql"), &applied), FG_OK);
    script(&p, "INSERT INTO account (id, public_id, name, created_us) VALUES (1, 'acct_1', 'a', 1), (2, 'acct_2', 'b', 1)");
    add_job(&p, 1, TODAY - 30 * DAY_US, 0);
    add_job(&p, 2, TODAY - DAY_US, 0);
    add_job(&p, 3, TODAY, 0);
    add_job(&p, 4, TODAY + 1, LEDGER_SETTLE);
    add_job(&p, 5, TODAY + 2, LEDGER_RELEASE);
    CHECK_CODE(p.cx, migrate(p.cx, &p.conf, migrations, migration_n, &applied), FG_OK);
    CHECK_CODE(p.cx, db_open(p.cx, &db, &p.conf, DB_CLI), FG_OK);
    p.cx->now_us = TODAY + 3;
    CHECK_CODE(p.cx, terms_read(p.cx, db, 1, &t), FG_OK);
    CHECK_CODE(p.cx, use_read(p.cx, db, 1, &t, FG_NONE, &u), FG_OK);
    CHECK_I64(u.balance_micro, -400, "three are held, one is charged");
    CHECK_I64(u.outstanding_n, 3, "three run");
    CHECK_I64(u.day_n, 3, "of today");
    CHECK_I64(u.day_micro, 200, "of which one was released");
    CHECK_I64(u.month_micro, 300, "and one of yesterday");
    for (int id = 1; id <= 3; id++) {
        static const int64_t created_us[] = { 0, TODAY - 30 * DAY_US, TODAY - DAY_US, TODAY };
        struct ledger_job j = { id, 1, 100, created_us[id], FG_LIT("USD") };
        CHECK_CODE(p.cx, ledger_end(p.cx, db, &j, LEDGER_RELEASE), FG_OK);
    }
    CHECK_CODE(p.cx, use_read(p.cx, db, 1, &t, FG_NONE, &u), FG_OK);
    CHECK(u.balance_micro == -100 && u.outstanding_n == 0, "one was charged");
    CHECK(u.day_micro == 100 && u.month_micro == 100, "today");
    CHECK_CODE(p.cx, use_read(p.cx, db, 2, &t, FG_NONE, &u), FG_OK);
    CHECK(u.balance_micro == 0 && u.day_micro == 0 && u.month_micro == 0, "who never had a job has a row");
    db_close(db);
    t_end(&p.w, 0);
}
