#include "file.h"

#include "base/scan.h"
#include "handlers.h"

enum fg_code file_link(struct fg_ctx *cx, const struct web_req *req, struct fg_str *exp, struct fg_str *sig)
{
    if (scan_query(cx->mem, req->query, FG_LIT("exp"), exp) == 1 && scan_query(cx->mem, req->query, FG_LIT("sig"), sig) == 1)
        return FG_OK;
    return fg_fail(cx, FG_LINK_INVALID, "The link is not whole.");
}

enum fg_code file_answer(struct fg_ctx *cx, const struct web_app *app, const struct web_req *req,
                         const struct web_file *f, struct web_resp *resp)
{
    struct fg_str known = req->header[WEB_IF_NONE_MATCH];
    const struct serve_how how = { f->content_type, f->disposition, f->ttl_s, FG_IS(req->method, "HEAD") };
    struct serve_to to;
    web_header(cx, resp, "Cache-Control", fg_str_c(f->caching));
    if (known.p && jobs_etag_matches(known, f->etag)) {
        resp->status = 304;
        web_header(cx, resp, "ETag", f->etag);
        return FG_OK;
    }
    enum fg_code rc = store_serve(cx, app->conf, &f->file, &how, &to);
    if (rc != FG_OK)
        return rc;
    resp->content_type = how.content_type;
    if (to.location.p) { /* a tag of the way would be taken for one of the file */
        resp->status = 302;
        web_header(cx, resp, "Location", to.location);
        return FG_OK;
    }
    web_header(cx, resp, "ETag", f->etag); /* nginx makes it the file's */
    web_header(cx, resp, "X-Accel-Redirect", to.accel);
    web_header(cx, resp, "Content-Disposition", how.disposition);
    return FG_OK;
}
