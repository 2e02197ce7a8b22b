/* What support sees of a job: every table's rows in one file, in order of time, in sentences; and how it is found. */
#include "base/arena.h"
#include "base/time.h"
#include "io/json.h"
#include "job/act.h"
#include "job/dossier.h"
#include "job/search.h"
#include "store/job_world.h"

static const struct js *file_of(struct job_world *w, struct fg_str id)
{
    struct dossier d;
    const struct js *file;
    struct sb b = sb_in(w->cx->mem, DOSSIER_JSON_MAX);
    CHECK_CODE(w->cx, dossier_read(w->cx, w->env.db, id, &d), FG_OK);
    CHECK_CODE(w->cx, dossier_json(w->cx, &w->env, &d, &b), FG_OK);
    CHECK(!b.bad, "it fits");
    CHECK_CODE(w->cx, js_parse(w->cx, sb_str(&b), &file), FG_OK);
    return file;
}

static struct fg_str text_of(const struct js *v, const char *key)
{
    struct fg_str s = FG_NONE;
    (void)js_str(js_get(v, key), &s);
    return s;
}

/* All sentences, one behind the other. */
static const char *told(struct job_world *w, const struct js *file)
{
    struct sb b = sb_in(w->cx->mem, 64 * FG_KIB);
    const struct js *summary = js_get(file, "summary");
    for (size_t i = 0; i < js_len(summary); i++) {
        sb_add(&b, text_of(js_at(summary, i), "text"));
        sb_add_c(&b, '\n');
    }
    return sb_cstr(&b);
}

static void check_told(struct job_world *w, const struct js *file, const char *words)
{
    const char *all = told(w, file);
    CHECK(strstr(all, words) != NULL, arena_fmt(w->cx->mem, "%s in: %s", words, all).p);
}

static bool can(const struct js *file, const char *what)
{
    const struct js *list = js_get(file, "can");
    struct fg_str word;
    for (size_t i = 0; i < js_len(list); i++)
        if (js_str(js_at(list, i), &word) && fg_eq(word, fg_str_c(what)))
            return true;
    return false;
}

TEST(a_job_that_went_well_is_told_from_its_beginning_to_its_end)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = new_job(&w, "list-1", JOB_WORLD_WAIT_S);
    const struct js *file = file_of(&w, id);
    check_told(&w, file, "Now it is pending, waiting");
    CHECK(can(file, "cancel") && can(file, "hold") && !can(file, "retry") && !can(file, "erase") && !can(file, "release"),
          "what can be done to one that waits");
    run_to_end(&w, id);
    file = file_of(&w, id);
    static const char *const words[] = {
        "Created by account ", "Submitted to list (list-1); accepted as ", "The file was stored and checked: it is ready.",
        " held.", " charged.",
    };
    for (size_t i = 0; i < FG_LEN(words); i++)
        check_told(&w, file, words[i]);
    CHECK_I64(js_len(js_get(file, "attempts")), 1, "one try");
    CHECK_I64(js_len(js_get(file, "ledger")), 2, "held and charged");
    CHECK_I64(js_len(js_get(file, "files")), 2, "video and poster");
    CHECK_I64(js_len(js_get(file, "due")), 0, "nothing is left to do");
    CHECK_STR(text_of(js_get(file, "job"), "id"), id, "the job as its owner sees it");
    CHECK(js_type(js_get(file, "review")) == JS_NULL, "no review");
    CHECK(can(file, "retry") && can(file, "erase") && !can(file, "cancel") && !can(file, "ask"), "what can be done at the end");
    job_world_end(&w, 0);
}

