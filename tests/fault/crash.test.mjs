/* kill -9 at every named crash point of the product, one after the other: the job still ends right, the provider's
 * books hold one submit for it, the ledger balances, no file is left over, and every event is told. The points are
 * found in the sources, so a new one is driven without a word here, and one that nothing reaches fails. Needs a build
 * with FG_FAULT. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { genuine, Receiver } from '../e2e/receiver.mjs';
import { Client, Stack, readEnv, tree, until } from '../e2e/stack.mjs';

const points = [...new Set(execFileSync('grep', ['-rhoP', 'FG_CRASH_POINT\\("\\K[^"]+', 'core', 'fcgi'], { cwd: tree })
    .toString().trim().split('\n'))].sort();

let stack, studio, sim, crashFile, receiver, hook;

before(async () => {
    receiver = await new Receiver().listen();
    stack = new Stack({
        RECEIVERS: receiver.origin,
        FILMGATE_WEBHOOK_TIMEOUT_S: '1',
        RESPAWN: '1',
        HOOK_PROCS: '1',
        FILMGATE_SWEEPER_LEASE_S: '5',
        FILMGATE_SWEEPER_SUBMIT_TIMEOUT_S: '3',
        FILMGATE_SWEEPER_CALL_TIMEOUT_S: '3',
        FILMGATE_SWEEPER_FIRST_POLL_MS: '500',
        PROVIDERS: 'sim',
        SIM_ARGS: '--render-ms 500 --queue-ms 200 --quiet',
    });
    /* Where every part can take it away, whoever it runs as. */
    crashFile = path.join(stack.folder, 'crash', 'point');
    execFileSync('mkdir', ['-m', '777', path.dirname(crashFile)]);
    await stack.start({ FILMGATE_CRASH_FILE: crashFile });
    studio = new Client(stack.client.url, readEnv(path.join(stack.var, 'conf/secrets')).STUDIO_KEY);
    sim = new Client(readFileSync(path.join(stack.var, 'run/providers.url'), 'utf8').trim());
    hook = await stack.client.json('/v1/webhook-endpoints', { method: 'POST', body: { url: receiver.url('/') } });
});

after(async () => {
    await stack?.drop();
    await receiver?.close();
});

/* A part may die while we ask: repeat, with the same key, until there is an answer that is one. */
function insist(client, where, options) {
    return until(`${options?.method ?? 'GET'} ${where} is answered`, async () => {
        const answer = await client.fetch(where, { ...options, signal: AbortSignal.timeout(10000) })
            .catch((e) => ({ status: 0, words: e.message }));
        return answer.status && ![409, 502, 503, 504].includes(answer.status) && answer;
    });
}

/* What the embedded provider never does: an image is handed over first, or a cancel is asked for. */
const PREPARES = /^(prepare|reference)\.|^submit\.before_send_commit$/, CANCELS = /^cancel\./, SENDS = /^upload\./;

function bodyFor(point, prompt) {
    if (PREPARES.test(point))
        return { prompt, model: 'comfyui-ltx-image', aspectRatio: '16:9', duration: 2, imageUrl: `${stack.client.url}/page.png`,
                 userId: prompt /* whose picture it is: one that is there is not made again */ };
    if (CANCELS.test(point))
        return { prompt: `${prompt} [sim:stuck]`, model: 'fal-veo-3.1-fast', aspectRatio: '16:9', duration: 4 };
    return { prompt, model: 'studio-1', aspectRatio: '1:1', duration: 5, resolution: '360p' };
}

/* As a client does that hears nothing: the same again. */
async function sendPicture(prompt) {
    const body = readFileSync(path.join(tree, 'www/page.png')), { url, key } = stack.client;
    const answer = await until('the picture is taken', async () => {
        const one = await fetch(`${url}/v1/uploads?userId=${encodeURIComponent(prompt)}`, {
            method: 'POST', headers: { Authorization: `Bearer ${key}` }, body, signal: AbortSignal.timeout(20000) }).catch(() => null);
        return one && [200, 201].includes(one.status) && one;
    }, 40000);
    return (await answer.json()).id;
}

