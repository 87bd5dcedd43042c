import type { Body } from './connection.ts';
import type { Refused } from './errors.ts';

/** The message to which a reply answers, as it is now. */
export interface Parent {
  /** null: it was deleted. */
  readonly id: string | null;
  readonly name: string;
  readonly text: string;
}

export interface FileOfEntry {
  readonly kind: 'image' | 'video' | 'file';
  /**
   * A signed link; null while the file is not stored. It ends after 24 hours: `reload` renews it.
   */
  readonly url: string | null;
  readonly thumbnail: string | null;
  readonly name: string | null;
  /** Bytes. */
  readonly size: number | null;
  readonly width: number | null;
  readonly height: number | null;
}

/** A message, in one form for history, live events and messages that are not stored yet. */
export interface Entry {
  /** Stays the same from `pending` to `stored`: the key of a list's element. */
  readonly key: string;
  /** null until it is stored. */
  readonly id: string | null;
  /** The number of the event that created it; null until it is stored. */
  readonly seq: number | null;
  readonly nonce: string | null;
  readonly userId: number | null;
  readonly name: string;
  readonly image: string | null;
  readonly text: string;
  /** UTC, with three fraction digits and without a zone. */
  readonly time: string;
  readonly edited: boolean;
  readonly parent: Parent | null;
  readonly file: FileOfEntry | null;
  /** `pending`: `action` is not confirmed yet. `failed`: it never will be, see `error`. */
  readonly state: 'stored' | 'pending' | 'failed';
  /** The own command that is pending or failed; null for `stored`. */
  readonly action: 'create' | 'edit' | 'delete' | null;
  /** The nonce of that command, for `retry` and `discard`. */
  readonly actionNonce: string | null;
  /** Why it failed, or the passing refusal for which it waits. */
  readonly error: Refused | null;
  /** From 0 to 1 while a file is uploaded; null otherwise. */
  readonly progress: number | null;
}

const DELETED = '삭제된 메세지입니다.';
const FILES = ['image', 'video', 'file'];

/** Reads an entry of the history or a live event that creates a message. */
export function entryOf(body: Body): Entry {
  const text = (name: string): string | null => (typeof body[name] === 'string' ? (body[name] as string) : null);
  const number = (name: string): number | null => (body[name] == null ? null : Number(body[name]));
  const [id, nonce, userId] = [text('id'), text('nonce'), number('userId')];
  const fileType = text('fileType');
  const isFile = fileType !== null && FILES.includes(fileType);
  const isReply = text('parentContent') !== null;
  return {
    // A nonce is unique among those of one user.
    key: nonce === null ? (id ?? '') : `${userId}/${nonce}`,
    id,
    seq: number('seq'),
    nonce,
    userId,
    name: text('name') ?? '',
    image: text('profileImage'),
    text: isFile ? '' : (text('message') ?? ''),
    time: text('time') ?? '',
    edited: body.edited === true,
    parent: isReply
      ? { id: text('parentId'), name: text('parentName') ?? '', text: text('parentContent') ?? '' }
      : null,
    file: isFile
      ? {
          kind: fileType as FileOfEntry['kind'],
          url: text('message'),
          thumbnail: text('thumbnail'),
          name: text('fileName'),
          size: number('fileSize'),
          width: number('width'),
          height: number('height'),
        }
      : null,
    state: 'stored',
    action: null,
    actionNonce: null,
    error: null,
    progress: null,
  };
}

/** An entry after an edit of the message `id`: its own text or the one that it quotes changes. */
export function afterEdit(entry: Entry, id: string, text: string): Entry {
  if (entry.id === id) return { ...entry, text, edited: true };
  return entry.parent?.id === id ? { ...entry, parent: { ...entry.parent, text } } : entry;
}

/** An entry after the deletion of another message: a quote of it shows no text any more. */
export function afterDeletion(entry: Entry, id: string): Entry {
  return entry.parent?.id === id ? { ...entry, parent: { id: null, name: '', text: DELETED } } : entry;
}
