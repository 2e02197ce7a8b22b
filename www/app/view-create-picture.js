/* The first picture: dropped, pasted or chosen; looked at before it is sent, shown at once, and sent while the rest is
 * written. Drawn onto a canvas: no address of its own is needed for that, so the content policy stays as it is. */

import { api } from './api.js';
import { announce, el, setShown, setText } from './dom.js';
import { pictureFacts } from './picture.js';
import { checkPicture } from './rules.js';
import { texts } from './texts.js';
import { sendPicture } from './upload.js';
import { errorWords } from './words.js';

const SHOWN_PX = 320;
const SUFFIXES = { 'image/png': 'PNG', 'image/jpeg': 'JPEG', 'image/webp': 'WebP' };

const filesOf = (transfer) => [...(transfer?.files ?? [])];
const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes('Files');

export class PictureRoom {
    #world = null;
    #takes = 'optional';
    #file = null;
    #upload = null;
    #sending = null;
    #told;
    #wrong;
    #changed;

    /* changed(): what there is. wrong(words): about it. on(node, type, fn): listens until the form ends. */
    constructor({ on, section, changed, wrong }) {
        this.#changed = changed;
        this.#wrong = wrong;
        this.#told = texts.create.picture;
        on(el('uploadId'), 'change', () => this.#choose([...el('uploadId').files]));
        on(el('picture-remove'), 'click', () => this.#remove());
        on(el('picture-stop'), 'click', () => this.#stop());
        on(el('picture-again'), 'click', () => this.#send());
        on(section, 'paste', (event) => this.#pasted(event));
        on(section, 'dragover', (event) => this.#over(event));
        on(section, 'dragleave', (event) => {
            if (!section.contains(event.relatedTarget)) this.#hover(false);
        });
        on(section, 'drop', (event) => this.#dropped(event));
        this.#show();
    }

    /* The upload that the job is to name, where the choice takes one. */
    get id() {
        return this.#takes === 'none' ? undefined : this.#upload?.id;
    }

    get isSending() {
        return this.#sending !== null;
    }

    /* Whether there is one, sent already or not. */
    get has() {
        return this.#upload !== null || this.#sending !== null;
    }

    /* world: as of rules.js. takes: of the choice, "none", "optional" or "required". */
    rule(world, takes) {
        const { types, maxBytes } = world.rules.upload,
            most = Math.min(maxBytes, world.plan.uploadBytes ?? Infinity);
        this.#world = world;
        this.#takes = takes;
        el('uploadId').accept = types.join();
        setText(el('picture-need'), this.#told[takes] ?? '');
        const named = types.map((type) => SUFFIXES[type] ?? type).join(', ');
        setText(el('picture-how'), this.#told.how({ types: named, size: texts.create.size(most) }));
    }

    /* One that was sent before: of a job, or of a draft. null: none. */
    async take(id) {
        this.#reset();
        if (!id) return;
        this.#upload = { id };
        this.#show();
        try {
            const upload = await api.uploaded(id);
            if (this.#upload?.id !== id) return;
            this.#upload = upload;
            el('uploadId-shown').src = upload.thumbnailUrl;
            setText(el('uploadId-words'), this.#told.kept(upload));
        } catch (problem) {
            if (this.#upload?.id !== id || (problem.status !== 404 && problem.status !== 410)) return;
            this.#reset();
            this.#wrong(this.#told.gone);
            this.#changed();
        }
        this.#show();
    }

    drop() {
        this.#reset();
    }

    #reset() {
        this.#sending?.abort();
        this.#sending = this.#file = this.#upload = null;
        el('uploadId').value = '';
        el('uploadId-shown').removeAttribute('src');
        el('picture-canvas').width = 0;
        setText(el('uploadId-words'), '');
        this.#wrong('');
        this.#show();
    }

    #show() {
        const canvas = el('picture-canvas'),
            img = el('uploadId-shown');
        setShown(canvas, canvas.width > 0);
        setShown(img, canvas.width === 0 && img.hasAttribute('src'));
        setShown(el('picture-progress'), this.isSending);
        setShown(el('picture-stop'), this.isSending);
        setShown(el('picture-again'), this.#file !== null && !this.has);
        setShown(el('picture-remove'), !this.isSending && (this.#upload !== null || this.#file !== null));
        setShown(el('picture-how'), !this.has);
        setText(el('picture-choose'), this.has || this.#file ? this.#told.replace : this.#told.choose);
    }

    /* ---- ways in ---- */

    #hover(on) {
        el('picture-field').classList.toggle('over', on);
        setText(el('picture-drop'), on ? this.#told.drop : '');
    }

    #over(event) {
        if (!carriesFiles(event)) return;
        event.preventDefault(); /* else the browser leaves the page to show it */
        const takes = this.#takes !== 'none';
        event.dataTransfer.dropEffect = takes ? 'copy' : 'none';
        this.#hover(takes);
    }

    #dropped(event) {
        if (!carriesFiles(event)) return;
        event.preventDefault();
        this.#hover(false);
        this.#choose(filesOf(event.dataTransfer));
    }

    /* Words that are pasted go where they belong. */
    #pasted(event) {
        const files = filesOf(event.clipboardData);
        if (files.length === 0 || event.clipboardData.types.includes('text/plain')) return;
        event.preventDefault();
        this.#choose(files);
    }

    #choose([file, more]) {
        if (!file || this.#takes === 'none' || !this.#world) return;
        this.#reset();
        this.#file = file;
        if (more) announce(this.#told.two);
        this.#look(file);
    }

    /* ---- before it is sent ---- */

    async #look(file) {
        let refusal,
            facts = { bytes: file.size };
        try {
            if (file.size > 0 && file.size <= this.#world.rules.upload.maxBytes)
                facts = { bytes: file.size, ...pictureFacts(new Uint8Array(await file.arrayBuffer())) };
            refusal = checkPicture(facts, this.#world.rules, this.#world.plan);
        } catch {
            refusal = { why: 'unreadable' };
        }
        if (this.#file !== file) return;
        if (refusal) this.#refuse(refusal);
        else {
            this.#draw(file);
            this.#send();
        }
    }

    #refuse(refusal) {
        const words = this.#told.wrong[refusal.why];
        this.#reset();
        this.#wrong(typeof words === 'function' ? words(refusal) : words);
        this.#changed();
    }

    /* What this browser cannot show the server may be able to read. */
    async #draw(file) {
        let picture;
        try {
            picture = await createImageBitmap(file);
        } catch {
            return;
        }
        if (this.#file === file) {
            const canvas = el('picture-canvas'),
                scale = Math.min(1, SHOWN_PX / Math.max(picture.width, picture.height));
            canvas.width = Math.max(1, Math.round(picture.width * scale));
            canvas.height = Math.max(1, Math.round(picture.height * scale));
            canvas.getContext('2d').drawImage(picture, 0, 0, canvas.width, canvas.height);
            this.#show();
        }
        picture.close();
    }

    /* ---- on its way ---- */

    #progress(sent) {
        const { size } = texts.create,
            of = this.#file.size,
            words = { sent: size(sent), of: size(of) };
        el('picture-progress').max = of;
        if (sent < of) el('picture-progress').value = sent;
        else el('picture-progress').removeAttribute('value'); /* how long the check takes nobody knows */
        setText(el('uploadId-words'), sent < of ? this.#told.sending(words) : this.#told.checking);
    }

    async #send() {
        const file = this.#file,
            sending = new AbortController(),
            progress = (sent) => this.#sending === sending && this.#progress(sent);
        if (!file) return;
        this.#sending = sending;
        this.#wrong('');
        this.#progress(0);
        this.#show();
        this.#changed();
        try {
            const upload = await sendPicture(file, { progress, signal: sending.signal });
            if (this.#sending === sending) this.#sent(upload);
        } catch (problem) {
            if (this.#sending === sending) this.#failed(problem);
        }
    }

    #sent(upload) {
        this.#sending = null;
        this.#upload = upload;
        setText(el('uploadId-words'), this.#told.ready({ ...upload, size: texts.create.size(upload.bytes) }));
        if (el('picture-canvas').width === 0) el('uploadId-shown').src = upload.thumbnailUrl;
        announce(this.#told.readySaid);
        this.#show();
        this.#changed();
    }

    #failed(problem) {
        const final = problem.status !== undefined && !problem.passing;
        this.#sending = null;
        if (final) this.#reset();
        else setText(el('uploadId-words'), this.#told.stopped);
        this.#wrong(problem.status === undefined ? this.#told.noAnswer : errorWords(problem));
        this.#show();
        this.#changed();
    }

    #stop() {
        const sending = this.#sending;
        this.#sending = null;
        sending?.abort();
        setText(el('uploadId-words'), this.#told.stopped);
        this.#show();
        this.#changed();
        el('picture-again').focus();
    }

    #remove() {
        this.#reset();
        announce(this.#told.removed);
        this.#changed();
        el('uploadId').focus();
    }
}
