/* The stop for what was just asked for: when that was, where it is, and whether it is to be made again. */

import { el, setShown, setText } from './dom.js';
import { texts } from './texts.js';
import { serverNow } from './time.js';

export class AgainRoom {
    /* yes(): make it again. on: as of PictureRoom. */
    constructor({ on, yes }) {
        on(el('again-yes'), 'click', () => {
            this.hide();
            yes();
        });
        on(el('again-no'), 'click', () => {
            this.hide();
            el('prompt').focus();
        });
        on(el('again-first'), 'click', (event) => this.#show(event));
    }

    ask({ jobId, createdAt }) {
        const seconds = Math.round((serverNow() - Date.parse(createdAt)) / 1000),
            { askedAgo, askedBefore } = texts.create;
        setText(el('again-words'), createdAt ? askedAgo(Math.max(1, seconds)) : askedBefore);
        el('again-first').hash = jobId;
        setShown(el('again-first'), jobId !== '');
        setShown(el('again'), true);
        el('again-words').focus();
    }

    hide() {
        setShown(el('again'), false);
    }

    /* Its card, where that is on the page; else the address alone says which it is. */
    #show(event) {
        const id = el('again-first').hash.slice(1),
            card = document.querySelector(`[data-id="${CSS.escape(id)}"]`);
        if (!card) return;
        event.preventDefault();
        card.scrollIntoView({ block: 'center' });
        card.querySelector('[data-part="prompt"]')?.focus({ preventScroll: true });
    }
}
