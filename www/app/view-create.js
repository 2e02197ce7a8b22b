/* The form. What can be chosen comes from /v1/models; one wish is under way at a time
 * (intent.js). */

import { api, Problem } from './api.js';
import { announce, el, make, setShown, setText } from './dom.js';
import { Intents } from './intent.js';
import { refusalWords, roomWords } from './money.js';
import { offersOf } from './offer.js';
import { Quotes } from './quote.js';
import { Weather } from './weather.js';
import {
    audioWords,
    errorWords,
    fieldOfPath,
    fieldWords,
    ignoredWords,
    imageWords,
    offerWords,
    priceWords,
    promptCountWords,
    routeWords,
    spokenRatio,
    waitWords,
    weatherWords,
} from './words.js';

const PROMPT_MAX = 1000;
const SEED_MAX = 4294967295;
const SHAPE_PX = 34;
const MODELS_AGAIN_MS = 4000;
const USUAL_SECONDS = 5;
const TICKS_MAX = 12;
/* In place of the prompt in a quote goes one of about its length, which is all that a price may depend on. */
const ANY_STEP = 250;
const STALE = new Set(['quote_used', 'quote_expired', 'quote_mismatch']);
const IN_MORE = ['imageUrl', 'uploadId', 'seed', 'audio', 'negativePrompt'];
const FIELDS = ['prompt', 'model', 'aspectRatio', 'duration', 'resolution', ...IN_MORE];
const AUDIO = { '': undefined, true: true, false: false };

const codePoints = (text) => [...text.trim()].length;
const anyPrompt = (text) =>
    'x'.repeat(Math.min(Math.max(1, Math.ceil(codePoints(text) / ANY_STEP)) * ANY_STEP, PROMPT_MAX));
const form = () => el('create-form');
const chosen = (name) => form().elements[name]?.value ?? '';

export class CreateView {
    #intents;
    #plan;
    #done;
    #offers = [];
    #seconds = 0;
    #sent = null;
    #upload = null;
    #sending = null;
    #quotes = new Quotes((body, quote, problem) => this.#quoted(body, quote, problem));
    #weather = new Weather(() => this.#notice());
    #stopped = new AbortController();
    #timer = 0;

