/* The studio's parsers, its line breaking, its calls of ffmpeg. */
#include <fcntl.h>
#include <unistd.h>

#include "base/sb.h"
#include "base/utf8.h"
#include "io/hash.h"
#include "studio/deliver.h"
#include "form.h"
#include "studio/render.h"
#include "studio/request.h"
#include "studio/words.h"
#include "t.h"

#define FONT "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"

TEST(boundary_comes_from_the_content_type)
{
    static const struct {
        const char *type, *want; /* NULL: refused */
    } row[] = {
        { "multipart/form-data; boundary=----formdata-undici-081274592046",
          "----formdata-undici-081274592046" },
        { "Multipart/Form-Data;charset=utf-8; BOUNDARY=\"a b\"", NULL },
        { "multipart/form-data; boundary=\"a:b\"; x=y", "a:b" },
        { "multipart/form-data", NULL },
        { "multipart/form-data; boundary=", NULL },
        { "multipart/mixed; boundary=x", NULL },
        { "application/json", NULL },
        { "", NULL },
        { "multipart/form-data; "
          "boundary=1234567890123456789012345678901234567890123456789012345678901234567890x",
          NULL },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct fg_str b = FG_NONE;
        bool ok = form_boundary(fg_str_c(row[i].type), &b);
        CHECK_I64(ok, row[i].want != NULL, row[i].type);
        if (ok)
            CHECK_STR(b, fg_str_c(row[i].want), row[i].type);
    }
}

#define PART(name, value) \
    "--B\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"

TEST(multipart_bodies_are_taken_apart)
{
    struct t_world w;
    struct form_part part[FORM_PARTS_MAX];
    size_t n = 0;
    t_begin(&w);
    struct fg_str body = FG_LIT(PART("prompt", "line\r\n--not the end") PART(
        "empty",
        "") "--B\r\ncontent-type: image/png\r\n"
            "content-disposition: form-data; name=file; filename=\"\xc3\xa9%22;.png\"\r\n\r\n"
            "\0\r\n\r\n--\0\r\n--B--\r\n");
    CHECK_CODE(&w.cx, form_parse(&w.cx, FG_LIT("B"), body, part, &n), FG_OK);
    CHECK_I64(n, 3, "parts");
    CHECK_IS(part[0].value, "line\r\n--not the end", "a line feed within");
    CHECK(!part[0].filename.p, "a field has no file name");
    CHECK_IS(part[1].value, "", "an empty value");
    CHECK_IS(part[2].name, "file", "a name without quotes");
    CHECK_IS(part[2].filename, "\xc3\xa9%22;.png", "a quoted semicolon");
    CHECK_IS(part[2].value, "\0\r\n\r\n--\0", "any bytes");
    t_end(&w, 0);
}

TEST(broken_multipart_bodies_are_refused)
{
    const struct {
        struct fg_str body;
        const char *why;
    } row[] = {
        { FG_LIT(""), "empty" },
        { FG_LIT("--C\r\n\r\n--C--"), "another boundary" },
        { FG_LIT("--B"), "only a boundary" },
        { FG_LIT(PART("a", "b")), "no end" },
        { FG_LIT("--B\r\nContent-Disposition: form-data; name=\"a\"\r\n--B--"), "no empty line" },
        { FG_LIT("--B\r\nContent-Disposition: form-data\r\n\r\nx\r\n--B--"), "no name" },
        { FG_LIT("--B\r\nContent-Disposition: form-data; name=\"a\r\n\r\nx\r\n--B--"),
          "an open quote" },
        { FG_LIT("--B\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nx\r\n--B--"),
          "not form-data" },
        { FG_LIT("--B\r\nno colon\r\n\r\nx\r\n--B--"), "no header" },
        { FG_LIT("--Bx\r\n\r\n--B--"), "bytes behind the boundary" },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct t_world w;
        struct form_part part[FORM_PARTS_MAX];
        size_t n;
        t_begin(&w);
        CHECK_I64(form_parse(&w.cx, FG_LIT("B"), row[i].body, part, &n), FG_INVALID_REQUEST,
                  row[i].why);
        t_end(&w, 0);
    }
}

TEST(a_form_has_a_bounded_number_of_parts)
{
    struct t_world w;
    struct form_part part[FORM_PARTS_MAX];
    size_t n;
    t_begin(&w);
    struct sb b = sb_in(w.cx.mem, FG_MIB);
    for (int i = 0; i <= FORM_PARTS_MAX; i++)
        sb_add(&b, FG_LIT(PART("a", "b")));
    sb_add(&b, FG_LIT("--B--"));
    CHECK_I64(form_parse(&w.cx, FG_LIT("B"), sb_str(&b), part, &n), FG_INVALID_REQUEST,
              "one too many");
    t_end(&w, 0);
}

