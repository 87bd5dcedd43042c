import type { IStompSocket } from '@stomp/stompjs';
import { messageOf, Refused, refusedBy, SignedOut, Unanswered } from './errors.ts';
import { type Frame, Session } from './session.ts';
import { Listeners, Store } from './store.ts';
import { after, Backoff } from './timing.ts';
import type { Tokens } from './tokens.ts';

export type ConnectionState =
  /** A connection is being opened. */
  | { readonly kind: 'connecting' }
  /** CONNECTED has come. */
  | { readonly kind: 'online' }
  /** The next attempt begins at `retryAt`, in milliseconds of `Date.now()`. */
  | { readonly kind: 'waiting'; readonly retryAt: number; readonly reason: string }
  /** The server refuses the user, for instance by a ban. Only `reconnect` tries again. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** `close` was called, or the `token` function threw SignedOut. There are no more attempts. */
  | { readonly kind: 'closed'; readonly reason: string };

/** The answer to a stored command. */
export interface Receipt {
  readonly id: string;
  readonly seq: number;
}

export type Body = Readonly<Record<string, unknown>>;

export interface ConnectionParts {
  /** The server's address, asked before each attempt. */
  readonly url: () => string;
  readonly tokens: Tokens;
  readonly socket: (url: string) => IStompSocket;
  readonly random: () => number;
}

export interface LiveSubscription {
  /** Settles with the RECEIPT's headers. @throws Refused, Unanswered */
  readonly ready: Promise<Readonly<Record<string, string>>>;
  cancel(): void;
}

interface Pending {
  readonly resolve: (headers: Readonly<Record<string, string>>) => void;
  readonly reject: (error: Error) => void;
  readonly cancelTimer: () => void;
  readonly size: number;
}

const ERRORS = '/user/queue/errors';
const NOT_PERMITTED = 2103;
const TOO_LARGE = 2413;
const RECEIPT_MS = 10_000;
/** After so many missing receipts in a row, the session does not work. */
const MAX_SILENT = 2;
const SUBSCRIBE_MS = 20_000;
const BASE_MS = 500;
const MAX_PAUSE_MS = 20_000;
/** Only a connection that lasted this long resets the back-off, so a poison message cannot spin. */
const STABLE_MS = 5_000;

/** A STOMP session that reconnects by itself, with back-off and a token that is renewed in time. */
export class Connection {
  readonly #parts: ConnectionParts;
  readonly #backoff: Backoff;
  readonly #pending = new Map<string, Pending>();
  #state: ConnectionState = { kind: 'connecting' };
  #session: Session | null = null;
  readonly #subscriptions = new Map<string, (body: Body) => void>();
  #serial = 0;
  #reason: Error | null = null;
  /** Receipts in a row that did not come in time. */
  #silent = 0;
  #cancelTimers = () => {};
  #cancelRenewal = () => {};
  readonly state = new Store<ConnectionState>(() => this.#state);
  /** Called after CONNECTED, and with false when a session ends. */
  readonly onLink = new Listeners<[isOnline: boolean]>();
  /** Refusals of frames without a receipt. */
  readonly onRefused = new Listeners<[Refused]>();

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(BASE_MS, MAX_PAUSE_MS, parts.random);
  }

  get isOnline(): boolean {
    return this.#state.kind === 'online';
  }

  /** Connects at once, also where the next attempt is due later. */
  open(): void {
    if (this.#session !== null || this.#state.kind === 'closed') return;
    this.#cancelTimers();
    const state = { kind: 'connecting' } as const;
    this.#set(state);
    this.#attempt(state).catch((error) => {
      if (this.#state === state) this.#ended(error);
    });
  }

  /** Closes the session for good. */
  close(reason = 'closed by the application'): void {
    if (this.#state.kind === 'closed') return;
    // The server ends the session at once. Its receipts are of no use any more.
    this.#session?.send('DISCONNECT', {});
    this.#leave(new Unanswered(reason));
    this.#set({ kind: 'closed', reason });
  }

  /** Ends a session that does not work, and reconnects. */
  restart(reason: string): void {
    if (this.#session !== null) this.#ended(new Unanswered(reason));
  }

  /** Sends a frame without a receipt. It is dropped where there is no session. */
  notify(destination: string, body: Body): void {
    this.#send('SEND', { destination }, JSON.stringify(body));
  }

  /** Sends a frame and waits for its RECEIPT. @throws Refused, Unanswered */
  async request(destination: string, body: Body): Promise<Receipt> {
    const text = JSON.stringify(body);
    const headers = await this.#answered(RECEIPT_MS, text.length, (receipt) =>
      this.#send('SEND', { destination, receipt }, text),
    );
    return { id: headers['message-id'] ?? '', seq: Number(headers.seq ?? 0) };
  }

  /** @param from resumes after this number; null: begins live */
  subscribe(destination: string, from: number | null, onMessage: (body: Body) => void): LiveSubscription {
    const session = this.#session;
    const id = this.#next();
    const resume: Record<string, string> = from === null ? {} : { 'last-seq': String(from) };
    this.#subscriptions.set(id, onMessage);
    const ready = this.#answered(SUBSCRIBE_MS, 0, (receipt) =>
      this.#send('SUBSCRIBE', { id, destination, receipt, ...resume }),
    );
    return {
      ready,
      cancel: () => {
        if (this.#subscriptions.delete(id) && session === this.#session) this.#send('UNSUBSCRIBE', { id });
      },
    };
  }

  #send(command: string, headers: Record<string, string>, body = ''): void {
    if (this.isOnline) this.#session?.send(command, headers, body);
  }

