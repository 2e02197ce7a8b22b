/* Trusts nobody: holds the tables, the store, the providers' books and what clients were promised against each other.
 * Every rule is written here anew, from what filmgate promises; nothing of it is read from the product. */
import { collect } from './evidence.mjs';
import { STATE, legalStep } from './legal.mjs';
import { explained } from './reasons.mjs';
import { WEBHOOK_RULES } from './webhooks.mjs';

const KIND = { hold: 1, settle: 2, release: 3 };
const ATTEMPT = { accepted: 2, unknown: 5 };
const OUTPUT = { none: 0, stored: 1, deleted: 2 };
const ON_ITS_WAY_MS = 15000; /* a webhook that somebody held in his hands and was stopped with */
const DATABASE_VERDICT = ['', 'valid', 'duplicate', 'late', 'forged', 'unknown', 'superseded', 'replayed'];

/* Its provider was told to deny that it has it, or shows only what is over. */
const hides = (run) => run.prompt?.includes('[sim:forgets]') || (run.provider === 'fal' && !run.end);

/* When its last attempt went out, was accepted and answered, and what was done to whom meanwhile; milliseconds. */
function around(attempt, runs, faults) {
    if (!attempt)
        return '';
    const since = attempt.created_us / 1000, at = (ms) => Math.round(ms - since);
    const near = faults.filter((one) => at(one.fromMs) < 10000 && at(one.toMs ?? Infinity) > -5000)
        .map((one) => `${one.what} ${one.part} ${at(one.fromMs)} to ${at(one.toMs)}`);
    return `; its last attempt was accepted after ${runs.map((run) => at(Date.parse(run.at))).join(', ') || 'never'}, answered after `
        + `${at(attempt.answered_us / 1000)} (state ${attempt.state}); around it: ${near.join(', ')}`;
}

