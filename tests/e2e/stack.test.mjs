/* What a stack is as a whole: both ways to completion alone, restarts, deaths, neighbours, two sweepers. Each test
 * has stacks of its own. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { children, Client, processesOf, readEnv, Stack, tree, until } from './stack.mjs';

const build = path.resolve(tree, process.env.BUILD || 'build');
const LATE = { FILMGATE_SWEEPER_FIRST_POLL_MS: '600000', FILMGATE_SWEEPER_CALLBACK_POLL_MS: '600000' };
const OFTEN = { FILMGATE_SWEEPER_FIRST_POLL_MS: '300', FILMGATE_SWEEPER_CALLBACK_POLL_MS: '300' };

async function withStack(t, env) {
    const stack = new Stack(env);
    t.after(() => stack.drop());
    return stack.start();
}

const types = async (client, id) => (await client.events(id)).map(({ type }) => type);

test('callbacks alone bring a job to its end', async (t) => {
    const { client } = await withStack(t, LATE);
    const job = await client.ended((await client.create()).id);
    assert.equal(job.status, 'succeeded', JSON.stringify(job));
    assert.ok((await types(client, job.id)).includes('callback'));
});

test('polling alone brings a job to its end', async (t) => {
    const stack = await withStack(t, { ...OFTEN, FCGI_TIMEOUT_S: '2' });
    const handlers = children(stack.pid('hook'));
    handlers.forEach((pid) => process.kill(pid, 'SIGSTOP'));
    const job = await stack.client.ended((await stack.client.create()).id);
    assert.equal(job.status, 'succeeded', JSON.stringify(job));
    assert.ok(!(await types(stack.client, job.id)).includes('callback'));
    handlers.forEach((pid) => process.kill(pid, 'SIGCONT'));
});

test('a restart finds the same jobs, and goes on with those it was at', async (t) => {
    const stack = await withStack(t);
    const first = await stack.client.ended((await stack.client.create()).id);
    const begun = await stack.client.create({ prompt: 'begun before the restart' });
    assert.equal(await stack.stop(), 0, stack.output);
    assert.deepEqual(processesOf(stack.folder), [], 'nothing is left running');
    const { key } = stack.client;
    await stack.start();
    assert.equal(stack.client.key, key);
    const again = await stack.client.json(`/v1/jobs/${first.id}`);
    assert.deepEqual([again.status, again.version, again.finishedAt], [first.status, first.version, first.finishedAt]);
    assert.equal((await stack.client.fetch(again.outputUrl)).status, 200);
    const job = await stack.client.ended(begun.id);
    assert.equal(job.status, 'succeeded', JSON.stringify(job));
    assert.equal((await types(stack.client, job.id)).filter((type) => type === 'accepted').length, 1);
});

test('two stacks side by side do not disturb each other', async (t) => {
    const [a, b] = await Promise.all([withStack(t), withStack(t)]);
    const [one, two] = await Promise.all([a.client.create(), b.client.create()]);
    assert.equal((await new Client(b.client.url, a.client.key).fetch('/v1/jobs')).status, 401);
    assert.equal((await b.client.fetch(`/v1/jobs/${one.id}`)).status, 404);
    assert.equal(await a.stop(), 0);
    assert.equal((await b.client.ended(two.id)).status, 'succeeded');
    const same = new Stack();
    t.after(() => same.drop());
    await assert.rejects(same.start({ VAR: b.var, PORT: String(a.port) }), /another stack runs/);
    await assert.rejects(same.start({ PORT: String(b.port) }), /port \d+ is taken/);
    assert.equal((await b.client.fetch('/readyz')).status, 200);
});

test('when a part dies, the stack says which and why, and stops the rest', async (t) => {
    const stack = new Stack();
    t.after(() => stack.drop());
    for (const part of ['nginx', 'api', 'studio-worker', 'sweeper', 'mariadb']) {
        await stack.start();
        process.kill(stack.pid(part), 'SIGKILL');
        assert.equal(await stack.ended, 1, part);
        assert.match(stack.output, new RegExp(`${part} died \\(signal KILL\\)`), part);
        assert.deepEqual(processesOf(stack.folder), [], `after ${part} nothing is left running`);
    }
});

test('a part that cannot start says why', async (t) => {
    const stack = new Stack({ FILMGATE_SWEEPER_BATCH: 'many' });
    t.after(() => stack.drop());
    await assert.rejects(stack.start(), /FILMGATE_SWEEPER_BATCH: must be a whole number/);
});

test('a handler that dies is replaced, and nobody notices', async (t) => {
    const stack = await withStack(t);
    const before = children(stack.pid('api'));
    before.forEach((pid) => process.kill(pid, 'SIGKILL'));
    await until('new handlers', () => children(stack.pid('api')).filter((pid) => !before.includes(pid)).length === 2);
    assert.equal((await stack.client.fetch('/readyz')).status, 200);
    assert.equal(await stack.stop(), 0);
});

test('two sweepers at once are harmless', async (t) => {
    const stack = await withStack(t, OFTEN);
    const second = spawn(path.join(build, 'filmgate-sweeper'), {
        env: { ...process.env, ...OFTEN, FILMGATE_CONF: path.join(stack.var, 'conf/sweeper.ini'),
               FILMGATE_SWEEPER_WAKE_SOCKET: path.join(stack.var, 'run/wake2.sock') },
        ...owner(stack), stdio: 'ignore',
    });
    const gone = new Promise((resolve) => second.on('exit', resolve));
    const jobs = await Promise.all(Array.from({ length: 6 }, (_, i) => stack.client.create({ prompt: `number ${i}` })));
    for (const { id } of jobs) {
        const job = await stack.client.ended(id);
        assert.equal(job.status, 'succeeded', JSON.stringify(job));
        const seen = await types(stack.client, id);
        for (const type of ['submitting', 'accepted', 'succeeded'])
            assert.equal(seen.filter((one) => one === type).length, 1, `${type} in ${seen}`);
    }
    const books = await new Client(stack.client.url, readEnv(path.join(stack.var, 'conf/secrets')).STUDIO_KEY)
        .json('/studio/v1/videos?limit=100');
    assert.equal(books.data.length, jobs.length, 'nothing was paid twice');
    assert.equal(second.exitCode, null, 'the second one ran all the time');
    second.kill('SIGTERM');
    assert.equal(await gone, 0);
});

/* The user that owns the media; only root can become somebody else. */
function owner(stack) {
    const { uid, gid } = statSync(path.join(stack.var, 'media'));
    return process.getuid() === 0 ? { uid, gid } : {};
}

