/* filmgate audit provider: what a provider has made, and perhaps billed, that no row of ours knows. */
#include <stdio.h>

#include "base/scan.h"
#include "base/time.h"
#include "cli/cli.h"
#include "io/fetch.h"
#include "job/job.h"

#define PAGES_MAX 50
#define HOURS_DEFAULT 24
#define HOURS_MAX 720
#define CALL_MS 30000
#define REPLY_MAX (8 * (int64_t)FG_MIB)

struct audit {
    struct job_env env;
    struct fetcher *fetcher;
    const struct cat_provider *provider;
    const struct provider *adapter;
    int64_t rows, known, adopted, late, strange;
};

static enum fg_code judge(struct fg_ctx *cx, struct audit *a, const struct remote_row *row)
{
    enum adoption what;
    struct job j;
    enum fg_code rc = job_adopt(cx, &a->env, a->provider->name, row, &what, &j);
    if (rc != FG_OK)
        return rc;
    a->rows++;
    switch (what) {
    case ADOPT_KNOWN:
        a->known++;
        return FG_OK;
    case ADOPT_ADOPTED:
        a->adopted++;
        printf("adopted  %.*s  is %.*s\n", FG_P(row->id), FG_P(j.public_id));
        return FG_OK;
    case ADOPT_LATE:
        a->late++;
        printf("late     %.*s  belongs to %.*s, which is %s\n", FG_P(row->id), FG_P(j.public_id),
               job_state_name((enum job_state)j.state));
        return FG_OK;
    case ADOPT_STRANGE:
        break;
    }
    a->strange++;
    printf("strange  %.*s  made %.*s: no row of ours knows it\n", FG_P(row->id),
           FG_P(row->created_us ? time_iso(cx->mem, row->created_us) : FG_LIT("some time")));
    return FG_OK;
}

static enum fg_code page(struct fg_ctx *cx, struct audit *a, struct list_ask *ask, bool *more)
{
    struct fetch_call call;
    struct fetch_reply reply;
    struct list_reply r;
    enum fg_code rc = a->adapter->list_call(cx, &a->provider->site, ask, &call);
    if (rc != FG_OK)
        return rc;
    call.timeout_ms = CALL_MS;
    call.max_bytes = REPLY_MAX;
    fetch_wait(cx, a->fetcher, &call, &reply);
    ctx_tick(cx);
    a->adapter->list_reply(cx, &a->provider->site, ask, &reply, &r);
    if (!r.understood)
        return fg_fail(cx, FG_IO, "The provider's list could not be read: HTTP %d %.*s", reply.status, FG_P(reply.words));
    for (size_t i = 0; i < r.n && rc == FG_OK; i++)
        if (!r.row[i].created_us || r.row[i].created_us >= ask->since_us)
            rc = judge(cx, a, &r.row[i]);
    ask->cursor = r.cursor;
    ask->page++;
    *more = r.more;
    return rc;
}

/* Some lists are of one model each. */
static enum fg_code walk(struct fg_ctx *cx, struct audit *a, struct fg_str model, int64_t since_us)
{
    struct list_ask ask = { .model = model, .since_us = since_us, .until_us = cx->now_us };
    bool more = true;
    enum fg_code rc = FG_OK;
    while (rc == FG_OK && more && ask.page < PAGES_MAX)
        rc = page(cx, a, &ask, &more);
    if (rc == FG_OK && more)
        printf("only the first %d pages were read\n", PAGES_MAX);
    return rc;
}

static enum fg_code run(struct fg_ctx *cx, struct audit *a, int64_t since_us)
{
    const struct catalogue *c = a->env.catalogue;
    enum fg_code rc = FG_OK;
    if (!a->adapter->list_per_model)
        rc = walk(cx, a, FG_NONE, since_us);
    for (unsigned i = 0; a->adapter->list_per_model && rc == FG_OK && i < c->model_n; i++) {
        if (c->model[i].provider != a->provider || c->model[i].adapter != a->adapter)
            continue;
        rc = walk(cx, a, c->model[i].remote, since_us);
        if (rc == FG_OK && c->model[i].remote_image.n)
            rc = walk(cx, a, c->model[i].remote_image, since_us);
    }
    printf("%lld listed: %lld known, %lld adopted, %lld late, %lld strange\n", (long long)a->rows, (long long)a->known,
           (long long)a->adopted, (long long)a->late, (long long)a->strange);
    return rc;
}

static enum fg_code begin(struct fg_ctx *cx, const struct conf *conf, struct fg_str name, struct audit *a)
{
    a->provider = catalogue_provider(a->env.catalogue, name);
    if (!a->provider)
        return fg_fail(cx, FG_NOT_FOUND, "The catalogue has no provider %.*s", FG_P(name));
    a->adapter = a->provider->adapter;
    if (!a->provider->set_up)
        return fg_fail(cx, FG_INVALID_REQUEST, "%.*s is not set up in this configuration", FG_P(name));
    if (!a->adapter->list_call)
        return fg_fail(cx, FG_INVALID_REQUEST, "%.*s has no list to look in", FG_P(name));
    enum fg_code rc = fetcher_open(cx, &a->fetcher, conf);
    return rc == FG_OK ? cli_db(cx, conf, &a->env.db) : rc;
}

enum fg_code cli_audit_provider(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct audit a = { .env = { .conf = conf, .wake_fd = -1 } };
    const char *hours = cli_option(argc, argv, "--hours");
    int64_t h = HOURS_DEFAULT;
    if (hours && !scan_all_i64(fg_str_c(hours), 1, HOURS_MAX, &h))
        return fg_fail(cx, FG_INVALID_REQUEST, "--hours must be from 1 to %d", HOURS_MAX);
    enum fg_code rc = catalogue_load(cx, conf, &a.env.catalogue);
    if (rc != FG_OK)
        return rc;
    cx->request_id = FG_LIT("audit");
    rc = begin(cx, conf, fg_str_c(argv[0]), &a);
    if (rc == FG_OK)
        rc = run(cx, &a, cx->now_us - h * 3600 * FG_US_PER_S);
    db_close(a.env.db);
    fetcher_close(a.fetcher);
    catalogue_drop(a.env.catalogue);
    return rc;
}
