/* What a check says of one text or one picture: our own rules (rules.h) and the services (service.h) speak it alike. */
#ifndef FG_MODERATE_VERDICT_H
#define FG_MODERATE_VERDICT_H

#include "base/ctx.h"

#define VERDICT_SCORES_MAX 2000  /* bytes of JSON */
#define VERDICT_CATEGORY_MAX 64
#define VERDICT_REF_MAX 100
#define VERDICT_WORDS_MAX 200

/* From good to bad: the order is the one in which they win. An error loses to a verdict: what a person must look at, or
 * is blocked anyway, waits for nobody. */
enum verdict_kind { VERDICT_ALLOW, VERDICT_ERROR, VERDICT_REVIEW, VERDICT_BLOCK };

struct verdict {
    enum verdict_kind kind;
    int64_t retry_after_s;   /* of an error, when the service said so; 0: it did not */
    bool operator_error;     /* of an error: asking again is of no use until the operator mends the key or the URL */
    bool refused;            /* of an error: nor is asking the same again, this text or picture is not taken */
    struct fg_str category;  /* what it is held or blocked for, FG_NONE if allowed: "violence", "Hate", a rule's */
    struct fg_str scores;    /* a JSON object of names and numbers; FG_NONE: there are none */
    struct fg_str ref;       /* the service's id of the answer; FG_NONE */
    struct fg_str words;     /* for logs and operators, never for users; FG_NONE */
};

/* "allow", "error", "review", "block". */
const char *verdict_name(enum verdict_kind kind);
/* false: no such name. */
bool verdict_by_name(struct fg_str name, enum verdict_kind *out);
/* The worse of both into *into; of two errors the one that the operator must mend, else one that is refused, else the
 * longer wait; of equals the first stays. */
void verdict_merge(struct verdict *into, const struct verdict *v);

#endif
