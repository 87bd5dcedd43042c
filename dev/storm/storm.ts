import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Directory } from '../../neighbours/stand-ins/directory.ts';
import { seededRandom } from '../../src/adapters/memory/memory-broker.ts';
import { startCluster } from '../cluster/cluster.ts';
import type { StackOptions } from '../cluster/services.ts';
import {
  check,
  type FinalEvent,
  type LoggedEvent,
  type Run,
  type RunRecord,
  type Verdict,
} from '../durability/checker.ts';
import { FaultProxy } from '../fault-proxy.ts';
import { Prometheus } from '../services/prometheus.ts';
import { type AlertReport, effectOf, holdTimes, judgeAlerts, RULES_FILE } from './alerts.ts';
import { HistoryReader, wholeLog } from './ending.ts';
import { PackagePerson } from './package-person.ts';
import { Listener, Publisher, STORM_COMMUNITY, type StormPlace, type StormWorld } from './people.ts';
import type { Stage } from './stage.ts';
import { canHarmDisks, clusterParts, type Kind, Troubles } from './troubles.ts';
import { startWorkerStage } from './worker-stage.ts';

export interface StormOptions {
  readonly seed: number;
  /** Duration of the troubles. Start, repair and reading take a minute or two more. */
  readonly seconds: number;
  /** Messages, edits and deletions a second of all publishers together. Default: 200. */
  readonly rate?: number;
  /** Sizes of Kafka, MongoDB and Redis. Default: one of each. */
  readonly stack?: StackOptions;
  /** true: clocks of servers jump, at most five minutes from the system's. Default: false. */
  readonly clocks?: boolean;
  /** Further variables of the servers. */
  readonly env?: Readonly<Record<string, string>>;
  /** One server with this number of worker processes, in place of three servers. */
  readonly workers?: number;
  /**
   * true: the workers use a Kafka and a MongoDB, which nobody harms. Default: false, all parts are
   * embedded.
   */
  readonly workersOnServices?: boolean;
  /** Default 3. */
  readonly servers?: number;
  readonly publishers?: number;
  readonly listeners?: number;
  /**
   * Clients of the package in client/, which talk and listen, instead of publishers and listeners.
   */
  readonly packageClients?: number;
  /** false: a run without troubles, for comparison. Default: true. */
  readonly troubles?: boolean;
  /** false: no disk becomes slow or full. Default: true, where `strace` can harm disks. */
  readonly disks?: boolean;
  /**
   * Folder for the recording of a run with findings. Default: the system's folder for temporary
   * files.
   */
  readonly folder?: string;
  /**
   * true: a Prometheus evaluates the alerts, and troubles that must raise one last for more than a
   * minute. Needs one Kafka broker, one MongoDB and one Redis. Default: false.
   */
  readonly alerts?: boolean;
  readonly progress?: (line: string) => void;
}

export interface StormReport extends Verdict {
  readonly seed: number;
  readonly seconds: number;
  readonly sent: number;
  readonly repeats: number;
  readonly refusals: number;
  readonly reconnects: number;
  /** Reloads of clients of the package. */
  readonly reloads: number;
  readonly troubles: Readonly<Record<string, number>>;
  /** Frames and answers that no client should get, such as an ERROR. */
  readonly surprises: readonly string[];
  /** File with the recording, if there are findings. */
  readonly file: string | null;
  /** Null without `alerts`. */
  readonly alerts: AlertReport | null;
}

type Talker = Publisher | PackagePerson;
type Ear = Listener | PackagePerson;

const ROOMS: readonly StormPlace[] = ['r-1', 'r-2', 'r-3', 'r-4', 'r-5', 'r-6', 'r-7', 'r-8'];
const CHANNELS: readonly StormPlace[] = ['c-11', 'c-12', 'c-13', 'c-14'];
const PLACES = [...ROOMS, ...CHANNELS];
/** Places of one listener. */
const EARS = 6;
const TICK_MS = 20;
/** Clients of the package are cut, or reload, at this pace besides the schedule. */
const CUT_EVERY_MS = 500;
const FINISH_MS = 90_000;
const TOKEN_SECONDS = 4 * 3_600;

