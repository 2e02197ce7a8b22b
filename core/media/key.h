/* Names of stored files, the same in every store: "ab/OWNER-DICE.suffix", where "ab" are the first characters of the
 * owner's random part: all files of one owner are together, and those of all are spread. The dice are new each time: no
 * file is ever written over another. */
#ifndef FG_MEDIA_KEY_H
#define FG_MEDIA_KEY_H

#include "base/ctx.h"

#define KEY_SHARD 2

struct fg_str key_new(struct fg_ctx *cx, struct fg_str owner, const char *suffix);
/* "ab"; owner is an id of ours ("job_…"). */
struct fg_str key_shard(struct fg_str owner);
/* What all names of the owner begin with: "ab/OWNER-". */
struct fg_str key_prefix(struct fg_ctx *cx, struct fg_str owner);
/* Names come from rows: whatever a row says, nothing outside the store is touched. */
bool key_valid(struct fg_str name);
/* FG_IO: a row has what is no name. */
enum fg_code key_check(struct fg_ctx *cx, struct fg_str name) FG_MUST_CHECK;

#endif
