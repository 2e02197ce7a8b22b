/* What the pretended providers know: every run they accepted, and how often they were asked for what. As JSON lines
 * in a file, a run has a line when it is accepted and again when something about it changes: the last one counts. */
import { createWriteStream } from 'node:fs';

const STRAYS_MAX = 50;

export class Books {
    jobs = [];
    calls = {};
    faults = {}; /* tag to how often it has held */
    strays = []; /* requests that no sheet knows */
    bugs = [];   /* of the simulator itself: a test should find none */

    constructor(file) {
        this.file = file ? createWriteStream(file, { flags: 'a' }) : null;
    }

    accept(job) {
        this.jobs.push(job);
        this.write(job, job.acceptedMs);
    }

    count(provider, kind) {
        const calls = this.calls[provider] ??= {};
        calls[kind] = (calls[kind] ?? 0) + 1;
    }

    held(tag) {
        this.faults[tag] = (this.faults[tag] ?? 0) + 1;
    }

    stray(words) {
        if (this.strays.length < STRAYS_MAX)
            this.strays.push(words);
    }

    entry(job, now) {
        const ended = job.ended(now);
        return {
            provider: job.provider, id: job.id, at: new Date(job.acceptedMs).toISOString(), model: job.model ?? null,
            prompt: job.prompt, seed: job.seed ?? null, reference: job.reference ?? null,
            callback: job.callback ?? null, seconds: job.seconds ?? null, image: job.image ?? false,
            state: job.stateAt(now), end: ended ? job.canceledMs ? 'canceled' : job.end : null,
            failure: ended && !job.canceledMs ? job.failure : null,
            billed: job.billedAt(now), canceled: job.canceledMs > 0, polls: job.polls,
            downloads: job.downloads, keyLeaked: job.keyLeaked ?? false, tooEarly: job.tooEarly ?? 0,
        };
    }

    write(job, now) {
        if (this.file)
            this.file.write(JSON.stringify(this.entry(job, now)) + '\n');
    }

    /* Somebody has seen its state: the first time that it is an end, that is written down. */
    noticed(job, now) {
        if (this.file && !job.endNoticed && job.ended(now)) {
            job.endNoticed = true;
            this.write(job, now);
        }
    }

    /* All of it, or of the runs those whose prompt contains the words. */
    read(prompt, now) {
        return {
            requests: this.jobs.filter((job) => job.prompt.includes(prompt ?? '')).map((job) => this.entry(job, now)),
            calls: this.calls, faults: this.faults, strays: this.strays, bugs: this.bugs,
        };
    }

    async close(now) {
        for (const job of this.file ? this.jobs : [])
            this.noticed(job, now);
        await new Promise((resolve) => this.file ? this.file.end(resolve) : resolve());
    }
}
