/* The boxes of an MP4, as far as they tell whether it is one that we may hand to a program and to a browser. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "media/gate.h"

#define BOXES_MAX 65536 /* of the file itself; a fragmented one has two for each fragment */
#define TRACKS_MAX 32
#define INSIDE_MAX 1024 /* of a box that holds others */
#define DEPTH_MAX 8
#define LONG_MAX_HIGH 0xfffff /* of a length, above its lowest 32 bits: times 1000 it still is a number */

#define TYPE(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

struct box {
    uint32_t type;
    int64_t from, end; /* of what is in it */
};

struct look {
    int fd;
    const char *wrong; /* in words, once it is */
    int error;         /* errno of a read that failed */
    unsigned tracks;
    bool has_index;
    int64_t movie_ms; /* as long as a player would say; 0: it does not say */
};

static uint32_t be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool read_at(struct look *l, int64_t at, unsigned char *p, size_t n)
{
    ssize_t got;
    while ((got = pread(l->fd, p, n, at)) < 0 && errno == EINTR)
        ;
    if (got < 0)
        l->error = errno;
    else if ((size_t)got != n)
        l->wrong = "The file is cut off";
    return got == (ssize_t)n;
}

static bool box_read(struct look *l, int64_t at, int64_t end, struct box *out)
{
    unsigned char head[16];
    int64_t bytes, head_n = 8;
    if (end - at < head_n) {
        l->wrong = "The file is cut off";
        return false;
    }
    if (!read_at(l, at, head, 8))
        return false;
    bytes = be32(head);
    if (bytes == 1) {
        head_n = 16;
        if (end - at < head_n || !read_at(l, at + 8, head + 8, 8) || be32(head + 8) > INT32_MAX) {
            l->wrong = l->wrong ? l->wrong : "The file is cut off";
            return false;
        }
        bytes = (int64_t)be32(head + 8) << 32 | be32(head + 12);
    } else if (bytes == 0) { /* to the end */
        bytes = end - at;
    }
    if (bytes < head_n || bytes > end - at) {
        l->wrong = "The file is cut off";
        return false;
    }
    *out = (struct box){ be32(head + 4), at + head_n, at + bytes };
    return true;
}

/* A list of boxes after a version, flags and a count. */
static void list_look(struct look *l, const struct box *list, void (*each)(struct look *, const struct box *))
{
    struct box b;
    int64_t at = list->from + 8;
    for (unsigned n = 0; at < list->end && !l->wrong && !l->error; n++, at = b.end) {
        if (n == INSIDE_MAX)
            l->wrong = "The file has too many parts";
        else if (box_read(l, at, list->end, &b))
            each(l, &b);
    }
}

/* Its lowest flag says that the data is in this very file. */
static void reference_look(struct look *l, const struct box *b)
{
    unsigned char flags[4];
    if (b->end - b->from < 4)
        l->wrong = "The file is cut off";
    else if (read_at(l, b->from, flags, sizeof flags) && !(flags[3] & 1))
        l->wrong = "The file's data is somewhere else";
}

static void sample_look(struct look *l, const struct box *b)
{
    static const uint32_t locked[] = { TYPE('e', 'n', 'c', 'v'), TYPE('e', 'n', 'c', 'a'), TYPE('e', 'n', 'c', 't'),
                                       TYPE('e', 'n', 'c', 's'), TYPE('e', 'n', 'c', 'm'), TYPE('d', 'r', 'm', 'i'),
                                       TYPE('d', 'r', 'm', 's') };
    for (size_t i = 0; i < FG_LEN(locked); i++)
        if (b->type == locked[i])
            l->wrong = "The file is encrypted";
}

static bool holds_boxes(uint32_t type)
{
    static const uint32_t types[] = { TYPE('m', 'o', 'o', 'v'), TYPE('t', 'r', 'a', 'k'), TYPE('m', 'd', 'i', 'a'),
                                      TYPE('m', 'i', 'n', 'f'), TYPE('d', 'i', 'n', 'f'), TYPE('s', 't', 'b', 'l') };
    for (size_t i = 0; i < FG_LEN(types); i++)
        if (type == types[i])
            return true;
    return false;
}

