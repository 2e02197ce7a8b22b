/* The accept loop of a FastCGI pool process, shared by filmgate-api, filmgate-hook and
 * filmgate-studio. */
#ifndef FG_FCGI_LOOP_H
#define FG_FCGI_LOOP_H

#include "web.h"

/* Serves the listening socket on descriptor 0, one request at a time, until SIGTERM, SIGUSR1 or
 * SIGUSR2; the request in hand is finished. Returns the exit status: 0, or 1 when the socket is of
 * no use. boot gives the environment; each request has its own context and arena. */
int web_loop(struct fg_ctx *boot, struct web_app *app);

#endif
