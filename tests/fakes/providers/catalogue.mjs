/* A copy of filmgate's catalogue whose providers are all here. Only the origin of a URL changes: what follows it is
 * the dialect's, and the catalogue's to say. */
import { readFileSync, writeFileSync } from 'node:fs';
import { KLING_ACCESS_KEY, KLING_SECRET_KEY, apiKey, webhookSecret } from './keys.mjs';

/* Adapter and name of the URL, to the path that stands for its host; '' is every other name. */
const PLACES = {
    fal: { base: '/fal/queue', history: '/fal/api', jwks: '/fal/rest' },
    replicate: { '': '/replicate' },
    openai: { '': '/openai' },
    runway: { '': '/runway' },
    luma: { '': '/luma' },
    luma_agents: { '': '/luma_agents' },
    veo: { '': '/veo' },
    kling: { '': '/kling' },
    kling_legacy: { '': '/kling' },
    minimax: { '': '/minimax' },
    comfyui: { '': '/comfyui' },
};

export function redirect(catalogue, simulatorUrl) {
    const copy = structuredClone(catalogue), { host } = new URL(simulatorUrl);
    for (const [name, provider] of Object.entries(copy.providers)) {
        const urls = provider.urls ?? {};
        if (!urls.base || urls.base.startsWith('{public_url}'))
            continue;
        const places = PLACES[provider.adapter];
        if (!places)
            throw new Error(`${name}: no dialect for adapter "${provider.adapter}"`);
        for (const [which, url] of Object.entries(urls)) {
            const place = places[which] ?? places[''];
            if (place === undefined)
                throw new Error(`${name}: nothing here for its URL "${which}"`);
            const { pathname, search } = new URL(url);
            urls[which] = simulatorUrl + place + (pathname === '/' ? '' : pathname) + search;
        }
        for (const list of ['hosts', 'outputHosts'])
            if (provider[list])
                provider[list] = [host];
    }
    return copy;
}

export function redirectFile(from, to, simulatorUrl) {
    writeFileSync(to, JSON.stringify(redirect(JSON.parse(readFileSync(from, 'utf8')), simulatorUrl), null, 2) + '\n');
}

/* The sections of filmgate's configuration with what the pretended providers take for keys. */
export function confFile(catalogue, to) {
    const { providers } = JSON.parse(readFileSync(catalogue, 'utf8'));
    const sections = Object.values(providers)
        .filter(({ urls }) => urls?.base && !urls.base.startsWith('{public_url}'))
        .map(({ adapter, keyRef }) => {
            const key = adapter === 'kling_legacy'
                ? `key = ${KLING_ACCESS_KEY}\nkey_secret = ${KLING_SECRET_KEY}`
                : adapter === 'comfyui' ? 'enabled = yes' : `key = ${apiKey(adapter)}`;
            return `[provider.${keyRef}]\n${key}\nwebhook_secrets = ${webhookSecret(adapter === 'kling_legacy' ? 'kling' : adapter)}\n`;
        });
    writeFileSync(to, sections.join(''), { mode: 0o640 });
}
