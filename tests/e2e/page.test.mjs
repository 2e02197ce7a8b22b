/* The page in a real browser against a running stack. FILMGATE_URL and FILMGATE_KEY say where,
 * FILMGATE_SHOTS (a folder) asks for pictures. Waits for conditions only. What the page shows is
 * compared with what the API says. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
    api,
    card,
    complaints,
    create,
    jobsWithPrompt,
    key,
    launch,
    newContext,
    promptBox,
    record,
    shoot,
    signIn,
    stateOf,
    unique,
    url,
    waitEnded,
    watch,
} from './page.mjs';
import { until } from './stack.mjs';

/* The way of a job; the page may miss steps, but never go back. */
const ORDER = [
    'pending/moderating',
    'pending/waiting',
    'pending/submitting',
    'pending/submit_unknown',
    'queued/at_provider',
    'processing/rendering',
    'processing/storing',
    'succeeded/',
];

let browser, context, page;

before(async () => {
    assert.ok(url && key, 'FILMGATE_URL and FILMGATE_KEY are needed');
    browser = await launch();
    context = await newContext(browser);
    page = watch(await context.newPage());
});

after(async () => {
    await browser?.close();
});

test('a wrong key is refused in words and the focus returns to it', async () => {
    await page.goto(url);
    await page.getByLabel('Your API key').fill('fgk_00000000000000000000000000');
    await shoot(page, 'sign-in');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('This key is not valid').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), 'key');
    assert.ok(await page.locator('#desk').isHidden());
});

test('signing in leaves an HttpOnly cookie and nothing secret where scripts can read', async () => {
    await signIn(page);
    const cookies = await context.cookies();
    assert.equal(cookies.length, 1);
    assert.equal(cookies[0].httpOnly, true);
    assert.equal(cookies[0].sameSite, 'Strict');
    const readable = await page.evaluate(() =>
        JSON.stringify([
            { ...localStorage },
            { ...sessionStorage },
            document.cookie,
            document.documentElement.outerHTML,
            document.getElementById('key').value,
        ]),
    );
    assert.ok(!readable.includes(key), 'the key');
    assert.ok(!readable.includes(cookies[0].value), 'the session');
    assert.equal(await page.evaluate(() => localStorage.length), 0);
});

test('the counter counts code points, and what does not fit is not even sent', async () => {
    await promptBox(page).fill('  🎬🎬🎬  ');
    assert.equal(await page.locator('#prompt-count').textContent(), '3 / 1000');
    await promptBox(page).fill('🎬'.repeat(1001));
    await page.getByRole('button', { name: 'Create video' }).click();
    await page.locator('#prompt-error').getByText('At most 1000 characters; it has 1001.').waitFor();
    assert.equal(await promptBox(page).getAttribute('aria-invalid'), 'true');
    await promptBox(page).fill('');
});

test('the price is the quote for the settings', async () => {
    const { priceMicro } = await api('POST', '/v1/quotes', {
        prompt: 'x',
        aspectRatio: '16:9',
        duration: 10,
        resolution: '480p',
    });
    await page.locator('input[name=resolution][value="480p"]').check();
    await page.locator('#duration').press('End');
    assert.equal(await page.locator('#duration-out').textContent(), '10 s');
    await page.waitForFunction(
        (amount) => document.getElementById('price').textContent.includes(amount),
        String(priceMicro / 1e6),
    );
    await page.locator('#duration').press('Home');
});

let made; /* the prompt of the video that the next tests look at */

test('a prompt becomes a video, and every state on the way is honest', async () => {
    made = unique('A lighthouse in a storm 🌊 منارة');
    await record(page, made);
    const c = await create(page, made, { resolution: '360p' });
    await shoot(page, 'running');
    assert.equal(await waitEnded(page, c), 'succeeded');
    const seen = await page.evaluate(() => window.seen);
    const steps = seen.map((s) => ORDER.indexOf(s.state));
    assert.ok(seen.length > 1, 'it was seen on its way');
    assert.ok(!steps.includes(-1), JSON.stringify(seen));
    assert.deepEqual(
        steps,
        [...steps].sort((a, b) => a - b),
        'never backwards',
    );
    for (const s of seen) {
        assert.ok(s.words.length > 0, s.state);
        assert.ok(
            s.bar === null || s.state === 'processing/rendering',
            `no made-up progress: ${JSON.stringify(s)}`,
        );
    }
    const [job] = await jobsWithPrompt(made);
    assert.equal(await c.getAttribute('data-id'), job.id);
    assert.equal(job.status, 'succeeded');
});

