/* A job from both sides: the use cases of the API, a sweeper in process, a private MariaDB and a fake provider. The
 * wall clock stands until it is moved, so a day of retries is a loop. */
#ifndef FG_TESTS_JOB_WORLD_H
#define FG_TESTS_JOB_WORLD_H

#include "fakes/provider.h"
#include "store/db_proxy.h"
#include "store/db_server.h"
#include "sweeper/sweep.h"

/* Providers of the catalogue, all played by the one fake; their models are called NAME-1:
 *   replay   extras, callbacks, a lost submit is asked again with its key
 *   list     a lost submit is looked for in the list; no callbacks
 *   wait     only time tells; then it is submitted again, twice at most; no callbacks
 *   nowhere  nobody listens there
 *   comfy    ComfyUI: a picture is handed over first, what runs can be interrupted; a lost submit is looked up
 *   keyed    fal, as far as callbacks go: signed with public keys
 * Routes: main (replay), astray (nowhere, then list), pair (list, then wait). */
#define JOB_WORLD_WAIT_S 600

struct job_world {
    struct t_world t;
    struct fg_ctx *cx;          /* of t */
    struct conf conf;
    const struct catalogue *catalogue; /* held */
    uint8_t pepper[HASH_LEN];
    struct job_env env;         /* as a handler has it */
    struct identity who;        /* the app key of account 1; account 2 exists too */
    struct fake_provider *fake;
    struct sweeper sweeper;
    struct st_mysql *sql;       /* for looking, and for what a test does behind everybody's back */
    int closed_fd;              /* holds the port that nobody listens on */
};

void job_world_begin(struct job_world *w);
/* In a process forked off the test: connections and a sweeper of its own, and other dice. */
void job_world_forked(struct job_world *w);
/* Checks the ledger's invariants too. */
void job_world_end(struct job_world *w, unsigned expected_error_lines);

/* The catalogue, for a test that takes something out of it. */
struct catalogue *open_catalogue(struct job_world *w);
/* Moves the clock, for the requests and for every sweeper. */
void clock_add(struct job_world *w, int64_t us);

/* The requests' connection leads through a proxy, until the end. */
struct relayed {
    struct db_proxy proxy;
    struct conf conf;
    struct db *direct;
};
void relay_begin(struct job_world *w, struct relayed *r, enum db_program program);
void relay_end(struct job_world *w, struct relayed *r);

/* ---- looking ---- */
/* The first column of the first row as a number; NULL and no row are 0. */
int64_t ask(struct job_world *w, const char *fmt, ...) FG_PRINTF(2, 3);
/* The same as text; FG_NONE. */
struct fg_str ask_text(struct job_world *w, const char *fmt, ...) FG_PRINTF(2, 3);
void do_sql(struct job_world *w, const char *fmt, ...) FG_PRINTF(2, 3);
struct job job_now(struct job_world *w, struct fg_str id);
/* "submitting accepted …": the kinds of a job's events after its creation, in order. */
struct fg_str timeline(struct job_world *w, struct fg_str id);
/* Of a job that is in this stage and, once it is done, in this state with this code ("" for none). */
void check_place(struct job_world *w, struct fg_str id, enum job_state state, enum job_stage stage,
                 const char *code, const char *why);

/* Files of the store's folder ("tmp" is one) whose names begin so. */
unsigned files_in(struct job_world *w, struct fg_str folder, struct fg_str prefix);
/* Of this job, where they are kept. */
unsigned files_of(struct job_world *w, struct fg_str id);

/* ---- acting ---- */
/* POST /v1/jobs for a model, with a deadline in seconds; its id. */
struct fg_str new_job(struct job_world *w, const char *model, int64_t deadline_s);
enum fg_code create_job(struct job_world *w, struct fg_str body, const char *key, struct job_answer *out);
/* Passes of a sweeper until one finds nothing to start, all that was started having ended. */
void settle(struct job_world *w);
void settle_with(struct sweeper *s);
/* Makes the sweeper's next pass look, however little real time has gone by: here the wall clock is moved. */
void look_anew(struct sweeper *s);
/* Moves the clock to when something is next due, or a provider may be tried again, then settles. */
void step(struct job_world *w);
/* Steps until the job has ended. */
void run_to_end(struct job_world *w, struct fg_str id);
/* Passes and waits until so many requests are held by the fake. */
void turn_until_held(struct job_world *w, struct sweeper *s, unsigned n);
/* Waits, without a pass, until the sweeper has nothing under way. */
void drain(struct sweeper *s);
/* A second sweeper, as another process would be one. Upkeep waits until the test sets its next_upkeep_us to 0. */
void second_sweeper(struct job_world *w, struct sweeper *s);

/* The answers of a poll: {"status":word,"progress":n}; n < 0: none. */
void say_status(struct job_world *w, const char *word, int progress);
void say(struct job_world *w, enum fake_route route, struct fake_reply r);

#endif
