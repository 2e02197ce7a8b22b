/* The prompt as lines that fit into the picture. */
#ifndef FG_STUDIO_WORDS_H
#define FG_STUDIO_WORDS_H

#include "studio/font.h"

#define WORDS_LINES_MAX 8

struct words {
    int size_px; /* of the font */
    size_t n;    /* 0: nothing in the prompt can be drawn */
    struct fg_str line[WORDS_LINES_MAX];
};

/* The largest size at which all words fit into about four fifths of the width and half of the
 * height; a prompt too long for the smallest legible size is cut with an ellipsis. What the font
 * lacks (emoji, mostly), controls and marks of direction are left out. prompt must be valid UTF-8.
 */
void words_layout(struct fg_ctx *cx, const struct font *f, struct fg_str prompt, int width,
                  int height, struct words *out);

#endif
