/* One table for every store there is: the folder, s3rver (with the bucket in the path and in the host) and Swift. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { BUCKET, PART, drive, envOf, keys, proxy, s3rver, start, swift, uploads } from './servers.mjs';
import { until } from '../e2e/stack.mjs';

const OWNER = 'job_7zabcdefghjkmnpqrstvwxyz00', OTHER = 'job_7zabcdefghjkmnpqrstvwxyz01';
const servers = {};
let folder;

before(async () => {
    folder = mkdtempSync('/tmp/fgst.');
    await Promise.all([s3rver().then((s) => { servers.s3rver = s; }), swift().then((s) => { servers.swift = s; })]);
}, { timeout: 60000 });

after(async () => {
    await Promise.all(Object.values(servers).map((s) => s.stop()));
    rmSync(folder, { recursive: true, force: true });
});

const root = () => ({ FILMGATE_MEDIA_ROOT: path.join(folder, 'media') });
const envs = {
    disk: () => root(),
    s3rver: () => ({ ...envOf(servers.s3rver), ...root() }),
    'a host for the bucket': () => ({
        ...envOf(servers.s3rver, { FILMGATE_S3_ENDPOINT: servers.s3rver.hosts, FILMGATE_S3_ADDRESS: 'host',
            FILMGATE_FETCH_LOCAL_ORIGINS: servers.s3rver.hosts.replace('//', `//${BUCKET}.`) }), ...root(),
    }),
    swift: () => ({ ...envOf(servers.swift), ...root() }),
};

let files = 0;
function file(bytes) {
    const name = path.join(folder, `in${files++}`), content = randomBytes(bytes);
    writeFileSync(name, content);
    return { name, content };
}

const spooled = () => readdirSync(path.join(folder, 'media/tmp'));

async function fetched(env, { kind, name }, command = 'get') {
    const out = path.join(folder, `out${files++}`);
    const answer = await drive(env, command, String(kind), name, out);
    return { ...answer, content: existsSync(out) ? readFileSync(out) : null };
}

for (const [store, env] of Object.entries(envs)) {
    const kind = store === 'disk' ? 0 : 1;
    for (const [words, bytes, now] of [['of no bytes', 0, ''], ['of one', 1, '-now'], ['of a part exactly', PART, ''],
                                       ['of a part and one', PART + 1, ''], ['of three parts', 2 * PART + 12345, '-now']])
        test(`${store}: a file ${words} comes back as it was put`, async () => {
            const { name, content } = file(bytes);
            const put = await drive(env(), `put${now}`, name, OWNER, '.mp4');
            assert.deepEqual([put.code, put.kind, put.cause], ['ok', kind, '']);
            assert.match(put.name, new RegExp(`^7z/${OWNER}-[0-9a-z]+\\.mp4$`));
            const got = await fetched(env(), put, `get${now}`);
            assert.equal(got.code, 'ok', got.cause);
            assert.ok(content.equals(got.content), 'bytes');
            assert.equal((await drive(env(), `remove${now}`, String(kind), put.name)).code, 'ok');
            assert.equal((await drive(env(), `remove${now}`, String(kind), put.name)).code, 'ok', 'a second time');
            assert.equal((await fetched(env(), put, `get${now}`)).code, 'not_found');
            assert.deepEqual(spooled(), [], 'no copies left');
        });

    test(`${store}: of an owner's files those that are not kept go, and nobody else's`, async () => {
        const put = async (owner) => (await drive(env(), 'put', file(10).name, owner, '.mp4')).name;
        const [video, poster, left, other] = [await put(OWNER), await put(OWNER), await put(OWNER), await put(OTHER)];
        const there = async () => {
            const codes = [];
            for (const name of [video, poster, left, other])
                codes.push((await fetched(env(), { kind, name })).code);
            return codes;
        };
        assert.equal((await drive(env(), 'keep', OWNER, video, poster)).code, 'ok');
        assert.deepEqual(await there(), ['ok', 'ok', 'not_found', 'ok']);
        assert.equal((await drive(env(), 'keep', OWNER)).code, 'ok');
        assert.deepEqual(await there(), ['not_found', 'not_found', 'not_found', 'ok']);
        assert.equal((await drive(env(), 'keep', OTHER)).code, 'ok');
    });

    test(`${store}: a row cannot make it touch anything else`, async () => {
        for (const name of ['../x', '7z/../../etc/passwd', '/etc/passwd', '7z/.hidden', '7z/a?b', '']) {
            for (const command of ['remove', 'get'])
                assert.equal((await drive(env(), command, String(kind), name, '/nowhere')).code, 'storage_error', name);
        }
    });
}

/* ---- links; s3rver believes every signature, Swift none that is wrong ---- */

