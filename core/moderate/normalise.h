/* Text as a reader takes it, whoever writes it to be read by people and not by programs. The only file that sees ICU.
 *
 * Each character goes through NFKC_Casefold (wide, mathematical and circled letters, upper case, invisible characters);
 * accents and vowel points that a reader does without are dropped, likewise the Arabic stroke that only makes a word
 * longer; letters in boxes are letters. What is no letter, mark or digit is a separator. Then there are several readings:
 *
 *   PLAIN       as it stands
 *   LOOKALIKE   letters of other scripts, or odd ones, that look like a-z are those (Unicode's confusables): in words
 *               that have a letter of a-z, and in words wholly of such letters where the text is otherwise in a-z. So a
 *               Russian word that happens to look like an English one stays Russian in a Russian sentence
 *   DIGITS_I,   the same, and digits and signs that stand for letters are those, in words that have a letter:
 *   DIGITS_L    0 o, 3 e, 4 @ a, 5 $ s, 7 t, 8 b, 9 g, ! i, | l, and 1 i or l
 *
 * In every reading a letter that is repeated is one, with a count. */
#ifndef FG_MODERATE_NORMALISE_H
#define FG_MODERATE_NORMALISE_H

#include "base/ctx.h"

enum norm_reading { NORM_PLAIN, NORM_LOOKALIKE, NORM_DIGITS_I, NORM_DIGITS_L };
#define NORM_READINGS 4

/* What separates a letter from the one before it. At the text's start: a blank. */
enum norm_gap {
    NORM_JOINED,
    NORM_SIGN,       /* something, but no blank */
    NORM_BLANK,
};

struct norm_letter {
    uint32_t c;
    uint32_t from, to;      /* bytes of the text */
    uint32_t run;           /* how often it stands there */
    enum norm_gap gap;
    bool starts, ends;      /* a word: at separators, between letters and digits, and where ICU says so in scripts that
                               write no blanks */
    bool alone;             /* no other letter between its separators: "k i l l" */
    bool unspaced;          /* of a script that writes no blanks */
    bool digit;             /* in this reading */
    bool stands_for;        /* a digit or sign that is read as a letter */
    bool foreign;           /* was no letter of a-z */
};

struct norm_letters {
    struct norm_letter *at;
    size_t n;
};

struct norm;                /* ICU's tables */
enum fg_code norm_open(struct fg_ctx *cx, struct norm **out) FG_MUST_CHECK;
void norm_close(struct norm *n);

/* A text with what is known of its characters, in the arena. FG_INVALID_REQUEST when it is no UTF-8. */
struct norm_text;
enum fg_code norm_text(struct fg_ctx *cx, const struct norm *n, struct fg_str text, const struct norm_text **out)
    FG_MUST_CHECK;
/* False: there is nothing in the text for which this reading is another. NORM_PLAIN is always there. */
bool norm_read(struct fg_ctx *cx, const struct norm_text *t, enum norm_reading reading, struct norm_letters *out);
/* A phrase of the rules wholly in lookalikes, whatever is around it; false: it has none. */
bool norm_read_phrase(struct fg_ctx *cx, const struct norm_text *t, struct norm_letters *out);
/* As text again, words separated by blanks; for people. */
struct fg_str norm_words(struct fg_ctx *cx, const struct norm_letters *l);

#endif
