/* Jobs that a person has to look at. */
#include "base/arena.h"
#include "base/id.h"
#include "io/json.h"
#include "job/moderation.h"
#include "job/store.h"
#include "job/upload.h"
#include "job/wake.h"

#define DECIDE_TRIES 3
#define IMAGE_JSON_MAX (8 * FG_KIB)

static const struct db_col review_cols[] = {
    COL(struct review, job_id), COL(struct review, job), COL(struct review, state),
    COL(struct review, target), COL(struct review, checker), COL(struct review, category),
    COL(struct review, left_us), COL(struct review, held_us), COL(struct review, until_us),
    COL(struct review, decided_us), COL(struct review, decided_by), COL(struct review, note),
};

const char *review_state_name(int state)
{
    static const char *const name[] = {
        [REVIEW_OPEN] = "open", [REVIEW_PASSED] = "passed", [REVIEW_BLOCKED] = "blocked", [REVIEW_OVER] = "over",
    };
    return state >= REVIEW_OPEN && state <= REVIEW_OVER ? name[state] : "unknown";
}

static enum fg_code move_deadline(struct fg_ctx *cx, struct db *db, struct job *j, int64_t us)
{
    j->deadline_us = us;
    enum fg_code rc = db_run(cx, db, SQL_JOB_DEADLINE, DB_ARGS(DB(us), DB(j->id)));
    return rc == FG_OK ? db_run(cx, db, SQL_DUE_DEADLINE_MOVE, DB_ARGS(DB(us), DB(j->id))) : rc;
}

enum fg_code review_begin(struct fg_ctx *cx, struct db *db, const struct conf *conf, struct job *j, const struct check *why)
{
    int64_t left_us = j->deadline_us > cx->now_us ? j->deadline_us - cx->now_us : 0;
    int64_t until_us = cx->now_us + conf->moderation_review_hours * 3600 * FG_US_PER_S;
    enum fg_code rc = move_deadline(cx, db, j, until_us); /* the job's row first, as everybody locks it */
    if (rc == FG_OK)
        rc = db_run(cx, db, SQL_REVIEW_INSERT,
                    DB_ARGS(DB(j->id), DB(why->target), DB(why->checker), DB(why->category), DB(left_us), DB(cx->now_us),
                            DB(until_us)));
    return rc;
}

enum fg_code reviews_list(struct fg_ctx *cx, struct db *db, bool open, struct review **out, size_t *n)
{
    return DB_ALL(cx, db, open ? SQL_REVIEWS_OPEN : SQL_REVIEWS_DECIDED, DB_ARGS(DB(REVIEWS_MAX)), DB_COLS(review_cols), out,
                  n);
}

enum fg_code review_read(struct fg_ctx *cx, struct db *db, struct fg_str job, struct review *out)
{
    bool found = false;
    enum fg_code rc = FG_OK;
    if (id_valid(job, FG_LIT("job_")))
        rc = db_one(cx, db, SQL_REVIEW_OF_JOB, DB_ARGS(DB(job)), DB_COLS(review_cols), out, &found);
    return rc == FG_OK && !found ? fg_fail(cx, FG_NOT_FOUND, "There is no review of such a job.") : rc;
}

/* ---- deciding ---- */

struct decision {
    struct review *review;
    struct job job;
    bool pass;
    struct fg_str by, note;
};

static enum job_reason blocked_reason(const struct review *r)
{
    return FG_IS(r->target, "image") ? JOB_R_BLOCKED_IMAGE : JOB_R_BLOCKED_PROMPT;
}

static enum fg_code decide_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct decision *d = arg;
    const struct review *r = d->review;
    struct job *j = &d->job;
    const struct check said = { .target = r->target, .checker = FG_LIT("review"), .category = r->category,
                                .verdict = d->pass ? CHECK_PASS : CHECK_BLOCK };
    enum fg_code rc = job_by_id(cx, db, r->job_id, j);
    if (rc == FG_OK)
        rc = db_run(cx, db, SQL_REVIEW_DECIDE,
                    DB_ARGS(DB((int)(d->pass ? REVIEW_PASSED : REVIEW_BLOCKED)), DB(cx->now_us), DB(d->by), DB(d->note),
                            DB(r->job_id)));
    if (rc == FG_OK && (db->affected != 1 || j->stage != STAGE_IN_REVIEW))
        return fg_fail(cx, FG_REVIEW_DECIDED, "This review is not open any more.");
    if (rc == FG_OK && d->pass)
        rc = move_deadline(cx, db, j, cx->now_us + r->left_us);
    if (rc != FG_OK)
        return rc;
    if (!d->pass) {
        j->error_input = r->target;
        j->error_category = r->category;
    }
    rc = job_move(cx, db, j, &(struct job_change){ .event = d->pass ? EV_CLEARED : EV_FAILED,
                                                   .reason = d->pass ? JOB_R_NONE : blocked_reason(r),
                                                   .data = check_data(cx, &said) });
    return rc;
}

