/* Two S3 servers from packages, a proxy that makes them fail, and the store under test (drive.c). */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import path from 'node:path';
import { Transform } from 'node:stream';
import { freePort, tree, until } from '../e2e/stack.mjs';

export const BUCKET = 'fg-media';
export const PART = 5 * 1024 * 1024; /* the least that S3 takes */
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const hmac = (key, text) => createHmac('sha256', key).update(text).digest();

/* A request signed by another hand than ours: makes buckets, and asks the servers what they hold. */
export async function ask(server, method, target) {
    const url = new URL(target, server.endpoint), date = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
    const scope = `${date.slice(0, 8)}/us-east-1/s3/aws4_request`, names = 'host;x-amz-content-sha256;x-amz-date';
    url.searchParams.sort();
    const text = [method, url.pathname, url.searchParams, `host:${url.host}`, `x-amz-content-sha256:${sha256('')}`,
                  `x-amz-date:${date}`, '', names, sha256('')].join('\n');
    let key = `AWS4${server.secret}`;
    for (const part of scope.split('/'))
        key = hmac(key, part);
    const signature = hmac(key, ['AWS4-HMAC-SHA256', date, scope, sha256(text)].join('\n')).toString('hex');
    return fetch(url, { method, headers: {
        'x-amz-date': date, 'x-amz-content-sha256': sha256(''),
        authorization: `AWS4-HMAC-SHA256 Credential=${server.access}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
    } });
}

export async function keys(server, prefix = '') {
    const answer = await ask(server, 'GET', `/${BUCKET}?list-type=2&prefix=${encodeURIComponent(prefix)}`);
    assert.equal(answer.status, 200);
    return [...(await answer.text()).matchAll(/<Key>([^<]*)<\/Key>/g)].map((m) => m[1]).sort();
}

export async function uploads(server) {
    const answer = await ask(server, 'GET', `/${BUCKET}?uploads=`);
    assert.equal(answer.status, 200);
    return [...(await answer.text()).matchAll(/<UploadId>([^<]*)<\/UploadId>/g)].map((m) => m[1]);
}

async function begin(server, command, args, ready) {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let said = '', ended;
    for (const stream of [child.stdout, child.stderr])
        stream.on('data', (text) => { said = (said + text).slice(-4000); });
    const end = new Promise((resolve) => child.on('close', resolve));
    end.then(() => { ended = true; });
    server.stop = async () => {
        child.stdin.end();
        child.kill('SIGTERM');
        await end;
        rmSync(server.folder, { recursive: true, force: true });
    };
    try {
        await until(`${command} takes a bucket`, async () => {
            assert.ok(!ended, `${command} has ended:\n${said}`);
            if (!said.includes(ready))
                return false;
            const made = await ask(server, 'PUT', `/${BUCKET}`).catch(() => ({ status: 0 }));
            return [200, 409].includes(made.status);
        }, 45000);
    } catch (e) {
        await server.stop();
        throw new Error(`${e.message}:\n${said}`);
    }
    return server;
}

export async function s3rver() {
    const port = await freePort(), folder = mkdtempSync('/tmp/fgs3.');
    /* Buckets are also hosts: BUCKET.s3.localhost. */
    return begin({ endpoint: `http://127.0.0.1:${port}`, hosts: `http://s3.localhost:${port}`, access: 'S3RVER', secret: 'S3RVER', folder },
        process.execPath, [path.join(tree, 'tests/node_modules/s3rver/bin/s3rver.js'), '-d', folder, '-a', '127.0.0.1',
                           '-p', String(port), '--service-endpoint', 'localhost'], 'listening');
}

const isFree = (port) => new Promise((resolve) => {
    const probe = createServer().on('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
});

export async function swift() {
    const folder = mkdtempSync('/tmp/fgsw.');
    for (;;) {
        /* Four in a row, below those that connections of others are given. */
        const port = 20000 + 4 * Math.floor(Math.random() * 3000);
        if (!(await Promise.all([0, 1, 2, 3].map((n) => isFree(port + n)))).every(Boolean))
            continue;
        return begin({ endpoint: `http://127.0.0.1:${port}`, access: 'test:tester', secret: 'testing', folder },
            path.join(tree, 'tests/s3/swift.sh'), [folder, String(port)], 'ready\n');
    }
}

const garbler = () => new Transform({ transform(chunk, _, done) {
    chunk[0] ^= 1;
    done(null, chunk);
} });

/* Stands between: rule(request, how many came before) says what becomes of it: undefined (passes), a status, 'reset' (before
 * it is passed on), 'lose' (its answer), 'hang' (until the proxy is closed), 'garble' (the body, going or coming),
 * or a promise of one of these. Host is left as it is: it is signed. */
export async function proxy(server) {
    const agent = new Agent({ keepAlive: true });
    const p = { seen: [], rule: () => undefined };
    const to = new URL(server.endpoint);
    const http = createServer(async (req, res) => {
        const one = { method: req.method, url: req.url, headers: req.headers };
        p.seen.push(one);
        const fate = await p.rule(one, p.seen.length - 1);
        if (fate === 'reset' || fate === 'hang') {
            if (fate === 'reset')
                req.socket.destroy();
            return;
        }
        if (typeof fate === 'number') {
            req.resume();
            req.on('end', () => res.writeHead(fate, { 'content-type': 'application/xml' })
                .end(`<Error><Code>${fate === 503 ? 'SlowDown' : 'AccessDenied'}</Code><Message>as told</Message></Error>`));
            return;
        }
        const on = request({ host: to.hostname, port: to.port, agent, method: req.method, path: req.url, headers: req.headers },
            (answer) => {
                if (fate === 'lose') {
                    answer.resume();
                    answer.on('end', () => req.socket.destroy());
                    return;
                }
                res.writeHead(answer.statusCode, answer.headers);
                (fate === 'garble' && req.method === 'GET' ? answer.pipe(garbler()) : answer).pipe(res);
            });
        on.on('error', () => req.socket.destroy());
        (fate === 'garble' && req.method !== 'GET' ? req.pipe(garbler()) : req).pipe(on);
    });
    await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
    p.endpoint = `http://127.0.0.1:${http.address().port}`;
    p.access = server.access;
    p.secret = server.secret;
    p.close = () => new Promise((resolve) => {
        agent.destroy();
        http.close(resolve);
        http.closeAllConnections();
    });
    return p;
}

/* The configuration by environment. */
export const envOf = (server, more = {}) => ({
    FILMGATE_MEDIA_STORE: 's3', FILMGATE_S3_ENDPOINT: server.endpoint, FILMGATE_S3_BUCKET: BUCKET,
    FILMGATE_S3_ACCESS_KEY: server.access, FILMGATE_S3_SECRET_KEY: server.secret, FILMGATE_S3_PART_BYTES: String(PART),
    FILMGATE_FETCH_LOCAL_ORIGINS: server.endpoint, ...more,
});

/* What a program's configuration must have in any case. */
const OWED = { FILMGATE_DB_USER: 'x', FILMGATE_AUTH_PEPPER: '00'.repeat(32), FILMGATE_CATALOGUE_FILE: '/dev/null' };

export function start(env, ...args) {
    const child = spawn(path.resolve(tree, process.env.BUILD || 'build', 'tests/s3/drive'), args,
        { env: { ...process.env, ...OWED, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (text) => { out += text; });
    child.ended = new Promise((resolve) => child.on('close', (code, signal) => resolve({ status: code ?? signal, out })));
    return child;
}

export async function drive(env, ...args) {
    const { status, out } = await start(env, ...args).ended;
    assert.ok(out.endsWith('}\n') && [0, 1].includes(status), `drive ${args.join(' ')} ended with ${status}: ${out}`);
    return JSON.parse(out);
}
