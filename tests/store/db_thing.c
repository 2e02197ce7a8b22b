#include "store/db_thing.h"

static const struct db_col n_cols[] = {
    COL(struct thing, id), COL(struct thing, n), COL(struct thing, flag), COL(struct thing, words),
    COL(struct thing, bytes), COL(struct thing, code),
};

void thing_script(struct thing_world *w, struct fg_str sql)
{
    struct db *bare;
    CHECK_CODE(w->cx, db_open(w->cx, &bare, &w->conf, DB_NONE), FG_OK);
    CHECK_CODE(w->cx, db_script(w->cx, bare, sql), FG_OK);
    db_close(bare);
}

struct db *thing_open(struct thing_world *w)
{
    struct db *db;
    CHECK_CODE(w->cx, db_open(w->cx, &db, &w->conf, DB_WEB), FG_OK);
    return db;
}

void thing_begin(struct thing_world *w)
{
    db_server_start();
    db_server_begin(&w->t, &w->conf);
    w->cx = &w->t.cx;
    thing_script(w, arena_fmt(w->cx->mem, "CREATE DATABASE %.*s CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;"
        "USE %.*s;"
        "CREATE TABLE thing (id BIGINT NOT NULL PRIMARY KEY, n INT NOT NULL, flag TINYINT NOT NULL DEFAULT 0,"
        " words VARCHAR(10) NULL, bytes VARBINARY(300) NULL,"
        " code VARCHAR(20) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL, UNIQUE KEY thing_code (code),"
        " CONSTRAINT thing_n CHECK (n > -100)) ENGINE=InnoDB;"
        "CREATE TABLE numbered (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, n INT NOT NULL) ENGINE=InnoDB;",
        FG_P(w->conf.db_name), FG_P(w->conf.db_name)));
    w->db = thing_open(w);
}

void thing_end(struct thing_world *w, unsigned expected_error_lines)
{
    db_close(w->db);
    t_end(&w->t, expected_error_lines);
}

void thing_put(struct thing_world *w, int64_t id, int n)
{
    CHECK_CODE(w->cx, db_run(w->cx, w->db, SQL_PUT,
               DB_ARGS(DB(id), DB(n), DB(false), DB_NULL, DB_NULL, DB_NULL)), FG_OK);
}

int thing_n(struct thing_world *w, struct db *db, int64_t id)
{
    struct thing row = { .n = -1 };
    bool found;
    CHECK_CODE(w->cx, db_one(w->cx, db, SQL_GET, DB_ARGS(DB(id)), DB_COLS(n_cols), &row, &found), FG_OK);
    return row.n;
}