/* Version, flags; times of creation and change; parts of a second, and how many of them: in 32 bits or, version 1, 64. */
static void movie_look(struct look *l, const struct box *b)
{
    unsigned char v[32];
    if (b->end - b->from < (int64_t)sizeof v) {
        l->wrong = "The file is cut off";
        return;
    }
    if (!read_at(l, b->from, v, sizeof v))
        return;
    const unsigned char *at = v + (v[0] == 1 ? 20 : 12);
    int64_t scale = be32(at), high = v[0] == 1 ? be32(at + 4) : 0, low = be32(at + (v[0] == 1 ? 8 : 4));
    bool said = !(low == UINT32_MAX && (high == 0 || high == UINT32_MAX)); /* all ones: unknown */
    if (said && (scale == 0 || high > LONG_MAX_HIGH))
        l->wrong = "The video has no length";
    else if (said)
        l->movie_ms = (high << 32 | low) / scale * 1000 + (high << 32 | low) % scale * 1000 / scale;
}

/* What is wrong with one that has been read; the ones in it are on top of the stack by then. */
static void box_look(struct look *l, const struct box *b)
{
    l->has_index |= b->type == TYPE('m', 'o', 'o', 'v');
    if (b->type == TYPE('t', 'r', 'a', 'k') && ++l->tracks > TRACKS_MAX)
        l->wrong = "The file has too many tracks";
    if (b->type == TYPE('m', 'v', 'h', 'd'))
        movie_look(l, b);
    if (b->type == TYPE('c', 'm', 'o', 'v'))
        l->wrong = "The file's index is compressed";
    if (b->type == TYPE('d', 'r', 'e', 'f'))
        list_look(l, b, reference_look);
    if (b->type == TYPE('s', 't', 's', 'd'))
        list_look(l, b, sample_look);
}

static void inside_look(struct look *l, int64_t from, int64_t end)
{
    struct { int64_t at, end; unsigned n; } open[DEPTH_MAX] = { { from, end, 0 } };
    unsigned depth = 1;
    while (depth && !l->wrong && !l->error) {
        struct box b;
        if (open[depth - 1].at == open[depth - 1].end) {
            depth--;
            continue;
        }
        if (++open[depth - 1].n > (depth == 1 ? BOXES_MAX : INSIDE_MAX) || depth == DEPTH_MAX) {
            l->wrong = "The file has too many parts";
            return;
        }
        if (!box_read(l, open[depth - 1].at, open[depth - 1].end, &b)) {
            if (l->wrong && depth == 1 && open[0].n == 1)
                l->wrong = "The file is no MP4";
            return;
        }
        if (depth == 1 && open[0].n == 1 && b.type != TYPE('f', 't', 'y', 'p')) {
            l->wrong = "The file is no MP4";
            return;
        }
        open[depth - 1].at = b.end;
        box_look(l, &b);
        if (holds_boxes(b.type)) {
            open[depth].at = b.from;
            open[depth].end = b.end;
            open[depth++].n = 0;
        }
    }
}

enum fg_code gate_look(struct fg_ctx *cx, int fd, int64_t want_s)
{
    struct look l = { .fd = fd };
    off_t end = lseek(fd, 0, SEEK_END);
    if (end < 0)
        l.error = errno;
    else if (end == 0)
        l.wrong = "The file is empty";
    else
        inside_look(&l, 0, end);
    if (l.error) {
        (void)fg_fail(cx, FG_IO, "The file store did not work");
        return fg_cause(cx, "read: %s", strerror(l.error));
    }
    if (!l.wrong && !l.has_index)
        l.wrong = "The file has no index";
    if (l.wrong)
        return fg_fail(cx, FG_INVALID_REQUEST, "%s", l.wrong);
    if (l.movie_ms && !gate_about(l.movie_ms, want_s)) /* an edit list, or sound, far beyond the picture */
        return fg_fail(cx, FG_INVALID_REQUEST, "The file says that it is %lld ms long, not about %lld s",
                       (long long)l.movie_ms, (long long)want_s);
    return FG_OK;
}
