import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { MongoServerError, ObjectId } from 'mongodb';
import { BoundedMap } from '../../../application/bounded-map.ts';
import type { OriginalAuthor, OriginalChange, OriginalEvents } from '../../../application/ports/original-events.ts';
import { Refusal } from '../../../domain/errors.ts';
import { isFileUrl } from '../../../domain/file.ts';
import type { MessageId } from '../../../domain/ids.ts';
import { createdMessage, isFile, type Message, parseMessageType } from '../../../domain/message.ts';
import { type ConversationKey, isChannel } from '../../../domain/place.ts';
import { type CreatingEvent, type Draft, isCreating, isStored } from '../../../domain/stored-event.ts';
import { Semaphore } from '../../support/semaphore.ts';
import { withTimeout } from '../../support/with-timeout.ts';
import { answered, type MongoDatabase } from '../database.ts';
import {
  channelIdOf,
  type EventDocument,
  eventDocument,
  eventOfMessage,
  idValue,
  type MessageDocument,
  messageDocument,
  readEvent,
  UNNUMBERED,
} from '../documents.ts';
import { DUPLICATE_KEY } from '../error-codes.ts';
import { CHANNEL_SEQ, PLACE_FIRST } from '../indexes.ts';
import type { MongoMessageStore } from '../message-store.ts';
import { withoutDeletedParents } from '../numbering.ts';
import { type LoggedMessage, loggedMessages } from './logged-messages.ts';

/** Messages that become one batch. */
const MAX_BATCH_MESSAGES = 500;
/** Attempts to get a free number before the caller is refused. */
const MAX_ATTEMPTS = 100;
const MAX_PAUSE_MS = 20;
/** Places that this process remembers as complete. */
const MAX_PLACES = 50_000;
const TIMEOUT_MS = 4_000;
/** Time in which the record of a document comes, in milliseconds. */
const RECORD_MS = 5_000;
/** Places that are numbered at the same time because they are read for the first time. */
const MAX_LOOKS = 8;
const DONE = 'done';

export interface MongoOriginalEventsParts {
  readonly db: MongoDatabase;
  readonly store: Pick<MongoMessageStore, 'newest' | 'settle'>;
}

type Change = OriginalChange['event'];
type Insert = 'stored' | 'number taken' | 'adopted before';

/** The fields of a deletion that its message gives. */
export type DeletableMessage = Pick<CreatingEvent, 'place' | 'id' | 'userId' | 'time' | 'communityId'>;

/**
 * Takes messages and changes of an original server from the message collections into the log.
 *
 * | method | called | takes |
 * |---|---|---|
 * | `number` | after each record of a place | new messages, and edits that the documents show |
 * | `adopt` | for each record of a change | that edit or deletion |
 * | `look` | before a place is first read | as `number` |
 * | `deleteMissing` | by `migrate --number` | deletions that no record told |
 *
 * A batch of messages has the mark `legacy`, since the documents exist: its projection writes only
 * the numbers. Everything in the log is projected first. So a message without a number is not in
 * the log, unless the original server has saved it again without our fields. If several servers
 * take a message or change at the same time, a unique index of their keys lets one batch through.
 */
export class MongoOriginalEvents implements OriginalEvents {
  readonly #parts: MongoOriginalEventsParts;
  /** The places in which this process has looked for messages without a number. */
  readonly #looked = new BoundedMap<ConversationKey, Promise<boolean> | typeof DONE>(MAX_PLACES);
  readonly #looks = new Semaphore(MAX_LOOKS);

  constructor(parts: MongoOriginalEventsParts) {
    this.#parts = parts;
  }

