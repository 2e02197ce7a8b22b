/* The API through nginx as a customer meets it: the whole way of a job, and what nginx answers by itself. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { children, Client, readEnv, tree, until } from './stack.mjs';

const { FILMGATE_URL: url, FILMGATE_KEY: key, FILMGATE_VAR: folder } = process.env;
const client = new Client(url, key);
const anyone = new Client(url, 'fgk_nobody');
const run = (name) => path.join(folder, 'run', name);
const accessLog = () => readFileSync(path.join(folder, 'log/access.log'), 'utf8').trim().split('\n').map((l) => JSON.parse(l));

const FIELDS = ['id', 'userId', 'status', 'stage', 'provider', 'model', 'providerJobId', 'prompt', 'aspectRatio', 'duration',
    'resolution', 'outputUrl', 'posterUrl', 'outputExpiresAt', 'errorCode', 'errorMessage', 'progress', 'queuePosition', 'waitingFor',
    'retryCount', 'route', 'audio', 'negativePrompt', 'ignored', 'charged', 'waitEstimate', 'version', 'createdAt', 'updatedAt', 'startedAt', 'finishedAt', 'pollAfterMs'];
const ORDER = ['pending', 'queued', 'processing', 'succeeded'];

function secured(answer, words) {
    const csp = answer.headers.get('content-security-policy') ?? '';
    assert.match(csp, /default-src 'none'/, words);
    assert.match(csp, /frame-ancestors 'none'/, words);
    assert.doesNotMatch(csp, /unsafe/, words);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff', words);
    assert.equal(answer.headers.get('referrer-policy'), 'no-referrer', words);
    assert.ok(answer.headers.get('permissions-policy'), words);
    assert.equal(answer.headers.get('server'), 'nginx', `${words}: no version is told`);
    assert.match(answer.headers.get('x-request-id'), /^[0-9a-f]{32}$/, words);
}

const slugs = readFileSync(path.join(tree, 'core/base/errors.def'), 'utf8');

async function isProblem(answer, status, code, words) {
    assert.equal(answer.status, status, words);
    assert.match(answer.headers.get('content-type'), /^application\/problem\+json/, words);
    secured(answer, words);
    const body = await answer.json();
    assert.equal(body.status, status, words);
    assert.equal(body.code, code, words);
    assert.equal(body.type, `/problems/#${code}`, words);
    assert.ok(slugs.includes(`"${code}"`), `${code} is one of ours`);
    assert.ok(body.title && body.detail, words);
    assert.equal(body.requestId, answer.headers.get('x-request-id'), `${words}: one request id`);
    return body;
}

/* What no HTTP library lets one send. */
function raw(text) {
    return new Promise((resolve, reject) => {
        const socket = connect(new URL(url).port, '127.0.0.1', () => socket.write(text));
        let all = '';
        socket.on('data', (data) => { all += data; });
        socket.on('close', () => {
            const [head, body] = all.split('\r\n\r\n');
            const [line, ...headers] = head.split('\r\n');
            resolve(new Response(body, { status: Number(line.split(' ')[1]),
                headers: headers.map((h) => [h.slice(0, h.indexOf(':')), h.slice(h.indexOf(':') + 2)]) }));
        });
        socket.on('error', reject);
    });
}

let job, created;

before(async () => {
    created = await client.fetch('/v1/jobs', { method: 'POST', headers: { 'Idempotency-Key': 'api-test-1' },
        body: { prompt: '  a red kite over the dunes 🪁 ', aspectRatio: '9:16', duration: 5, resolution: '360p', seed: 7,
                userId: 'u-1', metadata: { shelf: 'b' } } });
});

test('a prompt becomes a video', async () => {
    assert.equal(created.status, 202);
    const first = await created.json();
    assert.equal(created.headers.get('location'), `/v1/jobs/${first.id}`);
    for (const field of FIELDS)
        assert.ok(field in first, field);
    assert.equal(first.status, 'pending');
    assert.equal(first.prompt, 'a red kite over the dunes 🪁');
    const seen = [];
    job = await until('the job ends', async () => {
        const now = await client.json(`/v1/jobs/${first.id}`);
        if (seen.at(-1)?.status !== now.status)
            seen.push(now);
        return now.finishedAt && now;
    }, 180000);
    assert.equal(job.status, 'succeeded', JSON.stringify(job));
    const places = seen.map(({ status }) => ORDER.indexOf(status));
    assert.deepEqual(places, [...places].sort(), 'states only go forward');
    assert.ok(job.version > first.version);
    assert.ok(job.startedAt && job.providerJobId && job.outputUrl && job.posterUrl && job.outputExpiresAt);
    assert.deepEqual([job.userId, job.seed, job.metadata, job.errorCode], ['u-1', 7, { shelf: 'b' }, null]);
});

