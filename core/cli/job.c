/* filmgate jobs */
#include <stdio.h>

#include "base/time.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "io/redact.h"
#include "job/dossier.h"
#include "job/store.h"

#define EVENTS_SHOWN 1000
#define JOBS_SHOWN 50
#define PROMPT_SHOWN 60
#define SENTENCE_SHOWN 2000

static const struct db_col event_cols[] = {
    COL(struct job_event_row, seq),   COL(struct job_event_row, at_us),
    COL(struct job_event_row, kind),  COL(struct job_event_row, request_id),
    COL(struct job_event_row, data),  COL(struct job_event_row, state),
    COL(struct job_event_row, stage),
};

static void line(const char *name, struct fg_str v)
{
    if (v.n)
        printf("  %-12s %.*s\n", name, FG_P(v));
}

static void line_time(struct fg_ctx *cx, const char *name, int64_t us)
{
    if (us)
        line(name, time_iso(cx->mem, us));
}

static const char *place(int state, int stage)
{
    if (!state) /* no event: a callback that changed nothing */
        return "-";
    return stage == STAGE_DONE ? job_state_name((enum job_state)state)
                               : job_stage_name((enum job_stage)stage);
}

static void print_job(struct fg_ctx *cx, const struct job *j)
{
    const struct job_reason_info *why = j->error_code.n ? job_reason_by_slug(j->error_code) : NULL;
    printf("%.*s  %s%s%s  version %d\n", FG_P(j->public_id),
           job_state_name((enum job_state)j->state), j->stage ? ", " : "",
           j->stage ? job_stage_name((enum job_stage)j->stage) : "", j->version);
    line("error", j->error_code);
    if (why)
        line("", fg_str_c(why->words));
    printf("  %-12s %lld%s%.*s\n", "account", (long long)j->account_id,
           j->user_id.n ? ", user " : "", FG_P(cli_quoted(cx, j->user_id)));
    printf("  %-12s %.*s / %.*s, attempt %d\n", "provider", FG_P(j->provider), FG_P(j->model),
           j->attempt_n);
    line("their id", cli_quoted(cx, j->provider_job_id));
    printf("  %-12s %.*s, %.*s, %d s\n", "video", FG_P(j->aspect_ratio), FG_P(j->resolution),
           j->duration_s);
    line("prompt", cli_quoted(cx, j->prompt));
    line("image", cli_quoted(cx, j->image_url));
    line("upload", j->upload);
    printf("  %-12s %lld micro-%.*s\n", "price", (long long)j->price_micro, FG_P(j->currency));
    if (j->progress >= 0)
        printf("  %-12s %d %%\n", "progress", j->progress);
    line("request", j->request_id);
    line_time(cx, "created", j->created_us);
    line_time(cx, "started", j->started_us);
    line_time(cx, "deadline", j->deadline_us);
    line_time(cx, "cancel asked", j->cancel_us);
    line_time(cx, "finished", j->finished_us);
    line_time(cx, "deleted", j->deleted_us);
}

static void print_event(struct fg_ctx *cx, const struct job_event_row *e)
{
    printf("  %4d  %.*s  %-16.*s %-14s %.*s\n", e->state ? (int)e->seq : 0, FG_P(time_iso_us(cx->mem, e->at_us)),
           FG_P(e->kind), place(e->state, e->stage), FG_P(e->data));
}

static enum fg_code show(struct fg_ctx *cx, struct db *db, struct fg_str id)
{
    struct job j;
    struct output file = { 0 };
    struct job_event_row *events;
    size_t n;
    bool found;
    enum fg_code rc = db_one(cx, db, SQL_JOB_BY_PUBLIC_ID, DB_ARGS(DB(id)), job_row, &j, &found);
    if (rc == FG_OK && !found)
        rc = fg_fail(cx, FG_NOT_FOUND, "No job %.*s", FG_P(id));
    if (rc == FG_OK)
        rc = DB_ALL(cx, db, SQL_EVENT_LIST, DB_ARGS(DB(j.id), DB(j.id), DB(EVENTS_SHOWN)),
                    DB_COLS(event_cols), &events, &n);
    if (rc == FG_OK && j.output_state != OUTPUT_NONE)
        rc = output_of_job(cx, db, j.id, &file);
    if (rc != FG_OK)
        return rc;
    print_job(cx, &j);
    if (j.output_state != OUTPUT_NONE)
        line(j.output_state == OUTPUT_STORED ? "file" : "deleted file", file.video_file);
    printf("timeline\n");
    for (size_t i = 0; i < n; i++)
        print_event(cx, &events[i]);
    return FG_OK;
}

enum fg_code cli_jobs_show(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct db *db;
    (void)argc;
    enum fg_code rc = cli_db(cx, conf, &db);
    if (rc != FG_OK)
        return rc;
    rc = show(cx, db, fg_str_c(argv[0]));
    db_close(db);
    return rc;
}

enum fg_code cli_jobs_explain(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct dossier d;
    struct explained *e;
    struct db *db;
    size_t n;
    (void)argc;
    enum fg_code rc = cli_db(cx, conf, &db);
    if (rc != FG_OK)
        return rc;
    rc = dossier_read(cx, db, fg_str_c(argv[0]), &d);
    db_close(db);
    if (rc != FG_OK)
        return rc;
    dossier_explain(cx, &d, &e, &n);
    for (size_t i = 0; i < n; i++)
        printf("%.*s  %.*s\n", FG_P(time_iso(cx->mem, e[i].at_us)), FG_P(redact_excerpt(cx->mem, e[i].text, NULL, 0, SENTENCE_SHOWN)));
    return FG_OK;
}

static struct fg_str cut(struct fg_str s, size_t characters)
{
    size_t n = 0, len;
    while (characters-- && n < s.n && (len = utf8_len(s.p + n, s.n - n)) > 0)
        n += len;
    return (struct fg_str){ s.p, n };
}

enum fg_code cli_jobs_list(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    const char *name = cli_option(argc, argv, "--state");
    enum job_state state = JOB_PENDING;
    struct db *db;
    struct job *jobs;
    size_t n;
    if (name && !job_state_by_name(fg_str_c(name), &state))
        return fg_fail(cx, FG_INVALID_REQUEST, "%s is no state of a job", name);
    enum fg_code rc = cli_db(cx, conf, &db);
    if (rc != FG_OK)
        return rc;
    struct db_bind wanted = name ? DB((int)state) : DB_NULL;
    rc =
        DB_ALL(cx, db, SQL_JOB_NEWEST, DB_ARGS(wanted, wanted, DB(JOBS_SHOWN)), job_row, &jobs, &n);
    for (size_t i = 0; rc == FG_OK && i < n; i++)
        printf("%.*s  %.*s  %-14s  %-20.*s %.*s\n", FG_P(jobs[i].public_id),
               FG_P(time_iso(cx->mem, jobs[i].created_us)), place(jobs[i].state, jobs[i].stage),
               FG_P(jobs[i].error_code), FG_P(cli_quoted(cx, cut(jobs[i].prompt, PROMPT_SHOWN))));
    db_close(db);
    return rc;
}
