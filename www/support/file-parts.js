/* The parts of a job's file, each drawn from what the server says. */

import { texts } from '/app/texts.js';
import { here } from './actions.js';
import { facts, h, table } from './paint.js';
import { actionTable } from './view-log.js';
import {
    answerWords, bytesWords, codeLink, countWords, dataWords, known, lamp, moneyWords, momentOf, named, searchHref, span, theirs, time,
} from './words.js';

const t = texts.file;
const d = texts.desk;

const part = (id, words, ...inner) =>
    h('section', { className: 'part', 'aria-labelledby': `${id}-title`, data: { key: id } },
        h('h2', { id: `${id}-title`, tabIndex: -1 }, words), inner);

/* ---- above the timeline ---- */

export function head(file, buttons) {
    const { job } = file;
    return [
        h('p', { className: 'file-state', data: { key: 'state' } }, lamp(job), known(job.errorCode) ? codeLink(job.errorCode) : null),
        h('div', { className: 'file-top', data: { key: 'top' } },
            part('summary', t.summary, summary(file.summary)),
            part('facts', t.facts, factsOf(file))),
        part('actions', t.actions, buttons),
        part('prompt', t.prompt, prompt(job)),
    ];
}

const summary = (lines) =>
    lines.length === 0
        ? h('p', 'hint', t.summaryNone)
        : h('ol', { className: 'summary', lang: 'en' }, lines.map(({ at, text }) => h('li', null, time(at), theirs(text))));

const links = (...list) => h('span', 'links', list);

function factsOf({ job, account, attempts }) {
    const last = attempts.at(-1);
    return facts([
        [t.account, links(account.name, ' ', h('a', { href: searchHref({ account: account.id }) }, t.all)),
            h('small', 'id', account.id)],
        [t.user, known(job.userId) ? links(job.userId, ' ', h('a', { href: searchHref({ account: account.id, userId: job.userId }) }, t.searchUser)) : null],
        [t.plan, account.plan],
        [t.balance, moneyWords(account.balanceMicro, account.currency)],
        [t.provider, [job.model, job.provider].filter(known).join(' · ')],
        [t.providerJobId, known(last?.providerJobId) ? h('code', null, last.providerJobId) : null],
        [t.format, [job.aspectRatio, job.resolution, known(job.duration) ? `${job.duration} s` : null].filter(known).join(' · ')],
        [t.price, known(job.priceMicro) ? `${moneyWords(job.priceMicro, job.currency)}, ${job.charged ? t.charged : t.notCharged}` : null],
        [t.created, time(job.createdAt)],
        [t.finished, time(job.finishedAt)],
        [t.deadline, time(job.deadlineAt)],
        [t.request, known(job.requestId) ? h('code', null, job.requestId) : null],
        [t.error, known(job.errorMessage) ? job.errorMessage : null],
    ]);
}

const prompt = (job) => [
    job.prompt ? h('blockquote', 'prompt-words', theirs(job.prompt)) : h('p', 'hint', t.erased),
    job.negativePrompt ? h('p', null, t.negative, ': ', theirs(job.negativePrompt)) : null,
];

/* ---- below it ---- */

const below = (id, words, rows, shape, ...inner) =>
    h('section', { className: `part ${rows.length > 0 ? shape : 'bare'}`, 'aria-labelledby': `${id}-title`, data: { key: id } },
        h('h2', { id: `${id}-title`, tabIndex: -1 }, words), inner);

export const fileParts = (file) => [
    below('attempts', t.attempts, file.attempts, 'wide', attempts(file)),
    below('wire', t.wire, file.wire, 'wide', wire(file.wire)),
    below('files', t.files, file.files, 'wide', files(file)),
    below('callbacks', t.callbacks, file.callbacks, '', callbacks(file.callbacks)),
    below('deliveries', t.deliveries, file.deliveries, '', deliveries(file)),
    below('ledger', t.ledger, file.ledger, '', ledger(file)),
    below('moderation', t.moderation, file.review ? [file.review] : file.moderation, '', moderation(file.moderation), review(file.review)),
    below('holds', t.holds, file.holds, '', holds(file.holds)),
    below('due', t.due, file.due, '', due(file.due)),
    below('log', t.log, file.actions, 'wide', actionTable(t.log, file.actions, { withSubject: false })),
];

