import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '../../e2e/stack.mjs';
import { startSimulator } from './simulator.mjs';
import { Hook, probe } from './world.mjs';

let sim, hook, base;
before(async () => {
    sim = await startSimulator({ queueMs: 10000, renderMs: 20000 });
    hook = await new Hook().listen((got) => {
        const { path, json: { challenge } } = got.at(-1);
        return path === '/deaf' ? { status: 200, body: '{"challenge":"another"}' }
            : { status: 200, body: JSON.stringify({ challenge }) };
    });
    base = `${sim.url}/minimax`;
});
after(async () => {
    assert.deepEqual(sim.books().bugs, []);
    await sim.stop();
    await hook.close();
});

async function call(method, where, body, key = 'sim-minimax') {
    const headers = { ...key && { Authorization: `Bearer ${key}` }, 'Content-Type': 'application/json' };
    const answer = await fetch(base + where, { method, headers, body: body && JSON.stringify(body) });
    const raw = await answer.text();
    return { http: answer.status, raw, ...JSON.parse(raw) };
}
const code = async (answer) => {
    const { http, base_resp } = await answer;
    assert.equal(http, 200);
    return base_resp.status_code;
};

const V1 = { model: 'MiniMax-Hailuo-2.3', duration: 6, resolution: '768P' };
const V2 = { model: 'MiniMax-H3', resolution: '768P', duration: 5, ratio: '16:9' };
const submit = (prompt, more) => call('POST', '/v1/video_generation', { ...V1, prompt, ...more });
const words = (text) => ({ type: 'text', text });
const submit2 = (text, more) => call('POST', '/v2/video_generation', { ...V2, content: [words(text)], ...more });
const query = (id) => call('GET', `/v1/query/video_generation?task_id=${id}`);
const task = async (id) => (await call('GET', `/v2/query/video_generation/${id}`)).task;
const file = (id) => call('GET', `/v1/files/retrieve?file_id=${id}`);
const download = async (url) => probe(Buffer.from(await (await fetch(url)).arrayBuffer()));

test('v1: from submit to file, which takes a second call', async () => {
    const { task_id, base_resp } = await submit('a kite');
    assert.deepEqual([typeof task_id, base_resp.status_code], ['string', 0]);
    const queued = await query(task_id);
    assert.deepEqual([queued.status, queued.file_id], ['Queueing', '']);
    sim.advance(10000);
    assert.equal((await query(task_id)).status, 'Processing');
    sim.advance(20000);
    const done = await query(task_id);
    assert.deepEqual([done.status, done.video_width], ['Success', 1366]);
    assert.ok(BigInt(done.file_id) > Number.MAX_SAFE_INTEGER);
    const retrieved = await file(done.file_id);
    assert.ok(retrieved.raw.includes(`"file_id":${done.file_id},`), 'a number there');
    assert.equal((await download(retrieved.file.download_url)).seconds, 6);
    assert.deepEqual([await code(file('123')), await code(query('123'))], [2013, 2013]);
});

test('v2: from submit to file', async () => {
    const { http, task_id, base_resp } = await submit2('a kite over dunes');
    assert.deepEqual([http, base_resp], [200, undefined]);
    assert.deepEqual([(await task(task_id)).status, (await task(task_id)).content], ['queued', null]);
    sim.advance(10000);
    assert.equal((await task(task_id)).status, 'running');
    sim.advance(20000);
    const done = await task(task_id);
    assert.deepEqual([done.status, done.ratio, done.usage.output_seconds, done.error], ['succeeded', '16:9', 5, null]);
    assert.equal((await download(done.content.url)).seconds, 5);
    assert.equal((await query(task_id)).base_resp.status_code, 2013, 'of the other generation');
    sim.advance(7 * 86400000);
    const { http: gone, error } = await call('GET', `/v2/query/video_generation/${task_id}`);
    assert.equal(gone, 400);
    assert.match(error.message, /invalid task_id/);
});

