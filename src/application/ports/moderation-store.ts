import type { UserId } from '../../domain/ids.ts';
import type { ModerationOrder } from '../../domain/moderation.ts';
import type { ConversationKey } from '../../domain/place.ts';

/** An order with its number. */
export interface StoredOrder {
  /** 1, 2, 3, ... over all servers. */
  readonly seq: number;
  /** Null for an order of a kind that this version does not know: a newer server wrote it. */
  readonly order: ModerationOrder | null;
  /** Name of the administrator who gave it. */
  readonly admin: string;
  /** When it was given, in milliseconds since 1970. */
  readonly at: number;
}

/**
 * The orders of administrators in one sequence over all servers, and the turns of slow mode. The
 * suite is `test/contracts/moderation-store.ts`.
 *
 * **Order.** `append` gives the next number. An order becomes visible after all orders with smaller
 * numbers. So a server that reads the orders after the last number that it knows misses none.
 *
 * **Durability.** An order whose `append` resolved survives a crash of this server and of the
 * database. After a rejection, the order may be stored all the same. Orders say what shall be, so
 * giving one again is safe.
 *
 * **Removal.** An order is removed when a later one of the same subject (`subjectOf`) is stored, or
 * some time, at least a day, after its end (`endOf`), or by `forgetUser`. The newest order is never
 * removed, and no number is given twice. All orders that are left, read in their sequence, give the
 * same state as all orders that were ever given.
 *
 * All methods reject with `Refusal`: `try-again` if the store does not answer in time,
 * `store-failed` if it refuses.
 */
export interface ModerationStore {
  /** Stores an order. Resolves to its number. */
  append(order: ModerationOrder, admin: string): Promise<number>;
  /** The orders after number `after` in their sequence, at most `limit`. */
  ordersAfter(after: number, limit: number): Promise<StoredOrder[]>;
  /**
   * Takes the turn of a user in a place: at most one in `intervalMs`, over all servers. Resolves to
   * 0 when the turn is theirs, otherwise to the milliseconds until the next one. Of several calls
   * at the same time, one gets the turn.
   * @param intervalMs at most `MAX_SLOW_MODE_SECONDS`
   */
  takeTurn(place: ConversationKey, userId: UserId, intervalMs: number): Promise<number>;
  /**
   * Takes a user who is erased out of the orders and turns: `withoutPerson`. Their ban stays, with
   * its number and without its reason. Resolves to the number of orders and turns that it changed,
   * so 0 says that none was left.
   */
  forgetUser(userId: UserId): Promise<number>;
  /** The number of orders and turns that `forgetUser` would change now. Changes nothing. */
  entriesOf(userId: UserId): Promise<number>;
}