test('a submit reaches an idle provider within 50 ms, in the median', async () => {
    const took = [];
    for (let i = 0; i < 9; i++) {
        const { id, createdAt } = await client.create({ prompt: `soon ${i}`, aspectRatio: '1:1' });
        await client.ended(id); /* the machine is idle again */
        const accepted = (await client.events(id)).find(({ type }) => type === 'accepted');
        took.push(Date.parse(accepted.at) - Date.parse(createdAt)); /* its answer is back, too */
    }
    took.sort((a, b) => a - b);
    assert.ok(took[4] < 50, `${took.join(' ')} ms`);
});

test('its timeline is whole and carries the request id of its creation', async () => {
    const events = await client.events(job.id);
    assert.ok(events.every(({ seq, at }, i) => i === 0 || (seq > events[i - 1].seq && at >= events[i - 1].at)), 'in order');
    const types = events.map(({ type }) => type);
    assert.equal(types[0], 'created');
    assert.equal(types.at(-1), 'succeeded');
    for (const type of ['submitting', 'accepted', 'output_ready'])
        assert.equal(types.filter((t) => t === type).length, 1, type);
    assert.equal(events[0].requestId, created.headers.get('x-request-id'));
    assert.ok(accessLog().some((line) => line.requestId === events[0].requestId && line.status === 202));
});

test('the same Idempotency-Key gives the same job again', async () => {
    const body = { prompt: 'twice', aspectRatio: '1:1', duration: 5, resolution: '360p' };
    const ask = () => client.json('/v1/jobs', { method: 'POST', headers: { 'Idempotency-Key': 'api-test-2' }, body });
    const [a, b] = [await ask(), await ask()];
    assert.equal(a.id, b.id);
    await client.fetch(`/v1/jobs/${a.id}/cancel`, { method: 'POST' });
});

test('a quote tells what a job would be; the status tells who takes jobs', async () => {
    const body = { prompt: 'asked only', aspectRatio: '1:1', duration: 5, resolution: '360p', seed: 3, audio: false };
    const quote = await client.json('/v1/quotes', { method: 'POST', body });
    assert.deepEqual([quote.model, quote.provider, quote.route, quote.ignored], ['studio-1', 'studio', 'fast', []]);
    assert.ok(quote.priceMicro > 0 && 'waitEstimate' in quote);
    const { data } = await client.json('/v1/jobs?limit=100');
    assert.ok(data.every(({ prompt }) => prompt !== body.prompt), 'nothing was made');
    const { providers } = await client.json('/v1/status');
    assert.deepEqual(providers.map(({ name, state }) => [name, state]), [['studio', 'ok']]);
});

test('the API description has every field that is answered, and no loose ends', async () => {
    const text = readFileSync(path.join(tree, 'www/openapi.json'), 'utf8');
    const api = JSON.parse(text);
    const { Job, Quote, Status, Model } = api.components.schemas;
    const same = (answer, schema, words) => {
        assert.deepEqual(Object.keys(answer).sort(), Object.keys(schema.properties).sort(), words);
        assert.deepEqual([...schema.required].sort(), Object.keys(schema.properties).sort(), words);
    };
    const body = { prompt: 'x', aspectRatio: '1:1', duration: 5 };
    same(job, Job, 'job');
    same(await client.json('/v1/quotes', { method: 'POST', body }), Quote, 'quote');
    same((await client.json('/v1/models')).data[0], Model, 'model');
    same((await client.json('/v1/status')).providers[0], Status.properties.providers.items, 'provider');
    for (const [, ref] of text.matchAll(/"\$ref": "#\/([^"]+)"/g))
        assert.ok(ref.split('/').reduce((at, key) => at?.[key], api), ref);
});

test('a status poll that brings nothing new is a 304', async () => {
    const answer = await client.fetch(`/v1/jobs/${job.id}`);
    const etag = answer.headers.get('etag');
    await answer.arrayBuffer();
    for (const tag of [etag, `"other", ${etag}`, etag.startsWith('W/') ? etag.slice(2) : `W/${etag}`]) {
        const again = await client.fetch(`/v1/jobs/${job.id}`, { headers: { 'If-None-Match': tag } });
        assert.equal(again.status, 304, tag);
        assert.equal(await again.text(), '');
    }
    const changed = await client.fetch(`/v1/jobs/${job.id}`, { headers: { 'If-None-Match': '"0"' } });
    assert.equal(changed.status, 200);
    await changed.arrayBuffer();
});