test('callbacks come after a handshake, or never', async () => {
    await submit('one', { callback_url: `${hook.url}/one` });
    await submit2('two', { callback_url: `${hook.url}/two` });
    await submit('deaf', { callback_url: `${hook.url}/deaf` });
    await submit('lies [sim:callback-forged]', { callback_url: `${hook.url}/lies` });
    const paths = ['/one', '/two', '/deaf', '/lies'];
    await until('the challenges', () => paths.every((path) => hook.at(path).length === 1));
    assert.ok(paths.every((path) => /^[0-9a-f]{32}$/.test(hook.at(path)[0].json.challenge)));
    assert.equal(Object.keys(hook.got[0].headers).some((name) => /signature/.test(name)), false);
    sim.advance(10000);
    await until('processing', () => ['/one', '/two', '/lies'].every((path) => hook.at(path).length === 2));
    sim.advance(20000);
    await until('the end', () => ['/one', '/two', '/lies'].every((path) => hook.at(path).length === 3));
    const one = hook.at('/one')[2].json, two = hook.at('/two').map(({ json }) => json.task?.status);
    assert.deepEqual([hook.at('/one')[1].json.status, one.status, one.file_id, two.slice(1)],
        ['processing', 'success', (await query(one.task_id)).file_id, ['running', 'succeeded']]);
    assert.deepEqual(hook.at('/lies').slice(1).map(({ json }) => [json.status, json.file_id]),
        [['success', '1'], ['success', '1']]);
    assert.equal(hook.at('/deaf').length, 1);
});

test('v1: HTTP 200 and a code', async () => {
    assert.equal(await code(call('GET', '/v1/query/video_generation?task_id=1', undefined, '')), 1004);
    assert.equal(await code(call('GET', '/v1/query/video_generation?task_id=1', undefined, 'x')), 2049);
    const image = 'https://x.example/a.png';
    for (const wrong of [{ model: 'MiniMax-H3' }, { duration: '6' }, { duration: 10, resolution: '1080P' },
        { resolution: '768p' }, { model: 'MiniMax-Hailuo-02', resolution: '512P' },
        { model: 'MiniMax-Hailuo-2.3-Fast' }, { first_frame_image: 'iVBORw0KGgo=' },
        { model: 'T2V-01', resolution: undefined, first_frame_image: image },
        { model: 'S2V-01', resolution: undefined }, { callback_url: 'x' }])
        assert.equal(await code(submit('x', wrong)), 2013, JSON.stringify(wrong));
    assert.equal(await code(submit('x'.repeat(2001))), 2013);
    for (const right of [{ duration: 10 }, { first_frame_image: image }, { resolution: undefined },
        { model: 'MiniMax-Hailuo-02', resolution: '512P', first_frame_image: image },
        { model: 'MiniMax-Hailuo-2.3-Fast', first_frame_image: image }])
        assert.equal(await code(submit('x', right)), 0, JSON.stringify(right));
    const doors = { '429': 1002, '500-before': 1000, '500-after': 1001, 'refused': 2013, 'moderated-submit': 1026,
                    'no-credit': 1008, 'park': 2056, 'bad-auth': 2049 };
    for (const [name, want] of Object.entries(doors))
        assert.equal(await code(submit(`shut [sim:${name}]`)), want, name);
    assert.equal(sim.books('shut').requests.length, 1, '1001 may have taken effect');
});

