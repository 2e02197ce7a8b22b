/* What the video of the form would cost and how long it would take, asked for when the settings
 * rest for a moment. Whatever goes wrong is silent: the form works without. */

import { api } from './api.js';

const REST_MS = 350;

export class Quotes {
    #tell;
    #timer = 0;
    #asking = null;
    #asked = '';

    /* tell(body, quote, problem): quote null: not known, or a problem says why not. */
    constructor(tell) {
        this.#tell = tell;
    }

    ask(body) {
        const text = JSON.stringify(body);
        if (text === this.#asked) return;
        this.stop();
        this.#asked = text;
        this.#timer = setTimeout(() => this.#send(body, text), REST_MS);
    }

    stop() {
        clearTimeout(this.#timer);
        this.#asking?.abort();
        this.#asked = '';
    }

    async #send(body, text) {
        const asking = new AbortController();
        this.#asking = asking;
        let quote = null,
            problem = null;
        try {
            quote = await api.quote(text, asking.signal);
        } catch (error) {
            problem = error;
        }
        if (asking.signal.aborted) return;
        if (!quote) this.#asked = '';
        this.#tell(body, quote, problem);
    }
}
