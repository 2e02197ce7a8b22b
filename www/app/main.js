/* Decides what is on the screen: opening, sign-in or desk; and connects the parts. */

import { api, onUnauthorized } from './api.js';
import { announce, el, setShown, setText } from './dom.js';
import { News } from './news.js';
import { fillTexts, offerLanguages, texts } from './texts.js';
import { clockWords } from './time.js';
import { SignInView } from './view-sign-in.js';
import { connectionWords, errorWords, isRunning } from './words.js';

const t = texts.shell;

const OPEN_AGAIN_MS = 3000;

/* Other tabs of this browser look at once when one of them did something; nothing secret travels
 * here. */
const tabs = 'BroadcastChannel' in window ? new BroadcastChannel('filmgate') : null;

fillTexts(document);
offerLanguages(el('language'));

let store = null,
    create = null,
    reel = null;
let openTimer = 0,
    failingSince = 0;

const news = new News();
const signIn = new SignInView(open);

function show(name) {
    for (const id of ['opening', 'sign-in', 'desk']) setShown(el(id), id === name);
    setShown(el('session'), name === 'desk');
}

function showConnection(failure, asOf) {
    setShown(el('banner'), failure !== null);
    setText(el('banner-words'), failure ? connectionWords(failure, asOf, clockWords) : '');
    setText(el('as-of'), asOf ? t.asOf(clockWords(asOf)) : '');
    el('as-of').classList.toggle('stale', failure !== null);
}

/* Asks who we are: the cookie cannot be read from here. */
async function open(focus = false) {
    clearTimeout(openTimer);
    try {
        const me = await api.me();
        const parts = await deskParts();
        failingSince = 0;
        showConnection(null, 0);
        startDesk(me, parts, focus);
    } catch (error) {
        if (error.status === 401) {
            showConnection(null, 0);
            closeDesk('');
            return;
        }
        failingSince ||= Date.now();
        setText(el('opening-words'), t.waitingForServer);
        showConnection({ since: failingSince, error }, 0);
        openTimer = setTimeout(open, OPEN_AGAIN_MS);
    }
}

/* What only those who are signed in need is loaded then: who comes for the first time sees the door sooner. */
const deskParts = async () =>
    Object.assign({}, ...(await Promise.all([import('./store.js'), import('./view-create.js'), import('./view-reel.js')])));

function startDesk(me, { Store, CreateView, ReelView }, focus) {
    store = new Store();
    store.addEventListener('jobs', showRunning);
    store.addEventListener('connection', () => {
        const wasAway = !el('banner').hidden;
        showConnection(store.failure, store.asOf);
        if (wasAway && !store.failure) {
            announce(t.back);
            create.hurry();
        }
    });
    reel = new ReelView(store, { useAgain: (job, how) => create.fill(job, how), changed, done: (job) => news.tell(job) });
    create = new CreateView(`${me.account}/${me.userId ?? ''}`, me.plan, (job) => {
        store.put(job);
        changed();
    });
    setText(el('who'), me.userId || me.account);
    setShown(el('to-support'), me.role === 'admin');
    show('desk');
    store.start();
    create.start();
    if (focus) el('create-title').focus();
}

/* In the tab's title and its picture: those in the making. */
function showRunning() {
    const n = store ? [...store.jobs.values()].filter(isRunning).length : 0;
    document.title = n ? t.running(n) : 'filmgate';
    const icon = n ? '/favicon-running.svg' : '/favicon.svg';
    if (el('icon').getAttribute('href') !== icon) el('icon').setAttribute('href', icon);
}

/* Something was done here: look soon, and let the other tabs look too. */
function changed() {
    store?.look();
    tabs?.postMessage('changed');
}

function closeDesk(notice) {
    store?.stop();
    create?.stop();
    reel?.stop();
    store = create = reel = null;
    showRunning();
    showConnection(null, 0);
    show('sign-in');
    signIn.show(notice);
}

onUnauthorized(() => {
    if (store) closeDesk(t.ended);
});

el('sign-out').addEventListener('click', async () => {
    try {
        await api.signOut();
    } catch (error) {
        if (error.status !== 401) {
            announce(t.notSignedOut(errorWords(error)));
            setText(el('as-of'), t.notSignedOutBriefly);
            return;
        }
    }
    (await import('./intent.js')).forgetIntents();
    tabs?.postMessage('signed-out');
    closeDesk(t.signedOut);
});

function awake() {
    if (store) store.replan(!document.hidden);
    else if (failingSince && !document.hidden) open();
}

el('banner-retry').addEventListener('click', awake);
document.addEventListener('visibilitychange', awake);
window.addEventListener('online', () => {
    awake();
    create?.hurry();
});
window.addEventListener('offline', awake);
window.addEventListener('pageshow', (event) => {
    if (event.persisted)
        /* kept alive by the back button: anything may have happened meanwhile */
        awake();
});
tabs?.addEventListener('message', () => store?.look());

open();
