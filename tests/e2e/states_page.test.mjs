/* Every state and stage on the status page at once: the words of each card, no code and no figure that nobody said; axe,
 * light and dark, small and large; and what happens to a page while somebody looks at it. The jobs get where they are by
 * a pretended provider; then the sweeper stands still. Rows are put only where a state is gone in a moment. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { axe } from './axe.mjs';
import { ownPage } from './own_page.mjs';
import { Stack, readEnv, tree, until } from './stack.mjs';

const stack = new Stack({ PROVIDERS: 'sim', SIM_ARGS: '--render-ms 400 --queue-ms 0', FILMGATE_SWEEPER_FIRST_POLL_MS: '300',
    FILMGATE_BRAKE_HOUR_MICRO: '1000000000000000' /* one that nothing reaches */ });
const LONG_MS = 1e7;
let browser, context, page, kit, sim;

function sql(text) {
    const { OWNER_PASSWORD } = readEnv(path.join(stack.var, 'conf/secrets'));
    return execFileSync('mariadb', ['--no-defaults', '-u', 'fg_owner', '-S', path.join(stack.var, 'run/mariadb.sock'), '-B',
        '--skip-column-names', 'filmgate'], { input: text, env: { ...process.env, MYSQL_PWD: OWNER_PASSWORD } }).toString();
}

const simulator = (where, body) =>
    fetch(`${sim}/_sim/${where}`, { method: 'POST', body: JSON.stringify(body) }).then((answer) => assert.ok(answer.ok, where));

/* Every provider is asked each second, called back or not. */
function impatient() {
    const file = path.join(stack.folder, 'catalogue.json');
    const list = JSON.parse(readFileSync(path.join(tree, 'core/provider/catalogue.json'), 'utf8'));
    for (const { poll } of Object.values(list.providers)) if (poll) for (const name of Object.keys(poll)) poll[name] = 1;
    writeFileSync(file, JSON.stringify(list));
    return file;
}

before(async () => {
    stack.env.CATALOGUE = impatient();
    ({ kit, browser } = await ownPage(stack));
    sim = readFileSync(path.join(stack.var, 'run/providers.url'), 'utf8').trim();
    context = await kit.newContext(browser);
    page = kit.watch(await context.newPage());
});

after(async () => {
    await browser?.close();
    await stack.drop();
});

/* How far the page reaches beyond the screen, or something in a dialog into its margin. */
const tooWide = (p) => p.evaluate(() => {
    const dialog = document.querySelector('dialog[open]'),
        { scrollWidth, clientWidth } = document.documentElement;
    if (!dialog) return scrollWidth - clientWidth;
    const end = dialog.getBoundingClientRect().right - parseFloat(getComputedStyle(dialog).paddingRight);
    return Math.max(...[...dialog.querySelectorAll('*')].map((node) => Math.floor(node.getBoundingClientRect().right - end)));
});
const blank = (words) => page.locator('#blank-words', { hasText: words }).waitFor();

const LARGE = { width: 1280, height: 900 },
    SMALL = { width: 320, height: 700 };
const LOOKS = [['light', LARGE, 'light'], ['dark', SMALL, 'dark']];

/* The same page in each look: nothing that axe finds, nothing wider than the screen. */
async function inLooks(p, name, looks = LOOKS, at = null) {
    for (const [look, viewport, colorScheme] of looks) {
        await p.setViewportSize(viewport);
        await p.emulateMedia({ colorScheme });
        await axe(p, `${name}, ${look}`);
        assert.ok(await tooWide(p) <= 0, `${name}, ${look}: ${await tooWide(p)} px too wide`);
        await at?.scrollIntoViewIfNeeded();
        await kit.shoot(p, `states-${name}-${look}`);
    }
    await p.setViewportSize({ width: 1360, height: 900 });
    await p.emulateMedia({ colorScheme: 'light' });
}

/* ---- nothing yet ---- */

