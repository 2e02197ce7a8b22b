/* What a support case needs: a doubt ended by hand, callbacks seen and processed again, and a provider's own list held
 * against our books. All by the operator's commands. */
#include "store/callback_kit.h"
#include "store/cli_kit.h"

#define FAR 86400
#define S FG_US_PER_S

static const char *c(struct job_world *w, struct fg_str s)
{
    return arena_cstr(w->cx->mem, s);
}

/* A job whose submit was taken, or lost, without an answer. */
static struct fg_str in_doubt(struct job_world *w, enum fake_way way)
{
    fake_unsay(w->fake, FAKE_SUBMIT);
    say(w, FAKE_SUBMIT, (struct fake_reply){ .way = way });
    struct fg_str id = new_job(w, "list-1", FAR);
    settle(w);
    check_place(w, id, JOB_PENDING, STAGE_SUBMIT_UNKNOWN, "", "nobody can say");
    fake_unsay(w->fake, FAKE_SUBMIT);
    return id;
}

/* ---- a doubt ended by hand ---- */

TEST(the_operator_says_that_it_was_taken)
{
    struct job_world w;
    const char *out;
    job_world_begin(&w);
    struct fg_str id = in_doubt(&w, FAKE_TAKE_LOSE);
    CHECK_CODE(w.cx, RUN(&w, cli_jobs_resolve, &out, c(&w, id), "--accepted", "video_0"), FG_OK);
    CHECK(strstr(out, "is now at_provider"), out);
    CHECK_IS(ask_text(&w, "SELECT CONCAT(data, request_id) FROM job_event WHERE kind = 'accepted'"),
             "{\"by\":\"operator\"}operator", "the timeline says who decided");
    CHECK_CODE(w.cx, RUN(&w, cli_jobs_resolve, &out, c(&w, id), "--accepted", "video_0"), FG_JOB_MOVED);
    CHECK_CODE(w.cx, RUN(&w, cli_jobs_resolve, &out, c(&w, id), "--not-accepted", "yes"), FG_JOB_MOVED);
    run_to_end(&w, id);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "delivered");
    CHECK_I64(fake_count(w.fake, FAKE_SUBMIT), 1, "never asked twice");
    job_world_end(&w, 0);
}

TEST(the_operator_says_that_it_was_not)
{
    struct job_world w;
    const char *out;
    struct job j;
    job_world_begin(&w);
    struct fg_str id = in_doubt(&w, FAKE_HANG_UP), unwanted = in_doubt(&w, FAKE_HANG_UP);
    CHECK_CODE(w.cx, job_cancel(w.cx, &w.env, &w.who, unwanted, &j), FG_OK);
    CHECK_CODE(w.cx, RUN(&w, cli_jobs_resolve, &out, c(&w, id), "--not-accepted", "yes"), FG_OK);
    CHECK_CODE(w.cx, RUN(&w, cli_jobs_resolve, &out, c(&w, unwanted), "--not-accepted", "yes"), FG_OK);
    CHECK(strstr(out, "is now waiting"), out);
    run_to_end(&w, id);
    run_to_end(&w, unwanted);
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "submitted again");
    check_place(&w, unwanted, JOB_FAILED, STAGE_DONE, "canceled", "but not what nobody wants any more");
    CHECK_I64(fake_bills(w.fake), 1, "one bill");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM job_event WHERE kind = 'not_accepted' AND data = '{\"by\":\"operator\"}'"), 2,
              "the timeline says who decided");
    job_world_end(&w, 0);
}

