#include "media/name.h"

#include "base/sb.h"
#include "base/utf8.h"

#define NAME_MAX_BYTES 80 /* before the suffix; three times that when escaped */
#define HEADER_MAX 512

static uint32_t code_of(const char *p, size_t len)
{
    static const uint8_t first[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    uint32_t c = (uint8_t)p[0] & first[len];
    for (size_t i = 1; i < len; i++)
        c = c << 6 | ((uint8_t)p[i] & 0x3f);
    return c;
}

/* Beyond ASCII by blocks: no spaces, dashes, controls or marks of direction, nothing private or unassigned by design. */
static bool is_word(uint32_t c)
{
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return c >= 0xc0 && c != 0xd7 && c != 0xf7 && c != 0x061c && c != 0x180e && !(c >= 0x2000 && c <= 0x2bff) &&
           !(c >= 0x3000 && c <= 0x3004) && !(c >= 0x3008 && c <= 0x3020) && !(c >= 0xe000 && c <= 0xf8ff) &&
           !(c >= 0xfe00 && c <= 0xfe6f) && !(c >= 0xff00 && c <= 0xff0f) && c != 0xfeff && !(c >= 0xfff0 && c <= 0xffff) &&
           c < 0xe0000;
}

/* Words with one dash between them. */
static void slug(struct sb *b, struct fg_str words, bool ascii)
{
    bool dash = false;
    for (size_t i = 0, len; i < words.n && (len = utf8_len(words.p + i, words.n - i)) > 0; i += len) {
        if (!is_word(code_of(words.p + i, len)) || (ascii && len > 1)) {
            dash = b->n > 0;
            continue;
        }
        if (b->n + dash + len > NAME_MAX_BYTES)
            return;
        if (dash)
            sb_add_c(b, '-');
        dash = false;
        char c = words.p[i];
        if (len == 1)
            sb_add_c(b, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
        else
            sb_add(b, (struct fg_str){ words.p + i, len });
    }
}

struct fg_str name_disposition(struct fg_ctx *cx, struct fg_str words, struct fg_str instead, const char *suffix,
                               bool attachment)
{
    struct sb plain = sb_in(cx->mem, NAME_MAX_BYTES + 1), full = sb_in(cx->mem, NAME_MAX_BYTES + 1);
    struct sb out = sb_in(cx->mem, HEADER_MAX);
    slug(&plain, words, true);
    slug(&full, words, false);
    struct fg_str old = plain.n ? sb_str(&plain) : instead;
    sb_addf(&out, "%s; filename=\"%.*s.%s\"", attachment ? "attachment" : "inline", FG_P(old), suffix);
    if (full.n && !fg_eq(sb_str(&full), sb_str(&plain))) {
        sb_add(&out, FG_LIT("; filename*=UTF-8''"));
        for (size_t i = 0; i < full.n; i++) {
            uint8_t c = (uint8_t)full.p[i];
            if (c < 0x80)
                sb_add_c(&out, (char)c);
            else
                sb_addf(&out, "%%%02X", c);
        }
        sb_addf(&out, ".%s", suffix);
    }
    return sb_str(&out);
}
