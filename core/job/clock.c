#include "job/clock.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"

#define TRY_AGAIN_US FG_US_PER_S
#define BEAT_US (5 * FG_US_PER_S)
#define WORD_US (60 * FG_US_PER_S)
#define SET_US INT64_C(1700000000000000) /* November 2023: a clock that shows less has never been set */

static const struct clock_shift shifts[] = {
    { SQL_SHIFT_DUE, 1 },      { SQL_SHIFT_JOB, 1 },    { SQL_SHIFT_ATTEMPT, 1 }, { SQL_SHIFT_DELIVERY, 1 },
    { SQL_SHIFT_ENDPOINT, 1 }, { SQL_SHIFT_SECRET, 1 }, { SQL_SHIFT_SESSION, 1 }, { SQL_SHIFT_PROVIDER, 2 },
    { SQL_SHIFT_KEYS, 3 },     { SQL_SHIFT_HEARTBEAT, 1 }, { SQL_SHIFT_UPLOAD, 2 }, { SQL_SHIFT_REVIEW, 1 },
    { SQL_SHIFT_STORAGE_WAIT, 2 }, { SQL_SHIFT_ERASURE, 1 },
};
const struct clock_books clock_sweeper = {
    .of = SQL_CLOCK_OF,       .settles = true,          .lock = SQL_CLOCK_LOCK, .put = SQL_CLOCK_PUT,
    .beat = SQL_CLOCK_BEAT,   .purge = SQL_CLOCK_PURGE, .shift = shifts,        .shift_n = FG_LEN(shifts),
};
const struct clock_books clock_web = { .of = SQL_CLOCK_OF }, clock_cli = { .of = SQL_CLOCK_OF };

/* ---- the clock itself ---- */

static int64_t steady_utc(void *self)
{
    const struct clock *c = self;
    return c->outer->boot_us(c->outer->self) + c->offset_us;
}

static int64_t outer_mono(void *self)
{
    const struct clock *c = self;
    return c->outer->mono_us(c->outer->self);
}

static int64_t outer_boot(void *self)
{
    const struct clock *c = self;
    return c->outer->boot_us(c->outer->self);
}

static void outer_random(void *self, void *buf, size_t n)
{
    const struct clock *c = self;
    c->outer->random(c->outer->self, buf, n);
}

static void outer_log(void *self, struct fg_str line)
{
    const struct clock *c = self;
    c->outer->log(c->outer->self, line);
}

static int64_t offset_now(const struct clock *c)
{
    return c->outer->utc_us(c->outer->self) - c->outer->boot_us(c->outer->self);
}

static bool far(int64_t a, int64_t b)
{
    return a - b > CLOCK_JUMP_US || b - a > CLOCK_JUMP_US;
}

static void read_boot_id(char out[37])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, 36);
    if (fd >= 0)
        close(fd);
    out[n == 36 ? 36 : 0] = '\0'; /* nameless is a host too */
}

void clock_open(struct clock *c, const struct fg_env *env, const struct clock_books *books)
{
    *c = (struct clock){ .outer = env, .books = books };
    c->env = (struct fg_env){ steady_utc, outer_mono, outer_boot, outer_random, outer_log, c };
    read_boot_id(c->boot);
    c->offset_us = c->least_us = offset_now(c);
}

/* ---- what the books say ---- */

struct row {
    struct fg_str boot;
    int64_t offset_us, least_us, back_from_us, back_to_us, seen_us;
};
static const struct db_col row_cols[] = {
    COL(struct row, boot),         COL(struct row, offset_us),  COL(struct row, least_us),
    COL(struct row, back_from_us), COL(struct row, back_to_us), COL(struct row, seen_us),
};
static const struct db_cols of_cols = { row_cols + 1, 4 };

static void adopt(struct clock *c, const struct row *r, int64_t *moved_us)
{
    if (c->agreed && far(r->offset_us, c->offset_us))
        *moved_us = r->offset_us - c->offset_us;
    c->agreed = true;
    c->offset_us = r->offset_us;
    c->least_us = r->least_us;
    c->back_from_us = r->back_from_us;
    c->back_to_us = r->back_to_us;
}

/* One that settles has not run here yet: the clock is taken as it is. */
static enum fg_code follow(struct fg_ctx *cx, struct clock *c, struct db *db, int64_t *moved_us)
{
    struct row r = { .offset_us = offset_now(c) };
    bool found;
    enum fg_code rc = db_one(cx, db, c->books->of, DB_ARGS(DB(fg_str_c(c->boot))), of_cols, &r, &found);
    r.least_us = found ? r.least_us : r.offset_us;
    if (rc == FG_OK)
        adopt(c, &r, moved_us);
    return rc;
}

