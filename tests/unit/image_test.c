/* Pictures from strangers: told by their first bytes, bounded before anything decodes them, and made anew without what
 * came with them. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fakes/picture.h"
#include "media/image.h"
#include "t.h"

static const struct conf conf = { .media_upload_pixels = 1000000, .media_upload_side = 256, .media_upload_side_min = 8 };

struct studio {
    struct t_world w;
    struct fg_ctx *cx;
    char dir[64];
};

static void begin(struct studio *s)
{
    t_begin(&s->w);
    s->cx = &s->w.cx;
    (void)snprintf(s->dir, sizeof s->dir, "/tmp/fgimage.XXXXXX");
    CHECK(mkdtemp(s->dir) != NULL, "a folder");
}

static const char *in(struct studio *s, const char *name)
{
    return arena_fmt(s->cx->mem, "%s/%s", s->dir, name).p;
}

static void end(struct studio *s)
{
    static const char *const names[] = { "sent", "made.png", "made.jpg", "made.webp", "thumb.jpg" };
    for (size_t i = 0; i < FG_LEN(names); i++)
        (void)unlink(in(s, names[i]));
    CHECK(rmdir(s->dir) == 0, "nothing else was written");
    t_end(&s->w, 0);
}

static void send(struct studio *s, struct fg_str bytes)
{
    int fd = open(in(s, "sent"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0 && write(fd, bytes.n ? bytes.p : "", bytes.n) == (ssize_t)bytes.n, "written");
    close(fd);
}

static struct fg_str bytes_of(struct studio *s, const char *name)
{
    char *p = arena_get(s->cx->mem, FG_MIB);
    int fd = open(in(s, name), O_RDONLY);
    ssize_t n = fd < 0 ? 0 : read(fd, p, FG_MIB);
    if (fd >= 0)
        close(fd);
    return (struct fg_str){ p, n > 0 ? (size_t)n : 0 };
}

static bool run(struct studio *s, const struct child_call *call, struct fg_str *printed)
{
    int status = -1;
    CHECK_CODE(s->cx, child_run_any(s->cx, call, printed, &status), FG_OK);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* FG_OK: it has a size; FG_IMAGE_INVALID: not by the program, or not by us. */
static enum fg_code look(struct studio *s, const char *name, enum image_type type, struct image_facts *f)
{
    struct child_call call;
    struct fg_str printed = FG_NONE;
    image_header_call(s->cx, &conf, in(s, name), &call);
    return run(s, &call, &printed) ? image_header_read(s->cx, &conf, printed, type, f) : FG_IMAGE_INVALID;
}

static const char *made_name(struct studio *s, enum image_type type)
{
    return arena_fmt(s->cx->mem, "made%s", image_suffix(type)).p;
}

static bool make(struct studio *s, enum image_type type)
{
    struct child_call call;
    struct fg_str printed;
    image_make_call(s->cx, &conf, in(s, "sent"), in(s, made_name(s, type)), type, &call);
    return run(s, &call, &printed);
}

static bool contains(struct fg_str s, const char *what)
{
    size_t n = strlen(what);
    for (size_t at = 0; at + n <= s.n; at++)
        if (memcmp(s.p + at, what, n) == 0)
            return true;
    return false;
}

static struct fg_str join(struct studio *s, struct fg_str a, struct fg_str b)
{
    char *p = arena_get(s->cx->mem, a.n + b.n);
    memcpy(p, a.p, a.n);
    memcpy(p + a.n, b.p, b.n);
    return (struct fg_str){ p, a.n + b.n };
}

TEST(a_type_is_what_the_first_bytes_say)
{
    const struct {
        struct fg_str bytes;
        enum image_type want;
    } row[] = {
        { PICTURE_PNG, IMAGE_PNG },
        { PICTURE_JPEG, IMAGE_JPEG },
        { PICTURE_WEBP, IMAGE_WEBP },
        { { "", 0 }, IMAGE_OTHER },
        { { "\x89PNG\r\n\x1a", 7 }, IMAGE_OTHER },
        { { "GIF89a..........", 16 }, IMAGE_OTHER },
        { { "RIFF\x10\0\0\0WAVEfmt ", 16 }, IMAGE_OTHER },
        { { "RIFF\x10\0\0\0WEBP", 12 }, IMAGE_OTHER },
        { { "<svg xmlns=", 11 }, IMAGE_OTHER },
        { { " \xff\xd8\xff", 4 }, IMAGE_OTHER },
    };
    for (size_t i = 0; i < FG_LEN(row); i++)
        CHECK_I64(image_type(row[i].bytes), row[i].want, "by content");
    CHECK_IS(image_mime(IMAGE_WEBP), "image/webp", "in words");
    CHECK(!image_mime(IMAGE_OTHER).p && !image_suffix(IMAGE_OTHER), "of none there are none");
}

