/* What MiniMax takes for a video, and what it does not: a wish, or what `invalid(q, words)` answers. */

const PROMPT_MAX = 2000, V2_TEXT_MAX = 7000;
/* Resolutions of v1's models, the first being the default. T: takes text alone, I: takes a picture. */
const V1_MODELS = {
    'MiniMax-Hailuo-2.3': { sizes: ['768P', '1080P'], takes: 'TI' },
    'MiniMax-Hailuo-2.3-Fast': { sizes: ['768P', '1080P'], takes: 'I' },
    'MiniMax-Hailuo-02': { sizes: ['768P', '512P', '1080P'], takes: 'TI' },
    'T2V-01': { sizes: ['720P'], takes: 'T' }, 'T2V-01-Director': { sizes: ['720P'], takes: 'T' },
    'I2V-01': { sizes: ['720P'], takes: 'I' }, 'I2V-01-Director': { sizes: ['720P'], takes: 'I' },
    'I2V-01-live': { sizes: ['720P'], takes: 'I' }, 'S2V-01': { sizes: ['720P'], takes: 'S' },
};
const RATIOS = ['21:9', '16:9', '4:3', '1:1', '3:4', '9:16'];
const FRAMES = ['first_frame', 'last_frame'];
/* Of v2's content: the role of each kind that is a reference, and how many may come. */
const KINDS = { image_url: ['reference_image', 9], video_url: ['reference_video', 3],
                audio_url: ['reference_audio', 3] };

const isPicture = (url) => /^(https?:\/\/|data:image\/(jpeg|png|webp);base64,)/.test(url);
const isMedia = (url) => /^(https?:\/\/|data:|mm_file:\/\/)/.test(url);
const isHook = (url) => url === undefined || /^https?:\/\//.test(url);

function v1Fault({ model, prompt, duration = 6, resolution, first_frame_image: first, last_frame_image: last,
                   subject_reference: subject, callback_url: callback }) {
    if (!Object.hasOwn(V1_MODELS, model ?? ''))
        return 'model';
    const { sizes, takes } = V1_MODELS[model], size = resolution ?? sizes[0];
    if (prompt !== undefined && (typeof prompt !== 'string' || prompt.length > PROMPT_MAX))
        return 'prompt';
    if ([first, last].some((picture) => picture !== undefined && !isPicture(picture)))
        return 'first_frame_image or last_frame_image';
    if (takes === 'S' && !(subject?.[0]?.type === 'character' && isPicture(subject[0].image?.[0])))
        return 'subject_reference';
    if (takes === 'I' && !first)
        return 'first_frame_image is required by this model';
    if (takes === 'T' && first || !first && !prompt)
        return first ? 'first_frame_image' : 'prompt';
    if (!sizes.includes(size) || size === '512P' && !first)
        return 'resolution';
    if (duration !== 6 && !(duration === 10 && ['512P', '768P'].includes(size)))
        return 'duration';
    return isHook(callback) ? '' : 'callback_url';
}

export function readV1(q, invalid) {
    const body = q.json ?? {}, fault = v1Fault(body);
    const { model, prompt = '', duration = 6, resolution, callback_url: callback, first_frame_image: first } = body;
    return fault ? invalid(q, fault) : {
        v2: false, prompt, model, seconds: duration, resolution: resolution ?? V1_MODELS[model].sizes[0], callback,
        image: first !== undefined,
    };
}

function contentFault(content) {
    if (!Array.isArray(content) || !content.every((part) => part?.type === 'text' || Object.hasOwn(KINDS, part?.type)))
        return 'content';
    const texts = content.filter(({ type }) => type === 'text'), media = content.filter(({ type }) => type !== 'text');
    const [{ text } = {}, ...more] = texts;
    if (more.length || typeof text !== 'string' || !text || text.length > V2_TEXT_MAX)
        return 'content: exactly one text is wanted';
    if (!media.every(({ type, role, [type]: source }) => isMedia(source?.url) &&
        (role === KINDS[type][0] || (type === 'image_url' && FRAMES.includes(role)))))
        return 'content: a role or a url';
    const roles = media.map(({ role }) => role), of = (role) => roles.filter((other) => other === role).length;
    if (roles.some((role) => FRAMES.includes(role)) && roles.some((role) => !FRAMES.includes(role)))
        return 'content: frames and references exclude each other';
    if (FRAMES.some((role) => of(role) > 1) || (of('last_frame') && !of('first_frame')))
        return 'content: last_frame needs first_frame';
    if (Object.values(KINDS).some(([role, most]) => of(role) > most))
        return 'content: too many references';
    return of('reference_audio') && !of('reference_image') && !of('reference_video') ? 'content: audio alone' : '';
}

function v2Fault({ model, content, resolution, duration, ratio, callback_url: callback }) {
    if (model !== 'MiniMax-H3')
        return 'model';
    const fault = contentFault(content);
    if (fault)
        return fault;
    if (resolution !== undefined && !['768P', '2K'].includes(resolution))
        return 'resolution';
    if (duration !== undefined && !(Number.isInteger(duration) && duration >= 4 && duration <= 15))
        return 'duration';
    if (ratio !== undefined && ratio !== 'adaptive' && !RATIOS.includes(ratio))
        return 'ratio';
    if (content.length === 1 && !RATIOS.includes(ratio))
        return 'ratio is required, and not adaptive, for text alone';
    return isHook(callback) ? '' : 'callback_url';
}

export function readV2(q, invalid) {
    const body = q.json ?? {}, fault = v2Fault(body);
    if (fault)
        return invalid(q, fault);
    const { model, content, resolution = '768P', duration = 5, ratio, callback_url: callback } = body;
    const frames = content.some(({ role }) => FRAMES.includes(role));
    return { v2: true, prompt: content.find(({ type }) => type === 'text').text, model, seconds: duration, resolution,
             ratio: frames ? undefined : ratio, callback, image: content.some(({ type }) => type === 'image_url') };
}