/* Each: (evidence, say, ledger, world); say(words). */
const RULES = {
    'acknowledged creates have rows': ({ byName }, say, ledger) => {
        for (const intent of ledger.intents.values())
            for (const id of intent.ids) {
                const job = byName.get(id);
                if (!job)
                    say(`${id} (${intent.marker}) was acknowledged and is not there`);
                else if (job.account !== intent.who.account || (job.user_id ?? undefined) !== intent.userId)
                    say(`${id} (${intent.marker}) belongs to ${job.account}, not to ${intent.who.account}`);
                else if (job.prompt !== null && job.prompt !== intent.body.prompt)
                    say(`${id} (${intent.marker}) says: ${job.prompt}`);
            }
    },

    'one job per wish': ({ jobs }, say, ledger) => {
        const seen = new Map();
        for (const job of jobs) {
            const intent = ledger.intents.get(job.marker);
            if (!intent)
                say(`${job.name}: nobody asked for it`);
            else if (seen.has(job.marker) && (intent.key || intent.asked === 1))
                say(`${job.name} and ${seen.get(job.marker)} are both of ${job.marker} (asked ${intent.asked} times)`);
            seen.set(job.marker, job.name);
        }
    },

    'every job terminal': ({ jobs, due }, say) => {
        for (const job of jobs)
            if (job.state < STATE.succeeded)
                say(`${job.name} (${job.marker}) is in state ${job.state}, stage ${job.stage}, at ${job.provider}`);
        for (const row of due)
            say(`job ${row.job_id} still has work of kind ${row.kind} due, ${row.tries} tries`);
    },

    'transitions legal': ({ jobs, events }, say) => {
        for (const job of jobs) {
            const line = events.of(job.id);
            let at = { state: 0, stage: -1 }, ends = 0;
            for (const event of line) {
                if (!legalStep(at, event))
                    say(`${job.name}: ${event.kind} led from ${at.state}/${at.stage} to ${event.state}/${event.stage} (seq ${event.seq})`);
                ends += Number(at.state < STATE.succeeded && event.state >= STATE.succeeded);
                at = event;
            }
            if (!line.length || at.state !== job.state || at.stage !== job.stage || at.seq > job.version)
                say(`${job.name} is in ${job.state}/${job.stage}, version ${job.version}; its timeline ends ${at.state}/${at.stage}, seq ${at.seq}`);
            if (ends !== Number(job.state >= STATE.succeeded))
                say(`${job.name} has ended ${ends} times`);
        }
    },

    'exactly one end per hold': ({ jobs, entries }, say) => {
        for (const job of jobs) {
            const rows = entries.of(job.id), told = JSON.stringify(rows.map((row) => [row.kind, row.amount_micro]));
            const holds = rows.filter((row) => row.kind === KIND.hold), ends = rows.filter((row) => row.kind !== KIND.hold);
            if (holds.length !== 1 || ends.length !== 1) {
                say(`${job.name} has ${holds.length} holds and ${ends.length} ends: ${told}`);
                continue;
            }
            const good = [...holds, ...ends].every((row) => row.amount_micro === job.price_micro &&
                row.currency === job.currency && row.account_id === job.account_id);
            if (!good)
                say(`${job.name} costs ${job.price_micro}, its entries are ${told}`);
            const settled = ends[0].kind === KIND.settle;
            if (settled !== Boolean(job.charged) || (job.state === STATE.succeeded && !settled) ||
                (job.state === STATE.expired && settled))
                say(`${job.name} ended in state ${job.state} (${job.error_code}) and was ${settled ? 'settled' : 'released'}`);
        }
    },

    'at most one bill per intent': ({ jobs, runs, events }, say, ledger, world) => {
        const policy = (name) => world.catalogue.providers[name]?.unknown.then;
        const byMarker = new Map(jobs.map((job) => [job.marker, job]));
        for (const [marker, list] of runs) {
            const job = byMarker.get(marker);
            if (!job) {
                say(`${list.length} runs of ${marker} at ${list.map((run) => run.provider)}, and no job`);
                continue;
            }
            const again = events.of(job.id).filter((event) => event.kind === 'not_accepted').length;
            const allowed = list.every((run) => policy(run.provider) === 'resubmit') ? 1 + again : 1;
            if (list.length > allowed)
                say(`${job.name} (${marker}) was accepted ${list.length} times: ${list.map((run) => `${run.provider} ${run.id} at ${run.at}`).join(', ')}`);
        }
    },

    'rows and the providers\' books agree': ({ jobs, runs, attempts, audits }, say) => {
        for (const job of jobs) {
            const list = runs.get(job.marker) ?? [], tries = attempts.of(job.id).filter((one) => one.state === ATTEMPT.accepted);
            const knows = (run) => tries.some((one) => one.provider_job_id.includes(run.id));
            for (const one of tries)
                if (!list.some((run) => one.provider_job_id.includes(run.id)))
                    say(`${job.name}: attempt ${one.n} says ${one.provider} ${one.provider_job_id}; its books do not`);
            if (job.state === STATE.succeeded && !list.some((run) => run.end === 'done' && knows(run)))
                say(`${job.name} (${job.marker}) succeeded without a finished run: ${JSON.stringify(list)}`);
            /* After an audit: in a row, in its report, or, where there is no list, a submit of which we know that we do not know. */
            for (const run of list.filter((one) => !knows(one) && !hides(one))) {
                const open = attempts.of(job.id).find((one) => one.state === ATTEMPT.unknown);
                if (!open || !(audits.get(open.provider) ?? run.id).includes(run.id))
                    say(`${run.provider} ${run.id} (${job.marker}, ${run.billed ? 'paid' : 'free'}, told "${run.prompt}") is known to nobody here; `
                        + `its job's attempts: ${attempts.of(job.id).map((one) => `${one.provider} ${one.state}`).join(', ')}`);
            }
        }
    },

    'what its provider finished in time is delivered': (all, say, ledger) => {
        for (const job of all.jobs) {
            const intent = ledger.intents.get(job.marker), list = all.runs.get(job.marker) ?? [];
            if (job.state !== STATE.succeeded && intent && intent.tags === '' && !intent.cancels && list.some((run) => run.end === 'done') &&
                job.error_code !== 'submit_unknown' && job.finished_us < job.deadline_us)
                say(`${job.name} (${job.marker}) ended with ${job.error_code}, and its provider has made it`);
        }
    },

    'every failure has its reason': (all, say, ledger, world) => {
        for (const job of all.jobs) {
            const intent = ledger.intents.get(job.marker);
            if (job.state > STATE.succeeded && intent && !explained(job, intent, all.runs.get(job.marker) ?? [], all.attempts.of(job.id),
                all.events.of(job.id), world.faults.log))
                say(`${job.name} (${job.marker}, told "${intent.tags}") at ${job.provider} ended with ${job.error_code}; runs: `
                    + JSON.stringify((all.runs.get(job.marker) ?? []).map(({ end, failure, billed }) => [end, failure, billed]))
                    + ` timeline: ${all.events.of(job.id).map((event) => event.kind).join(' ')}`
                    + around(all.attempts.of(job.id).at(-1), all.runs.get(job.marker) ?? [], world.faults.log));
        }
    },

    'files and rows match both ways': ({ jobs, outputs, uploads, events, files, tmp }, say) => {
        const known = new Set();
        for (const upload of uploads.filter((one) => !one.deleted_us)) {
            for (const name of [upload.file, upload.thumb_file])
                if (!files.get(known.add(name) && name))
                    say(`${upload.public_id}: ${name} is ${files.has(name) ? 'empty' : 'not there'}`);
            if (files.has(upload.file) && files.get(upload.file) !== upload.bytes)
                say(`${upload.public_id}: ${upload.file} has ${files.get(upload.file)} bytes, its row says ${upload.bytes}`);
        }
        /* Those that somebody died over go an hour later, by a row that says so. */
        for (const { public_id: id } of uploads.filter((one) => one.deleted_us && !one.removed_us))
            [...files.keys()].filter((name) => name.includes(id)).forEach((name) => known.add(name));
        for (const job of jobs) {
            const [output] = outputs.of(job.id), stored = job.output_state === OUTPUT.stored;
            if ((job.state === STATE.succeeded) !== Boolean(output))
                say(`${job.name} is in state ${job.state} and has ${output ? 'an' : 'no'} output`);
            if (!output)
                continue;
            if (stored === Boolean(output.deleted_us) || stored === Boolean(job.deleted_us))
                say(`${job.name}: output state ${job.output_state}, deleted ${job.deleted_us}, file deleted ${output.deleted_us}`);
            for (const name of stored ? [output.video_file, output.poster_file] : []) {
                known.add(name);
                if (!files.get(name))
                    say(`${job.name}: ${name} is ${files.has(name) ? 'empty' : 'not there'}`);
            }
            if (stored && files.has(output.video_file) && files.get(output.video_file) !== output.bytes)
                say(`${job.name}: ${output.video_file} has ${files.get(output.video_file)} bytes, its row says ${output.bytes}`);
        }
        for (const name of files.keys()) {
            const job = jobs.find((one) => name.includes(one.name));
            if (!known.has(name))
                say(`${name} is in the store and in no row; its job ended in state ${job?.state}: `
                    + events.of(job?.id).map(({ kind }) => kind).join(' '));
        }
        for (const name of tmp)
            say(`${name} was left behind by somebody who died`);
    },

    'deleted is deleted': ({ byName, left, heard }, say, ledger) => {
        for (const job of byName.values()) {
            const intent = ledger.intents.get(job.marker);
            if (job.deleted_us && !intent?.eraseAsked)
                say(`${job.name} is deleted, and nobody asked for that`);
            if (!job.deleted_us && intent?.deleted)
                say(`${job.name} was deleted, and has no date of that`);
            if (job.deleted_us && left.has(job.marker))
                say(`${job.name} (${job.marker}) is deleted; its words are still in ${[...left.get(job.marker)].join(', ')}`);
        }
        const gone = new Map([...ledger.intents.values()].filter((one) => one.deletedMs)
            .flatMap((one) => [...one.ids].map((id) => [id, one])));
        for (const one of heard)
            if (one.data.metadata && one.at > gone.get(one.data.id)?.deletedMs + ON_ITS_WAY_MS)
                say(`${one.data.id}: its metadata was told to ${one.path} ${one.at - gone.get(one.data.id).deletedMs} ms after it was deleted`);
    },

    'logs say nothing of what clients wrote': ({ said }, say) => said.forEach(say),

    /* A receipt and what it did are one: as many of either. */
    'callbacks have receipts': ({ jobs, events, receipts }, say) => {
        for (const job of jobs) {
            const shown = events.of(job.id).filter((event) => event.kind === 'callback')
                .map((event) => JSON.parse(event.data ?? '{}').verdict);
            const kept = receipts.of(job.id).map((row) => DATABASE_VERDICT[row.verdict]);
            for (const verdict of ['valid', 'late', 'superseded']) {
                const [a, b] = [shown, kept].map((list) => list.filter((one) => one === verdict).length);
                if (a !== b)
                    say(`${job.name}: ${a} callbacks "${verdict}" in its timeline, ${b} receipts`);
            }
        }
    },

    'providers saw nothing they should not': ({ books }, say) => {
        for (const words of books.bugs)
            say(`the simulator itself: ${words}`);
        for (const words of books.strays)
            say(`a request that no sheet knows: ${words}`);
        for (const run of books.requests)
            if (run.keyLeaked)
                say(`${run.provider} ${run.id}: our key went out with a public file`);
    },

    ...WEBHOOK_RULES,
};

/* By provider, what "filmgate audit provider" said of all that have a list of everything. */
async function auditProviders(world) {
    const reports = new Map();
    for (const name of Object.keys(world.catalogue.providers))
        await world.filmgate('audit', 'provider', name).then((words) => reports.set(name, words), (error) => {
            if (error.code !== 2) /* it has no list, or only of one job */
                throw error;
        });
    return reports;
}

/* [{ rule, words }], worst or not: all of them. */
export async function check(world, ledger) {
    const audits = await auditProviders(world), evidence = await collect(world, ledger), wrong = [...ledger.wrong];
    evidence.audits = audits;
    for (const [rule, holds] of Object.entries(RULES))
        holds(evidence, (words) => wrong.push({ rule, words }), ledger, world);
    return { wrong, evidence };
}
