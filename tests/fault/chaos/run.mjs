/* One run: war, peace, judgement. */
import { setTimeout as pause } from 'node:timers/promises';
import { check } from './checker.mjs';
import { ClientActor, Ledger } from './clients.mjs';
import { Dice } from './dice.mjs';
import { Faults } from './faults.mjs';
import { visible } from './visible.mjs';
import { World } from './world.mjs';

const PEACE_MS = 150000; /* a job may wait that long for its deadline, and no longer */
const DEADLINE_S = 60;

/* plan: { warMs, clientsEach, everyMs, faultEveryMs, faults, tags, models, routes, strangers, peaceMs }. Answers
 * { wrong, counts, jobs, ends }. */
export async function run(seed, plan, env = {}) {
    const world = await World.start({ FILMGATE_SWEEPER_DEADLINE_S: String(DEADLINE_S), ...env });
    try {
        return await inWorld(world, new Dice(seed), plan);
    } catch (error) {
        throw new Error(`${error.stack}\nthe stack said:\n${world.stack.output.slice(-3000)}`, { cause: error });
    } finally {
        await world.stack.drop();
    }
}

async function inWorld(world, dice, plan) {
    const ledger = new Ledger(), faults = new Faults(world, dice.thread('processes'));
    const actors = world.identities.flatMap((who, i) => Array.from({ length: plan.clientsEach ?? 2 }, (_, k) => {
        const n = 10 * i + k + 1;
        return new ClientActor(world, ledger, faults, dice.thread(`client ${n}`), who, n, plan);
    }));
    const endMs = Date.now() + plan.warMs;
    await Promise.all([
        ...actors.map((actor) => actor.live(endMs, plan.everyMs)),
        faults.processes(endMs, plan.faultEveryMs ?? 1200, plan.faults),
        ...(plan.strangers === false ? [] : [faults.strangers(endMs), faults.operator(endMs)]),
    ]);
    faults.peace();
    const warEnds = Date.now();
    const calm = await peace(world, faults, plan.peaceMs ?? PEACE_MS);
    const { wrong, evidence } = await check(world, ledger);
    if (calm)
        wrong.push(...await visible(world, ledger, evidence, actors));
    wrong.push(...await audit(world));
    return { wrong, counts: faults.counts, peaceMs: Date.now() - warEnds, ...summary(evidence) };
}

/* Until nothing is left to do; false when that never came, which the checker will say in its own words. */
async function peace(world, faults, limitMs) {
    const end = Date.now() + limitMs;
    await faults.resumeAll();
    while (Date.now() < end) {
        try {
            const [{ n }] = world.rows('SELECT JSON_OBJECT(\'n\', (SELECT COUNT(*) FROM due) + '
                + '(SELECT COUNT(*) FROM job WHERE state < 4)) ');
            if (n === 0)
                return true;
        } catch { /* the database is still being started again */ }
        await pause(250);
    }
    return false;
}

async function audit(world) {
    try {
        await world.filmgate('audit');
        return [];
    } catch (error) {
        return [{ rule: 'filmgate audit', words: `${error.stdout}${error.stderr}` }];
    }
}

function summary({ jobs, books }) {
    const ends = {};
    for (const job of jobs) {
        const end = job.state === 4 ? 'succeeded' : job.error_code ?? `state ${job.state}`;
        ends[end] = (ends[end] ?? 0) + 1;
    }
    const providers = new Set(books.requests.map((request) => request.provider));
    return { jobs: jobs.length, runs: books.requests.length, providers: providers.size, ends };
}
