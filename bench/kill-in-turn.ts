import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startCluster } from '../dev/cluster/cluster.ts';

/**
 * `node bench/kill-in-turn.ts --every 10 --for 60 -- COMMAND ...`: runs a load generator against
 * three servers on real services. The servers are killed and started again in turn for the first 60
 * s. In the arguments, `{addr}` becomes `127.0.0.1:1,127.0.0.1:2,...` and `{secret}` the key of the
 * tokens in Base64.
 */
const { values, positionals } = parseArgs({
  options: {
    every: { type: 'string', default: '10' },
    for: { type: 'string', default: '60' },
    rooms: { type: 'string', default: '20' },
    users: { type: 'string', default: '200' },
  },
  allowPositionals: true,
});
const [program, ...args] = positionals;
if (program === undefined) throw new Error('which command? node bench/kill-in-turn.ts -- COMMAND ...');

const members = Array.from({ length: Number(values.users) }, (_, i) => i + 1);
const cluster = await startCluster({
  own: true,
  directory: {
    users: Object.fromEntries(members.map((id) => [String(id), { name: `user${id}`, image: null }])),
    rooms: Object.fromEntries(Array.from({ length: Number(values.rooms) }, (_, i) => [String(i + 1), members])),
    communities: {},
  },
  env: { LIMITS: 'off' },
  progress: (line) => process.stderr.write(`${line}\n`),
});
const { servers, secret } = cluster;
const addr = servers.map(({ port }) => `127.0.0.1:${port}`).join();
const child = spawn(
  program,
  args.map((arg) => arg.replace('{addr}', addr).replace('{secret}', secret)),
  { stdio: 'inherit' },
);
const ended = once(child, 'exit');
const isRunning = () => child.exitCode === null && child.signalCode === null;
const until = performance.now() + Number(values.for) * 1_000;
let kills = 0;
for (let turn = 0; isRunning() && performance.now() < until; turn++) {
  await Promise.race([delay(Number(values.every) * 1_000), ended]);
  const victim = servers[turn % servers.length];
  if (!isRunning() || victim === undefined) break;
  await victim.kill();
  kills += 1;
  process.stderr.write(`killed ${victim.id}\n`);
  await victim.restart();
}
const [code] = await ended;
process.stderr.write(`${kills} kills\n`);
await cluster.stop();
process.exit(code ?? 1);
