/* make chaos SEED=… MINUTES=…: says the seed first, then what was done to whom, then the verdict. TAP, for tests/run.sh. */
import { randomInt } from 'node:crypto';
import { report } from './report.mjs';
import { run } from './run.mjs';

async function main() {
    const seeds = process.argv.slice(2).map((word) => word === 'fresh' ? randomInt(1, 2 ** 31) : Number(word));
    const warMs = 60000 * Number(process.env.MINUTES || 5);
    let good = seeds.length > 0 && warMs > 0;
    for (const seed of seeds) {
        console.log(`# again with: make chaos SEED=${seed} MINUTES=${warMs / 60000}`);
        good = report(`chaos with seed ${seed}`, seed, await run(seed, { warMs })) && good;
    }
    process.exitCode = good ? 0 : 1;
}

await main();
