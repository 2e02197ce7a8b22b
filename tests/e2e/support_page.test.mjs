/* The support desk over a real stack with pretended providers: what happened is found and read, what support does is done,
 * recorded and shown, and what cannot be done is refused in words. What no stack can bring about: support_shapes.test.mjs. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { axe } from './axe.mjs';
import { act, confirm, dialog, go, openDesk, signIn, tooWide } from './desk.mjs';
import { Receiver } from './receiver.mjs';
import { ownPage } from './own_page.mjs';
import { Client, readEnv, Stack, until } from './stack.mjs';

const receiver = await new Receiver().listen();
const stack = new Stack({
    PROVIDERS: 'sim', SIM_ARGS: '--render-ms 800', FILMGATE_SWEEPER_FIRST_POLL_MS: '300', RECEIVERS: receiver.origin,
});
const USER = 'customer-7';
const jobs = {}; /* by what became of them */
let kit, browser, page, admin, sim, url, key;

/* As the database's owner: what no test can wait for. */
function sql(words) {
    const ini = readFileSync(path.join(stack.var, 'conf/owner.ini'), 'utf8');
    const [user, password] = ['user', 'password'].map((name) => new RegExp(`^${name} = (.*)$`, 'm').exec(ini)[1]);
    execFileSync('mariadb', ['--no-defaults', `--socket=${path.join(stack.var, 'run/mariadb.sock')}`, `--user=${user}`, 'filmgate', '-e', words],
        { env: { ...process.env, MYSQL_PWD: password } });
}

const file = (id) => admin.json(`/v1/admin/jobs/${id}`);
const heading = (id) => `Job ${id}`;
const table = (name) => page.locator('#file').getByRole('region', { name, exact: true });

async function make(name, words, model, more = {}) {
    const { data } = await stack.client.json('/v1/models');
    const { durations, sizes, defaultResolution } = data.find((m) => m.name === model);
    const { aspectRatio } = sizes.find((s) => s.resolution === defaultResolution);
    const prompt = kit.unique(words);
    const job = await stack.client.json('/v1/jobs', { method: 'POST', body: { prompt, model, aspectRatio, duration: durations[0], ...more } });
    jobs[name] = { ...job, prompt };
    return jobs[name];
}

const at = (name, stage) =>
    until(`${name} is ${stage}`, async () => (await file(jobs[name].id)).job.stage === stage);
const taken = (name) =>
    until(`${name} is at its provider`, async () => (await file(jobs[name].id)).attempts.at(-1)?.providerJobId);

async function see(name) {
    const { id } = jobs[name];
    await go(page, '#/nowhere');
    await go(page, `#/jobs/${id}`, heading(id));
    await page.locator('#timeline li').first().waitFor();
}

/* The newest record of a job, as the server has it, and as the page shows it. */
async function recorded(name, action, outcome, reason) {
    const { actions } = await file(jobs[name].id);
    const last = actions.at(-1);
    assert.deepEqual([last.action, last.outcome, last.reason], [action, outcome, reason]);
    assert.match(last.actor, /^acct_\w+, key \d+$/);
    await page.locator('#file-parts section', { has: page.getByRole('heading', { name: 'Done by people' }) })
        .getByRole('row').filter({ hasText: reason }).first().waitFor();
    await page.locator('#timeline li[data-kind="action"]').filter({ hasText: reason }).first().waitFor();
    return last;
}