/** Seconds between two scrapes of the servers. */
const SCRAPE_SECONDS = 2;
/**
 * Member lists are read again this often while alerts are judged. So each server uses Redis all the
 * time and notices when it is away.
 */
const LIST_STALENESS_SECONDS = '10';

/**
 * Runs three servers on real services while clients talk and a seeded schedule harms all parts.
 * Then it repairs all parts, and the checker judges what the clients saw.
 */
export async function runStorm(options: StormOptions): Promise<StormReport> {
  const { progress = () => {} } = options;
  const [publishers, listeners] = [options.publishers ?? 12, options.listeners ?? 8];
  const users = Math.max(publishers + listeners, options.packageClients ?? 0) + 1;
  const directory = directoryOf(users);
  const env = {
    LIMITS: 'off',
    LIMIT_RESUME_EVENTS: '100000',
    LIMIT_PAGE_SIZE: '1000',
    ...(options.alerts === true ? { LIMIT_LIST_STALENESS_SECONDS: LIST_STALENESS_SECONDS } : {}),
    ...options.env,
  };
  const stage =
    options.workers === undefined
      ? await clusterStage(options, directory, env)
      : await startWorkerStage({
          workers: options.workers,
          directory,
          env,
          disks: options.workersOnServices !== true && (await harmsDisks(options)),
          onServices: options.workersOnServices === true,
        });
  const instances = stage.servers.map(({ port }) => `127.0.0.1:${port}`);
  let prometheus: Prometheus | null = null;
  try {
    if (options.alerts === true) {
      prometheus = await Prometheus.start({ targets: instances, rules: RULES_FILE, interval: SCRAPE_SECONDS });
      progress(`Prometheus answers on ${prometheus.url}`);
    }
    const storm = new Storm(options, stage, users);
    const began = Date.now();
    const { troubles, ...report } = await storm.run(publishers, listeners, progress);
    const alerts =
      prometheus === null
        ? null
        : judgeAlerts(troubles.done, await prometheus.firings(began), began, instances, holdTimes());
    return { ...report, troubles: troubles.counts(), alerts };
  } finally {
    await prometheus?.stop();
    await stage.stop();
  }
}

async function harmsDisks({ disks = true, progress }: StormOptions): Promise<boolean> {
  return disks && (await canHarmDisks(progress));
}

async function clusterStage(
  options: StormOptions,
  directory: Directory,
  env: Readonly<Record<string, string>>,
): Promise<Stage> {
  const cluster = await startCluster({
    servers: options.servers ?? 3,
    own: true,
    proxied: true,
    clocks: options.clocks === true,
    ...(options.stack === undefined ? {} : { stack: options.stack }),
    directory,
    env,
    ...(options.progress === undefined ? {} : { progress: options.progress }),
  });
  const proxies = await Promise.all(cluster.servers.map(({ port }) => FaultProxy.start({ target: port })));
  const disks = await harmsDisks(options);
  return {
    servers: cluster.servers,
    urls: cluster.servers.flatMap(({ url }, i) => [url, `http://127.0.0.1:${proxies[i]?.port}`]),
    // A source of its own, so a seed repeats the shifts of the clocks.
    parts: clusterParts(cluster, { proxies, random: seededRandom(options.seed + 2), disks }),
    token: (userId, seconds) => cluster.token(userId, seconds),
    client: (server, userId) => cluster.client(server, userId),
    async stop() {
      await Promise.all(proxies.map((proxy) => proxy.stop()));
      await cluster.stop();
    },
  };
}

function directoryOf(users: number) {
  const members = Array.from({ length: users }, (_, i) => i + 1);
  const rooms = Object.fromEntries(ROOMS.map((place) => [place.slice(2), members]));
  const channels = Object.fromEntries(CHANNELS.map((place) => [place.slice(2), null]));
  return {
    users: Object.fromEntries(members.map((id) => [String(id), { name: `user${id}`, image: null }])),
    rooms,
    communities: { [STORM_COMMUNITY]: { members, channels } },
  };
}

class Storm {
  readonly #options: StormOptions;
  readonly #stage: Stage;
  readonly #reader: number;
  readonly #random: () => number;
  readonly #records: RunRecord[] = [];
  readonly #surprises: string[] = [];
  #sent = 0;

