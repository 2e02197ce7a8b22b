#include "account/account.h"

#include "base/arena.h"
#include "base/id.h"
#include "base/utf8.h"

#define KEY_PREFIX FG_LIT("fgk_")
#define SESSION_PREFIX FG_LIT("fgs_")
#define HINT_LEN 8
#define LABEL_MAX 100

#define CACHE_SLOTS 1024
#define CACHE_PROBES 8
#define CACHE_MISS_US FG_US_PER_S /* a key created a moment ago must not stay unknown */

enum fg_code account_pepper(struct fg_ctx *cx, const struct conf *conf, uint8_t out[HASH_LEN])
{
    if (!hash_unhex(conf->auth_pepper, out, HASH_LEN))
        return fg_fail(cx, FG_CONFIG, "[auth] pepper must have %d hex digits", 2 * HASH_LEN);
    return FG_OK;
}

static bool text_fits(struct fg_str s, size_t min, size_t max)
{
    size_t n = utf8_count(s);
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return false;
    return n >= min && n <= max; /* SIZE_MAX: not UTF-8 */
}

/* ---- the operator's side ---- */

struct creating {
    struct fg_str id, name;
};

static enum fg_code create_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct creating *c = arg;
    enum fg_code rc = db_run(cx, db, SQL_ACCOUNT_ADD, DB_ARGS(DB(c->id), DB(c->name), DB(cx->now_us)));
    return rc == FG_OK ? db_run(cx, db, SQL_USE_ADD, DB_ARGS(DB(db->insert_id))) : rc;
}

enum fg_code account_create(struct fg_ctx *cx, struct db *db, struct fg_str name,
                            struct fg_str *public_id)
{
    if (!text_fits(name, 1, ACCOUNT_NAME_MAX))
        return fg_fail(cx, FG_INVALID_REQUEST, "The name must have 1 to %d characters",
                       ACCOUNT_NAME_MAX);
    struct creating c = { .id = id_new(cx, FG_LIT("acct_")), .name = name };
    enum fg_code rc = db_tx(cx, db, create_body, &c);
    if (rc == FG_OK)
        *public_id = c.id;
    return rc;
}

struct account_row {
    int64_t id;
};
static const struct db_col account_cols[] = { COL(struct account_row, id) };

enum fg_code account_find(struct fg_ctx *cx, struct db *db, struct fg_str account, int64_t *id)
{
    struct account_row row = { 0 };
    bool found;
    enum fg_code rc = db_one(cx, db, SQL_ACCOUNT_BY_PUBLIC_ID, DB_ARGS(DB(account)),
                             DB_COLS(account_cols), &row, &found);
    if (rc == FG_OK && !found)
        rc = fg_fail(cx, FG_NOT_FOUND, "No account %.*s", FG_P(account));
    if (rc == FG_OK)
        *id = row.id;
    return rc;
}

enum fg_code key_create(struct fg_ctx *cx, struct db *db, const uint8_t pepper[HASH_LEN],
                        struct fg_str account, enum role role, struct fg_str user_id,
                        struct fg_str label, struct fg_str *key)
{
    int64_t account_id;
    uint8_t digest[HASH_LEN];
    if (role != ROLE_APP && role != ROLE_USER && role != ROLE_ADMIN)
        return fg_fail(cx, FG_INVALID_REQUEST, "The role must be app, user or admin");
    if ((role == ROLE_USER) != (user_id.p != NULL))
        return fg_fail(cx, FG_INVALID_REQUEST,
                       "A user id belongs to the role user, and only to it");
    if (user_id.p && (user_id.n > ACCOUNT_USER_MAX || !text_fits(user_id, 1, ACCOUNT_USER_MAX)))
        return fg_fail(cx, FG_INVALID_REQUEST, "The user id must have 1 to %d bytes",
                       ACCOUNT_USER_MAX);
    if (!text_fits(label, 0, LABEL_MAX))
        return fg_fail(cx, FG_INVALID_REQUEST, "The label must have at most %d characters",
                       LABEL_MAX);
    enum fg_code rc = account_find(cx, db, account, &account_id);
    if (rc != FG_OK)
        return rc;
    struct fg_str k = id_new(cx, KEY_PREFIX);
    struct fg_str hint = { k.p + KEY_PREFIX.n, HINT_LEN };
    HASH_KEYED(pepper, HASH_API_KEY, digest, k);
    rc = db_run(cx, db, SQL_KEY_ADD,
                DB_ARGS(DB(account_id), DB(hash_bytes(digest)), DB(hint),
                        DB(label.p ? label : FG_LIT("")), DB((int)role), DB(user_id),
                        DB(cx->now_us)));
    if (rc == FG_OK)
        *key = k;
    return rc;
}

