import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { until } from '../../e2e/stack.mjs';
import { webhookSecret } from './keys.mjs';
import { startSimulator } from './simulator.mjs';
import { Hook, probe, verifiesStandard } from './world.mjs';

let sim, hook, base;
before(async () => {
    sim = await startSimulator({ queueMs: 10000, renderMs: 20000 });
    hook = await new Hook().listen();
    base = `${sim.url}/kling`;
});
after(async () => {
    assert.deepEqual(sim.books().bugs, []);
    await sim.stop();
    await hook.close();
});

async function call(method, where, body, key = 'sim-kling') {
    const headers = { ...key && { Authorization: `Bearer ${key}` }, 'Content-Type': 'application/json' };
    const answer = await fetch(base + where, { method, headers, body: body && JSON.stringify(body) });
    return { status: answer.status, ...await answer.json() };
}

const SETTINGS = { resolution: '720p', aspect_ratio: '16:9', duration: 5, audio: 'off', multi_shot: false };
const submit = (prompt, options = {}, settings = {}, model = 'kling-3.0') =>
    call('POST', `/text-to-video/${model}`, { prompt, settings: { ...SETTINGS, ...settings }, options });
const taskOf = async (id) => (await call('GET', `/tasks?task_ids=${id}`)).data[0];
/* Skips the time that it takes; callbacks come in order when there is time between them. */
async function ends(id, where) {
    sim.advance(10000);
    if (where)
        await until('its first callback', () => hook.at(where).length === 1);
    sim.advance(20000);
    if (where)
        await until('its second callback', () => hook.at(where).length === 2);
    return taskOf(id);
}

