import { MemoryDirectory } from '../../../src/adapters/memory/directory.ts';
import { MemoryMemberCache } from '../../../src/adapters/memory/member-cache.ts';
import { MemoryBroker, seededRandom } from '../../../src/adapters/memory/memory-broker.ts';
import { MemoryMessageBus } from '../../../src/adapters/memory/message-bus.ts';
import { MemoryRoomDirectory } from '../../../src/adapters/memory/room-directory.ts';
import { MemorySessionReporter } from '../../../src/adapters/memory/session-reporter.ts';
import { MemoryUserDirectory } from '../../../src/adapters/memory/user-directory.ts';
import { SqliteDatabase } from '../../../src/adapters/sqlite/database.ts';
import { SqliteMessageStore } from '../../../src/adapters/sqlite/message-store.ts';
import { SqliteOutbox } from '../../../src/adapters/sqlite/outbox.ts';
import { SqliteReadMarkers } from '../../../src/adapters/sqlite/read-markers.ts';
import { SystemIdSource } from '../../../src/adapters/system/id-source.ts';
import type { Caller } from '../../../src/application/caller.ts';
import { createApplication, type RunningApplication } from '../../../src/application/create-application.ts';
import type { Clock, Timer } from '../../../src/application/ports/clock.ts';
import type { LocalSubscribers, ReplaySink } from '../../../src/application/ports/local-subscribers.ts';
import type { MessageBus } from '../../../src/application/ports/message-bus.ts';
import type { AppendOutcome, MessageStore } from '../../../src/application/ports/message-store.ts';
import { conversationTopic } from '../../../src/domain/audience.ts';
import { type ChatEvent, isCreating, isStored, type StoredEvent } from '../../../src/domain/chat-event.ts';
import { type ConversationKey, idOf, roomKey } from '../../../src/domain/conversation.ts';
import { Refusal } from '../../../src/domain/errors.ts';
import { unlimited } from '../limits.ts';
import { RecordedTelemetry } from '../recorded-telemetry.ts';
import { check, type FinalEvent, type Recorded, type Verdict } from './checker.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly servers: number;
  readonly rooms: number;
  readonly messages: number;
  readonly subscribersPerRoom: number;
}

const SPEED = 10;

/** A clock that runs ten times as fast, so that leases and sweeps take tenths of a second. */
class QuickClock implements Clock {
  readonly #began = Date.now();

  now(): number {
    return this.#began + (Date.now() - this.#began) * SPEED;
  }

  after(ms: number, task: () => void): Timer {
    const timer = setTimeout(task, ms / SPEED);
    return { cancel: () => clearTimeout(timer) };
  }

  soon(task: () => void): void {
    setImmediate(task);
  }
}

/** What can go wrong with the store, by the seed. */
interface StoreFaults {
  down: boolean;
  /** Probability that an append that was stored is told as failed. */
  doubt: number;
}

/** One server process: alive until it is killed, and then silent at once, whatever it had under way. */
class SimulatedServer implements LocalSubscribers {
  readonly id: string;
  alive = true;
  app!: RunningApplication;
  readonly #subscriptions = new Map<string, Set<SimulatedSubscriber>>();

  constructor(id: string) {
    this.id = id;
  }

  deliver(destination: string, event: ChatEvent): void {
    if (!this.alive || !isStored(event)) return;
    for (const subscriber of this.#subscriptions.get(destination) ?? []) subscriber.delivered(event);
  }

  has(destination: string): boolean {
    return this.#subscriptions.has(destination);
  }

  destinations(): Iterable<string> {
    return this.#subscriptions.keys();
  }

  callers(): Iterable<Caller> {
    return [];
  }

  remove(): void {}

  add(destination: string, subscriber: SimulatedSubscriber): void {
    const set = this.#subscriptions.get(destination) ?? new Set();
    this.#subscriptions.set(destination, set.add(subscriber));
  }

  drop(destination: string, subscriber: SimulatedSubscriber): void {
    const set = this.#subscriptions.get(destination);
    set?.delete(subscriber);
    if (set?.size === 0) this.#subscriptions.delete(destination);
  }

  /** A killed process gets no answers. */
  guard<T>(work: Promise<T>): Promise<T> {
    return work.then(
      (value) => (this.alive ? value : new Promise<T>(() => {})),
      (error: unknown) => (this.alive ? Promise.reject(error) : new Promise<T>(() => {})),
    );
  }
}

class SimulatedSubscriber {
  readonly name: string;
  readonly place: ConversationKey;
  last = 0;
  server: SimulatedServer | null = null;
  #generation = 0;
  readonly #record: (record: Recorded) => void;

  constructor(name: string, place: ConversationKey, record: (record: Recorded) => void) {
    this.name = name;
    this.place = place;
    this.#record = record;
  }

  delivered(event: StoredEvent): void {
    this.last = event.seq;
    const { seq, id, nonce } = event;
    this.#record({ what: 'delivered', subscriber: this.name, place: this.place, seq, id, nonce });
  }

  leave(): void {
    this.server?.drop(conversationTopic(this.place), this);
    this.server = null;
    this.#generation += 1;
  }

