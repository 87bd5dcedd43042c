/**
 * Measures many sessions on several workers with embedded parts: the memory of all processes
 * together, its slope, the latency of 200 messages a second, and the time until all clients are
 * back after all workers were killed at once. Each user is in 3 rooms of at most 10. Clients come
 * back as the client package does, and resume. Arguments: sessions (36000), minutes (15), workers
 * (2).
 */
import { readdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { join } from './load/crowd.ts';
import { Fleet } from './load/fleet.ts';
import { familyOf, ProcessMeter, pssOf, variableOf } from './load/process-meter.ts';
import { slope } from './load/slope.ts';
import { heading, number, say, table } from './load/table.ts';
import { pidOf, startServer, threeRooms } from './load/world.ts';

const [sessions = 36_000, minutes = 15, workers = 2] = process.argv.slice(2).map(Number);
const ROOM_SIZE = 10;
const RATE = 200;
const AT_ONCE = 200;
const SAMPLE_MS = 10_000;
const SETTLE_MS = 10_000;
const BACK_WITHIN_MS = 120_000;
const KIB = 1024;

heading(
  `${sessions} sessions in 3 rooms of ${ROOM_SIZE} each, ${workers} workers, ${RATE} messages/s, ${minutes} minutes`,
);
const rooms = threeRooms(sessions, ROOM_SIZE);
const server = await startServer(rooms, { env: { WORKERS: String(workers) } });
const fleet = new Fleet(sessions, ROOM_SIZE, server.port);

type Role = 'parent' | 'hub' | 'workers';
const pids = (): number[] => familyOf(pidOf(server));
const roleOf = (pid: number): Role =>
  variableOf(pid, 'CHAT_WORKER') !== null ? 'workers' : variableOf(pid, 'CHAT_HUB') !== null ? 'hub' : 'parent';
const workerPids = () => pids().filter((pid) => roleOf(pid) === 'workers');

/** Proportional memory in MiB of the server's processes. */
function memory(): Record<Role | 'all', number> {
  const mib = { parent: 0, hub: 0, workers: 0, all: 0 };
  for (const pid of pids()) {
    const pss = pssOf(pid);
    mib[roleOf(pid)] += pss;
    mib.all += pss;
  }
  return mib;
}

/** Waits until no more copies come. */
async function drained(): Promise<void> {
  for (let before = -1; before !== fleet.sum('delivered'); ) {
    before = fleet.sum('delivered');
    await delay(2_500);
  }
}

function accuracy(): string {
  const missing = Math.max(0, fleet.sum('expected') - fleet.sum('delivered'));
  return `${missing}/${fleet.sum('duplicated')}/${fleet.sum('outOfOrder')}`;
}

const memoryRow = (what: string, mib: Record<Role | 'all', number>, base: number) => [
  what,
  number(mib.parent),
  number(mib.hub),
  number(mib.workers),
  number(mib.all),
  number(((mib.all - base) * KIB * KIB) / sessions),
];

try {
  // Some sessions come first, so that code that is loaded and compiled once is not counted.
  for (let i = 0; i < 20; i += 1) (await join(server.port, 1 + i, [], {})).socket.close();
  await delay(SETTLE_MS);
  const base = memory();
  const began = performance.now();
  const connecting = new ProcessMeter(pids());
  await fleet.connect(AT_ONCE);
  const took = (performance.now() - began) / 1_000;
  const { cpu } = connecting.stop();
  say(`${fleet.sum('connected')} connected in ${number(took, 1)} s: ${number(sessions / took)} a second,`);
  say(`${number(((cpu[0] ?? 0) * 1e6) / sessions)} µs of CPU each in all processes; ${fleet.processes} generators\n`);
  say(`Failed attempts: ${fleet.takeFailures()}\n`);
  await delay(SETTLE_MS);
  const idle = memory();
  await fleet.talk(RATE);
  await delay(SETTLE_MS);
  fleet.forgetLatency();
  const samples: number[] = [];
  const meter = new ProcessMeter(pids());
  for (const until = performance.now() + minutes * 60_000; performance.now() < until; ) {
    await delay(Math.min(SAMPLE_MS, Math.max(1, until - performance.now())));
    samples.push(memory().all);
  }
  const usage = meter.stop();
  const { latency } = fleet;
  const loaded = memory();
  await fleet.order({ kind: 'hush' });
  await drained();
  const steady = samples.slice(Math.floor(samples.length / 3));
  table(
    ['', 'parent MiB', 'hub', 'workers', 'all', 'bytes a session above the start'],
    [
      memoryRow('before', base, base.all),
      memoryRow('connected', idle, base.all),
      memoryRow(`after ${minutes} minutes`, loaded, base.all),
    ],
  );
  say();
  table(
    ['slope MiB/min', 'p50 ms', 'p99 ms', 'CPU cores', 'others, cores', 'cut off', 'lost / twice / disordered'],
    [
      [
        number(slope(steady) * (60_000 / SAMPLE_MS), 2),
        number(latency.at(0.5), 1),
        number(latency.at(0.99), 1),
        number((usage.cpu[0] ?? 0) / usage.seconds, 2),
        number(usage.others, 2),
        fleet.lost,
        accuracy(),
      ],
    ],
  );
  say(`\nMiB each 10 s: ${samples.map((mib) => Math.round(mib)).join(' ')}`);
  await comingBack(base.all);
} finally {
  fleet.end();
  await server.dispose();
}
process.exit(0);

async function comingBack(base: number): Promise<void> {
  await fleet.order({ kind: 'killed', at: Date.now() });
  const killed = performance.now();
  for (const pid of workerPids()) process.kill(pid, 'SIGKILL');
  await fleet.talk(RATE);
  while (fleet.returns.count < sessions && performance.now() - killed < BACK_WITHIN_MS) await delay(500);
  await delay(SETTLE_MS);
  await fleet.order({ kind: 'hush' });
  await drained();
  say(
    `\nAll ${workers} workers killed: ${fleet.returns.count} returns, ${fleet.sum('connected')} of ${sessions} connected;`,
  );
  say(`half after ${number(fleet.returns.at(0.5))} ms, 99 % after ${number(fleet.returns.at(0.99))} ms, the last`);
  say(`after ${number(fleet.returns.most)} ms. Lost / twice / disordered: ${accuracy()}`);
  say(`Failed attempts: ${fleet.takeFailures()}\n`);
  if (!server.running) throw new Error(`the server ended; the end of its log:\n${await server.logTail()}`);
  const now = memory();
  table(
    ['', 'parent MiB', 'hub', 'workers', 'all', 'bytes a session above the start'],
    [memoryRow('after the return', now, base)],
  );
  const files = await Promise.all(workerPids().map(async (pid) => (await readdir(`/proc/${pid}/fd`)).length));
  say(`\nOpen files of the workers: ${files.join(', ')}`);
}
