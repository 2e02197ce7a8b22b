/* One wish to create one video. It keeps its Idempotency-Key until the server has acknowledged
 * it, over lost answers, restarts and reloads, so that it is never made, and paid for, twice. */

import { api } from './api.js';
import { keepDraft } from './draft.js';

const SLOT = 'filmgate.intent';
/* The server remembers a key for 24 hours at least; after that the same key could make a second
 * video. */
const LIFE_MS = 23 * 3600 * 1000;
const FIRST_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 20000;

function newKey() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return `page-${Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('')}`;
}

/* Without storage (private windows of some browsers) an intent lives as long as the page. */
function save(intent) {
    try {
        if (intent) sessionStorage.setItem(SLOT, JSON.stringify(intent));
        else sessionStorage.removeItem(SLOT);
    } catch {
        return;
    }
}

function load() {
    try {
        return JSON.parse(sessionStorage.getItem(SLOT));
    } catch {
        return null;
    }
}

export class Intents {
    #owner;
    #current = null;
    #timer = 0;
    #tries = 0;
    #sending = false;
    #tell;

    /* tell(what, detail): 'sending', 'waiting' (an error, will be sent again), 'done' (a job),
     * 'refused' (a problem), 'dropped'. owner: an intent of somebody else is not sent. */
    constructor(owner, tell) {
        this.#owner = owner;
        this.#tell = tell;
    }

    get current() {
        return this.#current;
    }

    /* Takes up what a reload interrupted. Returns its body, or null. */
    resume() {
        const kept = load();
        if (!kept || kept.owner !== this.#owner || Date.now() - kept.at > LIFE_MS) {
            save(null);
            return null;
        }
        this.#current = kept;
        this.#send();
        return JSON.parse(kept.body);
    }

    start(body) {
        if (this.#current) return;
        this.#current = {
            key: newKey(),
            body: JSON.stringify(body),
            owner: this.#owner,
            at: Date.now(),
        };
        this.#tries = 0;
        save(this.#current);
        this.#send();
    }

    /* At once, instead of after the pause: the network is back. */
    hurry() {
        if (this.#current && !this.#sending) this.#send();
    }

    drop() {
        this.#end();
        this.#tell('dropped');
    }

    /* Leaves the page's memory only: after signing in again the same owner goes on. */
    rest() {
        clearTimeout(this.#timer);
        this.#current = null;
    }

    #end() {
        clearTimeout(this.#timer);
        this.#current = null;
        save(null);
    }

    async #send() {
        clearTimeout(this.#timer);
        const intent = this.#current;
        this.#sending = true;
        this.#tell('sending', this.#tries);
        try {
            const job = await api.create(intent.key, intent.body);
            if (this.#current === intent) {
                this.#end();
                this.#tell('done', job);
            }
        } catch (error) {
            if (this.#current === intent) this.#failed(error);
        } finally {
            this.#sending = false;
        }
    }

    #failed(error) {
        const answered = error.status !== undefined;
        if (error.status === 401) return;
        if (answered && !error.passing) {
            this.#end();
            this.#tell('refused', error);
            return;
        }
        const pause = Math.min(FIRST_PAUSE_MS * 2 ** this.#tries, MAX_PAUSE_MS);
        this.#tries += 1;
        this.#timer = setTimeout(() => this.#send(), Math.max(pause, error.retryAfterMs ?? 0));
        this.#tell('waiting', error);
    }
}

/* Who signs out here leaves nothing, no draft either. */
export function forgetIntents() {
    save(null);
    keepDraft('', null);
}
