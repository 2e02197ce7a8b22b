/* The simulator tested by plain fetch, as its clients see it: what every dialect shares, on replicate's; how it starts
 * and stops; the catalogue. The dialects have files of their own, NAME.test.mjs. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '../../e2e/stack.mjs';
import { redirect } from './catalogue.mjs';
import { webhookSecret } from './keys.mjs';
import { startSimulator } from './simulator.mjs';
import { Hook, probe, verifiesStandard } from './world.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const QUEUE_MS = 10000, RENDER_MS = 30000, WHOLE_MS = QUEUE_MS + RENDER_MS; /* skipped, not waited for */

let sim, hook;
before(async () => {
    sim = await startSimulator({ queueMs: QUEUE_MS, renderMs: RENDER_MS });
    hook = await new Hook().listen();
});
after(async () => {
    assert.deepEqual(sim.books().bugs, []);
    await sim.stop();
    await hook.close();
});
beforeEach(() => sim.clearScript());

const headers = { Authorization: 'Bearer sim-replicate', 'Content-Type': 'application/json' };
const get = (url) => fetch(url, { headers });
const ofPrompt = (prompt) => sim.books(prompt).requests;

function submit(prompt, more = {}) {
    const body = JSON.stringify({ input: { prompt, duration: 5, aspect_ratio: '16:9' }, ...more });
    return fetch(`${sim.url}/replicate/v1/models/google/veo-3.1/predictions`, { method: 'POST', headers, body });
}

async function accepted(prompt, more) {
    const answer = await submit(prompt, more);
    assert.equal(answer.status, 201, prompt);
    return (await answer.json()).urls.get;
}

const statusOf = async (url) => (await (await get(url)).json()).status;
const shown = async (url) => (await get(url)).json();
const refused = async (answer) => (await answer).status;

test('a door that is shut once, and open to the second try', async () => {
    const first = await submit('boat [sim:429=7]');
    assert.equal(first.status, 429);
    assert.equal(first.headers.get('retry-after'), '7');
    assert.equal((await submit('kite [sim:429]')).headers.get('retry-after'), null);
    assert.equal(await refused(submit('boat [sim:429=7]')), 201);
    assert.equal(await refused(submit('boat [sim:429=7]')), 429, 'the next job meets it anew');
    for (const want of [500, 500, 201, 500])
        assert.equal(await refused(submit('drum [sim:500-before*2]')), want);
    assert.equal(ofPrompt('boat').length, 1);
    assert.equal(ofPrompt('drum').length, 1);
});

test('doors that stay shut', async () => {
    const want = { 'bad-auth': 401, 'refused': 422, 'no-credit': 402 };
    for (const [name, status] of Object.entries(want))
        for (const time of ['once', 'again'])
            assert.equal(await refused(submit(`shut [sim:${name}]`)), status, `${name} ${time}`);
    assert.equal(ofPrompt('shut').length, 0);
});

test('rules open and shut doors without a word in the prompt', async () => {
    const rule = (body) => fetch(`${sim.url}/_sim/script`, { method: 'POST', body: JSON.stringify(body) });
    assert.equal(await refused(rule({ provider: 'replicate', prompt: 'ruled', tags: ['429=3'], times: 1 })), 200);
    assert.equal(await refused(rule({ provider: 'fal', tags: ['no-credit'] })), 200);
    assert.equal(await refused(rule({ tags: 'no list' })), 400);
    assert.equal(await refused(rule({ tags: ['Not A Tag'] })), 400);
    assert.deepEqual([await refused(submit('ruled')), await refused(submit('ruled'))], [429, 201]);
    await rule({ prompt: 'ruled', tags: ['no-credit'] });
    assert.equal(await refused(submit('ruled')), 402);
    await fetch(`${sim.url}/_sim/script`, { method: 'DELETE' });
    assert.equal(await refused(submit('ruled')), 201);
});

test('answers that are lost, late, broken: accepted and billed all the same', async () => {
    await assert.rejects(submit('lost [sim:answer-lost]'));
    assert.equal(await refused(submit('broken [sim:500-after]')), 500);
    const begin = Date.now();
    assert.equal(await refused(submit('late [sim:answer-late=120]')), 201);
    assert.ok(Date.now() - begin >= 119);
    const cut = await submit('cut [sim:truncated-json=submit]');
    await assert.rejects(cut.json());
    const wrong = await (await submit('wrong [sim:wrong-type=submit]')).json();
    assert.notEqual(typeof wrong.id, 'string');
    for (const prompt of ['lost', 'broken', 'late', 'cut', 'wrong']) {
        const [run, ...more] = ofPrompt(prompt);
        assert.equal(run.billed, true, prompt);
        assert.deepEqual(more, []);
    }
});

