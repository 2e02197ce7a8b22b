import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import RunwayML, { TaskFailedError, toFile } from '@runwayml/sdk';
import { PICTURE, PICTURE_URL, download, until, world } from './sdk_world.mjs';

let at, runway;
const client = (apiKey, more) => new RunwayML({ apiKey, baseURL: `${at.sim.url}/runway`, maxRetries: 0, ...more });
before(async () => {
    at = await world();
    runway = client('sim-runway');
});
after(() => at.end());

const TEXT = { model: 'gen4.5', ratio: '1280:720', duration: 5 };
const fromText = (promptText, by = runway) => by.textToVideo.create({ ...TEXT, promptText });
const fromPicture = (promptText, promptImage) =>
    runway.imageToVideo.create({ ...TEXT, model: 'gen4_turbo', promptText, promptImage, seed: 42 });
const ended = ({ id }) => until(`${id} ends`, async () =>
    ['SUCCEEDED', 'FAILED'].includes((await runway.tasks.retrieve(id)).status));

/* It begins to ask after some 6 seconds, come what may: all of these together. */
test('submit and wait with its helper: text, a picture, and what is moderated', async () => {
    const [text, picture, refused] = await Promise.allSettled([
        fromText('a kite').waitForTaskOutput(),
        fromPicture('pictured', PICTURE_URL).waitForTaskOutput(),
        fromText('[sim:moderated-run]').waitForTaskOutput({ timeout: 20000 }),
    ]);
    for (const { value } of [text, picture]) {
        assert.equal(value.status, 'SUCCEEDED');
        await download(value.output[0]);
    }
    assert.ok(refused.reason instanceof TaskFailedError, String(refused.reason));
    assert.deepEqual([refused.reason.taskDetails.failureCode, refused.reason.taskDetails.cost],
        ['SAFETY.INPUT.TEXT', { credits: 125 }]);
    assert.deepEqual(at.ofPrompt('pictured').map(({ image, seed, downloads }) => [image, seed, downloads]),
        [[true, 42, 1]]);
});

test('an upload of its own as the picture, first and last', async () => {
    const file = await toFile(PICTURE, 'a.png', { type: 'image/png' });
    const { uri } = await runway.uploads.createEphemeral({ file });
    assert.match(uri, /^runway:\/\//);
    const made = await fromPicture('uploaded', [{ uri, position: 'first' }]);
    await ended(made);
    const { status, output } = await runway.tasks.retrieve(made.id).waitForTaskOutput();
    assert.equal(status, 'SUCCEEDED');
    await download(output[0]);
});

test('cancel, and delete', async () => {
    const running = await fromText('stops [sim:stuck]'), done = await fromText('deleted');
    await until('it runs', async () => (await runway.tasks.retrieve(running.id)).status === 'RUNNING');
    await ended(done);
    for (const { id } of [running, done]) {
        await runway.tasks.delete(id);
        await assert.rejects(runway.tasks.retrieve(id), RunwayML.NotFoundError);
        await assert.rejects(runway.tasks.delete(id), RunwayML.NotFoundError);
    }
    const runs = [...at.ofPrompt('stops'), ...at.ofPrompt('deleted')];
    assert.deepEqual(runs.map(({ canceled }) => canceled), [true, false]);
});

test('errors have its types', async () => {
    await assert.rejects(fromText('x', client('nobody')), RunwayML.AuthenticationError);
    const old = client('sim-runway', { runwayVersion: '2023-01-01' });
    await assert.rejects(fromText('x', old), RunwayML.BadRequestError);
    for (const [tag, type, words] of [['refused', 'BadRequestError', /Validation/],
        ['429', 'RateLimitError', /Too many/], ['no-credit', 'BadRequestError', /credits/],
        ['park', 'RateLimitError', /daily/],
        ['500-before', 'InternalServerError', /gateway/]])
        await assert.rejects(fromText(`[sim:${tag}]`),
            (error) => error instanceof RunwayML[type] && words.test(error.error.error), tag);
    const failed = await fromText('[sim:fails]');
    await ended(failed);
    await assert.rejects(runway.tasks.retrieve(failed.id).waitForTaskOutput(), TaskFailedError);
    const { creditBalance, tier } = await runway.organization.retrieve();
    assert.ok(creditBalance > 0 && tier.models['gen4.5'].maxConcurrentGenerations > 0);
});

test('it submits again by itself after an answer that was lost, and pays twice', async () => {
    const { id } = await fromText('lost [sim:answer-lost*1]', client('sim-runway', { maxRetries: 1 }));
    const runs = at.ofPrompt('lost');
    assert.deepEqual([runs.length, runs[1].id, runs[0].billed && runs[1].billed], [2, id, true]);
});
