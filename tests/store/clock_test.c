/* A clock that jumps an hour: nothing comes due by it and nothing waits because of it, whatever a job is doing; two
 * sweepers, a database that is away and a second host are no exception. */
#include "store/job_world.h"

#define S FG_US_PER_S
#define HOUR (3600 * S)
#define FAR 86400

static void settle_jump(struct sweeper *s)
{
    look_anew(s);
    CHECK_I64(sweep_pass(s), CLOCK_NAP_US, "nothing begins while a jump is being settled");
    s->clock.noticed_us -= CLOCK_GRACE_US;
    s->clock.next_try_us = 0;
    sweep_wait(s, -1, -1, 0);
}

static void jump(struct job_world *w, int64_t us)
{
    t_jump(&w->t, us);
    settle_jump(&w->sweeper);
    CHECK_I64(w->sweeper.clock.offset_us, w->t.utc_us - w->t.env.boot_us(&w->t), "the new time is everybody's");
}

/* Time that went by, whatever the clock says. */
static int64_t lived_us(struct job_world *w)
{
    return w->t.env.boot_us(&w->t);
}

static struct fg_str dues(struct job_world *w)
{
    return ask_text(w, "SELECT GROUP_CONCAT(due_us ORDER BY id) FROM due");
}

/* ---- what is moved, and what is not ---- */

/* Everything that is yet to come, as it is seen from now. */
static struct fg_str distances(struct job_world *w)
{
    static const char *const of[] = {
        "SELECT GROUP_CONCAT(CONCAT(kind, due_us - now) ORDER BY due.id) FROM due",
        "SELECT GROUP_CONCAT(deadline_us - now ORDER BY job.id) FROM job WHERE stage > 0",
        "SELECT GROUP_CONCAT(a.created_us + jumped_us - now ORDER BY a.id) FROM attempt a JOIN job j ON j.id = job_id "
        "WHERE stage > 0",
        "SELECT GROUP_CONCAT(due_us - now ORDER BY d.id) FROM webhook_delivery d WHERE state = 1",
        "SELECT GROUP_CONCAT(failing_since_us - now) FROM webhook_endpoint",
        "SELECT GROUP_CONCAT(IFNULL(expires_us - now, 'never') ORDER BY s.id) FROM webhook_secret s",
        "SELECT GROUP_CONCAT(expires_us - now) FROM session",
        "SELECT GROUP_CONCAT(CONCAT_WS('/', IFNULL(parked_until_us - now, 'not'), IFNULL(breaker_us - now, 'not')) "
        "ORDER BY provider) FROM provider_state",
        "SELECT GROUP_CONCAT(CONCAT_WS('/', fetched_us - now, tried_us - now, wanted_us - now)) FROM provider_keys",
        "SELECT GROUP_CONCAT(at_us - now ORDER BY name) FROM heartbeat",
        "SELECT GROUP_CONCAT(CONCAT_WS('/', forgotten_us - now, urgent_us - now)) FROM storage_wait",
    };
    struct sb all = sb_in(w->cx->mem, 8192);
    do_sql(w, "CREATE OR REPLACE TEMPORARY TABLE moment AS SELECT %lld AS now", (long long)w->t.utc_us);
    for (size_t i = 0; i < FG_LEN(of); i++) {
        struct fg_str words = fg_str_c(of[i]), from = fg_str_c(strstr(of[i], " FROM "));
        struct fg_str one = ask_text(w, "%.*s FROM moment, %s", (int)(words.n - from.n), words.p, from.p + 6);
        CHECK(one.n > 0, of[i]);
        sb_addf(&all, "%.*s\n", FG_P(one));
    }
    return sb_str(&all);
}

/* What was said at its time. */
static struct fg_str history(struct job_world *w)
{
    return ask_text(w, "SELECT CONCAT_WS('|', (SELECT GROUP_CONCAT(CONCAT_WS('/', version, created_us, updated_us, "
                       "finished_us) ORDER BY id) FROM job), (SELECT GROUP_CONCAT(at_us ORDER BY job_id, seq) FROM "
                       "job_event), (SELECT GROUP_CONCAT(created_us ORDER BY id) FROM attempt), (SELECT deadline_us "
                       "FROM job WHERE stage = 0), (SELECT due_us FROM webhook_delivery WHERE state = 2), (SELECT "
                       "GROUP_CONCAT(paused_us) FROM provider_state))");
}

