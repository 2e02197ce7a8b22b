/* Our handlers are away while providers call back: nginx says so quickly, the provider gives up, and reconciliation finds
 * what was missed. What comes afterwards is recorded and changes nothing. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '../e2e/stack.mjs';
import { Stage, problem } from './stage.mjs';

const CALLED = { model: 'replicate-veo-3.1-fast', duration: 4 };
const HOUR_MS = 3600000;
const TIMEOUT_S = 4;
const AWAY_MS = 1000, HANGS_MS = TIMEOUT_S * 1000 + 1500;
const VERDICT = { 1: 'valid', 2: 'duplicate', 3: 'late' };

let stage;

before(async () => {
    stage = await new Stage({
        API_PROCS: '1', HOOK_PROCS: '1', FCGI_TIMEOUT_S: String(TIMEOUT_S),
        SIM_ARGS: '--render-ms 700 --queue-ms 100 --quiet',
        FILMGATE_SWEEPER_FIRST_POLL_MS: '300',
    }).start();
});

after(async () => {
    await stage?.drop();
});

const verdicts = ({ id }) => stage.sql('SELECT r.verdict FROM callback_receipt r JOIN job j ON j.id = r.job_id '
    + `WHERE j.public_id = '${id}'`).map(([verdict]) => VERDICT[verdict] ?? verdict);

const refusedCallbacks = async () => (await stage.sim.json('/_sim/books')).calls.replicate?.['callback-refused'] ?? 0;

const callBack = () => problem(stage.client, '/hooks/replicate/cb_00000000000000000000000000', { method: 'POST', body: {} });

/* One whose callbacks are given up meanwhile, and one whose callbacks come when everything is over. */
async function missed(words, { code, limitMs, back }) {
    const before = await refusedCallbacks();
    const missing = await stage.create(words, CALLED);
    const late = await stage.create(`${words} [sim:callback-late=${HOUR_MS}]`, CALLED);
    const told = await callBack();
    assert.equal(told.code, code, told.words);
    assert.ok(told.ms < limitMs, `${told.ms} ms`);
    assert.equal((await stage.client.fetch('/healthz')).status, 200, 'the API goes on');
    for (const job of [missing, late])
        await stage.delivered(job, 30000);
    assert.ok(await refusedCallbacks() > before, 'callbacks were refused');
    assert.deepEqual([...verdicts(missing), ...verdicts(late)], []);

    await back();
    const states = () => stage.sql('SELECT state, stage, error_code, charged, finished_us FROM job '
        + `WHERE public_id = '${late.id}'`);
    const ended = states();
    await stage.sim.json('/_sim/advance', { method: 'POST', body: { ms: HOUR_MS } });
    await until('the late ones have come', () => verdicts(late).includes('late'));
    assert.ok(verdicts(late).every((verdict) => ['late', 'duplicate'].includes(verdict)), verdicts(late).join());
    assert.deepEqual(states(), ended, 'and changed nothing');
    await stage.delivered(late);
    stage.audit();
    return told.ms;
}

test('the pool for callbacks is gone', { timeout: 90000 }, async (t) => {
    await stage.end('hook', 'SIGKILL');
    const ms = await missed('gone', { code: 'not_ready', limitMs: AWAY_MS, back: () => stage.again('hook') });
    t.diagnostic(`refused within ${ms} ms`);
});

test('the pool for callbacks hangs', { timeout: 90000 }, async (t) => {
    stage.signal('hook', 'SIGSTOP');
    const back = () => stage.signal('hook', 'SIGCONT');
    const ms = await missed('hangs', { code: 'outcome_unknown', limitMs: HANGS_MS, back });
    t.diagnostic(`refused within ${ms} ms`);
});

/* Each waits for a database that hangs when it is killed. */
test('handlers die over a request', { timeout: 60000 }, async () => {
    const post = { method: 'POST', body: { ...CALLED, prompt: 'never made', aspectRatio: '16:9' } };
    const look = (where, method) => stage.client.fetch(where, { method, signal: AbortSignal.timeout(200) });
    const row = [
        ['api', () => problem(stage.client, '/v1/jobs', post, [502]), () => look('/healthz', 'GET')],
        ['hook', callBack, () => look('/hooks/none', 'POST')],
    ];
    stage.signal('mariadb', 'SIGSTOP');
    try {
        for (const [part, ask, other] of row) {
            const answer = ask();
            await until(`${part} is busy`, () => other().then(() => false, () => true));
            stage.signal(part, 'SIGKILL');
            const { code, words } = await answer;
            assert.equal(code, 'outcome_unknown', words);
        }
    } finally {
        stage.signal('mariadb', 'SIGCONT');
    }
    await until('the API goes on', async () => (await stage.client.fetch('/v1/jobs')).status === 200);
    assert.deepEqual(stage.sql("SELECT 1 FROM job WHERE prompt = 'never made'"), []);
});
