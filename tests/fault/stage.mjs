/* What the tests of this folder share: a whole filmgate with every provider pretended, a way into its processes, its
 * database and the providers' books, and the questions that all of them end with. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Client, Stack, children, readEnv, tree, until } from '../e2e/stack.mjs';

const TICKS_PER_S = 100; /* of /proc; what Linux tells programs, whatever it counts itself */

/* Ours, looking often. unknown: how a provider's lost submits are dealt with, where a test says so. */
function quickCatalogue(unknown) {
    const catalogue = JSON.parse(readFileSync(path.join(tree, 'core/provider/catalogue.json'), 'utf8'));
    for (const [name, provider] of Object.entries(catalogue.providers)) {
        provider.poll = { seconds: 1, ...(provider.callbacks ? { callbackSeconds: 2 } : {}) };
        provider.unknown = { ...provider.unknown, ...unknown[name] };
    }
    return catalogue;
}

export class Stage {
    constructor(env = {}, unknown = {}) {
        this.stack = new Stack({ RESPAWN: 'ask', PROVIDERS: 'sim', ...env });
        this.catalogue = path.join(this.stack.folder, 'catalogue.json');
        writeFileSync(this.catalogue, JSON.stringify(quickCatalogue(unknown)));
    }

    async start() {
        await this.stack.start({ CATALOGUE: this.catalogue });
        this.client = this.stack.client;
        this.secrets = readEnv(path.join(this.stack.var, 'conf/secrets'));
        this.sim = new Client(readFileSync(path.join(this.stack.var, 'run/providers.url'), 'utf8').trim());
        return this;
    }

    drop() {
        return this.stack.drop();
    }

    /* ---- processes ---- */

    /* Those that do the work: a pool's handlers, or the part itself. */
    pids(part) {
        const pid = this.stack.pid(part);
        return ['api', 'hook', 'studio'].includes(part) ? children(pid) : [pid];
    }

    signal(part, name) {
        this.pids(part).forEach(name === 'SIGSTOP' ? stop : (pid) => process.kill(pid, name));
    }

    /* Until the stack has noticed, and taken away what was left of it. */
    async end(part, name) {
        process.kill(this.stack.pid(part), name);
        await until(`${part} has ended`, () => !existsSync(path.join(this.stack.var, 'run', `${part}.pid`)));
    }

    async again(part) {
        writeFileSync(path.join(this.stack.var, 'run', `${part}.again`), '');
        await until(`${part} is there again`, () => existsSync(path.join(this.stack.var, 'run', `${part}.pid`)));
    }

    /* Milliseconds of a processor that the part has used so far. */
    cpuMs(part) {
        const stat = readFileSync(`/proc/${this.stack.pid(part)}/stat`, 'utf8');
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return (Number(fields[11]) + Number(fields[12])) * 1000 / TICKS_PER_S;
    }

    lines(part) {
        return this.stack.log(part).split('\n').filter((line) => line.startsWith('{'));
    }

    /* ---- books ---- */

    /* As root; rows of tab-separated text. */
    sql(text, more = []) {
        const out = execFileSync('mariadb', ['--no-defaults', '-N', '-B', '-uroot', '-S',
            path.join(this.stack.var, 'run/mariadb.sock'), 'filmgate', ...more],
        { input: text, env: { ...process.env, MYSQL_PWD: this.secrets.OWNER_PASSWORD }, timeout: 60000,
          stdio: ['pipe', 'pipe', more.includes('-f') ? 'ignore' : 'inherit'] });
        return out.toString().split('\n').filter(Boolean).map((line) => line.split('\t'));
    }

    async books(prompt) {
        return (await this.sim.json(`/_sim/books?prompt=${encodeURIComponent(prompt)}`)).requests;
    }

    files(id) {
        return readdirSync(path.join(this.stack.var, 'media'), { recursive: true }).filter((name) => name.includes(id));
    }

    tmpFiles() {
        return readdirSync(path.join(this.stack.var, 'media/tmp'));
    }

    audit() {
        const env = { ...process.env, FILMGATE_CONF: path.join(this.stack.var, 'conf/owner.ini') };
        execFileSync(path.resolve(tree, process.env.BUILD || 'build', 'filmgate'), ['audit', 'ledger'], { env });
    }

    /* ---- jobs ---- */

    /* The prompt is made unique. */
    async create(words, body) {
        const prompt = `${words} ${randomUUID()}`;
        const job = await this.client.json('/v1/jobs', {
            method: 'POST', headers: { 'Idempotency-Key': randomUUID() },
            body: { aspectRatio: '16:9', ...body, prompt },
        });
        return { id: job.id, prompt };
    }

    /* Delivered, asked for once, stored once, with nothing left over. */
    async delivered({ id, prompt }, limitMs) {
        const job = await this.client.ended(id, limitMs);
        assert.equal(job.errorCode, null, `${prompt}: ${job.errorMessage}`);
        assert.equal(job.status, 'succeeded', prompt);
        assert.equal((await this.books(prompt)).length, 1, `${prompt}: submits in the provider's books`);
        await until('one video and one poster are stored', () => this.files(id).length === 2);
        assert.equal(this.sql(`SELECT 1 FROM output o JOIN job j ON j.id = o.job_id WHERE j.public_id = '${id}'`).length, 1);
        return job;
    }
}

const states = (pid) => readdirSync(`/proc/${pid}/task`).map((thread) => {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
    return stat[stat.lastIndexOf(')') + 2];
});

/* The signal alone leaves each thread a moment in which it may still answer. */
export function stop(pid) {
    const end = Date.now() + 10000;
    process.kill(pid, 'SIGSTOP');
    while (!states(pid).every((state) => state === 'T'))
        assert.ok(Date.now() < end, `${pid} stands still`);
}

/* { status, ms, body, answer } of a problem that says what a client needs to know. */
export async function problem(client, where, options, statuses = [503]) {
    const begun = Date.now();
    const answer = await client.fetch(where, { ...options, signal: AbortSignal.timeout(60000) });
    const text = await answer.text(), words = `${options?.method ?? 'GET'} ${where}: ${answer.status} ${text}`;
    assert.ok(statuses.includes(answer.status), words);
    assert.match(answer.headers.get('content-type'), /^application\/problem\+json/, words);
    assert.ok(Number(answer.headers.get('retry-after')) > 0, words);
    const body = JSON.parse(text);
    assert.equal(body.requestId, answer.headers.get('x-request-id'), words);
    return { status: answer.status, code: body.code, ms: Date.now() - begun, body, words };
}