static const struct conf conf = {
    .studio_webhook_secret = { "whsec_ZmlsbWdhdGUtdGVzdC1zZWNyZXQtbnVtYmVyLTAwMDE=", 50 },
    .fetch_local_origins = { "http://127.0.0.1:8080", 21 },
    .studio_font = { FONT, sizeof FONT - 1 },
    .media_ffmpeg = { "/usr/bin/ffmpeg", 15 },
};

#define JSON FG_LIT("application/json; charset=utf-8")

TEST(requests_are_decoded)
{
    struct t_world w;
    struct request r;
    t_begin(&w);
    CHECK_CODE(&w.cx,
               request_decode(&w.cx, &conf, JSON, FG_LIT("{\"prompt\":\" a \\ud83c\\udfac\"}"), &r),
               FG_OK);
    CHECK_IS(r.video.prompt, " a \xf0\x9f\x8e\xac", "as it was given");
    CHECK_IS(r.video.model, "studio-1", "default");
    CHECK_I64(r.video.seconds, 4, "default");
    CHECK_I64(r.video.width, 720, "default");
    CHECK_I64(r.video.height, 1280, "default");
    CHECK(!r.video.metadata.p && !r.image.p && !r.video.webhook_url.p, "nothing there");
    int64_t seed = r.video.seed;
    CHECK_CODE(&w.cx, request_decode(&w.cx, &conf, JSON, FG_LIT("{\"prompt\":\"a\"}"), &r), FG_OK);
    CHECK(r.video.seed != seed, "a seed is drawn each time");
    CHECK_CODE(&w.cx,
               request_decode(
                   &w.cx, &conf, JSON,
                   FG_LIT("{\"prompt\":\"a\",\"model\":\"studio-1\",\"seconds\":\"20\","
                          "\"size\":\"64x1920\",\"seed\":4294967295,\"metadata\":{\"k\\\"\":\"v\"},"
                          "\"webhook_url\":\"https://example.com/x\",\"input_reference\":null}"),
                   &r),
               FG_OK);
    CHECK_I64(r.video.seconds, 20, "seconds");
    CHECK_I64(r.video.width, 64, "width");
    CHECK_I64(r.video.height, 1920, "height");
    CHECK_I64(r.video.seed, UINT32_MAX, "seed");
    CHECK_IS(r.video.metadata, "{\"k\\\"\":\"v\"}", "metadata");
    CHECK_IS(r.video.webhook_url, "https://example.com/x", "webhook");
    t_end(&w, 0);
}

