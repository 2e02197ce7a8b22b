/* What happened to a job, in sentences. */
#include "base/arena.h"
#include "base/sb.h"
#include "base/time.h"
#include "job/dossier.h"
#include "job/moderation.h"
#include "job/store.h"
#include "notify/delivery.h"

#define SENTENCE_MAX 2000
#define MICRO INT64_C(1000000)

/* Says nothing where there is nothing worth a sentence. */
struct story {
    struct fg_ctx *cx;
    const struct dossier *d;
    struct sb b;
};

static void say_money(struct sb *b, int64_t micro, struct fg_str currency)
{
    int64_t all = micro < 0 ? -micro : micro;
    int digits = 6;
    int64_t part = all % MICRO;
    for (; digits > 2 && part % 10 == 0; digits--)
        part /= 10;
    sb_addf(b, "%s%lld.%0*lld %.*s", micro < 0 ? "-" : "", (long long)(all / MICRO), digits, (long long)part, FG_P(currency));
}

/* "0.4 s", "12 s", "3 min", "2 h" */
static void say_span(struct sb *b, int64_t us)
{
    int64_t s = us / FG_US_PER_S;
    if (s < 10)
        sb_addf(b, "%lld.%lld s", (long long)s, (long long)(us % FG_US_PER_S / (FG_US_PER_S / 10)));
    else if (s < 120)
        sb_addf(b, "%lld s", (long long)s);
    else if (s < 7200)
        sb_addf(b, "%lld min", (long long)(s / 60));
    else
        sb_addf(b, "%lld h", (long long)(s / 3600));
}

static void say_detail(struct sb *b, struct fg_str detail)
{
    if (detail.n)
        sb_addf(b, ": %.*s", FG_P(detail));
    sb_add_c(b, '.');
}

static void say_created(struct story *s)
{
    const struct job *j = &s->d->job;
    sb_addf(&s->b, "Created by account %.*s (%.*s)", FG_P(s->d->account.name), FG_P(s->d->account.id));
    if (j->user_id.n)
        sb_addf(&s->b, " for its user %.*s", FG_P(j->user_id));
    sb_addf(&s->b, ": %.*s, %.*s, %d s", FG_P(j->aspect_ratio), FG_P(j->resolution), j->duration_s);
    if (j->route.n)
        sb_addf(&s->b, ", by the route %.*s", FG_P(j->route));
    sb_add_c(&s->b, '.');
}

static void say_ended(struct story *s, const struct dossier_event *e)
{
    const struct job_reason_info *why = s->d->job.error_code.n ? job_reason_by_slug(s->d->job.error_code) : NULL;
    sb_addf(&s->b, "%s", e->state == JOB_EXPIRED ? "It ran out of time" : "It failed");
    if (s->d->job.error_code.n)
        sb_addf(&s->b, " (%.*s): %s", FG_P(s->d->job.error_code), why ? why->words : "");
    sb_add_c(&s->b, '.');
}

/* What other tables tell better is left to them. */
static void say_event(struct story *s, const struct dossier_event *e)
{
    static const struct {
        const char *type, *words;
    } plain[] = {
        { "submit_unknown", "No answer came, so nobody knew whether it was taken, and it was not sent again." },
        { "not_accepted", "It is certain that the provider did not take it; it went back to wait." },
        { "started", "The provider began to make it." },
        { "output_ready", "The provider had made it; its file was fetched." },
        { "succeeded", "The file was stored and checked: it is ready." },
        { "canceled", "It was canceled." },
        { "cancel_requested", "It was asked to be canceled." },
        { "rerouted", "It was given to another model of its route." },
        { "cleared", "Nothing was found against it." },
        { "held_for_review", "It was held until a person had looked at it." },
        { "late_result", "A result came after its end; it was not charged." },
        { "deleted", "Its file was deleted." },
        { "redacted", "Its words were deleted: they had been kept long enough." },
        { "legal_hold", "It was asked to be deleted, but a legal hold keeps it." },
        { "waiting_for_storage", "Our store had no room for its file; that waited." },
        { "image_stored", "Its first picture was fetched and kept." },
    };
    if (FG_IS(e->type, "created"))
        say_created(s);
    else if (FG_IS(e->type, "failed") || FG_IS(e->type, "expired"))
        say_ended(s, e);
    for (size_t i = 0; i < FG_LEN(plain); i++)
        if (fg_eq(e->type, fg_str_c(plain[i].type)))
            sb_add(&s->b, fg_str_c(plain[i].words));
}

