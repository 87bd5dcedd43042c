import type { MessageId, UserId } from './ids.ts';
import type { PlaceKey } from './place.ts';

/** The user or the place that a trace follows. */
export type TraceSubject =
  | { readonly kind: 'user'; readonly userId: UserId }
  | { readonly kind: 'place'; readonly place: PlaceKey };

/**
 * The steps of a trace:
 *
 * - `connected`, `disconnected`: a session of the user began or ended
 * - `sent`: a client sent a frame or an upload
 * - `asked`: a client made an HTTP call that only reads
 * - `refused`: the server refused what a client sent or asked
 * - `stored`: a server stored an event
 * - `delivered`: a server handed a frame to a client, or to the subscriptions of the place
 * - `skipped`: a slow client did not get an event of low value
 * - `replayed`: a client that resumed got a stored event
 */
export const TRACE_STEPS = [
  ...(['connected', 'disconnected', 'sent', 'asked', 'refused'] as const),
  ...(['stored', 'delivered', 'skipped', 'replayed'] as const),
] as const;

/** A step of a trace: ids and kinds, never texts. A field is null where it does not apply. */
export interface TraceStep {
  /** In milliseconds since 1970, by the clock of the server. */
  readonly time: number;
  readonly step: (typeof TRACE_STEPS)[number];
  /** Kind of the frame, event or call. */
  readonly kind: string | null;
  /** The user who acted, or who got the frame. */
  readonly userId: UserId | null;
  /** The beginning of the session's id, as it stands in log lines. */
  readonly session: string | null;
  readonly place: PlaceKey | null;
  /** Number of the event in its place. */
  readonly seq: number | null;
  readonly messageId: MessageId | null;
  /** The user who caused the event. */
  readonly author: UserId | null;
  /** Number of the refusal, or the close code. */
  readonly code: number | null;
  /** Name of the refusal, or why the connection ended. */
  readonly reason: string | null;
  /** Number of subscriptions on this server that got the event. */
  readonly count: number | null;
}

const EMPTY: Omit<TraceStep, 'time' | 'step'> = {
  kind: null,
  userId: null,
  session: null,
  place: null,
  seq: null,
  messageId: null,
  author: null,
  code: null,
  reason: null,
  count: null,
};

/** A step as its observer knows it. The missing fields are null. */
export type SeenStep = Pick<TraceStep, 'step'> & Partial<Omit<TraceStep, 'time'>>;

export function traceStep(seen: SeenStep, time: number): TraceStep {
  const { step, ...fields } = seen;
  return { time, step, ...EMPTY, ...fields };
}