TEST(each_type_is_made_anew_as_itself_with_a_thumbnail)
{
    const struct fg_str sent[] = { [IMAGE_PNG] = PICTURE_PNG, [IMAGE_JPEG] = PICTURE_JPEG,
                                          [IMAGE_WEBP] = PICTURE_WEBP };
    struct studio s;
    begin(&s);
    for (enum image_type type = IMAGE_PNG; type <= IMAGE_WEBP; type++) {
        struct image_facts f;
        struct child_call call;
        struct fg_str printed;
        send(&s, sent[type]);
        CHECK_CODE(s.cx, look(&s, "sent", type, &f), FG_OK);
        CHECK(f.width == 16 && f.height == 8, "as it is");
        CHECK(make(&s, type), "it is made");
        CHECK_I64(image_type(bytes_of(&s, made_name(&s, type))), type, "of the same type");
        CHECK_CODE(s.cx, look(&s, made_name(&s, type), type, &f), FG_OK);
        CHECK(f.width == 16 && f.height == 8, "not enlarged");
        image_thumb_call(s.cx, &conf, in(&s, made_name(&s, type)), in(&s, "thumb.jpg"), &call);
        CHECK(run(&s, &call, &printed), "and a small one");
        CHECK_I64(image_type(bytes_of(&s, "thumb.jpg")), IMAGE_JPEG, "as JPEG");
    }
    end(&s);
}

/* ---- what cameras write beside it ---- */

/* Big-endian TIFF: orientation 6 (turn it clockwise), and a block of GPS with a latitude reference of "N". */
#define EXIF                                                                                   \
    "\xff\xe1\0\x56" "Exif\0\0" "MM\0\x2a\0\0\0\x08"                                               \
    "\0\x03" "\x01\x12\0\x03\0\0\0\x01\0\x06\0\0"                                                \
    "\x01\x31\0\x02\0\0\0\x0a\0\0\0\x32" "\x88\x25\0\x04\0\0\0\x01\0\0\0\x3c" "\0\0\0\0"          \
    "SecretCam\0" "\0\x01" "\0\x01\0\x02\0\0\0\x02N\0\0\0" "\0\0\0\0"

TEST(where_and_by_whom_it_was_taken_goes_and_it_stands_upright)
{
    struct studio s;
    struct image_facts f;
    begin(&s);
    struct fg_str plain = PICTURE_JPEG, exif = { EXIF, sizeof EXIF - 1 };
    CHECK_I64(exif.n, 0x56 + 2, "the block is as long as it says");
    struct fg_str rest = { plain.p + 2, plain.n - 2 }, photo = join(&s, join(&s, (struct fg_str){ plain.p, 2 }, exif), rest);
    send(&s, photo);
    CHECK(contains(photo, "SecretCam"), "it is in what is sent");
    CHECK_CODE(s.cx, look(&s, "sent", IMAGE_JPEG, &f), FG_OK);
    CHECK(f.width == 16 && f.height == 8, "lying");
    CHECK(make(&s, IMAGE_JPEG), "made");
    struct fg_str made = bytes_of(&s, "made.jpg");
    CHECK(made.n > 100, "there is a picture");
    CHECK(!contains(made, "SecretCam") && !contains(made, "Exif") && !contains(made, "http://ns.adobe.com"), "but no words");
    CHECK_CODE(s.cx, look(&s, "made.jpg", IMAGE_JPEG, &f), FG_OK);
    CHECK(f.width == 8 && f.height == 16, "standing");
    end(&s);
}

/* ---- what is none, or too much of one ---- */

/* As vipsheader prints it; what is refused is never decoded. */
TEST(a_size_is_bounded_before_anything_is_decoded)
{
    static const struct {
        const char *printed;
        enum fg_code want;
        const char *why;
    } row[] = {
        { "/tmp/a: b.png: 1000x1000 uchar, 3 bands, srgb, pngload\n", FG_OK, "as many as may be" },
        { "/tmp/x.png: 1001x1000 uchar, 3 bands, srgb, pngload\n", FG_IMAGE_INVALID, "one row too many" },
        { "/tmp/x.png: 8x8 uchar, 3 bands, srgb, pngload\n", FG_OK, "as few as may be" },
        { "/tmp/x.png: 700x7 uchar, 3 bands, srgb, pngload\n", FG_IMAGE_INVALID, "too flat" },
        { "/tmp/x.png: 7x700 uchar, 3 bands, srgb, pngload\n", FG_IMAGE_INVALID, "too narrow" },
        { "/tmp/x.png: 50000x50000 uchar, 3 bands, srgb, pngload\n", FG_IMAGE_INVALID, "a bomb" },
        { "/tmp/x.png: 1x70000 uchar, 3 bands, srgb, pngload\n", FG_IMAGE_INVALID, "a thread" },
        { "/tmp/x.png: 2147483647x2147483647 uchar, 3 bands, srgb, pngload\n", FG_IMAGE_INVALID, "nothing wraps" },
        { "/tmp/x.png: 99999999999x1 uchar, 3 bands, srgb, pngload\n", FG_IMAGE_INVALID, "no number of ours" },
        { "/tmp/x.png: 0x10 uchar, 3 bands, srgb, pngload\n", FG_IMAGE_INVALID, "nothing" },
        { "/tmp/x.png: 16x8 uchar, 3 bands, srgb, jpegload\n", FG_IMAGE_INVALID, "another type than it begins as" },
        { "/tmp/x.png: 16x8 uchar, 3 bands, srgb, svgload\n", FG_IMAGE_INVALID, "a program" },
        { "16x8", FG_IMAGE_INVALID, "half a line" },
        { "", FG_IMAGE_INVALID, "no line" },
    };
    struct t_world w;
    struct image_facts f;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++)
        CHECK_I64(image_header_read(&w.cx, &conf, fg_str_c(row[i].printed), IMAGE_PNG, &f), row[i].want, row[i].why);
    t_end(&w, 0);
}

