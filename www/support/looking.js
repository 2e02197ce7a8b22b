/* When the view on the screen is looked at again: while it is seen, more slowly while nobody touches anything, not at all while
 * hidden. */

const REST_AFTER_MS = 180000;
const REST_MS = 60000;
const FAILED_FIRST_MS = 2000;
const FAILED_MAX_MS = 60000;
const TOUCHES = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart', 'focus'];

/* pause: the view's own, null: it does not change by itself. */
export function pauseMs({ pause, resting, failures, retryAfterMs }) {
    if (failures > 0) return Math.max(Math.min(FAILED_FIRST_MS * 2 ** (failures - 1), FAILED_MAX_MS), retryAfterMs);
    if (pause === null) return null;
    return resting ? Math.max(pause, REST_MS) : pause;
}

export class Looking {
    #view = null;
    #timer = 0;
    #turn = 0;
    #touchedAt = Date.now();
    #lookedAt = 0;
    #failures = 0;
    #retryAfterMs = 0;
    #tell;

    /* tell(error or null) after every look. */
    constructor(tell) {
        this.#tell = tell;
        for (const kind of TOUCHES) window.addEventListener(kind, () => this.#touched(), { passive: true, capture: true });
        document.addEventListener('visibilitychange', () => this.#plan());
        window.addEventListener('online', () => this.hurry());
        window.addEventListener('pageshow', (event) => event.persisted && this.hurry());
    }

    get resting() {
        return Date.now() - this.#touchedAt > REST_AFTER_MS;
    }

    start(view) {
        this.stop();
        this.#view = view;
        return this.hurry();
    }

    stop() {
        this.#turn++;
        this.#view = null;
        this.#failures = 0;
        clearTimeout(this.#timer);
    }

    /* Looks now; resolves when that is done. */
    async hurry() {
        if (!this.#view) return;
        const turn = ++this.#turn;
        clearTimeout(this.#timer);
        let failure = null;
        try {
            await this.#view.look();
        } catch (error) {
            failure = error;
        }
        if (turn !== this.#turn) return;
        this.#lookedAt = Date.now();
        this.#failures = failure ? this.#failures + 1 : 0;
        this.#retryAfterMs = failure?.retryAfterMs ?? 0;
        this.#tell(failure);
        if (turn === this.#turn) this.#plan();
    }

    #touched() {
        const rested = this.resting;
        this.#touchedAt = Date.now();
        if (rested) this.#plan();
    }

    #plan() {
        clearTimeout(this.#timer);
        if (!this.#view || document.hidden) return;
        const pause = pauseMs({
            pause: this.#view.pauseMs, resting: this.resting, failures: this.#failures, retryAfterMs: this.#retryAfterMs,
        });
        if (pause === null) return;
        this.#timer = setTimeout(() => this.hurry(), Math.max(0, this.#lookedAt + pause - Date.now()));
    }
}
