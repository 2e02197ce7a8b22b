/* Cards: what they say of what comes next and of how it ended, and what can be done with a result. With every provider
 * pretended, so that each end can be had. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ownPage } from './own_page.mjs';
import { Stack } from './stack.mjs';

const stack = new Stack({ PROVIDERS: 'sim', SIM_ARGS: '--render-ms 1500', FILMGATE_SWEEPER_FIRST_POLL_MS: '300' });
let browser, context, page, kit;

before(async () => {
    ({ kit, browser } = await ownPage(stack));
    context = await kit.newContext(browser);
    page = kit.watch(await context.newPage());
    await kit.signIn(page);
});

after(async () => {
    await browser?.close();
    await stack.drop();
});

const make = async (words, model = 'luma-ray-3.2') => {
    const prompt = kit.unique(words);
    const [{ durations, sizes, defaultResolution }] =
        (await kit.api('GET', '/v1/models')).data.filter((m) => m.name === model);
    const { aspectRatio } = sizes.find((s) => s.resolution === defaultResolution);
    const job = await kit.api('POST', '/v1/jobs', { prompt, model, aspectRatio, duration: durations[0] });
    await page.reload(); /* else it looks for what others made only now and then */
    const card = kit.card(page, prompt);
    await card.waitFor();
    return { prompt, card, job };
};
const part = (card, name) => card.locator(`[data-part="${name}"]`);
const focused = () => page.evaluate(() => document.activeElement.dataset.part ?? document.activeElement.id);

test('what runs says what comes next and when we look, and shows no made-up number', async () => {
    const { card, job } = await make('Stuck [sim:stuck]');
    await card.getByText(/Next: .*(We look again in|We ask the provider again in|We are looking right now)/).waitFor();
    assert.ok((await kit.api('GET', `/v1/jobs/${job.id}`)).nextCheckAt);
    const now = await kit.api('GET', `/v1/jobs/${job.id}`);
    if (now.progress === null) {
        assert.ok(await part(card, 'progress').isHidden());
        assert.match(await part(card, 'number').textContent(), /^(…|\d+)$/);
    }
    await kit.shoot(page, 'running-next');
    await card.getByRole('button', { name: 'Cancel' }).click();
    await card.getByText(/Canceled|Cancel requested/).first().waitFor();
});

test('a failure says what went wrong, whose fault it is, what it cost and what to do', async () => {
    const { card, job } = await make('Broken [sim:fails-retryable]');
    await kit.waitEnded(page, card);
    const { error } = await kit.api('GET', `/v1/jobs/${job.id}`);
    assert.equal(error.fault, 'provider');
    await card.getByText('It is the provider’s fault, not yours.').waitFor();
    assert.match(await part(card, 'cost').textContent(), /Not charged/);
    assert.ok(await card.getByRole('button', { name: 'Try again', exact: true }).isVisible());
    await kit.shoot(page, 'failed-fault');
    const refused = await make('Refused [sim:refused]');
    await kit.waitEnded(page, refused.card);
    await refused.card.getByText('It is about what was asked for, not about the service.').waitFor();
    assert.ok(await refused.card.getByRole('button', { name: 'Try again', exact: true }).isHidden());
    await refused.card.getByRole('button', { name: 'Change and try again' }).click();
    assert.equal(await kit.promptBox(page).inputValue(), refused.prompt);
});

test('try again: one key until there is an answer, the new job on top; else the form has the wish', async () => {
    const { card, prompt } = await make('Once more [sim:fails-retryable]');
    await kit.waitEnded(page, card);
    const keys = [],
        again = () => card.getByRole('button', { name: 'Try again', exact: true });
    await page.route('**/retry', async (route) => {
        keys.push(route.request().headers()['idempotency-key']);
        if (keys.length === 1) return route.abort('connectionreset');
        return route.fulfill({ status: 404, contentType: 'application/problem+json', body: '{"code":"not_found","status":404}' });
    });
    await again().click();
    await card.getByText('No answer. Press again: it will not be made twice.').waitFor();
    await kit.promptBox(page).fill('');
    await again().click();
    await page.waitForFunction((words) => document.getElementById('prompt').value === words, prompt);
    assert.equal(keys.length, 2);
    assert.equal(keys[0], keys[1]);
    await page.unroute('**/retry');
});

let made;

test('a result is kept until a date, plays from where one wants, and becomes a variation', async () => {
    made = await make('A boat on a lake');
    assert.equal(await kit.waitEnded(page, made.card), 'succeeded');
    const { expiresAt } = await kit.api('GET', `/v1/jobs/${made.job.id}`);
    await made.card.getByText(expiresAt ? /The file is kept for .*, until/ : 'The file is kept until it is deleted by hand.').waitFor();
    const video = made.card.locator('video');
    const ranges = [];
    page.on('request', (r) => { if (r.url().includes('/media/') && r.headers().range) ranges.push(r.headers().range); });
    await video.evaluate((v) => { v.muted = true; return v.play(); });
    await video.evaluate((v) => v.pause());
    await video.focus();
    await page.keyboard.press('End');
    await page.waitForFunction((v) => v.currentTime > v.duration - 0.5 && !v.seeking, await video.elementHandle());
    await page.keyboard.press('Home');
    await page.waitForFunction((v) => v.currentTime === 0 && !v.seeking, await video.elementHandle());
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction((v) => v.currentTime === 1, await video.elementHandle());
    assert.ok(ranges.length > 0, 'asked for in ranges');
    await made.card.getByRole('button', { name: 'Make a variation' }).click();
    assert.equal(await kit.promptBox(page).inputValue(), made.prompt);
});