TEST(bad_requests_name_the_parameter)
{
    static const struct {
        const char *body, *param, *code;
    } row[] = {
        { "{}", "prompt", "missing_required_parameter" },
        { "{\"prompt\":null}", "prompt", "missing_required_parameter" },
        { "{\"prompt\":\" \\u00a0\\n\"}", "prompt", "invalid_value" },
        { "{\"prompt\":7}", "prompt", "invalid_type" },
        { "{\"prompt\":\"a\",\"model\":\"sora-2\"}", "model", "model_not_found" },
        { "{\"prompt\":\"a\",\"seconds\":4}", "seconds", "invalid_type" },
        { "{\"prompt\":\"a\",\"seconds\":\"0\"}", "seconds", "invalid_value" },
        { "{\"prompt\":\"a\",\"seconds\":\"21\"}", "seconds", "invalid_value" },
        { "{\"prompt\":\"a\",\"seconds\":\"4.5\"}", "seconds", "invalid_value" },
        { "{\"prompt\":\"a\",\"size\":\"1280\"}", "size", "invalid_value" },
        { "{\"prompt\":\"a\",\"size\":\"62x64\"}", "size", "invalid_value" },
        { "{\"prompt\":\"a\",\"size\":\"65x64\"}", "size", "invalid_value" },
        { "{\"prompt\":\"a\",\"size\":\"64x1922\"}", "size", "invalid_value" },
        { "{\"prompt\":\"a\",\"size\":\"64x64 \"}", "size", "invalid_value" },
        { "{\"prompt\":\"a\",\"seed\":-1}", "seed", "invalid_value" },
        { "{\"prompt\":\"a\",\"seed\":1.5}", "seed", "invalid_value" },
        { "{\"prompt\":\"a\",\"seed\":\"1\"}", "seed", "invalid_type" },
        { "{\"prompt\":\"a\",\"metadata\":{\"a\":1}}", "metadata", "invalid_type" },
        { "{\"prompt\":\"a\",\"metadata\":[]}", "metadata", "invalid_type" },
        { "{\"prompt\":\"a\",\"webhook_url\":\"ftp://example.com\"}", "webhook_url",
          "invalid_value" },
        { "{\"prompt\":\"a\",\"webhook_url\":\"http://127.0.0.1:9/\"}", "webhook_url",
          "invalid_value" },
        { "{\"prompt\":\"a\",\"input_reference\":\"x\"}", "input_reference", "invalid_type" },
        { "{\"prompt\":\"a\",\"input_reference\":{\"file_id\":\"f\"}}", "input_reference",
          "invalid_type" },
        { "{\"prompt\":\"a\",\"input_reference\":{\"image_url\":\"data:image/png;base64,!\"}}",
          "input_reference.image_url", "invalid_value" },
        { "{\"prompt\":\"a\",\"input_reference\":{\"image_url\":\"data:image/"
          "png;base64,R0lGODlh\"}}",
          "input_reference", "invalid_value" },
        { "{\"prompt\":\"a\",\"input_reference\":{\"image_url\":\"file:///etc/passwd\"}}",
          "input_reference.image_url", "image_unreachable" },
        { "{\"prompt\":\"a\",\"input_reference\":{\"image_url\":\"https://169.254.169.254/\"}}",
          "input_reference.image_url", "image_unreachable" },
        { "{\"prompt\":\"a\",\"n\":2}", "n", "unknown_parameter" },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct t_world w;
        struct request r;
        t_begin(&w);
        CHECK_I64(request_decode(&w.cx, &conf, JSON, fg_str_c(row[i].body), &r), FG_INVALID_REQUEST,
                  row[i].body);
        CHECK_I64(w.cx.err.field_n, 1, row[i].body);
        CHECK_STR(fg_str_c(w.cx.err.field[0].path), fg_str_c(row[i].param), row[i].body);
        CHECK_STR(fg_str_c(w.cx.err.field[0].code), fg_str_c(row[i].code), row[i].body);
        t_end(&w, 0);
    }
}

TEST(all_errors_come_at_once)
{
    struct t_world w;
    struct request r;
    t_begin(&w);
    CHECK_I64(request_decode(&w.cx, &conf, JSON,
                             FG_LIT("{\"webhook_url\":\"x\",\"size\":\"1x1\",\"x\":1}"), &r),
              FG_INVALID_REQUEST, "several");
    CHECK_I64(w.cx.err.field_n, 4, "webhook_url, size, x and the missing prompt");
    CHECK_I64(request_decode(&w.cx, &conf, JSON, FG_LIT("[]"), &r), FG_INVALID_JSON, "no object");
    CHECK_I64(request_decode(&w.cx, &conf, FG_LIT("text/plain"), FG_LIT("{}"), &r), FG_MEDIA_TYPE,
              "type");
    t_end(&w, 0);
}

TEST(the_sdks_form_says_the_same_as_json)
{
    struct t_world w;
    struct request r;
    t_begin(&w);
    struct fg_str type = FG_LIT("multipart/form-data; boundary=B");
    CHECK_CODE(&w.cx,
               request_decode(
                   &w.cx, &conf, type,
                   FG_LIT(PART("prompt", "h\xc3\xa9 \"q\"\r\nx") PART("seconds", "5")
                              PART("seed", "7") PART("metadata[a]", "b") PART("metadata[n]", "1")
                                  PART("size",
                                       "320x240") "--B\r\nContent-Disposition: form-data; "
                                                  "name=\"input_reference\"; filename=\"x\"\r\n\r\n"
                                                  "\x89PNG\r\n\x1a\n..\r\n--B--\r\n"),
                   &r),
               FG_OK);
    CHECK_IS(r.video.prompt, "h\xc3\xa9 \"q\"\r\nx", "prompt");
    CHECK_I64(r.video.seconds, 5, "seconds");
    CHECK_I64(r.video.seed, 7, "seed");
    CHECK_IS(r.video.metadata, "{\"a\":\"b\",\"n\":\"1\"}", "metadata");
    CHECK_I64(r.image.n, 10, "image");
    CHECK_IS(fg_str_c(r.image_type), "png", "by its bytes");
    CHECK_I64(request_decode(&w.cx, &conf, type,
                             FG_LIT(PART("prompt", "a") PART("prompt", "b") "--B--"), &r),
              FG_INVALID_REQUEST, "twice");
    CHECK_I64(request_decode(&w.cx, &conf, type, FG_LIT(PART("prompt", "a\xff") "--B--"), &r),
              FG_INVALID_REQUEST, "not UTF-8");
    CHECK_I64(request_decode(&w.cx, &conf, type, FG_LIT(PART("prompt", "a\0b") "--B--"), &r),
              FG_INVALID_REQUEST, "a NUL");
    t_end(&w, 0);
}

