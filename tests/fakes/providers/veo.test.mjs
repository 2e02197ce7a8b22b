import assert from 'node:assert/strict';
import { createPublicKey, createVerify } from 'node:crypto';
import { get } from 'node:http';
import { after, before, test } from 'node:test';
import { until } from '../../e2e/stack.mjs';
import { webhookSecret } from './keys.mjs';
import { startSimulator } from './simulator.mjs';
import { Hook, probe, verifiesStandard } from './world.mjs';

let sim, hook, base;
before(async () => {
    sim = await startSimulator({ queueMs: 10000, renderMs: 20000 });
    hook = await new Hook().listen();
    base = `${sim.url}/veo`;
});
after(async () => {
    assert.deepEqual(sim.books().bugs, []);
    await sim.stop();
    await hook.close();
});

const KEY = { 'x-goog-api-key': 'sim-veo' };

async function call(method, where, body, headers = KEY) {
    const answer = await fetch(base + where, { method, body: body && JSON.stringify(body),
                                               headers: { ...headers, 'Content-Type': 'application/json' } });
    return { http: answer.status, retryAfter: answer.headers.get('retry-after'), ...await answer.json() };
}

const PARAMETERS = { aspectRatio: '16:9', durationSeconds: 8, resolution: '720p', sampleCount: 1 };
const submit = (prompt, { instance, parameters, model = 'veo-3.1-generate-preview', ...more } = {}) =>
    call('POST', `/v1beta/models/${model}:predictLongRunning`, {
        instances: [{ prompt, ...instance }], parameters: { ...PARAMETERS, ...parameters }, ...more });
const operation = (name) => call('GET', `/v1beta/${name}`);
const uriOf = ({ response }) => response.generateVideoResponse.generatedSamples[0].video.uri;

test('from submit to file: with the key, and a redirect', async () => {
    const { http, name } = await submit('a kite');
    assert.equal(http, 200);
    assert.match(name, /^models\/veo-3\.1-generate-preview\/operations\/[a-z0-9]+$/);
    sim.advance(20000);
    assert.equal((await operation(name)).done, undefined);
    sim.advance(10000);
    const done = await operation(name);
    assert.equal(done.done, true);
    assert.equal((await fetch(uriOf(done))).status, 403, 'no key');
    const first = await fetch(uriOf(done), { headers: KEY, redirect: 'manual' });
    assert.equal(first.status, 302);
    const file = await fetch(uriOf(done), { headers: KEY });
    assert.equal((await probe(Buffer.from(await file.arrayBuffer()))).seconds, 8);
    assert.equal((await fetch(first.headers.get('location'))).status, 200);
    const [run] = sim.books('a kite').requests;
    assert.deepEqual([run.downloads, run.keyLeaked], [2, false]);
    assert.equal((await call('DELETE', new URL(uriOf(done)).pathname.slice('/veo'.length).split(':')[0])).http, 200);
    assert.equal((await fetch(uriOf(done), { headers: KEY })).status, 404);
});

test('a file at another origin, and one whose address has expired', async () => {
    const far = await submit('far [sim:file-elsewhere]'), old = await submit('old [sim:url-expired]');
    sim.advance(30000);
    const uri = uriOf(await operation(far.name));
    const { headers } = await fetch(uri, { headers: KEY, redirect: 'manual' });
    const location = new URL(headers.get('location'));
    assert.equal(location.hostname, 'localhost');
    const status = (more) => new Promise((resolve, reject) => get({ /* whatever that name means here */
        host: '127.0.0.1', port: location.port, path: location.pathname, headers: { Host: location.host, ...more },
    }, (answer) => resolve(answer.resume().statusCode)).on('error', reject));
    const leaked = () => sim.books('far').requests[0].keyLeaked;
    assert.deepEqual([await status({}), leaked(), await status(KEY), leaked()], [200, false, 200, true]);
    const stale = uriOf(await operation(old.name));
    assert.deepEqual([(await fetch(stale, { headers: KEY })).status, (await fetch(stale, { headers: KEY })).status],
        [403, 200]);
});

