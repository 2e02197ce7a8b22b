/* Finding and changing elements. Nothing here writes HTML from text: all words go in as text
 * nodes. */

export const el = (id) => document.getElementById(id);

export function make(tag, props = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(props)) {
        if (name in node) node[name] = value;
        else node.setAttribute(name, value);
    }
    node.append(...children);
    return node;
}

/* Screen readers and selections survive when what did not change is left alone. */
export function setText(node, text) {
    if (node.textContent !== text) node.textContent = text;
}

export function setShown(node, shown) {
    if (node.hidden === shown) node.hidden = !shown;
}

/* Two announcements at once would swallow each other, so they are told together. */
const told = [];
let telling = 0;

export function announce(text) {
    if (told.includes(text)) return;
    told.push(text);
    clearTimeout(telling);
    telling = setTimeout(() => {
        el('live').textContent = told.splice(0).join(' ');
    }, 400);
}
