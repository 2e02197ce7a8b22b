/* Pictures from strangers: what they are by their first bytes, how large they would be, and how they are made anew.
 * Pure, but for the programs that the calls name: those are run by the caller, in the event loop or at once. They are in
 * jail, so that the caller shows them what they read and lends them what they write (io/child.h). */
#ifndef FG_MEDIA_IMAGE_H
#define FG_MEDIA_IMAGE_H

#include "base/conf.h"
#include "io/child.h"

#define IMAGE_PROGRAM "/usr/bin/vips" /* and vipsheader beside it: libvips-tools */

/* Stored in rows: never renumber. */
enum image_type { IMAGE_OTHER = 0, IMAGE_PNG = 1, IMAGE_JPEG = 2, IMAGE_WEBP = 3 };

/* By its first bytes: what a sender calls it proves nothing. IMAGE_OTHER: none that we take. */
#define IMAGE_MAGIC_BYTES 16 /* as many are enough */
enum image_type image_type(struct fg_str bytes);
/* "image/png", ".png"; FG_NONE and NULL of none. */
struct fg_str image_mime(enum image_type type);
const char *image_suffix(enum image_type type);

#define IMAGE_SIDE_MAX 65535 /* of one that is decoded */
#define IMAGE_BYTES_MAX (32 * (int64_t)FG_MIB) /* of one that was made anew */

struct image_facts {
    int64_t width, height;
};

/* What its header says, without decoding it. path: absolute. */
void image_header_call(struct fg_ctx *cx, const struct conf *conf, const char *path, struct child_call *out);
/* Reads what that program printed. FG_IMAGE_INVALID, with words: another type than its first bytes say, no size, more
 * pixels than are decoded, or a side that is shorter than media.upload_side_min. */
enum fg_code image_header_read(struct fg_ctx *cx, const struct conf *conf, struct fg_str printed, enum image_type type,
                               struct image_facts *out) FG_MUST_CHECK;
/* The same picture as a file of the same type that holds nothing else: upright, in sRGB, no side longer than
 * media.upload_side. What is cut off or broken makes the program fail. */
void image_make_call(struct fg_ctx *cx, const struct conf *conf, const char *from, const char *to, enum image_type type,
                     struct child_call *out);
/* A small JPEG of one that was made anew. */
void image_thumb_call(struct fg_ctx *cx, const struct conf *conf, const char *from, const char *to,
                      struct child_call *out);

#endif
