/* Finds a submit whose answer was lost among the jobs that a provider lists: pure. */
#ifndef FG_PROVIDER_MATCH_H
#define FG_PROVIDER_MATCH_H

#include "provider/provider.h"

/* A submit, as it was sent. Texts that are FG_NONE are not known. */
struct match_want {
    struct fg_str client_ref;
    struct fg_str token;          /* what its callback URL ends in */
    struct fg_str model, prompt;
    bool has_seed;                /* chosen at random, or the user's */
    bool seed_is_ours;            /* chosen at random: with the prompt it is as good as a reference */
    int64_t seed;
    int64_t duration_s;
    int64_t since_us, until_us;   /* when it must have been created */
};

struct match {
    struct fg_str id, links;      /* of the row that is ours; FG_NONE: none was exact */
    struct fg_str alike_id, alike_links;
    size_t alike_n;               /* rows that look like ours and carry no one's reference */
};

/* Looks through one page; *m begins zeroed and is kept from page to page. True once an exact one was found. */
bool match_rows(const struct remote_row *row, size_t n, const struct match_want *want, struct match *m);
/* When all pages have been seen: the exact one, else the only one that looks like ours. False: none. */
bool match_end(const struct match *m, struct fg_str *id, struct fg_str *links);

#endif
