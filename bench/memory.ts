/**
 * Measures the memory of sessions. `npm run bench -- memory`: 10,000 idle sessions over raw
 * WebSocket and over SockJS, RSS after a collection.
 * `npm run bench -- memory load [minutes]`: 10,000 sessions, each in 3 rooms, 200 messages a
 * second, old space limited to 160 MB.
 * `npm run bench -- memory soak [minutes]`: 2,000 sessions of which 50 a second leave and come
 * back, 100 messages a second.
 */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ServerProcess } from '../dev/server-process.ts';
import type { Form } from './load/chat-socket.ts';
import { disperse, gather, join, type Member, roomsOfUsers } from './load/crowd.ts';
import { rssOf } from './load/process-meter.ts';
import { rush } from './load/rush.ts';
import { slope } from './load/slope.ts';
import { heading, number, say, table } from './load/table.ts';
import { pidOf, type Rooms, startServer } from './load/world.ts';

const SESSIONS = 10_000;
const KIB = 1024;
const COLLECT = ['--expose-gc', '--import', fileURLToPath(new URL('./load/collect-on-signal.ts', import.meta.url))];

/** Rooms in which each of `users` is in `each` of `count` rooms. */
function sharedRooms(users: number, count: number, each: number): Rooms {
  const rooms = new Map<number, number[]>(Array.from({ length: count }, (_, i) => [i + 1, []]));
  for (let user = 1; user <= users; user += 1) {
    for (let i = 0; i < each; i += 1) rooms.get(1 + ((user * each + i * 331) % count))?.push(user);
  }
  return new Map([...rooms].map(([room, members]) => [room, [...new Set(members)]]));
}

/** Memory in MiB after a garbage collection. */
async function settled(server: ServerProcess): Promise<number> {
  for (let i = 0; i < 3; i += 1) {
    process.kill(pidOf(server), 'SIGUSR2');
    await delay(1_500);
  }
  return rssOf(pidOf(server));
}

async function idle(form: Form, each: number): Promise<readonly (string | number)[]> {
  const rooms = sharedRooms(SESSIONS, 1_000, each);
  const server = await startServer(rooms, { nodeArgs: COLLECT });
  try {
    // One session comes first, so that code that is loaded and compiled once is not counted.
    const warm = await join(server.port, 1, roomsOfUsers(rooms).get(1) ?? [], { form });
    warm.socket.close();
    const before = await settled(server);
    const began = performance.now();
    const members = await gather({ ports: [server.port], rooms, form });
    const took = (performance.now() - began) / 1000;
    await delay(5_000);
    const right = rssOf(pidOf(server));
    const after = await settled(server);
    disperse(members);
    const bytes = (mib: number) => number(((mib - before) * KIB * KIB) / members.size);
    return [form, each, members.size, number(before), number(after), bytes(after), bytes(right), number(took, 1)];
  } finally {
    await server.dispose();
  }
}

async function underLoad(minutes: number): Promise<void> {
  const rooms = sharedRooms(SESSIONS, 1_000, 3);
  heading(`10,000 sessions in 3 of 1,000 rooms each, 200 messages/s, ${minutes} minutes, --max-old-space-size=160`);
  const server = await startServer(rooms, { nodeArgs: ['--max-old-space-size=160'] });
  const samples: number[] = [];
  const timer = setInterval(() => samples.push(rssOf(pidOf(server))), 10_000);
  try {
    const pids = [[pidOf(server)]];
    const run = await rush({ ports: [server.port], rooms, rate: 200, warmUp: 20, seconds: minutes * 60, pids });
    table(
      ['RSS peak MiB', 'RSS end', 'slope MiB/min', 'p50 ms', 'p99 ms', 'CPU cores', 'lost / twice / disordered'],
      [
        [
          number(run.usage.rssPeak),
          number(run.usage.rssEnd),
          number(slope(samples.slice(Math.floor(samples.length / 4))) * 6, 2),
          number(run.latency.at(0.5), 1),
          number(run.latency.at(0.99), 1),
          number((run.usage.cpu[0] ?? 0) / run.usage.seconds, 2),
          `${run.lost}/${run.duplicated}/${run.outOfOrder}`,
        ],
      ],
    );
    say(`\nEach 10 s: ${samples.map((mib) => Math.round(mib)).join(' ')}`);
  } finally {
    clearInterval(timer);
    await server.dispose();
  }
}

async function soak(minutes: number): Promise<void> {
  const rooms = sharedRooms(2_000, 200, 3);
  heading(`Soak: 2,000 sessions, 50 a second leave and come back, 100 messages/s, ${minutes} minutes`);
  const server = await startServer(rooms, { nodeArgs: ['--max-old-space-size=160'] });
  const users = [...roomsOfUsers(rooms)];
  const members = await gather({ ports: [server.port], rooms });
  const samples: number[] = [];
  const until = performance.now() + minutes * 60_000;
  let next = 0;
  let comings = 0;
  try {
    const sampling = setInterval(() => samples.push(rssOf(pidOf(server))), 30_000);
    const talking = setInterval(() => {
      const speaker = users[(next * 7) % users.length]?.[0] ?? 0;
      const member = members.get(speaker);
      const room = member?.rooms[0];
      if (member === undefined || room === undefined) return;
      const body = JSON.stringify({ channelId: room, userId: speaker, content: 'y'.repeat(200) });
      member.socket.sendText(`SEND\ndestination:/kafka/send-direct-message\n\n${body}\0`);
    }, 10);
    while (performance.now() < until) {
      const turn: Promise<void>[] = [];
      for (let i = 0; i < 5; i += 1) {
        const [userId, own] = users[next++ % users.length] ?? [0, []];
        members.get(userId)?.socket.close();
        const back = join(server.port, userId, own, {}).then((member: Member) => {
          members.set(userId, member);
          comings += 1;
        });
        turn.push(back);
      }
      await Promise.all([delay(100), ...turn]);
    }
    clearInterval(talking);
    clearInterval(sampling);
    const half = samples.slice(Math.floor(samples.length / 3));
    say(`${comings} came back; RSS each 30 s: ${samples.map((mib) => Math.round(mib)).join(' ')} MiB`);
    say(`slope of the last two thirds: ${number(slope(half) * 120, 2)} MiB an hour`);
  } finally {
    disperse(members);
    await server.dispose();
  }
}

const [what = 'idle', minutes = '10'] = process.argv.slice(2);
if (what === 'load') await underLoad(Number(minutes));
else if (what === 'soak') await soak(Number(minutes));
else {
  heading('Idle sessions: connected, authenticated, subscribed');
  const rows: (readonly (string | number)[])[] = [];
  for (const form of ['raw', 'sockjs'] as const) for (const each of [1, 3]) rows.push(await idle(form, each));
  const head = [
    'form',
    'rooms each',
    'sessions',
    'before MiB',
    'after MiB',
    'bytes a session',
    'before a collection',
    'connected in s',
  ];
  table(head, rows);
}
// Timers of stopped services must not keep this process alive.
if (process.stdout.writableLength > 0) await once(process.stdout, 'drain');
process.exit(0);