test('files and secrets are for those who need them', async (t) => {
    const stack = await withStack(t);
    const mode = (name) => (statSync(path.join(stack.var, name)).mode & 0o777).toString(8);
    for (const [name, want] of [['demo.env', '600'], ['conf/secrets', '600'], ['conf/owner.ini', '600'],
                                ['conf/web.ini', '640'], ['conf/sweeper.ini', '640'], ['conf/studio.ini', '640']])
        assert.equal(mode(name), want, name);
    assert.match(mode('run'), /0$/, 'sockets are out of reach of others');
    const passwords = ['web', 'sweeper', 'studio', 'owner'].map((name) => {
        const ini = readFileSync(path.join(stack.var, `conf/${name}.ini`), 'utf8');
        return /^password = (.+)$/m.exec(ini)[1];
    });
    assert.equal(new Set(passwords).size, 4, 'each program has a password of its own');
});

test('a caller whose writes hang holds so many of them; its polls and everybody else pass', async (t) => {
    const stack = await withStack(t);
    const demo = readEnv(path.join(stack.var, 'demo.env'));
    const file = path.join(stack.var, 'conf', 'nginx.conf');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/limit_conn writers \d+/, 'limit_conn writers 4'));
    await stack.reload();
    const { hostname, port } = new URL(stack.client.url);
    const hanging = Array.from({ length: 8 }, () => connect(Number(port), hostname).on('error', () => {}));
    t.after(() => hanging.forEach((socket) => socket.destroy()));
    const answer = await until('a 429', async () => {
        for (const socket of hanging)
            if (!socket.sent && (socket.sent = true))
                socket.write(`POST /v1/jobs HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${stack.client.key}\r\n`
                    + 'Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{');
        const got = await stack.client.fetch('/v1/jobs', { method: 'POST', body: '{}' });
        return got.status === 429 && got;
    });
    assert.equal((await answer.json()).code, 'rate_limited');
    assert.ok(Number(answer.headers.get('retry-after')) > 0);
    assert.equal((await stack.client.fetch('/v1/jobs')).status, 200, 'it polls');
    assert.ok((await new Client(stack.client.url, demo.FILMGATE_ADMIN_KEY).create()).id, 'another creates');
    hanging.forEach((socket) => socket.destroy());
});

test('past its limit a caller hears 429 and when to come back; another kind of request still passes', async (t) => {
    const stack = await withStack(t);
    for (const name of ['nginx.conf', 'limits.inc']) {
        const file = path.join(stack.var, 'conf', name);
        writeFileSync(file, readFileSync(file, 'utf8').replace(/zone=reading burst=\d+/g, 'zone=reading burst=1')
            .replace(/zone=reading:8m rate=\d+r/g, 'zone=reading:8m rate=1r'));
    }
    await stack.reload();
    const answer = await until('a 429', async () => {
        const got = await stack.client.fetch('/v1/jobs');
        return got.status === 429 && got;
    });
    assert.equal(answer.headers.get('content-type'), 'application/problem+json');
    assert.ok(Number(answer.headers.get('retry-after')) > 0);
    const problem = await answer.json();
    assert.equal(problem.code, 'rate_limited');
    assert.equal(problem.requestId, answer.headers.get('x-request-id'));
    assert.ok((await stack.client.create()).id, 'polling has a zone of its own');
});
