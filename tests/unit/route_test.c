/* What a model can serve, what it leaves out, what stands for it once it has retired, and which one of a route it is. */
#include "provider/route.h"

#include "base/time.h"
#include "unit/catalogue_kit.h"

#define SMALL "tests/data/catalogue/small.json"

static struct t_world w;
static struct conf conf;
static const struct catalogue *c;

static const struct cat_model *model(const char *name)
{
    const struct cat_model *m = catalogue_model(c, fg_str_c(name));
    CHECK(m != NULL, name);
    return m;
}

static void at(const char *iso)
{
    CHECK(time_parse_iso(fg_str_c(iso), &w.cx.now_us), iso);
}

static void begin(void)
{
    t_begin(&w);
    conf = (struct conf){ .catalogue_file = FG_LIT(SMALL), .provider_n = 2 };
    conf.provider[0] = (struct conf_provider){ .name = FG_LIT("plain"), .key = FG_LIT("k") };
    conf.provider[1] = (struct conf_provider){ .name = FG_LIT("named"), .key = FG_LIT("k") };
    CHECK_CODE(&w.cx, catalogue_load(&w.cx, &conf, &c), FG_OK);
    at("2026-09-01T00:00:00Z");
}

static void end(void)
{
    catalogue_drop(c);
    t_end(&w, 0);
}

#define R(lit) .aspect_ratio = { lit, sizeof lit - 1 }
#define RES(lit) .resolution = { lit, sizeof lit - 1 }

TEST(what_speaks_against_a_model)
{
    static const struct {
        const char *model;
        struct cat_wish wish;
        const char *path, *words; /* NULL: nothing */
    } row[] = {
        { "plain-1", { R("16:9"), .duration_s = 5 }, NULL, NULL },
        { "plain-1", { R("16:9"), RES("720p"), .duration_s = 8, .seed = true }, NULL, NULL },
        { "plain-1", { .prompt_chars = 1000 }, NULL, NULL },
        { "plain-1", { .prompt_chars = 1001 }, "/prompt", "takes a prompt of at most 1000 characters" },
        { "plain-1", { R("9:16") }, "/aspectRatio", "does not make 9:16" },
        { "plain-1", { R("1:1"), RES("720p") }, "/resolution", "does not make 720p in 1:1" },
        { "plain-1", { RES("4k") }, "/resolution", "does not make 4k" },
        { "plain-1", { .duration_s = 4 }, "/duration", "takes 5 to 8 seconds" },
        { "plain-1", { .duration_s = 9 }, "/duration", "takes 5 to 8 seconds" },
        { "plain-1", { .duration_s = 63 }, "/duration", "takes 5 to 8 seconds" },
        { "plain-1", { .image = true }, "/imageUrl", "takes no reference image" },
        { "plain-1", { .audio = AUDIO_ON }, "/audio", "makes no sound" },
        { "plain-1", { .audio = AUDIO_OFF, .negative = true }, NULL, NULL },
        { "plain-0", { .duration_s = 6 }, "/duration", "takes 5 seconds" },
        { "named-1", { .duration_s = 5 }, "/duration", "takes 4, 6 or 8 seconds" },
        { "named-1", { R("16:9"), .duration_s = 8, .image = true, .audio = AUDIO_ON }, NULL, NULL },
        { "named-1", { R("4:3") }, "/aspectRatio", "does not make 4:3" },
        { "named-1", { R("4:3"), .image = true }, NULL, NULL },
        { "named-1", { R("4:3"), RES("480p"), .image = true }, "/resolution", "does not make 480p" },
        { "local-1", { .duration_s = 2, .image = true }, "/model", "is not set up here" },
    };
    begin();
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct cat_misfit misfit[CATALOGUE_MISFITS_MAX];
        const struct cat_model *m = model(row[i].model);
        unsigned n = catalogue_misfits(&w.cx, m, &row[i].wish, misfit);
        CHECK_I64(n, row[i].words ? 1 : 0, row[i].words ? row[i].words : row[i].model);
        const char *words = catalogue_unfit(&w.cx, m, &row[i].wish);
        CHECK((words == NULL) == (n == 0), row[i].model);
        if (n)
            CHECK_STR(fg_str_c(misfit[0].path), fg_str_c(row[i].path), row[i].words);
        if (n)
            CHECK_STR(fg_str_c(words), fg_str_c(row[i].words), row[i].model);
    }
    end();
}

TEST(all_that_speaks_against_it_is_told)
{
    struct cat_misfit misfit[CATALOGUE_MISFITS_MAX];
    begin();
    at("2026-09-15T00:00:00Z");
    struct cat_wish wish = { R("4:3"), RES("8k"), .duration_s = 60, .prompt_chars = 5000, .image = true,
                             .audio = AUDIO_ON };
    struct cat_model m = *model("plain-0");
    struct cat_provider off = *m.provider;
    off.set_up = false;
    m.provider = &off;
    CHECK_I64(catalogue_misfits(&w.cx, &m, &wish, misfit), CATALOGUE_MISFITS_MAX, "everything");
    CHECK_IS(fg_str_c(misfit[0].words), "was retired on 2026-09-15", "first what nobody can mend");
    CHECK_IS(fg_str_c(misfit[1].words), "is not set up here", "");
    wish.image = false;
    CHECK_I64(catalogue_misfits(&w.cx, model("local-1"), &wish, misfit), 7, "a missing picture counts too");
    CHECK_IS(fg_str_c(misfit[5].words), "needs a reference image", "");
    end();
}

