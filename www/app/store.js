/* What the page knows of the jobs, and the one request that keeps it true. Tells by events:
 * 'jobs' (detail.moved: old and new of each job whose version changed; detail.gone; detail.mine: one that was made here),
 * 'connection' (failure or asOf changed). The list is what was looked for, newest first, as far as it was asked for. */

import { api } from './api.js';
import { pauseMs } from './pause.js';
import { serverNow } from './time.js';
import { isRunning } from './words.js';

const PAGES = [20, 40, 100]; /* the first ones are small: somebody waits for them */
const CHANGES = 100;
const LINK_MARGIN_MS = 60000;
const LINK_REFRESH_MIN_MS = 45000;
const FOLLOWS = 1.5;
const LINKS_AFTER_MS = 200;
const FRESH_MIN_MS = 10000;
const LINKS_OF_PAGES = 3; /* older ones, when they are out of sight, have none */

/* What can be shown alone: the server's word for it, and the same as a rule for what changes meanwhile. */
const SHOWS = {
    all: { has: () => true },
    running: { status: 'running', has: isRunning },
    ready: { status: 'succeeded', has: (job) => job.status === 'succeeded' },
    failed: { status: 'failed,expired', has: (job) => job.status === 'failed' || job.status === 'expired' },
};
export const isShow = (name) => Object.hasOwn(SHOWS, name);

const plain = (text) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
const hasWords = (job, q) => q.split(' ').every((word) => plain(job.prompt ?? '').includes(plain(word)));

const newestFirst = (a, b) =>
    a.createdAt === b.createdAt ? (a.id < b.id ? 1 : -1) : a.createdAt < b.createdAt ? 1 : -1;

export const hasFile = (job) => job.outputState === 'stored';

/* Tabs of one browser need not all ask: what one of them heard at rest holds for the others. Times only, nothing secret. */
const others = () => ('BroadcastChannel' in window ? new BroadcastChannel('filmgate-looks') : null);

export class Store extends EventTarget {
    jobs = new Map();
    loaded = false;
    nextCursor = null;
    searchedBackTo = null; /* how far back words have been looked for; null: as far as the list goes */
    asOf = 0; /* local time of the last whole answer */
    failure = null; /* { since, error } while the server cannot be asked */
    #show = 'all';
    #q = '';
    #order = []; /* ids of the list */
    #pages = []; /* { query, ids } as they were asked for */
    #first = {}; /* the first page, and what was looked for */
    #find = 0; /* counts what was looked for: an answer to an earlier one is none */
    #loading = null;
    #seen = new Set(); /* ids on the screen, or about to be */
    #changedSince = null;
    #erased = new Set();
    #quiet = 0;
    #failures = 0;
    #retryAfterMs = 0;
    #timer = 0;
    #looking = false;
    #again = false;
    #told = false; /* this look is because of what another tab said */
    #running = false;
    #linksAt = 0;
    #freshAt = 0;
    #linkTimer = 0;
    #others = null;

    start() {
        this.#running = true;
        this.#others = others();
        this.#others?.addEventListener('message', ({ data }) => this.#heard(data));
        this.look();
    }