static void say_attempt(struct story *s, const struct dossier_attempt *a)
{
    sb_addf(&s->b, "Submitted to %.*s (%.*s)", FG_P(a->provider), FG_P(a->model));
    if (a->n > 1)
        sb_addf(&s->b, ", try %d", a->n);
    if (a->state == ATTEMPT_ACCEPTED) {
        sb_addf(&s->b, "; accepted as %.*s", FG_P(a->provider_job_id));
        if (a->answered_us > a->created_us) {
            sb_add(&s->b, FG_LIT(" after "));
            say_span(&s->b, a->answered_us - a->created_us);
        }
        sb_add_c(&s->b, '.');
    } else if (a->state == ATTEMPT_REFUSED) {
        sb_add(&s->b, FG_LIT("; refused"));
        say_detail(&s->b, a->detail);
    } else if (a->state == ATTEMPT_NOT_SENT) {
        sb_add(&s->b, FG_LIT("; it did not get there"));
        say_detail(&s->b, a->detail);
    } else if (a->state == ATTEMPT_UNKNOWN) {
        sb_add(&s->b, FG_LIT("; whether it was taken is not known."));
    } else {
        sb_add(&s->b, FG_LIT("; on its way."));
    }
}

/* "21:57:26", or with its day where that is another one than the sentence's. */
static void say_clock(struct story *s, int64_t us, int64_t said_us)
{
    struct fg_str at = time_iso(s->cx->mem, us), said = time_iso(s->cx->mem, said_us);
    if (memcmp(at.p, said.p, 10) != 0)
        sb_addf(&s->b, "%.10s ", at.p);
    sb_addf(&s->b, "%.8s", at.p + 11);
}

/* What came of the other questions stands with the attempt. */
static void say_wire(struct story *s, const struct dossier_wire *r)
{
    if (!FG_IS(r->what, "poll"))
        return;
    if (r->n == 1)
        sb_add(&s->b, FG_LIT("Asked how it stands"));
    else
        sb_addf(&s->b, "Asked %lld times how it stands, always with the same answer", (long long)r->n);
    if (r->status)
        sb_addf(&s->b, " (HTTP %d)", r->status);
    else
        sb_add(&s->b, FG_LIT(" (none came)"));
    if (r->n > 1) {
        sb_add(&s->b, FG_LIT(", the last time at "));
        say_clock(s, r->last_us, r->at_us);
    }
    sb_add_c(&s->b, '.');
}

static void say_callback(struct story *s, const struct dossier_callback *c)
{
    const char *word = callback_verdict_name(c->verdict);
    static const char *const words[][2] = {
        { "valid", "was genuine" },
        { "duplicate", "was a duplicate" },
        { "late", "came after the job's end and changed nothing" },
        { "superseded", "was about an earlier try and changed nothing" },
        { "forged", "was not genuine and was not believed" },
        { "unknown", "fitted no job" },
        { "replayed", "was processed again by an operator" },
    };
    for (size_t i = 0; i < FG_LEN(words); i++)
        if (strcmp(word, words[i][0]) == 0)
            sb_addf(&s->b, "A callback of %.*s %s.", FG_P(c->provider), words[i][1]);
}

