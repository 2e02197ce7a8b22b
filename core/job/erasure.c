/* An account, or one userId of it, is forgotten: some jobs in a transaction, again and again, until the newest has been
 * gone through and none is left that had not ended. Whoever dies in between loses one transaction. */
#include "base/arena.h"
#include "base/id.h"
#include "base/log.h"
#include "base/utf8.h"
#include "io/hash.h"
#include "job/store.h"
#include "notify/notify.h"

#define ERASURE_ID FG_LIT("era_")
#define BATCH 10                            /* jobs in a transaction */
#define STRIDE 5000                         /* ids that are looked through for them */
#define ROWS 500                            /* uploads in a transaction */
#define HELD_AGAIN_US (600 * FG_US_PER_S)   /* while something is on hold */
#define OPEN_AGAIN_US (15 * FG_US_PER_S)    /* while jobs have not ended */
#define NAME FG_LIT("erased_")              /* of a user that is forgotten, with a keyed hash behind */
#define NAME_DIGITS 32

/* ---- asking ---- */

struct asking {
    int64_t account_id;
    struct fg_str user, id;
    struct erasure *out;
};
static const struct db_col erasure_cols[] = {
    COL(struct erasure, public_id), COL(struct erasure, created_us), COL(struct erasure, finished_us),
    COL(struct erasure, jobs_n),    COL(struct erasure, user_id),
};
static const struct db_col id_cols[] = { { DB_TAG_I64, 0 } };

static enum fg_code check_holds(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str user)
{
    int64_t id;
    bool held = false;
    enum fg_code rc = hold_gate(cx, db);
    if (rc == FG_OK)
        rc = db_one(cx, db, SQL_ERASURE_HELD, DB_ARGS(DB(account_id), DB(user), DB(user), DB(user)), DB_COLS(id_cols), &id,
                    &held);
    return rc == FG_OK && held ? fg_fail(cx, FG_LEGAL_HOLD, "Something of this is kept by a legal hold.") : rc;
}

static enum fg_code ask_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct asking *a = arg;
    bool found;
    enum fg_code rc = check_holds(cx, db, a->account_id, a->user);
    if (rc == FG_OK)
        rc = db_one(cx, db, SQL_ERASURE_OPEN, DB_ARGS(DB(a->account_id), DB(a->user)), DB_COLS(erasure_cols), a->out, &found);
    if (rc != FG_OK || found)
        return rc;
    *a->out = (struct erasure){ .public_id = a->id, .created_us = cx->now_us, .user_id = a->user };
    return db_run(cx, db, SQL_ERASURE_ADD,
                  DB_ARGS(DB(a->id), DB(a->account_id), DB(a->user), DB(cx->now_us), DB(cx->now_us)));
}

enum fg_code erasure_ask(struct fg_ctx *cx, struct db *db, int64_t account_id, struct fg_str user, struct erasure *out)
{
    struct asking a = { account_id, user, id_new(cx, ERASURE_ID), out };
    if (user.p && (!user.n || utf8_count(user) > JOB_USER_MAX))
        return fg_fail(cx, FG_INVALID_REQUEST, "A userId has 1 to %d characters.", JOB_USER_MAX);
    return db_tx(cx, db, ask_body, &a);
}

/* ---- doing it ---- */

struct step {
    const uint8_t *pepper;
    int64_t id, account_id, upto_id, at_id, open_id;
    struct fg_str user;
    bool found, over;
    int64_t erased, bytes;
};
static const struct db_col step_cols[] = {
    COL(struct step, id),         COL(struct step, account_id), COL(struct step, user),
    COL(struct step, upto_id),    COL(struct step, at_id),      COL(struct step, open_id),
};

/* The same user keeps one name, for the books; without the pepper nobody can tell whose it was. */
static struct fg_str name_of(struct fg_ctx *cx, const struct step *s, struct fg_str user)
{
    uint8_t digest[HASH_LEN];
    if (!user.p || (fg_starts(user, NAME) && user.n == NAME.n + NAME_DIGITS))
        return user;
    HASH_KEYED(s->pepper, HASH_ERASED_USER, digest, arena_fmt(cx->mem, "%lld", (long long)s->account_id), user);
    return arena_fmt(cx->mem, "%.*s%.*s", FG_P(NAME), FG_P(hash_hex(cx->mem, digest, NAME_DIGITS / 2)));
}

static enum fg_code rename_user(struct fg_ctx *cx, struct db *db, const struct step *s, struct job *j)
{
    struct fg_str name = name_of(cx, s, j->user_id);
    if (name.p == j->user_id.p)
        return FG_OK;
    enum fg_code rc = db_run(cx, db, SQL_JOB_RENAME_USER, DB_ARGS(DB(name), DB(j->id)));
    if (rc == FG_OK)
        rc = notify_rename_user(cx, db, j->id, name);
    j->user_id = name;
    return rc;
}

/* One that runs is canceled; what comes all the same goes at a later walk. */
static enum fg_code erase_job(struct fg_ctx *cx, struct db *db, struct step *s, int64_t job_id)
{
    struct job j;
    int64_t bytes = 0;
    enum fg_code rc = job_by_id(cx, db, job_id, &j);
    if (rc == FG_OK && !job_terminal((enum job_state)j.state))
        rc = job_cancel_in(cx, db, &j);
    if (rc != FG_OK)
        return rc;
    if (!job_terminal((enum job_state)j.state)) {
        s->open_id = s->open_id ? s->open_id : j.id;
        return FG_OK;
    }
    rc = rename_user(cx, db, s, &j);
    if (rc != FG_OK || j.deleted_us)
        return rc;
    rc = job_forget(cx, db, &j, event_data(cx, "by", FG_LIT("erasure")), &bytes);
    s->bytes += bytes;
    s->erased++;
    return rc;
}

