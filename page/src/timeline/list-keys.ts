import type { Entry } from 'chat-server-client';
import { later, withPart } from '../shell/later.ts';
import type { KeyedList } from '../support/dom.ts';
import { type MessageActions, mayEdit, mayRemove, mayReply } from './actions.ts';
import { MessageView } from './message-view.ts';
import type { MessageRow, Row } from './rows.ts';
import { Toolbar } from './toolbar.ts';

/**
 * The list under the keyboard, the pointer and the finger. The messages are one stop of the Tab
 * key; arrows go from one to the next.
 */
export class ListKeys {
  readonly #list: HTMLElement;
  readonly #keyed: KeyedList<Row>;
  readonly #actions: MessageActions;
  readonly #toolbar: Toolbar;
  readonly #toNewest: () => void;
  #current: string | null = null;
  #stop: HTMLElement | null = null;

  constructor(
    box: HTMLElement,
    list: HTMLElement,
    keyed: KeyedList<Row>,
    actions: MessageActions,
    toNewest: () => void,
  ) {
    this.#list = list;
    this.#keyed = keyed;
    this.#actions = { ...actions, edit: (entry) => this.#edit(entry, actions) };
    this.#toolbar = new Toolbar(this.#actions);
    this.#toNewest = toNewest;
    list.addEventListener('pointerover', (event) => event.pointerType !== 'touch' && this.#point(event.target));
    list.addEventListener('focusin', ({ target }) => this.#focused(target));
    box.addEventListener('pointerleave', () => this.#left());
    box.addEventListener('keydown', (event) => this.#pressed(event));
    if (navigator.maxTouchPoints > 0) {
      const rowAt = (target: EventTarget | null) => {
        const item = this.#itemOf(target);
        return item === null ? null : this.#rowOf(item);
      };
      withPart(later.sheet, ({ listenToFingers }) => listenToFingers(box, list, rowAt, this.#actions));
    }
  }

  /** After each change of the list. */
  refresh(): void {
    const isThere = this.#current !== null && this.#keyed.get(this.#current) !== undefined;
    if (!isThere) this.#current = this.#items.at(-1)?.dataset.key ?? null;
    const stop = this.#current === null ? null : (this.#keyed.get(this.#current)?.node ?? null);
    if (stop !== this.#stop) {
      this.#stop?.setAttribute('tabindex', '-1');
      stop?.setAttribute('tabindex', '0');
      this.#stop = stop;
    }
    const item = this.#toolbar.node.parentElement;
    const row = item === null ? null : this.#rowOf(item);
    if (item !== null && row !== null) this.#toolbar.showAt(item, row);
  }

  focus(key: string): void {
    this.#current = key;
    this.refresh();
    this.#keyed.get(key)?.node.focus({ preventScroll: true });
  }

  /** Moves the focus from a message that goes to the one below or above, otherwise nowhere. */
  focusBeside(key: string): void {
    const items = this.#items;
    const at = items.findIndex((item) => item.dataset.key === key);
    if (!items[at]?.contains(document.activeElement)) return;
    const beside = items[at + 1] ?? items[at - 1];
    if (beside?.dataset.key !== undefined) this.focus(beside.dataset.key);
  }

  focusLast(): void {
    if (this.#current !== null) this.focus(this.#current);
  }

  editLast(entries: readonly Entry[], me: number): void {
    const entry = entries.findLast(
      (each) => mayEdit(each, each.userId === me) && this.#keyed.get(each.key) !== undefined,
    );
    if (entry === undefined) return;
    this.#actions.edit(entry);
  }

  #edit(entry: Entry, actions: MessageActions): void {
    actions.edit(entry);
    const field = this.#keyed.get(entry.key)?.node.querySelector('textarea');
    field?.focus();
    field?.setSelectionRange(field.value.length, field.value.length);
    field?.scrollIntoView({ block: 'nearest' });
  }

  get #items(): HTMLElement[] {
    return [...this.#list.querySelectorAll<HTMLElement>(':scope > .message')];
  }

  #itemOf(target: EventTarget | null): HTMLElement | null {
    return target instanceof Element ? target.closest<HTMLElement>('#list > .message') : null;
  }

  #rowOf(item: HTMLElement): MessageRow | null {
    const view = this.#keyed.get(item.dataset.key ?? '');
    return view instanceof MessageView ? view.row : null;
  }

  #point(target: EventTarget | null): void {
    const item = this.#itemOf(target);
    const row = item === null ? null : this.#rowOf(item);
    // The buttons with the focus stay where they are.
    if (item === null || row === null || this.#toolbar.node.contains(document.activeElement)) return;
    this.#toolbar.showAt(item, row);
  }

  #left(): void {
    if (!this.#toolbar.node.parentElement?.contains(document.activeElement)) this.#toolbar.hide();
  }

  #focused(target: EventTarget | null): void {
    const item = this.#itemOf(target);
    const row = item === null ? null : this.#rowOf(item);
    if (item === null || row === null) return;
    this.#current = row.key;
    this.refresh();
    if (!(target instanceof HTMLTextAreaElement)) this.#toolbar.showAt(item, row);
  }

  #pressed(event: KeyboardEvent): void {
    if (event.target instanceof HTMLTextAreaElement || event.ctrlKey || event.metaKey || event.altKey) return;
    const item = this.#itemOf(event.target);
    const row = item === null ? null : this.#rowOf(item);
    if (item === null || row === null || event.isComposing) return;
    if (this.#move(event, item)) return;
    const { entry, isOwn } = row;
    const key = event.key.toLowerCase();
    if (event.repeat || event.target !== item) return;
    if (key === 'r' && mayReply(entry)) this.#actions.reply(entry);
    else if (key === 'e' && mayEdit(entry, isOwn)) this.#actions.edit(entry);
    else if (key === 'delete' && mayRemove(entry, isOwn)) this.#actions.remove(entry);
    else if (key === 'escape') this.#toNewest();
    else if (key === 'enter') this.#toolbar.first?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #move(event: KeyboardEvent, item: HTMLElement): boolean {
    const items = this.#items;
    const at = items.indexOf(item);
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: items.length - 1 }[event.key];
    if (to === undefined) return false;
    event.preventDefault();
    const next = items[Math.min(items.length - 1, Math.max(0, to))];
    next?.focus({ preventScroll: true });
    next?.scrollIntoView({ block: 'nearest' });
    return true;
  }
}
