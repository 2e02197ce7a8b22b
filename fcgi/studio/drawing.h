/* One claimed video on its way: its image fetched, ffmpeg run, its files put in place, its end
 * written down. */
#ifndef FG_STUDIO_DRAWING_H
#define FG_STUDIO_DRAWING_H

#include <poll.h>

#include "io/fetch.h"
#include "studio/render.h"

#define DRAWING_LEASE_US (20 * FG_US_PER_S)
#define DRAWING_FDS 2

/* What all drawings of a worker share. cx is of the current turn; its caller sets it. */
struct drawing_world {
    struct fg_ctx *cx;
    struct db *db;
    struct fetcher *fetcher;
    const struct conf *conf;
    const struct font *font;
};

struct drawing; /* owns everything of one video, memory too */

/* A claimed row; it is copied. */
struct drawing *drawing_new(struct drawing_world *w, const struct video *v, struct fg_str owner);

/* Does what can be done now. False: it is over, in the books too, and was freed. */
bool drawing_step(struct drawing *d);
/* Stops it, puts the video back into the queue, frees. Only after fetcher_close: a running fetch
 * holds the drawing's address. */
void drawing_stop(struct drawing *d);

/* What to poll for, at most DRAWING_FDS; returns how many. *wake_mono_us is lowered to when
 * drawing_step must be called at the latest. */
unsigned drawing_watch(const struct drawing *d, struct pollfd fds[DRAWING_FDS],
                       int64_t *wake_mono_us);

#endif
