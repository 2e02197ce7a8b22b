/* What db.c (statements, transactions) and db_link.c (the connection) share; nobody else includes it. */
#ifndef FG_IO_DB_IMPL_H
#define FG_IO_DB_IMPL_H

#include <mysql.h> /* its macros say strcpy: the Makefile puts it before base/banned.h */

#include "base/fault.h"
#include "io/db.h"

#define DB_BINDS_MAX 64
#define DB_COLUMNS_MAX 80

/* The number of statements stays outside their enum. */
#define S(name, programs, binds, columns, text) +1
enum {
    DB_SQL_N = 0
#include DB_STATEMENTS
};
#undef S

struct db_decl {
    const char *name;
    unsigned programs, binds, columns;
    struct fg_str text;
};
extern const struct db_decl db_decls[];

/* One value of a row before it lands in the caller's struct. */
struct db_value {
    int64_t i;
    struct fg_str s;
    unsigned long len;
    my_bool null, error;
};

struct db_impl {
    MYSQL *my; /* NULL: not connected */
    const struct conf *conf;
    enum db_program program;
    unsigned error;           /* number of the last failure */
    bool not_run;             /* it came before the server took the statement up */
    int64_t asked_us;         /* monotonic: when the server was last asked something */
    int64_t hung_until_us;    /* monotonic: it let us wait in vain; until then nobody waits for it again */
    bool in_tx;
    enum fg_code tx_broken;   /* FG_DB_BUSY or FG_DB_LOST inside the transaction: it must not commit */
    MYSQL_STMT *stmt[DB_SQL_N];
    MYSQL_BIND in[DB_BINDS_MAX], out[DB_COLUMNS_MAX];
    struct db_value value[DB_COLUMNS_MAX];
};

/* Call before each question to the server: how long its failure took tells a server that hangs from one that hung up. */
static inline void db_link_asks(const struct fg_ctx *cx, struct db_impl *im) { im->asked_us = ctx_mono_us(cx); }

/* Makes sure there is a connection with everything prepared; call between units of work only. FG_DB_LOST at once
 * while the server is known to hang. */
enum fg_code db_link_ready(struct fg_ctx *cx, struct db_impl *im) FG_MUST_CHECK;

/* Forgets the connection and all that hangs on it; the server rolls back what was open. */
void db_link_drop(struct db_impl *im);

/* The code for the error that the connection (st NULL) or a statement has just met; drops the connection when it
 * is of no more use. what: "SQL_JOB_MOVE", "COMMIT". */
enum fg_code db_link_failed(struct fg_ctx *cx, struct db_impl *im, MYSQL_STMT *st, const char *what);

/* The same for an error that a fault test has wished for: a deadlock, or an answer that never came. */
enum fg_code db_link_faulted(struct fg_ctx *cx, struct db_impl *im, enum fault_way way, const char *what);

#endif
