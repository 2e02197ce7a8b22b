/* Replicate predictions, as of November 2026: https://replicate.com/docs/reference/http */
import { randomBytes } from 'node:crypto';
import { json } from '../answer.mjs';
import { apiKey, webhookSecret } from '../keys.mjs';
import { standardHeaders } from '../sign.mjs';

const WORDS = { queued: 'starting', running: 'processing', done: 'succeeded', failed: 'failed' };
const ID = 'abcdefghijklmnopqrstuvwxyz234567';
const PAGE = 100;
const ERRORS = {
    'fails': 'CUDA error: an illegal memory access was encountered',
    'fails-retryable': 'Prediction interrupted; please retry (code: PA)',
    'moderated-run': 'The input or output was flagged as sensitive. Please try again with different inputs. (E005)',
    'moderated-output': 'NSFW content detected. Try running it again, or try a different prompt.',
};

const iso = (ms) => new Date(ms).toISOString();
const problem = (status, title, detail) => json(status, { title, detail, status });
const invalid = (field, description) => json(422, {
    title: 'Input validation failed', detail: `- ${field}: ${description}\n`, status: 422,
    invalid_fields: [{ type: 'required', field, description }],
});

/* "5m", "30s", "1h" to milliseconds */
function lasts(text) {
    const [, n, unit] = /^(\d+)([smh])$/.exec(text ?? '') ?? [];
    return n ? Number(n) * { s: 1000, m: 60000, h: 3600000 }[unit] : undefined;
}

