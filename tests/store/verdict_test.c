/* What becomes of callbacks besides the job: each is kept with its verdict, so many of the strange ones, and the timeline
 * tells them. Other dialects than the world's are played by writing their adapter into the attempt. */
#include "store/callback_kit.h"
#include "unit/fal_vectors.h"

#define FAR 86400
#define S FG_US_PER_S

static void speaks(struct job_world *w, const char *adapter)
{
    do_sql(w, "UPDATE attempt SET adapter = '%s'", adapter);
}

/* "callback valid, callback late": of a job's timeline as the API shows it, callbacks alone. */
static struct fg_str callbacks_shown(struct job_world *w, struct fg_str id)
{
    struct job_event_row *e;
    struct sb b = sb_in(w->cx->mem, 4096);
    size_t n;
    CHECK_CODE(w->cx, job_events(w->cx, &w->env, &w->who, id, &e, &n), FG_OK);
    for (size_t i = 0; i < n; i++)
        if (FG_IS(e[i].kind, "callback"))
            sb_addf(&b, "%s%.*s", b.n ? " " : "", FG_P(e[i].data));
    return sb_str(&b);
}

TEST(what_is_genuine_is_taken_though_it_is_of_no_use)
{
    static const struct { const char *body, *why; } row[] = {
        { "{", "no JSON" }, { "", "nothing" }, { "{}", "no type" }, { "[1]", "another form" },
        { "{\"type\":\"video.completed\"}", "no video" }, { "{\"type\":\"batch.completed\"}", "another affair" },
    };
    struct job_world w;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        job_world_begin(&w);
        struct fg_str id = job_at_provider(&w);
        struct call c = callback(&w, FG_NONE, "evt_1", "-");
        int version = job_now(&w, id).version;
        c.in.body = fg_str_c(row[i].body);
        CHECK_CODE(w.cx, send(&c), FG_OK);
        CHECK_I64(receipts(&w, UNKNOWN), 1, "without a token it is about nobody");
        CHECK_I64(job_now(&w, id).version, version, "and changes nothing");
        say_status(&w, "in_progress", 10);
        c.in.token = token_of(&w, id, 1);
        CHECK_CODE(w.cx, send(&c), FG_OK);
        CHECK_I64(receipts(&w, VALID), 1, row[i].why);
        CHECK_CODE(w.cx, send(&c), FG_OK);
        CHECK_I64(receipts(&w, DUPLICATE), 1, "twice the same");
        settle(&w);
        CHECK_I64(fake_count(w.fake, FAKE_POLL), 1, "whoever calls has something to say: asked once");
        job_world_end(&w, 0);
    }
}

/* A digest stands for an event's name where there is none: of one attempt, for two may be told the same words. */
TEST(the_same_words_to_two_jobs_are_two_events)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id[2] = { job_at_provider(&w), job_at_provider(&w) };
    speaks(&w, "luma");
    for (int i = 0; i < 4; i++) {
        struct call c = callback(&w, token_of(&w, id[i % 2], 1), "evt", "-");
        c.in.body = FG_LIT("{\"state\":\"dreaming\"}");
        CHECK_CODE(w.cx, send(&c), FG_OK);
        clock_add(&w, 30 * 86400 * S); /* for the life of the job, however long that is */
    }
    CHECK_I64(receipts(&w, VALID), 2, "one each");
    CHECK_I64(receipts(&w, DUPLICATE), 2, "and each again");
    job_world_end(&w, 0);
}

