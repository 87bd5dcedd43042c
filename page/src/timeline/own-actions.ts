import { type Entry, type Place, type PlaceKey, Refused } from 'chat-server-client';
import { announce, notice } from '../shell/announcer.ts';
import type { Session } from '../state/session.ts';
import { words } from '../words/index.ts';
import type { MessageActions } from './actions.ts';

/** What the page around the list gives. */
export interface TimelineParts {
  /** Begins a reply in the composer. */
  readonly reply: (entry: Entry) => void;
  /** Gives a text back to the composer that could not be saved. */
  readonly giveBack: (text: string) => void;
  readonly focusComposer: () => void;
  readonly permalink: (place: PlaceKey, entry: Entry) => string;
}

interface ListParts extends Omit<TimelineParts, 'permalink'> {
  readonly show: () => void;
  readonly focus: (entry: Entry) => void;
  readonly focusBeside: (entry: Entry) => void;
  readonly jump: (id: string) => void;
  readonly openPicture: (entry: Entry) => void;
  readonly renewLinks: () => void;
  readonly permalink: (entry: Entry) => string;
}

/** The actions of the messages of one place. */
export function ownActions(session: Session, place: Place, parts: ListParts): MessageActions {
  const { edits, removals, previews } = session;
  const text = () => words().messages;
  const copy = async (content: string) => {
    await navigator.clipboard.writeText(content);
    notice(text().copied);
  };
  const closeEdit = (entry: Entry) => {
    edits.delete(entry.key);
    parts.show();
    parts.focusComposer();
  };
  return {
    reply: parts.reply,
    edit(entry) {
      if (!edits.has(entry.key))
        edits.set(entry.key, { text: entry.text, base: entry.text, place: place.key, seq: entry.seq });
      parts.show();
    },
    editText: ({ key, text: own }) => edits.get(key)?.text ?? own,
    editBase: ({ key, text: own }) => edits.get(key)?.base ?? own,
    keepEdit(entry, changed) {
      const draft = edits.get(entry.key);
      if (draft !== undefined) edits.set(entry.key, { ...draft, text: changed });
    },
    cancelEdit: closeEdit,
    saveEdit(entry, changed) {
      closeEdit(entry);
      if (changed.trim() === '') removals.begin(place, entry);
      else if (changed !== entry.text) {
        place.edit(entry, changed).catch((error) => {
          // The message is gone, so the text has no other place.
          const isGone = !place.getSnapshot().entries.some(({ key }) => key === entry.key);
          if (error instanceof Refused && isGone) parts.giveBack(changed);
        });
      }
    },
    remove(entry) {
      parts.focusBeside(entry);
      removals.begin(place, entry);
      announce(text().removed);
    },
    undoRemove(entry) {
      removals.undo(entry.key);
      parts.focus(entry);
    },
    copyText: (entry) => void copy(entry.text),
    copyLink: (entry) => void copy(parts.permalink(entry)),
    retry: (entry) => entry.actionNonce !== null && place.retry(entry.actionNonce),
    discard: (entry) => entry.actionNonce !== null && place.discard(entry.actionNonce),
    jumpToParent: ({ parent }) => parent?.id != null && parts.jump(parent.id),
    openPicture: parts.openPicture,
    fileFailed: parts.renewLinks,
    previewOf: ({ nonce }) => (nonce === null ? null : (previews.get(nonce) ?? null)),
  };
}
