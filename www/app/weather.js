/* Which providers take jobs now, and how long each model takes, looked up while the page is seen; silent when it cannot
 * be had. */

import { api } from './api.js';

const AGAIN_MS = 60000;

export class Weather {
    #tell;
    #timer = 0;
    #running = false;
    #states = new Map();
    #waits = new Map();

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

    /* { fromSeconds, toSeconds } from a provider's taking a job to its file, as quotes have it; or undefined. */
    waitOf(model) {
        return this.#waits.get(model);
    }

    async #look() {
        if (!document.hidden)
            try {
                const { providers, models } = await api.status();
                this.#states = new Map(providers.map((p) => [p.name, p]));
                this.#waits = new Map(models.filter((m) => m.finishP90Ms).map((m) => [m.name,
                    { fromSeconds: Math.floor(m.finishP50Ms / 1000), toSeconds: Math.ceil(m.finishP90Ms / 1000) }]));
            } catch {
                this.#states = new Map();
            }
        if (!this.#running) return;
        this.#tell();
        this.#timer = setTimeout(() => this.#look(), AGAIN_MS);
    }
}
