/* The form. What can be chosen comes from /v1/models; one wish is under way at a time
 * (intent.js). */

import { api } from './api.js';
import { announce, el, make, setShown, setText } from './dom.js';
import { Intents } from './intent.js';
import {
    errorWords,
    fieldOfPath,
    fieldWords,
    priceWords,
    promptCountWords,
    spokenRatio,
} from './words.js';

const PROMPT_MAX = 1000;
const SEED_MAX = 4294967295;
const SHAPE_PX = 34;
const MODELS_AGAIN_MS = 4000;
const FIELDS = ['prompt', 'aspectRatio', 'duration', 'resolution', 'model', 'imageUrl', 'seed'];

const codePoints = (text) => [...text.trim()].length;
const form = () => el('create-form');
const chosen = (name) => form().elements[name]?.value ?? '';

export class CreateView {
    #intents;
    #done;
    #models = [];
    #default = '';
    #stopped = new AbortController();
    #timer = 0;

    constructor(owner, done) {
        this.#done = done;
        this.#intents = new Intents(owner, (what, detail) => this.#heard(what, detail));
        const on = (node, type, fn) =>
            node.addEventListener(type, fn, { signal: this.#stopped.signal });
        on(form(), 'submit', (event) => {
            event.preventDefault();
            this.#submit();
        });
        on(form(), 'input', (event) => this.#edited(event.target));
        on(form(), 'keydown', (event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form().requestSubmit();
        });
        on(el('sending-stop'), 'click', () => this.#intents.drop());
    }

    start() {
        this.#count();
        this.#busy(false);
        this.#loadModels();
        const body = this.#intents.resume();
        if (body) this.#apply(body);
    }

    stop() {
        clearTimeout(this.#timer);
        this.#stopped.abort();
        this.#intents.rest();
        this.#clearErrors();
        el('prompt').value = '';
    }

    hurry() {
        this.#intents.hurry();
    }

    /* The words and settings of an earlier video. */
    fill(job) {
        if (this.#intents.current) return;
        this.#apply({ ...job, seed: job.seed ?? '', imageUrl: job.imageUrl ?? '' });
        this.#clearErrors();
        el('prompt').focus();
        announce('The words and settings are in the form.');
    }

    async #loadModels() {
        try {
            const list = await api.models();
            this.#models = list.data;
            this.#default = list.default;
        } catch {
            if (!this.#stopped.signal.aborted)
                this.#timer = setTimeout(() => this.#loadModels(), MODELS_AGAIN_MS);
            setText(el('price'), 'Waiting for the list of models…');
            return;
        }
        el('model').replaceChildren(
            ...this.#models.map((m) => make('option', { value: m.name, textContent: m.name })),
        );
        el('model').value = this.#default;
        setShown(el('model-field'), this.#models.length > 1);
        this.#offer(this.#intents.current ? JSON.parse(this.#intents.current.body) : {});
    }

    #model() {
        return this.#models.find((m) => m.name === el('model').value) ?? this.#models[0];
    }

    /* Shows what the model takes, keeping what was chosen where it still fits. */
    #offer(want) {
        const model = this.#model();
        if (!model) return;
        const ratios = [...new Map(model.sizes.map((s) => [s.aspectRatio, s])).values()];
        const ratio = this.#radios(
            'aspectRatio',
            el('aspect-ratios'),
            ratios.map((s) => s.aspectRatio),
            want.aspectRatio ?? chosen('aspectRatio'),
            '16:9',
            (value) => shape(ratios.find((s) => s.aspectRatio === value)),
        );
        const heights = model.sizes.filter((s) => s.aspectRatio === ratio);
        this.#radios(
            'resolution',
            el('resolutions'),
            heights.map((s) => s.resolution),
            want.resolution ?? chosen('resolution'),
            model.defaultResolution,
            resolution(heights),
        );
        const duration = el('duration');
        duration.min = model.minDuration;
        duration.max = model.maxDuration;
        if (want.duration) duration.value = want.duration;
        const ticks = Array.from({ length: model.maxDuration - model.minDuration + 1 }, (_, i) =>
            make('span', { textContent: model.minDuration + i }),
        );
        el('duration-ticks').replaceChildren(...ticks);
        setShown(el('image-field'), model.image);
        setShown(el('seed-field'), model.seed);
        setShown(el('more'), model.image || model.seed || this.#models.length > 1);
        this.#sums();
    }

    #radios(name, box, values, want, fallback, face) {
        const value = [want, fallback, values[0]].find((v) => values.includes(v));
        const faces = values.map((v) => face(v));
        const looks = faces
            .flat()
            .map((f) => f.textContent)
            .join();
        if (box.dataset.looks !== looks) {
            box.dataset.looks = looks;
            box.replaceChildren(
                ...values.map((v, i) => {
                    const input = make('input', { type: 'radio', name, value: v });
                    return make('label', {}, input, ...faces[i]);
                }),
            );
        }
        for (const input of box.querySelectorAll('input')) input.checked = input.value === value;
        return value;
    }

    #edited(target) {
        if (target.name === 'model' || target.name === 'aspectRatio') this.#offer({});
        this.#fieldError(target.name, '');
        this.#count();
        this.#sums();
    }

    #count() {
        const n = codePoints(el('prompt').value);
        setText(el('prompt-count'), `${n} / ${PROMPT_MAX}`);
        el('prompt-count').classList.toggle('over', n > PROMPT_MAX);
        /* Told only near the end: a count after every key would drown what is typed. */
        setText(el('prompt-left'), n > PROMPT_MAX - 100 ? promptCountWords(PROMPT_MAX - n) : '');
    }

    #sums() {
        const seconds = Number(el('duration').value);
        setText(el('duration-out'), `${seconds} s`);
        const model = this.#model();
        if (model)
            setText(el('price'), priceWords(model.pricePerSecondMicro * seconds, model.currency));
    }