enum fg_code key_revoke(struct fg_ctx *cx, struct db *db, struct fg_str account, int64_t key_id)
{
    int64_t account_id;
    enum fg_code rc = account_find(cx, db, account, &account_id);
    if (rc == FG_OK)
        rc = db_run(cx, db, SQL_KEY_REVOKE, DB_ARGS(DB(cx->now_us), DB(key_id), DB(account_id)));
    if (rc == FG_OK && db->affected != 1)
        rc = fg_fail(cx, FG_NOT_FOUND, "No live key %lld in account %.*s", (long long)key_id,
                     FG_P(account));
    return rc;
}

static const struct db_col key_cols[] = {
    COL(struct key_row, id),         COL(struct key_row, hint), COL(struct key_row, label),
    COL(struct key_row, user_id),    COL(struct key_row, role), COL(struct key_row, created_us),
    COL(struct key_row, revoked_us),
};

enum fg_code key_list(struct fg_ctx *cx, struct db *db, struct fg_str account,
                      struct key_row **rows, size_t *n)
{
    int64_t account_id;
    enum fg_code rc = account_find(cx, db, account, &account_id);
    if (rc == FG_OK)
        rc = DB_ALL(cx, db, SQL_KEY_LIST, DB_ARGS(DB(account_id)), DB_COLS(key_cols), rows, n);
    return rc;
}

/* ---- the cache ----
 * Open addressing over a short window: the digest is keyed, so nobody can aim at a slot. */

struct slot {
    uint8_t digest[HASH_LEN];
    int64_t until_mono_us; /* 0: empty */
    int64_t used_mono_us;
    int64_t over_us;     /* the session's own end */
    struct identity who; /* account_id 0: nobody has this key */
};

struct account_cache {
    int64_t ttl_us;
    struct slot slot[CACHE_SLOTS];
};

struct account_cache *account_cache_new(int64_t ttl_us)
{
    struct account_cache *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    c->ttl_us = ttl_us;
    return c;
}

void account_cache_free(struct account_cache *c)
{
    if (!c)
        return;
    explicit_bzero(c, sizeof *c);
    free(c);
}

static struct slot *window(struct account_cache *c, const uint8_t digest[HASH_LEN], size_t probe)
{
    size_t first = ((size_t)digest[0] << 8 | digest[1]) % CACHE_SLOTS;
    return &c->slot[(first + probe) % CACHE_SLOTS];
}

static struct slot *cache_find(struct account_cache *c, const uint8_t digest[HASH_LEN])
{
    for (size_t i = 0; i < CACHE_PROBES; i++) {
        struct slot *s = window(c, digest, i);
        if (s->until_mono_us && hash_same(hash_bytes(s->digest), hash_bytes(digest)))
            return s;
    }
    return NULL;
}

/* What may go first: nothing, what is over, guesses, then what was used longest ago. */
static int64_t worth(const struct slot *s, int64_t mono_us)
{
    if (s->until_mono_us <= mono_us)
        return INT64_MIN;
    return s->who.account_id == 0 ? INT64_MIN + 1 : s->used_mono_us;
}

static struct slot *slot_for(struct account_cache *c, const uint8_t digest[HASH_LEN],
                             int64_t mono_us)
{
    struct slot *to = cache_find(c, digest);
    if (to)
        return to;
    to = window(c, digest, 0);
    for (size_t i = 1; i < CACHE_PROBES; i++) {
        struct slot *s = window(c, digest, i);
        if (worth(s, mono_us) < worth(to, mono_us))
            to = s;
    }
    return to;
}

static void cache_put(struct fg_ctx *cx, struct account_cache *c, const uint8_t digest[HASH_LEN],
                      const struct identity *who, int64_t over_us)
{
    int64_t mono_us = ctx_mono_us(cx), ttl_us = c->ttl_us;
    if (who->account_id == 0 && ttl_us > CACHE_MISS_US)
        ttl_us = CACHE_MISS_US;
    struct slot *to = slot_for(c, digest, mono_us);
    *to = (struct slot){
        .until_mono_us = mono_us + ttl_us, .used_mono_us = mono_us, .over_us = over_us, .who = *who
    };
    memcpy(to->digest, digest, HASH_LEN);
}

static void cache_drop(struct account_cache *c, const uint8_t digest[HASH_LEN])
{
    struct slot *s = cache_find(c, digest);
    if (s)
        explicit_bzero(s, sizeof *s);
}

/* ---- who is asking ---- */

struct who_row {
    int64_t account_id, key_id, expires_us;
    int role;
    struct fg_str account, user_id;
};
static const struct db_col who_cols[] = {
    COL(struct who_row, account_id), COL(struct who_row, key_id),  COL(struct who_row, role),
    COL(struct who_row, account),    COL(struct who_row, user_id), COL(struct who_row, expires_us),
};