test('what it refuses', async () => {
    assert.equal((await call('GET', '/v1beta/models/x/operations/y', undefined, {})).error.status, 'PERMISSION_DENIED');
    const stranger = await call('GET', '/v1beta/models/x/operations/y', undefined, { 'x-goog-api-key': 'AIza' });
    assert.deepEqual([stranger.http, stranger.error.details[0].reason], [400, 'API_KEY_INVALID']);
    assert.equal((await call('GET', '/v1beta/models/x/operations/y?key=sim-veo', undefined, {})).http, 404);
    assert.equal((await submit('x', { model: 'veo-2.0-generate-001' })).error.status, 'NOT_FOUND');
    const image = { bytesBase64Encoded: 'iVBORw0KGgo=', mimeType: 'image/png' };
    for (const wrong of [
        { parameters: { durationSeconds: '8' } }, { parameters: { durationSeconds: 5 } },
        { parameters: { aspectRatio: '1:1' } }, { parameters: { resolution: '480p' } },
        { parameters: { sampleCount: 5 } }, { parameters: { generateAudio: true } },
        { instance: { image: { uri: 'https://x.example/a.png' } } },
        { instance: { image: { ...image, mimeType: undefined } } },
        { instance: { image: { ...image, bytesBase64Encoded: 'data:x' } } }, { instance: { prompt: '' } },
        { instance: { referenceImages: Array(4).fill({ image, referenceType: 'asset' }) } },
        { webhookConfig: { uris: [] } },
    ]) {
        const { http, error } = await submit('x', wrong);
        assert.deepEqual([http, error?.status], [400, 'INVALID_ARGUMENT'], JSON.stringify(wrong));
    }
    assert.equal((await submit('x', { instance: { image, lastFrame: image }, parameters: { seed: 7 } })).http, 200);
    const doors = { 'refused': [400, 'INVALID_ARGUMENT'], 'moderated-submit': [400, 'INVALID_ARGUMENT'],
                    'no-credit': [400, 'FAILED_PRECONDITION'], 'bad-auth': [401, 'UNAUTHENTICATED'],
                    'park': [429, 'RESOURCE_EXHAUSTED'], '429=7': [429, 'RESOURCE_EXHAUSTED'],
                    '500-before': [503, 'UNAVAILABLE'], '500-after': [504, 'DEADLINE_EXCEEDED'] };
    const said = {};
    for (const [tag, want] of Object.entries(doors)) {
        said[tag] = await submit(`shut [sim:${tag}]`);
        assert.deepEqual([said[tag].http, said[tag].error.status], want, tag);
    }
    const ids = ({ error }) => error.details[0].violations[0].quotaId;
    assert.deepEqual([/PerDay/.test(ids(said.park)), /PerDay/.test(ids(said['429=7']))], [true, false]);
    assert.deepEqual([said['429=7'].error.details[1].retryDelay, said['429=7'].retryAfter], ['7s', '7']);
    assert.match(said['moderated-submit'].error.message, /usage guidelines/);
    assert.equal((await call('GET', '/v1beta/models/veo-3.1-generate/operations')).http, 501);
});

test('done is not yet a video', async () => {
    const names = ['fails', 'fails-retryable', 'moderated-run', 'moderated-output', 'done-empty'], operations = [];
    for (const tag of names)
        operations.push((await submit(`ends [sim:${tag}]`, { webhookConfig: { uris: [`${hook.url}/ends`] } })).name);
    sim.advance(30000);
    const ends = await Promise.all(operations.map(operation));
    assert.ok(ends.every(({ done }) => done));
    assert.deepEqual(ends.slice(0, 3).map(({ error, response }) => [error.code, response]),
        [[3, undefined], [13, undefined], [3, undefined]]);
    const filtered = ends[3].response.generateVideoResponse;
    assert.deepEqual([filtered.raiMediaFilteredCount, filtered.generatedSamples], [1, undefined]);
    assert.deepEqual(ends[4].response.generateVideoResponse, {});
    assert.deepEqual(sim.books('ends').requests.map(({ billed }) => billed), [false, false, false, false, true]);
    const heard = await submit('heard last', { webhookConfig: { uris: [`${hook.url}/ends`] } });
    sim.advance(30000);
    await until('its event', () => hook.at('/ends').some(({ json }) => json.data.id === heard.name));
    assert.equal(hook.at('/ends').length, 1, 'nothing about what brought no video');
});

