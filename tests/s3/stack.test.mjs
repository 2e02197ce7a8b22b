/* The whole stack with its files in a bucket: delivered by redirect and by nginx's cache, and moved to the disk and back
 * while jobs run and the mover is killed. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Stage } from '../fault/stage.mjs';
import { tree, until } from '../e2e/stack.mjs';
import { envOf, keys, proxy, s3rver } from './servers.mjs';

const MODEL = { model: 'fal-veo-3.1-fast', duration: 4 };
let server, p, stage, anyone;

before(async () => {
    server = await s3rver();
    p = await proxy(server);
    const { FILMGATE_FETCH_LOCAL_ORIGINS: _, ...s3 } = envOf(p);
    stage = await new Stage({ SIM_ARGS: '--render-ms 300 --queue-ms 100 --quiet', ...s3 }).start();
    anyone = { fetch: (where, options) => fetch(new URL(where, stage.client.url), { redirect: 'manual', ...options }) };
}, { timeout: 120000 });

after(async () => {
    await stage?.drop();
    await p?.close();
    await server?.stop();
});

const onDisk = (id) => readdirSync(path.join(stage.stack.var, 'media'), { recursive: true }).filter((name) => name.includes(id));
const inBucket = async (id) => (await keys(server)).filter((key) => key.includes(id));
const bytesOf = async (answer) => Buffer.from(await answer.arrayBuffer());
const row = (id) => stage.sql(`SELECT o.store, o.video_file, o.poster_file FROM output o JOIN job j ON j.id = o.job_id WHERE j.public_id = '${id}'`)[0];

async function made(words) {
    const { id } = await stage.create(words, MODEL);
    const job = await stage.client.ended(id);
    assert.equal(job.status, 'succeeded', JSON.stringify(job));
    return job;
}

/* Old enough to be moved. */
const age = () => stage.sql('UPDATE output SET stored_us = stored_us - 3600000000');

