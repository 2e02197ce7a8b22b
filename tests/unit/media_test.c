/* Links that only we can make, the store, and the gate before "succeeded". */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sb.h"
#include "io/child.h"
#include "media/gate.h"
#include "media/link.h"
#include "media/disk.h"
#include "t.h"

static const uint8_t pepper[HASH_LEN] = { 1, 2, 3 };

/* ---- links ---- */

struct link {
    struct fg_str exp, sig;
};

static struct link parts_of(struct fg_str url)
{
    const char *exp = strstr(url.p, "?exp=") + 5, *sig = strstr(url.p, "&sig=");
    return (struct link){ { exp, (size_t)(sig - exp) }, fg_str_c(sig + 5) };
}

TEST(a_link_opens_one_part_of_one_job_of_one_account_for_a_while)
{
    struct t_world w;
    t_begin(&w);
    struct fg_str job = FG_LIT("job_1");
    struct fg_str url =
        link_make(&w.cx, pepper, job, 7, MEDIA_VIDEO, w.cx.now_us + FG_US_PER_S + 999999);
    CHECK(fg_starts(url, FG_LIT("/media/job_1/video?exp=1893456001&sig=")),
          "the form; whole seconds");
    struct link l = parts_of(url);
    static const uint8_t other_pepper[HASH_LEN] = { 1, 2, 4 };
    char *forged = arena_cstr(w.cx.mem, l.sig);
    forged[0] = forged[0] == 'A' ? 'B' : 'A';
    const struct {
        const char *why;
        const uint8_t *pepper;
        struct fg_str job;
        int64_t account;
        enum media_part part;
        struct fg_str exp, sig;
        enum fg_code want;
    } row[] = {
        { "as made", pepper, job, 7, MEDIA_VIDEO, l.exp, l.sig, FG_OK },
        { "other pepper", other_pepper, job, 7, MEDIA_VIDEO, l.exp, l.sig, FG_LINK_INVALID },
        { "other job", pepper, FG_LIT("job_2"), 7, MEDIA_VIDEO, l.exp, l.sig, FG_LINK_INVALID },
        { "other account", pepper, job, 8, MEDIA_VIDEO, l.exp, l.sig, FG_LINK_INVALID },
        { "other part", pepper, job, 7, MEDIA_POSTER, l.exp, l.sig, FG_LINK_INVALID },
        { "longer life", pepper, job, 7, MEDIA_VIDEO, FG_LIT("1893456002"), l.sig,
          FG_LINK_INVALID },
        { "same life, other text", pepper, job, 7, MEDIA_VIDEO, FG_LIT("01893456001"), l.sig,
          FG_LINK_INVALID },
        { "no expiry", pepper, job, 7, MEDIA_VIDEO, FG_NONE, l.sig, FG_LINK_INVALID },
        { "expiry beyond all time", pepper, job, 7, MEDIA_VIDEO, FG_LIT("18446744073709551615"),
          l.sig, FG_LINK_INVALID },
        { "forged", pepper, job, 7, MEDIA_VIDEO, l.exp, fg_str_c(forged), FG_LINK_INVALID },
        { "cut", pepper, job, 7, MEDIA_VIDEO, l.exp, { l.sig.p, l.sig.n - 1 }, FG_LINK_INVALID },
        { "no signature", pepper, job, 7, MEDIA_VIDEO, l.exp, FG_NONE, FG_LINK_INVALID },
    };
    for (size_t i = 0; i < FG_LEN(row); i++) {
        enum fg_code got = link_check(&w.cx, row[i].pepper, row[i].job, row[i].account, row[i].part,
                                      row[i].exp, row[i].sig);
        CHECK_I64(got, row[i].want, row[i].why);
    }
    t_advance(&w, FG_US_PER_S - 1);
    CHECK_CODE(&w.cx, link_check(&w.cx, pepper, job, 7, MEDIA_VIDEO, l.exp, l.sig), FG_OK);
    t_advance(&w, 1);
    CHECK_CODE(&w.cx, link_check(&w.cx, pepper, job, 7, MEDIA_VIDEO, l.exp, l.sig),
               FG_LINK_INVALID);
    t_end(&w, 0);
}