static void say_check(struct story *s, const struct dossier_check *c)
{
    if (c->verdict == CHECK_PASS)
        return;
    sb_addf(&s->b, "%.*s looked at the %.*s: %s", FG_P(c->checker), FG_P(c->target), check_verdict_name(c->verdict));
    say_detail(&s->b, c->category);
}

static void say_entry(struct story *s, const struct dossier_entry *e)
{
    const char *what = e->kind == LEDGER_HOLD      ? " held."
                       : e->kind == LEDGER_SETTLE  ? " charged."
                       : e->kind == LEDGER_RELEASE ? " given back."
                                                   : " entered by an operator.";
    say_money(&s->b, e->amount_micro, e->currency);
    sb_add(&s->b, fg_str_c(what));
}

static void say_delivery(struct story *s, const struct dossier_delivery *v)
{
    sb_addf(&s->b, "Webhook %s to %.*s: %s", notify_type_name((enum notify_type)v->type), FG_P(v->url),
            delivery_state_name((enum delivery_state)v->state));
    if (v->tries > 1 || v->state != DELIVERY_DELIVERED)
        sb_addf(&s->b, " after %d tr%s", v->tries, v->tries == 1 ? "y" : "ies");
    if (v->state != DELIVERY_DELIVERED && v->last_status)
        sb_addf(&s->b, ", last answer HTTP %d", v->last_status);
    sb_add_c(&s->b, '.');
}

static void say_action(struct story *s, const struct dossier_action *a)
{
    sb_addf(&s->b, "%.*s did “%.*s”", FG_P(a->actor), FG_P(a->action));
    if (!FG_IS(a->outcome, "done"))
        sb_addf(&s->b, ", which was refused (%.*s)", FG_P(a->outcome));
    say_detail(&s->b, a->reason);
}

static void say(struct story *s, const struct dossier_moment *m)
{
    switch (m->kind) {
    case DOSSIER_event: say_event(s, &s->d->event[m->i]); break;
    case DOSSIER_attempt: say_attempt(s, &s->d->attempt[m->i]); break;
    case DOSSIER_wire: say_wire(s, &s->d->wire[m->i]); break;
    case DOSSIER_callback: say_callback(s, &s->d->callback[m->i]); break;
    case DOSSIER_check: say_check(s, &s->d->check[m->i]); break;
    case DOSSIER_entry: say_entry(s, &s->d->entry[m->i]); break;
    case DOSSIER_delivery: say_delivery(s, &s->d->delivery[m->i]); break;
    case DOSSIER_action: say_action(s, &s->d->action[m->i]); break;
    case DOSSIER_file:
    case DOSSIER_hold:
    case DOSSIER_due: break; /* no moments */
    }
}

static void say_now(struct story *s)
{
    const struct job *j = &s->d->job;
    if (job_terminal((enum job_state)j->state))
        return;
    sb_addf(&s->b, "Now it is %s, %s", job_state_name((enum job_state)j->state), job_stage_name((enum job_stage)j->stage));
    if (j->progress >= 0)
        sb_addf(&s->b, ", %d %%", j->progress);
    sb_addf(&s->b, ", for ");
    say_span(&s->b, s->cx->now_us > j->updated_us ? s->cx->now_us - j->updated_us : 0);
    sb_add_c(&s->b, '.');
}

void dossier_explain(struct fg_ctx *cx, const struct dossier *d, struct explained **out, size_t *n)
{
    struct dossier_moment *m;
    size_t all, said = 0;
    dossier_moments(cx, d, &m, &all);
    struct explained *e = arena_array(cx->mem, struct explained, all + 1);
    for (size_t i = 0; i <= all; i++) {
        struct story s = { cx, d, sb_in(cx->mem, SENTENCE_MAX) };
        if (i < all)
            say(&s, &m[i]);
        else
            say_now(&s);
        if (s.b.n == 0 || s.b.bad)
            continue;
        e[said++] = (struct explained){ i < all ? m[i].at_us : cx->now_us, sb_str(&s.b) };
    }
    *out = e;
    *n = said;
}
