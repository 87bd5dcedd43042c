/**
 * Measures the way from a client of one server to a subscriber of another: the event is stored,
 * then it goes over Kafka. 20 rooms of two users: the sender is on the first server, the listener
 * on the second. Arguments: runs (3), messages a second (500).
 */
import { rushServers, withWarmServices } from './load/durable.ts';
import type { RushResult } from './load/rush.ts';
import { rushTable } from './load/rush-columns.ts';
import { heading } from './load/table.ts';
import { separateRooms } from './load/world.ts';

const [runs = 3, rate = 500] = process.argv.slice(2).map(Number);
// Users alternate between the servers, so the two users of a room are on different ones.
const rooms = separateRooms(20, 2);
const list: RushResult[] = [];
await withWarmServices(async (services) => {
  heading(`From one server to another's subscriber at ${rate} messages/s`);
  for (let run = 0; run < runs; run += 1) {
    list.push(await rushServers(services, rooms, { rate, receipts: true, othersOnly: true }, { servers: 2 }));
  }
});
rushTable(
  [
    'p50 ms',
    'p99 ms',
    'receipt p50',
    'receipt p99',
    'Node µs a message',
    'mongod',
    'Kafka',
    'lost / twice / disordered',
    'others, cores',
  ],
  [['both servers', list]],
);
process.exit(0);
