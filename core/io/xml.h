/* libexpat, for the small answers of services: it has met every hostile document there is, and limits what entities may
 * grow to. Nobody else includes expat.h. */
#ifndef FG_IO_XML_H
#define FG_IO_XML_H

#include "base/ctx.h"

#define XML_DEPTH_MAX 8
#define XML_PATH_MAX 256
#define XML_TEXT_MAX 4096

/* At the end of each element: where it is ("/ListBucketResult/Contents/Key", without namespaces) and its own text, valid
 * during the call. */
typedef void xml_element(void *arg, const char *path, struct fg_str text);

/* FG_INVALID_REQUEST with words when it is not well-formed, has a DOCTYPE, or is over a limit above; some elements may
 * have been told by then. */
enum fg_code xml_read(struct fg_ctx *cx, struct fg_str text, xml_element *told, void *arg) FG_MUST_CHECK;

#endif
