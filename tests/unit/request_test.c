/* The door: which model a request gets, what it leaves out, and what is said when none fits. */
#include "job/request.h"

#include "base/time.h"
#include "unit/catalogue_kit.h"

#define SMALL "tests/data/catalogue/small.json"

static struct t_world w;
static struct conf conf;
static struct job_env env;
static const uint8_t pepper[HASH_LEN];
static struct job_request r;
static const struct identity who = { .account_id = 1, .role = ROLE_APP };

/* The small catalogue, with one thing in it replaced; from NULL: nothing. */
static void begin_with(const char *from, const char *to)
{
    t_begin(&w);
    conf = (struct conf){ .sweeper_deadline_s = 3600, .provider_n = 2 };
    conf.provider[0] = (struct conf_provider){ .name = FG_LIT("plain"), .key = FG_LIT("k") };
    conf.provider[1] = (struct conf_provider){ .name = FG_LIT("named"), .key = FG_LIT("k") };
    env = (struct job_env){ .conf = &conf, .pepper = pepper };
    struct fg_str text = t_file(&w.cx, SMALL);
    CHECK_CODE(&w.cx, kit_load(&w.cx, &conf, from ? kit_with(&w.cx, text, from, to) : text, &env.catalogue), FG_OK);
    CHECK(time_parse_iso(FG_LIT("2026-09-01T00:00:00Z"), &w.cx.now_us), "before anything retires");
}

static void end(void)
{
    catalogue_drop(env.catalogue);
    t_end(&w, 0);
}

static enum fg_code ask(const char *members)
{
    static const struct job_bounds anything = { .terms.currency = { "USD", 3 } };
    return job_request_read(&w.cx, &env, &who, &anything, arena_fmt(w.cx.mem, "{\"prompt\":\"x\",%s}", members), &r);
}

#define WIDE(seconds) "\"aspectRatio\":\"16:9\",\"duration\":" #seconds
#define IMAGE ",\"imageUrl\":\"https://x.example/a.png\""

TEST(a_model_or_a_route_may_be_named)
{
    static const struct { const char *body, *model, *route; int64_t price; } row[] = {
        { WIDE(6), "named-1", "main", 6000 },
        { WIDE(5), "plain-1", "main", 10000 },
        { WIDE(6) ",\"model\":\"other\"", "plain-1", "other", 12000 },
        { WIDE(6) ",\"model\":\"plain-1\"", "plain-1", NULL, 12000 },
        { WIDE(6) ",\"model\":\"plain-1\",\"resolution\":\"720p\"", "plain-1", NULL, 18000 },
        { WIDE(6) ",\"provider\":\"plain\"", "plain-1", "main", 12000 },
        { WIDE(6) ",\"provider\":\"named\",\"model\":\"main\"", "named-1", "main", 6000 },
        { WIDE(6) ",\"provider\":\"named\",\"model\":\"named-1\"", "named-1", NULL, 6000 },
        { WIDE(6) ",\"audio\":true", "named-1", "main", 9000 },
        { WIDE(6) ",\"audio\":false", "named-1", "main", 6000 },
        { WIDE(6) IMAGE, "named-1", "main", 6000 },
    };
    begin_with(NULL, NULL);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        CHECK_CODE(&w.cx, ask(row[i].body), FG_OK);
        CHECK_STR(r.model->name, fg_str_c(row[i].model), row[i].body);
        CHECK_STR(r.route, fg_str_c(row[i].route), row[i].body);
        CHECK_I64(r.price_micro, row[i].price, row[i].body);
        CHECK_IS(r.currency, "USD", row[i].body);
        CHECK(!r.replaces.p, row[i].body);
    }
    end();
}

TEST(what_a_model_leaves_out_is_said)
{
    begin_with(NULL, NULL);
    CHECK_CODE(&w.cx, ask(WIDE(5) ",\"seed\":7,\"negativePrompt\":\" rain \",\"audio\":false"), FG_OK);
    CHECK_IS(r.ignored, "negativePrompt", "plain-1 takes a seed and is silent anyway");
    CHECK_IS(r.negative, "rain", "trimmed, and kept for a model that takes it");
    CHECK(r.audio == AUDIO_OFF && r.has_seed && r.seed == 7, "as wished");
    CHECK_CODE(&w.cx, ask(WIDE(6) ",\"seed\":7,\"negativePrompt\":\"rain\""), FG_OK);
    CHECK(!r.ignored.p && r.size, "named-1 takes both");
    CHECK_CODE(&w.cx, ask(WIDE(6) ",\"negativePrompt\":\"  \"" IMAGE), FG_OK);
    CHECK_IS(r.ignored, "aspectRatio", "the picture decides");
    CHECK(!r.size && !r.negative.p, "and so there is no size; nothing but blanks is no negative prompt");
    end();
}

TEST(what_took_the_place_of_a_retired_model_serves)
{
    begin_with(NULL, NULL);
    CHECK_CODE(&w.cx, ask(WIDE(5) ",\"model\":\"plain-0\""), FG_OK);
    CHECK_IS(r.model->name, "plain-0", "still alive");
    CHECK(time_parse_iso(FG_LIT("2026-09-15T00:00:00Z"), &w.cx.now_us), "");
    CHECK_CODE(&w.cx, ask(WIDE(5) ",\"model\":\"plain-0\""), FG_OK);
    CHECK_IS(r.model->name, "plain-1", "its substitute");
    CHECK_IS(r.replaces, "plain-0", "and that is told");
    CHECK(!r.route.p, "a model was named");
    CHECK(ask(WIDE(9) ",\"model\":\"plain-0\"") == FG_INVALID_REQUEST, "which cannot do everything");
    CHECK_IS(fg_str_c(w.cx.err.field[0].path), "/duration", "");
    CHECK_IS(fg_str_c(w.cx.err.field[0].detail),
             "plain-0 was retired on 2026-09-15; plain-1 takes 5 to 8 seconds", "both are told");
    end();
}

