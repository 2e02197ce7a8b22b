/* sql/statements.def against the migrated schema, as the users of sql/grants.sql: each program can prepare what it
 * runs and may do little else, and no claim locks more than it takes. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/sb.h"
#include "cli/cli.h"
#include "io/child.h"
#include "store/db_server.h"

#define PASSWORD "quote'and\\slash"

struct place {
    struct t_world w;
    struct fg_ctx *cx;
    struct conf conf, of[3]; /* the owner's; web's, sweeper's and studio's */
};

static const struct {
    const char *user;
    enum db_program program;
} users[] = { { "fg_web", DB_WEB }, { "fg_sweeper", DB_SWEEPER }, { "fg_studio", DB_STUDIO } };

static void migrate_with_users(struct place *p)
{
    char path[96], *argv[] = { (char[]){ "--web-password-file" }, path, (char[]){ "--sweeper-password-file" }, path,
                               (char[]){ "--studio-password-file" }, path };
    (void)snprintf(path, sizeof path, "%s/password", db_server_dir());
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, PASSWORD "\n", sizeof PASSWORD) == sizeof PASSWORD && close(fd) == 0, path);
    CHECK_CODE(p->cx, cli_migrate(p->cx, &p->conf, FG_LEN(argv), argv), FG_OK);
}

static void place_begin(struct place *p)
{
    db_server_start();
    db_server_begin(&p->w, &p->conf);
    p->cx = &p->w.cx;
    migrate_with_users(p);
    for (size_t i = 0; i < FG_LEN(users); i++) {
        p->of[i] = p->conf;
        p->of[i].db_user = fg_str_c(users[i].user);
        p->of[i].db_password = FG_LIT(PASSWORD);
    }
}

static struct db *open_as(struct place *p, const struct conf *conf, enum db_program program)
{
    struct db *db;
    CHECK_CODE(p->cx, db_open(p->cx, &db, conf, program), FG_OK);
    return db;
}

static void script(struct place *p, const char *sql)
{
    struct db *db = open_as(p, &p->conf, DB_MIGRATE);
    CHECK_CODE(p->cx, db_script(p->cx, db, fg_str_c(sql)), FG_OK);
    db_close(db);
}

TEST(every_program_prepares_its_statements_as_its_user)
{
    struct place p;
    place_begin(&p);
    for (size_t i = 0; i < FG_LEN(users); i++)
        db_close(open_as(&p, &p.of[i], users[i].program));
    db_close(open_as(&p, &p.conf, DB_CLI));
    p.of[0].db_password = FG_LIT("something else");
    struct db *db;
    CHECK_CODE(p.cx, db_open(p.cx, &db, &p.of[0], DB_WEB), FG_CONFIG);
    db_close(db);
    t_end(&p.w, 0);
}

static void check_denied(struct place *p, struct db *db, const char *sql)
{
    CHECK_CODE(p->cx, db_script(p->cx, db, fg_str_c(sql)), FG_INTERNAL);
    CHECK(strstr(p->cx->err.cause, " 1142 ") || strstr(p->cx->err.cause, " 1143 ") || strstr(p->cx->err.cause, " 1044 "), sql);
}

