// The studio's dialect, as the official openai SDK speaks it, against a running stack (tests/e2e/run.sh):
//   FILMGATE_STUDIO_URL      http://127.0.0.1:8080/studio/v1
//   FILMGATE_STUDIO_KEY      its API key
//   FILMGATE_WEBHOOK_SECRET  its webhook secret
//   FILMGATE_STUDIO_HOOK     http://127.0.0.1:PORT where this test may listen; the stack must have been started with
//                            this origin, too, in FILMGATE_FETCH_LOCAL_ORIGINS
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import OpenAI, { toFile } from 'openai';
import { until } from './stack.mjs';

function need(name) {
    const value = process.env[name];
    assert.ok(value, `${name} is not set: see the head of this file`);
    return value;
}

const URL_ = need('FILMGATE_STUDIO_URL');
const hook = process.env.FILMGATE_STUDIO_HOOK;
const hookUrl = (path) => new URL(path, need('FILMGATE_STUDIO_HOOK')).href;
const client = new OpenAI({
    baseURL: URL_,
    apiKey: need('FILMGATE_STUDIO_KEY'),
    webhookSecret: need('FILMGATE_WEBHOOK_SECRET'),
});
const small = { model: 'studio-1', seconds: '1', size: '128x96' };
const PNG = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAbElEQVR42hXNQRUAUQhCUZOYhCQmeUlIQhISzR+XXA7ODDtouIHB' +
    'Q4YOM8suWm5h8ZKl+0CskDiBsIioHhx76LiDw0eO3oN/4FVf+J8h0PduzBqZ8x/bxNQPwgaFy192SGgelC0q13/CJaXlA+odUoEV' +
    'KnyAAAAAAElFTkSuQmCC',
    'base64',
);

/* What the receiver got, by video; it answers 500 to the first try, so each event must come twice. */
const received = new Map();
const waiting = new Map();
const server = http.createServer((req, res) => {
    if (req.method === 'GET') {
        res.writeHead(req.url === '/picture' ? 200 : 404).end(req.url === '/picture' ? PNG : '');
        return;
    }
    let body = '';
    req.setEncoding('utf8').on('data', (part) => (body += part));
    req.on('end', () => {
        const id = JSON.parse(body).data.id;
        const all = [...(received.get(id) ?? []), { body, headers: req.headers }];
        received.set(id, all);
        res.writeHead(all.length === 1 ? 500 : 204).end();
        if (all.length === 2) waiting.get(id)?.();
    });
});

const folder = mkdtempSync(join(tmpdir(), 'studio_sdk.'));
before(() => hook && new Promise((done) => server.listen(Number(new URL(hook).port), '127.0.0.1', done)));
after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
});

/* Polls until it is over; every state on the way must be one of the dialect's. */
async function finished(video) {
    let last = -1;
    return until(`${video.id} ends`, async () => {
        const now = await client.videos.retrieve(video.id);
        assert.ok(now.progress >= last || now.status !== 'in_progress', 'progress never goes back');
        last = now.progress;
        if (now.status === 'completed' || now.status === 'failed') return now;
        assert.match(now.status, /^(queued|in_progress)$/);
        return null;
    }, 60_000);
}

async function bytes(video, query) {
    return Buffer.from(await (await client.videos.downloadContent(video.id, query)).arrayBuffer());
}

function probe(data) {
    const file = join(folder, randomUUID());
    writeFileSync(file, data);
    const out = execFileSync('ffprobe', ['-v', 'error', '-count_packets', '-show_streams', '-of', 'json', file]);
    return JSON.parse(out).streams;
}