TEST(expiries_stand_still_for_a_quarter_of_the_life)
{
    const int64_t life = 3600 * FG_US_PER_S, start = INT64_C(1893456000) * FG_US_PER_S;
    CHECK_I64(link_expiry_us(start, life), start + life, "a quarter begins");
    CHECK_I64(link_expiry_us(start + 899 * FG_US_PER_S, life), start + life, "still the same");
    CHECK_I64(link_expiry_us(start + 900 * FG_US_PER_S, life), start + 4500 * FG_US_PER_S,
              "the next");
    for (int64_t life_s = 1; life_s < 200; life_s += 7) {
        int64_t left = link_expiry_us(start + 123456789, life_s * FG_US_PER_S) - start - 123456789;
        CHECK(left <= life_s * FG_US_PER_S && left > life_s * FG_US_PER_S * 3 / 4 - FG_US_PER_S,
              "between three quarters and all of the life");
    }
}

/* ---- a world with a store ---- */

struct place {
    struct t_world w;
    struct conf conf;
    const struct fg_env *env;
    char dir[40];
};

static void place_begin(struct place *p)
{
    t_begin(&p->w);
    p->env = p->w.cx.env;
    (void)snprintf(p->dir, sizeof p->dir, "/tmp/fg-media-XXXXXX");
    CHECK(mkdtemp(p->dir) != NULL && chmod(p->dir, 0711) == 0, "a temporary folder");
    p->conf = (struct conf){ .media_root = arena_fmt(p->w.cx.mem, "%s/store", p->dir),
                             .media_ffprobe = FG_LIT("/usr/bin/ffprobe"),
                             .media_ffmpeg = FG_LIT("/usr/bin/ffmpeg"),
                             .media_child_timeout_s = 30 };
    p->conf.media_jail = FG_LIT("auto");
    p->w.cx.env = env_real(); /* children live in real time */
    CHECK_CODE(&p->w.cx, child_jail_open(&p->w.cx, &p->conf), FG_OK);
    p->w.cx.env = p->env;
    CHECK_CODE(&p->w.cx, disk_open(&p->w.cx, &p->conf), FG_OK);
}

static void place_end(struct place *p)
{
    struct fg_str out;
    struct child_call rm = { .argv = { "/bin/rm", "-rf", p->dir }, .file_bytes = 1 };
    CHECK_CODE(&p->w.cx, child_run(&p->w.cx, &rm, &out), FG_OK);
    t_end(&p->w, 0);
}

static const char *in_dir(struct place *p, const char *name)
{
    return arena_fmt(p->w.cx.mem, "%s/%s", p->dir, name).p;
}

static bool exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

/* ---- the store ---- */

#define JOB FG_LIT("job_7zabcdefghjkmnpqrstvwxyz00")

static struct fg_str put(struct place *p, struct fg_str job, const char *text)
{
    struct spool t;
    struct fg_str name = FG_NONE;
    CHECK_CODE(&p->w.cx, spool_new(&p->w.cx, &p->conf, ".mp4", &t), FG_OK);
    CHECK(fcntl(t.fd, F_GETFD) & FD_CLOEXEC, "no child inherits it");
    CHECK(write(t.fd, text, strlen(text)) == (ssize_t)strlen(text), "written");
    CHECK_CODE(&p->w.cx, disk_put(&p->w.cx, &p->conf, &t, job, ".mp4", &name), FG_OK);
    spool_drop(&t); /* fine after the put, and takes nothing away */
    return name;
}

static const char *stored(struct place *p, struct fg_str name)
{
    return arena_fmt(p->w.cx.mem, "%.*s/%.*s", FG_P(p->conf.media_root), FG_P(name)).p;
}