test('the sign-in, and a list with nothing in it', async () => {
    await page.goto(kit.url);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.locator('#key-error:not(:empty)').waitFor();
    await inLooks(page, 'sign-in');
    await kit.signIn(page);
    await blank('Nothing in the gate yet');
    assert.deepEqual(await page.locator('button:visible, .button:visible').evaluateAll((all) =>
        all.filter((button) => button.innerText.trim() === '').map((button) => button.id)), [], 'each button says what it does');
    await page.setViewportSize(LARGE);
    const { y, height } = await page.locator('#create-go').boundingBox();
    assert.ok(y + height <= LARGE.height, `the button is in sight: ${y + height}`);
    await inLooks(page, 'empty', LOOKS.slice(1));
});

/* ---- by keyboard alone ---- */

/* Tab until it is there; every stop on the way shows that it is one. */
async function tabTo(what, isThere) {
    for (let i = 0; i < 80; i++) {
        await page.keyboard.press('Tab');
        const { there, seen, who } = await page.evaluate((test) => {
            const at = document.activeElement,
                drawn = (node) => node && getComputedStyle(node).outlineStyle !== 'none',
                ofPlayer = at.matches('video:not(:focus-visible)'); /* its buttons are the browser's own */
            return { there: at.matches(test), who: at.outerHTML.slice(0, 120),
                seen: ofPlayer || [at, at.closest('label, .gate'), at.nextElementSibling].some(drawn) };
        }, isThere);
        assert.ok(seen, `one sees where the focus is: ${who}`);
        if (there) return;
    }
    assert.fail(`no Tab leads to ${what}`);
}

const RTL = 'منارة في العاصفة، والضوء يمسح الماء الأسود';

test('by keyboard alone a prompt, from right to left, becomes a video; each step is told politely, and no figure', async () => {
    await page.reload();
    await page.waitForFunction(() => document.querySelectorAll('#aspect-ratios input').length > 0);
    await page.evaluate(() => {
        window.told = [];
        new MutationObserver(() => window.told.push(document.getElementById('live').textContent))
            .observe(document.getElementById('live'), { childList: true });
    });
    await tabTo('the way past the head', '.skip');
    await page.keyboard.press('Enter');
    await tabTo('the prompt', '#prompt');
    await page.keyboard.insertText(RTL);
    await tabTo('the button', '#create-go');
    await page.waitForFunction(() => /\d/.test(document.getElementById('price').textContent));
    await page.keyboard.press('Enter');
    const card = kit.card(page, RTL);
    await card.waitFor();
    assert.equal(await kit.waitEnded(page, card), 'succeeded');
    await tabTo('the film', 'article.job video');
    await page.keyboard.press('End');
    await page.waitForFunction(() => document.activeElement.currentTime > 0);
    await tabTo('the file', '[data-part="download"]');
    await tabTo('the timeline', '.timeline summary');
    await page.keyboard.press('Enter');
    await card.locator('[data-part="events"] li').first().waitFor();
    const box = (name) => card.locator(`[data-part="${name}"]`);
    assert.equal(await box('prompt').evaluate((h) => getComputedStyle(h).direction), 'rtl');
    assert.equal(await box('state').evaluate((p) => getComputedStyle(p).direction), 'ltr', 'only what is written so');
    assert.equal(await page.locator('#live').getAttribute('aria-live'), 'polite');
    const told = await until('the end is told', async () => {
        const all = (await page.evaluate(() => window.told)).filter(Boolean);
        return all.some((words) => words.includes('Ready')) && all;
    });
    for (const words of told) assert.doesNotMatch(words, /%|\d/, words);
    await axe(page, 'a result with its timeline');
    await kit.shoot(page, 'states-result');
});

/* ---- every state ---- */

const jobs = {}; /* name: id */

async function ask(name, prompt, model) {
    const [{ durations, sizes, defaultResolution }] = models.filter((m) => m.name === model);
    const { aspectRatio } = sizes.find((s) => s.resolution === defaultResolution);
    const job = await kit.api('POST', '/v1/jobs', { prompt, model, aspectRatio, duration: durations[0] });
    assert.ok(job.id, JSON.stringify(job));
    jobs[name] = job.id;
    return job.id;
}