static void fill(struct job_world *w)
{
    long long now = (long long)w->t.utc_us;
    struct fg_str done = new_job(w, "list-1", FAR);
    run_to_end(w, done);
    say_status(w, "in_progress", 10);
    (void)new_job(w, "list-1", FAR);
    settle(w);
    clock_add(w, 3 * S);
    (void)new_job(w, "replay-1", 900);
    do_sql(w, "SET foreign_key_checks = 0;"
              "INSERT INTO webhook_endpoint (id, public_id, account_id, url, events, description, created_us, "
              "failing_since_us) VALUES (1, 'whe_1', 1, 'u', 0, '', 1, %lld);"
              "INSERT INTO webhook_secret (account_id, secret, created_us, expires_us) VALUES (1, 'a', 1, NULL), "
              "(1, 'b', 1, %lld);"
              "INSERT INTO webhook_delivery (public_id, message_id, account_id, endpoint_id, lane, state, due_us, "
              "created_us) VALUES ('d1', 1, 1, 1, 1, 1, %lld, 1), ('d2', 1, 1, 1, 1, 2, %lld, 1);"
              "INSERT INTO session VALUES (REPEAT('x', 32), 1, 1, %lld);"
              "INSERT INTO heartbeat VALUES ('sweeper_1', %lld), ('sweeper_2', %lld);"
              "INSERT INTO provider_state (provider, paused_us, parked_until_us, breaker, breaker_us) VALUES "
              "('list', NULL, %lld, 1, %lld), ('wait', %lld, NULL, 0, NULL);"
              "INSERT INTO provider_keys VALUES ('fal', '{}', %lld, %lld, %lld);"
              "INSERT INTO storage_wait SELECT id, 1, %lld, %lld, NULL FROM job ORDER BY id LIMIT 1",
           now - 100, now + 5, now + 6, now + 7, now + 8, now - 9, now - 10, now + 11, now + 12, now - 13, now - 14,
           now - 15, now - 16, now + 17, now + 18);
}

TEST(a_jump_moves_what_is_yet_to_come_and_no_history)
{
    static const int64_t by[] = { HOUR, -HOUR };
    struct job_world w;
    job_world_begin(&w);
    fill(&w);
    for (size_t i = 0; i < FG_LEN(by); i++) {
        struct fg_str was = distances(&w), said = history(&w);
        w.t.lines[0] = '\0';
        jump(&w, by[i]);
        CHECK_STR(distances(&w), was, "as far away as before");
        CHECK_STR(history(&w), said, "as it was said");
        CHECK(strstr(w.t.lines, i ? "\"clock.jumped\",\"ms\":-3600000" : "\"clock.jumped\",\"ms\":3600000"), w.t.lines);
    }
    job_world_end(&w, 0);
}

TEST(a_small_step_moves_nothing)
{
    struct job_world w;
    job_world_begin(&w);
    fill(&w);
    struct fg_str was = dues(&w);
    for (int i = 0; i < 4; i++) { /* more than a minute in all */
        t_jump(&w.t, 20 * S);
        sweep_wait(&w.sweeper, -1, -1, 0);
        CHECK_I64(w.sweeper.clock.env.utc_us(&w.sweeper.clock), w.t.utc_us, "it is simply followed");
    }
    CHECK_STR(dues(&w), was, "nothing is moved");
    w.sweeper.clock.next_beat_us = 0;
    sweep_wait(&w.sweeper, -1, -1, 0);
    CHECK_I64(ask(&w, "SELECT offset_us FROM clock"), w.sweeper.clock.offset_us, "and the books know it");
    CHECK(!strstr(w.t.lines, "clock.jumped"), "nobody speaks of a jump");
    job_world_end(&w, 0);
}

/* ---- every stage of a life ---- */

