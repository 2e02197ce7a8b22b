/* The sweeper: claims what is due, a lease at a time, and moves it forward. Two of them at once are harmless: a
 * claim is one atomic statement, and every result is written under the job's guard. */
#ifndef FG_SWEEPER_SWEEP_H
#define FG_SWEEPER_SWEEP_H

#include "io/child.h"
#include "io/fetch.h"
#include "job/clock.h"
#include "job/moderation.h"
#include "job/policy.h"
#include "job/store.h"
#include "media/gate.h"
#include "media/store.h"
#include "moderate/rules.h"
#include "moderate/service.h"
#include "money/brake.h"
#include "money/ledger.h"
#include "provider/match.h"
#include "sweeper/traffic.h"
#include "sweeper/wire.h"

#define SWEEP_TASKS_MAX 512
#define SWEEP_INGESTS_MAX 8       /* downloads at once */
#define SWEEP_CHECKS_MAX 8        /* jobs that are moderated at once */
#define SWEEP_LATER_BATCH 256     /* rows given back in one statement, if that many come within milliseconds */
#define SWEEP_LATER_MAX (SWEEP_TASKS_MAX + SWEEP_LATER_BATCH)
#define SWEEP_OWNER_LEN 16

/* A claimed row of due work with its job and the job's current attempt (id 0: none yet). */
struct work {
    int64_t due_id;
    int64_t tries;
    struct job job;
    struct attempt attempt;
};

/* A row that goes back to be due again. */
struct later {
    int64_t due_us, tries, due_id;
    char owner[SWEEP_OWNER_LEN];
};

/* How far the walks are that delete what is old (retention.c): each from its beginning to its end, then a rest. */
struct retention {
    int64_t next_us;              /* monotonic: the next turn */
    struct retention_walk {
        int64_t at_us, at_id;     /* after this row, in the order of the walk's index */
        int64_t account_id;       /* whose, where each account is walked through by itself */
        int64_t rest_us;          /* monotonic: not before */
    } files, words, events, receipts;
    int64_t erasure_us;           /* monotonic: a look for accounts and users to erase */
    int64_t storage_us;           /* the same: what is kept, written down for the forecast */
};

struct sweeper;
struct task;
struct deliveries;
struct bucket;
typedef void look_done(struct task *t, const struct poll_reply *r);

/* One claimed piece of work in progress: waits for one fetch or one child at a time. Its memory is its own. */
struct task {
    struct fg_ctx cx;
    struct sweeper *s;
    struct task *next;
    enum due_kind kind;
    struct work work;
    char owner[SWEEP_OWNER_LEN];
    int64_t lease_mono_us;        /* when the lease is renewed next */
    const struct catalogue *catalogue; /* held: provider and model point into it */
    const struct cat_provider *provider; /* NULL: no longer in the catalogue */
    const struct cat_model *model;       /* the same */
    const struct provider *adapter;      /* of the attempt, else of the model */
    bool last_question;           /* asked because of the deadline */
    bool ended;                   /* to be freed by the loop */

    /* what could not be written down: see task_when_back */
    void (*retry)(struct task *t);
    int64_t retry_mono_us;
    struct submit_reply answer;   /* of a submit */
    int64_t send_until_mono_us;   /* a submit may go out: nobody else can have taken the job for lost */
    struct storing *storing;      /* of an ingest */
    struct checking *checking;    /* of what is moderated */

    /* a call that waits for its provider's rate */
    struct fetch_call call;
    fetch_done *call_done;
    enum wire_what call_what;
    int64_t call_mono_us;         /* 0: none waits */

    struct wire_note *wire;       /* what was heard and is not written yet */

    /* one look at a job, of several questions */
    int step;
    struct fg_str note;
    look_done *look_done;

    /* looking for a lost submit in a list */
    struct list_ask ask;
    struct match match;

    /* a reference image that becomes ours; an upload that goes */
    struct reference *reference;
    struct removing *removing;

    /* a reference image on its way to the provider */
    struct preparing *preparing;
    struct fg_str image_bytes, image_type, image_name;