    stop() {
        this.#running = false;
        this.#others?.close();
        clearTimeout(this.#timer);
        clearTimeout(this.#linkTimer);
    }

    get ids() {
        return this.#order;
    }

    sorted() {
        return this.#order.map((id) => this.jobs.get(id));
    }

    /* Another list, from the server. Before start() it is the one to begin with. */
    find({ show, q }) {
        this.#show = show;
        this.#q = q;
        this.#find += 1;
        this.#order = [];
        this.#pages = [];
        this.nextCursor = this.searchedBackTo = null;
        this.loaded = false;
        if (!this.#running) return;
        this.#tellJobs([], []);
        this.#head().catch((error) => {
            this.#bad(error);
            this.#plan();
        });
    }

    /* The first page of what is looked for, asked for once. */
    async #head() {
        const find = this.#find;
        if (this.#first.find !== find) this.#first = { find, page: this.#page(null) };
        try {
            return await this.#first.page;
        } catch (error) {
            if (this.#first.find === find) this.#first = {};
            throw error;
        }
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
        this.#looking = this.#told = false;
        if (this.#again) {
            this.#again = false;
            this.look();
        } else this.#plan();
    }

    /* Seen, hidden, back on line: the pause that was chosen no longer fits. */
    replan(now) {
        if (now) this.look();
        else if (!this.#looking) this.#plan();
    }

    /* The next page of the list, asked for once; nothing when there is none. */
    loadOlder() {
        if (!this.nextCursor) return null;
        this.#loading ??= this.#page(this.nextCursor).finally(() => {
            this.#loading = null;
        });
        return this.#loading;
    }

    /* What is on the screen: only these need links that work, and only these are looked after. */
    see(ids) {
        this.#seen = new Set(ids);
        if (this.#bare().length) this.#linkTimer ||= setTimeout(() => this.#link(), LINKS_AFTER_MS);
    }

    /* On the screen, with a file and no link to it: these lay far off. */
    #bare() {
        return [...this.#seen].map((id) => this.jobs.get(id)).filter((job) => job && hasFile(job) && !job.outputUrl);
    }

    async #link() {
        try {
            await this.#renew(this.#bare());
        } catch {
            /* without a network there is no poster; the next look at them tries again */
        }
        this.#linkTimer = 0;
    }

    /* One job whose links may be old. */
    async refresh(id) {
        const job = await api.read(id);
        this.#merge([job]);
        return job;
    }

    /* As the server has just said. Made here: it belongs into the list, whatever that shows. */
    put(job, mine = !this.jobs.has(job.id)) {
        this.#merge([job], { mine });
        this.#quiet = 0;
    }

    remove(id) {
        this.#forget(id);
        this.#tellJobs([], [id]);
    }

    #forget(id) {
        this.#erased.add(id);
        const at = this.#order.indexOf(id);
        if (at >= 0) this.#order.splice(at, 1);
        return this.jobs.delete(id);
    }

