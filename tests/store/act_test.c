/* What support does to a job: each deed once, each refusal, the record of both, and what its owner sees of it. */
#include "job/act.h"
#include "job/dossier.h"
#include "store/cli_kit.h"

#define FAR 86400
#define WHO FG_LIT("acct_x, key 7")
#define WHY FG_LIT("the customer called")

static enum fg_code act(struct job_world *w, struct fg_str id, struct act_order o, struct act_done *done)
{
    o.job = id;
    o.actor = WHO;
    o.reason = WHY;
    return act_run(w->cx, &w->env, &o, done);
}

static enum fg_code simply(struct job_world *w, struct fg_str id, enum act_kind kind)
{
    struct act_done done;
    return act(w, id, (struct act_order){ .kind = kind }, &done);
}

/* The newest record: "cancel done". */
static struct fg_str record(struct job_world *w)
{
    return ask_text(w, "SELECT CONCAT(action, ' ', outcome) FROM operator_action ORDER BY id DESC LIMIT 1");
}

/* Whatever can does not name is refused, changes nothing and is recorded. */
static void check_refused(struct job_world *w, struct fg_str id, const char *why)
{
    struct act_facts f;
    struct job j = job_now(w, id);
    CHECK_CODE(w->cx, act_facts_read(w->cx, w->env.db, j.id, &f), FG_OK);
    unsigned can = act_can(&j, &f);
    for (unsigned i = 0; i < ACT_KIND_N; i++) {
        int64_t n = ask(w, "SELECT COUNT(*) FROM operator_action WHERE outcome <> 'done'");
        if (can & 1U << i)
            continue;
        CHECK(simply(w, id, (enum act_kind)i) != FG_OK, act_name((enum act_kind)i));
        CHECK_I64(job_now(w, id).version, j.version, why);
        CHECK_I64(ask(w, "SELECT COUNT(*) FROM operator_action WHERE outcome <> 'done'"), n + 1, why);
    }
    CHECK_I64(ask(w, "SELECT COUNT(*) FROM operator_action WHERE account_id IS NULL OR job_id IS NULL OR reason <> '%.*s'",
                  FG_P(WHY)), 0, why);
}

static struct fg_str at_provider(struct job_world *w)
{
    struct fg_str id = new_job(w, "replay-1", FAR);
    settle(w);
    check_place(w, id, JOB_QUEUED, STAGE_AT_PROVIDER, "", "there");
    return id;
}

static struct fg_str finished(struct job_world *w)
{
    struct fg_str id = new_job(w, "list-1", FAR);
    run_to_end(w, id);
    return id;
}

static struct fg_str in_doubt(struct job_world *w)
{
    say(w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_TAKE_LOSE });
    struct fg_str id = new_job(w, "wait-1", FAR);
    settle(w);
    fake_unsay(w->fake, FAKE_SUBMIT);
    check_place(w, id, JOB_PENDING, STAGE_SUBMIT_UNKNOWN, "", "nobody knows");
    return id;
}

TEST(a_job_is_canceled_and_its_owner_sees_by_whom)
{
    struct job_world w;
    struct act_done done;
    job_world_begin(&w);
    struct fg_str id = new_job(&w, "list-1", FAR), there = at_provider(&w);
    check_refused(&w, there, "at its provider");
    do_sql(&w, "DELETE FROM operator_action");
    CHECK_CODE(w.cx, act(&w, there, (struct act_order){ .kind = ACT_CANCEL }, &done), FG_OK);
    CHECK(done.job.cancel_us && !job_terminal((enum job_state)done.job.state), "its provider is asked");
    CHECK_STR(done.record.account, ask_text(&w, "SELECT public_id FROM account WHERE id = 1"), "whose");
    CHECK_I64(done.record.id, ask(&w, "SELECT MAX(id) FROM operator_action"), "this record");
    CHECK_CODE(w.cx, simply(&w, there, ACT_CANCEL), FG_DB_DUPLICATE);
    CHECK_IS(record(&w), "cancel conflict", "as it was asked");
    CHECK_IS(ask_text(&w, "SELECT GROUP_CONCAT(kind ORDER BY seq) FROM job_event WHERE job_id = %lld AND seq > 3",
                      (long long)done.job.id), "operator,cancel_requested", "told once");
    CHECK_IS(ask_text(&w, "SELECT data FROM job_event WHERE kind = 'operator' LIMIT 1"), "{\"action\":\"cancel\"}", "not why");
    run_to_end(&w, there);
    run_to_end(&w, id);
    CHECK_CODE(w.cx, simply(&w, id, ACT_CANCEL), FG_JOB_FINISHED);
    CHECK_CODE(w.cx, simply(&w, FG_LIT("job_00000000000000000000000000"), ACT_CANCEL), FG_NOT_FOUND);
    CHECK_CODE(w.cx, simply(&w, FG_LIT("jöb"), ACT_CANCEL), FG_NOT_FOUND);
    job_world_end(&w, 0);
}

