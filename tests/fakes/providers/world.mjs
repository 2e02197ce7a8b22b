/* For tests of the simulator: somebody who listens to callbacks, checks of signatures that share no code with sign.mjs,
 * and a look into videos. */
import { createHash, createHmac, createPublicKey, verify } from 'node:crypto';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

/* Receives callbacks: `got` is a list of { path, headers, raw, json }. `answer` (got so far) gives { status, body }. */
export class Hook {
    got = [];

    async listen(answer = () => ({ status: 200 })) {
        this.server = createServer(async (req, res) => {
            let raw = '';
            req.setEncoding('utf8');
            for await (const piece of req)
                raw += piece;
            this.got.push({ path: req.url, headers: req.headers, raw, json: JSON.parse(raw) });
            const { status, body = '' } = answer(this.got);
            res.writeHead(status, { 'Content-Type': 'application/json' }).end(body);
        });
        await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
        this.url = `http://127.0.0.1:${this.server.address().port}`;
        return this;
    }

    at(where) {
        return this.got.filter((callback) => callback.path.split('?')[0] === where);
    }

    async close() {
        this.server.closeAllConnections();
        await new Promise((resolve) => this.server.close(resolve));
    }
}

const fresh = (timestamp) => Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300;

export function verifiesStandard(secret, { headers, raw }) {
    const id = headers['webhook-id'], timestamp = headers['webhook-timestamp'];
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    const want = createHmac('sha256', key).update(Buffer.from(`${id}.${timestamp}.${raw}`)).digest('base64');
    return fresh(timestamp) && headers['webhook-signature'].split(' ').includes(`v1,${want}`);
}

export function verifiesFal(jwks, { headers, raw }) {
    const of = (name) => headers[`x-fal-webhook-${name}`];
    const text = [of('request-id'), of('user-id'), of('timestamp'), createHash('sha256').update(raw).digest('hex')];
    return fresh(of('timestamp')) && jwks.keys.some((jwk) => verify(null, Buffer.from(text.join('\n')),
        createPublicKey({ key: jwk, format: 'jwk' }), Buffer.from(of('signature'), 'hex')));
}

/* { codec, seconds, width, height, packets }; throws what ffprobe says about anything else. */
export async function probe(bytes) {
    const folder = await mkdtemp(path.join(tmpdir(), 'fgsim.'));
    try {
        const file = path.join(folder, 'a.mp4');
        await writeFile(file, bytes);
        const { stdout } = await promisify(execFile)('ffprobe', ['-v', 'error', '-print_format', 'json', '-show_format',
            '-show_streams', '-count_packets', file]);
        const { streams: [stream], format } = JSON.parse(stdout);
        return { codec: stream.codec_name, seconds: Number(format.duration), width: stream.width,
                 height: stream.height, packets: Number(stream.nb_read_packets) };
    } finally {
        await rm(folder, { recursive: true });
    }
}
