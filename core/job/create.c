#include "job/create.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/fault.h"
#include "base/id.h"
#include "base/log.h"
#include "io/json.h"
#include "job/moderation.h"
#include "job/request.h"
#include "job/store.h"
#include "job/upload.h"
#include "job/wake.h"
#include "notify/endpoint.h"

#define IDEMPOTENCY_KEY_MAX 255
#define CREATED_DATA_MAX 500

struct creation {
    struct job_env *env;
    const struct create_order *order;
    const struct identity *who;
    const struct job_request *req;
    struct fg_str id;
    bool has_key;
    uint8_t key[HASH_LEN], fingerprint[HASH_LEN];
    struct account_use use;      /* as it is with this job */
    struct job job;
    struct fg_str answer;
};

static bool is_looked_at(const struct creation *c)
{
    const struct conf *conf = c->env->conf;
    return conf->moderation_rules.n || conf->moderation_services.n || c->req->image_url.n;
}

static struct job new_job(struct fg_ctx *cx, const struct creation *c)
{
    const struct job_request *r = c->req;
    return (struct job){
        .public_id = c->id,
        .account_id = c->who->account_id,
        .user_id = r->user_id,
        .state = JOB_PENDING,
        .stage = is_looked_at(c) ? STAGE_MODERATING : STAGE_WAITING,
        .version = 1,
        .provider = r->model->provider->name,
        .model = r->model->name,
        .prompt = r->prompt,
        .aspect_ratio = r->aspect_ratio,
        .duration_s = (int)r->duration_s,
        .resolution = r->resolution,
        .image_url = r->image_url,
        .has_seed = r->has_seed,
        .seed = r->seed,
        .metadata = r->metadata,
        .price_micro = r->price_micro,
        .currency = r->currency,
        .progress = -1,
        .queue_position = -1,
        .request_id = cx->request_id,
        .created_us = cx->now_us,
        .updated_us = cx->now_us,
        .deadline_us = cx->now_us + r->deadline_s * FG_US_PER_S,
        .route = r->route,
        .audio = (int)r->audio,
        .negative = r->negative,
        .ignored = r->ignored,
        .callback_url = r->callback_url,
        .upload = r->upload,
        .keep_days = (int)r->keep_days,
        .attempts_max = r->terms.plan.attempts_max > 0 ? (int)r->terms.plan.attempts_max : 0,
    };
}

static enum fg_code insert_job(struct fg_ctx *cx, struct db *db, const struct job_request *r, struct job *j)
{
    struct db_bind seed = j->has_seed ? DB(j->seed) : DB_NULL;
    enum fg_code rc = db_run(
        cx, db, SQL_JOB_INSERT,
        DB_ARGS(DB(j->public_id), DB(j->account_id), DB(j->user_id), DB(j->state), DB(j->stage),
                DB(j->version), DB(j->provider), DB(j->model), DB(j->prompt), DB(j->aspect_ratio),
                DB(j->duration_s), DB(j->resolution), DB(j->image_url), seed, DB(j->metadata),
                DB(j->price_micro), DB(j->currency), DB(j->request_id), DB(j->created_us),
                DB(j->updated_us), DB(j->deadline_us), DB(j->route), DB(j->audio), DB(j->negative),
                DB(j->ignored), DB(j->callback_url), DB(hash_bytes(r->fingerprint)),
                DB(r->terms.plan.attempts_max), DB(j->upload), DB(j->keep_days)));
    if (rc == FG_OK)
        j->id = db->insert_id;
    return rc;
}

/* Last in the transaction, and without waiting: whoever holds that row is the same request in flight. */
static enum fg_code insert_key(struct fg_ctx *cx, struct db *db, const struct creation *c)
{
    if (!c->has_key)
        return FG_OK;
    enum fg_code rc = db_run(cx, db, SQL_IDEMPOTENCY_INSERT,
                             DB_ARGS(DB(c->who->account_id), DB(hash_bytes(c->key)),
                                     DB(hash_bytes(c->fingerprint)), DB(c->job.id), DB(c->answer),
                                     DB(cx->now_us)));
    if (rc == FG_DB_BUSY)
        return fg_fail(cx, FG_IDEMPOTENCY_BUSY,
                       "The first request with this Idempotency-Key has not been answered yet.");
    return rc;
}

struct first_answer {
    struct fg_str fingerprint, answer, job_id;
};
static const struct db_col first_cols[] = { COL(struct first_answer, fingerprint),
                                            COL(struct first_answer, answer),
                                            COL(struct first_answer, job_id) };