    /* ingest */
    struct poll_reply found;      /* where the file is */
    bool with_key;                /* the download showed our key */
    struct spool video, poster;
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
    struct clock clock;           /* what it goes by: the environment of cx and of every task */
    struct job_env env;           /* env.catalogue is held */
    struct fetcher *fetcher;
    struct store store;
    const struct rules *rules;    /* held */
    struct moderation_sites sites;
    bool site_told[MODERATION_SERVICES_MAX]; /* that it cannot be asked, in the log */
    struct traffic traffic;
    struct deliveries *deliveries; /* outgoing webhooks under way */
    struct wire *wire;            /* what is written of it with what is given back */
    struct bucket *bucket;        /* tidying the stores */
    struct task *tasks;
    unsigned task_n, ingest_n, check_n;
    bool look_now;                /* something may have come due: look before the time is over */
    int64_t look_mono_us;         /* next look at what is due */
    int64_t next_upkeep_us;       /* monotonic, as all of these: heartbeat and purges */
    int64_t next_catalogue_us;    /* a look at its file */
    int64_t next_queue_us;        /* positions in the queue */
    int64_t next_slots_us;        /* giving out slots */
    int64_t next_reroute_us;      /* moving jobs away from closed providers */
    int64_t next_weather_us;
    int64_t next_deliver_us;      /* looking at the queues of outgoing webhooks */
    bool slots_short;             /* jobs wait and there was no room for them */
    struct retention retention;
    struct ledger_walk books;     /* the nightly proof, as far as it is */
    bool books_open;
    char name[64];                /* in the heartbeat table */
    bool draining;                /* claims nothing new */
    struct later later[SWEEP_LATER_MAX];
    unsigned later_n;
    int64_t later_mono_us;        /* when they are to be written, if no others come along before */
    int64_t away_since_us;        /* monotonic; 0: the database is there */
    int64_t away_until_us;        /* it is not asked again before */
    int64_t away_pause_us;
};

/* catalogue: held by the sweeper from then on, and renewed when its file changes. */
enum fg_code sweeper_open(struct fg_ctx *cx, struct sweeper *s, const struct conf *conf,
                          const struct catalogue *catalogue, const uint8_t *pepper) FG_MUST_CHECK;
void sweeper_close(struct sweeper *s);

/* One bounded pass: claims and starts what is due. Returns the microseconds until more is due, at most
 * sweeper.tick_ms. */
int64_t sweep_pass(struct sweeper *s);
/* Waits for something to happen (a fetch, a child, a hint on wake_fd, a signal on stop_fd; -1: none), at most
 * max_us, and handles all but the signal. */
void sweep_wait(struct sweeper *s, int wake_fd, int stop_fd, int64_t max_us);

/* True while something is under way. */
bool sweep_busy(const struct sweeper *s);

/* ---- what the duties share ---- */

/* A task with nothing in it yet, freed by the loop once it has ended. owner NULL: it holds no lease. */
struct task *task_new(struct sweeper *s, enum due_kind kind, const char *owner);
/* What a database code means for a task: logs anything but FG_OK and FG_JOB_MOVED. True when FG_OK. */
bool task_ok(struct task *t, enum fg_code rc, const char *event);
/* Gives the work back: due again at due_us, with this count of unhelpful tries. Ends the task. */
void task_later(struct task *t, int64_t due_us, int64_t tries);
/* Unhelpful tries are counted in a row and by kind: one of another kind begins anew. */
enum trouble { TROUBLE_SILENT, TROUBLE_GONE, TROUBLE_INVALID, TROUBLE_UNCHECKED };
/* How many of this kind there have been in a row, this one included. */
int64_t task_trouble(const struct task *t, enum trouble kind);
/* task_later with that count. */
void task_trouble_later(struct task *t, int64_t due_us, enum trouble kind);
/* Ends the task; the row has been moved or removed, or its lease brings it back. */
void task_end(struct task *t);
/* Starts the call; done gets the task. The instant is new when done runs. what: as it is recorded. */
void task_fetch(struct task *t, enum wire_what what, const struct fetch_call *call, fetch_done *done);
/* The same for a call to the job's provider: it waits for its turn in the provider's rate, and what comes of it is
 * told to the breaker. */
void task_call(struct task *t, enum wire_what what, const struct fetch_call *call, fetch_done *done);
/* Its turn has come. */
void task_call_now(struct task *t);
/* Starts a limited program; done gets its wait status, its output is in child_out. False: not started. */
bool task_child(struct task *t, const struct child_call *call, void (*done)(struct task *, int));
/* One move of the task's job in a transaction of its own; the job is read anew and tried again when it moved. */
enum fg_code task_move(struct task *t, const struct job_change *ch) FG_MUST_CHECK;
/* A provider's reason in our words. */
enum job_reason task_reason(enum remote_reason r);
/* What the catalogue says that the job costs us at its model; 0: nothing, or not known. */
int64_t task_expected_micro(const struct task *t);
/* The neutral request of a job and the attempt in work; the model must be in the catalogue. */
void task_spec(const struct task *t, struct gen_spec *out);
/* The attempt as its provider knows it. */
struct remote_ref task_ref(const struct task *t);
/* One look at the job, of as many questions as the adapter needs; done gets the answer (not understood where there is
 * none). False: no call could be made; the task goes on. */
