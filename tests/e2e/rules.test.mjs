/* One source of rules: the page's judge (www/app/rules.js) and the door say the same of the same requests and pictures, field
 * by field, on a stack with every provider there is, within a plan. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { checkPicture, checkRequest } from '../../www/app/rules.js';
import { pictureFacts } from '../../www/app/picture.js';
import { readEnv, Stack } from './stack.mjs';

const stack = new Stack({ PROVIDERS: 'sim', FILMGATE_MEDIA_UPLOAD_BYTES: '300000', FILMGATE_MEDIA_UPLOAD_PIXELS: '1000000' });
let world;

function sql(text) {
    const { OWNER_PASSWORD } = readEnv(path.join(stack.var, 'conf/secrets'));
    execFileSync('mariadb', ['--no-defaults', '-uroot', '-S', path.join(stack.var, 'run/mariadb.sock'), 'filmgate', '-e', text],
        { env: { ...process.env, MYSQL_PWD: OWNER_PASSWORD } });
}

/* What the page knows: nothing but the answers of the API. */
async function look() {
    const [list, me] = await Promise.all([stack.client.json('/v1/models'), stack.client.json('/v1/me')]);
    world = { ...list, plan: me.plan, currency: me.currency, now: Date.now() };
}

before(async () => {
    await stack.start();
    await look();
});
after(() => stack.drop());

const GOOD = { prompt: 'a kite', aspectRatio: '16:9', duration: 5 };
const without = (name) => Object.fromEntries(Object.entries(GOOD).filter(([key]) => key !== name));
const VEO = { ...GOOD, model: 'fal-veo-3.1', duration: 8 };
const PICTURE = 'https://pictures.example/a.png';
const UPLOAD = 'upl_00000000000000000000000000';
const many = (n, key, value) => Object.fromEntries(Array.from({ length: n }, (_, i) => [key(i), value]));