TEST(the_timeline_has_every_kind_in_order_of_time)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = new_job(&w, "list-1", JOB_WORLD_WAIT_S);
    run_to_end(&w, id);
    int64_t at = w.cx->now_us;
    do_sql(&w, "INSERT INTO wire (job_id, attempt_n, what, at_us, last_us, n, took_ms, method, url, status, excerpt, alike) "
               "SELECT id, 1, 'poll', %lld, %lld, 14, 20, 'GET', 'https://x/y', 200, '{\"api_key\":\"do-not-tell\"}', 1 FROM job",
           (long long)at + 1, (long long)at + 9);
    do_sql(&w, "INSERT INTO callback_receipt (provider, verdict, job_id, received_us, request_id, body) "
               "SELECT 'list', 2, id, %lld, 'req_1', '{\"url\":\"https://h/p?sig=do-not-tell\"}' FROM job", (long long)at + 2);
    do_sql(&w, "INSERT INTO moderation (job_id, target, checker, verdict, category, cached, at_us) "
               "SELECT id, 'prompt', 'rules', 2, 'weapons', 0, %lld FROM job", (long long)at + 3);
    do_sql(&w, "INSERT INTO operator_action (at_us, actor, action, job_id, reason, outcome, request_id) "
               "SELECT %lld, 'acct_x, key 7', 'cancel', id, 'the customer called', 'job_finished', 'req_2' FROM job",
           (long long)at + 4);
    do_sql(&w, "INSERT INTO legal_hold (account_id, job_id, reason, placed_by, since_us) "
               "SELECT account_id, id, 'a court', 'operator', %lld FROM job", (long long)at);
    const struct js *file = file_of(&w, id), *line = js_get(file, "timeline");
    static const char *const kinds[] = { "wire", "callback", "moderation", "action" };
    size_t n = js_len(line);
    for (size_t i = 0; i < FG_LEN(kinds); i++)
        CHECK_STR(text_of(js_at(line, n - FG_LEN(kinds) + i), "kind"), fg_str_c(kinds[i]), "by time");
    for (size_t i = 1; i < n; i++) {
        struct fg_str before = text_of(js_at(line, i - 1), "at"), now = text_of(js_at(line, i), "at");
        CHECK(before.n == now.n && memcmp(before.p, now.p, now.n) <= 0, "never back in time");
    }
    check_told(&w, file, "Asked 14 times how it stands, always with the same answer (HTTP 200), the last time at ");
    check_told(&w, file, "A callback of list was a duplicate.");
    check_told(&w, file, "acct_x, key 7 did “cancel”, which was refused (job_finished): the customer called.");
    struct sb all = sb_in(w.cx->mem, DOSSIER_JSON_MAX);
    js_write(&all, file);
    CHECK(!strstr(sb_cstr(&all), "do-not-tell"), "no secret in it");
    CHECK(can(file, "release") && !can(file, "hold") && !can(file, "erase"), "on hold");
    CHECK_STR(text_of(js_at(js_get(file, "holds"), 0), "scope"), FG_LIT("job"), "what is held");
    job_world_end(&w, 0);
}

/* Of the row of such a question, the only one there is. */
static const struct js *asked(struct job_world *w, const struct js *file, const char *what)
{
    const struct js *found = NULL, *all = js_get(file, "wire");
    for (size_t i = 0; i < js_len(all); i++)
        if (fg_eq(text_of(js_at(all, i), "what"), fg_str_c(what))) {
            CHECK(!found, what);
            found = js_at(all, i);
        }
    CHECK(found != NULL, arena_fmt(w->cx->mem, "%s was asked", what).p);
    return found;
}

static int64_t number_of(const struct js *v, const char *key)
{
    int64_t n = -1;
    (void)js_i64(js_get(v, key), &n);
    return n;
}

TEST(what_was_said_is_shown_as_the_sweeper_wrote_it)
{
    struct job_world w;
    job_world_begin(&w);
    say(&w, FAKE_POLL, (struct fake_reply){ .way = FAKE_ANSWER, .body =
        FG_LIT("{\"status\":\"in_progress\",\"token\":\"do-not-tell\",\"logs\":\"https:\\/\\/h\\/l?sig=do-not-tell\"}") });
    struct fg_str id = new_job(&w, "list-1", JOB_WORLD_WAIT_S);
    settle(&w);
    for (int i = 0; i < 14; i++)
        step(&w);
    const struct js *file = file_of(&w, id), *poll = asked(&w, file, "poll"), *submit = asked(&w, file, "submit");
    CHECK_I64(number_of(poll, "attempt"), 1, "of the first attempt");
    CHECK_I64(number_of(poll, "n"), 14, "each is counted");
    CHECK_I64(number_of(poll, "status"), 200, "what came");
    CHECK_IS(text_of(poll, "excerpt"), "{\"status\":\"in_progress\",\"token\":\"[secret]\",\"logs\":\"https:\\/\\/h\\/l?[query]\"}",
             "what it said, without what lets somebody in");
    CHECK_IS(text_of(poll, "method"), "GET", "how it was asked");
    CHECK_STR(text_of(poll, "lastAt"), time_iso(w.cx->mem, w.t.utc_us), "and when last");
    CHECK(number_of(submit, "status") / 100 == 2, "the submit was taken");
    check_told(&w, file, arena_fmt(w.cx->mem, "Asked 14 times how it stands, always with the same answer (HTTP 200), the last "
                                   "time at %.8s.", time_iso(w.cx->mem, w.t.utc_us).p + 11).p);
    struct sb all = sb_in(w.cx->mem, DOSSIER_JSON_MAX);
    js_write(&all, file);
    CHECK(!strstr(sb_cstr(&all), "do-not-tell"), "no secret in it");
    CHECK(!strstr(sb_cstr(&all), ask_text(&w, "SELECT callback_token FROM attempt").p), "nor the callback's");
    job_world_end(&w, 0);
}

