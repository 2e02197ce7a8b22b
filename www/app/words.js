/* What the page says about states, stages, events and errors: chosen from the texts of its language (text/CODE.js, words). */

import { language, locale, texts } from './texts.js';

const t = texts.words;

const known = (value) => value !== null && value !== undefined;

const capital = (s) => s.charAt(0).toUpperCase() + s.slice(1);

/* A word of the server's that has no text here. */
const slugWords = (s) => capital(s).replaceAll('_', ' ');

export const TERMINAL = new Set(['succeeded', 'failed', 'expired']);

export const isRunning = (job) => !TERMINAL.has(job.status);

export function stateWords(job) {
    if (job.status === 'failed' && job.errorCode === 'canceled') return t.states.canceled;
    if (job.outputState === 'deleted') return t.states.deleted;
    return t.states[job.status] ?? slugWords(job.status);
}

export function stageWords(job) {
    if (!isRunning(job)) return job.status === 'succeeded' && job.cancelRequestedAt ? t.finishedAnyway : '';
    const inLine = known(job.queuePosition) && !known(job.progress);
    const wait = spanOfWait(job.waitEstimate);
    return [
        job.cancelRequestedAt ? t.cancelAsked : '',
        t.waitingFor[job.waitingFor] ?? t.stages[job.stage] ?? slugWords(job.stage ?? ''),
        inLine ? (job.queuePosition === 0 ? t.nextInLine : t.before(job.queuePosition)) : '',
        wait && t.readyIn(wait),
    ].filter(Boolean).join(' ');
}

/* The big figure in the gate, and what it counts; null when there is nothing true to count. */
export function figure(job) {
    if (!isRunning(job)) return null;
    if (known(job.progress)) return { number: job.progress, words: t.percent };
    if (known(job.queuePosition)) return { number: job.queuePosition, words: t.beforeIt };
    return null;
}

export function reasonWords(job) {
    const [what, then] = t.reasons[job.errorCode] ?? [job.errorMessage || slugWords(job.errorCode ?? t.unknown), ''];
    const { input: target, category } = job.error ?? {};
    return [
        what,
        category && t.found(slugWords(category).toLowerCase(), t.targets[target]),
        job.charged && t.costAnyway(priceWords(job.priceMicro, job.currency)),
        then,
    ].filter(Boolean).join(' ');
}

export const problemLink = (code) => `/problems/#${encodeURIComponent(code)}`;

/* What came after any other end than success: a video that nobody waits for any more. */
const isLateResult = (data, status) => data.verdict === 'late' && data.says === 'succeeded' && status !== 'succeeded';

const TOLD = {
    deleted: (data) => t.deletions[data.by],
    callback: (data, status) => (isLateResult(data, status) ? t.events.late_result : t.callbacks[data.verdict]),
    moderation: ({ verdict }) => (verdict === 'away' ? t.checkAway : t.events.moderation),
    cleared: ({ checker }) => (checker === 'review' ? t.reviewed : t.events.cleared),
    provider_note: (data) => (data.unknownStatus ? t.strangeWord : t.cancels[data.cancel]),
};

export const eventWords = ({ type, data, status }) =>
    TOLD[type]?.(data ?? {}, status) ?? t.events[type] ?? slugWords(type);

/* What an event carries besides. The provider's own words stay away, but for one that nobody knows. */
const DETAILS = {
    created: ({ replaces, retryOf }) => (replaces ? t.insteadOf(replaces) : retryOf ? t.retryOf(retryOf) : ''),
    rerouted: ({ from, to, why }) => t.rerouted({ from, to, why: t.reroutes[why] ?? slugReason(why) }),
    provider_note: ({ unknownStatus }) => (unknownStatus ? t.askingOn(unknownStatus) : ''),
    callback: () => '',
    moderation: ({ target }) => t.targets[target] ?? '',
    held_for_review: (data) => checkWords(data),
    failed: (data) => checkWords(data),
    progress: ({ progress }) => (Number.isInteger(progress) ? `${progress} %` : ''),
};

const checkWords = ({ target, category }) =>
    [t.targets[target], category && slugWords(category).toLowerCase()].filter(Boolean).join(': ');

function slugReason(slug) {
    const words = t.reasons[slug]?.[0] ?? slugWords(slug ?? t.unknown);
    return words.charAt(0).toLowerCase() + words.slice(1).replace(/\.$/, '');
}

