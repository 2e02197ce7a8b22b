/* The provider's file becomes ours: fetched to a temporary file and hashed on the way, looked at in a limited
 * child, given a poster, renamed into the store, and only then is the job a success. */
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fault.h"
#include "base/log.h"
#include "sweeper/sweep.h"

void ingest_drop(struct task *t)
{
    spool_drop(&t->video);
    spool_drop(&t->poster);
}

static void fail(struct task *t, enum job_reason reason, struct fg_str words)
{
    fg_log(&t->cx, LOG_WARN, "ingest.failed", LOG_S("job", t->work.job.public_id),
           LOG_S("code", fg_str_c(job_reason_info(reason)->slug)), LOG_S("words", words));
    enum fg_code rc = task_move(t, &(struct job_change){ .event = EV_FAILED, .reason = reason });
    task_over(t, rc, "ingest.fail_failed");
}

/* A cancel may have come when it was finished, and deleted it. */
static enum job_reason why_lost(const struct task *t, enum trouble kind)
{
    if (kind == TROUBLE_GONE && t->work.job.cancel_us && t->adapter->cancel_deletes)
        return JOB_R_CANCELED;
    return kind == TROUBLE_INVALID ? JOB_R_OUTPUT_INVALID : JOB_R_OUTPUT_UNREACHABLE;
}

/* Tries again while the provider may still have it, then gives up with the reason that this trouble is. */
static void again(struct task *t, enum trouble kind, int64_t max, struct fg_str words)
{
    int64_t n = task_trouble(t, kind);
    if (n >= max) {
        fail(t, why_lost(t, kind), words);
        return;
    }
    fg_log(&t->cx, LOG_INFO, "ingest.again", LOG_S("job", t->work.job.public_id), LOG_I("try", n),
           LOG_S("words", words));
    task_trouble_later(t, t->cx.now_us + policy_fetch_us(&t->cx, n), kind);
}

struct storing {
    struct task *t;
    struct job job;
    struct stored video, poster;
    struct fg_err why; /* one of the two could not be put */
};

static enum fg_code stored_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct storing *s = arg;
    struct task *t = s->t;
    struct job *j = &s->job;
    enum fg_code rc = job_by_id(cx, db, t->work.job.id, j);
    j->output_state = OUTPUT_STORED;
    if (rc == FG_OK)
        rc = job_expiry(cx, db, j);
    if (rc == FG_OK)
        rc = job_move(cx, db, j, &(struct job_change){ .event = EV_STORED });
    if (rc == FG_OK)
        rc = db_run(cx, db, SQL_OUTPUT_INSERT,
                    DB_ARGS(DB(j->id), DB(s->video.name), DB(s->poster.name), DB(s->video.kind), DB(t->bytes), DB(hash_bytes(t->digest)),
                            DB(t->facts.width), DB(t->facts.height), DB(t->facts.duration_ms), DB(cx->now_us)));
    if (rc == FG_OK)
        rc = ledger_storage(cx, db, j->account_id, t->bytes);
    if (rc == FG_OK)
        rc = wire_write(cx, db, t);
    FG_CRASH_POINT("ingest.before_commit");
    return rc;
}

static void ended(void *arg, enum fg_code rc)
{
    struct task *t = arg;
    (void)task_ok(t, rc, "ingest.tidy_failed");
    task_end(t);
}

static void video_dropped(void *arg, enum fg_code rc)
{
    struct task *t = arg;
    (void)task_ok(t, rc, "ingest.remove_failed");
    if (t->storing->poster.name.p)
        store_remove(&t->cx, &t->s->store, &t->storing->poster, ended, t);
    else
        task_end(t);
}

/* After a COMMIT that did not go well the row says whether our files are the job's: one that is still being written is
 * waited for. While nobody can be asked they stay, and so do we: if another has the job by now, nobody else will look. */
static void settle_files(struct task *t)
{
    static const struct db_col cols[] = { COL(struct output, video_file) };
    const struct storing *s = t->storing;
    struct output o;
    bool found;
    enum fg_code rc = db_one(&t->cx, t->s->env.db, SQL_OUTPUT_SETTLED, DB_ARGS(DB(t->work.job.id)), DB_COLS(cols), &o,
                             &found);
    if (rc != FG_OK) {
        task_failed(t, rc, "ingest.settle_failed");
        task_when_back(t, settle_files);
        return;
    }
    if (!found || !fg_eq(o.video_file, s->video.name))
        store_remove(&t->cx, &t->s->store, &s->video, video_dropped, t);
    else
        task_end(t);
}

