#include "base/scan.h"
#include "io/json.h"
#include "job/job.h"
#include "media/link.h"

static void add_link(struct fg_ctx *cx, const struct job_env *env, struct jw *w, const char *key,
                     const struct job *j, enum media_part part, bool there, int64_t exp_us)
{
    if (!there) {
        jw_null(w, key);
        return;
    }
    struct fg_str path = link_make(cx, env->pepper, j->public_id, j->account_id, part, exp_us);
    struct sb url = sb_in(cx->mem, JOB_URL_MAX);
    sb_add(&url, env->conf->server_public_url);
    sb_add(&url, path);
    jw_str(w, key, sb_str(&url));
}

static void add_media(struct fg_ctx *cx, const struct job_env *env, struct jw *w, const struct job *j)
{
    static const char *const output_state[] = { [OUTPUT_NONE] = NULL, [OUTPUT_STORED] = "stored",
                                                [OUTPUT_DELETED] = "deleted" };
    bool stored = j->output_state == OUTPUT_STORED;
    int64_t exp = link_expiry_us(cx->now_us, env->conf->media_link_ttl_s * FG_US_PER_S);
    add_link(cx, env, w, "outputUrl", j, MEDIA_VIDEO, stored, exp);
    add_link(cx, env, w, "posterUrl", j, MEDIA_POSTER, stored, exp);
    jw_time(w, "outputExpiresAt", stored ? exp : 0);
    jw_str(w, "outputState", fg_str_c(output_state[j->output_state]));
    jw_time(w, "expiresAt", stored ? j->expires_us : 0);
    if (j->keep_days)
        jw_i64(w, "retainDays", j->keep_days);
    else
        jw_null(w, "retainDays");
}

static void add_known(struct jw *w, const char *key, int64_t v)
{
    if (v < 0)
        jw_null(w, key);
    else
        jw_i64(w, key, v);
}

static void add_audio(struct jw *w, const struct job *j)
{
    if (j->audio == AUDIO_ANY)
        jw_null(w, "audio");
    else
        jw_bool(w, "audio", j->audio == AUDIO_ON);
}

void job_ignored_json(struct jw *w, struct fg_str fields)
{
    struct fg_str rest = fields, field;
    jw_open_array(w, "ignored");
    while (scan_until(&rest, ',', &field))
        jw_str(w, NULL, field);
    jw_close_array(w);
}

/* From our own history with the model; nothing where that says little: in a queue of ours, or later than most. */
static void add_estimate(struct fg_ctx *cx, const struct job_env *env, struct jw *w, const struct job *j)
{
    const struct model_weather *m = weather_of(env->weather, j->model);
    int64_t gone_ms = (cx->now_us - j->created_us) / FG_US_PER_MS;
    bool in_line = j->stage == STAGE_WAITING && j->queue_position >= 0;
    bool known = m && m->finish_p90_ms > 0 && m->finish_p90_ms > gone_ms && !in_line &&
                 j->stage != STAGE_SUBMIT_UNKNOWN && j->stage != STAGE_STORING;
    if (!known || job_terminal((enum job_state)j->state)) {
        jw_null(w, "waitEstimate");
        return;
    }
    int64_t from_ms = m->finish_p50_ms > gone_ms ? m->finish_p50_ms - gone_ms : 0;
    jw_open(w, "waitEstimate");
    jw_i64(w, "fromSeconds", from_ms / 1000);
    jw_i64(w, "toSeconds", (m->finish_p90_ms - gone_ms + 999) / 1000);
    jw_close(w);
}

/* Few jobs are stored at a time, and fewer have to wait for it: asked for where it may be so, and kept with no job. What
 * cannot be read is not told. */
static bool waits_for_storage(struct fg_ctx *cx, const struct job_env *env, const struct job *j)
{
    static const struct db_col cols[] = { { DB_TAG_I64, 0 } };
    int64_t since_us;
    bool found = false;
    if (j->stage != STAGE_STORING || !env->db)
        return false;
    enum fg_code rc = db_one(cx, env->db, SQL_STORAGE_WAITS, DB_ARGS(DB(j->id)), DB_COLS(cols), &since_us, &found);
    return rc == FG_OK && found;
}

/* What keeps a job waiting besides its turn. */
static struct fg_str waiting_for(struct fg_ctx *cx, const struct job_env *env, const struct job *j)
{
    if (j->stage == STAGE_MODERATING)
        return FG_LIT("moderation");
    if (j->stage == STAGE_IN_REVIEW)
        return FG_LIT("review");
    if (waits_for_storage(cx, env, j))
        return FG_LIT("storage");
    bool braked = j->stage == STAGE_WAITING && brakes_until(env->brakes, j->provider, cx->now_us);
    return braked ? FG_LIT("operator_budget") : FG_NONE;
}

static const char *const fault_names[] = {
    [FAULT_NOBODY] = NULL, [FAULT_REQUEST] = "request", [FAULT_PROVIDER] = "provider", [FAULT_SERVICE] = "service",
};

