/* The form to create a video, in a real browser: what goes together, pictures in every way, the stop for duplicates, drafts,
 * variations; in two languages, by keyboard, small and large. With every provider there is, all of them pretended. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { axe } from './axe.mjs';
import { ownPage } from './own_page.mjs';
import { Stack, tree, until } from './stack.mjs';

const stack = new Stack({ PROVIDERS: 'sim', SIM_ARGS: '--render-ms 800', FILMGATE_LIMITS_DUPLICATE_WINDOW_S: '30' });
const picture = readFileSync(path.join(tree, 'www/page.png'));
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

const text = (id) => page.locator(`#${id}`).textContent();
const model = (name) => page.locator('#model').selectOption(name);
const option = (field, value) => page.locator(`input[name="${field}"][value="${value}"]`);
const go = () => page.locator('#create-go').click();
const shown = (id) => page.waitForFunction((one) => !document.getElementById(one).hidden, id);
const said = (id, pattern) => until(`${id} says ${pattern}`, async () => pattern.test(await text(id)));
const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.name);
const picked = () => page.evaluate(() => document.querySelector('#resolutions :checked').value);

/* As the form was at the beginning. */
async function fresh(p = page) {
    await p.evaluate(() => sessionStorage.clear());
    await p.reload();
    await p.waitForFunction(() => document.querySelectorAll('#aspect-ratios input').length > 0);
}

/* The files of a drop or a paste, as the browser hands them over. */
const hand = (type, name, bytes, p = page) => p.evaluate(([event, file, base64]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], file, { type: 'image/png' }));
    const more = { bubbles: true, cancelable: true };
    const target = document.getElementById('prompt');
    const happened = event === 'paste' ? new ClipboardEvent('paste', { ...more, clipboardData: transfer })
        : new DragEvent(event, { ...more, dataTransfer: transfer });
    target.dispatchEvent(happened);
    return happened.defaultPrevented;
}, [type, name, bytes.toString('base64')]);

const ready = () => said('uploadId-words', /^Ready: 1280 × 860/);

/* ---- what goes together ---- */

test('each choice tells what it can do', async () => {
    await model('fal-veo-3.1');
    assert.deepEqual(await page.locator('#model-facts li').allTextContents(), ['sound if you like', 'takes a picture',
        '4, 6 or 8 seconds', '16:9, 9:16', '720p, 1080p', 'list price $0.20 a second']);
    await model('best');
    assert.match(await page.locator('#model-facts li').first().textContent(), /^the first of \d+ models that is free and fits$/);
});

test('what is impossible is disabled and says with what it would do; nothing is a dead end', async () => {
    await fresh();
    await model('best');
    await option('aspectRatio', '21:9').check();
    const off = await page.locator('#resolutions input:disabled').evaluateAll((all) => all.map((i) => i.value));
    assert.ok(off.length > 0, 'some are not made in this shape');
    const why = await text('resolution-why');
    for (const value of off) assert.match(why, new RegExp(`${value}: (only in|only at|not with)`));
    const [first] = off;
    const [, shapes] = new RegExp(`${first}: only in ([^.]*)\\.`).exec(why);
    await option('aspectRatio', shapes.split(/, | or /)[0]).check();
    await option('resolution', first).check({ timeout: 5000 });
    assert.equal(await picked(), first, 'what was said is true');
    for (const name of await page.locator('#model option').evaluateAll((all) => all.map((o) => o.value))) {
        await model(name);
        for (const group of ['aspect-ratios', 'resolutions'])
            assert.equal(await page.locator(`#${group} input:checked`).count(), 1, `${name} ${group}`);
        assert.ok(await page.locator('#resolutions input:checked').isEnabled(), name);
    }
});

test('what a choice changes is told', async () => {
    await fresh();
    await model('fal-kling-3-pro');
    await page.locator('#duration').press('End');
    assert.equal(await text('duration-out'), '15 s');
    await model('fal-veo-3.1');
    await shown('changed');
    assert.match(await text('changed'), /^Changed to fit: the length is 8 s and the resolution is 720p\.$/);
    await kit.promptBox(page).fill('x');
    await option('resolution', '1080p').check();
    assert.ok(await page.locator('#changed').isHidden(), 'what one chose oneself is no news');
});

test('the price is told by the second, and what is left', async () => {
    await fresh();
    await said('price', /^\$\d/);
    assert.match(await text('quote'), /\d+ s at \$[\d.]+ a second/);
});

/* ---- what is wrong ---- */

