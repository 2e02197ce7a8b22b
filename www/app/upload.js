/* Sends a file and tells how much of it has gone: fetch cannot. The same picture twice is one, so it may be sent again
 * whenever there was no answer. */

import { refusalOf, Unreachable } from './api.js';
import { noteServerDate } from './time.js';

const SENT_WITHIN_MS = 120000;

/* progress(sent): bytes of it that have left. Throws a Problem or Unreachable; an AbortError when signal says so. */
export function sendPicture(file, { progress, signal }) {
    return new Promise((resolve, reject) => {
        const request = new XMLHttpRequest();
        const lost = () => reject(new Unreachable('no answer'));
        request.open('POST', '/v1/uploads');
        request.timeout = SENT_WITHIN_MS;
        request.responseType = 'json';
        request.setRequestHeader('Accept', 'application/json');
        request.setRequestHeader('Content-Type', 'application/octet-stream');
        request.upload.addEventListener('progress', (event) => progress(event.loaded));
        request.addEventListener('error', lost);
        request.addEventListener('timeout', lost);
        request.addEventListener('abort', () => reject(signal.reason));
        request.addEventListener('load', () => {
            noteServerDate(request.getResponseHeader('Date'));
            const ok = request.status >= 200 && request.status < 300;
            if (ok && request.response) resolve(request.response);
            else if (ok) lost(); /* a hotel's login page answers 200 as well */
            else reject(refusalOf(request.status, request.response, request.getResponseHeader('Retry-After')));
        });
        signal.addEventListener('abort', () => request.abort());
        request.send(file);
    });
}
