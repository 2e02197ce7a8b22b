/* A reference image for providers that do not fetch it themselves: fetched by us, under the guard that all foreign
 * addresses get, and handed over first where they want that. Nothing here costs money. */
#include "base/arena.h"
#include "base/fault.h"
#include "sweeper/sweep.h"

#define IMAGE_BYTES_MAX (10 * (int64_t)FG_MIB)
#define UPLOAD_REPLY_MAX (64 * FG_KIB)

struct preparing {
    prepared *ready;
    not_prepared *failed;
};

static void fail(struct task *t, enum submit_outcome how, struct fg_str words)
{
    t->preparing->failed(t, how, words);
}

/* An answer that would be the same another time; anything else says nothing of the picture. */
static enum submit_outcome outcome_of(const struct fetch_reply *r)
{
    bool moody = r->end == FETCH_ANSWERED && (r->status >= 500 || r->status == 408 || r->status == 429);
    bool silent = r->end == FETCH_NOT_SENT || r->end == FETCH_UNKNOWN;
    return moody || silent ? SUBMIT_NOT_SENT : SUBMIT_REFUSED;
}

bool prepare_needed(const struct task *t)
{
    return t->work.job.image_url.n && t->adapter->image_by != IMAGE_BY_URL;
}

/* By its first bytes: what a server calls it proves nothing, and a provider would refuse what it is not. */
static struct fg_str image_type(struct fg_str b)
{
    static const struct {
        struct fg_str magic, type;
    } known[] = {
        { { "\x89PNG\r\n\x1a\n", 8 }, { "image/png", 9 } },
        { { "\xff\xd8\xff", 3 }, { "image/jpeg", 10 } },
    };
    for (size_t i = 0; i < FG_LEN(known); i++)
        if (fg_starts(b, known[i].magic))
            return known[i].type;
    bool webp = b.n > 12 && fg_starts(b, FG_LIT("RIFF")) && memcmp(b.p + 8, "WEBP", 4) == 0;
    return webp ? FG_LIT("image/webp") : FG_NONE;
}

static void uploaded(void *arg, const struct fetch_reply *r)
{
    struct task *t = arg;
    struct preparing *p = t->preparing;
    t->adapter->upload_reply(&t->cx, r, &t->image_name);
    FG_CRASH_POINT("prepare.uploaded");
    if (t->image_name.n)
        p->ready(t);
    else
        fail(t, outcome_of(r), FG_LIT("the provider did not take the reference image"));
}

static void upload(struct task *t)
{
    struct gen_spec spec;
    struct fetch_call call;
    task_spec(t, &spec);
    if (!task_ok(t, t->adapter->upload_call(&t->cx, &t->provider->site, &spec, &call), "prepare.upload_failed")) {
        fail(t, SUBMIT_REFUSED, FG_LIT("the reference image does not fit the provider's request"));
        return;
    }
    call.timeout_ms = t->s->env.conf->sweeper_call_timeout_s * 1000;
    call.max_bytes = UPLOAD_REPLY_MAX;
    task_call(t, &call, uploaded);
}

static void fetched(void *arg, const struct fetch_reply *r)
{
    struct task *t = arg;
    struct preparing *p = t->preparing;
    FG_CRASH_POINT("prepare.fetched");
    bool here = r->end == FETCH_ANSWERED && r->status == 200;
    t->image_type = here ? image_type(r->body) : FG_NONE;
    if (!t->image_type.p) {
        fail(t, here ? SUBMIT_REFUSED : outcome_of(r),
             here ? FG_LIT("the reference image is no PNG, JPEG or WebP") : arena_str(t->cx.mem, r->words));
        return;
    }
    t->image_bytes = arena_str(t->cx.mem, r->body);
    if (t->adapter->image_by == IMAGE_BY_UPLOAD)
        upload(t);
    else
        p->ready(t);
}

void prepare_image(struct task *t, prepared *ready, not_prepared *failed)
{
    struct fetch_call call = fetch_call_init("GET", t->work.job.image_url);
    t->preparing = arena_new_of(t->cx.mem, struct preparing);
    *t->preparing = (struct preparing){ ready, failed };
    call.plain_http = true;
    call.redirects = 3;
    call.timeout_ms = t->s->env.conf->sweeper_call_timeout_s * 1000;
    call.max_bytes = IMAGE_BYTES_MAX;
    task_fetch(t, &call, fetched);
}
