/* How long to wait before the next look: pure, so that its rules can be read and tested in one
 * go. */

const RUNNING_MIN_MS = 500;
const RUNNING_MAX_MS = 15000;
const IDLE_MS = 30000;
const HIDDEN_MIN_MS = 15000;
const HIDDEN_IDLE_MS = 180000;
const FAILED_FIRST_MS = 1000;
const FAILED_MAX_MS = 30000;
const QUIET_FACTOR = 1.25;
const QUIET_MAX = 4;

/* hints: pollAfterMs of every running job. quiet: looks in a row that brought nothing new.
 * dice: 0 to 1, so that many pages do not return to a restarted server in step. */
export function pauseMs({ hints, quiet, hidden, failures, retryAfterMs, dice }) {
    if (failures > 0) {
        const back = Math.min(FAILED_FIRST_MS * 2 ** (failures - 1), FAILED_MAX_MS);
        return Math.max(back * (0.75 + dice / 2), retryAfterMs);
    }
    if (hints.length === 0) return hidden ? HIDDEN_IDLE_MS : IDLE_MS;
    const stretch = Math.min(QUIET_FACTOR ** quiet, QUIET_MAX);
    const wanted = Math.min(...hints) * stretch;
    const pause = Math.min(Math.max(wanted, RUNNING_MIN_MS), RUNNING_MAX_MS);
    return hidden ? Math.max(pause, HIDDEN_MIN_MS) : pause;
}
