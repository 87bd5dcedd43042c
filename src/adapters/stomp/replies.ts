import type { Span } from '../../application/ports/spans.ts';
import { asRefusal, Refusal } from '../../domain/errors.ts';
import { isCommunity, type PlaceKey } from '../../domain/place.ts';
import { refusalNumber } from '../transport/refusal-codes.ts';
import { connectedFrame, errorFrame, type ReceiptNumbers, receiptFrame, refusalBody } from './answers.ts';
import { type Allowance, Budget } from './budget.ts';
import { type CloseCause, causeOfRefusal } from './counts.ts';
import type { FrameFacts } from './decoder.ts';
import { ERRORS_DESTINATION } from './destinations.ts';
import type { SessionHost } from './session-host.ts';
import type { Subscriber, Subscription } from './subscription.ts';
import type { StompVersion } from './version.ts';

/** Refused commands before a connection is closed. */
const REFUSALS: Allowance = { max: 1_000, perSecond: 10 };

/** The session whose client gets the replies. */
export interface RepliesOwner extends Pick<Subscriber, 'connection' | 'caller' | 'shownId' | 'sentTick' | 'ended'> {
  /** True once a CONNECT was accepted. */
  readonly isConnected: boolean;
  /** True once the session has ended. */
  readonly isOver: boolean;
  /** Ids of the subscriptions to {@link ERRORS_DESTINATION}. */
  readonly errorIds: readonly string[];
  /** Ends the session. */
  close(code: number, reason: string, cause: CloseCause): void;
}

/** A command whose reply is still due. */
export interface PendingCommand extends FrameFacts {
  /** The `id` header of a SUBSCRIBE. */
  readonly id: string | null;
  /** The subscription that a SUBSCRIBE created, otherwise null. */
  readonly subscription: Subscription | null;
  /**
   * Monotonic time at which a SEND was read, in milliseconds. Null: the time to the receipt is not
   * measured.
   */
  readonly readAt: number | null;
  /** The place of a SEND; known only while somebody traces. */
  readonly place?: PlaceKey | null;
  /** The span of a SEND that is traced. It ends with the reply. */
  readonly span?: Span;
}

/**
 * The answers of a session to its client: CONNECTED, RECEIPT, refusals, and the ERROR that ends the
 * session.
 */
export class Replies {
  readonly #owner: RepliesOwner;
  readonly #host: SessionHost;
  readonly #refusals = new Budget(REFUSALS);
  #version: StompVersion = '1.2';

  constructor(owner: RepliesOwner, host: SessionHost) {
    this.#owner = owner;
    this.#host = host;
  }

  /** Answers CONNECT. Later replies are written in this version. */
  connected(version: StompVersion): void {
    this.#version = version;
    const { counts } = this.#host;
    counts.connects.add('ok');
    counts.sent.connected += 1;
    this.#write(connectedFrame(version));
  }

  /**
   * Answers a command that succeeded. A community has no numbers, and a subscription that has ended
   * meanwhile gets none.
   */
  succeed({ receipt, subscription, readAt, span }: PendingCommand, numbers: ReceiptNumbers | null): void {
    span?.end();
    const hasNone = subscription !== null && (subscription.isOver || isCommunity(subscription.place));
    this.receipt(receipt, hasNone ? null : numbers);
    // Only a stored event has numbers.
    if (readAt === null || receipt === null || numbers === null) return;
    const { clock, counts } = this.#host;
    counts.receipts.observe((clock.monotonic() - readAt) / 1_000);
  }

  /** Answers a frame that asked for a receipt; does nothing for null. */
  receipt(receipt: string | null, numbers: ReceiptNumbers | null = null): void {
    if (receipt === null) return;
    this.#host.counts.sent.receipt += 1;
    this.#write(receiptFrame(this.#version, receipt, numbers));
  }

  /**
   * Reports a refused command and ends its subscription. The report goes to the client's error
   * subscriptions, otherwise into an ERROR if the command asked for a receipt. A refusal that can
   * be reported neither way is only counted.
   */
  refuse(error: unknown, command: PendingCommand): void {
    const { receipt, id, subscription, span } = command;
    span?.end(error instanceof Refusal ? error.code : 'internal');
    if (this.#owner.isOver) return;
    if (subscription?.isOver === true) {
      // The client or a removal ended the subscription meanwhile. There is nothing left to refuse.
      this.receipt(receipt);
      return;
    }
    if (subscription !== null) {
      subscription.end();
      this.#owner.ended(subscription);
    }
    const refusal = this.#refusalOf(error);
    const { counts, messages, sweep, telemetry } = this.#host;
    const { connection, errorIds } = this.#owner;
    const place = subscription?.place ?? command.place ?? null;
    counts.refused.add(refusal.code);
    this.#watched(refusal, place);
    telemetry.log('debug', 'a frame was refused', {
      userId: this.#owner.caller.userId,
      code: refusalNumber(refusal.code),
      reason: refusal.code,
      place,
    });
    if (!this.#refusals.spend()) {
      this.#end(
        new Refusal('too-fast', `too many refused frames; the limit is ${REFUSALS.perSecond} a second`),
        command,
      );
    } else if (errorIds.length > 0) {
      const frames = messages.notice(ERRORS_DESTINATION, { json: refusalBody(refusal, receipt, id), seq: null });
      this.#owner.sentTick = sweep.tick;
      counts.sent.refusal += errorIds.length;
      for (const wireId of errorIds) connection.send(frames.text(wireId));
    } else if (receipt !== null) {
      this.#end(refusal, command);
    } else {
      counts.unheard += 1;
    }
  }

  /**
   * Sends ERROR and ends the session. The log line shows an operator which client keeps sending a
   * frame that can never be accepted. The refusal's message is left out, because it may quote
   * content.
   * @param frame the frame at fault; null: the ERROR answers no frame
   */
  fail(error: unknown, frame: FrameFacts | null = null): void {
    const refusal = this.#refusalOf(error);
    if (this.#owner.isOver) return;
    this.#watched(refusal, null);
    this.#end(refusal, frame);
  }

  #end(refusal: Refusal, frame: FrameFacts | null): void {
    const { counts, telemetry } = this.#host;
    counts.errors.add(refusal.code);
    counts.sent.error += 1;
    if (!this.#owner.isConnected) counts.connects.add(refusal.code);
    if (frame !== null) {
      const { userId } = this.#owner.caller;
      // Before CONNECT, anybody can cause such lines.
      telemetry.log(userId === 0 ? 'info' : 'warn', 'a frame was answered by ERROR, and the connection closed', {
        userId,
        code: refusalNumber(refusal.code),
        bytes: frame.bytes,
      });
    }
    this.#write(errorFrame(this.#version, refusal, frame?.receipt ?? null));
    this.#owner.close(1002, refusal.message, causeOfRefusal(refusal.code));
  }

  /** To be called once a second. */
  sweep(): void {
    this.#refusals.refill();
  }

  #watched({ code }: Refusal, place: PlaceKey | null): void {
    const { caller, shownId } = this.#owner;
    this.#host.watch.watcher?.saw({
      step: 'refused',
      userId: caller.userId,
      session: shownId,
      place,
      code: refusalNumber(code),
      reason: code,
    });
  }

  #write(text: string): void {
    this.#owner.sentTick = this.#host.sweep.tick;
    this.#owner.connection.send(text);
  }

  #refusalOf(error: unknown): Refusal {
    if (!(error instanceof Refusal)) {
      this.#host.telemetry.log('error', 'a frame failed', { userId: this.#owner.caller.userId, error });
    }
    return asRefusal(error);
  }
}
