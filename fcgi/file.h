/* The answer that is a stored file: handed over to nginx, or a link into the bucket, or "as you know it". */
#ifndef FG_FCGI_FILE_H
#define FG_FCGI_FILE_H

#include "media/store.h"
#include "web.h"

#define FILE_CACHED_S 600 /* as long as a browser may use what it has without asking */
#define FILE_CACHED "private, max-age=600"

struct web_file {
    struct stored file;
    struct fg_str content_type, disposition;
    struct fg_str etag;       /* of the content, quoted */
    const char *caching;      /* Cache-Control */
    int64_t ttl_s;            /* of a link into the bucket */
};

/* FG_IO when the store cannot serve it. */
enum fg_code file_answer(struct fg_ctx *cx, const struct web_app *app, const struct web_req *req,
                         const struct web_file *f, struct web_resp *resp) FG_MUST_CHECK;
/* What a signed link has besides its path. FG_LINK_INVALID when it is not whole. */
enum fg_code file_link(struct fg_ctx *cx, const struct web_req *req, struct fg_str *exp, struct fg_str *sig) FG_MUST_CHECK;

#endif
