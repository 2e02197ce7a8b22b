#include "sweeper/check.h"

#include "base/arena.h"
#include "base/fault.h"
#include "base/log.h"

#define REPLY_MAX (256 * FG_KIB)
#define AGAIN_MIN_US (2 * FG_US_PER_S)
#define AGAIN_MAX_US (60 * FG_US_PER_S)

struct checking *checking_new(struct task *t)
{
    struct checking *c = arena_new_of(t->cx.mem, struct checking);
    c->from.fd = c->frame.fd = -1;
    t->checking = c;
    return c;
}

void checking_drop(struct task *t)
{
    if (!t->checking)
        return;
    spool_drop(&t->checking->from);
    spool_drop(&t->checking->frame);
}

void checking_add(struct checking *c, const struct check_step *step)
{
    FG_ASSERT(c->step_n < CHECK_STEPS_MAX);
    c->step[c->step_n++] = *step;
}

static int kind_kept(enum verdict_kind k)
{
    static const int kept[] = { [VERDICT_ALLOW] = CHECK_PASS, [VERDICT_ERROR] = CHECK_AWAY,
                                [VERDICT_REVIEW] = CHECK_REVIEW, [VERDICT_BLOCK] = CHECK_BLOCK };
    return kept[k];
}

static bool kind_read(int kept, enum verdict_kind *out)
{
    if (kept != CHECK_PASS && kept != CHECK_REVIEW && kept != CHECK_BLOCK)
        return false;
    *out = kept == CHECK_PASS ? VERDICT_ALLOW : kept == CHECK_REVIEW ? VERDICT_REVIEW : VERDICT_BLOCK;
    return true;
}

static void run(struct task *t);

/* Of the step in hand. Where an unheard service is no reason to wait it is recorded, and no more. */
static void take(struct task *t, const struct verdict *v, struct fg_str rule, bool cached)
{
    struct checking *c = t->checking;
    const struct check_step *step = &c->step[c->at++];
    bool passed_over = v->kind == VERDICT_ERROR && FG_IS(t->s->env.conf->moderation_when_away, "pass");
    struct check *said = &c->said[c->said_n++];
    *said = (struct check){
        .target = step->target,
        .checker = step->site ? fg_str_c(step->site->service->name) : FG_LIT("rules"),
        .verdict = kind_kept(v->kind),
        .category = v->category,
        .rule = rule,
        .scores = v->scores,
        .ref = v->ref,
        .cached = cached,
    };
    if (v->kind <= c->worst.kind || passed_over)
        return;
    c->worst = *v;
    c->worst_at = c->said_n - 1;
}

/* ---- our rules ---- */

static void ask_rules(struct task *t, const struct check_step *step)
{
    struct rules_hit hit = { .kind = VERDICT_ALLOW };
    const struct rules_text text = { step->text, FG_IS(step->target, "negativePrompt") };
    enum fg_code rc = rules_check(&t->cx, t->s->rules, &text, 1, &hit);
    struct verdict v = rules_verdict(&t->cx, &hit);
    if (rc != FG_OK) { /* our own door lets no such text in */
        task_failed(t, rc, "moderation.rules_failed");
        v = (struct verdict){ .kind = VERDICT_ERROR, .operator_error = true };
    }
    take(t, &v, hit.phrase.p ? arena_str(t->cx.mem, hit.phrase) : FG_NONE, false);
}

/* ---- what was said of the same before ---- */

struct kept {
    int verdict;
    struct fg_str category, scores, ref;
};
static const struct db_col kept_cols[] = { COL(struct kept, verdict), COL(struct kept, category), COL(struct kept, scores),
                                           COL(struct kept, ref) };

static int64_t kept_us(const struct task *t)
{
    return t->s->env.conf->moderation_cache_hours * 3600 * FG_US_PER_S;
}

static void make_key(struct task *t, const struct check_step *step)
{
    uint8_t policy[HASH_LEN];
    bool picture = step->image.bytes.p != NULL;
    moderation_policy(&t->cx, step->site, policy);
    HASH_KEYED(t->s->env.pepper, HASH_VERDICT, t->checking->key, hash_bytes(policy),
               picture ? FG_LIT("image") : FG_LIT("text"), picture ? step->image.bytes : step->text);
}

static bool find_kept(struct task *t)
{
    struct kept k;
    bool found = false;
    struct verdict v = { .kind = VERDICT_ALLOW };
    if (kept_us(t) == 0)
        return false;
    enum fg_code rc = db_one(&t->cx, t->s->env.db, SQL_VERDICT_FIND,
                             DB_ARGS(DB(hash_bytes(t->checking->key)), DB(t->cx.now_us - kept_us(t))), DB_COLS(kept_cols), &k,
                             &found);
    if (rc != FG_OK)
        task_failed(t, rc, "moderation.find_failed");
    if (rc != FG_OK || !found || !kind_read(k.verdict, &v.kind))
        return false;
    v.category = k.category;
    v.scores = k.scores;
    v.ref = k.ref;
    take(t, &v, FG_NONE, true);
    return true;
}