async function create(point, prompt, uploadId) {
    const answer = await insist(stack.client, '/v1/jobs', {
        method: 'POST',
        headers: { 'Idempotency-Key': randomUUID() },
        body: { ...bodyFor(point, prompt), ...(uploadId ? { uploadId } : {}) },
    });
    assert.equal(answer.status, 202);
    return answer.json();
}

async function submitsOf(point, prompt) {
    if (PREPARES.test(point) || CANCELS.test(point))
        return (await sim.json(`/_sim/books?prompt=${encodeURIComponent(prompt)}`)).requests.length;
    const books = await (await insist(studio, '/studio/v1/videos?limit=100')).json();
    return books.data.filter((video) => video.prompt === prompt).length;
}

const filesOf = (id) => readdirSync(path.join(stack.var, 'media'), { recursive: true })
    .filter((name) => name.includes(id));

function arm(point) {
    writeFileSync(crashFile + '.new', point);
    chmodSync(crashFile + '.new', 0o644);
    renameSync(crashFile + '.new', crashFile);
}

function audit() {
    const env = { ...process.env, FILMGATE_CONF: path.join(stack.var, 'conf/owner.ini') };
    execFileSync(path.resolve(tree, process.env.BUILD, 'filmgate'), ['audit', 'ledger'], { env });
}

/* At least once, however often somebody died (a lease of a delivery is eleven seconds), and in order. One that is
 * canceled at its provider may never have been seen at work. */
async function told(id, end) {
    const want = ['job.queued', 'job.processing', end, 'job.deleted'].filter((type) =>
        end !== 'job.failed' || type !== 'job.processing');
    const events = () => receiver.events('/', id).filter((type) => end !== 'job.failed' || type !== 'job.processing');
    await until(`${id} is told of to its end`, () => want.every((type) => events().includes(type)), 40000);
    assert.deepEqual(events(), want);
    assert.ok(receiver.of('/').every((one) => one.genuine ??= genuine(hook.secret, one)), 'each is signed');
}

for (const point of points) {
    test(`kill -9 at ${point}`, { timeout: 120000 }, async () => {
        const prompt = `${point} ${randomUUID().slice(0, 8)}`;
        arm(point);
        const upload = SENDS.test(point) ? await sendPicture(prompt) : undefined;
        const { id } = await create(point, prompt, upload);
        if (CANCELS.test(point)) {
            await until('the provider has it', async () =>
                ['queued', 'processing'].includes((await (await insist(stack.client, `/v1/jobs/${id}`)).json()).status));
            assert.equal((await insist(stack.client, `/v1/jobs/${id}/cancel`, { method: 'POST' })).status, 200);
        }
        const ended = await until('the job has ended', async () => {
            const job = await (await insist(stack.client, `/v1/jobs/${id}`)).json();
            return ['succeeded', 'failed', 'expired'].includes(job.status) && job;
        }, 60000);
        const files = CANCELS.test(point) ? 0 : 2;
        assert.equal(ended.errorCode, CANCELS.test(point) ? 'canceled' : null, ended.errorMessage);
        assert.equal(await submitsOf(point, prompt), 1, 'submits in the provider\'s books');
        await until('one video and one poster are stored, nothing is left over', () => filesOf(id).length === files);
        audit();
        const erased = await insist(stack.client, `/v1/jobs/${id}`, { method: 'DELETE' });
        assert.equal(erased.status, 204);
        await until('the files are gone', () => filesOf(id).length === 0);
        if (upload) {
            assert.equal((await insist(stack.client, `/v1/uploads/${upload}`, { method: 'DELETE' })).status, 204);
            await until('the picture is gone', () => filesOf(upload).length === 0);
        }
        await until('the crash has happened', () => !existsSync(crashFile));
        await told(id, CANCELS.test(point) ? 'job.failed' : 'job.succeeded');
    });
}

test('every duty has crash points', () => {
    for (const duty of ['create', 'upload', 'reference', 'submit', 'prepare', 'cancel', 'callback', 'ingest', 'erase', 'deliver'])
        assert.ok(points.some((point) => point.startsWith(`${duty}.`)), duty);
});