const REQUESTS = [
    ['all right', GOOD],
    ['no prompt', without('prompt')],
    ['a prompt of null', { ...GOOD, prompt: null }],
    ['an empty prompt', { ...GOOD, prompt: '' }],
    ['a prompt of blanks', { ...GOOD, prompt: ' \t\u0085\u2003\u3000 ' }],
    ['a byte order mark is no white space', { ...GOOD, prompt: '\ufeff' }],
    ['a prompt that is a number', { ...GOOD, prompt: 7 }],
    ['1000 characters', { ...GOOD, prompt: 'x'.repeat(1000) }],
    ['1001 characters', { ...GOOD, prompt: 'x'.repeat(1001) }],
    ['1000 after trimming', { ...GOOD, prompt: `  ${'x'.repeat(1000)}\u00a0` }],
    ['1000 film clappers are 2000 halves', { ...GOOD, prompt: '🎬'.repeat(1000) }],
    ['1001 film clappers', { ...GOOD, prompt: '🎬'.repeat(1001) }],
    ['from right to left', { ...GOOD, prompt: 'منارة في العاصفة' }],
    ['half a character', { ...GOOD, prompt: 'x\ud83c' }],
    ['a NUL', { ...GOOD, prompt: 'x\0' }],
    ['no shape', without('aspectRatio')],
    ['a shape that nobody makes', { ...GOOD, aspectRatio: '7:5' }],
    ['a shape that is none', { ...GOOD, aspectRatio: 169 }],
    ['no length', without('duration')],
    ['no seconds', { ...GOOD, duration: 0 }],
    ['half a second', { ...GOOD, duration: 5.5 }],
    ['a length in words', { ...GOOD, duration: '5' }],
    ['61 seconds', { ...GOOD, duration: 61 }],
    ['a second that no model makes', { ...GOOD, duration: 60 }],
    ['a resolution that no model makes', { ...GOOD, resolution: '9999p' }],
    ['a resolution of nine characters', { ...GOOD, resolution: '123456789' }],
    ['the least seed', { ...GOOD, seed: 0 }],
    ['the largest seed', { ...GOOD, seed: 4294967295 }],
    ['one more', { ...GOOD, seed: 4294967296 }],
    ['below zero', { ...GOOD, seed: -1 }],
    ['half a seed', { ...GOOD, seed: 0.5 }],
    ['a seed in words', { ...GOOD, seed: '12' }],
    ['a seed of more than 64 bits', { ...GOOD, seed: 2 ** 63 }],
    ['sound in words', { ...GOOD, audio: 'yes' }],
    ['what not to show: 1000', { ...GOOD, negativePrompt: '界'.repeat(1000) }],
    ['what not to show: 1001, blanks counted', { ...GOOD, negativePrompt: `${'x'.repeat(1000)} ` }],
    ['an address', { ...GOOD, imageUrl: PICTURE }],
    ['an address of another kind', { ...GOOD, imageUrl: 'ftp://pictures.example/a.png' }],
    ['an address in capitals', { ...GOOD, imageUrl: 'HTTPS://pictures.example/a.png' }],
    ['an address with a user', { ...GOOD, imageUrl: 'https://u:p@pictures.example/' }],
    ['an @ behind the host', { ...GOOD, imageUrl: 'https://pictures.example/@a' }],
    ['an address with a blank', { ...GOOD, imageUrl: 'https://pictures.example/a b' }],
    ['an address with a backslash', { ...GOOD, imageUrl: 'https://pictures.example\\a' }],
    ['an address without a host', { ...GOOD, imageUrl: 'https:///a.png' }],
    ['an address of 2048', { ...GOOD, imageUrl: PICTURE.padEnd(2048, 'x') }],
    ['an address of 2049', { ...GOOD, imageUrl: PICTURE.padEnd(2049, 'x') }],
    ['an upload that cannot be one', { ...GOOD, uploadId: 'upl_1' }],
    ['a picture twice', { ...GOOD, uploadId: UPLOAD, imageUrl: PICTURE }],
    ['a model that is none', { ...GOOD, model: 'no-such-model' }],
    ['a model of 65 characters', { ...GOOD, model: 'x'.repeat(65) }],
    ['a provider that is none', { ...GOOD, provider: 'nobody' }],
    ['a model of another provider', { ...VEO, provider: 'luma' }],
    ['a field that is none', { ...GOOD, colour: 'red' }],
    ['a user', { ...GOOD, userId: 'ann' }],
    ['nobody', { ...GOOD, userId: '' }],
    ['129 characters of a user', { ...GOOD, userId: 'u'.repeat(129) }],
    ['metadata', { ...GOOD, metadata: { order: '7' } }],
    ['a list of metadata', { ...GOOD, metadata: ['7'] }],
    ['seventeen keys', { ...GOOD, metadata: many(17, (i) => `k${i}`, 'v') }],
    ['a key without a name', { ...GOOD, metadata: { '': 'v' } }],
    ['a key of 65', { ...GOOD, metadata: { ['k'.repeat(65)]: 'v' } }],
    ['a value of 513', { ...GOOD, metadata: { k: 'v'.repeat(513) } }],
    ['a value that is a number', { ...GOOD, metadata: { k: 7 } }],
    ['metadata of too many bytes', { ...GOOD, metadata: many(16, (i) => `k${i}`, '🎬'.repeat(512)) }],
    ['a deadline of nine seconds', { ...GOOD, deadlineSeconds: 9 }],
    ['kept for a hundred years and a day', { ...GOOD, retainDays: 36501 }],
    ['allowed in words', { ...GOOD, allowDuplicate: 'true' }],
    ['a quote that cannot be one', { ...GOOD, quoteId: 'quote_1' }],
    ['all wrong at once', { prompt: '', aspectRatio: 1, duration: 'x', seed: -1, audio: 0, metadata: 1, retainDays: 0, x: 1 }],
    ['a model alone', VEO],
    ['a model and a length that it does not make', { ...VEO, duration: 5 }],
    ['a model and a shape that it does not make', { ...VEO, aspectRatio: '1:1' }],
    ['a model and a resolution that it does not make', { ...VEO, resolution: 'auto' }],
    ['a model, and everything that it cannot', { ...VEO, aspectRatio: '1:1', duration: 5, resolution: 'auto' }],
    ['with sound', { ...VEO, audio: true }],
    ['a picture that a model does not take', { ...VEO, model: 'fal-veo-3.1-fast', imageUrl: PICTURE }],
    ['a picture that a model needs', { ...GOOD, model: 'runway-gen-4-turbo' }],
    ['a shape that the picture decides', { ...GOOD, model: 'fal-kling-3-pro', aspectRatio: '4:3', imageUrl: PICTURE }],
    ['a model that has been retired', { ...GOOD, model: 'kling-legacy-2.1' }],
    ['a route of which no model can', { ...GOOD, model: 'best', resolution: 'auto', duration: 2 }],
    ['the route for pictures without one', { ...GOOD, model: 'image' }],
    ['the route for pictures with one', { ...GOOD, model: 'image', imageUrl: PICTURE }],
];
const PLANNED = [
    ['what the plan has', { ...GOOD, resolution: '720p' }],
    ['a length that is not in it', { ...GOOD, duration: 8, model: 'fal-veo-3.1-fast' }],
    ['a resolution that is not in it', { ...GOOD, resolution: '1080p' }],
    ['kept for longer', { ...GOOD, retainDays: 8 }],
    ['a model that is not in it', { ...VEO, duration: 8 }],
    ['what is wrong in itself comes first', { ...GOOD, duration: 8, seed: -1, model: 'fal-veo-3.1-fast' }],
    ['no resolution named', { ...GOOD, model: 'luma-ray-3.2' }],
];

const listed = (errors) => errors.map(({ path: at, code }) => `${at} ${code}`).sort();

