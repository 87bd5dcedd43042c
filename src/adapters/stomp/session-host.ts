import type { Application } from '../../application/application.ts';
import type { Clock } from '../../application/ports/clock.ts';
import type { IdSource } from '../../application/ports/id-source.ts';
import type { Spans } from '../../application/ports/spans.ts';
import type { Telemetry } from '../../application/ports/telemetry.ts';
import type { SharedFrame } from '../transport/shared-frame.ts';
import type { Allowance } from './budget.ts';
import type { DecoderLimits } from './decoder.ts';
import type { Sweep } from './heart-beats.ts';
import type { SubscriptionHost } from './subscription.ts';

/** Limits of one connection, from the `LIMIT_...` variables. */
export interface StompLimits {
  /** Bytes of a whole frame. */
  readonly frameBytes: number;
  /** Bytes of the headers of a frame, and of the whole CONNECT frame. */
  readonly headerBytes: number;
  readonly subscriptions: number;
  /** Seconds from the start of the connection to CONNECT. */
  readonly connectSeconds: number;
  /**
   * Bytes that may wait for one connection. A connection with more than half of them waiting counts
   * as slow.
   */
  readonly outgoingBytes: number;
  /** Messages of one user. Infinity: rates are not limited. */
  readonly messagesPerSecond: number;
  /** Objects and lists within each other in a JSON body. */
  readonly jsonDepth: number;
}

/** The parts that all sessions of one endpoint share. */
export interface SessionHost extends SubscriptionHost {
  readonly application: Application;
  readonly telemetry: Telemetry;
  readonly ids: IdSource;
  readonly limits: StompLimits;
  /** Limits of frames before CONNECT. */
  readonly connectLimits: DecoderLimits;
  /** Limits of frames after CONNECT. */
  readonly frameLimits: DecoderLimits;
  /** Frames of all kinds that a connection may send. */
  readonly frameAllowance: Allowance;
  readonly sweep: Sweep;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Null: nothing is traced. */
  readonly spans: Spans | null;
  /** A heart-beat of the server. */
  readonly beatFrame: SharedFrame;
}