let models;
const read = (name) => kit.api('GET', `/v1/jobs/${jobs[name]}`);
const reaches = (name, stage) => until(`${name} is at ${stage}`, async () => {
    const job = await read(name);
    return (job.stage ?? job.errorCode ?? job.status) === stage;
}).catch(async (error) => assert.fail(`${error.message}: ${JSON.stringify(await read(name))}`));

/* What is to be seen on a card. next: what comes and when; buttons: those that are there. */
const RUNNING = ['Cancel'],
    ENDED = ['Change and try again', 'Delete'],
    AGAIN = ['Try again', 'Change and try again', 'Delete'],
    READY = ['Share', 'Make a variation', 'Delete'];
const CARDS = {
    'checked': { state: 'Waiting', stage: /is being checked/, next: /its place in line/, buttons: RUNNING },
    'in review': { state: 'Waiting', stage: /somebody looks at it/, next: /a person decides/, buttons: RUNNING },
    'second in line': { state: 'Waiting', stage: /free slot\. It is next in line/, next: /its turn/, number: '0', buttons: RUNNING },
    'third in line': { state: 'Waiting', stage: /free slot\. 1 before it in line/, number: '1', buttons: RUNNING },
    'at the brake': { state: 'Waiting', stage: /Paused by the operator’s budget; it goes on by itself/, number: '0', buttons: RUNNING },
    'handed over': { state: 'Waiting', stage: /Being handed to the provider/, next: /whether it takes it/, buttons: RUNNING },
    'in doubt': { state: 'Waiting', stage: /not confirmed yet.*without asking twice/, next: /whether the provider has it/, buttons: RUNNING },
    'queued there': { state: /queue/, stage: /Accepted; the provider has not started yet/, next: /the provider begins/, buttons: RUNNING },
    'queued there with a place': { state: /queue/, stage: /before it in line|next in line/, number: /^\d+$/, buttons: RUNNING },
    'made': { state: 'In the making', stage: /is rendering/, next: /we fetch the finished file/, buttons: RUNNING },
    'made with progress': { state: 'In the making', stage: /is rendering/, number: '40', buttons: RUNNING, progress: 40 },
    'to be canceled': { state: 'In the making', stage: /^Cancel requested; what the provider has begun it may still finish/,
        next: /it ends, as a cancel or/, buttons: [] },
    'fetched': { state: 'In the making', stage: /the file is being fetched and checked/, next: /it is ready/, buttons: RUNNING },
    'without room': { state: 'In the making', stage: /it waits for room in our store/, buttons: RUNNING },
    'ready': { state: 'Ready', stage: /^$/, kept: /The file is kept/, buttons: READY },
    'ready all the same': { state: 'Ready', stage: /You asked to cancel, but the provider finished it/, buttons: READY },
    'file gone': { state: 'File deleted', kept: /is not kept any more/, buttons: ['Make a variation', 'Delete'] },
    'blocked': { state: 'Failed', reason: /does not allow this prompt\. Found: weapons, in the prompt/, fault: /what was asked for/,
        cost: /Not charged/, buttons: ENDED },
    'blocked and charged': { state: 'Failed', reason: /does not allow this prompt.*It cost (US)?\$[\d.]+ all the same/, fault: /what was asked for/,
        buttons: ENDED },
    'refused': { state: 'Failed', reason: /did not take this request/, fault: /what was asked for/, cost: /Not charged/, buttons: ENDED },
    'failed': { state: 'Failed', reason: /could not make this video/, fault: /provider’s fault, not yours/, cost: /Not charged/, buttons: AGAIN },
    'withheld': { state: 'Failed', reason: /withheld the result/, buttons: ENDED },
    'canceled': { state: 'Canceled', reason: /^Canceled on request/, cost: /Not charged/, buttons: AGAIN },
    'too late': { state: 'Ran out of time', reason: /not ready before its deadline/, buttons: AGAIN },
    'words gone': { state: 'Failed', buttons: ['Delete'] },
};
/* Reasons that take long to come about: put onto copies of the one that failed. */
const REASONS = {
    blocked_image: 'This picture', image_unreachable: 'reference image', moderation_unavailable: 'could not be checked',
    review_expired: 'Nobody could look', provider_auth: 'does not accept this service', provider_credit: 'is empty',
    provider_unavailable: 'could not be reached', submit_unknown: 'never confirmed', provider_forgot: 'does not know this job',
    output_unreachable: 'could not be fetched', output_invalid: 'not a video that can be played',
};

