import type { Stored } from '../../application/application.ts';
import type { Accepted, Caller } from '../../application/commands.ts';
import { asRefusal, Refusal } from '../../domain/errors.ts';
import { isCommunity } from '../../domain/place.ts';
import type { Connection, ConnectionListener } from '../transport/connection.ts';
import { connectedFrame, errorFrame, type Numbered, receiptFrame, refusalBody } from './answers.ts';
import { readConnect } from './connect-headers.ts';
import type { Frame } from './decoder.ts';
import { escapeHeader } from './escaping.ts';
import type { Beats, Swept } from './heart-beats.ts';
import { dispatch, newToken, TOKEN_DESTINATION } from './inbound.ts';
import { type FrameHandler, Inbox } from './inbox.ts';
import type { SessionHost } from './session-host.ts';
import { NO_SUBSCRIPTIONS, SessionSubscriptions } from './session-subscriptions.ts';
import { type Headers, lastSeqOf, ownCopy, placeOf, requiredHeader, subscriptionId } from './subscribe-headers.ts';
import { type Subscriber, Subscription } from './subscription.ts';
import type { StompVersion } from './version.ts';

/** Where a client hears of its own refusals; never leaves the connection. */
export const ERRORS_DESTINATION = '/user/queue/errors';

const NO_BEATS: Beats = { sendEvery: 0, patience: 0 };
const NOBODY: Caller = { userId: 0, account: '', token: '', expiresAt: Number.POSITIVE_INFINITY };

/** Seconds that a client has to close after the RECEIPT of its DISCONNECT. */
const FAREWELL_SECONDS = 3;
/** A client with more refusals than this, each second forgiving some, is closed. */
const MOST_REFUSALS = 1_000;
const FORGIVEN_A_SECOND = 10;
/** Seconds whose frames may come at once. */
const FRAME_SECONDS = 10;

type Phase = 'stranger' | 'connected' | 'leaving' | 'over';

/** A command that was let in: a SEND of what is stored, a SUBSCRIBE, or anything else. */
type Admitted = Accepted<Stored> | Accepted<{ readonly seq: number }> | Accepted<void>;

/** What an answer to a command refers to. */
interface Asked {
  readonly receipt: string | null;
  /** The id of a SUBSCRIBE as the client gave it. */
  readonly id: string | null;
  readonly subscription: Subscription | null;
}

/**
 * One client's STOMP session. Frames are handled strictly in order: the next one is decoded only once the one before it has its place in the
 * application's order. What a command comes to (receipt or refusal) may be told later.
 */
export class Session implements ConnectionListener, FrameHandler, Subscriber, Swept {
  readonly connection: Connection;
  readonly baseUrl: string;
  caller: Caller = NOBODY;
  sentTick: number;
  readonly #host: SessionHost;
  readonly #inbox: Inbox;
  #phase: Phase = 'stranger';
  #version: StompVersion = '1.2';
  #id = '';
  #beats = NO_BEATS;
  /** When the connection began; since CONNECT, when it last said something; while leaving, when it was told good-bye. */
  #heardTick: number;
  #refusals = 0;
  #frames = 0;
  /** How the server ends the session once all is settled. */
  #parting: { readonly code: number; readonly reason: string } | null = null;
  /** The receipt that DISCONNECT asked for. */
  #farewell: string | null = null;
  #subscriptions: SessionSubscriptions | null = null;

  constructor(connection: Connection, baseUrl: string, host: SessionHost) {
    this.connection = connection;
    this.baseUrl = baseUrl;
    this.#host = host;
    this.#inbox = new Inbox(connection, this, host.strangerLimits);
    this.#heardTick = host.sweep.tick;
    this.sentTick = host.sweep.tick;
    host.sweep.add(this);
  }

