/* The clock of a real stack jumps an hour forward and back again while jobs are in flight. clock_shim.c gives our programs
 * another UTC, while the time since boot stays what it is; nginx and MariaDB keep theirs. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Client, Stack, readEnv, tree, until } from '../e2e/stack.mjs';
import { stop } from './stage.mjs';

const build = path.resolve(tree, process.env.BUILD || 'build');
const HOUR_MS = 3600000, NEAR_MS = 120000, DEADLINE_S = 300, JOBS = 4;

let stack, studio, nowFile, cookie, bin;

/* In place: the programs have it mapped. */
function setClock(seconds) {
    const fd = openSync(nowFile, 'r+');
    writeSync(fd, String(seconds).padEnd(16, ' '), 0);
    closeSync(fd);
}

/* Of each program a script that starts it with the shim. */
function wrapPrograms(folder) {
    const shim = path.join(folder, 'clock_shim.so');
    mkdirSync(folder);
    execFileSync('gcc', ['-O1', '-shared', '-fPIC', '-o', shim, path.join(tree, 'tests/fault/clock_shim.c')]);
    for (const name of readdirSync(build).filter((file) => /^filmgate(-[a-z]+)?$/.test(file))) {
        writeFileSync(path.join(folder, name),
            `#!/bin/sh\nCLOCK_SHIM_FILE=${nowFile} LD_PRELOAD=${shim} exec ${path.join(build, name)} "$@"\n`);
        chmodSync(path.join(folder, name), 0o755);
    }
    chmodSync(folder, 0o755);
    return folder;
}

before(async () => {
    stack = new Stack({
        SWEEPERS: '2',
        FILMGATE_STUDIO_RENDERS: '2',
        FILMGATE_STUDIO_FRAME_DELAY_MS: '10',
        FILMGATE_SWEEPER_FIRST_POLL_MS: '500',
        FILMGATE_SWEEPER_CALLBACK_POLL_MS: '500',
    });
    nowFile = path.join(stack.folder, 'now');
    writeFileSync(nowFile, ''.padEnd(16, ' '));
    chmodSync(nowFile, 0o644);
    await stack.start({ BUILD: wrapPrograms(bin = path.join(stack.folder, 'bin')) });
    studio = new Client(stack.client.url, readEnv(path.join(stack.var, 'conf/secrets')).STUDIO_KEY);
    const session = await stack.client.fetch('/v1/sessions', { method: 'POST', body: { key: stack.client.key } });
    cookie = session.headers.get('set-cookie').split(';')[0];
});

after(() => stack?.drop());

const logs = () => ['sweeper', 'sweeper2', 'studio-worker'].map((part) => stack.log(part)).join('');
const jumps = () => [...logs().matchAll(/"clock.jumped","ms":(-?\d+)/g)].map(([, ms]) => Math.round(ms / 1000));
const all = async () => (await stack.client.json('/v1/jobs?limit=100')).data;
const running = async () => (await all()).filter(({ status }) => ['pending', 'queued', 'processing'].includes(status));
const left = (job, now) => Date.parse(job.deadlineAt) - now;

async function jump(to, seconds) {
    assert.ok((await running()).length >= 2, 'jobs are in flight');
    setClock(to);
    await until(`both books are moved by ${seconds} s`,
        () => jumps().filter((s) => Math.abs(s - seconds) <= 1).length === 2);
}

test('an hour forward and back again, with jobs in flight', { timeout: 90000 }, async () => {
    const made = [];
    for (let i = 0; i < JOBS; i++)
        made.push(await stack.client.create({ prompt: `boat ${i}`, deadlineSeconds: DEADLINE_S }));
    await until('one is at work and others wait', async () => (await all()).some(({ status }) => status === 'processing'));

    await jump(3600, 3600);
    const ahead = await stack.client.json(`/v1/jobs/${made[JOBS - 1].id}`);
    assert.ok(Math.abs(left(ahead, Date.now() + HOUR_MS) - DEADLINE_S * 1000) < NEAR_MS, `its deadline: ${ahead.deadlineAt}`);
    const between = await stack.client.create({ prompt: 'made in between', deadlineSeconds: DEADLINE_S });
    assert.ok(Math.abs(Date.parse(between.createdAt) - Date.now() - HOUR_MS) < NEAR_MS, between.createdAt);
    assert.equal((await fetch(new URL('/v1/me', stack.client.url), { headers: { Cookie: cookie } })).status, 200);
    const { changedSince } = await stack.client.json('/v1/jobs');

    await jump(0, -3600);
    assert.equal((await fetch(new URL('/readyz', stack.client.url))).status, 200, 'both sweepers beat');
    for (const { id, prompt } of [...made, between]) {
        const job = await stack.client.ended(id, 60000);
        assert.equal(job.status, 'succeeded', `${prompt}: ${JSON.stringify(job)}`);
        const kinds = (await stack.client.events(id)).map(({ type }) => type);
        assert.equal(kinds.filter((kind) => kind === 'accepted').length, 1, kinds.join(' '));
    }
    const { data: videos } = await studio.json('/studio/v1/videos?limit=100');
    assert.equal(videos.length, JOBS + 1, 'each was submitted once');
    const { data: changed } = await stack.client.json(`/v1/jobs?limit=100&changedSince=${changedSince}`);
    assert.ok(changed.some(({ id }) => id === made[JOBS - 1].id), 'who read the time when it was ahead misses nothing');
    assert.equal(jumps().length, 4, 'each jump was settled once in each books');
    const env = { ...process.env, FILMGATE_CONF: path.join(stack.var, 'conf/owner.ini') };
    execFileSync(path.join(build, 'filmgate'), ['audit', 'ledger'], { env });
    assert.doesNotMatch(logs(), /"level":"error"/);
});

test('one pass alone settles a jump, and those who slept through it follow', { timeout: 60000 }, async () => {
    const sweepers = ['sweeper', 'sweeper2'].map((part) => stack.pid(part));
    const seen = async () => Date.parse((await stack.client.json('/readyz')).sweeperSeenAt);
    sweepers.forEach(stop);
    setClock(3600);
    const run = (name, conf, arg) => spawnSync(path.join(bin, name), [arg],
        { env: { ...process.env, FILMGATE_CONF: path.join(stack.var, 'conf', conf) }, encoding: 'utf8' });
    const [, age] = run('filmgate', 'owner.ini', 'doctor').stdout.match(/sweeper: last heard of (\d+) s ago/);
    assert.ok(age < 60, `the operator's command goes by the books' time: ${age} s`);
    const once = run('filmgate-sweeper', 'sweeper.ini', '--once');
    assert.equal(once.status, 0, once.stderr);
    assert.match(once.stderr, /"clock.jumped","ms":(3600000|3599999|3600001)\b/);
    sweepers.forEach((pid) => process.kill(pid, 'SIGCONT'));
    const from = Date.now() + HOUR_MS;
    await until('they beat by the new time', async () => await seen() > from);
    assert.ok(await seen() < Date.now() + HOUR_MS + 1000);
    assert.doesNotMatch(stack.log('sweeper') + stack.log('sweeper2'), /clock.jumped.*clock.jumped.*clock.jumped/s);
});
