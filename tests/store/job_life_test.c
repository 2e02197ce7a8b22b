/* A job's life as its owner sees it: moves and their guard, ends, lists, who may look, cancel, erase. */

#include "store/job_world.h"

#define FAR 86400

/* ---- job_move ---- */

struct moving {
    struct job job;
    struct job_change ch;
};

static enum fg_code move_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct moving *m = arg;
    struct job j = m->job;
    return job_move(cx, db, &j, &m->ch);
}

static enum fg_code move(struct job_world *w, const struct job *j, enum job_event ev, enum job_reason reason)
{
    struct moving m = { *j, { .event = ev, .reason = reason } };
    return db_tx(w->cx, w->env.db, move_body, &m);
}

static int64_t work_of(struct job_world *w, const struct job *j)
{
    return ask(w, "SELECT IFNULL(SUM(kind), 0) FROM due WHERE job_id = %lld", (long long)j->id);
}

TEST(a_move_that_the_table_does_not_have_changes_nothing)
{
    struct job_world w;
    job_world_begin(&w);
    struct job j = job_now(&w, new_job(&w, "replay-1", FAR));
    static const enum job_event bad[] = { EV_CREATED, EV_NOT_SENT, EV_UNKNOWN, EV_ACCEPTED, EV_STARTED,
                                          EV_OUTPUT, EV_STORED };
    for (size_t i = 0; i < FG_LEN(bad); i++)
        CHECK_CODE(w.cx, move(&w, &j, bad[i], JOB_R_NONE), FG_JOB_MOVED);
    struct job stale = j;
    stale.version--;
    CHECK_CODE(w.cx, move(&w, &stale, EV_CLAIM, JOB_R_NONE), FG_JOB_MOVED);
    CHECK_CODE(w.cx, move(&w, &stale, EV_CALLBACK, JOB_R_NONE), FG_JOB_MOVED);
    stale = j;
    stale.state = JOB_QUEUED;
    stale.stage = STAGE_AT_PROVIDER;
    CHECK_CODE(w.cx, move(&w, &stale, EV_STARTED, JOB_R_NONE), FG_JOB_MOVED);
    CHECK_I64(job_now(&w, j.public_id).version, 1, "untouched");
    CHECK_IS(timeline(&w, j.public_id), "", "and nothing is told");
    CHECK_CODE(w.cx, move(&w, &j, EV_CLAIM, JOB_R_NONE), FG_OK);
    CHECK_CODE(w.cx, move(&w, &j, EV_CLAIM, JOB_R_NONE), FG_JOB_MOVED);
    job_world_end(&w, 0);
}

TEST(every_end_ends_the_hold_once_and_drops_the_work)
{
    static const struct {
        enum job_event path[6]; /* ends with EV_CREATED */
        enum job_reason reason; /* of the last */
        enum job_state state;
        int64_t kind;           /* of the ledger's end */
        int64_t work;           /* that is left */
    } row[] = {
        { { EV_CLAIM, EV_ACCEPTED, EV_STARTED, EV_OUTPUT, EV_STORED }, JOB_R_NONE, JOB_SUCCEEDED, 2, 0 },
        { { EV_CLAIM, EV_ACCEPTED, EV_OUTPUT, EV_FAILED }, JOB_R_OUTPUT_INVALID, JOB_FAILED, 3, DUE_ERASE },
        { { EV_CLAIM, EV_FAILED }, JOB_R_BLOCKED_PROMPT, JOB_FAILED, 3, 0 },
        { { EV_CLAIM, EV_UNKNOWN, EV_FAILED }, JOB_R_SUBMIT_UNKNOWN, JOB_FAILED, 3, 0 },
        { { EV_CLAIM, EV_ACCEPTED, EV_STARTED, EV_DEADLINE }, JOB_R_DEADLINE_EXCEEDED, JOB_EXPIRED, 3, 0 },
        { { EV_DEADLINE }, JOB_R_DEADLINE_EXCEEDED, JOB_EXPIRED, 3, 0 },
        { { EV_CANCELED }, JOB_R_CANCELED, JOB_FAILED, 3, 0 },
    };
    static const enum job_event ends[] = { EV_STORED, EV_FAILED, EV_DEADLINE, EV_CANCELED };
    struct job_world w;
    job_world_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fg_str id = new_job(&w, "replay-1", FAR);
        for (size_t k = 0; row[i].path[k] != EV_CREATED; k++) {
            bool last = row[i].path[k + 1] == EV_CREATED;
            struct job j = job_now(&w, id);
            CHECK(work_of(&w, &j) >= DUE_DEADLINE + DUE_DISPATCH, "a stage's work and the deadline");
            CHECK_CODE(w.cx, move(&w, &j, row[i].path[k], last ? row[i].reason : JOB_R_NONE), FG_OK);
        }
        struct job j = job_now(&w, id);
        CHECK_I64(j.state, row[i].state, "ended");
        CHECK_I64(j.finished_us, w.t.utc_us, "at this instant");
        CHECK_I64(work_of(&w, &j), row[i].work, "no work is left, but to look for files");
        CHECK_I64(ask(&w, "SELECT COUNT(*) FROM ledger WHERE job_id = %lld", (long long)j.id), 2, "hold and end");
        CHECK_I64(ask(&w, "SELECT kind FROM ledger WHERE side = 1 AND job_id = %lld", (long long)j.id),
                  row[i].kind, "settle or release");
        for (size_t k = 0; k < FG_LEN(ends); k++)
            CHECK_CODE(w.cx, move(&w, &j, ends[k], k ? JOB_R_PROVIDER_FAILED : JOB_R_NONE), FG_JOB_MOVED);
    }
    job_world_end(&w, 0);
}

