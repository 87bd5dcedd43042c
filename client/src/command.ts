import type { Body } from './connection.ts';
import { idOf, isRoom, type PlaceKey } from './place-key.ts';

export type CommandKind = 'message' | 'reply' | 'edit' | 'delete' | 'file';

export interface FileToShare {
  readonly data: Blob;
  readonly name: string;
  readonly kind: 'image' | 'video' | 'file';
  /** Pixels, of images and videos. */
  readonly width: number | null;
  readonly height: number | null;
  readonly thumbnail: Blob | null;
}

/** A command of the user that is not confirmed. This is what a storage keeps. */
export interface Command {
  readonly nonce: string;
  readonly place: PlaceKey;
  readonly kind: CommandKind;
  readonly text: string;
  /** Id of the message to edit, delete or answer. */
  readonly target: string | null;
  /** Nonce of that message while it is not stored itself. */
  readonly targetNonce: string | null;
  readonly file: FileToShare | null;
  /** The community of a channel, where the application named it. */
  readonly communityId: number | null;
  /** `Date.now()` when the user gave it. */
  readonly at: number;
  /** `Date.now()` of the first attempt; null: it was never sent. */
  readonly triedAt: number | null;
  /** Set when the command can never be accepted. */
  readonly failure: { readonly code: number; readonly message: string } | null;
}

export interface Author {
  readonly name: string;
  readonly image: string | null;
}

const WORDS = { message: 'message', reply: 'reply', edit: 'modify', delete: 'delete' } as const;

export function createsEntry({ kind }: Command): boolean {
  return kind === 'message' || kind === 'reply' || kind === 'file';
}

/** Commands of one lane are sent one by one, in order. A file does not delay messages. */
export function laneOf({ place, kind }: Command): string {
  return kind === 'file' ? `${place} file` : place;
}

export function destinationOf(place: PlaceKey, word: string): string {
  return `/kafka/send-${isRoom(place) ? 'direct' : 'channel'}-${word}`;
}

export function addressOf(place: PlaceKey, communityId: number | null): Body {
  return { channelId: idOf(place), ...(communityId === null ? {} : { communityId }) };
}

/** The SEND frame of a command. */
export function frameOf(command: Command, communityId: number | null, author: Author): [string, Body] {
  const { kind, place, nonce, target, text } = command;
  if (kind === 'file') throw new TypeError('a file is sent over HTTP');
  const body = {
    ...addressOf(place, communityId),
    nonce,
    ...(kind === 'delete' ? {} : { content: text }),
    ...(kind === 'edit' || kind === 'delete' ? { id: target } : { name: author.name, profileImage: author.image }),
    ...(kind === 'reply' ? { parentId: target } : {}),
  };
  return [destinationOf(place, WORDS[kind]), body];
}

/**
 * The form of an upload, and its path. The fields come first, so that a refusal comes before the
 * bytes.
 */
export function formOf(command: Command, communityId: number | null, author: Author): [string, FormData] {
  const { file, place, nonce } = command;
  if (file === null) throw new TypeError('the command has no file');
  const form = new FormData();
  const fields = {
    ...addressOf(place, communityId),
    type: isRoom(place) ? 'direct' : 'community',
    fileType: file.kind,
    name: author.name,
    profileImage: author.image ?? '',
    nonce,
    width: file.width,
    height: file.height,
  };
  for (const [name, value] of Object.entries(fields)) if (value !== null) form.set(name, String(value));
  if (file.thumbnail !== null) form.set('thumbnail', file.thumbnail, 'thumbnail');
  form.set('image', file.data, file.name);
  return [isRoom(place) ? 'file' : 'channel/file', form];
}