test('the file is served in ranges, with no key but its signature', async () => {
    const whole = await anyone.fetch(job.outputUrl);
    assert.equal(whole.status, 200);
    assert.equal(whole.headers.get('content-type'), 'video/mp4');
    secured(whole, 'media');
    const bytes = Buffer.from(await whole.arrayBuffer());
    assert.equal(bytes.subarray(4, 8).toString(), 'ftyp');
    assert.ok(bytes.indexOf('moov') < bytes.indexOf('mdat'), 'plays before it has all arrived');
    const part = await anyone.fetch(job.outputUrl, { headers: { Range: 'bytes=100-299' } });
    assert.equal(part.status, 206);
    assert.equal(part.headers.get('content-range'), `bytes 100-299/${bytes.length}`);
    assert.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(100, 300));
    const fresh = await anyone.fetch(job.outputUrl, { headers: { 'If-None-Match': whole.headers.get('etag') } });
    assert.equal(fresh.status, 304);
    const head = await anyone.fetch(job.outputUrl, { method: 'HEAD' });
    assert.equal(head.headers.get('content-length'), String(bytes.length));
    const poster = await anyone.fetch(job.posterUrl);
    assert.equal(poster.headers.get('content-type'), 'image/jpeg');
    assert.deepEqual([...Buffer.from(await poster.arrayBuffer()).subarray(0, 2)], [0xff, 0xd8]);
    const beyond = await anyone.fetch(job.outputUrl, { headers: { Range: `bytes=${bytes.length}-` } });
    assert.equal(beyond.status, 416);
    assert.equal((await beyond.json()).code, 'bad_header');
    const forged = new URL(job.outputUrl, url);
    forged.searchParams.set('exp', String(Number(forged.searchParams.get('exp')) + 1));
    await isProblem(await anyone.fetch(forged), 403, 'link_invalid', 'forged');
});

