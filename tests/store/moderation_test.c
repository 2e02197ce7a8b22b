/* What is looked at before a job may wait for its slot, what people decide, and who is slowed down. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "fakes/moderator.h"
#include "store/job_world.h"

#define FAR 86400
#define HOUR_US (3600 * FG_US_PER_S)
#define MINUTE_US (60 * FG_US_PER_S)

static const char rules[] = "[weapons] block\nforbiddenword\n[doubtful] review\ndoubtfulword\n";

struct mod_world {
    struct job_world w;
    struct moderator *m;     /* NULL: rules alone */
};

static void reopen(struct job_world *w)
{
    sweeper_close(&w->sweeper);
    second_sweeper(w, &w->sweeper);
}

static void use_rules(struct job_world *w)
{
    static unsigned n;
    w->conf.moderation_rules = arena_fmt(w->cx->mem, "%s/rules-%u.txt", db_server_dir(), n++);
    int fd = open(w->conf.moderation_rules.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, rules, sizeof rules - 1) == (ssize_t)sizeof rules - 1 && close(fd) == 0, "a file of rules");
}

static void use_service(struct mod_world *x)
{
    struct conf *c = &x->w.conf;
    x->m = moderator_new();
    c->moderation_services = FG_LIT("openai");
    c->moderation_openai_url = arena_fmt(x->w.cx->mem, "%s/v1/moderations", moderator_origin(x->m));
    c->moderation_openai_key = FG_LIT("key");
    c->moderation_openai_block = FG_LIT("violence=0.9");
    c->moderation_openai_review = FG_LIT("violence=0.5");
    c->fetch_local_origins = arena_fmt(x->w.cx->mem, "%.*s %s", FG_P(c->fetch_local_origins), moderator_origin(x->m));
}

static void begin(struct mod_world *x, bool with_rules, bool with_service)
{
    *x = (struct mod_world){ .m = NULL };
    job_world_begin(&x->w);
    if (with_rules)
        use_rules(&x->w);
    if (with_service)
        use_service(x);
    reopen(&x->w);
}

static void end(struct mod_world *x, unsigned error_lines)
{
    if (x->m)
        moderator_free(x->m);
    job_world_end(&x->w, error_lines);
}

static struct fg_str wish(struct job_world *w, const char *prompt, const char *more)
{
    return arena_fmt(w->cx->mem, "{\"prompt\":\"%s\",\"aspectRatio\":\"16:9\",\"duration\":5,\"model\":\"list-1\","
                     "\"deadlineSeconds\":7200,\"allowDuplicate\":true%s}", prompt, more);
}

static struct fg_str ask_for(struct job_world *w, const char *prompt, const char *more)
{
    struct job_answer a;
    CHECK_CODE(w->cx, create_job(w, wish(w, prompt, more), NULL, &a), FG_OK);
    return a.job_id;
}

static struct fg_str json_of(struct job_world *w, struct fg_str id)
{
    struct sb b = sb_in(w->cx->mem, JOB_BODY_MAX);
    struct job j = job_now(w, id);
    job_json(w->cx, &w->env, &j, &b);
    CHECK(!b.bad, "it fits");
    return sb_str(&b);
}

static bool says(struct fg_str text, const char *part)
{
    return strstr(text.p, part) != NULL;
}

static struct fg_str event_data_of(struct job_world *w, struct fg_str id, const char *kind)
{
    return ask_text(w, "SELECT IFNULL(e.data, '') FROM job_event e JOIN job j ON j.id = e.job_id WHERE j.public_id = '%.*s' "
                       "AND e.kind = '%s' ORDER BY e.seq DESC LIMIT 1", FG_P(id), kind);
}

TEST(without_anything_to_look_at_a_job_waits_at_once)
{
    struct mod_world x;
    begin(&x, false, false);
    struct fg_str id = ask_for(&x.w, "a fish", "");
    check_place(&x.w, id, JOB_PENDING, STAGE_WAITING, "", "in line");
    run_to_end(&x.w, id);
    CHECK_I64(ask(&x.w, "SELECT COUNT(*) FROM moderation"), 0, "nobody was asked");
    end(&x, 0);
}

