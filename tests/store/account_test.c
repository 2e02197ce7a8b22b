/* Keys, sessions, and the cache before them, on a real database. */
#include "account/account.h"
#include "base/id.h"
#include "cli/migrations.h"
#include "store/db_server.h"
#include "t.h"

#define TTL_US (3 * FG_US_PER_S)
#define LIFE_US (3600 * FG_US_PER_S)

static const uint8_t pepper[HASH_LEN] = { 42 };

struct place {
    struct t_world w;
    struct conf conf;
    struct db *cli, *web;
    struct account_cache *cache;
    struct fg_str account;
};

/* The cache's time is the test's to move. */
static int64_t moved_by_hand(void *self)
{
    return ((struct t_world *)self)->mono_us;
}

static void place_begin(struct place *p)
{
    size_t applied;
    db_server_start();
    db_server_begin(&p->w, &p->conf);
    CHECK_CODE(&p->w.cx, migrate(&p->w.cx, &p->conf, migrations, migration_n, &applied), FG_OK);
    CHECK_CODE(&p->w.cx, db_open(&p->w.cx, &p->cli, &p->conf, DB_CLI), FG_OK);
    CHECK_CODE(&p->w.cx, db_open(&p->w.cx, &p->web, &p->conf, DB_WEB), FG_OK);
    p->w.env.mono_us = moved_by_hand;
    p->cache = account_cache_new(TTL_US);
    CHECK_CODE(&p->w.cx,
               account_create(&p->w.cx, p->cli, FG_LIT("Acme \xf0\x9f\x8e\xac"), &p->account),
               FG_OK);
}

static void place_end(struct place *p)
{
    account_cache_free(p->cache);
    db_close(p->web);
    db_close(p->cli);
    t_end(&p->w, 0);
}

static struct fg_str new_key(struct place *p, enum role role, const char *user)
{
    struct fg_str key = FG_NONE;
    CHECK_CODE(
        &p->w.cx,
        key_create(&p->w.cx, p->cli, pepper, p->account, role, fg_str_c(user), FG_NONE, &key),
        FG_OK);
    return key;
}

/* db NULL: it must come from the cache. */
static enum fg_code who(struct place *p, struct db *db, struct fg_str key, struct identity *out)
{
    return account_by_key(&p->w.cx, db, p->cache, pepper, key, out);
}

TEST(a_key_says_who_is_asking)
{
    struct place p;
    struct identity id;
    place_begin(&p);
    CHECK(id_valid(p.account, FG_LIT("acct_")), "an account's id");
    struct fg_str app = new_key(&p, ROLE_APP, NULL), user = new_key(&p, ROLE_USER, "user-7");
    CHECK(id_valid(app, FG_LIT("fgk_")), "a key");
    CHECK_CODE(&p.w.cx, who(&p, p.web, app, &id), FG_OK);
    CHECK(id.role == ROLE_APP && id.account_id > 0 && id.key_id > 0, "an app's key");
    CHECK_STR(fg_str_c(id.account), p.account, "of that account");
    CHECK_IS(fg_str_c(id.user_id), "", "of nobody in particular");
    CHECK_CODE(&p.w.cx, who(&p, p.web, user, &id), FG_OK);
    CHECK(id.role == ROLE_USER, "a user's key");
    CHECK_IS(fg_str_c(id.user_id), "user-7", "of that user");
    CHECK_CODE(&p.w.cx, who(&p, p.web, new_key(&p, ROLE_ADMIN, NULL), &id), FG_OK);
    CHECK(id.role == ROLE_ADMIN, "an admin's key");
    place_end(&p);
}

