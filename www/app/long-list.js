/* A list of thousands of which some dozens are in the document: those on the screen and around it, and whatever must not
 * go away (pinned: it has the focus, it plays). Blank items hold the place of all others, so that the length of the page
 * is that of the list. Knows nothing of what an item is. */

const GUESS_PX = 360;
const MOST = 44; /* in the window, without the pinned */
const FEW = 3; /* even when none of the list is on the screen */

export class LongList {
    #list;
    #make;
    #drop;
    #pinned;
    #placed;
    #ids = [];
    #whole = true;
    #heights = new Map(); /* id: as last measured */
    #nodes = new Map(); /* id: li in the document */
    #blanks = [];
    #anchor = null; /* { id, top }: what the reader looks at stays where it is */
    #frame = 0;
    #guess = GUESS_PX;
    #sizes = new ResizeObserver((entries) => this.#measured(entries));
    #stopped = new AbortController();

    /* make(id): the li of an item; drop(id): it has left the document; pinned(id): may not leave it; placed(ids): those that
     * are in it now. */
    constructor(list, { make, drop, pinned, placed }) {
        this.#list = list;
        this.#make = make;
        this.#drop = drop;
        this.#pinned = pinned;
        this.#placed = placed;
        const options = { signal: this.#stopped.signal, passive: true };
        addEventListener('scroll', () => this.#scrolled(), options);
        addEventListener('resize', () => this.#soon(), options);
    }

    stop() {
        this.#stopped.abort();
        this.#sizes.disconnect();
        cancelAnimationFrame(this.#frame);
        this.#list.replaceChildren();
    }

    /* The ids in their order; whole: there are no more of them. What is dropped for good is told by drop, too. */
    set(ids, whole) {
        this.#ids = ids;
        this.#whole = whole;
        this.#place();
    }

    /* Into the document and onto the screen. */
    reveal(id) {
        const at = this.#ids.indexOf(id);
        if (at < 0) return null;
        if (!this.#nodes.has(id)) {
            const above = this.#ids.slice(0, at).reduce((sum, one) => sum + this.#height(one), 0);
            scrollTo({ top: scrollY + this.#list.getBoundingClientRect().top + above - innerHeight / 3, behavior: 'instant' });
            this.#anchor = null;
            this.#place();
        }
        const node = this.#nodes.get(id);
        node?.scrollIntoView({ block: 'nearest', behavior: 'instant' });
        return node;
    }

    #height(id) {
        return this.#heights.get(id) ?? this.#guess;
    }

    #soon() {
        this.#frame ||= requestAnimationFrame(() => {
            this.#frame = 0;
            this.#place();
        });
    }

    #scrolled() {
        this.#remember();
        this.#soon();
    }

    #measured(entries) {
        for (const { target } of entries)
            if (target.isConnected) this.#heights.set(target.dataset.item, target.offsetHeight);
        let sum = 0;
        for (const id of this.#nodes.keys()) sum += this.#height(id);
        if (this.#nodes.size) this.#guess = Math.round(sum / this.#nodes.size);
        this.#steady();
        this.#soon();
    }

    /* First and last index of those on the screen and one screen around it. */
    #window() {
        const margin = innerHeight;
        const from = -this.#list.getBoundingClientRect().top - margin,
            to = from + innerHeight + 2 * margin;
        let y = 0,
            first = -1,
            last = -1;
        for (const [i, id] of this.#ids.entries()) {
            const bottom = y + this.#height(id);
            if (bottom >= from && first < 0) first = i;
            if (y <= to) last = i;
            else break;
            y = bottom;
        }
        if (first < 0) first = Math.max(0, last - FEW); /* scrolled past the end, for a moment */
        return [first, Math.min(Math.max(last, first + FEW), first + MOST - 1, this.#ids.length - 1)];
    }

    /* Indexes in the document, in order: with a pinned one its neighbours, so that Tab leads to them. */
    #wanted() {
        const [first, last] = this.#window();
        const wanted = new Set();
        for (let i = first; i <= last; i++) wanted.add(i);
        for (const id of this.#nodes.keys()) {
            if (!this.#pinned(id)) continue;
            const at = this.#ids.indexOf(id);
            for (let i = Math.max(0, at - 1); at >= 0 && i <= Math.min(at + 1, this.#ids.length - 1); i++) wanted.add(i);
        }
        return [...wanted].sort((a, b) => a - b);
    }

    #place() {
        const wanted = this.#wanted(),
            ids = new Set(wanted.map((i) => this.#ids[i]));
        for (const id of [...this.#nodes.keys()]) if (!ids.has(id)) this.#remove(id);
        /* What is left is in order already, and is not moved: a film that is moved stops. */
        for (const node of this.#blanks) node.remove();
        let there = this.#list.firstElementChild,
            next = 0,
            blank = 0;
        const put = (node) => {
            if (node === there) there = there.nextElementSibling;
            else this.#list.insertBefore(node, there);
        };
        const gap = (from, to) => {
            let px = 0;
            for (let i = from; i < to; i++) px += this.#height(this.#ids[i]);
            if (px > 0) put(this.#blank(blank++, px));
        };
        for (const i of wanted) {
            gap(next, i);
            put(this.#node(i));
            next = i + 1;
        }
        gap(next, this.#ids.length);
        this.#blanks.length = blank;
        this.#steady();
        this.#remember();
        this.#placed([...ids]);
    }

    #node(i) {
        const id = this.#ids[i];
        let node = this.#nodes.get(id);
        if (!node) {
            node = this.#make(id);
            node.dataset.item = id;
            this.#nodes.set(id, node);
            this.#sizes.observe(node);
        }
        node.setAttribute('aria-posinset', String(i + 1));
        node.setAttribute('aria-setsize', this.#whole ? String(this.#ids.length) : '-1');
        return node;
    }

    #remove(id) {
        const node = this.#nodes.get(id);
        this.#sizes.unobserve(node);
        this.#nodes.delete(id);
        node.remove();
        this.#drop(id);
    }

    #blank(n, px) {
        if (!this.#blanks[n]) {
            const node = document.createElement('li');
            node.className = 'blank-space';
            node.setAttribute('aria-hidden', 'true');
            this.#blanks[n] = node;
        }
        this.#blanks[n].style.height = `${px}px`;
        return this.#blanks[n];
    }

    /* The first item that is seen, unless the top of the list is: there what is new may push the others down. */
    #remember() {
        this.#anchor = null;
        if (this.#list.getBoundingClientRect().top >= 0) return;
        for (const node of this.#list.children) {
            const { top, bottom } = node.getBoundingClientRect();
            if (!node.dataset.item || bottom <= 0) continue;
            if (top < innerHeight) this.#anchor = { id: node.dataset.item, top };
            return;
        }
    }

    #steady() {
        const node = this.#anchor && this.#nodes.get(this.#anchor.id);
        if (!node) return;
        const moved = node.getBoundingClientRect().top - this.#anchor.top;
        if (Math.abs(moved) >= 1) scrollBy({ top: moved, behavior: 'instant' });
    }
}
