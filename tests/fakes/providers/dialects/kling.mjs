/* Kling as of November 2026, both styles: NEW (the model in the path, the API key) and LEGACY (/v1/videos, the key or a
 * token of access key and secret). The one provider that refuses a second submit with the same external id. */
import { randomInt, randomUUID } from 'node:crypto';
import { json } from '../answer.mjs';
import { KLING_ACCESS_KEY, KLING_SECRET_KEY, apiKey, webhookSecret } from '../keys.mjs';
import { jwtOpen, standardHeaders } from '../sign.mjs';

const WORDS = { queued: 'submitted', running: 'processing', done: 'succeeded', failed: 'failed' };
const LEGACY_WORDS = { ...WORDS, done: 'succeed' };
const IDS_MAX = 20;
const SWEEP_MAX = 500;
const RATIOS = ['16:9', '9:16', '1:1'];
const MESSAGES = {
    'fails': 'Generation failed', 'fails-retryable': 'The service is busy, please try again later',
    'moderated-run': 'Failure to pass the risk control system',
    'moderated-output': 'Failure to pass the risk control system: the output was blocked',
};

const digits = (n) => String(randomInt(10 ** n)).padStart(n, '0');
const answer = (status, code, message, data) => json(status, { code, message, request_id: randomUUID(), data });
const ok = (data) => answer(200, 0, 'SUCCEED', data);
const invalid = (words) => answer(400, 1201, words);

/* ---- keys ---- */

const isToken = (key) => key.split('.').length === 3;

/* Code and words of a 401, or undefined. The client's clock is the real one, whatever a test skips here. */
function tokenFault(token) {
    const payload = jwtOpen(token, KLING_SECRET_KEY), nowS = Date.now() / 1000;
    if (payload?.iss !== KLING_ACCESS_KEY)
        return [1002, 'Authorization is invalid'];
    if (!Number.isInteger(payload.exp) || payload.exp <= nowS)
        return [1004, 'Authorization has expired'];
    return payload.nbf > nowS ? [1003, 'Authorization is not yet valid'] : undefined;
}

function authorized(q) {
    const key = q.key(), legacy = q.path.startsWith('/v1/');
    if (key === undefined)
        return answer(401, 1001, 'Authorization is empty');
    if (!isToken(key))
        return key === apiKey('kling');
    const fault = legacy ? tokenFault(key) : [1002, 'The current API does not support AK/SK'];
    return fault ? answer(401, ...fault) : true;
}

/* ---- what is asked for ---- */

const isRaw = (image) => typeof image === 'string' && !image.startsWith('data:');

function settingsFault(model, { duration, resolution, aspect_ratio: ratio, audio }, image) {
    const third = model.startsWith('kling-3');
    if (!Number.isInteger(duration) || !(third ? duration >= 3 && duration <= 15 : duration === 5 || duration === 10))
        return 'settings.duration is invalid';
    if (resolution !== undefined && !['720p', '1080p', ...third ? ['4k'] : []].includes(resolution))
        return 'settings.resolution is invalid';
    if (ratio !== undefined && (image || !RATIOS.includes(ratio)))
        return 'settings.aspect_ratio is invalid';
    if (audio !== undefined && (!['native', 'off'].includes(audio) || model.endsWith('-turbo')))
        return 'settings.audio is invalid';
    return '';
}

function promptFault(prompt, model) {
    const max = /^kling-(v)?3/.test(model) ? 3072 : 2500;
    return typeof prompt !== 'string' || !prompt ? 'prompt is required' : prompt.length > max ? 'prompt is too long' : '';
}

const readNew = (image) => (q) => {
    const { prompt, contents = [], settings = {}, options = {} } = q.json ?? {}, { model } = q.params;
    if (!/^kling-[23](\.\d)?(-turbo|-omni)?$/.test(model))
        return answer(404, 1203, `model ${model} is not found`);
    const of = (type) => contents.find?.((content) => content.type === type);
    const words = image ? of('prompt')?.text : prompt;
    const fault = promptFault(words, model) || settingsFault(model, settings, image) ||
        (image && !isRaw(of('first_frame')?.url) && 'contents: a first_frame with a url is required');
    return fault ? invalid(fault) : {
        prompt: words, model, image, seconds: settings.duration, ratio: settings.aspect_ratio,
        callback: options.callback_url, reference: options.external_task_id,
    };
};

const readLegacy = (kind) => (q) => {
    const { model_name: model = 'kling-v1', prompt, duration = '5', aspect_ratio: ratio, image, callback_url: callback,
            external_task_id: reference } = q.json ?? {};
    const fault = promptFault(prompt, model) ||
        (!/^([3-9]|1[0-5])$/.test(typeof duration === 'string' ? duration : '') && 'duration is invalid') ||
        (ratio !== undefined && !RATIOS.includes(ratio) && 'aspect_ratio is invalid') ||
        (kind === 'image2video' && !isRaw(image) && 'image is required, without a data: prefix');
    return fault ? invalid(fault) : { prompt, model, legacy: kind, image: image !== undefined, seconds: Number(duration),
                                      ratio, callback, reference };
};

