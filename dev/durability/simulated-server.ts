import { MemoryDirectory } from '../../src/adapters/memory/directory.ts';
import { MemoryMemberCache } from '../../src/adapters/memory/member-cache.ts';
import type { MemoryBroker } from '../../src/adapters/memory/memory-broker.ts';
import { MemoryMessageBus } from '../../src/adapters/memory/message-bus.ts';
import { MemoryModerationStore } from '../../src/adapters/memory/moderation-store.ts';
import { NoNotifier } from '../../src/adapters/memory/no-notifier.ts';
import { MemoryRoomDirectory } from '../../src/adapters/memory/room-directory.ts';
import { MemorySessionReporter } from '../../src/adapters/memory/session-reporter.ts';
import { MemoryUserDirectory } from '../../src/adapters/memory/user-directory.ts';
import type { SqliteDatabase } from '../../src/adapters/sqlite/database.ts';
import { SqliteJobStore } from '../../src/adapters/sqlite/job-store.ts';
import { SqliteMessageStore } from '../../src/adapters/sqlite/message-store.ts';
import { SqliteReadMarkers } from '../../src/adapters/sqlite/read-markers.ts';
import { SqliteStoredData } from '../../src/adapters/sqlite/stored-data.ts';
import type { Caller } from '../../src/application/commands.ts';
import { createApplication } from '../../src/application/create-application.ts';
import type { LocalSubscribers, Traffic } from '../../src/application/ports/local-subscribers.ts';
import type { MessageBus } from '../../src/application/ports/message-bus.ts';
import type { AppendBatch, AppendOutcome, MessageStore } from '../../src/application/ports/message-store.ts';
import type { Outbox } from '../../src/application/ports/outbox.ts';
import type { RunningApplication } from '../../src/application/running-application.ts';
import type { ChatEvent } from '../../src/domain/chat-event.ts';
import { Refusal } from '../../src/domain/errors.ts';
import type { PlaceKey } from '../../src/domain/place.ts';
import { type ConversationKey, idOf } from '../../src/domain/place.ts';
import { isStored, type StoredEvent } from '../../src/domain/stored-event.ts';
import type { RecordedTelemetry } from '../recorded-telemetry.ts';
import { unlimited } from '../unlimited.ts';
import type { SimulatedSiblings } from './simulated-siblings.ts';
import type { VirtualTime } from './virtual-time.ts';

/** The parts that all servers of a simulation share, and their faults. */
export interface SimulatedWorld {
  readonly time: VirtualTime;
  readonly broker: MemoryBroker;
  readonly database: SqliteDatabase;
  readonly rooms: readonly ConversationKey[];
  readonly random: () => number;
  readonly telemetry: RecordedTelemetry;
  storeDown: boolean;
  /** Probability that an append is reported as failed although it is stored, or is stored later. */
  doubt: number;
  /** The way of stored events between the servers, which are workers of one machine; null: none. */
  readonly siblings: SimulatedSiblings | null;
  /** Probability that a failed publish has put some of its records on the bus. */
  half: number;
}

export interface SimulatedClient {
  delivered(event: StoredEvent): void;
}

const MARK_MS = 500;

/**
 * A server process of the simulation. A killed server does nothing from then on, whatever was under
 * way. A frozen server does nothing until it is thawed, and then handles everything that waits.
 */
export class SimulatedServer implements LocalSubscribers {
  readonly id: string;
  /** A test replaces this to plant a defect. */
  app: RunningApplication;
  alive = true;
  frozen = false;
  readonly #world: SimulatedWorld;
  readonly #subscriptions = new Map<PlaceKey, Set<SimulatedClient>>();
  #backlog: (() => void)[] = [];
  #ids = 0;

  constructor(id: string, world: SimulatedWorld) {
    this.id = id;
    this.#world = world;
    this.app = this.#createApplication();
  }

  kill(): void {
    this.alive = false;
    this.#backlog = [];
    this.#world.broker.leave(this.id);
    this.#world.siblings?.leave(this.id);
  }

  freeze(): void {
    this.frozen = true;
    this.#world.broker.hold(this.id);
  }

