/* The page of a stack that a test starts for itself: page.mjs reads where that is when it is loaded. */
export async function ownPage(stack) {
    await stack.start();
    Object.assign(process.env, { FILMGATE_URL: stack.client.url, FILMGATE_KEY: stack.client.key });
    const kit = await import('./page.mjs');
    return { kit, browser: await kit.launch() };
}