/* However much its provider takes for it. */
TEST(only_what_the_table_says_is_charged)
{
    struct job_world w;
    job_world_begin(&w);
    for (int r = JOB_R_NONE + 1; r < JOB_REASON_N; r++)
        for (int takes = 0; takes < 2; takes++) {
            const struct job_reason_info *why = job_reason_info((enum job_reason)r);
            struct fg_str id = new_job(&w, "replay-1", FAR);
            int64_t balance = ask(&w, "SELECT balance_micro FROM account_use WHERE account_id = 1");
            enum job_event path[] = { EV_CLAIM, EV_ACCEPTED, r == JOB_R_DEADLINE_EXCEEDED ? EV_DEADLINE : EV_FAILED };
            for (size_t k = 0; k < FG_LEN(path); k++) {
                struct job j = job_now(&w, id);
                struct moving m = { j, { .event = path[k], .reason = k == 2 ? (enum job_reason)r : JOB_R_NONE,
                                         .charged = k == 2 && takes } };
                CHECK_CODE(w.cx, db_tx(w.cx, w.env.db, move_body, &m), FG_OK);
            }
            struct job j = job_now(&w, id);
            bool pays = takes && (r == JOB_R_BLOCKED_PROMPT || r == JOB_R_BLOCKED_IMAGE);
            CHECK_I64(j.charged, pays, why->slug);
            CHECK_I64(ask(&w, "SELECT balance_micro FROM account_use WHERE account_id = 1") - balance,
                      pays ? 0 : j.price_micro, why->slug);
        }
    job_world_end(&w, 0);
}

TEST(the_timeline_is_in_order)
{
    struct job_world w;
    struct job_event_row *e;
    size_t n;
    job_world_begin(&w);
    say_status(&w, "queued", -1);
    say_status(&w, "in_progress", 10);
    say_status(&w, "in_progress", 60);
    say_status(&w, "completed", 100);
    struct fg_str id = new_job(&w, "replay-1", FAR);
    run_to_end(&w, id);
    CHECK_CODE(w.cx, job_events(w.cx, &w.env, &w.who, id, &e, &n), FG_OK);
    CHECK_I64(n, 6, "progress alone is no news");
    for (size_t i = 1; i < n; i++)
        CHECK(e[i].seq > e[i - 1].seq && e[i].at_us >= e[i - 1].at_us, "in order");
    CHECK_IS(timeline(&w, id), "submitting accepted started output_ready succeeded", "what happened");
    CHECK_I64(e[n - 1].state, JOB_SUCCEEDED, "the last one tells the end");
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "all went well");
    job_world_end(&w, 0);
}

