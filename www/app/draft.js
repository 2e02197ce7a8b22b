/* What somebody has begun to write: kept in this tab over reloads, ends of the session and changes of the language, for
 * the same account only. Signing out here forgets it. */

const SLOT = 'filmgate.draft';

/* Without storage (private windows of some browsers) it lives as long as the page. */
export function keepDraft(owner, body) {
    try {
        if (body) sessionStorage.setItem(SLOT, JSON.stringify({ owner, body }));
        else sessionStorage.removeItem(SLOT);
    } catch {
        return;
    }
}

/* null: there is none. Another account's is gone with this. */
export function draftOf(owner) {
    let kept = null;
    try {
        kept = JSON.parse(sessionStorage.getItem(SLOT));
    } catch {
        /* not ours, or not allowed */
    }
    if (kept?.owner === owner) return kept.body;
    keepDraft(owner, null);
    return null;
}
