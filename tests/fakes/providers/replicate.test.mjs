import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '../../e2e/stack.mjs';
import { startSimulator } from './simulator.mjs';
import { Hook, probe, verifiesStandard } from './world.mjs';

let sim, hook, base;
before(async () => {
    sim = await startSimulator({ queueMs: 10000, renderMs: 20000 });
    hook = await new Hook().listen();
    base = `${sim.url}/replicate/v1`;
});
after(async () => {
    assert.deepEqual(sim.books().bugs, []);
    await sim.stop();
    await hook.close();
});

const headers = { Authorization: 'Bearer sim-replicate', 'Content-Type': 'application/json' };
const call = async (method, url, body, more = {}) => {
    const answer = await fetch(url, { method, headers: { ...headers, ...more }, body: body && JSON.stringify(body) });
    return { status: answer.status, body: await answer.json() };
};
const get = (url) => call('GET', url);
const submit = (prompt, { webhook, ...input } = {}, more) =>
    call('POST', `${base}/models/google/veo-3.1/predictions`, { input: { prompt, ...input }, webhook }, more);
/* Skips the time that it takes. */
async function ends(url) {
    sim.advance(30000);
    return (await get(url)).body;
}

test('from submit to file, with a callback', async () => {
    const { status, body } = await submit('a kite', { duration: 4, aspect_ratio: '9:16', seed: 42,
                                                      webhook: `${hook.url}/kite?token=1` });
    assert.equal(status, 201);
    assert.match(body.id, /^[a-z2-7]{26}$/);
    assert.equal(body.status, 'starting');
    assert.equal(body.input.seed, 42);
    await until('its first callback', () => hook.at('/kite').length === 1);
    sim.advance(10000);
    await until('its second callback', () => hook.at('/kite').length === 2);
    assert.equal((await get(body.urls.get)).body.status, 'processing');
    sim.advance(20000);
    const { body: done } = await get(body.urls.get);
    assert.equal(done.status, 'succeeded');
    const video = await probe(Buffer.from(await (await fetch(done.output)).arrayBuffer()));
    assert.deepEqual([video.codec, video.seconds, video.width, video.height], ['h264', 4, 72, 128]);
    await until('its last callback', () => hook.at('/kite').length === 3);
    assert.deepEqual(hook.at('/kite').map(({ json }) => json.status), ['starting', 'processing', 'succeeded']);
    const { body: { key } } = await get(`${base}/webhooks/default/secret`);
    assert.ok(hook.at('/kite').every((got) => verifiesStandard(key, got)));
    assert.equal(hook.at('/kite')[2].json.output, done.output);
    assert.equal(hook.at('/kite')[0].path, '/kite?token=1');
    const [run] = sim.books('a kite').requests;
    assert.deepEqual([run.model, run.seed, run.billed, run.end, run.downloads, run.callback],
        ['google/veo-3.1', 42, true, 'done', 1, `${hook.url}/kite?token=1`]);
});

test('an hour later: done, and nothing left', async () => {
    const done = await ends((await submit('[sim:done-empty]')).body.urls.get);
    assert.deepEqual([done.status, done.output, done.data_removed], ['succeeded', null, true]);
});

test('the list, newest first, without callbacks in its rows', async () => {
    const since = new Date(sim.now()).toISOString();
    for (const prompt of ['one', 'two', 'three [sim:forgets]'])
        await submit(prompt, { seed: 7 });
    const { body } = await get(`${base}/predictions?created_after=${since}`);
    assert.deepEqual(body.results.map(({ input }) => input.prompt), ['two', 'one']);
    assert.equal(body.next, null);
    assert.equal('webhook' in body.results[0], false);
    for (let i = 0; i < 100; i++)
        await submit(`many ${i}`);
    const { body: page } = await get(`${base}/predictions`);
    assert.equal(page.results.length, 100);
    assert.ok((await get(page.next)).body.results.length >= 2);
});

test('canceled in the queue is free, while it runs it is not, and later it is too late', async () => {
    const canceled = async (prompt, afterMs) => {
        const { body: { urls } } = await submit(prompt);
        sim.advance(afterMs);
        const { status, body } = await call('POST', urls.cancel);
        assert.equal(status, 200);
        return [body.status, sim.books(prompt).requests[0].billed];
    };
    assert.deepEqual(await canceled('early', 0), ['aborted', false]);
    assert.deepEqual(await canceled('midway', 10000), ['canceled', true]);
    assert.deepEqual(await canceled('after', 30000), ['succeeded', true]);
    assert.deepEqual(await canceled('deaf [sim:no-cancel]', 0), ['starting', true]);
});

test('a deadline of its own', async () => {
    const { body } = await submit('[sim:stuck] timed', {}, { 'Cancel-After': '20s' });
    assert.ok(body.deadline);
    const { status, completed_at } = await ends(body.urls.get);
    assert.deepEqual([status, completed_at], ['canceled', body.deadline]);
});

test('what it says no to, and how a run fails', async () => {
    const no = async (body) => (await call('POST', `${base}/predictions`, body)).status;
    assert.equal(await no({ version: 'a/b' }), 422);
    assert.equal(await no({ input: { prompt: 'x' } }), 422, 'no version');
    const strange = await call('GET', `${base}/predictions/nobody`);
    assert.deepEqual([strange.status, strange.body.status], [404, 404]);
    assert.equal((await submit('x', {}, { Authorization: 'Bearer sim-fal' })).body.title, 'Unauthenticated');
    assert.match((await submit('[sim:429=9]')).body.detail, /resets in ~9s/);
    const flagged = await ends((await submit('[sim:moderated-run]')).body.urls.get);
    assert.match(flagged.error, /flagged as sensitive/);
    assert.equal(sim.books('[sim:moderated-run]').requests[0].billed, false);
});