/* The files are in their place: for the database's sake nothing is fetched twice. */
static void commit_stored(struct task *t)
{
    struct storing *s = t->storing;
    enum fg_code rc = FG_JOB_MOVED;
    for (int i = 0; i < 3 && rc == FG_JOB_MOVED; i++)
        rc = db_tx(&t->cx, t->s->env.db, stored_body, s);
    if (rc == FG_DB_UNSURE)
        rc = job_settle(&t->cx, t->s->env.db, &s->job);
    if (db_no_help(rc)) {
        task_failed(t, rc, "ingest.commit_failed");
        task_when_back(t, commit_stored);
        return;
    }
    if (!task_ok(t, rc, "ingest.commit_failed")) {
        settle_files(t);
        return;
    }
    wire_written(t);
    job_log(&t->cx, &s->job);
    FG_CRASH_POINT("ingest.recorded");
    if (t->work.tries > 1) /* whoever tried before may have died between put and commit */
        store_keep_only(&t->cx, &t->s->store, t->work.job.public_id, (struct stored[]){ s->video, s->poster }, 2, ended, t);
    else
        task_end(t);
}

static void not_put(void *arg, enum fg_code rc)
{
    struct task *t = arg;
    (void)task_ok(t, rc, "ingest.remove_failed");
    t->cx.err = t->storing->why;
    room_wait(t, "ingest.put_failed");
}

static void poster_put(void *arg, enum fg_code rc)
{
    struct task *t = arg;
    if (rc != FG_OK) {
        t->storing->why = t->cx.err;
        store_remove(&t->cx, &t->s->store, &t->storing->video, not_put, t);
        return;
    }
    FG_CRASH_POINT("ingest.put");
    commit_stored(t);
}

static void video_put(void *arg, enum fg_code rc)
{
    struct task *t = arg;
    if (rc == FG_OK)
        store_put(&t->cx, &t->s->store, &t->poster, t->work.job.public_id, ".jpg", &t->storing->poster, poster_put, t);
    else
        room_wait(t, "ingest.put_failed");
}

/* What the children were lent is ours again. */
static void put(struct task *t)
{
    unsigned jail = t->s->env.conf->jail;
    if (child_return(&t->cx, jail, t->video.fd) != FG_OK || child_return(&t->cx, jail, t->poster.fd) != FG_OK) {
        room_wait(t, "ingest.return_failed");
        return;
    }
    t->storing = arena_new_of(t->cx.mem, struct storing);
    *t->storing = (struct storing){ .t = t };
    store_put(&t->cx, &t->s->store, &t->video, t->work.job.public_id, ".mp4", &t->storing->video, video_put, t);
}

/* A program that could decode nothing may call that a success. */
static bool is_picture(int fd)
{
    unsigned char head[2];
    return pread(fd, head, sizeof head, 0) == (ssize_t)sizeof head && head[0] == 0xff && head[1] == 0xd8;
}

static void poster_made(struct task *t, int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && is_picture(t->poster.fd))
        frames_check(t, put);
    else
        again(t, TROUBLE_INVALID, POLICY_GATE_MAX, FG_LIT("no frame could be taken from it"));
}

static void probed(struct task *t, int status)
{
    FG_CRASH_POINT("ingest.probed");
    enum fg_code rc = FG_INVALID_REQUEST;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && !t->child_out.bad)
        rc = gate_read(&t->cx, sb_str(&t->child_out), t->work.job.duration_s, &t->facts);
    else
        (void)fg_fail(&t->cx, rc, "ffprobe does not take it (status %d)", status);
    if (rc != FG_OK) {
        again(t, TROUBLE_INVALID, POLICY_GATE_MAX, fg_str_c(t->cx.err.detail));
        return;
    }
    struct child_call call;
    if (spool_new(&t->cx, t->s->env.conf, ".jpg", &t->poster) != FG_OK ||
        child_lend(&t->cx, t->s->env.conf->jail, t->poster.fd) != FG_OK) {
        room_wait(t, "ingest.poster_tmp_failed");
        return;
    }
    gate_poster_call(&t->cx, t->s->env.conf, t->video.path.p, t->poster.path.p, t->facts.duration_ms, &call);
    if (!task_child(t, &call, poster_made))
        room_wait(t, "ingest.poster_child_failed");
}

static void look_at(struct task *t)
{
    const struct conf *conf = t->s->env.conf;
    struct child_call call;
    enum fg_code rc = gate_look(&t->cx, t->video.fd, t->work.job.duration_s);
    if (rc == FG_INVALID_REQUEST) {
        again(t, TROUBLE_INVALID, POLICY_GATE_MAX, fg_str_c(t->cx.err.detail));
        return;
    }
    if (rc == FG_OK)
        rc = child_show(&t->cx, conf->jail, t->video.fd);
    gate_probe_call(&t->cx, conf, t->video.path.p, &call);
    if (rc != FG_OK || !task_child(t, &call, probed))
        room_wait(t, "ingest.probe_child_failed");
}

