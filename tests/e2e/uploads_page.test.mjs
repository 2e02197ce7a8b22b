/* A picture that is chosen on the page: looked at, shown small, sent at once, named by the job. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { api, complaints, create, jobsWithPrompt, launch, newContext, shoot, signIn, unique, watch } from './page.mjs';
import { tree } from './stack.mjs';

const picture = path.join(tree, 'www/page.png');
let browser, page;

before(async () => {
    browser = await launch();
    page = watch(await (await newContext(browser)).newPage());
    await signIn(page);
});
after(() => browser?.close());

test('what is no picture is told beside the field', async () => {
    await page.locator('#uploadId').setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: Buffer.from('no picture') });
    await page.waitForFunction(() => document.getElementById('uploadId-error').textContent !== '');
    assert.equal(await page.locator('#uploadId').inputValue(), '', 'and is not kept');
});

test('a picture is shown, and the video is made of it', async () => {
    const prompt = unique('A page that moves');
    await page.locator('#uploadId').setInputFiles(picture);
    await page.waitForFunction(() => document.getElementById('picture-canvas').width > 0);
    await page.getByText('Ready: 1280 × 860').waitFor();
    assert.equal(await page.locator('#uploadId-error').textContent(), '');
    await shoot(page, 'picture');
    await create(page, prompt, { resolution: '360p' });
    const [job] = await jobsWithPrompt(prompt);
    assert.ok(job.uploadId && !job.imageUrl);
    assert.equal((await api('GET', `/v1/uploads/${job.uploadId}`)).width, 1280);
    assert.deepEqual(complaints, []);
});
