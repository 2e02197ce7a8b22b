#include "moderate/normalise.h"

#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>

#include "base/arena.h"
#include "base/sb.h"
#include "base/utf8.h"

/* Units of UTF-16 that one character becomes, at most 18 in NFKC and 4 of each of those in NFD. */
#define UNITS_MAX 80
#define NAME_MAX 100

struct norm {
    const UNormalizer2 *fold, *decompose, *compose;
    USpoofChecker *spoof;
};

enum kind { LETTER, MARK, DIGIT, SIGN, BLANK };

struct unit {
    UChar32 c;
    UChar32 looks;     /* a letter of a-z, or c */
    uint32_t from, to;
    enum kind kind;
    char stands;       /* a letter that the digit or sign may stand for; 0 */
    bool unspaced, cut; /* cut: a word of ICU's begins here */
};

struct norm_text {
    struct fg_str text;
    struct unit *at;
    size_t n, cap;
    bool looks, stands, unspaced; /* some unit has such */
};

static enum fg_code icu_failed(struct fg_ctx *cx, const char *what, UErrorCode e)
{
    (void)fg_fail(cx, FG_INTERNAL, "Text cannot be looked through");
    return fg_cause(cx, "ICU %s: %s", what, u_errorName(e));
}

enum fg_code norm_open(struct fg_ctx *cx, struct norm **out)
{
    UErrorCode e = U_ZERO_ERROR;
    struct norm n = { unorm2_getNFKCCasefoldInstance(&e), unorm2_getNFDInstance(&e), unorm2_getNFCInstance(&e),
                      uspoof_open(&e) };
    if (U_FAILURE(e)) {
        uspoof_close(n.spoof);
        return icu_failed(cx, "open", e);
    }
    *out = malloc(sizeof **out);
    FG_ASSERT(*out != NULL);
    **out = n;
    return FG_OK;
}

void norm_close(struct norm *n)
{
    if (n)
        uspoof_close(n->spoof);
    free(n);
}

/* ---- one character ---- */

static bool is_latin(UChar32 c)
{
    return c >= 'a' && c <= 'z';
}

/* Letters in boxes and flags' letters, which NFKC leaves as they are. */
static UChar32 unboxed(UChar32 c)
{
    static const UChar32 first[] = { 0x1f150, 0x1f170, 0x1f1e6 };
    for (size_t i = 0; i < FG_LEN(first); i++)
        if (c >= first[i] && c < first[i] + 26)
            return 'a' + (c - first[i]);
    return c;
}

static UScriptCode script(UChar32 c)
{
    UErrorCode e = U_ZERO_ERROR;
    return uscript_getScript(c, &e);
}

/* Accents, and points that readers do without; not the vowels of Indian scripts, the tones of Thai, or the marks of
 * kana, without which a word is another. */
static bool dropped(UChar32 c)
{
    static const UScriptCode without[] = { USCRIPT_INHERITED, USCRIPT_ARABIC, USCRIPT_HEBREW, USCRIPT_SYRIAC,
                                           USCRIPT_LATIN,     USCRIPT_GREEK,  USCRIPT_CYRILLIC };
    int8_t type = u_charType(c);
    if (c == 0x640) /* tatweel */
        return true;
    if ((type != U_NON_SPACING_MARK && type != U_ENCLOSING_MARK) || c == 0x3099 || c == 0x309a)
        return false;
    for (size_t i = 0; i < FG_LEN(without); i++)
        if (script(c) == without[i])
            return true;
    return false;
}

static bool writes_no_blanks(UChar32 c)
{
    static const UScriptCode scripts[] = { USCRIPT_HAN,  USCRIPT_HIRAGANA, USCRIPT_KATAKANA, USCRIPT_THAI,
                                           USCRIPT_LAO,  USCRIPT_KHMER,    USCRIPT_MYANMAR };
    if (c < 0xe00)
        return false;
    for (size_t i = 0; i < FG_LEN(scripts); i++)
        if (script(c) == scripts[i])
            return true;
    return c == 0x30fc; /* the long vowel of kana is of no script */
}

static enum kind kind_of(UChar32 c)
{
    uint32_t type = U_GET_GC_MASK(c);
    if (type & U_GC_L_MASK)
        return LETTER;
    if (type & U_GC_M_MASK)
        return MARK;
    if (type & U_GC_N_MASK)
        return DIGIT;
    return u_isUWhiteSpace(c) || type & U_GC_CC_MASK ? BLANK : SIGN;
}

