/* After peace, through the front door: each key sees exactly its own, files open with their own links alone, and a key
 * of a request still answers with the same job. */
const SAMPLE = 40;

export async function visible(world, ledger, evidence, actors) {
    const wrong = [], say = (rule) => (words) => wrong.push({ rule, words });
    const one = new Map(actors.map((actor) => [actor.who, actor]));
    for (const [who, actor] of one)
        await ownOnly(evidence, who, actor, say('nothing to the wrong account'));
    await links(world, evidence, one, say('files open with their own link'));
    await repeats(ledger, evidence, one, say('a key answers with its job'));
    return wrong;
}

const owns = (who, job) => job.account === who.account && (!who.userId || job.user_id === who.userId);

async function listOf(actor) {
    const ids = [];
    for (let cursor = ''; ;) {
        const { status, body } = await actor.ask(`/v1/jobs?limit=100${cursor && `&cursor=${cursor}`}`);
        if (status !== 200)
            throw new Error(`the list of ${actor.who.account}: ${status} ${JSON.stringify(body)}`);
        ids.push(...body.data.map((job) => job.id));
        if (!body.nextCursor)
            return ids;
        cursor = body.nextCursor;
    }
}

async function ownOnly({ jobs }, who, actor, say) {
    const listed = await listOf(actor), mine = jobs.filter((job) => owns(who, job) && !job.deleted_us).map((job) => job.name);
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
