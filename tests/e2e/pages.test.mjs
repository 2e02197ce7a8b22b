/* The pages beside the main one, in a real browser: usage by day, and the page of a shared link. Figures are compared with
 * what the API says. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { axe } from './axe.mjs';
import { api, card, complaints, key, launch, newContext, shoot, signIn, unique, url, watch } from './page.mjs';
import { Client, readEnv, until } from './stack.mjs';

const folder = process.env.FILMGATE_VAR;
const client = new Client(url, key);
const DAY_MS = 86400000;
const LOOKS = [
    { name: 'light', days: 7, viewport: { width: 1360, height: 900 }, colorScheme: 'light' },
    { name: 'dark', days: 30, viewport: { width: 1360, height: 900 }, colorScheme: 'dark', reducedMotion: 'reduce' },
    { name: 'narrow', days: 7, viewport: { width: 320, height: 700 }, colorScheme: 'light' },
    { name: 'wide', days: 90, viewport: { width: 3840, height: 2160 }, colorScheme: 'dark' },
];
let browser, context, page, made, guest;

function sql(text) {
    const { OWNER_PASSWORD } = readEnv(path.join(folder, 'conf/secrets'));
    execFileSync('mariadb', ['--no-defaults', '-ufg_owner', '-S', path.join(folder, 'run/mariadb.sock'), 'filmgate'],
        { input: text, env: { ...process.env, MYSQL_PWD: OWNER_PASSWORD } });
}

/* The made video as it was asked for on other days, with other ends. */
function history(days) {
    sql(`SET @like = (SELECT id FROM job WHERE public_id = '${made.id}');
        INSERT INTO job (public_id, account_id, state, stage, version, provider, model, prompt, aspect_ratio, duration_s,
            resolution, price_micro, currency, charged, attempt_n, output_state, error_code, request_id, created_us,
            updated_us, finished_us, deadline_us)
        SELECT CONCAT('job_', LPAD(s.seq, 26, '0')), j.account_id, ELT(1 + s.seq MOD 7, 4, 5, 4, 4, 6, 5, 4), 0, 3, j.provider,
            j.model, 'an old one', '16:9', 5, '480p', 10000 * (1 + s.seq MOD 5), 'USD', ELT(1 + s.seq MOD 7, 1, 0, 1, 1, 0, 0, 1),
            1, 0, ELT(1 + s.seq MOD 7, NULL, 'provider_failed', NULL, NULL, 'deadline_exceeded', 'canceled', NULL), 'r',
            j.created_us - (s.seq MOD ${days}) * 86400000000, 1, j.created_us, j.created_us
        FROM job j JOIN seq_1_to_${days * 3} s WHERE j.id = @like;
        INSERT INTO ledger (job_id, side, account_id, kind, amount_micro, currency, at_us)
        SELECT id, 0, account_id, 1, price_micro, currency, created_us FROM job WHERE prompt = 'an old one'
        UNION ALL SELECT id, 1, account_id, IF(charged, 2, 3), price_micro, currency, created_us FROM job
        WHERE prompt = 'an old one';`);
}

before(async () => {
    browser = await launch();
    context = await newContext(browser);
    page = watch(await context.newPage());
    made = await client.create({ prompt: unique('A boat that is shared منارة') });
});
after(() => browser?.close());

const words = (p, id) => p.locator(`#${id}`).textContent();
const shown = (p, id) => p.locator(`#${id}`).waitFor();

test('who is not signed in is told so, and where to', async () => {
    await page.goto(`${url}/usage`);
    await page.getByText('You are not signed in.').waitFor();
    assert.equal(await page.getByRole('link', { name: 'To the sign-in' }).getAttribute('href'), '/');
    assert.ok(await page.locator('#past').isHidden());
    await axe(page, 'usage, signed out');
    await shoot(page, 'usage-signed-out');
});

/* ---- usage ---- */

const dollars = (text) => Math.round(Number(text.replace(/[^\d.]/g, '')) * 1e6);
const figures = (p, id) => p.locator(`#${id}-table tbody tr`).evaluateAll((rows) =>
    rows.map((row) => [...row.children].map((cell) => cell.textContent)));
const from = (days) => new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS - (days - 1) * DAY_MS).toISOString().slice(0, 10);
const sum = (rows, name) => rows.reduce((n, row) => n + row[name], 0);

