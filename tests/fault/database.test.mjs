/* The database goes away in every way that it has, while jobs are under way. Handlers say so, in time; the sweeper waits;
 * both go on when it is back, as the same processes; and what happened at the provider meanwhile is not lost. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '../e2e/stack.mjs';
import { Stage, problem } from './stage.mjs';

const LIMIT_MS = 14000;       /* db.io_timeout_s, and what a busy machine adds; nginx would wait for 30 s */
const LATER_MS = 8000;        /* one of them tries db.connect_timeout_s, the others stand behind it */
const BACK_MS = 10000;        /* from its return to the first success */
const RENDER_MS = 2000;
const AWAY = ['database_unavailable', 'outcome_unknown', 'database_busy'];
const JOB = { model: 'luma-ray-3.2', duration: 5 };      /* no callbacks, and a lost submit cannot be looked for */
const CALLED = { model: 'replicate-veo-3.1-fast', duration: 4 };

let stage, handlers, sweeper;

before(async () => {
    stage = await new Stage({
        SIM_ARGS: `--render-ms ${RENDER_MS} --queue-ms 200 --quiet`,
        FILMGATE_SWEEPER_FIRST_POLL_MS: '500',
        MARIADB_ARGS: '--innodb-log-file-size=8M --innodb-autoextend-increment=1', /* for "its disk is full": small files */
    }).start();
    handlers = [...stage.pids('api'), ...stage.pids('hook')];
    sweeper = stage.pids('sweeper');
});

after(async () => {
    await stage?.drop();
});

const wish = (words) => ({
    method: 'POST', headers: { 'Idempotency-Key': randomUUID() },
    body: { prompt: `${words} ${randomUUID()}`, aspectRatio: '16:9', ...JOB },
});

/* One that its provider has, one that it has and did not answer for yet, one with a callback to come. */
async function underWay(words) {
    const rendered = await stage.create(words, JOB);
    const unanswered = await stage.create(`${words} [sim:answer-late=1500]`, JOB);
    const called = await stage.create(words, CALLED);
    for (const { id } of [rendered, called])
        await until('its provider has it', async () => (await stage.client.json(`/v1/jobs/${id}`)).status !== 'pending');
    await until('the other is sent', async () => (await stage.books(unanswered.prompt)).length === 1);
    return [rendered, unanswered, called];
}

/* What everybody is told meanwhile. Reads that change nothing may go on where the database still reads. */
async function refused(words, { reads }, job) {
    const asked = wish(words), told = [];
    const one = async (where, options) => told.push(await problem(stage.client, where, options));
    await Promise.all([
        one('/v1/jobs', asked),
        ...reads ? [] : [`/v1/jobs/${job.id}`, '/v1/jobs', '/v1/me', '/v1/status'].map((where) => one(where)),
    ]);
    for (const { code, ms, words: what } of told) {
        assert.ok(AWAY.includes(code), what);
        assert.ok(ms < LIMIT_MS, `${ms} ms: ${what}`);
    }
    for (const where of ['/healthz', '/'])
        assert.equal((await stage.client.fetch(where)).status, 200, where);
    if (reads)
        assert.equal((await stage.client.fetch(`/v1/jobs/${job.id}`)).status, 200);
    else
        assert.equal((await problem(stage.client, '/readyz')).code, 'not_ready');
    return { asked, slowestMs: Math.max(...told.map(({ ms }) => ms)) };
}

/* away: takes the database away; back: gives it back. */
async function outage(t, words, { away, back, seconds = 3, reads = false, meanwhile }) {
    const jobs = await underWay(words);
    const lines = stage.lines('sweeper').length, cpuMs = stage.cpuMs('sweeper'), begun = Date.now();
    let asked, slowestMs, tookMs, spentMs, said;
    await away();
    try {
        ({ asked, slowestMs } = await refused(words, { reads }, jobs[0]));
        await meanwhile?.(jobs);
        await until('the time is over', () => Date.now() - begun > seconds * 1000, 60000);
        tookMs = Date.now() - begun;
        spentMs = stage.cpuMs('sweeper') - cpuMs;
        said = stage.lines('sweeper').slice(lines).filter((line) => !line.includes('"level":"info"'));
    } finally {
        await back(); /* or every other test would fail with this one */
    }
    const backAt = Date.now();
    const answer = await until('a create is taken', async () => {
        const one = await stage.client.fetch('/v1/jobs', asked);
        return one.status === 202 && one.json();
    }, BACK_MS);
    const backMs = Date.now() - backAt;
    t.diagnostic(`slowest answer ${slowestMs} ms; away for ${tookMs} ms, the sweeper said ${said.length} lines and used `
        + `${spentMs} ms; a create was taken ${backMs} ms after`);
    assert.ok(said.length <= 8 + tookMs / 1000, `${said.length} lines:\n${said.join('\n')}`);
    assert.ok(spentMs < 200 + tookMs / 20, `${spentMs} ms of processor time in ${tookMs} ms`);
    for (const job of [...jobs, { id: answer.id, prompt: asked.body.prompt }])
        await stage.delivered(job, 40000);
    assert.deepEqual([...stage.pids('api'), ...stage.pids('hook')], handlers, 'the same handlers');
    assert.deepEqual(stage.pids('sweeper'), sweeper, 'the same sweeper');
    assert.deepEqual(stage.tmpFiles(), []);
    stage.audit();
}

