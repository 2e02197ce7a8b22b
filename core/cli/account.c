/* filmgate account, filmgate key */
#include "account/account.h"

#include <stdio.h>

#include "base/scan.h"
#include "base/time.h"
#include "cli/cli.h"

static const char *const role_name[] = {
    [ROLE_APP] = "app", [ROLE_USER] = "user", [ROLE_ADMIN] = "admin"
};

enum fg_code cli_account_create(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct db *db;
    struct fg_str id;
    (void)argc;
    enum fg_code rc = cli_db(cx, conf, &db);
    if (rc != FG_OK)
        return rc;
    rc = account_create(cx, db, fg_str_c(argv[0]), &id);
    if (rc == FG_OK)
        printf("%.*s\n", FG_P(id));
    db_close(db);
    return rc;
}

static enum role role_by_name(const char *name)
{
    for (size_t i = ROLE_APP; name && i < FG_LEN(role_name); i++)
        if (strcmp(name, role_name[i]) == 0)
            return (enum role)i;
    return ROLE_NONE;
}

enum fg_code cli_key_create(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    const char *user = cli_option(argc, argv, "--user"), *label = cli_option(argc, argv, "--label");
    enum role role = role_by_name(cli_option(argc, argv, "--role"));
    uint8_t pepper[HASH_LEN];
    struct db *db;
    struct fg_str key;
    enum fg_code rc = account_pepper(cx, conf, pepper);
    if (rc == FG_OK)
        rc = cli_db(cx, conf, &db);
    if (rc != FG_OK)
        return rc;
    rc = key_create(cx, db, pepper, fg_str_c(argv[0]), role, fg_str_c(user), fg_str_c(label), &key);
    if (rc == FG_OK)
        printf("%.*s\n", FG_P(key));
    explicit_bzero(pepper, sizeof pepper);
    db_close(db);
    return rc;
}

static void print_key(struct fg_ctx *cx, const struct key_row *k)
{
    bool known = k->role > ROLE_NONE && k->role < (int)FG_LEN(role_name);
    printf("%-6lld fgk_%.*s…  %-5s  created %.*s  ", (long long)k->id, FG_P(k->hint),
           known ? role_name[k->role] : "?", FG_P(time_iso(cx->mem, k->created_us)));
    if (k->revoked_us)
        printf("revoked %.*s", FG_P(time_iso(cx->mem, k->revoked_us)));
    else
        printf("live");
    if (k->user_id.p)
        printf("  user %.*s", FG_P(k->user_id));
    if (k->label.n)
        printf("  %.*s", FG_P(k->label));
    printf("\n");
}

enum fg_code cli_key_list(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct db *db;
    struct key_row *rows;
    size_t n;
    (void)argc;
    enum fg_code rc = cli_db(cx, conf, &db);
    if (rc != FG_OK)
        return rc;
    rc = key_list(cx, db, fg_str_c(argv[0]), &rows, &n);
    for (size_t i = 0; rc == FG_OK && i < n; i++)
        print_key(cx, &rows[i]);
    db_close(db);
    return rc;
}

enum fg_code cli_key_revoke(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct db *db;
    int64_t id;
    (void)argc;
    if (!scan_all_i64(fg_str_c(argv[1]), 1, INT64_MAX, &id))
        return fg_fail(cx, FG_INVALID_REQUEST,
                       "KEYID is the number that 'filmgate key list' shows");
    enum fg_code rc = cli_db(cx, conf, &db);
    if (rc != FG_OK)
        return rc;
    rc = key_revoke(cx, db, fg_str_c(argv[0]), id);
    if (rc == FG_OK)
        printf("key %lld is revoked; handlers that saw it forget it within %lld ms\n",
               (long long)id, (long long)conf->auth_key_cache_ms);
    db_close(db);
    return rc;
}
