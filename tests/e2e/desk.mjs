/* What somebody does at the support desk, for the tests of it. */
import { newContext, watch } from './page.mjs';

export const AREAS = ['overview', 'search', 'file', 'log'];

/* A page at a place of the desk ("#/search"), signed in with this key. */
export async function openDesk(browser, { url, key, at = '#/', options = {} }) {
    const context = await newContext(browser, options);
    const page = watch(await context.newPage());
    await page.goto(`${url}/support/${at}`);
    await signIn(page, key);
    return page;
}

export async function signIn(page, key) {
    await page.locator('#key').fill(key);
    await page.locator('#key').press('Enter');
}

/* By hash, as a link that a colleague sent. */
export async function go(page, at, title) {
    await page.evaluate((hash) => {
        location.hash = hash;
    }, at);
    if (title) await page.getByRole('heading', { level: 1, name: title }).waitFor();
}

export const dialog = (page) => page.getByRole('dialog');

/* Opens the dialog of an action, fills it and confirms; resolves when it is closed. */
export async function act(page, name, reason, fill = async () => {}) {
    await page.locator('#file').getByRole('button', { name: `${name}…`, exact: true }).first().click();
    await confirm(page, name, reason, fill);
    await dialog(page).waitFor({ state: 'hidden' });
}

export async function confirm(page, name, reason, fill = async () => {}) {
    await dialog(page).getByRole('heading', { name, exact: true }).waitFor();
    await fill(dialog(page));
    await dialog(page).getByLabel(/^(Reason|Note)$/).fill(reason);
    await dialog(page).getByRole('button', { name, exact: true }).click();
}

/* What makes the page wider than its window: the innermost elements without which it would fit. */
export const tooWide = (page) =>
    page.evaluate(() => {
        const root = document.documentElement;
        const over = () => root.scrollWidth - root.clientWidth;
        const fitsWithout = (node) => {
            node.hidden = true;
            const fits = over() <= 0;
            node.hidden = false;
            return fits;
        };
        if (over() <= 0) return [];
        let at = document.body;
        for (let next = at; next; next = [...at.children].find((node) => !node.hidden && fitsWithout(node))) at = next;
        return [`${over()} pixels: ${at.tagName} ${at.id} ${at.className} ${at.textContent.slice(0, 60)}`];
    });
