/* One video for whoever has its link. The token stands after the # of the address: no server gets it with the page. */

import { api } from '/app/api.js';
import { el, make, setShown, setText } from '/app/dom.js';
import { fillTexts, offerLanguages, texts } from '/app/texts.js';
import { momentWords, serverNow, spanWords } from '/app/time.js';

const t = texts.share;
const TOKEN = /^sh_[0-9a-z]{26}$/;
const TIMER_MAX_MS = 2 ** 31 - 1;

let video = null;
let asked = 0; /* only the last question's answer counts */
let ending = 0;

document.title = t.pageTitle;
fillTexts(document);
offerLanguages(el('language'));

const tokenOf = () => location.hash.slice(1);

/* Links carry the address the server calls itself by; a page opened under another name may only load from there. */
const here = (url) => new URL(url, location.href).pathname;

/* Instead of the video: what is the matter, and what to do. */
function say([what, then], canTryAgain = false) {
    clearTimeout(ending);
    video?.remove();
    video = null;
    setShown(el('seen'), false);
    setText(el('title'), what);
    setText(el('why-words'), then);
    setShown(el('why'), true);
    setShown(el('again'), canTryAgain);
}

/* Revoked, over, deleted: the file says no more than that it does not come, so we ask what became of the link. */
async function mediaFailed() {
    const failed = video;
    if (!(await look()) || video !== failed) return;
    setText(el('why-words'), t.notPlayed);
    setShown(el('why'), true);
}

function show(job) {
    const words = t.video(job.prompt);
    setText(el('title'), t.title);
    setText(el('why-words'), '');
    for (const id of ['why', 'again']) setShown(el(id), false);
    setText(el('prompt'), job.prompt ?? t.noPrompt);
    el('prompt').classList.toggle('hint', job.prompt === null);
    setText(el('model'), job.model);
    setText(el('format'), t.formatOf(job.aspectRatio, job.resolution, job.duration));
    setText(el('made'), momentWords(Date.parse(job.createdAt)));
    const end = Date.parse(job.expiresAt), left = end - serverNow();
    setText(el('ends'), t.endsIn(momentWords(end), spanWords(left)));
    clearTimeout(ending);
    ending = setTimeout(look, Math.min(Math.max(left, 0) + 1000, TIMER_MAX_MS));
    el('download').href = `${here(job.videoUrl)}?download=1`;
    el('screen').dataset.ratio = job.aspectRatio;
    setShown(el('seen'), true);
    const src = here(job.videoUrl);
    if (video?.getAttribute('src') === src) return;
    video?.remove();
    video = make('video', { controls: true, playsInline: true, preload: 'metadata', poster: here(job.posterUrl), src });
    video.setAttribute('aria-label', words);
    video.addEventListener('error', mediaFailed);
    el('screen').append(video);
}

/* True: it is there. */
async function look() {
    const token = tokenOf(), mine = ++asked;
    if (!TOKEN.test(token)) {
        say(t.incomplete);
        return false;
    }
    try {
        const job = await api.shared(token);
        if (mine === asked) show(job);
        return true;
    } catch (error) {
        const final = error.code === 'link_invalid' || error.code === 'gone';
        if (mine === asked) say(final || error.code === 'rate_limited' ? t[error.code] : t.away, !final);
        return false;
    }
}

el('again').addEventListener('click', async () => {
    await look();
    el('main').focus();
});
window.addEventListener('hashchange', look);
/* Its address would take the place of the token. */
el('skip').addEventListener('click', (event) => {
    event.preventDefault();
    el('main').focus();
});

setText(el('why-words'), t.looking);
look();
