import { el } from '../support/dom.ts';
import { icon } from '../support/icons.ts';
import { en, ko } from '../words/dialogs.ts';
import { inLanguage, words } from '../words/index.ts';

const KEYS = {
  find: ['Ctrl', 'K'],
  place: ['Alt', '↑', '↓'],
  unread: ['Alt', 'Shift', '↓'],
  region: ['F6'],
  send: ['Enter'],
  line: ['Shift', 'Enter'],
  last: ['↑'],
  move: ['↑', '↓', 'Home', 'End'],
  act: ['R', 'E', 'Delete'],
  escape: ['Esc'],
  list: ['?'],
} as const;

/** Shows the list of keyboard shortcuts. */
export function openShortcuts(): void {
  const text = inLanguage({ en, ko }).shortcuts;
  const dialog = el('dialog', { class: 'shortcuts', 'aria-labelledby': 'shortcuts-title' });
  const close = el(
    'button',
    { type: 'button', class: 'icon-button', 'aria-label': words().settings.close },
    icon('close'),
  );
  close.addEventListener('click', () => dialog.close());
  const list = el('dl', {});
  for (const [name, keys] of Object.entries(KEYS)) {
    const shown = keys.flatMap((key, index) => [index === 0 ? null : ' ', el('kbd', {}, key)]);
    list.append(el('div', {}, el('dt', {}, ...shown), el('dd', {}, text[name as keyof typeof KEYS])));
  }
  dialog.append(el('div', { class: 'dialog-head' }, el('h2', { id: 'shortcuts-title' }, text.title), close), list);
  dialog.addEventListener('click', ({ target }) => target === dialog && dialog.close());
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
