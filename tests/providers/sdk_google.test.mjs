import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { ApiError, GoogleGenAI } from '@google/genai';
import { Webhook } from 'standardwebhooks';
import { PICTURE, isVideo, until, world } from './sdk_world.mjs';

const MODEL = 'veo-3.1-fast-generate-preview';

let at, google;
const client = (apiKey) => new GoogleGenAI({ apiKey, httpOptions: { baseUrl: `${at.sim.url}/veo` } });
before(async () => {
    at = await world();
    google = client('sim-veo');
});
after(() => at.end());

const submit = (prompt, { config, model = MODEL, image } = {}, by = google) => by.models.generateVideos({
    model, source: { prompt, image },
    config: { aspectRatio: '16:9', durationSeconds: 8, numberOfVideos: 1, ...config },
});
/* It has no helper to wait with, but this is how it is to be asked. */
const ends = (operation) => until(`${operation.name} ends`, async () => {
    const now = await google.operations.getVideosOperation({ operation });
    return now.done && now;
});

/* The client takes an address apart only when it is https: for ours it gets the name that it would have found. */
async function download({ video: { uri } }) {
    const folder = await mkdtemp(path.join(tmpdir(), 'fgsdk.'));
    try {
        const downloadPath = path.join(folder, 'a.mp4'), [, file] = /(files\/[a-z0-9]+):download/.exec(uri);
        await google.files.download({ file, downloadPath });
        await isVideo(await readFile(downloadPath));
        return file;
    } finally {
        await rm(folder, { recursive: true });
    }
}

test('submit, wait, file', async () => {
    const operation = await submit('a kite');
    assert.equal(operation.done, undefined);
    const { response, error } = await ends(operation);
    assert.deepEqual([response.generatedVideos.length, error], [1, undefined]);
    const name = await download(response.generatedVideos[0]);
    assert.equal((await google.files.get({ name })).mimeType, 'video/mp4');
    await google.files.delete({ name });
    await assert.rejects(google.files.get({ name }), (gone) => gone instanceof ApiError && gone.status === 404);
    assert.deepEqual(at.ofPrompt('a kite').map(({ model, seconds, downloads, keyLeaked }) =>
        [model, seconds, downloads, keyLeaked]), [[MODEL, 8, 1, false]]);
});

test('from pictures', async () => {
    const picture = { imageBytes: PICTURE.toString('base64'), mimeType: 'image/png' };
    await ends(await submit('pictured', { image: picture, config: { lastFrame: picture } }));
    const referenceImages = [{ image: picture, referenceType: 'asset' }];
    await ends(await submit('pictured in part', { config: { referenceImages } }));
    assert.deepEqual(at.ofPrompt('pictured').map(({ image }) => image), [true, false]);
});

test('webhooks: of the request, and registered', async () => {
    const uri = `${at.hook.url}/google`;
    const webhookConfig = { uris: [`${uri}/own`], userMetadata: { ref: 'r1' } };
    const operation = await submit('heard', { config: { webhookConfig } });
    await until('its event', () => at.hook.at('/google/own').length === 1);
    const [{ json, headers }] = at.hook.at('/google/own');
    assert.deepEqual([json.type, json.data.id, json.user_metadata], ['video.generated', operation.name, { ref: 'r1' }]);
    assert.match(headers['webhook-signature'], /^[\w-]+\.[\w-]+\.[\w-]+$/);

    const { id, new_signing_secret: secret } = await google.webhooks.create(
        { name: 'all', uri: `${uri}/static`, subscribed_events: ['video.generated'] });
    const { secret: next } = await google.webhooks.rotateSigningSecret(id,
        { revocation_behavior: 'revoke_previous_secrets_after_h24' });
    await submit('heard too');
    await until('its event', () => at.hook.at('/google/static').length === 1);
    const [event] = at.hook.at('/google/static');
    for (const one of [secret, next])
        assert.deepEqual(new Webhook(one).verify(event.raw, event.headers), event.json);
    assert.throws(() => new Webhook(next).verify(`${event.raw} `, event.headers));
    assert.equal((await google.webhooks.list()).webhooks.length, 1);
    assert.equal((await google.webhooks.get(id)).uri, `${uri}/static`);
    await google.webhooks.delete(id);
    assert.deepEqual((await google.webhooks.list()).webhooks, []);
});

test('errors have its type, and a failure is an operation that is done', async () => {
    const refusedWith = (status, words) => (error) =>
        error instanceof ApiError && error.status === status && words.test(error.message);
    await assert.rejects(submit('x', {}, client('nobody')), refusedWith(400, /API_KEY_INVALID/));
    await assert.rejects(submit('x', { config: { durationSeconds: 5 } }), refusedWith(400, /durationSeconds/));
    await assert.rejects(submit('x', { model: 'veo-2.0-generate-001' }), refusedWith(404, /NOT_FOUND/));
    for (const [tag, status, words] of [['bad-auth', 401, /UNAUTHENTICATED/],
        ['moderated-submit', 400, /usage guidelines/], ['no-credit', 400, /FAILED_PRECONDITION/],
        ['park', 429, /PerDay/], ['500-before', 503, /UNAVAILABLE/]])
        await assert.rejects(submit(`[sim:${tag}]`), refusedWith(status, words), tag);
    const [failed, moderated] = await Promise.all(['fails', 'moderated-output'].map(async (tag) =>
        ends(await submit(`[sim:${tag}]`))));
    assert.equal(failed.error.code, 3);
    assert.deepEqual([moderated.response.raiMediaFilteredCount, moderated.response.generatedVideos], [1, undefined]);
});