/* ---- settling ---- */

struct settling {
    struct clock *c;
    int64_t boot_us, now_us;  /* time since boot; UTC as the host has it */
    bool may_shift;
    struct row row;           /* what the books say of this boot afterwards */
    int64_t jump_us;          /* by which they were moved */
    bool odd;                 /* they were not: others live by the old time */
};

static bool others_live_at(const struct settling *s, const struct row *row, size_t n, int64_t us)
{
    for (size_t i = 0; i < n; i++)
        if (!fg_eq(row[i].boot, s->row.boot) && row[i].seen_us >= us - CLOCK_ALIVE_US &&
            row[i].seen_us <= us + CLOCK_ALIVE_US)
            return true;
    return false;
}

/* The first of this boot. How long the host was down nobody knows, but not less than nothing: a clock that is behind what
 * the books have seen has jumped, and its boot begins where they ended. */
static void begin_row(struct settling *s, const struct row *row, size_t n)
{
    int64_t seen = 0;
    for (size_t i = 0; i < n; i++)
        if (row[i].seen_us > seen)
            seen = row[i].seen_us;
    s->row.offset_us = s->row.least_us = (seen - CLOCK_JUMP_US > s->now_us ? seen : s->now_us) - s->boot_us;
}

static enum fg_code put_row(struct fg_ctx *cx, struct db *db, const struct settling *s)
{
    const struct clock_books *b = s->c->books;
    const struct row *r = &s->row;
    int64_t now = s->boot_us + r->offset_us;
    enum fg_code rc = db_run(cx, db, b->put, DB_ARGS(DB(r->boot), DB(r->offset_us), DB(r->least_us),
                                                     DB_TIME(r->back_from_us), DB_TIME(r->back_to_us), DB(now)));
    if (rc == FG_OK)
        rc = db_run(cx, db, b->purge, DB_ARGS(DB(r->boot), DB(now - CLOCK_ALIVE_US), DB(now + CLOCK_ALIVE_US)));
    return rc;
}

static enum fg_code shift_all(struct fg_ctx *cx, struct db *db, const struct settling *s)
{
    const struct clock_books *b = s->c->books;
    struct db_bind by[] = { DB(s->jump_us), DB(s->jump_us), DB(s->jump_us) };
    enum fg_code rc = FG_OK;
    for (size_t i = 0; i < b->shift_n && rc == FG_OK; i++)
        rc = db_run(cx, db, b->shift[i].sql, (struct db_args){ by, b->shift[i].binds });
    return rc;
}

/* Two jumps back, the second before what the first had shown was over, are one. */
static void note_jump(struct row *r, int64_t from_us, int64_t to_us)
{
    if (r->back_from_us < to_us) {
        r->back_from_us = from_us;
        r->back_to_us = to_us;
        return;
    }
    r->back_from_us = from_us > r->back_from_us ? from_us : r->back_from_us;
    r->back_to_us = to_us < r->back_to_us ? to_us : r->back_to_us;
}

static enum fg_code settle_body(struct fg_ctx *cx, struct db *db, void *arg)
{
    struct settling *s = arg;
    struct row *row;
    size_t n, mine = 0;
    enum fg_code rc = DB_ALL(cx, db, s->c->books->lock, DB_NO_ARGS, DB_COLS(row_cols), &row, &n);
    if (rc != FG_OK)
        return rc;
    s->jump_us = 0;
    s->odd = false;
    s->row = (struct row){ .boot = fg_str_c(s->c->boot) };
    while (mine < n && !fg_eq(row[mine].boot, s->row.boot))
        mine++;
    if (mine < n)
        s->row = row[mine];
    else
        begin_row(s, row, n);
    int64_t was = s->boot_us + s->row.offset_us, jump = s->now_us - was;
    if (far(jump, 0)) {
        s->odd = !s->may_shift || s->now_us < SET_US || others_live_at(s, row, n, was);
        if (s->odd)
            return mine < n ? FG_OK : put_row(cx, db, s);
        if (!others_live_at(s, row, n, s->now_us)) /* else it is back with them, and the books are theirs */
            s->jump_us = jump;
    }
    s->row.offset_us += jump;
    if (s->row.least_us > s->row.offset_us)
        s->row.least_us = s->row.offset_us;
    if (s->jump_us < 0)
        note_jump(&s->row, was, s->now_us);
    rc = s->jump_us ? shift_all(cx, db, s) : FG_OK;
    return rc == FG_OK ? put_row(cx, db, s) : rc;
}

