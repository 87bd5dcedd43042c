import { setTimeout as delay } from 'node:timers/promises';
import { LoadClient, type LoadClientParts } from './load-client.ts';
import { Tally } from './tally.ts';

const TICK_MS = 10;
const CONNECT_TICK_MS = 20;
const CONNECT_MS = 60_000;
const LAST_MS = 15_000;
const POLL_MS = 50;
const HISTORY_MS = 10_000;

export interface LoadOptions {
  readonly urls: readonly string[];
  readonly connections: number;
  readonly rooms: number;
  readonly firstUser: number;
  readonly firstRoom: number;
  /** Messages a second, in all rooms together. */
  readonly rate: number;
  readonly seconds: number;
  /** Characters of a message. */
  readonly size: number;
  /** Connections that are opened a second. */
  readonly connectRate: number;
  readonly tokenOf: (userId: number) => string;
  readonly progress: (line: string) => void;
  readonly onConnected?: LoadClientParts['onConnected'];
  /** Ends the sending early. */
  readonly signal?: AbortSignal;
}

export interface LoadReport {
  readonly connections: number;
  readonly rooms: number;
  readonly connectSeconds: number;
  readonly reconnects: number;
  readonly seconds: number;
  readonly sent: number;
  readonly receipted: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly deliveries: number;
  readonly deliveriesPerSecond: number;
  /** Milliseconds. */
  readonly receiptMs: Times;
  readonly deliveryMs: Times;
  readonly lost: number;
  readonly twice: number;
  readonly outOfOrder: number;
  readonly resets: number;
}

interface Times {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** The load cannot be put on these servers. The message is for the operator. */
export class LoadFailure extends Error {
  override readonly name = 'LoadFailure';
}

/** Returns the room of a client. The clients are dealt out to the rooms in turn. */
export function roomOf({ firstRoom, rooms }: Pick<LoadOptions, 'firstRoom' | 'rooms'>, index: number): number {
  return firstRoom + (index % rooms);
}

/**
 * Connects all clients, sends at the given rate, waits for the last deliveries, and counts.
 * @throws LoadFailure if a room cannot be read, or not all clients can connect
 */
export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  const { connections, rooms, rate, seconds, progress, signal } = options;
  const tally = new Tally();
  const roomIds = Array.from({ length: Math.min(rooms, connections) }, (_, i) => roomOf(options, i));
  const begin = new Map<number, number>();
  for (const [i, room] of roomIds.entries()) begin.set(room, await newestOf(options, room, options.firstUser + i));
  const run = Math.random().toString(36).slice(2, 8);
  const text = 'x'.repeat(options.size);
  const clients = Array.from({ length: connections }, (_, i) => {
    const userId = options.firstUser + i;
    const roomId = roomOf(options, i);
    return new LoadClient({
      ...{ userId, roomId, text, tally, random: Math.random, urls: options.urls, token: options.tokenOf(userId) },
      from: begin.get(roomId) ?? 0,
      ...(options.onConnected === undefined ? {} : { onConnected: options.onConnected }),
    });
  });
  try {
    const connectSeconds = await connectAll(clients, options, tally);
    progress(`${connections} clients are connected after ${connectSeconds.toFixed(1)} s`);
    const sendingSeconds = await sendAll(clients, { run, rate, seconds, tally, progress, signal });
    await until(LAST_MS, () => clients.every(({ open }) => open === 0));
    const end = new Map<number, number>();
    for (const [i, room] of roomIds.entries()) end.set(room, await newestOf(options, room, options.firstUser + i));
    const lost = () => clients.reduce((sum, { heard, roomId }) => sum + heard.lost(end.get(roomId) ?? 0), 0);
    await until(LAST_MS, () => lost() === 0);
    const { sent, receipted, deliveries, twice, outOfOrder, resets, reconnects } = tally;
    return {
      ...{ connections, rooms: roomIds.length, connectSeconds, reconnects, seconds: sendingSeconds, sent, receipted },
      refused: Object.fromEntries(tally.refused),
      deliveries,
      deliveriesPerSecond: Math.round(deliveries / sendingSeconds),
      receiptMs: timesOf(tally.receipt),
      deliveryMs: timesOf(tally.delivery),
      ...{ lost: lost(), twice, outOfOrder, resets },
    };
  } finally {
    for (const client of clients) client.stop();
  }
}

/** Resolves with the seconds that it took. */
async function connectAll(clients: readonly LoadClient[], { connectRate }: LoadOptions, tally: Tally): Promise<number> {
  const began = performance.now();
  let due = 0;
  let next = 0;
  while (next < clients.length) {
    for (due += (connectRate * CONNECT_TICK_MS) / 1_000; due >= 1 && next < clients.length; due -= 1) {
      clients[next]?.start();
      next += 1;
    }
    await delay(CONNECT_TICK_MS);
  }
  const isComplete = await until(CONNECT_MS, () => clients.every(({ isLive }) => isLive));
  if (!isComplete) {
    const live = clients.filter(({ isLive }) => isLive).length;
    const reason = tally.lastEnd === null ? '' : ` (${tally.lastEnd})`;
    throw new LoadFailure(`only ${live} of ${clients.length} clients could connect and subscribe${reason}`);
  }
  return (performance.now() - began) / 1_000;
}

interface Sending extends Pick<LoadOptions, 'rate' | 'seconds' | 'progress'> {
  readonly run: string;
  readonly tally: Tally;
  readonly signal: AbortSignal | undefined;
}

/** Sends at the given rate, each client in turn. Resolves with the seconds that it took. */
async function sendAll(clients: readonly LoadClient[], { run, rate, seconds, tally, progress, signal }: Sending) {
  const began = performance.now();
  const elapsed = () => (performance.now() - began) / 1_000;
  let serial = 0;
  let reported = 0;
  while (elapsed() < seconds && signal?.aborted !== true) {
    for (const due = Math.min(elapsed(), seconds) * rate; serial < due; serial += 1) {
      clients[serial % clients.length]?.send(`load-${run}-${serial}`);
    }
    if (elapsed() - reported >= 5) {
      reported = elapsed();
      progress(`${Math.round(reported)} s: ${tally.sent} messages sent, ${tally.deliveries} delivered`);
    }
    await delay(TICK_MS);
  }
  return elapsed();
}

/** The newest number of a room, as the history shows it to one of its members. */
async function newestOf({ urls, tokenOf }: LoadOptions, room: number, userId: number): Promise<number> {
  let reason = '';
  for (const url of urls) {
    try {
      const answer = await fetch(`${url}/chat-server/direct?ch_id=${room}&size=1&after=0`, {
        headers: { authorization: `Bearer ${tokenOf(userId)}` },
        signal: AbortSignal.timeout(HISTORY_MS),
      });
      const newest = answer.headers.get('chat-seq');
      if (newest !== null) return Number(newest);
      const { message } = (await answer.json()) as { message?: string };
      reason = `status ${answer.status}${message === undefined ? '' : `, ${message}`}`;
    } catch (error) {
      reason = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    }
  }
  throw new LoadFailure(`user ${userId} cannot read room ${room} (${reason})`);
}

async function until(ms: number, holds: () => boolean): Promise<boolean> {
  const deadline = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > deadline) return false;
    await delay(POLL_MS);
  }
  return true;
}

function timesOf(histogram: Tally['receipt']): Times {
  return { p50: rounded(histogram.at(0.5)), p99: rounded(histogram.at(0.99)), max: rounded(histogram.most) };
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