test('it hangs for half a minute', { timeout: 120000 }, async (t) => {
    await outage(t, 'hangs', {
        away: () => stage.signal('mariadb', 'SIGSTOP'),
        back: () => stage.signal('mariadb', 'SIGCONT'),
        seconds: 30,
        meanwhile: async () => {
            /* As many as like: nobody waits for it anew, but for one now and then. */
            const begun = Date.now();
            let slowest = 0;
            while (Date.now() - begun < 4000) {
                const six = await Promise.all([...Array(6)].map(() => problem(stage.client, '/v1/jobs')));
                slowest = Math.max(slowest, ...six.map(({ ms }) => ms));
            }
            t.diagnostic(`hanging: of those who asked later the slowest waited for ${slowest} ms`);
            assert.ok(slowest < LATER_MS, `${slowest} ms`);
        },
    });
});

test('it is stopped in order and started again', { timeout: 90000 }, (t) => outage(t, 'stopped', {
    away: () => stage.end('mariadb', 'SIGTERM'), back: () => stage.again('mariadb'),
}));

test('it is killed and started again', { timeout: 90000 }, (t) => outage(t, 'killed', {
    away: () => stage.end('mariadb', 'SIGKILL'), back: () => stage.again('mariadb'),
}));

/* Of a file, for the server: "unlimited" or bytes. Only its own user may say so. */
function limitFiles(size) {
    const pid = stage.stack.pid('mariadb'), { uid, gid } = statSync(`/proc/${pid}`);
    execFileSync('prlimit', [`--pid=${pid}`, `--fsize=${size}:`], { uid, gid });
}

/* The events' file may grow no more, and what room it has is taken. That of the undo log is as large, and has room: with
 * none there the server itself dies. So each change of a job fails in its middle. */
async function fillUp() {
    const size = (name) => statSync(path.join(stage.stack.var, 'db', name)).size;
    const pad = (rows, bytes) => `INSERT INTO job_event (job_id, seq, at_us, kind, state, stage, data) SELECT j.id, n.seq + `
        + `(SELECT GREATEST(1000000, MAX(e.seq)) FROM job_event e WHERE e.job_id = j.id), 1, 'padding', 1, 1, `
        + `REPEAT('x', ${bytes}) FROM job j, seq_1_to_${rows} n WHERE j.id = (SELECT MAX(id) FROM job);`;
    while (size('filmgate/job_event.ibd') < size('ibdata1'))
        stage.sql(pad(1000, 2000));
    limitFiles(size('filmgate/job_event.ibd'));
    const room = [[200, 2000, 20], [20, 2000, 20], [1, 2000, 20], [20, 1, 20], [1, 1, 20]];
    stage.sql(room.flatMap(([rows, bytes, times]) => Array(times).fill(pad(rows, bytes))).join('\n'), ['-f']);
    for (let n = 0; n < 20; n++) {
        const answer = await stage.client.fetch('/v1/jobs', wish('fills up'));
        if (answer.status !== 202)
            return;
    }
    throw new Error('every create finds room');
}

test('its disk is full', { timeout: 90000 }, async (t) => {
    await outage(t, 'full', { away: fillUp, back: () => limitFiles('unlimited'), reads: true });
    stage.sql("DELETE FROM job_event WHERE kind = 'padding'");
});

/* The holders are there first; then nobody else is let in. */
async function takeAllConnections() {
    const conf = ['--no-defaults', '-ufg_owner', '-S', path.join(stage.stack.var, 'run/mariadb.sock')];
    const env = { ...process.env, MYSQL_PWD: stage.secrets.OWNER_PASSWORD };
    const holders = [...Array(10)].map(() => spawn('mariadb', conf, { env, stdio: ['pipe', 'ignore', 'inherit'] }));
    const rows = (where) => stage.sql(`SELECT id FROM information_schema.processlist WHERE ${where}`).map(([id]) => id);
    await until('all of them are in', () => rows("user = 'fg_owner'").length === holders.length);
    const ours = rows("user IN ('fg_web', 'fg_sweeper', 'fg_studio')");
    stage.sql(`SET GLOBAL max_connections = 10; ${ours.map((id) => `KILL ${id};`).join('')}`);
    return holders;
}

test('it has too many connections', { timeout: 90000 }, async (t) => {
    let holders;
    await outage(t, 'crowded', {
        away: async () => { holders = await takeAllConnections(); },
        back: () => {
            holders.forEach((one) => one.stdin.end());
            stage.sql('SET GLOBAL max_connections = 300');
        },
    });
});

test('it takes no writes', { timeout: 90000 }, (t) => outage(t, 'read-only', {
    away: () => stage.sql('SET GLOBAL read_only = 1'), back: () => stage.sql('SET GLOBAL read_only = 0'), reads: true,
}));
