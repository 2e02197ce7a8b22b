/* MiniMax (Hailuo), as of November 2026: https://platform.minimax.io/docs. Two generations: v1 says HTTP 200 to nearly
 * everything and has the file behind a second call; v2 has real HTTP codes and the file in the task. Callbacks are
 * unsigned, and come only to those who answer a challenge. */
import { randomBytes, randomInt } from 'node:crypto';
import { json, text } from '../answer.mjs';
import { apiKey } from '../keys.mjs';
import { readV1, readV2 } from './minimax_wishes.mjs';

const V1_WORDS = { queued: 'Queueing', running: 'Processing', done: 'Success', failed: 'Fail' };
const V1_HOOK_WORDS = { running: 'processing', done: 'success', failed: 'failed' };
const V2_WORDS = { queued: 'queued', running: 'running', done: 'succeeded', failed: 'failed', canceled: 'cancelled' };
const FAILURES = {
    'fails': [2013, 'invalid params, the input cannot be used'],
    'fails-retryable': [1000, 'unknown error, please retry later'],
    'moderated-run': [1026, 'video description contains sensitive content'],
    'moderated-output': [1027, 'generated video contains sensitive content'],
};
const CHALLENGE_MS = 3000;
const WEEK_MS = 7 * 86400000;
const LINK_S = 32400;
const SIZES = { '512P': [960, 540], '720P': [1280, 720], '768P': [1366, 768], '1080P': [1920, 1080] };

/* Beyond what a double holds exactly. */
const bigId = () => `${randomInt(1, 10)}${[...Array(17)].map(() => randomInt(10)).join('')}`;
const resp = (code, message) => ({ base_resp: { status_code: code, status_msg: message } });
const SUCCESS = resp(0, 'success');
const isV2 = (q) => q.path.startsWith('/v2/');

/* One refusal, as each generation says it. */
function refusal(code, message, status, type) {
    return (q) => isV2(q)
        ? json(status, { type: 'error', error: { type, message: `${message} (${code})`, http_code: String(status) },
                         request_id: randomBytes(16).toString('hex') })
        : json(200, resp(code, message), { 'Trace-Id': randomBytes(16).toString('hex') });
}
const invalid = (q, message) => refusal(2013, `invalid params, ${message}`, 400, 'invalid_request_error')(q);

/* file_id is a number here: written as one, digit by digit. */
const withNumber = (value) =>
    text(200, JSON.stringify(value).replace(/"file_id":"(\d+)"/, '"file_id":$1'), 'application/json');

