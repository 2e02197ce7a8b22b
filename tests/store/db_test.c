/* db.c against a real server: what goes in comes out, what does not fit is refused, and the counts are true. */
#include <fcntl.h>
#include <unistd.h>

#include "store/db_thing.h"

static const struct db_col thing_cols[] = {
    COL(struct thing, id), COL(struct thing, n), COL(struct thing, flag), COL(struct thing, words),
    COL(struct thing, bytes), COL(struct thing, code),
};
static const struct db_col one_i64[] = { { DB_TAG_I64, 0 } };
static const struct db_col one_int[] = { { DB_TAG_INT, 0 } };
static const struct db_col one_str[] = { { DB_TAG_STR, 0 } };

static enum fg_code put(struct thing_world *w, const struct thing *t)
{
    return db_run(w->cx, w->db, SQL_PUT, DB_ARGS(DB(t->id), DB(t->n), DB(t->flag), DB(t->words), DB(t->bytes),
                  DB(t->code)));
}

TEST(values_come_back_as_they_went_in)
{
    const struct {
        struct thing t;
        const char *why;
    } row[] = {
        { { 1, 0, false, FG_NONE, FG_NONE, FG_NONE }, "NULL stays NULL" },
        { { 2, 1, true, FG_LIT(""), FG_LIT(""), FG_LIT("") }, "empty is not NULL" },
        { { INT64_MAX, INT32_MAX, true, FG_LIT("10 letters"), FG_LIT("\0a\0"), FG_LIT("Code") }, "largest" },
        { { INT64_MIN, -99, false, FG_LIT("\U0001F3AC\U0001F1F3 \u05D0\u200F"), FG_LIT("\xff\xfe\0\x80'\\"),
            FG_LIT("code") }, "4-byte characters, right to left, any byte; case counts" },
        { { 5, 5, true, FG_LIT("a "), FG_LIT("a "), FG_LIT("Code ") }, "trailing blanks count" },
    };
    struct thing_world w;
    thing_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        CHECK_CODE(w.cx, put(&w, &row[i].t), FG_OK);
        CHECK_I64(w.db->affected, 1, "one row");
    }
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct thing got;
        bool found;
        CHECK_CODE(w.cx, db_one(w.cx, w.db, SQL_GET, DB_ARGS(DB(row[i].t.id)), DB_COLS(thing_cols), &got, &found),
                   FG_OK);
        CHECK(found, row[i].why);
        CHECK_I64(got.id, row[i].t.id, row[i].why);
        CHECK_I64(got.n, row[i].t.n, row[i].why);
        CHECK_I64(got.flag, row[i].t.flag, row[i].why);
        CHECK_STR(got.words, row[i].t.words, row[i].why);
        CHECK_STR(got.bytes, row[i].t.bytes, row[i].why);
        CHECK_STR(got.code, row[i].t.code, row[i].why);
        CHECK(!got.words.p || got.words.p[got.words.n] == '\0', "NUL-terminated beyond n");
    }
    thing_end(&w, 0);
}

TEST(every_byte_is_found_again_by_its_key)
{
    struct thing_world w;
    char all[256];
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (char)i;
    struct thing t = { .id = 9, .bytes = { all, sizeof all }, .code = FG_LIT("c") };
    int64_t id = 0;
    bool found;
    thing_begin(&w);
    CHECK_CODE(w.cx, put(&w, &t), FG_OK);
    CHECK_CODE(w.cx, db_one(w.cx, w.db, SQL_BY_BYTES, DB_ARGS(DB(t.bytes)), DB_COLS(one_i64), &id, &found), FG_OK);
    CHECK_I64(id, 9, "by its bytes");
    const struct fg_str other[] = { FG_LIT("C"), FG_LIT("c "), FG_LIT("c\0"), FG_LIT("") };
    for (size_t i = 0; i < FG_LEN(other); i++) {
        CHECK_CODE(w.cx, db_one(w.cx, w.db, SQL_BY_CODE, DB_ARGS(DB(other[i])), DB_COLS(one_i64), &id, &found),
                   FG_OK);
        CHECK(!found, "no other text is the same key");
    }
    CHECK_CODE(w.cx, db_one(w.cx, w.db, SQL_BY_CODE, DB_ARGS(DB(FG_LIT("\U0001F3AC"))), DB_COLS(one_i64), &id,
               &found), FG_INTERNAL);
    thing_end(&w, 0);
}

