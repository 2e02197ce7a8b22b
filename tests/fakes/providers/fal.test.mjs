import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '../../e2e/stack.mjs';
import { startSimulator } from './simulator.mjs';
import { Hook, probe, verifiesFal } from './world.mjs';

let sim, hook;
before(async () => {
    sim = await startSimulator({ queueMs: 10000, renderMs: 20000 });
    hook = await new Hook().listen();
});
after(async () => {
    assert.deepEqual(sim.books().bugs, []);
    await sim.stop();
    await hook.close();
});

const headers = { Authorization: 'Key sim-fal', 'Content-Type': 'application/json' };
async function call(method, url, body, more = {}) {
    const answer = await fetch(url, { method, headers: { ...headers, ...more }, body: body && JSON.stringify(body) });
    return { status: answer.status, headers: answer.headers, body: await answer.json() };
}
const get = (url) => call('GET', url);

function submit(prompt, { hookAt, model = 'fal-ai/veo3.1/fast', ...input } = {}, more = {}) {
    const query = hookAt ? `?fal_webhook=${encodeURIComponent(hook.url + hookAt)}` : '';
    return call('POST', `${sim.url}/fal/queue/${model}${query}`, { prompt, ...input }, more);
}

/* Skips the time that it takes. */
async function ended(prompt, input, more) {
    const { body } = await submit(prompt, input, more);
    sim.advance(30000);
    const { status: code, body: status } = await get(body.status_url);
    assert.equal(code, 200);
    return { urls: body, status, result: await get(body.response_url) };
}

test('from submit to file, with a callback', async () => {
    const input = { duration: '8s', aspect_ratio: '16:9', seed: 42, hookAt: '/kite' };
    const { status, body, headers: sent } = await submit('a kite', input);
    assert.equal(status, 200);
    assert.equal(body.status, 'IN_QUEUE');
    assert.equal(sent.get('x-fal-request-id'), body.request_id);
    assert.equal(body.status_url, `${sim.url}/fal/queue/fal-ai/veo3.1/requests/${body.request_id}/status`);
    const waiting = await get(body.status_url);
    assert.equal(waiting.status, 202);
    assert.equal(waiting.body.queue_position, 2);
    const early = await get(body.response_url);
    assert.deepEqual([early.status, early.body.detail], [400, 'Request is still in progress']);
    sim.advance(10000);
    const running = await get(`${body.status_url}?logs=1`);
    assert.deepEqual([running.status, running.body.status, running.body.logs.length], [202, 'IN_PROGRESS', 1]);
    sim.advance(20000);
    const over = await get(body.status_url);
    assert.deepEqual([over.status, over.body.status], [200, 'COMPLETED']);
    const { body: result } = await get(body.response_url);
    assert.equal(result.seed, 42);
    const video = await probe(Buffer.from(await (await fetch(result.video.url)).arrayBuffer()));
    assert.deepEqual([video.codec, video.seconds], ['h264', 8]);
    await until('its callback', () => hook.at('/kite').length === 1);
    const [got] = hook.at('/kite');
    const jwks = await (await fetch(`${sim.url}/fal/rest/.well-known/jwks.json`)).json();
    assert.ok(verifiesFal(jwks, got));
    assert.equal(verifiesFal({ keys: jwks.keys.slice(0, 1) }, got), false, 'the first key is not the one in use');
    assert.deepEqual([got.json.status, got.json.request_id, got.json.payload], ['OK', body.request_id, result]);
    const [run] = sim.books('a kite').requests;
    assert.deepEqual([run.model, run.seconds, run.seed, run.billed, run.downloads, run.keyLeaked],
        ['fal-ai/veo3.1/fast', 8, 42, true, 1, false]);
    await fetch(result.video.url, { headers });
    assert.equal(sim.books('a kite').requests[0].keyLeaked, true);
});

test('completed is not success', async () => {
    const outcomes = {
        'fails': [undefined, 500, 'internal_error', 'false', false],
        'fails-retryable': ['runner_disconnected', 503, 'runner_disconnected', 'true', false],
        'moderated-run': [undefined, 422, 'content_policy_violation', 'false', false],
        'moderated-output': [undefined, 422, 'content_policy_violation', 'false', true],
    };
    for (const [name, want] of Object.entries(outcomes)) {
        const { status, result } = await ended(`[sim:${name}]`, { hookAt: `/${name}` });
        assert.equal(status.status, 'COMPLETED');
        const type = result.body.error_type ?? result.body.detail[0].type;
        const [{ billed }] = sim.books(`[sim:${name}]`).requests;
        assert.deepEqual([status.error_type, result.status, type, result.headers.get('x-fal-retryable'), billed], want);
        await until('its callback', () => hook.at(`/${name}`).length === 1);
        const [{ json }] = hook.at(`/${name}`);
        assert.deepEqual([json.status, json.error, json.payload],
            ['ERROR', `Invalid status code: ${want[1]}`, result.body]);
    }
    const { result } = await ended('[sim:done-empty]');
    assert.deepEqual([result.status, result.body.video], [200, null]);
});

