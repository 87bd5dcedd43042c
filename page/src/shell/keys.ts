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
    else if (key === 'F6') withPart(later.moves, ({ nextRegion }) => nextRegion(app));
    else if (altKey && !isCommand && (key === 'ArrowDown' || key === 'ArrowUp')) {
      withPart(later.moves, ({ step }) => step(app, key === 'ArrowDown' ? 1 : -1, shiftKey));
    } else if (key === '?' && !isText(event.target)) withPart(later.shortcuts, ({ openShortcuts }) => openShortcuts());
    else return;
    event.preventDefault();
  });
  return () => ends.end();
}

function isText(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}