const lines = (...list) => list.filter((line) => known(line) && line !== '' && line !== false).map((line) => h('div', null, line));

const attempts = ({ attempts: rows, account }) =>
    table({
        caption: t.attempts, none: t.none, rows, keyOf: (row) => row.n,
        columns: [
            { name: t.attempt, kind: 'head', cell: (row) => String(row.n) },
            { name: t.provider, cell: (row) => lines(row.model, row.provider, known(row.remoteModel) && h('code', null, row.remoteModel)) },
            { name: t.state, cell: (row) => lines(row.state, row.outcome) },
            {
                name: t.ids,
                cell: (row) => lines(
                    known(row.providerJobId) && h('code', null, row.providerJobId), known(row.clientRef) && h('code', null, row.clientRef),
                    known(row.seed) && t.seed(row.seed)),
            },
            {
                name: t.times,
                cell: (row) => lines(
                    known(row.createdAt) && t.sent(momentOf(row.createdAt)), known(row.answeredAt) && t.answered(momentOf(row.answeredAt)),
                    known(row.startedAt) && t.started(momentOf(row.startedAt)), known(row.endedAt) && t.ended(momentOf(row.endedAt)),
                    known(row.cancelAt) && t.cancelAsked(momentOf(row.cancelAt))),
            },
            {
                name: t.cost, kind: 'num',
                cell: (row) => lines(
                    moneyWords(row.costMicro, row.currency ?? account.currency),
                    known(row.expectedMicro) && t.costExpected(moneyWords(row.expectedMicro, row.currency ?? account.currency))),
            },
            {
                name: t.detail,
                cell: (row) => lines(
                    known(row.detail) && theirs(dataWords(row.detail)), known(row.unknownWord) && theirs(t.unknownWord(row.unknownWord))),
            },
        ],
    });

const excerpt = (words, label) =>
    words
        ? h('pre', { className: 'excerpt', tabIndex: 0, role: 'group', 'aria-label': label, dir: 'auto' }, words)
        : h('p', 'hint', t.wireEmpty);

const wire = (rows) => [
    rows.length > 0 ? h('p', 'hint', t.wireHint) : null,
    rows.length === 0
        ? h('p', 'hint', t.none)
        : h('ol', 'wire', rows.map((row) =>
            h('li', { data: { key: `${row.at} ${row.attempt} ${row.what} ${row.url}` } },
                h('p', 'wire-head', time(row.at), ' ', h('span', 'kind', named('wire', row.what)), ' ',
                    h('code', null, `${row.method} ${row.url}`)),
                h('p', 'more', answerWords(row)),
                excerpt(row.excerpt, t.wireOf(row))))),
];

const callbacks = (rows) =>
    table({
        caption: t.callbacks, none: t.none, rows, keyOf: (row) => row.id,
        columns: [
            { name: t.at, kind: 'head', cell: (row) => time(row.at) },
            { name: t.verdict, cell: (row) => named('verdict', row.verdict) },
            { name: t.signed, cell: (row) => (row.signed ? d.yes : d.no) },
            { name: t.attempt, cell: (row) => (known(row.attempt) ? String(row.attempt) : '') },
            { name: t.bytes, kind: 'num', cell: (row) => (known(row.bytes) ? countWords(row.bytes) : '') },
            { name: t.excerpt, cell: (row) => (row.excerpt ? theirs(row.excerpt, 'code') : '') },
            { name: t.request, cell: (row) => (known(row.requestId) ? h('code', null, row.requestId) : '') },
        ],
    });

const ledger = ({ ledger: rows, account }) =>
    table({
        caption: t.ledger, none: t.none, rows, keyOf: (row) => row.id,
        columns: [
            { name: t.at, kind: 'head', cell: (row) => time(row.at) },
            { name: t.ledgerKind, cell: (row) => named('ledger', row.kind) },
            { name: t.amount, kind: 'num', cell: (row) => moneyWords(row.amountMicro, row.currency ?? account.currency) },
            { name: t.reference, cell: (row) => row.reference ?? '' },
            { name: t.note, cell: (row) => (known(row.note) ? theirs(row.note) : '') },
        ],
    });