TEST(a_file_is_put_once_and_removed)
{
    struct place p;
    place_begin(&p);
    struct fg_ctx *cx = &p.w.cx;
    CHECK_CODE(cx, disk_open(cx, &p.conf), FG_OK); /* a second start */
    struct fg_str name = put(&p, JOB, "one"), second = put(&p, JOB, "two");
    CHECK(!fg_eq(name, second), "the second does not overwrite the first");
    CHECK(fg_starts(name, FG_LIT("7z/job_7zabcdefghjkmnpqrstvwxyz00-")) &&
              fg_eq((struct fg_str){ name.p + name.n - 4, 4 }, FG_LIT(".mp4")),
          "ab/job_…mp4");
    CHECK(name.n <= 100, "fits its column");
    CHECK_IS(t_file(cx, stored(&p, name)), "one", "in its place, whole");
    CHECK_CODE(cx, disk_remove(cx, &p.conf, name), FG_OK);
    CHECK(!exists(stored(&p, name)) && exists(stored(&p, second)), "gone, and no other");
    CHECK_CODE(cx, disk_remove(cx, &p.conf, name), FG_OK);
    place_end(&p);
}

TEST(what_a_crash_left_of_a_job_goes_and_nothing_else)
{
    struct place p;
    place_begin(&p);
    struct fg_ctx *cx = &p.w.cx;
    struct fg_str video = put(&p, JOB, "v"), poster = put(&p, JOB, "p"), left = put(&p, JOB, "x");
    struct fg_str other = put(&p, FG_LIT("job_7zabcdefghjkmnpqrstvwxyz01"), "o");
    CHECK_CODE(cx, disk_keep_only(cx, &p.conf, JOB, video, poster), FG_OK);
    CHECK(exists(stored(&p, video)) && exists(stored(&p, poster)), "the row's files stay");
    CHECK(!exists(stored(&p, left)), "the one without a row goes");
    CHECK_CODE(cx, disk_keep_only(cx, &p.conf, JOB, FG_NONE, FG_NONE), FG_OK);
    CHECK(!exists(stored(&p, video)) && exists(stored(&p, other)),
          "all of this job, none of its neighbour");
    CHECK_CODE(
        cx,
        disk_keep_only(cx, &p.conf, FG_LIT("job_00abcdefghjkmnpqrstvwxyz00"), FG_NONE, FG_NONE),
        FG_OK);
    place_end(&p);
}

TEST(old_temporary_files_are_tidied_away)
{
    struct place p;
    struct spool t;
    place_begin(&p);
    struct fg_ctx *cx = &p.w.cx;
    CHECK_CODE(cx, spool_new(cx, &p.conf, ".part", &t), FG_OK);
    const struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
    cx->now_us = 2000 * FG_US_PER_S;
    CHECK(futimens(t.fd, old) == 0, "");
    CHECK_CODE(cx, spool_tidy(cx, &p.conf, cx->now_us), FG_OK);
    CHECK(exists(t.path.p), "somebody may still write it");
    cx->now_us = INT64_C(1000000) * FG_US_PER_S;
    CHECK_CODE(cx, spool_tidy(cx, &p.conf, cx->now_us), FG_OK);
    CHECK(!exists(t.path.p), "nobody can");
    spool_drop(&t);
    place_end(&p);
}

TEST(temporary_files_leave_nothing)
{
    struct place p;
    struct spool t, none = { -1, FG_NONE };
    place_begin(&p);
    CHECK_CODE(&p.w.cx, spool_new(&p.w.cx, &p.conf, ".part", &t), FG_OK);
    const char *path = t.path.p;
    CHECK(exists(path), "there");
    spool_drop(&t);
    spool_drop(&t);
    spool_drop(&none);
    CHECK(!exists(path) && t.fd == -1, "dropped, once");
    place_end(&p);
}

