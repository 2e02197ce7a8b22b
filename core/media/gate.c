#include "media/gate.h"

#include "base/arena.h"
#include "base/scan.h"
#include "io/json.h"

#define DURATION_MAX_S 86400
#define SIDE_MAX 8192
#define SLACK_MS 1500
#define SLACK_PERCENT 20
#define POSTER_WIDTH "1280"
#define POSTER_BYTES (16 * 1024 * 1024)

/* What browsers play from an MP4. */
static const char *const codecs[] = { "h264", "hevc", "av1", "vp9", "vp8" };

static struct child_call call_on(const struct conf *conf, const char *program)
{
    return (struct child_call){
        .argv = { program, "-v", "error", "-protocol_whitelist", "file" },
        .cpu_s = conf->media_child_timeout_s,
        .wall_ms = conf->media_child_timeout_s * 1000,
        .jail = conf->jail,
    };
}

static void add(struct child_call *c, const char *const *word)
{
    size_t n = 0;
    while (c->argv[n])
        n++;
    for (; *word; word++)
        c->argv[n++] = *word;
    FG_ASSERT(n < CHILD_ARGS_MAX);
}

/* Nothing but an MP4 is looked for: a list of other files in disguise is never followed. */
static struct child_call call_on_video(const struct conf *conf, const char *program)
{
    static const char *const as_mp4[] = { "-f", "mp4", "-max_streams", "32", NULL };
    struct child_call c = call_on(conf, program);
    add(&c, as_mp4);
    return c;
}

/* Packets are counted because a faststart file that was cut off still promises its whole length in
 * its header; the last one, cut in the middle, is dropped. */
void gate_probe_call(struct fg_ctx *cx, const struct conf *conf, const char *path,
                     struct child_call *out)
{
    *out = call_on_video(conf, arena_cstr(cx->mem, conf->media_ffprobe));
    const char *const rest[] = { "-fflags", "+discardcorrupt", "-print_format", "json", "-show_format",
                                 "-show_streams", "-count_packets", "-i", child_file(cx, out, path), NULL };
    add(out, rest);
}

static const char *seconds(struct fg_ctx *cx, int64_t ms)
{
    return arena_fmt(cx->mem, "%lld.%03lld", (long long)(ms / 1000), (long long)(ms % 1000)).p;
}

void gate_poster_call(struct fg_ctx *cx, const struct conf *conf, const char *video,
                      const char *poster, int64_t duration_ms, struct child_call *out)
{
    /* A third in: first frames are often black. */
    int64_t at_ms = duration_ms / 3;
    const char *at = seconds(cx, at_ms);
    *out = call_on_video(conf, arena_cstr(cx->mem, conf->media_ffmpeg));
    out->file_bytes = POSTER_BYTES;
    const char *const rest[] = { "-nostdin", "-threads", "1", "-ss", at, "-i", child_file(cx, out, video), "-map", "0:v:0",
                                 "-frames:v", "1", "-vf", "scale='min(" POSTER_WIDTH ",iw)':-2", "-map_metadata", "-1",
                                 "-c:v", "mjpeg", "-q:v", "3", "-threads", "1", "-f", "image2", "-update", "1", "-y",
                                 child_file(cx, out, poster), NULL };
    add(out, rest);
}

#define STR(x) #x
#define DIGITS(x) STR(x)

void gate_frame_call(struct fg_ctx *cx, const struct conf *conf, const char *from, const char *to, int64_t at_ms,
                     struct child_call *out)
{
    const char *program = arena_cstr(cx->mem, conf->media_ffmpeg);
    *out = at_ms == GATE_PICTURE ? call_on(conf, program) : call_on_video(conf, program);
    out->file_bytes = POSTER_BYTES;
    if (at_ms != GATE_PICTURE)
        add(out, (const char *const[]){ "-ss", seconds(cx, at_ms), NULL });
    const char *const rest[] = { "-nostdin", "-threads", "1", "-i", child_file(cx, out, from), "-map", "0:v:0", "-frames:v", "1", "-vf",
                                 "scale=" DIGITS(GATE_FRAME_SIDE) ":" DIGITS(GATE_FRAME_SIDE)
                                 ":force_original_aspect_ratio=decrease:force_divisible_by=2,pad='max(iw,64)':'max(ih,64)'",
                                 "-map_metadata", "-1", "-c:v", "mjpeg", "-q:v", "3", "-threads", "1", "-f", "image2",
                                 "-update", "1", "-y", child_file(cx, out, to), NULL };
    add(out, rest);
}

