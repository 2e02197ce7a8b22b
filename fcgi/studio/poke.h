/* The hint to the worker that a video is waiting: an empty datagram. Losing it costs a tick, never
 * a video. */
#ifndef FG_STUDIO_POKE_H
#define FG_STUDIO_POKE_H

#include "base/conf.h"

/* A socket to send from, or -1. */
int poke_open(void);
/* Never blocks, never fails. */
void poke_send(struct fg_ctx *cx, const struct conf *conf, int fd);
/* The worker's end, or -1 (it then only ticks). A second worker takes the name over; both render.
 */
int poke_listen(struct fg_ctx *cx, const struct conf *conf);
/* Reads all hints that came; true when there was one. */
bool poke_take(int fd);

#endif
