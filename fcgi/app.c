#include "app.h"

#include <unistd.h>

#include "auth.h"
#include "base/arena.h"
#include "base/log.h"
#include "job/wake.h"
#include "problem.h"
#include "routes.h"

static enum fg_code open_db(struct fg_ctx *boot, struct web_app *app)
{
    enum fg_code rc = db_open(boot, &app->db, app->conf, DB_WEB);
    if (rc != FG_DB_LOST)
        return rc;
    log_err(boot, "web.database_away", fg_str_c(app->program));
    return FG_OK;
}

enum fg_code app_open(struct fg_ctx *boot, const struct conf *conf, const char *program,
                      struct web_app **out)
{
    struct web_app *app = arena_new_of(boot->mem, struct web_app);
    struct catalogue *catalogue = arena_new_of(boot->mem, struct catalogue);
    bool is_hook = strcmp(program, "hook") == 0;
    *app = (struct web_app){ .program = program,
                             .routes = is_hook ? &routes_hook : &routes_api,
                             .authorize = auth_identify,
                             .error = problem_write,
                             .conf = conf,
                             .catalogue = catalogue,
                             .wake_fd = -1 };
    enum fg_code rc = account_pepper(boot, conf, app->pepper);
    if (rc == FG_OK)
        rc = catalogue_load(boot, conf, catalogue);
    if (rc == FG_OK)
        rc = open_db(boot, app);
    if (rc != FG_OK)
        return rc;
    app->keys = account_cache_new(conf->auth_key_cache_ms * FG_US_PER_MS);
    app->wake_fd = wake_open();
    *out = app;
    return FG_OK;
}

void app_close(struct web_app *app)
{
    account_cache_free(app->keys);
    db_close(app->db);
    if (app->wake_fd >= 0)
        close(app->wake_fd);
    explicit_bzero(app->pepper, sizeof app->pepper);
}
