/* filmgate-api and filmgate-hook: the same objects, told apart by the program's name, so that a
 * flood of callbacks cannot starve the API. Started by spawn-fcgi or systemd with the listening
 * socket as descriptor 0. */
#include <stdio.h>

#include "app.h"
#include "base/arena.h"
#include "base/env.h"
#include "base/log.h"
#include "io/child.h"
#include "loop.h"

static bool is_hook(const char *name)
{
    const char *slash = strrchr(name, '/');
    return strcmp(slash ? slash + 1 : name, "filmgate-hook") == 0;
}

int main(int argc, char **argv)
{
    if (argc != 1) {
        fprintf(stderr,
                "usage: %s (no arguments; a FastCGI listening socket as standard input; "
                "the configuration's path in FILMGATE_CONF)\n",
                argv[0]);
        return 2;
    }
    struct fg_ctx boot = { .mem = arena_new(), .env = env_real() };
    struct conf conf;
    struct web_app *app;
    ctx_tick(&boot);
    int status = 1;
    bool hook = is_hook(argv[0]);
    enum fg_code rc = conf_load(&boot, &conf, NULL);
    if (rc == FG_OK && !hook) /* it takes pictures */
        rc = child_jail_open(&boot, &conf);
    if (rc == FG_OK)
        rc = app_open(&boot, &conf, hook ? "hook" : "api", &app);
    if (rc == FG_OK) {
        status = web_loop(&boot, app);
        app_close(app);
    } else {
        log_err(&boot, "web.cannot_start", fg_str_c(argv[0]));
    }
    arena_free(boot.mem);
    return status;
}
