import type { StompFrame } from '../../src/bootstrap/cli/load/stomp-frame.ts';
import { StompSession } from '../../src/bootstrap/cli/load/stomp-session.ts';
import type { RunRecord } from '../durability/checker.ts';

/** The surroundings that all clients of a storm share. */
export interface StormWorld {
  readonly random: () => number;
  readonly record: (record: RunRecord) => void;
  /** Reports a frame or an answer that no client should get. */
  readonly surprise: (what: string) => void;
  /** Addresses of the servers. Some lead through a proxy. */
  readonly urls: readonly string[];
  readonly token: (userId: number) => string;
}

/** `r-5`, or a channel, `c-11`, of community 1. */
export type StormPlace = `r-${number}` | `c-${number}`;

export const STORM_COMMUNITY = 1;

const ERRORS = '/user/queue/errors';
const TRY_AGAIN = 2503;
/** The answer while the disk under the database is full. The same send may succeed later. */
const NOT_STORED = 2300;
const NOT_FOUND = 4111;
const LOOK_MS = 500;

export function topicOf(place: StormPlace): string {
  return `/topic/${place.startsWith('r') ? 'direct' : 'group'}/${place.slice(2)}`;
}

/** A client that reconnects to another server whenever its connection ends. */
abstract class Person {
  readonly userId: number;
  protected readonly world: StormWorld;
  protected connection: StompSession | null = null;
  reconnects = 0;
  #server: number;
  #leaving = false;
  #watch: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;

  constructor(world: StormWorld, userId: number) {
    this.world = world;
    this.userId = userId;
    this.#server = Math.floor(world.random() * world.urls.length);
  }

  protected abstract connected(connection: StompSession): void;
  protected abstract received(frame: StompFrame): void;
  /** Returns the reason to give the connection up, or null. */
  protected abstract trouble(connection: StompSession): string | null;