/* Whoever ran out of time in our own line was not kept waiting by a provider. */
static enum job_fault fault_of(const struct job *j, const struct job_reason_info *why)
{
    return j->state == JOB_EXPIRED && !j->provider_job_id.n && !j->attempt_n ? FAULT_SERVICE : why->fault;
}

static void add_end(struct jw *w, const struct job *j)
{
    const struct job_reason_info *why = j->error_code.n ? job_reason_by_slug(j->error_code) : NULL;
    jw_str(w, "errorCode", j->error_code);
    jw_str(w, "errorMessage", why ? fg_str_c(why->words) : FG_NONE);
    if (!why) {
        jw_null(w, "error");
        return;
    }
    jw_open(w, "error");
    jw_str(w, "code", j->error_code);
    jw_str(w, "message", fg_str_c(why->words));
    jw_bool(w, "retryable", why->retryable);
    jw_str(w, "fault", fg_str_c(fault_names[fault_of(j, why)]));
    jw_str(w, "input", j->error_input);
    jw_str(w, "category", j->error_category);
    jw_bool(w, "charged", j->charged);
    jw_close(w);
}

static void write_job(struct fg_ctx *cx, const struct job_env *env, const struct job *j, int64_t next_us, struct sb *b)
{
    struct jw w = jw_on(b);
    jw_open(&w, NULL);
    jw_str(&w, "id", j->public_id);
    jw_str(&w, "userId", j->user_id);
    jw_str(&w, "status", fg_str_c(job_state_name((enum job_state)j->state)));
    jw_str(&w, "stage", j->stage ? fg_str_c(job_stage_name((enum job_stage)j->stage)) : FG_NONE);
    jw_str(&w, "provider", j->provider);
    jw_str(&w, "model", j->model);
    jw_str(&w, "route", j->route);
    jw_str(&w, "providerJobId", j->provider_job_id);
    jw_str(&w, "prompt", j->prompt);
    jw_str(&w, "aspectRatio", j->aspect_ratio);
    jw_i64(&w, "duration", j->duration_s);
    jw_str(&w, "resolution", j->resolution);
    jw_str(&w, "imageUrl", j->image_url);
    jw_str(&w, "uploadId", j->upload);
    jw_str(&w, "callbackUrl", j->callback_url);
    add_known(&w, "seed", j->has_seed ? j->seed : -1);
    add_audio(&w, j);
    jw_str(&w, "negativePrompt", j->negative);
    job_ignored_json(&w, j->ignored);
    jw_raw(&w, "metadata", j->metadata);
    add_media(cx, env, &w, j);
    add_end(&w, j);
    add_known(&w, "progress", j->progress);
    add_known(&w, "queuePosition", j->queue_position);
    jw_str(&w, "waitingFor", waiting_for(cx, env, j));
    jw_i64(&w, "retryCount", j->attempt_n > 1 ? j->attempt_n - 1 : 0);
    jw_i64(&w, "version", j->version);
    jw_i64(&w, "priceMicro", j->price_micro);
    jw_str(&w, "currency", j->currency);
    jw_bool(&w, "charged", j->charged);
    add_estimate(cx, env, &w, j);
    jw_time(&w, "createdAt", j->created_us);
    jw_time(&w, "updatedAt", j->updated_us);
    jw_time(&w, "startedAt", j->started_us);
    jw_time(&w, "finishedAt", j->finished_us);
    jw_time(&w, "deadlineAt", j->deadline_us);
    jw_time(&w, "cancelRequestedAt", j->cancel_us);
    jw_time(&w, "deletedAt", j->deleted_us);
    int64_t pause = job_poll_after_ms(cx, j);
    add_known(&w, "pollAfterMs", pause ? pause : -1);
    jw_time(&w, "nextCheckAt", next_us && next_us < cx->now_us ? cx->now_us : next_us);
    jw_close(&w);
}

void job_json(struct fg_ctx *cx, const struct job_env *env, const struct job *j, struct sb *b)
{
    write_job(cx, env, j, 0, b);
}

void job_seen_json(struct fg_ctx *cx, const struct job_env *env, const struct job_seen *s, struct sb *b)
{
    write_job(cx, env, &s->job, s->next_us, b);
}

void job_event_json(const struct job_event_row *e, struct sb *b)
{
    struct jw w = jw_on(b);
    jw_open(&w, NULL);
    add_known(&w, "seq", e->state ? e->seq : -1);
    jw_time(&w, "at", e->at_us);
    jw_str(&w, "type", e->kind);
    jw_str(&w, "status", e->state ? fg_str_c(job_state_name((enum job_state)e->state)) : FG_NONE);
    jw_str(&w, "stage", e->stage ? fg_str_c(job_stage_name((enum job_stage)e->stage)) : FG_NONE);
    jw_str(&w, "requestId", e->request_id);
    jw_raw(&w, "data", e->data);
    jw_close(&w);
}
