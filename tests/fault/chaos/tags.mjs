/* What is asked for, and what its provider is told to do wrong with it. */

/* [weight, tags]; numbers are milliseconds, or seconds of a Retry-After. */
export const TAGS = [
    [30, ''], [3, 'answer-lost'], [2, 'answer-late=2500'], [2, 'answer-late=4000'], [2, '500-after'],
    [2, 'wrong-type=submit'], [1, 'truncated-json=submit'], [2, 'hang=5000'], [2, '429=1'], [2, '500-before'],
    [1, 'refused'], [1, 'moderated-submit'], [0.3, 'bad-auth'], [0.3, 'no-credit'], [0.3, 'park'], [2, 'slow'], [1, 'stuck'],
    [1, 'unknown-status'], [1, 'regresses'], [2, 'poll-500'], [1, 'poll-429=1'], [1, 'forgets'], [2, 'wrong-type'],
    [2, 'truncated-json'], [2, 'fails'], [1, 'fails-retryable'], [1, 'moderated-run'], [1, 'moderated-output'],
    [1, 'done-empty'], [3, 'file-truncated*1'], [2, 'file-truncated=quiet*1'], [1, 'file-wrong*1'],
    [1, 'file-missing'], [1, 'file-not-video'], [2, 'file-slow=3000*1'], [1, 'file-slow=15000*1'], [1, 'url-expired'],
    [4, 'callback-lost'], [3, 'callback-late=3000'], [4, 'callback-twice'], [3, 'callback-reordered'],
    [3, 'callback-forged'], [2, 'callback-old'], [1, 'no-cancel'],
    [1, 'answer-lost callback-lost'], [1, 'answer-lost callback-twice'], [1, 'slow callback-reordered'],
];

/* Whose door knows what to say; all others have words for it. */
const DOORS = {
    'moderated-submit': ['fal', 'kling', 'kling_legacy', 'luma', 'minimax', 'gateway', 'veo'],
    'park': ['kling', 'kling_legacy', 'minimax', 'gateway', 'runway', 'veo'],
    'callback-reordered': ['replicate', 'kling', 'kling_legacy', 'minimax', 'luma'],
    'callback-forged': ['replicate', 'kling', 'kling_legacy', 'fal', 'gateway', 'veo'],
    'callback-old': ['replicate', 'kling', 'kling_legacy', 'fal', 'gateway', 'veo'],
};
const NOT_AT_COMFYUI = ['429', 'poll-429', 'no-credit', 'moderated-submit', 'moderated-run', 'moderated-output'];
const ROUNDS = 2;          /* one may be canceled, or never come that far */
const STUDIO_SHARE = 0.03; /* it really renders */
const IMAGE_SHARE = 0.25;  /* of jobs of models that may have one */
export const IMAGES = [[10, 'good.png'], [1, 'slow.png'], [0.5, 'missing.png'], [0.5, 'text.png']];

export const namesOf = (tags) => tags.split(' ').filter(Boolean).map((tag) => tag.replace(/[=*].*/, ''));
export const written = (tags) => tags.split(' ').filter(Boolean).map((tag) => ` [sim:${tag}]`).join('');
export const tagKinds = () => [...new Set(TAGS.flatMap(([, tags]) => namesOf(tags)))].map((name) => `sim ${name}`);

export function allModels(catalogue) {
    return Object.entries(catalogue.providers).flatMap(([provider, { models, callbacks = false }]) =>
        Object.entries(models).map(([name, model]) => ({ name, model, provider, callbacks })));
}

/* True when that provider does something about each of the tags. */
function suits(tags, { provider, callbacks }) {
    return namesOf(tags).every((name) => (!name.startsWith('callback-') || callbacks) &&
        (DOORS[name] ?? [provider]).includes(provider) && (provider !== 'comfyui' || !NOT_AT_COMFYUI.includes(name)));
}

/* Hands out wishes to all clients: each tag some times, and each model once, before any comes by its weight. */
export class Deals {
    constructor(catalogue, dice, { tags = TAGS, models = allModels(catalogue), studio = true } = {}) {
        this.dice = dice;
        this.tags = tags;
        this.studio = models.filter(({ provider }) => studio && provider === 'studio');
        this.models = models.filter(({ provider }) => provider !== 'studio');
        this.deck = Array(ROUNDS).fill(tags.map(([, words]) => words)).flatMap((all) => dice.shuffled(all));
        this.unseen = dice.shuffled(this.models);
    }

    #model(tags) {
        const first = tags ? -1 : this.unseen.findIndex((one) => suits(tags, one));
        return first >= 0 ? this.unseen.splice(first, 1)[0] : this.dice.pick(this.models.filter((one) => suits(tags, one)));
    }

    /* { tags, model, provider, body } */
    next(hooks) {
        const { dice } = this, rendered = this.studio.length > 0 && dice.chance(STUDIO_SHARE);
        const tags = rendered ? '' : this.deck.pop() ?? dice.weighed(this.tags);
        const { name, model, provider } = rendered ? dice.pick(this.studio) : this.#model(tags);
        const body = { model: name, aspectRatio: dice.pick(Object.keys(model.sizes)),
                       duration: Array.isArray(model.durations) ? model.durations[0] : model.durations.min };
        if (rendered)
            body.resolution = '360p';
        let image;
        if (model.image === 'required' || (model.image === 'optional' && dice.chance(IMAGE_SHARE))) {
            image = dice.weighed(IMAGES);
            body.imageUrl = hooks.url(`/image/${image}`); /* where we fetch it, whoever makes the video */
        }
        return { tags, image, provider, body };
    }
}
