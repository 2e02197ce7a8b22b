/* What a person does with the page, for page.test.mjs, and the same questions asked of the API. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';

export const url = process.env.FILMGATE_URL;
export const key = process.env.FILMGATE_KEY;
const shots = process.env.FILMGATE_SHOTS;
const chromiumPath = process.env.FILMGATE_CHROMIUM || '/usr/bin/chromium';
const CHROMIUM_ARGS = [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--disable-background-networking',
    '--autoplay-policy=no-user-gesture-required',
];
const SOON = 15000; /* of the page alone */
const MADE = 180000; /* a video, on a slow machine */

export const complaints = []; /* console errors, exceptions, CSP violations */

/* What the browser itself says about answers and networks that a test breaks on purpose. */
const onPurpose =
    /Failed to load resource: (the server responded with a status of (40[0-39]|410|415|429)|net::ERR_)/;

export async function api(method, where, body) {
    const headers = { Authorization: `Bearer ${key}` };
    if (body) headers['Content-Type'] = 'application/json';
    const answer = await fetch(url + where, {
        method,
        headers,
        body: body && JSON.stringify(body),
    });
    return answer.status === 204 ? null : answer.json();
}

export async function jobsWithPrompt(prompt) {
    const { data } = await api('GET', '/v1/jobs?limit=100');
    return data.filter((job) => job.prompt === prompt);
}

export const unique = (words) =>
    `${words} ${Date.now().toString(36)}${Math.random().toString(36).slice(2, 6)}`;
export const promptBox = (p) => p.getByRole('textbox', { name: 'Prompt', exact: true });
export const card = (p, prompt) =>
    p.locator('article.job', { has: p.getByRole('heading', { name: prompt, exact: true }) });

export function watch(p) {
    p.setDefaultTimeout(SOON);
    p.on('console', (message) => {
        if (message.type() === 'error' && !onPurpose.test(message.text()))
            complaints.push(message.text());
    });
    p.on('pageerror', (error) => complaints.push(error.stack));
    return p;
}

export async function shoot(p, name, fullPage = false) {
    if (!shots) return;
    mkdirSync(shots, { recursive: true });
    await p.screenshot({ path: path.join(shots, `page-${name}.png`), fullPage });
}

export async function newContext(browser, options = {}) {
    const c = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options });
    await c.addInitScript(() => {
        document.addEventListener('securitypolicyviolation', (e) =>
            console.error(`CSP ${e.violatedDirective} ${e.blockedURI}`),
        );
    });
    return c;
}

export async function signIn(p) {
    await p.goto(url);
    await p.getByLabel('Your API key').fill(key);
    await p.getByRole('button', { name: 'Sign in' }).click();
    await p.getByRole('heading', { name: 'New video' }).waitFor();
    await p.waitForFunction(() => document.querySelectorAll('#aspect-ratios input').length > 0);
}

export async function create(p, prompt, { ratio = '16:9', resolution = null } = {}) {
    await promptBox(p).fill(prompt);
    await p.locator(`input[name=aspectRatio][value="${ratio}"]`).check();
    if (resolution) await p.locator(`input[name=resolution][value="${resolution}"]`).check();
    await p.getByRole('button', { name: 'Create video' }).click();
    await card(p, prompt).waitFor();
    return card(p, prompt);
}

export const stateOf = async (c) =>
    `${await c.getAttribute('data-state')}/${await c.getAttribute('data-stage')}`;

export async function waitEnded(p, c) {
    const id = await c.getAttribute('data-id');
    await p.waitForFunction(
        (job) =>
            ['succeeded', 'failed', 'expired'].includes(
                document.querySelector(`[data-id="${job}"]`)?.dataset.state,
            ),
        id,
        { timeout: MADE },
    );
    return c.getAttribute('data-state');
}

/* Keeps every state and progress the card of this prompt ever shows, in the page's own time. */
export async function record(p, prompt) {
    await p.evaluate((words) => {
        window.seen = [];
        const look = () => {
            for (const job of document.querySelectorAll('article.job')) {
                if (job.querySelector('h3').textContent !== words) continue;
                const bar = job.querySelector('progress');
                const now = {
                    state: `${job.dataset.state}/${job.dataset.stage}`,
                    bar: bar.hidden ? null : bar.value,
                    words: job.querySelector('[data-part="state"]').textContent,
                };
                if (JSON.stringify(window.seen.at(-1)) !== JSON.stringify(now))
                    window.seen.push(now);
            }
        };
        new MutationObserver(look).observe(document.getElementById('jobs'), {
            subtree: true,
            childList: true,
            attributes: true,
            characterData: true,
        });
    }, prompt);
}

export const launch = () => chromium.launch({ executablePath: chromiumPath, args: CHROMIUM_ARGS });