export default function replicate(sim) {
    const url = (job) => `${sim.url}/replicate/v1/predictions/${job.id}`;

    function prediction(job, state, now) {
        const ended = state === 'done' || state === 'failed' || state === 'canceled';
        const gone = state === 'done' && job.tags['done-empty'] !== undefined;
        const neverRan = job.canceledMs && job.canceledMs < job.runsMs;
        return {
            id: job.id, model: job.model, version: job.version, input: gone ? {} : job.input,
            output: state === 'done' && !gone ? job.listed ? [sim.fileUrl(job)] : sim.fileUrl(job) : null,
            logs: state === 'running' ? ` ${Math.floor(100 * job.progressAt(now))}%|` : '',
            error: state === 'failed' ? ERRORS[job.failure] : null,
            status: state === 'canceled' ? neverRan ? 'aborted' : 'canceled' : job.word(state, WORDS),
            source: 'api', data_removed: gone, created_at: iso(job.acceptedMs),
            started_at: state === 'queued' || neverRan ? null : iso(job.runsMs),
            completed_at: ended ? iso(job.endedMs()) : null,
            ...job.deadlineMs && { deadline: iso(job.deadlineMs) },
            metrics: state === 'done' ? { predict_time: (job.endsMs - job.runsMs) / 1000,
                                          total_time: (job.endsMs - job.acceptedMs) / 1000 } : {},
            ...job.callback && { webhook: job.callback, webhook_events_filter: job.events },
            urls: { get: url(job), cancel: `${url(job)}/cancel`, web: `https://replicate.com/p/${job.id}` },
        };
    }

    /* Its deadline has passed: the provider stops it by itself. */
    function onTime(job, now) {
        if (job.deadlineMs && now >= job.deadlineMs && !job.ended(job.deadlineMs))
            sim.cancel(job, job.deadlineMs);
        return prediction(job, job.stateAt(now), now);
    }

    const submitTo = (modelOf) => (q) => {
        const { input, webhook, webhook_events_filter: events, version } = q.json ?? {};
        if (typeof input !== 'object' || input === null)
            return invalid('input', 'input is required');
        if (typeof input.prompt !== 'string')
            return invalid('input.prompt', 'prompt is required');
        if (webhook !== undefined && !/^https?:\/\//.test(webhook))
            return invalid('webhook', 'webhook must be an https URL');
        const model = modelOf(q);
        if (typeof model !== 'string')
            return problem(422, 'Invalid version or not permitted',
                'The specified version does not exist (or perhaps you don\'t have permission to use it?)');
        const forMs = lasts(q.headers['cancel-after']);
        return {
            prompt: input.prompt, seed: input.seed, model, input, version: version ?? 'hidden', callback: webhook,
            events: events ?? ['start', 'output', 'logs', 'completed'], seconds: Number(input.duration) || 5,
            ratio: input.aspect_ratio ?? input.size, deadlineMs: forMs && q.now + forMs,
            image: Boolean(input.image ?? input.start_image ?? input.first_frame_image),
        };
    };

    function accepted(q, job) {
        if (job.deadlineMs < job.endsMs)
            sim.agenda.at(job.deadlineMs, () => onTime(job, sim.now()));
        return json(201, prediction(job, job.stateAt(q.now), q.now));
    }

    function list(q) {
        const after = Date.parse(q.query.get('created_after') ?? 0) || 0;
        const before = Date.parse(q.query.get('created_before') ?? '') || Infinity;
        const from = Number(q.query.get('cursor') ?? 0);
        const rows = [...q.dialect.jobs.values()].reverse()
            .filter(({ acceptedMs: ms, tags }) => ms >= after && ms < before && !tags.forgets);
        const next = new URLSearchParams(q.search);
        next.set('cursor', String(from + PAGE));
        return json(200, {
            previous: null, next: rows.length > from + PAGE ? `${q.base}/v1/predictions?${next}` : null,
            results: rows.slice(from, from + PAGE).map((job) => {
                const { webhook, webhook_events_filter, logs, metrics, ...row } = onTime(job, q.now);
                return row;
            }),
        });
    }

    return {
        authorized: (q) => [q.key(), q.key('Token')].includes(apiKey('replicate')),
        unauthorized: () => problem(401, 'Unauthenticated', 'You did not pass a valid authentication token'),
        unknown: () => problem(404, 'Not found', 'The requested resource could not be found.'),
        newId: () => [...randomBytes(26)].map((byte) => ID[byte & 31]).join(''),
        keyOnFiles: true,
        door: {
            '429': (q, { value }) => json(429, {
                detail: `Request was throttled. Your rate limit resets in ~${value ?? 30}s.`, status: 429,
            }),
            '500-before': () => problem(500, 'Internal server error', 'Something went wrong.'),
            'refused': () => invalid('input.duration', 'duration must be one of the following: 4, 6, 8'),
            'no-credit': () => problem(402, 'Insufficient credit',
                'You have insufficient credit to run this model. Go to https://replicate.com/account/billing'),
        },
        tells: ({ events }) => [...events.includes('start') ? ['queued'] : [],
            ...events.includes('output') || events.includes('logs') ? ['running'] : [],
            ...events.includes('completed') ? ['end'] : []],
        callback(job, state, c) {
            const body = JSON.stringify(prediction(job, state, sim.now()));
            return { body, headers: standardHeaders(webhookSecret('replicate'), c, body) };
        },
        routes: [
            { method: 'POST', path: '/v1/models/{owner}/{model}/predictions', kind: 'submit',
              read: submitTo((q) => `${q.params.owner}/${q.params.model}`), answer: accepted },
            { method: 'POST', path: '/v1/deployments/{owner}/{model}/predictions', kind: 'submit',
              read: submitTo((q) => `${q.params.owner}/${q.params.model}`), answer: accepted },
            { method: 'POST', path: '/v1/predictions', kind: 'submit',
              read: submitTo((q) => q.json.version), answer: accepted },
            { method: 'GET', path: '/v1/predictions', kind: 'list', answer: list },
            { method: 'GET', path: '/v1/predictions/{id}', kind: 'poll',
              answer: (q, job) => json(200, onTime(job, q.now)) },
            { method: 'POST', path: '/v1/predictions/{id}/cancel', kind: 'cancel', answer(q, job) {
                sim.cancel(job, q.now);
                return json(200, onTime(job, q.now));
            } },
            { method: 'GET', path: '/v1/webhooks/default/secret', kind: 'other',
              answer: () => json(200, { key: webhookSecret('replicate') }) },
            { method: 'GET', path: '/v1/account', kind: 'other',
              answer: () => json(200, { type: 'organization', username: 'sim', name: 'Simulator' }) },
        ],
    };
}
