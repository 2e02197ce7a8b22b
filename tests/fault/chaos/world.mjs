/* A whole filmgate with impatient settings, accounts with keys, and a way into its database and its processes. */
import { execFile } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Client, Stack, children, readEnv, tree } from '../../e2e/stack.mjs';
import { Hooks, TIMEOUT_S } from './hooks.mjs';

const run = promisify(execFile);
const ACCOUNTS = 6;
const UNKNOWN_WAIT_S = 5;
export const LEASE_S = 5;
export const SUBMIT_S = 3;

/* Who wants to hear what, by account; null: all there is. Of the others only jobs' own URLs are told. */
const ENDS = ['job.succeeded', 'job.failed', 'job.expired'];
const ENDPOINTS = [[0, null], [0, ['job.succeeded', 'job.deleted']], [1, null], [2, null], [3, ENDS], [5, null]];

/* Ours, with the patience of a test: what is not a matter of time stays as it is shipped. */
function quickCatalogue() {
    const catalogue = JSON.parse(readFileSync(path.join(tree, 'core/provider/catalogue.json'), 'utf8'));
    for (const provider of Object.values(catalogue.providers)) {
        provider.concurrency = provider.urls.base.startsWith('{public_url}') ? 2 : 24;
        provider.poll = { seconds: 1, ...(provider.callbacks ? { callbackSeconds: 2 } : {}) };
        provider.unknown = { ...provider.unknown, waitSeconds: UNKNOWN_WAIT_S };
        delete provider.submitsPerMinute;
        delete provider.callsPerMinute;
    }
    return catalogue;
}

export class World {
    /* env: for every program */
    static async start(dice, env = {}) {
        const world = new World();
        world.catalogue = quickCatalogue();
        world.hooks = await new Hooks(dice).listen();
        world.stack = new Stack({
            RESPAWN: '1', PROVIDERS: 'sim', SWEEPERS: '2', API_PROCS: '4', HOOK_PROCS: '2', FCGI_TIMEOUT_S: '8',
            SIM_ARGS: '--render-ms 800 --queue-ms 200 --quiet',
            RECEIVERS: world.hooks.origin, FILMGATE_WEBHOOK_TIMEOUT_S: String(TIMEOUT_S),
            FILMGATE_SWEEPER_LEASE_S: String(LEASE_S), FILMGATE_SWEEPER_SUBMIT_TIMEOUT_S: String(SUBMIT_S),
            FILMGATE_SWEEPER_CALL_TIMEOUT_S: '3', FILMGATE_SWEEPER_FIRST_POLL_MS: '300',
            FILMGATE_MEDIA_FETCH_TIMEOUT_S: '10', FILMGATE_DB_IO_TIMEOUT_S: '12',
            ...env,
        });
        const file = path.join(world.stack.folder, 'catalogue.json');
        writeFileSync(file, JSON.stringify(world.catalogue));
        try {
            await world.stack.start({ CATALOGUE: file });
            world.sim = readFileSync(path.join(world.stack.var, 'run/providers.url'), 'utf8').trim();
            world.url = world.stack.client.url;
            world.secrets = readEnv(path.join(world.stack.var, 'conf/secrets'));
            await world.#makeAccounts();
            await world.#makeEndpoints();
        } catch (error) {
            await world.drop();
            throw error;
        }
        return world;
    }

    async drop() {
        await this.stack.drop();
        await this.hooks.close();
    }

