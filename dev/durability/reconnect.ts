import { setTimeout as delay } from 'node:timers/promises';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { HistoryReader } from '../storm/ending.ts';
import { Listener, Publisher, type StormPlace } from '../storm/people.ts';
import type { RunRecord } from './checker.ts';

export interface ReconnectOptions {
  /** All of them are clients of the killed server. */
  readonly clients: number;
  /** Messages a second meanwhile, in all rooms together. */
  readonly rate: number;
  readonly rooms: number;
  /** true: the run has its own services. false: it uses those of the test run. */
  readonly own: boolean;
  readonly progress?: (line: string) => void;
}

export interface ReconnectReport {
  readonly clients: number;
  /**
   * Milliseconds from the kill until a client was up to date again, and the time of connecting all
   * before.
   */
  readonly back: { readonly p50: number; readonly p99: number; readonly last: number };
  readonly connectAllMs: number;
  readonly deliveries: number;
  readonly messages: number;
  /** Deliveries that were not the next number of their place. */
  readonly gapsAndRepeats: number;
  /** Pairs of client and place that did not have all events at the end. */
  readonly incomplete: number;
  readonly resets: number;
  readonly surprises: readonly string[];
}

const CONNECT_MS = 120_000;
const BACK_MS = 60_000;
const LAST_MS = 10_000;
const TALK_BEFORE_MS = 2_000;
const TALK_AFTER_MS = 3_000;
const TICK_MS = 20;
const AT_ONCE = 50;

/**
 * Kills the server of many clients while messages are sent. Each client resumes at one of the two
 * other servers with the numbers that it has.
 */
export async function killTheirServer(options: ReconnectOptions): Promise<ReconnectReport> {
  const { clients, rooms, own } = options;
  const members = Array.from({ length: clients + 4 }, (_, i) => i + 1);
  const cluster = await startCluster({
    own,
    directory: {
      users: Object.fromEntries(members.map((id) => [String(id), { name: `user${id}`, image: null }])),
      rooms: Object.fromEntries(Array.from({ length: rooms }, (_, i) => [String(i + 1), members])),
      communities: {},
    },
    env: { LIMITS: 'off' },
    ...(options.progress === undefined ? {} : { progress: options.progress }),
  });
  try {
    return await run(cluster, options);
  } finally {
    await cluster.stop();
  }
}

async function run(
  cluster: Cluster,
  { clients, rate, rooms, progress = () => {} }: ReconnectOptions,
): Promise<ReconnectReport> {
  const [first, second, victim] = cluster.servers;
  if (first === undefined || second === undefined || victim === undefined) throw new Error('three servers are needed');
  const surprises: string[] = [];
  const tally = { deliveries: 0, messages: 0, gapsAndRepeats: 0, resets: 0 };
  const at = new Map<string, number>();
  const world = {
    random: Math.random,
    surprise: (what: string) => surprises.push(what),
    token: (userId: number) => cluster.token(userId),
    record: (record: RunRecord) => {
      if (record.what === 'acked') tally.messages += 1;
      else if (record.what === 'reset') tally.resets += 1;
      else if (record.what === 'delivered') {
        tally.deliveries += 1;
        const key = `${record.subscriber} ${record.place}`;
        if (record.seq !== (at.get(key) ?? 0) + 1) tally.gapsAndRepeats += 1;
        at.set(key, record.seq);
      }
    },
  };
  const places = Array.from({ length: rooms }, (_, i): StormPlace => `r-${i + 1}`);
  const publishers = [1, 2, 3, 4].map(
    (id) => new Publisher({ ...world, urls: [first.url, second.url] }, clients + id, places, 'kill'),
  );
  const texts = new Map<string, string>();
  const listeners = Array.from({ length: clients }, (_, i) => {
    const own = [places[i % rooms], places[(i * 7 + 3) % rooms]].filter((place) => place !== undefined);
    // The first connection goes to the victim, later ones to the two others in turn.
    const others = i % 2 === 0 ? [first.url, second.url] : [second.url, first.url];
    const urls = [victim.url, ...others, ...others, ...others, ...others];
    return new Listener({ ...world, urls, random: () => Math.random() / urls.length }, `l${i}`, i + 1, own, texts);
  });
  let isTalking = false;
  let due = 0;
  const talking = setInterval(() => {
    if (!isTalking) return;
    for (due += (rate * TICK_MS) / 1_000; due >= 1; due -= 1) {
      publishers[Math.floor(Math.random() * publishers.length)]?.speak();
    }
  }, TICK_MS);
  try {
    for (const publisher of publishers) publisher.start();
    const began = performance.now();
    for (const [i, listener] of listeners.entries()) {
      listener.start();
      if (i % AT_ONCE === AT_ONCE - 1) await delay(25);
    }
    await until(CONNECT_MS, 'connecting all', () => listeners.every(({ isLive }) => isLive));
    const connectAllMs = Math.round(performance.now() - began);
    progress(`all ${clients} clients are live after ${connectAllMs} ms`);
    isTalking = true;
    await delay(TALK_BEFORE_MS);

    await victim.kill();
    const killed = performance.now();
    const missing = new Set(listeners);
    const times: number[] = [];
    await until(BACK_MS, `resuming all clients (${missing.size} are missing)`, () => {
      for (const listener of missing) {
        if (listener.reconnects === 0 || !listener.isLive) continue;
        missing.delete(listener);
        times.push(Math.round(performance.now() - killed));
      }
      return missing.size === 0;
    });
    await delay(TALK_AFTER_MS);
    clearInterval(talking);
    await until(BACK_MS, 'the last receipts', () => publishers.every(({ open }) => open === 0));
    const newest = new Map<StormPlace, number>();
    const reader = new HistoryReader(first.url, cluster.token(1));
    for (const place of places) newest.set(place, await reader.newest(place));
    const lacking = () => {
      const pairs = listeners.flatMap(({ last }) => [...last]);
      return pairs.filter(([place, seq]) => seq < (newest.get(place) ?? 0)).length;
    };
    await until(LAST_MS, 'the last deliveries', () => lacking() === 0).catch(() => undefined);
    const quantile = (part: number) => times[Math.ceil(part * times.length) - 1] ?? Number.NaN;
    const back = { p50: quantile(0.5), p99: quantile(0.99), last: quantile(1) };
    return { clients, back, connectAllMs, ...tally, incomplete: lacking(), surprises };
  } finally {
    clearInterval(talking);
    for (const person of [...publishers, ...listeners]) person.stop();
  }
}

async function until(ms: number, what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`${what} took longer than ${ms} ms`);
    await delay(20);
  }
}
