/* The record of what providers were asked about a job and what they said (table wire): for people who explain, never for
 * the sweeper, which reads none of it and goes on where it cannot be written. What was heard stays with its task until the
 * transaction that books what came of it; of a poll that changed nothing it is written with what is given back. */
#ifndef FG_SWEEPER_WIRE_H
#define FG_SWEEPER_WIRE_H

#include "io/db.h"
#include "io/fetch.h"

struct task;
struct sweeper;

#define WIRE_EXCERPT_MAX 2000   /* characters */
#define WIRE_URL_MAX 500        /* bytes */
#define WIRE_ROWS_MAX 200       /* of a job; submits are kept beyond that */
#define WIRE_WAITING_MAX 2048   /* notes of ended tasks: more are forgotten while the database is away */

/* The columns "what" have these names in lower case; a submit has a row "submit_request" before its answer. */
enum wire_what {
    WIRE_NOTHING,  /* not a question about a job: no row */
    WIRE_SUBMIT,   /* a repeated one too */
    WIRE_IMAGE,    /* the reference image handed over before a submit */
    WIRE_POLL,
    WIRE_LIST,     /* looking for a submit of unknown outcome */
    WIRE_CANCEL,
    WIRE_FETCH,    /* of the result: without its body */
};

/* A question on its way. url and body: in the task's memory. */
struct wire_call {
    enum wire_what what;
    const char *method;
    struct fg_str url, body;
    int64_t at_us, mono_us;
};

struct wire_note;
struct wire;

/* Never NULL. */
struct wire *wire_open(void);
void wire_close(struct wire *w);

/* Call when it goes out. */
struct wire_call wire_begin(const struct task *t, enum wire_what what, const struct fetch_call *call);
/* An answer, or none: noted in the task. */
void wire_heard(struct task *t, const struct wire_call *c, const struct fetch_reply *r);

/* Writes the task's notes, in the transaction that books what came of them, after the job was moved: the rows take a
 * lock on it. Only FG_DB_LOST and FG_DB_BUSY, which break the transaction anyway; any other failure is logged. */
enum fg_code wire_write(struct fg_ctx *cx, struct db *db, struct task *t) FG_MUST_CHECK;
/* That transaction has been committed. */
void wire_written(struct task *t);

/* The task ends: what it has not written goes along with what is given back. */
void wire_leave(struct task *t);
/* Whether there is any. */
bool wire_waits(const struct sweeper *s);
/* Writes it. Before the rows of work are touched, as whoever moves a job locks first the job, then its work. */
enum fg_code wire_write_left(struct fg_ctx *cx, struct db *db, struct sweeper *s) FG_MUST_CHECK;
/* Committed, or never to be. */
void wire_forget_left(struct sweeper *s, bool committed);

#endif