    async #ask() {
        if (!this.#changedSince) {
            /* Who looks at others still wants to know how those in the making get on. */
            const others = this.#show !== 'all' || this.#q;
            const running = others ? api.list({ status: 'running', limit: CHANGES }) : { data: [] };
            const [since, { data }] = await Promise.all([this.#head(), running]);
            this.#merge(data);
            if (since) this.#changedSince = since;
            else this.#again = true; /* something else was looked for meanwhile */
            this.#linksAt = Date.now();
            return;
        }
        if (!this.loaded) await this.#head();
        await this.#askChanges();
        await this.#keepLinks();
        await this.#keepFresh();
    }

    async #askChanges() {
        const since = this.#changedSince;
        let cursor = null,
            news = false;
        do {
            const query = { changedSince: since, limit: CHANGES };
            if (cursor) query.cursor = cursor;
            const page = await api.list(query);
            news = this.#merge(page.data) || news;
            cursor = page.nextCursor;
            if (!cursor && page.changedSince) this.#changedSince = page.changedSince;
        } while (cursor && this.#running);
        this.#quiet = news ? 0 : this.#quiet + 1;
        if (!this.#told) this.#others?.postMessage({ since, until: this.#changedSince, news });
    }

    /* Another tab has asked from the time that we know of, or from before, and there was nothing: so we need not. */
    #heard({ since, until, news }) {
        if (!this.#running || !this.#changedSince) return;
        if (news) {
            this.#told = !this.#looking;
            this.look();
        } else if (!this.#looking && !this.failure && since <= this.#changedSince) {
            if (until > this.#changedSince) this.#changedSince = until;
            this.#quiet += 1;
            this.asOf = Date.now();
            this.dispatchEvent(new Event('connection'));
            /* Whoever asked asks again, and before the others would; the dice end it when two ask in step. */
            this.#plan(FOLLOWS * (0.9 + Math.random() / 5));
        }
    }

    /* Appends a page of the list; what to ask for changes with. */
    async #page(cursor) {
        const find = this.#find;
        const query = { limit: PAGES[Math.min(this.#pages.length, PAGES.length - 1)] };
        if (SHOWS[this.#show].status) query.status = SHOWS[this.#show].status;
        if (this.#q) query.q = this.#q;
        if (cursor) query.cursor = cursor;
        const page = await api.list(query);
        if (find !== this.#find) return null;
        const data = page.data.filter((job) => !this.#erased.has(job.id));
        this.nextCursor = page.nextCursor;
        this.searchedBackTo = page.searchedBackTo ?? null;
        this.#pages.push({ query, ids: data.map((job) => job.id) });
        this.loaded = true;
        this.#merge(data, { listed: true });
        this.#lighten(this.#pages.at(-1 - LINKS_OF_PAGES));
        return page.changedSince;
    }

    #lighten(page) {
        for (const id of page?.ids ?? []) {
            const job = this.jobs.get(id);
            if (job?.outputUrl && !this.#seen.has(id))
                this.jobs.set(id, { ...job, outputUrl: null, posterUrl: null, outputExpiresAt: null });
        }
    }

    /* A finished job never changes, so changes do not bring the new links that a page left open
     * needs. */
    async #keepLinks() {
        if (Date.now() - this.#linksAt < LINK_REFRESH_MIN_MS) return;
        const end = serverNow() + LINK_MARGIN_MS;
        const old = [...this.#seen].map((id) => this.jobs.get(id))
            .filter((job) => job && hasFile(job) && !(Date.parse(job.outputExpiresAt) >= end));
        if (old.length) await this.#renew(old);
    }

    /* By the pages that had them; one alone, and what came by itself, is read alone. */
    async #renew(jobs) {
        this.#linksAt = Date.now();
        const left = new Set(jobs.map((job) => job.id));
        for (const page of this.#pages) {
            if (page.ids.filter((id) => left.has(id)).length < 2) continue;
            const { data } = await api.list(page.query);
            this.#merge(data);
            for (const { id } of data) left.delete(id);
        }
        for (const id of left) await this.refresh(id);
    }

    /* When we look next, and how long it may take, change without a new version. */
    async #keepFresh() {
        const now = serverNow();
        const old = [...this.#seen].map((id) => this.jobs.get(id))
            .some((job) => job && isRunning(job) && Date.parse(job.nextCheckAt ?? '') < now);
        if (!old || document.hidden || Date.now() - this.#freshAt < FRESH_MIN_MS) return;
        this.#freshAt = Date.now();
        this.#merge((await api.list({ status: 'running', limit: CHANGES })).data);
    }

    /* True when there was something new. listed: these are the next of the list. A change alone does not open a gap in it:
     * what is older than its end comes with its page. What no longer fits stays until the next list. */
    #merge(list, { listed = false, mine = false } = {}) {
        const moved = [],
            gone = [];
        const inList = new Set(this.#order);
        for (const job of list) {
            const old = this.jobs.get(job.id);
            if (job.deletedAt) {
                if (this.#forget(job.id)) gone.push(job.id);
                this.#erased.add(job.id);
                continue;
            }
            if (this.#erased.has(job.id) || (old && old.version > job.version)) continue;
            if (!old || old.version !== job.version) moved.push({ old, job });
            this.jobs.set(job.id, job);
            if (!inList.has(job.id) && (listed || mine || this.#belongs(job))) this.#insert(job);
        }
        this.#tellJobs(moved, gone, mine ? list[0].id : null);
        return moved.length + gone.length > 0;
    }

    #belongs(job) {
        if (!this.loaded || !SHOWS[this.#show].has(job) || (this.#q && !hasWords(job, this.#q))) return false;
        const end = this.nextCursor && this.jobs.get(this.#order.at(-1));
        return !this.nextCursor || Boolean(end && newestFirst(job, end) < 0);
    }

    #insert(job) {
        let at = this.#order.length;
        while (at > 0 && newestFirst(job, this.jobs.get(this.#order[at - 1])) < 0) at -= 1;
        this.#order.splice(at, 0, job.id);
    }

    #tellJobs(moved, gone, mine = null) {
        this.dispatchEvent(new CustomEvent('jobs', { detail: { moved, gone, mine } }));
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
        if (error.status === 400) {
            this.#changedSince = null;
            this.#first = {};
        }
        this.failure = { since: this.failure?.since ?? Date.now(), error };
        this.dispatchEvent(new Event('connection'));
    }

    #plan(factor = 1) {
        clearTimeout(this.#timer);
        if (this.#running) this.#timer = setTimeout(() => this.look(), this.#pause() * factor);
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