export function eventData(event) {
    if (!event.data || typeof event.data !== 'object') return '';
    if (DETAILS[event.type]) return DETAILS[event.type](event.data);
    if (event.data.errorCode) return slugReason(event.data.errorCode);
    return Object.entries(event.data)
        .filter(([name, v]) => t.data[name] && v !== null)
        .map(([name, v]) => `${t.data[name]}: ${t.by[v] ?? v}`)
        .join(', ');
}

/* What somebody who helps will ask for. */
export const supportWords = (id, first) => (first?.requestId ? t.support(id, first.requestId) : id);

/* For a failure of an action on the page. */
export function errorWords(error) {
    if (error.code === undefined) return t.noConnection;
    const words = t.problems[error.code] ?? (error.detail || error.title || t.cannot);
    return error.status >= 500 && error.requestId ? t.withRequest(words, error.requestId) : words;
}

export function connectionWords(failure, asOf, clockWords) {
    const since = clockWords(failure.since),
        { code } = failure.error;
    const what = code === undefined ? t.awaySince(since) : code === 'rate_limited' ? t.slowDown : t.cannotSince(since, code);
    return asOf ? `${what} ${t.seenFrom(clockWords(asOf))}` : what;
}

export const promptCountWords = (left) => (left < 0 ? t.charactersOver(-left) : t.charactersLeft(left));

/* errors[].path is a JSON pointer: "/duration". */
export const fieldOfPath = (path) => String(path).split('/').filter(Boolean)[0] ?? '';

/* The server's words lack a full stop, and a subject or begin with a model's name, which stays as it
 * is: "must be from 5 to 10", "veo-3.1 makes no sound", "veo-3.1: makes no sound". */
export function fieldWords(error) {
    const words = String(error.detail).replace(/\.$/, '');
    return /^\S*-\S* /.test(words) ? words.replace(/^(\S+):/, '$1') : capital(words);
}

/* In the language alone: a country of it would write other dollars than its own longer. */
export function priceWords(micro, currency) {
    const amount = micro / 1e6;
    try {
        return new Intl.NumberFormat(language, { style: 'currency', currency, maximumFractionDigits: 4 }).format(amount);
    } catch {
        return `${amount} ${currency}`;
    }
}

/* "20 to 40 seconds", "1 to 3 minutes"; '' where nothing is known. */
function spanOfWait(estimate) {
    if (!estimate) return '';
    const { fromSeconds: from, toSeconds: to } = estimate;
    const [unit, size] = to <= 90 ? ['second', 1] : to <= 5400 ? ['minute', 60] : ['hour', 3600];
    const a = Math.floor(from / size),
        b = Math.max(1, Math.ceil(to / size));
    const units = t.units[unit](b);
    if (a >= b) return t.about(units);
    return a === 0 ? t.upTo(units) : t.range(a, units);
}

/* "usually 20 to 40 seconds" */
export function waitWords(estimate) {
    const span = spanOfWait(estimate);
    return span && t.usually(span);
}

export const ignoredWords = (fields) => (fields?.length ? t.leftOut(fields.map((f) => t.fields[f] ?? f)) : '');

/* "kling-2.5-turbo at kling, chosen by “Fast”; left out: seed" */
export function makerWords(job) {
    const { model, provider } = job;
    const maker = t.maker({ model, provider, route: job.route ? routeWords(job.route) : '' });
    return [maker, ignoredWords(job.ignored)].filter(Boolean).join('; ');
}

export const routeWords = (name) => t.routes[name] ?? slugWords(name);

function standingWords({ name, state, reason, until }) {
    const words = state === 'parked' ? (t.parked[reason] ?? t.parked.other)(name) : t.standing[state]?.(name);
    if (!words || !until || state === 'paused') return words ?? '';
    return t.until(words, new Date(until).toLocaleTimeString(locale, { timeStyle: 'short' }));
}

/* What stands in the way of new videos of this choice; '' when nothing does. */
export function weatherWords(offer, standingOf) {
    const providers = [...new Set(offer.models.map((m) => m.provider))];
    const bad = providers.map((p) => standingOf(p)).map((s) => (s ? standingWords(s) : '')).filter(Boolean);
    if (bad.length === 0) return '';
    return `${capital(bad.join('; '))}. ${bad.length < providers.length ? t.othersMakeIt : t.newOnesWait}`;
}

/* "16:9 · 480p · 6 s" */
export const formatWords = (job) => `${job.aspectRatio} · ${job.resolution} · ${job.duration} s`;

export const spokenRatio = t.ratios;

export const promptOf = (job) => job.prompt || t.erased;

export function shortPrompt(job) {
    const chars = [...promptOf(job)];
    return chars.length > 60 ? `${chars.slice(0, 57).join('')}…` : chars.join('');
}
