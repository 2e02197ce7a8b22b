/* filmgate-studio: the embedded provider. Without arguments a FastCGI pool process (listening
 * socket as descriptor 0); with --worker the program that renders. Both read the configuration
 * named by FILMGATE_CONF. */
#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/log.h"
#include "loop.h"
#include "studio/api.h"
#include "studio/books.h"
#include "studio/files.h"
#include "studio/poke.h"
#include "studio/worker.h"

static int pool_run(struct fg_ctx *boot, const struct conf *conf)
{
    struct api_own own = { .poke_fd = poke_open() };
    struct clock clock;
    struct web_app app = { .program = "studio",
                           .routes = &api_routes,
                           .authorize = api_authorize,
                           .error = api_error,
                           .conf = conf,
                           .clock = &clock,
                           .wake_fd = -1,
                           .own = &own };
    int status = 1;
    clock_open(&clock, boot->env, &books_clock_pool);
    enum fg_code rc = files_setup(boot, conf);
    if (rc == FG_OK)
        rc = db_open(boot, &app.db, conf, DB_STUDIO);
    if (rc == FG_DB_LOST) { /* requests answer 503 until it is back */
        log_err(boot, "web.database_away", FG_LIT("studio"));
        rc = FG_OK;
    }
    if (rc == FG_OK)
        status = web_loop(boot, &app);
    else
        log_err(boot, "web.cannot_start", FG_LIT("studio"));
    db_close(app.db);
    if (own.poke_fd >= 0)
        close(own.poke_fd);
    return status;
}

int main(int argc, char **argv)
{
    bool worker = argc == 2 && strcmp(argv[1], "--worker") == 0;
    if (argc != 1 && !worker) {
        fprintf(stderr, "usage: %s [--worker] (the configuration's path in FILMGATE_CONF)\n",
                argv[0]);
        return 2;
    }
    struct fg_ctx boot = { .mem = arena_new(), .env = env_real() };
    struct conf *conf = arena_new_of(boot.mem, struct conf);
    int status = 1;
    ctx_tick(&boot);
    if (conf_load(&boot, conf, NULL) == FG_OK)
        status = worker ? worker_run(&boot, conf) : pool_run(&boot, conf);
    else
        log_err(&boot, "studio.cannot_start", FG_NONE);
    arena_free(boot.mem);
    return status;
}
