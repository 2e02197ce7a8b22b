/* Bars by day, in parts on top of each other; the same figures as a table. Drawn in real pixels, so that words keep
 * their size, and anew when there is more or less room. */

import { make } from '/app/dom.js';
import { texts } from '/app/texts.js';

const t = texts.usage;
const NS = 'http://www.w3.org/2000/svg';
const TOP = 10;
const BOTTOM = 26; /* for the days' names */
const LETTER = 7.5; /* about as wide as a figure is */
const BAR_MAX = 72; /* wide */
const NAME = 56; /* wide is a day's name, with some room */

export function svg(tag, attributes = {}, ...children) {
    const node = document.createElementNS(NS, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
    node.append(...children);
    return node;
}

/* 0, 1, 2 … or 0, 20, 40 …: at most five steps up to max or a little more, each at least least. */
export function ticksOf(max, least) {
    const raw = Math.max(max, least) / 4;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = Math.max(least, [1, 2, 5, 10].map((n) => n * power).find((s) => s >= raw));
    const ticks = [];
    for (let n = 0; ticks.length === 0 || ticks.at(-1) < max; n++) ticks.push(n * step);
    return ticks.length > 1 ? ticks : [0, step];
}

/* Told apart by more than colour. */
const TEXTURES = {
    solid: () => [],
    slanted: () => [svg('path', { d: 'M-2 2 L2 -2 M0 8 L8 0 M6 10 L10 6' })],
    level: () => [svg('path', { d: 'M0 2 H8 M0 6 H8' })],
    dotted: () => [svg('circle', { cx: 2, cy: 2, r: 1 }), svg('circle', { cx: 6, cy: 6, r: 1 })],
    hollow: () => [],
};

const patternOf = (id, { name, texture }) =>
    svg('pattern',
        { id: `${id}-${name}`, class: `ink ${name} ${texture}`, patternUnits: 'userSpaceOnUse', width: 8, height: 8 },
        svg('rect', { width: 8, height: 8 }), ...TEXTURES[texture]());

export class DayPlot {
    node;
    #of;
    #box = make('div', { className: 'plot' });
    #readout = make('p', { className: 'hint readout' });
    #width = 0;
    #bars = [];
    #left = 0;
    #step = 0; /* from day to day */

    /* of: id, title, summary (words), days (oldest first), dayName and dayWords (a day in short and in full),
     * parts ([{ name, words, texture }]), valueOf(day, part), valueWords, tickWords, least (of a step). */
    constructor(of) {
        this.#of = of;
        const room = new ResizeObserver(() => this.#fit());
        room.observe(this.#box);
        this.#box.addEventListener('pointermove', (event) => this.#point(event));
        this.#box.addEventListener('pointerdown', (event) => this.#point(event));
        this.#box.addEventListener('pointerleave', () => this.#show(null));
        this.node = make('figure', { className: 'days' },
            make('h3', { id: `${of.id}-title`, textContent: of.title }),
            this.#legend(), this.#box, this.#readout, ...this.#table());
        this.#show(null);
    }

    #fit() {
        const width = Math.floor(this.#box.clientWidth);
        if (width === 0 || width === this.#width) return;
        this.#width = width;
        this.#box.replaceChildren(this.#draw(width, Math.round(Math.min(320, Math.max(180, width / 3)))));
    }

    #draw(width, height) {
        const { id, days, parts, valueOf, tickWords, least, summary } = this.#of;
        const sums = days.map((day) => parts.reduce((sum, part) => sum + valueOf(day, part.name), 0));
        const ticks = ticksOf(Math.max(...sums), least);
        const left = Math.ceil(Math.max(...ticks.map((v) => tickWords(v).length)) * LETTER) + 10;
        const floor = height - BOTTOM, scale = (floor - TOP) / ticks.at(-1);
        const room = width - left, n = days.length;
        const step = Math.min(room / n, (room - NAME / 2) / (n - 0.5)); /* the last name fits */
        this.#left = left;
        this.#step = step;
        this.#bars = days.map((day, i) => this.#bar(day, { x: left + i * step, step, floor, scale }));
        return svg('svg', { width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': summary },
            svg('defs', {}, ...parts.map((part) => patternOf(id, part))),
            ...ticks.flatMap((v) => this.#tick(v, { y: floor - v * scale, left, width })),
            ...this.#bars, ...this.#names({ left, step, y: height - 7 }));
    }

    #tick(value, { y, left, width }) {
        const line = svg('line', { class: value === 0 ? 'floor' : 'rule', x1: left, x2: width, y1: y, y2: y });
        const words = svg('text', { x: left - 8, y: y + 4, 'text-anchor': 'end' });
        words.textContent = this.#of.tickWords(value);
        return [line, words];
    }

    /* What is there at all is seen. */
    #bar(day, { x, step, floor, scale }) {
        const { id, parts, valueOf } = this.#of;
        const gap = Math.max(Math.min(6, step * 0.2), step - BAR_MAX), bar = svg('g', { class: 'bar' });
        bar.append(svg('rect', { class: 'hit', x, y: TOP, width: step, height: floor - TOP }));
        let y = floor;
        for (const { name, texture } of parts) {
            const value = valueOf(day, name);
            if (value === 0) continue;
            const height = Math.max(1.5, value * scale);
            y -= height;
            bar.append(svg('rect', { class: `part ${name} ${texture}`, fill: `url(#${id}-${name})`,
                x: (x + gap / 2).toFixed(2), y: y.toFixed(2),
                width: (step - gap).toFixed(2), height: height.toFixed(2) }));
        }
        return bar;
    }

    /* The last day has a name, and as many before it as there is room for. */
    #names({ left, step, y }) {
        const { days, dayName } = this.#of;
        const every = Math.max(1, Math.ceil(NAME / step));
        return days.flatMap((day, i) => {
            const x = left + (i + 0.5) * step;
            if ((days.length - 1 - i) % every || x - NAME / 2 < left - 24) return [];
            const name = svg('text', { x: x.toFixed(2), y, 'text-anchor': 'middle' });
            name.textContent = dayName(day);
            return [name];
        });
    }

    #point(event) {
        const i = Math.floor((event.clientX - this.#box.getBoundingClientRect().left - this.#left) / this.#step);
        this.#show(this.#of.days[i] ? i : null);
    }

    /* For those who point; everybody else has the table. */
    #show(i) {
        const { days, parts, valueOf, valueWords, dayWords, summary } = this.#of;
        this.#bars.forEach((bar, n) => bar.classList.toggle('pointed', n === i));
        if (i === null) {
            this.#readout.textContent = summary;
            return;
        }
        const has = parts.filter((part) => valueOf(days[i], part.name) > 0);
        const words = has.map((part) => t.partOf(part.words, valueWords(valueOf(days[i], part.name))));
        this.#readout.textContent = t.dayOf(dayWords(days[i]), words);
    }

    #legend() {
        const { id, parts } = this.#of;
        const swatch = ({ name, texture }) =>
            svg('svg', { class: 'swatch', width: 14, height: 14, 'aria-hidden': 'true' },
                svg('rect', { class: `part ${name} ${texture}`, fill: `url(#${id}-${name})`,
                    x: 0.5, y: 0.5, width: 13, height: 13 }));
        return make('ul', { className: 'legend' }, ...parts.map((part) => make('li', {}, swatch(part), part.words)));
    }

    /* Always there for a screen reader, and for everybody who asks. */
    #table() {
        const { id, title, days, parts, valueOf, valueWords, dayWords } = this.#of;
        const head = [t.day, ...parts.map((part) => part.words)]
            .map((words) => make('th', { scope: 'col', textContent: words }));
        const rows = days.toReversed().map((day) => make('tr', {},
            make('th', { scope: 'row', textContent: dayWords(day) }),
            ...parts.map((part) => make('td', { textContent: valueWords(valueOf(day, part.name)) }))));
        const table = make('table', {}, make('caption', { className: 'unseen', textContent: title }),
            make('thead', {}, make('tr', {}, ...head)), make('tbody', {}, ...rows));
        const box = make('div', { className: 'unseen', id: `${id}-table` }, table);
        const button = make('button', { type: 'button', className: 'link', textContent: t.table });
        button.setAttribute('aria-pressed', 'false');
        button.setAttribute('aria-describedby', `${id}-title`);
        button.addEventListener('click', () => {
            const shown = box.classList.toggle('unseen') === false;
            box.classList.toggle('figures', shown);
            button.setAttribute('aria-pressed', String(shown));
            for (const [name, value] of [['tabindex', '0'], ['role', 'region'], ['aria-labelledby', `${id}-title`]])
                if (shown) box.setAttribute(name, value);
                else box.removeAttribute(name);
        });
        return [button, box];
    }
}
