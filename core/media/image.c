#include "media/image.h"

#include "base/arena.h"
#include "base/scan.h"

#define VIPSHEADER IMAGE_PROGRAM "header"
#define THUMB_SIDE "320"
#define THUMB_BYTES (1 * (int64_t)FG_MIB)
/* A handler runs them one after the other while its client waits. */
#define HEADER_S 5
#define MAKE_S 15
#define THUMB_S 5

static const struct kind {
    struct fg_str mime;
    const char *suffix, *loader;
    const char *options;         /* how it is written: nothing but the picture */
} kinds[] = {
    [IMAGE_OTHER] = { { NULL, 0 }, NULL, NULL, NULL },
    [IMAGE_PNG] = { { "image/png", 9 }, ".png", "pngload", "[strip]" },
    [IMAGE_JPEG] = { { "image/jpeg", 10 }, ".jpg", "jpegload", "[strip,Q=92]" },
    [IMAGE_WEBP] = { { "image/webp", 10 }, ".webp", "webpload", "[strip,Q=92]" },
};

static const struct kind *kind_of(enum image_type type)
{
    return &kinds[(size_t)type < FG_LEN(kinds) ? type : IMAGE_OTHER];
}

enum image_type image_type(struct fg_str b)
{
    if (fg_starts(b, FG_LIT("\x89PNG\r\n\x1a\n")))
        return IMAGE_PNG;
    if (fg_starts(b, FG_LIT("\xff\xd8\xff")))
        return IMAGE_JPEG;
    bool webp = b.n > 12 && fg_starts(b, FG_LIT("RIFF")) && memcmp(b.p + 8, "WEBP", 4) == 0;
    return webp ? IMAGE_WEBP : IMAGE_OTHER;
}

struct fg_str image_mime(enum image_type type)
{
    return kind_of(type)->mime;
}

const char *image_suffix(enum image_type type)
{
    return kind_of(type)->suffix;
}

static void limit(struct child_call *c, int64_t seconds, int64_t file_bytes)
{
    c->cpu_s = seconds;
    c->wall_ms = seconds * 1000;
    c->file_bytes = file_bytes;
}

void image_header_call(struct fg_ctx *cx, const struct conf *conf, const char *path, struct child_call *out)
{
    *out = (struct child_call){ .argv = { VIPSHEADER }, .jail = conf->jail };
    out->argv[1] = child_file(cx, out, path);
    limit(out, HEADER_S, 0);
}

static bool after_last(struct fg_str s, const char *mark, struct fg_str *rest)
{
    size_t n = strlen(mark);
    for (size_t at = s.n >= n ? s.n - n + 1 : 0; at-- > 0;)
        if (memcmp(s.p + at, mark, n) == 0) {
            *rest = (struct fg_str){ s.p + at + n, s.n - at - n };
            return true;
        }
    return false;
}

/* "/path/of/it.png: 640x480 uchar, 3 bands, srgb, pngload\n" */
enum fg_code image_header_read(struct fg_ctx *cx, const struct conf *conf, struct fg_str printed, enum image_type type,
                               struct image_facts *out)
{
    struct fg_str size, loader;
    uint64_t width = 0, height = 0;
    while (printed.n && printed.p[printed.n - 1] == '\n')
        printed.n--;
    if (!after_last(printed, ": ", &size) || !after_last(printed, ", ", &loader) ||
        !scan_u64(&size, INT32_MAX, &width) || !scan_char(&size, 'x') || !scan_u64(&size, INT32_MAX, &height) ||
        width == 0 || height == 0)
        return fg_fail(cx, FG_IMAGE_INVALID, "The picture has no size.");
    if (!fg_eq(loader, fg_str_c(kind_of(type)->loader)))
        return fg_fail(cx, FG_IMAGE_INVALID, "The picture is not of the type that it begins as.");
    if (width > IMAGE_SIDE_MAX || height > IMAGE_SIDE_MAX || width * height > (uint64_t)conf->media_upload_pixels)
        return fg_fail(cx, FG_IMAGE_INVALID, "The picture has %llu x %llu pixels; %lld are allowed.",
                       (unsigned long long)width, (unsigned long long)height, (long long)conf->media_upload_pixels);
    if (width < (uint64_t)conf->media_upload_side_min || height < (uint64_t)conf->media_upload_side_min)
        return fg_fail(cx, FG_IMAGE_INVALID, "The picture has %llu x %llu pixels; each side needs %lld.",
                       (unsigned long long)width, (unsigned long long)height, (long long)conf->media_upload_side_min);
    *out = (struct image_facts){ (int64_t)width, (int64_t)height };
    return FG_OK;
}

/* What is written to a disk meanwhile would be a file of its own: all of it has room in memory. */
static void shrink(struct fg_ctx *cx, const struct conf *conf, const char *from, const char *to, const char *side,
                   struct child_call *out)
{
    *out = (struct child_call){
        .argv = { IMAGE_PROGRAM, "thumbnail", "", "", side, "--height", side, "--size", "down", "--export-profile", "srgb",
                  "--fail-on", "error", "--vips-concurrency=1", "--vips-disc-threshold=2g" },
        .jail = conf->jail,
    };
    out->argv[2] = child_file(cx, out, from);
    out->argv[3] = child_file(cx, out, to);
}

void image_make_call(struct fg_ctx *cx, const struct conf *conf, const char *from, const char *to, enum image_type type,
                     struct child_call *out)
{
    struct fg_str side = arena_fmt(cx->mem, "%lld", (long long)conf->media_upload_side);
    shrink(cx, conf, from, arena_fmt(cx->mem, "%s%s", to, kind_of(type)->options).p, side.p, out);
    limit(out, MAKE_S, IMAGE_BYTES_MAX);
}

void image_thumb_call(struct fg_ctx *cx, const struct conf *conf, const char *from, const char *to,
                      struct child_call *out)
{
    shrink(cx, conf, from, arena_fmt(cx->mem, "%s[strip,Q=80,background=255]", to).p, THUMB_SIDE, out);
    limit(out, THUMB_S, THUMB_BYTES);
}
