/* What the server says by names and numbers, in words; and the small pieces that every view shows. */

import { language, texts } from '/app/texts.js';
import { momentWords, serverNow, spanWords } from '/app/time.js';
import { h } from './paint.js';

const { names, desk: t, act } = texts;

export const known = (value) => value !== null && value !== undefined;

const slugWords = (slug) => String(slug).replaceAll('_', ' ');

/* names.status.pending; a word that is newer than this page is shown as it came. */
export function named(list, slug) {
    if (!known(slug)) return t.unknown;
    return Object.hasOwn(names[list], slug) ? names[list][slug] : slugWords(slug);
}

/* "Pending, waiting for a slot" */
export function placeWords({ status, stage }) {
    const state = named('status', status);
    return known(stage) && stage !== 'done' ? `${state}, ${named('stage', stage)}` : state;
}

export function moneyWords(micro, currency) {
    if (!known(micro)) return '';
    const amount = micro / 1e6;
    try {
        return new Intl.NumberFormat(language, { style: 'currency', currency, maximumFractionDigits: 6 }).format(amount);
    } catch {
        return `${amount} ${currency ?? ''}`.trim();
    }
}

/* "-1.5" → -1500000; null: not an amount. Digits, not floating point. */
export function microOf(text) {
    const m = /^\s*([+\-\u2212]?)(\d{1,9})(?:[.,](\d{1,6}))?\s*$/.exec(text);
    if (!m) return null;
    const micro = Number(m[2]) * 1e6 + Number((m[3] ?? '').padEnd(6, '0'));
    if (micro === 0) return null;
    return m[1] === '' || m[1] === '+' ? micro : -micro;
}

export function bytesWords(n) {
    if (!known(n)) return t.unknown;
    const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
    const at = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.abs(n) || 1) / 3)));
    return new Intl.NumberFormat(language, { style: 'unit', unit: units[at], maximumFractionDigits: 1 }).format(n / 1000 ** at);
}

export const countWords = (n) => new Intl.NumberFormat(language).format(n);

export function percentWords(part, whole) {
    return whole > 0 ? new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 }).format(part / whole) : '';
}

export const momentOf = (iso) => (iso ? momentWords(Date.parse(iso)) : t.unknown);

/* A moment; exact to the millisecond, and in UTC, for who points at it. */
export const time = (iso) => (iso ? h('time', { dateTime: iso, title: iso }, momentOf(iso)) : null);

export const ageWords = (iso) => (iso ? spanWords(serverNow() - Date.parse(iso)) : '');

export const span = (ms) => (known(ms) ? spanWords(ms) : '');

export const jobHref = (id) => `#/jobs/${encodeURIComponent(id)}`;

export const searchHref = (filters) => `#/search?${new URLSearchParams(filters)}`;

export const jobLink = (id) => h('a', { href: jobHref(id), className: 'id' }, id);

/* What a person wrote: in its own direction, and only ever as text. */
export const theirs = (words, tag = 'span') => h(tag, { dir: 'auto', className: 'theirs' }, words);

export const codeLink = (code) => h('a', { href: `/problems/#${encodeURIComponent(code)}` }, h('code', null, code));

export const lamp = (job) =>
    h('span', { className: 'state', data: { state: job.status } }, h('span', { className: 'lamp', 'aria-hidden': 'true' }), placeWords(job));

const decimals = (micro) => new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 6 }).format(micro / 1e6);

/* {"a":1,"b":["x","y"]} → "a: 1, b: x; y" */
export function dataWords(data) {
    if (!known(data)) return '';
    if (Array.isArray(data)) return data.map(dataWords).join('; ');
    if (typeof data !== 'object') return String(data);
    return Object.entries(data)
        .filter(([, v]) => known(v))
        .map(([name, v]) => (name.endsWith('Micro') && Number.isFinite(v) ? `${name.slice(0, -5)}: ${decimals(v)}` : `${name}: ${dataWords(v)}`))
        .join(', ');
}

export function errorWords(error) {
    if (error.code === undefined) return t.noAnswer;
    const fields = (error.errors ?? []).map((e) => `${e.path} ${e.detail}`).join('; ');
    const words = fields || error.detail || error.title || error.code;
    return error.status >= 500 && error.requestId ? t.request(words, error.requestId) : words;
}

/* "acct_…, key 7": the key first, by it one is known. */
export function actorOf(actor) {
    const [account, key] = String(actor ?? '').split(', ');
    return key ? [key, h('small', 'id', account)] : [account];
}

/* What a provider answered; a request that is still on its way has no answer. */
export function answerWords({ what, status, tookMs, n, lastAt }) {
    if (what === 'submit_request') return '';
    const words = known(status) ? texts.file.wireStatus(status, tookMs) : texts.file.wireNoAnswer(tookMs);
    return n > 1 ? `${words}, ${texts.file.wireTimes(n, momentOf(lastAt))}` : words;
}

export const actionName = (action) => (Object.hasOwn(act.names, action) ? act.names[action] : slugWords(action));
