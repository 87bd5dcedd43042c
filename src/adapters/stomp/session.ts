import type { Stored } from '../../application/application.ts';
import type { Accepted, Caller } from '../../application/commands.ts';
import type { SessionClient, SessionFacts } from '../../application/ports/session-client.ts';
import type { Span, Spans } from '../../application/ports/spans.ts';
import { Refusal } from '../../domain/errors.ts';
import type { PlaceKey } from '../../domain/place.ts';
import type { Connection, ConnectionListener } from '../transport/connection.ts';
import { quoted } from '../transport/quoted.ts';
import { Budget } from './budget.ts';
import { causeOfEnd, codeLabel } from './close-cause.ts';
import { readConnect } from './connect-headers.ts';
import type { CloseCause } from './counts.ts';
import type { Frame, FrameFacts } from './decoder.ts';
import { ERRORS_DESTINATION, EVENTS_DESTINATION } from './destinations.ts';
import { escapeHeader } from './escaping.ts';
import { type FrameHandler, FrameQueue } from './frame-queue.ts';
import type { HeartBeats, SweepTarget } from './heart-beats.ts';
import { PersonalQueue } from './personal-queue.ts';
import { type PendingCommand, Replies, type RepliesOwner } from './replies.ts';
import { dispatch, newToken, receivedKind, type Sender, TOKEN_DESTINATION } from './send-routes.ts';
import type { SessionHost } from './session-host.ts';
import { SessionSubscriptions } from './session-subscriptions.ts';
import { type Headers, lastSeqOf, ownCopy, placeOf, requiredHeader, subscriptionId } from './subscribe-headers.ts';
import { type Subscriber, Subscription } from './subscription.ts';
import type { StompVersion } from './version.ts';
import { type WatchedSession, watchFrame } from './watched.ts';

const NO_BEATS: HeartBeats = { sendEvery: 0, silenceLimit: 0 };
const NO_IDS: readonly string[] = [];
const NOBODY: Caller = { userId: 0, token: '', expiresAt: Number.POSITIVE_INFINITY };

/** Characters of a session's id in log lines. The whole id is a secret of the server. */
const SHOWN_ID_CHARS = 8;
/** Subscribed places that an operator is shown of one session. */
const MAX_SHOWN_PLACES = 1_000;

/** Seconds that a client has to close the connection after the RECEIPT of its DISCONNECT. */
const DISCONNECT_SECONDS = 3;

/**
 * `new`: before CONNECT. `leaving`: no further frame is handled, but open commands are still
 * answered.
 */
type Phase = 'new' | 'connected' | 'leaving' | 'over';

/**
 * A command that the application accepted: a SEND of a stored event, a SUBSCRIBE, or a command that
 * stores nothing.
 */
type AcceptedCommand = Accepted<Stored> | Accepted<{ readonly seq: number }> | Accepted<void>;

/**
 * The STOMP session of one client.
 *
 * Frames are handled strictly in order. A frame is decoded only after the application has accepted
 * or refused the previous one. The reply to a command (receipt or refusal) may be sent later, when
 * its outcome is known.
 */
export class Session implements ConnectionListener, FrameHandler, RepliesOwner, SessionClient, Subscriber, SweepTarget {
  readonly connection: Connection;
  readonly baseUrl: string;
  caller: Caller = NOBODY;
  sentTick: number;
  readonly #host: SessionHost;
  readonly #frames: FrameQueue;
  readonly #replies: Replies;
  readonly #frameBudget: Budget;
  #phase: Phase = 'new';
  #version: StompVersion = '1.2';
  /** Id of the session in the application; empty before CONNECT. */
  #id = '';
  #beats = NO_BEATS;
  /**
   * Tick of the sweep when the connection began, then when the client last sent something, then
   * when it was asked to leave.
   */
  #heardTick: number;
  /**
   * How the server closes the connection once all commands are settled; null: the client
   * disconnects.
   */
  #finalClose: { readonly code: number; readonly reason: string } | null = null;
  /** The `receipt` header of DISCONNECT, until it is answered. */
  #disconnectReceipt: string | null = null;
  #subscriptions: SessionSubscriptions | null = null;
  /** Listens to the user's personal events while the client subscribes to them. */
  #personal: PersonalQueue | null = null;
  /**
   * Monotonic time at which the frames that are handled now were read, in milliseconds. Frames that
   * came while others had to wait have the time of the first of them.
   */
  #readAt = 0;
  /** The place of the frame that is handled now, while somebody traces. */
  #watchedPlace: PlaceKey | null = null;