    /* plan: of GET /v1/me. done(job): it has been taken on. */
    constructor(owner, plan, done) {
        this.#plan = plan;
        this.#done = done;
        this.#intents = new Intents(owner, (what, detail) => this.#heard(what, detail));
        const on = (node, type, fn) =>
            node.addEventListener(type, fn, { signal: this.#stopped.signal });
        on(form(), 'submit', (event) => {
            event.preventDefault();
            this.#submit();
        });
        on(form(), 'input', (event) => this.#edited(event.target));
        on(el('uploadId'), 'change', () => this.#sendPicture());
        on(form(), 'keydown', (event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form().requestSubmit();
        });
        on(el('sending-stop'), 'click', () => this.#intents.drop());
        on(el('again-yes'), 'click', () => this.#makeAgain());
        on(el('again-no'), 'click', () => {
            setShown(el('again'), false);
            el('prompt').focus();
        });
    }

    start() {
        this.#count();
        this.#busy(false);
        this.#loadModels();
        this.#weather.start();
        const body = this.#intents.resume();
        this.#sent = body;
        if (body) this.#apply(body);
    }

    stop() {
        clearTimeout(this.#timer);
        this.#quotes.stop();
        this.#weather.stop();
        this.#stopped.abort();
        this.#intents.rest();
        this.#clearErrors();
        setShown(el('room'), false);
        el('prompt').value = '';
        this.#showPicture(null, '');
    }

    hurry() {
        this.#intents.hurry();
    }

    /* The words and settings of an earlier video. */
    fill(job) {
        if (this.#intents.current) return;
        this.#apply({ ...job, model: job.route ?? job.model });
        this.#clearErrors();
        el('prompt').focus();
        announce('The words and settings are in the form.');
    }

    async #loadModels() {
        let list;
        try {
            list = await api.models();
        } catch {
            if (!this.#stopped.signal.aborted)
                this.#timer = setTimeout(() => this.#loadModels(), MODELS_AGAIN_MS);
            setText(el('price'), 'Waiting for the list of models…');
            return;
        }
        this.#offers = offersOf(list, this.#plan);
        const routes = this.#offers.filter((o) => o.isRoute),
            models = this.#offers.filter((o) => !o.isRoute);
        el('model').replaceChildren(
            ...routes.map((o) => make('option', { value: o.name, textContent: routeWords(o.name) })),
            ...[...new Set(models.map((o) => o.models[0].provider))].map((provider) =>
                make(
                    'optgroup',
                    { label: provider },
                    ...models
                        .filter((o) => o.models[0].provider === provider)
                        .map((o) => make('option', { value: o.name, textContent: o.name })),
                ),
            ),
        );
        this.#choose(list.defaultRoute);
        setShown(el('model-field'), models.length > 1);
        if (models.length === 0) setText(el('price'), 'No model is set up here.');
        const body = this.#intents.current ? JSON.parse(this.#intents.current.body) : {};
        this.#choose(body.model);
        this.#offer(body);
    }

    #showPicture(upload, words) {
        const shown = el('uploadId-shown');
        this.#upload = upload;
        this.#sending = null;
        if (!upload?.thumbnailUrl) el('uploadId').value = '';
        setText(el('uploadId-words'), words);
        setShown(shown, Boolean(upload?.thumbnailUrl));
        if (upload?.thumbnailUrl) shown.src = upload.thumbnailUrl;
        else shown.removeAttribute('src');
    }

    /* When it is chosen: the button need not wait for it then. */
    async #sendPicture() {
        const [file] = el('uploadId').files;
        this.#upload = null;
        this.#sending = file ?? null;
        setShown(el('uploadId-shown'), false);
        setText(el('uploadId-words'), file ? 'Sending the picture…' : '');
        if (file) {
            try {
                const upload = await api.upload(file);
                if (this.#sending === file) this.#showPicture(upload, `${upload.width} × ${upload.height}`);
            } catch (problem) {
                if (this.#sending !== file) return;
                this.#showPicture(null, '');
                this.#fieldError('uploadId', problem instanceof Problem ? errorWords(problem) : 'No answer. Choose it once more.');
            }
        }
        if (!this.#stopped.signal.aborted) this.#sums();
    }

    /* What is not offered here leaves the choice as it is. */
    #choose(name) {
        if (this.#offers.some((o) => o.name === name)) el('model').value = name;
    }

    #offered() {
        return this.#offers.find((o) => o.name === el('model').value) ?? this.#offers[0];
    }

    /* Shows what the choice takes, keeping what was chosen where it still fits. */
    #offer(want) {
        const offer = this.#offered();
        if (!offer) return;
        const ratios = [...new Map(offer.sizes.map((s) => [s.aspectRatio, s])).values()];
        const ratio = this.#radios(
            'aspectRatio',
            el('aspect-ratios'),
            ratios.map((s) => s.aspectRatio),
            want.aspectRatio ?? chosen('aspectRatio'),
            '16:9',
            (value) => shape(ratios.find((s) => s.aspectRatio === value)),
        );
        const heights = offer.sizes.filter((s) => s.aspectRatio === ratio);
        this.#radios(
            'resolution',
            el('resolutions'),
            heights.map((s) => s.resolution),
            want.resolution ?? chosen('resolution'),
            offer.usual.resolution,
            resolution(heights),
        );
        this.#lengths(offer, want.duration ?? this.#seconds);
        const sounds = { choice: ['false', 'true'], any: ['', 'true', 'false'] }[offer.audio] ?? [];
        this.#radios('audio', el('audios'), sounds, String(want.audio ?? chosen('audio')), '', (v) => [
            make('span', { textContent: audioWords(v) }),
        ]);
        setShown(el('audio-field'), sounds.length > 0);
        setShown(el('image-field'), offer.image !== 'none');
        setShown(el('uploadId-field'), offer.image !== 'none');
        setShown(el('seed-field'), offer.seed);
        setShown(el('negativePrompt-field'), offer.negativePrompt);
        setShown(el('more'), IN_MORE.some((name) => !el(`${name.replace('Url', '')}-field`).hidden));
        if (offer.image === 'required') el('more').open = true;
        setText(el('image-hint'), imageWords(offer));
        setText(el('model-hint'), offerWords(offer));
        this.#notice();
        this.#sums();
    }

    /* The slider goes over the lengths there are, one step each: they need not be evenly spaced. */
    #lengths(offer, want) {
        const nearest = (to, list) => list.reduce((a, b) => (Math.abs(b - to) < Math.abs(a - to) ? b : a));
        this.#seconds = want ? nearest(want, offer.durations) : nearest(USUAL_SECONDS, offer.usual.durations);
        const slider = el('duration'),
            last = offer.durations.length - 1;
        slider.max = last;
        slider.value = offer.durations.indexOf(this.#seconds);
        slider.disabled = last === 0;
        const sparse = last + 1 > TICKS_MAX ? 2 : 1;
        el('duration-ticks').replaceChildren(
            ...offer.durations.map((s, i) => make('span', { textContent: i % sparse ? '' : s })),
        );
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
        if (target.name === 'duration')
            this.#seconds = this.#offered()?.durations[Number(target.value)] ?? this.#seconds;
        if (target.name === 'model' || target.name === 'aspectRatio') this.#offer({});
        if (target.name === 'model') this.#clearErrors();
        this.#fieldError(target.name, '');
        setShown(el('again'), false);
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
        setText(el('duration-out'), `${this.#seconds} s`);
        el('duration').setAttribute('aria-valuetext', `${this.#seconds} seconds`);
        if (!this.#offered()) return;
        const body = this.#inQuestion(this.#body());
        if (!this.#quotes.held(body)) setText(el('price'), 'Asking for the price…');
        this.#quotes.ask(body);
    }

    /* What a quote is asked for. */
    #inQuestion(wish) {
        const body = { ...wish, prompt: anyPrompt(wish.prompt) };
        /* Half of an address or of a number is no wish yet. */
        if (!URL.canParse(body.imageUrl ?? 'https://x')) delete body.imageUrl;
        if (!seedFits(body.seed ?? 0)) delete body.seed;
        return body;
    }

    /* The list of models has prices too, but not this account's: what is shown is what will be paid. */
    #quoted(body, quote, problem) {
        const offer = this.#offered();
        this.#room(quote ? roomWords(quote) : '');
        if (!quote) {
            const none = problem.status === 400 || problem.status === 403;
            setText(el('price'), none ? 'Not with these settings' : 'The price is not known at the moment');
            setText(el('quote'), none ? doorWords(problem)[0] : '');
            return;
        }
        setText(el('price'), priceWords(quote.priceMicro, quote.currency));
        const maker = offer.models.length > 1 ? `${quote.model}, as things stand` : '';
        const words = [maker, waitWords(quote.waitEstimate), ignoredWords(quote.ignored)];
        setText(el('quote'), words.filter(Boolean).join('; '));
    }

    /* What the button was refused for stands above it already. */
    #room(words) {
        setText(el('room'), words);
        setShown(el('room'), words !== '' && words !== el('create-error').textContent);
    }

    #notice() {
        const offer = this.#offered();
        const words = offer ? weatherWords(offer, (provider) => this.#weather.of(provider)) : '';
        setText(el('weather'), words);
        setShown(el('weather'), words !== '');
    }

    #apply(body) {
        el('prompt').value = body.prompt ?? '';
        for (const name of ['imageUrl', 'seed', 'negativePrompt']) el(name).value = body[name] ?? '';
        if (IN_MORE.some((name) => (body[name] ?? '') !== '')) el('more').open = true;
        /* A picture that was fetched is fetched anew. */
        const upload = body.uploadId && !body.imageUrl ? { id: body.uploadId } : null;
        this.#showPicture(upload, upload ? 'The picture that was sent for it.' : '');
        this.#choose(body.model);
        this.#offer({ ...body, audio: body.audio ?? '' });
        this.#count();
    }

    /* Only what the choice takes: the rest of the form is hidden. */
    #body() {
        const offer = this.#offered();
        const body = {
            prompt: el('prompt').value.trim(),
            aspectRatio: chosen('aspectRatio'),
            duration: this.#seconds,
            resolution: chosen('resolution'),
            model: offer.name,
        };
        const image = el('imageUrl').value.trim(),
            seed = el('seed').value.trim(),
            negative = el('negativePrompt').value.trim(),
            audio = AUDIO[chosen('audio')];
        if (offer.image !== 'none' && this.#upload) body.uploadId = this.#upload.id;
        else if (offer.image !== 'none' && image) body.imageUrl = image;
        if (offer.seed && seed) body.seed = Number(seed);
        if (offer.negativePrompt && negative) body.negativePrompt = negative;
        if (audio !== undefined) body.audio = audio;
        return body;
    }

    #submit() {
        if (this.#intents.current || !this.#offered()) return;
        this.#clearErrors();
        const n = codePoints(el('prompt').value),
            seed = el('seed').value.trim();
        if (n === 0) this.#fieldError('prompt', 'Please describe the video.');
        if (n > PROMPT_MAX)
            this.#fieldError('prompt', `At most ${PROMPT_MAX} characters; it has ${n}.`);
        if (this.#offered().seed && seed && !(/^\d{1,10}$/.test(seed) && seedFits(Number(seed))))
            this.#fieldError('seed', `A whole number from 0 to ${SEED_MAX}.`);
        if (this.#sending) this.#fieldError('uploadId', 'The picture is still on its way.');
        if (!this.#focusFirstError()) this.#start(this.#body());
    }

    /* At the price that is shown. A key alone would say that the same wish twice is meant. */
    #start(wish) {
        const quote = this.#quotes.held(this.#inQuestion(wish));
        this.#sent = { ...wish, allowDuplicate: false, ...(quote && { quoteId: quote.id }) };
        this.#intents.start(this.#sent);
    }

    #makeAgain() {
        setShown(el('again'), false);
        this.#sent = { ...this.#sent, allowDuplicate: true };
        this.#intents.start(this.#sent);
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
            this.#quotes.again();
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
        if (problem.code === 'duplicate_request') {
            setShown(el('again'), true);
            el('again').scrollIntoView({ block: 'nearest' });
            el('again-words').focus();
            return;
        }
        const isOfQuote = STALE.has(problem.code) || problem.errors.some((e) => e.path === '/quoteId');
        if (isOfQuote || problem.limit) this.#quotes.again();
        const rest = [],
            told = new Map();
        for (const error of isOfQuote ? [] : problem.errors) {
            const name = fieldOfPath(error.path);
            if (!FIELDS.includes(name) || this.#isHidden(name)) rest.push(`${fieldWords(error)}.`);
            else told.set(name, [...(told.get(name) ?? []), `${fieldWords(error)}.`]);
        }
        /* Of a route each model says why not: one line each. */
        for (const [name, lines] of told) this.#fieldError(name, lines.join('\n'));
        if (isOfQuote) rest.push(errorWords({ ...problem, code: STALE.has(problem.code) ? problem.code : 'quote_expired' }));
        else if (problem.errors.length === 0) rest.push(refusalWords(problem, this.#currency()));
        setText(el('create-error'), rest.join('\n'));
        if (!this.#focusFirstError()) el('create-error').focus();
    }

    #currency() {
        return this.#offered()?.models[0].pricing.currency;
    }

    #isHidden(name) {
        return el(`${name}-error`).closest('.field')?.hidden ?? false;
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
        if (IN_MORE.includes(name)) el('more').open = true;
        (el(name) ?? form().querySelector(`[name="${name}"]:checked`))?.focus();
        return true;
    }

    #clearErrors() {
        for (const name of FIELDS) this.#fieldError(name, '');
        setText(el('create-error'), '');
        setShown(el('again'), false);
    }
}

const seedFits = (seed) => Number.isInteger(seed) && seed >= 0 && seed <= SEED_MAX;

/* What the door says against a wish: a line for each model of a route, or for each field. */
const doorWords = (problem) =>
    problem.errors.length > 0 ? problem.errors.map((e) => `${fieldWords(e)}.`) : [errorWords(problem)];

/* The proportions, drawn to fit a square. */
function shape({ aspectRatio }) {
    const [across, up] = aspectRatio.split(':').map(Number);
    const longest = Math.max(across, up);
    const box = make('span', { className: 'shape' });
    box.style.width = `${(SHAPE_PX * across) / longest}px`;
    box.style.height = `${(SHAPE_PX * up) / longest}px`;
    const words = make(
        'span',
        { className: 'choice-words' },
        aspectRatio,
        make('small', { textContent: spokenRatio[aspectRatio] ?? '' }),
    );
    return [make('span', { className: 'shape-box' }, box), words];
}

function resolution(sizes) {
    return (value) => {
        const { width, height } = sizes.find((s) => s.resolution === value);
        const pixels = width ? `${width} × ${height}` : '';
        const words = make('small', { textContent: pixels });
        return [make('span', { className: 'choice-words' }, value, words)];
    };
}