  async number(place: ConversationKey, authors?: ReadonlyMap<MessageId, OriginalAuthor>): Promise<void> {
    await this.#parts.store.newest([place]);
    await answered(this.#number(place, authors));
  }

  async adopt({ event, timestamp }: OriginalChange): Promise<Message | null> {
    return answered(this.#adopt(event, () => String(timestamp)));
  }

  /**
   * Takes what an original server wrote into these places while no server of this version ran.
   * Each place is searched once in the life of this process. After that, records tell it. Returns
   * true if something was taken.
   * @throws Refusal `try-again` after 4 s. The search itself continues.
   */
  async look(places: readonly ConversationKey[]): Promise<boolean> {
    const unseen = places.filter((place) => this.#looked.get(place) === undefined);
    if (unseen.length > 0) {
      const unnumbered = this.#withUnnumbered(unseen);
      for (const place of unseen) this.#lookInto(place, unnumbered);
    }
    const open = places.flatMap((place) => {
      const look = this.#looked.get(place);
      return look === undefined || look === DONE ? [] : [look];
    });
    if (open.length === 0) return false;
    const found = await withTimeout(
      TIMEOUT_MS,
      Promise.all(open),
      () => new Refusal('try-again', 'the messages of this place are being numbered; try again in some seconds'),
    );
    return found.includes(true);
  }

  #lookInto(place: ConversationKey, unnumbered: Promise<ReadonlySet<ConversationKey>>): void {
    const look = (async () => {
      if (!(await unnumbered).has(place)) return false;
      await this.#looks.enter();
      try {
        await this.#number(place);
      } finally {
        this.#looks.leave();
      }
      return true;
    })();
    this.#looked.set(place, look);
    look.then(
      () => this.#looked.set(place, DONE),
      () => this.#looked.delete(place),
    );
  }

  /** Those of the places that have messages without a number, by one index seek for each place. */
  async #withUnnumbered(places: readonly ConversationKey[]): Promise<ReadonlySet<ConversationKey>> {
    const kinds = [places.filter((place) => !isChannel(place)), places.filter(isChannel)];
    const found = await Promise.all(
      kinds.map(async (some) => {
        if (some[0] === undefined) return [];
        const rows = await this.#parts.db
          .messagesOf(some[0])
          .aggregate<{ _id: unknown }>(
            [
              { $match: { channelId: { $in: some.map(channelIdOf) }, seq: UNNUMBERED } },
              { $group: { _id: '$channelId' } },
            ],
            { hint: CHANNEL_SEQ, batchSize: 1000 },
          )
          .toArray();
        const ids = new Set(rows.map(({ _id }) => String(_id)));
        return some.filter((place) => ids.has(place.slice(2)));
      }),
    );
    return new Set(found.flat());
  }

  async #number(place: ConversationKey, authors: ReadonlyMap<MessageId, OriginalAuthor> = new Map()): Promise<void> {
    for (let repeats = 0; repeats < MAX_ATTEMPTS; ) {
      // Otherwise messages that are in the log already would still have no number.
      await this.#settle(place, await this.#end(place));
      const found = await this.#unnumbered(place);
      const docs = found.filter((doc) => !this.#waitsForRecord(doc, authors));
      if (docs.length === 0) return;
      const ids = docs.map(({ _id }) => String(_id));
      const logged = await loggedMessages(this.#parts.db, place, ids);
      for (const doc of docs) {
        const known = logged.get(String(doc._id));
        if (known !== undefined) await this.#takeSaved(place, doc, known);
      }
      const unknown = docs.filter(({ _id }) => !logged.has(String(_id)));
      if (unknown.length > 0 && (await this.#addMessages(place, unknown, authors)) !== 'stored') repeats += 1;
    }
    throw notNumbered(place);
  }

  /**
   * True for a new file whose record has not come yet. The document has no name, and the record has
   * one.
   */
  #waitsForRecord({ _id, type, name }: MessageDocument, authors: ReadonlyMap<MessageId, OriginalAuthor>): boolean {
    if (!isFile({ type: parseMessageType(type) }) || name !== undefined || authors.has(String(_id))) return false;
    if (!(_id instanceof ObjectId)) return false;
    return this.#parts.db.clock.now() - _id.getTimestamp().getTime() < RECORD_MS;
  }

  async #addMessages(
    place: ConversationKey,
    docs: readonly MessageDocument[],
    authors: ReadonlyMap<MessageId, OriginalAuthor>,
  ): Promise<Insert> {
    const { db } = this.#parts;
    const drafts = await withoutDeletedParents(
      db,
      place,
      docs.map((doc) => {
        const draft = eventOfMessage(place, doc);
        const author = draft.kind === 'file' && draft.name === '' ? authors.get(draft.id) : undefined;
        return author === undefined ? draft : { ...draft, name: author.name, profileImage: author.profileImage };
      }),
    );
    const keys = drafts.map(({ id }) => `c:${id}`);
    const result = await this.#append(place, (first) => this.#insert(place, first, drafts, keys, true));
    if (result === 'stored') await this.deleteMissing(drafts);
    else await this.#numberAsAdopted(place, drafts);
    return result;
  }

  /**
   * Another server has taken some of the messages. Their documents may have lost the numbers since.
   */
  async #numberAsAdopted(place: ConversationKey, drafts: readonly Draft[]): Promise<void> {
    const { db } = this.#parts;
    const ids = new Set(drafts.map(({ id }) => id));
    const holders = await db.events.find({ a: { $in: [...ids].map((id) => `c:${id}`) } }).toArray();
    for (const { f, e } of holders) {
      for (const [index, { id }] of e.entries()) {
        if (!ids.has(String(id))) continue;
        const filter = { _id: idValue(String(id)), seq: UNNUMBERED };
        await db.messagesOf(place).updateOne(filter, { $set: { seq: f + index } });
      }
    }
  }

  /** Stores the deletion of those of the messages whose documents are gone. */
  async deleteMissing(messages: readonly DeletableMessage[]): Promise<void> {
    const [first] = messages;
    if (first === undefined) return;
    const _id = { $in: messages.map(({ id }) => idValue(id)) };
    const left = await this.#parts.db
      .messagesOf(first.place)
      .find({ _id }, { projection: { _id: 1 } })
      .toArray();
    const known = new Set(left.map((doc) => String(doc._id)));
    for (const { place, id, userId, time, communityId } of messages) {
      if (known.has(id)) continue;
      await this.#adopt({ kind: 'delete', place, id, userId, time, communityId, nonce: null }, null);
    }
  }

  /**
   * An original server has saved a message of the log again, without the fields that it does not
   * know.
   */
  async #takeSaved(place: ConversationKey, doc: MessageDocument, known: LoggedMessage): Promise<void> {
    await this.#restore(place, doc, known);
    const { content = '' } = doc;
    const { id, userId, communityId, kind, time } = eventOfCreation(place, known);
    if (known.isDeleted || kind === 'file' || content === known.content) return;
    const event = { kind: 'modify', place, id, userId, time, communityId, nonce: null, content } as const;
    await this.#adopt(event, ({ textSeq }) => `after ${textSeq}`);
  }

