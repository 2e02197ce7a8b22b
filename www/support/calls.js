/* The desk's side of /v1/admin: one function per route. */

import { call } from '/app/api.js';

const post = (path, body) => call('POST', path, { body: JSON.stringify(body) });
const query = (path, filters) => {
    const set = Object.entries(filters).filter(([, v]) => v !== '' && v !== null && v !== undefined);
    return set.length > 0 ? `${path}?${new URLSearchParams(set)}` : path;
};
const job = (id) => `/v1/admin/jobs/${encodeURIComponent(id)}`;
const review = (id) => `/v1/admin/reviews/${encodeURIComponent(id)}`;

export const desk = {
    overview: () => call('GET', '/v1/admin/overview'),
    search: (filters) => call('GET', query('/v1/admin/jobs', filters)),
    file: (id) => call('GET', job(id)),
    act: (id, body) => post(`${job(id)}/actions`, body),
    actOnProvider: (name, body) => post(`/v1/admin/providers/${encodeURIComponent(name)}/actions`, body),
    actions: (filters) => call('GET', query('/v1/admin/actions', filters)),
    reviews: () => call('GET', '/v1/admin/reviews?status=open'),
    review: (id) => call('GET', review(id)),
    decide: (id, body) => post(`${review(id)}/decision`, body),
};

export const exportHref = (id) => `${job(id)}?download=1`;
