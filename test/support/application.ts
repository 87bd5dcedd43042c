import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';
import { RecordedTelemetry } from '../../dev/recorded-telemetry.ts';
import { unlimited } from '../../dev/unlimited.ts';
import { FolderFileStore } from '../../src/adapters/files/folder-file-store.ts';
import { MemoryDirectory } from '../../src/adapters/memory/directory.ts';
import { MemoryMemberCache } from '../../src/adapters/memory/member-cache.ts';
import { MemoryBroker } from '../../src/adapters/memory/memory-broker.ts';
import { MemoryMessageBus } from '../../src/adapters/memory/message-bus.ts';
import { MemoryModerationStore } from '../../src/adapters/memory/moderation-store.ts';
import { NoNotifier } from '../../src/adapters/memory/no-notifier.ts';
import { MemoryRoomDirectory } from '../../src/adapters/memory/room-directory.ts';
import { MemorySessionReporter } from '../../src/adapters/memory/session-reporter.ts';
import { MemoryUserDirectory } from '../../src/adapters/memory/user-directory.ts';
import { SqliteDatabase } from '../../src/adapters/sqlite/database.ts';
import { SqliteJobStore } from '../../src/adapters/sqlite/job-store.ts';
import { SqliteMessageStore } from '../../src/adapters/sqlite/message-store.ts';
import { SqliteOutbox } from '../../src/adapters/sqlite/outbox.ts';
import { SqliteReadMarkers } from '../../src/adapters/sqlite/read-markers.ts';
import { SqliteStoredData } from '../../src/adapters/sqlite/stored-data.ts';
import { SystemIdSource } from '../../src/adapters/system/id-source.ts';
import type { ApplicationPorts } from '../../src/application/application-ports.ts';
import type { Accepted, Caller, MaybePromise } from '../../src/application/commands.ts';
import { createApplication } from '../../src/application/create-application.ts';
import type { Limits } from '../../src/application/limits.ts';
import type { VerifiedToken } from '../../src/application/ports/token-verifier.ts';
import type { RetentionRules } from '../../src/application/retention/remove-expired.ts';
import type { RunningApplication } from '../../src/application/running-application.ts';
import type { ShownServer } from '../../src/domain/cluster-event.ts';
import { Refusal } from '../../src/domain/errors.ts';
import type { ChannelId, CommunityId, RoomId, UserId } from '../../src/domain/ids.ts';
import {
  type ChannelKey,
  type CommunityKey,
  channelKey,
  communityKey,
  type PlaceKey,
  type RoomKey,
  roomKey,
} from '../../src/domain/place.ts';
import { HandClock } from './hand-clock.ts';
import { type TestSubscriber, TestSubscribers } from './test-subscribers.ts';

export interface TestServerOptions {
  readonly id?: string;
  readonly limits?: Partial<Limits>;
  /** Ports that take the place of the embedded adapters. */
  readonly ports?: Partial<ApplicationPorts>;
  readonly retention?: RetentionRules;
}

/** One server's application and the parts of it that a test looks at. */
export interface TestServer {
  readonly app: RunningApplication;
  readonly ports: ApplicationPorts;
  readonly subscribers: TestSubscribers;
  readonly telemetry: RecordedTelemetry;
  /** Subscribes through the use case and waits until the subscription is live. */
  subscribe(caller: Caller, place: PlaceKey, lastSeq?: number | null): Promise<TestSubscriber>;
}

/** All worlds of a test file share one database: opening it takes most of a test's time. */
let database: Promise<SqliteDatabase> | undefined;
afterAll(async () => (await database)?.close());

/** The state that each server of a world shows. */
export const SERVER: ShownServer = {
  version: '1.2.3',
  since: 0,
  sessions: 0,
  subscriptions: 0,
  deliveriesPerSecond: 0,
  messagesPerSecond: 0,
  eventLoopUtilization: 0.25,
  eventLoopDelayMs: 2,
  memoryBytes: 50_000_000,
  lag: null,
  ready: true,
  reasons: [],
  degraded: [],
};

const STOP_MS = 1_000;
const STEP_MS = 10;

/**
 * Users and places of a world: each world of a test file has its own, so that worlds do not meet in
 * the database.
 */
const IDS_PER_WORLD = 100;
let lastIds = 0;

/**
 * The parts that the servers of one test share: clock, bus, database, files, and a small directory.
 *
 * Ada and Grace share a room and a community with one public and one private channel (the private
 * one is Ada's alone). Linus shares another room with Ada and is in no community. Time stands still
 * until the test calls `clock.pass`.
 */
export class TestWorld {
  readonly clock = new HandClock();
  readonly broker = new MemoryBroker();
  readonly memberCache = new MemoryMemberCache({ now: () => this.clock.monotonic() });
  /** The orders of this world alone. */
  readonly moderationStore = new MemoryModerationStore({ now: () => this.clock.now() });
  readonly ada: Caller;
  readonly grace: Caller;
  readonly linus: Caller;
  readonly roomId: RoomId;
  readonly otherRoomId: RoomId;
  readonly communityId: CommunityId;
  readonly channelId: ChannelId;
  readonly privateChannelId: ChannelId;
  readonly directory: MemoryDirectory;
  readonly reporter: MemorySessionReporter;
  readonly database: SqliteDatabase;
  readonly #files: FolderFileStore;