  onMessage(message: string | Buffer): void {
    if (!this.takesFrames) return;
    if (this.#phase === 'connected') this.#heardTick = this.#host.sweep.tick;
    this.#inbox.push(message);
  }

  onClose(): void {
    this.#end();
  }

  /** Takes no frame more, tells what the ones before come to, and then ends the session without an ERROR. */
  drain(code: number, reason: string): void {
    if (this.#phase === 'over') return;
    this.#phase = 'leaving';
    this.#parting = { code, reason };
    this.#sayFarewell();
  }

  /** Ends the session without an ERROR. */
  close(code: number, reason: string): void {
    this.connection.close(code, reason);
    this.#end();
  }

  ended(subscription: Subscription): void {
    this.#subscriptions?.forget(subscription);
  }

  sweep(now: number): void {
    const { tick } = this.#host.sweep;
    const silence = tick - this.#heardTick;
    this.#frames = Math.max(0, this.#frames - this.#host.framesPerSecond);
    if (this.#refusals > 0) this.#refusals = Math.max(0, this.#refusals - FORGIVEN_A_SECOND);
    if (this.#phase === 'stranger') {
      if (silence > this.#host.limits.connectSeconds) this.#fail(new Refusal('no-token', 'no CONNECT came in time'));
    } else if (this.#phase === 'leaving') {
      if (this.#farewell === null && silence > FAREWELL_SECONDS) this.close(1000, '');
    } else if (this.caller.expiresAt <= now) {
      this.#fail(new Refusal('bad-token', 'the token has expired'));
    } else if (this.#beats.patience > 0 && silence > this.#beats.patience && !this.#inbox.isBlocked) {
      this.close(1002, 'no heart-beat');
    } else if (this.#beats.sendEvery > 0 && tick - this.sentTick >= this.#beats.sendEvery) {
      this.sentTick = tick;
      this.connection.sendShared(this.#host.beatFrame);
    }
  }

  get takesFrames(): boolean {
    return this.#phase === 'stranger' || this.#phase === 'connected';
  }

  failed(error: unknown): void {
    this.#fail(this.#known(error));
  }

  overrun(): void {
    this.close(1008, 'too many frames waiting');
  }

  /** @throws Refusal for what ends the connection */
  handle(frame: Frame): Promise<void> | undefined {
    const { command, headers } = frame;
    this.#frames += 1;
    if (this.#frames > FRAME_SECONDS * this.#host.framesPerSecond) throw new Refusal('too-fast', 'too many frames');
    if (command === 'CONNECT' || command === 'STOMP') {
      this.#connect(headers);
      return undefined;
    }
    if (this.#phase === 'stranger') throw new Refusal('no-token', 'the first frame must be CONNECT');
    const receipt = headers.get('receipt') ?? null;
    if (headers.has('transaction')) {
      this.#fail(new Refusal('bad-input', 'transactions are not supported'), receipt);
      return undefined;
    }
    switch (command) {
      case 'SEND':
        return this.#send(frame, receipt);
      case 'SUBSCRIBE':
        return this.#subscribe(headers, receipt);
      case 'UNSUBSCRIBE':
        this.#subscriptions?.end(this.#wireId(subscriptionId(headers, this.#version)));
        break;
      case 'ACK':
      case 'NACK':
        // Nothing is ever sent that waits for them.
        break;
      case 'DISCONNECT':
        this.#disconnect(receipt);
        return undefined;
      default:
        throw new Refusal('bad-input', 'there is no such command');
    }
    this.#receipt(receipt, null);
    return undefined;
  }

  #connect(headers: Headers): void {
    if (this.#phase !== 'stranger') throw new Refusal('bad-input', 'this connection has had its CONNECT');
    const { version, beats, token, claimedUserId } = readConnect(headers, this.connection.protocol);
    const sessionId = this.#host.ids.secret();
    this.caller = this.#host.application.userConnected({ sessionId, token, claimedUserId });
    this.#id = sessionId;
    this.#version = version;
    this.#beats = beats;
    this.#phase = 'connected';
    this.#heardTick = this.#host.sweep.tick;
    this.#inbox.speak(version, this.#host.frameLimits);
    this.#write(connectedFrame(version));
  }

  #send({ headers, body }: Frame, receipt: string | null): Promise<void> | undefined {
    const destination = requiredHeader(headers, 'destination');
    const { application, limits } = this.#host;
    const asked: Asked = { receipt, id: null, subscription: null };
    try {
      if (destination === TOKEN_DESTINATION) {
        const token = ownCopy(newToken(body, limits.jsonDepth));
        this.caller = application.refreshToken(this.#id, this.caller, token);
        this.#receipt(receipt, null);
        return undefined;
      }
      const sender = { caller: this.caller, sessionId: this.#id };
      return this.#admit(dispatch(application, sender, destination, body, limits.jsonDepth), asked);
    } catch (error) {
      this.#refuse(error, asked);
      return undefined;
    }
  }

  #subscribe(headers: Headers, receipt: string | null): Promise<void> | undefined {
    const destination = requiredHeader(headers, 'destination');
    const id = subscriptionId(headers, this.#version);
    const wireId = this.#wireId(id);
    this.#subscriptions ??= new SessionSubscriptions();
    if (this.#subscriptions.has(wireId)) {
      this.#fail(new Refusal('bad-input', 'this subscription id is in use'), receipt);
      return undefined;
    }
    let asked: Asked = { receipt, id, subscription: null };
    try {
      this.#subscriptions.checkRoom(this.#host.limits.subscriptions);
      if (destination === ERRORS_DESTINATION) {
        this.#subscriptions.addErrors(wireId);
        this.#receipt(receipt, null);
        return undefined;
      }
      const place = placeOf(destination);
      const lastSeq = lastSeqOf(headers);
      const subscription = new Subscription(this, ownCopy(wireId), place, this.#host);
      this.#subscriptions.add(subscription);
      asked = { receipt, id, subscription };
      const request = { place, lastSeq, sink: subscription };
      return this.#admit(this.#host.application.subscribe(this.caller, request), asked);
    } catch (error) {
      this.#refuse(error, asked);
      return undefined;
    }
  }

  /** Goes on at once where the command has its place in the order already. */
  #admit(admitted: Admitted | Promise<Admitted>, asked: Asked): Promise<void> | undefined {
    if (!(admitted instanceof Promise)) {
      this.#follow(admitted, asked);
      return undefined;
    }
    return admitted.then(
      (accepted) => {
        this.#follow(accepted, asked);
      },
      (error: unknown) => this.#refuse(error, asked),
    );
  }

  /** Tells the client, once it is known, what its command came to. */
  async #follow(accepted: Admitted, asked: Asked): Promise<void> {
    this.#inbox.begun();
    try {
      const outcome = await accepted.result;
      this.#receipt(asked.receipt, numbered(typeof outcome === 'object' ? outcome : null, asked.subscription));
    } catch (error) {
      this.#refuse(error, asked);
    }
    this.#inbox.settled();
    if (this.#phase === 'leaving') this.#sayFarewell();
  }

  #wireId(id: string): string {
    return escapeHeader(id, this.#version);
  }

  #disconnect(receipt: string | null): void {
    if (receipt === null) {
      this.close(1000, '');
      return;
    }
    this.#phase = 'leaving';
    this.#farewell = receipt;
    this.#sayFarewell();
  }

  #sayFarewell(): void {
    if (!this.#inbox.isSettled) return;
    if (this.#parting !== null) {
      this.close(this.#parting.code, this.#parting.reason);
      return;
    }
    this.#heardTick = this.#host.sweep.tick;
    this.#receipt(this.#farewell, null);
    this.#farewell = null;
  }

  #receipt(receipt: string | null, outcome: Numbered | null): void {
    if (receipt !== null) this.#write(receiptFrame(this.#version, receipt, outcome));
  }

  #refuse(error: unknown, { receipt, id, subscription }: Asked): void {
    if (this.#phase === 'over') return;
    if (subscription?.isOver === true) {
      // It was ended meanwhile: there is nothing left to refuse.
      this.#receipt(receipt, null);
      return;
    }
    if (subscription !== null) this.#subscriptions?.end(subscription.wireId);
    const refusal = this.#known(error);
    const { counts, messages, sweep } = this.#host;
    const { errorIds } = this.#subscriptions ?? NO_SUBSCRIPTIONS;
    counts.refused += 1;
    this.#refusals += 1;
    if (this.#refusals > MOST_REFUSALS) {
      this.#fail(new Refusal('too-fast', 'too many refused frames'));
    } else if (errorIds.length > 0) {
      const frames = messages.notice(ERRORS_DESTINATION, { json: refusalBody(refusal, receipt, id), seq: null });
      this.sentTick = sweep.tick;
      for (const wireId of errorIds) this.connection.send(frames.text(wireId));
    } else if (receipt !== null) {
      this.#fail(refusal, receipt);
    } else {
      counts.unheard += 1;
    }
  }

  #fail(refusal: Refusal, receipt: string | null = null): void {
    if (this.#phase === 'over') return;
    this.#write(errorFrame(this.#version, refusal, receipt));
    this.close(1002, refusal.message);
  }

  #write(text: string): void {
    this.sentTick = this.#host.sweep.tick;
    this.connection.send(text);
  }

  #known(error: unknown): Refusal {
    if (!(error instanceof Refusal)) {
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#host.telemetry.log('error', 'a frame failed', { reason, userId: this.caller.userId });
    }
    return asRefusal(error);
  }

  #end(): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#host.sweep.drop(this);
    this.#inbox.release();
    this.#subscriptions?.endAll();
    if (this.#id !== '') this.#host.application.userDisconnected(this.#id);
  }
}

/** What a receipt may tell: nothing of a community, which has no numbers, or of a subscription that ended on the way. */
function numbered(outcome: Numbered | null, of: Subscription | null): Numbered | null {
  const isSilent = of !== null && (of.isOver || isCommunity(of.place));
  return isSilent ? null : outcome;
}
