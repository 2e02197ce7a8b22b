#include "cli/cli.h"

#include <errno.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/sb.h"
#include "base/scan.h"
#include "cli/migrations.h"
#include "io/db.h"
#include "io/hash.h"

#define LOCK_WAIT_S 120
#define VERSION_MAX 9999
#define PASSWORD_MIN 12
#define PASSWORD_MAX 200
#define GRANTS_MAX (64 * FG_KIB)

struct applied {
    int version;
    struct fg_str name, checksum, state;
};
static const struct db_col applied_cols[] = {
    COL(struct applied, version), COL(struct applied, name), COL(struct applied, checksum),
    COL(struct applied, state),
};

/* A user that one of the programs logs in as; its part of grants.sql stands below "-- @NAME". */
static const struct account {
    const char *name, *option;
} accounts[] = {
    { "web", "--web-password-file" },
    { "sweeper", "--sweeper-password-file" },
    { "studio", "--studio-password-file" },
};

static int version_of(const struct migration *m)
{
    struct fg_str s = { m->name, 4 };
    while (s.n > 1 && scan_char(&s, '0'))
        ;
    uint64_t v = 0;
    FG_ASSERT(scan_all_u64(s, VERSION_MAX, &v));
    return (int)v;
}

static struct fg_str checksum_of(struct fg_ctx *cx, const struct migration *m)
{
    uint8_t digest[HASH_LEN];
    hash_plain(m->text, digest);
    return arena_str(cx->mem, hash_bytes(digest));
}

/* The name goes into SQL text between backquotes, where no bind can stand. */
static enum fg_code check_name(struct fg_ctx *cx, struct fg_str name)
{
    bool ok = name.n > 0 && name.n <= 64;
    for (size_t i = 0; ok && i < name.n; i++)
        ok = strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", name.p[i]) != NULL;
    return ok ? FG_OK : fg_fail(cx, FG_CONFIG, "db.name: letters, digits and _ only, at most 64");
}

/* The schema and the table that remembers: before these no statement can be prepared. */
static enum fg_code found_schema(struct fg_ctx *cx, const struct conf *conf, const struct migration *first)
{
    struct db *db = NULL;
    enum fg_code rc = check_name(cx, conf->db_name);
    if (rc == FG_OK)
        rc = db_open(cx, &db, conf, DB_NONE);
    if (rc == FG_OK)
        rc = db_script(cx, db, arena_fmt(cx->mem,
                       "CREATE DATABASE IF NOT EXISTS `%.*s` CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin; "
                       "USE `%.*s`; %.*s", FG_P(conf->db_name), FG_P(conf->db_name), FG_P(first->text)));
    db_close(db);
    return rc;
}

static struct fg_str lock_name(struct fg_ctx *cx, const struct conf *conf)
{
    return arena_fmt(cx->mem, "filmgate.migrate.%.*s", FG_P(conf->db_name));
}

static enum fg_code lock(struct fg_ctx *cx, struct db *db, const struct conf *conf)
{
    static const struct db_col cols[] = { { DB_TAG_INT, 0 } };
    int got = 0;
    bool found = false;
    enum fg_code rc = db_one(cx, db, SQL_MIGRATION_LOCK, DB_ARGS(DB(lock_name(cx, conf)), DB(LOCK_WAIT_S)),
                             DB_COLS(cols), &got, &found);
    if (rc == FG_OK && !got)
        rc = fg_fail(cx, FG_DB_BUSY, "Another migration has been running for %d s.", LOCK_WAIT_S);
    return rc;
}

