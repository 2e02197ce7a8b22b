/* What happened to a job, asked for only while somebody looks. */

import { api } from './api.js';
import { make, setText } from './dom.js';
import { texts } from './texts.js';
import { momentWords, spanWords } from './time.js';
import { errorWords, eventData, eventWords, supportWords } from './words.js';

export class Timeline {
    #details;
    #list;
    #words;
    #job; /* () => the job as it is now */
    #asking = false;
    #again = false;

    constructor(details, list, words, job) {
        this.#details = details;
        this.#list = list;
        this.#words = words;
        this.#job = job;
        details.addEventListener('toggle', () => this.jobMoved());
    }

    async jobMoved() {
        if (!this.#details.open) return;
        if (this.#asking) {
            this.#again = true;
            return;
        }
        this.#asking = true;
        try {
            const { data } = await api.events(this.#job().id);
            this.#show(data);
            setText(this.#words, supportWords(this.#job().id, data[0]));
        } catch (error) {
            setText(this.#words, errorWords(error));
        }
        this.#asking = false;
        if (this.#again) {
            this.#again = false;
            this.jobMoved();
        }
    }

    /* Those that are there stay as they are; one that is new may belong between them: a callback that changed
     * nothing has no number. Of a row of progress only the last one counts. */
    #show(events) {
        let there = this.#list.firstElementChild;
        const makers = makersOf(events, this.#job());
        for (const [i, event] of events.entries()) {
            if (event.type === 'progress' && events[i + 1]?.type === 'progress') continue;
            if (there?.dataset.key === keyOf(event)) there = there.nextElementSibling;
            else this.#list.insertBefore(row(event, events[i - 1], makers[i]), there);
        }
        while (there) {
            const old = there;
            there = there.nextElementSibling;
            old.remove();
        }
    }
}

const keyOf = (event) => `${event.seq ?? event.at} ${event.requestId}`;

/* What has to do with a provider, and so is told with its name. */
const AT_PROVIDER = new Set(['submitting', 'not_sent', 'submit_unknown', 'not_accepted', 'accepted', 'started', 'provider_note']);

/* Who it was with at each event: from the end, where the job says so, back through what was given to others. */
function makersOf(events, job) {
    let maker = texts.reel.atModel(job.model, job.provider);
    const makers = [];
    for (let i = events.length - 1; i >= 0; i--) {
        makers[i] = AT_PROVIDER.has(events[i].type) ? maker : '';
        if (events[i].type === 'rerouted' && events[i].data?.from) maker = texts.reel.atModel(events[i].data.from);
    }
    return makers;
}

function row(event, before, maker) {
    const ms = Date.parse(event.at);
    const item = make('li', {},
        make('time', { dateTime: event.at, textContent: momentWords(ms) }),
        make('span', { textContent: eventWords(event) }));
    item.dataset.key = keyOf(event);
    item.dataset.type = event.type;
    const step = before ? ms - Date.parse(before.at) : 0;
    const more = [maker, eventData(event), step >= 1000 ? texts.reel.step(spanWords(step)) : ''].filter(Boolean);
    for (const words of more) item.append(make('small', { textContent: words }));
    if (event.requestId) item.title = texts.reel.request(event.requestId);
    return item;
}
