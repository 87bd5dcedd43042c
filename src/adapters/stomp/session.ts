import type { Stored } from '../../application/application.ts';
import type { Accepted, Caller } from '../../application/caller.ts';
import { communityTopic, conversationTopic, parseTopic, type Topic } from '../../domain/audience.ts';
import { asRefusal, Refusal } from '../../domain/errors.ts';
import type { Connection, ConnectionListener } from '../transport/connection.ts';
import { type Frame, FrameDecoder } from './decoder.ts';
import { CONTENT_TYPE, encodeFrame } from './encoder.ts';
import { escapeHeader } from './escaping.ts';
import { type Beats, negotiateBeats, OFFERED_BEATS, type Swept } from './heart-beats.ts';
import { bareToken, dispatch, newToken, TOKEN_DESTINATION } from './inbound.ts';
import { refusalNumber } from './refusal-codes.ts';
import type { SessionHost } from './session-host.ts';
import { type Subscriber, Subscription } from './subscription.ts';
import { negotiateVersion, type StompVersion, SUPPORTED_VERSIONS } from './version.ts';

/** Where a client hears of its own refusals; never leaves the connection. */
export const ERRORS_DESTINATION = '/user/queue/errors';

const NO_BEATS: Beats = { sendEvery: 0, patience: 0 };
const NOBODY: Caller = { userId: 0, account: '', token: '', expiresAt: Number.POSITIVE_INFINITY };
const LAST_SEQ = /^(0|[1-9][0-9]*)$/;

/** Commands whose outcome is still open; further frames wait. */
const MOST_OPEN_COMMANDS = 1_000;
/** Bytes that may arrive although reading was stopped. */
const MOST_WAITING_BYTES = 1024 * 1024;
/** Seconds that a client has to close after the RECEIPT of its DISCONNECT. */
const FAREWELL_SECONDS = 3;
/** Refusals that are borne: one is forgiven with each sweep times this. */
const MOST_REFUSALS = 1_000;
const FORGIVEN_A_SECOND = 10;

type Phase = 'stranger' | 'connected' | 'leaving' | 'over';

/**
 * One client's STOMP session. Frames are handled strictly in order: the next one is decoded only once the one before it has its place in the
 * application's order. What a command comes to (receipt or refusal) may be told later.
 */
export class Session implements ConnectionListener, Subscriber, Swept {
  readonly connection: Connection;
  readonly baseUrl: string;
  caller: Caller = NOBODY;
  sentTick: number;
  readonly #host: SessionHost;
  readonly #decoder: FrameDecoder;
  #phase: Phase = 'stranger';
  #version: StompVersion = '1.2';
  #id = '';
  #beats = NO_BEATS;
  /** When the connection began or last said something; while leaving, when it was told good-bye. */
  #heardTick: number;
  #isBusy = false;
  #isPaused = false;
  #openCommands = 0;
  #refusals = 0;
  /** The receipt that DISCONNECT asked for. */
  #farewell: string | null = null;
  #subscriptions: Subscription[] | null = null;
  /** Escaped ids of the subscriptions to this connection's errors. */
  #errorIds: string[] | null = null;

  constructor(connection: Connection, baseUrl: string, host: SessionHost) {
    this.connection = connection;
    this.baseUrl = baseUrl;
    this.#host = host;
    this.#decoder = new FrameDecoder(host.strangerLimits);
    this.#heardTick = host.sweep.tick;
    this.sentTick = host.sweep.tick;
    host.sweep.add(this);
  }

