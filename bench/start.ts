/**
 * Measures the time from the start of the process until it is ready, and its memory then.
 * Arguments: runs (5).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { rssOf } from './load/process-meter.ts';
import { startServices } from './load/services.ts';
import { heading, spread, table } from './load/table.ts';
import { pidOf, separateRooms, startServer } from './load/world.ts';

const [runs = 5] = process.argv.slice(2).map(Number);
const rooms = separateRooms(1, 2);

interface StartMeasurement {
  readonly ms: number;
  readonly rss: number;
}

async function once(env: Readonly<Record<string, string>>, id?: string): Promise<StartMeasurement> {
  const began = performance.now();
  const server = await startServer(rooms, { env, ...(id === undefined ? {} : { id }) });
  const ms = performance.now() - began;
  await delay(2_000);
  const rss = rssOf(pidOf(server));
  await server.stop();
  await server.dispose();
  return { ms, rss };
}

const services = await startServices();
const cache = mkdtempSync(join(tmpdir(), 'chat-bench-cache-'));
const kinds: readonly (readonly [string, () => Promise<StartMeasurement>])[] = [
  ['embedded', () => once({})],
  ['embedded, nothing compiled before', () => once({ NODE_COMPILE_CACHE: mkdtempSync(join(cache, 'cold-')) })],
  ['Kafka and MongoDB, new topics', () => once(services.fresh(), `bench-${process.pid}`)],
];
const known = services.fresh();
await once(known, 'bench-again');
try {
  heading('Start: until /chat-server/health/ready answers 200');
  const rows: string[][] = [];
  for (const [name, go] of [...kinds, ['Kafka and MongoDB, topics known', () => once(known, 'bench-again')] as const]) {
    const list: StartMeasurement[] = [];
    for (let run = 0; run < runs; run += 1) list.push(await go());
    rows.push([name, spread(list.map(({ ms }) => ms)), spread(list.map(({ rss }) => rss))]);
  }
  table(['', 'ready after ms', 'RSS MiB'], rows);
} finally {
  rmSync(cache, { recursive: true, force: true });
  await services.stop();
}
process.exit(0);
