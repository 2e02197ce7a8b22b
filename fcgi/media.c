#include "base/arena.h"
#include "base/id.h"
#include "base/scan.h"
#include "base/time.h"
#include "handlers.h"
#include "job/store.h"
#include "media/link.h"

static const struct {
    const char *name, *type, *suffix;
    enum media_part part;
} parts[] = {
    { "video", "video/mp4", "mp4", MEDIA_VIDEO },
    { "poster", "image/jpeg", "jpg", MEDIA_POSTER },
};

/* Whoever follows a link need not be signed in: it is bound to job, account and part instead. */
static enum fg_code find_job(struct fg_ctx *cx, const struct web_app *app,
                             const struct web_req *req, enum media_part part, struct job *j)
{
    struct fg_str exp = FG_NONE, sig = FG_NONE;
    bool found = false;
    if (scan_query(cx->mem, req->query, FG_LIT("exp"), &exp) != 1 ||
        scan_query(cx->mem, req->query, FG_LIT("sig"), &sig) != 1)
        return fg_fail(cx, FG_LINK_INVALID, "The link is not whole.");
    enum fg_code rc = FG_OK;
    if (id_valid(req->arg[0], FG_LIT("job_")))
        rc =
            db_one(cx, app->db, SQL_JOB_BY_PUBLIC_ID, DB_ARGS(DB(req->arg[0])), job_row, j, &found);
    if (rc == FG_OK && !found)
        rc = fg_fail(cx, FG_LINK_INVALID, "The link's signature does not fit.");
    if (rc == FG_OK)
        rc = link_check(cx, app->pepper, j->public_id, j->account_id, part, exp, sig);
    return rc;
}

static enum fg_code gone(struct fg_ctx *cx, int64_t deleted_us)
{
    struct fg_str when = time_iso(cx->mem, deleted_us);
    return fg_fail(cx, FG_GONE, "The file was deleted at %.*s.", FG_P(when));
}

enum fg_code media_get(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                       struct web_resp *resp)
{
    size_t i = 0;
    while (i < FG_LEN(parts) && !fg_eq(req->arg[1], fg_str_c(parts[i].name)))
        i++;
    if (i == FG_LEN(parts))
        return fg_fail(cx, FG_NOT_FOUND, "There is nothing at this address.");
    struct job j;
    enum fg_code rc = find_job(cx, app, req, parts[i].part, &j);
    if (rc != FG_OK)
        return rc;
    struct output o;
    rc = output_of_job(cx, app->db, j.id, &o);
    if (rc != FG_OK)
        return rc;
    if (j.output_state == OUTPUT_DELETED)
        return gone(cx, o.deleted_us);
    struct fg_str file = parts[i].part == MEDIA_VIDEO ? o.video_file : o.poster_file;
    resp->content_type = fg_str_c(parts[i].type);
    web_header(cx, resp, "X-Accel-Redirect", arena_fmt(cx->mem, "/_store/%.*s", FG_P(file)));
    web_header(cx, resp, "Content-Disposition",
               arena_fmt(cx->mem, "inline; filename=\"filmgate-%.*s.%s\"", FG_P(j.public_id),
                         parts[i].suffix));
    web_header(cx, resp, "Cache-Control", FG_LIT("private, max-age=600"));
    return FG_OK;
}
