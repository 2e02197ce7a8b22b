/* A part of a view is drawn whole each time, aside; then what is on the page is changed to match. What stays the same is left
 * alone, so that focus, selections, open details and a playing video outlive every refresh. */

import { make } from '/app/dom.js';

const SVG = 'http://www.w3.org/2000/svg';

const kids = (list) => list.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false && c !== '');

/* props: a class, or properties and attributes; data: { key, do, … }. Text is text, never markup. */
export function h(tag, props, ...children) {
    const { data = {}, ...rest } = typeof props === 'string' ? { className: props } : (props ?? {});
    const node = make(tag, rest, ...kids(children));
    Object.assign(node.dataset, data);
    return node;
}

export function svg(tag, attributes, ...children) {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...kids(children));
    return node;
}

const keyOf = (node) => node.dataset?.key;

const alike = (a, b) =>
    a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b) && a.id === b.id && a.type === b.type;

/* What a person does to an element, not we. */
const isTheirs = (node, name) => name === 'open' && node.nodeName === 'DETAILS';

function change(old, fresh) {
    if (old.nodeType !== Node.ELEMENT_NODE) {
        if (old.data !== fresh.data) old.data = fresh.data;
        return;
    }
    if (old.dataset.still !== undefined && old.dataset.still === fresh.dataset.still) return;
    for (const { name, value } of fresh.attributes)
        if (old.getAttribute(name) !== value && !isTheirs(old, name)) old.setAttribute(name, value);
    for (const { name } of [...old.attributes])
        if (!fresh.hasAttribute(name) && !isTheirs(old, name)) old.removeAttribute(name);
    match(old, [...fresh.childNodes]);
}

/* Children with a data-key are found again by it, the others by their place. What is gone goes first: then only what truly
 * changes its order is moved. */
function match(place, fresh) {
    const wanted = new Set(fresh.map(keyOf));
    const there = new Map();
    for (const node of [...place.childNodes]) {
        const key = keyOf(node);
        if (key === undefined) continue;
        if (!wanted.has(key) || there.has(key)) node.remove();
        else there.set(key, node);
    }
    let at = place.firstChild;
    for (const node of fresh) {
        const key = keyOf(node);
        const old = key === undefined ? at : there.get(key);
        if (!old || !alike(old, node)) {
            place.insertBefore(node, at);
            continue;
        }
        if (old === at) at = at.nextSibling;
        else place.insertBefore(old, at);
        change(old, node);
    }
    while (at) {
        const old = at;
        at = at.nextSibling;
        old.remove();
    }
}

export function paint(place, ...children) {
    const held = document.activeElement;
    const isOurs = held && held !== place && place.contains(held);
    const section = isOurs ? held.closest('section') : null;
    match(place, kids(children).map((c) => (c instanceof Node ? c : document.createTextNode(c))));
    if (!isOurs || held === document.activeElement) return;
    /* Moved, or gone: then its section's heading is where it was. */
    if (held.isConnected) held.focus({ preventScroll: true });
    else (section?.isConnected ? section : place.closest('section'))?.querySelector('[tabindex="-1"]')?.focus({ preventScroll: true });
}

/* columns: { name, cell(row), kind: 'head' | 'num' }. A wide one scrolls by itself, by keys too. */
export function table({ caption, columns, rows, keyOf: key, none, seen = false }) {
    if (rows.length === 0) return h('p', 'hint', none);
    const cell = (column, row) =>
        column.kind === 'head'
            ? h('th', { scope: 'row' }, column.cell(row))
            : h('td', column.kind ?? null, column.cell(row));
    return h(
        'div',
        { className: 'scroll', tabIndex: 0, role: 'group', 'aria-label': caption },
        h(
            'table',
            null,
            h('caption', seen ? null : 'unseen', caption),
            h('thead', null, h('tr', null, columns.map((c) => h('th', { scope: 'col', className: c.kind ?? '' }, c.name)))),
            h('tbody', null, rows.map((row, i) => h('tr', { data: { key: key(row, i) } }, columns.map((c) => cell(c, row))))),
        ),
    );
}

/* facts: [name, what, …]; what is not known is left out. */
export function facts(list) {
    const known = list.filter(([, what]) => what !== null && what !== undefined && what !== '');
    return h('dl', 'facts', known.map(([name, ...what]) => h('div', { data: { key: name } }, h('dt', null, name), h('dd', null, what))));
}
