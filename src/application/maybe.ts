import type { MaybePromise } from './commands.ts';

/**
 * Goes on with what is ready at once, or when it is: what is known already costs no turn of the event loop, and keeps its place in a caller's
 * order. (Not named `then`: a module that exports that is taken for a promise by whoever imports it dynamically.)
 */
export function after<A, B>(value: MaybePromise<A>, next: (value: A) => MaybePromise<B>): MaybePromise<B> {
  return value instanceof Promise ? value.then(next) : next(value);
}
