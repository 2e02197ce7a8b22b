/* The one dialog for everything that is done: what it will do, in words; what it needs; a reason; and what came of it. */

import { el, make, setShown, setText } from '/app/dom.js';
import { texts } from '/app/texts.js';
import { h, paint } from './paint.js';
import { errorWords } from './words.js';

const t = texts.act;
const REASON_MIN = 3;
const REASON_MAX = 500;

const length = (text) => [...text].length;

/* A field of an action: node, and read(), which gives what to send or throws what is wrong with it, in words. */
function field(name, label, hint, input) {
    const id = `act-${name}`;
    Object.assign(input, { id, autocomplete: 'off', spellcheck: false });
    input.setAttribute('aria-describedby', `${id}-hint ${id}-error`);
    const effect = h('p', { className: 'hint', role: 'status' });
    const error = h('p', { className: 'field-error', id: `${id}-error` });
    const node = h('div', 'field', h('label', { htmlFor: id }, label), input, h('p', { className: 'hint', id: `${id}-hint` }, hint), effect, error);
    return { input, node, effect, error };
}

/* check(text): what to send; throws the words of what is wrong. effect(value): what would come of it, shown as it is typed. */
export function textField(name, { label, hint, check, effect = () => '', mode = 'text' }) {
    const input = make('input', { type: 'text', inputMode: mode, maxLength: 200 });
    const f = field(name, label, hint, input);
    input.addEventListener('input', () => {
        let value = null;
        try {
            value = check(input.value);
        } catch {
            /* not yet: it is told when it is sent */
        }
        setText(f.effect, value === null ? '' : effect(value));
    });
    return { ...f, name, read: () => ({ [name]: check(input.value) }) };
}

/* choices: { value, words, field? }: what belongs to a choice is asked for only with it. */
export function choiceField(name, { label, wrong, choices, read }) {
    const error = h('p', { className: 'field-error', id: `act-${name}-error` });
    const inputs = choices.map((c) => h('input', { type: 'radio', name: `act-${name}`, value: c.value, 'aria-describedby': error.id }));
    const node = h('fieldset', 'field choices', h('legend', null, label),
        choices.map((c, i) => [h('label', 'choice', inputs[i], h('span', null, c.words)), c.field?.node]), error);
    const show = () => choices.forEach((c, i) => c.field && setShown(c.field.node, inputs[i].checked));
    node.addEventListener('change', show);
    show();
    return {
        input: inputs[0], node, error, name,
        inner: choices.map((c) => c.field).filter(Boolean),
        read: () => {
            const at = inputs.findIndex((i) => i.checked);
            if (at < 0) throw new Error(wrong);
            return read(choices[at]);
        },
    };
}

function setError(f, words) {
    setText(f.error, words);
    f.input.toggleAttribute('aria-invalid', words !== '');
    if (words) f.input.setAttribute('aria-invalid', 'true');
}

export class ActDialog {
    #job = null; /* what is being asked, and who waits for it */
    #busy = false;
    #reason = { input: el('act-reason'), error: el('act-reason-error') };

    constructor() {
        el('act-form').addEventListener('submit', (event) => {
            event.preventDefault();
            this.#send();
        });
        el('act-stop').addEventListener('click', () => this.#close(null));
        el('act').addEventListener('cancel', (event) => {
            event.preventDefault();
            this.#close(null);
        });
        el('act').addEventListener('keydown', (event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) el('act-form').requestSubmit();
        });
        this.#reason.input.addEventListener('input', () => this.#count());
    }

    /* ask: { name, on, does, shown, fields, danger, note (the longest; then it need not be given), send(values) }. Resolves
     * with what send gave, or null: nothing was done. failed(error) is told of each refusal. */
    ask(ask) {
        if (el('act').open) this.#close(null);
        const { note } = ask;
        setText(el('act-title'), ask.name);
        setText(el('act-on'), ask.on);
        paint(el('act-does'), ask.does.map((words) => h('p', null, words)));
        paint(el('act-shown'), ask.shown ?? []);
        el('act-fields').replaceChildren(...(ask.fields ?? []).map((f) => f.node));
        setText(el('act-reason-label'), note ? t.note : t.reason);
        setText(el('act-reason-hint'), note ? t.noteHint : t.reasonHint);
        this.#reason.input.required = !note;
        this.#reason.input.value = '';
        setText(el('act-go'), ask.name);
        el('act-go').className = ask.danger ? 'danger' : 'button';
        setText(el('act-error'), '');
        setError(this.#reason, '');
        this.#count(note);
        el('act').showModal();
        (ask.fields?.[0]?.input ?? this.#reason.input).focus();
        return new Promise((resolve) => {
            this.#job = { ask, resolve };
        });
    }

    /* The session ended, or the view went away. */
    abandon() {
        if (el('act').open) this.#close(null);
    }

    #close(result) {
        const job = this.#job;
        this.#job = null;
        this.#busy = false;
        el('act').close();
        el('act-fields').replaceChildren();
        job?.resolve(result);
    }

    #count(note = this.#job?.ask.note) {
        const left = (note ?? REASON_MAX) - length(this.#reason.input.value.trim());
        setText(el('act-count'), String(left));
        el('act-count').classList.toggle('over', left < 0);
        if (this.#reason.error.textContent && !this.#reasonWrong(note)) setError(this.#reason, '');
    }

    #reasonWrong(note) {
        const n = length(this.#reason.input.value.trim());
        if (note) return n > note ? t.noteLong(note) : '';
        return n < REASON_MIN ? t.reasonShort : n > REASON_MAX ? t.reasonLong : '';
    }

    /* null: something is wrong, and the first such field has the focus. */
    #read({ fields = [], note }) {
        const values = {};
        let wrong = null;
        for (const f of fields) {
            const all = [f, ...(f.inner ?? [])];
            all.forEach((one) => setError(one, ''));
            try {
                Object.assign(values, f.read());
            } catch (error) {
                const at = all.find((one) => one.name === error.field) ?? f;
                setError(at, error.message);
                wrong ??= at.input;
            }
        }
        const reason = this.#reasonWrong(note);
        setError(this.#reason, reason);
        if (reason) wrong ??= this.#reason.input;
        wrong?.focus();
        values[note ? 'note' : 'reason'] = this.#reason.input.value.trim();
        return wrong ? null : values;
    }

    async #send() {
        const job = this.#job;
        if (!job || this.#busy) return;
        const values = this.#read(job.ask);
        if (!values) return;
        this.#setBusy(true);
        setText(el('act-error'), '');
        try {
            const result = await job.ask.send(values);
            if (this.#job === job) this.#close(result);
        } catch (error) {
            if (this.#job !== job) return;
            setText(el('act-error'), error.code === undefined ? t.unsure : t.refused(errorWords(error), error.code));
            el('act-error').focus();
            job.ask.failed?.(error);
        } finally {
            this.#setBusy(false);
        }
    }

    /* Not "disabled": that would throw the focus away. */
    #setBusy(busy) {
        this.#busy = busy;
        el('act-go').setAttribute('aria-disabled', String(busy));
        setText(el('act-go'), busy ? t.sending : (this.#job?.ask.name ?? ''));
    }
}
