/* filmgate moderation test, filmgate moderation check */
#include <stdio.h>

#include "base/arena.h"
#include "base/sb.h"
#include "cli/cli.h"
#include "moderate/rules.h"
#include "moderate/service.h"

#define LIMITS_TEXT_MAX (MODERATION_LIMITS_MAX * 2 * VERDICT_CATEGORY_MAX)

/* ---- test ---- */

static enum fg_code show_readings(struct fg_ctx *cx, const struct rules *r, const char *what, struct fg_str text)
{
    static const char *const names[] = { [NORM_PLAIN] = "plain", [NORM_LOOKALIKE] = "lookalikes",
                                         [NORM_DIGITS_I] = "digits, 1 is i", [NORM_DIGITS_L] = "digits, 1 is l" };
    struct fg_str reading[NORM_READINGS];
    enum fg_code rc = rules_readings(cx, r, text, reading);
    for (size_t i = 0; i < NORM_READINGS && rc == FG_OK; i++)
        if (reading[i].p)
            printf("%s, %s: %.*s\n", what, names[i], FG_P(cli_quoted(cx, reading[i])));
    return rc;
}

static enum fg_code show_hit(struct fg_ctx *cx, const struct rules_hit *h)
{
    printf("found:    %.*s in the %s\n", FG_P(cli_quoted(cx, h->found)), h->text ? "negative prompt" : "prompt");
    printf("phrase:   %.*s, line %u\n", FG_P(cli_quoted(cx, h->phrase)), h->line);
    printf("category: %.*s\naction:   %s\n", FG_P(h->category), verdict_name(h->kind));
    return fg_fail(cx, FG_FORBIDDEN, "The rules %s it: %.*s",
                   h->kind == VERDICT_BLOCK ? "block" : "hold", FG_P(h->category));
}

static enum fg_code test_with(struct fg_ctx *cx, const struct rules *r, const struct rules_text *text, size_t n)
{
    struct rules_hit h;
    enum fg_code rc = rules_check(cx, r, text, n, &h);
    for (size_t i = 0; i < n && rc == FG_OK; i++)
        rc = show_readings(cx, r, i ? "negative" : "prompt", text[i].text);
    if (rc != FG_OK)
        return rc;
    if (h.kind != VERDICT_ALLOW)
        return show_hit(cx, &h);
    printf("action:   allow\n");
    return FG_OK;
}

enum fg_code cli_moderation_test(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    const char *negative = cli_option(argc, argv, "--negative");
    struct rules_text text[] = { { fg_str_c(argv[0]), false }, { fg_str_c(negative), true } };
    const struct rules *r;
    enum fg_code rc = rules_load(cx, conf, &r);
    if (rc != FG_OK)
        return rc;
    if (!r)
        return fg_fail(cx, FG_CONFIG, "moderation.rules names no file");
    rc = test_with(cx, r, text, negative ? 2 : 1);
    rules_drop(r);
    return rc;
}

/* ---- check ---- */

static void show_rules(const struct rules *r, struct fg_str file)
{
    struct rules_category_info c;
    if (!r) {
        printf("rules: none\n");
        return;
    }
    printf("%-24s %-7s %-8s %s\n", "CATEGORY", "ACTION", "PHRASES", "WHERE");
    for (unsigned i = 0; rules_category(r, i, &c); i++)
        printf("%-24.*s %-7s %-8u %s\n", FG_P(c.name), verdict_name(c.kind), c.phrases,
               c.prompts ? "prompts" : "prompts and negative prompts");
    printf("%.*s is in order: %u phrases\n", FG_P(file), rules_phrases(r));
}

static struct fg_str limits(struct fg_ctx *cx, const struct moderation_limits *l)
{
    struct sb b = sb_in(cx->mem, LIMITS_TEXT_MAX);
    for (unsigned i = 0; i < l->n; i++)
        sb_addf(&b, " %.*s=%lld.%03lld", FG_P(l->at[i].category), (long long)l->at[i].milli / 1000,
                (long long)l->at[i].milli % 1000);
    return l->n ? sb_str(&b) : FG_LIT(" -");
}

static void show_services(struct fg_ctx *cx, const struct moderation_sites *sites)
{
    if (sites->n == 0)
        printf("services: none\n");
    for (unsigned i = 0; i < sites->n; i++) {
        const struct moderation_site *s = &sites->site[i];
        printf("service %s: %.*s%s%.*s\n    block%.*s\n    review%.*s\n", s->service->name, FG_P(s->url),
               s->model.n ? " " : "", FG_P(s->model), FG_P(limits(cx, &s->block)), FG_P(limits(cx, &s->review)));
    }
}

enum fg_code cli_moderation_check(struct fg_ctx *cx, const struct conf *conf, int argc, char **argv)
{
    struct conf with = *conf;
    struct moderation_sites sites;
    const struct rules *r;
    if (argc > 0)
        with.moderation_rules = fg_str_c(argv[0]);
    enum fg_code rc = rules_load(cx, &with, &r);
    if (rc != FG_OK)
        return rc;
    show_rules(r, with.moderation_rules);
    rules_drop(r);
    rc = moderation_configure(cx, &with, &sites);
    if (rc == FG_OK)
        show_services(cx, &sites);
    return rc;
}