/* A handler that waited for the row, and a clock that was an hour ahead when somebody else moved it. */
TEST(whoever_waited_does_not_turn_the_timeline_round)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = new_job(&w, "replay-1", FAR);
    struct job j = job_now(&w, id);
    CHECK_CODE(w.cx, move(&w, &j, EV_CLAIM, JOB_R_NONE), FG_OK);
    int64_t moved_us = w.cx->now_us;
    w.cx->now_us = moved_us - FG_US_PER_S;
    j = job_now(&w, id);
    CHECK_CODE(w.cx, move(&w, &j, EV_ACCEPTED, JOB_R_NONE), FG_OK);
    w.cx->now_us = moved_us - 3600 * FG_US_PER_S;
    j = job_now(&w, id);
    CHECK_CODE(w.cx, move(&w, &j, EV_STARTED, JOB_R_NONE), FG_OK);
    CHECK_I64(ask(&w, "SELECT at_us FROM job_event WHERE seq = 3"), moved_us, "not before what came before it");
    CHECK_I64(ask(&w, "SELECT at_us FROM job_event WHERE seq = 4"), w.cx->now_us, "no wrong clock is waited for");
    w.cx->now_us = moved_us;
    run_to_end(&w, id);
    job_world_end(&w, 0);
}

/* ---- lists ---- */

static struct job_list list(struct job_world *w, struct job_list_query q)
{
    struct job_list l;
    CHECK_CODE(w->cx, job_list(w->cx, &w->env, &w->who, &q, &l), FG_OK);
    return l;
}

TEST(pages_have_every_job_once)
{
    struct job_world w;
    struct fg_str id[7];
    job_world_begin(&w);
    for (size_t i = 0; i < FG_LEN(id); i++) /* all in one instant */
        id[i] = new_job(&w, "replay-1", FAR);
    for (int limit = 1; limit <= 8; limit++) {
        struct job_list_query q = { .limit = limit };
        size_t seen = 0;
        do {
            struct job_list l = list(&w, q);
            for (size_t i = 0; i < l.n; i++, seen++)
                CHECK(seen < FG_LEN(id) && fg_eq(l.row[i].job.public_id, id[FG_LEN(id) - 1 - seen]), "newest first");
            q.cursor = l.next_cursor;
        } while (q.cursor.p);
        CHECK_I64(seen, FG_LEN(id), "none is missing");
    }
    struct job j;
    CHECK_CODE(w.cx, job_cancel(w.cx, &w.env, &w.who, id[3], &j), FG_OK);
    struct job_list l = list(&w, (struct job_list_query){ .states = 1U << JOB_FAILED });
    CHECK(l.n == 1 && fg_eq(l.row[0].job.public_id, id[3]), "by status");
    job_world_end(&w, 0);
}

TEST(bad_list_queries_are_refused)
{
    struct job_world w;
    struct job_list l;
    job_world_begin(&w);
    struct fg_str own = new_job(&w, "replay-1", FAR);
    w.who.account_id = 2;
    struct fg_str foreign = new_job(&w, "replay-1", FAR);
    w.who.account_id = 1;
    struct job_list_query bad[] = {
        { .limit = -1 },
        { .limit = JOB_LIST_MAX + 1 },
        { .cursor = FG_LIT("x") },
        { .cursor = foreign },
        { .cursor = own, .has_changed_since = true },
        { .cursor = FG_LIT("-1.job_0"), .has_changed_since = true },
        { .states = 1U << JOB_QUEUED, .has_changed_since = true },
        { .word = { FG_LIT("boat") }, .word_n = 1, .has_changed_since = true },
    };
    for (size_t i = 0; i < FG_LEN(bad); i++)
        CHECK_CODE(w.cx, job_list(w.cx, &w.env, &w.who, &bad[i], &l), FG_INVALID_REQUEST);
    job_world_end(&w, 0);
}

/* Follows the changes as a page does: every answer says what to ask with next time. */
static size_t follow(struct job_world *w, int64_t *since_us, struct fg_str id)
{
    struct job_list_query q = { .has_changed_since = true, .changed_since_us = *since_us, .limit = 2 };
    size_t seen = 0;
    do {
        struct job_list l = list(w, q);
        for (size_t i = 0; i < l.n; i++)
            seen += fg_eq(l.row[i].job.public_id, id);
        q.cursor = l.next_cursor;
        *since_us = l.changed_since_us;
    } while (q.cursor.p);
    return seen;
}

