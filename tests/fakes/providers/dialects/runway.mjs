/* Runway's tasks, as of November 2026: https://docs.dev.runwayml.com and its SDK 4.20. No list, no callbacks; a DELETE
 * cancels a task or, when it is over, deletes it. Either way nobody finds it again. */
import { randomUUID } from 'node:crypto';
import { json } from '../answer.mjs';
import { apiKey } from '../keys.mjs';
import { multipart } from '../request.mjs';

const VERSION = '2024-11-06';
const PROMPT_MAX = 1000; /* UTF-16 code units, as JavaScript counts */
const DATA_URL_MAX = 5 << 20;
const DEFAULT_CREDITS = 15; /* a second */
const FAILURES = {
    'fails': ['ASSET.INVALID', 'The media of the request is unusable.'],
    'fails-retryable': ['INTERNAL.BAD_OUTPUT.CODE01', 'The output was of poor quality. Please try again.'],
    'moderated-run': ['SAFETY.INPUT.TEXT', 'Text failed to pass moderation.'],
    'moderated-output': ['SAFETY.OUTPUT.VIDEO', 'The output failed to pass moderation.'],
};

const wide = ['1280:720', '720:1280'];
const gen4 = [...wide, '1104:832', '832:1104', '960:960', '1584:672'];
const veo = { ratios: [...wide, '1920:1080', '1080:1920'], imageRatios: [...wide, '1920:1080', '1080:1920'],
              seconds: [4, 6, 8], prompt: PROMPT_MAX, needs: ['ratio'], credits: 40 };
/* What is checked; the other models take what they are given. */
const MODELS = {
    'gen4.5': { ratios: wide, imageRatios: gen4, seconds: [2, 3, 4, 5, 6, 7, 8, 9, 10], prompt: PROMPT_MAX,
                needs: ['ratio', 'duration'], credits: 25 },
    'gen4_turbo': { imageRatios: gen4, seconds: [2, 3, 4, 5, 6, 7, 8, 9, 10], prompt: PROMPT_MAX, needs: ['ratio'],
                    credits: 5 },
    'veo3.1': veo, 'veo3.1_fast': veo,
};
for (const name of ['hailuo3', 'h3_max', 'happyhorse_1_0', 'seedance2', 'seedance2_fast', 'seedance2_mini',
                    'seedance2_5', 'gemini_omni_flash', 'gemini_omni_flash_1.1', 'grok_imagine_1_5', 'wan3',
                    'wan3_prime'])
    MODELS[name] = { needs: [], prompt: Infinity };

const problem = (status, error) => json(status, { error });
const invalid = (path, message) => json(400, {
    error: 'Validation of body failed', issues: [{ code: 'custom', path: [path], message }],
    docUrl: 'https://docs.dev.runwayml.com/api',
});