static enum fg_code find_first(struct fg_ctx *cx, struct db *db, const struct creation *c, struct first_answer *first,
                               bool *found)
{
    return db_one(cx, db, SQL_IDEMPOTENCY_FIND, DB_ARGS(DB(c->who->account_id), DB(hash_bytes(c->key))),
                  DB_COLS(first_cols), first, found);
}

struct same_row {
    struct fg_str id;
    int64_t created_us;
};
static const struct db_col same_cols[] = { COL(struct same_row, id), COL(struct same_row, created_us) };

/* Somebody who presses twice, or a program that repeats itself, wants one video. */
static enum fg_code check_intent(struct fg_ctx *cx, struct db *db, const struct creation *c)
{
    int64_t window_s = c->env->conf->limits_duplicate_window_s;
    struct same_row same;
    bool found;
    if ((c->has_key && !c->req->ask_duplicate) || c->req->allow_duplicate || window_s == 0)
        return FG_OK;
    enum fg_code rc = db_one(cx, db, SQL_JOB_SAME,
                             DB_ARGS(DB(c->who->account_id), DB(hash_bytes(c->req->fingerprint)),
                                     DB(cx->now_us - window_s * FG_US_PER_S)),
                             DB_COLS(same_cols), &same, &found);
    if (rc != FG_OK || !found)
        return rc;
    (void)fg_fail(cx, FG_DUPLICATE_REQUEST,
                  "The same job was created less than %lld seconds ago. Send allowDuplicate: true for another.",
                  (long long)window_s);
    cx->err.job = same.id.p;
    cx->err.job_us = same.created_us;
    return FG_DUPLICATE_REQUEST;
}

/* Who is refused may be the repeat of a request that has been accepted under its key meanwhile, and is to hear that. */
static enum fg_code unless_repeat(struct fg_ctx *cx, struct db *db, const struct creation *c, enum fg_code refused)
{
    struct first_answer first;
    bool found = false;
    if (refused == FG_OK || !c->has_key || fg_err_info(refused)->http >= 500)
        return refused;
    struct fg_err why = cx->err;
    enum fg_code rc = find_first(cx, db, c, &first, &found);
    if (rc != FG_OK || found)
        return rc == FG_OK ? FG_DB_DUPLICATE : rc;
    cx->err = why;
    return refused;
}

/* The account is ours until the end of the transaction: what is counted here stays so. */
static enum fg_code take_limits(struct fg_ctx *cx, struct db *db, struct creation *c)
{
    enum fg_code rc = use_lock(cx, db, c->who->account_id, &c->req->terms, c->req->user_id, &c->use);
    if (rc == FG_OK)
        rc = blocks_check(cx, db, c->env->conf, c->who->account_id, c->req->user_id);
    if (rc == FG_OK)
        rc = check_intent(cx, db, c);
    if (rc == FG_OK)
        rc = use_check(cx, &c->req->terms, &c->use, c->req->price_micro);
    return unless_repeat(cx, db, c, rc);
}

static enum fg_code take_quote(struct fg_ctx *cx, struct db *db, const struct creation *c)
{
    if (!c->req->quote.public_id.p)
        return FG_OK;
    enum fg_code rc = quote_take(cx, db, c->who->account_id, c->req->quote.public_id, c->job.id);
    return unless_repeat(cx, db, c, rc);
}

/* It may have been deleted since the request was read. */
static enum fg_code take_upload(struct fg_ctx *cx, struct db *db, const struct creation *c)
{
    const struct job *j = &c->job;
    if (!j->upload.n)
        return FG_OK;
    int64_t until_us = upload_until_us(&c->req->terms.plan, j->deadline_us);
    enum fg_code rc = upload_use(cx, db, j->account_id, j->upload, until_us);
    if (rc != FG_NOT_FOUND)
        return rc;
    fg_fields_clear(cx);
    fg_field(cx, "/uploadId", "value", "has been deleted");
    return unless_repeat(cx, db, c, fg_fields_check(cx));
}

static enum fg_code hold(struct fg_ctx *cx, struct db *db, struct creation *c)
{
    struct ledger_job l = job_ledger(&c->job);
    return ledger_hold(cx, db, &l, &c->use);
}

