/* filmgate plan */
#include "money/plan.h"

#include <stdio.h>

#include "base/arena.h"
#include "cli/cli.h"

static void show_text(const char *name, struct fg_str value, const char *words)
{
    printf("  %-21s %-20.*s %s\n", name, FG_P(value.p ? value : FG_LIT("none")), words);
}

static void show_number(struct fg_ctx *cx, const char *name, int64_t value, const char *words)
{
    show_text(name, value < 0 ? FG_NONE : arena_fmt(cx->mem, "%lld", (long long)value), words);
}

static void show(struct fg_ctx *cx, const struct plan *p)
{
    printf("%.*s\n", FG_P(p->name));
#define T(name, longest, words) show_text(#name, p->name, words);
#define N(name, least, most, words) show_number(cx, #name, p->name, words);
    PLAN_FIELDS(T, N)
#undef T
#undef N
}

enum fg_code cli_plan_list(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct db *db;
    struct plan *rows;
    size_t n;
    (void)argc, (void)argv;
    enum fg_code rc = cli_db(cx, conf, &db);
    if (rc != FG_OK)
        return rc;
    rc = plan_list(cx, db, &rows, &n);
    for (size_t i = 0; rc == FG_OK && i < n; i++)
        printf("%.*s\n", FG_P(rows[i].name));
    db_close(db);
    return rc;
}

enum fg_code cli_plan_show(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct db *db;
    struct plan p;
    (void)argc;
    enum fg_code rc = cli_db(cx, conf, &db);
    if (rc != FG_OK)
        return rc;
    rc = plan_by_name(cx, db, fg_str_c(argv[0]), &p);
    if (rc == FG_OK)
        show(cx, &p);
    db_close(db);
    return rc;
}

enum fg_code cli_plan_create(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct db *db;
    (void)argc;
    enum fg_code rc = cli_db(cx, conf, &db);
    if (rc != FG_OK)
        return rc;
    rc = plan_create(cx, db, fg_str_c(argv[0]));
    if (rc == FG_OK)
        printf("plan %s has no limits yet\n", argv[0]);
    db_close(db);
    return rc;
}

enum fg_code cli_plan_set(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct db *db;
    struct plan p;
    enum fg_code rc = cli_db(cx, conf, &db);
    if (rc != FG_OK)
        return rc;
    rc = plan_by_name(cx, db, fg_str_c(argv[0]), &p);
    for (int i = 1; rc == FG_OK && i < argc; i++)
        rc = plan_set(cx, &p, fg_str_c(argv[i]));
    if (rc == FG_OK)
        rc = plan_put(cx, db, &p);
    if (rc == FG_OK)
        show(cx, &p);
    db_close(db);
    return rc;
}

enum fg_code cli_plan_assign(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct db *db;
    int64_t id;
    (void)argc;
    enum fg_code rc = cli_db_account(cx, conf, argv[0], &db, &id);
    if (rc != FG_OK)
        return rc;
    rc = plan_assign(cx, db, id, fg_str_c(argv[1]));
    if (rc == FG_OK)
        printf("%s has the plan %s from its next job on\n", argv[0], argv[1]);
    db_close(db);
    return rc;
}