test('the figures of each day are those of the API, in the plot’s table and in all', async () => {
    await client.ended(made.id);
    history(60);
    await signIn(page);
    await page.goto(`${url}/usage`);
    await page.locator('#outcomes-table tbody tr').nth(29).waitFor({ state: 'attached' });
    const { data } = await api('GET', `/v1/usage?from=${from(30)}`);
    assert.ok(data.length >= 30 && sum(data, 'canceled') > 0 && sum(data, 'expired') > 0, 'something to show');
    const outcomes = (await figures(page, 'outcomes')).map((row) => row.slice(1).map(Number));
    const spend = (await figures(page, 'spend-USD')).map((row) => row.slice(1).map(dollars));
    assert.deepEqual(outcomes, data.map((d) =>
        [d.succeeded, d.failed - d.canceled, d.canceled, d.expired, d.jobs - d.succeeded - d.failed - d.expired]));
    assert.deepEqual(spend, data.map((d) => [d.chargedMicro, d.heldMicro]));
    const totals = Object.fromEntries(await page.locator('#totals > div').evaluateAll((all) =>
        all.map((div) => [div.querySelector('dt').textContent, div.querySelector('.amount').textContent])));
    assert.equal(dollars(totals.Charged), sum(data, 'chargedMicro'));
    assert.equal(Number(totals['Videos asked for']), sum(data, 'jobs'));
    assert.equal(Number(totals.Canceled), sum(data, 'canceled'));
    const clip = await page.locator('#outcomes-table').evaluate((t) => getComputedStyle(t).clipPath);
    assert.equal(clip, 'inset(50%)', 'not seen, but read');
});

test('the bars are as high as their figures', async () => {
    const svg = page.getByRole('img', { name: /videos in all; the most on/ });
    const { data } = await api('GET', `/v1/usage?from=${from(30)}`);
    const heights = await svg.locator('.bar').evaluateAll((bars) => bars.map((bar) =>
        [...bar.querySelectorAll('.part')].reduce((n, part) => n + part.getBBox().height, 0)));
    const counts = data.map((d) => d.jobs).reverse();
    const unit = heights[0] / counts[0];
    counts.forEach((n, i) => assert.ok(Math.abs(heights[i] - n * unit) < 1, `day ${i}: ${heights[i]} for ${n}`));
    await svg.scrollIntoViewIfNeeded();
    const box = await svg.boundingBox();
    await page.mouse.move(box.x + box.width - 8, box.y + 60);
    await page.locator('figure', { hasText: 'Outcomes per day' })
        .locator('.readout', { hasText: /Ready \d/ }).waitFor();
});

test('what is left is what the API says', async () => {
    sql('UPDATE plan SET day_micro = 25000, month_micro = 10000, outstanding_max = 10, storage_bytes = 1073741824');
    await page.reload();
    await page.locator('#standing > div').nth(5).waitFor();
    const me = await api('GET', '/v1/me');
    const standing = Object.fromEntries(await page.locator('#standing > div').evaluateAll((all) =>
        all.map((div) => [div.querySelector('dt').textContent, div.querySelector('.amount').textContent])));
    assert.equal(standing.Plan, me.plan.name);
    assert.equal(dollars(standing.Balance), Math.abs(me.balanceMicro));
    assert.equal(Object.keys(standing).length, 2 + me.limits.length);
    const [day] = me.limits.filter((l) => l.name === 'budgetPerDay');
    assert.deepEqual(standing['Budget of the day'].split(' of ').map(dollars), [day.used, day.max]);
    assert.equal(standing['Kept videos'].split(' of ')[1], '1 GB');
    assert.ok(await page.locator('#standing .share.full').count() > 0, 'what is spent is seen');
});

test('the range is chosen, kept in the address, and asked for once', async () => {
    const asked = [];
    page.on('request', (r) => { if (r.url().includes('/v1/usage')) asked.push(new URL(r.url()).searchParams.get('from')); });
    await page.getByRole('radio', { name: '90 days' }).check();
    await page.locator('#outcomes-table tbody tr').nth(89).waitFor({ state: 'attached' });
    await page.getByRole('radio', { name: '7 days' }).check();
    await page.waitForFunction(() => document.querySelectorAll('#outcomes-table tbody tr').length === 7);
    assert.deepEqual(asked, [from(90), from(7)]);
    assert.equal(new URL(page.url()).searchParams.get('days'), '7');
    await page.reload();
    await page.waitForFunction(() => document.querySelectorAll('#outcomes-table tbody tr').length === 7);
    await page.waitForFunction(() => document.getElementById('live') !== null);
});

