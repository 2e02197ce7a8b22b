/* Google's Veo by the Gemini API, as of November 2026: https://ai.google.dev/gemini-api/docs/video. Operations without a
 * status word; files that want the key; webhooks that tell of successes alone, signed in one of two ways. */
import { randomBytes } from 'node:crypto';
import { json } from '../answer.mjs';
import { apiKey, googleKey } from '../keys.mjs';
import { jwtRs256, standardSignature } from '../sign.mjs';
import { Webhooks } from './veo_webhooks.mjs';

const MODELS = /^veo-3\.(1-(fast-|lite-)?generate-preview|1-generate|0-(fast-)?generate-001)$/;
const ELSEWHERE = ['storageUri', 'fps', 'generateAudio', 'labels', 'pubsubTopic']; /* Vertex AI takes these */
const HTTP = { INVALID_ARGUMENT: 400, FAILED_PRECONDITION: 400, UNAUTHENTICATED: 401, PERMISSION_DENIED: 403,
               NOT_FOUND: 404, RESOURCE_EXHAUSTED: 429, INTERNAL: 500, UNIMPLEMENTED: 501, UNAVAILABLE: 503,
               DEADLINE_EXCEEDED: 504 };
const RPC = 'type.googleapis.com/google.rpc';
const TOKEN_S = 300;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';
const refusedWords = 'The prompt was not submitted: it might violate our usage guidelines. Support codes: 58061214';
/* What an operation says that brought nothing. */
const FAILURES = {
    'fails': { error: { code: 3, message: 'No video can be made from this input.', status: 'INVALID_ARGUMENT' } },
    'fails-retryable': { error: { code: 13, message: 'Video generation failed due to an internal server issue.',
                                  status: 'INTERNAL' } },
    'moderated-run': { error: { code: 3, message: refusedWords, status: 'INVALID_ARGUMENT' } },
    'moderated-output': { response: { generateVideoResponse: {
        raiMediaFilteredCount: 1,
        raiMediaFilteredReasons: ['The generated video was filtered for safety. Support codes: 17301594'],
    } } },
};

const problem = (status, message, details) =>
    json(HTTP[status], { error: { code: HTTP[status], message, status, ...details && { details } } });
const quotaFailure = (per) =>
    ({ '@type': `${RPC}.QuotaFailure`, violations: [{ quotaId: `GenerateRequests${per}PerProjectPerModel` }] });
const invalid = (message) => problem('INVALID_ARGUMENT', message);
const word = (length) => [...randomBytes(length)].map((byte) => LETTERS[byte % LETTERS.length]).join('');

const isImage = (image) => typeof image?.bytesBase64Encoded === 'string' && /^image\//.test(image.mimeType) &&
    /^[A-Za-z0-9+/]+={0,2}$/.test(image.bytesBase64Encoded);

function pictureFault({ image, lastFrame, referenceImages = [] }) {
    for (const [name, picture] of Object.entries({ image, lastFrame }))
        if (picture !== undefined && !isImage(picture))
            return `instances[0].${name}: bytesBase64Encoded and mimeType are required`;
    const references = Array.isArray(referenceImages) && referenceImages.length <= 3 &&
        referenceImages.every(({ image: picture, referenceType: type }) => isImage(picture) && type === 'asset');
    return references ? '' : 'instances[0].referenceImages: at most 3 assets';
}

function parameterFault(parameters) {
    const { aspectRatio, durationSeconds, resolution, personGeneration, sampleCount, seed, negativePrompt } = parameters;
    const right = {
        aspectRatio: [undefined, '16:9', '9:16'].includes(aspectRatio),
        durationSeconds: [undefined, 4, 6, 8].includes(durationSeconds), /* a number, not its digits */
        resolution: [undefined, '720p', '1080p', '4k'].includes(resolution),
        personGeneration: [undefined, 'dont_allow', 'allow_adult', 'allow_all'].includes(personGeneration),
        sampleCount: [undefined, 1, 2, 3, 4].includes(sampleCount),
        seed: seed === undefined || Number.isInteger(seed),
        negativePrompt: negativePrompt === undefined || typeof negativePrompt === 'string',
    };
    const wrong = Object.keys(right).find((name) => !right[name]);
    const foreign = ELSEWHERE.find((name) => parameters[name] !== undefined);
    return wrong ? `parameters.${wrong}: the value is out of bounds`
        : foreign ? `\`${foreign}\` isn't supported by this model.` : '';
}