bool task_look(struct task *t, look_done *done);

/* books.c: begins the nightly proof of the ledger, or goes on with it for some milliseconds. */
enum fg_code books_look(struct sweeper *s) FG_MUST_CHECK;

/* ---- while the database is no help (away.c) ---- */
/* Away, hanging, full, or closed to writers: its codes are FG_DB_LOST and FG_DB_UNSURE. */
bool db_no_help(enum fg_code rc);
/* What a pass has met, logged. Of a database that is no help only once per pause: until that is over nobody asks it
 * anything new. */
void sweep_failed(struct sweeper *s, enum fg_code rc, const char *event, struct fg_str what);
/* The same of a task. */
void task_failed(struct task *t, enum fg_code rc, const char *event);
static inline bool sweep_away(const struct sweeper *s) { return ctx_mono_us(&s->cx) < s->away_until_us; }
/* A pass has ended without such a failure. */
void sweep_went_well(struct sweeper *s);
/* Keeps the task until the database may be back, then calls retry with a new instant. For what was paid for, or took
 * long, and is known only here. */
void task_when_back(struct task *t, void (*retry)(struct task *t));
void tasks_retry(struct sweeper *s);
/* Ends the task, whose last words to the database gave rc: when that was no help, the work comes due again at once
 * instead of at the end of its lease. */
void task_over(struct task *t, enum fg_code rc, const char *event);
/* Writes down what has been given back, a few milliseconds late, for the sake of company: each commit waits for the
 * disk. */
void give_back(struct sweeper *s);
/* Until it wants to be called; INT64_MAX: never. */
int64_t give_back_in_us(const struct sweeper *s);
/* How many more tasks there may be: each may have to be given back before anything can be written. */
static inline int64_t sweep_room(const struct sweeper *s)
{
    int64_t tasks = SWEEP_TASKS_MAX - (int64_t)s->task_n, rows = SWEEP_LATER_MAX - (int64_t)(s->later_n + s->task_n);
    return tasks < rows ? tasks : rows;
}

/* ---- the duties ---- */
void duty_dispatch(struct task *t);
void duty_sending(struct task *t);
void duty_resolve(struct task *t);
void duty_poll(struct task *t);
void duty_ingest(struct task *t);
/* Before anything is submitted: the reference image becomes ours, then rules and services look at all of it. */
void duty_moderate(struct task *t);
/* Fetches the job's imageUrl, makes an upload of it that the job names, then goes on; or ends the task, and perhaps the
 * job. Nothing has been asked of a provider yet. */
void reference_fetch(struct task *t, void (*then)(struct task *t));
/* Every check of prompt, negative prompt and image; then the job may wait for its slot, or is held, or ends. */
void moderate_checks(struct task *t);
/* Frames of a finished video, which must pass before it may go where it is kept; or ends the task, and perhaps the job. */
void frames_check(struct task *t, void (*passed)(struct task *t));
/* Drops every temporary file of what is moderated. */
void checking_drop(struct task *t);
/* Rules as they are by now, and what is kept no longer than it must be. */
void moderate_renew(struct sweeper *s);
enum fg_code moderate_purge(struct sweeper *s) FG_MUST_CHECK;
void duty_deadline(struct task *t);
/* The same when there is nobody left to ask. */
void deadline_unasked(struct task *t);
void duty_erase(struct task *t);

/* Drops everything that it holds. */
void reference_drop(struct task *t);

/* Reads our copy of the reference image as the provider wants it, and hands it over where it wants that first; then calls
 * ready, or failed (nothing has been asked for yet): SUBMIT_REFUSED, or SUBMIT_NOT_SENT when it may go well another time. */
typedef void prepared(struct task *t);
typedef void not_prepared(struct task *t, enum submit_outcome how, struct fg_str words);
void prepare_image(struct task *t, prepared *ready, not_prepared *failed);
/* Whether that is needed before the submit. */
bool prepare_needed(const struct task *t);
/* Records the answer of a submit (first or replayed), whatever has become of the job meanwhile, and ends the task.
 * False: the id is another attempt's, so the answer proves nothing; nothing was written and the task goes on. */
bool submit_record(struct task *t, const struct submit_reply *r);
/* Asks once about a submit of unknown outcome (resolve.c). */
void resolve_ask(struct task *t);
/* Whether a download may begin: FG_IO in words where the disk has less room than media.reserve_bytes. */
enum fg_code room_check(struct fg_ctx *cx, const struct conf *conf) FG_MUST_CHECK;
/* Our own store is no reason to lose a paid video: gives the work back, to be tried again in storing as long as the provider
 * keeps its copy; the sooner, the less is left of that. The words are in cx->err. */
