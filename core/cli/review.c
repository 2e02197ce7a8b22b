/* filmgate review: jobs that a person has to look at. */
#include <stdio.h>

#include "base/time.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "job/moderation.h"
#include "job/store.h"
#include "job/wake.h"

static void print_review(struct fg_ctx *cx, const struct review *r)
{
    printf("%.*s  %-8s %.*s  %.*s by %.*s%s%.*s\n", FG_P(r->job), review_state_name(r->state),
           FG_P(time_iso(cx->mem, r->held_us)), FG_P(r->target), FG_P(r->checker), r->category.n ? ": " : "",
           FG_P(r->category));
}

enum fg_code cli_review_list(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct fg_str status = fg_str_c(cli_option(argc, argv, "--status"));
    struct review *row;
    struct db *db;
    size_t n;
    if (status.p && !FG_IS(status, "open") && !FG_IS(status, "decided"))
        return fg_fail(cx, FG_INVALID_REQUEST, "--status is open or decided");
    enum fg_code rc = cli_db(cx, conf, &db);
    if (rc != FG_OK)
        return rc;
    rc = reviews_list(cx, db, !FG_IS(status, "decided"), &row, &n);
    for (size_t i = 0; rc == FG_OK && i < n; i++)
        print_review(cx, &row[i]);
    if (rc == FG_OK && n == 0)
        printf("none\n");
    db_close(db);
    return rc;
}

static void print_check(struct fg_ctx *cx, const struct check *c)
{
    printf("  %-15.*s %-7.*s %-7s %.*s %.*s %.*s%s\n", FG_P(c->target), FG_P(c->checker), check_verdict_name(c->verdict),
           FG_P(c->category), FG_P(cli_quoted(cx, c->rule)), FG_P(c->scores), c->cached ? " (as before)" : "");
}

static enum fg_code show(struct fg_ctx *cx, struct db *db, struct fg_str id)
{
    struct review r;
    struct job j;
    struct check *check;
    size_t n;
    enum fg_code rc = review_read(cx, db, id, &r);
    if (rc == FG_OK)
        rc = job_by_id(cx, db, r.job_id, &j);
    if (rc == FG_OK)
        rc = checks_read(cx, db, r.job_id, &check, &n);
    if (rc != FG_OK)
        return rc;
    print_review(cx, &r);
    printf("  prompt          %.*s\n", FG_P(cli_quoted(cx, j.prompt)));
    if (j.negative.n)
        printf("  not to be seen  %.*s\n", FG_P(cli_quoted(cx, j.negative)));
    if (j.image_url.n)
        printf("  image           %.*s\n", FG_P(cli_quoted(cx, j.image_url)));
    printf("  until           %.*s\n", FG_P(time_iso(cx->mem, r.until_us)));
    if (r.decided_us)
        printf("  decided         %.*s by %.*s %.*s\n", FG_P(time_iso(cx->mem, r.decided_us)), FG_P(r.decided_by),
               FG_P(cli_quoted(cx, r.note)));
    for (size_t i = 0; i < n; i++)
        print_check(cx, &check[i]);
    return FG_OK;
}

enum fg_code cli_review_show(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct db *db;
    (void)argc;
    enum fg_code rc = cli_db(cx, conf, &db);
    if (rc != FG_OK)
        return rc;
    rc = show(cx, db, fg_str_c(argv[0]));
    db_close(db);
    return rc;
}

static enum fg_code decide(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv, bool pass)
{
    struct job_env env = { .conf = conf, .wake_fd = wake_open() };
    struct fg_str note = fg_str_c(cli_option(argc, argv, "--note"));
    struct review r;
    if (note.p && utf8_count(note) > REVIEW_NOTE_MAX)
        return fg_fail(cx, FG_INVALID_REQUEST, "The note may have at most %d characters", REVIEW_NOTE_MAX);
    enum fg_code rc = cli_db(cx, conf, &env.db);
    if (rc != FG_OK)
        return rc;
    rc = review_decide(cx, &env, fg_str_c(argv[0]), pass, FG_LIT("operator"), note, &r);
    if (rc == FG_OK)
        print_review(cx, &r);
    db_close(env.db);
    return rc;
}

enum fg_code cli_review_pass(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    return decide(cx, conf, argc, argv, true);
}

enum fg_code cli_review_block(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    return decide(cx, conf, argc, argv, false);
}