TEST(strangers_cannot_fill_the_table)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str token = token_of(&w, job_at_provider(&w), 1);
    char *large = arena_get(w.cx->mem, 5000);
    memset(large, 'x', 5000);
    for (int minute = 1; minute <= 2; minute++) {
        for (int i = 0; i < 50; i++) {
            struct call c = callback(&w, i % 2 ? token : FG_LIT("cb_00000000000000000000000000"), "evt_1", "video_0");
            c.in.body = (struct fg_str){ large, 5000 };
            c.at_s -= i % 2 ? WEBHOOK_TOLERANCE_S + 1 : 0;
            CHECK_CODE(w.cx, send(&c), i % 2 ? FG_BAD_SIGNATURE : FG_NOT_FOUND);
            c.in.provider = FG_LIT("list"); /* takes none */
            CHECK_CODE(w.cx, send(&c), FG_NOT_FOUND);
        }
        CHECK_I64(receipts(&w, FORGED) + receipts(&w, UNKNOWN), 60 * minute, "so many a minute, and the answers stay");
        CHECK(receipts(&w, FORGED) >= 15 * minute && receipts(&w, UNKNOWN) >= 15 * minute, "of both kinds");
        clock_add(&w, 61 * S);
    }
    CHECK_I64(ask(&w, "SELECT MAX(LENGTH(body)) FROM callback_receipt"), 1024, "and of each its beginning");
    clock_add(&w, 8 * 86400 * S);
    w.sweeper.next_upkeep_us = 0;
    look_anew(&w.sweeper);
    (void)sweep_pass(&w.sweeper);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM callback_receipt"), 0, "after a week they are gone");
    drain(&w.sweeper);
    job_world_end(&w, 0);
}

/* A good signature covers neither path nor token, and an attempt whose answer was lost has no name yet to compare with. */
TEST(anothers_video_is_not_taken_for_a_lost_one)
{
    struct job_world w;
    job_world_begin(&w);
    say_status(&w, "in_progress", -1);
    struct fg_str owner = job_at_provider(&w);
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_HANG_UP });
    struct fg_str lost = new_job(&w, "replay-1", FAR);
    settle(&w);
    struct call c = callback(&w, token_of(&w, lost, 1), "evt_1", "video_0");
    CHECK_CODE(w.cx, send(&c), FG_NOT_FOUND);
    check_place(&w, lost, JOB_PENDING, STAGE_SUBMIT_UNKNOWN, "", "as before");
    CHECK_I64(receipts(&w, UNKNOWN), 1, "told as what it is");
    CHECK_I64(receipts(&w, DUPLICATE), 0, "and not as what was here before");
    CHECK_IS(job_now(&w, owner).provider_job_id, "video_0", "it stays with its owner");
    job_world_end(&w, 0);
}

static struct call replicate_says(struct job_world *w, struct fg_str token, const char *event, const char *status)
{
    struct call c = callback(w, token, event, "-");
    c.in.body = arena_fmt(w->cx->mem, "{\"id\":\"video_0\",\"status\":\"%s\",\"output\":\"http://127.0.0.1:%u/content\"}",
                          status, fake_port(w->fake));
    return c;
}

TEST(what_comes_out_of_order_is_kept_and_moves_nothing_back)
{
    struct job_world w;
    job_world_begin(&w);
    struct fg_str id = job_at_provider(&w), token = token_of(&w, id, 1);
    speaks(&w, "replicate");
    struct call done = replicate_says(&w, token, "evt_2", "succeeded");
    struct call begun = replicate_says(&w, token, "evt_1", "processing"), again = begun, first = begun;
    again.in.headers.webhook_id = FG_LIT("evt_3");
    first.in.headers.webhook_id = FG_LIT("evt_0");
    first.in.body = FG_LIT("{\"id\":\"video_0\",\"status\":\"starting\"}");
    CHECK_CODE(w.cx, send(&begun), FG_OK);
    check_place(&w, id, JOB_PROCESSING, STAGE_RENDERING, "", "a signed one is believed at once");
    CHECK_CODE(w.cx, send(&first), FG_OK);
    check_place(&w, id, JOB_PROCESSING, STAGE_RENDERING, "", "what was before is past");
    CHECK_CODE(w.cx, send(&done), FG_OK);
    check_place(&w, id, JOB_PROCESSING, STAGE_STORING, "", "done");
    int64_t cost = ask(&w, "SELECT cost_micro FROM attempt");
    CHECK(cost > 0, "what was made is paid for");
    CHECK_CODE(w.cx, send(&again), FG_OK);
    check_place(&w, id, JOB_PROCESSING, STAGE_STORING, "", "the state never goes back");
    say(&w, FAKE_POLL, (struct fake_reply){ .way = FAKE_ANSWER, .body = done.in.body });
    run_to_end(&w, id);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "delivered");
    struct call after = again;
    after.in.headers.webhook_id = FG_LIT("evt_4");
    CHECK_CODE(w.cx, send(&after), FG_OK);
    after.in.headers.webhook_id = FG_LIT("evt_4");
    CHECK_CODE(w.cx, send(&after), FG_OK);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "nor an end");
    CHECK_I64(ask(&w, "SELECT cost_micro FROM attempt"), cost, "once");
    CHECK_IS(callbacks_shown(&w, id),
             "{\"verdict\":\"valid\"} {\"verdict\":\"valid\"} {\"verdict\":\"valid\",\"says\":\"succeeded\"} "
             "{\"verdict\":\"valid\"} {\"verdict\":\"late\"} {\"verdict\":\"duplicate\"}",
             "the timeline has each with its verdict");
    job_world_end(&w, 0);
}