const moderation = (rows) =>
    table({
        caption: t.moderation, none: t.none, rows, keyOf: (row, i) => `${row.at} ${i}`,
        columns: [
            { name: t.at, kind: 'head', cell: (row) => time(row.at) },
            { name: t.target, cell: (row) => named('target', row.target) },
            { name: t.checker, cell: (row) => lines(row.checker, row.cached && t.cached) },
            { name: t.verdict, cell: (row) => named('verdict', row.verdict) },
            { name: t.found, cell: (row) => row.category ?? '' },
            { name: t.rule, cell: (row) => (known(row.rule) ? theirs(row.rule) : '') },
            { name: t.scores, cell: (row) => dataWords(row.scores) },
        ],
    });

const review = (r) =>
    !r ? null
    : h('div', { className: 'notice', data: { key: 'review' } },
        h('p', null, h('strong', null, t.review), ': ',
            known(r.decidedAt) ? t.reviewDecided(r.decidedBy, momentOf(r.decidedAt)) : t.reviewOpen(momentOf(r.until))),
        known(r.note) ? theirs(r.note, 'p') : null);

/* The signed link is another one each time: the player keeps the one it began with. */
const player = ({ outputUrl, posterUrl, id }) =>
    outputUrl
        ? h('video', {
            controls: true, preload: 'metadata', src: here(outputUrl), 'aria-label': t.player, className: 'player',
            ...(posterUrl ? { poster: here(posterUrl) } : {}), data: { still: id },
        })
        : null;

const files = ({ files: rows, job }) => [
    player(job),
    table({
        caption: t.files, none: t.none, rows, keyOf: (row, i) => `${row.kind} ${row.name ?? i}`,
        columns: [
            { name: t.fileKind, kind: 'head', cell: (row) => named('file', row.kind) },
            { name: t.store, cell: (row) => lines(row.store, known(row.name) && h('code', null, row.name)) },
            {
                name: t.size,
                cell: (row) => lines(
                    known(row.bytes) && bytesWords(row.bytes), known(row.width) && `${row.width} × ${row.height}`, span(row.durationMs)),
            },
            { name: t.stored, cell: (row) => time(row.storedAt) },
            { name: t.deleted, cell: (row) => time(row.deletedAt) },
            { name: t.digest, cell: (row) => (known(row.digest) ? h('code', 'digest', row.digest) : '') },
        ],
    }),
];

const deliveries = ({ deliveries: rows, can }) =>
    table({
        caption: t.deliveries, none: t.none, rows, keyOf: (row) => row.id,
        columns: [
            { name: t.delivery, kind: 'head', cell: (row) => lines(row.type, h('small', 'id', row.id)) },
            { name: t.to, cell: (row) => h('code', null, row.url) },
            { name: t.state, cell: (row) => row.state },
            { name: t.tries, kind: 'num', cell: (row) => countWords(row.tries) },
            {
                name: t.answer,
                cell: (row) => lines(known(row.lastStatus) && `HTTP ${row.lastStatus}`, known(row.lastExcerpt) && theirs(row.lastExcerpt)),
            },
            { name: t.next, cell: (row) => time(row.deliveredAt ? null : row.nextAt) },
            {
                name: texts.overview.act,
                cell: (row) => can.includes('redeliver')
                    ? h('button', { type: 'button', className: 'quiet small', 'aria-label': t.againLabel(row.id), data: { do: 'redeliver', delivery: row.id } }, t.again)
                    : '',
            },
        ],
    });

const holds = (rows) =>
    table({
        caption: t.holds, none: t.none, rows, keyOf: (row) => row.id,
        columns: [
            { name: t.scope, kind: 'head', cell: (row) => named('scope', row.scope) },
            { name: t.reason, cell: (row) => theirs(row.reason) },
            { name: t.by, cell: (row) => row.by },
            { name: t.since, cell: (row) => time(row.since) },
            { name: t.until, cell: (row) => time(row.endedAt) },
        ],
    });

const due = (rows) =>
    table({
        caption: t.due, none: t.none, rows, keyOf: (row, i) => `${row.kind} ${i}`,
        columns: [
            { name: t.dueKind, kind: 'head', cell: (row) => row.kind },
            { name: t.dueAt, cell: (row) => time(row.dueAt) },
            { name: t.claimed, cell: (row) => (row.claimed ? d.yes : d.no) },
            { name: t.tries, kind: 'num', cell: (row) => countWords(row.tries) },
        ],
    });