/* A COMMIT without an answer is settled by the next try, which finds what it brought. */
static enum fg_code settle(struct fg_ctx *cx, struct clock *c, struct db *db, int64_t *moved_us)
{
    int64_t mono = ctx_mono_us(cx), boot_us = c->outer->boot_us(c->outer->self);
    struct settling s = { .c = c, .boot_us = boot_us, .now_us = boot_us + offset_now(c) };
    s.may_shift = c->noticed_us && mono >= c->noticed_us + CLOCK_GRACE_US;
    enum fg_code rc = db_tx(cx, db, settle_body, &s);
    if (rc != FG_OK)
        return rc;
    adopt(c, &s.row, moved_us);
    if (s.jump_us)
        fg_log(cx, LOG_WARN, "clock.jumped", LOG_I("ms", s.jump_us / FG_US_PER_MS));
    if (s.odd && s.may_shift && mono >= c->next_word_us) {
        c->next_word_us = mono + WORD_US;
        fg_log(cx, LOG_ERROR, "clock.apart", LOG_I("ms", (offset_now(c) - c->offset_us) / FG_US_PER_MS),
               LOG_S("words", FG_LIT("this host's clock is wrong, or the other hosts' are; it goes by theirs")));
    }
    return FG_OK;
}

/* True when its row is not what we go by: taken for dead and purged, or another has settled a jump. */
static bool beat_missed(struct fg_ctx *cx, struct clock *c, struct db *db)
{
    int64_t mono = ctx_mono_us(cx);
    if (!c->books->settles || !c->agreed || mono < c->next_beat_us)
        return false;
    c->next_beat_us = mono + BEAT_US;
    enum fg_code rc = db_run(cx, db, c->books->beat,
                             DB_ARGS(DB(c->offset_us), DB(c->offset_us), DB(steady_utc(c)), DB(fg_str_c(c->boot)),
                                     DB(c->offset_us), DB(CLOCK_JUMP_US)));
    return rc == FG_OK && db->affected == 0;
}

/* Whoever works without the database will say that it is away; here it is only asked again. */
static void agree(struct fg_ctx *cx, struct clock *c, struct db *db, int64_t *moved_us)
{
    int64_t mono = ctx_mono_us(cx);
    enum fg_code rc = c->books->settles ? settle(cx, c, db, moved_us) : follow(cx, c, db, moved_us);
    if (rc == FG_OK || !c->books->settles)
        c->next_try_us = mono + (clock_holds(cx, c) ? CLOCK_NAP_US : TRY_AGAIN_US);
    if (rc != FG_OK && rc != FG_DB_LOST && rc != FG_DB_BUSY && rc != FG_DB_UNSURE)
        log_err(cx, "clock.not_settled", fg_str_c(c->boot));
}

/* A step too small to matter is simply followed. */
static void notice(struct clock *c, int64_t mono)
{
    int64_t real = offset_now(c);
    if (!c->agreed)
        return;
    if (far(real, c->offset_us)) {
        if (!c->noticed_us)
            c->next_try_us = c->noticed_us = mono;
        return;
    }
    c->offset_us = real;
    if (c->least_us > real)
        c->least_us = real;
    c->noticed_us = 0;
}

bool clock_holds(const struct fg_ctx *cx, const struct clock *c)
{
    return c->noticed_us && ctx_mono_us(cx) < c->noticed_us + CLOCK_HOLD_US;
}

bool clock_turn(struct fg_ctx *cx, struct clock *c, struct db *db, int64_t *moved_us)
{
    int64_t mono = ctx_mono_us(cx);
    *moved_us = 0;
    notice(c, mono);
    if (((!c->agreed || c->noticed_us) && mono >= c->next_try_us) || beat_missed(cx, c, db)) {
        agree(cx, c, db, moved_us);
        notice(c, mono); /* it may have jumped while nobody of us ran */
    }
    return !clock_holds(cx, c);
}

int64_t clock_floor_us(const struct clock *c)
{
    int64_t least = offset_now(c);
    if (least > c->least_us)
        least = c->least_us;
    return c->outer->boot_us(c->outer->self) + least;
}

int64_t clock_since_us(const struct clock *c, int64_t us)
{
    return c && us > c->back_to_us && us <= c->back_from_us ? c->back_to_us : us;
}