test('v2: HTTP codes', async () => {
    const stranger = await call('GET', '/v2/query/video_generation/1', undefined, 'x');
    assert.deepEqual([stranger.http, stranger.type, stranger.error.type], [401, 'error', 'authentication_error']);
    const media = (type, role, url = 'https://x.example/a') => ({ type: `${type}_url`, [`${type}_url`]: { url }, role });
    const content = (...more) => ({ content: [words('x'), ...more] });
    const first = media('image', 'first_frame'), reference = media('image', 'reference_image');
    for (const wrong of [{ ratio: undefined }, { ratio: 'adaptive' }, { duration: 3 }, { duration: '5' },
        { resolution: '768p' }, { content: [] }, { content: [words('')] }, content(words('y')),
        content(media('image', 'last_frame')),
        content(first, reference), content(media('audio', 'reference_audio')), content(media('image', 'nothing')),
        content(...Array(10).fill(reference)), content(media('image', 'first_frame', 'iVBORw0KGgo='))])
        assert.equal((await submit2('x', wrong)).http, 400, JSON.stringify(wrong));
    for (const right of [{ ...content(first), ratio: undefined }, content(first, media('image', 'last_frame')),
        content(reference, media('audio', 'reference_audio')), { ...content(reference), ratio: 'adaptive' }])
        assert.equal((await submit2('x', right)).http, 200, JSON.stringify(right));
    const doors = { '429': [429, /rate limit/], 'no-credit': [402, /insufficient balance/], 'park': [429, /usage limit/],
                    'refused': [400, /invalid params/], 'moderated-submit': [400, /sensitive/],
                    '500-before': [500, /unknown/] };
    for (const [name, [status, message]] of Object.entries(doors)) {
        const { http, error } = await submit2(`[sim:${name}]`);
        assert.deepEqual([http, error.http_code], [status, String(status)], name);
        assert.match(error.message, message);
    }
});

test('how it ends otherwise', async () => {
    const names = ['fails', 'fails-retryable', 'moderated-run', 'moderated-output', 'done-empty'], one = [], two = [];
    for (const name of names) {
        one.push((await submit(`[sim:${name}]`)).task_id);
        two.push((await submit2(`[sim:${name}]`)).task_id);
    }
    sim.advance(30000);
    const ends = await Promise.all(one.map(query)), tasks = await Promise.all(two.map(task));
    assert.deepEqual(ends.map(({ status, base_resp }) => [status, base_resp.status_code]),
        [['Fail', 2013], ['Fail', 1000], ['Fail', 1026], ['Fail', 1027], ['Success', 0]]);
    assert.deepEqual(tasks.map(({ status, error }) => [status, error?.code]),
        [['failed', '2013'], ['failed', '1000'], ['failed', '1026'], ['failed', '1027'], ['succeeded', undefined]]);
    assert.deepEqual([ends[4].file_id, tasks[4].content], ['', null]);
});

test('v2: cancel while queued, delete when over, and a list without prompts', async () => {
    const remove = (id) => call('DELETE', `/v2/video_generation/${id}`);
    const ids = [];
    for (const prompt of ['queued', 'late [sim:no-cancel]', 'runs'])
        ids.push((await submit2(`stops ${prompt}`)).task_id);
    const [queued, late, runs] = ids;
    assert.deepEqual([(await remove(queued)).action, (await remove(late)).http], ['cancelled', 400]);
    assert.deepEqual([(await task(queued)).status, (await remove(queued)).http], ['cancelled', 400]);
    sim.advance(10000);
    assert.equal((await remove(runs)).http, 400);
    const listed = (more) => call('GET', `/v2/query/video_generation?page_num=1&page_size=2${more}`);
    const { items } = await listed('');
    assert.deepEqual(items.map(({ id }) => id), [runs, late]);
    assert.ok(items.every((row) => row.created_at < 1e10 && row.duration === 5));
    assert.ok(!JSON.stringify(items).includes('stops'));
    assert.ok((await listed('&filter.status=cancelled')).items.every(({ status }) => status === 'cancelled'));
    sim.advance(20000);
    assert.equal((await remove(runs)).action, 'deleted');
    assert.equal((await call('GET', `/v2/query/video_generation/${runs}`)).http, 400);
    assert.deepEqual(sim.books('stops').requests.map(({ end, billed }) => [end, billed]),
        [['canceled', false], ['done', true], ['done', true]]);
});
