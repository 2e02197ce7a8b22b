/* node main.mjs --port N [--catalogue IN --write-catalogue OUT] [--books FILE] [--render-ms 3000] [--queue-ms 500]
 *               [--hook-base URL] [--write-conf FILE] [--quiet]
 * Prints "ready http://127.0.0.1:PORT" when it listens; ends on SIGTERM or SIGINT. */
import { parseArgs } from 'node:util';
import { confFile, redirectFile } from './catalogue.mjs';
import { Simulator } from './simulator.mjs';

const text = { type: 'string' };
const { values } = parseArgs({
    options: {
        'port': text, 'catalogue': text, 'write-catalogue': text, 'books': text, 'render-ms': text,
        'queue-ms': text, 'hook-base': text, 'write-conf': text, 'quiet': { type: 'boolean', default: false },
    },
});

function number(name, otherwise) {
    const value = Number(values[name] ?? otherwise);
    if (!Number.isInteger(value) || value < 0) {
        process.stderr.write(`--${name}: a number is wanted\n`);
        process.exit(2);
    }
    return value;
}

if (!values.catalogue !== !values['write-catalogue']) {
    process.stderr.write('--catalogue and --write-catalogue go together\n');
    process.exit(2);
}

const sim = await new Simulator({
    books: values.books, quiet: values.quiet, hookBase: values['hook-base'],
    renderMs: number('render-ms', 3000), queueMs: number('queue-ms', 500),
}).listen(number('port', 0));

for (const signal of ['SIGTERM', 'SIGINT'])
    process.once(signal, () => sim.stop().then(() => process.exit(0)));

if (values.catalogue)
    redirectFile(values.catalogue, values['write-catalogue'], sim.url);
if (values['write-conf'])
    confFile(values.catalogue, values['write-conf']);
process.stdout.write(`ready ${sim.url}\n`);
