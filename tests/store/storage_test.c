/* What an operator sees of all that is kept: what goes when, whether files and rows are the same, when the disk is full. */
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "media/forecast.h"
#include "store/retention_kit.h"

TEST(a_preview_says_what_then_goes)
{
    struct job_world w;
    const char *out;
    job_world_begin(&w);
    plan(&w, "output_days = 30, prompt_days = 7");
    struct fg_str a = made(&w), b = made_with(&w, ",\"retainDays\":3");
    hold(&w, "--job", arena_cstr(w.cx->mem, made(&w)));
    CHECK_CODE(w.cx, RUN_BARE(&w, cli_retention_preview, &out), FG_OK);
    CHECK(strstr(out, "all                                                        0                0"), out);
    CHECK_CODE(w.cx, RUN(&w, cli_retention_preview, &out, "--days", "4"), FG_OK);
    struct fg_str bytes = ask_text(&w, "SELECT LPAD(bytes, 17, ' ') FROM output o JOIN job j ON j.id = o.job_id WHERE "
                                       "j.public_id = '%.*s'", FG_P(b));
    CHECK(strstr(out, arena_fmt(w.cx->mem, "outputs    acct_1                                          1%.*s", FG_P(bytes)).p), out);
    CHECK(!strstr(out, "prompts"), out);
    CHECK_CODE(w.cx, RUN(&w, cli_retention_preview, &out, "--days", "40"), FG_OK);
    CHECK(strstr(out, "outputs    acct_1                                          2") &&
          strstr(out, "prompts    acct_1                                          2"), out);
    do_sql(&w, "INSERT INTO webhook_message (public_id, account_id, sequence, type, created_us, payload) VALUES "
               "('msg_a', 2, 0, 6, %lld, '{}')", (long long)(w.t.utc_us - 29 * DAY_US));
    CHECK_CODE(w.cx, RUN(&w, cli_retention_preview, &out, "--days", "1"), FG_OK);
    CHECK(!strstr(out, "deliveries"), out);
    CHECK_CODE(w.cx, RUN(&w, cli_retention_preview, &out, "--days", "2"), FG_OK);
    CHECK(strstr(out, "deliveries acct_2                                          1                2"), out);
    CHECK_I64(files_of(&w, b), 2, "it only says so");
    clock_add(&w, 40 * DAY_US);
    retain(&w);
    check_kept(&w, a, false, "and then it is so");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM job WHERE output_state = 2 AND redacted_us IS NOT NULL"), 2, "of just so many");
    CHECK_CODE(w.cx, RUN(&w, cli_retention_preview, &out, "--days", "x"), FG_INVALID_REQUEST);
    job_world_end(&w, 0);
}

TEST(a_plan_that_changes_is_applied_when_the_operator_says_so)
{
    struct job_world w;
    const char *out;
    job_world_begin(&w);
    struct fg_str a = made(&w), b = made_with(&w, ",\"retainDays\":5");
    int64_t version = job_now(&w, a).version, wish = job_now(&w, b).expires_us;
    plan(&w, "output_days = 7");
    clock_add(&w, 6 * DAY_US);
    CHECK_CODE(w.cx, RUN_BARE(&w, cli_retention_apply, &out), FG_OK);
    CHECK(strstr(out, "1 files would go at another time; 0 of them"), out);
    CHECK_I64(job_now(&w, a).expires_us, 0, "not without --yes");
    CHECK_CODE(w.cx, RUN(&w, cli_retention_apply, &out, "acct_2", "--yes", "yes"), FG_OK);
    CHECK_I64(job_now(&w, a).expires_us, 0, "that is another account");
    CHECK_CODE(w.cx, RUN(&w, cli_retention_apply, &out, "acct_1", "--yes", "yes"), FG_OK);
    CHECK_I64(job_now(&w, a).expires_us - job_now(&w, a).finished_us, 7 * DAY_US, "from when it was stored");
    CHECK_I64(job_now(&w, b).expires_us, wish, "a wish within it stands");
    CHECK(job_now(&w, a).version > version, "a new version: its ETag too");
    plan(&w, "output_days = 1");
    CHECK_CODE(w.cx, RUN_BARE(&w, cli_retention_apply, &out), FG_OK);
    CHECK(strstr(out, "2 files would go at another time; 2 of them"), out);
    plan(&w, "output_days = NULL");
    CHECK_CODE(w.cx, RUN(&w, cli_retention_apply, &out, "--yes", "yes"), FG_OK);
    CHECK_I64(job_now(&w, a).expires_us, 0, "for ever again");
    CHECK_I64(job_now(&w, b).expires_us, wish, "but what its own wish was");
    job_world_end(&w, 0);
}

