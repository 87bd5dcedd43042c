import type { Session } from '../state/session.ts';
import { Ends } from '../state/signal.ts';
import type { Conversation } from './conversation.ts';
import { later, withPart } from './later.ts';

/** What the shortcuts act on. */
export interface KeyTarget {
  readonly session: Session;
  readonly conversation: Conversation | null;
  go(place: string | null): void;
  find(): void;
}

/** The shortcuts that work everywhere on the page. */
export function listenToKeys(app: KeyTarget): () => void {
  const ends = new Ends();
  ends.on(window, 'keydown', (event) => {
    if (event.isComposing || document.querySelector('dialog[open]') !== null) return;
    const { key, altKey, shiftKey } = event;
    const isCommand = event.ctrlKey || event.metaKey;
    if (isCommand && !altKey && key.toLowerCase() === 'k') app.find();
    else if (key === 'F6') nextRegion(app);
    else if (altKey && !isCommand && (key === 'ArrowDown' || key === 'ArrowUp')) {
      step(app, key === 'ArrowDown' ? 1 : -1, shiftKey);
    } else if (key === '?' && !isText(event.target)) withPart(later.shortcuts, ({ openShortcuts }) => openShortcuts());
    else return;
    event.preventDefault();
  });
  return () => ends.end();
}

function isText(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}

/** Goes to the place before or after the open one; with `isUnread` to one with unread messages. */
function step(app: KeyTarget, by: 1 | -1, isUnread: boolean): void {
  const { places, open, chat } = app.session;
  const { list } = places;
  const counts = chat.unread.getSnapshot();
  const at = list.findIndex(({ key }) => key === open.value);
  for (let count = 1; count <= list.length; count += 1) {
    const next = list[(at + by * count + 2 * list.length) % list.length];
    if (next === undefined || (isUnread && (counts.get(next.key)?.count ?? 0) === 0)) continue;
    app.go(next.key);
    return;
  }
}

/** Moves the focus from list to messages to composer, and round. */
function nextRegion(app: KeyTarget): void {
  const { conversation } = app;
  const active = document.activeElement;
  if (active?.closest('#places') && conversation !== null) conversation.focusMessages();
  else if (active?.closest('#messages')) conversation?.focusComposer();
  else document.querySelector<HTMLElement>('#places .place.open, #places .place')?.focus();
}
