/* What is looked at before a job may wait for its slot: the reference image becomes ours, then every check has to pass. All
 * of it is harmless to repeat: what was heard is in the cache, what was decided is written in one transaction. */
#include "base/fault.h"
#include "base/log.h"
#include "io/file.h"
#include "sweeper/check.h"

#define MOVE_TRIES 3
#define BLOCKS_KEPT_US (2 * 86400 * FG_US_PER_S)
#define CLEARED_DATA_MAX 2000

/* ---- the end of it ---- */

static enum job_reason reason_of(const struct check *why)
{
    if (why->verdict == CHECK_AWAY)
        return JOB_R_MODERATION_AWAY;
    return FG_IS(why->target, "image") ? JOB_R_BLOCKED_IMAGE : JOB_R_BLOCKED_PROMPT;
}

static struct fg_str all_data(struct fg_ctx *cx, const struct checking *c)
{
    struct sb b = sb_in(cx->mem, CLEARED_DATA_MAX);
    sb_add(&b, FG_LIT("{\"checks\":["));
    for (unsigned i = 0; i < c->said_n; i++) {
        sb_add(&b, i ? FG_LIT(",") : FG_LIT(""));
        sb_add(&b, check_data(cx, &c->said[i]));
    }
    sb_add(&b, FG_LIT("]}"));
    return b.bad || !c->said_n ? FG_NONE : sb_str(&b);
}

static struct job_change change_of(struct fg_ctx *cx, const struct checking *c, struct job *j)
{
    const struct check *why = &c->said[c->worst_at];
    if (c->worst.kind == VERDICT_ALLOW)
        return (struct job_change){ .event = EV_CLEARED, .data = all_data(cx, c) };
    if (c->worst.kind == VERDICT_REVIEW)
        return (struct job_change){ .event = EV_HELD, .data = check_data(cx, why) };
    if (c->worst.kind == VERDICT_BLOCK) {
        j->error_input = why->target;
        j->error_category = why->category;
    }
    return (struct job_change){ .event = EV_FAILED, .reason = reason_of(why), .data = check_data(cx, why) };
}

static enum fg_code end_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct task *t = arg;
    struct checking *c = t->checking;
    struct job *j = &c->job;
    enum fg_code rc = job_by_id(cx, db, t->work.job.id, j);
    if (rc == FG_OK && j->stage != STAGE_MODERATING)
        return fg_fail(cx, FG_JOB_MOVED, "It is not being looked at any more.");
    if (rc == FG_OK && c->worst.kind == VERDICT_REVIEW)
        rc = review_begin(cx, db, t->s->env.conf, j, &c->said[c->worst_at]);
    if (rc != FG_OK)
        return rc;
    struct job_change ch = change_of(cx, c, j);
    rc = job_move(cx, db, j, &ch);
    if (rc == FG_OK)
        rc = checks_record(cx, db, j->id, c->said, c->said_n);
    FG_CRASH_POINT("moderate.before_commit");
    return rc;
}

static void end(struct task *t)
{
    struct job *j = &t->checking->job;
    enum fg_code rc = FG_JOB_MOVED;
    for (int i = 0; i < MOVE_TRIES && rc == FG_JOB_MOVED; i++)
        rc = db_tx(&t->cx, t->s->env.db, end_body, t);
    if (rc == FG_DB_UNSURE)
        rc = job_settle(&t->cx, t->s->env.db, j);
    if (rc == FG_OK)
        job_log(&t->cx, j);
    FG_CRASH_POINT("moderate.recorded");
    task_over(t, rc, "moderate.end_failed");
}

static void checked(struct task *t)
{
    if (t->checking->worst.kind == VERDICT_ERROR && FG_IS(t->s->env.conf->moderation_when_away, "hold")) {
        checking_tell_away(t);
        task_trouble_later(t, checking_again_us(t), TROUBLE_UNCHECKED);
        return;
    }
    end(t);
}

/* ---- what is asked ---- */

static bool looks_at_pictures(const struct sweeper *s)
{
    for (unsigned i = 0; i < s->sites.n; i++)
        if (s->sites.site[i].service->images)
            return true;
    return false;
}

static struct moderation_image picture_of(const struct task *t)
{
    const struct checking *c = t->checking;
    return (struct moderation_image){ c->upload.bytes, c->upload.type, c->facts.width, c->facts.height };
}

/* small: for those that do not take it as it is; NULL: there is none. */
static void add_picture(struct task *t, const struct moderation_image *small)
{
    const struct moderation_image whole = picture_of(t);
    for (unsigned i = 0; i < t->s->sites.n; i++) {
        const struct moderation_site *site = &t->s->sites.site[i];
        bool fits = moderation_takes_image(site->service, &whole);
        if (site->service->images)
            checking_add(t->checking, &(struct check_step){ .site = site, .target = FG_LIT("image"),
                                                            .image = fits || !small ? whole : *small });
    }
    checking_run(t, checked);
}

