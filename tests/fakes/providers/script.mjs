/* What is to go wrong with a request: tags written into its prompt, "[sim:NAME]", "[sim:NAME=VALUE]", either with a
 * count, "[sim:NAME*2]", and rules that a test adds. README.md says what each name does. */

const TAG = /\[sim:([a-z0-9-]+)(?:=([^\]*]*))?(?:\*(\d+))?\]/g;
const WORDS = /^([a-z0-9-]+)(?:=([^*]*))?(?:\*(\d+))?$/;

/* Met before anything is accepted, in this order. */
export const AT_DOOR = ['hang', 'bad-auth', '429', '500-before', 'refused', 'moderated-submit', 'no-credit', 'park'];
/* Of these one is enough: the next submit of the same prompt passes. */
const ONCE = { 'hang': 1, '429': 1, '500-before': 1 };
/* Counted per job while it lives, not per submit. */
const PER_JOB = /^(poll-|file-|callback-|url-|wrong-type$|truncated-json$)/;
/* How often a tag holds that is counted per job, when it does not say. */
const PER_JOB_TIMES = { 'poll-late': 1, 'file-slow': 1, 'poll-500': 2, 'wrong-type': 2, 'truncated-json': 2 };

/* { name: { value, times } }: value is text or undefined, times undefined when not written. */
function readTag([, name, value, times]) {
    return [name, { value, times: times === undefined ? undefined : Number(times) }];
}

/* Tags counted per job: true as long as there are uses left, and takes one. */
export function takes(job, name) {
    const tag = job.tags?.[name];
    if (!tag)
        return undefined;
    job.uses ??= {};
    const uses = job.uses[name] ?? 0;
    if (uses >= (tag.times ?? PER_JOB_TIMES[name] ?? Infinity))
        return undefined;
    job.uses[name] = uses + 1;
    job.held?.(name);
    return tag;
}

/* Of tags that hold for the whole of a run, and so as soon as it is accepted. */
export const holdsAtOnce = (name) => !PER_JOB.test(name);

export class Script {
    rules = [];
    uses = new Map(); /* provider, prompt and name, to how often it has held */

    /* { provider?, prompt? (substring), tags: ["answer-late=300", ...], times? } */
    add({ provider, prompt, tags, times }) {
        const read = tags.map((words) => WORDS.exec(words));
        const bad = read.findIndex((match) => !match);
        if (bad >= 0)
            throw new Error(`not a tag: ${tags[bad]}`);
        this.rules.push({ provider, prompt, tags: Object.fromEntries(read.map(readTag)), left: times ?? Infinity });
    }

    clear() {
        this.rules = [];
        this.uses.clear();
    }

    /* For one submit: { door: [name, tag] } when it is not to be accepted, else { tags } for the job. */
    submit(provider, prompt) {
        const tags = {};
        for (const rule of this.rules)
            if (rule.left > 0 && (rule.provider ?? provider) === provider && prompt.includes(rule.prompt ?? '')) {
                rule.left--;
                Object.assign(tags, rule.tags);
            }
        this.rules = this.rules.filter((rule) => rule.left > 0);
        const ruled = AT_DOOR.find((name) => tags[name]);
        if (ruled)
            return { door: [ruled, tags[ruled]] };
        const written = prompt.includes('[sim:') ? Object.fromEntries([...prompt.matchAll(TAG)].map(readTag)) : {};
        const key = (name) => `${provider}\0${name}\0${prompt}`;
        for (const name of AT_DOOR)
            if (written[name] && this.#holds(key(name), written[name].times ?? ONCE[name]))
                return { door: [name, written[name]] };
        for (const [name, tag] of Object.entries(written))
            if (AT_DOOR.includes(name))
                this.uses.delete(key(name)); /* it has passed: the next job meets the door anew */
            else if (PER_JOB.test(name) || this.#holds(key(name), tag.times))
                tags[name] = tag;
            else
                this.uses.delete(key(name));
        return { tags };
    }

    #holds(key, times) {
        if (times === undefined)
            return true;
        const uses = this.uses.get(key) ?? 0;
        if (uses < times)
            this.uses.set(key, uses + 1);
        return uses < times;
    }
}
