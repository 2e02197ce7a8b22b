/* What others said or were told, made fit for people to read: without secrets, valid UTF-8, and short. */
#ifndef FG_IO_REDACT_H
#define FG_IO_REDACT_H

#include "base/arena.h"

#define REDACT_LOOK_MAX (64 * FG_KIB) /* bytes that are looked at, pictures not counted: the rest of a text is left out */

/* At most max_chars characters of text, in mem. secret: others' and ours; each may be several with spaces between them,
 * those of less than 6 bytes are none; p may be NULL. Taken out:
 * - the given secrets, and words that begin as keys and tokens do ("Bearer ", "sk-", …);
 * - the string of a JSON member whose name sounds like a secret's, and the word after such a name and ":" or "=";
 * - query, fragment and user of URLs: a signature lets in whoever has it. JSON's escapes do not hide them;
 * - runs of 200 and more characters without a space that may be a file in base64: how long they were is said.
 * Bytes that are not UTF-8, and control characters, become U+FFFD. A text in doubt loses more rather than less. */
struct fg_str redact_excerpt(struct arena *mem, struct fg_str text, const struct fg_str *secret, size_t secret_n,
                             size_t max_chars);

#endif
