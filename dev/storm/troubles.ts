import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../cluster/cluster.ts';
import { shuffled } from '../durability/shuffled.ts';
import type { FaultProxy } from '../fault-proxy.ts';
import { checkDiskFaults, type DiskFault, harmDisk } from '../services/disk-faults.ts';

export type Kind = ProcessKind | DiskKind | NetworkKind | 'drain' | 'elect' | 'clock';
type ProcessKind = 'kill' | 'freeze';
type DiskKind = 'slow-disk' | 'full-disk';
type NetworkKind = 'cut' | 'hang' | 'slow' | 'lossy' | 'mute';

/** A part that can be harmed. */
export interface Part {
  readonly name: string;
  readonly does: Partial<Readonly<Record<Kind, (lasts: number) => Promise<void>>>>;
}

export interface Trouble {
  /** Milliseconds from the beginning of the storm. */
  readonly at: number;
  readonly part: string;
  readonly kind: Kind;
  /** Milliseconds until the repair begins. A restart takes some time after that. */
  readonly lasts: number;
  /** Milliseconds from the beginning of the storm to the end of the repair; null before it. */
  repairedAt: number | null;
}

const AT_ONCE = 3;
const MIN_FREEZE_MS = 2_000;
const MAX_FREEZE_MS = 15_000;
const MAX_DOWN_MS = 5_000;
const LONG: readonly Kind[] = ['freeze', 'slow-disk', 'hang', 'slow', 'lossy', 'mute'];
/** A slow disk takes this much longer for each write and each flush. */
const SLOW_DISK_MS = 400;
/** Time after a full disk in which a process may still end because of it. */
const ENDING_MS = 5_000;
/**
 * Times of troubles that must raise an alert. A rule holds for half a minute before its alert
 * fires, and the server takes up to 20 s to notice some troubles.
 */
const MIN_ALERT_MS = 65_000;
const MAX_ALERT_MS = 75_000;
/** These are over at once, so they do not count among the three. */
const AT_ANY_TIME: readonly Kind[] = ['cut', 'elect', 'clock'];
/** Clocks of servers are at most this far from the system's. */
const MAX_CLOCK_MS = 5 * 60_000;

/**
 * Kills, freezes and restarts parts and cuts connections, by a seeded schedule. At most three
 * troubles happen at a time, never two to one part, and never to all servers.
 */
export class Troubles {
  readonly done: Trouble[] = [];
  readonly #random: () => number;
  readonly #parts: readonly Part[];
  readonly #busy = new Set<string>();
  readonly #cutClient: () => void;
  #deck: [Part, Kind][] = [];

  readonly #raisesAlert: (part: string, kind: Kind) => boolean;

  /**
   * @param raisesAlert true for a trouble that must last until its alert fires
   */
  constructor(
    parts: readonly Part[],
    cutClient: () => void,
    random: () => number,
    raisesAlert: (part: string, kind: Kind) => boolean = () => false,
  ) {
    this.#random = random;
    this.#cutClient = cutClient;
    this.#raisesAlert = raisesAlert;
    this.#parts = [...parts, { name: 'client', does: { cut: async () => this.#cutClient() } }];
  }

