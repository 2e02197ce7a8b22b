/* Tells a client what became of a run, as its provider would: at the moments that the dialect names, signed by the
 * dialect, repeated when nobody takes it; late, twice, forged or not at all when a tag says so. */
import { randomBytes } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { takes } from './script.mjs';

const ANSWER_MAX_BYTES = 65536;
const APART_MS = 200; /* a duplicate comes this much later, and the reordered one */
const OLD_S = 600;
const POLICY = { ok: (status) => status >= 200 && status < 300, retryMs: [100, 400, 1500], timeoutMs: 5000 };

export class Callbacks {
    #agents = [http, https].map((module) => new module.Agent({ keepAlive: true, maxSockets: 64 }));

    constructor(sim) {
        this.sim = sim;
    }

    /* POST; { status, body }, status 0 when there was no answer. Redirects are not followed. */
    post(url, headers, body, timeoutMs = POLICY.timeoutMs) {
        return new Promise((resolve) => {
            const secure = url.startsWith('https:');
            const options = { method: 'POST', timeout: timeoutMs, agent: this.#agents[Number(secure)],
                              headers: { ...headers, 'Content-Length': Buffer.byteLength(body) } };
            let request;
            try {
                request = (secure ? https : http).request(url, options, (answer) => {
                    let text = '';
                    answer.setEncoding('utf8');
                    answer.on('data', (more) => { text = (text + more).slice(0, ANSWER_MAX_BYTES); });
                    answer.on('error', () => resolve({ status: 0, body: '' }));
                    answer.on('end', () => resolve({ status: answer.statusCode, body: text }));
                });
            } catch { /* not a URL */
                resolve({ status: 0, body: '' });
                return;
            }
            request.on('timeout', () => request.destroy(new Error('timeout')));
            request.on('error', () => resolve({ status: 0, body: '' }));
            request.end(body);
        });
    }

    /* Where this run's callbacks go: per request, or per account where the dialect has only that. */
    target(job) {
        if (!job.dialect.accountHook)
            return job.callback;
        const { hooks, hookBase } = this.sim.settings;
        return hooks[job.provider] ?? (hookBase ? `${hookBase}/${job.provider}` : undefined);
    }

    /* A run has been accepted. */
    async accepted(job) {
        const url = this.target(job), { dialect } = job;
        if (!url || !dialect.callback)
            return;
        if (dialect.handshake && !await dialect.handshake(job, (...args) => this.post(url, ...args)))
            return;
        const late = Number(job.tags['callback-late']?.value ?? (job.tags['callback-late'] ? 2000 : 0));
        const times = { queued: job.acceptedMs, running: job.runsMs, end: job.endsMs };
        const tells = dialect.tells(job), reordered = job.tags['callback-reordered'] && tells.at(-1) === 'end' && tells.length > 1;
        if (late)
            job.held('callback-late');
        if (reordered)
            job.held('callback-reordered');
        for (const state of tells) {
            /* Reordered: what happened first is told last. */
            const swap = reordered && state !== 'end';
            const ms = swap ? job.endsMs + APART_MS : times[state];
            this.#plan(job, url, state === 'end' ? job.end : state, ms + late);
        }
    }

    canceled(job, now) {
        const url = this.target(job);
        if (url && job.dialect.callback && job.dialect.tells(job).includes('end'))
            this.#plan(job, url, 'canceled', now);
    }

    #plan(job, url, state, ms) {
        if (ms === Infinity || takes(job, 'callback-lost'))
            return;
        const event = { job, url, state, id: `msg_${randomBytes(12).toString('hex')}`, tries: 0,
                        forged: takes(job, 'callback-forged') !== undefined,
                        old: takes(job, 'callback-old') !== undefined };
        this.sim.agenda.at(ms, () => this.#deliver(event));
        if (takes(job, 'callback-twice'))
            this.sim.agenda.at(ms + APART_MS, () => this.#deliver({ ...event, tries: Infinity }));
    }

    async #deliver(event) {
        const { job, url, state } = event, policy = { ...POLICY, ...job.dialect.callbackPolicy };
        if (job.canceledMs && state !== 'canceled' && state !== 'queued')
            return; /* it never came to that */
        /* A time of day that was skipped to would look forged. */
        const timestamp = Math.floor(Date.now() / 1000) - (event.old ? OLD_S : 0);
        const c = { id: event.id, timestamp, forged: event.forged };
        const { headers, body } = job.dialect.callback(job, state, c);
        this.sim.books.noticed(job, this.sim.now());
        this.sim.books.count(job.provider, 'callback');
        const { status } = await this.post(url, headers, body, policy.timeoutMs);
        this.sim.log(`${job.provider} callback ${job.id} ${state} -> ${status}`);
        if (policy.ok(status))
            return;
        this.sim.books.count(job.provider, 'callback-refused');
        if (event.tries < policy.retryMs.length && !this.sim.stopping)
            this.sim.agenda.at(this.sim.now() + policy.retryMs[event.tries++], () => this.#deliver(event));
    }

    close() {
        for (const agent of this.#agents)
            agent.destroy();
    }
}
