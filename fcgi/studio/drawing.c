#include "studio/drawing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "studio/files.h"
#include "studio/request.h"

#define TRIES_MAX 5                      /* a video that kills its worker each time must end, too */
#define BEAT_US (DRAWING_LEASE_US / 4)   /* whatever happens */
#define PROGRESS_US (500 * FG_US_PER_MS) /* when there is news */
#define AGAIN_US FG_US_PER_S
#define IMAGE_FETCH_MS 20000
#define TAIL_MAX 200

enum phase {
    FETCHING, /* the reference image */
    READY,    /* for ffmpeg */
    DRAWING,
    ENDED,   /* to be written down */
    DROPPED, /* not ours any more, or to be tried again when its lease ends */
};

struct drawing {
    struct drawing_world *w;
    struct arena *mem;
    struct video v;
    struct fg_str owner, dir, image;
    enum phase phase;
    bool fetching; /* the fetcher still holds our address */
    int image_fd;
    struct child child;
    struct render_progress progress;
    char tail[TAIL_MAX]; /* the beginning of ffmpeg's complaint */
    size_t tail_n;
    struct fg_str error_code, error_message;
    int told_percent;
    int64_t told_mono_us, again_mono_us;
};

struct drawing *drawing_new(struct drawing_world *w, const struct video *v, struct fg_str owner)
{
    struct arena *mem = arena_new();
    struct drawing *d = arena_new_of(mem, struct drawing);
    *d = (struct drawing){ .w = w, .mem = mem, .v = *v, .phase = READY, .image_fd = -1 };
    struct fg_str *copied[] = { &d->v.public_id,  &d->v.model,      &d->v.prompt,
                                &d->v.image_file, &d->v.image_url,  &d->v.webhook_url,
                                &d->v.metadata,   &d->v.error_code, &d->v.error_message };
    for (size_t i = 0; i < FG_LEN(copied); i++)
        if (copied[i]->p)
            *copied[i] = arena_str(mem, *copied[i]);
    d->owner = arena_str(mem, owner);
    d->told_mono_us = ctx_mono_us(w->cx);
    return d;
}

static void fail(struct drawing *d, struct fg_str code, struct fg_str message)
{
    d->error_code = code;
    d->error_message = message;
    d->phase = ENDED;
}

/* Our side failed, not the video: said once, and left to the lease. */
static void leave(struct drawing *d, const char *event)
{
    log_err(d->w->cx, event, d->v.public_id);
    d->phase = DROPPED;
}

static void close_image(struct drawing *d)
{
    if (d->image_fd >= 0)
        close(d->image_fd);
    d->image_fd = -1;
}

static bool over(struct drawing *d)
{
    if (d->fetching)
        return false;
    (void)child_end(&d->child);
    close_image(d);
    if (d->dir.p)
        files_remove_dir(d->w->cx, d->dir);
    arena_free(d->mem);
    return true;
}

/* ---- the reference image ---- */

/* The bytes, not the sender's words, say what it is. */
static void take_image(struct drawing *d)
{
    char head[32];
    ssize_t n = pread(d->image_fd, head, sizeof head, 0);
    const char *type = request_image_type((struct fg_str){ head, n > 0 ? (size_t)n : 0 });
    struct fg_str from = arena_fmt(d->mem, "%.*s/image", FG_P(d->dir));
    if (!type) {
        fail(d, FG_LIT("invalid_image"),
             FG_LIT("The input_reference is not a PNG, JPEG or WebP image."));
        return;
    }
    d->image = arena_fmt(d->mem, "%.*s.%s", FG_P(from), type);
    d->phase = READY;
    if (rename(from.p, d->image.p) != 0)
        d->phase = DROPPED;
}

static void fetched(void *arg, const struct fetch_reply *r)
{
    struct drawing *d = arg;
    d->fetching = false;
    if (d->phase != FETCHING)
        return;
    if (r->end == FETCH_ANSWERED && r->status >= 200 && r->status <= 299)
        take_image(d);
    else if (r->end == FETCH_TOO_LARGE)
        fail(d, FG_LIT("invalid_image"), FG_LIT("The input_reference has more than 8 MiB."));
    else
        fail(d, FG_LIT("image_unreachable"), FG_LIT("The input_reference could not be fetched."));
    if (d->phase == ENDED)
        fg_log(d->w->cx, LOG_INFO, "studio.image_refused", LOG_S("video", d->v.public_id),
               LOG_I("status", r->status), LOG_S("words", r->words));
    close_image(d);
}