test('no answer, and nothing accepted', async () => {
    const begin = Date.now();
    await assert.rejects(submit('hangs [sim:hang=120]'));
    assert.ok(Date.now() - begin >= 119);
    assert.deepEqual(ofPrompt('hangs'), []);
});

test('polls that fail, and then do not', async () => {
    const failing = await accepted('[sim:poll-500]');
    assert.deepEqual([(await get(failing)).status, (await get(failing)).status, (await get(failing)).status],
        [500, 500, 200]);
    const busy = await accepted('hasty [sim:poll-429=20]');
    const first = await get(busy);
    sim.advance(19000);
    assert.deepEqual([first.status, first.headers.get('retry-after'), (await get(busy)).status], [429, '20', 429]);
    assert.equal(ofPrompt('hasty')[0].tooEarly, 1);
    sim.advance(1000);
    assert.equal((await get(busy)).status, 200);
    const forgotten = await accepted('[sim:forgets]');
    assert.equal((await get(forgotten)).status, 404);
    const cut = await accepted('[sim:truncated-json*1]');
    await assert.rejects(async () => (await get(cut)).json());
    assert.equal(await statusOf(cut), 'starting');
    const wrong = await accepted('[sim:wrong-type*1]');
    assert.notEqual(typeof await statusOf(wrong), 'string');
    assert.equal(typeof await statusOf(wrong), 'string');
});

test('what comes late is whole, and late once', async () => {
    const took = async (ask) => {
        const begin = Date.now();
        return [await ask(), Date.now() - begin];
    };
    const late = await accepted('[sim:poll-late=300]');
    assert.ok((await took(() => get(late)))[1] >= 299);
    assert.ok((await took(() => get(late)))[1] < 299);
    const slow = await accepted('[sim:file-slow=300]'), plain = await accepted('as quick as any');
    sim.advance(WHOLE_MS);
    const file = async (url) => Buffer.from(await (await fetch((await shown(url)).output)).arrayBuffer());
    const bytes = await file(plain), [first, firstMs] = await took(() => file(slow));
    const [second, secondMs] = await took(() => file(slow));
    assert.ok(firstMs >= 299 && secondMs < 299, `${firstMs} and ${secondMs} ms`);
    assert.ok(first.equals(bytes) && second.equals(bytes));
});

test('states on the clock', async () => {
    const names = ['plain', 'regresses', 'unknown-status', 'slow', 'stuck', 'fails'];
    const urls = await Promise.all(names.map((name) => accepted(`timed [sim:${name}]`)));
    const step = async (ms) => {
        sim.advance(ms);
        return Object.fromEntries(await Promise.all(urls.map(async (url, i) => [names[i], await statusOf(url)])));
    };
    const waiting = await step(0);
    assert.deepEqual(new Set(Object.values(waiting)), new Set(['starting']));
    const running = { 'plain': 'processing', 'regresses': 'processing', 'unknown-status': 'simmering',
                      'slow': 'processing', 'stuck': 'processing', 'fails': 'processing' };
    assert.deepEqual(await step(QUEUE_MS), running);
    assert.deepEqual(await step(RENDER_MS / 2), { ...running, 'regresses': 'starting' });
    assert.deepEqual(await step(RENDER_MS / 4), running);
    const ended = { 'plain': 'succeeded', 'regresses': 'succeeded', 'unknown-status': 'succeeded',
                    'slow': 'processing', 'stuck': 'processing', 'fails': 'failed' };
    assert.deepEqual(await step(RENDER_MS / 4), ended);
    assert.deepEqual(await step(4 * RENDER_MS), { ...ended, 'slow': 'succeeded' });
    assert.deepEqual(ofPrompt('timed').map(({ end, billed }) => [end, billed]), [['done', true], ['done', true],
        ['done', true], ['done', true], [null, true], ['failed', false]]);
});

test('a run that fails may be tried again', async () => {
    for (let i = 0; i < 2; i++)
        await accepted('twice [sim:fails-retryable*1]');
    sim.advance(WHOLE_MS);
    assert.deepEqual(ofPrompt('twice').map(({ end, failure, billed }) => [end, failure, billed]),
        [['failed', 'fails-retryable', false], ['done', null, true]]);
});

