#include "moderate/rules_parts.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/scan.h"
#include "base/utf8.h"

struct reading {
    struct fg_ctx *cx;
    struct fg_ctx phrase;    /* memory for one phrase */
    struct rules *r;
    const char *file;
    unsigned line;
    struct rules_category_info *category;
    struct rules_key *key, **last; /* all of them, in the order of the file */
    size_t characters;       /* of all of them */
};

static enum fg_code wrong(struct reading *g, const char *fmt, ...) FG_PRINTF(2, 3);
static enum fg_code wrong(struct reading *g, const char *fmt, ...)
{
    char words[FG_ERR_TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(words, sizeof words, fmt, ap);
    va_end(ap);
    return fg_fail(g->cx, FG_CONFIG, "%s:%u: %s", g->file, g->line, words);
}

/* ---- [category] action ---- */

static bool name_ok(struct fg_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!(s.p[i] >= 'a' && s.p[i] <= 'z') && !(s.p[i] >= '0' && s.p[i] <= '9') && s.p[i] != '_' && s.p[i] != '-')
            return false;
    return s.n > 0 && s.n <= VERDICT_CATEGORY_MAX;
}

static struct fg_str next_word(struct fg_str *s)
{
    struct fg_str word = FG_NONE;
    *s = utf8_trim(*s);
    (void)scan_until(s, ' ', &word);
    return word;
}

static enum fg_code read_action(struct reading *g, struct rules_category_info *c, struct fg_str rest)
{
    if (FG_IS(c->name, "allow")) {
        c->kind = VERDICT_ALLOW;
        return utf8_trim(rest).n == 0 ? FG_OK : wrong(g, "[allow] has no action");
    }
    struct fg_str action = next_word(&rest), where = next_word(&rest);
    c->prompts = FG_IS(where, "prompts");
    if (!verdict_by_name(action, &c->kind) || c->kind < VERDICT_REVIEW)
        return wrong(g, "after [%.*s] comes block or review", FG_P(c->name));
    if ((where.n && !c->prompts) || utf8_trim(rest).n)
        return wrong(g, "after the action may come the word prompts, and nothing else");
    return FG_OK;
}

static enum fg_code read_category(struct reading *g, struct fg_str line)
{
    struct rules *r = g->r;
    struct fg_str name;
    const char *end = memchr(line.p, ']', line.n);
    if (!end)
        return wrong(g, "a category without its ]");
    name = (struct fg_str){ line.p + 1, (size_t)(end - line.p) - 1 };
    if (!name_ok(name))
        return wrong(g, "a category's name is up to %d of a-z, 0-9, - and _", VERDICT_CATEGORY_MAX);
    for (unsigned i = 0; i < r->category_n; i++)
        if (fg_eq(r->category[i].name, name))
            return wrong(g, "[%.*s] is there already", FG_P(name));
    if (r->category_n == RULES_CATEGORIES_MAX)
        return wrong(g, "more than %d categories", RULES_CATEGORIES_MAX);
    g->category = &r->category[r->category_n++];
    *g->category = (struct rules_category_info){ .name = arena_str(r->mem, name) };
    return read_action(g, g->category, (struct fg_str){ end + 1, (size_t)(line.p + line.n - end) - 1 });
}

/* ---- phrases ---- */

static void add_step(struct rules_step *step, uint32_t *c, uint32_t *n, const struct norm_letter *l, uint32_t run,
                     enum norm_gap gap)
{
    c[*n] = l->c;
    step[(*n)++] = (struct rules_step){ run, gap };
}

/* apart: each of a run by itself. */
static void add_key(struct reading *g, const struct rules_phrase *p, const struct norm_letters *l, bool foreign,
                    bool apart)
{
    uint32_t letters = 0, n = 0;
    for (size_t i = 0; i < l->n; i++)
        letters += l->at[i].run;
    if (apart && letters == l->n)
        return;
    struct rules_step *step = arena_array(g->r->mem, struct rules_step, apart ? letters : l->n);
    uint32_t *c = arena_array(g->r->mem, uint32_t, apart ? letters : l->n);
    for (size_t i = 0; i < l->n; i++)
        for (uint32_t k = 0; k < (apart ? l->at[i].run : 1); k++)
            add_step(step, c, &n, &l->at[i], apart ? 1 : l->at[i].run, k ? NORM_JOINED : l->at[i].gap);
    struct rules_key *k = arena_new_of(g->r->mem, struct rules_key);
    *k = (struct rules_key){ p, c, step, n, letters, foreign, NULL };
    *g->last = k;
    g->last = &k->next;
    g->characters += n;
}

