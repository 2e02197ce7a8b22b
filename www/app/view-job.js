/* One card: the frame on the film, and what there is to say about it. Shows only what the job
 * says. */

import { el, make, setShown, setText } from './dom.js';
import { costWords } from './money.js';
import { serverNow, spanWords } from './time.js';
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

export class JobCard {
    node;
    job = null;
    isBusy = false;
    #parts = {};
    #video = null;
    #videoUrl = '';
    #timeline;
    #acts;

    constructor(job, acts) {
        this.#acts = acts;
        this.node = el('job-card').content.firstElementChild.cloneNode(true);
        for (const part of this.node.querySelectorAll('[data-part]'))
            this.#parts[part.dataset.part] = part;
        const p = this.#parts;
        p.prompt.id = `prompt-${job.id}`;
        this.node.firstElementChild.setAttribute('aria-labelledby', p.prompt.id);
        p.cancel.addEventListener('click', () => acts.cancel(this));
        p.delete.addEventListener('click', () => acts.erase(this));
        p.again.addEventListener('click', () => acts.useAgain(this.job));
        p.whole.addEventListener('click', () => this.#showWhole());
        p.download.addEventListener('click', (event) => this.#download(event));
        this.#timeline = new Timeline(p.timeline, p.events, p['events-words'], job.id);
        this.update(job);
        /* Whether the prompt is cut is known only once it is laid out. */
        new ResizeObserver(() => this.#measure()).observe(p.prompt);
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
            setText(this.#parts.clock, `took ${spanWords(Date.parse(job.finishedAt) - from)}`);
    }

    /* Not "disabled": that would throw the focus away. */
    busy(busy) {
        this.isBusy = busy;
        for (const name of ['cancel', 'delete'])
            this.#parts[name].setAttribute('aria-disabled', String(busy));
    }

    error(words) {
        setText(this.#parts.error, words);
    }

    /* Which of the few looks of film.css fits. */
    #look() {
        if (isRunning(this.job))
            return this.job.progress === null || this.job.progress === undefined ? 'sweep' : 'ring';
        if (this.job.outputUrl) return 'film';
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
            p['reason-link'].href = problemLink(job.errorCode);
            setShown(p['reason-link'], job.errorCode !== 'canceled');
        }
    }

    #figure() {
        const p = this.#parts,
            counts = figure(this.job);
        setText(p.number, counts ? String(counts.number) : '');
        setText(p['number-words'], counts ? counts.words : '');
        p.gate.dataset.ratio = this.job.aspectRatio;
        const known = counts?.words === 'percent';
        setShown(p.progress, known);
        if (known) {
            p.progress.value = counts.number;
            p.gate.style.setProperty('--done', String(counts.number));
        }
    }

    #media() {
        const { job } = this;
        if (!job.outputUrl) {
            this.#video?.remove();
            this.#video = null;
            return;
        }
        if (!this.#video) {
            this.#video = make('video', {
                controls: true,
                preload: 'none',
                playsInline: true,
                loop: true,
            });
            this.#video.setAttribute('aria-label', `Video: ${promptOf(job)}`);
            this.#video.addEventListener('error', () => this.#mediaFailed());
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
                this.error('The film could not be played. Try to download it.');
                return;
            }
            this.error('');
            this.#load(job);
            this.#video.currentTime = at;
            await this.#video.play();
        } catch {
            this.error('The film could not be loaded. Press play to try again.');
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
        setShown(p.again, !running && Boolean(job.prompt));
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
            this.error('The link has expired and the server does not answer. Try again soon.');
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
        setText(whole, open ? 'Show less' : 'Show all of it');
    }
}