test('create, retrieve, download', async () => {
    const made = await client.videos.create({ ...small, prompt: 'a paper boat: é 🎬', seed: 7, metadata: { a: 'b' } });
    assert.match(made.id, /^video_/);
    assert.deepEqual(
        { ...made, id: 0, created_at: 0 },
        {
            id: 0, object: 'video', model: 'studio-1', status: 'queued', progress: 0, created_at: 0, completed_at: null,
            expires_at: null, prompt: 'a paper boat: é 🎬', size: '128x96', seconds: '1', remixed_from_video_id: null,
            error: null, seed: 7, metadata: { a: 'b' },
        },
    );
    const done = await finished(made);
    assert.equal(done.status, 'completed');
    assert.equal(done.progress, 100);
    assert.ok(done.completed_at >= done.created_at && done.expires_at > done.completed_at);
    const data = await bytes(made);
    const [stream, ...others] = probe(data);
    assert.equal(others.length, 0);
    assert.deepEqual(
        [stream.codec_name, stream.width, stream.height, stream.pix_fmt, stream.r_frame_rate, stream.nb_read_packets],
        ['h264', 128, 96, 'yuv420p', '24/1', '24'],
    );
    assert.ok(data.indexOf('moov') < data.indexOf('mdat'), 'faststart');
    const still = await client.videos.downloadContent(made.id, { variant: 'thumbnail' });
    assert.equal(still.headers.get('content-type'), 'image/webp');
    assert.equal(Buffer.from(await still.arrayBuffer()).subarray(8, 12).toString(), 'WEBP');
    const range = await fetch(`${URL_}/videos/${made.id}/content`, {
        headers: { authorization: `Bearer ${client.apiKey}`, range: 'bytes=4-7' },
    });
    assert.equal(range.status, 206);
    assert.equal(await range.text(), 'ftyp');
});

test('progress is real', async () => {
    const made = await client.videos.create({ ...small, prompt: 'far away', seconds: '10', size: '1280x720' });
    const seen = new Set();
    for (let now = made; now.status !== 'completed'; now = await client.videos.retrieve(made.id)) {
        assert.notEqual(now.status, 'failed');
        seen.add(now.progress);
    }
    assert.ok([...seen].some((percent) => percent > 10 && percent < 50), [...seen].join());
    assert.ok([...seen].some((percent) => percent >= 50 && percent < 100), [...seen].join());
});

test('the same prompt and seed give the same film, others another', async () => {
    const wishes = [
        { prompt: 'dunes', seed: 1 }, { prompt: 'dunes', seed: 1 }, { prompt: 'dunes', seed: 2 }, { prompt: 'dune', seed: 1 },
    ];
    const made = await Promise.all(wishes.map((wish) => client.videos.create({ ...small, ...wish })));
    for (const video of made) assert.equal((await finished(video)).status, 'completed');
    const [a, b, c, d] = await Promise.all(made.map((video) => bytes(video)));
    assert.ok(a.equals(b), 'the same');
    assert.ok(!a.equals(c), 'another seed');
    assert.ok(!a.equals(d), 'another prompt');
});

test('an Idempotency-Key makes one video', async () => {
    const options = { headers: { 'Idempotency-Key': randomUUID() } };
    const made = await Promise.all(
        Array.from({ length: 5 }, () => client.videos.create({ ...small, prompt: 'once' }, options)),
    );
    assert.equal(new Set(made.map((video) => video.id)).size, 1);
});

test('a reference image: as a file, as a data URL', async () => {
    const references = [
        await toFile(PNG, 'é".png', { type: 'image/png' }),
        { image_url: `data:image/png;base64,${PNG.toString('base64')}` },
    ];
    for (const input_reference of references) {
        const done = await finished(await client.videos.create({ ...small, prompt: 'kite', input_reference }));
        assert.equal(done.status, 'completed', JSON.stringify(done.error));
    }
    const broken = await client.videos.create({
        ...small, prompt: 'kite', input_reference: await toFile(PNG.subarray(0, 40), 'x.png'),
    });
    assert.equal((await finished(broken)).error.code, 'invalid_image');
    await assert.rejects(client.videos.downloadContent(broken.id), OpenAI.NotFoundError);
});

test('a reference image behind a link', async () => {
    const reference = (path) => ({ ...small, prompt: 'kite', input_reference: { image_url: hookUrl(path) } });
    const found = await finished(await client.videos.create(reference('/picture')));
    assert.equal(found.status, 'completed', JSON.stringify(found.error));
    const lost = await finished(await client.videos.create(reference('/nothing')));
    assert.equal(lost.error.code, 'image_unreachable');
});

