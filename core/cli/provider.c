/* filmgate provider: what is known of each, and the operator's hand on it. */
#include <stdio.h>

#include "base/time.h"
#include "cli/cli.h"
#include "job/standing.h"

struct desk {
    const struct catalogue *catalogue;
    struct db *db;
};

static enum fg_code sit_down(struct fg_ctx *cx, const struct conf *conf, struct desk *d)
{
    enum fg_code rc = catalogue_load(cx, conf, &d->catalogue);
    if (rc != FG_OK)
        return rc;
    rc = cli_db(cx, conf, &d->db);
    if (rc != FG_OK)
        catalogue_drop(d->catalogue);
    return rc;
}

static void get_up(struct desk *d)
{
    db_close(d->db);
    catalogue_drop(d->catalogue);
}

static enum fg_code known(struct fg_ctx *cx, const struct desk *d, struct fg_str name)
{
    return catalogue_provider(d->catalogue, name)
               ? FG_OK
               : fg_fail(cx, FG_NOT_FOUND, "The catalogue has no provider %.*s", FG_P(name));
}

enum fg_code cli_provider_pause(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct desk d;
    struct fg_str name = fg_str_c(argv[0]);
    (void)argc;
    enum fg_code rc = sit_down(cx, conf, &d);
    if (rc != FG_OK)
        return rc;
    rc = known(cx, &d, name);
    if (rc == FG_OK)
        rc = db_run(cx, d.db, SQL_PROVIDER_PAUSE, DB_ARGS(DB(name), DB(cx->now_us), DB(cx->now_us)));
    if (rc == FG_OK)
        printf("%.*s gets no new jobs within a second; what runs there goes on\n", FG_P(name));
    get_up(&d);
    return rc;
}

enum fg_code cli_provider_resume(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct desk d;
    struct fg_str name = fg_str_c(argv[0]);
    (void)argc;
    enum fg_code rc = sit_down(cx, conf, &d);
    if (rc != FG_OK)
        return rc;
    rc = known(cx, &d, name);
    if (rc == FG_OK)
        rc = db_run(cx, d.db, SQL_PROVIDER_RESUME, DB_ARGS(DB(name)));
    if (rc == FG_OK)
        printf("%.*s gets jobs again\n", FG_P(name));
    get_up(&d);
    return rc;
}

static void print(struct fg_ctx *cx, const struct standing *s)
{
    printf("%-16.*s %-11s", FG_P(s->provider), standing_name(s->state));
    if (s->why)
        printf(" %s", s->why);
    if (s->since_us)
        printf(" since %.*s", FG_P(time_iso(cx->mem, s->since_us)));
    if (s->until_us)
        printf(" until %.*s", FG_P(time_iso(cx->mem, s->until_us)));
    printf("\n");
}

enum fg_code cli_provider_list(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct desk d;
    struct standing *row;
    size_t n;
    (void)argc, (void)argv;
    enum fg_code rc = sit_down(cx, conf, &d);
    if (rc != FG_OK)
        return rc;
    rc = standing_read(cx, d.db, d.catalogue, &row, &n);
    for (size_t i = 0; rc == FG_OK && i < n; i++)
        print(cx, &row[i]);
    get_up(&d);
    return rc;
}
