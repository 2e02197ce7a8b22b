/* The /v1/videos dialect as a plain gateway speaks it, as of November 2026: what OpenAI's specification does not name is
 * ignored, so no reference and no URL for callbacks; these are per account. */
import { randomBytes } from 'node:crypto';
import { json, withHeader } from '../answer.mjs';
import { webhookSecret } from '../keys.mjs';
import { multipart } from '../request.mjs';
import { standardHeaders } from '../sign.mjs';

const WORDS = { queued: 'queued', running: 'in_progress', done: 'completed', failed: 'failed' };
const PROMPT_MAX = 32000;
const LIFE_S = 86400;
const FAILURES = {
    'fails': { code: 'video_generation_failed', message: 'Video generation failed.' },
    'fails-retryable': { code: 'internal_error', message: 'The server had an error while processing your request.' },
    'moderated-run': { code: 'moderation_blocked', message: 'Your request was blocked by our moderation system.' },
    'moderated-output': { code: 'moderation_blocked', message: 'The generated video was blocked by our moderation system.' },
};

const seconds = (ms) => Math.floor(ms / 1000);
const problem = (status, type, code, message, param = null) => json(status, { error: { message, type, param, code } });
const invalid = (param, message, code = null) => problem(400, 'invalid_request_error', code, message, param);

/* The fields of either kind of body; undefined when it is neither. In a form, members of an object come as
 * "input_reference[image_url]": so does OpenAI's client send them. */
function fieldsOf(q) {
    const parts = multipart(q.body, q.headers['content-type']);
    if (!parts)
        return q.json;
    const fields = {};
    for (const { name, filename, type, data } of parts) {
        const [, outer, inner] = /^([^[]+)\[([^\]]+)\]$/.exec(name) ?? [undefined, name];
        const value = filename === undefined ? data.toString('utf8') : { file: filename, type };
        if (inner === undefined)
            fields[outer] = value;
        else
            fields[outer] = { ...fields[outer], [inner]: value };
    }
    return fields;
}

function referenceFault(reference) {
    if (reference === undefined || reference?.file !== undefined)
        return false;
    const keys = Object.keys(reference ?? {});
    return keys.length !== 1 || !['image_url', 'file_id'].includes(keys[0]);
}

function read(q) {
    const { prompt, model = 'sora-2', seconds: length = '4', size = '720x1280', input_reference: reference } =
        fieldsOf(q) ?? {};
    if (typeof prompt !== 'string' || prompt.length < 1 || prompt.length > PROMPT_MAX)
        return invalid('prompt', `prompt must be a string of 1 to ${PROMPT_MAX} characters.`);
    if (typeof length !== 'string' || !/^[1-9]\d*$/.test(length))
        return invalid('seconds', `Invalid type for 'seconds': expected a string of digits.`, 'invalid_type');
    if (!/^\d+x\d+$/.test(size))
        return invalid('size', `Invalid value: '${size}'.`, 'invalid_value');
    if (referenceFault(reference))
        return invalid('input_reference', 'input_reference takes exactly one of image_url and file_id.');
    return { prompt, model, seconds: Number(length), size, ratio: size, image: reference !== undefined };
}

function video(job, now) {
    const state = job.stateAt(now), done = state === 'done';
    return {
        id: job.id, object: 'video', model: job.model, status: job.word(state, WORDS),
        progress: done ? 100 : state === 'queued' ? 0 : Math.floor(100 * job.progressAt(now)),
        created_at: seconds(job.acceptedMs), completed_at: done ? seconds(job.endsMs) : null,
        expires_at: done ? seconds(job.endsMs) + LIFE_S : null, prompt: job.prompt, size: job.size,
        seconds: String(job.seconds), remixed_from_video_id: null,
        error: state === 'failed' ? FAILURES[job.failure] : null,
    };
}

function poll(q, job) {
    const answer = json(200, video(job, q.now)), after = job.tags['poll-after'];
    return after ? withHeader(answer, 'openai-poll-after-ms', after.value) : answer;
}

function list(q) {
    const limit = Math.min(100, Number(q.query.get('limit') ?? 20)), after = q.query.get('after');
    const rows = [...q.dialect.jobs.values()].filter(({ tags }) => !tags.forgets);
    if (q.query.get('order') !== 'asc')
        rows.reverse();
    const from = after ? rows.findIndex(({ id }) => id === after) + 1 : 0;
    const data = rows.slice(from, from + limit).map((job) => video(job, q.now));
    return json(200, { object: 'list', data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null,
                       has_more: rows.length > from + limit });
}

function content(q, job) {
    const variant = q.query.get('variant') ?? 'video';
    if (variant !== 'video')
        return invalid('variant', `This gateway has no ${variant}.`);
    if (job.stateAt(q.now) !== 'done')
        return problem(404, 'invalid_request_error', null, 'Video is not ready yet.');
    return q.sim.film(q, job);
}

/* No way to stop one: only what is over can be deleted. */
function remove(q, job) {
    if (!job.ended(q.now))
        return problem(409, 'invalid_request_error', null, 'Video is still in progress.');
    q.dialect.jobs.delete(job.id);
    return json(200, { id: job.id, object: 'video.deleted', deleted: true });
}

export default function openai() {
    return {
        unauthorized: () => problem(401, 'invalid_request_error', 'invalid_api_key', 'Incorrect API key provided.'),
        unknown: () => problem(404, 'invalid_request_error', null, 'Not found.'),
        newId: () => `video_${randomBytes(20).toString('hex')}`,
        publicFiles: false,
        door: {
            '429': () => problem(429, 'requests', 'rate_limit_exceeded', 'Rate limit reached for requests.'),
            '500-before': () => problem(500, 'server_error', null, 'The server had an error processing your request.'),
            'refused': () => invalid('seconds', 'Invalid value: \'5\'. Supported values are: \'4\', \'8\', and \'12\'.',
                'invalid_value'),
            'moderated-submit': () => invalid('prompt', 'Your request was blocked by our moderation system.',
                'moderation_blocked'),
            'no-credit': () => problem(429, 'insufficient_quota', 'insufficient_quota',
                'You exceeded your current quota, please check your plan and billing details.'),
            'park': () => problem(429, 'invalid_request_error', 'billing_hard_limit_reached',
                'Billing hard limit has been reached.'),
        },
        accountHook: true,
        tells: () => ['end'],
        callback(job, state, c) {
            const body = JSON.stringify({
                object: 'event', id: c.id.replace('msg_', 'evt_'), created_at: c.timestamp,
                type: state === 'done' ? 'video.completed' : 'video.failed', data: { id: job.id },
            });
            return { body, headers: standardHeaders(webhookSecret('openai'), c, body) };
        },
        routes: [
            { method: 'POST', path: '/v1/videos', kind: 'submit', read, answer: poll },
            { method: 'GET', path: '/v1/videos', kind: 'list', answer: list },
            { method: 'GET', path: '/v1/videos/{id}', kind: 'poll', answer: poll },
            { method: 'GET', path: '/v1/videos/{id}/content', kind: 'download', answer: content },
            { method: 'DELETE', path: '/v1/videos/{id}', kind: 'cancel', answer: remove },
            { method: 'GET', path: '/v1/models', kind: 'other', answer: () => json(200, {
                object: 'list', data: [{ id: 'sora-2', object: 'model', created: 1759276800, owned_by: 'system' }],
            }) },
        ],
    };
}