TEST(a_success_after_the_deadline_is_told_and_not_charged)
{
    struct job_world w;
    job_world_begin(&w);
    say_status(&w, "in_progress", 99);
    struct fg_str id = new_job(&w, "replay-1", 30);
    settle(&w);
    run_to_end(&w, id);
    check_place(&w, id, JOB_EXPIRED, STAGE_DONE, "deadline_exceeded", "nobody waits any more");
    struct call c = callback(&w, token_of(&w, id, 1), "evt_1", "video_0"), forged = c;
    forged.secret = FG_LIT("whsec_YW5vdGhlciBzZWNyZXQgb2Ygb3Vycw==");
    clock_add(&w, S);
    CHECK_CODE(w.cx, send(&forged), FG_BAD_SIGNATURE);
    CHECK_I64(ask(&w, "SELECT cost_micro FROM attempt"), 0, "whoever says so");
    clock_add(&w, S);
    CHECK_CODE(w.cx, send(&c), FG_OK);
    clock_add(&w, S);
    CHECK_CODE(w.cx, send(&forged), FG_BAD_SIGNATURE);
    CHECK(ask(&w, "SELECT cost_micro FROM attempt") > 0, "but our cost all the same");
    check_place(&w, id, JOB_EXPIRED, STAGE_DONE, "deadline_exceeded", "an end is an end");
    CHECK_IS(callbacks_shown(&w, id), "{\"verdict\":\"forged\"} {\"verdict\":\"late\",\"says\":\"succeeded\"} {\"verdict\":\"forged\"}",
             "support can see that it was made");
    CHECK(!job_now(&w, id).charged, "not charged");
    CHECK_I64(ask(&w, "SELECT kind FROM ledger WHERE side = 1"), 3, "the hold was released, and that once");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM due"), 0, "nothing is fetched");
    job_world_end(&w, 0);
}

/* Handlers call nobody: they verify with the keys that the sweeper has fetched, and wish for newer ones. */
TEST(public_keys_are_the_sweepers_and_wished_for_when_none_fits)
{
    static const struct { const char *jwks; int64_t wanted; enum fg_code code; const char *why; } row[] = {
        { "", 1, FG_BAD_SIGNATURE, "none yet" },
        { "{\"keys\":[" FAL_KEY_B "]}", 1, FG_BAD_SIGNATURE, "another's" },
        { FAL_JWKS, 0, FG_OK, "the right one" },
    };
    const struct fal_vector *v = &fal_vectors[0];
    struct job_world w;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        job_world_begin(&w);
        clock_add(&w, v->at * S + 299 * S - w.t.utc_us);
        struct fg_str id = job_at_provider(&w);
        speaks(&w, "fal");
        do_sql(&w, "UPDATE attempt SET provider_job_id = '%.*s'; "
                   "INSERT INTO provider_keys (provider, jwks, fetched_us) VALUES ('replay', NULLIF('%s', ''), 1)",
               FG_P(v->id), row[i].jwks);
        struct callback_in in = {
            .provider = FG_LIT("replay"), .token = token_of(&w, id, 1), .body = v->body,
            .headers = { .fal_request_id = v->id, .fal_user_id = v->user, .fal_timestamp = v->timestamp,
                         .fal_signature = v->signature },
        };
        struct callback_out out;
        CHECK_CODE(w.cx, job_callback(w.cx, &w.env, &in, &out), row[i].code);
        CHECK_I64(ask(&w, "SELECT wanted_us IS NOT NULL FROM provider_keys"), row[i].wanted, row[i].why);
        CHECK_I64(receipts(&w, row[i].wanted ? FORGED : VALID), 1, row[i].why);
        CHECK_I64(ask(&w, "SELECT MAX(is_signed) FROM callback_receipt"), !row[i].wanted, row[i].why);
        job_world_end(&w, 0);
    }
}

