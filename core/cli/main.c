/* filmgate: the operator's command. The table is the whole of it. */
#include <stdio.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/scan.h"
#include "cli/cli.h"

#define ARGS_MAX 32

static const struct command {
    const char *noun, *verb; /* verb NULL: the noun alone */
    cli_fn *fn;
    int words, more;     /* how many must follow, and may besides */
    const char *options; /* those it takes, each with a blank behind it */
    const char *usage, *does;
} commands[] = {
    { "migrate", NULL, cli_migrate, 0, 0,
      "--web-password-file --sweeper-password-file --studio-password-file ",
      "migrate [--web-password-file F] [--sweeper-password-file F] [--studio-password-file F]",
      "bring the schema up to date; make the programs' database users" },
    { "account", "create", cli_account_create, 1, 0, "", "account create NAME",
      "make an account, print its id" },
    { "account", "list", cli_account_list, 0, 0, "", "account list", "accounts with plan and balance" },
    { "account", "show", cli_account_show, 1, 0, "", "account show ACCOUNT",
      "its plan, balance, limits and what is used of them" },
    { "account", "topup", cli_account_topup, 2, 0, "--reference --note ",
      "account topup ACCOUNT AMOUNT --reference R [--note N]",
      "add to its balance, once per reference; 12.50 is in its currency, 12500000 in micro-units" },
    { "account", "adjust", cli_account_adjust, 2, 0, "--reference --note ",
      "account adjust ACCOUNT AMOUNT --reference R --note WHY", "the same either way: -3.00 takes" },
    { "account", "credit", cli_account_credit, 2, 0, "", "account credit ACCOUNT AMOUNT|none",
      "how far it may owe; 0: prepaid, none: it pays later, whatever it comes to" },
    { "account", "ledger", cli_account_ledger, 1, 0, "", "account ledger ACCOUNT", "its newest entries" },
    { "account", "erase", cli_account_erase, 1, 0, "--user --yes ", "account erase ACCOUNT [--user ID] --yes",
      "forget it, or one userId of it: files, uploads, prompts, names; the books stay" },
    { "plan", "list", cli_plan_list, 0, 0, "", "plan list", "the plans" },
    { "plan", "show", cli_plan_show, 1, 0, "", "plan show NAME", "its limits, and what they mean" },
    { "plan", "create", cli_plan_create, 1, 0, "", "plan create NAME", "a plan without limits" },
    { "plan", "set", cli_plan_set, 2, 18, "", "plan set NAME FIELD=VALUE...",
      "change it for all who have it; none takes a limit away" },
    { "plan", "assign", cli_plan_assign, 2, 0, "", "plan assign ACCOUNT PLAN", "give an account a plan" },
    { "report", "cost", cli_report_cost, 0, 0, "--from --to ", "report cost [--from TIME] [--to TIME]",
      "what attempts cost us, by what became of them, and what was charged; the last day" },
    { "report", "storage", cli_report_storage, 0, 0, "", "report storage",
      "bytes by account and kind, how they grow, and when the disk is full at this rate" },
    { "key", "create", cli_key_create, 1, 0, "--role --user --label ",
      "key create ACCOUNT --role app|user|admin [--user ID] [--label L]",
      "make a key, print it this once" },
    { "key", "list", cli_key_list, 1, 0, "", "key list ACCOUNT", "the account's keys, newest first" },
    { "key", "revoke", cli_key_revoke, 2, 0, "", "key revoke ACCOUNT KEYID",
      "end a key and its sessions" },
    { "jobs", "show", cli_jobs_show, 1, 0, "", "jobs show ID", "a job and its timeline" },
    { "jobs", "explain", cli_jobs_explain, 1, 0, "", "jobs explain ID", "what happened to a job, in sentences" },
    { "jobs", "list", cli_jobs_list, 0, 0, "--state ", "jobs list [--state S]", "the newest jobs" },
    { "jobs", "cancel", cli_jobs_cancel, 1, 0, "--reason ", "jobs cancel ID [--reason WHY]",
      "as its owner would: at once where no provider has it, else it is asked to stop" },
    { "jobs", "ask", cli_jobs_ask, 1, 0, "--reason ", "jobs ask ID [--reason WHY]", "look at its provider at once" },
    { "jobs", "retry", cli_jobs_retry, 1, 0, "--reason ", "jobs retry ID [--reason WHY]",
      "a new job of its account with the same wish; prints its id" },
    { "jobs", "resolve", cli_jobs_resolve, 1, 0, "--accepted --not-accepted --reason ",
      "jobs resolve ID --accepted PROVIDER_ID | --not-accepted [--reason WHY]",
      "say what became of a submit of unknown outcome" },
    { "actions", NULL, cli_actions, 0, 0, "--job --account ", "actions [--job ID] [--account ACCOUNT]",
      "what people did to jobs, accounts and providers, or were refused: the newest" },
    { "review", "list", cli_review_list, 0, 0, "--status ", "review list [--status open|decided]",
      "jobs that a person has to look at, the oldest first" },
    { "review", "show", cli_review_show, 1, 0, "", "review show JOB", "what held it, and every check of it" },
    { "review", "pass", cli_review_pass, 1, 0, "--note ", "review pass JOB [--note N]", "let it go on" },
    { "review", "block", cli_review_block, 1, 0, "--note ", "review block JOB [--note N]", "end it" },
    { "callback", "list", cli_callback_list, 0, 0, "--job --provider ",
      "callback list [--job ID] [--provider NAME]", "the newest callbacks with their verdicts" },
    { "callback", "replay", cli_callback_replay, 1, 0, "", "callback replay ID",
      "process a kept callback again" },
    { "provider", "list", cli_provider_list, 0, 0, "", "provider list",
      "which providers take jobs now" },
    { "provider", "pause", cli_provider_pause, 1, 0, "--reason ", "provider pause NAME [--reason WHY]",
      "send it no new jobs; what runs there goes on" },
    { "provider", "resume", cli_provider_resume, 1, 0, "--reason ", "provider resume NAME [--reason WHY]",
      "send it jobs again, and forget what was held against it" },
    { "webhook", "list", cli_webhook_list, 1, 0, "", "webhook list ACCOUNT",
      "the account's webhook endpoints" },
    { "webhook", "redeliver", cli_webhook_redeliver, 1, 0, "--since --state ",
      "webhook redeliver ENDPOINT --since TIME [--state failed|all]",
      "tell it again what it did not take since then, or all of it" },
    { "media", "migrate", cli_media_migrate, 0, 0, "--to --limit ", "media migrate --to s3|disk [--limit N]",
      "move files from the other store, while all runs; may be broken off and begun again" },
    { "audit", "provider", cli_audit_provider, 1, 0, "--hours ", "audit provider NAME [--hours N]",
      "look for paid generations that no row knows; adopt those of ours" },
    { "audit", "ledger", cli_audit_ledger, 0, 0, "", "audit ledger", "check the ledger against jobs and accounts" },
    { "hold", "add", cli_hold_add, 1, 0, "--user --job --reason --by ",
      "hold add ACCOUNT [--user ID | --job ID] --reason WHY --by WHO", "keep all of it, whoever wants it deleted" },
    { "hold", "list", cli_hold_list, 0, 1, "", "hold list [ACCOUNT]", "legal holds; those that have ended last" },
    { "hold", "end", cli_hold_end, 1, 0, "--reason ", "hold end HOLD [--reason WHY]", "end one" },
    { "retention", "preview", cli_retention_preview, 0, 0, "--days ", "retention preview [--days N]",
      "what goes now, or within so many days: rows and bytes by account; changes nothing" },
    { "retention", "apply", cli_retention_apply, 0, 1, "--yes ", "retention apply [ACCOUNT] [--yes]",
      "count anew, by the plans as they are now, when files go that are there already" },
    { "audit", "media", cli_audit_media, 0, 0, "--repair --deep ", "audit media [--deep] [--repair]",
      "files without rows and rows without files; deep: contents too" },
    { "catalogue", "check", cli_catalogue_check, 0, 1, "", "catalogue check [FILE]",
      "read FILE, or the configured catalogue, and show what is in it" },
    { "moderation", "test", cli_moderation_test, 1, 0, "--negative ", "moderation test TEXT [--negative TEXT]",
      "how our own rules read a prompt, and what they say of it" },
    { "moderation", "check", cli_moderation_check, 0, 1, "", "moderation check [FILE]",
      "read FILE, or the configured rules, and the services' settings" },
    { "doctor", NULL, cli_doctor, 0, 0, "", "doctor",
      "check configuration, database, programs and folders" },
};

