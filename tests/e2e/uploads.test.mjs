/* Pictures through the real nginx: in every form a client may send them, broken off, too large, too many at once; and a
 * video of one, whose provider gets our copy by a link. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Stack, tree, until } from './stack.mjs';

const LARGEST = 2097152;
const picture = readFileSync(path.join(tree, 'www/page.png'));
let stack;

before(async () => {
    stack = await new Stack({ FILMGATE_MEDIA_UPLOAD_BYTES: String(LARGEST), UPLOAD_PROCS: '1' }).start();
});
after(() => stack?.drop());

const send = (body, headers = {}) => fetch(`${stack.client.url}/v1/uploads`, {
    method: 'POST', headers: { Authorization: `Bearer ${stack.client.key}`, ...headers }, body,
});
const spooled = () => ['tmp/body', 'media/tmp'].flatMap((dir) => readdirSync(path.join(stack.var, dir)));
const kept = () => readdirSync(path.join(stack.var, 'media'), { recursive: true }).filter((name) => name.includes('upl_'));

async function isProblem(answer, status, code) {
    const words = await answer.text();
    assert.equal(answer.status, status, words);
    assert.match(answer.headers.get('content-type'), /^application\/problem\+json/);
    assert.equal(JSON.parse(words).code, code);
}

test('a picture is sent as it is, or in a form, and is the same one', async () => {
    const raw = await send(picture, { 'Content-Type': 'image/gif' });
    assert.equal(raw.status, 201);
    const upload = await raw.json();
    assert.equal(upload.type, 'image/png');
    assert.deepEqual([upload.width, upload.height], [1280, 860]);
    assert.equal(raw.headers.get('location'), `/v1/uploads/${upload.id}`);
    const form = new FormData();
    form.append('file', new Blob([picture]), 'a.jpg');
    const again = await send(form);
    assert.equal(again.status, 200, 'who lost the answer sends it all again');
    assert.equal((await again.json()).id, upload.id);
    for (const [url, type] of [[upload.url, 'image/png'], [upload.thumbnailUrl, 'image/jpeg']]) {
        const file = await fetch(url);
        assert.equal(file.status, 200);
        assert.equal(file.headers.get('content-type'), type);
        assert.ok((await file.arrayBuffer()).byteLength > 1000);
    }
    assert.equal(kept().length, 2);
    assert.deepEqual(spooled(), []);
});

test('a client does not say where the file is', async () => {
    for (const name of ['Request-Body-File', 'REQUEST_BODY_FILE'])
        await isProblem(await send(undefined, { [name]: path.join(tree, 'www/page.png') }), 422, 'invalid_image');
});

test('what is too large is told so, and what is no picture', async () => {
    await isProblem(await send(Buffer.alloc(LARGEST + 70000)), 413, 'too_large');
    await isProblem(await send(Buffer.concat([picture, Buffer.alloc(LARGEST - picture.length + 1)])), 413, 'too_large');
    await isProblem(await send('GIF89a, or so'), 415, 'unsupported_image');
    await isProblem(await send(picture.subarray(0, 20000)), 422, 'invalid_image');
    await isProblem(await fetch(`${stack.client.url}/v1/uploads`), 405, 'method_not_allowed');
    await isProblem(await send(picture, { Authorization: 'Bearer fgk_00000000000000000000000000' }), 401, 'unauthorized');
    assert.deepEqual(spooled(), []);
});

/* The head and half of the body, and then nothing. */
function begin(half = picture.subarray(0, picture.length / 2)) {
    const socket = connect(stack.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(`POST /v1/uploads HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${stack.client.key}\r\n` +
        `Content-Length: ${picture.length}\r\n\r\n`);
    socket.write(half);
    return socket;
}

test('an upload that is broken off leaves nothing behind', async () => {
    const before = kept();
    const socket = begin();
    await until('it is on its way', () => spooled().length === 1);
    socket.destroy();
    await until('it is gone', () => spooled().length === 0);
    assert.deepEqual(kept(), before);
});

test('one address has so many on their way at once', async () => {
    const many = Array.from({ length: 16 }, () => begin());
    await until('all are on their way', () => spooled().length === 16);
    await isProblem(await send(picture), 429, 'rate_limited');
    assert.equal((await stack.client.fetch('/v1/me')).status, 200, 'the rest of the API does not mind');
    many.forEach((socket) => socket.destroy());
    await until('all are gone', () => spooled().length === 0);
    assert.equal((await send(picture)).status, 200);
});

test('a video of it', async () => {
    const upload = await (await send(picture)).json();
    const job = await stack.client.create({ uploadId: upload.id, prompt: 'a page that moves' });
    assert.equal(job.uploadId, upload.id);
    const busy = await stack.client.fetch(`/v1/uploads/${upload.id}`, { method: 'DELETE' });
    const ended = await stack.client.ended(job.id);
    assert.equal(ended.status, 'succeeded', ended.errorMessage);
    if (busy.status !== 204) /* it may have been that quick */
        await isProblem(busy, 409, 'upload_in_use');
    const fetched = await stack.client.ended((await stack.client.create({
        imageUrl: `${stack.client.url}/page.png`, prompt: 'the same page from elsewhere' })).id);
    assert.equal(fetched.status, 'succeeded', fetched.errorMessage);
    assert.equal(fetched.uploadId, upload.id, 'is the same picture');
    assert.equal((await stack.client.fetch(`/v1/uploads/${upload.id}`, { method: 'DELETE' })).status, 204);
    await until('its files are gone', () => kept().length === 0);
    assert.equal((await fetch(upload.url)).status, 410);
});
