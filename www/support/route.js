/* Where we are, after the #: it can be sent to a colleague, and words that are searched for reach no server's log. */

const VIEWS = { '': 'overview', search: 'search', jobs: 'file', actions: 'log' };

/* { view, id, query }; null: not a place of ours ("#main"). */
export function readRoute(hash = location.hash) {
    if (hash !== '' && !hash.startsWith('#/')) return null;
    const [path, query = ''] = hash.slice(2).split('?');
    const [first, id = '', ...rest] = path.split('/');
    const isFile = first === 'jobs';
    const view = Object.hasOwn(VIEWS, first) && rest.length === 0 && isFile === (id !== '') ? VIEWS[first] : 'nowhere';
    return { view, id: decode(id), query: new URLSearchParams(query) };
}

function decode(part) {
    try {
        return decodeURIComponent(part);
    } catch {
        return part;
    }
}

/* filters that are empty stay away. replace: not a step to come back to. */
export function goTo(path, filters = {}, { replace = false } = {}) {
    const set = Object.entries(filters).filter(([, v]) => v !== '');
    const hash = `#/${path}${set.length > 0 ? `?${new URLSearchParams(set)}` : ''}`;
    if (hash === (location.hash || '#/')) return false;
    if (replace) history.replaceState(null, '', hash);
    else location.hash = hash;
    return true;
}
