/* One card: the frame on the film, and what there is to say about it. Shows only what the job
 * says. */

import { el, make, setShown, setText } from './dom.js';
import { costWords } from './money.js';
import { hasFile } from './store.js';
import { texts } from './texts.js';
import { momentWords, serverNow, spanWords } from './time.js';
import { Timeline } from './view-timeline.js';
import {
    figure,
    formatWords,
    isRunning,
    makerWords,
    problemLink,
    promptOf,
    reasonWords,
    stageWords,
    stateWords,
} from './words.js';

/* Links carry the address the server calls itself by; a page opened under another name may only
 * load from there. */
function here(url) {
    const { pathname, search } = new URL(url, location.href);
    return pathname.startsWith('/media/') ? pathname + search : url;
}

const SEEK_S = { ArrowLeft: -1, ArrowRight: 1, j: -5, l: 5 };
const t = texts.reel;

/* Whether a prompt is cut is known only once it is laid out. */
const measures = new WeakMap();
const laidOut = new ResizeObserver((entries) => {
    for (const { target } of entries) measures.get(target)?.();
});

export class JobCard {
    node;
    job = null;
    isBusy = false;
    retryKey = ''; /* of a wish to try again that was not answered */
    #begunAt = 0;
    #parts = {};
    #video = null;
    #videoUrl = '';
    #timeline;
    #acts;