/* A true one: a few hundred bytes that would be 7.5 GB. */
TEST(a_bomb_is_told_by_its_header)
{
    struct studio s;
    struct image_facts f;
    static const unsigned char bomb[] = {
        0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13, 'I', 'H', 'D', 'R', 0, 0, 0xc3, 0x50, 0, 0, 0xc3, 0x50,
        8, 2, 0, 0, 0, 0xc4, 0xcd, 0xaa, 0x9d,
    };
    begin(&s);
    send(&s, join(&s, (struct fg_str){ (const char *)bomb, sizeof bomb },
                  (struct fg_str){ PICTURE_PNG.p + sizeof bomb, PICTURE_PNG.n - sizeof bomb }));
    CHECK_I64(look(&s, "sent", IMAGE_PNG, &f), FG_IMAGE_INVALID, "refused");
    end(&s);
}

TEST(what_is_cut_off_or_broken_or_something_else_becomes_nothing)
{
    struct studio s;
    begin(&s);
    struct fg_str png = PICTURE_PNG, jpeg = PICTURE_JPEG, webp = PICTURE_WEBP;
    const struct {
        struct fg_str bytes;
        enum image_type type;
        const char *why;
    } row[] = {
        { { "", 0 }, IMAGE_PNG, "nothing at all" },
        { { png.p, png.n - 20 }, IMAGE_PNG, "a PNG without its end" },
        { { jpeg.p, jpeg.n - 40 }, IMAGE_JPEG, "a JPEG without its end" },
        { { webp.p, webp.n - 10 }, IMAGE_WEBP, "a WebP without its end" },
        { join(&s, (struct fg_str){ png.p, 8 }, FG_LIT("<svg xmlns=\"http://www.w3.org/2000/svg\"/>")), IMAGE_PNG,
          "a drawing that begins as a PNG" },
        { FG_LIT("\xff\xd8\xff<?php echo 1; ?>"), IMAGE_JPEG, "a program that begins as a JPEG" },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct image_facts f;
        send(&s, row[i].bytes);
        CHECK(look(&s, "sent", row[i].type, &f) != FG_OK || !make(&s, row[i].type), row[i].why);
    }
    end(&s);
}

TEST(a_polyglot_is_its_picture_alone)
{
    struct studio s;
    struct image_facts f;
    begin(&s);
    send(&s, join(&s, PICTURE_PNG, FG_LIT("PK\x03\x04<script>alert(1)</script>")));
    CHECK_CODE(s.cx, look(&s, "sent", IMAGE_PNG, &f), FG_OK);
    CHECK(make(&s, IMAGE_PNG), "made");
    CHECK(!contains(bytes_of(&s, "made.png"), "script"), "what was hung on it is gone");
    end(&s);
}

TEST(what_is_larger_than_is_kept_becomes_smaller)
{
    struct studio s;
    struct image_facts f;
    struct child_call call = { .argv = { "/usr/bin/vips", "black", NULL, "900", "300", "--bands", "3" },
                               .file_bytes = (int64_t)FG_MIB };
    struct fg_str printed;
    begin(&s);
    call.argv[2] = in(&s, "made.png");
    CHECK(run(&s, &call, &printed), "a large one");
    send(&s, bytes_of(&s, "made.png"));
    CHECK_CODE(s.cx, look(&s, "sent", IMAGE_PNG, &f), FG_OK);
    CHECK(make(&s, IMAGE_PNG), "made");
    CHECK_CODE(s.cx, look(&s, "made.png", IMAGE_PNG, &f), FG_OK);
    CHECK_I64(f.width, 256, "its longest side");
    CHECK_I64(f.height, 85, "in proportion");
    end(&s);
}
