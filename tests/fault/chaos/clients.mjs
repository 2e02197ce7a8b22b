/* Applications in front of filmgate: they create, repeat, walk away, cancel, delete, and look where they should not.
 * Each writes down what it asked for and what it was promised; the checker holds the product to that. */
import { setTimeout as pause } from 'node:timers/promises';
import { written } from './tags.mjs';

const PATIENCE_MS = 9000;
const STUCK_S = 12; /* the deadline of a job whose provider never ends it, or never takes it */

/* [weight, deed], and what each counts as. */
const DEEDS = [[53, 'create'], [5, 'repeat'], [3, 'misuse'], [8, 'cancel'], [7, 'erase'], [8, 'peek'], [2, 'rotate'], [14, 'look']];
export const CLIENT_KINDS = ['walks away', 'asks twice at once', 'repeats with its key', 'repeats without a key',
    'repeats what was answered', 'misuses a key', 'cancels', 'deletes', 'peeks', 'rotates a secret'].map((what) => `client ${what}`);

/* What all clients know together: intents by marker, and what was wrong at first sight. */
export class Ledger {
    intents = new Map(); /* marker -> { marker, who, userId, tags, image, body, key, ids, cancels, deleted } */
    wrong = [];
    seen = new Set();    /* job ids */

    say(rule, words) {
        this.wrong.push({ rule, words });
    }
}

export class ClientActor {
    constructor(world, ledger, faults, dice, deals, who, n, { routes = true } = {}) {
        Object.assign(this, { world, ledger, faults, dice, deals, who, n, routes });
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
        const { dice, who } = this, number = `${this.n}-${++this.turn}`, marker = `m${number}.`;
        const { tags, image, body } = this.deals.next(this.world.hooks);
        body.prompt = `a paper boat ${marker}${written(tags)}`;
        if (this.routes && dice.chance(0.15))
            Object.assign(body, { model: body.imageUrl ? 'image' : 'fast', aspectRatio: '16:9', duration: 5 });
        if (/\b(stuck|park)\b/.test(tags))
            body.deadlineSeconds = STUCK_S;
        if (dice.chance(0.5))
            body.metadata = { order: `meta-${marker}` };
        if (!who.userId && dice.chance(0.25))
            body.callbackUrl = this.world.hooks.url(`/j/${number}`);
        if (!who.userId && dice.chance(0.3))
            body.userId = dice.pick(['ann', 'bob', 'eve']);
        const intent = { marker, who, tags, image, body, key: withKey ? `k-${marker}${dice.from(0, 1e9)}` : undefined,
                         userId: who.userId ?? body.userId, ids: new Set(), cancels: 0, deleted: false, asked: 0 };
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
        const { dice } = this, withKey = dice.chance(0.65), intent = this.#intent(withKey);
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
        if (!done && !withKey) { /* without a key, asking again is another wish */
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
        this.faults.count('client misuses a key');
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
        if (answer.status === 204) {
            intent.deleted = true;
            intent.deletedMs ??= Date.now();
        }
    }

    /* The old secret goes on signing beside the new one, which its owner may never have been told. */
    async rotate() {
        const endpoint = this.dice.pick(this.world.endpoints.filter((one) => one.account === this.who.account));
        if (!endpoint || this.who.userId)
            return;
        this.faults.count('client rotates a secret');
        const answer = await this.ask(`/v1/webhook-endpoints/${endpoint.id}/rotate-secret`, { method: 'POST', body: {} });
        if (answer.status === 200)
            endpoint.secrets.push(answer.body.secret);
    }

    /* Another's job, by any verb, is not there. */
    async peek() {
        const others = [...this.ledger.intents.values()]
            .filter((one) => one.ids.size && one.who.account !== this.who.account);
        const intent = this.dice.pick(others);
        if (!intent)
            return;
        this.faults.count('client peeks');
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
            await this[dice.weighed(DEEDS)]();
            await pause(dice.from(0, 2 * everyMs));
        }
    }
}
