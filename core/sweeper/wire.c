#include "sweeper/wire.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/utf8.h"
#include "io/redact.h"
#include "sweeper/sweep.h"

#define ADD_MAX 32                 /* rows in one statement */
#define AGAIN_MAX 512
#define ADD_ROW_MAX (6 * (4 * WIRE_EXCERPT_MAX + WIRE_URL_MAX) + 256)
#define ID_MAX 21
#define ADD_BYTES_MAX (256 * FG_KIB) /* no statement begins another row beyond that: a server may take no larger ones */
#define KNOWN_WAYS 4
#define KNOWN_SETS 16384           /* answers that have a row: a cache. Where it is wrong, one is not counted */
#define ALIKE_WORDS 64
#define ALIKE_LOOK_MAX (64 * FG_KIB)
#define WORD_MAX 64
#define FNV_SEED UINT64_C(0xcbf29ce484222325)
#define FNV_STEP UINT64_C(0x100000001b3)

struct wire_note {
    struct wire_note *next;
    enum wire_what what;
    bool request;                  /* a submit's request, not its answer */
    int64_t job_id, alike, at_us, took_ms;
    int attempt_n, status;         /* status 0: no answer */
    const char *method;
    struct fg_str url, excerpt;
    bool known;                    /* has a row: counts only, and has no words */
    int64_t times;                 /* of one that is known */
    bool lost;                     /* when it was written last, it did not get there, or perhaps not */
};

struct wire {
    struct arena *mem;
    struct wire_note *first, **last;
    unsigned n;
    uint64_t known[KNOWN_SETS][KNOWN_WAYS]; /* in a set the newest first */
};

struct wire *wire_open(void)
{
    struct wire *w = calloc(1, sizeof *w);
    if (!w)
        abort();
    w->mem = arena_new();
    w->last = &w->first;
    return w;
}

void wire_close(struct wire *w)
{
    arena_free(w->mem);
    free(w);
}

/* ---- what is alike ---- */

static uint64_t fnv(uint64_t h, const void *p, size_t n)
{
    const unsigned char *c = p;
    for (size_t i = 0; i < n; i++)
        h = (h ^ c[i]) * FNV_STEP;
    return h;
}

static bool in_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* The set of words that a text has, of those without a digit: numbers, times and ids come and go, URLs too, and a log
 * says the same over and over. */
static uint64_t words_of(struct fg_str s)
{
    uint64_t seen[ALIKE_WORDS], sum = 0;
    unsigned n = 0;
    size_t end = s.n < ALIKE_LOOK_MAX ? s.n : ALIKE_LOOK_MAX;
    for (size_t at = 0; at < end && n < ALIKE_WORDS;) {
        size_t from = at;
        bool digit = false;
        for (; at < end && in_word(s.p[at]); at++)
            digit = digit || (s.p[at] >= '0' && s.p[at] <= '9');
        if (at == from) {
            at++;
            continue;
        }
        if (fg_starts((struct fg_str){ s.p + at, end - at }, FG_LIT("://")))
            while (at < end && (unsigned char)s.p[at] > ' ' && s.p[at] != '"')
                at++;
        else if (!digit && at - from <= WORD_MAX) {
            uint64_t h = fnv(FNV_SEED, s.p + from, at - from);
            unsigned i = 0;
            while (i < n && seen[i] != h)
                i++;
            if (i == n) {
                seen[n++] = h;
                sum += h;
            }
        }
    }
    return sum;
}

/* Of what may be asked again and again each answer has one row; of the rest, each try. */
static bool counts(enum wire_what what)
{
    return what == WIRE_POLL || what == WIRE_LIST;
}

static struct fg_str without_query(struct fg_str url)
{
    const char *end = url.n ? memchr(url.p, '?', url.n) : NULL;
    return end ? (struct fg_str){ url.p, (size_t)(end - url.p) } : url;
}

/* A list is of others' jobs, too: their words are not this one's to keep. */
static bool is_of_others(enum wire_what what, const struct fetch_reply *r)
{
    return what == WIRE_LIST && r->end == FETCH_ANSWERED && r->status >= 200 && r->status < 300;
}

static int64_t alike_of(const struct wire_note *n, const struct fetch_reply *r, struct fg_str url)
{
    int64_t at_us = counts(n->what) ? 0 : n->at_us;
    struct fg_str said = n->request || is_of_others(n->what, r) ? FG_NONE : r->end == FETCH_ANSWERED ? r->body : r->words;
    int64_t of[] = { n->what, n->request, n->request ? 0 : (int64_t)r->end, n->status, at_us, (int64_t)words_of(said) };
    return (int64_t)(fnv(fnv(FNV_SEED, of, sizeof of), url.p, url.n) >> 1);
}

static uint64_t *known_at(struct wire *w, const struct wire_note *n, uint64_t *tag)
{
    int64_t of[] = { n->job_id, n->attempt_n, n->alike };
    *tag = fnv(FNV_SEED, of, sizeof of) | 1;
    return w->known[(*tag >> 16) % KNOWN_SETS];
}

