import type { Application } from '../../application/application.ts';
import type { IdSource } from '../../application/ports/id-source.ts';
import type { Telemetry } from '../../application/ports/telemetry.ts';
import type { SharedFrame } from '../transport/shared-frame.ts';
import type { Counts } from './counts.ts';
import type { DecoderLimits } from './decoder.ts';
import type { Sweep } from './heart-beats.ts';
import type { SubscriptionHost } from './subscription.ts';

/** Limits of one connection. From the `LIMIT_...` variables. */
export interface StompLimits {
  /** Bytes of a whole frame. */
  readonly frameBytes: number;
  /** Bytes of a frame's headers, and of the whole CONNECT frame. */
  readonly headerBytes: number;
  readonly subscriptions: number;
  /** Seconds from the connection's beginning to CONNECT. */
  readonly connectSeconds: number;
  /** Bytes that may wait for one connection; over half of it counts as slow. */
  readonly outgoingBytes: number;
  /** A user's sends; Infinity where rates are lifted. */
  readonly messagesPerSecond: number;
  /** Objects and lists in each other in a body. */
  readonly jsonDepth: number;
}

/** What the sessions of one endpoint share. */
export interface SessionHost extends SubscriptionHost {
  readonly application: Application;
  readonly telemetry: Telemetry;
  readonly ids: IdSource;
  readonly limits: StompLimits;
  /** Before CONNECT. */
  readonly strangerLimits: DecoderLimits;
  readonly frameLimits: DecoderLimits;
  /** Frames a second that a connection may send in the long run, ten seconds' worth at once. */
  readonly framesPerSecond: number;
  readonly counts: Counts;
  readonly sweep: Sweep;
  readonly beatFrame: SharedFrame;
}
