/* The dialog of links to one video that an owner gives away. */

import { api } from './api.js';
import { announce, el, make, setShown, setText } from './dom.js';
import { texts } from './texts.js';
import { momentWords } from './time.js';
import { errorWords, promptOf } from './words.js';

const t = texts.reel.share;

export class ShareDialog {
    #job = null;
    #stopped = new AbortController();

    constructor() {
        const on = (id, type, fn) => el(id).addEventListener(type, fn, { signal: this.#stopped.signal });
        on('share-form', 'submit', (event) => {
            event.preventDefault();
            this.#try(() => this.#make());
        });
        on('share-copy', 'click', () => this.#copy());
        on('share-close', 'click', () => el('share').close());
    }

    stop() {
        this.#stopped.abort();
        if (el('share').open) el('share').close();
        this.#clear();
    }

    open(job) {
        this.#job = job;
        this.#clear();
        setText(el('share-prompt'), promptOf(job));
        el('share').showModal();
        this.#try(() => this.#list());
    }

    #clear() {
        setShown(el('share-made'), false);
        setShown(el('share-links-title'), false);
        el('share-url').value = '';
        el('share-links').replaceChildren();
        setText(el('share-note'), '');
        setText(el('share-error'), '');
    }

    async #try(action) {
        setText(el('share-error'), '');
        try {
            await action();
        } catch (error) {
            setText(el('share-error'), errorWords(error));
        }
    }

    async #make() {
        const job = this.#job,
            made = await api.share(job.id, Number(el('share-life').value));
        if (job !== this.#job || !el('share').open) return;
        el('share-url').value = made.pageUrl;
        setShown(el('share-made'), true);
        const ends = Date.parse(job.expiresAt ?? '');
        setText(el('share-note'), `${t.made} ${ends < Date.parse(made.expiresAt) ? t.shorter(momentWords(ends)) : ''}`.trim());
        el('share-copy').focus();
        await this.#list();
    }

    /* Where a script may not copy, a person can: the words are marked for that. */
    async #copy() {
        try {
            await navigator.clipboard.writeText(el('share-url').value);
            setText(el('share-note'), t.copied);
        } catch {
            el('share-url').focus();
            el('share-url').select();
            setText(el('share-note'), t.copyByHand);
        }
    }

    async #list() {
        const job = this.#job,
            { data } = await api.shares(job.id);
        if (job !== this.#job) return;
        setShown(el('share-links-title'), data.length > 0);
        el('share-links').replaceChildren(...data.map((share) => this.#row(share)));
    }

    #row(share) {
        const made = momentWords(Date.parse(share.createdAt));
        const button = make('button', { type: 'button', className: 'quiet', textContent: t.revoke });
        button.setAttribute('aria-label', t.revokeLabel(made));
        button.addEventListener('click', () => this.#try(() => this.#revoke(share)));
        return make('li', {}, make('span', { textContent: t.link(made, momentWords(Date.parse(share.expiresAt))) }), button);
    }

    async #revoke(share) {
        await api.revokeShare(this.#job.id, share.id);
        setShown(el('share-made'), false);
        setText(el('share-note'), t.revoked);
        announce(t.revoked);
        await this.#list();
        (el('share-links').querySelector('button') ?? el('share-close')).focus();
    }
}