static bool is_known(struct wire *w, const struct wire_note *n)
{
    uint64_t tag, *set = known_at(w, n, &tag);
    bool found = false;
    for (unsigned i = 0; i < KNOWN_WAYS; i++)
        found = found || set[i] == tag;
    return found;
}

static void know(struct wire *w, const struct wire_note *n, bool known)
{
    uint64_t tag, *set = known_at(w, n, &tag);
    unsigned i = 0;
    while (i < KNOWN_WAYS - 1 && set[i] != tag)
        i++;
    if (known) {
        memmove(set + 1, set, i * sizeof *set);
        set[0] = tag;
    } else if (set[i] == tag) {
        set[i] = 0;
    }
}

/* ---- noting ---- */

static struct fg_str excerpt(const struct task *t, struct fg_str text, size_t max_chars)
{
    const struct provider_site *site = t->provider ? &t->provider->site : NULL;
    struct fg_str secret[] = { t->work.attempt.callback_token, site ? site->key : FG_NONE,
                               site ? site->key_secret : FG_NONE, site ? site->webhook_secrets : FG_NONE };
    return redact_excerpt(t->cx.mem, text, secret, FG_LEN(secret), max_chars);
}

/* Pages of a list are all alike: one statement changes a row only once. */
static void add(struct task *t, const struct wire_note *note)
{
    struct wire_note **at = &t->wire;
    for (; *at; at = &(*at)->next)
        if (note->known && (*at)->known && (*at)->alike == note->alike && (*at)->attempt_n == note->attempt_n) {
            (*at)->times++;
            (*at)->at_us = note->at_us;
            (*at)->took_ms = note->took_ms;
            return;
        }
    *at = arena_new_of(t->cx.mem, struct wire_note);
    **at = *note;
}

struct wire_call wire_begin(const struct task *t, enum wire_what what, const struct fetch_call *call)
{
    return (struct wire_call){ what, call->method, call->url, call->body, t->cx.env->utc_us(t->cx.env->self),
                               ctx_mono_us(&t->cx) };
}

static struct fg_str said(const struct task *t, enum wire_what what, const struct fetch_reply *r)
{
    if (what == WIRE_FETCH && r->end == FETCH_ANSWERED)
        return arena_fmt(t->cx.mem, "%lld bytes", (long long)r->body_bytes);
    if (is_of_others(what, r))
        return arena_fmt(t->cx.mem, "%zu bytes", r->body.n);
    return excerpt(t, r->end == FETCH_ANSWERED ? r->body : r->words, WIRE_EXCERPT_MAX);
}

void wire_heard(struct task *t, const struct wire_call *c, const struct fetch_reply *r)
{
    if (c->what == WIRE_NOTHING || !t->work.attempt.n)
        return;
    struct fg_str url = without_query(c->url);
    struct wire_note n = { .what = c->what, .job_id = t->work.job.id, .attempt_n = t->work.attempt.n,
                           .at_us = c->at_us, .method = c->method, .times = 1 };
    if (c->what == WIRE_SUBMIT && c->body.n) {
        n.request = true;
        n.alike = alike_of(&n, r, url);
        n.url = utf8_cut(excerpt(t, url, WIRE_URL_MAX), WIRE_URL_MAX);
        n.excerpt = excerpt(t, c->body, WIRE_EXCERPT_MAX);
        add(t, &n);
        n.request = false;
    }
    n.status = r->status > 0 && r->status < 1000 ? r->status : 0;
    n.took_ms = (ctx_mono_us(&t->cx) - c->mono_us) / FG_US_PER_MS;
    n.alike = alike_of(&n, r, url);
    n.known = counts(n.what) && is_known(t->s->wire, &n);
    if (!n.known) {
        n.url = utf8_cut(excerpt(t, url, WIRE_URL_MAX), WIRE_URL_MAX);
        n.excerpt = said(t, n.what, r);
    }
    add(t, &n);
}

/* ---- writing ---- */

static const char *name_of(const struct wire_note *n)
{
    static const char *const name[] = { [WIRE_NOTHING] = "", [WIRE_SUBMIT] = "submit", [WIRE_IMAGE] = "image",
                                        [WIRE_POLL] = "poll", [WIRE_LIST] = "list", [WIRE_CANCEL] = "cancel",
                                        [WIRE_FETCH] = "fetch" };
    return n->request ? "submit_request" : name[n->what];
}

static void write_row(struct jw *w, const struct wire_note *n)
{
    jw_open_array(w, NULL);
    jw_i64(w, NULL, n->job_id);
    jw_i64(w, NULL, n->attempt_n);
    jw_i64(w, NULL, n->alike);
    jw_i64(w, NULL, n->at_us);
    jw_i64(w, NULL, n->took_ms);
    if (n->known)
        jw_i64(w, NULL, n->times);
    else {
        jw_str(w, NULL, fg_str_c(name_of(n)));
        jw_str(w, NULL, fg_str_c(n->method));
        jw_str(w, NULL, n->url);
        if (n->status)
            jw_i64(w, NULL, n->status);
        else
            jw_null(w, NULL);
        jw_str(w, NULL, n->excerpt);
    }
    jw_close_array(w);
}

