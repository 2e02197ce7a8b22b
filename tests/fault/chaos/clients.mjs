/* Applications in front of filmgate: they create, repeat, walk away, cancel, delete, and look where they should not.
 * Each writes down what it asked for and what it was promised; the checker holds the product to that. */
import { setTimeout as pause } from 'node:timers/promises';

const PATIENCE_MS = 9000;

/* What a job's provider is told to do wrong: [weight, tags]. Numbers are milliseconds. */
export const TAGS = [
    [30, ''], [3, 'answer-lost'], [2, 'answer-late=2500'], [2, 'answer-late=4000'], [2, '500-after'],
    [2, 'wrong-type=submit'], [1, 'truncated-json=submit'], [2, 'hang=5000'], [2, '429=1'], [2, '500-before'],
    [1, 'refused'], [1, 'moderated-submit'], [0.3, 'bad-auth'], [0.3, 'no-credit'], [2, 'slow'], [1, 'stuck'],
    [1, 'unknown-status'], [1, 'regresses'], [2, 'poll-500'], [1, 'poll-429=1'], [1, 'forgets'], [2, 'wrong-type'],
    [2, 'truncated-json'], [2, 'fails'], [1, 'fails-retryable'], [1, 'moderated-run'], [1, 'moderated-output'],
    [1, 'done-empty'], [3, 'file-truncated*1'], [2, 'file-truncated=quiet*1'], [1, 'file-wrong*1'],
    [1, 'file-missing'], [1, 'file-not-video'], [1, 'url-expired'], [4, 'callback-lost'], [3, 'callback-late=3000'],
    [4, 'callback-twice'], [3, 'callback-reordered'], [3, 'callback-forged'], [2, 'callback-old'], [1, 'no-cancel'],
    [1, 'answer-lost callback-lost'], [1, 'answer-lost callback-twice'], [1, 'slow callback-reordered'],
];

const tagged = (tags) => tags.split(' ').filter(Boolean).map((tag) => ` [sim:${tag}]`).join('');

/* What all clients know together: intents by marker, and what was wrong at first sight. */
export class Ledger {
    intents = new Map(); /* marker -> { marker, who, tags, body, key, ids, cancels, deleted } */
    wrong = [];
    seen = new Set();    /* job ids */

    say(rule, words) {
        this.wrong.push({ rule, words });
    }
}

export class ClientActor {
    constructor(world, ledger, faults, dice, who, n, { tags = TAGS, models, routes = true } = {}) {
        Object.assign(this, { world, ledger, faults, dice, who, n, tags, routes });
        this.models = models ?? allModels(world.catalogue);
        this.turn = 0;
        this.mine = [];
    }

    /* { status, body } or { status: 0 } when there was no answer in time. */
    async ask(where, { method = 'GET', body, key, impatientMs, as = this.who } = {}) {
        try {
            const answer = await fetch(this.world.url + where, {
                method, redirect: 'manual', signal: AbortSignal.timeout(impatientMs ?? PATIENCE_MS),
                headers: { 'Authorization': `Bearer ${as.key}`, ...(body ? { 'Content-Type': 'application/json' } : {}),
                           ...(key ? { 'Idempotency-Key': key } : {}) },
                body: body && JSON.stringify(body),
            });
            const text = await answer.text();
            let json;
            try {
                json = JSON.parse(text);
            } catch { /* a film, or nothing */ }
            return { status: answer.status, body: json };
        } catch {
            return { status: 0 };
        }
    }