function token({ iss = 'sim-kling', secret = 'sim-kling-secret', exp = 1800, nbf = -5 } = {}) {
    const now = Math.floor(Date.now() / 1000);
    const text = [{ alg: 'HS256', typ: 'JWT' }, { iss, exp: now + exp, nbf: now + nbf }]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

test('NEW: from submit to file, with callbacks', async () => {
    const options = { external_task_id: 'fg_1', callback_url: `${hook.url}/kite` };
    const { status, code, data } = await submit('a kite', options);
    assert.deepEqual([status, code, data.status, data.external_id], [200, 0, 'submitted', 'fg_1']);
    assert.ok(data.create_time > 1e12, 'milliseconds');
    const done = await ends(data.id, '/kite');
    assert.deepEqual([done.status, done.outputs[0].type, done.outputs[0].duration], ['succeeded', 'video', '5.1']);
    const video = await probe(Buffer.from(await (await fetch(done.outputs[0].url)).arrayBuffer()));
    assert.deepEqual([video.codec, video.seconds], ['h264', 5]);
    assert.deepEqual(hook.at('/kite').map(({ json }) => [json.status, json.external_id]),
        [['processing', 'fg_1'], ['succeeded', 'fg_1']]);
    assert.ok(hook.at('/kite').every((got) => verifiesStandard(webhookSecret('kling'), got)));
    const [run] = sim.books('a kite').requests;
    assert.deepEqual([run.reference, run.billed, run.downloads], ['fg_1', true, 1]);
});

test('an external id is taken once, even when its answer was lost', async () => {
    await assert.rejects(submit('lost [sim:answer-lost]', { external_task_id: 'fg_lost' }));
    const again = await submit('lost [sim:answer-lost]', { external_task_id: 'fg_lost' });
    assert.deepEqual([again.status, again.code], [400, 1201]);
    assert.match(again.message, /already exists/);
    const legacy = await call('POST', '/v1/videos/text2video', { prompt: 'x', external_task_id: 'fg_lost' });
    assert.equal(legacy.code, 1201);
    assert.equal(sim.books('lost').requests.length, 1);
    const { data: [found, ...more] } = await call('GET', '/tasks?external_task_ids=fg_lost,fg_nobody');
    assert.deepEqual([found.external_id, more], ['fg_lost', []]);
    assert.deepEqual((await call('GET', '/tasks?external_task_ids=fg_nobody')).data, []);
    const shut = { external_task_id: 'fg_shut' };
    assert.equal((await submit('shut [sim:429]', shut)).code, 1302);
    assert.equal((await submit('shut [sim:429]', shut)).code, 0, 'what was refused takes no id');
});

test('many in one call, and a sweep', async () => {
    const start = sim.now(), ids = [];
    for (const prompt of ['one [sim:stuck]', 'two', 'three', 'four [sim:forgets]'])
        ids.push((await submit(prompt)).data.id);
    assert.equal((await call('GET', `/tasks?task_ids=${ids.join()}`)).data.length, 3);
    assert.equal((await call('GET', `/tasks?task_ids=${Array(21).fill('1').join()}`)).code, 1201);
    await ends(ids[1]);
    const sweep = (more) => call('POST', '/tasks', { start_time: start, end_time: sim.now(), ...more });
    const { data } = await sweep({ limit: 1, filters: [{ key: 'status', values: ['succeeded'] }] });
    assert.deepEqual([data.result.map(({ id }) => id), data.has_more], [[ids[2]], true]);
    assert.deepEqual((await sweep({ cursor: data.next_cursor, limit: 500 })).data.result.map(({ id }) => id),
        [ids[1], ids[0]]);
});

test('LEGACY: by token, words of its own, lookup by either id', async () => {
    const legacy = (method, where, body) => call(method, `/v1/videos/${where}`, body, token());
    const { code, data } = await legacy('POST', 'text2video', { model_name: 'kling-v2-6', prompt: 'a legacy kite',
        mode: 'pro', duration: '10', aspect_ratio: '1:1', external_task_id: 'fg_2', callback_url: `${hook.url}/legacy` });
    assert.deepEqual([code, data.task_status], [0, 'submitted']);
    await ends(data.task_id, '/legacy');
    const { data: done } = await legacy('GET', 'text2video/fg_2');
    assert.deepEqual([done.task_id, done.task_status], [data.task_id, 'succeed']);
    const video = await probe(Buffer.from(await (await fetch(done.task_result.videos[0].url)).arrayBuffer()));
    assert.deepEqual([video.seconds, video.width, video.height], [10, 128, 128]);
    assert.equal((await legacy('GET', 'image2video/fg_2')).code, 1203);
    assert.equal((await legacy('GET', `text2video/${data.task_id}`)).code, 0);
    assert.deepEqual(hook.at('/legacy').map(({ json }) => [json.task_status, json.task_info.external_task_id]),
        [['processing', 'fg_2'], ['succeed', 'fg_2']]);
});

test('keys and tokens', async () => {
    const codeOf = async (where, key) => (await call('GET', where, undefined, key)).code;
    const legacy = '/v1/videos/text2video/fg_2', now = '/tasks?task_ids=1';
    assert.deepEqual([await codeOf(now, ''), await codeOf(now, 'sim-fal'), await codeOf(now, token())], [1001, 1002, 1002]);
    assert.equal(await codeOf(legacy, 'sim-kling'), 0, 'the key is good for both');
    assert.equal(await codeOf(legacy, token({ exp: -1 })), 1004);
    assert.equal(await codeOf(legacy, token({ nbf: 60 })), 1003);
    assert.equal(await codeOf(legacy, token({ secret: 'another' })), 1002);
    assert.equal(await codeOf(legacy, token({ iss: 'another' })), 1002);
});

test('how it ends otherwise, and callbacks without a secret', async () => {
    sim.set({ unsigned: ['kling'] });
    const { data } = await submit('[sim:moderated-output]', { callback_url: `${hook.url}/bare` });
    const { status, message } = await ends(data.id, '/bare');
    assert.equal(status, 'failed');
    assert.match(message, /risk control/);
    assert.equal(sim.books('[sim:moderated-output]').requests[0].billed, false);
    assert.equal(hook.at('/bare')[0].headers['webhook-signature'], undefined);
    sim.set({ unsigned: [] });
    assert.deepEqual((await ends((await submit('[sim:done-empty]')).data.id)).outputs, []);
});

test('what it says no to', async () => {
    const no = async (...args) => {
        const { status, code } = await submit(...args);
        return [status, code];
    };
    assert.deepEqual(await no('x', {}, { duration: '5' }), [400, 1201], 'an integer is wanted');
    assert.deepEqual(await no('x', {}, { audio: undefined, duration: 7 }, 'kling-2.6'), [400, 1201]);
    assert.deepEqual(await no('x', {}, {}, 'kling-3.0-turbo'), [400, 1201], 'turbo has no audio field');
    assert.deepEqual(await no('x', {}, {}, 'kling-v1'), [404, 1203]);
    assert.deepEqual(await no('x'.repeat(3073)), [400, 1201]);
    assert.deepEqual(await no('[sim:moderated-submit]'), [400, 1301]);
    assert.deepEqual(await no('[sim:no-credit]'), [429, 1101]);
    assert.deepEqual(await no('[sim:park]'), [429, 1102]);
    assert.deepEqual(await no('[sim:500-after]'), [504, 5002]);
    const image = (url) => call('POST', '/image-to-video/kling-3.0', {
        contents: [{ type: 'prompt', text: 'x' }, { type: 'first_frame', url }], settings: { duration: 5 } });
    assert.equal((await image('data:image/png;base64,AA==')).code, 1201);
    assert.equal((await image('https://gw.example/1.png')).code, 0);
});
