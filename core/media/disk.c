#include "media/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/id.h"
#include "io/child.h"
#include "io/file.h"
#include "media/key.h"

/* nginx reads as a member of the group: a set-group-id bit on media.root hands that group down. */
#define DIR_MODE 0750
#define FILE_MODE 0640
/* A child that is somebody else finds the file that it was lent, by its name; it can list nothing. */
#define TMP_MODE 0751
#define TMP_GRACE_S 3600

static const char *below(struct fg_ctx *cx, const struct conf *conf, struct fg_str name)
{
    return arena_fmt(cx->mem, "%.*s/%.*s", FG_P(conf->media_root), FG_P(name)).p;
}

static enum fg_code failed(struct fg_ctx *cx, const char *what, const char *path)
{
    int error = errno;
    (void)fg_fail(cx, FG_IO, "The file store did not work");
    return fg_cause(cx, "%s %s: %s", what, path, strerror(error));
}

static enum fg_code make_dir(struct fg_ctx *cx, const char *path, bool *made)
{
    *made = file_mkdir(path, DIR_MODE);
    if (!*made && errno != EEXIST)
        return failed(cx, "mkdir", path);
    return FG_OK;
}

/* A name is on disk only when its folder is. */
static enum fg_code sync_dir(struct fg_ctx *cx, const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return failed(cx, "open", path);
    enum fg_code rc = file_sync(fd) ? FG_OK : failed(cx, "fsync", path);
    close(fd);
    return rc;
}

static enum fg_code let_through(struct fg_ctx *cx, const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return failed(cx, "open", path);
    enum fg_code rc = file_own(fd, (uid_t)-1, TMP_MODE) ? FG_OK : failed(cx, "chmod", path);
    close(fd);
    return rc;
}

enum fg_code disk_open(struct fg_ctx *cx, const struct conf *conf)
{
    const char *tmp = below(cx, conf, FG_LIT("tmp"));
    bool made;
    enum fg_code rc = make_dir(cx, arena_cstr(cx->mem, conf->media_root), &made);
    if (rc == FG_OK)
        rc = make_dir(cx, tmp, &made);
    if (rc == FG_OK && conf->jail & CHILD_NOBODY)
        rc = let_through(cx, tmp);
    if (rc == FG_OK && access(tmp, W_OK | X_OK) < 0)
        rc = failed(cx, "no writing in", tmp);
    return rc;
}

enum fg_code spool_new(struct fg_ctx *cx, const struct conf *conf, const char *suffix,
                           struct spool *out)
{
    struct fg_str id = id_new(cx, FG_LIT("tmp/"));
    const char *path = below(cx, conf, arena_fmt(cx->mem, "%.*s%s", FG_P(id), suffix));
    int fd = file_create(path, FILE_MODE);
    if (fd < 0)
        return failed(cx, "create", path);
    *out = (struct spool){ fd, fg_str_c(path) };
    return FG_OK;
}

void spool_drop(struct spool *t)
{
    if (t->fd < 0)
        return;
    close(t->fd);
    (void)file_remove(t->path.p); /* what cannot be removed now is found by spool_tidy */
    *t = (struct spool){ -1, FG_NONE };
}

enum fg_code disk_put(struct fg_ctx *cx, const struct conf *conf, struct spool *t,
                       struct fg_str owner, const char *suffix, struct fg_str *name)
{
    struct fg_str to = key_new(cx, owner, suffix);
    const char *dir = below(cx, conf, key_shard(owner)), *path = below(cx, conf, to);
    bool made;
    if (!file_sync(t->fd))
        return failed(cx, "fsync", t->path.p);
    enum fg_code rc = make_dir(cx, dir, &made);
    if (rc == FG_OK && made)
        rc = sync_dir(cx, arena_cstr(cx->mem, conf->media_root));
    if (rc == FG_OK && !file_rename(t->path.p, path)) {
        rc = failed(cx, "rename to", path);
        (void)file_remove(path); /* over a network it may have happened all the same */
    }
    if (rc != FG_OK)
        return rc;
    t->path = fg_str_c(path); /* from here on dropping it must find it under its new name */
    rc = sync_dir(cx, dir);
    if (rc != FG_OK)
        return rc;
    close(t->fd);
    *t = (struct spool){ -1, FG_NONE };
    *name = to;
    return FG_OK;
}

