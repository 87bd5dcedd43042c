import type { ModerationStore, StoredOrder } from '../../application/ports/moderation-store.ts';
import type { UserId } from '../../domain/ids.ts';
import { endOf, type ModerationOrder, subjectOf, tellsOf, withoutPerson } from '../../domain/moderation.ts';
import type { ConversationKey } from '../../domain/place.ts';

/** An order is kept for this long after its end. */
const KEPT_MS = 24 * 60 * 60 * 1000;

/**
 * Orders and turns in the memory of one process. Servers in one process can share it. Everything is
 * gone after a restart.
 */
export class MemoryModerationStore implements ModerationStore {
  readonly #now: () => number;
  #orders: StoredOrder[] = [];
  readonly #turns = new Map<string, number>();

  /** @param parts `now`: milliseconds since 1970; default: the system's clock */
  constructor(parts: { readonly now?: () => number } = {}) {
    this.#now = parts.now ?? Date.now;
  }

  async append(order: ModerationOrder, admin: string): Promise<number> {
    const now = this.#now();
    const seq = (this.#orders.at(-1)?.seq ?? 0) + 1;
    const subject = subjectOf(order);
    const kept = this.#orders.filter((known) => {
      const end = known.order === null ? null : endOf(known.order, known.at);
      return (end === null || end >= now - KEPT_MS) && (known.order === null || subjectOf(known.order) !== subject);
    });
    this.#orders = [...kept, { seq, order, admin, at: now }];
    return seq;
  }

  async ordersAfter(after: number, limit: number): Promise<StoredOrder[]> {
    return this.#orders.filter(({ seq }) => seq > after).slice(0, limit);
  }

  async takeTurn(place: ConversationKey, userId: UserId, intervalMs: number): Promise<number> {
    const key = `${place}/${userId}`;
    const now = this.#now();
    const last = this.#turns.get(key);
    // A turn in the future is one from before the clock was set back.
    if (last !== undefined && last <= now && last + intervalMs > now) return last + intervalMs - now;
    this.#turns.set(key, now);
    return 0;
  }

  async entriesOf(userId: UserId): Promise<number> {
    const orders = this.#orders.filter(({ order }) => order !== null && tellsOf(userId, order));
    return this.#turnsOf(userId).length + orders.length;
  }

  async forgetUser(userId: UserId): Promise<number> {
    const turns = this.#turnsOf(userId);
    for (const key of turns) this.#turns.delete(key);
    let changed = turns.length;
    this.#orders = this.#orders.map((stored) => {
      if (stored.order === null || !tellsOf(userId, stored.order)) return stored;
      changed += 1;
      return { ...stored, order: withoutPerson(stored.order) };
    });
    return changed;
  }

  #turnsOf(userId: UserId): string[] {
    return [...this.#turns.keys()].filter((key) => key.endsWith(`/${userId}`));
  }
}