TEST(a_change_that_commits_late_is_not_missed)
{
    struct job_world w;
    job_world_begin(&w);
    int64_t since_us = w.t.utc_us - FG_US_PER_S;
    for (int i = 0; i < 5; i++)
        (void)new_job(&w, "replay-1", FAR);
    clock_add(&w, 60 * FG_US_PER_S);
    CHECK_I64(follow(&w, &since_us, FG_LIT("none")), 0, "the page is up to date");
    /* A request that began before that look, and commits after it. */
    int64_t budget_us = w.conf.db_tx_budget_ms * FG_US_PER_MS;
    clock_add(&w, -budget_us);
    struct fg_str late = new_job(&w, "replay-1", FAR);
    clock_add(&w, budget_us + FG_US_PER_S);
    CHECK_I64(follow(&w, &since_us, late), 1, "it is told at the next look");
    clock_add(&w, 60 * FG_US_PER_S);
    (void)follow(&w, &since_us, late);
    CHECK_I64(follow(&w, &since_us, late), 0, "and not for ever");
    struct job j;
    CHECK_CODE(w.cx, job_cancel(w.cx, &w.env, &w.who, late, &j), FG_OK);
    CHECK_I64(follow(&w, &since_us, late), 1, "until it changes again");
    clock_add(&w, 60 * FG_US_PER_S);
    (void)follow(&w, &since_us, late);
    CHECK_CODE(w.cx, job_erase(w.cx, &w.env, &w.who, late), FG_OK);
    CHECK_I64(follow(&w, &since_us, late), 1, "a deletion is told too");
    CHECK_I64(list(&w, (struct job_list_query){ 0 }).n, 5, "though it is gone from the list");
    job_world_end(&w, 0);
}

/* ---- who may look ---- */

TEST(what_belongs_to_others_is_not_there)
{
    struct job_world w;
    struct job j;
    struct job_event_row *e;
    size_t n;
    job_world_begin(&w);
    w.who = (struct identity){ .account_id = 1, .role = ROLE_USER, .user_id = "anna" };
    struct fg_str id = new_job(&w, "replay-1", FAR);
    CHECK_IS(job_now(&w, id).user_id, "anna", "a user key's job is its user's");
    static const struct { const char *why; struct identity who; enum fg_code rc; size_t n; } row[] = {
        { "its user", { .account_id = 1, .role = ROLE_USER, .user_id = "anna" }, FG_OK, 1 },
        { "its app", { .account_id = 1, .role = ROLE_APP }, FG_OK, 1 },
        { "another user", { .account_id = 1, .role = ROLE_USER, .user_id = "bob" }, FG_NOT_FOUND, 0 },
        { "another account", { .account_id = 2, .role = ROLE_APP }, FG_NOT_FOUND, 0 },
        { "another account's admin", { .account_id = 2, .role = ROLE_ADMIN }, FG_NOT_FOUND, 0 },
        { "another account's anna", { .account_id = 2, .role = ROLE_USER, .user_id = "anna" }, FG_NOT_FOUND, 0 },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        w.who = row[i].who;
        CHECK_CODE(w.cx, job_read(w.cx, &w.env, &w.who, id, &j), row[i].rc);
        CHECK_CODE(w.cx, job_events(w.cx, &w.env, &w.who, id, &e, &n), row[i].rc);
        CHECK_I64(list(&w, (struct job_list_query){ .user_id = FG_LIT("anna") }).n, row[i].n, row[i].why);
        CHECK_I64(list(&w, (struct job_list_query){ .has_changed_since = true }).n, row[i].n, row[i].why);
        if (row[i].rc == FG_OK)
            continue;
        CHECK_CODE(w.cx, job_cancel(w.cx, &w.env, &w.who, id, &j), FG_NOT_FOUND);
        CHECK_CODE(w.cx, job_erase(w.cx, &w.env, &w.who, id), FG_NOT_FOUND);
    }
    static const char *const no_id[] = { "", "job_", "job_00000000000000000000000000", "x", "job_\xff" };
    for (size_t i = 0; i < FG_LEN(no_id); i++)
        CHECK_I64(job_read(w.cx, &w.env, &w.who, fg_str_c(no_id[i]), &j), FG_NOT_FOUND, no_id[i]);
    job_world_end(&w, 0);
}