static enum fg_code nobody(struct fg_ctx *cx)
{
    return fg_fail(cx, FG_UNAUTHORIZED, "The key or session is unknown, revoked or over");
}

static bool copy_text(struct fg_str s, char *to, size_t size)
{
    if (s.n >= size)
        return false;
    if (s.n)
        memcpy(to, s.p, s.n);
    to[s.n] = '\0';
    return true;
}

static enum fg_code look_up(struct fg_ctx *cx, struct db *db, enum db_sql sql,
                            const uint8_t digest[HASH_LEN], struct identity *who, int64_t *over_us)
{
    struct who_row row = { 0 };
    bool found;
    enum fg_code rc =
        db_one(cx, db, sql, DB_ARGS(DB(hash_bytes(digest))), DB_COLS(who_cols), &row, &found);
    *who = (struct identity){ 0 };
    *over_us = row.expires_us;
    if (rc != FG_OK || !found)
        return rc;
    if (!copy_text(row.account, who->account, sizeof who->account) ||
        !copy_text(row.user_id, who->user_id, sizeof who->user_id))
        return fg_fail(cx, FG_INTERNAL, "A stored key does not fit");
    who->account_id = row.account_id;
    who->key_id = row.key_id;
    who->role = (enum role)row.role;
    return FG_OK;
}

static enum fg_code identify(struct fg_ctx *cx, struct db *db, struct account_cache *cache,
                             enum db_sql sql, const uint8_t digest[HASH_LEN], struct identity *out)
{
    struct identity who;
    int64_t over_us;
    struct slot *s = cache_find(cache, digest);
    if (s && ctx_mono_us(cx) < s->until_mono_us) {
        s->used_mono_us = ctx_mono_us(cx);
        who = s->who;
        over_us = s->over_us;
    } else {
        enum fg_code rc = look_up(cx, db, sql, digest, &who, &over_us);
        if (rc != FG_OK)
            return rc;
        cache_put(cx, cache, digest, &who, over_us);
    }
    if (who.account_id == 0 || over_us <= cx->now_us)
        return nobody(cx);
    *out = who;
    return FG_OK;
}

enum fg_code account_by_key(struct fg_ctx *cx, struct db *db, struct account_cache *cache,
                            const uint8_t pepper[HASH_LEN], struct fg_str key, struct identity *out)
{
    uint8_t digest[HASH_LEN];
    if (!id_valid(key, KEY_PREFIX))
        return nobody(cx);
    HASH_KEYED(pepper, HASH_API_KEY, digest, key);
    return identify(cx, db, cache, SQL_KEY_BY_DIGEST, digest, out);
}

enum fg_code account_by_session(struct fg_ctx *cx, struct db *db, struct account_cache *cache,
                                const uint8_t pepper[HASH_LEN], struct fg_str token,
                                struct identity *out)
{
    uint8_t digest[HASH_LEN];
    if (!id_valid(token, SESSION_PREFIX))
        return nobody(cx);
    HASH_KEYED(pepper, HASH_SESSION, digest, token);
    return identify(cx, db, cache, SQL_SESSION_BY_DIGEST, digest, out);
}

enum fg_code session_create(struct fg_ctx *cx, struct db *db, const uint8_t pepper[HASH_LEN],
                            int64_t key_id, int64_t life_us, struct fg_str *token,
                            int64_t *expires_us)
{
    uint8_t digest[HASH_LEN];
    struct fg_str t = id_new(cx, SESSION_PREFIX);
    int64_t end_us = cx->now_us + life_us;
    HASH_KEYED(pepper, HASH_SESSION, digest, t);
    enum fg_code rc =
        db_run(cx, db, SQL_SESSION_ADD,
               DB_ARGS(DB(hash_bytes(digest)), DB(cx->now_us), DB(end_us), DB(key_id)));
    if (rc == FG_OK && db->affected != 1) /* revoked since it was seen */
        rc = nobody(cx);
    if (rc != FG_OK)
        return rc;
    *token = t;
    *expires_us = end_us;
    return FG_OK;
}

enum fg_code session_end(struct fg_ctx *cx, struct db *db, struct account_cache *cache,
                         const uint8_t pepper[HASH_LEN], struct fg_str token)
{
    uint8_t digest[HASH_LEN];
    if (!id_valid(token, SESSION_PREFIX))
        return FG_OK;
    HASH_KEYED(pepper, HASH_SESSION, digest, token);
    enum fg_code rc = db_run(cx, db, SQL_SESSION_END, DB_ARGS(DB(hash_bytes(digest))));
    cache_drop(cache, digest);
    return rc;
}
