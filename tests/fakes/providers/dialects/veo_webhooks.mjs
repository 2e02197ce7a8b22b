/* Webhooks that are registered with the Gemini API once, for all requests that name none of their own. */
import { randomBytes } from 'node:crypto';
import { json } from '../answer.mjs';
import { webhookSecret } from '../keys.mjs';

const EVENT =
    /^(video\.generated|batch\.(succeeded|expired|failed)|interaction\.(requires_action|completed|failed))$/;
const iso = () => new Date().toISOString();

export class Webhooks {
    #byId = new Map();
    /* Known beforehand to those who check signatures, until it is rotated. */
    #secrets = [webhookSecret('veo')];

    constructor(problem) {
        this.problem = problem;
    }

    /* Where to tell of a video; undefined: nowhere. */
    target() {
        return [...this.#byId.values()].find(({ state, subscribed_events: events }) =>
            state === 'enabled' && events.includes('video.generated'))?.uri;
    }

    /* The one in use, and the one before while it holds. */
    secrets() {
        return this.#secrets;
    }

    #fault({ uri, subscribed_events: events }) {
        return !/^https?:\/\//.test(uri) || !Array.isArray(events) || !events.length ||
            !events.every((event) => EVENT.test(event));
    }

    #create(q) {
        if (!q.json || this.#fault(q.json))
            return this.problem('INVALID_ARGUMENT', 'uri and subscribed_events are required.');
        const { name, uri, subscribed_events } = q.json, id = randomBytes(8).toString('hex');
        const hook = { id, name, uri, subscribed_events, state: 'enabled', create_time: iso(), update_time: iso() };
        this.#byId.set(id, hook);
        return json(200, { ...hook, new_signing_secret: this.#secrets[0] });
    }

    #update(hook, q) {
        const changed = { ...hook, ...q.json };
        if (this.#fault(changed))
            return this.problem('INVALID_ARGUMENT', 'uri and subscribed_events are required.');
        this.#byId.set(hook.id, { ...changed, id: hook.id, update_time: iso() });
        return json(200, this.#byId.get(hook.id));
    }

    #rotate(q) {
        const secret = `whsec_${randomBytes(32).toString('base64')}`;
        const both = q.json?.revocation_behavior?.toUpperCase() === 'REVOKE_PREVIOUS_SECRETS_AFTER_H24';
        this.#secrets = both ? [secret, this.#secrets[0]] : [secret];
        return json(200, { secret });
    }

    /* Under both versions of the API. */
    routes() {
        const one = (answer) => (q) => {
            const hook = this.#byId.get(q.params.id);
            return hook ? answer(hook, q) : this.problem('NOT_FOUND', 'Webhook not found.');
        };
        return ['/v1/webhooks', '/v1beta/webhooks'].flatMap((path) => [
            { method: 'POST', path, kind: 'other', answer: (q) => this.#create(q) },
            { method: 'GET', path, kind: 'other', answer: () => json(200, { webhooks: [...this.#byId.values()] }) },
            { method: 'POST', path: `${path}/{id}:rotateSigningSecret`, kind: 'other',
              answer: one((hook, q) => this.#rotate(q)) },
            { method: 'GET', path: `${path}/{id}`, kind: 'other', answer: one((hook) => json(200, hook)) },
            { method: 'PATCH', path: `${path}/{id}`, kind: 'other', answer: one((hook, q) => this.#update(hook, q)) },
            { method: 'DELETE', path: `${path}/{id}`, kind: 'other', answer: one((hook) => {
                this.#byId.delete(hook.id);
                return json(200, {});
            }) },
        ]);
    }
}