/* The command line, sorted: words in order, then options with their values. */
struct line {
    int word_n, option_n;
    char *word[ARGS_MAX], *option[2 * ARGS_MAX];
    const char *conf;
    bool help;
};

static void usage(FILE *to)
{
    fprintf(to, "usage: filmgate [--conf FILE] COMMAND\n\n");
    for (size_t i = 0; i < FG_LEN(commands); i++)
        fprintf(to, "  %s\n      %s\n", commands[i].usage, commands[i].does);
    fprintf(to, "  help\n      this\n\n"
                "Options may stand anywhere. Without --conf the file is FILMGATE_CONF's.\n");
}

static int wrong_use(const char *why, const char *what)
{
    fprintf(stderr, "filmgate: %s: %s\n'filmgate help' shows how it is used.\n", what, why);
    return 2;
}

/* Options that are said or not, and have no value. */
static bool is_flag(struct fg_str option)
{
    return FG_IS(option, "--not-accepted") || FG_IS(option, "--yes") || FG_IS(option, "--repair") || FG_IS(option, "--deep");
}

/* NULL or what is wrong with the argument at *i. */
static const char *take(struct fg_ctx *cx, struct line *l, int argc, char **argv, int *i)
{
    struct fg_str name, rest = fg_str_c(argv[*i]);
    if (!fg_starts(rest, FG_LIT("--"))) {
        if (l->word_n == ARGS_MAX)
            return "too many words";
        l->word[l->word_n++] = argv[*i];
        return NULL;
    }
    if (FG_IS(rest, "--help")) {
        l->help = true;
        return NULL;
    }
    bool joined = memchr(rest.p, '=', rest.n) != NULL, flag = is_flag(rest);
    if (!scan_until(&rest, '=', &name) || (!joined && !flag && *i + 1 == argc))
        return "needs a value";
    char *value = joined ? arena_cstr(cx->mem, rest) : flag ? arena_cstr(cx->mem, FG_LIT("yes")) : argv[++*i];
    if (FG_IS(name, "--conf")) {
        l->conf = value;
        return NULL;
    }
    if (l->option_n == 2 * ARGS_MAX)
        return "too many options";
    l->option[l->option_n++] = arena_cstr(cx->mem, name);
    l->option[l->option_n++] = value;
    return NULL;
}

