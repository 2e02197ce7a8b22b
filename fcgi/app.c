#include "app.h"

#include <time.h>
#include <unistd.h>

#include "auth.h"
#include "base/arena.h"
#include "base/log.h"
#include "job/clock.h"
#include "job/job.h"
#include "job/wake.h"
#include "media/store.h"
#include "problem.h"
#include "routes.h"

#define WEATHER_AGAIN_US (10 * FG_US_PER_S)
#define BRAKES_AGAIN_US (2 * FG_US_PER_S)
#define LOOK_AGAIN_US FG_US_PER_S

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
    bool is_hook = strcmp(program, "hook") == 0;
    *app = (struct web_app){ .program = program,
                             .routes = is_hook ? &routes_hook : &routes_api,
                             .authorize = auth_identify,
                             .error = problem_write,
                             .conf = conf,
                             .wake_fd = -1 };
    enum fg_code rc = account_pepper(boot, conf, app->pepper);
    if (rc == FG_OK)
        rc = catalogue_load(boot, conf, &app->catalogue);
    if (rc == FG_OK)
        rc = open_db(boot, app);
    if (rc != FG_OK) {
        catalogue_drop(app->catalogue);
        return rc;
    }
    app->keys = account_cache_new(conf->auth_key_cache_ms * FG_US_PER_MS);
    app->clock = arena_new_of(boot->mem, struct clock);
    clock_open(app->clock, boot->env, &clock_web);
    app->wake_fd = wake_open();
    *out = app;
    return FG_OK;
}

void app_close(struct web_app *app)
{
    account_cache_free(app->keys);
    db_close(app->db);
    catalogue_drop(app->catalogue);
    if (app->weather_mem)
        arena_free(app->weather_mem);
    if (app->brakes_mem)
        arena_free(app->brakes_mem);
    if (app->wake_fd >= 0)
        close(app->wake_fd);
    explicit_bzero(app->pepper, sizeof app->pepper);
}

/* Only for estimates: when it cannot be read, what was read before is as good. */
static void renew_weather(struct fg_ctx *cx, struct web_app *app, int64_t now_us)
{
    if (strcmp(app->program, "api") != 0 || now_us < app->weather_look_us)
        return;
    app->weather_look_us = now_us + WEATHER_AGAIN_US;
    struct fg_ctx own = { .mem = arena_new(), .env = cx->env, .now_us = cx->now_us };
    struct weather *w = arena_new_of(own.mem, struct weather);
    if (weather_read(&own, app->db, w) != FG_OK) {
        arena_free(own.mem);
        return;
    }
    if (app->weather_mem)
        arena_free(app->weather_mem);
    app->weather_mem = own.mem;
    app->weather = w;
}

/* The same of brakes, which come and go faster. */
static void renew_brakes(struct fg_ctx *cx, struct web_app *app, int64_t now_us)
{
    if (strcmp(app->program, "api") != 0 || !brake_is_set(app->conf) || now_us < app->brakes_look_us)
        return;
    app->brakes_look_us = now_us + BRAKES_AGAIN_US;
    struct fg_ctx own = { .mem = arena_new(), .env = cx->env, .now_us = cx->now_us };
    struct brakes *b = arena_new_of(own.mem, struct brakes);
    if (brakes_read(&own, app->db, app->conf, b) != FG_OK) {
        arena_free(own.mem);
        return;
    }
    if (app->brakes_mem)
        arena_free(app->brakes_mem);
    app->brakes_mem = own.mem;
    app->brakes = b;
}

void app_tick(struct fg_ctx *cx, struct web_app *app)
{
    int64_t moved_us = 0;
    while (app->clock && !clock_turn(cx, app->clock, app->db, &moved_us))
        (void)nanosleep(&(struct timespec){ .tv_nsec = CLOCK_NAP_US * 1000 }, NULL);
    if (moved_us && app->keys) { /* the ends of sessions are others now */
        account_cache_free(app->keys);
        app->keys = account_cache_new(app->conf->auth_key_cache_ms * FG_US_PER_MS);
    }
    ctx_tick(cx);
}

void app_renew(struct fg_ctx *cx, struct web_app *app)
{
    int64_t now_us = ctx_mono_us(cx);
    bool changed;
    if (!app->catalogue)
        return;
    renew_weather(cx, app, now_us);
    renew_brakes(cx, app, now_us);
    if (now_us < app->catalogue_look_us)
        return;
    app->catalogue_look_us = now_us + LOOK_AGAIN_US;
    if (catalogue_renew(cx, app->conf, &app->catalogue, &changed) != FG_OK)
        log_err(cx, "catalogue.wrong", app->conf->catalogue_file);
    else if (changed)
        fg_log(cx, LOG_INFO, "catalogue.renewed", LOG_I("models", app->catalogue->model_n));
}
