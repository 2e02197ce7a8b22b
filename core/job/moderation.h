/* What was looked at before a job was submitted, or its video delivered: the record of it, the reviews that people decide,
 * and the brake on whoever is blocked too often. */
#ifndef FG_JOB_MODERATION_H
#define FG_JOB_MODERATION_H

#include "job/job.h"

#define REVIEW_NOTE_MAX 500 /* code points */
#define REVIEWS_MAX 100

/* Stored, never renumber. */
enum check_verdict { CHECK_PASS = 1, CHECK_REVIEW = 2, CHECK_BLOCK = 3, CHECK_AWAY = 4 };

/* What one checker said of one thing. */
struct check {
    struct fg_str target;         /* "prompt", "negativePrompt", "image", "output" */
    struct fg_str checker;        /* "rules", or a service's name */
    int verdict;                  /* enum check_verdict; CHECK_AWAY: nobody could be asked */
    struct fg_str category;       /* FG_NONE: none */
    struct fg_str rule;           /* the phrase of our own; never for users */
    struct fg_str scores, ref;    /* JSON object text, the service's own name for the answer; FG_NONE */
    bool cached;
    int64_t at_us;                /* of one that was read */
};
/* "pass", "review", "block", "away" */
const char *check_verdict_name(int verdict);
/* {"checker","target","verdict","category"}: what the timeline tells of it. */
struct fg_str check_data(struct fg_ctx *cx, const struct check *c);

/* Inside a transaction: a row of each, and the counts. */
enum fg_code checks_record(struct fg_ctx *cx, struct db *db, int64_t job_id, const struct check *c, size_t n) FG_MUST_CHECK;
/* In the order they were made. */
enum fg_code checks_read(struct fg_ctx *cx, struct db *db, int64_t job_id, struct check **out, size_t *n) FG_MUST_CHECK;

/* ---- reviews ---- */

enum review_state { REVIEW_OPEN = 1, REVIEW_PASSED = 2, REVIEW_BLOCKED = 3, REVIEW_OVER = 4 };
struct review {
    int64_t job_id;
    struct fg_str job;            /* public id */
    int state;                    /* enum review_state; over: the job ended by itself */
    struct fg_str target, checker, category; /* what held it */
    int64_t left_us, held_us, until_us, decided_us;
    struct fg_str decided_by, note;
};
/* "open", "passed", "blocked", "over" */
const char *review_state_name(int state);

/* Inside the transaction that holds the job, before its move (EV_HELD): a review is open, and the job's deadline stands
 * still; what was left of it is given back by a decision. */
enum fg_code review_begin(struct fg_ctx *cx, struct db *db, const struct conf *conf, struct job *j, const struct check *why)
    FG_MUST_CHECK;

/* For operators: every account's. Open ones, the oldest first; decided ones, the newest first; REVIEWS_MAX at most. */
enum fg_code reviews_list(struct fg_ctx *cx, struct db *db, bool open, struct review **out, size_t *n) FG_MUST_CHECK;
/* FG_NOT_FOUND. job: its public id. */
enum fg_code review_read(struct fg_ctx *cx, struct db *db, struct fg_str job, struct review *out) FG_MUST_CHECK;
/* Passed, the job goes on to wait for its slot, and is not looked at again; blocked, it ends. FG_NOT_FOUND,
 * FG_REVIEW_DECIDED (also when the job has ended by itself). by: who, for the record; note FG_NONE: none. *out is the
 * review afterwards. */
enum fg_code review_decide(struct fg_ctx *cx, struct job_env *env, struct fg_str job, bool pass, struct fg_str by,
                           struct fg_str note, struct review *out) FG_MUST_CHECK;

/* A review with its job and every check, as JSON for operators. */
enum fg_code review_json(struct fg_ctx *cx, const struct job_env *env, const struct review *r, struct sb *b) FG_MUST_CHECK;

/* ---- the brake ---- */

/* Inside the transaction that blocks it: one more of its user's today (UTC), or of its account's where it has no user. */
enum fg_code blocks_count(struct fg_ctx *cx, struct db *db, const struct job *j) FG_MUST_CHECK;
/* Until when whoever was blocked n times today, the last time at last_us, may create none; 0: may. Pure. */
int64_t blocks_until(const struct conf *conf, int64_t n, int64_t last_us, int64_t day_us);
/* FG_OK, or FG_TOO_MANY_BLOCKED with the pause. */
enum fg_code blocks_check(struct fg_ctx *cx, struct db *db, const struct conf *conf, int64_t account_id,
                          struct fg_str user_id) FG_MUST_CHECK;

#endif
