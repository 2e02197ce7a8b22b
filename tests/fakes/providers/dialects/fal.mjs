/* fal's queue, as of November 2026: https://docs.fal.ai/model-endpoints/queue. Three hosts: /queue, /api, /rest. */
import { randomUUID } from 'node:crypto';
import { json } from '../answer.mjs';
import { FAL_USER_ID, apiKey, falJwks, falKey } from '../keys.mjs';
import { falHeaders } from '../sign.mjs';

const WORDS = { queued: 'IN_QUEUE', running: 'IN_PROGRESS', done: 'COMPLETED', failed: 'COMPLETED', canceled: 'COMPLETED' };
const PAGE = 100;
const DAY_MS = 86400000;
const flagged = 'The content could not be processed because it contained material flagged by a content checker.';
const detail = (loc, msg, type) => ({ detail: [{ loc, msg, type, url: `https://docs.fal.ai/errors#${type}` }] });
const platform = (words, type) => ({ detail: words, error_type: type });

/* How a run that brought nothing looks behind its result URL. `told`: the status says so too. */
const FAILURES = {
    'fails': { status: 500, value: platform('Internal server error', 'internal_error'), retryable: false },
    'fails-retryable': { status: 503, value: platform('Runner disconnected', 'runner_disconnected'), retryable: true,
                         told: true },
    'moderated-run': { status: 422, value: detail(['body', 'prompt'], flagged, 'content_policy_violation'),
                       retryable: false },
    'moderated-output': { status: 422, value: detail(['body', 'video'], flagged, 'content_policy_violation'),
                          retryable: false },
    'request-timeout': { status: 504, value: platform('Request timed out', 'request_timeout'), retryable: false,
                         told: true, headers: { 'X-Fal-Request-Timeout-Type': 'user' } },
    'canceled': { status: 499, value: platform('Request was cancelled', 'client_cancelled'), retryable: false,
                  told: true },
};

/* "8s", "5", 5, or frames */
function secondsOf({ duration, num_frames: frames, frames_per_second: rate }) {
    return parseInt(duration, 10) || (frames > 0 && rate > 0 ? frames / rate : 5);
}

