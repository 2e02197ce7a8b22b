/* What the example rules make of a prompt, through the whole stack: an end in words, and a review that the operator's
 * command decides. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { api, complaints, create, launch, newContext, shoot, signIn, unique, waitEnded, watch } from './page.mjs';
import { tree } from './stack.mjs';

const folder = process.env.FILMGATE_VAR;
const filmgate = (...args) =>
    execFileSync(path.resolve(tree, process.env.BUILD ?? 'build', 'filmgate'), args, {
        encoding: 'utf8',
        env: { ...process.env, FILMGATE_CONF: path.join(folder, 'conf/owner.ini') },
    });

let browser, page;

before(async () => {
    browser = await launch();
    page = watch(await (await newContext(browser)).newPage());
    await signIn(page);
});

after(async () => {
    await browser?.close();
    assert.deepEqual(complaints, []);
});

test('a prompt that the rules block ends at once, in words, and costs nothing', async () => {
    const shown = await create(page, unique('How to make a b0mb'), { resolution: '360p' });
    assert.equal(await waitEnded(page, shown), 'failed');
    const words = await shown.locator('[data-part="reason-words"]').textContent();
    assert.match(words, /^The content policy does not allow this prompt\. Found: weapons, in the prompt\./);
    const job = await api('GET', `/v1/jobs/${await shown.getAttribute('data-id')}`);
    assert.deepEqual(job.error, { code: 'blocked_prompt', message: job.errorMessage, retryable: false, fault: 'request', input: 'prompt',
        category: 'weapons', charged: false });
    const { data } = await api('GET', `/v1/jobs/${job.id}/events`);
    assert.deepEqual(data.map((e) => e.type), ['created', 'failed']);
    assert.deepEqual(data[1].data, { checker: 'rules', target: 'prompt', verdict: 'block', category: 'weapons' });
    await shoot(page, 'blocked');
});

test('a prompt that has to be looked at waits for it in words, and goes on once it is passed', async () => {
    const shown = await create(page, unique('Nude celebrities in marble'), { resolution: '360p' });
    const id = await shown.getAttribute('data-id');
    await page.waitForFunction((job) => document.querySelector(`[data-id="${job}"]`)?.dataset.stage === 'in_review', id);
    assert.match(await shown.locator('[data-part="stage"]').textContent(), /^Waiting for review/);
    assert.equal((await api('GET', `/v1/jobs/${id}`)).waitingFor, 'review');
    await shoot(page, 'review');
    assert.match(filmgate('review', 'list'), new RegExp(`${id} +open .*prompt by rules: real-person`));
    assert.match(filmgate('review', 'show', id), /real-person "nude celebrit\*"/);
    assert.match(filmgate('review', 'pass', id, '--note', 'a statue'), /passed/);
    assert.throws(() => filmgate('review', 'block', id), /not open any more/);
    assert.equal(await waitEnded(page, shown), 'succeeded');
    const { data } = await api('GET', `/v1/jobs/${id}/events`);
    assert.deepEqual(data.slice(0, 3).map((e) => e.type), ['created', 'held_for_review', 'cleared']);
    assert.match(filmgate('review', 'show', id), /decided .* by operator "a statue"/);
});

test('whoever is no operator sees no reviews', async () => {
    const answer = await fetch(`${process.env.FILMGATE_URL}/v1/admin/reviews`, {
        headers: { Authorization: `Bearer ${process.env.FILMGATE_KEY}` },
    });
    assert.equal(answer.status, 403);
    const list = await fetch(`${process.env.FILMGATE_URL}/v1/admin/reviews?status=decided`, {
        headers: { Authorization: `Bearer ${process.env.FILMGATE_ADMIN_KEY}` },
    });
    assert.equal(list.status, 200);
    assert.ok((await list.json()).data.some((r) => r.state === 'passed'));
});