enum fg_code review_decide(struct fg_ctx *cx, struct job_env *env, struct fg_str job, bool pass, struct fg_str by,
                           struct fg_str note, struct review *out)
{
    struct decision d = { .review = out, .pass = pass, .by = by, .note = note };
    enum fg_code rc = review_read(cx, env->db, job, out);
    if (rc != FG_OK)
        return rc;
    rc = FG_JOB_MOVED;
    for (int i = 0; i < DECIDE_TRIES && rc == FG_JOB_MOVED; i++)
        rc = db_tx(cx, env->db, decide_body, &d);
    if (rc == FG_DB_UNSURE)
        rc = job_settle(cx, env->db, &d.job);
    if (rc != FG_OK)
        return rc;
    job_log(cx, &d.job);
    wake_send(env->wake_fd, env->conf);
    return review_read(cx, env->db, job, out);
}

/* ---- to be shown ---- */

static void add_check(struct jw *w, const struct check *c)
{
    jw_open(w, NULL);
    jw_str(w, "target", c->target);
    jw_str(w, "checker", c->checker);
    jw_str(w, "verdict", fg_str_c(check_verdict_name(c->verdict)));
    jw_str(w, "category", c->category);
    jw_str(w, "rule", c->rule);
    jw_raw(w, "scores", c->scores);
    jw_str(w, "ref", c->ref);
    jw_bool(w, "cached", c->cached);
    jw_time(w, "at", c->at_us);
    jw_close(w);
}

/* With links to look at it; nothing where there is none, or none any more. */
static enum fg_code add_image(struct fg_ctx *cx, const struct job_env *env, const struct job *j, struct sb *b)
{
    struct upload u;
    if (!j->upload.n)
        return FG_OK;
    enum fg_code rc = upload_by_id(cx, env->db, j->upload, &u);
    if (rc == FG_OK)
        upload_json(cx, env, &u, b);
    return rc == FG_NOT_FOUND ? FG_OK : rc;
}

enum fg_code review_json(struct fg_ctx *cx, const struct job_env *env, const struct review *r, struct sb *b)
{
    struct job j;
    struct check *check;
    size_t n;
    enum fg_code rc = job_by_id(cx, env->db, r->job_id, &j);
    if (rc == FG_OK)
        rc = checks_read(cx, env->db, r->job_id, &check, &n);
    if (rc != FG_OK)
        return rc;
    struct sb job = sb_in(cx->mem, JOB_BODY_MAX), image = sb_in(cx->mem, IMAGE_JSON_MAX);
    job_json(cx, env, &j, &job);
    rc = add_image(cx, env, &j, &image);
    if (rc != FG_OK)
        return rc;
    struct jw w = jw_on(b);
    jw_open(&w, NULL);
    jw_str(&w, "jobId", r->job);
    jw_str(&w, "state", fg_str_c(review_state_name(r->state)));
    jw_str(&w, "target", r->target);
    jw_str(&w, "checker", r->checker);
    jw_str(&w, "category", r->category);
    jw_time(&w, "heldAt", r->held_us);
    jw_time(&w, "until", r->until_us);
    jw_time(&w, "decidedAt", r->decided_us);
    jw_str(&w, "decidedBy", r->decided_by);
    jw_str(&w, "note", r->note);
    jw_open_array(&w, "checks");
    for (size_t i = 0; i < n; i++)
        add_check(&w, &check[i]);
    jw_close_array(&w);
    jw_raw(&w, "image", image.n ? sb_str(&image) : FG_NONE);
    jw_raw(&w, "job", job.bad ? FG_NONE : sb_str(&job));
    jw_close(&w);
    return FG_OK;
}
