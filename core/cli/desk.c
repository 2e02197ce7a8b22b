/* What the commands share. */
#include "account/account.h"
#include "base/arena.h"
#include "base/sb.h"
#include "base/scan.h"
#include "cli/cli.h"
#include "job/clock.h"

#define MICRO INT64_C(1000000)
#define MICRO_DIGITS 6

const char *cli_option(int argc, char **argv, const char *name)
{
    int i = 0;
    while (i < argc && strncmp(argv[i], "--", 2) != 0)
        i++;
    for (; i + 1 < argc; i += 2) /* in pairs: a value may look like an option */
        if (strcmp(argv[i], name) == 0)
            return argv[i + 1];
    return NULL;
}

enum fg_code cli_db(struct fg_ctx *cx, const struct conf *conf, struct db **out)
{
    struct clock *c = arena_new_of(cx->mem, struct clock);
    struct db *db = NULL;
    int64_t moved_us;
    enum fg_code rc = db_open(cx, &db, conf, DB_CLI);
    if (rc != FG_OK) {
        db_close(db);
        return rc;
    }
    /* What it writes is by the books' time, should that have jumped with no sweeper to see it. */
    clock_open(c, cx->env, &clock_cli);
    (void)clock_turn(cx, c, db, &moved_us);
    cx->env = &c->env;
    cx->request_id = FG_LIT("operator");
    ctx_tick(cx);
    *out = db;
    return FG_OK;
}

enum fg_code cli_db_account(struct fg_ctx *cx, const struct conf *conf, const char *account, struct db **out, int64_t *id)
{
    enum fg_code rc = cli_db(cx, conf, out);
    if (rc != FG_OK)
        return rc;
    rc = account_find(cx, *out, fg_str_c(account), id);
    if (rc != FG_OK)
        db_close(*out);
    return rc;
}

struct fg_str cli_quoted(struct fg_ctx *cx, struct fg_str s)
{
    if (!s.p)
        return s;
    struct sb b = sb_in(cx->mem, s.n * 6 + 2);
    sb_add_json(&b, s);
    return sb_str(&b);
}

struct fg_str cli_money(struct fg_ctx *cx, int64_t micro, struct fg_str currency)
{
    uint64_t all = micro < 0 ? 0 - (uint64_t)micro : (uint64_t)micro;
    struct fg_str s = arena_fmt(cx->mem, "%s%llu.%06llu", micro < 0 ? "-" : "", (unsigned long long)(all / MICRO),
                                (unsigned long long)(all % MICRO));
    for (int i = MICRO_DIGITS; i > 2 && s.p[s.n - 1] == '0'; i--)
        s.n--;
    return arena_fmt(cx->mem, "%.*s %.*s", FG_P(s), FG_P(currency));
}

/* The digits behind the point, of which there is one at least, as micro-units. */
static bool fraction(struct fg_str s, int64_t *micro)
{
    int64_t n = 0;
    if (s.n == 0 || s.n > MICRO_DIGITS)
        return false;
    for (size_t i = 0; i < MICRO_DIGITS; i++) {
        if (i < s.n && (s.p[i] < '0' || s.p[i] > '9'))
            return false;
        n = n * 10 + (i < s.n ? s.p[i] - '0' : 0);
    }
    *micro = n;
    return true;
}

bool cli_amount(struct fg_str s, int64_t *micro)
{
    int64_t whole, part = 0;
    bool minus = scan_char(&s, '-');
    if (!minus)
        (void)scan_char(&s, '+');
    const char *point = s.n ? memchr(s.p, '.', s.n) : NULL;
    struct fg_str units = { s.p, point ? (size_t)(point - s.p) : s.n };
    if (!scan_all_i64(units, 0, INT64_MAX, &whole))
        return false;
    if (point && !fraction((struct fg_str){ point + 1, s.n - units.n - 1 }, &part))
        return false;
    if (point && (__builtin_mul_overflow(whole, MICRO, &whole) || __builtin_add_overflow(whole, part, &whole)))
        return false;
    *micro = minus ? -whole : whole;
    return true;
}
