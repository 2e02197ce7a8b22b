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

static enum fg_code turn(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv, enum standing_turn turn,
                         const char *words)
{
    struct desk d;
    struct action a = { .actor = ACTION_OPERATOR, .reason = fg_str_c(cli_option(argc, argv, "--reason")) };
    enum fg_code rc = cli_reason_check(cx, a.reason);
    if (rc == FG_OK)
        rc = sit_down(cx, conf, &d);
    if (rc != FG_OK)
        return rc;
    rc = standing_turn(cx, d.db, d.catalogue, fg_str_c(argv[0]), turn, &a);
    if (rc == FG_OK)
        printf("%s %s\n", argv[0], words);
    get_up(&d);
    return rc;
}

enum fg_code cli_provider_pause(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    return turn(cx, conf, argc, argv, STANDING_TURN_PAUSE, "gets no new jobs within a second; what runs there goes on");
}

enum fg_code cli_provider_resume(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    return turn(cx, conf, argc, argv, STANDING_TURN_RESUME, "gets jobs again");
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
