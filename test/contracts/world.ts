import { randomBytes } from 'node:crypto';
import type { AppendOutcome, MessageStore } from '../../src/application/ports/message-store.ts';
import type { Outbox } from '../../src/application/ports/outbox.ts';
import type { ReadMarkers } from '../../src/application/ports/read-markers.ts';
import type { ConversationKey } from '../../src/domain/place.ts';
import {
  allStored,
  type Draft,
  type SequencedEvent,
  type StoredEvent,
  type StoredKind,
} from '../../src/domain/stored-event.ts';

/** The stores of one server. */
export interface Server {
  readonly store: MessageStore;
  readonly outbox: Outbox;
  readonly markers: ReadMarkers;
}

export interface ServerOptions {
  /** Milliseconds since 1970. Default: the machine's clock. */
  readonly now?: () => number;
  /** The adapter does nothing in the background, like a server that died right after its append. */
  readonly idle?: boolean;
}

/** The data that several servers share. */
export interface World {
  server(options?: ServerOptions): Promise<Server>;
  close(): Promise<void>;
}

let lastId = Number.parseInt(randomBytes(4).toString('hex'), 16) * 1000;

/** Returns a place that no other test uses. */
export function newPlace(kind: 'r' | 'c' = 'r'): ConversationKey {
  lastId += 1;
  return `${kind}-${lastId}`;
}

export function newUser(): number {
  lastId += 1;
  return lastId;
}

export function newId(): string {
  return randomBytes(12).toString('hex');
}

export function newNonce(): string {
  return randomBytes(6).toString('hex');
}

export type DraftOf<K extends StoredKind> = Extract<Draft, { readonly kind: K }>;

type Common = Partial<{ id: string; userId: number; time: number; nonce: string | null; name: string }>;

function common(place: ConversationKey, given: Common) {
  return {
    place,
    id: given.id ?? newId(),
    userId: given.userId ?? 1,
    time: given.time ?? 1_795_362_752_624,
    nonce: given.nonce ?? null,
    communityId: place.startsWith('c') ? 7 : null,
  };
}

export function said(place: ConversationKey, content: string, given: Common = {}): DraftOf<'message'> {
  return { kind: 'message', ...common(place, given), name: given.name ?? 'Ada', profileImage: 'a.png', content };
}

export function replied(
  place: ConversationKey,
  content: string,
  parentId: string,
  given: Common = {},
): DraftOf<'reply'> {
  const parent = { parentId, parentName: 'Ada', parentContent: 'as it was' };
  return { kind: 'reply', ...common(place, given), name: 'Bo', profileImage: null, content, ...parent };
}

/** The data of the file that {@link shared} shares. */
export const FACTS = { fileName: '고양이 1.png', fileSize: 3_000_000_000, width: 640, height: 480 } as const;

export function shared(place: ConversationKey, content: string, given: Common = {}): DraftOf<'file'> {
  const file = { content, thumbnail: 'thumb', fileType: 'image' as const, ...FACTS };
  return { kind: 'file', ...common(place, given), name: 'Ada', profileImage: null, ...file };
}

export function edited(of: Draft, content: string, nonce: string | null = null): DraftOf<'modify'> {
  const { place, id, userId, time, communityId } = of;
  return { kind: 'modify', place, id, userId, time, nonce, communityId, content };
}

export function deleted(of: Draft, nonce: string | null = null): DraftOf<'delete'> {
  const { place, id, userId, time, communityId } = of;
  return { kind: 'delete', place, id, userId, time, nonce, communityId };
}

/** Appends one batch of the drafts' place and returns its outcome. */
export async function append(store: MessageStore, first: number, drafts: readonly Draft[]): Promise<AppendOutcome> {
  const place = drafts[0]?.place ?? newPlace();
  const [outcome] = await store.append([{ place, first, drafts }]);
  if (outcome === undefined) throw new Error('no outcome');
  return outcome;
}

export function numbered(first: number, drafts: readonly Draft[]): StoredEvent[] {
  return drafts.map((draft, i) => ({ ...draft, seq: first + i }));
}

/** Appends after the newest event of the place. Repeats this when another server was faster. */
export async function appendInTurn(store: MessageStore, drafts: readonly Draft[]): Promise<AppendOutcome> {
  const place = drafts[0]?.place ?? newPlace();
  for (;;) {
    const newest = (await store.newest([place])).get(place) ?? 0;
    const outcome = await append(store, newest + 1, drafts);
    if (outcome.kind !== 'conflict') return outcome;
  }
}

/** The events, all of which must be of kinds that this version knows. */
export function known(events: readonly SequencedEvent[]): readonly StoredEvent[] {
  const stored = allStored(events);
  if (stored === null) throw new Error('an event is of an unknown kind');
  return stored;
}
