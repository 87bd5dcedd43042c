/**
 * From a client of one server to a subscriber of another: stored, then over Kafka. 20 rooms of two, the one who talks on the first server, who listens on the second.
 * Arguments: runs (3), messages a second (500).
 */
import { type Rushed, rush } from './load/rush.ts';
import { rushTable } from './load/rush-columns.ts';
import { startServices } from './load/services.ts';
import { heading } from './load/table.ts';
import { pidOf, separateRooms, startServer } from './load/world.ts';
import { startYardstick } from './load/yardstick.ts';

const [runs = 3, rate = 500] = process.argv.slice(2).map(Number);
// Users alternate between the servers, so the two of a room are on different ones.
const rooms = separateRooms(20, 2);
const services = await startServices();
const list: Rushed[] = [];
try {
  heading(`From one server to another's subscriber at ${rate} messages/s`);
  // Kafka's and MongoDB's first seconds are not those of a service that has run for a while.
  const [broker = ''] = services.brokers;
  await (await startYardstick('bare-path', broker, services.mongoUrl, '20', '4', '10')).result;
  for (let run = 0; run < runs; run += 1) {
    const env = services.fresh();
    const servers = await Promise.all(
      ['a', 'b'].map((id) => startServer(rooms, { env, id: `bench-${process.pid}-${id}` })),
    );
    const pids = [servers.map(pidOf), services.mongoPids, services.kafkaPids];
    const ports = servers.map(({ port }) => port);
    list.push(await rush({ ports, rooms, rate, pids, receipts: true, othersOnly: true }));
    await Promise.all(servers.map((server) => server.dispose()));
  }
} finally {
  await services.stop();
}
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