#define QUEUED "{\"status\":\"queued\"}"
#define RUNNING "{\"status\":\"in_progress\",\"progress\":5}"
static const struct life {
    const char *why, *model;
    int64_t deadline_s;
    enum fake_route route;        /* which answers so until the job is where it is to be */
    enum fake_way way;
    int status;
    const char *body;
    enum job_stage stage;
    bool dies;                    /* the sweeper, in the middle of the call */
    enum job_state end;
    unsigned submits;
} lives[] = {
    { "waiting", "list-1", FAR, FAKE_SUBMIT, FAKE_ANSWER, 503, "", STAGE_WAITING, false, JOB_SUCCEEDED, 2 },
    { "sending", "replay-1", FAR, FAKE_SUBMIT, FAKE_DEFAULT, 0, "", STAGE_SUBMITTING, true, JOB_SUCCEEDED, 2 },
    { "outcome unknown", "wait-1", FAR, FAKE_SUBMIT, FAKE_HANG_UP, 0, "", STAGE_SUBMIT_UNKNOWN, false, JOB_SUCCEEDED, 2 },
    { "there", "list-1", FAR, FAKE_POLL, FAKE_ANSWER, 0, QUEUED, STAGE_AT_PROVIDER, false, JOB_SUCCEEDED, 1 },
    { "rendering", "list-1", FAR, FAKE_POLL, FAKE_ANSWER, 0, RUNNING, STAGE_RENDERING, false, JOB_SUCCEEDED, 1 },
    { "storing", "list-1", FAR, FAKE_CONTENT, FAKE_ANSWER, 503, "", STAGE_STORING, false, JOB_SUCCEEDED, 1 },
    { "a deadline", "list-1", 900, FAKE_POLL, FAKE_ANSWER, 0, QUEUED, STAGE_AT_PROVIDER, false, JOB_EXPIRED, 1 },
};

static struct fg_str brought_to(struct job_world *w, const struct life *l)
{
    say(w, l->route, (struct fake_reply){ .way = l->way, .hold = l->dies, .status = l->status,
                                          .body = fg_str_c(l->body) });
    struct fg_str id = new_job(w, l->model, l->deadline_s);
    if (l->dies) {
        turn_until_held(w, &w->sweeper, 1);
        sweeper_close(&w->sweeper);
        second_sweeper(w, &w->sweeper);
    }
    settle(w);
    for (int i = 0; job_now(w, id).stage != (int)l->stage; i++) {
        CHECK(i < 10, l->why);
        step(w);
    }
    if (l->end == JOB_SUCCEEDED)
        fake_unsay(w->fake, l->route);
    return id;
}

/* Seconds that went by until the end, with two jumps on the way or none. */
static int64_t rest_of(const struct life *l, bool jumps)
{
    static const int64_t by[] = { HOUR, -2 * HOUR };
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = brought_to(&w, l);
    int64_t from_us = lived_us(&w);
    for (size_t i = 0; i < FG_LEN(by) && jumps; i++) {
        jump(&w, by[i]);
        settle(&w);
        CHECK_I64(job_now(&w, id).stage, l->stage, "nothing comes due by a jump");
    }
    run_to_end(&w, id);
    CHECK_STR(fg_str_c(job_state_name((enum job_state)job_now(&w, id).state)), fg_str_c(job_state_name(l->end)),
              l->why);
    CHECK_I64(fake_count(w.fake, FAKE_SUBMIT), l->submits, l->why);
    int64_t rest_s = (lived_us(&w) - from_us) / S;
    job_world_end(&w, 0);
    return rest_s;
}

TEST(whatever_a_job_is_doing_it_takes_as_long_as_it_would_have)
{
    for (size_t i = 0; i < FG_LEN(lives); i++) {
        int64_t calm_s = rest_of(&lives[i], false), s = rest_of(&lives[i], true);
        CHECK(s >= calm_s * 2 / 3 - 3 && s <= calm_s * 3 / 2 + 3, lives[i].why);
    }
}

TEST(a_second_submit_is_paid_for_no_sooner)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = brought_to(&w, &lives[2]);
    int64_t sent_us = ask(&w, "SELECT created_us FROM attempt") - w.t.utc_us + lived_us(&w);
    jump(&w, HOUR);
    while (lived_us(&w) < sent_us + (JOB_WORLD_WAIT_S - 1) * S) {
        clock_add(&w, 10 * S < sent_us + (JOB_WORLD_WAIT_S - 1) * S - lived_us(&w) ? 10 * S : S);
        settle(&w);
        CHECK_I64(fake_count(w.fake, FAKE_SUBMIT), 1, "not before its waiting time is over");
    }
    run_to_end(&w, id);
    CHECK_I64(fake_count(w.fake, FAKE_SUBMIT), 2, "then it is");
    CHECK(lived_us(&w) < sent_us + (JOB_WORLD_WAIT_S + 60) * S, "and soon");
    job_world_end(&w, 0);
}

