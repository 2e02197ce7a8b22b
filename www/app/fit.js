/* Which settings of an offer go together. The settings have an order: what comes first is free, what comes later gives
 * way to it. So an option is impossible only with what stands before it, there is always one left, and a reason can be
 * given. Pure. */

import { linesOf } from './offer.js';
import { misfits } from './rules.js';

export const ORDER = ['image', 'aspectRatio', 'duration', 'resolution', 'audio'];
const CHOSEN = ORDER.slice(1);
const AUDIOS = { choice: ['false', 'true'], any: ['', 'true', 'false'] };

const unique = (list) => [...new Set(list)];

/* As they stand on the form, in its order. */
export function valuesOf(offer, field) {
    if (field === 'duration') return offer.durations;
    if (field === 'audio') return AUDIOS[offer.audio] ?? [];
    const all = unique(offer.sizes.map((s) => s[field]));
    return field === 'resolution' ? all.sort((a, b) => linesOf(a) - linesOf(b)) : all;
}

const wishOf = (set) => ({ ...set, audio: { true: true, false: false }[set.audio] });

/* Whether a model can make it, and has something to offer for all that is still open. */
function serves(m, offer, set) {
    const decides = set.image && m.imageDecidesRatio;
    if (misfits(m, wishOf(set)).length > 0) return false;
    return (set.duration || m.durations.some((s) => offer.durations.includes(s))) &&
        (set.resolution || m.sizes.some((s) => (decides || !set.aspectRatio || s.aspectRatio === set.aspectRatio) &&
            offer.sizes.some((one) => one.resolution === s.resolution)));
}

const isPossible = (offer, set) => offer.models.some((m) => serves(m, offer, set));

/* Of an impossible value: { field, list }, the values of one earlier setting with which it would do; null: no single
 * one. */
function onlyWith(offer, set, field, value) {
    for (const other of ORDER.slice(0, ORDER.indexOf(field)).reverse()) {
        const all = other === 'image' ? [!set.image] : valuesOf(offer, other);
        const list = all.filter((one) => isPossible(offer, { ...set, [other]: one, [field]: value }));
        if (list.length > 0) return { field: other, list };
    }
    return null;
}

const nearest = (to, list) => list.reduce((a, b) => (Math.abs(b - to) < Math.abs(a - to) ? b : a));

function pick(field, want, usual, list) {
    if (list.includes(want)) return want;
    if (field === 'duration' && list.length > 0) {
        const first = list.filter((s) => usual.durations.includes(s));
        return want ? nearest(want, list) : nearest(usual.seconds, first.length > 0 ? first : list);
    }
    const own = { aspectRatio: '16:9', resolution: usual.resolution, audio: '' }[field];
    return list.includes(own) ? own : list[0];
}

/* want: values by field, where there are any, and image: whether there is a picture. Gives what is chosen then, and the
 * options of each field: { value, only: undefined where it can be had, else as onlyWith }. */
export function settle(offer, want, seconds) {
    const needed = offer.image === 'required',
        set = { image: offer.image !== 'none' && (Boolean(want.image) || needed) },
        options = {};
    for (const field of CHOSEN) {
        options[field] = valuesOf(offer, field).map((value) => {
            const possible = isPossible(offer, { ...set, [field]: value });
            return possible ? { value } : { value, only: onlyWith(offer, set, field, value) };
        });
        const list = options[field].filter((o) => o.only === undefined).map((o) => o.value);
        set[field] = pick(field, want[field], { ...offer.usual, seconds }, list);
    }
    return { chosen: set, options };
}