/* One that cannot be made smaller is not looked at by who cannot take it: as if it were away. */
static void made_small(struct task *t, struct fg_str jpeg)
{
    const struct moderation_image small = { jpeg, FG_LIT("image/jpeg"), GATE_FRAME_SIDE, GATE_FRAME_SIDE };
    add_picture(t, jpeg.p ? &small : NULL);
}

static bool somebody_cannot_take_it(const struct task *t)
{
    const struct moderation_image whole = picture_of(t);
    for (unsigned i = 0; i < t->s->sites.n; i++)
        if (t->s->sites.site[i].service->images && !moderation_takes_image(t->s->sites.site[i].service, &whole))
            return true;
    return false;
}

static void make_small(struct task *t)
{
    struct spool *from = &t->checking->from;
    struct fg_str bytes = t->checking->upload.bytes;
    if (spool_new(&t->cx, t->s->env.conf, ".img", from) != FG_OK ||
        !file_write(from->fd, bytes.p, bytes.n) || !frame_make(t, from, GATE_PICTURE, made_small))
        made_small(t, FG_NONE);
}

static void image_read(void *arg, enum fg_code rc)
{
    struct task *t = arg;
    if (rc == FG_NOT_FOUND) {
        rc = task_move(t, &(struct job_change){ .event = EV_FAILED, .reason = JOB_R_IMAGE_UNREACHABLE });
        task_over(t, rc, "moderate.end_failed");
    } else if (rc != FG_OK) {
        task_failed(t, rc, "moderate.image_failed");
        task_trouble_later(t, checking_again_us(t), TROUBLE_UNCHECKED);
    } else if (somebody_cannot_take_it(t)) {
        make_small(t);
    } else {
        add_picture(t, NULL);
    }
}

/* The words have passed. */
static void words_checked(struct task *t)
{
    struct checking *c = t->checking;
    const struct job *j = &t->work.job;
    if (c->worst.kind == VERDICT_BLOCK || !j->upload.n || !looks_at_pictures(t->s)) {
        checked(t);
        return;
    }
    enum fg_code rc = upload_by_id(&t->cx, t->s->env.db, j->upload, &c->facts);
    if (rc == FG_OK)
        upload_image_get(&t->cx, t->s->env.db, &t->s->store, j->upload, &c->upload, image_read, t);
    else
        image_read(t, rc);
}

static void add_text(struct checking *c, const struct moderation_site *site, const struct job *j)
{
    checking_add(c, &(struct check_step){ .site = site, .target = FG_LIT("prompt"), .text = j->prompt });
    if (j->negative.n)
        checking_add(c, &(struct check_step){ .site = site, .target = FG_LIT("negativePrompt"), .text = j->negative });
}

void moderate_checks(struct task *t)
{
    const struct sweeper *s = t->s;
    struct checking *c = checking_new(t);
    if (s->rules)
        add_text(c, NULL, &t->work.job);
    for (unsigned i = 0; i < s->sites.n; i++)
        add_text(c, &s->sites.site[i], &t->work.job);
    checking_run(t, words_checked);
}

void duty_moderate(struct task *t)
{
    struct job *j = &t->work.job;
    if (j->stage != STAGE_MODERATING) {
        task_end(t);
        return;
    }
    FG_CRASH_POINT("moderate.claimed");
    if (j->image_url.n && !j->upload.n)
        reference_fetch(t, moderate_checks);
    else
        moderate_checks(t);
}

/* ---- upkeep ---- */

void moderate_renew(struct sweeper *s)
{
    bool changed;
    if (rules_renew(&s->cx, s->env.conf, &s->rules, &changed) != FG_OK)
        log_err(&s->cx, "moderation.rules_refused", fg_str_c(s->name));
    else if (changed)
        fg_log(&s->cx, LOG_INFO, "moderation.rules_renewed", LOG_I("phrases", rules_phrases(s->rules)));
}

enum fg_code moderate_purge(struct sweeper *s)
{
    int64_t kept_us = s->env.conf->moderation_cache_hours * 3600 * FG_US_PER_S, floor_us = clock_floor_us(&s->clock);
    enum fg_code rc = db_run(&s->cx, s->env.db, SQL_VERDICT_PURGE, DB_ARGS(DB(floor_us - kept_us)));
    return rc == FG_OK ? db_run(&s->cx, s->env.db, SQL_BLOCKS_PURGE, DB_ARGS(DB(floor_us - BLOCKS_KEPT_US))) : rc;
}
