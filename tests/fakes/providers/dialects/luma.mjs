/* Luma's Dream Machine, as of November 2026: https://docs.lumalabs.ai and its SDK 1.19. Callbacks are unsigned and get
 * one chance; the list repeats the whole request, its callback URL included. */
import { randomUUID } from 'node:crypto';
import { json } from '../answer.mjs';

const ROOT = '/dream-machine/v1';
const WORDS = { queued: 'queued', running: 'dreaming', done: 'completed', failed: 'failed' };
const REASONS = { /* there are no codes */
    'fails': 'The generation could not be completed.',
    'fails-retryable': 'Internal error, please try again.',
    'moderated-run': 'The prompt was rejected by content moderation.',
    'moderated-output': 'The video violates our content policy.',
};
const CHOICES = {
    model: /^(ray-2|ray-flash-2|ray-1-6)$/,
    aspect_ratio: /^(1:1|16:9|9:16|4:3|3:4|21:9|9:21)$/,
    duration: /^[59]s$/,
    resolution: /^(540p|720p|1080p|4k)$/,
    generation_type: /^video$/,
    callback_url: /^https?:\/\//, /* http as well: whoever tests against this has no certificate */
};
const PAGE = 100;

const detail = (status, words) => json(status, { detail: words });
const invalid = (field, msg) =>
    json(422, { detail: [{ type: 'value_error', loc: ['body', ...field.split('.')], msg }] });
const NO_CONTENT = { status: 204, headers: {} };

const frameFault = (frame) => frame?.type === 'image' ? !/^https?:\/\//.test(frame.url)
    : frame?.type !== 'generation' || typeof frame.id !== 'string';

function read(q) {
    const request = q.json;
    if (!request)
        return invalid('', 'Input should be a valid dictionary');
    const { model, prompt, duration = '5s', aspect_ratio: ratio = '16:9', callback_url: callback, keyframes } = request;
    if (model === undefined)
        return invalid('model', 'Field required');
    for (const [name, shape] of Object.entries(CHOICES))
        if (request[name] !== undefined && !(typeof request[name] === 'string' && shape.test(request[name])))
            return invalid(name, 'Input is not one of the permitted values');
    if (prompt !== undefined && typeof prompt !== 'string')
        return invalid('prompt', 'Input should be a valid string');
    for (const [name, frame] of Object.entries(keyframes ?? {}))
        if (!/^frame[01]$/.test(name) || frameFault(frame))
            return invalid(`keyframes.${name}`, 'Input should be an image with a URL or a generation with an id');
    if (!prompt && !keyframes)
        return detail(400, 'Either a prompt or keyframes must be given');
    return { prompt: prompt ?? '', model, request, callback, seconds: parseInt(duration, 10), ratio,
             image: keyframes !== undefined };
}

export default function luma(sim) {
    function generation(job, state) {
        const assets = { video: sim.fileUrl(job), image: `${sim.fileUrl(job)}.jpg`, progress_video: null };
        return {
            id: job.id, generation_type: 'video', state: job.word(state, WORDS), model: job.model,
            failure_reason: state === 'failed' ? REASONS[job.failure] : null,
            created_at: new Date(job.acceptedMs).toISOString(),
            assets: state === 'done' && !job.tags['done-empty'] ? assets : null,
            request: { generation_type: 'video', ...job.request },
        };
    }
    const now = (q, job) => generation(job, job.stateAt(q.now));

    function list(q) {
        const limit = Number(q.query.get('limit') ?? PAGE), offset = Number(q.query.get('offset') ?? 0);
        if (!(limit >= 1 && limit <= PAGE && offset >= 0))
            return invalid('limit', `limit is 1 to ${PAGE}, offset 0 or more`);
        const rows = [...q.dialect.jobs.values()].reverse().filter(({ tags }) => !tags.forgets);
        return json(200, {
            generations: rows.slice(offset, offset + limit).map((job) => now(q, job)),
            count: rows.length, has_more: rows.length > offset + limit, limit, offset,
        });
    }

    function remove(q, job) {
        sim.cancel(job, q.now);
        q.dialect.jobs.delete(job.id);
        return NO_CONTENT;
    }

    const submit = { method: 'POST', kind: 'submit', read, answer: (q, job) => json(201, generation(job, 'queued')) };
    return {
        unauthorized: () => detail(401, 'Invalid API key'),
        unknown: () => detail(404, 'Generation not found'),
        newId: () => randomUUID(),
        door: {
            '429': () => json(429, { detail: 'Too many concurrent generations' }, { 'X-RateLimit-Limit': '20' }),
            '500-before': () => detail(502, 'Upstream error'),
            'refused': () => invalid('duration', 'Input is not one of the permitted values'),
            'moderated-submit': () => detail(400, 'The prompt was rejected by content moderation'),
            'no-credit': () => detail(400, 'Insufficient credits'),
        },
        tells: (job) => job.canceledMs ? [] : ['running', 'end'], /* nothing about what was deleted */
        callback(job, state, { forged }) {
            const told = generation(job, forged ? 'done' : state);
            if (forged) /* nothing is signed: whoever knows the URL may say anything */
                told.assets = { video: 'https://forged.example/out.mp4' };
            return { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(told) };
        },
        callbackPolicy: { ok: (status) => status === 200, retryMs: [100, 100, 100], timeoutMs: 5000 },
        routes: [
            { ...submit, path: `${ROOT}/generations/video` },
            { ...submit, path: `${ROOT}/generations` },
            { method: 'GET', path: `${ROOT}/generations`, kind: 'list', answer: list },
            { method: 'GET', path: `${ROOT}/generations/concepts/list`, kind: 'other',
              answer: () => json(200, ['handheld', 'dolly_zoom']) },
            { method: 'GET', path: `${ROOT}/generations/{id}`, kind: 'poll',
              answer: (q, job) => json(200, now(q, job)) },
            { method: 'DELETE', path: `${ROOT}/generations/{id}`, kind: 'cancel', answer: remove },
            { method: 'GET', path: `${ROOT}/credits`, kind: 'other',
              answer: () => json(200, { credit_balance: 123400 }) },
            { method: 'GET', path: `${ROOT}/ping`, kind: 'other', auth: false,
              answer: () => json(200, { message: 'pong' }) },
        ],
    };
}
