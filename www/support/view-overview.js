/* How everything stands, and what needs somebody. */

import { el } from '/app/dom.js';
import { texts } from '/app/texts.js';
import { providerAsk, jobAsk, reviewAsk } from './actions.js';
import { desk } from './calls.js';
import { facts, h, paint, table } from './paint.js';
import { dayPlot } from './plot.js';
import {
    ageWords, bytesWords, countWords, jobLink, known, momentOf, named, percentWords, searchHref, span, time,
} from './words.js';

const t = texts.overview;
const d = texts.desk;
const PAUSE_MS = 10000;
const WELL = new Set(['ok', 'not_set_up']);
const SOON_FULL_MS = 30 * 86400000;

const ago = (iso) => (iso ? h('time', { dateTime: iso, title: iso }, d.ago(ageWords(iso))) : '');

const heading = (id, words, n) =>
    h('h2', { id: `${id}-title`, tabIndex: -1 }, words, known(n) && n > 0 ? h('span', 'badge', ` ${countWords(n)}`) : null);

const part = (id, words, n, ...inner) =>
    h('section', { className: `part ${id}`, 'aria-labelledby': `${id}-title`, data: { key: id } }, heading(id, words, n), inner);

const doButton = (words, label, data) => h('button', { type: 'button', className: 'quiet small', 'aria-label': label, data }, words);

export class OverviewView {
    pauseMs = PAUSE_MS;
    title = t.title;
    #env;
    #turn = 0;

    constructor(env) {
        this.#env = env;
        el('overview-parts').addEventListener('click', (event) => {
            const button = event.target.closest('[data-do]');
            if (button) this.#do(button.dataset);
        });
    }

    open() {}

    close() {
        this.#turn++;
    }

    async look() {
        const turn = ++this.#turn;
        const now = await desk.overview();
        const reviews = now.reviews.open > 0 ? (await desk.reviews()).data : [];
        if (turn !== this.#turn) return;
        paint(el('overview-parts'),
            needs(now),
            h('div', { className: 'parts', data: { key: 'parts' } },
                stuck(now.stuck), unknownSubmits(now.unknownSubmits), reviewList(now.reviews, reviews),
                states(now.states), ages(now.ages)),
            providers(now.providers),
            house(now));
    }

    async #do({ do: what, id, provider, part: name }) {
        const { act } = this.#env;
        if (what === 'goto') {
            el(`${name}-title`)?.focus();
            el(`${name}-title`)?.scrollIntoView();
        } else if (what === 'resolve') await act(jobAsk('resolve', id));
        else if (what === 'review') await this.#decide(id);
        else await act(providerAsk(what, provider));
    }

    async #decide(id) {
        try {
            await this.#env.act(await reviewAsk(id));
        } catch {
            await this.#env.looking.hurry(); /* decided by somebody else, or no answer: that is told there */
        }
    }
}

/* ---- what needs somebody ---- */

function* needed(now) {
    if (now.stuck.length > 0) yield ['stuck', t.needStuck(now.stuck.length)];
    if (now.unknownSubmits.length > 0) yield ['unknown', t.needUnknown(now.unknownSubmits.length)];
    if (now.reviews.open > 0) yield ['reviews', t.needReviews(now.reviews.open)];
    for (const p of now.providers)
        if (!WELL.has(p.state)) yield [`provider-${p.name}`, t.needProvider(p.name, named('standing', p.state))];
    if (isBroken(now.ledgerAudit)) yield ['ledger', t.needLedger];
    if (now.sweepers.length === 0) yield ['sweepers', t.needNoSweeper];
    for (const s of now.sweepers) if (!s.alive) yield ['sweepers', t.needSweeper(s.name)];
    if (now.webhooks.failing > 0) yield ['webhooks', t.needWebhooks(now.webhooks.failing)];
    const full = fullAt(now.storage);
    if (full && Date.parse(full) - Date.parse(now.at) < SOON_FULL_MS) yield ['storage', t.needDisk(momentOf(full))];
}

function needs(now) {
    const list = [...needed(now)];
    const item = ([name, words]) =>
        h('li', { data: { key: `${name} ${words}` } },
            h('button', { type: 'button', className: 'link', data: { do: 'goto', part: name } }, words));
    return h('section', { className: 'part needs', 'aria-labelledby': 'needs-title', data: { key: 'needs' } },
        heading('needs', t.needs),
        list.length > 0 ? h('ul', 'need-list', list.map(item)) : h('p', 'calm', t.needsNothing));
}