test('the video plays, and its pictures have the shape that was asked', async () => {
    const video = card(page, made).locator('video');
    assert.ok(await video.getAttribute('poster'));
    assert.equal(await video.getAttribute('preload'), 'none');
    const size = await video.evaluate(async (v) => {
        v.muted = true;
        await v.play();
        return new Promise((resolve) => {
            v.addEventListener('timeupdate', () => {
                if (v.currentTime > 0.3) resolve([v.videoWidth, v.videoHeight]);
            });
        });
    });
    await video.evaluate((v) => v.pause());
    assert.ok(Math.abs(size[0] / size[1] - 16 / 9) < 0.05, `${size}`);
    await shoot(page, 'playing');
});

test('the download link gives the file', async () => {
    const waiting = page.waitForEvent('download');
    await card(page, made).getByRole('link', { name: 'Download' }).click();
    const download = await waiting;
    assert.match(download.suggestedFilename(), /\.mp4$/);
    assert.equal(await download.failure(), null);
});

test('the timeline tells the events of the API', async () => {
    const c = card(page, made);
    await c.getByText('Timeline').click();
    await c.locator('[data-part="events"] li').first().waitFor();
    const types = await c
        .locator('[data-part="events"] li')
        .evaluateAll((all) => all.map((e) => e.dataset.type));
    const { data } = await api('GET', `/v1/jobs/${await c.getAttribute('data-id')}/events`);
    const told = data.map((e) => e.type);
    assert.deepEqual(
        types,
        told.filter((type, i) => type !== 'progress' || told[i + 1] !== 'progress'),
    );
    await shoot(page, 'timeline');
});

test('a reload tells the same truth', async () => {
    await page.reload();
    await card(page, made).waitFor();
    assert.equal(await stateOf(card(page, made)), 'succeeded/');
    assert.ok(await card(page, made).locator('video').count());
});

test('a lost answer does not make two jobs', async () => {
    const prompt = unique('Lost on the way back');
    const keys = [];
    await page.route(
        '**/v1/jobs',
        async (route) => {
            keys.push(route.request().headers()['idempotency-key']);
            if (keys.length > 1) return route.continue();
            await route.fetch();
            return route.abort('connectionreset');
        },
        { times: 2 },
    );
    await create(page, prompt, { resolution: '360p' });
    await page.waitForFunction(() => document.getElementById('sending').hidden);
    assert.equal(keys.length, 2);
    assert.equal(keys[0], keys[1]);
    assert.equal((await jobsWithPrompt(prompt)).length, 1);
    assert.equal(await page.evaluate(() => sessionStorage.length), 0, 'acknowledged, so forgotten');
});

test('without a network the page says so, keeps the wish, and comes back by itself', async (t) => {
    t.after(() => context.setOffline(false));
    const prompt = unique('Sent from a tunnel');
    await context.setOffline(true);
    await page.getByText('No connection to the server since').waitFor();
    await page.getByText('What you see is from').waitFor();
    await promptBox(page).fill(prompt);
    await page.getByRole('button', { name: 'Create video' }).click();
    await page.getByText('Trying again; it will not be made twice.').waitFor();
    await shoot(page, 'offline');
    await context.setOffline(false);
    await card(page, prompt).waitFor();
    await page.waitForFunction(() => document.getElementById('banner').hidden);
    await page.waitForFunction(() => document.getElementById('sending').hidden);
    assert.equal((await jobsWithPrompt(prompt)).length, 1);
});

test('a wish whose answer never came is taken up after a reload, with its key', async () => {
    const prompt = unique('Interrupted by a reload');
    const keys = [];
    const lose = async (route) => {
        keys.push(route.request().headers()['idempotency-key']);
        await route.fetch();
        await route.abort('connectionreset');
    };
    await page.route('**/v1/jobs', lose);
    await promptBox(page).fill(prompt);
    await page.getByRole('button', { name: 'Create video' }).click();
    await page.getByText('Trying again; it will not be made twice.').waitFor();
    await page.unroute('**/v1/jobs', lose);
    const again = page.waitForRequest((r) => r.method() === 'POST' && r.url().endsWith('/v1/jobs'));
    await page.reload();
    assert.equal((await again).headers()['idempotency-key'], keys[0]);
    await card(page, prompt).waitFor();
    await page.waitForFunction(() => document.getElementById('sending').hidden);
    assert.equal((await jobsWithPrompt(prompt)).length, 1);
});

