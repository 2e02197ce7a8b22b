/* Answers of /v1/admin for what a test cannot bring about: five hundred jobs that do not get on, every standing of a provider,
 * and words that somebody hostile wrote into every place there is. */

const MINUTE = 60000;
const ago = (ms) => new Date(Date.now() - ms).toISOString();

export const HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';
export const ARABIC = 'قارب ورقي على بحيرة هادئة';

function history(seed) {
    return Array.from({ length: 140 }, (_, i) => i).filter((i) => i % 7 !== seed % 7).map((i) => ({
        at: new Date(Math.floor((Date.now() - i * 10 * MINUTE) / (10 * MINUTE)) * 10 * MINUTE).toISOString(),
        accepted: (i * seed) % 13, refused: i % 17 === 0 ? 2 : 0, notSent: i % 29 === 0 ? 3 : 0, unknown: i % 47 === 0 ? 1 : 0,
        good: (i * seed) % 11, bad: i % 9 === 0 ? 2 : 0,
    }));
}

const provider = (name, state, more = {}) => ({
    name, state, why: null, since: null, until: null, paused: state === 'paused', breaker: 'closed', running: 3, waiting: 12,
    weather: [{ model: `${name}-one`, n: 120, good: 117, startP50Ms: 4000, startP90Ms: 21000, finishP50Ms: 61000, finishP90Ms: 140000 }],
    history: history(name.length === 3 ? 7 : name.length === 5 ? 11 : 4), ...more,
});

const WHYS = ['no_due_work', 'overdue', 'long_in_stage', 'past_deadline', 'submit_unknown'];

export function overview(change = {}) {
    return {
        at: ago(0),
        states: [
            { status: 'pending', stage: 'waiting', n: 41, oldestAt: ago(9 * MINUTE) },
            { status: 'pending', stage: 'submit_unknown', n: 1, oldestAt: ago(12 * MINUTE) },
            { status: 'processing', stage: 'rendering', n: 17, oldestAt: ago(3 * MINUTE) },
            { status: 'succeeded', stage: 'done', n: 10234, oldestAt: ago(90 * 1440 * MINUTE) },
        ],
        ages: [
            { status: 'pending', underMinute: 12, underHour: 29, underDay: 1, older: 0 },
            { status: 'processing', underMinute: 4, underHour: 13, underDay: 0, older: 0 },
        ],
        stuck: WHYS.map((why, i) => ({
            id: `job_stuck${i}`, accountId: 'acct_1', accountName: 'demo', status: 'pending', stage: 'waiting', provider: 'fal', model: 'fal-veo-3.1',
            since: ago((i + 1) * 90 * MINUTE), why,
        })),
        unknownSubmits: [{ id: 'job_doubt', provider: 'luma', model: 'luma-ray-3.2', since: ago(12 * MINUTE), giveUpAt: ago(-48 * MINUTE) }],
        reviews: { open: 0, oldestAt: null },
        providers: [
            provider('fal', 'ok'),
            provider('kling', 'paused', { since: ago(50 * MINUTE) }),
            provider('openai', 'parked', { why: 'credit', until: ago(-30 * MINUTE) }),
            provider('veo', 'braked', { until: ago(-20 * MINUTE) }),
            provider('runway', 'failing', { breaker: 'open', since: ago(2 * MINUTE), until: ago(-1 * MINUTE) }),
            provider('luma', 'trying', { breaker: 'half_open', weather: [], history: [] }),
        ],
        storage: { bytes: 734003200123, perDay: 21000000000, forecast: { freeBytes: 120000000000, fullAt: ago(-6 * 1440 * MINUTE) } },
        ledgerAudit: { checkedAt: ago(400 * MINUTE), broken: 2 },
        sweepers: [{ name: 'host-a', at: ago(3000), alive: true }, { name: 'host-b', at: ago(44 * MINUTE), alive: false }],
        webhooks: { pending: 14, failing: 1, oldestAt: ago(21 * MINUTE) },
        brakes: [], ...change,
    };
}

export const calm = () =>
    overview({
        states: [], ages: [], stuck: [], unknownSubmits: [], providers: [provider('fal', 'ok')], ledgerAudit: { checkedAt: ago(MINUTE), broken: 0 },
        sweepers: [{ name: 'host-a', at: ago(3000), alive: true }], webhooks: { pending: 0, failing: 0, oldestAt: null },
        storage: { bytes: 1000, perDay: null, forecast: { freeBytes: 120000000000, fullAt: null } },
    });

