import type { Entry } from 'chat-server-client';
import { el } from '../support/dom.ts';
import { type IconName, icon } from '../support/icons.ts';
import { words } from '../words/index.ts';
import { type MessageActions, mayEdit, mayRemove, mayReply } from './actions.ts';
import type { MessageRow } from './rows.ts';

interface Item {
  readonly label: string;
  readonly icon: IconName;
  readonly press: (entry: Entry) => void;
}

/** The actions that a message has now. */
export function itemsOf({ entry, isOwn, isRemoving, isEditing }: MessageRow, actions: MessageActions): readonly Item[] {
  if (isRemoving || isEditing) return [];
  const text = words().messages;
  return [
    mayReply(entry) ? { label: text.reply, icon: 'reply', press: actions.reply } : null,
    mayEdit(entry, isOwn) ? { label: text.edit, icon: 'edit', press: actions.edit } : null,
    entry.text === '' ? null : { label: text.copyText, icon: 'copy', press: actions.copyText },
    entry.seq === null ? null : { label: text.copyLink, icon: 'link', press: actions.copyLink },
    mayRemove(entry, isOwn) ? { label: text.remove, icon: 'trash', press: actions.remove } : null,
  ].filter((item): item is Item => item !== null);
}

/** The buttons of the message under the pointer or with the focus. There is one for the list. */
export class Toolbar {
  readonly node = el('div', { class: 'toolbar', role: 'toolbar' });
  readonly #actions: MessageActions;
  #row: MessageRow | null = null;

  constructor(actions: MessageActions) {
    this.#actions = actions;
    this.node.addEventListener('keydown', (event) => this.#keyed(event));
  }

  /** Moves the buttons to a message. */
  showAt(item: HTMLElement, row: MessageRow): void {
    if (this.#row !== row || this.node.parentElement !== item) this.#fill(row);
    if (this.node.parentElement !== item) item.append(this.node);
    this.node.hidden = this.node.childElementCount === 0;
  }

  hide(): void {
    this.#row = null;
    this.node.remove();
  }

  get first(): HTMLElement | null {
    return this.node.querySelector('button');
  }

  #fill(row: MessageRow): void {
    this.#row = row;
    const { entry } = row;
    this.node.setAttribute('aria-label', words().messages.actions(entry.name));
    const buttons = itemsOf(row, this.#actions).map(({ label, icon: name, press }) =>
      el(
        'button',
        {
          type: 'button',
          tabindex: -1,
          title: label,
          'aria-label': label,
          'aria-describedby': entry.text === '' ? null : `text-${entry.key}`,
          class: name === 'trash' ? 'danger' : null,
          // The second click of a double click may meet another button.
          onclick: ({ detail }: MouseEvent) => detail <= 1 && press.call(this.#actions, entry),
        },
        icon(name),
      ),
    );
    this.node.replaceChildren(...buttons);
  }

  #keyed(event: KeyboardEvent): void {
    const buttons = [...this.node.querySelectorAll('button')];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.repeat && event.key === 'Enter') event.preventDefault();
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    buttons[(at + step + buttons.length) % buttons.length]?.focus();
  }
}
