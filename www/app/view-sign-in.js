/* The key goes straight to the server, which answers with an HttpOnly cookie; it is kept nowhere
 * here. */

import { api } from './api.js';
import { el, setShown, setText } from './dom.js';
import { texts } from './texts.js';
import { errorWords } from './words.js';

const t = texts.shell;

export class SignInView {
    #signedIn;
    #busy = false;

    constructor(signedIn) {
        this.#signedIn = signedIn;
        el('sign-in-form').addEventListener('submit', (event) => {
            event.preventDefault();
            this.#submit();
        });
        el('key').addEventListener('input', () => this.#error(''));
    }

    show(notice) {
        setText(el('sign-in-notice'), notice);
        setShown(el('sign-in-notice'), notice !== '');
        el(notice ? 'sign-in-title' : 'key').focus();
    }

    #error(words) {
        setText(el('key-error'), words);
        el('key').toggleAttribute('aria-invalid', words !== '');
    }

    async #submit() {
        const key = el('key').value.trim();
        if (this.#busy) return;
        if (!key) {
            this.#error(t.keyMissing);
            el('key').focus();
            return;
        }
        this.#busy = true;
        this.#error('');
        try {
            await api.signIn(key);
            el('key').value = '';
            setShown(el('sign-in-notice'), false);
            await this.#signedIn(true);
        } catch (error) {
            this.#error(error.status === 400 ? t.keyWrong : errorWords(error));
            el('key').focus();
        } finally {
            this.#busy = false;
        }
    }
}
