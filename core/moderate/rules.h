/* The operator's own rules: words and phrases in a text file, found in prompts however they are spelled. The form of the
 * file is told at the top of core/moderate/rules.txt, what is done to text before it is looked through in normalise.h.
 * Time is linear in the text, whatever is in it; the rules' number is only in the memory they take. */
#ifndef FG_MODERATE_RULES_H
#define FG_MODERATE_RULES_H

#include "base/conf.h"
#include "io/hash.h"
#include "moderate/normalise.h"
#include "moderate/verdict.h"

#define RULES_FILE_MAX (4 * FG_MIB)
#define RULES_PHRASES_MAX 50000
#define RULES_CATEGORIES_MAX 64
#define RULES_PHRASE_MAX 100         /* letters of one */
#define RULES_TEXT_MAX (64 * FG_KIB) /* bytes of one text that is looked through */

struct rules;

/* Reads conf.moderation_rules into memory of its own and holds it once; *out is NULL when the configuration names no
 * file, and every function here takes that for rules without a phrase. FG_CONFIG with "file:line: words". */
enum fg_code rules_load(struct fg_ctx *cx, const struct conf *conf, const struct rules **out) FG_MUST_CHECK;
/* Rules live while somebody holds them. */
const struct rules *rules_hold(const struct rules *r);
void rules_drop(const struct rules *r);
/* When the file has changed since *r was read: loads it, holds the new rules in *r, drops the old, and sets *changed. A
 * file that is wrong (or gone) changes nothing: FG_CONFIG, told once per version of the file, FG_OK until it changes
 * again. The caller logs it. */
enum fg_code rules_renew(struct fg_ctx *cx, const struct conf *conf, const struct rules **r,
                         bool *changed) FG_MUST_CHECK;
unsigned rules_phrases(const struct rules *r);

/* One text to look through. It must be valid UTF-8. */
struct rules_text {
    struct fg_str text;
    bool negative; /* says what must not be seen: categories for prompts alone are not looked for */
};

/* The worst that was found, the first of equals. Its texts live as long as the rules. */
struct rules_hit {
    enum verdict_kind kind;  /* VERDICT_ALLOW: nothing; else VERDICT_REVIEW or VERDICT_BLOCK */
    struct fg_str category;
    struct fg_str phrase;    /* as it stands in the file: for operators only */
    unsigned line;           /* of the file */
    unsigned text;           /* which of the texts */
    struct fg_str found;     /* the piece of it that was hit, in the arena: for operators only */
};

/* FG_TOO_LARGE for a text over RULES_TEXT_MAX, FG_INVALID_REQUEST for one that is no UTF-8. */
enum fg_code rules_check(struct fg_ctx *cx, const struct rules *r, const struct rules_text *text, size_t n,
                         struct rules_hit *out) FG_MUST_CHECK;
/* The same as a verdict. Its words name line and phrase; everything in it is copied into the arena. */
struct verdict rules_verdict(struct fg_ctx *cx, const struct rules_hit *hit);

/* How the text is read, for people: FG_NONE for a reading (normalise.h) that is no other. r is not NULL. Errors as of
 * rules_check. */
enum fg_code rules_readings(struct fg_ctx *cx, const struct rules *r, struct fg_str text,
                            struct fg_str out[NORM_READINGS]) FG_MUST_CHECK;
/* The i-th category, in the file's order, "allow" among them; false: there is none. */
struct rules_category_info {
    struct fg_str name;
    enum verdict_kind kind;  /* VERDICT_ALLOW: what it names is no hit */
    bool prompts;            /* of prompts alone */
    unsigned phrases;
};
bool rules_category(const struct rules *r, unsigned i, struct rules_category_info *out);

/* What decides: another digest, another verdict. All zero without rules. */
void rules_digest(const struct rules *r, uint8_t out[HASH_LEN]);

#endif
