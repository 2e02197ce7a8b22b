/* What a run says when it is over, as comments of TAP. */
const SHOWN_MAX = 60;

export function report(name, seed, result) {
    console.log(`# seed ${seed}: ${result.jobs} jobs of ${result.models} models, ${result.runs} runs; ${result.heard} webhooks heard, `
        + `${result.again} told again by hand; peace took ${Math.round(result.peaceMs / 1000)} s`);
    const line = (counts) => Object.entries(counts).sort(([, a], [, b]) => b - a).map(([kind, n]) => `${kind} ${n}`).join(', ');
    console.log(`# ends: ${line(result.ends)}`);
    console.log(`# faults: ${line(result.counts)}`);
    for (const { rule, words } of result.wrong.slice(0, SHOWN_MAX))
        console.log(`#   ${rule}: ${words}`);
    if (result.wrong.length > SHOWN_MAX)
        console.log(`#   and ${result.wrong.length - SHOWN_MAX} more`);
    const empty = result.ends.succeeded > result.jobs / 10 ? '' : ' (hardly anything succeeded: that was no test)';
    console.log(`${result.wrong.length || empty ? 'not ok' : 'ok'} - ${name}${empty}`);
    return result.wrong.length === 0 && !empty;
}
