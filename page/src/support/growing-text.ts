import { el } from './dom.ts';

/**
 * A text field that grows with its text. A copy of the text in the same cell gives the height, so
 * nothing is measured, and no other part of the page moves for a moment.
 */
export function growingText(props: Parameters<typeof el>[1]): { box: HTMLElement; field: HTMLTextAreaElement } {
  const copy = el('div', { class: 'grow-copy', 'aria-hidden': 'true' });
  const field = el('textarea', { rows: 1, ...props });
  const box = el('div', { class: 'grow' }, copy, field);
  const value = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value') as PropertyDescriptor;
  const grow = () => {
    copy.textContent = `${field.value}\u200b`;
  };
  // A text that the page puts in grows the field too.
  Object.defineProperty(field, 'value', {
    configurable: true,
    get: () => value.get?.call(field),
    set: (text: string) => {
      value.set?.call(field, text);
      grow();
    },
  });
  field.addEventListener('input', grow);
  grow();
  return { box, field };
}