TEST(strict_mode_refuses_what_does_not_fit)
{
    const struct {
        struct thing t;
        enum fg_code want;
        const char *cause;
    } row[] = {
        { { .id = 2, .words = FG_LIT("11 letters!") }, FG_INTERNAL, "words" },
        { { .id = 2, .words = FG_LIT("\xf0\x9f\x8e") }, FG_INTERNAL, "words" },
        { { .id = 2, .code = FG_LIT("\xc3\xa9") }, FG_INTERNAL, "code" },
        { { .id = 2, .n = -100 }, FG_INTERNAL, "thing_n" },
        { { .id = 1 }, FG_DB_DUPLICATE, "PRIMARY" },
        { { .id = 2, .code = FG_LIT("for key 'x'") }, FG_DB_DUPLICATE, "for key 'thing_code'" },
    };
    struct thing_world w;
    thing_begin(&w);
    struct thing first = { .id = 1, .code = FG_LIT("for key 'x'") };
    CHECK_CODE(w.cx, put(&w, &first), FG_OK);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        CHECK_CODE(w.cx, put(&w, &row[i].t), row[i].want);
        CHECK(strstr(w.cx->err.cause, "SQL_PUT: "), "the cause names the statement");
        CHECK(strstr(w.cx->err.cause, row[i].cause), row[i].cause);
        CHECK(!strstr(w.cx->err.cause, "for key 'x'"), "a duplicate's value stays out of the log");
    }
    struct thing *list;
    size_t n;
    static const struct db_col cols[] = { COL(struct thing, id), COL(struct thing, n) };
    CHECK_CODE(w.cx, DB_ALL(w.cx, w.db, SQL_LIST, DB_ARGS(DB(9)), DB_COLS(cols), &list, &n), FG_OK);
    CHECK_I64(n, 1, "nothing was written, whole or cut");
    thing_end(&w, 0);
}

TEST(lists_of_any_length)
{
    struct thing_world w;
    static const struct db_col cols[] = { COL(struct thing, id), COL(struct thing, n) };
    struct thing *list = NULL;
    size_t n = 7;
    thing_begin(&w);
    CHECK_CODE(w.cx, DB_ALL(w.cx, w.db, SQL_LIST, DB_ARGS(DB(9)), DB_COLS(cols), &list, &n), FG_OK);
    CHECK_I64(n, 0, "no rows");
    for (int i = 0; i < 100; i++)
        thing_put(&w, i, 2 * i);
    static const int limit[] = { 1, 15, 16, 17, 64, 100 };
    for (size_t i = 0; i < FG_LEN(limit); i++) {
        CHECK_CODE(w.cx, DB_ALL(w.cx, w.db, SQL_LIST, DB_ARGS(DB(limit[i])), DB_COLS(cols), &list, &n), FG_OK);
        CHECK_I64(n, limit[i], "as many as asked");
        for (int k = 0; k < limit[i]; k++)
            CHECK(list[k].id == k && list[k].n == 2 * k && !list[k].words.p, "in order, the rest zero");
    }
    struct { int64_t count, sum; } s;
    static const struct db_col sums[] = { { DB_TAG_I64, 0 }, { DB_TAG_I64, sizeof(int64_t) } };
    bool found;
    CHECK_CODE(w.cx, db_one(w.cx, w.db, SQL_SUM, DB_NO_ARGS, DB_COLS(sums), &s, &found), FG_OK);
    CHECK_I64(s.sum, 9900, "SUM() is a DECIMAL to the server, a whole number to us");
    thing_end(&w, 0);
}

TEST(counts_tell_new_from_old)
{
    struct thing_world w;
    int n = 0;
    bool found;
    thing_begin(&w);
    CHECK_CODE(w.cx, db_run(w.cx, w.db, SQL_UPSERT, DB_ARGS(DB(1), DB(10))), FG_OK);
    CHECK_I64(w.db->affected, 1, "new");
    CHECK_CODE(w.cx, db_run(w.cx, w.db, SQL_UPSERT, DB_ARGS(DB(1), DB(20))), FG_OK);
    CHECK_I64(w.db->affected, 0, "old");
    for (int i = 0; i < 3; i++) {
        CHECK_CODE(w.cx, db_one(w.cx, w.db, SQL_UPSERT_GET, DB_ARGS(DB(1), DB(30)), DB_COLS(one_int), &n, &found),
                   FG_OK);
        CHECK(found && n == 10, "RETURNING gives the row that is there");
    }
    CHECK_CODE(w.cx, db_run(w.cx, w.db, SQL_ADD, DB_ARGS(DB(0), DB(1))), FG_OK);
    CHECK_I64(w.db->affected, 0, "matched but not changed");
    CHECK_CODE(w.cx, db_run(w.cx, w.db, SQL_NUMBERED, DB_ARGS(DB(1))), FG_OK);
    CHECK_CODE(w.cx, db_run(w.cx, w.db, SQL_NUMBERED, DB_ARGS(DB(1))), FG_OK);
    CHECK_I64(w.db->insert_id, 2, "the AUTO_INCREMENT of this insert");
    thing_end(&w, 0);
}

