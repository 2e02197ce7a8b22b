/* The reference image on its way to a provider, always our own copy: by a link that task_spec signs, or by its bytes,
 * which some want handed over first. Nothing here costs money. */
#include "base/arena.h"
#include "base/fault.h"
#include "job/upload.h"
#include "sweeper/sweep.h"

#define UPLOAD_REPLY_MAX (64 * FG_KIB)

struct preparing {
    prepared *ready;
    not_prepared *failed;
    struct upload_image image;
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
    return job_has_image(&t->work.job);
}

static void handed_over(void *arg, const struct fetch_reply *r)
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

static void hand_over(struct task *t)
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
    task_call(t, WIRE_IMAGE, &call, handed_over);
}

/* Gone is gone; what else there is may be otherwise another time. */
static bool is_here(struct task *t, enum fg_code rc)
{
    if (rc == FG_NOT_FOUND)
        fail(t, SUBMIT_REFUSED, FG_LIT("the reference image has been deleted"));
    else if (!task_ok(t, rc, "prepare.read_failed"))
        fail(t, SUBMIT_NOT_SENT, FG_LIT("the reference image could not be read from the store"));
    return rc == FG_OK;
}

static void got(void *arg, enum fg_code rc)
{
    struct task *t = arg;
    struct preparing *p = t->preparing;
    FG_CRASH_POINT("prepare.read");
    if (!is_here(t, rc))
        return;
    t->image_bytes = p->image.bytes;
    t->image_type = p->image.type;
    if (t->adapter->image_by == IMAGE_BY_UPLOAD)
        hand_over(t);
    else
        p->ready(t);
}

void prepare_image(struct task *t, prepared *ready, not_prepared *failed)
{
    struct fg_str id = t->work.job.upload;
    struct upload u;
    t->preparing = arena_new_of(t->cx.mem, struct preparing);
    *t->preparing = (struct preparing){ .ready = ready, .failed = failed };
    if (t->adapter->image_by != IMAGE_BY_URL)
        upload_image_get(&t->cx, t->s->env.db, &t->s->store, id, &t->preparing->image, got, t);
    else if (is_here(t, upload_by_id(&t->cx, t->s->env.db, id, &u)))
        ready(t);
}