    /* Each: { account, row, key, userId? }; the last account has two users with keys of their own. */
    async #makeAccounts() {
        this.identities = [];
        for (let n = 0; n < ACCOUNTS; n++) {
            const account = (await this.filmgate('account', 'create', `chaos ${n}`)).trim();
            const users = n === ACCOUNTS - 1 ? ['ann', 'bob'] : [];
            const app = await this.#key(account, 'app');
            this.identities.push({ account, key: app });
            for (const userId of users)
                this.identities.push({ account, userId, key: await this.#key(account, 'user', userId) });
        }
    }

    /* Each: { id, account, path, events, secrets }; and what signs for jobs' own URLs, by account. */
    async #makeEndpoints() {
        this.endpoints = [];
        this.callbackSecrets = new Map();
        for (const [n, events] of ENDPOINTS) {
            const { account, key } = this.identities[n], where = `/e/${this.endpoints.length}`;
            const made = await new Client(this.url, key).json('/v1/webhook-endpoints',
                { method: 'POST', body: { url: this.hooks.url(where), events } });
            this.endpoints.push({ id: made.id, account, path: where, events, secrets: [made.secret] });
        }
        for (const { account, key, userId } of this.identities)
            if (!userId) {
                const { data } = await new Client(this.url, key).json('/v1/webhook-endpoints/callbacks/secret');
                this.callbackSecrets.set(account, data.map(({ secret }) => secret));
            }
    }

    /* What may sign that which comes to a path of ours. */
    secretsOf(where, ledger) {
        const owner = this.endpoints.find((one) => one.path === where);
        if (owner)
            return owner.secrets;
        const intent = ledger.intents.get(`m${where.slice('/j/'.length)}.`);
        return intent ? this.callbackSecrets.get(intent.who.account) : [];
    }

    async #key(account, role, user) {
        const words = await this.filmgate('key', 'create', account, '--role', role, ...(user ? ['--user', user] : []));
        return /fgk_[0-9A-Za-z]+/.exec(words)[0];
    }

    /* The operator's command. */
    async filmgate(...args) {
        const env = { ...process.env, FILMGATE_CONF: path.join(this.stack.var, 'conf/owner.ini') };
        const { stdout } = await run(path.resolve(tree, process.env.BUILD || 'build', 'filmgate'), args, { env });
        return stdout;
    }

    async #sql(program, ...args) {
        const { stdout } = await run(program, ['--no-defaults', '-uroot', '-S', path.join(this.stack.var, 'run/mariadb.sock'), ...args],
            { env: { ...process.env, MYSQL_PWD: this.secrets.OWNER_PASSWORD }, maxBuffer: 1 << 28, timeout: 30000 });
        return stdout;
    }

    /* Rows of a SELECT of one JSON object each. */
    async rows(sql) {
        const text = await this.#sql('mariadb', '-N', '-B', '--raw', 'filmgate', '-e', sql);
        return text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
    }

    change(sql) {
        return this.#sql('mariadb', 'filmgate', '-e', sql);
    }

    /* Everything there is, one row a line. */
    dump() {
        return this.#sql('mariadb-dump', '--skip-extended-insert', '--skip-lock-tables', '--no-create-info', 'filmgate');
    }

    /* As if the pauses between two tries to tell had gone by, which are of hours. */
    async hurryDeliveries() {
        const nowUs = `${Date.now()}000`;
        await this.change(`UPDATE webhook_delivery SET due_us = ${nowUs}
            WHERE state = 1 AND owner IS NULL AND due_us > ${nowUs} + 1500000`);
    }

    async simulator(where, options) {
        const answer = await fetch(`${this.sim}/_sim/${where}`, options);
        return answer.json();
    }

    /* Processes by part, as they are now: those that do the work, not those that start them again. */
    processes(part) {
        const of = (name) => {
            try {
                return children(this.stack.pid(name));
            } catch {
                return []; /* just being started again */
            }
        };
        switch (part) {
        case 'sweeper': return [...of('sweeper'), ...of('sweeper2')];
        case 'providers': return [this.stack.pid('providers')];
        default: return of(part);
        }
    }

    /* Paths of files below a folder of ours. */
    #below(folder) {
        return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
            .map((entry) => path.join(entry.path, entry.name));
    }

    /* Files of the store, without those that are only on their way in. */
    files() {
        const root = path.join(this.stack.var, 'media');
        return this.#below(root).map((name) => path.relative(root, name)).filter((name) => !name.startsWith('tmp'));
    }

    /* Those that are, or were when somebody died. */
    tmpFiles() {
        return this.#below(path.join(this.stack.var, 'media/tmp'));
    }
}