async function reachAll() {
    models = (await kit.api('GET', '/v1/models')).data;
    sql(`INSERT INTO provider_state (provider, paused_us) VALUES ('kling_legacy', 1);`);
    await ask('blocked and charged', 'A kite [sim:moderated-run]', 'runway-gen-4.5');
    await ask('ready', 'A paper boat on a quiet lake', 'luma-ray-2');
    await ask('ready all the same', 'A train crosses a bridge at dusk', 'luma-ray-2');
    await ask('file gone', 'Snow falls on an empty square', 'replicate-veo-3.1-fast');
    await ask('blocked', 'How to make a b0mb', 'luma-ray-2');
    await ask('refused', 'Two foxes [sim:refused]', 'replicate-veo-3.1-fast');
    await ask('failed', 'Three owls on a wire [sim:fails]', 'luma-ray-flash-2');
    await ask('withheld', 'A market at noon [sim:moderated-output]', 'kling-3.0');
    await ask('words gone', 'Soon forgotten [sim:refused]', 'replicate-veo-3.1-fast');
    await ask('too late', 'A glacier, for a hundred years [sim:stuck]', 'replicate-kling-2.5-turbo-pro');
    await ask('checked', 'A door that opens [sim:stuck]', 'replicate-kling-2.5-turbo-pro');
    await Promise.all([['blocked and charged', 'blocked_prompt'], ['ready', 'succeeded'], ['ready all the same', 'succeeded'],
        ['file gone', 'succeeded'], ['blocked', 'blocked_prompt'], ['refused', 'provider_refused'], ['failed', 'provider_failed'],
        ['withheld', 'blocked_output'], ['words gone', 'provider_refused'], ['too late', 'rendering'], ['checked', 'rendering'],
    ].map(([name, stage]) => reaches(name, stage)));

    await simulator('settings', { queueMs: 1e9 });
    await ask('queued there', 'A lantern drifts down a river', 'kling-3.0');
    await ask('queued there with a place', 'Rain on a tin roof', 'fal-kling-3-pro');
    await Promise.all([reaches('queued there', 'at_provider'), reaches('queued there with a place', 'at_provider')]);
    await simulator('settings', { queueMs: 0, renderMs: LONG_MS });
    await ask('made with progress', 'A whale under northern lights', 'gateway-sora-2');
    await reaches('made with progress', 'rendering');
    await simulator('settings', { renderMs: 400 });
    await simulator('advance', { ms: 0.4 * LONG_MS });

    await ask('made', 'A desert road, seen from a slow train [sim:stuck]', 'luma-ray-2');
    await ask('to be canceled', 'A tower of glass [sim:stuck]', 'minimax-hailuo-2.3');
    await ask('canceled', 'A field of poppies [sim:stuck]', 'replicate-veo-3.1-fast');
    await ask('first in line', 'First [sim:stuck]', 'runway-gen-4.5');
    await ask('in review', 'Nude celebrities in marble', 'luma-ray-2');
    await ask('at the brake', 'A violin in an empty hall', 'kling-legacy-2.6');
    await ask('in doubt', 'A harbour in fog [sim:answer-lost*1]', 'luma-ray-3.2');
    await Promise.all([['made', 'rendering'], ['to be canceled', 'rendering'], ['canceled', 'rendering'], ['first in line', 'rendering'],
        ['in review', 'in_review'], ['at the brake', 'waiting'], ['in doubt', 'submit_unknown'],
    ].map(([name, stage]) => reaches(name, stage)));
    await ask('second in line', 'Second [sim:stuck]', 'runway-gen-4.5');
    await until('it stands in line', async () => (await read('second in line')).queuePosition === 0);
    await ask('third in line', 'Third [sim:stuck]', 'runway-gen-4.5');
    await until('the next one, too', async () => (await read('third in line')).queuePosition === 1);
    await kit.api('POST', `/v1/jobs/${jobs.canceled}/cancel`);
    await reaches('canceled', 'canceled');
    await kit.api('POST', `/v1/jobs/${jobs['to be canceled']}/cancel`);
    await until('progress is told', async () => (await read('made with progress')).progress === 40);

    await ask('handed over', 'A clock without hands [sim:hang=15000]', 'minimax-hailuo-2.3');
    await ask('fetched', 'A lighthouse keeper reads [sim:file-slow=15000]', 'luma-ray-2');
    await ask('without room', 'A library at night [sim:file-slow=15000]', 'replicate-veo-3.1-fast');
    await Promise.all([['handed over', 'submitting'], ['fetched', 'storing'], ['without room', 'storing']]
        .map(([name, stage]) => reaches(name, stage)));
}

