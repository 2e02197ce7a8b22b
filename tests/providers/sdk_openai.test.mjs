import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI, { toFile } from 'openai';
import { webhookSecret } from '../fakes/providers/keys.mjs';
import { PICTURE, isVideo, until, world } from './sdk_world.mjs';

let at, openai;
const client = (apiKey) =>
    new OpenAI({ apiKey, baseURL: `${at.sim.url}/openai/v1`, maxRetries: 0, webhookSecret: webhookSecret('openai') });
before(async () => {
    at = await world();
    at.sim.set({ hooks: { openai: `${at.hook.url}/openai` } });
    openai = client('sim-openai');
});
after(() => at.end());

const create = (prompt, more) =>
    openai.videos.create({ model: 'sora-2', prompt, seconds: '8', size: '1280x720', ...more });
/* It has no helper to wait with. */
const ends = (id) => until(`${id} ends`, async () => {
    const video = await openai.videos.retrieve(id);
    return ['completed', 'failed'].includes(video.status) && video;
});
const told = async (id) => {
    const got = () => at.hook.got.find(({ json }) => json.data.id === id);
    await until(`an event about ${id}`, got);
    return got();
};

test('submit, wait, file, delete', async () => {
    const { id, status, object, progress } = await create('a kite');
    assert.deepEqual([status, object, progress], ['queued', 'video', 0]);
    await assert.rejects(openai.videos.delete(id), OpenAI.ConflictError);
    await assert.rejects(openai.videos.downloadContent(id), OpenAI.NotFoundError);
    const done = await ends(id);
    assert.deepEqual([done.status, done.progress, done.seconds, done.error], ['completed', 100, '8', null]);
    assert.ok(done.expires_at > done.completed_at);
    const content = await openai.videos.downloadContent(id);
    assert.equal(content.headers.get('content-type'), 'video/mp4');
    await isVideo(await content.arrayBuffer());
    assert.deepEqual(await openai.videos.delete(id), { id, object: 'video.deleted', deleted: true });
    await assert.rejects(openai.videos.retrieve(id), OpenAI.NotFoundError);
});

test('from a picture, either way', async () => {
    const file = await toFile(PICTURE, 'a.png', { type: 'image/png' });
    for (const input_reference of [file, { image_url: 'https://pictures.example/a.png' }])
        assert.equal((await ends((await create('pictured', { input_reference })).id)).status, 'completed');
    assert.deepEqual(at.ofPrompt('pictured').map(({ image }) => image), [true, true]);
});

test('webhooks that its own function verifies', async () => {
    const good = await create('heard'), bad = await create('heard [sim:fails]');
    for (const [{ id }, type] of [[good, 'video.completed'], [bad, 'video.failed']]) {
        const { raw, headers } = await told(id), event = await openai.webhooks.unwrap(raw, headers);
        assert.deepEqual([event.type, event.data, event.object], [type, { id }, 'event']);
        await assert.rejects(openai.webhooks.unwrap(`${raw} `, headers), OpenAI.InvalidWebhookSignatureError);
    }
    for (const tag of ['callback-forged', 'callback-old']) {
        const { raw, headers } = await told((await create(`[sim:${tag}]`)).id);
        await assert.rejects(openai.webhooks.unwrap(raw, headers), OpenAI.InvalidWebhookSignatureError, tag);
    }
});

test('lists, page by page', async () => {
    const made = [];
    for (let i = 0; i < 5; i++)
        made.push((await create(`listed ${i}`)).id);
    const found = [];
    for await (const { id, prompt } of openai.videos.list({ limit: 2, order: 'desc' }))
        if (prompt.startsWith('listed'))
            found.push(id);
    assert.deepEqual(found, made.reverse());
});

test('errors have its types', async () => {
    await assert.rejects(client('nobody').videos.list(), OpenAI.AuthenticationError);
    for (const [tag, type, code] of [['refused', OpenAI.BadRequestError, 'invalid_value'],
        ['moderated-submit', OpenAI.BadRequestError, 'moderation_blocked'],
        ['429', OpenAI.RateLimitError, 'rate_limit_exceeded'],
        ['no-credit', OpenAI.RateLimitError, 'insufficient_quota'],
        ['500-before', OpenAI.InternalServerError, null]])
        await assert.rejects(create(`[sim:${tag}]`), (error) => error instanceof type && error.code === code, tag);
    await assert.rejects(create(''), OpenAI.BadRequestError);
    const { error } = await ends((await create('[sim:moderated-run]')).id);
    assert.equal(error.code, 'moderation_blocked');
    await assert.rejects(create('lost [sim:answer-lost]'), OpenAI.APIConnectionError);
    assert.equal(at.ofPrompt('lost').length, 1);
});
