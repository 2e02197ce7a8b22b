/* The reel: one card per job, newest first. Cards are changed in place, never rebuilt: a film
 * goes on playing and the focus stays where it is. Of a long list only what is near the screen is in the document. */

import { api } from './api.js';
import { announce, el, setShown, setText } from './dom.js';
import { LongList } from './long-list.js';
import { refusalWords } from './money.js';
import { isShow } from './store.js';
import { texts } from './texts.js';
import { momentWords } from './time.js';
import { JobCard } from './view-job.js';
import { ShareDialog } from './view-share.js';
import { errorWords, isRunning, promptOf, reasonWords, shortPrompt, stageWords, stateWords } from './words.js';

const TICK_MS = 1000;
const TYPED_MS = 200;
const NEAR_PX = 1000;
const t = texts.reel;

export class ReelView {
    #store;
    #cards = new Map();
    #kept = new Map(); /* id: what a person has done to a card that left the document */
    #list;
    #share = new ShareDialog();
    #acts;
    #done;
    #stopped = new AbortController();
    #ticker = 0;
    #typing = 0;
    #loading = false;
    #told = ''; /* what the list was last said to be */
    #tailSight = new IntersectionObserver(() => this.#more(), { rootMargin: `${NEAR_PX}px` });

    /* done(job): told of one that has ended. */
    constructor(store, { useAgain, changed, done }) {
        this.#store = store;
        this.#done = done;
        this.#acts = {
            useAgain,
            retry: (card) => this.#act(card, () => this.#retry(card, changed)),
            share: (card) => this.#share.open(card.job),
            cancel: (card) => this.#act(card, () => this.#cancel(card, changed)),
            erase: (card) => this.#act(card, () => this.#erase(card, changed)),
            refresh: (id) => store.refresh(id),
        };
        this.#list = new LongList(el('jobs'), {
            make: (id) => this.#card(id).node,
            drop: (id) => this.#drop(id),
            pinned: (id) => this.#cards.get(id)?.isHeld,
            placed: (ids) => {
                store.see(ids);
                this.#more(); /* who scrolls to the end in the frame in which it moved away never left it */
            },
        });
        const on = (target, type, fn) => target.addEventListener(type, fn, { signal: this.#stopped.signal });
        on(store, 'jobs', (event) => this.#changed(event.detail));
        on(el('older'), 'click', () => this.#older());
        on(el('find'), 'submit', (event) => {
            event.preventDefault();
            this.#find();
        });
        on(el('find'), 'input', (event) => this.#typed(event));
        on(el('find-all'), 'click', () => {
            this.#setFind({ show: 'all', q: '' });
            this.#find();
            el('words').focus();
        });
        on(window, 'popstate', () => this.#fromAddress());
        this.#ticker = setInterval(() => this.#tick(), TICK_MS);
        this.#tailSight.observe(el('tail'));
        this.#fromAddress();
    }

    stop() {
        clearInterval(this.#ticker);
        clearTimeout(this.#typing);
        this.#stopped.abort();
        this.#tailSight.disconnect();
        this.#share.stop();
        this.#list.stop();
        this.#cards.clear();
        this.#setFind({ show: 'all', q: '' });
        this.#toAddress({ show: 'all', q: '' });
        setText(el('found'), '');
        setShown(el('blank'), false);
        setShown(el('tail'), false);
        if (el('ask').open) el('ask').close('no');
    }

    /* ---- what is looked for: in the form, and in the address, so that a reload keeps it ---- */

    #setFind({ show, q }) {
        el('find').elements.show.value = show;
        el('words').value = q;
    }

    #wanted() {
        const q = el('words').value.trim().split(/\s+/).filter(Boolean).slice(0, 8).join(' ');
        return { show: el('find').elements.show.value, q };
    }

    #fromAddress() {
        const query = new URLSearchParams(location.search);
        const show = query.get('show') ?? 'all';
        this.#setFind({ show: isShow(show) ? show : 'all', q: (query.get('q') ?? '').slice(0, 200) });
        this.#look();
    }

    #toAddress({ show, q }) {
        const address = new URL(location.href);
        for (const [name, value] of [['show', show === 'all' ? '' : show], ['q', q]])
            if (value) address.searchParams.set(name, value);
            else address.searchParams.delete(name);
        if (address.href !== location.href) history.replaceState(history.state, '', address);
    }

    #typed(event) {
        clearTimeout(this.#typing);
        this.#typing = setTimeout(() => this.#find(), event.target === el('words') ? TYPED_MS : 0);
    }

    #find() {
        clearTimeout(this.#typing);
        this.#toAddress(this.#wanted());
        this.#look();
    }

    #look() {
        this.#told = null; /* the next list is told */
        this.#store.find(this.#wanted());
        this.#say();
    }

    #isFiltered() {
        const { show, q } = this.#wanted();
        return show !== 'all' || q !== '';
    }

    /* ---- the list ---- */

    #changed({ moved, gone, mine }) {
        this.#keepFocus(gone);
        this.#list.set(this.#store.ids, this.#store.loaded && !this.#store.nextCursor);
        for (const [id, card] of this.#cards) {
            const job = this.#store.jobs.get(id);
            if (job) card.update(job);
        }
        for (const { old, job } of moved) this.#tell(old, job);
        this.#say();
        if (mine) this.#list.reveal(mine);
        this.#more();
    }

    #card(id) {
        const card = new JobCard(this.#store.jobs.get(id), this.#acts, this.#kept.get(id));
        this.#kept.delete(id);
        this.#cards.set(id, card);
        return card;
    }

    #drop(id) {
        const kept = this.#cards.get(id).leave();
        this.#cards.delete(id);
        if (Object.values(kept).some(Boolean)) this.#kept.set(id, kept);
    }

    #keepFocus(gone) {
        const card = gone.map((id) => this.#cards.get(id)).find((one) => one?.node.contains(document.activeElement));
        if (!card) return;
        const items = [...el('jobs').querySelectorAll(':scope > [data-item]')].filter((node) => !gone.includes(node.dataset.item));
        const after = (node) => card.node.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_FOLLOWING;
        const next = items.find(after) ?? items.at(-1);
        (next?.querySelector('[data-part="prompt"]') ?? el('reel-title')).focus();
    }

    /* Only what a person waits for: state and stage, not every percent. */
    #tell(old, job) {
        if (!old || (old.status === job.status && old.stage === job.stage)) return;
        const news = isRunning(job) ? stageWords(job) : job.errorCode ? reasonWords(job) : '';
        announce(t.told(shortPrompt(job), stateWords(job), news));
        if (!isRunning(job) && isRunning(old)) this.#done(job);
    }

    #say() {
        const { loaded, nextCursor, ids, searchedBackTo } = this.#store,
            filtered = this.#isFiltered();
        const back = searchedBackTo ? momentWords(Date.parse(searchedBackTo)) : '';
        const looking = !loaded || (ids.length === 0 && Boolean(nextCursor));
        setShown(el('blank'), ids.length === 0);
        const none = filtered ? t.noneFound : t.none;
        setText(el('blank-words'), !looking ? none : filtered ? t.searching(back) : t.looking);
        setShown(el('find-all'), filtered && !looking);
        setShown(el('tail'), Boolean(nextCursor));
        const found = filtered && !looking ? `${t.found(ids.length, Boolean(nextCursor))}` : '';
        setText(el('found'), found && back ? `${found}. ${t.foundBack(back)}` : found);
        if (filtered && !looking && this.#told === null) announce(ids.length ? found : none);
        if (!looking) this.#told = found;
    }

    #tick() {
        if (document.hidden) return;
        for (const card of this.#cards.values()) card.tick();
    }

    /* The next pages, for as long as the end is near the screen. */
    async #more() {
        const near = () => this.#store.nextCursor && el('tail').getBoundingClientRect().top < innerHeight + NEAR_PX;
        if (this.#loading) return;
        this.#loading = true;
        while (near() && !el('older').dataset.failed && !this.#stopped.signal.aborted) await this.#load();
        this.#loading = false;
    }

    async #load() {
        const button = el('older');
        button.setAttribute('aria-disabled', 'true');
        try {
            await this.#store.loadOlder();
            delete button.dataset.failed;
            setText(button, t.older);
        } catch (error) {
            button.dataset.failed = 'yes';
            setText(button, t.tryAgain(errorWords(error)));
        } finally {
            button.removeAttribute('aria-disabled');
        }
    }

    async #older() {
        const last = this.#store.ids.at(-1);
        delete el('older').dataset.failed;
        await this.#load();
        const next = this.#store.ids[this.#store.ids.indexOf(last) + 1];
        if (next) this.#list.reveal(next)?.querySelector('[data-part="prompt"]').focus();
    }

    /* ---- what is done to a job ---- */

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

    /* The key stays until there was an answer: however often it is pressed, one more is made. Where it cannot be
     * made from what the server has, the form has what we know of it. */
    async #retry(card, changed) {
        card.retryKey ||= crypto.randomUUID();
        try {
            const job = await api.retry(card.job.id, card.retryKey);
            card.retryKey = '';
            this.#store.put(job);
            announce(t.retried);
            changed();
            this.#list.reveal(job.id)?.querySelector('[data-part="prompt"]').focus();
        } catch (error) {
            if (error.status === undefined || error.passing) {
                card.error(t.retryUnsure);
                return;
            }
            card.retryKey = '';
            if (error.status === 404 || error.status === 405) this.#acts.useAgain(card.job);
            else card.error(refusalWords(error, card.job.currency));
        }
    }

    async #cancel(card, changed) {
        this.#store.put(await api.cancel(card.job.id));
        announce(t.cancelAsked);
        changed();
    }

    async #erase(card, changed) {
        if (!(await confirmErase(card.job))) return;
        await api.erase(card.job.id);
        this.#keepFocus([card.job.id]);
        this.#store.remove(card.job.id);
        announce(t.erased);
        changed();
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
