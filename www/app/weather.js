/* Which providers take jobs now, looked up while the page is seen; silent when it cannot be had. */

import { api } from './api.js';

const AGAIN_MS = 30000;

export class Weather {
    #tell;
    #timer = 0;
    #running = false;
    #states = new Map();

    constructor(tell) {
        this.#tell = tell;
    }

    start() {
        this.#running = true;
        this.#look();
    }

    stop() {
        this.#running = false;
        clearTimeout(this.#timer);
    }

    /* { name, state, reason, until } of a provider, or undefined. */
    of(provider) {
        return this.#states.get(provider);
    }

    async #look() {
        if (!document.hidden)
            try {
                const { providers } = await api.status();
                this.#states = new Map(providers.map((p) => [p.name, p]));
            } catch {
                this.#states = new Map();
            }
        if (!this.#running) return;
        this.#tell();
        this.#timer = setTimeout(() => this.#look(), AGAIN_MS);
    }
}