  async #restore(place: ConversationKey, doc: MessageDocument, known: LoggedMessage): Promise<void> {
    const filter = { _id: doc._id, seq: UNNUMBERED };
    if (known.isDeleted) {
      // It was deleted here while the original server saved it.
      await this.#parts.db.messagesOf(place).deleteOne(filter);
      return;
    }
    const created = eventOfCreation(place, known);
    const { seq, nonce, fileName, fileSize, width, height } = messageDocument(created, null);
    const fields = { seq, nonce, fileName, fileSize, width, height, ...keysOf(created) };
    const edited = created.kind !== 'file' && (known.isEdited || (doc.content ?? '') !== known.content);
    const $set = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
    await this.#parts.db.messagesOf(place).updateOne(filter, { $set: { ...$set, ...(edited && { edited: true }) } });
  }

  /**
   * @param editKey tells two equal edits of a message apart, the same on all servers. Null for a
   * deletion, since a message is deleted once.
   */
  async #adopt(event: Change, editKey: ((known: LoggedMessage) => string) | null): Promise<Message | null> {
    const { place, id } = event;
    let deleted: Message | null = null;
    await this.#append(place, async (first) => {
      // If anything is stored behind it meanwhile, the number is taken and all is read again.
      await this.#settle(place, first - 1);
      const known = (await loggedMessages(this.#parts.db, place, [id])).get(id);
      if (known === undefined || known.isDeleted) return 'not needed';
      const created = eventOfCreation(place, known);
      if (event.kind === 'modify') {
        // A file has no text that could be edited.
        const isNews = await this.#isNews(place, id, event.content, known);
        if (created.kind === 'file' || !isNews) return 'not needed';
      }
      // The zone of the original's clock is not known, so the record's time is not used.
      const draft = { ...event, userId: created.userId, time: created.time };
      const key = draft.kind === 'delete' ? `d:${id}` : keyOfEdit(id, editKey?.(known) ?? '', draft.content);
      const result = await this.#insert(place, first, [draft], [key], false);
      if (result === 'stored' && event.kind === 'delete') deleted = createdMessage(created);
      return result;
    });
    return deleted;
  }

  /**
   * True if the message has this text, and the log another one. A message that was edited again has
   * its text taken by the later record. Restores the message's fields.
   */
  async #isNews(place: ConversationKey, id: MessageId, content: string, known: LoggedMessage): Promise<boolean> {
    const doc = await this.#parts.db.messagesOf(place).findOne({ _id: idValue(id), channelId: channelIdOf(place) });
    if (doc === null) return false;
    if (doc.seq === undefined) await this.#restore(place, doc, known);
    return content === (doc.content ?? '') && content !== known.content;
  }

  /** Repeats an insert until its number was free. Then the place is projected up to its end. */
  async #append<Result>(
    place: ConversationKey,
    insert: (first: number) => Promise<Result | 'number taken'>,
  ): Promise<Result> {
    for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts += 1) {
      const result = await insert((await this.#end(place)) + 1);
      if (result !== 'number taken') {
        await this.#settle(place, await this.#end(place));
        return result;
      }
      await delay(Math.random() * Math.min(attempts, MAX_PAUSE_MS));
    }
    throw notNumbered(place);
  }

  async #insert(
    place: ConversationKey,
    first: number,
    drafts: readonly Draft[],
    keys: readonly string[],
    isLegacy: boolean,
  ): Promise<Insert> {
    const { out: _, ...doc } = eventDocument(place, first, drafts, this.#parts.db.clock.now());
    try {
      await this.#parts.db.events.insertOne({ ...doc, a: keys, ...(isLegacy && { legacy: true as const }) });
      return 'stored';
    } catch (error) {
      if (!(error instanceof MongoServerError) || error.code !== DUPLICATE_KEY) throw error;
      return / index: adopted dup key/.test(error.message) ? 'adopted before' : 'number taken';
    }
  }

  /** The newest number of the place. */
  async #end(place: ConversationKey): Promise<number> {
    const options = { sort: { f: -1 }, projection: { _id: 0, l: 1 }, hint: PLACE_FIRST } as const;
    const last = await this.#parts.db.events.findOne<Pick<EventDocument, 'l'>>({ p: place }, options);
    return last?.l ?? 0;
  }

  async #settle(place: ConversationKey, end: number): Promise<void> {
    if (end > 0) await this.#parts.store.settle(new Map([[place, end]]));
  }

  #unnumbered(place: ConversationKey): Promise<MessageDocument[]> {
    return this.#parts.db
      .messagesOf(place)
      .find({ channelId: channelIdOf(place), seq: UNNUMBERED }, { hint: CHANNEL_SEQ })
      .sort({ seq: 1, localDateTime: 1, _id: 1 })
      .limit(MAX_BATCH_MESSAGES)
      .toArray();
  }
}

/** The keys of a file, which an original server removes when it saves the message. */
function keysOf(created: CreatingEvent): Pick<MessageDocument, 'file' | 'thumbnailFile'> {
  if (created.kind !== 'file' || isFileUrl(created.content)) return {};
  const { content: file, thumbnail } = created;
  return thumbnail === null ? { file } : { file, thumbnailFile: thumbnail };
}

function keyOfEdit(id: MessageId, editKey: string, content: string): string {
  const text = createHash('sha256').update(content).digest('base64url').slice(0, 12);
  return `m:${id}:${editKey}:${text}`;
}

function eventOfCreation(place: ConversationKey, { seq, created }: LoggedMessage): CreatingEvent {
  const event = readEvent(place, seq, created);
  if (!isStored(event) || !isCreating(event)) throw new Error(`event ${seq} of ${place} creates no message`);
  return event;
}

function notNumbered(place: ConversationKey): Refusal {
  return new Refusal('try-again', `the events of an original server in ${place} could not be numbered`);
}
