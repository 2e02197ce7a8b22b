/* What axe-core finds wrong with a page, by the rules of WCAG 2.2 AA and its own good practice. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

const told = ({ id, nodes }) =>
    `${id}: ${nodes.slice(0, 3).map((n) => `${n.target.join(' ')} ${n.failureSummary}`).join(' | ')}`;

/* Fails with what is wrong where. name says what the page shows. */
export async function axe(page, name) {
    await page.evaluate(source);
    const how = { runOnly: RULES, resultTypes: ['violations'], preload: false }; /* all else only takes time */
    const { violations } = await page.evaluate((options) => window.axe.run(document, options), how);
    assert.deepEqual(violations.map(told), [], name);
}