static char stands_for(UChar32 c)
{
    static const char sign[] = "01345789@$!|", letter[] = "oieastbgasil";
    const char *p = c > 0 && c < 128 ? strchr(sign, (int)c) : NULL;
    return p ? letter[p - sign] : '\0';
}

/* "LATIN LETTER SMALL CAPITAL K": k. They are confusable with each other, and not with the real ones. */
static UChar32 small_capital(UChar32 c)
{
    static const struct fg_str prefix = { "LATIN LETTER SMALL CAPITAL ", 27 };
    char name[NAME_MAX];
    UErrorCode e = U_ZERO_ERROR;
    if (script(c) != USCRIPT_LATIN)
        return 0;
    int32_t n = u_charName(c, U_UNICODE_CHAR_NAME, name, sizeof name, &e);
    if (U_FAILURE(e) || (size_t)n != prefix.n + 1 || memcmp(name, prefix.p, prefix.n) != 0)
        return 0;
    return u_tolower((unsigned char)name[prefix.n]);
}

/* The letter of a-z that the skeleton of c is, or 0. */
static UChar32 skeleton(const struct norm *n, UChar32 c)
{
    UChar in[2], like[UNITS_MAX];
    UChar32 part[UNITS_MAX], kept[2] = { 0 };
    UErrorCode e = U_ZERO_ERROR;
    int32_t len = 0, part_n = 0, n_kept = 0;
    U16_APPEND_UNSAFE(in, len, c);
    len = uspoof_getSkeleton(n->spoof, 0, in, len, like, UNITS_MAX, &e);
    (void)u_strToUTF32(part, UNITS_MAX, &part_n, like, len, &e);
    if (U_FAILURE(e))
        return 0;
    for (int32_t i = 0; i < part_n; i++)
        if (!dropped(part[i]) && n_kept++ < 2)
            kept[n_kept - 1] = u_tolower(part[i]);
    if (n_kept == 2 && kept[0] == 'r' && kept[1] == 'n') /* what is like m is like rn to ICU */
        return 'm';
    if (n_kept != 1)
        return 0;
    return is_latin(kept[0]) ? kept[0] : small_capital(kept[0]);
}

/* Capitals too: a reader takes the small one for the same. */
static UChar32 looks_like(const struct norm *n, UChar32 c)
{
    UChar32 got = c < 128 ? c : small_capital(c);
    if (!got)
        got = skeleton(n, c);
    if (!got && u_toupper(c) != c)
        got = skeleton(n, u_toupper(c));
    return got ? got : c;
}

/* ---- a text ---- */

static bool is_letter(const struct unit *u)
{
    return u->kind <= DIGIT;
}

/* Puts "か" and its mark together again, and syllables of Hangul. */
static bool composed(const struct norm *n, struct norm_text *t, UChar32 c, uint32_t to)
{
    struct unit *last = t->n ? &t->at[t->n - 1] : NULL;
    if (!last || !is_letter(last) || c < 128)
        return false;
    UChar32 both = unorm2_composePair(n->compose, last->c, c);
    if (both < 0)
        return false;
    last->c = last->looks = both;
    last->to = to;
    return true;
}

static void add(const struct norm *n, struct norm_text *t, UChar32 c, uint32_t from, uint32_t to)
{
    c = unboxed(c);
    if (dropped(c) || composed(n, t, c, to))
        return;
    enum kind kind = kind_of(c);
    struct unit *u = &t->at[t->n++];
    *u = (struct unit){ .c = c, .looks = c, .from = from, .to = to, .kind = kind, .stands = stands_for(c) };
    t->stands |= u->stands != 0;
    if (!is_letter(u) || c < 128)
        return;
    u->looks = looks_like(n, c);
    u->unspaced = writes_no_blanks(c);
    t->looks |= u->looks != c;
    t->unspaced |= u->unspaced;
}

static void add_folded(const struct norm *n, struct norm_text *t, UChar32 c, uint32_t from, uint32_t to)
{
    UChar in[2], folded[UNITS_MAX], apart[UNITS_MAX];
    UChar32 part[UNITS_MAX];
    UErrorCode e = U_ZERO_ERROR;
    int32_t len = 0, part_n = 0;
    if (c < 128) { /* most there is, and NFKC has nothing more to say of it */
        add(n, t, u_tolower(c), from, to);
        return;
    }
    U16_APPEND_UNSAFE(in, len, c);
    len = unorm2_normalize(n->fold, in, len, folded, UNITS_MAX, &e);
    len = unorm2_normalize(n->decompose, folded, len, apart, UNITS_MAX, &e);
    (void)u_strToUTF32(part, UNITS_MAX, &part_n, apart, len, &e);
    FG_ASSERT(U_SUCCESS(e)); /* one character always fits */
    for (int32_t i = 0; i < part_n; i++)
        add(n, t, part[i], from, to);
}

