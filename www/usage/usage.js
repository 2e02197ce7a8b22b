/* What an account, or a user, has asked for and paid, by day; and what is left. It has the main page's session. */

import { api, Problem } from '/app/api.js';
import { announce, el, make, setShown, setText } from '/app/dom.js';
import { fillTexts, offerLanguages, texts } from '/app/texts.js';
import { clockWords, momentWords, serverNow } from '/app/time.js';
import { errorWords, priceWords } from '/app/words.js';
import { DayPlot, svg } from './plot.js';

const t = texts.usage;
const DAY_MS = 86400000;
const RANGES = [7, 30, 90];
const OLD_MS = 60000; /* looked at again then when somebody comes back to the page */

const OUTCOMES = [
    { name: 'succeeded', texture: 'solid' },
    { name: 'failed', texture: 'slanted' },
    { name: 'canceled', texture: 'level' },
    { name: 'expired', texture: 'dotted' },
    { name: 'running', texture: 'hollow' },
].map((part) => ({ ...part, words: t.outcomes[part.name] }));
const SPEND = [
    { name: 'charged', texture: 'solid' },
    { name: 'held', texture: 'hollow' },
].map((part) => ({ ...part, words: t.spend[part.name] }));

let range = RANGES.find((n) => String(n) === new URLSearchParams(location.search).get('days')) ?? 30;
let me = null;
let asked = 0; /* only the last question's answer counts */
let seenAt = 0;

document.title = t.pageTitle;
fillTexts(document);
offerLanguages(el('language'));

const dateOf = (ms) => new Date(ms).toISOString().slice(0, 10);

/* Days of UTC, as the ledger counts them; today is the last. */
function daysOf(n) {
    const today = Math.floor(serverNow() / DAY_MS) * DAY_MS;
    return Array.from({ length: n }, (_, i) => dateOf(today - (n - 1 - i) * DAY_MS));
}

const none = () => ({ jobs: 0, succeeded: 0, failed: 0, canceled: 0, expired: 0, running: 0, seconds: 0, money: {} });

/* Of all failed ones the API tells, some were canceled; those in none of the ends are under way. */
function add(sum, row) {
    const canceled = row.canceled ?? 0;
    sum.jobs += row.jobs;
    sum.succeeded += row.succeeded;
    sum.failed += row.failed - canceled;
    sum.canceled += canceled;
    sum.expired += row.expired;
    sum.running += row.jobs - row.succeeded - row.failed - row.expired;
    sum.seconds += row.seconds;
    const money = (sum.money[row.currency] ??= { charged: 0, held: 0 });
    money.charged += row.chargedMicro;
    money.held += row.heldMicro;
    return sum;
}

/* ---- now ---- */