test('a link opens one file, as it was made, for one method', async () => {
    const { name, content } = file(1000);
    const put = await drive(envs.swift(), 'put', name, OWNER, '.mp4');
    const link = async (...more) => (await drive(envs.swift(), 'serve', '1', put.name, 'video/mp4', 'inline; filename="a b.mp4"', ...more)).location;
    const status = async (url, method = 'GET') => {
        const answer = await fetch(url, { method });
        await answer.arrayBuffer();
        return answer.status;
    };
    const get = await link(), head = await link('head');
    const answer = await fetch(get, { headers: { Range: 'bytes=10-19' } });
    assert.equal(answer.status, 206);
    assert.ok(content.subarray(10, 20).equals(Buffer.from(await answer.arrayBuffer())));
    assert.equal(answer.headers.get('content-type'), 'video/mp4');
    assert.equal(answer.headers.get('content-disposition'), 'inline; filename="a b.mp4"');
    assert.equal(await link(), get, 'the same for a while');
    assert.equal(await status(head, 'HEAD'), 200);
    for (const [words, url, method] of [
        ['another type', get.replace('video%2Fmp4', 'text%2Fhtml')], ['another file', get.replace('.mp4?', '.mp5?')],
        ['a longer life', get.replace('Expires=3600', 'Expires=7200')], ['GET by a link for HEAD', head],
        ['DELETE', get, 'DELETE'], ['no signature', get.replace(/&X-Amz-Signature.*/, '')],
        ['without its parameters', get.replace(/response-[^&]*&/g, '')],
    ])
        assert.equal(await status(url, method), 403, words);
    const proxied = await drive({ ...envs.swift(), FILMGATE_MEDIA_DELIVER: 'proxy' }, 'serve', '1', put.name, 'video/mp4', '', 'head');
    assert.ok(proxied.accel.startsWith(`/_s3/${put.name}?`) && !proxied.location, proxied.accel);
    assert.equal(await status(`${servers.swift.endpoint}/${BUCKET}${proxied.accel.slice(4)}`), 200, 'nginx asks with GET');
    assert.deepEqual([(await drive(envs.disk(), 'serve', '0', put.name, 'video/mp4', '')).accel], [`/_store/${put.name}`]);
    assert.equal((await drive(envs.disk(), 'serve', '1', put.name, 'video/mp4', '')).code, 'storage_error', 'a row of a store that is gone');
    assert.equal((await drive(envs.swift(), 'serve', '1', '../x', 'video/mp4', '')).code, 'storage_error');
    await drive(envs.swift(), 'keep', OWNER);
});

test('a wrong secret is refused, and not tried twice', () => between(() => undefined, async (env, p) => {
    const put = await drive({ ...env, FILMGATE_S3_SECRET_KEY: 'wrong' }, 'put', file(5).name, OWNER, '.mp4');
    assert.equal(put.code, 'storage_error');
    assert.match(put.cause, /403 SignatureDoesNotMatch/);
    assert.equal(p.seen.filter((r) => r.method === 'PUT').length, 1);
}));

/* ---- what goes wrong ---- */

/* Over a proxy to Swift; rule: servers.mjs. */
async function between(rule, run) {
    const p = await proxy(servers.swift);
    p.rule = rule;
    try {
        return await run({ ...envOf(p), ...root() }, p);
    } finally {
        await p.close();
    }
}

const isPart = (r, n) => r.method === 'PUT' && r.url.includes(`partNumber=${n}&`);
const isComplete = (r) => r.method === 'POST' && r.url.includes('uploadId=');
const once = (is, fate) => {
    let left = 1;
    return (r) => (is(r) && left-- > 0 ? fate : undefined);
};

for (const [words, rule] of [
    ['a part is told to come later', once((r) => isPart(r, 2), 503)],
    ['a connection breaks before a part', once((r) => isPart(r, 1), 'reset')],
    ['the answer to a part is lost', once((r) => isPart(r, 3), 'lose')],
    ['a part arrives garbled', once((r) => isPart(r, 2), 'garble')],
    ['the answer to the last call is lost', once(isComplete, 'lose')],
    ['the answer to the first call is lost', once((r) => r.url.includes('uploads='), 'lose')],
])
    test(`put: ${words}`, { timeout: 30000 }, () => between(rule, async (env) => {
        const { name, content } = file(2 * PART + 7);
        const put = await drive(env, 'put', name, OWNER, '.mp4');
        assert.equal(put.code, 'ok', put.cause);
        assert.ok(content.equals((await fetched(env, put)).content), 'it is whole');
        assert.equal((await drive(env, 'keep', OWNER)).code, 'ok');
    }));

