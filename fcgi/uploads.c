#include "base/arena.h"
#include "base/scan.h"
#include "base/utf8.h"
#include "file.h"
#include "form.h"
#include "handlers.h"
#include "io/file.h"
#include "job/upload.h"
#include "media/link.h"
#include "query.h"

#define FIELD "file"
#define ENVELOPE_MAX (64 * (int64_t)FG_KIB) /* of a form, around the picture: nginx allows as much */
#define ANSWER_KEPT FG_LIT("private, no-cache")

struct asked {
    struct fg_str user_id;
};

static const char *read_user_id(struct fg_str text, void *into)
{
    struct asked *a = into;
    a->user_id = text;
    return text.n && utf8_count(text) <= JOB_USER_MAX ? NULL : "must have 1 to 128 characters";
}

static const struct query_param params[] = { { "userId", read_user_id } };

/* What a user's key stores is that user's; the account's key may say whose it is. */
static enum fg_code read_asked(struct fg_ctx *cx, const struct web_req *req, struct asked *out)
{
    struct fg_str own = fg_str_c(req->who.user_id);
    *out = (struct asked){ FG_NONE };
    enum fg_code rc = query_read(cx, req, params, FG_LEN(params), out);
    if (rc != FG_OK || req->who.role != ROLE_USER)
        return rc;
    if (out->user_id.p && !fg_eq(out->user_id, own))
        return fg_fail(cx, FG_FORBIDDEN, "This key may only store pictures of its own user.");
    out->user_id = arena_str(cx->mem, own);
    return FG_OK;
}

/* The body itself, or the one file of a form. */
static enum fg_code find_picture(struct fg_ctx *cx, const struct web_req *req, struct fg_str body, struct fg_str *out)
{
    struct form_part *part = arena_array(cx->mem, struct form_part, FORM_PARTS_MAX);
    struct fg_str boundary;
    size_t n, found = 0;
    *out = body;
    if (!form_boundary(req->content_type, &boundary))
        return FG_OK;
    enum fg_code rc = form_parse(cx, boundary, body, part, &n);
    for (size_t i = 0; rc == FG_OK && i < n; i++)
        if (FG_IS(part[i].name, FIELD) && found++ == 0)
            *out = part[i].value;
    if (rc == FG_OK && found != 1)
        rc = fg_fail(cx, FG_INVALID_REQUEST, "The form must have one field \"%s\"; it has %zu.", FIELD, found);
    return rc;
}

enum fg_code uploads_create(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct job_env env = web_job_env(app);
    struct fg_str body = req->body, picture;
    struct asked asked;
    struct upload u;
    bool made;
    enum fg_code rc = read_asked(cx, req, &asked);
    if (rc == FG_OK && req->body_file.n) /* nginx has written all of it, and removes it afterwards */
        rc = file_read(cx, req->body_file.p, app->conf->media_upload_bytes + ENVELOPE_MAX, &body);
    if (rc == FG_OK)
        rc = find_picture(cx, req, body, &picture);
    if (rc == FG_OK)
        rc = upload_create(cx, &env, &req->who, asked.user_id, picture, &u, &made);
    if (rc != FG_OK)
        return rc;
    resp->status = made ? 201 : 200;
    web_header(cx, resp, "Location", arena_fmt(cx->mem, "/v1/uploads/%.*s", FG_P(u.public_id)));
    web_header(cx, resp, "Cache-Control", FG_LIT("no-store"));
    upload_json(cx, &env, &u, &resp->body);
    return FG_OK;
}

enum fg_code uploads_get(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct job_env env = web_job_env(app);
    struct upload u;
    enum fg_code rc = upload_read(cx, &env, &req->who, req->arg[0], &u);
    if (rc != FG_OK)
        return rc;
    web_header(cx, resp, "Cache-Control", ANSWER_KEPT);
    upload_json(cx, &env, &u, &resp->body);
    return FG_OK;
}

enum fg_code uploads_delete(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct job_env env = web_job_env(app);
    enum fg_code rc = upload_delete(cx, &env, &req->who, req->arg[0]);
    if (rc == FG_OK)
        resp->status = 204;
    return rc;
}

/* ---- /media/{id}/{image|thumb}: the link is bound to upload, account and part ---- */

enum fg_code uploads_media(struct fg_ctx *cx, const struct web_app *app, const struct web_req *req, struct web_resp *resp)
{
    struct fg_str exp = FG_NONE, sig = FG_NONE, part = req->arg[1];
    bool image = FG_IS(part, "image");
    if (!image && !FG_IS(part, "thumb"))
        return fg_fail(cx, FG_NOT_FOUND, "There is nothing at this address.");
    enum fg_code rc = file_link(cx, req, &exp, &sig);
    if (rc != FG_OK)
        return rc;
    const struct upload_link link = { req->arg[0], image ? MEDIA_IMAGE : MEDIA_THUMB, exp, sig };
    struct upload u;
    rc = upload_follow(cx, app->db, app->pepper, &link, &u);
    if (rc != FG_OK)
        return rc;
    enum image_type type = image ? (enum image_type)u.type : IMAGE_JPEG;
    struct fg_str hex = hash_hex(cx->mem, u.etag.p, u.etag.n);
    const struct web_file f = {
        .file = { u.store, image ? u.file : u.thumb_file },
        .content_type = image_mime(type),
        .disposition = arena_fmt(cx->mem, "inline; filename=\"filmgate-%.*s%s\"", FG_P(u.public_id), image_suffix(type)),
        .etag = arena_fmt(cx->mem, "\"%.*s%s\"", FG_P(hex), image ? "" : "-thumb"),
        .caching = FILE_CACHED,
        .ttl_s = app->conf->media_link_ttl_s + FILE_CACHED_S,
    };
    return file_answer(cx, app, req, &f, resp);
}
