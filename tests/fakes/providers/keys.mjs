/* Keys and secrets of the pretended providers: constants, so that whoever checks a signature can be set up before the
 * simulator starts. Only the pair of Google is made anew each time, because it is fetched by JWKS anyway. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';

const sha256 = (text) => createHash('sha256').update(text).digest();

/* What a client presents: "sim-fal", "sim-luma_agents". */
export const apiKey = (provider) => `sim-${provider}`;
export const KLING_ACCESS_KEY = 'sim-kling';
export const KLING_SECRET_KEY = 'sim-kling-secret';

/* Standard Webhooks: 32 bytes per provider. */
export const webhookSecret = (provider) =>
    'whsec_' + sha256(`filmgate simulator webhook secret ${provider}`).toString('base64');

/* Ed25519 from a seed of 32 bytes: PKCS #8 is a fixed head and the seed. */
export function ed25519FromSeed(seed) {
    const head = Buffer.from('302e020100300506032b657004220420', 'hex');
    return createPrivateKey({ key: Buffer.concat([head, seed]), format: 'der', type: 'pkcs8' });
}

const publicJwk = (privateKey) => {
    const { kty, crv, x } = createPublicKey(privateKey).export({ format: 'jwk' });
    return { kty, crv, x };
};

export const FAL_USER_ID = 'user_sim';
export const falKey = ed25519FromSeed(sha256('filmgate simulator fal key'));
/* The key in use comes second: a reader has to try them all. */
export const falJwks = {
    keys: [publicJwk(ed25519FromSeed(sha256('filmgate simulator fal key before'))), publicJwk(falKey)],
};

let google;
/* { privateKey, kid, jwks } */
export function googleKey() {
    if (!google) {
        const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
        const jwk = publicKey.export({ format: 'jwk' });
        const kid = sha256(jwk.n).toString('hex').slice(0, 16);
        google = { privateKey, kid, jwks: { keys: [{ ...jwk, kid, alg: 'RS256', use: 'sig' }] } };
    }
    return google;
}
