/* Why a job may end without a film: each code, and what must have happened for it to be the truth. Silence is no
 * reason: a run that its provider finished is only given up for what was wrong with its file, or at the deadline. */

/* Tags that make a provider say it, anywhere in the prompt. */
const SAID = {
    blocked_prompt: ['moderated-submit', 'moderated-run', 'moderated-output'],
    blocked_output: ['moderated-output', 'moderated-run', 'done-empty'], /* Veo hands out nothing when it filters */
    provider_failed: ['fails', 'fails-retryable', 'done-empty', 'moderated-run', 'moderated-output'],
    provider_forgot: ['forgets', 'url-expired'],
    output_unreachable: ['file-missing', 'file-truncated', 'file-wrong', 'url-expired', 'forgets', 'done-empty'],
    output_invalid: ['file-truncated', 'file-wrong', 'file-not-video', 'file-missing'],
    image_unreachable: ['fails'], /* one of Runway's words for it */
    provider_refused: ['refused', 'moderated-submit', 'fails'],
};
const ATTEMPT_ACCEPTED = 2, ATTEMPT_UNKNOWN = 5;
/* Whose answer to a cancel does not tell whether it came in time: the film may have been finished a moment before. */
const DELETES_WHAT_IS_DONE = ['runway'];
const FINAL_DOOR = ['provider_refused', 'provider_auth', 'provider_credit', 'provider_unavailable'];

export function explained(job, { tags, cancels }, runs, attempts, events) {
    const code = job.error_code, has = (names = []) => names.some((name) => tags.split(/[ =*]/).includes(name));
    if (code === 'canceled')
        return cancels > 0 && runs.every((run) => run.canceled || run.end === 'failed' ||
            DELETES_WHAT_IS_DONE.includes(run.provider));
    if (code === 'submit_unknown')
        return runs.length === 0 || attempts.at(-1)?.state === ATTEMPT_UNKNOWN || /* or its answer came when nobody waited any more */
            (attempts.at(-1)?.state === ATTEMPT_ACCEPTED && events.some((event) => event.kind === 'late_result'));
    if (code === 'deadline_exceeded')
        return job.finished_us >= job.deadline_us || has(['done-empty']); /* Replicate: it no longer keeps the file */
    if (FINAL_DOOR.includes(code) && runs.length === 0)
        return true; /* it never got in, so nothing is lost */
    return has(SAID[code]);
}
