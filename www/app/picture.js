/* What a picture says of itself in its first bytes: type and size, without decoding it. Pure. */

const ascii = (b, at, n) => String.fromCharCode(...b.subarray(at, at + n));
const starts = (b, text) => ascii(b, 0, text.length) === text;
const NONE = { width: 0, height: 0 };

function ofPng(b, view) {
    return b.length >= 24 && ascii(b, 12, 4) === 'IHDR' ? { width: view.getUint32(16), height: view.getUint32(20) } : NONE;
}

/* From marker to marker until the one that begins a frame: C0 to CF, but for C4, C8 and CC. */
function ofJpeg(b, view) {
    for (let at = 2; at + 9 <= b.length && b[at] === 0xff;) {
        const mark = b[at + 1];
        if (mark === 0xff) {
            at += 1;
            continue;
        }
        if (mark >= 0xc0 && mark <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(mark))
            return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
        at += 2 + (mark === 0x01 || (mark >= 0xd0 && mark <= 0xd8) ? 0 : view.getUint16(at + 2));
    }
    return NONE;
}

const uint24 = (view, at) => view.getUint16(at, true) | (view.getUint8(at + 2) << 16);

const WEBP = {
    'VP8 ': (view) => ({ width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff }),
    VP8L: (view) => {
        const bits = view.getUint32(21, true);
        return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
    },
    VP8X: (view) => ({ width: 1 + uint24(view, 24), height: 1 + uint24(view, 27) }),
};

function ofWebp(b, view) {
    return b.length >= 30 ? (WEBP[ascii(b, 12, 4)]?.(view) ?? NONE) : NONE;
}

/* By content, as the server does: what a file is called proves nothing. */
function typeOf(b) {
    if (starts(b, '\x89PNG\r\n\x1a\n')) return 'image/png';
    if (starts(b, '\xff\xd8\xff')) return 'image/jpeg';
    return b.length > 12 && starts(b, 'RIFF') && ascii(b, 8, 4) === 'WEBP' ? 'image/webp' : '';
}

const OF = { 'image/png': ofPng, 'image/jpeg': ofJpeg, 'image/webp': ofWebp };

/* { type: '' where it is none that is taken, width, height: 0 where it does not say }. head: Uint8Array. */
export function pictureFacts(head) {
    const type = typeOf(head),
        view = new DataView(head.buffer, head.byteOffset, head.length);
    return { type, ...(OF[type]?.(head, view) ?? NONE) };
}
