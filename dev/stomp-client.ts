import {
  type ConnectionEnd,
  type ConnectionOptions,
  StompConnection,
} from '../src/bootstrap/cli/load/stomp-connection.ts';
import { frameText, type StompFrame } from '../src/bootstrap/cli/load/stomp-frame.ts';

export type { ConnectionEnd } from '../src/bootstrap/cli/load/stomp-connection.ts';

const TIMEOUT_MS = 15_000;

export interface StompClientOptions extends ConnectionOptions {
  /** Value of `access-token`. null: the header is left out. */
  readonly token: string | null;
  /** Value of `user-id`. Without it, the header is left out. */
  readonly userId?: number;
  /** Default: `1.0,1.1,1.2`. */
  readonly acceptVersion?: string;
  /** Default: `0,0`. Where the first number is positive, the client sends heart-beats. */
  readonly heartBeat?: string;
}

export interface SubscribeOptions {
  /** Id of the subscription. Default: the next unused number. */
  readonly id?: string;
  readonly lastSeq?: number | string;
  /** true (default): resolves with the RECEIPT. false: resolves at once. */
  readonly receipt?: boolean;
}

type Predicate<Value> = (value: Value) => boolean;

interface Waiter {
  readonly wants: Predicate<StompFrame>;
  readonly take: (frame: StompFrame) => void;
  readonly fail: (error: Error) => void;
}

/**
 * A STOMP client for tests and benches. Every wait ends with an error after 15 s, or when the
 * connection closes.
 */
export class StompClient {
  /** All frames received, CONNECTED first. */
  readonly frames: StompFrame[] = [];
  /** Resolves when the connection is closed, by either side. */
  readonly closed: Promise<ConnectionEnd>;
  readonly #connection: StompConnection;
  readonly #opened = Promise.withResolvers<void>();
  readonly #waiters = new Set<Waiter>();
  readonly #subscriptions = new Map<string, StompSubscription>();
  #ids = 0;
  #end: ConnectionEnd | null = null;

  private constructor(options: ConnectionOptions) {
    const closed = Promise.withResolvers<ConnectionEnd>();
    this.closed = closed.promise;
    this.#connection = new StompConnection(options, {
      opened: () => this.#opened.resolve(),
      frame: (frame) => this.#take(frame),
      failed: (error) => this.#opened.reject(error),
      closed: (end) => {
        this.#end = end;
        for (const waiter of this.#waiters) waiter.fail(this.#gone());
        closed.resolve(end);
      },
    });
  }

  /** Opens a WebSocket and sends nothing. @throws Error of the handshake */
  static async open(options: ConnectionOptions): Promise<StompClient> {
    const client = new StompClient(options);
    await client.#opened.promise;
    return client;
  }

  /** Resolves when CONNECTED has come. @throws Error that names the ERROR frame or the close */
  static async connect(options: StompClientOptions): Promise<StompClient> {
    const client = await StompClient.open(options);
    const { token, userId, heartBeat = '0,0' } = options;
    const headers: Record<string, string> = {
      'accept-version': options.acceptVersion ?? '1.0,1.1,1.2',
      'heart-beat': heartBeat,
    };
    if (token !== null) headers['access-token'] = token;
    if (userId !== undefined) headers['user-id'] = String(userId);
    client.raw(frameText('CONNECT', headers));
    await client.next(({ command }) => command === 'CONNECTED');
    const every = Number.parseInt(heartBeat, 10);
    if (every > 0) {
      const beats = setInterval(() => client.raw('\n'), every / 2);
      void client.closed.then(() => clearInterval(beats));
    }
    return client;
  }

  /** Sends a text as it is. */
  raw(text: string): void {
    this.#connection.raw(text);
  }

  /**
   * Sends a SEND with a receipt, and resolves with the RECEIPT.
   * @throws Error with the refusal: an ERROR frame, or a message on the errors queue that has this
   * receipt
   */
  async send(destination: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<StompFrame> {
    const receipt = `receipt-${this.#nextId()}`;
    const answer = this.#receipt(receipt);
    this.raw(frameText('SEND', { destination, receipt, ...headers }, body));
    return await answer;
  }

  /** Sends a SEND without a receipt. */
  tell(destination: string, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
    this.raw(frameText('SEND', { destination, ...headers }, body));
  }

  async subscribe(destination: string, options: SubscribeOptions = {}): Promise<StompSubscription> {
    const { id = this.#nextId(), lastSeq, receipt = true } = options;
    const subscription = new StompSubscription(this, id, destination);
    this.#subscriptions.set(id, subscription);
    const headers: Record<string, string> = { id, destination };
    if (lastSeq !== undefined) headers['last-seq'] = String(lastSeq);
    if (!receipt) {
      this.raw(frameText('SUBSCRIBE', headers));
      return subscription;
    }
    headers.receipt = `receipt-${this.#nextId()}`;
    const answer = this.#receipt(headers.receipt);
    this.raw(frameText('SUBSCRIBE', headers));
    subscription.receipt = await answer;
    return subscription;
  }

  async unsubscribe(id: string): Promise<StompFrame> {
    const receipt = `receipt-${this.#nextId()}`;
    const answer = this.#receipt(receipt);
    this.raw(frameText('UNSUBSCRIBE', { id, receipt }));
    return await answer;
  }

  /** Resolves with the first frame from now on for which `wants` is true. */
  next(wants: Predicate<StompFrame>, withinMs = TIMEOUT_MS): Promise<StompFrame> {
    return new Promise((resolve, reject) => {
      if (this.#end !== null) return reject(this.#gone());
      const done = () => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        wants,
        take: (frame) => {
          done();
          resolve(frame);
        },
        fail: (error) => {
          done();
          reject(error);
        },
      };
      // Made here, so that its stack names the caller.
      const late = new Error(`no such frame within ${withinMs} ms`);
      const timer = setTimeout(() => waiter.fail(late), withinMs);
      this.#waiters.add(waiter);
    });
  }

  /** Sends DISCONNECT and waits until the connection is closed. */
  async close(): Promise<void> {
    if (this.#end !== null) return;
    this.raw(frameText('DISCONNECT', { receipt: 'bye' }));
    await this.next(({ headers }) => headers['receipt-id'] === 'bye', 2_000).catch(() => undefined);
    this.#connection.close(1000);
    const late = setTimeout(() => this.#connection.terminate(), 2_000);
    await this.closed;
    clearTimeout(late);
  }

  /** Ends the connection at once, without DISCONNECT. */
  async cut(): Promise<void> {
    this.#connection.terminate();
    await this.closed;
  }

  /** Stops reading from the socket, so that data pile up on the server's side, until `resume`. */
  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }

  async #receipt(id: string): Promise<StompFrame> {
    const answer = await this.next(
      ({ command, headers, body }) =>
        headers['receipt-id'] === id || (command === 'MESSAGE' && isRefusalOf(id, headers, body)),
    );
    if (answer.command === 'RECEIPT') return answer;
    throw new Error(`refused: ${answer.body}`);
  }

  #take(frame: StompFrame): void {
    this.frames.push(frame);
    if (frame.command === 'MESSAGE') this.#subscriptions.get(frame.headers.subscription ?? '')?.take(frame);
    for (const waiter of this.#waiters) if (waiter.wants(frame)) waiter.take(frame);
  }

  #gone(): Error {
    const error = this.frames.find(({ command }) => command === 'ERROR');
    const said = error === undefined ? '' : `, after ERROR ${error.headers.code}: ${error.headers.message}`;
    return new Error(`the connection was closed with ${this.#end?.code} ${this.#end?.reason}${said}`);
  }

  #nextId(): string {
    this.#ids += 1;
    return String(this.#ids);
  }
}

