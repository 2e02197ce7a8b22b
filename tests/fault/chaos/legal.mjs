/* The life of a job, written down from its description and not from its code: which event may lead from which stage to
 * which. Stages: 0 ended, 1 waiting, 2 submitting, 3 submit_unknown, 4 at_provider, 5 rendering, 6 storing, 7 moderating. */
export const STATE = { pending: 1, queued: 2, processing: 3, succeeded: 4, failed: 5, expired: 6 };

const NEW = -1, END = 0, WAITING = 1, SUBMITTING = 2, UNKNOWN = 3, AT_PROVIDER = 4, RENDERING = 5, STORING = 6, MODERATING = 7;

const STEPS = {
    created: [[NEW, WAITING], [NEW, MODERATING]],
    cleared: [[MODERATING, WAITING]],
    submitting: [[WAITING, SUBMITTING]],
    not_sent: [[SUBMITTING, WAITING]],
    submit_unknown: [[SUBMITTING, UNKNOWN]],
    not_accepted: [[UNKNOWN, WAITING]],
    accepted: [[SUBMITTING, AT_PROVIDER], [UNKNOWN, AT_PROVIDER]],
    started: [[AT_PROVIDER, RENDERING]],
    output_ready: [[AT_PROVIDER, STORING], [RENDERING, STORING]],
    succeeded: [[STORING, END]],
    failed: [1, 2, 3, 4, 5, 6, 7].map((stage) => [stage, END]),
    expired: [1, 3, 4, 5, 7].map((stage) => [stage, END]),
    canceled: [[WAITING, END], [MODERATING, END]],
    rerouted: [1, 2, 3].map((stage) => [stage, WAITING]),
};
const NOTES = ['cancel_requested', 'callback', 'late_result', 'provider_note', 'deleted', 'image_stored'];
const ENDS = { succeeded: STATE.succeeded, failed: STATE.failed, canceled: STATE.failed, expired: STATE.expired };
const STATE_OF = { [MODERATING]: 1, [WAITING]: 1, [SUBMITTING]: 1, [UNKNOWN]: 1, [AT_PROVIDER]: 2, [RENDERING]: 3, [STORING]: 3 };

/* at, event: { state, stage }; the event also has its kind, and its place after it. */
export function legalStep(at, event) {
    if (NOTES.includes(event.kind))
        return event.state === at.state && event.stage === at.stage && (event.kind !== 'deleted' || at.stage === END);
    const state = event.stage === END ? ENDS[event.kind] : STATE_OF[event.stage];
    return event.state === state && (STEPS[event.kind] ?? []).some(([from, to]) => from === at.stage && to === event.stage);
}