/* What is gone in a moment, or takes hours. */
function putTheRest() {
    const set = (name, what) => `UPDATE job SET version = version + 1, ${what} WHERE public_id = '${jobs[name]}';`;
    const now = Date.now() * 1000;
    sql([`UPDATE provider_state SET braked_until_us = 4102444800000000 WHERE provider = 'kling_legacy';`,
        set('checked', 'state = 1, stage = 7, progress = NULL, provider_job_id = NULL, attempt_n = 0'),
        set('too late', `state = 6, stage = 0, finished_us = ${now}, error_code = 'deadline_exceeded'`),
        set('file gone', 'output_state = 2'),
        set('ready all the same', 'cancel_us = created_us + 1'),
        set('words gone', `prompt = NULL, redacted_us = ${now}`),
        `INSERT INTO storage_wait (job_id, since_us) SELECT id, ${now} FROM job WHERE public_id = '${jobs['without room']}';`,
        ...Object.keys(REASONS).map((reason, i) => {
            jobs[reason] = `job_${String(i).padStart(26, '0')}`;
            return `INSERT INTO job (public_id, account_id, user_id, state, stage, version, provider, model, prompt, aspect_ratio,
                duration_s, resolution, price_micro, currency, charged, attempt_n, error_code, request_id, created_us, updated_us,
                finished_us, deadline_us) SELECT '${jobs[reason]}', account_id, user_id, state, 0, 3, provider, model,
                CONCAT('It ended: ', ${i + 1}), aspect_ratio, duration_s, resolution, price_micro, currency, 0, 1, '${reason}',
                request_id, created_us - ${i + 1}, updated_us, finished_us, deadline_us FROM job
                WHERE public_id = '${jobs.failed}';`;
        })].join('\n'));
}

let tall;

test('all states are reached', async () => {
    await reachAll();
    process.kill(stack.pid('sweeper'), 'SIGSTOP');
    putTheRest();
    await until('the brake is told', async () => (await read('at the brake')).waitingFor === 'operator_budget');
    const c = await kit.newContext(browser, { viewport: { width: 1360, height: 9000 }, storageState: await context.storageState() });
    tall = kit.watch(await c.newPage());
    await tall.goto(kit.url);
    for (const id of Object.values(jobs)) await tall.locator(`[data-id="${id}"]`).waitFor();
});

const words = (id, p = tall) => p.locator(`[data-id="${id}"]`).evaluate((article) => {
    const part = (name) => article.querySelector(`[data-part="${name}"]`);
    const text = (name) => (part(name).checkVisibility() ? part(name).textContent : '');
    const progress = part('progress');
    return {
        state: text('state'), stage: text('stage'), next: text('next'), number: text('number'), kept: text('kept'), cost: text('cost'),
        reason: text('reason-words'), fault: text('fault'), progress: progress.hidden ? undefined : progress.value,
        buttons: [...article.querySelectorAll('.actions button')].filter((b) => b.checkVisibility()).map((b) => b.textContent),
        all: [...article.querySelectorAll('[data-part]:not(.prompt)')].filter((n) => n.checkVisibility()
            && !n.children.length && n.dataset.part !== 'maker').map((n) => n.textContent).join('\n'),
    };
});

