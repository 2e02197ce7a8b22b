/* The file of one job: what happened in plain words, what can be done, and then everything that is known. */

import { announce, el, make, setShown, setText } from '/app/dom.js';
import { texts } from '/app/texts.js';
import { jobAsk, reviewAsk } from './actions.js';
import { desk, exportHref } from './calls.js';
import { fileParts, head } from './file-parts.js';
import { h, paint } from './paint.js';
import { goTo } from './route.js';
import { timelineRows, KINDS } from './timeline.js';
import { actionName, errorWords, jobHref, searchHref } from './words.js';

const t = texts.file;
const MOVING_MS = 5000;
const ENDED_MS = 30000;
const ENDED = new Set(['succeeded', 'failed', 'expired']);

export class FileView {
    title = t.title;
    #env;
    #id = '';
    #file = null;
    #turn = 0;
    #retried = ''; /* the new job that was made here */
    #isTwice = false; /* the last adjustment had a reference that there was */
    #hidden = new Set(); /* kinds of the timeline that are not shown */

    constructor(env) {
        this.#env = env;
        el('kinds').append(...KINDS.map((kind) =>
            make('label', {}, make('input', { type: 'checkbox', value: kind, checked: true }), make('span', { textContent: t.kinds[kind] }))));
        el('kinds').addEventListener('change', () => this.#choose());
        el('file').addEventListener('click', (event) => {
            const button = event.target.closest('[data-do]');
            if (button) this.#do(button.dataset);
        });
    }

    /* Looked at more often while it moves. */
    get pauseMs() {
        if (!this.#file) return null;
        return ENDED.has(this.#file.job.status) ? ENDED_MS : MOVING_MS;
    }

    /* Whether that is another job than before. */
    open({ id, query }) {
        this.#hidden = new Set((query.get('without') ?? '').split(',').filter((kind) => KINDS.includes(kind)));
        for (const box of el('kinds').querySelectorAll('input')) box.checked = !this.#hidden.has(box.value);
        this.title = `${t.title} ${id}`;
        this.#env.titled(this.title);
        if (id === this.#id) {
            if (this.#file) this.#show();
            return undefined;
        }
        this.#id = id;
        this.#clear();
        return true;
    }

    close() {
        this.#turn++;
        this.#id = '';
        this.#clear();
    }

    async look() {
        const turn = ++this.#turn;
        const id = this.#id;
        try {
            const file = await desk.file(id);
            if (turn !== this.#turn) return;
            this.#file = file;
            setText(el('file-error'), '');
            this.#show();
        } catch (error) {
            if (turn !== this.#turn) return;
            setText(el('file-loading'), '');
            if (error.status === 404) this.#notFound(id);
            else if (error.code !== undefined || !this.#file) setText(el('file-error'), errorWords(error));
            throw error;
        }
    }

    #clear() {
        this.#file = null;
        this.#retried = '';
        this.#isTwice = false;
        setText(el('file-title'), this.#id ? `${t.title} ${this.#id}` : t.title);
        setText(el('file-loading'), t.loading);
        setText(el('file-error'), '');
        for (const id of ['file-tools', 'file-top', 'timeline', 'file-parts']) el(id).replaceChildren();
        setShown(el('file-timeline'), false);
    }

    #notFound(id) {
        this.#clear();
        setText(el('file-loading'), '');
        setText(el('file-error'), t.notFound(id));
        paint(el('file-top'), h('p', null, h('a', { href: searchHref({ q: id }) }, t.searchFor)));
    }

    #show() {
        const file = this.#file;
        setText(el('file-loading'), '');
        paint(el('file-tools'),
            h('a', { className: 'button', href: exportHref(this.#id), download: `${this.#id}.json` }, t.export),
            h('button', { type: 'button', className: 'quiet', data: { do: 'copy' } }, t.copyLink));
        paint(el('file-top'), this.#retriedWords(), this.#twiceWords(), head(file, this.#buttons(file)));
        setShown(el('file-timeline'), true);
        paint(el('timeline'), timelineRows(file.timeline, this.#hidden, file.account.currency));
        paint(el('file-parts'), fileParts(file));
    }

    #buttons({ can }) {
        if (can.length === 0) return h('p', 'hint', t.noActions);
        return h('div', 'actions', can.map((action) =>
            h('button', { type: 'button', className: 'quiet', data: { key: action, do: 'act', action } }, `${actionName(action)}…`)));
    }

    async #do({ do: what, action, delivery }) {
        if (what === 'copy') await this.#copy();
        else if (what === 'redeliver') await this.#act('redeliver', { deliveryId: delivery });
        else if (what === 'act') await this.#act(action);
    }

    async #act(action, more) {
        const { account } = this.#file;
        const result = action === 'review' ? await this.#decide() : await this.#env.act(jobAsk(action, this.#id, account, more));
        this.#retried = result?.retried ?? this.#retried;
        this.#isTwice = result?.action?.data?.entered === false;
        if (result) this.#show();
    }

    async #decide() {
        try {
            return await this.#env.act(await reviewAsk(this.#id));
        } catch (error) {
            setText(el('file-error'), errorWords(error));
            return null;
        }
    }

    #retriedWords() {
        if (!this.#retried) return null;
        return h('p', { className: 'notice', data: { key: 'retried' } },
            texts.act.retried(this.#retried), ' ', h('a', { href: jobHref(this.#retried) }, texts.act.openRetried));
    }

    #twiceWords() {
        return this.#isTwice ? h('p', { className: 'notice', role: 'status', data: { key: 'twice' } }, texts.act.twice) : null;
    }

    async #copy() {
        try {
            await navigator.clipboard.writeText(location.href);
            announce(texts.desk.copied);
        } catch {
            announce(texts.desk.notCopied);
        }
    }

    /* In the address, too: what one looks at can be sent to a colleague. */
    #choose() {
        this.#hidden = new Set([...el('kinds').querySelectorAll('input:not(:checked)')].map((box) => box.value));
        goTo(`jobs/${encodeURIComponent(this.#id)}`, { without: [...this.#hidden].join(',') }, { replace: true });
        if (this.#file) this.#show();
    }
}
