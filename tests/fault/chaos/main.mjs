/* make chaos SEED=… MINUTES=…: says the seed first, then what was done to whom, then the verdict. TAP, for tests/run.sh. */
import { randomInt } from 'node:crypto';
import { report } from './report.mjs';
import { KINDS, run } from './run.mjs';

const ENOUGH_MS = 45000; /* of war, all runs together: by then every kind of fault must have happened */

async function main() {
    const seeds = process.argv.slice(2).map((word) => word === 'fresh' ? randomInt(1, 2 ** 31) : Number(word));
    const warMs = 60000 * Number(process.env.MINUTES || 5);
    let good = seeds.length > 0 && warMs > 0;
    const unseen = new Set(KINDS);
    for (const seed of seeds) {
        console.log(`# again with: make chaos SEED=${seed} MINUTES=${warMs / 60000}`);
        const result = await run(seed, { warMs });
        good = report(`chaos with seed ${seed}`, seed, result) && good;
        Object.keys(result.counts).forEach((kind) => unseen.delete(kind));
    }
    if (warMs * seeds.length >= ENOUGH_MS) {
        console.log(`${unseen.size ? 'not ok' : 'ok'} - every kind of fault has happened`);
        for (const kind of unseen)
            console.log(`#   never: ${kind}`);
        good = good && unseen.size === 0;
    }
    process.exitCode = good ? 0 : 1;
}

await main();