test('a field is judged while it is written, by the rules that the door told', async () => {
    await fresh();
    await page.locator('#more').evaluate((more) => { more.open = true; });
    await page.locator('#seed').pressSequentially('4294967296');
    await said('seed-error', /^A whole number from 0 to 4294967295\.$/);
    assert.equal(await page.locator('#seed').getAttribute('aria-invalid'), 'true');
    assert.ok((await page.locator('#seed').getAttribute('aria-describedby')).includes('seed-error'));
    await page.locator('#seed').press('Backspace');
    await said('seed-error', /^$/);
    await page.locator('#picture-address').evaluate((more) => { more.open = true; });
    await page.locator('#imageUrl').pressSequentially('ftp://x');
    assert.equal(await text('imageUrl-error'), '', 'not before it is finished');
    await page.locator('#imageUrl').blur();
    await said('imageUrl-error', /^An address that begins with/);
    await page.locator('#imageUrl').fill('');
});

test('the rules are the server’s: with others it judges otherwise', async () => {
    await page.route('**/v1/models', async (route) => {
        const answer = await route.fetch();
        const list = await answer.json();
        list.rules.fields.prompt.max = 12;
        await route.fulfill({ response: answer, json: list });
    }, { times: 1 });
    await fresh();
    await kit.promptBox(page).fill('thirteen char');
    assert.equal(await text('prompt-count'), '13 / 12');
    await said('prompt-error', /^At most 12 characters; it has 13\.$/);
    await fresh();
});

test('what is wrong stands in a summary, and the focus goes to the first of it', async () => {
    await page.locator('#more').evaluate((more) => { more.open = true; });
    await page.locator('#seed').fill('x');
    await page.locator('#more').evaluate((more) => { more.open = false; });
    await go();
    await shown('create-summary');
    assert.deepEqual(await page.locator('#create-summary-list li').allTextContents(),
        ['Prompt: Please describe the video.', 'Seed: A whole number from 0 to 4294967295.']);
    assert.equal(await focused(), 'prompt');
    await kit.shoot(page, 'create-wrong', true);
    await page.getByRole('link', { name: /^Seed:/ }).click();
    assert.equal(await focused(), 'seed', 'it leads there, into what was closed');
    await page.locator('#seed').fill('1');
    await kit.promptBox(page).fill('a kite');
    assert.ok(await page.locator('#create-summary').isHidden(), 'all is well');
});

/* ---- the first picture ---- */

test('a picture is dropped, pasted or chosen; it is shown at once, with how much of it has gone', async (t) => {
    let letGo;
    const held = new Promise((resolve) => { letGo = resolve; });
    t.after(() => page.unroute('**/v1/uploads'));
    await fresh();
    await page.route('**/v1/uploads', async (route) => {
        await held;
        await route.continue();
    });
    assert.ok(await hand('dragover', 'a.png', picture), 'the browser would leave the page');
    assert.equal(await text('picture-drop'), 'Drop the picture');
    await hand('drop', 'a.png', picture);
    await page.waitForFunction(() => document.getElementById('picture-canvas').width === 320);
    assert.ok(await page.locator('#picture-progress').isVisible());
    assert.match(await text('uploadId-words'), /^(Sending: .* of |All of it is there)/);
    await kit.promptBox(page).fill(kit.unique('With a picture'));
    await go();
    await said('uploadId-error', /^The picture is still on its way\.$/);
    letGo();
    await ready();
    assert.ok(await page.locator('#imageUrl').isDisabled(), 'a picture is given once');
    await page.locator('#picture-remove').click();
    assert.ok(await page.locator('#picture-canvas').isHidden());
    assert.equal(await focused(), 'uploadId');
    assert.ok(await hand('paste', 'b.png', picture), 'pasted');
    await ready();
    await page.locator('#uploadId').setInputFiles({ name: 'c.png', mimeType: 'image/png', buffer: picture }); /* another */
    await ready();
});

test('sending can be stopped, and begun again; so can what had no answer', async () => {
    await fresh();
    await page.route('**/v1/uploads', () => {}, { times: 1 }); /* never answered */
    await hand('drop', 'a.png', picture);
    await page.locator('#picture-stop').click();
    assert.equal(await text('uploadId-words'), 'Not sent.');
    assert.equal(await focused(), 'picture-again');
    await page.route('**/v1/uploads', (route) => route.abort('connectionreset'), { times: 1 });
    await page.locator('#picture-again').click();
    await said('uploadId-error', /^No answer\. It can be sent again; it is kept only once\.$/);
    await page.locator('#picture-again').click();
    await ready();
    assert.equal(await text('uploadId-error'), '');
});