TEST(a_provider_is_asked_now_even_when_nobody_planned_to)
{
    struct job_world w;
    job_world_begin(&w);
    say_status(&w, "queued", -1);
    struct fg_str id = at_provider(&w);
    unsigned before = fake_count(w.fake, FAKE_POLL);
    settle(&w);
    CHECK_I64(fake_count(w.fake, FAKE_POLL), before, "not yet");
    CHECK_CODE(w.cx, simply(&w, id, ACT_ASK), FG_OK);
    look_anew(&w.sweeper);
    settle(&w);
    CHECK_I64(fake_count(w.fake, FAKE_POLL), before + 1, "now");
    do_sql(&w, "DELETE FROM due");
    CHECK_CODE(w.cx, simply(&w, id, ACT_ASK), FG_OK);
    look_anew(&w.sweeper);
    settle(&w);
    CHECK_I64(fake_count(w.fake, FAKE_POLL), before + 2, "a stuck one goes on");
    fake_unsay(w.fake, FAKE_POLL);
    run_to_end(&w, id);
    CHECK_CODE(w.cx, simply(&w, id, ACT_ASK), FG_NOT_AT_PROVIDER);
    job_world_end(&w, 0);
}

TEST(a_doubt_is_ended_with_a_record_of_what_was_said)
{
    struct job_world w;
    struct act_done done;
    job_world_begin(&w);
    struct fg_str taken = in_doubt(&w), lost = in_doubt(&w);
    check_refused(&w, taken, "in doubt");
    struct act_order o = { .kind = ACT_RESOLVE, .accepted = FG_LIT("a b") };
    CHECK_CODE(w.cx, act(&w, taken, o, &done), FG_INVALID_REQUEST);
    o.accepted = FG_LIT("video_0");
    CHECK_CODE(w.cx, act(&w, taken, o, &done), FG_OK);
    CHECK_I64(done.job.stage, STAGE_AT_PROVIDER, "there");
    CHECK_IS(done.record.data, "{\"accepted\":\"video_0\"}", "what was said");
    CHECK_CODE(w.cx, act(&w, lost, o, &done), FG_DB_DUPLICATE);
    CHECK_IS(record(&w), "resolve conflict", "another's id");
    o.accepted = FG_NONE;
    CHECK_CODE(w.cx, act(&w, lost, o, &done), FG_OK);
    CHECK_I64(done.job.stage, STAGE_WAITING, "once more");
    CHECK_IS(ask_text(&w, "SELECT data FROM operator_action ORDER BY id DESC LIMIT 1"), "{\"accepted\":null}", "was not taken");
    CHECK_CODE(w.cx, act(&w, lost, o, &done), FG_JOB_MOVED);
    CHECK(strstr(w.cx->err.detail, "it is waiting"), w.cx->err.detail);
    job_world_end(&w, 0);
}

TEST(a_job_is_tried_again_once)
{
    struct job_world w;
    struct act_done done, twice;
    job_world_begin(&w);
    w.conf.limits_duplicate_window_s = 30;
    struct fg_str id = finished(&w);
    check_refused(&w, id, "finished");
    clock_add(&w, 60 * FG_US_PER_S);
    CHECK_CODE(w.cx, act(&w, id, (struct act_order){ .kind = ACT_RETRY }, &done), FG_OK);
    struct job new = job_now(&w, done.retried), old = job_now(&w, id);
    CHECK(new.account_id == old.account_id && fg_eq(new.prompt, old.prompt) && new.duration_s == old.duration_s, "the same wish");
    CHECK_STR(ask_text(&w, "SELECT data FROM operator_action WHERE action = 'retry' AND outcome = 'done'"),
              arena_fmt(w.cx->mem, "{\"retried\":\"%.*s\"}", FG_P(done.retried)), "the record names it");
    CHECK_CODE(w.cx, act(&w, id, (struct act_order){ .kind = ACT_RETRY }, &twice), FG_DUPLICATE_REQUEST);
    CHECK_IS(record(&w), "retry duplicate_request", "pressed twice");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM job"), 2, "and no more");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM operator_action WHERE action = 'retry' AND data IS NOT NULL"), 1,
              "nothing came of that");
    CHECK_CODE(w.cx, simply(&w, done.retried, ACT_RETRY), FG_JOB_NOT_FINISHED);
    run_to_end(&w, done.retried);
    CHECK_CODE(w.cx, simply(&w, id, ACT_ERASE), FG_OK);
    CHECK_CODE(w.cx, simply(&w, id, ACT_RETRY), FG_PROMPT_DELETED);
    job_world_end(&w, 0);
}

