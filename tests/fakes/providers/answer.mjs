/* Answers as plain values, { status, headers, value } or { status, headers, body }, and the ways to spoil one. */

export const json = (status, value, headers = {}) => ({ status, value, headers });
export const text = (status, body, type = 'text/plain', headers = {}) =>
    ({ status, body, headers: { 'Content-Type': type, ...headers } });
/* The connection closes without an answer. */
export const NOTHING = { drop: true };

const wrong = (value) => {
    if (typeof value === 'string')
        return { text: value };
    if (typeof value === 'number')
        return `about ${value}`;
    if (Array.isArray(value))
        return value.length;
    return value === null ? [] : typeof value === 'object' ? [value] : 'maybe';
};

/* Every member of another type. */
export function wrongTypes(answer) {
    if (!answer.value)
        return answer;
    const list = Array.isArray(answer.value) ? answer.value : Object.entries(answer.value);
    return { ...answer, value: Array.isArray(answer.value) ? list.map(wrong)
        : Object.fromEntries(list.map(([key, value]) => [key, wrong(value)])) };
}

/* Half of the JSON, its length told truly. */
export function truncated(answer) {
    if (!answer.value)
        return answer;
    const whole = JSON.stringify(answer.value);
    return text(answer.status, whole.slice(0, whole.length / 2), 'application/json', answer.headers);
}

export function withHeader(answer, name, value) {
    return { ...answer, headers: { ...answer.headers, [name]: value } };
}

export function send(res, answer) {
    if (answer.drop) {
        res.destroy();
        return;
    }
    const body = answer.value === undefined ? answer.body ?? '' : JSON.stringify(answer.value);
    const headers = { ...answer.headers };
    if (answer.value !== undefined)
        headers['Content-Type'] ??= 'application/json';
    if (answer.status !== 204)
        headers['Content-Length'] = Buffer.byteLength(body);
    res.writeHead(answer.status, headers);
    if (answer.slowMs) {
        res.write(body.subarray(0, body.length >> 1));
        setTimeout(() => res.end(body.subarray(body.length >> 1)), answer.slowMs).unref();
        return;
    }
    if (answer.cut === undefined) {
        res.end(body);
        return;
    }
    /* More was promised than will come. */
    res.write(body.subarray(0, answer.cut), () => res.destroy());
}
