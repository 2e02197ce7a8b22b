#include "studio/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "studio/render.h"

struct fg_str files_path(struct fg_ctx *cx, const struct conf *conf, struct fg_str name)
{
    return arena_fmt(cx->mem, "%.*s/%.*s", FG_P(conf->studio_dir), FG_P(name));
}

struct fg_str files_image_path(struct fg_ctx *cx, const struct conf *conf, struct fg_str image_file)
{
    return arena_fmt(cx->mem, "%.*s/images/%.*s", FG_P(conf->studio_dir), FG_P(image_file));
}

static bool make_dir(const char *path)
{
    return mkdir(path, 0750) == 0 || errno == EEXIST;
}

enum fg_code files_setup(struct fg_ctx *cx, const struct conf *conf)
{
    if (make_dir(arena_cstr(cx->mem, conf->studio_dir)) &&
        make_dir(files_path(cx, conf, FG_LIT("images")).p) &&
        make_dir(files_path(cx, conf, FG_LIT("tmp")).p))
        return FG_OK;
    int why = errno;
    (void)fg_fail(cx, FG_CONFIG, "studio.dir %.*s cannot be used", FG_P(conf->studio_dir));
    return fg_cause(cx, "%s", strerror(why));
}

static enum fg_code io_failed(struct fg_ctx *cx, const char *path)
{
    int why = errno;
    (void)fg_fail(cx, FG_IO, "The studio's storage failed.");
    return fg_cause(cx, "%s: %s", path, strerror(why));
}

static bool sync_path(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = fsync(fd) == 0;
    int why = errno;
    close(fd);
    errno = why;
    return ok;
}

static bool write_all(int fd, struct fg_str bytes)
{
    while (bytes.n) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes.p += n;
        bytes.n -= (size_t)n;
    }
    return true;
}

enum fg_code files_save_image(struct fg_ctx *cx, const struct conf *conf, struct fg_str image_file,
                              struct fg_str bytes)
{
    struct fg_str path = files_image_path(cx, conf, image_file);
    int fd = open(path.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0)
        return io_failed(cx, path.p);
    bool ok = write_all(fd, bytes) && fsync(fd) == 0;
    int why = errno;
    close(fd);
    if (ok && sync_path(files_path(cx, conf, FG_LIT("images")).p, O_RDONLY | O_DIRECTORY))
        return FG_OK;
    (void)unlink(path.p);
    errno = ok ? errno : why;
    return io_failed(cx, path.p);
}

void files_remove_dir(struct fg_ctx *cx, struct fg_str dir)
{
    const char *path = arena_cstr(cx->mem, dir);
    DIR *d = opendir(path);
    if (!d)
        return;
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            (void)unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
    (void)rmdir(path);
}

enum fg_code files_work_dir(struct fg_ctx *cx, const struct conf *conf, const struct video *v,
                            struct fg_str *dir)
{
    struct fg_str path = FG_NONE;
    for (int i = 0; i <= v->tries; i++) {
        path =
            arena_fmt(cx->mem, "%.*s/tmp/%.*s.%d", FG_P(conf->studio_dir), FG_P(v->public_id), i);
        files_remove_dir(cx, path);
    }
    if (mkdir(path.p, 0750) != 0)
        return io_failed(cx, path.p);
    *dir = path;
    return FG_OK;
}

static const struct part {
    const char *made, *ending;
} parts[] = { { RENDER_POSTER, "webp" }, { RENDER_VIDEO, "mp4" } };

static struct fg_str part_path(struct fg_ctx *cx, const struct conf *conf, const struct video *v,
                               const struct part *p)
{
    return arena_fmt(cx->mem, "%.*s/%.*s.%s", FG_P(conf->studio_dir), FG_P(v->public_id),
                     p->ending);
}

enum fg_code files_install(struct fg_ctx *cx, const struct conf *conf, const struct video *v,
                           struct fg_str dir)
{
    for (size_t i = 0; i < FG_LEN(parts); i++) {
        struct fg_str from = arena_fmt(cx->mem, "%.*s/%s", FG_P(dir), parts[i].made);
        struct fg_str to = part_path(cx, conf, v, &parts[i]);
        if (!sync_path(from.p, O_RDONLY) || chmod(from.p, 0644) != 0 || rename(from.p, to.p) != 0)
            return io_failed(cx, from.p);
    }
    const char *top = arena_cstr(cx->mem, conf->studio_dir);
    return sync_path(top, O_RDONLY | O_DIRECTORY) ? FG_OK : io_failed(cx, top);
}

void files_remove_image(struct fg_ctx *cx, const struct conf *conf, struct fg_str image_file)
{
    if (image_file.p)
        (void)unlink(files_image_path(cx, conf, image_file).p);
}

enum fg_code files_forget(struct fg_ctx *cx, const struct conf *conf, const struct video *v)
{
    files_remove_image(cx, conf, v->image_file);
    for (size_t i = 0; i < FG_LEN(parts); i++) {
        struct fg_str path = part_path(cx, conf, v, &parts[i]);
        if (unlink(path.p) != 0 && errno != ENOENT)
            return io_failed(cx, path.p);
    }
    return FG_OK;
}

void files_sweep_images(struct fg_ctx *cx, const struct conf *conf, int64_t before_us)
{
    DIR *d = opendir(files_path(cx, conf, FG_LIT("images")).p);
    if (!d)
        return;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        struct stat st;
        if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
            st.st_mtim.tv_sec < before_us / FG_US_PER_S)
            (void)unlinkat(dirfd(d), e->d_name, 0);
    }
    closedir(d);
}