TEST(a_row_cannot_make_the_store_touch_anything_else)
{
    static const char *const names[] = { "",       "ab/",   "ab/../x", "../ab/x", "/etc/passwd",
                                         "ab/c/d", "ab/.x", "tmp/x",   "ab/x\n",  "a./x",
                                         "abx",    "ab/x y" };
    struct place p;
    place_begin(&p);
    for (size_t i = 0; i < FG_LEN(names); i++)
        CHECK_I64(disk_remove(&p.w.cx, &p.conf, fg_str_c(names[i])), FG_IO, names[i]);
    place_end(&p);
}

TEST(a_store_that_cannot_be_made_says_so)
{
    struct place p;
    struct spool t;
    place_begin(&p);
    p.conf.media_root = FG_LIT("/proc/no/such/place");
    CHECK_CODE(&p.w.cx, disk_open(&p.w.cx, &p.conf), FG_IO);
    CHECK(strstr(p.w.cx.err.cause, "/proc/no/such/place"), "the log learns where");
    CHECK(!strstr(p.w.cx.err.detail, "/proc"), "a client does not");
    CHECK_CODE(&p.w.cx, spool_new(&p.w.cx, &p.conf, "", &t), FG_IO);
    place_end(&p);
}

/* ---- the gate: ffprobe's words ---- */

#define STREAM(codec, extra)                                                               \
    "{\"codec_type\":\"video\",\"codec_name\":\"" codec "\",\"width\":854,\"height\":480," \
    "\"nb_read_packets\":\"120\",\"disposition\":{\"attached_pic\":0}" extra "}"
#define PROBE(streams, format) "{\"streams\":[" streams "],\"format\":{" format "}}"
#define MP4 "\"format_name\":\"mov,mp4,m4a,3gp,3g2,mj2\""

