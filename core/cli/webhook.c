/* filmgate webhook */
#include <stdio.h>

#include "account/account.h"
#include "base/sb.h"
#include "base/time.h"
#include "cli/cli.h"
#include "notify/endpoint.h"

/* URL and description are their owner's words: nothing in them may act on a terminal. */
static struct fg_str quoted(struct fg_ctx *cx, struct fg_str s)
{
    struct sb b = sb_in(cx->mem, s.n * 6 + 2);
    sb_add_json(&b, s);
    return sb_str(&b);
}

static void print_endpoint(struct fg_ctx *cx, const struct endpoint *e)
{
    const char *end = endpoint_end_name((enum endpoint_end)e->disabled_reason);
    printf("%.*s  %.*s", FG_P(e->public_id), FG_P(quoted(cx, e->url)));
    for (unsigned i = 0; e->events && i < NOTIFY_TEST; i++)
        if (e->events & 1 << i)
            printf(" %s", notify_type_name((enum notify_type)i));
    if (end)
        printf("  disabled %.*s (%s)", FG_P(time_iso(cx->mem, e->disabled_us)), end);
    else if (e->failing_since_us)
        printf("  failing since %.*s", FG_P(time_iso(cx->mem, e->failing_since_us)));
    if (e->description.n)
        printf("  %.*s", FG_P(quoted(cx, e->description)));
    printf("\n");
}

enum fg_code cli_webhook_list(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct db *db;
    struct endpoint *row;
    int64_t account_id;
    size_t n;
    (void)argc;
    enum fg_code rc = cli_db_account(cx, conf, argv[0], &db, &account_id);
    if (rc != FG_OK)
        return rc;
    rc = endpoint_list(cx, db, account_id, &row, &n);
    for (size_t i = 0; rc == FG_OK && i < n; i++)
        print_endpoint(cx, &row[i]);
    db_close(db);
    return rc;
}

enum fg_code cli_webhook_redeliver(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct fg_str since = fg_str_c(cli_option(argc, argv, "--since"));
    struct fg_str state = fg_str_c(cli_option(argc, argv, "--state"));
    struct db *db;
    struct endpoint e;
    int64_t since_us, n;
    bool more, all = FG_IS(state, "all");
    if (!time_parse_iso(since, &since_us))
        return fg_fail(cx, FG_INVALID_REQUEST, "--since must be given, as a time like 2026-11-22T21:57:26Z");
    if (state.p && !all && !FG_IS(state, "failed"))
        return fg_fail(cx, FG_INVALID_REQUEST, "--state is failed or all");
    enum fg_code rc = cli_db(cx, conf, &db);
    if (rc != FG_OK)
        return rc;
    rc = endpoint_any(cx, db, fg_str_c(argv[0]), &e);
    if (rc == FG_OK)
        rc = endpoint_again(cx, db, &e, since_us, all, &n, &more);
    if (rc == FG_OK)
        printf("%lld deliveries go out again%s\n", (long long)n, more ? "; there are more: repeat this" : "");
    db_close(db);
    return rc;
}
