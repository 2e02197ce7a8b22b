/* A whole filmgate for a test: started by nginx/stack.sh on a free port in a folder of its own. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const tree = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const build = process.env.BUILD || 'build';
export const MADE_MS = 180000; /* a video, on a slow machine, sanitized */
export const CREATE = { prompt: 'a paper boat on a quiet lake', aspectRatio: '16:9', duration: 5, resolution: '360p' };

export function freePort() {
    return new Promise((resolve, reject) => {
        const server = createServer();
        server.on('error', reject);
        server.listen(0, '127.0.0.1', () => {
            const { port } = server.address();
            server.close(() => resolve(port));
        });
    });
}

/* Asks again until the answer is true; says what was waited for when it never is. */
export async function until(words, ask, limitMs = 20000) {
    const end = Date.now() + limitMs;
    for (;;) {
        const answer = await ask();
        if (answer)
            return answer;
        if (Date.now() > end)
            throw new Error(`not within ${limitMs} ms: ${words}`);
        await pause(50);
    }
}

export function readEnv(file) {
    return Object.fromEntries(readFileSync(file, 'utf8').split('\n').filter(Boolean)
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

/* Talks to a running stack. */
export class Client {
    constructor(url, key) {
        this.url = url;
        this.key = key;
    }

    fetch(where, { method = 'GET', headers = {}, body, ...rest } = {}) {
        const all = { Authorization: `Bearer ${this.key}`, ...headers };
        if (body !== undefined)
            all['Content-Type'] ??= 'application/json';
        return fetch(new URL(where, this.url), {
            method, headers: all, redirect: 'manual', ...rest,
            body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
        });
    }

    async json(where, options) {
        const answer = await this.fetch(where, options);
        if (!answer.ok)
            throw new Error(`${where}: ${answer.status} ${await answer.text()}`);
        return answer.json();
    }

    create(body = {}) {
        return this.json('/v1/jobs', { method: 'POST', body: { ...CREATE, ...body } });
    }

    ended(id, limitMs = MADE_MS) {
        return until(`${id} ends`, async () => {
            const job = await this.json(`/v1/jobs/${id}`);
            return ['succeeded', 'failed', 'expired'].includes(job.status) && job;
        }, limitMs);
    }

    async events(id) {
        return (await this.json(`/v1/jobs/${id}/events`)).data;
    }
}

export class Stack {
    constructor(env = {}) {
        this.folder = mkdtempSync('/tmp/fge.');
        chmodSync(this.folder, 0o755);
        this.var = path.join(this.folder, 'var');
        this.env = env;
        this.output = '';
    }

    /* Starts it and waits until it says that it is ready, or throws what it said. */
    async start(more = {}) {
        this.port ??= await freePort();
        this.output = '';
        this.exit = undefined;
        const env = { ...process.env, PORT: String(this.port), VAR: this.var, BUILD: build, API_PROCS: '2',
                      ...this.env, ...more };
        this.process = spawn('bash', ['nginx/stack.sh'], { cwd: tree, env, stdio: ['ignore', 'pipe', 'pipe'] });
        for (const stream of [this.process.stdout, this.process.stderr])
            stream.on('data', (text) => { this.output += text; });
        this.ended = new Promise((resolve) => this.process.on('close', (code, signal) => {
            this.exit = code ?? signal;
            resolve(this.exit);
        }));
        await until('the stack is ready', () => this.exit !== undefined || this.output.includes('is ready'), 90000);
        if (this.exit !== undefined)
            throw new Error(`the stack ended with ${this.exit}:\n${this.output}`);
        const demo = readEnv(path.join(this.var, 'demo.env'));
        this.client = new Client(demo.FILMGATE_URL, demo.FILMGATE_KEY);
        return this;
    }

    async stop() {
        if (this.exit === undefined)
            this.process.kill('SIGTERM');
        return this.ended;
    }

    /* Ends it and removes its folder. */
    async drop() {
        if (this.process)
            await this.stop();
        rmSync(this.folder, { recursive: true, force: true });
    }

    pid(part) {
        return Number(readFileSync(path.join(this.var, 'run', `${part}.pid`), 'utf8'));
    }

    /* nginx with its configuration as it is now. An old worker closes what is idle, perhaps while we write on it: it is
     * done when none of them is left. */
    async reload() {
        const nginx = this.pid('nginx');
        const old = children(nginx);
        process.kill(nginx, 'SIGHUP');
        await until('the old workers end', () => !children(nginx).some((worker) => old.includes(worker)));
    }

    log(part) {
        return readFileSync(path.join(this.var, 'log', `${part}.log`), 'utf8');
    }
}

export function children(pid) {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

/* Processes that name the folder in their arguments or in their configuration's path. */
export function processesOf(folder) {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid).flatMap((pid) => {
        try {
            const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
            const conf = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
                .find((entry) => entry.startsWith('FILMGATE_CONF=')) ?? '';
            return args && (args + conf).includes(folder) ? [`${pid} ${args}`] : [];
        } catch {
            return [];
        }
    });
}