test('the file has the tag of its content and a name, through nginx and on a link that is taken back', async () => {
    const shared = await client.json(`/v1/jobs/${job.id}/shares`, { method: 'POST', body: { expiresInSeconds: 3600 } });
    const want = 'inline; filename="a-red-kite-over-the-dunes.mp4"; ' +
        "filename*=UTF-8''a-red-kite-over-the-dunes-%F0%9F%AA%81.mp4";
    const tag = (await anyone.fetch(job.outputUrl, { method: 'HEAD' })).headers.get('etag');
    assert.match(tag, /^"[0-9a-f]{64}"$/, 'strong, and a hash');
    for (const link of [job.outputUrl, shared.url]) {
        const ask = (headers = {}, method = 'GET') => anyone.fetch(link, { method, headers });
        const whole = await ask();
        const bytes = Buffer.from(await whole.arrayBuffer());
        assert.deepEqual([whole.status, whole.headers.get('etag'), whole.headers.get('content-disposition')], [200, tag, want]);
        assert.match(whole.headers.get('cache-control'), /^private, /);
        assert.equal(whole.headers.get('accept-ranges'), 'bytes');
        const part = await ask({ Range: 'bytes=10-19', 'If-Range': tag });
        assert.deepEqual([part.status, part.headers.get('etag')], [206, tag], 'a range of what it had begun');
        assert.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(10, 20));
        const other = await ask({ Range: 'bytes=10-19', 'If-Range': '"of another"' });
        assert.equal(other.status, 200, 'all of it, where it had begun something else');
        assert.equal((await other.arrayBuffer()).byteLength, bytes.length);
        const tail = await ask({ Range: 'bytes=-5' });
        assert.deepEqual(Buffer.from(await tail.arrayBuffer()), bytes.subarray(-5), 'the end, as players ask for it');
        const several = await ask({ Range: Array.from({ length: 9 }, (_, i) => `${i * 10}-${i * 10 + 1}`).join(',').replace(/^/, 'bytes=') });
        assert.equal(several.status, 200, 'not too many at once');
        await several.arrayBuffer();
        const known = await ask({ 'If-None-Match': `"x", ${tag}` });
        assert.deepEqual([known.status, known.headers.get('etag'), (await known.arrayBuffer()).byteLength], [304, tag, 0]);
        const head = await ask({}, 'HEAD');
        assert.deepEqual([head.status, head.headers.get('content-length')], [200, String(bytes.length)]);
        const kept = await anyone.fetch(`${link}${link.includes('?') ? '&' : '?'}download=1`, { method: 'HEAD' });
        assert.equal(kept.headers.get('content-disposition'), want.replace('inline', 'attachment'));
    }
    assert.equal((await anyone.fetch(shared.posterUrl)).headers.get('etag'), tag.replace(/"$/, '-poster"'));
    assert.equal((await client.fetch(`/v1/jobs/${job.id}/shares/${shared.id}`, { method: 'DELETE' })).status, 204);
    for (const headers of [{}, { 'If-None-Match': tag }, { Range: 'bytes=0-9' }])
        await isProblem(await anyone.fetch(shared.url, { headers }), 403, 'link_invalid', 'taken back');
    assert.equal((await anyone.fetch(job.outputUrl)).status, 200, 'and no other link with it');
    const token = shared.url.split('/').at(-2);
    assert.ok(accessLog().some((line) => line.path === '/media/shared/'), 'it was logged');
    for (const file of readdirSync(path.join(folder, 'log')))
        assert.ok(!readFileSync(path.join(folder, 'log', file), 'utf8').includes(token), `${file} has no token`);
});

test('what is internal stays inside', async () => {
    for (const where of ['/_store/', '/_studio/', '/__e/400', '/conf/secrets', '/.git/config', '/v2/jobs'])
        await isProblem(await client.fetch(where), 404, 'not_found', where);
    for (const where of ['/media/../../conf/secrets', '/..%2f..%2fconf%2fsecrets', '/app/..%2f..%2f..%2fetc/passwd']) {
        const answer = await raw(`GET ${where} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
        assert.ok([400, 404].includes(answer.status), `${where}: ${answer.status}`);
    }
});

test('a callback while nobody is there to take it is asked to come again, at once', async () => {
    const socket = run('hook.sock');
    renameSync(socket, `${socket}.away`);
    try {
        const began = Date.now();
        const answer = await anyone.fetch('/hooks/studio/cb_00000000000000000000000000', { method: 'POST', body: '{}' });
        assert.ok(Date.now() - began < 3000, 'quickly');
        assert.ok(Number(answer.headers.get('retry-after')) > 0);
        await isProblem(answer, 503, 'not_ready', '503 of a callback');
    } finally {
        renameSync(`${socket}.away`, socket);
    }
    const answer = await anyone.fetch('/hooks/studio/cb_00000000000000000000000000', { method: 'POST', body: '{}' });
    assert.equal(answer.status, 400, 'unsigned, but heard');
});

test("nginx's own errors are problems like all others", async () => {
    const long = 'a'.repeat(9000);
    await isProblem(await anyone.fetch('/nothing/here.html'), 404, 'not_found', '404');
    const posted = await anyone.fetch('/index.html', { method: 'POST', body: '{}' });
    assert.equal(posted.headers.get('allow'), 'GET, HEAD');
    await isProblem(posted, 405, 'method_not_allowed', '405 of a file');
    const got = await anyone.fetch('/hooks/studio/token');
    assert.equal(got.headers.get('allow'), 'POST');
    await isProblem(got, 405, 'method_not_allowed', '405 of a callback');
    const big = { method: 'POST', body: JSON.stringify({ prompt: 'x'.repeat(70000) }) };
    await isProblem(await client.fetch('/v1/jobs', big), 413, 'too_large', '413');
    const callback = { method: 'POST', body: 'x'.repeat(256 * 1024 + 1) };
    await isProblem(await anyone.fetch('/hooks/studio/token', callback), 413, 'too_large', '413 of a callback');
    await isProblem(await anyone.fetch(`/v1/jobs?cursor=${long}`), 414, 'too_large', '414');
    await isProblem(await anyone.fetch('/', { headers: { 'X-Long': long } }), 431, 'too_large', '431');
    await isProblem(await raw('GET / HTTP/1.1\r\nHost: a b\r\n\r\n'), 400, 'invalid_request', '400 of a bad header');
    await isProblem(await raw('nonsense\r\n\r\n'), 400, 'invalid_request', '400 of a bad line');
    await isProblem(await anyone.fetch('/', { headers: { 'If-Match': '"other"' } }), 412, 'bad_header', '412');
    const coded = 'Host: x\r\nConnection: close\r\nTransfer-Encoding: gzip\r\n\r\n';
    await isProblem(await raw(`POST /v1/jobs HTTP/1.1\r\n${coded}`), 501, 'bad_header', '501');
    await isProblem(await raw('GET / HTTP/3.0\r\nHost: x\r\n\r\n'), 505, 'invalid_request', '505');
    await isProblem(await anyone.fetch('/app/'), 404, 'not_found', 'a folder');
});

test('handlers and nginx tell the same request id', async () => {
    await isProblem(await client.fetch('/v1/jobs/job_00000000000000000000000000'), 404, 'not_found', 'a job that is not');
    await isProblem(await anyone.fetch('/v1/jobs'), 401, 'unauthorized', 'a key that is not');
});

test('no handler to connect to: 503, and nothing was changed', async (t) => {
    renameSync(run('api.sock'), run('api.away'));
    t.after(() => renameSync(run('api.away'), run('api.sock')));
    for (const options of [{}, { method: 'POST', body: {} }]) {
        const answer = await client.fetch('/v1/jobs', options);
        assert.ok(Number(answer.headers.get('retry-after')) > 0);
        assert.match((await isProblem(answer, 503, 'not_ready', options.method ?? 'GET')).detail, /Nothing was changed/);
    }
});

test('a closed door: 503 for the API, the page goes on', async (t) => {
    writeFileSync(run('maintenance'), '');
    t.after(() => rmSync(run('maintenance')));
    const answer = await client.fetch('/v1/jobs');
    assert.ok(Number(answer.headers.get('retry-after')) > 0);
    await isProblem(answer, 503, 'not_ready', '503');
    assert.equal((await anyone.fetch('/')).status, 200);
});

test('a handler that hangs: 504', async (t) => {
    const handlers = children(Number(readFileSync(run('api.pid'), 'utf8')));
    assert.ok(handlers.length > 0);
    handlers.forEach((pid) => process.kill(pid, 'SIGSTOP'));
    t.after(() => handlers.forEach((pid) => process.kill(pid, 'SIGCONT')));
    const answer = await client.fetch('/v1/jobs', { method: 'POST', body: {} });
    assert.ok(Number(answer.headers.get('retry-after')) > 0);
    await isProblem(answer, 504, 'outcome_unknown', '504');
});

test('health, readiness and metrics', async () => {
    await until('the handlers go on', async () => (await anyone.fetch('/readyz')).status === 200);
    assert.equal((await anyone.fetch('/healthz')).status, 200);
    const metrics = await anyone.fetch('/metrics');
    assert.match(await metrics.text(), /^# TYPE filmgate_/m);
    for (const header of ['X-Forwarded-For', 'Forwarded'])
        await isProblem(await anyone.fetch('/metrics', { headers: { [header]: 'for=192.0.2.1' } }), 403, 'forbidden', header);
});

test('the page: compressed, checked for freshness, secured', async () => {
    const page = await anyone.fetch('/');
    secured(page, 'page');
    const html = await page.text();
    assert.doesNotMatch(html, /<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=/i, 'nothing that the CSP would stop');
    const style = /href="([^"]+\.css)"/.exec(html)[1];
    const packed = await fetch(new URL(style, url), { headers: { 'Accept-Encoding': 'gzip' } });
    assert.equal(packed.headers.get('content-encoding'), 'gzip');
    assert.match(packed.headers.get('vary'), /Accept-Encoding/i);
    assert.equal(packed.headers.get('cache-control'), 'no-cache');
    const again = await fetch(new URL(style, url), { headers: { 'If-None-Match': packed.headers.get('etag') } });
    assert.equal(again.status, 304);
    await packed.arrayBuffer();
});

after(() => {
    /* Last, when everything has been logged: no secret in any log. */
    const secrets = Object.values(readEnv(path.join(folder, 'conf/secrets')))
        .concat(Object.values(readEnv(path.join(folder, 'demo.env'))).filter((value) => value.startsWith('fgk_')));
    assert.ok(secrets.length > 8);
    for (const file of readdirSync(path.join(folder, 'log'))) {
        const text = readFileSync(path.join(folder, 'log', file), 'utf8');
        for (const secret of secrets)
            assert.ok(!text.includes(secret), `${file} contains a secret`);
        assert.ok(!/sig=[A-Za-z0-9_-]{20}/.test(text), `${file} contains a signature`);
        assert.ok(!/\/hooks\/[a-z]+\/[A-Za-z0-9]/.test(text), `${file} contains a callback's token`);
    }
    const lines = accessLog();
    assert.ok(lines.some((line) => line.path === '/hooks/' && line.status === 200), 'a callback arrived');
    assert.ok(lines.every((line) => /^[0-9a-f]{32}$/.test(line.requestId) && !line.path.includes('?')));
});