export default function kling(sim) {
    const byReference = new Map();

    /* Once accepted, an external id is taken, whatever became of the answer. */
    const once = (read) => (q) => {
        const wish = read(q);
        return wish.reference !== undefined && byReference.has(wish.reference)
            ? invalid(`external_task_id ${wish.reference} already exists`) : wish;
    };

    const times = (job, state) => {
        const at = { queued: job.acceptedMs, running: job.runsMs }[state];
        return [job.acceptedMs, Math.floor(at ?? job.endedMs())];
    };
    const isEmpty = (job) => job.tags['done-empty'] !== undefined;
    const length = (job) => `${job.seconds}.1`;

    function task(job, state) {
        const [created, updated] = times(job, state), done = state === 'done';
        return {
            id: job.id, status: job.word(state, WORDS), message: state === 'failed' ? MESSAGES[job.failure] : '',
            create_time: created, update_time: updated, external_id: job.reference ?? '',
            ...done && { outputs: isEmpty(job) ? [] : [{ type: 'video', id: `${job.id}0`, url: sim.fileUrl(job),
                                                         watermark_url: '', duration: length(job) }],
                         billing: [{ charge_type: 'unit', amount: String(job.seconds) }] },
        };
    }

    function legacyTask(job, state) {
        const [created, updated] = times(job, state), done = state === 'done';
        return {
            task_id: job.id, task_status: job.word(state, LEGACY_WORDS),
            task_status_msg: state === 'failed' ? MESSAGES[job.failure] : '',
            task_info: { external_task_id: job.reference ?? '' }, created_at: created, updated_at: updated,
            ...done && { task_result: { videos: isEmpty(job) ? [] : [{ id: `${job.id}0`, url: sim.fileUrl(job),
                                                                       duration: length(job) }] } },
        };
    }

    function accepted(q, job) {
        if (job.reference !== undefined)
            byReference.set(job.reference, job);
        return ok((job.legacy ? legacyTask : task)(job, 'queued'));
    }

    /* One task or many: what is not known is left out. */
    function tasks(q) {
        const ids = q.query.get('task_ids')?.split(','), references = q.query.get('external_task_ids')?.split(',');
        const asked = ids ?? references ?? [];
        if (asked.length === 0 || asked.length > IDS_MAX)
            return invalid(`task_ids: 1 to ${IDS_MAX} are wanted`);
        const known = ids ? q.dialect.jobs : byReference;
        const jobs = asked.map((id) => known.get(id)).filter((job) => job && !job.tags.forgets);
        const all = () => ok(jobs.map((job) => task(job, job.stateAt(q.now))));
        if (jobs.length === 1)
            return sim.poll(q, jobs[0], all);
        for (const job of jobs) { /* no trouble for many because of one */
            job.polls++;
            sim.books.noticed(job, q.now);
        }
        return all();
    }

    function sweep(q) {
        const { start_time: start = 0, end_time: end = Infinity, cursor = '', limit = SWEEP_MAX, filters = [] } =
            q.json ?? {};
        if (!(limit >= 1 && limit <= SWEEP_MAX) || !Array.isArray(filters))
            return invalid('limit or filters are invalid');
        const from = Number(cursor), words = filters.find(({ key }) => key === 'status')?.values;
        const rows = [...q.dialect.jobs.values()].reverse()
            .filter((job) => job.acceptedMs >= start && job.acceptedMs <= end && !job.tags.forgets)
            .map((job) => task(job, job.stateAt(q.now))).filter(({ status }) => !words || words.includes(status));
        const more = rows.length > from + limit;
        return ok({ result: rows.slice(from, from + limit), next_cursor: more ? String(from + limit) : '',
                    has_more: more });
    }

    const ofKind = (kind) => (q) => {
        const job = q.dialect.jobs.get(q.params.id) ?? byReference.get(q.params.id);
        return job?.legacy === kind ? job : undefined;
    };

    const newStyle = ['text-to-video', 'image-to-video', 'omni-video'].map((kind) => ({
        method: 'POST', path: `/${kind}/{model}`, kind: 'submit', answer: accepted,
        read: once((q) => readNew(kind === 'image-to-video' || Array.isArray(q.json?.contents))(q)),
    }));
    const legacyStyle = ['text2video', 'image2video', 'omni-video'].flatMap((kind) => [
        { method: 'POST', path: `/v1/videos/${kind}`, kind: 'submit', read: once(readLegacy(kind)), answer: accepted },
        { method: 'GET', path: `/v1/videos/${kind}/{id}`, kind: 'poll', find: ofKind(kind),
          answer: (q, job) => ok(legacyTask(job, job.stateAt(q.now))) },
    ]);

    return {
        authorized,
        unauthorized: () => answer(401, 1002, 'Authorization is invalid'),
        unknown: () => answer(404, 1203, 'The requested resource does not exist'),
        newId: () => `83${digits(8)}${digits(9)}`,
        door: {
            '429': () => answer(429, 1302, 'API request too fast, exceeded rate limit'),
            '500-before': () => answer(500, 5000, 'Server internal error'),
            '500-after': () => answer(504, 5002, 'Server internal timeout'),
            'refused': () => invalid('settings.duration is invalid'),
            'moderated-submit': () => answer(400, 1301, 'The content triggered the content security policy'),
            'no-credit': () => answer(429, 1101, 'Account in arrears'),
            'park': () => answer(429, 1102, 'Resource pack depleted'),
        },
        tells: () => ['running', 'end'],
        callback(job, state, c) {
            const body = JSON.stringify((job.legacy ? legacyTask : task)(job, state));
            const signed = !sim.settings.unsigned.includes('kling');
            return { body, headers: signed ? standardHeaders(webhookSecret('kling'), c, body)
                : { 'Content-Type': 'application/json' } };
        },
        routes: [
            ...newStyle, ...legacyStyle,
            { method: 'GET', path: '/tasks', kind: 'poll', batch: true, answer: tasks },
            { method: 'POST', path: '/tasks', kind: 'list', answer: sweep },
        ],
    };
}