  async join(server: SimulatedServer): Promise<void> {
    this.leave();
    const generation = this.#generation;
    const current = (): boolean => generation === this.#generation && server.alive;
    const sink: ReplaySink = {
      event: (event) => {
        if (current()) this.delivered(event);
      },
      reset: (seq) => {
        if (!current()) return;
        this.last = seq;
        this.#record({ what: 'reset', subscriber: this.name, place: this.place, seq });
      },
      drained: () => new Promise((resolve) => setImmediate(() => resolve(current()))),
      live: () => {
        if (!current()) return;
        this.server = server;
        server.add(conversationTopic(this.place), this);
      },
    };
    this.#record({ what: 'subscribed', subscriber: this.name, place: this.place, from: this.last });
    const topic = { kind: 'conversation', key: this.place } as const;
    const accepted = await server.app.subscribe(callerOf(1), { topic, lastSeq: this.last, sink });
    await accepted.result;
  }
}

function callerOf(userId: number): Caller {
  return { userId, account: `user${userId}`, token: '', expiresAt: Number.POSITIVE_INFINITY };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Several servers in this process over one bus and one store, while a seeded schedule kills and starts servers, breaks bus and store, and cuts subscribers off. What they
 * saw is judged by the same checker as runs against real services.
 */
export class Simulation {
  readonly #options: SimulationOptions;
  readonly #random: () => number;
  readonly #clock = new QuickClock();
  readonly #broker = new MemoryBroker();
  readonly #store: StoreFaults = { down: false, doubt: 0 };
  readonly #records: Recorded[] = [];
  readonly #servers: SimulatedServer[] = [];
  readonly #subscribers: SimulatedSubscriber[] = [];
  readonly #rooms: ConversationKey[];
  readonly #database: SqliteDatabase;
  #serial = 0;
  kills = 0;

  private constructor(options: SimulationOptions, database: SqliteDatabase) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#database = database;
    this.#rooms = Array.from({ length: options.rooms }, (_, i) => roomKey(i + 1));
  }

  static async run(options: SimulationOptions): Promise<Verdict & { readonly kills: number }> {
    const database = await SqliteDatabase.open(':memory:');
    const simulation = new Simulation(options, database);
    try {
      return { ...(await simulation.#run()), kills: simulation.kills };
    } finally {
      for (const server of simulation.#servers) server.alive = false;
      await database.close();
    }
  }

  async #run(): Promise<Verdict> {
    for (let i = 0; i < this.#options.servers; i++) await this.#startServer();
    for (const place of this.#rooms) {
      for (let i = 0; i < this.#options.subscribersPerRoom; i++) {
        const subscriber = new SimulatedSubscriber(`s${i}`, place, (record) => this.#records.push(record));
        this.#subscribers.push(subscriber);
        await subscriber.join(this.#anyServer());
      }
    }
    this.#broker.faults = { drop: 0.02, duplicate: 0.05, delay: 0.1, random: this.#random };
    let sending = 0;
    const sends: Promise<void>[] = [];
    while (sending < this.#options.messages) {
      const burst = 1 + Math.floor(this.#random() * 8);
      for (let i = 0; i < burst && sending < this.#options.messages; i++) sends.push(this.#send(`n${sending++}`));
      await this.#somethingHappens();
      await pause(this.#random() * 4);
    }
    this.#broker.faults = {};
    this.#broker.restart();
    this.#store.down = false;
    this.#store.doubt = 0;
    await Promise.all(sends);
    return this.#judge();
  }

  /** A message until it is acknowledged, each time with the same nonce, each time by any server. */
  async #send(nonce: string): Promise<void> {
    const place = this.#pick(this.#rooms);
    const userId = 1 + Math.floor(this.#random() * 3);
    for (;;) {
      const server = this.#anyServer();
      this.#records.push({ what: 'sent', nonce, place });
      try {
        const input = { roomId: idOf(place), name: 'x', profileImage: null, content: nonce, nonce };
        const sent = (async () => (await server.app.sendDirectMessage(callerOf(userId), input)).result)();
        const answer = await Promise.race([sent, pause(1_000)]);
        if (answer === undefined || !server.alive) continue;
        this.#records.push({ what: 'acked', nonce, place, ...answer });
        return;
      } catch (error) {
        if (!(error instanceof Refusal) || error.code !== 'try-again') throw error;
        await pause(10);
      }
    }
  }

  async #somethingHappens(): Promise<void> {
    const dice = this.#random();
    if (dice < 0.03) await this.#killServer();
    else if (dice < 0.05) this.#broker.isDown ? this.#broker.restart() : this.#broker.stop();
    else if (dice < 0.07) this.#store.down = !this.#store.down;
    else if (dice < 0.1) this.#store.doubt = this.#store.doubt > 0 ? 0 : 0.3;
    else if (dice < 0.14) this.#broker.hold(this.#anyServer().id);
    else if (dice < 0.2) for (const server of this.#servers) this.#broker.release(server.id);
    else if (dice < 0.35) {
      const subscriber = this.#pick(this.#subscribers);
      await this.#rejoin(subscriber);
    }
  }

  async #rejoin(subscriber: SimulatedSubscriber): Promise<void> {
    subscriber.leave();
    // With the store away nobody can be brought up to date; he comes back at the end.
    await Promise.race([subscriber.join(this.#anyServer()).catch(() => subscriber.leave()), pause(500)]);
  }

  async #killServer(): Promise<void> {
    if (this.#broker.isDown) return;
    const victim = this.#pick(this.#servers);
    victim.alive = false;
    this.kills += 1;
    this.#broker.leave(victim.id);
    this.#servers.splice(this.#servers.indexOf(victim), 1);
    const orphans = this.#subscribers.filter(({ server }) => server === victim);
    await this.#startServer();
    for (const subscriber of orphans) await this.#rejoin(subscriber);
  }

  async #judge(): Promise<Verdict> {
    for (const { id } of this.#servers) this.#broker.release(id);
    for (const subscriber of this.#subscribers) {
      if (subscriber.server?.alive !== true) await subscriber.join(this.#anyServer());
    }
    const store = new SqliteMessageStore(this.#database);
    const newest = await store.newest(this.#rooms);
    const until = Date.now() + 10_000;
    const behind = (): boolean => this.#subscribers.some(({ place, last }) => last < (newest.get(place) ?? 0));
    while (behind() && Date.now() < until) await pause(20);
    const history = new Map<string, readonly FinalEvent[]>();
    for (const place of this.#rooms) history.set(place, await wholeHistory(store, place));
    return check({
      records: this.#records,
      history,
      newest,
      complete: new Set(this.#subscribers.map(({ name }) => name)),
    });
  }

  async #startServer(): Promise<void> {
    const server = new SimulatedServer(`server-${++this.#serial}`);
    const directory = new MemoryDirectory({
      world: {
        users: {},
        rooms: Object.fromEntries(this.#rooms.map((key) => [String(idOf(key)), [1, 2, 3]])),
        communities: {},
      },
    });
    const telemetry = new RecordedTelemetry();
    server.app = createApplication(
      server.id,
      {
        bus: this.#busOf(server),
        store: this.#storeOf(server),
        outbox: new SqliteOutbox(this.#database, () => this.#clock.now()),
        markers: new SqliteReadMarkers(this.#database),
        reporter: new MemorySessionReporter(),
        directory: new MemoryRoomDirectory(directory),
        memberCache: new MemoryMemberCache(),
        tokens: { verify: () => ({ userId: 1, account: 'user1', role: '', expiresAt: Number.POSITIVE_INFINITY }) },
        users: new MemoryUserDirectory(directory),
        notifier: null,
        files: {
          put: () => Promise.reject(new Error('no files here')),
          get: () => Promise.resolve(null),
          remove: () => Promise.resolve(),
        },
        subscribers: server,
        clock: this.#clock,
        ids: new SystemIdSource(),
        telemetry,
      },
      unlimited,
    );
    await server.app.start();
    this.#servers.push(server);
  }

  #busOf(server: SimulatedServer): MessageBus {
    const bus = new MemoryMessageBus(this.#broker, server.id);
    return {
      start: (handler) => bus.start((record) => server.alive && handler(record)),
      publish: (records) => (server.alive ? server.guard(bus.publish(records)) : new Promise(() => {})),
      health: () => bus.health(),
      close: () => bus.close(),
    };
  }

  #storeOf(server: SimulatedServer): MessageStore {
    const store = new SqliteMessageStore(this.#database, () => this.#clock.now());
    const ask = <T>(work: () => Promise<T>): Promise<T> => {
      if (!server.alive) return new Promise(() => {});
      if (this.#store.down) return Promise.reject(new Refusal('try-again', 'the store is away'));
      return server.guard(work());
    };
    return {
      append: (batches) =>
        ask(async () => {
          const outcomes = await store.append(batches);
          return outcomes.map(
            (outcome): AppendOutcome =>
              this.#random() < this.#store.doubt
                ? { kind: 'failed', error: new Error('the answer was lost') }
                : outcome,
          );
        }),
      newest: (places) => ask(() => store.newest(places)),
      eventsAfter: (place, after, limit) => ask(() => store.eventsAfter(place, after, limit)),
      messages: (place, ids) => ask(() => store.messages(place, ids)),
      history: (place, range) => ask(() => store.history(place, range)),
      byNonce: (userId, nonce) => ask(() => store.byNonce(userId, nonce)),
      close: () => store.close(),
    };
  }

  #anyServer(): SimulatedServer {
    return this.#pick(this.#servers);
  }

  #pick<T>(from: readonly T[]): T {
    const one = from[Math.floor(this.#random() * from.length)];
    if (one === undefined) throw new Error('nothing to choose from');
    return one;
  }
}

async function wholeHistory(store: MessageStore, place: ConversationKey): Promise<FinalEvent[]> {
  const events: FinalEvent[] = [];
  for (;;) {
    const more = await store.eventsAfter(place, events.at(-1)?.seq ?? 0, 500);
    if (more.length === 0) return events;
    for (const event of more) if (isCreating(event)) events.push({ seq: event.seq, id: event.id, nonce: event.nonce });
  }
}
