/**
 * Measures new sessions a second: upgrade, CONNECT with a signed token, SUBSCRIBE to 3 rooms with a
 * check of membership, presence reported. Then the server is killed, and the bench measures the
 * time until the last client is back. Arguments: sessions (10000), connections under way at once
 * (200).
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Histogram } from '../src/bootstrap/cli/load/histogram.ts';
import { disperse, gather, join, type Member, roomsOfUsers } from './load/crowd.ts';
import { ProcessMeter, rssOf } from './load/process-meter.ts';
import { heading, number, say, table } from './load/table.ts';
import { pidOf, startServer, threeRooms, tokenOf } from './load/world.ts';

const [sessions = 10_000, atOnce = 200] = process.argv.slice(2).map(Number);
const ROOM_SIZE = 30;

heading(`Connecting: ${sessions} users, each in 3 rooms of ${ROOM_SIZE}, ${atOnce} at once`);
const rooms = threeRooms(sessions, ROOM_SIZE);
// Tokens are signed before the measurement: signing is the issuer's work.
for (const userId of roomsOfUsers(rooms).keys()) tokenOf(userId);
const server = await startServer(rooms);
try {
  const meter = new ProcessMeter([pidOf(server)]);
  const began = performance.now();
  let lost = 0;
  const back = Promise.withResolvers<void>();
  const times = new Histogram();
  let killedAt = 0;
  let returned = 0;
  const members = new Map<number, Member>();
  // A client reconnects after a random part of a second, then with longer pauses.
  const comeBack = async ({ userId, rooms: own }: Member): Promise<void> => {
    for (let pause = 1_000; ; pause = Math.min(pause * 2, 5_000)) {
      await delay(Math.random() * pause);
      try {
        members.set(userId, await join(server.port, userId, own, { onLost }));
        break;
      } catch {
        lost += 1;
      }
    }
    returned += 1;
    times.add(performance.now() - killedAt);
    if (returned === sessions) back.resolve();
  };
  const onLost = (member: Member): void => void comeBack(member);
  for (const [userId, member] of await gather({ ports: [server.port], rooms, atOnce, onLost }))
    members.set(userId, member);
  const took = (performance.now() - began) / 1000;
  const { cpu, others } = meter.stop();
  table(
    [
      'sessions',
      'seconds',
      'sessions/s',
      'server CPU µs a session',
      'sessions/s on one core',
      'RSS MiB',
      'others, cores',
    ],
    [
      [
        members.size,
        number(took, 1),
        number(members.size / took),
        number(((cpu[0] ?? 0) * 1e6) / members.size),
        number(members.size / (cpu[0] ?? 1)),
        number(rssOf(pidOf(server))),
        number(others, 2),
      ],
    ],
  );
  await delay(5_000);
  killedAt = performance.now();
  await server.kill();
  await server.restart();
  const up = performance.now() - killedAt;
  await Promise.race([back.promise, delay(120_000)]);
  say(
    `\nKilled and started again: listening after ${number(up)} ms; ${returned} back, half of them after ${number(times.at(0.5))} ms,`,
  );
  say(`the last after ${number(times.most)} ms (goal: 15,000), ${lost} failed attempts`);
  disperse(members);
} finally {
  await server.dispose();
}
process.exit(0);