  static async open(): Promise<TestWorld> {
    database ??= SqliteDatabase.open(':memory:');
    const folder = await mkdtemp(join(tmpdir(), 'chat-test-files-'));
    const files = new FolderFileStore(folder);
    await files.open();
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    return new TestWorld(await database, files);
  }

  private constructor(db: SqliteDatabase, files: FolderFileStore) {
    const ids = lastIds;
    lastIds += IDS_PER_WORLD;
    this.database = db;
    this.#files = files;
    this.ada = callerOf(ids + 1, 'ada');
    this.grace = callerOf(ids + 2, 'grace');
    this.linus = callerOf(ids + 3, 'linus');
    this.roomId = ids + 5;
    this.otherRoomId = ids + 6;
    this.communityId = ids + 7;
    this.channelId = ids + 11;
    this.privateChannelId = ids + 12;
    this.directory = new MemoryDirectory({ world: this.#smallWorld() });
    this.reporter = new MemorySessionReporter({ now: () => this.clock.now() });
  }

  get room(): RoomKey {
    return roomKey(this.roomId);
  }

  get otherRoom(): RoomKey {
    return roomKey(this.otherRoomId);
  }

  get community(): CommunityKey {
    return communityKey(this.communityId);
  }

  get channel(): ChannelKey {
    return channelKey(this.channelId);
  }

  get privateChannel(): ChannelKey {
    return channelKey(this.privateChannelId);
  }

  /** Starts a server; it stops when the test is over. */
  async server(options: TestServerOptions = {}): Promise<TestServer> {
    const id = options.id ?? 'server-1';
    const { clock } = this;
    const now = (): number => clock.now();
    const telemetry = new RecordedTelemetry();
    const subscribers = new TestSubscribers();
    const ports: ApplicationPorts = {
      bus: new MemoryMessageBus(this.broker, id),
      store: new SqliteMessageStore({ database: this.database, now }),
      outbox: new SqliteOutbox({ database: this.database, now }),
      markers: new SqliteReadMarkers({ database: this.database }),
      moderationStore: this.moderationStore,
      moderation: null,
      serverFacts: { read: () => SERVER },
      data: new SqliteStoredData({ database: this.database }),
      jobs: new SqliteJobStore({ database: this.database, now }),
      reporter: this.reporter,
      directory: new MemoryRoomDirectory(this.directory),
      memberCache: this.memberCache,
      sharedRates: null,
      tokens: { verify: verifyTestToken },
      users: new MemoryUserDirectory(this.directory),
      notifier: new NoNotifier(),
      files: this.#files,
      subscribers,
      clock,
      ids: new SystemIdSource(),
      random: Math.random,
      telemetry,
      originals: null,
      ...options.ports,
    };
    const app = createApplication(id, ports, { ...unlimited, ...options.limits }, options.retention);
    await app.start();
    onTestFinished(async () => {
      await this.#untilDone(app.stop(STOP_MS));
      await ports.bus.close();
    });
    const subscribe = async (caller: Caller, place: PlaceKey, lastSeq: number | null = null) => {
      const sink = subscribers.sink(caller, place);
      const { result } = await app.subscribe(caller, { place, lastSeq, sink });
      await result;
      return sink;
    };
    return { app, ports, subscribers, telemetry, subscribe };
  }

  /** Lets time pass until the work is done: a server that stops may wait for a timer. */
  async #untilDone(work: Promise<void>): Promise<void> {
    let isDone = false;
    const done = work.finally(() => {
      isDone = true;
    });
    while (!isDone) {
      await new Promise((resolve) => setImmediate(resolve));
      this.clock.pass(STEP_MS);
    }
    await done;
  }

  #smallWorld() {
    const [ada, grace, linus] = [this.ada.userId, this.grace.userId, this.linus.userId];
    return {
      users: {
        [ada]: { name: 'Ada', image: 'ada.png' },
        [grace]: { name: 'Grace', image: null },
        [linus]: { name: 'Linus', image: null },
      },
      rooms: { [this.roomId]: [ada, grace], [this.otherRoomId]: [ada, linus] },
      communities: {
        [this.communityId]: {
          members: [ada, grace],
          channels: { [this.channelId]: null, [this.privateChannelId]: [ada] },
        },
      },
    };
  }
}

/** A world with one server, as most tests need it. */
export async function startApplication(options: TestServerOptions = {}) {
  const world = await TestWorld.open();
  const server = await world.server(options);
  return { world, ...server };
}

/**
 * Gives a command and waits for its result. Rejects with the refusal, whether it comes before or
 * after the command is accepted.
 */
export async function completed<T>(command: () => MaybePromise<Accepted<T>>): Promise<T> {
  const { result } = await command();
  return result;
}

const TOKEN = /^user-([1-9][0-9]*)-([a-z]+)$/;

function callerOf(userId: UserId, account: string): Caller {
  return { userId, token: `user-${userId}-${account}`, expiresAt: Number.POSITIVE_INFINITY };
}

function verifyTestToken(token: string): VerifiedToken {
  const [, id, account = ''] = TOKEN.exec(token) ?? [];
  if (id === undefined) throw new Refusal('bad-token', 'the token is not valid');
  return { userId: Number(id), account, role: '', expiresAt: Number.POSITIVE_INFINITY };
}