export default function minimax(sim) {
    const byFile = new Map();
    const seconds = (ms) => Math.floor(ms / 1000);

    function v1Task(job, state, words = V1_WORDS) {
        const [code, message] = state === 'failed' ? FAILURES[job.failure] : [0, 'success'];
        const done = state === 'done', [width, height] = SIZES[job.resolution] ?? SIZES['768P'];
        return {
            task_id: job.id, status: job.word(state, words),
            file_id: done && !job.tags['done-empty'] ? job.file : '',
            ...done && { video_width: width, video_height: height }, ...resp(code, message),
        };
    }

    function v2Row(job, state) {
        const at = { queued: job.acceptedMs, running: job.runsMs }[state] ?? job.endedMs();
        return {
            id: job.id, model: job.model, status: job.word(state, V2_WORDS), created_at: seconds(job.acceptedMs),
            updated_at: seconds(at), resolution: job.resolution, duration: job.seconds, ratio: job.ratio ?? 'adaptive',
        };
    }

    function v2Task(job, state) {
        const [code, message] = state === 'failed' ? FAILURES[job.failure] : [];
        const done = state === 'done';
        return { task: {
            ...v2Row(job, state), content: done && !job.tags['done-empty'] ? { url: sim.fileUrl(job) } : null,
            ...done && { usage: { total_seconds: job.seconds, input_seconds: 0, output_seconds: job.seconds } },
            error: code === undefined ? null : { code: String(code), message },
        } };
    }

    const known = (q, job, v2) => job && job.v2 === v2 && q.now < job.acceptedMs + WEEK_MS ? job : undefined;
    const ofQuery = (q) => known(q, q.dialect.jobs.get(q.query.get('task_id')), false);
    const ofPath = (q) => known(q, q.dialect.jobs.get(q.params.id), true);
    const noTask = (q) => invalid(q, 'invalid task_id');

    function accepted(q, job) {
        job.file = bigId();
        byFile.set(job.file, job);
        return json(200, { task_id: job.id, ...job.v2 ? {} : SUCCESS });
    }

    const ofFile = (q) => {
        const job = byFile.get(q.query.get('file_id'));
        return job && !job.v2 && job.stateAt(q.now) === 'done' && !job.tags['done-empty'] ? job : undefined;
    };
    const file = (q, job) => withNumber({
        file: { file_id: job.file, bytes: 12345, created_at: seconds(job.endsMs), filename: 'output_aigc.mp4',
                purpose: 'video_generation', download_url: `${sim.fileUrl(job)}?Expires=${seconds(q.now) + LINK_S}` },
        ...SUCCESS,
    });

    /* The last seven days, without prompts. */
    function list(q) {
        const asked = (name, otherwise) => q.query.get(name) ?? otherwise;
        const page = Number(asked('page_num', 1)), size = Number(asked('page_size', 20));
        if (!(page >= 1 && size >= 1 && size <= 100))
            return invalid(q, 'page_num or page_size');
        const rows = [...q.dialect.jobs.values()].reverse().filter((job) => known(q, job, true) && !job.tags.forgets)
            .map((job) => v2Row(job, job.stateAt(q.now)))
            .filter((row) => ['status', 'model'].every((name) => asked(`filter.${name}`, row[name]) === row[name]));
        return json(200, { items: rows.slice((page - 1) * size, page * size), total: rows.length });
    }

    function remove(q, job) {
        const state = job.stateAt(q.now);
        if (state === 'running' || state === 'canceled' || (state === 'queued' && !sim.cancel(job, q.now)))
            return invalid(q, `the task is ${V2_WORDS[state]} and cannot be canceled or deleted`);
        if (state !== 'queued')
            q.dialect.jobs.delete(job.id);
        return json(200, { task_id: job.id, action: state === 'queued' ? 'cancelled' : 'deleted' });
    }

    function callback(job, state, { forged }) {
        const told = forged ? 'done' : state; /* nothing is signed: whoever knows the URL may say anything */
        const body = job.v2 ? v2Task(job, told) : v1Task(job, told, V1_HOOK_WORDS);
        if (forged && job.v2)
            body.task.content = { url: 'https://forged.example/out.mp4' };
        else if (forged)
            body.file_id = '1';
        return { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
    }

    async function handshake(job, post) {
        const challenge = randomBytes(16).toString('hex');
        const { status, body } = await post({ 'Content-Type': 'application/json' }, JSON.stringify({ challenge }),
            CHALLENGE_MS);
        try {
            return status === 200 && JSON.parse(body).challenge === challenge;
        } catch { /* no JSON, or none with members */
            return false;
        }
    }

    return {
        authorized: (q) => q.key() === apiKey('minimax'),
        unauthorized: (q) => q.key() ? refusal(2049, 'invalid api key', 401, 'authentication_error')(q)
            : refusal(1004, 'login fail: Please carry the API secret key in the Authorization field', 401,
                'authentication_error')(q),
        unknown: () => text(404, '404 page not found'),
        newId: bigId,
        door: {
            '429': refusal(1002, 'rate limit exceeded', 429, 'rate_limit_error'),
            '500-before': refusal(1000, 'unknown error', 500, 'api_error'),
            '500-after': refusal(1001, 'request timeout', 504, 'api_error'),
            'refused': refusal(2013, 'invalid params, duration', 400, 'invalid_request_error'),
            'moderated-submit': refusal(1026, 'input sensitive', 400, 'invalid_request_error'),
            'no-credit': refusal(1008, 'insufficient balance', 402, 'insufficient_balance_error'),
            'park': refusal(2056, 'usage limit exceeded', 429, 'rate_limit_error'),
        },
        tells: () => ['running', 'end'],
        callback,
        handshake,
        callbackPolicy: { retryMs: [] },
        routes: [
            { method: 'POST', path: '/v1/video_generation', kind: 'submit', read: (q) => readV1(q, invalid),
              answer: accepted },
            { method: 'POST', path: '/v2/video_generation', kind: 'submit', read: (q) => readV2(q, invalid),
              answer: accepted },
            { method: 'GET', path: '/v1/query/video_generation', kind: 'poll', find: ofQuery, unknown: noTask,
              answer: (q, job) => json(200, v1Task(job, job.stateAt(q.now))) },
            { method: 'GET', path: '/v2/query/video_generation/{id}', kind: 'poll', find: ofPath, unknown: noTask,
              answer: (q, job) => json(200, v2Task(job, job.stateAt(q.now))) },
            { method: 'GET', path: '/v1/files/retrieve', kind: 'result', find: ofFile, answer: file,
              unknown: (q) => invalid(q, 'file_id') },
            { method: 'GET', path: '/v2/query/video_generation', kind: 'list', answer: list },
            { method: 'DELETE', path: '/v2/video_generation/{id}', kind: 'cancel', find: ofPath, unknown: noTask,
              answer: remove },
        ],
    };
}
