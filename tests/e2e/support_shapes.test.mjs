/* The support desk with answers made up here: what no test can bring about in a real stack, and how the page bears it. What it does
 * to real jobs is in support_page.test.mjs. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe } from './axe.mjs';
import { dialog, go, openDesk, signIn, tooWide } from './desk.mjs';
import * as fx from './desk_fixtures.mjs';
import { complaints, launch, newContext, shoot, url, watch } from './page.mjs';
import { until } from './stack.mjs';

const key = process.env.FILMGATE_ADMIN_KEY;
const JOB = 'job_0000000000000000000000made';
let browser, page;
let asked = []; /* of /v1/admin, in order */
const answers = {}; /* route: answer or function of the request */

const json = (route, status, body) =>
    route.fulfill({ status, contentType: status < 400 ? 'application/json' : 'application/problem+json', body: JSON.stringify(body) });

const refusal = (status, code, detail) => ({ status, body: { status, code, title: code, detail, requestId: 'req_of_this' } });

const names = [
    ['overview', /\/v1\/admin\/overview$/], ['reviews', /\/v1\/admin\/reviews\?/],
    ['search', /\/v1\/admin\/jobs(\?|$)/], ['act', /\/v1\/admin\/jobs\/[^/]+\/actions$/],
    ['file', /\/v1\/admin\/jobs\/[^/?]+$/], ['provider', /\/v1\/admin\/providers\//], ['log', /\/v1\/admin\/actions/],
];

async function pretend(p) {
    await p.route(/\/v1\/admin\//, async (route) => {
        const request = route.request();
        const [name] = names.find(([, pattern]) => pattern.test(request.url()));
        asked.push({ name, url: new URL(request.url()), body: request.postDataJSON() });
        const given = typeof answers[name] === 'function' ? await answers[name](request) : answers[name];
        if (given === 'lost') return route.abort('connectionreset');
        return given.status ? json(route, given.status, given.body) : json(route, 200, given);
    });
}

function reset() {
    asked = [];
    Object.assign(answers, {
        overview: fx.overview(), reviews: { data: [] }, search: { data: [], nextCursor: null, searchedBackTo: null },
        file: fx.hostileFile(JOB), log: { data: [], nextCursor: null }, act: refusal(409, 'job_finished', 'It has ended.'),
        provider: { outcome: 'done' },
    });
}

/* Whatever runs, the newest answer is on the page afterwards. */
async function lookAgain(p = page) {
    const before = asked.length;
    await p.evaluate(() => window.dispatchEvent(new Event('online')));
    await until('it asked again', () => asked.length > before);
}

const see = async (at, title) => {
    await go(page, '#/nowhere');
    await go(page, at, title);
};

const count = (name) => asked.filter((a) => a.name === name).length;

before(async () => {
    reset();
    browser = await launch();
    const context = await newContext(browser);
    page = watch(await context.newPage());
    await pretend(page);
    await page.goto(`${url}/support/#/`);
    await page.getByRole('heading', { name: 'Sign in to the support desk' }).waitFor();
    await shoot(page, 'desk-door');
    await signIn(page, key);
    await page.locator('.provider').first().waitFor();
});

after(async () => {
    await browser?.close();
    /* The browser says so of answers that are made up here. */
    assert.deepEqual(complaints.filter((words) => !/^Failed to load resource: .* status of (404|503) /.test(words)), []);
});

test('the overview tells what needs somebody, and leads there by keys', async () => {
    const needs = page.getByRole('region', { name: 'What needs somebody' });
    const told = await needs.getByRole('listitem').allTextContents();
    assert.deepEqual(told.slice(0, 3), ['5 jobs do not get on', '1 submit without an answer', 'kling: paused']);
    for (const words of ['The ledger does not add up', 'Sweeper host-b is not heard of', '1 webhook endpoint fails'])
        assert.ok(told.includes(words), words);
    assert.ok(!told.some((words) => words.startsWith('fal')), 'what is well needs nobody');
    await needs.getByRole('button', { name: 'runway: failing, rests' }).focus();
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'provider-runway-title');
    const rows = page.getByRole('region', { name: 'Jobs that do not get on' }).locator('tbody tr');
    assert.deepEqual(await rows.locator('td:nth-child(2)').allTextContents(), ['nobody has work due for it', 'its work is overdue',
        'very long in one stage', 'past its deadline', 'submit without an answer']);
    await axe(page, 'overview');
    await shoot(page, 'desk-overview', true);
});