TEST(there_is_nothing_to_decide)
{
    struct job_world w;
    const char *out, *job;
    job_world_begin(&w);
    struct fg_str owner = job_at_provider(&w), doubt = in_doubt(&w, FAKE_HANG_UP);
    do_sql(&w, "UPDATE attempt SET provider = 'list' WHERE provider_job_id = 'video_0'");
    job = c(&w, doubt);
    int version = job_now(&w, doubt).version;
    CHECK_CODE(w.cx, RUN(&w, cli_jobs_resolve, &out, job, "--accepted", "video_0"), FG_DB_DUPLICATE);
    CHECK(strstr(w.cx->err.detail, "Another job's video has the id video_0"), w.cx->err.detail);
    CHECK_CODE(w.cx, RUN(&w, cli_jobs_resolve, &out, job), FG_INVALID_REQUEST);
    CHECK_CODE(w.cx, RUN(&w, cli_jobs_resolve, &out, job, "--accepted", ""), FG_INVALID_REQUEST);
    CHECK_CODE(w.cx, RUN(&w, cli_jobs_resolve, &out, job, "--accepted", "x", "--not-accepted", "yes"), FG_INVALID_REQUEST);
    CHECK_CODE(w.cx, RUN(&w, cli_jobs_resolve, &out, "job_00000000000000000000000000", "--accepted", "x"), FG_NOT_FOUND);
    CHECK_I64(job_now(&w, doubt).version, version, "as before");
    static const char *const stage[] = { "waiting", "submitting", NULL, "at_provider", "rendering", "storing" };
    for (size_t i = 0; i < FG_LEN(stage); i++) {
        do_sql(&w, "UPDATE job SET stage = %zu, state = %d WHERE public_id = '%.*s'", i + 1, i < 3 ? 1 : i < 4 ? 2 : 3,
               FG_P(owner));
        for (int k = 0; stage[i] && k < 2; k++) {
            CHECK_CODE(w.cx, RUN(&w, cli_jobs_resolve, &out, c(&w, owner), k ? "--accepted" : "--not-accepted", "x"),
                       FG_JOB_MOVED);
            CHECK(strstr(w.cx->err.detail, stage[i]), w.cx->err.detail);
        }
    }
    do_sql(&w, "UPDATE job SET stage = 4, state = 2 WHERE public_id = '%.*s'", FG_P(owner));
    run_to_end(&w, owner);
    CHECK_CODE(w.cx, RUN(&w, cli_jobs_resolve, &out, c(&w, owner), "--not-accepted", "yes"), FG_JOB_MOVED);
    CHECK(strstr(w.cx->err.detail, "succeeded"), w.cx->err.detail);
    job_world_end(&w, 0);
}

/* ---- callbacks ---- */

TEST(a_kept_callback_is_processed_again_and_again)
{
    static const int can[] = { VALID, DUPLICATE, LATE, SUPERSEDED, REPLAYED }, cannot[] = { FORGED, UNKNOWN };
    struct job_world w;
    const char *out;
    job_world_begin(&w);
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_ANSWER, .status = 503 });
    say(&w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_DEFAULT });
    struct fg_str id = new_job(&w, "replay-1", FAR);
    while (job_now(&w, id).stage != STAGE_AT_PROVIDER)
        step(&w);
    struct call first = callback(&w, token_of(&w, id, 1), "evt_0", "video_77");
    struct call good = callback(&w, token_of(&w, id, 2), "evt_1", "video_0"), late = good, forged = good, unknown = good;
    forged.at_s -= 3600;
    unknown.in.token = FG_LIT("cb_00000000000000000000000000");
    late.in.headers.webhook_id = FG_LIT("evt_2");
    CHECK_CODE(w.cx, send(&first), FG_OK);
    CHECK_CODE(w.cx, send(&good), FG_OK);
    CHECK_CODE(w.cx, send(&good), FG_OK);
    CHECK_CODE(w.cx, send(&forged), FG_BAD_SIGNATURE);
    CHECK_CODE(w.cx, send(&unknown), FG_NOT_FOUND);

    do_sql(&w, "UPDATE due SET due_us = %lld WHERE kind = %d", (long long)(w.t.utc_us + 3600 * S), DUE_POLL);
    int64_t valid = ask(&w, "SELECT id FROM callback_receipt WHERE verdict = %d", VALID);
    CHECK_CODE(w.cx, RUN(&w, cli_callback_replay, &out, arena_fmt(w.cx->mem, "%lld", (long long)valid).p), FG_OK);
    CHECK_I64(ask(&w, "SELECT due_us FROM due WHERE kind = %d", DUE_POLL), w.t.utc_us, "it does again what it did");
    run_to_end(&w, id);
    CHECK_CODE(w.cx, send(&late), FG_OK);

    struct job before = job_now(&w, id);
    for (size_t i = 0; i < FG_LEN(can) * 2; i++) {
        int64_t n = ask(&w, "SELECT MIN(id) FROM callback_receipt WHERE verdict = %d", can[i / 2]);
        CHECK_CODE(w.cx, RUN(&w, cli_callback_replay, &out, arena_fmt(w.cx->mem, "%lld", (long long)n).p), FG_OK);
    }
    for (size_t i = 0; i < FG_LEN(cannot); i++) {
        int64_t n = ask(&w, "SELECT id FROM callback_receipt WHERE verdict = %d", cannot[i]);
        CHECK_CODE(w.cx, RUN(&w, cli_callback_replay, &out, arena_fmt(w.cx->mem, "%lld", (long long)n).p),
                   FG_INVALID_REQUEST);
    }
    check_place(&w, id, JOB_SUCCEEDED, STAGE_DONE, "", "harmless");
    CHECK_I64(job_now(&w, id).finished_us, before.finished_us, "its end stays");
    CHECK_IS(job_now(&w, id).provider_job_id, "video_0", "and its video");
    CHECK_I64(receipts(&w, REPLAYED), 1 + FG_LEN(can) * 2, "each is on record");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM due"), 0, "nothing to do");
    static const char *const nothing[] = { "0", "-1", "x", "99999999", "" };
    for (size_t i = 0; i < FG_LEN(nothing); i++)
        CHECK(RUN(&w, cli_callback_replay, &out, nothing[i]) != FG_OK, nothing[i]);

    static const char *const word[] = { " valid ", " duplicate ", " late ", " superseded ", " replayed " };
    CHECK_CODE(w.cx, RUN(&w, cli_callback_list, &out, "--job", c(&w, id)), FG_OK);
    for (size_t i = 0; i < FG_LEN(word); i++)
        CHECK(strstr(out, word[i]), word[i]);
    CHECK_CODE(w.cx, RUN(&w, cli_callback_list, &out, "--provider", "replay"), FG_OK);
    CHECK(strstr(out, " forged ") && strstr(out, " unknown "), "with those that belong to no job");
    CHECK_CODE(w.cx, RUN(&w, cli_callback_list, &out, "--provider", "list"), FG_OK);
    CHECK_I64(strlen(out), 0, "none");
    job_world_end(&w, 0);
}

