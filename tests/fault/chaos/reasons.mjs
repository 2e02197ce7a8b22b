/* Why a job may end without a film: each code, and what must have happened for it to be the truth, by the tags of its
 * prompt, which its provider obeyed, or by a fault that was injected at that moment. Silence is no reason: a run that its
 * provider finished is only given up for what was wrong with its file, or at the deadline. */
import { namesOf } from './tags.mjs';
import { SUBMIT_S } from './world.mjs';

/* Tags that make a provider say it, anywhere in the prompt. */
const SAID = {
    blocked_prompt: ['moderated-submit', 'moderated-run', 'moderated-output'],
    blocked_output: ['moderated-output', 'moderated-run', 'done-empty'], /* Veo hands out nothing when it filters */
    provider_failed: ['fails', 'fails-retryable', 'done-empty', 'moderated-run', 'moderated-output'],
    provider_forgot: ['forgets', 'url-expired'],
    output_unreachable: ['file-missing', 'file-truncated', 'file-wrong', 'url-expired', 'forgets', 'done-empty'],
    output_invalid: ['file-truncated', 'file-wrong', 'file-not-video', 'file-missing'],
    image_unreachable: ['fails'], /* one of Runway's words for it */
    provider_refused: ['refused', 'moderated-submit', 'fails', 'no-credit'], /* Veo has one word for all conditions */
    provider_auth: ['bad-auth'],
    provider_credit: ['no-credit', 'park'], /* Kling has one word for both */
};
const BAD_IMAGES = ['missing.png', 'text.png'];
/* After which nobody can say whether a submit was taken. */
const SUBMIT_LOST = /\b(answer-lost|500-after|500-before|hang|wrong-type=submit|truncated-json=submit)\b/;
const AWAY_MS = { mariadb: 3000 }; /* how long a killed one is missed */
const ATTEMPT_ACCEPTED = 2, ATTEMPT_UNKNOWN = 5;
/* Whose answer to a cancel does not tell whether it came in time: the film may have been finished a moment before. */
const DELETES_WHAT_IS_DONE = ['runway', 'luma', 'minimax'];

const lateMs = (tags) => Number(/answer-late=(\d+)/.exec(tags)?.[1] ?? 0);

/* True when one of the parts was killed or stood still at some time between. */
function disturbed(faults, parts, fromMs, toMs) {
    return faults.some((one) => parts.includes(one.part) && one.fromMs < toMs &&
        (one.toMs ?? Infinity) + (one.what === 'kill' ? AWAY_MS[one.part] ?? 0 : 0) > fromMs);
}

/* The answer to that very submit did not reach our books: its provider kept it, or one of those between was disturbed
 * before its time was up; or it came there when there was hardly any time left. */
function submitWasLost(attempt, { tags, body }, runs, faults) {
    const sentMs = attempt.created_us / 1000, limitMs = SUBMIT_S * 1000, run = runs.findLast((one) => Date.parse(one.at) >= sentMs - 100);
    const imageMs = body.imageUrl && attempt.provider === 'comfyui' ? limitMs : 0; /* before it goes out */
    const parts = ['sweeper', 'providers', 'mariadb', 'machine', ...attempt.provider === 'studio' ? ['nginx', 'studio'] : []];
    return SUBMIT_LOST.test(tags) || (run && Date.parse(run.at) + lateMs(tags) - sentMs > limitMs - 500) ||
        disturbed(faults, parts, sentMs - 100, sentMs + imageMs + limitMs + 500);
}

/* It never came in, by any of its doors. */
function neverGotIn(job, tags, attempts, faults) {
    const fromMs = job.created_us / 1000, toMs = job.finished_us / 1000;
    return namesOf(tags).some((name) => ['429', '500-before', 'hang', 'park', 'no-credit', 'bad-auth'].includes(name)) ||
        disturbed(faults, ['providers', 'nginx', 'studio'], fromMs, toMs);
}

export function explained(job, intent, runs, attempts, events, faults) {
    const { tags, image, cancels } = intent, code = job.error_code, names = namesOf(tags), last = attempts.at(-1);
    switch (code) {
    case 'canceled':
        return cancels > 0 && runs.every((run) => run.canceled || run.end === 'failed' ||
            DELETES_WHAT_IS_DONE.includes(run.provider));
    case 'submit_unknown': /* or its answer came when nobody waited any more */
        return submitWasLost(last, intent, runs, faults) && (last.state === ATTEMPT_UNKNOWN || (last.state === ATTEMPT_ACCEPTED
            ? events.some((event) => event.kind === 'late_result') : last.answered_us >= job.finished_us));
    case 'deadline_exceeded':
        return job.finished_us >= job.deadline_us || names.includes('done-empty'); /* Replicate: it no longer keeps the file */
    case 'provider_unavailable':
        return runs.length === 0 && neverGotIn(job, tags, attempts, faults);
    case 'image_unreachable':
        return BAD_IMAGES.includes(image) || names.some((name) => SAID[code].includes(name));
    default:
        return (SAID[code] ?? []).some((name) => names.includes(name));
    }
}
