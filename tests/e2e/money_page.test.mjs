/* What the page says of money and limits, against a running stack whose window for duplicates is open. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import {
    api,
    card,
    complaints,
    create,
    jobsWithPrompt,
    launch,
    newContext,
    promptBox,
    shoot,
    signIn,
    unique,
    waitEnded,
    watch,
} from './page.mjs';
import { readEnv, until } from './stack.mjs';

const folder = process.env.FILMGATE_VAR;
const SMALL = { aspectRatio: '16:9', duration: 5, resolution: '360p' };

let browser, page;

function sql(text) {
    const { OWNER_PASSWORD } = readEnv(path.join(folder, 'conf/secrets'));
    execFileSync('mariadb', ['--no-defaults', '-uroot', '-S', path.join(folder, 'run/mariadb.sock'), 'filmgate', '-e', text],
        { env: { ...process.env, MYSQL_PWD: OWNER_PASSWORD } });
}

/* Nothing is handed over until the test is over: jobs wait, and can be canceled for nothing. */
function stopTheSweeper(t) {
    const pid = Number(readFileSync(path.join(folder, 'run/sweeper.pid'), 'utf8'));
    process.kill(pid, 'SIGSTOP');
    t.after(() => process.kill(pid, 'SIGCONT'));
}

const words = (id) => page.locator(id).textContent();
/* Whatever it says. */
const press = () => page.locator('#create-go').click();
const dollars = (micro) => `$${new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 4 }).format(micro / 1e6)}`;
const priceIs = (micro) => page.waitForFunction((want) => document.getElementById('price').textContent === want, dollars(micro));
const quote = async (more = {}) => api('POST', '/v1/quotes', { prompt: 'x', ...SMALL, ...more });

async function small() {
    await page.locator('input[name=resolution][value="360p"]').check();
    await page.locator('#duration').press('Home');
}

async function cancelAll(prompt) {
    for (const job of await jobsWithPrompt(prompt))
        if (!job.finishedAt) await api('POST', `/v1/jobs/${job.id}/cancel`);
}

before(async () => {
    sql('UPDATE plan SET margin_bp = 5000');
    browser = await launch();
    page = watch(await (await newContext(browser)).newPage());
    await signIn(page);
    await small();
});

after(async () => {
    await browser?.close();
});

test('the price that was shown is the price that is paid, and a price stands with every job', async () => {
    const { priceMicro } = await quote();
    await priceIs(priceMicro);
    sql('UPDATE plan SET margin_bp = 10000');
    const asked = page.waitForRequest((r) => r.method() === 'POST' && r.url().endsWith('/v1/jobs'));
    const prompt = unique('Paid as shown');
    const made = await create(page, prompt, { resolution: '360p' });
    assert.match(JSON.parse((await asked).postData()).quoteId, /^quote_/);
    const [job] = await jobsWithPrompt(prompt);
    assert.equal(job.priceMicro, priceMicro);
    await made.getByText(`${dollars(priceMicro)} held`, { exact: true }).waitFor();
    const now = (await quote()).priceMicro;
    assert.ok(now > priceMicro, 'it is dearer by now');
    await priceIs(now); /* for the next one */
    assert.equal(await waitEnded(page, made), 'succeeded');
    await made.getByText(`${dollars(priceMicro)} charged`, { exact: true }).waitFor();
});

test('the same wish again is asked about, in the page', async (t) => {
    stopTheSweeper(t);
    const prompt = unique('Pressed twice');
    await create(page, prompt, { resolution: '360p' });
    await promptBox(page).fill(prompt);
    await press();
    await page.locator('#again').waitFor();
    assert.match(await words('#again-words'), /^You asked for just this \d+ seconds? ago\. Make it again\?$/);
    assert.equal(await page.evaluate(() => document.activeElement.id), 'again-words');
    await shoot(page, 'again');
    await page.getByRole('button', { name: 'No, one is enough' }).click();
    assert.ok(await page.locator('#again').isHidden());
    assert.equal((await jobsWithPrompt(prompt)).length, 1);
    await press();
    await page.getByRole('button', { name: 'Make it again' }).click();
    await page.waitForFunction(() => document.getElementById('prompt').value === '');
    assert.ok(await page.locator('#again').isHidden());
    assert.equal((await jobsWithPrompt(prompt)).length, 2);
    await cancelAll(prompt);
});

