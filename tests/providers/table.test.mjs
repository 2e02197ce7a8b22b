/* Each adapter and each outcome, over the whole stack and the simulator: where the job ends, with which code, charged or
 * not, and what the provider's own books say. The jobs of one phase run all at once. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Client, Stack, tree, until } from '../e2e/stack.mjs';

/* A model of each adapter; by: how a lost submit is found. */
const MODELS = {
    'fal-veo-3.1-fast': { by: 'callback' },
    'replicate-veo-3.1-fast': { by: 'callback' },
    'gateway-sora-2': { by: 'list' },
    'runway-gen-4-turbo': { by: 'nothing', image: true },
    'luma-ray-2': { by: 'callback' },
    'luma-ray-3.2': { by: 'nothing' },
    'veo-3.1-lite': { by: 'callback' },
    'kling-2.6': { by: 'callback' },
    'kling-legacy-2.6': { by: 'callback' },
    'minimax-hailuo-2.3': { by: 'callback' },
    'minimax-h3': { by: 'callback' },
    'comfyui-wan-2.1': { by: 'list' },
};
const is = (...names) => (model) => names.some((n) => model.startsWith(n));
const comfy = is('comfyui');

/* tag, the code a job ends with ('' succeeded; null: not asked there), and how many runs the books may bill. */
const ok = { code: '', bills: 1 };
const OUTCOMES = {
    '': () => ok,
    'answer-lost': (m) => MODELS[m].by === 'nothing' ? { code: 'submit_unknown', bills: 1 } : ok,
    '429=1': (m) => ok,
    '500-after': (m) => MODELS[m].by === 'nothing' ? { code: 'submit_unknown', bills: 1 } : ok,
    'refused': (m) => ({ code: 'provider_refused', bills: 0 }),
    /* The others have no such answer at the door, and take it. */
    'moderated-submit': (m) => is('replicate', 'runway', 'luma-ray-3.2', 'comfyui')(m) ? ok : { code: 'blocked_prompt', bills: 0 },
    'unknown-status': () => ok,
    'regresses': () => ok,
    'poll-500': () => ok,
    'truncated-json': () => ok,
    'wrong-type': () => ok,
    /* Told by the callback that it is done, and then by nobody where. */
    'forgets': () => ({ code: /^(provider_forgot|output_unreachable)$/ }),
    /* Some say in the same breath that the request was to blame, or its picture. */
    'fails': () => ({ code: /^(provider_failed|provider_refused|image_unreachable)$/, bills: 0 }),
    'fails-retryable': () => ({ code: 'provider_failed', bills: 0 }),
    'moderated-run': (m) => comfy(m) ? ok : { code: /^blocked_/ },
    'file-missing': () => ({ code: 'output_unreachable' }),
    'file-not-video': () => ({ code: 'output_invalid' }),
    'file-wrong': () => ({ code: 'output_invalid' }),
    'url-expired': () => ok,
    'callback-lost': () => ok,
    'callback-twice': () => ok,
    'callback-reordered': () => ok,
    'callback-forged': () => ok,
    'callback-old': () => ok,
};
/* Google's billing is a precondition like any other in its words.
 * What concerns the whole account there: the provider is parked, and resumed for the next. */
const refusal = (job, code) => job.tag === 'no-credit' && job.model.startsWith('veo') ? 'provider_refused' : code;
const PARKING = { 'no-credit': 'provider_credit', 'bad-auth': 'provider_auth' };

let stack, sim;

before(async () => {
    stack = new Stack({
        PROVIDERS: 'sim', SIM_ARGS: '--render-ms 700 --queue-ms 200 --quiet',
        FILMGATE_SWEEPER_FIRST_POLL_MS: '400', FILMGATE_SWEEPER_CALLBACK_POLL_MS: '1000',
        FILMGATE_SWEEPER_LEASE_S: '8', FILMGATE_SWEEPER_SUBMIT_TIMEOUT_S: '4', FILMGATE_SWEEPER_CALL_TIMEOUT_S: '3',
    });
    /* The shipped catalogue, with a test's patience. */
    const catalogue = JSON.parse(readFileSync(path.join(tree, 'core/provider/catalogue.json'), 'utf8'));
    for (const provider of Object.values(catalogue.providers)) {
        provider.concurrency = 100;
        delete provider.poll;
        delete provider.callsPerMinute;
        delete provider.submitsPerMinute;
        provider.unknown = { ...provider.unknown, waitSeconds: 8 };
    }
    const file = path.join(stack.folder, 'catalogue.json');
    writeFileSync(file, JSON.stringify(catalogue));
    /* One user is refused more often here than anybody may be in a day. */
    await stack.start({ CATALOGUE: file, FILMGATE_MODERATION_BLOCKS_SLOW: '0', FILMGATE_MODERATION_BLOCKS_STOP: '0' });
    sim = new Client(readFileSync(path.join(stack.var, 'run/providers.url'), 'utf8').trim());
});

