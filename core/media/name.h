/* The name that a file is kept by: made of the words that it was asked for with. */
#ifndef FG_MEDIA_NAME_H
#define FG_MEDIA_NAME_H

#include "base/ctx.h"

/* A Content-Disposition (RFC 6266): "a-red-kite-over-dunes.mp4". Letters and digits of any script stay, all else
 * becomes one dash; ASCII alone in the name that old clients read. words FG_NONE, or without a letter: instead. */
struct fg_str name_disposition(struct fg_ctx *cx, struct fg_str words, struct fg_str instead, const char *suffix,
                               bool attachment);

#endif
