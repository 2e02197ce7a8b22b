/* What was told to whom, against what happened: every word that a follower was promised has been said at least once, was
 * true, and was said to nobody else. */
import { STATE } from './legal.mjs';

const TYPE_OF = { [STATE.queued]: 'job.queued', [STATE.processing]: 'job.processing', [STATE.succeeded]: 'job.succeeded',
                  [STATE.failed]: 'job.failed', [STATE.expired]: 'job.expired' };
const STATUS = Object.fromEntries(Object.entries(STATE).map(([name, n]) => [n, name]));
const DELIVERY = { delivered: 2, failed: 3 };
const TRIES = 8;

/* All of a job that is news, by its timeline: { sequence, type, state }. */
function newsOf(events) {
    let state = STATE.pending;
    return events.flatMap((event) => {
        const moved = event.state !== state && event.state !== STATE.pending;
        state = event.state;
        const type = event.kind === 'deleted' ? 'job.deleted' : moved ? TYPE_OF[event.state] : undefined;
        return type ? [{ sequence: event.seq, type, state }] : [];
    });
}

/* Places where a job is to be told of: { path, events }. The URL of a deleted job is only known to its client. */
function followers(job, world, ledger) {
    const own = ledger.intents.get(job.marker)?.body.callbackUrl;
    return [...world.endpoints.filter((one) => one.account === job.account),
            ...own ? [{ path: new URL(own).pathname, events: null }] : []];
}

export const key = (path, job, sequence) => `${path} ${job} ${sequence}`;

export const WEBHOOK_RULES = {
    'each webhook is delivered at least once': ({ jobs, events, heard }, say, ledger, world) => {
        const taken = new Set(heard.filter((one) => one.taken).map((one) => key(one.path, one.data.id, one.data.sequence)));
        for (const job of jobs)
            for (const { path, events: wanted } of followers(job, world, ledger))
                for (const { sequence, type } of newsOf(events.of(job.id)))
                    if ((!wanted || wanted.includes(type)) && !taken.has(key(path, job.name, sequence)))
                        say(`${path} was never told ${type} of ${job.name} (sequence ${sequence}) in a way that it took`);
    },

    'webhooks tell the truth': ({ byName, events, heard }, say, ledger, world) => {
        const words = new Map(), news = new Map([...byName.values()].map((job) => [job.name, newsOf(events.of(job.id))]));
        for (const { path, id, type, data, genuine, body } of heard) {
            const job = byName.get(data.id), place = job && followers(job, world, ledger).find((one) => one.path === path);
            const one = news.get(data.id)?.find(({ sequence }) => sequence === data.sequence);
            const what = `${type} ${data.id} (sequence ${data.sequence}) at ${path}`;
            if (!genuine)
                say(`${what} is signed by nobody that we know`);
            if (!place)
                say(`${what} was not for that place`);
            else if (!one || one.type !== type || (place.events && !place.events.includes(type)))
                say(`${what}: that never happened, or was not asked for; its news: ${JSON.stringify(news.get(data.id))}`);
            else if (data.status !== STATUS[one.state] || (one.state > STATE.succeeded) !== Boolean(data.errorCode) ||
                (one.state >= STATE.succeeded && (data.errorCode !== job.error_code || data.charged !== Boolean(job.charged))))
                say(`${what} says ${data.status}, ${data.errorCode}; the truth is ${STATUS[one.state]}, ${job.error_code}`);
            else
                sameAsBefore(words, key(path, data.id, data.sequence), id, body, (more) => say(`${what} ${more}`));
        }
    },

    'the last word is the end': ({ byName, heard }, say) => {
        const last = new Map();
        for (const { path, type, data } of heard)
            if (type !== 'job.deleted' && !(last.get(`${path} ${data.id}`)?.sequence > data.sequence))
                last.set(`${path} ${data.id}`, data);
        for (const [where, data] of last)
            if (byName.has(data.id) && data.status !== STATUS[byName.get(data.id).state])
                say(`${where}: the last word was ${data.status}, and it is ${STATUS[byName.get(data.id).state]}`);
    },

    /* What is newer comes after a try of what was before, be it one that never got through. */
    'webhooks begin in order': ({ heard, firstTries }, say) => {
        const first = new Map(); /* place and job to { sequence to when it was first heard } */
        for (const { path, data, at } of heard) {
            const where = `${path} ${data.id}`, seen = first.get(where) ?? first.set(where, new Map()).get(where);
            for (const [newer, newerAt] of seen)
                if (newer > data.sequence && !seen.has(data.sequence) && !(firstTries.get(key(path, data.id, data.sequence)) <= newerAt))
                    say(`${where}: ${data.sequence} was first tried after ${newer}`);
            if (!seen.has(data.sequence))
                seen.set(data.sequence, at);
        }
    },

    'deliveries end': ({ deliveries, jobs }, say) => {
        const names = new Map(jobs.map((job) => [job.id, job.name]));
        for (const row of deliveries) {
            const what = `${row.public_id} (${names.get(row.job_id)} to ${row.url ?? `endpoint ${row.endpoint_id}`}, ${row.tries} tries)`;
            if (row.state !== DELIVERY.delivered)
                say(`${what} is in state ${row.state}`);
        }
    },
};

/* Each retry of a message is the message; only what its job's deletion takes away may be missing. */
function sameAsBefore(words, where, id, body, say) {
    const now = JSON.stringify({ ...JSON.parse(body), data: { ...JSON.parse(body).data, metadata: null } });
    const before = words.get(where) ?? words.set(where, { id, now }).get(where);
    if (before.id !== id)
        say(`came as ${before.id} and as ${id}`);
    if (before.now !== now)
        say(`said ${before.now}, then ${now}`);
}

/* Those that the tries were used up for; the last resort that the API offers for them. Answers how many there were, and
 * what is wrong with them. */
export async function tellAgain(world, ask) {
    const rows = await world.rows(`SELECT JSON_OBJECT('id', d.public_id, 'tries', d.tries, 'account', a.public_id)
        FROM webhook_delivery d JOIN account a ON a.id = d.account_id WHERE d.state = ${DELIVERY.failed}`);
    const wrong = [];
    for (const { id, tries, account } of rows) {
        if (tries < TRIES)
            wrong.push({ rule: 'deliveries end', words: `${id} was given up after ${tries} tries` });
        const { status } = await ask(account, `/v1/webhook-deliveries/${id}/redeliver`);
        if (status >= 300 || status === 0)
            wrong.push({ rule: 'deliveries end', words: `${id} could not be told again: ${status}` });
    }
    return { n: rows.length, wrong };
}