TEST(a_job_that_is_no_older_is_polled_no_less_often)
{
    struct job_world w;
    job_world_begin(&w);
    (void)brought_to(&w, &lives[6]);
    jump(&w, HOUR);
    clock_add(&w, 10 * S);
    settle(&w);
    CHECK(ask(&w, "SELECT due_us FROM due WHERE kind = %d", DUE_POLL) < w.t.utc_us + 15 * S, "in its first minute");
    job_world_end(&w, 0);
}

/* ---- work under way ---- */

TEST(what_a_sweeper_holds_in_memory_moves_too)
{
    struct job_world w;
    job_world_begin(&w);
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_HANG_UP });
    struct fg_str id = new_job(&w, "list-1", FAR);
    settle(&w);
    say(&w, FAKE_LIST, (struct fake_reply){ .hold = true });
    clock_add(&w, 5 * S);
    turn_until_held(&w, &w.sweeper, 1);
    jump(&w, HOUR);
    fake_unsay(w.fake, FAKE_LIST);
    fake_release(w.fake);
    drain(&w.sweeper);
    check_place(&w, id, JOB_PENDING, STAGE_SUBMIT_UNKNOWN, "", "an hour that was none is not waited for");
    run_to_end(&w, id);
    check_place(&w, id, JOB_FAILED, STAGE_DONE, "submit_unknown", "only the true one is");
    job_world_end(&w, 0);
}

TEST(the_lease_of_a_dead_sweeper_ends_on_time)
{
    static const int64_t by[] = { HOUR, -HOUR };
    for (size_t i = 0; i < FG_LEN(by); i++) {
        struct job_world w;
        job_world_begin(&w);
        struct fg_str id = brought_to(&w, &lives[1]);
        clock_add(&w, 30 * S);
        jump(&w, by[i]);
        clock_add(&w, (w.conf.sweeper_lease_s - 31) * S);
        settle(&w);
        CHECK_I64(job_now(&w, id).stage, STAGE_SUBMITTING, "its lease is sacred");
        clock_add(&w, 2 * S);
        settle(&w);
        CHECK(job_now(&w, id).stage != STAGE_SUBMITTING, "and no longer than it was");
        run_to_end(&w, id);
        CHECK_I64(fake_bills(w.fake), 1, "one bill");
        job_world_end(&w, 0);
    }
}

TEST(two_sweepers_settle_a_jump_once)
{
    static const int64_t by[] = { HOUR, -HOUR };
    struct job_world w;
    struct sweeper other;
    job_world_begin(&w);
    second_sweeper(&w, &other);
    settle_with(&other);
    fill(&w);
    for (size_t i = 0; i < FG_LEN(by); i++) {
        struct fg_str was = distances(&w);
        w.t.lines[0] = '\0';
        jump(&w, by[i]);
        sweep_wait(&other, -1, -1, 0);
        CHECK_I64(other.clock.offset_us, w.sweeper.clock.offset_us, "the second follows at once");
        CHECK_STR(distances(&w), was, "and moves nothing again");
        const char *first = strstr(w.t.lines, "clock.jumped");
        CHECK(first && !strstr(first + 1, "clock.jumped"), "one of them tells");
    }
    sweeper_close(&other);
    second_sweeper(&w, &other);
    struct fg_str was = distances(&w);
    sweep_wait(&other, -1, -1, 0);
    CHECK_STR(distances(&w), was, "nor does one that starts");
    sweeper_close(&other);
    job_world_end(&w, 0);
}

/* ---- nobody there to settle with ---- */

TEST(a_jump_while_nobody_ran_is_settled_at_the_start)
{
    struct job_world w;
    job_world_begin(&w);
    fill(&w);
    sweeper_close(&w.sweeper);
    struct fg_str was = distances(&w);
    t_jump(&w.t, HOUR);
    second_sweeper(&w, &w.sweeper);
    settle_jump(&w.sweeper);
    CHECK_STR(distances(&w), was, "as far away as before");
    job_world_end(&w, 0);
}

#define OTHERS "FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"
static void lose_connections(struct job_world *w)
{
    for (int64_t id; (id = ask(w, "SELECT MIN(id) " OTHERS));) {
        do_sql(w, "KILL HARD %lld", (long long)id);
        while (ask(w, "SELECT COUNT(*) " OTHERS " AND id = %lld", (long long)id))
            ;
    }
}