static struct fg_str without_stars(struct fg_str s, struct rules_phrase *p)
{
    p->open_start = s.n > 1 && s.p[0] == '*';
    s = (struct fg_str){ s.p + p->open_start, s.n - p->open_start };
    p->open_end = s.n > 1 && s.p[s.n - 1] == '*';
    s.n -= p->open_end;
    return s;
}

static enum fg_code add_phrase(struct reading *g, const struct rules_phrase *p, struct fg_str bare)
{
    const struct norm_text *text;
    struct norm_letters l;
    size_t letters = 0;
    if (norm_text(&g->phrase, g->r->norm, bare, &text) != FG_OK)
        return wrong(g, "%s", g->phrase.err.detail);
    FG_ASSERT(norm_read(&g->phrase, text, NORM_PLAIN, &l));
    for (size_t i = 0; i < l.n; i++)
        letters += l.at[i].run;
    if (letters == 0 || letters > RULES_PHRASE_MAX)
        return wrong(g, "a phrase has 1 to %d letters", RULES_PHRASE_MAX);
    add_key(g, p, &l, false, false);
    add_key(g, p, &l, false, true);
    if (p->category->kind != VERDICT_ALLOW && norm_read_phrase(&g->phrase, text, &l)) {
        add_key(g, p, &l, true, false);
        add_key(g, p, &l, true, true);
    }
    return FG_OK;
}

static enum fg_code read_phrase(struct reading *g, struct fg_str line)
{
    struct rules *r = g->r;
    if (!g->category)
        return wrong(g, "a phrase before the first [category]");
    if (r->phrase_n == RULES_PHRASES_MAX)
        return wrong(g, "more than %d phrases", RULES_PHRASES_MAX);
    r->phrase_n++;
    g->category->phrases++;
    r->allows |= g->category->kind == VERDICT_ALLOW;
    struct rules_phrase *p = arena_new_of(r->mem, struct rules_phrase);
    *p = (struct rules_phrase){ .text = arena_str(r->mem, line), .category = g->category, .line = g->line };
    return add_phrase(g, p, without_stars(p->text, p));
}

static enum fg_code read_line(struct reading *g, struct fg_str line)
{
    if (utf8_count(line) == SIZE_MAX)
        return wrong(g, "this is not valid UTF-8");
    line = utf8_trim(line);
    if (line.n == 0 || line.p[0] == '#')
        return FG_OK;
    return line.p[0] == '[' ? read_category(g, line) : read_phrase(g, line);
}

/* ---- the automaton ---- */

static bool same_key(const struct rules_key *a, const struct rules_key *b)
{
    bool same = a->foreign == b->foreign && a->phrase->open_start == b->phrase->open_start &&
                a->phrase->open_end == b->phrase->open_end;
    for (uint32_t i = 0; i < a->n && same; i++)
        same = a->step[i].run == b->step[i].run && a->step[i].gap == b->step[i].gap;
    return same;
}

/* Two that are the same to us would be one too many: the second could never be found, or never be allowed. */
static enum fg_code put_key(struct reading *g, struct rules_key *k)
{
    uint32_t place = finder_add(g->r->finder, k->c, k->n);
    for (const struct rules_key *o = g->r->at[place]; o; o = o->next)
        if (same_key(o, k)) {
            g->line = k->phrase->line;
            return k->foreign ? FG_OK : wrong(g, "the same phrase as in line %u", o->phrase->line);
        }
    k->next = g->r->at[place];
    g->r->at[place] = k;
    return FG_OK;
}

static enum fg_code build(struct reading *g)
{
    enum fg_code rc = FG_OK;
    g->r->finder = finder_new(g->r->mem, g->characters);
    g->r->at = arena_array(g->r->mem, struct rules_key *, g->characters + 1);
    for (struct rules_key *k = g->key, *next; k && rc == FG_OK; k = next) {
        next = k->next;
        rc = put_key(g, k);
    }
    if (rc == FG_OK)
        finder_finish(g->r->finder);
    return rc;
}

enum fg_code rules_read(struct fg_ctx *cx, struct rules *r, const char *file, struct fg_str text)
{
    struct fg_str line;
    enum fg_code rc = FG_OK;
    struct reading g = { .cx = cx, .r = r, .file = file };
    g.phrase = (struct fg_ctx){ .mem = arena_new(), .env = cx->env };
    g.last = &g.key;
    while (rc == FG_OK && scan_until(&text, '\n', &line)) {
        g.line++;
        rc = read_line(&g, line);
        arena_reset(g.phrase.mem);
    }
    arena_free(g.phrase.mem);
    return rc == FG_OK ? build(&g) : rc;
}
