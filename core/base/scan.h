/* Cursor parsers: they advance *s past what they took and return true, or leave it and return false.
 * Every number and word has a maximum. */
#ifndef FG_BASE_SCAN_H
#define FG_BASE_SCAN_H

#include "base/ctx.h"

bool scan_char(struct fg_str *s, char c);
bool scan_lit(struct fg_str *s, struct fg_str lit);
/* Decimal digits without sign or leading zeros ("0" itself is fine). */
bool scan_u64(struct fg_str *s, uint64_t max, uint64_t *out);
/* Up to, and past, the separator; without one, the whole rest. False when *s is empty. */
bool scan_until(struct fg_str *s, char sep, struct fg_str *out);
/* The whole of s as a decimal number. */
bool scan_all_u64(struct fg_str s, uint64_t max, uint64_t *out);
bool scan_all_i64(struct fg_str s, int64_t min, int64_t max, int64_t *out);

/* The decoded value of a parameter in "a=b&c=d"; copies into mem when it had escapes. Returns the
 * number of times the name occurs (the value is the first); SIZE_MAX when an escape is malformed or
 * the value is not valid UTF-8 or contains NUL. */
size_t scan_query(struct arena *mem, struct fg_str query, struct fg_str name, struct fg_str *out);

#endif
