/* What the form can offer for a choice: one model, or the union of what the models of a route can
 * do. Pure: from the answer of GET /v1/models. */

const union = (lists) => [...new Set(lists.flat())];

/* Pixels are told only where all that make this size agree on them. */
function sizesOf(models) {
    const sizes = new Map();
    for (const size of models.flatMap((m) => m.sizes)) {
        const key = `${size.aspectRatio} ${size.resolution}`;
        const known = sizes.get(key);
        const agreed = !known || (known.width === size.width && known.height === size.height);
        sizes.set(key, agreed ? size : { ...size, width: null, height: null });
    }
    const across = ({ aspectRatio }) => {
        const [w, h] = aspectRatio.split(':').map(Number);
        return w / h;
    };
    const lines = ({ resolution }) =>
        resolution.endsWith('k') ? Number.parseInt(resolution, 10) * 720 : Number.parseInt(resolution, 10) || 0;
    return [...sizes.values()].sort((a, b) => across(b) - across(a) || lines(a) - lines(b));
}

/* All of them say the same, or else what a route says where they differ. */
const agreed = (models, field, mixed) =>
    models.every((m) => m[field] === models[0][field]) ? models[0][field] : mixed;

export function offerOf(name, route, models) {
    return {
        name,
        isRoute: route,
        models,
        durations: union(models.map((m) => m.durations)).sort((a, b) => a - b),
        sizes: sizesOf(models),
        usual: {
            resolution: models[0].defaultResolution,
            durations: models[0].durations,
        },
        image: agreed(models, 'image', 'optional'),
        imageDecidesRatio: models.every((m) => m.imageDecidesRatio),
        seed: models.some((m) => m.seed),
        audio: agreed(models, 'audio', 'any'),
        negativePrompt: models.some((m) => m.negativePrompt),
    };
}

/* Routes in their order, then the single models; only what can be had here. */
export function offersOf({ data, routes }) {
    const available = data.filter((m) => m.available);
    const byName = new Map(available.map((m) => [m.name, m]));
    const ofRoute = (r) => r.models.map((name) => byName.get(name)).filter(Boolean);
    return [
        ...routes.map((r) => [r.name, ofRoute(r)]).filter(([, models]) => models.length > 0)
            .map(([name, models]) => offerOf(name, true, models)),
        ...available.map((m) => offerOf(m.name, false, [m])),
    ];
}

/* Without a quote: of one model only, from its price list. Micro-units, or null. */
export function listPrice(offer, { resolution, duration, audio }) {
    if (offer.isRoute && offer.models.length > 1) return null;
    const { currency, per, byResolution } = offer.models[0].pricing;
    const row = byResolution.find((p) => p.resolution === resolution);
    if (!row) return null;
    const micro = audio ? row.audioMicro : row.micro;
    return { micro: per === 'clip' ? micro : micro * duration, currency };
}
