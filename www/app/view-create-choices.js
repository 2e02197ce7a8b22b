/* What can be chosen: by whom, and what that allows. What does not go together is told with its reason, and what a
 * choice has changed is told, too (fit.js). */

import { el, make, setShown, setText } from './dom.js';
import { settle, valuesOf } from './fit.js';
import { offersOf } from './offer.js';
import { texts } from './texts.js';
import { priceWords, routeWords, spokenRatio, waitWords } from './words.js';

const SHAPE_PX = 34;
const USUAL_SECONDS = 5;
const TICKS_MAX = 12;
const GROUPS = { aspectRatio: 'aspect-ratios', resolution: 'resolutions', audio: 'audios' };
const CHANGEABLE = ['aspectRatio', 'duration', 'resolution', 'audio'];
const asOption = ({ name }) => make('option', { value: name, textContent: name });
const isOff = (option) => option.only !== undefined;

export class ChoiceRoom {
    #offers = [];
    #chosen = {};
    #seconds = [];
    #waitOf;

    /* waitOf(model): its estimate of a wait, or undefined. */
    constructor(waitOf) {
        this.#waitOf = waitOf;
    }

    /* False: there is nothing to choose from. */
    load(world) {
        this.#offers = offersOf(world, world.plan);
        const before = el('model').value,
            routes = this.#offers.filter((o) => o.isRoute),
            models = this.#offers.filter((o) => !o.isRoute),
            providers = [...new Set(models.map((o) => o.models[0].provider))];
        el('model').replaceChildren(
            ...routes.map((o) => make('option', { value: o.name, textContent: routeWords(o.name) })),
            ...providers.map((label) =>
                make('optgroup', { label }, ...models.filter((o) => o.models[0].provider === label).map(asOption))),
        );
        this.name(world.defaultRoute);
        this.name(before);
        setShown(el('model-field'), models.length > 1);
        return this.#offers.length > 0;
    }

    /* False: it is not offered here, and the choice stays. */
    name(name) {
        const found = this.#offers.some((o) => o.name === name);
        if (found) el('model').value = name;
        return found;
    }

    get offer() {
        return this.#offers.find((o) => o.name === el('model').value) ?? this.#offers[0];
    }

    /* { aspectRatio, duration, resolution, audio } as in a request. */
    get settings() {
        const { aspectRatio, duration, resolution, audio } = this.#chosen;
        const sound = { true: true, false: false }[audio];
        return { aspectRatio, duration, resolution, ...(sound !== undefined && { audio: sound }) };
    }

    /* What stands on the form, for a draft or before it is settled. */
    get raw() {
        return { ...this.#chosen };
    }

    /* A hand has moved something. */
    edited({ name, value }) {
        if (name === 'duration') this.#chosen.duration = this.#seconds[Number(value)] ?? this.#chosen.duration;
        else if (GROUPS[name]) this.#chosen[name] = value;
    }

    /* Shows what the choice takes, keeping what was chosen, or is wanted, where it fits. What that changes is told. */
    settle(want, image) {
        const offer = this.offer,
            before = this.#chosen;
        if (!offer) return;
        const { chosen, options } = settle(offer, { ...before, ...want, image }, USUAL_SECONDS);
        this.#chosen = Object.fromEntries(CHANGEABLE.map((name) => [name, chosen[name]]));
        this.#radios('aspectRatio', options, (value) => shape(value));
        this.#radios('resolution', options, resolution(offer, chosen.aspectRatio));
        this.#radios('audio', options, (value) => [make('span', { textContent: texts.create.named.audio(value) })]);
        this.#lengths(options.duration);
        this.#shapeOfPicture(chosen.image && offer.imageDecidesRatio);
        this.#changes(before, want);
        this.tellFacts();
        setShown(el('audio-field'), options.audio.length > 0);
        setShown(el('seed-field'), offer.seed);
        setShown(el('negativePrompt-field'), offer.negativePrompt);
        setShown(el('more'), options.audio.length > 0 || offer.seed || offer.negativePrompt);
    }

    /* ---- each group ---- */

    #radios(name, options, face) {
        const box = el(GROUPS[name]),
            faces = options[name].map((o) => face(o.value)),
            looks = JSON.stringify(options[name].map((o, i) => [o.value, ...faces[i].map((f) => f.textContent)]));
        if (box.dataset.looks !== looks) {
            box.dataset.looks = looks;
            box.replaceChildren(...options[name].map(({ value }, i) =>
                make('label', {}, make('input', { type: 'radio', name, value }), ...faces[i])));
        }
        box.querySelectorAll('input').forEach((input, i) => {
            input.checked = input.value === this.#chosen[name];
            input.disabled = isOff(options[name][i]);
        });
        setText(el(`${name}-why`), whyNot(name, options[name]));
    }