static void check_blocked(struct job_world *w, struct fg_str id, const char *code, const char *input, const char *category)
{
    struct fg_str all = json_of(w, id);
    check_place(w, id, JOB_FAILED, STAGE_DONE, code, all.p);
    CHECK(says(all, arena_fmt(w->cx->mem, "\"error\":{\"code\":\"%s\",\"message\":\"", code).p), all.p);
    CHECK(says(all, arena_fmt(w->cx->mem, "\"retryable\":false,\"fault\":\"request\",\"input\":\"%s\",\"category\":\"%s\",\"charged\":false}", input,
                              category).p), all.p);
    CHECK_I64(ask(w, "SELECT COUNT(*) FROM ledger l JOIN job j ON j.id = l.job_id WHERE j.public_id = '%.*s' AND l.kind = 3",
                  FG_P(id)), 1, "its hold was released");
}

TEST(our_rules_block_hold_and_let_through)
{
    static const struct { const char *prompt, *more, *kind, *input; } row[] = {
        { "a fish", "", "cleared", NULL },
        { "a forbiddenword", "", "failed", "prompt" },
        { "a f0rbiddenw0rd", "", "failed", "prompt" },
        { "a fish", ",\"negativePrompt\":\"forbiddenword\"", "failed", "negativePrompt" },
        { "a doubtfulword", "", "held_for_review", "prompt" },
        { "a doubtfulword", ",\"negativePrompt\":\"forbiddenword\"", "failed", "negativePrompt" },
    };
    struct mod_world x;
    begin(&x, true, false);
    say_status(&x.w, "in_progress", 10);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fg_str id = ask_for(&x.w, row[i].prompt, row[i].more);
        check_place(&x.w, id, JOB_PENDING, STAGE_MODERATING, "", "looked at first");
        CHECK(says(json_of(&x.w, id), "\"waitingFor\":\"moderation\""), "and says so");
        settle(&x.w);
        struct fg_str data = event_data_of(&x.w, id, row[i].kind), all = json_of(&x.w, id);
        CHECK(says(data, "\"rules\"") && !says(data, "word"), "the checker, and never the phrase");
        CHECK_I64(job_now(&x.w, id).attempt_n, row[i].input ? 0 : 1, "only what has passed is submitted");
        if (!strcmp(row[i].kind, "failed"))
            check_blocked(&x.w, id, "blocked_prompt", row[i].input, "weapons");
        if (!strcmp(row[i].kind, "held_for_review"))
            CHECK(says(all, "\"stage\":\"in_review\"") && says(all, "\"waitingFor\":\"review\""), all.p);
    }
    CHECK_I64(fake_count(x.w.fake, FAKE_SUBMIT), 1, "nobody else was asked for a video");
    CHECK_STR(ask_text(&x.w, "SELECT GROUP_CONCAT(checker, verdict, '=', n ORDER BY verdict) FROM moderation_tally"),
              FG_LIT("rules1=2,rules2=2,rules3=4"), "counted");
    CHECK_I64(ask(&x.w, "SELECT COUNT(*) FROM moderation WHERE rule = 'forbiddenword'"), 4, "the operator may know");
    end(&x, 0);
}

/* ---- services ---- */

TEST(a_service_is_asked_about_text_and_its_verdict_kept)
{
    struct mod_world x;
    begin(&x, true, true);
    say_status(&x.w, "in_progress", 10);
    struct fg_str ours = ask_for(&x.w, "a forbiddenword", "");
    settle(&x.w);
    check_blocked(&x.w, ours, "blocked_prompt", "prompt", "weapons");
    CHECK_I64(moderator_texts(x.m), 0, "what our rules block nobody else hears of");
    struct fg_str good = ask_for(&x.w, "a fish", ",\"negativePrompt\":\"a bird\""), bad = ask_for(&x.w, "blockme", "");
    struct fg_str odd = ask_for(&x.w, "lookme", "");
    settle(&x.w);
    CHECK_I64(job_now(&x.w, good).attempt_n, 1, "passed");
    check_blocked(&x.w, bad, "blocked_prompt", "prompt", "violence");
    check_place(&x.w, odd, JOB_PENDING, STAGE_IN_REVIEW, "", "held");
    CHECK_I64(moderator_texts(x.m), 4, "each text is asked about");
    CHECK(says(ask_text(&x.w, "SELECT scores FROM moderation WHERE verdict = 3 AND checker = 'openai'"), "0.95"), "scores");
    (void)ask_for(&x.w, "a fish", ",\"negativePrompt\":\"a bird\"");
    struct fg_str again = ask_for(&x.w, "blockme", "");
    settle(&x.w);
    check_blocked(&x.w, again, "blocked_prompt", "prompt", "violence");
    CHECK_I64(moderator_texts(x.m), 4, "and not twice");
    CHECK_I64(ask(&x.w, "SELECT COUNT(*) FROM moderation WHERE cached"), 3, "as it was");
    x.w.conf.moderation_openai_block = FG_LIT("violence=0.99");
    reopen(&x.w);
    (void)ask_for(&x.w, "a fish", "");
    settle(&x.w);
    CHECK_I64(moderator_texts(x.m), 5, "another policy asks anew");
    clock_add(&x.w, 200 * HOUR_US);
    (void)ask_for(&x.w, "a fish", "");
    settle(&x.w);
    CHECK_I64(moderator_texts(x.m), 6, "and so does one that is old");
    CHECK_CODE(x.w.cx, moderate_purge(&x.w.sweeper), FG_OK);
    CHECK_I64(ask(&x.w, "SELECT COUNT(*) FROM moderation_cache"), 1, "what is old goes");
    x.w.conf.moderation_cache_hours = 0;
    (void)ask_for(&x.w, "a fish", "");
    settle(&x.w);
    CHECK_I64(moderator_texts(x.m), 7, "or is never kept");
    end(&x, 0);
}