  thaw(): void {
    this.frozen = false;
    for (const task of this.#backlog.splice(0)) this.gate(task);
    this.#world.broker.release(this.id);
  }

  /** Runs `work` on this server: now, when the server is thawed, or never. */
  gate(task: () => void): void {
    if (!this.alive) return;
    if (this.frozen) this.#backlog.push(task);
    else task();
  }

  deliver(place: PlaceKey, event: ChatEvent): void {
    if (!this.alive || !isStored(event)) return;
    for (const subscriber of this.#subscriptions.get(place) ?? []) subscriber.delivered(event);
  }

  count(place: PlaceKey): number {
    return this.#subscriptions.get(place)?.size ?? 0;
  }

  places(): Iterable<PlaceKey> {
    return this.#subscriptions.keys();
  }

  callers(): Iterable<Caller> {
    return [];
  }

  remove(): void {}

  watch(): void {}

  busiest(): Traffic {
    return { seconds: 0, places: [] };
  }

  add(place: PlaceKey, subscriber: SimulatedClient): void {
    const set = this.#subscriptions.get(place) ?? new Set();
    this.#subscriptions.set(place, set.add(subscriber));
  }

  drop(place: PlaceKey, subscriber: SimulatedClient): void {
    const set = this.#subscriptions.get(place);
    set?.delete(subscriber);
    if (set?.size === 0) this.#subscriptions.delete(place);
  }

  #createApplication(): RunningApplication {
    const { time, database, rooms, telemetry } = this.#world;
    const members = Object.fromEntries(rooms.map((key) => [String(idOf(key)), [1, 2, 3]]));
    const directory = new MemoryDirectory({ world: { users: {}, rooms: members, communities: {} } });
    return createApplication(
      this.id,
      {
        bus: this.#bus(),
        store: this.#store(),
        outbox: this.#outbox(),
        markers: new SqliteReadMarkers({ database }),
        moderationStore: new MemoryModerationStore({ now: () => time.now() }),
        moderation: null,
        serverFacts: {
          read: () => {
            throw new Error('no administrators here');
          },
        },
        data: new SqliteStoredData({ database }),
        jobs: new SqliteJobStore({ database }),
        reporter: new MemorySessionReporter(),
        directory: new MemoryRoomDirectory(directory),
        memberCache: new MemoryMemberCache(),
        sharedRates: null,
        siblings: this.#world.siblings?.of(this.id, (task) => this.gate(task)) ?? null,
        tokens: { verify: () => ({ userId: 1, account: 'user1', role: '', expiresAt: Number.POSITIVE_INFINITY }) },
        users: new MemoryUserDirectory(directory),
        notifier: new NoNotifier(),
        files: {
          put: () => Promise.reject(new Error('no files here')),
          get: () => Promise.resolve(null),
          remove: () => Promise.resolve(),
        },
        subscribers: this,
        clock: {
          now: () => time.now(),
          monotonic: () => time.monotonic(),
          after: (ms, task) => time.after(ms, () => this.gate(task)),
          soon: (task) => time.soon(() => this.gate(task)),
        },
        ids: {
          messageId: () => `${this.id}-${++this.#ids}`,
          secret: () => `${this.id}-secret-${++this.#ids}`,
        },
        random: this.#world.random,
        telemetry,
        originals: null,
      },
      unlimited,
    );
  }

  /**
   * Runs work on a service: it begins after some milliseconds, even if this server is dead by then.
   * The answer takes time too, and needs a living server.
   */
  #remote<T>(work: () => Promise<T>): Promise<T> {
    if (!this.alive) return new Promise(() => {});
    const { time, random } = this.#world;
    // Mostly fast, sometimes slow, so that calls overtake each other.
    const way = (): number => (random() < 0.05 ? random() * 600 : random() * 4);
    const [there, back] = [way(), way()];
    return new Promise((resolve, reject) => {
      time.after(there, () => {
        const answer = (settle: () => void): unknown => time.after(back, () => this.gate(settle));
        time.hold(work()).then(
          (value) => answer(() => resolve(value)),
          (error: unknown) => answer(() => reject(error)),
        );
      });
    });
  }

  #bus(): MessageBus {
    const world = this.#world;
    const bus = new MemoryMessageBus(world.broker, this.id);
    return {
      start: (handler) => bus.start((record) => this.gate(() => handler(record))),
      publish: (records) =>
        this.#remote(async () => {
          if (this.alive && world.random() < world.half) {
            await bus.publish(records.slice(0, Math.floor(world.random() * (records.length + 1))));
            throw new Error('the answer was lost');
          }
          await bus.publish(records);
        }),
      health: () => bus.health(),
      close: () => bus.close(),
    };
  }

  #ask<T>(work: () => Promise<T>): Promise<T> {
    return this.#remote(() =>
      this.#world.storeDown ? Promise.reject(new Refusal('try-again', 'the store is away')) : work(),
    );
  }

  #store(): MessageStore {
    const { database, time } = this.#world;
    const store = new SqliteMessageStore({ database, now: () => time.now() });
    return {
      pace: 4,
      append: (batches) => this.#ask(() => this.#append(store, batches)),
      newest: (places) => this.#ask(() => store.newest(places)),
      eventsAfter: (place, after, limit) => this.#ask(() => store.eventsAfter(place, after, limit)),
      messages: (place, ids) => this.#ask(() => store.messages(place, ids)),
      history: (place, range) => this.#ask(() => store.history(place, range)),
      byNonce: (userId, nonce) => this.#ask(() => store.byNonce(userId, nonce)),
      close: () => store.close(),
    };
  }

  async #append(store: MessageStore, batches: readonly AppendBatch[]): Promise<AppendOutcome[]> {
    const { random, doubt, time } = this.#world;
    const failed: AppendOutcome = { kind: 'failed', error: new Error('the answer was lost') };
    const dice = random();
    if (dice < doubt / 2) {
      time.after(random() * 3_000, () => void time.hold(store.append(batches)).catch(() => undefined));
      return batches.map(() => failed);
    }
    const outcomes = await store.append(batches);
    return dice < doubt ? outcomes.map(() => failed) : outcomes;
  }

  /** The outbox of SQLite, with its delay in virtual time. */
  #outbox(): Outbox {
    const { database, time } = this.#world;
    return {
      published: (batches) => {
        time.after(MARK_MS, () => this.gate(() => void time.hold(database.call('published', batches))));
      },
      unpublished: (olderThanMs, limit) =>
        this.#ask(() => database.call('unpublished', time.now() - olderThanMs, time.now(), limit)),
    };
  }
}
