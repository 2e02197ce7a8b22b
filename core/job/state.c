#include "job/job.h"

/* Absent = not allowed. Notes (EV_CANCEL_ASKED and after) have no row: they never move a job. */
#define TO(stage) { true, STAGE_##stage }
static const struct {
    bool allowed;
    uint8_t stage;
} edge[STAGE_IN_REVIEW + 1][JOB_EVENT_N] = {
    [STAGE_WAITING] = { [EV_CLAIM] = TO(SUBMITTING), [EV_PROGRESS] = TO(WAITING), [EV_FAILED] = TO(DONE),
                        [EV_DEADLINE] = TO(DONE), [EV_CANCELED] = TO(DONE), [EV_REROUTED] = TO(WAITING) },
    [STAGE_SUBMITTING] = { [EV_ACCEPTED] = TO(AT_PROVIDER), [EV_NOT_SENT] = TO(WAITING),
                           [EV_UNKNOWN] = TO(SUBMIT_UNKNOWN), [EV_FAILED] = TO(DONE),
                           [EV_REROUTED] = TO(WAITING) },
    [STAGE_SUBMIT_UNKNOWN] = { [EV_ACCEPTED] = TO(AT_PROVIDER), [EV_NOT_ACCEPTED] = TO(WAITING),
                               [EV_FAILED] = TO(DONE), [EV_DEADLINE] = TO(DONE),
                               [EV_REROUTED] = TO(WAITING) },
    [STAGE_AT_PROVIDER] = { [EV_STARTED] = TO(RENDERING), [EV_PROGRESS] = TO(AT_PROVIDER),
                            [EV_OUTPUT] = TO(STORING), [EV_FAILED] = TO(DONE), [EV_DEADLINE] = TO(DONE) },
    [STAGE_RENDERING] = { [EV_PROGRESS] = TO(RENDERING), [EV_OUTPUT] = TO(STORING),
                          [EV_FAILED] = TO(DONE), [EV_DEADLINE] = TO(DONE) },
    [STAGE_STORING] = { [EV_STORED] = TO(DONE), [EV_FAILED] = TO(DONE) },
    [STAGE_MODERATING] = { [EV_CLEARED] = TO(WAITING), [EV_HELD] = TO(IN_REVIEW), [EV_FAILED] = TO(DONE),
                           [EV_DEADLINE] = TO(DONE), [EV_CANCELED] = TO(DONE) },
    [STAGE_IN_REVIEW] = { [EV_CLEARED] = TO(WAITING), [EV_FAILED] = TO(DONE), [EV_DEADLINE] = TO(DONE),
                          [EV_CANCELED] = TO(DONE) },
};
#undef TO

static enum job_state state_of(enum job_stage stage, enum job_event ev)
{
    switch (stage) {
    case STAGE_MODERATING:
    case STAGE_IN_REVIEW:
    case STAGE_WAITING:
    case STAGE_SUBMITTING:
    case STAGE_SUBMIT_UNKNOWN:
        return JOB_PENDING;
    case STAGE_AT_PROVIDER:
        return JOB_QUEUED;
    case STAGE_RENDERING:
    case STAGE_STORING:
        return JOB_PROCESSING;
    case STAGE_DONE:
        break;
    }
    return ev == EV_STORED ? JOB_SUCCEEDED : ev == EV_DEADLINE ? JOB_EXPIRED : JOB_FAILED;
}

bool job_next(enum job_stage from, enum job_event ev, struct job_place *to)
{
    if ((size_t)from >= FG_LEN(edge) || ev >= JOB_EVENT_N || !edge[from][ev].allowed)
        return false;
    to->stage = (enum job_stage)edge[from][ev].stage;
    to->state = state_of(to->stage, ev);
    return true;
}

bool job_terminal(enum job_state s)
{
    return s >= JOB_SUCCEEDED;
}

static const char *const state_names[] = {
#define X(sym, n, text) [n] = text,
    JOB_STATES(X)
#undef X
};
static const char *const stage_names[] = {
#define X(sym, n, text) [n] = text,
    JOB_STAGES(X)
#undef X
};
static const char *const event_names[] = {
#define X(sym, text) [EV_##sym] = text,
    JOB_EVENTS(X)
#undef X
};

const char *job_state_name(enum job_state s)
{
    return s >= JOB_PENDING && s <= JOB_EXPIRED ? state_names[s] : "unknown";
}

bool job_state_by_name(struct fg_str name, enum job_state *out)
{
    for (unsigned i = JOB_PENDING; i <= JOB_EXPIRED; i++)
        if (fg_eq(name, fg_str_c(state_names[i]))) {
            *out = (enum job_state)i;
            return true;
        }
    return false;
}

const char *job_stage_name(enum job_stage s)
{
    return s <= STAGE_IN_REVIEW ? stage_names[s] : "unknown";
}

const char *job_event_name(enum job_event e)
{
    FG_ASSERT(e < JOB_EVENT_N);
    return event_names[e];
}

static const struct job_reason_info reasons[] = {
    [JOB_R_NONE] = { "", "", false, FAULT_NOBODY, false },
#define R(sym, slug, retryable, fault, charged, words) [JOB_R_##sym] = { slug, words, retryable, fault, charged },
#include "job/reasons.def"
#undef R
};

const struct job_reason_info *job_reason_info(enum job_reason r)
{
    FG_ASSERT((size_t)r < FG_LEN(reasons));
    return &reasons[r];
}

const struct job_reason_info *job_reason_by_slug(struct fg_str slug)
{
    for (size_t i = 1; i < FG_LEN(reasons); i++)
        if (fg_eq(slug, fg_str_c(reasons[i].slug)))
            return &reasons[i];
    return NULL;
}
