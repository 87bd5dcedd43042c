import { MemoryBroker, seededRandom } from '../../src/adapters/memory/memory-broker.ts';
import { SqliteDatabase } from '../../src/adapters/sqlite/database.ts';
import { SqliteMessageStore } from '../../src/adapters/sqlite/message-store.ts';
import type { Accepted, MaybePromise } from '../../src/application/commands.ts';
import type { MessageStore } from '../../src/application/ports/message-store.ts';
import { Refusal } from '../../src/domain/errors.ts';
import { type ConversationKey, idOf, roomKey } from '../../src/domain/place.ts';
import { isCreating } from '../../src/domain/stored-event.ts';
import { RecordedTelemetry } from '../recorded-telemetry.ts';
import { check, type FinalEvent, type LoggedEvent, type RunRecord, type Verdict } from './checker.ts';
import { shuffled } from './shuffled.ts';
import { SimulatedServer, type SimulatedWorld } from './simulated-server.ts';
import { SimulatedSiblings } from './simulated-siblings.ts';
import { callerOf, SimulatedSubscriber } from './simulated-subscriber.ts';
import { VirtualTime } from './virtual-time.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly servers: number;
  readonly rooms: number;
  readonly messages: number;
  readonly subscribersPerRoom: number;
  /** true: the servers are workers of one machine, which send stored events past the bus. */
  readonly areWorkers?: boolean;
  /** Plants a defect in each server, to see whether the checker finds it. */
  readonly sabotage?: (server: SimulatedServer) => void;
}

export interface Occurrences {
  kills: number;
  freezes: number;
  storeOutages: number;
  storeDoubts: number;
  busOutages: number;
  busFaults: number;
  lags: number;
  cuts: number;
}

export interface SimulationResult extends Verdict {
  readonly happened: Readonly<Occurrences>;
  readonly records: readonly RunRecord[];
  readonly telemetry: RecordedTelemetry;
}

type Stored = { readonly seq: number; readonly id: string };

/** Kinds of troubles and their weights. A longer run has each of them at least once. */
const DECK: readonly (keyof Occurrences)[] = [
  ...(['kills', 'freezes', 'storeOutages', 'storeDoubts', 'busOutages', 'busFaults', 'lags'] as const),
  ...(['kills', 'cuts', 'cuts', 'cuts'] as const),
];
const JOIN_MS = 2_000;
const TIMEOUT_MS = 1_500;
const CATCH_UP_MS = 30_000;

/**
 * Runs several servers in this process over one bus and one store, while a seeded schedule kills,
 * freezes and starts servers, breaks bus and store, and cuts subscribers off. Everything is in
 * virtual time, so a seed gives the same run again. The checker judges it in the same way as a run
 * on real services.
 */
