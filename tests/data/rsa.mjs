// Makes rsa.json beside it: a key set and tokens as Google signs them, and plain RS256 signatures by keys of all sizes.
// The keys are random and thrown away; the file is made once and committed:
//   node tests/data/rsa.mjs
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import { writeFileSync } from 'node:fs';

const now = 1767225600;
// By openssl's command, because node takes no exponent of more than 32 bits.
const pair = (bits, exponent = 65537) => {
    const how = ['-algorithm', 'RSA', '-pkeyopt', `rsa_keygen_bits:${bits}`, '-pkeyopt', `rsa_keygen_pubexp:${exponent}`];
    const privateKey = crypto.createPrivateKey(execFileSync('openssl', ['genpkey', ...how], { stdio: 'pipe' }));
    return { privateKey, publicKey: crypto.createPublicKey(privateKey) };
};
const one = pair(2048), two = pair(2048), rogue = pair(2048);

const jwk = ({ publicKey }, kid) => {
    const { n, e } = publicKey.export({ format: 'jwk' });
    return { kty: 'RSA', alg: 'RS256', use: 'sig', kid, n, e };
};
const rs256 = (text, { privateKey }) => crypto.sign('sha256', Buffer.from(text), privateKey);
const rs512 = (text, { privateKey }) => crypto.sign('sha512', Buffer.from(text), privateKey);
const ps256 = (text, { privateKey }) =>
    crypto.sign('sha256', Buffer.from(text), {
        key: privateKey,
        padding: crypto.constants.RSA_PKCS1_PSS_PADDING,
        saltLength: 32,
    });
// The old confusion: the public key, which everybody has, as the secret.
const hs256 = (text, { publicKey }) =>
    crypto.createHmac('sha256', publicKey.export({ type: 'spki', format: 'pem' })).update(text).digest();
const nothing = () => Buffer.alloc(0);

const part = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const token = (key, head, claims, sign = rs256) => {
    const text = `${part(head)}.${part(claims)}`;
    return `${text}.${sign(text, key).toString('base64url')}`;
};
const head = { alg: 'RS256', kid: 'fg-1', typ: 'JWT' };
const claims = { iss: 'https://issuer.example', aud: 'filmgate-test', iat: now, exp: now + 600, sub: 'x' };
const good = token(one, head, claims);
const swapped = (at, value) => good.split('.').map((p, i) => (i === at ? part(value) : p)).join('.');

const tokens = {
    good,
    second_key: token(two, { ...head, kid: 'fg-2' }, claims),
    aud_list: token(one, head, { ...claims, aud: ['other', 'filmgate-test'] }),
    no_aud: token(one, head, { exp: now + 600 }),
    far_times: token(one, head, '{"exp":9223372036854775807,"nbf":-9223372036854775808}'),
    kid_of_other: token(one, { ...head, kid: 'fg-2' }, claims),
    kid_unknown: token(rogue, { ...head, kid: 'fg-3' }, claims),
    key_unknown: token(rogue, head, claims),
    no_kid: token(one, { alg: 'RS256' }, claims),
    crit: token(one, { ...head, crit: ['exp'] }, claims),
    no_exp: token(one, head, { ...claims, exp: undefined }),
    exp_text: token(one, head, { ...claims, exp: String(now + 600) }),
    nbf_600: token(one, head, { ...claims, nbf: now + 600, exp: now + 6000 }),
    iat_600: token(one, head, { ...claims, iat: now + 600, exp: now + 6000 }),
    claims_swapped: swapped(1, { ...claims, sub: 'y' }),
    head_swapped: swapped(0, { kid: 'fg-1', alg: 'RS256' }),
    none: token(one, { ...head, alg: 'none' }, claims, nothing),
    none_signed: token(one, { ...head, alg: 'none' }, claims),
    no_alg: token(one, { kid: 'fg-1' }, claims),
    hs256: token(one, { ...head, alg: 'HS256' }, claims, hs256),
    rs512: token(one, { ...head, alg: 'RS512' }, claims, rs512),
    ps256: token(one, head, claims, ps256),
};

const sizes = [
    [2048, 65537, true], [3072, 65537, true], [8192, 65537, true],
    [1024, 65537, false], [2047, 65537, false], [8200, 65537, false],
    [2048, 3, false], [2048, 65539, true], [2048, 4294967295, true], [2048, 4294967297, false],
].map(([bits, exponent, valid]) => {
    const key = pair(bits, exponent);
    const { n, e } = key.publicKey.export({ format: 'jwk' });
    return { about: `${bits} bits, e ${exponent}`, n, e, signature: rs256('abc', key).toString('base64url'), valid };
});

const jwks = { keys: [jwk(one, 'fg-1'), jwk(two, 'fg-2')] };
writeFileSync(new URL('rsa.json', import.meta.url), JSON.stringify({ now, jwks, tokens, message: 'abc', sizes }, null, 1) + '\n');
