/* The form: one wish is under way at a time (intent.js). Its rooms: what can be chosen (view-create-choices.js), the
 * first picture (-picture), the price (-price), what all of it comes to (-wish), the stop for duplicates (-again), and
 * what is wrong (form-errors.js), as the door's own rules judge it (rules.js). */

import { api } from './api.js';
import { announce, el, setShown, setText } from './dom.js';
import { draftOf, keepDraft } from './draft.js';
import { FormErrors, verdictWords } from './form-errors.js';
import { Intents } from './intent.js';
import { refusalWords } from './money.js';
import { Quotes } from './quote.js';
import { texts } from './texts.js';
import { AgainRoom } from './view-create-again.js';
import { ChoiceRoom } from './view-create-choices.js';
import { PictureRoom } from './view-create-picture.js';
import { PriceRoom } from './view-create-price.js';
import { WishRoom, WRITTEN, written } from './view-create-wish.js';
import { Weather } from './weather.js';
import { errorWords, fieldOfPath, promptCountWords, weatherWords } from './words.js';

const MODELS_AGAIN_MS = 4000;
const NEAR_THE_END = 100;
const STALE = new Set(['quote_used', 'quote_expired', 'quote_mismatch']);
/* Half of an address is no mistake yet. */
const JUDGED_LATE = new Set(['imageUrl']);

const form = () => el('create-form');

/* The field that a verdict or an error stands beside. */
function fieldOf({ path, code }) {
    const name = fieldOfPath(path);
    return name === 'imageUrl' && (code === 'required' || code === 'unsupported') ? 'uploadId' : name;
}

/* Nobody is told of it who has only just begun. */
const isEmptyPrompt = ({ path, code, n }) => path === '/prompt' && (code === 'required' || n === 0);

export class CreateView {
    #owner;
    #plan;
    #done;
    #intents;
    #sent = null;
    #seedOfVariation = '';
    #touched = new Set();
    #stopped = new AbortController();
    #timer = 0;
    #quotes = new Quotes((body, quote, problem) => this.#quoted(quote, problem));
    #weather = new Weather(() => this.#weathered());
    #choices = new ChoiceRoom((model) => this.#weather.waitOf(model));
    #price = new PriceRoom();
    #errors = new FormErrors(form());
    #picture;
    #wish;
    #again;

