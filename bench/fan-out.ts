/**
 * Measures the fan-out of an embedded server (with sequence, membership and SQLite) beside a bare
 * loop on `ws` in the same minute: 20 rooms of 50 subscribers, one publisher a room, closed loop of
 * 4; then at a low rate, beside bare flushes of the disk. Arguments: runs (3), seconds (8).
 */
import { bareFlushes, type Flushes } from './load/bare-flush.ts';
import { familyOf } from './load/process-meter.ts';
import { type RushOptions, type RushResult, rush } from './load/rush.ts';
import { rushTable } from './load/rush-columns.ts';
import { heading, number, say, spread } from './load/table.ts';
import { pidOf, separateRooms, startServer } from './load/world.ts';
import { startYardstick } from './load/yardstick.ts';

const [runs = 3, seconds = 8] = process.argv.slice(2).map(Number);
const rooms = separateRooms(20, 50);

async function ours(load: Partial<RushOptions>, workers = 1): Promise<RushResult> {
  const server = await startServer(rooms, workers === 1 ? {} : { env: { WORKERS: String(workers) } });
  try {
    return await rush({ ports: [server.port], rooms, seconds, pids: [familyOf(pidOf(server))], ...load });
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

type Kind = readonly [name: string, go: () => Promise<RushResult>];

const columns = [
  'deliveries/s',
  'CPU µs a delivery',
  'p50 ms',
  'p99 ms',
  'RSS peak MiB',
  'lost / twice / disordered',
  'others, cores',
] as const;

/** Runs the kinds in turn, so that each is measured in the same minute as the others. */
async function compare(kinds: readonly Kind[]): Promise<ReadonlyMap<string, readonly RushResult[]>> {
  const all = new Map<string, RushResult[]>(kinds.map(([name]) => [name, []]));
  for (let run = 0; run < runs; run += 1) for (const [name, go] of kinds) all.get(name)?.push(await go());
  rushTable([...columns], all);
  return all;
}

const loops: readonly Kind[] = [
  ['bare loop', bare],
  ['server', () => ours({})],
  ['server, SockJS', () => ours({ form: 'sockjs' })],
  ['server, each its own subscription id', () => ours({ ownIds: true })],
  ['server of two workers', () => ours({}, 2)],
];

heading('Fan-out, embedded: 20 rooms x 50 subscribers, 256 bytes, closed loop of 4');
const all = await compare(loops);
const ratios = (all.get('server') ?? []).map(
  (run, i) => run.deliveriesPerSecond / (all.get('bare loop')?.[i]?.deliveriesPerSecond ?? Infinity),
);
say(`\nDeliveries beside the bare loop's of the same minute: ${spread(ratios, 2)} (goal: ${number(0.6, 1)})`);

heading('The same rooms, 500 messages/s offered');
const RATE = 500;
const flushes: Flushes[] = [];
const low = await compare([
  [
    'server',
    async () => {
      flushes.push(await bareFlushes(RATE, seconds));
      return ours({ rate: RATE });
    },
  ],
  ['server of two workers', () => ours({ rate: RATE }, 2)],
]);
const flushed = (name: keyof Flushes) =>
  spread(
    flushes.map((flush) => flush[name]),
    1,
  );
say(`\nBare flushes of as many bytes, ${RATE}/s, in the same minutes: p50 ${flushed('p50')}, p99 ${flushed('p99')} ms`);
const beside = (low.get('server') ?? []).map((run, i) => run.latency.at(0.99) / (flushes[i]?.p99 ?? 0));
say(`p99 of a delivery beside that of a bare flush: ${spread(beside, 2)} (goal: 1.5, or 4 ms)`);
