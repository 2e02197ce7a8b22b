/* After peace, through the front door: each key sees exactly its own, files open with their own links alone, a key of a
 * request still answers with the same job, and an end is told in the same words everywhere. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { tree } from '../../e2e/stack.mjs';

const SAMPLE = 40;
const STATUS = ['', 'pending', 'queued', 'processing', 'succeeded', 'failed', 'expired'];

export async function visible(world, ledger, evidence, actors) {
    const wrong = [], say = (rule) => (words) => wrong.push({ rule, words });
    const one = new Map(actors.map((actor) => [actor.who, actor]));
    const seen = [];
    for (const [who, actor] of one) {
        seen.push(...await ownOnly(evidence, who, actor, say('nothing to the wrong account')));
        await ownWebhooks(evidence, world, who, actor, say('nothing to the wrong account'));
    }
    words(evidence, seen, say('an end is told in the same words'));
    await links(world, evidence, one, say('files open with their own link'));
    await repeats(ledger, evidence, one, say('a key answers with its job'));
    return wrong;
}

const owns = (who, job) => job.account === who.account && (!who.userId || job.user_id === who.userId);

async function listOf(actor, where) {
    const rows = [];
    for (let cursor = ''; ;) {
        const { status, body } = await actor.ask(`${where}?limit=100${cursor && `&cursor=${cursor}`}`);
        if (status !== 200)
            throw new Error(`${where} of ${actor.who.account}: ${status} ${JSON.stringify(body)}`);
        rows.push(...body.data);
        if (!body.nextCursor)
            return rows;
        cursor = body.nextCursor;
    }
}

/* Its endpoints and deliveries are its own; a user of it has no business there. */
async function ownWebhooks({ byName }, world, who, actor, say) {
    const whose = who.account, own = world.endpoints.filter((one) => one.account === whose).map(({ id }) => id);
    if (who.userId) {
        for (const where of ['/v1/webhook-endpoints', '/v1/webhook-deliveries', `/v1/webhook-endpoints/${world.endpoints.at(-1).id}`]) {
            const { status } = await actor.ask(where);
            if (status !== 403)
                say(`${where} answers user ${who.userId} with ${status}`);
        }
        return;
    }
    const { body } = await actor.ask('/v1/webhook-endpoints');
    if (body?.data?.map(({ id }) => id).sort().join() !== own.sort().join())
        say(`${whose} sees the endpoints ${JSON.stringify(body?.data)}`);
    for (const row of await listOf(actor, '/v1/webhook-deliveries'))
        if (byName.get(row.jobId)?.account !== whose || (row.endpointId && !own.includes(row.endpointId)))
            say(`${whose} sees the delivery ${row.id} of ${row.jobId} to ${row.endpointId}`);
    for (const { id } of world.endpoints.filter((one) => one.account !== whose))
        for (const [method, rest] of [['GET', ''], ['GET', '/secret'], ['POST', '/rotate-secret'], ['DELETE', '']]) {
            const { status } = await actor.ask(`/v1/webhook-endpoints/${id}${rest}`, { method, body: method === 'POST' ? {} : undefined });
            if (status !== 404)
                say(`${method} ${id}${rest} answers ${whose} with ${status}`);
        }
}

/* Codes are of the list that the API's description gives, and one code has one message: in jobs and in webhooks. */
function words({ byName, heard }, seen, say) {
    const { schemas } = JSON.parse(readFileSync(path.join(tree, 'www/openapi.json'), 'utf8')).components;
    const codes = schemas.Job.properties.errorCode.enum, messages = new Map();
    for (const job of seen) {
        const row = byName.get(job.id);
        if (job.status !== STATUS[row.state] || job.errorCode !== row.error_code || !codes.includes(job.errorCode))
            say(`${job.id} is told as ${job.status}, ${job.errorCode}; its row says ${STATUS[row.state]}, ${row.error_code}`);
    }
    for (const { errorCode, errorMessage } of [...seen, ...heard.map(({ data }) => data)]) {
        const before = messages.get(errorCode) ?? messages.set(errorCode, errorMessage).get(errorCode);
        if (before !== errorMessage || Boolean(errorCode) !== Boolean(errorMessage))
            say(`${errorCode} is "${before}" here and "${errorMessage}" there`);
    }
}

async function ownOnly({ jobs }, who, actor, say) {
    const list = await listOf(actor, '/v1/jobs'), listed = list.map(({ id }) => id);
    const mine = jobs.filter((job) => owns(who, job) && !job.deleted_us).map((job) => job.name);
    const told = new Set(listed), whose = `${who.account}${who.userId ? `/${who.userId}` : ''}`;
    if (told.size !== listed.length)
        say(`the list of ${whose} names a job twice`);
    for (const id of mine.filter((name) => !told.has(name)))
        say(`${id} is missing in the list of ${whose}`);
    for (const id of listed.filter((name) => !mine.includes(name)))
        say(`${id} is in the list of ${whose}`);
    const others = jobs.filter((job) => !owns(who, job)).slice(0, SAMPLE);
    for (const { name } of others)
        for (const [method, rest] of [['GET', ''], ['GET', '/events'], ['POST', '/cancel'], ['DELETE', '']]) {
            const { status } = await actor.ask(`/v1/jobs/${name}${rest}`, { method });
            if (status !== 404)
                say(`${method} ${name}${rest} answers ${whose} with ${status}`);
        }
    return list.filter(({ id }) => mine.includes(id));
}

async function links(world, { jobs }, one, say) {
    const stored = jobs.filter((job) => job.output_state === 1).slice(0, SAMPLE);
    let before;
    for (const job of stored) {
        const [, actor] = [...one].find(([who]) => owns(who, job));
        const { body } = await actor.ask(`/v1/jobs/${job.name}`), text = JSON.stringify(body);
        const link = /\/media\/[^"\\]+\/video\?[^"\\]+/.exec(text)?.[0];
        if (!link) {
            say(`${job.name} succeeded and tells no link: ${text}`);
            continue;
        }
        const got = await fetch(world.url + link), bytes = (await got.arrayBuffer()).byteLength;
        if (got.status !== 200 || bytes === 0)
            say(`${job.name}: its link answers ${got.status} with ${bytes} bytes`);
        if (before) {
            const crossed = await fetch(`${world.url}/media/${job.name}/video?${before.split('?')[1]}`);
            await crossed.arrayBuffer();
            if (crossed.status !== 403)
                say(`${job.name} opens with the link of another: ${crossed.status}`);
        }
        before = link;
    }
}

async function repeats(ledger, { byName }, one, say) {
    const answered = [...ledger.intents.values()].filter((intent) => intent.key && intent.ids.size === 1);
    for (const intent of answered.slice(0, SAMPLE)) {
        const [id] = intent.ids, { status, body } = await one.get(intent.who)
            .ask('/v1/jobs', { method: 'POST', body: intent.body, key: intent.key });
        if (status !== 202 || body.id !== id || !byName.has(body.id))
            say(`${intent.marker}: ${id} at first, now ${status} ${body?.id}`);
    }
}
