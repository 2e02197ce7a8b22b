import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { startSimulator } from './simulator.mjs';
import { probe } from './world.mjs';

let sim, base;
before(async () => {
    sim = await startSimulator({ queueMs: 10000, renderMs: 20000 });
    base = `${sim.url}/comfyui`;
});
after(async () => {
    assert.deepEqual(sim.books().bugs, []);
    await sim.stop();
});

async function call(method, where, body, headers = {}) {
    const answer = await fetch(base + where, { method, body: body && JSON.stringify(body),
                                               headers: { ...headers, 'Content-Type': 'application/json' } });
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.includes('json');
    return { http: answer.status, ...isJson && { value: JSON.parse(text) } };
}

const saver = (from, prefix) => ({
    class_type: 'SaveVideo', inputs: { video: [from, 0], filename_prefix: prefix, format: 'mp4', codec: 'h264' },
});

function workflow(text, { prefix = `fg/${randomUUID()}`, seed = 42 } = {}) {
    return {
        1: { class_type: 'UNETLoader', inputs: { unet_name: 'wan2.1.safetensors', weight_dtype: 'default' } },
        2: { class_type: 'CLIPLoader', inputs: { clip_name: 'umt5.safetensors', type: 'wan' } },
        3: { class_type: 'KSampler', inputs: {
            model: ['1', 0], seed, steps: 20, cfg: 6, sampler_name: 'uni_pc', scheduler: 'simple', denoise: 1,
            positive: ['6', 0], negative: ['7', 0], latent_image: ['5', 0],
        } },
        4: { class_type: 'VAELoader', inputs: { vae_name: 'wan.safetensors' } },
        5: { class_type: 'EmptyHunyuanLatentVideo', inputs: { width: 480, height: 832, length: 49, batch_size: 1 } },
        6: { class_type: 'CLIPTextEncode', inputs: { text, clip: ['2', 0] } },
        7: { class_type: 'CLIPTextEncode',
             inputs: { text: 'blurry, ugly, and a good deal longer than the prompt itself is', clip: ['2', 0] } },
        8: { class_type: 'VAEDecode', inputs: { samples: ['3', 0], vae: ['4', 0] } },
        9: { class_type: 'CreateVideo', inputs: { images: ['8', 0], fps: 16 } },
        10: saver('9', prefix),
    };
}

async function submit(text, { id = randomUUID(), ...more } = {}, made) {
    const body = { prompt_id: id, client_id: 'fg', prompt: workflow(text, made), ...more };
    const { http, value } = await call('POST', '/prompt', body);
    assert.equal(http, 200, text);
    return { ...value, id: value.prompt_id };
}
const history = async (id) => (await call('GET', `/history/${id}`)).value[id];
const job = async (id) => (await call('GET', `/api/jobs/${id}`)).value;
const queue = async (root = '') => (await call('GET', `${root}/queue`)).value;
const ids = (list) => list.map(([, id]) => id);
const view = (file) => fetch(`${base}/view?${new URLSearchParams(file)}`);

test('from submit to file, by the old routes and the new', async () => {
    const id = randomUUID();
    const { prompt_id, number, node_errors } = await submit('a kite', { id }, { prefix: `fg/${id}` });
    assert.deepEqual([prompt_id, typeof number, node_errors], [id, 'number', {}]);
    assert.deepEqual([ids((await queue()).queue_pending), await history(id), (await job(id)).status],
        [[id], undefined, 'pending']);
    sim.advance(10000);
    assert.deepEqual([ids((await queue('/api')).queue_running), (await job(id)).status], [[id], 'in_progress']);
    sim.advance(20000);
    assert.deepEqual(await queue(), { queue_running: [], queue_pending: [] });
    const { outputs, status } = await history(id), [file] = outputs[10].images;
    assert.deepEqual([status.status_str, status.completed, status.messages.at(-1)[0]],
        ['success', true, 'execution_success']);
    assert.deepEqual(file, { filename: `${id}_00001_.mp4`, subfolder: 'fg', type: 'output' });
    const video = await probe(Buffer.from(await (await view(file)).arrayBuffer()));
    assert.deepEqual([video.seconds, video.width, video.height], [3, 74, 128]);
    const done = await job(id);
    assert.deepEqual([done.status, done.preview_output, done.execution_end_time - done.execution_start_time],
        ['completed', file, 20000]);
    const [run] = sim.books('a kite').requests;
    assert.deepEqual([run.seed, run.reference, run.seconds, run.model], [42, id, 3, 'wan2.1.safetensors']);
});

