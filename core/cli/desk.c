/* What the commands share. */
#include "base/arena.h"
#include "cli/cli.h"
#include "job/clock.h"

const char *cli_option(int argc, char **argv, const char *name)
{
    int i = 0;
    while (i < argc && strncmp(argv[i], "--", 2) != 0)
        i++;
    for (; i + 1 < argc; i += 2) /* in pairs: a value may look like an option */
        if (strcmp(argv[i], name) == 0)
            return argv[i + 1];
    return NULL;
}

enum fg_code cli_db(struct fg_ctx *cx, const struct conf *conf, struct db **out)
{
    struct clock *c = arena_new_of(cx->mem, struct clock);
    struct db *db = NULL;
    int64_t moved_us;
    enum fg_code rc = db_open(cx, &db, conf, DB_CLI);
    if (rc != FG_OK) {
        db_close(db);
        return rc;
    }
    /* What it writes is by the books' time, should that have jumped with no sweeper to see it. */
    clock_open(c, cx->env, &clock_cli);
    (void)clock_turn(cx, c, db, &moved_us);
    cx->env = &c->env;
    ctx_tick(cx);
    *out = db;
    return FG_OK;
}
