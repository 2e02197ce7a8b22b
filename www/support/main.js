/* Decides what is on the screen: opening, the door, or a view of the desk; and when it is looked at again. */

import { api, onUnauthorized } from '/app/api.js';
import { announce, el, setShown, setText } from '/app/dom.js';
import { fillTexts, offerLanguages, texts } from '/app/texts.js';
import { clockWords } from '/app/time.js';
import { ActDialog } from './act.js';
import { Looking } from './looking.js';
import { readRoute } from './route.js';
import { FileView } from './view-file.js';
import { LogView } from './view-log.js';
import { OverviewView } from './view-overview.js';
import { SearchView } from './view-search.js';
import { errorWords } from './words.js';

const t = texts.desk;
const OPEN_AGAIN_MS = 3000;

fillTexts(document);

const nowhere = { pauseMs: null, title: t.title, open() {}, close() {}, async look() {} };
const dialog = new ActDialog();
const looking = new Looking(looked);
const env = {
    looking, announce,
    /* Asks, does, looks at what came of it; null: nothing was done. */
    async act(ask) {
        const result = await dialog.ask({ ...ask, failed: () => looking.hurry() });
        if (result === null) return null;
        announce(texts.act.done(ask.name));
        await looking.hurry();
        return result;
    },
    titled: (words) => setTitle(words),
};
const views = {
    overview: new OverviewView(env), search: new SearchView(env), file: new FileView(env), log: new LogView(env), nowhere,
};
let current = null; /* the view on the screen; null: not signed in */
let isIn = false;
let openTimer = 0;
let failingSince = 0;

function setTitle(words) {
    const title = t.page(words);
    if (document.title !== title) document.title = title;
}

function showOnly(name) {
    for (const id of ['opening', 'sign-in', ...Object.keys(views)]) setShown(el(id), id === name);
    setShown(el('session'), isIn);
    setShown(el('nav'), isIn);
}

/* ---- who is here ---- */

async function open() {
    clearTimeout(openTimer);
    try {
        const me = await api.me();
        failingSince = 0;
        showConnection(null);
        if (me.role === 'admin') enter(me);
        else shut({ denied: me });
    } catch (error) {
        if (error.status === 401) {
            showConnection(null);
            shut({});
            return;
        }
        showConnection(error);
        setText(el('opening-words'), t.waiting);
        openTimer = setTimeout(open, OPEN_AGAIN_MS);
    }
}

function enter(me) {
    isIn = true;
    setText(el('who'), me.account);
    go();
}

/* The place in the address stays: after signing in one is back there. */
function shut({ notice = '', denied = null }) {
    isIn = false;
    dialog.abandon();
    looking.stop();
    current?.close();
    current = null;
    showOnly('sign-in');
    setText(el('sign-in-title'), denied ? t.denied : t.signIn);
    setText(el('sign-in-notice'), notice);
    setShown(el('sign-in-notice'), notice !== '');
    setShown(el('denied'), denied !== null);
    setText(el('denied-words'), denied ? t.deniedWords(denied.role, denied.userId || denied.account) : '');
    setTitle(denied ? t.denied : t.signIn);
    el(notice || denied ? 'sign-in-title' : 'key').focus();
}

function keyError(words) {
    setText(el('key-error'), words);
    if (words) el('key').setAttribute('aria-invalid', 'true');
    else el('key').removeAttribute('aria-invalid');
}

let isSigningIn = false;

el('sign-in-form').addEventListener('submit', async (event) => {
    event.preventDefault();
    const key = el('key').value.trim();
    if (isSigningIn) return;
    if (!key) {
        keyError(t.keyMissing);
        el('key').focus();
        return;
    }
    isSigningIn = true;
    keyError('');
    try {
        await api.signIn(key);
        el('key').value = '';
        await open();
    } catch (error) {
        keyError(error.status === 400 || error.status === 401 ? t.keyWrong : errorWords(error));
        el('key').focus();
    } finally {
        isSigningIn = false;
    }
});
el('key').addEventListener('input', () => keyError(''));

async function signOut() {
    try {
        await api.signOut();
    } catch (error) {
        if (error.status !== 401) {
            announce(t.notSignedOut);
            setText(el('as-of'), t.notSignedOut);
            return;
        }
    }
    shut({ notice: t.signedOut });
}
el('sign-out').addEventListener('click', signOut);
el('denied-out').addEventListener('click', signOut);

onUnauthorized(() => {
    if (isIn) shut({ notice: t.ended });
});

/* ---- where we are ---- */

function go() {
    const route = readRoute();
    if (!isIn || !route) return;
    const view = views[route.view];
    const isNew = current !== view;
    if (isNew) {
        current?.close();
        current = view;
        showOnly(route.view);
    }
    dialog.abandon();
    for (const link of el('nav').querySelectorAll('a'))
        if (link.dataset.view === route.view) link.setAttribute('aria-current', 'page');
        else link.removeAttribute('aria-current');
    setTitle(view.title);
    const isElsewhere = view.open(route) ?? isNew;
    if (isElsewhere) {
        window.scrollTo(0, 0);
        el(`${route.view}-title`).focus({ preventScroll: true });
    }
    looking.start(view);
}
window.addEventListener('hashchange', go);
el('skip').addEventListener('click', (event) => {
    event.preventDefault(); /* #main would lead away from where we are */
    el('main').focus();
});

/* ---- the server ---- */

function showConnection(error) {
    const wasAway = !el('banner').hidden;
    setShown(el('banner'), error !== null);
    if (!error) {
        failingSince = 0;
        if (wasAway && isIn) announce(t.back);
        return;
    }
    failingSince ||= Date.now();
    const since = clockWords(failingSince);
    setText(el('banner-words'), error.code === undefined ? t.offline(since) : t.failing(since, error.code));
}

/* A refusal is the view's to tell; what passes is told above everything. */
function looked(error) {
    if (!isIn) return;
    if (error?.status === 403) {
        open();
        return;
    }
    const isPassing = error && (error.code === undefined || error.passing);
    showConnection(isPassing ? error : null);
    el('as-of').classList.toggle('stale', Boolean(error));
    if (!error) setText(el('as-of'), (looking.resting ? t.resting : t.asOf)(clockWords(Date.now())));
}
el('banner-retry').addEventListener('click', () => (isIn ? looking.hurry() : open()));
window.addEventListener('online', () => {
    if (failingSince && !isIn) open();
});

/* ---- languages ---- */

offerLanguages(el('language'));
setText(el('zone'), t.zone(Intl.DateTimeFormat().resolvedOptions().timeZone));
setTitle(t.title);
open();
