import { type Command, createsEntry, type FileToShare } from './command.ts';
import type { Body, Receipt } from './connection.ts';
import { type Entry, entryOf } from './entry.ts';
import { isFinal, type Refused } from './errors.ts';
import { type Range, readHistory } from './history.ts';
import type { Http } from './http.ts';
import type { Outbox } from './outbox.ts';
import { entriesWith, type StoredCommand } from './overlay.ts';
import type { PlaceKey } from './place-key.ts';
import { Listeners, Store } from './store.ts';
import { type Page, Timeline } from './timeline.ts';
import { after, Backoff } from './timing.ts';
import type { Topic } from './topic.ts';
import { Typing } from './typing.ts';

/**
 * - `idle`: nobody watches the place.
 * - `loading`: the first page is being read.
 * - `live`: everything is shown, and events come as they happen.
 * - `behind`: the entries are shown, and the client is fetching the events that it missed.
 * - `refused`: the user may not read the place, see `refusal`.
 */
export type PlaceStatus = 'idle' | 'loading' | 'live' | 'behind' | 'refused';

export interface PlaceSnapshot {
  readonly status: PlaceStatus;
  /** Oldest first. Those that are not stored yet are the last ones. */
  readonly entries: readonly Entry[];
  readonly hasOlder: boolean;
  /** true: newer entries exist that are not loaded, after `loadAround`. */
  readonly hasNewer: boolean;
  /** The newest number that this client has seen; null before the first page. */
  readonly newest: number | null;
  /** Names of the others who are typing. */
  readonly typing: readonly string[];
  readonly refusal: Refused | null;
}

interface Numbered {
  readonly seq: number | null;
  readonly id: string;
  readonly nonce: string | null;
}

/**
 * An event as it was applied. Each number is reported once, in order, from `ready` on. After
 * `discontinuity`, the numbers up to `to` are not reported: the entries were read anew.
 */
export type PlaceEvent =
  | { readonly type: 'ready'; readonly seq: number }
  | ({ readonly type: 'created'; readonly entry: Entry } & Numbered)
  | ({ readonly type: 'edited'; readonly text: string } & Numbered)
  | ({ readonly type: 'deleted' } & Numbered)
  | { readonly type: 'discontinuity'; readonly from: number; readonly to: number };

export interface PlaceParts {
  readonly key: PlaceKey;
  readonly topic: Topic;
  readonly http: Http;
  readonly outbox: Outbox;
  readonly userId: () => number | null;
  readonly author: { readonly name: string; readonly image: string | null };
  readonly progressOf: (nonce: string) => number | null;
  /** Gives a command to the outbox. */
  readonly put: (command: Pick<Command, 'kind' | 'text'> & Partial<Command>) => Promise<Receipt>;
  readonly sendTyping: () => void;
  readonly markRead: (seq: number) => void;
  /** A message that was created since the place is live. */
  readonly arrived: (entry: Entry) => void;
  readonly pageSize: number;
  readonly maxEntries: number;
  readonly random: () => number;
}

export type AboutFile = Partial<Omit<FileToShare, 'data'>> & {
  readonly nonce?: string;
  /** Cancels the upload. */
  readonly signal?: AbortSignal;
};

/** A message by its entry or by its id. */
export type MessageRef = Entry | string;

/** Events that create, edit or delete a message. */
const STORED = ['message', 'reply', 'direct', 'community', 'modify', 'delete'];
const TYPING_PAUSE_MS = 3_000;

/**
 * A room or channel: its messages as one list that mends itself, and everything that can be done
 * there. It is live while somebody subscribes or listens to its events.
 */
