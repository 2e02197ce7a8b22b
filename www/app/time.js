/* Times for people. The server's clock counts: a visitor's may be hours off. */

import { locale } from './texts.js';

const SKEW_IGNORED_MS = 2000; /* the Date header knows whole seconds only */

let offsetMs = 0;

export function noteServerDate(header) {
    const at = Date.parse(header ?? '');
    if (Number.isNaN(at)) return;
    const off = at + 500 - Date.now();
    offsetMs = Math.abs(off) > SKEW_IGNORED_MS ? off : 0;
}

export const serverNow = () => Date.now() + offsetMs;

const clock = new Intl.DateTimeFormat(locale, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
});
const day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year: 'numeric' });

/* "12:03:04" */
export const clockWords = (ms) => clock.format(ms);

/* "12:03:04", with the day in front when it was not today. */
export function momentWords(ms) {
    const sameDay = day.format(ms) === day.format(Date.now());
    return sameDay ? clock.format(ms) : `${day.format(ms)}, ${clock.format(ms)}`;
}

/* "48 s", "3 min 05 s", "2 h 10 min", "3 d 4 h" */
export function spanWords(ms) {
    const s = Math.max(0, Math.floor(ms / 1000));
    const two = (n) => String(n).padStart(2, '0');
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
    if (s < 86400) return `${Math.floor(s / 3600)} h ${two(Math.floor(s / 60) % 60)} min`;
    return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
}