test('dynamic webhooks: a token signed with a key of the JWKS', async () => {
    const names = ['plain', 'forged', 'old'];
    for (const name of names)
        await submit(`[sim:callback-${name}]`,
            { webhookConfig: { uris: [`${hook.url}/${name}`], userMetadata: { filmgate_ref: name } } });
    sim.advance(30000);
    await until('three events', () => names.every((name) => hook.at(`/${name}`).length === 1));
    const { keys: [jwk] } = await (await fetch(`${base}/.well-known/jwks.json`)).json();
    const open = (name) => {
        const [{ headers }] = hook.at(`/${name}`), [head, claims, signature] = headers['webhook-signature'].split('.');
        const { alg, kid } = JSON.parse(Buffer.from(head, 'base64url'));
        assert.deepEqual([alg, kid], ['RS256', jwk.kid]);
        const ok = createVerify('RSA-SHA256').update(`${head}.${claims}`)
            .verify(createPublicKey({ key: jwk, format: 'jwk' }), signature, 'base64url');
        return { ok, ...JSON.parse(Buffer.from(claims, 'base64url')) };
    };
    const now = Date.now() / 1000, plain = open('plain'), [{ json }] = hook.at('/plain');
    assert.deepEqual([plain.ok, plain.aud, plain.exp > now], [true, `${hook.url}/plain`, true]);
    assert.deepEqual([open('forged').ok, open('old').ok, open('old').exp < now], [false, true, true]);
    assert.deepEqual([json.type, json.user_metadata, (await operation(json.data.id)).done],
        ['video.generated', { filmgate_ref: 'plain' }, true]);
    assert.equal((await fetch(json.data.output_file_uri, { headers: KEY })).status, 200);
});

test('static webhooks: registered once, signed with a secret that can be rotated', async () => {
    const create = (body) => call('POST', '/v1/webhooks', body);
    assert.equal((await create({ uri: hook.url, subscribed_events: ['video.failed'] })).http, 400);
    const { id, new_signing_secret } = await create(
        { name: 'all', uri: `${hook.url}/static`, subscribed_events: ['video.generated'] });
    assert.equal(new_signing_secret, webhookSecret('veo'));
    const { secret } = await call('POST', `/v1/webhooks/${id}:rotateSigningSecret`,
        { revocation_behavior: 'REVOKE_PREVIOUS_SECRETS_AFTER_H24' });
    await submit('both');
    await submit('own', { webhookConfig: { uris: [`${hook.url}/own`] } });
    sim.advance(30000);
    await until('two events', () => hook.at('/static').length + hook.at('/own').length === 2);
    const [event] = hook.at('/static');
    assert.deepEqual([new_signing_secret, secret, webhookSecret('fal')].map((one) => verifiesStandard(one, event)),
        [true, true, false]);
    assert.equal((await call('GET', '/v1beta/webhooks')).webhooks.length, 1);
    assert.equal((await call('DELETE', `/v1/webhooks/${id}`)).http, 200);
    assert.equal((await call('GET', `/v1/webhooks/${id}`)).http, 404);
    await submit('nobody hears this');
    sim.set({ hooks: { veo: `${hook.url}/account` } });
    await submit('account-wide, for a test [sim:callback-forged]');
    sim.advance(30000);
    await until('one event', () => hook.at('/account').length === 1);
    assert.equal(verifiesStandard(secret, hook.at('/account')[0]), false);
    assert.equal(hook.at('/static').length, 1);
    sim.set({ hooks: {} });
});