static unsigned fetches_after(struct job_world *w, int64_t s)
{
    clock_add(w, s * S);
    w->sweeper.next_upkeep_us = 0;
    look_anew(&w->sweeper);
    (void)sweep_pass(&w->sweeper);
    w->sweeper.next_upkeep_us = INT64_MAX;
    drain(&w->sweeper);
    return fake_count(w->fake, FAKE_POLL);
}

TEST(key_sets_are_fetched_when_old_or_wished_for_and_not_too_often)
{
    static const char good[] = FAL_JWKS, next[] = "{\"keys\":[" FAL_KEY_B "]}";
    static const char *const bad[] = { "<html>", "{}", "{\"keys\":[]}", "{\"keys\":{\"a\":1}}" };
    struct job_world w;
    job_world_begin(&w);
    struct catalogue *c = open_catalogue(&w);
    for (unsigned i = 0; i < c->provider_n; i++)
        if (FG_IS(c->provider[i].name, "replay"))
            c->provider[i].site.jwks_url = arena_fmt(w.cx->mem, "http://127.0.0.1:%u/jwks", fake_port(w.fake));
        else
            c->provider[i].site.jwks_url = FG_NONE;
    say(&w, FAKE_POLL, (struct fake_reply){ .way = FAKE_ANSWER, .status = 500 });
    CHECK_I64(fetches_after(&w, 0), 1, "there is none");
    CHECK_I64(fetches_after(&w, 59), 1, "nobody answers: not again at once");
    fake_unsay(w.fake, FAKE_POLL);
    say(&w, FAKE_POLL, (struct fake_reply){ .way = FAKE_ANSWER, .body = { good, sizeof good - 1 } });
    CHECK_I64(fetches_after(&w, 1), 2, "but then");
    CHECK_IS(ask_text(&w, "SELECT jwks FROM provider_keys"), FAL_JWKS, "it is there");
    CHECK_I64(fetches_after(&w, 3600), 2, "and good for hours");
    do_sql(&w, "UPDATE provider_keys SET wanted_us = %lld", (long long)w.t.utc_us);
    fake_unsay(w.fake, FAKE_POLL);
    say(&w, FAKE_POLL, (struct fake_reply){ .way = FAKE_ANSWER, .body = { next, sizeof next - 1 } });
    CHECK_I64(fetches_after(&w, 0), 3, "unless no key of it fits");
    do_sql(&w, "UPDATE provider_keys SET wanted_us = %lld", (long long)w.t.utc_us + 1);
    CHECK_I64(fetches_after(&w, 30), 3, "whoever forges cannot make us ask all the time");
    CHECK_I64(fetches_after(&w, 30), 4, "only once a minute");
    for (size_t i = 0; i < FG_LEN(bad); i++) {
        fake_unsay(w.fake, FAKE_POLL);
        say(&w, FAKE_POLL, (struct fake_reply){ .way = FAKE_ANSWER, .body = fg_str_c(bad[i]) });
        CHECK_I64(fetches_after(&w, 13 * 3600), 5 + i, "half a day is old");
        CHECK_STR(ask_text(&w, "SELECT jwks FROM provider_keys"), fg_str_c(next), "nonsense replaces nothing");
    }
    job_world_end(&w, 0);
}