    /* plan: of GET /v1/me. done(job): it has been taken on. */
    constructor(owner, plan, done) {
        const on = (node, type, fn) => node.addEventListener(type, fn, { signal: this.#stopped.signal });
        this.#owner = owner;
        this.#plan = plan;
        this.#done = done;
        this.#intents = new Intents(owner, (what, detail) => this.#heard(what, detail));
        this.#picture = new PictureRoom({
            on,
            section: form().closest('section'),
            wrong: (words) => this.#errors.set('uploadId', words),
            changed: () => this.#pictured(),
        });
        this.#wish = new WishRoom(this.#choices, this.#picture);
        this.#again = new AgainRoom({ on, yes: () => this.#send({ ...this.#sent, allowDuplicate: true }) });
        on(form(), 'submit', (event) => {
            event.preventDefault();
            this.#submit();
        });
        on(form(), 'input', (event) => this.#edited(event.target));
        on(form(), 'change', (event) => this.#left(event.target));
        on(form(), 'keydown', (event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form().requestSubmit();
        });
        on(el('sending-stop'), 'click', () => this.#intents.drop());
    }

    start() {
        const interrupted = this.#intents.resume(),
            draft = interrupted ? null : draftOf(this.#owner),
            body = interrupted ?? draft;
        this.#sent = interrupted;
        this.#busy(interrupted !== null);
        if (body) this.#apply(body);
        if (draft) announce(texts.create.restored);
        this.#price.button(null);
        this.#load(body ?? {});
        this.#weather.start();
    }

    stop() {
        clearTimeout(this.#timer);
        this.#quotes.stop();
        this.#weather.stop();
        this.#stopped.abort();
        this.#intents.rest();
        this.#errors.clear();
        this.#again.hide();
        this.#price.clear();
        this.#picture.drop();
        this.#hush();
        for (const name of WRITTEN) el(name).value = '';
    }

    hurry() {
        this.#intents.hurry();
    }

    /* The words and settings of an earlier video. variation: the same, but for the seed. */
    fill(job, { variation = false } = {}) {
        if (this.#intents.current) {
            announce(texts.create.isSending);
            return;
        }
        const want = { ...job, model: job.route ?? job.model },
            said = variation ? this.#vary(want) : texts.create.filled;
        this.#errors.clear();
        this.#touched.clear();
        this.#again.hide();
        this.#apply(want);
        this.#settle(want);
        this.#keep();
        setText(el('filled'), this.#notOffered(want) || said);
        setShown(el('filled'), true);
        el('prompt').focus();
        announce(el('filled').textContent);
    }

    /* Changes the wish; gives what is said of it. */
    #vary(want) {
        const { data = [], routes = [], rules } = this.#wish.world ?? {},
            names = routes.find((r) => r.name === want.model)?.models ?? [want.model];
        this.#seedOfVariation = '';
        if (!data.some((m) => names.includes(m.name) && m.seed)) {
            delete want.seed;
            return texts.create.variationWithoutSeed;
        }
        const [dice] = crypto.getRandomValues(new Uint32Array(1));
        want.seed = dice % (rules.fields.seed.max + 1);
        this.#seedOfVariation = String(want.seed);
        return texts.create.variation;
    }

    #notOffered({ model }) {
        const now = this.#choices.offer?.name;
        return !model || !now || now === model ? '' : texts.create.notOffered({ name: model, now });
    }

    /* ---- what there is ---- */

    async #load(want) {
        try {
            this.#wish.world = { ...(await api.models()), plan: this.#plan };
        } catch {
            if (this.#stopped.signal.aborted) return;
            this.#timer = setTimeout(() => this.#load(want), MODELS_AGAIN_MS);
            this.#price.say(texts.create.waitingForModels);
            return;
        }
        if (this.#stopped.signal.aborted) return;
        if (this.#choices.load(this.#wish.world)) this.#settle(want);
        else this.#price.say(texts.create.noModel);
    }

    /* The door knows better: its list of models, or the account's plan, has changed since. */
    async #loadAnew() {
        try {
            const [list, { plan, currency }] = await Promise.all([api.models(), api.me()]);
            if (this.#stopped.signal.aborted) return;
            this.#plan = plan;
            this.#wish.world = { ...list, plan, currency };
            if (this.#choices.load(this.#wish.world)) this.#settle({});
        } catch {
            return; /* as it was */
        }
    }

    /* want: a request, or what of it is to change. */
    #settle({ model, aspectRatio, duration, resolution, audio }) {
        const want = Object.entries({ aspectRatio, duration, resolution }).filter(([, value]) => value);
        if (!this.#wish.world || !this.#choices.offer) return;
        if (audio !== undefined) want.push(['audio', audio === null ? '' : String(audio)]);
        this.#choices.name(model);
        const { offer } = this.#choices,
            has = this.#wish.hasPicture;
        this.#picture.rule(this.#wish.world, offer.image);
        setShown(el('picture-field'), offer.image !== 'none' || has);
        setText(el('picture-out'), offer.image === 'none' && has ? texts.create.pictureLeftOut(offer.name) : '');
        this.#choices.settle(Object.fromEntries(want), has);
        this.#notice();
        this.#count();
        this.#judge();
        this.#sums();
    }

    #weathered() {
        this.#notice();
        this.#choices.tellFacts();
    }

    #notice() {
        const { offer } = this.#choices,
            words = offer ? weatherWords(offer, (provider) => this.#weather.of(provider)) : '';
        setText(el('weather'), words);
        setShown(el('weather'), words !== '');
    }

    #apply(body) {
        for (const name of WRITTEN) el(name).value = body[name] ?? '';
        if ((body.seed ?? '') !== '' || body.negativePrompt) el('more').open = true;
        /* A picture that was fetched is fetched anew. */
        if (body.imageUrl) el('picture-address').open = true;
        this.#picture.take(body.imageUrl ? null : body.uploadId);
        this.#addresses();
    }

    /* ---- what a hand does ---- */

    #edited(target) {
        const { name } = target;
        if (!name || name === 'uploadId') return;
        this.#again.hide();
        setShown(el('filled'), false);
        this.#errors.say('');
        if (name === 'model') this.#errors.clear();
        if (WRITTEN.includes(name)) this.#wrote(name);
        else this.#choices.edited(target);
        if (!WRITTEN.includes(name) || name === 'imageUrl') this.#settle({});
        this.#keep();
    }

    #wrote(name) {
        if (JUDGED_LATE.has(name)) {
            this.#touched.delete(name);
            this.#errors.set(name, '');
            return;
        }
        this.#touched.add(name);
        this.#count();
        this.#judge();
        this.#sums();
    }

    /* Done with a field. */
    #left({ name }) {
        if (!JUDGED_LATE.has(name)) return;
        this.#touched.add(name);
        this.#judge();
    }

    #pictured() {
        this.#addresses();
        this.#settle({});
        this.#keep();
    }

    /* A picture is given once. */
    #addresses() {
        el('imageUrl').disabled = this.#picture.has;
        setText(el('image-hint'), this.#picture.has ? texts.create.picture.addressOff : '');
    }

    #keep() {
        keepDraft(this.#owner, this.#wish.draft());
    }

    #count() {
        const max = this.#wish.promptMax,
            n = this.#wish.promptCharacters;
        if (max === Infinity) return;
        setText(el('prompt-count'), texts.create.counter({ n, max }));
        el('prompt-count').classList.toggle('over', n > max);
        /* Told only near the end: a count after every key would drown what is typed. */
        setText(el('prompt-left'), n > max - NEAR_THE_END ? promptCountWords(max - n) : '');
    }