export default function runway(sim) {
    const uploads = new Map(); /* token to { arrived } */

    function pictureFault(picture) {
        if (Array.isArray(picture))
            return picture.length === 0 || picture.length > 2 ||
                picture.some(({ uri, position }) => !['first', 'last'].includes(position) || pictureFault(uri));
        if (typeof picture !== 'string')
            return true;
        if (picture.startsWith('runway://'))
            return !uploads.get(picture.slice('runway://'.length))?.arrived;
        /* http as well: whoever tests against this has no certificate. */
        return !/^https?:\/\//.test(picture) &&
            !(/^data:image\/[a-z0-9.+-]+;base64,/.test(picture) && picture.length <= DATA_URL_MAX * 4 / 3);
    }

    const read = (withPicture) => (q) => {
        const { model, promptText, promptImage, ratio, duration, seed, outputFormat = 'mp4' } = q.json ?? {};
        const wants = Object.hasOwn(MODELS, model ?? '') ? MODELS[model] : undefined;
        const ratios = withPicture ? wants?.imageRatios : wants?.ratios;
        if (!wants || (model === 'gen4_turbo' && !withPicture))
            return invalid('model', 'Invalid input: not a model of this endpoint');
        if (promptText === undefined ? !withPicture : typeof promptText !== 'string' || !promptText ||
            promptText.length > wants.prompt)
            return invalid('promptText', `Too big or too small: 1 to ${wants.prompt} UTF-16 code units`);
        if (withPicture && pictureFault(promptImage))
            return invalid('promptImage', 'Invalid input: an https URL, a data URL or a Runway upload');
        for (const [name, value] of Object.entries({ ratio, duration }))
            if (value === undefined && wants.needs.includes(name))
                return invalid(name, 'Required');
        if (ratio !== undefined && (typeof ratio !== 'string' || ratios && !ratios.includes(ratio)))
            return invalid('ratio', `Invalid option: expected one of ${ratios?.join('|')}`);
        if (duration !== undefined && !(wants.seconds?.includes(duration) ?? Number.isInteger(duration)))
            return invalid('duration', 'Invalid input: not a duration of this model');
        if (seed !== undefined && !(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32))
            return invalid('seed', 'Invalid input: expected an integer of 0 to 4294967295');
        const seconds = duration ?? wants.seconds?.at(-1) ?? 5;
        return { prompt: promptText ?? '', model, seed, seconds, ratio, image: withPicture, outputFormat,
                 credits: seconds * (wants.credits ?? DEFAULT_CREDITS) };
    };

    function task(q, job) {
        const state = job.stateAt(q.now), [failureCode, failure] = FAILURES[job.failure] ?? [];
        const words = { queued: job.tags.throttled ? 'THROTTLED' : 'PENDING', running: 'RUNNING', done: 'SUCCEEDED',
                        failed: 'FAILED' };
        const cost = { credits: job.billedAt(q.now) ? job.credits : 0 };
        return {
            id: job.id, status: job.word(state, words), createdAt: new Date(job.acceptedMs).toISOString(),
            ...job.ended(q.now) ? { cost } : { estimatedCost: { credits: job.credits } },
            ...state === 'running' && { progress: Math.round(1000 * job.progressAt(q.now)) / 1000 },
            ...state === 'done' &&
                { output: job.tags['done-empty'] ? [] : [`${sim.fileUrl(job)}?_jwt=${randomUUID()}`] },
            ...state === 'failed' && { failure, failureCode },
        };
    }

    function remove(q, job) {
        sim.cancel(job, q.now);
        q.dialect.jobs.delete(job.id);
        return { status: 204, headers: {} };
    }

    function upload(q) {
        const { filename, type } = q.json ?? {};
        if (typeof filename !== 'string' || !/\.[a-z0-9]+$/i.test(filename) || type !== 'ephemeral')
            return invalid('filename', 'Invalid input: a file name with an extension, and type "ephemeral"');
        const token = randomUUID();
        uploads.set(token, { arrived: false });
        return json(200, { uploadUrl: `${q.base}/uploads/${token}`, runwayUri: `runway://${token}`,
                           fields: { key: `ephemeral/${token}`, policy: 'eyJ9' } });
    }

    /* As storage services take it: every field that was given out, and the file last. */
    function store(q) {
        const { token } = q.params, parts = multipart(q.body, q.headers['content-type']) ?? [];
        const value = (name) => parts.find((part) => part.name === name)?.data.toString();
        const last = parts.at(-1);
        if (!uploads.has(token) || value('key') !== `ephemeral/${token}` || value('policy') !== 'eyJ9')
            return { status: 403, headers: {} };
        if (last.name !== 'file' || !last.filename || last.data.length === 0)
            return { status: 400, headers: {} };
        uploads.set(token, { arrived: true });
        return { status: 204, headers: {} };
    }

    const accepted = (q, job) => json(200, { id: job.id, estimatedCost: { credits: job.credits } });
    const organization = (q) => {
        const today = [...q.dialect.jobs.values()].filter(({ model }) => model === 'gen4.5').length;
        return json(200, {
            creditBalance: 100000, usage: { models: { 'gen4.5': { dailyGenerations: today } } },
            tier: { maxMonthlyCreditSpend: 500000,
                    models: { 'gen4.5': { maxConcurrentGenerations: 3, maxDailyGenerations: 500 } } },
        });
    };

    return {
        authorized(q) {
            if (q.key() !== apiKey('runway'))
                return false;
            return q.headers['x-runway-version'] === VERSION || problem(400,
                `The X-Runway-Version header must be ${VERSION}.`);
        },
        unauthorized: () => problem(401, 'API key is missing or invalid.'),
        unknown: () => problem(404, 'No task or route of that name was found.'),
        newId: () => randomUUID(),
        charges: { 'moderated-run': true },
        door: {
            '429': () => problem(429, 'Too many requests.'),
            '500-before': () => problem(502, 'Bad gateway.'),
            '500-after': () => problem(504, 'Gateway timeout.'),
            'refused': () => invalid('ratio', 'Invalid option: expected one of 1280:720|720:1280'),
            'no-credit': () => problem(400, 'You do not have enough credits to run this task.'),
            'park': () => problem(429, 'You have reached your daily generation limit for this model.'),
        },
        routes: [
            { method: 'POST', path: '/v1/text_to_video', kind: 'submit', read: read(false), answer: accepted },
            { method: 'POST', path: '/v1/image_to_video', kind: 'submit', read: read(true), answer: accepted },
            { method: 'GET', path: '/v1/tasks/{id}', kind: 'poll', answer: (q, job) => json(200, task(q, job)) },
            { method: 'DELETE', path: '/v1/tasks/{id}', kind: 'cancel', answer: remove },
            { method: 'POST', path: '/v1/uploads', kind: 'other', answer: upload },
            { method: 'POST', path: '/uploads/{token}', kind: 'other', auth: false, answer: store },
            { method: 'GET', path: '/v1/organization', kind: 'other', answer: organization },
        ],
    };
}
