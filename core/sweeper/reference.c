/* A job's imageUrl becomes an upload of ours, before anybody else sees it: fetched under the guard that all foreign
 * addresses get, looked at and made anew in limited children, stored, and named by the job, all before its checks. Nothing
 * here costs money. */
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fault.h"
#include "base/log.h"
#include "job/upload.h"
#include "sweeper/sweep.h"

#define NO_ROOM_AGAIN_US (15 * FG_US_PER_S)
#define LINK_TRIES 3

struct reference {
    void (*then)(struct task *t);
    struct spool sent, image, thumb;
    struct upload_new n;
    bool reserved;
    const struct spool *from, *to; /* of the child that runs; to: NULL where it writes nothing */
    void (*child_over)(struct task *t, int status);
    struct upload known;         /* it was there already; public_id FG_NONE: it was not */
    struct job job;
};

void reference_drop(struct task *t)
{
    struct reference *r = t->reference;
    if (!r)
        return;
    spool_drop(&r->sent);
    spool_drop(&r->image);
    spool_drop(&r->thumb);
}

/* What was put, or is being put, is nobody's. */
static void abandon(struct task *t)
{
    struct reference *r = t->reference;
    if (r->reserved)
        (void)task_ok(t, upload_abandon(&t->cx, t->s->env.db, &r->n), "reference.abandon_failed"); /* else in an hour */
    r->reserved = false;
}

static void unreachable(struct task *t, struct fg_str words)
{
    fg_log(&t->cx, LOG_INFO, "reference.failed", LOG_S("job", t->work.job.public_id), LOG_S("words", words));
    enum fg_code rc = task_move(t, &(struct job_change){ .event = EV_FAILED, .reason = JOB_R_IMAGE_UNREACHABLE });
    task_over(t, rc, "reference.fail_failed");
}

/* An answer that would be the same another time is final; anything else says nothing of the picture. */
static bool may_come_yet(const struct fetch_reply *r)
{
    bool moody = r->end == FETCH_ANSWERED && (r->status >= 500 || r->status == 408 || r->status == 429);
    return moody || r->end == FETCH_NOT_SENT || r->end == FETCH_UNKNOWN;
}

static void again(struct task *t, struct fg_str words)
{
    int64_t n = task_trouble(t, TROUBLE_SILENT);
    if (n >= POLICY_IMAGE_MAX) {
        unreachable(t, words);
        return;
    }
    task_trouble_later(t, t->cx.now_us + policy_fetch_us(&t->cx, n), TROUBLE_SILENT);
}

/* Our own disk is no fault of the picture's. */
static void no_room(struct task *t, const char *event)
{
    fg_log(&t->cx, LOG_ERROR, event, LOG_S("job", t->work.job.public_id), LOG_S("detail", fg_str_c(t->cx.err.detail)));
    task_later(t, t->cx.now_us + NO_ROOM_AGAIN_US, 0);
}

static bool ended_well(int status)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- the job names it ---- */

static enum fg_code name_it(struct fg_ctx *cx, struct db *db, struct reference *r, struct job *j)
{
    struct terms terms;
    int64_t until_us;
    enum fg_code rc = terms_read(cx, db, j->account_id, &terms);
    if (rc != FG_OK)
        return rc;
    until_us = upload_until_us(&terms.plan, j->deadline_us);
    return r->known.public_id.p ? upload_use(cx, db, j->account_id, r->known.public_id, until_us)
                                : upload_keep(cx, db, &r->n, until_us);
}

/* The job's row before its account's, as everywhere. */
static enum fg_code link_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct task *t = arg;
    struct reference *r = t->reference;
    struct job *j = &r->job;
    enum fg_code rc = job_by_id(cx, db, t->work.job.id, j);
    if (rc == FG_OK && j->stage != STAGE_MODERATING)
        rc = fg_fail(cx, FG_INVALID_REQUEST, "The job has ended meanwhile.");
    if (rc != FG_OK)
        return rc;
    j->upload = r->known.public_id.p ? r->known.public_id : r->n.row.public_id;
    rc = job_move(cx, db, j, &(struct job_change){ .event = EV_IMAGE, .data = event_data(cx, "uploadId", j->upload) });
    if (rc == FG_OK)
        rc = name_it(cx, db, r, j);
    FG_CRASH_POINT("reference.before_commit");
    return rc;
}

static void link_it(struct task *t);

