import { el } from '../support/dom.ts';

/** Polite live regions of the page's own, so that a screen reader hears new messages only. */
const region = el('div', { id: 'live', class: 'visually-hidden', 'aria-live': 'polite' });
const MAX_CHARS = 240;
const KEPT = 4;
const NOTICE_MS = 4_000;
/** A notice with a button stays longer. */
const ACTION_MS = 10_000;
const notices = el('div', { id: 'notices', role: 'status' });

/** Puts the regions into the document. They must be there before something is said. */
export function placeAnnouncer(): void {
  document.body.append(region, notices);
}

/** Says a text to a screen reader. */
export function announce(text: string): void {
  region.append(el('p', {}, text.slice(0, MAX_CHARS)));
  while (region.childElementCount > KEPT) region.firstElementChild?.remove();
}

/** Shows a text that has no place of its own, with a button if there is something to do. */
export function notice(text: string, action?: { readonly label: string; readonly press: () => void }): void {
  const shown = el('div', { class: 'notice' }, el('span', {}, text));
  const end = () => shown.remove();
  if (action !== undefined) {
    const press = () => {
      end();
      action.press();
    };
    shown.append(el('button', { type: 'button', class: 'link', onclick: press }, action.label));
  }
  notices.append(shown);
  while (notices.childElementCount > KEPT) notices.firstElementChild?.remove();
  setTimeout(end, action === undefined ? NOTICE_MS : ACTION_MS);
}
