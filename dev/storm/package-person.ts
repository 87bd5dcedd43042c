import { type Chat, connect, MemoryStorage, type Place, type PlaceEvent, Refused } from '../../client/src/index.ts';
import type { FinalEvent, LoggedEvent } from '../durability/checker.ts';
import { STORM_COMMUNITY, type StormPlace, type StormWorld } from './people.ts';

const WINDOW = 16;
const OWN = 40;
const NOT_FOUND = 4111;
/** This part of the cuts is a reload of the page: a new client on the same storage. */
const RELOADS = 0.25;

/** A storage that knows which commands are neither stored nor failed. */
class CountingStorage extends MemoryStorage {
  readonly open = new Set<string>();
  readonly failed = new Set<string>();

  override add(command: Parameters<MemoryStorage['add']>[0]): Promise<void> {
    if (command.failure === null) this.open.add(command.nonce);
    return super.add(command);
  }

  override update(command: Parameters<MemoryStorage['update']>[0]): Promise<void> {
    if (command.failure !== null) {
      this.open.delete(command.nonce);
      this.failed.add(command.nonce);
    }
    return super.update(command);
  }

  override remove(nonce: string): Promise<void> {
    this.open.delete(nonce);
    return super.remove(nonce);
  }
}

/**
 * A user of the client package: they talk and listen in some places, and note what their
 * application sees. All repeats, resumes and reconnects are the package's.
 */
export class PackagePerson {
  readonly userId: number;
  readonly #world: StormWorld;
  readonly #places: readonly StormPlace[];
  readonly #prefix: string;
  readonly #storage = new CountingStorage();
  /** All commands, in the order in which they were given. */
  readonly #given: { readonly place: StormPlace; readonly nonce: string; readonly isDeletion: boolean }[] = [];
  readonly #own: { readonly place: StormPlace; readonly id: string }[] = [];
  #chat: Chat | null = null;
  #stops: (() => void)[] = [];
  #socket: WebSocket | null = null;
  #server: number;
  #serial = 0;
  #lives = 0;
  reconnects = 0;
  refusals = 0;
  reloads = 0;
  /** The package does not tell its application how often it repeats a command. */
  readonly repeats = 0;

  constructor(world: StormWorld, userId: number, places: readonly StormPlace[], run: string) {
    this.#world = world;
    this.userId = userId;
    this.#places = places;
    this.#prefix = `${run}-${userId}`;
    this.#server = Math.floor(world.random() * world.urls.length);
  }

  /** Name of the current client as a subscriber. It is another one after a reload. */
  get name(): string {
    return `user-${this.userId}-${this.#lives}`;
  }

  /** Commands that are neither stored nor failed. */
  get open(): number {
    return this.#storage.open.size;
  }

  get isLive(): boolean {
    return this.#views.every((place) => place.getSnapshot().status === 'live');
  }