TEST(what_is_on_hold_is_not_erased)
{
    struct job_world w;
    struct act_done done;
    job_world_begin(&w);
    struct fg_str id = finished(&w);
    CHECK_CODE(w.cx, simply(&w, id, ACT_RELEASE), FG_NOT_FOUND);
    CHECK_CODE(w.cx, simply(&w, id, ACT_HOLD), FG_OK);
    check_refused(&w, id, "on hold");
    CHECK_CODE(w.cx, simply(&w, id, ACT_HOLD), FG_DB_DUPLICATE);
    CHECK_CODE(w.cx, simply(&w, id, ACT_ERASE), FG_LEGAL_HOLD);
    CHECK_CODE(w.cx, job_erase(w.cx, &w.env, &w.who, id), FG_LEGAL_HOLD);
    CHECK_IS(ask_text(&w, "SELECT CONCAT(placed_by, ': ', reason) FROM legal_hold"), "acct_x, key 7: the customer called", "why");
    CHECK_CODE(w.cx, simply(&w, id, ACT_RELEASE), FG_OK);
    CHECK_CODE(w.cx, act(&w, id, (struct act_order){ .kind = ACT_ERASE }, &done), FG_OK);
    CHECK(done.job.deleted_us && !done.job.prompt.n, "its words are not in the answer");
    CHECK_I64(ask(&w, "SELECT storage_bytes FROM account_use WHERE account_id = 1"), 0, "given back");
    CHECK_CODE(w.cx, simply(&w, id, ACT_ERASE), FG_GONE);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM job_event WHERE kind = 'operator'"), 3, "hold, release, erase");
    job_world_end(&w, 0);
}

TEST(webhooks_are_told_again)
{
    struct job_world w;
    struct act_done done;
    struct job_answer a, b;
    job_world_begin(&w);
    static const char body[] = "{\"model\":\"list-1\",\"prompt\":\"a fish\",\"aspectRatio\":\"16:9\",\"duration\":5,"
                               "\"allowDuplicate\":true,\"callbackUrl\":\"https://example.com/hook\"}";
    CHECK_CODE(w.cx, create_job(&w, fg_str_c(body), NULL, &a), FG_OK);
    CHECK_CODE(w.cx, create_job(&w, fg_str_c(body), NULL, &b), FG_OK);
    CHECK_CODE(w.cx, simply(&w, a.job_id, ACT_REDELIVER), FG_ENDPOINT_DISABLED);
    CHECK_CODE(w.cx, simply(&w, a.job_id, ACT_CANCEL), FG_OK);
    CHECK_CODE(w.cx, simply(&w, b.job_id, ACT_CANCEL), FG_OK);
    do_sql(&w, "UPDATE webhook_delivery SET state = 3, tries = 9, due_us = 5");
    struct fg_str one = ask_text(&w, "SELECT public_id FROM webhook_delivery WHERE job_id = %lld",
                                 (long long)job_now(&w, a.job_id).id);
    struct act_order o = { .kind = ACT_REDELIVER, .delivery = one };
    CHECK_CODE(w.cx, act(&w, b.job_id, o, &done), FG_NOT_FOUND);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM webhook_delivery WHERE state = 1"), 0, "another job's");
    CHECK_CODE(w.cx, act(&w, a.job_id, o, &done), FG_OK);
    CHECK_STR(done.record.subject, one, "which");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM webhook_delivery WHERE state = 1 AND tries = 0"), 1, "this one");
    do_sql(&w, "UPDATE webhook_delivery SET state = 2, tries = 1");
    CHECK_CODE(w.cx, act(&w, b.job_id, (struct act_order){ .kind = ACT_REDELIVER }, &done), FG_OK);
    CHECK_IS(done.record.data, "{\"deliveries\":1}", "how many");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM webhook_delivery WHERE state = 1 AND tries = 0"), 1, "all of the job's");
    job_world_end(&w, 0);
}

TEST(money_is_moved_and_the_books_agree)
{
    struct job_world w;
    struct act_done done;
    job_world_begin(&w);
    struct fg_str id = new_job(&w, "list-1", FAR);
    struct act_order o = { .kind = ACT_ADJUST, .amount_micro = -7, .reference = FG_LIT("case-1") };
    int64_t before = ask(&w, "SELECT balance_micro FROM account_use WHERE account_id = 1");
    for (int i = 0; i < 2; i++) {
        CHECK_CODE(w.cx, act(&w, id, o, &done), FG_OK);
        CHECK(strstr(done.record.data.p, i ? "\"entered\":false" : "\"entered\":true"), done.record.data.p);
    }
    CHECK_I64(ask(&w, "SELECT balance_micro FROM account_use WHERE account_id = 1"), before - 7, "once");
    CHECK_IS(ask_text(&w, "SELECT note FROM ledger WHERE reference = 'case-1'"), "the customer called", "why");
    o.amount_micro = 0;
    CHECK_CODE(w.cx, act(&w, id, o, &done), FG_INVALID_REQUEST);
    CHECK_IS(record(&w), "adjust invalid_request", "refused");
    job_world_end(&w, 0);
}

