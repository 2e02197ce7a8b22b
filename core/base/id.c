#include "base/id.h"

#include "base/arena.h"

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

struct fg_str id_new(struct fg_ctx *cx, struct fg_str prefix)
{
    unsigned char raw[17] = { 0 };
    cx->env->random(cx->env->self, raw, 16);
    char *to = arena_get(cx->mem, prefix.n + ID_BODY + 1);
    memcpy(to, prefix.p, prefix.n);
    for (unsigned i = 0; i < ID_BODY; i++) { /* 5 bits at a time; the last has 3 */
        unsigned bit = i * 5;
        unsigned two = (unsigned)raw[bit / 8] << 8 | raw[bit / 8 + 1];
        to[prefix.n + i] = alphabet[two >> (11 - bit % 8) & 31];
    }
    return (struct fg_str){ to, prefix.n + ID_BODY };
}

struct fg_str id_uuid(struct fg_ctx *cx)
{
    unsigned char raw[16];
    static const char hex[] = "0123456789abcdef";
    cx->env->random(cx->env->self, raw, sizeof raw);
    raw[6] = (unsigned char)((raw[6] & 0x0f) | 0x40);
    raw[8] = (unsigned char)((raw[8] & 0x3f) | 0x80);
    char *to = arena_get(cx->mem, 37);
    size_t n = 0;
    for (unsigned i = 0; i < sizeof raw; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            to[n++] = '-';
        to[n++] = hex[raw[i] >> 4];
        to[n++] = hex[raw[i] & 15];
    }
    return (struct fg_str){ to, n };
}

bool id_valid(struct fg_str id, struct fg_str prefix)
{
    if (id.n != prefix.n + ID_BODY || !fg_starts(id, prefix))
        return false;
    for (size_t i = prefix.n; i < id.n; i++)
        if (!id.p[i] || !strchr(alphabet, id.p[i]))
            return false;
    return true;
}
