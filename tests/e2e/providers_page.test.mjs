/* The page with every provider there is, all of them pretended: the choice, the door's words, a reroute, a doubt, and
 * what callbacks came to. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { ownPage } from './own_page.mjs';
import { Stack, tree, until } from './stack.mjs';

const stack = new Stack({ PROVIDERS: 'sim', SIM_ARGS: '--render-ms 800', FILMGATE_SWEEPER_FIRST_POLL_MS: '300' });
let browser, page, kit;

before(async () => {
    ({ kit, browser } = await ownPage(stack));
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

/* Which the form does not offer; but the list of models that it has may be of yesterday. */
test('what no model of a route can do is told model by model', async () => {
    const longer = async (route) => {
        const answer = await route.fetch();
        const list = await answer.json();
        for (const m of list.data) if (m.name === 'fal-kling-3-pro') m.durations = [1, ...m.durations];
        await route.fulfill({ response: answer, json: list });
    };
    await page.route('**/v1/models', longer, { times: 1 });
    await page.reload();
    await page.locator('#model').selectOption('best');
    await page.locator('#duration').press('Home');
    assert.equal(await page.locator('#duration-out').textContent(), '1 s');
    await kit.promptBox(page).fill('Too short');
    await page.getByRole('button', { name: 'Create video' }).click();
    await page.waitForFunction(() => document.getElementById('model-error').textContent !== '');
    const lines = (await page.locator('#model-error').textContent()).split('\n');
    assert.ok(lines.length > 1);
    assert.ok(lines.includes('fal-kling-3-pro takes 3 to 15 seconds.'), lines.join('|'));
    assert.equal((await kit.jobsWithPrompt('Too short')).length, 0);
    await page.waitForFunction(() => document.getElementById('duration-out').textContent === '2 s'); /* looked anew */
    await kit.promptBox(page).fill('');
});

const make = async (prompt, model) => {
    const [{ durations, sizes, defaultResolution }] =
        (await kit.api('GET', '/v1/models')).data.filter((m) => m.name === model);
    const { aspectRatio } = sizes.find((s) => s.resolution === defaultResolution);
    const job = await kit.api('POST', '/v1/jobs', { prompt, model, aspectRatio, duration: durations[0] });
    await page.reload(); /* else it looks for what others made only now and then */
    return job;
};
const timeline = (card) => card.locator('[data-part="events"] li');

test('a submit of unknown outcome has words, and so has who ended the doubt', async () => {
    const prompt = kit.unique('Lost [sim:answer-lost*1]');
    const { id } = await make(prompt, 'luma-ray-3.2');
    const card = kit.card(page, prompt);
    await card.getByText('The provider has not confirmed yet; we are finding out, without asking twice.').waitFor();
    await kit.shoot(page, 'doubt');
    execFileSync(path.resolve(tree, process.env.BUILD ?? 'build', 'filmgate'), ['jobs', 'resolve', id, '--not-accepted'],
        { env: { ...process.env, FILMGATE_CONF: path.join(stack.var, 'conf/owner.ini') } });
    await card.getByText('Timeline').click();
    await timeline(card).filter({ hasText: 'Handed over, but the provider did not answer' }).waitFor();
    await timeline(card).filter({ hasText: 'The provider does not have it; back to waiting' })
        .filter({ hasText: 'known from: the operator' }).waitFor();
});

test('the timeline has each callback with its verdict, in its place', async () => {
    for (const [tag, verdict, words] of [
        ['callback-twice', 'duplicate', 'The provider called back with the same again'],
        ['callback-forged', 'forged', 'A callback that is not genuine arrived; it was not believed'],
    ]) {
        const prompt = kit.unique(`Called [sim:${tag}]`);
        const { id } = await make(prompt, 'fal-veo-3.1-fast');
        const card = kit.card(page, prompt);
        const events = await until(`${verdict} is told`, async () => {
            const { data } = await kit.api('GET', `/v1/jobs/${id}/events`);
            return data.some((e) => e.data?.verdict === verdict) && data;
        });
        for (const open of [true, false, true]) { /* asked for again */
            await card.getByText('Timeline').click();
            if (open) await timeline(card).filter({ hasText: words }).first().waitFor();
        }
        const shown = await timeline(card).evaluateAll((all) => all.map((e) => e.dataset.type));
        assert.deepEqual(shown.slice(0, events.length), events.map((e) => e.type));
        const keys = await timeline(card).evaluateAll((all) => all.map((e) => e.dataset.key));
        assert.equal(new Set(keys).size, keys.length, 'none twice');
    }
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
