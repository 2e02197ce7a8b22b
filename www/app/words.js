/* Everything the page says about states, stages, events and errors, in one place. */

const STATES = {
    pending: 'Waiting',
    queued: 'In the provider’s queue',
    processing: 'In the making',
    succeeded: 'Ready',
    failed: 'Failed',
    expired: 'Ran out of time',
};

const STAGES = {
    moderating: 'The content is being checked.',
    in_review: 'Waiting for review: somebody looks at it before it is made.',
    waiting: 'Waiting for a free slot.',
    submitting: 'Being handed to the provider.',
    submit_unknown: 'The provider has not confirmed yet; we are finding out, without asking twice.',
    at_provider: 'Accepted; the provider has not started yet.',
    rendering: 'The provider is rendering.',
    storing: 'Rendered; the file is being fetched and checked.',
};

/* What keeps a job waiting besides its turn. */
const WAITING_FOR = { operator_budget: 'Paused by the operator’s budget; it goes on by itself.',
    storage: 'The video is made; it waits for room in our store.' };

const FINISHED_ANYWAY = 'You asked to cancel, but the provider finished it all the same.';

/* [what happened, what one can do]; the slugs of core/job/reasons.def and design names to come. */
const REASONS = {
    blocked_prompt: [
        'The content policy does not allow this prompt.',
        'Change the words and try again.',
    ],
    blocked_image: ['The content policy does not allow this picture.', 'Use another picture.'],
    blocked_output: [
        'The content policy withheld the result.',
        'Change the words and try again.',
    ],
    moderation_unavailable: [
        'The request could not be checked just now, and nothing is made unchecked.',
        'Try again later.',
    ],
    review_expired: ['Nobody could look at this request in time.', 'You can create it again.'],
    image_unreachable: [
        'The reference image could not be fetched, or is not a picture.',
        'Use another picture.',
    ],
    provider_refused: [
        'The provider did not take this request.',
        'Change the prompt or the settings.',
    ],
    provider_failed: ['The provider could not make this video.', 'Trying again often helps.'],
    provider_auth: [
        'The provider does not accept this service’s access.',
        'The operator has to mend that.',
    ],
    provider_credit: [
        'This service’s account at the provider is empty.',
        'The operator has to mend that.',
    ],
    provider_unavailable: ['The provider could not be reached in time.', 'Try again later.'],
    submit_unknown: [
        'The provider never confirmed this request, so it was stopped rather than asked for twice.',
        'You can create it again.',
    ],
    provider_forgot: ['The provider does not know this job any more.', 'You can create it again.'],
    output_unreachable: [
        'The finished file could not be fetched from the provider.',
        'You can create it again.',
    ],
    output_invalid: [
        'The provider’s file is not a video that can be played.',
        'You can create it again.',
    ],
    deadline_exceeded: [
        'The video was not ready before its deadline.',
        'Try again, or with a shorter length.',
    ],
    canceled: ['Canceled on request.', ''],
};

const EVENTS = {
    created: 'Created',
    submitting: 'Being handed to the provider',
    not_sent: 'Could not be handed over; will be tried again',
    submit_unknown: 'Handed over, but the provider did not answer',
    not_accepted: 'The provider does not have it; back to waiting',
    accepted: 'The provider accepted it',
    started: 'The provider started',
    progress: 'Progress',
    output_ready: 'Rendered; fetching the file',
    succeeded: 'Stored and checked: ready',
    failed: 'Failed',
    expired: 'Ran out of time',
    canceled: 'Canceled',
    cancel_requested: 'Cancel requested',
    callback: 'The provider called back',
    late_result: 'A result arrived after the end; not charged',
    provider_note: 'The provider said something',
    waiting_for_storage: 'Waiting for room in our store',
    deleted: 'File and prompt deleted',
    redacted: 'Prompt deleted: it had been kept long enough',
    legal_hold: 'Asked to be deleted, but it has to be kept for now',
    rerouted: 'Given to another model',
    cleared: 'Checked: nothing against it',
    held_for_review: 'Held: somebody has to look at it',
    moderation: 'Checked',
    image_stored: 'The first picture has been fetched and kept',
};

const CALLBACKS = {
    valid: 'The provider called back',
    duplicate: 'The provider called back with the same again',
    late: 'The provider called back after the end; nothing changed',
    superseded: 'A callback about an earlier try arrived; nothing changed',
    forged: 'A callback that is not genuine arrived; it was not believed',
    unknown: 'A callback that fits no job arrived',
    replayed: 'The operator had a callback processed again',
};