TEST(a_callback_that_was_not_kept_whole_says_so)
{
    struct job_world w;
    const char *out;
    job_world_begin(&w);
    struct fg_str id = job_at_provider(&w);
    struct call big = callback(&w, token_of(&w, id, 1), "evt_1", "-");
    char *filler = arena_get(w.cx->mem, 100001);
    memset(filler, 'x', 100000);
    filler[100000] = '\0';
    big.in.body = arena_fmt(w.cx->mem, "{\"type\":\"video.completed\",\"data\":{\"id\":\"video_0\",\"x\":\"%s\"}}", filler);
    CHECK_CODE(w.cx, send(&big), FG_OK);
    int version = job_now(&w, id).version;
    CHECK_CODE(w.cx, RUN(&w, cli_callback_replay, &out, "1"), FG_INVALID_REQUEST);
    CHECK(strstr(w.cx->err.detail, "Only the beginning"), w.cx->err.detail);
    CHECK_I64(job_now(&w, id).version, version, "and nothing was done");
    job_world_end(&w, 0);
}

/* Replicate's, for one, repeat the prompt. */
TEST(erasing_a_job_erases_what_its_callbacks_said)
{
    struct job_world w;
    const char *out;
    job_world_begin(&w);
    struct fg_str id = job_at_provider(&w);
    struct call said = callback(&w, token_of(&w, id, 1), "evt_1", "video_0"), later = said;
    CHECK_CODE(w.cx, send(&said), FG_OK);
    run_to_end(&w, id);
    CHECK_CODE(w.cx, job_erase(w.cx, &w.env, &w.who, id), FG_OK);
    settle(&w);
    later.in.headers.webhook_id = FG_LIT("evt_2");
    CHECK_CODE(w.cx, send(&later), FG_OK);
    CHECK_CODE(w.cx, send(&later), FG_OK);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM callback_receipt WHERE body IS NULL AND headers IS NULL"), 3, "before and after");
    CHECK_I64(receipts(&w, VALID) + receipts(&w, LATE) + receipts(&w, DUPLICATE), 3, "their verdicts stay");
    CHECK_CODE(w.cx, RUN(&w, cli_callback_replay, &out, "1"), FG_INVALID_REQUEST);
    CHECK(strstr(w.cx->err.detail, "erased with its job"), w.cx->err.detail);
    job_world_end(&w, 0);
}

/* ---- a provider's list ---- */

