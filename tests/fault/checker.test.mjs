/* The chaos' rules about webhooks see what there is to see: no planted bug breaks them, so here the evidence is made up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WEBHOOK_RULES } from './chaos/webhooks.mjs';

const job = { id: 1, name: 'job_1', marker: 'm1-1.', account: 'ours', state: 4, error_code: null, charged: 1 };
const timeline = [{ seq: 1, kind: 'created', state: 1 }, { seq: 3, kind: 'accepted', state: 2 },
                  { seq: 4, kind: 'output_ready', state: 3 }, { seq: 5, kind: 'succeeded', state: 4 }];
const world = { endpoints: [{ path: '/e/0', account: 'ours', events: null }, { path: '/e/1', account: 'theirs', events: null },
                            { path: '/e/2', account: 'ours', events: ['job.succeeded'] }] };
const ledger = { intents: new Map([['m1-1.', { body: { callbackUrl: 'http://127.0.0.1:1/j/1-1' } }]]) };

const one = (path, sequence, status, more = {}) => ({
    path, id: `msg_${sequence}`, type: `job.${status}`, at: sequence, genuine: true, taken: true, body: '{"data":{}}',
    data: { id: 'job_1', sequence, status, errorCode: null, charged: status === 'succeeded' }, ...more,
});
const all = (path) => [one(path, 3, 'queued'), one(path, 4, 'processing'), one(path, 5, 'succeeded')];
const GOOD = [...all('/e/0'), ...all('/j/1-1'), one('/e/2', 5, 'succeeded')];

/* The rules that are broken. */
function broken(heard, deliveries = []) {
    const evidence = { jobs: [job], byName: new Map([['job_1', job]]), events: { of: () => timeline }, heard, deliveries,
                       firstTries: new Map() };
    return Object.entries(WEBHOOK_RULES).filter(([, holds]) => {
        let n = 0;
        holds(evidence, () => n++, ledger, world);
        return n > 0;
    }).map(([rule]) => rule);
}

const [ONCE, TRUTH, LAST, ORDER, ENDS] = ['each webhook is delivered at least once', 'webhooks tell the truth',
    'the last word is the end', 'webhooks begin in order', 'deliveries end'];

for (const [words, heard, rules, deliveries] of [
    ['all is well', GOOD, []],
    ['twice is well, too', [...GOOD, GOOD[1]], []],
    ['never told', GOOD.slice(0, 6), [ONCE]],
    ['told, and never taken', [...GOOD.slice(0, 6), { ...GOOD[6], taken: false }], [ONCE]],
    ['the end is missing', GOOD.filter((_, i) => i !== 2), [ONCE, LAST]],
    ['another account hears of it', [...GOOD, one('/e/1', 5, 'succeeded')], [TRUTH]],
    ['somebody hears what he did not ask for', [...GOOD, one('/e/2', 6, 'queued')], [TRUTH, LAST]],
    ['a signature that is not good', [...GOOD, { ...GOOD[0], genuine: false }], [TRUTH]],
    ['another end than the true one', [...GOOD.slice(0, 6), one('/e/2', 5, 'failed')], [TRUTH, LAST]],
    ['a message under two ids', [...GOOD, { ...GOOD[0], id: 'msg_x' }], [TRUTH]],
    ['a message that changes', [...GOOD, { ...GOOD[0], body: '{"data":{"id":"x"}}' }], [TRUTH]],
    ['the newer first', [GOOD[1], GOOD[0], ...GOOD.slice(2)], [ORDER]],
    ['a delivery that was given up', GOOD, [ENDS], [{ state: 3 }]],
])
    test(words, () => assert.deepEqual(broken(heard, deliveries), rules));