/* Status and result are asked for without the sub-path that was submitted to. */
const appOf = (model) => model.split('/').slice(0, /^(workflows|comfy)\//.test(model) ? 3 : 2).join('/');

export default function fal(sim) {
    const urlsOf = (job) => {
        const url = `${sim.url}/fal/queue/${job.app}/requests/${job.id}`;
        return { response_url: url, status_url: `${url}/status`, cancel_url: `${url}/cancel` };
    };
    const seen = (job) => ({ 'x-fal-request-id': job.id });
    const failureOf = (job) => FAILURES[job.canceledMs ? 'canceled' : job.failure];

    function status(q, job) {
        const state = job.stateAt(q.now), word = job.word(state, WORDS), failure = failureOf(job);
        const value = { status: word, request_id: job.id, ...urlsOf(job) };
        if (state === 'queued')
            value.queue_position = Math.max(0, Math.floor(3 * (job.runsMs - q.now) / (job.runsMs - job.acceptedMs)));
        if (state !== 'queued' && q.query.get('logs') === '1')
            value.logs = [{ message: 'step 3', level: 'INFO', source: 'USER',
                            timestamp: new Date(job.runsMs).toISOString() }];
        if (!job.ended(q.now))
            return json(202, value, seen(job));
        if (failure?.told)
            Object.assign(value, { error: failure.value.detail, error_type: failure.value.error_type });
        else
            value.metrics = { inference_time: (job.endsMs - job.runsMs) / 1000 };
        return json(200, value, seen(job));
    }

    function output(job) {
        const video = { url: sim.fileUrl(job), content_type: 'video/mp4', file_name: 'out.mp4' };
        return { video: job.tags['done-empty'] ? null : video, seed: job.seed ?? 1234567 };
    }

    function result(q, job) {
        if (!job.ended(q.now))
            return json(400, { detail: 'Request is still in progress' }, seen(job));
        const failure = failureOf(job);
        if (!failure)
            return json(200, output(job), seen(job));
        const type = failure.value.error_type;
        return json(failure.status, failure.value, {
            ...seen(job), ...failure.headers, 'X-Fal-Retryable': String(failure.retryable),
            ...type && { 'x-fal-error-type': type },
        });
    }

    function read(q) {
        const input = q.json;
        if (!input)
            return json(422, detail(['body'], 'Input should be a valid dictionary', 'value_error'));
        if (typeof input.prompt !== 'string' || !input.prompt)
            return json(422, detail(['body', 'prompt'], 'Field required', 'missing'));
        const startS = Number(q.headers['x-fal-request-timeout']);
        return {
            prompt: input.prompt, seed: input.seed, model: q.params.model, app: appOf(q.params.model), input,
            callback: q.query.get('fal_webhook') ?? undefined, seconds: secondsOf(input), ratio: input.aspect_ratio,
            image: Boolean(input.image_url ?? input.start_image_url), startMs: startS > 0 ? startS * 1000 : undefined,
        };
    }

    function accepted(q, job) {
        if (job.startMs < job.runsMs - job.acceptedMs) { /* it will not have started in time */
            job.runsMs = job.endsMs = job.acceptedMs + job.startMs;
            Object.assign(job, { failure: 'request-timeout', end: 'failed' });
        }
        return json(200, { status: 'IN_QUEUE', request_id: job.id, gateway_request_id: job.id, ...urlsOf(job),
                           queue_position: 0 }, seen(job));
    }

    const ofApp = (q) => {
        const job = q.dialect.jobs.get(q.params.id);
        return job?.app === q.params.app ? job : undefined;
    };

    function cancel(q, job) {
        if (job.ended(q.now))
            return json(400, { status: 'ALREADY_COMPLETED' }, seen(job));
        sim.cancel(job, q.now); /* a signal: with "no-cancel" it runs to its end all the same */
        return json(202, { status: 'CANCELLATION_REQUESTED' }, seen(job));
    }

    /* Only of requests that are over. */
    function history(q) {
        const asked = (name, otherwise) => q.query.get(name) ?? otherwise;
        const endpoint = asked('endpoint_id');
        if (!endpoint)
            return json(422, detail(['query', 'endpoint_id'], 'Field required', 'missing'));
        const start = Date.parse(asked('start')) || q.now - DAY_MS, end = Date.parse(asked('end')) || q.now;
        const limit = Math.min(PAGE, Number(asked('limit', 50))), from = Number(asked('cursor', 0));
        const class_ = (code) => code < 400 ? 'success' : code < 500 ? 'user_error' : 'error';
        const rows = [...q.dialect.jobs.values()].reverse()
            .filter((job) => job.model === endpoint && job.acceptedMs >= start && job.acceptedMs <= end &&
                job.ended(q.now) && !job.tags.forgets)
            .filter((job) => asked('request_id', job.id) === job.id &&
                (!asked('status') || asked('status') === class_(failureOf(job)?.status ?? 200)));
        const iso = (ms) => new Date(ms).toISOString();
        const items = rows.slice(from, from + limit).map((job) => ({
            request_id: job.id, endpoint_id: job.model, sent_at: iso(job.acceptedMs), started_at: iso(job.runsMs),
            ended_at: iso(job.endedMs()), status_code: failureOf(job)?.status ?? 200,
            duration: (job.endedMs() - job.runsMs) / 1000,
            ...asked('expand') === 'payloads' && { json_input: job.input,
                                                   json_output: failureOf(job)?.value ?? output(job) },
        }));
        const more = rows.length > from + limit;
        return json(200, { items, next_cursor: more ? String(from + limit) : null, has_more: more });
    }

    return {
        authorized: (q) => q.key('Key') === apiKey('fal'),
        unauthorized: () => json(401, { detail: 'Authentication is required to access this application.' }),
        unknown: () => json(404, { detail: 'Not Found' }),
        newId: () => randomUUID(),
        charges: { 'moderated-output': true },
        door: {
            '429': () => json(429, { error: { message: 'Too many requests', code: 429 } }),
            '500-before': () => json(502, { error: { message: 'Bad gateway', code: 502 } }),
            '500-after': (q, tag, job) => json(500, platform('Internal server error', 'internal_error'), seen(job)),
            'refused': () => json(422, detail(['body', 'duration'], 'Input should be \'4s\', \'6s\' or \'8s\'',
                'value_error')),
            'moderated-submit': () => json(422, detail(['body', 'prompt'], flagged, 'content_policy_violation')),
            'no-credit': () => json(403, { detail: 'User is locked. Reason: Exhausted balance. ' +
                'Top up your balance at fal.ai/dashboard/billing' }),
        },
        tells: () => ['end'],
        callback(job, state, c) {
            const failure = failureOf(job);
            /* Run again by fal itself: the event has an id of its own beside the one that was given out. */
            const id = job.tags.rerun ? job.rerunId ??= randomUUID() : job.id;
            const outcome = failure
                ? { status: 'ERROR', error: `Invalid status code: ${failure.status}`, payload: failure.value }
                : job.tags['payload-error'] ? { status: 'OK', payload: null, payload_error: 'Output is not serializable' }
                    : { status: 'OK', payload: output(job) };
            const body = JSON.stringify({ request_id: id, gateway_request_id: job.id, ...outcome });
            return { body, headers: falHeaders(falKey, FAL_USER_ID, id, c, body) };
        },
        callbackPolicy: { timeoutMs: 15000 },
        routes: [
            { method: 'POST', path: '/queue/{model...}', kind: 'submit', read, answer: accepted },
            { method: 'GET', path: '/queue/{app...}/requests/{id}/status', kind: 'poll', find: ofApp, answer: status },
            { method: 'GET', path: '/queue/{app...}/requests/{id}', kind: 'result', find: ofApp, answer: result },
            { method: 'PUT', path: '/queue/{app...}/requests/{id}/cancel', kind: 'cancel', find: ofApp, answer: cancel,
              unknown: () => json(404, { status: 'NOT_FOUND' }) },
            { method: 'GET', path: '/api/v1/models/requests/by-endpoint', kind: 'list', answer: history },
            { method: 'GET', path: '/rest/.well-known/jwks.json', kind: 'other', auth: false,
              answer: () => json(200, falJwks) },
        ],
    };
}