TEST(what_the_gate_takes_and_what_not)
{
    static const struct {
        const char *why, *json;
        int64_t want_s, duration_ms; /* 0: refused */
    } row[] = {
        { "good", PROBE(STREAM("h264", ",\"duration\":\"5.041667\",\"nb_frames\":\"120\""), MP4), 5,
          5041 },
        { "length from the format", PROBE(STREAM("h264", ""), MP4 ",\"duration\":\"5.000000\""), 5,
          5000 },
        { "whole seconds", PROBE(STREAM("h264", ""), MP4 ",\"duration\":\"5\""), 5, 5000 },
        { "sound first",
          PROBE("{\"codec_type\":\"audio\"}," STREAM("av1", ""), MP4 ",\"duration\":\"5.0\""), 5,
          5000 },
        { "as short as it may be", PROBE(STREAM("h264", ""), MP4 ",\"duration\":\"2.5\""), 5,
          2500 },
        { "shorter", PROBE(STREAM("h264", ""), MP4 ",\"duration\":\"2.499\""), 5, 0 },
        { "as long as it may be", PROBE(STREAM("h264", ""), MP4 ",\"duration\":\"13.5\""), 10,
          13500 },
        { "longer", PROBE(STREAM("h264", ""), MP4 ",\"duration\":\"13.501\""), 10, 0 },
        { "frames are missing",
          PROBE(STREAM("h264", ",\"nb_frames\":\"121\""), MP4 ",\"duration\":\"5\""), 5, 0 },
        { "no length", PROBE(STREAM("h264", ""), MP4), 5, 0 },
        { "length zero", PROBE(STREAM("h264", ""), MP4 ",\"duration\":\"0.000000\""), 5, 0 },
        { "length N/A", PROBE(STREAM("h264", ""), MP4 ",\"duration\":\"N/A\""), 5, 0 },
        { "negative", PROBE(STREAM("h264", ""), MP4 ",\"duration\":\"-5.0\""), 5, 0 },
        { "length as a number", PROBE(STREAM("h264", ""), MP4 ",\"duration\":5"), 5, 0 },
        { "cover art is no video",
          PROBE("{\"codec_type\":\"video\",\"codec_name\":\"h264\",\"width\":9,\"height\":9,\"nb_"
                "read_packets\":\"1\",\"disposition\":{\"attached_pic\":1}}",
                MP4 ",\"duration\":\"5\""),
          5, 0 },
        { "sound only", PROBE("{\"codec_type\":\"audio\"}", MP4 ",\"duration\":\"5\""), 5, 0 },
        { "no streams", PROBE("", MP4 ",\"duration\":\"5\""), 5, 0 },
        { "other container",
          PROBE(STREAM("h264", ""), "\"format_name\":\"matroska,webm\",\"duration\":\"5\""), 5, 0 },
        { "codec", PROBE(STREAM("mpeg4", ""), MP4 ",\"duration\":\"5\""), 5, 0 },
        { "no size",
          PROBE("{\"codec_type\":\"video\",\"codec_name\":\"h264\",\"nb_read_packets\":\"9\"}",
                MP4 ",\"duration\":\"5\""),
          5, 0 },
        { "a picture that nobody can hold",
          PROBE("{\"codec_type\":\"video\",\"codec_name\":\"h264\",\"width\":16000,\"height\":16000,"
                "\"nb_read_packets\":\"9\"}",
                MP4 ",\"duration\":\"5\""),
          5, 0 },
        { "sound far beyond the picture",
          PROBE(STREAM("h264", ",\"duration\":\"5\""), MP4 ",\"duration\":\"86000.0\""), 5, 0 },
        { "no packets",
          PROBE("{\"codec_type\":\"video\",\"codec_name\":\"h264\",\"width\":9,\"height\":9}",
                MP4 ",\"duration\":\"5\""),
          5, 0 },
        { "empty object", "{}", 5, 0 },
        { "streams is no array", "{\"streams\":{},\"format\":{" MP4 "}}", 5, 0 },
        { "nothing", "", 5, 0 },
        { "no JSON", "ffprobe: boom", 5, 0 },
    };
    struct t_world w;
    t_begin(&w);
    for (size_t i = 0; i < FG_LEN(row); i++) {
        struct gate_facts f = { 0 };
        enum fg_code got = gate_read(&w.cx, fg_str_c(row[i].json), row[i].want_s, &f);
        CHECK_I64(got, row[i].duration_ms ? FG_OK : FG_INVALID_REQUEST, row[i].why);
        CHECK_I64(f.duration_ms, row[i].duration_ms, row[i].why);
        CHECK(got != FG_OK || (f.width == 854 && f.height == 480), row[i].why);
    }
    t_end(&w, 0);
}

/* ---- the gate: real files ---- */

static void make_video(struct place *p, const char *path, const char *source, const char *codec)
{
    struct fg_str out;
    struct child_call c = { .argv = { "/usr/bin/ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi",
                                      "-i", source, "-t", "2", "-c", codec, "-threads", "1",
                                      "-movflags", "+faststart", "-y", path },
                            .file_bytes = 8 * 1024 * 1024 };
    CHECK_CODE(&p->w.cx, child_run(&p->w.cx, &c, &out), FG_OK);
}

static enum fg_code pass_gate(struct place *p, const char *path, int64_t want_s,
                              struct gate_facts *f)
{
    struct fg_ctx *cx = &p->w.cx;
    struct child_call call;
    struct fg_str json;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return FG_NOT_FOUND;
    enum fg_code rc = gate_look(cx, fd, want_s);
    if (rc == FG_OK)
        rc = child_show(cx, p->conf.jail, fd);
    gate_probe_call(cx, &p->conf, path, &call);
    if (rc == FG_OK)
        rc = child_run(cx, &call, &json);
    if (rc == FG_OK)
        rc = gate_read(cx, json, want_s, f);
    close(fd);
    return rc;
}

#define PICTURE "testsrc=s=320x180:r=10"