/** A subscription of a client, with everything that it received. */
export class StompSubscription {
  readonly id: string;
  readonly destination: string;
  /** All frames, in order. */
  readonly frames: StompFrame[] = [];
  /** The bodies of `frames`, parsed. */
  readonly bodies: Record<string, unknown>[] = [];
  /** The RECEIPT of its SUBSCRIBE. */
  receipt: StompFrame | null = null;
  readonly #client: StompClient;

  constructor(client: StompClient, id: string, destination: string) {
    this.#client = client;
    this.id = id;
    this.destination = destination;
  }

  take(frame: StompFrame): void {
    this.frames.push(frame);
    this.bodies.push(JSON.parse(frame.body));
  }

  /**
   * Resolves with the first body for which `wants` is true, among those received and those to come.
   */
  async next(wants: Predicate<Record<string, unknown>>, withinMs?: number): Promise<Record<string, unknown>> {
    const had = this.bodies.find(wants);
    if (had !== undefined) return had;
    const frame = await this.#client.next(
      ({ command, headers, body }) =>
        command === 'MESSAGE' && headers.subscription === this.id && wants(JSON.parse(body)),
      withinMs,
    );
    return JSON.parse(frame.body);
  }

  /** Resolves when `wants` is true for `count` bodies, with all of these so far. */
  async atLeast(
    count: number,
    wants: Predicate<Record<string, unknown>> = () => true,
    withinMs?: number,
  ): Promise<Record<string, unknown>[]> {
    const matching = () => this.bodies.filter(wants);
    if (matching().length < count) await this.#until(() => matching().length >= count, withinMs);
    return matching();
  }

  unsubscribe(): Promise<StompFrame> {
    return this.#client.unsubscribe(this.id);
  }

  async #until(holds: () => boolean, withinMs?: number): Promise<void> {
    await this.#client
      .next(({ headers }) => headers.subscription === this.id && holds(), withinMs)
      .catch((error: unknown) => {
        throw new Error(`${this.destination}: ${this.frames.length} frames, and then: ${String(error)}`);
      });
  }
}

function isRefusalOf(receipt: string, headers: StompFrame['headers'], body: string): boolean {
  return headers.destination === '/user/queue/errors' && JSON.parse(body)['receipt-id'] === receipt;
}