before(async () => {
    ({ kit, browser } = await ownPage(stack));
    const demo = readEnv(path.join(stack.var, 'demo.env'));
    key = demo.FILMGATE_ADMIN_KEY;
    url = stack.client.url;
    admin = new Client(url, key);
    sim = new Client(readFileSync(path.join(stack.var, 'run/providers.url'), 'utf8').trim(), '');
    await make('kite', 'A red kite over dunes [sim:callback-twice]', 'fal-veo-3.1-fast', { userId: USER, callbackUrl: receiver.url('/told') });
    await make('there', 'A lighthouse [sim:answer-lost]', 'luma-ray-3.2');
    await make('notThere', 'A windmill [sim:answer-lost*1]', 'luma-ray-3.2');
    await make('stuck', 'A snail race [sim:stuck]', 'fal-veo-3.1-fast');
    await make('failed', 'A paper boat [sim:fails]', 'fal-veo-3.1-fast');
    await make('blocked', 'How to make a b0mb', 'fal-veo-3.1-fast');
    await make('review', 'Nude celebrities in marble', 'fal-veo-3.1-fast');
    await Promise.all([
        stack.client.ended(jobs.kite.id), stack.client.ended(jobs.failed.id), stack.client.ended(jobs.blocked.id),
        at('there', 'submit_unknown'), at('notThere', 'submit_unknown'), taken('stuck'), at('review', 'in_review'),
        until('the duplicate is told', async () => (await file(jobs.kite.id)).callbacks.some((c) => c.verdict === 'duplicate')),
        receiver.until('/told', 'the end', (heard) => heard.some(({ json }) => json.type === 'job.succeeded')),
    ]);
});

after(async () => {
    await browser?.close();
    await stack.drop();
    await receiver.close();
    assert.deepEqual(kit.complaints, []);
});

test('only a key of the role admin opens it, and nothing comes from elsewhere', async () => {
    const answer = await fetch(`${url}/support/`);
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get('content-security-policy'), /^default-src 'none'; script-src 'self'; style-src 'self'/);
    assert.ok(!/ (style|on\w+)="/.test(await answer.text()));
    for (const where of ['overview', 'jobs', 'actions', `jobs/${jobs.kite.id}`])
        assert.equal((await stack.client.fetch(`/v1/admin/${where}`)).status, 403, where);
    page = await openDesk(browser, { url, key: 'fgk_nosuchkey', at: `#/jobs/${jobs.kite.id}` });
    const asked = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.getByText('This key is not valid').waitFor();
    await axe(page, 'door');
    await page.locator('#key').fill('');
    await signIn(page, stack.client.key);
    await page.getByRole('heading', { name: 'This desk needs an admin key' }).waitFor();
    await page.getByText(/a key of the role “app”/).waitFor();
    await axe(page, 'refused');
    await kit.shoot(page, 'desk-refused');
    await signIn(page, key);
    await page.getByRole('heading', { name: heading(jobs.kite.id) }).waitFor();
    assert.deepEqual(asked.filter((one) => !one.startsWith(`${url}/`)), []);
    /* It is the session of the page, too. */
    const other = kit.watch(await page.context().newPage());
    await other.goto(url);
    await other.getByRole('heading', { name: 'New video' }).waitFor();
    await other.close();
});

test('the file of a job tells all that happened, and is exported as the server says it', async () => {
    await see('kite');
    const said = await file(jobs.kite.id);
    await page.locator('.summary li').nth(said.summary.length - 1).waitFor();
    assert.deepEqual(await page.locator('.summary .theirs').allTextContents(), said.summary.map((s) => s.text));
    const kinds = await page.locator('#timeline li').evaluateAll((all) => all.map((li) => li.dataset.kind));
    for (const kind of ['event', 'attempt', 'wire', 'callback', 'moderation', 'ledger', 'delivery'])
        assert.ok(kinds.includes(kind), kind);
    assert.equal(kinds.length, said.timeline.length);
    for (const [name, rows] of [['Attempts', said.attempts], ['Callbacks', said.callbacks], ['Ledger', said.ledger],
        ['Content checks', said.moderation], ['Files', said.files], ['Webhook deliveries', said.deliveries]]) {
        assert.ok(rows.length > 0, name);
        assert.equal(await table(name).locator('tbody tr').count(), rows.length, name);
    }
    assert.equal(await page.locator('.wire > li').count(), said.wire.length);
    assert.ok(said.wire.some((w) => w.what === 'submit' && w.status === 200));
    assert.ok(!JSON.stringify(said).includes('sim-fal'), 'no key of ours');
    await table('Callbacks').getByText('duplicate').first().waitFor();
    await table('Ledger').getByText('charged').waitFor();
    await page.waitForFunction(() => document.querySelector('video.player')?.readyState >= 1);
    await axe(page, 'file');
    await kit.shoot(page, 'desk-file', true);
    const waits = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Export as JSON' }).click();
    const download = await waits;
    assert.equal(download.suggestedFilename(), `filmgate-${jobs.kite.id}.json`);
    const exported = JSON.parse(readFileSync(await download.path(), 'utf8'));
    const lasting = ({ account, timeline, attempts, ledger, wire }) => ({ account, timeline, attempts, ledger, wire });
    assert.deepEqual(lasting(exported), lasting(await file(jobs.kite.id)));
});

