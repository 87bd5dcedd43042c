/**
 * A process of the load generator with a part of the users. One process cannot hold all of them,
 * because its open files and the ports of its address are limited. `Fleet` starts it and tells it
 * what to do.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { LocalEnd } from './chat-socket.ts';
import { join, type Member, roomsOfUsers } from './crowd.ts';
import type { FleetCommand, FleetReport, FleetSetUp } from './fleet.ts';
import { HeardMessages } from './heard-messages.ts';
import { messageText } from './wire.ts';
import { threeRooms, tokenOf } from './world.ts';

const MARK = Buffer.from('L|');
const FILLER = 'x'.repeat(256);
const REPORT_MS = 1_000;
/** A client of the package gives up a connection that is not up within this time. */
const OPEN_WITHIN_MS = 20_000;
/** The pauses of the client package: random, up to a limit that doubles. */
const PAUSE_MS = { base: 500, max: 20_000 };

const PORTS = { first: 10_000, last: 64_999 };

const setUp = JSON.parse(process.argv[2] ?? '') as FleetSetUp;
const rooms = threeRooms(setUp.users, setUp.roomSize);
const own = [...roomsOfUsers(rooms)].filter(([userId]) => userId >= setUp.from && userId < setUp.to);
/** Rooms whose first member is here. Only they publish, so each room has its messages in order. */
const published = [...rooms].filter(([, [first = 0]]) => first >= setUp.from && first < setUp.to);
const members = new Map<number, Member>();
const heard = new HeardMessages();
const sentIn = new Map<number, number>();
let latencies: number[] = [];
let nextPort: number = PORTS.first;
let talking: NodeJS.Timeout | null = null;
let goingOn = true;
/** The time at which the servers were killed; null while a lost connection is a fault. */
let killedAt: number | null = null;
let returns: number[] = [];
let failures: Record<string, number> = {};
let lost = 0;

// Signed before the measurement: signing is the issuer's work.
for (const [userId] of own) tokenOf(userId);

const options = {
  localEnd: nextLocalEnd,
  openWithinMs: OPEN_WITHIN_MS,
  lastSeq: (userId: number, room: number) => (killedAt === null ? null : heard.last(userId, room)),
  onFrame: ({ userId }: Member, data: Buffer, start: number, end: number) => take(userId, data, start, end),
  onLost: (member: Member) => {
    members.delete(member.userId);
    lost += 1;
    if (goingOn) void comeBack(member.userId, member.rooms);
  },
};

/**
 * The ports of this process's address in turn. Where the system chooses the port of a given
 * address, it searches among those in use. With 8,000 sessions that took 0.7 ms of CPU for each.
 */
function nextLocalEnd(): LocalEnd {
  nextPort = nextPort === PORTS.last ? PORTS.first : nextPort + 1;
  return { localAddress: setUp.address, localPort: nextPort };
}

/** Microseconds of a clock that all processes share. */
function now(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1_000);
}

function take(userId: number, data: Buffer, start: number, end: number): void {
  let at = data.subarray(start, end).indexOf(MARK);
  if (at < 0) return;
  const fields = [0, 0, 0];
  let field = 0;
  for (at += start + MARK.length; at < end && field < fields.length; at += 1) {
    const byte = data[at] ?? 0;
    if (byte === 124) field += 1;
    else fields[field] = (fields[field] ?? 0) * 10 + byte - 48;
  }
  const [room = 0, seq = 0, due = 0] = fields;
  // An event that a returning client missed is not late.
  if (heard.take(userId, room, seq) && killedAt === null) latencies.push((now() - due) / 1_000);
}

/** Connects a user, with pauses between failed attempts. */
async function arrive(userId: number, its: readonly number[]): Promise<void> {
  for (let limit = PAUSE_MS.base; goingOn; limit = Math.min(limit * 2, PAUSE_MS.max)) {
    try {
      members.set(userId, await join(setUp.port, userId, its, options));
      return;
    } catch (error) {
      const reason = (error instanceof Error ? error.message : String(error)).replace(/^user \d+: /, '');
      failures[reason] = (failures[reason] ?? 0) + 1;
    }
    await delay(Math.random() * limit);
  }
}

async function comeBack(userId: number, its: readonly number[]): Promise<void> {
  await delay(Math.random() * PAUSE_MS.base);
  await arrive(userId, its);
  if (killedAt !== null) returns.push(Date.now() - killedAt);
}

async function connectAll(atOnce: number): Promise<void> {
  const waiting = [...own].reverse();
  const work = async (): Promise<void> => {
    for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) await arrive(...one);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

function talk(perSecond: number): void {
  const began = performance.now();
  let next = 0;
  let turn = 0;
  talking = setInterval(() => {
    const dueNow = ((performance.now() - began) * perSecond) / 1_000;
    for (; next <= dueNow; next += 1) {
      const late = performance.now() - began - (next * 1_000) / perSecond;
      for (let tries = 0; tries < published.length; tries += 1) {
        const [room = 0, [first = 0] = []] = published[turn++ % published.length] ?? [];
        const publisher = members.get(first);
        if (publisher === undefined) continue;
        const seq = (sentIn.get(room) ?? 0) + 1;
        sentIn.set(room, seq);
        const stamp = `L|${room}|${seq}|${now() - Math.round(late * 1_000)}|`;
        publisher.socket.sendText(messageText(room, first, stamp + FILLER.slice(stamp.length), null));
        break;
      }
    }
  }, 5);
}

function report(): FleetReport {
  let [sent, expected] = [0, 0];
  for (const [room, count] of sentIn) {
    sent += count;
    expected += count * (rooms.get(room)?.length ?? 0);
  }
  const { delivered, duplicated, outOfOrder } = heard;
  const part = { latencies: Float64Array.from(latencies), returns: Float64Array.from(returns), failures, lost };
  latencies = [];
  returns = [];
  failures = {};
  lost = 0;
  return { ...part, connected: members.size, sent, expected, delivered, duplicated, outOfOrder };
}

async function obey(command: FleetCommand): Promise<void> {
  switch (command.kind) {
    case 'connect':
      await connectAll(command.atOnce);
      break;
    case 'talk':
      talk(command.perSecond);
      break;
    case 'hush':
      if (talking !== null) clearInterval(talking);
      break;
    case 'killed':
      killedAt = command.at;
      break;
    case 'settled':
      killedAt = null;
      break;
    case 'end':
      goingOn = false;
      for (const { socket } of members.values()) socket.close();
      process.disconnect();
      return;
  }
  process.send?.({ done: true, report: report() });
}

process.on('message', (command: FleetCommand) => {
  obey(command).catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  });
});
process.on('disconnect', () => process.exit(0));
setInterval(() => process.connected && process.send?.({ done: false, report: report() }), REPORT_MS);