TEST(a_service_that_cannot_be_asked_is_waited_for_passed_over_or_an_end)
{
    static const struct { enum moderator_way way; unsigned errors; } away[] = {
        { MODERATOR_HANGS_UP, 0 }, { MODERATOR_FAILS, 0 }, { MODERATOR_REFUSES, 1 }, { MODERATOR_BABBLES, 0 },
    };
    struct mod_world x;
    for (size_t i = 0; i < FG_LEN(away); i++) {
        begin(&x, false, true);
        say_status(&x.w, "in_progress", 10);
        moderator_say(x.m, away[i].way);
        struct fg_str held = ask_for(&x.w, "a fish", "");
        settle(&x.w);
        check_place(&x.w, held, JOB_PENDING, STAGE_MODERATING, "", "it waits");
        CHECK_I64(ask(&x.w, "SELECT COUNT(*) FROM moderation_service WHERE away_us > 0 AND refused = %d",
                      away[i].way == MODERATOR_REFUSES), 1, "known to all");
        step(&x.w);
        step(&x.w);
        check_place(&x.w, held, JOB_PENDING, STAGE_MODERATING, "", "it still waits");
        CHECK_STR(timeline(&x.w, held), FG_LIT("moderation"), "told once");
        CHECK(says(event_data_of(&x.w, held, "moderation"), "\"verdict\":\"away\""), "why");
        unsigned asked = moderator_texts(x.m);
        CHECK(asked >= 3, "it is asked again");
        x.w.conf.moderation_when_away = FG_LIT("pass");
        struct fg_str passed = ask_for(&x.w, "a bird", "");
        x.w.conf.moderation_when_away = FG_LIT("pass");
        settle(&x.w);
        CHECK_I64(job_now(&x.w, passed).attempt_n, 1, "passed over");
        x.w.conf.moderation_when_away = FG_LIT("block");
        struct fg_str ended = ask_for(&x.w, "a cat", "");
        settle(&x.w);
        check_place(&x.w, ended, JOB_FAILED, STAGE_DONE, "moderation_unavailable", "not made unchecked");
        CHECK_I64(ask(&x.w, "SELECT COUNT(*) FROM user_blocks"), 0, "which is nobody's fault");
        x.w.conf.moderation_when_away = FG_LIT("hold");
        moderator_say(x.m, MODERATOR_ANSWERS);
        for (int k = 0; k < 5 && job_now(&x.w, held).stage == STAGE_MODERATING; k++)
            step(&x.w);
        CHECK_I64(job_now(&x.w, held).attempt_n, 1, "goes on once it answers");
        CHECK_I64(ask(&x.w, "SELECT COUNT(*) FROM moderation_service WHERE away_us > 0 OR refused"), 0, "it is back");
        end(&x, away[i].errors);
    }
}

TEST(what_waits_for_a_service_ends_at_its_deadline)
{
    struct mod_world x;
    begin(&x, false, true);
    moderator_say(x.m, MODERATOR_FAILS);
    struct fg_str id = new_job(&x.w, "list-1", 300);
    run_to_end(&x.w, id);
    check_place(&x.w, id, JOB_EXPIRED, STAGE_DONE, "deadline_exceeded", "in time");
    end(&x, 0);
}

