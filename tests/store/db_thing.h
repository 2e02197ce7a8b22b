/* The table that the tests of db.c work on, and one row of it. */
#ifndef FG_TESTS_DB_THING_H
#define FG_TESTS_DB_THING_H

#include "store/db_server.h"

struct thing {
    int64_t id;
    int n;
    bool flag;
    struct fg_str words, bytes, code;
};

struct thing_world {
    struct t_world t;
    struct fg_ctx *cx;
    struct conf conf;
    struct db *db;
};

/* A schema with an empty table, and a connection to it. */
void thing_begin(struct thing_world *w);
void thing_end(struct thing_world *w, unsigned expected_error_lines);

void thing_put(struct thing_world *w, int64_t id, int n);
/* Through this connection; -1 when there is no such row. */
int thing_n(struct thing_world *w, struct db *db, int64_t id);
/* Runs text on a connection that prepares nothing. */
void thing_script(struct thing_world *w, struct fg_str sql);
struct db *thing_open(struct thing_world *w);

#endif
