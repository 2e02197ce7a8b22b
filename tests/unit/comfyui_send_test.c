/* ComfyUI, the way there: templates filled in, pictures taken there, what the answers come to. */
#include "adapter_kit.h"
#include "provider/adapter.h"

#define BASE "http://127.0.0.1:8188"
#define ID "5b1c1a0e-3c0f-4a53-9f0e-2f7f1f1b2c3d"

static const struct provider *const comfy = &provider_comfyui;
static const struct provider_site site = { .name = { "comfyui", 7 }, .base_url = { BASE, sizeof BASE - 1 } };
static const struct provider_site behind_proxy = {
    .name = { "comfyui", 7 }, .base_url = { BASE, sizeof BASE - 1 }, .key = { "proxy-key", 9 }
};

/* ---- submit ---- */

#define SAMPLER(seed) \
    "\"3\":{\"class_type\":\"KSampler\",\"inputs\":{\"seed\":" seed ",\"steps\":20,\"model\":[\"4\",0]}}"
#define SAVER(prefix)                                                                                   \
    "\"9\":{\"class_type\":\"SaveVideo\",\"inputs\":{\"video\":[\"8\",0],\"filename_prefix\":\"" prefix \
    "\",\"format\":\"mp4\",\"codec\":\"h264\"}}"
#define NODE(n, class, inputs) "\"" n "\":{\"class_type\":\"" class "\",\"inputs\":{" inputs "}}"

static void place(struct gen_wire *wire, enum gen_param p, const char *path, enum spell_as as)
{
    wire->param[p] = (struct spelling){ .name = fg_str_c(path), .as = as };
}

TEST(the_recorded_request)
{
    struct t_world w;
    struct fetch_call c;
    struct gen_wire wire = { 0 };
    struct gen_spec spec = kite("wan", &wire);
    t_begin(&w);
    wire.workflow = parsed(&w.cx, "{" SAMPLER("7") "," SAVER("video/ComfyUI") "}");
    place(&wire, PARAM_SEED, "3.inputs.seed", SPELL_NUMBER);
    spec.has_seed = true;
    spec.seed = 42;
    CHECK_CODE(&w.cx, comfy->submit_call(&w.cx, &site, &spec, &c), FG_OK);
    CHECK_IS(fg_str_c(c.method), "POST", "a submit");
    CHECK_IS(c.url, BASE "/prompt", "to the queue");
    CHECK_IS(c.body,
             "{\"prompt_id\":\"" ID
             "\",\"client_id\":\"filmgate\",\"prompt\":{" SAMPLER("42") "," SAVER("fg/" ID) "}}",
             "as documented, the file named after the attempt");
    CHECK_IS(header_of(&c, FG_LIT("Content-Type")), "application/json", "JSON");
    CHECK(!header_of(&c, FG_LIT("Origin")).p && !c.secret.name.p, "no origin, no key");
    CHECK(c.once, "it does not know a second one for the same");
    CHECK_CODE(&w.cx, comfy->submit_call(&w.cx, &behind_proxy, &spec, &c), FG_OK);
    CHECK_IS(c.secret.value, "Bearer proxy-key", "a proxy before it may want one");
    t_end(&w, 0);
}

static const struct js *stored(struct fg_ctx *cx, const char *name)
{
    const struct js *v = NULL;
    CHECK_CODE(cx, js_parse(cx, recorded(cx, 200, name).body, &v), FG_OK);
    return v;
}

