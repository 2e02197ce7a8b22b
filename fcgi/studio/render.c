#include "studio/render.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/sb.h"
#include "base/scan.h"
#include "io/hash.h"
#include "studio/words.h"

#define GRAPH_MAX (32 * FG_KIB)
#define VIDEO_FILE_MAX ((int64_t)512 * 1024 * 1024)
#define IMAGE_PIXELS_MAX "50000000"

/* All that makes one picture differ from another, from 32 bytes of BLAKE2b. */
struct look {
    uint8_t dice[HASH_LEN];
    double hue, phase_a, phase_b, pace, zoom;
    int hills;
    bool sun;
};

static double dice(const struct look *k, int i, double low, double high)
{
    return low + (high - low) * (k->dice[i] * 256 + k->dice[i + 1]) / 65535.0;
}

static struct look look_of(struct fg_ctx *cx, const struct video *v)
{
    struct look k;
    struct fg_str all = arena_fmt(cx->mem, "%.*s\n%lld", FG_P(v->prompt), (long long)v->seed);
    hash_plain(all, k.dice);
    k.hue = dice(&k, 0, 0, 6.2832);
    k.phase_a = dice(&k, 2, 0, 6.2832);
    k.phase_b = dice(&k, 4, 0, 6.2832);
    k.pace = dice(&k, 6, 0.6, 1.2);
    k.zoom = dice(&k, 8, 0.7, 1.5);
    k.hills = k.dice[10] % 4 == 0 ? 0 : 2 + k.dice[10] % 2;
    k.sun = k.hills && k.dice[11] % 2;
    return k;
}

/* The sky: a small field of folded waves as one grey number per pixel, coloured by three cosines
 * and enlarged. Computing it small is what keeps a 5 s clip under 2 s of one core. */
static void add_sky(struct sb *g, const struct look *k, const struct video *v)
{
    int side = v->width > v->height ? v->width : v->height;
    int w = v->width * 64 / side, h = v->height * 64 / side;
    sb_addf(g, "nullsrc=s=%dx%d:r=%d:d=%d,format=gray,", w < 8 ? 8 : w, h < 8 ? 8 : h, RENDER_FPS,
            v->seconds);
    sb_addf(g, "geq=lum='128+46*(sin(%.4f*X/%d+%.4f*T+%.4f+1.3*sin(%.4f*Y/%d-%.4f*T+%.4f))",
            5.0 * k->zoom, 64, 0.55 * k->pace, k->phase_a, 4.1 * k->zoom, 64, 0.31 * k->pace,
            k->phase_b);
    sb_addf(g, "+sin(%.4f*Y/64-%.4f*T+1.7*sin(%.4f*X/64+%.4f*T+%.4f))", 6.3 * k->zoom,
            0.43 * k->pace, 3.7 * k->zoom, 0.37 * k->pace, k->phase_a);
    sb_addf(g, "+0.7*sin(%.4f*(X+Y)/64+%.4f*T+%.4f))',", 5.3 * k->zoom, 0.29 * k->pace, k->phase_b);
    sb_addf(g, "format=gbrp,lutrgb=r='(0.55+0.45*cos((val-128)/46+%.4f))*235'", k->hue);
    sb_addf(g, ":g='(0.48+0.43*cos((val-128)/46*%.4f+%.4f))*205'", dice(k, 12, 0.9, 1.3),
            k->hue + 1.1);
    sb_addf(g, ":b='(0.57+0.43*cos((val-128)/46*%.4f+%.4f))*240',", dice(k, 14, 0.7, 1.0),
            k->hue + 2.4);
    sb_addf(g, "scale=%d:%d:flags=bicubic,format=yuv420p,setsar=1[sky]", v->width, v->height);
}

static void add_sun(struct sb *g, const struct look *k, const struct video *v)
{
    int side = v->width < v->height ? v->width : v->height, d = side * 8 / 10 / 2 * 2;
    double x = dice(k, 16, 0.15, 0.85), y = dice(k, 18, 0.30, 0.60);
    double rise = 0.12 * v->height / (v->seconds * RENDER_FPS);
    /* a disc with a soft edge inside a glow that falls off with the distance */
    sb_addf(g, ";nullsrc=s=%dx%d:r=%d:d=0.04,format=yuva420p,geq=lum=236:cb=%d:cr=%d:a='", d, d,
            RENDER_FPS, 96 + k->dice[20] % 24, 136 + k->dice[21] % 14);
    sb_addf(g, "st(0,hypot(X-W/2,Y-H/2)/(W/2));clip(235*clip((0.30-ld(0))*W/6,0,1)+"
               "110*pow(max(0,1-ld(0)),2.2),0,240)',loop=-1:1:0[sun];");
    sb_addf(g, "[sky][sun]overlay=x=%d:y='%d-n*%.4f':shortest=1:format=yuv420[sunny]",
            (int)(x * v->width) - d / 2, (int)(y * v->height) - d / 2, rise);
}

