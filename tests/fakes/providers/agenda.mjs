/* Things to do at a time, of the clock it is given: a heap and one timer, however many there are. */
export class Agenda {
    #heap = []; /* [ms, function] */
    #timer;

    constructor(now) {
        this.now = now;
    }

    at(ms, what) {
        const heap = this.#heap;
        let i = heap.push([ms, what]) - 1;
        for (let up; i > 0 && heap[up = (i - 1) >> 1][0] > heap[i][0]; i = up)
            [heap[up], heap[i]] = [heap[i], heap[up]];
        if (i === 0)
            this.#arm();
    }

    clear() {
        this.#heap = [];
        clearTimeout(this.#timer);
    }

    #arm() {
        clearTimeout(this.#timer);
        if (this.#heap.length)
            this.#timer = setTimeout(() => this.run(), Math.max(0, this.#heap[0][0] - this.now()));
    }

    /* Does what is due. */
    run() {
        const now = this.now();
        while (this.#heap.length && this.#heap[0][0] <= now)
            this.#pop()();
        this.#arm();
    }

    #pop() {
        const heap = this.#heap, top = heap[0][1], last = heap.pop();
        if (heap.length === 0)
            return top;
        heap[0] = last;
        for (let i = 0, down; (down = 2 * i + 1) < heap.length; i = down) {
            if (down + 1 < heap.length && heap[down + 1][0] < heap[down][0])
                down++;
            if (heap[i][0] <= heap[down][0])
                break;
            [heap[i], heap[down]] = [heap[down], heap[i]];
        }
        return top;
    }
}
