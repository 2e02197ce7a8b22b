/* What happened to a job, asked for only while somebody looks. */

import { api } from './api.js';
import { make, setText } from './dom.js';
import { momentWords } from './time.js';
import { errorWords, eventData, eventWords, supportWords } from './words.js';

export class Timeline {
    #details;
    #list;
    #words;
    #id;
    #asking = false;
    #again = false;

    constructor(details, list, words, id) {
        this.#details = details;
        this.#list = list;
        this.#words = words;
        this.#id = id;
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
            const { data } = await api.events(this.#id);
            this.#show(data);
            setText(this.#words, supportWords(this.#id, data[0]));
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
        for (const [i, event] of events.entries()) {
            if (event.type === 'progress' && events[i + 1]?.type === 'progress') continue;
            if (there?.dataset.key === keyOf(event)) there = there.nextElementSibling;
            else this.#list.insertBefore(row(event), there);
        }
        while (there) {
            const old = there;
            there = there.nextElementSibling;
            old.remove();
        }
    }
}

const keyOf = (event) => `${event.seq ?? event.at} ${event.requestId}`;

function row(event) {
    const at = make('time', { dateTime: event.at, textContent: momentWords(Date.parse(event.at)) });
    const item = make('li', {}, at, make('span', { textContent: eventWords(event) }));
    item.dataset.key = keyOf(event);
    item.dataset.type = event.type;
    const data = eventData(event);
    if (data) item.append(make('small', { textContent: data }));
    if (event.requestId) item.title = `Request ${event.requestId}`;
    return item;
}
