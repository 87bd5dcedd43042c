import type { Entry } from 'chat-server-client';
import { el } from '../support/dom.ts';
import { growingText } from '../support/growing-text.ts';
import { words } from '../words/index.ts';
import type { MessageActions } from './actions.ts';

/** A text field in the place of the message. */
export function messageEditor(entry: Entry, actions: MessageActions): HTMLElement {
  const text = words().editing;
  const { box, field } = growingText({
    'aria-label': text.label,
    class: 'edit-text',
    dir: 'auto',
  });
  field.value = actions.editText(entry);
  const save = () => actions.saveEdit(entry, field.value);
  field.addEventListener('input', () => actions.keepEdit(entry, field.value));
  field.addEventListener('keydown', (event) => {
    // Enter that ends the input of a syllable is not meant for the page.
    if (event.isComposing) return;
    if (event.key === 'Escape') {
      event.preventDefault();
      event.stopPropagation();
      actions.cancelEdit(entry);
    } else if (event.key === 'Enter' && !event.shiftKey && !matchMedia('(pointer: coarse)').matches) {
      event.preventDefault();
      save();
    } else event.stopPropagation();
  });
  const cancel = () => actions.cancelEdit(entry);
  return el(
    'div',
    { class: 'editor' },
    box,
    el(
      'p',
      { class: 'editor-row' },
      el('button', { type: 'button', class: 'primary', onclick: save }, text.save),
      el('button', { type: 'button', onclick: cancel }, text.cancel),
      el('span', { class: 'hint' }, text.hint),
    ),
  );
}
