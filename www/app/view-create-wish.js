/* What stands on the form, as the request it would be; and what the door would say of it. */

import { el } from './dom.js';
import { verdictWords } from './form-errors.js';
import { characters, checkRequest, trimmed } from './rules.js';
import { serverNow } from './time.js';
import { errorWords, fieldOfPath, fieldWords } from './words.js';

/* In place of the prompt in a quote goes one of about its length, which is all that a price may depend on. */
const ANY_STEP = 250;
const LEFT_OUT = ['imageUrl', 'seed', 'negativePrompt'];

export const WRITTEN = ['prompt', ...LEFT_OUT];
export const written = (name) => el(name).value;

/* What JSON cannot carry, or the door does not take: halves of characters, NUL. */
const speakable = (text) => text.toWellFormed().replaceAll('\0', '');

export class WishRoom {
    world = null;
    #choices;
    #picture;

    constructor(choices, picture) {
        this.#choices = choices;
        this.#picture = picture;
    }

    /* Characters that the prompt may have; Infinity: not known yet. */
    get promptMax() {
        return Math.min(this.world?.rules.fields.prompt.max ?? Infinity, this.#choices.offer?.promptMax ?? Infinity);
    }

    get promptCharacters() {
        return characters(trimmed(written('prompt')));
    }

    get hasPicture() {
        return this.#picture.has || written('imageUrl').trim() !== '';
    }

    /* Only what the choice takes: the rest of the form is hidden. What is no number stays what it is, to be judged. */
    body() {
        const { offer } = this.#choices,
            seed = written('seed').trim(),
            address = written('imageUrl').trim(),
            negative = trimmed(written('negativePrompt')),
            body = { prompt: speakable(trimmed(written('prompt'))), ...this.#choices.settings, model: offer.name };
        if (this.#picture.id) body.uploadId = this.#picture.id;
        else if (offer.image !== 'none' && address) body.imageUrl = address;
        if (offer.seed && seed) body.seed = /^\d+$/.test(seed) ? Number(seed) : seed;
        if (offer.negativePrompt && negative) body.negativePrompt = speakable(negative);
        return body;
    }

    /* As it was left, taken or not: for a draft. null: nothing worth keeping. */
    draft() {
        const draft = { ...this.#choices.raw, model: this.#choices.offer?.name, uploadId: this.#picture.id };
        for (const name of WRITTEN) draft[name] = written(name);
        return draft.uploadId || WRITTEN.some((name) => draft[name] !== '') ? draft : null;
    }

    verdicts(body = this.body()) {
        return checkRequest(body, { ...this.world, now: serverNow() });
    }

    /* What a quote is asked for: without what is not finished yet. */
    inQuestion(wish = this.body()) {
        const steps = Math.max(1, Math.ceil(characters(wish.prompt) / ANY_STEP)),
            body = { ...wish, prompt: 'x'.repeat(Math.min(steps * ANY_STEP, this.promptMax)) },
            wrong = this.verdicts(body).map(({ path }) => fieldOfPath(path));
        for (const name of LEFT_OUT) if (wrong.includes(name)) delete body[name];
        return body;
    }

    /* The errors of a problem in words: ours where we judge the same, for those are in the page's language. known:
     * whether we do. */
    told(problem) {
        const left = this.world ? this.verdicts() : [];
        if (problem.errors.length === 0) return [{ error: null, words: errorWords(problem), known: true }];
        return problem.errors.map((error) => {
            const at = left.findIndex((v) => v.path === error.path && v.code === error.code),
                ours = at < 0 ? '' : verdictWords(left.splice(at, 1)[0]);
            return { error, words: ours || `${fieldWords(error)}.`, known: at >= 0 };
        });
    }
}