    /* kept: what an earlier card of the same job gave up with leave(). */
    constructor(job, acts, kept = {}) {
        this.#acts = acts;
        this.node = el('job-card').content.firstElementChild.cloneNode(true);
        for (const part of this.node.querySelectorAll('[data-part]'))
            this.#parts[part.dataset.part] = part;
        const p = this.#parts;
        p.prompt.id = `prompt-${job.id}`;
        this.node.firstElementChild.setAttribute('aria-labelledby', p.prompt.id);
        p.cancel.addEventListener('click', () => acts.cancel(this));
        p.delete.addEventListener('click', () => acts.erase(this));
        p.retry.addEventListener('click', () => acts.retry(this));
        p.share.addEventListener('click', () => acts.share(this));
        p.variation.addEventListener('click', () =>
            acts.useAgain(this.job, { variation: this.job.status === 'succeeded' }));
        p.whole.addEventListener('click', () => this.#showWhole());
        p.download.addEventListener('click', (event) => this.#download(event));
        this.#timeline = new Timeline(p.timeline, p.events, p['events-words'], () => this.job);
        this.#begunAt = kept.at ?? 0;
        this.retryKey = kept.retryKey ?? '';
        this.update(job);
        if (kept.whole) this.#showWhole();
        p.timeline.open = Boolean(kept.open);
        measures.set(p.prompt, () => this.#measure());
        laidOut.observe(p.prompt);
    }

    /* Out of the document: what a person has done to it, for the next card of this job. */
    leave() {
        laidOut.unobserve(this.#parts.prompt);
        return {
            open: this.#parts.timeline.open,
            whole: this.#parts.prompt.classList.contains('whole'),
            at: this.#video?.currentTime || this.#begunAt,
            retryKey: this.retryKey,
        };
    }

    /* It must stay where it is: somebody is at it, or it plays. */
    get isHeld() {
        return this.isBusy || this.node.contains(document.activeElement) || Boolean(this.#video && !this.#video.paused);
    }

    update(job) {
        const moved = !this.job || this.job.version !== job.version;
        this.job = job;
        const article = this.node.firstElementChild;
        article.dataset.id = job.id;
        article.dataset.state = job.status;
        article.dataset.stage = job.stage ?? '';
        article.dataset.look = this.#look();
        this.#words();
        this.#figure();
        this.#media();
        this.#actions();
        this.tick();
        if (moved) this.#timeline.jobMoved();
    }

    tick() {
        const { job } = this,
            from = Date.parse(job.createdAt);
        if (isRunning(job)) setText(this.#parts.clock, spanWords(serverNow() - from));
        else if (job.finishedAt)
            setText(this.#parts.clock, t.took(spanWords(Date.parse(job.finishedAt) - from)));
        setText(this.#parts.next, isRunning(job) ? this.#nextWords() : '');
        setText(this.#parts.kept, this.#keptWords());
    }

    /* What comes next, and when we look again: by the server's clock. */
    #nextWords() {
        const { stage, nextCheckAt, cancelRequestedAt } = this.job;
        const next = cancelRequestedAt ? t.canceling : (t.next[stage] ?? '');
        if (stage === 'in_review') return next;
        const left = Date.parse(nextCheckAt ?? '') - serverNow();
        if (stage === 'waiting' && !(left > 1000)) return `${next} ${t.pageLooks}`;
        if (Number.isNaN(left)) return `${next} ${t.pageLooks}`;
        if (left < 1000) return `${next} ${t.lookNow}`;
        const asks = stage === 'at_provider' || stage === 'rendering';
        return `${next} ${(asks ? t.lookSooner : t.lookIn)(spanWords(left))}`;
    }

    #keptWords() {
        const { job } = this;
        if (job.outputState === 'deleted') return t.gone;
        if (!hasFile(job)) return '';
        if (!job.expiresAt) return t.keptForGood;
        const end = Date.parse(job.expiresAt),
            left = end - serverNow();
        return left > 0 ? t.kept(spanWords(left), momentWords(end)) : t.keptBriefly(momentWords(end));
    }

    /* Not "disabled": that would throw the focus away. */
    busy(busy) {
        this.isBusy = busy;
        for (const name of ['cancel', 'delete', 'retry'])
            this.#parts[name].setAttribute('aria-disabled', String(busy));
    }

    error(words) {
        setText(this.#parts.error, words);
    }

    /* Which of the few looks of film.css fits. */
    #look() {
        if (isRunning(this.job))
            return this.job.progress === null || this.job.progress === undefined ? 'sweep' : 'ring';
        if (hasFile(this.job)) return 'film';
        return this.job.errorCode === 'canceled' ? 'canceled' : 'void';
    }

    #words() {
        const { job } = this,
            p = this.#parts;
        setText(p.state, stateWords(job));
        setText(p.stage, stageWords(job));
        setShown(p.stage, p.stage.textContent !== '');
        setText(p.prompt, promptOf(job));
        setText(p.edge, formatWords(job));
        setText(p.maker, makerWords(job));
        setText(p.cost, costWords(job));
        const failed = job.status === 'failed' || job.status === 'expired';
        setShown(p.reason, failed);
        if (failed) {
            setText(p['reason-words'], reasonWords(job));
            setText(p.fault, t.fault[job.error?.fault] ?? '');
            setShown(p.fault, p.fault.textContent !== '');
            p['reason-link'].href = problemLink(job.errorCode);
            setShown(p['reason-link'], job.errorCode !== 'canceled');
        }
    }

    #figure() {
        const p = this.#parts,
            counts = figure(this.job);
        const running = isRunning(this.job);
        setText(p.number, counts ? String(counts.number) : running ? '…' : '');
        setText(p['number-words'], counts ? counts.words : running ? t.noFigure : '');
        p.gate.dataset.ratio = this.job.aspectRatio;
        const known = isRunning(this.job) && Number.isInteger(this.job.progress);
        setShown(p.progress, known);
        if (known) {
            p.progress.value = this.job.progress;
            p.gate.style.setProperty('--done', String(this.job.progress));
        }
    }

    #media() {
        const { job } = this;
        if (!hasFile(job)) {
            this.#video?.remove();
            this.#video = null;
            return;
        }
        if (!job.outputUrl) return; /* it lay far off; its link is on the way */
        if (!this.#video) {
            this.#video = make('video', {
                controls: true,
                preload: 'none',
                playsInline: true,
                loop: true,
            });
            this.#video.setAttribute('aria-label', t.video(promptOf(job)));
            this.#video.addEventListener('error', () => this.#mediaFailed());
            this.#video.addEventListener('keydown', (event) => this.#seek(event));
            this.#parts.gate.append(this.#video);
        }
        /* A link's expiry changes now and then; a film that was begun keeps the one it has. */
        const begun = this.#video.currentTime > 0 || !this.#video.paused;
        if (this.#videoUrl !== job.outputUrl && !begun) this.#load(job);
    }

    #load(job) {
        this.#videoUrl = job.outputUrl;
        this.#video.poster = job.posterUrl ? here(job.posterUrl) : '';
        this.#video.src = here(job.outputUrl);
        if (this.#begunAt) this.#video.currentTime = this.#begunAt;
    }

    /* The same keys in every browser; a slider of the player's own has the same meaning. */
    #seek(event) {
        const video = this.#video;
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        const last = video.duration || this.job.duration;
        const to = { Home: 0, End: last }[event.key] ?? (SEEK_S[event.key] && video.currentTime + SEEK_S[event.key]);
        if (to === undefined) return;
        event.preventDefault();
        video.currentTime = Math.min(Math.max(to, 0), last);
    }

    /* Most likely the link has expired while the page lay open: ask for a new one, once per
     * link. */
    async #mediaFailed() {
        const at = this.#video.currentTime,
            failed = this.#videoUrl;
        try {
            const job = await this.#acts.refresh(this.job.id);
            if (!job.outputUrl || !this.#video) return;
            if (job.outputUrl === failed) {
                this.error(t.notPlayed);
                return;
            }
            this.error('');
            this.#load(job);
            this.#video.currentTime = at;
            await this.#video.play();
        } catch {
            this.error(t.notLoaded);
            this.#load(this.job);
        }
    }

    #actions() {
        const { job } = this,
            p = this.#parts,
            running = isRunning(job);
        setShown(p.download, Boolean(job.outputUrl));
        if (job.outputUrl) {
            p.download.href = here(job.outputUrl);
            p.download.setAttribute('download', `filmgate-${job.id}.mp4`);
        }
        setShown(p.cancel, running && !job.cancelRequestedAt);
        const ended = job.status === 'failed' || job.status === 'expired';
        setShown(p.share, hasFile(job));
        setShown(p.retry, ended && Boolean(job.prompt) && Boolean(job.error?.retryable));
        setShown(p.variation, !running && Boolean(job.prompt));
        setText(p.variation, ended ? t.change : t.variation);
        setShown(p.delete, !running);
    }

    /* A link that has just expired would save an error instead of a film. */
    async #download(event) {
        const end = Date.parse(this.job.outputExpiresAt ?? '');
        if (Number.isNaN(end) || end > serverNow()) return;
        event.preventDefault();
        try {
            const job = await this.#acts.refresh(this.job.id);
            if (job.outputUrl && Date.parse(job.outputExpiresAt) > serverNow())
                this.#parts.download.click();
        } catch {
            this.error(t.linkExpired);
        }
    }

    #measure() {
        const { prompt, whole } = this.#parts;
        if (!prompt.classList.contains('whole'))
            setShown(whole, prompt.scrollHeight > prompt.clientHeight + 2);
    }

    #showWhole() {
        const { prompt, whole } = this.#parts;
        const open = prompt.classList.toggle('whole');
        whole.setAttribute('aria-expanded', String(open));
        setText(whole, open ? t.less : t.whole);
    }
}
