/* What becomes of a job. */
#include "fault/play.h"
#include "job/quote.h"

#define STATE "SELECT state FROM job WHERE public_id = '%s'"

/* ---- a video, with a callback ---- */

static void delivered(struct play *x)
{
    play_create(x, "\"model\":\"replay-1\"");
    settle(x->w);
    play_callback(x);
    play_on(x);
    play_told(x);
}

/* ---- one of a quote, that is erased ---- */

/* Of a user of its own, so that who begins again finds it. */
static void quoted(struct play *x)
{
    struct job_quote q;
    struct fg_str of = arena_fmt(x->cx->mem, "\"model\":\"replay-1\",\"userId\":\"user-%u\"", x->n);
    struct fg_str body = arena_fmt(x->cx->mem, "{\"prompt\":\"x\",\"aspectRatio\":\"16:9\",\"duration\":5,%s}", of.p);
    struct fg_str id = ask_text(x->w, "SELECT MIN(public_id) FROM quote WHERE user_id = 'user-%u'", x->n);
    if (!id.n) {
        PLAY_INSIST(x, job_quote(x->cx, &x->w->env, &x->w->who, body, &q));
        id = q.quote.public_id;
    }
    play_create(x, arena_fmt(x->cx->mem, "%s,\"quoteId\":\"%.*s\"", of.p, FG_P(id)).p);
}

static void erased(struct play *x)
{
    quoted(x);
    play_on(x);
    play_erase(x);
    play_told(x);
    play_rest(x);
}

static void is_erased(struct play *x)
{
    play_check(x, JOB_SUCCEEDED, "");
    CHECK_I64(play_bills(x), 1, x->fault);
    CHECK_I64(files_of(x->w, x->id), 0, x->fault);
    CHECK_I64(play_ask(x, "SELECT COUNT(*) FROM quote q JOIN job j ON j.id = q.job_id WHERE j.public_id = '%s'"), 1,
              x->fault);
    CHECK_I64(play_ask(x, "SELECT prompt IS NULL AND metadata IS NULL AND output_state = 2 FROM job WHERE public_id = "
                          "'%s'"), 1, x->fault);
}

/* ---- one that is canceled before it is submitted, one while it is made ---- */

static void canceled_in_time(struct play *x)
{
    play_create(x, "\"model\":\"replay-1\"");
    play_cancel(x);
    play_told(x);
}

static void is_canceled(struct play *x)
{
    play_check(x, JOB_FAILED, play_unknown(x) ? "submit_unknown" : "canceled");
    CHECK(play_bills(x) <= 1, x->fault);
    CHECK_I64(files_of(x->w, x->id), 0, x->fault);
}

#define WITH_PICTURE(x)                                                                        \
    arena_fmt((x)->cx->mem, "\"model\":\"comfy-1\",\"imageUrl\":\"http://127.0.0.1:%u/comfy/picture.png\"", \
              fake_port((x)->w->fake)).p

static void it_takes_long(struct play *x)
{
    fake_stuck(x->w->fake, true);
}

static void interrupted(struct play *x)
{
    play_create(x, WITH_PICTURE(x));
    play_until_there(x);
    if (play_ask(x, STATE) < JOB_SUCCEEDED)
        play_cancel(x);
    play_on(x);
    play_told(x);
}

/* ---- a video of a picture that is handed over first ---- */

static void of_a_picture(struct play *x)
{
    play_create(x, WITH_PICTURE(x));
    play_on(x);
    play_told(x);
}

/* ---- one that fails there, one that never ends ---- */

static void ends_badly(struct play *x)
{
    say(x->w, FAKE_POLL, (struct fake_reply){ .way = FAKE_ANSWER, .body = FG_LIT("{\"status\":\"thinking\"}") });
    say(x->w, FAKE_POLL, (struct fake_reply){ .way = FAKE_ANSWER,
        .body = FG_LIT("{\"status\":\"failed\",\"error\":{\"code\":\"server_error\",\"message\":\"no\"}}") });
}

static void plain(struct play *x)
{
    play_create(x, "\"model\":\"list-1\"");
    play_on(x);
    play_told(x);
}

static void is_failed(struct play *x)
{
    play_check(x, JOB_FAILED, play_unknown(x) ? "submit_unknown" : "provider_failed");
    CHECK(play_bills(x) <= 1, x->fault);
}

static void never_ends(struct play *x)
{
    say_status(x->w, "in_progress", 10);
}

static void with_deadline(struct play *x)
{
    play_create(x, "\"model\":\"replay-1\",\"deadlineSeconds\":300");
    play_on(x);
    play_told(x);
}

/* The same answer to every poll: what may have been counted is not counted twice. A call that fails before it gets there
 * has a row of its own. */
static void is_expired(struct play *x)
{
    play_check(x, JOB_EXPIRED, "deadline_exceeded");
    CHECK(play_bills(x) <= 1, x->fault);
    CHECK(play_ask(x, "SELECT IFNULL(SUM(r.n), 0) FROM wire r JOIN job j ON j.id = r.job_id WHERE j.public_id = '%s' AND "
                      "r.what = 'poll' AND r.status = 200") <= fake_count(x->w->fake, FAKE_POLL) - x->polls, x->fault);
}

/* ---- submits that nobody knows the outcome of ---- */

static void answer_is_lost(struct play *x)
{
    say(x->w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_TAKE_LOSE });
    say(x->w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_DEFAULT });
}

static void request_is_lost(struct play *x)
{
    say(x->w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_HANG_UP });
    say(x->w, FAKE_SUBMIT, (struct fake_reply){ .way = FAKE_DEFAULT });
}

static void asked_again(struct play *x)
{
    play_create(x, "\"model\":\"replay-1\"");
    play_on(x);
    play_told(x);
}

static void submitted_again(struct play *x)
{
    play_create(x, "\"model\":\"wait-1\"");
    play_on(x);
    play_told(x);
}

/* ---- a provider that cannot be reached, one that has had enough ---- */

static void somewhere_else(struct play *x)
{
    play_create(x, "\"model\":\"astray\"");
    play_on(x);
    play_told(x);
}

const struct story job_stories[] = {
    { "delivered", NULL, delivered, play_check_delivered },
    { "erased", NULL, erased, is_erased },
    { "canceled in time", NULL, canceled_in_time, is_canceled },
    { "interrupted", it_takes_long, interrupted, is_canceled },
    { "of a picture", NULL, of_a_picture, play_check_delivered_or_unknown },
    { "failed there", ends_badly, plain, is_failed },
    { "expired", never_ends, with_deadline, is_expired },
    { "asked again", answer_is_lost, asked_again, play_check_delivered },
    { "submitted again", request_is_lost, submitted_again, play_check_delivered_or_unknown },
    { "somewhere else", NULL, somewhere_else, play_check_delivered_or_unknown },
    { NULL, NULL, NULL, NULL },
};