void room_wait(struct task *t, const char *event);
/* Drops everything an ingest holds. */
void ingest_drop(struct task *t);

/* ---- claiming ---- */
/* Claims up to limit rows of a kind and starts them; how many. ids: those of a JSON list, as far as they are still due;
 * FG_NONE: by due time. */
int64_t sweep_claim(struct sweeper *s, enum due_kind kind, int64_t limit, struct fg_str ids);

/* What the operator's brakes leave, for one look under the lock. Of each provider, and of all: what is missing for the
 * first that could not be paid for (0: nothing), and whether any went. */
struct brake_turn {
    struct fg_str provider;
    int64_t missing_micro;
    bool gave;
};
struct budget {
    bool set;
    struct spending spent;        /* with what was taken in this look */
    struct brake_turn turn[CONF_PROVIDERS_MAX + 1];
    unsigned turn_n;
};
enum fg_code budget_open(struct sweeper *s, struct budget *b) FG_MUST_CHECK;
bool budget_pays(struct sweeper *s, struct budget *b, const struct cat_model *m, int64_t micro);
void budget_take(struct sweeper *s, struct budget *b, const struct cat_model *m, int64_t micro);
/* One of this model did not go for it: nobody else does. */
bool budget_reached(struct budget *b, const struct cat_model *m);
/* Writes down who is at the brake and who no longer; microseconds until that may change by itself, or INT64_MAX. */
int64_t budget_tell(struct sweeper *s, struct budget *b);

/* An account's line for a model; user_running_max: of its plan, PLAN_NO_LIMIT. */
struct line {
    const struct cat_model *model;
    int64_t account_id, user_running_max;
};
/* Claims the first that may go, at most so many, and starts them; how many. */
int64_t line_claim(struct sweeper *s, const struct line *line, struct budget *budget, int64_t want);
/* Gives waiting jobs the slots there are: fair between accounts, within the limits of provider and model. Microseconds
 * until it should be called again; INT64_MAX: when something happens. */
int64_t slots_give(struct sweeper *s);
/* Another model of the job's route that could take it now; NULL: none. In a transaction. */
enum fg_code reroute_pick(struct fg_ctx *cx, struct sweeper *s, struct db *db, const struct job *j,
                          const struct cat_model **out) FG_MUST_CHECK;
/* Puts the job into that model's lane. why: for the timeline. */
enum fg_code reroute_move(struct fg_ctx *cx, struct db *db, struct job *j, const struct cat_model *to,
                          struct fg_str why) FG_MUST_CHECK;
/* Moves jobs that wait for a provider which takes none now to where they can go. */
void reroute_lane(struct sweeper *s, struct fg_str lane);
/* Writes down where jobs stand that wait for a slot of this model. */
void queue_tell(struct sweeper *s, const struct cat_model *m);

/* ---- what is left in the stores (bucket.c) ---- */
struct bucket *bucket_open(struct sweeper *s);
/* The fetcher must have been closed before. */
void bucket_close(struct bucket *b);
/* Begins to take some of it away, unless that is under way. */
enum fg_code bucket_tidy(struct sweeper *s) FG_MUST_CHECK;

/* ---- outgoing webhooks (deliver.c) ---- */
struct deliveries *deliveries_open(struct sweeper *s);
/* Forgets what is under way: the leases bring it back. The fetcher must have been closed before. */
void deliveries_close(struct deliveries *d);
unsigned deliveries_n(const struct deliveries *d);
/* Sends what is due and has room in its queue. due_us: when the first is due (0: none is). Microseconds until it should
 * be called again; INT64_MAX: when something happens. */
int64_t deliveries_pass(struct deliveries *d, int64_t due_us);
/* Writes down what was heard since the last time. */
void deliveries_settle(struct deliveries *d);
/* The clock has jumped. */
void deliveries_shift(struct deliveries *d, int64_t us);
/* Takes what is older than webhook.keep_days out of the log, a bit at a time. */
void deliveries_purge(struct deliveries *d);

/* ---- upkeep ---- */
/* Fetches the key sets of providers that sign with public keys, when they are old or a callback wants newer ones. */
void keys_refresh(struct sweeper *s);
/* Uploads that nobody used in time, and files of those that were deleted: some of them. */
void uploads_look(struct sweeper *s);
/* Deletes and redacts what has been kept long enough, some rows at a time. Microseconds until it should be called again. */
int64_t retention_pass(struct sweeper *s);
/* Works out how each model has done lately, at most once a minute. */
void weather_compute(struct sweeper *s);

#endif
