/**
 * Measures the fan-out of an embedded server (with sequence, membership and SQLite) beside a bare
 * loop on `ws` in the same minute: 20 rooms of 50 subscribers, one publisher a room, closed loop of
 * 4. Arguments: runs (3), seconds (8).
 */
import { type RushResult, rush } from './load/rush.ts';
import { rushTable } from './load/rush-columns.ts';
import { heading, number, say, spread } from './load/table.ts';
import { pidOf, separateRooms, startServer } from './load/world.ts';
import { startYardstick } from './load/yardstick.ts';

const [runs = 3, seconds = 8] = process.argv.slice(2).map(Number);
const rooms = separateRooms(20, 50);

async function ours(form: 'raw' | 'sockjs', ownIds: boolean): Promise<RushResult> {
  const server = await startServer(rooms);
  try {
    return await rush({ ports: [server.port], rooms, form, ownIds, seconds, pids: [[pidOf(server)]] });
  } finally {
    await server.dispose();
  }
}

async function bare(): Promise<RushResult> {
  const loop = await startYardstick('bare-loop');
  try {
    return await rush({ ports: [Number(loop.said)], rooms, seconds, pids: [[loop.pid]] });
  } finally {
    await loop.stop();
  }
}

const kinds: readonly (readonly [string, () => Promise<RushResult>])[] = [
  ['bare loop', bare],
  ['server', () => ours('raw', false)],
  ['server, SockJS', () => ours('sockjs', false)],
  ['server, each its own subscription id', () => ours('raw', true)],
];

heading('Fan-out, embedded: 20 rooms x 50 subscribers, 256 bytes, closed loop of 4');
const all = new Map<string, RushResult[]>(kinds.map(([name]) => [name, []]));
for (let run = 0; run < runs; run += 1) for (const [name, go] of kinds) all.get(name)?.push(await go());
rushTable(
  [
    'deliveries/s',
    'CPU µs a delivery',
    'p50 ms',
    'p99 ms',
    'RSS peak MiB',
    'lost / twice / disordered',
    'others, cores',
  ],
  all,
);
const ratios = (all.get('server') ?? []).map(
  (run, i) => run.deliveriesPerSecond / (all.get('bare loop')?.[i]?.deliveriesPerSecond ?? Infinity),
);
say(`\nDeliveries beside the bare loop's of the same minute: ${spread(ratios, 2)} (goal: ${number(0.6, 1)})`);
