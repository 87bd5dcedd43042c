import { ChatSocket, type Form, type LocalEnd } from './chat-socket.ts';
import { type Rooms, tokenOf } from './world.ts';

/** Time for the receipts of all subscriptions of a user. */
const RECEIPTS_MS = 60_000;

export interface CrowdOptions {
  /** Ports of the servers. Connections go to them in turn. */
  readonly ports: readonly number[];
  readonly rooms: Rooms;
  readonly form?: Form;
  /** Connections under way at once. Default: 100. */
  readonly atOnce?: number;
  /**
   * true: each subscription has an id of its own, as with clients that subscribe to rooms in
   * different orders.
   */
  readonly ownIds?: boolean;
  readonly onFrame?: (member: Member, data: Buffer, start: number, end: number) => void;
  /** The connection of a user with all their subscriptions ended without `disperse`. */
  readonly onLost?: (member: Member) => void;
  /** Asked at each attempt. Default: the system chooses. */
  readonly localEnd?: () => LocalEnd;
  /** Milliseconds until CONNECTED must have come. Default: no limit. */
  readonly openWithinMs?: number;
  /** The number of the last event that the user has of a room; null: they want only live ones. */
  readonly lastSeq?: (userId: number, room: number) => number | null;
}

/** A connected user with all their rooms. */
export interface Member {
  readonly userId: number;
  readonly rooms: readonly number[];
  readonly socket: ChatSocket;
}

/** Rooms of each user. */
export function roomsOfUsers(rooms: Rooms): Map<number, number[]> {
  const users = new Map<number, number[]>();
  for (const [room, members] of rooms) {
    for (const userId of members) {
      const own = users.get(userId);
      if (own === undefined) users.set(userId, [room]);
      else own.push(room);
    }
  }
  return users;
}

/**
 * Connects every user and subscribes them to all their rooms. Resolves when each SUBSCRIBE is
 * receipted.
 */
export async function gather(options: CrowdOptions): Promise<Map<number, Member>> {
  const { ports, rooms, atOnce = 100 } = options;
  const members = new Map<number, Member>();
  const waiting = [...roomsOfUsers(rooms)].reverse();
  let next = 0;
  const work = async (): Promise<void> => {
    for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
      const port = ports[next++ % ports.length] ?? 0;
      const member = await join(port, one[0], one[1], options);
      members.set(member.userId, member);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return members;
}

/** Connects one user and waits for the RECEIPT of each subscription. @throws Error */
export async function join(
  port: number,
  userId: number,
  rooms: readonly number[],
  options: Omit<CrowdOptions, 'ports' | 'rooms'>,
): Promise<Member> {
  const subscribed = Promise.withResolvers<void>();
  // If the connection itself fails, nothing waits for this promise.
  subscribed.promise.catch(() => {});
  let open = rooms.length;
  let member: Member | null = null;
  let isUp = false;
  const receipt = options.form === 'sockjs' ? 82 : 0;
  const socket = await ChatSocket.open({
    port,
    userId,
    token: tokenOf(userId),
    ...(options.form === undefined ? {} : { form: options.form }),
    ...(options.localEnd === undefined ? {} : { from: options.localEnd() }),
    ...(options.openWithinMs === undefined ? {} : { openWithinMs: options.openWithinMs }),
    onFrame: (_, data, start, end) => {
      if (open > 0 && isReceipt(data, start, receipt > 0)) {
        open -= 1;
        if (open === 0) subscribed.resolve();
      } else if (member !== null) options.onFrame?.(member, data, start, end);
    },
    onLost: () => {
      subscribed.reject(new Error(`user ${userId} was cut off`));
      if (isUp && member !== null) options.onLost?.(member);
    },
  });
  member = { userId, rooms, socket };
  for (const [i, room] of rooms.entries()) {
    const id = options.ownIds ? `sub-${userId}-${i}` : `sub-${i}`;
    socket.subscribe(id, `/topic/direct/${room}`, `r${i}`, options.lastSeq?.(userId, room) ?? null);
  }
  if (open === 0) subscribed.resolve();
  const late = setTimeout(() => subscribed.reject(new Error('no RECEIPT of a SUBSCRIBE')), RECEIPTS_MS).unref();
  try {
    await subscribed.promise;
  } catch (error) {
    socket.close();
    throw error;
  } finally {
    clearTimeout(late);
  }
  isUp = true;
  return member;
}

/** true for a RECEIPT, false for a MESSAGE. */
export function isReceipt(data: Buffer, start: number, isSockJs: boolean): boolean {
  return data[start + (isSockJs ? 3 : 0)] === 82;
}

export function disperse(members: ReadonlyMap<number, Member>): void {
  for (const { socket } of members.values()) socket.close();
}
