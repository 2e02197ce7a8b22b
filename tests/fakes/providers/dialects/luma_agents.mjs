/* Luma's Agents API (ray-3.2), as of November 2026: https://docs.agents.lumalabs.ai. No list, cancel, or callbacks. */
import { randomUUID } from 'node:crypto';
import { json } from '../answer.mjs';

const WORDS = { queued: 'queued', running: 'processing', done: 'completed', failed: 'failed' };
const FAILURES = {
    'fails': ['invalid_request', 'The request cannot be fulfilled.'],
    'fails-retryable': ['generation_failed', 'The generation failed. Try again.'],
    'moderated-run': ['content_moderated', 'The prompt was flagged by content moderation.'],
    'moderated-output': ['content_moderated', 'The output was flagged by content moderation.'],
};
const PROMPT_MAX = 6000;
const BODY_MAX = 20 << 20;
const RATIO = /^(9:16|3:4|1:1|4:3|16:9|21:9)$/;
const TYPE = /^(video|video_edit|video_reframe)$/;

const answer = (status, value, headers) => json(status, value, { 'X-API-Version': '2026-04-01', ...headers });
const problem = (status, detail, headers) => answer(status, { detail }, headers);
const invalid = (field, msg) =>
    problem(422, [{ type: 'value_error', loc: ['body', ...field.split('.')], msg }]);

/* Exactly one of a URL, bytes with their type, and an earlier generation. */
const frameFault = (frame) => frame !== undefined && (/^https?:\/\//.test(frame?.url) +
    (typeof frame?.data === 'string' && /^image\//.test(frame.media_type)) +
    (typeof frame?.generation_id === 'string')) !== 1;

function videoFault({ resolution, duration, start_frame: start, end_frame: end, loop, hdr, keyframes }) {
    if (resolution !== undefined && !/^(540p|720p|1080p)$/.test(resolution))
        return 'resolution';
    if (duration !== undefined && !/^(5|10)s$/.test(duration))
        return 'duration';
    if (frameFault(start) || frameFault(end))
        return 'start_frame';
    return duration === '10s' && (start || end || keyframes || loop || hdr) ? 'duration' : '';
}

function read(q) {
    const { model, type, prompt, aspect_ratio: ratio = '16:9', video = {} } = q.json ?? {};
    if (q.body.length > BODY_MAX)
        return problem(413, 'Request body too large');
    if (typeof model !== 'string' || !model)
        return invalid('model', 'Field required');
    if (!TYPE.test(type))
        return invalid('type', 'Input should be \'video\', \'video_edit\' or \'video_reframe\'');
    if (typeof prompt !== 'string' || prompt.length < 1 || prompt.length > PROMPT_MAX)
        return invalid('prompt', `String should have 1 to ${PROMPT_MAX} characters`);
    if (!RATIO.test(ratio))
        return invalid('aspect_ratio', 'Input is not one of the permitted values');
    const fault = videoFault(video ?? {});
    return fault ? invalid(`video.${fault}`, 'Input is not permitted here') : {
        prompt, model, type, ratio, seconds: parseInt(video.duration ?? '5s', 10),
        image: video.start_frame !== undefined,
    };
}

export default function lumaAgents(sim) {
    function generation(job, state) {
        const [code, reason] = state === 'failed' ? FAILURES[job.failure] : [null, null];
        const output = { type: 'video', url: `${sim.fileUrl(job)}?X-Amz-Expires=3600` };
        return {
            id: job.id, type: job.type, state: job.word(state, WORDS), model: job.model,
            created_at: new Date(job.acceptedMs).toISOString(), failure_reason: reason, failure_code: code,
            output: state === 'done' && !job.tags['done-empty'] ? [output] : [],
        };
    }

    return {
        unauthorized: () => problem(401, 'Invalid API key'),
        unknown: () => problem(404, 'Not found'),
        newId: () => randomUUID(),
        door: {
            '429': () => problem(429, 'Rate limit exceeded', { 'X-RateLimit-Limit': '20' }),
            '500-before': () => problem(503, 'Service unavailable'),
            'refused': () => invalid('video.duration', 'Input is not permitted here'),
            'no-credit': () => problem(402, 'Insufficient balance'),
        },
        routes: [
            { method: 'POST', path: '/v1/generations', kind: 'submit', read,
              answer: (q, job) => answer(201, generation(job, 'queued')) },
            { method: 'GET', path: '/v1/generations/{id}', kind: 'poll',
              answer: (q, job) => answer(200, generation(job, job.stateAt(q.now))) },
        ],
    };
}
