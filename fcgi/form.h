/* multipart/form-data (RFC 7578) of a whole, bounded body in memory. Values point into the body. */
#ifndef FG_FCGI_FORM_H
#define FG_FCGI_FORM_H

#include "base/ctx.h"

#define FORM_PARTS_MAX 40

struct form_part {
    struct fg_str name;
    struct fg_str filename; /* p NULL: an ordinary field */
    struct fg_str value;    /* any bytes */
};

/* True for "multipart/form-data" with a usable boundary, which goes to *boundary. */
bool form_boundary(struct fg_str content_type, struct fg_str *boundary);

/* FG_INVALID_REQUEST when the body is not well formed, or has more than FORM_PARTS_MAX parts. */
enum fg_code form_parse(struct fg_ctx *cx, struct fg_str boundary, struct fg_str body,
                        struct form_part part[FORM_PARTS_MAX], size_t *n) FG_MUST_CHECK;

#endif
