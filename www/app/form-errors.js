/* What is wrong on the form: words beside each field, and all of it once more in a summary that leads there. */

import { el, make, setShown, setText } from './dom.js';
import { texts } from './texts.js';

/* In the order of the form. */
const FIELDS = [
    'prompt', 'model', 'uploadId', 'imageUrl', 'aspectRatio', 'duration', 'resolution', 'audio', 'negativePrompt', 'seed',
];
const place = (name) => el(`${name}-error`);

/* Words for a verdict of rules.js; '' where there are none. */
export function verdictWords(verdict) {
    const { path, code, why } = verdict.misfit ?? verdict;
    const name = path.split('/')[1];
    const words = texts.create.against[why] ?? texts.create.wrong[name]?.[code] ?? '';
    return typeof words === 'function' ? words(verdict.misfit ?? verdict) : words;
}

export class FormErrors {
    #form;

    constructor(form) {
        this.#form = form;
    }

    get fields() {
        return FIELDS;
    }

    /* Whether the form has a place for it that can be seen. */
    has(name) {
        return FIELDS.includes(name) && !place(name).closest('.field').hidden;
    }

    /* '' takes it away. */
    set(name, words) {
        setText(place(name), words);
        for (const input of this.#inputs(name)) {
            if (words) input.setAttribute('aria-invalid', 'true');
            else input.removeAttribute('aria-invalid');
        }
        if (words === '') this.#thin();
    }

    clear() {
        for (const name of FIELDS) this.set(name, '');
        this.say('');
        setShown(el('create-summary'), false);
    }

    /* What is about no field. */
    say(words) {
        setText(el('create-error'), words);
    }

    get rest() {
        return el('create-error').textContent;
    }

    get wrong() {
        return FIELDS.filter((name) => place(name).textContent !== '');
    }

    /* The summary, and the focus on the first field that is wrong. False: none is. */
    lead() {
        const wrong = this.wrong;
        setShown(el('create-summary'), wrong.length > 0);
        if (wrong.length === 0) return false;
        setText(el('create-summary-words'), texts.create.summary(wrong.length));
        el('create-summary-list').replaceChildren(...wrong.map((name) => {
            const textContent = `${this.#label(name)}: ${place(name).textContent}`,
                link = make('a', { href: `#${name}-error`, textContent });
            link.addEventListener('click', (event) => {
                event.preventDefault();
                this.#go(name);
            });
            return make('li', {}, link);
        }));
        this.#go(wrong[0]);
        return true;
    }

    #go(name) {
        for (let node = place(name); node; node = node.parentElement) if (node.tagName === 'DETAILS') node.open = true;
        const inputs = this.#inputs(name);
        (inputs.find((one) => one.checked) ?? inputs[0])?.focus();
    }

    #inputs(name) {
        const found = this.#form.elements[name];
        if (!found) return [];
        return found instanceof RadioNodeList ? [...found] : [found];
    }

    #label(name) {
        const field = place(name).closest('.field');
        return field.querySelector('legend, label')?.textContent ?? name;
    }

    /* What has been put right leaves the summary. */
    #thin() {
        if (!el('create-summary').hidden && this.wrong.length === 0) setShown(el('create-summary'), false);
    }
}