static void download(struct task *t);

/* Where the file is public to most and some must show the key. */
static bool wants_key(const struct task *t, const struct fetch_reply *r)
{
    return r->end == FETCH_ANSWERED && (r->status == 401 || r->status == 403) && !t->with_key &&
           t->found.output_key == KEY_IF_REFUSED && site_knows(&t->provider->site, t->found.output_url);
}

static void downloaded(void *arg, const struct fetch_reply *r)
{
    struct task *t = arg;
    FG_CRASH_POINT("ingest.downloaded");
    if (r->end == FETCH_LOCAL_IO) {
        (void)fg_fail(&t->cx, FG_IO, "%s", strerror(r->local_errno));
        room_wait(t, "ingest.write_failed");
        return;
    }
    if (r->end == FETCH_TOO_LARGE || r->end == FETCH_REFUSED) {
        fail(t, r->end == FETCH_REFUSED ? JOB_R_OUTPUT_UNREACHABLE : JOB_R_OUTPUT_INVALID, r->words);
        return;
    }
    if (wants_key(t, r)) {
        t->with_key = true;
        spool_drop(&t->video); /* it holds the words of the refusal */
        download(t);
        return;
    }
    if (r->end != FETCH_ANSWERED || r->status != 200) {
        struct fg_str words = r->end == FETCH_ANSWERED ? FG_LIT("an answer other than 200") : r->words;
        bool gone = r->status == 404 || r->status == 410;
        if (gone)
            again(t, TROUBLE_GONE, POLICY_GONE_MAX, words);
        else
            again(t, TROUBLE_SILENT, POLICY_FETCH_MAX, words);
        return;
    }
    t->bytes = r->body_bytes;
    memcpy(t->digest, r->body_hash, sizeof t->digest);
    look_at(t);
}

static void download(struct task *t)
{
    const struct conf *conf = t->s->env.conf;
    struct fetch_call call = fetch_call_init("GET", t->found.output_url);
    if (t->with_key && t->adapter->authorize && t->provider->site.key.n)
        t->adapter->authorize(&t->cx, &t->provider->site, &call);
    if (room_check(&t->cx, conf) != FG_OK || spool_new(&t->cx, conf, ".mp4", &t->video) != FG_OK) {
        room_wait(t, "ingest.tmp_failed");
        return;
    }
    call.to_fd = t->video.fd;
    call.timeout_ms = conf->media_fetch_timeout_s * 1000;
    call.max_bytes = conf->media_max_bytes;
    call.redirects = 3;
    task_fetch(t, WIRE_FETCH, &call, downloaded);
}

/* Links die: the provider is asked where the file is before each download. */
static void located(struct task *t, const struct poll_reply *r)
{
    FG_CRASH_POINT("ingest.located");
    if (!r->understood || r->state == REMOTE_QUEUED || r->state == REMOTE_RUNNING) {
        again(t, TROUBLE_SILENT, POLICY_FETCH_MAX, r->words.n ? r->words : FG_LIT("it no longer says that it is done"));
        return;
    }
    if (r->state == REMOTE_GONE) {
        again(t, TROUBLE_GONE, POLICY_GONE_MAX, r->words);
        return;
    }
    if (r->state == REMOTE_FAILED) {
        fail(t, r->reason == REASON_EXPIRED ? JOB_R_OUTPUT_UNREACHABLE : task_reason(r->reason), r->words);
        return;
    }
    t->found = *r;
    t->with_key = r->output_key == KEY_ALWAYS && site_knows(&t->provider->site, r->output_url);
    download(t);
}

void duty_ingest(struct task *t)
{
    if (t->work.job.stage != STAGE_STORING) {
        task_end(t);
        return;
    }
    FG_CRASH_POINT("ingest.claimed");
    if (!task_look(t, located))
        again(t, TROUBLE_SILENT, POLICY_FETCH_MAX, FG_LIT("its address does not fit"));
}

static void erased(void *arg, enum fg_code rc)
{
    struct task *t = arg;
    FG_CRASH_POINT("erase.removed");
    if (rc == FG_OK)
        rc = db_run(&t->cx, t->s->env.db, SQL_DUE_REMOVE, DB_ARGS(DB(t->work.due_id)));
    (void)task_ok(t, rc, "erase.failed"); /* the lease brings it back */
    task_end(t);
}

/* The second phase of an erasure: the row of work goes only when the files are gone. */
void duty_erase(struct task *t)
{
    store_keep_only(&t->cx, &t->s->store, t->work.job.public_id, NULL, 0, erased, t);
}