TEST(every_parameter_finds_its_input)
{
    struct t_world w;
    struct fetch_call c;
    struct gen_wire wire = { .output_node = FG_LIT("9") };
    struct gen_spec spec = kite("wan", &wire);
    t_begin(&w);
    wire.workflow = stored(&w.cx, "comfyui/template.json");
    wire.fixed = parsed(&w.cx, "{\"front\":true,\"extra_data\":{\"a\":1}}");
    place(&wire, PARAM_PROMPT, "6.inputs.text", SPELL_TEXT);
    place(&wire, PARAM_NEGATIVE, "12:7.inputs.text.style", SPELL_TEXT);
    place(&wire, PARAM_WIDTH, "5.inputs.width", SPELL_NUMBER);
    place(&wire, PARAM_HEIGHT, "5.inputs.height", SPELL_NUMBER);
    place(&wire, PARAM_IMAGE, "11.inputs.image", SPELL_TEXT);
    place(&wire, PARAM_AUDIO, "10.inputs.on", SPELL_BOOL);
    wire.param[PARAM_DURATION] = (struct spelling){
        .name = FG_LIT("5.inputs.length"), .as = SPELL_NUMBER, .fps = 16, .more_frames = 1
    };
    spec.prompt = FG_LIT("say \"hi\"\n");
    spec.negative = FG_LIT("rain");
    spec.audio = AUDIO_OFF;
    spec.image_url = FG_LIT("https://gw.example/in/1.png");
    spec.image_name = FG_LIT("sub/a (1).png");
    CHECK_CODE(&w.cx, comfy->submit_call(&w.cx, &site, &spec, &c), FG_OK);
    struct sb want = sb_in(w.cx.mem, 4000);
    js_write(&want, stored(&w.cx, "comfyui/request.json"));
    CHECK_STR(c.body, sb_str(&want), "all of them, nothing else, and only the wanted node runs");
    spec.negative = FG_NONE;
    spec.audio = AUDIO_ANY;
    CHECK_CODE(&w.cx, comfy->submit_call(&w.cx, &site, &spec, &c), FG_OK);
    CHECK(strstr(c.body.p, "\"text.style\":\"y\"") && strstr(c.body.p, "\"on\":true"),
          "what was not asked for stays as the template has it");
    t_end(&w, 0);
}

TEST(templates_that_do_not_fit)
{
    static const struct {
        const char *why, *workflow, *path, *output_node;
    } row[] = {
        { "no template", NULL, "6.inputs.text", "" },
        { "a list", "[]", "6.inputs.text", "" },
        { "no such node", "{" SAVER("x") "}", "6.inputs.text", "" },
        { "no such input", "{" NODE("6", "Text", "\"txt\":1") "}", "6.inputs.text", "" },
        { "not an input", "{" NODE("6", "Text", "\"text\":1") "}", "6.class_type", "" },
        { "no path", "{" NODE("6", "Text", "\"text\":1") "}", "prompt", "" },
        { "deeper than inputs are", "{" NODE("6", "Text", "\"text\":{\"a\":1}") "}", "6.inputs.text.a", "" },
        { "nodes that are none", "{\"6\":7,\"7\":[],\"8\":{\"inputs\":1}}", "6.inputs.text", "" },
        { "no such output", "{" NODE("6", "Text", "\"text\":1") "}", "6.inputs.text", "9" },
    };
    struct t_world w;
    struct fetch_call c;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct gen_wire wire = { .output_node = fg_str_c(row[i].output_node) };
        struct gen_spec spec = kite("wan", &wire);
        if (row[i].workflow)
            wire.workflow = parsed(&w.cx, row[i].workflow);
        place(&wire, PARAM_PROMPT, row[i].path, SPELL_TEXT);
        CHECK_I64(comfy->submit_call(&w.cx, &site, &spec, &c), FG_INVALID_REQUEST, row[i].why);
        CHECK(w.cx.err.detail[0], "it says why");
    }
    t_end(&w, 0);
}

TEST(two_parameters_cannot_have_one_input)
{
    struct t_world w;
    struct fetch_call c;
    struct gen_wire wire = { 0 };
    struct gen_spec spec = kite("wan", &wire);
    t_begin(&w);
    wire.workflow = parsed(&w.cx, "{" NODE("6", "Text", "\"text\":1") "}");
    place(&wire, PARAM_PROMPT, "6.inputs.text", SPELL_TEXT);
    CHECK_CODE(&w.cx, comfy->submit_call(&w.cx, &site, &spec, &c), FG_OK);
    place(&wire, PARAM_RATIO, "6.inputs.text", SPELL_TEXT);
    CHECK_CODE(&w.cx, comfy->submit_call(&w.cx, &site, &spec, &c), FG_INVALID_REQUEST);
    place(&wire, PARAM_RATIO, "", SPELL_TEXT);
    spec.image_url = FG_LIT("https://gw.example/in/1.png");
    CHECK_CODE(&w.cx, comfy->submit_call(&w.cx, &site, &spec, &c), FG_INVALID_REQUEST);
    t_end(&w, 0);
}

static struct submit_reply submit(struct fg_ctx *cx, const struct fetch_reply *r)
{
    struct submit_reply got;
    comfy->submit_reply(cx, &site, r, &got);
    return got;
}