test('the list has pages', async () => {
    const made = [];
    for (let i = 0; i < 5; i++) made.push(await client.videos.create({ ...small, prompt: `page ${i}` }));
    const newest = made.map((video) => video.id).reverse();
    const page = await client.videos.list({ limit: 2 });
    assert.deepEqual(page.data.map((video) => video.id), newest.slice(0, 2));
    assert.equal(page.has_more, true);
    assert.equal(page.last_id, newest[1]);
    const walked = [];
    for await (const video of client.videos.list({ limit: 2 })) {
        walked.push(video.id);
        if (walked.length === 5) break;
    }
    assert.deepEqual(walked, newest, 'the SDK walks on by "after"');
    const up = await client.videos.list({ order: 'asc', after: made[3].id, limit: 1 });
    assert.deepEqual([up.data[0].id, up.has_more], [made[4].id, false]);
});

test('delete removes a finished one only', async () => {
    const made = await client.videos.create({ ...small, prompt: 'short life', seconds: '3', size: '1280x720' });
    await assert.rejects(client.videos.delete(made.id), (e) => e instanceof OpenAI.ConflictError && e.status === 409);
    const brief = await client.videos.create({ ...small, prompt: 'short life' });
    await finished(brief);
    assert.deepEqual(await client.videos.delete(brief.id), { id: brief.id, object: 'video.deleted', deleted: true });
    await assert.rejects(client.videos.retrieve(brief.id), OpenAI.NotFoundError);
    await assert.rejects(client.videos.downloadContent(brief.id), OpenAI.NotFoundError);
    await assert.rejects(client.videos.delete(brief.id), OpenAI.NotFoundError);
});

test("errors become the SDK's classes", async () => {
    const rows = [
        [{ ...small, prompt: '' }, 'prompt', 'invalid_value'],
        [{ ...small, prompt: 'x', size: '63x64' }, 'size', 'invalid_value'],
        [{ ...small, prompt: 'x', seconds: '21' }, 'seconds', 'invalid_value'],
        [{ ...small, prompt: 'x', model: 'sora-2' }, 'model', 'model_not_found'],
        [{ ...small, prompt: 'x', frames: 3 }, 'frames', 'unknown_parameter'],
        [{ ...small }, 'prompt', 'missing_required_parameter'],
    ];
    for (const [body, param, code] of rows)
        await assert.rejects(client.videos.create(body), (e) => {
            assert.ok(e instanceof OpenAI.BadRequestError, String(e));
            assert.deepEqual([e.type, e.param, e.code], ['invalid_request_error', param, code]);
            return true;
        });
    await assert.rejects(client.videos.retrieve('video_none'), OpenAI.NotFoundError);
    await assert.rejects(client.videos.list({ limit: 101 }), OpenAI.BadRequestError);
    const stranger = new OpenAI({ baseURL: URL_, apiKey: 'sk-wrong' });
    await assert.rejects(stranger.videos.list(), (e) => e instanceof OpenAI.AuthenticationError && e.code === 'invalid_api_key');
    const raw = await fetch(`${URL_}/videos`, {
        method: 'POST', body: '{"prompt":"a","prompt":"b"}',
        headers: { authorization: `Bearer ${client.apiKey}`, 'content-type': 'application/json' },
    });
    assert.equal(raw.status, 400);
    assert.equal((await raw.json()).error.type, 'invalid_request_error');
});

test('callbacks verify with the SDK, and come again until they are taken', async () => {
    const made = await client.videos.create({ ...small, prompt: 'ring', webhook_url: hookUrl('/hook') });
    await new Promise((done, fail) => {
        waiting.set(made.id, done);
        if ((received.get(made.id) ?? []).length >= 2) done();
        setTimeout(fail, 30_000, new Error('no second callback')).unref();
    });
    const [first, second] = received.get(made.id);
    for (const { body, headers } of [first, second]) {
        const event = await client.webhooks.unwrap(body, headers);
        assert.equal(event.type, 'video.completed');
        assert.equal(event.object, 'event');
        assert.equal(event.id, headers['webhook-id']);
        assert.deepEqual(event.data, { id: made.id });
        await assert.rejects(client.webhooks.unwrap(body.replace('completed', 'failed'), headers));
    }
    assert.equal(first.headers['webhook-id'], second.headers['webhook-id'], 'one event, told twice');
    assert.equal((await client.videos.retrieve(made.id)).status, 'completed', 'told when it is true');
});
