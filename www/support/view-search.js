/* One box and filters; what is looked for stands in the address. The server bounds each look: it says how far back it came. */

import { api } from '/app/api.js';
import { el, make, setShown, setText } from '/app/dom.js';
import { texts } from '/app/texts.js';
import { desk } from './calls.js';
import { paint, table, h } from './paint.js';
import { goTo } from './route.js';
import { codeLink, errorWords, jobLink, known, lamp, moneyWords, momentOf, theirs, time, searchHref } from './words.js';

const t = texts.search;
const TIMES = new Set(['createdAfter', 'createdBefore']);
const PAGE = 50;
const ERROR_CODES = [
    'blocked_prompt', 'blocked_image', 'blocked_output', 'image_unreachable', 'moderation_unavailable', 'review_expired',
    'provider_refused', 'provider_failed', 'provider_auth', 'provider_credit', 'provider_unavailable', 'submit_unknown',
    'provider_forgot', 'output_unreachable', 'output_invalid', 'deadline_exceeded', 'canceled',
];

/* An address keeps UTC, which means the same to everybody; the field shows the person's own time. */
function localOf(iso) {
    const ms = Date.parse(iso);
    if (Number.isNaN(ms)) return '';
    return new Date(ms - new Date(ms).getTimezoneOffset() * 60000).toISOString().slice(0, 19);
}

const isoOf = (local) => (Number.isNaN(Date.parse(local)) ? '' : new Date(local).toISOString());

export class SearchView {
    pauseMs = null; /* what was found stays as it is, to be read */
    title = t.title;
    #env;
    #turn = 0;
    #filters = {};
    #rows = [];
    #cursor = null;
    #knowsNames = false;

    constructor(env) {
        this.#env = env;
        this.#fillChoices();
        el('search-form').addEventListener('submit', (event) => {
            event.preventDefault();
            if (!goTo('search', this.#read())) env.looking.hurry(); /* the same again */
        });
        el('search-clear').addEventListener('click', () => {
            this.#fill(new URLSearchParams());
            goTo('search');
            el('q').focus();
        });
        el('found-more').addEventListener('click', () => this.#more());
    }

    open({ query }) {
        this.#fill(query);
        this.#filters = Object.fromEntries(query);
        this.#rows = [];
        this.#cursor = null;
        this.#show(false);
        this.#learnNames();
    }

    close() {
        this.#turn++;
    }

    async look() {
        this.#rows = [];
        this.#cursor = null;
        await this.#ask();
    }

    async #ask() {
        const turn = ++this.#turn;
        setText(el('found-words'), t.searching);
        setText(el('found-error'), '');
        try {
            const answer = await desk.search({ ...this.#filters, limit: PAGE, cursor: this.#cursor });
            if (turn !== this.#turn) return;
            this.#rows.push(...answer.data);
            this.#cursor = answer.nextCursor;
            this.#show(true, answer.searchedBackTo);
        } catch (error) {
            if (turn !== this.#turn) return;
            setText(el('found-words'), '');
            setText(el('found-error'), errorWords(error));
            throw error;
        }
    }

    async #more() {
        const was = this.#rows.length;
        try {
            await this.#ask();
        } catch {
            return; /* told above the rows */
        }
        if (this.#rows.length > was) el('found').querySelectorAll('tbody tr')[was]?.querySelector('a')?.focus();
        else if (el('found-more').hidden) el('found-title').focus();
    }

    #show(isDone, backTo = null) {
        paint(el('found'), this.#rows.length > 0 ? results(this.#rows) : null);
        setShown(el('found-more'), this.#cursor !== null);
        setText(el('found-more'), backTo ? t.goOn : t.older);
        if (!isDone) return;
        const more = this.#cursor !== null;
        const n = this.#rows.length;
        const words = n > 0 ? t.found(n, more) : more ? t.nothingYet : t.nothing;
        setText(el('found-words'), backTo && more ? `${words} ${t.back(momentOf(backTo))}` : words);
    }

    #read() {
        const filters = {};
        for (const field of el('search-form').elements)
            if (field.name) filters[field.name] = TIMES.has(field.name) ? isoOf(field.value) : field.value.trim();
        return filters;
    }

    #fill(query) {
        for (const field of el('search-form').elements)
            if (field.name) {
                const value = query.get(field.name) ?? '';
                field.value = TIMES.has(field.name) ? localOf(value) : value;
            }
    }

    #fillChoices() {
        const options = (names) => [
            make('option', { value: '', textContent: t.any }),
            ...Object.entries(names).map(([value, textContent]) => make('option', { value, textContent })),
        ];
        el('f-status').replaceChildren(...options(texts.names.status));
        el('f-stage').replaceChildren(...options(texts.names.stage));
        offer('error-codes', ERROR_CODES);
    }

    /* Only a help: without an answer one types. */
    async #learnNames() {
        if (this.#knowsNames) return;
        this.#knowsNames = true;
        try {
            const { data } = await api.models();
            offer('models', data.map((m) => m.name));
            offer('providers', [...new Set(data.map((m) => m.provider))]);
        } catch {
            this.#knowsNames = false;
        }
    }
}

const offer = (id, values) => el(id).replaceChildren(...values.map((value) => make('option', { value })));

const whose = (row) => [
    h('a', { href: searchHref({ account: row.accountId }) }, row.accountName ?? row.accountId),
    known(row.userId) ? [' / ', h('a', { href: searchHref({ account: row.accountId, userId: row.userId }) }, row.userId)] : null,
];

/* What it costs, or would have: an end that is not charged says so. */
const price = (row) => [
    moneyWords(row.priceMicro, row.currency),
    known(row.finishedAt) && !row.charged ? h('small', null, texts.file.notCharged) : null,
];

const results = (rows) =>
    table({
        caption: t.results, none: t.nothing, rows, keyOf: (row) => row.id,
        columns: [
            { name: t.created, cell: (row) => time(row.createdAt) },
            {
                name: t.job, kind: 'head',
                cell: (row) => [
                    jobLink(row.id),
                    known(row.matched) && row.matched !== 'prompt' ? h('small', null, t.matched(t.matches[row.matched] ?? row.matched)) : null,
                ],
            },
            { name: t.state, cell: (row) => [lamp(row), known(row.errorCode) ? h('small', null, codeLink(row.errorCode)) : null] },
            { name: t.whose, cell: whose },
            { name: t.maker, cell: (row) => [row.model, known(row.provider) ? h('small', null, row.provider) : null] },
            { name: t.prompt, cell: (row) => (row.prompt ? theirs(row.prompt) : h('em', null, t.erased)) },
            { name: t.price, kind: 'num', cell: price },
        ],
    });