TEST(keys_that_nobody_has)
{
    static const char *const keys[] = { "",
                                        "fgk_",
                                        "fgk_00000000000000000000000000",
                                        "Bearer x",
                                        "fgk_0000000000000000000000000!",
                                        "FGK_00000000000000000000000000" };
    struct place p;
    struct identity id = { .account_id = 99 };
    uint8_t other[HASH_LEN] = { 43 };
    place_begin(&p);
    struct fg_str key = new_key(&p, ROLE_APP, NULL);
    for (size_t i = 0; i < FG_LEN(keys); i++)
        CHECK_I64(who(&p, p.web, fg_str_c(keys[i]), &id), FG_UNAUTHORIZED, keys[i]);
    CHECK_CODE(&p.w.cx, account_by_key(&p.w.cx, p.web, p.cache, other, key, &id), FG_UNAUTHORIZED);
    CHECK_CODE(&p.w.cx, account_by_session(&p.w.cx, p.web, p.cache, pepper, key, &id),
               FG_UNAUTHORIZED);
    CHECK_I64(id.account_id, 99, "untouched on failure");
    place_end(&p);
}

TEST(wrong_wishes_are_refused)
{
    struct place p;
    struct fg_str key = FG_NONE, id = FG_NONE;
    char long_user[ACCOUNT_USER_MAX + 2] = { 0 };
    place_begin(&p);
    memset(long_user, 'u', ACCOUNT_USER_MAX + 1);
    const struct {
        const char *why, *account;
        enum role role;
        const char *user, *label;
        enum fg_code want;
    } row[] = {
        { "no such account", "acct_00000000000000000000000000", ROLE_APP, NULL, NULL,
          FG_NOT_FOUND },
        { "user key without user", p.account.p, ROLE_USER, NULL, NULL, FG_INVALID_REQUEST },
        { "app key with user", p.account.p, ROLE_APP, "u", NULL, FG_INVALID_REQUEST },
        { "no role", p.account.p, ROLE_NONE, NULL, NULL, FG_INVALID_REQUEST },
        { "empty user", p.account.p, ROLE_USER, "", NULL, FG_INVALID_REQUEST },
        { "long user", p.account.p, ROLE_USER, long_user, NULL, FG_INVALID_REQUEST },
        { "user with a line feed", p.account.p, ROLE_USER, "a\nb", NULL, FG_INVALID_REQUEST },
        { "label that is no text", p.account.p, ROLE_APP, NULL, "\xff", FG_INVALID_REQUEST },
        { "all is well", p.account.p, ROLE_USER, long_user + 1, "label", FG_OK },
    };
    for (size_t i = 0; i < FG_LEN(row); i++)
        CHECK_I64(key_create(&p.w.cx, p.cli, pepper, fg_str_c(row[i].account), row[i].role,
                             fg_str_c(row[i].user), fg_str_c(row[i].label), &key),
                  row[i].want, row[i].why);
    CHECK_CODE(&p.w.cx, account_create(&p.w.cx, p.cli, FG_LIT(""), &id), FG_INVALID_REQUEST);
    CHECK_CODE(&p.w.cx, account_create(&p.w.cx, p.cli, FG_LIT("a\tb"), &id), FG_INVALID_REQUEST);
    CHECK(!id.p, "untouched on failure");
    place_end(&p);
}

TEST(a_second_look_costs_no_query)
{
    struct place p;
    struct identity id;
    place_begin(&p);
    struct fg_str key = new_key(&p, ROLE_APP, NULL),
                  guess = FG_LIT("fgk_00000000000000000000000000");
    CHECK_CODE(&p.w.cx, who(&p, p.web, key, &id), FG_OK);
    CHECK_CODE(&p.w.cx, who(&p, p.web, guess, &id), FG_UNAUTHORIZED);
    t_advance(&p.w, FG_US_PER_S - 1);
    CHECK_CODE(&p.w.cx, who(&p, NULL, key, &id), FG_OK);
    CHECK_CODE(&p.w.cx, who(&p, NULL, guess, &id), FG_UNAUTHORIZED);
    t_advance(&p.w, TTL_US - FG_US_PER_S);
    CHECK_CODE(&p.w.cx, who(&p, NULL, key, &id), FG_OK);
    place_end(&p);
}