/* One job in whose every word somebody hostile had a hand. */
export function hostileFile(id) {
    const bad = HOSTILE;
    return {
        job: {
            id, status: 'failed', stage: null, errorCode: 'provider_failed', errorMessage: bad, prompt: `${bad} ${ARABIC}`, negativePrompt: bad,
            userId: bad, provider: 'fal', model: 'fal-veo-3.1', aspectRatio: '16:9', resolution: '720p', duration: 5, priceMicro: 400000,
            currency: 'USD', charged: false, createdAt: ago(20 * MINUTE), updatedAt: ago(MINUTE), finishedAt: ago(MINUTE), outputUrl: null,
            posterUrl: null, deadlineAt: ago(-20 * MINUTE),
        },
        account: { id: 'acct_1', name: bad, plan: bad, balanceMicro: 12500000, currency: 'USD' },
        summary: [{ at: ago(20 * MINUTE), text: `Accepted. ${bad}` }, { at: ago(MINUTE), text: 'Failed: the provider could not make it.' }],
        timeline: [
            { at: ago(20 * MINUTE), kind: 'event', type: 'created', data: { note: bad } },
            { at: ago(19 * MINUTE), kind: 'wire', attempt: 1, what: 'submit', method: 'POST', url: `https://x/${bad}`, status: 200, tookMs: 120, n: 1, excerpt: bad },
            { at: ago(18 * MINUTE), kind: 'callback', id: 3, provider: 'fal', verdict: 'forged', signed: false, excerpt: bad },
            { at: ago(17 * MINUTE), kind: 'moderation', target: 'prompt', checker: bad, verdict: 'pass', rule: bad },
            { at: ago(16 * MINUTE), kind: 'delivery', id: 'whd_1', url: `https://${bad}`, type: 'job.failed', state: 'failing', lastExcerpt: bad },
            { at: ago(15 * MINUTE), kind: 'action', id: 9, actor: bad, action: 'ask', reason: bad, outcome: 'done', data: { a: bad } },
            { at: ago(14 * MINUTE), kind: 'of tomorrow', words: bad },
        ],
        attempts: [{
            n: 1, provider: 'fal', model: 'fal-veo-3.1', adapter: 'fal', remoteModel: bad, state: 'failed', clientRef: 'fg_1', providerJobId: bad,
            createdAt: ago(19 * MINUTE), answeredAt: ago(19 * MINUTE), startedAt: null, endedAt: ago(MINUTE), outcome: 'provider_failed',
            costMicro: 100000, expectedMicro: 400000, detail: bad, seed: 7, unknownWord: bad, cancelAt: null,
        }],
        wire: [
            { attempt: 1, what: 'submit', at: ago(19 * MINUTE), lastAt: ago(19 * MINUTE), n: 1, tookMs: 120, method: 'POST', url: 'https://x/y', status: 200, excerpt: bad },
            { attempt: 1, what: 'poll', at: ago(18 * MINUTE), lastAt: ago(2 * MINUTE), n: 41, tookMs: 80, method: 'GET', url: 'https://x/z', status: null, excerpt: 'timed out' },
        ],
        callbacks: [{ id: 3, at: ago(18 * MINUTE), provider: 'fal', verdict: 'forged', signed: false, attempt: 1, bytes: 120, requestId: 'req_1', excerpt: bad }],
        ledger: [{ id: 1, kind: 'hold', amountMicro: -400000, currency: 'USD', at: ago(20 * MINUTE), reference: null, note: bad }],
        moderation: [{ at: ago(17 * MINUTE), target: 'prompt', checker: bad, verdict: 'pass', category: bad, rule: bad, scores: { [bad]: 1 }, cached: true }],
        review: { state: 'decided', target: 'prompt', checker: 'rules', category: 'person', heldAt: ago(17 * MINUTE), until: ago(-60 * MINUTE), decidedAt: ago(16 * MINUTE), decidedBy: bad, note: bad },
        files: [{ kind: 'upload', name: bad, store: 'file', bytes: 120000, width: 640, height: 360, durationMs: null, digest: 'ab'.repeat(32), storedAt: ago(20 * MINUTE), deletedAt: null }],
        deliveries: [{ id: 'whd_1', endpointId: 'whe_1', url: 'https://example.org/hook', type: 'job.failed', state: 'pending', tries: 3, lastStatus: 500, lastExcerpt: bad, createdAt: ago(MINUTE), nextAt: ago(-MINUTE), deliveredAt: null }],
        holds: [{ id: 1, scope: 'job', reason: bad, by: bad, since: ago(10 * MINUTE), endedAt: null }],
        due: [{ kind: 'erase', dueAt: ago(-MINUTE), claimed: false, tries: 0 }],
        actions: [{ id: 9, at: ago(15 * MINUTE), actor: bad, action: 'ask', subject: id, reason: bad, outcome: 'done', data: { a: bad } }],
        can: ['cancel', 'ask', 'resolve', 'retry', 'adjust', 'redeliver', 'erase', 'hold', 'release', 'review'],
    };
}

export const found = (id, change = {}) => ({
    id, accountId: 'acct_1', accountName: 'demo', userId: null, status: 'failed', stage: null, errorCode: 'provider_failed', provider: 'fal',
    model: 'fal-veo-3.1', providerJobId: 'p_1', prompt: HOSTILE, createdAt: ago(20 * MINUTE), updatedAt: ago(MINUTE), finishedAt: ago(MINUTE),
    priceMicro: 400000, currency: 'USD', charged: false, matched: 'prompt', ...change,
});
