/* What goes to ComfyUI: pictures, and the template with values in it. */
#include "provider/comfyui.h"

#include "base/arena.h"
#include "base/scan.h"

#define WORKFLOW_MAX FG_MIB
#define CLIENT "filmgate"
#define FOLDER "fg"

static const struct {
    const char *type, *extension;
} pictures[] = { { "image/png", "png" }, { "image/jpeg", "jpg" }, { "image/webp", "webp" } };

enum fg_code comfyui_call(struct fg_ctx *cx, const struct provider_site *site, const char *method,
                          const char *path, struct fg_str id, struct fetch_call *out)
{
    struct sb url = sb_in(cx->mem, ADAPTER_URL_MAX);
    sb_add(&url, site->base_url);
    sb_add(&url, fg_str_c(path));
    sb_add_escaped(&url, id);
    return adapter_call(cx, &provider_comfyui, site, method, &url, out);
}

/* ---- the picture ---- */

static void add_field(struct sb *b, struct fg_str ref, const char *name, const char *value)
{
    sb_addf(b, "\r\n--%.*s\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s", FG_P(ref), name, value);
}

/* The boundary is our reference, made after the picture came: it cannot be in it. */
enum fg_code comfyui_upload_call(struct fg_ctx *cx, const struct provider_site *site, const struct gen_spec *spec,
                                 struct fetch_call *out)
{
    size_t i = 0;
    while (i < FG_LEN(pictures) && !fg_eq(spec->image_type, fg_str_c(pictures[i].type)))
        i++;
    if (i == FG_LEN(pictures) || !spec->image_bytes.n)
        return fg_fail(cx, FG_INVALID_REQUEST, "ComfyUI takes PNG, JPEG and WebP pictures, by their bytes");
    struct sb body = sb_in(cx->mem, ADAPTER_IMAGE_BODY_MAX);
    sb_addf(&body,
            "--%.*s\r\nContent-Disposition: form-data; name=\"image\"; filename=\"%.*s.%s\"\r\n"
            "Content-Type: %s\r\n\r\n",
            FG_P(spec->client_ref), FG_P(spec->client_ref), pictures[i].extension, pictures[i].type);
    sb_add(&body, spec->image_bytes);
    add_field(&body, spec->client_ref, "type", "input");
    add_field(&body, spec->client_ref, "overwrite", "true");
    sb_addf(&body, "\r\n--%.*s--\r\n", FG_P(spec->client_ref));
    enum fg_code rc = comfyui_call(cx, site, "POST", "/upload/image", FG_NONE, out);
    if (rc == FG_OK && body.bad)
        rc = fg_fail(cx, FG_TOO_LARGE, "provider request over %zu bytes", body.max);
    if (rc != FG_OK)
        return rc;
    out->body = sb_str(&body);
    fetch_add_header(out, FG_LIT("Content-Type"),
                     arena_fmt(cx->mem, "multipart/form-data; boundary=%.*s", FG_P(spec->client_ref)));
    return FG_OK;
}

/* ---- submit ---- */

struct filling {
    const struct gen_spec *spec;
    unsigned done; /* a bit per enum gen_param */
};

/* Writes the parameter whose place ("6.inputs.text") this is; false: it is nobody's. */
static bool fill(struct fg_ctx *cx, struct jw *w, struct filling *f, struct fg_str node, struct fg_str input)
{
    for (unsigned p = 0; p < PARAM_N; p++) {
        const struct spelling *s = &f->spec->wire->param[p];
        struct fg_str path = s->name;
        if (!adapter_has(f->spec, (enum gen_param)p) || !scan_lit(&path, node) ||
            !scan_lit(&path, FG_LIT(".inputs.")) || !fg_eq(path, input))
            continue;
        struct fg_str v = adapter_value(cx, f->spec, (enum gen_param)p);
        if (s->as == SPELL_TEXT)
            jw_str(w, NULL, v);
        else
            jw_raw(w, NULL, v);
        f->done |= 1u << p;
        return true;
    }
    return false;
}

