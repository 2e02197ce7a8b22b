/* The frame of the page in a real browser: its languages, its title and icon while something runs, news of what is done,
 * two tabs, a clock that is wrong, and how much has to be loaded before something is seen. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { card, complaints, create, key, launch, newContext, promptBox, shoot, signIn, unique, url, waitEnded, watch } from './page.mjs';

const www = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../www');
const [en, de] = await Promise.all(['en', 'de'].map(async (code) => (await import(path.join(www, `app/text/${code}.js`))).default));

/* ["words.stages.waiting", 'Waiting for a free slot.'] */
const leaves = (o, at = '') =>
    Object.entries(o).flatMap(([k, v]) => (v !== null && typeof v === 'object' ? leaves(v, `${at}${k}.`) : [[`${at}${k}`, v]]));

let browser, page;

before(async () => {
    browser = await launch();
    page = watch(await (await newContext(browser)).newPage());
});

after(() => browser?.close());

test('both languages have the same texts, of the same kind', () => {
    const names = (texts) => leaves(texts).map(([name, v]) => `${name} ${typeof v} ${v.length && typeof v === 'function' ? v.length : ''}`).sort();
    assert.deepEqual(names(de), names(en));
});

test('every text that the pages name is there', () => {
    const pages = ['index.html', 'usage/index.html', 'share/index.html'].map((name) => readFileSync(path.join(www, name), 'utf8'));
    const named = pages.flatMap((html) => [...html.matchAll(/data-(?:text|label|placeholder|title)="([^"]+)"/g)].map((m) => m[1]));
    const there = new Map(leaves(en));
    assert.ok(named.length > 50);
    assert.deepEqual(named.filter((name) => typeof there.get(name) !== 'string'), []);
});

test('no sentence is left in the code of the page', () => {
    const sentence = /['"`][A-Z][a-z]+ [a-z]+ [a-z]+[^'"`]*['"`]/g;
    const left = readdirSync(path.join(www, 'app')).filter((name) => name.endsWith('.js'))
        .flatMap((name) => readFileSync(path.join(www, 'app', name), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '').match(sentence) ?? []);
    assert.deepEqual(left, []);
});

test('what comes before the first view is under 60 KB, compressed, and all from here', async () => {
    const sizes = [],
        elsewhere = [];
    const p = await (await newContext(browser)).newPage();
    p.on('requestfinished', async (request) => sizes.push(request.sizes().then((s) => s.responseBodySize)));
    p.on('request', (request) => {
        if (!request.url().startsWith(url) && !request.url().startsWith('data:')) elsewhere.push(request.url());
    });
    const answer = await p.goto(url);
    await p.getByLabel(en.shell.key).waitFor();
    const total = (await Promise.all(sizes)).reduce((a, b) => a + b, 0);
    assert.ok(total > 10000 && total < 60 * 1024, `${total} bytes`);
    assert.deepEqual(elsewhere, []);
    const policy = answer.headers()['content-security-policy'];
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe-|https?:|\*/);
    await p.context().close();
});

test('title and icon say that something runs, and that nothing does any more', async () => {
    await signIn(page);
    assert.equal(await page.title(), 'filmgate');
    const c = await create(page, unique('A title that counts'));
    await page.waitForFunction(() => document.title === '(1) filmgate');
    assert.equal(await page.getAttribute('#icon', 'href'), '/favicon-running.svg');
    await waitEnded(page, c);
    await page.waitForFunction(() => document.title === 'filmgate');
    assert.equal(await page.getAttribute('#icon', 'href'), '/favicon.svg');
});

test('who asked for it is told when a video is done, once, and only while looking elsewhere', async () => {
    const context = await newContext(browser);
    await context.grantPermissions(['notifications'], { origin: url });
    await context.addInitScript(() => {
        window.news = [];
        window.Notification = class extends EventTarget {
            static permission = 'granted';
            static async requestPermission() { return 'granted'; }
            constructor(title, options) {
                super();
                window.news.push([title, options.body, options.tag]);
            }
        };
    });
    const p = watch(await context.newPage());
    await signIn(p);
    const seen = await create(p, unique('Nobody looks away yet'));
    await waitEnded(p, seen);
    await p.getByRole('checkbox', { name: en.shell.tellMe }).check();
    await p.getByText(en.shell.tellMeOn).waitFor();
    const prompt = unique('Told to who looks elsewhere');
    const c = await create(p, prompt);
    await p.evaluate(() => Object.defineProperty(document, 'hidden', { get: () => true }));
    await waitEnded(p, c);
    await p.waitForFunction(() => window.news.length > 0);
    assert.deepEqual(await p.evaluate(() => window.news), [[en.words.states.succeeded, prompt, await c.getAttribute('data-id')]]);
    await context.close();
});

test('in a German browser all of it is German, and the choice of another language stays', async () => {
    const context = await newContext(browser, { locale: 'de-DE' });
    const p = watch(await context.newPage());
    await p.goto(url);
    assert.equal(await p.getAttribute('html', 'lang'), 'de');
    await p.getByLabel(de.shell.key).fill(key);
    await shoot(p, 'sign-in-de');
    await p.getByRole('button', { name: de.shell.signIn }).click();
    await p.getByRole('heading', { name: de.create.title }).waitFor();
    await p.locator('article.job').first().getByText(de.words.states.succeeded).first().waitFor();
    await p.locator('article.job').first().getByText(de.reel.timeline).click();
    await p.locator('article.job').first().getByText(de.words.events.created).waitFor();
    const shown = (await p.locator('body').innerText()).split('\n').map((line) => line.trim());
    const german = new Set(leaves(de).map(([, v]) => v));
    const english = new Set(leaves(en).map(([, v]) => v).filter((v) => typeof v === 'string' && v && !german.has(v)));
    assert.deepEqual(shown.filter((line) => english.has(line)), []);
    await shoot(p, 'desk-de', true);
    const draft = unique('Ein Entwurf');
    await p.getByRole('textbox', { name: de.create.prompt, exact: true }).fill(draft);
    await p.getByLabel(de.shell.language).selectOption('en');
    await p.getByRole('heading', { name: en.create.title }).waitFor();
    assert.equal(await p.getAttribute('html', 'lang'), 'en');
    await p.waitForFunction((words) => document.getElementById('prompt').value === words, draft);
    await p.reload();
    await p.getByRole('heading', { name: en.create.title }).waitFor();
    await context.close();
});

test('with the clock three hours wrong, times that pass are right', async () => {
    const context = await newContext(browser);
    await context.addInitScript(() => {
        const { now } = Date;
        Date.now = () => now() + 3 * 3600 * 1000;
    });
    const p = watch(await context.newPage());
    await signIn(p);
    const prompt = unique('A clock that is wrong');
    const c = await create(p, prompt);
    await p.waitForFunction((words) => {
        const one = [...document.querySelectorAll('article.job')].find((node) => node.textContent.includes(words));
        return /\d+ s/.test(one?.querySelector('[data-part="clock"]').textContent ?? '');
    }, prompt);
    assert.doesNotMatch(await c.locator('[data-part="clock"]').innerText(), /\d h/);
    await waitEnded(p, c);
    assert.doesNotMatch(await card(p, prompt).locator('[data-part="clock"]').innerText(), /\d h/);
    await context.close();
});

test('who signs out in one tab is signed out in the other, and the words are kept for after', async () => {
    const other = watch(await page.context().newPage());
    await other.goto(url);
    await other.getByRole('heading', { name: en.create.title }).waitFor();
    await promptBox(other).fill('Not finished');
    await page.getByRole('button', { name: en.shell.signOut }).click();
    await page.getByText(en.shell.signedOut).waitFor();
    await other.getByText(en.shell.ended).waitFor();
    await other.getByLabel(en.shell.key).fill(key);
    await other.getByRole('button', { name: en.shell.signIn }).click();
    await other.waitForFunction(() => document.getElementById('prompt').value === 'Not finished');
});

test('the browser had nothing to complain about', () => {
    assert.deepEqual(complaints, []);
});