/* ---- cancel ---- */

TEST(a_cancel_is_final_before_the_submit_and_a_wish_after_it)
{
    struct job_world w;
    struct job j;
    job_world_begin(&w);
    struct fg_str waiting = new_job(&w, "replay-1", FAR);
    CHECK_CODE(w.cx, job_cancel(w.cx, &w.env, &w.who, waiting, &j), FG_OK);
    check_place(&w, waiting, JOB_FAILED, STAGE_DONE, "canceled", "at once");
    settle(&w);
    CHECK_I64(fake_count(w.fake, FAKE_SUBMIT), 0, "and the provider never hears of it");
    int version = job_now(&w, waiting).version;
    CHECK_CODE(w.cx, job_cancel(w.cx, &w.env, &w.who, waiting, &j), FG_OK);
    CHECK(j.version == version && j.state == JOB_FAILED, "asked twice is asked once");

    say_status(&w, "in_progress", 1);
    struct fg_str there = new_job(&w, "replay-1", FAR);
    settle(&w);
    for (int i = 0; i < 2; i++) {
        CHECK_CODE(w.cx, job_cancel(w.cx, &w.env, &w.who, there, &j), FG_OK);
        CHECK_I64(j.cancel_us, w.t.utc_us, "asked");
    }
    CHECK_IS(timeline(&w, there), "submitting accepted cancel_requested", "told once");
    fake_unsay(w.fake, FAKE_POLL);
    run_to_end(&w, there);
    check_place(&w, there, JOB_SUCCEEDED, STAGE_DONE, "", "what comes anyway is delivered");
    CHECK(job_now(&w, there).cancel_us != 0, "and says so");
    CHECK_CODE(w.cx, job_cancel(w.cx, &w.env, &w.who, there, &j), FG_JOB_FINISHED);
    job_world_end(&w, 0);
}

/* ---- erase ---- */

TEST(an_erasure_leaves_no_words_and_no_files)
{
    struct job_world w;
    struct job_answer a, again;
    job_world_begin(&w);
    const char *body = arena_fmt(w.cx->mem, "{\"prompt\":\"a secret fish\",\"aspectRatio\":\"16:9\",\"duration\":5,"
                                 "\"imageUrl\":\"http://127.0.0.1:%u/comfy/picture.png?secret\",\"metadata\":{\"secret\":\"fish\"}}",
                                 fake_port(w.fake)).p;
    CHECK_CODE(w.cx, create_job(&w, fg_str_c(body), "k", &a), FG_OK);
    CHECK_CODE(w.cx, job_erase(w.cx, &w.env, &w.who, a.job_id), FG_JOB_NOT_FINISHED);
    run_to_end(&w, a.job_id);
    CHECK_I64(files_of(&w, a.job_id), 2, "video and poster");
    for (int i = 0; i < 2; i++)
        CHECK_CODE(w.cx, job_erase(w.cx, &w.env, &w.who, a.job_id), FG_OK);
    struct job j = job_now(&w, a.job_id);
    CHECK(!j.prompt.p && !j.metadata.p && !j.image_url.p, "no words at once");
    CHECK_I64(j.output_state, 2, "no output");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM idempotency WHERE answer LIKE '%%secret%%'"), 0, "nor in the answer kept");
    settle(&w);
    CHECK_I64(files_of(&w, a.job_id), 0, "no files once the sweeper has been there");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM due"), 0, "nothing left to do");
    CHECK_CODE(w.cx, create_job(&w, fg_str_c(body), "k", &again), FG_OK);
    CHECK(again.replayed && fg_eq(again.job_id, a.job_id), "its key still makes no second job");
    CHECK(!strstr(arena_cstr(w.cx->mem, again.body), "secret"), "and shows what is left");
    CHECK_IS(timeline(&w, a.job_id), "image_stored cleared submitting accepted output_ready succeeded deleted",
             "told once");
    job_world_end(&w, 0);
}
