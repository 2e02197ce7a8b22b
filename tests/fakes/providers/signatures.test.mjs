/* The signing functions against vectors that other programs made: node's crypto, OpenSSL, the vendors' libraries. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ed25519FromSeed } from './keys.mjs';
import { falSignature, jwtHs256, jwtOpen, standardSignature } from './sign.mjs';

const A = 'whsec_ZmlsbWdhdGUtdGVzdC1zZWNyZXQtbnVtYmVyLTAwMDE=';
const B = 'whsec_ZmlsbWdhdGUtcm90YXRlZC1zZWNyZXQtMDAwMDAwMDI=';
const C = 'whsec_LnG07btnzJDTNZJbfDd4AxYP682SOApJ00mq0qNO4MO+mGYvbsuFXyM/fzX275YNA08vcRa39IJ2RfMUSjaqXA==';
const SVIX = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const BODY = '{"type":"video.succeeded","timestamp":"2026-01-01T00:00:00Z","data":{"id":"job_01","status":"succeeded"}}';

const STANDARD = [
    [A, 'msg_2fG7hKq9Zr01', 1767225600, BODY, 'v1,fscKTpjtoSLAXTW1bPY9wQVnai8YJTyQEOAHNpDTFNo='],
    [C, 'msg_0001', 1700000000, '{"prompt":"café — 東京 🎬","n":1}',
        'v1,seLNmfWIbgwvXfm+GxHU+FCBl2xlfh48XH6b0FyqZ/E='],
    [A, 'msg_empty', 1767225600, '', 'v1,l9SrUdoF2DooHcXDUrp+2Z2hI/77hq0tjvDK0vfK0qY='],
    [B, 'msg_2fG7hKq9Zr01', 1767225600, BODY, 'v1,cyAYVrM5Cgv+0LoQUbt9tT6DAUDTg7xHzbE+TaXi+UY='],
    [A, 'msg_nl', 1767225601, '{\n  "ok": true\n}\n', 'v1,SkgScRyvj/T8HJiV+d7/PGCLOVR33CNndV/COci8Q3Y='],
    [SVIX, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, '{"test": 2432232314}',
        'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='],
];

test('Standard Webhooks', () => {
    for (const [secret, id, timestamp, body, want] of STANDARD)
        assert.equal(standardSignature(secret, id, timestamp, body), want, id);
});

const falSeed = (which) => createHash('sha256').update(`filmgate fal vector key ${which}`).digest();
const ID_1 = '11111111-2222-3333-4444-555555555555', ID_2 = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee';
const FAL = [
    ['A', ID_1, 'user_2abcDEF', 1767225600,
        `{"request_id":"${ID_1}","gateway_request_id":"${ID_1}","status":"OK","payload":{"video":` +
        '{"url":"https://v3.fal.media/files/x/out.mp4","content_type":"video/mp4","file_name":"out.mp4",' +
        '"file_size":1048576},"seed":42}}',
        '93a7d64977e38cab83d4b2dd37472e094447407daa715ac292d0527fed8c6bb8' +
        '2ffe99be6dccd03921f633c277322986835a2f94893979fb4db9cedba4b04106'],
    ['B', ID_2, 'user_2abcDEF', 1767225660,
        `{"request_id":"${ID_2}","gateway_request_id":"${ID_2}","status":"ERROR",` +
        '"error":"Invalid status code: 422","payload":{"detail":[{"loc":["body","prompt"],"msg":"flagged",' +
        '"type":"content_policy_violation"}]}}',
        'd7c98ee1d8dc3a050123f3cb9c6b048d3884412eab8039ebece9d40bc3bdc026' +
        'aea49018161bdee2c39cc4fccb803df3f9d51f0621f3498a53360edb3d287b0a'],
    ['A', 'req-empty', 'u1', 1700000000, '',
        '700f4972015f6ab95bcf13ddc61aab5fda00f00b8d60e518e06425235ddc362f' +
        '02c13184f20c25b11f3428de094bd3a05701207f7a5264ca791196ef75526800'],
    ['A', 'req-utf8', 'u1', 1700000001, '{"msg":"café 🎬"}',
        '28aeeb52d9705f05dfd29c357c165f90b9a758d366fc31c6b1eed03ea78ce93c' +
        'a3c5fafd9bce5773214fcb79b273faeb5c3f220c4dec1a1902d6ea48bbaff609'],
];

test('fal', () => {
    for (const [which, id, user, timestamp, body, want] of FAL)
        assert.equal(falSignature(ed25519FromSeed(falSeed(which)), id, user, timestamp, body), want, id);
});

const KLING = [
    ['AKtest0000000000000000000000001', 'SKtest0000000000000000000000001', 1767225600,
        'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJBS3Rlc3QwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAxIiwiZXhwIjoxNzY3MjI3' +
        'NDAwLCJuYmYiOjE3NjcyMjU1OTV9.qjml2X_0tClMtZ-AYbVEkrcIbQknToctVqD3KwBw0io'],
    ['ak-example', 'sk-example-+/=~', 1700000000,
        'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJhay1leGFtcGxlIiwiZXhwIjoxNzAwMDAxODAwLCJuYmYiOjE2OTk5OTk5OTV9' +
        '.SAhi5f0JaJZNhxuJfXd7KKiDlPTTnWIMyNtkUS8p8Ow'],
    ['A1B2C3D4E5F60718293A4B5C6D7E8F90', '00112233445566778899aabbccddeeff', 1782864000,
        'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJBMUIyQzNENEU1RjYwNzE4MjkzQTRCNUM2RDdFOEY5MCIsImV4cCI6MTc4Mjg2' +
        'NTgwMCwibmJmIjoxNzgyODYzOTk1fQ.dNCqWTZgvsVMZo2O5G4-asDfDUixqASfTitv508PsNo'],
];

test('the tokens of Kling, made and read', () => {
    for (const [access, secret, now, want] of KLING) {
        const payload = { iss: access, exp: now + 1800, nbf: now - 5 };
        assert.equal(jwtHs256(payload, secret), want, access);
        assert.deepEqual(jwtOpen(want, secret), payload, access);
        assert.equal(jwtOpen(want, `${secret}x`), undefined, 'another secret');
        assert.equal(jwtOpen(`${want}=`, secret), undefined, 'padding');
        assert.equal(jwtOpen(want.replaceAll('-', '+').replaceAll('_', '/'), secret) === undefined,
            /[-_]/.test(want), 'the plain alphabet of base64');
    }
});