static void make_room(struct fg_ctx *cx, struct norm_text *t)
{
    if (t->cap - t->n >= UNITS_MAX)
        return;
    struct unit *more = arena_array(cx->mem, struct unit, 2 * t->cap);
    memcpy(more, t->at, t->n * sizeof *more);
    t->at = more;
    t->cap *= 2;
}

static enum fg_code fill(struct fg_ctx *cx, const struct norm *n, struct norm_text *t)
{
    size_t at = 0, len;
    while (at < t->text.n) {
        UChar32 c;
        size_t i = at;
        len = utf8_len(t->text.p + at, t->text.n - at);
        if (len == 0)
            return fg_fail(cx, FG_INVALID_REQUEST, "The text is not valid UTF-8");
        U8_NEXT_UNSAFE(t->text.p, i, c);
        make_room(cx, t);
        add_folded(n, t, c, (uint32_t)at, (uint32_t)(at + len));
        at += len;
    }
    return FG_OK;
}

/* Marks where words begin in scripts without blanks, by ICU's dictionaries. Runs of other characters are one blank, so
 * that they hide no word. */
static enum fg_code cut_words(struct fg_ctx *cx, struct norm_text *t)
{
    UChar *text = arena_array(cx->mem, UChar, 2 * t->n);
    uint32_t *unit_at = arena_array(cx->mem, uint32_t, 2 * t->n);
    int32_t len = 0;
    for (size_t i = 0; i < t->n; i++) {
        unit_at[len] = (uint32_t)i;
        if (is_letter(&t->at[i]))
            U16_APPEND_UNSAFE(text, len, t->at[i].c);
        else
            text[len++] = ' ';
    }
    UErrorCode e = U_ZERO_ERROR;
    UBreakIterator *words = ubrk_open(UBRK_WORD, "", text, len, &e);
    if (U_FAILURE(e))
        return icu_failed(cx, "words", e);
    for (int32_t at = ubrk_first(words); at != UBRK_DONE && at < len; at = ubrk_next(words))
        t->at[unit_at[at]].cut = true;
    ubrk_close(words);
    return FG_OK;
}

enum fg_code norm_text(struct fg_ctx *cx, const struct norm *n, struct fg_str text, const struct norm_text **out)
{
    struct norm_text *t = arena_new_of(cx->mem, struct norm_text);
    t->text = text;
    t->cap = text.n + UNITS_MAX;
    t->at = arena_array(cx->mem, struct unit, t->cap);
    enum fg_code rc = fill(cx, n, t);
    if (rc == FG_OK && t->unspaced)
        rc = cut_words(cx, t);
    if (rc == FG_OK)
        *out = t;
    return rc;
}

/* ---- readings ---- */

/* A run of letters, digits and, where those are read, signs that stand for letters. */
struct piece {
    size_t from, to;
    bool latin, lookalike, foreign; /* a letter of a-z; one that looks so; one that does not */
};

static bool belongs(const struct norm_text *t, size_t i, bool signs)
{
    const struct unit *u = &t->at[i];
    if (is_letter(u))
        return true;
    /* A mark of exclamation ends sentences, too. */
    return signs && u->stands && (u->c != '!' || (i + 1 < t->n && is_letter(&t->at[i + 1])));
}

static bool next_piece(const struct norm_text *t, size_t from, bool signs, struct piece *p)
{
    while (from < t->n && !belongs(t, from, signs))
        from++;
    *p = (struct piece){ .from = from, .to = from };
    for (; p->to < t->n && belongs(t, p->to, signs); p->to++) {
        const struct unit *u = &t->at[p->to];
        if (u->kind != LETTER)
            continue;
        p->latin |= is_latin(u->c);
        p->lookalike |= u->looks != u->c;
        p->foreign |= !is_latin(u->looks);
    }
    return p->to > p->from;
}

/* More words in a-z than in what does not look like it, or none that does not. */
static bool reads_as_latin(const struct norm_text *t)
{
    size_t latin = 0, foreign = 0;
    struct piece p = { 0 };
    while (next_piece(t, p.to, false, &p)) {
        latin += p.latin;
        foreign += p.foreign && !p.latin;
    }
    return !foreign || latin > foreign;
}

struct reader {
    const struct norm_text *t;
    struct norm_letters *out;
    bool always, looks, latin_text, signs; /* always: every lookalike is mapped; looks: where that is sensible */
    char one; /* what 1 stands for */
};