TEST(real_files_at_the_gate)
{
    struct place p;
    struct gate_facts f = { 0 };
    struct stat st;
    place_begin(&p);
    const char *good = in_dir(&p, "good.mp4");
    make_video(&p, good, PICTURE, "libx264");
    CHECK_CODE(&p.w.cx, pass_gate(&p, good, 2, &f), FG_OK);
    CHECK(f.width == 320 && f.height == 180 && f.duration_ms == 2000, "the facts");
    CHECK_CODE(&p.w.cx, pass_gate(&p, good, 7, &f), FG_INVALID_REQUEST);

    const char *sound = in_dir(&p, "sound.mp4"), *old = in_dir(&p, "old.mp4"),
               *gif = in_dir(&p, "gif.gif");
    make_video(&p, sound, "sine", "aac");
    make_video(&p, old, PICTURE, "mpeg4");
    make_video(&p, gif, PICTURE, "gif");
    CHECK_CODE(&p.w.cx, pass_gate(&p, sound, 2, &f), FG_INVALID_REQUEST);
    CHECK_CODE(&p.w.cx, pass_gate(&p, old, 2, &f), FG_INVALID_REQUEST);
    CHECK(rename(gif, in_dir(&p, "gif.mp4")) == 0, "");
    CHECK_CODE(&p.w.cx, pass_gate(&p, in_dir(&p, "gif.mp4"), 2, &f), FG_INVALID_REQUEST);

    /* A faststart file keeps its whole index when its end is lost. */
    CHECK(stat(good, &st) == 0 && st.st_size > 3000, "");
    static const int percent[] = { 99, 95, 60, 20, 3 };
    for (size_t i = 0; i < FG_LEN(percent); i++) {
        CHECK(truncate(good, st.st_size * percent[i] / 100) == 0, "");
        CHECK(pass_gate(&p, good, 2, &f) != FG_OK, "truncated");
    }
    CHECK(truncate(good, 0) == 0, "");
    CHECK(pass_gate(&p, good, 2, &f) != FG_OK, "zero length");
    FILE *text = fopen(good, "we");
    CHECK(text && fputs("<html>503 Service Unavailable</html>\n", text) >= 0 && fclose(text) == 0,
          "");
    CHECK(pass_gate(&p, good, 2, &f) != FG_OK, "text");
    CHECK(pass_gate(&p, in_dir(&p, "absent.mp4"), 2, &f) != FG_OK, "absent");
    place_end(&p);
}

TEST(one_lost_byte_is_noticed)
{
    struct place p;
    struct gate_facts f;
    struct stat st;
    place_begin(&p);
    const char *path = in_dir(&p, "v.mp4");
    make_video(&p, path, PICTURE, "libx264");
    CHECK(stat(path, &st) == 0 && truncate(path, st.st_size - 1) == 0, "");
    CHECK(pass_gate(&p, path, 2, &f) != FG_OK, "even one byte of the last frame");
    place_end(&p);
}

TEST(a_poster_is_taken)
{
    struct place p;
    struct child_call call;
    struct spool t;
    struct fg_str out;
    unsigned char head[2] = { 0 };
    place_begin(&p);
    const char *video = in_dir(&p, "v.mp4");
    make_video(&p, video, PICTURE, "libx264");
    CHECK_CODE(&p.w.cx, spool_new(&p.w.cx, &p.conf, ".jpg", &t), FG_OK);
    const char *beside = arena_fmt(p.w.cx.mem, "%.*s/tmp/v.mp4", FG_P(p.conf.media_root)).p;
    CHECK(rename(video, beside) == 0 && chmod(beside, 0644) == 0, "both are in the spool");
    CHECK_CODE(&p.w.cx, child_lend(&p.w.cx, p.conf.jail, t.fd), FG_OK);
    gate_poster_call(&p.w.cx, &p.conf, beside, t.path.p, 2000, &call);
    CHECK_CODE(&p.w.cx, child_run(&p.w.cx, &call, &out), FG_OK);
    CHECK(pread(t.fd, head, 2, 0) == 2 && head[0] == 0xff && head[1] == 0xd8,
          "a JPEG, in the very file that was made for it");
    spool_drop(&t);
    place_end(&p);
}

