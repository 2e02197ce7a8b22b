/* make chaos-selftest: shows that the checker can fail. The same programs go through one war as they are, of
 * which there is nothing to say, and with each planted bug (core/base/fault.h) through one that is made for it: the
 * bug has to be seen, by the rule that it breaks. */
import { run } from './run.mjs';

const LOST = [[1, 'answer-lost callback-lost'], [1, '500-after callback-lost'], [2, '']];
const SILENT = [[2, 'poll-500*3 callback-lost'], [1, 'truncated-json*3 callback-lost'], [2, '']];
const STOPS = [[1, { part: 'sweeper', what: 'stop', low: 6000, high: 8000 }]];
/* One who stands still with an answer in his hands, while callbacks go on telling. */
const RESTLESS = [[3, { part: 'sweeper', what: 'stop', low: 1500, high: 4000 }], [1, { part: 'providers', what: 'stop', low: 300, high: 1200 }]];
const CALM = { warMs: 12000, faultEveryMs: 60000, strangers: false, studio: false, peaceMs: 60000 };
/* The schema is a second lock on that door: without it the bug itself can be seen. */
const NO_KEY = 'ALTER TABLE ledger DROP KEY ledger_of_job, ADD KEY ledger_of_job (job_id, side)';

const BUGS = [
    { name: 'failover on unknown', rule: 'at most one bill per intent', plan: { ...CALM, tags: LOST } },
    { name: 'settle twice', rule: 'exactly one end per hold', plan: { ...CALM, warMs: 6000, tags: [[1, '']], schema: NO_KEY } },
    { name: 'receipt after transition', rule: 'callbacks have receipts', plan: { ...CALM, tags: [[1, 'callback-twice']] } },
    { name: 'no fence', rule: 'transitions legal',
      plan: { ...CALM, warMs: 20000, faultEveryMs: 1000, faults: RESTLESS, tags: [[1, 'slow'], [1, '']] } },
    { name: 'refund on silence', rule: 'every failure has its reason', plan: { ...CALM, tags: SILENT } },
];

const HEALTHY = { name: 'no bug', plan: { ...CALM, faultEveryMs: 3000, faults: STOPS, tags: BUGS.flatMap(({ plan }) => plan.tags) } };

/* One war; true when the checker saw what there is to see, and nothing otherwise. */
async function war({ name, rule, plan }, planted) {
    const { wrong, jobs } = await run(7, plan, planted ? { FILMGATE_PLANT: String(planted) } : {});
    const seen = planted ? wrong.filter((one) => one.rule === rule) : wrong;
    const others = [...new Set(wrong.filter((one) => one.rule !== rule).map((one) => one.rule))];
    for (const one of seen.slice(0, planted ? 2 : 50))
        console.log(`#   ${one.rule}: ${one.words}`);
    if (planted && others.length)
        console.log(`#   besides: ${others.join('; ')}`);
    const ok = planted ? seen.length > 0 : wrong.length === 0;
    console.log(`${ok ? 'ok' : 'not ok'} - ${name} (${jobs} jobs, ${seen.length} times seen)`);
    return ok;
}

let good = await war(HEALTHY, 0);
for (const [i, bug] of BUGS.entries())
    good = await war(bug, i + 1) && good;
process.exitCode = good ? 0 : 1;
