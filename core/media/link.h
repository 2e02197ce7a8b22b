/* Signed, short-lived links: /media/{job}/{video|poster}?exp=…&sig=…, and /media/{upload}/{image|thumb}; keyed BLAKE2b
 * over job or upload, account, part
 * and expiry. */
#ifndef FG_MEDIA_LINK_H
#define FG_MEDIA_LINK_H

#include "io/hash.h"

enum media_part { MEDIA_VIDEO, MEDIA_POSTER, MEDIA_IMAGE, MEDIA_THUMB }; /* of a job; of an upload */

/* A path with query, in the arena. exp_us is rounded down to whole seconds. */
struct fg_str link_make(struct fg_ctx *cx, const uint8_t pepper[HASH_LEN], struct fg_str job_id,
                        int64_t account_id, enum media_part part, int64_t exp_us);
/* The expiry that links of this job get now: constant within a quarter of the life, so that a player's URL and
 * an ETag do not change with every poll. */
int64_t link_expiry_us(int64_t now_us, int64_t life_us);
/* FG_LINK_INVALID when it does not fit or is over. */
enum fg_code link_check(struct fg_ctx *cx, const uint8_t pepper[HASH_LEN], struct fg_str job_id,
                        int64_t account_id, enum media_part part, struct fg_str exp, struct fg_str sig)
    FG_MUST_CHECK;

#endif