/* ---- reviews ---- */

static struct fg_str held_job(struct mod_world *x)
{
    struct fg_str id = ask_for(&x->w, "a doubtfulword", "");
    settle(&x->w);
    check_place(&x->w, id, JOB_PENDING, STAGE_IN_REVIEW, "", "held");
    return id;
}

TEST(a_review_stops_the_deadline_and_a_pass_gives_it_back)
{
    struct mod_world x;
    struct review r, *row;
    size_t n;
    begin(&x, true, false);
    clock_add(&x.w, 1);
    struct fg_str id = held_job(&x);
    struct job j = job_now(&x.w, id);
    CHECK_I64(j.deadline_us, x.w.t.utc_us + 24 * HOUR_US, "it is the review's");
    clock_add(&x.w, 10 * HOUR_US); /* its own were two */
    settle(&x.w);
    check_place(&x.w, id, JOB_PENDING, STAGE_IN_REVIEW, "", "still");
    CHECK_CODE(x.w.cx, reviews_list(x.w.cx, x.w.env.db, true, &row, &n), FG_OK);
    CHECK(n == 1 && fg_eq(row[0].job, id) && FG_IS(row[0].category, "doubtful"), "it is on the list");
    CHECK_CODE(x.w.cx, review_decide(x.w.cx, &x.w.env, id, true, FG_LIT("me"), FG_LIT("fine"), &r), FG_OK);
    CHECK(r.state == REVIEW_PASSED && FG_IS(r.decided_by, "me") && FG_IS(r.note, "fine"), "recorded");
    j = job_now(&x.w, id);
    CHECK_I64(j.deadline_us, x.w.t.utc_us + 2 * HOUR_US, "what was left");
    CHECK_I64(ask(&x.w, "SELECT due_us FROM due WHERE kind = 5"), j.deadline_us, "and it runs again");
    CHECK_I64(j.stage, STAGE_WAITING, "not looked at again");
    CHECK_CODE(x.w.cx, review_decide(x.w.cx, &x.w.env, id, false, FG_LIT("you"), FG_NONE, &r), FG_REVIEW_DECIDED);
    run_to_end(&x.w, id);
    check_place(&x.w, id, JOB_SUCCEEDED, STAGE_DONE, "", "made");
    CHECK_CODE(x.w.cx, reviews_list(x.w.cx, x.w.env.db, false, &row, &n), FG_OK);
    CHECK_I64(n, 1, "among the decided ones");
    end(&x, 0);
}

TEST(a_review_that_blocks_ends_the_job)
{
    struct mod_world x;
    struct review r;
    begin(&x, true, false);
    struct fg_str id = held_job(&x);
    CHECK_CODE(x.w.cx, review_decide(x.w.cx, &x.w.env, id, false, FG_LIT("me"), FG_NONE, &r), FG_OK);
    check_blocked(&x.w, id, "blocked_prompt", "prompt", "doubtful");
    CHECK(says(event_data_of(&x.w, id, "failed"), "\"checker\":\"review\""), "by whom");
    CHECK_I64(ask(&x.w, "SELECT n FROM user_blocks"), 1, "it counts");
    CHECK_CODE(x.w.cx, review_decide(x.w.cx, &x.w.env, FG_LIT("job_00000000000000000000000000"), true, FG_LIT("me"), FG_NONE, &r),
               FG_NOT_FOUND);
    end(&x, 0);
}

TEST(a_review_is_over_when_nobody_decides_or_the_job_is_canceled)
{
    struct mod_world x;
    struct review r;
    struct job j;
    begin(&x, true, false);
    struct fg_str late = held_job(&x), canceled = held_job(&x);
    CHECK_CODE(x.w.cx, job_cancel(x.w.cx, &x.w.env, &x.w.who, canceled, &j), FG_OK);
    check_place(&x.w, canceled, JOB_FAILED, STAGE_DONE, "canceled", "at once");
    clock_add(&x.w, 25 * HOUR_US);
    settle(&x.w);
    check_place(&x.w, late, JOB_EXPIRED, STAGE_DONE, "review_expired", "in its own words");
    CHECK_I64(ask(&x.w, "SELECT COUNT(*) FROM review WHERE state = 4"), 2, "both are over");
    CHECK_CODE(x.w.cx, review_decide(x.w.cx, &x.w.env, late, true, FG_LIT("me"), FG_NONE, &r), FG_REVIEW_DECIDED);
    CHECK_I64(ask(&x.w, "SELECT COUNT(*) FROM user_blocks"), 0, "and nobody's fault");
    end(&x, 0);
}

