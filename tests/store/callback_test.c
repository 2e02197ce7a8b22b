/* Callbacks: what each verdict changes, what a forged one cannot, and acceptance proven by the attempt's token. */
#include "store/callback_kit.h"

#define FAR 86400
#define POLL_SOON_US (2 * 60 * FG_US_PER_S)

TEST(a_callback_makes_the_poll_due_and_is_worth_no_more)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = job_at_provider(&w);
    say_status(&w, "in_progress", 30);
    struct call c = callback(&w, token_of(&w, id, 1), "evt_1", "video_0");
    CHECK_CODE(w.cx, send(&c), FG_OK);
    CHECK_I64(fake_count(w.fake, FAKE_POLL), 0, "a handler asks nobody");
    settle(&w);
    CHECK_I64(fake_count(w.fake, FAKE_POLL), 1, "asked at once");
    check_place(&w, id, JOB_PROCESSING, STAGE_RENDERING, "", "what the poll says counts, not what the callback says");
    CHECK_I64(receipts(&w, 1), 1, "kept as valid");
    CHECK_STR(ask_text(&w, "SELECT body FROM callback_receipt"), c.in.body, "with its body");
    fake_unsay(w.fake, FAKE_POLL);
    struct call other = callback(&w, token_of(&w, id, 1), "evt_2", "video_0");
    CHECK_CODE(w.cx, send(&other), FG_OK);
    settle(&w);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "delivered without the clock moving at all");
    job_world_end(&w, 0);
}

TEST(the_same_event_twice_is_one)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = job_at_provider(&w);
    say_status(&w, "in_progress", 30);
    struct call c = callback(&w, token_of(&w, id, 1), "evt_1", "video_0");
    CHECK_CODE(w.cx, send(&c), FG_OK);
    settle(&w);
    int version = job_now(&w, id).version;
    for (int i = 0; i < 3; i++) {
        clock_add(&w, FG_US_PER_S);
        c.at_s++; /* sent again, so signed again */
        CHECK_CODE(w.cx, send(&c), FG_OK);
    }
    settle(&w);
    CHECK_I64(fake_count(w.fake, FAKE_POLL), 1, "no more polls");
    CHECK_I64(job_now(&w, id).version, version, "nor any change");
    CHECK_I64(receipts(&w, 1), 1, "one valid");
    CHECK_I64(receipts(&w, 2), 3, "three duplicates, all kept");
    job_world_end(&w, 0);
}

TEST(a_late_callback_is_kept_and_changes_no_end)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = job_at_provider(&w);
    struct fg_str token = token_of(&w, id, 1);
    run_to_end(&w, id);
    struct job before = job_now(&w, id);
    clock_add(&w, 3600 * FG_US_PER_S);
    struct call c = callback(&w, token, "evt_9", "video_0");
    CHECK_CODE(w.cx, send(&c), FG_OK);
    struct job after = job_now(&w, id);
    CHECK_I64(after.state, before.state, "ended is ended");
    CHECK_I64(after.finished_us, before.finished_us, "at its time");
    CHECK_I64(receipts(&w, 3), 1, "kept as late");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM due"), 0, "and nothing to do");
    job_world_end(&w, 0);
}

/* Providers say the whole request again, words and all. */
TEST(erasing_a_job_takes_the_words_out_of_its_callbacks)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = job_at_provider(&w), token = token_of(&w, id, 1);
    say_status(&w, "in_progress", 30);
    struct call c = callback(&w, token, "evt_1", "video_0"), forged = callback(&w, token, "evt_0", "video_0");
    c.in.body = forged.in.body = arena_fmt(w.cx->mem, "{\"type\":\"video.completed\",\"data\":{\"id\":\"video_0\","
                                                      "\"prompt\":\"a fish\"}}");
    forged.secret = FG_LIT("whsec_YW5vdGhlciBzZWNyZXQgb2Ygb3Vycw==");
    CHECK_CODE(w.cx, send(&forged), FG_BAD_SIGNATURE);
    CHECK_CODE(w.cx, send(&c), FG_OK);
    fake_unsay(w.fake, FAKE_POLL);
    run_to_end(&w, id);
    int64_t first = ask(&w, "SELECT MAX(id) FROM callback_receipt");
    CHECK_CODE(w.cx, job_erase(w.cx, &w.env, &w.who, id), FG_OK);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM callback_receipt WHERE body LIKE '%%a fish%%'"), 0, "forgotten");
    CHECK_CODE(w.cx, send(&c), FG_OK);
    CHECK_CODE(w.cx, send(&forged), FG_BAD_SIGNATURE);
    c.in.headers.webhook_id = FG_LIT("evt_2");
    CHECK_CODE(w.cx, send(&c), FG_OK);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM callback_receipt WHERE body IS NOT NULL"), 0, "nor do later ones bring them back");
    CHECK_I64(receipts(&w, 1), 1, "that they came is kept");
    CHECK_I64(receipts(&w, 2), 1, "of a duplicate");
    CHECK_I64(receipts(&w, 3), 1, "of a late one");
    CHECK_I64(receipts(&w, 5), 2, "and of a forged one");
    struct job_env operator = w.env;
    CHECK_CODE(w.cx, db_open(w.cx, &operator.db, &w.conf, DB_CLI), FG_OK);
    CHECK_CODE(w.cx, job_callback_replay(w.cx, &operator, first), FG_INVALID_REQUEST);
    db_close(operator.db);
    settle(&w);
    job_world_end(&w, 0);
}

