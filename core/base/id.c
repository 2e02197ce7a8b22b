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

bool id_valid(struct fg_str id, struct fg_str prefix)
{
    if (id.n != prefix.n + ID_BODY || !fg_starts(id, prefix))
        return false;
    for (size_t i = prefix.n; i < id.n; i++)
        if (!id.p[i] || !strchr(alphabet, id.p[i]))
            return false;
    return true;
}