test('an id that comes twice runs twice', async () => {
    const id = randomUUID();
    await submit('twin one', { id });
    await submit('twin two', { id });
    assert.deepEqual(ids((await queue()).queue_pending), [id, id]);
    sim.advance(30000);
    assert.equal((await history(id)).prompt[2][6].inputs.text, 'twin two');
    assert.equal(sim.books('twin').requests.length, 2);
});

test('nothing changed, nothing done: the old file again', async () => {
    const made = { prefix: 'fg/same' }, first = await submit('again', {}, made);
    sim.advance(30000);
    const second = await submit('again', {}, made), third = await submit('again', {}, { ...made, seed: 43 });
    const { outputs, status } = await history(second.id);
    assert.deepEqual(outputs, (await history(first.id)).outputs);
    assert.equal(status.messages[1][1].nodes.length, 10);
    sim.advance(30000);
    assert.equal((await history(third.id)).outputs[10].images[0].filename, 'same_00002_.mp4');
});

test('what it refuses', async () => {
    const refused = async (change, more) => {
        const prompt = workflow('x');
        change(prompt);
        const { http, value } = await call('POST', '/prompt', { prompt, ...more });
        assert.equal(http, 400);
        return value;
    };
    const type = async (...args) => (await refused(...args)).error.type;
    assert.equal((await call('POST', '/prompt', {})).value.error.type, 'no_prompt');
    assert.equal(await type(() => {}, { prompt_id: 'job_1' }), 'invalid_prompt_id');
    assert.equal(await type((flow) => delete flow[3].class_type), 'invalid_prompt');
    assert.equal(await type((flow) => { flow[3].class_type = 'NotInstalled'; }), 'invalid_prompt');
    assert.equal(await type((flow) => delete flow[10]), 'prompt_no_outputs');
    assert.equal(await type(() => {}, { partial_execution_targets: ['9'] }), 'prompt_no_outputs');
    const { error, node_errors } = await refused((flow) => {
        delete flow[3].inputs.cfg;
        flow[8].inputs.vae = ['99', 0];
    });
    assert.equal(error.type, 'prompt_outputs_failed_validation');
    assert.deepEqual(Object.entries(node_errors).map(([id, node]) => [id, node.errors[0].type, node.dependent_outputs]),
        [['3', 'required_input_missing', ['10']], ['8', 'bad_linked_input', ['10']]]);
    assert.equal(await type(() => {}, { prompt: workflow('[sim:refused]') }), 'prompt_outputs_failed_validation');
    const half = { ...workflow('half'), 20: { class_type: 'SaveImage', inputs: { images: ['99', 0] } } };
    const { http, value } = await call('POST', '/prompt', { prompt: half });
    assert.deepEqual([http, Object.keys(value.node_errors)], [200, ['20']], 'the other output runs');
    assert.equal((await fetch(`${base}/prompt`, { method: 'POST', body: '{' })).status, 500);
    assert.equal((await call('GET', '/queue', undefined, { Origin: 'https://x.example' })).http, 403);
});

test('how it fails', async () => {
    const names = ['fails', 'fails-retryable', 'done-empty', 'moderated-run'], made = [];
    for (const name of names)
        made.push((await submit(`ends [sim:${name}]`)).id);
    const gone = await submit('[sim:forgets]');
    sim.advance(30000);
    const ends = await Promise.all(made.map(history));
    assert.deepEqual(ends.map(({ status }) => status.status_str), ['error', 'error', 'success', 'success']);
    assert.deepEqual(ends.slice(0, 2).map(({ status }) => status.messages.at(-1)[1].exception_type),
        ['RuntimeError', 'torch.OutOfMemoryError']);
    assert.deepEqual([ends[2].outputs, (await job(made[0])).execution_error.exception_type], [{}, 'RuntimeError']);
    assert.deepEqual([await history(gone.id), (await call('GET', `/api/jobs/${gone.id}`)).http], [undefined, 404]);
    const broken = await submit('[sim:poll-500]');
    assert.deepEqual([(await call('GET', '/queue')).http, (await call('GET', '/queue')).http], [500, 500]);
    assert.ok(ids((await queue()).queue_pending).includes(broken.id));
});