/* A workflow that is the same as an earlier one, seed and all, runs no node and gives out the earlier one's
 * file. A file name of its own makes it another. */
static bool names_file(const struct gen_spec *spec, struct fg_str node, struct fg_str input)
{
    struct fg_str saver = spec->wire->output_node;
    return FG_IS(input, "filename_prefix") && (!saver.n || fg_eq(node, saver));
}

static void write_inputs(struct fg_ctx *cx, struct jw *w, struct filling *f, struct fg_str node,
                         const struct js *inputs)
{
    struct fg_str input;
    const struct js *v;
    jw_open(w, "inputs");
    for (size_t it = 0; js_next(inputs, &it, &input, &v); w->comma = true) {
        jw_key(w, input);
        if (fill(cx, w, f, node, input))
            continue;
        if (names_file(f->spec, node, input))
            jw_str(w, NULL, arena_fmt(cx->mem, FOLDER "/%.*s", FG_P(f->spec->client_ref)));
        else
            js_write(w->b, v);
    }
    jw_close(w);
}

static void write_workflow(struct fg_ctx *cx, struct jw *w, struct filling *f)
{
    struct fg_str node, key;
    const struct js *members, *v;
    jw_open(w, "prompt");
    for (size_t it = 0; js_next(f->spec->wire->workflow, &it, &node, &members);) {
        jw_key(w, node);
        jw_open(w, NULL);
        for (size_t at = 0; js_next(members, &at, &key, &v); w->comma = true) {
            if (FG_IS(key, "inputs")) {
                write_inputs(cx, w, f, node, v);
                continue;
            }
            jw_key(w, key);
            js_write(w->b, v);
        }
        jw_close(w);
    }
    jw_close(w);
}

static enum fg_code write_request(struct fg_ctx *cx, struct sb *b, const struct gen_spec *spec)
{
    const struct gen_wire *wire = spec->wire;
    struct filling f = { .spec = spec };
    struct jw w = jw_on(b);
    jw_open(&w, NULL);
    jw_str(&w, "prompt_id", spec->client_ref);
    jw_str(&w, "client_id", FG_LIT(CLIENT));
    write_workflow(cx, &w, &f);
    if (wire->output_node.n) { /* and nothing else that the template may save or preview */
        jw_open_array(&w, "partial_execution_targets");
        jw_str(&w, NULL, wire->output_node);
        jw_close_array(&w);
    }
    adapter_write_fixed(&w, spec);
    jw_close(&w);
    for (unsigned p = 0; p < PARAM_N; p++)
        if (adapter_has(spec, (enum gen_param)p) && !(f.done & 1u << p))
            return fg_fail(cx, FG_INVALID_REQUEST, "The workflow has no input %.*s", FG_P(wire->param[p].name));
    return FG_OK;
}

enum fg_code comfyui_submit_call(struct fg_ctx *cx, const struct provider_site *site, const struct gen_spec *spec,
                                 struct fetch_call *out)
{
    const struct gen_wire *wire = spec->wire;
    if (js_type(wire->workflow) != JS_OBJECT)
        return fg_fail(cx, FG_INVALID_REQUEST, "This model has no workflow");
    if (wire->output_node.n && !js_get(wire->workflow, arena_cstr(cx->mem, wire->output_node)))
        return fg_fail(cx, FG_INVALID_REQUEST, "The workflow has no node %.*s", FG_P(wire->output_node));
    if ((spec->image_url.p || spec->image_bytes.p) && !spec->image_name.p)
        return fg_fail(cx, FG_INVALID_REQUEST, "ComfyUI takes a picture that has been uploaded to it");
    struct sb body = sb_in(cx->mem, WORKFLOW_MAX);
    enum fg_code rc = write_request(cx, &body, spec);
    if (rc == FG_OK)
        rc = comfyui_call(cx, site, "POST", "/prompt", FG_NONE, out);
    if (rc == FG_OK)
        rc = adapter_body(cx, &body, out);
    if (rc == FG_OK)
        out->once = true;
    return rc;
}