/* ---- the brake ---- */

static enum fg_code try_create(struct job_world *w, const char *more)
{
    struct job_answer a;
    return create_job(w, wish(w, "a fish", more), NULL, &a);
}

TEST(whoever_is_blocked_too_often_waits_then_stops_until_midnight)
{
    struct mod_world x;
    begin(&x, true, false);
    x.w.conf.moderation_blocks_slow = 2;
    x.w.conf.moderation_blocks_stop = 4;
    for (int n = 1; n <= 4; n++) {
        struct fg_str id = ask_for(&x.w, "a forbiddenword", ",\"userId\":\"ann\"");
        settle(&x.w);
        check_place(&x.w, id, JOB_FAILED, STAGE_DONE, "blocked_prompt", "blocked");
        CHECK_CODE(x.w.cx, try_create(&x.w, ",\"userId\":\"bob\""), FG_OK);
        CHECK_CODE(x.w.cx, try_create(&x.w, ""), FG_OK);
        CHECK_CODE(x.w.cx, try_create(&x.w, ",\"userId\":\"ann\""), n < 2 ? FG_OK : FG_TOO_MANY_BLOCKED);
        if (n == 2 || n == 3) {
            int64_t minutes = n == 2 ? 1 : 2;
            CHECK_I64(x.w.cx->err.retry_after_s, minutes * 60, "how long");
            clock_add(&x.w, minutes * MINUTE_US - 1);
            CHECK_CODE(x.w.cx, try_create(&x.w, ",\"userId\":\"ann\""), FG_TOO_MANY_BLOCKED);
            clock_add(&x.w, 1);
        }
    }
    clock_add(&x.w, 5 * HOUR_US);
    CHECK_CODE(x.w.cx, try_create(&x.w, ",\"userId\":\"ann\""), FG_TOO_MANY_BLOCKED);
    CHECK(strstr(x.w.cx->err.detail, "midnight") != NULL, "in words");
    clock_add(&x.w, x.w.cx->err.retry_after_s * FG_US_PER_S);
    CHECK_CODE(x.w.cx, try_create(&x.w, ",\"userId\":\"ann\""), FG_OK);
    clock_add(&x.w, 80 * HOUR_US);
    CHECK_CODE(x.w.cx, moderate_purge(&x.w.sweeper), FG_OK);
    CHECK_I64(ask(&x.w, "SELECT COUNT(*) FROM user_blocks"), 0, "what is old goes");
    end(&x, 0);
}

TEST(an_account_without_users_is_slowed_itself)
{
    struct mod_world x;
    begin(&x, true, false);
    x.w.conf.moderation_blocks_slow = 1;
    (void)ask_for(&x.w, "a forbiddenword", "");
    settle(&x.w);
    CHECK_CODE(x.w.cx, try_create(&x.w, ""), FG_TOO_MANY_BLOCKED);
    x.w.who.account_id = 2;
    CHECK_CODE(x.w.cx, try_create(&x.w, ""), FG_OK);
    x.w.who.account_id = 1;
    x.w.conf.moderation_blocks_slow = x.w.conf.moderation_blocks_stop = 0;
    CHECK_CODE(x.w.cx, try_create(&x.w, ""), FG_OK);
    end(&x, 0);
}

TEST(the_pause_doubles_up_to_an_hour)
{
    struct conf c = { .moderation_blocks_slow = 5, .moderation_blocks_stop = 20 };
    static const struct { int64_t n, minutes; } row[] = { { 0, -1 }, { 4, -1 }, { 5, 1 }, { 6, 2 }, { 7, 4 }, { 10, 32 },
                                                          { 11, 60 }, { 19, 60 } };
    for (size_t i = 0; i < FG_LEN(row); i++)
        CHECK_I64(blocks_until(&c, row[i].n, 1000, 0), row[i].minutes < 0 ? 0 : 1000 + row[i].minutes * MINUTE_US, "pause");
    CHECK_I64(blocks_until(&c, 20, 1000, 0), 24 * HOUR_US, "midnight");
    CHECK_I64(blocks_until(&c, 1000000, 1000, 0), 24 * HOUR_US, "still midnight");
    c.moderation_blocks_stop = 0;
    CHECK_I64(blocks_until(&c, 1000000, 1000, 0), 1000 + 60 * MINUTE_US, "never an end");
}