/* One range of hills: a still silhouette wider than the picture, drawn once and pushed sideways. */
static void add_hills(struct sb *g, const struct look *k, const struct video *v, int i)
{
    int frames = v->seconds * RENDER_FPS, near = i + 4 - k->hills; /* 1 far .. 3 near */
    double pace = 0.0008 * near * near * v->width;
    if (pace * frames > 0.5 * v->width)
        pace = 0.5 * v->width / frames;
    int w = v->width + (int)(pace * frames) + 4, h = v->height * 55 / 100;
    double waves = dice(k, 22 + i * 2, 3.5, 6.5) * w / v->width, phase = k->phase_a + 2.1 * i;
    sb_addf(g, ";nullsrc=s=%dx%d:r=%d:d=0.04,format=yuva420p,geq=lum='%d-14*Y/H':cb=%d:cr=%d:a='",
            w, h, RENDER_FPS, 92 - 22 * near, 128 + k->dice[28] % 16, 120 + k->dice[29] % 14);
    sb_addf(g,
            "255*clip((Y-H*(%.4f-%.4f*(0.60*sin(%.4f*X/W+%.4f)+0.28*sin(%.4f*X/W+%.4f)"
            "+0.12*abs(sin(%.4f*X/W)))))/1.6,0,1)',loop=-1:1:0[hill%d];",
            0.22 + 0.19 * near, 0.20 - 0.02 * near, waves, phase, 2.7 * waves, 2 * phase,
            8.3 * waves, i);
    sb_addf(g, "[at%d][hill%d]overlay=x='-n*%.4f':y=%d:shortest=1:format=yuv420[at%d]", i, i, pace,
            v->height - h, i + 1);
}

static void add_scene(struct sb *g, const struct look *k, const struct video *v)
{
    add_sky(g, k, v);
    if (k->sun)
        add_sun(g, k, v);
    sb_addf(g, ";[%s]null[at0]", k->sun ? "sunny" : "sky");
    for (int i = 0; i < k->hills; i++)
        add_hills(g, k, v, i);
    sb_addf(g, ";[at%d]null", k->hills);
}

/* The reference image fills the frame and is slowly zoomed, towards a corner that the dice choose.
 * Twice the size first: zoompan moves by whole pixels. */
static void add_image(struct sb *g, const struct look *k, const struct video *v)
{
    int frames = v->seconds * RENDER_FPS, w = v->width * 2, h = v->height * 2;
    sb_addf(g, "[0:v]scale=%d:%d:force_original_aspect_ratio=increase:flags=bicubic,crop=%d:%d,", w,
            h, w, h);
    sb_addf(
        g,
        "zoompan=z='1+%.4f*on/%d':x='(iw-iw/zoom)*%.4f':y='(ih-ih/zoom)*%.4f':d=%d:s=%dx%d:fps=%d,",
        dice(k, 6, 0.12, 0.22), frames, dice(k, 16, 0, 1), dice(k, 18, 0, 1), frames, v->width,
        v->height, RENDER_FPS);
    sb_addf(g, "format=yuv420p,setsar=1");
}