/* So many are in front that it is still ours when the button is pressed; a provider that has
 * begun may finish. */
test('cancel is told as it really went', async () => {
    const short = { aspectRatio: '1:1', duration: 5, resolution: '480p' };
    await Promise.all(
        Array.from({ length: 10 }, (_, n) =>
            api('POST', '/v1/jobs', { ...short, prompt: unique(`In front ${n}`) }),
        ),
    );
    const prompt = unique('Canceled by hand');
    const c = await create(page, prompt, { ratio: '9:16' });
    await c.getByRole('button', { name: 'Cancel' }).click();
    const state = await waitEnded(page, c);
    const [job] = await jobsWithPrompt(prompt);
    assert.equal(state, job.status);
    if (job.status === 'failed') {
        assert.equal(job.errorCode, 'canceled');
        assert.equal(await c.locator('[data-part="state"]').textContent(), 'Canceled');
        await c.getByText('Canceled on request.').waitFor();
    } else {
        assert.ok(job.cancelRequestedAt, 'the wish was recorded');
        await c
            .getByText('You asked to cancel, but the provider finished it all the same.')
            .waitFor();
    }
});

test('a second tab sees what the first one does; delete asks first', async () => {
    const second = watch(await context.newPage());
    /* It lies behind a dozen others by now: both look for it. */
    await second.goto(`${url}/?q=lighthouse`);
    await card(second, made).waitFor();
    await page.getByRole('searchbox').fill('Lighthouse');
    const c = card(page, made);
    const id = await c.getAttribute('data-id');
    await c.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Keep it' }).click();
    assert.equal(await c.count(), 1);
    assert.equal(
        await page.evaluate(() => document.activeElement.dataset.part),
        'delete',
        'the focus came back',
    );
    await c.getByRole('button', { name: 'Delete' }).click();
    await shoot(page, 'delete');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await c.waitFor({ state: 'detached' });
    await card(second, made).waitFor({ state: 'detached' });
    const { outputUrl, prompt } = await api('GET', `/v1/jobs/${id}`);
    assert.deepEqual([outputUrl ?? null, prompt ?? null], [null, null]);
    await page.getByRole('button', { name: 'Show all videos' }).click();
    await page.locator('article.job').nth(2).waitFor();
    await second.close();
});

test('on a phone and in the dark nothing is wider than the screen', async () => {
    const phone = await newContext(browser, {
        viewport: { width: 320, height: 700 },
        colorScheme: 'dark',
        hasTouch: true,
    });
    const p = watch(await phone.newPage());
    await signIn(p);
    await p.locator('article.job').first().waitFor();
    const wide = await p.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    await shoot(p, 'phone-dark', true);
    await phone.close();
    assert.ok(wide <= 0, `${wide} px too wide`);
});

test('a session that is over leads to the sign-in, at the next look', async () => {
    await context.clearCookies();
    await page.getByText('Your session has ended.').waitFor({ timeout: 60000 });
    assert.equal(
        await page.locator('article.job').count(),
        0,
        'nothing of the account stays on the screen',
    );
});

test('signing out ends the session', async () => {
    await signIn(page);
    const [cookie] = await context.cookies();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out.').waitFor();
    assert.equal((await context.cookies()).length, 0);
    /* At once where it was ended, within auth.key_cache_ms (4 s) in every other handler. */
    await until(
        'no handler takes the old cookie',
        async () =>
            (await fetch(`${url}/v1/me`, { headers: { Cookie: `${cookie.name}=${cookie.value}` } }))
                .status === 401,
        6000,
    );
});

test('every problem code has its place on the problems page', async () => {
    const unknown = await (
        await fetch(`${url}/v1/no-such-thing`, { headers: { Authorization: `Bearer ${key}` } })
    ).json();
    await page.goto(`${url}${unknown.type}`);
    await page.locator(`[id="${unknown.code}"]`).waitFor();
    await shoot(page, 'problems');
});

test('the browser had nothing to complain about', () => {
    assert.deepEqual(complaints, []);
});
