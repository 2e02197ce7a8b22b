/* A sweeper hangs (SIGSTOP) past its lease in the middle of its work, and another takes over. When it wakes up, what it
 * still believes changes nothing: not the job, not its files, not the provider's books, not what followers are told. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Receiver } from '../e2e/receiver.mjs';
import { until } from '../e2e/stack.mjs';
import { Stage, stop } from './stage.mjs';

const POLLED = { model: 'gateway-sora-2', duration: 4 };  /* its lost submits are found in its list */
const SILENT = { model: 'luma-ray-3.2', duration: 5 };    /* and those of this one nowhere */
const TOLD = ['job.queued', 'job.processing', 'job.succeeded'];

let stage, receiver;

before(async () => {
    receiver = await new Receiver().listen();
    stage = await new Stage({
        SWEEPERS: '2',
        RECEIVERS: receiver.origin,
        SIM_ARGS: '--render-ms 700 --queue-ms 100 --quiet',
        FILMGATE_SWEEPER_LEASE_S: '5',
        FILMGATE_SWEEPER_SUBMIT_TIMEOUT_S: '3',
        FILMGATE_SWEEPER_CALL_TIMEOUT_S: '3',
        FILMGATE_SWEEPER_FIRST_POLL_MS: '300',
    }, { luma_agents: { waitSeconds: 6 } }).start();
    await stage.client.json('/v1/webhook-endpoints', { method: 'POST', body: { url: receiver.url('/') } });
});

after(async () => {
    await stage?.drop();
    await receiver?.close();
});

/* Whatever became of the test: the next one needs both. */
afterEach(() => {
    for (const part of ['sweeper', 'sweeper2'])
        stage.signal(part, 'SIGCONT');
});

/* All that a late answer could disturb. */
function traces({ id }) {
    const of = (columns, table, order = 'id') => stage.sql(`SELECT '${table}', ${columns} FROM ${table} x JOIN job j ON j.id = x.job_id `
        + `WHERE j.public_id = '${id}' ORDER BY x.${order}`);
    return [
        stage.sql(`SELECT * FROM job WHERE public_id = '${id}'`),
        of('x.kind, x.request_id', 'job_event', 'seq'),
        of('x.video_file, x.poster_file, x.stored_us', 'output', 'job_id'),
        of('x.state, x.provider_job_id, x.ended, x.answered_us', 'attempt'),
        of('x.kind, x.owner', 'due'),
        of('x.state, x.tries', 'webhook_delivery'),
        stage.files(id).sort(),
    ];
}

/* What has happened so far is told and written down: else telling it again would be right. */
const nothingToTell = () => until('everything is told', () =>
    stage.sql('SELECT 1 FROM webhook_delivery WHERE state = 1').length === 0);

/* Only the first sweeper can take the job; in the middle of that it hangs, and only the second goes on. */
async function hangs(create, inTheMiddle) {
    stop(stage.stack.pid('sweeper2'));
    try {
        const made = await create();
        await until('it is in the middle of it', () => inTheMiddle(made));
        await nothingToTell();
        stop(stage.stack.pid('sweeper'));
        return made;
    } finally {
        process.kill(stage.stack.pid('sweeper2'), 'SIGCONT');
    }
}

const sent = async ({ prompt }) => (await stage.books(prompt)).length === 1;
const polled = async ({ prompt }) => (await stage.books(prompt))[0]?.polls > 0;

/* Until it has finished all that it had in hand; then it is started anew, for the next test. */
async function wakes() {
    const lines = stage.lines('sweeper').length;
    process.kill(stage.stack.pid('sweeper'), 'SIGCONT');
    await stage.end('sweeper', 'SIGTERM');
    const said = stage.lines('sweeper').slice(lines).map((line) => JSON.parse(line));
    assert.equal(said.find(({ event }) => event === 'sweeper.stopped')?.left, 0, 'it has finished what it had');
    await stage.again('sweeper');
    return said;
}

async function toldOnce({ id }) {
    await receiver.until('/', `${id} has ended`, () => receiver.events('/', id).includes('job.succeeded'));
    await nothingToTell();
    const told = receiver.of('/').filter(({ json }) => json.data.id === id).map(({ json }) => json.type);
    assert.deepEqual(told, TOLD, 'each event once, in order');
}

async function undisturbed(jobs) {
    for (const job of jobs) {
        await stage.delivered(job, 40000);
        await toldOnce(job);
    }
    const before = jobs.map(traces);
    const said = await wakes();
    assert.deepEqual(jobs.map(traces), before);
    for (const job of jobs) {
        await stage.delivered(job);
        await toldOnce(job);
    }
    assert.deepEqual(stage.tmpFiles(), []);
    stage.audit();
    return said;
}

test('between a submit and its answer', { timeout: 60000 }, async () => {
    const job = await hangs(() => stage.create('submit [sim:answer-late=2500]', POLLED), sent);
    await undisturbed([job]);
    const kinds = (await stage.client.events(job.id)).map(({ type }) => type);
    assert.ok(kinds.includes('submit_unknown'), `another had to find out: ${kinds}`);
});

test('between a submit and its answer, and nobody else can ask', { timeout: 60000 }, async () => {
    const job = await hangs(() => stage.create('silent [sim:answer-late=2500]', SILENT), sent);
    assert.equal((await stage.client.ended(job.id)).errorCode, 'submit_unknown', 'what is not known is not guessed');
    await nothingToTell();
    const [, saidBefore, ...before] = traces(job);
    await wakes();
    /* Its answer lay there all the time: what was bought is known now, and changes nothing else. */
    const [, said, ...now] = traces(job), [attempt] = now.splice(1, 1);
    before.splice(1, 1);
    assert.deepEqual(now, before);
    assert.deepEqual(said.map(([, kind]) => kind), [...saidBefore.map(([, kind]) => kind), 'late_result']);
    const [bought] = await stage.books(job.prompt), ended = await stage.client.json(`/v1/jobs/${job.id}`);
    assert.deepEqual([attempt[0][1], attempt[0][2]], ['2', bought.id], 'for support');
    assert.deepEqual([ended.status, ended.errorCode, ended.charged], ['failed', 'submit_unknown', false]);
    assert.equal((await stage.books(job.prompt)).length, 1, 'nor asked for again');
    stage.audit();
});

test('in the middle of a poll', { timeout: 60000 }, async () => {
    const job = await hangs(() => stage.create('poll [sim:poll-late=2500]', POLLED), polled);
    await undisturbed([job]);
});

test('in the middle of a download', { timeout: 60000 }, async () => {
    const words = 'download [sim:file-slow=3000]';
    const [kept, erased] = await hangs(() => Promise.all([stage.create(words, POLLED), stage.create(words, POLLED)]),
        () => stage.tmpFiles().length === 2);
    await stage.delivered(erased, 40000);
    assert.equal((await stage.client.fetch(`/v1/jobs/${erased.id}`, { method: 'DELETE' })).status, 204);
    await until('its files are gone', () => stage.files(erased.id).length === 0);
    await undisturbed([kept]);
    assert.deepEqual(stage.files(erased.id), [], 'what was deleted stays so');
});
