import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../cluster/cluster.ts';
import { shuffled } from '../durability/shuffled.ts';
import type { FaultProxy } from '../fault-proxy.ts';

type Kind = 'kill' | 'freeze' | 'drain' | 'cut' | 'hang';

interface Part {
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
}

const AT_ONCE = 3;
const MIN_FREEZE_MS = 2_000;
const MAX_FREEZE_MS = 15_000;
const MAX_DOWN_MS = 5_000;

/**
 * Kills, freezes and restarts the parts of a cluster and cuts connections, by a seeded schedule. At
 * most three troubles happen at a time, never two to one part, and never to all servers.
 */
export class Troubles {
  readonly done: Trouble[] = [];
  readonly #random: () => number;
  readonly #parts: readonly Part[];
  readonly #busy = new Set<string>();
  readonly #cutClient: () => void;
  #deck: [Part, Kind][] = [];

  /** @param proxies between clients and servers */
  constructor(cluster: Cluster, proxies: readonly FaultProxy[], cutClient: () => void, random: () => number) {
    this.#random = random;
    this.#cutClient = cutClient;
    this.#parts = [...partsOf(cluster, proxies), { name: 'client', does: { cut: async () => this.#cutClient() } }];
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
      const least = kind === 'freeze' || kind === 'hang' ? MIN_FREEZE_MS : 0;
      const most = kind === 'freeze' || kind === 'hang' ? MAX_FREEZE_MS : MAX_DOWN_MS;
      const lasts = Math.round(least + this.#random() * (most - least));
      this.done.push({ at: Math.round(performance.now() - began), part: part.name, kind, lasts });
      this.#busy.add(part.name);
      repairs.push(
        (part.does[kind] ?? (async () => {}))(lasts).finally(() => {
          this.#busy.delete(part.name);
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

  #draw(): [Part, Kind] | null {
    if (this.#deck.length === 0) {
      const all = this.#parts.flatMap((part) =>
        Object.keys(part.does).map((kind): [Part, Kind] => [part, kind as Kind]),
      );
      this.#deck = shuffled(all, this.#random);
    }
    const [part] = this.#deck.at(-1) ?? [];
    if (part === undefined || this.#busy.has(part.name)) return null;
    const light = part.does.cut !== undefined;
    if (!light && this.#busy.size >= AT_ONCE) return null;
    const servers = this.#parts.filter(({ name }) => name.startsWith('server'));
    const down = servers.filter(({ name }) => this.#busy.has(name)).length;
    if (part.name.startsWith('server') && down >= servers.length - 1) return null;
    return this.#deck.pop() ?? null;
  }
}

function partsOf(cluster: Cluster, proxies: readonly FaultProxy[]): Part[] {
  const { servers, kafka, mongo, redis, presence } = cluster;
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
  parts.push({ name: 'kafka', does: harm(kafka) }, { name: 'mongo', does: harm(mongo) });
  parts.push({ name: 'redis', does: harm(redis) });
  parts.push({
    name: 'presence',
    does: {
      kill: async (lasts) => {
        await presence.stop();
        await delay(lasts);
        await presence.start();
      },
      ...(cluster.proxies === null ? {} : { hang: hanging(cluster.proxies.presence) }),
    },
  });
  for (const [i, proxy] of proxies.entries()) {
    parts.push({ name: `network-${i + 1}`, does: { cut: async () => proxy.cut(), hang: hanging(proxy) } });
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

function hanging(proxy: FaultProxy): (lasts: number) => Promise<void> {
  return async (lasts) => {
    await proxy.setMode('hang');
    await delay(lasts);
    await proxy.setMode('pass');
  };
}

/**
 * Retries a start, as a supervisor would: a server does not start while a part that it needs is
 * down.
 */
async function untilUp(restart: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await restart();
    } catch (error) {
      if (attempt === 20) throw error;
      await delay(1_000);
    }
  }
}
