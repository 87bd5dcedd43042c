/**
 * Measures the cost of traces: CPU of a delivery without them, at 1 %, and of another version of
 * the project, 20 rooms of 50. The servers take turns of a tenth of a second, so that other work on
 * the machine meets all alike. Two processes of the same version differ by some percent, on a busy
 * machine by 8 %: make ten runs. Arguments: runs (3), turns (120), folder of the other version
 * (none).
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { LockstepServer } from './load/lockstep.ts';
import { heading, say, spread, table } from './load/table.ts';
import { type ServerOptions, separateRooms, startServer } from './load/world.ts';

const [runs = '3', turns = '120', other] = process.argv.slice(2);
const ROUNDS_OF_A_TURN = 2;
const rooms = separateRooms(20, 50);

const collector = createServer((request, response) => {
  request.resume().on('end', () => response.setHeader('content-type', 'application/json').end('{}'));
});
await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));

type Start = typeof startServer;
type Kind = readonly [name: string, start: Start, options: ServerOptions];
const atOnePercent = {
  env: {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0',
  },
};
const kinds: Kind[] = [
  ['no traces', startServer, {}],
  ['traces at 1 %', startServer, atOnePercent],
];
if (other !== undefined) {
  const world = (await import(join(other, 'bench/load/world.ts'))) as { readonly startServer: Start };
  kinds.unshift(['the other version', world.startServer, {}]);
}

/**
 * Returns the microseconds of CPU of a delivery in each turn, for each kind.
 * @param first the kind whose server starts first and whose turn is the first
 */
async function measure(first: number): Promise<readonly (readonly number[])[]> {
  const order = kinds.map((_, i) => (i + first) % kinds.length);
  const servers: [number, LockstepServer][] = [];
  for (const i of order) {
    const [, start, options] = kinds[i] ?? ['', startServer, {}];
    servers.push([i, await LockstepServer.over(await start(rooms, options), rooms)]);
  }
  const costs: number[][] = kinds.map(() => []);
  const before = kinds.map(() => 0);
  const warmUp = Math.ceil(Number(turns) / 4);
  // A turn is charged with the server's work up to its next turn. The last one only ends a turn.
  for (let turn = -warmUp; turn <= Number(turns); turn += 1) {
    for (const [i, server] of servers) {
      const now = server.cpu;
      if (turn > 0) costs[i]?.push((now - (before[i] ?? 0)) / (ROUNDS_OF_A_TURN * server.deliveries));
      before[i] = now;
      for (let round = 0; round < ROUNDS_OF_A_TURN; round += 1) await server.round();
    }
  }
  for (const [, server] of servers) await server.stop();
  return costs;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

heading(`Traces, embedded: 20 rooms x 50, four messages a publisher, ${turns} turns`);
const costs = kinds.map((): number[] => []);
const ratios = kinds.map((): number[] => []);
for (let run = 0; run < Number(runs); run += 1) {
  const [first = [], ...rest] = await measure(run);
  for (const [i, own] of [first, ...rest].entries()) {
    costs[i]?.push(median(own));
    ratios[i]?.push(median(own.map((cost, turn) => (first[turn] ?? 0) / cost)));
  }
  say(`run ${run + 1}: ${kinds.map(([name], i) => `${name} ${ratios[i]?.at(-1)?.toFixed(3)}`).join(', ')}`);
}
say();
table(
  ['', 'CPU µs a delivery', `${kinds[0]?.[0]} : this, median of the turns`],
  kinds.map(([name], i) => [name, spread(costs[i] ?? [], 2), spread(ratios[i] ?? [], 3)]),
);
say('\nThree figures are the minimum, median and maximum of the runs.');
collector.close();
collector.closeAllConnections();
process.exit(0);
