import { el } from '../support/dom.ts';
import { en, ko } from '../words/dialogs.ts';
import { inLanguage, words } from '../words/index.ts';
import { ranked } from './match.ts';

export interface SwitcherItem {
  readonly key: string;
  readonly title: string;
  /** Where it is, such as the title of its community. */
  readonly about: string;
  readonly unread: number;
}

const MAX_SHOWN = 12;

/**
 * Opens a dialog that jumps to a place: a few letters, arrow keys and Enter. Places with unread
 * messages come first while nothing is typed. The focus returns to where it was.
 */
export function openSwitcher(items: readonly SwitcherItem[], go: (key: string) => void): void {
  const { find, title, unread: unreadText } = words().places;
  const text = inLanguage({ en, ko }).switcher;
  const unreadFirst = items.toSorted((a, b) => Number(b.unread > 0) - Number(a.unread > 0));
  const list = el('ul', { id: 'switcher-list', role: 'listbox', 'aria-label': title });
  const field = el('input', {
    type: 'text',
    role: 'combobox',
    autocomplete: 'off',
    'aria-expanded': 'true',
    'aria-controls': 'switcher-list',
    'aria-label': find,
    placeholder: text.placeholder,
  });
  const none = el('p', { class: 'switcher-none', role: 'status' });
  const dialog = el('dialog', { class: 'switcher', 'aria-label': find }, field, list, none);
  let shown: readonly SwitcherItem[] = [];
  let chosen = 0;

  function show(): void {
    shown = ranked(unreadFirst, ({ title, about }) => `${title} ${about}`, field.value).slice(0, MAX_SHOWN);
    chosen = 0;
    list.replaceChildren(...shown.map(option));
    none.textContent = shown.length === 0 ? text.none : '';
    mark();
  }

  function option({ title, about, unread }: SwitcherItem, index: number): HTMLElement {
    return el(
      'li',
      { id: `switcher-${index}`, role: 'option', onclick: () => take(index) },
      el('span', { class: 'switcher-title' }, title),
      el('span', { class: 'switcher-about' }, about),
      unread > 0 ? el('span', { class: 'badge' }, unreadText(unread)) : null,
    );
  }

  function mark(): void {
    for (const [index, element] of [...list.children].entries()) {
      element.setAttribute('aria-selected', String(index === chosen));
      if (index === chosen) element.scrollIntoView({ block: 'nearest' });
    }
    if (shown.length === 0) field.removeAttribute('aria-activedescendant');
    else field.setAttribute('aria-activedescendant', `switcher-${chosen}`);
  }

  function take(index: number): void {
    const item = shown[index];
    if (item === undefined) return;
    dialog.close();
    go(item.key);
  }

  field.addEventListener('input', show);
  field.addEventListener('keydown', (event) => {
    // While Korean is composed, the keys belong to the input method.
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === 'Enter') take(chosen);
    else if (step !== undefined && shown.length > 0) chosen = (chosen + step + shown.length) % shown.length;
    else return;
    event.preventDefault();
    if (dialog.open) mark();
  });
  closeOutside(dialog);
  document.body.append(dialog);
  show();
  dialog.showModal();
}

/** A press beside a dialog closes it. A dialog that is closed is removed. */
function closeOutside(dialog: HTMLDialogElement): void {
  dialog.addEventListener('pointerdown', (event) => {
    if (event.target !== dialog) return;
    const { left, right, top, bottom } = dialog.getBoundingClientRect();
    const isInside = event.clientX >= left && event.clientX <= right && event.clientY >= top && event.clientY <= bottom;
    if (!isInside) dialog.close();
  });
  dialog.addEventListener('close', () => dialog.remove());
}
