import { parseArgs } from 'node:util';
import { killTheirServer } from '../dev/durability/reconnect.ts';

/**
 * `node bench/reconnect.ts --clients 2000`: measures how long clients of a killed server take until
 * they are up to date on the others.
 */
const { values } = parseArgs({
  options: { clients: { type: 'string', default: '2000' }, rate: { type: 'string', default: '50' } },
});

const report = await killTheirServer({
  clients: Number(values.clients),
  rate: Number(values.rate),
  rooms: 200,
  own: true,
  progress: (line) => process.stderr.write(`${line}\n`),
});
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
process.exit(0);
