/* Times are microseconds since 1970 UTC inside; ISO 8601 UTC outside. */
#ifndef FG_BASE_TIME_H
#define FG_BASE_TIME_H

#include "base/sb.h"

#define TIME_MAX_US (INT64_C(253402300800) * FG_US_PER_S - 1) /* end of the year 9999 */

/* "2026-11-22T21:57:26.123Z"; us must be within 0..TIME_MAX_US. */
void time_add_iso(struct sb *b, int64_t us);
struct fg_str time_iso(struct arena *mem, int64_t us);
/* With microseconds: for cursors that must not lose anything. */
struct fg_str time_iso_us(struct arena *mem, int64_t us);

/* "YYYY-MM-DDTHH:MM:SS[.1-6 digits]Z" only. */
bool time_parse_iso(struct fg_str s, int64_t *us);

#endif
