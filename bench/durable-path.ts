/**
 * The whole durable path: the RECEIPT comes after the write on a majority, the record goes to Kafka with all acknowledgements, subscribers get the event. Real Kafka and
 * MongoDB on the same machine, beside the bare path of the same minute. Arguments: runs (3), seconds (10).
 */
import { type Rushed, type RushOptions, rush } from './load/rush.ts';
import { rushTable } from './load/rush-columns.ts';
import { type Services, startServices } from './load/services.ts';
import { heading, say, spread } from './load/table.ts';
import { pidOf, type Rooms, separateRooms, startServer } from './load/world.ts';
import { startYardstick } from './load/yardstick.ts';

const [runs = 3, seconds = 10] = process.argv.slice(2).map(Number);

const crowded = separateRooms(20, 50);
const lonely = separateRooms(20, 1);
/** Ten thousand rooms of one user each, twenty rooms a user. */
const quiet: Rooms = new Map(Array.from({ length: 10_000 }, (_, i) => [i + 1, [1 + (i % 500)]]));

interface Bare {
  readonly perSecond: number;
  readonly received: readonly [number, number];
  readonly delivered: readonly [number, number];
  readonly cpuPerMessage: number;
}

async function bare(services: Services): Promise<Bare> {
  const [broker = ''] = services.brokers;
  const path = await startYardstick('bare-path', broker, services.mongoUrl, '20', '4', String(seconds));
  return JSON.parse(await path.result);
}

async function ours(services: Services, rooms: Rooms, load: Partial<RushOptions>): Promise<Rushed> {
  const server = await startServer(rooms, { env: services.fresh(), id: `bench-${process.pid}` });
  const pids = [[pidOf(server)], services.mongoPids, services.kafkaPids];
  try {
    return await rush({ ports: [server.port], rooms, seconds, receipts: true, pids, ...load });
  } finally {
    await server.dispose();
  }
}

function ofBares(of: (run: Bare) => number, digits = 0): string {
  return spread(bares.map(of), digits);
}

const scenes: readonly (readonly [string, Rooms, Partial<RushOptions>])[] = [
  ['20 x 50, closed loop of 4', crowded, { window: 4 }],
  ['20 x 50, closed loop of 16', crowded, { window: 16 }],
  ['20 x 50, 100 messages/s', crowded, { rate: 100 }],
  ['20 x 50, 1,000 messages/s', crowded, { rate: 1_000 }],
  ['20 x 1, 1,000 messages/s', lonely, { rate: 1_000 }],
  // Every room is asked for once before the measured time begins.
  ['10,000 x 1, 1,000 messages/s', quiet, { rate: 1_000, warmUp: 14 }],
];

heading('The durable path: Kafka with all acknowledgements, MongoDB with majority and journal');
const services = await startServices();
const bares: Bare[] = [];
const all = new Map<string, Rushed[]>(scenes.map(([name]) => [name, []]));
try {
  // Kafka's and MongoDB's first seconds are not those of a service that has run for a while.
  await bare(services);
  for (let run = 0; run < runs; run += 1) {
    bares.push(await bare(services));
    for (const [name, rooms, load] of scenes) all.get(name)?.push(await ours(services, rooms, load));
  }
} finally {
  await services.stop();
}

rushTable(
  [
    'messages/s',
    'deliveries/s',
    'p50 ms',
    'p99 ms',
    'receipt p50',
    'receipt p99',
    'Node µs a message',
    'mongod',
    'Kafka',
    'RSS peak MiB',
    'lost / twice / disordered',
    'others, cores',
  ],
  all,
  [
    [
      'bare path, 20 x 4',
      {
        'messages/s': ofBares((run) => run.perSecond),
        'p50 ms': ofBares((run) => run.delivered[0], 1),
        'p99 ms': ofBares((run) => run.delivered[1], 1),
        'receipt p50': ofBares((run) => run.received[0], 1),
        'receipt p99': ofBares((run) => run.received[1], 1),
        'Node µs a message': ofBares((run) => run.cpuPerMessage),
      },
    ],
  ],
);
const [closed] = all.values();
const ratios = (closed ?? []).map((run, i) => run.sendsPerSecond / (bares[i]?.perSecond ?? Infinity));
say(`\nMessages beside the bare path's of the same minute: ${spread(ratios, 2)} (goal: 0.5, or 2,000 messages/s)`);
