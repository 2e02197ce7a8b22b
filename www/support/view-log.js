/* What was done by whom, newest first. */

import { el, setShown, setText } from '/app/dom.js';
import { texts } from '/app/texts.js';
import { desk } from './calls.js';
import { h, paint, table } from './paint.js';
import { goTo } from './route.js';
import { actionName, actorOf, codeLink, dataWords, errorWords, jobLink, known, named, theirs, time } from './words.js';

const t = texts.log;
const PAUSE_MS = 30000;
const PAGE = 50;

export const outcome = (code) => (code === 'done' ? named('outcome', code) : codeLink(code));

/* Of the log, and of one job. */
export const actionTable = (caption, rows, { withSubject }) =>
    table({
        caption, none: t.none, rows, keyOf: (row) => row.id,
        columns: [
            { name: t.at, cell: (row) => time(row.at) },
            { name: t.action, kind: 'head', cell: (row) => actionName(row.action) },
            { name: t.actor, cell: (row) => actorOf(row.actor) },
            ...(withSubject ? [{ name: t.subject, cell: (row) => (known(row.jobId) ? jobLink(row.jobId) : row.subject ?? row.accountId) }] : []),
            { name: t.reason, cell: (row) => theirs(row.reason) },
            { name: t.data, cell: (row) => dataWords(row.data) },
            { name: t.outcome, cell: (row) => outcome(row.outcome) },
        ],
    });

export class LogView {
    pauseMs = PAUSE_MS;
    title = t.title;
    #turn = 0;
    #filters = {};
    #rows = new Map();
    #cursor = null; /* of what is older than all that is shown */

    constructor({ looking }) {
        el('log-form').addEventListener('submit', (event) => {
            event.preventDefault();
            const wanted = { account: el('l-account').value.trim(), jobId: el('l-job').value.trim() };
            if (!goTo('actions', wanted)) looking.hurry();
        });
        el('log-clear').addEventListener('click', () => {
            for (const id of ['l-account', 'l-job']) el(id).value = '';
            goTo('actions');
            el('l-account').focus();
        });
        el('log-more').addEventListener('click', () => this.#older());
    }

    open({ query }) {
        this.#turn++;
        this.#filters = Object.fromEntries(query);
        el('l-account').value = this.#filters.account ?? '';
        el('l-job').value = this.#filters.jobId ?? '';
        this.#rows.clear();
        this.#cursor = null;
        setShown(el('log-more'), false);
        paint(el('log-rows'));
    }

    close() {
        this.#turn++;
    }

    /* The newest ones; what was shown before stays below. */
    async look() {
        const isFirst = this.#rows.size === 0;
        const answer = await this.#ask({});
        if (!answer) return;
        if (isFirst) this.#cursor = answer.nextCursor;
        this.#rows = new Map([...answer.data.map((row) => [row.id, row]), ...[...this.#rows].filter(([id]) => !answer.data.some((row) => row.id === id))]);
        this.#show();
    }

    async #older() {
        const was = this.#rows.size;
        const answer = await this.#ask({ cursor: this.#cursor }).catch(() => null);
        if (!answer) return;
        this.#cursor = answer.nextCursor;
        for (const row of answer.data) this.#rows.set(row.id, row);
        this.#show();
        if (el('log-more').hidden && this.#rows.size > was) el('log-title').focus();
    }

    /* null: the view is about something else by now. */
    async #ask(more) {
        const turn = this.#turn;
        try {
            const answer = await desk.actions({ ...this.#filters, limit: PAGE, ...more });
            if (turn !== this.#turn) return null;
            setText(el('log-error'), '');
            return answer;
        } catch (error) {
            if (turn === this.#turn) setText(el('log-error'), errorWords(error));
            throw error;
        }
    }

    #show() {
        paint(el('log-rows'), actionTable(t.caption, [...this.#rows.values()], { withSubject: true }));
        setShown(el('log-more'), this.#cursor !== null);
    }
}
