import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startSimulator } from './simulator.mjs';
import { probe } from './world.mjs';

let sim, base;
before(async () => {
    sim = await startSimulator({ queueMs: 10000, renderMs: 20000 });
    base = `${sim.url}/runway`;
});
after(async () => {
    assert.deepEqual(sim.books().bugs, []);
    await sim.stop();
});

const KEY = { 'Authorization': 'Bearer sim-runway', 'X-Runway-Version': '2024-11-06' };

async function call(method, where, body, headers = KEY) {
    const answer = await fetch(base + where, { method, body: body && JSON.stringify(body),
                                               headers: { ...headers, 'Content-Type': 'application/json' } });
    const text = await answer.text();
    return { http: answer.status, ...text && JSON.parse(text) };
}

const TEXT = { model: 'gen4.5', ratio: '1280:720', duration: 5, seed: 42 };
const submit = (promptText, more) => call('POST', '/v1/text_to_video', { ...TEXT, promptText, ...more });
const task = (id) => call('GET', `/v1/tasks/${id}`);

test('from submit to file', async () => {
    const { http, id, estimatedCost } = await submit('a kite');
    assert.deepEqual([http, estimatedCost], [200, { credits: 125 }]);
    assert.equal((await task(id)).status, 'PENDING');
    sim.advance(20000);
    const running = await task(id);
    assert.deepEqual([running.status, Math.round(10 * running.progress)], ['RUNNING', 5]);
    sim.advance(10000);
    const done = await task(id);
    assert.deepEqual([done.status, done.output.length, done.cost], ['SUCCEEDED', 1, { credits: 125 }]);
    assert.notEqual((await task(id)).output[0], done.output[0], 'every GET signs anew');
    const video = await probe(Buffer.from(await (await fetch(done.output[0])).arrayBuffer()));
    assert.deepEqual([video.seconds, video.width, video.height], [5, 128, 72]);
    await fetch(done.output[0], { headers: KEY });
    const [run] = sim.books('a kite').requests;
    assert.deepEqual([run.downloads, run.keyLeaked, run.seed, run.seconds], [2, true, 42, 5]);
});

test('what it refuses', async () => {
    assert.equal((await call('GET', '/v1/organization', undefined, { Authorization: 'Bearer x' })).http, 401);
    const versionless = await call('GET', '/v1/organization', undefined, { Authorization: 'Bearer sim-runway' });
    assert.equal(versionless.http, 400);
    assert.match(versionless.error, /X-Runway-Version/);
    const wrong = { promptText: '🪁'.repeat(501), ratio: '16:9', duration: 11, seed: -1, model: 'gen4_turbo' };
    for (const [name, value] of Object.entries(wrong)) {
        const { http, issues } = await submit('x', { [name]: value });
        assert.deepEqual([http, issues?.[0].path], [400, [name]], name);
    }
    assert.equal((await submit('🪁'.repeat(500))).http, 200, '1000 UTF-16 code units');
    assert.equal((await submit('x', { duration: undefined })).http, 400);
    assert.equal((await submit('x', { model: 'hailuo3', ratio: '9:16', duration: undefined })).http, 200);
    const image = (promptImage) => call('POST', '/v1/image_to_video', { ...TEXT, model: 'gen4_turbo', promptImage });
    const last = { uri: 'https://x.example/b.png', position: 'last' };
    for (const [picture, http] of [[undefined, 400], ['ftp://x', 400], ['https://x.example/a.png', 200],
        ['data:image/png;base64,iVBORw0KGgo=', 200], ['runway://nobody', 400], [[], 400], [[last], 200],
        [[{ ...last, position: 'middle' }], 400]])
        assert.equal((await image(picture)).http, http, JSON.stringify(picture));
    const doors = { '429': [429, /Too many/], 'no-credit': [400, /enough credits/], 'park': [429, /daily/],
                    'refused': [400, /Validation/], '500-before': [502, /gateway/], '500-after': [504, /timeout/] };
    for (const [name, [status, words]] of Object.entries(doors)) {
        const { http, error } = await submit(`shut [sim:${name}]`);
        assert.equal(http, status, name);
        assert.match(error, words);
    }
    assert.equal(sim.books('shut').requests.length, 1, 'the last one');
});

test('how it ends otherwise, and who pays', async () => {
    const names = ['fails', 'fails-retryable', 'moderated-run', 'moderated-output', 'done-empty', 'unknown-status'];
    const ids = [];
    for (const name of names)
        ids.push((await submit(`ends [sim:${name}]`)).id);
    const waits = await submit('[sim:throttled]');
    assert.equal((await task(waits.id)).status, 'THROTTLED');
    sim.advance(10000);
    assert.equal((await task(ids[5])).status, 'simmering');
    sim.advance(20000);
    const ends = await Promise.all(ids.map(task));
    assert.deepEqual(ends.map(({ status, failureCode, cost }) => [status, failureCode, cost.credits]), [
        ['FAILED', 'ASSET.INVALID', 0], ['FAILED', 'INTERNAL.BAD_OUTPUT.CODE01', 0],
        ['FAILED', 'SAFETY.INPUT.TEXT', 125], ['FAILED', 'SAFETY.OUTPUT.VIDEO', 0], ['SUCCEEDED', undefined, 125],
        ['SUCCEEDED', undefined, 125]]);
    assert.deepEqual(ends[4].output, []);
    assert.deepEqual(sim.books('ends').requests.map(({ billed }) => billed), [false, false, true, false, true, true]);
});

test('a DELETE cancels, or deletes', async () => {
    const queued = await submit('stops queued'), running = await submit('stops running');
    const done = await submit('stops late'), free = await submit('stops not [sim:no-cancel]');
    const remove = ({ id }) => call('DELETE', `/v1/tasks/${id}`);
    assert.equal((await remove(queued)).http, 204);
    sim.advance(15000);
    assert.equal((await remove(running)).http, 204);
    assert.equal((await remove(free)).http, 204);
    sim.advance(15000);
    const [url] = (await task(done.id)).output;
    assert.equal((await remove(done)).http, 204);
    for (const { id } of [queued, running, done, free])
        assert.deepEqual([(await task(id)).http, (await remove({ id })).http], [404, 404]);
    assert.equal((await fetch(url)).status, 404);
    assert.deepEqual(sim.books('stops').requests.map(({ end, billed }) => [end, billed]),
        [['canceled', false], ['canceled', true], ['done', true], ['done', true]]);
});

test('an upload, and what it is good for', async () => {
    const { uploadUrl, fields, runwayUri } = await call('POST', '/v1/uploads', { filename: 'a.png', type: 'ephemeral' });
    const picture = () => call('POST', '/v1/image_to_video',
        { model: 'gen4_turbo', promptText: 'x', promptImage: runwayUri, ratio: '1280:720' });
    assert.equal((await picture()).http, 400, 'nothing there yet');
    const store = (entries) => {
        const body = new FormData();
        for (const [name, value, filename] of entries)
            body.append(name, value, ...filename ? [filename] : []);
        return fetch(uploadUrl, { method: 'POST', body });
    };
    const file = ['file', new Blob(['png']), 'a.png'];
    assert.equal((await store([file])).status, 403);
    assert.equal((await store([file, ...Object.entries(fields)])).status, 400, 'the file comes last');
    assert.equal((await store([...Object.entries(fields), file])).status, 204);
    assert.equal((await picture()).http, 200);
    const { tier, usage } = await call('GET', '/v1/organization');
    assert.ok(usage.models['gen4.5'].dailyGenerations <= tier.models['gen4.5'].maxDailyGenerations);
});