test('the plot has its numbers in words and in a table', async () => {
    const { history } = answers.overview.providers[0];
    const sum = (kind) => history.reduce((n, b) => n + b[kind], 0);
    const fal = page.getByRole('article', { name: 'fal' });
    const words = await fal.getByRole('img').getAttribute('aria-label');
    assert.match(words, new RegExp(`^fal in the last 24 hours: ${sum('accepted')} submits accepted, ${sum('refused')} refused`));
    assert.ok((await fal.locator('svg rect.accepted').count()) > 80);
    await fal.getByText('The same by the hour, as a table').click();
    const cells = await fal.locator('details tbody td:nth-child(2)').allTextContents();
    assert.equal(cells.reduce((n, text) => n + Number(text), 0), sum('accepted'));
});

test('a refresh leaves focus, open details and scrolling alone, and shows what is new', async () => {
    const fal = page.getByRole('article', { name: 'fal' });
    assert.ok(await fal.locator('details').evaluate((d) => d.open));
    const button = page.getByRole('button', { name: 'Resolve the submit of job_doubt' });
    await button.focus();
    const y = await page.evaluate(() => scrollY);
    answers.overview = fx.overview();
    answers.overview.unknownSubmits.unshift({ ...answers.overview.unknownSubmits[0], id: 'job_newer' });
    await lookAgain();
    await page.getByRole('link', { name: 'job_newer' }).waitFor();
    assert.ok(await button.evaluate((b) => b === document.activeElement));
    assert.ok(await fal.locator('details').evaluate((d) => d.open));
    assert.ok(Math.abs((await page.evaluate(() => scrollY)) - y) < 80);
    answers.overview = fx.overview({ unknownSubmits: [] });
    await lookAgain();
    await page.getByText('Every submit has been answered.').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), 'unknown-title', 'the focus stays near what is gone');
});

test('what is typed outlives refreshes, and the dialog asks for all it needs', async () => {
    await see(`#/jobs/${JOB}`, `Job ${JOB}`);
    const opener = page.getByRole('button', { name: 'Adjust the ledger…' });
    await opener.click();
    await dialog(page).getByLabel('Amount').fill('1.2345678');
    await dialog(page).getByLabel('Reason').fill('ab');
    await lookAgain();
    await dialog(page).getByRole('button', { name: 'Adjust the ledger' }).click();
    assert.equal(await dialog(page).getByLabel('Amount').inputValue(), '1.2345678');
    for (const words of ['Please enter an amount like 1.50', 'Please enter a reference of 1 to 64', 'Please give a reason of at least 3'])
        await dialog(page).getByText(words).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), 'act-amountMicro');
    await axe(page, 'dialog with errors');
    await shoot(page, 'desk-dialog-errors');
    await dialog(page).getByLabel('Amount').fill('-0,25');
    await dialog(page).getByText('has $12.50 now and $12.25 afterwards').waitFor();
    await dialog(page).getByLabel('Reference').fill('T-1');
    await dialog(page).getByLabel('Reason').fill('charged twice, see T-1');
    await dialog(page).getByRole('button', { name: 'Adjust the ledger' }).click();
    await dialog(page).getByText('Refused: It has ended. (job_finished)').waitFor();
    assert.deepEqual(asked.filter((a) => a.name === 'act').at(-1).body,
        { action: 'adjust', amountMicro: -250000, reference: 'T-1', reason: 'charged twice, see T-1' });
    await until('the job was read anew', () => asked.at(-1).name === 'file');
    await shoot(page, 'desk-dialog-refused');
    answers.act = () => 'lost';
    await dialog(page).getByRole('button', { name: 'Adjust the ledger' }).click();
    await dialog(page).getByText('It may or may not have been done').waitFor();
    await page.keyboard.press('Escape');
    await dialog(page).waitFor({ state: 'hidden' });
    assert.ok(await opener.evaluate((b) => b === document.activeElement), 'the focus is back');
});

