/* One run: war, peace, judgement. */
import { utimesSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { check } from './checker.mjs';
import { CLIENT_KINDS, ClientActor, Ledger } from './clients.mjs';
import { Dice } from './dice.mjs';
import { Faults, processKinds } from './faults.mjs';
import { receiverKinds } from './hooks.mjs';
import { Deals, tagKinds } from './tags.mjs';
import { visible } from './visible.mjs';
import { tellAgain } from './webhooks.mjs';
import { World } from './world.mjs';

const PEACE_MS = 150000; /* a job may wait that long for its deadline */
const MOVING_MS = 40000; /* longer than that only while there is progress: the machine may have other things to do, */
const PEACE_MAX_MS = 400000; /* though not for ever */
const DEADLINE_S = 60;
const OLD_S = 86400;     /* of a file that nobody can still be writing */
const TIDY_MS = 30000;   /* in which it must have been taken away */

/* Every kind of fault that there is; a run that is long enough has had each. */
export const KINDS = [...processKinds(), ...tagKinds(), ...CLIENT_KINDS, ...receiverKinds()];

/* plan: { warMs, clientsEach, everyMs, faultEveryMs, faults, tags, models, routes, studio, strangers, schema, peaceMs };
 * schema: a change of it that goes before. Answers { wrong, counts, jobs, ends }. */
export async function run(seed, plan, env = {}) {
    const dice = new Dice(seed);
    const world = await World.start(dice.thread('receivers'), {
        FILMGATE_SWEEPER_DEADLINE_S: String(DEADLINE_S), FILMGATE_MODERATION_BLOCKS_SLOW: '0', FILMGATE_MODERATION_BLOCKS_STOP: '0',
        ...env,
    });
    try {
        return await inWorld(world, dice, plan);
    } catch (error) {
        throw new Error(`${error.stack}\nthe stack said:\n${world.stack.output.slice(-3000)}`, { cause: error });
    } finally {
        await world.drop();
    }
}

async function inWorld(world, dice, plan) {
    const ledger = new Ledger(), faults = world.faults = new Faults(world, dice.thread('processes'));
    const deals = new Deals(world.catalogue, dice.thread('deals'), plan), unwatch = faults.watch();
    const actors = world.identities.flatMap((who, i) => Array.from({ length: plan.clientsEach ?? 2 }, (_, k) => {
        const n = 10 * i + k + 1;
        return new ClientActor(world, ledger, faults, dice.thread(`client ${n}`), deals, who, n, plan);
    }));
    if (plan.schema)
        await world.change(plan.schema);
    world.hooks.attend((where) => world.secretsOf(where, ledger), (kind) => faults.count(kind));
    const endMs = Date.now() + plan.warMs;
    await Promise.all([
        ...actors.map((actor) => actor.live(endMs, plan.everyMs)),
        faults.processes(endMs, plan.faultEveryMs ?? 1000, plan.faults),
        ...(plan.strangers === false ? [] : [faults.strangers(endMs), faults.operator(() => endMs)]),
    ]);
    faults.peace();
    world.hooks.peace = true;
    const warEnds = Date.now();
    const { calm, wrong: restless, again } = await peace(world, faults, actors, plan.peaceMs ?? PEACE_MS);
    unwatch();
    if (!calm)
        faults.freeze(); /* what still moves cannot be compared */
    const { wrong, evidence } = await check(world, ledger);
    faults.peace();
    wrong.push(...restless);
    if (calm)
        wrong.push(...await visible(world, ledger, evidence, actors));
    wrong.push(...await audit(world));
    return { wrong, again, counts: { ...faults.counts, ...simulated(evidence) }, peaceMs: Date.now() - warEnds, ...summary(evidence, world) };
}

/* n: how much is left to do; moved: changes when something happens. */
const OPEN = `SELECT JSON_OBJECT('n', (SELECT COUNT(*) FROM due) + (SELECT COUNT(*) FROM job WHERE state < 4)
    + (SELECT COUNT(*) FROM webhook_delivery WHERE state = 1),
    'moved', CONCAT_WS(' ', (SELECT SUM(version) FROM job), (SELECT COUNT(*) FROM due), (SELECT COUNT(*) FROM webhook_attempt)))`;

/* Until nothing is left to do. calm is false when that never came, which the checker will say in its own words; again: how
 * many webhooks had to be told again by hand. */
async function peace(world, faults, actors, limitMs) {
    const began = Date.now(), wrong = [], operator = { endMs: Infinity };
    const ask = (account, where) => actors.find(({ who }) => who.account === account && !who.userId).ask(where, { method: 'POST' });
    let again = 0, calm = false, last = { at: began };
    await faults.resumeAll();
    const helps = faults.operator(() => operator.endMs);
    const goesOn = (now) => now < began + limitMs || (now < last.at + MOVING_MS && now < began + PEACE_MAX_MS);
    while (!calm && goesOn(Date.now())) {
        const [{ n, moved }] = await world.rows(OPEN).catch(() => [{ n: -1 }]); /* the database is still being started again */
        if (moved !== last.moved)
            last = { moved, at: Date.now() };
        if (n === 0) {
            const told = await tellAgain(world, ask);
            wrong.push(...told.wrong);
            again += told.n;
            calm = told.n === 0;
        }
        await pause(calm ? 0 : 250);
    }
    operator.endMs = 0;
    await helps;
    await tidied(world);
    return { calm, wrong, again };
}

/* What somebody left who died is taken away once it is old enough; here it is at once. */
async function tidied(world) {
    const old = Date.now() / 1000 - OLD_S, end = Date.now() + TIDY_MS;
    for (const file of world.tmpFiles())
        utimesSync(file, old, old);
    while (world.tmpFiles().length && Date.now() < end)
        await pause(200);
}

async function audit(world) {
    try {
        await world.filmgate('audit', 'ledger');
        return [];
    } catch (error) {
        return [{ rule: 'filmgate audit ledger', words: `${error.stdout}${error.stderr}` }];
    }
}

const simulated = ({ books }) => Object.fromEntries(Object.entries(books.faults).map(([name, n]) => [`sim ${name}`, n]));

function summary({ jobs, books, studio, heard }, world) {
    const ends = {};
    for (const job of jobs) {
        const end = job.state === 4 ? 'succeeded' : job.error_code ?? `state ${job.state}`;
        ends[end] = (ends[end] ?? 0) + 1;
    }
    const asked = new Set(jobs.map((job) => job.model)), models = Object.values(world.catalogue.providers)
        .flatMap((provider) => Object.keys(provider.models));
    return { jobs: jobs.length, runs: books.requests.length + studio.length, heard: heard.length,
             models: `${models.filter((name) => asked.has(name)).length} of ${models.length}`, ends };
}
