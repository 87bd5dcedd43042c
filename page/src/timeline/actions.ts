import type { Entry } from 'chat-server-client';

/** What a message can ask of the view around it. */
export interface MessageActions {
  reply(entry: Entry): void;
  edit(entry: Entry): void;
  remove(entry: Entry): void;
  undoRemove(entry: Entry): void;
  copyText(entry: Entry): void;
  copyLink(entry: Entry): void;
  retry(entry: Entry): void;
  discard(entry: Entry): void;
  jumpToParent(entry: Entry): void;
  openPicture(entry: Entry): void;
  /** A file of the message could not be loaded: its link may have ended. */
  fileFailed(): void;
  /** The text of an open edit. It survives while another place is shown. */
  editText(entry: Entry): string;
  /** The text of the message when the edit began. */
  editBase(entry: Entry): string;
  keepEdit(entry: Entry, text: string): void;
  saveEdit(entry: Entry, text: string): void;
  cancelEdit(entry: Entry): void;
  /** An address of the own file on this device; null where there is none. */
  previewOf(entry: Entry): string | null;
}

export function mayReply({ id, nonce, action, state }: Entry): boolean {
  return (id !== null || nonce !== null) && !(state === 'failed' && action === 'create') && action !== 'delete';
}

export function mayEdit(entry: Entry, isOwn: boolean): boolean {
  return isOwn && entry.file === null && entry.state !== 'failed' && entry.action !== 'delete';
}

export function mayRemove(entry: Entry, isOwn: boolean): boolean {
  return isOwn && entry.state !== 'failed' && entry.action !== 'delete';
}
