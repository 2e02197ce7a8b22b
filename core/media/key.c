#include "media/key.h"

#include "base/arena.h"
#include "base/id.h"
#include "base/scan.h"

struct fg_str key_shard(struct fg_str owner)
{
    struct fg_str id = owner, kind;
    FG_ASSERT(scan_until(&id, '_', &kind) && id.n > KEY_SHARD);
    return (struct fg_str){ id.p, KEY_SHARD };
}

struct fg_str key_prefix(struct fg_ctx *cx, struct fg_str owner)
{
    return arena_fmt(cx->mem, "%.*s/%.*s-", FG_P(key_shard(owner)), FG_P(owner));
}

struct fg_str key_new(struct fg_ctx *cx, struct fg_str owner, const char *suffix)
{
    return arena_fmt(cx->mem, "%.*s%.*s%s", FG_P(key_prefix(cx, owner)), FG_P(id_new(cx, FG_LIT(""))), suffix);
}

bool key_valid(struct fg_str name)
{
    if (name.n < KEY_SHARD + 2 || name.p[KEY_SHARD] != '/' || name.p[KEY_SHARD + 1] == '.')
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && (i < KEY_SHARD || (i > KEY_SHARD && c != '_' && c != '-' && c != '.')))
            return false;
    }
    return true;
}

enum fg_code key_check(struct fg_ctx *cx, struct fg_str name)
{
    if (key_valid(name))
        return FG_OK;
    (void)fg_fail(cx, FG_IO, "The file store did not work");
    return fg_cause(cx, "not a name of the store: %.*s", FG_P(name));
}
