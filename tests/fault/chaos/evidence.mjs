/* Everything that can be known after peace, read from where it lies and not from who would tell it: the tables, the
 * store's folder, the providers' books. */
import { statSync } from 'node:fs';
import path from 'node:path';

const object = (columns) => `JSON_OBJECT(${columns.split(' ').map((c) => `'${c}', ${c}`).join(', ')})`;

export async function collect(world, ledger) {
    const read = (table, columns, order) => world.rows(`SELECT ${object(columns)} FROM ${table} ORDER BY ${order}`);
    const jobs = read('job', 'id public_id account_id user_id state stage version provider model prompt price_micro currency '
        + 'charged output_state error_code cancel_us created_us deadline_us finished_us deleted_us attempt_n', 'id');
    const accounts = new Map(read('account', 'id public_id', 'id').map((row) => [row.id, row.public_id]));
    const all = {
        jobs: jobs.map((row) => ({ ...row, name: row.public_id, account: accounts.get(row.account_id) })),
        events: group(read('job_event', 'job_id seq kind state stage data', 'job_id, seq')),
        attempts: group(read('attempt', 'id job_id n provider model state provider_job_id', 'job_id, n')),
        entries: group(read('ledger', 'job_id side account_id kind amount_micro currency', 'job_id, side')),
        outputs: group(read('output', 'job_id video_file poster_file bytes deleted_us', 'job_id')),
        receipts: group(read('callback_receipt', 'id job_id provider verdict', 'id').filter((row) => row.job_id)),
        due: read('due', 'job_id kind due_us tries', 'job_id'),
        studio: read('studio_video', 'public_id prompt state', 'id'),
        books: await world.simulator('books'),
        files: new Map(world.files().map((name) => [name, statSync(path.join(world.stack.var, 'media', name)).size])),
    };
    all.byName = new Map(all.jobs.map((job) => [job.name, job]));
    assignMarkers(all, ledger);
    all.runs = runsByMarker(all);
    return all;
}

function group(rows) {
    const map = new Map();
    for (const row of rows)
        map.has(row.job_id) ? map.get(row.job_id).push(row) : map.set(row.job_id, [row]);
    return { of: (id) => map.get(id) ?? [], keys: () => map.keys() };
}

const MARKER = /\bm\d+-\d+\./;
export const markerOf = (prompt) => MARKER.exec(prompt ?? '')?.[0];

/* By its words; when these are erased, by the id that its client was told. */
function assignMarkers(all, ledger) {
    const told = new Map([...ledger.intents.values()].flatMap((one) => [...one.ids].map((id) => [id, one.marker])));
    for (const job of all.jobs)
        job.marker = markerOf(job.prompt) ?? told.get(job.name);
}

/* What providers accepted, whatever we know of it. */
function runsByMarker({ books, studio }) {
    const runs = new Map();
    const videos = studio.map((row) => ({ provider: 'studio', id: row.public_id, prompt: row.prompt, billed: true,
                                          end: row.state === 3 ? 'done' : 'failed', canceled: row.state === 5 }));
    for (const run of [...books.requests, ...videos]) {
        const marker = markerOf(run.prompt);
        runs.has(marker) ? runs.get(marker).push(run) : runs.set(marker, [run]);
    }
    return runs;
}
