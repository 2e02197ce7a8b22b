/* Accounts, hashed API keys, page sessions, and who is asking. */
#ifndef FG_ACCOUNT_ACCOUNT_H
#define FG_ACCOUNT_ACCOUNT_H

#include "base/conf.h"
#include "io/db.h"
#include "io/hash.h"

#define ACCOUNT_NAME_MAX 100
#define ACCOUNT_USER_MAX 128

enum role { ROLE_NONE = 0, ROLE_APP = 1, ROLE_USER = 2, ROLE_ADMIN = 3 };

/* app: the whole account. user: only jobs of one userId of it. admin: as app, and /v1/admin. */
struct identity {
    int64_t account_id;          /* 0: nobody */
    int64_t key_id;
    enum role role;
    char account[40];            /* public id, acct_… */
    char user_id[ACCOUNT_USER_MAX + 1]; /* of a user key, else empty */
};

/* Decodes auth.pepper; FG_CONFIG when it is not 64 hex digits. */
enum fg_code account_pepper(struct fg_ctx *cx, const struct conf *conf, uint8_t out[HASH_LEN]) FG_MUST_CHECK;

/* "acct_…" in *public_id. */
enum fg_code account_create(struct fg_ctx *cx, struct db *db, struct fg_str name,
                            struct fg_str *public_id) FG_MUST_CHECK;

/* The row of an account's public id. FG_NOT_FOUND. */
enum fg_code account_find(struct fg_ctx *cx, struct db *db, struct fg_str account, int64_t *id) FG_MUST_CHECK;

/* A new key ("fgk_" + 26 characters), shown this once. user_id only, and always, for ROLE_USER.
 * FG_NOT_FOUND: no such account. */
enum fg_code key_create(struct fg_ctx *cx, struct db *db, const uint8_t pepper[HASH_LEN],
                        struct fg_str account, enum role role, struct fg_str user_id,
                        struct fg_str label, struct fg_str *key) FG_MUST_CHECK;
/* Takes effect within auth.key_cache_ms everywhere, sessions included. hint: first 8 characters after fgk_,
 * or the id as text. FG_NOT_FOUND when none is live. */
enum fg_code key_revoke(struct fg_ctx *cx, struct db *db, struct fg_str account, int64_t key_id) FG_MUST_CHECK;

struct key_row {
    int64_t id;
    struct fg_str hint, label, user_id;
    int role;
    int64_t created_us, revoked_us;
};
/* At most 100, newest first. */
enum fg_code key_list(struct fg_ctx *cx, struct db *db, struct fg_str account, struct key_row **rows,
                      size_t *n) FG_MUST_CHECK;

/* Keys and sessions seen lately, by digest, per process: a hit costs no query. Bounded; misses are remembered
 * too (briefly), so that guessing does not become database load. */
struct account_cache;
struct account_cache *account_cache_new(int64_t ttl_us);
void account_cache_free(struct account_cache *c);

/* Who this key or session token is. FG_UNAUTHORIZED when unknown, revoked or over. */
enum fg_code account_by_key(struct fg_ctx *cx, struct db *db, struct account_cache *cache,
                            const uint8_t pepper[HASH_LEN], struct fg_str key, struct identity *out)
    FG_MUST_CHECK;
enum fg_code account_by_session(struct fg_ctx *cx, struct db *db, struct account_cache *cache,
                                const uint8_t pepper[HASH_LEN], struct fg_str token,
                                struct identity *out) FG_MUST_CHECK;

/* A page login for a live key: token is "fgs_" + 26 characters, expires_us its end. */
enum fg_code session_create(struct fg_ctx *cx, struct db *db, const uint8_t pepper[HASH_LEN],
                            int64_t key_id, int64_t life_us, struct fg_str *token, int64_t *expires_us)
    FG_MUST_CHECK;
/* Ends it, here at once (the cache), elsewhere within auth.key_cache_ms. */
enum fg_code session_end(struct fg_ctx *cx, struct db *db, struct account_cache *cache,
                         const uint8_t pepper[HASH_LEN], struct fg_str token) FG_MUST_CHECK;

#endif
