/* The signatures that the providers' callbacks carry, and the tokens that two of them use. `c` is what callbacks.mjs
 * says about one delivery: { id, timestamp (unix seconds), forged }. */
import { createHash, createHmac, createSign, sign, timingSafeEqual } from 'node:crypto';

/* One character of it is another: still well formed, no longer true. */
const spoil = (text, at) => text.slice(0, at) + (text[at] === 'a' ? 'b' : 'a') + text.slice(at + 1);

/* Standard Webhooks v1: "v1," and base64. */
export function standardSignature(secret, id, timestamp, body) {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
    return 'v1,' + createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64');
}

export function standardHeaders(secret, c, body) {
    const signature = standardSignature(secret, c.id, c.timestamp, body);
    return {
        'Content-Type': 'application/json',
        'webhook-id': c.id,
        'webhook-timestamp': String(c.timestamp),
        'webhook-signature': c.forged ? spoil(signature, 10) : signature,
    };
}

/* fal: Ed25519 over four lines, as 128 hexadecimal characters. */
export function falSignature(privateKey, requestId, userId, timestamp, body) {
    const digest = createHash('sha256').update(body).digest('hex');
    return sign(null, Buffer.from(`${requestId}\n${userId}\n${timestamp}\n${digest}`), privateKey).toString('hex');
}

export function falHeaders(privateKey, userId, requestId, c, body) {
    const signature = falSignature(privateKey, requestId, userId, c.timestamp, body);
    return {
        'Content-Type': 'application/json',
        'X-Fal-Webhook-Request-Id': requestId,
        'X-Fal-Webhook-User-Id': userId,
        'X-Fal-Webhook-Timestamp': String(c.timestamp),
        'X-Fal-Webhook-Signature': c.forged ? spoil(signature, 10) : signature,
    };
}

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

export function jwtHs256(payload, secret) {
    const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(payload)}`;
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

export function jwtRs256(payload, privateKey, kid, c = {}) {
    const text = `${part({ alg: 'RS256', typ: 'JWT', kid })}.${part(payload)}`;
    const signature = createSign('RSA-SHA256').update(text).sign(privateKey, 'base64url');
    return `${text}.${c.forged ? spoil(signature, 10) : signature}`;
}

/* The payload when the token is well formed and signed with the secret, else undefined. Times are the caller's. */
export function jwtOpen(token, secret) {
    const parts = token.split('.');
    if (parts.length !== 3 || !parts.every((text) => /^[A-Za-z0-9_-]+$/.test(text)))
        return undefined;
    const want = createHmac('sha256', secret).update(`${parts[0]}.${parts[1]}`).digest();
    const got = Buffer.from(parts[2], 'base64url');
    if (got.length !== want.length || !timingSafeEqual(got, want))
        return undefined;
    try {
        const [header, payload] = parts.slice(0, 2).map((text) => JSON.parse(Buffer.from(text, 'base64url')));
        return header.alg === 'HS256' ? payload : undefined;
    } catch {
        return undefined;
    }
}
