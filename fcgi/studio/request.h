/* The body of POST /videos, JSON or multipart/form-data, decoded and checked: all errors at once,
 * each with its parameter's name. */
#ifndef FG_STUDIO_REQUEST_H
#define FG_STUDIO_REQUEST_H

#include "base/conf.h"
#include "studio/books.h"

#define REQUEST_PROMPT_MAX 32000 /* code points */
#define REQUEST_IMAGE_MAX (8 * FG_MIB)
#define REQUEST_BODY_MAX (12 * FG_MIB) /* an image as base64, and the rest */

struct request {
    struct video
        video; /* what the client chose, defaults filled in; seed is drawn when it named none */
    struct fg_str image;    /* bytes of a reference image that came along; p NULL: none */
    const char *image_type; /* "png", "jpg" or "webp" */
};

/* FG_INVALID_REQUEST, FG_INVALID_JSON or FG_MEDIA_TYPE. */
enum fg_code request_decode(struct fg_ctx *cx, const struct conf *conf, struct fg_str content_type,
                            struct fg_str body, struct request *out) FG_MUST_CHECK;

/* "png", "jpg", "webp" by the first bytes, or NULL: nothing else is handed to ffmpeg. */
const char *request_image_type(struct fg_str bytes);

#endif
