/* A customer's server on loopback: keeps every webhook that comes, and answers each path as it is told. */
import http from 'node:http';
import { Webhook } from 'standardwebhooks';
import { until } from './stack.mjs';

export class Receiver {
    constructor() {
        this.heard = [];
        this.manners = new Map();
        this.server = http.createServer((request, response) => this.#take(request, response));
    }

    /* Before the stack starts: its RECEIVERS must name the origin. */
    async listen() {
        await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
        this.origin = `http://127.0.0.1:${this.server.address().port}`;
        return this;
    }

    close() {
        this.server.closeAllConnections();
        return new Promise((resolve) => this.server.close(resolve));
    }

    url(path) {
        return this.origin + path;
    }

    /* { status, headers, body }, or "hang": no answer at all. */
    say(path, manner) {
        this.manners.set(path, manner);
    }

    of(path) {
        return this.heard.filter((one) => one.path === path);
    }

    /* Those of a job to a path, by sequence, each message once: telling at least once may be more than once. */
    events(path, job) {
        const seen = new Map(this.of(path).filter(({ json }) => json.data.id === job).map((one) => [one.id, one]));
        return [...seen.values()].sort((a, b) => a.json.data.sequence - b.json.data.sequence).map(({ json }) => json.type);
    }

    until(path, words, ask, limitMs) {
        return until(`${path}: ${words}`, () => ask(this.of(path)), limitMs);
    }

    async #take(request, response) {
        const chunks = [];
        for await (const chunk of request)
            chunks.push(chunk);
        const body = Buffer.concat(chunks).toString();
        const one = { path: request.url, headers: request.headers, id: request.headers['webhook-id'], body,
                      json: JSON.parse(body), at: Date.now() };
        this.heard.push(one);
        const manner = this.manners.get(request.url) ?? { status: 204 };
        if (manner !== 'hang')
            response.writeHead(manner.status, manner.headers).end(manner.body);
    }
}

/* True when the official library takes it with that secret; it also looks at the time. */
export function genuine(secret, { headers, body }) {
    try {
        new Webhook(secret).verify(body, headers);
        return true;
    } catch {
        return false;
    }
}
