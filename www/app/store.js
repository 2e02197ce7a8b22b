/* What the page knows of the jobs, and the one request that keeps it true. Tells by events:
 * 'jobs' (detail.moved: old and new of each job whose state or stage changed), 'connection'
 * (failure or asOf changed). */

import { api } from './api.js';
import { pauseMs } from './pause.js';
import { isRunning } from './words.js';

const PAGE = 20;
const CHANGES = 100;
const LINK_MARGIN_MS = 60000;
const LINK_REFRESH_MIN_MS = 45000;

const newestFirst = (a, b) =>
    a.createdAt === b.createdAt ? (a.id < b.id ? 1 : -1) : a.createdAt < b.createdAt ? 1 : -1;

export class Store extends EventTarget {
    jobs = new Map();
    loaded = false;
    nextCursor = null;
    asOf = 0; /* local time of the last whole answer */
    failure = null; /* { since, error } while the server cannot be asked */
    #changedSince = null;
    #erased = new Set();
    #quiet = 0;
    #failures = 0;
    #retryAfterMs = 0;
    #timer = 0;
    #looking = false;
    #again = false;
    #running = false;
    #linksAt = 0;

    start() {
        this.#running = true;
        this.look();
    }

    stop() {
        this.#running = false;
        clearTimeout(this.#timer);
    }

    sorted() {
        return [...this.jobs.values()].sort(newestFirst);
    }

    /* Now, or once more right after the look that is under way (it may have missed what the
     * caller knows of). */
    async look() {
        if (!this.#running) return;
        if (this.#looking) {
            this.#again = true;
            return;
        }
        clearTimeout(this.#timer);
        this.#looking = true;
        try {
            await this.#ask();
            this.#good();
        } catch (error) {
            this.#bad(error);
        }
        this.#looking = false;
        if (this.#again) {
            this.#again = false;
            this.look();
        } else if (this.#running) {
            this.#timer = setTimeout(() => this.look(), this.#pause());
        }
    }

    /* Seen, hidden, back on line: the pause that was chosen no longer fits. */
    replan(now) {
        if (now) this.look();
        else if (this.#running && !this.#looking) {
            clearTimeout(this.#timer);
            this.#timer = setTimeout(() => this.look(), this.#pause());
        }
    }

    async loadOlder() {
        const page = await api.list({ limit: PAGE, cursor: this.nextCursor });
        this.nextCursor = page.nextCursor;
        this.#merge(page.data, true);
    }

    /* One job whose links may be old. */
    async refresh(id) {
        const job = await api.read(id);
        this.put(job);
        return job;
    }

    put(job) {
        this.#merge([job], true);
        this.#quiet = 0;
    }

    remove(id) {
        this.#erased.add(id);
        if (this.jobs.delete(id)) this.#tellJobs([], [id]);
    }

    async #ask() {
        if (!this.#changedSince) {
            const page = await api.list({ limit: PAGE });
            this.nextCursor = page.nextCursor;
            this.#merge(page.data, true);
            this.#changedSince = page.changedSince;
            this.#linksAt = Date.now();
            return;
        }
        if (this.#linksAreOld()) await this.#renewLinks();
        await this.#askChanges();
    }

    async #askChanges() {
        let cursor = null;
        do {
            const query = { changedSince: this.#changedSince, limit: CHANGES };
            if (cursor) query.cursor = cursor;
            const page = await api.list(query);
            this.#merge(page.data, false);
            cursor = page.nextCursor;
            if (!cursor && page.changedSince) this.#changedSince = page.changedSince;
        } while (cursor && this.#running);
    }

    /* A finished job never changes, so changes do not bring the new links that a page left open
     * needs. */
    #linksAreOld() {
        if (Date.now() - this.#linksAt < LINK_REFRESH_MIN_MS) return false;
        const end = Date.now() + LINK_MARGIN_MS;
        for (const job of this.jobs.values()) {
            if (job.outputUrl && job.outputExpiresAt && Date.parse(job.outputExpiresAt) < end)
                return true;
        }
        return false;
    }

    async #renewLinks() {
        this.#linksAt = Date.now();
        const page = await api.list({ limit: Math.min(Math.max(this.jobs.size, PAGE), 100) });
        this.#merge(page.data, false);
    }

    /* wanted: also those older than the oldest one shown; a change alone does not open a gap in
     * the list. */
    #merge(list, wanted) {
        const moved = [],
            gone = [];
        let news = false;
        const floor = this.nextCursor && this.jobs.size ? this.sorted().at(-1) : null;
        for (const job of list) {
            const old = this.jobs.get(job.id);
            if (job.deletedAt) {
                this.#erased.add(job.id);
                if (this.jobs.delete(job.id)) gone.push(job.id);
                continue;
            }
            if (this.#erased.has(job.id) || (old && old.version > job.version)) continue;
            if (!old && !wanted && floor && newestFirst(job, floor) > 0) continue;
            if (!old || old.version !== job.version) {
                news = true;
                moved.push({ old, job });
            }
            this.jobs.set(job.id, job);
        }
        this.#quiet = news || gone.length ? 0 : this.#quiet + 1;
        this.loaded = true;
        this.#tellJobs(moved, gone);
    }

    #tellJobs(moved, gone) {
        this.dispatchEvent(new CustomEvent('jobs', { detail: { moved, gone } }));
    }

    #good() {
        this.asOf = Date.now();
        this.failure = null;
        this.#failures = 0;
        this.#retryAfterMs = 0;
        this.dispatchEvent(new Event('connection'));
    }

    #bad(error) {
        if (!this.#running) return;
        this.#failures += 1;
        this.#retryAfterMs = error.retryAfterMs ?? 0;
        /* A cursor or time that the server does not take (it was restored from a backup): begin
         * anew. */
        if (error.status === 400) this.#changedSince = null;
        this.failure = { since: this.failure?.since ?? Date.now(), error };
        this.dispatchEvent(new Event('connection'));
    }

    #pause() {
        const hints = [];
        for (const job of this.jobs.values()) {
            if (isRunning(job)) hints.push(job.pollAfterMs || 2000);
        }
        return pauseMs({
            hints,
            quiet: this.#quiet,
            hidden: document.hidden,
            failures: this.#failures,
            retryAfterMs: this.#retryAfterMs,
            dice: Math.random(),
        });
    }
}