test('an action is sent once, however often one presses', async () => {
    let let_go;
    const held = new Promise((resolve) => {
        let_go = resolve;
    });
    answers.act = async () => {
        await held;
        return { outcome: 'done', job: {}, action: {}, retried: 'job_new' };
    };
    const was = count('act');
    await page.getByRole('button', { name: 'Try again…' }).click();
    await dialog(page).getByLabel('Reason').fill('the customer asks for it');
    await dialog(page).getByRole('button', { name: 'Try again' }).click();
    await dialog(page).getByRole('button', { name: 'Being done…' }).click({ force: true });
    await page.keyboard.press('Control+Enter');
    let_go();
    await dialog(page).waitFor({ state: 'hidden' });
    assert.equal(count('act'), was + 1);
    assert.equal(await page.getByRole('link', { name: 'Open the new job' }).getAttribute('href'), '#/jobs/job_new');
});

test('hostile words stay words, in every place', async () => {
    await see(`#/jobs/${JOB}`, `Job ${JOB}`);
    await page.locator('#file-parts table').first().waitFor();
    for (const summary of await page.locator('#file summary').all()) await summary.click();
    const shown = await page.locator('#file').textContent();
    assert.ok(shown.split(fx.HOSTILE).length > 25, 'it is there to be read');
    assert.equal(await page.locator('#file img, #file script, main iframe').count(), 0);
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    assert.equal(await page.locator('.prompt-words .theirs').getAttribute('dir'), 'auto');
    for (const link of await page.locator('#file a').all()) assert.match(await link.getAttribute('href'), /^(#\/|\/problems\/|\/v1\/admin\/)/);
    await axe(page, 'file');
    await shoot(page, 'desk-file-hostile', true);
    await go(page, '#/search?q=img', 'Search');
    answers.search = { data: [fx.found(JOB), fx.found('job_other', { prompt: fx.ARABIC })], nextCursor: null, searchedBackTo: null };
    await page.locator('#search-form button[type=submit]').click();
    await page.getByText(fx.HOSTILE).waitFor();
    const arabic = page.getByText(fx.ARABIC);
    assert.equal(await arabic.evaluate((node) => getComputedStyle(node).direction), 'rtl');
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    answers.log = { data: fx.hostileFile(JOB).actions.map((a) => ({ ...a, jobId: JOB, accountId: 'acct_1' })), nextCursor: null };
    await go(page, '#/actions', 'Actions');
    await page.locator('#log-rows').getByText(fx.HOSTILE).first().waitFor();
    assert.equal(await page.evaluate(() => window.hacked), undefined);
});

test('the kinds of the timeline are chosen, and the choice can be sent to a colleague', async () => {
    await see(`#/jobs/${JOB}`, `Job ${JOB}`);
    const kinds = () => page.locator('#timeline li').evaluateAll((all) => all.map((li) => li.dataset.kind));
    await page.locator('#timeline li').first().waitFor();
    assert.deepEqual(await kinds(), ['event', 'wire', 'callback', 'moderation', 'delivery', 'action', 'of tomorrow']);
    await page.getByRole('checkbox', { name: 'Wire' }).focus();
    await page.keyboard.press('Space');
    await page.getByRole('checkbox', { name: 'Actions' }).uncheck();
    assert.deepEqual(await kinds(), ['event', 'callback', 'moderation', 'delivery', 'of tomorrow']);
    await page.reload();
    await page.locator('#timeline li').first().waitFor();
    assert.deepEqual(await kinds(), ['event', 'callback', 'moderation', 'delivery', 'of tomorrow']);
    assert.equal(await page.getByRole('checkbox', { name: 'Wire' }).isChecked(), false);
});

test('a search that is bounded says how far it came, and goes on from there', async () => {
    const rows = (from) => Array.from({ length: 3 }, (_, i) => fx.found(`job_${from}${i}`));
    answers.search = (request) =>
        new URL(request.url()).searchParams.get('cursor')
            ? { data: rows('older'), nextCursor: null, searchedBackTo: '2026-01-01T00:00:00.000Z' }
            : { data: rows('newer'), nextCursor: 'c1', searchedBackTo: '2026-11-01T10:00:00.000Z' };
    await see('#/search?q=paper+boat&status=failed&createdAfter=2026-01-01T00%3A00%3A00.000Z', 'Search');
    await page.getByText('3 jobs so far. Searched back to 1 Nov 2026, 10:00:00.').waitFor();
    const sent = asked.at(-1).url.searchParams;
    assert.deepEqual(Object.fromEntries(sent), { q: 'paper boat', status: 'failed', createdAfter: '2026-01-01T00:00:00.000Z', limit: '50' });
    assert.equal(await page.getByLabel('Created after').inputValue(), '2026-01-01T00:00');
    await shoot(page, 'desk-search', true);
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByText('6 jobs.').waitFor();
    assert.equal(asked.at(-1).url.searchParams.get('cursor'), 'c1');
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'job_older0', 'reading goes on where it was');
    assert.equal(await page.getByRole('button', { name: 'Go on' }).count(), 0);
    answers.search = { data: [], nextCursor: null, searchedBackTo: null };
    await page.getByLabel('Look for').fill('nothing like it');
    await page.keyboard.press('Enter');
    await page.getByText('No job fits.').waitFor();
    assert.match(page.url(), /#\/search\?q=nothing\+like\+it&status=failed/);
    answers.search = refusal(400, 'invalid_request', 'The cursor is not one of ours.');
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByText('The cursor is not one of ours.').waitFor();
    await page.goBack();
    assert.equal(await page.getByLabel('Look for').inputValue(), 'paper boat');
});

test('five hundred jobs that do not get on are drawn, and drawn again, quickly', async () => {
    const [first] = fx.overview().stuck;
    answers.overview = fx.overview({ stuck: Array.from({ length: 500 }, (_, i) => ({ ...first, id: `job_${i}` })) });
    await see('#/', 'Overview');
    await page.getByRole('link', { name: 'job_499' }).waitFor();
    await page.evaluate(() => {
        window.changes = 0;
        new MutationObserver((all) => {
            window.changes += all.length;
        }).observe(document.getElementById('overview-parts'), { subtree: true, childList: true });
    });
    answers.overview.stuck.pop();
    await lookAgain();
    await page.getByRole('link', { name: 'job_499' }).waitFor({ state: 'detached' });
    assert.ok((await page.evaluate(() => window.changes)) < 20, 'only what changed is changed');
});

test('nothing needs anybody: it says so', async () => {
    answers.overview = fx.calm();
    await see('#/', 'Overview');
    await page.getByText('Nothing needs anybody right now.').waitFor();
    await shoot(page, 'desk-calm', true);
});

test('a job that is not there, and a place that is not there', async () => {
    answers.file = refusal(404, 'not_found', 'There is no such job.');
    await see('#/jobs/job_gone', 'Job job_gone');
    await page.getByText('There is no job job_gone.').waitFor();
    await axe(page, 'no job');
    await go(page, '#/treasure/map', 'Support desk');
    await page.getByText('There is nothing at this address of the desk.').waitFor();
});

test('no answer: the banner says since when, and goes when the server is back', async () => {
    reset();
    await see('#/', 'Overview');
    await page.locator('.provider').first().waitFor();
    answers.overview = () => 'lost';
    await lookAgain();
    await page.getByText(/^No connection to the server since/).waitFor();
    await axe(page, 'away');
    await shoot(page, 'desk-away');
    assert.ok(await page.locator('.provider').first().isVisible(), 'what was known stays');
    answers.overview = refusal(503, 'database_unavailable', 'The database is away.');
    await page.getByRole('button', { name: 'Try now' }).click();
    await page.getByText(/^The server cannot answer since .* \(database_unavailable\)/).waitFor();
    answers.overview = fx.overview();
    await page.getByRole('button', { name: 'Try now' }).click();
    await page.locator('#banner').waitFor({ state: 'hidden' });
});

test('a session that ended elsewhere: the door, and then the same place again', async () => {
    await see(`#/jobs/${JOB}?without=wire`, `Job ${JOB}`);
    answers.file = refusal(401, 'unauthorized', 'A valid API key is needed.');
    await page.getByRole('button', { name: 'Put a legal hold on it…' }).click();
    await lookAgain();
    await page.getByText('Your session has ended.').waitFor();
    assert.equal(await dialog(page).count(), 0);
    answers.file = fx.hostileFile(JOB);
    await signIn(page, key);
    await page.locator('#timeline li').first().waitFor();
    assert.equal(await page.getByRole('checkbox', { name: 'Wire' }).isChecked(), false);
});

test('in an hour without anybody it asks a few times a minute at most, and not at all while hidden', async () => {
    reset();
    const context = await newContext(browser);
    const idle = watch(await context.newPage());
    let begun = 0, ended = 0; /* of this page alone */
    const isOurs = (request) => (request.url().includes('/v1/admin/') ? 1 : 0);
    idle.on('request', (request) => (begun += isOurs(request)));
    for (const end of ['requestfinished', 'requestfailed']) idle.on(end, (request) => (ended += isOurs(request)));
    await idle.clock.install();
    await pretend(idle);
    await idle.goto(`${url}/support/#/`);
    await signIn(idle, key);
    await idle.locator('.provider').first().waitFor();
    const pass = async (minutes, step = 30) => {
        const from = begun;
        for (let s = 0; s < minutes * 60; s += step) {
            await idle.clock.runFor(step * 1000);
            await until('what was asked is answered', () => ended === begun);
            await idle.evaluate(() => {}); /* and read */
        }
        return begun - from;
    };
    const first = await pass(2, 5);
    assert.ok(first >= 5 && first <= 13, `${first} in two minutes with somebody there`);
    const hour = await pass(60);
    assert.ok(hour >= 20 && hour <= 90, `${hour} in an hour at rest`);
    await idle.evaluate(() => {
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
        document.dispatchEvent(new Event('visibilitychange'));
    });
    await pass(1);
    assert.equal(await pass(30), 0, 'hidden');
    await context.close();
});

test('both languages have the same texts', async () => {
    const shape = (p) =>
        p.evaluate(async () => {
            const tell = (value) =>
                typeof value === 'function' ? `f${value.length}`
                : Array.isArray(value) ? value.map(tell)
                : typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, tell(v)]))
                : value === '' ? 'empty' : 'text';
            const all = {};
            for (const code of ['en', 'de']) all[code] = tell((await import(`/support/text/${code}.js`)).default);
            return all;
        });
    const { en, de } = await shape(page);
    assert.deepEqual(de, en);
});

/* The widths, schemes and languages of what is real: support_page.test.mjs. */
test('long and hostile words at 320 pixels, in German: nothing runs out of the page', async () => {
    reset();
    answers.search = { data: [fx.found(JOB)], nextCursor: 'c', searchedBackTo: null };
    const context = await newContext(browser, { viewport: { width: 320, height: 900 }, colorScheme: 'light', locale: 'de-DE' });
    const p = watch(await context.newPage());
    await pretend(p);
    await p.goto(`${url}/support/#/`);
    await signIn(p, key);
    for (const [at, there] of [['#/', '.provider'], ['#/search?q=x', '#found table'], [`#/jobs/${JOB}`, '#file-parts table']]) {
        await go(p, at);
        await p.locator(there).first().waitFor();
        assert.deepEqual(await tooWide(p), [], at);
    }
    await axe(p, 'file at 320');
    assert.equal(await p.evaluate(() => document.documentElement.lang), 'de');
    await context.close();
});
