/* Links that an owner gives away: /media/shared/{token}/{part} works without a key until it ends or is revoked. */
#ifndef FG_JOB_SHARE_H
#define FG_JOB_SHARE_H

#include "job/job.h"

#define SHARE_ID FG_LIT("share_")
#define SHARE_TOKEN FG_LIT("sh_")
#define SHARE_LIFE_S 604800          /* where nobody says */
#define SHARE_LIFE_MIN_S 60
#define SHARE_LIFE_MAX_S 31536000
#define SHARES_MAX 100               /* of one job, at a time */

struct share {
    struct fg_str public_id;
    int64_t created_us, expires_us;
    struct fg_str token;             /* known only to share_create */
};

/* All three: FG_NOT_FOUND when the job is none of theirs. Create: FG_JOB_NOT_FINISHED when it has no file (yet), FG_GONE,
 * FG_PLAN_LIMIT when it has SHARES_MAX. */
enum fg_code share_create(struct fg_ctx *cx, struct job_env *env, const struct identity *who, struct fg_str job_id,
                          int64_t life_s, struct share *out) FG_MUST_CHECK;
/* Those that work, newest first. */
enum fg_code share_list(struct fg_ctx *cx, struct job_env *env, const struct identity *who, struct fg_str job_id,
                        struct share **row, size_t *n) FG_MUST_CHECK;
/* Twice is fine. */
enum fg_code share_revoke(struct fg_ctx *cx, struct job_env *env, const struct identity *who, struct fg_str job_id,
                          struct fg_str share_id) FG_MUST_CHECK;
/* Where a token leads. */
struct shared {
    struct job job;
    int64_t expires_us;              /* of the link; the file may go earlier */
};
/* FG_LINK_INVALID when it leads nowhere (any more). */
enum fg_code share_follow(struct fg_ctx *cx, struct job_env *env, struct fg_str token, struct shared *out) FG_MUST_CHECK;
/* The same where the video is still to be had: expires_us is when it no longer is. FG_GONE when it was deleted. */
enum fg_code share_see(struct fg_ctx *cx, struct job_env *env, struct fg_str token, struct shared *out) FG_MUST_CHECK;

#endif
