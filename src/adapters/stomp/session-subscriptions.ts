import { Refusal } from '../../domain/errors.ts';
import type { Subscription } from './subscription.ts';

/** The subscriptions of one connection, by their ids as frames show them. Few as a rule, so lists are searched. */
export class SessionSubscriptions {
  #topics: Subscription[] = [];
  /** Ids under which the client hears of its own refusals. */
  #errorIds: readonly string[] = [];

  get errorIds(): readonly string[] {
    return this.#errorIds;
  }

  has(wireId: string): boolean {
    return this.#errorIds.includes(wireId) || this.#topics.some((topic) => topic.wireId === wireId);
  }

  /** @throws Refusal `too-fast` */
  checkRoom(most: number): void {
    if (this.#topics.length + this.#errorIds.length < most) return;
    throw new Refusal('too-fast', `a connection may have ${most} subscriptions`);
  }

  add(subscription: Subscription): void {
    this.#topics.push(subscription);
  }

  addErrors(wireId: string): void {
    this.#errorIds = [...this.#errorIds, wireId];
  }

  /** Ends a subscription; does nothing where there is none of that id. */
  end(wireId: string): void {
    if (this.#errorIds.includes(wireId)) this.#errorIds = this.#errorIds.filter((id) => id !== wireId);
    const subscription = this.#topics.find((topic) => topic.wireId === wireId);
    subscription?.end();
    if (subscription !== undefined) this.forget(subscription);
  }

  /** One that ended by itself: its id is free again. */
  forget(subscription: Subscription): void {
    const index = this.#topics.indexOf(subscription);
    if (index >= 0) this.#topics.splice(index, 1);
  }

  endAll(): void {
    for (const subscription of this.#topics) subscription.end();
    this.#topics = [];
    this.#errorIds = [];
  }
}

/** What a session has that subscribed to nothing yet. */
export const NO_SUBSCRIPTIONS: Pick<SessionSubscriptions, 'errorIds' | 'has'> = { errorIds: [], has: () => false };