export default function veo(sim) {
    const byFile = new Map(), gone = new Set();
    const webhooks = new Webhooks(problem);

    function read(q) {
        const { model } = q.params, { instances, parameters = {}, webhookConfig: hook } = q.json ?? {};
        if (!MODELS.test(model))
            return problem('NOT_FOUND',
                `models/${model} is not found for API version v1beta, or is not supported for predictLongRunning.`);
        const [instance, ...more] = Array.isArray(instances) ? instances : [];
        if (typeof instance !== 'object' || instance === null || more.length)
            return invalid('instances: exactly one is wanted');
        const { prompt = '' } = instance;
        const silent = typeof prompt !== 'string' || (!prompt && !instance.image);
        const fault = silent ? 'instances[0].prompt: text is required' : pictureFault(instance) ||
            parameterFault(parameters);
        if (fault)
            return invalid(fault);
        const uris = hook?.uris;
        if (hook !== undefined && !(Array.isArray(uris) && uris.length === 1 && /^https?:\/\//.test(uris[0])))
            return invalid('webhookConfig.uris: one URI is wanted');
        return {
            prompt, model, seed: parameters.seed, seconds: parameters.durationSeconds ?? 8,
            ratio: parameters.aspectRatio, image: instance.image !== undefined, file: word(12),
            userMetadata: hook?.userMetadata,
            callback: uris?.[0] ?? webhooks.target() ?? accountWide(), dynamic: uris !== undefined,
        };
    }

    function accountWide() {
        const { hooks, hookBase } = sim.settings;
        return hooks.veo ?? (hookBase ? `${hookBase}/veo` : undefined);
    }

    const fileUri = (job) => `${sim.url}/veo/v1beta/files/${job.file}:download?alt=media`;

    function operation(q, job) {
        if (!job.ended(q.now))
            return { name: job.id };
        const samples = job.tags['done-empty'] ? {} : { generatedSamples: [{ video: { uri: fileUri(job) } }] };
        return { name: job.id, done: true, ...FAILURES[job.failure] ?? { response: {
            '@type': 'type.googleapis.com/google.ai.generativelanguage.v1beta.PredictLongRunningResponse',
            generateVideoResponse: samples,
        } } };
    }

    function accepted(q, job) {
        byFile.set(job.file, job);
        return json(200, { name: job.id });
    }

    const ofOperation = (q) => q.dialect.jobs.get(`models/${q.params.model}/operations/${q.params.operation}`);
    const ofFile = (q) => {
        const job = byFile.get(q.params.file);
        return job && !gone.has(job) && job.stateAt(q.now) === 'done' ? job : undefined;
    };

    /* The bytes are elsewhere. With the tag, at another origin, which must not see the key. */
    function download(q, job) {
        const origin = job.tags['file-elsewhere'] ? sim.url.replace('127.0.0.1', 'localhost') : sim.url;
        return { status: 302, headers: { Location: `${origin}/veo/media/${job.file}/${1 + (job.expired ?? 0)}` } };
    }

    function media(q, job) {
        const stranger = q.headers.host.startsWith('localhost');
        if (stranger && (q.headers['x-goog-api-key'] || q.headers.authorization || q.query.get('key')))
            job.keyLeaked = true;
        return sim.film(q, job);
    }

    const describe = (q, job) => json(200, {
        name: `files/${job.file}`, mimeType: 'video/mp4', state: 'ACTIVE', source: 'GENERATED', uri: fileUri(job),
        downloadUri: fileUri(job), createTime: new Date(job.endsMs).toISOString(),
        expirationTime: new Date(job.endsMs + 2 * 86400000).toISOString(),
    });

    function callback(job, state, c) {
        const body = JSON.stringify({
            type: 'video.generated', version: 'v1', timestamp: new Date(c.timestamp * 1000).toISOString(),
            data: { id: job.id, output_file_uri: fileUri(job), file_name: `files/${job.file}` },
            ...job.userMetadata && { user_metadata: job.userMetadata }, /* its place is not documented */
        });
        const headers = { 'Content-Type': 'application/json', 'webhook-id': c.id,
                          'webhook-timestamp': String(c.timestamp) };
        if (job.dynamic) {
            const { privateKey, kid } = googleKey();
            const claims = { iss: 'https://generativelanguage.googleapis.com', aud: job.callback, iat: c.timestamp,
                             exp: c.timestamp + TOKEN_S };
            headers['Webhook-Signature'] = jwtRs256(claims, privateKey, kid, c);
        } else {
            headers['webhook-signature'] = webhooks.secrets().map((secret) =>
                standardSignature(secret, c.id, c.timestamp, c.forged ? `${body} ` : body)).join(' ');
        }
        return { headers, body };
    }

    return {
        authorized(q) {
            const key = q.headers['x-goog-api-key'] ?? q.query.get('key');
            if (key === null)
                return problem('PERMISSION_DENIED', 'Method doesn\'t allow unregistered callers.');
            return key === apiKey('veo') || problem('INVALID_ARGUMENT', 'API key not valid. Please pass a valid one.',
                [{ '@type': `${RPC}.ErrorInfo`, reason: 'API_KEY_INVALID', domain: 'googleapis.com' }]);
        },
        unauthorized: () => problem('UNAUTHENTICATED', 'Request had invalid authentication credentials.'),
        unknown: () => problem('NOT_FOUND', 'Requested entity was not found.'),
        newId: ({ model }) => `models/${model}/operations/${word(12)}`,
        publicFiles: false,
        door: {
            '429': (q, { value = 22 }) => problem('RESOURCE_EXHAUSTED', 'You exceeded your current quota.', [
                quotaFailure('PerMinute'), { '@type': `${RPC}.RetryInfo`, retryDelay: `${value}s` }]),
            '500-before': () => problem('UNAVAILABLE', 'The model is overloaded. Please try again later.'),
            '500-after': () => problem('DEADLINE_EXCEEDED', 'Deadline expired before operation could complete.'),
            'refused': () => invalid('`durationSeconds` is out of bounds. Please provide a value between 4 and 8.'),
            'moderated-submit': () => invalid(refusedWords),
            'no-credit': () => problem('FAILED_PRECONDITION', 'Veo is only available to users with billing enabled.'),
            'park': () => problem('RESOURCE_EXHAUSTED', 'You exceeded your current quota, please check your plan.', [
                quotaFailure('PerDay')]),
        },
        tells: (job) => job.failure || job.tags['done-empty'] ? [] : ['end'],
        callback,
        routes: [
            { method: 'POST', path: '/v1beta/models/{model}:predictLongRunning', kind: 'submit', read,
              answer: accepted },
            { method: 'GET', path: '/v1beta/models/{model}/operations/{operation}', kind: 'poll', find: ofOperation,
              answer: (q, job) => json(200, operation(q, job)) },
            { method: 'GET', path: '/v1beta/models/{model}/operations', kind: 'list',
              answer: () => problem('UNIMPLEMENTED', 'Operation is not implemented, or supported, or enabled.') },
            { method: 'GET', path: '/v1beta/files/{file}:download', kind: 'result', find: ofFile, answer: download },
            { method: 'GET', path: '/media/{file}/{turn}', kind: 'download', auth: false, find: ofFile,
              answer: media },
            { method: 'GET', path: '/v1beta/files/{file}', kind: 'result', find: ofFile, answer: describe },
            { method: 'DELETE', path: '/v1beta/files/{file}', kind: 'result', find: ofFile, answer(q, job) {
                gone.add(job);
                return json(200, {});
            } },
            { method: 'GET', path: '/.well-known/jwks.json', kind: 'other', auth: false,
              answer: () => json(200, googleKey().jwks) },
            ...webhooks.routes(),
        ],
        keyOnFiles: true, /* media() looks itself */
    };
}
