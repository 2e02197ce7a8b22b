/* Decides what is on the screen: opening, sign-in or desk; and connects the parts. */

import { api, onUnauthorized } from './api.js';
import { announce, el, setShown, setText } from './dom.js';
import { forgetIntents } from './intent.js';
import { Store } from './store.js';
import { clockWords } from './time.js';
import { CreateView } from './view-create.js';
import { ReelView } from './view-reel.js';
import { SignInView } from './view-sign-in.js';
import { connectionWords, errorWords } from './words.js';

const OPEN_AGAIN_MS = 3000;

/* Other tabs of this browser look at once when one of them did something; nothing secret travels
 * here. */
const tabs = 'BroadcastChannel' in window ? new BroadcastChannel('filmgate') : null;

let store = null,
    create = null,
    reel = null;
let openTimer = 0,
    failingSince = 0;

const signIn = new SignInView(open);

function show(name) {
    for (const id of ['opening', 'sign-in', 'desk']) setShown(el(id), id === name);
    setShown(el('session'), name === 'desk');
}

function showConnection(failure, asOf) {
    setShown(el('banner'), failure !== null);
    setText(el('banner-words'), failure ? connectionWords(failure, asOf, clockWords) : '');
    setText(el('as-of'), asOf ? `As of ${clockWords(asOf)}` : '');
    el('as-of').classList.toggle('stale', failure !== null);
}

/* Asks who we are: the cookie cannot be read from here. */
async function open(focus = false) {
    clearTimeout(openTimer);
    try {
        const me = await api.me();
        failingSince = 0;
        showConnection(null, 0);
        startDesk(me, focus);
    } catch (error) {
        if (error.status === 401) {
            showConnection(null, 0);
            closeDesk('');
            return;
        }
        failingSince ||= Date.now();
        setText(el('opening-words'), 'Waiting for the server…');
        showConnection({ since: failingSince, error }, 0);
        openTimer = setTimeout(open, OPEN_AGAIN_MS);
    }
}

function startDesk(me, focus) {
    store = new Store();
    store.addEventListener('connection', () => {
        const wasAway = !el('banner').hidden;
        showConnection(store.failure, store.asOf);
        if (wasAway && !store.failure) {
            announce('The connection is back.');
            create.hurry();
        }
    });
    reel = new ReelView(store, { useAgain: (job) => create.fill(job), changed });
    create = new CreateView(`${me.account}/${me.userId ?? ''}`, me.plan, (job) => {
        store.put(job);
        changed();
    });
    setText(el('who'), me.userId || me.account);
    show('desk');
    store.start();
    create.start();
    if (focus) el('create-title').focus();
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
    showConnection(null, 0);
    show('sign-in');
    signIn.show(notice);
}

onUnauthorized(() => {
    if (store) closeDesk('Your session has ended. Please sign in again.');
});

el('sign-out').addEventListener('click', async () => {
    try {
        await api.signOut();
    } catch (error) {
        if (error.status !== 401) {
            announce(`Not signed out. ${errorWords(error)}`);
            setText(el('as-of'), 'Not signed out: no answer');
            return;
        }
    }
    forgetIntents();
    tabs?.postMessage('signed-out');
    closeDesk('You are signed out.');
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
