/* The sweeper: claims what is due, a lease at a time, and moves it forward. Two of them at once are harmless: a
 * claim is one atomic statement, and every result is written under the job's guard. */
#ifndef FG_SWEEPER_SWEEP_H
#define FG_SWEEPER_SWEEP_H

#include "io/child.h"
#include "io/fetch.h"
#include "job/policy.h"
#include "job/store.h"
#include "media/gate.h"
#include "media/store.h"

#define SWEEP_TASKS_MAX 256
#define SWEEP_INGESTS_MAX 8       /* downloads at once */
#define SWEEP_OWNER_LEN 16

/* A claimed row of due work with its job. */
struct work {
    struct job job;
    int64_t due_id;
    int64_t tries;
};

/* A row that goes back to be due again. */
struct later {
    int64_t due_us, tries, due_id;
    char owner[SWEEP_OWNER_LEN];
};

struct sweeper;

/* One claimed piece of work in progress: waits for one fetch or one child at a time. Its memory is its own. */
struct task {
    struct fg_ctx cx;
    struct sweeper *s;
    struct task *next;
    enum due_kind kind;
    struct work work;
    char owner[SWEEP_OWNER_LEN];
    int64_t lease_mono_us;        /* when the lease is renewed next */
    const struct cat_provider *provider;
    const struct cat_model *model;
    struct attempt attempt;
    bool last_question;           /* asked because of the deadline */
    bool ended;                   /* to be freed by the loop */

    /* ingest */
    struct store_tmp video, poster;
    struct gate_facts facts;
    int64_t bytes;
    uint8_t digest[HASH_LEN];
    struct child child;           /* pid 0: none runs */
    struct sb child_out;
    bool child_silent;            /* its output has ended: polling that descriptor would spin */
    void (*child_done)(struct task *t, int status);
};

struct sweeper {
    struct fg_ctx cx;             /* of the pass itself */
    struct job_env env;
    struct fetcher *fetcher;
    struct task *tasks;
    unsigned task_n, ingest_n;
    int64_t next_upkeep_us;       /* monotonic: heartbeat and purges */
    int64_t next_queue_us;        /* monotonic: positions in the queue */
    char name[64];                /* in the heartbeat table */
    bool draining;                /* claims nothing new */
    struct later later[SWEEP_TASKS_MAX];
    unsigned later_n;
};

enum fg_code sweeper_open(struct fg_ctx *cx, struct sweeper *s, const struct conf *conf,
                          const struct catalogue *catalogue, const uint8_t *pepper) FG_MUST_CHECK;
void sweeper_close(struct sweeper *s);

/* One bounded pass: claims and starts what is due. Returns the microseconds until more is due, at most
 * sweeper.tick_ms. */
int64_t sweep_pass(struct sweeper *s);
/* Waits for something to happen (a fetch, a child, a hint on wake_fd, a signal on stop_fd; -1: none), at most
 * max_us, and handles all but the signal. */
void sweep_wait(struct sweeper *s, int wake_fd, int stop_fd, int64_t max_us);

/* ---- what the duties share ---- */

/* What a database code means for a task: logs anything but FG_OK and FG_JOB_MOVED. True when FG_OK. */
bool task_ok(struct task *t, enum fg_code rc, const char *event);
/* Gives the work back: due again at due_us, with this count of unhelpful tries. Ends the task. */
void task_later(struct task *t, int64_t due_us, int64_t tries);
/* Unhelpful tries are counted in a row and by kind: one of another kind begins anew. */
enum trouble { TROUBLE_SILENT, TROUBLE_GONE, TROUBLE_INVALID };
/* How many of this kind there have been in a row, this one included. */
int64_t task_trouble(const struct task *t, enum trouble kind);
/* task_later with that count. */
void task_trouble_later(struct task *t, int64_t due_us, enum trouble kind);
/* Ends the task; the row has been moved or removed, or its lease brings it back. */
void task_end(struct task *t);
/* Starts the call; done gets the task. The instant is new when done runs. */
void task_fetch(struct task *t, struct fetch_call *call, fetch_done *done);
/* Starts a limited program; done gets its wait status, its output is in child_out. False: not started. */
bool task_child(struct task *t, const struct child_call *call, void (*done)(struct task *, int));
/* One move of the task's job in a transaction of its own; the job is read anew and tried again when it moved. */
enum fg_code task_move(struct task *t, const struct job_change *ch) FG_MUST_CHECK;
/* A provider's reason in our words. */
enum job_reason task_reason(enum remote_reason r);
/* The neutral request of a job and the attempt in t. */
void task_spec(const struct task *t, struct gen_spec *out);

/* ---- the duties ---- */
void duty_dispatch(struct task *t);
void duty_resolve(struct task *t);
void duty_poll(struct task *t);
void duty_ingest(struct task *t);
void duty_deadline(struct task *t);
/* The same when there is nobody left to ask. */
void deadline_unasked(struct task *t);
void duty_erase(struct task *t);

/* Records the answer of a submit (first or replayed), whatever has become of the job meanwhile, and ends the task.
 * False: the id is another attempt's, so the answer proves nothing; nothing was written and the task goes on. */
bool submit_record(struct task *t, const struct submit_reply *r);
/* Writes down where waiting jobs stand, at most once a second; called while no slot is free. */
void queue_tell(struct sweeper *s);
/* Asks once about a submit of unknown outcome (resolve.c). */
void resolve_ask(struct task *t);
/* Drops everything an ingest holds. */
void ingest_drop(struct task *t);

#endif
