import type { ServerProcess } from '../../dev/server-process.ts';
import { gather, type Member } from './crowd.ts';
import { threadTimeOf } from './thread-time.ts';
import { messageText } from './wire.ts';
import { pidOf, type Rooms } from './world.ts';

const MARK = 'L|';
const CONTENT = MARK.padEnd(256, 'x');
/** Messages that each publisher sends in one round. */
const EACH = 4;

/**
 * A server whose clients send in rounds: the first member of each room sends four messages, and the
 * round is over when all members have all of them. So the work of each round is the same, and
 * rounds of several servers may alternate in one process.
 */
export class LockstepServer {
  readonly #server: ServerProcess;
  readonly #publishers: readonly (readonly [room: number, Member])[];
  readonly #deliveries: number;
  readonly #marks: { left: number; done: () => void };

  static async over(server: ServerProcess, rooms: Rooms): Promise<LockstepServer> {
    const marks = { left: 0, done: () => {} };
    const members = await gather({
      ports: [server.port],
      rooms,
      onFrame(_, data, start, end) {
        const at = data.indexOf(MARK, start);
        if (at < 0 || at >= end) return;
        marks.left -= 1;
        if (marks.left === 0) marks.done();
      },
    });
    return new LockstepServer(server, rooms, members, marks);
  }

  private constructor(
    server: ServerProcess,
    rooms: Rooms,
    members: ReadonlyMap<number, Member>,
    marks: { left: number; done: () => void },
  ) {
    this.#server = server;
    this.#marks = marks;
    this.#deliveries = EACH * [...rooms.values()].reduce((sum, { length }) => sum + length, 0);
    this.#publishers = [...rooms].flatMap(([room, [first = 0]]) => {
      const member = members.get(first);
      return member === undefined ? [] : [[room, member] as const];
    });
  }

  /** Deliveries of one round. */
  get deliveries(): number {
    return this.#deliveries;
  }

  /** CPU time that the server has used, in microseconds. */
  get cpu(): number {
    return threadTimeOf(pidOf(this.#server));
  }

  async round(): Promise<void> {
    this.#marks.left = this.#deliveries;
    const done = new Promise<void>((resolve) => {
      this.#marks.done = resolve;
    });
    for (const [room, { userId, socket }] of this.#publishers) {
      for (let n = 0; n < EACH; n += 1) socket.sendText(messageText(room, userId, CONTENT, null));
    }
    await done;
  }

  async stop(): Promise<void> {
    await this.#server.dispose();
  }
}