/* ---- the gate: files that mean harm, or are not what they are called ---- */

static void write_to(const char *path, struct fg_str bytes)
{
    FILE *f = fopen(path, "we");
    CHECK(f && fwrite(bytes.p, 1, bytes.n, f) == bytes.n && fclose(f) == 0, path);
}

/* A good file with so many bytes of `from` (each time it occurs) overwritten by `to`. */
static const char *altered(struct place *p, const char *name, struct fg_str good, struct fg_str from, struct fg_str to)
{
    char *copy = arena_get(p->w.cx.mem, good.n);
    unsigned found = 0;
    memcpy(copy, good.p, good.n);
    for (size_t i = 0; i + from.n <= good.n; i++)
        if (memcmp(good.p + i, from.p, from.n) == 0) {
            memcpy(copy + i, to.p, to.n);
            found++;
        }
    CHECK(found > 0, name);
    const char *path = in_dir(p, name);
    write_to(path, (struct fg_str){ copy, good.n });
    return path;
}

#define BYTES(text) ((struct fg_str){ text, sizeof text - 1 })

static void refused(struct place *p, const char *path, const char *words)
{
    struct gate_facts f;
    enum fg_code rc = pass_gate(p, path, 2, &f);
    CHECK(rc == FG_INVALID_REQUEST || rc == FG_IO || rc == FG_TIMED_OUT, path);
    CHECK(strstr(p->w.cx.err.detail, words) != NULL, p->w.cx.err.detail);
}

TEST(an_encrypted_file_is_told_from_a_good_one)
{
    struct place p;
    struct fg_str out;
    place_begin(&p);
    const char *path = in_dir(&p, "enc.mp4");
    struct child_call c = { .argv = { "/usr/bin/ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", PICTURE, "-t", "2",
                                      "-c:v", "libx264", "-threads", "1", "-encryption_scheme", "cenc-aes-ctr",
                                      "-encryption_key", "76a6c65c5ea762046bd749a2e632ccbb", "-encryption_kid",
                                      "a7e61c373e219033c21091fa607bf3b8", "-y", path },
                            .file_bytes = 8 * 1024 * 1024 };
    CHECK_CODE(&p.w.cx, child_run(&p.w.cx, &c, &out), FG_OK);
    refused(&p, path, "encrypted");
    place_end(&p);
}

TEST(lists_of_other_files_are_never_followed)
{
    static const char *const text[] = {
        "ffconcat version 1.0\nfile 'good.mp4'\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\ngood.mp4\n#EXT-X-ENDLIST\n",
        "<?xml version=\"1.0\"?><MPD type=\"static\"><Period><AdaptationSet><Representation><BaseURL>good.mp4</BaseURL>"
        "</Representation></AdaptationSet></Period></MPD>",
        "1\n00:00:00,000 --> 00:00:02,000\n/etc/passwd\n",
        "<html><body>Your video will be ready soon</body></html>",
        "PK\3\4", "x", "\0\0\0\0ftyp",
    };
    struct place p;
    place_begin(&p);
    make_video(&p, in_dir(&p, "good.mp4"), PICTURE, "libx264");
    for (size_t i = 0; i < FG_LEN(text); i++) {
        const char *path = in_dir(&p, "bad.mp4");
        write_to(path, fg_str_c(text[i]));
        refused(&p, path, "");
        /* Were it to come past our own look, the program would not take it either. */
        struct child_call call;
        struct fg_str json;
        CHECK(chmod(path, 0644) == 0, path);
        gate_probe_call(&p.w.cx, &p.conf, path, &call);
        CHECK_CODE(&p.w.cx, child_run(&p.w.cx, &call, &json), FG_IO);
    }
    place_end(&p);
}