export class Place extends Store<PlaceSnapshot> {
  readonly key: PlaceKey;
  readonly #parts: PlaceParts;
  readonly #timeline: Timeline;
  readonly #typing: Typing;
  readonly #backoff: Backoff;
  readonly #events = new Listeners<[PlaceEvent]>();
  /** Own commands that were receipted, until their events come. */
  #receipted: readonly StoredCommand[] = [];
  #watchers = 0;
  #stopListening: (() => void) | null = null;
  #cancelRetry = () => {};
  /** Counts the reads of the newest page. An earlier one that comes late is dropped. */
  #loads = 0;
  /** true: a read of the newest page failed, and is repeated after a pause. */
  #isPausing = false;
  #refusal: Refused | null = null;
  /**
   * The number before a gap for which the place subscribed anew. A gap that stays is one of the
   * log.
   */
  #gapAfter: number | null = null;
  #typedAt = 0;

  constructor(parts: PlaceParts) {
    super(
      () => this.#snapshot(),
      (isWatched) => this.#watch(isWatched ? 1 : -1),
    );
    this.key = parts.key;
    this.#parts = parts;
    this.#timeline = new Timeline(parts.maxEntries);
    this.#backoff = new Backoff(500, 15_000, parts.random);
    this.#typing = new Typing(() => this.changed());
    parts.topic.resumeFrom = () => (this.#stopListening === null ? null : this.#timeline.last);
    parts.topic.onState.add((state) => {
      if (state === 'refused' && this.#stopListening !== null) this.#refused(parts.topic.refusal);
      this.changed();
    });
    parts.outbox.onChange.add((command) => command.place === this.key && this.changed());
    parts.outbox.onStored.add((command, receipt) => command.place === this.key && this.#stored(command, receipt));
  }

  /** Hears each event once, in order, and watches the place. Returns a function that ends it. */
  onEvent(listener: (event: PlaceEvent) => void): () => void {
    const remove = this.#events.add(listener);
    this.#watch(1);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      remove();
      this.#watch(-1);
    };
  }

  /** Sends a message. Resolves when it is stored; rejects when it never will be. */
  send(text: string, options: { readonly nonce?: string } = {}): Promise<Receipt> {
    return this.#put({ kind: 'message', text, ...options });
  }

  /** Answers a message, also one that is still pending. */
  reply(to: MessageRef, text: string, options: { readonly nonce?: string } = {}): Promise<Receipt> {
    return this.#put({ kind: 'reply', text, ...targetOf(to), ...options });
  }

  /** Changes the text of an own message, also of one that is still pending. */
  edit(message: MessageRef, text: string, options: { readonly nonce?: string } = {}): Promise<Receipt> {
    return this.#put({ kind: 'edit', text, ...targetOf(message), ...options });
  }

  /** Deletes an own message. One that was never sent is only discarded. */
  async remove(message: MessageRef, options: { readonly nonce?: string } = {}): Promise<void> {
    const target = targetOf(message);
    const own = target.target === null ? this.#parts.outbox.find(target.targetNonce ?? '') : undefined;
    if (own !== undefined && (own.triedAt === null || own.failure !== null)) return this.discard(own.nonce);
    await this.#put({ kind: 'delete', text: '', ...target, ...options });
  }

  /** Shares a file. Its entry shows the progress. `discard` with the entry's nonce cancels it. */
  share(data: Blob, about: AboutFile = {}): Promise<Receipt> {
    const { nonce = crypto.randomUUID(), signal, ...rest } = about;
    signal?.addEventListener('abort', () => this.discard(nonce));
    const kind = /^(image|video)\//.exec(data.type)?.[1] ?? 'file';
    const name = (data as { name?: string }).name ?? 'file';
    const file = { data, name, kind: kind as FileToShare['kind'], width: null, height: null, thumbnail: null, ...rest };
    const stored = this.#put({ kind: 'file', text: '', file, nonce });
    if (signal?.aborted) this.discard(nonce);
    return stored;
  }

  /** Sends a failed command again, after the others of this place. */
  retry(nonce: string): void {
    this.#parts.outbox.retry(nonce);
  }

  /** Gives a pending or failed command up. */
  discard(nonce: string): void {
    this.#parts.outbox.discard(nonce);
  }

  /** Reports that the user types. The others see it for some seconds. */
  typing(): void {
    if (Date.now() - this.#typedAt < TYPING_PAUSE_MS) return;
    this.#typedAt = Date.now();
    this.#parts.sendTyping();
  }

  /** Reports that the user has read up to a number. Default: the newest one. */
  read(seq = this.#timeline.last): void {
    if (seq !== null && seq > 0) this.#parts.markRead(seq);
  }

  /** Reads the entries before the oldest one. @throws Refused, Unanswered */
  async loadOlder(): Promise<void> {
    const before = this.#timeline.entries.find(({ seq }) => seq !== null)?.seq ?? null;
    if (before === null || !this.#timeline.hasOlder) return;
    const read = await this.#read({ before });
    // A jump or a reset may have replaced the entries meanwhile.
    if (this.#timeline.entries.some(({ seq }) => seq === before)) this.#timeline.addOlder(...read);
    else this.#timeline.abandon(read[1]);
    this.changed();
  }

  /**
   * Reads the entries after the newest loaded one, after `loadAround`. @throws Refused, Unanswered
   */
  async loadNewer(): Promise<void> {
    const from = Math.max(0, ...this.#timeline.entries.map(({ seq }) => seq ?? 0));
    if (!this.#timeline.hasNewer) return;
    const read = await this.#read({ after: from });
    const isSame = this.#timeline.entries.some(({ seq }) => seq === from) || from === 0;
    if (isSame && this.#timeline.hasNewer) this.#timeline.addNewer(...read);
    else this.#timeline.abandon(read[1]);
    this.changed();
  }

  /** Shows the entries around a number instead of the loaded ones. @throws Refused, Unanswered */
  async loadAround(seq: number): Promise<void> {
    const [older, read] = await this.#read({ before: seq + 1 });
    const [newer, later] = await this.#read({ after: seq }).catch((error) => {
      this.#timeline.abandon(read);
      throw error;
    });
    this.#timeline.abandon(later);
    this.#timeline.jump(older, newer, read);
    this.changed();
  }

  /** Reads the newest page again: after `loadAround`, or to renew the links of files. */
  async reload(): Promise<void> {
    await this.#load();
  }

  /**
   * Tries again at once what failed or was refused: the connection is back, or the user was added.
   */
  retryNow(): void {
    if (this.#watchers === 0) return;
    if (this.#refusal !== null) this.#begin();
    else if (this.#isPausing) this.#load();
    this.changed();
  }

  #put(command: Pick<Command, 'kind' | 'text'> & Partial<Command>): Promise<Receipt> {
    // After a message, the next typing notice is sent without delay.
    this.#typedAt = 0;
    return this.#parts.put({ place: this.key, ...command });
  }

  #watch(change: 1 | -1): void {
    this.#watchers += change;
    if (this.#watchers === 1 && change === 1) {
      this.#begin();
    }
    if (this.#watchers === 0) {
      this.#loads += 1;
      this.#isPausing = false;
      this.#cancelRetry();
      this.#stopListening?.();
      this.#stopListening = null;
    }
    this.changed();
  }

  #begin(): void {
    this.#refusal = null;
    if (this.#parts.topic.state === 'refused') this.#parts.topic.restart();
    if (this.#timeline.last === null) this.#load();
    else this.#listen();
  }

  /** Reads the newest page, until it succeeds, and continues live after its number. */
  async #load(): Promise<void> {
    const load = ++this.#loads;
    this.#cancelRetry();
    this.#stopListening?.();
    this.#stopListening = null;
    this.#isPausing = false;
    this.changed();
    try {
      const page = await readHistory(this.#parts.http, this.key, { page: 0 }, this.#parts.pageSize);
      if (load !== this.#loads) return;
      this.#backoff.reset();
      this.#show(page);
    } catch (error) {
      if (load !== this.#loads) return;
      if (isFinal(error)) {
        this.#refused(error);
        return;
      }
      this.#isPausing = true;
      this.#cancelRetry = after(this.#backoff.next(error), () => this.#load());
    }
  }

  #show(page: Page): void {
    const from = this.#timeline.last;
    this.#timeline.start(page);
    this.#settleReceipted();
    if (from === null) this.#events.emit({ type: 'ready', seq: page.seq });
    else if (page.seq !== from) this.#events.emit({ type: 'discontinuity', from, to: page.seq });
    if (this.#watchers > 0) this.#listen();
    this.changed();
  }

  #listen(): void {
    this.#gapAfter = null;
    const { topic } = this.#parts;
    // Others may listen to the topic already, without numbers. The subscription begins anew, and
    // resumes.
    const isShared = topic.state !== 'idle';
    this.#stopListening = () => {};
    this.#stopListening = topic.listen((body) => this.#heard(body));
    if (isShared) topic.restart();
  }

  #heard(body: Body): void {
    const type = String(body.type);
    if (type === 'typing') this.#typing.heard(String(body.name), this.#parts.author.name);
    else if (type === 'reset') this.#load();
    else if (STORED.includes(type)) this.#numbered(body);
  }

  #numbered(body: Body): void {
    const { last } = this.#timeline;
    const seq = typeof body.seq === 'number' ? body.seq : null;
    if (last === null || (seq !== null && seq <= last)) return;
    if (seq !== null && seq > last + 1 && this.#gapAfter !== last) {
      this.#gapAfter = last;
      this.#parts.topic.restart();
      return;
    }
    this.#timeline.apply(body);
    this.#settleReceipted();
    if (typeof body.name === 'string') this.#typing.stopped(body.name);
    const about = { seq, id: String(body.id), nonce: typeof body.nonce === 'string' ? body.nonce : null };
    if (body.type === 'modify') this.#events.emit({ type: 'edited', text: String(body.message ?? ''), ...about });
    else if (body.type === 'delete') this.#events.emit({ type: 'deleted', ...about });
    else {
      const entry = entryOf(body);
      this.#parts.arrived(entry);
      this.#events.emit({ type: 'created', entry, ...about });
    }
    this.changed();
  }

  async #read(range: Range): Promise<[Page, ReturnType<Timeline['begin']>]> {
    const read = this.#timeline.begin();
    try {
      return [await readHistory(this.#parts.http, this.key, range, this.#parts.pageSize), read];
    } catch (error) {
      this.#timeline.abandon(read);
      throw error;
    }
  }

  #refused(refusal: Refused | null): void {
    this.#refusal = refusal;
    this.#stopListening?.();
    this.#stopListening = null;
    this.changed();
  }

  #stored(command: Command, receipt: Receipt): void {
    const { last } = this.#timeline;
    if (last !== null && this.#watchers > 0 && receipt.seq > last) {
      this.#receipted = [...this.#receipted, { command, receipt }];
    }
    this.changed();
  }

  #settleReceipted(): void {
    const last = this.#timeline.last ?? 0;
    this.#receipted = this.#receipted.filter(({ receipt }) => receipt.seq > last);
  }

  #snapshot(): PlaceSnapshot {
    const { entries, hasOlder, hasNewer, last } = this.#timeline;
    const { outbox, userId, author, progressOf } = this.#parts;
    const commands = outbox.of(this.key).filter((command) => !(hasNewer && createsEntry(command)));
    const receipted = hasNewer ? [] : this.#receipted;
    return {
      status: this.#status,
      entries: entriesWith(entries, receipted, commands, {
        ...author,
        userId: userId(),
        progressOf,
        delays: outbox.delays,
      }),
      hasOlder,
      hasNewer,
      newest: last,
      typing: this.#typing.names,
      refusal: this.#refusal,
    };
  }

  get #status(): PlaceStatus {
    if (this.#refusal !== null) return 'refused';
    if (this.#watchers === 0) return 'idle';
    if (this.#timeline.last === null) return 'loading';
    return this.#stopListening !== null && this.#parts.topic.state === 'live' ? 'live' : 'behind';
  }
}

function targetOf(message: MessageRef): Pick<Command, 'target' | 'targetNonce'> {
  if (typeof message === 'string') return { target: message, targetNonce: null };
  return { target: message.id, targetNonce: message.id === null ? message.nonce : null };
}
