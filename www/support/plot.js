/* A day of a provider, in bars of ten minutes: up what was submitted, down what ended. */

import { texts } from '/app/texts.js';
import { serverNow } from '/app/time.js';
import { h, svg, table } from './paint.js';
import { countWords, momentOf } from './words.js';

const t = texts.overview;
const SLOT_MS = 600000;
const SLOTS = 144;
const HOUR_MS = 3600000;
const UP = 40; /* of the drawing's height; the rest is below the line */
const DOWN = 24;
const SUBMITS = { accepted: t.accepted, refused: t.refused, notSent: t.notSent, unknown: t.unanswered };
const ENDS = { good: t.goodEnd, bad: t.badEnd };
const KINDS = [...Object.keys(SUBMITS), ...Object.keys(ENDS)];

const sum = (bucket, kinds) => kinds.reduce((n, kind) => n + (bucket[kind] ?? 0), 0);

const total = (buckets) => Object.fromEntries(KINDS.map((kind) => [kind, buckets.reduce((n, b) => n + (b[kind] ?? 0), 0)]));

/* Stacked from the line at y on, towards dir. */
function* bars(bucket, kinds, { x, scale, dir }) {
    let y = UP;
    for (const kind of kinds) {
        const height = (bucket[kind] ?? 0) * scale;
        if (height === 0) continue;
        yield svg('rect', { class: kind, x, y: (dir < 0 ? y - height : y).toFixed(2), width: 0.86, height: height.toFixed(2) });
        y += dir * height;
    }
}

function drawing(name, history) {
    const now = serverNow();
    const first = Math.floor(now / SLOT_MS) - SLOTS + 1;
    const placed = history
        .map((b) => ({ b, x: Math.floor(Date.parse(b.at) / SLOT_MS) - first }))
        .filter(({ x }) => x >= 0 && x < SLOTS);
    const submits = Object.keys(SUBMITS), ends = Object.keys(ENDS);
    const up = UP / Math.max(1, ...history.map((b) => sum(b, submits)));
    const down = DOWN / Math.max(1, ...history.map((b) => sum(b, ends)));
    return svg(
        'svg',
        { viewBox: `0 0 ${SLOTS} ${UP + DOWN}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': t.plot(name, total(history)) },
        placed.map(({ b, x }) => [
            ...bars(b, submits, { x, scale: up, dir: -1 }),
            ...bars(b, ends, { x, scale: down, dir: 1 }),
        ]),
        svg('rect', { class: 'line', x: 0, y: UP - 0.15, width: SLOTS, height: 0.3 }),
    );
}

const legend = (kinds) =>
    Object.entries(kinds).map(([kind, words]) => h('li', null, h('span', { className: `swatch ${kind}`, 'aria-hidden': 'true' }), words));

function byHour(history) {
    const hours = new Map();
    for (const bucket of history) {
        const at = Math.floor(Date.parse(bucket.at) / HOUR_MS) * HOUR_MS;
        const row = hours.get(at) ?? { at: new Date(at).toISOString() };
        for (const kind of KINDS) row[kind] = (row[kind] ?? 0) + (bucket[kind] ?? 0);
        hours.set(at, row);
    }
    return [...hours.values()].sort((a, b) => b.at.localeCompare(a.at));
}

export function dayPlot(name, history) {
    if (history.length === 0) return h('p', 'hint', t.plotNone);
    const columns = [
        { name: t.hour, kind: 'head', cell: (row) => momentOf(row.at) },
        ...Object.entries({ ...SUBMITS, ...ENDS }).map(([kind, words]) => ({ name: words, kind: 'num', cell: (row) => countWords(row[kind]) })),
    ];
    return [
        h('figure', 'day',
            drawing(name, history),
            h('div', { className: 'day-ends', 'aria-hidden': 'true' }, h('span', null, t.dayAgo), h('span', null, t.now)),
            h('figcaption', null,
                h('ul', 'legend', h('li', null, t.plotUp), legend(SUBMITS)),
                h('ul', 'legend', h('li', null, t.plotDown), legend(ENDS)))),
        h('details', null,
            h('summary', null, t.plotTable),
            table({ caption: t.plotCaption(name), columns, rows: byHour(history), keyOf: (row) => row.at, none: '' })),
    ];
}
