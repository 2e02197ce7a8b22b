/* The far side of the internet: all video providers behind one listener on loopback. See README.md for what a dialect
 * has to say; everything that does not depend on a provider's words happens here. */
import { createServer } from 'node:http';
import { Agenda } from './agenda.mjs';
import { NOTHING, json, send, text, truncated, withHeader, wrongTypes } from './answer.mjs';
import { Books } from './books.mjs';
import { Callbacks } from './callbacks.mjs';
import { controlRoutes } from './control.mjs';
import { dialects } from './dialects/index.mjs';
import { film } from './films.mjs';
import { Job } from './job.mjs';
import { apiKey } from './keys.mjs';
import { Request, Routes } from './request.mjs';
import { Script, holdsAtOnce, takes } from './script.mjs';

const BODY_MAX_BYTES = 64 << 20;
const SETTINGS = { renderMs: 3000, queueMs: 500, fileSeconds: null, hookBase: null, hooks: {}, unsigned: [] };
const FILES = { method: 'GET', path: '/files/{id}/{turn}/out.mp4', kind: 'download', auth: false };

const msOf = (tag, otherwise) => Number(tag.value || otherwise);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Simulator {
    constructor({ books, quiet = true, ...settings } = {}) {
        const given = Object.entries(settings).filter(([name, value]) => name in SETTINGS && value !== undefined);
        this.settings = { ...SETTINGS, ...Object.fromEntries(given) };
        this.quiet = quiet;
        this.script = new Script();
        this.books = new Books(books);
        this.skewMs = 0;
        this.agenda = new Agenda(() => this.now());
        this.callbacks = new Callbacks(this);
        this.stopping = false;
        this.dialects = new Map(Object.entries(dialects).map(([name, make]) => [name, this.#adopt(name, make(this))]));
        this.dialects.set('_sim', { name: '_sim', table: new Routes(controlRoutes(this)), unknown: () => json(404, {}) });
        this.server = createServer((req, res) => this.#serve(req, res));
        this.server.keepAliveTimeout = 60000;
        this.server.requestTimeout = 0;
    }

    #adopt(name, dialect) {
        dialect.name = name;
        dialect.jobs = new Map(); /* by id, in order of acceptance */
        dialect.door ??= {};
        const files = dialect.publicFiles === false ? [] : [{ ...FILES, answer: (q, job) => this.film(q, job) }];
        dialect.table = new Routes([...dialect.routes, ...files]);
        return dialect;
    }

    async listen(port = 0) {
        await new Promise((resolve, reject) => {
            this.server.once('error', reject);
            this.server.listen(port, '127.0.0.1', 4096, resolve);
        });
        this.url = `http://127.0.0.1:${this.server.address().port}`;
        return this;
    }

    async stop() {
        this.stopping = true;
        this.agenda.clear();
        this.callbacks.close();
        const closed = new Promise((resolve) => this.server.close(resolve));
        this.server.closeAllConnections();
        await closed;
        await this.books.close(this.now());
    }

    log(words) {
        if (!this.quiet)
            process.stderr.write(`${new Date().toISOString()} ${words}\n`);
    }

    /* The clock of all runs: real time, and what a test has skipped. */
    now() {
        return Date.now() + this.skewMs;
    }

    /* As if that much time had passed. */
    advance(ms) {
        this.skewMs += ms;
        this.agenda.run();
    }

    /* ---- for dialects ---- */

    /* An address of the run's file that needs no key. After one was refused as expired, the next is another. */
    fileUrl(job) {
        const turn = 1 + (job.expired ?? 0);
        return `${this.url}/${job.provider}/files/${encodeURIComponent(job.id)}/${turn}/out.mp4`;
    }

    /* The answer to a download of the run's video, or what the tags make of it. */
    async film(q, job) {
        if (q.params.turn === '1' && job.tags['url-expired']) {
            job.expired = 1;
            job.held('url-expired');
            return text(403, '<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>',
                'application/xml');
        }
        if (job.stateAt(q.now) !== 'done' || job.tags['done-empty'] || takes(job, 'file-missing'))
            return text(404, 'Not Found');
        job.downloads++;
        this.books.write(job, q.now);
        if (takes(job, 'file-wrong'))
            return text(200, '<!doctype html><title>Sign in</title><p>Please sign in.\n', 'text/html');
        if (takes(job, 'file-not-video'))
            return text(200, 'This is no video, whatever the header says.\n'.repeat(40), 'video/mp4');
        const bytes = await film(this.settings.fileSeconds ?? job.seconds ?? 5, job.ratio);
        const answer = { status: 200, body: bytes, headers: { 'Content-Type': 'video/mp4' } };
        const slow = takes(job, 'file-slow');
        if (slow)
            return { ...answer, slowMs: msOf(slow, 1000) };
        const cut = takes(job, 'file-truncated');
        if (!cut)
            return answer;
        const half = bytes.length >> 1;
        return cut.value === 'quiet' ? { ...answer, body: bytes.subarray(0, half) } : { ...answer, cut: half };
    }

    /* Stops it when it can still be stopped, and tells so by callback. */
    cancel(job, now) {
        if (!job.cancel(now))
            return false;
        this.books.write(job, now);
        this.callbacks.canceled(job, now);
        return true;
    }

    /* The answer to one who asks for the state of this run: the dialect's, or what the tags make of it. */
    poll(q, job, answer) {
        job.polls++;
        this.books.noticed(job, q.now);
        const trouble = this.#pollTrouble(q, job);
        if (trouble)
            return trouble;
        const spoils = (name) => job.tags[name] && job.tags[name].value !== 'submit' && takes(job, name);
        if (spoils('wrong-type'))
            return wrongTypes(answer());
        return spoils('truncated-json') ? truncated(answer()) : answer();
    }

    #pollTrouble(q, job) {
        const { door } = q.dialect;
        if (door['500-before'] && takes(job, 'poll-500'))
            return door['500-before'](q, {});
        if (!door['429'] || !job.tags['poll-429'])
            return undefined;
        const waitS = msOf(job.tags['poll-429'], 1);
        if (job.freeMs && q.now < job.freeMs)
            job.tooEarly = (job.tooEarly ?? 0) + 1;
        if (!job.freeMs)
            job.held('poll-429');
        job.freeMs ??= q.now + waitS * 1000;
        return q.now < job.freeMs ? withHeader(door['429'](q, { value: waitS }), 'Retry-After', String(waitS))
            : undefined;
    }

    /* ---- one request ---- */

    async #serve(req, res) {
        try {
            const answer = await this.#answer(req, res);
            if (answer)
                send(res, answer);
        } catch (error) {
            if (req.destroyed && error.code === 'ECONNRESET')
                return; /* whoever asked went away in the middle of it */
            this.books.bugs.push(`${req.method} ${req.url}: ${error.stack}`);
            process.stderr.write(`simulator: ${req.method} ${req.url}: ${error.stack}\n`);
            if (!res.headersSent)
                send(res, text(500, `simulator: ${error.message}`));
        }
    }

    async #answer(req) {
        const mark = req.url.indexOf('?'), whole = mark < 0 ? req.url : req.url.slice(0, mark);
        const slash = whole.indexOf('/', 1), name = whole.slice(1, slash < 0 ? undefined : slash);
        const dialect = this.dialects.get(name);
        if (!dialect)
            return text(404, 'no such provider');
        const q = new Request(this, dialect, req, slash < 0 ? '/' : whole.slice(slash),
            mark < 0 ? '' : req.url.slice(mark + 1));
        const route = dialect.table.find(q);
        if (req.method !== 'GET')
            q.body = await readBody(req);
        q.now = this.now();
        if (name === '_sim')
            return route ? route.answer(q) : dialect.unknown(q);
        return this.#asProvider(q, route);
    }

    #asProvider(q, route) {
        const { dialect } = q;
        if (!route) {
            this.books.count(dialect.name, 'stray');
            this.books.stray(`${q.method} /${dialect.name}${q.path}`);
            return dialect.unknown(q);
        }
        const keyOk = route.auth === false || (dialect.authorized ?? bearer)(q);
        this.books.count(dialect.name, keyOk === true ? route.kind : 'unauthorized');
        if (keyOk !== true)
            return keyOk || dialect.unauthorized(q);
        if (route.kind === 'submit')
            return this.#submit(q, route);
        if (!KINDS_OF_ONE.has(route.kind) || route.batch)
            return route.answer(q);
        return this.#ofOne(q, route);
    }

    /* Something about one run: its id is in the path, or the route finds it. */
    #ofOne(q, route) {
        const { dialect } = q;
        const job = route.find ? route.find(q) : dialect.jobs.get(q.params.id);
        if (!job || job.tags.forgets)
            return (route.unknown ?? dialect.unknown)(q);
        if (route.kind === 'poll') {
            const answer = this.poll(q, job, () => route.answer(q, job)), late = takes(job, 'poll-late');
            return late ? pause(msOf(late, 1000)).then(() => answer) : answer;
        }
        if (route.kind === 'download' && route.auth === false && !dialect.keyOnFiles && hasKey(q))
            job.keyLeaked = true;
        return route.answer(q, job);
    }

    async #submit(q, route) {
        const { dialect } = q, wish = route.read(q);
        if (wish.status !== undefined) /* an answer: the dialect itself says no */
            return wish;
        const { door, tags } = this.script.submit(dialect.name, wish.prompt);
        const refusal = door && await this.#atDoor(q, ...door);
        this.log(`${dialect.name} submit ${door ? door[0] : 'accepted'}: ${wish.prompt.slice(0, 60)}`);
        if (refusal)
            return refusal;
        const job = new Job(dialect, { ...wish, id: wish.id ?? dialect.newId(wish) }, tags ?? {}, this.settings, q.now);
        job.held = (name) => this.books.held(name);
        Object.keys(job.tags).filter(holdsAtOnce).forEach(job.held);
        dialect.jobs.set(job.id, job);
        this.books.accept(job);
        this.books.count(dialect.name, 'accepted');
        const answer = route.answer(q, job); /* may still shape the run */
        this.callbacks.accepted(job).catch((error) => this.books.bugs.push(error.stack));
        return this.#afterwards(q, job, answer);
    }

    async #atDoor(q, name, tag) {
        const { door } = q.dialect;
        if (['hang', 'bad-auth'].includes(name) || door[name])
            this.books.held(name);
        if (name === 'hang') {
            await pause(msOf(tag, 30000));
            return NOTHING;
        }
        if (name === 'bad-auth')
            return (door[name] ?? q.dialect.unauthorized)(q, tag);
        const answer = door[name]?.(q, tag);
        return name === '429' && answer && tag.value ? withHeader(answer, 'Retry-After', tag.value) : answer;
    }

    /* It is accepted: what may happen to the answer. */
    async #afterwards(q, job, answer) {
        const { tags, dialect } = job;
        if (tags['answer-lost'])
            return NOTHING;
        const broken = dialect.door['500-after'] ?? dialect.door['500-before'];
        if (tags['500-after'] && broken)
            return broken(q, {}, job);
        if (tags['answer-late'])
            await pause(msOf(tags['answer-late'], 1000));
        if (tags['wrong-type']?.value === 'submit')
            return wrongTypes(answer);
        return tags['truncated-json']?.value === 'submit' ? truncated(answer) : answer;
    }
}

const KINDS_OF_ONE = new Set(['poll', 'result', 'download', 'cancel']);
const bearer = (q) => q.key() === apiKey(q.dialect.name);
const hasKey = ({ headers }) => Boolean(headers.authorization ?? headers['x-goog-api-key'] ?? headers['x-api-key']);

async function readBody(req) {
    const pieces = [];
    let bytes = 0;
    for await (const piece of req) {
        bytes += piece.length;
        if (bytes > BODY_MAX_BYTES)
            throw new Error('body too large');
        pieces.push(piece);
    }
    return Buffer.concat(pieces);
}

/* For node tests: { url, books(), script(), ..., stop() }. */
export async function startSimulator({ port = 0, ...options } = {}) {
    const sim = await new Simulator(options).listen(port);
    return {
        sim, url: sim.url,
        books: (prompt) => sim.books.read(prompt, sim.now()),
        script: (rule) => sim.script.add(rule),
        clearScript: () => sim.script.clear(),
        set: (settings) => Object.assign(sim.settings, settings),
        advance: (ms) => sim.advance(ms),
        now: () => sim.now(),
        stop: () => sim.stop(),
    };
}
