/* MariaDB through Connector/C: one connection per process, every statement prepared at start and checked
 * against its entry in sql/statements.def (binds, columns). Nobody else includes mysql.h.
 *
 * Opened after fork. A lost connection is opened again, with all prepares, before the next unit of work;
 * never inside one. Whoever asks a server that hangs waits for db.io_timeout_s, or for db.connect_timeout_s when
 * there is no connection; after that everything is FG_DB_LOST at once for two seconds, so that a pool of processes is
 * not held up request by request. All session settings of a unit: READ COMMITTED, strict mode, UTC, and time limits
 * (statement 10 s < read timeout < lease). */
#ifndef FG_IO_DB_H
#define FG_IO_DB_H

#include "base/conf.h"
#include "base/ctx.h"

/* Which programs prepare a statement; each has a database user with the least it needs (sql/grants.sql).
 * DB_MIGRATE touches schema_migration alone and has no statement time limit; DB_NONE prepares nothing and chooses
 * no schema, so it works before there is one. */
enum db_program { DB_NONE = 0, DB_WEB = 1, DB_SWEEPER = 2, DB_STUDIO = 4, DB_CLI = 8, DB_MIGRATE = 16 };

/* The tests of db.c bring a list of their own. */
#ifndef DB_STATEMENTS
#define DB_STATEMENTS "../sql/statements.def"
#endif

enum db_sql {
#define S(name, programs, binds, columns, text) SQL_##name,
#include DB_STATEMENTS
#undef S
};

enum db_tag { DB_TAG_NULL, DB_TAG_I64, DB_TAG_INT, DB_TAG_BOOL, DB_TAG_STR };

/* A parameter. A struct fg_str with p == NULL binds NULL; use FG_LIT("") for empty text. What is compared with a
 * column of ascii must be ASCII (the server gives no answer to the rest: FG_INTERNAL), so check ids at the door. */
struct db_bind {
    enum db_tag tag;
    int64_t i;
    struct fg_str s;
};

static inline struct db_bind db_bind_i64(int64_t v) { return (struct db_bind){ DB_TAG_I64, v, FG_NONE }; }
static inline struct db_bind db_bind_str(struct fg_str v)
{
    return (struct db_bind){ v.p ? DB_TAG_STR : DB_TAG_NULL, 0, v };
}
/* The bind's type comes from the C type; one that is not listed does not compile. */
#define DB(x)                                                                                  \
    _Generic((x), struct fg_str: db_bind_str, int: db_bind_i64, unsigned: db_bind_i64,           \
             bool: db_bind_i64, uint8_t: db_bind_i64, int64_t: db_bind_i64)(x)
#define DB_NULL ((struct db_bind){ DB_TAG_NULL, 0, FG_NONE })
/* 0 is "never" in a time column: bound as NULL. */
#define DB_TIME(us) ((us) ? db_bind_i64(us) : DB_NULL)

struct db_args {
    const struct db_bind *v;
    unsigned n;
};
#define DB_ARGS(...)                                                                           \
    ((struct db_args){ (const struct db_bind[]){ __VA_ARGS__ },                                  \
                       sizeof((const struct db_bind[]){ __VA_ARGS__ }) / sizeof(struct db_bind) })
#define DB_NO_ARGS ((struct db_args){ NULL, 0 })

/* Where a result column goes. SQL NULL becomes 0 or FG_NONE. Text and binary land in the arena,
 * NUL-terminated beyond n. */
struct db_col {
    enum db_tag tag;
    size_t at;
};
#define COL(type, field)                                                                       \
    { _Generic(((type *)0)->field, struct fg_str: DB_TAG_STR, int: DB_TAG_INT,                   \
               unsigned: DB_TAG_INT, bool: DB_TAG_BOOL, int64_t: DB_TAG_I64),                    \
      offsetof(type, field) }
struct db_cols {
    const struct db_col *v;
    unsigned n;
};
#define DB_COLS(array) ((struct db_cols){ (array), FG_LEN(array) })

struct db {
    uint64_t affected;  /* rows of the last db_run; CLIENT_FOUND_ROWS is off: ON DUPLICATE KEY gives 1 new, 0 old */
    int64_t insert_id;  /* AUTO_INCREMENT of the last db_run */
    struct db_impl *impl;
};

/* Connects and prepares every statement of the program. FG_DB_LOST when the server is away (the caller may
 * go on: the next unit of work tries again), FG_CONFIG when a statement does not fit the schema.
 * *out is set in both cases; conf must outlive it. */
enum fg_code db_open(struct fg_ctx *cx, struct db **out, const struct conf *conf,
                     enum db_program program) FG_MUST_CHECK;
void db_close(struct db *db);

/* One statement without rows. Codes: FG_DB_LOST (nothing was changed), FG_DB_BUSY (lock or deadlock;
 * inside db_tx it must be returned at once), FG_DB_DUPLICATE (a UNIQUE key; cause names it), FG_DB_UNSURE (sent
 * outside a transaction, no answer), FG_INTERNAL. */
enum fg_code db_run(struct fg_ctx *cx, struct db *db, enum db_sql sql, struct db_args args)
    FG_MUST_CHECK;

/* At most one row into *row (a struct); *found says whether there was one. */
enum fg_code db_one(struct fg_ctx *cx, struct db *db, enum db_sql sql, struct db_args args,
                    struct db_cols cols, void *row, bool *found) FG_MUST_CHECK;

/* All rows (the statement itself has a LIMIT) as an array of structs of the given size in the arena. */
enum fg_code db_all(struct fg_ctx *cx, struct db *db, enum db_sql sql, struct db_args args,
                    struct db_cols cols, size_t size, void *rows, size_t *n) FG_MUST_CHECK;
/* rows is the address of a typed pointer: struct x *list; DB_ALL(cx, db, SQL_X, args, cols, &list, &n) */
#define DB_ALL(cx, db, sql, args, cols, rows, n) \
    db_all((cx), (db), (sql), (args), (cols), sizeof **(rows), (rows), (n))

/* Runs body in a transaction: commits when it returns FG_OK, rolls back otherwise. On deadlock, lock
 * timeout, or a connection lost before COMMIT was sent it runs again, within db.tx_budget_ms; so a body has
 * no effects but on the database and *arg, and sets *arg anew each time. Any other code of the body comes back
 * as it is. FG_DB_UNSURE: COMMIT was sent and not answered; the caller resolves it by reading.
 * Never nested; no network call inside. */
typedef enum fg_code db_body(struct fg_ctx *cx, struct db *db, void *arg);
enum fg_code db_tx(struct fg_ctx *cx, struct db *db, db_body *body, void *arg) FG_MUST_CHECK;

/* For migrations and set-up only: text that is not in statements.def, several statements allowed. */
enum fg_code db_script(struct fg_ctx *cx, struct db *db, struct fg_str sql) FG_MUST_CHECK;

/* "SQL_JOB_BY_ID": for logs and metrics. */
const char *db_sql_name(enum db_sql sql);

#endif
