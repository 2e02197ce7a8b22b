#include "job/share.h"

#include "base/id.h"
#include "base/time.h"
#include "io/hash.h"
#include "job/store.h"

static enum fg_code why_none(struct fg_ctx *cx, struct db *db, const struct job *j)
{
    struct output o;
    if (j->output_state == OUTPUT_DELETED) {
        enum fg_code rc = output_of_job(cx, db, j->id, &o);
        struct fg_str when = time_iso(cx->mem, rc == FG_OK ? o.deleted_us : j->deleted_us);
        return fg_fail(cx, FG_GONE, "The file was deleted at %.*s.", FG_P(when));
    }
    if (j->output_state != OUTPUT_STORED)
        return fg_fail(cx, FG_JOB_NOT_FINISHED, "The job has no file that could be shared.");
    return fg_fail(cx, FG_PLAN_LIMIT, "A job may have at most %d links that work; revoke one.", SHARES_MAX);
}

enum fg_code share_create(struct fg_ctx *cx, struct job_env *env, const struct identity *who, struct fg_str job_id,
                          int64_t life_s, struct share *out)
{
    uint8_t digest[HASH_LEN];
    struct job j;
    enum fg_code rc = job_read(cx, env, who, job_id, &j);
    if (rc != FG_OK)
        return rc;
    struct share s = { .public_id = id_new(cx, SHARE_ID), .created_us = cx->now_us,
                       .expires_us = cx->now_us + life_s * FG_US_PER_S, .token = id_new(cx, SHARE_TOKEN) };
    HASH_KEYED(env->pepper, HASH_SHARE, digest, s.token);
    rc = db_run(cx, env->db, SQL_SHARE_INSERT,
                DB_ARGS(DB(s.public_id), DB(hash_bytes(digest)), DB(s.created_us), DB(s.expires_us), DB(j.id),
                        DB(cx->now_us), DB(SHARES_MAX)));
    if (rc != FG_OK)
        return rc;
    if (env->db->affected == 0)
        return why_none(cx, env->db, &j);
    *out = s;
    return FG_OK;
}

enum fg_code share_list(struct fg_ctx *cx, struct job_env *env, const struct identity *who, struct fg_str job_id,
                        struct share **row, size_t *n)
{
    static const struct db_col cols[] = { COL(struct share, public_id), COL(struct share, created_us),
                                          COL(struct share, expires_us) };
    struct job j;
    enum fg_code rc = job_read(cx, env, who, job_id, &j);
    if (rc == FG_OK)
        rc = DB_ALL(cx, env->db, SQL_SHARE_LIST, DB_ARGS(DB(j.id), DB(cx->now_us), DB(SHARES_MAX)), DB_COLS(cols), row, n);
    return rc;
}

enum fg_code share_revoke(struct fg_ctx *cx, struct job_env *env, const struct identity *who, struct fg_str job_id,
                          struct fg_str share_id)
{
    static const struct db_col cols[] = { { DB_TAG_I64, 0 } };
    int64_t id;
    bool found = false;
    struct job j;
    enum fg_code rc = job_read(cx, env, who, job_id, &j);
    if (rc == FG_OK && id_valid(share_id, SHARE_ID))
        rc = db_one(cx, env->db, SQL_SHARE_FIND, DB_ARGS(DB(j.id), DB(share_id)), DB_COLS(cols), &id, &found);
    if (rc == FG_OK && !found)
        rc = fg_fail(cx, FG_NOT_FOUND, "There is no such link.");
    if (rc == FG_OK)
        rc = db_run(cx, env->db, SQL_SHARE_REVOKE, DB_ARGS(DB(cx->now_us), DB(id)));
    return rc;
}

enum fg_code share_follow(struct fg_ctx *cx, struct job_env *env, struct fg_str token, struct shared *out)
{
    struct row {
        int64_t job_id, expires_us;
    } row;
    static const struct db_col cols[] = { COL(struct row, job_id), COL(struct row, expires_us) };
    uint8_t digest[HASH_LEN];
    bool found = false;
    enum fg_code rc = FG_OK;
    if (id_valid(token, SHARE_TOKEN)) {
        HASH_KEYED(env->pepper, HASH_SHARE, digest, token);
        rc = db_one(cx, env->db, SQL_SHARE_FOLLOW, DB_ARGS(DB(hash_bytes(digest)), DB(cx->now_us)), DB_COLS(cols),
                    &row, &found);
    }
    if (rc == FG_OK && !found)
        rc = fg_fail(cx, FG_LINK_INVALID, "The link was never given, is over, or was revoked.");
    if (rc == FG_OK)
        rc = job_by_id(cx, env->db, row.job_id, &out->job);
    if (rc == FG_OK)
        out->expires_us = row.expires_us;
    return rc;
}

enum fg_code share_see(struct fg_ctx *cx, struct job_env *env, struct fg_str token, struct shared *out)
{
    enum fg_code rc = share_follow(cx, env, token, out);
    if (rc == FG_OK && out->job.output_state != OUTPUT_STORED)
        rc = why_none(cx, env->db, &out->job);
    if (rc == FG_OK && out->job.expires_us && out->job.expires_us < out->expires_us)
        out->expires_us = out->job.expires_us;
    return rc;
}