test('a callback of another run of the same, and one without its output', async () => {
    const { urls } = await ended('[sim:rerun]', { hookAt: '/rerun' });
    await ended('[sim:payload-error]', { hookAt: '/bare' });
    await until('both callbacks', () => hook.at('/rerun').length === 1 && hook.at('/bare').length === 1);
    const [{ json }] = hook.at('/rerun');
    assert.equal(json.gateway_request_id, urls.request_id);
    assert.notEqual(json.request_id, urls.request_id);
    assert.deepEqual([hook.at('/bare')[0].json.payload, typeof hook.at('/bare')[0].json.payload_error], [null, 'string']);
});

test('cancel: in time, as a signal only, too late', async () => {
    const { body: early } = await submit('early');
    const taken = await call('PUT', early.cancel_url);
    assert.deepEqual([taken.status, taken.body.status], [202, 'CANCELLATION_REQUESTED']);
    const result = await get(early.response_url);
    assert.deepEqual([result.status, result.body.error_type], [499, 'client_cancelled']);
    assert.equal(sim.books('early').requests[0].billed, false);
    const { body: deaf } = await submit('deaf [sim:no-cancel]');
    assert.equal((await call('PUT', deaf.cancel_url)).status, 202);
    sim.advance(30000);
    assert.equal((await get(deaf.response_url)).status, 200, 'it is made all the same');
    const late = await call('PUT', deaf.cancel_url);
    assert.deepEqual([late.status, late.body.status], [400, 'ALREADY_COMPLETED']);
    const unknown = await call('PUT', deaf.cancel_url.replace(deaf.request_id, 'nobody'));
    assert.deepEqual([unknown.status, unknown.body.status], [404, 'NOT_FOUND']);
});

test('the history holds what is over, of one endpoint', async () => {
    const model = 'fal-ai/wan-25-preview/text-to-video', from = new Date(sim.now()).toISOString();
    const { urls } = await ended('past', { model, seed: 4711 });
    await submit('present [sim:stuck]', { model });
    await submit('elsewhere');
    const url = `${sim.url}/fal/api/v1/models/requests/by-endpoint?endpoint_id=${encodeURIComponent(model)}`;
    const { body } = await get(`${url}&start=${from}&expand=payloads&limit=100`);
    assert.deepEqual(body.items.map((row) => [row.request_id, row.json_input.seed, row.status_code]),
        [[urls.request_id, 4711, 200]]);
    assert.equal(body.has_more, false);
    assert.equal('json_input' in (await get(url)).body.items[0], false);
    assert.equal((await get(url.replace('?endpoint_id', '?x'))).status, 422);
});

test('it did not start in time', async () => {
    const { result } = await ended('hurry', {}, { 'X-Fal-Request-Timeout': '9' });
    assert.deepEqual([result.status, result.body.error_type, result.headers.get('x-fal-request-timeout-type')],
        [504, 'request_timeout', 'user']);
    assert.equal(sim.books('hurry').requests[0].billed, false);
});

test('what it says no to', async () => {
    assert.equal((await submit('')).body.detail[0].type, 'missing');
    assert.equal((await submit('x', {}, { Authorization: 'Bearer sim-fal' })).status, 401);
    assert.match((await submit('[sim:no-credit]')).body.detail, /Exhausted balance/);
    assert.equal((await submit('[sim:moderated-submit]')).body.detail[0].type, 'content_policy_violation');
    const broken = await submit('[sim:500-after]');
    assert.ok(broken.status === 500 && broken.headers.get('x-fal-request-id'), 'it was seen');
    const { body } = await submit('sub-path');
    assert.equal((await get(body.status_url.replace('veo3.1', 'veo3.1/fast'))).status, 404);
    const workflow = (await submit('flow', { model: 'workflows/me/mine' })).body.status_url;
    assert.equal((await get(workflow)).status, 202);
    assert.match(workflow, /\/fal\/queue\/workflows\/me\/mine\/requests\//);
});
