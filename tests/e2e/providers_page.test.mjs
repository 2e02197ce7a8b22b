/* The page with every provider there is, all of them pretended: the choice, the door's words, a reroute. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Stack } from './stack.mjs';

const stack = new Stack({ PROVIDERS: 'sim', SIM_ARGS: '--render-ms 800', FILMGATE_SWEEPER_FIRST_POLL_MS: '300' });
let browser, page, kit;

before(async () => {
    await stack.start();
    process.env.FILMGATE_URL = stack.client.url;
    process.env.FILMGATE_KEY = stack.client.key;
    kit = await import('./page.mjs');
    browser = await kit.launch();
    page = kit.watch(await (await kit.newContext(browser)).newPage());
    await kit.signIn(page);
});

after(async () => {
    await browser?.close();
    await stack.drop();
});

test('routes come first, the default one chosen, then the models by provider', async () => {
    const { data, routes, defaultRoute } = await kit.api('GET', '/v1/models');
    assert.equal(await page.locator('#model').inputValue(), defaultRoute);
    const told = await page.locator('#model > option').evaluateAll((all) => all.map((o) => o.value));
    assert.deepEqual(told, routes.map((r) => r.name));
    const models = await page.locator('#model optgroup option').evaluateAll((all) =>
        all.map((o) => `${o.parentNode.label} ${o.value}`));
    assert.deepEqual(models.sort(), data.filter((m) => m.available).map((m) => `${m.provider} ${m.name}`).sort());
    await kit.shoot(page, 'choice');
});

test('a list of lengths is a list, and only what a model takes is offered', async () => {
    await page.locator('#model').selectOption('fal-veo-3.1');
    assert.deepEqual(await page.locator('#duration-ticks span').allTextContents(), ['4', '6', '8']);
    await page.locator('#more').evaluate((more) => { more.open = true; });
    assert.ok(await page.locator('#negativePrompt').isVisible());
    assert.deepEqual(await page.locator('#audios input').evaluateAll((all) => all.map((i) => i.value)), ['false', 'true']);
    await page.locator('#model').selectOption('luma-ray-3.2');
    for (const name of ['imageUrl', 'seed', 'negativePrompt'])
        assert.ok(await page.locator(`#${name}`).isHidden(), name);
});

test('what no model of a route can do is told model by model', async () => {
    await page.locator('#model').selectOption('best');
    await page.locator('input[name=resolution][value="auto"]').check();
    await page.locator('#duration').press('Home');
    await kit.promptBox(page).fill('Too much at once');
    await page.getByRole('button', { name: 'Create video' }).click();
    await page.waitForFunction(() => document.getElementById('model-error').textContent !== '');
    const lines = (await page.locator('#model-error').textContent()).split('\n');
    assert.ok(lines.length > 1);
    assert.ok(lines.includes('fal-kling-3-pro takes 3 to 15 seconds.'), lines.join('|'));
    assert.equal((await kit.jobsWithPrompt('Too much at once')).length, 0);
});

test('a job that every provider refuses tells its way from model to model', async () => {
    const prompt = kit.unique('Refused [sim:refused]');
    await page.reload(); /* the defaults again */
    await page.waitForFunction(() => document.querySelectorAll('#aspect-ratios input').length > 0);
    const made = await kit.create(page, prompt, { resolution: '720p' });
    await kit.waitEnded(page, made);
    const [job] = await kit.jobsWithPrompt(prompt);
    const moved = (await kit.api('GET', `/v1/jobs/${job.id}/events`)).data.filter((e) => e.type === 'rerouted');
    await made.getByText('Timeline').click();
    await made.locator('[data-part="events"] li').first().waitFor();
    for (const { data } of moved)
        await made.getByText(`from ${data.from} to ${data.to}: `).first().waitFor();
    assert.ok(moved.length > 0, JSON.stringify(job));
    await made.getByText(`${job.model} at ${job.provider}, chosen by “Fast”`).waitFor();
    assert.deepEqual(kit.complaints, []);
});