static void fetch_image(struct drawing *d)
{
    struct fg_str path = arena_fmt(d->mem, "%.*s/image", FG_P(d->dir));
    d->image_fd = open(path.p, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (d->image_fd < 0) {
        (void)fg_fail(d->w->cx, FG_IO, "the image's file cannot be made");
        leave(d, "studio.image_file");
        return;
    }
    struct fetch_call call = fetch_call_init("GET", d->v.image_url);
    call.timeout_ms = IMAGE_FETCH_MS;
    call.max_bytes = REQUEST_IMAGE_MAX;
    call.redirects = 3;
    call.plain_http = true;
    call.to_fd = d->image_fd;
    d->phase = FETCHING;
    d->fetching = true;
    fetch_start(d->w->fetcher, &call, fetched, d);
}

/* ---- ffmpeg ---- */

static void start_ffmpeg(struct drawing *d)
{
    struct child_call call;
    struct fg_ctx *cx = d->w->cx;
    enum fg_code rc = render_plan(cx, d->w->conf, d->w->font, &d->v, d->dir, d->image, &call);
    if (rc == FG_OK)
        rc = child_start(cx, &call, &d->child);
    if (rc != FG_OK)
        leave(d, "studio.cannot_render");
    else
        d->phase = DRAWING;
}

static void begin(struct drawing *d)
{
    struct fg_str dir;
    struct fg_ctx *cx = d->w->cx;
    if (d->v.tries > TRIES_MAX) {
        fail(d, FG_LIT("video_generation_failed"), FG_LIT("The video could not be made."));
        return;
    }
    if (files_work_dir(cx, d->w->conf, &d->v, &dir) != FG_OK) {
        leave(d, "studio.no_work_dir");
        return;
    }
    d->dir = arena_str(d->mem, dir);
    if (d->v.image_url.p) {
        fetch_image(d);
        return;
    }
    if (d->v.image_file.p)
        d->image = arena_str(d->mem, files_image_path(cx, d->w->conf, d->v.image_file));
    start_ffmpeg(d);
}

static void read_output(struct drawing *d)
{
    char bytes[4096];
    ssize_t n;
    while ((n = read(d->child.out_fd, bytes, sizeof bytes)) > 0)
        render_progress_feed(&d->progress, (struct fg_str){ bytes, (size_t)n });
    while ((n = read(d->child.err_fd, bytes, sizeof bytes)) > 0) {
        size_t room = sizeof d->tail - d->tail_n, more = (size_t)n < room ? (size_t)n : room;
        memcpy(d->tail + d->tail_n, bytes, more);
        d->tail_n += more;
    }
    d->v.progress = render_progress_percent(&d->progress, d->v.seconds);
}

static void ffmpeg_ended(struct drawing *d, bool late)
{
    struct fg_ctx *cx = d->w->cx;
    int status = child_end(&d->child);
    if (!late && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        if (files_install(cx, d->w->conf, &d->v, d->dir) == FG_OK)
            d->phase = ENDED;
        else
            leave(d, "studio.cannot_install");
        return;
    }
    fg_log(cx, LOG_WARN, "studio.render_failed", LOG_S("video", d->v.public_id),
           LOG_I("status", status), LOG_I("late", late),
           LOG_S("words", ((struct fg_str){ d->tail, d->tail_n })));
    if (d->image.p)
        fail(d, FG_LIT("invalid_image"), FG_LIT("The input_reference could not be used."));
    else
        fail(d, FG_LIT("video_generation_failed"), FG_LIT("The video could not be made."));
}

static void draw(struct drawing *d)
{
    struct pollfd ended = { .fd = d->child.pidfd, .events = POLLIN };
    bool late = ctx_mono_us(d->w->cx) >= d->child.end_mono_us;
    bool gone =
        poll(&ended, 1, 0) == 1; /* asked first: what it wrote before its end is then all there */
    read_output(d);
    if (gone || late)
        ffmpeg_ended(d, !gone);
}

/* ---- the books ---- */

static void beat(struct drawing *d)
{
    struct fg_ctx *cx = d->w->cx;
    int64_t since_us = ctx_mono_us(cx) - d->told_mono_us;
    bool ours;
    if (since_us < PROGRESS_US || (since_us < BEAT_US && d->v.progress == d->told_percent))
        return;
    d->told_mono_us += since_us;
    d->told_percent = d->v.progress;
    ctx_tick(cx);
    if (books_beat(cx, d->w->db, d->v.id, d->owner, d->v.progress, cx->now_us + DRAWING_LEASE_US,
                   &ours) != FG_OK) {
        log_err(cx, "studio.no_beat",
                d->v.public_id); /* goes on: the lease may well outlive the trouble */
    } else if (!ours) {
        fg_log(cx, LOG_WARN, "studio.lease_lost", LOG_S("video", d->v.public_id));
        (void)child_end(&d->child);
        d->phase = DROPPED;
    }
}

static enum fg_code write_end(struct drawing *d)
{
    struct fg_ctx *cx = d->w->cx;
    const struct conf *conf = d->w->conf;
    ctx_tick(cx);
    struct video_end end = {
        .owner = d->owner,
        .error_code = d->error_code,
        .error_message = d->error_message,
        .webhook_url = conf->studio_webhook_secret.n ? d->v.webhook_url : FG_NONE,
        .expires_us = cx->now_us + conf->studio_keep_hours * 3600 * FG_US_PER_S,
    };
    enum fg_code rc = books_finish(cx, d->w->db, &d->v, &end);
    if (rc != FG_OK) {
        log_err(cx, "studio.end_not_written", d->v.public_id);
        return rc;
    }
    files_remove_image(cx, conf, d->v.image_file);
    fg_log(cx, LOG_INFO, "studio.video_ended", LOG_S("video", d->v.public_id),
           LOG_S("error", d->error_code),
           LOG_I("ms", (cx->now_us - d->v.created_us) / FG_US_PER_MS));
    return FG_OK;
}

bool drawing_step(struct drawing *d)
{
    if (d->phase == READY && !d->dir.p)
        begin(d);
    else if (d->phase == READY)
        start_ffmpeg(d);
    if (d->phase == FETCHING || d->phase == DRAWING)
        beat(d); /* before anything else: a worker that was held up may have lost the video */
    if (d->phase == DRAWING)
        draw(d);
    if (d->phase == ENDED && ctx_mono_us(d->w->cx) >= d->again_mono_us) {
        d->again_mono_us = ctx_mono_us(d->w->cx) + AGAIN_US;
        if (write_end(d) == FG_OK)
            d->phase = DROPPED;
    }
    return d->phase != DROPPED || !over(d);
}

void drawing_stop(struct drawing *d)
{
    struct fg_ctx *cx = d->w->cx;
    d->fetching = false;
    (void)child_end(&d->child);
    if (d->phase == ENDED)
        (void)write_end(d);
    else if (d->phase != DROPPED && books_release(cx, d->w->db, d->v.id, d->owner) != FG_OK)
        log_err(cx, "studio.not_released", d->v.public_id);
    (void)over(d);
}

unsigned drawing_watch(const struct drawing *d, struct pollfd fds[DRAWING_FDS],
                       int64_t *wake_mono_us)
{
    int64_t wake = d->told_mono_us + BEAT_US;
    unsigned n = 0;
    if (d->phase == ENDED)
        wake = d->again_mono_us;
    if (d->phase == READY)
        wake = 0;
    if (d->phase == DRAWING) {
        if (d->v.progress != d->told_percent)
            wake = d->told_mono_us + PROGRESS_US;
        if (d->child.end_mono_us < wake)
            wake = d->child.end_mono_us;
        fds[n++] = (struct pollfd){ .fd = d->child.pidfd, .events = POLLIN };
        fds[n++] = (struct pollfd){ .fd = d->child.out_fd, .events = POLLIN };
    }
    if (wake < *wake_mono_us)
        *wake_mono_us = wake;
    return n;
}
