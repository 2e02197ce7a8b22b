/* What the video of the form would cost and how long it would take, asked for when the settings
 * rest for a moment; and the quote that holds that price, until it is used. Whatever goes wrong is
 * silent: the form works without. */

import { api } from './api.js';
import { serverNow } from './time.js';

const REST_MS = 350;
/* One that ends sooner may be over before it arrives. */
const LEAST_MS = 20000;

export class Quotes {
    #tell;
    #timer = 0;
    #asking = null;
    #asked = '';
    #quote = null;

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

    /* The one that was told, for a job of just these settings; null: there is none. */
    held(body) {
        return JSON.stringify(body) === this.#asked && this.#left() > LEAST_MS ? this.#quote : null;
    }

    /* It has been used, or is good for nothing any more. */
    again() {
        const text = this.#asked;
        if (!text) return;
        this.stop();
        this.#asked = text;
        this.#send(JSON.parse(text), text);
    }

    stop() {
        clearTimeout(this.#timer);
        this.#asking?.abort();
        this.#asked = '';
        this.#quote = null;
    }

    #left() {
        return this.#quote ? Date.parse(this.#quote.expiresAt) - serverNow() : 0;
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
        this.#quote = quote;
        if (quote) this.#timer = setTimeout(() => this.again(), Math.max(LEAST_MS, this.#left() - LEAST_MS));
        else this.#asked = '';
        this.#tell(body, quote, problem);
    }
}