const DELETIONS = {
    retention: 'File deleted: it had been kept long enough',
    audit: 'The file was lost',
};

const CANCELS = {
    done: 'The provider stopped it',
    asked: 'The provider was asked to stop',
    too_late: 'The provider was asked to stop, too late',
    deleted: 'It had just finished; the provider deleted the result',
    removed: 'The provider stopped it, or deleted what it had just finished',
};

const ROUTES = { fast: 'Fast', best: 'Best picture', image: 'From a picture' };

const AUDIO = { '': 'Either', true: 'With sound', false: 'Silent' };

const FIELD_NAMES = {
    aspectRatio: 'shape',
    seed: 'seed',
    audio: 'the wish for silence',
    negativePrompt: 'what not to show',
};

const PARKED = {
    auth: 'does not accept this service’s access',
    credit: 'is not paid for at the moment',
    quota: 'has given out its quota',
};

const DATA = { providerJobId: 'the provider’s id', by: 'known from' };
const BY = { callback: 'its callback', operator: 'the operator' };

const PROBLEMS = {
    unauthorized: 'This key is not valid, or it has been revoked.',
    forbidden: 'This key may not do that.',
    not_found: 'This video does not exist any more.',
    job_finished: 'It has already ended.',
    job_not_finished: 'It is still being made. Cancel it first.',
    job_moved: 'It changed at the same moment. Look again.',
    rate_limited: 'Too many requests. A moment, please.',
    not_ready: 'The service is not ready.',
    too_large: 'That is too large.',
    plan_limit: 'The plan of this account does not include that.',
    duplicate_request: 'Just this video was asked for a moment ago.',
    quote_used: 'This price has been used for another video. It is asked for anew; please press again.',
    quote_expired: 'This price was held for some minutes only. It is asked for anew; please press again.',
    quote_mismatch: 'The price was for other settings. It is asked for anew; please press again.',
    too_many_blocked: 'Too many requests were blocked by the content policy today. Wait before the next one.',
    paused_by_budget: 'New videos are paused by the operator’s budget.',
    idempotency_key_reused: 'This was already sent with other settings.',
};

const known = (value) => value !== null && value !== undefined;

const capital = (s) => s.charAt(0).toUpperCase() + s.slice(1);

const slugWords = (s) => capital(s).replaceAll('_', ' ');

export const TERMINAL = new Set(['succeeded', 'failed', 'expired']);

export const isRunning = (job) => !TERMINAL.has(job.status);

export function stateWords(job) {
    if (job.status === 'failed' && job.errorCode === 'canceled') return 'Canceled';
    if (job.outputState === 'deleted') return 'File deleted';
    return STATES[job.status] ?? slugWords(job.status);
}

function lineWords(before) {
    return before === 0 ? 'It is next in line.' : `${before} before it in line.`;
}

export function stageWords(job) {
    if (!isRunning(job))
        return job.status === 'succeeded' && job.cancelRequestedAt ? FINISHED_ANYWAY : '';
    const stage = WAITING_FOR[job.waitingFor] ?? STAGES[job.stage] ?? slugWords(job.stage ?? '');
    const asked = job.cancelRequestedAt
        ? 'Cancel requested; what the provider has begun it may still finish. '
        : '';
    const line = known(job.queuePosition) && !known(job.progress) ? ` ${lineWords(job.queuePosition)}` : '';
    const wait = waitWords(job.waitEstimate, 'Usually ready in');
    return asked + stage + line + (wait ? ` ${wait}.` : '');
}

/* The big figure in the gate, and what it counts; null when there is nothing true to count. */
export function figure(job) {
    if (!isRunning(job)) return null;
    if (known(job.progress)) return { number: job.progress, words: 'percent' };
    if (known(job.queuePosition)) return { number: job.queuePosition, words: 'before it in line' };
    return null;
}

export function reasonWords(job) {
    const [what, then] = REASONS[job.errorCode] ?? [
        job.errorMessage || slugWords(job.errorCode ?? 'unknown'),
        '',
    ];
    const { input: target, category } = job.error ?? {};
    const where = TARGETS[target] ? `, in ${TARGETS[target]}` : '';
    const about = category ? ` Found: ${slugWords(category).toLowerCase()}${where}.` : '';
    const paid = job.charged ? ` It cost ${priceWords(job.priceMicro, job.currency)} all the same.` : '';
    return `${what}${about}${paid} ${then}`.trim();
}

