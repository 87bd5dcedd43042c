import type { MessageId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';
import { isCreating, STORED_KINDS, type StoredEvent } from '../../domain/stored-event.ts';
import type { LogEntry, StoreContent } from './store-content.ts';

export type StoreFault =
  | 'numbers are missing'
  | 'a number was given twice'
  | 'a message is missing'
  | 'a message has no event'
  | 'a message differs from its events'
  | 'a deleted message is left'
  | 'a deleted text is left'
  | 'a nonce was stored twice'
  | 'the count of holes is wrong';

export interface StoreFinding {
  readonly fault: StoreFault;
  /** Place, number and id, never a text. */
  readonly detail: string;
}

export interface StoreVerdict {
  readonly places: number;
  readonly events: number;
  readonly messages: number;
  /** Numbers below the first event of their place: old events were removed. */
  readonly removed: number;
  /** Events that the messages need not show yet. */
  readonly loose: number;
  readonly faults: number;
}

export interface CheckStoreParts {
  readonly content: StoreContent;
  /** Events were removed from the middle or the end of the log on purpose. */
  readonly allowHoles: boolean;
  readonly onFinding: (finding: StoreFinding) => void;
}

type Say = (fault: StoreFault, detail: string) => void;

interface Expected {
  readonly seq: number;
  content: string;
}

/** Times that a place is read again because events were added meanwhile. */
const MAX_READS = 5;

/**
 * Reads a whole store and reports all that contradicts what the server promises. A place with a
 * finding is read again if events were added to it meanwhile.
 */
export async function checkStore(parts: CheckStoreParts): Promise<StoreVerdict> {
  const { content, onFinding } = parts;
  const sums = { places: 0, events: 0, messages: 0, removed: 0, loose: 0, faults: 0 };
  const report = (finding: StoreFinding): void => {
    sums.faults += 1;
    onFinding(finding);
  };
  for await (const place of content.places()) {
    const { log, messages, findings } = await checkPlace(parts, place);
    for (const finding of findings) report(finding);
    sums.places += 1;
    sums.events += log.events;
    sums.removed += log.removed;
    sums.loose += log.loose.size;
    sums.messages += messages.all;
  }
  for await (const { userId, nonce, count } of content.repeatedNonces()) {
    report({ fault: 'a nonce was stored twice', detail: `user ${userId}, nonce ${nonce}, ${count} messages` });
  }
  return sums;
}

async function checkPlace({ content, allowHoles }: CheckStoreParts, place: ConversationKey) {
  for (let reads = 1; ; reads += 1) {
    const findings: StoreFinding[] = [];
    const say: Say = (fault, detail) => void findings.push({ fault, detail });
    const newest = await content.newest(place);
    const log = new PlaceLog(place, allowHoles, say);
    for await (const entry of content.log(place)) log.take(entry);
    log.end(newest);
    const messages = await checkMessages(content, place, log, say);
    await checkHoles(content, place, log, messages, say);
    const isStill = findings.length === 0 || newest === (await content.newest(place));
    if (isStill || reads === MAX_READS) return { log, messages, findings };
  }
}

/** The log of one place: its numbers, and the messages that result from it. */
class PlaceLog {
  readonly expected = new Map<MessageId, Expected>();
  readonly deleted = new Set<MessageId>();
  /** Messages of which an event is loose. */
  readonly loose = new Set<MessageId>();
  events = 0;
  /** The last number of the log; 0 for an empty log. */
  last = 0;
  removed = 0;
  hasUnknown = false;
  hasGap = false;
  readonly #place: ConversationKey;
  readonly #allowHoles: boolean;
  readonly #say: Say;

  constructor(place: ConversationKey, allowHoles: boolean, say: Say) {
    this.#place = place;
    this.#allowHoles = allowHoles;
    this.#say = say;
  }

  take(entry: LogEntry): void {
    const from = entry.kind === 'held' ? entry.from : entry.event.seq;
    this.#follow(from);
    if (entry.kind === 'held') {
      this.hasGap = true;
      this.removed += entry.to - entry.from + 1;
      this.last = Math.max(this.last, entry.to);
      return;
    }
    const { event, isLoose } = entry;
    this.events += 1;
    this.last = Math.max(this.last, event.seq);
    if (event.kind === 'unknown') {
      this.hasUnknown = true;
      return;
    }
    if (isLoose) this.loose.add(event.id);
    this.#apply(event);
  }

  /** @param newest the greatest number that was given */
  end(newest: number): void {
    if (this.last === 0) this.removed = newest;
    else if (newest > this.last) this.#gap(this.last + 1, newest);
  }

  #follow(seq: number): void {
    if (this.last === 0) this.removed += seq - 1;
    else if (seq <= this.last) this.#say('a number was given twice', `${this.#place} ${seq}`);
    else if (seq > this.last + 1) this.#gap(this.last + 1, seq - 1);
  }

  #gap(from: number, to: number): void {
    this.hasGap = true;
    if (this.#allowHoles) this.removed += to - from + 1;
    else this.#say('numbers are missing', `${this.#place} ${from === to ? from : `${from} to ${to}`}`);
  }

  #apply(event: StoredEvent): void {
    const known = this.expected.get(event.id);
    if (isCreating(event)) {
      // The first event with an id creates the message.
      if (known === undefined) this.expected.set(event.id, { seq: event.seq, content: event.content });
    } else if (STORED_KINDS[event.kind].deletes) {
      this.expected.delete(event.id);
      this.deleted.add(event.id);
      if (known !== undefined && known.content !== '' && !this.loose.has(event.id)) {
        this.#say('a deleted text is left', `${this.#place} ${known.seq}, message ${event.id}`);
      }
    } else if (known !== undefined && event.kind === 'modify') known.content = event.content;
  }
}

async function checkMessages(
  content: StoreContent,
  place: ConversationKey,
  log: PlaceLog,
  say: Say,
): Promise<{ readonly all: number; readonly numbered: number }> {
  const counts = { all: 0, numbered: 0 };
  const missing = new Map(log.expected);
  for await (const { id, seq, content: text } of content.messages(place)) {
    counts.all += 1;
    if (seq === null) continue;
    counts.numbered += 1;
    missing.delete(id);
    if (log.loose.has(id)) continue;
    const expected = log.expected.get(id);
    const where = `${place} ${seq}, message ${id}`;
    if (expected !== undefined) {
      if (expected.seq !== seq || expected.content !== text) say('a message differs from its events', where);
    } else if (log.deleted.has(id)) say('a deleted message is left', where);
    // Its event may be one of those that were removed.
    else if (log.removed === 0 && !log.hasGap) say('a message has no event', where);
  }
  for (const [id, { seq }] of missing) {
    if (!log.loose.has(id)) say('a message is missing', `${place} ${seq}, message ${id}`);
  }
  return counts;
}

async function checkHoles(
  content: StoreContent,
  place: ConversationKey,
  log: PlaceLog,
  { numbered }: { readonly numbered: number },
  say: Say,
): Promise<void> {
  // The count is complete only when every event has been applied, and every number has its event.
  if (log.loose.size > 0 || log.hasUnknown || log.hasGap) return;
  const stored = await content.holes(place);
  const actual = Math.max(log.last, log.removed) - numbered;
  if (stored !== actual) say('the count of holes is wrong', `${place}: ${stored} instead of ${actual}`);
}
