/* What must be so of everybody's money, whatever has happened: worked out from jobs, entries and files in SQL of its own,
 * beside what the product keeps and checks. */
#ifndef FG_TESTS_MONEY_TRUTH_H
#define FG_TESTS_MONEY_TRUTH_H

#include "store/job_world.h"

/* How many accounts or jobs break a rule, and which was the first; 0: all is well. The clock never went back. */
int64_t money_broken(struct job_world *w, const char **rule);
/* Nothing does; the product's own audit says so too. */
void check_money(struct job_world *w, const char *why);

#endif