export const problemLink = (code) => `/problems/#${encodeURIComponent(code)}`;

/* What came after any other end than success: a video that nobody waits for any more. */
const isLateResult = (data, status) => data.verdict === 'late' && data.says === 'succeeded' && status !== 'succeeded';

const TOLD = {
    deleted: (data) => DELETIONS[data.by],
    callback: (data, status) => (isLateResult(data, status) ? EVENTS.late_result : CALLBACKS[data.verdict]),
    moderation: ({ verdict }) =>
        verdict === 'away' ? 'The content check does not answer; we go on trying' : EVENTS.moderation,
    cleared: ({ checker }) => (checker === 'review' ? 'Looked at and let through' : EVENTS.cleared),
    provider_note: (data) =>
        data.unknownStatus ? 'The provider uses a word that we do not know' : CANCELS[data.cancel],
};

export const eventWords = ({ type, data, status }) =>
    TOLD[type]?.(data ?? {}, status) ?? EVENTS[type] ?? slugWords(type);

/* What an event carries besides. The provider's own words stay away, but for one that nobody knows. */
const DETAILS = {
    created: ({ replaces }) => (replaces ? `instead of ${replaces}, which is not made any more` : ''),
    rerouted: ({ from, to, why }) => `from ${from} to ${to}: ${REROUTES[why] ?? slugReason(why)}`,
    provider_note: ({ unknownStatus }) => (unknownStatus ? `“${unknownStatus}”; we go on asking` : ''),
    callback: () => '',
    moderation: ({ target }) => TARGETS[target] ?? '',
    held_for_review: (data) => checkWords(data),
    failed: (data) => checkWords(data),
    progress: ({ progress }) => (Number.isInteger(progress) ? `${progress} %` : ''),
};

const TARGETS = {
    prompt: 'the prompt',
    negativePrompt: 'what not to show',
    image: 'the picture',
    output: 'the result',
};

const checkWords = ({ target, category }) =>
    [TARGETS[target], category && slugWords(category).toLowerCase()].filter(Boolean).join(': ');

/* While a job waits, more than a failed call counts as not to be had: a pause, too. */
const REROUTES = { provider_unavailable: 'the provider takes nothing at the moment' };

function slugReason(slug) {
    const words = REASONS[slug]?.[0] ?? slugWords(slug ?? 'unknown');
    return words.charAt(0).toLowerCase() + words.slice(1).replace(/\.$/, '');
}

export function eventData(event) {
    if (!event.data || typeof event.data !== 'object') return '';
    if (DETAILS[event.type]) return DETAILS[event.type](event.data);
    if (event.data.errorCode) return slugReason(event.data.errorCode);
    return Object.entries(event.data)
        .filter(([name, v]) => DATA[name] && v !== null)
        .map(([name, v]) => `${DATA[name]}: ${BY[v] ?? v}`)
        .join(', ');
}

/* What somebody who helps will ask for. */
export const supportWords = (id, first) =>
    first?.requestId ? `${id}, request ${first.requestId}` : id;

/* For a failure of an action on the page. */
export function errorWords(error) {
    if (error.code === undefined)
        return 'No connection to the server. Nothing was changed as far as we know.';
    const words =
        PROBLEMS[error.code] ?? (error.detail || error.title || 'The server could not do that.');
    return error.status >= 500 && error.requestId ? `${words} (Request ${error.requestId})` : words;
}

export function connectionWords(failure, asOf, clockWords) {
    const since = `since ${clockWords(failure.since)}`;
    const seen = asOf ? ` What you see is from ${clockWords(asOf)}.` : '';
    if (failure.error.code === undefined) return `No connection to the server ${since}.${seen}`;
    if (failure.error.code === 'rate_limited')
        return `The server asks this page to slow down.${seen}`;
    return `The server cannot answer ${since} (${failure.error.code}).${seen}`;
}

export function promptCountWords(left) {
    if (left < 0) return `${-left} characters too many`;
    return `${left} characters left`;
}

/* errors[].path is a JSON pointer: "/duration". */
export const fieldOfPath = (path) => String(path).split('/').filter(Boolean)[0] ?? '';

