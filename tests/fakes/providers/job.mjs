/* One accepted run. Its state is worked out from the clock when somebody asks: ten thousand of them cost no timer.
 * States: queued, running, then one of done, failed, canceled. */

const FAILURES = ['fails', 'fails-retryable', 'moderated-run', 'moderated-output'];
/* Who is billed for a run that brought nothing; a dialect's `charges` says where its provider differs. */
const CHARGES = {
    'fails': false, 'fails-retryable': false, 'moderated-run': false, 'moderated-output': false,
    'canceled': true, /* while it ran */
};

export class Job {
    /* wish: what the dialect read from the submit, see README.md. */
    constructor(dialect, wish, tags, settings, now) {
        Object.assign(this, wish);
        this.dialect = dialect;
        this.provider = dialect.name;
        this.tags = tags;
        this.acceptedMs = now;
        this.runsMs = now + settings.queueMs;
        this.endsMs = tags.stuck ? Infinity : this.runsMs + settings.renderMs * (tags.slow ? 5 : 1);
        this.failure = FAILURES.find((name) => tags[name]) ?? null;
        this.end = this.failure ? dialect.endOf?.(this.failure) ?? 'failed' : 'done';
        this.canceledMs = 0;
        this.downloads = 0;
        this.polls = 0;
    }

    stateAt(now) {
        if (this.canceledMs)
            return 'canceled';
        if (now < this.runsMs)
            return 'queued';
        if (now >= this.endsMs)
            return this.end;
        if (this.tags.regresses && Math.floor(3 * this.progressAt(now)) === 1)
            return 'queued';
        return 'running';
    }

    /* 0 to 1 */
    progressAt(now) {
        return Math.min(1, Math.max(0, (now - this.runsMs) / (this.endsMs - this.runsMs)));
    }

    /* When it came to an end; only for one that has. */
    endedMs() {
        return this.canceledMs || this.endsMs;
    }

    ended(now) {
        return this.canceledMs > 0 || now >= this.endsMs;
    }

    /* True when it is canceled now. What its provider says when it comes too late is the dialect's. */
    cancel(now) {
        if (this.ended(now) || this.tags['no-cancel'])
            return false;
        this.canceledMs = now;
        return true;
    }

    /* Accepted counts as billed until it turns out to be free. */
    billedAt(now) {
        const charges = { ...CHARGES, ...this.dialect.charges };
        if (this.canceledMs)
            return this.canceledMs >= this.runsMs && charges.canceled;
        return this.failure === null || now < this.endsMs || Boolean(charges[this.failure]);
    }

    /* The word for a state; a tag wants one that nobody knows. */
    word(state, words) {
        return state === 'running' && this.tags['unknown-status'] ? 'simmering' : words[state];
    }
}