  /** The newest number that the application has seen of each place. */
  get last(): ReadonlyMap<StormPlace, number> {
    return new Map(this.#views.map((place) => [place.key, place.getSnapshot().newest ?? 0]));
  }

  start(): void {
    const { urls, token } = this.#world;
    this.#lives += 1;
    const chat = connect({
      url: () => urls[this.#server] ?? '',
      token: async () => token(this.userId),
      user: { name: `user${this.userId}` },
      storage: this.#storage,
      random: this.#world.random,
      socket: (url) => {
        this.#socket = new WebSocket(url, ['v12.stomp']);
        return this.#socket as never;
      },
    });
    this.#chat = chat;
    let wasWaiting = false;
    const stop = chat.state.subscribe(() => {
      const isWaiting = chat.state.getSnapshot().kind === 'waiting';
      if (isWaiting && !wasWaiting) {
        this.reconnects += 1;
        this.#server = (this.#server + 1) % urls.length;
      }
      wasWaiting = isWaiting;
    });
    this.#stops = [stop, ...this.#views.map((place) => place.onEvent(this.#noteOf(place.key, this.name)))];
  }

  stop(): void {
    for (const stop of this.#stops) stop();
    this.#chat?.close();
  }

  /** Breaks the connection, or reloads the page. */
  cut(): void {
    if (this.#world.random() < RELOADS) {
      this.reloads += 1;
      this.stop();
      this.start();
    } else this.#socket?.close();
  }

  /** Gives a new command. Does nothing while too many are not stored. */
  speak(): void {
    if (this.open >= WINDOW || this.#chat === null) return;
    const { random, record } = this.#world;
    const nonce = `${this.#prefix}-${++this.#serial}`;
    const dice = random();
    const target = dice < 0.3 ? this.#own[Math.floor(random() * this.#own.length)] : undefined;
    const key = target?.place ?? this.#places[Math.floor(random() * this.#places.length)] ?? 'r-1';
    const place = this.#view(key);
    record({ what: 'sent', nonce, place: key });
    this.#given.push({ place: key, nonce, isDeletion: target !== undefined && dice < 0.08 });
    if (target === undefined) this.#follow(place.send(nonce, { nonce }), nonce, key, true);
    else if (dice < 0.08) place.remove(target.id, { nonce }).catch((error) => this.#failed(error, nonce, key));
    else if (dice < 0.22) this.#follow(place.edit(target.id, `edited by ${nonce}`, { nonce }), nonce, key, false);
    else this.#follow(place.reply(target.id, nonce, { nonce }), nonce, key, true);
  }

  /**
   * Compares what the application shows, and what it gave, with the history and the log at the end.
   */
  compare(history: ReadonlyMap<string, readonly FinalEvent[]>, log: ReadonlyMap<string, readonly LoggedEvent[]>): void {
    for (const place of this.#places) this.#compareOrder(place, log.get(place) ?? []);
    for (const { key, getSnapshot } of this.#views) {
      const shown = getSnapshot().entries.filter(({ state }) => state === 'stored');
      const first = shown[0]?.seq ?? Number.POSITIVE_INFINITY;
      const is = shown.map(({ id, seq, nonce, text }) => JSON.stringify([seq, id, nonce, text]));
      const should = (history.get(key) ?? [])
        .filter(({ seq }) => seq >= first)
        .map(({ id, seq, nonce, content }) => JSON.stringify([seq, id, nonce, content]));
      const at = is.findIndex((each, i) => each !== should[i]);
      if (at >= 0 || is.length !== should.length) {
        this.#world.surprise(
          `${this.name} shows in ${key}: ${is[at]} instead of ${should[at]}, ${is.length} of ${should.length}`,
        );
      }
    }
  }

  /**
   * The commands of one place must be stored in the order in which the user gave them, each of them
   * that did not fail. A deletion of a message that is gone already counts as done.
   */
  #compareOrder(place: StormPlace, log: readonly LoggedEvent[]): void {
    const is = log.flatMap(({ nonce }) => (nonce?.startsWith(`${this.#prefix}-`) ? [nonce] : []));
    const stored = new Set(is);
    const should = this.#given
      .filter((each) => each.place === place && !this.#storage.failed.has(each.nonce))
      .filter(({ nonce, isDeletion }) => !isDeletion || stored.has(nonce))
      .map(({ nonce }) => nonce);
    const at = should.findIndex((nonce, i) => nonce !== is[i]);
    if (at < 0 && is.length === should.length) return;
    this.#world.surprise(
      `${this.name} gave in ${place} ${should[at]}, and ${is[at]} was stored, ${is.length} of ${should.length}`,
    );
  }

  get #views(): readonly Place[] {
    return this.#places.map((key) => this.#view(key));
  }

  #view(key: StormPlace): Place {
    if (this.#chat === null) throw new Error('the person has not started');
    return key.startsWith('r') ? this.#chat.place(key) : this.#chat.channel(STORM_COMMUNITY, Number(key.slice(2)));
  }

  #noteOf(place: StormPlace, subscriber: string): (event: PlaceEvent) => void {
    const { record, surprise } = this.#world;
    return (event) => {
      if (event.type === 'ready') record({ what: 'subscribed', subscriber, place, from: event.seq });
      else if (event.type === 'discontinuity') record({ what: 'reset', subscriber, place, seq: event.to });
      else if (event.seq === null) surprise(`${subscriber} got an event without a number`);
      else record({ what: 'delivered', subscriber, place, seq: event.seq, id: event.id, nonce: event.nonce });
    };
  }

  #follow(stored: Promise<{ id: string; seq: number }>, nonce: string, place: StormPlace, creates: boolean): void {
    stored.then(
      ({ id, seq }) => {
        this.#world.record({ what: 'acked', nonce, place, seq, id });
        if (creates) this.#own.push({ place, id });
        if (this.#own.length > OWN) this.#own.shift();
      },
      (error) => this.#failed(error, nonce, place),
    );
  }

  #failed(error: unknown, nonce: string, place: StormPlace): void {
    this.refusals += 1;
    // Another command of the person may have deleted the target.
    if (!(error instanceof Refused) || error.code !== NOT_FOUND) this.#world.surprise(`${nonce} failed: ${error}`);
    this.#view(place).discard(nonce);
  }
}