/* The server's words lack a full stop, and a subject or begin with a model's name, which stays as it
 * is: "must be from 5 to 10", "veo-3.1 makes no sound", "veo-3.1: makes no sound". */
export function fieldWords(error) {
    const words = String(error.detail).replace(/\.$/, '');
    return /^\S*-\S* /.test(words) ? words.replace(/^(\S+):/, '$1') : capital(words);
}

export function priceWords(micro, currency) {
    const amount = micro / 1e6;
    try {
        return new Intl.NumberFormat('en', {
            style: 'currency',
            currency,
            maximumFractionDigits: 4,
        }).format(amount);
    } catch {
        return `${amount} ${currency}`;
    }
}

/* "usually 20 to 40 seconds", "usually 1 to 3 minutes"; '' where nothing is known. */
export function waitWords(estimate, lead = 'usually') {
    if (!estimate) return '';
    const { fromSeconds: from, toSeconds: to } = estimate;
    const [unit, size] = to <= 90 ? ['second', 1] : to <= 5400 ? ['minute', 60] : ['hour', 3600];
    const a = Math.floor(from / size),
        b = Math.max(1, Math.ceil(to / size));
    const units = `${b} ${unit}${b === 1 ? '' : 's'}`;
    if (a >= b) return `${lead} about ${units}`;
    return a === 0 ? `${lead} up to ${units}` : `${lead} ${a} to ${units}`;
}

export function ignoredWords(fields) {
    if (!fields?.length) return '';
    return `left out: ${fields.map((f) => FIELD_NAMES[f] ?? f).join(', ')}`;
}

/* "kling-2.5-turbo at kling, chosen by “Fast”; left out: seed" */
export function makerWords(job) {
    const by = job.route ? `, chosen by “${routeWords(job.route)}”` : '';
    const ignored = ignoredWords(job.ignored);
    return `${job.model} at ${job.provider}${by}${ignored ? `; ${ignored}` : ''}`;
}

export const routeWords = (name) => ROUTES[name] ?? slugWords(name);

export const audioWords = (value) => AUDIO[value];

/* Under the choice of what makes it. */
export function offerWords(offer) {
    if (offer.isRoute) {
        const n = offer.models.length;
        return n > 1 ? `The first of ${n} models that is free and fits.` : offer.models[0].name;
    }
    const [model] = offer.models;
    const parts = [{ always: 'always with sound', none: 'silent', choice: 'sound if you like' }[offer.audio]];
    if (model.retiresOn) parts.push(`until ${model.retiresOn}`);
    return `${capital(parts.filter(Boolean).join(', '))}.`;
}

export function imageWords(offer) {
    const need = offer.image === 'required' ? 'It is needed here. ' : '';
    return `${need}${offer.imageDecidesRatio ? 'The picture decides the shape.' : ''}`.trim();
}

function standingWords({ name, state, reason, until }) {
    const at = until ? ` until ${new Date(until).toLocaleTimeString('en-GB', { timeStyle: 'short' })}` : '';
    if (state === 'paused') return `${name} is paused`;
    if (state === 'parked') return `${name} ${PARKED[reason] ?? 'takes no new videos'}${at}`;
    if (state === 'braked') return `${name} is paused by the operator’s budget${at}`;
    if (state === 'failing') return `${name} keeps failing and rests${at}`;
    return '';
}

/* What stands in the way of new videos of this choice; '' when nothing does. */
export function weatherWords(offer, standingOf) {
    const providers = [...new Set(offer.models.map((m) => m.provider))];
    const words = providers.map((p) => standingOf(p)).map((s) => (s ? standingWords(s) : ''));
    const bad = words.filter(Boolean);
    if (bad.length === 0) return '';
    const then = bad.length < providers.length ? 'Other models make it meanwhile.' : 'New videos wait.';
    return `${capital(bad.join('; '))}. ${then}`;
}

/* "16:9 · 480p · 6 s" */
export const formatWords = (job) => `${job.aspectRatio} · ${job.resolution} · ${job.duration} s`;

export const spokenRatio = { '16:9': 'wide', '9:16': 'tall', '1:1': 'square' };

export const promptOf = (job) => job.prompt || 'Prompt erased';

export function shortPrompt(job) {
    const chars = [...promptOf(job)];
    return chars.length > 60 ? `${chars.slice(0, 57).join('')}…` : chars.join('');
}