test('files: whole, and all that they can be instead', async () => {
    const names = ['plain', 'file-truncated', 'file-truncated=quiet', 'file-wrong', 'file-missing', 'file-not-video',
                   'file-missing*1', 'url-expired', 'file-slow=400'];
    const urls = await Promise.all(names.map((name) => accepted(`footage [sim:${name}]`)));
    sim.advance(WHOLE_MS);
    const videos = await Promise.all(urls.map(shown));
    const video = Object.fromEntries(names.map((name, i) => [name, videos[i].output]));
    const file = (name) => fetch(video[name]);
    const download = async (name) => Buffer.from(await (await file(name)).arrayBuffer());

    const bytes = await download('plain');
    const { codec, seconds, width, height, packets } = await probe(bytes);
    assert.deepEqual({ codec, seconds, width, height }, { codec: 'h264', seconds: 5, width: 128, height: 72 });
    assert.ok(bytes.length < 20000);
    assert.equal(ofPrompt('footage [sim:plain]')[0].downloads, 1);

    await assert.rejects(download('file-truncated'));
    const half = await download('file-truncated=quiet');
    assert.equal(half.length, bytes.length >> 1);
    assert.ok((await probe(half)).packets < packets, 'its header still promises all');
    const page = await file('file-wrong');
    assert.deepEqual([page.status, page.headers.get('content-type')], [200, 'text/html']);
    assert.equal((await file('file-missing')).status, 404);
    const words = await file('file-not-video');
    assert.equal(words.headers.get('content-type'), 'video/mp4');
    await assert.rejects(async () => probe(Buffer.from(await words.arrayBuffer())));
    assert.deepEqual([(await file('file-missing*1')).status, (await file('file-missing*1')).status], [404, 200]);

    const asked = Date.now();
    assert.equal((await download('file-slow=400')).length, bytes.length);
    assert.ok(Date.now() - asked >= 390, 'its second half came later');

    assert.deepEqual([(await file('url-expired')).status, (await file('url-expired')).status], [403, 403]);
    const { output: anew } = await shown(urls[names.indexOf('url-expired')]);
    assert.notEqual(anew, video['url-expired']);
    assert.equal((await fetch(anew)).status, 200);
    const { faults } = sim.books();
    assert.deepEqual(['file-slow', 'file-truncated', 'url-expired'].map((name) => faults[name]), [2, 2, 2], 'what held is counted');
    sim.set({ fileSeconds: 2 });
    assert.equal((await probe(await download('plain'))).seconds, 2);
    sim.set({ fileSeconds: null });
});

test('callbacks: signed, and all that can happen to them', async () => {
    const names = ['plain', 'lost', 'late=5000', 'twice', 'reordered', 'forged', 'old'];
    const words = (name) => hook.at(`/${name}`).map(({ json }) => json.status);
    const secret = webhookSecret('replicate');
    const good = (name) => hook.at(`/${name}`).map((got) => verifiesStandard(secret, got));
    const counts = (want) => until(`callbacks: ${want}`, () => names.every((name, i) => words(name).length === want[i]));
    await Promise.all(names.map((name) => accepted(`[sim:callback-${name}]`,
        { webhook: `${hook.url}/${name}`, webhook_events_filter: ['start', 'completed'] })));
    sim.advance(2000);
    await counts([1, 0, 0, 2, 0, 1, 1]);
    sim.advance(5000);
    await counts([1, 0, 1, 2, 0, 1, 1]);
    sim.advance(WHOLE_MS - 7000);
    await counts([2, 0, 1, 3, 1, 2, 2]);
    sim.advance(5000);
    await counts([2, 0, 2, 4, 2, 2, 2]);
    assert.deepEqual(words('plain'), ['starting', 'succeeded']);
    assert.deepEqual(good('plain'), [true, true]);
    assert.deepEqual(words('reordered'), ['succeeded', 'starting']);
    assert.deepEqual(good('reordered'), [true, true]);
    assert.deepEqual(good('forged'), [false, false]);
    assert.deepEqual(good('old'), [false, false]);
    const ids = hook.at('/twice').map(({ headers: sent }) => sent['webhook-id']);
    assert.equal(new Set(ids).size, 2);
});

test('a callback that nobody takes is repeated, and then given up', async () => {
    const deaf = await new Hook().listen(() => ({ status: 500 }));
    const refusals = () => sim.books().calls.replicate['callback-refused'] ?? 0;
    const before = refusals();
    await accepted('deaf', { webhook: `${deaf.url}/x`, webhook_events_filter: ['completed'] });
    for (let tries = 1; tries <= 4; tries++) {
        sim.advance(WHOLE_MS);
        await until(`try ${tries}`, () => refusals() === before + tries);
    }
    sim.advance(WHOLE_MS);
    assert.equal(deaf.got.length, 4);
    const id = ({ headers: sent }) => sent['webhook-id'];
    assert.equal(new Set(deaf.got.map(id)).size, 1);
    assert.ok(deaf.got.every((got) => verifiesStandard(webhookSecret('replicate'), got)));
    await deaf.close();
});

