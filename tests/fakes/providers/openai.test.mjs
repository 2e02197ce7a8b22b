import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '../../e2e/stack.mjs';
import { webhookSecret } from './keys.mjs';
import { startSimulator } from './simulator.mjs';
import { Hook, probe, verifiesStandard } from './world.mjs';

let sim, hook, base;
before(async () => {
    hook = await new Hook().listen();
    sim = await startSimulator({ queueMs: 10000, renderMs: 20000, hookBase: hook.url });
    base = `${sim.url}/openai/v1/videos`;
});
after(async () => {
    assert.deepEqual(sim.books().bugs, []);
    await sim.stop();
    await hook.close();
});

const key = { Authorization: 'Bearer sim-openai' };
async function call(method, url, body) {
    const form = body instanceof FormData;
    const answer = await fetch(url, { method, headers: form || !body ? key : { ...key, 'Content-Type': 'application/json' },
                                      body: form || !body ? body : JSON.stringify(body) });
    return { status: answer.status, headers: answer.headers, body: await answer.json() };
}
const submit = (prompt, more = {}) => call('POST', base, { model: 'sora-2', prompt, ...more });
/* Skips the time that it takes. */
async function ends(id) {
    sim.advance(30000);
    return (await call('GET', `${base}/${id}`)).body;
}
const content = (id, headers = key) => fetch(`${base}/${id}/content?variant=video`, { headers });
const eventsOf = (id) => hook.at('/openai').filter(({ json }) => json.data.id === id);

test('from submit to file, with the account\'s callback', async () => {
    const { status, body } = await submit('a kite', { seconds: '8', size: '1280x720', metadata: { filmgate_ref: 'r1' },
                                                      webhook_url: `${hook.url}/nobody` });
    assert.equal(status, 200);
    assert.match(body.id, /^video_[0-9a-f]{40}$/);
    assert.deepEqual([body.status, body.progress, body.prompt, body.seconds, body.size],
        ['queued', 0, 'a kite', '8', '1280x720']);
    assert.equal('metadata' in body, false, 'a plain gateway');
    assert.equal((await content(body.id)).status, 404);
    sim.advance(20000);
    const { body: running } = await call('GET', `${base}/${body.id}`);
    assert.equal(running.status, 'in_progress');
    assert.ok(running.progress >= 50 && running.progress < 60);
    const done = await ends(body.id);
    assert.deepEqual([done.status, done.progress, done.expires_at - done.completed_at], ['completed', 100, 86400]);
    assert.equal((await content(body.id, {})).status, 401);
    const video = await probe(Buffer.from(await (await content(body.id)).arrayBuffer()));
    assert.deepEqual([video.codec, video.seconds, video.width], ['h264', 8, 128]);
    await until('its callback', () => eventsOf(body.id).length === 1);
    const [event] = eventsOf(body.id);
    assert.ok(verifiesStandard(webhookSecret('openai'), event));
    assert.deepEqual([event.json.object, event.json.type], ['event', 'video.completed']);
    assert.deepEqual(hook.at('/nobody'), []);
    const [run] = sim.books('a kite').requests;
    assert.deepEqual([run.billed, run.downloads, run.reference], [true, 1, null]);
});

test('a form with a picture', async () => {
    const form = new FormData();
    for (const [name, value] of Object.entries({ prompt: 'a café — 東京', model: 'sora-2-pro', seconds: '4' }))
        form.set(name, value);
    form.set('input_reference', new Blob([new Uint8Array(2000).fill(13)], { type: 'image/png' }), 'a.png');
    const { status, body } = await call('POST', base, form);
    assert.deepEqual([status, body.prompt, body.model, body.seconds, body.size],
        [200, 'a café — 東京', 'sora-2-pro', '4', '720x1280']);
    assert.equal(sim.books('a café — 東京').requests[0].image, true);
});

test('failed, blocked, and completed with nothing to fetch', async () => {
    const codes = { 'fails': 'video_generation_failed', 'fails-retryable': 'internal_error',
                    'moderated-run': 'moderation_blocked', 'moderated-output': 'moderation_blocked' };
    for (const [name, code] of Object.entries(codes)) {
        const { body: { id } } = await submit(`[sim:${name}]`);
        const { status, error } = await ends(id);
        assert.deepEqual([status, error.code], ['failed', code]);
        await until('its callback', () => eventsOf(id).length === 1);
        assert.equal(eventsOf(id)[0].json.type, 'video.failed');
    }
    const { body: { id } } = await submit('[sim:done-empty]');
    assert.equal((await ends(id)).status, 'completed');
    assert.equal((await content(id)).status, 404);
});

test('the list, page by page, and a delete', async () => {
    const ids = [];
    for (const prompt of ['one', 'two', 'three'])
        ids.unshift((await submit(prompt)).body.id);
    const page = async (query) => (await call('GET', `${base}?limit=2&${query}`)).body;
    const first = await page('order=desc');
    assert.deepEqual(first.data.map(({ id }) => id), ids.slice(0, 2));
    assert.deepEqual([first.has_more, first.first_id, first.last_id], [true, ids[0], ids[1]]);
    assert.equal((await page(`order=desc&after=${first.last_id}`)).data[0].id, ids[2]);
    assert.equal((await call('DELETE', `${base}/${ids[0]}`)).status, 409);
    await ends(ids[0]);
    assert.equal((await call('DELETE', `${base}/${ids[0]}`)).body.deleted, true);
    assert.equal((await call('GET', `${base}/${ids[0]}`)).status, 404);
});

test('what it says no to', async () => {
    const no = async (prompt, more) => {
        const { status, body: { error } } = await submit(prompt, more);
        return [status, error.param ?? error.code];
    };
    assert.deepEqual(await no(''), [400, 'prompt']);
    assert.deepEqual(await no('x', { seconds: 8 }), [400, 'seconds'], 'a text is wanted');
    assert.deepEqual(await no('x', { size: '720p' }), [400, 'size']);
    assert.deepEqual(await no('x', { input_reference: { image_url: 'a', file_id: 'b' } }), [400, 'input_reference']);
    assert.deepEqual(await no('[sim:no-credit]'), [429, 'insufficient_quota']);
    assert.deepEqual(await no('[sim:park]'), [429, 'billing_hard_limit_reached']);
    assert.deepEqual(await no('[sim:bad-auth]'), [401, 'invalid_api_key']);
    assert.equal((await submit('[sim:moderated-submit]')).body.error.code, 'moderation_blocked');
    assert.equal((await submit('[sim:poll-after=250]')).headers.get('openai-poll-after-ms'), '250');
});
