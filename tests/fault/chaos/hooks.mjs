/* Customers' servers: they hear webhooks, well or badly, and hand out reference images. What they heard is evidence. */
import { execFileSync } from 'node:child_process';
import http from 'node:http';
import { Webhook } from 'standardwebhooks';

export const TIMEOUT_S = 2; /* that filmgate waits for an answer */
const LATE_MS = [300, 1500];

/* [weight, manner]: what a receiver does with one webhook. */
const MANNERS = [
    [60, 'takes'], [6, 'answers late'], [8, 'refuses'], [5, 'hangs'], [5, 'breaks off'], [3, 'redirects'], [3, 'takes and breaks off'],
];
export const receiverKinds = () => MANNERS.map(([, manner]) => manner).filter((manner) => manner !== 'takes')
    .map((manner) => `receiver ${manner}`);

export class Hooks {
    heard = []; /* { path, id, type, data, body, at, genuine, taken } */

    constructor(dice) {
        this.dice = dice;
        this.peace = false;
        this.picture = picture();
        this.server = http.createServer((request, response) => this.#serve(request, response));
    }

    /* secretsOf(path): those that may sign what comes there; count(kind). */
    attend(secretsOf, count) {
        Object.assign(this, { secretsOf, count });
    }

    async listen() {
        await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
        this.origin = `http://127.0.0.1:${this.server.address().port}`;
        return this;
    }

    close() {
        this.server.closeAllConnections();
        return new Promise((resolve) => this.server.close(resolve));
    }

    url(where) {
        return this.origin + where;
    }

    async #serve(request, response) {
        try {
            if (request.url.startsWith('/image/'))
                this.#image(request.url.slice(7), response);
            else
                await this.#hear(request, response);
        } catch { /* it was broken off on its way here: nothing was told */
            response.destroy();
        }
    }

    #image(name, response) {
        if (name === 'missing.png')
            response.writeHead(404).end();
        else if (name === 'text.png')
            response.writeHead(200, { 'Content-Type': 'image/png' }).end('not a picture, whatever its name says');
        else
            setTimeout(() => response.writeHead(200, { 'Content-Type': 'image/png' }).end(this.picture), name === 'slow.png' ? 1000 : 0);
    }

    async #hear(request, response) {
        const chunks = [];
        for await (const chunk of request)
            chunks.push(chunk);
        const body = Buffer.concat(chunks).toString(), { type, data } = JSON.parse(body);
        const genuine = this.secretsOf(request.url).some((secret) => verifies(secret, body, request.headers));
        const one = { path: request.url, id: request.headers['webhook-id'], type, data, body, at: Date.now(), genuine, taken: false };
        this.heard.push(one);
        const manner = this.peace ? 'takes' : this.dice.weighed(MANNERS);
        if (manner !== 'takes')
            this.count(`receiver ${manner}`);
        this.#answer(manner, one, response);
    }

    #answer(manner, one, response) {
        switch (manner) {
        case 'hangs':
            return;
        case 'breaks off':
            response.destroy();
            return;
        case 'takes and breaks off': /* more was promised than will come */
            one.taken = true;
            response.writeHead(200, { 'Content-Length': '1000' }).write('thanks', () => response.destroy());
            return;
        case 'refuses':
            response.writeHead(500).end('not today');
            return;
        case 'redirects':
            response.writeHead(307, { Location: this.url('/elsewhere') }).end();
            return;
        default:
            one.taken = true;
            setTimeout(() => response.writeHead(204).end(), manner === 'takes' ? 0 : this.dice.from(...LATE_MS));
        }
    }
}

/* A small one: what a submit carries should not take long. */
function picture() {
    return execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=size=64x64', '-frames:v', '1', '-f', 'image2pipe', '-c:v',
        'png', '-']);
}

/* By the official library, which also looks at the time. */
function verifies(secret, body, headers) {
    try {
        new Webhook(secret).verify(body, headers);
        return true;
    } catch {
        return false;
    }
}