test('the same can be saved as CSV', async () => {
    const waiting = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Save as CSV' }).click();
    const download = await waiting;
    assert.match(download.suggestedFilename(), /usage.*\.csv$/);
    const lines = readFileSync(await download.path(), 'utf8').trim().split('\r\n');
    const { data } = await api('GET', `/v1/usage?from=${from(7)}`);
    assert.equal(lines.length, data.length + 1);
    assert.ok(lines[1].startsWith(`${data[0].day},`));
});

test('the table is shown on demand, by keyboard', async () => {
    const button = page.locator('figure', { hasText: 'Outcomes per day' }).getByRole('button', { name: 'Show as a table' });
    await button.focus();
    await page.keyboard.press('Enter');
    assert.equal(await button.getAttribute('aria-pressed'), 'true');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'outcomes-table', 'it can be scrolled by keys');
    await axe(page, 'usage with a table');
    await button.click();
    assert.equal(await page.locator('#outcomes-table').getAttribute('tabindex'), null);
});

test('usage stands in every look, and nothing is wider than the screen', async () => {
    for (const { name, days, ...look } of LOOKS) {
        const other = await newContext(browser, { ...look, storageState: await context.storageState() });
        const p = watch(await other.newPage());
        await p.goto(`${url}/usage?days=${days}`);
        await p.locator('#figures svg[role=img]').nth(1).waitFor();
        assert.ok(await p.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name}: no sideways scroll`);
        if (days < 90) await axe(p, `usage, ${name}`); /* it takes its time with so many figures */
        await shoot(p, `usage-${name}`, true);
        await other.close();
    }
});

test('without an answer what was seen stays, and can be asked for again', async () => {
    await page.route('**/v1/usage*', (route) => route.abort());
    await page.getByRole('radio', { name: '30 days' }).check();
    await page.locator('#away-words', { hasText: 'No connection' }).waitFor();
    assert.ok(await page.locator('#past').isVisible());
    await page.unroute('**/v1/usage*');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.waitForFunction(() => document.querySelectorAll('#outcomes-table tbody tr').length === 30);
    assert.ok(await page.locator('#away').isHidden());
});

test('usage speaks German', async () => {
    const other = await newContext(browser, { locale: 'de-DE', storageState: await context.storageState() });
    const p = watch(await other.newPage());
    await p.goto(`${url}/usage`);
    await p.getByRole('heading', { name: 'Ausgaben je Tag' }).waitFor();
    assert.equal(await p.evaluate(() => document.documentElement.lang), 'de');
    await shoot(p, 'usage-german', true);
    await other.close();
});

/* ---- a shared link ---- */

const share = async (seconds = 3600) => api('POST', `/v1/jobs/${made.id}/shares`, { expiresInSeconds: seconds });
const plays = (p) => p.locator('video').evaluate(async (v) => {
    v.muted = true;
    await v.play();
    await new Promise((resolve) => { v.addEventListener('timeupdate', () => { if (v.currentTime > 0.2) resolve(); }); });
    v.pause();
    return [v.videoWidth, v.videoHeight];
});

test('the link of the dialog leads to a page that plays the video without a session', async () => {
    await page.goto(url);
    await page.getByRole('searchbox').fill('shared'); /* the old ones were put in after it */
    await card(page, made.prompt).getByRole('button', { name: 'Share' }).click();
    const dialog = page.getByRole('dialog', { name: 'Share this video' });
    await dialog.getByRole('button', { name: 'Make a link' }).click();
    await dialog.getByText('The link is ready.').waitFor();
    const link = await dialog.getByLabel('The link', { exact: true }).inputValue();
    assert.match(link, /\/share\/#sh_[0-9a-z]{26}$/);
    const other = await newContext(browser);
    guest = watch(await other.newPage());
    await guest.goto(link);
    await shown(guest, 'seen');
    const [width, height] = await plays(guest);
    assert.ok(Math.abs(width / height - 16 / 9) < 0.05, `${width} × ${height}`);
    assert.equal(await words(guest, 'prompt'), made.prompt);
    assert.deepEqual(await other.cookies(), [], 'nobody is signed in');
    const told = await guest.evaluate((t) => fetch(`/v1/shared/${t}`).then((r) => r.text()), link.split('#')[1]);
    assert.ok(!/micro|account|userId|job_/i.test(told), told);
    await shoot(guest, 'shared');
    const waiting = guest.waitForEvent('download');
    await guest.getByRole('link', { name: 'Download' }).click();
    assert.match((await waiting).suggestedFilename(), /\.mp4$/);
    /* taken back by the owner while the page lies open */
    await dialog.getByRole('button', { name: /^End it/ }).click();
    await dialog.getByText('The link does not work any more.').waitFor();
    await guest.reload();
    await guest.getByRole('heading', { name: 'This link does not work.' }).waitFor();
    await guest.getByText('It has ended, it was taken back').waitFor();
    assert.equal(await guest.locator('video').count(), 0);
    await axe(guest, 'a link that was taken back');
    await shoot(guest, 'shared-revoked');
});

test('a link that is taken back during the film says so', async () => {
    const { id, pageUrl } = await share();
    await guest.goto('about:blank');
    await guest.goto(pageUrl);
    await shown(guest, 'seen');
    await api('DELETE', `/v1/jobs/${made.id}/shares/${id}`);
    await guest.locator('video').evaluate((v) => v.load());
    await guest.locator('video').evaluate((v) => v.play().catch(() => {})).catch(() => {}); /* it may be gone already */
    await guest.getByRole('heading', { name: 'This link does not work.' }).waitFor();
});

test('a link that was cut off says so without asking, and another takes its place', async () => {
    const asked = [];
    guest.on('request', (r) => { if (r.url().includes('/v1/shared')) asked.push(r.url()); });
    await guest.goto(`${url}/share/#sh_123`);
    await guest.getByRole('heading', { name: 'This link is not complete.' }).waitFor();
    assert.deepEqual(asked, []);
    const { pageUrl } = await share();
    await guest.evaluate((hash) => { location.hash = hash; }, pageUrl.split('#')[1]);
    await shown(guest, 'seen');
    await guest.keyboard.press('Tab');
    await guest.keyboard.press('Enter');
    assert.equal(await guest.evaluate(() => document.activeElement.id), 'main', 'the way past the head');
    assert.equal(guest.url(), pageUrl, 'does not cost the token');
});

test('the shared page stands in every look', async () => {
    const { pageUrl } = await share();
    for (const { name, ...look } of LOOKS) {
        const other = await newContext(browser, { ...look, locale: name === 'narrow' ? 'de-DE' : 'en-GB' });
        const p = watch(await other.newPage());
        await p.goto(pageUrl);
        await shown(p, 'seen');
        await p.waitForFunction(() => document.querySelector('video').readyState > 0);
        assert.ok(await p.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name}: no sideways scroll`);
        await axe(p, `shared, ${name}`);
        await shoot(p, `shared-${name}`, true);
        await other.close();
    }
});

test('without an answer the page says so and tries again when asked', async () => {
    const { pageUrl } = await share();
    await guest.route('**/v1/shared/*', (route) => route.abort());
    await guest.goto('about:blank');
    await guest.goto(pageUrl);
    await guest.getByRole('heading', { name: 'No answer from the server.' }).waitFor();
    await guest.unroute('**/v1/shared/*');
    await guest.getByRole('button', { name: 'Try again' }).click();
    await shown(guest, 'seen');
});

test('a deleted video is told as deleted', async () => {
    const { pageUrl } = await share();
    await api('DELETE', `/v1/jobs/${made.id}`);
    await guest.goto('about:blank');
    await guest.goto(pageUrl);
    await guest.getByRole('heading', { name: 'The video has been deleted.' }).waitFor();
    assert.ok(await guest.getByRole('button', { name: 'Try again' }).isHidden());
});

test('no log has a token', async () => {
    await until('the log has the pages', () => readFileSync(path.join(folder, 'log/access.log'), 'utf8').includes('"/v1/shared/"'));
    for (const log of ['access', 'nginx', 'api'])
        assert.ok(!/sh_[0-9a-z]{26}/.test(readFileSync(path.join(folder, `log/${log}.log`), 'utf8')), log);
});

test('signed out elsewhere, usage shows nothing any more', async () => {
    const second = watch(await context.newPage());
    await second.goto(`${url}/usage`);
    await shown(second, 'past');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await second.getByText('You are not signed in.').waitFor();
    assert.ok(await second.locator('#past').isHidden());
    assert.equal(await second.locator('#standing').textContent(), '');
});

test('who asks for links without end is stopped', async () => {
    const answers = await Promise.all(Array.from({ length: 600 }, () => fetch(`${url}/v1/shared/sh_${'0'.repeat(26)}`)));
    const count = (status) => answers.filter((a) => a.status === status).length;
    assert.equal(count(403) + count(429), 600);
    assert.ok(count(403) >= 200 && count(429) > 0, `${count(403)} answered, ${count(429)} not`);
    const refused = answers.find((a) => a.status === 429);
    assert.equal((await refused.json()).code, 'rate_limited');
    assert.ok(refused.headers.get('Retry-After'));
});

test('the browser had nothing to complain about', () => {
    assert.deepEqual(complaints, []);
});