  constructor(connection: Connection, baseUrl: string, host: SessionHost) {
    this.connection = connection;
    this.baseUrl = baseUrl;
    this.#host = host;
    this.#frames = new FrameQueue(connection, this, host.connectLimits);
    this.#replies = new Replies(this, host);
    this.#frameBudget = new Budget(host.frameAllowance);
    this.#heardTick = host.sweep.tick;
    this.sentTick = host.sweep.tick;
    host.sweep.add(this);
  }

  onMessage(message: string | Buffer): void {
    if (!this.takesFrames) return;
    if (this.#phase === 'connected') this.#heardTick = this.#host.sweep.tick;
    if (!this.#frames.isBlocked) this.#readAt = this.#host.clock.monotonic();
    this.#frames.push(message);
  }

  onTooLarge(): void {
    const problem = `the message is far over the limit of ${this.#host.limits.frameBytes} bytes for a frame`;
    this.#replies.fail(new Refusal('too-large', problem), { receipt: null, bytes: null });
  }

  onClose(code: number, reason: string): void {
    this.#end(code, causeOfEnd(code, reason));
  }

  /** Handles no further frame, answers the open commands, and then closes without an ERROR. */
  drain(code: number, reason: string): void {
    if (this.isOver) return;
    this.#phase = 'leaving';
    this.#finalClose = { code, reason };
    this.#leaveWhenSettled();
  }

  /** Ends the session without an ERROR. */
  close(code: number, reason: string, cause: CloseCause): void {
    this.connection.close(code, reason);
    this.#end(code, cause);
  }

  /** The application ends the session. */
  end(refusal: Refusal): void {
    this.#replies.fail(refusal);
  }

  facts(): SessionFacts {
    const { remoteAddress, transport, bufferedBytes } = this.connection;
    const places = this.#subscriptions?.places(MAX_SHOWN_PLACES) ?? [];
    const subscriptions = this.#subscriptions?.size ?? 0;
    return { address: remoteAddress, transport, places, subscriptions, waitingBytes: bufferedBytes };
  }

  get waitingBytes(): number {
    return this.connection.bufferedBytes;
  }

  ended(subscription: Subscription): void {
    this.#subscriptions?.forget(subscription);
  }

  sweep(now: number): void {
    const { tick } = this.#host.sweep;
    const silence = tick - this.#heardTick;
    this.#frameBudget.refill();
    this.#replies.sweep();
    if (this.#phase === 'new') {
      const { connectSeconds } = this.#host.limits;
      if (silence > connectSeconds) {
        const frame = this.#frames.incomplete;
        const refusal =
          frame === null
            ? new Refusal('no-token', `no CONNECT arrived within ${connectSeconds} seconds`)
            : new Refusal('bad-input', `the frame has no NUL at its end (waited ${connectSeconds} seconds)`);
        this.#replies.fail(refusal, frame);
      }
    } else if (this.#phase === 'leaving') {
      if (this.#disconnectReceipt === null && silence > DISCONNECT_SECONDS) this.close(1000, '', 'client');
    } else if (this.caller.expiresAt <= now) {
      this.#replies.fail(new Refusal('bad-token', 'the access token has expired'));
    } else if (this.#beats.silenceLimit > 0 && silence > this.#beats.silenceLimit && !this.#frames.isBlocked) {
      this.close(1002, `no heart-beat for ${silence} seconds`, 'heart_beat');
    } else if (this.#beats.sendEvery > 0 && tick - this.sentTick >= this.#beats.sendEvery) {
      this.sentTick = tick;
      this.connection.sendShared(this.#host.beatFrame);
    }
  }

  get takesFrames(): boolean {
    return this.#phase === 'new' || this.#phase === 'connected';
  }

  get isOver(): boolean {
    return this.#phase === 'over';
  }

  get shownId(): string | null {
    return this.#id.slice(0, SHOWN_ID_CHARS) || null;
  }

  get isConnected(): boolean {
    return this.#id !== '';
  }

  get hearsErrors(): boolean {
    return this.errorIds.length > 0;
  }

  get errorIds(): readonly string[] {
    return this.#subscriptions?.errorIds ?? NO_IDS;
  }

  failed(error: unknown, frame: FrameFacts | null): void {
    this.#replies.fail(error, frame);
  }

  overrun(): void {
    this.close(1008, 'too many frames waiting', 'limit');
  }

  /** @throws Refusal that ends the connection */
  handle(frame: Frame): Promise<void> | undefined {
    const { command, headers } = frame;
    this.#host.counts.received[receivedKind(command, headers)] += 1;
    if (!this.#frameBudget.spend()) {
      const { perSecond } = this.#host.frameAllowance;
      throw new Refusal('too-fast', `too many frames; a connection may send ${perSecond} a second`);
    }
    if (command === 'CONNECT' || command === 'STOMP') {
      this.#connect(headers);
      return undefined;
    }
    if (this.#phase === 'new') throw new Refusal('no-token', 'the first frame must be CONNECT or STOMP');
    const { watcher } = this.#host.watch;
    this.#watchedPlace =
      watcher === null ? null : watchFrame(watcher, this.#watched(), frame, this.#host.limits.jsonDepth);
    const receipt = headers.get('receipt') ?? null;
    if (headers.has('transaction')) {
      throw new Refusal('bad-input', 'transactions are not supported');
    }
    switch (command) {
      case 'SEND':
        return this.#send(frame, receipt);
      case 'SUBSCRIBE':
        return this.#subscribe(frame, receipt);
      case 'UNSUBSCRIBE':
        this.#unsubscribe(this.#wireId(subscriptionId(headers, this.#version)));
        break;
      case 'ACK':
      case 'NACK':
        // The server waits for no acknowledgement.
        break;
      case 'DISCONNECT':
        this.#disconnect(receipt);
        return undefined;
      default:
        throw new Refusal('bad-input', `clients cannot send the command ${quoted(command)}`);
    }
    this.#replies.receipt(receipt);
    return undefined;
  }

  #connect(headers: Headers): void {
    if (this.#phase !== 'new')
      throw new Refusal('bad-input', 'the connection has a session already; CONNECT may be sent only once');
    const { version, beats, token, claimedUserId } = readConnect(headers, this.connection.protocol);
    const sessionId = this.#host.ids.secret();
    this.caller = this.#host.application.userConnected({ sessionId, token, claimedUserId, client: this });
    this.#id = sessionId;
    this.#version = version;
    this.#beats = beats;
    this.#phase = 'connected';
    this.#heardTick = this.#host.sweep.tick;
    this.#frames.speak(version, this.#host.frameLimits);
    this.#replies.connected(version);
    const { remoteAddress: address, transport } = this.connection;
    this.#host.telemetry.log('debug', 'a session began', { ...this.#who(), address, transport, version });
    this.#host.watch.watcher?.saw({ step: 'connected', ...this.#watched() });
  }

  #send({ headers, body, bytes }: Frame, receipt: string | null): Promise<void> | undefined {
    const destination = requiredHeader(headers, 'destination');
    const { application, limits, spans } = this.#host;
    const common = { receipt, bytes, id: null, subscription: null, readAt: this.#readAt };
    const place = this.#watchedPlace;
    const command: PendingCommand = place === null ? common : { ...common, place };
    try {
      if (destination === TOKEN_DESTINATION) {
        const token = ownCopy(newToken(body, limits.jsonDepth));
        this.caller = application.refreshToken(this.caller, token);
        this.#replies.receipt(receipt);
        return undefined;
      }
      const span = spans === null ? null : this.#beginSpan(spans, headers, destination);
      if (span !== null) return this.#dispatchTraced(span, destination, body, { ...command, span });
      return this.#whenAccepted(dispatch(application, this.#sender(), destination, body, limits.jsonDepth), command);
    } catch (error) {
      this.#replies.refuse(error, command);
      return undefined;
    }
  }

  #beginSpan(spans: Spans, headers: Headers, destination: string): Span | null {
    const parent = headers.get('traceparent') ?? null;
    return spans.begin('send', parent, () => ({ destination: quoted(destination), userId: this.caller.userId }));
  }

  #dispatchTraced(span: Span, destination: string, body: Buffer, command: PendingCommand): Promise<void> | undefined {
    const { application, limits } = this.#host;
    return span.run(() => {
      try {
        return this.#whenAccepted(dispatch(application, this.#sender(), destination, body, limits.jsonDepth), command);
      } catch (error) {
        this.#replies.refuse(error, command);
        return undefined;
      }
    });
  }

  #sender(): Sender {
    return { caller: this.caller, sessionId: this.#id, readAt: this.#readAt };
  }

  #subscribe({ headers, bytes }: Frame, receipt: string | null): Promise<void> | undefined {
    const destination = requiredHeader(headers, 'destination');
    const id = subscriptionId(headers, this.#version);
    const wireId = this.#wireId(id);
    this.#subscriptions ??= new SessionSubscriptions();
    const used = this.#subscriptions.destination(wireId);
    if (used !== null && used !== destination) {
      throw new Refusal('bad-input', `the subscription id ${quoted(id)} is in use for ${quoted(used)}`);
    }
    const isQueue = destination === ERRORS_DESTINATION || destination === EVENTS_DESTINATION;
    if (used !== null && (isQueue || !headers.has('last-seq'))) {
      // A client that repeats a SUBSCRIBE has the subscription that it wants.
      this.#replies.receipt(receipt);
      return undefined;
    }
    let command: PendingCommand = { receipt, bytes, id, subscription: null, readAt: null };
    try {
      if (used === null) this.#subscriptions.checkRoom(this.#host.limits.subscriptions);
      if (destination === ERRORS_DESTINATION) {
        this.#subscriptions.addErrors(wireId);
        this.#replies.receipt(receipt);
        return undefined;
      }
      if (destination === EVENTS_DESTINATION) return this.#listen(this.#subscriptions, ownCopy(wireId), command);
      const place = placeOf(destination);
      const lastSeq = lastSeqOf(headers);
      const replaced = this.#subscriptions.find(wireId) ?? null;
      const subscription = new Subscription({
        subscriber: this,
        wireId: replaced?.wireId ?? ownCopy(wireId),
        place,
        resumes: lastSeq !== null,
        replaced,
        host: this.#host,
      });
      this.#subscriptions.add(subscription);
      command = { receipt, bytes, id, subscription, readAt: null };
      this.#host.telemetry.log('debug', 'a session subscribes', { ...this.#who(), place, lastSeq });
      const request = { place, lastSeq, sink: subscription };
      return this.#whenAccepted(this.#host.application.subscribe(this.caller, request), command);
    } catch (error) {
      this.#replies.refuse(error, command);
      return undefined;
    }
  }

  #listen(subscriptions: SessionSubscriptions, wireId: string, command: PendingCommand): Promise<void> | undefined {
    if (this.#personal !== null) {
      subscriptions.addEvents(wireId);
      this.#replies.receipt(command.receipt);
      return undefined;
    }
    const { application, messages, sweep, counts, watch } = this.#host;
    const sessionId = this.#id;
    const queue = new PersonalQueue({ sessionId, subscriber: this, subscriptions, messages, sweep, counts, watch });
    const accepted = application.listenToPersonalEvents(this.caller, queue);
    subscriptions.addEvents(wireId);
    this.#personal = queue;
    return this.#whenAccepted(accepted, command);
  }

  #unsubscribe(wireId: string): void {
    this.#subscriptions?.end(wireId);
    if (this.#subscriptions?.eventIds.length === 0) this.#ignorePersonalEvents();
  }

  #ignorePersonalEvents(): void {
    if (this.#personal !== null) this.#host.application.ignorePersonalEvents(this.caller, this.#personal);
    this.#personal = null;
  }

  /** Continues at once if the command already has its place in the application's order. */
  #whenAccepted(
    accepted: AcceptedCommand | Promise<AcceptedCommand>,
    command: PendingCommand,
  ): Promise<void> | undefined {
    if (!(accepted instanceof Promise)) {
      this.#replyLater(accepted, command);
      return undefined;
    }
    return accepted.then(
      (now) => {
        this.#replyLater(now, command);
      },
      (error: unknown) => this.#replies.refuse(error, command),
    );
  }

  /** Sends the receipt or refusal of a command when its outcome is known. */
  async #replyLater(accepted: AcceptedCommand, command: PendingCommand): Promise<void> {
    this.#frames.opened();
    try {
      const outcome = await accepted.result;
      this.#replies.succeed(command, typeof outcome === 'object' ? outcome : null);
    } catch (error) {
      this.#replies.refuse(error, command);
    }
    const { spans } = this.#host;
    // Frames that waited for this outcome are handled now. They belong to no span.
    if (spans === null || command.span === undefined) this.#frames.settled();
    else spans.outside(() => this.#frames.settled());
    if (this.#phase === 'leaving') this.#leaveWhenSettled();
  }

  /** The fields by which an operator finds the lines of one user. Both are empty before CONNECT. */
  #who(): { readonly userId: number | null; readonly session: string | null } {
    return { userId: this.caller.userId || null, session: this.shownId };
  }

  #watched(): WatchedSession {
    return { userId: this.caller.userId, session: this.shownId };
  }

  /** A subscription id as it stands in frames to this client. */
  #wireId(id: string): string {
    return escapeHeader(id, this.#version);
  }

  #disconnect(receipt: string | null): void {
    if (receipt === null) {
      this.close(1000, '', 'client');
      return;
    }
    this.#phase = 'leaving';
    this.#disconnectReceipt = receipt;
    this.#leaveWhenSettled();
  }

  /** Closes, or sends the receipt of DISCONNECT, if no command has an open outcome. */
  #leaveWhenSettled(): void {
    if (!this.#frames.isSettled) return;
    if (this.#finalClose !== null) {
      this.close(this.#finalClose.code, this.#finalClose.reason, 'drain');
      return;
    }
    this.#heardTick = this.#host.sweep.tick;
    this.#replies.receipt(this.#disconnectReceipt);
    this.#disconnectReceipt = null;
  }

  #end(code: number, cause: CloseCause): void {
    if (this.isOver) return;
    this.#phase = 'over';
    this.#host.counts.closes.add(codeLabel(code), cause);
    this.#host.telemetry.log('debug', 'a session ended', { ...this.#who(), code, cause });
    if (this.#id !== '')
      this.#host.watch.watcher?.saw({ step: 'disconnected', ...this.#watched(), code, reason: cause });
    this.#host.sweep.drop(this);
    this.#frames.release();
    this.#subscriptions?.endAll();
    this.#ignorePersonalEvents();
    if (this.#id !== '') this.#host.application.userDisconnected(this.#id);
  }
}