/* ---- refusals of providers ---- */

/* At submit, and as the failure of a task; the other two places (an empty success, text alone) are the adapters' to read
 * (tests/unit) and end here the same way. */
TEST(what_a_provider_refuses_ends_in_our_words)
{
#define SECRET "their secret words req_12345"
    static const struct { bool at_submit; const char *body; const char *code; } row[] = {
        { true, "{\"error\":{\"code\":\"moderation_blocked\",\"message\":\"" SECRET "\"}}", "blocked_prompt" },
        { false, "{\"status\":\"failed\",\"error\":{\"code\":\"moderation_blocked\",\"message\":\"" SECRET "\"}}",
          "blocked_prompt" },
    };
    struct mod_world x;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        begin(&x, false, false);
        struct job_answer a;
        say(&x.w, row[i].at_submit ? FAKE_SUBMIT : FAKE_POLL,
            (struct fake_reply){ .way = FAKE_ANSWER, .status = row[i].at_submit ? 400 : 200, .body = fg_str_c(row[i].body) });
        CHECK_CODE(x.w.cx, create_job(&x.w, FG_LIT("{\"prompt\":\"a fish\",\"aspectRatio\":\"16:9\",\"duration\":5,"
                                                   "\"model\":\"pair\"}"), NULL, &a), FG_OK);
        run_to_end(&x.w, a.job_id);
        struct fg_str all = json_of(&x.w, a.job_id);
        check_place(&x.w, a.job_id, JOB_FAILED, STAGE_DONE, row[i].code, all.p);
        CHECK(says(all, "\"retryable\":false,\"fault\":\"request\",\"input\":\"prompt\""), all.p);
        CHECK_I64(fake_count(x.w.fake, FAKE_SUBMIT), 1, "nobody else is asked, and nobody again");
        CHECK_I64(ask(&x.w, "SELECT COUNT(*) FROM job_event WHERE data LIKE '%%secret%%' OR data LIKE '%%req_%%'"), 0,
                  "their words stay away");
        CHECK(!says(all, "secret"), "here too");
        CHECK_I64(ask(&x.w, "SELECT n FROM user_blocks"), 1, "it counts for the brake");
        end(&x, 0);
    }
}

/* ---- pictures ---- */

static struct fg_str with_picture(struct mod_world *x, const char *prompt)
{
    return ask_for(&x->w, prompt, arena_fmt(x->w.cx->mem, ",\"imageUrl\":\"http://127.0.0.1:%u/comfy/picture.png\"",
                                            fake_port(x->w.fake)).p);
}

TEST(a_picture_is_looked_at_before_anybody_is_given_it)
{
    static const struct { int score; const char *code; } row[] = { { 1, "" }, { 95, "blocked_image" }, { 60, "blocked_image" } };
    struct mod_world x;
    struct review r;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        begin(&x, true, true);
        moderator_pictures(x.m, row[i].score);
        struct fg_str id = with_picture(&x, "a fish");
        settle(&x.w);
        CHECK_I64(moderator_images(x.m), 1, "one call for one picture");
        if (row[i].score == 60) {
            check_place(&x.w, id, JOB_PENDING, STAGE_IN_REVIEW, "", "held");
            CHECK_CODE(x.w.cx, review_decide(x.w.cx, &x.w.env, id, false, FG_LIT("me"), FG_NONE, &r), FG_OK);
            CHECK_STR(r.target, FG_LIT("image"), "for its picture");
        }
        if (*row[i].code)
            check_blocked(&x.w, id, row[i].code, "image", "violence");
        else
            run_to_end(&x.w, id);
        CHECK_I64(fake_count(x.w.fake, FAKE_SUBMIT), *row[i].code ? 0 : 1, "who is blocked goes to nobody");
        (void)with_picture(&x, "a bird");
        settle(&x.w);
        CHECK_I64(moderator_images(x.m), 1, "the same picture is not asked about twice");
        (void)with_picture(&x, "a forbiddenword");
        (void)with_picture(&x, "blockme");
        settle(&x.w);
        CHECK_I64(moderator_images(x.m), 1, "nor one whose words are blocked");
        CHECK_I64(files_in(&x.w, FG_LIT("tmp"), FG_LIT("")), 0, "nothing temporary is left");
        end(&x, 0);
    }
}

