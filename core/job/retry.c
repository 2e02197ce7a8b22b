/* A finished job once more. */
#include <stdio.h>

#include "base/arena.h"
#include "io/json.h"
#include "job/create.h"
#include "job/store.h"
#include "job/upload.h"

struct retrying {
    const struct retry_order *order;
    const struct identity *who;
};

static void add_text(struct jw *w, const char *key, struct fg_str s)
{
    if (s.n)
        jw_str(w, key, s);
}

/* The copy that was fetched of a picture's address is better than what is there by now; it may be gone sooner. */
static enum fg_code add_picture(struct fg_ctx *cx, const struct job_env *env, const struct retrying *r, struct jw *w)
{
    const struct job *j = r->order->job;
    struct upload u;
    enum fg_code rc = FG_OK;
    bool gone = false;
    if (j->upload.n && j->image_url.n) {
        rc = upload_read(cx, env, r->who, j->upload, &u);
        gone = rc == FG_NOT_FOUND || rc == FG_GONE;
    }
    if (rc != FG_OK && !gone)
        return rc;
    if (j->upload.n && !gone)
        jw_str(w, "uploadId", j->upload);
    else
        add_text(w, "imageUrl", j->image_url);
    return FG_OK;
}

static int64_t deadline_s(const struct job *j)
{
    int64_t s = (j->deadline_us - j->created_us) / FG_US_PER_S; /* longer by what it was held for */
    return s < JOB_DEADLINE_MIN_S ? JOB_DEADLINE_MIN_S : s > JOB_DEADLINE_MAX_S ? JOB_DEADLINE_MAX_S : s;
}

static enum fg_code write_wish(struct fg_ctx *cx, struct job_env *env, void *arg, struct fg_str *body)
{
    const struct retrying *r = arg;
    const struct job *j = r->order->job;
    struct sb b = sb_in(cx->mem, JOB_BODY_MAX);
    struct jw w = jw_on(&b);
    if (!job_terminal((enum job_state)j->state))
        return fg_fail(cx, FG_JOB_NOT_FINISHED, "Only a finished job can be tried again.");
    if (j->redacted_us || j->deleted_us)
        return fg_fail(cx, FG_PROMPT_DELETED, "The words of this job have been deleted.");
    jw_open(&w, NULL);
    jw_str(&w, "model", j->route.n ? j->route : j->model);
    jw_str(&w, "prompt", j->prompt);
    add_text(&w, "aspectRatio", j->aspect_ratio);
    jw_i64(&w, "duration", j->duration_s);
    add_text(&w, "resolution", j->resolution);
    enum fg_code rc = add_picture(cx, env, r, &w);
    add_text(&w, "callbackUrl", j->callback_url);
    add_text(&w, "negativePrompt", j->negative);
    add_text(&w, "userId", j->user_id);
    if (j->has_seed)
        jw_i64(&w, "seed", j->seed);
    if (j->audio != AUDIO_ANY)
        jw_bool(&w, "audio", j->audio == AUDIO_ON);
    if (j->metadata.n)
        jw_raw(&w, "metadata", j->metadata);
    if (j->keep_days)
        jw_i64(&w, "retainDays", j->keep_days);
    jw_i64(&w, "deadlineSeconds", deadline_s(j));
    jw_bool(&w, "allowDuplicate", !r->order->once);
    jw_close(&w);
    FG_ASSERT(!b.bad); /* every part of it is bounded */
    *body = sb_str(&b);
    return rc;
}

static enum fg_code first(struct fg_ctx *cx, struct db *db, void *arg, struct fg_str id)
{
    const struct retry_order *o = ((struct retrying *)arg)->order;
    return o->first(cx, db, o->arg, id);
}

enum fg_code retry_run(struct fg_ctx *cx, struct job_env *env, const struct retry_order *o, struct job_answer *out)
{
    const struct job *j = o->job;
    /* What it may was checked when the wish was first made; the plan and the limits are today's. */
    struct identity who = { .account_id = j->account_id, .role = ROLE_APP };
    struct retrying r = { o, &who };
    (void)snprintf(who.user_id, sizeof who.user_id, "%s", o->user);
    const struct create_order order = {
        .who = &who,
        .key = o->key,
        .intent = arena_fmt(cx->mem, "retry of %.*s", FG_P(j->public_id)),
        .retry_of = j->public_id,
        .hide_callback = o->user[0] != '\0',
        .arg = &r,
        .write = write_wish,
        .first = o->first ? first : NULL,
    };
    return create_run(cx, env, &order, out);
}

enum fg_code job_retry(struct fg_ctx *cx, struct job_env *env, const struct identity *who, struct fg_str id,
                       struct fg_str idempotency_key, struct job_answer *out)
{
    struct job j;
    enum fg_code rc = job_read(cx, env, who, id, &j);
    if (rc != FG_OK)
        return rc;
    struct retry_order o = { .job = &j, .user = who->role == ROLE_USER ? who->user_id : "", .key = idempotency_key };
    return retry_run(cx, env, &o, out);
}
