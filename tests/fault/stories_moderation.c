/* What is looked at before a job is submitted, and before its video is kept; what people decide; who is counted. */
#include <fcntl.h>
#include <unistd.h>

#include "fakes/moderator.h"
#include "fault/play.h"

/* One for all of them: its thread lives as long as the program. */
static struct moderator *moderator(void)
{
    static struct moderator *m;
    if (!m)
        m = moderator_new();
    return m;
}

static void write_rules(struct play *x)
{
    static const char text[] = "[weapons] block\nforbiddenword\n[doubtful] review\ndoubtfulword\n";
    x->w->conf.moderation_rules = arena_fmt(x->cx->mem, "%s/story-rules.txt", db_server_dir());
    int fd = open(x->w->conf.moderation_rules.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, text, sizeof text - 1) == (ssize_t)sizeof text - 1 && close(fd) == 0, "a file of rules");
}

static void use_service(struct play *x)
{
    struct conf *c = &x->w->conf;
    if (!c->moderation_services.n)
        c->fetch_local_origins = arena_fmt(x->cx->mem, "%.*s %s", FG_P(c->fetch_local_origins), moderator_origin(moderator()));
    c->moderation_services = FG_LIT("openai");
    c->moderation_openai_url = arena_fmt(x->cx->mem, "%s/v1/moderations", moderator_origin(moderator()));
    c->moderation_openai_key = FG_LIT("key");
    c->moderation_blocks_slow = c->moderation_blocks_stop = 0;
}

static void both_look(struct play *x)
{
    write_rules(x);
    use_service(x);
    moderator_fail_next(moderator(), 1);
    play_new_sweeper(x);
}

#define STAGE_IS(n) "SELECT stage = " #n " FROM job WHERE public_id = '%s'"

static void until_looked_at(struct play *x)
{
    settle(x->w);
    for (unsigned i = 0; play_ask(x, STAGE_IS(7)); i++) {
        CHECK(i < 200, x->fault);
        play_pass_time(x);
        settle(x->w);
    }
}

static enum fg_code decide(struct play *x)
{
    struct review r;
    enum fg_code rc = review_decide(x->cx, &x->w->env, x->id, true, FG_LIT("operator"), FG_LIT("fine"), &r);
    return rc == FG_REVIEW_DECIDED ? FG_OK : rc; /* by whoever did not hear that it was */
}

static void held_and_passed(struct play *x)
{
    play_create(x, "\"model\":\"replay-1\",\"negativePrompt\":\"doubtfulword\"");
    until_looked_at(x);
    PLAY_INSIST(x, decide(x));
    play_on(x);
    play_told(x);
}

static void is_passed(struct play *x)
{
    play_check_delivered_or_unknown(x);
    CHECK_I64(play_ask(x, "SELECT r.state FROM review r JOIN job j ON j.id = r.job_id WHERE j.public_id = '%s'"), REVIEW_PASSED,
              x->fault);
    CHECK_I64(play_ask(x, "SELECT COUNT(*) FROM moderation m JOIN job j ON j.id = m.job_id WHERE j.public_id = '%s'"), 4,
              x->fault);
    CHECK_I64(play_ask(x, "SELECT COUNT(*) FROM job_event e JOIN job j ON j.id = e.job_id WHERE j.public_id = '%s' AND "
                          "e.kind IN ('held_for_review', 'cleared')"), 2, x->fault);
}

static void blocked(struct play *x)
{
    play_create(x, "\"model\":\"replay-1\",\"negativePrompt\":\"forbiddenword\"");
    play_on(x);
    play_told(x);
}

static void is_blocked(struct play *x)
{
    play_check(x, JOB_FAILED, "blocked_prompt");
    CHECK_I64(play_bills(x), 0, x->fault);
    CHECK_I64(ask(x->w, "SELECT SUM(n) FROM user_blocks"), ask(x->w, "SELECT COUNT(*) FROM job WHERE error_code = "
              "'blocked_prompt'"), x->fault);
}

static void results_are_looked_at(struct play *x)
{
    use_service(x);
    x->w->conf.moderation_output_frames = 1;
    moderator_fail_next(moderator(), 0);
    play_new_sweeper(x);
}

static void result_looked_at(struct play *x)
{
    play_create(x, "\"model\":\"replay-1\"");
    play_on(x);
    play_told(x);
    play_rest(x);
}

const struct story moderation_stories[] = {
    { "held and passed", both_look, held_and_passed, is_passed },
    { "blocked", both_look, blocked, is_blocked },
    { "result looked at", results_are_looked_at, result_looked_at, play_check_delivered_or_unknown },
    { NULL, NULL, NULL, NULL },
};
