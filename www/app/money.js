/* What the page says about money and limits. */

import { texts } from './texts.js';
import { momentWords } from './time.js';
import { errorWords, priceWords, TERMINAL } from './words.js';

const t = texts.words;

/* One limit that has no room, of a problem ({current}) or of a quote ({used}), and the code it refuses with. */
export function limitWords({ name, max, used, current, freeAt }, code, currency) {
    const price = (micro) => priceWords(micro, currency);
    const figures = max === undefined ? '' : t.limits[name]?.({ max, used: used ?? current, price });
    const what = figures || t.refusals[code] || t.limitReached(name);
    return freeAt ? `${what} ${t.freeAgain(momentWords(Date.parse(freeAt)))}` : what;
}

/* What stands against a job of this quote just now; '' when nothing does. */
export function roomWords({ refusal, limits, priceMicro, currency, balanceMicro, creditLimitMicro }) {
    if (!refusal) return '';
    const step = ({ name }) => (name.startsWith('budget') ? priceMicro : 1);
    const full = limits.find((l) => l.used + step(l) > l.max);
    if (full) return limitWords(full, refusal, currency);
    if (refusal === 'balance_too_low' && balanceMicro !== null)
        return limitWords({ name: 'balance', max: creditLimitMicro, used: balanceMicro }, refusal, currency);
    return t.refusals[refusal] ?? t.refusedNow;
}

/* For a job that was not taken. */
export const refusalWords = (problem, currency) =>
    problem.limit ? limitWords(problem.limit, problem.code, currency) : errorWords(problem);

/* With every job. */
export function costWords({ status, charged, priceMicro, currency }) {
    const price = priceWords(priceMicro, currency);
    if (charged) return t.charged(price);
    return TERMINAL.has(status) ? t.givenBack(price) : t.held(price);
}