async function door(body) {
    const answer = await stack.client.fetch('/v1/quotes', { method: 'POST', body });
    const said = await answer.json();
    if (answer.ok) return [];
    if (said.code === 'invalid_json') return [' invalid_json'];
    assert.ok(['invalid_request', 'plan_limit'].includes(said.code) && said.errors, JSON.stringify(said));
    return listed(said.errors);
}

async function compare(table) {
    const apart = [];
    for (const [what, body] of table) {
        const [theirs, ours] = [await door(body), listed(checkRequest(body, world))];
        if (JSON.stringify(theirs) !== JSON.stringify(ours)) apart.push({ what, theirs, ours });
    }
    assert.deepEqual(apart, []);
}

test('the door and the page say the same of every request', async () => {
    await compare(REQUESTS);
    const refused = REQUESTS.filter(([, body]) => checkRequest(body, world).length > 0).length;
    assert.ok(refused > 50 && refused < REQUESTS.length - 10, `${refused} of ${REQUESTS.length} are refused`);
});

test('and within a plan', async (t) => {
    t.after(() => {
        sql('UPDATE plan SET durations = NULL, resolutions = NULL, models = NULL, output_days = NULL');
        return look();
    });
    sql("UPDATE plan SET durations = '5,6', resolutions = '720p,auto', output_days = 7");
    await look();
    await compare(PLANNED);
    sql("UPDATE plan SET models = 'fal-veo-3.1-fast,luma-ray-3.2,veo-3.1-fast'");
    await look();
    await compare(PLANNED);
    assert.ok(PLANNED.some(([, body]) => checkRequest(body, world).some((v) => v.code === 'plan')));
});

test('the page judges by what it is told: another rule, another verdict', () => {
    const { fields } = world.rules;
    const narrow = { ...world, rules: { ...world.rules, fields: { ...fields, seed: { ...fields.seed, max: 9 } } } };
    assert.deepEqual(listed(checkRequest({ ...GOOD, seed: 10 }, narrow)), ['/seed range']);
    assert.deepEqual(listed(checkRequest({ ...GOOD, seed: 10 }, world)), []);
});

/* ---- pictures ---- */

const crc = (bytes) => {
    let c = ~0;
    for (const b of bytes) {
        c ^= b;
        for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    }
    return ~c >>> 0;
};

function chunk(name, data) {
    const body = Buffer.concat([Buffer.from(name, 'latin1'), data]),
        out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length);
    body.copy(out, 4);
    out.writeUInt32BE(crc(body), body.length + 4);
    return out;
}

/* A whole picture in grey. noise: that does not get smaller. */
function png(width, height, noise = false) {
    const head = Buffer.alloc(13),
        rows = Buffer.alloc((width + 1) * height, 0x7f);
    for (let i = 0, r = 1; noise && i < rows.length; i++) rows[i] = (r = (r * 48271) % 2147483647) & 255;
    for (let y = 0; y < height; y++) rows[y * (width + 1)] = 0;
    head.writeUInt32BE(width);
    head.writeUInt32BE(height, 4);
    head.set([8, 0, 0, 0, 0], 8);
    return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', head), chunk('IDAT', deflateSync(rows)),
        chunk('IEND', Buffer.alloc(0))]);
}

const as = (suffix, bytes, how = '') => {
    const [from, to] = ['in.png', `out${suffix}`].map((name) => path.join(stack.folder, name));
    writeFileSync(from, bytes);
    execFileSync('vips', ['copy', from, to + how]);
    return readFileSync(to);
};

const PICTURES = [
    ['nothing', () => Buffer.alloc(0)],
    ['words', () => Buffer.from('no picture')],
    ['another kind', () => Buffer.from('GIF89a and more of it')],
    ['PNG', () => png(64, 48)],
    ['JPEG', () => as('.jpg', png(64, 48))],
    ['WebP', () => as('.webp', png(64, 48))],
    ['WebP without loss', () => as('.webp', png(64, 48), '[lossless]')],
    ['as small as may be', () => png(8, 8)],
    ['too flat', () => png(64, 7)],
    ['too narrow', () => png(7, 64)],
    ['too many pixels', () => png(1001, 1000)],
    ['too many bytes', () => png(600, 600, true)],
    ['a head without a size', () => png(64, 48).subarray(0, 12)],
];

test('the door and the page say the same of every picture', async () => {
    for (const [what, make] of PICTURES) {
        const body = make();
        const facts = { bytes: body.length, ...pictureFacts(new Uint8Array(body)) };
        const answer = await fetch(new URL('/v1/uploads', stack.client.url), {
            method: 'POST', body, headers: { Authorization: `Bearer ${stack.client.key}`, 'Content-Type': 'application/octet-stream' },
        });
        const said = await answer.json();
        assert.equal(checkPicture(facts, world.rules, world.plan)?.code, said.code, what);
        if (answer.ok) assert.deepEqual([facts.type, facts.width, facts.height], [said.type, said.width, said.height], what);
    }
});