TEST(a_callback_for_an_attempt_before_the_last_is_superseded)
{
    struct job_world w;
    job_world_begin(&w);
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_ANSWER, .status = 503 });
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_DEFAULT });
    struct fg_str id = new_job(&w, "replay-1", FAR);
    while (job_now(&w, id).stage != STAGE_AT_PROVIDER)
        step(&w);
    struct call c = callback(&w, token_of(&w, id, 1), "evt_1", "video_77");
    CHECK_CODE(w.cx, send(&c), FG_OK);
    CHECK_IS(job_now(&w, id).provider_job_id, "video_0", "its video stays");
    CHECK_I64(receipts(&w, 4), 1, "kept as superseded");
    CHECK(ask(&w, "SELECT cost_micro FROM attempt WHERE n = 1") > 0, "a duplicate: it is paid for, too");
    run_to_end(&w, id);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "and is delivered");
    job_world_end(&w, 0);
}

TEST(what_is_not_genuine_changes_nothing)
{
    static const char *const name[] = { "another secret", "too old", "from the future", "no id", "no signature",
                                        "another body", "unknown token", "not a token", "another job's token",
                                        "no such provider", "provider without callbacks" };
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = job_at_provider(&w), other = job_at_provider(&w), token = token_of(&w, id, 1);
    struct job before = job_now(&w, id);
    for (size_t i = 0; i < FG_LEN(name); i++) {
        struct call c = callback(&w, token, "evt_1", "video_0");
        enum fg_code want = FG_BAD_SIGNATURE, got;
        switch (i) {
        case 0: c.secret = FG_LIT("whsec_YW5vdGhlciBzZWNyZXQgb2Ygb3Vycw=="); break;
        case 1: c.at_s -= WEBHOOK_TOLERANCE_S + 1; break;
        case 2: c.at_s += WEBHOOK_TOLERANCE_S + 1; break;
        case 6: c.in.token = FG_LIT("cb_00000000000000000000000000"); want = FG_NOT_FOUND; break;
        case 7: c.in.token = FG_LIT("../../x"); want = FG_NOT_FOUND; break;
        case 8: c.in.token = token_of(&w, other, 1); want = FG_NOT_FOUND; break;
        case 9: c.in.provider = FG_LIT("nobody"); want = FG_NOT_FOUND; break;
        case 10: c.in.provider = FG_LIT("list"); want = FG_NOT_FOUND; break;
        default: break;
        }
        got = send(&c);
        if (i == 3 || i == 4) { /* headers that did not come */
            *(i == 3 ? &c.in.headers.webhook_id : &c.in.headers.webhook_signature) = FG_NONE;
            want = FG_BAD_HEADER;
        } else if (i == 5) {
            c.in.body = FG_LIT("{\"type\":\"video.failed\",\"data\":{\"id\":\"video_0\"}}");
        }
        if (i >= 3 && i <= 5) { /* the signed one itself was good */
            do_sql(&w, "DELETE FROM callback_receipt");
            before = job_now(&w, id);
            got = job_callback(w.cx, &w.env, &c.in, &(struct callback_out){ 0 });
        }
        CHECK_STR(fg_str_c(fg_err_info(got)->slug), fg_str_c(fg_err_info(want)->slug), name[i]);
        CHECK_I64(job_now(&w, id).version, before.version, name[i]);
        CHECK_I64(receipts(&w, 1), 0, name[i]);
    }
    job_world_end(&w, 0);
}