  onMessage(message: string | Buffer): void {
    if (this.#phase === 'leaving' || this.#phase === 'over') return;
    this.#heardTick = this.#host.sweep.tick;
    if (message === '\n' && this.#decoder.waitingBytes === 0) return;
    this.#decoder.push(typeof message === 'string' ? Buffer.from(message) : message);
    if (this.#isBlocked) this.#waitForTurn();
    else this.#work();
  }

  onClose(): void {
    this.#end();
  }

  /** Ends the session without an ERROR. */
  close(code: number, reason: string): void {
    this.connection.close(code, reason);
    this.#end();
  }

  ended(subscription: Subscription): void {
    const index = this.#subscriptions?.indexOf(subscription) ?? -1;
    if (index >= 0) this.#subscriptions?.splice(index, 1);
  }

  sweep(now: number): void {
    const { tick } = this.#host.sweep;
    const silence = tick - this.#heardTick;
    this.#refusals = Math.max(0, this.#refusals - FORGIVEN_A_SECOND);
    if (this.#phase === 'stranger') {
      if (silence > this.#host.limits.connectSeconds) this.#fail(new Refusal('no-token', 'no CONNECT came in time'));
    } else if (this.#phase === 'leaving') {
      if (this.#openCommands === 0 && silence > FAREWELL_SECONDS) this.close(1000, '');
    } else if (this.caller.expiresAt <= now) {
      this.#fail(new Refusal('bad-token', 'the token has expired'));
    } else if (this.#beats.patience > 0 && silence > this.#beats.patience && !this.#isBlocked) {
      this.close(1002, 'no heart-beat');
    } else if (this.#beats.sendEvery > 0 && tick - this.sentTick >= this.#beats.sendEvery) {
      this.sentTick = tick;
      this.connection.sendShared(this.#host.beatFrame);
    }
  }

  get #isBlocked(): boolean {
    return this.#isBusy || this.#openCommands >= MOST_OPEN_COMMANDS;
  }

  #waitForTurn(): void {
    if (this.#decoder.waitingBytes > MOST_WAITING_BYTES) {
      this.close(1008, 'too many frames waiting');
    } else if (!this.#isPaused) {
      this.#isPaused = true;
      this.connection.pause();
    }
  }

  #work(): void {
    try {
      while (this.#phase === 'stranger' || this.#phase === 'connected') {
        if (this.#isBlocked) return;
        const frame = this.#decoder.next();
        if (frame === null) break;
        const turn = this.#handle(frame);
        if (turn !== undefined) {
          this.#isBusy = true;
          turn.then(() => {
            this.#isBusy = false;
            this.#work();
          });
          return;
        }
      }
    } catch (error) {
      this.#fail(this.#known(error));
    }
    if (this.#isPaused && this.#phase !== 'over') {
      this.#isPaused = false;
      this.connection.resume();
    }
  }

  /** Resolves when the next frame may be handled. Never rejects. @throws Refusal for what ends the connection */
  #handle(frame: Frame): Promise<void> | undefined {
    const { command, headers } = frame;
    if (command === 'CONNECT' || command === 'STOMP') {
      this.#connect(headers);
      return undefined;
    }
    if (this.#phase === 'stranger') throw new Refusal('no-token', 'the first frame must be CONNECT');
    const receipt = headers.get('receipt') ?? null;
    if (headers.has('transaction')) throw unsupported(receipt);
    switch (command) {
      case 'SEND':
        return this.#send(frame, receipt);
      case 'SUBSCRIBE':
        return this.#subscribe(headers, receipt);
      case 'UNSUBSCRIBE':
        this.#unsubscribe(headers);
        break;
      case 'ACK':
      case 'NACK':
        // Every subscription acknowledges by itself.
        break;
      case 'DISCONNECT':
        this.#disconnect(receipt);
        return undefined;
      case 'BEGIN':
      case 'COMMIT':
      case 'ABORT':
        throw unsupported(receipt);
      default:
        throw new Refusal('bad-input', 'there is no such command');
    }
    this.#receipt(receipt);
    return undefined;
  }

  #connect(headers: ReadonlyMap<string, string>): void {
    if (this.#phase !== 'stranger') throw new Refusal('bad-input', 'this connection has had its CONNECT');
    const version = negotiateVersion(headers.get('accept-version'), this.connection.protocol);
    if (version === null) {
      this.#fail(new Refusal('bad-input', `the server speaks STOMP ${SUPPORTED_VERSIONS}`), null, SUPPORTED_VERSIONS);
      return;
    }
    const beats = negotiateBeats(headers.get('heart-beat'));
    const token = headers.get('access-token');
    if (token === undefined || token === '') throw new Refusal('no-token', 'CONNECT has no access-token');
    const sessionId = this.#host.ids.secret();
    const claimedUserId = headers.get('user-id') ?? null;
    this.caller = this.#host.application.userConnected({ sessionId, token: bareToken(token), claimedUserId });
    this.#id = sessionId;
    this.#version = version;
    this.#beats = beats;
    this.#phase = 'connected';
    this.#decoder.speak(version, this.#host.frameLimits);
    this.#write('CONNECTED', [
      ['version', version],
      ['heart-beat', OFFERED_BEATS],
    ]);
  }

  #send(frame: Frame, receipt: string | null): Promise<void> | undefined {
    const destination = frame.headers.get('destination');
    if (destination === undefined) throw new Refusal('bad-input', 'SEND has no destination');
    const { application, limits } = this.#host;
    try {
      if (destination === TOKEN_DESTINATION) {
        this.caller = application.refreshToken(this.#id, this.caller, newToken(frame.body, limits.jsonDepth));
        this.#receipt(receipt);
        return undefined;
      }
      const sender = { caller: this.caller, sessionId: this.#id };
      const accepted = dispatch(application, sender, destination, frame.body, limits.jsonDepth);
      if (accepted instanceof Promise) return this.#awaitTurn(accepted, receipt, null);
      this.#follow(accepted, receipt, null);
    } catch (error) {
      this.#refuse(error, receipt, null);
    }
    return undefined;
  }

  #subscribe(headers: ReadonlyMap<string, string>, receipt: string | null): Promise<void> | undefined {
    const destination = headers.get('destination');
    if (destination === undefined) throw new Refusal('bad-input', 'SUBSCRIBE has no destination');
    const id = this.#subscriptionId(headers);
    const wireId = ownCopy(escapeHeader(id, this.#version));
    if (this.#errorIds?.includes(wireId) || this.#subscriptions?.some((other) => other.wireId === wireId)) {
      throw new SessionRefusal('this subscription id is in use', receipt);
    }
    let subscription: Subscription | null = null;
    try {
      this.#checkSubscriptionCount();
      if (destination === ERRORS_DESTINATION) {
        this.#errorIds ??= [];
        this.#errorIds.push(wireId);
        this.#receipt(receipt);
        return undefined;
      }
      const topic = parseTopic(destination);
      if (topic === null) throw new Refusal('bad-input', 'there is no such destination');
      const lastSeq = lastSeqOf(headers);
      subscription = new Subscription(this, wireId, nameOf(topic), this.#host);
      this.#subscriptions ??= [];
      this.#subscriptions.push(subscription);
      const accepted = this.#host.application.subscribe(this.caller, {
        topic,
        lastSeq: topic.kind === 'community' ? null : lastSeq,
        sink: subscription,
      });
      const started: StartedSubscription = { id, subscription, isNumbered: topic.kind === 'conversation' };
      if (accepted instanceof Promise) return this.#awaitTurn(accepted, receipt, started);
      this.#follow(accepted, receipt, started);
    } catch (error) {
      if (subscription !== null) this.#endSubscription(subscription);
      this.#refuse(error, receipt, id);
    }
    return undefined;
  }

  async #awaitTurn(
    pending: Promise<Admitted>,
    receipt: string | null,
    started: StartedSubscription | null,
  ): Promise<void> {
    try {
      this.#follow(await pending, receipt, started);
    } catch (error) {
      if (started !== null) this.#endSubscription(started.subscription);
      this.#refuse(error, receipt, started?.id ?? null);
    }
  }

  /** Tells the client, once it is known, what its command came to. */
  async #follow(accepted: Admitted, receipt: string | null, started: StartedSubscription | null): Promise<void> {
    this.#openCommands += 1;
    try {
      const told = await accepted.result;
      const outcome = typeof told === 'object' ? told : undefined;
      if (started === null) this.#receipt(receipt, outcome);
      else this.#receipt(receipt, started.isNumbered && !started.subscription.isOver ? outcome : undefined);
    } catch (error) {
      // A client that unsubscribed in the meantime does not mind.
      if (started?.subscription.isOver === true) this.#receipt(receipt);
      else this.#refuse(error, receipt, started?.id ?? null);
      if (started !== null) this.#endSubscription(started.subscription);
    }
    this.#openCommands -= 1;
    if (this.#phase === 'leaving') this.#sayFarewell();
    else if (this.#openCommands === MOST_OPEN_COMMANDS - 1 && !this.#isBusy) this.#work();
  }

  #unsubscribe(headers: ReadonlyMap<string, string>): void {
    const wireId = escapeHeader(this.#subscriptionId(headers), this.#version);
    const subscription = this.#subscriptions?.find((candidate) => candidate.wireId === wireId);
    if (subscription !== undefined) this.#endSubscription(subscription);
    else if (this.#errorIds !== null) this.#errorIds = this.#errorIds.filter((id) => id !== wireId);
  }

  /** STOMP 1.0 lets a client subscribe, and unsubscribe, by the destination alone. */
  #subscriptionId(headers: ReadonlyMap<string, string>): string {
    const id = headers.get('id') ?? (this.#version === '1.0' ? headers.get('destination') : undefined);
    if (id === undefined) throw new Refusal('bad-input', 'the subscription has no id');
    return id;
  }

  #checkSubscriptionCount(): void {
    const most = this.#host.limits.subscriptions;
    if ((this.#subscriptions?.length ?? 0) + (this.#errorIds?.length ?? 0) >= most) {
      throw new Refusal('too-fast', `a connection may have ${most} subscriptions`);
    }
  }

  #endSubscription(subscription: Subscription): void {
    subscription.end();
    this.ended(subscription);
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
    if (this.#openCommands > 0) return;
    this.#heardTick = this.#host.sweep.tick;
    this.#receipt(this.#farewell);
    this.#farewell = null;
  }

  #receipt(receipt: string | null, outcome?: Numbered): void {
    if (receipt === null) return;
    this.#write('RECEIPT', [
      ['receipt-id', receipt],
      ['seq', outcome?.seq ?? null],
      ['message-id', outcome !== undefined && 'id' in outcome ? outcome.id : null],
    ]);
  }

  #refuse(error: unknown, receipt: string | null, subscription: string | null): void {
    if (this.#phase === 'over') return;
    const refusal = this.#known(error);
    this.#host.telemetry.count('refusals');
    this.#refusals += 1;
    if (this.#refusals > MOST_REFUSALS) {
      this.#fail(new Refusal('too-fast', 'too many refused frames'));
    } else if (this.#errorIds !== null && this.#errorIds.length > 0) {
      const body = bodyOf(refusal, { 'receipt-id': receipt ?? undefined, subscription: subscription ?? undefined });
      const frames = this.#host.messages.notice(ERRORS_DESTINATION, { json: body, seq: null });
      this.sentTick = this.#host.sweep.tick;
      for (const wireId of this.#errorIds) this.connection.send(frames.text(wireId));
    } else if (receipt !== null) {
      this.#fail(refusal, receipt);
    }
  }

  #fail(refusal: Refusal, receipt: string | null = null, versions: string | null = null): void {
    if (this.#phase === 'over') return;
    const receiptId = refusal instanceof SessionRefusal ? refusal.receipt : receipt;
    this.#write(
      'ERROR',
      [
        ['message', refusal.message],
        ['code', refusalNumber(refusal.code)],
        ['content-type', CONTENT_TYPE],
        ['receipt-id', receiptId],
        ['version', versions],
      ],
      bodyOf(refusal, {}),
    );
    this.close(1002, refusal.message);
  }

  #write(command: string, headers: readonly (readonly [string, string | number | null])[], body?: string): void {
    this.sentTick = this.#host.sweep.tick;
    this.connection.send(encodeFrame(this.#version, command, headers, body));
  }

  #known(error: unknown): Refusal {
    if (!(error instanceof Refusal)) {
      this.#host.telemetry.log('error', 'a frame failed', { error, sessionId: this.#id, userId: this.caller.userId });
    }
    return asRefusal(error);
  }

  #end(): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#host.sweep.drop(this);
    // The client's answer to the close must be read.
    if (this.#isPaused) this.connection.resume();
    for (const subscription of this.#subscriptions ?? []) subscription.end();
    this.#subscriptions = null;
    this.#errorIds = null;
    if (this.#id !== '') this.#host.application.userDisconnected(this.#id);
  }
}

/** A command that was let in: a SEND of what is stored, a SUBSCRIBE, or anything else. */
type Admitted = Accepted<Stored> | Accepted<{ readonly seq: number }> | Accepted<void>;

type Numbered = Stored | { readonly seq: number };

interface StartedSubscription {
  /** As the client gave it. */
  readonly id: string;
  readonly subscription: Subscription;
  readonly isNumbered: boolean;
}

/** A refusal that always ends the connection, and answers a frame that asked for a receipt. */
class SessionRefusal extends Refusal {
  readonly receipt: string | null;

  constructor(message: string, receipt: string | null) {
    super('bad-input', message);
    this.receipt = receipt;
  }
}

function unsupported(receipt: string | null): Refusal {
  return new SessionRefusal('transactions are not supported', receipt);
}

function bodyOf(refusal: Refusal, more: Readonly<Record<string, string | undefined>>): string {
  return JSON.stringify({ code: refusalNumber(refusal.code), message: refusal.message, ...more });
}

function nameOf(topic: Topic): string {
  return topic.kind === 'community' ? communityTopic(topic.id) : conversationTopic(topic.key);
}

function lastSeqOf(headers: ReadonlyMap<string, string>): number | null {
  const text = headers.get('last-seq');
  if (text === undefined) return null;
  if (!LAST_SEQ.test(text)) throw new Refusal('bad-input', 'last-seq must be a whole number');
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
}

// A part of a text keeps the whole of it in memory, here the frame that it came in.
function ownCopy(text: string): string {
  return Buffer.from(text).toString();
}
