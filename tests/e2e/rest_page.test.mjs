/* A page left open for an hour with nothing to wait for: what it asks, by a clock that the test winds. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ownPage } from './own_page.mjs';
import { Stack } from './stack.mjs';

const HOUR_S = 3600;
const STEP_S = 5;
const stack = new Stack(); /* of its own: elsewhere others make videos meanwhile */
let browser, kit;

before(async () => {
    ({ kit, browser } = await ownPage(stack));
});
after(async () => {
    await browser?.close();
    await stack.drop();
});

/* Requests of a page, and how many of them are on their way. */
function count(page) {
    const seen = { lists: 0, all: 0, open: 0 };
    page.on('request', (request) => {
        const { pathname } = new URL(request.url());
        seen.open += 1;
        seen.all += 1;
        if (pathname === '/v1/jobs') seen.lists += 1;
    });
    for (const end of ['requestfinished', 'requestfailed']) page.on(end, () => { seen.open -= 1; });
    return seen;
}

async function settled(page, counts) {
    do await page.evaluate(() => 0);
    while (counts.some((c) => c.open > 0));
}

/* An hour in steps; each step's answers are waited for. The most in any minute of the lists, and the sums. */
async function anHour(pages, counts) {
    const minutes = [];
    for (let s = 0; s < HOUR_S; s += STEP_S) {
        if (s % 60 === 0) minutes.push(counts.map((c) => ({ ...c })));
        await pages[0].clock.runFor(STEP_S * 1000); /* the clock is that of all pages of the context */
        for (const page of pages) await settled(page, counts);
    }
    minutes.push(counts.map((c) => ({ ...c })));
    const sum = (at, what) => minutes[at].reduce((n, c) => n + c[what], 0);
    const most = Math.max(...minutes.slice(1).map((_, i) => sum(i + 1, 'lists') - sum(i, 'lists')));
    return { most, lists: sum(minutes.length - 1, 'lists') - sum(0, 'lists'), all: sum(minutes.length - 1, 'all') - sum(0, 'all') };
}

async function atRest(context) {
    const page = kit.watch(await context.newPage());
    const counts = count(page);
    return [page, counts];
}

test('seen, an hour at rest is at most three looks a minute, and few requests in all', async (t) => {
    const context = await kit.newContext(browser);
    await context.clock.install();
    const [page, counts] = await atRest(context);
    await kit.signIn(page);
    await settled(page, [counts]);
    const hour = await anHour([page], [counts]);
    t.diagnostic(JSON.stringify(hour));
    assert.ok(hour.lists >= 60, `it still looks: ${hour.lists}`);
    assert.ok(hour.most <= 3, `${hour.most} looks in one minute`);
    assert.ok(hour.all <= 6 * 60, `${hour.all} requests in an hour`);

    /* Hidden it looks less often. */
    await page.evaluate(() => {
        Object.defineProperty(document, 'hidden', { get: () => true });
        document.dispatchEvent(new Event('visibilitychange'));
    });
    const hidden = await anHour([page], [counts]);
    t.diagnostic(`hidden ${JSON.stringify(hidden)}`);
    assert.ok(hidden.lists > 0 && hidden.lists <= hour.lists / 3, `${hidden.lists} of ${hour.lists}`);
    await context.close();
});

test('two tabs do not ask twice as much', async (t) => {
    const context = await kit.newContext(browser);
    await context.clock.install();
    const [one, ofOne] = await atRest(context);
    await kit.signIn(one);
    const [two, ofTwo] = await atRest(context);
    await two.goto(kit.url);
    await two.getByRole('heading', { name: 'New video' }).waitFor();
    await settled(two, [ofOne, ofTwo]);
    const hour = await anHour([one, two], [ofOne, ofTwo]);
    t.diagnostic(JSON.stringify(hour));
    assert.ok(hour.most <= 4, `${hour.most} looks of both in one minute`);
    assert.ok(hour.lists >= 60 && hour.lists <= 150, `${hour.lists} looks of both in an hour; one makes 120`);
    await context.close();
});