test('what came to nothing was not charged, and says so', async (t) => {
    stopTheSweeper(t);
    const prompt = unique('Never begun');
    const made = await create(page, prompt, { resolution: '360p' });
    const [{ priceMicro }] = await jobsWithPrompt(prompt);
    await made.getByRole('button', { name: 'Cancel' }).click();
    assert.equal(await waitEnded(page, made), 'failed');
    await made.getByText(`Not charged; ${dollars(priceMicro)} given back`, { exact: true }).waitFor();
});

test('a limit without room is told before the button, and after it', async (t) => {
    t.after(() => sql('UPDATE plan SET day_micro = NULL, outstanding_max = NULL; UPDATE account SET credit_limit_micro = NULL'));
    const OVER = 'Over the budget: try anyway';
    const rows = [
        ['UPDATE plan SET day_micro = 5000', /^The budget of the day, \$0\.005, has no room for this: .*\. Free again: .*\d\d:\d\d:\d\d\.$/, OVER],
        ['UPDATE plan SET day_micro = NULL, outstanding_max = 0', /^This account may have 0 videos in the making\./, 'No room just now: try anyway'],
        ['UPDATE plan SET outstanding_max = NULL; UPDATE account SET credit_limit_micro = 0', /^The balance of -\$[\d.]+ does not cover this\.$/, OVER],
    ];
    for (const [set, told, button] of rows) {
        sql(set);
        await page.reload();
        await page.waitForFunction(() => !document.getElementById('room').hidden);
        assert.match(await words('#room'), told);
        assert.equal(await words('#create-go'), button, 'the button says so');
        const prompt = unique('No room');
        await promptBox(page).fill(prompt);
        await press();
        await page.waitForFunction(() => document.getElementById('create-error').textContent !== '');
        assert.match(await words('#create-error'), told);
        await page.waitForFunction(() => document.getElementById('room').hidden); /* not twice */
        assert.ok(await page.locator('#sending').isHidden(), 'it is not tried again and again');
        assert.equal((await jobsWithPrompt(prompt)).length, 0);
    }
    await shoot(page, 'no-room');
    sql('UPDATE account SET credit_limit_micro = NULL');
    await page.locator('#duration').press('End');
    await page.waitForFunction(() => document.getElementById('room').hidden);
    await until('the button is itself again', async () => (await words('#create-go')) === 'Create video');
    await promptBox(page).fill(''); /* else its draft keeps the settings */
    await small();
});

test('the form offers what the plan includes, and begins with its default', async (t) => {
    t.after(() => sql('UPDATE plan SET durations = NULL, resolutions = NULL, default_resolution = NULL'));
    sql("UPDATE plan SET durations = '6,7', resolutions = '360p,480p', default_resolution = '360p'");
    await page.reload();
    await page.waitForFunction(() => document.querySelectorAll('#resolutions input').length > 0);
    const values = await page.locator('#resolutions input').evaluateAll((all) => all.map((i) => `${i.value} ${i.checked}`));
    assert.deepEqual(values, ['360p true', '480p false']);
    assert.deepEqual(await page.locator('#duration-ticks span').allTextContents(), ['6', '7']);
    await priceIs((await quote({ duration: 6 })).priceMicro);
    sql("UPDATE plan SET durations = '7'"); /* while the page lies open */
    await promptBox(page).fill(unique('Not any more'));
    await press();
    await page.locator('#duration-error').getByText('6 seconds are not in the plan; these are: 7.').waitFor();
    sql('UPDATE plan SET durations = NULL, resolutions = NULL, default_resolution = NULL');
    await promptBox(page).fill('');
    await page.reload();
    await page.waitForFunction(() => document.querySelectorAll('#resolutions input').length === 3);
    await small();
});

test('a price that is over is asked for anew, and the button waits for a person', async (t) => {
    stopTheSweeper(t);
    const { priceMicro } = await quote();
    await priceIs(priceMicro);
    sql('UPDATE quote SET expires_us = 1');
    const prompt = unique('Too late');
    await promptBox(page).fill(prompt);
    await press();
    await page.getByText('This price was held for some minutes only.').waitFor();
    assert.equal((await jobsWithPrompt(prompt)).length, 0);
    await until('a price is shown again', async () => (await words('#price')) === dollars(priceMicro));
    await press();
    await card(page, prompt).waitFor();
    await cancelAll(prompt);
});

test('the browser had nothing to complain about', () => {
    assert.deepEqual(complaints, []);
});
