/* Outgoing webhooks over a real stack, to a receiver on this machine that checks them with the official library. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { genuine, Receiver } from './receiver.mjs';
import { children, Stack, tree, until } from './stack.mjs';

const build = path.resolve(tree, process.env.BUILD || 'build');
const TIMEOUT_S = 4; /* of a delivery; its lease is ten seconds longer */

let stack, client, receiver;

before(async () => {
    receiver = await new Receiver().listen();
    stack = new Stack({ RESPAWN: '1', FILMGATE_WEBHOOK_TIMEOUT_S: String(TIMEOUT_S) });
    await stack.start({ RECEIVERS: receiver.origin });
    client = stack.client;
});

after(async () => {
    await stack?.drop();
    await receiver?.close();
});

const post = (where, body) => client.json(where, { method: 'POST', body });
const endpoint = (where, more = {}) => post('/v1/webhook-endpoints', { url: receiver.url(where), ...more });
const get = (id) => client.json(`/v1/webhook-endpoints/${id}`);
const poke = ({ id }) => post(`/v1/webhook-endpoints/${id}/test`);
const delivery = (id) => client.json(`/v1/webhook-deliveries/${id}`);
const drop = ({ id }) => client.fetch(`/v1/webhook-endpoints/${id}`, { method: 'DELETE' });

const filmgate = (...args) => execFileSync(path.join(build, 'filmgate'), args, {
    env: { ...process.env, FILMGATE_CONF: path.join(stack.var, 'conf/owner.ini') },
}).toString();

test('a job is told of from acceptance to deletion, and the official library takes every word', async (t) => {
    const hook = await endpoint('/all', { description: 'all of it' });
    t.after(() => drop(hook));
    const own = (await client.json('/v1/webhook-endpoints/callbacks/secret')).data[0].secret;
    const job = await client.create({ callbackUrl: receiver.url('/own'), metadata: { order: 'Nº 17' } });
    assert.equal((await client.ended(job.id)).status, 'succeeded');
    const last = (heard) => heard.some(({ json }) => json.type === 'job.succeeded');
    await receiver.until('/all', 'the end', last);
    await receiver.until('/own', 'the end', last);
    assert.equal((await client.fetch(`/v1/jobs/${job.id}`, { method: 'DELETE' })).status, 204);
    await receiver.until('/all', 'the deletion', (heard) => heard.some(({ json }) => json.type === 'job.deleted'));
    await receiver.until('/own', 'the deletion', (heard) => heard.some(({ json }) => json.type === 'job.deleted'));
    for (const [where, secret, other] of [['/all', hook.secret, own], ['/own', own, hook.secret]]) {
        const heard = receiver.of(where);
        assert.deepEqual(heard.map(({ json }) => json.type),
                         ['job.queued', 'job.processing', 'job.succeeded', 'job.deleted'], 'once each, in order');
        for (const [i, one] of heard.entries()) {
            assert.ok(genuine(secret, one), 'genuine');
            assert.ok(!genuine(other, one), 'by its own secret');
            assert.ok(!genuine(secret, { ...one, body: one.body.replace(job.id, 'job_other') }), 'as it was sent');
            assert.equal(one.json.data.id, job.id);
            assert.ok(i === 0 || one.json.data.sequence > heard[i - 1].json.data.sequence, 'the sequence grows');
            assert.equal(one.headers['content-type'], 'application/json');
        }
        assert.equal(heard[2].json.data.metadata.order, 'Nº 17');
        assert.equal(heard[2].json.data.href, `/v1/jobs/${job.id}`);
        assert.equal(heard[3].json.data.metadata, null);
        assert.ok(!/outputUrl|prompt/.test(heard[2].body));
    }
    const { data } = await client.json(`/v1/webhook-deliveries?job=${job.id}`);
    assert.equal(data.length, 8);
    assert.ok(data.every(({ state, tries, lastTry }) => state === 'delivered' && tries === 1 && lastTry.status === 204));
});