/* ---- files against rows ---- */

static const char *path_of(struct job_world *w, struct fg_str name)
{
    return arena_fmt(w->cx->mem, "%.*s/%.*s", FG_P(w->conf.media_root), FG_P(name)).p;
}

static struct fg_str video_of(struct job_world *w, struct fg_str id)
{
    return ask_text(w, "SELECT video_file FROM output o JOIN job j ON j.id = o.job_id WHERE j.public_id = '%.*s'", FG_P(id));
}

/* As a crash left it, two hours ago. */
static void put_file(struct job_world *w, struct fg_str name, bool old)
{
    struct timespec then[2] = { { time(NULL) - (old ? 7200 : 0), 0 }, { time(NULL) - (old ? 7200 : 0), 0 } };
    int fd = open(path_of(w, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, "left", 4) == 4 && futimens(fd, then) == 0 && close(fd) == 0, "a file");
}

TEST(an_audit_finds_files_without_rows_and_rows_without_files)
{
    struct job_world w;
    const char *out;
    job_world_begin(&w);
    struct fg_str a = made(&w), b = made(&w), c = made(&w);
    CHECK_CODE(w.cx, RUN_BARE(&w, cli_audit_media, &out), FG_OK);
    CHECK(strstr(out, "6 files, 3 rows: 0 orphans (0 bytes), 0 lost, 0 differ"), out);
    struct fg_str orphan = arena_fmt(w.cx->mem, "%.*s/%.*s-left.mp4", 2, a.p + 4, FG_P(a));
    struct fg_str young = arena_fmt(w.cx->mem, "%.*s/%.*s-young.mp4", 2, a.p + 4, FG_P(a));
    put_file(&w, orphan, true);
    put_file(&w, young, false);
    CHECK(unlink(path_of(&w, video_of(&w, b))) == 0, "b's is lost");
    CHECK(truncate(path_of(&w, video_of(&w, c)), 9) == 0, "c's is cut short");
    CHECK_CODE(w.cx, RUN_BARE(&w, cli_audit_media, &out), FG_IO);
    CHECK(strstr(out, "7 files, 3 rows: 1 orphans (4 bytes), 1 lost, 1 differ; 1 young, 0 in other stores, 0 repaired"), out);
    CHECK(strstr(out, "-left.mp4") && strstr(out, arena_fmt(w.cx->mem, "lost     %.*s", FG_P(b)).p), out);
    CHECK(access(path_of(&w, orphan), F_OK) == 0 && job_now(&w, b).output_state == OUTPUT_STORED, "it only says so");

    CHECK_CODE(w.cx, RUN(&w, cli_audit_media, &out, "--repair", "yes"), FG_IO);
    CHECK(strstr(out, "2 repaired"), out);
    CHECK(access(path_of(&w, orphan), F_OK) != 0, "gone");
    CHECK(access(path_of(&w, young), F_OK) == 0, "it may be about to get its row");
    CHECK_I64(job_now(&w, b).output_state, OUTPUT_DELETED, "b says so");
    CHECK_IS(last_event(&w, b), "deleted {\"by\":\"audit\"}", "and why");
    CHECK_I64(job_now(&w, c).output_state, OUTPUT_STORED, "what is right of c's only people know");
    CHECK_I64(ask(&w, "SELECT storage_bytes - (SELECT SUM(bytes) FROM output WHERE deleted_us IS NULL) FROM account_use "
                      "WHERE account_id = 1"), 0, "the sum is right");
    settle(&w);
    CHECK_CODE(w.cx, RUN_BARE(&w, cli_audit_media, &out), FG_IO);
    CHECK(strstr(out, "2 rows: 0 orphans (0 bytes), 0 lost, 1 differ"), out);
    CHECK_I64(files_of(&w, a), 3, "a's own are there");
    job_world_end(&w, 0);
}

TEST(only_a_deep_audit_sees_other_contents)
{
    struct job_world w;
    const char *out;
    job_world_begin(&w);
    struct fg_str a = made(&w);
    int fd = open(path_of(&w, video_of(&w, a)), O_WRONLY | O_CLOEXEC);
    CHECK(fd >= 0 && pwrite(fd, "x", 1, 100) == 1 && close(fd) == 0, "one byte is another");
    CHECK_CODE(w.cx, RUN_BARE(&w, cli_audit_media, &out), FG_OK);
    CHECK_CODE(w.cx, RUN(&w, cli_audit_media, &out, "--deep", "yes"), FG_IO);
    CHECK(strstr(out, "1 differ"), out);
    job_world_end(&w, 0);
}