static struct fg_str created_data(struct fg_ctx *cx, const struct creation *c)
{
    struct fg_str replaces = c->req->replaces, retry_of = c->order->retry_of;
    struct sb b = sb_in(cx->mem, CREATED_DATA_MAX);
    struct jw w = jw_on(&b);
    if (!replaces.p && !retry_of.p)
        return FG_NONE;
    jw_open(&w, NULL);
    if (replaces.p)
        jw_str(&w, "replaces", replaces);
    if (retry_of.p)
        jw_str(&w, "retryOf", retry_of);
    jw_close(&w);
    return b.bad ? FG_NONE : sb_str(&b);
}

static enum fg_code create_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct creation *c = arg;
    c->job = new_job(cx, c);
    struct job *j = &c->job;
    enum fg_code rc = c->order->first ? c->order->first(cx, db, c->order->arg, c->id) : FG_OK;
    if (rc == FG_OK)
        rc = take_limits(cx, db, c);
    if (rc == FG_OK)
        rc = insert_job(cx, db, c->req, j);
    if (rc == FG_OK)
        rc = take_quote(cx, db, c);
    if (rc == FG_OK)
        rc = take_upload(cx, db, c);
    if (rc == FG_OK)
        rc = db_run(cx, db, SQL_EVENT_INSERT,
                    DB_ARGS(DB(j->id), DB(j->version), DB(cx->now_us),
                            DB(fg_str_c(job_event_name(EV_CREATED))), DB(j->state), DB(j->stage),
                            DB(cx->request_id), DB(created_data(cx, c))));
    if (rc == FG_OK)
        rc = db_run(cx, db, SQL_DUE_INSERT_TWO,
                    DB_ARGS(DB((int)(j->stage == STAGE_WAITING ? DUE_DISPATCH : DUE_MODERATE)), DB(j->id), DB(cx->now_us), DB(j->model), DB(j->account_id),
                            DB((int)DUE_DEADLINE), DB(j->id), DB(j->deadline_us)));
    if (rc == FG_OK)
        rc = hold(cx, db, c);
    if (rc == FG_OK && j->callback_url.p)
        rc = endpoint_callbacks_ready(cx, db, j->account_id);
    if (rc == FG_OK)
        rc = insert_key(cx, db, c);
    FG_CRASH_POINT("create.before_commit");
    return rc;
}

/* COMMIT was sent and not answered. A locking read waits for it, should it still be running. */
static enum fg_code settle_commit(struct fg_ctx *cx, struct creation *c)
{
    struct { int64_t id; } row;
    static const struct db_col cols[] = { { DB_TAG_I64, 0 } };
    bool found;
    enum fg_code rc = db_one(cx, c->env->db, SQL_JOB_EXISTS, DB_ARGS(DB(c->id)), DB_COLS(cols), &row, &found);
    fg_log(cx, LOG_WARN, "job.create_commit_unknown", LOG_S("job", c->id),
           LOG_S("resolved", fg_str_c(rc != FG_OK ? "no" : found ? "committed" : "not_committed")));
    if (rc != FG_OK)
        return fg_fail(cx, FG_DB_UNSURE,
                       "The job may or may not have been created. Repeat with the same Idempotency-Key.");
    return found ? FG_OK : fg_fail(cx, FG_DB_LOST, "The database went away; the job was not created.");
}

static enum fg_code check_key(struct fg_ctx *cx, struct fg_str key)
{
    bool ok = key.n > 0 && key.n <= IDEMPOTENCY_KEY_MAX;
    for (size_t i = 0; ok && i < key.n; i++)
        ok = key.p[i] > ' ' && key.p[i] < 0x7f;
    return ok ? FG_OK : fg_fail(cx, FG_BAD_HEADER,
                                "Idempotency-Key must be 1 to %d printable ASCII characters without blanks.",
                                IDEMPOTENCY_KEY_MAX);
}

static struct fg_str answer_of(struct fg_ctx *cx, const struct creation *c, struct job j)
{
    struct sb b = sb_in(cx->mem, JOB_BODY_MAX);
    if (c->order->hide_callback)
        j.callback_url = FG_NONE;
    job_json(cx, c->env, &j, &b);
    FG_ASSERT(!b.bad); /* every part of it is bounded */
    return sb_str(&b);
}

/* *found: the key was used before; *out is then the first answer, or an error is returned. */
static enum fg_code replay(struct fg_ctx *cx, struct creation *c, struct job_answer *out, bool *found)
{
    struct first_answer first;
    enum fg_code rc = find_first(cx, c->env->db, c, &first, found);
    if (rc != FG_OK || !*found)
        return rc;
    if (!hash_same(first.fingerprint, hash_bytes(c->fingerprint)))
        return fg_fail(cx, FG_IDEMPOTENCY_REUSED,
                       "This Idempotency-Key belongs to a request with another body.");
    *out = (struct job_answer){ .status = 202, .body = first.answer, .job_id = first.job_id, .replayed = true };
    if (first.answer.n)
        return FG_OK;
    /* The job has been erased since, and its words with it: show what is left. */
    struct job j;
    rc = job_read(cx, c->env, c->who, first.job_id, &j);
    if (rc == FG_OK)
        out->body = answer_of(cx, c, j);
    return rc;
}

