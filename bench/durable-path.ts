/**
 * Measures the whole durable path: the RECEIPT follows the write on a majority, the record goes to
 * Kafka with all acknowledgements, and subscribers get the event. Kafka and MongoDB run on the same
 * machine, and the bare path runs in the same minute. Arguments: runs (3), seconds (10), `cluster`
 * for three brokers and a replica set of three.
 */
import { type BarePath, barePath, rushServers, withWarmServices } from './load/durable.ts';
import type { RushOptions, RushResult } from './load/rush.ts';
import { rushTable } from './load/rush-columns.ts';
import { startClusters, startServices } from './load/services.ts';
import { heading, say, spread } from './load/table.ts';
import { type Rooms, separateRooms } from './load/world.ts';

const [runs = 3, seconds = 10] = process.argv.slice(2, 4).map(Number);
const isCluster = process.argv[4] === 'cluster';

const crowded = separateRooms(20, 50);
const lonely = separateRooms(20, 1);
/** Ten thousand rooms of one user each, twenty rooms a user. */
const quiet: Rooms = new Map(Array.from({ length: 10_000 }, (_, i) => [i + 1, [1 + (i % 500)]]));

function ofBares(of: (run: BarePath) => number, digits = 0): string {
  return spread(bares.map(of), digits);
}

const scenes: readonly (readonly [string, Rooms, Partial<RushOptions>])[] = [
  ['20 x 50, closed loop of 4', crowded, { window: 4 }],
  ['20 x 50, closed loop of 16', crowded, { window: 16 }],
  ['20 x 50, 100 messages/s', crowded, { rate: 100 }],
  ['20 x 50, 1,000 messages/s', crowded, { rate: 1_000 }],
  ['20 x 1, 1,000 messages/s', lonely, { rate: 1_000 }],
  // The warm-up reads the newest number of every room.
  ['10,000 x 1, 1,000 messages/s', quiet, { rate: 1_000, warmUp: 14 }],
];

heading(
  `The durable path: Kafka with all acknowledgements, MongoDB with majority and journal, ${isCluster ? 'three' : 'one'} of each`,
);
const bares: BarePath[] = [];
const all = new Map<string, RushResult[]>(scenes.map(([name]) => [name, []]));
await withWarmServices(
  async (services) => {
    for (let run = 0; run < runs; run += 1) {
      bares.push(await barePath(services, seconds));
      for (const [name, rooms, load] of scenes) {
        all.get(name)?.push(await rushServers(services, rooms, { seconds, receipts: true, ...load }));
      }
    }
  },
  isCluster ? startClusters : startServices,
);

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
say(`\nMessages beside the bare path's of the same minute: ${spread(ratios, 2)} (goal: 0.7, or 5,000 messages/s)`);