    #hush() {
        for (const id of ['changed', 'filled']) setShown(el(id), false);
    }

    /* ---- what is wrong ---- */

    /* Of fields that have been touched; all: of every one. */
    #judge(all = false) {
        if (!this.#wish.world || !this.#choices.offer) return;
        const told = new Map();
        for (const verdict of this.#wish.verdicts()) {
            const name = fieldOf(verdict);
            if (all || (this.#touched.has(name) && !isEmptyPrompt(verdict)))
                told.set(name, [...(told.get(name) ?? []), verdictWords(verdict)]);
        }
        for (const name of this.#errors.fields)
            if (this.#errors.has(name) && (told.has(name) || this.#touched.has(name)))
                this.#errors.set(name, (told.get(name) ?? []).join('\n'));
    }

    /* ---- what it costs ---- */

    #sums() {
        const body = this.#wish.inQuestion();
        if (!this.#quotes.held(body)) this.#price.asking();
        this.#quotes.ask(body);
    }

    /* The list of models has prices too, but not this account's: what is shown is what will be paid. */
    #quoted(quote, problem) {
        const { notWithThese, priceUnknown } = texts.create;
        if (quote) this.#price.show(quote, this.#choices.offer.models.length > 1, this.#errors.rest);
        else if (problem.status === 400 || problem.status === 403)
            this.#price.none(notWithThese, this.#wish.told(problem)[0].words);
        else this.#price.none(priceUnknown, '');
    }

    /* ---- sending ---- */

    #submit() {
        if (this.#intents.current || !this.#choices.offer) return;
        this.#errors.clear();
        for (const name of WRITTEN) this.#touched.add(name);
        if (this.#picture.isSending) this.#errors.set('uploadId', texts.create.pictureOnItsWay);
        else this.#judge(true);
        if (this.#errors.lead()) return;
        const wish = this.#wish.body(),
            quote = this.#quotes.held(this.#wish.inQuestion(wish));
        /* At the price that is shown. A key alone would say that the same wish twice is meant. */
        this.#send({ ...wish, allowDuplicate: false, ...(quote && { quoteId: quote.id }) });
    }

    #send(body) {
        this.#sent = body;
        this.#intents.start(body);
    }

    #heard(what, detail) {
        const { sending, noAnswerYet, tryingAgain, stopped } = texts.create;
        this.#busy(what === 'sending' || what === 'waiting');
        if (what === 'sending' && detail === 0) setText(el('sending-words'), sending);
        if (what === 'waiting')
            setText(
                el('sending-words'),
                `${detail.code === undefined ? noAnswerYet : errorWords(detail)} ${tryingAgain}`,
            );
        if (what === 'done') this.#taken(detail);
        if (what === 'refused') this.#refused(detail);
        if (what === 'dropped') this.#errors.say(stopped);
    }

    #taken(job) {
        el('prompt').value = '';
        if (written('seed') === this.#seedOfVariation) el('seed').value = '';
        this.#seedOfVariation = '';
        this.#touched.clear();
        this.#errors.clear();
        this.#hush();
        this.#count();
        this.#keep();
        this.#quotes.again();
        this.#done(job);
        announce(texts.create.takenOn);
    }

    #busy(busy) {
        setShown(el('sending'), busy);
        if (busy) el('sending').scrollIntoView({ block: 'nearest' });
        el('create-go').setAttribute('aria-disabled', String(busy));
        el('prompt').readOnly = busy;
    }

    #refused(problem) {
        const isOfQuote = STALE.has(problem.code) || problem.errors.some((e) => fieldOfPath(e.path) === 'quoteId');
        if (problem.code === 'duplicate_request') {
            this.#again.ask(problem);
            return;
        }
        if (isOfQuote || problem.limit) this.#quotes.again();
        if (isOfQuote)
            this.#errors.say(
                errorWords({ ...problem, code: STALE.has(problem.code) ? problem.code : 'quote_expired' }),
            );
        else if (problem.errors.length === 0)
            this.#errors.say(refusalWords(problem, this.#choices.offer?.models[0].pricing.currency));
        else this.#blame(problem);
        if (!this.#errors.lead()) el('create-error').focus();
    }

    /* Each error to its field, of a route each model's in a line; what has no field stands beside the button. */
    #blame(problem) {
        const rest = [],
            beside = new Map(),
            all = this.#wish.told(problem);
        for (const { error, words } of all) {
            const name = fieldOf(error);
            if (this.#errors.has(name)) beside.set(name, [...(beside.get(name) ?? []), words]);
            else rest.push(words);
        }
        for (const [name, lines] of beside) this.#errors.set(name, lines.join('\n'));
        this.#errors.say(rest.join('\n'));
        if (all.some(({ known }) => !known)) this.#loadAnew();
    }
}