static const struct command *find(const struct line *l)
{
    for (size_t i = 0; i < FG_LEN(commands); i++)
        if (strcmp(l->word[0], commands[i].noun) == 0 &&
            (!commands[i].verb || (l->word_n > 1 && strcmp(l->word[1], commands[i].verb) == 0)))
            return &commands[i];
    return NULL;
}

static bool takes_options(struct fg_ctx *cx, const struct command *c, const struct line *l)
{
    for (int i = 0; i < l->option_n; i += 2) {
        if (!strstr(c->options, arena_fmt(cx->mem, "%s ", l->option[i]).p))
            return false;
        for (int k = 0; k < i; k += 2)
            if (strcmp(l->option[i], l->option[k]) == 0)
                return false;
    }
    return true;
}

static int run(struct fg_ctx *cx, const struct command *c, const struct line *l)
{
    char *args[3 * ARGS_MAX];
    int n = 0, skip = c->verb ? 2 : 1;
    struct conf conf;
    for (int i = skip; i < l->word_n; i++)
        args[n++] = l->word[i];
    for (int i = 0; i < l->option_n; i++)
        args[n++] = l->option[i];
    enum fg_code rc = conf_load(cx, &conf, l->conf);
    if (rc == FG_OK)
        rc = c->fn(cx, &conf, n, args);
    if (rc == FG_OK)
        return fflush(stdout) == 0 ? 0 : 1;
    (void)fflush(stdout);
    fprintf(stderr, "filmgate: %s%s%s\n", cx->err.detail, cx->err.cause[0] ? " | " : "",
            cx->err.cause);
    return rc == FG_INVALID_REQUEST ? 2 : 1;
}

static int filmgate(struct fg_ctx *cx, int argc, char **argv)
{
    struct line l = { 0 };
    for (int i = 1; i < argc; i++) {
        const char *what = argv[i], *wrong = take(cx, &l, argc, argv, &i);
        if (wrong)
            return wrong_use(wrong, what);
    }
    if (l.help || (l.word_n > 0 && strcmp(l.word[0], "help") == 0)) {
        usage(stdout);
        return 0;
    }
    if (l.word_n == 0) {
        usage(stderr);
        return 2;
    }
    const struct command *c = find(&l);
    if (!c)
        return wrong_use("no such command", l.word[0]);
    int words = l.word_n - (c->verb ? 2 : 1);
    if (words < c->words || words > c->words + c->more || !takes_options(cx, c, &l))
        return wrong_use("is not how it is used", c->usage);
    return run(cx, c, &l);
}

int main(int argc, char **argv)
{
    struct fg_ctx cx = { .mem = arena_new(), .env = env_real() };
    ctx_tick(&cx);
    int status = filmgate(&cx, argc, argv);
    arena_free(cx.mem);
    return status;
}
