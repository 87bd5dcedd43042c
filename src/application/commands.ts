import type { MessageId, UserId } from '../domain/ids.ts';

/** The user who gives a command, proven by a token. */
export interface Caller {
  readonly userId: UserId;
  /** The token itself. Some requests to the community service are made in the user's name. */
  readonly token: string;
  /** Time at which the token expires, in milliseconds since 1970. */
  readonly expiresAt: number;
}

/** The result of a command that stores an event: the event's number, and the id of the message
 * that it creates or changes. */
export interface Stored {
  readonly seq: number;
  readonly id: MessageId;
}

/** A value that may be at hand already. See {@link whenReady}. */
export type MaybePromise<T> = T | Promise<T>;

/**
 * A command that was accepted: its position in the order is fixed, and its result comes later. A
 * command that is not permitted throws or rejects before there is an `Accepted`.
 *
 * An inbound adapter that keeps the order of its commands (a STOMP session) waits for the
 * `Accepted` before it gives the next command. It does not wait for `result`.
 */
export interface Accepted<T> {
  /** Rejects with a Refusal when the command failed after it was accepted. */
  readonly result: Promise<T>;
}

export type Command<Input, Output> = (caller: Caller, input: Input) => MaybePromise<Accepted<Output>>;
export type Query<Input, Output> = (caller: Caller, input: Input) => Promise<Output>;

/**
 * Calls `next` with the value: now if the value is at hand, otherwise when the promise resolves. A
 * value at hand costs no turn of the event loop and keeps its place in the caller's order.
 */
export function whenReady<A, B>(value: MaybePromise<A>, next: (value: A) => MaybePromise<B>): MaybePromise<B> {
  return value instanceof Promise ? value.then(next) : next(value);
}