/* "5.041667" */
static bool seconds_ms(const struct js *v, int64_t *out)
{
    struct fg_str s;
    uint64_t whole, ms = 0;
    if (!js_str(v, &s) || !scan_u64(&s, DURATION_MAX_S, &whole))
        return false;
    if (s.n && !scan_char(&s, '.'))
        return false;
    for (unsigned i = 0, unit = 100; i < s.n; i++, unit /= 10) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        ms += (uint64_t)(s.p[i] - '0') * unit;
    }
    *out = (int64_t)(whole * 1000 + ms);
    return true;
}

static bool is_mp4(const struct js *format)
{
    struct fg_str names, name;
    if (!js_str(js_get(format, "format_name"), &names))
        return false;
    while (scan_until(&names, ',', &name))
        if (FG_IS(name, "mp4"))
            return true;
    return false;
}

static bool is_video(const struct js *stream)
{
    struct fg_str type;
    int64_t cover = 0;
    (void)js_i64(js_get(js_get(stream, "disposition"), "attached_pic"), &cover);
    return js_str(js_get(stream, "codec_type"), &type) && FG_IS(type, "video") && cover == 0;
}

static const struct js *first_video(const struct js *probe)
{
    const struct js *streams = js_get(probe, "streams");
    for (size_t i = 0; js_type(streams) == JS_ARRAY && i < js_len(streams); i++)
        if (is_video(js_at(streams, i)))
            return js_at(streams, i);
    return NULL;
}

static bool codec_plays(const struct js *stream)
{
    struct fg_str codec;
    for (size_t i = 0; i < FG_LEN(codecs); i++)
        if (js_str(js_get(stream, "codec_name"), &codec) && fg_eq(codec, fg_str_c(codecs[i])))
            return true;
    return false;
}

/* Fewer packets than the header promised: the end is missing. A fragmented file promises no number.
 */
static bool is_whole(const struct js *stream)
{
    struct fg_str text;
    uint64_t promised = 0, read = 0;
    if (!js_str(js_get(stream, "nb_read_packets"), &text) ||
        !scan_all_u64(text, UINT32_MAX, &read) || read == 0)
        return false;
    if (js_str(js_get(stream, "nb_frames"), &text) && !scan_all_u64(text, UINT32_MAX, &promised))
        return false;
    return read >= promised;
}

static bool size_of(const struct js *stream, const char *key, int64_t *out)
{
    return js_i64(js_get(stream, key), out) && *out > 0 && *out <= SIDE_MAX;
}

bool gate_about(int64_t ms, int64_t want_s)
{
    int64_t off_ms = ms - want_s * 1000, slack_ms = SLACK_MS + want_s * 1000 * SLACK_PERCENT / 100;
    return off_ms <= slack_ms && off_ms >= -slack_ms;
}

enum fg_code gate_read(struct fg_ctx *cx, struct fg_str probe_json, int64_t want_s,
                       struct gate_facts *out)
{
    const struct js *probe;
    struct gate_facts f;
    if (js_parse(cx, probe_json, &probe) != FG_OK)
        return fg_fail(cx, FG_INVALID_REQUEST, "The file cannot be examined");
    const struct js *format = js_get(probe, "format"), *stream = first_video(probe);
    if (!is_mp4(format))
        return fg_fail(cx, FG_INVALID_REQUEST, "The file is no MP4");
    if (!stream)
        return fg_fail(cx, FG_INVALID_REQUEST, "The file has no video in it");
    if (!codec_plays(stream))
        return fg_fail(cx, FG_INVALID_REQUEST, "The video's codec does not play in browsers");
    if (!size_of(stream, "width", &f.width) || !size_of(stream, "height", &f.height))
        return fg_fail(cx, FG_INVALID_REQUEST, "The video has no size");
    int64_t whole_ms = 0;
    bool whole = seconds_ms(js_get(format, "duration"), &whole_ms);
    if (!seconds_ms(js_get(stream, "duration"), &f.duration_ms))
        f.duration_ms = whole_ms;
    if (f.duration_ms == 0)
        return fg_fail(cx, FG_INVALID_REQUEST, "The video has no length");
    if (!is_whole(stream))
        return fg_fail(cx, FG_INVALID_REQUEST, "The video's end is missing");
    if (!gate_about(f.duration_ms, want_s))
        return fg_fail(cx, FG_INVALID_REQUEST, "The video is %lld ms long, not about %lld s",
                       (long long)f.duration_ms, (long long)want_s);
    if (whole && !gate_about(whole_ms, want_s)) /* sound, far beyond the picture */
        return fg_fail(cx, FG_INVALID_REQUEST, "The file is %lld ms long, its video is not", (long long)whole_ms);
    *out = f;
    return FG_OK;
}
