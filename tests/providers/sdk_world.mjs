/* For tests that hold the simulator to what the providers' own clients send and expect. The clients are what npm has,
 * unchanged; only their base URL, or their fetch where they have none, points to the simulator. */
import assert from 'node:assert/strict';
import { startSimulator } from '../fakes/providers/simulator.mjs';
import { Hook, probe } from '../fakes/providers/world.mjs';

export { until } from '../e2e/stack.mjs';

/* A PNG of one pixel. */
export const PICTURE = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9' +
    'awAAAABJRU5ErkJggg==', 'base64');
export const PICTURE_URL = 'https://pictures.example/a.png';

/* A simulator that is quick, and somebody who listens: { sim, hook, ofPrompt, end }. */
export async function world(settings = {}) {
    const sim = await startSimulator({ queueMs: 100, renderMs: 300, fileSeconds: 2, ...settings });
    const hook = await new Hook().listen();
    return {
        sim, hook, ofPrompt: (prompt) => sim.books(prompt).requests,
        async end() {
            const { strays, bugs } = sim.books();
            await sim.stop();
            await hook.close();
            assert.deepEqual({ strays, bugs }, { strays: [], bugs: [] });
        },
    };
}

/* What a client got is a video. */
export async function isVideo(bytes) {
    const { codec, seconds } = await probe(Buffer.from(bytes));
    assert.deepEqual([codec, seconds], ['h264', 2]);
}

export async function download(url) {
    const answer = await fetch(url);
    assert.equal(answer.status, 200, url);
    await isVideo(await answer.arrayBuffer());
}
