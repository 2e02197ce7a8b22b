/* One video as a call of ffmpeg: the same prompt, seed, size and length give the same bytes. Pure
 * but for the lines' text files, which keep the prompt out of ffmpeg's own languages. */
#ifndef FG_STUDIO_RENDER_H
#define FG_STUDIO_RENDER_H

#include "base/conf.h"
#include "io/child.h"
#include "studio/books.h"
#include "studio/font.h"

#define RENDER_FPS 24
#define RENDER_VIDEO "video.mp4" /* what it leaves in dir */
#define RENDER_POSTER "poster.webp"

/* Fills *call; writes the text files into dir (exists, empty). image: absolute path of the
 * reference image or FG_NONE; its name's end tells the type. Everything lives in cx->mem. */
enum fg_code render_plan(struct fg_ctx *cx, const struct conf *conf, const struct font *font,
                         const struct video *v, struct fg_str dir, struct fg_str image,
                         struct child_call *call) FG_MUST_CHECK;

/* ffmpeg's -progress output, as it comes in pieces. */
struct render_progress {
    char line[64];
    size_t n;
    bool skip;      /* the line is longer than any we know */
    int64_t out_us; /* how much of the video is written */
};
void render_progress_feed(struct render_progress *p, struct fg_str bytes);
/* 0..99: 100 is said when the file is in its place. */
int render_progress_percent(const struct render_progress *p, int seconds);

#endif