test('what is no picture for this is told before anything is sent', async (t) => {
    const sent = [];
    const note = (request) => request.url().endsWith('/v1/uploads') && sent.push(request.url());
    page.on('request', note);
    t.after(() => page.off('request', note));
    await fresh();
    const { rules } = await kit.api('GET', '/v1/models');
    const head = (width, height) => {
        const b = Buffer.from(picture.subarray(0, 64));
        b.writeUInt32BE(width, 16);
        b.writeUInt32BE(height, 20);
        return b;
    };
    for (const [bytes, words] of [
        [Buffer.alloc(0), /^The file is empty\.$/],
        [Buffer.from('GIF89a and more'), /^This is no PNG, JPEG or WebP picture\.$/],
        [Buffer.alloc(rules.upload.maxBytes + 1), /^Too large: it has 20 MB, and 20 MB are allowed\.$/],
        [head(30000, 30000), /^Too large: 30000 × 30000\. At most 50 million pixels are allowed\.$/],
        [head(64, rules.upload.minSide - 1), /^Too small: 64 × 7\. Each side needs at least 8 pixels\.$/],
    ]) {
        await page.locator('#uploadId').setInputFiles({ name: 'x.png', mimeType: 'image/png', buffer: bytes });
        await said('uploadId-error', words);
    }
    assert.deepEqual(sent, []);
    await page.locator('#uploadId').setInputFiles({ name: 'x.png', mimeType: 'image/png', buffer: picture });
    await ready();
    assert.equal(await text('uploadId-error'), '');
});

test('a model that takes no picture leaves it out, and says so; one that needs one asks for it', async () => {
    await model('fal-veo-3.1-fast');
    await said('picture-out', /^fal-veo-3\.1-fast takes no picture: yours is left out\.$/);
    await fresh();
    await model('runway-gen-4-turbo');
    assert.equal(await text('picture-need'), 'needed here');
    await kit.promptBox(page).fill('x');
    await go();
    await said('uploadId-error', /^runway-gen-4-turbo needs a picture\.$/);
    assert.equal(await focused(), 'uploadId');
});

/* ---- duplicates, drafts, variations ---- */

test('the same wish again says when it was asked for, and leads to it', async () => {
    await fresh();
    const prompt = kit.unique('Twice');
    await kit.create(page, prompt);
    const [{ id }] = await kit.jobsWithPrompt(prompt);
    await kit.promptBox(page).fill(prompt);
    await said('price', /^\$\d/); /* the button moves when the price comes, and a press that begins beside it is none */
    await go();
    await shown('again').catch(async () => assert.fail(`no question: ${await page.locator('#create-form').innerText()}`));
    assert.match(await text('again-words'), /^You asked for just this \d+ seconds? ago\. Make it again\?$/);
    await page.getByRole('link', { name: 'Show the first one' }).click();
    assert.equal(await page.evaluate(() => document.activeElement.closest('[data-id]')?.dataset.id), id);
    await page.getByRole('button', { name: 'No, one is enough' }).click();
    assert.equal(await focused(), 'prompt');
});

test('a draft outlives a reload and the session, and is nobody else’s', async () => {
    await fresh();
    const prompt = 'منارة في العاصفة\nhalf written';
    await kit.promptBox(page).fill(prompt);
    assert.equal(await page.locator('#prompt').evaluate((p) => getComputedStyle(p).direction), 'rtl');
    await model('fal-veo-3.1');
    await option('aspectRatio', '9:16').check();
    await option('resolution', '1080p').check();
    await hand('drop', 'a.png', picture);
    await ready();
    const check = async () => {
        await page.waitForFunction(() => document.querySelectorAll('#aspect-ratios input').length > 0);
        assert.equal(await page.locator('#prompt').inputValue(), prompt);
        assert.equal(await page.locator('#model').inputValue(), 'fal-veo-3.1');
        assert.ok(await option('aspectRatio', '9:16').isChecked());
        assert.equal(await picked(), '1080p');
        await page.waitForFunction(() => document.getElementById('uploadId-shown').naturalWidth > 0);
    };
    await page.reload();
    await check();
    await context.clearCookies();
    await page.reload();
    await page.getByLabel('Your API key').waitFor();
    assert.equal(await page.locator('#prompt').inputValue(), '', 'nothing of it is on the page meanwhile');
    await kit.signIn(page);
    await check();
    await page.evaluate(() => {
        const kept = JSON.parse(sessionStorage.getItem('filmgate.draft'));
        sessionStorage.setItem('filmgate.draft', JSON.stringify({ ...kept, owner: 'somebody else/' }));
    });
    await page.reload();
    await page.waitForFunction(() => document.querySelectorAll('#aspect-ratios input').length > 0);
    assert.equal(await page.locator('#prompt').inputValue(), '');
    assert.equal(await page.evaluate(() => sessionStorage.getItem('filmgate.draft')), null);
    await kit.promptBox(page).fill('left behind');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out.').waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.length), 0, 'who signs out leaves nothing');
    await kit.signIn(page);
});