TEST(words_fit_and_are_all_there)
{
    static const struct {
        const char *prompt;
        int width, height;
        size_t lines;
        const char *first, *why;
    } row[] = {
        { "a paper boat", 854, 480, 1, "a paper boat", "short" },
        { "  a\t\n paper\xc2\xa0 boat ", 854, 480, 1, "a paper boat", "white space is one blank" },
        { "a paper boat crossing a puddle that reflects the sky", 854, 480, 3,
          "a paper boat crossing", "broken at blanks" },
        { "extraordinarily", 360, 640, 1, "extraordinarily", "smaller rather than torn" },
        { "caf\xc3\xa9 \xf0\x9f\x90\x9f\xf0\x9f\x93\x9a now", 854, 480, 1, "caf\xc3\xa9 now",
          "emoji are left out" },
        { "\xf0\x9f\x90\x9f", 854, 480, 0, NULL, "nothing to draw" },
        { "\xe2\x80\xae"
          "abc\xe2\x80\x8d",
          854, 480, 1, "abc", "no marks of direction" },
    };
    struct t_world w;
    struct font f;
    t_begin(&w);
    CHECK_CODE(&w.cx, font_open(&w.cx, &f, FG_LIT(FONT)), FG_OK);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct words words;
        words_layout(&w.cx, &f, fg_str_c(row[i].prompt), row[i].width, row[i].height, &words);
        CHECK_I64(words.n, row[i].lines, row[i].why);
        if (words.n)
            CHECK_STR(words.line[0], fg_str_c(row[i].first), row[i].why);
    }
    t_end(&w, 0);
}

TEST(a_very_long_prompt_is_cut_with_an_ellipsis)
{
    struct t_world w;
    struct font f;
    struct words words;
    t_begin(&w);
    CHECK_CODE(&w.cx, font_open(&w.cx, &f, FG_LIT(FONT)), FG_OK);
    struct sb b = sb_in(w.cx.mem, FG_MIB);
    for (int i = 0; i < 6000; i++)
        sb_add(&b, i % 5 ? FG_LIT("\xc3\xa9") : FG_LIT(" \xc3\xa9"));
    for (int side = 64; side <= 1920; side += 464) {
        words_layout(&w.cx, &f, sb_str(&b), side, side, &words);
        struct fg_str last = words.line[words.n - 1];
        CHECK(words.n >= 1 && words.n <= WORDS_LINES_MAX, "lines");
        CHECK(last.n > 3 && memcmp(last.p + last.n - 3, "\xe2\x80\xa6", 3) == 0, "ellipsis");
        for (size_t i = 0; i < words.n; i++) {
            int64_t wide = 0;
            CHECK(utf8_count(words.line[i]) != SIZE_MAX, "no character is torn");
            for (size_t at = 0; at < words.line[i].n; at++)
                wide += (words.line[i].p[at] & 0xc0) == 0x80
                            ? 0
                            : font_advance(&f, words.line[i].p[at] == ' ' ? ' ' : 0xe9);
            CHECK(wide * words.size_px / 1000 <= side, "within the picture");
        }
    }
    t_end(&w, 0);
}

TEST(a_damaged_font_is_refused_or_draws_nothing)
{
    struct t_world w;
    struct font f;
    t_begin(&w);
    CHECK_I64(font_open(&w.cx, &f, FG_LIT("/nowhere.ttf")), FG_CONFIG, "no file");
    CHECK_I64(font_open(&w.cx, &f, FG_LIT("/tmp/a:b.ttf")), FG_CONFIG,
              "a path with a meaning to ffmpeg");
    CHECK_I64(font_open(&w.cx, &f, FG_LIT("/bin/sh")), FG_CONFIG, "no font");
    CHECK_CODE(&w.cx, font_open(&w.cx, &f, FG_LIT(FONT)), FG_OK);
    CHECK(font_advance(&f, 'W') > font_advance(&f, 'i'), "true widths");
    CHECK_I64(font_advance(&f, 0x1f41f), -1, "no emoji");
    for (size_t n = 0; n < f.cmap.n;
         n += 97) { /* cut anywhere: reads stay inside (seen by the sanitizers) */
        struct font cut = f;
        char *copy = arena_get(w.cx.mem, n + 1);
        memcpy(copy, f.cmap.p, n);
        cut.cmap = (struct fg_str){ copy, n };
        for (uint32_t cp = 0; cp < 0x20000; cp += 1021)
            (void)font_advance(&cut, cp);
    }
    t_end(&w, 0);
}