static enum fg_code write_line(struct fg_ctx *cx, struct fg_str dir, size_t i, struct fg_str text)
{
    struct fg_str path = arena_fmt(cx->mem, "%.*s/%zu.txt", FG_P(dir), i);
    int fd = open(path.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n;
    if (fd >= 0)
        ok = close(fd) == 0 && ok;
    return ok ? FG_OK : fg_fail(cx, FG_IO, "a text file cannot be written");
}

/* A line per drawtext: each is centred by itself, and each is shaped by itself (right to left
 * included). */
static enum fg_code add_words(struct fg_ctx *cx, struct sb *g, const struct conf *conf,
                              const struct font *font, const struct video *v, struct fg_str dir)
{
    struct words w;
    words_layout(cx, font, v->prompt, v->width, v->height, &w);
    int step = w.size_px * 13 / 10, top = v->height * 42 / 100 - step * (int)w.n / 2;
    int edge = w.size_px / 16 > 1 ? w.size_px / 16 : 1;
    for (size_t i = 0; i < w.n; i++) {
        enum fg_code rc = write_line(cx, dir, i, w.line[i]);
        if (rc != FG_OK)
            return rc;
        sb_addf(g,
                ",drawtext=fontfile=%.*s:textfile=%zu.txt:expansion=none:fontsize=%d:fontcolor="
                "white@0.96",
                FG_P(conf->studio_font), i, w.size_px);
        sb_addf(g,
                ":borderw=%d:bordercolor=black@0.35:shadowcolor=black@0.45:shadowx=%d:shadowy=%d",
                edge, edge, edge + 1);
        /* the ascent keeps the lines' feet level, whatever letters they hold */
        sb_addf(g, ":x=(w-text_w)/2:y=%d-ascent", top + step * (int)i + w.size_px);
    }
    return FG_OK;
}

static enum fg_code graph(struct fg_ctx *cx, const struct conf *conf, const struct font *font,
                          const struct video *v, struct fg_str dir, bool image, const char **out)
{
    struct look k = look_of(cx, v);
    struct sb g = sb_in(cx->mem, GRAPH_MAX);
    if (image)
        add_image(&g, &k, v);
    else
        add_scene(&g, &k, v);
    /* grain hides the bands of a slow gradient */
    sb_addf(&g, ",vignette=a=PI/5,noise=c0s=4:c0f=t:c0_seed=%d", k.dice[30] * 256 + k.dice[31]);
    enum fg_code rc = add_words(cx, &g, conf, font, v, dir);
    if (rc != FG_OK)
        return rc;
    if (conf->studio_frame_delay_ms)
        sb_addf(&g, ",realtime=speed=%.4f:limit=10",
                1000.0 / RENDER_FPS / (double)conf->studio_frame_delay_ms);
    sb_add(&g, FG_LIT(",split[video][poster]"));
    FG_ASSERT(!g.bad);
    *out = sb_cstr(&g);
    return FG_OK;
}

struct args {
    struct child_call *call;
    size_t n;
};

static void arg(struct args *a, const char *s)
{
    FG_ASSERT(a->n + 1 < CHILD_ARGS_MAX);
    a->call->argv[a->n++] = s;
}

#define ARGS(a, ...)                                                                    \
    for (const char *const *p_ = (const char *const[]){ __VA_ARGS__, NULL }; *p_; p_++) \
    arg((a), *p_)

/* The type is named, not guessed: of all that ffmpeg can open, a client's bytes reach one picture
 * decoder. */
static const char *image_demuxer(struct fg_str image)
{
    if (image.n > 4 && memcmp(image.p + image.n - 4, ".png", 4) == 0)
        return "png_pipe";
    if (image.n > 5 && memcmp(image.p + image.n - 5, ".webp", 5) == 0)
        return "webp_pipe";
    return "jpeg_pipe";
}

static void limits(const struct conf *conf, const struct video *v, struct child_call *call)
{
    int64_t frames = (int64_t)v->seconds * RENDER_FPS;
    int64_t mega = frames * v->width * v->height / 1000000;
    call->cpu_s = 60 + mega / 2;
    call->wall_ms = call->cpu_s * 4000 + frames * conf->studio_frame_delay_ms;
    call->file_bytes = VIDEO_FILE_MAX;
}

enum fg_code render_plan(struct fg_ctx *cx, const struct conf *conf, const struct font *font,
                         const struct video *v, struct fg_str dir, struct fg_str image,
                         struct child_call *call)
{
    const char *g;
    enum fg_code rc = graph(cx, conf, font, v, dir, image.p != NULL, &g);
    if (rc != FG_OK)
        return rc;
    struct child_call c = { .dir = arena_cstr(cx->mem, dir) };
    struct args a = { &c, 0 };
    const char *frames = arena_fmt(cx->mem, "%d", v->seconds * RENDER_FPS).p;
    ARGS(&a, arena_cstr(cx->mem, conf->media_ffmpeg), "-nostdin", "-loglevel", "error", "-y",
         "-progress", "pipe:1", "-stats_period", "0.25", "-filter_complex_threads", "1");
    if (image.p)
        ARGS(&a, "-protocol_whitelist", "file", "-max_pixels", IMAGE_PIXELS_MAX, "-threads", "1",
             "-f", image_demuxer(image), "-i", arena_cstr(cx->mem, image));
    ARGS(&a, "-filter_complex", g, "-map", "[video]", "-frames:v", frames, "-c:v", "libx264",
         "-preset", "ultrafast", "-crf", "23", "-threads", "1", "-pix_fmt", "yuv420p", "-g", "48",
         "-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1", "-movflags",
         "+faststart", RENDER_VIDEO);
    /* Not by select: ffmpeg would run to the end in search of another frame, all of the video in
     * memory. */
    ARGS(&a, "-map", "[poster]", "-ss", "0.5", "-frames:v", "1", "-c:v", "libwebp", "-quality",
         "82", RENDER_POSTER);
    limits(conf, v, &c);
    *call = c;
    return FG_OK;
}

void render_progress_feed(struct render_progress *p, struct fg_str bytes)
{
    for (size_t i = 0; i < bytes.n; i++) {
        if (bytes.p[i] != '\n') {
            p->skip = p->skip || p->n == sizeof p->line;
            if (!p->skip)
                p->line[p->n++] = bytes.p[i];
            continue;
        }
        struct fg_str s = { p->line, p->n };
        int64_t us;
        if (!p->skip && scan_lit(&s, FG_LIT("out_time_us=")) &&
            scan_all_i64(s, 0, INT64_MAX, &us) && us > p->out_us)
            p->out_us = us;
        p->n = 0;
        p->skip = false;
    }
}

int render_progress_percent(const struct render_progress *p, int seconds)
{
    int64_t percent = p->out_us / (seconds * (FG_US_PER_S / 100));
    return percent > 99 ? 99 : (int)percent;
}