/* Of all that a card says but the names of who made it. */
function isPlain(name, { all, progress }) {
    assert.doesNotMatch(all, /\b[a-z]+_[a-z_]+\b/, `${name}: a code`);
    assert.doesNotMatch(all, /undefined|null|NaN|Invalid|\[object/, name);
    assert.doesNotMatch(all, /-\d+ s\b/, `${name}: a time that has passed`);
    if (progress === undefined) assert.doesNotMatch(all, /\d ?%|percent/, `${name}: a percentage that nobody said`);
}

for (const [name, wanted] of Object.entries(CARDS))
    test(`in words: ${name}`, async (t) => {
        if (!tall) return t.skip('not all were reached');
        const told = await words(jobs[name]);
        isPlain(name, told);
        for (const [what, want] of Object.entries(wanted)) {
            if (what === 'buttons') assert.deepEqual(told.buttons, want);
            else if (want instanceof RegExp) assert.match(told[what], want, what);
            else assert.equal(told[what], want, what);
        }
        assert.equal(told.progress, wanted.progress, 'progress');
        if (!wanted.number && told.next) assert.equal(told.number, '…', 'no figure');
        if (told.next) assert.match(told.next, /^Next: .*(We look again in|We ask the provider again in|looking right now|follows by itself|nothing gets lost)/);
    });

test('every reason has words of its own, whose fault it is, and what can be done', async () => {
    const all = new Set();
    for (const [reason, part] of Object.entries(REASONS)) {
        const told = await words(jobs[reason]);
        isPlain(reason, told);
        assert.match(told.reason, new RegExp(part, 'i'));
        assert.match(told.reason, /\. \S/, 'what happened, and what to do');
        assert.match(told.fault, /fault|what was asked for/, reason);
        assert.match(told.cost, /Not charged/);
        all.add(told.reason);
    }
    assert.equal(all.size, Object.keys(REASONS).length);
});

test('a reload keeps what is shown, at every stage', async () => {
    const still = ({ next, ...told }) => ({ ...told, all: '', next: next.replace(/We .*|This page .*/, '') });
    const shown = async () => Object.fromEntries(await Promise.all(
        Object.entries(jobs).map(async ([name, id]) => [name, still(await words(id))])));
    const told = await shown();
    await tall.reload();
    for (const id of Object.values(jobs)) await tall.locator(`[data-id="${id}"]`).waitFor();
    assert.deepEqual(await shown(), told);
    /* Another tab of the same browser tells the same. */
    const second = kit.watch(await tall.context().newPage());
    await second.goto(kit.url);
    for (const name of ['made with progress', 'in doubt', 'third in line']) {
        await second.locator('#words').fill((await read(name)).prompt.replace(/\[.*/, '').trim());
        await second.locator('#found', { hasText: '1 video' }).waitFor();
        assert.deepEqual(still(await words(jobs[name], second)), told[name]);
    }
    await second.close();
});

test('axe finds nothing on any card, light and dark, and nothing is cut at 320 px', async () => {
    for (const [look, { width }, colorScheme] of LOOKS) {
        await tall.setViewportSize({ width, height: 9000 });
        await tall.emulateMedia({ colorScheme });
        await tall.locator(`[data-id="${jobs.failed}"]`).waitFor();
        await axe(tall, look);
        assert.ok(await tooWide(tall) <= 0, `${look}: ${await tooWide(tall)} px too wide`);
        await kit.shoot(tall, `states-all-${look}`);
    }
    await tall.setViewportSize({ width: 2560, height: 1600 });
    await kit.shoot(tall, 'states-all-wide');
    assert.ok(await tooWide(tall) <= 0);
});

test('what moves stands still for whoever wants no motion', async () => {
    const moving = () => tall.evaluate(() => document.getAnimations().filter((a) => a.playState === 'running').length);
    await tall.emulateMedia({ colorScheme: 'light', reducedMotion: 'no-preference' });
    assert.ok(await moving() > 0, 'else it is no test');
    await tall.emulateMedia({ reducedMotion: 'reduce' });
    assert.equal(await moving(), 0);
    await tall.context().close();
});

test('the dialogs', async () => {
    await page.reload();
    const card = page.locator(`[data-id="${jobs.ready}"]`);
    await page.getByRole('searchbox').fill('paper boat');
    await card.getByRole('button', { name: 'Share' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Make a link' }).click();
    await page.locator('#share-made').waitFor();
    await inLooks(page, 'share');
    await page.keyboard.press('Escape');
    await card.getByRole('button', { name: 'Delete' }).click();
    await page.locator('#ask[open]').waitFor();
    await inLooks(page, 'delete', LOOKS.slice(1));
    await page.keyboard.press('Escape');
    await card.getByText('Timeline').click();
    await card.locator('[data-part="events"] li').first().waitFor();
    await inLooks(page, 'timeline', LOOKS.slice(1), card);
});

/* ---- while somebody looks ---- */

test('a slow network: nothing is claimed before it is known', async () => {
    let letGo;
    const held = new Promise((resolve) => { letGo = resolve; });
    const hold = async (route) => {
        await held;
        await route.continue();
    };
    await page.route('**/v1/jobs**', hold);
    await page.goto(kit.url);
    await blank('Looking for your videos');
    const prompt = kit.unique('Over a thin wire');
    await page.waitForFunction(() => document.querySelectorAll('#aspect-ratios input').length > 0);
    await kit.promptBox(page).fill(prompt);
    await page.locator('#create-go').click();
    await page.locator('#sending', { hasText: 'Sending…' }).waitFor();
    assert.equal(await page.locator('#create-go').getAttribute('aria-disabled'), 'true');
    assert.equal(await page.locator('#as-of').textContent(), '', 'there is nothing that it could be as of');
    assert.equal(await page.locator('article.job').count(), 0);
    await axe(page, 'while it is sent');
    letGo();
    await kit.card(page, prompt).waitFor();
    assert.equal((await kit.jobsWithPrompt(prompt)).length, 1);
    await page.unroute('**/v1/jobs**', hold);
    await kit.api('POST', `/v1/jobs/${(await kit.jobsWithPrompt(prompt))[0].id}/cancel`);
});

test('a callback that is lost: the page hears of the end all the same', async () => {
    process.kill(stack.pid('sweeper'), 'SIGCONT');
    const prompt = kit.unique('Never called back [sim:callback-lost]');
    const id = await ask('lost', prompt, 'luma-ray-2');
    await page.reload();
    const card = kit.card(page, prompt);
    await card.waitFor();
    assert.equal(await kit.waitEnded(page, card), 'succeeded');
    const { data } = await kit.api('GET', `/v1/jobs/${id}/events`);
    assert.ok(!data.some((e) => e.type === 'callback'), JSON.stringify(data));
});

test('a session that ends while a video is made: sign in, and it is there', async () => {
    await context.clearCookies();
    const prompt = kit.unique('Made meanwhile');
    await ask('meanwhile', prompt, 'luma-ray-2');
    await page.evaluate(() => dispatchEvent(new Event('online'))); /* else it looks in half a minute */
    await page.getByText('Your session has ended.').waitFor();
    assert.equal(await page.locator('article.job').count(), 0);
    await axe(page, 'signed out');
    await page.getByLabel('Your API key').fill(kit.key);
    await page.keyboard.press('Enter');
    await kit.card(page, prompt).waitFor();
    assert.equal(await kit.waitEnded(page, kit.card(page, prompt)), 'succeeded');
});

test('the server restarts under an open page: it says so, keeps what it shows, and goes on', async () => {
    const shown = await page.locator('article.job').count();
    await stack.stop();
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await page.locator('#banner', { hasText: 'No connection to the server since' }).waitFor();
    await page.locator('#as-of.stale').waitFor();
    assert.equal(await page.locator('article.job').count(), shown, 'what was seen stays');
    await axe(page, 'without a server');
    await kit.shoot(page, 'states-away');
    await stack.start();
    await page.getByRole('button', { name: 'Try now' }).click(); /* by itself it tries after a while, too */
    await page.locator('#banner').waitFor({ state: 'hidden' });
    assert.equal(await page.locator('article.job').count(), shown);
    assert.ok(await page.locator('#as-of:not(.stale)').isVisible());
});

test('the browser had nothing to complain about', () => {
    assert.deepEqual(kit.complaints, []);
});
