#include "job/policy.h"

#define S FG_US_PER_S

bool policy_may_submit(const struct job *j, int64_t most)
{
    return j->attempt_n < most && (!j->attempts_max || j->attempt_n < j->attempts_max);
}

int64_t policy_backoff_us(const struct fg_ctx *cx, int64_t n, int64_t base_us, int64_t max_us)
{
    int64_t pause = base_us;
    while (n-- > 1 && pause < max_us)
        pause *= 2;
    if (pause > max_us)
        pause = max_us;
    uint16_t dice;
    cx->env->random(cx->env->self, &dice, sizeof dice);
    return pause * 3 / 4 + pause / 2 * dice / UINT16_MAX;
}

int64_t policy_resubmit_us(const struct fg_ctx *cx, int64_t n, int64_t retry_after_s)
{
    int64_t pause = policy_backoff_us(cx, n, S, 60 * S);
    int64_t asked = (retry_after_s > 3600 ? 3600 : retry_after_s) * S;
    return pause > asked ? pause : asked;
}

/* Stretches as the job ages; the table of design §5. */
static int64_t calm_poll_us(const struct conf *conf, const struct cat_provider *p, int64_t age_us)
{
    int64_t first = (p && p->poll_ms ? p->poll_ms : conf->sweeper_first_poll_ms) * FG_US_PER_MS;
    return age_us < 60 * S ? first : age_us < 600 * S ? 2 * first : 6 * first;
}

int64_t policy_poll_us(const struct fg_ctx *cx, const struct conf *conf, const struct cat_provider *p, int64_t age_us,
                       int64_t no_news, int64_t wish_ms)
{
    int64_t called = p && p->callback_poll_ms ? p->callback_poll_ms : conf->sweeper_callback_poll_ms;
    int64_t pause = p && p->callbacks ? called * FG_US_PER_MS : calm_poll_us(conf, p, age_us);
    int64_t wish = (wish_ms > 3600000 ? 3600000 : wish_ms) * FG_US_PER_MS;
    if (no_news > 0) /* it is in trouble: never sooner than it would have been */
        pause = policy_backoff_us(cx, no_news, calm_poll_us(conf, p, age_us), 120 * S);
    return pause > wish ? pause : wish;
}

int64_t policy_resolve_us(const struct fg_ctx *cx, int64_t n)
{
    return policy_backoff_us(cx, n, S, 30 * S);
}

#define KEPT_LEAST_S 3600 /* what is known of no provider is taken for the shortest */

int64_t policy_ingest_due_us(int64_t now_us, const struct cat_model *m)
{
    int64_t life_s = m && m->output_life_s > KEPT_LEAST_S ? m->output_life_s : KEPT_LEAST_S;
    return now_us - 60 * S * KEPT_LEAST_S / life_s;
}

int64_t policy_fetch_us(const struct fg_ctx *cx, int64_t n)
{
    return policy_backoff_us(cx, n, 2 * S, 120 * S);
}

int64_t job_poll_after_ms(const struct fg_ctx *cx, const struct job *j)
{
    if (job_terminal((enum job_state)j->state))
        return 0;
    int64_t age = cx->now_us - j->created_us;
    return age < 60 * S ? 1000 : age < 300 * S ? 2000 : age < 1800 * S ? 5000 : 15000;
}

int64_t job_expected_micro(const struct job *j, const struct cat_model *m)
{
    int64_t micro = m ? catalogue_price(&m->cost, j->resolution, j->duration_s, (enum audio)j->audio) : 0;
    return micro > 0 ? micro : 0;
}
