/* Finding a lost submit among what a provider lists: exact marks, likeness, and what must not be taken for ours. */
#include "provider/match.h"
#include "t.h"

#define NOW INT64_C(1767225600000000)

static struct match_want want(void)
{
    return (struct match_want){
        .client_ref = FG_LIT("ref-1"), .token = FG_LIT("cb_token"), .model = FG_LIT("m"), .prompt = FG_LIT("a kite"),
        .has_seed = true, .seed_is_ours = true, .seed = 77, .duration_s = 8, .since_us = NOW, .until_us = NOW + 100,
    };
}

#define ROW(...) { .id = { "x", 1 }, .created_us = NOW + 50, __VA_ARGS__ }
#define T(s) { s, sizeof(s) - 1 }

TEST(one_row_is_ours_or_not)
{
    static const struct {
        struct remote_row row;
        bool ours;
        const char *why;
    } t[] = {
        { ROW(.client_ref = T("ref-1")), true, "our reference" },
        { ROW(.client_ref = T("ref-2"), .prompt = T("a kite"), .model = T("m")), false, "another's reference" },
        { ROW(.callback_url = T("https://us/hooks/x/cb_token")), true, "our token ends its callback" },
        { ROW(.callback_url = T("https://us/hooks/x/cb_other"), .prompt = T("a kite")), false, "another's callback" },
        { { .id = T("x"), .created_us = NOW - 5000, .has_seed = true, .seed = 77, .prompt = T("a kite") }, true,
          "a seed that we drew, with the prompt, whatever its clock says" },
        { ROW(.has_seed = true, .seed = 78, .prompt = T("a kite"), .model = T("m")), false, "another seed" },
        { ROW(.prompt = T("a kite"), .model = T("m")), true, "looks like ours" },
        { ROW(.prompt = T("a kite")), true, "does not tell its model" },
        { ROW(.prompt = T("a Kite"), .model = T("m")), false, "another prompt" },
        { ROW(.prompt = T("a kite"), .model = T("n")), false, "another model" },
        { ROW(.model = T("m"), .duration_s = 8), true, "tells no prompt, but model and length" },
        { ROW(.model = T("m"), .duration_s = 5), false, "another length" },
        { ROW(.model = T("m")), false, "tells next to nothing" },
        { { .id = T("x"), .created_us = NOW - 1, .prompt = T("a kite") }, false, "before our time" },
        { { .id = T("x"), .created_us = NOW + 101, .prompt = T("a kite") }, false, "after it" },
    };
    for (size_t i = 0; i < FG_LEN(t); i++) {
        struct match m = { .alike_n = 0 };
        struct match_want w = want();
        struct fg_str id = FG_NONE, links;
        (void)match_rows(&t[i].row, 1, &w, &m);
        CHECK_I64(match_end(&m, &id, &links), t[i].ours, t[i].why);
    }
}

TEST(of_two_that_look_like_ours_none_is)
{
    static const struct remote_row row[] = { ROW(.prompt = T("a kite")), ROW(.prompt = T("a kite")) };
    struct match m = { .alike_n = 0 };
    struct match_want w = want();
    struct fg_str id, links;
    CHECK(!match_rows(row, 1, &w, &m) && !match_rows(row + 1, 1, &w, &m), "on two pages");
    CHECK(!match_end(&m, &id, &links), "a guess could be somebody else's video");
}

TEST(an_exact_one_beats_any_likeness)
{
    static const struct remote_row row[] = { ROW(.prompt = T("a kite")),
                                             { .id = T("y"), .links = T("l"), .client_ref = T("ref-1") } };
    struct match m = { .alike_n = 0 };
    struct match_want w = want();
    struct fg_str id, links;
    CHECK(match_rows(row, 2, &w, &m) && match_end(&m, &id, &links), "found");
    CHECK_IS(id, "y", "the exact one");
    CHECK_IS(links, "l", "with what it wants kept");
}

TEST(the_users_seed_is_no_mark)
{
    static const struct remote_row row = { .id = T("x"), .created_us = NOW - 5000, .has_seed = true, .seed = 77,
                                           .prompt = T("a kite") };
    struct match m = { .alike_n = 0 };
    struct match_want w = want();
    struct fg_str id, links;
    w.seed_is_ours = false; /* 42 is everybody's favourite */
    CHECK(!match_rows(&row, 1, &w, &m) && !match_end(&m, &id, &links), "out of time, and not ours by its seed");
}