  /** Makes troubles for this time, and resolves when all parts are repaired. */
  async run(ms: number, stopped: AbortSignal): Promise<void> {
    const began = performance.now();
    const repairs: Promise<void>[] = [];
    while (performance.now() - began < ms && !stopped.aborted) {
      await delay(500 + this.#random() * 2_500);
      const next = this.#draw();
      if (next === null) continue;
      const [part, kind] = next;
      const [least, most] = this.#lengths(part.name, kind);
      const lasts = Math.round(least + this.#random() * (most - least));
      const now = () => Math.round(performance.now() - began);
      const trouble: Trouble = { at: now(), part: part.name, kind, lasts, repairedAt: null };
      this.done.push(trouble);
      this.#busy.add(part.name);
      repairs.push(
        (part.does[kind] ?? (async () => {}))(lasts).finally(() => {
          this.#busy.delete(part.name);
          trouble.repairedAt = now();
        }),
      );
    }
    await Promise.all(repairs);
  }

  /** Number of troubles by part and kind: `{"kafka kill": 3}`. */
  counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { part, kind } of this.done) {
      const name = `${part.replace(/\d+$/, '')} ${kind}`;
      counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  }

  #lengths(part: string, kind: Kind): readonly [least: number, most: number] {
    if (this.#raisesAlert(part, kind)) return [MIN_ALERT_MS, MAX_ALERT_MS];
    return LONG.includes(kind) ? [MIN_FREEZE_MS, MAX_FREEZE_MS] : [0, MAX_DOWN_MS];
  }

  #draw(): [Part, Kind] | null {
    if (this.#deck.length === 0) {
      const all = this.#parts.flatMap((part) =>
        Object.keys(part.does).map((kind): [Part, Kind] => [part, kind as Kind]),
      );
      this.#deck = shuffled(all, this.#random);
    }
    const [part, kind] = this.#deck.at(-1) ?? [];
    if (part === undefined || kind === undefined || this.#busy.has(part.name)) return null;
    if (!AT_ANY_TIME.includes(kind) && this.#busy.size >= AT_ONCE) return null;
    const down = (group: string) => [...this.#busy].filter((name) => name.startsWith(group)).length;
    const servers = this.#parts.filter(({ name }) => name.startsWith('server-')).length;
    if (part.name.startsWith('server-') && down('server-') >= servers - 1) return null;
    // A majority of three must stay up. More than one lost at a time is not survived by design.
    for (const group of ['kafka-', 'mongo-', 'redis-data-']) {
      if (part.name.startsWith(group) && down(group) > 0) return null;
    }
    return this.#deck.pop() ?? null;
  }
}

export interface ClusterPartsOptions {
  /** Between clients and servers. */
  readonly proxies: readonly FaultProxy[];
  readonly random: () => number;
  /** true: the disks under Kafka, MongoDB and Redis become slow and full. */
  readonly disks: boolean;
}

export function clusterParts(cluster: Cluster, { proxies, random, disks }: ClusterPartsOptions): Part[] {
  const { servers, members, elections, presence, redisProxy } = cluster;
  const parts: Part[] = servers.map((server, i) => ({
    name: `server-${i + 1}`,
    does: {
      ...harm(server),
      drain: async (lasts) => {
        await server.stop();
        await delay(lasts);
        await untilUp(() => server.restart());
      },
    },
  }));
  for (const member of members) {
    const repair = async () => {
      // MongoDB and Kafka end when they cannot write, some moments later. Redis goes on and refuses
      // writes.
      const until = performance.now() + ENDING_MS;
      while (member.pid !== undefined && performance.now() < until) await delay(50);
      if (member.pid === undefined) await untilUp(() => member.restart());
    };
    const hasDisk = disks && member.pid !== undefined;
    const disk = hasDisk ? diskFaults(async () => member.pid, repair) : {};
    parts.push({ name: member.name, does: { ...harm(member), ...disk } });
  }
  for (const { name, elect } of elections) {
    // An election may be refused while another one is under way.
    parts.push({ name, does: { elect: () => elect().catch(() => {}) } });
  }
  if (cluster.clocks) {
    for (const [i] of servers.entries()) {
      const clock = () => cluster.shiftClock(i, Math.round((2 * random() - 1) * MAX_CLOCK_MS));
      parts.push({ name: `clock-${i + 1}`, does: { clock } });
    }
  }
  for (const { name, proxy } of cluster.networks) parts.push({ name, does: faults(proxy) });
  if (redisProxy !== null) parts.push({ name: 'redis-network', does: { ...faults(redisProxy) } });
  parts.push({
    name: 'presence',
    does: {
      kill: async (lasts) => {
        await presence.stop();
        await delay(lasts);
        await presence.start();
      },
      ...(cluster.proxies === null ? {} : { ...faults(cluster.proxies.presence) }),
    },
  });
  for (const [i, proxy] of proxies.entries()) {
    parts.push({ name: `network-${i + 1}`, does: faults(proxy) });
  }
  return parts;
}

interface Harmable {
  kill(): Promise<void>;
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  restart(): Promise<void>;
}

function harm(process: Harmable): Part['does'] {
  return {
    kill: async (lasts) => {
      await process.kill();
      await delay(lasts);
      await untilUp(() => process.restart());
    },
    freeze: async (lasts) => {
      await process.freeze();
      await delay(lasts);
      await process.thaw();
    },
  };
}

/** Reports the reason where disks cannot be harmed. */
export async function canHarmDisks(progress: (line: string) => void = () => {}): Promise<boolean> {
  try {
    await checkDiskFaults();
    return true;
  } catch (error) {
    progress(`skipped: slow and full disks: ${error instanceof Error ? error.message : error}`);
    return false;
  }
}

/**
 * Faults of the disk of a process.
 * @param pid undefined while the process does not run; then nothing happens
 * @param repair called when the disk is well again
 */
export function diskFaults(
  pid: () => Promise<number | undefined>,
  repair: () => Promise<void> = async () => {},
): Part['does'] {
  const during = (fault: DiskFault) => async (lasts: number) => {
    const harmed = await pid();
    if (harmed === undefined) return;
    // Another trouble may end the process at this moment, or start it.
    const undo = await harmDisk(harmed, fault).catch(() => null);
    await delay(lasts);
    await undo?.();
    await repair();
  };
  return { 'slow-disk': during({ delayMs: SLOW_DISK_MS }), 'full-disk': during('full') };
}

/**
 * Faults of the network at one proxy: `lossy` delays some bytes, as TCP does with lost packets, and
 * `mute` lets bytes pass in one direction only.
 */
export function faults(proxy: FaultProxy): Part['does'] {
  const during = (mode: 'hang' | 'slow' | 'lossy' | 'mute') => async (lasts: number) => {
    await proxy.setMode(mode);
    await delay(lasts);
    await proxy.setMode('pass');
  };
  return {
    cut: async () => proxy.cut(),
    hang: during('hang'),
    slow: during('slow'),
    lossy: during('lossy'),
    mute: during('mute'),
  };
}

/**
 * Retries a start, as a supervisor would: a server does not start while a part that it needs is
 * down.
 */
export async function untilUp(restart: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await restart();
    } catch (error) {
      if (attempt === 20) throw error;
      await delay(1_000);
    }
  }
}