  start(): void {
    this.#open();
    this.#watch = setInterval(() => {
      const why = this.connection === null ? null : this.trouble(this.connection);
      if (why !== null) this.connection?.end(why);
    }, LOOK_MS);
  }

  stop(): void {
    this.#leaving = true;
    clearInterval(this.#watch);
    clearTimeout(this.#again);
    this.connection?.end('done');
  }

  cut(): void {
    this.connection?.end('cut');
  }

  get isConnected(): boolean {
    return this.connection?.isConnected === true;
  }

  #open(): void {
    const { urls, random, token } = this.world;
    const url = urls[this.#server] ?? '';
    const connection = new StompSession(url, token(this.userId), {
      connected: () => {
        connection.send('SUBSCRIBE', { id: 'errors', destination: ERRORS });
        this.connected(connection);
      },
      frame: (frame) => {
        if (frame.command === 'ERROR') this.world.surprise(`ERROR ${frame.headers.code}: ${frame.headers.message}`);
        else this.received(frame);
      },
      ended: () => {
        this.connection = null;
        if (this.#leaving) return;
        this.reconnects += 1;
        this.#server = (this.#server + 1) % urls.length;
        this.#again = setTimeout(() => this.#open(), 50 + random() * 400);
      },
    });
    this.connection = connection;
  }
}

interface Operation {
  readonly nonce: string;
  readonly place: StormPlace;
  readonly destination: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly creates: boolean;
  /** true: its target may have been deleted meanwhile. */
  readonly refers: boolean;
  /** `performance.now()` of the last attempt; 0 for none. */
  sentAt: number;
}

const WINDOW = 16;
const RECEIPT_MS = 8_000;
const OWN = 40;

/**
 * Sends, edits and deletes messages, and repeats each operation with its nonce until it is
 * acknowledged.
 */
export class Publisher extends Person {
  readonly #places: readonly StormPlace[];
  readonly #prefix: string;
  /** Operations that are not acknowledged yet, oldest first. */
  readonly #open = new Map<string, Operation>();
  readonly #own: { readonly place: StormPlace; readonly id: string }[] = [];
  #serial = 0;
  repeats = 0;
  refusals = 0;

  constructor(world: StormWorld, userId: number, places: readonly StormPlace[], run: string) {
    super(world, userId);
    this.#places = places;
    this.#prefix = `${run}-${userId}`;
  }

  get open(): number {
    return this.#open.size;
  }

  /** Sends a new operation. Does nothing while too many wait for their receipts. */
  speak(): void {
    if (this.#open.size >= WINDOW) return;
    const operation = this.#invent();
    this.#open.set(operation.nonce, operation);
    this.world.record({ what: 'sent', nonce: operation.nonce, place: operation.place });
    this.#send(operation);
  }

  protected connected(): void {
    for (const operation of this.#open.values()) this.#send(operation);
  }

  protected received({ command, headers, body }: StompFrame): void {
    const nonce = headers['receipt-id'];
    if (command === 'RECEIPT' && nonce !== undefined) {
      const operation = this.#open.get(nonce);
      this.#open.delete(nonce);
      if (operation === undefined) {
        this.world.surprise(`an unexpected receipt for ${nonce}`);
        return;
      }
      const [seq, id] = [Number(headers.seq), headers['message-id'] ?? ''];
      this.world.record({ what: 'acked', nonce, place: operation.place, seq, id });
      if (operation.creates) this.#own.push({ place: operation.place, id });
      if (this.#own.length > OWN) this.#own.shift();
    } else if (headers.destination === ERRORS) this.#refused(body);
  }

  protected trouble(): string | null {
    const [oldest] = this.#open.values();
    if (!this.isConnected || oldest === undefined) return null;
    return oldest.sentAt > 0 && performance.now() - oldest.sentAt > RECEIPT_MS ? 'no receipt' : null;
  }

  #send(operation: Operation): void {
    if (!this.isConnected) return;
    if (operation.sentAt > 0) this.repeats += 1;
    operation.sentAt = performance.now();
    const { destination, nonce, body } = operation;
    this.connection?.send('SEND', { destination, receipt: nonce }, body);
  }

  #refused(body: string): void {
    const { code, 'receipt-id': nonce, message } = JSON.parse(body);
    const operation = this.#open.get(nonce);
    if (operation === undefined) return;
    this.refusals += 1;
    if (code === TRY_AGAIN || code === NOT_STORED) {
      const { connection } = this;
      setTimeout(
        () => {
          if (this.connection === connection && this.#open.has(nonce)) this.#send(operation);
        },
        200 + this.world.random() * 500,
      );
      // A refusal is an answer, too.
      operation.sentAt = performance.now();
      return;
    }
    this.#open.delete(nonce);
    if (code !== NOT_FOUND || !operation.refers) this.world.surprise(`refused with ${code}: ${message}`);
  }

  #invent(): Operation {
    const { random } = this.world;
    const nonce = `${this.#prefix}-${++this.#serial}`;
    const dice = random();
    const target = dice < 0.3 ? this.#own[Math.floor(random() * this.#own.length)] : undefined;
    const place = target?.place ?? this.#places[Math.floor(random() * this.#places.length)] ?? 'r-1';
    const kind = target === undefined ? 'message' : dice < 0.08 ? 'delete' : dice < 0.22 ? 'modify' : 'reply';
    const isRoom = place.startsWith('r');
    const common = { channelId: Number(place.slice(2)), userId: this.userId, nonce };
    const authored = { name: `user${this.userId}`, profileImage: null, content: nonce };
    const body = {
      ...common,
      ...(isRoom ? {} : { communityId: STORM_COMMUNITY }),
      ...(kind === 'message' || kind === 'reply' ? authored : { id: target?.id, type: kind }),
      ...(kind === 'modify' ? { content: `edited by ${nonce}` } : {}),
      ...(kind === 'reply' ? { parentId: target?.id, parentName: 'x', parentContent: 'x', type: kind } : {}),
    };
    const destination = `/kafka/send-${isRoom ? 'direct' : 'channel'}-${kind}`;
    const creates = kind === 'message' || kind === 'reply';
    return { nonce, place, destination, body, creates, refers: kind !== 'message', sentAt: 0 };
  }
}

/** Listens to some places, and resumes each with the last number that it got. */
export class Listener extends Person {
  readonly name: string;
  /** The last number that came from each place. */
  readonly last = new Map<StormPlace, number>();
  /** Texts that many frames repeat. Each is kept once. */
  readonly #texts: Map<string, string>;
  readonly #silenceMs: number;
  /** Places that are up to date since the last connect. */
  readonly #live = new Set<StormPlace>();

  constructor(
    world: StormWorld,
    name: string,
    userId: number,
    places: readonly StormPlace[],
    texts: Map<string, string>,
  ) {
    super(world, userId);
    this.name = name;
    this.#texts = texts;
    this.#silenceMs = 5_000 + world.random() * 9_000;
    for (const place of places) this.last.set(place, 0);
  }

  /** true: all missed events have come, and all subscriptions are live. */
  get isLive(): boolean {
    return this.isConnected && this.#live.size === this.last.size;
  }

  protected connected(): void {
    this.#live.clear();
    for (const place of this.last.keys()) this.#subscribe(place);
  }

  protected received(frame: StompFrame): void {
    const { command, headers, body } = frame;
    if (command === 'RECEIPT') this.#live.add(headers['receipt-id'] as StormPlace);
    if (headers.destination === ERRORS) this.#refused(body);
    const place = headers.subscription as StormPlace;
    const last = this.last.get(place);
    if (command !== 'MESSAGE' || last === undefined) return;
    const said = JSON.parse(body);
    const subscriber = this.name;
    if (said.type === 'removed') this.world.surprise(`${subscriber} was removed from ${place}`);
    if (headers.seq === undefined) return;
    const seq = Number(headers.seq);
    if (said.seq !== seq) this.world.surprise(`header and body disagree: ${headers.seq} and ${said.seq}`);
    this.last.set(place, seq);
    if (said.type === 'reset') this.world.record({ what: 'reset', subscriber, place, seq });
    else {
      const nonce = this.#interned(said.nonce);
      this.world.record({ what: 'delivered', subscriber, place, seq, id: this.#interned(said.id), nonce });
    }
  }

  protected trouble(connection: StompSession): string | null {
    return performance.now() - connection.heardAt > this.#silenceMs ? 'silence' : null;
  }

  #subscribe(place: StormPlace): void {
    const from = this.last.get(place) ?? 0;
    this.world.record({ what: 'subscribed', subscriber: this.name, place, from });
    const destination = topicOf(place);
    this.connection?.send('SUBSCRIBE', { id: place, receipt: place, destination, 'last-seq': from });
  }

  #refused(body: string): void {
    const { code, subscription, message } = JSON.parse(body);
    if (code !== TRY_AGAIN) this.world.surprise(`SUBSCRIBE refused with ${code}: ${message}`);
    const { connection } = this;
    setTimeout(
      () => {
        if (this.connection === connection) this.#subscribe(subscription);
      },
      200 + this.world.random() * 500,
    );
  }

  #interned(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    this.#texts.set(text, text);
    return text;
  }
}
