import { Readable } from 'node:stream';
import type { MemoryDirectory } from '../../adapters/memory/directory.ts';
import type { Clock } from '../../application/ports/clock.ts';
import type { FileStore } from '../../application/ports/file-store.ts';
import type { IdSource } from '../../application/ports/id-source.ts';
import type { MessageStore } from '../../application/ports/message-store.ts';
import type { ReadMarkers } from '../../application/ports/read-markers.ts';
import type { CommunityId, UserId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { CreatingEvent, Draft } from '../../domain/stored-event.ts';
import { type SampleFile, samplePicture, sampleText } from './sample-files.ts';
import { type Line, readScript } from './script.ts';
import { READING, SEOUL } from './talk-elsewhere.ts';
import { GENERAL, RELEASE } from './talk-engine-room.ts';
import { ADA_AND_GRACE, ADA_AND_LINUS, GRACE_LINUS_MARGARET } from './talk-rooms.ts';

interface Talk {
  readonly place: ConversationKey;
  readonly communityId: CommunityId | null;
  readonly script: string;
  /** Messages at the end that are unread for everybody. */
  readonly unread: number;
}

/** The places are those of the demo world. */
const TALKS: readonly Talk[] = [
  { place: 'c-11', communityId: 1, script: GENERAL, unread: 9 },
  { place: 'c-12', communityId: 1, script: RELEASE, unread: 3 },
  { place: 'r-5', communityId: null, script: ADA_AND_GRACE, unread: 0 },
  { place: 'r-6', communityId: null, script: ADA_AND_LINUS, unread: 0 },
  { place: 'r-7', communityId: null, script: GRACE_LINUS_MARGARET, unread: 2 },
  { place: 'c-21', communityId: 2, script: READING, unread: 0 },
  { place: 'c-31', communityId: 3, script: SEOUL, unread: 4 },
];

const FILE_TYPES = { picture: 'image', file: 'file' } as const;

type NewMessage = Extract<Draft, { kind: CreatingEvent['kind'] }>;

export interface SeedParts {
  readonly store: MessageStore;
  readonly files: FileStore;
  readonly markers: ReadMarkers;
  readonly world: MemoryDirectory;
  readonly ids: IdSource;
  readonly clock: Clock;
}

/**
 * Stores the sample conversations in the places that have had no message yet. Each place is filled
 * as a whole or not at all, so a second run changes nothing. Call it before the application starts.
 * Resolves to the number of places that were filled. @throws Error if the store fails
 */
export async function seedDemo(parts: SeedParts): Promise<number> {
  const { store, markers, world } = parts;
  const newest = await store.newest(TALKS.map(({ place }) => place));
  const empty = TALKS.filter(({ place }) => newest.get(place) === 0);
  const batches = await Promise.all(empty.map(async (talk) => ({ talk, drafts: await draftsOf(talk, parts) })));
  const outcomes = await store.append(batches.map(({ talk: { place }, drafts }) => ({ place, first: 1, drafts })));
  let filled = 0;
  for (const [at, outcome] of outcomes.entries()) {
    const batch = batches[at];
    if (outcome.kind === 'failed') throw outcome.error;
    if (outcome.kind !== 'stored' || batch === undefined) continue;
    filled += 1;
    const read = batch.drafts.length - batch.talk.unread;
    for (const userId of world.users().keys()) await markers.markUpTo(userId, batch.talk.place, read);
  }
  return filled;
}

async function draftsOf({ place, communityId, script }: Talk, parts: SeedParts): Promise<Draft[]> {
  const people = new Map<string, UserId>(Array.from(parts.world.users(), ([id, { name }]) => [name, id]));
  const messages: NewMessage[] = [];
  const drafts: Draft[] = [];
  for (const line of readScript(script, parts.clock.now())) {
    const userId = people.get(line.author);
    if (userId === undefined) throw new Error(`the demo world has no user ${line.author}`);
    const target = messages.at(-line.back);
    const common = { place, communityId, nonce: null, userId };
    if (line.kind === 'edit' || line.kind === 'delete') {
      if (target?.userId !== userId) throw new Error(`${line.author} did not write the message to ${line.kind}`);
      const { id, time } = target;
      const change: Draft =
        line.kind === 'edit'
          ? { ...common, id, time, kind: 'modify', content: line.text }
          : { ...common, id, time, kind: 'delete' };
      drafts.push(change);
      if (line.kind === 'edit') messages.splice(-line.back, 1, { ...target, content: line.text });
      else messages.splice(-line.back, 1);
      continue;
    }
    const id = parts.ids.messageId();
    const draft = await messageOf(line, { ...common, id, time: line.time }, target, parts);
    messages.push(draft);
    drafts.push(draft);
  }
  return drafts;
}

type Common = Pick<NewMessage, 'place' | 'communityId' | 'nonce' | 'userId' | 'id' | 'time'>;

async function messageOf(
  { kind, author, text }: Line,
  facts: Common,
  parent: NewMessage | undefined,
  { ids, files }: SeedParts,
): Promise<NewMessage> {
  const common = { ...facts, name: author, profileImage: null };
  if (kind === 'picture' || kind === 'file') {
    const file: SampleFile = kind === 'picture' ? samplePicture(text) : sampleText(text);
    const key = ids.secret();
    await files.put(key, Readable.from([file.bytes]), { fileName: text });
    const { bytes, width, height } = file;
    const about = { fileName: text, fileSize: bytes.length, width, height };
    return { ...common, kind: 'file', content: key, thumbnail: null, fileType: FILE_TYPES[kind], ...about };
  }
  if (kind === 'message' || parent === undefined) return { ...common, kind: 'message', content: text };
  const quote = parent.kind === 'file' ? parent.fileType : parent.content;
  const { id: parentId, name: parentName } = parent;
  return { ...common, kind: 'reply', content: text, parentId, parentName, parentContent: quote };
}
