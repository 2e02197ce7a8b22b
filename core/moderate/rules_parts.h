/* Inside of the rules, for their own files. */
#ifndef FG_MODERATE_RULES_PARTS_H
#define FG_MODERATE_RULES_PARTS_H

#include "moderate/finder.h"
#include "moderate/rules.h"

struct rules_phrase {
    struct fg_str text;      /* as in the file */
    const struct rules_category_info *category;
    unsigned line;
    bool open_start, open_end; /* "*": a word may begin before it, or go on */
};

/* One letter of a phrase: how often, and what must separate it from the one before. */
struct rules_step {
    uint32_t run;
    enum norm_gap gap;
};

/* One spelling of a phrase. "kill" has two: k i l2, and k i l l for those who put blanks between. */
struct rules_key {
    const struct rules_phrase *phrase;
    const uint32_t *c;
    const struct rules_step *step;
    uint32_t n, letters;     /* steps; letters of all runs */
    bool foreign;            /* its letters were mapped to a-z: at least one of the text must have been */
    struct rules_key *next;  /* of the same place */
};

/* Which version of the file: enough to see that it was replaced or edited. All zero: none. */
struct rules_seen {
    int64_t mtime_ns, size;
    uint64_t inode;
};

/* What changes of rules that are otherwise only read. */
struct rules_store {
    struct arena *mem;
    unsigned holders;
    struct rules_seen seen;  /* the newest version that was looked at, good or bad */
};

struct rules {
    struct rules_store *store;
    struct arena *mem;
    struct norm *norm;
    struct rules_category_info category[RULES_CATEGORIES_MAX];
    unsigned category_n, phrase_n;
    bool allows;             /* there is an allow-list with something in it */
    struct finder *finder;
    struct rules_key **at;   /* by the finder's places */
    uint8_t digest[HASH_LEN];
};

/* rules_read.c: the file's text into r, whose norm is open. file is for errors. */
enum fg_code rules_read(struct fg_ctx *cx, struct rules *r, const char *file, struct fg_str text) FG_MUST_CHECK;

#endif
