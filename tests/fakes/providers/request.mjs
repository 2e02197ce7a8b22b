/* One request as the dialects see it, and the table that leads it to a route. */

export class Request {
    /* path and search: below the provider's prefix. */
    constructor(sim, dialect, req, path, search) {
        Object.assign(this, { sim, dialect, method: req.method, headers: req.headers, path, search });
        this.params = {};
        this.body = null; /* Buffer, when there is one */
    }

    /* Where this dialect lives, for URLs in answers. */
    get base() {
        return `${this.sim.url}/${this.dialect.name}`;
    }

    get query() {
        return this.read ??= new URLSearchParams(this.search);
    }

    /* The body; undefined when it is no JSON object. */
    get json() {
        if (this.parsed === undefined)
            try {
                const value = JSON.parse(this.body);
                this.parsed = typeof value === 'object' && !Array.isArray(value) ? value : null;
            } catch {
                this.parsed = null;
            }
        return this.parsed ?? undefined;
    }

    /* What follows the word in the Authorization header. */
    key(word = 'Bearer') {
        const header = this.headers.authorization ?? '';
        return header.startsWith(`${word} `) ? header.slice(word.length + 1) : undefined;
    }
}

/* "/v1/predictions/{id}", "{rest...}" takes slashes too; the first that fits wins. */
function pattern(path) {
    const literal = (words) => words.replace(/[.*+?^$()|[\]\\]/g, '\\$&');
    const source = path.split(/(\{[a-z]+(?:\.\.\.)?\})/i).map((piece) => {
        const [, name, rest] = /^\{([a-z]+)(\.\.\.)?\}$/i.exec(piece) ?? [];
        return name ? `(?<${name}>${rest ? '.+' : '[^/]+?'})` : literal(piece);
    });
    return new RegExp(`^${source.join('')}$`);
}

export class Routes {
    #byMethod = {};

    constructor(routes) {
        for (const route of routes)
            (this.#byMethod[route.method] ??= []).push([pattern(route.path), route]);
    }

    /* The route, with q.params set; or undefined. */
    find(q) {
        for (const [shape, route] of this.#byMethod[q.method] ?? []) {
            const match = shape.exec(q.path);
            if (!match)
                continue;
            try {
                for (const [name, value] of Object.entries(match.groups ?? {}))
                    q.params[name] = decodeURIComponent(value);
            } catch { /* a bad escape */
                return undefined;
            }
            return route;
        }
        return undefined;
    }
}

/* Parts of a multipart/form-data body: [{ name, filename?, type?, data }]; undefined when it is none. */
export function multipart(body, contentType = '') {
    const [, quoted, bare] = /^multipart\/form-data;.*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType) ?? [];
    if (!body || !(quoted ?? bare))
        return undefined;
    const line = `--${quoted ?? bare}`, raw = body.toString('latin1');
    return raw.split(line).slice(1, -1).map((piece) => {
        const [head, ...rest] = piece.replace(/^\r\n/, '').split('\r\n\r\n');
        const words = Buffer.from(head, 'latin1').toString('utf8');
        return {
            name: /\bname="([^"]*)"/.exec(words)?.[1], filename: /\bfilename="([^"]*)"/.exec(words)?.[1],
            type: /^content-type:\s*(\S+)/im.exec(words)?.[1],
            data: Buffer.from(rest.join('\r\n\r\n').replace(/\r\n$/, ''), 'latin1'),
        };
    });
}