test('every way of searching finds the job, and the address keeps it', async () => {
    const { attempts, callbacks } = await file(jobs.kite.id);
    const [first] = attempts;
    const found = () => page.locator('#found tbody th a').allTextContents();
    const look = async (filters, words) => {
        await go(page, '#/nowhere');
        await go(page, `#/search?${new URLSearchParams(filters)}`, 'Search');
        await page.waitForFunction(() => /job/.test(document.getElementById('found-words').textContent));
        assert.ok((await found()).includes(jobs.kite.id), words);
    };
    for (const [q, by] of [[jobs.kite.id, 'by its id'], [first.providerJobId, 'by its provider’s id'], [first.clientRef, 'by its client reference']]) {
        await look({ q }, by);
        assert.deepEqual(await found(), [jobs.kite.id], by);
        await page.locator('#found').getByText(by).waitFor();
    }
    assert.ok(callbacks.length > 0);
    await look({ q: 'dunes kite', status: 'succeeded' }, 'words');
    await look({ account: 'demo' }, 'the name of the account');
    await look({ userId: USER }, 'the user');
    assert.deepEqual(await found(), [jobs.kite.id]);
    const made = Date.parse((await file(jobs.kite.id)).job.createdAt);
    await look({ createdAfter: new Date(made - 1000).toISOString(), createdBefore: new Date(made + 1000).toISOString() }, 'time');
    /* By hand: typed, chosen, sent with Enter. */
    await page.getByRole('button', { name: 'Clear all' }).click();
    await page.getByLabel('Error code').fill('blocked_prompt');
    await page.getByLabel('State').selectOption({ label: 'Failed' });
    await page.getByLabel('Look for').press('Enter');
    await page.getByText('1 job.', { exact: true }).waitFor();
    assert.deepEqual(await found(), [jobs.blocked.id]);
    assert.match(page.url(), /#\/search\?status=failed&errorCode=blocked_prompt$/);
    await axe(page, 'search');
    await page.getByLabel('Error code').fill('no such code');
    await page.getByRole('button', { name: 'Search' }).click();
    await page.locator('#found-error').filter({ hasText: 'must be of printable ASCII' }).waitFor();
    await page.getByLabel('Error code').fill('');
    await page.getByLabel('State').selectOption('');
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByText(`${Object.keys(jobs).length} jobs.`).waitFor();
    await kit.shoot(page, 'desk-search', true);
});

test('the overview says how all stands, as the server does', async () => {
    await go(page, '#/', 'Overview');
    await page.locator('.provider').first().waitFor();
    const said = await admin.json('/v1/admin/overview');
    const needs = page.getByRole('region', { name: 'What needs somebody' });
    await needs.getByText('2 submits without an answer').waitFor();
    await needs.getByText('1 review to decide').waitFor();
    for (const p of said.providers)
        await page.getByRole('article', { name: p.name, exact: true }).waitFor();
    const fal = page.getByRole('article', { name: 'fal', exact: true });
    assert.match(await fal.getByRole('img').getAttribute('aria-label'), /^fal in the last 24 hours: [1-9]\d* submits accepted/);
    await page.getByRole('region', { name: 'Jobs by state' }).getByRole('link').first().waitFor();
    await page.getByRole('region', { name: 'Ledger audit' }).getByText(/^Adds up, checked/).waitFor();
    await page.getByRole('region', { name: 'Storage' }).getByText(/ at the last daily count/).waitFor();
    await page.getByRole('region', { name: 'Sweepers' }).getByRole('row').nth(1).waitFor();
    await page.getByRole('region', { name: 'Webhooks' }).getByText(/waiting to be told/).waitFor();
    await axe(page, 'overview');
    await kit.shoot(page, 'desk-overview', true);
});

test('a doubt is resolved from the overview: it is there, it is not there', async () => {
    const { requests } = await sim.json('/_sim/books?prompt=lighthouse');
    const theirs = requests.find((r) => r.prompt?.includes('lighthouse') ?? true);
    await page.getByRole('button', { name: `Resolve the submit of ${jobs.there.id}` }).click();
    await confirm(page, 'Resolve the submit', 'seen in their console', async (d) => {
        await d.getByLabel('It is there: the provider took it').check();
        await d.getByLabel('The provider’s id of the job').fill(theirs.id);
    });
    await dialog(page).waitFor({ state: 'hidden' });
    await see('there');
    await recorded('there', 'resolve', 'done', 'seen in their console');
    assert.equal((await stack.client.ended(jobs.there.id)).status, 'succeeded');
    await see('notThere');
    await act(page, 'Resolve the submit', 'not in their console', (d) => d.getByLabel('It is not there').check());
    await recorded('notThere', 'resolve', 'done', 'not in their console');
    assert.equal((await stack.client.ended(jobs.notThere.id)).status, 'succeeded');
    const { requests: windmills } = await sim.json('/_sim/books?prompt=windmill');
    assert.equal(windmills.length, 2, 'the one that was lost, and the one that was sent after it');
});

test('a review is decided with the findings in view', async () => {
    await go(page, '#/', 'Overview');
    await page.getByRole('button', { name: `Decide the review of ${jobs.review.id}` }).click();
    await dialog(page).getByText(jobs.review.prompt).waitFor();
    await dialog(page).getByText(/real-person/).first().waitFor();
    await dialog(page).getByRole('button', { name: 'Decide the review' }).click();
    await dialog(page).getByText('Please choose one.').waitFor();
    await axe(page, 'review');
    await kit.shoot(page, 'desk-review');
    await confirm(page, 'Decide the review', 'a statue', (d) => d.getByLabel('Let it through').check());
    await dialog(page).waitFor({ state: 'hidden' });
    await page.getByText('Nobody waits for a review.').waitFor();
    assert.equal((await stack.client.ended(jobs.review.id)).status, 'succeeded');
    await see('review');
    await page.getByText(/^Review: Decided by acct_/).waitFor();
});

test('ask, and cancel: the provider hears of it', async () => {
    await see('stuck');
    await act(page, 'Ask the provider now', 'the customer waits');
    await recorded('stuck', 'ask', 'done', 'the customer waits');
    await act(page, 'Cancel', 'the customer gave up');
    await recorded('stuck', 'cancel', 'done', 'the customer gave up');
    const ended = await stack.client.ended(jobs.stuck.id);
    assert.deepEqual([ended.status, ended.errorCode, ended.charged], ['failed', 'canceled', false]);
    await page.locator('.file-state').filter({ hasText: 'Failed' }).waitFor();
    assert.equal(await page.locator('#file').getByRole('button', { name: 'Cancel…' }).count(), 0);
});

test('what has become impossible meanwhile is refused in words, and the refusal is recorded', async () => {
    await make('raced', 'A slow snail [sim:stuck]', 'fal-veo-3.1-fast');
    await taken('raced');
    await see('raced');
    await page.getByRole('button', { name: 'Cancel…' }).click();
    await admin.json(`/v1/admin/jobs/${jobs.raced.id}/actions`, { method: 'POST', body: { action: 'cancel', reason: 'a colleague was faster' } });
    await stack.client.ended(jobs.raced.id);
    await confirm(page, 'Cancel', 'too late');
    await dialog(page).getByText(/^Refused: The job has already ended: it is failed\. \(job_finished\)$/).waitFor();
    await axe(page, 'refused action');
    await kit.shoot(page, 'desk-refused-action');
    await page.keyboard.press('Escape');
    await recorded('raced', 'cancel', 'job_finished', 'too late');
});

test('a retry makes a new job, and leads to it', async () => {
    await see('failed');
    await act(page, 'Try again', 'their fault');
    const link = page.getByRole('link', { name: 'Open the new job' });
    await link.waitFor();
    await recorded('failed', 'retry', 'done', 'their fault');
    const id = (await link.getAttribute('href')).slice('#/jobs/'.length);
    await link.click();
    await page.getByRole('heading', { name: heading(id) }).waitFor();
    assert.equal((await file(id)).job.prompt, jobs.failed.prompt);
    await stack.client.ended(id);
});

test('the ledger is adjusted once with one reference', async () => {
    await see('kite');
    const { account } = await file(jobs.kite.id);
    const fill = (amount) => async (d) => {
        await d.getByLabel('Amount').fill(amount);
        await d.getByLabel('Reference').fill('T-1001');
    };
    await act(page, 'Adjust the ledger', 'a goodwill credit', fill('1.25'));
    const record = await recorded('kite', 'adjust', 'done', 'a goodwill credit');
    assert.equal(record.data.amountMicro, 1250000);
    assert.equal((await file(jobs.kite.id)).account.balanceMicro, account.balanceMicro + 1250000);
    await page.getByRole('button', { name: 'Adjust the ledger…' }).click();
    await confirm(page, 'Adjust the ledger', 'once more by mistake', fill('1.25'));
    await dialog(page).waitFor({ state: 'hidden' });
    await page.getByText('The ledger has an entry with this reference already. Nothing was added.').waitFor();
    assert.equal((await file(jobs.kite.id)).account.balanceMicro, account.balanceMicro + 1250000, 'twice is once');
});

test('webhooks are told again: one delivery, and all', async () => {
    const told = () => receiver.of('/told').length;
    const { deliveries } = await file(jobs.kite.id);
    const was = told();
    await see('kite');
    await page.getByRole('button', { name: `Deliver ${deliveries[0].id} again` }).click();
    await confirm(page, 'Redeliver webhooks', 'they lost one');
    await dialog(page).waitFor({ state: 'hidden' });
    await recorded('kite', 'redeliver', 'done', 'they lost one');
    await until('one more', () => told() === was + 1);
    await until('it is settled', async () => (await file(jobs.kite.id)).deliveries.every((d) => d.state === 'delivered'));
    await act(page, 'Redeliver webhooks', 'they lost all');
    await recorded('kite', 'redeliver', 'done', 'they lost all');
    await until('all of them', () => told() === was + 1 + deliveries.length);
});

test('a legal hold forbids to erase, until it is ended', async () => {
    const button = (name) => page.locator('#file').getByRole('button', { name, exact: true });
    await see('kite');
    await button('Erase media and prompt…').waitFor();
    await act(page, 'Put a legal hold on it', 'letter of their lawyer');
    await recorded('kite', 'hold', 'done', 'letter of their lawyer');
    await table('Legal holds').getByText('letter of their lawyer').waitFor();
    await button('Erase media and prompt…').waitFor({ state: 'detached' });
    await act(page, 'End the legal hold', 'settled out of court');
    await recorded('kite', 'release', 'done', 'settled out of court');
    await act(page, 'Erase media and prompt', 'the customer asks for it');
    await recorded('kite', 'erase', 'done', 'the customer asks for it');
    await page.getByText('The prompt has been erased.').waitFor();
    assert.equal(await page.locator('video.player').count(), 0);
    assert.equal((await stack.client.fetch(`/v1/jobs/${jobs.kite.id}/events`)).status, 200);
    await axe(page, 'erased');
});

test('a provider is paused, resumed, and its breaker closed', async () => {
    await go(page, '#/', 'Overview');
    const luma = page.getByRole('article', { name: 'luma', exact: true });
    const turn = async (button, name, reason) => {
        await page.getByRole('button', { name: button, exact: true }).click();
        await confirm(page, name, reason);
        await dialog(page).waitFor({ state: 'hidden' });
    };
    await turn('Pause luma', 'Pause', 'their status page says so');
    await luma.getByText(/^paused since/).waitFor();
    await page.getByRole('button', { name: /^luma: paused/ }).waitFor();
    await turn('Resume luma', 'Resume', 'they are back');
    await page.getByRole('button', { name: 'Pause luma', exact: true }).waitFor();
    /* The sweeper opens it after five failures in a row; that it does is tested elsewhere (tests/store). */
    sql("INSERT INTO provider_state (provider, breaker, breaker_us) VALUES ('veo', 1, UNIX_TIMESTAMP() * 1000000 + 600000000) " +
        'ON DUPLICATE KEY UPDATE breaker = 1, breaker_us = VALUES(breaker_us)');
    const veo = page.getByRole('article', { name: 'veo', exact: true });
    await page.evaluate(() => window.dispatchEvent(new Event('online'))); /* it looks at once */
    await veo.getByText('failing, rests').waitFor();
    await kit.shoot(page, 'desk-breaker', true);
    await turn('Close the breaker of veo', 'Close the breaker', 'they say it is mended');
    await veo.getByText('takes jobs').waitFor();
    assert.equal(await veo.getByRole('button', { name: 'Close the breaker of veo' }).count(), 0);
    await go(page, '#/actions', 'Actions');
    for (const reason of ['their status page says so', 'they are back', 'they say it is mended', 'too late', 'a goodwill credit'])
        await page.locator('#log-rows').getByText(reason).waitFor();
    await axe(page, 'log');
    await kit.shoot(page, 'desk-log', true);
    await page.locator('#l-job').fill(jobs.raced.id);
    await page.locator('#l-job').press('Enter');
    await page.waitForFunction(() => document.querySelectorAll('#log-rows tbody tr').length === 2);
});

test('by keys alone: in, to a job, through an action, out', async () => {
    const p = await openDesk(browser, { url, key });
    await p.locator('.provider').first().waitFor();
    const focused = () => p.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.id);
    const tabTo = async (what) => {
        for (let i = 0; i < 60; i++) {
            await p.keyboard.press('Tab');
            if ((await focused()) === what) return;
        }
        assert.fail(`no way by keys to ${what}`);
    };
    await p.evaluate(() => document.activeElement.blur());
    await tabTo('Search');
    await p.keyboard.press('Enter');
    await p.getByRole('heading', { level: 1, name: 'Search' }).waitFor();
    await tabTo('q');
    await p.keyboard.type(jobs.blocked.id);
    await p.keyboard.press('Enter');
    await p.locator('#found tbody a').first().waitFor();
    await tabTo(jobs.blocked.id);
    await p.keyboard.press('Enter');
    await p.getByRole('button', { name: 'Put a legal hold on it…' }).waitFor();
    await tabTo('Put a legal hold on it…');
    await p.keyboard.press('Enter');
    await dialog(p).waitFor();
    await p.keyboard.type('by keys alone');
    await p.keyboard.press('Control+Enter');
    await dialog(p).waitFor({ state: 'hidden' });
    await p.getByRole('button', { name: 'End the legal hold…' }).waitFor();
    assert.equal((await file(jobs.blocked.id)).holds.length, 1);
    await p.getByRole('button', { name: 'Sign out' }).focus();
    await p.keyboard.press('Enter');
    await p.getByText('You are signed out.').waitFor();
    await p.context().close();
});

/* What axe says in English and in the light is in the tests above. */
test('each view at 320 pixels and at 2560, in the dark, in German: readable, and nothing runs out of the page', async () => {
    const places = { overview: ['#/', '.provider'], search: ['#/search', '#found table'],
        file: [`#/jobs/${jobs.there.id}`, '#file-parts table'], log: ['#/actions', '#log-rows table'] };
    for (const [width, colorScheme, locale] of [[320, 'dark', 'de-DE'], [2560, 'light', 'en-GB']]) {
        const p = await openDesk(browser, { url, key, options: { viewport: { width, height: 900 }, colorScheme, locale } });
        for (const [name, [where, there]] of Object.entries(places)) {
            await go(p, where);
            await p.locator(there).first().waitFor();
            assert.deepEqual(await tooWide(p), [], `${name} at ${width}`);
            if (width === 320) await axe(p, `${name} ${width} ${colorScheme} ${locale}`);
            await kit.shoot(p, `desk-${width}-${colorScheme}-${name}`, true);
        }
        await p.context().close();
    }
});