    #intent(withKey) {
        const { dice } = this, { name, model } = dice.pick(this.models), marker = `m${this.n}-${++this.turn}.`;
        const tags = dice.weighed(this.tags), ratio = dice.pick(Object.keys(model.sizes));
        const duration = Array.isArray(model.durations) ? model.durations[0] : model.durations.min;
        const body = { prompt: `a paper boat ${marker}${tagged(tags)}`, aspectRatio: ratio, duration, model: name };
        if (this.routes && dice.chance(0.15))
            Object.assign(body, { model: 'fast', aspectRatio: '16:9', duration: 5 });
        if (tags.includes('stuck'))
            body.deadlineSeconds = 12;
        const intent = { marker, who: this.who, tags, body, key: withKey ? `k-${marker}${dice.from(0, 1e9)}` : undefined,
                         ids: new Set(), cancels: 0, deleted: false, asked: 0, maybe: false };
        if (tags)
            for (const tag of tags.split(' '))
                this.faults.count(`sim ${tag.replace(/[=*].*/, '')}`);
        this.ledger.intents.set(marker, intent);
        return intent;
    }

    /* One POST; true when it was answered one way or the other. */
    async #post(intent, impatientMs) {
        intent.asked++;
        const answer = await this.ask('/v1/jobs', { method: 'POST', body: intent.body, key: intent.key, impatientMs });
        if (answer.status === 202) {
            intent.ids.add(answer.body.id);
            this.ledger.seen.add(answer.body.id);
            if (intent.ids.size > 1)
                this.ledger.say('one job per key', `${intent.marker} ${[...intent.ids].join(' ')}`);
            if (!this.mine.includes(intent))
                this.mine.push(intent);
            return true;
        }
        const unsure = [0, 409, 429, 500, 502, 503, 504].includes(answer.status);
        if (!unsure && !(answer.status === 400 || answer.status === 422))
            this.ledger.say('creates are answered', `${intent.marker}: ${answer.status} ${JSON.stringify(answer.body)}`);
        if (answer.status === 400 || answer.status === 422)
            intent.refused = answer.body;
        return !unsure;
    }

    async create() {
        const { dice } = this, withKey = dice.chance(0.75), intent = this.#intent(withKey);
        const hasty = dice.chance(0.1) ? dice.from(1, 40) : undefined;
        if (hasty)
            this.faults.count('client walks away');
        if (withKey && dice.chance(0.1)) {
            this.faults.count('client asks twice at once');
            await Promise.all([this.#post(intent), this.#post(intent)]);
        }
        let done = await this.#post(intent, hasty);
        for (let n = 0; !done && withKey && n < 6; n++) {
            this.faults.count('client repeats with its key');
            await pause(200 << Math.min(n, 3));
            done = await this.#post(intent);
        }
        if (!done && !withKey && dice.chance(0.7)) { /* without a key, asking again is another wish */
            this.faults.count('client repeats without a key');
            await this.#post(this.#intent(false));
        }
    }

    async repeat() {
        const intent = this.dice.pick(this.mine.filter((one) => one.key));
        if (!intent)
            return;
        this.faults.count('client repeats what was answered');
        await this.#post(intent);
    }

    /* The same key for another wish must be refused. */
    async misuse() {
        const intent = this.dice.pick(this.mine.filter((one) => one.key));
        if (!intent)
            return;
        const body = { ...intent.body, prompt: `${intent.body.prompt} else` };
        const answer = await this.ask('/v1/jobs', { method: 'POST', body, key: intent.key });
        if (answer.status === 202)
            this.ledger.say('a key is for one body', `${intent.marker}: answered ${answer.body.id}`);
    }

    async cancel() {
        const intent = this.dice.pick(this.mine);
        if (!intent)
            return;
        this.faults.count('client cancels');
        intent.cancels++; /* whatever is answered, it may have been done */
        await this.ask(`/v1/jobs/${[...intent.ids][0]}/cancel`, { method: 'POST' });
    }

    async erase() {
        const intent = this.dice.pick(this.mine);
        if (!intent)
            return;
        this.faults.count('client deletes');
        intent.eraseAsked = true;
        const answer = await this.ask(`/v1/jobs/${[...intent.ids][0]}`, { method: 'DELETE' });
        if (answer.status === 204)
            intent.deleted = true;
    }

    /* Another's job, by any verb, is not there. */
    async peek() {
        const others = [...this.ledger.intents.values()]
            .filter((one) => one.ids.size && one.who.account !== this.who.account);
        const intent = this.dice.pick(others);
        if (!intent)
            return;
        const id = [...intent.ids][0];
        const [method, where] = this.dice.pick([['GET', ''], ['GET', '/events'], ['POST', '/cancel'], ['DELETE', '']]);
        const answer = await this.ask(`/v1/jobs/${id}${where}`, { method });
        if (answer.status < 300 && answer.status > 0 || answer.status === 409)
            this.ledger.say('nothing to the wrong account', `${method} ${id}${where} by ${this.who.account}: ${answer.status}`);
    }

    /* What was promised is there, and the end is the end. */
    async look() {
        const intent = this.dice.pick(this.mine);
        if (!intent)
            return;
        const answer = await this.ask(`/v1/jobs/${[...intent.ids][0]}`);
        if (answer.status === 404)
            this.ledger.say('acknowledged creates have rows', `${intent.marker} ${[...intent.ids][0]}: 404`);
        if (answer.status !== 200)
            return;
        const { status } = answer.body;
        if (intent.end && intent.end !== status)
            this.ledger.say('an end is the end', `${intent.marker} ${answer.body.id}: ${intent.end}, then ${status}`);
        if (['succeeded', 'failed', 'expired'].includes(status))
            intent.end = status;
    }

    async live(endMs, everyMs = 600) {
        const { dice } = this;
        while (Date.now() < endMs) {
            await this[dice.weighed([[55, 'create'], [5, 'repeat'], [3, 'misuse'], [8, 'cancel'], [7, 'erase'],
                                     [8, 'peek'], [14, 'look']])]();
            await pause(dice.from(0, 2 * everyMs));
        }
    }
}

/* Those that need no reference image; the studio, which really renders, rarely. */
export function allModels(catalogue) {
    return Object.entries(catalogue.providers).flatMap(([provider, { models }]) => Object.entries(models)
        .filter(([, model]) => model.image !== 'required' && provider !== 'studio')
        .map(([name, model]) => ({ name, model, provider })));
}