after(() => stack?.drop());

function filmgate(...args) {
    return execFileSync(path.resolve(tree, process.env.BUILD ?? 'build', 'filmgate'), args,
        { env: { ...process.env, FILMGATE_CONF: path.join(stack.var, 'conf/owner.ini') } }).toString();
}

const models = async () => Object.fromEntries((await stack.client.json('/v1/models')).data.map((m) => [m.name, m]));

async function submit(model, info, tag) {
    const size = info.sizes.find((s) => s.resolution === info.defaultResolution);
    const body = { prompt: `kite of ${model} ${tag ? `[sim:${tag}]` : 'plain'}`, model, aspectRatio: size.aspectRatio,
                   resolution: info.defaultResolution, duration: info.durations[0], deadlineSeconds: 100 };
    if (info.image === 'required' || MODELS[model].image)
        body.imageUrl = `${stack.client.url}/page.png`;
    const { id } = await stack.client.json('/v1/jobs', { method: 'POST', body });
    return { id, model, tag, prompt: body.prompt };
}

async function booksOf(job) {
    const books = await sim.json(`/_sim/books?prompt=${encodeURIComponent(job.prompt)}`);
    assert.deepEqual(books.bugs ?? [], [], 'the simulator itself is fine');
    return books.requests;
}

async function check(job, want) {
    const ended = await stack.client.ended(job.id, 110000);
    const what = `${job.model} ${job.tag}: ${(await stack.client.events(job.id)).map((e) => e.type).join(' ')}`;
    if (want.code instanceof RegExp)
        assert.match(ended.errorCode ?? '', want.code, what);
    else
        assert.equal(ended.errorCode ?? '', want.code, what);
    assert.equal(ended.status === 'succeeded', want.code === '', what);
    const requests = await booksOf(job), bills = requests.filter((r) => r.billed).length;
    assert.ok(requests.length <= 1, `${what}: ${requests.length} runs for one intent`);
    assert.ok(bills <= 1, `${what}: ${bills} bills`);
    if (want.bills !== undefined)
        assert.equal(bills, want.bills, what);
    assert.ok(!requests.some((r) => r.keyLeaked), `${what}: the key went along with a public file`);
    const chargedAllTheSame = ended.errorCode === 'blocked_prompt' && bills === 1;
    assert.equal(ended.charged, ended.status === 'succeeded' || chargedAllTheSame, what);
}

test('every adapter, every outcome', { timeout: 240000 }, async (t) => {
    const known = await models();
    const jobs = [];
    for (const model of Object.keys(MODELS))
        for (const tag of Object.keys(OUTCOMES))
            jobs.push(await submit(model, known[model], tag));
    for (const job of jobs)
        await t.test(`${job.model} ${job.tag || 'plain'}`, async () => {
            await check(job, OUTCOMES[job.tag](job.model));
        });
});

test('our key or our money there', { timeout: 120000 }, async (t) => {
    const known = await models();
    for (const [tag, code] of Object.entries(PARKING)) {
        for (const provider of new Set(Object.keys(MODELS).map((m) => known[m].provider)))
            filmgate('provider', 'resume', provider);
        const jobs = [];
        for (const model of Object.keys(MODELS).filter((m) => !comfy(m) && m !== 'minimax-h3'))
            jobs.push(await submit(model, known[model], tag));
        for (const job of jobs)
            await t.test(`${job.model} ${job.tag}`, () => check(job, { code: refusal(job, code), bills: 0 }));
        assert.match(filmgate('provider', 'list'), /parked/);
    }
});

test('the ledger balances, and waste is told apart to the last micro-unit', () => {
    const account = filmgate('account', 'list').split(' ')[0];
    filmgate('account', 'topup', account, '2.50', '--reference', 'r-1');
    filmgate('account', 'adjust', account, '-0.50', '--reference', 'r-2', '--note', 'a test');
    filmgate('audit', 'ledger');
    const report = filmgate('report', 'cost');
    for (const outcome of ['succeeded', 'refused']) /* one of the providers charges for a refusal */
        assert.match(report, new RegExp(`^  ${outcome} +[1-9]\\d* +(?!0\\.00 )[\\d.]+ USD`, 'm'), report);
});
