/* The HTTP side: one function per route. Every failure is either a Problem (the server said no,
 * with a code) or Unreachable (nobody knows whether it arrived). */

import { noteServerDate } from './time.js';

const ANSWER_WITHIN_MS = 20000;

export class Problem extends Error {
    constructor(status, body, retryAfter) {
        super(body.detail || body.title || `HTTP ${status}`);
        this.status = status;
        this.code = body.code ?? `http_${status}`;
        this.title = body.title ?? '';
        this.detail = body.detail ?? '';
        this.requestId = body.requestId ?? '';
        this.errors = Array.isArray(body.errors) ? body.errors : [];
        this.limit = body.limit ?? null;
        this.jobId = body.jobId ?? '';
        this.createdAt = body.createdAt ?? '';
        this.retryAfterMs = Number(retryAfter) > 0 ? Number(retryAfter) * 1000 : 0;
    }

    /* The same request may be sent again; a job with the same Idempotency-Key is not made twice. What an
     * account's limit refuses may take until tomorrow: a person decides about that. */
    get passing() {
        if (this.limit) return false;
        return this.status >= 500 || this.status === 429 || this.code === 'idempotency_in_flight';
    }
}

export class Unreachable extends Error {}

let unauthorized = () => {};

export function onUnauthorized(fn) {
    unauthorized = fn;
}

/* What the server says no with. */
export function refusalOf(status, body, retryAfter, signInRoute = false) {
    if (status === 401 && !signInRoute) unauthorized();
    return new Problem(status, body ?? {}, retryAfter);
}

async function readBody(response) {
    const type = response.headers.get('Content-Type') ?? '';
    if (!/[/+]json\b/.test(type)) return null;
    return response.json();
}

export async function call(method, path, { body, type = 'application/json', headers = {}, signInRoute = false, signal } = {}) {
    const init = {
        method,
        headers: { Accept: 'application/json', ...headers },
        cache: 'no-store',
        credentials: 'same-origin',
        redirect: 'error',
        signal: signal ?? AbortSignal.timeout(ANSWER_WITHIN_MS),
    };
    if (body !== undefined) {
        init.body = body;
        init.headers['Content-Type'] = type;
    }
    let response, data;
    try {
        response = await fetch(path, init);
        data = response.status === 204 ? {} : await readBody(response);
    } catch (cause) {
        throw new Unreachable('no answer', { cause });
    }
    noteServerDate(response.headers.get('Date'));
    if (response.ok) {
        if (data === null)
            /* a hotel's login page answers 200 as well */
            throw new Unreachable('not our server');
        return data;
    }
    throw refusalOf(response.status, data, response.headers.get('Retry-After'), signInRoute);
}

const job = (id) => `/v1/jobs/${encodeURIComponent(id)}`;

export const api = {
    signIn: (key) =>
        call('POST', '/v1/sessions', { body: JSON.stringify({ key }), signInRoute: true }),
    signOut: () => call('DELETE', '/v1/sessions', { signInRoute: true }),
    me: () => call('GET', '/v1/me', { signInRoute: true }),
    models: () => call('GET', '/v1/models'),
    status: () => call('GET', '/v1/status'),
    quote: (body, signal) => call('POST', '/v1/quotes', { body, signal }),
    /* body is the exact text: with the same key the server compares it with the first one. */
    create: (key, body) => call('POST', '/v1/jobs', { body, headers: { 'Idempotency-Key': key } }),
    uploaded: (id) => call('GET', `/v1/uploads/${encodeURIComponent(id)}`),
    list: (query) => call('GET', `/v1/jobs?${new URLSearchParams(query)}`),
    read: (id) => call('GET', job(id)),
    events: (id) => call('GET', `${job(id)}/events`),
    cancel: (id) => call('POST', `${job(id)}/cancel`),
    retry: (id, key) => call('POST', `${job(id)}/retry`, { headers: { 'Idempotency-Key': key } }),
    share: (id, seconds) =>
        call('POST', `${job(id)}/shares`, { body: JSON.stringify({ expiresInSeconds: seconds }) }),
    shares: (id) => call('GET', `${job(id)}/shares`),
    revokeShare: (id, shareId) => call('DELETE', `${job(id)}/shares/${encodeURIComponent(shareId)}`),
    usage: (query) => call('GET', `/v1/usage?${new URLSearchParams(query)}`),
    shared: (token) => call('GET', `/v1/shared/${encodeURIComponent(token)}`),
    erase: (id) => call('DELETE', job(id)),
};