static enum fg_code erase_keys(struct fg_ctx *cx, struct db *db, const struct step *s)
{
    struct fg_str name = s->user.p ? name_of(cx, s, s->user) : NAME;
    return db_run(cx, db, SQL_ERASURE_KEYS, DB_ARGS(DB(cx->now_us), DB(name), DB(s->account_id), DB(s->user), DB(s->user)));
}

static enum fg_code erase_jobs(struct fg_ctx *cx, struct db *db, struct step *s)
{
    struct { int64_t id; } *row;
    size_t n;
    int64_t upto = s->at_id + STRIDE < s->upto_id ? s->at_id + STRIDE : s->upto_id;
    enum fg_code rc = DB_ALL(cx, db, SQL_ERASURE_JOBS,
                             DB_ARGS(DB(s->account_id), DB(s->at_id), DB(upto), DB(s->user), DB(s->user), DB(BATCH)),
                             DB_COLS(id_cols), &row, &n);
    for (size_t i = 0; i < n && rc == FG_OK; i++)
        rc = erase_job(cx, db, s, row[i].id);
    if (rc == FG_OK && s->bytes)
        rc = ledger_storage(cx, db, s->account_id, -s->bytes);
    if (rc == FG_OK)
        s->at_id = n == BATCH ? row[n - 1].id : upto;
    return rc;
}

/* All jobs are gone through, and all have ended: their pictures are nobody's. */
static enum fg_code erase_rest(struct fg_ctx *cx, struct db *db, struct step *s)
{
    enum fg_code rc = db_run(cx, db, SQL_ERASURE_QUOTES, DB_ARGS(DB(s->account_id), DB(s->user), DB(s->user)));
    if (rc == FG_OK)
        rc = db_run(cx, db, SQL_ERASURE_UPLOADS,
                    DB_ARGS(DB(cx->now_us), DB(s->account_id), DB(s->user), DB(s->user), DB(ROWS)));
    s->over = rc == FG_OK && db->affected < ROWS;
    if (s->over)
        rc = db_run(cx, db, SQL_ERASURE_DONE, DB_ARGS(DB(cx->now_us), DB(name_of(cx, s, s->user)), DB(s->id)));
    return rc;
}

static enum fg_code put(struct fg_ctx *cx, struct db *db, const struct step *s, int64_t due_us)
{
    return db_run(cx, db, SQL_ERASURE_PUT, DB_ARGS(DB(due_us), DB(s->at_id), DB(s->open_id), DB(s->erased), DB(s->id)));
}

struct newest {
    int64_t job, receipt;
};
static const struct db_col newest_cols[] = { COL(struct newest, job), COL(struct newest, receipt) };

static enum fg_code walk(struct fg_ctx *cx, struct db *db, struct step *s)
{
    struct newest newest = { 0, 0 };
    bool found;
    int64_t due_us = cx->now_us;
    enum fg_code rc = s->at_id == 0 ? erase_keys(cx, db, s) : FG_OK;
    if (rc == FG_OK)
        rc = db_one(cx, db, SQL_NEWEST_ROWS, DB_NO_ARGS, DB_COLS(newest_cols), &newest, &found);
    if (!s->user.p) /* its keys have ended: there is nothing that is to stay */
        s->upto_id = newest.job;
    if (rc == FG_OK && s->at_id < s->upto_id)
        rc = erase_jobs(cx, db, s);
    if (rc == FG_OK && s->at_id >= s->upto_id && !s->open_id)
        rc = erase_rest(cx, db, s);
    if (s->at_id >= s->upto_id && s->open_id) {
        s->at_id = s->open_id - 1;
        s->open_id = 0;
        due_us += OPEN_AGAIN_US;
    }
    return rc == FG_OK ? put(cx, db, s, due_us) : rc;
}

static enum fg_code step_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct step *s = arg;
    *s = (struct step){ .pepper = s->pepper };
    enum fg_code rc = hold_gate(cx, db);
    if (rc == FG_OK)
        rc = db_one(cx, db, SQL_ERASURE_NEXT, DB_ARGS(DB(cx->now_us)), DB_COLS(step_cols), s, &s->found);
    if (rc != FG_OK || !s->found)
        return rc;
    rc = check_holds(cx, db, s->account_id, s->user);
    if (rc == FG_LEGAL_HOLD)
        return put(cx, db, s, cx->now_us + HELD_AGAIN_US);
    if (rc == FG_OK)
        rc = walk(cx, db, s);
    return rc;
}

enum fg_code erasure_step(struct fg_ctx *cx, struct db *db, const uint8_t *pepper, bool *more)
{
    struct step s = { .pepper = pepper };
    enum fg_code rc = db_tx(cx, db, step_body, &s);
    *more = rc == FG_OK && s.found;
    if (rc == FG_JOB_MOVED) { /* another moved one of its jobs: the next turn finds it as it is then */
        *more = true;
        return FG_OK;
    }
    if (rc == FG_OK && s.over)
        fg_log(cx, LOG_INFO, "erasure.done", LOG_I("erasure", s.id));
    return rc;
}
