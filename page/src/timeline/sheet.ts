import { el } from '../support/dom.ts';
import { icon } from '../support/icons.ts';
import { words } from '../words/index.ts';
import type { MessageActions } from './actions.ts';
import type { MessageRow } from './rows.ts';
import { itemsOf } from './toolbar.ts';

const LONG_PRESS_MS = 450;
const MOVED_PX = 10;

/**
 * Opens the actions of a message after a long press. A finger that scrolls does not.
 * @param rowAt gives the message under a finger
 */
export function listenToFingers(
  box: HTMLElement,
  list: HTMLElement,
  rowAt: (target: EventTarget | null) => MessageRow | null,
  actions: MessageActions,
): void {
  let timer = 0;
  let from = { x: 0, y: 0 };
  const cancel = () => clearTimeout(timer);
  list.addEventListener('pointerdown', ({ target, pointerType, clientX, clientY }) => {
    cancel();
    if (pointerType !== 'touch' || rowAt(target) === null) return;
    from = { x: clientX, y: clientY };
    timer = setTimeout(() => {
      const row = rowAt(target);
      if (row !== null) openSheet(row, actions);
    }, LONG_PRESS_MS);
  });
  list.addEventListener('pointermove', ({ clientX, clientY }) => {
    if (Math.hypot(clientX - from.x, clientY - from.y) > MOVED_PX) cancel();
  });
  for (const name of ['pointerup', 'pointercancel'] as const) list.addEventListener(name, cancel);
  box.addEventListener('scroll', cancel, { passive: true });
  list.addEventListener('contextmenu', (event) => {
    if ((event as PointerEvent).pointerType === 'touch') event.preventDefault();
  });
}

/** Shows the actions of a message as a sheet at the foot of a phone. */
function openSheet(row: MessageRow, actions: MessageActions): void {
  const items = itemsOf(row, actions);
  if (items.length === 0) return;
  const text = words().messages;
  const dialog = el('dialog', { class: 'sheet', 'aria-label': text.actions(row.entry.name) });
  // The finger of the long press is still down, and its end is a click on what is below it.
  let isReleased = false;
  dialog.addEventListener('pointerdown', () => {
    isReleased = true;
  });
  for (const { label, icon: name, press } of items) {
    const choose = ({ detail }: MouseEvent) => {
      if (detail > 0 && !isReleased) return;
      dialog.close();
      press.call(actions, row.entry);
    };
    dialog.append(
      el('button', { type: 'button', class: name === 'trash' ? 'danger' : null, onclick: choose }, icon(name), label),
    );
  }
  dialog.append(el('button', { type: 'button', onclick: () => dialog.close() }, icon('close'), text.cancel));
  dialog.addEventListener('click', ({ target }) => target === dialog && isReleased && dialog.close());
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
