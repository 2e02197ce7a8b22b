#include "base/arena.h"
#include "base/id.h"
#include "base/scan.h"
#include "base/time.h"
#include "file.h"
#include "handlers.h"
#include "job/share.h"
#include "job/store.h"
#include "job/upload.h"
#include "media/link.h"
#include "media/name.h"

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
    enum fg_code rc = file_link(cx, req, &exp, &sig);
    if (rc == FG_OK && id_valid(req->arg[0], FG_LIT("job_")))
        rc =
            db_one(cx, app->db, SQL_JOB_BY_PUBLIC_ID, DB_ARGS(DB(req->arg[0])), job_row, j, &found);
    if (rc == FG_OK && !found)
        rc = fg_fail(cx, FG_LINK_INVALID, "The link's signature does not fit.");
    if (rc == FG_OK)
        rc = link_check(cx, app->pepper, j->public_id, j->account_id, part, exp, sig);
    return rc;
}

/* What a caller wants of a job's file. */
struct wanted {
    const struct job *job;
    unsigned part;            /* of parts[] */
    const char *caching;      /* Cache-Control */
    int64_t ttl_s;            /* of a link into the bucket */
};

static enum fg_code part_of(struct fg_ctx *cx, struct fg_str name, unsigned *part)
{
    for (*part = 0; *part < FG_LEN(parts); ++*part)
        if (fg_eq(name, fg_str_c(parts[*part].name)))
            return FG_OK;
    return fg_fail(cx, FG_NOT_FOUND, "There is nothing at this address.");
}

static enum fg_code gone(struct fg_ctx *cx, int64_t deleted_us)
{
    struct fg_str when = time_iso(cx->mem, deleted_us);
    return fg_fail(cx, FG_GONE, "The file was deleted at %.*s.", FG_P(when));
}

struct served {
    struct fg_str video_file, poster_file, digest;
    int store;
    int64_t deleted_us;
};

static enum fg_code read_output(struct fg_ctx *cx, struct db *db, const struct job *j, struct served *out)
{
    static const struct db_col cols[] = { COL(struct served, video_file), COL(struct served, poster_file),
                                          COL(struct served, store), COL(struct served, digest),
                                          COL(struct served, deleted_us) };
    bool found;
    enum fg_code rc = db_one(cx, db, SQL_OUTPUT_SERVED, DB_ARGS(DB(j->id)), DB_COLS(cols), out, &found);
    if (rc == FG_OK && !found)
        rc = fg_fail(cx, FG_NOT_FOUND, "The job has no file.");
    if (rc == FG_OK && (j->output_state == OUTPUT_DELETED || out->deleted_us))
        rc = gone(cx, out->deleted_us);
    return rc;
}

/* The content's hash: a poster is taken of the video once. */
static struct fg_str etag_of(struct fg_ctx *cx, const struct served *o, unsigned part)
{
    struct fg_str hex = hash_hex(cx->mem, o->digest.p, o->digest.n);
    return arena_fmt(cx->mem, "\"%.*s%s\"", FG_P(hex), parts[part].part == MEDIA_VIDEO ? "" : "-poster");
}

/* "?download=1": signed or not, it only says how a browser is to take it. */
static struct fg_str disposition(struct fg_ctx *cx, const struct web_req *req, const struct job *j, unsigned part)
{
    struct fg_str v = FG_NONE;
    bool download = scan_query(cx->mem, req->query, FG_LIT("download"), &v) == 1 && FG_IS(v, "1");
    return name_disposition(cx, j->prompt, arena_fmt(cx->mem, "filmgate-%.*s", FG_P(j->public_id)), parts[part].suffix,
                            download);
}

static enum fg_code serve(struct fg_ctx *cx, const struct web_app *app, const struct web_req *req,
                          const struct wanted *want, struct web_resp *resp)
{
    struct served o;
    enum fg_code rc = read_output(cx, app->db, want->job, &o);
    if (rc != FG_OK)
        return rc;
    const struct web_file f = {
        .file = { o.store, parts[want->part].part == MEDIA_VIDEO ? o.video_file : o.poster_file },
        .content_type = fg_str_c(parts[want->part].type),
        .disposition = disposition(cx, req, want->job, want->part),
        .etag = etag_of(cx, &o, want->part),
        .caching = want->caching,
        .ttl_s = want->ttl_s,
    };
    return file_answer(cx, app, req, &f, resp);
}

enum fg_code media_get(struct fg_ctx *cx, struct web_app *app, struct web_req *req,
                       struct web_resp *resp)
{
    if (id_valid(req->arg[0], UPLOAD_ID))
        return uploads_media(cx, app, req, resp);
    struct job j;
    struct wanted want = { .job = &j, .caching = FILE_CACHED, .ttl_s = app->conf->media_link_ttl_s + FILE_CACHED_S };
    enum fg_code rc = part_of(cx, req->arg[1], &want.part);
    if (rc == FG_OK)
        rc = find_job(cx, app, req, parts[want.part].part, &j);
    return rc == FG_OK ? serve(cx, app, req, &want, resp) : rc;
}

#define SHARED_TTL_S 60 /* a redirect into the bucket outlives a revocation by so much */

/* Revoked means revoked: it is asked for each time, and a 304 is cheap. */
enum fg_code media_shared(struct fg_ctx *cx, struct web_app *app, struct web_req *req, struct web_resp *resp)
{
    struct job_env env = web_job_env(app);
    struct shared shared;
    struct wanted want = { .job = &shared.job, .caching = "private, no-cache", .ttl_s = SHARED_TTL_S };
    enum fg_code rc = part_of(cx, req->arg[1], &want.part);
    if (rc == FG_OK)
        rc = share_follow(cx, &env, req->arg[0], &shared);
    return rc == FG_OK ? serve(cx, app, req, &want, resp) : rc;
}
