/**
 * Measures how costs grow. Embedded: with the subscribers of one room, with rooms, with message
 * sizes. `npm run bench -- growth servers`: with 1, 2 and 3 servers and with 2 and 4 workers, on
 * real Kafka and MongoDB, all on this machine. The loads are offered, so that CPU figures can be
 * compared.
 */
import { rushServers } from './load/durable.ts';
import { type RushOptions, type RushResult, rush } from './load/rush.ts';
import { type RushColumn, rushTable } from './load/rush-columns.ts';
import { startServices } from './load/services.ts';
import { heading, number } from './load/table.ts';
import { pidOf, type Rooms, separateRooms, startServer } from './load/world.ts';

const SECONDS = 6;
const COLUMNS: readonly RushColumn[] = [
  'messages/s',
  'deliveries/s',
  'Node µs a message',
  'CPU µs a delivery',
  'p50 ms',
  'p99 ms',
  'RSS peak MiB',
  'lost / twice / disordered',
];

type Row = readonly [string, readonly RushResult[]];

async function embedded(rooms: Rooms, load: Partial<RushOptions>): Promise<RushResult> {
  const server = await startServer(rooms);
  try {
    return await rush({ ports: [server.port], rooms, seconds: SECONDS, pids: [[pidOf(server)]], ...load });
  } finally {
    await server.dispose();
  }
}

/** `count` rooms, each with one member out of 500 users. */
function sharedOut(count: number): Rooms {
  return new Map(Array.from({ length: count }, (_, i) => [i + 1, [1 + (i % 500)]]));
}

async function alone(): Promise<void> {
  heading('Subscribers of one room, 20,000 deliveries/s at most');
  const bySubscribers: Row[] = [];
  for (const subscribers of [1, 10, 100, 1_000, 10_000]) {
    const rate = Math.min(500, 20_000 / subscribers);
    bySubscribers.push([number(subscribers), [await embedded(separateRooms(1, subscribers), { rate })]]);
  }
  rushTable(COLUMNS, bySubscribers);

  heading('Rooms, 500 messages/s over all, one subscriber each, 500 connections');
  const byRooms: Row[] = [];
  for (const count of [10, 100, 1_000, 10_000, 100_000]) {
    // The warm-up writes to each room once, up to a number of rooms.
    const warmUp = Math.min(25, 3 + count / 500);
    byRooms.push([number(count), [await embedded(sharedOut(count), { rate: 500, warmUp })]]);
  }
  rushTable(COLUMNS, byRooms);

  heading('Sizes: 20 rooms x 20 subscribers, 100 messages/s');
  const bySize: Row[] = [];
  for (const size of [100, 256, 1_000, 4_000, 7_900]) {
    bySize.push([`${number(size)} characters`, [await embedded(separateRooms(20, 20), { rate: 100, size })]]);
  }
  rushTable(COLUMNS, bySize);
}

async function together(): Promise<void> {
  const services = await startServices();
  const rooms = separateRooms(20, 30);
  const rows: Row[] = [];
  heading(
    'Servers on Kafka and MongoDB: 20 rooms x 30 subscribers, spread over them; closed loop of 4, then 200 messages/s',
  );
  try {
    for (const [count, workers] of [
      [1, 1],
      [2, 1],
      [3, 1],
      [1, 2],
      [1, 4],
    ] as const) {
      for (const load of [{ window: 4 }, { rate: 200 }]) {
        const run = await rushServers(services, rooms, { seconds: SECONDS, ...load }, { servers: count, workers });
        const name = `${count} of ${workers} worker${workers > 1 ? 's' : ''}${'rate' in load ? '' : ', closed'}`;
        rows.push([name, [run]]);
      }
    }
  } finally {
    await services.stop();
  }
  rushTable(COLUMNS, rows);
}

await (process.argv[2] === 'servers' ? together() : alone());
process.exit(0);
