/* A handler process put together: configuration, catalogue, database, key cache. */
#ifndef FG_FCGI_APP_H
#define FG_FCGI_APP_H

#include "web.h"

/* program: "api" or "hook". conf and boot->mem must outlive it. A database that is
 * away is no error (its requests answer 503 until it is back). FG_CONFIG with words. */
enum fg_code app_open(struct fg_ctx *boot, const struct conf *conf, const char *program,
                      struct web_app **out) FG_MUST_CHECK;
void app_close(struct web_app *app);

/* The instant of the request that begins. Should the clock have jumped, it waits, CLOCK_HOLD_US at most, until the books
 * have been moved to the new time. */
void app_tick(struct fg_ctx *cx, struct web_app *app);

/* Between two requests: takes over a catalogue whose file has changed, looking once a second. A file that is wrong is
 * logged once, and the catalogue stays. */
void app_renew(struct fg_ctx *cx, struct web_app *app);

#endif