  #answered(ms: number, size: number, send: (receipt: string) => void): Promise<Readonly<Record<string, string>>> {
    return new Promise((resolve, reject) => {
      if (!this.isOnline) return reject(new Unanswered('not connected'));
      const receipt = this.#next();
      const cancelTimer = after(ms, () => {
        const why = `no receipt within ${ms / 1_000} s`;
        this.#settle(receipt)?.reject(new Unanswered(why));
        this.#silent += 1;
        if (this.#silent >= MAX_SILENT) this.restart(why);
      });
      this.#pending.set(receipt, { resolve, reject, cancelTimer, size });
      send(receipt);
    });
  }

  /**
   * @param state of this attempt; another one means that it was overtaken, for instance by close
   */
  async #attempt(state: ConnectionState): Promise<void> {
    const { tokens, socket, url } = this.#parts;
    const token = await tokens.get();
    if (this.#state !== state) return;
    const session = new Session(socket(`${url().replace(/^http/, 'ws')}/my-chat/websocket`), token, {
      connected: () => this.#connected(session),
      frame: (frame) => this.#take(frame),
      ended: (reason) => this.#ended(new Unanswered(reason)),
    });
    this.#session = session;
  }

  #connected(session: Session): void {
    this.#cancelTimers = after(STABLE_MS, () => this.#backoff.reset());
    this.#silent = 0;
    session.send('SUBSCRIBE', { id: ERRORS, destination: ERRORS });
    this.#subscriptions.set(ERRORS, (body) => this.#refused(refusedBy(body), body));
    this.#set({ kind: 'online' });
    this.#renewLater();
    this.onLink.emit(true);
  }

  #take({ command, headers, body }: Frame): void {
    if (command === 'RECEIPT') {
      this.#silent = 0;
      this.#settle(headers['receipt-id'])?.resolve(headers);
    } else if (command === 'ERROR') this.#failed(parsed(body), headers);
    else this.#subscriptions.get(headers.subscription ?? '')?.(parsed(body));
  }

  /** An ERROR: the server closes the connection after it. */
  #failed(body: Body, headers: Readonly<Record<string, string>>): void {
    const refused = refusedBy({ ...headers, ...body });
    this.#reason = refused;
    const receipt = headers['receipt-id'] ?? (refused.code === TOO_LARGE ? this.#largest() : undefined);
    this.#refused(refused, { 'receipt-id': receipt });
  }

  #refused(refused: Refused, { 'receipt-id': receipt }: Body): void {
    if (refused.isAboutToken) this.#parts.tokens.forget();
    const pending = this.#settle(receipt);
    if (pending !== undefined) pending.reject(refused);
    else this.onRefused.emit(refused);
  }

  /** Of a frame far over the limit the server reads no receipt. It is the largest one under way. */
  #largest(): string | undefined {
    return [...this.#pending].sort(([, a], [, b]) => b.size - a.size)[0]?.[0];
  }

  #settle(receipt: unknown): Pending | undefined {
    const pending = this.#pending.get(String(receipt));
    pending?.cancelTimer();
    this.#pending.delete(String(receipt));
    return pending;
  }

  #renewLater(): void {
    const { tokens } = this.#parts;
    const retry = new Backoff(1_000, MAX_PAUSE_MS, this.#parts.random);
    const session = this.#session;
    let isDue = false;
    const renew = async () => {
      let pause: number;
      try {
        // A timer cannot last as long as some tokens do.
        isDue ||= tokens.renewInMs <= 0;
        const token = isDue ? await tokens.get() : '';
        if (session !== this.#session) return;
        if (isDue) await this.request('/kafka/token', { token });
        isDue = false;
        retry.reset();
        pause = tokens.renewInMs;
      } catch (error) {
        if (error instanceof SignedOut) return this.close(error.message);
        // The session lasts until the old token ends. The next one begins with a fresh token.
        pause = retry.next(error);
      }
      if (session === this.#session) this.#cancelRenewal = after(pause, renew);
    };
    this.#cancelRenewal = after(tokens.renewInMs, renew);
  }

  #ended(cause: unknown): void {
    if (this.#state.kind === 'closed') return;
    const error = this.#reason ?? cause;
    // An ERROR 2103 that ends a session may be no ban. The next CONNECT shows whether it is one.
    const isBan = !this.isOnline && error instanceof Refused && error.code === NOT_PERMITTED;
    this.#leave(new Unanswered('the connection was lost'));
    if (isBan || error instanceof SignedOut) {
      this.#set({ kind: isBan ? 'refused' : 'closed', reason: error.message });
      return;
    }
    const pause = this.#backoff.next(error);
    this.#set({ kind: 'waiting', retryAt: Date.now() + pause, reason: messageOf(error) });
    this.#cancelTimers = after(pause, () => this.open());
  }

  /** Forgets the session. Everything that waits for an answer hears that none will come. */
  #leave(error: Error): void {
    const wasOnline = this.isOnline;
    this.#cancelTimers();
    this.#cancelRenewal();
    this.#session?.end();
    this.#session = null;
    this.#subscriptions.clear();
    this.#reason = null;
    // The state changes first: a listener must not send into the session that ended.
    this.#state = { kind: 'connecting' };
    for (const receipt of [...this.#pending.keys()]) this.#settle(receipt)?.reject(error);
    if (wasOnline) this.onLink.emit(false);
  }

  #set(state: ConnectionState): void {
    this.#state = state;
    this.state.changed();
  }

  #next(): string {
    return String(++this.#serial);
  }
}

function parsed(text: string): Body {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
