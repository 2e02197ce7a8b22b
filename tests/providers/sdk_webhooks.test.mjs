/* What the simulator signs after Standard Webhooks, verified by the library of those who wrote that standard. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { webhookSecret } from '../fakes/providers/keys.mjs';
import { until, world } from './sdk_world.mjs';

const SETTINGS = { resolution: '720p', aspect_ratio: '16:9', duration: 5, audio: 'off', multi_shot: false };
/* How to submit, with a URL for callbacks; OpenAI's are per account. */
const SUBMITS = {
    replicate: (prompt, webhook) => ['/v1/predictions',
        { version: 'x', input: { prompt }, webhook, webhook_events_filter: ['completed'] }],
    openai: (prompt) => ['/v1/videos', { prompt }],
    kling: (prompt, callback_url) =>
        ['/text-to-video/kling-3.0', { prompt, settings: SETTINGS, options: { callback_url } }],
    veo: (prompt) => ['/v1beta/models/veo-3.1-generate:predictLongRunning', { instances: [{ prompt }] }],
};

let at;
before(async () => {
    at = await world();
    at.sim.set({ hookBase: at.hook.url });
});
after(() => at.end());

for (const [name, made] of Object.entries(SUBMITS))
    test(name, async () => {
        const verifier = new Webhook(webhookSecret(name)), stranger = new Webhook(webhookSecret('nobody'));
        const headers = { 'Authorization': `Bearer sim-${name}`, 'x-goog-api-key': `sim-${name}`,
                          'Content-Type': 'application/json' };
        const where = `/${name}`;
        for (const tag of ['callback-twice', 'callback-forged', 'callback-old']) {
            const seen = at.hook.at(where).length, wanted = seen + (tag === 'callback-twice' ? 2 : 1);
            const [path, body] = made(`${name} [sim:${tag}]`, at.hook.url + where);
            const answer = await fetch(at.sim.url + where + path, { method: 'POST', headers, body: JSON.stringify(body) });
            assert.ok(answer.ok, await answer.text());
            /* Kling tells of the beginning too. */
            await until(tag, () => at.hook.at(where).length >= wanted + (name === 'kling' ? wanted - seen : 0));
            const got = at.hook.at(where).slice(seen);
            for (const { raw, headers: sent, json } of got) {
                if (tag === 'callback-twice')
                    assert.deepEqual(verifier.verify(raw, sent), json);
                else
                    assert.throws(() => verifier.verify(raw, sent), WebhookVerificationError, tag);
                assert.throws(() => stranger.verify(raw, sent), WebhookVerificationError);
            }
        }
    });