/* The record decides nothing: what is wrong with it alone does not hold up what it is written with. */
static enum fg_code unless_broken(struct fg_ctx *cx, enum fg_code rc)
{
    if (rc == FG_OK || rc == FG_DB_LOST || rc == FG_DB_BUSY)
        return rc;
    log_err(cx, "wire.write_failed", cx->request_id);
    return FG_OK;
}

/* The next of either kind from *at on, in one statement: their rows, and the jobs that may have too many by now. *end:
 * the first that is not among them. How many they are. */
static unsigned next_rows(struct wire_note *at, bool known, struct sb *rows, struct sb *jobs, struct wire_note **end)
{
    struct jw w = jw_on(rows), wj = jw_on(jobs);
    unsigned n = 0, max = known ? AGAIN_MAX : ADD_MAX;
    jw_open_array(&w, NULL);
    jw_open_array(&wj, NULL);
    for (; at && n < max && rows->n < ADD_BYTES_MAX; at = at->next) {
        if (at->known != known)
            continue;
        write_row(&w, at);
        if (!known && at->what != WIRE_SUBMIT)
            jw_i64(&wj, NULL, at->job_id);
        n++;
    }
    jw_close_array(&w);
    jw_close_array(&wj);
    FG_ASSERT(!rows->bad && !jobs->bad);
    *end = at;
    return n;
}

static enum fg_code write_some(struct fg_ctx *cx, struct db *db, struct wire_note **at, bool known)
{
    struct sb rows = sb_in(cx->mem, ADD_BYTES_MAX + ADD_ROW_MAX), jobs = sb_in(cx->mem, ADD_MAX * ID_MAX + 3);
    struct wire_note *first = *at;
    unsigned n = next_rows(first, known, &rows, &jobs, at);
    if (!n)
        return FG_OK;
    enum fg_code rc = known ? db_run(cx, db, SQL_WIRE_AGAIN, DB_ARGS(DB(sb_str(&rows))))
                            : db_run(cx, db, SQL_WIRE_ADD, DB_ARGS(DB(sb_str(&rows))));
    bool lost = rc != FG_OK || (known && db->affected < n);
    for (struct wire_note *one = first; one != *at; one = one->next)
        if (one->known == known)
            one->lost = lost;
    if (rc == FG_OK && !known && jobs.n > 2 && db->affected < 2 * n) /* a row that was there counts twice */
        rc = db_run(cx, db, SQL_WIRE_TRIM, DB_ARGS(DB(sb_str(&jobs)), DB(WIRE_ROWS_MAX)));
    return unless_broken(cx, rc);
}

static enum fg_code write_notes(struct fg_ctx *cx, struct db *db, struct wire_note *first)
{
    enum fg_code rc = FG_OK;
    for (struct wire_note *at = first; at && rc == FG_OK;)
        rc = write_some(cx, db, &at, true);
    for (struct wire_note *at = first; at && rc == FG_OK;)
        rc = write_some(cx, db, &at, false);
    return rc;
}

enum fg_code wire_write(struct fg_ctx *cx, struct db *db, struct task *t)
{
    return write_notes(cx, db, t->wire);
}

void wire_written(struct task *t)
{
    for (struct wire_note *n = t->wire; n; n = n->next)
        if (counts(n->what))
            know(t->s->wire, n, !n->lost);
    t->wire = NULL;
}

/* ---- what is left ---- */

void wire_leave(struct task *t)
{
    struct wire *w = t->s->wire;
    for (const struct wire_note *n = t->wire; n && w->n < WIRE_WAITING_MAX; n = n->next, w->n++) {
        struct wire_note *mine = arena_new_of(w->mem, struct wire_note);
        *mine = *n;
        mine->next = NULL;
        mine->url = n->url.p ? arena_str(w->mem, n->url) : FG_NONE;
        mine->excerpt = n->excerpt.p ? arena_str(w->mem, n->excerpt) : FG_NONE;
        *w->last = mine;
        w->last = &mine->next;
    }
    t->wire = NULL;
}

bool wire_waits(const struct sweeper *s)
{
    return s->wire->n > 0;
}

enum fg_code wire_write_left(struct fg_ctx *cx, struct db *db, struct sweeper *s)
{
    return write_notes(cx, db, s->wire->first);
}

void wire_forget_left(struct sweeper *s, bool committed)
{
    struct wire *w = s->wire;
    for (struct wire_note *n = w->first; n; n = n->next)
        if (counts(n->what))
            know(w, n, committed && !n->lost);
    arena_reset(w->mem);
    w->first = NULL;
    w->last = &w->first;
    w->n = 0;
}