    #apply(body) {
        el('prompt').value = body.prompt ?? '';
        el('imageUrl').value = body.imageUrl ?? '';
        el('seed').value = body.seed ?? '';
        if (body.imageUrl || (body.seed ?? '') !== '') el('more').open = true;
        if (body.model && this.#models.some((m) => m.name === body.model))
            el('model').value = body.model;
        this.#offer(body);
        this.#count();
    }

    #body() {
        const model = this.#model();
        const body = {
            prompt: el('prompt').value.trim(),
            aspectRatio: chosen('aspectRatio'),
            duration: Number(el('duration').value),
            resolution: chosen('resolution'),
            model: model.name,
        };
        const image = el('imageUrl').value.trim(),
            seed = el('seed').value.trim();
        if (model.image && image) body.imageUrl = image;
        if (model.seed && seed) body.seed = Number(seed);
        return body;
    }

    #submit() {
        if (this.#intents.current || !this.#model()) return;
        this.#clearErrors();
        const n = codePoints(el('prompt').value),
            seed = el('seed').value.trim();
        if (n === 0) this.#fieldError('prompt', 'Please describe the video.');
        if (n > PROMPT_MAX)
            this.#fieldError('prompt', `At most ${PROMPT_MAX} characters; it has ${n}.`);
        if (seed && !(/^\d{1,10}$/.test(seed) && Number(seed) <= SEED_MAX))
            this.#fieldError('seed', `A whole number from 0 to ${SEED_MAX}.`);
        if (!this.#focusFirstError()) this.#intents.start(this.#body());
    }

    #heard(what, detail) {
        this.#busy(what === 'sending' || what === 'waiting');
        if (what === 'sending' && detail === 0) setText(el('sending-words'), 'Sending…');
        if (what === 'waiting')
            setText(
                el('sending-words'),
                `${detail.code === undefined ? 'No answer yet.' : errorWords(detail)} ` +
                    'Trying again; it will not be made twice.',
            );
        if (what === 'done') {
            el('prompt').value = '';
            this.#count();
            this.#done(detail);
            announce('Your video has been taken on.');
        }
        if (what === 'refused') this.#refused(detail);
        if (what === 'dropped')
            setText(
                el('create-error'),
                'Stopped. If it had already arrived, it will show up in the list.',
            );
    }

    #busy(busy) {
        setShown(el('sending'), busy);
        if (busy) el('sending').scrollIntoView({ block: 'nearest' });
        el('create-go').setAttribute('aria-disabled', String(busy));
        el('prompt').readOnly = busy;
    }

    /* A problem names each field; what has no place in the form is told above the button. */
    #refused(problem) {
        const rest = [];
        for (const error of problem.errors) {
            const name = fieldOfPath(error.path);
            if (FIELDS.includes(name)) this.#fieldError(name, `${fieldWords(error)}.`);
            else rest.push(`${name}: ${fieldWords(error)}.`);
        }
        if (problem.errors.length === 0) rest.push(errorWords(problem));
        setText(el('create-error'), rest.join(' '));
        if (!this.#focusFirstError()) el('create-error').focus();
    }

    #fieldError(name, words) {
        const place = el(`${name}-error`);
        if (!place) return;
        setText(place, words);
        const input = el(name);
        if (input && words) input.setAttribute('aria-invalid', 'true');
        else input?.removeAttribute('aria-invalid');
    }

    #focusFirstError() {
        const name = FIELDS.find((f) => el(`${f}-error`).textContent !== '');
        if (!name) return false;
        if (['model', 'imageUrl', 'seed'].includes(name)) el('more').open = true;
        (el(name) ?? form().querySelector(`[name="${name}"]:checked`))?.focus();
        return true;
    }

    #clearErrors() {
        for (const name of FIELDS) this.#fieldError(name, '');
        setText(el('create-error'), '');
    }
}

/* The real proportions, drawn to fit a square. */
function shape(size) {
    const longest = Math.max(size.width, size.height);
    const box = make('span', { className: 'shape' });
    box.style.width = `${(SHAPE_PX * size.width) / longest}px`;
    box.style.height = `${(SHAPE_PX * size.height) / longest}px`;
    const words = make(
        'span',
        { className: 'choice-words' },
        size.aspectRatio,
        make('small', { textContent: spokenRatio[size.aspectRatio] ?? '' }),
    );
    return [make('span', { className: 'shape-box' }, box), words];
}

function resolution(sizes) {
    return (value) => {
        const size = sizes.find((s) => s.resolution === value);
        return [
            make(
                'span',
                { className: 'choice-words' },
                value,
                make('small', { textContent: `${size.width} × ${size.height}` }),
            ),
        ];
    };
}