/* What the database says was applied must be a beginning of the list, whole and unchanged. */
static enum fg_code compare(struct fg_ctx *cx, const struct applied *row, const struct migration *m)
{
    if (!m)
        return fg_fail(cx, FG_CONFIG, "The database has migration %.*s, which this program does not know.",
                       FG_P(row->name));
    if (row->version != version_of(m))
        return fg_fail(cx, FG_CONFIG, "Migration %s is not in the database, but %.*s is.", m->name,
                       FG_P(row->name));
    if (!fg_eq(row->name, fg_str_c(m->name)) || !fg_eq(row->checksum, checksum_of(cx, m)))
        return fg_fail(cx, FG_CONFIG, "Migration %s is not what was applied as %.*s: an applied migration is "
                       "never edited; write a new one.", m->name, FG_P(row->name));
    if (!FG_IS(row->state, "done"))
        return fg_fail(cx, FG_CONFIG, "Migration %s was begun and never finished. Look how far it came, mend the "
                       "schema by hand, then set its row in schema_migration to 'done', or delete the row to have "
                       "it run again.", m->name);
    return FG_OK;
}

static enum fg_code apply(struct fg_ctx *cx, struct db *db, const struct conf *conf, const struct migration *m)
{
    int version = version_of(m);
    enum fg_code rc = db_run(cx, db, SQL_MIGRATION_BEGIN, DB_ARGS(DB(version), DB(fg_str_c(m->name)),
                             DB(checksum_of(cx, m)), DB(cx->now_us), DB(lock_name(cx, conf))));
    if (rc == FG_OK && db->affected != 1)
        rc = fg_fail(cx, FG_DB_LOST, "The connection, and the lock with it, was lost before %s.", m->name);
    if (rc != FG_OK)
        return rc;
    rc = db_script(cx, db, m->text);
    if (rc != FG_OK) {
        char cause[FG_ERR_TEXT_MAX];
        memcpy(cause, cx->err.cause, sizeof cause);
        return fg_fail(cx, FG_CONFIG, "Migration %s stopped: %.180s", m->name, cause);
    }
    ctx_tick(cx);
    rc = db_run(cx, db, SQL_MIGRATION_DONE, DB_ARGS(DB(cx->now_us), DB(version)));
    if (rc == FG_OK && db->affected != 1)
        rc = fg_fail(cx, FG_CONFIG, "The record of migration %s was changed while it ran.", m->name);
    return rc;
}

static enum fg_code apply_missing(struct fg_ctx *cx, struct db *db, const struct conf *conf,
                                  const struct migration *list, size_t n, size_t *applied)
{
    struct applied *row;
    size_t row_n;
    enum fg_code rc = DB_ALL(cx, db, SQL_MIGRATION_LIST, DB_NO_ARGS, DB_COLS(applied_cols), &row, &row_n);
    for (size_t i = 0; rc == FG_OK && i < row_n; i++)
        rc = compare(cx, &row[i], i < n ? &list[i] : NULL);
    for (size_t i = row_n; rc == FG_OK && i < n; i++) {
        rc = apply(cx, db, conf, &list[i]);
        if (rc == FG_OK)
            ++*applied;
    }
    return rc;
}

enum fg_code migrate(struct fg_ctx *cx, const struct conf *conf, const struct migration *list, size_t n,
                     size_t *applied)
{
    struct db *db = NULL;
    *applied = 0;
    enum fg_code rc = found_schema(cx, conf, &list[0]);
    if (rc == FG_OK)
        rc = db_open(cx, &db, conf, DB_MIGRATE);
    if (rc == FG_OK)
        rc = lock(cx, db, conf);
    if (rc == FG_OK)
        rc = apply_missing(cx, db, conf, list, n, applied);
    db_close(db); /* and the lock with it */
    return rc;
}

/* One line of printable ASCII; anything else in it is more likely a mistake than a password. */
static enum fg_code read_password(struct fg_ctx *cx, const char *path, struct fg_str *out)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return fg_fail(cx, FG_CONFIG, "%.200s: %s", path, strerror(errno));
    char *p = arena_get(cx->mem, PASSWORD_MAX + 2);
    struct fg_str s = { p, fread(p, 1, PASSWORD_MAX + 2, f) };
    fclose(f);
    if (s.n && s.p[s.n - 1] == '\n')
        s.n--;
    bool ok = s.n >= PASSWORD_MIN && s.n <= PASSWORD_MAX;
    for (size_t i = 0; ok && i < s.n; i++)
        ok = s.p[i] > ' ' && s.p[i] < 127;
    if (!ok)
        return fg_fail(cx, FG_CONFIG, "%.200s: not one line of %d to %d printable characters", path, PASSWORD_MIN,
                       PASSWORD_MAX);
    *out = s;
    return FG_OK;
}

