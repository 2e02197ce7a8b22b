#include "media/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/scan.h"
#include "io/file.h"

/* nginx reads as a member of the group: a set-group-id bit on media.root hands that group down. */
#define DIR_MODE 0750
#define FILE_MODE 0640
#define SHARD \
    2 /* characters of the job's id that name its folder: all files of a job are together */
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

static struct fg_str shard_of(struct fg_str job_id)
{
    struct fg_str id = job_id;
    FG_ASSERT(scan_lit(&id, FG_LIT("job_")) && id.n > SHARD);
    return (struct fg_str){ id.p, SHARD };
}

enum fg_code store_open(struct fg_ctx *cx, const struct conf *conf)
{
    const char *tmp = below(cx, conf, FG_LIT("tmp"));
    bool made;
    enum fg_code rc = make_dir(cx, arena_cstr(cx->mem, conf->media_root), &made);
    if (rc == FG_OK)
        rc = make_dir(cx, tmp, &made);
    if (rc == FG_OK && access(tmp, W_OK | X_OK) < 0)
        rc = failed(cx, "no writing in", tmp);
    return rc;
}

enum fg_code store_tmp_new(struct fg_ctx *cx, const struct conf *conf, const char *suffix,
                           struct store_tmp *out)
{
    struct fg_str id = id_new(cx, FG_LIT("tmp/"));
    const char *path = below(cx, conf, arena_fmt(cx->mem, "%.*s%s", FG_P(id), suffix));
    int fd = file_create(path, FILE_MODE);
    if (fd < 0)
        return failed(cx, "create", path);
    *out = (struct store_tmp){ fd, fg_str_c(path) };
    return FG_OK;
}

void store_tmp_drop(struct store_tmp *t)
{
    if (t->fd < 0)
        return;
    close(t->fd);
    (void)file_remove(t->path.p); /* what cannot be removed now is found by store_tidy */
    *t = (struct store_tmp){ -1, FG_NONE };
}

enum fg_code store_put(struct fg_ctx *cx, const struct conf *conf, struct store_tmp *t,
                       struct fg_str job_id, const char *suffix, struct fg_str *name)
{
    struct fg_str dice = id_new(cx, FG_LIT(""));
    struct fg_str shard = shard_of(job_id);
    struct fg_str to =
        arena_fmt(cx->mem, "%.*s/%.*s-%.*s%s", FG_P(shard), FG_P(job_id), FG_P(dice), suffix);
    const char *dir = below(cx, conf, shard), *path = below(cx, conf, to);
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
    *t = (struct store_tmp){ -1, FG_NONE };
    *name = to;
    return FG_OK;
}

/* Names come from rows: whatever a row says, nothing outside the store is touched. */
static bool is_store_name(struct fg_str name)
{
    if (name.n < SHARD + 2 || name.p[SHARD] != '/' || name.p[SHARD + 1] == '.')
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && (i < SHARD || (i > SHARD && c != '_' && c != '-' && c != '.')))
            return false;
    }
    return true;
}

enum fg_code store_remove(struct fg_ctx *cx, const struct conf *conf, struct fg_str name)
{
    if (!is_store_name(name)) {
        (void)fg_fail(cx, FG_IO, "The file store did not work");
        return fg_cause(cx, "not a name of the store: %.*s", FG_P(name));
    }
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

struct keeping {
    struct fg_str job_id, keep[2];
};

static bool is_left_over(const char *path, const char *file, void *arg)
{
    (void)path;
    const struct keeping *k = arg;
    struct fg_str name = fg_str_c(file);
    if (!fg_starts(name, k->job_id))
        return false;
    for (size_t i = 0; i < FG_LEN(k->keep); i++)
        if (k->keep[i].n > SHARD + 1 &&
            fg_eq(name, (struct fg_str){ k->keep[i].p + SHARD + 1, k->keep[i].n - SHARD - 1 }))
            return false;
    return true;
}

enum fg_code store_keep_only(struct fg_ctx *cx, const struct conf *conf, struct fg_str job_id,
                             struct fg_str video, struct fg_str poster)
{
    struct keeping k = { job_id, { video, poster } };
    return prune(cx, below(cx, conf, shard_of(job_id)), is_left_over, &k);
}

static bool is_stale(const char *path, const char *name, void *arg)
{
    (void)name;
    const int64_t *before_s = arg;
    struct stat st;
    return stat(path, &st) == 0 && st.st_mtim.tv_sec < *before_s;
}

enum fg_code store_tidy(struct fg_ctx *cx, const struct conf *conf, int64_t floor_us)
{
    int64_t before_s = floor_us / FG_US_PER_S - conf->media_fetch_timeout_s - TMP_GRACE_S;
    return prune(cx, below(cx, conf, FG_LIT("tmp")), is_stale, &before_s);
}
