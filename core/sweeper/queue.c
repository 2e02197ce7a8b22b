/* Where waiting jobs stand in their model's line while it has no slot: written down, so that what a client is told is what
 * the database knows. Only the head of the line; further back the number would change too often to mean anything. */
#include "base/log.h"
#include "sweeper/sweep.h"

#define QUEUE_TOLD 20

struct place_row {
    int64_t id, told;
};
static const struct db_col place_cols[] = { COL(struct place_row, id), COL(struct place_row, told) };

struct queue {
    const struct place_row *row;
    size_t n;
};

static enum fg_code tell_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    const struct queue *q = arg;
    enum fg_code rc = FG_OK;
    for (size_t i = 0; i < q->n && rc == FG_OK; i++) {
        struct job j;
        if (q->row[i].told == (int64_t)i)
            continue;
        rc = job_by_id(cx, db, q->row[i].id, &j);
        if (rc != FG_OK || j.stage != STAGE_WAITING)
            continue; /* it has moved on since */
        j.queue_position = (int64_t)i;
        rc = job_move(cx, db, &j, &(struct job_change){ .event = EV_PROGRESS });
    }
    return rc;
}

void queue_tell(struct sweeper *s, const struct cat_model *m)
{
    struct place_row *row;
    struct queue q = { NULL, 0 };
    enum fg_code rc = DB_ALL(&s->cx, s->env.db, SQL_WAITING_HEAD, DB_ARGS(DB(m->provider->name), DB(m->name), DB((int)QUEUE_TOLD)),
                             DB_COLS(place_cols), &row, &q.n);
    q.row = row;
    if (rc == FG_OK && q.n)
        rc = db_tx(&s->cx, s->env.db, tell_body, &q);
    if (rc != FG_OK && rc != FG_JOB_MOVED)
        sweep_failed(s, rc, "sweep.queue_failed", fg_str_c(s->name));
}