TEST(a_guess_is_forgotten_after_a_second)
{
    struct place p;
    struct identity id;
    place_begin(&p);
    struct fg_str key = new_key(&p, ROLE_APP, NULL);
    CHECK_CODE(&p.w.cx, db_script(&p.w.cx, p.cli, FG_LIT("UPDATE api_key SET revoked_us = 1")),
               FG_OK);
    CHECK_CODE(&p.w.cx, who(&p, p.web, key, &id), FG_UNAUTHORIZED);
    CHECK_CODE(&p.w.cx, db_script(&p.w.cx, p.cli, FG_LIT("UPDATE api_key SET revoked_us = NULL")),
               FG_OK);
    CHECK_CODE(&p.w.cx, who(&p, p.web, key, &id), FG_UNAUTHORIZED);
    t_advance(&p.w, FG_US_PER_S);
    CHECK_CODE(&p.w.cx, who(&p, p.web, key, &id), FG_OK);
    place_end(&p);
}

TEST(a_revoked_key_ends_with_the_cache_and_takes_its_sessions)
{
    struct place p;
    struct identity id;
    struct fg_str token;
    int64_t end_us;
    place_begin(&p);
    struct fg_ctx *cx = &p.w.cx;
    struct fg_str key = new_key(&p, ROLE_APP, NULL);
    CHECK_CODE(cx, who(&p, p.web, key, &id), FG_OK);
    CHECK_CODE(cx, session_create(cx, p.web, pepper, id.key_id, LIFE_US, &token, &end_us), FG_OK);
    CHECK_CODE(cx, account_by_session(cx, p.web, p.cache, pepper, token, &id), FG_OK);
    CHECK_CODE(cx, key_revoke(cx, p.cli, FG_LIT("acct_00000000000000000000000000"), id.key_id),
               FG_NOT_FOUND);
    CHECK_CODE(cx, key_revoke(cx, p.cli, p.account, id.key_id + 1), FG_NOT_FOUND);
    CHECK_CODE(cx, key_revoke(cx, p.cli, p.account, id.key_id), FG_OK);
    CHECK_CODE(cx, key_revoke(cx, p.cli, p.account, id.key_id), FG_NOT_FOUND);
    t_advance(&p.w, TTL_US - 1);
    CHECK_CODE(cx, who(&p, p.web, key, &id), FG_OK); /* still trusted here: the price of no query */
    t_advance(&p.w, 1);
    CHECK_CODE(cx, who(&p, p.web, key, &id), FG_UNAUTHORIZED);
    CHECK_CODE(cx, account_by_session(cx, p.web, p.cache, pepper, token, &id), FG_UNAUTHORIZED);
    CHECK_CODE(cx, session_create(cx, p.web, pepper, id.key_id, LIFE_US, &token, &end_us),
               FG_UNAUTHORIZED);
    place_end(&p);
}

TEST(sessions_end_when_told_and_by_themselves)
{
    struct place p;
    struct identity of_key, id;
    struct fg_str token, other;
    int64_t end_us;
    place_begin(&p);
    struct fg_ctx *cx = &p.w.cx;
    CHECK_CODE(cx, who(&p, p.web, new_key(&p, ROLE_USER, "u"), &of_key), FG_OK);
    CHECK_CODE(cx, session_create(cx, p.web, pepper, of_key.key_id, LIFE_US, &token, &end_us),
               FG_OK);
    CHECK_CODE(cx, session_create(cx, p.web, pepper, of_key.key_id, FG_US_PER_S, &other, &end_us),
               FG_OK);
    CHECK_I64(end_us, cx->now_us + FG_US_PER_S, "its end");
    CHECK(id_valid(token, FG_LIT("fgs_")), "a token");
    CHECK_CODE(cx, account_by_session(cx, p.web, p.cache, pepper, token, &id), FG_OK);
    CHECK(memcmp(&id, &of_key, sizeof id) == 0, "the session is the key's");
    CHECK_CODE(cx, account_by_session(cx, p.web, p.cache, pepper, other, &id), FG_OK);
    CHECK_CODE(cx, account_by_key(cx, p.web, p.cache, pepper, token, &id), FG_UNAUTHORIZED);
    t_advance(&p.w, FG_US_PER_S);
    CHECK_CODE(cx, account_by_session(cx, NULL, p.cache, pepper, other, &id), FG_UNAUTHORIZED);
    CHECK_CODE(cx, account_by_session(cx, NULL, p.cache, pepper, token, &id), FG_OK);
    CHECK_CODE(cx, session_end(cx, p.web, p.cache, pepper, token), FG_OK);
    CHECK_CODE(cx, account_by_session(cx, p.web, p.cache, pepper, token, &id), FG_UNAUTHORIZED);
    CHECK_CODE(cx, session_end(cx, p.web, p.cache, pepper, token), FG_OK); /* twice is fine */
    CHECK_CODE(cx, session_end(cx, p.web, p.cache, pepper, FG_LIT("x")), FG_OK);
    place_end(&p);
}

