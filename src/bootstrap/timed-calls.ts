import type { LabelledDistributions } from '../adapters/support/figures.ts';
import type { FileStore } from '../application/ports/file-store.ts';
import type { MemberCache } from '../application/ports/member-cache.ts';
import type { MessageBus } from '../application/ports/message-bus.ts';
import type { AppendOutcome, MessageStore } from '../application/ports/message-store.ts';
import type { ModerationStore } from '../application/ports/moderation-store.ts';
import type { Moderator } from '../application/ports/moderator.ts';
import type { Notifier } from '../application/ports/notifier.ts';
import type { Outbox } from '../application/ports/outbox.ts';
import type { ReadMarkers } from '../application/ports/read-markers.ts';
import type { RoomDirectory } from '../application/ports/room-directory.ts';
import type { SessionReporter } from '../application/ports/session-reporter.ts';
import type { UserDirectory } from '../application/ports/user-directory.ts';

/** The names of the methods that return promises. */
type AsyncMethod<T> = {
  [Name in keyof T]: T[Name] extends (...args: never[]) => Promise<unknown> ? Name : never;
}[keyof T] &
  string;

/** The measured calls of each port. */
export const STORE_CALLS: readonly AsyncMethod<MessageStore>[] = [
  ...(['append', 'newest', 'eventsAfter', 'messages', 'history', 'byNonce'] as const),
];
export const OUTBOX_CALLS: readonly AsyncMethod<Outbox>[] = ['unpublished'];
export const MARKER_CALLS: readonly AsyncMethod<ReadMarkers>[] = ['mark', 'markUpTo', 'unread'];
export const MODERATION_CALLS: readonly AsyncMethod<ModerationStore>[] = ['append', 'ordersAfter', 'takeTurn'];
export const MODERATOR_CALLS: readonly AsyncMethod<Moderator>[] = ['check'];
export const FILE_CALLS: readonly AsyncMethod<FileStore>[] = ['put', 'get', 'remove'];
export const BUS_CALLS: readonly AsyncMethod<MessageBus>[] = ['publish'];
export const CACHE_CALLS: readonly AsyncMethod<MemberCache>[] = ['get', 'put', 'add', 'mend'];
export const PRESENCE_CALLS: readonly AsyncMethod<SessionReporter>[] = [
  ...(['login', 'logout', 'moved', 'notLooking', 'voice', 'enterVoice', 'leaveVoice', 'voiceReported'] as const),
];
export const DIRECTORY_CALLS: readonly AsyncMethod<RoomDirectory>[] = [
  ...(['roomMembers', 'communityMembers', 'channel', 'channelsOf', 'placesOf'] as const),
];
export const USER_CALLS: readonly AsyncMethod<UserDirectory>[] = ['profiles'];
export const NOTIFIER_CALLS: readonly AsyncMethod<Notifier>[] = ['notify'];

/** True for the outcomes of an append of which one batch has failed. */
export function hasFailedBatch(outcomes: unknown): boolean {
  return Array.isArray(outcomes) && outcomes.some((outcome: AppendOutcome) => outcome.kind === 'failed');
}

type Method = (...args: unknown[]) => unknown;

/**
 * Returns an adapter of the same port that measures some of its calls, by part, operation and
 * outcome (`ok` or `error`). All other members are those of the given adapter.
 * @param isFailure true for a result that reports a failure without an exception
 */
export function timedCalls<Port extends object>(
  adapter: Port,
  part: string,
  operations: readonly AsyncMethod<Port>[],
  times: LabelledDistributions,
  isFailure: (result: unknown) => boolean = () => false,
): Port {
  const timed = new Map<PropertyKey, Method>(
    operations.map((operation) => {
      const method = adapter[operation] as Method;
      return [operation, (...args) => measured(method.apply(adapter, args), part, operation, times, isFailure)];
    }),
  );
  return new Proxy(adapter, {
    get(target, name) {
      const found = timed.get(name);
      if (found !== undefined) return found;
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      // Methods need the adapter itself as `this`, because it has private fields.
      const bound = (member as Method).bind(target);
      timed.set(name, bound);
      return bound;
    },
  });
}

async function measured(
  call: unknown,
  part: string,
  operation: string,
  times: LabelledDistributions,
  isFailure: (result: unknown) => boolean,
): Promise<unknown> {
  const began = performance.now();
  let outcome = 'error';
  try {
    const result = await call;
    if (!isFailure(result)) outcome = 'ok';
    return result;
  } finally {
    times.observe((performance.now() - began) / 1_000, part, operation, outcome);
  }
}
