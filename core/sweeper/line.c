/* The first of an account's line for a model that may go now: within what one user of it may run at once, what the
 * operator's brake leaves, and the share of submits that may be retries. Whoever may not go stays where he stands and
 * holds up nobody behind him, but for the brake: it is reached for everybody. Under the lock of slots.c. */
#include "base/arena.h"
#include "sweeper/sweep.h"

#define ROUNDS_MAX 20
#define RETRIES_LEAST 10                       /* a provider may always have so many in the time below */
#define RETRIES_US (600 * FG_US_PER_S)
#define USER_JSON_MAX (6 * JOB_USER_MAX + 3)   /* every character escaped */
#define ID_JSON_MAX 21

struct in_line {
    int64_t due_id;
    int attempt_n, duration_s, audio;
    struct fg_str resolution, user_id;
};
static const struct db_col in_line_cols[] = {
    COL(struct in_line, due_id), COL(struct in_line, attempt_n),  COL(struct in_line, duration_s),
    COL(struct in_line, audio),  COL(struct in_line, resolution), COL(struct in_line, user_id),
};

struct user {
    struct fg_str id;
    int64_t n; /* that runs, picked ones included */
};
static const struct db_col user_cols[] = { COL(struct user, id), COL(struct user, n) };

struct picking {
    struct sweeper *s;
    const struct line *line;
    struct budget *budget;
    struct user *user;
    size_t user_n;
    struct sb ids;         /* JSON list of due rows */
    int64_t n, retry_n, micro;
    int64_t after_id;
    bool held;             /* somebody who is due may not go now */
};

/* ---- retries ---- */

struct submits_row {
    struct fg_str provider;
    int64_t n, retry_n;
};
static const struct db_col submits_cols[] = { COL(struct submits_row, provider), COL(struct submits_row, n),
                                              COL(struct submits_row, retry_n) };

/* Once for each time that the rest is read anew: a share needs no more. */
static void count_submits(struct sweeper *s)
{
    struct traffic *tr = &s->traffic;
    struct submits_row *row;
    size_t n;
    if (tr->counted_us == tr->next_load_us)
        return;
    enum fg_code rc = DB_ALL(&s->cx, s->env.db, SQL_SUBMITS, DB_ARGS(DB(s->cx.now_us - RETRIES_US)), DB_COLS(submits_cols),
                             &row, &n);
    if (rc != FG_OK) {
        sweep_failed(s, rc, "line.submits_failed", fg_str_c(s->name));
        return;
    }
    tr->counted_us = tr->next_load_us;
    for (unsigned i = 0; i < tr->n; i++)
        tr->provider[i].submit_n = tr->provider[i].retry_n = 0;
    for (size_t i = 0; i < n; i++) {
        struct provider_traffic *p = traffic_of(tr, row[i].provider);
        if (p) {
            p->submit_n = row[i].n;
            p->retry_n = row[i].retry_n;
        }
    }
}

static bool may_retry(const struct picking *p)
{
    count_submits(p->s);
    const struct provider_traffic *t = traffic_of(&p->s->traffic, p->line->model->provider->name);
    int64_t share = t ? (t->submit_n + p->n) * p->s->env.conf->sweeper_retry_percent / 100 : 0;
    return t && t->retry_n + p->retry_n < (share > RETRIES_LEAST ? share : RETRIES_LEAST);
}

/* ---- users ---- */

static struct user *user_of(struct picking *p, struct fg_str id)
{
    for (size_t i = 0; i < p->user_n; i++)
        if (fg_eq(p->user[i].id, id))
            return &p->user[i];
    struct user *more = arena_array(p->s->cx.mem, struct user, p->user_n + 1);
    if (p->user_n)
        memcpy(more, p->user, p->user_n * sizeof *more);
    p->user = more;
    more[p->user_n] = (struct user){ id, 0 };
    return &more[p->user_n++];
}

static struct fg_str full_users(const struct picking *p)
{
    struct sb b = sb_in(p->s->cx.mem, p->user_n * USER_JSON_MAX + 3);
    struct jw w = jw_on(&b);
    jw_open_array(&w, NULL);
    for (size_t i = 0; i < p->user_n; i++)
        if (p->user[i].n >= p->line->user_running_max)
            jw_str(&w, NULL, p->user[i].id);
    jw_close_array(&w);
    return sb_str(&b);
}

/* ---- picking ---- */

static void pick(struct picking *p, const struct in_line *row)
{
    const struct cat_model *m = p->line->model;
    struct user *u = p->line->user_running_max >= 0 && row->user_id.p ? user_of(p, row->user_id) : NULL;
    int64_t micro = catalogue_price(&m->cost, row->resolution, row->duration_s, (enum audio)row->audio);
    micro = micro > 0 ? micro : 0;
    if ((u && u->n >= p->line->user_running_max) || (row->attempt_n && !may_retry(p)) ||
        !budget_pays(p->s, p->budget, m, micro)) {
        p->held = true;
        return;
    }
    sb_addf(&p->ids, "%s%lld", p->n ? "," : "", (long long)row->due_id);
    budget_take(p->s, p->budget, m, micro);
    p->n++;
    p->retry_n += row->attempt_n > 0;
    if (u)
        u->n++;
}

static enum fg_code pick_some(struct picking *p, int64_t want)
{
    struct sweeper *s = p->s;
    enum fg_code rc = FG_OK;
    size_t n = 1;
    for (int i = 0; i < ROUNDS_MAX && rc == FG_OK && p->n < want && n > 0 &&
                    !budget_reached(p->budget, p->line->model); i++) {
        struct in_line *row;
        bool retries = may_retry(p);
        int64_t asked = want - p->n;
        rc = DB_ALL(&s->cx, s->env.db, SQL_LINE,
                    DB_ARGS(DB(p->line->model->name), DB(p->line->account_id), DB(p->after_id), DB(s->cx.now_us),
                            DB((int)retries), DB(full_users(p)), DB(asked)),
                    DB_COLS(in_line_cols), &row, &n);
        for (size_t k = 0; rc == FG_OK && k < n && !budget_reached(p->budget, p->line->model); k++) {
            pick(p, &row[k]);
            p->after_id = row[k].due_id;
        }
        p->held = p->held || !retries;
    }
    return rc;
}

int64_t line_claim(struct sweeper *s, const struct line *line, struct budget *budget, int64_t want)
{
    struct picking p = { .s = s, .line = line, .budget = budget,
                         .ids = sb_in(s->cx.mem, (size_t)want * ID_JSON_MAX + 3) };
    enum fg_code rc = FG_OK;
    sb_add_c(&p.ids, '[');
    if (line->user_running_max >= 0)
        rc = DB_ALL(&s->cx, s->env.db, SQL_USERS_RUNNING, DB_ARGS(DB(line->account_id)), DB_COLS(user_cols), &p.user,
                    &p.user_n);
    if (rc == FG_OK)
        rc = pick_some(&p, want);
    if (rc != FG_OK) {
        sweep_failed(s, rc, "line.read_failed", line->model->name);
        return 0;
    }
    sb_add_c(&p.ids, ']');
    s->slots_short = s->slots_short || p.held || p.user_n;
    if (p.n == 0)
        return 0;
    struct provider_traffic *t = traffic_of(&s->traffic, line->model->provider->name);
    if (t) {
        t->submit_n += p.n;
        t->retry_n += p.retry_n;
    }
    return sweep_claim(s, DUE_DISPATCH, p.n, sb_str(&p.ids));
}