TEST(progress_comes_in_pieces)
{
    const struct fg_str pieces[] = {
        FG_LIT("frame=1\nout_time_us=N/A\nout_ti"),
        FG_LIT("me_us=-21"),
        FG_LIT("333\nout_time_us=25"),
        FG_LIT("00000\nout_time_ms=9\nprogress=con"),
        FG_LIT("tinue\nout_time_us=1000000\n"),
        FG_LIT("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxout"
               "_time_us=9999999\n"),
    };
    struct render_progress p = { .n = 0 };
    CHECK_I64(render_progress_percent(&p, 5), 0, "at first");
    for (size_t i = 0; i < FG_LEN(pieces); i++)
        render_progress_feed(&p, pieces[i]);
    CHECK_I64(p.out_us, 2500000, "never back, and no guess from a line too long");
    CHECK_I64(render_progress_percent(&p, 5), 50, "half");
    render_progress_feed(&p, FG_LIT("out_time_us=6000000\n"));
    CHECK_I64(render_progress_percent(&p, 5), 99, "100 is for the file in its place");
}

/* All arguments as one text. */
static struct fg_str plan(struct t_world *w, const struct video *v, struct fg_str image,
                          const char *dir)
{
    struct font f;
    struct child_call call;
    CHECK_CODE(&w->cx, font_open(&w->cx, &f, FG_LIT(FONT)), FG_OK);
    CHECK_CODE(&w->cx, render_plan(&w->cx, &conf, &f, v, fg_str_c(dir), image, &call), FG_OK);
    struct sb b = sb_in(w->cx.mem, FG_MIB);
    for (size_t i = 0; call.argv[i]; i++)
        sb_addf(&b, "%s\n", call.argv[i]);
    CHECK(call.file_bytes > 0 && call.wall_ms > 0 && call.cpu_s > 0, "limits");
    return sb_str(&b);
}

TEST(a_picture_depends_on_prompt_and_seed_alone)
{
    struct t_world w;
    char dir[] = "/tmp/studio_test.XXXXXX";
    struct video a = { .public_id = FG_LIT("video_1"),
                       .prompt = FG_LIT("x'; [in] %{pts} $(id)"),
                       .seed = 1,
                       .seconds = 5,
                       .width = 640,
                       .height = 360 };
    struct video b = a, c = a, d = a;
    t_begin(&w);
    CHECK(mkdtemp(dir) != NULL, "a folder");
    b.public_id = FG_LIT("video_2");
    b.tries = 3;
    c.seed = 2;
    d.prompt = FG_LIT("y");
    struct fg_str first = plan(&w, &a, FG_NONE, dir);
    CHECK(strstr(first.p, "$(id)") == NULL && strstr(first.p, "[in]") == NULL,
          "the words are not in the call");
    struct fg_str line = t_file(&w.cx, arena_fmt(w.cx.mem, "%s/0.txt", dir).p);
    CHECK_IS(line, "x'; [in] %{pts} $(id)", "but in a file");
    CHECK_STR(plan(&w, &b, FG_NONE, dir), first, "the same again");
    CHECK(!fg_eq(plan(&w, &c, FG_NONE, dir), first), "another seed");
    CHECK(!fg_eq(plan(&w, &d, FG_NONE, dir), first), "another prompt");
    CHECK(strstr(plan(&w, &a, FG_LIT("/i/x.webp"), dir).p, "webp_pipe\n-i\n/i/x.webp") != NULL,
          "one decoder alone");
    (void)unlink(arena_fmt(w.cx.mem, "%s/0.txt", dir).p);
    CHECK(rmdir(dir) == 0, "nothing else was written");
    t_end(&w, 0);
}

TEST(callbacks_are_repeated_with_growing_pauses_and_given_up)
{
    int64_t last = 0;
    for (int tries = 1; tries < DELIVER_TRIES_MAX; tries++) {
        int64_t low = deliver_pause_us(tries, 0, 0), high = deliver_pause_us(tries, 0, 255);
        CHECK(low > last && high > low && high <= low * 3 / 2, "grows, with jitter");
        last = low;
    }
    CHECK_I64(deliver_pause_us(DELIVER_TRIES_MAX, 0, 0), 0, "given up");
    CHECK_I64(deliver_pause_us(255, 9, 0), 0, "given up");
    CHECK_I64(deliver_pause_us(1, 30, 0), 30 * FG_US_PER_S, "Retry-After is a lower bound");
    CHECK_I64(deliver_pause_us(1, 1000000, 0), 3600 * FG_US_PER_S, "up to an hour");
}
