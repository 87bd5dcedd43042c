import type { Session } from '../state/session.ts';

interface Moved {
  readonly session: Session;
  readonly conversation: { focusMessages(): void; focusComposer(): void } | null;
  go(place: string): void;
}

/** Goes to the place before or after the open one; with `isUnread` to one with unread messages. */
export function step(app: Moved, by: 1 | -1, isUnread: boolean): void {
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

/** Moves the focus from list to messages to composer, and round. An empty place has no messages. */
export function nextRegion({ conversation }: Moved): void {
  const isIn = (part: string) => document.activeElement?.closest(part) != null;
  const isInList = isIn('#places');
  if (isInList && conversation !== null) conversation.focusMessages();
  if ((isInList && isIn('#places')) || (!isInList && isIn('#messages'))) conversation?.focusComposer();
  else if (!isInList) document.querySelector<HTMLElement>('#places .place.open, #places .place')?.focus();
}
