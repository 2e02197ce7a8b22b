import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import Replicate, { validateWebhook } from 'replicate';
import { PICTURE_URL, download, until, world } from './sdk_world.mjs';

const MODEL = 'google/veo-3.1-fast';

let at, replicate;
const client = (auth) => new Replicate({ auth, baseUrl: `${at.sim.url}/replicate/v1` });
before(async () => {
    at = await world();
    replicate = client('sim-replicate');
});
after(() => at.end());

const input = (prompt, more) => ({ prompt, aspect_ratio: '16:9', duration: 8, seed: 7, ...more });
const refusedWith = (status, words = /./) => (error) => {
    assert.equal(error.name, 'ApiError');
    assert.deepEqual([error.response.status, words.test(error.message)], [status, true]);
    return true;
};

test('run: submit, wait, file', async () => {
    const seen = [];
    const output = await replicate.run(MODEL, { input: input('a kite'), wait: { mode: 'poll', interval: 50 } },
        ({ status }) => seen.push(status));
    assert.deepEqual([seen[0], seen.at(-1)], ['starting', 'succeeded']);
    await download(output);
    const [run] = at.ofPrompt('a kite');
    assert.deepEqual([run.model, run.seconds, run.seed, run.downloads], [MODEL, 8, 7, 1]);
    await download(await replicate.run(MODEL, { input: input('a kite that blocks') }));
});

test('step by step, from a picture, with webhooks that its own function verifies', async () => {
    const webhook = `${at.hook.url}/replicate`;
    const made = await replicate.predictions.create({
        model: MODEL, input: input('pictured', { image: PICTURE_URL }), webhook,
        webhook_events_filter: ['start', 'completed'],
    });
    const done = await replicate.wait(made, { interval: 50 });
    assert.equal(done.status, 'succeeded');
    await download(done.output);
    await until('two callbacks', () => at.hook.at('/replicate').length === 2);
    const { key } = await replicate.webhooks.default.secret.get();
    for (const { headers, raw } of at.hook.at('/replicate')) {
        assert.equal(await validateWebhook({ headers, body: raw }, key), true);
        assert.equal(await validateWebhook({ headers, body: `${raw} ` }, key), false);
    }
    assert.deepEqual(at.hook.at('/replicate')[1].json.output, done.output);
    assert.equal(at.ofPrompt('pictured')[0].image, true);
    await replicate.predictions.create({ model: MODEL, input: input('[sim:callback-forged]'),
                                         webhook: `${at.hook.url}/forged`, webhook_events_filter: ['completed'] });
    await until('a forgery', () => at.hook.at('/forged').length === 1);
    const [{ headers, raw }] = at.hook.at('/forged');
    assert.equal(await validateWebhook({ headers, body: raw }, key), false);
});

test('cancel, and lists over pages', async () => {
    const made = await replicate.predictions.create({ version: 'a'.repeat(64), input: input('stops [sim:stuck]') });
    await until('it runs', async () => (await replicate.predictions.get(made.id)).status === 'processing');
    assert.equal((await replicate.predictions.cancel(made.id)).status, 'canceled');
    assert.equal((await replicate.wait(made)).status, 'canceled');
    const many = Array.from({ length: 100 }, (_, i) => input(`many ${i}`));
    await Promise.all(many.map((one) => replicate.predictions.create({ model: MODEL, input: one })));
    const pages = [];
    for await (const page of replicate.paginate(replicate.predictions.list))
        pages.push(page);
    const all = pages.flat();
    assert.ok(pages.length === 2 && all.some(({ id }) => id === made.id));
    assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
    assert.equal(all.length, at.ofPrompt('').length);
});

test('errors have its types', async () => {
    const create = (prompt, by = replicate) => by.predictions.create({ model: MODEL, input: input(prompt) });
    await assert.rejects(create('x', client('nobody')), refusedWith(401, /authentication token/));
    await assert.rejects(create('[sim:refused]'), refusedWith(422, /duration/));
    await assert.rejects(create('[sim:no-credit]'), refusedWith(402, /credit/));
    await assert.rejects(replicate.predictions.get('nobody'), refusedWith(404));
    const run = (prompt) => replicate.run(MODEL, { input: input(prompt), wait: { mode: 'poll', interval: 50 } });
    await assert.rejects(run('[sim:moderated-run]'), /Prediction failed: .*flagged as sensitive.*\(E005\)/);
    await assert.rejects(run('[sim:fails]'), /Prediction failed: CUDA error/);
});

test('it submits again by itself: after 429, and after an answer that was lost', async () => {
    const create = (prompt) => replicate.predictions.create({ model: MODEL, input: input(prompt) });
    const busy = await create('busy [sim:429]');
    assert.deepEqual(at.ofPrompt('busy').map(({ id }) => id), [busy.id]);
    const lost = await create('lost [sim:answer-lost*1]');
    const [first, second, ...more] = at.ofPrompt('lost');
    assert.deepEqual([second.id, first.billed && second.billed, more], [lost.id, true, []], 'paid for twice');
});