TEST(boxes_that_lie)
{
    struct place p;
    struct gate_facts f;
    place_begin(&p);
    const char *path = in_dir(&p, "good.mp4");
    make_video(&p, path, PICTURE, "libx264");
    struct fg_str good = t_file(&p.w.cx, path);
    CHECK_CODE(&p.w.cx, pass_gate(&p, path, 2, &f), FG_OK);
    refused(&p, altered(&p, "dref.mp4", good, BYTES("url \0\0\0\1"), BYTES("url \0\0\0\0")), "somewhere else");
    refused(&p, altered(&p, "encv.mp4", good, BYTES("avc1\0\0"), BYTES("encv\0\0")), "encrypted");
    refused(&p, altered(&p, "ftyp.mp4", good, BYTES("ftyp"), BYTES("fty\0")), "no MP4");
    refused(&p, altered(&p, "moov.mp4", good, BYTES("moov"), BYTES("free")), "no index");
    refused(&p, altered(&p, "cmov.mp4", good, BYTES("mvhd"), BYTES("cmov")), "compressed");
    /* Its edit list says that it lasts for weeks: 2000 of a thousand a second, written as the movie's, the track's and the list's. */
    refused(&p, altered(&p, "elst.mp4", good, BYTES("\0\0\7\320"), BYTES("\177\377\7\320")), "not about 2 s");
    place_end(&p);
}

static void box_add(struct sb *b, const char *type, struct fg_str inside)
{
    uint32_t n = (uint32_t)inside.n + 8;
    const char head[] = { (char)(n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n, type[0], type[1], type[2], type[3] };
    sb_add(b, (struct fg_str){ head, sizeof head });
    sb_add(b, inside);
}

/* Cheap to write, dear to read. */
TEST(boxes_without_end)
{
    struct place p;
    place_begin(&p);
    struct fg_ctx *cx = &p.w.cx;
    struct sb tracks = sb_in(cx->mem, 65536), file = sb_in(cx->mem, 1 << 20);
    struct fg_str inner = FG_LIT("");
    for (int i = 0; i < 2000; i++)
        box_add(&tracks, "trak", FG_LIT(""));
    for (int i = 0; i < 20; i++) {
        struct sb deep = sb_in(cx->mem, 4096);
        box_add(&deep, "moov", inner);
        inner = sb_str(&deep);
    }
    box_add(&file, "ftyp", BYTES("isom\0\0\0\0"));
    box_add(&file, "moov", sb_str(&tracks));
    const char *path = in_dir(&p, "tracks.mp4");
    write_to(path, sb_str(&file));
    refused(&p, path, "too many tracks");
    file.n = 0;
    box_add(&file, "ftyp", BYTES("isom\0\0\0\0"));
    sb_add(&file, inner);
    write_to(path, sb_str(&file));
    refused(&p, path, "too many parts");
    file.n = 0;
    box_add(&file, "ftyp", BYTES("isom\0\0\0\0"));
    for (int i = 0; i < 70000; i++)
        box_add(&file, "free", FG_LIT(""));
    write_to(path, sb_str(&file));
    refused(&p, path, "too many parts");
    place_end(&p);
}

/* Provenance: boxes of others stay where they are, and are no reason to refuse the file. */
TEST(foreign_boxes_are_no_reason)
{
    struct place p;
    struct gate_facts f;
    place_begin(&p);
    const char *path = in_dir(&p, "c2pa.mp4");
    make_video(&p, path, PICTURE, "libx264");
    struct fg_str good = t_file(&p.w.cx, path);
    struct sb file = sb_in(p.w.cx.mem, good.n + 1024);
    sb_add(&file, good);
    box_add(&file, "uuid", BYTES("\330\376\303\326\033\016\110\074\222\227\130\050\207\176\304\201manifest"));
    box_add(&file, "XMP_", BYTES("<x:xmpmeta/>"));
    write_to(path, sb_str(&file));
    CHECK_CODE(&p.w.cx, pass_gate(&p, path, 2, &f), FG_OK);
    place_end(&p);
}