/* Whether digits of the piece may be letters: it has one, or is a single digit behind a single letter: "k 1 l l". */
static bool is_spelled(const struct reader *r, const struct piece *p)
{
    if (p->latin || p->lookalike || p->foreign)
        return true;
    return p->to - p->from == 1 && r->out->n > 0 && r->out->at[r->out->n - 1].alone;
}

static struct norm_letter letter_of(const struct reader *r, size_t i, bool mapped, bool spelled)
{
    const struct unit *u = &r->t->at[i];
    struct norm_letter l = { .c = (uint32_t)(mapped ? u->looks : u->c), .from = u->from, .to = u->to, .run = 1,
                             .unspaced = u->unspaced, .digit = u->kind == DIGIT,
                             .foreign = u->kind == LETTER && !is_latin(u->c) };
    if (r->signs && u->stands && spelled) {
        l.c = (uint32_t)(u->c == '1' ? r->one : u->stands);
        l.stands_for = true;
        l.digit = false;
    }
    return l;
}

static bool word_begins(const struct norm_text *t, size_t i, const struct norm_letter *before,
                        const struct norm_letter *l)
{
    return before->digit != l->digit || (t->at[i].cut && (before->unspaced || l->unspaced));
}

static void read_piece(const struct reader *r, const struct piece *p, enum norm_gap gap)
{
    bool whole = p->lookalike && !p->latin && !p->foreign;
    bool mapped = r->always || (r->looks && (p->latin || (whole && r->latin_text)));
    bool spelled = is_spelled(r, p);
    struct norm_letter *first = &r->out->at[r->out->n], *last = NULL;
    size_t bases = 0;
    for (size_t i = p->from; i < p->to; i++) {
        struct norm_letter l = letter_of(r, i, mapped, spelled);
        bool begins = !last || word_begins(r->t, i, last, &l);
        if (last && last->c == l.c && !begins) {
            last->run++;
            last->to = l.to;
            last->stands_for &= l.stands_for;
            last->foreign |= l.foreign;
            continue;
        }
        l.gap = last ? NORM_JOINED : gap;
        l.starts = begins;
        if (last)
            last->ends = begins;
        bases += r->t->at[i].kind != MARK;
        last = &r->out->at[r->out->n++];
        *last = l;
    }
    last->ends = true;
    for (; first <= last; first++)
        first->alone = bases == 1;
}

static enum norm_gap gap_between(const struct norm_text *t, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (t->at[i].kind == BLANK)
            return NORM_BLANK;
    return NORM_SIGN;
}

static void read_all(struct fg_ctx *cx, struct reader *r)
{
    struct piece p = { 0 };
    size_t before = 0;
    r->out->n = 0;
    r->out->at = arena_array(cx->mem, struct norm_letter, r->t->n + 1);
    while (next_piece(r->t, before, r->signs, &p)) {
        read_piece(r, &p, r->out->n ? gap_between(r->t, before, p.from) : NORM_BLANK);
        before = p.to;
    }
}

bool norm_read(struct fg_ctx *cx, const struct norm_text *t, enum norm_reading reading, struct norm_letters *out)
{
    struct reader r = { .t = t, .out = out, .looks = reading != NORM_PLAIN, .signs = reading > NORM_LOOKALIKE,
                        .one = reading == NORM_DIGITS_L ? 'l' : 'i' };
    if ((reading == NORM_LOOKALIKE && !t->looks) || (r.signs && !t->stands))
        return false;
    r.latin_text = r.looks && reads_as_latin(t);
    read_all(cx, &r);
    return true;
}

bool norm_read_phrase(struct fg_ctx *cx, const struct norm_text *t, struct norm_letters *out)
{
    struct reader r = { .t = t, .out = out, .always = true };
    if (!t->looks)
        return false;
    read_all(cx, &r);
    return true;
}

static void add_character(struct sb *b, uint32_t c)
{
    uint8_t p[4];
    size_t n = 0;
    U8_APPEND_UNSAFE(p, n, c);
    sb_add(b, (struct fg_str){ (const char *)p, n });
}

struct fg_str norm_words(struct fg_ctx *cx, const struct norm_letters *l)
{
    size_t units = 0;
    for (size_t i = 0; i < l->n; i++)
        units += l->at[i].run;
    struct sb b = sb_in(cx->mem, 5 * units + 1);
    for (size_t i = 0; i < l->n; i++) {
        if (i > 0 && l->at[i].gap != NORM_JOINED)
            sb_add_c(&b, ' ');
        for (uint32_t k = 0; k < l->at[i].run; k++)
            add_character(&b, l->at[i].c);
    }
    return sb_str(&b);
}
