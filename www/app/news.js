/* A message of the system when a video has ended, for who has asked for it and looks elsewhere. */

import { el, setShown, setText } from './dom.js';
import { texts } from './texts.js';
import { shortPrompt, stateWords } from './words.js';

const SLOT = 'filmgate.news';

const t = texts.shell;

export class News {
    #wanted = false;

    constructor() {
        if (!('Notification' in window)) return;
        setShown(el('tell'), true);
        el('tell-me').addEventListener('change', (event) => this.#choose(event.target.checked));
        /* Another tab's choice is this one's, too. */
        window.addEventListener('storage', ({ key }) => {
            if (key === SLOT) this.#read();
        });
        this.#read();
    }

    #read() {
        try {
            this.#wanted = localStorage.getItem(SLOT) === 'on' && Notification.permission === 'granted';
        } catch {
            this.#wanted = false;
        }
        el('tell-me').checked = this.#wanted;
    }

    /* The browser asks only for who pressed; a no of before is for its settings to change. */
    async #choose(wanted) {
        const allowed = !wanted || (await Notification.requestPermission()) === 'granted';
        try {
            localStorage.setItem(SLOT, wanted && allowed ? 'on' : 'off');
        } catch {
            /* not allowed here: until the page is left, then */
        }
        this.#wanted = wanted && allowed;
        el('tell-me').checked = this.#wanted;
        setText(el('tell-words'), !allowed ? t.tellMeOff : wanted ? t.tellMeOn : '');
    }

    /* Of two tabs both tell, under one tag: the system shows one. */
    tell(job) {
        if (!this.#wanted || !document.hidden) return;
        const said = new Notification(stateWords(job), { body: shortPrompt(job), tag: job.id, icon: '/favicon.svg' });
        said.addEventListener('click', () => {
            window.focus();
            said.close();
        });
    }
}