test('stopping: out of the queue, in the middle, too late', async () => {
    sim.advance(30000); /* nobody else's runs any more */
    const made = [];
    for (const text of ['queued', 'running', 'other', 'late [sim:no-cancel]', 'newer'])
        made.push(await submit(`stops ${text}`));
    const [queued, running, other, late, newer] = made;
    const ok = async (where, body) => assert.equal((await call('POST', where, body)).http, 200);
    await ok('/queue', { delete: [queued.id, 'nobody'] });
    await ok('/interrupt', { prompt_id: other.id });
    assert.deepEqual((await call('POST', `/api/jobs/${newer.id}/cancel`)).value, { cancelled: true });
    assert.deepEqual((await call('POST', '/api/jobs/cancel', { job_ids: [newer.id] })).value, { cancelled: false });
    assert.deepEqual([await history(queued.id), (await call('GET', `/api/jobs/${queued.id}`)).http], [undefined, 404]);
    sim.advance(10000);
    assert.equal((await job(other.id)).status, 'in_progress', 'it did not run yet');
    await ok('/queue', { delete: [running.id] });
    assert.equal((await job(running.id)).status, 'in_progress', 'it runs');
    await ok('/interrupt', { prompt_id: running.id });
    await ok('/interrupt', { prompt_id: late.id });
    const { status, outputs } = await history(running.id);
    assert.deepEqual([status.status_str, status.messages.at(-1)[0], outputs], ['error', 'execution_interrupted', {}]);
    assert.equal((await job(running.id)).status, 'cancelled');
    await ok('/interrupt', {});
    assert.equal((await job(other.id)).status, 'cancelled', 'a stranger\'s');
    sim.advance(20000);
    assert.equal((await job(late.id)).status, 'completed');
    await ok('/history', { delete: [late.id] });
    assert.equal(await history(late.id), undefined);
});

test('lists: jobs by status and page, positions by number', async () => {
    sim.advance(30000);
    const front = await submit('first', { front: true }), back = await submit('second');
    const { queue_pending: pending } = await queue();
    const number = (id) => pending.find((entry) => entry[1] === id)[0];
    assert.ok(number(front.id) < number(back.id));
    const list = async (query) => (await call('GET', `/api/jobs?${query}`)).value;
    const { jobs, pagination } = await list('status=pending&limit=1');
    assert.deepEqual([jobs[0].id, jobs[0].workflow, pagination.has_more], [back.id, undefined, true]);
    assert.equal((await list('status=pending&limit=1&offset=1')).jobs[0].id, front.id);
    assert.equal((await call('GET', '/prompt')).value.exec_info.queue_remaining, pending.length);
    const { value: { system } } = await call('GET', '/system_stats');
    assert.match(system.comfyui_version, /^\d+\.\d+\.\d+$/);
});

test('pictures go up under a name that may change', async () => {
    const upload = async (bytes, more = {}) => {
        const body = new FormData();
        body.append('image', new Blob([bytes], { type: 'image/png' }), 'a.png');
        for (const [name, value] of Object.entries(more))
            body.append(name, value);
        const answer = await fetch(`${base}/upload/image`, { method: 'POST', body });
        return answer.ok ? (await answer.json()).name : answer.status;
    };
    for (const [bytes, more, name] of [['one', {}, 'a.png'], ['one', {}, 'a.png'], ['two', {}, 'a (1).png'],
        ['two', { overwrite: 'true' }, 'a.png']])
        assert.equal(await upload(bytes, more), name);
    assert.deepEqual([await upload('x', { type: 'nowhere' }), await upload('x', { subfolder: '../..' })], [400, 400]);
    assert.equal(await (await view({ filename: 'a.png', subfolder: '', type: 'input' })).text(), 'two');
    const status = async (...args) => (await view(...args)).status;
    assert.deepEqual([await status({ filename: '../a', subfolder: '', type: 'output' }),
        await status({ filename: 'a', subfolder: '../b', type: 'output' }),
        await status({ filename: 'a', subfolder: 'b', type: 'output' })], [400, 403, 404]);
    const from = (image) => ({ ...workflow('pictured'), 11: { class_type: 'LoadImage', inputs: { image } },
                               12: saver('11', 'x') });
    const submitted = async (image) => (await call('POST', '/prompt', { prompt: from(image) })).value.node_errors;
    assert.deepEqual(await submitted('a (1).png'), {});
    assert.equal((await submitted('b.png'))[11].errors[0].type, 'custom_validation_failed');
    assert.equal(sim.books('pictured').requests[0].image, true);
});
