/* What can be done with a job or a provider: the words of it, what it needs, and the call. */

import { texts } from '/app/texts.js';
import { choiceField, textField } from './act.js';
import { desk } from './calls.js';
import { h } from './paint.js';
import { actionName, known, microOf, moneyWords, named, theirs } from './words.js';

const t = texts.act;
const NOTE_MAX = 1000;
const REFERENCE_MAX = 64;
const PROVIDER_JOB_ID_MAX = 200;
const DANGER = new Set(['cancel', 'erase', 'pause']);

function wrong(words, field) {
    return Object.assign(new Error(words), { field });
}

function amountField({ name, balanceMicro, currency }) {
    return textField('amountMicro', {
        label: t.amount, hint: t.amountHint(currency), mode: 'text',
        check: (text) => {
            const micro = microOf(text);
            if (micro === null) throw wrong(t.amountWrong);
            return micro;
        },
        effect: (micro) =>
            known(balanceMicro)
                ? t.amountEffect(name, moneyWords(balanceMicro, currency), moneyWords(balanceMicro + micro, currency))
                : '',
    });
}

const referenceField = () =>
    textField('reference', {
        label: t.reference, hint: t.referenceHint,
        check: (text) => {
            const words = text.trim();
            if (words.length < 1 || words.length > REFERENCE_MAX) throw wrong(t.referenceWrong);
            return words;
        },
    });

function foundField() {
    const id = textField('accepted', {
        label: t.providerJobId, hint: '',
        check: (text) => {
            const words = text.trim();
            if (words.length < 1 || words.length > PROVIDER_JOB_ID_MAX) throw wrong(t.providerJobIdWrong, 'accepted');
            return words;
        },
    });
    return choiceField('found', {
        label: t.whatFound, wrong: t.foundWrong,
        choices: [{ value: 'there', words: t.isThere, field: id }, { value: 'not-there', words: t.isNotThere }],
        read: (choice) => (choice.field ? choice.field.read() : { accepted: null }),
    });
}

const FIELDS = {
    adjust: (account) => [amountField(account), referenceField()],
    resolve: () => [foundField()],
};

/* more: { deliveryId } for one delivery. */
export function jobAsk(action, id, account, more = {}) {
    return {
        name: actionName(action), on: t.on(id), danger: DANGER.has(action),
        does: more.deliveryId ? t.does.redeliverOne : t.does[action],
        fields: FIELDS[action]?.(account) ?? [],
        send: (values) => desk.act(id, { action, ...more, ...values }),
    };
}

export function providerAsk(action, provider) {
    return {
        name: actionName(action), on: provider, danger: DANGER.has(action), does: t.does[action],
        send: (values) => desk.actOnProvider(provider, { action, ...values }),
    };
}

const checkWords = (c) => [named('target', c.target), c.checker, named('verdict', c.verdict), c.category, c.rule].filter(Boolean).join(', ');

/* What the checks said, the prompt and the picture are shown: who decides has to see them. */
export async function reviewAsk(id) {
    const review = await desk.review(id);
    const { job, checks = [], image } = review;
    return {
        name: actionName('review'), on: t.on(id), does: t.does.review, note: NOTE_MAX,
        shown: [
            h('blockquote', 'ask-prompt whole', theirs(job?.prompt || texts.file.erased)),
            job?.negativePrompt ? h('p', null, texts.file.negative, ': ', theirs(job.negativePrompt)) : null,
            image?.url ? h('img', { className: 'ask-image', src: here(image.url), alt: t.image }) : null,
            h('p', 'hint', t.checks),
            h('ul', 'plain', checks.map((c) => h('li', null, checkWords(c)))),
        ],
        fields: [choiceField('decision', {
            label: t.decision, wrong: t.decisionWrong,
            choices: [{ value: 'pass', words: t.pass }, { value: 'block', words: t.block }],
            read: (choice) => ({ decision: choice.value }),
        })],
        send: ({ note, ...values }) => desk.decide(id, note ? { ...values, note } : values),
    };
}

/* Links carry the address the server calls itself by; a page opened under another name may only load from there. */
export function here(url) {
    const { pathname, search } = new URL(url, location.href);
    return pathname.startsWith('/media/') ? pathname + search : url;
}
