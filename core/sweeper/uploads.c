/* Uploads that nobody used in time are marked; what is marked loses its files. A few at a time, and by one task: nothing
 * of this is urgent. */
#include "base/arena.h"
#include "base/fault.h"
#include "job/upload.h"
#include "sweeper/sweep.h"

struct removing {
    struct upload *row;
    size_t n, at;
};

static void next(struct task *t);

static void removed(void *arg, enum fg_code rc)
{
    struct task *t = arg;
    struct removing *r = t->removing;
    FG_CRASH_POINT("upload.removed");
    if (rc == FG_OK)
        rc = upload_removed(&t->cx, t->s->env.db, r->row[r->at].id);
    if (!task_ok(t, rc, "uploads.remove_failed")) { /* the next look tries it again */
        task_end(t);
        return;
    }
    r->at++;
    next(t);
}

static void image_removed(void *arg, enum fg_code rc)
{
    struct task *t = arg;
    const struct upload *u = &t->removing->row[t->removing->at];
    if (rc != FG_OK)
        removed(t, rc);
    else
        store_remove(&t->cx, &t->s->store, &(struct stored){ u->store, u->thumb_file }, removed, t);
}

/* One that never came to be may have left any. */
static void next(struct task *t)
{
    struct removing *r = t->removing;
    if (r->at == r->n) {
        task_end(t);
        return;
    }
    const struct upload *u = &r->row[r->at];
    if (u->file.n)
        store_remove(&t->cx, &t->s->store, &(struct stored){ u->store, u->file }, image_removed, t);
    else
        store_keep_only(&t->cx, &t->s->store, u->public_id, NULL, 0, removed, t);
}

static bool under_way(const struct sweeper *s)
{
    for (const struct task *t = s->tasks; t; t = t->next)
        if (t->removing)
            return true;
    return false;
}

/* A task without a row of due work: should we die, the next look does it. */
void uploads_look(struct sweeper *s)
{
    size_t n = 0;
    enum fg_code rc = upload_expire(&s->cx, s->env.db, clock_floor_us(&s->clock), &n);
    if (rc != FG_OK)
        sweep_failed(s, rc, "uploads.expire_failed", fg_str_c(s->name));
    if (rc != FG_OK || under_way(s) || sweep_room(s) <= 0)
        return;
    struct task *t = task_new(s, DUE_NOTHING, NULL);
    t->removing = arena_new_of(t->cx.mem, struct removing);
    rc = upload_deleted(&t->cx, s->env.db, &t->removing->row, &t->removing->n);
    if (task_ok(t, rc, "uploads.list_failed"))
        next(t);
    else
        task_end(t);
}
