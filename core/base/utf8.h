/* UTF-8 exactly as Unicode defines it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef FG_BASE_UTF8_H
#define FG_BASE_UTF8_H

#include "base/ctx.h"

/* Length in bytes (1 to 4) of the well-formed character at p, or 0. */
size_t utf8_len(const char *p, size_t n);

/* Code points in s; SIZE_MAX when it is not valid UTF-8. */
size_t utf8_count(struct fg_str s);

/* s without leading and trailing white space (ASCII and Unicode White_Space). s must be valid. */
struct fg_str utf8_trim(struct fg_str s);

/* The longest start of s of at most max bytes that does not end inside a character. s must be valid. */
struct fg_str utf8_cut(struct fg_str s, size_t max);

#endif
