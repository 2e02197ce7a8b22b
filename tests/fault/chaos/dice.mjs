/* The one source of chance: the same seed throws the same dice. A thread of its own per actor, so that the timing of
 * one does not shift what another does. */
export class Dice {
    constructor(seed, thread = '') {
        let h = 0x811c9dc5;
        for (const c of `${seed}/${thread}`)
            h = Math.imul(h ^ c.charCodeAt(0), 0x01000193);
        this.seed = seed;
        this.state = h >>> 0;
    }

    thread(name) {
        return new Dice(this.seed, name);
    }

    /* 0 to below 1 (mulberry32) */
    roll() {
        this.state = (this.state + 0x6d2b79f5) >>> 0;
        let t = this.state;
        t = Math.imul(t ^ (t >>> 15), t | 1);
        t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
        return ((t ^ (t >>> 14)) >>> 0) / 0x100000000;
    }

    chance(p) {
        return this.roll() < p;
    }

    /* A whole number, both ends included. */
    from(low, high) {
        return low + Math.floor(this.roll() * (high - low + 1));
    }

    pick(list) {
        return list[Math.floor(this.roll() * list.length)];
    }

    shuffled(list) {
        return list.map((one) => [this.roll(), one]).sort(([a], [b]) => a - b).map(([, one]) => one);
    }

    /* [[weight, value], ...] */
    weighed(list) {
        let left = this.roll() * list.reduce((sum, [weight]) => sum + weight, 0);
        for (const [weight, value] of list)
            if ((left -= weight) < 0)
                return value;
        return list.at(-1)[1];
    }
}