TEST(no_program_may_do_more_than_its_work)
{
    static const struct {
        int user;
        const char *sql;
    } row[] = {
        { 0, "SELECT prompt FROM studio_video" }, { 0, "DELETE FROM job" }, { 0, "DROP TABLE job" },
        { 0, "UPDATE ledger SET amount_micro = 0" }, { 0, "DELETE FROM ledger" }, { 0, "DELETE FROM job_event" },
        { 0, "INSERT INTO api_key (account_id, digest, hint, label, role, created_us) VALUES (1, '', '', '', 3, 1)" },
        { 0, "CREATE TABLE x (n INT)" }, { 0, "UPDATE schema_migration SET state = 'done'" },
        { 1, "SELECT digest FROM api_key" }, { 1, "SELECT prompt FROM studio_video" }, { 1, "DELETE FROM job" },
        { 1, "UPDATE ledger SET amount_micro = 0" }, { 1, "DELETE FROM attempt" },
        { 1, "INSERT INTO webhook_secret (account_id, secret, created_us) VALUES (1, 'mine', 1)" },
        { 0, "DELETE FROM webhook_delivery" }, { 0, "DELETE FROM webhook_endpoint" },
        { 2, "SELECT id FROM job" }, { 2, "SELECT digest FROM api_key" }, { 2, "SELECT id FROM account" },
    };
    struct place p;
    place_begin(&p);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct db *db = open_as(&p, &p.of[row[i].user], users[row[i].user].program);
        check_denied(&p, db, row[i].sql);
        db_close(db);
    }
    t_end(&p.w, 0);
}

TEST(migrating_again_takes_back_what_was_granted_beside)
{
    struct place p;
    place_begin(&p);
    script(&p, "GRANT DELETE ON ledger TO fg_web@localhost");
    migrate_with_users(&p);
    struct db *db = open_as(&p, &p.of[0], DB_WEB);
    check_denied(&p, db, "DELETE FROM ledger");
    db_close(db);
    t_end(&p.w, 0);
}

static const struct {
    const char *name, *text;
} statements[] = {
#define S(name, programs, binds, columns, text) { #name, text },
#include "../sql/statements.def"
#undef S
};

static const char *text_of(const char *name)
{
    for (size_t i = 0; i < FG_LEN(statements); i++)
        if (strcmp(statements[i].name, name) == 0)
            return statements[i].text;
    CHECK(false, name);
    return NULL;
}

/* The server's plan for a statement with these values in place of its '?'. */
static struct fg_str explain(struct place *p, const char *name, const char *const *value)
{
    struct sb sql = sb_in(p->cx->mem, 8192);
    sb_add(&sql, FG_LIT("EXPLAIN "));
    for (const char *c = text_of(name); *c; c++) {
        if (*c == '?')
            sb_add(&sql, fg_str_c(*value++));
        else
            sb_add_c(&sql, *c);
    }
    struct child_call call = { .argv = { "/usr/bin/mariadb", "--no-defaults", "-u", "root", "-S",
                                         p->conf.db_socket.p, "-e", sb_cstr(&sql), p->conf.db_name.p } };
    struct fg_str plan;
    CHECK_CODE(p->cx, child_run(p->cx, &call, &plan), FG_OK);
    return plan;
}

/* Rows enough for the optimizer to have a choice; keys of other tables are not the point here. */
static void fill(struct place *p)
{
    script(p, "SET foreign_key_checks = 0;"
              "INSERT INTO due (kind, job_id, due_us) SELECT 2 + seq % 6, seq, seq FROM seq_1_to_3000;"
              "INSERT INTO due (kind, job_id, due_us, lane, account_id) SELECT 1, seq + 3000, seq, CONCAT('m-', seq % 5), "
              "seq % 7 FROM seq_1_to_5000;"
              "INSERT INTO studio_video (public_id, state, model, prompt, seconds, width, height, seed, created_us) "
              "SELECT CONCAT('video_', seq), 1, 'm', 'p', 5, 16, 16, 1, seq FROM seq_1_to_300;"
              "INSERT INTO webhook_delivery (public_id, message_id, account_id, url, lane, state, due_us, created_us) "
              "SELECT CONCAT('dlv_', seq), seq, 1, 'u', seq % 2, 1 + seq % 4 DIV 3, seq, 1 FROM seq_1_to_3000;"
              "INSERT INTO erasure (public_id, account_id, created_us, due_us, upto_id, finished_us) SELECT CONCAT('era_', seq), seq, 1, seq, 1, "
              "IF(seq % 3, 1, NULL) FROM seq_1_to_3000;"
              "INSERT INTO job (public_id, account_id, state, stage, version, provider, model, prompt, aspect_ratio, duration_s, "
              "resolution, price_micro, currency, request_id, created_us, updated_us, finished_us, deadline_us, output_state, "
              "expires_us) SELECT CONCAT('job_', seq), 1 + seq % 2, 4, 0, 1, 'p', 'm', 'p', '16:9', 5, '480p', 0, 'USD', 'r', 1, 1, "
              "seq, 1, 1 + seq % 2, seq FROM seq_1_to_3000;"
              "ANALYZE TABLE due, studio_video, webhook_delivery, erasure, job");
}