test('the API description has every field of endpoints and deliveries', async (t) => {
    const { WebhookEndpoint, WebhookDelivery, WebhookSecret } =
        JSON.parse(readFileSync(path.join(tree, 'www/openapi.json'), 'utf8')).components.schemas;
    const hook = await endpoint('/described');
    t.after(() => drop(hook));
    const sent = await poke(hook);
    const same = (answer, schema, words, ...more) => {
        assert.deepEqual(Object.keys(answer).sort(), [...Object.keys(schema.properties), ...more].sort(), words);
        assert.deepEqual([...schema.required].sort(), Object.keys(schema.properties).sort(), words);
    };
    same(await get(hook.id), WebhookEndpoint, 'endpoint');
    same(sent, WebhookDelivery, 'delivery', 'attempts', 'payload');
    same((await client.json('/v1/webhook-deliveries')).data[0], WebhookDelivery, 'of the list');
    same((await client.json(`/v1/webhook-endpoints/${hook.id}/secret`)).data[0], WebhookSecret, 'secret');
});

test('a refusal is tried again, and every try is in the log', async (t) => {
    const hook = await endpoint('/moody');
    t.after(() => drop(hook));
    receiver.say('/moody', { status: 500, body: 'not today' });
    const sent = await poke(hook);
    await receiver.until('/moody', 'the first try', (heard) => heard.length === 1);
    await until('it is known to fail', async () => (await get(hook.id)).failingSince);
    receiver.say('/moody', { status: 200, body: 'thanks' });
    await receiver.until('/moody', 'the second try', (heard) => heard.length === 2);
    const done = await until('it is taken', async () => {
        const now = await delivery(sent.id);
        return now.state === 'delivered' && now;
    });
    const [first, second] = receiver.of('/moody');
    assert.ok(second.at - first.at > 3500 && second.at - first.at < 9000, 'after about five seconds');
    assert.equal(first.id, second.id);
    assert.equal(first.body, second.body);
    assert.notEqual(first.headers['webhook-signature'], second.headers['webhook-signature']);
    assert.ok(genuine(hook.secret, first) && genuine(hook.secret, second));
    assert.deepEqual(done.attempts.map(({ n, status, responseExcerpt }) => [n, status, responseExcerpt]),
                     [[1, 500, 'not today'], [2, 200, 'thanks']]);
    assert.equal((await get(hook.id)).failingSince, null);
});

test('a slow receiver delays no other', async (t) => {
    const [slow, fast] = [await endpoint('/slow'), await endpoint('/fast')];
    t.after(() => Promise.all([drop(slow), drop(fast)]));
    receiver.say('/slow', 'hang');
    for (let i = 0; i < 12; i++)
        await poke(slow);
    await receiver.until('/slow', 'some hang', (heard) => heard.length >= 4);
    const begun = Date.now();
    await poke(fast);
    await receiver.until('/fast', 'told', (heard) => heard.length === 1);
    assert.ok(Date.now() - begun < TIMEOUT_S * 1000, 'before the first of the slow ones is over');
    assert.equal(receiver.of('/slow').length, 4, 'and those have their own places');
    const hung = await until('a try is over', async () => {
        const { data } = await client.json(`/v1/webhook-deliveries?endpoint=${slow.id}&limit=100`);
        return data.find(({ lastTry }) => lastTry);
    });
    assert.equal(hung.lastTry.status, null);
    assert.match(hung.lastTry.error, /timed out/i);
});

test('410 disables, the account is told, and what was missed can be told again', async (t) => {
    const hook = await endpoint('/gone');
    t.after(() => drop(hook));
    const since = new Date().toISOString();
    receiver.say('/gone', { status: 410, body: 'moved' });
    await poke(hook);
    await until('it is disabled', async () => (await get(hook.id)).disabled);
    const me = await client.json('/v1/me');
    assert.deepEqual(me.webhooks.disabled.map(({ id, disabledReason }) => [id, disabledReason]), [[hook.id, 'gone']]);
    assert.equal((await client.fetch(`/v1/webhook-endpoints/${hook.id}/test`, { method: 'POST' })).status, 409);
    assert.match(filmgate('webhook', 'list', me.account), new RegExp(`${hook.id}.*/gone.*disabled .*\\(gone\\)`));
    receiver.say('/gone', { status: 204 });
    await client.json(`/v1/webhook-endpoints/${hook.id}`, { method: 'PATCH', body: { disabled: false } });
    assert.deepEqual(await post(`/v1/webhook-endpoints/${hook.id}/redeliver`, { since }), { redelivered: 1, more: false });
    await receiver.until('/gone', 'told again', (heard) => heard.length === 2);
    const [first, second] = receiver.of('/gone');
    assert.equal(first.id, second.id, 'under its old id');
    await until('nothing is left to tell', async () => filmgate('webhook', 'redeliver', hook.id, '--since', since)
        .startsWith('0 deliveries'));
    assert.match(filmgate('webhook', 'redeliver', hook.id, '--since', since, '--state', 'all'), /^1 deliveries/);
    await receiver.until('/gone', 'by the operator', (heard) => heard.length === 3);
    assert.deepEqual((await client.json('/v1/me')).webhooks.disabled, []);
});

