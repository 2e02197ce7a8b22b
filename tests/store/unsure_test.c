/* COMMIT was sent and its answer never came: whatever was to be written is there once or not at all, and whoever wanted it
 * finds out by reading. The requests one by one; of a sweeper every COMMIT that a job's life has. */

#include "job/act.h"
#include "store/job_world.h"

#define FAR 86400
#define SECRET FG_LIT("whsec_MDEyMzQ1Njc4OWFiY2RlZg==")
#define TURNS_MAX 20000
#define COMMITS_MAX 40

static const enum db_proxy_trick tricks[] = { PROXY_LOSE_COMMIT_ANSWER, PROXY_LOSE_COMMIT };

/* ---- requests ---- */

static struct fg_str waiting(struct job_world *w)
{
    return new_job(w, "replay-1", FAR);
}

static struct fg_str at_provider(struct job_world *w)
{
    struct fg_str id = new_job(w, "replay-1", FAR);
    settle(w);
    return id;
}

static struct fg_str finished(struct job_world *w)
{
    struct fg_str id = new_job(w, "replay-1", FAR);
    run_to_end(w, id);
    return id;
}

static struct fg_str unknown(struct job_world *w)
{
    say(w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_TAKE_LOSE });
    struct fg_str id = new_job(w, "wait-1", FAR);
    settle(w);
    fake_unsay(w->fake, FAKE_SUBMIT);
    check_place(w, id, JOB_PENDING, STAGE_SUBMIT_UNKNOWN, "", "its answer was lost");
    return id;
}

static enum fg_code cancel(struct job_world *w, struct fg_str id)
{
    struct job j;
    return job_cancel(w->cx, &w->env, &w->who, id, &j);
}

static enum fg_code erase(struct job_world *w, struct fg_str id)
{
    return job_erase(w->cx, &w->env, &w->who, id);
}

static enum fg_code decide(struct job_world *w, struct fg_str id)
{
    const struct act_order o = { .kind = ACT_RESOLVE, .job = id, .actor = ACTION_OPERATOR, .reason = FG_NONE,
                                 .accepted = arena_fmt(w->cx->mem, "video_of_%.*s", FG_P(id)) };
    struct act_done done;
    return act_run(w->cx, &w->env, &o, &done);
}

static enum fg_code hold_it(struct job_world *w, struct fg_str id)
{
    const struct act_order o = { .kind = ACT_HOLD, .job = id, .actor = ACTION_OPERATOR, .reason = FG_LIT("a court") };
    struct act_done done;
    return act_run(w->cx, &w->env, &o, &done);
}

static enum fg_code retry(struct job_world *w, struct fg_str id)
{
    const struct act_order o = { .kind = ACT_RETRY, .job = id, .actor = ACTION_OPERATOR, .reason = FG_NONE };
    struct act_done done;
    return act_run(w->cx, &w->env, &o, &done);
}

static enum fg_code call_back(struct job_world *w, struct fg_str id)
{
    struct callback_in in = { .provider = FG_LIT("replay"), .headers.webhook_id = id,
                              .body = arena_fmt(w->cx->mem, "{\"type\":\"video.completed\",\"data\":{\"id\":\"%.*s\"}}",
                                                FG_P(job_now(w, id).provider_job_id)) };
    struct callback_out out;
    int64_t now_s = w->t.utc_us / FG_US_PER_S;
    in.token = ask_text(w, "SELECT a.callback_token FROM attempt a JOIN job j ON j.id = a.job_id WHERE j.public_id = "
                           "'%.*s'", FG_P(id));
    in.headers.webhook_timestamp = arena_fmt(w->cx->mem, "%lld", (long long)now_s);
    CHECK_CODE(w->cx, webhook_sign(w->cx, SECRET, in.headers.webhook_id, now_s, in.body, &in.headers.webhook_signature),
               FG_OK);
    return job_callback(w->cx, &w->env, &in, &out);
}

TEST(a_request_finds_out_what_became_of_its_commit)
{
    static const struct {
        const char *why, *event;
        struct fg_str (*job)(struct job_world *w);
        enum fg_code (*act)(struct job_world *w, struct fg_str id);
        enum db_program program;
    } row[] = {
        { "cancel of one that waits: it cannot be asked for twice", "canceled", waiting, cancel, DB_WEB },
        { "cancel of one at its provider", "cancel_requested", at_provider, cancel, DB_WEB },
        { "erase", "deleted", finished, erase, DB_WEB },
        { "a callback, which its provider would repeat", "callback", at_provider, call_back, DB_WEB },
        { "the operator's decision", "accepted", unknown, decide, DB_CLI },
        { "support's hold", "operator", at_provider, hold_it, DB_WEB },
        { "support's new job", "operator", finished, retry, DB_WEB },
    };
    struct job_world w;
    struct relayed r;
    job_world_begin(&w);
    for (size_t i = 0; i < FG_LEN(row) * FG_LEN(tricks); i++) {
        size_t n = i / FG_LEN(tricks);
        enum db_proxy_trick trick = tricks[i % FG_LEN(tricks)];
        bool kept = trick == PROXY_LOSE_COMMIT_ANSWER;
        w.cx->request_id = FG_LIT("req-1");
        struct fg_str id = row[n].job(&w);
        w.cx->request_id = FG_LIT("req-2");
        relay_begin(&w, &r, row[n].program);
        *r.proxy.trick = (int)trick;
        CHECK_CODE(w.cx, row[n].act(&w, id), kept ? FG_OK : FG_DB_LOST);
        CHECK_I64(*r.proxy.trick, PROXY_PASS, "the trick was played");
        if (!kept)
            CHECK_CODE(w.cx, row[n].act(&w, id), FG_OK);
        relay_end(&w, &r);
        long long job = (long long)job_now(&w, id).id;
        CHECK_I64(ask(&w, "SELECT COUNT(*) FROM job_event WHERE job_id = %lld AND kind = '%s'", job, row[n].event), 1,
                  row[n].why);
        CHECK_I64(ask(&w, "SELECT COUNT(*) FROM operator_action WHERE job_id = %lld AND outcome = 'done'", job),
                  row[n].act == decide || row[n].act == hold_it || row[n].act == retry, row[n].why);
        CHECK_I64(ask(&w, "SELECT COUNT(*) FROM callback_receipt WHERE job_id = %lld", job), row[n].act == call_back,
                  row[n].why);
    }
    job_world_end(&w, 0);
}

