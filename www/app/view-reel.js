/* The reel: one card per job, newest first. Cards are changed in place, never rebuilt: a film
 * goes on playing and the focus stays where it is. */

import { api } from './api.js';
import { announce, el, setShown, setText } from './dom.js';
import { JobCard } from './view-job.js';
import {
    errorWords,
    isRunning,
    promptOf,
    reasonWords,
    shortPrompt,
    stageWords,
    stateWords,
} from './words.js';

const TICK_MS = 1000;

export class ReelView {
    #store;
    #cards = new Map();
    #acts;
    #stopped = new AbortController();
    #ticker = 0;

    constructor(store, { useAgain, changed }) {
        this.#store = store;
        this.#acts = {
            useAgain,
            cancel: (card) => this.#act(card, () => this.#cancel(card, changed)),
            erase: (card) => this.#act(card, () => this.#erase(card, changed)),
            refresh: (id) => store.refresh(id),
        };
        const signal = this.#stopped.signal;
        store.addEventListener('jobs', (event) => this.#changed(event.detail), { signal });
        el('older').addEventListener('click', () => this.#older(), { signal });
        this.#ticker = setInterval(() => this.#tick(), TICK_MS);
        setShown(el('blank'), true);
        setText(el('blank'), 'Looking for your videos…');
    }

    stop() {
        clearInterval(this.#ticker);
        this.#stopped.abort();
        this.#cards.clear();
        el('jobs').replaceChildren();
        setShown(el('tail'), false);
        if (el('ask').open) el('ask').close('no');
    }

    #changed({ moved, gone }) {
        for (const id of gone) this.#drop(id);
        let before = null;
        for (const job of this.#store.sorted().reverse()) {
            let card = this.#cards.get(job.id);
            if (!card) {
                card = new JobCard(job, this.#acts);
                this.#cards.set(job.id, card);
                el('jobs').insertBefore(card.node, before);
            } else {
                card.update(job);
            }
            before = card.node;
        }
        for (const { old, job } of moved) this.#tell(old, job);
        setShown(el('blank'), this.#cards.size === 0);
        setText(el('blank'), 'Nothing in the gate yet. Your first video will appear here.');
        setShown(el('tail'), Boolean(this.#store.nextCursor));
    }

    /* Only what a person waits for: state and stage, not every percent. */
    #tell(old, job) {
        if (!old || (old.status === job.status && old.stage === job.stage)) return;
        const news = isRunning(job) ? stageWords(job) : job.errorCode ? reasonWords(job) : '';
        announce(`${shortPrompt(job)}: ${stateWords(job)}. ${news}`);
    }

    #tick() {
        if (document.hidden) return;
        for (const card of this.#cards.values()) card.tick();
    }

    #drop(id) {
        const card = this.#cards.get(id);
        if (!card) return;
        const hadFocus = card.node.contains(document.activeElement);
        const next = card.node.nextElementSibling ?? card.node.previousElementSibling;
        this.#cards.delete(id);
        card.node.remove();
        if (hadFocus) (next?.querySelector('[data-part="prompt"]') ?? el('reel-title')).focus();
    }

    async #act(card, action) {
        if (card.isBusy) return;
        card.busy(true);
        card.error('');
        try {
            await action();
        } catch (error) {
            card.error(errorWords(error));
            if (error.status === 404) this.#store.remove(card.job.id);
            else if (error.status === 409) this.#store.look();
        } finally {
            card.busy(false);
        }
    }

    async #cancel(card, changed) {
        this.#store.put(await api.cancel(card.job.id));
        announce('Cancel requested.');
        changed();
    }

    async #erase(card, changed) {
        if (!(await confirmErase(card.job))) return;
        await api.erase(card.job.id);
        this.#store.remove(card.job.id);
        announce('Deleted.');
        changed();
    }

    async #older() {
        const button = el('older');
        const last = this.#store.sorted().at(-1);
        button.setAttribute('aria-disabled', 'true');
        try {
            await this.#store.loadOlder();
            setText(button, 'Show older videos');
            const next = last && this.#cards.get(last.id)?.node.nextElementSibling;
            next?.querySelector('[data-part="prompt"]').focus();
        } catch (error) {
            setText(button, `${errorWords(error)} Try again`);
        } finally {
            button.removeAttribute('aria-disabled');
        }
    }
}

/* True when "Delete" was chosen; Escape and "Keep it" are no. The dialog gives the focus back by
 * itself. */
function confirmErase(job) {
    const ask = el('ask');
    setText(el('ask-prompt'), promptOf(job));
    ask.returnValue = 'no';
    ask.showModal();
    return new Promise((resolve) => {
        ask.addEventListener('close', () => resolve(ask.returnValue === 'yes'), { once: true });
    });
}