TEST(the_recorded_answers_to_a_submit)
{
    static const struct {
        const char *file;
        int status;
        enum submit_outcome outcome;
        const char *words;
    } row[] = {
        { "comfyui/submitted.json", 200, SUBMIT_ACCEPTED, NULL },
        { "comfyui/node_errors.json", 200, SUBMIT_REFUSED,
          "HTTP 200 node_errors: SaveVideo 9: required_input_missing, video" },
        { "comfyui/refused.json", 400, SUBMIT_REFUSED,
          "HTTP 400 prompt_outputs_failed_validation: KSampler 3: value_not_in_list, sampler_name: 'eulr' "
          "not in (list of length 40)" },
        { "comfyui/invalid_prompt_id.json", 400, SUBMIT_REFUSED,
          "HTTP 400 invalid_prompt_id: prompt_id must be a UUID" },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = recorded(&w.cx, row[i].status, row[i].file);
        struct submit_reply got = submit(&w.cx, &r);
        bool accepted = row[i].outcome == SUBMIT_ACCEPTED;
        CHECK_I64(got.outcome, row[i].outcome, row[i].file);
        CHECK_I64(got.reason, accepted ? REASON_NONE : REASON_REFUSED, row[i].file);
        CHECK_STR(got.id, accepted ? FG_LIT(ID) : FG_NONE, row[i].file);
        CHECK_STR(got.words, fg_str_c(row[i].words), row[i].file);
    }
    t_end(&w, 0);
}

TEST(what_a_submit_comes_to)
{
    static const struct {
        const char *why;
        int status;
        const char *body;
        enum submit_outcome outcome;
        enum remote_reason reason;
    } row[] = {
        { "an old one's empty list", 200, "{\"prompt_id\":\"a\",\"node_errors\":[]}", SUBMIT_ACCEPTED,
          REASON_NONE },
        { "no id", 200, "{\"number\":17}", SUBMIT_UNKNOWN, REASON_NONSENSE },
        { "a number", 200, "{\"prompt_id\":17}", SUBMIT_UNKNOWN, REASON_NONSENSE },
        { "nonsense through and through", 200, "{\"prompt_id\":{\"text\":\"a\"},\"node_errors\":[{}]}", SUBMIT_UNKNOWN,
          REASON_NONSENSE },
        { "errors of no job", 200, "{\"prompt_id\":17,\"node_errors\":{\"3\":{}}}", SUBMIT_UNKNOWN, REASON_NONSENSE },
        { "no JSON", 200, "<html>", SUBMIT_UNKNOWN, REASON_NONSENSE },
        { "no_prompt", 400, "{\"error\":{\"type\":\"no_prompt\"},\"node_errors\":{}}", SUBMIT_REFUSED,
          REASON_REFUSED },
        { "an old one's text", 400, "{\"error\":\"no prompt\",\"node_errors\":[]}", SUBMIT_REFUSED,
          REASON_REFUSED },
        { "odd errors", 400, "{\"error\":[],\"node_errors\":{\"3\":7}}", SUBMIT_REFUSED, REASON_REFUSED },
        { "a bare 403", 403, "", SUBMIT_REFUSED, REASON_AUTH },
        { "the proxy's", 401, "", SUBMIT_REFUSED, REASON_AUTH },
        { "a text", 500, "500 Internal Server Error", SUBMIT_UNKNOWN, REASON_FAILED },
        { "the proxy's", 502, "", SUBMIT_UNKNOWN, REASON_FAILED },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = answer(row[i].status, row[i].body);
        struct submit_reply got = submit(&w.cx, &r);
        CHECK_I64(got.outcome, row[i].outcome, row[i].why);
        CHECK_I64(got.reason, row[i].reason, row[i].why);
        CHECK(got.words.n || got.outcome == SUBMIT_ACCEPTED, row[i].why);
    }
    for (int end = FETCH_NOT_SENT; end <= FETCH_LOCAL_IO; end++) {
        struct fetch_reply r = { .end = (enum fetch_end)end, .words = FG_LIT("gone") };
        bool sent = end != FETCH_NOT_SENT && end != FETCH_REFUSED;
        CHECK_I64(submit(&w.cx, &r).outcome, sent ? SUBMIT_UNKNOWN : SUBMIT_NOT_SENT, "no answer");
    }
    t_end(&w, 0);
}

/* ---- pictures ---- */