test('strangers and unknown paths are in the books', async () => {
    const stranger = { headers: { Authorization: 'Bearer nobody' } };
    assert.equal((await fetch(`${sim.url}/replicate/v1/predictions`, stranger)).status, 401);
    assert.equal((await get(`${sim.url}/replicate/v1/hardware`)).status, 404);
    const { calls, strays } = sim.books();
    assert.equal(calls.replicate.unauthorized, 1);
    assert.deepEqual(strays, ['GET /replicate/v1/hardware']);
    const of = encodeURIComponent('footage [sim:plain]');
    const { requests } = await (await fetch(`${sim.url}/_sim/books?prompt=${of}`)).json();
    assert.deepEqual(requests.map(({ state, downloads }) => [state, downloads]), [['done', 2]]);
});

test('the program: ready, a catalogue, books in a file, an end', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'fgsim.'));
    const file = (name) => path.join(folder, name);
    const provider = { adapter: 'replicate', urls: { base: 'https://api.replicate.com/v1' } };
    writeFileSync(file('in.json'), JSON.stringify({ providers: { replicate: provider } }));
    const program = spawn(process.execPath, [path.join(HERE, 'main.mjs'), '--port', '0', '--quiet', '--queue-ms', '0',
        '--render-ms', '0', '--books', file('books'), '--catalogue', file('in.json'), '--write-catalogue',
        file('out.json')], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
        let said = '';
        program.stdout.on('data', (text) => { said += text; });
        await until('it is ready', () => said.endsWith('\n'), 10000);
        const [, url] = /^ready (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(said);
        const { urls: { base } } = JSON.parse(readFileSync(file('out.json'), 'utf8')).providers.replicate;
        assert.equal(base, `${url}/replicate/v1`);
        const body = JSON.stringify({ version: 'a/b', input: { prompt: 'in a file' } });
        await (await fetch(`${base}/predictions`, { method: 'POST', headers, body })).json();
        const ended = new Promise((resolve) => program.once('close', (code) => resolve(code)));
        program.kill('SIGTERM');
        assert.equal(await ended, 0);
        const lines = readFileSync(file('books'), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
        assert.deepEqual(lines.map(({ prompt, end }) => [prompt, end]),
            [['in a file', 'done'], ['in a file', 'done']]);
    } finally {
        program.kill('SIGKILL');
        rmSync(folder, { recursive: true });
    }
});

test('a catalogue sends everybody here but the studio', () => {
    const url = 'http://127.0.0.1:9400';
    const copy = redirect({ defaultModel: 'x', providers: {
        studio: { adapter: 'openai', urls: { base: '{public_url}/studio/v1' }, hosts: ['{public_url}'] },
        fal: { adapter: 'fal', urls: { base: 'https://queue.fal.run', history: 'https://api.fal.ai/v1',
                                       jwks: 'https://rest.fal.ai/.well-known/jwks.json' },
               hosts: ['queue.fal.run', 'api.fal.ai'], outputHosts: ['.fal.media'] },
        gemini: { adapter: 'veo', urls: { base: 'https://generativelanguage.googleapis.com/v1beta',
                                          jwks: 'https://generativelanguage.googleapis.com/.well-known/jwks.json' } },
        dream: { adapter: 'luma', urls: { base: 'https://api.lumalabs.ai/dream-machine/v1' } },
        kling: { adapter: 'kling', urls: { base: 'https://api-singapore.klingai.com' } },
    } }, url);
    const { studio, fal, gemini, dream, kling } = copy.providers;
    assert.equal(studio.urls.base, '{public_url}/studio/v1');
    assert.deepEqual(studio.hosts, ['{public_url}']);
    assert.deepEqual(fal.urls, { base: `${url}/fal/queue`, history: `${url}/fal/api/v1`,
                                 jwks: `${url}/fal/rest/.well-known/jwks.json` });
    assert.deepEqual([fal.hosts, fal.outputHosts], [['127.0.0.1:9400'], ['127.0.0.1:9400']]);
    assert.deepEqual(gemini.urls, { base: `${url}/veo/v1beta`, jwks: `${url}/veo/.well-known/jwks.json` });
    assert.equal(dream.urls.base, `${url}/luma/dream-machine/v1`);
    assert.equal(kling.urls.base, `${url}/kling`);
    assert.throws(() => redirect({ providers: { x: { adapter: 'nobody', urls: { base: 'https://x.example' } } } }, url));
});