TEST(another_who_came_to_the_same_version_is_told_apart)
{
    struct job_world w;
    job_world_begin(&w);
    struct job j = job_now(&w, waiting(&w));
    CHECK_CODE(w.cx, cancel(&w, j.public_id), FG_OK);
    struct job ours = job_now(&w, j.public_id);
    CHECK_CODE(w.cx, job_settle(w.cx, w.env.db, &ours), FG_OK);
    w.cx->request_id = FG_LIT("req-2");
    CHECK_CODE(w.cx, job_settle(w.cx, w.env.db, &ours), FG_DB_LOST);
    ours.version++;
    CHECK_CODE(w.cx, job_settle(w.cx, w.env.db, &ours), FG_DB_LOST);
    job_world_end(&w, 0);
}

/* ---- a sweeper ---- */

/* Real pauses are not waited for. */
static void turn(struct sweeper *s)
{
    s->away_until_us = 0;
    s->next_upkeep_us = INT64_MAX; /* files have real times: it would take them for old ones */
    for (struct task *t = s->tasks; t; t = t->next)
        t->retry_mono_us = 0;
    look_anew(s);
    (void)sweep_pass(s);
    sweep_wait(s, -1, -1, FG_US_PER_MS);
}

/* The clock moves from one piece of due work to the next, but never as far as a lease: nothing may have to wait for its
 * end. */
static void live(struct job_world *w, struct sweeper *s, struct fg_str id, const char *why)
{
    for (unsigned i = 0; !job_terminal((enum job_state)job_now(w, id).state) || sweep_busy(s) || s->later_n; i++) {
        CHECK(i < TURNS_MAX, why);
        turn(s);
        int64_t now = w->t.utc_us, next = ask(w, "SELECT MIN(due_us) FROM due WHERE kind <> %d", DUE_DEADLINE);
        if (sweep_busy(s) || s->later_n || next <= now)
            continue;
        CHECK(next - now < w->conf.sweeper_lease_s * FG_US_PER_S, why);
        clock_add(w, next - now);
    }
}

/* False: the life had no COMMIT of that number. */
static bool lose_commit(struct job_world *w, struct db_proxy *proxy, enum db_proxy_trick trick, int number)
{
    struct sweeper s;
    struct conf through = w->conf;
    unsigned submits = fake_count(w->fake, FAKE_SUBMIT), files = fake_count(w->fake, FAKE_CONTENT);
    unsigned lines = w->t.error_lines;
    const char *why = arena_fmt(w->cx->mem, "COMMIT %d, trick %d", number, (int)trick).p;
    through.db_socket = fg_str_c(proxy->path);
    CHECK_CODE(w->cx, sweeper_open(w->cx, &s, &through, w->catalogue, w->pepper), FG_OK);
    fake_unsay(w->fake, FAKE_POLL);
    say_status(w, "in_progress", 40);
    say(w, FAKE_POLL, (struct fake_reply){ .way = FAKE_DEFAULT });
    struct fg_str id = new_job(w, "list-1", FAR);
    *proxy->skip = number;
    *proxy->trick = (int)trick;
    live(w, &s, id, why);
    bool played = *proxy->trick == PROXY_PASS;
    check_place(w, id, JOB_SUCCEEDED, STAGE_DONE, "", why);
    CHECK_I64(fake_count(w->fake, FAKE_SUBMIT) - submits, 1, why);
    CHECK_I64(fake_count(w->fake, FAKE_CONTENT) - files, 1, why);
    CHECK_I64(files_of(w, id), 2, why);
    CHECK_I64(ask(w, "SELECT COUNT(*) - COUNT(DISTINCT kind) FROM job_event WHERE job_id = %lld",
                  (long long)job_now(w, id).id), 0, why);
    CHECK(w->t.error_lines - lines <= 2, "told, and not over and over");
    sweeper_close(&s);
    return played;
}

TEST(a_sweeper_finds_out_what_became_of_each_of_its_commits)
{
    struct job_world w;
    struct db_proxy proxy;
    job_world_begin(&w);
    db_proxy_start(&proxy, db_server_dir(), arena_cstr(w.cx->mem, w.conf.db_socket));
    for (size_t i = 0; i < FG_LEN(tricks); i++) {
        int n = 0;
        while (n < COMMITS_MAX && lose_commit(&w, &proxy, tricks[i], n))
            n++;
        CHECK(n >= 5 && n < COMMITS_MAX, "claim, acceptance, progress, output, file");
    }
    db_proxy_stop(&proxy);
    job_world_end(&w, w.t.error_lines);
}