#define NOBODY_KNOWS "No answer came, so nobody knew whether it was taken, and it was not sent again."

TEST(a_doubt_stays_told_when_it_has_been_resolved)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = new_job(&w, "wait-1", JOB_WORLD_WAIT_S);
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_HANG_UP });
    settle(&w);
    check_place(&w, id, JOB_PENDING, STAGE_SUBMIT_UNKNOWN, "", "nobody knows");
    const struct js *file = file_of(&w, id);
    check_told(&w, file, NOBODY_KNOWS);
    CHECK(can(file, "resolve") && can(file, "ask") && can(file, "cancel"), "what can be done");
    CHECK_STR(text_of(js_at(js_get(file, "due"), 0), "kind"), FG_LIT("resolve"), "what is due");

    const struct act_order found = { .kind = ACT_RESOLVE, .job = id, .actor = ACTION_OPERATOR,
                                     .reason = FG_LIT("seen in its console"), .accepted = FG_LIT("video_of_theirs") };
    struct act_done done;
    CHECK_CODE(w.cx, act_run(w.cx, &w.env, &found, &done), FG_OK);
    file = file_of(&w, id);
    check_told(&w, file, NOBODY_KNOWS);
    check_told(&w, file, "accepted as video_of_theirs");
    job_world_end(&w, 0);
}

TEST(another_accounts_job_too_and_none_that_there_is_not)
{
    struct job_world w;
    struct dossier d;
    job_world_begin(&w);
    CHECK_CODE(w.cx, dossier_read(w.cx, w.env.db, FG_LIT("job_nobody"), &d), FG_NOT_FOUND);
    CHECK_CODE(w.cx, dossier_read(w.cx, w.env.db, FG_LIT("%"), &d), FG_NOT_FOUND);
    struct fg_str id = new_job(&w, "list-1", JOB_WORLD_WAIT_S);
    do_sql(&w, "UPDATE job SET account_id = 2");
    do_sql(&w, "UPDATE ledger SET account_id = 2");
    CHECK_CODE(w.cx, dossier_read(w.cx, w.env.db, id, &d), FG_OK);
    do_sql(&w, "UPDATE job SET account_id = 1");
    do_sql(&w, "UPDATE ledger SET account_id = 1");
    job_world_end(&w, 0);
}

/* ---- search ---- */

static struct search_query any(void)
{
    return (struct search_query){ .stage = -1 };
}

static struct search_found find(struct job_world *w, const struct search_query *q)
{
    struct search_found f = { 0 };
    CHECK_CODE(w->cx, job_search(w->cx, w->env.db, q, &f), FG_OK);
    return f;
}

static void check_found(struct job_world *w, const char *text, struct fg_str id, const char *matched)
{
    struct search_query q = any();
    q.text = fg_str_c(text);
    struct search_found f = find(w, &q);
    CHECK_I64(f.n, id.p ? 1 : 0, text);
    if (f.n)
        CHECK_STR(f.row[0].public_id, id, text);
    CHECK_STR(fg_str_c(f.matched), fg_str_c(matched), text);
}