test('a variation keeps everything but the seed', async () => {
    await fresh();
    const job = { prompt: kit.unique('Vary me'), model: 'fal-veo-3.1', route: null, aspectRatio: '9:16', duration: 6, resolution: '1080p',
        seed: 7, audio: true, negativePrompt: 'rain', uploadId: null, imageUrl: null };
    /* A form of its own over the page's: what the cards call is its fill. */
    await page.evaluate(async () => {
        const [{ CreateView }, { api }] = await Promise.all([import('/app/view-create.js'), import('/app/api.js')]);
        const { account, plan } = await api.me();
        document.getElementById('aspect-ratios').replaceChildren();
        delete document.getElementById('aspect-ratios').dataset.looks;
        window.form = new CreateView(`${account}/another`, plan, () => {});
        window.form.start();
    });
    await page.waitForFunction(() => document.querySelectorAll('#aspect-ratios input').length > 0);
    const vary = (one, how) => page.evaluate(([wish, options]) => window.form.fill(wish, options), [one, how]);
    await vary(job, { variation: true });
    await said('filled', /^A variation: everything as before, with a new seed\.$/);
    assert.equal(await focused(), 'prompt');
    const values = await page.evaluate(() => Object.fromEntries(new FormData(document.getElementById('create-form'))));
    assert.equal(values.prompt, job.prompt);
    assert.deepEqual([values.model, values.aspectRatio, values.resolution, values.audio, values.negativePrompt],
        ['fal-veo-3.1', '9:16', '1080p', 'true', 'rain']);
    assert.equal(await text('duration-out'), '6 s');
    assert.match(values.seed, /^\d+$/);
    assert.notEqual(values.seed, '7');
    await vary({ ...job, model: 'luma-ray-3.2', aspectRatio: '16:9', resolution: '720p', duration: 5, audio: null }, { variation: true });
    await said('filled', /comes out differently each time\.$/);
    await vary(job, {});
    await said('filled', /^The words and settings are in the form\.$/);
    assert.equal(await page.locator('#seed').inputValue(), '7', 'the same again is the same');
    await vary({ ...job, model: 'no-longer-there' }, { variation: true });
    await said('filled', /^no-longer-there is not offered any more; .* is chosen instead\.$/);
});

/* ---- for everybody ---- */

test('in German, and with the keyboard alone', async () => {
    const german = await kit.newContext(browser, { locale: 'de-DE' });
    const p = kit.watch(await german.newPage());
    await p.goto(stack.client.url);
    await p.locator('#key').fill(stack.client.key);
    await p.keyboard.press('Enter');
    await p.waitForFunction(() => document.querySelectorAll('#aspect-ratios input').length > 0);
    assert.equal(await p.locator('#create-title').textContent(), 'Neues Video');
    await p.locator('#prompt').focus();
    await p.keyboard.press('Control+Enter');
    await p.locator('#prompt-error').getByText('Bitte das Video beschreiben.').waitFor();
    await p.keyboard.press('Tab');
    assert.equal(await p.evaluate(() => document.activeElement.id), 'model');
    const chooser = p.waitForEvent('filechooser');
    await p.keyboard.press('Tab');
    assert.equal(await p.evaluate(() => document.activeElement.id), 'uploadId');
    await p.keyboard.press('Enter');
    await (await chooser).setFiles({ name: 'a.png', mimeType: 'image/png', buffer: picture });
    await p.locator('#uploadId-words').getByText(/^Bereit: 1280 × 860/).waitFor();
    await kit.shoot(p, 'create-german', true);
    await german.close();
});

const SCREENS = [
    ['320 px', { viewport: { width: 320, height: 640 } }],
    ['a laptop', { viewport: { width: 1360, height: 900 } }],
    ['a laptop in the dark, without motion', { viewport: { width: 1360, height: 900 }, colorScheme: 'dark', reducedMotion: 'reduce' }],
    ['4K', { viewport: { width: 3840, height: 2160 } }],
];

/* With everything open, chosen and wrong. */
async function onScreen(how, look) {
    const c = await kit.newContext(browser, how);
    const p = kit.watch(await c.newPage());
    await kit.signIn(p);
    await p.locator('#model').selectOption('best');
    await p.locator('#more').evaluate((more) => { more.open = true; });
    await p.locator('#seed').fill('x');
    await hand('drop', 'a.png', picture, p);
    await p.locator('#uploadId-words').getByText(/^Ready/).waitFor();
    await p.locator('#create-go').click();
    await p.locator('#create-summary').waitFor();
    await look(p);
    await c.close();
}

test('nothing is cut off on any screen', async () => {
    for (const [what, how] of SCREENS)
        await onScreen(how, async (p) => {
            const wide = await p.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
            assert.ok(wide <= 0, `${what}: ${wide} px too wide`);
            await kit.shoot(p, `create-${what.replaceAll(/\W+/g, '-')}`, true);
        });
});

test('axe finds nothing, on any screen', async () => {
    for (const [what, how] of SCREENS) await onScreen(how, (p) => axe(p, what));
});

test('the browser had nothing to complain about', () => {
    assert.deepEqual(kit.complaints, []);
});
