#include "moderate/rules.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "moderate/rules_parts.h"

/* A digit may stand for a letter in words of at least so many; "3d" is no "ed". */
#define DIGITS_LETTERS_MIN 3
/* From so many on, a letter was held down: one, two or all of them are meant. */
#define STRETCHED 3

/* ---- the file ---- */

static struct rules_seen seen_of(const struct stat *st)
{
    return (struct rules_seen){ (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec, (int64_t)st->st_size,
                                (uint64_t)st->st_ino };
}

static bool same(const struct rules_seen *a, const struct rules_seen *b)
{
    return a->mtime_ns == b->mtime_ns && a->size == b->size && a->inode == b->inode;
}

static enum fg_code read_file(struct fg_ctx *cx, const char *path, struct rules_seen *seen, struct fg_str *text)
{
    struct stat st;
    FILE *f = fopen(path, "re");
    if (!f)
        return fg_fail(cx, FG_CONFIG, "%s: %s", path, strerror(errno));
    bool bad = fstat(fileno(f), &st) != 0 || st.st_size < 0 || (size_t)st.st_size > RULES_FILE_MAX;
    size_t size = bad ? 0 : (size_t)st.st_size, n = 0;
    char *p = arena_get(cx->mem, size + 1);
    if (!bad)
        n = fread(p, 1, size + 1, f);
    bad = bad || ferror(f) != 0 || n > size; /* it is still being written */
    fclose(f);
    if (bad)
        return fg_fail(cx, FG_CONFIG, "%s: cannot be read, or has more than %zu bytes", path, RULES_FILE_MAX);
    *seen = seen_of(&st);
    *text = (struct fg_str){ p, n };
    return FG_OK;
}

static void close_norm(void *norm)
{
    norm_close(norm);
}

/* In the arena of *r. */
static enum fg_code fill(struct fg_ctx *cx, const char *path, struct rules *r)
{
    struct fg_str text;
    enum fg_code rc = norm_open(cx, &r->norm);
    if (rc != FG_OK)
        return rc;
    arena_defer(r->mem, close_norm, r->norm);
    rc = read_file(cx, path, &r->store->seen, &text);
    if (rc != FG_OK)
        return rc;
    hash_plain(text, r->digest);
    return rules_read(cx, r, path, text);
}

enum fg_code rules_load(struct fg_ctx *cx, const struct conf *conf, const struct rules **out)
{
    if (!conf->moderation_rules.n) {
        *out = NULL;
        return FG_OK;
    }
    struct arena *mem = arena_new(), *caller = cx->mem;
    struct rules *r = arena_new_of(mem, struct rules);
    r->mem = mem;
    r->store = arena_new_of(mem, struct rules_store);
    *r->store = (struct rules_store){ .mem = mem, .holders = 1 };
    /* What is needed to read the file, megabytes of it, goes when it is read: it comes again with every renewal. */
    const char *path = arena_cstr(mem, conf->moderation_rules);
    cx->mem = arena_new();
    enum fg_code rc = fill(cx, path, r);
    arena_free(cx->mem);
    cx->mem = caller;
    if (rc == FG_OK)
        *out = r;
    else
        arena_free(mem);
    return rc;
}

const struct rules *rules_hold(const struct rules *r)
{
    if (r)
        r->store->holders++;
    return r;
}

void rules_drop(const struct rules *r)
{
    if (r && --r->store->holders == 0)
        arena_free(r->store->mem);
}

enum fg_code rules_renew(struct fg_ctx *cx, const struct conf *conf, const struct rules **r, bool *changed)
{
    struct rules_seen now = { 0 };
    struct stat st;
    const struct rules *fresh;
    *changed = false;
    if (!*r)
        return FG_OK;
    if (stat(arena_cstr(cx->mem, conf->moderation_rules), &st) == 0)
        now = seen_of(&st);
    if (same(&now, &(*r)->store->seen))
        return FG_OK;
    enum fg_code rc = rules_load(cx, conf, &fresh);
    if (rc != FG_OK) {
        (*r)->store->seen = now;
        return rc;
    }
    rules_drop(*r);
    *r = fresh;
    *changed = true;
    return FG_OK;
}

unsigned rules_phrases(const struct rules *r)
{
    return r ? r->phrase_n : 0;
}

bool rules_category(const struct rules *r, unsigned i, struct rules_category_info *out)
{
    if (!r || i >= r->category_n)
        return false;
    *out = r->category[i];
    return true;
}

void rules_digest(const struct rules *r, uint8_t out[HASH_LEN])
{
    memset(out, 0, HASH_LEN);
    if (r)
        memcpy(out, r->digest, HASH_LEN);
}

/* ---- one phrase at one place ---- */

static bool run_fits(const struct norm_letter *l, uint32_t run)
{
    return l->run == run || (!l->digit && l->run >= STRETCHED && l->run > run);
}

static bool gap_fits(enum norm_gap wanted, const struct norm_letter *before, const struct norm_letter *l)
{
    switch (l->gap) {
    case NORM_JOINED:
        return wanted != NORM_BLANK || before->unspaced || l->unspaced;
    case NORM_SIGN:
        return true;
    case NORM_BLANK:
        break;
    }
    return wanted != NORM_JOINED || (before->alone && l->alone);
}

/* l: the first of the letters that the automaton has found. */
static bool fits(const struct rules_key *k, const struct norm_letter *l)
{
    uint32_t meant = 0, stands = 0, foreign = 0;
    if (!(l[0].starts || k->phrase->open_start) || !(l[k->n - 1].ends || k->phrase->open_end))
        return false;
    for (uint32_t i = 0; i < k->n; i++) {
        if (!run_fits(&l[i], k->step[i].run) || (i > 0 && !gap_fits(k->step[i].gap, &l[i - 1], &l[i])))
            return false;
        meant += !l[i].stands_for;
        stands += l[i].stands_for;
        foreign += l[i].foreign;
    }
    if (stands && (!meant || k->letters < DIGITS_LETTERS_MIN))
        return false;
    return !k->foreign || foreign > 0;
}

/* ---- all of them in one text ---- */

/* What was found, from and to in bytes of the text. */
typedef void found_fn(void *arg, const struct rules_phrase *p, uint32_t from, uint32_t to);

static void look_at(const struct rules *r, const struct norm_letters *l, size_t last, uint32_t state, bool allow,
                    found_fn *found, void *arg)
{
    for (uint32_t at = finder_first(r->finder, state); at != FINDER_NONE; at = finder_shorter(r->finder, at))
        for (const struct rules_key *k = r->at[at]; k; k = k->next) {
            const struct norm_letter *first = &l->at[last + 1 - k->n];
            if ((k->phrase->category->kind == VERDICT_ALLOW) == allow && fits(k, first))
                found(arg, k->phrase, first->from, l->at[last].to);
        }
}

static void look_through(const struct rules *r, const struct norm_letters *l, bool allow, found_fn *found, void *arg)
{
    uint32_t state = 0;
    for (size_t i = 0; i < l->n; i++) {
        state = finder_step(r->finder, state, l->at[i].c);
        look_at(r, l, i, state, allow, found, arg);
    }
}

struct search {
    const struct rules_text *text;
    unsigned index;
    uint32_t *reach;         /* by byte: the farthest end of what the allow-list has found from there or before */
    struct rules_hit *best;
    uint32_t best_from;
};

static void allowed(void *arg, const struct rules_phrase *p, uint32_t from, uint32_t to)
{
    struct search *s = arg;
    (void)p;
    if (to > s->reach[from])
        s->reach[from] = to;
}

static bool better(const struct search *s, const struct rules_phrase *p, uint32_t from)
{
    if (p->category->kind != s->best->kind)
        return p->category->kind > s->best->kind;
    return s->best->text == s->index && from < s->best_from;
}

static void hit(void *arg, const struct rules_phrase *p, uint32_t from, uint32_t to)
{
    struct search *s = arg;
    if ((s->reach && s->reach[from] >= to) || (s->text->negative && p->category->prompts) || !better(s, p, from))
        return;
    *s->best = (struct rules_hit){ p->category->kind, p->category->name, p->text, p->line, s->index,
                                   { s->text->text.p + from, to - from } };
    s->best_from = from;
}

static void find_allowed(struct fg_ctx *cx, struct search *s, const struct rules *r, const struct norm_letters *l)
{
    size_t n = s->text->text.n + 1;
    s->reach = arena_array(cx->mem, uint32_t, n);
    look_through(r, l, true, allowed, s);
    for (size_t i = 1; i < n; i++)
        if (s->reach[i - 1] > s->reach[i])
            s->reach[i] = s->reach[i - 1];
}

/* The one way in for texts from outside. */
static enum fg_code take(struct fg_ctx *cx, const struct rules *r, struct fg_str text, const struct norm_text **out)
{
    if (text.n > RULES_TEXT_MAX)
        return fg_fail(cx, FG_TOO_LARGE, "A text of more than %zu bytes", RULES_TEXT_MAX);
    return norm_text(cx, r->norm, text, out);
}

enum fg_code rules_readings(struct fg_ctx *cx, const struct rules *r, struct fg_str text,
                            struct fg_str out[NORM_READINGS])
{
    const struct norm_text *t;
    struct norm_letters l;
    enum fg_code rc = take(cx, r, text, &t);
    for (unsigned i = 0; i < NORM_READINGS && rc == FG_OK; i++)
        out[i] = norm_read(cx, t, (enum norm_reading)i, &l) ? norm_words(cx, &l) : FG_NONE;
    return rc;
}

static enum fg_code check_one(struct fg_ctx *cx, const struct rules *r, struct search *s)
{
    const struct norm_text *text;
    struct norm_letters l;
    enum fg_code rc = take(cx, r, s->text->text, &text);
    if (rc != FG_OK)
        return rc;
    for (enum norm_reading i = NORM_PLAIN; i < NORM_READINGS; i++) {
        if (!norm_read(cx, text, i, &l))
            continue;
        /* The list says what is harmless as it is usually written, and excuses no disguise. */
        if (i == NORM_PLAIN && r->allows)
            find_allowed(cx, s, r, &l);
        look_through(r, &l, false, hit, s);
    }
    return FG_OK;
}

enum fg_code rules_check(struct fg_ctx *cx, const struct rules *r, const struct rules_text *text, size_t n,
                         struct rules_hit *out)
{
    struct rules_hit best = { .kind = VERDICT_ALLOW };
    enum fg_code rc = FG_OK;
    for (size_t i = 0; r && i < n && rc == FG_OK; i++)
        rc = check_one(cx, r, &(struct search){ .text = &text[i], .index = (unsigned)i, .best = &best });
    if (rc != FG_OK)
        return rc;
    best.found = arena_str(cx->mem, best.found);
    *out = best;
    return FG_OK;
}

struct verdict rules_verdict(struct fg_ctx *cx, const struct rules_hit *h)
{
    struct verdict v = { .kind = h->kind };
    if (h->kind == VERDICT_ALLOW)
        return v;
    v.category = arena_str(cx->mem, h->category);
    v.words = utf8_cut(arena_fmt(cx->mem, "line %u of the rules: %.*s", h->line, FG_P(h->phrase)), VERDICT_WORDS_MAX);
    return v;
}