/* Four of them: one that we know, one of each of these references, and one that nobody knows. */
static void say_list(struct job_world *w, struct fg_str a, struct fg_str b)
{
    long long at_s = (long long)(w->t.utc_us / S);
    say(w, FAKE_LIST, (struct fake_reply){ .way = FAKE_ANSWER, .body = arena_fmt(w->cx->mem,
            "{\"data\":[{\"id\":\"video_0\",\"created_at\":%lld},"
            "{\"id\":\"video_a\",\"created_at\":%lld,\"metadata\":{\"filmgate_ref\":\"%.*s\"}},"
            "{\"id\":\"video_b\",\"created_at\":%lld,\"metadata\":{\"filmgate_ref\":\"%.*s\"}},"
            "{\"id\":\"video_x\",\"created_at\":%lld,\"prompt\":\"a fish\"},"
            "{\"id\":\"video_old\",\"created_at\":%lld}]}",
            at_s, at_s, FG_P(a), at_s, FG_P(b), at_s, at_s - 2 * 86400) });
}

static struct fg_str ref_of(struct job_world *w, struct fg_str id)
{
    return ask_text(w, "SELECT client_ref FROM attempt a JOIN job j ON j.id = a.job_id WHERE j.public_id = '%.*s'", FG_P(id));
}

TEST(an_audit_reports_strangers_and_adopts_ours)
{
    struct job_world w;
    const char *out;
    job_world_begin(&w);
    struct fg_str known = new_job(&w, "list-1", FAR);
    run_to_end(&w, known);
    struct fg_str lost = in_doubt(&w, FAKE_TAKE_LOSE), over = in_doubt(&w, FAKE_TAKE_LOSE);
    do_sql(&w, "UPDATE due d JOIN job j ON j.id = d.job_id SET d.due_us = d.due_us + 1000000000000 "
               "WHERE d.kind = %d AND j.public_id = '%.*s'", DUE_RESOLVE, FG_P(lost));
    run_to_end(&w, over);
    check_place(&w, over, JOB_FAILED, STAGE_DONE, "submit_unknown", "given up");
    say_list(&w, ref_of(&w, lost), ref_of(&w, over));
    CHECK_CODE(w.cx, RUN(&w, cli_audit_provider, &out, "list"), FG_OK);
    CHECK(strstr(out, arena_fmt(w.cx->mem, "adopted  video_a  is %s", c(&w, lost)).p), out);
    CHECK(strstr(out, arena_fmt(w.cx->mem, "late     video_b  belongs to %s, which is failed", c(&w, over)).p), out);
    CHECK(strstr(out, "strange  video_x") && !strstr(out, "video_old"), out);
    CHECK(strstr(out, "4 listed: 1 known, 1 adopted, 1 late, 1 strange"), out);
    check_place(&w, lost, JOB_QUEUED, STAGE_AT_PROVIDER, "", "it goes on");
    check_place(&w, over, JOB_FAILED, STAGE_DONE, "submit_unknown", "an end is an end");
    CHECK(!job_now(&w, over).charged, "and not charged");
    int64_t events = ask(&w, "SELECT COUNT(*) FROM job_event");
    CHECK_CODE(w.cx, RUN(&w, cli_audit_provider, &out, "list", "--hours", "720"), FG_OK);
    CHECK(strstr(out, "5 listed: 3 known, 0 adopted, 0 late, 2 strange"), out);
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM job_event"), events, "a second time changes nothing");
    run_to_end(&w, lost);
    check_place(&w, lost, JOB_SUCCEEDED, STAGE_DONE, "", "delivered");
    job_world_end(&w, 0);
}

/* The operator was wrong, or the provider took it twice: told each time, written down once. */
TEST(an_audit_finds_what_was_thought_not_taken)
{
    struct job_world w;
    const char *out;
    job_world_begin(&w);
    struct fg_str id = in_doubt(&w, FAKE_TAKE_LOSE), ref = ref_of(&w, id);
    CHECK_CODE(w.cx, RUN(&w, cli_jobs_resolve, &out, c(&w, id), "--not-accepted", "yes"), FG_OK);
    run_to_end(&w, id);
    say_list(&w, ref, FG_LIT("nobody's"));
    for (int i = 0; i < 2; i++) {
        CHECK_CODE(w.cx, RUN(&w, cli_audit_provider, &out, "list"), FG_OK);
        CHECK(strstr(out, arena_fmt(w.cx->mem, "late     video_a  belongs to %s, which is succeeded", c(&w, id)).p), out);
        CHECK_I64(ask(&w, "SELECT COUNT(*) FROM job_event WHERE kind = 'late_result'"), 1, "once");
    }
    job_world_end(&w, 0);
}