function entry(name, words, { share = null, more = '' } = {}) {
    const value = make('dd', {}, make('span', { className: 'amount', textContent: words }));
    if (share !== null) {
        value.append(svg('svg',
            { class: share >= 1 ? 'share full' : 'share', viewBox: '0 0 100 1', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
            svg('rect', { class: 'all', width: 100, height: 1 }),
            svg('rect', { class: 'used', width: Math.min(100, share * 100), height: 1 })));
    }
    if (more) value.append(make('span', { className: 'hint', textContent: more }));
    return make('div', {}, make('dt', { textContent: name }), value);
}

function limitEntry({ name, max, used, freeAt }) {
    const unit = name.startsWith('budget') ? (n) => priceWords(n, me.currency)
        : name.endsWith('Bytes') ? t.bytes : t.count;
    const more = freeAt ? t.freeAt(momentWords(Date.parse(freeAt))) : '';
    return entry(t.limits[name] ?? name, t.usedOf(unit(used), unit(max)), { share: max > 0 ? used / max : 1, more });
}

function showNow() {
    const entries = [entry(t.plan, me.plan.name)];
    if (me.balanceMicro !== undefined) {
        const { creditLimitMicro: credit } = me;
        const more = credit === null ? t.paysLater : credit > 0 ? t.credit(priceWords(credit, me.currency)) : t.prepaid;
        entries.push(entry(t.balance, priceWords(me.balanceMicro, me.currency), { more }));
    }
    el('standing').replaceChildren(...entries, ...me.limits.map(limitEntry));
    setText(el('who'), me.userId || me.account);
}

/* ---- by day ---- */

function showTotals(sum, currencies) {
    const ended = sum.succeeded + sum.failed + sum.expired; /* a cancel is nobody's failure */
    const each = (kind) => currencies.map((c) => priceWords(sum.money[c]?.[kind] ?? 0, c)).join(', ');
    const numbers = OUTCOMES.filter(({ name }) => name !== 'succeeded' && sum[name] > 0);
    el('totals').replaceChildren(
        entry(t.charged, each('charged')),
        ...(sum.running > 0 ? [entry(t.held, each('held'))] : []),
        entry(t.asked, t.count(sum.jobs)),
        entry(OUTCOMES[0].words, t.count(sum.succeeded), { more: ended > 0 ? t.rate(sum.succeeded / ended) : '' }),
        ...numbers.map(({ name, words }) => entry(words, t.count(sum[name]))),
        entry(t.seconds, t.secondsOf(sum.seconds)),
    );
}

function plotsOf(days, byDay, sum, currencies) {
    const common = {
        days,
        dayName: (day) => t.dayShort(Date.parse(day)),
        dayWords: (day) => t.dayLong(Date.parse(day)),
    };
    /* The day that has the most, and how much. */
    const most = (valueOf) => days.reduce((a, b) => (valueOf(b) > valueOf(a) ? b : a));
    const summary = (total, valueOf, words) => {
        const day = most(valueOf);
        return valueOf(day) > 0 ? t.summary(words(total), common.dayWords(day), words(valueOf(day))) : t.nothing;
    };
    const spend = currencies.map((c) => {
        const of = (day) => byDay.get(day).money[c] ?? { charged: 0, held: 0 };
        const all = (day) => of(day).charged + of(day).held;
        const words = (micro) => priceWords(micro, c);
        const title = currencies.length > 1 ? t.spendIn(c) : t.spendTitle;
        return new DayPlot({ ...common, id: `spend-${c}`, title, parts: SPEND,
            valueOf: (day, part) => of(day)[part], valueWords: words, tickWords: words, least: 10000,
            summary: summary(days.reduce((n, day) => n + all(day), 0), all, words) });
    });
    const outcomes = new DayPlot({ ...common, id: 'outcomes', title: t.outcomesTitle, parts: OUTCOMES,
        valueOf: (day, part) => byDay.get(day)[part], valueWords: t.count, tickWords: t.count, least: 1,
        summary: summary(sum.jobs, (day) => byDay.get(day).jobs, t.videosOf) });
    return [...spend, outcomes];
}

function showPast(days, { data }) {
    const byDay = new Map(days.map((day) => [day, none()]));
    const sum = none();
    for (const row of data) {
        if (!byDay.has(row.day)) continue;
        add(byDay.get(row.day), row);
        add(sum, row);
    }
    const currencies = Object.keys(sum.money).sort();
    if (currencies.length === 0) currencies.push(me.currency);
    setText(el('span'), t.span(t.dayLong(Date.parse(days[0])), t.dayLong(Date.parse(days.at(-1)))));
    showTotals(sum, currencies);
    el('figures').replaceChildren(...plotsOf(days, byDay, sum, currencies).map((plot) => plot.node));
    el('csv').href = `/v1/usage?${new URLSearchParams({ from: days[0], groupBy: 'day', format: 'csv' })}`;
    el('csv').setAttribute('download', `filmgate-usage-${days[0]}-${days.at(-1)}.csv`);
}

/* ---- asking ---- */

/* What was seen stays, with the time it is from. */
function showAway(error) {
    const isOut = error instanceof Problem && error.status === 401;
    setText(el('away-words'), isOut ? t.signedOut : errorWords(error));
    setShown(el('away-sign-in'), isOut);
    setShown(el('away-again'), !isOut);
    setShown(el('away'), true);
    el('as-of').classList.add('stale');
    if (!isOut) return;
    me = null;
    seenAt = 0;
    setText(el('as-of'), '');
    setText(el('who'), '');
    for (const id of ['now', 'past']) setShown(el(id), false);
    for (const id of ['standing', 'totals', 'figures']) el(id).replaceChildren();
}

function showSeen() {
    seenAt = Date.now();
    setShown(el('away'), false);
    el('as-of').classList.remove('stale');
    setText(el('as-of'), t.asOf(clockWords(serverNow())));
    for (const id of ['now', 'past']) setShown(el(id), true);
}

async function look(tell = false) {
    const mine = ++asked;
    el('past').setAttribute('aria-busy', 'true');
    try {
        const who = await api.me(); /* first: the answer also says what day it is there */
        const days = daysOf(range);
        const usage = await api.usage({ from: days[0], groupBy: 'day' });
        if (mine !== asked) return;
        me = who;
        showSeen();
        showNow();
        showPast(days, usage);
        if (tell) announce(el('span').textContent);
    } catch (error) {
        if (mine === asked) showAway(error);
    } finally {
        if (mine === asked) el('past').removeAttribute('aria-busy');
    }
}

function choose(n) {
    range = n;
    history.replaceState(null, '', `?days=${n}`);
    look(true);
}

el('ranges').replaceChildren(...RANGES.map((n) => {
    const input = make('input', { type: 'radio', name: 'days', value: String(n), checked: n === range });
    input.addEventListener('change', () => choose(n));
    return make('label', {}, input, make('span', { textContent: t.days(n) }));
}));
el('range').addEventListener('submit', (event) => event.preventDefault());
el('away-again').addEventListener('click', () => look());
document.addEventListener('visibilitychange', () => {
    if (!document.hidden && Date.now() - seenAt > OLD_MS) look();
});
window.addEventListener('online', () => look());
if ('BroadcastChannel' in window)
    new BroadcastChannel('filmgate').addEventListener('message', ({ data }) => {
        if (data === 'signed-out') look();
    });

look();
