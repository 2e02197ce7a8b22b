import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import LumaAI from 'lumaai';
import { PICTURE_URL, download, until, world } from './sdk_world.mjs';

let at, luma;
const client = (authToken, maxRetries = 0) =>
    new LumaAI({ authToken, baseURL: `${at.sim.url}/luma/dream-machine/v1`, maxRetries });
before(async () => {
    at = await world();
    luma = client('sim-luma');
});
after(() => at.end());

const create = (prompt, more, by = luma) =>
    by.generations.create({ model: 'ray-2', prompt, aspect_ratio: '16:9', duration: '5s', ...more });
/* It has no helper to wait with. */
const ends = ({ id }) => until(`${id} ends`, async () => {
    const generation = await luma.generations.get(id);
    return ['completed', 'failed'].includes(generation.state) && generation;
});

test('submit, wait, file, with callbacks', async () => {
    const callback_url = `${at.hook.url}/luma`;
    const made = await create('a kite', { callback_url });
    assert.deepEqual([made.state, made.assets], ['queued', null]);
    const done = await ends(made);
    assert.deepEqual([done.state, done.request.callback_url], ['completed', callback_url]);
    await download(done.assets.video);
    await until('both callbacks', () => at.hook.at('/luma').length === 2);
    assert.deepEqual(at.hook.at('/luma').map(({ json }) => json.state), ['dreaming', 'completed']);
    assert.deepEqual(at.hook.at('/luma')[1].json, done);
});

test('from a picture, and from an earlier one', async () => {
    const first = await luma.generations.video.create({
        model: 'ray-flash-2', prompt: 'pictured', keyframes: { frame0: { type: 'image', url: PICTURE_URL } },
    });
    await ends(first);
    const keyframes = { frame0: { type: 'generation', id: first.id } };
    const second = await create('pictured too', { keyframes, loop: true });
    assert.equal((await ends(second)).state, 'completed');
    assert.deepEqual(at.ofPrompt('pictured').map(({ image, model }) => [image, model]),
        [[true, 'ray-flash-2'], [true, 'ray-2']]);
});

test('a lost submit is found in the list, by its callback URL', async () => {
    const callback_url = `${at.hook.url}/lost`;
    await assert.rejects(create('lost [sim:answer-lost]', { callback_url }), LumaAI.APIConnectionError);
    const { generations, has_more, limit } = await luma.generations.list({ limit: 1, offset: 0 });
    assert.deepEqual([generations[0].request.callback_url, has_more, limit], [callback_url, true, 1]);
    assert.equal(generations[0].id, at.ofPrompt('lost')[0].id);
});

test('delete', async () => {
    const { id } = await create('stops [sim:stuck]');
    await until('it runs', async () => (await luma.generations.get(id)).state === 'dreaming');
    await luma.generations.delete(id);
    await assert.rejects(luma.generations.get(id), LumaAI.NotFoundError);
    assert.deepEqual(at.ofPrompt('stops').map(({ canceled }) => canceled), [true]);
});

test('errors have its types, and the small calls work', async () => {
    await assert.rejects(create('x', {}, client('nobody')), LumaAI.AuthenticationError);
    await assert.rejects(create('x', { model: 'ray-3.2' }), (error) =>
        error instanceof LumaAI.UnprocessableEntityError && error.error.detail[0].loc[1] === 'model');
    for (const [tag, type, words] of [['moderated-submit', 'BadRequestError', /moderation/],
        ['no-credit', 'BadRequestError', /credits/], ['429', 'RateLimitError', /concurrent/],
        ['500-before', 'InternalServerError', /Upstream/]])
        await assert.rejects(create(`[sim:${tag}]`),
            (error) => error instanceof LumaAI[type] && words.test(error.error.detail), tag);
    const { state, failure_reason } = await ends(await create('[sim:moderated-output]'));
    assert.equal(state, 'failed');
    assert.match(failure_reason, /policy/);
    assert.equal((await luma.credits.get()).credit_balance, 123400);
    assert.equal((await luma.ping.check()).message, 'pong');
    assert.ok((await luma.generations.concepts.list()).length > 0);
});

test('it submits again by itself after 429, as soon as it may', async () => {
    const begin = Date.now(), { id } = await create('busy [sim:429=1]', {}, client('sim-luma', 1));
    assert.ok(Date.now() - begin >= 1000);
    assert.deepEqual(at.ofPrompt('busy').map((run) => run.id), [id]);
});
