import type { Entry } from 'chat-server-client';
import { el } from '../support/dom.ts';
import { icon } from '../support/icons.ts';
import { en, ko } from '../words/dialogs.ts';
import { inLanguage, words } from '../words/index.ts';

/** Shows pictures large, one after the other. Escape closes it, arrows go on. */
export function openLightbox(pictures: readonly Entry[], first: Entry): void {
  const text = { ...words().files, ...inLanguage({ en, ko }).files };
  let index = Math.max(
    0,
    pictures.findIndex(({ key }) => key === first.key),
  );
  const picture = el('img', { alt: '' });
  const original = el('a', { target: '_blank', rel: 'noopener' }, text.original);
  const caption = el('figcaption', {}, el('span', { dir: 'auto' }), ' ', original);
  const close = el('button', { type: 'button', class: 'icon-button', 'aria-label': text.close }, icon('close'));
  const back = el('button', { type: 'button', class: 'icon-button', 'aria-label': text.previous }, icon('back'));
  const on = el('button', { type: 'button', class: 'icon-button flip', 'aria-label': text.next }, icon('back'));
  const dialog = el('dialog', { class: 'lightbox', 'aria-label': text.open });
  dialog.append(close, back, el('figure', {}, picture, caption), on);

  const show = () => {
    const entry = pictures[index] ?? first;
    const { file } = entry;
    picture.src = file?.url ?? '';
    picture.alt = text.picture(entry.name);
    original.href = file?.url ?? '';
    (caption.firstElementChild as HTMLElement).textContent = file?.name ?? '';
    back.disabled = index === 0;
    on.disabled = index === pictures.length - 1;
  };
  const go = (step: number) => {
    index = Math.min(pictures.length - 1, Math.max(0, index + step));
    show();
  };
  back.addEventListener('click', () => go(-1));
  on.addEventListener('click', () => go(1));
  close.addEventListener('click', () => dialog.close());
  dialog.addEventListener('click', ({ target }) => target === dialog && dialog.close());
  dialog.addEventListener('keydown', ({ key }) => {
    if (key === 'ArrowLeft') go(-1);
    if (key === 'ArrowRight') go(1);
  });
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  show();
  dialog.showModal();
}
