/* A whole filmgate with impatient settings, accounts with keys, and a way into its database and its processes. */
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Stack, children, readEnv, tree } from '../../e2e/stack.mjs';

const run = promisify(execFile);
const ACCOUNTS = 6;
const UNKNOWN_WAIT_S = 5;
export const LEASE_S = 5;

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
    static async start(env = {}) {
        const world = new World();
        world.catalogue = quickCatalogue();
        world.stack = new Stack({
            RESPAWN: '1', PROVIDERS: 'sim', SWEEPERS: '2', API_PROCS: '4', HOOK_PROCS: '2', FCGI_TIMEOUT_S: '8',
            SIM_ARGS: '--render-ms 800 --queue-ms 200 --quiet',
            FILMGATE_SWEEPER_LEASE_S: String(LEASE_S), FILMGATE_SWEEPER_SUBMIT_TIMEOUT_S: '3',
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
        } catch (error) {
            await world.stack.drop();
            throw error;
        }
        return world;
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

    /* Rows of a SELECT of one JSON object each. */
    rows(sql) {
        const text = execFileSync('mariadb', ['--no-defaults', '-N', '-B', '--raw', '-uroot', '-S',
            path.join(this.stack.var, 'run/mariadb.sock'), 'filmgate', '-e', sql],
        { env: { ...process.env, MYSQL_PWD: this.secrets.OWNER_PASSWORD }, maxBuffer: 1 << 28, timeout: 30000 });
        return text.toString().split('\n').filter(Boolean).map((line) => JSON.parse(line));
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

    /* Files of the store, without those that are only on their way in. */
    files() {
        const root = path.join(this.stack.var, 'media');
        return readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
            .map((entry) => path.relative(root, path.join(entry.path, entry.name))).filter((name) => !name.startsWith('tmp'));
    }
}
