/* filmgate-studio --worker: takes queued videos by lease, has ffmpeg render them, tells who asked.
 * Any number may run. A worker that dies leaves rows whose leases end; one that is stopped puts
 * them back at once. */
#ifndef FG_STUDIO_WORKER_H
#define FG_STUDIO_WORKER_H

#include "base/conf.h"
#include "base/ctx.h"

/* Runs until SIGTERM or SIGINT. Returns the exit status. boot lives as long as the program. */
int worker_run(struct fg_ctx *boot, const struct conf *conf);

#endif
