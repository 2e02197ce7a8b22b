/* Both of Luma's surfaces. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '../../e2e/stack.mjs';
import { startSimulator } from './simulator.mjs';
import { Hook, probe } from './world.mjs';

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

const caller = (root, name) => async (method, where, body, key = `sim-${name}`) => {
    const headers = { 'Authorization': `Bearer ${key}`, 'Content-Type': 'application/json' };
    const answer = await fetch(sim.url + root + where, { method, headers, body: body && JSON.stringify(body) });
    const text = await answer.text();
    return { http: answer.status, version: answer.headers.get('x-api-version'), ...text && JSON.parse(text) };
};
const dream = caller('/luma/dream-machine/v1', 'luma');
const agents = caller('/luma_agents/v1', 'luma_agents');

const submit = (prompt, more) => dream('POST', '/generations/video',
    { model: 'ray-2', prompt, aspect_ratio: '9:16', duration: '5s', resolution: '720p', ...more });
const shown = (id) => dream('GET', `/generations/${id}`);
const make = (prompt, { video, ...more } = {}) => agents('POST', '/generations',
    { model: 'ray-3.2', type: 'video', prompt, aspect_ratio: '16:9', ...more,
      video: { resolution: '720p', duration: '5s', loop: false, ...video } });

test('D: from submit to file, with callbacks', async () => {
    const callback_url = `${hook.url}/kite`;
    const { http, id, state, request } = await submit('a kite', { callback_url });
    assert.deepEqual([http, state, request.callback_url], [201, 'queued', callback_url]);
    sim.advance(10000);
    await until('dreaming', () => hook.at('/kite').length === 1);
    assert.equal((await shown(id)).state, 'dreaming');
    sim.advance(20000);
    await until('completed', () => hook.at('/kite').length === 2);
    const done = await shown(id);
    assert.equal(done.state, 'completed');
    const video = await probe(Buffer.from(await (await fetch(done.assets.video)).arrayBuffer()));
    assert.deepEqual([video.seconds, video.width, video.height], [5, 72, 128]);
    assert.deepEqual(hook.at('/kite').map(({ json }) => json.state), ['dreaming', 'completed']);
    const { http: status, version, ...generation } = done;
    assert.deepEqual(hook.at('/kite')[1].json, generation, 'what a GET says');
    const names = hook.at('/kite').flatMap(({ headers }) => Object.keys(headers));
    assert.ok(!names.some((name) => /signature|webhook/.test(name)), 'unsigned');
});

test('D: only 200 counts, and what is not taken is told three times more', async (t) => {
    const picky = await new Hook().listen(() => ({ status: 204 }));
    t.after(() => picky.close());
    await submit('picky', { callback_url: `${picky.url}/x` });
    sim.advance(10000);
    for (let tries = 1; tries <= 4; tries++) {
        await until(`try ${tries}`, () => picky.got.length === tries &&
            sim.books().calls.luma['callback-refused'] >= tries);
        sim.advance(100);
    }
    sim.advance(5000);
    assert.equal(picky.got.length, 4);
    const id = (await submit('forged [sim:callback-forged]', { callback_url: `${hook.url}/forged` })).id;
    sim.advance(10000);
    await until('a lie', () => hook.at('/forged').length === 1);
    assert.deepEqual([hook.at('/forged')[0].json.state, (await shown(id)).state], ['completed', 'dreaming']);
});

test('D: what it refuses', async () => {
    assert.equal((await dream('GET', '/credits', undefined, 'sim-luma_agents')).http, 401, 'another key');
    assert.equal((await dream('GET', '/credits')).credit_balance, 123400);
    const wrong = { model: 'ray-3.2', aspect_ratio: '2:1', duration: 5, resolution: '720P', prompt: 7,
                    callback_url: 'x', keyframes: { frame0: { type: 'image', url: 'data:image/png;base64,AA==' } } };
    for (const [name, value] of Object.entries(wrong)) {
        const { http, detail } = await submit('x', { [name]: value });
        assert.deepEqual([http, detail[0].loc[1]], [422, name]);
    }
    const frame0 = { type: 'image', url: 'https://x.example/a.png' };
    const { id } = await dream('POST', '/generations', { model: 'ray-2', keyframes: { frame0 } });
    assert.equal((await shown(id)).state, 'queued', 'the older path, and no prompt');
    const doors = { '429': [429, /concurrent/], 'moderated-submit': [400, /moderation/],
                    'no-credit': [400, /credits/], '500-before': [502, /Upstream/] };
    for (const [name, [status, words]] of Object.entries(doors)) {
        const { http, detail } = await submit(`shut [sim:${name}]`);
        assert.equal(http, status);
        assert.match(detail, words);
    }
});

test('D: a list that tells what was lost', async () => {
    await assert.rejects(submit('lost [sim:answer-lost]', { callback_url: `${hook.url}/lost` }));
    await submit('not listed [sim:forgets]');
    const { generations, has_more, limit, offset } = await dream('GET', '/generations?limit=1');
    assert.deepEqual([generations[0].request.callback_url, generations[0].request.prompt, has_more, limit, offset],
        [`${hook.url}/lost`, 'lost [sim:answer-lost]', true, 1, 0]);
    const next = await dream('GET', '/generations?limit=1&offset=1');
    assert.notEqual(next.generations[0].id, generations[0].id);
    assert.equal((await dream('GET', '/generations?limit=101')).http, 422);
});

test('D: other ends, and a delete', async () => {
    const names = ['fails', 'moderated-run', 'moderated-output', 'done-empty'], ids = [];
    for (const name of names)
        ids.push((await submit(`ends [sim:${name}]`)).id);
    const gone = await submit('deleted', { callback_url: `${hook.url}/gone` });
    sim.advance(15000);
    await until('it runs', () => hook.at('/gone').length === 1);
    assert.equal((await dream('DELETE', `/generations/${gone.id}`)).http, 204);
    assert.equal((await shown(gone.id)).http, 404);
    sim.advance(15000);
    const ends = await Promise.all(ids.map(shown));
    assert.deepEqual(ends.map(({ state, assets }) => [state, assets]),
        [['failed', null], ['failed', null], ['failed', null], ['completed', null]]);
    assert.match(ends[1].failure_reason, /moderat/);
    assert.match(ends[2].failure_reason, /policy/);
    assert.doesNotMatch(ends[0].failure_reason, /moderat|policy/);
    assert.deepEqual(hook.at('/gone').length, 1);
    assert.deepEqual(sim.books('deleted').requests.map(({ end, billed }) => [end, billed]), [['canceled', true]]);
});

test('A: from submit to file', async () => {
    const { http, version, id, state, output } = await make('a kite over dunes');
    assert.deepEqual([http, version, state, output], [201, '2026-04-01', 'queued', []]);
    sim.advance(10000);
    assert.equal((await agents('GET', `/generations/${id}`)).state, 'processing');
    sim.advance(20000);
    const done = await agents('GET', `/generations/${id}`);
    assert.deepEqual([done.state, done.failure_code], ['completed', null]);
    assert.equal((await probe(Buffer.from(await (await fetch(done.output[0].url)).arrayBuffer()))).seconds, 5);
    assert.equal((await agents('DELETE', `/generations/${id}`)).http, 404, 'no such thing');
    assert.equal((await agents('GET', '/generations')).http, 404, 'no list');
});

test('A: what it refuses, and how it fails', async () => {
    const frame = { url: 'https://x.example/a.png' };
    for (const [more, field] of [[{ model: undefined }, 'model'], [{ type: 'image' }, 'type'],
        [{ aspect_ratio: '9:21' }, 'aspect_ratio'], [{ prompt: '' }, 'prompt'],
        [{ video: { duration: '9s' } }, 'duration'], [{ video: { duration: '10s', loop: true } }, 'duration'],
        [{ video: { duration: '10s', start_frame: frame } }, 'duration'],
        [{ video: { start_frame: { ...frame, generation_id: 'x' } } }, 'start_frame'],
        [{ video: { start_frame: { data: 'AA==' } } }, 'start_frame']]) {
        const { http, detail } = await make('x', more);
        assert.deepEqual([http, detail?.[0].loc.at(-1)], [422, field]);
    }
    for (const start_frame of [frame, { data: 'AA==', media_type: 'image/png' }, { generation_id: 'x' }])
        assert.equal((await make('x', { video: { start_frame } })).http, 201);
    const busy = await make('[sim:429=5]');
    assert.equal(busy.http, 429);
    assert.equal((await make('[sim:no-credit]')).http, 402);
    const names = ['fails', 'fails-retryable', 'moderated-run', 'done-empty'], ids = [];
    for (const name of names)
        ids.push((await make(`[sim:${name}]`)).id);
    sim.advance(30000);
    const ends = await Promise.all(ids.map((id) => agents('GET', `/generations/${id}`)));
    assert.deepEqual(ends.map(({ state, failure_code, output }) => [state, failure_code, output]), [
        ['failed', 'invalid_request', []], ['failed', 'generation_failed', []], ['failed', 'content_moderated', []],
        ['completed', null, []]]);
});