TEST(results_of_another_type_are_our_mistake_and_harm_nothing)
{
    static const struct {
        enum db_sql sql;
        struct db_col col[1];
        const char *why;
    } row[] = {
        { SQL_FLOAT, { { DB_TAG_I64, 0 } }, "floating point" },
        { SQL_BIG, { { DB_TAG_INT, 0 } }, "too large for an int" },
        { SQL_TEXT, { { DB_TAG_I64, 0 } }, "text as a number" },
        { SQL_BIG, { { DB_TAG_STR, 0 } }, "a number as text" },
    };
    struct thing_world w;
    struct fg_str s = FG_LIT("untouched");
    bool found = false;
    thing_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        CHECK_CODE(w.cx, db_one(w.cx, w.db, row[i].sql, DB_NO_ARGS, DB_COLS(row[i].col), &s, &found), FG_INTERNAL);
        CHECK(strstr(w.cx->err.cause, "column 1"), row[i].why);
        CHECK(fg_eq(s, FG_LIT("untouched")) && !found, "results are untouched on failure");
    }
    thing_put(&w, 1, 1);
    thing_put(&w, 2, 1);
    struct thing t = { .id = 77 };
    static const struct db_col cols[] = { COL(struct thing, id), COL(struct thing, n) };
    CHECK_CODE(w.cx, db_one(w.cx, w.db, SQL_ANY, DB_NO_ARGS, DB_COLS(cols), &t, &found), FG_INTERNAL);
    CHECK_I64(t.id, 77, "two rows where one was expected: neither is taken");
    CHECK_I64(thing_n(&w, w.db, 2), 1, "the connection goes on");
    thing_end(&w, 0);
}

TEST(statements_that_do_not_fit_the_schema_are_named)
{
    static const struct {
        enum db_program program;
        const char *name;
    } row[] = { { DB_SWEEPER, "SQL_NO_TABLE" }, { DB_STUDIO, "SQL_BINDS" }, { DB_CLI, "SQL_COLUMNS" } };
    struct thing_world w;
    struct db *db;
    thing_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        CHECK_CODE(w.cx, db_open(w.cx, &db, &w.conf, row[i].program), FG_CONFIG);
        CHECK(strstr(w.cx->err.detail, row[i].name), row[i].name);
        db_close(db);
    }
    w.conf.db_password = FG_LIT("wrong");
    CHECK_CODE(w.cx, db_open(w.cx, &db, &w.conf, DB_WEB), FG_CONFIG);
    CHECK(strstr(w.cx->err.detail, "db.password"), "says what to look at");
    db_close(db);
    thing_end(&w, 0);
}

TEST(the_session_is_as_agreed)
{
    struct { struct fg_str isolation, zone, mode; int64_t lock_wait; struct fg_str charset; } s;
    static const struct db_col cols[] = { { DB_TAG_STR, 0 }, { DB_TAG_STR, 16 }, { DB_TAG_STR, 32 },
                                          { DB_TAG_I64, 48 }, { DB_TAG_STR, 56 } };
    struct thing_world w;
    bool found;
    thing_begin(&w);
    CHECK_CODE(w.cx, db_one(w.cx, w.db, SQL_SESSION, DB_NO_ARGS, DB_COLS(cols), &s, &found), FG_OK);
    CHECK_IS(s.isolation, "READ-COMMITTED", "claims lock no gaps");
    CHECK_IS(s.zone, "+00:00", "UTC");
    CHECK(strstr(s.mode.p, "STRICT_ALL_TABLES"), "strict");
    CHECK_I64(s.lock_wait, 5, "seconds");
    CHECK_IS(s.charset, "utf8mb4", "all of Unicode");
    thing_end(&w, 0);
}

TEST(no_descriptor_reaches_a_child)
{
    enum { FDS = 64 };
    bool before[FDS];
    for (int fd = 0; fd < FDS; fd++)
        before[fd] = fcntl(fd, F_GETFD) >= 0;
    struct thing_world w;
    thing_begin(&w);
    unsigned ours = 0;
    for (int fd = 0; fd < FDS; fd++) {
        int flags = fcntl(fd, F_GETFD);
        ours += !before[fd] && flags >= 0;
        CHECK(before[fd] || flags < 0 || (flags & FD_CLOEXEC), "close-on-exec");
    }
    CHECK(ours > 0, "the connection was among them");
    thing_end(&w, 0);
}

TEST(only_scripts_hold_several_statements)
{
    struct thing_world w;
    struct fg_str s;
    bool found;
    thing_begin(&w);
    CHECK_CODE(w.cx, db_script(w.cx, w.db, FG_LIT("INSERT INTO thing (id, n) VALUES (1, 1); SELECT 1; "
               "UPDATE thing SET n = 2; SELECT id FROM thing")), FG_OK);
    CHECK_I64(thing_n(&w, w.db, 1), 2, "all of them ran, and their rows are read off");
    CHECK_CODE(w.cx, db_script(w.cx, w.db, FG_LIT("UPDATE thing SET n = 3; UPDATE nowhere SET n = 1; SELECT 1")),
               FG_INTERNAL);
    CHECK(strstr(w.cx->err.cause, "statement 2"), "says which");
    CHECK_CODE(w.cx, db_one(w.cx, w.db, SQL_TEXT, DB_NO_ARGS, DB_COLS(one_str), &s, &found), FG_OK);
    CHECK_IS(s, "x", "the connection goes on");
    thing_end(&w, 0);
}
