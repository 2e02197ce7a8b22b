#include "media/link.h"

#include "base/arena.h"
#include "base/scan.h"
#include "base/time.h"

static const char *const part_name[] = { [MEDIA_VIDEO] = "video", [MEDIA_POSTER] = "poster",
                                        [MEDIA_IMAGE] = "image", [MEDIA_THUMB] = "thumb" };

static struct fg_str signature(struct fg_ctx *cx, const uint8_t pepper[HASH_LEN],
                               struct fg_str job_id, int64_t account_id, enum media_part part,
                               int64_t exp_s)
{
    uint8_t digest[HASH_LEN];
    struct fg_str account = arena_fmt(cx->mem, "%lld", (long long)account_id);
    struct fg_str exp = arena_fmt(cx->mem, "%lld", (long long)exp_s);
    HASH_KEYED(pepper, HASH_MEDIA_LINK, digest, job_id, account, fg_str_c(part_name[part]), exp);
    return hash_base64url(cx->mem, digest, sizeof digest);
}

struct fg_str link_make(struct fg_ctx *cx, const uint8_t pepper[HASH_LEN], struct fg_str job_id,
                        int64_t account_id, enum media_part part, int64_t exp_us)
{
    int64_t exp_s = exp_us / FG_US_PER_S;
    struct fg_str sig = signature(cx, pepper, job_id, account_id, part, exp_s);
    return arena_fmt(cx->mem, "/media/%.*s/%s?exp=%lld&sig=%.*s", FG_P(job_id), part_name[part],
                     (long long)exp_s, FG_P(sig));
}

int64_t link_expiry_us(int64_t now_us, int64_t life_us)
{
    int64_t life_s = life_us / FG_US_PER_S, now_s = now_us / FG_US_PER_S;
    int64_t step_s = life_s / 4 > 0 ? life_s / 4 : 1;
    return (now_s / step_s * step_s + life_s) * FG_US_PER_S;
}

enum fg_code link_check(struct fg_ctx *cx, const uint8_t pepper[HASH_LEN], struct fg_str job_id,
                        int64_t account_id, enum media_part part, struct fg_str exp,
                        struct fg_str sig)
{
    uint64_t exp_s;
    if (!scan_all_u64(exp, TIME_MAX_US / FG_US_PER_S, &exp_s))
        return fg_fail(cx, FG_LINK_INVALID, "The link has no valid expiry");
    /* The signature first: only who holds a true link may learn that it is over. */
    if (!hash_same(sig, signature(cx, pepper, job_id, account_id, part, (int64_t)exp_s)))
        return fg_fail(cx, FG_LINK_INVALID, "The link's signature does not fit");
    if ((int64_t)exp_s * FG_US_PER_S <= cx->now_us)
        return fg_fail(cx, FG_LINK_INVALID,
                       "The link is over; ask for the job again to get a new one");
    return FG_OK;
}
