/* filmgate audit ledger, filmgate doctor */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "account/account.h"
#include "base/arena.h"
#include "base/scan.h"
#include "cli/cli.h"
#include "cli/migrations.h"
#include "io/child.h"
#include "media/image.h"
#include "moderate/rules.h"
#include "moderate/service.h"
#include "money/ledger.h"
#include "provider/catalogue.h"

#define HEARTBEAT_OLD_S 60

static void told(const char *what, int64_t n, unsigned *bad)
{
    printf("%-4s %s: %lld\n", n ? "BAD" : "ok", what, (long long)n);
    *bad += n != 0;
}

enum fg_code cli_audit_ledger(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct ledger_audit a;
    struct db *db;
    unsigned bad = 0;
    (void)argc, (void)argv;
    enum fg_code rc = cli_db(cx, conf, &db);
    if (rc != FG_OK)
        return rc;
    rc = ledger_check(cx, db, &a);
    db_close(db);
    if (rc != FG_OK)
        return rc;
#define L(name, words) told(words, a.name, &bad);
    LEDGER_RULES(L)
#undef L
    if (a.account_n)
        printf("     among them: %s\n", a.accounts);
    return bad ? fg_fail(cx, FG_INTERNAL, "%u of the ledger's rules are broken", bad) : FG_OK;
}

/* What doctor has found so far. */
struct visit {
    struct fg_ctx *cx;
    const struct conf *conf;
    unsigned bad;
};

static void finding(struct visit *v, bool ok, const char *what, struct fg_str words)
{
    printf("%-4s %s: %.*s\n", ok ? "ok" : "BAD", what, FG_P(words));
    v->bad += !ok;
}

static void result(struct visit *v, enum fg_code rc, const char *what, struct fg_str words)
{
    if (rc == FG_OK)
        finding(v, true, what, words);
    else
        finding(v, false, what,
                arena_fmt(v->cx->mem, "%s %s", v->cx->err.detail, v->cx->err.cause));
}

/* Whether this provider has what the configuration must give it; the others are simply not set up. */
static void look_at_provider(struct visit *v, const struct cat_provider *p)
{
    bool keyless = p->site.key.n == 0 && !p->adapter->no_key;
    finding(v, !keyless, "provider",
            arena_fmt(v->cx->mem, "%.*s %s", FG_P(p->name),
                      keyless ? "has no key in this configuration" : "is set up"));
}

static void look_at_catalogue(struct visit *v)
{
    const struct catalogue *c;
    enum fg_code rc = catalogue_load(v->cx, v->conf, &c);
    if (rc != FG_OK) {
        result(v, rc, "catalogue", FG_NONE);
        return;
    }
    unsigned set_up = 0;
    for (unsigned i = 0; i < c->provider_n; i++)
        set_up += c->provider[i].set_up;
    finding(v, set_up > 0, "catalogue",
            arena_fmt(v->cx->mem, "%u providers, %u of them set up, %u models", c->provider_n, set_up, c->model_n));
    for (unsigned i = 0; i < c->provider_n; i++)
        if (c->provider[i].set_up)
            look_at_provider(v, &c->provider[i]);
    catalogue_drop(c);
}

static void look_at_moderation(struct visit *v)
{
    const struct rules *r = NULL;
    struct moderation_sites sites;
    enum fg_code rc = rules_load(v->cx, v->conf, &r);
    result(v, rc, "rules", arena_fmt(v->cx->mem, "%u phrases", rules_phrases(r)));
    rules_drop(r);
    rc = moderation_configure(v->cx, v->conf, &sites);
    result(v, rc, "moderation", arena_fmt(v->cx->mem, "%u services", rc == FG_OK ? sites.n : 0));
}

static void look_at_pepper(struct visit *v)
{
    uint8_t pepper[HASH_LEN];
    result(v, account_pepper(v->cx, v->conf, pepper), "pepper", FG_LIT("64 hex digits"));
    explicit_bzero(pepper, sizeof pepper);
}

struct health {
    int64_t version, sweeper_us;
};
static const struct db_col health_cols[] = { COL(struct health, version),
                                             COL(struct health, sweeper_us) };

