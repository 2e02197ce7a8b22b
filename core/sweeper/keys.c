/* Public keys of providers that sign their callbacks with them. Handlers call nobody: they read what stands here, and
 * say when no key of it fits. */
#include "base/log.h"
#include "sweeper/sweep.h"

#define OLD_US (12 * 3600 * FG_US_PER_S)
#define AGAIN_US (60 * FG_US_PER_S) /* strangers can make us want newer keys: not more often than this */
#define REPLY_MAX (64 * FG_KIB)

struct key_state {
    struct fg_str jwks;
    int64_t fetched_us, tried_us, wanted_us;
};
static const struct db_col key_cols[] = { COL(struct key_state, jwks), COL(struct key_state, fetched_us),
                                          COL(struct key_state, tried_us), COL(struct key_state, wanted_us) };

static void fetched(void *arg, const struct fetch_reply *r)
{
    struct task *t = arg;
    struct fg_str name = t->provider->name;
    const struct js *v;
    bool good = r->end == FETCH_ANSWERED && r->status == 200 && js_parse(&t->cx, r->body, &v) == FG_OK &&
                js_type(js_get(v, "keys")) == JS_ARRAY && js_len(js_get(v, "keys")) > 0;
    if (!good)
        fg_log(&t->cx, LOG_WARN, "keys.not_fetched", LOG_S("provider", name), LOG_I("status", r->status),
               LOG_S("words", r->words));
    else
        (void)task_ok(t, db_run(&t->cx, t->s->env.db, SQL_KEYS_PUT, DB_ARGS(DB(r->body), DB(t->cx.now_us), DB(name))),
                      "keys.put_failed");
    task_end(t);
}

/* A task without a row of due work: should we die, the next refresh does it. */
static void fetch_keys(struct sweeper *s, const struct cat_provider *p)
{
    struct task *t = task_new(s, DUE_NOTHING, NULL);
    struct fetch_call call = fetch_call_init("GET", p->site.jwks_url);
    t->provider = p;
    call.timeout_ms = s->env.conf->sweeper_call_timeout_s * 1000;
    call.max_bytes = REPLY_MAX;
    task_fetch(t, WIRE_NOTHING, &call, fetched);
}

/* The one that changes the row fetches. */
static bool mine_to_try(struct sweeper *s, const struct cat_provider *p, const struct key_state *k, bool found)
{
    int64_t now = s->cx.now_us;
    enum fg_code rc = found ? db_run(&s->cx, s->env.db, SQL_KEYS_TRY_AGAIN, DB_ARGS(DB(now), DB(p->name), DB_TIME(k->tried_us)))
                            : db_run(&s->cx, s->env.db, SQL_KEYS_TRY, DB_ARGS(DB(p->name), DB(now)));
    if (rc != FG_OK)
        sweep_failed(s, rc, "keys.try_failed", p->name);
    return rc == FG_OK && s->env.db->affected == 1;
}

void keys_refresh(struct sweeper *s)
{
    const struct catalogue *c = s->env.catalogue;
    for (unsigned i = 0; i < c->provider_n; i++) {
        const struct cat_provider *p = &c->provider[i];
        struct key_state k = { .jwks = FG_NONE };
        bool found;
        if (!p->set_up || !p->callbacks || !p->site.jwks_url.n || s->task_n == SWEEP_TASKS_MAX)
            continue;
        enum fg_code rc = db_one(&s->cx, s->env.db, SQL_KEYS_OF, DB_ARGS(DB(p->name)), DB_COLS(key_cols), &k, &found);
        if (rc != FG_OK) {
            sweep_failed(s, rc, "keys.read_failed", p->name);
            return;
        }
        int64_t now = s->cx.now_us;
        bool old = !k.fetched_us || now - k.fetched_us > OLD_US || k.wanted_us > k.fetched_us;
        if (old && now - k.tried_us >= AGAIN_US && mine_to_try(s, p, &k, found))
            fetch_keys(s, p);
    }
}
