/* Every side effect of every duty, one after the other: it fails, it is done without an answer, or the process does not
 * live to see it. Whatever it is, the job ends as it would have, nothing is paid twice, the books balance, no file is left
 * over, and everything is told. The effects are counted, not listed: a new one is under test without a word here, and one
 * that no story has fails the last test. */
#include "fault/play.h"

#include <stdio.h>

#define JOB(i, name) TEST(name) { play_all(&job_stories[i]); }
JOB(0, a_video_with_a_callback)
JOB(1, a_video_that_is_erased)
JOB(2, a_cancel_in_time)
JOB(3, a_cancel_while_it_is_made)
JOB(4, a_video_of_a_picture)
JOB(5, a_failure_there)
JOB(6, a_deadline)
JOB(7, a_lost_answer)
JOB(8, a_lost_request)
JOB(9, a_provider_that_is_away)

#define OTHER(i, name) TEST(name) { play_all(&other_stories[i]); }
OTHER(0, the_upkeep)
OTHER(1, an_account_of_its_own)
OTHER(2, webhooks_that_are_not_taken)
OTHER(3, webhooks_one_behind_the_other)
OTHER(4, a_callback_of_nobody)
OTHER(5, a_provider_without_credit)
OTHER(6, a_provider_that_stumbles)
OTHER(7, a_long_download)
OTHER(8, a_file_that_is_no_video)
OTHER(9, a_clock_that_jumps)
OTHER(10, an_hour_that_is_spent)

#define MEDIA(i, name) TEST(name) { play_all(&media_stories[i]); }
MEDIA(0, a_link_that_is_given_away)
MEDIA(1, a_store_that_is_full)
MEDIA(2, a_picture_that_is_sent)
MEDIA(3, what_goes_by_its_age)
MEDIA(4, what_goes_by_its_owners_wish)

#define MODERATION(i, name) TEST(name) { play_all(&moderation_stories[i]); }
MODERATION(0, a_job_that_is_held_and_passed)
MODERATION(1, a_prompt_that_is_blocked)
MODERATION(2, a_result_that_is_looked_at)

#define DESK(i, name) TEST(name) { play_all(&desk_stories[i]); }
DESK(0, a_job_that_support_acts_on)
DESK(1, a_provider_that_is_asked_now)

/* ---- none is left out ---- */

struct written {
    const char *name, *text;
    unsigned programs;
};
static const struct written statements[] = {
#define S(name, programs, binds, columns, text) { "SQL_" #name, "" text, (programs) },
#include DB_STATEMENTS
#undef S
};

static bool is_among(const struct play_effects *seen, const char *name)
{
    for (unsigned i = 0; i < seen->n; i++)
        if (!strcmp(seen->v[i].name, name))
            return true;
    return false;
}

TEST(no_statement_of_a_handler_or_the_sweeper_that_writes_is_left_out)
{
    static struct fault_effect v[65536];
    struct play_effects seen = { v, 0, FG_LEN(v) };
    unsigned missing = 0;
    for (const struct story *one = job_stories; one->name; one++)
        play_once(one, &seen);
    for (const struct story *one = other_stories; one->name; one++)
        play_once(one, &seen);
    for (const struct story *one = moderation_stories; one->name; one++)
        play_once(one, &seen);
    for (const struct story *one = media_stories; one->name; one++)
        play_once(one, &seen);
    for (const struct story *one = desk_stories; one->name; one++)
        play_once(one, &seen);
    for (size_t i = 0; i < FG_LEN(statements); i++) {
        const struct written *s = &statements[i];
        if (strncmp(s->text, "SELECT", 6) && s->programs & (DB_WEB | DB_SWEEPER) && !is_among(&seen, s->name)) {
            printf("no story has %s\n", s->name);
            missing++;
        }
    }
    CHECK_I64(missing, 0, "each is in some story");
}