static void keep(struct task *t, const struct verdict *v)
{
    if (kept_us(t) == 0 || v->kind == VERDICT_ERROR)
        return;
    int kind = kind_kept(v->kind);
    enum fg_code rc = db_run(&t->cx, t->s->env.db, SQL_VERDICT_PUT,
                             DB_ARGS(DB(hash_bytes(t->checking->key)), DB(kind), DB(v->category), DB(v->scores), DB(v->ref),
                                     DB(t->cx.now_us), DB(kind), DB(v->category), DB(v->scores), DB(v->ref),
                                     DB(t->cx.now_us)));
    if (rc != FG_OK) /* it is asked again, which is harmless */
        task_failed(t, rc, "moderation.keep_failed");
}

/* ---- services ---- */

/* Known to all, by way of /metrics, and told to the log once until it answers again. */
static void note_service(struct task *t, const struct moderation_site *site, const struct verdict *v)
{
    struct sweeper *s = t->s;
    size_t i = (size_t)(site - s->sites.site);
    bool away = v->kind == VERDICT_ERROR;
    struct fg_str name = fg_str_c(site->service->name);
    enum fg_code rc = away ? db_run(&t->cx, s->env.db, SQL_CHECKER_AWAY,
                                    DB_ARGS(DB(name), DB(t->cx.now_us), DB(v->operator_error), DB(t->cx.now_us),
                                            DB(v->operator_error)))
                           : db_run(&t->cx, s->env.db, SQL_CHECKER_BACK, DB_ARGS(DB(name)));
    if (rc != FG_OK)
        task_failed(t, rc, "moderation.note_failed");
    if (away && !s->site_told[i])
        fg_log(&t->cx, v->operator_error ? LOG_ERROR : LOG_WARN, "moderation.service_away", LOG_S("service", name),
               LOG_S("words", v->words));
    if (!away && s->site_told[i])
        fg_log(&t->cx, LOG_INFO, "moderation.service_back", LOG_S("service", name));
    s->site_told[i] = away;
}

static void answered(void *arg, const struct fetch_reply *r)
{
    struct task *t = arg;
    struct checking *c = t->checking;
    const struct moderation_site *site = c->step[c->at].site;
    struct verdict v = { .kind = VERDICT_ERROR };
    site->service->reply(&t->cx, site, r, &v);
    note_service(t, site, &v);
    keep(t, &v);
    take(t, &v, FG_NONE, false);
    run(t);
}

/* False: the step is done. */
static bool ask_service(struct task *t, const struct check_step *step)
{
    struct fetch_call call;
    const struct moderation_service *service = step->site->service;
    make_key(t, step);
    if (find_kept(t))
        return false;
    enum fg_code rc = step->image.bytes.p ? service->image_call(&t->cx, step->site, &step->image, &call)
                                          : service->text_call(&t->cx, step->site, step->text, &call);
    if (rc != FG_OK) {
        task_failed(t, rc, "moderation.call_failed");
        take(t, &(struct verdict){ .kind = VERDICT_ERROR, .operator_error = true }, FG_NONE, false);
        return false;
    }
    call.timeout_ms = step->site->timeout_ms;
    call.max_bytes = REPLY_MAX;
    task_fetch(t, WIRE_NOTHING, &call, answered);
    return true;
}

static void run(struct task *t)
{
    struct checking *c = t->checking;
    while (c->at < c->step_n && c->worst.kind != VERDICT_BLOCK) {
        const struct check_step *step = &c->step[c->at];
        if (!step->site)
            ask_rules(t, step);
        else if (ask_service(t, step))
            return;
    }
    c->done(t);
}

void checking_run(struct task *t, void (*done)(struct task *t))
{
    t->checking->done = done;
    run(t);
}

/* ---- when a service cannot be asked ---- */

int64_t checking_again_us(const struct task *t)
{
    int64_t asked_us = t->checking->worst.retry_after_s * FG_US_PER_S;
    int64_t pause_us = policy_backoff_us(&t->cx, task_trouble(t, TROUBLE_UNCHECKED), AGAIN_MIN_US, AGAIN_MAX_US);
    if (asked_us > AGAIN_MAX_US)
        asked_us = AGAIN_MAX_US;
    return t->cx.now_us + (pause_us > asked_us ? pause_us : asked_us);
}

void checking_tell_away(struct task *t)
{
    if (task_trouble(t, TROUBLE_UNCHECKED) > 1)
        return;
    const struct checking *c = t->checking;
    enum fg_code rc = task_move(t, &(struct job_change){ .event = EV_MODERATION,
                                                         .data = check_data(&t->cx, &c->said[c->worst_at]) });
    (void)task_ok(t, rc, "moderation.tell_failed");
}
