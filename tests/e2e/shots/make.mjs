/* Takes the pictures of README.md: FILMGATE_SHOTS=FOLDER node tests/e2e/shots/make.mjs
 * Then `ffmpeg -i A.png -vf "split[a][b];[a]palettegen[p];[b][p]paletteuse=dither=none" B.png` makes them small. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Stack, until } from '../stack.mjs';

const QUIET = { aspectRatio: '16:9', duration: 5, resolution: '720p' };
const stack = new Stack({ PROVIDERS: 'sim', SIM_ARGS: '--render-ms 400 --queue-ms 0', FILMGATE_SWEEPER_FIRST_POLL_MS: '300' });
let kit, browser, models;

async function simulator(where, body) {
    const url = readFileSync(path.join(stack.var, 'run/providers.url'), 'utf8').trim();
    await fetch(`${url}/_sim/${where}`, { method: 'POST', body: JSON.stringify(body) });
}

/* Asks for a video and waits until it is there. */
async function make(prompt, model, isThere, want = {}) {
    const { durations, sizes, defaultResolution } = models.find((m) => m.name === model);
    const { aspectRatio } = sizes.find((s) => s.resolution === defaultResolution);
    const { id } = await stack.client.create({ prompt, model, aspectRatio, duration: durations[0], resolution: defaultResolution, ...want });
    const there = () => until(prompt, async () => isThere(await stack.client.json(`/v1/jobs/${id}`)), 120000);
    await there();
    return there;
}

async function shoot(name, options, look) {
    const context = await kit.newContext(browser, options);
    const page = kit.watch(await context.newPage());
    await kit.signIn(page);
    await page.locator('article.job video').first().waitFor();
    await page.evaluate(() => document.activeElement.blur());
    await look(page);
    await page.waitForFunction(() => /\d/.test(document.getElementById('price').textContent));
    await page.evaluate(() => Promise.all([...document.querySelectorAll('video')].map(({ poster }) => {
        const image = new Image();
        image.src = poster;
        return image.decode();
    })));
    await page.evaluate(() => new Promise((drawn) => { requestAnimationFrame(() => requestAnimationFrame(drawn)); }));
    await kit.shoot(page, name);
    await context.close();
}

async function makeAll() {
    const ready = (job) => job.status === 'succeeded';
    models = (await stack.client.json('/v1/models')).data;
    await simulator('script', { provider: 'luma', prompt: 'owls', tags: ['fails'], times: 9 });
    await make('Three owls on a wire turn their heads at once', 'luma-ray-2', (job) => job.errorCode);
    await make('A paper boat drifts across a quiet lake at dawn', 'studio-1', ready, QUIET);
    await simulator('settings', { queueMs: 1e9 });
    await make('Rain on a tin roof, seen from a warm kitchen', 'fal-kling-3-pro', (job) => job.queuePosition !== null);
    await simulator('settings', { queueMs: 0, renderMs: 1e7 });
    const begun = (job) => job.stage === 'rendering';
    let far = begun;
    const there = await make('A whale under northern lights, filmed from a small boat', 'gateway-sora-2', (job) => far(job));
    await simulator('advance', { ms: 0.42e7 });
    far = (job) => job.progress >= 42;
    await there();
    await make('A lighthouse in a storm, the beam sweeping over black water', 'studio-1', ready, QUIET);
}

async function shootAll() {
    await shoot('status', { viewport: { width: 1280, height: 1330 } }, async () => {});
    await shoot('result', { viewport: { width: 1280, height: 860 } }, async (page) => {
        await page.getByRole('searchbox').fill('paper boat');
        await page.locator('#found', { hasText: '1 video' }).waitFor();
        await page.locator('video').evaluate(async (video) => {
            video.muted = true;
            await video.play();
            await new Promise((done) => video.addEventListener('timeupdate', () => video.currentTime > 1 && done()));
            video.pause();
        });
        await page.getByText('Timeline').click();
        await page.locator('[data-part="events"] li').first().waitFor();
        await page.evaluate(() => document.activeElement.blur());
    });
    await shoot('phone', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' }, async (page) => {
        await page.evaluate(() => scrollTo(0, document.getElementById('reel-title').offsetTop - 20));
    });
}

assert.ok(process.env.FILMGATE_SHOTS, 'FILMGATE_SHOTS=FOLDER says where');
try {
    await stack.start();
    process.env.FILMGATE_URL = stack.client.url;
    process.env.FILMGATE_KEY = stack.client.key;
    kit = await import('../page.mjs');
    browser = await kit.launch();
    await makeAll();
    await shootAll();
} finally {
    await browser?.close();
    await stack.drop();
}