    /* The slider goes over the lengths there are, one step each: they need not be evenly spaced. */
    #lengths(options) {
        const slider = el('duration'),
            list = options.filter((o) => !isOff(o)).map((o) => o.value),
            last = list.length - 1,
            sparse = last + 1 > TICKS_MAX ? 2 : 1,
            seconds = this.#chosen.duration;
        this.#seconds = list;
        slider.max = last;
        slider.value = list.indexOf(seconds);
        slider.disabled = last === 0;
        el('duration-ticks').replaceChildren(...list.map((s, i) => make('span', { textContent: i % sparse ? '' : s })));
        setText(el('duration-out'), texts.create.secondsShort(seconds));
        slider.setAttribute('aria-valuetext', texts.create.seconds(seconds));
        setText(el('duration-why'), whyNot('duration', options));
    }

    #shapeOfPicture(decides) {
        if (!decides) return;
        for (const input of el('aspect-ratios').querySelectorAll('input')) input.disabled = true;
        setText(el('aspectRatio-why'), texts.create.pictureDecides);
    }

    #changes(before, want) {
        const moved = CHANGEABLE.filter((name) => {
            const was = want[name] ?? before[name];
            return was !== undefined && this.#chosen[name] !== undefined && was !== this.#chosen[name];
        });
        const { changed, nowIs } = texts.create;
        if (moved.length > 0) setText(el('changed'), changed(moved.map((name) => nowIs[name](this.#chosen[name]))));
        setShown(el('changed'), moved.length > 0);
    }

    tellFacts() {
        const { offer } = this,
            { can } = texts.create;
        if (!offer) return;
        const [model] = offer.models;
        const words = [
            offer.isRoute && offer.models.length > 1 && can.first(offer.models.map((m) => m.name)),
            can.sound[offer.audio],
            can.picture[offer.image],
            can.lengths(offer.durations),
            can.shapes(valuesOf(offer, 'aspectRatio')),
            can.sizes(valuesOf(offer, 'resolution')),
            listPrice(offer.models),
            waitWords(this.#waitOf(model.name)),
            !offer.isRoute && model.retiresOn && can.until(model.retiresOn),
        ];
        const list = words.filter(Boolean);
        if (el('model-facts').dataset.says === list.join()) return;
        el('model-facts').dataset.says = list.join();
        el('model-facts').replaceChildren(...list.map((textContent) => make('li', { textContent })));
    }
}

/* "1080p: only at 8 seconds. 4k: not with this choice." */
function whyNot(name, options) {
    const { named, only } = texts.create;
    return options.filter(isOff).map(({ value, only: with_ }) =>
        (with_ ? only[with_.field](named[name](value), with_.list) : only.none(named[name](value)))).join(' ');
}

/* What is asked for it everywhere; the plan's own price comes with the quote. */
function listPrice(models) {
    const [{ pricing }] = models,
        all = models.flatMap((m) => m.pricing.byResolution.map((p) => p.micro));
    if (models.some((m) => m.pricing.per !== pricing.per || m.pricing.currency !== pricing.currency)) return '';
    const least = Math.min(...all),
        words = { price: priceWords(least, pricing.currency), from: Math.max(...all) > least };
    return pricing.per === 'clip' ? texts.create.can.perClip(words) : texts.create.can.perSecond(words);
}

/* The proportions, drawn to fit a square. */
function shape(aspectRatio) {
    const [across, up] = aspectRatio.split(':').map(Number);
    const longest = Math.max(across, up);
    const box = make('span', { className: 'shape' });
    box.style.width = `${(SHAPE_PX * across) / longest}px`;
    box.style.height = `${(SHAPE_PX * up) / longest}px`;
    const small = make('small', { textContent: spokenRatio[aspectRatio] ?? '' });
    const words = make('span', { className: 'choice-words' }, aspectRatio, small);
    return [make('span', { className: 'shape-box' }, box), words];
}

function resolution({ sizes }, ratio) {
    return (value) => {
        const { width, height } = sizes.find((s) => s.resolution === value && s.aspectRatio === ratio) ?? {};
        const small = make('small', { textContent: width ? `${width} × ${height}` : '' });
        return [make('span', { className: 'choice-words' }, value, small)];
    };
}
