// An independent judge of tests/data/schema_cases.json, which tests/unit/schema_test.c holds core/provider/schema.c to:
// ajv must say the same of every value, but where the case says that we are stricter on purpose.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import Ajv from 'ajv/dist/2020.js';

const groups = JSON.parse(readFileSync(new URL('../data/schema_cases.json', import.meta.url), 'utf8'));
const words = (says) => says ?? 'nothing';

for (const { about, schema, tests } of groups)
    test(about, () => {
        // Strict about unknown keywords; not about style, such as required keys that have no properties entry.
        const validate = new Ajv({ strictTypes: false, strictRequired: false, allErrors: false }).compile(schema);
        for (const { value, valid, stricter, says } of tests) {
            assert.ok(!stricter || !valid, 'stricter means that we refuse');
            assert.equal(validate(value), stricter ? true : valid, `${JSON.stringify(value)} (we say ${words(says)})`);
        }
    });

test('there are enough of them', () => {
    assert.ok(groups.flatMap((group) => group.tests).length >= 60);
});
