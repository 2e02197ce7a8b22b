/* What goes wrong with processes, and what strangers send. What goes wrong at providers is in the prompts' tags. */
import { setTimeout as pause } from 'node:timers/promises';
import { LEASE_S } from './world.mjs';

/* [weight, part, what, from ms, to ms]; a stop is from..to long. */
const PROCESS_FAULTS = [
    [5, 'sweeper', 'kill'], [4, 'sweeper', 'stop', 500, 2000], [3, 'sweeper', 'stop', LEASE_S * 1000 + 500, LEASE_S * 1000 + 4000],
    [4, 'api', 'kill'], [3, 'api', 'stop', 500, 4000],
    [3, 'hook', 'kill'], [3, 'hook', 'stop', 500, 4000],
    [2, 'nginx', 'kill'], [1, 'nginx', 'stop', 300, 1500],
    [1, 'studio', 'kill'], [1, 'studio', 'stop', 500, 3000], [1, 'studio-worker', 'kill'], [1, 'studio-worker', 'stop', 500, 3000],
    [2, 'mariadb', 'kill'], [2, 'mariadb', 'stop', 300, 5000],
    [2, 'providers', 'stop', 500, 4500],
].map(([weight, part, what, low, high]) => [weight, { part, what, low, high }]);
export const processKinds = () => [...new Set(PROCESS_FAULTS.map(([, { part, what }]) => `${what} ${part}`)), 'stranger'];

const STALL_MS = 500; /* this process was not run for so long: the machine has too much to do */

export class Faults {
    constructor(world, dice) {
        this.world = world;
        this.dice = dice;
        this.counts = {};
        this.stopped = new Set();
        this.log = []; /* { part, what, fromMs, toMs } */
    }

    /* Notices when everything stands still because the machine has other things to do; call what it returns to end. */
    watch() {
        let last = Date.now();
        const stood = (fromMs) => Date.now() - fromMs > STALL_MS && this.log.push({ part: 'machine', what: 'stop', fromMs, toMs: Date.now() });
        const timer = setInterval(() => {
            stood(last);
            last = Date.now();
        }, 50);
        const asks = setInterval(() => { /* is there time for the providers? */
            const asked = Date.now();
            this.world.simulator('settings').then(() => stood(asked), () => undefined);
        }, 250);
        return () => [timer, asks].forEach(clearInterval);
    }

    count(kind) {
        this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    }

    #signal(pid, name) {
        try {
            process.kill(pid, name);
            return true;
        } catch {
            return false; /* it has ended meanwhile */
        }
    }

    async #stop(pid, ms) {
        if (!this.#signal(pid, 'SIGSTOP'))
            return;
        this.stopped.add(pid);
        await pause(ms);
        this.#signal(pid, 'SIGCONT');
        this.stopped.delete(pid);
    }

    async one({ part, what, low, high }) {
        const pids = this.world.processes(part);
        if (!pids.length)
            return;
        const pid = this.dice.pick(pids);
        this.count(`${what} ${part}`);
        const entry = { part, what, fromMs: Date.now() };
        this.log.push(entry);
        if (what === 'kill')
            this.#signal(pid, 'SIGKILL');
        else
            await this.#stop(pid, this.dice.from(low, high));
        entry.toMs = Date.now();
    }

    /* Something every so often, each kind once before any comes twice by its weight, some of it at the same time, until the hour has come. */
    async processes(endMs, everyMs, list = PROCESS_FAULTS) {
        const running = new Set(), deck = this.dice.shuffled(list.map(([, fault]) => fault));
        while (Date.now() < endMs) {
            await pause(Math.min(this.dice.from(everyMs / 2, everyMs * 3 / 2), endMs - Date.now()));
            if (Date.now() >= endMs)
                break;
            const fault = this.one(deck.pop() ?? this.dice.weighed(list)).finally(() => running.delete(fault));
            running.add(fault);
        }
        await Promise.all(running);
    }

    /* Callbacks of nobody, to addresses that exist and that do not. */
    async strangers(endMs) {
        const dice = this.dice.thread('strangers'), providers = Object.keys(this.world.catalogue.providers);
        while (Date.now() < endMs) {
            await pause(dice.from(300, 1500));
            const token = dice.chance(0.5) ? `/cb_${dice.from(1e9, 9e9)}` : '';
            this.count('stranger');
            await fetch(`${this.world.url}/hooks/${dice.pick(providers)}${token}`, {
                method: 'POST', signal: AbortSignal.timeout(5000), headers: { 'Content-Type': 'application/json' },
                body: JSON.stringify({ id: `x${dice.from(1, 999)}`, status: 'succeeded', output: `${this.world.sim}/x` }),
            }).then((answer) => answer.arrayBuffer()).catch(() => undefined);
        }
    }

    /* What an operator does about a provider that was set aside: otherwise one refusal closes it for minutes. And as if
     * the hours between two tries of a webhook went by. */
    async operator(endMs) {
        for (let turn = 1; Date.now() < endMs(); turn++) {
            await pause(1000);
            await this.world.hurryDeliveries().catch(() => undefined); /* the database is away */
            if (turn % 4 === 0)
                await this.resumeAll();
        }
    }

    async resumeAll() {
        for (const name of Object.keys(this.world.catalogue.providers))
            await this.world.filmgate('provider', 'resume', name).catch(() => undefined); /* the database is away */
    }

    /* Until peace() nobody moves a job any more. */
    freeze() {
        for (const pid of ['sweeper', 'hook'].flatMap((part) => this.world.processes(part)))
            if (this.#signal(pid, 'SIGSTOP'))
                this.stopped.add(pid);
    }

    peace() {
        for (const pid of this.stopped)
            this.#signal(pid, 'SIGCONT');
        this.stopped.clear();
    }
}