/* ---- jobs ---- */

const small = (words) => h('small', null, words);

const jobAndMaker = (row) => [jobLink(row.id), small([row.model, row.provider].filter(Boolean).join(' · '))];

const stuck = (rows) =>
    part('stuck', t.stuck, rows.length, table({
        caption: t.stuck, none: t.stuckNone, rows, keyOf: (row) => row.id,
        columns: [
            { name: t.job, kind: 'head', cell: jobAndMaker },
            { name: t.why, cell: (row) => named('stuck', row.why) },
            { name: t.since, cell: (row) => ago(row.since) },
            { name: t.state, cell: (row) => named('stage', row.stage) },
            { name: t.account, cell: (row) => h('a', { href: searchHref({ account: row.accountId }) }, row.accountName ?? row.accountId) },
        ],
    }));

const unknownSubmits = (rows) =>
    part('unknown', t.unknown, rows.length, rows.length > 0 ? h('p', 'hint', t.unknownHint) : null, table({
        caption: t.unknown, none: t.unknownNone, rows, keyOf: (row) => row.id,
        columns: [
            { name: t.job, kind: 'head', cell: jobAndMaker },
            { name: t.since, cell: (row) => ago(row.since) },
            { name: t.giveUp, cell: (row) => time(row.giveUpAt) },
            { name: t.act, cell: (row) => doButton(t.resolve, t.resolveLabel(row.id), { do: 'resolve', id: row.id }) },
        ],
    }));

const reviewList = (all, rows) =>
    part('reviews', t.reviews, all.open, table({
        caption: t.reviews, none: t.reviewsNone, rows, keyOf: (row) => row.jobId,
        columns: [
            {
                name: t.job, kind: 'head',
                cell: (row) => [jobLink(row.jobId), small(t.foundWords(row.category ?? d.unknown, named('target', row.target), row.checker))],
            },
            { name: t.since, cell: (row) => ago(row.heldAt) },
            { name: t.until, cell: (row) => time(row.until) },
            { name: t.act, cell: (row) => doButton(t.decide, t.decideLabel(row.jobId), { do: 'review', id: row.jobId }) },
        ],
    }));

const states = (rows) =>
    part('states', t.jobs, null, table({
        caption: t.jobs, none: d.none, rows, keyOf: (row) => `${row.status} ${row.stage}`,
        columns: [
            { name: t.state, kind: 'head', cell: (row) => named('status', row.status) },
            { name: t.stage, cell: (row) => (known(row.stage) ? named('stage', row.stage) : '') },
            { name: t.number, kind: 'num', cell: (row) => h('a', { href: searchHref(placeOf(row)) }, countWords(row.n)) },
            { name: t.oldest, cell: (row) => ago(row.oldestAt) },
        ],
    }));

const placeOf = ({ status, stage }) => (known(stage) && stage !== 'done' ? { status, stage } : { status });

const AGES = ['underMinute', 'underHour', 'underDay', 'older'];

const ages = (rows) =>
    part('ages', t.ages, null, table({
        caption: t.ages, none: d.none, rows, keyOf: (row) => row.status,
        columns: [
            { name: t.state, kind: 'head', cell: (row) => named('status', row.status) },
            ...AGES.map((age) => ({ name: t[age], kind: 'num', cell: (row) => countWords(row[age]) })),
        ],
    }));

/* ---- providers ---- */

const providers = (list) =>
    h('section', { className: 'part ruled', 'aria-labelledby': 'providers-title', data: { key: 'providers' } },
        heading('providers', t.providers),
        h('ul', 'providers', list.filter((p) => !isQuiet(p)).map((p) => h('li', { data: { key: p.name } }, provider(p)))),
        h('ul', 'providers quiet-ones', list.filter(isQuiet).map((p) => h('li', { data: { key: p.name } }, quiet(p)))));

/* Of which there is nothing to tell: one line. */
const isQuiet = (p) =>
    WELL.has(p.state) && p.breaker === 'closed' && p.history.length === 0 && p.weather.length === 0 && p.running + p.waiting === 0;

