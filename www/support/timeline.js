/* Everything that happened to a job, of every kind, in the order of time. */

import { texts } from '/app/texts.js';
import { h } from './paint.js';
import { actionName, answerWords, dataWords, known, moneyWords, named, theirs, time } from './words.js';

const t = texts.file;
export const KINDS = Object.keys(t.kinds);

/* What a row is keyed and told by already. */
const TOLD = new Set(['at', 'kind', 'type', 'seq', 'id', 'status', 'stage', 'requestId', 'data']);

const excerpt = (words) =>
    words
        ? h('details', null, h('summary', null, t.excerpt),
            h('pre', { className: 'excerpt', tabIndex: 0, role: 'group', dir: 'auto', 'aria-label': t.excerpt }, words))
        : null;

const join = (...parts) => parts.filter((p) => known(p) && p !== '').join(', ');

/* Of each kind: its words, and what else there is to say. */
const TELL = {
    event: (e) => [
        e.type === 'operator' && e.data?.action ? `${named('events', e.type)}: ${actionName(e.data.action)}` : named('events', e.type),
        e.type === 'operator' ? '' : dataWords(e.data),
    ],
    attempt: (e) => [
        join(`${e.n}: ${e.model ?? ''} · ${e.provider ?? ''}`, e.state),
        join(e.outcome, e.providerJobId, e.clientRef, e.detail),
    ],
    wire: (e) => [
        `${named('wire', e.what)}: ${e.method} ${e.url}`,
        answerWords(e),
        excerpt(e.excerpt),
    ],
    callback: (e) => [named('verdict', e.verdict), join(e.provider, e.signed ? t.signed : '', e.requestId), excerpt(e.excerpt)],
    moderation: (e) => [
        join(named('target', e.target), named('verdict', e.verdict)),
        join(e.checker, e.category, e.rule, e.cached ? t.cached : ''),
    ],
    ledger: (e, currency) => [
        `${named('ledger', e.entry ?? e.type ?? e.ledgerKind)} ${moneyWords(e.amountMicro, e.currency ?? currency)}`,
        join(e.reference, e.note),
    ],
    delivery: (e) => [join(e.type, e.state), join(e.url, known(e.lastStatus) ? `HTTP ${e.lastStatus}` : '', e.lastExcerpt)],
    action: (e) => [join(actionName(e.action), e.outcome), join(e.actor, dataWords(e.data)), known(e.reason) ? theirs(e.reason, 'p') : null],
};

/* Of a kind that is newer than this page. */
const other = (e) => [e.kind, dataWords(Object.fromEntries(Object.entries(e).filter(([name]) => !TOLD.has(name))))];

export function timelineRows(all, hidden, currency) {
    const seen = new Map(); /* two things of one kind may have happened in one moment */
    const rows = all.map((entry) => {
        const name = `${entry.kind} ${entry.at} ${entry.id ?? entry.seq ?? entry.n ?? ''}`;
        const n = seen.get(name) ?? 0;
        seen.set(name, n + 1);
        return { entry, key: `${name} ${n}` };
    });
    const shown = rows.filter(({ entry }) => !hidden.has(entry.kind));
    if (shown.length === 0) return h('p', 'hint', t.timelineNone);
    return h('ol', 'timeline', shown.map(({ entry, key }) => row(entry, key, currency)));
}

function row(entry, key, currency) {
    const [words, more, ...rest] = (TELL[entry.kind] ?? other)(entry, currency);
    return h('li', { data: { key, kind: entry.kind } },
        time(entry.at),
        h('span', 'kind', t.kind[entry.kind] ?? entry.kind),
        h('div', 'told', h('p', null, words), more ? h('p', { className: 'more', dir: 'auto' }, more) : null, rest));
}