test('put: a service that never takes it leaves the file with us, and nothing there', { timeout: 60000 }, async () => {
    await drive(envs.swift(), 'tidy', '0');
    for (const [fate, want] of [[503, /503 SlowDown/], [403, /403 AccessDenied as told/]])
        await between((r) => (isPart(r, 2) ? fate : undefined), async (env, p) => {
            const put = await drive(env, 'put', file(2 * PART).name, OWNER, '.mp4');
            assert.equal(put.code, 'storage_error');
            assert.match(put.cause, want);
            assert.equal(p.seen.filter((r) => isPart(r, 2)).length, fate === 503 ? 4 : 1, 'tries');
            assert.deepEqual(await uploads(servers.swift), [], 'the upload is given up');
            assert.deepEqual(await keys(servers.swift, `7z/${OWNER}`), []);
        });
});

test('put: nobody answers, the time is over', { timeout: 30000 }, () => between(() => 'hang', async (env) => {
    const put = await drive({ ...env, DRIVE_LIMIT_MS: '700' }, 'put-now', file(5).name, OWNER, '.mp4');
    assert.equal(put.code, 'storage_error');
    assert.match(put.cause, /in time/);
}));

test('put: nobody is there', async () => {
    const put = await drive({ ...envs.swift(), FILMGATE_S3_ENDPOINT: 'http://127.0.0.1:1', DRIVE_LIMIT_MS: '15000',
                              FILMGATE_FETCH_LOCAL_ORIGINS: 'http://127.0.0.1:1' }, 'put-now', file(5).name, OWNER, '.mp4');
    assert.equal(put.code, 'storage_error');
});

test('plain http is for origins on this machine alone', async () => {
    const put = await drive({ ...envs.swift(), FILMGATE_FETCH_LOCAL_ORIGINS: '' }, 'put', file(5).name, OWNER, '.mp4');
    assert.equal(put.code, 'storage_error');
});

test('put: killed between two parts, what is left is given up a day later', { timeout: 30000 }, async () => {
    let reached;
    const there = new Promise((resolve) => { reached = resolve; });
    await between((r) => (isPart(r, 2) ? (reached(), 'hang') : undefined), async (env) => {
        const child = start(env, 'put', file(2 * PART).name, OWNER, '.mp4');
        await there;
        child.kill('SIGKILL');
        await child.ended;
    });
    assert.equal((await uploads(servers.swift)).length, 1, 'it is there still');
    assert.deepEqual([(await drive(envs.swift(), 'tidy', '86400')).tidied, (await uploads(servers.swift)).length], [0, 1], 'too young');
    assert.deepEqual([(await drive(envs.swift(), 'tidy', '-5')).tidied, (await uploads(servers.swift)).length], [1, 0]);
    assert.deepEqual([(await drive(envs.s3rver(), 'tidy', '0')).code], ['ok'], 'who cannot list them need not');
    for (const name of spooled())
        rmSync(path.join(folder, 'media/tmp', name));
});

test('get: in parts, each tried again; what is not what was put is not taken', { timeout: 30000 }, async () => {
    const { name, content } = file(2 * PART + 1);
    const put = await drive(envs.swift(), 'put', name, OWNER, '.mp4');
    const isRange = (r, at) => r.method === 'GET' && r.headers.range?.startsWith(`bytes=${at}-`);
    for (const fate of [503, 'reset', 'lose'])
        await between(once((r) => isRange(r, PART), fate), async (env, p) => {
            const got = await fetched(env, put);
            assert.equal(got.code, 'ok', `${fate}: ${got.cause}`);
            assert.ok(content.equals(got.content), `${fate}`);
            assert.equal(p.seen.length, 5, 'a look, three parts, one of them twice');
        });
    await between(once((r) => isRange(r, PART), 'garble'), async (env) => {
        const got = await fetched(env, put);
        assert.equal(got.code, 'storage_error');
        assert.match(got.cause, /not what was put there/);
    });
    assert.deepEqual(spooled(), [], 'no copies left');
    await drive(envs.swift(), 'keep', OWNER);
});

test('a configuration that cannot work is refused at the start', async () => {
    for (const [key, value] of [['ENDPOINT', ''], ['ENDPOINT', 'ftp://x'], ['ENDPOINT', 'https://x/y'], ['BUCKET', ''],
                                ['BUCKET', 'a/b'], ['ACCESS_KEY', ''], ['SECRET_KEY', '']])
        assert.equal((await drive({ ...envs.swift(), [`FILMGATE_S3_${key}`]: value }, 'tidy', '0')).code, 'configuration', `${key} ${value}`);
});
