import type { UserId } from '../domain/ids.ts';

/** Who asks, proven by a token. */
export interface Caller {
  readonly userId: UserId;
  /** Account name of the token. */
  readonly account: string;
  /** The token itself: some questions to the community service are asked in the user's name. */
  readonly token: string;
  /** When the token ends, milliseconds since 1970. */
  readonly expiresAt: number;
}

export type MaybePromise<T> = T | Promise<T>;

/**
 * A command that was let in and has its place in the order; what it comes to is told later. A refusal of the command itself is thrown (or rejected) before there is an
 * `Accepted`. A caller who keeps an order of his own (a STOMP session) waits for the `Accepted`, not for `result`, before he gives the next command.
 */
export interface Accepted<T> {
  /** Rejects with a Refusal. */
  readonly result: Promise<T>;
}

export type Command<Input, Output> = (caller: Caller, input: Input) => MaybePromise<Accepted<Output>>;
export type Query<Input, Output> = (caller: Caller, input: Input) => Promise<Output>;

/**
 * Calls `next` with the value: now if the value is at hand, otherwise when the promise resolves. A value at hand costs no turn of
 * the event loop and keeps its place in the caller's order.
 */
export function whenReady<A, B>(value: MaybePromise<A>, next: (value: A) => MaybePromise<B>): MaybePromise<B> {
  return value instanceof Promise ? value.then(next) : next(value);
}