static int64_t version_wanted(void)
{
    struct fg_str name = fg_str_c(migrations[migration_n - 1].name), digits;
    uint64_t v = 0;
    (void)scan_until(&name, '_', &digits);
    while (digits.n > 1 && scan_char(&digits, '0'))
        ;
    FG_ASSERT(scan_all_u64(digits, INT32_MAX, &v));
    return (int64_t)v;
}

static void look_at_database(struct visit *v)
{
    struct health h = { 0 };
    struct db *db = NULL;
    bool found;
    enum fg_code rc = cli_db(v->cx, v->conf, &db);
    result(v, rc, "database", FG_LIT("reachable, all statements prepared"));
    if (rc != FG_OK)
        return;
    rc = db_one(v->cx, db, SQL_HEALTH, DB_NO_ARGS, DB_COLS(health_cols), &h, &found);
    db_close(db);
    result(v, rc, "health", FG_LIT("readable"));
    if (rc != FG_OK)
        return;
    finding(v, h.version == version_wanted(), "schema",
            arena_fmt(v->cx->mem, "at %lld, this program knows %lld", (long long)h.version,
                      (long long)version_wanted()));
    int64_t age_s = (v->cx->now_us - h.sweeper_us) / FG_US_PER_S;
    finding(v, h.sweeper_us && age_s <= HEARTBEAT_OLD_S, "sweeper",
            h.sweeper_us ? arena_fmt(v->cx->mem, "last heard of %lld s ago", (long long)age_s)
                         : FG_LIT("never heard of"));
}

static void look_at_program(struct visit *v, const char *what, struct fg_str path, const char *flag)
{
    struct child_call call = { .argv = { arena_cstr(v->cx->mem, path), flag },
                               .wall_ms = 10000 };
    struct fg_str out = FG_NONE, first = FG_NONE;
    enum fg_code rc = child_run(v->cx, &call, &out);
    (void)scan_until(&out, '\n', &first);
    result(v, rc, what, first);
}

/* As this user finds it: another one may have more of it, or less. */
static void look_at_jail(struct visit *v)
{
    struct conf conf = *v->conf;
    enum fg_code rc = child_jail_open(v->cx, &conf);
    bool wanted = !FG_IS(conf.media_jail, "no"), net = conf.jail & (CHILD_NO_NET | CHILD_OWN_SPACE);
    struct fg_str words = !wanted ? FG_LIT("none, as media.jail says")
                        : !net    ? FG_LIT("this system lets us take no network away from programs that read foreign files")
                        : conf.jail & CHILD_NOBODY
                            ? FG_LIT("programs that read foreign files have no network and are nobody")
                            : FG_LIT("programs that read foreign files have no network; they are this user");
    if (rc != FG_OK)
        result(v, rc, "jail", FG_NONE);
    else
        finding(v, !wanted || net, "jail", words);
}

/* Only looks: a folder that root makes here is no use to the sweeper. */
static void look_at_media(struct visit *v)
{
    const char *tmp = arena_fmt(v->cx->mem, "%.*s/tmp", FG_P(v->conf->media_root)).p;
    bool ok = access(tmp, W_OK | X_OK) == 0;
    finding(
        v, ok, "media",
        arena_fmt(v->cx->mem, "%s %s", tmp, ok ? "is writable for this user" : strerror(errno)));
}

enum fg_code cli_doctor(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct visit v = { cx, conf, 0 };
    (void)argc, (void)argv;
    printf("%.*s\n", FG_P(conf_show(cx, conf)));
    look_at_pepper(&v);
    look_at_catalogue(&v);
    look_at_moderation(&v);
    look_at_database(&v);
    look_at_program(&v, "ffprobe", conf->media_ffprobe, "-version");
    look_at_program(&v, "ffmpeg", conf->media_ffmpeg, "-version");
    look_at_program(&v, "vips", FG_LIT(IMAGE_PROGRAM), "--version");
    look_at_jail(&v);
    look_at_media(&v);
    return v.bad ? fg_fail(cx, FG_CONFIG, "%u things need attention", v.bad) : FG_OK;
}