TEST(a_picture_that_a_service_cannot_take_is_made_smaller)
{
    struct mod_world x;
    begin(&x, false, true);
    struct moderation_service small = *x.w.sweeper.sites.site[0].service; /* a picture of the fake's is larger than that */
    small.image_bytes_max = 1;
    x.w.sweeper.sites.site[0].service = &small;
    struct fg_str id = with_picture(&x, "a fish");
    settle(&x.w);
    check_place(&x.w, id, JOB_PENDING, STAGE_MODERATING, "", "not even a small one: as if it were away");
    CHECK_I64(moderator_images(x.m), 0, "it is not asked");
    small.image_bytes_max = 1024 * 1024;
    small.side_min = 32; /* the picture's are shorter */
    for (int i = 0; i < 5 && job_now(&x.w, id).stage == STAGE_MODERATING; i++)
        step(&x.w);
    CHECK_I64(moderator_images(x.m), 1, "it is asked about another of it");
    CHECK_I64(job_now(&x.w, id).attempt_n, 1, "which has passed");
    CHECK_I64(files_in(&x.w, FG_LIT("tmp"), FG_LIT("")), 0, "nothing temporary is left");
    end(&x, 0);
}

/* ---- the result ---- */

TEST(frames_of_a_result_are_looked_at_before_it_is_kept)
{
    static const struct { int score; const char *code; } row[] = { { 1, "" }, { 95, "blocked_output" }, { 60, "blocked_output" } };
    struct mod_world x;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        begin(&x, false, true);
        x.w.conf.moderation_output_frames = 3;
        moderator_pictures(x.m, row[i].score);
        struct fg_str id = ask_for(&x.w, "a fish", "");
        run_to_end(&x.w, id);
        CHECK_I64(moderator_images(x.m), row[i].score == 95 ? 1 : 3, "until one blocks");
        if (*row[i].code) {
            check_blocked(&x.w, id, row[i].code, "output", "violence");
            CHECK(says(event_data_of(&x.w, id, "failed"), "\"target\":\"output\""), "the timeline tells");
            for (int k = 0; k < 5 && ask(&x.w, "SELECT COUNT(*) FROM due"); k++)
                step(&x.w);
        } else {
            check_place(&x.w, id, JOB_SUCCEEDED, STAGE_DONE, "", "kept");
        }
        CHECK_I64(files_of(&x.w, id), *row[i].code ? 0 : 2, "what is blocked is not kept");
        CHECK_I64(files_in(&x.w, FG_LIT("tmp"), FG_LIT("")), 0, "nothing temporary is left");
        CHECK_I64(fake_count(x.w.fake, FAKE_SUBMIT), 1, "and not made again");
        CHECK_I64(ask(&x.w, "SELECT COUNT(*) FROM moderation WHERE target = 'output'"), row[i].score == 95 ? 1 : 3, "recorded");
        CHECK_I64(ask(&x.w, "SELECT COUNT(*) FROM user_blocks"), 0, "a result is not its user's fault");
        end(&x, 0);
    }
}

TEST(a_result_waits_for_a_service_that_is_away)
{
    static const struct { const char *when_away, *code; } row[] = { { "hold", "" }, { "pass", "" },
                                                                    { "block", "moderation_unavailable" } };
    struct mod_world x;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        begin(&x, false, true);
        x.w.conf.moderation_output_frames = 1;
        x.w.conf.moderation_when_away = fg_str_c(row[i].when_away);
        struct fg_str id = ask_for(&x.w, "a fish", "");
        settle(&x.w);
        moderator_say(x.m, MODERATOR_FAILS);
        for (int k = 0; k < 8 && !job_terminal((enum job_state)job_now(&x.w, id).state); k++)
            step(&x.w);
        if (i == 0) {
            check_place(&x.w, id, JOB_PROCESSING, STAGE_STORING, "", "it waits");
            CHECK(says(timeline(&x.w, id), "moderation"), "and the timeline says for what");
            moderator_say(x.m, MODERATOR_ANSWERS);
        }
        run_to_end(&x.w, id);
        check_place(&x.w, id, *row[i].code ? JOB_FAILED : JOB_SUCCEEDED, STAGE_DONE, row[i].code, row[i].when_away);
        end(&x, 0);
    }
}