TEST(a_model_that_retired_without_a_substitute_says_when)
{
    begin_with(",\n          \"substitute\": \"plain-1\"", "");
    CHECK(time_parse_iso(FG_LIT("2026-09-15T00:00:00Z"), &w.cx.now_us), "");
    CHECK(ask(WIDE(5) ",\"model\":\"plain-0\"") == FG_INVALID_REQUEST, "nobody stands for it");
    CHECK_I64(w.cx.err.field_n, 1, "");
    CHECK_IS(fg_str_c(w.cx.err.field[0].path), "/model", "");
    CHECK_IS(fg_str_c(w.cx.err.field[0].detail), "plain-0 was retired on 2026-09-15", "");
    end();
}

struct told {
    const char *path, *code, *detail;
};

TEST(when_none_fits_each_says_why)
{
    static const struct { const char *body; struct told want[3]; } row[] = {
        /* several could serve: by model */
        { WIDE(3), { { "/model", "unsupported", "named-1: takes 4, 6 or 8 seconds" },
                     { "/model", "unsupported", "plain-1: takes 5 to 8 seconds" } } },
        { "\"aspectRatio\":\"1:1\",\"duration\":6" IMAGE ",\"resolution\":\"4k\"",
          { { "/model", "unsupported", "named-1: does not make 4k" },
            { "/model", "unsupported", "plain-1: does not make 4k in 1:1" } } },
        /* one could: by field */
        { WIDE(9) ",\"model\":\"other\",\"audio\":true",
          { { "/duration", "range", "plain-1 takes 5 to 8 seconds" },
            { "/audio", "unsupported", "plain-1 makes no sound" } } },
        { WIDE(5) ",\"model\":\"named-1\"", { { "/duration", "range", "named-1 takes 4, 6 or 8 seconds" } } },
        { WIDE(5) ",\"provider\":\"named\"", { { "/duration", "range", "named-1 takes 4, 6 or 8 seconds" } } },
        { WIDE(2) ",\"model\":\"local-1\"",
          { { "/model", "unsupported", "local-1 is not set up here" },
            { "/imageUrl", "required", "local-1 needs a reference image" } } },
        /* what is not there */
        { WIDE(5) ",\"model\":\"nothing\"", { { "/model", "value", "is neither a model nor a route here" } } },
        { WIDE(5) ",\"provider\":\"nobody\"", { { "/provider", "value", "is not a provider here" } } },
        { WIDE(5) ",\"provider\":\"local\"", { { "/provider", "value", "has no model in the route main" } } },
        { WIDE(5) ",\"provider\":\"named\",\"model\":\"plain-1\"",
          { { "/model", "value", "is not a model of that provider" } } },
        { "\"aspectRatio\":\"4:3\",\"duration\":5",
          { { "/aspectRatio", "value", "must be one of: 16:9 1:1 9:16" } } },
        { WIDE(6) ",\"negativePrompt\":7", { { "/negativePrompt", "type", "must be a string" } } },
    };
    begin_with(NULL, NULL);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        CHECK(ask(row[i].body) == FG_INVALID_REQUEST, row[i].body);
        unsigned n = 0;
        for (; n < FG_LEN(row[i].want) && row[i].want[n].path; n++) {
            const struct fg_err_field *f = &w.cx.err.field[n];
            CHECK(n < w.cx.err.field_n, row[i].body);
            CHECK_STR(fg_str_c(f->path), fg_str_c(row[i].want[n].path), row[i].body);
            CHECK_STR(fg_str_c(f->code), fg_str_c(row[i].want[n].code), row[i].body);
            CHECK_STR(fg_str_c(f->detail), fg_str_c(row[i].want[n].detail), row[i].body);
        }
        CHECK_I64(w.cx.err.field_n, n, row[i].body);
    }
    end();
}

TEST(where_nothing_is_set_up_every_model_says_so)
{
    begin_with(NULL, NULL);
    struct catalogue *mine = arena_new_of(w.cx.mem, struct catalogue);
    *mine = *env.catalogue;
    for (unsigned i = 0; i < mine->provider_n; i++)
        mine->provider[i].set_up = false;
    for (unsigned i = 0; i < mine->model_n; i++)
        mine->model[i].provider = catalogue_provider(mine, mine->model[i].provider->name);
    const struct cat_route *route = mine->default_route;
    for (unsigned i = 0; i < route->model_n; i++)
        mine->route[0].model[i] = catalogue_model(mine, route->model[i]->name);
    mine->default_route = &mine->route[0];
    const struct catalogue *real = env.catalogue;
    env.catalogue = mine;
    CHECK(ask(WIDE(6)) == FG_INVALID_REQUEST, "nobody can");
    CHECK_I64(w.cx.err.field_n, 2, "both models of the route");
    CHECK_IS(fg_str_c(w.cx.err.field[1].detail), "plain-1: is not set up here", "");
    env.catalogue = real;
    end();
}
