/* Opaque, unguessable ids: a prefix and 26 characters of Crockford's base 32 (16 random bytes). */
#ifndef FG_BASE_ID_H
#define FG_BASE_ID_H

#include "base/ctx.h"

#define ID_BODY 26

/* "job_" + 26 characters, in the context's arena. */
struct fg_str id_new(struct fg_ctx *cx, struct fg_str prefix);
/* A random UUID (version 4) in canonical lower-case form, for services that want one. */
struct fg_str id_uuid(struct fg_ctx *cx);
/* The form only: prefix, length, alphabet. */
bool id_valid(struct fg_str id, struct fg_str prefix);

#endif
