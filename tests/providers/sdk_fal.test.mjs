import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ApiError, ValidationError, createFalClient } from '@fal-ai/client';
import { verifiesFal } from '../fakes/providers/world.mjs';
import { PICTURE_URL, download, until, world } from './sdk_world.mjs';

/* Its hosts are written into it. */
const PLACES = { 'queue.fal.run': '/fal/queue', 'api.fal.ai': '/fal/api', 'rest.fal.ai': '/fal/rest' };
const MODEL = 'fal-ai/veo3.1/fast';

let at, fal;
const client = (credentials) => createFalClient({ credentials, fetch(url, init) {
    const { host, pathname, search } = new URL(url);
    return fetch(at.sim.url + PLACES[host] + pathname + search, init);
} });
before(async () => {
    at = await world();
    fal = client('sim-fal');
});
after(() => at.end());

const input = (prompt, more) => ({ prompt, aspect_ratio: '16:9', duration: '8s', seed: 7, ...more });

test('subscribe: submit, wait, result, file', async () => {
    const seen = [];
    const { data, requestId } = await fal.subscribe(MODEL, {
        input: input('a kite'), pollInterval: 50, logs: true, onQueueUpdate: ({ status }) => seen.push(status),
    });
    assert.deepEqual([...new Set(seen)], ['IN_QUEUE', 'IN_PROGRESS', 'COMPLETED']);
    await download(data.video.url);
    assert.equal(data.seed, 7);
    const [run] = at.ofPrompt('a kite');
    assert.deepEqual([run.id, run.model, run.seconds, run.downloads], [requestId, MODEL, 8, 1]);
});

test('step by step, from a picture, with a webhook', async () => {
    const { request_id: requestId, status } = await fal.queue.submit('fal-ai/veo3.1/image-to-video', {
        input: input('pictured', { image_url: PICTURE_URL }), webhookUrl: `${at.hook.url}/fal`,
    });
    assert.equal(status, 'IN_QUEUE');
    await fal.queue.subscribeToStatus('fal-ai/veo3.1/image-to-video', { requestId, mode: 'polling', pollInterval: 50 });
    const { data } = await fal.queue.result('fal-ai/veo3.1/image-to-video', { requestId });
    await download(data.video.url);
    await until('its callback', () => at.hook.at('/fal').length === 1);
    const [got] = at.hook.at('/fal');
    assert.deepEqual([got.json.request_id, got.json.payload.video], [requestId, data.video]);
    const jwks = await (await fetch(`${at.sim.url}/fal/rest/.well-known/jwks.json`)).json();
    assert.equal(verifiesFal(jwks, got), true, 'the client has no verifier of its own');
    assert.deepEqual(at.ofPrompt('pictured').map(({ image, callback }) => [image, callback]),
        [[true, `${at.hook.url}/fal`]]);
});

test('cancel', async () => {
    const { request_id: requestId } = await fal.queue.submit(MODEL, { input: input('stops [sim:stuck]') });
    await fal.queue.cancel(MODEL, { requestId });
    assert.equal((await fal.queue.status(MODEL, { requestId })).status, 'COMPLETED');
    await assert.rejects(fal.queue.result(MODEL, { requestId }),
        (error) => error instanceof ApiError && error.status === 499);
    assert.deepEqual(at.ofPrompt('stops').map(({ canceled }) => canceled), [true]);
});

test('errors have its types', async () => {
    const submit = (prompt, by = fal) => by.queue.submit(MODEL, { input: input(prompt) });
    await assert.rejects(submit('x', client('nobody')), (error) => error instanceof ApiError && error.status === 401);
    await assert.rejects(submit('[sim:no-credit]'),
        (error) => error.status === 403 && /balance/.test(error.body.detail));
    await assert.rejects(submit('[sim:refused]'), (error) => error instanceof ValidationError &&
        error.getFieldErrors('duration').length === 1);
    await assert.rejects(submit('[sim:moderated-submit]'), (error) => error instanceof ValidationError &&
        error.fieldErrors[0].type === 'content_policy_violation');
    const subscribe = (prompt) => fal.subscribe(MODEL, { input: input(prompt), pollInterval: 50 });
    await assert.rejects(subscribe('[sim:moderated-run]'), (error) => error instanceof ValidationError &&
        error.fieldErrors[0].type === 'content_policy_violation' && error.requestId !== '');
    await assert.rejects(subscribe('[sim:fails]'),
        (error) => error instanceof ApiError && error.status === 500);
});

test('it submits again by itself after 502, and that is a run of its own', async () => {
    const { request_id: requestId } = await fal.queue.submit(MODEL, { input: input('again [sim:500-before]') });
    assert.deepEqual(at.ofPrompt('again').map(({ id }) => id), [requestId]);
});