function migrate(to, ...more) {
    const child = spawn(path.resolve(tree, process.env.BUILD || 'build', 'filmgate'), ['media', 'migrate', '--to', to, ...more],
        { env: { ...process.env, FILMGATE_CONF: path.join(stage.stack.var, 'conf/owner.ini') }, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    for (const stream of [child.stdout, child.stderr])
        stream.on('data', (text) => { out += text; });
    child.ended = new Promise((resolve) => child.on('close', (code, signal) => resolve({ status: code ?? signal, out })));
    return child;
}

async function migrated(to, ...more) {
    const { status, out } = await migrate(to, ...more).ended;
    assert.equal(status, 0, out);
    return out;
}

let first, content;

test('a job is stored in the bucket, and a browser is sent there', { timeout: 60000 }, async () => {
    first = await made('into the bucket');
    assert.equal((await inBucket(first.id)).length, 2, 'video and poster');
    assert.deepEqual(onDisk(first.id), []);
    assert.deepEqual(stage.tmpFiles(), []);
    const answer = await anyone.fetch(first.outputUrl);
    assert.equal(answer.status, 302);
    const there = answer.headers.get('location');
    assert.ok(there.startsWith(`${p.endpoint}/`), there);
    const whole = await fetch(there);
    assert.equal(whole.status, 200);
    content = await bytesOf(whole);
    assert.equal(whole.headers.get('content-type'), 'video/mp4');
    assert.match(whole.headers.get('content-disposition'), /filename/);
    const part = await fetch(there, { headers: { Range: 'bytes=100-199' } });
    assert.equal(part.status, 206);
    assert.ok(content.subarray(100, 200).equals(await bytesOf(part)));
    assert.equal((await anyone.fetch(first.outputUrl)).headers.get('location'), there, 'the same for a while');
    const head = await anyone.fetch(first.outputUrl, { method: 'HEAD' });
    assert.equal((await fetch(head.headers.get('location'), { method: 'HEAD' })).status, 200);
    assert.equal((await fetch((await anyone.fetch(first.posterUrl)).headers.get('location'))).headers.get('content-type'), 'image/jpeg');
    const csp = (await anyone.fetch('/')).headers.get('content-security-policy');
    assert.match(csp, new RegExp(`media-src 'self' ${p.endpoint};`), 'the page may follow');
});

test('a picture goes there too, and is moved like a film', { timeout: 60000 }, async () => {
    const sent = await anyone.fetch('/v1/uploads', {
        method: 'POST', headers: { Authorization: `Bearer ${stage.client.key}` }, body: readFileSync(path.join(tree, 'www/page.png')),
    });
    assert.equal(sent.status, 201);
    const upload = await sent.json();
    const follow = async () => {
        const answer = await anyone.fetch(upload.url);
        return answer.status === 302 ? fetch(answer.headers.get('location')) : answer;
    };
    const picture = await bytesOf(await follow());
    assert.equal(picture.length, upload.bytes);
    assert.equal((await inBucket(upload.id)).length, 2, 'with its small one');
    assert.deepEqual(onDisk(upload.id), []);
    stage.sql('UPDATE upload SET created_us = created_us - 3600000000');
    assert.match(await migrated('disk'), /^1 moved, 0 failed/m);
    assert.equal(onDisk(upload.id).length, 2);
    assert.equal((await anyone.fetch(upload.url)).status, 200);
    assert.ok(picture.equals(await bytesOf(await follow())), 'the same picture');
    assert.match(await migrated('s3'), /^1 moved, 0 failed/m);
    assert.ok(picture.equals(await bytesOf(await follow())), 'and back');
    assert.equal((await stage.client.fetch(`/v1/uploads/${upload.id}`, { method: 'DELETE' })).status, 204);
    await until('it is gone from there', async () => (await inBucket(upload.id)).length === 0);
});

test('to the disk while jobs run; the old ones go when nobody can be reading them', { timeout: 60000 }, async () => {
    const meanwhile = made('meanwhile');
    assert.match(await migrated('disk'), /^0 moved, 0 failed/m, 'what has just been stored may be being tidied');
    age();
    assert.match(await migrated('disk', '--limit', '1'), /^1 moved, 0 failed/m);
    assert.equal(row(first.id)[0], '0');
    assert.equal(onDisk(first.id).length, 2);
    const answer = await anyone.fetch(first.outputUrl);
    assert.equal(answer.status, 200);
    assert.ok(content.equals(await bytesOf(answer)), 'the same film');
    assert.equal((await inBucket(first.id)).length, 2, 'a link that is out still works');
    stage.sql('UPDATE media_left SET gone_us = 1');
    await until('the sweeper has taken the old ones away', async () => (await inBucket(first.id)).length === 0);
    await until('and the rows', () => stage.sql('SELECT 1 FROM media_left').length === 0);
    await meanwhile;
});

test('back again, killed between two files, and while a job is deleted', { timeout: 60000 }, async () => {
    const doomed = await made('deleted on its way');
    age();
    await migrated('disk');
    let n = 0, reached, go;
    const there = () => new Promise((resolve) => { reached = resolve; });
    const isPut = (r) => r.method === 'PUT';
    p.rule = (r) => (isPut(r) && ++n === 2 ? (reached(), 'hang') : undefined);
    let wait = there();
    const child = migrate('s3');
    await wait;
    const second = await migrate('disk').ended;
    assert.match(second.out, /Another one is moving files/);
    child.kill('SIGKILL');
    await child.ended;
    p.rule = () => undefined;
    assert.equal(row(first.id)[0], '0');
    assert.equal((await inBucket(first.id)).length, 1, 'half of it is there');
    assert.ok(content.equals(await bytesOf(await anyone.fetch(first.outputUrl))), 'and the film where it was');

    n = 0;
    p.rule = (r) => (isPut(r) && r.url.includes(doomed.id) && ++n === 1
        ? (reached(), new Promise((resolve) => { go = resolve; })) : undefined);
    wait = there();
    const again = migrate('s3');
    await wait;
    assert.equal((await stage.client.fetch(`/v1/jobs/${doomed.id}`, { method: 'DELETE' })).status, 204);
    await until('its files are gone', () => onDisk(doomed.id).length === 0);
    go();
    const { status, out } = await again.ended;
    p.rule = () => undefined;
    assert.match(out, /was deleted or changed meanwhile/, `${status}`);
    assert.deepEqual(await inBucket(doomed.id), []);
    assert.equal(row(first.id)[0], '1');
    assert.deepEqual(await inBucket(first.id), row(first.id).slice(1).sort(), 'what was left half is gone');
    stage.sql('UPDATE media_left SET gone_us = 1');
    await until('the folder is empty of it', () => onDisk(first.id).length === 0);
});

test('through nginx: ranges, a cache, nothing of the service, nothing of ours to it', { timeout: 120000 }, async () => {
    await stage.stack.stop();
    await stage.stack.start({ CATALOGUE: stage.catalogue, FILMGATE_MEDIA_DELIVER: 'proxy' });
    const get = (headers = {}, method = 'GET') => anyone.fetch(first.outputUrl, { method, headers });
    p.seen.length = 0;
    const part = await get({ Range: 'bytes=1000-1099', Authorization: 'Bearer of-somebody', Cookie: 'a=b', 'X-Own': '1' });
    assert.equal(part.status, 206);
    assert.equal(part.headers.get('content-range'), `bytes 1000-1099/${content.length}`);
    assert.ok(content.subarray(1000, 1100).equals(await bytesOf(part)));
    const [asked] = p.seen;
    assert.equal(asked.headers.range, 'bytes=1000-1099', 'a seek goes straight there');
    for (const name of ['authorization', 'cookie', 'x-own', 'user-agent', 'referer'])
        assert.equal(asked.headers[name], undefined, name);
    const whole = await get({ Range: 'bytes=0-' });
    assert.ok(content.equals(await bytesOf(whole)));
    const before = p.seen.length;
    for (const [range, from, to] of [['bytes=5-9', 5, 10], ['bytes=-10', content.length - 10, content.length]]) {
        const seek = await get({ Range: range });
        assert.equal(seek.status, 206, range);
        assert.ok(content.subarray(from, to).equals(await bytesOf(seek)), range);
    }
    const again = await get(), head = await get({}, 'HEAD');
    assert.ok(content.equals(await bytesOf(again)));
    assert.equal(p.seen.length, before, 'all of that from the cache');
    assert.deepEqual([head.status, head.headers.get('content-length')], [200, String(content.length)]);
    for (const answer of [part, whole, again]) {
        const names = [...answer.headers.keys()];
        assert.deepEqual(names.filter((name) => /^x-(amz|trans|openstack)|^(via|set-cookie)$/.test(name)), []);
        assert.equal(answer.headers.get('content-type'), 'video/mp4');
        assert.match(answer.headers.get('content-disposition'), /^inline; filename/);
        assert.match(answer.headers.get('cache-control'), /^private/);
        assert.equal(answer.headers.get('accept-ranges') ?? 'bytes', 'bytes');
    }
    const tag = again.headers.get('etag');
    assert.match(tag, /^"[^"]{20,}"$/);
    assert.equal(part.headers.get('etag'), tag, 'the content hash, wherever it comes from');
    assert.equal((await get({ 'If-None-Match': tag })).status, 304);
    assert.equal((await get({ Range: 'bytes=5-9', 'If-Range': tag })).status, 206);
    assert.equal((await get({ Range: 'bytes=5-9', 'If-Range': '"other"' })).status, 200);
    assert.equal((await get({ Range: `bytes=${content.length}-` })).status, 416);
    p.rule = () => 503;
    const away = await anyone.fetch(first.posterUrl);
    assert.equal(away.status, 502, 'not in the cache, and the bucket is away');
    assert.match(away.headers.get('content-type'), /^application\/problem\+json/);
    p.rule = () => 403;
    assert.equal((await anyone.fetch(first.posterUrl)).status, 502);
    p.rule = () => undefined;
    assert.equal((await anyone.fetch(first.posterUrl)).status, 200);
    assert.equal((await anyone.fetch(`/_s3/${row(first.id)[1]}`)).status, 404, 'not by itself');
    const log = stage.stack.log('nginx') + stage.stack.log('access');
    assert.doesNotMatch(log, /X-Amz-Signature/, 'no signature in a log');
});