TEST(claims_sort_nothing)
{
    static const struct {
        const char *name, *value[7], *index;
    } row[] = {
        { "DUE_CLAIM", { "3", "2000", "50", "'me'", "9999" }, "due_next" },
        { "STUDIO_CLAIM", { "2", "'me'", "9999" }, "studio_queue" },
        { "WEBHOOK_CLAIM", { "1", "1", "2000", "4", "'me'", "9999" }, "webhook_delivery_queue" },
        { "LINE", { "'m-1'", "1", "0", "2000", "1", "'[]'", "5" }, "due_lane" },
        { "EXPIRED_FILES", { "2000", "5", "5", "7", "10" }, "job_expires" },
        { "OLD_WORDS", { "1", "2000", "5", "5", "7", "10" }, "job_words" },
        { "ERASURE_NEXT", { "2000" }, "erasure_next" },
        { "LANES", { NULL }, "Using index for group-by" },
        { "LANE_ACCOUNTS", { "'m-1'" }, "Using index for group-by" },
        { "WEBHOOK_LANES", { "2000" }, "Using index for group-by" },
    };
    struct place p;
    place_begin(&p);
    fill(&p);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fg_str plan = explain(&p, row[i].name, row[i].value);
        CHECK(strstr(plan.p, row[i].index), row[i].name);
        CHECK(!strstr(plan.p, "filesort"), "a claim that sorts locks every candidate");
        CHECK(!strstr(plan.p, "Using temporary"), "nor is all that waits read to find who waits");
    }
    t_end(&p.w, 0);
}

static enum fg_code claim(struct place *p, struct db *db, int limit, const char *owner)
{
    return db_run(p->cx, db, SQL_DUE_CLAIM, DB_ARGS(DB(3), DB(INT64_C(5000)), DB(limit), DB(fg_str_c(owner)),
                  DB(INT64_C(9999))));
}

struct two {
    struct place *p;
    struct db *other;
    uint64_t mine, others;
};

static enum fg_code claim_beside(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct two *t = arg;
    (void)cx;
    enum fg_code rc = claim(t->p, db, 20, "sixteen bytes: 1");
    t->mine = db->affected;
    if (rc == FG_OK) /* while ours are claimed and not committed */
        rc = claim(t->p, t->other, 1000, "sixteen bytes: 2");
    t->others = t->other->affected;
    return rc;
}

TEST(two_claimers_share_no_row_and_do_not_wait)
{
    struct place p;
    place_begin(&p);
    fill(&p);
    struct db *db = open_as(&p, &p.of[1], DB_SWEEPER);
    struct two t = { .p = &p, .other = open_as(&p, &p.of[1], DB_SWEEPER) };
    CHECK_CODE(p.cx, db_script(p.cx, t.other, FG_LIT("SET SESSION innodb_lock_wait_timeout = 0")), FG_OK);
    CHECK_CODE(p.cx, db_tx(p.cx, db, claim_beside, &t), FG_OK);
    CHECK_I64(t.mine, 20, "as many as asked");
    CHECK_I64(t.others, 480, "exactly the rest: none twice, none held back");
    CHECK_CODE(p.cx, claim(&p, db, 1000, "sixteen bytes: 3"), FG_OK);
    CHECK_I64(db->affected, 0, "claimed is claimed until the lease ends");
    db_close(db);
    db_close(t.other);
    t_end(&p.w, 0);
}
