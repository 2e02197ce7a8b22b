/* What a TrueType or OpenType font can draw and how wide: enough of cmap and hmtx to break a prompt
 * into lines and to leave out what would come out as empty boxes. */
#ifndef FG_STUDIO_FONT_H
#define FG_STUDIO_FONT_H

#include "base/ctx.h"

struct font {
    struct fg_str data; /* the whole file */
    struct fg_str cmap; /* one subtable, format 4 or 12 */
    struct fg_str hmtx;
    unsigned em, metrics; /* units per em; entries in hmtx */
};

/* Reads the file into cx->mem. FG_CONFIG when it is no font that we can read, or when its path
 * could mean something in an ffmpeg filter graph. */
enum fg_code font_open(struct fg_ctx *cx, struct font *out, struct fg_str path) FG_MUST_CHECK;

/* The advance in thousandths of an em; -1: the font has no such character. */
int font_advance(const struct font *f, uint32_t cp);

#endif
