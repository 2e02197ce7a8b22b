/* ComfyUI on a machine of one's own, as of 2026: https://docs.comfy.org/development/comfyui-server/comms_routes. Old
 * routes and the newer ones below /api/jobs. No key, no money, no moderation. It does not mind the same prompt_id
 * twice. Unlike the real one it runs everything at once, as if there were machines enough. */
import { randomUUID } from 'node:crypto';
import { json, text } from '../answer.mjs';
import { multipart } from '../request.mjs';
import { NOTHING_LEFT, check, isSaver, wishOf } from './comfyui_workflow.mjs';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const WORDS = { queued: 'pending', running: 'in_progress', done: 'completed', failed: 'failed', canceled: 'cancelled' };
const EXCEPTIONS = {
    'fails': ['RuntimeError', 'Given groups=1, weight of size [32, 16, 1, 2, 2], expected input to have 16 channels'],
    'fails-retryable': ['torch.OutOfMemoryError', 'Allocation on device would exceed allowed memory. (out of memory)'],
};
const EMPTY = { status: 200, headers: {} };
const strings = (list) => Array.isArray(list) ? list.filter((id) => typeof id === 'string') : [];

export default function comfyui(sim) {
    const runs = [];          /* every one, oldest first */
    let live = [];            /* of these, those that had not ended when somebody looked */
    const byId = new Map();   /* ids may come twice */
    const byWorkflow = new Map();
    const files = new Map();  /* "fg/a_00001_.mp4" to the run that made it */
    const inputs = new Map(); /* "input/a.png" to { data, type } */
    const counters = new Map();
    const hidden = new Set(); /* deleted from the history */
    let number = 0;

    const addTo = (map, key, job) => map.has(key) ? map.get(key).push(job) : map.set(key, [job]);

    const refuse = (fault, node_errors = {}) => json(400, { error: fault, node_errors });
    const hasInput = (name) => inputs.has(`input/${name}`);

    function read(q) {
        const body = q.json;
        if (!body)
            return text(500, '500 Internal Server Error\n\nServer got itself in trouble');
        const { prompt: workflow, prompt_id: id, client_id: client, extra_data: extra = {}, front,
                partial_execution_targets: targets } = body;
        if (id !== undefined && id !== null && !UUID.test(id))
            return refuse({ type: 'invalid_prompt_id', message: 'prompt_id must be a canonical UUID', details: '',
                            extra_info: {} });
        const { fault, node_errors, outputs } = check(workflow, targets, hasInput);
        if (fault)
            return refuse(fault, node_errors);
        const given = typeof body.number === 'number' ? body.number : ++number;
        return { ...wishOf(workflow), id: id ?? undefined, workflow, outputs, node_errors, reference: id,
                 number: front ? -given : given, extra: client ? { ...extra, client_id: client } : extra };
    }

    /* A node that saves has a name for its file: a folder, a name, and a number that nobody has. */
    function nameFile(job) {
        const saver = job.outputs.find((id) => isSaver(job.workflow[id]));
        const { class_type: saved, inputs: { filename_prefix: prefix = 'ComfyUI' } = {} } = job.workflow[saver] ?? {};
        const count = (counters.get(prefix) ?? 0) + 1;
        counters.set(prefix, count);
        const slash = prefix.lastIndexOf('/'), extension = saved === 'SaveWEBM' ? 'webm' : 'mp4';
        job.node = saver;
        job.file = { filename: `${prefix.slice(slash + 1)}_${String(count).padStart(5, '0')}_.${extension}`,
                     subfolder: prefix.slice(0, Math.max(0, slash)), type: 'output' };
        files.set(`${job.file.subfolder}/${job.file.filename}`, job);
    }

    function accepted(q, job) {
        if (!EXCEPTIONS[job.failure]) /* there is no moderation */
            Object.assign(job, { failure: null, end: 'done' });
        const key = JSON.stringify(job.workflow);
        const before = byWorkflow.get(key)?.find((other) => other.stateAt(q.now) === 'done');
        runs.push(job);
        live.push(job);
        addTo(byId, job.id, job);
        addTo(byWorkflow, key, job);
        if (before) /* nothing has changed, so no node runs, and the old file is the new one */
            Object.assign(job, { runsMs: q.now, endsMs: q.now, cached: true, node: before.node, file: before.file });
        else
            nameFile(job);
        return json(200, { prompt_id: job.id, number: job.number, node_errors: job.node_errors });
    }

    /* ---- what became of it ---- */

    const stillLive = (now) => live = live.filter((job) => !job.ended(now));
    const seen = () => runs.filter(({ tags }) => !tags.forgets);
    const entry = (job) => [job.number, job.id, job.workflow, job.extra, job.outputs];
    /* What was taken out of the queue before it ran has never been. */
    const inHistory = (job, now) => job.ended(now) && !hidden.has(job) &&
        !(job.canceledMs && job.canceledMs < job.runsMs);
    const latest = (id, fits) => byId.get(id)?.findLast((job) => !job.tags.forgets && fits(job));

    const outputsOf = (job) => job.tags['done-empty'] || !job.node ? {}
        : { [job.node]: { images: [job.file], animated: [true] } };

    function messages(job, state) {
        const all = { prompt_id: job.id }, at = (ms) => ({ ...all, timestamp: Math.floor(ms) });
        const nodes = Object.keys(job.workflow);
        const where = { node_id: nodes[0], node_type: job.workflow[nodes[0]].class_type };
        const [type, words] = EXCEPTIONS[job.failure] ?? [];
        const last = {
            done: ['execution_success', at(job.endsMs)],
            canceled: ['execution_interrupted', { ...at(job.canceledMs), ...where, executed: [] }],
            failed: ['execution_error', { ...at(job.endsMs), ...where, executed: [], exception_type: type,
                                          exception_message: words,
                                          traceback: ['  File "/opt/ComfyUI/execution.py", line 510, in execute\n'] }],
        };
        return [['execution_start', at(job.runsMs)], ['execution_cached', { nodes: job.cached ? nodes : [], ...all }],
                last[state]];
    }

    function history(job, now) {
        const state = job.stateAt(now), done = state === 'done';
        return { prompt: entry(job), outputs: done ? outputsOf(job) : {}, meta: {},
                 status: { status_str: done ? 'success' : 'error', completed: done, messages: messages(job, state) } };
    }

    function allHistory(q) {
        const most = Number(q.query.get('max_items') ?? 200);
        const rows = seen().filter((job) => inHistory(job, q.now)).slice(-most);
        return json(200, Object.fromEntries(rows.map((job) => [job.id, history(job, q.now)])));
    }

    /* Everybody's workflows at once; so is the trouble of one. */
    function queue(q) {
        const here = stillLive(q.now).filter(({ tags }) => !tags.forgets);
        const of = (state) => here.filter((job) => job.stateAt(q.now) === state).map(entry);
        const whole = json(200, { queue_running: of('running'), queue_pending: of('queued') });
        for (const job of here) {
            const told = sim.poll(q, job, () => whole);
            if (told !== whole)
                return told;
        }
        return whole;
    }

    function jobRow(job, now) {
        const state = job.stateAt(now), ended = job.ended(now), ran = state !== 'queued';
        const error = state === 'failed' ? messages(job, state).at(-1)[1] : null;
        const outputs = state === 'done' ? outputsOf(job) : {};
        return {
            id: job.id, status: job.word(state, WORDS), priority: job.number, create_time: Math.floor(job.acceptedMs),
            execution_start_time: ran ? Math.floor(job.runsMs) : null,
            execution_end_time: ended ? Math.floor(job.endedMs()) : null, execution_error: error,
            outputs_count: Object.keys(outputs).length, preview_output: outputs[job.node]?.images[0] ?? null,
            workflow_id: null, outputs, workflow: job.workflow,
            execution_status: ended ? history(job, now).status : null,
        };
    }

    const shown = (job, now) => !job.ended(now) || inHistory(job, now);

    function jobs(q) {
        const words = q.query.get('status')?.split(','), limit = Number(q.query.get('limit') ?? 50);
        const offset = Number(q.query.get('offset') ?? 0);
        const rows = seen().filter((job) => shown(job, q.now)).map((job) => jobRow(job, q.now))
            .filter(({ status }) => !words || words.includes(status));
        if (q.query.get('sort_order') !== 'asc')
            rows.reverse();
        const page = rows.slice(offset, offset + limit)
            .map(({ outputs, execution_status, workflow, ...row }) => row);
        return json(200, { jobs: page, pagination: { offset, limit, total: rows.length,
                                                     has_more: rows.length > offset + limit } });
    }

    /* ---- stopping ---- */

    const stop = (q, ids, states) => stillLive(q.now).filter((job) => ids.includes(job.id) &&
        states.includes(job.stateAt(q.now)) && sim.cancel(job, q.now)).length > 0;

    function changeQueue(q) {
        const ids = q.json?.clear ? live.map(({ id }) => id) : strings(q.json?.delete);
        stop(q, ids, ['queued']);
        return EMPTY;
    }

    /* Without an id whatever runs, whosever it is. */
    function interrupt(q) {
        const id = q.json?.prompt_id, running = live.find((job) => job.stateAt(q.now) === 'running');
        stop(q, id ? [id] : running ? [running.id] : [], ['running']);
        return EMPTY;
    }

    function changeHistory(q) {
        for (const job of runs)
            if (job.ended(q.now) && (q.json?.clear || strings(q.json?.delete).includes(job.id)))
                hidden.add(job);
        return EMPTY;
    }

    const cancelJobs = (q, ids) => json(200, { cancelled: stop(q, ids, ['queued', 'running']) });

    /* ---- files ---- */

    /* A name that is taken by other bytes gets a number. */
    function upload(q) {
        const parts = multipart(q.body, q.headers['content-type']) ?? [];
        const field = (name) =>
            parts.find((part) => part.name === name && part.filename === undefined)?.data.toString();
        const image = parts.find(({ name, filename }) => name === 'image' && filename);
        const type = field('type') ?? 'input', subfolder = field('subfolder') ?? '';
        if (!image || !['input', 'temp', 'output'].includes(type) || /(^|\/)\.\.(\/|$)|^\//.test(subfolder))
            return { status: 400, headers: {} };
        const [, stem, extension] = /^(.*?)(\.[^.]*)?$/.exec(image.filename);
        const folder = subfolder ? `${subfolder}/` : '';
        const overwrite = ['true', '1'].includes(field('overwrite'));
        const place = (name) => `${type}/${folder}${name}`;
        let name = image.filename;
        for (let i = 1; !overwrite && !(inputs.get(place(name))?.data.equals(image.data) ?? true); i++)
            name = `${stem} (${i})${extension ?? ''}`;
        inputs.set(place(name), { data: image.data, type: image.type ?? 'application/octet-stream' });
        return json(200, { name, subfolder, type });
    }

    const findView = (q) => {
        const of = (name) => q.query.get(name) ?? '';
        return of('type') === 'output' || !of('type') ? files.get(`${of('subfolder')}/${of('filename')}`) : undefined;
    };

    function unseen(q) {
        const name = q.query.get('filename') ?? '', folder = q.query.get('subfolder') ?? '';
        if (!name || name.startsWith('/') || name.includes('..'))
            return { status: 400, headers: {} };
        if (/(^|\/)\.\.(\/|$)|^\//.test(folder))
            return { status: 403, headers: {} };
        const picture = inputs.get(`${q.query.get('type')}/${folder ? `${folder}/` : ''}${name}`);
        return picture ? { status: 200, body: picture.data, headers: { 'Content-Type': picture.type } } : text(404, '');
    }

    const routes = [
        { method: 'POST', path: '/prompt', kind: 'submit', read, answer: accepted },
        { method: 'GET', path: '/prompt', kind: 'other', answer: (q) => json(200, {
            exec_info: { queue_remaining: stillLive(q.now).length },
        }) },
        { method: 'GET', path: '/history', kind: 'list', answer: allHistory },
        { method: 'GET', path: '/history/{id}', kind: 'poll', unknown: () => json(200, {}),
          find: (q) => latest(q.params.id, (job) => inHistory(job, q.now)),
          answer: (q, job) => json(200, { [job.id]: history(job, q.now) }) },
        { method: 'POST', path: '/history', kind: 'other', answer: changeHistory },
        { method: 'GET', path: '/queue', kind: 'poll', batch: true, answer: queue },
        { method: 'POST', path: '/queue', kind: 'cancel', batch: true, answer: changeQueue },
        { method: 'POST', path: '/interrupt', kind: 'cancel', batch: true, answer: interrupt },
        { method: 'POST', path: '/upload/image', kind: 'other', answer: upload },
        { method: 'GET', path: '/view', kind: 'download', find: findView, unknown: unseen,
          answer: (q, job) => sim.film(q, job) },
        { method: 'GET', path: '/system_stats', kind: 'other', answer: () => json(200, {
            system: { os: 'posix', comfyui_version: '0.9.2', python_version: '3.12.3' }, devices: [],
        }) },
        { method: 'GET', path: '/features', kind: 'other', answer: () => json(200, { max_upload_size: 104857600 }) },
        { method: 'POST', path: '/free', kind: 'other', answer: () => EMPTY },
    ];
    const trouble = () => text(500, '500 Internal Server Error\n\nServer got itself in trouble');
    return {
        /* A page of another site must not steer it. */
        authorized: ({ headers: { origin, host } }) => !origin || new URL(origin).host === host ||
            { status: 403, headers: {} },
        unauthorized: () => text(401, 'Unauthorized'), /* a proxy before it may say so */
        unknown: () => text(404, '404: Not Found'),
        newId: () => randomUUID(),
        publicFiles: false,
        door: {
            '500-before': trouble,
            'refused': () => refuse(NOTHING_LEFT, { 1: {
                errors: [{ type: 'value_not_in_list', message: 'Value not in list',
                           details: 'unet_name: \'a\' not in []', extra_info: { input_name: 'unet_name' } }],
                dependent_outputs: ['9'], class_type: 'UNETLoader',
            } }),
        },
        routes: [
            ...routes, ...routes.map((route) => ({ ...route, path: `/api${route.path}` })),
            { method: 'GET', path: '/api/jobs', kind: 'list', answer: jobs },
            { method: 'GET', path: '/api/jobs/{id}', kind: 'poll', answer: (q, job) => json(200, jobRow(job, q.now)),
              find: (q) => latest(q.params.id, (job) => shown(job, q.now)),
              unknown: () => json(404, { error: 'Job not found' }) },
            { method: 'POST', path: '/api/jobs/cancel', kind: 'cancel', batch: true,
              answer: (q) => cancelJobs(q, strings(q.json?.job_ids)) },
            { method: 'POST', path: '/api/jobs/{id}/cancel', kind: 'cancel', batch: true,
              answer: (q) => cancelJobs(q, [q.params.id]) },
        ],
    };
}