TEST(a_jump_while_the_database_is_away_is_settled_after_that)
{
    struct job_world w;
    job_world_begin(&w);
    fill(&w);
    struct fg_str was = distances(&w), there = w.conf.db_socket;
    w.conf.db_socket = FG_LIT("/nowhere");
    lose_connections(&w);
    t_jump(&w.t, -HOUR);
    look_anew(&w.sweeper);
    CHECK_I64(sweep_pass(&w.sweeper), CLOCK_NAP_US, "it tries, and begins nothing");
    w.sweeper.clock.noticed_us -= CLOCK_HOLD_US;
    unsigned errors = w.t.error_lines;
    look_anew(&w.sweeper);
    CHECK(sweep_pass(&w.sweeper) > CLOCK_NAP_US, "then it goes on, by the old time");
    errors = w.t.error_lines - errors;
    CHECK(errors > 0, "which others complain about");
    CHECK_I64(w.sweeper.cx.now_us, w.t.utc_us + HOUR, "nothing goes by a time that was not agreed on");
    w.conf.db_socket = there;
    look_anew(&w.sweeper);
    sweep_wait(&w.sweeper, -1, -1, 0);
    CHECK_I64(w.sweeper.clock.env.utc_us(&w.sweeper.clock), w.t.utc_us, "settled as soon as it is back");
    CHECK_STR(distances(&w), was, "as far away as before");
    job_world_end(&w, w.t.error_lines);
}

/* ---- other hosts, other boots ---- */

static void other_host(struct job_world *w, int64_t seen_us)
{
    do_sql(w, "REPLACE INTO clock (boot_id, offset_us, least_us, seen_us) VALUES ('another', 1, 1, %lld)",
           (long long)seen_us);
}

TEST(one_of_several_hosts_moves_nothing_and_goes_by_the_others_time)
{
    struct job_world w;
    job_world_begin(&w);
    settle(&w);
    struct fg_str id = brought_to(&w, &lives[3]);
    other_host(&w, w.t.utc_us + 2 * S);
    struct fg_str was = dues(&w);
    t_jump(&w.t, HOUR);
    settle_jump(&w.sweeper);
    CHECK_STR(dues(&w), was, "their rows stay where they are");
    CHECK(strstr(w.t.lines, "\"clock.apart\",\"ms\":3600000"), "the operator is told");
    w.sweeper.clock.noticed_us -= CLOCK_HOLD_US;
    w.sweeper.clock.next_try_us = 0;
    settle(&w);
    CHECK_I64(w.sweeper.cx.now_us, w.t.utc_us - HOUR, "by the others' time");
    CHECK_I64(w.t.error_lines, 1, "once a minute");
    clock_add(&w, 60 * S);
    settle(&w);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "it works all the same");
    /* The other host falls silent: then this one's time is everybody's. */
    (void)new_job(&w, "list-1", FAR);
    was = ask_text(&w, "SELECT GROUP_CONCAT(due_us + %lld ORDER BY id) FROM due", (long long)HOUR);
    clock_add(&w, 10 * S);
    w.sweeper.clock.next_try_us = 0;
    sweep_wait(&w.sweeper, -1, -1, 0);
    CHECK_STR(dues(&w), was, "moved");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM clock"), 1, "and the other is forgotten");
    job_world_end(&w, 1);
}

TEST(a_host_that_comes_back_to_the_others_time_moves_nothing)
{
    struct job_world w;
    job_world_begin(&w);
    settle(&w);
    (void)brought_to(&w, &lives[3]);
    struct fg_str was = dues(&w);
    other_host(&w, w.t.utc_us + HOUR);
    jump(&w, HOUR);
    CHECK_STR(dues(&w), was, "the books are theirs");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM clock"), 2, "both live");
    job_world_end(&w, 0);
}