export class Simulation {
  readonly #options: SimulationOptions;
  readonly #random: () => number;
  readonly #world: SimulatedWorld;
  readonly #records: RunRecord[] = [];
  readonly #servers: SimulatedServer[] = [];
  readonly #subscribers: SimulatedSubscriber[] = [];
  /** Ids of messages that can be edited and deleted, by place and author. */
  readonly #own = new Map<string, string[]>();
  readonly #happened: Occurrences = {
    kills: 0,
    freezes: 0,
    storeOutages: 0,
    storeDoubts: 0,
    busOutages: 0,
    busFaults: 0,
    lags: 0,
    cuts: 0,
  };
  #deck: (keyof Occurrences)[] = [];
  #serial = 0;
  #open = 0;

  private constructor(options: SimulationOptions, database: SqliteDatabase) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    const time = new VirtualTime();
    this.#world = {
      time,
      broker: new MemoryBroker((task) => time.after(0.5, task)),
      database,
      rooms: Array.from({ length: options.rooms }, (_, i) => roomKey(i + 1)),
      random: this.#random,
      telemetry: new RecordedTelemetry(),
      storeDown: false,
      doubt: 0,
      half: 0,
      siblings: options.areWorkers === true ? new SimulatedSiblings(time, this.#random) : null,
    };
  }

  static async run(options: SimulationOptions): Promise<SimulationResult> {
    const database = await SqliteDatabase.open(':memory:');
    const simulation = new Simulation(options, database);
    try {
      const verdict = await simulation.#world.time.run(simulation.#run());
      const { telemetry } = simulation.#world;
      return { ...verdict, happened: simulation.#happened, records: simulation.#records, telemetry };
    } finally {
      for (const server of simulation.#servers) server.kill();
      await database.close();
    }
  }

  async #run(): Promise<Verdict> {
    const { messages, servers, subscribersPerRoom } = this.#options;
    const { broker, rooms, time } = this.#world;
    for (let i = 0; i < servers; i++) await this.#startServer();
    for (const place of rooms) {
      for (let i = 0; i < subscribersPerRoom; i++) {
        const subscriber = new SimulatedSubscriber(`s${i}`, place, time, (record) => this.#records.push(record));
        this.#subscribers.push(subscriber);
        await subscriber.join(this.#anyServer(), JOIN_MS);
      }
    }
    broker.faults = { drop: 0.01, duplicate: 0.05, delay: 0.2, random: this.#random };
    this.#open = messages;
    const troubles = [this.#trouble(), this.#returning()];
    const sends: Promise<void>[] = [];
    for (let sent = 0; sent < messages; ) {
      for (let burst = 1 + Math.floor(this.#random() * 8); burst > 0 && sent < messages; burst--) {
        sends.push(this.#send(`n${sent++}`));
      }
      await time.sleep(this.#random() * 150);
    }
    await Promise.all(sends);
    await Promise.all(troubles);
    return this.#judge();
  }

  /**
   * Sends a new message, an edit or a deletion until it is acknowledged or refused. Each attempt
   * has the same nonce and uses any server.
   */
  async #send(nonce: string): Promise<void> {
    const place = this.#pick(this.#world.rooms);
    const userId = 1 + Math.floor(this.#random() * 3);
    const command = this.#command(place, userId, nonce);
    while (!(await this.#try(place, nonce, command))) await this.#world.time.sleep(this.#random() * 100);
    this.#open -= 1;
  }

  /** Returns true when no further attempt is needed. */
  #try(place: ConversationKey, nonce: string, command: (server: SimulatedServer) => Promise<Stored>): Promise<boolean> {
    const server = this.#anyServer();
    return new Promise((resolve, reject) => {
      // The client closed the connection of an attempt that timed out, so a later answer reaches
      // nobody.
      const timeout = this.#world.time.after(TIMEOUT_MS, () => resolve(false));
      server.gate(() => {
        this.#records.push({ what: 'sent', nonce, place });
        command(server).then(
          (answer) => {
            timeout.cancel();
            if (!server.alive) return resolve(false);
            this.#records.push({ what: 'acked', nonce, place, ...answer });
            resolve(true);
          },
          (error: unknown) => {
            timeout.cancel();
            if (!(error instanceof Refusal)) reject(error);
            else resolve(error.code === 'message-not-found');
          },
        );
      });
    });
  }

  #command(place: ConversationKey, userId: number, nonce: string): (server: SimulatedServer) => Promise<Stored> {
    const caller = callerOf(userId);
    const own = this.#own.get(`${place} ${userId}`) ?? [];
    this.#own.set(`${place} ${userId}`, own);
    const dice = this.#random();
    const resultOf = async (accepted: MaybePromise<Accepted<Stored>>) => (await accepted).result;
    if (dice < 0.25 && own.length > 0) {
      const id = this.#pick(own);
      const common = { place, id, communityId: null, nonce };
      if (dice < 0.08) return ({ app }) => resultOf(app.deleteMessage(caller, common));
      return ({ app }) => resultOf(app.modifyMessage(caller, { ...common, content: `${nonce}, edited` }));
    }
    const input = { roomId: idOf(place), name: 'x', profileImage: null, content: nonce, nonce };
    return async ({ app }) => {
      const stored = await resultOf(app.sendDirectMessage(caller, input));
      own.push(stored.id);
      return stored;
    };
  }

  /** Makes troubles, several at a time, until all operations are sent. */
  async #trouble(): Promise<void> {
    const { time } = this.#world;
    const repairs: Promise<void>[] = [];
    while (this.#open > 0) {
      await time.sleep(this.#random() * 500);
      repairs.push(this.#oneTrouble());
    }
    await Promise.all(repairs);
    this.#world.broker.faults = {};
  }

  async #oneTrouble(): Promise<void> {
    const world = this.#world;
    const { broker, time } = world;
    if (this.#deck.length === 0) this.#deck = shuffled(DECK, this.#random);
    const trouble = this.#deck.pop() ?? 'cuts';
    const lasts = this.#random();
    this.#happened[trouble] += 1;
    switch (trouble) {
      case 'kills':
        return this.#killServer(this.#anyServer(), lasts * 3_000);
      case 'freezes': {
        const server = this.#anyServer();
        server.freeze();
        await time.sleep(lasts * 15_000);
        return server.thaw();
      }
      case 'busOutages':
        broker.stop();
        await time.sleep(lasts * 6_000);
        return broker.restart();
      case 'storeOutages':
        world.storeDown = true;
        await time.sleep(lasts * 3_000);
        world.storeDown = false;
        return;
      case 'storeDoubts':
        world.doubt = 0.4;
        await time.sleep(lasts * 3_000);
        world.doubt = 0;
        return;
      case 'busFaults':
        world.half = 0.5;
        await time.sleep(lasts * 3_000);
        world.half = 0;
        return;
      case 'lags': {
        const server = this.#anyServer();
        broker.hold(server.id);
        await time.sleep(lasts * 3_000);
        if (!server.frozen) broker.release(server.id);
        return;
      }
      case 'cuts':
        this.#pick(this.#subscribers).leave();
    }
  }

  /**
   * Subscribers whose server died or hangs, or whose connection was cut, resume soon on any server.
   */
  async #returning(): Promise<void> {
    const { time } = this.#world;
    const joining = new Set<SimulatedSubscriber>();
    while (this.#open > 0) {
      await time.sleep(50 + this.#random() * 200);
      for (const subscriber of this.#subscribers) {
        if (subscriber.server?.alive === true || joining.has(subscriber)) continue;
        joining.add(subscriber);
        void subscriber.join(this.#anyServer(), JOIN_MS).then(() => joining.delete(subscriber));
      }
    }
    while (joining.size > 0) await time.sleep(50);
  }

  async #killServer(victim: SimulatedServer, downMs: number): Promise<void> {
    if (this.#servers.length === 1) return;
    this.#servers.splice(this.#servers.indexOf(victim), 1);
    victim.kill();
    await this.#world.time.sleep(downMs);
    while (this.#world.broker.isDown) await this.#world.time.sleep(100);
    await this.#startServer();
  }

  async #startServer(): Promise<void> {
    const server = new SimulatedServer(`server-${++this.#serial}`, this.#world);
    this.#options.sabotage?.(server);
    await server.app.start();
    this.#servers.push(server);
  }

  async #judge(): Promise<Verdict> {
    const { database, rooms, time } = this.#world;
    for (const subscriber of this.#subscribers) {
      if (subscriber.server?.alive !== true) await subscriber.join(this.#anyServer(), JOIN_MS);
    }
    const store = new SqliteMessageStore({ database, now: () => time.now() });
    // An append whose sender gave up may still be on its way into the store.
    await time.sleep(3_000);
    const newest = await time.hold(store.newest(rooms));
    const until = time.now() + CATCH_UP_MS;
    const isBehind = (): boolean => this.#subscribers.some(({ place, last }) => last < (newest.get(place) ?? 0));
    while (isBehind() && time.now() < until) await time.sleep(100);
    const history = new Map<string, readonly FinalEvent[]>();
    const log = new Map<string, readonly LoggedEvent[]>();
    for (const place of rooms) {
      history.set(place, await time.hold(wholeHistory(store, place)));
      log.set(place, await time.hold(wholeLog(store, place)));
    }
    const complete = new Set(this.#subscribers.map(({ name }) => name));
    return check({ records: this.#records, history, log, newest, complete });
  }

  #anyServer(): SimulatedServer {
    return this.#pick(this.#servers);
  }

  #pick<T>(from: readonly T[]): T {
    const one = from[Math.floor(this.#random() * from.length)];
    if (one === undefined) throw new Error('there is nothing to choose from');
    return one;
  }
}

async function wholeHistory(store: MessageStore, place: ConversationKey): Promise<FinalEvent[]> {
  const messages: FinalEvent[] = [];
  for (;;) {
    const { entries } = await store.history(place, { kind: 'after', seq: messages.at(-1)?.seq ?? 0, size: 100 });
    if (entries.length === 0) return messages;
    for (const { message } of entries) {
      const { seq, id, nonce, content } = message;
      messages.push({ seq: seq ?? 0, id, nonce, content: content ?? '' });
    }
  }
}

async function wholeLog(store: MessageStore, place: ConversationKey): Promise<LoggedEvent[]> {
  const events: LoggedEvent[] = [];
  for (;;) {
    const more = await store.eventsAfter(place, events.at(-1)?.seq ?? 0, 500);
    if (more.length === 0) return events;
    for (const event of more) {
      if (event.kind === 'unknown') throw new Error('the simulation writes known kinds only');
      const { seq, id, nonce } = event;
      const kind = isCreating(event) ? 'create' : event.kind;
      events.push({ kind, seq, id, nonce, content: event.kind === 'delete' ? '' : event.content });
    }
  }
}