/* A folder of them, and none of a job that has not ended, is held, or is about to be unlinked. */
TEST(an_audit_leaves_what_may_still_be_somebodys)
{
    struct job_world w;
    const char *out;
    job_world_begin(&w);
    struct fg_str held = made(&w), gone = made(&w), run = new_job(&w, "replay-1", FAR);
    hold(&w, "--job", arena_cstr(w.cx->mem, held));
    CHECK_CODE(w.cx, job_erase(w.cx, &w.env, &w.who, gone), FG_OK);
    struct fg_str of[] = { run, held };
    for (size_t i = 0; i < FG_LEN(of); i++) {
        (void)mkdir(path_of(&w, (struct fg_str){ of[i].p + 4, 2 }), 0700);
        put_file(&w, arena_fmt(w.cx->mem, "%.2s/%.*s-x.mp4", of[i].p + 4, FG_P(of[i])), true);
    }
    struct timespec then[2] = { { 1, 0 }, { 1, 0 } };
    CHECK(utimensat(AT_FDCWD, path_of(&w, video_of(&w, gone)), then, 0) == 0, "old");
    CHECK_CODE(w.cx, RUN(&w, cli_audit_media, &out, "--repair", "yes"), FG_OK);
    CHECK(strstr(out, "0 orphans") && strstr(out, "0 lost"), out);
    job_world_end(&w, 0);
}

/* ---- the forecast ---- */

TEST(when_the_disk_is_full_at_this_rate)
{
    struct job_world w;
    const char *out;
    struct forecast f;
    job_world_begin(&w);
    (void)made(&w);
    do_sql(&w, "INSERT INTO upload (public_id, account_id, digest, type, width, height, bytes, etag, file, thumb_file, created_us, "
               "expires_us) VALUES ('upl_a', 2, REPEAT('a', 32), 1, 1, 1, 77, REPEAT('e', 32), 'f', 't', 1, 9)");
    retain(&w);
    int64_t kept = ask(&w, "SELECT SUM(bytes) FROM output");
    CHECK_CODE(w.cx, RUN_BARE(&w, cli_report_storage, &out), FG_OK);
    CHECK(strstr(out, "how it grows shows tomorrow") && strstr(out, "uploads    acct_2                                             77"), out);

    /* A week of growth: ten days of history, of which the last seven tell. */
    int64_t day = w.t.utc_us / DAY_US;
    do_sql(&w, "INSERT INTO storage_day (day, account_id, kind, bytes) VALUES (%lld, 1, 1, 1), (%lld, 1, 1, 999999999)",
           (long long)(day - 7), (long long)(day - 9));
    do_sql(&w, "UPDATE account_use SET storage_bytes = storage_bytes + 70000000000001 - %lld WHERE account_id = 1", (long long)kept);
    retain(&w);
    CHECK_CODE(w.cx, forecast_read(w.cx, w.env.db, &w.conf, 5, &f), FG_OK);
    CHECK_I64(f.days, 7, "seven days");
    CHECK_I64(forecast_per_day(&f, f.bytes[STORAGE_OUTPUTS], f.before[STORAGE_OUTPUTS]), 10000000000000, "ten terabytes a day");
    CHECK(f.free_bytes > 0 && f.full_us > w.t.utc_us, "some time it is full");
    CHECK_I64(f.full_us, forecast_full_us(w.cx->now_us, f.free_bytes, 10000000000000 + 11), "by the free space");
    CHECK_I64(f.top_n, 2, "two accounts");
    CHECK_I64(ask(&w, "SELECT COUNT(*) FROM storage_day WHERE day = %lld", (long long)(day - 9)), 0, "older days go");
    CHECK_CODE(w.cx, RUN_BARE(&w, cli_report_storage, &out), FG_OK);
    CHECK(strstr(out, "full on 20"), out);
    do_sql(&w, "UPDATE account_use u SET storage_bytes = (SELECT IFNULL(SUM(o.bytes), 0) FROM output o JOIN job j ON "
               "j.id = o.job_id WHERE j.account_id = u.account_id)");
    job_world_end(&w, 0);
}

TEST(a_rate_that_never_fills_it_says_so)
{
    CHECK_I64(forecast_full_us(5, 100, 0), 0, "it does not grow");
    CHECK_I64(forecast_full_us(5, 100, -1), 0, "it shrinks");
    CHECK_I64(forecast_full_us(5, -1, 1), 0, "nobody knows the disk");
    CHECK_I64(forecast_full_us(5, INT64_MAX, 1), 0, "not in our time");
    CHECK_I64(forecast_full_us(5, 100, 50), 5 + 2 * DAY_US, "in two days");
    CHECK_I64(forecast_full_us(5, 25, 50), 5 + DAY_US / 2, "in half a day");
    CHECK_I64(forecast_full_us(5, 0, 50), 5, "now");
}