TEST(a_picture_is_taken_there)
{
    struct t_world w;
    struct fetch_call c;
    struct gen_wire wire = { 0 };
    struct gen_spec spec = kite("wan", &wire);
    t_begin(&w);
    spec.image_bytes = FG_LIT("\xff\xd8\0\r\n--x");
    spec.image_type = FG_LIT("image/jpeg");
    CHECK_CODE(&w.cx, comfy->upload_call(&w.cx, &behind_proxy, &spec, &c), FG_OK);
    CHECK_IS(fg_str_c(c.method), "POST", "an upload");
    CHECK_IS(c.url, BASE "/upload/image", "of a picture");
    CHECK_IS(header_of(&c, FG_LIT("Content-Type")), "multipart/form-data; boundary=" ID,
             "one type, of the form");
    CHECK_I64(c.header_n, 1, "and not JSON's");
    CHECK_IS(c.body,
             "--" ID "\r\nContent-Disposition: form-data; name=\"image\"; filename=\"" ID ".jpg\"\r\n"
             "Content-Type: image/jpeg\r\n\r\n\xff\xd8\0\r\n--x\r\n"
             "--" ID "\r\nContent-Disposition: form-data; name=\"type\"\r\n\r\ninput\r\n"
             "--" ID "\r\nContent-Disposition: form-data; name=\"overwrite\"\r\n\r\ntrue\r\n"
             "--" ID "--\r\n",
             "byte for byte");
    CHECK_IS(c.secret.value, "Bearer proxy-key", "the proxy's key");
    CHECK(!c.once, "the same name again: it may be repeated");
    spec.image_type = FG_LIT("image/png\"\r\nX: y");
    CHECK_CODE(&w.cx, comfy->upload_call(&w.cx, &site, &spec, &c), FG_INVALID_REQUEST);
    spec.image_type = FG_LIT("image/png");
    spec.image_bytes = FG_NONE;
    CHECK_CODE(&w.cx, comfy->upload_call(&w.cx, &site, &spec, &c), FG_INVALID_REQUEST);
    spec.image_bytes = (struct fg_str){ calloc(1, ADAPTER_IMAGE_BODY_MAX), ADAPTER_IMAGE_BODY_MAX };
    CHECK_CODE(&w.cx, comfy->upload_call(&w.cx, &site, &spec, &c), FG_TOO_LARGE);
    free((void *)(uintptr_t)spec.image_bytes.p);
    t_end(&w, 0);
}

TEST(what_it_called_the_picture)
{
    static const struct {
        int status;
        const char *body, *name;
    } row[] = {
        { 200, "{\"name\":\"a.png\",\"subfolder\":\"in\",\"type\":\"input\"}", "in/a.png" },
        { 200, "{\"name\":\"a.png\"}", "a.png" },
        { 200, "{\"name\":\"a.png\",\"subfolder\":\"\",\"type\":\"temp\"}", NULL },
        { 200, "{\"name\":\"\",\"subfolder\":\"in\",\"type\":\"input\"}", NULL },
        { 200, "{\"name\":7}", NULL },
        { 200, "{}", NULL },
        { 200, "", NULL },
        { 400, "{\"name\":\"a.png\"}", NULL },
        { 413, "", NULL },
    };
    struct t_world w;
    struct fg_str name;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fetch_reply r = answer(row[i].status, row[i].body);
        comfy->upload_reply(&w.cx, &r, &name);
        CHECK_STR(name, fg_str_c(row[i].name), row[i].body);
    }
    struct fetch_reply r = recorded(&w.cx, 200, "comfyui/uploaded.json");
    comfy->upload_reply(&w.cx, &r, &name);
    CHECK_IS(name, "a (1).png", "as it says");
    r.end = FETCH_UNKNOWN;
    comfy->upload_reply(&w.cx, &r, &name);
    CHECK(!name.p, "no answer, no name");
    r = answer(200, arena_fmt(w.cx.mem, "{\"name\":\"%0300d\"}", 0).p);
    comfy->upload_reply(&w.cx, &r, &name);
    CHECK(!name.p, "a name without end");
    t_end(&w, 0);
}

TEST(half_an_answer_is_none)
{
    struct t_world w;
    struct fg_str name;
    t_begin(&w);
    struct fetch_reply accepted = recorded(&w.cx, 200, "comfyui/submitted.json");
    struct fetch_reply taken = recorded(&w.cx, 200, "comfyui/uploaded.json");
    for (accepted.body.n -= 2; accepted.body.n > 0; accepted.body.n--) /* the last byte is a line feed */
        CHECK_I64(submit(&w.cx, &accepted).outcome, SUBMIT_UNKNOWN, "no id");
    for (taken.body.n -= 2; taken.body.n > 0; taken.body.n--) {
        comfy->upload_reply(&w.cx, &taken, &name);
        CHECK(!name.p, "no name");
    }
    t_end(&w, 0);
}