/* Somebody stored the same picture, or deleted the one that was there, at the same moment. */
static void look_anew(struct task *t)
{
    abandon(t);
    task_later(t, t->cx.now_us, t->work.tries - 1);
}

static void link_it(struct task *t)
{
    struct reference *r = t->reference;
    enum fg_code rc = FG_JOB_MOVED;
    for (int i = 0; i < LINK_TRIES && rc == FG_JOB_MOVED; i++)
        rc = db_tx(&t->cx, t->s->env.db, link_body, t);
    if (rc == FG_DB_UNSURE)
        rc = job_settle(&t->cx, t->s->env.db, &r->job);
    if (db_no_help(rc)) {
        task_failed(t, rc, "reference.link_failed");
        task_when_back(t, link_it);
        return;
    }
    if (rc == FG_DB_DUPLICATE || rc == FG_NOT_FOUND) {
        look_anew(t);
        return;
    }
    if (rc != FG_OK) {
        if (rc != FG_INVALID_REQUEST)
            (void)task_ok(t, rc, "reference.link_failed");
        abandon(t);
        task_end(t);
        return;
    }
    FG_CRASH_POINT("reference.recorded");
    t->work.job = r->job;
    reference_drop(t);
    r->then(t);
}

/* ---- into the store ---- */

static void thumb_put(void *arg, enum fg_code rc)
{
    struct task *t = arg;
    if (rc != FG_OK) {
        abandon(t);
        no_room(t, "reference.put_failed");
        return;
    }
    FG_CRASH_POINT("reference.put");
    ctx_tick(&t->cx);
    link_it(t);
}

static void image_put(void *arg, enum fg_code rc)
{
    struct task *t = arg;
    struct reference *r = t->reference;
    if (rc != FG_OK) {
        abandon(t);
        no_room(t, "reference.put_failed");
        return;
    }
    store_put(&t->cx, &t->s->store, &r->thumb, r->n.row.public_id, ".jpg", &r->n.thumb, thumb_put, t);
}

static void put(struct task *t)
{
    struct reference *r = t->reference;
    enum fg_code rc = upload_measure(&t->cx, r->image.fd, &r->n);
    if (rc != FG_OK) {
        no_room(t, "reference.read_failed");
        return;
    }
    rc = upload_reserve(&t->cx, t->s->env.db, &r->n);
    if (rc != FG_OK) {
        task_over(t, rc, "reference.reserve_failed");
        return;
    }
    r->reserved = true;
    store_put(&t->cx, &t->s->store, &r->image, r->n.row.public_id, image_suffix((enum image_type)r->n.row.type),
              &r->n.image, image_put, t);
}

/* ---- the children, one after the other ---- */

static void returned(struct task *t, int status)
{
    struct reference *r = t->reference;
    unsigned jail = t->s->env.conf->jail;
    enum fg_code rc = child_return(&t->cx, jail, r->from->fd);
    if (rc == FG_OK && r->to)
        rc = child_return(&t->cx, jail, r->to->fd);
    if (rc == FG_OK)
        r->child_over(t, status);
    else
        no_room(t, "reference.return_failed");
}

static void child(struct task *t, const struct child_call *call, const struct spool *from, const struct spool *to,
                  void (*done)(struct task *, int))
{
    struct reference *r = t->reference;
    r->from = from;
    r->to = to;
    r->child_over = done;
    enum fg_code rc = child_show(&t->cx, call->jail, from->fd);
    if (rc == FG_OK && to)
        rc = child_lend(&t->cx, call->jail, to->fd);
    if (rc != FG_OK || !task_child(t, call, returned))
        no_room(t, "reference.child_failed");
}

static void thumb_made(struct task *t, int status)
{
    if (ended_well(status))
        put(t);
    else
        unreachable(t, FG_LIT("no small picture can be made of it"));
}

static bool read_header(struct task *t, int status)
{
    struct upload *u = &t->reference->n.row;
    struct image_facts facts;
    enum fg_code rc = FG_IMAGE_INVALID;
    if (ended_well(status) && !t->child_out.bad)
        rc = image_header_read(&t->cx, t->s->env.conf, sb_str(&t->child_out), (enum image_type)u->type, &facts);
    else
        (void)fg_fail(&t->cx, rc, "its header cannot be read");
    if (rc != FG_OK) {
        unreachable(t, fg_str_c(t->cx.err.detail));
        return false;
    }
    u->width = facts.width;
    u->height = facts.height;
    return true;
}