test('a link is made, copied, works without a key, is listed and ended', async () => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await made.card.getByRole('button', { name: 'Share' }).click();
    const dialog = page.getByRole('dialog', { name: 'Share this video' });
    await dialog.getByLabel('The link works for').selectOption('3600');
    await dialog.getByRole('button', { name: 'Make a link' }).click();
    await dialog.getByText('The link is ready. It is shown only now.').waitFor();
    assert.equal(await focused(), 'share-copy');
    await page.keyboard.press('Enter');
    await dialog.getByText('Copied.').waitFor();
    const link = await dialog.getByLabel('The link', { exact: true }).inputValue();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), link);
    assert.equal((await fetch(link)).status, 200);
    await kit.shoot(page, 'share');
    /* Where a script may not copy, the words are marked. */
    await page.evaluate(() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); });
    await dialog.getByRole('button', { name: 'Copy' }).click();
    await dialog.getByText('The link is marked').waitFor();
    assert.equal(await page.evaluate(() => getSelection().toString() || document.activeElement.value), link);
    const { data } = await kit.api('GET', `/v1/jobs/${made.job.id}/shares`);
    assert.equal(data.length, 1);
    assert.ok(Math.abs(Date.parse(data[0].expiresAt) - Date.parse(data[0].createdAt) - 3600000) < 2000, 'an hour');
    await dialog.getByRole('button', { name: /^End it/ }).click();
    await dialog.getByText('The link does not work any more.').waitFor();
    assert.deepEqual((await kit.api('GET', `/v1/jobs/${made.job.id}/shares`)).data, []);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    assert.equal(await focused(), 'share', 'the focus came back');
});

test('the timeline tells who it was with, and how long each step took', async () => {
    await made.card.getByText('Timeline').click();
    const rows = made.card.locator('[data-part="events"] li');
    await rows.first().waitFor();
    const { provider, model } = await kit.api('GET', `/v1/jobs/${made.job.id}`);
    await rows.filter({ hasText: 'The provider accepted it' }).filter({ hasText: `${model} at ${provider}` }).waitFor();
    await rows.filter({ hasText: /after \d+ s/ }).first().waitFor();
});

test('filters and words choose, are in the address, and a reload keeps them', async () => {
    const choose = (name) => page.locator('#find').getByRole('radio', { name, exact: true }).check();
    await choose('Ready');
    await page.waitForFunction(() => document.getElementById('found').textContent !== ''
        && [...document.querySelectorAll('article.job')].every((a) => a.dataset.state === 'succeeded'));
    assert.equal(new URL(page.url()).searchParams.get('show'), 'ready');
    await page.reload();
    await made.card.waitFor();
    assert.ok(await page.getByRole('radio', { name: 'Ready' }).isChecked());
    await choose('Without a video');
    await made.card.waitFor({ state: 'detached' });
    await page.locator('article.job[data-state="failed"]').first().waitFor();
    await page.getByRole('searchbox').fill('BROKEN');
    await page.locator('#found', { hasText: '1 video' }).waitFor();
    await page.waitForFunction(() => document.getElementById('live').textContent.includes('1 video'));
    await page.getByRole('searchbox').fill('');
    await choose('All');
    await made.card.waitFor();
    assert.equal(new URL(page.url()).search, '');
});

test('the focus goes to the neighbour when a card is deleted, and a gone file is told as gone', async () => {
    await made.card.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await made.card.waitFor({ state: 'detached' });
    assert.equal(await focused(), 'prompt');
});

test('in German, right to left, narrow and wide: nothing is literal, nothing is cut', async () => {
    const german = await kit.newContext(browser, { locale: 'de-DE', viewport: { width: 320, height: 700 }, reducedMotion: 'reduce' });
    const p = kit.watch(await german.newPage());
    await p.goto(kit.url);
    await p.locator('#key').fill(kit.key);
    await p.locator('#sign-in-form button[type=submit]').click();
    await p.getByRole('heading', { name: 'Videos', exact: true }).waitFor();
    await p.locator('article.job').first().waitFor();
    const wide = () => p.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(await wide() <= 0, 'at 320 px');
    await p.evaluate(() => { document.documentElement.dir = 'rtl'; });
    assert.ok(await wide() <= 0, 'right to left');
    await p.setViewportSize({ width: 3840, height: 2160 });
    await p.locator('article.job').first().waitFor();
    assert.ok(await wide() <= 0, 'at 4K');
    await p.getByRole('button', { name: 'Ändern und noch einmal versuchen' }).first().waitFor();
    await german.close();
    assert.deepEqual(kit.complaints.filter((words) => !words.includes('404')), []); /* the retry that was not there, and its like */
});