TEST(a_job_is_found_by_whatever_somebody_has_of_it)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = new_job(&w, "list-1", JOB_WORLD_WAIT_S);
    run_to_end(&w, id);
    struct fg_str other = new_job(&w, "list-1", JOB_WORLD_WAIT_S);
    do_sql(&w, "UPDATE job SET prompt = 'Ein Löwe, 100%% wild', request_id = 'req_abc' WHERE public_id = '%.*s'", FG_P(id));
    do_sql(&w, "UPDATE job SET prompt = 'A lion, 100 miles', request_id = 'req_abd' WHERE public_id = '%.*s'", FG_P(other));
    check_found(&w, id.p, id, "id");
    check_found(&w, ask_text(&w, "SELECT provider_job_id FROM attempt LIMIT 1").p, id, "providerJobId");
    check_found(&w, ask_text(&w, "SELECT client_ref FROM attempt LIMIT 1").p, id, "clientRef");
    check_found(&w, "req_abc", id, "requestId");
    check_found(&w, "löwe", id, "prompt");
    check_found(&w, "wild LÖWE", id, "prompt");
    check_found(&w, "100%", id, "prompt");
    check_found(&w, "lion 100", other, "prompt");
    check_found(&w, "lion wild", FG_NONE, "prompt");
    check_found(&w, "_öwe", FG_NONE, "prompt");
    job_world_end(&w, 0);
}

TEST(filters_hold_together_and_pages_follow_one_another)
{
    struct job_world w;
    struct search_found f = { 0 };
    job_world_begin(&w);
    struct fg_str id[5];
    for (size_t i = 0; i < FG_LEN(id); i++)
        id[i] = new_job(&w, i % 2 ? "wait-1" : "list-1", JOB_WORLD_WAIT_S);
    struct search_query q = any();
    q.provider = FG_LIT("wait");
    CHECK_I64(find(&w, &q).n, 2, "of a provider");
    q.state = JOB_FAILED;
    CHECK_I64(find(&w, &q).n, 0, "and a state");
    q = any();
    q.account = w.who.account[0] ? fg_str_c(w.who.account) : ask_text(&w, "SELECT public_id FROM account WHERE id = 1");
    CHECK_I64(find(&w, &q).n, 5, "of an account");
    q.account = FG_LIT("nobody");
    CHECK_I64(find(&w, &q).n, 0, "of nobody");
    q = any();
    q.limit = 2;
    size_t seen = 0;
    do {
        f = find(&w, &q);
        for (size_t i = 0; i < f.n; i++, seen++)
            CHECK_STR(f.row[i].public_id, id[FG_LEN(id) - 1 - seen], "the newest first, each once");
        q.cursor = f.next_cursor;
    } while (f.next_cursor.p && seen < 10);
    CHECK_I64(seen, 5, "all of them");
    q.cursor = FG_LIT("x");
    CHECK_CODE(w.cx, job_search(w.cx, w.env.db, &q, &f), FG_INVALID_REQUEST);
    job_world_end(&w, 0);
}

/* Ids far apart stand for many jobs between them. */
TEST(words_are_looked_for_so_far_at_a_time_and_the_answer_says_how_far)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str old = new_job(&w, "list-1", JOB_WORLD_WAIT_S);
    do_sql(&w, "UPDATE job SET prompt = 'the needle'");
    do_sql(&w, "ALTER TABLE job AUTO_INCREMENT = %d", 2 * SEARCH_SCAN * SEARCH_SCANS);
    int64_t first_us = w.cx->now_us;
    clock_add(&w, 3600 * FG_US_PER_S);
    (void)new_job(&w, "list-1", 2 * JOB_WORLD_WAIT_S);
    struct search_query q = any();
    q.text = FG_LIT("needle");
    struct search_found f = find(&w, &q);
    CHECK_I64(f.n, 0, "not among the newest");
    CHECK(f.next_cursor.p != NULL, "there is more to look at");
    CHECK_I64(f.searched_to_us, first_us + 3600 * FG_US_PER_S, "how far it has come");
    for (int i = 0; i < 5 && f.n == 0 && f.next_cursor.p; i++) {
        q.cursor = f.next_cursor;
        f = find(&w, &q);
    }
    CHECK_I64(f.n, 1, "found further back");
    CHECK_STR(f.row[0].public_id, old, "that one");
    job_world_end(&w, 0);
}