static void measured(struct task *t, int status)
{
    struct reference *r = t->reference;
    struct child_call call;
    FG_CRASH_POINT("reference.made");
    if (!read_header(t, status))
        return;
    image_thumb_call(&t->cx, t->s->env.conf, r->image.path.p, r->thumb.path.p, &call);
    child(t, &call, &r->image, &r->thumb, thumb_made);
}

static void made(struct task *t, int status)
{
    struct child_call call;
    if (!ended_well(status)) {
        unreachable(t, FG_LIT("it cannot be read to its end"));
        return;
    }
    image_header_call(&t->cx, t->s->env.conf, t->reference->image.path.p, &call);
    child(t, &call, &t->reference->image, NULL, measured);
}

static void headed(struct task *t, int status)
{
    struct reference *r = t->reference;
    const struct conf *conf = t->s->env.conf;
    struct child_call call;
    enum image_type type = (enum image_type)r->n.row.type;
    if (!read_header(t, status))
        return;
    if (spool_new(&t->cx, conf, image_suffix(type), &r->image) != FG_OK ||
        spool_new(&t->cx, conf, ".jpg", &r->thumb) != FG_OK) {
        no_room(t, "reference.tmp_failed");
        return;
    }
    image_make_call(&t->cx, conf, r->sent.path.p, r->image.path.p, type, &call);
    child(t, &call, &r->sent, &r->image, made);
}

/* ---- the picture as it is out there ---- */

static void take(struct task *t, const struct fetch_reply *reply)
{
    struct reference *r = t->reference;
    const struct job *j = &t->work.job;
    char head[IMAGE_MAGIC_BYTES];
    struct child_call call;
    bool found;
    ssize_t n = pread(r->sent.fd, head, sizeof head, 0);
    enum image_type type = image_type((struct fg_str){ head, n > 0 ? (size_t)n : 0 });
    if (type == IMAGE_OTHER) {
        unreachable(t, FG_LIT("it is no PNG, JPEG or WebP"));
        return;
    }
    r->n.row = (struct upload){ .account_id = j->account_id, .user_id = j->user_id, .type = (int)type };
    upload_digest(t->s->env.pepper, j->account_id, j->user_id, reply->body_hash, r->n.digest);
    enum fg_code rc = upload_by_digest(&t->cx, t->s->env.db, r->n.digest, &r->known, &found);
    if (rc != FG_OK) {
        task_over(t, rc, "reference.find_failed");
        return;
    }
    if (found) {
        link_it(t);
        return;
    }
    r->known = (struct upload){ .public_id = FG_NONE };
    image_header_call(&t->cx, t->s->env.conf, r->sent.path.p, &call);
    child(t, &call, &r->sent, NULL, headed);
}

static void fetched(void *arg, const struct fetch_reply *reply)
{
    struct task *t = arg;
    FG_CRASH_POINT("reference.fetched");
    if (reply->end == FETCH_LOCAL_IO) {
        (void)fg_fail(&t->cx, FG_IO, "%s", strerror(reply->local_errno));
        no_room(t, "reference.write_failed");
        return;
    }
    if (reply->end == FETCH_ANSWERED && reply->status == 200)
        take(t, reply);
    else if (may_come_yet(reply))
        again(t, reply->words);
    else
        unreachable(t, reply->end == FETCH_ANSWERED ? FG_LIT("an answer other than 200") : reply->words);
}

void reference_fetch(struct task *t, void (*then)(struct task *t))
{
    const struct conf *conf = t->s->env.conf;
    struct fetch_call call = fetch_call_init("GET", t->work.job.image_url);
    t->reference = arena_new_of(t->cx.mem, struct reference);
    *t->reference = (struct reference){ .then = then, .sent.fd = -1, .image.fd = -1, .thumb.fd = -1 };
    if (spool_new(&t->cx, conf, ".part", &t->reference->sent) != FG_OK) {
        no_room(t, "reference.tmp_failed");
        return;
    }
    call.to_fd = t->reference->sent.fd;
    call.plain_http = true;
    call.redirects = 3;
    call.timeout_ms = conf->sweeper_call_timeout_s * 1000;
    call.max_bytes = conf->media_upload_bytes;
    task_fetch(t, WIRE_NOTHING, &call, fetched);
}
