/* What the door says of a request before it is sent: the checks of POST /v1/jobs and /v1/quotes, made of the rules and
 * the catalogue that GET /v1/models tells. Pure. A verdict is { path, code } as in the errors of a problem, and beside
 * these what its words need. world: { rules, data, routes, defaultRoute, plan, currency, now }. */

const ERRORS_MAX = 32;
const PATH_BYTES = 100;
const INT64_MAX = 2n ** 63n - 1n;
const ID = '[0-9abcdefghjkmnpqrstvwxyz]{26}';
const IDS = { uploadId: new RegExp(`^upl_${ID}$`), quoteId: new RegExp(`^quote_${ID}$`) };

/* ---- words ---- */

export const characters = (text) => [...text].length;

/* Unicode's white space: String.trim takes U+FEFF too, and leaves U+0085. */
export function trimmed(text) {
    const white = /\p{White_Space}/u;
    let from = 0,
        to = text.length;
    while (from < to && white.test(text[from])) from++;
    while (to > from && white.test(text[to - 1])) to--;
    return text.slice(from, to);
}

const bytes = (text) => new TextEncoder().encode(text);

/* The longest start of it that does not end inside a character. */
const cut = (text, max) => new TextDecoder().decode(bytes(text).subarray(0, max)).replace(/\ufffd+$/, '');

/* ---- each field by itself ---- */

function ofAddress(value) {
    const [, host] = /^https?:\/\/([^/]*)/.exec(value) ?? [];
    /* eslint-disable-next-line no-control-regex */
    return host && !host.includes('@') && !/[\0-\x20\\\x7f]/.test(value) ? null : { code: 'format' };
}

const ratiosOf = (data) => [...new Set(data.flatMap((m) => m.sizes.map((s) => s.aspectRatio)))];

function ofString(name, value, rule, world) {
    if (typeof value !== 'string') return { code: 'type' };
    if (IDS[name]) return IDS[name].test(value) ? null : { code: 'value' };
    if (name === 'aspectRatio') {
        const list = ratiosOf(world.data);
        return list.includes(value) ? null : { code: 'value', list };
    }
    const n = characters(rule.trimmed ? trimmed(value) : value);
    if (n < rule.min || n > rule.max) return { code: 'length', n, min: rule.min, max: rule.max };
    return name === 'imageUrl' ? ofAddress(value) : null;
}

function ofInteger(name, value, { min, max }) {
    if (!Number.isInteger(value)) return { code: 'type', min, max };
    return value < min || value > max ? { code: 'range', min, max } : null;
}

const OF = {
    string: ofString,
    integer: ofInteger,
    boolean: (name, value) => (typeof value === 'boolean' ? null : { code: 'type' }),
    object: (name, value) => (typeof value === 'object' && !Array.isArray(value) ? null : { code: 'type' }),
};

/* As the server writes it down: DEL is escaped, too. */
const kept = (metadata) => bytes(JSON.stringify(metadata).replaceAll('\x7f', '\\u007f')).length;

function ofMetadata(metadata, { maxKeys, maxKeyCharacters, maxValueCharacters, maxBytes }) {
    const path = '/metadata',
        members = Object.entries(metadata),
        out = [];
    if (members.length > maxKeys) return [{ path, code: 'length', max: maxKeys }];
    for (const [key, value] of members) {
        const at = `${path}/${cut(key, PATH_BYTES)}`;
        if (key === '' || characters(key) > maxKeyCharacters)
            out.push({ path, code: 'length', max: maxKeyCharacters });
        else if (typeof value !== 'string') out.push({ path: at, code: 'type' });
        else if (characters(value) > maxValueCharacters)
            out.push({ path: at, code: 'length', max: maxValueCharacters });
    }
    if (out.length === 0 && kept(metadata) > maxBytes) out.push({ path, code: 'length', max: maxBytes });
    return out;
}