TEST(the_operators_command_leaves_the_same_records)
{
    struct job_world w;
    const char *out;
    job_world_begin(&w);
    struct fg_str id = finished(&w), waits = new_job(&w, "wait-1", FAR), there = at_provider(&w);
    clock_add(&w, 60 * FG_US_PER_S);
    CHECK_CODE(w.cx, RUN(&w, cli_jobs_retry, &out, id.p, "--reason", "asked for"), FG_OK);
    CHECK(fg_starts(fg_str_c(out), FG_LIT("job_")), out);
    CHECK_IS(record(&w), "retry done", "recorded");
    CHECK_CODE(w.cx, RUN(&w, cli_jobs_cancel, &out, waits.p), FG_OK);
    CHECK(strstr(out, "is now "), out);
    CHECK_CODE(w.cx, RUN(&w, cli_jobs_ask, &out, there.p), FG_OK);
    CHECK(strstr(out, "replay is asked about at once"), out);
    CHECK_CODE(w.cx, RUN(&w, cli_jobs_ask, &out, id.p), FG_NOT_AT_PROVIDER);
    CHECK_CODE(w.cx, RUN(&w, cli_actions, &out, "--job", id.p), FG_OK);
    CHECK(strstr(out, "retry         done") && strstr(out, "by operator") && strstr(out, "\"asked for\"") &&
          strstr(out, "not_at_provider") && !strstr(out, waits.p), out);
    CHECK_CODE(w.cx, RUN(&w, cli_actions, &out, "--account", "x"), FG_INVALID_REQUEST);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM operator_action WHERE actor = 'operator' AND request_id = 'operator'"), 4, "all");
    job_world_end(&w, 0);
}

TEST(what_the_operator_does_to_holds_money_and_providers_is_recorded_too)
{
    struct job_world w;
    const char *out;
    job_world_begin(&w);
    struct fg_str id = finished(&w);
    const char *account = ask_text(&w, "SELECT public_id FROM account WHERE id = 1").p;
    CHECK_CODE(w.cx, RUN(&w, cli_hold_add, &out, account, "--job", id.p, "--reason", "a court", "--by", "Ann"), FG_OK);
    CHECK_IS(record(&w), "hold done", "placed");
    CHECK_IS(ask_text(&w, "SELECT data FROM job_event WHERE kind = 'operator'"), "{\"action\":\"hold\"}", "its owner sees it");
    CHECK_CODE(w.cx, RUN(&w, cli_hold_add, &out, account, "--job", "job_x", "--reason", "a court", "--by", "Ann"), FG_NOT_FOUND);
    CHECK_IS(record(&w), "hold not_found", "refused");
    CHECK_CODE(w.cx, RUN(&w, cli_hold_end, &out, "1", "--reason", "it is over"), FG_OK);
    CHECK_IS(record(&w), "release done", "ended");
    CHECK_CODE(w.cx, RUN(&w, cli_hold_end, &out, "1"), FG_NOT_FOUND);
    CHECK_CODE(w.cx, RUN(&w, cli_account_topup, &out, account, "5", "--reference", "r-1", "--note", "paid"), FG_OK);
    CHECK_IS(record(&w), "topup done", "money");
    CHECK_CODE(w.cx, RUN(&w, cli_account_topup, &out, account, "6", "--reference", "r-1"), FG_DB_DUPLICATE);
    CHECK_IS(ask_text(&w, "SELECT CONCAT(outcome, data) FROM operator_action ORDER BY id DESC LIMIT 1"),
             "conflict{\"amountMicro\":6,\"reference\":\"r-1\"}", "with what was asked for");
    CHECK_CODE(w.cx, RUN(&w, cli_provider_pause, &out, "list", "--reason", "it burns"), FG_OK);
    CHECK_CODE(w.cx, RUN(&w, cli_provider_resume, &out, "list"), FG_OK);
    CHECK_CODE(w.cx, RUN(&w, cli_provider_pause, &out, "nobody"), FG_NOT_FOUND);
    CHECK_IS(ask_text(&w, "SELECT GROUP_CONCAT(action, ' ', subject, ' ', reason ORDER BY id) FROM operator_action "
                          "WHERE subject = 'list'"), "pause list it burns,resume list ", "providers");
    job_world_end(&w, 0);
}