TEST(what_is_left_out_is_named)
{
    static const struct {
        enum cat_audio audio;
        const char *model;
        struct cat_wish wish;
        const char *want;
    } row[] = {
        { CAT_SILENT, "plain-1", { R("16:9"), .seed = true, .audio = AUDIO_OFF }, NULL },
        { CAT_SILENT, "plain-1", { .negative = true }, "negativePrompt" },
        { CAT_SILENT, "plain-0", { .seed = true, .negative = true }, "seed,negativePrompt" },
        { CAT_AUDIO_ALWAYS, "plain-1", { .audio = AUDIO_OFF }, "audio" },
        { CAT_AUDIO_ALWAYS, "plain-1", { .audio = AUDIO_ON }, NULL },
        { CAT_AUDIO_CHOICE, "named-1", { .audio = AUDIO_OFF, .seed = true, .negative = true, R("16:9") }, NULL },
        { CAT_AUDIO_CHOICE, "named-1", { .image = true, R("16:9") }, "aspectRatio" },
        { CAT_AUDIO_CHOICE, "named-1", { .image = true }, NULL },
    };
    begin();
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct cat_model m = *model(row[i].model);
        m.audio = row[i].audio;
        struct fg_str got = catalogue_ignored(&w.cx, &m, &row[i].wish);
        CHECK((got.p == NULL) == (row[i].want == NULL), row[i].model);
        CHECK_STR(got, fg_str_c(row[i].want), row[i].model);
    }
    end();
}

TEST(sound_is_asked_for_only_where_it_was_wished_for)
{
    struct cat_model m = { .audio = CAT_SILENT };
    CHECK_I64(catalogue_audio(&m, AUDIO_OFF), AUDIO_ANY, "no choice");
    m.audio = CAT_AUDIO_ALWAYS;
    CHECK_I64(catalogue_audio(&m, AUDIO_OFF), AUDIO_ANY, "no choice either");
    m.audio = CAT_AUDIO_CHOICE;
    CHECK_I64(catalogue_audio(&m, AUDIO_ANY), AUDIO_OFF, "what was not asked for is not paid for");
    CHECK_I64(catalogue_audio(&m, AUDIO_OFF), AUDIO_OFF, "");
    CHECK_I64(catalogue_audio(&m, AUDIO_ON), AUDIO_ON, "");
}

TEST(a_retired_model_is_stood_for_from_that_day_on)
{
    begin();
    const struct cat_model *old = model("plain-0");
    at("2026-09-14T23:59:59Z");
    CHECK(route_today(&w.cx, c, old) == old && !catalogue_retired(old, w.cx.now_us), "the evening before");
    at("2026-09-15T00:00:00Z");
    CHECK(route_today(&w.cx, c, old) == model("plain-1"), "midnight");
    /* The one that took its place has retired since, without another. */
    struct catalogue *mine = arena_new_of(w.cx.mem, struct catalogue);
    *mine = *c;
    struct cat_model *next = (struct cat_model *)(uintptr_t)catalogue_model(mine, FG_LIT("plain-1"));
    CHECK(time_parse_iso(FG_LIT("2027-01-01T00:00:00Z"), &next->retires_us), "");
    at("2027-01-01T00:00:00Z");
    CHECK(route_today(&w.cx, mine, catalogue_model(mine, FG_LIT("plain-0"))) == NULL, "nobody does");
    next->substitute = FG_LIT("named-1");
    CHECK(route_today(&w.cx, mine, catalogue_model(mine, FG_LIT("plain-0"))) == catalogue_model(mine, FG_LIT("named-1")),
          "a chain");
    end();
}

static bool but_not(void *arg, const struct cat_model *m)
{
    return m != arg;
}

TEST(the_first_of_a_route_that_fits_is_picked)
{
    static const struct {
        struct cat_wish wish;
        const char *want, *why;
    } row[] = {
        { { R("16:9"), .duration_s = 6 }, "named-1", "both can: the first" },
        { { R("16:9"), .duration_s = 5 }, "plain-1", "the first does not make 5 seconds" },
        { { R("1:1"), .duration_s = 6 }, "plain-1", "nor squares" },
        { { R("1:1"), .duration_s = 4 }, NULL, "nobody makes 4 seconds of a square" },
        { { R("16:9"), .duration_s = 6, .audio = AUDIO_ON }, "named-1", "" },
        { { R("16:9"), .duration_s = 5, .audio = AUDIO_ON }, NULL, "the other is silent" },
    };
    begin();
    for (size_t i = 0; i < FG_LEN(row); i++) {
        const struct cat_model *m = route_pick(&w.cx, c, c->default_route, &row[i].wish, NULL, NULL);
        CHECK_STR(m ? m->name : FG_NONE, fg_str_c(row[i].want), row[i].why);
    }
    struct cat_wish both = { R("16:9"), .duration_s = 6 };
    void *tried = (void *)(uintptr_t)model("named-1");
    CHECK(route_pick(&w.cx, c, c->default_route, &both, but_not, tried) == model("plain-1"), "after a failure");
    struct cat_route old = { .model = { model("local-1"), model("plain-0") }, .model_n = 2 };
    at("2026-10-01T00:00:00Z");
    CHECK(route_pick(&w.cx, c, &old, &both, NULL, NULL) == model("plain-1"), "not set up, and retired with a substitute");
    end();
}
