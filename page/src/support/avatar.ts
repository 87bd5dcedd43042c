import { el } from './dom.ts';

const TONES = 8;

/** The picture of a user, or the first letter of the name. Its name stands beside it. */
export function avatar(id: number | null, name: string, image: string | null): HTMLElement {
  const letter = [...name.trim()][0]?.toUpperCase() ?? '?';
  const made = el('span', { class: `avatar tone-${(id ?? 0) % TONES}`, 'aria-hidden': 'true', 'data-letter': letter });
  if (image === null || !/^(https?:|\/|data:image\/)/.test(image)) return made;
  const picture = el('img', { src: image, alt: '', loading: 'lazy' });
  picture.addEventListener('error', () => picture.remove());
  made.append(picture);
  return made;
}
