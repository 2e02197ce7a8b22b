/* Everything that can be known after peace, read from where it lies and not from who would tell it: the tables, the
 * store's folder, the providers' books. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { key } from './webhooks.mjs';

const MARKER = /\bm\d+-\d+\./, ANY_MARKER = new RegExp(MARKER, 'g');
const object = (columns) => `JSON_OBJECT(${columns.split(' ').map((c) => `'${c}', ${c}`).join(', ')})`;

export async function collect(world, ledger) {
    const read = (table, columns, order) => world.rows(`SELECT ${object(columns)} FROM ${table} ORDER BY ${order}`);
    const jobs = await read('job', 'id public_id account_id user_id state stage version provider model prompt price_micro currency '
        + 'charged output_state error_code cancel_us created_us deadline_us finished_us deleted_us attempt_n callback_url', 'id');
    const accounts = new Map((await read('account', 'id public_id', 'id')).map((row) => [row.id, row.public_id]));
    const all = {
        jobs: jobs.map((row) => ({ ...row, name: row.public_id, account: accounts.get(row.account_id) })),
        events: group(await read('job_event', 'job_id seq kind state stage data', 'job_id, seq')),
        attempts: group(await read('attempt', 'id job_id n provider model state provider_job_id created_us answered_us client_ref', 'job_id, n')),
        entries: group(await read('ledger', 'job_id side account_id kind amount_micro currency', 'job_id, side')),
        outputs: group(await read('output', 'job_id video_file poster_file bytes deleted_us', 'job_id')),
        uploads: await read('upload', 'public_id file thumb_file bytes deleted_us removed_us', 'id'),
        receipts: group((await read('callback_receipt', 'id job_id provider verdict', 'id')).filter((row) => row.job_id)),
        deliveries: await read('webhook_delivery', 'id public_id account_id job_id endpoint_id url state tries attempt_n redelivered_us', 'id'),
        due: await read('due', 'job_id kind due_us tries', 'job_id'),
        studio: await read('studio_video', 'public_id idempotency prompt state', 'id'),
        books: await world.simulator('books'),
        left: leftWords(await world.dump()),
        said: saidInLogs(world),
        tmp: world.tmpFiles(),
        heard: world.hooks.heard,
        files: new Map(world.files().map((name) => [name, statSync(path.join(world.stack.var, 'media', name)).size])),
    };
    all.firstTries = await firstTries(world);
    all.byName = new Map(all.jobs.map((job) => [job.name, job]));
    assignMarkers(all, ledger);
    all.runs = runsByMarker(all);
    return all;
}

/* When each message was first tried at each place, by key(): as our log has it. */
async function firstTries(world) {
    const endpoints = new Map(world.endpoints.map((one) => [one.id, one.path]));
    const rows = await world.rows(`SELECT JSON_OBJECT('job', j.public_id, 'sequence', m.sequence, 'endpoint', e.public_id, 'url', d.url,
        'at', MIN(a.at_us)) FROM webhook_attempt a JOIN webhook_delivery d ON d.id = a.delivery_id
        JOIN webhook_message m ON m.id = d.message_id JOIN job j ON j.id = d.job_id
        LEFT JOIN webhook_endpoint e ON e.id = d.endpoint_id GROUP BY d.id`);
    return new Map(rows.map(({ job, sequence, endpoint, url, at }) =>
        [key(url ? new URL(url).pathname : endpoints.get(endpoint), job, sequence), at / 1000]));
}

function group(rows) {
    const map = new Map();
    for (const row of rows)
        map.has(row.job_id) ? map.get(row.job_id).push(row) : map.set(row.job_id, [row]);
    return { of: (id) => map.get(id) ?? [], keys: () => map.keys() };
}

export const markerOf = (prompt) => MARKER.exec(prompt ?? '')?.[0];

/* Markers of jobs, in any column of any table but those of the studio, which is somebody else's service: { marker to table }. */
function leftWords(dump) {
    const left = new Map();
    for (const line of dump.split('\n')) {
        const table = /^INSERT INTO `(\w+)`/.exec(line)?.[1];
        for (const [marker] of table && !table.startsWith('studio_') ? line.matchAll(ANY_MARKER) : [])
            left.has(marker) ? left.get(marker).add(table) : left.set(marker, new Set([table]));
    }
    return left;
}

/* Lines of our programs' logs that hold words of a client. */
function saidInLogs(world) {
    return ['api', 'hook', 'sweeper', 'sweeper2', 'nginx', 'studio', 'studio-worker'].flatMap((part) =>
        world.stack.log(part).split('\n').filter((line) => MARKER.test(line)).map((line) => `${part}: ${line.slice(0, 200)}`));
}

/* By its words; when these are erased, by the id that its client was told. */
function assignMarkers(all, ledger) {
    const told = new Map([...ledger.intents.values()].flatMap((one) => [...one.ids].map((id) => [id, one.marker])));
    for (const job of all.jobs)
        job.marker = markerOf(job.prompt) ?? told.get(job.name);
}

/* What providers accepted, whatever we know of it. The studio forgets the words of what it deletes, not whose it was. */
function runsByMarker({ books, studio, jobs, attempts }) {
    const runs = new Map(), byRef = new Map(jobs.flatMap((job) => attempts.of(job.id).map((one) => [one.client_ref, job.marker])));
    const videos = studio.map((row) => ({ provider: 'studio', id: row.public_id, billed: true, canceled: row.state === 5,
                                          marker: byRef.get(row.idempotency), end: row.state === 3 ? 'done' : 'failed' }));
    for (const run of [...books.requests, ...videos]) {
        const marker = run.marker ?? markerOf(run.prompt);
        runs.has(marker) ? runs.get(marker).push(run) : runs.set(marker, [run]);
    }
    return runs;
}