TEST(after_a_boot_the_clock_is_taken_as_it_is_unless_it_is_behind)
{
    struct job_world w;
    job_world_begin(&w);
    (void)brought_to(&w, &lives[3]);
    do_sql(&w, "UPDATE clock SET boot_id = 'before'");
    struct fg_str was = dues(&w);
    sweeper_close(&w.sweeper);
    clock_add(&w, 2 * HOUR);
    second_sweeper(&w, &w.sweeper);
    sweep_wait(&w.sweeper, -1, -1, 0);
    CHECK_STR(dues(&w), was, "it was down that long");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM clock"), 1, "the boot before is forgotten");

    do_sql(&w, "UPDATE clock SET boot_id = 'before'");
    sweeper_close(&w.sweeper);
    t_jump(&w.t, -HOUR);
    second_sweeper(&w, &w.sweeper);
    sweep_wait(&w.sweeper, -1, -1, 0);
    CHECK_I64(w.sweeper.clock.env.utc_us(&w.sweeper.clock), w.t.utc_us + HOUR, "it goes on where the books ended");
    CHECK_STR(dues(&w), was, "nobody knows yet whether another host lives");
    struct fg_str moved = ask_text(&w, "SELECT GROUP_CONCAT(due_us - %lld ORDER BY id) FROM due", (long long)HOUR);
    clock_add(&w, CLOCK_ALIVE_US + S);
    w.sweeper.clock.noticed_us -= CLOCK_GRACE_US;
    w.sweeper.clock.next_try_us = 0;
    sweep_wait(&w.sweeper, -1, -1, 0);
    CHECK_STR(dues(&w), moved, "none does");
    job_world_end(&w, 0);
}

/* ---- what is old, and what has changed ---- */

TEST(nothing_is_thrown_away_before_its_time)
{
    struct job_world w;
    struct job_answer a;
    struct fg_str body = FG_LIT("{\"prompt\":\"a fish\",\"aspectRatio\":\"16:9\",\"duration\":5,\"model\":\"list-1\"}");
    static const struct { int64_t jump_h, wait_h, kept; } row[] = {
        { 24 * 365, 1, 1 }, { -24 * 365, 46, 1 }, { 100, 0, 1 }, { 0, 2, 0 },
    };
    job_world_begin(&w);
    settle(&w);
    CHECK_CODE(w.cx, create_job(&w, body, "key-1", &a), FG_OK);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        if (row[i].jump_h)
            jump(&w, row[i].jump_h * HOUR);
        clock_add(&w, row[i].wait_h * HOUR);
        w.sweeper.next_upkeep_us = 0;
        look_anew(&w.sweeper);
        (void)sweep_pass(&w.sweeper);
        drain(&w.sweeper);
        CHECK_I64(ask(&w, "SELECT COUNT(*) FROM idempotency"), row[i].kept, "48 hours, of those that went by");
    }
    job_world_end(&w, 0);
}

static bool told(struct job_world *w, int64_t since_us, struct fg_str id, int64_t *next_us)
{
    struct job_list_query q = { .limit = 2, .has_changed_since = true, .changed_since_us = since_us };
    bool found = false;
    do {
        struct job_list l;
        CHECK_CODE(w->cx, job_list(w->cx, &w->env, &w->who, &q, &l), FG_OK);
        for (size_t i = 0; i < l.n; i++)
            found |= fg_eq(l.row[i].job.public_id, id);
        q.cursor = l.next_cursor;
        *next_us = l.changed_since_us;
    } while (q.cursor.p);
    return found;
}

TEST(no_change_is_hidden_by_a_clock_that_was_ahead)
{
    struct job_world w;
    int64_t since;
    job_world_begin(&w);
    settle(&w);
    w.env.clock = &w.sweeper.clock;
    struct fg_str id = brought_to(&w, &lives[3]);
    for (int i = 0; i < 4; i++)
        (void)new_job(&w, "list-1", FAR);
    clock_add(&w, 300 * S);
    (void)told(&w, w.t.utc_us - 400 * S, id, &since);
    CHECK_I64(since, w.t.utc_us - JOB_CHANGE_OVERLAP_US, "up to now");
    jump(&w, -HOUR);
    run_to_end(&w, id);
    int64_t held = since;
    CHECK(told(&w, since, id, &since), "it ended at a time that the client has seen before");
    CHECK(since < w.t.utc_us, "the client is told the time as it is now");
    clock_add(&w, 30 * S);
    CHECK(told(&w, since, id, &since), "again and again: who knows when that reading was taken?");
    clock_add(&w, 2 * HOUR);
    CHECK(told(&w, held, id, &since), "also by one who was away for two hours");
    CHECK(!told(&w, since, id, &since), "until the clock shows nothing for the second time");
    w.env.clock = NULL;
    CHECK(!told(&w, w.t.utc_us + 10 * HOUR, id, &since) && since < w.t.utc_us, "a time to come is no time of ours");
    job_world_end(&w, 0);
}
