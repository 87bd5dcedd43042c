import type { TrayFile } from '../state/drafts.ts';
import { el } from '../support/dom.ts';
import { icon } from '../support/icons.ts';
import { sizeText } from '../support/times.ts';
import { words } from '../words/index.ts';

/** The files that will be sent, each with preview, name and size, and a way back. */
export function fileTray(files: readonly TrayFile[], remove: (file: TrayFile) => void): HTMLElement {
  const text = words().files;
  const items = files.map((file) => {
    const shown = el('span', { class: 'tray-shown' });
    if (file.data.type.startsWith('image/')) {
      const address = URL.createObjectURL(file.thumbnail ?? file.data);
      const picture = el('img', { src: address, alt: '', onload: () => URL.revokeObjectURL(address) });
      picture.addEventListener('error', () => picture.replaceWith(icon('file')));
      shown.append(picture);
    } else shown.append(icon('file'));
    return el(
      'li',
      {},
      shown,
      el(
        'span',
        { class: 'card-text' },
        el('span', { class: 'card-name', dir: 'auto' }, file.name),
        el('span', { class: 'card-size' }, sizeText(file.data.size)),
      ),
      el(
        'button',
        { type: 'button', class: 'icon-button', 'aria-label': text.remove(file.name), onclick: () => remove(file) },
        icon('close'),
      ),
    );
  });
  return el('ul', { class: 'tray', 'aria-label': text.chosen }, ...items);
}
