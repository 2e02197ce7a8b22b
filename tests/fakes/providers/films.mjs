/* Real videos, a few kB each, made once per length and shape. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const LONG_SIDE = 128;
const films = new Map(); /* "5 16:9" to a promise of bytes */

/* "16:9", "1280:720", "720x1280"; anything else is 16:9. x264 wants even sides. */
function shape(ratio) {
    const [, w, h] = /^(\d+)[:x*](\d+)$/.exec(ratio ?? '') ?? [0, 16, 9];
    const side = (n) => Math.max(16, 2 * Math.round(LONG_SIDE * n / Math.max(w, h) / 2));
    return `${side(w)}x${side(h)}`;
}

/* The index comes first, as providers do it: a file that is cut off still promises its whole length. That needs a
 * file to go back in, so no pipe. */
async function make(seconds, size) {
    const folder = await mkdtemp(path.join(tmpdir(), 'fgsim.'));
    const file = path.join(folder, 'film.mp4');
    try {
        await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=8:duration=${seconds}`,
            '-c:v', 'libx264', '-preset', 'veryfast', '-crf', '45', '-pix_fmt', 'yuv420p', '-threads', '1',
            '-movflags', '+faststart', file]);
        return await readFile(file);
    } finally {
        await rm(folder, { recursive: true });
    }
}

export function film(seconds, ratio) {
    const size = shape(ratio), key = `${seconds} ${size}`;
    if (!films.has(key)) {
        films.set(key, make(seconds, size));
        films.get(key).catch(() => films.delete(key));
    }
    return films.get(key);
}