/* given: what passed, by name. */
function checkFields(body, world) {
    const { fields, metadata } = world.rules,
        out = [],
        given = {};
    for (const [name, value] of Object.entries(body)) {
        const rule = fields[name],
            path = `/${rule ? name : cut(name, PATH_BYTES)}`;
        if (value === undefined) continue;
        if (!rule) out.push({ path, code: 'unknown' });
        else if (value === null) {
            if (rule.required) out.push({ path, code: 'required' });
        } else {
            const wrong = OF[rule.type](name, value, rule, world);
            const all = wrong ? [{ path, ...wrong }] : name === 'metadata' ? ofMetadata(value, metadata) : [];
            out.push(...all);
            if (all.length === 0) given[name] = value;
        }
    }
    for (const [name, rule] of Object.entries(fields))
        if (rule.required && body[name] === undefined) out.push({ path: `/${name}`, code: 'required' });
    return [out, given];
}

/* ---- what a model can make ---- */

const isRetired = (m, now) => Boolean(m.retiresOn) && Date.parse(m.retiresOn) <= now;

function today(m, { data, now }) {
    while (m && isRetired(m, now)) m = data.find((one) => one.name === m.substitute);
    return m;
}

const pictureDecides = (m, w) => Boolean(w.image) && m.image !== 'none' && m.imageDecidesRatio;
const makesRatio = (m, ratio) => m.sizes.some((s) => s.aspectRatio === ratio);

function lacksResolution(m, w) {
    const resolution = w.resolution || m.defaultResolution;
    const any = !w.aspectRatio || pictureDecides(m, w) || !makesRatio(m, w.aspectRatio);
    return !m.sizes.some((s) => s.resolution === resolution && (any || s.aspectRatio === w.aspectRatio));
}

/* [path, code, what is against it (a name of its words), whether it is]. */
const CHECKS = [
    ['/model', 'unsupported', 'retired', (m, w) => isRetired(m, w.now)],
    ['/model', 'unsupported', 'away', (m, w) => !m.available && !isRetired(m, w.now)],
    ['/prompt', 'length', 'prompt', (m, w) => w.promptCharacters > m.promptMax],
    ['/aspectRatio', 'value', 'ratio',
        (m, w) => Boolean(w.aspectRatio) && !pictureDecides(m, w) && !makesRatio(m, w.aspectRatio)],
    ['/resolution', 'value', 'resolution', lacksResolution],
    ['/duration', 'range', 'duration', (m, w) => Boolean(w.duration) && !m.durations.includes(w.duration)],
    ['/imageUrl', 'unsupported', 'image', (m, w) => Boolean(w.image) && m.image === 'none'],
    ['/imageUrl', 'required', 'noImage', (m, w) => !w.image && m.image === 'required'],
    ['/audio', 'unsupported', 'audio', (m, w) => w.audio === true && m.audio === 'none'],
];

/* All that speaks against a model for a wish: { aspectRatio, resolution, duration, promptCharacters, image, audio }; what
 * is not given is not looked at, but that a resolution is then the model's own. */
export const misfits = (m, w) =>
    CHECKS.filter(([, , , against]) => against(m, w)).map(([path, code, why]) => ({ path, code, why, model: m, wish: w }));

/* ---- which models a request may have ---- */

const UNKNOWN = { path: '/model', code: 'value' };

function candidates({ provider, model }, world) {
    const route = world.routes.find((r) => r.name === (model || world.defaultRoute)),
        named = model ? world.data.find((m) => m.name === model) : undefined;
    if (provider && !world.data.some((m) => m.provider === provider))
        return [[{ path: '/provider', code: 'value' }], []];
    if (!route && !named) return [[UNKNOWN], []];
    const names = named ? [named.name] : route.models,
        out = [];
    for (const others of [false, true]) {
        for (const name of names) {
            const first = world.data.find((one) => one.name === name),
                now = today(first, world),
                m = now ?? first;
            if ((now?.available || others) && (!provider || m.provider === provider) && !out.includes(m)) out.push(m);
        }
        if (out.length > 0) break;
    }
    const none = { path: named ? '/model' : '/provider', code: 'value' };
    return out.length > 0 ? [[], out] : [[none], []];
}

/* ---- the plan ---- */

const allows = (list, word) => !list || list.includes(word);

