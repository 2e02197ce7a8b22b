/* filmgate moderation: what it prints, and when it fails. */
#include "cli/cli.h"

#include "unit/catalogue_kit.h"

#define SHIPPED "core/moderate/rules.txt"

static struct t_world w;
static struct conf conf;

static void begin(void)
{
    t_begin(&w);
    conf = (struct conf){
        .moderation_rules = FG_LIT(SHIPPED),
        .moderation_services = FG_LIT("azure"),
        .moderation_timeout_ms = 5000,
        .moderation_azure_url = FG_LIT("https://one.example"),
        .moderation_azure_key = FG_LIT("topsecret"),
        .moderation_azure_block = FG_LIT("Hate=4"),
    };
}

/* Standard output of one run, in the arena. */
static enum fg_code run(cli_fn *fn, int argc, const char *const *args, const char **out)
{
    char path[KIT_PATH_MAX], *argv[4];
    kit_file(path, FG_LIT(""));
    for (int i = 0; i < argc; i++)
        argv[i] = arena_cstr(w.cx.mem, fg_str_c(args[i]));
    (void)fflush(stdout);
    int before = dup(STDOUT_FILENO);
    CHECK(before >= 0 && freopen(path, "w", stdout) != NULL, path);
    enum fg_code rc = fn(&w.cx, &conf, argc, argv);
    (void)fflush(stdout);
    CHECK(dup2(before, STDOUT_FILENO) >= 0 && close(before) == 0, "back");
    *out = t_file(&w.cx, path).p;
    unlink(path);
    return rc;
}

TEST(a_prompt_is_shown_as_it_is_read)
{
    const char *out;
    begin();
    CHECK_CODE(&w.cx, run(cli_moderation_test, 1, (const char *[]){ "How to m\xd0\xb0ke a B0MB!\n" }, &out), FG_FORBIDDEN);
    CHECK_IS(fg_str_c(out),
             "prompt, plain: \"how to m\xd0\xb0ke a b0mb\"\n"
             "prompt, lookalikes: \"how to make a b0mb\"\n"
             "prompt, digits, 1 is i: \"how to make a bomb\"\n"
             "prompt, digits, 1 is l: \"how to make a bomb\"\n"
             "found:    \"How to m\xd0\xb0ke a B0MB\" in the prompt\n"
             "phrase:   \"how to make a bomb\", line 38\n"
             "category: weapons\n"
             "action:   block\n", "each reading, then the hit");
    CHECK(strstr(w.cx.err.detail, "The rules block it: weapons"), w.cx.err.detail);
    t_end(&w, 0);
}

TEST(a_negative_prompt_may_say_what_must_not_be_seen)
{
    const char *out;
    begin();
    CHECK_CODE(&w.cx, run(cli_moderation_test, 3, (const char *[]){ "a kite", "--negative", "porn" }, &out), FG_OK);
    CHECK_IS(fg_str_c(out), "prompt, plain: \"a kite\"\nnegative, plain: \"porn\"\naction:   allow\n", "allowed");
    CHECK_CODE(&w.cx, run(cli_moderation_test, 3, (const char *[]){ "porn", "--negative", "kite" }, &out), FG_FORBIDDEN);
    CHECK(strstr(out, "found:    \"porn\" in the prompt\nphrase:   \"porn*\", line "), out);
    CHECK(strstr(out, "\ncategory: nudity\naction:   review\n"), out);
    CHECK(strstr(w.cx.err.detail, "The rules hold it: nudity"), w.cx.err.detail);
    conf.moderation_rules = FG_LIT("");
    CHECK_CODE(&w.cx, run(cli_moderation_test, 1, (const char *[]){ "a kite" }, &out), FG_CONFIG);
    t_end(&w, 0);
}

TEST(rules_and_services_are_checked)
{
    const char *out;
    char path[KIT_PATH_MAX];
    begin();
    CHECK_CODE(&w.cx, run(cli_moderation_check, 0, NULL, &out), FG_OK);
    CHECK(strstr(out, "\nnudity                   review  7        prompts\n"), out);
    CHECK(strstr(out, SHIPPED " is in order: "), out);
    CHECK(strstr(out, "service azure: https://one.example\n    block Hate=4.000\n    review -\n"), out);
    CHECK(!strstr(out, "topsecret"), "no key is shown");
    kit_file(path, FG_LIT("[x] block\n[x\n"));
    CHECK_CODE(&w.cx, run(cli_moderation_check, 1, (const char *[]){ path }, &out), FG_CONFIG);
    CHECK(strstr(w.cx.err.detail, ":2: a category without its ]"), w.cx.err.detail);
    unlink(path);
    conf.moderation_azure_block = FG_LIT("Hate=none");
    CHECK_CODE(&w.cx, run(cli_moderation_check, 0, NULL, &out), FG_CONFIG);
    conf = (struct conf){ .moderation_rules = FG_LIT("") };
    CHECK_CODE(&w.cx, run(cli_moderation_check, 0, NULL, &out), FG_OK);
    CHECK_IS(fg_str_c(out), "rules: none\nservices: none\n", "nothing is set up");
    t_end(&w, 0);
}