/* ---- the token proves acceptance ---- */

TEST(a_callback_before_the_submits_answer_accepts)
{
    struct job_world w;
    job_world_begin(&w);
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .hold = true });
    say_status(&w, "in_progress", 5);
    struct fg_str id = new_job(&w, "replay-1", FAR);
    turn_until_held(&w, &w.sweeper, 1);
    check_place(&w, id, JOB_PENDING, STAGE_SUBMITTING, "", "no answer yet");
    struct call c = callback(&w, token_of(&w, id, 1), "evt_1", "video_0");
    CHECK_CODE(w.cx, send(&c), FG_OK);
    check_place(&w, id, JOB_QUEUED, STAGE_AT_PROVIDER, "", "the callback says where it is");
    CHECK_IS(job_now(&w, id).provider_job_id, "video_0", "and under which name");
    fake_release(w.fake);
    settle(&w);
    CHECK_IS(timeline(&w, id), "submitting accepted callback started", "the answer is no news then");
    CHECK_I64(fake_bills(w.fake), 1, "one bill");
    fake_unsay(w.fake, FAKE_POLL);
    run_to_end(&w, id);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "delivered");
    job_world_end(&w, 0);
}

TEST(a_callback_ends_the_doubt_about_a_lost_submit)
{
    struct job_world w;
    job_world_begin(&w);
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_TAKE_LOSE });
    struct fg_str id = new_job(&w, "replay-1", FAR);
    settle(&w);
    check_place(&w, id, JOB_PENDING, STAGE_SUBMIT_UNKNOWN, "", "nobody can say");
    struct call c = callback(&w, token_of(&w, id, 1), "evt_1", "video_0");
    CHECK_CODE(w.cx, send(&c), FG_OK);
    settle(&w);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "delivered");
    CHECK_I64(fake_count(w.fake, FAKE_SUBMIT), 1, "never asked twice");
    job_world_end(&w, 0);
}

/* The last question of its waiting time is under way, and will bring nothing. */
TEST(a_callback_while_we_ask_is_not_lost_to_giving_up)
{
    struct job_world w;
    job_world_begin(&w);
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_TAKE_LOSE });
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_HANG_UP, .hold = true });
    struct fg_str id = new_job(&w, "replay-1", FAR);
    settle(&w);
    clock_add(&w, JOB_WORLD_WAIT_S * FG_US_PER_S);
    look_anew(&w.sweeper);
    turn_until_held(&w, &w.sweeper, 1);
    struct call c = callback(&w, token_of(&w, id, 1), "evt_1", "video_0");
    CHECK_CODE(w.cx, send(&c), FG_OK);
    fake_release(w.fake);
    drain(&w.sweeper);
    settle(&w);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "delivered");
    job_world_end(&w, 0);
}

TEST(without_a_token_the_videos_name_finds_the_job)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = job_at_provider(&w);
    struct call c = callback(&w, FG_NONE, "evt_1", "video_99");
    CHECK_CODE(w.cx, send(&c), FG_NOT_FOUND);
    c = callback(&w, FG_NONE, "evt_2", "video_0");
    CHECK_CODE(w.cx, send(&c), FG_OK);
    settle(&w);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "found");
    job_world_end(&w, 0);
}

/* The poll that is under way left before the news; it must not be the last for a long time. */
TEST(a_callback_during_a_poll_asks_again)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = job_at_provider(&w);
    say(&w, FAKE_POLL, (struct fake_reply){ .way = FAKE_ANSWER, .hold = true,
                                            .body = FG_LIT("{\"status\":\"in_progress\",\"progress\":99}") });
    say(&w, FAKE_POLL, (struct fake_reply){ .way = FAKE_DEFAULT });
    clock_add(&w, POLL_SOON_US);
    turn_until_held(&w, &w.sweeper, 1);
    struct call c = callback(&w, token_of(&w, id, 1), "evt_1", "video_0");
    CHECK_CODE(w.cx, send(&c), FG_OK);
    fake_release(w.fake);
    drain(&w.sweeper);
    settle(&w);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "delivered without the clock moving");
    job_world_end(&w, 0);
}