  constructor(options: StormOptions, stage: Stage, reader: number) {
    this.#options = options;
    this.#stage = stage;
    this.#reader = reader;
    this.#random = seededRandom(options.seed);
  }

  async run(
    publisherCount: number,
    listenerCount: number,
    progress: (line: string) => void,
  ): Promise<Omit<StormReport, 'troubles' | 'alerts'> & { readonly troubles: Troubles }> {
    const { seed, seconds, rate = 200 } = this.#options;
    const world = this.#world();
    const { publishers, listeners } = this.#people(world, publisherCount, listenerCount);
    const people = [...new Set<Talker | Ear>([...publishers, ...listeners])];
    const cutClient = () => people[Math.floor(this.#random() * people.length)]?.cut();
    // Clients draw random numbers when frames come. The schedule has a source of its own, so a seed
    // repeats it.
    const raisesAlert = (part: string, kind: Kind) =>
      this.#options.alerts === true && effectOf({ part, kind }, []).raises !== null;
    const random = seededRandom(seed + 1);
    const troubles = new Troubles(this.#stage.parts, cutClient, random, raisesAlert);
    const over = new AbortController();
    const talking = talk(publishers, rate, this.#random);
    const { packageClients } = this.#options;
    const cutting = packageClients === undefined ? undefined : setInterval(cutClient, CUT_EVERY_MS);
    const telling = setInterval(() => {
      const { done } = troubles;
      progress(`${this.#records.length} records, ${done.length} troubles, last ${JSON.stringify(done.at(-1) ?? null)}`);
    }, 15_000);
    let verdict: Verdict & { file: string | null };
    try {
      for (const person of people) person.start();
      if (this.#options.troubles === false) await delay(seconds * 1_000);
      else await troubles.run(seconds * 1_000, over.signal);
      talking.stop();
      clearInterval(cutting);
      progress('all parts are repaired');
      await this.#finish(publishers, listeners);
      verdict = await this.#judge(listeners, troubles);
    } finally {
      talking.stop();
      clearInterval(cutting);
      clearInterval(telling);
      over.abort();
      for (const person of people) person.stop();
    }
    const sum = (of: (publisher: Talker) => number) => publishers.reduce((all, one) => all + of(one), 0);
    return {
      ...verdict,
      seed,
      seconds,
      sent: this.#sent,
      repeats: sum(({ repeats }) => repeats),
      refusals: sum(({ refusals }) => refusals),
      reconnects: people.reduce((all, { reconnects }) => all + reconnects, 0),
      reloads: people.reduce((all, each) => all + (each instanceof PackagePerson ? each.reloads : 0), 0),
      troubles,
      surprises: this.#surprises,
    };
  }

  #people(
    world: StormWorld,
    publisherCount: number,
    listenerCount: number,
  ): { publishers: Talker[]; listeners: Ear[] } {
    const run = randomBytes(3).toString('hex');
    const placesOf = (i: number) =>
      Array.from({ length: EARS }, (_, k) => PLACES[(i * 5 + k) % PLACES.length] ?? 'r-1');
    const { packageClients: count } = this.#options;
    if (count !== undefined) {
      const people = Array.from({ length: count }, (_, i) => new PackagePerson(world, i + 1, placesOf(i), run));
      return { publishers: people, listeners: people };
    }
    const texts = new Map<string, string>();
    return {
      publishers: Array.from({ length: publisherCount }, (_, i) => new Publisher(world, i + 1, PLACES, run)),
      listeners: Array.from({ length: listenerCount }, (_, i) => {
        return new Listener(world, `listener-${i + 1}`, publisherCount + i + 1, placesOf(i), texts);
      }),
    };
  }

  #world(): StormWorld {
    const tokens = new Map<number, string>();
    return {
      random: this.#random,
      record: (record) => {
        if (record.what === 'sent') this.#sent += 1;
        this.#records.push(record);
      },
      surprise: (what) => {
        if (this.#surprises.length < 50) this.#surprises.push(what);
      },
      urls: this.#stage.urls,
      token: (userId) => {
        const token = tokens.get(userId) ?? this.#stage.token(userId, TOKEN_SECONDS);
        tokens.set(userId, token);
        return token;
      },
    };
  }

  /** Waits until all operations are acknowledged and all listeners have all events. */
  async #finish(publishers: readonly Talker[], listeners: readonly Ear[]): Promise<void> {
    const until = performance.now() + FINISH_MS;
    while (publishers.some(({ open }) => open > 0) && performance.now() < until) await delay(100);
    const unanswered = publishers.reduce((all, { open }) => all + open, 0);
    if (unanswered > 0) this.#surprises.push(`${unanswered} operations were never answered`);
    const newest = await this.#newest();
    const isBehind = ({ last, isLive }: Ear): boolean =>
      !isLive || [...last].some(([place, seq]) => seq < (newest.get(place) ?? 0));
    const caughtUp = performance.now() + FINISH_MS;
    while (listeners.some(isBehind) && performance.now() < caughtUp) await delay(100);
  }

  async #newest(): Promise<Map<StormPlace, number>> {
    const reader = this.#historyReader(0);
    return new Map(await Promise.all(PLACES.map(async (place) => [place, await reader.newest(place)] as const)));
  }

  #historyReader(server: number): HistoryReader {
    const { servers, token } = this.#stage;
    return new HistoryReader(servers[server % servers.length]?.url ?? '', token(this.#reader));
  }

  async #judge(listeners: readonly Ear[], troubles: Troubles): Promise<Verdict & { file: string | null }> {
    const history = new Map<string, readonly FinalEvent[]>();
    const log = new Map<string, readonly LoggedEvent[]>();
    const newest = await this.#newest();
    for (const [i, place] of PLACES.entries()) {
      // Each place is read from another server, and by the two ways from two servers.
      history.set(place, await this.#historyReader(i).forwards(place));
      const pages = await this.#historyReader(i + 1).backwards(place);
      if (JSON.stringify(pages) !== JSON.stringify(history.get(place))) {
        this.#surprises.push(`${place}: page= and after= show different histories`);
      }
      const connect = () => this.#stage.client(i % this.#stage.servers.length, this.#reader);
      log.set(place, await wholeLog(connect, place));
    }
    for (const each of listeners) if (each instanceof PackagePerson) each.compare(history, log);
    const complete = new Set(listeners.map(({ name }) => name));
    const run: Run = { records: this.#records, history, log, newest, complete };
    const verdict = check(run);
    const isClean = verdict.findings.length === 0 && verdict.resets === 0 && this.#surprises.length === 0;
    return { ...verdict, file: isClean ? null : await this.#keep(run, verdict, troubles) };
  }

  /** Writes the recording, one JSON value a line, with the findings first. */
  async #keep(run: Run, verdict: Verdict, troubles: Troubles): Promise<string> {
    const { seed, folder = tmpdir() } = this.#options;
    const path = join(folder, `storm-seed-${seed}-${Date.now()}.ndjson`);
    const file = createWriteStream(path);
    const write = async (value: unknown) => {
      if (!file.write(`${JSON.stringify(value)}\n`)) await once(file, 'drain');
    };
    await write({ seed, findings: verdict.findings, surprises: this.#surprises });
    for (const trouble of troubles.done) await write({ what: 'trouble', ...trouble });
    for (const record of run.records) await write(record);
    for (const [place, events] of run.log) for (const event of events) await write({ what: 'logged', place, ...event });
    for (const [place, messages] of run.history) {
      for (const message of messages) await write({ what: 'shown', place, ...message });
    }
    for (const server of this.#stage.servers) {
      for (const line of (await server.log()).split('\n')) await write({ what: 'log', server: server.id, line });
    }
    file.end();
    await once(file, 'close');
    return path;
  }
}

/** Lets publishers send in random turns, at `rate` a second in all. */
function talk(publishers: readonly Talker[], rate: number, random: () => number): { stop(): void } {
  let due = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    // Sends that a stall of this process delayed are skipped. They would come as one burst.
    due = Math.min(due + ((now - last) * rate) / 1_000, rate / 5);
    last = now;
    for (; due >= 1; due -= 1) publishers[Math.floor(random() * publishers.length)]?.speak();
  }, TICK_MS);
  return { stop: () => clearInterval(timer) };
}