static void digest(struct creation *c, struct fg_str key, struct fg_str body)
{
    struct fg_str account = { (const char *)&c->who->account_id, sizeof c->who->account_id };
    struct fg_str user = fg_str_c(c->who->user_id);
    HASH_KEYED(c->env->pepper, HASH_IDEMPOTENCY, c->key, account, user, key);
    HASH_KEYED(c->env->pepper, HASH_REQUEST, c->fingerprint, body);
}

static enum fg_code create(struct fg_ctx *cx, struct creation *c, struct job_answer *out)
{
    c->id = id_new(cx, FG_LIT("job_"));
    c->job = new_job(cx, c);
    c->answer = answer_of(cx, c, c->job);
    FG_CRASH_POINT("create.begin");
    enum fg_code rc = db_tx(cx, c->env->db, create_body, c);
    if (rc == FG_DB_UNSURE)
        rc = settle_commit(cx, c);
    if (rc != FG_OK)
        return rc;
    FG_CRASH_POINT("create.after_commit");
    job_log(cx, &c->job);
    wake_send(c->env->wake_fd, c->env->conf);
    *out = (struct job_answer){ .status = 202, .body = c->answer, .job_id = c->id };
    out->limit_n = use_left(&c->req->terms, &c->use, out->limit);
    return FG_OK;
}

/* It would be made by a model at the brake: then no other that it could have is free. */
static enum fg_code check_brake(struct fg_ctx *cx, const struct job_env *env, const struct job_request *r)
{
    int64_t until_us = brakes_until(&r->brakes, r->model->provider->name, cx->now_us);
    if (!until_us || !FG_IS(env->conf->brake_then, "refuse"))
        return FG_OK;
    enum fg_code rc = fg_fail(cx, FG_PAUSED_BY_BUDGET, "New jobs are paused by the operator's budget.");
    int64_t wait_us = until_us - cx->now_us;
    cx->err.retry_after_s = (int)(((wait_us < BRAKE_HOUR_US ? wait_us : BRAKE_HOUR_US) + FG_US_PER_S - 1) / FG_US_PER_S);
    return rc;
}

static enum fg_code read_request(struct fg_ctx *cx, struct creation *c, struct job_request *req)
{
    const struct create_order *o = c->order;
    struct job_bounds bounds;
    struct fg_str body = o->intent;
    enum fg_code rc = o->write ? o->write(cx, c->env, o->arg, &body) : FG_OK;
    if (rc == FG_OK)
        rc = job_bounds_read(cx, c->env, c->who, &bounds);
    if (rc == FG_OK)
        rc = job_request_read(cx, c->env, c->who, &bounds, body, req);
    return rc == FG_OK ? check_brake(cx, c->env, req) : rc;
}

enum fg_code create_run(struct fg_ctx *cx, struct job_env *env, const struct create_order *o, struct job_answer *out)
{
    struct job_request req;
    struct creation c = { .env = env, .order = o, .who = o->who, .req = &req, .has_key = o->key.p != NULL };
    bool found = false;
    if (c.has_key) {
        enum fg_code rc = check_key(cx, o->key);
        if (rc != FG_OK)
            return rc;
        digest(&c, o->key, o->intent);
        rc = replay(cx, &c, out, &found);
        if (rc != FG_OK || found)
            return rc;
    }
    enum fg_code rc = read_request(cx, &c, &req);
    if (rc != FG_OK)
        return rc;
    rc = create(cx, &c, out);
    if (rc != FG_DB_DUPLICATE || !c.has_key)
        return rc;
    rc = replay(cx, &c, out, &found); /* the same request was faster on another connection */
    if (rc == FG_OK && !found)
        rc = fg_fail(cx, FG_DB_BUSY, "Repeat the request.");
    return rc;
}

enum fg_code job_create(struct fg_ctx *cx, struct job_env *env, const struct identity *who,
                        struct fg_str body, struct fg_str idempotency_key, struct job_answer *out)
{
    return create_run(cx, env, &(struct create_order){ .who = who, .key = idempotency_key, .intent = body }, out);
}