TEST(an_audit_that_cannot_look_says_why)
{
    static const struct { struct fake_reply list; const char *why; } row[] = {
        { { .way = FAKE_HANG_UP }, "nobody answers" },
        { { .way = FAKE_ANSWER, .status = 500 }, "its error" },
        { { .way = FAKE_ANSWER, .status = 401 }, "our key" },
        { { .way = FAKE_ANSWER }, "no list" },
    };
    struct job_world w;
    const char *out;
    job_world_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        fake_unsay(w.fake, FAKE_LIST);
        say(&w, FAKE_LIST, row[i].list);
        CHECK_CODE(w.cx, RUN(&w, cli_audit_provider, &out, "list"), FG_IO);
        CHECK(strstr(w.cx->err.detail, "list could not be read"), row[i].why);
    }
    CHECK_CODE(w.cx, RUN(&w, cli_audit_provider, &out, "nowhere"), FG_IO);
    CHECK_CODE(w.cx, RUN(&w, cli_audit_provider, &out, "nobody"), FG_NOT_FOUND);
    CHECK_CODE(w.cx, RUN(&w, cli_audit_provider, &out, "list", "--hours", "0"), FG_INVALID_REQUEST);
    w.conf.catalogue_file = FG_LIT("core/provider/catalogue.json");
    CHECK_CODE(w.cx, RUN(&w, cli_audit_provider, &out, "replicate"), FG_INVALID_REQUEST);
    CHECK(strstr(w.cx->err.detail, "replicate is not set up"), w.cx->err.detail);
    w.conf.provider[0].name = FG_LIT("runway");
    CHECK_CODE(w.cx, RUN(&w, cli_audit_provider, &out, "runway"), FG_INVALID_REQUEST);
    CHECK(strstr(w.cx->err.detail, "runway has no list"), w.cx->err.detail);
    job_world_end(&w, 0);
}

/* What other dialects' lists carry: the callback's address, or a seed of our own with the prompt. */
TEST(a_stranger_is_known_by_its_token_or_its_seed)
{
    static const struct { const char *token; int64_t more; const char *prompt; enum adoption want; const char *why; } row[] = {
        { "", 0, "a fish", ADOPT_ADOPTED, "our seed with our words" },
        { "", 0, "a dog", ADOPT_STRANGE, "other words" },
        { "", 1, "a fish", ADOPT_STRANGE, "another seed" },
        { "https://us.example/hooks/list/", 1, "", ADOPT_ADOPTED, "our token" },
        { "https://us.example/hooks/list/x", 0, "a fish", ADOPT_ADOPTED, "no token of ours: by the seed" },
        { "https://us.example/hooks/list/cb_", 0, "", ADOPT_STRANGE, "cut off" },
    };
    struct job_world w;
    for (size_t i = 0; i < FG_LEN(row); i++) {
        job_world_begin(&w);
        struct fg_str id = in_doubt(&w, FAKE_TAKE_LOSE), token = token_of(&w, id, 1);
        bool ours = row[i].token[0] && row[i].token[strlen(row[i].token) - 1] == '/';
        struct remote_row listed = {
            .id = FG_LIT("video_z"), .prompt = fg_str_c(row[i].prompt), .has_seed = true,
            .seed = ask(&w, "SELECT seed FROM attempt") + row[i].more,
            .callback_url = arena_fmt(w.cx->mem, "%s%.*s", row[i].token, ours ? (int)token.n : 0, token.p),
        };
        enum adoption got;
        struct job j;
        struct job_env env = w.env;
        CHECK_CODE(w.cx, db_open(w.cx, &env.db, &w.conf, DB_CLI), FG_OK);
        CHECK_CODE(w.cx, job_adopt(w.cx, &env, FG_LIT("list"), &listed, &got, &j), FG_OK);
        CHECK_I64(got, row[i].want, row[i].why);
        CHECK_I64(job_now(&w, id).state, got == ADOPT_ADOPTED ? JOB_QUEUED : JOB_PENDING, row[i].why);
        db_close(env.db);
        job_world_end(&w, 0);
    }
}
