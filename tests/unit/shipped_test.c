/* Every model of the shipped catalogue makes a request: its adapter takes what the catalogue says of it, and everything
 * that was wished for is in the body. */
#include "io/json.h"
#include "unit/catalogue_kit.h"

#define REF "5b1c1a0e-3c0f-4a53-9f0e-2f7f1f1b2c3d"
#define PROMPT "a red kite over dunes"
#define NEGATIVE "rain and fog"
#define SEED 123454321
#define IMAGE "https://x.example/first.png"

static struct t_world w;
static struct conf conf;
static const struct catalogue *c;

static struct gen_spec spec_of(const struct cat_model *m, bool image, unsigned size)
{
    bool picture_decides = image && m->image_decides_ratio;
    struct gen_spec s = {
        .model = catalogue_remote(m, image),
        .wire = &m->wire,
        .prompt = FG_LIT(PROMPT),
        .negative = m->negative ? FG_LIT(NEGATIVE) : FG_NONE,
        .aspect_ratio = picture_decides ? FG_NONE : m->size[size].aspect_ratio,
        .resolution = m->size[size].resolution,
        .width = picture_decides ? 0 : m->size[size].width,
        .height = picture_decides ? 0 : m->size[size].height,
        .has_seed = m->seed,
        .seed = SEED,
        .audio = catalogue_audio(m, AUDIO_ON),
        .client_ref = FG_LIT(REF),
        .callback_url = m->provider->callbacks ? FG_LIT("https://gw.example/hooks/x/cb_1") : FG_NONE,
    };
    while (!(m->durations >> s.duration_s & 1))
        s.duration_s++;
    if (!image)
        return s;
    s.image_url = FG_LIT(IMAGE);
    if (m->adapter->image_by == IMAGE_BY_UPLOAD)
        s.image_name = FG_LIT("first.png");
    if (m->adapter->image_by == IMAGE_BY_BYTES) {
        s.image_bytes = FG_LIT("\x89PNG");
        s.image_type = FG_LIT("image/png");
    }
    return s;
}

static bool says(struct fg_str body, const char *word)
{
    return strstr(arena_cstr(w.cx.mem, body), word) != NULL;
}

static void check_request(const struct cat_model *m, bool image, unsigned size)
{
    struct fetch_call call = { 0 };
    const struct js *body;
    struct gen_spec s = spec_of(m, image, size);
    const char *name = m->name.p;
    CHECK_CODE(&w.cx, m->adapter->submit_call(&w.cx, &m->provider->site, &s, &call), FG_OK);
    CHECK(call.once && call.url.n && FG_IS(fg_str_c(call.method), "POST"), name);
    CHECK(js_parse(&w.cx, call.body, &body) == FG_OK, name);
    CHECK(says(call.body, PROMPT), name);
    CHECK(says(call.body, NEGATIVE) == m->negative, name);
    CHECK(says(call.body, "123454321") == m->seed, name);
    CHECK(says(call.body, "first.png") || m->adapter->image_by == IMAGE_BY_BYTES || !image, name);
}

TEST(every_shipped_model_makes_a_request)
{
    t_begin(&w);
    conf = (struct conf){ .server_public_url = FG_LIT("https://gw.example"),
                          .catalogue_file = FG_LIT("core/provider/catalogue.json") };
    CHECK_CODE(&w.cx, catalogue_load(&w.cx, &conf, &c), FG_OK);
    for (unsigned i = 0; i < c->model_n; i++) {
        const struct cat_model *m = &c->model[i];
        for (unsigned k = 0; k < m->size_n; k++) {
            if (m->image != CAT_REQUIRED)
                check_request(m, false, k);
            if (m->image != CAT_NONE)
                check_request(m, true, k);
        }
    }
    catalogue_drop(c);
    t_end(&w, 0);
}