static void add_quoted(struct sb *b, struct fg_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\'' || s.p[i] == '\\')
            sb_add_c(b, '\\');
        sb_add_c(b, s.p[i]);
    }
}

/* grants.sql between "-- @NAME" and the next "-- @", its {{words}} filled in. */
static struct fg_str grants_for(struct fg_ctx *cx, const struct conf *conf, const char *name, struct fg_str password)
{
    struct sb b = sb_in(cx->mem, GRANTS_MAX);
    struct fg_str rest = grants_sql, line, mark = arena_fmt(cx->mem, "-- @%s", name);
    bool inside = false, remote = conf->db_host.n > 0;
    while (scan_until(&rest, '\n', &line)) {
        if (fg_starts(line, FG_LIT("-- @")))
            inside = fg_eq(line, mark);
        while (inside && line.n) {
            if (scan_lit(&line, FG_LIT("{{database}}")))
                sb_add(&b, conf->db_name);
            else if (scan_lit(&line, FG_LIT("{{host}}")))
                sb_add(&b, remote ? FG_LIT("%") : FG_LIT("localhost"));
            else if (scan_lit(&line, FG_LIT("{{transport}}")))
                sb_add(&b, remote ? FG_LIT("REQUIRE SSL") : FG_LIT("REQUIRE NONE"));
            else if (scan_lit(&line, FG_LIT("{{password}}")))
                add_quoted(&b, password);
            else
                sb_add_c(&b, *line.p), line.p++, line.n--;
        }
        if (inside)
            sb_add_c(&b, '\n');
    }
    FG_ASSERT(!b.bad && b.n);
    return sb_str(&b);
}

static enum fg_code grant(struct fg_ctx *cx, const struct conf *conf, const struct account *a, const char *path)
{
    struct fg_str password = FG_NONE;
    struct db *db = NULL;
    enum fg_code rc = read_password(cx, path, &password);
    if (rc == FG_OK)
        rc = db_open(cx, &db, conf, DB_MIGRATE);
    if (rc == FG_OK)
        rc = db_script(cx, db, grants_for(cx, conf, a->name, password));
    db_close(db);
    if (rc == FG_INTERNAL) {
        char cause[FG_ERR_TEXT_MAX];
        memcpy(cause, cx->err.cause, sizeof cause);
        rc = fg_fail(cx, FG_CONFIG, "The rights of fg_%s were not set: %.180s", a->name, cause);
    }
    return rc;
}

enum fg_code cli_migrate(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    const char *path[FG_LEN(accounts)] = { NULL };
    for (int i = 0; i < argc; i += 2) {
        size_t a = 0;
        while (a < FG_LEN(accounts) && strcmp(argv[i], accounts[a].option) != 0)
            a++;
        if (a == FG_LEN(accounts) || i + 1 == argc)
            return fg_fail(cx, FG_INVALID_REQUEST, "migrate: %.100s is not an option, or lacks its file.", argv[i]);
        path[a] = argv[i + 1];
    }
    size_t applied;
    enum fg_code rc = migrate(cx, conf, migrations, migration_n, &applied);
    if (rc != FG_OK)
        return rc;
    printf("%zu of %zu migrations were new; the schema is at %s\n", applied, migration_n,
           migrations[migration_n - 1].name);
    for (size_t a = 0; rc == FG_OK && a < FG_LEN(accounts); a++)
        if (path[a]) {
            rc = grant(cx, conf, &accounts[a], path[a]);
            if (rc == FG_OK)
                printf("fg_%s has its rights\n", accounts[a].name);
        }
    return rc;
}