function resolutionOf(m, w, plan) {
    const has = (one) => m.sizes.some((s) => s.resolution === one &&
        (s.aspectRatio === w.aspectRatio || (w.image && m.imageDecidesRatio)));
    if (w.resolution) return allows(plan.resolutions, w.resolution) ? w.resolution : '';
    const own = plan.defaultResolution;
    if (own && has(own) && allows(plan.resolutions, own)) return own;
    if (allows(plan.resolutions, m.defaultResolution)) return m.defaultResolution;
    const any = ({ resolution }) => allows(plan.resolutions, resolution) && has(resolution);
    return m.pricing.byResolution.find(any)?.resolution ?? '';
}

function checkPlan(m, w, given, { plan, currency }) {
    const resolution = w.resolution || resolutionOf(m, w, plan) || m.defaultResolution;
    const days = plan.retentionDays.outputs;
    return [
        ['/duration', !allows(plan.durations, w.duration), plan.durations],
        ['/resolution', !allows(plan.resolutions, resolution), plan.resolutions],
        ['/retainDays', days > 0 && given.retainDays > days, [days]],
        ['/model', !allows(plan.models, m.name), plan.models],
        ['/model', Boolean(currency) && m.pricing.currency !== currency, null],
    ].filter(([, wrong]) => wrong).map(([path, , list]) => ({ path, code: 'plan', list }));
}

/* ---- the whole ---- */

/* What no parser takes: half a character, a NUL, a number that is none of 64 bits. */
function isUnspeakable(value) {
    if (typeof value === 'string') return !value.isWellFormed() || value.includes('\0');
    if (typeof value === 'number')
        return Number.isFinite(value) && /^-?\d+$/.test(String(value)) &&
            (BigInt(value) > INT64_MAX || BigInt(value) < -INT64_MAX - 1n);
    if (typeof value === 'object' && value !== null)
        return Object.entries(value).some(([key, one]) => isUnspeakable(key) || isUnspeakable(one));
    return false;
}

/* [] when the door would take it, as far as can be known here: not which uploads and quotes there are, and not where
 * callbacks may go. A problem that is about no field has the path ''. */
export function checkRequest(body, world) {
    if (isUnspeakable(body)) return [{ path: '', code: 'invalid_json' }];
    const [out, given] = checkFields(body, world);
    if (given.uploadId && given.imageUrl) out.push({ path: '/uploadId', code: 'value', beside: 'imageUrl' });
    const [unknown, models] = candidates(given, world);
    out.push(...unknown);
    const wish = {
        aspectRatio: given.aspectRatio,
        resolution: given.resolution,
        duration: given.duration,
        promptCharacters: characters(trimmed(given.prompt ?? '')),
        image: Boolean(given.uploadId || given.imageUrl),
        audio: given.audio,
        now: world.now,
    };
    const fitting = models.filter((m) => misfits(m, wish).length === 0);
    const inPlan = (m) => allows(world.plan.models, m.name) && resolutionOf(m, wish, world.plan) !== '';
    if (models.length === 1) out.push(...misfits(models[0], wish));
    else if (fitting.length === 0)
        out.push(...models.map((m) => ({ path: '/model', code: 'unsupported', misfit: misfits(m, wish)[0] })));
    if (out.length === 0) out.push(...checkPlan(fitting.find(inPlan) ?? fitting[0], wish, given, world));
    return out.slice(0, ERRORS_MAX);
}

/* ---- pictures ---- */

/* facts: { bytes, type, width, height } (picture.js); null: it may be sent. code as the server's problem has it. */
export function checkPicture({ bytes: n, type, width, height }, { upload }, plan) {
    const most = Math.min(upload.maxBytes, plan.uploadBytes ?? Infinity),
        shrunk = Math.min(1, upload.keptSide / Math.max(width, height));
    if (n === 0) return { code: 'invalid_image', why: 'empty' };
    if (n > most) return { code: n > upload.maxBytes ? 'too_large' : 'plan_limit', why: 'bytes', max: most, n };
    if (!upload.types.includes(type)) return { code: 'unsupported_image', why: 'type' };
    if (!width || !height) return { code: 'invalid_image', why: 'broken' };
    if (Math.max(width, height) > upload.maxSide || width * height > upload.maxPixels)
        return { code: 'invalid_image', why: 'large', max: upload.maxPixels, width, height };
    if (Math.round(Math.min(width, height) * shrunk) < upload.minSide)
        return { code: 'invalid_image', why: 'small', min: upload.minSide, width, height };
    return null;
}
