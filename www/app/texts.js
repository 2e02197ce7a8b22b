/* The language of the page: what was chosen here, else the browser's first one that we have. All texts of a language are
 * in one file, text/CODE.js; only that one is loaded. */

const SLOT = 'filmgate.language';
const LANGUAGES = { en: 'English', de: 'Deutsch' };

function pick() {
    let chosen = null;
    try {
        chosen = localStorage.getItem(SLOT);
    } catch {
        /* not allowed here: the browser's will do */
    }
    const wanted = [chosen, ...navigator.languages.map((tag) => tag.split('-')[0])];
    return wanted.find((code) => Object.hasOwn(LANGUAGES, code)) ?? 'en';
}

/* Of which page: <html data-texts="/support/text"> says where another one keeps its own. */
const folder = document.documentElement.dataset.texts ?? '/app/text';

export const language = pick();
document.documentElement.lang = language;
/* For numbers, moments and prices. */
export const locale = { en: 'en-GB', de: 'de' }[language];
export const texts = (await import(`${folder}/${language}.js`)).default;

/* "create.title" */
const textOf = (path) => path.split('.').reduce((place, name) => place[name], texts);

/* Fills what a page says by itself: data-text="create.title", and data-label, data-placeholder, data-title for attributes.
 * Of a template its content. */
export function fillTexts(root) {
    const attributes = { label: 'aria-label', placeholder: 'placeholder', title: 'title' };
    for (const node of root.querySelectorAll('[data-text]')) node.textContent = textOf(node.dataset.text);
    for (const [name, attribute] of Object.entries(attributes))
        for (const node of root.querySelectorAll(`[data-${name}]`)) node.setAttribute(attribute, textOf(node.dataset[name]));
    for (const template of root.querySelectorAll('template')) fillTexts(template.content);
}

/* A choice of the language: the page opens anew in it. Drafts and the session are kept by others. */
export function offerLanguages(select) {
    for (const [code, name] of Object.entries(LANGUAGES)) {
        const option = new Option(name, code, false, code === language);
        option.lang = code;
        select.append(option);
    }
    select.addEventListener('change', () => {
        try {
            localStorage.setItem(SLOT, select.value);
        } catch {
            return; /* not allowed here: nothing would remember it */
        }
        location.reload();
    });
}
