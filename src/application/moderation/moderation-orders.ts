import { Refusal } from '../../domain/errors.ts';
import { banned, type ModerationOrder } from '../../domain/moderation.ts';
import type { Broadcast } from '../broadcast.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { ModerationStore, StoredOrder } from '../ports/moderation-store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Sessions } from '../presence/sessions.ts';
import type { Restrictions } from './restrictions.ts';

/**
 * Interval between two reads of new orders, in milliseconds. It finds orders whose report is lost.
 */
const READ_MS = 1_000;
/** Orders of one read. */
const MAX_ORDERS = 1_000;
/**
 * After this time without a read, in milliseconds, orders may be gone that this server has never
 * read. It then reads all of them again. The store keeps an order for a day after its end.
 */
const MAX_GAP_MS = 60 * 60 * 1000;

export interface ModerationOrdersParts {
  readonly server: string;
  readonly store: ModerationStore;
  readonly restrictions: Restrictions;
  readonly sessions: Sessions;
  readonly broadcast: Broadcast;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/**
 * Brings the orders of administrators to this server. An order is stored first. Then a report on
 * the bus makes the other servers read it, within milliseconds. Each server also reads new orders
 * every second, so an order arrives even while the bus is away.
 */
export class ModerationOrders {
  readonly #parts: ModerationOrdersParts;
  /** Number of the last order that was applied. */
  #known = 0;
  /** Monotonic time of the last read; null: nothing was read yet. */
  #readAt: number | null = null;
  #reading: Promise<void> | null = null;
  #next: Promise<void> | null = null;
  #timer: Timer | null = null;
  #isStopped = false;

  constructor(parts: ModerationOrdersParts) {
    this.#parts = parts;
  }

  /** Reads all orders. Resolves also if they cannot be read now: then they are read later. */
  async start(): Promise<void> {
    await this.#readQuietly();
    this.#schedule();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** Gives an order to all servers. This one obeys it when the promise resolves. */
  async give(order: ModerationOrder, admin: string): Promise<void> {
    const { store, server, broadcast } = this.#parts;
    const seq = await store.append(order, admin);
    void broadcast.send({ kind: 'moderation-changed', server, seq });
    await this.#readQuietly();
  }

  /** Another server reports that there are orders up to this number. */
  heard(seq: number): void {
    if (seq > this.#known) void this.#readQuietly();
  }

  #schedule(): void {
    if (this.#isStopped) return;
    this.#timer = this.#parts.clock.after(READ_MS, () => {
      void this.#readQuietly().then(() => this.#schedule());
    });
  }

  async #readQuietly(): Promise<void> {
    try {
      await this.#read();
    } catch (error) {
      this.#parts.telemetry.log('warn', 'the orders of administrators cannot be read now', { error });
    }
  }

  /** Reads everything that is stored now. A read that is under way may have begun too early. */
  #read(): Promise<void> {
    if (this.#reading === null) {
      this.#reading = this.#readAll().finally(() => {
        this.#reading = null;
      });
      return this.#reading;
    }
    this.#next ??= this.#reading
      .catch(() => undefined)
      .then(() => {
        this.#next = null;
        return this.#read();
      });
    return this.#next;
  }

  async #readAll(): Promise<void> {
    const { store, restrictions, clock } = this.#parts;
    const isAnew = this.#readAt !== null && clock.monotonic() - this.#readAt > MAX_GAP_MS;
    let after = isAnew ? 0 : this.#known;
    let orders: StoredOrder[];
    const found: StoredOrder[] = [];
    do {
      orders = await store.ordersAfter(after, MAX_ORDERS);
      found.push(...orders);
      after = orders.at(-1)?.seq ?? after;
    } while (orders.length === MAX_ORDERS);
    if (isAnew) restrictions.clear();
    for (const order of found) this.#apply(order);
    this.#readAt = clock.monotonic();
    restrictions.known();
  }

  #apply({ seq, order, admin, at }: StoredOrder): void {
    const isNew = seq > this.#known;
    this.#known = Math.max(this.#known, seq);
    if (order === null) {
      this.#parts.telemetry.log('warn', 'an order of an administrator is of a kind that only a newer version knows', {
        seq,
      });
      return;
    }
    this.#parts.restrictions.apply(order, { admin, at });
    if (isNew) this.#endSessions(order);
  }

  #endSessions(order: ModerationOrder): void {
    const { sessions, clock } = this.#parts;
    switch (order.kind) {
      case 'ban':
        if (order.until === null || order.until > clock.now()) sessions.endAllOf(order.userId, banned(order));
        break;
      case 'disconnect':
        sessions.endAllOf(order.userId, new Refusal('not-permitted', 'an administrator has ended the session'));
        break;
      case 'unban':
      case 'mute':
      case 'unmute':
      case 'slow-mode':
      case 'removed':
        break;
    }
  }
}