test('while a secret is rotated both sign, then only the new one', async (t) => {
    const hook = await endpoint('/rotated');
    t.after(() => drop(hook));
    const { secret } = await post(`/v1/webhook-endpoints/${hook.id}/rotate-secret`, { expireAfterSeconds: 5 });
    const end = Date.now() + 5000;
    await poke(hook);
    const [both] = await receiver.until('/rotated', 'signed twice', (heard) => heard.length === 1 && heard);
    assert.equal(both.headers['webhook-signature'].split(' ').length, 2);
    assert.ok(genuine(hook.secret, both) && genuine(secret, both));
    await until('the grace is over', () => Date.now() > end);
    await poke(hook);
    const one = (await receiver.until('/rotated', 'signed once', (heard) => heard.length === 2 && heard))[1];
    assert.equal(one.headers['webhook-signature'].split(' ').length, 1);
    assert.ok(!genuine(hook.secret, one) && genuine(secret, one));
});

test('a redirect is not followed, and an answer without end is cut off', async (t) => {
    const [there, loud] = [await endpoint('/away'), await endpoint('/loud')];
    t.after(() => Promise.all([drop(there), drop(loud)]));
    receiver.say('/away', { status: 307, headers: { Location: receiver.url('/elsewhere') } });
    receiver.say('/loud', { status: 200, body: 'a'.repeat(1 << 20) });
    const [first, second] = [await poke(there), await poke(loud)];
    const tried = await until('a try', async () => {
        const now = await delivery(first.id);
        return now.lastTry && now;
    });
    assert.deepEqual([tried.state, tried.lastTry.status], ['pending', 307]);
    await until('taken all the same', async () => (await delivery(second.id)).state === 'delivered');
    assert.equal(receiver.of('/elsewhere').length, 0);
});

test('kill -9 of the sweeper in the middle: the next one tells it', { timeout: 60000 }, async (t) => {
    const hook = await endpoint('/killed');
    t.after(() => drop(hook));
    receiver.say('/killed', 'hang');
    const sent = await poke(hook);
    await receiver.until('/killed', 'it is on its way', (heard) => heard.length === 1);
    const [sweeper] = children(stack.pid('sweeper'));
    process.kill(sweeper, 'SIGKILL');
    receiver.say('/killed', { status: 204 });
    await until('a new sweeper', () => children(stack.pid('sweeper')).some((pid) => pid !== sweeper));
    await receiver.until('/killed', 'told again', (heard) => heard.length === 2, 30000);
    const [first, second] = receiver.of('/killed');
    assert.equal(first.id, second.id);
    assert.ok(genuine(hook.secret, second));
    await until('and that is known', async () => (await delivery(sent.id)).state === 'delivered');
});

test('a user\'s key has no business there', async () => {
    const { account } = await client.json('/v1/me');
    const key = filmgate('key', 'create', account, '--role', 'user', '--user', 'u1').trim();
    for (const where of ['/v1/webhook-endpoints', '/v1/webhook-deliveries', '/v1/webhook-endpoints/callbacks/secret']) {
        const answer = await client.fetch(where, { headers: { Authorization: `Bearer ${key}` } });
        assert.equal(answer.status, 403, where);
        assert.equal((await answer.json()).code, 'forbidden');
    }
});