const headOf = (p) => {
    const words = named('standing', p.state);
    return [
        h('h3', { id: `provider-${p.name}-title`, tabIndex: -1 }, p.name),
        h('p', 'standing', h('span', { className: 'lamp', 'aria-hidden': 'true' }), known(p.since) ? t.standing(words, momentOf(p.since)) : words),
    ];
};

const quiet = (p) =>
    h('article', { className: 'provider quiet-one', 'aria-labelledby': `provider-${p.name}-title`, data: { state: p.state } },
        headOf(p), h('div', 'actions', actsOf(p)));

const actsOf = (p) => [
    p.paused
        ? doButton(t.resume, t.resumeLabel(p.name), { key: 'resume', do: 'resume', provider: p.name })
        : doButton(t.pause, t.pauseLabel(p.name), { key: 'pause', do: 'pause', provider: p.name }),
    p.breaker === 'closed'
        ? null
        : doButton(t.closeBreaker, t.closeLabel(p.name), { key: 'close', do: 'close_breaker', provider: p.name }),
];

function provider(p) {
    return h('article', { className: 'provider', 'aria-labelledby': `provider-${p.name}-title`, data: { state: p.state } },
        h('div', 'provider-head', headOf(p)),
        dayPlot(p.name, p.history),
        facts([
            [t.why, known(p.why) ? named('standingWhy', p.why) : null],
            [t.until, time(p.until)],
            [t.breaker, named('breaker', p.breaker)],
            [t.running, countWords(p.running)],
            [t.waiting, countWords(p.waiting)],
        ]),
        p.weather.length > 0 ? weather(p) : null,
        h('div', 'actions', actsOf(p)));
}

const both = (p50, p90) => (known(p50) ? `${span(p50)} / ${span(p90)}` : '');

const weather = (p) =>
    table({
        caption: t.weather(p.name), none: '', rows: p.weather, keyOf: (row) => row.model, seen: true,
        columns: [
            { name: t.model, kind: 'head', cell: (row) => row.model },
            { name: t.finished, kind: 'num', cell: (row) => countWords(row.n) },
            { name: t.good, kind: 'num', cell: (row) => percentWords(row.good, row.n) },
            { name: t.start, kind: 'num', cell: (row) => both(row.startP50Ms, row.startP90Ms) },
            { name: t.finish, kind: 'num', cell: (row) => both(row.finishP50Ms, row.finishP90Ms) },
        ],
    });

/* ---- the house ---- */

const isBroken = (audit) => Boolean(audit?.broken);

const ledgerWords = (audit) =>
    !audit?.checkedAt ? t.ledgerNever
    : isBroken(audit) ? t.ledgerBroken(Number(audit.broken), momentOf(audit.checkedAt))
    : t.ledgerGood(momentOf(audit.checkedAt));

function fullAt({ forecast }) {
    return forecast?.fullAt ?? null;
}

function storageWords(s) {
    return known(s.perDay) ? t.storageWords(bytesWords(s.bytes), bytesWords(s.perDay)) : t.storageNow(bytesWords(s.bytes));
}

function storage(s) {
    const free = s.forecast?.freeBytes;
    return [
        h('p', null, storageWords(s)),
        known(free) ? h('p', null, t.free(bytesWords(free)), ' ', fullAt(s) ? t.full(momentOf(fullAt(s))) : t.notFull) : null,
    ];
}

const sweepers = (rows) =>
    table({
        caption: t.sweepers, none: t.sweepersNone, rows, keyOf: (row) => row.name,
        columns: [
            { name: t.sweeper, kind: 'head', cell: (row) => row.name },
            { name: t.seen, cell: (row) => ago(row.at) },
            { name: t.alive, cell: (row) => (row.alive ? d.yes : h('strong', 'bad', d.no)) },
        ],
    });

const house = (now) =>
    h('div', { className: 'parts', data: { key: 'house' } },
        part('ledger', t.ledger, null, h('p', isBroken(now.ledgerAudit) ? 'bad' : null, ledgerWords(now.ledgerAudit))),
        part('sweepers', t.sweepers, null, sweepers(now.sweepers)),
        part('webhooks', t.webhooks, null,
            h('p', null, t.webhooksWords(now.webhooks.pending, now.webhooks.failing)),
            now.webhooks.oldestAt ? h('p', null, t.webhooksOldest(momentOf(now.webhooks.oldestAt))) : null),
        part('storage', t.storage, null, storage(now.storage)));