enum fg_code disk_get(struct fg_ctx *cx, const struct conf *conf, struct fg_str name, const char *suffix,
                      struct spool *out)
{
    enum fg_code rc = key_check(cx, name);
    if (rc != FG_OK)
        return rc;
    const char *path = below(cx, conf, name);
    int from = open(path, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return errno == ENOENT ? fg_fail(cx, FG_NOT_FOUND, "The file is not there.") : failed(cx, "open", path);
    rc = spool_new(cx, conf, suffix, out);
    if (rc == FG_OK && (!file_copy(from, out->fd) || lseek(out->fd, 0, SEEK_SET) < 0)) {
        rc = failed(cx, "copy", path);
        spool_drop(out);
    }
    close(from);
    return rc;
}

enum fg_code disk_remove(struct fg_ctx *cx, const struct conf *conf, struct fg_str name)
{
    enum fg_code rc = key_check(cx, name);
    if (rc != FG_OK)
        return rc;
    const char *path = below(cx, conf, name);
    if (!file_remove(path))
        return failed(cx, "unlink", path);
    return FG_OK;
}

/* Calls gone(entry) for each file of a folder and removes those it names; a folder that is not
 * there is empty. */
static enum fg_code prune(struct fg_ctx *cx, const char *dir,
                          bool (*gone)(const char *path, const char *name, void *arg), void *arg)
{
    DIR *d = opendir(dir);
    if (!d)
        return errno == ENOENT ? FG_OK : failed(cx, "opendir", dir);
    enum fg_code rc = FG_OK;
    for (struct dirent *e; rc == FG_OK && (e = readdir(d));) {
        const char *path = arena_fmt(cx->mem, "%s/%s", dir, e->d_name).p;
        if (e->d_name[0] != '.' && gone(path, e->d_name, arg) && !file_remove(path))
            rc = failed(cx, "unlink", path);
    }
    closedir(d);
    return rc;
}

/* ---- looking ---- */

enum fg_code disk_look(struct fg_ctx *cx, const struct conf *conf, struct fg_str name, struct disk_file *out)
{
    struct stat st;
    enum fg_code rc = key_check(cx, name);
    if (rc != FG_OK)
        return rc;
    const char *path = below(cx, conf, name);
    if (stat(path, &st) < 0)
        return errno == ENOENT ? fg_fail(cx, FG_NOT_FOUND, "The file is not there.") : failed(cx, "stat", path);
    *out = (struct disk_file){ name, st.st_size, st.st_mtim.tv_sec * FG_US_PER_S + st.st_mtim.tv_nsec / 1000 };
    return FG_OK;
}

enum fg_code disk_digest(struct fg_ctx *cx, const struct conf *conf, struct fg_str name, uint8_t out[HASH_LEN])
{
    enum fg_code rc = key_check(cx, name);
    if (rc != FG_OK)
        return rc;
    const char *path = below(cx, conf, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? fg_fail(cx, FG_NOT_FOUND, "The file is not there.") : failed(cx, "open", path);
    if (!hash_file(fd, out))
        rc = failed(cx, "read", path);
    close(fd);
    return rc;
}

struct listing {
    struct fg_ctx *cx;
    const struct conf *conf;
    struct fg_str shard;
    struct disk_file *v;
    size_t n, max;
    enum fg_code rc;
};

/* What goes while it is listed is not there; names that the store does not give are nobody's business. */
static bool is_listed(const char *path, const char *file, void *arg)
{
    struct listing *l = arg;
    struct disk_file f;
    (void)path;
    struct fg_str name = arena_fmt(l->cx->mem, "%.*s/%s", FG_P(l->shard), file);
    if (l->rc != FG_OK || !key_valid(name))
        return false;
    enum fg_code rc = disk_look(l->cx, l->conf, name, &f);
    if (rc == FG_NOT_FOUND)
        return false;
    l->rc = rc;
    if (l->n == l->max) {
        struct disk_file *more = arena_array(l->cx->mem, struct disk_file, 2 * l->max);
        memcpy(more, l->v, l->n * sizeof *more);
        l->v = more;
        l->max *= 2;
    }
    if (rc == FG_OK)
        l->v[l->n++] = f;
    return false;
}

static int by_name(const void *a, const void *b)
{
    const struct disk_file *x = a, *y = b;
    return strcmp(x->name.p, y->name.p);
}

enum fg_code disk_list(struct fg_ctx *cx, const struct conf *conf, struct fg_str shard, struct disk_file **out, size_t *n)
{
    struct listing l = { .cx = cx, .conf = conf, .shard = shard, .max = 64 };
    l.v = arena_array(cx->mem, struct disk_file, l.max);
    enum fg_code rc = prune(cx, below(cx, conf, shard), is_listed, &l);
    qsort(l.v, l.n, sizeof *l.v, by_name);
    *out = l.v;
    *n = l.n;
    return rc == FG_OK ? l.rc : rc;
}

/* ---- what may go ---- */

struct keeping {
    struct fg_str owner, keep[2];
};

static bool is_left_over(const char *path, const char *file, void *arg)
{
    (void)path;
    const struct keeping *k = arg;
    struct fg_str name = fg_str_c(file);
    if (!fg_starts(name, k->owner))
        return false;
    for (size_t i = 0; i < FG_LEN(k->keep); i++)
        if (k->keep[i].n > KEY_SHARD + 1 &&
            fg_eq(name, (struct fg_str){ k->keep[i].p + KEY_SHARD + 1, k->keep[i].n - KEY_SHARD - 1 }))
            return false;
    return true;
}

enum fg_code disk_keep_only(struct fg_ctx *cx, const struct conf *conf, struct fg_str owner,
                             struct fg_str video, struct fg_str poster)
{
    struct keeping k = { owner, { video, poster } };
    return prune(cx, below(cx, conf, key_shard(owner)), is_left_over, &k);
}

static bool is_stale(const char *path, const char *name, void *arg)
{
    (void)name;
    const int64_t *before_s = arg;
    struct stat st;
    return stat(path, &st) == 0 && st.st_mtim.tv_sec < *before_s;
}

enum fg_code spool_tidy(struct fg_ctx *cx, const struct conf *conf, int64_t floor_us)
{
    int64_t before_s = floor_us / FG_US_PER_S - conf->media_fetch_timeout_s - TMP_GRACE_S;
    return prune(cx, below(cx, conf, FG_LIT("tmp")), is_stale, &before_s);
}
