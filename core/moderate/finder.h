/* Many words at once in one pass: the automaton of Aho and Corasick with failure links. A step takes amortised constant
 * time, whatever the text and however many words there are. */
#ifndef FG_MODERATE_FINDER_H
#define FG_MODERATE_FINDER_H

#include "base/ctx.h"

struct finder;
#define FINDER_NONE UINT32_MAX

/* In mem, with room for words of so many characters together. */
struct finder *finder_new(struct arena *mem, size_t characters);
/* A word's place: a number under the count of all characters plus one; the same for the same word. */
uint32_t finder_add(struct finder *f, const uint32_t *c, size_t n);
/* After the last word, before the first step. */
void finder_finish(struct finder *f);

/* The state after one more character; the first is 0. */
uint32_t finder_step(const struct finder *f, uint32_t state, uint32_t c);
/* The longest word that ends in this state (its place), then the next shorter ones; FINDER_NONE: no more. */
uint32_t finder_first(const struct finder *f, uint32_t state);
uint32_t finder_shorter(const struct finder *f, uint32_t place);

#endif