TEST(a_flood_of_guesses_does_not_push_keys_out)
{
    struct place p;
    struct identity id;
    place_begin(&p);
    struct fg_str key = new_key(&p, ROLE_APP, NULL);
    CHECK_CODE(&p.w.cx, who(&p, p.web, key, &id), FG_OK);
    t_advance(&p.w, 1); /* every guess is newer than the key */
    for (int i = 0; i < 3000; i++)
        CHECK_I64(who(&p, p.web, id_new(&p.w.cx, FG_LIT("fgk_")), &id), FG_UNAUTHORIZED, "a guess");
    CHECK_CODE(&p.w.cx, who(&p, NULL, key, &id), FG_OK);
    place_end(&p);
}

TEST(a_cache_of_no_time_keeps_nothing)
{
    struct place p;
    struct identity id;
    place_begin(&p);
    account_cache_free(p.cache);
    p.cache = account_cache_new(0);
    struct fg_str key = new_key(&p, ROLE_APP, NULL);
    CHECK_CODE(&p.w.cx, who(&p, p.web, key, &id), FG_OK);
    CHECK_CODE(&p.w.cx, key_revoke(&p.w.cx, p.cli, p.account, id.key_id), FG_OK);
    CHECK_CODE(&p.w.cx, who(&p, p.web, key, &id), FG_UNAUTHORIZED);
    place_end(&p);
}

TEST(keys_are_listed_without_themselves)
{
    struct place p;
    struct key_row *rows;
    size_t n;
    struct fg_str labelled = FG_NONE;
    place_begin(&p);
    struct fg_ctx *cx = &p.w.cx;
    struct fg_str first = new_key(&p, ROLE_USER, "u\xc3\xa9");
    CHECK_CODE(
        cx, key_create(cx, p.cli, pepper, p.account, ROLE_ADMIN, FG_NONE, FG_LIT("ops"), &labelled),
        FG_OK);
    CHECK_CODE(cx, key_list(cx, p.cli, p.account, &rows, &n), FG_OK);
    CHECK_I64(n, 2, "both");
    CHECK_IS(rows[0].label, "ops", "newest first");
    CHECK_I64(rows[0].role, ROLE_ADMIN, "");
    CHECK(!rows[0].user_id.p, "of nobody");
    CHECK_IS(rows[1].user_id, "u\xc3\xa9", "of a user");
    CHECK_STR(rows[1].hint, ((struct fg_str){ first.p + 4, 8 }), "the beginning only");
    CHECK(rows[1].created_us == cx->now_us && rows[1].revoked_us == 0, "live");
    CHECK_CODE(cx, key_revoke(cx, p.cli, p.account, rows[1].id), FG_OK);
    CHECK_CODE(cx, key_list(cx, p.cli, p.account, &rows, &n), FG_OK);
    CHECK_I64(rows[1].revoked_us, cx->now_us, "revoked now");
    CHECK_CODE(cx, key_list(cx, p.cli, FG_LIT("acct_x"), &rows, &n), FG_NOT_FOUND);
    place_end(&p);
}
