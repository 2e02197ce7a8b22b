/* What the page says about money and limits. */

import { momentWords } from './time.js';
import { errorWords, priceWords } from './words.js';

const GIB = 2 ** 30;

const videos = (n) => (n === 1 ? '1 video' : `${n} videos`);

/* max, used, price: words for a sum of money. */
const LIMITS = {
    jobsPerMinute: ({ max }) => `This account may make ${videos(max)} a minute.`,
    jobsPerDay: ({ max }) => `This account may make ${videos(max)} a day.`,
    outstandingJobs: ({ max }) =>
        `This account may have ${videos(max)} in the making. Wait until one is ready, or cancel one.`,
    outstandingJobsOfUser: ({ max }) =>
        `One user may have ${videos(max)} in the making. Wait until one is ready, or cancel one.`,
    budgetPerDay: ({ max, used, price }) =>
        `The budget of the day, ${price(max)}, has no room for this: ${price(used)} are spent or held.`,
    budgetPerMonth: ({ max, used, price }) =>
        `The budget of the month, ${price(max)}, has no room for this: ${price(used)} are spent or held.`,
    balance: ({ max, used, price }) =>
        `The balance of ${price(used)} does not cover this${max > 0 ? `, with a credit of ${price(max)}` : ''}.`,
    storageBytes: ({ max }) =>
        `The videos that are kept fill the ${(max / GIB).toFixed(1)} GiB there are. Delete some.`,
};

/* Where the account's figures are not told. */
const REFUSALS = {
    rate_limited: 'The account has made as many videos as it may for now.',
    job_limit: 'As many videos are in the making as there may be.',
    budget_exceeded: 'The account’s budget has no room for this.',
    balance_too_low: 'The account’s balance does not cover this.',
    storage_limit: 'The account’s storage is full.',
};

/* One limit that has no room, of a problem ({current}) or of a quote ({used}), and the code it refuses with. */
export function limitWords({ name, max, used, current, freeAt }, code, currency) {
    const price = (micro) => priceWords(micro, currency);
    const figures = max === undefined ? '' : LIMITS[name]?.({ max, used: used ?? current, price });
    const what = figures || REFUSALS[code] || `The limit ${name} is reached.`;
    return freeAt ? `${what} Free again: ${momentWords(Date.parse(freeAt))}.` : what;
}

/* What stands against a job of this quote just now; '' when nothing does. */
export function roomWords({ refusal, limits, priceMicro, currency, balanceMicro, creditLimitMicro }) {
    if (!refusal) return '';
    const step = ({ name }) => (name.startsWith('budget') ? priceMicro : 1);
    const full = limits.find((l) => l.used + step(l) > l.max);
    if (full) return limitWords(full, refusal, currency);
    if (refusal === 'balance_too_low' && balanceMicro !== null)
        return limitWords({ name: 'balance', max: creditLimitMicro, used: balanceMicro }, refusal, currency);
    return REFUSALS[refusal] ?? 'It would be refused just now.';
}

/* For a job that was not taken. */
export const refusalWords = (problem, currency) =>
    problem.limit ? limitWords(problem.limit, problem.code, currency) : errorWords(problem);

/* With every job. */
export function costWords({ status, charged, priceMicro, currency }) {
    const price = priceWords(priceMicro, currency);
    if (charged) return `${price} charged`;
    return ['succeeded', 'failed', 'expired'].includes(status) ? `Not charged; ${price} given back` : `${price} held`;
}
