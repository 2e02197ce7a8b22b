/* What the form can offer for a choice: one model, or the union of what the models of a route can
 * do, as far as the account's plan includes it. Pure: from the answers of GET /v1/models and /v1/me. */

const union = (lists) => [...new Set(lists.flat())];

/* To sort by: "720p", "4k"; what is neither comes first. */
export const linesOf = (resolution) =>
    (Number.parseInt(resolution, 10) || 0) * (resolution.endsWith('k') ? 720 : 1);

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
    return [...sizes.values()].sort((a, b) => across(b) - across(a) || linesOf(a.resolution) - linesOf(b.resolution));
}

/* All of them say the same, or else what a route says where they differ. */
const agreed = (models, field, mixed) =>
    models.every((m) => m[field] === models[0][field]) ? models[0][field] : mixed;

/* A plan's list is null where everything is allowed. */
const allows = (list, word) => !list || list.includes(word);

export function offerOf(name, route, models, plan) {
    const sizes = sizesOf(models).filter((s) => allows(plan.resolutions, s.resolution));
    const allowed = (list) => list.filter((s) => allows(plan.durations, s)).sort((a, b) => a - b);
    const durations = allowed(union(models.map((m) => m.durations))),
        ofFirst = allowed(models[0].durations);
    const usual = [plan.defaultResolution, models[0].defaultResolution];
    return {
        name,
        isRoute: route,
        models,
        durations,
        sizes,
        usual: {
            resolution: usual.find((one) => sizes.some((s) => s.resolution === one)),
            durations: ofFirst.length > 0 ? ofFirst : durations,
        },
        image: agreed(models, 'image', 'optional'),
        imageDecidesRatio: models.every((m) => m.imageDecidesRatio),
        seed: models.some((m) => m.seed),
        audio: agreed(models, 'audio', 'any'),
        negativePrompt: models.some((m) => m.negativePrompt),
        promptMax: Math.max(...models.map((m) => m.promptMax)),
    };
}

/* Routes in their order, then the single models; only what can be had here. */
export function offersOf({ data, routes }, plan) {
    const available = data.filter((m) => m.available && allows(plan.models, m.name));
    const byName = new Map(available.map((m) => [m.name, m]));
    const ofRoute = (r) => r.models.map((name) => byName.get(name)).filter(Boolean);
    return [
        ...routes.map((r) => [r.name, ofRoute(r)]).filter(([, models]) => models.length > 0)
            .map(([name, models]) => offerOf(name, true, models, plan)),
        ...available.map((m) => offerOf(m.name, false, [m], plan)),
    ].filter((offer) => offer.sizes.length > 0 && offer.durations.length > 0);
}
